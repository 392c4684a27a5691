"""A day of paid model calls: the shop's day of questions, with five things that cost too much.

    calls = paid_calls()
    calls.groupby("model")["micro_usd"].sum()

Each row is one call. Most requests need two: one to choose a tool and one to answer. Planted are a
client that repeats its question, people who paste whole letters, requests whose calls go round in
a loop, a bad hour in which calls fail and are made again, and greetings that a large
model answers. Names and prices of the models are invented.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

import pandas as pd

from helpers.shop.traffic import COUNT, SEED, Request, day

COLUMNS: Final = (
    "request",
    "time",
    "customer",
    "conversation",
    "intent",
    "text",
    "model",
    "status",
    "input_tokens",
    "output_tokens",
    "micro_usd",
)
"""The columns of the frame, in order; `paid_calls` says what they hold."""

PRICES: Final = {"small": (0.15, 0.6), "large": (2.5, 10.0)}
"""Micro-dollars for a token read and a token written (dollars for a million of them)."""

GREETINGS: Final = ("Hi!", "Hello, is anyone there?", "Good morning", "Thanks a lot!", "Bye!")
_GREETS: Final = 0.06  # of all requests: greetings that come with them
_LOOPS: Final = 0.004
_PROMPT: Final = 350  # tokens of the system prompt and of the tools
_CHARACTERS: Final = 4  # of a token, in English
_BAD_MINUTES: Final = (600, 660)  # of the day
_FAILS: Final = 0.45


def paid_calls(count: int = COUNT, *, seed: int = SEED) -> pd.DataFrame:
    """The calls of one day, in the order in which they were made.

    Args:
        count: how many requests the day has, greetings apart.
        seed: another seed gives another day.

    Returns:
        One row a call. `request` (str): the request that it was made for; its calls have the same
        `customer`, `conversation`, `intent` and `text`. `time` (datetime64): when it was made; no
        two are equal. `customer` (str, missing for guests). `conversation` (str). `intent`: what
        the request is about, "small talk" for greetings. `text`: what the customer wrote. `model`:
        "small" or "large". `status`: "ok" or "error"; the provider charges for both.
        `input_tokens`, `output_tokens` (int). `micro_usd` (int): what it cost, in millionths of a
        dollar.

    Raises:
        ValueError: fewer than 50 requests.
    """
    random = Random(seed)
    rows = [row for request in _with_greetings(day(count, seed=seed), random)
            for row in _calls(request, random)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["time"] = pd.to_datetime(frame["time"])
    return frame.sort_values("time", kind="stable", ignore_index=True)


def _with_greetings(requests: list[Request], random: Random) -> Iterator[Request]:
    for number, one in enumerate(requests):
        # A millisecond of its own for each, so that no two calls are made at the same moment.
        at = one.at.replace(tzinfo=None) + timedelta(microseconds=number)
        request = Request(one.id, at, one.session, one.customer, one.intent, one.text, one.caller)
        yield request
        if random.random() < _GREETS:
            at += timedelta(seconds=31)
            text = GREETINGS[int(random.random() * len(GREETINGS))]
            yield Request(f"{one.id}-g", at, one.session, one.customer, "small talk", text)


def _calls(request: Request, random: Random) -> Iterator[tuple[object, ...]]:
    """The calls of one request: failed ones are made again, up to twice."""
    at: datetime = request.at
    greets = request.intent == "small talk"
    wanted = 1 if greets else 2
    if not greets and random.random() < _LOOPS:
        wanted = 12 + int(random.random() * 20)
    read = _PROMPT + len(request.text) // _CHARACTERS
    for step in range(wanted):
        for attempt in range(3):
            minute = at.hour * 60 + at.minute
            bad = _BAD_MINUTES[0] <= minute < _BAD_MINUTES[1] or random.random() < 0.002
            failed = bad and attempt < 2 and random.random() < _FAILS
            model = "large" if greets or (step == wanted - 1 and random.random() < 0.1) else "small"
            written = 15 + int(random.random() * (60 if step == wanted - 1 else 15))
            per_read, per_written = PRICES[model]
            cost = round(read * per_read + written * per_written)
            status = "error" if failed else "ok"
            yield (request.id, at, request.customer, request.session, request.intent, request.text,
                   model, status, read, written, cost)  # fmt: skip
            at += timedelta(seconds=1 + random.random() * 3)
            if not failed:
                break
        read += 80 + written  # the next call reads what this one wrote, and a tool's result
