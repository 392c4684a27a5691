"""What the meter costs: `python -m tests.benchmarks.meter_overhead [--json]`.

An agent (`create_agent`, with one tool that it does not call) answers streamed requests of 64
chunks from an instant server in another process. The meter is a callback in one batch and none in
the next, in turn (see `on_and_off`). CPU seconds are those of the agent's process. The target is at
most 2% of a request's CPU.

500 pairs take some two minutes.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from helpers.cost.meter import Meter
from tests.benchmarks.on_and_off import ORDER, QUESTION, compared, told
from tests.benchmarks.service.running import started

GOAL = 0.02


@tool
def weigh(product: str) -> str:
    """Weigh a product."""
    return "2.1 kg"


async def measured(url: str, pairs: int, count: int) -> tuple[dict[str, list[float]], Meter]:
    """CPU seconds of a request, by batch, and the meter."""
    model = ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="none", stream_usage=True)  # type: ignore[arg-type]
    agent, meter = create_agent(model, [weigh]), Meter()

    async def batch(state: str) -> float:
        before = time.process_time()
        for number in range(count):
            config: Any = {
                "configurable": {"thread_id": f"t-{number}"},
                "metadata": {"customer": f"c-{number}", "intent": "packing"},
                "callbacks": [meter] if state == "on" else [],
            }
            asked: Any = {"messages": QUESTION}
            async for _ in agent.astream(asked, config, stream_mode="messages"):
                pass
        return (time.process_time() - before) / count

    used: dict[str, list[float]] = {"on": [], "off": []}
    for state in ORDER * 2:  # what is made at the first request is not a request's cost
        await batch(state)
    for number in range(2 * pairs):
        state = ORDER[number % len(ORDER)]
        used[state].append(await batch(state))
    return used, meter


def measure(pairs: int, count: int) -> dict[str, Any]:
    """CPU of a request with the meter and without, and what it adds."""
    with tempfile.TemporaryDirectory(prefix="course-bench-") as folder:
        words = [sys.executable, "-m", "tests.benchmarks.service.upstreams", "instant"]
        with started("model", words, None, Path(folder) / "model.log") as model:
            url = f"http://127.0.0.1:{model.port}/v1"
            used, meter = asyncio.run(measured(url, pairs, count))
    (row,) = meter.rows(by="model")
    if row["uncounted"] or not meter.total():
        raise SystemExit(f"The meter did not count what it should: {row}")
    return compared(used, count=count, goal=GOAL)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.meter_overhead")
    parser.add_argument("--pairs", type=int, default=500, help="pairs of batches (500)")
    parser.add_argument("--requests", type=int, default=4, help="requests of a batch (4)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    options = parser.parse_args()
    found = measure(options.pairs, options.requests)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(told(found, "the meter"))


if __name__ == "__main__":
    main()
