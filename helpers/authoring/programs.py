"""Make programs from the marked cells of walkthroughs: files of plain field libraries.

What `app="agent.py"` means to an author is described in `helpers.authoring`; `definitions` says
what is taken from a cell, and in which order.
"""

import ast
import builtins
import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from helpers.authoring.alone import run_alone
from helpers.authoring.definitions import (
    Definition,
    DefinitionError,
    Import,
    bindings,
    definitions,
    imports,
    in_order,
    last_of_each,
)
from helpers.authoring.editions import FOLDERS, source_path, stems
from helpers.authoring.source import (
    WRITEFILE,
    MissingToolError,
    SourceCell,
    SourceError,
    parse,
    read_source,
)
from helpers.course.copies import write_whole
from helpers.course.home import PROGRAMS, RUFF, header
from helpers.paths import ROOT

FOLDER = PROGRAMS.relative_to(ROOT).as_posix()
"""Where the programs lie, below the course's folder."""

_ALWAYS_THERE = {*dir(builtins), "__name__", "__file__", "__doc__"}


@dataclass(frozen=True)
class Program:
    """A file for the learner's own project, as the sources give it.

    `name` is its path in the project ("k8s/deployment.yaml"), `stem` that of its walkthrough, and
    `defines` the names that other programs can import from it.
    """

    name: str
    stem: str
    text: str
    defines: frozenset[str] = frozenset()

    @property
    def module(self) -> str:
        """The name under which other programs import it; empty where none can."""
        return self.name.removesuffix(".py") if self.name.endswith(".py") else ""


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
        made |= _Source(where, stem, code, tuple(made.values())).programs()
    return made


