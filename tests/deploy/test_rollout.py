"""A rollout loses requests where a precaution is left out, and none where none is."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from helpers.deploy import command_rollout, rollout
from helpers.deploy.numbers import Both
from helpers.deploy.proxy import ProxyError, find_haproxy, proxy
from helpers.deploy.rollout import VARIANTS, Ask, ProcessPods, Rolled, Rollout, Variant
from helpers.evaluate.evidence import Figure
from helpers.testbed import Seen, TestbedError, free_port
from helpers.testbed.measured import Measured
from tests.deploy.tools import SECONDS, SMALL

ASK = Ask("/chat")
CAREFUL = VARIANTS[-1]


@pytest.fixture
def processes() -> Iterator[ProcessPods]:
    def command(port: int, version: str) -> list[str]:
        return [sys.executable, str(SMALL), str(port), SECONDS[version]]

    with closing(ProcessPods(command)) as pods:
        yield pods


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pods that start at once need no long pauses to show what is lost."""
    monkeypatch.setattr(rollout, "_FIRST_S", 0.3)
    monkeypatch.setattr(rollout, "_PRE_STOP_S", 0.3)


def test_each_variant_has_one_thing_more_than_the_one_before() -> None:
    def careful(one: Variant) -> list[bool]:
        return [one.checks, one.waits, one.grace_s > 0, one.drains]

    assert [sum(careful(each)) for each in VARIANTS] == [0, 1, 2, 3, 4]


def test_the_careful_rollout_loses_none_and_the_version_that_is_never_ready_none(
    processes: ProcessPods,
) -> None:
    with Rollout(processes, ASK, CAREFUL).running("1") as one:
        stopped = one.roll("3", requests=20, start_s=1.5)
        assert (stopped.lost, stopped.finished) == (0, False), stopped.reasons()
        assert {seen.headers["x-pod"] for seen in stopped.seen} == {"pod-a", "pod-b"}
        assert "the rollout stops" in stopped.events[-1][1]
        new = one.roll("2", requests=100)
        assert (new.lost, new.finished) == (0, True), "it can be rolled out afterwards"
        assert new.requests >= 100
        assert {seen.headers["x-pod"] for seen in new.seen} == {"pod-a", "pod-b", "pod-c", "pod-d"}


@pytest.mark.parametrize("variant", VARIANTS[:2], ids=lambda each: each.name)
def test_a_careless_rollout_loses_requests(processes: ProcessPods, variant: Variant) -> None:
    with Rollout(processes, ASK, variant).running("1") as one:
        found = one.roll("2", requests=20)
    assert found.lost > 0
    assert found.lost == sum(found.reasons().values())


def test_a_first_version_that_is_never_ready_is_told(processes: ProcessPods) -> None:
    with (
        pytest.raises(TestbedError, match="pod-a of version 3 was not ready within 1 s"),
        Rollout(processes, ASK, CAREFUL, start_s=1).running("3"),
    ):
        pass
    assert processes.running == {}


def test_a_pod_gets_requests_only_while_it_is_ready() -> None:
    with proxy({"a": free_port()}) as one:
        one.add("a")
        assert not one.ready("a")
        assert "check inter 250ms fastinter 100ms fall 2 rise 1" in one.config
        with pytest.raises(ProxyError, match="refuses"):
            one.add("nobody")


def test_a_machine_without_haproxy_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ProxyError, match="HAProxy is not installed: install HAProxy"):
        find_haproxy()


def seen(ended: float, outcome: str = "answered", status: int = 200, waited: float = 0.1) -> Seen:
    headers = {"x-pod": "pod-a"} if status == 200 else {}
    first = ended if outcome == "answered" else None
    return Seen("c", ended - waited, first, ended, status, outcome, headers=headers)  # type: ignore[arg-type]


def test_what_is_lost_late_and_when() -> None:
    found = Rolled(
        CAREFUL,
        [seen(0.5), seen(0.6, "refused", 503), seen(1.2, "lost"), seen(3.5, waited=2.5)],
        [(1.1, "pod-c starts"), (1.9, "pod-c is ready")],
    )
    assert (found.requests, found.lost, found.late) == (4, 2, 1)
    assert found.reasons() == {"503": 1, "lost": 1}
    rows = found.timeline()
    assert [row["second"] for row in rows] == [0, 1, 2, 3]
    assert [row["pod-a"] for row in rows] == [1, 0, 0, 1]
    assert [row["lost"] for row in rows] == [1, 1, 0, 0]
    assert rows[1]["what happened"] == "pod-c starts; pod-c is ready"


def figures(last: Rolled, stopped: Rolled) -> dict[str, float]:
    report = command_rollout.Report(rolled=[last], never_ready=stopped)
    assert last.variant.name in command_rollout.as_table(report)
    return {name: each.value for name, each in command_rollout.figures(report).items()}


