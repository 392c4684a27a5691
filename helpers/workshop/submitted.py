"""The submissions: whose each file is, and which version of a lab counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from helpers.course.cells import Cell, Notebook, exercise_of
from helpers.review.exported import MOST_BYTES as MOST_PAGE_BYTES
from helpers.review.exported import is_export
from helpers.workshop.files import File, UnreadableError, gather
from helpers.workshop.labs import GradeError, Lab
from helpers.workshop.matching import Matched, match
from helpers.workshop.notebooks import read_notebook
from helpers.workshop.platforms import Owner, copy_number, owners, same
from helpers.workshop.roster import Roster

_PAGES = (".html", ".htm")
_MOST_NAMED = 4


@dataclass(frozen=True)
class Submission:
    """One learner's notebooks: lab -> what is graded of it; `pages` are HTML files beside them.

    `handed_in` is False where nothing came from a learner of the roster.
    """

    learner: str
    labs: dict[str, Matched]
    notes: tuple[str, ...]
    pages: tuple[File, ...] = ()
    handed_in: bool = True

    @property
    def answers(self) -> dict[str, dict[str, str]]:
        """Lab -> exercise -> the source that is graded."""
        return {stem: matched.answers for stem, matched in self.labs.items()}


@dataclass(frozen=True)
class Handed:
    """All submissions, in the order of the table, and what is no one's."""

    submissions: tuple[Submission, ...]
    notes: tuple[str, ...] = ()


def handed_in(
    folder: Path, known: Iterable[Lab], *, roster: Roster | None = None, only: str | None = None
) -> Handed:
    """Every learner's submission.

    Notebooks under the labs' own names that lie in the folder itself are one learner's, as in a
    folder of solved labs.

    Args:
        folder: what was handed in: a folder, or a zip file.
        known: the labs.
        roster: the class; without it the learners are those who handed something in.
        only: a pattern of learners' names, such as "Ada*"; capitals make no difference.

    Raises:
        GradeError: there is no such folder, no notebook in it, or no learner whom `only` fits.
    """
    if not folder.exists():
        raise GradeError(f"There is no folder {folder}.")
    labs = list(known)
    gathered = gather(folder)
    empty = [(*parts, "") for parts in gathered.empty]
    whose = owners(
        [*(file.parts for file in gathered.files), *empty],
        {lab.stem for lab in labs},
        lambda name: roster is not None and roster.find(name) is not None,
    )
    root = folder.resolve().stem if folder.is_file() else folder.resolve().name
    learners, unowned = _grouped(gathered.files, whose, root, roster)
    for parts in empty:
        owner = whose[parts]
        person = roster.find(owner.learner, owner.id) if roster else None
        name = person.shown if person else owner.learner
        if name and same(name) not in map(same, learners) and len(parts) == len(owner.place) + 2:
            learners[name] = []
    idle = [name for name, found in learners.items() if not any(_counts(one) for one, _ in found)]
    if len(idle) == len(learners):
        raise GradeError(
            f"There are no notebooks in {folder}, and no exported answers. It should have a "
            "sub-folder, a zip or a notebook for each learner."
        )
    if any(len(one) == 1 and _stem(one[0]) in {lab.stem for lab in labs} for one in whose):
        # A folder of labs, as the course's own: what is beside them is no learner's.
        for name in idle:
            unowned.append(f"{name} has no notebook")
            del learners[name]
    made = [_submission(learner, found, labs, roster) for learner, found in learners.items()]
    rows = _in_order(made, roster)
    if only is not None:
        chosen = [one for one in rows if fnmatchcase(same(one.learner), same(only))]
        if not chosen:
            names = ", ".join(one.learner for one in rows)
            raise GradeError(f"No learner's name fits {only!r}; there are: {names}.")
        rows = chosen
    return Handed(tuple(rows), (*gathered.notes, *unowned))


def _grouped(
    files: Sequence[File],
    whose: Mapping[tuple[str, ...], Owner],
    root: str,
    roster: Roster | None,
) -> tuple[dict[str, list[tuple[File, Owner]]], list[str]]:
    """Learner -> files; and what is told of the files of no one."""
    ids: dict[tuple[tuple[str, ...], str], set[str]] = {}
    for one in whose.values():
        ids.setdefault((one.place, same(one.learner)), set()).add(one.id)
    shared = {name for (_, name), numbers in ids.items() if len(numbers - {""}) > 1}
    learners: dict[str, list[tuple[File, Owner]]] = {}
    spelled: dict[str, str] = {}  # for comparison -> as it is written
    unowned: list[str] = []
    for file in files:
        owner = whose[file.parts]
        alone = len(file.parts) == len(owner.place) + 1 and not owner.by_platform
        if alone and not (owner.learner and file.suffix == ".ipynb") and _is_no_ones(file, roster):
            unowned.append(f"{file.shown} is no submission and was not read")
            continue
        person = roster.find(owner.learner, owner.id) if roster else None
        name = person.shown if person else owner.learner or root
        if not person and same(name) in shared and owner.id:
            name = f"{name} ({owner.id})"  # two people of one name
        learners.setdefault(spelled.setdefault(same(name), name), []).append((file, owner))
    return learners, unowned


