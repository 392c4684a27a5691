"""`TODO`, the placeholder of an unfinished exercise, and how a check finds it.

A lab's cell says `x = TODO`, `return TODO` or `raise TODO`, in a function, a class or a value. As
long as that stands there, the exercise is *not done yet*: looking at the object is enough, and
none of its code runs. A placeholder that hides deeper (in another function that this one calls)
shows itself when it is used: every operation on it raises `NotDoneYet`.

Where an exercise is to fix given code, there is no `TODO`; there, what equals the starter counts
as not done yet (`unchanged`).
"""

import collections
import dis
import functools
import itertools
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

_MOST_OBJECTS = 3000  # an agent is a large object; what a learner wrote lies near its surface
_MOST_ITEMS = 200
_NAMES = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}  # not the string "TODO"
_LEAVES = (str, bytes, bytearray, int, float, complex, bool, type(None), types.ModuleType)


class NotDoneYet(Exception):  # noqa: N818 - it reads as a status, and names no failure
    """A part of an exercise that is still to be written was used."""


class _NoAttributeYet(NotDoneYet, AttributeError):  # noqa: N818
    """The same for an attribute: `hasattr` and IPython's display expect an AttributeError."""


_SENTENCE = "This part of the exercise is still TODO. Write it, run its cell, then go on."


class _Placeholder(NotDoneYet):
    """The type of `TODO`: an exception, so that `raise TODO` works like `return TODO`."""

    def __repr__(self) -> str:
        return "TODO"

    __str__ = __repr__

    def __reduce__(self) -> str:
        return "TODO"  # copies and pickles give the one object back

    def __getattr__(self, name: str) -> NoReturn:
        raise _NoAttributeYet(_SENTENCE)


def _refuse(*_arguments: object, **_named: object) -> NoReturn:
    raise NotDoneYet(_SENTENCE)


_OPERATIONS = """
    call bool len iter next aiter anext await getitem setitem delitem contains
    enter exit aenter aexit int float index complex neg pos abs invert lt le gt ge
"""
_BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift"
for _name in [*_OPERATIONS.split(), *_BINARY.split(), *(f"r{n}" for n in _BINARY.split())]:
    setattr(_Placeholder, f"__{_name}__", _refuse)

TODO: Any = _Placeholder(_SENTENCE)
"""What a lab has where the learner's own code belongs."""


def comes_from_todo(error: BaseException) -> bool:
    """Whether an error was raised by `TODO`, directly or through the errors that led to it."""
    link: BaseException | None = error
    for _ in range(20):
        if link is None:
            return False
        if isinstance(link, NotDoneYet):
            return True
        link = link.__cause__ or link.__context__
    return False


def find_todo(submission: object) -> str | None:
    """Where `TODO` is still in an object, as a sentence; None when it does not.

    Looks through functions (decorated, nested, bound or partial ones too), classes, objects and
    containers, nearest parts first, and calls nothing.
    """
    if submission is TODO:
        return "It is still TODO."
    for part in _parts(submission):
        if part is TODO:
            return "A part of it is still TODO."
        if isinstance(part, types.FunctionType) and (found := _todo_in_code(part)):
            return found
    return None


def _todo_in_code(function: types.FunctionType) -> str | None:
    if function.__globals__.get("TODO") is not TODO:
        return None
    for code in _codes(function.__code__):
        for step in dis.get_instructions(code):
            if step.argval == "TODO" and step.opname in _NAMES:
                line = step.positions.lineno if step.positions else None
                return f"TODO is still in {function.__name__}" + (
                    f", line {line} of its cell." if line else "."
                )
    return None


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _parts(whole: object) -> Iterator[object]:
    """An object and what it is made of, breadth first; never by way of a module's globals."""
    queue = collections.deque([whole])
    seen: set[int] = set()
    kept: list[object] = []  # an id stays taken only as long as its object lives
    while queue and len(kept) < _MOST_OBJECTS:
        part = queue.popleft()
        if id(part) in seen or type(part) in _LEAVES:
            continue
        seen.add(id(part))
        kept.append(part)
        yield part
        if part is not TODO:
            queue.extend(_children(part))


