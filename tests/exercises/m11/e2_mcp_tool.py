"""Answers to exercise 11.2, each a right one with a part that is another."""

import asyncio
import logging
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

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


def returning(build: Any, returns: Any = Facts) -> object:
    """The right tool with another result, which `build` makes of order, context and server."""

    def add_lookup(server: Any, find: Any, who: Any) -> None:
        class Kept(Steps):
            def own(self, order: Any, customer: Any) -> bool:
                self.order = order
                return Steps.own(self, order, customer)

        steps = Kept()
        steps.find, steps.who = find, who

        async def lookup_order(order_id: OrderId, context: Context) -> Any:
            """Look up an order."""
            await steps.look_up(order_id, context)
            return await build(steps.order, context, server)

        lookup_order.__annotations__["return"] = returns
        server.tool(annotations=READS)(lookup_order)

    return add_lookup


def with_order(change: Callable[[Any], dict[str, Any]]) -> object:
    """The right tool with an order that is changed before its facts are taken."""

    async def build(order: Any, context: Any, server: Any) -> Facts:
        return facts(order | change(order))

    return returning(build)


def _told(order: Any, text: str, meta: dict[str, Any] | None = None) -> CallToolResult:
    content = [TextContent(type="text", text=text)]
    structured = facts(order).model_dump()
    return CallToolResult(content=content, structuredContent=structured, _meta=meta)


ResultOfFacts = Annotated[CallToolResult, Facts]


@wrong("The text of the result has the stored order.", slip="whole-order")
def order_in_text() -> object:
    async def build(order: Any, context: Any, server: Any) -> CallToolResult:
        return _told(order, str(order))

    return returning(build, ResultOfFacts)


@wrong("The result's metadata has the customer.", slip="whole-order")
def customer_in_meta() -> object:
    async def build(order: Any, context: Any, server: Any) -> CallToolResult:
        return _told(order, "Your order", {"customer": order["customer"]})

    return returning(build, ResultOfFacts)


@wrong("A message by the context has the stored order.", slip="whole-order")
def order_in_message() -> object:
    async def build(order: Any, context: Any, server: Any) -> Facts:
        await context.info(str(order))
        return facts(order)

    return returning(build)


@wrong("The description has the last order.", slip="whole-order")
def order_in_description() -> object:
    async def build(order: Any, context: Any, server: Any) -> Facts:
        server._tool_manager.get_tool("lookup_order").description = str(order)
        return facts(order)

    return returning(build)


@wrong("The stored order is changed.")
def note_removed() -> object:
    async def build(order: Any, context: Any, server: Any) -> Facts:
        del order["staff_note"]
        return facts(order)

    return returning(build)


@wrong("Items are sorted.")
def sorted_items() -> object:
    return with_order(lambda order: {"items": sorted(order["items"])})


@wrong("Each item once.")
def items_once() -> object:
    return with_order(lambda order: {"items": list(dict.fromkeys(order["items"]))})


@wrong("Items without spaces around them.")
def stripped_items() -> object:
    return with_order(lambda order: {"items": [each.strip() for each in order["items"]]})


@wrong("The first ten items.")
def ten_items() -> object:
    return with_order(lambda order: {"items": order["items"][:10]})


@wrong("The status in small letters.")
def status_lower() -> object:
    return with_order(lambda order: {"status": order["status"].lower()})


@wrong("The status without spaces around it.")
def status_stripped() -> object:
    return with_order(lambda order: {"status": order["status"].strip()})


@wrong("The schema of paid is any number.")
def paid_float() -> object:
    class Told(Facts):
        paid: float  # type: ignore[assignment]

    return _another_type(Told)


@wrong("The schema has a default.")
def paid_default() -> object:
    class Told(Facts):
        paid: int = 0

    return _another_type(Told)


@wrong("The schema lets more fields through.")
def more_fields() -> object:
    class Told(Facts):
        model_config = ConfigDict(extra="allow")

    return _another_type(Told)


def _another_type(told: type[Facts]) -> object:
    async def build(order: Any, context: Any, server: Any) -> Facts:
        return told(**facts(order).model_dump())

    return returning(build, told)


def _compared(by: Callable[[str], str]) -> object:
    return but(own=lambda self, order, customer: by(order["customer"]) == by(customer))


@wrong("Customers are compared without case.", slip="not-hers")
def casefold() -> object:
    return _compared(str.casefold)


@wrong("Customers are compared without spaces.", slip="not-hers")
def without_spaces() -> object:
    return _compared(str.strip)


@wrong("The last four digits are compared.", slip="not-hers")
def last_digits() -> object:
    return _compared(lambda customer: customer[-4:])


@wrong("The number is compared.", slip="not-hers")
def number() -> object:
    return _compared(lambda customer: customer.lstrip("C-0"))


