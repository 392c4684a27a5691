"""The programs that learners take home: which there are, what differs, and writing them."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.authoring.alone import run_alone
from helpers.authoring.editions import FOLDERS, source_path, stems
from helpers.authoring.program_text import Program, Walkthrough
from helpers.authoring.source import SourceError, read_source
from helpers.course.copies import write_whole
from helpers.course.home import PROGRAMS
from helpers.paths import ROOT

FOLDER = PROGRAMS.relative_to(ROOT).as_posix()
"""Where the programs lie, below the course's folder."""


def programs(root: Path) -> dict[str, Program]:
    """The programs that the walkthroughs below `root` make, by name.

    Raises:
        SourceError: a source breaks the format, or its marked cells make no program.
        MissingToolError: ruff or jupytext is not installed.
    """
    made: dict[str, Program] = {}
    for stem in stems(root / FOLDERS["walkthrough"][0], "*.py"):
        path = source_path(root, "walkthrough", stem)
        where = path.relative_to(root).as_posix()
        cells = read_source(path.read_text("utf-8"), where=where, solution=False)
        code = [cell for cell in cells if cell.kind == "code" and cell.only is None]
        for name in dict.fromkeys(cell.app for cell in code if cell.app):
            if name in made:
                raise SourceError(
                    f"{where}: {name} is made by {made[name].stem} already. Give the cells' app "
                    "another name; it can import from there."
                )
        made |= Walkthrough(where, stem, code, tuple(made.values())).programs()
    return made


def program_drift(root: Path) -> Iterator[str]:
    """Where the programs below `root` are not what the sources give, as sentences."""
    try:
        made = programs(root)
    except SourceError as error:
        yield str(error)
        return
    there = {
        path.relative_to(root / FOLDER).as_posix(): path
        for path in sorted((root / FOLDER).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    for name, program in made.items():
        if name not in there:
            yield f"{FOLDER}/{name} is missing: run `course build {program.stem}`."
        elif there[name].read_text("utf-8") != program.text:
            yield (
                f"{FOLDER}/{name} is not what {program.stem} gives: "
                f"run `course build {program.stem}`."
            )
    for name in sorted(there.keys() - made.keys()):
        yield f'{FOLDER}/{name} is left over: no cell has app="{name}". Delete it.'


def renew(root: Path, stem: str, *, say: Callable[[str], None]) -> list[Path]:
    """Write the programs of one walkthrough, where they differ from what is there.

    Raises:
        SourceError: the marked cells make no program, or one that cannot be imported.
        MissingToolError: ruff or jupytext is not installed.
    """
    made = programs(root)
    written: list[Path] = []
    for name, program in made.items():
        path = root / FOLDER / name
        if program.stem != stem or (path.exists() and path.read_text("utf-8") == program.text):
            continue
        if program.module:
            _imports_alone(program, made)
        write_whole(path, program.text.encode())
        say(f"wrote {FOLDER}/{name}")
        written.append(path)
    return written


def _imports_alone(program: Program, made: dict[str, Program]) -> None:
    with tempfile.TemporaryDirectory(prefix="course-program-") as folder:
        for other in made.values():
            if other.module:
                Path(folder, other.name).write_text(other.text, "utf-8")
        done = run_alone(f"import {program.module}", path=Path(folder), cwd=Path(folder))
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise SourceError(f"{program.stem}: {program.name} cannot be imported: {reason}")
