"""A stored day has the answers and figures of the day that was asked, and says what it is."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langsmith import Client, tracing_context

from helpers.course.home.programs.tracing import failing_tools, own_seconds, request_frame
from helpers.evaluate import stored
from helpers.shop.traffic import Request, day
from helpers.tracing.asking import Asked
from helpers.tracing.quiet import quiet
from helpers.tracing.stored import ask_or_read
from tests.tracing.serving import ScriptedModel, answer, fresh

REQUESTS = day(300)[::40]


@tool
def lookup(order_id: str) -> str:
    """Look an order up."""
    return f"{order_id} is on its way."


class Agent:
    """Asks a tool and then a model, both traced, and notes what it was asked."""

    def __init__(self, says: str = "It is on its way.") -> None:
        self.asked: list[str] = []
        self._model = ScriptedModel(answers=[answer(says, 100, 7)])

    def invoke(self, state: Any, config: Any, context: Any) -> dict[str, Any]:
        text = state["messages"][-1][1]
        self.asked.append(text)

        def work(_: Any) -> dict[str, Any]:
            lookup.invoke({"order_id": "FH-10234"})
            return {"messages": [HumanMessage(text), AIMessage(self._model.invoke(text).text)]}

        return RunnableLambda(work).invoke(state, config)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stored, "STORED_RUNS", tmp_path / "given")
    monkeypatch.setenv("COURSE_FAST", "")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "own"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def had(client: Client, agent: Any, requests: list[Request]) -> tuple[list[Asked], str]:
    project = fresh("stored")
    with tracing_context(client=client, enabled=True, project_name=project):
        asked = ask_or_read("09-day", client, project, agent, requests)
    client.flush()
    return asked, project


def figures(client: Client, project: str) -> dict[str, Any]:
    frame = request_frame(client, project).sort_values(["thread_id", "seconds"])
    steps = list(client.list_runs(project_name=project))
    names = {run.id: run.name for run in steps}
    own = own_seconds(steps)
    columns = ["seconds", "tokens", "cost", "status", "intent", "customer"]
    return {
        "statistics": client.get_run_stats(project_names=[project], is_root=True)["total_tokens"],
        "requests": frame[columns].to_dict("list"),
        "steps": sorted((r.name, names.get(r.parent_run_id, "")) for r in steps),
        "time": sorted((r.name, round(own[r.id], 4)) for r in steps),
        "tools": failing_tools(steps).to_dict(),
    }


def test_what_was_stored_has_the_answers_and_figures_of_what_was_asked(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = Agent()
    live, first = had(client, agent, REQUESTS)
    assert len(agent.asked) == len(REQUESTS)
    read, second = had(client, agent, REQUESTS)
    assert [(one.request, one.answer) for one in read] == [(o.request, o.answer) for o in live]
    assert {one.run_id for one in read}.isdisjoint(one.run_id for one in live)
    assert figures(client, second) == figures(client, first)
    again = len(agent.asked) - len(REQUESTS)
    assert 1 <= again <= 2
    said = capsys.readouterr().out
    assert "Your own stored run 09-day" in said
    assert f"Of {len(REQUESTS)} questions {again} were asked again" in said


def test_a_stored_trace_says_that_it_is_one(client: Client) -> None:
    had(client, Agent(), REQUESTS)
    asked, _ = had(client, Agent(), REQUESTS)
    with quiet():
        run = client.read_run(asked[0].run_id, load_child_runs=True)
    assert run.metadata["stored_run"] == "09-day"
    assert run.inputs == {"messages": [["user", REQUESTS[0].text]]}
    assert (run.outputs or {})["messages"][-1] == ["assistant", "It is on its way."]
    assert [child.run_type for child in run.child_runs or []] == ["tool", "llm"]
    assert (run.child_runs or [])[0].inputs


def test_another_agent_is_asked(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    had(client, Agent(), REQUESTS)
    asked, _ = had(client, Agent("It is lost."), REQUESTS)
    assert {one.answer for one in asked} == {"It is lost."}
    assert "is not of this agent" in capsys.readouterr().out


def test_a_conversation_that_was_cut_off_is_had_again(client: Client) -> None:
    sessions: dict[str, list[Request]] = {}
    for request in day(300):
        sessions.setdefault(request.session, []).append(request)
    talk = next(some for some in sessions.values() if len(some) > 1)[:2]
    alone = next(some[0] for some in sessions.values() if len(some) == 1)

    class Breaks(Agent):
        def invoke(self, state: Any, config: Any, context: Any) -> dict[str, Any]:
            if len(self.asked) == 2:
                raise KeyboardInterrupt
            return super().invoke(state, config, context)

    requests = [alone, *talk]
    with pytest.raises(KeyboardInterrupt):
        had(client, Breaks(), requests)
    agent = Agent()
    asked, project = had(client, agent, requests)
    assert len(asked) == 3
    texts = [text for text in agent.asked if text != alone.text]
    assert texts == [one.text for one in talk]
    assert len(request_frame(client, project)) == 3
