import asyncio
import functools
from collections.abc import Callable
from typing import Any

from langchain.tools import BaseTool, ToolException, ToolRuntime, tool
from langchain_core.tools import StructuredTool
from langgraph.runtime import get_runtime

from helpers.agent import Caller
from helpers.authoring.answers import right, wrong
from helpers.shop import Orders, open_orders

EXAMPLES = [
    "What did I buy from you?",
    "Show my orders.",
    "Which orders have I made?",
    "I forgot the number of my order.",
]
Runtime = ToolRuntime[Caller]
LOG_IN, NONE = "Please log in first.", "You have no orders yet."


def listing(orders: Orders, customer: str) -> str:
    return ", ".join(orders.order_ids(customer)) or NONE


def saying(text: Callable[[Orders, str | None], str]) -> object:
    """A factory of a tool that says this to a customer, or a guest."""

    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List all orders of the customer who is logged in, with their numbers."""
            return text(orders, runtime.context.customer_id)

        return my_orders

    return make_my_orders


def listed(text: Callable[[Orders, str], str], guest: str = LOG_IN, none: str = NONE) -> object:
    """The same, for a customer who has orders."""

    def said(orders: Orders, customer: str | None) -> str:
        if customer is None:
            return guest
        return text(orders, customer) if orders.order_ids(customer) else none

    return saying(said)


def described(docstring: str, **extras: Any) -> object:
    """A factory of the right tool with this description."""

    def make_my_orders(orders: Orders) -> BaseTool:
        def my_orders(runtime: Runtime) -> str:
            customer = runtime.context.customer_id
            return listing(orders, customer) if customer else LOG_IN

        my_orders.__doc__ = docstring
        return tool(extras=extras)(my_orders)

    return make_my_orders


@wrong("A tool that says nothing.")
def silent_tool() -> object:
    return saying(lambda orders, customer: "")


@wrong("The model says whose orders it wants.", slip="model-says-who")
def customer_as_argument() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(customer_id: str) -> str:
            """List the orders of a customer."""
            return listing(orders, customer_id)

        return my_orders

    return make_my_orders


@wrong("The model may say whose orders it wants.", slip="model-says-who")
def customer_as_an_option() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime, customer: str = "") -> str:
            """List the orders of the customer who is logged in."""
            customer = customer or runtime.context.customer_id or ""
            return listing(orders, customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("The model is asked for a status.")
def status_as_argument() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime, status: str = "any") -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return listing(orders, customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("Believes what the customer writes.")
def believes_the_customer() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            words = runtime.state["messages"][0].text.replace(":", " ").split()
            named = [word for word in words if word.startswith("C-")]
            customer = named[0] if named else runtime.context.customer_id
            return listing(orders, customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("A function, not a tool.")
def no_tool() -> object:
    def make_my_orders(orders: Orders) -> object:
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return listing(orders, customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("Returns nothing.")
def forgets_to_return() -> object:
    def make_my_orders(orders: Orders) -> None:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            return listing(orders, runtime.context.customer_id or "")

    return make_my_orders


@wrong("Another name.")
def another_name() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def list_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return listing(orders, customer) if customer else LOG_IN

        return list_orders

    return make_my_orders


@wrong("Everyone's orders.")
def everyones_orders() -> object:
    return listed(lambda orders, customer: ", ".join(order.id for order in orders.all_orders()))


@wrong("The number of orders alone.")
def counts() -> object:
    return listed(lambda orders, customer: f"You have {len(orders.order_ids(customer))} orders.")


@wrong("The numbers without their letters.")
def without_letters() -> object:
    return listed(lambda orders, customer: ", ".join(i[3:] for i in orders.order_ids(customer)))


@wrong("Leaves out the oldest order.")
def from_the_second() -> object:
    return listed(lambda orders, customer: ", ".join(orders.order_ids(customer)[1:]) or NONE)


@wrong("The first five.")
def the_first_five() -> object:
    return listed(lambda orders, customer: ", ".join(orders.order_ids(customer)[:5]))


@wrong("The first twenty.")
def the_first_twenty() -> object:
    return listed(lambda orders, customer: ", ".join(orders.order_ids(customer)[:20]))


@wrong("The last three.")
def the_last_three() -> object:
    return listed(lambda orders, customer: ", ".join(orders.order_ids(customer)[-3:]))


@wrong("Leaves out what was cancelled.")
def not_the_cancelled() -> object:
    def text(orders: Orders, customer: str) -> str:
        own = [orders.get(number, customer) for number in orders.order_ids(customer)]
        return ", ".join(order.id for order in own if order.status != "cancelled") or NONE

    return listed(text)


@wrong("An order that nobody has, as an example.")
def an_example() -> object:
    return listed(lambda orders, customer: f"Such as FH-10234: {listing(orders, customer)}")


@wrong("Orders of another customer for a guest.")
def anyone_for_a_guest() -> object:
    return saying(lambda orders, customer: listing(orders, customer or "C-0042"))


@wrong("A guest has no orders.")
def none_for_a_guest() -> object:
    return saying(lambda orders, customer: listing(orders, customer or ""))


@wrong("Sends a guest elsewhere.")
def sends_a_guest_away() -> object:
    return listed(listing, guest="Please write to support@fernhill.example.")


@wrong("Asks everyone to log in.")
def asks_everyone() -> object:
    return saying(lambda orders, customer: LOG_IN)


@wrong("A list without anything in it.")
def an_empty_list() -> object:
    return listed(listing, none="Your orders:")


@wrong("Says nothing where there are none.")
def nothing_for_none() -> object:
    return listed(listing, none="")


@wrong("An error where nobody is logged in.", slip="ends-the-conversation")
def raises_for_guests() -> object:
    def text(orders: Orders, customer: str | None) -> str:
        if customer is None:
            raise ToolException(LOG_IN)
        return listing(orders, customer)

    return saying(text)


@wrong("An error where there are no orders.", slip="ends-the-conversation")
def raises_for_none() -> object:
    def text(orders: Orders, customer: str | None) -> str:
        if customer is None:
            return LOG_IN
        first, *others = orders.order_ids(customer)
        return ", ".join([first, *others])

    return saying(text)


@wrong("One list for all callers.")
def one_list_for_all() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        known: list[str] = []

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id is None:
                return LOG_IN
            if not known:
                known.extend(orders.order_ids(runtime.context.customer_id))
            return ", ".join(known) or NONE

        return my_orders

    return make_my_orders


@wrong("A list that grows from caller to caller.")
def a_growing_list() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        found: list[str] = []

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id is None:
                return LOG_IN
            found.extend(orders.order_ids(runtime.context.customer_id))
            return ", ".join(found) or NONE

        return my_orders

    return make_my_orders


@wrong("Keeps each customer's first list.")
def a_list_each() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @functools.cache
        def known(customer: str) -> str:
            return listing(orders, customer)

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return known(customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("Keeps a list for each conversation.")
def a_list_a_conversation() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        known: dict[str, str] = {}

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            thread = runtime.config["configurable"]["thread_id"]
            return known.setdefault(thread, listing(orders, customer) if customer else LOG_IN)

        return my_orders

    return make_my_orders


@wrong("Reads all orders when it is made.")
def read_when_made() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        known: dict[str, list[str]] = {}
        for order in orders.all_orders():
            known.setdefault(order.customer_id, []).append(order.id)

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return ", ".join(known.get(customer, [])) or NONE if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("The caller is kept where all calls share it.")
def a_shared_caller() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        now: dict[str, str] = {}

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id is None:
                return LOG_IN
            now["customer"] = runtime.context.customer_id
            numbers = orders.order_ids(now["customer"])
            return f"{', '.join(numbers) or NONE} {listing(orders, now['customer'])}"

        return my_orders

    return make_my_orders


@wrong("The shop's own order book, whatever it is given.")
def ignores_the_orders() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return listing(open_orders(), customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("The order book that was given first.")
def the_first_order_book() -> object:
    first: list[Orders] = []

    def text(orders: Orders, customer: str | None) -> str:
        first.append(orders)
        return listing(first[0], customer) if customer else LOG_IN

    return saying(text)


@wrong("The order book that was given last.")
def the_last_order_book() -> object:
    last: dict[str, Orders] = {}

    def make_my_orders(orders: Orders) -> BaseTool:
        last["orders"] = orders

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return listing(last["orders"], customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("Opens a ticket at each call.")
def opens_tickets() -> object:
    def text(orders: Orders, customer: str | None) -> str:
        orders.open_ticket(customer, "asked for orders")
        return listing(orders, customer) if customer else LOG_IN

    return saying(text)


@wrong("Written for developers.", slip="not-what-customers-say")
def said_for_developers() -> object:
    return described("Query the SQLite table and serialise its rows.")


@wrong("Examples of other tools' requests.", slip="promises-too-much")
def takes_everything() -> object:
    return described(
        "Everything a customer may want to know: orders, delivery, returns, products, help.",
        examples=[
            *EXAMPLES,
            "How long do I have to send something back?",
            "What does delivery cost?",
            "How long will it take?",
            "When do I get my money?",
            "Is there a guarantee on shoes?",
            "What do I pay for a late return?",
            "I have a question about a product.",
            "Can I speak to someone about a complaint?",
        ],
    )


@wrong("An async factory.")
def an_async_factory() -> object:
    async def make_my_orders(orders: Orders) -> BaseTool:
        make: Any = listed(listing)
        return make(orders)

    return make_my_orders


@wrong("A list with the tool in it.")
def a_list_of_tools() -> object:
    make: Any = listed(listing)
    return lambda orders: [make(orders)]


@wrong("Closes the order book after the first call.")
def closes_the_book() -> object:
    def text(orders: Orders, customer: str | None) -> str:
        with orders:
            return listing(orders, customer) if customer else LOG_IN

    return saying(text)


@wrong("Looks at the caller, which is never None itself.")
def looks_at_the_caller() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context is None:
                return LOG_IN
            return listing(orders, runtime.context.customer_id)  # type: ignore[arg-type]

        return my_orders

    return make_my_orders


@wrong("The oldest and the newest number.")
def from_to() -> object:
    return listed(
        lambda orders, customer: " to ".join(
            [orders.order_ids(customer)[0], orders.order_ids(customer)[-1]]
        )
    )


@wrong("A customer without orders is asked to log in.")
def log_in_without_orders() -> object:
    return listed(listing, none=LOG_IN)


@wrong("A caller who was here once stays logged in.")
def stays_logged_in() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        last: list[str] = []

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id:
                last[:] = [runtime.context.customer_id]
            return listing(orders, last[0]) if last else LOG_IN

        return my_orders

    return make_my_orders


@wrong("Reads an order at each of its own calls only, and keeps the numbers.")
def keeps_the_numbers() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        numbers = {one.id: orders.order_ids(one.id) for one in orders.all_customers()}

        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List the orders of the customer who is logged in."""
            customer = runtime.context.customer_id
            return ", ".join(numbers[customer]) or NONE if customer else LOG_IN

        return my_orders

    return make_my_orders


