"""Agents with scripted models, a small index and a small cache, for the tests of the tiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage

from helpers.agent import Agent, Caller, Passage, build_agent
from helpers.cost.tiers import Tiers
from helpers.shop import Orders, open_orders
from helpers.testbed.models import ScriptedModel

WEIGHT = "The Alta 2 weighs 2.1 kg without pegs."
QUESTION = "How much does the Alta 2 weigh?"
ORDER, CUSTOMER = "FH-10832", "C-0109"


def passage(score: float = 1.0, best: str = WEIGHT, title: str = "Alta 2 tent") -> Passage:
    """A passage of one sentence."""
    return Passage("alta-2-tent", title, best, (best,), best, score, "product")


class Shelf:
    """A retriever that always finds the same, and counts how often it is asked."""

    def __init__(self, *scores: float, best: str = WEIGHT) -> None:
        self.found = [passage(score, best) for score in scores]
        self.asked: list[str] = []

    def search(self, query: str, k: int = 3) -> list[Passage]:
        self.asked.append(query)
        return self.found[:k]


@dataclass
class Kept:
    """A cache's entry."""

    answer: str
    how: str = "exact"


class Dictionary:
    """An exact cache, as far as the tiers need one."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str | None, str], str] = {}

    def get(self, question: str, *, customer: str | None, version: str) -> Kept | None:
        answer = self.kept.get((question, customer, version))
        return Kept(answer) if answer is not None else None

    def put(
        self, question: str, answer: str, *, customer: str | None, version: str, checked: bool
    ) -> None:
        assert checked, "what is not checked must not come this far"
        self.kept[question, customer, version] = answer


def call(name: str, **args: Any) -> AIMessage:
    """A model's reply that calls a tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{name}"}])


def agent(
    replies: Sequence[Any],
    *tiers: Tiers,
    shelf: Shelf | None = None,
    orders: Orders | None = None,
) -> tuple[Agent, ScriptedModel]:
    """The course's agent on a script, with the tiers in front, and its model."""
    model = ScriptedModel(replies=replies)
    built = build_agent(
        model=model,
        retriever=shelf or Shelf(1.0, 0.5),
        orders=orders or open_orders(),
        middleware=tiers,
    )
    return built, model


def say(
    built: Agent, text: str, *, thread: str = "1", customer: str | None = CUSTOMER
) -> AIMessage:
    """The agent's answer to a message of a conversation."""
    state = built.invoke(
        {"messages": [("user", text)]},
        config={"configurable": {"thread_id": thread}},
        context=Caller(customer),
    )
    last = state["messages"][-1]
    assert isinstance(last, AIMessage)
    return last
