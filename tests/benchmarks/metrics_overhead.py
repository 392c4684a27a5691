"""What the service's metrics cost: `python -m tests.benchmarks.metrics_overhead [--json]`.

One service in one process answers streamed requests of 64 chunks through an instant model, on its
plain path, which does the least other work. Its metrics are on for a batch and off for the next, in
turn (see `on_and_off`). CPU seconds are those of the service's process, with its server. The target
is at most 3% of a request's CPU. A scrape is measured as well; one comes every 15 seconds, and it
is not part of a request.

400 pairs take about two minutes.
"""

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2

from tests.benchmarks.on_and_off import ORDER, QUESTION, compared, told
from tests.benchmarks.service.load import Request, send
from tests.benchmarks.service.running import free_port, started
from tests.benchmarks.service.subjects import CUSTOMER_KEY, PATH, service

GOAL = 0.03
SCRAPES = 20


class NoMetrics:
    """Metrics that count nothing: every name is itself, every call returns it."""

    def __getattr__(self, name: str) -> "NoMetrics":
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> "NoMetrics":
        """Nothing happens."""
        return self


class Switch:
    """The service, whose metrics `GET /switch/on` and `/switch/off` exchange between requests.

    Both answer with the CPU seconds of the process so far.
    """

    def __init__(self, upstream: str) -> None:
        """`upstream` is the base URL of the model."""
        self._app = service(upstream)
        self._metrics: dict[str, Any] = {"off": NoMetrics()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Switch, or let the service answer."""
        path = scope.get("path", "")
        if not path.startswith("/switch/"):
            await self._app(scope, receive, send)
            return
        parts = self._app.state.parts
        self._metrics.setdefault("on", parts.metrics)
        chosen = self._metrics[path.rpartition("/")[2]]
        self._app.state.parts = replace(parts, metrics=chosen)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        used = f"{time.process_time():.9f}".encode()
        await send({"type": "http.response.body", "body": used})


def serve(upstream: str, port: int) -> None:
    """Serve until the benchmark ends this process."""
    import uvicorn

    uvicorn.run(Switch(upstream), host="127.0.0.1", port=port, log_level="error", access_log=False)


def measure(pairs: int, count: int) -> dict[str, Any]:
    """CPU of a request with metrics and without, what they add, and CPU of a scrape."""
    used: dict[str, list[float]] = {"on": [], "off": []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="course-bench-")))
        words = [sys.executable, "-m", "tests.benchmarks.service.upstreams", "instant"]
        model = stack.enter_context(started("model", words, None, folder / "model.log"))
        port, upstream = free_port(), f"http://127.0.0.1:{model.port}/v1"
        words = [sys.executable, "-m", "tests.benchmarks.metrics_overhead", "--serve", upstream]
        log = folder / "service.log"
        stack.enter_context(started("service", [*words, "--port", str(port)], port, log))
        client = stack.enter_context(
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
        )
        message = {"role": "user", "content": QUESTION}
        asked = Request(
            f"http://127.0.0.1:{port}{PATH}",
            {"model": "plain", "messages": [message], "stream": True},
            b"[DONE]",
            {"Authorization": f"Bearer {CUSTOMER_KEY}"},
        )

        def batch(state: str) -> float:
            before = float(client.get(f"/switch/{state}").text)
            load = send(asked, clients=1, count=count)
            time.sleep(0.02)  # what follows a stream's end belongs to it
            spent = float(client.get(f"/switch/{state}").text) - before
            if not all(one.ok for one in load.answers):
                raise SystemExit(f"A request failed:\n{log.read_text('utf-8')[-1000:]}")
            return spent / count

        for state in ORDER:  # what is made at the first request is not a request's cost
            batch(state)
        for number in range(2 * pairs):
            state = ORDER[number % len(ORDER)]
            used[state].append(batch(state))
        before = float(client.get("/switch/on").text)
        for _ in range(SCRAPES):
            text = client.get("/metrics").text
        scrape = (float(client.get("/switch/on").text) - before) / SCRAPES
    return {
        **compared(used, count=count, goal=GOAL),
        "scrape_ms": 1000 * scrape,
        "series": sum(not line.startswith("#") for line in text.splitlines()),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.metrics_overhead")
    parser.add_argument("--pairs", type=int, default=400, help="pairs of batches (400)")
    parser.add_argument("--requests", type=int, default=5, help="requests of a batch (5)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--serve", metavar="UPSTREAM", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port)
        return
    found = measure(options.pairs, options.requests)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(told(found, "metrics"))
    print(f"A scrape: {found['scrape_ms']:.2f} ms, {found['series']} series.")


if __name__ == "__main__":
    main()