def _counts(file: File) -> bool:
    return file.suffix in (".ipynb", *_PAGES)


def _stem(name: str) -> str:
    return name.removesuffix(".ipynb")


def _is_no_ones(file: File, roster: Roster | None) -> bool:
    """Whether a single file says neither whose it is nor that it is a submission."""
    if file.suffix == ".ipynb":
        return False
    if roster and roster.find(Path(file.name).stem):
        return False
    if file.suffix not in _PAGES:
        return True
    try:
        return not is_export(file.read(MOST_PAGE_BYTES))
    except UnreadableError:
        return True


def _in_order(made: Sequence[Submission], roster: Roster | None) -> list[Submission]:
    if roster is None:
        return sorted(made, key=lambda one: same(one.learner))
    by_name = {one.learner: one for one in made}
    nothing = ("handed in nothing",)
    listed = [
        by_name.pop(person.shown, Submission(person.shown, {}, nothing, handed_in=False))
        for person in roster.people
    ]
    return [*listed, *sorted(by_name.values(), key=lambda one: same(one.learner))]


def _submission(
    learner: str, files: Sequence[tuple[File, Owner]], known: Sequence[Lab], roster: Roster | None
) -> Submission:
    notes: list[str] = []
    if roster and learner not in {person.shown for person in roster.people}:
        near = roster.nearest(learner)
        notes.append(f"not on the roster{f' (is it {near}?)' if near else ''}")
    notebooks = [(file, owner) for file, owner in files if file.suffix == ".ipynb"]
    pages = tuple(file for file, _ in files if file.suffix in _PAGES)
    taken: dict[str, list[tuple[File, Owner, Notebook, Lab]]] = {}
    for file, owner in sorted(notebooks, key=_age):
        try:
            notebook = read_notebook(file)
        except UnreadableError as error:
            notes.append(f"{_called(file, owner)} could not be read: {error}")
            continue
        labs = _labs_in(notebook["cells"], file, owner, known)
        if not labs:
            notes.append(f"{_called(file, owner)} has no exercise of a lab")
        for lab in labs:
            taken.setdefault(lab.stem, []).append((file, owner, notebook, lab))
    found: dict[str, Matched] = {}
    for stem, versions in taken.items():
        file, owner, notebook, lab = versions[-1]
        if older := [_called(one, its) for one, its, _, _ in versions[:-1]]:
            notes.append(
                f"{_called(file, owner)} is the newest {stem} and was taken; left out: "
                f"{_few(older)}"
            )
        if owner.late:
            notes.append(f"{stem}: late, as the platform marks it")
        try:
            found[stem] = match(lab.notebook["cells"], notebook["cells"])
        except (RecursionError, MemoryError):
            notes.append(f"{_called(file, owner)} could not be read: its code is nested too deeply")
    if not notebooks and not pages:
        notes.append("no notebook")
    if others := [_called(*one) for one in files if not _counts(one[0])]:
        notes.append(f"not read, since they are no notebooks: {_few(others)}")
    return Submission(learner, found, tuple(notes), pages)


def _age(one: tuple[File, Owner]) -> tuple[int, float, int, str]:
    """For sorting: the newest version last. A platform's number says more than the file's date."""
    file, owner = one
    return owner.attempt, file.time, copy_number(file.name), file.shown


def _called(file: File, owner: Owner) -> str:
    again = f" (resubmission {owner.attempt})" if owner.attempt else ""
    return f"{'/'.join((*owner.place, *owner.rest))}{again}"


def _labs_in(cells: Sequence[Cell], file: File, owner: Owner, known: Sequence[Lab]) -> list[Lab]:
    exercises = {number for cell in cells if (number := _exercise(cell))}
    return [
        lab
        for lab in known
        if exercises & set(lab.exercises)
        or (cells and any(name.startswith(lab.stem) for name in (file.name, owner.rest[-1])))
    ]


def _exercise(cell: Cell) -> str | None:
    """The exercise that a cell is for: by its mark, or by its id ("exercise-01-2")."""
    name = cell.get("id")
    if isinstance(name, str) and name.startswith("exercise-"):
        return name.removeprefix("exercise-").replace("-", ".", 1)
    return exercise_of(cell)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
