"""The source format: what the lab and the solution get, and what is refused."""

import textwrap

import pytest

import helpers.authoring
from helpers.authoring.source import SourceError, cells_of, read_source

HEAD = '# %% [markdown] name="title"\n# # Title\n\n'


def exercise(body: str, head: str = 'exercise="01.1"') -> str:
    return f"{HEAD}# %% {head}\n{textwrap.dedent(body).strip()}\n"


def solution(text: str) -> dict[str, dict[str, str]]:
    cells = read_source(text, where="solutions/src/01_topic.py", solution=True)
    return {e: {c.id: c.source for c in cells_of(cells, e)} for e in ("lab", "solution")}


def test_the_example_of_the_documentation_is_a_valid_source() -> None:
    text = (helpers.authoring.__doc__ or "").split("A complete solution source\n")[1]
    example, lab_cell = text.split("The cell of exercise 01.1 in the lab, ready to be filled:")
    made = solution(textwrap.dedent(example.split("\n", 1)[1]))
    shown = textwrap.dedent(lab_cell.split("A walkthrough source")[0]).strip()
    assert made["lab"]["exercise-01-1"] == shown
    assert made["lab"]["exercise-01-2"] == "LIMIT = TODO"
    assert "threshold = 0.42" in made["solution"]["exercise-01-1"]
    assert made["lab"]["title"] != made["solution"]["title"]
    assert "why" in made["solution"]
    assert "why" not in made["lab"]
    assert "noqa" not in made["lab"]["imports"]


def test_marks_keep_indentation_and_what_stands_around_them() -> None:
    made = solution(
        exercise('''
        class Gate:
            """Doc."""

            def open(self, score: float) -> bool:
                # LAB: if score < 0:
                # LAB:     return False
                # LAB: return TODO
                # BEGIN SOLUTION
                return score > 0.4  # noqa: PLR2004
                # END SOLUTION

            def close(self) -> None:
                """Given."""
        ''')
    )
    assert (
        made["lab"]["exercise-01-1"]
        == textwrap.dedent('''
        class Gate:
            """Doc."""

            def open(self, score: float) -> bool:
                if score < 0:
                    return False
                return TODO

            def close(self) -> None:
                """Given."""''').strip()
    )
    assert "return score > 0.4\n" in made["solution"]["exercise-01-1"]
    assert "LAB" not in made["solution"]["exercise-01-1"]


def test_code_to_mend_needs_no_todo() -> None:
    body = """
    # LAB: limit = 3
    # BEGIN SOLUTION
    limit = 1
    # END SOLUTION
    """
    assert (
        solution(exercise(body, 'exercise="01.1" mend=true'))["lab"]["exercise-01-1"] == "limit = 3"
    )
    with pytest.raises(SourceError, match="shows no TODO"):
        solution(exercise(body))


GOOD = "# LAB: x = TODO\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{HEAD}# %%\nx = 1\n", "has no name"),
        (f'{HEAD}x = 1\n# %% name="title"\nx = 1\n', "two cells called 'title'"),
        (f'{HEAD}# %% name="Two Words"\nx = 1\n', "is not a name"),
        (f"{HEAD}# %% name=unquoted\nx = 1\n", "no attribute"),
        (f"{HEAD}# %% A title\nx = 1\n", "no attribute"),
        (f'{HEAD}# %% name="a" nmae="b"\nx = 1\n', "no attribute"),
        (f'{HEAD}# %% name="a" tags=["NBVAL_SKIP"]\nx = 1\n', "lower-case"),
        (f'{HEAD}# %% name="a" only="learner"\nx = 1\n', "should be"),
        (f'{HEAD}# %% name="a"\n{GOOD}\n', "no exercise="),
        (f'{HEAD}# %% name="a"\n', "is empty"),
        (f'{HEAD}# %% name="a"\nx = = 1\n', "not valid Python"),
        (exercise(GOOD, 'exercise="02.1"'), "called 01.1"),
        (exercise(GOOD, 'exercise="01.1" name="mine"'), "gets its name"),
        (exercise(GOOD, 'exercise="01.1" only="lab"'), "of both"),
        (exercise("x = 1"), "marks nothing"),
        (exercise("# LAB: x = TODO\n# BEGIN SOLUTION\nx = 1"), "no END"),
        (exercise("# LAB: x = TODO\nx = 1\n# END SOLUTION"), "pair up"),
        (exercise("# BEGIN SOLUTION\n# LAB: x = TODO\nx = 1\n# END SOLUTION"), "inside a solution"),
        (exercise("#LAB: x = TODO\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION"), "is not a mark"),
        (exercise("# LAB: x = = TODO\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION"), "as lab"),
        (
            exercise("# LAB: x = TODO\n# BEGIN SOLUTION\nx = TODO\n# END SOLUTION"),
            "still has a TODO",
        ),
        ("", "no cells"),
    ],
)
def test_a_source_that_breaks_the_format_is_refused(text: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        solution(text)


def test_a_todo_in_a_string_is_no_placeholder() -> None:
    with pytest.raises(SourceError, match="shows no TODO"):
        solution(exercise('# LAB: x = "TODO"\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION'))


def test_a_walkthrough_has_no_exercises() -> None:
    with pytest.raises(SourceError, match="belong to solutions"):
        read_source(exercise(GOOD), where="notebooks/src/01_topic.py", solution=False)


def test_one_name_for_the_lab_and_the_solution() -> None:
    twice = '# %% [markdown] name="a" only="lab"\n# x\n\n# %% [markdown] name="a"\n# y\n'
    with pytest.raises(SourceError, match="two cells called 'a'"):
        solution(twice)


def test_magics_and_await_are_python_to_a_notebook() -> None:
    made = solution(f'{HEAD}# %% name="m"\n# %matplotlib inline\nawait something()\n')
    assert made["lab"]["m"].startswith("%matplotlib inline")
