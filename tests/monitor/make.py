"""Labelled answers for the tests of this room, with what a test does not care about filled in."""

from typing import Any

from helpers.monitor.answers import Answer


def answer(number: int = 1, label: str = "yes", **given: Any) -> Answer:
    """An answer to a question of its own; odd numbers are to tune on, even ones to test on."""
    text = given.get("answer", "You have 30 days.")
    fields: dict[str, Any] = {
        "id": f"a{number:03d}",
        "question_id": f"dev-single_fact-{number:03d}",
        "question": "How long do I have to return a tent?",
        "prompt": "own",
        "passage": "found",
        "source": "Returns: Tents can be returned within 30 days of delivery.",
        "answer": text,
        "lengths": (len(text),),
        "logprobs": (-0.5,),
        "part": "tune" if number % 2 else "test",
        "first": label,
        "second": label,
        "label": label,
    }
    return Answer(**(fields | given))
