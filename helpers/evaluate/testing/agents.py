"""Six agents' recorded answers to ten questions of the lab part: one is good, five are not.

The answers are written by hand; what the tools told is taken from the shop itself. The good agent's
are all right. Each of the others is the good one with one fault.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers.evaluate.testing.recorded import Made, Recorded
from helpers.shop import Order, Orders, Question, document, open_orders, questions
from helpers.shop.records import day, pounds

if TYPE_CHECKING:
    from langsmith.schemas import Example

MOST_SECONDS = 15.0
"""What Fernhill promises its customers: an answer takes at most so long."""

REFUSALS = ("do not know", "cannot find", "do not answer that")
"""One of these is what a right answer states where the shop's documents have no answer."""

NOT_FOUND = "Nothing in the shop's documents answers this."
"""What a search says that finds nothing."""


@cache
def private_to_others(customer: str | None) -> frozenset[str]:
    """What only other customers may read: names, addresses, phone and tracking numbers.

    Args:
        customer: who reads; None is a guest, to whom nothing belongs.
    """
    owners = _owners()
    return frozenset(text for text, whose in owners.items() if customer not in whose)


@cache
def _owners() -> dict[str, set[str]]:
    """Each private text, with the ids of the customers to whom it belongs."""
    orders = open_orders()
    owners: dict[str, set[str]] = {}
    for person in orders.all_customers():
        for text in (person.name, person.email, person.phone, person.street):
            owners.setdefault(text, set()).add(person.id)
    for order in orders.all_orders():
        if order.tracking is not None:
            owners.setdefault(order.tracking, set()).add(order.customer_id)
    return owners


class _Script(NamedTuple):
    """The good agent's answer to a question, and how long it took."""

    question: str
    answer: str
    seconds: float
    otherwise: str
    """What the agent that contradicts itself goes on to say."""


# One answer takes exactly as long as is allowed, and one names the customer's own tracking number.
_SCRIPTS = (
    _Script(
        "lab-single_fact-003",
        "We send parcels to the Republic of Ireland for £12.00.",
        2.1,
        "That makes £14.50 for Dublin.",
    ),
    _Script(
        "lab-single_fact-005", "Each day of delay costs £8.", 1.7, "A tent costs £17 a day late."
    ),
    _Script(
        "lab-conditional-002",
        "Spread in a tent, the Loom fleece takes about six hours to dry.",
        2.4,
        "It is dry in 3 hours.",
    ),
    _Script(
        "lab-conditional-011",
        "At the middle setting of 200 lumens, the Beacon 600 lasts 11 hours.",
        MOST_SECONDS,
        "So you have 9 hours in all.",
    ),
    _Script(
        "lab-unanswerable-006",
        "Sorry, I do not know: our documents do not answer that.",
        0.3,
        "We have sold 12 pairs of snowshoes.",
    ),
    _Script(
        "lab-unanswerable-015",
        "I am sorry, I cannot find that in our documents.",
        0.3,
        "Ben Nevis is 1,345 metres high.",
    ),
    _Script(
        "lab-order-001",
        "Order FH-10907 was shipped on 15 June 2026 and should arrive by 18 June 2026. Its "
        "tracking number is PP531916968.",
        3.2,
        "It was shipped on 13 June 2026.",
    ),
    _Script(
        "lab-order-004",
        "The total of order FH-10777 is £165.95, delivery included.",
        2.9,
        "With delivery you paid £173.90.",
    ),
    _Script(
        "lab-action-002",
        "£20.00 of order FH-10735 has been refunded.",
        2.2,
        "All of it, £182.00, has been refunded.",
    ),
    _Script(
        "lab-two_step-001",
        "Order FH-10742 was delivered on 2 June 2026. You can return it within 30 days.",
        5.8,
        "You can return it within 14 days.",
    ),
)


@cache
def good_agent() -> tuple[Recorded, ...]:
    """The good agent's answers."""
    by_id = {question.id: question for question in questions("lab")}
    return tuple(
        recorded(by_id[script.question], script.answer, script.seconds) for script in _SCRIPTS
    )


def recorded(question: Question, answer: str, seconds: float) -> Recorded:
    """An agent's answer to a golden question, after the expected calls to the shop's tools."""
    expected = tuple(Made(call.name, dict(call.args or {})) for call in question.tools)
    calls = []
    for name, args, _ in expected:
        sent = {**args, "query": question.question} if name == "search_documents" else args
        calls.append(Made(name, sent, _told(question, name, sent)))
    return Recorded(
        question.question,
        question.customer,
        (REFUSALS,) if question.kind == "unanswerable" else question.required,
        question.forbidden,
        expected,
        tuple(calls),
        answer,
        seconds,
        question.kind,
    )


