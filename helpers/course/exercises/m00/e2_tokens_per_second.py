"""Exercise 00.2: a first function, with a boundary and an error."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from helpers.course.exercises import (
    Case,
    Hint,
    Slip,
    approx,
    example,
    exercise,
    generated,
    raises,
)

Usage = Mapping[str, int]


def _usage(read: int, written: int) -> dict[str, int]:
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}


def _detailed(read: int, written: int, order: list[str]) -> dict[str, Any]:
    """The same with the details that LangChain adds, and the counts in any order."""
    usage: dict[str, Any] = {**_usage(read, written), "input_token_details": {"cache_read": read}}
    return {key: usage[key] for key in order}


# What LangChain counts, and a time in seconds: a stopwatch may show any, 0 and less included. The
# times that a wrong guard would refuse, or let through, are named.
_COUNTS = ["input_tokens", "output_tokens", "total_tokens"]
_USAGES = st.one_of(
    st.builds(_usage, st.integers(0, 4000), st.integers(0, 500)),
    st.builds(
        _detailed,
        st.integers(0, 4000),
        st.integers(1, 500),
        st.permutations([*_COUNTS, "input_token_details"]),
    ),
)
_TIMES = st.one_of(
    st.sampled_from([1e-9, 1e-6, 5e-4, 0.005, 0.05, 0.3, 1, 5000, 1e6]),
    st.sampled_from([0, 0.0, -1e-9, -1e-3, -0.5, -1]),
    st.floats(1e-3, 600, allow_subnormal=False),
    st.integers(1, 600),
    st.floats(-600, -1e-6),
)

SLIPS = [
    Slip.like(
        "whole-run",
        lambda usage, seconds: usage["total_tokens"] / seconds,
        "That counts the prompt too, which the model read but did not write.",
    ),
    Slip.like(
        "prompt",
        lambda usage, seconds: usage["input_tokens"] / seconds,
        "That counts the prompt, which the model read but did not write.",
    ),
    Slip.like(
        "upside-down",
        lambda usage, seconds: seconds / usage["output_tokens"],
        "That is seconds per token: the other way round.",
    ),
    Slip.like(
        "rounded-down",
        lambda usage, seconds: usage["output_tokens"] // seconds,
        "The fraction is lost: // and int() round down, / does not.",
    ),
]
NO_GUARD = Slip.raises(
    "no-guard",
    ZeroDivisionError,
    "You cannot divide by 0: check seconds first.",
)


@exercise(
    "00.2",
    title="Tokens per second",
    hints=[
        "Speed is a count divided by a time. Which of the three counts did the model write?",
        'Use usage["output_tokens"]; the prompt was read, not written.',
        Hint("Which times are invalid? Test seconds before you divide.", "no-time", "any"),
        Hint(
            "if seconds <= 0: raise ValueError(...) with a sentence that names seconds. A short"
            " time, such as 0.1, is valid.",
            "no-time",
            "any",
        ),
    ],
)
def tokens_per_second(answer: Callable[[Usage, Any], Any]) -> Iterator[Case]:
    """How fast a model writes, from LangChain's usage metadata and a time in seconds."""

    yield example(
        "an ordinary answer",
        answer,
        _usage(180, 25),
        2.0,
        called="tokens_per_second",
        expect=approx(12.5, rel=2e-7),
        slips=SLIPS,
    )
    yield example(
        "a short time",
        answer,
        _usage(180, 40),
        0.05,
        called="tokens_per_second",
        expect=approx(800.0, rel=2e-7),
        slips=SLIPS,
        about="no-time",
    )
    yield example(
        "no time at all",
        answer,
        _usage(180, 24),
        0.0,
        called="tokens_per_second",
        expect=raises(ValueError, "seconds"),
        slips=[NO_GUARD],
        about="no-time",
    )
    yield generated(
        "any counts and any time",
        answer,
        exercise="00.2",
        inputs=st.tuples(_USAGES, _TIMES),
        called="tokens_per_second",
        expect=lambda speed: approx(speed, rel=2e-7),  # what NumPy's float32 keeps
        errors_name="seconds",
        slips=SLIPS,
        about="any",
    )
