"""Measures the service on Ray beside `course serve`, and beside a bare Serve application.

    python -m tests.benchmarks.ray [--json] [--rounds N]

All answer the same streamed request (64 chunks) from the same instant model, on the plain path, at
1, 8 and 32 clients. In each round every subject takes its turn at every number of clients; ratios
are taken within a round. CPU seconds are of the subject and all its children, Ray's own processes
included. Ten rounds take about five minutes on two cores; run nothing else beside them.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2

from tests.benchmarks.ray import figures
from tests.benchmarks.service.figures import Batch, rows, table
from tests.benchmarks.service.load import Request, send
from tests.benchmarks.service.running import DidNotStart, Running, free_port, started
from tests.benchmarks.service.subjects import CUSTOMER_KEY, MOST_TOKENS, PATH

LEVELS = {1: 24, 8: 64, 32: 96}
"""Numbers of clients, and the requests of a batch at each."""
SUBJECTS = {
    "course serve": ("tests.benchmarks.service.subjects", "service"),
    "course ray serve": ("tests.benchmarks.ray.subjects", "service"),
    "bare Serve application": ("tests.benchmarks.ray.subjects", "bare"),
}
_READY_S = 300.0


@dataclass(frozen=True)
class Subject:
    """One thing that is measured, and what its start took."""

    name: str
    running: Running
    request: Request
    start_cpu_s: float
    start_s: float


def _request(port: int) -> Request:
    body = {
        "model": "plain",
        "messages": [{"role": "user", "content": "Name three things to take on a walk."}],
        "max_tokens": MOST_TOKENS,
        "temperature": 0,
        "stream": True,
    }
    headers = {"Authorization": f"Bearer {CUSTOMER_KEY}"}
    return Request(f"http://127.0.0.1:{port}{PATH}", body, b"[DONE]", headers)


def _start(stack: ExitStack, name: str, upstream: str, folder: Path) -> Subject:
    module, subject = SUBJECTS[name]
    port, began = free_port(), time.perf_counter()
    command = [sys.executable, "-m", module, subject, upstream, str(port)]
    log = folder / f"{name.replace(' ', '-')}.log"
    running = stack.enter_context(started(name, command, port, log))
    request = _request(port)
    while time.perf_counter() - began < _READY_S:
        # The proxy listens long before the application is there.
        with httpx2.Client(trust_env=False, timeout=30) as asking:
            reply = asking.post(request.url, json=request.body, headers=dict(request.headers))
        if reply.status_code == 200:
            took = time.perf_counter() - began
            return Subject(name, running, request, running.cpu_seconds(), took)
        time.sleep(0.2)
    raise DidNotStart(f"{name} did not answer within {_READY_S:g} s")


def _measure(subjects: list[Subject], rounds: int) -> Iterator[Batch]:
    for subject in subjects:  # what is made on the first requests is not a request's cost
        send(subject.request, clients=8, count=32)
    for number in range(rounds):
        begin = number % len(subjects)
        for clients, count in LEVELS.items():
            for subject in (*subjects[begin:], *subjects[:begin]):
                before = subject.running.cpu_seconds()
                load = send(subject.request, clients=clients, count=count)
                time.sleep(0.1)  # what follows a stream's end belongs to it
                cpu = subject.running.cpu_seconds() - before
                yield Batch("instant", clients, subject.name, number, load, cpu)
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.ray")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--rounds", type=int, default=10, help="rounds (10)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="course-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        command = [sys.executable, "-m", "tests.benchmarks.service.upstreams", "instant"]
        server = stack.enter_context(started("upstream", command, None, folder / "upstream.log"))
        url = f"http://127.0.0.1:{server.port}/v1"
        subjects = [_start(stack, name, url, folder) for name in SUBJECTS]
        batches = [*_measure(subjects, options.rounds)]
    starts = [figures.Start(each.name, each.start_cpu_s, each.start_s) for each in subjects]
    found, compared = rows(batches), figures.ratios(batches)
    if options.json:
        made = {"starts": starts, "rows": found, "ratios": compared}
        plain = {key: [asdict(each) for each in value] for key, value in made.items()}
        print(json.dumps(plain, indent=1))
        return
    print(table(starts), table(found), table(compared), sep="\n\n")


if __name__ == "__main__":
    main()