@wrong("Swallows every error, also that of an order that is missing.")
def swallows_errors() -> object:
    def text(orders: Orders, customer: str | None) -> str:
        try:
            first, *others = orders.order_ids(customer or "")
            return ", ".join([first, *others])
        except Exception:
            return "Something went wrong."

    return saying(text)


@right("An async tool.")
def an_async_tool() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        async def my_orders(runtime: Runtime) -> str:
            """List all orders of the customer who is logged in, with their numbers."""
            customer = runtime.context.customer_id
            if customer is None:
                return "You need to sign in to see your orders."
            numbers = await asyncio.to_thread(orders.order_ids, customer)
            await asyncio.sleep(0.001)
            return "\n".join(f"- {number}" for number in numbers) or "Nothing ordered so far."

        return my_orders

    return make_my_orders


@right("An async tool that reads on the loop.")
def an_async_tool_that_blocks() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        async def my_orders(runtime: Runtime) -> str:
            """List all orders of the customer who is logged in, with their numbers."""
            customer = runtime.context.customer_id
            return listing(orders, customer) if customer else LOG_IN

        return my_orders

    return make_my_orders


@right("A sentence for each order, with its date.")
def with_dates() -> object:
    def text(orders: Orders, customer: str) -> str:
        own = [orders.get(number, customer) for number in orders.order_ids(customer)]
        return " ".join(
            f"On {order.ordered_on:%d.%m.%Y} you ordered {order.items[0].title} ({order.id})."
            for order in reversed(own)
        )

    return listed(text, guest="I can't see who you are. Could you log yourself in?")


