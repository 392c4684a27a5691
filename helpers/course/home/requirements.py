"""Which packages a project's files import, with the versions that the course was tested with."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from packaging.version import Version

from helpers.paths import ROOT

TOOLS = ("mypy", "ruff")
"""What a project's CI runs beside its tests."""

# What a call imports by name: `init_chat_model("openai:...")`, the model that README begins with.
_BY_NAME = {"init_chat_model": "langchain_openai", "init_embeddings": "langchain_openai"}

# What a module takes from a package that it does not import: Ray Data reads and writes by pyarrow.
_BENEATH = {"ray.data": "pyarrow"}

# Packages whose parts are extras, with those that the programs use.
_PARTS = {"ray": "ray[serve]"}

_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([\w.+!-]+)", re.MULTILINE)


def imported(text: str) -> Iterator[str]:
    """The top-level modules that a Python file needs, Python's own left out."""
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names = [_BY_NAME[node.func.id]] if node.func.id in _BY_NAME else []
        names += [_BENEATH[name] for name in names if name in _BENEATH]
        yield from (
            top for name in names if (top := name.split(".")[0]) not in sys.stdlib_module_names
        )


def packages(modules: Iterable[str]) -> set[str]:
    """The packages that bring these modules; of one that is not installed, nothing."""
    where = _distributions()
    return {_plain(name) for module in modules for name in where.get(module, ())}


def installed(module: str) -> bool:
    """Whether a package of this environment brings a top-level module."""
    return module in _distributions()


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def bounded(names: Iterable[str], *, root: Path = ROOT) -> list[str]:
    """Requirements on these packages: at least the lock's version, below the next incompatible one.

    That is the next major version, or the next minor one of a package that is still at 0.

    Raises:
        LookupError: neither lock has the package.
    """
    pins: dict[str, list[str]] = {}
    for lock in ("requirements.lock", "requirements-dev.lock"):
        for name, version in _PIN.findall((root / lock).read_text("utf-8")):
            pins.setdefault(_plain(name), []).append(version)
    wanted = sorted({_plain(name) for name in names})
    if missing := [name for name in wanted if name not in pins]:
        raise LookupError(f"the course's locks do not have {', '.join(missing)}")
    return [
        f"{_PARTS.get(name, name)}>={pins[name][0]},<{_next(pins[name][-1])}" for name in wanted
    ]


def _next(version: str) -> str:
    found = Version(version)
    epoch = f"{found.epoch}!" if found.epoch else ""
    return epoch + (f"{found.major + 1}" if found.major else f"0.{found.minor + 1}")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