class _Source:
    """One walkthrough, and the programs of the walkthroughs before it."""

    def __init__(
        self, where: str, stem: str, cells: list[SourceCell], earlier: tuple[Program, ...]
    ) -> None:
        self.where, self.stem, self.cells = where, stem, cells
        self.defined: dict[str, list[Definition]] = {}
        for name in dict.fromkeys(cell.app for cell in cells if cell.app):
            if name.endswith(".py"):
                self.defined[name] = last_of_each(
                    found for cell in cells if cell.app == name for found in self._of_cell(cell)
                )
        self.bound = [bindings(parse(cell.source, f"{where}, cell {cell.id!r}")) for cell in cells]
        here = [
            Program(name, stem, "", frozenset(n for one in found for n in one.names))
            for name, found in self.defined.items()
        ]
        self.others = [*earlier, *here]

    def programs(self) -> dict[str, Program]:
        """What its marked cells make."""
        if not any(cell.app for cell in self.cells):
            return {}
        made: dict[str, Program] = {}
        for name in dict.fromkeys(cell.app for cell in self.cells if cell.app):
            text = header(self.where)
            text = self._python(name, text) if name in self.defined else text + self._file(name)
            names = frozenset(n for one in self.defined.get(name, []) for n in one.names)
            made[name] = Program(name, self.stem, text, names)
        return made

    def _error(self, cell: str, says: str) -> SourceError:
        return SourceError(f"{self.where}, cell {cell!r}: {says}.")

    def _of_cell(self, cell: SourceCell) -> list[Definition]:
        try:
            found = definitions(cell.source, cell.id)
            for each in imports(ast.parse(cell.source)):
                if each.module.split(".")[0] == "helpers":
                    raise DefinitionError(f"it imports `{each.name}` from helpers")
        except DefinitionError as error:
            raise self._error(cell.id, f"it cannot be part of {cell.app}: {error}") from None
        return found

    def _python(self, name: str, first: str) -> str:
        """A Python file: its first line, imports, then definitions, as ruff lays them out."""
        found = self.defined[name]
        own = {n for one in found for n in one.names}
        needed: dict[str, list[Import]] = {}
        for one in found:
            for used in sorted((one.now | one.later) - own):
                for each in self._found(name, one, used):
                    if each not in needed.setdefault(used, []):
                        needed[used].append(each)
        for several in needed.values():
            if len(several) > 1 and not all(each.original is None for each in several):
                lines = " and ".join(f"`{each.line()}`" for each in several)
                raise SourceError(f"{self.where}: {name} would need {lines}: rename one.")
        try:
            ordered = in_order(found)
        except DefinitionError as error:
            raise SourceError(f"{self.where}: in {name} {error}.") from None
        lines = [each.line() for several in needed.values() for each in several]
        text = "\n".join([first, *lines, "", *_joined(ordered)]) + "\n"
        modules = [one.module for one in self.others if one.module]
        return _laid_out(text, name, self.where, modules)

    def _found(self, program: str, one: Definition, used: str) -> list[Import]:
        """What `program` has to import for a name that it does not define; nothing for `len`."""
        here = next(i for i, cell in enumerate(self.cells) if cell.id == one.cell)
        nearest = [*range(here, -1, -1), *range(here + 1, len(self.cells))]
        for index in nearest:
            if used not in self.bound[index]:
                continue
            cell, imported = self.cells[index], self.bound[index][used]
            if imported:
                return [self._importable(program, one, cell, each) for each in imported]
            if cell.app and cell.app in self.defined:
                return [Import(used, cell.app.removesuffix(".py"), used)]
            raise self._error(
                one.cell,
                f"{program} uses `{used}`, which the unmarked cell {cell.id!r} makes. Take it as "
                f'an argument, or mark that cell app="{program}"',
            )
        if used in _ALWAYS_THERE:
            return []
        if others := self._others_with(program, used):
            return [Import(used, others[0], used)]
        raise self._error(one.cell, f"{program} uses `{used}`, which no cell makes")

    def _others_with(self, program: str, name: str) -> list[str]:
        """The modules of the other programs that define a name."""
        return [one.module for one in self.others if one.name != program and name in one.defines]

    def _importable(self, program: str, one: Definition, cell: SourceCell, each: Import) -> Import:
        """The same import where `helpers` is absent."""
        top, last = each.module.split(".")[0], each.module.split(".")[-1]
        if top in {other.module for other in self.others if other.module}:
            return each
        if top == "helpers":
            others = self._others_with(program, each.original or "")
            if last in others or len(others) == 1:
                module = last if last in others else others[0]
                return Import(each.name, module, each.original)
            several = f" Programs that have it: {', '.join(others)}." if others else ""
            raise self._error(
                one.cell,
                f"{program} uses `{each.name}`, which comes from helpers (cell {cell.id!r}). Take "
                f"it as an argument, or write it with the field's own library.{several}".rstrip(
                    "."
                ),
            )
        if top in sys.stdlib_module_names or top in _installed():
            return each
        raise self._error(
            one.cell,
            f"{program} uses `{each.name}` (cell {cell.id!r}), but `{each.module}` is no installed "
            "package",
        )

    def _file(self, name: str) -> str:
        """Any other file: what its cells write, as the notebook does."""
        text = ""
        for cell in self.cells:
            if cell.app == name and (file := WRITEFILE.match(cell.source)):
                body = cell.source.partition("\n")[2].rstrip("\n") + "\n"
                text = text + body if file["append"] else body
        if name.endswith((".yaml", ".yml")):
            try:
                list(yaml.safe_load_all(text))
            except yaml.YAMLError as error:
                reason = " ".join(str(error).split())
                raise SourceError(f"{self.where}: {name} is no valid YAML: {reason}") from None
        return text


def _joined(ordered: Sequence[Definition]) -> Iterator[str]:
    """Their texts, apart where they come from different cells; ruff does the rest."""
    for number, one in enumerate(ordered):
        if number and one.cell != ordered[number - 1].cell:
            yield ""
        yield one.text


@cache
def _installed() -> frozenset[str]:
    return frozenset(importlib.metadata.packages_distributions())


def _laid_out(text: str, name: str, where: str, modules: Sequence[str]) -> str:
    """The text with its imports sorted and its lines as ruff's formatter breaks them."""
    first_party = f"lint.isort.known-first-party = {sorted(modules)}"
    rules = ["--config", str(RUFF), "--config", first_party]
    file = ["--stdin-filename", f"programs/{name}", "-"]
    sorts = ["check", *rules, "--fix-only", "--select", "I,F401,RUF100", *file]
    tidy = _ruff(["format", *rules[:2], *file], _ruff(sorts, text).stdout).stdout
    found = _ruff(["check", *rules, "--output-format", "concise", *file], tidy)
    if found.returncode:
        fault = found.stdout.splitlines()[0] if found.stdout else found.stderr.strip()
        raise SourceError(f"{where}: the program does not pass ruff: {fault}")
    return tidy


def _ruff(words: Sequence[str], text: str) -> "subprocess.CompletedProcess[str]":
    if not importlib.util.find_spec("ruff"):
        raise MissingToolError(
            "Making programs needs ruff, which comes with the development packages: run `python3 "
            "-m helpers test` once, then build again."
        )
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words, "--no-cache"],
        input=text,
        cwd=RUFF.parent,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    return done


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
