"""Which questions may be answered without looking at the conversation, and what became of them."""

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from helpers.cost.alone import searchable, stands_alone
from helpers.cost.outcomes import HANDED_OVER, outcome
from tests.evaluate.make import question


@pytest.mark.parametrize(
    ("text", "is_searchable"),
    [
        ("How much does the Alta 2 weigh?", True),
        ("When is a refund sent?", True),
        ("How long is the warranty on boots?", True),
        ("Where is FH-10832?", False),
        ("where is fh 10832", False),
        ("Where is my order?", False),
        ("Please refund me", False),
        ("I want my money back for the tent", False),
        ("Let me speak to a real person", False),
        ("Can somebody ring me?", False),
        ("How long is the warranty? And what does a zip cost?", False),
        ("How long is the warranty, and then put me through", False),
    ],
)
def test_searchable(text: str, is_searchable: bool) -> None:
    assert searchable(text) is is_searchable


def talk(*said: str) -> list[AnyMessage]:
    """People and agent in turn."""
    return [AIMessage(text) if place % 2 else HumanMessage(text) for place, text in enumerate(said)]


@pytest.mark.parametrize(
    ("said", "alone"),
    [
        (("And the other one?",), True),  # there was nothing before it
        (("Hi", "Hello.", "What does a new jacket zip cost?"), True),
        (("Hi", "Hello.", "And the other one?"), False),
        (("Hi", "Hello.", "How much does it weigh?"), False),
        (("Hi", "Hello.", "What about a jacket zip?"), False),
        (("Hi", "Hello.", "How much is that?"), False),
        (("Hi", "Hello.", "In red?"), False),
        (("Hi", "Which tent do you mean?", "The big green tent please"), False),
        ((), False),
    ],
)
def test_stands_alone(said: tuple[str, ...], alone: bool) -> None:
    assert stands_alone(talk(*said)) is alone


@pytest.mark.parametrize(
    ("kind", "answer", "became"),
    [
        ("single_fact", "You have 30 days.", "right"),
        ("single_fact", "You have 14 days.", "wrong"),
        ("single_fact", "", "wrong"),
        ("single_fact", HANDED_OVER, "handed over"),
        ("single_fact", "Sorry, I do not know: our documents do not answer that.", "handed over"),
        ("single_fact", "I do not know. It is 30 days.", "wrong"),
        ("unanswerable", HANDED_OVER, "handed over"),
        ("unanswerable", "It is 30 days.", "wrong"),
        ("unanswerable", "I do not know. It is 30 days.", "wrong"),
        (
            "unanswerable",
            "Handed over: A colleague will take over. The ticket is T-0012.",
            "handed over",
        ),
    ],
)
def test_outcome(kind: str, answer: str, became: str) -> None:
    assert outcome(question(kind=kind), answer) == became
