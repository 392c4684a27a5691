"""Values and their types in words, as a card shows them."""

import re
import reprlib
import types
from itertools import islice
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_SOUNDS_LIKE_YOU = re.compile(r"u(?:[^aeiou][aeiou]|u)", re.IGNORECASE)  # a UUID, a Usage
_ROUTINES = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
)
_ASYNC = 0x80 | 0x200  # the flags of a coroutine function's code, and an async generator's


def kind(value: object) -> str:
    """What a value is, in words for a card: "a tuple", "None", "a function", "an int".

    Goes by the value's type, which a learner's object cannot disguise.
    """
    own = type(value)
    if value is None:
        return "None"
    if is_function(value):
        code = getattr(getattr(value, "__func__", value), "__code__", None)
        return "an async function" if code and code.co_flags & _ASYNC else "a function"
    if issubclass(own, type):
        return f"the class {type.__getattribute__(value, '__name__')}"
    name = type.__getattribute__(own, "__name__") or "object"
    an = name[0].lower() in "aeiou" and not _SOUNDS_LIKE_YOU.match(name)
    return f"{'an' if an else 'a'} {name}"


def is_function(value: object) -> bool:
    """Whether this is a plain function or method."""
    return issubclass(type(value), _ROUTINES)


class _Brief(reprlib.Repr):
    """`repr`, cut to what fits a card; a dictionary keeps its order."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 12
        self.maxdict = 12
        self.maxstring = self.maxlong = 300
        self.maxother = 500

    def repr1(self, x: Any, level: int) -> str:
        # A class of a learner's may be called `list`: reprlib goes by the name alone.
        if type(x).__module__ in ("builtins", "collections", "array"):
            return super().repr1(x, level)
        return self.repr_instance(x, level)

    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # Python does not write integers of more than 4,300 digits
            return f"<int object of {x.bit_length():,} bits>"

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        if level <= 0 and x:
            return "{...}"
        pairs = [
            f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}"
            for key, value in islice(x.items(), self.maxdict)
        ]
        return "{" + ", ".join(pairs + ["..."] * (len(x) > self.maxdict)) + "}"

    def repr_instance(self, x: object, level: int) -> str:
        text = _ADDRESS.sub("", repr(x))  # an address says nothing, and is another one each time
        if len(text) <= self.maxother:
            return text
        half = (self.maxother - len(self.fillvalue)) // 2
        return text[:half] + self.fillvalue + text[-half:]


_BRIEF = _Brief()


def brief(value: object) -> str:
    """A value as Python writes it, cut to what fits a card; its `repr` may raise."""
    try:
        return _BRIEF.repr(value)
    except Exception as error:
        return f"<{type(value).__name__} object whose repr() raises {type(error).__name__}>"
