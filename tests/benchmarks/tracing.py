"""Measures the local tracing service: `python -m tests.benchmarks.tracing [--json] [PART ...]`.

request   what tracing adds to the wall time of a Fernhill request, the same questions with and
          without, in turn (target: at most 5%)
queries   the course's queries over 10,000 runs against the same over 1,000, in turn, by the SDK
          (target: at most 3 times)
ingestion runs a second through the service, against plain SQLite inserts of the same rows into the
          same tables, in turn (target: at least a quarter)

Each part prints its medians; other work on the machine falls on both sides alike.
"""

import argparse
import io
import json
import os
import sqlite3
import statistics
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("COURSE_THREADS", "1")

import requests
from langsmith import Client, tracing_context, uuid7_from_datetime
from requests.adapters import BaseAdapter

from helpers.tracing import Service, running
from helpers.tracing.store.schema import connect, transaction

BATCH = 100  # runs a request, as the SDK sends them
DEPTH = 10  # runs of one trace


# --- a Fernhill request --------------------------------------------------------------------------


def measure_request(pairs: int) -> dict[str, Any]:
    """Wall seconds of the agent's answers with and without tracing."""
    from helpers.agent import Caller, build_agent
    from helpers.shop.traffic import day

    agent = build_agent()
    asked = [one for one in day(300) if one.caller == "ordinary"][: pairs + 2]
    times: dict[str, list[float]] = {"plain": [], "traced": []}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "t.db") as service:
        client = Client(api_url=service.url, api_key=service.key)
        for number, one in enumerate(asked):
            # Who is first changes, so that a warm cache helps both.
            order = ("plain", "traced") if number % 2 else ("traced", "plain")
            for name in order:
                enabled = name == "traced"
                started = time.perf_counter()
                with tracing_context(client=client, enabled=enabled, project_name="request"):
                    agent.invoke(
                        {"messages": [("user", one.text)]},
                        {"configurable": {"thread_id": str(uuid.uuid4())}},
                        context=Caller(one.customer),
                    )
                taken = time.perf_counter() - started
                if number >= 2:  # the first ones load the models
                    times[name].append(taken)
                client.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runs = len(list(client.list_runs(project_name="request"))) / len(asked)
        client.cleanup()
    added = [traced - plain for plain, traced in zip(times["plain"], times["traced"], strict=True)]
    return {
        "requests": len(added),
        "runs_per_request": round(runs, 1),
        "median_plain_s": statistics.median(times["plain"]),
        "median_traced_s": statistics.median(times["traced"]),
        "median_added_ms": 1000 * statistics.median(added),
        "added_share": statistics.median(added) / statistics.median(times["plain"]),
        "added_share_of_sums": sum(times["traced"]) / sum(times["plain"]) - 1,
    }


# --- queries -------------------------------------------------------------------------------------


