"""Conversations in which a model calls tools, made at random for exercise 01.5."""

from collections.abc import Sequence
from itertools import groupby

from hypothesis import strategies as st

from helpers.course.exercises.m01.refunds import ORDERS, Call, Step

_ORDERS = st.sampled_from((*ORDERS[:2] * 3, *ORDERS[2:]))
_ENDS = st.sampled_from(["success", "success", "error", "command", "raises"])
_LOOKUPS = st.builds(Call, st.just("lookup_order"), _ORDERS, _ENDS)
_REFUNDS = st.builds(Call, st.just("issue_refund"), _ORDERS, _ENDS)
_OTHERS = st.builds(
    Call,
    st.sampled_from(["issue_refund_label", "lookup_order_notes", "track_order"]),
    _ORDERS,
    _ENDS,
)
_TALKING = st.builds(
    Call,
    st.sampled_from(["search_documents", "hand_over"]),
    st.sampled_from(["a refund", *(f"lookup_order {order}" for order in ORDERS)]),
    _ENDS,
)
_CALLS = st.one_of(_LOOKUPS, _LOOKUPS, _REFUNDS, _OTHERS, _TALKING)
_SAID = st.sampled_from(
    ["Yes, please.", *(f"I used lookup_order for {order}. Refund {order}." for order in ORDERS)]
)
_STEPS = st.one_of(_SAID, *[st.lists(_CALLS, min_size=1, max_size=3)] * 3)
_LAST = st.tuples(
    st.lists(_LOOKUPS, min_size=1, max_size=3),
    st.lists(st.one_of(_REFUNDS, _REFUNDS, _OTHERS), min_size=1, max_size=2),
)


def _conversation(
    said: str, before: list[Step], last: Sequence[Step], known: int
) -> tuple[list[Step], int]:
    return [said, *before, *last], known


WITH_REFUNDS = st.builds(
    _conversation, _SAID, st.lists(_STEPS, max_size=4), _LAST, st.integers(0, 4)
)
"""The steps of a conversation, and how many of them came before a restart."""


def told(steps: Sequence[Step], known: int = 0) -> str:
    """A conversation as a card writes it, a line a step."""
    lines: list[str] = []
    for place, step in enumerate(steps):
        if place == known and place:
            lines.append("(The service restarts.)")
        if isinstance(step, str):
            lines.append(f"Customer: {step}")
            continue
        ends = [f"{call} -> {call.ends}" for call in step]
        lines.append(f"Model: {', '.join(ends)}")
    counted = [(line, len(list(alike))) for line, alike in groupby(lines)]
    return "\n".join(f"{line} ({times} times)" if times > 1 else line for line, times in counted)
