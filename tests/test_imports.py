"""Every import of package, notebooks and tests is declared, and none is of a private name."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.authoring.cells import code_cells
from helpers.authoring.editions import FOLDERS, generate, stems
from helpers.paths import ROOT

SOURCES = ["notebooks/src", "solutions/src"]
OWN = {"helpers", "tests"}
# Functions that take the dotted name of something by which it is imported or found.
BY_NAME = {"import_module", "patch", "getLogger", "setattr"}


def deptry(folder: Path, *words: str, root: Path = ROOT) -> list[str]:
    """What deptry finds, as sentences."""
    report = folder / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "deptry", *words, "--no-ansi", "--json-output", str(report)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return [
        f"{found['location']['file']}:{found['location']['line']}: {found['error']['message']}"
        for found in json.loads(report.read_text("utf-8"))
    ]


def test_what_learners_import_is_declared_and_what_is_declared_is_used(tmp_path: Path) -> None:
    found = deptry(tmp_path, "helpers", *SOURCES)
    assert not found, "\n".join(found)


def test_what_the_tests_import_is_declared(tmp_path: Path) -> None:
    # Modules beside a test are imported by their own name, so each folder is a root.
    folders = {file.parent.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("*.py")}
    # Tests may use both lists, and need not use all of them.
    found = deptry(tmp_path, *sorted(folders), "--ignore", "DEP002,DEP004")
    assert not found, "\n".join(found)


def test_an_import_that_is_not_declared_is_found(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\ndependencies = ["pytest"]\n'
    )
    (tmp_path / "a.py").write_text("import pytest\nimport pluggy\nimport nothing_like_it\n")
    found = deptry(tmp_path, ".", root=tmp_path)
    assert len(found) == 2
    assert "'pluggy' imported but it is a transitive dependency" in found[0] + found[1]


def private_imports(tree: ast.AST, *, package: bool) -> Iterator[str]:
    """The private names that a file takes from elsewhere.

    Args:
        package: whether the file is the course's package, which may not reach into a private name
            of its own by way of the module either; a test may, of the module it is about.
    """
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        paths: list[str] = []
        if isinstance(node, ast.Import):
            paths = [alias.name for alias in node.names]
            modules |= {a.asname or a.name.split(".")[0]: a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            paths = [f"{node.module or ''}.{alias.name}" for alias in node.names]
            modules |= {
                alias.asname or alias.name: path
                for alias, path in zip(node.names, paths, strict=True)
                if not alias.name[0].isupper()
            }
        elif isinstance(node, ast.Call) and _called(node) in BY_NAME and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                paths = [first.value] if first.value.split(".")[0] not in OWN else []
        yield from filter(_private, paths)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and _hidden(node.attr)
            and (module := modules.get(node.value.id))
            and module.split(".")[0] not in sys.stdlib_module_names
            and (package or module.split(".")[0] not in OWN)
        ):
            yield f"{module}.{node.attr}"


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _private(path: str) -> bool:
    parts = path.split(".")
    return parts[0] not in sys.stdlib_module_names and any(map(_hidden, parts))


def _hidden(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


@pytest.mark.parametrize(
    ("code", "private"),
    [
        ("from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker", True),
        ("import langsmith._internal._multipart", True),
        ("from helpers.course.quiz import _Live", True),
        ("def f():\n    from x import _y", True),
        ("if TYPE_CHECKING:\n    from x._y import Z", True),
        ("from . import _y", True),
        ("import langsmith\nlangsmith._internal", True),
        ("from langsmith import evaluation\nevaluation._runner.evaluate", True),
        ("patch('langsmith.evaluation._runner._load_tqdm')", True),
        ("importlib.import_module('ray._private.utils')", True),
        ("from __future__ import annotations", False),
        ("import purgatory\npurgatory.__version__", False),
        ("from langsmith import Client\nClient._x", False),
        ("import sys\nsys._getframe()", False),
        ("self._own = 1", False),
        ("patch('tqdm.auto.tqdm')", False),
    ],
)
def test_the_search_for_private_names_itself(code: str, private: bool) -> None:
    assert bool(list(private_imports(ast.parse(code), package=True))) is private


def test_a_test_may_look_into_the_module_that_it_is_about() -> None:
    code = "from helpers.course import progress\nprogress._Memory"
    assert list(private_imports(ast.parse(code), package=False)) == []
    assert list(private_imports(ast.parse(code), package=True)) == [
        "helpers.course.progress._Memory"
    ]


@pytest.mark.parametrize("folder", ["helpers", "tests"])
def test_no_file_imports_a_private_name(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in private_imports(ast.parse(path.read_text("utf-8")), package=folder == "helpers")
    ]
    assert not found, "\n".join(found)


def test_no_notebook_imports_a_private_name() -> None:
    found = [
        f"{edition} {stem}: {name}"
        for edition, (folder, _) in FOLDERS.items()
        for stem in stems(ROOT / folder, "*.py")
        for cell in code_cells(generate(ROOT, edition, stem))
        for name in private_imports(cell.tree, package=True)
    ]
    assert not found, "\n".join(found)
