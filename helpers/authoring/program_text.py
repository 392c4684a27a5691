"""The text of a program: what the marked cells of one walkthrough make.

What `app="agent.py"` means to an author is described in `helpers.authoring`; `definitions` says
what is taken from a cell, and in which order.
"""

import ast
import builtins
import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import yaml

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
from helpers.authoring.source import WRITEFILE, MissingToolError, SourceCell, SourceError, parse
from helpers.course.home import RUFF, header

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


class Walkthrough:
    """The code cells of one walkthrough, and the programs of the walkthroughs before it.

    Raises:
        SourceError: a marked cell cannot be part of its program.
    """

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
        """What its marked cells make, by name.

        Raises:
            SourceError: a program needs what only the notebook has, or does not pass ruff.
            MissingToolError: ruff is not installed.
        """
        made: dict[str, Program] = {}
        for name in dict.fromkeys(cell.app for cell in self.cells if cell.app):
            text = self._python(name) if name in self.defined else self._file(name)
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

    def _python(self, name: str) -> str:
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
        imported = [each.line() for several in needed.values() for each in several]
        text = "\n".join([header(self.where), *imported, "", *_joined(ordered)]) + "\n"
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
        if len(others := self._others_with(program, used)) == 1:
            return [Import(used, others[0], used)]
        several = f" in this notebook; import it from one of {', '.join(others)}" if others else ""
        raise self._error(one.cell, f"{program} uses `{used}`, which no cell makes{several}")

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
            instead = "write it with the field's own library"
            if others:
                instead = f"import it from one of the programs {', '.join(others)}"
            raise self._error(
                one.cell,
                f"{program} uses `{each.name}`, which comes from helpers (cell {cell.id!r}). Take "
                f"it as an argument, or {instead}",
            )
        if top in sys.stdlib_module_names or top in _installed():
            return each
        raise self._error(
            one.cell,
            f"{program} uses `{each.name}` (cell {cell.id!r}), but `{each.module}` is no installed "
            "package",
        )

    def _file(self, name: str) -> str:
        """Any other file: its first line, then what its cells write, as the notebook does."""
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
        return header(self.where) + text


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