def _children(part: object) -> Iterable[object]:
    if isinstance(part, types.FunctionType):
        cells = [found for cell in part.__closure__ or () for found in _content(cell)]
        named = (part.__kwdefaults__ or {}).values()
        return [*(part.__defaults__ or ()), *named, *cells, *vars(part).values()]
    if isinstance(part, types.MethodType):
        return [part.__func__, part.__self__]
    if isinstance(part, staticmethod | classmethod):
        return [part.__func__]
    if isinstance(part, property):
        return [part.fget, part.fset, part.fdel]
    if isinstance(part, functools.partial):
        return [part.func, *part.args, *part.keywords.values()]
    if isinstance(part, type):
        return [*vars(part).values(), *part.__bases__] if _knows_todo(part) else []
    if isinstance(part, dict):
        return list(itertools.islice(part.values(), _MOST_ITEMS))
    if isinstance(part, list | tuple | set | frozenset):
        return list(itertools.islice(part, _MOST_ITEMS))
    return [type(part), *_fields(part).values()]


def _content(cell: types.CellType) -> list[object]:
    try:
        return [cell.cell_contents]
    except ValueError:  # the variable has no value yet
        return []


def _knows_todo(cls: type) -> bool:
    """Whether a class was written where `TODO` is known: a notebook, not a library."""
    return getattr(sys.modules.get(cls.__module__), "TODO", None) is TODO


def _fields(thing: object) -> dict[str, object]:
    """An object's own attributes, those in slots included."""
    found: dict[str, object] = dict(getattr(thing, "__dict__", {}))
    for cls in type(thing).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, types.MemberDescriptorType) and hasattr(thing, name):
                found[name] = getattr(thing, name)
    return found


# --- exercises that give code to mend --------------------------------------------------------


def unchanged(submission: object, starter: object) -> bool:
    """Whether a submission is still the starter: the same code, or the same value.

    Code is the same when it compiles to the same instructions: names of functions, comments, line
    numbers and annotations do not count; a docstring does. Objects of one type are the same when
    their attributes are.
    """
    return _same(submission, starter, depth=4)


def _same(one: object, other: object, depth: int) -> bool:
    if one is other:
        return True
    if type(one) is not type(other) or depth == 0:
        return False
    if isinstance(one, types.FunctionType) and isinstance(other, types.FunctionType):
        return _same_code(one.__code__, other.__code__) and _same(
            (one.__defaults__, one.__kwdefaults__),
            (other.__defaults__, other.__kwdefaults__),
            depth,
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(
            _same(a, b, depth - 1) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _same(one[key], other[key], depth - 1) for key in one
        )
    if isinstance(one, type) and isinstance(other, type):
        return _same(_written(one), _written(other), depth - 1)
    mine, theirs = _fields(one), _fields(other)
    if mine or theirs:
        return _same(mine, theirs, depth - 1)
    return bool(one == other)


# How Python calls `module.function` depends on whether the module was imported in the same piece of
# code, which it is in a file and is not in a notebook's cell.
_ALIKE = {"LOAD_METHOD": "LOAD_ATTR"}
_NOTHING = {"PUSH_NULL", "CACHE"}
_JUMPS = {*dis.hasjrel, *dis.hasjabs}


def _steps(code: types.CodeType) -> list[tuple[str, str]]:
    """The instructions of some code, without where they jump to."""
    steps = []
    for one in dis.get_instructions(code):
        if one.opname not in _NOTHING:
            plain = one.opcode not in _JUMPS and not isinstance(one.argval, types.CodeType)
            steps.append((_ALIKE.get(one.opname, one.opname), repr(one.argval) if plain else ""))
    return steps


def _same_code(one: types.CodeType, other: types.CodeType) -> bool:
    def shape(code: types.CodeType) -> tuple[object, ...]:
        plain = [c for c in code.co_consts if not isinstance(c, types.CodeType)]
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        return (_steps(code), code.co_names, code.co_varnames, repr(plain), counts)

    inner_one, inner_other = list(_codes(one))[1:], list(_codes(other))[1:]
    return (
        shape(one) == shape(other)
        and len(inner_one) == len(inner_other)
        and all(shape(a) == shape(b) for a, b in zip(inner_one, inner_other, strict=True))
    )


def _written(cls: type) -> dict[str, object]:
    """What a person wrote in a class: its functions and plain values, without Python's own."""
    return {
        name: value
        for name, value in vars(cls).items()
        if isinstance(value, types.FunctionType | staticmethod | classmethod | property)
        or (not name.startswith("_") and isinstance(value, _LEAVES))
    }
