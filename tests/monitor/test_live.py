"""`course monitor`: a Prometheus and an Alertmanager on a service, and what they say of it."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from helpers.faults import EquipmentError
from helpers.monitor.command_live import monitor
from helpers.monitor.live import (
    NothingToWatch,
    Scraped,
    Watching,
    service_metrics,
    silent,
    watched,
)
from helpers.monitor.testing.rules import RulesError
from helpers.paths import ROOT

RULES = """
groups:
  - name: test
    interval: 15s
    rules:
      - record: broken:max
        expr: max(broken)
      - alert: Broken
        expr: broken:max > 0 and on () up == 1
        labels: {severity: page}
        annotations: {summary: "Something is broken"}
"""
QUICK = RULES.replace("15s", "100ms")


class Service:
    """A service with one gauge, whose page of metrics can be changed."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.broken = Gauge("broken", "1 when something is broken", registry=registry)
        self.page: Callable[[], bytes] = lambda: generate_latest(registry)
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(outer.status if self.path == "/metrics" else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(outer.page())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    yield found
    found.stop()


def said(watching: Watching, pattern: str, seconds: float = 15) -> list[str]:
    """All news up to the sentence that matches."""
    heard: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        heard += watching.news()
        if any(re.search(pattern, each) for each in heard):
            return heard
        time.sleep(0.1)
    raise AssertionError(f"{pattern} was not among {heard}")


def until(condition: Callable[[], object], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return bool(found)


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0


@pytest.mark.prometheus("alertmanager")
def test_alerts_and_failing_scrapes_are_told_and_nothing_is_left(service: Service) -> None:
    with watched(service_metrics(service.url), QUICK, scrape_s=0.2) as watching:
        assert watching.alertmanager is not None
        urls = [watching.prometheus.url, watching.alertmanager.url]
        with httpx2.Client(trust_env=False) as client:
            # Prometheus looks for it every five seconds.
            found = f"{urls[0]}/api/v1/alertmanagers"
            assert until(lambda: client.get(found).json()["data"]["activeAlertmanagers"])
            service.broken.set(1)
            assert said(watching, "Firing")[-1] == "Firing: Broken (page: Something is broken)"
            assert watching.news() == [], "what was told is not told again"
            assert until(lambda: client.get(f"{urls[1]}/api/v2/alerts").json())
            (alert,) = client.get(f"{urls[1]}/api/v2/alerts").json()
        assert alert["labels"]["alertname"] == "Broken"
        service.broken.set(0)
        said(watching, "^Over: Broken")
        service.status = 500
        assert "look whether the service still runs" in said(watching, "The scrape fails.*500")[-1]
        service.status = 200
        said(watching, "^The scrape works again")
        service.page = lambda: b"this is { no metric\n"
        said(watching, "The scrape fails")
        with httpx2.Client(trust_env=False) as client:
            labels = client.get(f"{urls[0]}/api/v1/targets").json()["data"]["activeTargets"]
        assert labels[0]["labels"]["job"] == "fernhill", "as in the replayed days"
    assert not any(map(listens, urls))


@pytest.mark.prometheus
def test_a_prometheus_that_ends_is_told(service: Service) -> None:
    with watched(service_metrics(service.url), QUICK, alertmanager=False) as watching:
        assert watching.alertmanager is None
        watching.prometheus.popen.kill()
        watching.prometheus.popen.wait()
        with pytest.raises(EquipmentError, match=r"Prometheus has ended\. It printed"):
            watching.news()


@pytest.mark.prometheus
def test_metrics_that_the_service_does_not_have_are_named(service: Service) -> None:
    more = "      - {alert: Late, expr: 'rate(late_total[5m]) > broken and up == 1'}\n"
    assert silent(RULES, service_metrics(service.url)) == []
    assert silent(RULES + more, service_metrics(service.url)) == ["late_total"]
    with pytest.raises(RulesError, match="promtool"):
        silent(RULES.replace("max(broken)", "max(broken"), Scraped("", frozenset()))


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://127.0.0.1", "http://", "http://a:b@c", "http://[", "", "http://h:0"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(NothingToWatch, match="is no address"):
        service_metrics(url)


def test_no_service_and_no_metrics_say_what_to_do(service: Service) -> None:
    with pytest.raises(NothingToWatch, match="course serve"):
        service_metrics("http://127.0.0.1:1")
    service.status = 404
    with pytest.raises(NothingToWatch, match=r"has no metrics \(status 404\)"):
        service_metrics(service.url)
    service.status, service.page = 200, lambda: b"<html>Hello</html>"
    with pytest.raises(NothingToWatch, match="has no metrics"):
        service_metrics(f"{service.url}/")


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--url", "http://127.0.0.1:1"], "No service answers at http://127.0.0.1:1"),
        (["--rules", "none.yml"], "none.yml cannot be read"),
        (["--rules", "."], "cannot be read"),
        (["--rules", "bad.yml"], r"promtool does not take the rule file.*unclosed left paren"),
        (["--rules", "empty.yml"], "has no alert"),
        (["--rules", "binary.yml"], "cannot be read"),
    ],
)
def test_what_cannot_start_is_one_sentence(
    words: list[str],
    expected: str,
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.yml").write_text(RULES)
    Path("bad.yml").write_text(RULES.replace("max(broken)", "max(broken"))
    Path("empty.yml").write_text("groups: []\n")
    Path("binary.yml").write_bytes(b"\xff\xfe\x00")
    assert monitor(["--url", service.url, "--rules", "good.yml", *words]) == 1
    told = capsys.readouterr()
    assert re.search(expected, told.err, re.DOTALL)
    assert told.err.startswith("course monitor: ")
    assert told.out == ""


def test_a_missing_prometheus_says_how_to_get_it(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / "rules.yml").write_text(RULES)
    assert monitor(["--url", service.url, "--rules", str(tmp_path / "rules.yml")]) == 1
    assert "apt install prometheus" in capsys.readouterr().err


@pytest.mark.prometheus("alertmanager")
@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_what_it_started(sign: int, service: Service, tmp_path: Path) -> None:
    rules = tmp_path / "rules [1].yml"  # brackets would be a pattern
    rules.write_text(RULES)
    words = ["-m", "helpers.cli", "monitor", "--url", service.url, "--rules", str(rules)]
    command = subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert command.stdout is not None
    lines: list[str] = []
    for line in command.stdout:
        lines.append(line)
        if "Ctrl-C ends it" in line:
            break
    urls = re.findall(r"http://127\.0\.0\.1:\d+", "".join(lines[:2]))
    assert len(urls) == 2
    assert all(map(listens, urls)), lines
    command.send_signal(sign)
    rest, _ = command.communicate(timeout=30)
    assert (command.returncode, rest) == (0, "\nStopped.\n")
    assert not any(map(listens, urls))
