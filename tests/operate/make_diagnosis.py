"""Make the hours of exercise 11.4 again: `python -m tests.operate.make_diagnosis`, two CPU minutes.

Each is two hours of a replayed day. What happened is the replay's; a replay does not trace, so the
runs are written from what the service knew of each request: its times, tools, tokens, passages. A
request's time is given to its two model calls by the tokens that they wrote.
"""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from prometheus_client import CollectorRegistry

from helpers.operate.testing.diagnosis import DATA
from helpers.service.testing import Answered, Replayed, Watch, replay
from helpers.service.turn import Outcome, Turn
from helpers.testbed.replay import INCIDENTS, Excerpt, Incident, Shape, traffic

MINUTES: Final = 120
COUNT: Final = 1800
"""Requests of an ordinary day here: more than the shop's, so that an hour has enough of them."""
_CHOOSES: Final = 24
"""Tokens that the replay's model writes when it calls a tool."""
_TOOL_S: Final = 0.02
_MODEL: Final = "support-model"

_COLUMNS: Final = {
    "requests": ("http_server_request_duration_seconds_count", {"http_route": "/v1/chat/stream"}),
    "failed": ("service_problems_total", {}),
    "answers": ("gen_ai_server_time_to_first_token_seconds_count", {}),
    "first_token_s": ("gen_ai_server_time_to_first_token_seconds_sum", {}),
    "tokens": ("gen_ai_client_token_usage_sum", {}),
    "dollars": ("service_cost_usd_total", {}),
    "thumbs_up": ("service_feedback_total", {"score": "1"}),
    "thumbs_down": ("service_feedback_total", {"score": "-1"}),
    "canaries": ("canary_answers_total", {}),
    "canaries_wrong": ("canary_answers_total", {"result": "wrong"}),
}
"""The columns of the metrics, and the counters of which they are a minute's increase."""


@dataclass(frozen=True)
class Hours:
    """Two hours to replay, the last of which has the incident.

    Attributes:
        cause: as the exercise calls it; "none" for none.
        subject: which model, customer, revision, document or tool it is about.
        at: when the second hour begins, in hours since midnight.
        late: minutes after that at which the incident begins; less than 0 for before.
        revision: the agent's revision; `release` begins with the incident, or at its time.
    """

    cause: str
    subject: str
    at: float
    seed: int
    shape: Shape = "ordinary"
    incident: Incident | None = None
    late: int = 0
    revision: str = "r118"
    release: str = ""


def _of(part: str, kind: str, cause: str, subject: str, seed: int, **more: Any) -> Hours:
    """The hours around the beginning of a planned incident."""
    incident = next(one for one in INCIDENTS[part] if one.kind == kind)  # type: ignore[index]
    late = more.get("late", 0)
    kept = replace(incident, hours=max(incident.hours, 1.1))
    return Hours(cause, subject, incident.at - late / 60, seed, incident=kept, **more)


PARTS: Final = {
    "visible": (
        _of("visible", "slow model", "model slow", _MODEL, 1101, late=4),
        _of("visible", "looping client", "cost spike by one customer", "C-0042", 1102, late=9),
        _of("visible", "bad release", "bad release", "r119", 1103, late=-2, release="r119"),
    ),
    "heldout": (
        _of("heldout", "dead model", "model down", _MODEL, 1201, late=6),
        _of("heldout", "slow model", "model slow", _MODEL, 1202, late=2),
        _of("heldout", "looping client", "cost spike by one customer", "C-0077", 1203, late=12),
        Hours(
            "bad release", "r205", 13.9, 1204, revision="r204", release="r205", late=6,
            incident=Incident("bad release", 14.0, 2.0, 0.9, "refunds"),
        ),
        _of("heldout", "poisoned document", "poisoned document", "returns", 1205, late=1),
        _of("heldout", "failing tool", "failing tool", "lookup_order", 1206, late=5),
        Hours("none", "", 12.4, 1207, shape="newsletter"),
        Hours("none", "", 10.5, 1209),
        Hours("none", "", 17.0, 1208, shape="holiday", late=20, release="r119"),
    ),
}  # fmt: skip


def main() -> None:
    """Replay all of them, and write a file for each part."""
    for part, plan in PARTS.items():
        found = []
        for hours in plan:
            begun = time.perf_counter()
            found.append(_kept(hours))
            runs = len(found[-1]["runs"]["id"])
            print(f"{part}: {hours.cause}: {runs} runs, {time.perf_counter() - begun:.0f} s")
        DATA.mkdir(parents=True, exist_ok=True)
        path = DATA / f"{part}.json.gz"
        text = json.dumps(found, separators=(",", ":"))
        path.write_bytes(gzip.compress(text.encode(), mtime=0))  # the same bytes each time
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


