"""The agent's four tools.

Each returns words for the model and a structured artifact for everything else: the evaluation,
the policies, the traces. What a tool refuses (an order of somebody else, a refund against the
rules) comes back as a message with status "error", which the agent passes on to the customer.

Each tool's `extras["examples"]` are requests that it is for. The local model chooses its tools by
them; a hosted model reads names and descriptions alone.
"""

from decimal import Decimal
from typing import Annotated

from langchain.tools import BaseTool, ToolException, ToolRuntime, tool
from langchain_core.embeddings import Embeddings
from pydantic import Field

from helpers.agent import examples
from helpers.agent.caller import Caller
from helpers.agent.context import find, question
from helpers.agent.passages import Passage, Retriever
from helpers.agent.prompt import NOT_FOUND
from helpers.agent.topics import OrderTopics
from helpers.models import embeddings as course_embeddings
from helpers.models.errors import ContextOverflow
from helpers.shop import Order, Orders, Refund, RefundRefused, Ticket, UnknownOrder
from helpers.shop.records import pounds

OrderId = Annotated[
    str, Field(pattern=r"^FH-\d{5}$", description="the number of the order, such as FH-10234")
]

AMOUNT = (
    r"(?:£\s?(?=\d)|(?=\d[\d,.]* ?(?:pounds|quid|gbp))|(?=\d+\.\d\d\b))"
    r"(\d[\d,]*(?:\.\d{1,2})?)"
)
"""A sum of money in a customer's words; its group is the number."""


def make_tools(
    retriever: Retriever,
    orders: Orders,
    *,
    threshold: float,
    embeddings: Embeddings | None = None,
) -> list[BaseTool]:
    """The four tools over these documents and this order book.

    A search whose best passage scores below `threshold` finds nothing (see `answerability`).
    `embeddings` find which fact of an order a question is about (the course's own).
    """
    topics = OrderTopics(embeddings or course_embeddings())

    @tool(
        response_format="content_and_artifact",
        extras={"examples": examples.SEARCH, "verbatim": ["query"], "default": True},
    )
    def search_documents(
        query: Annotated[str, Field(min_length=1, description="what to look for, in words")],
        runtime: ToolRuntime[Caller],
    ) -> tuple[str, list[Passage]]:
        """Search the shop's documents: products, delivery, returns, warranty, repairs, care."""
        try:
            passages = find(retriever, query, runtime.state["messages"])
        except ContextOverflow as overflow:
            raise ToolException("Search: Please ask again in fewer words.") from overflow
        if not passages or passages[0].score < threshold:
            return NOT_FOUND, []
        return passages[0].excerpt, passages

    @tool(response_format="content_and_artifact", extras={"examples": examples.LOOKUP})
    def lookup_order(order_id: OrderId, runtime: ToolRuntime[Caller]) -> tuple[str, Order]:
        """Look up one order of the customer: status, dates, carrier, items, amounts."""
        try:
            order = orders.get(order_id, _customer(runtime))
        except UnknownOrder as unknown:
            raise ToolException(f"Order {order_id}: {unknown}") from unknown
        return topics.describe(order, question(runtime.state["messages"])), order

    @tool(
        response_format="content_and_artifact",
        extras={"examples": examples.REFUND, "written": {"amount": AMOUNT}},
    )
    def issue_refund(
        order_id: OrderId,
        runtime: ToolRuntime[Caller],
        amount: Annotated[
            float | None, Field(gt=0, description="pounds to pay back; leave out for all of it")
        ] = None,
    ) -> tuple[str, Refund]:
        """Pay back an order of the customer, in full or in part."""
        pence = None if amount is None else Decimal(str(amount))
        try:
            refund = orders.refund(order_id, _customer(runtime), pence)
        except UnknownOrder as unknown:
            raise ToolException(f"Order {order_id}: {unknown}") from unknown
        except RefundRefused as refused:
            raise ToolException(f"Refund of {order_id}: {refused}") from refused
        return f"Refund of {order_id}: {pounds(refund.amount)} has been refunded.", refund

    @tool(
        response_format="content_and_artifact",
        extras={"examples": examples.HAND_OVER, "verbatim": ["reason"]},
    )
    def hand_over(
        reason: Annotated[str, Field(description="why a person is needed, in a few words")],
        runtime: ToolRuntime[Caller],
    ) -> tuple[str, Ticket]:
        """Hand the conversation over to a person who works for the shop."""
        ticket = orders.open_ticket(runtime.context.customer_id, reason)
        return f"Handed over: A colleague will take over. The ticket is {ticket.id}.", ticket

    tools = [search_documents, lookup_order, issue_refund, hand_over]
    for each in tools:
        each.handle_tool_error = True
    return tools


def _customer(runtime: ToolRuntime[Caller]) -> str:
    """The logged-in customer's id; nobody's orders can be seen without one."""
    if runtime.context.customer_id is None:
        raise ToolException("Orders: Please log in, since orders are shown to their customer only.")
    return runtime.context.customer_id
