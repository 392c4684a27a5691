import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.course import TODO, check, hint, progress, ready
from helpers.course.card import MIME, Card, Note, Status
from helpers.course.check import run_check
from helpers.course.exercises import Case, Exercise, define, exercise

checker = importlib.import_module("helpers.course.check")  # the name is the function's as well


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress, nothing done in this kernel, and the exercise 99.1: double a number."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(progress, "_memory", progress._Memory())
    monkeypatch.setattr(checker, "_last", {})
    monkeypatch.setattr(checker, "_tries", {})
    monkeypatch.setattr(checker, "_shown_hints", {})
    monkeypatch.setattr(define, "_exercises", {})

    @exercise("99.1", title="Double it", hints=["More than once?", "Times two.", "n * 2"])
    def double(submission: Any) -> Iterator[Case]:
        """Twice a number."""
        for number in (3, 0, -2):
            yield Case(
                f"twice {number}",
                lambda number=number: submission(number),
                number * 2,
                show=f"double({number})",
                slips=[(number, "That is the number itself.")],
            )


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> list[Card | Note]:
    shown: list[Card | Note] = []
    monkeypatch.setattr(checker, "_show", shown.append)
    return shown


def unfinished(number: int) -> int:
    return TODO


def same(number: int) -> int:
    return number


def nothing(number: int) -> None:
    pass


def right(number: int) -> int:
    return number * 2


@pytest.mark.parametrize(
    ("submission", "status", "passed", "total"),
    [
        (TODO, Status.NOT_DONE_YET, 0, 0),
        (unfinished, Status.NOT_DONE_YET, 0, 0),
        (nothing, Status.WRONG, 0, 3),
        (42, Status.WRONG, 0, 3),
        (None, Status.WRONG, 0, 3),
        (same, Status.PARTLY, 1, 3),
        (right, Status.PASSED, 3, 3),
    ],
)
def test_the_four_statuses(submission: object, status: Status, passed: int, total: int) -> None:
    card = run_check("99.1", submission)
    assert (card.status, card.passed, card.total) == (status, passed, total)


def test_a_card_says_what_was_called_what_came_what_was_expected_and_why() -> None:
    card = run_check("99.1", same)
    assert card.heading == "Exercise 99.1, Double it: partly (1 of 3)"
    assert card.cases[0].rows == (
        ("Called", "double(3)"),
        ("Got", "3"),
        ("Expected", "6"),
        ("Why", "That is the number itself."),
    )


def test_check_shows_a_card_records_the_result_and_returns_nothing(
    cards: list[Card | Note],
) -> None:
    assert check("99.1", same) is None
    assert check("99.1", right) is None
    first, second = cards
    assert isinstance(first, Card)
    assert isinstance(second, Card)
    assert (first.status, second.status) == (Status.PARTLY, Status.PASSED)
    (record,) = progress.report()["99"].checks
    assert (record.status, record.passed, record.total, record.tries) == ("passed", 3, 3, 2)


def test_the_statuses_are_those_that_progress_knows() -> None:
    assert {status.value for status in Status} == set(progress.STATUSES)


def hint_of(card: Card | Note) -> str:
    assert isinstance(card, Card)
    return card.hint


def test_each_new_wrong_try_brings_the_next_hint(cards: list[Card | Note]) -> None:
    for submission in (nothing, same, lambda n: n * 3, lambda n: n * 4):
        check("99.1", submission)
    assert [hint_of(card) for card in cards] == [
        "Hint 1 of 3: More than once?",
        "Hint 2 of 3: Times two.",
        "Hint 3 of 3: n * 2",
        "Hint 3 of 3: n * 2",
    ]
    assert progress.hints_used("99.1") == 3


def test_the_same_try_again_repeats_its_hint(cards: list[Card | Note]) -> None:
    for _ in range(3):
        check("99.1", same)
    assert {hint_of(card) for card in cards} == {"Hint 1 of 3: More than once?"}
    assert progress.hints_used("99.1") == 1


def test_neither_an_unfinished_nor_a_right_try_uses_a_hint(cards: list[Card | Note]) -> None:
    for submission in (TODO, unfinished, right):
        check("99.1", submission)
    assert [hint_of(card) for card in cards] == ["", "", ""]
    assert progress.hints_used("99.1") == 0


def test_hint_brings_one_more_each_time_and_then_says_that_there_are_none(
    cards: list[Card | Note],
) -> None:
    check("99.1", same)
    for _ in range(3):
        hint("99.1")
    shown = [card.sentences for card in cards if isinstance(card, Note)]
    assert shown[0] == ("Hint 1 of 3: More than once?", "Hint 2 of 3: Times two.")
    assert shown[1] == (
        "Hint 1 of 3: More than once?",
        "Hint 2 of 3: Times two.",
        "Hint 3 of 3: n * 2",
        "There are no more hints.",
    )
    assert shown[2] == shown[1]


def test_ready_says_which_exercise_is_missing(
    cards: list[Card | Note], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not ready("99.1")
    assert capsys.readouterr().out == "This cell needs exercise 99.1. Run its check first.\n"
    check("99.1", unfinished)
    assert not ready("99.1")
    assert capsys.readouterr().out == "This cell needs exercise 99.1. So far it is not done yet.\n"
    check("99.1", right)
    assert ready("99.1")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("call", [check, hint])
@pytest.mark.parametrize("number", ["99.7", "98.1", "one", "", "9", "../m00"])
def test_an_unknown_exercise_is_a_sentence(
    call: Any, number: str, cards: list[Card | Note]
) -> None:
    call(number, *([right] if call is check else []))
    (note,) = cards
    assert f"There is no exercise {number!r}." in str(note)


def test_a_number_that_is_no_text_is_a_sentence_too(cards: list[Card | Note]) -> None:
    check(1.2, right)  # type: ignore[arg-type]
    assert "There is no exercise 1.2." in str(cards[0])


def test_check_without_an_object_says_how_to_call_it(cards: list[Card | Note]) -> None:
    check("99.1")
    assert 'check("99.1", my_function)' in str(cards[0])


def test_a_fault_of_the_course_is_named_as_such_and_not_recorded(
    cards: list[Card | Note],
) -> None:
    define._exercises["99.1"] = Exercise("99.1", "Empty", ("Wait.",), lambda submission: [])
    check("99.1", right)
    assert "This is a fault of the course" in str(cards[0])
    assert "exercise 99.1 has no cases" in str(cards[0])
    assert progress.report() == {}


def test_progress_that_cannot_be_kept_is_a_note_on_the_card(
    cards: list[Card | Note], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    check("99.1", same)
    check("99.1", nothing)
    first, second = cards
    assert isinstance(first, Card)
    assert "cannot be kept" in first.notes[0]
    assert (hint_of(first)[:11], hint_of(second)[:11]) == ("Hint 1 of 3", "Hint 2 of 3")


def test_progress_that_fails_altogether_costs_the_record_alone(
    cards: list[Card | Note], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(progress, "record_check", fail)
    check("99.1", right)
    (card,) = cards
    assert isinstance(card, Card)
    assert card.status is Status.PASSED
    assert card.notes == ("This result could not be kept: OSError: no space left on device",)


def test_outside_a_notebook_the_card_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    check("99.1", right)
    printed = capsys.readouterr().out
    assert printed.startswith("[+] Exercise 99.1, Double it: passed\n3 of 3 cases passed.\n")
    assert MIME not in printed


def test_a_check_leaves_the_learners_variables_and_folder_alone() -> None:
    before = (Path.cwd(), dict(os.environ))
    run_check("99.1", right)
    assert (Path.cwd(), dict(os.environ)) == before
