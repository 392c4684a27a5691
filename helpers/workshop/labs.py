"""What is graded: the course's labs, fresh, and the notebooks that were submitted."""

import ast
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.course.cells import Cell, NotANotebookError, Notebook, exercise_of, parse
from helpers.course.checkout import Checkout, CheckoutError

_MOST_BYTES = 50 << 20  # of a submitted notebook
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "workshop", "authoring", "*.pyc")


class GradeError(Exception):
    """Nothing can be graded; the message says why."""


@dataclass(frozen=True)
class Step:
    """One code cell of a lab: the learner's to fill, or the lab's own with the check it runs.

    `imports` are the names that the lab's own cells up to this one have from the course's package:
    variable -> (module, name).
    """

    source: str
    exercise: str | None
    checks: str | None
    imports: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Lab:
    """A lab as the course ships it."""

    stem: str
    notebook: Notebook

    @property
    def module(self) -> str:
        """The number of its module."""
        return self.stem[:2]

    @property
    def exercises(self) -> list[str]:
        """The numbers of its exercises, in order."""
        return [number for cell in self.notebook["cells"] if (number := exercise_of(cell))]

    def steps(self, answers: dict[str, str]) -> list[Step]:
        """The lab's code cells, in order, with these sources in its exercise cells."""
        made = []
        imports: dict[str, tuple[str, str]] = {}
        for cell in self.notebook["cells"]:
            if cell["cell_type"] != "code":
                continue
            exercise = exercise_of(cell)
            if exercise:
                made.append(
                    Step(answers.get(exercise, cell["source"]), exercise, None, dict(imports))
                )
                continue
            imports.update(_imports(cell["source"]))
            made.append(Step(cell["source"], None, _checked(cell["source"]), dict(imports)))
        return made


@dataclass(frozen=True)
class Submission:
    """One learner's notebooks: lab -> exercise -> what stands in its cell."""

    learner: str
    answers: dict[str, dict[str, str]]
    notes: tuple[str, ...]


def labs(course: Path) -> list[Lab]:
    """The labs of the newest commit; of the folder where it is no clone.

    Raises:
        GradeError: there are none.
    """
    found = []
    for name, content in _lab_files(course):
        try:
            found.append(Lab(Path(name).stem, parse(content)))
        except NotANotebookError as error:
            raise GradeError(f"{name} is not a notebook: {error}") from None
    if not found:
        raise GradeError(f"There are no labs in {course / 'labs'}.")
    return sorted(found, key=lambda lab: lab.stem)


def _lab_files(course: Path) -> Iterator[tuple[str, bytes]]:
    try:
        checkout = Checkout.at(course)
    except CheckoutError:
        for file in (course / "labs").glob("*.ipynb"):
            yield file.name, file.read_bytes()
        return
    for path in checkout.files("HEAD", "labs/"):
        if path.endswith(".ipynb") and path.count("/") == 1:
            content = checkout.content("HEAD", path)
            assert content is not None, path  # it was listed from this commit
            yield path, content


def copy_course(course: Path, target: Path, stem: str) -> None:
    """What a lab needs of the course: the package and the lab's own files, never solutions."""
    shutil.copytree(course / "helpers", target / "helpers", ignore=_LEFT_OUT)
    (target / "labs").mkdir()
    if (course / "labs" / stem).is_dir():
        shutil.copytree(course / "labs" / stem, target / "labs" / stem)


def submissions(folder: Path, known: Iterable[Lab]) -> list[Submission]:
    """Every learner's submission: a sub-folder of notebooks, or one notebook.

    Raises:
        GradeError: there is no such folder, or no notebook in it.
    """
    if not folder.is_dir():
        raise GradeError(f"There is no folder {folder}.")
    learners: dict[str, list[Path]] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            learners[entry.name] = sorted(
                file
                for file in entry.rglob("*.ipynb")
                if ".ipynb_checkpoints" not in file.parts and file.is_file()
            )
        elif entry.suffix == ".ipynb":
            learners.setdefault(entry.stem, []).append(entry)
    if not any(learners.values()):
        raise GradeError(
            f"There are no notebooks in {folder}. It should have a sub-folder, or a notebook, for "
            "each learner."
        )
    by_exercise = {exercise: lab for lab in known for exercise in lab.exercises}
    return [_submission(learner, files, by_exercise) for learner, files in learners.items()]


def _submission(learner: str, files: list[Path], known: dict[str, Lab]) -> Submission:
    answers: dict[str, dict[str, str]] = {}
    notes = []
    # Where a learner has handed in a lab twice, the newer one counts.
    for file in sorted(files, key=lambda file: file.stat().st_mtime):
        try:
            if file.stat().st_size > _MOST_BYTES:
                raise NotANotebookError(f"it is larger than {_MOST_BYTES >> 20} MB")
            found = _answers(parse(file.read_bytes()))
        except (NotANotebookError, OSError) as error:
            notes.append(f"{file.name} could not be read: {error}")
            continue
        stems = {known[exercise].stem for exercise in found if exercise in known}
        if not stems:
            notes.append(f"{file.name} has no exercise of a lab")
        for stem in stems:
            if stem in answers:
                notes.append(f"{file.name} is newer than another {stem} and was taken")
            answers[stem] = {
                exercise: source
                for exercise, source in found.items()
                if exercise in known and known[exercise].stem == stem
            }
    if not files:
        notes.append("no notebook")
    return Submission(learner, answers, tuple(notes))


def _answers(notebook: Notebook) -> dict[str, str]:
    """Exercise -> its cell's source: the cell with the lab's own id, or else the first marked."""
    marked: dict[str, str] = {}
    own: dict[str, str] = {}
    for cell in notebook["cells"]:
        if cell.get("cell_type") != "code":
            continue
        if number := _exercise_of_id(cell):
            own.setdefault(number, cell["source"])
        elif number := exercise_of(cell):
            marked.setdefault(number, cell["source"])
    return {**marked, **own}


def _exercise_of_id(cell: Cell) -> str | None:
    """The exercise that a cell's id names: "01.2" of "exercise-01-2"."""
    name = cell.get("id")
    if not isinstance(name, str) or not name.startswith("exercise-"):
        return None
    return name.removeprefix("exercise-").replace("-", ".", 1)


def _imports(source: str) -> dict[str, tuple[str, str]]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a cell with IPython's own syntax
        return {}
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.module.split(".")[0] == "helpers"
        for alias in node.names
    }


def _checked(source: str) -> str | None:
    """The exercise whose check this cell runs."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "check"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            return node.args[0].value
    return None
