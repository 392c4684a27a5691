"""Where the names of a notebook's cells come from: the field, the course's package, or Python."""

import ast
import sys
from collections.abc import Iterator
from functools import cache

from helpers.paths import ROOT

HOUSE = "helpers"
DESK = "helpers.course"
"""What every notebook uses, whatever it is about: `check`, `quiz`, `show` and the like."""

# Python's own, and what shows values: neither is what a module of the course is about.
_COMMON = set(sys.stdlib_module_names) | {
    "IPython", "__future__", "dotenv", "matplotlib", "numpy", "pandas", "seaborn", "tests", "tqdm",
}  # fmt: skip


_BINDS = (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# What is bound inside these stays inside.
_OWN_SCOPE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Names:
    """The names that a notebook has made so far, cell by cell.

    Attributes:
        imported: name -> dotted path of what it stands for.
        field: names of third-party packages, and names that were made with one.
        house: what was used of the course's package, the desk's left out, by dotted path.
    """

    def __init__(self) -> None:
        self.imported: dict[str, str] = {}
        self.field: set[str] = set()
        self.house: set[str] = set()
        self._written: dict[str, bool] = {}

    def wrote(self, module: str, *, with_field: bool) -> None:
        """A cell wrote a module of its own: what is imported from it is as that cell is."""
        self._written[module] = with_field

    def read(self, tree: ast.Module) -> tuple[bool, bool]:
        """Take in a cell; returns whether it uses the field, and whether it uses the house.

        An import alone uses nothing.
        """
        self.read_imports(tree)
        body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
        field = house = False
        for statement in body:
            used = {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            }
            with_field = bool(used & self.field)
            field |= with_field
            house |= any(top(self.imported.get(name, "")) == HOUSE for name in used)
            self._make(statement, with_field)
        self._house_names(tree)
        return field, house

    def read_imports(self, tree: ast.Module) -> None:
        """Take in what a cell imports."""
        for node in ast.walk(tree):
            self._import(node)

    def path(self, node: ast.expr) -> str:
        """The dotted path of what an expression names.

        It begins with the package where the first name is imported (`ray.serve.run`), and with a
        dot where that is some object (`.stream`, of `agent.stream`).
        """
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            first = self.imported.get(node.id, "" if attributes else node.id)
            return ".".join([first, *attributes])
        return ".".join(["", *attributes])

    def _import(self, node: ast.AST) -> None:
        pairs: list[tuple[str, str]] = []
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name if alias.asname else top(alias.name)
                pairs.append((alias.asname or first, first))
        elif isinstance(node, ast.ImportFrom) and node.module:
            pairs = [(a.asname or a.name, f"{node.module}.{a.name}") for a in node.names]
        for name, path in pairs:
            self.imported[name] = path
            package = top(path)
            known = self._written.get(package, package not in _COMMON | {HOUSE})
            (self.field.add if known else self.field.discard)(name)
            if isinstance(node, ast.ImportFrom):
                self._count(path)

    def _make(self, statement: ast.stmt, with_field: bool) -> None:
        """The names that a statement makes are of the field where it uses the field.

        A name that is made again without it is no longer of the field.
        """
        again = isinstance(statement, _BINDS)
        for name in _made(statement):
            if with_field:
                self.field.add(name)
            elif again:
                self.field.discard(name)
            if again:
                self.imported.pop(name, None)

    def _house_names(self, tree: ast.Module) -> None:
        inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and id(node) not in inner:
                self._count(self.path(node))

    def _count(self, path: str) -> None:
        """Count a name of the house, by the first part of its path that is no module."""
        parts = path.split(".")
        if parts[0] != HOUSE:
            return
        for end in range(1, len(parts) + 1):
            if not _is_module(parts[:end]):
                name = ".".join(parts[:end])
                if not name.startswith(f"{DESK}."):
                    self.house.add(name)
                return


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """The dotted paths that code imports, wherever in it; relative imports are left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top(path: str) -> str:
    """The package that a dotted path begins with."""
    return path.split(".", 1)[0]


def _is_module(parts: list[str]) -> bool:
    place = ROOT.joinpath(*parts)
    is_file = place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()
    return is_file and parts[-1] not in _exported(".".join(parts[:-1]))


@cache
def _exported(package: str) -> frozenset[str]:
    """What a package takes from its modules; such a name hides a module of the same name."""
    init = ROOT.joinpath(*package.split("."), "__init__.py")
    if not package or not init.is_file():
        return frozenset()
    return frozenset(
        alias.asname or alias.name
        for node in ast.walk(ast.parse(init.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module != package
        for alias in node.names
    )


def _made(node: ast.AST) -> Iterator[str]:
    """The names that a statement, or one inside it, binds in the notebook."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif not isinstance(node, _OWN_SCOPE):
        for inner in ast.iter_child_nodes(node):
            yield from _made(inner)
