"""Answers to exercise 03.1, each a right one with a part that is another."""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from langchain.tools import BaseTool, ToolException, ToolRuntime, tool
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolArg, StructuredTool
from langgraph.runtime import get_runtime
from pydantic import BaseModel, Field

from helpers.agent import Caller
from helpers.authoring.answers import right, wrong
from helpers.security.controls import Till
from helpers.security.controls.secrets import DiscountRefused
from helpers.shop import TODAY, Order, Orders, UnknownOrder

GOLD = 400
EQUIVALENT = {
    'line 13, keyword extras dropped: @tool(extras={"examples": ["Take my Gold discount off'
    ' FH-10512, please.",': "the check does not ask a model, as the statement says",
    'line 13, \'examples\' changed: @tool(extras={"examples": ["Take my Gold discount off'
    ' FH-10512, please.",': "the check does not ask a model, as the statement says",
}
DONE = "£20 has been taken off {order_id}."
LOG_IN, NOT_GOLD, REFUSED = "Please log in.", "This is for Gold members.", "No discount: {error}"
Runtime = ToolRuntime[Caller]
Words = Callable[..., str]


def own(orders: Orders, customer: str) -> list[Order]:
    return [orders.get(number, customer) for number in orders.order_ids(customer)]


def spent(orders: Orders, customer: str) -> Any:
    return sum(
        o.total - o.refunded for o in own(orders, customer) if o.ordered_on.year == TODAY.year
    )


def is_gold(orders: Orders, customer: str) -> bool:
    return bool(spent(orders, customer) > GOLD)


def said(
    orders: Orders,
    till: Till,
    code: str,
    order_id: str,
    customer: str | None,
    *,
    gold: Callable[[Orders, str], bool] = is_gold,
    done: str = DONE,
    log_in: str = LOG_IN,
    not_gold: str = NOT_GOLD,
    refused: str = REFUSED,
) -> str:
    """What the right tool does and says, but for these parts."""
    if customer is None:
        return log_in
    if not gold(orders, customer):
        return not_gold
    try:
        till.redeem(code, orders.get(order_id, customer))
    except (UnknownOrder, DiscountRefused) as error:
        return refused.format(error=error, code=code)
    return done.format(order_id=order_id, code=code)


def discount(*, description: str = "", **parts: Any) -> object:
    """The right factory with these parts of `said`; its tool may have the code in its docstring."""

    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            return said(orders, till, code, order_id, runtime.context.customer_id, **parts)

        if description:
            gold_discount.__doc__ = description.format(code=code)
        return tool(gold_discount)

    return make_gold_discount


@wrong("A tool that gives nothing to anybody.", slip="nobody-gets-it")
def gives_nothing() -> object:
    return discount(gold=lambda orders, customer: False)


@wrong("The tool says the code when it gives the discount.", slip="says-the-code")
def says_the_code() -> object:
    return discount(done="The code {code} took £20 off {order_id}.")


@wrong("It says the code in small letters and without hyphens.", slip="says-the-code")
def says_the_code_in_small_letters() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            done = f"{DONE} ({code.lower().replace('-', ' ')})"
            return said(orders, till, code, order_id, runtime.context.customer_id, done=done)

        return gold_discount

    return make_gold_discount


@wrong("It says the code when the till refuses it.")
def says_the_code_when_refused() -> object:
    return discount(refused="{code}: {error}")


@wrong("The code is in the message's artifact.", slip="says-the-code")
def code_in_the_artifact() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool(response_format="content_and_artifact")
        def gold_discount(order_id: str, runtime: Runtime) -> tuple[str, dict[str, str]]:
            """Take the Gold members' discount off an order."""
            text = said(orders, till, code, order_id, runtime.context.customer_id)
            return text, {"order": order_id, "code": code}

        return gold_discount

    return make_gold_discount


@wrong("The code is in the tool's description.", slip="code-in-definition")
def code_in_the_description() -> object:
    return discount(description="Take £20 off an order with the code {code}.")


