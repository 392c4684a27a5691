"""Answers to exercise 11.2, each a right one with a part that is another."""

import asyncio
import logging
from typing import Annotated, Any, TypedDict

from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from helpers.authoring.answers import right, wrong

log = logging.getLogger("answers")
READS = ToolAnnotations(readOnlyHint=True, openWorldHint=False)
LOG_IN = "Please log in first."
BROKEN = "Orders cannot be read at the moment. Try again later."
OrderId = Annotated[str, Field(pattern=r"^FH-\d{5}$")]


class Facts(BaseModel):
    order_id: str
    status: str
    items: list[str]
    paid: int


def facts(order: Any) -> Facts:
    return Facts(order_id=order["id"], **{n: order[n] for n in ("status", "items", "paid")})


class Steps:
    """The steps, one method each; the answers below change one."""

    annotations: ToolAnnotations | None = READS
    description: str | None = "Look up one order of the customer."

    def __call__(self, server: FastMCP, find: Any, who: Any) -> None:
        self.find, self.who = find, who

        @server.tool(annotations=self.annotations, description=self.description)
        async def lookup_order(order_id: OrderId, context: Context) -> Facts:
            return await self.look_up(order_id, context)

    async def look_up(self, order_id: str, context: Any) -> Any:
        customer = self.customer(context)
        order = await self.read(order_id)
        if order is None or not self.own(order, customer):
            raise ToolError(self.unknown(order_id, order))
        return facts(order)

    def customer(self, context: Any) -> Any:
        customer = self.who(context)
        if customer is None:
            raise ToolError(LOG_IN)
        return customer

    async def read(self, order_id: str) -> Any:
        try:
            return await self.find(order_id)
        except LookupError:
            return None
        except Exception as error:
            raise self.broken(error) from error

    def broken(self, error: Exception) -> Exception:
        log.exception("broken")
        return ToolError(BROKEN)

    def own(self, order: Any, customer: Any) -> bool:
        return bool(order["customer"] == customer)

    def unknown(self, order_id: str, order: Any) -> str:
        return f"There is no order {order_id} on your account."


def but(**changed: Any) -> object:
    """The steps with some of them changed; a server gets steps of its own."""

    def add_lookup(server: Any, find: Any, who: Any) -> None:
        type("Changed", (Steps,), changed)()(server, find, who)

    return add_lookup


@wrong("No tool is added.", slip="no-tool")
def nothing() -> object:
    return lambda server, find, who: None


@wrong("Another name.", slip="no-tool")
def other_name() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        @server.tool(annotations=READS)
        async def look_up_order(order_id: OrderId) -> str:
            """Look up an order."""
            return order_id

    return add_lookup


@wrong("The stored order goes out.", slip="whole-order")
def whole_order() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        steps = Steps()
        steps.find, steps.who = find, who

        @server.tool(annotations=READS)
        async def lookup_order(order_id: OrderId, context: Context) -> dict[str, Any]:
            """Look up an order."""
            found = await steps.look_up(order_id, context)
            return {"staff_note": "ring first", **found.model_dump()}

    return add_lookup


@wrong("Text, and no structure.", slip="unstructured")
def text_alone() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        steps = Steps()
        steps.find, steps.who = find, who

        @server.tool(annotations=READS, structured_output=False)
        async def lookup_order(order_id: OrderId, context: Context) -> Facts:
            """Look up an order."""
            found: Facts = await steps.look_up(order_id, context)
            return found

    return add_lookup


@wrong("Whose order it is does not matter.", slip="not-hers")
def anyones() -> object:
    return but(own=lambda self, order, customer: True)


@wrong("The beginning of the id is compared.", slip="not-hers")
def beginning() -> object:
    return but(own=lambda self, order, customer: customer.startswith(order["customer"]))


@wrong("Another customer's order has words of its own.", slip="two-sentences")
def two_sentences() -> object:
    def unknown(self: Any, order_id: str, order: Any) -> str:
        return Steps.unknown(self, order_id, order) if order is None else "Not your order."

    return but(unknown=unknown)


@wrong("The customer is an argument.", slip="customer-argument")
def customer_argument() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        steps = Steps()
        steps.find, steps.who = find, who

        @server.tool(annotations=READS)
        async def lookup_order(order_id: OrderId, context: Context, customer: str = "") -> Facts:
            """Look up an order."""
            if customer:
                steps.who = lambda context: customer
            found: Facts = await steps.look_up(order_id, context)
            return found

    return add_lookup


@wrong("No annotations.")
def no_annotations() -> object:
    return but(annotations=None)


@wrong("An open world.")
def open_world() -> object:
    return but(annotations=ToolAnnotations(readOnlyHint=True))


@wrong("No description.")
def no_description() -> object:
    return but(description=" ")


