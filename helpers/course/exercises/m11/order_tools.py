"""What a client sees of the tool of exercise 11.2, over the SDK's own connection in memory.

A `Shop` keeps what was called behind the tool: which contexts were asked who the customer is, which
orders were looked up, and what was logged.
"""

import asyncio
import copy
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp.server.fastmcp import Context, FastMCP
from mcp.shared.memory import create_connected_server_and_client_session as connected
from mcp.types import CallToolResult, ServerNotification, ToolAnnotations

AddLookup = Callable[..., Any]

LOG_IN = "Please log in first."
BROKEN = "Orders cannot be read at the moment. Try again later."
PREFIX = "Error executing tool lookup_order: "
INSIDE = "/srv/shop/orders.db"
"""What only the log may have."""

TOGETHER_S = 2.0
"""Seconds after which calls that should be under way together are said not to be."""


def unknown(order_id: str) -> str:
    """The sentence for an order that a customer does not have."""
    return f"There is no order {order_id} on your account."


def stored(order_id: str, customer: str, **more: Any) -> dict[str, Any]:
    """An order as the shop keeps it."""
    number = int(order_id[3:])
    return {
        "id": order_id,
        "customer": customer,
        "status": ("shipped", "Delivered ", "processing")[number % 3],
        "items": [f"Alta {number % 7} tent", "Tern kettle"][: 1 + number % 2],
        "paid": 100 + 37 * number,
        "staff_note": f"ring {customer} first",
        **more,
    }


def facts(order: dict[str, Any]) -> dict[str, Any]:
    """What its customer may see of an order."""
    return {
        "order_id": order["id"],
        "status": order["status"],
        "items": order["items"],
        "paid": order["paid"],
    }


def due(order_id: str, order: Any, customer: str) -> Any:
    """What a customer must get where `find` gives or raises this; None is no order."""
    if isinstance(order, Exception):
        return f"error: {BROKEN}"
    if order is None or order["customer"] != customer:
        return f"error: {unknown(order_id)}"
    return facts(order)


@dataclass
class Shop:
    """The orders behind a tool. `wait_for`: calls that `find` waits for before it answers any."""

    orders: dict[str, Any]
    wait_for: int = 1
    found: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    given: list[tuple[Any, Any]] = field(default_factory=list)
    waiting: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self, order_id: str) -> dict[str, Any]:
        """A copy of an order; an exception in its place is raised."""
        self.found.append(order_id)
        self.waiting += 1
        if self.waiting >= self.wait_for:
            self.all_there.set()
        try:
            async with asyncio.timeout(TOGETHER_S):
                await self.all_there.wait()
        except TimeoutError:
            self.all_there.set()  # it is known now: the calls that come later need not wait, too
            raise
        found = self.orders.get(order_id)
        if found is None:
            raise LookupError(f"no row {order_id} in {INSIDE}")
        if isinstance(found, Exception):
            raise found
        order: dict[str, Any] = copy.deepcopy(found)
        self.given.append((order, found))
        return order

    def changed(self) -> int:
        """How many of the orders that `find` gave have been changed since."""
        return sum(given != kept for given, kept in self.given)

    def who(self, context: Context[Any, Any, Any]) -> str | None:
        """The customer of a request, from its metadata."""
        if not isinstance(context, Context):
            raise TypeError(f"who takes the Context of the call, and not {context!r}")
        self.asked.append(str(context.request_id))
        meta = context.request_context.meta
        return getattr(meta, "customer", None)


Call = tuple[dict[str, Any], str | None]
"""The arguments of a call, and its customer."""


def outcome(result: CallToolResult) -> Any:
    """A result in short: the structured content, or the sentence of an error."""
    if not result.isError:
        return result.structuredContent
    text = " ".join(getattr(block, "text", "") for block in result.content)
    return "error: " + text.removeprefix(PREFIX)


def new_server() -> FastMCP[None]:
    """A server that logs nothing of its own, with a tool that was there before."""
    server: FastMCP[None] = FastMCP("shop", log_level="CRITICAL")

    @server.tool(title="Hours", annotations=ToolAnnotations(readOnlyHint=True))
    def opening_hours() -> str:
        """Say when the shop is open."""
        return "9 to 5"

    return server


Ask = Callable[[dict[str, Any], str | None], Awaitable[Any]]


@asynccontextmanager
async def client(
    answer: AddLookup, shop: Shop, sent: list[str] | None = None
) -> AsyncIterator[Ask]:
    """Calls the tool on a new server. `sent` gets all that the server sends, as JSON."""
    server = new_server()
    answer(server, shop.find, shop.who)
    sent = [] if sent is None else sent

    async def hear(message: object) -> None:
        if isinstance(message, ServerNotification):
            sent.append(message.model_dump_json())

    async with connected(server, message_handler=hear) as session:

        async def ask(arguments: dict[str, Any], customer: str | None) -> Any:
            meta = None if customer is None else {"customer": customer}
            result = await session.call_tool("lookup_order", arguments, meta=meta)
            sent.append(result.model_dump_json())
            return outcome(result)

        yield ask
        sent.append((await session.list_tools()).model_dump_json())


