"""Tries agent.py: with all its tools on a scripted model, and its search on the local one."""

import json
import re
from typing import Any

from helpers.course.home import TEMPLATES
from helpers.models.local import chat_server, embedding_server
from helpers.testbed import openai_server
from helpers.testbed.replies import Reply
from tests.home.alone import run

SEARCHING = """
import os
from langchain.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.documents import Document
from langchain_openai import OpenAIEmbeddings
from langgraph.checkpoint.memory import InMemorySaver
from agent import *

embeddings = OpenAIEmbeddings(model="any", check_embedding_ctx_length=False,
                              base_url=os.environ.get("EMBEDDINGS_BASE_URL"))
pages = json.loads(os.environ["PAGES"])
texts = [text for title, page in pages.items()
         for text in titled(Document(page, metadata={"title": title}), {})]
search = Search(texts, embeddings)
"""
NO_ANSWER = "Sorry, I do not know: our documents do not answer that."
LOG_IN = "Please log in first: orders are shown to their customer only."
LAMP = {"Lamp": "The lamp weighs 2 kg. It takes bulbs of 40 W."}


def shop_model(body: dict[str, Any]) -> Reply:
    """A model that calls the tool which a message is about, and then says what it returned."""
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    last = body["messages"][-1]
    if last["role"] == "tool":
        return f"Told: {last['content']}"
    if last["content"] == "Before?":
        return " + ".join(said)
    if found := re.search(r"FH-\d{5}", last["content"]):
        refund = "efund" in last["content"]
        name = "issue_refund" if refund else "lookup_order"
        call = {"name": name, "args": {"order_id": found[0]}}
        return [call, call] if refund else call  # one call too many: it may be paid once
    return {"name": "search_documents", "args": {"query": last["content"]}}


def try_agent_with_tools() -> None:
    """Search, orders of two customers, refunds, memory and the refusal; the same async."""
    code = """
import asyncio

orders = {("FH-00001", "ann"): 40, ("FH-00002", "bob"): 25}
paid = []

def describe(order_id, customer_id):
    if (order_id, customer_id) not in orders:
        raise LookupError(f"No order {order_id}.")
    return f"{order_id}: a lamp for £{orders[order_id, customer_id]}."

def pay(order_id, customer_id, pounds):
    describe(order_id, customer_id)
    if pounds and pounds > orders[order_id, customer_id]:
        raise ValueError("Too much.")
    paid.append([order_id, customer_id, str(pounds)])
    return f"Paid {pounds}."

tools = [search_tool(search, 0.3), order_tool(describe), refund_tool(pay)]
agent = make_agent(model, tools, InMemorySaver())

async def say(way, text, customer, thread):
    given, caller = {"messages": [("user", text)]}, Caller(customer)
    config = {"configurable": {"thread_id": f"{way}-{thread}"}}
    if way == "async":
        done = await agent.ainvoke(given, config, context=caller)
    else:
        done = agent.invoke(given, config, context=caller)
    return done["messages"][-1].text

async def talk(way):
    return [await say(way, *line) for line in json.loads(os.environ["LINES"])]

said = {way: asyncio.run(talk(way)) for way in ("sync", "async")}
print(json.dumps([said, paid]))
"""
    how = (
        "Nothing has been paid back. To get a refund, write: "
        "Refund £20 of {0}. Or: Refund all of {0}."
    )
    once = "Each message can move money only once."
    first, second = how.format("FH-00001"), how.format("FH-00002")
    lines: list[tuple[str, str | None, str, str]] = [  # text, customer, thread, answer
        ("How heavy is the lamp?", "ann", "1", "Told: Lamp: The lamp weighs 2 kg."),
        ("Who rules Norway?", "ann", "1", NO_ANSWER),
        ("Where is FH-00001?", "ann", "1", "Told: FH-00001: a lamp for £40."),
        ("Where is FH-00001?", "bob", "2", "No order FH-00001."),
        ("Where is FH-00002?", "bob", "2", "Told: FH-00002: a lamp for £25."),
        ("Where is FH-00002?", None, "3", LOG_IN),
        ("Before?", "bob", "2", "Where is FH-00001? + Where is FH-00002? + Before?"),
        ("Before?", "ann", "4", "Before?"),
        ("Do not refund FH-00001!", "ann", "5", f"{first} {first}"),
        ("Refund £15 of FH-00001.", "ann", "5", f"Paid 15. {once}"),
        ("Refund £41 of FH-00001.", "ann", "5", f"Too much. {once}"),
        ("Refund all of FH-00001.", "bob", "6", f"No order FH-00001. {once}"),
        ("Refund all of FH-00002. Thanks!", "bob", "6", f"{second} {second}"),
    ]
    asked, expected = [line[:3] for line in lines], [line[3] for line in lines]
    with openai_server(replies=shop_model) as server:
        env = {"PAGES": json.dumps(LAMP), "LINES": json.dumps(asked)}
        said, paid = run(SEARCHING + code, server.url, **env)
    assert said == {"sync": expected, "async": expected}
    assert paid == [["FH-00001", "ann", "15"]] * 2  # once each
    tools = {one["function"]["name"]: one["function"] for one in server.chats[0]["tools"]}
    for name, argument in (
        ("search_documents", "query"),
        ("lookup_order", "order_id"),
        ("issue_refund", "order_id"),
    ):
        assert list(tools.pop(name)["parameters"]["properties"]) == [argument]
    assert not tools


def try_agent_on_the_local_model() -> None:
    """Retrieval, refusal and reading with real embeddings and a real model, by their URLs."""
    code = """
look_up, agent = search_tool(search, 0.5), make_agent(model, [])

def answer(question):
    "What the agent makes of what the search finds; this model calls no tools by itself."
    call = {"name": "search_documents", "args": {"query": question}, "id": "1"}
    found = look_up.invoke({**call, "type": "tool_call"})
    turn = [HumanMessage(question), AIMessage("", tool_calls=[call]), found]
    return agent.invoke({"messages": turn}, context=Caller())["messages"][-1].text

lines = json.loads(os.environ["LINES"])
print(json.dumps([[*best(search, text), answer(text) if read else ""] for text, read in lines]))
"""
    pages = {}
    for file in (TEMPLATES / "documents").glob("*.md"):
        title, _, text = file.read_text("utf-8").partition("\n")
        pages[title.removeprefix("# ")] = " ".join(text.split())
    facts = {  # what the sentence found states, and whether the model reads it
        "How long does delivery take?": ("two to three working days", True),
        "How many days do I have to send something back?": ("60 days", False),
        "How much water fits into the Tern kettle?": ("1.2 litres", False),
        "How do I get rid of limescale?": ("white vinegar", False),
        "How heavy is the Otter pan?": ("2.4 kg", False),
        "What does it cost to sharpen a knife?": ("£6.00", False),
        "Which wine goes with fish?": (None, True),
        "Can I pay by cheque?": (None, False),
        "Who won the football yesterday?": (None, False),
    }
    found = run(
        SEARCHING + code,
        chat_server().url,
        EMBEDDINGS_BASE_URL=embedding_server().url,
        PAGES=json.dumps(pages),
        LINES=json.dumps([[question, read] for question, (_, read) in facts.items()]),
    )
    for (fact, read), (sentence, score, answer) in zip(facts.values(), found, strict=True):
        assert (score >= 0.5) == (fact is not None), (sentence, score)
        assert (fact or "") in sentence
        assert not read or (fact or NO_ANSWER) in answer


def try_agent() -> None:
    """With tools, and on the local model."""
    try_agent_with_tools()
    try_agent_on_the_local_model()
