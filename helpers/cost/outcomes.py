"""What became of a question: a right answer, a wrong one, or work for a person."""

import re
from typing import Literal

from helpers.evaluate.refusals import find_refusal
from helpers.evaluate.scores import score_answer
from helpers.shop import Question

Outcome = Literal["right", "wrong", "handed over"]

HANDED_OVER = "Sorry, I do not know that. A colleague will take over and answer you."
"""What the customer reads when a question goes to a person."""


_TICKET = re.compile(r"Handed over: A colleague will take over\. The ticket is T-\d+\.")


def outcome(question: Question, answer: str) -> Outcome:
    """Judge the words of an answer by who has work with it.

    "handed over" is a refusal, or what the tool `hand_over` says of its ticket, that claims
    nothing more. For an unanswerable question it is what should happen, and it still costs a
    person's time; `score_answer` calls it right. A refusal that goes on to claim something is
    wrong, and so is an empty answer.
    """
    if find_refusal(answer).clean or _TICKET.fullmatch(answer.strip()):
        return "handed over"
    return "right" if score_answer(question, answer).right else "wrong"
