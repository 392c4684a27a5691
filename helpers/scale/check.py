"""`course ray check`: load on the deployed service while its parts are broken, and the evidence."""

import argparse
import asyncio
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import httpx2
import ray as ray_core

from helpers.evaluate import evidence
from helpers.evaluate.evidence import Figure
from helpers.evaluate.version import current_version
from helpers.scale.app import SUPPORT, deploy, drain, redeploy
from helpers.scale.cluster import RunningRay, start_ray
from helpers.scale.errors import DeploymentError
from helpers.service.check.fake_model import FakeModel, fake_model
from helpers.service.check.load import Load, load
from helpers.service.keys import issue
from helpers.service.settings import Settings

COMMAND = "course ray check"
CLIENTS = 8
LATE_S = 2.0
_BATCH = 40
_UNDER_WAY_S = 1.0
_SHARES = {
    "nothing broken": 0.2,
    "a replica killed": 0.2,
    "a new version": 0.2,
    "a version that does not start": 0.1,
    "a node killed": 0.2,
    "the gateway killed": 0.1,
}
_NO_PROMISE = "the gateway killed"
"""Its streams end with it: it is counted, and no part of the evidence."""


@dataclass(frozen=True)
class Phase:
    """What came of the requests while something was broken."""

    load: Load
    told: str
    """What happened, in words."""

    @property
    def late(self) -> int:
        """Requests whose first word took longer than `LATE_S`."""
        return sum(each > LATE_S for each in self.load.first_token)


def main(argv: Sequence[str]) -> int:
    """Check, print and write; 1 when it cannot be done, else 0. Raises `RayError`."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Serve the agent on two Ray nodes, on an instant model, with eight clients; "
        "kill a replica, a node and the gateway, deploy a new version and one that does not "
        "start; and write the evidence for the checklist's item load.",
    )
    parser.add_argument(
        "--requests", type=int, default=1000, help="at least (1000); evidence needs 500"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(argv)
    try:
        evidence.refuse_fast_mode(COMMAND)
        version = current_version()
    except evidence.FastMode as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 1
    # On a node's death Ray prints the end of that node's log, on standard output.
    with redirect_stdout(io.StringIO()):
        phases = run(options.requests)
    file = evidence.write("load", figures(phases), command=COMMAND, version=version)
    print(json.dumps(as_json(phases), indent=1) if options.json else as_table(phases))
    if not options.json:
        print(f"\nEvidence of all phases but the last two: {file}")
    return 0


def run(requests: int) -> list[Phase]:
    """Run all phases; takes about three minutes. Raises `RayError`."""
    cluster = start_ray(nodes=2, cpus=2)
    try:
        with fake_model(chunks=8, seconds=0.02) as model:
            settings, key = calm_settings(model)
            url = deploy(cluster, settings)
            return asyncio.run(_phases(cluster, settings, url, key, requests))
    finally:
        cluster.stop()


def calm_settings(model: FakeModel, **more: Any) -> tuple[Settings, str]:
    """Settings that refuse nobody for what he has asked before, and a key."""
    key, kept = issue("C-0042")
    given: dict[str, Any] = {
        "keys": (kept,),
        "upstream_url": model.url,
        "rate": "1000000/minute",
        "daily_tokens": 1_000_000_000,
        "per_customer": 200,
        "shutdown_seconds": 10,
        **more,
    }
    return Settings(**given), key


def client(url: str, key: str) -> httpx2.AsyncClient:
    """A client of the service."""
    return httpx2.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
        trust_env=False,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
    )


async def under_load(
    name: str, asking: httpx2.AsyncClient, requests: int, event: Callable[[], str] | None = None
) -> Phase:
    """Eight clients ask until so many requests are answered and the event is over.

    Args:
        name: of the phase.
        asking: who asks.
        requests: at least.
        event: what happens once they are under way, in a thread; returns it in words.
    """

    def happen() -> str:
        time.sleep(_UNDER_WAY_S)
        return event() if event else ""

    happens = asyncio.create_task(asyncio.to_thread(happen))
    found = Load(name, CLIENTS)
    while found.requests < requests or not happens.done():
        part = await load(name, asking, clients=CLIENTS, requests=_BATCH, retry=True)
        found.answered += part.answered
        found.told += part.told
        found.errors += part.errors
        found.lost += part.lost
        found.reasons += part.reasons
        found.first_token += part.first_token
    return Phase(found, await happens)


async def _phases(
    cluster: RunningRay, settings: Settings, url: str, key: str, requests: int
) -> list[Phase]:
    def new_version() -> str:
        redeploy(cluster, settings, version="2")
        return "all replicas replaced"

    def no_version() -> str:
        with _environment({"COURSE_MODEL": "nobody:nothing"}):
            try:
                redeploy(cluster, settings.model_copy(update={"upstream_url": None}), version="3")
            except DeploymentError as problem:
                return f"refused: {problem}"
        return "it started"

    def heal_and_kill_node() -> str:
        redeploy(cluster, settings, version="4")
        cluster.kill_node(cluster.other_nodes()[0])
        return "1 of 2 nodes ended at once"

    events: dict[str, Callable[[], str] | None] = {
        "nothing broken": None,
        "a replica killed": lambda: kill_replica(SUPPORT, "Support"),
        "a new version": new_version,
        "a version that does not start": no_version,
        "a node killed": heal_and_kill_node,
        "the gateway killed": lambda: kill_replica("fernhill", "Gateway"),
    }
    found = []
    async with client(url, key) as asking:
        await load("warm-up", asking, clients=2, requests=4, retry=True)
        for name, share in _SHARES.items():
            found.append(await under_load(name, asking, round(requests * share), events[name]))
        found.append(await stopped_under_load(asking, settings))
    return found


async def stopped_under_load(asking: httpx2.AsyncClient, settings: Settings) -> Phase:
    """The gateway drained while streams run: each is answered in full or told to come back."""
    streams = asyncio.create_task(
        load("stopped in the middle", asking, clients=CLIENTS, requests=_BATCH, retry=False)
    )
    await asyncio.sleep(0.3)
    cut = await asyncio.to_thread(drain, settings)
    return Phase(await streams, f"{cut} streams cut short")


def kill_replica(app: str, deployment: str) -> str:
    """Kill a replica of a deployment at once, as a crash does."""
    begin = f"SERVE_REPLICA::{app}#{deployment}#"
    names = [
        each["name"]
        for each in ray_core.util.list_named_actors(all_namespaces=True)
        if each["name"].startswith(begin)
    ]
    ray_core.kill(ray_core.get_actor(names[0], namespace="serve"))
    return f"1 of {len(names)} ended at once"


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def figures(phases: Sequence[Phase]) -> dict[str, Figure]:
    """The checklist's figures of load, of the phases in which nothing may be lost."""
    counted = [each.load for each in phases if each.load.name in _SHARES]
    counted = [each for each in counted if each.name != _NO_PROMISE]
    requests = sum(each.requests for each in counted)
    return {
        "requests lost": Figure(sum(each.lost for each in counted), requests),
        "server errors": Figure(sum(each.errors for each in counted), requests),
    }


