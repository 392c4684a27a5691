"""What a client sees of the tool of exercise 11.2, over the SDK's own connection in memory.

A `Shop` keeps what was called behind the tool: which contexts were asked who the customer is, which
orders were looked up, and what was logged.
"""

import asyncio
import copy
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp.server.fastmcp import Context, FastMCP
from mcp.shared.memory import create_connected_server_and_client_session as connected
from mcp.types import CallToolResult

AddLookup = Callable[..., Any]

LOG_IN = "Please log in first."
BROKEN = "Orders cannot be read at the moment. Try again later."
PREFIX = "Error executing tool lookup_order: "
INSIDE = "/srv/shop/orders.db"
"""What only the log may have."""

TOGETHER_S = 5.0
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
        "status": ("shipped", "delivered", "processing")[number % 3],
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


@dataclass
class Shop:
    """The orders behind a tool. `wait_for`: calls that `find` waits for before it answers any."""

    orders: dict[str, Any]
    wait_for: int = 1
    found: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    waiting: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self, order_id: str) -> dict[str, Any]:
        """A copy of an order; an exception in its place is raised."""
        self.found.append(order_id)
        self.waiting += 1
        if self.waiting >= self.wait_for:
            self.all_there.set()
        async with asyncio.timeout(TOGETHER_S):
            await self.all_there.wait()
        found = self.orders.get(order_id)
        if found is None:
            raise LookupError(f"no row {order_id} in {INSIDE}")
        if isinstance(found, Exception):
            raise found
        return copy.deepcopy(found)

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

    @server.tool()
    def opening_hours() -> str:
        """Say when the shop is open."""
        return "9 to 5"

    return server


async def called(
    answer: AddLookup, shop: Shop, calls: Sequence[Call], *, at_once: bool = False
) -> list[Any]:
    """What these calls get, one after another or all at once."""
    server = new_server()
    answer(server, shop.find, shop.who)
    async with connected(server) as session:

        async def one(arguments: dict[str, Any], customer: str | None) -> Any:
            meta = None if customer is None else {"customer": customer}
            return outcome(await session.call_tool("lookup_order", arguments, meta=meta))

        if at_once:
            return list(await asyncio.gather(*itertools.starmap(one, calls)))
        return [await one(*each) for each in calls]


async def declared(answer: AddLookup) -> dict[str, Any]:
    """What a client is told of the server's tools."""
    server = new_server()
    shop = Shop({})
    answer(server, shop.find, shop.who)
    async with connected(server) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        hours = outcome(await session.call_tool("opening_hours", {}))
    tool = tools.pop("lookup_order", None)
    told: dict[str, Any] = {
        "other tools": sorted(tools),
        "they work": hours == {"result": "9 to 5"},
    }
    if tool is None:
        return told
    argument = tool.inputSchema["properties"].get("order_id", {})
    hints = tool.annotations
    return told | {
        "described": bool((tool.description or "").strip()),
        "arguments": sorted(tool.inputSchema["properties"]),
        "required": tool.inputSchema.get("required", []),
        "type": argument.get("type"),
        "pattern": argument.get("pattern"),
        "readOnlyHint": hints and hints.readOnlyHint,
        "openWorldHint": hints and hints.openWorldHint,
        "result": sorted((tool.outputSchema or {}).get("properties", {})),
    }


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


async def with_log(answer: AddLookup, shop: Shop, calls: Sequence[Call]) -> dict[str, Any]:
    """What the calls get, and what was logged with a traceback."""
    with heard() as found:
        got = await called(answer, shop, calls)
    return {"got": got, "logged": found}


async def behind(answer: AddLookup, shop: Shop, calls: Sequence[Call]) -> dict[str, Any]:
    """What the calls get, what was looked up, and for how many contexts the customer was asked."""
    got = await called(answer, shop, calls)
    again = len(shop.asked) - len(set(shop.asked))
    return {"got": got, "found": shop.found, "asked": len(shop.asked), "asked again": again}
