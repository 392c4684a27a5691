"""Code on a slide is cut at statements, and printed lines keep their first and their last."""

import ast

import pytest

from helpers.workshop.slides_cut import ends_of, fitted, rows_of

CODE = '''def added(name):
    """Milliseconds that a control adds."""
    total = 0

    for one in found[name]:
        total += one

    return total


print(added("gate"))'''


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        (11, CODE),
        (7, "\n".join(line for line in CODE.splitlines() if line)),
        (6, "\n".join(line for line in CODE.splitlines() if line and '"""' not in line)),
        (
            5,
            "def added(name):\n    total = 0\n    for one in found[name]:\n        ...\n"
            + CODE.splitlines()[-1],
        ),
        (3, ""),
    ],
)
def test_blank_lines_go_first_then_docstrings_then_statements(rows: int, left: str) -> None:
    assert fitted(CODE, rows, 60) == left


def test_a_docstring_stays_where_it_is_all_that_a_function_has() -> None:
    code = 'class Gone(Exception):\n    """It is gone."""\n\n' + "\n\n".join("abcdef")
    assert '"""It is gone."""' in fitted(code, 8, 60)


@pytest.mark.parametrize("rows", range(4, 12))
def test_cut_code_can_still_be_read_by_python(rows: int) -> None:
    code = "\n".join(
        [
            "@tool",
            "def one(a):",
            *(f"    step_{n}(a)" for n in range(8)),
            "# what comes next",
            "class Two:",
            *(f"    def m{n}(self):\n        return {n}" for n in range(8)),
        ]
    )
    left = fitted(code, rows, 60)
    assert rows_of(left, 60) <= rows
    assert "..." in left
    assert "# what comes next\n..." not in left
    ast.parse(left)


def test_one_long_statement_and_another_language_are_cut_at_lines() -> None:
    call = "show.table([\n" + "\n".join(f"    {n}," for n in range(30)) + "\n])"
    for code in (call, "%%writefile a.yaml\n" + "\n".join(f"key{n}: {{}}" for n in range(30))):
        left = fitted(code, 10, 60)
        assert 8 <= rows_of(left, 60) <= 10
        assert "..." in left


def test_a_line_that_is_wrapped_takes_several_rows() -> None:
    assert rows_of("a" * 61 + "\n\nb", 60) == 4
    long = "\n".join(f"f{n}('{'x' * 50}')" for n in range(6))
    assert fitted(long, 6, 60) == long
    assert rows_of(fitted(long, 6, 40), 40) <= 6


def test_printed_lines_lose_their_middle() -> None:
    text = "\n".join(map(str, range(30)))
    assert ends_of(text, 30, 60) == text
    assert ends_of(text, 6, 60) == "0\n1\n2\n...\n28\n29"
    assert ends_of("a" * 50 + "\nb\nc", 3, 20) == "..."
