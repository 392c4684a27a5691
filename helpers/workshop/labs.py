"""The course's labs, fresh: their cells, their solutions, and the folder that they run in."""

import ast
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.course.cells import NotANotebookError, Notebook, exercise_of, parse
from helpers.course.checkout import Checkout, CheckoutError
from helpers.workshop.matching import Matched, OwnCell, checked_by, first_line, match

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "workshop", "authoring", "*.pyc")


class GradeError(Exception):
    """Nothing can be graded; the message says why."""


@dataclass(frozen=True)
class Step:
    """One code cell: the learner's, or the lab's own with the check that it runs.

    `name` is what messages call it. `exercise` is the one that a learner's cell is for (a cell of
    their own may be for several: then the first). `imports` are the names that the lab's own cells
    up to this one have from the course's package: variable -> (module, name).
    """

    name: str
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

    @property
    def given(self) -> dict[str, str]:
        """Exercise -> what its cell contains before the learner fills it."""
        cells = self.notebook["cells"]
        return {number: cell["source"] for cell in cells if (number := exercise_of(cell))}

    @property
    def titles(self) -> dict[str, str]:
        """Exercise -> the heading above its cell, without its number; "" where there is none."""
        found, title = {}, ""
        for cell in self.notebook["cells"]:
            if number := exercise_of(cell):
                found[number] = title
            elif cell["cell_type"] == "markdown":
                heads = re.findall(r"^#{1,6} +(.+?) *#*$", cell["source"], re.MULTILINE)
                title = re.sub(r"^[\d.]+ +|[`*]", "", heads[-1]) if heads else title
        return found

    def steps(self, answers: Mapping[str, str], own: Sequence[OwnCell] = ()) -> list[Step]:
        """The lab's code cells, in order, with these answers and cells of the learner's own."""
        imports: dict[str, tuple[str, str]] = {}

        def owned(after: str) -> Iterator[Step]:
            for one in own:
                if one.after == after:
                    name = f"the learner's own cell {first_line(one.source)}"
                    yield Step(name, one.source, one.exercises[0], None, dict(imports))

        made = [*owned("")]
        for cell in self.notebook["cells"]:
            if cell["cell_type"] != "code":
                continue
            source, exercise = cell["source"], exercise_of(cell)
            if exercise:
                answer = answers.get(exercise, source)
                made.append(Step("its cell", answer, exercise, None, dict(imports)))
            else:
                imports.update(_imports(source))
                checks = checked_by(source)
                name = "its check" if checks else f"the lab's own cell {cell.get('id')}"
                made.append(Step(name, source, None, checks, dict(imports)))
            made += owned(str(cell.get("id")))
        return made


def labs(course: Path) -> list[Lab]:
    """The labs of the newest commit, or of the folder where it is not a clone.

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
    """What a lab needs of the course: all but solutions, other labs, notebooks and tests.

    The figures that are stored as JSON beside a solution are copied: they are not answers, and lab
    12 cites them.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in _top_level(course):
        shutil.copy2(course / name, target / name)
    shutil.copytree(course / "helpers", target / "helpers", ignore=_LEFT_OUT)
    (target / "labs").mkdir()
    if (course / "labs" / stem).is_dir():
        shutil.copytree(course / "labs" / stem, target / "labs" / stem)
    for file in (course / "solutions" / stem).rglob("*.json"):
        there = target / file.relative_to(course)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, there)


def _top_level(course: Path) -> list[str]:
    """The course's own files beside its folders; where git cannot tell them, those not hidden."""
    try:
        names = [path for path in Checkout.at(course).files("HEAD") if "/" not in path]
    except CheckoutError:
        names = [path.name for path in course.iterdir() if not path.name.startswith(".")]
    return [name for name in names if (course / name).is_file()]


def solution(course: Path, lab: Lab) -> Matched | None:
    """The course's own answers to a lab; None where the course is there without them."""
    path = f"solutions/{lab.stem}.ipynb"
    try:
        content = Checkout.at(course).content("HEAD", path)
    except CheckoutError:
        content = (course / path).read_bytes() if (course / path).is_file() else None
    if content is None:
        return None
    try:
        return match(lab.notebook["cells"], parse(content)["cells"])
    except NotANotebookError:
        return None


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
