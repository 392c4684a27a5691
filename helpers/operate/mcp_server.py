"""Fernhill's tools as an MCP server (protocol 2025-11-25), for `course mcp`.

The tools are those that need nothing but their arguments and the customer. A refund is not one of
them: it is decided by the customer's own words, which a client does not send.

`mcp` takes seconds to import, so nothing imports this module before it serves.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.fastmcp import FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import ContentBlock, ToolAnnotations
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

from helpers.agent import THRESHOLD, Retriever
from helpers.shop import Orders, UnknownOrder
from helpers.shop.records import Status

Who = Callable[[], str]
"""The id of the customer whose request is being answered."""

OrderId = Annotated[
    str, Field(pattern=r"^FH-\d{5}$", description="the number of the order, such as FH-10234")
]
_READS = ToolAnnotations(readOnlyHint=True, openWorldHint=False)
_WRITES = ToolAnnotations(readOnlyHint=False, destructiveHint=False, openWorldHint=False)
_log = logging.getLogger(__name__)


class Found(BaseModel):
    """The passage that fits a query best; no text where the documents do not answer it."""

    text: str | None
    document: str | None


class ItemFacts(BaseModel):
    """One line of an order; `price` is pounds a piece."""

    model_config = ConfigDict(from_attributes=True)

    title: str
    quantity: int
    price: Decimal


class OrderFacts(BaseModel):
    """What a customer may know of an order; sums are pounds, and a day is None until it comes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    status: Status
    items: list[ItemFacts]
    total: Decimal
    refunded: Decimal
    carrier: str | None
    tracking: str | None
    ordered_on: date
    expected_on: date | None
    shipped_on: date | None
    delivered_on: date | None
    returned_on: date | None
    cancelled_on: date | None


class TicketOpened(BaseModel):
    """A conversation that a person takes over."""

    ticket: str


class FernhillServer(FastMCP[None]):
    """A server whose errors are sentences for the caller; what fails inside goes to the log."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any]
    ) -> Sequence[ContentBlock] | dict[str, Any]:
        """What a tool returns. Raises `ToolError` with a sentence for the caller."""
        try:
            return await super().call_tool(name, arguments)
        except ToolError as error:
            raise ToolError(_sentence(name, error)) from error


def _sentence(name: str, error: ToolError) -> str:
    """What a caller reads of an error: FastMCP would send the text of any exception."""
    cause = error.__cause__
    if cause is None or isinstance(cause, ToolError):
        return str(cause or error)
    if isinstance(cause, ValidationError) and cause.title == f"{name}Arguments":
        first = cause.errors()[0]
        return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}."
    _log.error("%s failed", name, exc_info=cause)
    return f"{name} does not work at the moment. Try again later."


class Tokens:
    """A token verifier of the SDK's for the tokens of `customers`, as `token -> customer`."""

    def __init__(self, customers: Mapping[str, str]) -> None:
        """Keep the SHA-256 of each token: looking one up takes no time that depends on it."""
        self._customers = {_digest(token): customer for token, customer in customers.items()}

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who has this token; for None the SDK answers 401."""
        found = self._customers.get(_digest(token))
        if found is None:
            return None
        return AccessToken(token=token, client_id=found, subject=found, scopes=[])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def stdio_server(retriever: Retriever, orders: Orders, customer: str) -> FernhillServer:
    """The server of one customer, for a client that starts it as its own process."""
    server = FernhillServer("fernhill", instructions=_INSTRUCTIONS, log_level="WARNING")
    _add_tools(server, retriever, orders, lambda: customer)
    return server


def http_server(
    retriever: Retriever, orders: Orders, customers: Mapping[str, str]
) -> FernhillServer:
    """The server for streamable HTTP; each request's token says who its customer is.

    Args:
        retriever: what is searched.
        orders: the order book.
        customers: `token -> customer`.
    """
    server = FernhillServer(
        "fernhill",
        instructions=_INSTRUCTIONS,
        log_level="WARNING",
        stateless_http=True,
        token_verifier=Tokens(customers),
        # Its tokens are handed out on the command line: no server issues them.
        auth=AuthSettings(issuer_url=AnyHttpUrl("http://127.0.0.1"), resource_server_url=None),
    )
    _add_tools(server, retriever, orders, _customer_of_token)
    return server


_INSTRUCTIONS = "Tools of Fernhill, a shop for camping goods, for the customer who is logged in."


def _customer_of_token() -> str:
    token = get_access_token()
    if token is None or token.subject is None:  # the SDK has answered 401 before
        raise ToolError("Please log in first: this needs a customer.")
    return token.subject


def _add_tools(server: FernhillServer, retriever: Retriever, orders: Orders, who: Who) -> None:
    """The three tools. Each works in a thread, so that the server hears other requests."""

    @server.tool(annotations=_READS)
    async def search_documents(
        query: Annotated[
            str, Field(min_length=1, max_length=1000, description="what to look for, in words")
        ],
    ) -> Found:
        """Search the shop's documents: products, delivery, returns, warranty, repairs, care."""
        passages = await asyncio.to_thread(retriever.search, query)
        if not passages or passages[0].score < THRESHOLD:
            return Found(text=None, document=None)
        return Found(text=passages[0].excerpt, document=passages[0].title)

    @server.tool(annotations=_READS)
    async def lookup_order(order_id: OrderId) -> OrderFacts:
        """Look up one order of the customer: status, dates, carrier, items, amounts in pounds."""
        try:
            order = await asyncio.to_thread(orders.get, order_id, who())
        except UnknownOrder as unknown:
            raise ToolError(str(unknown)) from unknown
        return OrderFacts.model_validate(order)

    @server.tool(annotations=_WRITES)
    async def hand_over(
        reason: Annotated[
            str, Field(min_length=1, max_length=500, description="why, in a few words")
        ],
    ) -> TicketOpened:
        """Hand the conversation over to a person who works for the shop."""
        ticket = await asyncio.to_thread(orders.open_ticket, who(), reason)
        return TicketOpened(ticket=ticket.id)
