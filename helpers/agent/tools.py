"""The agent's four tools.

Each returns words for the model and a structured artifact for everything else: the evaluation,
the policies, the traces. What a tool refuses (an order of somebody else, a refund against the
rules) comes back as a message with status "error", which the agent passes on to the customer.

Each tool's `extras["examples"]` are requests that it is for. The local model chooses its tools by
them; a hosted model reads names and descriptions alone.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from langchain.tools import BaseTool, ToolException, ToolRuntime, tool
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from pydantic import Field

from helpers.agent import examples
from helpers.agent.caller import Caller
from helpers.agent.context import find, question, refund_words, this_turn
from helpers.agent.passages import Passage, Retriever
from helpers.agent.prompt import NOT_FOUND
from helpers.agent.refund_words import HOW_MUCH, WHETHER, RefundUnclear, asked_refund
from helpers.agent.topics import OrderTopics
from helpers.models import embeddings as course_embeddings
from helpers.models.errors import ContextOverflow
from helpers.shop import Order, Orders, Refund, RefundRefused, Ticket, UnknownOrder
from helpers.shop.records import pounds
from helpers.shop.refund_rules import amount_to_pay

OrderId = Annotated[
    str, Field(pattern=r"^FH-\d{5}$", description="the number of the order, such as FH-10234")
]

AMOUNT = (
    r"(?<![^\s(])(?:(?:£|GBP) ?(?=\d)|(?=\S+ ?(?:£|pounds?|quid|GBP)(?!\w))|(?=\d+\.\d\d(?!\w)))"
    r"((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?)"
    r"(?: ?(?:£|pounds?|quid|GBP))?(?=[.,;:!?)]*(?:\s|$))"
)
"""A sum of money in a customer's words, for the local model; its group is the number. What is paid
is decided by `refund_words`, whatever a model read."""


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
        customer = _customer(runtime)
        try:
            order = orders.get(order_id, customer)
            wanted = _wanted(order, amount, runtime)
            refund = orders.refund(order_id, customer, wanted)
        except RefundUnclear as unclear:
            raise ToolException(f"Refund of {order_id}: {unclear}") from unclear
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


def _wanted(order: Order, offered: float | None, runtime: ToolRuntime[Caller]) -> Decimal | None:
    """The pounds to pay back, as the customer wrote them; None for everything.

    The call is an offer of the model's, and only the customer's words decide: raises
    `RefundUnclear` when they ask for no refund, of another order, or of another sum than the
    model offers, and when a call before has already paid for this message.
    """
    messages = runtime.state["messages"]
    try:
        request = asked_refund(refund_words(messages))
        if request.orders and order.id not in request.orders:
            raise RefundUnclear(WHETHER)
        if offered is not None:
            wanted = amount_to_pay(order, None) if request.amount is None else request.amount
            if Decimal(str(offered)) != wanted:
                raise RefundUnclear(HOW_MUCH)
    except RefundUnclear as unclear:
        raise RefundUnclear(
            f"Nothing has been paid back, because {unclear}. Please write one sentence, "
            f"such as: Refund £20 of {order.id}. Or: Refund all of {order.id}."
        ) from unclear
    if _made_before(order.id, runtime.tool_call_id, this_turn(messages)):
        raise RefundUnclear("This has already been done for your last message, and is done once.")
    return request.amount


def _made_before(order_id: str, this_call: str | None, turn: Sequence[AnyMessage]) -> bool:
    """Whether an earlier call of this turn refunds the same order and was not refused."""
    refused = {
        result.tool_call_id
        for result in turn
        if isinstance(result, ToolMessage) and result.status == "error"
    }
    for message in turn:
        for call in message.tool_calls if isinstance(message, AIMessage) else ():
            if call["id"] == this_call:
                return False
            same = call["name"] == "issue_refund" and call["args"].get("order_id") == order_id
            if same and call["id"] not in refused:
                return True
    return False


def _customer(runtime: ToolRuntime[Caller]) -> str:
    """The logged-in customer's id; nobody's orders can be seen without one."""
    if runtime.context.customer_id is None:
        raise ToolException("Orders: Please log in, since orders are shown to their customer only.")
    return runtime.context.customer_id
