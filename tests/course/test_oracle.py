"""Cases with generated inputs: what the oracle finds, how it ends, and whom it blames."""

import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checking import rows
from hypothesis import strategies as st

from helpers.course import TODO
from helpers.course.card import Card, Status
from helpers.course.check import run_check
from helpers.course.exercises import (
    Case,
    Exercise,
    Expectation,
    Slip,
    example,
    generated,
    oracle,
    satisfies,
)
from helpers.faults import EquipmentError
from helpers.paths import ROOT

NUMBERS = st.tuples(st.lists(st.integers(0, 1000), max_size=6))


def total(numbers: list[int]) -> int:
    return sum(numbers)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Card]:
    """Checks an answer against a reference, by default the sum of a list."""

    def check(answer: Any, reference: Any = total, inputs: Any = NUMBERS, **more: Any) -> Card:
        monkeypatch.setattr(oracle, "solved", lambda _: reference)

        def cases(submission: Any) -> list[Case]:
            return [
                generated(
                    "any",
                    submission,
                    exercise="99.1",
                    inputs=inputs,
                    **{"called": "total", **more},
                )
            ]

        return run_check(Exercise("99.1", "Total", ("Look.",), cases), answer)

    return check


Try = Callable[..., Card]


def test_a_right_answer_passes_sync_and_async(tried: Try) -> None:
    async def later(numbers: list[int]) -> int:
        return sum(numbers)

    assert tried(sum).status is Status.PASSED
    assert tried(later).status is Status.PASSED


def test_the_smallest_difference_is_shown_the_same_each_time(tried: Try) -> None:
    def wrong(numbers: list[int]) -> int:
        return sum(n for n in numbers if n < 37)

    first, again = tried(wrong), tried(wrong)
    assert first == again
    assert rows(first.cases[0]) == {"Called": "total([37])", "Got": "0", "Expected": "37"}


def test_an_async_answer_is_compared_too(tried: Try) -> None:
    async def wrong(numbers: list[int]) -> int:
        return len(numbers)

    assert rows(tried(wrong).cases[0])["Called"] == "total([0])"


def test_an_async_generator_is_compared_as_a_list(tried: Try) -> None:
    async def doubled(numbers: list[int]) -> AsyncIterator[int]:
        for number in numbers:
            yield number * 2

    def reference(numbers: list[int]) -> list[int]:
        return [n * 2 for n in numbers]

    assert tried(doubled, reference).status is Status.PASSED


def test_an_object_is_compared_by_how_it_is_used(tried: Try) -> None:
    def used(box: dict[str, Callable[[list[int]], int]]) -> Callable[[list[int]], int]:
        return lambda numbers: box["sum"](numbers)

    def called(numbers: list[int]) -> str:
        return f"the box, given {len(numbers)} numbers"

    assert tried({"sum": sum}, {"sum": total}, used=used).status is Status.PASSED
    wrong = tried({"sum": len}, {"sum": total}, used=used, called=called).cases[0]
    assert rows(wrong) == {
        "Called": "the box, given 1 numbers",
        "Got": "1",
        "Expected": "0",
    }


def test_a_changed_argument_is_found_however_deep(tried: Try) -> None:
    def answer(usage: dict[str, list[int]]) -> int:
        usage["counts"].sort(reverse=True)
        return sum(usage["counts"])

    inputs = st.tuples(st.fixed_dictionaries({"counts": st.lists(st.integers(0, 9), max_size=4)}))
    result = tried(answer, lambda u: sum(u["counts"]), inputs).cases[0]
    assert rows(result)["Called"] == "total({'counts': [0, 1]})"
    assert "The arguments are ({'counts': [1, 0]},) after the call." in rows(result)["Why"]
    assert rows(result)["Expected"] == "1, and the arguments unchanged"


def test_an_answer_that_changes_its_argument_and_then_raises_shows_the_error(tried: Try) -> None:
    def answer(numbers: list[int]) -> int:
        return numbers.pop() + sum(numbers)

    result = tried(answer).cases[0]
    assert rows(result)["Called"] == "total([])"
    assert rows(result)["Got"] == "IndexError: pop from empty list"


def test_arguments_that_equal_only_themselves_are_not_called_changed(tried: Try) -> None:
    class Price:
        def __init__(self, value: float) -> None:
            self.value = value

    inputs = st.tuples(st.builds(Price, st.floats()))
    assert tried(lambda p: p.value, lambda p: p.value, inputs).status is Status.PASSED
    assert tried(sum, sum, st.tuples(st.lists(st.just(float("nan"))))).status is Status.PASSED


