"""What the cells of a program define, what each definition uses, and in which order they run.

A name is used *at once* where it is evaluated when the definition runs: in a decorator, a default,
an annotation, a base class, a class's body or a constant's value. It is used *later* where that
happens when a function is called.
"""

import ast
import symtable
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPE = (*_FUNCTION, ast.ClassDef, ast.Lambda)
_COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_RUN_AT_ONCE = {"listcomp", "setcomp", "dictcomp", "genexpr"}


class DefinitionError(Exception):
    """A cell cannot be part of a program; the message says why, without naming the cell."""


@dataclass(frozen=True)
class Import:
    """One imported name: `from module import original as name`, or `import module as name`."""

    name: str
    module: str
    original: str | None = None

    def line(self) -> str:
        """The statement that imports it."""
        if self.original is not None:
            alias = "" if self.original == self.name else f" as {self.name}"
            return f"from {self.module} import {self.original}{alias}"
        # Without an alias, `import a.b` binds `a`.
        alias = "" if self.module.split(".")[0] == self.name else f" as {self.name}"
        return f"import {self.module}{alias}"


@dataclass(frozen=True)
class Definition:
    """A function, class or constant with the comments before it.

    Attributes:
        names: what it binds.
        text: its lines.
        now: names that it uses at once.
        later: names that it uses when it is called.
        cell: the id of its cell.
    """

    names: tuple[str, ...]
    text: str
    now: frozenset[str]
    later: frozenset[str]
    cell: str


