# Written by `course build` from notebooks/src/11_operate_and_improve.py: edit it there.

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any

from langchain.tools import BaseTool
from langchain_mcp_adapters.tools import convert_mcp_tool_to_langchain_tool
from mcp import ClientSession
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.fastmcp import FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import ContentBlock, Tool, ToolAnnotations
from pydantic import AnyHttpUrl, BaseModel, Field, ValidationError

OrderId = Annotated[str, Field(pattern=r"^FH-\d{5}$", description="such as FH-10234")]
READS = ToolAnnotations(readOnlyHint=True, openWorldHint=False)
WRITES = ToolAnnotations(readOnlyHint=False, destructiveHint=False, openWorldHint=False)


class Found(BaseModel):
    """The text that fits a question best, and how well; no text where nothing answers it."""

    text: str | None
    score: float


class OrderFacts(BaseModel):
    """What a customer may know of an order; sums are pounds."""

    order_id: str
    status: str
    items: list[str]
    paid: Decimal
    refunded: Decimal


log = logging.getLogger("mcp_server")


class ClearErrors(FastMCP[None]):
    """A server whose errors say what the caller can do, and nothing about its internals."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any]
    ) -> Sequence[ContentBlock] | dict[str, Any]:
        """What the tool returns. Raises ToolError with a sentence for the caller."""
        try:
            return await super().call_tool(name, arguments)
        except ToolError as error:
            raise ToolError(sentence(name, error)) from error


def sentence(name: str, error: ToolError) -> str:
    """What a caller reads of an error: how to call the tool, or that it does not work now."""
    cause = error.__cause__
    if cause is None or isinstance(cause, ToolError):
        return str(cause or error)
    if isinstance(cause, ValidationError) and cause.title == f"{name}Arguments":
        first = cause.errors()[0]
        return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}."
    log.error("%s failed", name, exc_info=cause)
    return f"{name} does not work at the moment. Try again later."


def add_search(server: FastMCP[None], search: Callable[[str], Found]) -> None:
    """Gives a server the tool that searches the documents."""

    @server.tool(annotations=READS)
    async def search_documents(
        query: Annotated[str, Field(min_length=1, max_length=1000, description="in words")],
    ) -> Found:
        """Search the shop's documents: products, delivery, returns, warranty, repairs, care."""
        return await asyncio.to_thread(search, query)


Who = Callable[[], str | None]  # the customer who is logged in, or None


def customer(who: Who) -> str:
    """The customer's id. Raises ToolError when nobody is logged in."""
    found = who()
    if found is None:
        raise ToolError("Please log in first: orders are shown to their customer only.")
    return found


def add_orders(
    server: FastMCP[None], look_up: Callable[[str, str], OrderFacts | None], who: Who
) -> None:
    """Gives a server the tool that shows an order; `look_up` takes order and customer."""

    @server.tool(annotations=READS)
    async def lookup_order(order_id: OrderId) -> OrderFacts:
        """Look up one order of the customer: status, items, amounts."""
        facts = await asyncio.to_thread(look_up, order_id, customer(who))
        if facts is None:
            raise ToolError(f"There is no order {order_id} on your account.")
        return facts


def add_hand_over(server: FastMCP[None], hand_over: Callable[[str, str], str], who: Who) -> None:
    """Gives a server the tool that calls a person; `hand_over` takes customer and reason."""

    @server.tool(annotations=WRITES)
    async def ask_a_person(
        reason: Annotated[str, Field(min_length=1, max_length=500, description="in a few words")],
    ) -> str:
        """Hand the conversation over to a person who works for the shop."""
        return await asyncio.to_thread(hand_over, customer(who), reason)


class Keys:
    """A token verifier: the customers of a server's own keys, by each key's SHA-256 in hex."""

    def __init__(self, customers: Mapping[str, str]) -> None:
        self.customers = customers

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who has this key; None refuses the request with status 401."""
        found = self.customers.get(sha256(token.encode()).hexdigest())
        if found is None:
            return None
        return AccessToken(token=token, client_id=found, subject=found, scopes=[])


def customer_of_token() -> str | None:
    """The customer of the request that is being answered."""
    token = get_access_token()
    return token.subject if token else None


def http_server(name: str, customers: Mapping[str, str], **settings: Any) -> ClearErrors:
    """A server for streamable HTTP that requires a key; add tools with `who=customer_of_token`."""
    # The issuer is the server that issues tokens. Here a person hands out the keys.
    issuer = AuthSettings(issuer_url=AnyHttpUrl("http://127.0.0.1"), resource_server_url=None)
    return ClearErrors(
        name,
        stateless_http=True,  # each request carries all that it needs, so servers can be many
        token_verifier=Keys(customers),
        auth=issuer,
        **settings,
    )


def digest(tool: Tool) -> str:
    """SHA-256, in hex, of all that a server says of a tool: words, schemas, annotations."""
    said = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


async def listed(session: ClientSession) -> list[Tool]:
    """All tools of a server, page by page."""
    page = await session.list_tools()
    found = list(page.tools)
    while page.nextCursor:
        page = await session.list_tools(cursor=page.nextCursor)
        found += page.tools
    return found


def approve(tools: Sequence[Tool]) -> dict[str, str]:
    """What to keep, next to your code, of tools that a person has read: name -> digest."""
    found = {}
    for each in tools:
        found[each.name] = digest(each)
    return found


def unchanged(tools: Sequence[Tool], approved: Mapping[str, str]) -> list[Tool]:
    """The tools that are still as approved; new and changed ones are logged and left out."""
    kept = []
    for each in tools:
        if approved.get(each.name) == digest(each):
            kept.append(each)
        else:
            log.warning("%s is not as it was approved: read it again", each.name)
    return kept


async def approved_tools(session: ClientSession, approved: Mapping[str, str]) -> list[BaseTool]:
    """LangChain's tools for those of a server that are unchanged; they work in this session."""
    found = []
    for each in unchanged(await listed(session), approved):
        found.append(convert_mcp_tool_to_langchain_tool(session, each))
    return found