@right("Other wordings.")
def other_wordings() -> object:
    return listed(
        lambda orders, customer: f"Here they are: {listing(orders, customer)}!",
        guest="Signing in to your account comes first, then I can help.",
        none="We couldn’t find any orders.",
    )


@right("Login as one word, and a count of zero.")
def login() -> object:
    return listed(listing, guest="This needs a login.", none="You have 0 orders.")


@right("A markdown table, with a list that starts with the newest.")
def a_table() -> object:
    def text(orders: Orders, customer: str) -> str:
        own = [orders.get(number, customer) for number in orders.order_ids(customer)]
        rows = [f"| {order.id} | {order.status} | {order.total} |" for order in own[::-1]]
        return "\n".join(["| order | status | total |", "|---|---|---|", *rows])

    return listed(text, guest="Log on to see them.", none="There are none.")


@right("All orders, filtered.")
def filters_all() -> object:
    return listed(
        lambda orders, customer: ", ".join(
            order.id for order in orders.all_orders() if order.customer_id == customer
        )
    )


@right("A tool whose errors are its messages.")
def handled_errors() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: Runtime) -> str:
            """List all orders of the customer who is logged in, with their numbers."""
            if runtime.context.customer_id is None:
                raise ToolException(LOG_IN)
            return listing(orders, runtime.context.customer_id)

        my_orders.handle_tool_error = True
        return my_orders

    return make_my_orders


