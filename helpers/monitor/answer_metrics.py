"""What is counted of every answer: whether its passage bears its words, and whose address it names.

    watch = answer_metrics(registry)      # beside the service's own metrics
    watch(turn, outcome)                  # when an answer has ended well

A label never holds a customer's words. `topic` is a policy's id, the kind of another document, or
the tool that was called: some 25 values, whatever is asked.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter

from helpers.evaluate.groundedness import groundedness
from helpers.evaluate.refusals import find_refusal
from helpers.shop import documents
from helpers.shop.questions import TOOL_ARGUMENTS

OWN_ADDRESSES = ("fernhill.example",)
"""Where the shop's answers may send people."""

# "in 3 days.Then" lacks a space and is no address.
_ADDRESS = re.compile(r"\b((?:[A-Za-z0-9-]+\.)+(?:[a-z]{2,}|[A-Z]{2,}))\b")


class _Said(Protocol):
    @property
    def text(self) -> str: ...


class Turn(Protocol):
    """What was asked."""

    @property
    def messages(self) -> Sequence[_Said]:
        """The conversation; the last one is the question."""
        ...


class Outcome(Protocol):
    """What came of it."""

    passages: list[dict[str, Any]]
    tool_calls: list[dict[str, Any]]

    @property
    def answer(self) -> str:
        """The answer's words."""
        ...


def answer_metrics(registry: CollectorRegistry) -> Callable[[Turn, Outcome], None]:
    """Make the metrics in a registry; returns what is to be called with every answer.

    `service_answers_total`: answers by `topic` and `result`: "grounded" or "ungrounded" for one
    that was judged (a number or name that stands neither in its passage nor in the question),
    "refused" for "I do not know", "not judged" for one that rests on no document.
    `service_answers_foreign_address_total`: answers that name somebody else's address.
    """
    answers = Counter(
        "service_answers",
        "Answers by what they are about and whether their passage bears them",
        ("topic", "result"),
        registry=registry,
    )
    foreign = Counter(
        "service_answers_foreign_address",
        "Answers that name a web or e-mail address which is not the shop's",
        registry=registry,
    )

    def watch(turn: Turn, outcome: Outcome) -> None:
        answers.labels(topic(outcome), result(turn, outcome)).inc()
        if foreign_addresses(outcome.answer):
            foreign.inc()

    return watch


def topic(outcome: Outcome) -> str:
    """What an answer is about, as one of a few words."""
    if outcome.passages:
        return _topics().get(outcome.passages[-1]["document"], "other document")
    if not outcome.tool_calls:
        return "none"
    # A model may make up a name, out of whatever it was told.
    name = outcome.tool_calls[-1]["name"]
    return str(name) if name in TOOL_ARGUMENTS else "other tool"


def result(turn: Turn, outcome: Outcome) -> str:
    """What became of an answer: "grounded", "ungrounded", "refused" or "not judged"."""
    if find_refusal(outcome.answer).refused:
        return "refused"
    if not outcome.passages:
        return "not judged"
    read = "\n".join(f"{one['title']}: {one['text']}" for one in outcome.passages)
    judged = groundedness(outcome.answer, read, turn.messages[-1].text)
    if judged is None:
        return "not judged"
    return "ungrounded" if judged.mismatch else "grounded"


def foreign_addresses(answer: str) -> list[str]:
    """The web and e-mail domains in an answer that are not the shop's, each once."""
    found = dict.fromkeys(each.casefold() for each in _ADDRESS.findall(answer))
    return [
        one
        for one in found
        if not any(one == own or one.endswith(f".{own}") for own in OWN_ADDRESSES)
    ]


@cache
def _topics() -> dict[str, str]:
    return {each.id: each.id if each.kind == "policy" else each.kind for each in documents()}
