"""Which of a lab's own cells its checks need.

A lab also measures and shows what the learner's code changes, which takes most of its time and
decides no grade. A cell that no exercise and no check uses, directly or through another cell, is
left out; its imports still run. A cell that sets something without a name of its own
(`os.environ[...] = ...`, `server.start()`) stays, because nothing tells which cell needs it.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from helpers.workshop.labs import Step
from helpers.workshop.names import names_in, tree_of

_SHOWS = {"print", "display", "len", "sorted", "repr", "str"}


def needed(steps: Sequence[Step]) -> list[Step]:
    """The steps that the grades depend on, in order; what is left of a cell has its imports."""
    wanted: set[str] = set()
    kept: list[Step] = []
    # Backwards: what a cell needs has been defined above it.
    for step in reversed(steps):
        if step.exercise or step.checks or _acts(step.source):
            wanted |= names_in(step.source).used
            kept.append(step)
            continue
        imports, others = _parted(step.source)
        if others & wanted:
            wanted |= names_in(step.source).used
            kept.append(step)
        elif imports:
            kept.append(replace(step, source=imports))
    return kept[::-1]


def _parted(source: str) -> tuple[str, frozenset[str]]:
    """A cell's imports, and the names that its other statements define."""
    tree = tree_of(source)
    if tree is None:
        return "", frozenset()
    imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    bound = {
        (alias.asname or alias.name).partition(".")[0] for one in imports for alias in one.names
    }
    again = {name for one in tree.body if one not in imports for name in _bound_in(one)}
    others = names_in(source).defined - (bound - again)
    return "\n".join(map(ast.unparse, imports)), others


def _bound_in(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _acts(source: str) -> bool:
    """Whether a cell may change something that has another cell's name, or none."""
    tree = tree_of(source)
    if tree is None:  # IPython's own syntax, which may do anything
        return bool(source.strip())
    return any(_changes(one) for one in tree.body)


def _changes(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If) and _asks_ready(statement.test):
        return False  # it runs where an exercise has passed: no check can depend on it
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return bool(statement.decorator_list) and any(
            isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
            for one in statement.decorator_list
        )
    for node in _here(statement):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Delete) or (isinstance(node, ast.Expr) and _may_set(node.value)):
            return True
    return False


def _may_set(value: ast.expr) -> bool:
    """Whether an expression that is a line of its own is more than something to look at."""
    if isinstance(value, ast.Await):
        return True
    if not isinstance(value, ast.Call):
        return False
    called = value.func
    if isinstance(called, ast.Name):
        return called.id not in _SHOWS
    shown = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name)
    return not (shown and called.value.id == "show")  # type: ignore[attr-defined]


def _here(statement: ast.stmt) -> Iterator[ast.AST]:
    """A statement's nodes, without the bodies of functions, which do not run here."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            one
            for one in ast.iter_child_nodes(node)
            if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        ]


def _asks_ready(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "ready"
    )
