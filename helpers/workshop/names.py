"""Which variables of a notebook a cell uses and defines, without running it."""

import ast
import builtins
import dis
import functools
import re
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

ALWAYS_THERE = frozenset(
    {*dir(builtins), "__annotations__", "display", "get_ipython", "In", "Out", "_", "__", "___"}
)
"""What a cell may use in any notebook."""

# These run what follows them as if they were not there; other magics are no code of the notebook.
_TRANSPARENT = re.compile(r"^(?:%%(?:time|capture)\b[^\n]*\n|%time )", re.MULTILINE)
_GLOBAL_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_CLASS_SETS = {"__module__", "__qualname__", "__name__", "__annotations__", "__doc__"}


@dataclass(frozen=True)
class Names:
    """Variables of the notebook: those that a cell uses, its functions included, and defines."""

    used: frozenset[str]
    defined: frozenset[str]

    @property
    def needed(self) -> frozenset[str]:
        """What another cell has to define."""
        return self.used - self.defined - ALWAYS_THERE


@functools.cache
def names_in(source: str) -> Names:
    """The variables of one cell, with IPython's own syntax allowed; none where it is not Python."""
    tree = tree_of(source)
    if tree is None:
        return Names(frozenset(), frozenset())
    with warnings.catch_warnings(action="ignore"):  # the learner's own code may cause some
        code = compile(tree, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    used: set[str] = set()
    defined: set[str] = set()
    for part, is_cell in _parts(code):
        steps = list(dis.get_instructions(part))
        stored = {step.argval for step in steps if step.opname == "STORE_NAME"}
        used |= {
            step.argval
            for step in steps
            if step.opname in _GLOBAL_LOADS and (is_cell or step.argval not in stored | _CLASS_SETS)
        }
        defined |= {step.argval for step in steps if step.opname == "STORE_GLOBAL"}
        defined |= stored if is_cell else set()
    return Names(frozenset(used), frozenset(defined))


def statements(source: str) -> list[str]:
    """The source of each statement of a cell; none where it is not Python."""
    tree = tree_of(source)
    return [ast.unparse(one) for one in tree.body] if tree else []


def tree_of(source: str) -> ast.Module | None:
    """A cell as Python, with IPython's own syntax allowed; None where it is none."""
    try:
        code = TransformerManager().transform_cell(_TRANSPARENT.sub("", source))  # type: ignore[no-untyped-call]
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        with warnings.catch_warnings(action="ignore"):
            tree = compile(code, "cell", "exec", flags=flags)
            compile(tree, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # also code nested too deeply
        return None
    assert isinstance(tree, ast.Module)
    return tree


def _parts(code: types.CodeType, *, is_cell: bool = True) -> Iterator[tuple[types.CodeType, bool]]:
    """A cell's code and that of its functions and classes; True for the cell's own."""
    yield code, is_cell
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _parts(constant, is_cell=False)