def test_a_second_call_that_differs_says_so(tried: Try) -> None:
    calls: list[int] = []

    def answer(numbers: list[int]) -> int:
        calls.append(1)
        return sum(numbers) + (len(calls) % 2 == 0)

    assert "keep nothing between calls" in rows(tried(answer).cases[0])["Why"]


def test_a_global_that_an_answer_changes_is_found(tried: Try) -> None:
    kept = {"calls": 0}

    def answer(numbers: list[int]) -> int:
        kept["calls"] += 1
        return sum(numbers) + (kept["calls"] > 5)

    assert tried(answer).status is Status.WRONG


def test_an_unfinished_part_is_not_done_yet_on_whichever_input(tried: Try) -> None:
    def large(numbers: list[int]) -> Any:
        return globals()["TODO"] + 1

    def answer(numbers: list[int]) -> Any:
        return large(numbers) if len(numbers) > 2 else sum(numbers)

    assert TODO is globals()["TODO"]
    assert tried(answer).status is Status.NOT_DONE_YET


def test_a_loop_that_does_not_end_is_ended_and_its_input_shown(tried: Try) -> None:
    def answer(numbers: list[int]) -> int:
        while len(numbers) > 3:
            pass
        return sum(numbers)

    result = tried(answer, limit=0.5).cases[0]
    assert rows(result)["Got"] == "nothing: it was stopped after 0.5 s"
    assert rows(result)["Called"].count(",") >= 3
    assert tried(sum).status is Status.PASSED  # nothing of the search is left behind


def test_a_slow_wrong_answer_shows_a_difference_and_not_the_clock(tried: Try) -> None:
    def answer(numbers: list[int]) -> int:
        threading.Event().wait(0.05)
        return -1

    result = tried(answer, limit=1.5).cases[0]
    assert rows(result)["Got"] == "-1"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (GeneratorExit(), "GeneratorExit"),
        (BaseException("mine"), "BaseException: mine"),
        (MemoryError(), "MemoryError"),
        (EOFError("no more"), "EOFError: no more"),
    ],
)
def test_whatever_an_answer_raises_is_its_own(tried: Try, error: BaseException, told: str) -> None:
    def answer(numbers: list[int]) -> int:
        if 5 in numbers:
            raise error
        return sum(numbers)

    result = tried(answer, inputs=st.tuples(st.lists(st.integers(0, 9), max_size=6))).cases[0]
    assert rows(result)["Called"] == "total([5])"
    assert rows(result)["Got"] == told


def test_a_keyboard_interrupt_of_the_answers_own_is_no_stop(tried: Try) -> None:
    def answer(numbers: list[int]) -> int:
        raise KeyboardInterrupt

    assert rows(tried(answer).cases[0])["Got"] == "KeyboardInterrupt"


def test_an_error_of_hypothesis_that_an_answer_raises_is_its_own(tried: Try) -> None:
    from hypothesis import assume
    from hypothesis.errors import InvalidArgument

    def refuses(numbers: list[int]) -> int:
        assume(len(numbers) < 2)
        return sum(numbers)

    def raises(numbers: list[int]) -> int:
        raise InvalidArgument("mine")

    assert tried(refuses).status is Status.WRONG
    assert rows(tried(raises).cases[0])["Got"] == "InvalidArgument: mine"


def test_endless_recursion_is_a_difference(tried: Try) -> None:
    def answer(numbers: list[int]) -> int:
        return answer(numbers) if 7 in numbers else sum(numbers)

    result = tried(answer, inputs=st.tuples(st.lists(st.integers(0, 9), max_size=6))).cases[0]
    assert rows(result)["Called"] == "total([7])"
    assert rows(result)["Got"].startswith("RecursionError")


def test_an_answer_that_prints_a_lot_is_cut(tried: Try) -> None:
    def answer(numbers: list[int]) -> int:
        print("x" * 5000)
        return sum(numbers)

    card = tried(answer)
    assert card.status is Status.PASSED
    assert len(rows(card.cases[0])["Printed"]) < 2100
    assert "more characters" in rows(card.cases[0])["Printed"]


def at_least_one(numbers: list[int]) -> int:
    if not numbers:
        raise ValueError("numbers must not be empty")
    return max(numbers)


def test_where_the_reference_raises_the_answer_must_and_name_what_is_wrong(tried: Try) -> None:
    def silent(numbers: list[int]) -> Any:
        return max(numbers, default=None)

    def vague(numbers: list[int]) -> int:
        if not numbers:
            raise ValueError("bad input")
        return max(numbers)

    class EmptyError(ValueError):
        pass

    def own(numbers: list[int]) -> int:
        if not numbers:
            raise EmptyError("give me NUMBERS")
        return max(numbers)

    for wrong in (silent, vague, max):
        card = tried(wrong, at_least_one, errors_name="numbers")
        assert card.status is Status.WRONG
        assert rows(card.cases[0])["Called"] == "total([])"
    assert (
        "should name 'numbers'"
        in rows(tried(vague, at_least_one, errors_name="numbers").cases[0])["Why"]
    )
    assert tried(own, at_least_one, errors_name="numbers").status is Status.PASSED


