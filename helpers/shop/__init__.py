"""Fernhill, the invented British outdoor-gear shop that the course's agent works for.

Its documents, its orders and customers, and the golden questions that the agent is measured on.
Amounts are in pounds; the shop's calendar stands still on `TODAY`, so that answers do not age.
"""

from helpers.shop.library import (
    Document,
    DocumentError,
    DocumentKind,
    UnknownDocument,
    document,
    documents,
)
from helpers.shop.orders import Orders, UnknownOrder, open_orders
from helpers.shop.questions import Question, QuestionError, ToolCall, questions
from helpers.shop.records import TODAY, Customer, Item, Order, Refund, Ticket, day, pounds
from helpers.shop.refund_rules import RefundRefused

__all__ = [
    "TODAY",
    "Customer",
    "Document",
    "DocumentError",
    "DocumentKind",
    "Item",
    "Order",
    "Orders",
    "Question",
    "QuestionError",
    "Refund",
    "RefundRefused",
    "Ticket",
    "ToolCall",
    "UnknownDocument",
    "UnknownOrder",
    "day",
    "document",
    "documents",
    "open_orders",
    "pounds",
    "questions",
]