@wrong("The code is in an argument's description.", slip="code-in-definition")
def code_in_the_arguments() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        class Asked(BaseModel):
            order_id: str = Field(description=f"the order that gets the discount of {code}")

        def give(order_id: str) -> str:
            customer = get_runtime(Caller).context.customer_id
            return said(orders, till, code, order_id, customer)

        return StructuredTool.from_function(
            give, name="gold_discount", description="Take £20 off.", args_schema=Asked
        )

    return make_gold_discount


@wrong("The code is the default of an argument.", slip="code-in-definition")
def code_as_a_default() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        secret = code

        @tool
        def gold_discount(order_id: str, runtime: Runtime, code: str = secret) -> str:
            """Take the Gold members' discount off an order."""
            return said(orders, till, code, order_id, runtime.context.customer_id)

        return gold_discount

    return make_gold_discount


@wrong("The code is in an example for the local model.", slip="code-in-definition")
def code_in_the_examples() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool(extras={"examples": [f"Use {code} for FH-10512.", "My discount, please."]})
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            return said(orders, till, code, order_id, runtime.context.customer_id)

        return gold_discount

    return make_gold_discount


@wrong("The code is in the tool's metadata, which goes into every trace.")
def code_in_the_metadata() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        made: Any = discount()
        made = made(orders, till, code)
        made.metadata = {"code": code}
        return made  # type: ignore[no-any-return]

    return make_gold_discount


@wrong("Believes the model that this is a Gold member.", slip="model-decides")
def believes_the_model() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, runtime: Runtime, gold: bool = True) -> str:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            return said(orders, till, code, order_id, customer, gold=lambda o, c: gold)

        return gold_discount

    return make_gold_discount


@wrong("The model says who the customer is.", slip="model-decides")
def customer_as_argument() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, customer_id: str = "C-0012") -> str:
            """Take the Gold members' discount off an order."""
            return said(orders, till, code, order_id, customer_id)

        return gold_discount

    return make_gold_discount


@wrong("Exactly £400 is enough.", slip="at-least")
def four_hundred_is_enough() -> object:
    return discount(gold=lambda orders, customer: spent(orders, customer) >= GOLD)


@wrong("Counts whole pounds.")
def whole_pounds() -> object:
    return discount(gold=lambda orders, customer: int(spent(orders, customer)) > GOLD)


@wrong("Adds up floats, which make 400.00000000000006 of £400.00.")
def floats() -> object:
    def gold(orders: Orders, customer: str) -> bool:
        total = 0.0
        for one in own(orders, customer):
            if one.ordered_on.year == TODAY.year:
                total += float(one.total) - float(one.refunded)
        return total > GOLD

    return discount(gold=gold)


@wrong("Counts every year.", slip="every-year")
def every_year() -> object:
    return discount(gold=lambda orders, c: sum(o.total - o.refunded for o in own(orders, c)) > GOLD)


@wrong("Counts the last 365 days.", slip="every-year")
def twelve_months() -> object:
    def gold(orders: Orders, customer: str) -> bool:
        recent = [o for o in own(orders, customer) if (TODAY - o.ordered_on).days < 365]
        return sum(o.total - o.refunded for o in recent) > GOLD

    return discount(gold=gold)


@wrong("Counts what was paid back.", slip="counts-refunds")
def counts_refunds() -> object:
    def gold(orders: Orders, customer: str) -> bool:
        return sum(o.total for o in own(orders, customer) if o.ordered_on.year == TODAY.year) > GOLD

    return discount(gold=gold)


@wrong("Leaves out orders with a refund.")
def no_refunded_orders() -> object:
    def gold(orders: Orders, customer: str) -> bool:
        kept = [o for o in own(orders, customer) if not o.refunded]
        return sum(o.total for o in kept if o.ordered_on.year == TODAY.year) > GOLD

    return discount(gold=gold)


@wrong("Leaves out cancelled orders, although something of them was not paid back.")
def no_cancelled_orders() -> object:
    def gold(orders: Orders, customer: str) -> bool:
        kept = [o for o in own(orders, customer) if o.status != "cancelled"]
        return sum(o.total - o.refunded for o in kept if o.ordered_on.year == TODAY.year) > GOLD

    return discount(gold=gold)


