import contextlib
import importlib
import signal
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from checking import one_case, result_of, rows

from helpers.course.card import Status
from helpers.course.check import check, run_check
from helpers.course.contain import contained
from helpers.course.exercises import Case, Exercise, raises

ENDED = "nothing: it was stopped after 0.3 s"


def busy() -> None:
    while True:
        pass


def asleep() -> None:
    time.sleep(60)


def stubborn() -> None:
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass


def caught() -> int:
    try:
        busy()
    except BaseException:
        return 1
    return 0


@pytest.mark.parametrize("endless", [busy, asleep, stubborn, caught])
def test_what_does_not_end_is_ended(endless: Any) -> None:
    tracing = sys.gettrace()
    card, result = result_of(endless, limit=0.3)
    assert card.status is Status.WRONG
    assert rows(result)["Got"] == ENDED
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    assert sys.gettrace() is tracing


def test_a_busy_loop_is_ended_in_another_thread() -> None:
    assert in_thread(lambda: rows(result_of(busy, limit=0.3)[1])) == {
        "Called": "f()",
        "Got": ENDED,
        "Expected": "1",
    }


def test_a_sleep_in_another_thread_is_left_behind_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("helpers.course.contain._PATIENCE_S", 0.2)
    told = in_thread(lambda: rows(result_of(lambda: time.sleep(5), limit=0.3)[1]))
    assert told["Got"] == ENDED
    assert "cannot be ended" in told["Why"]


def in_thread(call: Any) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


def test_a_check_works_in_another_thread() -> None:
    assert in_thread(lambda: result_of(lambda: 1)[0].status) is Status.PASSED


def test_after_two_endless_cases_the_others_are_not_waited_for() -> None:
    def cases(submission: Any) -> Iterable[Case]:
        for number in range(4):
            yield Case(f"case {number}", submission, 1, show="f()", limit=0.2)

    card = run_check(Exercise("99.1", "Test", ("Look.",), cases), busy)
    assert [dict(case.rows).get("Not run") is not None for case in card.cases] == [
        False,
        False,
        True,
        False,  # told by name alone, as the fourth failure
    ]
    assert (card.passed, card.total) == (0, 4)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no such order"), "ValueError: no such order"),
        (KeyError("tent"), "KeyError: 'tent'"),
        (AssertionError(), "AssertionError"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_what_is_raised_stands_on_the_card(error: BaseException, words: str) -> None:
    def learner() -> None:
        raise error

    card, result = result_of(learner)
    assert card.status is Status.WRONG
    assert rows(result)["Got"] == words


def test_an_error_shows_the_learners_lines_and_no_others() -> None:
    def inner() -> int:
        return int("seven")

    def learner() -> list[int]:
        return sorted([inner()], key=lambda n: n)

    where = rows(result_of(learner)[1])["Where"].splitlines()
    assert [line.partition(", ")[2] for line in where[-2:]] == [
        "in learner: return sorted([inner()], key=lambda n: n)",
        'in inner: return int("seven")',
    ]
    assert "helpers" not in str(where)
    assert ".py" not in str(where)


def test_endless_recursion_is_an_error_like_any_other() -> None:
    def learner() -> Any:
        return learner()

    _, result = result_of(learner)
    assert rows(result)["Got"].startswith("RecursionError")
    assert len(rows(result)["Where"].splitlines()) == 4


def test_the_users_interrupt_stops_the_check() -> None:
    def interrupted() -> int:
        signal.raise_signal(signal.SIGINT)
        return 1

    before = signal.getsignal(signal.SIGINT)  # a shell's background job ignores it
    with pytest.raises(KeyboardInterrupt):
        result_of(interrupted)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_stops_the_check_even_where_code_catches_it() -> None:
    def interrupted() -> int:
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        return 1

    with pytest.raises(KeyboardInterrupt):
        result_of(interrupted)


def test_check_says_that_it_was_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    check("00.2", interrupted)
    assert capsys.readouterr().out == (
        "The check of exercise 00.2 was stopped.\nNothing was recorded.\n"
    )


def test_what_is_printed_stands_on_the_card_and_nowhere_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def learner() -> int:
        print("looking")
        print("a warning", file=sys.stderr)
        return 2

    _, result = result_of(learner)
    assert rows(result)["Printed"] == "looking\na warning"
    assert capsys.readouterr() == ("", "")


def test_a_huge_print_is_cut_and_counted() -> None:
    def learner() -> None:
        for _ in range(100_000):
            print("x" * 99)

    printed = rows(result_of(learner)[1])["Printed"]
    assert len(printed) < 2100
    assert printed.endswith("... and 9998000 more characters")


def test_a_print_that_does_not_end_is_ended() -> None:
    def learner() -> None:
        while True:
            print("still here")

    told = rows(result_of(learner, limit=0.3)[1])
    assert told["Got"] == ENDED
    assert told["Printed"].startswith("still here\nstill here")


class Hostile:
    """An object whose repr does what it is told."""

    def __init__(self, act: Any) -> None:
        self.act = act

    def __repr__(self) -> str:
        return self.act()


def fail() -> str:
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("act", "shown"),
    [
        (fail, "<Hostile object whose repr() raises RuntimeError>"),
        (sys.exit, "<Hostile object>"),
        (lambda: 7, "<Hostile object whose repr() raises TypeError>"),
        (lambda: "y" * 10_000_000, "y" * 248 + "..." + "y" * 248),
    ],
)
def test_a_hostile_repr_is_contained(act: Any, shown: str) -> None:
    assert rows(result_of(lambda: Hostile(act))[1])["Got"] == shown


