"""Which of a submission's cells is which, and which of the learner's own an exercise needs.

An exercise's cell is found by the lab's own id, then by the exercise that it is marked with (a copy
of the cell), then by what it defines (the learner wrote the cell again). Other cells of the
learner's own are taken where an exercise uses what they define. All else stays out, and is named.
"""

import ast
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from helpers.course.cells import Cell, exercise_of
from helpers.course.checked import checked_in
from helpers.workshop.names import ALWAYS_THERE, names_in, statements

_MOST_NAMED = 4
_LONGEST_LINE = 40


@dataclass(frozen=True)
class OwnCell:
    """A cell that the learner has added, or what the learner added to a cell of the lab.

    It runs after the lab's cell whose id is `after` (before all of them for ""), for `exercises`.
    """

    source: str
    after: str
    exercises: tuple[str, ...] = ()

    def without(self, skipped: Collection[str]) -> "OwnCell | None":
        """The same for the exercises that are left; None where none is."""
        left = tuple(name for name in self.exercises if name not in skipped)
        return replace(self, exercises=left) if left else None


@dataclass(frozen=True)
class Matched:
    """What is graded of one notebook, and what the instructor should know of the rest."""

    answers: dict[str, str] = field(default_factory=dict)
    own: tuple[OwnCell, ...] = ()
    notes: tuple[str, ...] = ()


def first_line(source: str) -> str:
    """A cell as a message names it: by its first line that is not a comment."""
    lines = [line.strip() for line in source.splitlines()]
    line = next((line for line in lines if line and not line.startswith("#")), "")
    return f"`{line[:_LONGEST_LINE]}...`" if len(line) > _LONGEST_LINE else f"`{line}`"


