"""Every exercise of a module with one file for all, against its wrong answers.

Exercises with a file of their own are tested in `tests/exercises`.
"""

import pytest

from helpers.course.card import Status
from helpers.course.check import run_check
from helpers.course.exercises import Exercise, find, modules
from helpers.course.exercises.define import exercise_files, of_module
from tests.wrong import KINDS, Wrong, load

OLD = [module for module in modules() if not exercise_files(module)]
EXERCISES = [exercise for module in OLD for exercise in of_module(module)]
WRONG = load()
# Their checks ask a real agent many questions, or put a service under load, for seconds.
SLOW = ("02.6", "05.6")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answer, marks=[pytest.mark.slow] if answer.exercise in SLOW else [])
        for answer in WRONG
    ],
    ids=str,
)
def test_a_wrong_answer_does_not_pass(answer: Wrong) -> None:
    card = run_check(find(answer.exercise), answer.make())
    assert card.status in (Status.WRONG, Status.PARTLY), f"{answer.why}\n\n{card.text()}"
    assert answer.says.lower() in " ".join(card.text().split()).lower()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_an_exercise_has_wrong_answers_of_each_kind(exercise: Exercise) -> None:
    answers = [answer for answer in WRONG if answer.exercise == exercise.id]
    assert len(answers) >= 3
    assert {answer.kind for answer in answers} == set(KINDS)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_an_exercise_is_complete(exercise: Exercise) -> None:
    assert exercise.title
    assert exercise.cases.__doc__
    assert len(exercise.hints) >= 2
    assert len(set(exercise.hints)) == len(exercise.hints)


def test_exercises_are_numbered_without_gaps() -> None:
    for module in modules():
        numbers = [exercise.id for exercise in of_module(module)]
        assert numbers == [f"{module}.{n}" for n in range(1, len(numbers) + 1)]
        assert numbers


def test_every_wrong_answer_belongs_to_an_exercise() -> None:
    assert {answer.exercise for answer in WRONG} <= {exercise.id for exercise in EXERCISES}
