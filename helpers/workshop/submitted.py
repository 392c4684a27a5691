"""The submissions: whose each file is, and which version of a lab counts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from helpers.course.cells import Cell, Notebook, exercise_of
from helpers.review.exported import MOST_BYTES as MOST_PAGE_BYTES
from helpers.review.exported import is_export
from helpers.workshop.files import File, UnreadableError, gather
from helpers.workshop.labs import GradeError, Lab
from helpers.workshop.matching import Matched, match
from helpers.workshop.notebooks import read_notebook
from helpers.workshop.platforms import Owner, copy_number, owners, same
from helpers.workshop.roster import Person, Roster

UNREADABLE = "not readable"
OTHER_LAB = "another lab"
NO_LAB = "no exercise of a lab"
NO_NOTEBOOK = "no notebook"

_PAGES = (".html", ".htm")
_MOST_NAMED = 4


@dataclass(frozen=True)
class Submission:
    """One learner's notebooks: lab -> what is graded of it; `pages` are HTML files beside them.

    `private` are notes for the instructor alone: they may name other people. `handed_in` is False
    where nothing came from a learner of the roster; `person` is who that is, or None. `late` are
    the labs that the platform marks so. `instead` says what is there where there is no lab to
    grade: one of `UNREADABLE`, `OTHER_LAB`, `NO_LAB` and `NO_NOTEBOOK`.
    """

    learner: str
    labs: dict[str, Matched]
    notes: tuple[str, ...]
    pages: tuple[File, ...] = ()
    handed_in: bool = True
    private: tuple[str, ...] = ()
    person: Person | None = None
    late: frozenset[str] = frozenset()
    instead: str = NO_NOTEBOOK

    @property
    def answers(self) -> dict[str, dict[str, str]]:
        """Lab -> exercise -> the source that is graded."""
        return {stem: matched.answers for stem, matched in self.labs.items()}


@dataclass(frozen=True)
class Handed:
    """All submissions, in the order of the table, and notes on files that belong to nobody."""

    submissions: tuple[Submission, ...]
    notes: tuple[str, ...] = ()


def handed_in(
    folder: Path,
    known: Iterable[Lab],
    *,
    roster: Roster | None = None,
    wanted: Iterable[str] | None = None,
) -> Handed:
    """Every learner's submission.

    Notebooks under the labs' own names that lie in the folder itself are one learner's, as in a
    folder of solved labs.

    Args:
        folder: what was handed in: a folder, or a zip file.
        known: the labs.
        roster: the class; without it the learners are those who handed something in.
        wanted: which labs are graded (their stems); the others are named where they were handed
            in. All for None.

    Raises:
        GradeError: there is no such folder, or no notebook in it.
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
        gathered.zips,
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
        unread = [f"{file.shown}: {why}" for file in gathered.files if (why := _zip_fault(file))]
        raise GradeError(
            f"There are no notebooks in {folder}, and no exported answers. It should contain a "
            "sub-folder, a zip or a notebook for each learner."
            + (f" Not readable: {_few(unread)}." if unread else "")
        )
    if any(len(one) == 1 and _stem(one[0]) in {lab.stem for lab in labs} for one in whose):
        # A folder of labs, as the course's own: what is beside them is no learner's.
        for name in idle:
            unowned.append(f"{name} has no notebook")
            del learners[name]
    stems = {lab.stem for lab in labs} if wanted is None else set(wanted)
    made = [_submission(learner, found, labs, stems, roster) for learner, found in learners.items()]
    return Handed(tuple(_in_order(made, roster)), (*gathered.notes, *unowned))


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
            unowned.append(f"{file.shown} is not a submission and was not read")
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
    if file.suffix in (".ipynb", ".zip"):  # a zip that is still one file cannot be read
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
        by_name.pop(
            person.shown,
            Submission(person.shown, {}, nothing, handed_in=False, person=person),
        )
        for person in roster.people
    ]
    return [*listed, *sorted(by_name.values(), key=lambda one: same(one.learner))]


def _submission(
    learner: str,
    files: Sequence[tuple[File, Owner]],
    known: Sequence[Lab],
    wanted: Collection[str],
    roster: Roster | None,
) -> Submission:
    notes: list[str] = []
    private: list[str] = []
    person = None
    if roster:
        person = next((one for one in roster.people if one.shown == learner), None)
        near = roster.nearest(learner)
        if person is None:
            private.append(f"not on the roster{f' (is it {near}?)' if near else ''}")
    pages = tuple(file for file, _ in files if file.suffix in _PAGES)
    taken: dict[str, list[tuple[File, Owner, Notebook, Lab]]] = {}
    instead = NO_NOTEBOOK
    for file, owner in sorted(files, key=_age):
        if why := _zip_fault(file):
            notes.append(f"{_called(file, owner)} could not be read: {why}")
            instead = UNREADABLE
        if file.suffix != ".ipynb":
            continue
        try:
            notebook = read_notebook(file)
        except UnreadableError as error:
            notes.append(f"{_called(file, owner)} could not be read: {error}")
            instead = UNREADABLE
            continue
        labs = _labs_in(notebook["cells"], file, owner, known)
        here = [lab for lab in labs if lab.stem in wanted]
        for lab in here:
            taken.setdefault(lab.stem, []).append((file, owner, notebook, lab))
        if here:
            continue
        if labs:
            numbers = ", ".join(lab.module for lab in labs)
            notes.append(f"{_called(file, owner)} is lab {numbers}, which is not graded here")
        else:
            notes.append(f"{_called(file, owner)} contains no exercise of a lab")
        if instead != UNREADABLE:
            instead = OTHER_LAB if labs or instead == OTHER_LAB else NO_LAB
    found: dict[str, Matched] = {}
    late = set()
    for stem, versions in taken.items():
        file, owner, notebook, lab = versions[-1]
        if older := [_dated(one) for one, *_ in versions[:-1]]:
            notes.append(
                f"{_dated(file)} is the newest {stem} and was graded; left out: {_few(older)}"
            )
        if owner.late:
            late.add(stem)
            notes.append(f"{stem}: marked late by the platform")
        try:
            found[stem] = match(lab.notebook["cells"], notebook["cells"])
        except (RecursionError, MemoryError):
            notes.append(f"{_called(file, owner)} could not be read: its code is nested too deeply")
            instead = UNREADABLE
    if instead == NO_NOTEBOOK and not taken and not pages:
        notes.append("no notebook")
    if others := [_called(*one) for one in files if not _counts(one[0]) and not _zip_fault(one[0])]:
        notes.append(f"not read, because they are not notebooks: {_few(others)}")
    return Submission(
        learner,
        found,
        tuple(notes),
        pages,
        private=tuple(private),
        person=person,
        late=frozenset(late),
        instead=instead,
    )


def _zip_fault(file: File) -> str:
    """Why a zip cannot be read; else "". Zips that can be read are folders here, not files."""
    if file.suffix != ".zip":
        return ""
    try:
        file.read()
    except UnreadableError as error:
        return str(error)
    return ""


def _age(one: tuple[File, Owner]) -> tuple[int, float, int, str]:
    """For sorting: the newest version last. A platform's number says more than the file's date."""
    file, owner = one
    return owner.attempt, file.time, copy_number(file.name), file.shown


def _dated(file: File) -> str:
    """A version of a lab: where it is and when it was changed, where that is known."""
    when = f" ({datetime.fromtimestamp(file.time):%Y-%m-%d %H:%M:%S})" if file.time else ""
    return f"{file.shown}{when}"


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