def _kept(hours: Hours) -> dict[str, Any]:
    start = hours.at - MINUTES / 120
    excerpt = Excerpt(start, start + MINUTES / 60)
    seen: dict[str, tuple[Turn, Outcome]] = {}

    def watching(registry: CollectorRegistry) -> Watch:
        def watch(turn: Turn, outcome: Outcome) -> None:
            seen[str(turn.request_id)] = (turn, outcome)

        return watch

    found = replay(
        traffic(hours.shape, seed=hours.seed, count=COUNT),
        incident=hours.incident,
        seed=hours.seed,
        excerpt=excerpt,
        instruments=[watching],
    )
    released = excerpt.start.timestamp() + 60 * (MINUTES / 2 + hours.late)
    runs: list[dict[str, Any]] = []
    for number, one in enumerate(sorted(found.answers, key=lambda one: one.request.at), 1):
        new = hours.release and one.request.at.timestamp() >= released
        revision = hours.release if new else hours.revision
        runs += _runs(f"{number:03}", one, seen.get(one.request_id), revision)
    return {
        "cause": hours.cause,
        "subject": hours.subject,
        "start": excerpt.start.isoformat(),
        "metrics": _metrics(found),
        "runs": {name: [run[name] for run in runs] for name in runs[0]},
    }


def _metrics(found: Replayed) -> dict[str, list[float]]:
    """What each minute has added to the counters."""
    start = found.start.timestamp()
    columns: dict[str, list[float]] = {}
    for column, (name, labels) in _COLUMNS.items():
        total = [0.0] * (MINUTES + 1)
        for times, values in found.samples._named(name, labels):
            kept = dict(zip(times, values, strict=True))
            last = 0.0
            for minute in range(MINUTES + 1):
                last = kept.get(start + 60 * minute, last)
                total[minute] += last
        columns[column] = [round(b - a, 6) for a, b in pairwise(total)]
    return columns


def _runs(
    number: str, one: Answered, known: tuple[Turn, Outcome] | None, revision: str
) -> Iterator[dict[str, Any]]:
    """The runs of one request: the agent, its first model call, its tools, its second one."""
    begun = one.request.at.timestamp()
    customer = one.request.customer or ""
    calls = known[1].tool_calls if known else []
    read, wrote = (known[1].input_tokens or 0, known[1].output_tokens or 0) if known else (0, 0)

    def run(kind: str, name: str, place: int, at: float, to: float, **more: Any) -> dict[str, Any]:
        return {
            "id": f"{number}.{place}",
            "parent_run_id": f"{number}.0" if place else "",
            "run_type": kind,
            "name": name,
            "start_s": round(at, 2),
            "end_s": round(to, 2),
            "error": more.get("error", ""),
            "customer": customer,
            "revision": revision,
            "model": _MODEL if kind == "llm" else "",
            "tokens": more.get("tokens", 0),
            "answer": more.get("answer", ""),
            "documents": more.get("documents", []),
        }

    yield run(
        "chain", "support agent", 0, begun, one.at, tokens=read + wrote,
        answer=one.text if not one.failed else "", error=one.failed or "",
    )  # fmt: skip
    if one.failed == "model-unreachable":
        yield run("llm", "chat model", 1, begun, one.at, error="Unreachable: Nobody answers.")
    if not known or not (read or wrote):
        return
    if not calls:
        yield run("llm", "chat model", 1, begun, one.at, tokens=read + wrote)
        return
    middle = begun + (one.at - begun) * _CHOOSES / max(wrote, _CHOOSES)
    first = read // 2 + min(_CHOOSES, wrote)
    yield run("llm", "chat model", 1, begun, middle, tokens=first)
    for place, call in enumerate(calls, 2):
        documents = [each["document"] for each in known[1].passages]
        refused = one.text if call["status"] == "refused" else ""
        yield run(
            "tool", call["name"], place, middle, middle + _TOOL_S,
            error=f"ToolException: {refused}" if refused else "",
            documents=documents if call["name"] == "search_documents" else [],
        )  # fmt: skip
    yield run(
        "llm", "chat model", len(calls) + 2, middle + _TOOL_S, max(one.at, middle + _TOOL_S),
        tokens=read + wrote - first,
    )  # fmt: skip


if __name__ == "__main__":
    main()
