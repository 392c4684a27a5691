"""Measures the service against its own parts and its peers.

    python -m tests.benchmarks.service [--json] [--rounds N] [--upstream instant|model ...]

Every subject answers the same streamed request through the same upstream: an instant fake model
(64 chunks) at 1, 4, 8 and 32 clients, and the real local model (32 tokens) at 1, 4 and 8. In each
round every subject takes its turn at every number of clients, and who begins moves on with each
round. CPU seconds are the subject's own. Ten rounds take about twenty minutes on two cores; run
nothing else beside them. The peers are installed on first use (600 MB, from the network).
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.service.figures import Batch, ratios, rows, table
from tests.benchmarks.service.load import Request, send
from tests.benchmarks.service.peers import PEERS, PeerMissing
from tests.benchmarks.service.running import DidNotStart, Running, free_port, started
from tests.benchmarks.service.subjects import CUSTOMER_KEY, MOST_TOKENS, PATH

QUESTION = "Name three things to take on a walk in the hills."
OWN = {
    "raw proxy": "proxy",
    "bare route": "route",
    "plain path": "service",
    "plain path, LangChain": "service_by_langchain",
    "create_agent": "create_agent",
    "Fernhill's agent": "fernhill",
    "agent path": "service",
}
MODELS = {"plain path": "plain", "plain path, LangChain": "plain", "agent path": "fernhill-agent"}
LEVELS = {"instant": {1: 24, 4: 32, 8: 32, 32: 96}, "model": {1: 4, 4: 8, 8: 16}}
"""Numbers of clients, and the requests of a batch at each."""


@dataclass(frozen=True)
class Subject:
    """One thing that is measured: its process, and what it is asked."""

    name: str
    running: Running
    request: Request


def _request(name: str, port: int) -> Request:
    message = {"role": "user", "content": QUESTION}
    headers = {"Authorization": f"Bearer {CUSTOMER_KEY}"}
    if name == "langserve":
        url = f"http://127.0.0.1:{port}/chat/stream"
        return Request(url, {"input": [{**message, "type": "human"}]}, b"event: end", headers)
    body = {
        "model": MODELS.get(name, "local"),
        "messages": [message],
        "max_tokens": MOST_TOKENS,
        "temperature": 0,
        "stream": True,
    }
    return Request(f"http://127.0.0.1:{port}{PATH}", body, b"[DONE]", headers)


def _command(name: str, upstream: str, port: int) -> list[str]:
    if name in PEERS:
        return PEERS[name].command(upstream, port, MOST_TOKENS)
    module = "tests.benchmarks.service.subjects"
    return [sys.executable, "-m", module, OWN[name], upstream, str(port)]


@contextmanager
def _subjects(upstream: str, folder: Path) -> Iterator[tuple[list[Subject], list[str]]]:
    """All that start in front of an upstream, and a sentence on each that does not."""
    with ExitStack() as stack:
        command = [sys.executable, "-m", "tests.benchmarks.service.upstreams", upstream]
        log = folder / f"{upstream}.log"
        server = stack.enter_context(started(f"upstream {upstream}", command, None, log))
        url = f"http://127.0.0.1:{server.port}/v1"
        found, missing = [Subject("upstream", server, _request("upstream", server.port))], []
        for name in (*OWN, *PEERS):
            port = free_port()
            log = folder / f"{upstream}-{name.replace(' ', '-')}.log"
            try:
                command = _command(name, url, port)
                one = stack.enter_context(started(name, command, port, log))
            except (DidNotStart, PeerMissing) as reason:
                missing.append(str(reason))
                continue
            found.append(Subject(name, one, _request(name, port)))
        yield found, missing


def _measure(upstream: str, subjects: list[Subject], rounds: int) -> Iterator[Batch]:
    for subject in subjects:  # what is made on the first request is not a request's cost
        send(subject.request, clients=2, count=4)
    for number in range(rounds):
        begin = number % len(subjects)
        for clients, count in LEVELS[upstream].items():
            for subject in (*subjects[begin:], *subjects[:begin]):
                before = subject.running.cpu_seconds()
                load = send(subject.request, clients=clients, count=count)
                time.sleep(0.05)  # what follows a stream's end belongs to it
                cpu = subject.running.cpu_seconds() - before
                yield Batch(upstream, clients, subject.name, number, load, cpu)
        print(f"{upstream}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.service")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--rounds", type=int, default=10, help="rounds (10)")
    parser.add_argument(
        "--upstream", action="append", choices=tuple(LEVELS), help="which one (both)"
    )
    options = parser.parse_args()
    batches: list[Batch] = []
    reported: list[str] = []
    with tempfile.TemporaryDirectory(prefix="course-bench-") as folder:
        for upstream in options.upstream or LEVELS:
            with _subjects(upstream, Path(folder)) as (subjects, missing):
                reported += [f"{upstream}: {reason}" for reason in missing]
                batches += _measure(upstream, subjects, options.rounds)
    figures, compared = rows(batches), ratios(batches)
    if options.json:
        made = {
            "rows": [asdict(row) for row in figures],
            "ratios": [asdict(ratio) for ratio in compared],
            "not measured": reported,
        }
        print(json.dumps(made, indent=1))
        return
    print(table(figures), table(compared), *reported, sep="\n\n")


if __name__ == "__main__":
    main()