def test_a_faulty_function_must_explain_every_difference(tried: Try) -> None:
    slips = [
        Slip.like("length", len, "That is the length."),
        Slip.like("first", lambda numbers: numbers[0], "That is the first."),
        Slip.like("largest", lambda numbers: max(numbers, default=0), "That is the largest."),
    ]
    assert tried(len, slips=slips).cases[0].slip == "length"
    largest = tried(lambda numbers: max(numbers, default=0), slips=slips)
    assert largest.cases[0].slip == "largest"
    assert tried(lambda numbers: -1, slips=slips).cases[0].slip == ""


def test_a_faulty_function_that_changes_its_arguments_leaves_those_of_the_card(tried: Try) -> None:
    def last(numbers: list[int]) -> int:
        return numbers.pop() if numbers else 0

    result = tried(lambda n: n[-1] if n else 0, slips=[Slip.like("last", last, "The last.")])
    assert result.cases[0].slip == "last"


def test_what_the_statement_leaves_open_is_left_open(tried: Try) -> None:
    def any_order(right: list[int]) -> Expectation:
        return satisfies(
            f"{right}, in any order", lambda got: np.bool_(sorted(got) == sorted(right))
        )

    def reference(numbers: list[int]) -> list[int]:
        return sorted(set(numbers))

    answer = tried(
        lambda n: tuple(sorted(set(n), reverse=True)), reference, NUMBERS, expect=any_order
    )
    assert answer.status is Status.PASSED
    assert tried(sorted, reference, NUMBERS, expect=any_order).status is Status.WRONG


def test_a_result_that_cannot_be_looked_at_is_the_answers_fault(tried: Try) -> None:
    def looks(right: int) -> Expectation:
        return satisfies("a number", lambda got: got.value == right)

    result = tried(sum, expect=looks).cases[0]
    assert "Looking at the result raised AttributeError" in rows(result)["Why"]


def test_floats_inside_a_result_may_differ_by_rounding(tried: Try) -> None:
    inputs = st.tuples(st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=9))

    def reference(numbers: list[float]) -> dict[str, float]:
        return {"mean": sum(numbers) / len(numbers)}

    assert tried(lambda n: {"mean": np.mean(n)}, reference, inputs).status is Status.PASSED
    assert tried(lambda n: {"mean": np.mean(n) + 0.1}, reference, inputs).status is Status.WRONG


def broken(_: Any) -> Any:
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    ("inputs", "more"),
    [
        (st.tuples(st.integers().filter(lambda n: False)), {}),
        (st.tuples(st.integers(5, 1)), {}),
        (st.tuples(st.integers().map(broken)), {}),
        (st.tuples(st.builds(threading.Lock)), {}),
        (NUMBERS, {"expect": broken}),
    ],
    ids=["nothing fits", "no such range", "raises", "no copy", "expect raises"],
)
def test_a_fault_in_the_exercise_is_not_the_learners(
    tried: Try, inputs: Any, more: dict[str, Any]
) -> None:
    with pytest.raises(EquipmentError):
        tried(sum, sum, inputs, **more)


def test_an_example_whose_arguments_cannot_be_copied_is_the_courses_fault() -> None:
    def cases(submission: Any) -> list[Case]:
        return [example("one", submission, threading.Lock(), called="f", expect=1)]

    with pytest.raises(EquipmentError, match="cannot be copied"):
        run_check(Exercise("99.1", "T", ("H",), cases), lambda lock: 1)


def test_a_faulty_function_explains_an_example_without_arguments() -> None:
    def cases(submission: Any) -> list[Case]:
        slips = [Slip.like("two", lambda: 2, "Two.")]
        return [example("one", submission, called="f", expect=1, slips=slips)]

    card = run_check(Exercise("99.1", "T", ("H",), cases), lambda: 2)
    assert card.cases[0].slip == "two"


def test_a_check_leaves_nothing_in_the_working_folder(tmp_path: Path) -> None:
    program = (
        "from helpers.course.check import run_check\n"
        "print(run_check('00.2', lambda usage, seconds: usage['total_tokens'] / seconds).status)\n"
    )
    work = tmp_path / "work"
    work.mkdir()
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "COURSE_HOME": str(tmp_path / "home")}
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=work,
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "wrong\n"
    assert list(work.iterdir()) == []
