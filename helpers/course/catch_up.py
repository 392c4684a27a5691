"""`course catch-up 05.4`: the course's solutions, for a learner who joins late or is lost.

`05` gives what lab 05 uses of earlier labs; `05.4` also the exercises of lab 05 before the fourth,
so that a learner works where the room is. What the learner passed stays. A cell gets the stored
outputs too, as do the unchanged cells after it, so that nobody waits for what they would measure.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.course import progress
from helpers.course.cells import (
    Cell,
    NotANotebookError,
    Notebook,
    dump,
    exercise_of,
    parse,
    source,
)
from helpers.course.copies import keep, write_whole
from helpers.course.given import GIVEN, is_marked, mark
from helpers.course.reset import as_shipped

_TARGET = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,3}))?")
_READY = re.compile(r"\bready\(([^)]*)\)")
_EXERCISE = re.compile(r"[\"'](\d\d\.\d+)[\"']")


class CatchUpError(LookupError):
    """Nothing can be given; the message says why and what to do. No file was changed."""


class DamagedError(CatchUpError):
    """A notebook cannot be read, or is missing, where the lab itself exists."""


@dataclass(frozen=True)
class Given:
    """What was done to one lab.

    Attributes:
        lab: the lab's path below the course's folder.
        exercises: those whose solutions were put in place now.
        passed: those left alone because the learner passed them.
        already: those that were given before.
        missing: those that have no cell in the learner's lab any more.
        replaced: those of `exercises` in whose cell the learner had begun.
        copies: the folder with the dated copy; None where no file was changed.
    """

    lab: str
    exercises: tuple[str, ...]
    passed: tuple[str, ...]
    already: tuple[str, ...]
    missing: tuple[str, ...]
    replaced: tuple[str, ...]
    copies: Path | None


@dataclass(frozen=True)
class Plan:
    """The exercises to give by lab, those of earlier labs first."""

    lab: str
    exercises: tuple[str, ...]
    solution: Notebook


def catch_up(target: str, *, root: Path) -> tuple[str, list[Given]]:
    """Put the solutions that a learner needs into the labs.

    Returns the path of the lab that was asked for, and what was done to each lab that changed or
    could have: none where the lab uses nothing of earlier ones.

    Args:
        target: a lab, such as "05", or the exercise to start at, such as "05.4".
        root: the course's folder.

    Raises:
        CatchUpError: there is no such lab or exercise, or a notebook cannot be read.
        OSError: a copy or a lab cannot be written; that lab is as it was then.
    """
    found = _TARGET.fullmatch(target.strip())
    if not found:
        raise CatchUpError(
            f"{target!r} is not a lab or an exercise: give a number such as 05 or 05.4."
        )
    module = found[1].zfill(2)
    lab = _path("labs", module, root)
    wanted = list(needed(_read(lab, root, module), module))
    if found[2]:
        wanted += _before(module, int(found[2]), root)
    plans = [_plan(one, wanted, root) for one in sorted({name[:2] for name in wanted})]
    return lab, [_give(plan, root) for plan in plans]


def needed(lab: Notebook, module: str) -> Iterator[str]:
    """The exercises of other labs that a lab's cells ask for by `ready(...)`."""
    for cell in lab["cells"]:
        if cell.get("cell_type") == "code":
            for call in _READY.finditer(source(cell)):
                yield from (name for name in _EXERCISE.findall(call[1]) if name[:2] != module)


def _before(module: str, number: int, root: Path) -> list[str]:
    """The exercises of a lab before one of them."""
    there = _exercises(_read(_path("solutions", module, root), root, module))
    if f"{module}.{number}" not in there:
        raise CatchUpError(
            f"Lab {module} has no exercise {module}.{number}. It has: {', '.join(there)}."
        )
    return there[: there.index(f"{module}.{number}")]


def _plan(module: str, wanted: list[str], root: Path) -> Plan:
    solution = _read(_path("solutions", module, root), root, module)
    there = _exercises(solution)
    exercises = tuple(name for name in there if name in wanted)
    if unknown := {name for name in wanted if name[:2] == module} - set(there):
        raise CatchUpError(f"The solution of lab {module} has no exercise {min(unknown)}.")
    return Plan(_path("labs", module, root), exercises, solution)


