"""Tries metrics.py with agents on a scripted model, the rules by promtool, and the dashboard."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from helpers.authoring.alone import run_alone
from helpers.course.home import PROGRAMS
from helpers.testbed import openai_server
from helpers.testbed.prometheus import program
from helpers.testbed.replies import CutOff, Fails, Fault, Reply
from tests.home.alone import run
from tests.monitor.required import require_prometheus

RULES, RULES_TEST = PROGRAMS / "rules.yml", PROGRAMS / "rules_test.yml"
WAYS = ("invoke", "stream", "ainvoke", "astream")
PRICES = (2e-6, 8e-6)

METERED = """
import asyncio
from langchain.agents import create_agent
from langchain.tools import ToolException, tool
from prometheus_client import CollectorRegistry
from metrics import *

@tool
def track(order: str) -> str:
    "Say where an order is."
    if order == "9":
        raise ToolException("The carrier does not answer.")
    if order == "7":
        raise ValueError("a fault in the tool")
    return f"Order {order} is on its way."

@tool
async def wait(order: str) -> str:
    "Wait for an order."
    await asyncio.sleep(60)
    return "It is there."

track.handle_tool_error = True
agent = create_agent(model, [track, wait])

async def say(way, text, config):
    "The messages of an answer, or the name of the error."
    given = {"messages": [("user", text)]}
    try:
        if way == "invoke":
            return agent.invoke(given, config)["messages"]
        if way == "ainvoke":
            return (await agent.ainvoke(given, config))["messages"]
        modes = ["messages", "values"]
        if way == "stream":
            parts = list(agent.stream(given, config, stream_mode=modes))
        else:
            parts = [part async for part in agent.astream(given, config, stream_mode=modes)]
        return [part for mode, part in parts if mode == "values"][-1]["messages"]
    except Exception as error:
        return type(error).__name__

def told(registry):
    "Name and labels -> value; buckets and times left out."
    return {" ".join([sample.name, *sample.labels.values()]): sample.value
            for metric in registry.collect() for sample in metric.samples
            if not sample.name.endswith(("_bucket", "_created", "_sum"))
            or sample.name == "gen_ai_client_token_usage_sum"}

def left(meter):
    return [*meter._began, *meter._first, *meter._called]
"""


def replies(body: dict[str, Any]) -> Reply | Fault:
    """A model that calls the tool about an order, and breaks where it is asked to."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return f"Told: {last['content']}"
    kind, _, rest = last["content"].partition(" ")
    if kind == "Order":
        return {"name": "track", "args": {"order": rest}}
    if kind == "Wait":
        return {"name": "wait", "args": {"order": rest}}
    if kind == "Arguments":
        return {"name": "track", "args": {"parcel": rest}}
    faults: dict[str, Fault] = {"Fail": Fails(500), "Break": CutOff("It is on its way")}
    return faults.get(kind, "a " * 40)


