"""Every exercise with a file of its own: its answers, its strength, and that it is complete.

Of an exercise with many answers a part is tried, spread over its file, and one for each known slip;
where a check waits for servers a smaller part. `COURSE_EVERY_ANSWER=1` tries all.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from helpers.authoring.answers import FEWEST_RIGHT, FEWEST_WRONG, Answer, answers_file, answers_to
from helpers.authoring.strength import measure
from helpers.course.card import Card, Status
from helpers.course.check import run_check
from helpers.course.exercises import Exercise, modules
from helpers.course.exercises.define import exercise_files, of_module
from helpers.paths import ROOT
from tests.every import every_answer

EXERCISES = [exercise for module in modules() for exercise in of_module(module)]
ANSWERS = {exercise.id: answers_to(ROOT, exercise) for exercise in EXERCISES}


class Sample(NamedTuple):
    """At most how many answers and faults of an exercise are tried in the suite."""

    wrong: int
    right: int
    faults: int
    slips: bool = False  # also the first answer that shows each known slip


USUAL, LIVE = Sample(6, 2, 5, slips=True), Sample(5, 2, 2)
# Modules and exercises whose checks take seconds: servers, waits, replayed days. A right answer to
# 06.5 or 07.6 is deployed twice, which takes half a minute; the check of 03.5 asks the local model
# for minutes, that of 11.5 replays five shifts.
SAMPLES = {
    **dict.fromkeys(("05", "06", "08.3", "08.6", "09.4", "10.6"), LIVE),
    **dict.fromkeys(("06.5", "07.6"), LIVE._replace(right=1)),
    "03.5": Sample(2, 1, 0),
    "11.5": Sample(4, 1, 0),
    "12": Sample(60, 20, 0),  # to judge a text is quick: all of them
}
SEED = 12


def sample_of(exercise: Exercise) -> Sample:
    """The exercise's own sample, or its module's."""
    return SAMPLES.get(exercise.id) or SAMPLES.get(exercise.id[:2], USUAL)


def spread(answers: Sequence[Answer], most: int, *, slips: bool) -> list[Answer]:
    """At most so many of them, evenly spread, and with `slips` the first that shows each one."""
    step = 1 if every_answer() else max(1, -(-len(answers) // most))
    first = {answer.slip: answer for answer in reversed(answers) if answer.slip} if slips else {}
    tried = [*answers[::step], *first.values()]
    return [answer for answer in answers if answer in tried]


def tried(exercise: Exercise) -> tuple[list[Answer], list[Answer]]:
    """The wrong and the right answers to an exercise that are tried."""
    answers, sample = ANSWERS[exercise.id], sample_of(exercise)
    return (
        spread(answers.wrong, sample.wrong, slips=sample.slips),
        spread(answers.right, sample.right, slips=sample.slips),
    )


WRONG = [(exercise, answer) for exercise in EXERCISES for answer in tried(exercise)[0]]
RIGHT = [(exercise, answer) for exercise in EXERCISES for answer in tried(exercise)[1]]


def name(value: Exercise | Answer) -> str:
    return value.id if isinstance(value, Exercise) else value.name


def shows(card: Card, answer: Answer) -> bool:
    """Whether the card says of the answer what it should."""
    if answer.right:
        return card.status is Status.PASSED
    slips = [case.slip for case in card.cases]
    return card.status in (Status.WRONG, Status.PARTLY) and answer.slip in ["", *slips]


def verdict(exercise: Exercise, answer: Answer, patch: pytest.MonkeyPatch) -> Card:
    """The card of an answer; where a busy machine ended a case too early, of a longer second try.

    The limits are there for code that never ends, and on a machine that does much else at the same
    time they end other code as well.
    """
    card = run_check(exercise, answer.make())
    if not shows(card, answer) and "was stopped after" in card.text():
        patch.setenv("COURSE_TIME_FACTOR", "6")
        card = run_check(exercise, answer.make())
    return card


@pytest.mark.parametrize(("exercise", "answer"), WRONG, ids=name)
def test_a_wrong_answer_does_not_pass(
    exercise: Exercise, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = verdict(exercise, answer, monkeypatch)
    assert shows(card, answer), f"{answer.why} Slip: {answer.slip}\n\n{card.text()}"


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=name)
def test_a_right_answer_passes(
    exercise: Exercise, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = verdict(exercise, answer, monkeypatch)
    assert shows(card, answer), f"{answer.why}\n\n{card.text()}"


# A live gate's faults are its wrong answers, which are tried above.
@pytest.mark.parametrize("exercise", [one for one in EXERCISES if not one.gate], ids=name)
def test_the_check_rejects_a_sample_of_faults(exercise: Exercise) -> None:
    sample = sample_of(exercise).faults
    found = measure(exercise, ANSWERS[exercise.id], sample=sample, seed=SEED)
    assert not found.survivors
    assert not found.unknown
    assert 0 < found.tried <= sample


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_an_exercise_is_complete(exercise: Exercise) -> None:
    answers = ANSWERS[exercise.id]
    assert len(answers.wrong) >= FEWEST_WRONG
    assert len(answers.right) >= FEWEST_RIGHT
    assert exercise.title
    assert exercise.cases.__doc__
    assert len(set(map(str, exercise.hints))) == len(exercise.hints) >= 2


@pytest.mark.parametrize("exercise", EXERCISES, ids=name)
def test_every_hint_fits_a_case_and_every_slip_has_a_wrong_answer(exercise: Exercise) -> None:
    cases = list(exercise.cases(lambda *_: None))
    about = {case.about for case in cases}
    for hint in exercise.hints:
        assert set(getattr(hint, "about", ())) <= about, hint
    slips = {slip.id for case in cases for slip in case.known_slips}
    assert slips == {answer.slip for answer in ANSWERS[exercise.id].wrong} - {""}


def test_the_answers_have_the_names_of_the_exercises() -> None:
    files = {path.relative_to(path.parents[1]).as_posix() for path in exercise_files()}
    answers = {
        path.relative_to(path.parents[1]).as_posix()
        for exercise in EXERCISES
        if (path := answers_file(ROOT, exercise))
    }
    assert files == answers
    there = (ROOT / "tests" / "exercises").glob("m[0-9][0-9]/e*.py")
    assert {path.relative_to(path.parents[1]).as_posix() for path in there} == files


def test_exercises_are_numbered_without_gaps() -> None:
    for module in modules():
        numbers = [exercise.id for exercise in of_module(module)]
        assert numbers
        assert numbers == [f"{module}.{n}" for n in range(1, len(numbers) + 1)]