@wrong("No pattern in the schema; the tool itself looks.")
def no_pattern() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        steps = Steps()
        steps.find, steps.who = find, who

        @server.tool(annotations=READS)
        async def lookup_order(order_id: str, context: Context) -> Facts:
            """Look up an order."""
            if len(order_id) != 8:
                raise ToolError("This is no order number.")
            found: Facts = await steps.look_up(order_id, context)
            return found

    return add_lookup


@wrong("The order is read before anyone asks who wants it.")
def find_first() -> object:
    async def look_up(self: Any, order_id: str, context: Any) -> Any:
        order = await self.read(order_id)
        if order is None or not self.own(order, self.customer(context)):
            raise ToolError(self.unknown(order_id, order))
        return facts(order)

    return but(look_up=look_up)


@wrong("An order is kept.", slip="kept")
def kept() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        orders: dict[str, Any] = {}

        async def once(order_id: str) -> Any:
            if order_id not in orders:
                orders[order_id] = await find(order_id)
            return orders[order_id]

        Steps()(server, once, who)

    return add_lookup


@wrong("Any exception is an unknown order.")
def all_unknown() -> object:
    async def read(self: Any, order_id: str) -> Any:
        try:
            return await self.find(order_id)
        except Exception:
            return None

    return but(read=read)


@wrong("The client gets the exception's text.", slip="inside")
def inside() -> object:
    def broken(self: Any, error: Exception) -> Exception:
        log.exception("broken")
        return ToolError(str(error))

    return but(broken=broken)


@wrong("The reason is not logged.", slip="not-logged")
def not_logged() -> object:
    return but(broken=lambda self, error: ToolError(BROKEN))


@wrong("The reason is logged without its traceback.", slip="not-logged")
def no_traceback() -> object:
    def broken(self: Any, error: Exception) -> Exception:
        log.error("broken: %s", error)
        return ToolError(BROKEN)

    return but(broken=broken)


@wrong("KeyError alone is an unknown order.")
def key_error_alone() -> object:
    async def read(self: Any, order_id: str) -> Any:
        try:
            return await self.find(order_id)
        except KeyError:
            return None
        except Exception as error:
            raise self.broken(error) from error

    return but(read=read)


@wrong("One call at a time.", slip="one-at-a-time")
def locked() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        lock = asyncio.Lock()

        async def alone(order_id: str) -> Any:
            async with lock:
                return await find(order_id)

        Steps()(server, alone, who)

    return add_lookup


@wrong("The customer is kept on the server between a call's two questions.")
def shared_customer() -> object:
    async def look_up(self: Any, order_id: str, context: Any) -> Any:
        self.last = self.customer(context)
        order = await self.read(order_id)
        if order is None or not self.own(order, self.last):
            raise ToolError(self.unknown(order_id, order))
        return facts(order)

    return but(look_up=look_up)


@wrong("The tools that were there are gone.")
def others_gone() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        server.remove_tool("opening_hours")
        Steps()(server, find, who)

    return add_lookup


@wrong("The first server's orders are everyone's.")
def first_server() -> object:
    first: list[Any] = []

    def add_lookup(server: Any, find: Any, who: Any) -> None:
        first.append(find)
        Steps()(server, first[0], who)

    return add_lookup


@wrong("Pounds, and not pence.")
def pounds() -> object:
    async def look_up(self: Any, order_id: str, context: Any) -> Any:
        found = await Steps.look_up(self, order_id, context)
        return found.model_copy(update={"paid": found.paid // 100})

    return but(look_up=look_up)


@wrong("Nobody has the id None.")
def none_is_a_customer() -> object:
    return but(customer=lambda self, context: self.who(context))


@right("In steps.")
def in_steps() -> object:
    return but()


@right("A TypedDict, and server.add_tool.")
def typed_dict() -> object:
    class Told(TypedDict):
        order_id: str
        status: str
        items: list[str]
        paid: int

    def add_lookup(server: Any, find: Any, who: Any) -> None:
        steps = Steps()
        steps.find, steps.who = find, who

        async def lookup(order_id: OrderId, ctx: Context) -> Told:
            found = await steps.look_up(order_id, ctx)
            return Told(**found.model_dump())

        server.add_tool(lookup, name="lookup_order", description="Orders.", annotations=READS)

    return add_lookup


@right("The context comes from the server.")
def context_of_server() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        steps = Steps()
        steps.find, steps.who = find, who

        @server.tool(annotations=READS)
        async def lookup_order(order_id: OrderId) -> Facts:
            """Look up an order."""
            found: Facts = await steps.look_up(order_id, server.get_context())
            return found

    return add_lookup


@right("More annotations, and all orders of others are unknown to find.")
def filtered() -> object:
    async def look_up(self: Any, order_id: str, context: Any) -> Any:
        customer = self.customer(context)
        found = [await self.read(order_id)]
        for order in found:
            if order and order["customer"] == customer:
                return facts(order)
        raise ToolError(self.unknown(order_id, None))

    hints = ToolAnnotations(
        title="Order", readOnlyHint=True, idempotentHint=True, openWorldHint=False
    )
    return but(look_up=look_up, annotations=hints)