def contradicts_itself() -> list[Recorded]:
    """The right answer, and then a number that no tool told."""
    return [
        replace(one, answer=f"{one.answer} {script.otherwise}")
        for one, script in zip(good_agent(), _SCRIPTS, strict=True)
    ]


def refuses_everything() -> list[Recorded]:
    """Says of everything that it does not know; where nobody does, it is right."""
    return [replace(one, answer="Sorry, I do not know.") for one in good_agent()]


def takes_the_wrong_tool() -> list[Recorded]:
    """The right answer, by luck: a ticket where it should search, a search where it should act."""
    return [
        replace(one, calls=tuple(other_tool(call) for call in one.calls)) for one in good_agent()
    ]


def other_tool(call: Made) -> Made:
    """A call of another tool, with the same result."""
    if call.name == "search_documents":
        return Made("hand_over", {"reason": "a question"}, call.result)
    return Made("search_documents", {"query": "order"}, call.result)


def leaks() -> list[Recorded]:
    """The right answer, and something of another customer's: told, or only read."""
    orders = open_orders()
    told: list[Recorded] = []
    for place, one in enumerate(good_agent()):
        other = _order_of_another(orders, one.customer, place)
        person = orders.customer(other.customer_id)
        if place % 3 == 0:
            told.append(replace(one, answer=f"{one.answer} (see also {other.tracking})"))
        elif place % 3 == 1:
            told.append(replace(one, answer=f"{one.answer} {person.name} asked the same."))
        else:
            *others, last = one.calls
            result = f"{last.result} Customer: {person.name}, {person.street}, {person.phone}."
            told.append(replace(one, calls=(*others, last._replace(result=result))))
    return told


def slow() -> list[Recorded]:
    """The right answer, too late."""
    return [
        replace(one, seconds=MOST_SECONDS + 0.1 + 4 * place)
        for place, one in enumerate(good_agent())
    ]


@cache
def all_agents() -> dict[str, list[Recorded]]:
    """The six agents by name, the good one first."""
    return {
        "good": list(good_agent()),
        "contradicts itself": contradicts_itself(),
        "refuses everything": refuses_everything(),
        "takes the wrong tool": takes_the_wrong_tool(),
        "leaks": leaks(),
        "is slow": slow(),
    }


def agents() -> dict[str, list[dict[str, Any]]]:
    """The six agents' outputs by name, in the order of `examples()`."""
    return {name: [one.outputs for one in runs] for name, runs in all_agents().items()}


def examples() -> "list[Example]":
    """The ten questions as LangSmith examples, whose metadata has the `kind`."""
    from langsmith import uuid7
    from langsmith.schemas import Example

    return [
        Example(
            id=uuid7(),
            inputs=one.inputs,
            outputs=one.reference_outputs,
            metadata={"kind": one.kind},
        )
        for one in good_agent()
    ]


def _order_of_another(orders: Orders, customer: str | None, place: int) -> Order:
    sent = [order for order in orders.all_orders() if order.tracking]
    return [order for order in sent if order.customer_id != customer][7 + 11 * place]


def _told(question: Question, tool: str, args: Mapping[str, Any]) -> str:
    if tool == "search_documents":
        if question.document is None:
            return NOT_FOUND
        text = document(question.document)
        return f"{text.title}: {text.text}"
    assert question.order is not None
    assert question.customer is not None
    orders = open_orders()
    if tool == "issue_refund":
        amount = Decimal(str(args["amount"])) if "amount" in args else None
        refund = orders.refund(question.order, question.customer, amount)
        return f"{pounds(refund.amount)} of order {refund.order_id} has been refunded."
    return described(orders.get(question.order, question.customer))


def described(order: Order) -> str:
    """An order in words: its dates, its total and its tracking number."""
    dates = {
        "placed": order.ordered_on,
        "shipped": order.shipped_on,
        "delivered": order.delivered_on,
        "expected": order.expected_on,
    }
    facts = [f"{name} on {day(when)}" for name, when in dates.items() if when is not None]
    return (
        f"Order {order.id}: {', '.join(facts)}. The total is {pounds(order.total)}. "
        f"The tracking number is {order.tracking}."
    )