def checked_by(source: str) -> str | None:
    """The exercise whose check this cell runs."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    return next((found.exercise for found in checked_in(tree)), None)


def match(lab: Sequence[Cell], handed_in: Sequence[Cell]) -> Matched:
    """Find a lab's cells in a submitted notebook, and what else its exercises need.

    Args:
        lab: the lab's cells, as the course ships it.
        handed_in: the submission's.
    """
    found = _Sorted(lab, handed_in)
    answers = found.answers()
    sources = (answers.get(exercise_of(cell) or "", cell["source"]) for cell in found.lab)
    known = ALWAYS_THERE.union(*(names_in(source).defined for source in sources))
    added = [one for one in found.additions() if names_in(one.source).defined - known]
    own = [*added, *found.own]
    needed = _needed(answers, own, known)
    placed = [found.placed(own[number], needed[number]) for number in sorted(needed)]
    idle = [one for number, one in enumerate(own) if number not in needed and one not in added]
    notes = (*found.notes, *found.differences(), *_idle(idle))
    return Matched(answers, tuple(placed), notes)


def _needed(
    answers: dict[str, str], own: Sequence[OwnCell], known: frozenset[str]
) -> dict[int, list[str]]:
    """The place of each own cell that an exercise needs -> the exercises that need it."""
    needed: dict[int, list[str]] = {}
    for exercise, answer in answers.items():
        waiting = set(names_in(answer).needed - known)
        while waiting:
            name = waiting.pop()
            makers = [n for n, one in enumerate(own) if name in names_in(one.source).defined]
            # The last one holds when the learner runs the notebook from its top.
            if makers and exercise not in needed.setdefault(makers[-1], []):
                needed[makers[-1]].append(exercise)
                waiting |= names_in(own[makers[-1]].source).needed - known
    return needed


def _idle(cells: Sequence[OwnCell]) -> list[str]:
    if not cells:
        return []
    shown = ", ".join(first_line(one.source) for one in cells[:_MOST_NAMED])
    more = f" and {len(cells) - _MOST_NAMED} more" if len(cells) > _MOST_NAMED else ""
    return [f"own cells that were not run, because no exercise needs them: {shown}{more}"]


class _Sorted:
    """The code cells of a submission, by what they are."""

    def __init__(self, lab: Sequence[Cell], handed_in: Sequence[Cell]) -> None:
        self.lab = [cell for cell in lab if cell["cell_type"] == "code"]
        self.own: list[OwnCell] = []
        self.notes: list[str] = []
        self._by_id = {str(cell.get("id")): cell for cell in self.lab}
        self._numbers = [number for cell in self.lab if (number := exercise_of(cell))]
        self._found: dict[str, str] = {}  # id of a lab's cell -> what was handed in for it
        self._copies: dict[str, list[str]] = {}
        cells = [cell for cell in handed_in if cell.get("cell_type") == "code"]
        same = self._same(cells)
        place = ""
        for at, cell in enumerate(cells):
            source, number = cell["source"], exercise_of(cell)
            if at in same:
                place = same[at]
                self._found[place] = source
            elif number in self._numbers:
                self._copies.setdefault(str(number), []).append(source)
            elif source.strip() and number is None:
                self.own.append(OwnCell(source, place))

    def _same(self, cells: Sequence[Cell]) -> dict[int, str]:
        """The submission's cells that are the lab's: by id, or unchanged where ids were lost."""
        same: dict[int, str] = {}
        for at, cell in enumerate(cells):
            name = str(cell.get("id"))
            if name in self._by_id and name not in same.values():
                same[at] = name
        for at, cell in enumerate(cells):
            for name, shipped in self._by_id.items():
                alike = shipped["source"].strip() == cell["source"].strip()
                if alike and at not in same and name not in same.values():
                    same[at] = name
        return same

    def answers(self) -> dict[str, str]:
        """Exercise -> the source that is graded."""
        answers = {}
        for cell in self.lab:
            if number := exercise_of(cell):
                original = self._found.get(str(cell.get("id")))
                answer = self._answer(number, cell, original)
                if answer is not None:
                    answers[number] = answer
        return answers

    def _answer(self, number: str, cell: Cell, original: str | None) -> str | None:
        shipped = cell["source"].strip()
        copies = [copy for copy in self._copies.get(number, ()) if copy.strip() != shipped]
        if original is not None and original.strip() != shipped:
            if any(copy.strip() != original.strip() for copy in copies):
                self.notes.append(f"{number}: a copy of its cell was left out")
            return original
        state = "is unchanged" if original is not None else "is missing"
        if copies:
            self.notes.append(f"{number}: its cell {state}; a copy of it was graded")
            return copies[-1]
        wanted = names_in(cell["source"]).defined & self._checked(number)
        for one in reversed(self.own):
            if both := wanted & names_in(one.source).defined:
                self.own.remove(one)
                names = ", ".join(sorted(both))
                self.notes.append(
                    f"{number}: its cell {state}; the cell that defines {names} was graded"
                )
                return one.source
        copy = next(iter(self._copies.get(number, ())), None)
        return copy if original is None else original

    def _checked(self, number: str) -> frozenset[str]:
        """What the lab hands to the exercise's check."""
        checks = (cell["source"] for cell in self.lab if checked_by(cell["source"]) == number)
        return frozenset().union(*(names_in(source).used for source in checks))

    def additions(self) -> Iterable[OwnCell]:
        """What the learner's version of the lab's own cells defines beyond the lab's version."""
        for name, cell in self._by_id.items():
            if exercise_of(cell) or name not in self._found:
                continue
            before = names_in(cell["source"]).defined
            for one in statements(self._found[name]):
                if names_in(one).defined - before:
                    yield OwnCell(one, name)

    def differences(self) -> list[str]:
        """What is told of the lab's own cells: the lab's version of them is what runs."""
        names = [name for name, cell in self._by_id.items() if not exercise_of(cell)]
        gone = [name for name in names if name not in self._found]
        changed = [
            name
            for name in names
            if name in self._found
            and self._found[name].strip() != self._by_id[name]["source"].strip()
        ]
        told = []
        if changed:
            told.append(f"changed cells of the lab, run as the course has them: {_few(changed)}")
        if gone and self._found:
            told.append(f"missing cells of the lab, put back: {_few(gone)}")
        return told

    def placed(self, one: OwnCell, exercises: Sequence[str]) -> OwnCell:
        """An own cell in the place where it runs: its own, but before the check that needs it."""
        order = list(self._by_id)
        at = order.index(one.after) if one.after else -1
        number = exercises[0]
        check = [checked_by(cell["source"]) for cell in self.lab].index(number)
        if at >= check:
            at = [exercise_of(cell) for cell in self.lab].index(number) - 1
        return replace(one, after=order[at] if at >= 0 else "", exercises=tuple(exercises))


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
