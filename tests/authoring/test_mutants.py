"""Which faults are made in a solution, and which are not."""

import ast

import pytest

from helpers.authoring.mutants import FIRST, mutants

SOURCE = '''\
def speed(count: int, seconds: float = 1.0) -> float:
    """Not a "fault"."""
    if seconds <= 0:
        raise ValueError(f"seconds: {seconds}")
    total = count + 1
    return total / seconds
'''


def names(source: str) -> list[str]:
    return [mutant.name for mutant in mutants(source)]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("x = a < b", "Lt -> LtE"),
        ("x = a < b", "Lt -> Gt"),
        ("x = a == b", "Eq -> NotEq"),
        ("x = a in b", "In -> NotIn"),
        ("x = a + b", "Add -> Sub"),
        ("x = a / b", "Div -> FloorDiv"),
        ("x = a and b", "And -> Or"),
        ("x = not a", "not dropped"),
        ("x = 3", "3 -> 4"),
        ("x = 3", "3 -> 2"),
        ("x = True", "True -> False"),
        ("x = 'name'", "'name' changed"),
        ("x = f(a, k=b)", "keyword k dropped"),
        ("x = a if b else c", "condition always true"),
        ("def f():\n    return a", "None returned"),
        ("def f():\n    g()\n    return a", "statement 1 dropped"),
        ("def f(a):\n    return a", "argument a ignored"),
        ("def f(*, a):\n    return a", "argument a ignored"),
    ],
)
def test_a_fault_is_made(source: str, what: str) -> None:
    assert any(f", {what}: " in name for name in names(source)), names(source)


@pytest.mark.parametrize(
    "source",
    [
        "x = 'some free text'",
        "def f():\n    'docstring'",
        "x = f'value{a}'",
        "def f(self): pass",
        "x: 'Name' = a",
        "f(timeout=a)",
        "import a",
    ],
)
def test_free_text_and_time_limits_stay(source: str) -> None:
    assert names(source) == []


def test_every_mutant_runs_and_has_a_name_of_its_own() -> None:
    found = list(mutants(SOURCE))
    assert len(found) > 10
    assert len({mutant.name for mutant in found}) == len(found)
    assert len({ast.dump(mutant.tree) for mutant in found}) == len(found)
    for mutant in found:
        compile(mutant.tree, "mutant", "exec")
    assert ast.dump(ast.parse(SOURCE)) not in {ast.dump(mutant.tree) for mutant in found}


def test_an_ignored_argument_keeps_its_first_value() -> None:
    (mutant,) = [one for one in mutants(SOURCE) if "argument count" in one.name]
    space: dict[str, object] = {FIRST: {}}
    exec(compile(mutant.tree, "mutant", "exec"), space)
    speed = space["speed"]
    assert callable(speed)
    assert (speed(1), speed(9), speed(9, 4.0)) == (2.0, 2.0, 0.5)


def test_names_are_the_same_over_runs() -> None:
    assert names(SOURCE) == names(SOURCE)
    assert "line 3, LtE -> Lt: if seconds <= 0:" in names(SOURCE)
