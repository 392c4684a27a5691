"""Make the places of a new exercise, each with what belongs there."""

import keyword
import re
from pathlib import Path

from helpers.authoring.editions import FOLDERS, stems
from helpers.authoring.solved import EXERCISES
from helpers.course.copies import write_whole


class NewExerciseError(Exception):
    """The exercise cannot be made; the message says what to do."""


_CHECK = '''"""Exercise {number}: say in one line what it asks for."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from helpers.course.exercises import Case, Slip, example, exercise, generated


@exercise(
    "{number}",
    title="{title}",
    hints=[
        "A gentle hint: a question that leads there.",
        "An explicit one.",
    ],
)
def {name}(answer: Any) -> Iterator[Case]:
    """What the check looks at."""
    yield example(
        "an ordinary value",
        answer,
        2,
        called="{name}",
        expect=4,
        slips=[Slip.value("unchanged", 2, "That is the value that came in.")],
    )
    yield generated(
        "any value",
        answer,
        exercise="{number}",
        inputs=st.tuples(st.integers(-1000, 1000)),
        called="{name}",
    )
'''

_ANSWERS = """from helpers.authoring.answers import right, wrong


@wrong("The body is empty.")
def nothing() -> object:
    return lambda value: None


@wrong("Hands the value back.", slip="unchanged")
def unchanged() -> object:
    return lambda value: value


@wrong("Right for positive numbers alone.")
def positive_alone() -> object:
    return lambda value: abs(value) * 2


@wrong("Right for small numbers alone.")
def small_alone() -> object:
    return lambda value: value * 2 if value < 100 else value


@right("Adds.")
def adds() -> object:
    return lambda value: value + value


@right("Shifts.")
def shifts() -> object:
    return lambda value: value << 1
"""

_CELLS = '''
# %% [markdown] name="{slug}-goal"
# ## {place}. {title}
#
# Write `{name}`.
#
# The goal in one sentence. Say what its types mean, each rule and each boundary, what bad input
# does, and give one example: of 2 it makes 4.

# %% exercise="{number}"
def {name}(value: int) -> int:
    """Twice a value."""
    # LAB: return TODO
    # BEGIN SOLUTION
    return value * 2
    # END SOLUTION

# %%
check("{number}", {name})

# %% [markdown] name="{slug}-why" only="solution"
# Why this solution, and what a learner may have done instead.
'''


def create(root: Path, number: str, name: str) -> list[Path]:
    """Write an exercise's check and answers, and add its cells to the module's solution.

    Args:
        root: the course's folder.
        number: module and number, such as "06.1": the next one of its module.
        name: what the learner makes, as a Python name.

    Returns:
        The three paths, in the order check, answers, solution's source.

    Raises:
        NewExerciseError: the number or the name will not do, or the module has no source yet; then
            nothing was written.
    """
    found = re.fullmatch(r"(\d\d)\.([1-9]\d?)", number)
    if found is None:
        raise NewExerciseError(f"{number!r} is no exercise's number: write it like 06.1.")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise NewExerciseError(
            f"{name!r} is no name: use lower-case words with _ between them, as in build_the_index."
        )
    module, place = found[1], int(found[2])
    source_folder = FOLDERS["solution"][0]
    sources = [stem for stem in stems(root / source_folder, "*.py") if stem[:2] == module]
    if not sources:
        raise NewExerciseError(
            f"there is no {source_folder}/{module}_....py yet: write it with its title and its "
            "parameters first, as helpers/authoring/__init__.py shows."
        )
    folder = root / EXERCISES / f"m{module}"
    there = [int(path.stem[1:].partition("_")[0]) for path in folder.glob("e[0-9]*_*.py")]
    if place != (following := len(there) + 1):
        raise NewExerciseError(f"the next exercise of module {module} is {module}.{following}.")
    words = {
        "number": number,
        "place": place,
        "name": name,
        "slug": name.replace("_", "-"),
        "title": name.replace("_", " ").capitalize(),
    }
    check = folder / f"e{place}_{name}.py"
    answers = root / "tests" / "exercises" / f"m{module}" / check.name
    source = root / source_folder / f"{sources[0]}.py"
    text = source.read_text("utf-8")
    if re.search(rf'name="{words["slug"]}-(goal|why)"', text):
        raise NewExerciseError(
            f"{source.name} has cells called {words['slug']!r}: use another name."
        )
    if not folder.is_dir():
        folder.mkdir(parents=True)
        title = sources[0][3:].replace("_", " ").capitalize()
        write_whole(folder / "__init__.py", f'"""Module {module}, {title}."""\n'.encode())
    answers.parent.mkdir(parents=True, exist_ok=True)
    write_whole(check, _CHECK.format(**words).encode())
    write_whole(answers, _ANSWERS.encode())
    write_whole(source, (text.rstrip("\n") + "\n" + _CELLS.format(**words)).encode())
    return [check, answers, source]