def made_runs(count: int, project: str) -> list[dict[str, Any]]:
    """Runs as the agent makes them, in traces of ten, a trace a second up to now."""
    runs: list[dict[str, Any]] = []
    begin = datetime.now(UTC) - timedelta(seconds=count // DEPTH + 10)
    for n in range(count // DEPTH):
        start = begin + timedelta(seconds=n)
        root = uuid7_from_datetime(start)  # ids in the order of time, as the SDK makes them
        for step in range(DEPTH):
            at = start + timedelta(milliseconds=step)
            run_id = root if step == 0 else uuid7_from_datetime(at)
            stamp = at.strftime("%Y%m%dT%H%M%S%fZ")
            above = f"{start:%Y%m%dT%H%M%S%f}Z{root}"
            kind = "chain" if step == 0 else "llm" if step in (3, 7) else "tool"
            usage = {"input_tokens": 300, "output_tokens": 40, "total_tokens": 340}
            metadata = {"intent": f"intent {n % 12}", "customer": f"C-{n % 150:04}"}
            runs.append(
                {
                    "id": run_id,
                    "trace_id": root,
                    "parent_run_id": None if step == 0 else root,
                    "dotted_order": above if step == 0 else f"{above}.{stamp}{run_id}",
                    "name": "request" if step == 0 else f"step {step}",
                    "run_type": kind,
                    "session_name": project,
                    "start_time": at,
                    "end_time": at + timedelta(milliseconds=900),
                    "inputs": {"messages": [{"role": "user", "content": "How long? " * 60}]},
                    "outputs": {"answer": "30 days. " * 40, "usage_metadata": usage},
                    "extra": {"metadata": {**metadata, "ls_model_name": "local"}, "runtime": {}},
                    "tags": ["night"] if n % 50 == 0 else ["day"],
                    **({"error": "TimeoutError"} if n % 40 == 0 and step < 2 else {}),
                }
            )
    return runs


def course_queries(client: Client, project: str) -> dict[str, Callable[[], Any]]:
    """What the module asks of its traces; each answers with as much from either project."""
    session = client.read_project(project_name=project).id
    root = next(client.list_runs(project_id=session, is_root=True))
    hour_ago = datetime.now(UTC) - timedelta(seconds=60)

    def runs(**options: Any) -> Callable[[], Any]:
        return lambda: list(client.list_runs(project_id=session, limit=50, **options))

    return {
        "newest requests": runs(is_root=True),
        "one trace": lambda: list(client.list_runs(trace_id=root.id)),
        "failed": runs(error=True),
        "of the last minute": runs(start_time=hour_ago),
        "model runs": runs(run_type="llm"),
        "by tag, rare": runs(is_root=True, filter='has(tags, "night")'),
        "by tag, frequent": runs(is_root=True, filter='has(tags, "day")'),
        "by metadata": runs(
            is_root=True, filter='and(eq(metadata_key, "intent"), eq(metadata_value, "intent 3"))'
        ),
        "slow and costly": runs(is_root=True, filter="and(gt(latency, 0.5), gt(total_cost, 0))"),
        "one run": lambda: client.read_run(root.id),
    }


def whole_project(client: Client, project: str) -> dict[str, Callable[[], Any]]:
    """Statistics read every request of the project, so they grow with it."""
    session = client.read_project(project_name=project).id
    return {
        "statistics": lambda: client.get_run_stats(project_ids=[session], is_root=True),
        "project with statistics": lambda: client.read_project(
            project_id=str(session), include_stats=True
        ),
    }


def measure_queries(rounds: int) -> dict[str, Any]:
    """Median milliseconds of each query over 1,000 and 10,000 runs."""
    warnings.simplefilter("ignore")
    found: dict[str, Any] = {}
    sizes = {"small": 1_000, "large": 10_000}
    with tempfile.TemporaryDirectory() as folder:
        services = {name: Service(Path(folder) / f"{name}.db") for name in sizes}
        clients = {
            name: Client(api_url=service.url, api_key=service.key)
            for name, service in services.items()
        }
        for name, size in sizes.items():
            for body, content_type in bodies(made_runs(size, "p")):
                send(requests.Session(), services[name], body, content_type)
        queries = {
            name: {**course_queries(client, "p"), **whole_project(client, "p")}
            for name, client in clients.items()
        }
        for query in queries["small"]:
            times: dict[str, list[float]] = {name: [] for name in sizes}
            for turn in range(rounds + 1):
                for name in sizes if turn % 2 else reversed(sizes):
                    started = time.perf_counter()
                    queries[name][query]()
                    if turn:
                        times[name].append(1000 * (time.perf_counter() - started))
            small, large = (statistics.median(times[name]) for name in sizes)
            found[query] = {"ms_1000": small, "ms_10000": large, "ratio": large / small}
        for client in clients.values():
            client.cleanup()
        for service in services.values():
            service.stop()
    return found


# --- ingestion -----------------------------------------------------------------------------------


class Recorder(BaseAdapter):
    """Keeps the requests of a session instead of sending them."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[tuple[bytes, str]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The service's answer to runs that it takes."""
        body: Any = request.body
        whole = body if isinstance(body, bytes) else body.read()
        self.bodies.append((whole, request.headers["Content-Type"]))
        reply = requests.Response()
        reply.status_code, reply.request, reply.url = 202, request, str(request.url)
        reply.raw = io.BytesIO(b"{}")
        return reply

    def close(self) -> None:
        """Nothing is open."""


def bodies(runs: list[dict[str, Any]]) -> list[tuple[bytes, str]]:
    """The requests that the SDK makes of the runs."""
    recorder, nowhere = Recorder(), "http://127.0.0.1:9"
    with requests.Session() as session:
        session.mount(nowhere, recorder)
        client = Client(
            api_url=nowhere,
            api_key="none",
            session=session,
            info={},
            auto_batch_tracing=False,
        )
        for start in range(0, len(runs), BATCH):
            client.multipart_ingest(create=[dict(run) for run in runs[start : start + BATCH]])
    return recorder.bodies


def send(session: requests.Session, service: Service, body: bytes, content_type: str) -> None:
    """One request of runs, acknowledged."""
    headers = {"x-api-key": service.key, "content-type": content_type}
    reply = session.post(f"{service.url}/runs/multipart", data=body, headers=headers, timeout=60)
    reply.raise_for_status()


def plain_inserts(path: Path, rows: dict[str, list[tuple[Any, ...]]]) -> float:
    """Seconds to insert the rows into empty tables of the same kind, a transaction a batch."""
    connection = connect(path)
    batches = len(rows["runs"]) // BATCH
    started = time.perf_counter()
    for number in range(batches):
        with transaction(connection):
            for table, all_rows in rows.items():
                share = slice(
                    len(all_rows) * number // batches, len(all_rows) * (number + 1) // batches
                )
                marks = ", ".join("?" * len(all_rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", all_rows[share])
    taken = time.perf_counter() - started
    connection.close()
    return taken


def read_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that the service wrote."""
    connection = sqlite3.connect(path)
    tables = ("runs", "bodies", "totals", "marks")
    # In the order of arrival, not in that of an index.
    rows = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    connection.close()
    return rows


def measure_ingestion(rounds: int, count: int) -> dict[str, Any]:
    """Runs a second, through the service and plain."""
    times: dict[str, list[float]] = {"service": [], "plain": []}
    for turn in range(rounds + 1):
        runs = made_runs(count, "p")
        prepared = bodies(runs)
        size = sum(len(body) for body, _ in prepared)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "service.db"
            with running(path) as service, requests.Session() as session:
                warm = bodies(made_runs(BATCH, "warm"))[0]
                send(session, service, *warm)  # loads the prices
                started = time.perf_counter()
                for body, content_type in prepared:
                    send(session, service, body, content_type)
                taken = time.perf_counter() - started
            plain = plain_inserts(Path(folder) / "plain.db", read_rows(path))
        if turn:
            times["service"].append(taken)
            times["plain"].append(plain)
    rates = {name: count / statistics.median(values) for name, values in times.items()}
    ratios = [p / s for s, p in zip(times["service"], times["plain"], strict=True)]
    return {
        "runs": count,
        "bytes_per_run": round(size / count),
        "service_runs_per_s": rates["service"],
        "plain_runs_per_s": rates["plain"],
        "ratio": statistics.median(ratios),
    }


# --- command -------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "request": lambda options: measure_request(options.requests),
    "queries": lambda options: measure_queries(options.rounds),
    "ingestion": lambda options: measure_ingestion(options.rounds // 3, options.runs),
}


def main(argv: Iterable[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tracing")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--requests", type=int, default=30, help="Fernhill requests, both ways")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=3000, help="runs to take in")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(None if argv is None else list(argv))
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {min(unknown)}; choose of {', '.join(PARTS)}")
    found = {name: PARTS[name](options) for name in options.parts or PARTS}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, figures in found.items():
        print(name)
        for key, value in figures.items():
            if isinstance(value, dict):
                value = ", ".join(f"{k} {v:.2f}" for k, v in value.items())
            print(f"  {key}: {value if not isinstance(value, float) else format(value, '.4g')}")


if __name__ == "__main__":
    main()
