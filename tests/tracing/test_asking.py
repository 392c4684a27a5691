"""Asking requests so that their traces can be told apart: names, tags, metadata, budgets."""

from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langsmith import Client, tracing_context

from helpers.models.errors import OverBudget
from helpers.shop.traffic import Request, day
from helpers.tracing import asking
from helpers.tracing.quiet import quiet
from tests.tracing.serving import answer, fresh


def request(text: str, **more: Any) -> Request:
    known: dict[str, Any] = {"session": "S-1", "customer": None, "intent": "return_window"} | more
    return Request(id="T", at=day(50)[0].at, text=text, question=None, **known)


class Agent:
    """Says what it is told, or raises it."""

    def __init__(self, *says: Any) -> None:
        self._says = list(says)
        self.configs: list[Any] = []

    def invoke(self, inputs: Any, config: Any, context: Any) -> Any:
        self.configs.append(config)
        said = self._says.pop(0)
        if isinstance(said, Exception):
            raise said
        chain = RunnableLambda(lambda _: {"messages": [answer(said, 1, 1)]})
        return chain.invoke(inputs, config)


def test_requests_are_found_by_name_tag_and_metadata(client: Client) -> None:
    project, agent = fresh("asked"), Agent("yes", RuntimeError("down"))
    requests = [request("a"), request("b", customer="C-0042")]
    with tracing_context(client=client, enabled=True, project_name=project):
        asked = asking.ask_all(agent, requests)  # type: ignore[arg-type]
    client.flush()
    assert [each.answer for each in asked] == ["yes", None]
    assert asked[1].error == "RuntimeError: down"
    with quiet():
        (run,) = client.list_runs(project_name=project, is_root=True)
    assert (run.id, run.name, run.tags) == (asked[0].run_id, "request", ["guest"])
    assert run.metadata["intent"] == "return_window"
    assert run.metadata["thread_id"] == "S-1"
    assert agent.configs[1]["metadata"]["customer"] == "C-0042"
    assert agent.configs[1]["tags"] == ["logged in"]


def test_a_spent_budget_ends_the_asking() -> None:
    with pytest.raises(OverBudget):
        asking.ask_all(Agent(OverBudget("spent")), [request("a")])  # type: ignore[arg-type]
