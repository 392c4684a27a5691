"""A time limit starts when the model is warm, and still ends what does not end."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from checking import result_of, rows

from helpers import loading
from helpers.course import limits
from helpers.course.card import Card, Status
from helpers.course.contain import contained
from helpers.loading import getting_ready
from helpers.paths import ROOT

LIMIT_S, LOADING_S = 0.3, 0.8


def load() -> int:
    """What the first use of a model is like."""
    with getting_ready():
        time.sleep(LOADING_S)
    return 1


async def load_async() -> int:
    await asyncio.to_thread(load)
    return 1


async def stream() -> AsyncIterator[int]:
    await asyncio.to_thread(load)
    yield 1


def load_in_the_background() -> int:
    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    return 1


def in_thread(call: Any) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize(
    ("first_use", "expected"),
    [(load, 1), (load_in_the_background, 1), (load_async, 1), (stream, [1])],
)
def test_getting_a_model_ready_is_not_counted(first_use: Any, expected: object) -> None:
    def card() -> Card:
        return result_of(first_use, expected, limit=LIMIT_S)[0]

    for found in (card(), in_thread(card)):  # in the main thread, and as on Windows
        assert found.status is Status.PASSED, found.text()


def test_the_code_after_it_has_its_whole_limit_and_no_more() -> None:
    def just_in_time() -> int:
        time.sleep(LIMIT_S / 3)
        load()
        time.sleep(LIMIT_S / 3)
        return 1

    def too_long() -> int:
        load()
        time.sleep(60)
        return 1

    def endless() -> None:
        load()
        while True:
            pass

    assert result_of(just_in_time, limit=LIMIT_S)[0].status is Status.PASSED
    for slow in (too_long, endless):
        began = time.monotonic()
        card, result = result_of(slow, limit=LIMIT_S)
        assert card.status is Status.WRONG
        assert rows(result)["Got"] == f"nothing: it was stopped after {LIMIT_S} s"
        assert LIMIT_S + LOADING_S <= time.monotonic() - began < LIMIT_S + LOADING_S + 1


def test_an_endless_async_loop_is_ended_after_it() -> None:
    async def endless() -> None:
        await load_async()
        while True:
            await asyncio.sleep(0)

    assert contained(endless, LIMIT_S).ended == "time"


@pytest.mark.parametrize("call", [load, load_async])
def test_what_never_gets_ready_is_ended(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST_LOADING_S", 0.1)
    assert contained(call, LIMIT_S).ended == "time"


def test_seconds_of_several_threads_count_once() -> None:
    before = loading.seconds()
    with getting_ready():
        time.sleep(0.1)
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    spent = loading.seconds() - before
    assert 0.1 + LOADING_S <= spent < 3 * LOADING_S
    time.sleep(0.05)
    assert loading.seconds() - before == spent, "it stands still when nothing is at work"


# --- the real model, in a fresh process -----------------------------------------------------------

SLOW_START = """
import os, time
from helpers.course.check import run_check
from helpers.course.exercises.m01 import tool_calls
from helpers.models import local, weights

real, started = local.LocalServer, []

def slow(*args, **kwargs):
    started.append(args[0])
    time.sleep(3)
    return real(*args, **kwargs)

local.LocalServer = slow
{answer}
os.environ["COURSE_TIME_FACTOR"] = "0.25"  # the case's ten seconds are two and a half
card = run_check("01.2", make_my_orders)
print(sorted(started))
print(card.text())
"""
ANSWER = """
from langchain.tools import ToolRuntime, tool
from helpers.agent import Caller

def make_my_orders(orders):
    examples = [
        "What have I ordered so far?", "Show me all my orders.", "Which orders do I have?",
        "How many orders have I placed?", "What did I buy here?", "Give me my purchase history.",
    ]

    @tool(extras={"examples": examples})
    def my_orders(runtime: ToolRuntime[Caller]) -> str:
        "List all orders of the customer who is logged in."
        customer = runtime.context.customer_id
        if customer is None:
            return "Please log in to see your orders."
        ids = orders.order_ids(customer)
        return f"Your orders: {', '.join(ids)}." if ids else "You have no orders yet."

    return my_orders
"""


@pytest.mark.slow
def test_a_right_answer_passes_in_a_fresh_process_whose_model_starts_slowly(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW_START.format(answer=ANSWER)],
        cwd=ROOT,
        env={**os.environ, "COURSE_HOME": str(tmp_path), "COURSE_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    started, told = done.stdout.split("\n", 1)
    assert started == "['all-minilm-l6-v2', 'smollm2-135m-instruct']", done.stderr
    assert told.startswith("[+] Exercise 01.2, A tool that is chosen, and safe: passed"), told
