"""Tries tracing.py with another agent, which four variables alone trace to the local service."""

import tempfile
from pathlib import Path
from typing import Any

from helpers.testbed import openai_server
from helpers.testbed.replies import Reply
from helpers.tracing import Service, running
from tests.home.alone import run

PRICED = 'model = init_chat_model("openai:gpt-4.1-mini", stream_usage=True, max_retries=0)\n'
"""The try's own server answers; the name has a price in the service's table."""

AGENT = """
from langchain.agents import create_agent
from langchain.tools import tool
from langchain_core.tracers.langchain import wait_for_all_tracers

@tool
def track(order: str) -> str:
    "Say where an order is."
    if order == "7":
        raise TimeoutError("The carrier does not answer.")
    return f"Order {order} is on its way."

agent = create_agent(model, [track])
said = 0
for number in range(40):
    long = "A letter of many words. " * 200 if number in (11, 31) else ""
    config = {"run_name": "request", "metadata": {"customer": "C-900" if long else f"C-{number}"}}
    try:
        agent.invoke({"messages": [("user", f"{long}Where is {number % 30}")]}, config)
        said += 1
    except TimeoutError:
        pass
wait_for_all_tracers()
print(json.dumps(said))
"""

READ = """
from langsmith import Client, traceable, get_current_run_tree
from tracing import *

client = Client()
frame = request_frame(client, "shop")
dear = costliest(frame)
groups = excess(frame, "customer")
runs = list(client.list_runs(project_name="shop"))
own = own_seconds(runs)
whole = {run.id: run.latency for run in runs if run.parent_run_id is None}
tools = failing_tools(runs)
bad = [run for run in runs if run.error and run.parent_run_id is None]
examples = examples_from([*bad, *bad], lambda run: run.inputs, lambda run: {"order": "?"})
print(json.dumps([
    len(frame), sorted(dear.customer), dear.cost.is_monotonic_decreasing,
    groups.index[0], int(groups.requests.iloc[0]), round(groups.excess.sum(), 6),
    sum(own.values()) / sum(whole.values()), min(own.values()) >= 0,
    tools.loc["track"].to_dict(), [[one["split"], str(one["source_run_id"])] for one in examples],
    [str(run.id) for run in bad]]))
"""

OWN = """
from langsmith import Client, configure, traceable
from tracing import *

@traceable(run_type="tool")
def look_up(place):
    return place

@traceable
def request(places):
    return traced_map(look_up, places, workers=3)

@traceable(run_type="llm")
def ask(name):
    record_usage("openai", name, 1000, 100)
    return "Write to ann@home.example or call 0131 496 0000."

client = Client(anonymizer=make_anonymizer())
configure(client=client)
said = request(["shop", "desk", "store"])
for name in ("gpt-4.1-mini", "own-7b"):
    ask(name)
client.flush()
configure(enabled=False)
record_usage("openai", "any", 1, 1)  # nothing is traced, and nothing fails
runs = {run.metadata.get("ls_model_name", run.name): run
        for run in client.list_runs(project_name="own", is_root=True)}
below = list(client.list_runs(project_name="own", filter='eq(name, "look_up")'))
print(json.dumps([
    said, sorted(runs), [str(run.trace_id) == str(runs["request"].id) for run in below],
    [runs[name].total_tokens for name in ("gpt-4.1-mini", "own-7b")],
    float(runs["gpt-4.1-mini"].total_cost), runs["own-7b"].total_cost,
    str(runs["own-7b"].outputs), request_frame(client, "own").cost.isna().sum().item()]))
"""


def replies(body: dict[str, Any]) -> Reply:
    """A model that looks up the order which the message ends with, and then answers."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return str(last["content"])
    return {"name": "track", "args": {"order": str(last["content"]).split()[-1]}}


def variables(service: Service, project: str) -> dict[str, str]:
    """The four variables that trace an agent whose code says nothing of tracing."""
    return {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": service.url,
        "LANGSMITH_API_KEY": service.key,
        "LANGSMITH_PROJECT": project,
    }


def try_day(service: Service) -> None:
    """Of forty requests the two that paste a letter are the most expensive five percent."""
    env = variables(service, "shop")
    with openai_server(replies=replies) as server:
        assert run(PRICED + AGENT, server.url, **env) == 38
        found = run(READ, server.url, **env)
    count, dear, falls, group, of_group, sums, added, positive, tool, examples, bad = found
    assert (count, dear, falls) == (40, ["C-900", "C-900"], True)
    assert (group, of_group, sums) == ("C-900", 2, 0)
    assert abs(added - 1) < 1e-6
    assert positive
    assert (tool["calls"], tool["raised"], tool["refused"]) == (40, 2, 0)
    assert 0.01 < tool["least"] < 2 / 40
    assert [split for split, _ in examples] == ["seen"]  # the same question twice is one example
    assert examples[0][1] == bad[0]


def try_own(service: Service) -> None:
    """Threads stay in the trace, usage by hand has a cost, and addresses do not leave."""
    found = run(OWN, "http://127.0.0.1:9", **variables(service, "own"))
    said, roots, inside, tokens, cost, unpriced, text, missing = found
    assert said == ["shop", "desk", "store"]
    assert roots == ["gpt-4.1-mini", "own-7b", "request"]
    assert inside == [True] * 3
    assert tokens == [1100, 1100]
    assert abs(cost - (1000 * 0.4 + 100 * 1.6) / 1e6) < 1e-9
    assert unpriced is None
    assert "[email]" in text
    assert "[phone]" in text
    assert "ann@" not in text
    assert missing == 1  # a model without a price; a request without a model costs nothing


def try_tracing() -> None:
    """All of tracing.py."""
    with (
        tempfile.TemporaryDirectory(prefix="traces-") as folder,
        running(Path(folder) / "traces.db") as service,
    ):
        try_day(service)
        try_own(service)
