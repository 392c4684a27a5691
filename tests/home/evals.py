"""Tries evals.py with another agent: a golden set of twelve, two evaluators, and a gate."""

from typing import Any

from helpers.testbed import openai_server
from helpers.testbed.replies import Reply
from tests.home.alone import run

CODE = """
import contextlib, io
from langchain.agents import create_agent
from langchain.tools import tool
from langchain_core.messages import convert_to_openai_messages
from langsmith import Client, evaluate, tracing_context, uuid7
from langsmith.schemas import Example
from evals import *

@tool
def opening_hours(day: str) -> str:
    "Say when the library is open."
    return f"On {day} from 9 to 5."

@tool
def reserve(title: str) -> str:
    "Reserve a book."
    return f"{title} is reserved."

examples = []
for number in range(12):
    act = number >= 10
    expected = {"name": "reserve", "args": {"title": "Emma"}}
    hours = {"name": "opening_hours", "args": {}}
    examples.append(Example(
        id=uuid7(), inputs={"question": f"{'reserve' if act else 'open'} {number}"},
        outputs={"states": [["reserved"] if act else ["9 to 5"]], "never": ["6 to 5"],
                 "calls": [expected if act else hours]},
        metadata={"kind": "action" if act else "hours"}))

def evaluated(prompt):
    agent = create_agent(model, [opening_hours, reserve], system_prompt=prompt)
    def ask(inputs):
        with tracing_context(enabled=False):
            state = agent.invoke({"messages": [("user", inputs["question"])]})
        messages = convert_to_openai_messages(state["messages"])
        return {"answer": messages[-1]["content"], "messages": messages}
    offline = Client(api_url="http://127.0.0.1:9", api_key="none", info={},
                     auto_batch_tracing=False)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        results = evaluate(ask, data=examples, upload_results=False, client=offline,
                           evaluators=[states_facts, calls_evaluator({"opening_hours"})])
    return scores_of(results, len(examples))

def stopped(before, after):
    table = gate(before, after, Rules())
    return list(table.rule[~table.passes])

released, same = evaluated("careful"), evaluated("careful")
worse, eager = evaluated("careless"), evaluated("eager")
pair = compare(released.states_facts, worse.states_facts)
print(json.dumps([
    rate(released.states_facts), stopped(None, released), stopped(released, same),
    [pair["lost"], pair["gained"], round(pair["p"], 4)], stopped(released, worse),
    slices(released, worse).lost.to_dict(), stopped(released, eager),
    list(eager[~eager.right_calls].kind)]))
"""


def replies(body: dict[str, Any]) -> Reply:
    """A model as careful as its prompt says: a careless one misreads, an eager one acts twice."""
    prompt, asked = (str(body["messages"][place]["content"]) for place in (0, 1))
    last, number = body["messages"][-1], int(asked.split()[-1])
    results = sum(message["role"] == "tool" for message in body["messages"])
    act = asked.startswith("reserve")
    if not results or (act and prompt == "eager" and results == 1):
        name = "reserve" if act else "opening_hours"
        return {"name": name, "args": {"title": "Emma"} if act else {"day": "Monday"}}
    said = str(last["content"])
    return said.replace("9", "6") if prompt == "careless" and number < 6 else said


def try_evals() -> None:
    """A version that loses six of twelve is stopped, one that acts twice too, the same passes."""
    with openai_server(replies=replies) as server:
        found = run(CODE, server.url)
    right, first, same, pair, worse, lost, eager, kinds = found
    assert right == "100% [76%, 100%] 12/12"
    assert first == same == []
    assert pair == [6, 0, 0.0312]  # 2 / 2**6
    assert worse == ["right answers, low end", "difference, low end"]
    assert lost == {"action": 0, "hours": 6}
    assert eager == ["calls that became wrong"]
    assert kinds == ["action", "action"]