def test_a_repr_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("helpers.course.check"), "_LOOK_S", 0.3)
    told = rows(result_of(lambda: Hostile(busy))[1])
    assert told["Got"] == "<Hostile object whose repr() does not end>"


def test_huge_results_are_cut() -> None:
    assert len(rows(result_of(lambda: "z" * 10**7)[1])["Got"]) <= 310
    assert len(rows(result_of(lambda: list(range(10**6)))[1])["Got"]) < 100
    assert len(rows(result_of(lambda: [["deep" * 1000] * 100] * 100)[1])["Got"]) < 50_000
    assert rows(result_of(lambda: 10**10_000)[1])["Got"].startswith("<int object")


def test_an_error_with_a_hostile_message_is_named() -> None:
    class StrangeError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def learner() -> None:
        raise StrangeError

    assert rows(result_of(learner)[1])["Got"] == "StrangeError"


def test_a_hostile_comparison_is_contained() -> None:
    class Incomparable:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("not with me")

        __hash__ = None  # type: ignore[assignment]

    card, result = result_of(Incomparable)
    assert card.status is Status.WRONG
    assert rows(result)["Why"].endswith("is an Incomparable, where an int is expected.")


def test_an_object_that_resists_being_looked_at_is_tried_all_the_same() -> None:
    class Closed:
        def __getattribute__(self, name: str) -> Any:
            raise SystemExit

        def __call__(self) -> int:
            return 1

    assert run_check(one_case(lambda f: f(), 1), Closed()).status is Status.PASSED


def test_cases_that_cannot_be_set_up_are_a_wrong_answer() -> None:
    def cases(submission: Any) -> Iterable[Case]:
        yield Case("first", lambda: 1, 1, show="f()")
        size = submission.size
        yield Case("second", lambda: size, 1, show="f.size")

    card = run_check(Exercise("99.1", "Test", ("Look.",), cases), object())
    assert card.status is Status.PARTLY
    assert rows(card.cases[1])["Got"] == "AttributeError: 'object' object has no attribute 'size'"


def test_an_expected_error_passes_and_its_absence_does_not() -> None:
    def learner() -> None:
        raise ValueError("seconds must be positive")

    assert result_of(learner, raises(ValueError, "Seconds"))[0].status is Status.PASSED
    _, other_words = result_of(learner, raises(ValueError, "minutes"))
    assert "should name 'minutes'" in rows(other_words)["Why"]
    _, other_error = result_of(learner, raises(KeyError))
    assert "another error" in rows(other_error)["Why"]
    _, none = result_of(lambda: 1, raises(ValueError))
    assert rows(none)["Why"] == "It returned where an error should be raised."


def test_a_limit_inside_a_limit_leaves_the_outer_one_working() -> None:
    def outer() -> None:
        contained(lambda: 1, 5.0)
        busy()

    assert contained(outer, 0.3).ended == "time"


def test_time_limits_stretch_for_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_TIME_FACTOR", "2")
    assert rows(result_of(busy, limit=0.2)[1])["Got"] == "nothing: it was stopped after 0.4 s"
    monkeypatch.setenv("COURSE_TIME_FACTOR", "fast")
    assert contained(lambda: 1, 1.0).value == 1