@wrong("Looks at the one order alone.")
def one_order_alone() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""

            def gold(orders: Orders, customer: str) -> bool:
                try:
                    order = orders.get(order_id, customer)
                except UnknownOrder:
                    return False
                return order.total - order.refunded > GOLD

            return said(orders, till, code, order_id, runtime.context.customer_id, gold=gold)

        return gold_discount

    return make_gold_discount


@wrong("Takes any order of the shop.")
def any_order_of_the_shop() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            if customer is None:
                return LOG_IN
            if not is_gold(orders, customer):
                return NOT_GOLD
            every = {one.id: one for one in orders.all_orders()}
            if order_id.strip().upper() not in every:
                return f"No discount: {UnknownOrder(order_id.strip().upper())}"
            try:
                till.redeem(code, every[order_id.strip().upper()])
            except DiscountRefused as error:
                return f"No discount: {error}"
            return DONE.format(order_id=order_id)

        return gold_discount

    return make_gold_discount


@wrong("Uses the code of the lab.", slip="")
def code_by_heart() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        made: Any = discount()
        return made(orders, till, "FERN-7QX4-KD92")  # type: ignore[no-any-return]

    return make_gold_discount


@wrong("Writes the code in capitals.")
def code_in_capitals() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        made: Any = discount()
        return made(orders, till, code.upper())  # type: ignore[no-any-return]

    return make_gold_discount


@wrong("Tries again in capitals when the till refuses.")
def tries_again() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            first = said(orders, till, code, order_id, customer)
            if "No discount" not in first:
                return first
            return said(orders, till, code, order_id, customer)

        return gold_discount

    return make_gold_discount


@wrong("Asks the till first, and the order book afterwards.")
def redeems_first() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            text = said(orders, till, code, order_id, customer, gold=lambda o, c: True)
            return text if customer is None or is_gold(orders, customer) else NOT_GOLD

        return gold_discount

    return make_gold_discount


@wrong("An error of the till ends the conversation.", slip="ends-the-conversation")
def does_not_catch() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            if customer is None or not is_gold(orders, customer):
                return "Log in as a Gold member."
            till.redeem(code, orders.get(order_id, customer))
            return DONE.format(order_id=order_id)

        return gold_discount

    return make_gold_discount


@wrong("Says that something went wrong, and not what.")
def says_no_reason() -> object:
    return discount(refused="Something went wrong.")


@wrong("Says nothing to customers who are not Gold.")
def says_nothing() -> object:
    return discount(not_gold="")


@wrong("Tells a guest that the discount is for others.")
def no_login() -> object:
    return discount(log_in="This is for Gold members.")


@wrong("Does not say which order got it.")
def names_no_order() -> object:
    return discount(done="£20 has been taken off.")


@wrong("Works out who is Gold once, when the tool is made.")
def looks_once() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        looked: dict[str, bool] = {}

        def gold(orders: Orders, customer: str) -> bool:
            if customer not in looked:
                looked[customer] = is_gold(orders, customer)
            return looked[customer]

        made: Any = discount(gold=gold)
        return made(orders, till, code)  # type: ignore[no-any-return]

    return make_gold_discount


@wrong("One cache for all shops.")
def one_cache_for_all() -> object:
    @functools.cache
    def gold(customer: str, orders: Orders) -> bool:
        return is_gold(orders, customer)

    return discount(gold=lambda orders, customer: gold(customer, orders))


@wrong("One tool for all shops.")
def one_tool_for_all() -> object:
    kept: list[BaseTool] = []

    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        if not kept:
            made: Any = discount()
            kept.append(made(orders, till, code))
        return kept[0]

    return make_gold_discount


@wrong("Who asks is kept in the tool while it looks.")
def one_customer_at_a_time() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        now: dict[str, str | None] = {}

        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            now["customer"] = runtime.context.customer_id
            if now["customer"] is None:
                return LOG_IN
            orders.order_ids(now["customer"])
            return said(orders, till, code, order_id, now["customer"])

        return gold_discount

    return make_gold_discount


