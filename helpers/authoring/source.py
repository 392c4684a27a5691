"""Read a percent-format source and make the cells of its notebooks, not yet executed.

The format is described in `helpers.authoring`.
"""

import ast
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from IPython.core.inputtransformer2 import TransformerManager

from helpers.course.checked import exercise_reviewed

Edition = Literal["walkthrough", "lab", "solution"]

STEM = re.compile(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EXERCISE = re.compile(r"\d\d\.[1-9]\d*")
_CHECK = re.compile(r"(?:await )?check\(\s*[\"'](\d\d\.\d+)[\"']")
_REVIEW = re.compile(r"review\(\s*[\"'](\w+)[\"']\s*,\s*\w")  # without an answer it only shows
_LAB_LINE = re.compile(r"(?P<indent>\s*)# LAB:(?: (?P<code>.*))?$")
_BEGIN = re.compile(r"\s*# BEGIN SOLUTION\s*$")
_END = re.compile(r"\s*# END SOLUTION\s*$")
_ANY_MARK = re.compile(r"^\s*#\s*(LAB:|(BEGIN|END) SOLUTION)", re.MULTILINE)
_FOR_LINTERS = re.compile(r"\s+# (?:noqa|type: ignore)\b[^\n]*$", re.MULTILINE)
_LONGEST_ID = 64  # nbformat's limit

# What jupytext adds of its own; the rest of a cell's metadata is what the author wrote.
_JUPYTEXT_KEYS = {"lines_to_next_cell", "lines_to_end_of_cell_marker"}
_ATTRIBUTES = {"name", "tags", "exercise", "mend", "only", "app", "then", "needs"}

WRITEFILE = re.compile(r"%%writefile (?P<append>(?:-a|--append) )?(?P<path>\S+)\s*$", re.MULTILINE)
_PROGRAM = re.compile(
    r"[a-z]\w*\.py|[a-z][\w-]*\.ya?ml|Dockerfile|k8s/([a-z][\w-]*/)*[a-z][\w-]*\.ya?ml", re.ASCII
)
_OF_THE_PROJECT = {"main.py", "setup.py", "conftest.py"}  # `course new` writes them, or tools do


class SourceError(Exception):
    """A source breaks the format; the message names file and cell and says what to change."""


class MissingToolError(Exception):
    """A tool that only authors need is not installed; the message says how to get it."""


@dataclass(frozen=True)
class SourceCell:
    """One cell as the author wrote it.

    `id` is unique among the cells of one edition; `only` is None for a cell of every edition.
    `app` is the program that a cell of a walkthrough belongs to, such as "agent.py". `then` are the
    exercises that a workshop does at this note, and `needs` the headings of the earlier sections
    that they use.
    """

    id: str
    kind: Literal["code", "markdown"]
    source: str
    tags: tuple[str, ...] = ()
    exercise: str | None = None
    mend: bool = False
    only: Literal["lab", "solution", "instructor"] | None = None
    app: str | None = None
    then: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def read_source(text: str, *, where: str, solution: bool) -> list[SourceCell]:
    """The cells of one source.

    Args:
        text: the whole file.
        where: its path as messages name it; the file's stem gives the module's number.
        solution: True for a solution (exercises and marks allowed), False for a walkthrough.

    Raises:
        SourceError: the source breaks the format.
        MissingToolError: jupytext is not installed.
    """
    try:
        import jupytext  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingToolError(
            "Building notebooks needs jupytext, which comes with the development packages: "
            "run `python3 -m helpers test` once, then build again."
        ) from error
    notebook = jupytext.reads(text, fmt="py:percent")
    module = where.rsplit("/", 1)[-1][:2]
    cells = [
        _cell(raw, f"{where}, cell {number}", module, solution)
        for number, raw in enumerate(notebook.cells, start=1)
    ]
    if not cells:
        raise SourceError(f"{where} has no cells: begin one with `# %%`.")
    for edition in ("lab", "solution") if solution else ("walkthrough",):
        _unique((cell.id for cell in with_notes(cells, edition)), where)
    return cells


def cells_of(cells: Iterable[SourceCell], edition: Edition) -> list[SourceCell]:
    """The cells of one edition as learners get it, with the lines that each has there."""
    return [cell for cell in with_notes(cells, edition) if cell.only != "instructor"]


def with_notes(cells: Iterable[SourceCell], edition: Edition) -> list[SourceCell]:
    """The cells of one edition, and between them the instructor's own (`only="instructor"`)."""
    return [
        _in_edition(cell, edition) for cell in cells if cell.only in (None, edition, "instructor")
    ]


def _in_edition(cell: SourceCell, edition: Edition) -> SourceCell:
    if cell.kind == "markdown":
        return cell
    source = cell.source
    if cell.exercise is not None:
        source = _marked_lines(source, lab=edition == "lab")
    return replace(cell, source=_FOR_LINTERS.sub("", source))


def _marked_lines(source: str, *, lab: bool) -> str:
    """An exercise cell's lines in the lab, or in the solution, with every mark taken out."""
    lines: list[str] = []
    inside = False
    for line in source.splitlines():
        if _BEGIN.match(line):
            inside = True
        elif _END.match(line):
            inside = False
        elif mark := _LAB_LINE.match(line):
            if lab:
                lines.append((mark["indent"] + (mark["code"] or "")).rstrip())
        elif not (lab and inside):
            lines.append(line)
    return "\n".join(lines).strip("\n")


def _cell(raw: Any, where: str, module: str, solution: bool) -> SourceCell:
    found: dict[str, Any] = {k: v for k, v in raw.metadata.items() if k not in _JUPYTEXT_KEYS}
    if raw.cell_type not in ("code", "markdown"):
        raise SourceError(f"{where} is a {raw.cell_type} cell: use code or [markdown].")
    if strange := sorted(set(found) - _ATTRIBUTES):
        raise SourceError(
            f"{where} begins with something that is no attribute ({', '.join(strange)}). "
            'Write `# %% name="..."`; the keys are ' + ", ".join(sorted(_ATTRIBUTES)) + "."
        )
    if not raw.source.strip():
        raise SourceError(f"{where} is empty.")
    exercise = found.get("exercise")
    cell = SourceCell(
        id=_id_of(found.get("name"), exercise, raw.source, where),
        kind=raw.cell_type,
        source=_file_uncommented(raw.source.strip("\n")),
        tags=tuple(found.get("tags", ())),
        exercise=exercise,
        mend=bool(found.get("mend", False)),
        only=found.get("only"),
        app=found.get("app"),
        then=tuple(str(found.get("then", "")).split()),
        needs=tuple(filter(None, str(found.get("needs", "")).split("; "))),
    )
    where = f"{where} ({cell.id})"
    if not solution and (cell.exercise or cell.mend or cell.only in ("lab", "solution")):
        raise SourceError(
            f"{where}: exercise, mend and only belong to solutions; a walkthrough has only "
            'only="instructor".'
        )
    if cell.only not in (None, "lab", "solution", "instructor"):
        choices = '"lab", "solution" or "instructor"' if solution else '"instructor"'
        raise SourceError(f'{where}: only="{cell.only}" should be {choices}.')
    if cell.app is not None:
        _valid_program(cell, where, solution)
    if "then" in found and (
        solution
        or cell.only != "instructor"
        or not cell.then
        or not all(_EXERCISE.fullmatch(one) and one[:2] == module for one in cell.then)
    ):
        raise SourceError(
            f"{where}: then belongs to an instructor's note in a walkthrough, and names exercises "
            f'of this module: then="{module}.1 {module}.2".'
        )
    if "needs" in found and not (cell.then and cell.needs):
        raise SourceError(
            f"{where}: needs belongs to a note with then, and names the headings of earlier "
            'sections: needs="What is an agent?; What does it remember?".'
        )
    if any(tag != tag.lower() for tag in cell.tags):
        raise SourceError(f"{where}: tags are lower-case; the tools ignore any other.")
    if cell.exercise is None:
        if cell.mend:
            raise SourceError(f"{where}: mend=true belongs to an exercise cell.")
        if _ANY_MARK.search(cell.source):
            raise SourceError(f'{where} has a solution mark, but no exercise="{module}.N".')
    else:
        _valid_exercise(cell, where, module)
    if cell.kind == "code":
        for edition in ("lab", "solution") if solution else ("walkthrough",):
            parse(_in_edition(cell, edition).source, f"{where}, as {edition}")
    return cell


def _valid_program(cell: SourceCell, where: str, solution: bool) -> None:
    """Check what `app` names, and that the cell can be part of it."""
    app = str(cell.app)
    if solution:
        raise SourceError(f"{where}: app belongs to walkthroughs, whose cells make the programs.")
    if cell.kind != "code" or cell.only is not None:
        raise SourceError(f"{where}: app belongs to a code cell that every learner gets.")
    if not _PROGRAM.fullmatch(app):
        raise SourceError(
            f'{where}: app="{app}" is no program\'s name. Write a plain name in lower case that '
            'ends in .py, .yaml or .yml ("agent.py"), "Dockerfile", or "k8s/deployment.yaml" for a '
            "file in that folder."
        )
    if app in _OF_THE_PROJECT or app.removesuffix(".py") in sys.stdlib_module_names:
        raise SourceError(
            f'{where}: app="{app}" is a name that Python or the project needs itself.'
        )
    file = WRITEFILE.match(cell.source)
    if app.endswith(".py"):
        if cell.source.startswith("%%"):
            raise SourceError(
                f"{where}: a cell of {app} is plain Python: leave its first line out, "
                f"{cell.source.splitlines()[0]!r}."
            )
    elif not file or file["path"].rsplit("/", 1)[-1] != app.rsplit("/", 1)[-1]:
        raise SourceError(f"{where}: begin a cell of {app} with `# %%writefile {app}`.")


def _file_uncommented(source: str) -> str:
    """The text that a `%%writefile` cell writes; in the source each of its lines is a comment."""
    first, *body = source.splitlines()
    if not WRITEFILE.match(first) or not all(line.startswith("#") for line in body if line):
        return source
    return "\n".join([first, *(re.sub("^# ?", "", line) for line in body)])


def _id_of(name: str | None, exercise: str | None, source: str, where: str) -> str:
    if exercise is not None:
        if name is not None:
            raise SourceError(f"{where}: an exercise cell gets its name from the exercise.")
        return f"exercise-{exercise.replace('.', '-')}"
    if name is None:
        if called := _CHECK.match(source):
            return f"check-{called[1].replace('.', '-')}"
        if (asked := _REVIEW.match(source)) and (number := exercise_reviewed(asked[1])):
            return f"check-{number.replace('.', '-')}"
        raise SourceError(f'{where} has no name: write name="..." after its `# %%`.')
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_ID:
        raise SourceError(
            f"{where}: {name!r} is not a name. Use lower-case letters, digits and single hyphens, "
            f"at most {_LONGEST_ID}."
        )
    return name


def _valid_exercise(cell: SourceCell, where: str, module: str) -> None:
    exercise = cell.exercise or ""
    if cell.kind != "code" or cell.only is not None:
        raise SourceError(f"{where}: an exercise is a code cell of both lab and solution.")
    if not _EXERCISE.fullmatch(exercise) or exercise[:2] != module:
        raise SourceError(f"{where}: an exercise of this module is called {module}.1, {module}.2.")
    inside = False
    blocks = 0
    for line in cell.source.splitlines():
        if _BEGIN.match(line) or _END.match(line):
            if inside == bool(_BEGIN.match(line)):
                raise SourceError(f"{where}: BEGIN SOLUTION and END SOLUTION do not pair up.")
            inside = not inside
            blocks += inside
        elif _LAB_LINE.match(line):
            if inside:
                raise SourceError(f"{where}: a LAB line stands inside a solution block.")
        elif _ANY_MARK.match(line):
            raise SourceError(f"{where}: {line.strip()!r} is not a mark; see `helpers.authoring`.")
    if inside:
        raise SourceError(f"{where}: BEGIN SOLUTION has no END SOLUTION.")
    if not blocks:
        raise SourceError(f"{where} marks nothing as solution, so the lab would give it away.")
    if not cell.mend and not _uses_todo(_marked_lines(cell.source, lab=True), f"{where}, as lab"):
        raise SourceError(
            f"{where} shows no TODO in the lab: add a line such as `# LAB: return TODO`, "
            "or mend=true where the learner mends given code."
        )
    if _uses_todo(_marked_lines(cell.source, lab=False), f"{where}, as solution"):
        raise SourceError(f"{where} still has a TODO in the solution.")


def _uses_todo(source: str, where: str) -> bool:
    tree = parse(source, where)
    return any(isinstance(node, ast.Name) and node.id == "TODO" for node in ast.walk(tree))


def parse(source: str, where: str) -> ast.Module:
    """The syntax tree of a cell as IPython would run it: magics and top-level `await` allowed.

    Raises:
        SourceError: it is no valid Python; the message begins with `where`.
    """
    try:
        code = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree = compile(code, where, "exec", flags=flags)
    except SyntaxError as error:
        raise SourceError(
            f"{where}: line {error.lineno} is not valid Python: {error.msg}."
        ) from None
    assert isinstance(tree, ast.Module)
    return tree


def _unique(ids: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for cell_id in ids:
        if cell_id in seen:
            raise SourceError(f"{where} has two cells called {cell_id!r}: rename one.")
        seen.add(cell_id)