@right("The runtime from LangGraph, with a structured tool and an artifact.")
def another_way() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        def my_orders() -> tuple[str, list[str]]:
            """List all orders of the customer who is logged in, with their numbers."""
            customer = get_runtime(Caller).context.customer_id
            numbers = orders.order_ids(customer) if customer else []
            return (listing(orders, customer) if customer else LOG_IN), numbers

        return StructuredTool.from_function(
            my_orders, response_format="content_and_artifact", extras={"examples": EXAMPLES}
        )

    return make_my_orders


@right("A class of its own.")
def a_class() -> object:
    class MyOrders(BaseTool):
        name: str = "my_orders"
        description: str = "List all orders of the customer who is logged in, with their numbers."
        extras: dict[str, Any] | None = {"examples": EXAMPLES}  # noqa: RUF012
        orders: Any = None

        def _run(self, runtime: Runtime) -> str:
            customer = runtime.context.customer_id
            return listing(self.orders, customer) if customer else LOG_IN

    return lambda orders: MyOrders(orders=orders)


@right("A name, a description and an answer that ends the turn.")
def named_and_described() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(
            "my_orders",
            description="List all orders of the customer who is logged in, with their numbers.",
            return_direct=True,
            extras={"examples": EXAMPLES},
        )
        def any_name(runtime: ToolRuntime) -> str:  # type: ignore[type-arg]
            customer = runtime.context.customer_id
            return listing(orders, customer) if customer else "You're not logged in."

        return any_name

    return make_my_orders


@right("Six examples and a longer description.")
def six_examples() -> object:
    return described(
        "All orders that this customer has placed with the shop, with numbers and status.",
        examples=[
            "What have I bought?",
            "List my orders.",
            "What is my order number?",
            "How many orders do I have?",
            "Show my order history.",
            "Do I have open orders?",
        ],
    )


@wrong("Returns a list.")
def returns_a_list() -> object:
    def text(orders: Orders, customer: str | None) -> Any:
        return (orders.order_ids(customer) or [NONE]) if customer else LOG_IN

    return saying(text)


@wrong("Returns a dictionary.")
def returns_a_dictionary() -> object:
    def text(orders: Orders, customer: str | None) -> Any:
        own = orders.order_ids(customer) if customer else []
        return dict.fromkeys(own, "delivered") or (NONE if customer else LOG_IN)

    return saying(text)


@wrong("Returns a list to a guest.")
def returns_a_list_to_a_guest() -> object:
    def text(orders: Orders, customer: str | None) -> Any:
        return listing(orders, customer) if customer else [LOG_IN]

    return saying(text)


@right("Signed in.")
def signed_in() -> object:
    return listed(listing, guest="You must be signed in.")


@right("Signed-in, with a hyphen.")
def signed_in_with_a_hyphen() -> object:
    return listed(listing, guest="Only signed-in customers can see their orders.")


@right("Log in, with a new line between.")
def log_in_on_two_lines() -> object:
    return listed(listing, guest="Please log\nin, and try again.")


@right("Sign back in to the account.")
def sign_back_in() -> object:
    return listed(listing, guest="Please **sign back in** to your account.")
