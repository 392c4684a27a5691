"""Tries tiers.py with agents on a scripted model: meter, guard, cache, cascade, budget."""

from typing import Any

import pytest

from helpers.testbed import openai_server
from helpers.testbed.replies import Fails, Fault, Reply
from tests.home.alone import run

BEGIN = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from langchain.agents import create_agent
from langchain.tools import tool
from langchain_core.caches import InMemoryCache
from langchain_core.embeddings import DeterministicFakeEmbedding
from tiers import *

@tool
def lookup_order(order: str) -> str:
    "Say where an order is."
    return f"Order {order} is on its way."

@tool
def refund(order: str) -> str:
    "Pay an order back."
    return f"Order {order} is paid back."

def best(question):
    return ("It weighs 2.1 kg.", 0.9) if "weigh" in question else ("Anything.", 0.1)

def tier_of(message):
    return message.response_metadata.get("tier", "model")

def fixed(usage):
    "A price for everything: a thousandth of a dollar a token."
    return Decimal(usage["input_tokens"] + usage["output_tokens"]) / 1000
"""


def replies(body: dict[str, Any]) -> Reply | Fault:
    """A model that looks an order up, pays one back, and fails where it is asked to."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return f"Told: {last['content']}"
    text = last["content"]
    if text.startswith("Pay"):
        return {"name": "refund", "args": {"order": text.split()[-1]}}
    if "FH-" in text:
        return {"name": "lookup_order", "args": {"order": text.split()[-1]}}
    return Fails(500) if text.startswith("Fail") else "The model's own words."


def try_meter() -> None:
    """Each call is one row: what it cost, and whose it was; hits cost nothing, failures unknown."""
    code = """
meter = CostMeter(fixed)
whose = {"callbacks": [meter], "metadata": {"customer": "C-0001"}}
used = model.invoke("Hello", whose).usage_metadata
list(model.stream("Hello", whose))
asyncio.run(model.ainvoke("Hello", whose))
remembering = model.model_copy(update={"cache": InMemoryCache()})
for _ in range(3):
    remembering.invoke("Once", {"callbacks": [meter]})
try:
    model.invoke("Fail", whose)
except Exception:
    pass
unpriced = CostMeter(lambda usage: price(usage, "no-such-model"))
model.invoke("Hello", {"callbacks": [unpriced]})
known = price({"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100,
               "input_token_details": {"cache_read": 500}}, "gpt-5-mini")
rows = [[row["ended"], str(row["usd"]), row.get("customer")] for row in meter.calls]
print(json.dumps([rows, used["total_tokens"], len(meter._whose), unpriced.calls[0]["usd"],
                  str(known)]))
"""
    with openai_server(replies=replies) as server:
        rows, total, left, unknown, known = run(BEGIN + code, server.url)
    paid = str(total / 1000)
    assert rows[:3] == [["answered", paid, "C-0001"]] * 3
    assert [row[0] for row in rows[3:]] == ["answered", "cached", "cached", "failed"]
    assert [row[1] for row in rows[4:]] == ["0", "0", "None"]
    assert left == 0
    assert unknown is None
    # 500 tokens at 0.25, 500 from the cache at 0.025, and 100 at 2 dollars a million.
    assert known == "0.0003375"


def try_guard_and_cache() -> None:
    """Only the same question is served, of the same version and customer."""
    code = """
names = frozenset({"alta", "brook"})
served = [may_serve(one, other, names) for one, other in [
    ("How heavy is the Alta 2?", "how heavy is the alta 2, please"),
    ("How heavy is the Alta 2?", "How heavy is the Alta 3?"),
    ("How heavy is the Alta?", "How heavy is the Brook?"),
    ("Can I return it?", "Can't I return it?"),
    ("With two people", "With 2 people"),
    ("Is it £2.50?", "Is it £2.40?"),
]]
cache = SafeCache(DeterministicFakeEmbedding(size=64), names, least=0.8)
cache.put("How heavy is the Alta 2?", "2.1 kg.", ("May", ""))
cache.put("Where is it?", "On its way.", ("May", "C-0001"))
found = [cache.get(*asked) for asked in [
    ("hi, how heavy is the alta 2", ("May", "")),
    ("How heavy is the Alta 3?", ("May", "")),
    ("How heavy is the Alta 2?", ("June", "")),
    ("Where is it?", ("May", "C-0001")),
    ("Where is it?", ("May", "C-0002")),
    ("Where is it?", ("May", "")),
]]
print(json.dumps([served, found]))
"""
    with openai_server(replies=replies) as server:
        served, found = run(BEGIN + code, server.url)
    assert served == [True, False, False, False, True, False]
    assert found == ["2.1 kg.", None, None, "On its way.", None, None]