@wrong("A function instead of a tool.", slip="no-tool")
def no_tool() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> object:
        def gold_discount(order_id: str) -> str:
            return DONE.format(order_id=order_id)

        return gold_discount

    return make_gold_discount


@wrong("Another name.")
def another_name() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        made: Any = discount()
        made = made(orders, till, code)
        made.name = "discount"
        return made  # type: ignore[no-any-return]

    return make_gold_discount


@wrong("Accepts the usual spelling of a number alone.")
def usual_spelling_alone() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(
            order_id: Annotated[str, Field(pattern=r"^FH-\d{5}$")], runtime: Runtime
        ) -> str:
            """Take the Gold members' discount off an order."""
            return said(orders, till, code, order_id, runtime.context.customer_id)

        return gold_discount

    return make_gold_discount


def gold_by(
    counts: Callable[[Order], bool] = lambda order: order.ordered_on.year == TODAY.year,
    amount: Callable[[Order], Decimal] = lambda order: order.total - order.refunded,
    some: slice = slice(None),
) -> object:
    """The right factory, which adds up some orders, and another amount of each."""

    def gold(orders: Orders, customer: str) -> bool:
        return sum(amount(one) for one in own(orders, customer)[some] if counts(one)) > GOLD

    return discount(gold=gold)


def this_year(order: Order) -> bool:
    return order.ordered_on.year == TODAY.year


@wrong("The last ten orders.", slip="some-orders")
def the_last_ten() -> object:
    return gold_by(some=slice(-10, None))


@wrong("The first ten orders.")
def the_first_ten() -> object:
    return gold_by(some=slice(10))


@wrong("Not the orders that are still in the shop.")
def not_processing() -> object:
    return gold_by(lambda order: this_year(order) and order.status != "processing")


@wrong("Not the orders that came back.")
def not_returned() -> object:
    return gold_by(lambda order: this_year(order) and order.returned_on is None)


@wrong("Only what was delivered.")
def delivered() -> object:
    return gold_by(lambda order: this_year(order) and order.status == "delivered")


@wrong("The year in which it was shipped.")
def year_of_shipping() -> object:
    return gold_by(lambda order: (order.shipped_on or order.ordered_on).year == TODAY.year)


@wrong("Up to today.")
def up_to_today() -> object:
    return gold_by(lambda order: this_year(order) and order.ordered_on <= TODAY)


@wrong("This year and later ones.")
def later_years() -> object:
    return gold_by(lambda order: order.ordered_on.year >= TODAY.year)


@wrong("Without the delivery fee.")
def without_the_fee() -> object:
    return gold_by(amount=lambda order: order.total - order.refunded - order.delivery_fee)


@wrong("No order counts less than nothing.")
def never_below_zero() -> object:
    return gold_by(amount=lambda order: max(order.total - order.refunded, Decimal(0)))


class Other:
    """A till whose `redeem` is another."""

    def __init__(self, redeem: Callable[[str, Order], Any]) -> None:
        self.redeem = redeem


def redeemed(redeem: Callable[[Till, str, Order], Any]) -> object:
    """The right factory with another way to use the till: `redeem(till, code, order)`."""

    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        other: Any = Other(lambda secret, order: redeem(till, secret, order))
        made: Any = discount()
        return made(orders, other, code)  # type: ignore[no-any-return]

    return make_gold_discount


@wrong("The code is stripped.")
def strips_the_code() -> object:
    return redeemed(lambda till, code, order: till.redeem(code.strip(), order))


@wrong("It asks till.discounts first.")
def asks_the_till_first() -> object:
    def redeem(till: Till, code: str, order: Order) -> Any:
        if any(one.order_id == order.id for one in till.discounts):
            raise DiscountRefused(f"Order {order.id} has had its discount already.")
        return till.redeem(code, order)

    return redeemed(redeem)


@wrong("A copy of the order is redeemed, without its refund.")
def a_copy() -> object:
    return redeemed(
        lambda till, code, order: till.redeem(code, replace(order, total=order.total - 20))
    )