def try_counts() -> None:
    """Each way of asking is counted on its own registry: tokens, dollars, ends of calls, errors."""
    code = """
questions = ["Hello.", "Order 1", "Order 2", "Order 9", "Order 7", "Arguments 1", "Fail", "Break"]

async def counted(way):
    registry = CollectorRegistry()
    meter = AgentMeter(AgentFigures(registry, ["track", "other"]), usd=(2e-6, 8e-6))
    used, errors = [0, 0], []
    for question in questions:
        messages = await say(way, question, {"callbacks": [meter]})
        if isinstance(messages, str):
            errors.append(messages)
            continue
        for message in messages:
            if usage := getattr(message, "usage_metadata", None):
                # The call of the tool that raises is in no result; it is as long as this one.
                times = 2 if question == "Order 1" and message.tool_calls else 1
                used[0] += times * usage["input_tokens"]
                used[1] += times * usage["output_tokens"]
    return told(registry), used, errors, len(left(meter))

async def main():
    return {way: await counted(way) for way in json.loads(os.environ["WAYS"])}

found = asyncio.run(main())
print(json.dumps(found))
"""
    with openai_server(replies=replies) as server:
        found = run("import os\n" + METERED + code, server.url, WAYS=json.dumps(WAYS))
        asked = len(server.chats)
    assert set(found) == {*WAYS}
    counted = 0
    for way, (told, used, errors, left) in found.items():
        errors_of_model = {
            name.split()[-1]: told.pop(name)
            for name in [*told]
            if re.fullmatch(r"gen_ai_client_operation_duration_seconds_count any \S+", name)
        }
        # In one piece there is no first token; and the server cannot break off what it sends whole.
        streamed = way.endswith("stream")
        assert errors[0] == "ValueError", way
        assert dict.fromkeys(errors[1:], 1) == errors_of_model, way
        assert len(errors_of_model) == 2, way
        # Hello 1, four orders 2 each but the tool that raises 1, wrong arguments 2; the errors 2.
        assert told.pop("gen_ai_client_operation_duration_seconds_count any ") == 10, way
        counted += 12
        first = told.pop("gen_ai_server_time_to_first_token_seconds_count any", 0)
        assert first == (11 if streamed else 0), way  # also of what broke off later
        tokens = [told.pop(f"gen_ai_client_token_usage_sum any {kind}") for kind in KINDS]
        assert tokens == used, way
        assert min(used) > 0, way
        dollars = tokens[0] * PRICES[0] + tokens[1] * PRICES[1]
        assert abs(told.pop("agent_cost_usd_total any") - dollars) < 1e-12, way
        for kind in KINDS:
            assert told.pop(f"gen_ai_client_token_usage_count any {kind}") == 10, way
        assert told == {
            "agent_tool_calls_total track success": 2,
            "agent_tool_calls_total track error": 3,
            "agent_tool_calls_total other success": 0,
            "agent_tool_calls_total other error": 0,
            "http_requests_in_flight": 0,
        }, way
        assert left == 0, way
    assert counted == asked


KINDS = ("input", "output")


def try_two_and_the_rest() -> None:
    """Two agents at once, no prices, no usage, and readers who leave."""
    code = """
registries = [CollectorRegistry(), CollectorRegistry()]
meters = [AgentMeter(AgentFigures(registries[0])), AgentMeter(AgentFigures(registries[1]))]

async def together():
    asked = [say("astream", "Order 1", {"callbacks": [meters[0]]}) for _ in range(3)]
    asked += [say("ainvoke", "Hello.", {"callbacks": [meters[1]]}) for _ in range(5)]
    await asyncio.gather(*asked)
    # One who leaves after the first words, and one whose request is cancelled.
    given, config = {"messages": [("user", "Long")]}, {"callbacks": [meters[1]]}
    parts = agent.astream(given, config, stream_mode="messages")
    await anext(parts)
    await parts.aclose()
    task = asyncio.create_task(say("ainvoke", "Long", config))
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    task = asyncio.create_task(say("ainvoke", "Wait 1", config))
    await asyncio.sleep(0.5)
    called = len(meters[1]._called)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return called

called = asyncio.run(together())
bound = agent.with_config(callbacks=[meters[0]])
bound.invoke({"messages": [("user", "Order 2")]}, {"configurable": {"thread_id": "1"}})
bound_calls = told(registries[0]).get("agent_tool_calls_total track success")
silent = CollectorRegistry()
meter = AgentMeter(AgentFigures(silent), usd=(1.0, 1.0))
uncounting = init_chat_model("openai:any", stream_usage=False, max_retries=0)
list(create_agent(uncounting, []).stream({"messages": [("user", "Hi")]}, {"callbacks": [meter]},
                                         stream_mode="messages"))
print(json.dumps([[told(one) for one in registries], told(silent), sum(map(len, map(left, meters))),
                  bound_calls, called]))
"""
    with openai_server(replies=replies, token_s=0.01) as server:
        (one, other), silent, left, bound, called = run(METERED + code, server.url)
    assert called == 1
    assert left == 0
    assert bound == 4
    for each in (one, other):
        assert not any("usd" in name for name in each), "an unknown price is no cost of 0"
    duration = "gen_ai_client_operation_duration_seconds_count any"
    assert one[f"{duration} "] == 8
    assert other[f"{duration} "] == 6  # the last one called the tool that waits
    others = {name: count for name, count in other.items() if name.startswith(duration)}
    assert others[f"{duration} CancelledError"] == 2
    assert sum(others.values()) == 8  # each request that began has ended
    assert not any("tool_calls" in name for name in other)
    assert silent[f"{duration} "] == 1
    assert not any("usage" in name or "usd" in name for name in silent), "unknown is not 0"


