"""Exercise 01.2: a tool that is chosen, and safe."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, at_least, at_most, exercise, satisfies
from helpers.shop import Orders, open_orders, questions

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

MakeTool = Callable[[Orders], "BaseTool"]

ASKING = (
    "What have I ordered so far?",
    "Show me all my orders.",
    "I lost my order number, can you find it for me?",
    "Which orders do I have with you?",
    "List everything I bought from you.",
    "How many orders have I placed?",
    "Which of my orders have not arrived yet?",
    "Can I see my order history?",
    "What was my last order?",
    "Have I got any open orders?",
    "what did i buy here before",
    "Give me an overview of my purchases.",
)
"""Requests that `my_orders` is for, written before any description of it was tried."""

CHOSEN = 9
"""How many of `ASKING` must choose it: all 12 do with four or six fitting examples, and up to 2
where the docstring speaks to developers."""

TAKEN = 3
"""How many of the 26 requests for other tools it may take: with fitting examples it takes up to 1,
and 6 with a docstring that promises everything."""


@exercise(
    "01.2",
    title="A tool that is chosen, and safe",
    hints=[
        "What does the model know of a tool? Its name, its arguments and its docstring; the local"
        " model also the examples in extras. Say there what customers say.",
        "runtime: ToolRuntime[Caller] as an argument is filled in by LangGraph and hidden from the"
        " model. runtime.context.customer_id is who is logged in, or None.",
        "orders.order_ids(customer) gives the ids, orders.get(id, customer) the order. Without a"
        " customer, return a sentence that asks to log in; without orders, say that.",
        '@tool(extras={"examples": ["What did I order last month?", ...]}) above def'
        " my_orders(runtime: ToolRuntime[Caller]) -> str, with a docstring such as: List the orders"
        " of the customer who is logged in. Return the tool.",
    ],
)
def my_orders(submission: MakeTool) -> Iterator[Case]:
    """A factory of a tool that lists the orders of whoever is logged in."""
    from helpers.course.exercises.m01 import tool_calls as runs

    orders = open_orders()

    def case(
        name: str,
        customer: str | None,
        expect: Expectation,
        slips: Sequence[tuple[Any, str]],
    ) -> Case:
        return Case(
            name,
            call=lambda: runs.told(submission(orders), customer),
            show=f"my_orders() when Caller({customer!r}) asks",
            expect=expect,
            slips=slips,
        )

    yield Case(
        "the model is asked for no argument",
        call=lambda: runs.arguments(submission(orders)),
        show="what the model sees of make_my_orders(orders): its name and arguments",
        expect={"name": "my_orders", "arguments": []},
        slips=[
            (
                lambda got: any("customer" in name for name in got["arguments"]),
                "Whatever the model fills in, a customer can talk it into: who is logged in must"
                " come from runtime.context.",
            ),
            (AttributeError, "make_my_orders must return the tool, made with @tool."),
        ],
    )
    for customer in ("C-0042", "C-0029"):
        own = set(orders.order_ids(customer))
        yield case(
            f"the orders of {customer}",
            customer,
            _lists(own),
            [
                ("", "The tool says nothing, and the model would have to make something up."),
                (_holds_more_than(own), "Those are other people's, too."),
                (_holds_a_part_of(own), "Some of the customer's orders are missing."),
            ],
        )
    yield case(
        "nobody is logged in",
        None,
        satisfies("a sentence that asks to log in, and no order", _asks_to_log_in),
        [
            (
                Exception,
                "The error ended the conversation. Return a sentence, which the agent can pass on.",
            )
        ],
    )
    yield case(
        "a customer who has no orders yet",
        "C-9999",
        satisfies("a sentence that says so", _says_so),
        [("", "An empty result leaves the model to invent something.")],
    )
    yield Case(
        "chosen when customers ask for it",
        call=lambda: [name == "my_orders" for name in runs.chosen(submission(orders), ASKING)],
        show="the agent's tools and my_orders, bound to the model; 12 customers ask for orders",
        expect=at_least(CHOSEN, of=len(ASKING), what="requests for which it is chosen"),
        slips=[
            (
                lambda got: sum(got) < CHOSEN,
                "Docstring and examples are all the model goes by: say there what customers say.",
            )
        ],
    )
    others = [
        one.question
        for one in questions("lab")
        if one.kind in {"order", "action"} or one.id in _FOR_SEARCH
    ]
    yield Case(
        "left alone when they ask for something else",
        call=lambda: [name == "my_orders" for name in runs.chosen(submission(orders), others)],
        show="the same tools; customers ask for one order, a refund, a person, a fact",
        expect=at_most(TAKEN, of=len(others), what="requests taken from other tools"),
        slips=[
            (
                lambda got: sum(got) > TAKEN,
                "Docstring or examples promise what other tools do: say only what this one does.",
            )
        ],
    )


_FOR_SEARCH = {f"lab-single_fact-{number:03}" for number in range(1, 9)}


def _ids(text: str) -> set[str]:
    return set(re.findall(r"FH-\d{5}", text))


def _lists(own: set[str]) -> Expectation:
    text = f"a text with the {len(own)} order numbers of this customer, and no other"
    return satisfies(text, lambda got: _ids(got) == own)


def _holds_more_than(own: set[str]) -> Callable[[str], bool]:
    return lambda got: _ids(got) > own


def _holds_a_part_of(own: set[str]) -> Callable[[str], bool]:
    return lambda got: set() < _ids(got) < own


def _says_so(got: str) -> bool:
    return bool(got.strip()) and not _ids(got) and "error" not in got.lower()


def _asks_to_log_in(got: str) -> bool | str:
    if _ids(got):
        return "Without a customer there are no orders to show."
    return bool(re.search(r"\b(log|sign)\w*[ -]?in\b", got, re.IGNORECASE))