@wrong("Customers are compared as Unicode's compatible forms.", slip="not-hers")
def compatible() -> object:
    return _compared(lambda customer: unicodedata.normalize("NFKC", customer))


@wrong("An empty id is nobody.")
def empty_is_nobody() -> object:
    def customer(self: Any, context: Any) -> Any:
        found = self.who(context)
        if not found:
            raise ToolError(LOG_IN)
        return found

    return but(customer=customer)


@wrong("The server that came last answers for all.")
def last_server() -> object:
    last: dict[str, Any] = {}

    def add_lookup(server: Any, find: Any, who: Any) -> None:
        last.update(find=find, who=who)
        Steps()(server, lambda order_id: last["find"](order_id), lambda each: last["who"](each))

    return add_lookup


def _remembering(field: str) -> object:
    """The first value of a field of each order is kept."""

    def add_lookup(server: Any, find: Any, who: Any) -> None:
        kept: dict[str, Any] = {}

        async def first(order_id: str) -> Any:
            order = await find(order_id)
            return order | {field: kept.setdefault(order_id, order[field])}

        Steps()(server, first, who)

    return add_lookup


@wrong("The first status is kept.")
def kept_status() -> object:
    return _remembering("status")


@wrong("The first items are kept.")
def kept_items() -> object:
    return _remembering("items")


@wrong("The first price is kept.")
def kept_paid() -> object:
    return _remembering("paid")


@wrong("The first owner is kept.")
def kept_customer() -> object:
    return _remembering("customer")


def _until(limit: int, counted: type[Exception] | None, then: Callable[[], Exception]) -> object:
    """After some calls, or some errors of a kind, `find` is called no more."""

    def add_lookup(server: Any, find: Any, who: Any) -> None:
        count = 0

        async def limited(order_id: str) -> Any:
            nonlocal count
            if count >= limit:
                raise then()
            try:
                count += counted is None
                return await find(order_id)
            except Exception as error:
                count += bool(counted) and isinstance(error, counted or ())
                raise

        Steps()(server, limited, who)

    return add_lookup


@wrong("What was missing once is missing for ever.")
def kept_missing() -> object:
    return _until(1, LookupError, LookupError)


@wrong("After six errors the tool gives up.")
def breaker() -> object:
    return _until(6, OSError, OSError)


@wrong("After 30 calls the tool gives up.")
def thirty_calls() -> object:
    return _until(30, None, OSError)


@wrong("What was refused once is refused for ever.")
def kept_refusal() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        refused = set()

        class Refusing(Steps):
            def own(self, order: Any, customer: Any) -> bool:
                key = order["id"], customer
                if order["customer"] != customer:
                    refused.add(key)
                return key not in refused

        Refusing()(server, find, who)

    return add_lookup


def _read(**before: Any) -> object:
    """`find` with something else around it: `tries`, `known` and `through`."""
    tries, known = before.get("tries", 1), before.get("known", Exception)
    missing, through = before.get("missing"), before.get("through", ())

    async def read(self: Any, order_id: str) -> Any:
        for attempt in range(1, tries + 1):
            try:
                return await self.find(order_id)
            except through:
                raise
            except LookupError as error:
                if missing is None or type(error) in missing:
                    return None
                raise self.broken(error) from error
            except known as error:
                if attempt == tries:
                    raise self.broken(error) from error

    return but(read=read)


@wrong("An error is tried again.")
def tried_again() -> object:
    return _read(tries=2)


@wrong("Only listed exceptions are known.")
def listed_errors() -> object:
    return _read(known=(OSError, RuntimeError, ValueError, TypeError))


@wrong("A ToolError of find goes through.", slip="inside")
def tool_error_through() -> object:
    return _read(through=ToolError)


@wrong("A LookupError that the database defines is not known.")
def listed_lookups() -> object:
    return _read(missing=(LookupError, KeyError, IndexError))


@wrong("The other tools lose their annotations.")
def others_changed() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> None:
        server._tool_manager.get_tool("opening_hours").annotations = None
        Steps()(server, find, who)

    return add_lookup


@wrong("The tool is returned.")
def returns_tool() -> object:
    def add_lookup(server: Any, find: Any, who: Any) -> Any:
        Steps()(server, find, who)
        return server._tool_manager.get_tool("lookup_order")

    return add_lookup


@right("A text of its own, and a message without facts.")
def own_text() -> object:
    async def build(order: Any, context: Any, server: Any) -> CallToolResult:
        await context.info("An order was read.")
        return _told(order, "Your order")

    return returning(build, ResultOfFacts)


@right("A schema that forbids more fields.")
def forbids_more() -> object:
    class Told(Facts):
        model_config = ConfigDict(extra="forbid")

    return _another_type(Told)


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
