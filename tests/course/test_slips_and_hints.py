"""What a card says of a wrong try: the hint, the tip, whose fault it is, what was not run."""

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from checking import one_case, rows

from helpers.course import check, hint, progress
from helpers.course.card import Card, Note, Status
from helpers.course.check import run_check
from helpers.course.exercises import Case, Exercise, Hint, Slip, define, exercise
from helpers.faults import EquipmentError, MissingEquipmentError
from helpers.paths import ROOT

checker = importlib.import_module("helpers.course.check")


def restart() -> None:
    """What a restart of the kernel forgets."""
    for known in (checker._last, checker._tries, checker._shown_hints):
        known.clear()


@pytest.fixture(autouse=True)
def shown(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> list[Card | Note]:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(progress, "_memory", progress._Memory())
    for name in ("_last", "_tries", "_shown_hints"):
        monkeypatch.setattr(checker, name, {})
    monkeypatch.setattr(define, "_exercises", {})

    @exercise(
        "99.1",
        title="Two numbers",
        hints=["G1", "G2", Hint("Z1", "zero"), Hint("Z2", "zero"), Hint("N1", "negative")],
    )
    def numbers(submission: Any) -> Iterator[Case]:
        """What f gives for three numbers."""
        for about, number in (("", 1), ("zero", 0), ("negative", -1)):
            yield Case(f"f({number})", lambda n=number: submission(n), number, "f", about=about)

    cards: list[Card | Note] = []
    monkeypatch.setattr(checker, "_show", cards.append)
    return cards


def only(**right: int) -> Callable[[int], int]:
    """Right except for the numbers named."""
    wrong = {"zero": 0, "one": 1, "minus": -1}
    values = {wrong[name]: value for name, value in right.items()}
    return lambda n: values.get(n, n)


def hints(shown: list[Card | Note]) -> list[str]:
    return [card.hint.partition(": ")[2] for card in shown if isinstance(card, Card)]


def test_a_hint_fits_the_case_that_failed_first(shown: list[Card | Note]) -> None:
    check("99.1", only(zero=5, minus=5))
    check("99.1", only(one=5, zero=5))
    check("99.1", only(minus=7))
    assert hints(shown) == ["Z1", "G1", "N1"]


def test_hints_go_from_gentle_to_explicit_and_end_with_the_fitting_one(
    shown: list[Card | Note],
) -> None:
    for value in (5, 6, 7, 8):
        check("99.1", only(zero=value))
    assert hints(shown) == ["Z1", "Z2", "Z2", "Z2"]
    assert progress.hints_used("99.1") == 2


def test_the_same_try_repeats_its_hint(shown: list[Card | Note]) -> None:
    for _ in range(3):
        check("99.1", only(zero=5))
    assert hints(shown) == ["Z1"] * 3


def test_after_a_restart_what_was_used_counts_as_seen(shown: list[Card | Note]) -> None:
    check("99.1", only(one=5))
    restart()
    check("99.1", only(one=5))
    assert hints(shown) == ["G1", "G2"]


def test_hint_without_a_try_gives_the_general_ones_first(shown: list[Card | Note]) -> None:
    for _ in range(6):
        hint("99.1")
    last = shown[-1]
    assert isinstance(shown[0], Note)
    assert isinstance(last, Note)
    assert shown[0].sentences == ("Hint 1 of 5: G1",)
    assert [line[-2:] for line in last.sentences[:-1]] == ["G1", "G2", "Z1", "Z2", "N1"]
    assert last.sentences[-1] == "There are no more hints."
    assert progress.hints_used("99.1") == 5


def test_hint_after_a_try_gives_those_of_its_case_then_the_general_ones(
    shown: list[Card | Note],
) -> None:
    check("99.1", only(zero=5))
    for _ in range(4):
        hint("99.1")
    notes = [note for note in shown if isinstance(note, Note)]
    assert [line[-2:] for line in notes[0].sentences] == ["Z1", "Z2"]
    assert [line[-2:] for line in notes[-1].sentences[:-1]] == ["G1", "G2", "Z1", "Z2"]
    assert notes[-1].sentences[-1] == (
        "No more hints for this; others come with the mistakes that they fit."
    )


def test_no_hint_where_only_the_rest_of_the_cases_could_not_be_made(
    shown: list[Card | Note],
) -> None:
    @exercise("99.2", title="Two numbers", hints=["G1", "G2"])
    def numbers(submission: Any) -> Iterator[Case]:
        """What f gives for 1, and for what a cell has to bring."""
        yield Case("f(1)", lambda: submission(1), 1, "f")
        raise LookupError("Run the cell above.")

    check("99.2", lambda number: number)
    check("99.2", lambda number: -number)
    assert next(card.hint for card in shown if isinstance(card, Card)) == ""
    assert hints(shown)[1] == "G1"
    assert "Run the cell above." in str(shown[0])


def test_live_cases_are_left_out_where_every_case_before_failed() -> None:
    ran: list[str] = []

    def cases(submission: Any) -> Iterator[Case]:
        yield Case("quick", lambda: submission, 1, "f")
        yield Case("live", lambda: ran.append("live") or submission, 1, "f", live=True)
        yield Case("long", lambda: ran.append("long") or submission, 1, "f", limit=30)

    made = Exercise("99.2", "T", ("H",), cases)
    card = run_check(made, 2)
    assert ran == []
    assert [rows(case).get("Not run", "")[:15] for case in card.cases[1:]] == [
        "It takes longer"
    ] * 2
    assert run_check(made, 1).status is Status.PASSED
    assert ran == ["live", "long"]


def test_a_case_after_all_is_left_out_where_one_case_before_failed() -> None:
    ran: list[str] = []

    def cases(submission: Any) -> Iterator[Case]:
        yield Case("small", lambda: submission < 2, True, "f")
        yield Case("exact", lambda: submission, 1, "f")
        yield Case("live", lambda: ran.append("live") or 1, 1, "f", live=True)
        yield Case("last", lambda: ran.append("last") or 1, 1, "f", after_all=True)

    made = Exercise("99.2", "T", ("H",), cases)
    card = run_check(made, 0)
    assert ran == ["live"]
    assert "a case before it has failed" in rows(card.cases[3])["Not run"]
    assert run_check(made, 1).status is Status.PASSED
    assert ran == ["live", "live", "last"]


def failing(times: int, error: Callable[[], BaseException]) -> Callable[[], int]:
    left = [times]

    def call() -> int:
        left[0] -= 1
        if left[0] >= 0:
            raise error()
        return 1

    return call


def wrapped() -> BaseException:
    error = ValueError("no answer")
    error.__cause__ = EquipmentError("port taken")
    return error


FAULTS = [
    lambda: EquipmentError("port taken"),
    lambda: ExceptionGroup("two", [ValueError(), EquipmentError("port taken")]),
    wrapped,
]


@pytest.mark.parametrize("fault", FAULTS, ids=["plain", "in a group", "the cause"])
def test_equipment_that_fails_once_is_tried_again(fault: Any) -> None:
    made = one_case(lambda f: f(), 1)
    assert run_check(made, failing(1, fault)).status is Status.PASSED


@pytest.mark.parametrize("fault", FAULTS, ids=["plain", "in a group", "the cause"])
def test_equipment_that_fails_twice_is_the_courses_fault(
    fault: Any, shown: list[Card | Note]
) -> None:
    define._exercises["99.1"] = one_case(lambda f: f(), 1)
    check("99.1", failing(2, fault))
    assert "This is a fault of the course, not of your code" in str(shown[0])
    assert "port taken" in str(shown[0])
    assert progress.report() == {}
    assert checker._last == {}


def test_equipment_that_fails_while_cases_are_made_is_no_wrong_answer() -> None:
    def made(times: int) -> Exercise:
        start = failing(times, FAULTS[0])

        def cases(submission: Any) -> Iterator[Case]:
            start()
            yield Case("a", lambda: submission, 1, "f")

        return Exercise("99.2", "T", ("H",), cases)

    assert run_check(made(1), 1).status is Status.PASSED
    with pytest.raises(EquipmentError):
        run_check(made(2), 1)


def in_the_course(expression: str) -> Callable[[Any], Any]:
    """A line of an exercise's file, which uses the answer as `got`."""
    file = str(ROOT / "helpers" / "course" / "exercises" / "m99.py")
    made: Callable[[Any], Any] = eval(compile(f"lambda got: {expression}", file, "eval"))
    return made


def used(expression: str, answer: Any) -> dict[str, str]:
    """The rows of a case whose own line uses the answer; no line of a test stands between."""

    def cases(submission: Any) -> Iterator[Case]:
        yield Case("it works", partial(in_the_course(expression), submission), 1, show="f()")

    return rows(run_check(Exercise("99.2", "T", ("H",), cases), answer).cases[0])


def why(expression: str, answer: Any) -> str:
    return used(expression, answer).get("Why", "")


def test_what_the_check_could_not_use_is_named() -> None:
    assert why("got.result", "yes") == "Your code gave a str, which has no result: 'yes'"
    assert why("got.invoke({})", why) == "This is a function, not a tool: decorate it with @tool."
    assert why("got.result", (1, 2)) == "Your code gave a tuple, which has no result: (1, 2)"
    assert why("got['a']", None).startswith("Your code ran without an error, but")


def test_a_call_that_does_not_fit_needs_no_tip() -> None:
    told = used("got(1, 2)", only())
    assert "takes 1 positional argument but 2 were given" in told["Got"]
    assert "Why" not in told


def test_an_error_in_the_learners_code_shows_its_lines_and_no_tip() -> None:
    def answer() -> Any:
        return "text".result  # type: ignore[attr-defined]

    told = used("got()", answer)
    assert 'return "text".result' in told["Where"]
    assert "Why" not in told


@pytest.mark.parametrize(
    ("slip", "answer", "named"),
    [
        (Slip.value("it", 2.0, "It."), 2.0 + 1e-12, True),
        (Slip.value("it", 2, "It."), 3, False),
        (Slip.raises("it", KeyError, "It."), KeyError("a"), True),
        (Slip.raises("it", KeyError, "It."), ValueError("a"), False),
        (Slip.when("it", lambda got: got > 5, "It."), 6, True),
        (Slip.when("it", lambda got: got > 5, "It."), "six", False),
        (Slip.when("it", lambda got: got > 5, "It."), KeyError("a"), False),
        (Slip.like("it", lambda: 2, "It."), 2, False),
    ],
)
def test_a_slip_is_known_by_its_kind(slip: Slip, answer: Any, named: bool) -> None:
    def call(_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    card = run_check(one_case(call, 1, slips=[slip]), 0)
    assert (card.cases[0].slip == "it") is named
    assert ("It." in card.text()) is named


def test_the_last_line_says_what_to_do_about_a_wrong_verdict() -> None:
    card = run_check("99.1", only(zero=5))
    last = 'Is this verdict wrong? See "A verdict that is wrong" in CONTRIBUTING.md.'
    assert card.text().splitlines()[-1] == last
    assert "A verdict that is wrong" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_a_program_that_is_not_installed_is_nobodys_fault(shown: list[Card | Note]) -> None:
    define._exercises["99.1"] = one_case(lambda f: f(), 1)
    check("99.1", failing(2, lambda: MissingEquipmentError("run `apt install prometheus`")))
    assert "fault" not in str(shown[0])
    assert "run `apt install prometheus`" in str(shown[0])
    assert progress.report() == {}