def as_table(phases: Sequence[Phase]) -> str:
    """The report for a terminal."""
    lines = [
        f"{CLIENTS} clients, streamed answers of the agent; late: the first word came after more"
        f" than {LATE_S:g} s.",
        f"{'phase':<31}{'requests':>9}{'answered':>9}{'told 503':>9}{'errors':>7}{'lost':>5}"
        f"{'late':>5}{'slowest':>9}  what happened",
    ]
    for phase in phases:
        one = phase.load
        slowest = one.percentile(1.0)
        lines.append(
            f"{one.name:<31}{one.requests:>9}{one.answered:>9}{one.told[503]:>9}{one.errors:>7}"
            f"{one.lost:>5}{phase.late:>5}{'-' if slowest is None else f'{slowest:.1f} s':>9}"
            f"  {phase.told}"
        )
    lines += [
        "",
        "A request that a dead replica had begun is answered by another one, from its beginning;"
        " what was sent is not sent again.",
        "The gateway is one process: its streams end with it, and requests wait until it is back.",
    ]
    return "\n".join(lines)


def as_json(phases: Sequence[Phase]) -> list[dict[str, object]]:
    """The report for a program."""
    return [
        {
            "phase": each.load.name,
            "requests": each.load.requests,
            "answered": each.load.answered,
            "told": {str(status): count for status, count in each.load.told.items()},
            "errors": each.load.errors,
            "lost": each.load.lost,
            "late": each.late,
            "first_token_p50_s": each.load.percentile(0.5),
            "first_token_max_s": each.load.percentile(1.0),
            "happened": each.told,
        }
        for each in phases
    ]
