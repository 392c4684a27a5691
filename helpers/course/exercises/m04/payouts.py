"""Limits and refunds made at random for exercise 04.6."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from helpers.course.exercises.m04.approvals import Call, refund

_ORDERS = st.integers(10_000, 99_999).map("FH-{}".format)
_SUMS = st.one_of(
    st.sampled_from([10, 20, 30, 40, 50, 0.1, 0.2, 0.3, 33.33]),
    st.integers(1, 120),
    st.sampled_from([0.01, 19.99, 20.01, 49.95, 60.0]),
)
_ODD = st.sampled_from([None, 0, -20, "20", True, float("nan"), float("inf")])
_REFUNDS = st.one_of(
    *[st.builds(refund, _ORDERS, _SUMS)] * 6,
    st.builds(refund, _ORDERS, _ODD),
    st.builds(refund, _ORDERS),
)
_OTHERS = st.one_of(
    st.builds(Call, st.just("lookup_order"), st.fixed_dictionaries({"order_id": _ORDERS})),
    st.builds(Call, st.just("change_email"), st.just({"email": "ann@post.example"})),
    st.builds(Call, st.just("issue_refunds"), st.just({"amount": 500})),
    st.builds(Call, st.just("hand_over"), st.just({"reason": "£900", "amount": 900})),
)
_LIMITS = st.one_of(
    st.sampled_from(["20", "30", "40", "0.3", "0.30", "50.00", "60"]).map(Decimal),
    st.decimals("0", "200", places=2),
)

PAYOUTS: st.SearchStrategy[tuple[Any, ...]] = st.tuples(
    st.lists(_LIMITS, min_size=2, max_size=2),
    st.lists(
        st.lists(st.one_of(_REFUNDS, _REFUNDS, _OTHERS), min_size=1, max_size=3),
        min_size=1,
        max_size=4,
    ),
)
"""Two limits, and the calls of each of the model's messages."""
