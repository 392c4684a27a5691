"""What a check takes for another process: nothing is kept, and `hash()` and the id are others."""

import copy
import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from helpers.course.exercises.m01.another_process import AnotherProcess

SOURCE = """
import functools, itertools, uuid
seen, numbers = {}, itertools.count(1)
last = 0

def by_global(text):
    return seen.setdefault(text, next(numbers))

def by_number(text):
    global last
    last += 1
    return last

def by_new_global(text):
    global made
    try:
        made
    except NameError:
        made = uuid.uuid4().hex
    return made

def by_default(text, kept={}):
    return kept.setdefault(text, uuid.uuid4().hex)

def by_attribute(text):
    return vars(by_attribute).setdefault(text, uuid.uuid4().hex)

def by_helper(text):
    return by_default(text)

class Names:
    kept = {}

    def __call__(self, text):
        return self.kept.setdefault(text, uuid.uuid4().hex)

def with_closure():
    kept, counter = {}, itertools.count()
    return lambda text: kept.setdefault(text, next(counter))

by_closure = with_closure()
by_cache = functools.cache(lambda text: next(numbers))
by_object = Names()
by_method = Names().__call__
"""


def notebook() -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(SOURCE, space)
    return space


def elsewhere(answer: Callable[[str], Any]) -> bool:
    """Whether the answer is the same in another process, after one call for another text."""
    other = AnotherProcess(answer)
    answer("before")
    here = answer("x")
    with other.entered():
        return bool(answer("x") == here)


@pytest.mark.parametrize("name", [name for name in notebook() if name.startswith("by_")])
def test_what_is_kept_is_gone(name: str) -> None:
    assert not elsewhere(notebook()[name])


def test_a_function_of_its_argument_is_the_same() -> None:
    cached: dict[str, str] = {}
    assert elsewhere(str.upper)
    assert elsewhere(lambda text: cached.setdefault(text, text * 2))
    assert elsewhere(functools.cache(lambda text: text * 2))
    assert elsewhere(functools.partial("{}-{}".format, "a"))


def test_hash_and_the_process_are_others_in_this_thread_alone() -> None:
    hashed, process = hash("x"), os.getpid()
    there: list[int] = []
    with AnotherProcess(None).entered():
        assert hash("x") != hashed
        assert os.getpid() != process
        thread = threading.Thread(target=lambda: there.extend([hash("x"), os.getpid()]))
        thread.start()
        thread.join()
    assert there == [hashed, process]
    assert (hash("x"), os.getpid()) == (hashed, process)


def test_a_librarys_own_state_is_left_alone() -> None:
    copiers = copy._deepcopy_dispatch  # type: ignore[attr-defined]
    other = AnotherProcess(copy.deepcopy)
    with other.entered():
        assert copy._deepcopy_dispatch is copiers  # type: ignore[attr-defined]
