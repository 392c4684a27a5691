"""Conversations and calls made at random for exercise 04.1."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from helpers.course.exercises.m04.asked import Call, Customer, Lookup, Model, Page, Paid, Step

_DEFAULT_TOTAL = Decimal("41.50")
_WORDS = (
    "Where is {a}?",
    "Please refund {a}.",
    "Please refund {a}.",
    "Refund my order.",
    "I was promised a refund.",
    "REFUND {a} AND {b}, NOW!",
    "Can {a} be refunded, or ({b})?",
    "Refund £{s} of {a}.",
    "Refund £{s} of my order, not £{t}.",
    "Refund £{t} for '{a}'.",
    "Refund £0 of {a}, and £0.00 of {b}.",
    "Refund {a}9, please.",
    "Refund XFH-{digits}, please.",
    "A refund for FH-FH-{digits}_1.",
    "Refund fh-{digits}.",
    "{a} costs £{s}.",
    "My money back for {a}!",
    "Is {a} nonrefundable?\nOr {b}?",
    "> Refund {b}, £{t}.\nYes, ReFund\n{a}.",
    "I do not want a refund of {a}.",
    "Refund {s} of {a}.",
    "Refund £{s} of {a} and £{t} of {b}.",
    "Yes.",
)
_IDS = ("{a}", "{a}", "{a}", "{b}", "{a}9", "fh-{digits}", "{a} ", "RF-0000", "", None, 5)
_AMOUNTS = ("s", "s", "t", "total", "whole", "less", "text", None, 2, 0, 0.0, True, "sum", "near")
_ENDLESS = (float("inf"), float("nan"))
_TOOLS = ("search_documents", "hand_over", "change_email", "refund", "lookup_order", "lookup_order")
_REFUND = "issue_refund"

Drawn = tuple[Any, ...]
"""What was drawn of a step or a call: its kind, and what there is to choose in it."""

_SAID = st.tuples(st.just("said"), st.sampled_from(_WORDS), st.booleans())
_LOOKED = st.tuples(
    st.just("looked"),
    st.sampled_from(["{a}", "{a}", "{b}"]),
    st.sampled_from([True, True, False]),
    st.booleans(),
    st.sampled_from([*["lookup_order"] * 5, "lookup_orders"]),
)
_READ = st.tuples(st.sampled_from(["model", "page", "paid"]), st.sampled_from(_WORDS))
_STEPS = st.lists(st.one_of(_SAID, _LOOKED, _LOOKED, _READ), max_size=3)
_LATER = st.lists(st.one_of(_LOOKED, _LOOKED, _READ), max_size=2)
_AMOUNT = st.sampled_from([*_AMOUNTS, *_ENDLESS])
_ENDS = st.sampled_from(["success", "success", "command", "error", "raises"])
_CALL = st.one_of(
    st.tuples(
        st.just(_REFUND),
        st.fixed_dictionaries(
            {"order_id": st.sampled_from(["{a}", "{a}", "{b}"])}, optional={"amount": _AMOUNT}
        ),
        _ENDS,
    ),
    st.tuples(
        st.sampled_from([*_TOOLS, _REFUND, _REFUND]),
        st.fixed_dictionaries(
            {},
            optional={
                "order_id": st.sampled_from(_IDS),
                "amount": _AMOUNT,
                "to": st.just("{a}"),
            },
        ),
        _ENDS,
    ),
    st.tuples(
        st.sampled_from(["lookup_order", _REFUND]),
        st.fixed_dictionaries({"order_id": st.sampled_from(_IDS)}),
        _ENDS,
    ),
)


def _conversation(
    numbers: Sequence[int],
    sums: Sequence[Decimal],
    paid: bool,
    drawn: Sequence[Sequence[Drawn]],
    calls: Sequence[tuple[str, Mapping[str, Any], str]],
) -> tuple[list[Step], list[Call]]:
    a, b = (f"FH-{number}" for number in numbers)
    s, t = sums
    names = {"a": a, "b": b, "s": s, "t": t, "digits": a[3:]}
    totals = {a: s if paid else _DEFAULT_TOTAL, b: t}
    amounts = {
        "s": float(s),
        "t": float(t),
        "total": float(totals[a]),
        "whole": int(t),
        "less": -float(s),
        "sum": float(s + t),
        "near": float(s) + 0.001,
        "text": str(s),
    }

    def step(kind: str, written: str, *more: Any) -> Step:
        text = written.format(**names)
        match kind:
            case "said":
                return Customer(text, *more)
            case "looked":
                return Lookup(text, str(totals[text]), *more)
            case "model":
                return Model(text)
            case "page":
                return Page(text)
        return Paid(a, str(s))

    def argument(name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return amounts[value] if name == "amount" else value.format(**names)

    return [step(*each) for part in drawn for each in part], [
        Call(tool, {name: argument(name, value) for name, value in given.items()}, ends)
        for tool, given, ends in calls
    ]


ASKED: st.SearchStrategy[tuple[Any, ...]] = st.builds(
    _conversation,
    st.lists(st.integers(10_000, 99_999), min_size=2, max_size=2, unique=True),
    st.tuples(st.decimals("0.01", "900", places=2), st.integers(1, 900).map(Decimal)),
    st.booleans(),
    st.tuples(_STEPS, st.tuples(_SAID), _LATER),
    st.lists(_CALL, min_size=1, max_size=6),
)
"""A conversation, and calls that are tried after it."""