def try_metrics() -> None:
    """Every way of asking, and what is apart from it."""
    try_counts()
    try_two_and_the_rest()


def promtool() -> str:
    """Where promtool is; a test without it is skipped, or fails where it must be there."""
    require_prometheus()
    return program("promtool")


def promtool_says(*words: str, **files: str) -> "subprocess.CompletedProcess[str]":
    """Run promtool beside rules.yml and rules_test.yml, or with other texts of these names."""
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as folder:
        for file in (RULES, RULES_TEST):
            shutil.copy(file, folder)
        for stem, text in files.items():
            Path(folder, f"{stem}.yml").write_text(text, "utf-8")
        return subprocess.run(
            [promtool(), *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def try_rules() -> None:
    """promtool takes them, and they name what metrics.py counts."""
    done = promtool_says("check", "rules", "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS: 4 rules found" in done.stdout
    names_are_known(list(expressions_of_rules()))
    bad = RULES.read_text("utf-8").replace("sum(rate(", "sum(rate((", 1)
    assert promtool_says("check", "rules", "rules.yml", rules=bad).returncode != 0


WRONG_RULES = [
    ("ratio_rate1h > 14.4", "ratio_rate1h > 28.8"),
    ("ratio_rate1h > 14.4", "ratio_rate1h > 1.4"),
    ("- sum(rate(gen_ai_server", "+ sum(rate(gen_ai_server"),
    (">= 20", ">= 20000"),
    (">= 4", ">= 40"),
    ('{le="3.0"}[1h]', '{le="30.0"}[1h]'),
    ("{severity: page}", "{severity: ticket}"),
    ("late or fail", "fail"),
]


def try_rules_test() -> None:
    """It passes on rules.yml, and not where a rule of AnswersLate is another one."""
    done = promtool_says("test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    right = RULES.read_text("utf-8")
    for old, new in WRONG_RULES:
        assert old in right, old
        wrong = promtool_says("test", "rules", "rules_test.yml", rules=right.replace(old, new))
        assert wrong.returncode != 0, (old, new)
        assert "FAILED" in wrong.stdout + wrong.stderr


def expressions_of_rules() -> Iterator[str]:
    """The PromQL of every rule."""
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def names_are_known(expressions: list[str]) -> None:
    """Each metric of these expressions is counted by metrics.py or recorded in rules.yml."""
    code = """
import json
from prometheus_client import CollectorRegistry
from metrics import AgentFigures, AgentMeter
registry = CollectorRegistry()
figures = AgentFigures(registry, ["any"])
print(json.dumps([[one.name, one.type] for one in registry.collect()]))
"""
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as folder:
        done = run_alone(code, path=PROGRAMS, cwd=Path(folder))
    assert done.returncode == 0, done.stderr
    endings = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
    known = {name + end for name, kind in json.loads(done.stdout) for end in endings[kind]}
    rules = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    known |= {rule["record"] for group in rules for rule in group["rules"] if "record" in rule}
    for expression in expressions:
        bare = re.sub(r"\{[^}]*\}", "", expression)  # labels are no metrics
        named = set(re.findall(r"\b[a-z]\w*(?:[_:]\w+)+\b(?!\()", bare))
        assert named - {"histogram_quantile"}, expression
        assert named <= known, (named - known, expression)


def try_dashboard() -> None:
    """JSON whose every panel asks Prometheus for something that is counted."""
    code = "from dashboard import dashboard\nprint(dashboard())"
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as folder:
        done = run_alone(code, path=PROGRAMS, cwd=Path(folder))
    assert done.returncode == 0, done.stderr
    board = json.loads(done.stdout)
    assert board["title"]
    assert board["uid"]
    asked = {panel["title"]: [one["expr"] for one in panel["targets"]] for panel in board["panels"]}
    assert len(asked) == len(board["panels"]) >= 5
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}
    assert len(places) == len(asked), "no panel is on another one"
    expressions = [each for exprs in asked.values() for each in exprs]
    names_are_known(expressions)
    rules = [{"record": f"panel:{n}", "expr": each} for n, each in enumerate(expressions)]
    asks = yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]})
    done = promtool_says("check", "rules", "panels.yml", panels=asks)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = asks.replace("sum(", "sum((", 1)
    assert promtool_says("check", "rules", "panels.yml", panels=broken).returncode != 0
