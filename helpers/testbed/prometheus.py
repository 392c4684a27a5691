"""A Prometheus on loopback that holds the samples of a day, and questions to it.

with prometheus_with(samples, folder) as server:
    server.range("rate(http_server_request_duration_seconds_count[5m])", start, end, step_s=60)
"""

import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from helpers.faults import MissingEquipmentError
from helpers.testbed.errors import TestbedError
from helpers.testbed.processes import process
from helpers.testbed.samples import Samples

_INSTALL = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "alertmanager": "prometheus-alertmanager",
}
_DEBIAN = {"alertmanager": "prometheus-alertmanager"}
"""Programs that have another name there."""
_KEPT = "100y"  # of samples: those of a replayed day may be older than the default of 15 days
_LOAD_S = 120
# The address is plain HTTP. By default each client reads all certificates: 25 ms of CPU time.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class MissingProgram(TestbedError, MissingEquipmentError):  # noqa: N818 - named after what happened
    """A program that does not come with the course is not on this machine."""


class QueryRefused(TestbedError):  # noqa: N818 - named after what happened
    """Prometheus does not take a query; the message is Prometheus' own."""


def program(name: str) -> str:
    """Where a program of Prometheus is. Raises `MissingProgram`, which says how to install it."""
    package = _INSTALL[name]
    for each in (name, _DEBIAN.get(name, name)):
        if found := shutil.which(each):
            return found
    raise MissingProgram(
        f"There is no {name} on this machine. On Debian or Ubuntu run `sudo apt install {package}`;"
        f" on macOS `brew install {package.removeprefix('prometheus-')}`; for Windows, unpack the "
        "archive from https://prometheus.io/download/ and put its folder on the PATH."
    )


@dataclass(frozen=True)
class Series:
    """One series of an answer: its labels, and its values by seconds since 1970."""

    labels: Mapping[str, str]
    values: Mapping[float, float]


class Prometheus:
    """Questions to a running Prometheus."""

    def __init__(self, url: str) -> None:
        """`url` is its address, such as `http://127.0.0.1:9090`."""
        self.url = url
        # One client for all questions, since making one takes longer than an answer; `trust_env`
        # off, since no proxy knows this port.
        self._client = httpx2.Client(trust_env=False, timeout=60, verify=_NO_TLS)

    def close(self) -> None:
        """Close the connection. The server goes on."""
        self._client.close()

    def at(self, query: str, moment: datetime) -> list[Series]:
        """The value of a PromQL expression at one moment. Raises `QueryRefused`."""
        found = self._ask("query", query=query, time=moment.timestamp())
        if found["resultType"] == "scalar":
            return [_series({}, [found["result"]])]
        return [_series(each["metric"], [each["value"]]) for each in found["result"]]

    def range(self, query: str, start: datetime, end: datetime, *, step_s: float) -> list[Series]:
        """The values of a PromQL expression from `start` to `end`. Raises `QueryRefused`."""
        found = self._ask(
            "query_range",
            query=query,
            start=start.timestamp(),
            end=end.timestamp(),
            step=step_s,
        )
        return [_series(each["metric"], each["values"]) for each in found["result"]]

    def has(self, selector: str, start: datetime, end: datetime) -> bool:
        """Whether any series matches a selector. Raises `QueryRefused`."""
        asked = {"match[]": selector, "start": start.timestamp(), "end": end.timestamp()}
        return bool(self._ask("series", **asked))

    def _ask(self, what: str, **parameters: Any) -> Any:
        answer = self._client.get(f"{self.url}/api/v1/{what}", params=parameters)
        body = answer.json()
        if body["status"] != "success":
            asked = parameters.get("query") or parameters["match[]"]
            raise QueryRefused(f"Prometheus refuses {asked!r}: {body['error']}")
        return body["data"]


def _series(labels: Mapping[str, str], pairs: list[tuple[float, str]]) -> Series:
    return Series(dict(labels), {float(at): float(value) for at, value in pairs})


def load(samples: Samples, folder: Path) -> Path:
    """Load samples into the Prometheus database `tsdb` in `folder`; returns that database.

    It is made where it is missing. No server may run on it meanwhile: it would not see them.

    Raises:
        MissingProgram: there is no `promtool`.
        TestbedError: `promtool` does not take the samples.
    """
    promtool = program("promtool")
    text, database = folder / "samples.om", folder / "tsdb"
    samples.write(text)
    try:
        made = subprocess.run(
            [
                *(promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet"),
                # By default the file is read once for every two hours that it covers.
                "--max-block-duration=24h",
                *(text, database),
            ],
            capture_output=True,
            text=True,
            timeout=_LOAD_S,
            check=False,
        )
    finally:
        text.unlink()
    if made.returncode:
        raise TestbedError(f"promtool does not take the samples: {made.stderr.strip()[-500:]}")
    return database


@contextmanager
def prometheus_on(database: Path, *, lookback_s: float = 300) -> Iterator[Prometheus]:
    """Run a Prometheus on a database, on a free loopback port, for a block. It scrapes nothing.

    Args:
        database: a folder that no other server uses.
        lookback_s: how old the sample may be that answers for a moment.

    Raises:
        MissingProgram: there is no `prometheus`.
        DidNotStart: it ended, or did not get ready.
    """
    config = database / "prometheus.yml"
    config.write_text("scrape_configs: []\n", "utf-8")
    command = [
        program("prometheus"),
        "--web.listen-address=127.0.0.1:{port}",
        f"--config.file={config}",
        f"--storage.tsdb.path={database}",
        f"--storage.tsdb.retention.time={_KEPT}",
        f"--query.lookback-delta={round(lookback_s * 1000)}ms",
        "--log.level=warn",
    ]
    with process(command, ready="/-/ready") as running, closing(Prometheus(running.url)) as server:
        yield server


@contextmanager
def prometheus_with(samples: Samples, folder: Path) -> Iterator[Prometheus]:
    """Load samples into a new database in `folder`, and run a Prometheus on it for a block."""
    with prometheus_on(load(samples, folder)) as server:
        yield server
