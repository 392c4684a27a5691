# %% [markdown] name="title" only="lab"
# # Lab 11: Operate and improve

# %% [markdown] name="title" only="solution"
# # Solution of lab 11: Operate and improve

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="mcp-tool-task"
# ## 11.2 An MCP tool with the right scope and errors
#
# **Goal:** a tool that shows a customer her orders, and says nothing else to anyone.
#
# Write `add_lookup(server, find, who)`. It adds one tool to a `FastMCP` server, and returns `None`.
#
# - `server: FastMCP` may have tools already. They stay as they are.
# - `find: Callable[[str], Awaitable[dict[str, Any]]]` is an async function from an order's id to
#   the stored order: `id`, `customer`, `status` and `staff_note` are texts, `items` is a list of
#   texts, and `paid` is a whole number of pence. It raises a `LookupError` (or a subclass of it)
#   where there is no such order, and any other `Exception` when the database is broken.
# - `who: Callable[[Context], str | None]` takes the `Context` that FastMCP gives a tool for each
#   call, and returns the customer's id; `None` says that nobody is logged in. It raises no error.
#
# The tool:
#
# - **It is called** `lookup_order`, and has a description.
# - **One argument**, `order_id`, is required: a string that matches `^FH-\d{5}$`. The pattern is in
#   the schema, so a call with anything else is an error before `find` or `who` is called. Neither
#   the customer nor the context is in the schema.
# - **Its annotations** say `readOnlyHint=True` and `openWorldHint=False`.
# - **Its result is structured**: `order_id`, `status`, `items` and `paid`, as they are stored, with
#   `paid` in pence. All four are in the tool's output schema, and nothing else is. So the note of
#   the staff and the customer's id do not leave the server.
# - **Each call** asks `who` with its own context, and then `find`, once each. Calls overlap: while
#   one waits for `find`, others are answered.
# - **Errors** are results with `isError`. Raise `ToolError` with exactly one of these sentences
#   (FastMCP adds `Error executing tool lookup_order: ` in front):
#
# | when | sentence |
# |---|---|
# | nobody is logged in; `find` is not called | `Please log in first.` |
# | there is no such order | `There is no order FH-00017 on your account.` (with its id) |
# | the order is another customer's | the same |
# | `find` raises another exception | `Orders cannot be read at the moment. Try again later.` |
#
# - In the last case, and only then, log the exception once with its traceback:
#   `log.exception(...)`, with any message.
#
# Customers' ids are compared exactly. Two servers share nothing, and nothing is kept between calls:
# an order may change, and so may its customer.
#
# For instance, if `find("FH-00017")` gives `{"id": "FH-00017", "customer": "C-0042", "status":
# "shipped", "items": ["Alta 2 tent"], "paid": 24900, "staff_note": "ring first"}`, C-0042 gets
# `{"order_id": "FH-00017", "status": "shipped", "items": ["Alta 2 tent"], "paid": 24900}`, and
# C-0007 gets an error with the second sentence.
# %% exercise="11.2"
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

log = logging.getLogger("shop.orders")
Find = Callable[[str], Awaitable[dict[str, Any]]]  # an order's id -> the stored order
Who = Callable[[Context], str | None]


# BEGIN SOLUTION
class OrderFacts(BaseModel):
    """What a customer may know of an order."""

    order_id: str
    status: str
    items: list[str]
    paid: int


# END SOLUTION
def add_lookup(server: FastMCP, find: Find, who: Who) -> None:
    """Gives a server the tool that shows an order to its customer."""
    # LAB: raise TODO
    # BEGIN SOLUTION

    @server.tool(annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False))
    async def lookup_order(
        order_id: Annotated[str, Field(pattern=r"^FH-\d{5}$")], context: Context
    ) -> OrderFacts:
        """Look up one order of the customer: status, items, pence paid."""
        customer = who(context)
        if customer is None:
            raise ToolError("Please log in first.")
        try:
            order = await find(order_id)
        except LookupError:
            order = None
        except Exception as error:
            log.exception("an order cannot be read")
            raise ToolError("Orders cannot be read at the moment. Try again later.") from error
        if order is None or order["customer"] != customer:
            raise ToolError(f"There is no order {order_id} on your account.")
        return OrderFacts(
            order_id=order["id"],
            status=order["status"],
            items=order["items"],
            paid=order["paid"],
        )
    # END SOLUTION

# %%
check("11.2", add_lookup)

# %% [markdown] name="mcp-tool-why" only="solution"
# The return type does two jobs: FastMCP makes the output schema of it, and what it does not name
# stays inside. A tool that returns the stored order gives the staff's note to every client. FastMCP
# sends the text of any exception, so the `except Exception` is what keeps paths and statements in
# the log. An unknown order and another customer's get the same words, or anyone could find out
# which numbers are in use. And there is no `customer_id` to be talked into: the context comes from
# the connection, which the model does not write.

# %% [markdown] name="mcp-tool-use-text"
# Try yours as a client does. `connected` is the SDK's own client, in memory. Here the context says
# who the customer is by the request's metadata; over HTTP it would be the token.

# %% name="mcp-tool-use"
from mcp.shared.memory import create_connected_server_and_client_session as connected

STORED = {"FH-00017": {
    "id": "FH-00017", "customer": "C-0042", "status": "shipped", "items": ["Alta 2 tent"],
    "paid": 24900, "staff_note": "ring first",
}}


async def find(order_id):
    """A stored order. Raises KeyError, which is a LookupError."""
    return STORED[order_id]


async def use(add):
    """What two customers get."""
    server = FastMCP("shop", log_level="CRITICAL")
    add(server, find, lambda context: context.request_context.meta.customer)
    async with connected(server) as session:
        for customer in ("C-0042", "C-0007"):
            meta = {"customer": customer}
            got = await session.call_tool("lookup_order", {"order_id": "FH-00017"}, meta=meta)
            print(customer, got.structuredContent or got.content[0].text)


if ready("11.2"):
    await use(add_lookup)  # noqa: F704
