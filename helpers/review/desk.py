"""`review` and `model_answer`: what a notebook's cells call. Neither raises into the notebook."""

import contextlib
from collections.abc import Iterator

from helpers.course import check
from helpers.course.exercises import solved
from helpers.course.todo import find_todo
from helpers.paths import ROOT
from helpers.review.answer import Answer
from helpers.review.comment import NO_COMMENT, comment_on, hosted
from helpers.review.judge import judge, unreadable
from helpers.review.originality import Seen
from helpers.review.prose import words
from helpers.review.questions import Question, UnknownQuestionError, question
from helpers.review.saved import SavedAnswerError, load, save
from helpers.review.shown import say, show_question, show_rubric, show_text

_FIRST_WORDS = 50  # that an answer has before the model answer opens
_OWN_SHARE = 0.2  # of an answer's words, below which it is a copy
_WALKTHROUGH = ROOT / "notebooks" / "src" / "12_review_questions.py"


def review(question_id: str, answer: Answer | str | None = None, *, comment: bool = False) -> None:
    """Show a review question, or review an answer to it.

    Args:
        question_id: such as "Q1".
        answer: your answer; without one, the question, its parts and a template are shown. With
            one, the exercise's card is shown and recorded, the answer is saved, and the rubric's
            lines are shown that only you can judge.
        comment: whether to ask a hosted model (`COURSE_MODEL`) for comments, which count for
            nothing. The answer's text then goes to its provider.
    """
    with _calmly(f"The review of {question_id}"):
        asked = question(question_id)
        if answer is None:
            show_question(asked)
            return
        check(asked.exercise, answer)
        if find_todo(answer):
            return
        try:
            given = Answer.of(answer)
        except TypeError:
            return  # the card says it
        if unreadable(given.text):
            return
        found = judge(asked, given)
        save(asked, given, found)
        if whose := _copied(asked, given.text):
            say("This is the course's own text.", whose)
        if not found:
            say(
                "The form of the answer has passed.",
                "No check reads what it means: judge that with the rubric below.",
            )
        show_rubric(asked)
        if comment:
            _comment(asked, given)


def model_answer(question_id: str) -> None:
    """Show the stored solution's answer, once an answer of your own was reviewed."""
    with _calmly(f"The model answer to {question_id}"):
        asked = question(question_id)
        reviewed = load(asked.id)
        if reviewed is None or len(words(reviewed.text)) < _FIRST_WORDS:
            say(
                f"The model answer to {asked.id} opens after a first answer of your own, of at "
                f"least {_FIRST_WORDS} words.",
                f'Write one and run review("{asked.id}", your_answer).',
            )
            return
        try:
            answer = Answer.of(solved(asked.exercise))
        except FileNotFoundError as missing:
            say(f"There is no model answer to {asked.id} yet.", str(missing))
            return
        show_text(answer.text, f"A model answer to {asked.id}: one of many that would pass")


def _copied(asked: Question, text: str) -> str:
    """Which of the course's texts an answer repeats, as a sentence; "" where it is the learner's.

    What is missing in this copy of the course is not compared.
    """
    with contextlib.suppress(FileNotFoundError):
        if _repeats(text, Answer.of(solved(asked.exercise)).text):
            return "It repeats the model answer: change it until it is what you would defend."
    with contextlib.suppress(FileNotFoundError):
        if _repeats(text, _WALKTHROUGH.read_text("utf-8")):
            return "It repeats the walkthrough: change it until it is what you would defend."
    return ""


def _repeats(text: str, other: str) -> bool:
    """Whether most of a text's words are in runs that the other one has."""
    return Seen([other]).own(text) < _OWN_SHARE * len(words(text))


def _comment(asked: Question, given: Answer) -> None:
    if not hosted():
        say("No comment was asked for.", NO_COMMENT)
        return
    from helpers.models import chat_model

    said = comment_on(asked, given, chat_model())
    show_text(said, "A model's comment, which counts for nothing: it may be wrong")


@contextlib.contextmanager
def _calmly(what: str) -> Iterator[None]:
    """Say what is the matter instead of raising it into the notebook."""
    try:
        yield
    except (UnknownQuestionError, SavedAnswerError) as error:
        say(str(error))
    except KeyboardInterrupt:
        say(f"{what} was stopped.")
    except Exception as error:
        say(f"{what} failed.", f"{type(error).__name__}: {error}")