async def called(
    answer: AddLookup, shop: Shop, calls: Sequence[Call], *, at_once: bool = False
) -> list[Any]:
    """What these calls get, one after another or all at once."""
    async with client(answer, shop) as ask:
        if at_once:
            return list(await asyncio.gather(*itertools.starmap(ask, calls)))
        return [await ask(*each) for each in calls]


async def alternately(
    answer: AddLookup, shops: tuple[Shop, Shop], calls: Sequence[Call]
) -> list[dict[str, Any]]:
    """What each of two servers is asked for and answers, with the calls made on both in turn."""
    got: tuple[list[Any], list[Any]] = ([], [])
    async with client(answer, shops[0]) as first, client(answer, shops[1]) as second:
        for call in calls:
            got[0].append(await first(*call))
            got[1].append(await second(*call))
    return [
        {"got": answers, "found": shop.found, "asked": len(shop.asked)}
        for answers, shop in zip(got, shops, strict=True)
    ]


Step = tuple[Any, Call, Any]
"""The order as it is at that time, an exception or None; a call; and what it must get."""


async def day(answer: AddLookup, order_id: str, steps: Sequence[Step]) -> str:
    """What is wrong with the first wrong answer, while an order changes; "" if none is."""
    shop = Shop({})
    with heard():
        async with client(answer, shop) as ask:
            for number, (order, call, expected) in enumerate(steps, 1):
                shop.orders = {order_id: order}
                got = await ask(*call)
                if got != expected:
                    return f"Call {number} got {got!r}, and should get {expected!r}."
    return ""


async def declared(answer: AddLookup) -> dict[str, Any]:
    """What a client is told of the server's tools."""
    server = new_server()
    before = await server.list_tools()
    shop = Shop({})
    returned = answer(server, shop.find, shop.who)
    async with connected(server) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        hours = outcome(await session.call_tool("opening_hours", {}))
    tool = tools.pop("lookup_order", None)
    told: dict[str, Any] = {
        "add_lookup returns": returned,
        "other tools": sorted(tools),
        "they are as before": list(tools.values()) == before and hours == {"result": "9 to 5"},
    }
    if tool is None:
        return told
    argument = tool.inputSchema["properties"].get("order_id", {})
    output = tool.outputSchema or {}
    hints = tool.annotations
    return told | {
        "described": bool((tool.description or "").strip()),
        "arguments": sorted(tool.inputSchema["properties"]),
        "required": tool.inputSchema.get("required", []),
        "type": argument.get("type"),
        "pattern": argument.get("pattern"),
        "readOnlyHint": hints and hints.readOnlyHint,
        "openWorldHint": hints and hints.openWorldHint,
        "result": {name: _type(each) for name, each in output.get("properties", {}).items()},
        "result's required": sorted(output.get("required", [])),
        "result may have more": bool(output.get("additionalProperties")),
    }


def _type(schema: dict[str, Any]) -> str:
    of = schema.get("items", {}).get("type")
    return f"{schema.get('type')}" + (f" of {of}" if of else "")


@contextmanager
def heard() -> Iterator[list[str]]:
    """What is logged meanwhile with an exception, as that exception's text."""
    found: list[str] = []

    class Ears(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if error is not None:
                found.append(str(error))

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    # FastMCP sets the root's level for the whole process, and its handler would show what is meant
    # to be heard here.
    root.handlers = [Ears()]
    root.setLevel(logging.ERROR)
    try:
        yield found
    finally:
        root.handlers = handlers
        root.setLevel(level)


async def watched(answer: AddLookup, shop: Shop, calls: Sequence[Call]) -> dict[str, Any]:
    """What the calls get and look up, what is logged with a traceback, and what else happens.

    `leaked` counts the messages to the client with a staff note, a path or a customer's id.
    """
    sent: list[str] = []
    with heard() as logged:
        async with client(answer, shop, sent) as ask:
            got = [await ask(*each) for each in calls]
    secrets = [INSIDE, "C-00", "staff_note"]
    return {
        "got": got,
        "found": shop.found,
        "logged": logged,
        "leaked": sum(any(secret in each for secret in secrets) for each in sent),
        "changed": shop.changed(),
    }


async def behind(answer: AddLookup, shop: Shop, calls: Sequence[Call]) -> dict[str, Any]:
    """What the calls get, what was looked up, and for how many contexts the customer was asked."""
    got = await called(answer, shop, calls)
    again = len(shop.asked) - len(set(shop.asked))
    return {"got": got, "found": shop.found, "asked": len(shop.asked), "asked again": again}
