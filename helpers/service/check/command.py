"""`course serve-check`: load, faults and a restart, a table, and the checklist's evidence."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from helpers.evaluate import evidence
from helpers.evaluate.evidence import Figure
from helpers.evaluate.version import current_version
from helpers.service.check.fake_model import fake_model
from helpers.service.check.faults import Finding, caller_faults, dead_model, model_faults
from helpers.service.check.load import Load, load
from helpers.service.check.process import Process, ServiceDied, service_process
from helpers.service.check.restart import restart_under_load

COMMAND = "course serve-check"
_CALM = {"rate": "1000000/minute", "daily_tokens": "1000000000", "per_customer": "200"}
_IMPATIENT = {
    **_CALM,
    "silence_seconds": "2",
    "deadline_seconds": "3",
    "attempts": "2",
    "breaker_failures": "50",
}


@dataclass(frozen=True)
class Report:
    """What was found.

    `stopped` is the exit status of the service after SIGTERM: 0 for an end in good order.
    """

    loads: tuple[Load, ...]
    faults: tuple[Finding, ...]
    stopped: int

    @property
    def requests(self) -> int:
        """Requests of all phases."""
        return sum(each.requests for each in self.loads)

    @property
    def lost(self) -> int:
        """Requests that ended in nothing."""
        return sum(each.lost for each in self.loads)

    @property
    def errors(self) -> int:
        """Requests that the service failed, other than by telling them to come back."""
        return sum(each.errors for each in self.loads)

    @property
    def unclear(self) -> int:
        """Faults that the caller was not told clearly."""
        return sum(not each.clear for each in self.faults)


def main(argv: Sequence[str]) -> int:
    """Check, print and write; 1 when it cannot be done, else 0."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Serve the agent on an instant model, put it under load, break its parts "
        "one by one, restart it in the middle of streams, and write the evidence for the "
        "checklist's items load and failure modes.",
    )
    parser.add_argument(
        "--requests", type=int, default=600, help="of the load together (600); evidence needs 500"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(argv)
    try:
        evidence.refuse_fast_mode(COMMAND)
        version = current_version()
        report = run(options.requests)
    except (evidence.FastMode, ServiceDied) as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 1
    files = [
        evidence.write("load", load_figures(report), command=COMMAND, version=version),
        evidence.write("failure_modes", fault_figures(report), command=COMMAND, version=version),
    ]
    if options.json:
        print(json.dumps(as_json(report), indent=1))
    else:
        print("\n".join([*as_lines(report), "", *(f"Evidence: {file}" for file in files)]))
    return 0


def run(requests: int) -> Report:
    """Run all phases; takes about a minute. Raises `ServiceDied`."""
    return asyncio.run(_run(requests))


async def _run(requests: int) -> Report:
    loads = []
    with fake_model(chunks=8) as model:
        with service_process(model.url, path="agent", settings=_CALM) as service:
            async with _client(service) as client:
                for name, clients, share in (("one client", 1, 0.1), ("8 clients", 8, 0.4)):
                    count = round(requests * share)
                    loads.append(
                        await load(name, client, clients=clients, requests=count, retry=True)
                    )
                count = requests - sum(each.requests for each in loads)
                loads.append(
                    await load("burst of 64", client, clients=64, requests=count, retry=False)
                )
                model.seconds = 0.3
                stopped = 4
                ended, status = await restart_under_load(service, client, streams=stopped)
                loads.append(ended)
        model.seconds = 0
        with service_process(model.url, path="agent", settings=_IMPATIENT) as service:
            async with _client(service) as client:
                faults = [
                    *await caller_faults(client),
                    *await model_faults(client, model),
                    *await dead_model(client, model),
                ]
    return Report(tuple(loads), tuple(faults), status)


def _client(service: Process) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=service.url,
        headers={"Authorization": f"Bearer {service.key}"},
        timeout=60,
        trust_env=False,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
    )


def load_figures(report: Report) -> dict[str, Figure]:
    """The checklist's figures of load."""
    return {
        "requests lost": Figure(report.lost, report.requests),
        "server errors": Figure(report.errors, report.requests),
    }


def fault_figures(report: Report) -> dict[str, Figure]:
    """The checklist's figures of failure modes."""
    return {"faults without a clear error": Figure(report.unclear, len(report.faults))}


def as_lines(report: Report) -> list[str]:
    """The report for a terminal."""
    lines = [
        "Load on the agent; its model answers at once, so all time is the service's own.",
        f"{'phase':<24}{'requests':>9}{'answered':>9}{'told 429':>9}{'told 503':>9}"
        f"{'errors':>7}{'lost':>5}  first word, median and p95",
    ]
    for each in report.loads:
        times = (each.percentile(0.5), each.percentile(0.95))
        first = ", ".join("-" if t is None else f"{1000 * t:.0f} ms" for t in times)
        lines.append(
            f"{each.name:<24}{each.requests:>9}{each.answered:>9}{each.told[429]:>9}"
            f"{each.told[503]:>9}{each.errors:>7}{each.lost:>5}  {first}"
        )
    lines.append(f"exit status after SIGTERM: {report.stopped}")
    lines += ["", f"{'fault':<52}{'clear':>6}{'after':>8}  what the caller is told"]
    lines += [
        f"{each.fault:<52}{'yes' if each.clear else 'NO':>6}{each.seconds:>7.2f}s  {each.told}"
        for each in report.faults
    ]
    lines += [
        "",
        f"requests lost: {report.lost} of {report.requests}; "
        f"server errors: {report.errors} of {report.requests}; "
        f"faults without a clear error: {report.unclear} of {len(report.faults)}",
    ]
    return lines


def as_json(report: Report) -> dict[str, object]:
    """The report for a program."""
    return {
        "loads": [
            {
                "name": each.name,
                "clients": each.clients,
                "requests": each.requests,
                "answered": each.answered,
                "told": {str(status): count for status, count in each.told.items()},
                "errors": each.errors,
                "lost": each.lost,
                "first_token_p50_s": each.percentile(0.5),
                "first_token_p95_s": each.percentile(0.95),
            }
            for each in report.loads
        ],
        "faults": [vars(each) for each in report.faults],
        "exit_status_after_sigterm": report.stopped,
        "requests_lost": report.lost,
        "server_errors": report.errors,
        "faults_without_a_clear_error": report.unclear,
    }
