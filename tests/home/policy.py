"""Tries policy.py around an agent on a scripted model: approval, rules, fetch, SQL, HTML, cap."""

from typing import Any

from helpers.testbed import openai_server
from helpers.testbed.replies import Reply
from tests.home.alone import run

BEGIN = """
import asyncio
from langchain.agents import create_agent
from langchain.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from policy import *

done = []

@tool
def lookup_order(order_id: str) -> str:
    "Say where an order is."
    return f"Order {order_id} is on its way."

@tool
def issue_refund(order_id: str, amount: float) -> str:
    "Pay an amount back."
    done.append([order_id, amount])
    return "Paid back."

@tool
def send_email(to: str, text: str) -> str:
    "Send an e-mail."
    done.append(["mail", to])
    return "Sent."

TOOLS = [lookup_order, issue_refund, send_email]
"""


def replies(body: dict[str, Any]) -> Reply:
    """A model that makes the call which the customer's message ends with, as `name {args}`."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return "Done."
    name, args = str(last["content"]).split("|")[1:]
    pairs = dict(pair.split("=") for pair in args.split(","))
    given = {key: float(text) if key == "amount" else text for key, text in pairs.items()}
    return {"name": name, "args": given}


def try_calls() -> None:
    """What the customer has not asked for is refused, small sums pass, and a person decides."""
    code = """
rules = {"lookup_order": may_look_up, "issue_refund": may_refund}
guarded = create_agent(model, TOOLS, middleware=[CallPolicy(rules)])
asking = create_agent(model, TOOLS, middleware=[ask_above(Decimal(50))],
                      checkpointer=InMemorySaver())
tried = [
    "Where is FH-10001?|lookup_order|order_id=FH-10001",
    "Where is FH-10001?|lookup_order|order_id=FH-1000",
    "Where is FH-10001?|issue_refund|order_id=FH-10001,amount=20",
    "Refund FH-10001|issue_refund|order_id=FH-10001,amount=20",
    "Refund FH-10001|issue_refund|order_id=FH-10001,amount=-20",
    "Refund FH-10001|issue_refund|order_id=FH-10001,amount=0",
    "Refund FH-10001|issue_refund|order_id=FH-10001,amount=1e999",
    "Refund FH-10001|send_email|to=a@b.example,text=x",
]
def status(state):
    return [one.status for one in state["messages"] if one.type == "tool"][0]

async def later():
    return [status(await guarded.ainvoke({"messages": text})) for text in tried[:3]]

found = [status(guarded.invoke({"messages": text})) for text in tried]
again = asyncio.run(later())
paid = list(done)
done.clear()
waits = []
for n, text in enumerate(["20", "50", "50.01", "1e999", "-1"]):
    text = f"Refund FH-10001|issue_refund|order_id=FH-10001,amount={text}"
    state = asking.invoke({"messages": text}, {"configurable": {"thread_id": str(n)}})
    waits.append("__interrupt__" in state)
before = list(done)
for thread, decision in (("2", {"type": "approve"}), ("3", {"type": "reject"})):
    config = {"configurable": {"thread_id": thread}}
    (question,) = asking.get_state(config).interrupts
    asking.invoke(Command(resume={question.id: decision}), config)
print(json.dumps([found, again, paid, waits, before, done,
                  [str(amount_of({"amount": each})) for each in ("x", None, 3)]]))
"""
    with openai_server(replies=replies) as server:
        found, again, paid, waits, before, done, amounts = run(BEGIN + code, server.url)
    assert found[:3] == again == ["success", "error", "error"]
    assert found[3:] == ["success", "error", "error", "error", "error"]
    assert paid == [["FH-10001", 20.0]]
    assert waits == [False, False, True, True, True]
    assert before == [["FH-10001", 20.0], ["FH-10001", 50.0]]
    assert done == [*before, ["FH-10001", 50.01]]
    assert amounts == ["NaN", "NaN", "3"]


def try_guards() -> None:
    """Addresses, statements, HTML and lengths."""
    code = """
def get(url, *addresses):
    client = httpx.Client(transport=httpx.MockTransport(lambda asked: httpx.Response(
        200, text=f"{asked.url.host} {asked.headers['Host']} {asked.extensions['sni_hostname']}")))
    asked = []
    try:
        said = get_pinned(url, client, lambda host: asked.append(host) or list(addresses)).text
    except ValueError as refused:
        said = "refused"
    return [said, len(asked)]

fetched = [get("https://a.example/x", "93.184.215.14"), get("https://a.example", "10.0.0.1"),
           get("https://a.example", "93.184.215.14", "::1"), get("https://a.example"),
           get("http://a.example", "93.184.215.14"), get("https://a.example:8443", "93.184.215.14"),
           get("https://u:p@a.example", "93.184.215.14"),
           get("https://a.example", "::ffff:10.0.0.1")]

connection = sqlite3.connect(":memory:")
connection.execute("CREATE TABLE orders (id, customer, status)")
connection.executemany("INSERT INTO orders VALUES (?, ?, ?)",
                       [("FH-1", "C-1", "sent"), ("FH-2", "C-2", "sent")])
restrict(connection, "C-1")
def rows(statement):
    try:
        return connection.execute(statement).fetchall()
    except sqlite3.DatabaseError:
        return "refused"

asked = [rows(text) for text in [
    "SELECT id FROM my_orders", "SELECT count(*) FROM my_orders", "SELECT * FROM orders",
    "WITH my_orders AS (SELECT * FROM orders) SELECT id FROM my_orders",
    "SELECT sql FROM sqlite_master", "DELETE FROM orders", "PRAGMA table_info(orders)",
    "SELECT randomblob(9) FROM my_orders", "ATTACH 'x' AS y",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"]]
pages = [safe_html(text, {"shop.example"}).strip() for text in [
    "**Bold** [a](https://shop.example/a)", "<script>alert(1)</script>", "![x](https://evil.example/p)",
    "[a](javascript:alert(1))", "[a](//evil.example)"]]
capped = create_agent(model, TOOLS, middleware=[cap_message(60)])
short = capped.invoke({"messages": "Hi|lookup_order|order_id=FH-10001"})["messages"]
long = capped.invoke({"messages": "\\u00e9" * 31})["messages"]
print(json.dumps([fetched, asked, pages, len(short), [one.text for one in long]]))
"""
    with openai_server(replies=replies) as server:
        fetched, asked, pages, short, long = run(BEGIN + code, server.url)
    assert fetched[0] == ["93.184.215.14 a.example a.example", 1]
    assert [said for said, _ in fetched[1:]] == ["refused"] * 7
    assert asked == [[["FH-1"]], [[1]], *["refused"] * 8]
    assert pages[0].startswith('<p><strong>Bold</strong> <a href="https://shop.example/a"')
    assert not any(word in " ".join(pages[1:]) for word in ("<script", "src", "href"))
    assert short == 4
    assert long[-1] == "Please write a shorter message."
    assert len(long) == 2


def try_policy() -> None:
    """All of policy.py."""
    try_calls()
    try_guards()