def test_the_evidence_counts_a_rollout_that_did_not_do_its_work() -> None:
    good, bad = [seen(0.5)], [seen(0.5), seen(0.6, "lost")]
    done, stopped = Rolled(CAREFUL, good, finished=True), Rolled(CAREFUL, good)
    assert set(figures(done, stopped).values()) == {0}
    assert list(figures(Rolled(CAREFUL, bad, finished=True), stopped).values()) == [1, 0]
    assert list(figures(stopped, stopped).values()) == [1, 0], "the new version did not come"
    assert list(figures(done, done).values()) == [0, 1], "the broken version came"
    assert list(figures(done, Rolled(CAREFUL, bad)).values()) == [0, 1]


def test_what_was_measured_is_printed_and_becomes_evidence() -> None:
    one = Measured([90, 120], [300], [3.2, 4.1], 40, 16, 9.3, 0.0)
    report = command_rollout.Report(
        rolled=[Rolled(CAREFUL, [seen(0.5)], finished=True)],
        measured=Both(one, replace(one, per_pod=17), slots=4),
    )
    assert "Numbers for the manifests" in command_rollout.as_table(report)
    found = command_rollout.uses(report)
    assert found["MiB at the most of a pod of the service"] == Figure(120, 2)
    assert found["requests a minute of a pod of the model"] == Figure(17, 1)
    assert command_rollout.uses(command_rollout.Report()) == {}


@dataclass
class Command:
    """`course rollout` on a machine where podman is played by a script.

    Attributes:
        path: the only folder on the path.
    """

    path: Path
    patch: pytest.MonkeyPatch
    printed: pytest.CaptureFixture[str]

    def has(self, *programs: str, script: str = "exit 0") -> None:
        """Put programs that do what a script says on the path."""
        for name in programs:
            (self.path / name).write_text(f"#!/bin/sh\n{script}\n")
            (self.path / name).chmod(0o755)

    def says(self, *words: str) -> str:
        """What it says when it ends with status 1; nothing of it runs or is left afterwards."""
        before = {*psutil.Process().children(recursive=True)}
        assert command_rollout.main([*words]) == 1
        assert {*psutil.Process().children(recursive=True)} <= before
        assert list(self.path.parent.glob("pod-*")) == []
        said = self.printed.readouterr().err
        assert "Traceback" not in said
        return said


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    monkeypatch.setenv("COURSE_FAST", "0")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Command(tmp_path / "bin", monkeypatch, capsys)


def test_the_command_without_podman_says_what_to_install(command: Command) -> None:
    command.has("haproxy")
    said = command.says()
    assert "podman is not installed: install podman" in said
    assert "course rollout --processes" in said


def test_the_command_without_a_runtime_says_what_to_install(command: Command) -> None:
    command.has("haproxy", "podman")
    assert "runc is not installed: install podman and runc" in command.says()


def test_the_command_without_haproxy_says_what_to_install(command: Command) -> None:
    command.patch.setattr("importlib.util.find_spec", lambda _: None)
    said = command.says()
    assert "HAProxy is not installed: install HAProxy" in said
    assert "--processes" not in said, "it needs HAProxy too"


def test_the_command_without_rights_says_what_to_do(command: Command) -> None:
    command.has("haproxy", "runc")
    command.has("podman", script="echo 'mount: operation not permitted' >&2; exit 125")
    assert "run this as root, or set podman up for this user" in command.says()


def test_a_build_that_fails_is_told_with_its_last_words(command: Command) -> None:
    command.has("haproxy", "runc")
    fails = "echo 'STEP 9: COPY nothing /srv' >&2; exit 1"
    command.has("podman", script=f"[ $1 != build ] || {{ {fails}; }}")
    for name in ("make_base", "write_context"):
        command.patch.setattr(f"helpers.deploy.image.{name}", lambda *_, **__: None)
    said = command.says()
    assert "correct the step of the Dockerfile that is named last" in said
    assert "COPY nothing /srv" in said


def small(port: int, seconds: str) -> list[str]:
    return [sys.executable, str(SMALL), str(port), seconds]


def test_a_version_that_never_starts_is_told(command: Command) -> None:
    command.patch.setattr(command_rollout, "_START_S", 1.0)
    command.patch.setattr(command_rollout, "_process", lambda _, port, __: small(port, "never"))
    command.patch.setenv("PATH", os.defpath + ":/usr/sbin")
    said = command.says("--processes", "--requests", "1")
    assert "pod-a of version 1 was not ready within 1 s" in said


def test_a_port_that_is_taken_is_told(command: Command) -> None:
    command.patch.setenv("PATH", os.defpath + ":/usr/sbin")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = taken.getsockname()[1]
        command.patch.setattr(command_rollout, "_process", lambda *_: small(at, "0.1"))
        said = command.says("--processes", "--requests", "1")
    assert "pod-a of version 1 has ended: look at what it printed" in said
    assert "Address already in use" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--requests", "0"], "--requests must be at least 1"),
        (["--save", "nowhere/measured.yaml"], "nowhere: make it, or name another file"),
        (["--save", "measured.yaml", "--processes"], "leave out --processes"),
    ],
)
def test_arguments_that_cannot_be_used_are_told_at_once(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command_rollout.main(words)
    assert said in capsys.readouterr().err


def test_the_command_writes_no_evidence_in_fast_mode(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    monkeypatch.setattr(rollout, "proxy", None)
    assert command_rollout.main([]) == 1
    assert "unset COURSE_FAST" in capsys.readouterr().err
