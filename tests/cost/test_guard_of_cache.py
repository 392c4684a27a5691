"""The guard: which questions must not share an answer, and which may."""

import pytest

from helpers.cost.guard import same_question, why_not
from helpers.cost.traffic import Trap, traps


@pytest.mark.parametrize("trap", traps("dev"), ids=lambda trap: trap.asked)
def test_no_dev_trap_is_served(trap: Trap) -> None:
    assert not same_question(trap.asked, trap.stored)
    assert not same_question(trap.stored, trap.asked)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("Is it ready in 2 days?", "Is it ready in 3 days?", "number"),
        ("Where is FH-10904?", "Where is FH-10905?", "number"),
        ("Does it cost £3.50?", "Does it cost £35.0?", "number"),
        ("Is it waterproof?", "Isn't it waterproof?", "negation"),
        ("I paid by card, not PayPal.", "I paid by PayPal, not card.", "negation"),
        ("How do I turn it off?", "How do I turn it on?", "direction"),
        ("Is the Alta 2 lighter than the Alta 3?", "Is the Alta 3 lighter than the Alta 2?", ""),
        ("Can I return a washed jacket?", "Can I wash a returned jacket?", "word"),
        ("Can I pay with points?", "Can I pay for points?", "relation"),
        ("Do you charge students?", "Do students charge you?", "who does it"),
        ("When did you send it?", "When will you send it?", "tense"),
        ("Should I dry it in the sun?", "Can I dry it in the sun?", "modality"),
    ],
)
def test_another_meaning(one: str, other: str, reason: str) -> None:
    assert reason in (why_not(one, other) or pytest.fail("served"))
    assert why_not(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does the Alta 2 tent weigh?", "How heavy is the Alta 2?"),
        ("Could you please tell me how long delivery takes?", "How long does delivery take?"),
        ("Can I return a rope after 12 days?", "After twelve days, can I return a rope?"),
        ("Is it allowed to return an opened filter?", "Can I return an opened filter?"),
        ("Where is order FH-10904?", "where's FH 10904"),
        ("Does it hold 1,500 g?", "Does it hold 1500.0 grams?"),
    ],
)
def test_the_same_question(one: str, other: str) -> None:
    assert why_not(one, other) is None
    assert why_not(other, one) is None


def test_texts_without_words_are_the_same_only_when_they_look_the_same() -> None:
    assert same_question("", "  ")
    assert not same_question("?", "Where is my order?")
