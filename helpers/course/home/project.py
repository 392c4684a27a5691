"""Write a project of the learner's own: `course new`."""

import ast
import contextlib
import os
import re
import shlex
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from helpers.course.home import PROGRAMS, TEMPLATES, taken_home
from helpers.course.home.cluster import cluster_name, fitted
from helpers.course.home.requirements import TOOLS, bounded, imported, installed, packages
from helpers.paths import ROOT

_PACKAGE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_BLANKS = ".j2"  # the ending of a template that is filled in

# Files that a template needs and does not import, without their endings: the page, for instance,
# asks the service over HTTP.
_BESIDE_IMPORTS = {
    "page.py": ["service"],
    ".streamlit/config.toml": ["page"],
    "app.py": ["Dockerfile"],
    ".dockerignore": ["app"],
    "tests/test_kubernetes.py": ["app", "deployment"],
    "prometheus.yml": ["rules"],
    "tests/test_rules.py": ["rules", "rules_test"],
}

# Packages that the service itself does not need, by what a file of theirs imports; all are large.
# A file that imports several belongs to the first.
_EXTRAS = {
    "page": {"streamlit"},
    "ray": {"ray"},
    "evals": {"statsmodels", "evals"},
    "traces": {"pandas"},
    "mcp": {"mcp"},
}


class ProjectError(Exception):
    """No project can be written there; the message says what to do."""


def new_project(folder: Path) -> list[str]:
    """Write the project into a folder that is new or empty; return its files' paths in it.

    After an error nothing is left that was not there before.

    Raises:
        ProjectError: the folder is not empty, or its name is no package name.
        OSError: the folder cannot be written.
    """
    _free(folder)
    files = contents(_named(folder))
    with _undone_after_an_error() as made:
        for name, text in files.items():
            _write(folder / name, text, made)
    return list(files)


def contents(name: str) -> dict[str, str]:
    """The files of a project of this name: path in it -> text.

    Raises:
        ProjectError: the name is that of a package which the project needs, or there are no
            programs.
    """
    files = {path: taken_home(text) for path, text in _texts(PROGRAMS)}
    programs = list(files)
    templates = dict(_texts(TEMPLATES))
    blanks = {path: templates.pop(path) for path in list(templates) if path.endswith(_BLANKS)}
    files |= _importable(templates, programs)
    if "main.py" not in files:
        raise ProjectError(
            "the programs that it begins with are not in this copy of the course: "
            "`course update` fetches them, `course build 00` makes them."
        )
    values = _values(name, files, programs)
    files = {path: fitted(path, text, name, files) for path, text in files.items()}
    filled = {path.removesuffix(_BLANKS): _filled(text, values) for path, text in blanks.items()}
    return dict(sorted((files | filled).items()))


def _importable(templates: dict[str, str], programs: list[str]) -> dict[str, str]:
    """The templates without those that need, themselves or by another, a program not there."""
    modules = {PurePosixPath(path).stem for path in [*programs, *templates]}
    kept = {
        path: text
        for path, text in templates.items()
        if all(installed(module) or module in modules for module in _needed(path, text))
    }
    return kept if kept == templates else _importable(kept, programs)


def _needed(path: str, text: str) -> Iterator[str]:
    """The modules without which a template is of no use."""
    yield from _BESIDE_IMPORTS.get(path, ())
    if path.endswith(".py"):
        yield from imported(text)


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    """The files below a folder: path in it, text."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and "__pycache__" not in name.parts:
            yield name.as_posix(), path.read_text("utf-8")


def _values(name: str, files: dict[str, str], programs: list[str]) -> dict[str, object]:
    """What the blanks of the templates are filled with."""
    modules = [path.removesuffix(".py") for path in files if re.fullmatch(r"\w+\.py", path)]
    tests = [text for path, text in files.items() if path.startswith("tests/")]
    always = [files[f"{module}.py"] for module in modules]
    apart: dict[str, list[str]] = {}
    for extra, marks in _EXTRAS.items():
        apart[extra] = [text for text in always if marks & {*imported(text)}]
        always = [text for text in always if text not in apart[extra]]
    needed = _packages(always)
    extras = {extra: _packages(texts) - needed for extra, texts in apart.items() if texts}
    for_run = needed.union(*extras.values())
    for_tests = _packages(tests) - for_run | {*TOOLS}
    if clash := {name.lower().replace("_", "-").replace(".", "-")} & (for_run | for_tests):
        raise ProjectError(
            f"{clash.pop()} is the name of a package that the project needs: take another one, "
            f"for instance my-{name}."
        )
    course = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        "name": name,
        "python": re.findall(r">=([\d.]+)", course["requires-python"])[0],
        "dependencies": bounded(needed),
        "extras": {extra: bounded(packages) for extra, packages in extras.items()},
        "dev": bounded(for_tests),
        "modules": sorted(modules),
        "cluster": cluster_name(name) if "app" in modules else "",
        "validator": bounded(["kubernetes-validate"])[0],
        "programs": [{"name": path, "says": _says(path, files[path])} for path in programs],
    }


def _packages(texts: Iterable[str]) -> set[str]:
    """The packages that these Python files import."""
    return packages(module for text in texts for module in imported(text))


def _says(path: str, text: str) -> str:
    """What a program has, in the words of its own docstrings."""
    if not path.endswith(".py"):
        says = text.partition("\n")[0].removeprefix("# ").partition(". ")[0]
        kinds = re.findall(r"^kind: (\w+)$", text, re.MULTILINE)
        return f"{says}: {', '.join(dict.fromkeys(kinds))}" if kinds else says
    return "<br>".join(
        f"`{node.name}`: {said.partition(chr(10))[0].rstrip('.').replace('|', '/')}"
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and (said := ast.get_docstring(node))
    )


def _filled(template: str, values: dict[str, object]) -> str:
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    return made.from_string(template).render(values)


def _named(folder: Path) -> str:
    """The project's name: the folder's."""
    whole = Path.cwd() / folder
    if whole.name in ("", ".."):
        whole = whole.resolve()
    if _PACKAGE_NAME.fullmatch(whole.name):
        return whole.name
    plain = unicodedata.normalize("NFKD", whole.name).encode("ascii", "ignore").decode().lower()
    better = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "my-agent"
    path = folder.with_name(better) if folder.name == whole.name else Path("..", better)
    raise ProjectError(
        f"{whole.name!r} is no package name: use letters, digits, and - _ . between them. "
        f"For instance: course new {shlex.quote(str(path))}"
    )


def _free(folder: Path) -> None:
    if folder.is_dir():
        if any(folder.iterdir()):
            raise ProjectError(
                f"{folder} is not empty, and nothing in it is replaced. Name a folder that is new "
                "or empty, and copy from there what you want."
            )
    elif os.path.lexists(folder):
        raise ProjectError(f"{folder} is a file: name a folder that is new or empty.")


@contextlib.contextmanager
def _undone_after_an_error() -> Iterator[list[Path]]:
    """A list of what is made, in order; all of it is removed when the block ends in an error."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _write(file: Path, text: str, made: list[Path]) -> None:
    for folder in reversed([file.parent, *file.parent.parents]):
        if not folder.exists():
            folder.mkdir()
            made.append(folder)
    with file.open("xb") as written:
        made.append(file)
        written.write(text.encode())
