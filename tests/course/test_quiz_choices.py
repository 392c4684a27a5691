"""No quiz gives its right answers away by their length or by their place."""

from collections import Counter

import pytest

from helpers.course.questions import Choice, QuizQuestion, load, modules

MARGIN = 1.1  # right choices may be longer than wrong ones by a tenth in the mean


def faults(quiz: tuple[QuizQuestion, ...]) -> list[str]:
    """How the right answers of a quiz could be guessed, as sentences."""
    right = [len(one.text) for question in quiz for one in question.choices if one.right]
    wrong = [len(one.text) for question in quiz for one in question.choices if not one.right]
    longest = sum(
        size == max(len(one.text) for one in question.choices)
        for size, question in zip(right, quiz, strict=True)
    )
    places = Counter(
        next(place for place, one in enumerate(question.choices) if one.right) for question in quiz
    )
    found = []
    if longest * 2 > len(quiz):
        found.append(f"the right choice is the longest in {longest} of {len(quiz)} questions")
    if sum(right) / len(right) > MARGIN * sum(wrong) / len(wrong):
        found.append("right choices are longer than wrong ones")
    ((place, often),) = places.most_common(1)
    if often * 2 > len(quiz):
        found.append(f"place {place + 1} is right in {often} of {len(quiz)} questions")
    return found


def quiz_of(*questions: str) -> tuple[QuizQuestion, ...]:
    """A quiz from choices such as "aa *bbb cc", where * marks the right one."""
    return tuple(
        QuizQuestion(
            f"q{number}",
            "Which?",
            tuple(
                Choice(text.removeprefix("*"), "why", text.startswith("*"))
                for text in question.split()
            ),
        )
        for number, question in enumerate(questions)
    )


def test_the_rule_itself() -> None:
    assert faults(quiz_of("*aa bb cc", "aa *bb ccc", "aaa bb *cc", "aaa *bb cc")) == []
    assert faults(quiz_of("*aaaa bbb ccc", "aaa *bbbb ccc", "aaaaaaaa bb *ccc")) == [
        "the right choice is the longest in 2 of 3 questions"
    ]
    assert faults(quiz_of("*aaaaaaaaaaaaa b c", "aa *a aa", "aa aa *a", "aaa *a aa")) == [
        "right choices are longer than wrong ones"
    ]
    assert faults(quiz_of("aa *bb ccc", "aa *bb ccc", "*aa bb ccc")) == [
        "place 2 is right in 2 of 3 questions"
    ]


@pytest.mark.parametrize("module", modules())
def test_right_answers_cannot_be_guessed(module: str) -> None:
    assert faults(load(module)) == []
