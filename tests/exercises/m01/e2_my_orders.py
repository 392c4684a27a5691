from langchain.tools import BaseTool, ToolException, ToolRuntime, tool

from helpers.agent import Caller
from helpers.authoring.answers import wrong
from helpers.shop import Orders

EXAMPLES = [
    "What did I buy from you?",
    "Show my orders.",
    "Which orders have I made?",
    "I forgot the number of my order.",
]


def listing(orders: Orders, customer: str) -> str:
    return ", ".join(orders.order_ids(customer)) or "You have no orders yet."


@wrong("A tool that does nothing.")
def silent_tool() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """List the orders of the customer who is logged in."""
            return ""

        return my_orders

    return make_my_orders


@wrong("The model says whose orders it wants.")
def customer_as_argument() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(customer_id: str) -> str:
            """List the orders of a customer."""
            return listing(orders, customer_id)

        return my_orders

    return make_my_orders


@wrong("Everybody's orders.")
def everybodys_orders() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders() -> str:
            """List the orders of the customer who is logged in."""
            return ", ".join(order.id for order in orders.all_orders())

        return my_orders

    return make_my_orders


@wrong("Leaves out the oldest order.")
def from_the_second() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id is None:
                return "Please log in first."
            own = orders.order_ids(runtime.context.customer_id)
            return ", ".join(own[1:]) or "You have no orders yet."

        return my_orders

    return make_my_orders


@wrong("An error where nobody is logged in.")
def raises_for_guests() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool(extras={"examples": EXAMPLES})
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """List the orders of the customer who is logged in."""
            if runtime.context.customer_id is None:
                raise ToolException("Please log in first.")
            return listing(orders, runtime.context.customer_id)

        return my_orders

    return make_my_orders


@wrong("Written for developers.")
def said_for_developers() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        @tool
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """Query the SQLite table and serialise its rows."""
            if runtime.context.customer_id is None:
                return "Please log in first."
            return listing(orders, runtime.context.customer_id)

        return my_orders

    return make_my_orders


@wrong("Examples of other tools' requests.")
def takes_everything() -> object:
    def make_my_orders(orders: Orders) -> BaseTool:
        extras = {
            "examples": [
                *EXAMPLES,
                "How long do I have to send something back?",
                "What does delivery cost?",
                "How long will it take?",
                "When do I get my money?",
                "Is there a guarantee on shoes?",
                "What do I pay for a late return?",
                "I have a question about a product.",
                "Can I speak to somebody about a complaint?",
            ]
        }

        @tool(extras=extras)
        def my_orders(runtime: ToolRuntime[Caller]) -> str:
            """Everything a customer may want to know: orders, delivery, returns, products, help."""
            if runtime.context.customer_id is None:
                return "Please log in first."
            return listing(orders, runtime.context.customer_id)

        return my_orders

    return make_my_orders
