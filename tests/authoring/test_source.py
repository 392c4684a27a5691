"""The source format: what the lab and the solution get, and what is refused."""

import re
import textwrap
from typing import Any

import pytest

import helpers.authoring
from helpers.authoring.source import SourceError, cells_of, read_source, with_notes

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


WALKTHROUGH = "notebooks/src/01_topic.py"


def walkthrough(body: str) -> dict[str, str]:
    cells = read_source(HEAD + textwrap.dedent(body), where=WALKTHROUGH, solution=False)
    return {cell.id: cell.source for cell in cells_of(cells, "walkthrough")}


NOTES = """
    # %% [markdown] name="ask-them" only="instructor"
    # Ask what they expect first.

    # %% name="show-them" only="instructor"
    print("on the projector")

    # %% name="x"
    x = 1
"""


def test_an_instructors_cell_reaches_no_learner() -> None:
    assert list(walkthrough(NOTES)) == ["title", "x"]
    made = solution(HEAD + textwrap.dedent(NOTES))
    assert list(made["lab"]) == list(made["solution"]) == ["title", "x"]


@pytest.mark.parametrize("edition", ["walkthrough", "lab", "solution"])
def test_an_instructor_gets_the_notes_where_they_stand(edition: Any) -> None:
    is_solution = edition != "walkthrough"
    where = "solutions/src/01_topic.py" if is_solution else WALKTHROUGH
    cells = read_source(HEAD + textwrap.dedent(NOTES), where=where, solution=is_solution)
    found = with_notes(cells, edition)
    assert [cell.id for cell in found] == ["title", "ask-them", "show-them", "x"]
    assert [cell.id for cell in found if cell.only] == ["ask-them", "show-them"]


def test_a_note_and_a_learners_cell_have_different_names() -> None:
    twice = '\n# %% name="x" only="instructor"\nx = 2\n'
    with pytest.raises(SourceError, match="two cells called 'x'"):
        walkthrough(textwrap.dedent(NOTES) + twice)


@pytest.mark.parametrize(
    "app",
    [
        "agent.py",
        "serve_app.py",
        "rules.yml",
        "serve.yaml",
        "Dockerfile",
        "k8s/hpa.yaml",
        "k8s/base/deployment.yaml",
        "k8s/overlays/test/kustomization.yaml",
    ],
)
def test_a_program_has_a_plain_name(app: str) -> None:
    body = "x = 1" if app.endswith(".py") else f"# %%writefile {app}\n# a: 1"
    text = f'{HEAD}# %% name="a" app="{app}"\n{body}\n'
    (cell,) = read_source(text, where=WALKTHROUGH, solution=False)[1:]
    assert cell.app == app


def test_a_file_cells_lines_are_comments_in_the_source() -> None:
    body = "# %%writefile k8s/a.yaml\n# # of the shop\n#\n# spec:\n#   replicas: 2\n"
    made = walkthrough(f'\n# %% name="a" app="k8s/a.yaml"\n{body}')
    assert made["a"] == "%%writefile k8s/a.yaml\n# of the shop\n\nspec:\n  replicas: 2"


@pytest.mark.parametrize(
    ("head", "body", "says"),
    [
        ('app="Agent.py"', "x = 1", "is no program's name"),
        ('app="../agent.py"', "x = 1", "is no program's name"),
        ('app="k8s/agent.py"', "x = 1", "is no program's name"),
        ('app="k8s/../agent.yaml"', "x = 1", "is no program's name"),
        ('app="/agent.py"', "x = 1", "is no program's name"),
        ('app="my agent.py"', "x = 1", "is no program's name"),
        ('app="notes.txt"', "x = 1", "is no program's name"),
        ('app=""', "x = 1", "is no program's name"),
        ("app=true", "x = 1", "is no program's name"),
        ('app="main.py"', "x = 1", "needs itself"),
        ('app="types.py"', "x = 1", "needs itself"),
        ('app="agent.py" only="instructor"', "x = 1", "every learner gets"),
        ('app="agent.py"', "# %%time\nx = 1", "is plain Python"),
        ('app="rules.yml"', "x = 1", "begin a cell of rules.yml with"),
        ('app="rules.yml"', "# %%writefile other.yml\n# a: 1", "begin a cell of rules.yml with"),
        ('only="lab"', "x = 1", "belong to solutions"),
        ('only="solution"', "x = 1", "belong to solutions"),
        ('only="teacher"', "x = 1", 'should be "instructor"'),
        ('then="01.1"', "x = 1", "then belongs to an instructor's note"),
        ('only="instructor" then=""', "x = 1", "names exercises of this module"),
        ('only="instructor" then="02.1"', "x = 1", "names exercises of this module"),
        ('only="instructor" then="01.1,01.2"', "x = 1", "names exercises of this module"),
        ('only="instructor" needs="Why?"', "x = 1", "needs belongs to a note with then"),
        ('only="instructor" then="01.1" needs=""', "x = 1", "needs belongs to a note with then"),
    ],
)
def test_a_misused_attribute_of_a_walkthrough_is_refused(head: str, body: str, says: str) -> None:
    with pytest.raises(SourceError, match=re.escape(says)):
        walkthrough(f'\n# %% name="a" {head}\n{body}\n')


def test_text_and_solutions_are_no_part_of_a_program() -> None:
    with pytest.raises(SourceError, match="belongs to a code cell"):
        walkthrough('\n# %% [markdown] name="a" app="agent.py"\n# x\n')
    with pytest.raises(SourceError, match="belongs to walkthroughs"):
        solution(f'{HEAD}# %% name="a" app="agent.py"\nx = 1\n')


def test_an_exercise_is_not_for_the_instructor_alone() -> None:
    with pytest.raises(SourceError, match="of both lab and solution"):
        solution(exercise(GOOD, 'exercise="01.1" only="instructor"'))