def _give(plan: Plan, root: Path) -> Given:
    module = plan.exercises[0][:2]
    lab = _read(plan.lab, root, module)
    recorded = progress.report().get(module)
    status = {one.exercise: one.status for one in recorded.checks} if recorded else {}
    mine: dict[str, Cell] = {}
    for cell in lab["cells"]:
        # An editor's copy of an exercise cell has its number too: the first one is meant.
        if (name := exercise_of(cell)) and cell.get("cell_type") == "code":
            mine.setdefault(name, cell)
    empty = _shipped(plan, root)  # passed once, and then `course reset` came
    passed, already, missing, given = [], [], [], []
    for name in plan.exercises:
        if name not in mine:
            missing.append(name)
        elif is_marked(mine[name]["source"]):
            already.append(name)
        elif status.get(name) == progress.STATUSES[-1] and mine[name]["source"] != empty.get(name):
            passed.append(name)
        else:
            given.append(name)
    replaced = tuple(
        name for name in given if empty.get(name, mine[name]["source"]) != mine[name]["source"]
    )
    for name in given:
        _put(name, mine[name], lab, plan.solution)
    copies = None
    if given:
        copies = keep([root / plan.lab], root=root)
        write_whole(root / plan.lab, dump(lab))
    # Also those of a run that ended between the two: their cells are the course's.
    progress.record_given(name for name in [*given, *already] if status.get(name) != GIVEN)
    return Given(
        plan.lab, tuple(given), tuple(passed), tuple(already), tuple(missing), replaced, copies
    )


def _shipped(plan: Plan, root: Path) -> dict[str, str]:
    """Exercise -> its cell as the course ships it; nothing where there is no clone to ask."""
    try:
        cells = parse(as_shipped(plan.lab, plan.exercises[0][:2], root=root))["cells"]
    except NotANotebookError:
        return {}
    return {name: cell["source"] for cell in cells if (name := exercise_of(cell))}


def _put(exercise: str, cell: Cell, lab: Notebook, solution: Notebook) -> None:
    """Fill a learner's cell, and give outputs to it and to unchanged cells that follow it."""
    solved = solution["cells"]
    at = next(n for n, one in enumerate(solved) if exercise_of(one) == exercise)
    _outputs(solved[at], cell)
    cell["source"] = mark(exercise) + solved[at]["source"]
    mine = {one.get("id"): one for one in lab["cells"] if one.get("cell_type") == "code"}
    for one in solved[at + 1 :]:
        if exercise_of(one):
            return
        target = mine.get(one.get("id"))
        if one["cell_type"] == "code" and target and target["source"] == one["source"]:
            _outputs(one, target)


def _outputs(stored: Cell, cell: Cell) -> None:
    cell["outputs"] = copy.deepcopy(stored.get("outputs", []))
    cell["execution_count"] = None  # this kernel has not run it, and `ready` knows


def _exercises(notebook: Notebook) -> list[str]:
    """The exercises of a notebook by number."""
    names = {name for cell in notebook["cells"] if (name := exercise_of(cell))}
    return sorted(names, key=lambda name: int(name.partition(".")[2]))


def _path(folder: str, module: str, root: Path) -> str:
    """The notebook of a module in a folder, as a path below the course's folder."""
    files = sorted((root / folder).glob(f"{module}_*.ipynb"))
    if files:
        return files[0].relative_to(root).as_posix()
    if folder == "solutions":
        raise DamagedError(
            f"This copy of the course has no solution of lab {module}. Ask your instructor for the "
            "folder solutions/, or clone the course again."
        )
    if sorted((root / "solutions").glob(f"{module}_*.ipynb")):
        raise DamagedError(
            f"The file of lab {module} is missing: `course reset {module}` restores it; then run "
            "this again."
        )
    there = sorted({file.name[:2] for file in (root / folder).glob("[0-9][0-9]_*.ipynb")})
    raise CatchUpError(f"There is no lab {module!r}. The labs are: {', '.join(there) or 'none'}.")


def _read(path: str, root: Path, module: str) -> Notebook:
    try:
        return parse((root / path).read_bytes())
    except NotANotebookError as error:
        cure = (
            f"`course reset {module}` restores it and keeps a dated copy of yours; then run this "
            "again."
            if path.startswith("labs/")
            else f"Restore it with `git checkout -- {path}`, then run this again."
        )
        raise DamagedError(f"{path} cannot be read as a notebook. {cure}") from error
