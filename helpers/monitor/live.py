"""A Prometheus on a running service, with rules, and an Alertmanager where there is one.

with watched(service_metrics("http://127.0.0.1:8000"), rules_text) as watching:
    print(watching.prometheus.url)
    for sentence in watching.news():      # what has changed since the last call
        print(sentence)

Both listen on free ports of the loopback address, keep what they know in a temporary folder, and
are gone after the block.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import yaml
from prometheus_client.parser import text_string_to_metric_families

from helpers.faults import EquipmentError
from helpers.monitor.testing.rules import read_rules
from helpers.testbed.processes import Process, process
from helpers.testbed.prometheus import MissingProgram, program

SCRAPE_S: Final = 15.0
_PATIENCE_S: Final = 5.0
_SUFFIXES: Final = ("", "_total", "_bucket", "_sum", "_count")
_MADE_BY_PROMETHEUS: Final = frozenset({"up", "scrape_duration_seconds", "scrape_samples_scraped"})
_LAST_CHARACTERS: Final = 500


class NothingToWatch(EquipmentError):  # noqa: N818 - named after what is the matter
    """There is no service at the address, or it has no metrics; the message says what to do."""


@dataclass(frozen=True)
class Scraped:
    """What a service shows.

    Attributes:
        url: of its metrics.
        names: of its metrics, as a rule writes them.
    """

    url: str
    names: frozenset[str]


def service_metrics(url: str) -> Scraped:
    """The metrics of the service at an address. Raises `NothingToWatch`."""
    try:
        parts = urlsplit(url)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or parts.query or parts.fragment or "@" in parts.netloc:
        raise NothingToWatch(f"{url!r} is no address: write it as in http://127.0.0.1:8000.")
    where = f"{url.rstrip('/')}/metrics"
    try:
        # The service is on this machine, and no proxy knows it.
        with httpx2.Client(trust_env=False, timeout=_PATIENCE_S) as client:
            answer = client.get(where)
    except httpx2.HTTPError as error:
        raise NothingToWatch(
            f"No service answers at {url} ({str(error) or type(error).__name__}). Start one in "
            "another terminal, `course serve`, or give its address: --url URL."
        ) from None
    try:
        found = [*text_string_to_metric_families(answer.text)] if answer.status_code == 200 else []
    except ValueError:
        found = []
    if not found:
        raise NothingToWatch(
            f"{where} has no metrics (status {answer.status_code}). Is another program there? "
            "Give the address that `course serve` prints: --url URL."
        )
    return Scraped(where, frozenset(f"{one.name}{end}" for one in found for end in _SUFFIXES))


def silent(rules_text: str, scraped: Scraped) -> list[str]:
    """The metrics that rules name and a service does not have: alerts on them cannot fire.

    Raises `RulesError` for rules that do not parse, `MissingProgram` where there is no promtool.
    """
    rules = read_rules(rules_text)
    named = set[str]().union(*(rule.names() for rule in rules.all))
    return sorted(named - rules.recorded - scraped.names - _MADE_BY_PROMETHEUS)


@dataclass
class Watching:
    """A Prometheus at work.

    Attributes:
        prometheus: its process.
        alertmanager: that of Alertmanager; None where it was not started.
    """

    prometheus: Process
    alertmanager: Process | None
    _failing: str = ""
    _firing: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)

    def news(self) -> list[str]:
        """What has changed since the last call: scrapes that fail, alerts that fire or end.

        Raises EquipmentError when Prometheus or Alertmanager has ended.
        """
        for name, each in (("Prometheus", self.prometheus), ("Alertmanager", self.alertmanager)):
            if each is not None and not each.running:
                said = each.output().strip()[-_LAST_CHARACTERS:] or "nothing"
                raise EquipmentError(f"{name} has ended. It printed:\n{said}")
        return [*self._scrapes(), *self._alerts()]

    def firing(self) -> list[dict[str, Any]]:
        """The alerts that fire, as Prometheus' API gives them.

        Raises EquipmentError when Prometheus does not answer.
        """
        return [one for one in self._ask("alerts")["alerts"] if one["state"] == "firing"]

    def _scrapes(self) -> Iterator[str]:
        targets = self._ask("targets", state="active")["activeTargets"]
        failing = next((one["lastError"] for one in targets if one["health"] == "down"), "")
        if failing and not self._failing:
            yield (
                f"The scrape fails: {failing}. Alerts see no new samples until it works again: "
                "look whether the service still runs."
            )
        if self._failing and not failing:
            yield "The scrape works again."
        self._failing = failing

    def _alerts(self) -> Iterator[str]:
        now = {}
        for one in self.firing():
            labels = one["labels"]
            words = (labels.get("severity"), one["annotations"].get("summary"))
            said = ": ".join(word for word in words if word)
            name = labels["alertname"]
            now[tuple(sorted(labels.items()))] = f"{name} ({said})" if said else name
        yield from (f"Firing: {said}" for key, said in now.items() if key not in self._firing)
        yield from (f"Over: {said}" for key, said in self._firing.items() if key not in now)
        self._firing = now

    def _ask(self, what: str, **parameters: str) -> Any:
        try:
            with httpx2.Client(trust_env=False, timeout=_PATIENCE_S) as client:
                answer = client.get(f"{self.prometheus.url}/api/v1/{what}", params=parameters)
        except httpx2.HTTPError as error:
            raise EquipmentError(
                f"Prometheus does not answer ({str(error) or type(error).__name__}): end this and "
                "start it again."
            ) from None
        return answer.json()["data"]


@contextmanager
def watched(
    scraped: Scraped,
    rules_text: str,
    *,
    alertmanager: bool = True,
    scrape_s: float = SCRAPE_S,
) -> Iterator[Watching]:
    """Watch a service for a block.

    Args:
        scraped: see `service_metrics`.
        rules_text: YAML, as Prometheus reads it.
        alertmanager: whether to start one too; where none is installed, Prometheus runs alone.
        scrape_s: seconds between two scrapes.

    Raises:
        MissingProgram: there is no Prometheus.
        DidNotStart: a program ended, or did not get ready.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        prometheus, manager = program("prometheus"), None
        if alertmanager and (found := alertmanager_program()):
            _write(folder / "alertmanager.yml", _ALERTMANAGER)
            words = [
                found,
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                "--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ]
            manager = stack.enter_context(process(words, ready="/-/ready"))
        # A copy: Prometheus would take brackets and stars in the path of the file for patterns.
        (folder / "rules.yml").write_text(rules_text, "utf-8")
        _write(folder / "prometheus.yml", _prometheus(scraped, scrape_s, manager))
        words = [
            prometheus,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            "--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        server = stack.enter_context(process(words, ready="/-/ready"))
        yield Watching(server, manager)


def alertmanager_program() -> str | None:
    """Where Alertmanager is, None where it is not installed."""
    try:
        return program("alertmanager")
    except MissingProgram:
        return None


_ALERTMANAGER: Final = {
    "route": {"receiver": "page", "group_by": ["alertname"]},
    "receivers": [{"name": "page"}],
}
"""Nobody is told: the alerts are on Alertmanager's page."""


def _prometheus(scraped: Scraped, scrape_s: float, manager: Process | None) -> dict[str, Any]:
    parts = urlsplit(scraped.url)
    every = f"{round(scrape_s * 1000)}ms"
    config: dict[str, Any] = {
        "global": {
            "scrape_interval": every,
            "scrape_timeout": every,
            "evaluation_interval": every,
        },
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {
                "job_name": "fernhill",
                "scheme": parts.scheme,
                "metrics_path": parts.path,
                "static_configs": [{"targets": [parts.netloc]}],
            }
        ],
    }
    if manager is not None:
        config["alerting"] = {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{manager.port}"]}]}]
        }
    return config


def _write(file: Path, config: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(config), "utf-8")