@wrong("A part of the code in what it says.")
def half_of_the_code() -> object:
    return coded(lambda code: code[: len(code) // 2])


@wrong("The code backwards in what it says.")
def backwards() -> object:
    return coded(lambda code: code[::-1])


def coded(says: Callable[[str], str]) -> object:
    """The right factory, whose tool says something of the code."""

    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        made: Any = discount(done=f"{DONE} ({says(code)})")
        return made(orders, till, code)  # type: ignore[no-any-return]

    return make_gold_discount


@right("Async, with a Decimal to start from.")
def async_tool() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        def gold(orders: Orders, customer: str) -> bool:
            this_year = (o for o in own(orders, customer) if o.ordered_on.year == TODAY.year)
            return sum((o.total - o.refunded for o in this_year), Decimal(0)) > Decimal("400")

        @tool
        async def gold_discount(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            await asyncio.sleep(0)
            return said(orders, till, code, order_id, runtime.context.customer_id, gold=gold)

        return gold_discount

    return make_gold_discount


@right("ToolException, which LangChain turns into a message with status error.")
def tool_exception() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool("gold_discount")
        def give(order_id: str, runtime: Runtime) -> str:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            if customer is None:
                raise ToolException("You need to sign in.")
            if not is_gold(orders, customer):
                raise ToolException(NOT_GOLD)
            try:
                discount = till.redeem(code, orders.get(order_id, customer))
            except (UnknownOrder, DiscountRefused) as error:
                raise ToolException(str(error)) from error
            return f"£{discount.amount} off {discount.order_id}."

        give.handle_tool_error = True
        return give

    return make_gold_discount


@right("Looks for the order before it looks at the member.")
def order_first() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool(response_format="content_and_artifact")
        def gold_discount(order_id: str, runtime: Runtime) -> tuple[str, Any]:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            if customer is None:
                return "Sign in first.", None
            try:
                order = orders.get(order_id, customer)
                if not is_gold(orders, customer):
                    return NOT_GOLD, None
                return DONE.format(order_id=order.id), till.redeem(code, order)
            except (UnknownOrder, DiscountRefused) as error:
                return f"Sorry: {error}", None

        return gold_discount

    return make_gold_discount


@right("A StructuredTool of a method, with the runtime from LangGraph and the code kept in it.")
def structured_tool() -> object:
    class Desk:
        def __init__(self, orders: Orders, till: Till, code: str) -> None:
            self.orders, self.till, self.code = orders, till, code

        def give(self, order_id: str) -> str:
            """Take the Gold members' discount off an order."""
            customer = get_runtime(Caller).context.customer_id
            return said(self.orders, self.till, self.code, order_id, customer)

    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        desk = Desk(orders, till, code)
        return StructuredTool.from_function(desk.give, name="gold_discount")

    return make_gold_discount


@right("Returns a ToolMessage, and adds up in pence.")
def tool_message() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        def gold(orders: Orders, customer: str) -> bool:
            pence = 0
            for number in orders.order_ids(customer):
                order = orders.get(number, customer)
                if order.ordered_on.year == TODAY.year:
                    pence += int(order.total * 100) - int(order.refunded * 100)
            return pence > GOLD * 100

        @tool
        def gold_discount(order_id: str, runtime: Runtime) -> ToolMessage:
            """Take the Gold members' discount off an order."""
            text = said(orders, till, code, order_id, runtime.context.customer_id, gold=gold)
            return ToolMessage(text, tool_call_id=runtime.tool_call_id)

        return gold_discount

    return make_gold_discount


@right("An argument that the model does not see.")
def injected_argument() -> object:
    def make_gold_discount(orders: Orders, till: Till, code: str) -> BaseTool:
        @tool
        def gold_discount(
            order_id: str, runtime: Runtime, gold: Annotated[int, InjectedToolArg] = GOLD
        ) -> str:
            """Take the Gold members' discount off an order."""
            customer = runtime.context.customer_id
            return said(
                orders, till, code, order_id, customer, gold=lambda o, c: spent(o, c) > gold
            )

        return gold_discount

    return make_gold_discount
