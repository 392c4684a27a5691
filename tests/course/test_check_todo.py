import contextlib
import copy
import functools
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from checking import one_case
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from helpers.course import TODO, NotDoneYet
from helpers.course.card import Status
from helpers.course.check import run_check
from helpers.course.exercises import Exercise
from helpers.course.todo import find_todo, unchanged


def unfinished(score: float) -> bool:
    """Whether to refuse."""
    _ = 0.4
    return TODO


def raising(score: float) -> bool:
    raise TODO


def finished(score: float) -> bool:
    """A comment or a string that says TODO is no placeholder."""
    # TODO: nothing
    return "TODO" not in str(score)


def with_inner(score: float) -> bool:
    def inner() -> bool:
        return TODO

    return inner()


async def later(score: float) -> bool:
    return TODO


def default(limit: int = TODO) -> int:
    return limit


class Unfinished:
    def answer(self) -> str:
        return TODO


class Finished:
    limit = 1

    def answer(self) -> str:
        return "yes"


class HalfFinished(Finished):
    @property
    def threshold(self) -> float:
        return TODO


@dataclass
class Settings:
    limit: int
    prompt: str = "Answer."


@functools.wraps(unfinished)
def wrapped(*arguments: Any) -> Any:
    return unfinished(*arguments)


def closure(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        return function(*arguments)

    return call


@tool
def unfinished_tool(query: str) -> str:
    """Search the documents."""
    return TODO


@tool
def finished_tool(query: str) -> str:
    """Search the documents."""
    return query


@pytest.mark.parametrize(
    "submission",
    [
        TODO,
        unfinished,
        raising,
        with_inner,
        later,
        default,
        wrapped,
        Unfinished,
        Unfinished(),
        Unfinished().answer,
        HalfFinished(),
        closure(unfinished),
        functools.partial(unfinished, 0.3),
        functools.partial(finished, TODO),
        lambda score: TODO,
        Settings(limit=TODO),
        (0.4, TODO),
        {"prompt": TODO, "limit": 1},
        [finished, unfinished],
        unfinished_tool,
        RunnableLambda(unfinished),
        RunnableLambda(finished) | RunnableLambda(unfinished),
    ],
    ids=lambda value: getattr(value, "__qualname__", type(value).__name__),
)
def test_a_placeholder_is_found(submission: object) -> None:
    assert find_todo(submission)
    card = run_check(one_case(lambda _: pytest.fail("it was called"), 1), submission)
    assert card.status is Status.NOT_DONE_YET
    assert (card.passed, card.total) == (0, 0)


@pytest.mark.parametrize(
    "submission",
    [
        finished,
        Finished,
        Finished(),
        closure(finished),
        Settings(limit=1),
        (0.4, "TODO"),
        "TODO",
        None,
        finished_tool,
        RunnableLambda(finished) | RunnableLambda(finished),
        pytest,
        NotDoneYet,
    ],
    ids=lambda value: getattr(value, "__qualname__", type(value).__name__),
)
def test_finished_work_has_none(submission: object) -> None:
    assert find_todo(submission) is None


def test_the_card_says_where_it_stands() -> None:
    line = unfinished.__code__.co_firstlineno + 3
    assert find_todo(unfinished) == f"TODO is still in unfinished, line {line} of its cell."
    assert find_todo(TODO) == "It is still TODO."
    assert find_todo([TODO]) == "A part of it is still TODO."


def from_elsewhere(code: str, **names: object) -> Any:
    """A function that uses names of which its own module knows nothing, as TODO's users may."""
    return eval(code, names)


@pytest.mark.parametrize("hidden", [unfinished, raising])
def test_a_placeholder_that_shows_itself_only_in_use_is_found_too(hidden: Any) -> None:
    call = from_elsewhere("lambda: {'answer': [hidden(0.5)]}", hidden=hidden)
    assert find_todo(call) is None
    assert run_check(one_case(lambda f: f(), 1), call).status is Status.NOT_DONE_YET


def test_an_error_that_a_placeholder_led_to_is_not_done_yet() -> None:
    hidden = from_elsewhere("lambda: value + 1", value=TODO)

    def cautious() -> int:
        try:
            return hidden()
        except Exception as error:
            raise ValueError("it did not work") from error

    assert run_check(one_case(lambda f: f(), 1), cautious).status is Status.NOT_DONE_YET


@pytest.mark.parametrize(
    "use",
    [
        lambda: TODO(),
        lambda: TODO + 1,
        lambda: 1 + TODO,
        lambda: TODO < 3,
        lambda: TODO[0],
        lambda: list(TODO),
        lambda: 1 in TODO,
        lambda: TODO.name,
        lambda: bool(TODO),
        lambda: float(TODO),
        lambda: contextlib.ExitStack().enter_context(TODO),
    ],
)
def test_using_it_says_that_it_is_still_to_do(use: Callable[[], object]) -> None:
    with pytest.raises(NotDoneYet, match="still TODO"):
        use()


def test_it_is_one_object_that_prints_as_its_name() -> None:
    assert repr(TODO) == str(TODO) == f"{TODO}" == "TODO"
    assert copy.deepcopy([TODO])[0] is TODO
    assert pickle.loads(pickle.dumps(TODO)) is TODO
    assert not hasattr(TODO, "_repr_html_")
    assert TODO == TODO
    assert TODO != 1


# --- code to mend ------------------------------------------------------------------------------


def starter(orders: list[int], limit: int = 3) -> list[int]:
    return sorted(order for order in orders if order > limit)


def the_same(orders: list, limit: int = 3) -> Any:  # another name, other annotations
    # and a comment
    return sorted(order for order in orders if order > limit)


def other_default(orders: list[int], limit: int = 2) -> list[int]:
    return sorted(order for order in orders if order > limit)


def other_code(orders: list[int], limit: int = 3) -> list[int]:
    return sorted(order for order in orders if order >= limit)


def other_constant(orders: list[int], limit: int = 3) -> list[int]:
    return sorted(order for order in orders if order > limit + 1)


def make_tool(description: str, answer: str) -> object:
    def look(query: str) -> str:
        return query + answer

    return tool(description=description)(look)


class Basket:
    limit = 3

    def add(self, item: str) -> str:
        return item


class SameBasket:
    limit = 3

    def add(self, item: str) -> str:
        return item


class OtherBasket:
    limit = 4

    def add(self, item: str) -> str:
        return item


@pytest.mark.parametrize(
    ("submission", "given", "same"),
    [
        (the_same, starter, True),
        (other_default, starter, False),
        (other_code, starter, False),
        (other_constant, starter, False),
        (lambda orders: orders, starter, False),
        ("Answer.", "Answer.", True),
        ("Answer shortly.", "Answer.", False),
        ({"prompt": "Answer.", "rank": the_same}, {"prompt": "Answer.", "rank": starter}, True),
        ((0.4, "a"), (0.4, "b"), False),
        (SameBasket, Basket, True),
        (OtherBasket, Basket, False),
        (Settings(1), Settings(1), True),
        (Settings(1), Settings(2), False),
        (make_tool("Look.", "!"), make_tool("Look.", "!"), True),
        (make_tool("Look it up.", "!"), make_tool("Look.", "!"), False),
    ],
)
def test_code_and_values_that_equal_the_starter_are_found(
    submission: object, given: object, same: bool
) -> None:
    assert unchanged(submission, given) is same


def test_an_unchanged_starter_is_not_done_yet_and_a_broken_one_is_wrong() -> None:
    exercise = one_case(lambda f: f([4, 3, 5]), [3, 4, 5])
    mending = Exercise("99.1", "Mend it", ("Look.",), exercise.cases, starter=starter)
    assert run_check(mending, the_same).status is Status.NOT_DONE_YET
    assert run_check(mending, other_default).status is Status.PASSED
    assert run_check(mending, other_constant).status is Status.WRONG
