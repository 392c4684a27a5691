"""Frames of paid calls for exercise 10.5, and how a table of causes is judged."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from helpers.course.exercises import Expectation, equal
from helpers.course.exercises.words import kind
from helpers.testbed.paid_calls import COLUMNS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CAUSES: Final = ["cause", "micro_usd", "requests"]
_START: Final = pd.Timestamp("2026-06-15 09:00:00")
_STEP_MS: Final = 370
"""Between two calls of a request: no two calls of requests that begin at whole seconds meet."""


def calls(
    request: str,
    second: float,
    costs: Sequence[int],
    *,
    conversation: str = "S-1",
    customer: str | None = "C-0001",
    intent: str = "returns",
    text: str = "May I return it?",
    models: Sequence[str] = (),
    failed: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """The calls of one request, as rows.

    Args:
        request: its id.
        second: after the beginning of the day, when the first call is made.
        costs: micro-dollars of each call.
        conversation: that it is part of.
        customer: who is logged in.
        intent: what it is about.
        text: what the customer wrote.
        models: of each call; "small" where there is none.
        failed: which calls failed, from 0.
    """
    return [
        {
            "request": request,
            "time": _START + pd.Timedelta(seconds=second, milliseconds=_STEP_MS * n),
            "customer": customer,
            "conversation": conversation,
            "intent": intent,
            "text": text,
            "model": models[n] if n < len(models) else "small",
            "status": "error" if n in failed else "ok",
            "input_tokens": 100 + n,
            "output_tokens": 10,
            "micro_usd": cost,
        }
        for n, cost in enumerate(costs)
    ]


def frame(*requests: list[dict[str, Any]], index: Sequence[int] | None = None) -> pd.DataFrame:
    """The rows of these requests as a frame of paid calls, with the types of a full one."""
    rows = [row for request in requests for row in request]
    made = pd.DataFrame(rows, columns=list(COLUMNS), index=None if index is None else list(index))
    numbers = ("input_tokens", "output_tokens", "micro_usd")
    texts = [name for name in COLUMNS if name not in (*numbers, "time")]
    types = {"time": "datetime64[us]", **dict.fromkeys(texts, "str")}
    return made.astype({**types, **dict.fromkeys(numbers, "int64")})


def like_table(wanted: pd.DataFrame) -> Expectation:
    """A frame with these columns and rows, in this order, whatever its index."""
    rows = equal(wanted.to_dict("records"))

    def judge(got: Any) -> bool | str:
        if not isinstance(got, pd.DataFrame):
            return f"A DataFrame is expected; this is {kind(got)}."
        if list(got.columns) != CAUSES:
            return f"The columns should be {CAUSES}; they are {list(got.columns)}."
        return rows.judge(got.to_dict("records"))

    return Expectation(_written(wanted), judge, show=_written)


def _written(table: Any) -> str:
    if not isinstance(table, pd.DataFrame):
        return repr(table)
    return f"\n{table.to_string(index=False)}" if len(table) else f"no rows; {list(table.columns)}"


def show(frame: pd.DataFrame) -> str:
    """The call of the learner's function, with the calls that it gets as a table."""
    short = frame.assign(
        time=frame["time"].astype(str).str[11:22],
        text=[one if len(one) < 20 else f"{one[:6]}... ({len(one)})" for one in frame["text"]],
    )
    shown = short.drop(columns=["customer", "input_tokens", "output_tokens"])
    return f"causes(calls), where calls is\n{shown.to_string()}"


_GAPS: Final = (1, 5, 299, 300, 301, 599, 600, 601)
_TEXTS: Final = ("Hi", " hi", "HI ", "h i", "Where?", "x" * 700, "X" * 701)


def mixed(count: int, seed: int) -> pd.DataFrame:
    """Many requests with all causes and boundaries; rows in any order, an index that repeats."""
    random, second, rows = Random(seed), 0, []
    for number in range(count):
        second += random.choice((1, 5, 150, 299, 300, 301))
        costs = [random.randrange(90) for _ in range(random.randint(1, 7))]
        rows += calls(
            f"T-{number}",
            second,
            costs,
            conversation=random.choice(("S-1", "S-2")),
            customer=random.choice(("C-1", "C-2", None)),
            intent=random.choice(("small talk", "returns")),
            text=random.choice((*_TEXTS, "Hi", "hi")),
            models=random.choices(("small", "large"), k=len(costs)),
            failed=[n for n in range(len(costs)) if random.random() < 0.15],
        )
    random.shuffle(rows)
    return frame(rows, index=[n // 3 for n in range(len(rows))])


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Frames of a few requests, in any order of rows, with times at both sides of ten minutes."""
    from hypothesis import strategies as st

    @st.composite
    def some(draw: st.DrawFn) -> tuple[pd.DataFrame]:
        second, rows = 0, []
        for number in range(draw(st.integers(0, 6))):
            second += draw(st.sampled_from(_GAPS))
            costs = draw(st.lists(st.integers(0, 9), min_size=1, max_size=7))
            rows += calls(
                f"T-{number}",
                second,
                costs,
                conversation=draw(st.sampled_from(["S-1", "S-2"])),
                customer=draw(st.sampled_from(["C-1", None])),
                intent=draw(st.sampled_from(["small talk", "returns"])),
                text=draw(st.sampled_from(_TEXTS)),
                models=[draw(st.sampled_from(["small", "large"]))] * len(costs),
                failed=draw(st.lists(st.integers(0, 6), max_size=2)),
            )
        backwards = draw(st.booleans())
        index = draw(st.sampled_from([range(len(rows)), [7] * len(rows)]))
        return (frame(rows[::-1] if backwards else rows, index=index),)

    return some()