def try_cascade() -> None:
    """Each tier answers what it can, with and without async; what acts goes to the model."""
    code = """
cache = SafeCache(DeterministicFakeEmbedding(size=64))
cache.put("When do you open?", "At nine.", ("May", ""))
cascade = Cascade(cache, best, 0.5, "May", frozenset({"lookup_order"}))
agent = create_agent(model, [lookup_order, refund], middleware=[cascade])
questions = ["When do you open?", "What does it weigh?", "Where is FH-10001", "Pay back FH-10002",
             "Anything else?"]
async def all_of_them():
    asked = [await agent.ainvoke({"messages": [("user", text)]}) for text in questions]
    return [one["messages"][-1] for one in asked]

found = []
for text, other in zip(questions, asyncio.run(all_of_them())):
    one = agent.invoke({"messages": [("user", text)]})["messages"][-1]
    found.append([tier_of(one), one.text, (tier_of(other), other.text) == (tier_of(one), one.text),
                  bool(one.usage_metadata)])
later = agent.invoke({"messages": [("user", "Hi"), ("assistant", "Yes?"),
                                   ("user", "When do you open?")]})["messages"][-1]
print(json.dumps([found, tier_of(later)]))
"""
    with openai_server(replies=replies) as server:
        found, later = run(BEGIN + code, server.url)
    assert found == [
        ["cache", "At nine.", True, False],
        ["extract", "It weighs 2.1 kg.", True, False],
        ["tool", "Order FH-10001 is on its way.", True, False],
        ["model", "Told: Order FH-10002 is paid back.", True, True],
        ["model", "The model's own words.", True, True],
    ]
    assert later == "model"


def try_budget() -> None:
    """It is never exceeded, also by 32 at once; a failure is counted at the most."""
    code = """
def tried(limit):
    try:
        return Budget(Decimal(limit)) and "taken"
    except ValueError:
        return "refused"

refused = [tried(limit) for limit in ("-1", "NaN", "Infinity", "0", "0.05")]
budget = Budget(Decimal(1))
agent = create_agent(model, [], middleware=[
    WithinBudget(budget, Decimal("0.05"), lambda usage: Decimal("0.04"))])

def ask(number):
    return tier_of(agent.invoke({"messages": [("user", f"Number {number}")]})["messages"][-1])

with ThreadPoolExecutor(32) as pool:
    tiers = list(pool.map(ask, range(60)))

async def together():
    asked = [agent.ainvoke({"messages": [("user", "Hello")]}) for _ in range(5)]
    return [tier_of(one["messages"][-1]) for one in await asyncio.gather(*asked)]

after = asyncio.run(together())
failing = Budget(Decimal("0.05"))
one = create_agent(model, [], middleware=[WithinBudget(failing, Decimal("0.05"), fixed)])
try:
    one.invoke({"messages": [("user", "Fail")]})
except Exception:
    pass
last = tier_of(one.invoke({"messages": [("user", "Hello")]})["messages"][-1])
print(json.dumps([refused, tiers.count("model"), str(budget._left), after, last]))
"""
    with openai_server(replies=replies) as server:
        refused, given, left, after, last = run(BEGIN + code, server.url)
    assert refused == ["refused"] * 3 + ["taken"] * 2
    assert 20 <= given <= 24  # at 0.05 reserved and 0.04 spent
    given += after.count("model")
    assert given <= 24
    assert float(left) == pytest.approx(1 - given * 0.04)
    assert last == "person"


def try_tiers() -> None:
    """All of tiers.py."""
    try_meter()
    try_guard_and_cache()
    try_cascade()
    try_budget()
