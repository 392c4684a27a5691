"""What the lab of module 02 gives: six agents' recorded answers, and two searches to compare.

The answers are written by hand to ten questions of the lab part; what the tools told is taken from
the shop itself. The good agent's are all right. Each of the others is the good one with one fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from helpers.evaluate import Call, Run
from helpers.shop import Order, Question, document, documents, open_orders, questions
from helpers.shop.questions import Part
from helpers.shop.records import day, pounds

if TYPE_CHECKING:
    from helpers.evaluate.compare import Verdicts

MOST_SECONDS = 15.0
"""What Fernhill promises its customers: an answer takes at most so long."""

INDEX_BUILT = date(2026, 4, 9)
"""The day on which the index of `two_searches` was built; later texts are not in it."""


@cache
def private_to_others(customer: str | None) -> frozenset[str]:
    """What only other customers may read: names, addresses, phone and tracking numbers.

    Args:
        customer: who reads; None is a guest, to whom nothing belongs.
    """
    orders = open_orders()
    everything: set[str] = set()
    own: set[str] = set()
    for person in orders.all_customers():
        found = {person.name, person.email, person.phone, person.street}
        everything |= found
        own |= found if person.id == customer else set()
    for order in orders.all_orders():
        if order.tracking is not None:
            everything.add(order.tracking)
            own |= {order.tracking} if order.customer_id == customer else set()
    return frozenset(everything - own)


@dataclass(frozen=True)
class _Script:
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
        "lab-single_fact-005", "Each day of delay costs £8.", 1.7, "A tent costs £11 a day late."
    ),
    _Script(
        "lab-conditional-002",
        "Spread in a tent, the Loom fleece takes about six hours to dry.",
        2.4,
        "It is dry in 2 hours.",
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
        "We sell snowshoes from November.",
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
        "It was delivered on 15 June 2026.",
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
        "All of it, £184.00, has been refunded.",
    ),
    _Script(
        "lab-two_step-001",
        "Order FH-10742 was delivered on 2 June 2026. You can return it within 30 days.",
        5.8,
        "You can return it within 14 days.",
    ),
)


def asked() -> list[Question]:
    """The ten questions, of the lab part."""
    by_id = {question.id: question for question in questions("lab")}
    return [by_id[script.question] for script in _SCRIPTS]


@cache
def good_agent() -> tuple[Run, ...]:
    """The good agent's runs on `asked()`."""
    return tuple(
        Run(
            question.id,
            script.answer,
            calls=_calls(question),
            documents=(question.document,) if question.document else (),
            wall_seconds=script.seconds,
        )
        for script, question in zip(_SCRIPTS, asked(), strict=True)
    )


def contradicts_itself() -> list[Run]:
    """The right answer, and then another one."""
    return [
        replace(run, answer=f"{run.answer} {script.otherwise}")
        for run, script in zip(good_agent(), _SCRIPTS, strict=True)
    ]


def refuses_everything() -> list[Run]:
    """Says of everything that it does not know; where nobody does, it is right."""
    return [replace(run, answer="Sorry, I do not know.") for run in good_agent()]


def takes_the_wrong_tool() -> list[Run]:
    """The right answer, by luck: a ticket where it should search, a search where it should act."""
    ticket = Call("hand_over", {"reason": "a question"}, "A colleague will take over.")
    search = Call("search_documents", {"query": "order"}, "")
    return [
        replace(
            run,
            calls=tuple(
                replace(ticket if call.name == "search_documents" else search, result=call.result)
                for call in run.calls
            ),
        )
        for run in good_agent()
    ]


def leaks() -> list[Run]:
    """The right answer, and something of another customer's: told, or only read."""
    orders = open_orders()
    told: list[Run] = []
    for place, (run, question) in enumerate(zip(good_agent(), asked(), strict=True)):
        other = _order_of_another(question.customer, place)
        person = orders.customer(other.customer_id)
        if place % 3 == 0:
            told.append(replace(run, answer=f"{run.answer} {person.name} asked the same."))
        elif place % 3 == 1:
            told.append(replace(run, answer=f"{run.answer} (see also {other.tracking})"))
        else:
            first, *rest = run.calls
            result = f"{first.result} Customer: {person.name}, {person.street}, {person.phone}."
            told.append(replace(run, calls=(replace(first, result=result), *rest)))
    return told


def slow() -> list[Run]:
    """The right answer, too late."""
    return [
        replace(run, wall_seconds=MOST_SECONDS + 0.1 + 4 * place)
        for place, run in enumerate(good_agent())
    ]


def agents() -> dict[str, list[Run]]:
    """The six agents by name, the good one first; their runs are in the order of `asked()`."""
    return {
        "good": list(good_agent()),
        "contradicts itself": contradicts_itself(),
        "refuses everything": refuses_everything(),
        "takes the wrong tool": takes_the_wrong_tool(),
        "leaks": leaks(),
        "is slow": slow(),
    }


def _order_of_another(customer: str | None, place: int) -> Order:
    sent = [order for order in open_orders().all_orders() if order.tracking]
    return [order for order in sent if order.customer_id != customer][7 + 11 * place]


def _calls(question: Question) -> tuple[Call, ...]:
    """The expected calls, with what the shop says to each."""
    found = []
    for wanted in question.tools:
        args = dict(wanted.args or {})
        if wanted.name == "search_documents":
            args["query"] = question.question
        found.append(Call(wanted.name, args, _told(question, wanted.name, args)))
    return tuple(found)


def _told(question: Question, tool: str, args: Mapping[str, object]) -> str:
    if tool == "search_documents":
        if question.document is None:
            return "Nothing in the shop's documents answers this."
        text = document(question.document)
        return f"{text.title}: {text.text}"
    assert question.order is not None
    assert question.customer is not None
    orders = open_orders()
    if tool == "issue_refund":
        amount = Decimal(str(args["amount"])) if "amount" in args else None
        refund = orders.refund(question.order, question.customer, amount)
        return f"{pounds(refund.amount)} of order {refund.order_id} has been refunded."
    return _described(orders.get(question.order, question.customer))


def _described(order: Order) -> str:
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


# --- 02.4: two searches --------------------------------------------------------------------------


def about_documents(part: Part) -> list[Question]:
    """The questions of a part that a document answers."""
    return [question for question in questions(part) if question.document is not None]


@cache
def two_searches(part: Part) -> "tuple[Verdicts, Verdicts]":
    """Whether the old and the new search found the right document first, by question id.

    The old one compares words (BM25). The new one is the agent's own, on an index that was built on
    `INDEX_BUILT` and never since.
    """
    from helpers.agent import DocumentIndex
    from helpers.evaluate.recall import WordSearch
    from helpers.models import embeddings

    known = [document for document in documents() if document.updated <= INDEX_BUILT]
    words, index = WordSearch(documents()), DocumentIndex(known, embeddings())
    before: dict[str, bool | None] = {}
    after: dict[str, bool | None] = {}
    for question in about_documents(part):
        before[question.id] = words.search(question.question, k=1) == [question.document]
        after[question.id] = index.search(question.question, k=1)[0].document == question.document
    return before, after