def imports(tree: ast.AST) -> Iterator[Import]:
    """The names that the imports directly below `tree` bind; of `import *`, the star."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                yield Import(name, alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Import(alias.asname or alias.name, module, alias.name)


def bindings(tree: ast.AST) -> dict[str, list[Import]]:
    """The names that a cell binds when it runs; with their imports, where they are imported."""
    found: dict[str, list[Import]] = {}
    for node in _run_by_the_cell(tree):
        if isinstance(node, ast.stmt) and not isinstance(node, _SCOPE):
            for each in imports(ast.Module([node], [])):
                found.setdefault(each.name, []).append(each)
        name = node.id if isinstance(node, ast.Name) else getattr(node, "name", None)
        stored = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        if isinstance(name, str) and (stored or isinstance(node, (*_SCOPE, ast.ExceptHandler))):
            found[name] = []
    return found


def _run_by_the_cell(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below that runs in the cell's own scope."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*_SCOPE, *_COMPREHENSION)):
            yield from _run_by_the_cell(child)


def definitions(source: str, cell: str) -> list[Definition]:
    """The definitions of one cell, in order; its imports are left out.

    What one cell defines several times (an overloaded function, a list that grows) is one
    definition.

    Raises:
        DefinitionError: the cell does something else than importing and defining, or its text is
            no plain Python.
    """
    try:
        tree = ast.parse(source)
        compile(source, cell, "exec")  # `await` outside a function is found only here
    except SyntaxError as error:
        raise DefinitionError(f"line {error.lineno} is no plain Python: {error.msg}") from None
    lines = source.splitlines()
    found: dict[tuple[str, ...], Definition] = {}
    end = 0
    for node in tree.body:
        start, end = end, node.end_lineno or end
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        if first <= start:
            raise DefinitionError(f"line {first} holds two statements: write each on its own line")
        _plain_imports(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = _names(node)
        text = "\n".join(lines[start:end]).strip("\n")
        now, later = names_used(node)
        if names in found:
            before = found[names]
            text, now, later = f"{before.text}\n{text}", before.now | now, before.later | later
            now -= set(names)
        found[names] = Definition(names, text, now, later, cell)
    return list(found.values())


def _names(node: ast.stmt) -> tuple[str, ...]:
    """What a statement defines."""
    if isinstance(node, (*_FUNCTION, ast.ClassDef)):
        return (node.name,)
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [node.target]
    parts = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    names = tuple(part.id for part in parts if isinstance(part, ast.Name))
    if not names or len(names) < len(parts):
        raise DefinitionError(
            f"line {node.lineno} defines nothing. A program has functions, classes, constants and "
            "imports: move what runs to a cell of its own"
        )
    return names


def _plain_imports(node: ast.stmt) -> None:
    """Check the imports of a marked cell, also those inside its functions."""
    for inner in ast.walk(node):
        for each in imports(ast.Module([inner], [])) if isinstance(inner, ast.stmt) else ():
            top = each.module.split(".")[0]
            if each.original == "*":
                raise DefinitionError(f"`import *` from {each.module}: import each name")
            if top in ("", "__future__"):
                raise DefinitionError(f"`{each.line()}` does not work in every file: leave it out")
            if top == "helpers" and inner is not node:
                raise DefinitionError(f"a function imports `{each.name}` from helpers")


def names_used(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """The global names that a statement uses at once, and later."""
    now: set[str] = set()
    later: set[str] = set()
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    for symbol in table.get_symbols():
        if symbol.is_referenced():
            now.add(symbol.get_name())
    for child in table.get_children():
        _used_inside(child, now, later)
    quoted = {name for part in ast.walk(node) for name in _quoted(part)}
    return frozenset(now), frozenset(later | quoted) - now


def _used_inside(table: symtable.SymbolTable, now: set[str], later: set[str]) -> None:
    at_once = table.get_type() == "class" or table.get_name() in _RUN_AT_ONCE
    here = now if at_once else later
    here |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    for child in table.get_children():
        _used_inside(child, here, later)  # of a function that is called later, all is later


def _quoted(node: ast.AST) -> Iterator[str]:
    """The names in annotations that are written as text."""
    for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
        for part in ast.walk(annotation) if isinstance(annotation, ast.AST) else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    inner = ast.parse(part.value, mode="eval")
                except SyntaxError:
                    continue  # a word of Literal["not a name"]
                yield from (each.id for each in ast.walk(inner) if isinstance(each, ast.Name))


def last_of_each(found: Iterable[Definition]) -> list[Definition]:
    """The definitions that count: the last one of each name, where it stands."""
    every = list(found)
    # `_` is a name that nobody means: `@area.register` functions are called so.
    last = {name: one for one in every for name in one.names if name != "_"}
    return [one for one in every if "_" in one.names or any(last[n] is one for n in one.names)]


def in_order(found: Iterable[Definition]) -> list[Definition]:
    """The definitions in an order that runs; they keep their places where that is possible.

    What a definition uses at once comes before it. So does, where that is possible, what the
    functions that it calls use.

    Raises:
        DefinitionError: definitions need each other at once.
    """
    every = list(found)
    by_name = {name: one for one in every for name in one.names}

    def used(names: Iterable[str]) -> list[Definition]:
        return [by_name[name] for name in sorted(names) if name in by_name]

    def at_once(one: Definition) -> list[Definition]:
        return used(one.now)

    def with_calls(one: Definition) -> list[Definition]:
        reached = at_once(one)
        for each in reached:  # grows meanwhile
            reached += [more for more in used(each.now | each.later) if more not in reached]
        return reached

    try:
        return _sorted(every, with_calls)
    except DefinitionError:  # two functions that call each other, and one is a decorator's argument
        return _sorted(every, at_once)


def _sorted(
    every: list[Definition], before: Callable[[Definition], list[Definition]]
) -> list[Definition]:
    done: list[Definition] = []

    def place(one: Definition, waiting: tuple[Definition, ...]) -> None:
        if one in waiting:
            raise DefinitionError(
                f"`{one.names[0]}` needs its own value, or one that an earlier cell gave it: "
                "give the later one another name"
            )
        if one not in done:
            for each in before(one):
                place(each, (*waiting, one))
            done.append(one)

    for one in every:
        place(one, ())
    return done
