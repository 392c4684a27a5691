"""How an object behaves in another process: it has kept nothing, and texts hash differently."""

import builtins
import copy
import functools
import itertools
import os
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

_PLAIN = (dict, list, set, deque, int, float, str, bytes, itertools.count)  # and their subclasses
_SALT = 0x5EED_0F_A_1A7E
_LATER_S = 30 * 60 * 60 + 61


class AnotherProcess:
    """Puts a function back to what it kept when this was made, as often as it is entered.

    That is plain values and containers: global ones that it names, those of its closure, its
    default values and its attributes, and the caches of `functools`. It goes through what the
    learner wrote and this one calls, and no further.

        elsewhere = AnotherProcess(answer)   # before its first call
        here = answer("x")
        with elsewhere.entered():
            there = answer("x")              # the same, if it depends on "x" alone
    """

    def __init__(self, answer: object) -> None:
        self._kept: list[tuple[Callable[[Any], None], Any]] = []
        self._caches: list[Any] = []
        self._seen: set[int] = set()
        self._look_at(answer)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """In this block nothing is kept; hashes, process ids and the time are others."""
        for put, value in self._kept:
            put(copy.deepcopy(value))
        for cache in self._caches:
            cache.cache_clear()
        here, real = threading.get_ident(), builtins.hash

        def salted(value: object) -> int:
            return real(value) + (_SALT if threading.get_ident() == here else 0)

        process = os.getpid()

        def other_process() -> int:
            return process + (threading.get_ident() == here)

        parent, clock, clock_ns = os.getppid(), time.time, time.time_ns

        def other_parent() -> int:
            return parent + (threading.get_ident() == here)

        def tomorrow() -> float:
            return clock() + _LATER_S * (threading.get_ident() == here)

        def tomorrow_ns() -> int:
            return clock_ns() + _LATER_S * 10**9 * (threading.get_ident() == here)

        with (
            patch("builtins.hash", salted),
            patch("os.getpid", other_process),
            patch("os.getppid", other_parent),
            patch("time.time", tomorrow),
            patch("time.time_ns", tomorrow_ns),
        ):
            yield

    def _look_at(self, part: object) -> None:
        if id(part) in self._seen or isinstance(part, types.ModuleType):
            return
        self._seen.add(id(part))
        if hasattr(part, "cache_clear"):
            self._caches.append(part)
            self._look_at(getattr(part, "__wrapped__", None))
        elif isinstance(part, type):
            if _is_a_learners(part.__module__):
                for name, value in vars(part).items():
                    if not name.startswith("__"):
                        self._keep(functools.partial(setattr, part, name), value)
        elif isinstance(part, types.MethodType):
            self._look_at(part.__self__)
            self._look_at(part.__func__)
        elif isinstance(part, functools.partial):
            self._look_at(part.func)
        elif isinstance(part, types.FunctionType):
            if _is_a_learners(part.__module__):
                self._look_at_function(part)
        elif hasattr(part, "__dict__") and _is_a_learners(type(part).__module__):
            self._kept.append((functools.partial(_only, vars(part), frozenset(vars(part))), None))
            self._look_at_names(vars(part), [*vars(part)])
            self._look_at(vars(type(part)).get("__call__"))
            self._look_at(type(part))

    def _look_at_function(self, function: types.FunctionType) -> None:
        self._look_at_names(function.__globals__, _global_names(function.__code__))
        self._keep(functools.partial(_refill, vars(function)), vars(function))
        for cell in function.__closure__ or ():
            with suppress(ValueError):  # the variable has no value yet
                self._keep(functools.partial(setattr, cell, "cell_contents"), cell.cell_contents)
        for name in ("__defaults__", "__kwdefaults__"):
            if values := getattr(function, name):
                self._keep(functools.partial(setattr, function, name), values)

    def _look_at_names(self, space: dict[str, Any], names: Iterable[str]) -> None:
        for name in names:
            if name in space:
                self._keep(functools.partial(space.__setitem__, name), space[name])
            else:
                self._kept.append((functools.partial(_forget, space, name), None))

    def _keep(self, put: Callable[[Any], None], value: object) -> None:
        if isinstance(value, (*_PLAIN, tuple)):
            with suppress(Exception):  # what cannot be copied stays
                self._kept.append((put, copy.deepcopy(value)))
        else:
            self._look_at(value)


def _refill(attributes: dict[str, Any], values: dict[str, Any]) -> None:
    attributes.clear()
    attributes.update(values)


def _only(attributes: dict[str, Any], names: frozenset[str], _: None) -> None:
    for name in attributes.keys() - names:
        del attributes[name]


def _forget(space: dict[str, Any], name: str, _: None) -> None:
    space.pop(name, None)


def _is_a_learners(module: str) -> bool:
    """Whether a module is a notebook, or code from no file: a library's own state is left alone."""
    return module == "__main__" or getattr(sys.modules.get(module), "__file__", None) is None


def _global_names(code: types.CodeType) -> list[str]:
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return [*code.co_names, *(name for one in inner for name in _global_names(one))]
