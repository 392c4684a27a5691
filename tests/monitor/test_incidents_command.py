"""`course incidents`: its table, its exit status, and what it leaves behind when it is stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.monitor import command_incidents as module
from helpers.monitor.testing import Alarm, Judged
from helpers.paths import ROOT
from helpers.testbed.replay import INCIDENTS, MIDNIGHT

NOON = MIDNIGHT + timedelta(hours=12)


def days(minutes: Sequence[float | None], alarms: Sequence[int]) -> list[Judged]:
    """One incident of each kind, found after these minutes, and clean days with these alarms."""
    found = [
        Judged(one.kind, one, each, None if each is None else "Found", (), ("lode",))
        for one, each in zip(INCIDENTS["visible"], minutes, strict=True)
    ]
    for count in alarms:
        false = tuple(Alarm("Wolf", NOON + timedelta(hours=n)) for n in range(count))
        found.append(Judged("clean: ordinary", None, None, None, false, ("lode",)))
    return found


GOOD: list[float | None] = [1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 20.0, 20.0, 20.0, None]


def run(monkeypatch: pytest.MonkeyPatch, found: list[Judged], *words: str) -> int:
    asked: list[Any] = []

    def measure(part: str, text: str, *, fast: bool = False) -> list[Judged]:
        asked.append((part, text, fast))
        return found

    monkeypatch.setattr(module, "measure", measure)
    status = module.incidents(words)
    assert len(asked) == 1
    return status


@pytest.mark.parametrize(
    ("minutes", "alarms", "status", "said"),
    [
        (GOOD, [0] * 20, 0, "All targets are met."),
        (GOOD, [0] * 19 + [1], 0, "False alarms: 1 in 20 clean days: 0.05 a day."),
        (
            GOOD,
            [0] * 18 + [1],
            1,
            "False alarms: 1 in 19 clean days: 0.053 a day.\nToo many false alarms",
        ),
        (GOOD, [1, 1] + [0] * 18, 1, "Too many false alarms: at most one in 20"),
        ([*GOOD[:9], None, None], [0] * 20, 1, "9 of 11 incidents are detected"),
        ([*GOOD[:4], *[11.0] * 7], [0] * 20, 1, "over 10 minutes"),
        ([None] * 11, [0] * 20, 1, "median none"),
        (GOOD, [48] * 20, 1, "An alert every 0.5 hours"),
    ],
)
def test_the_numbers_decide(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    minutes: list[float | None],
    alarms: list[int],
    status: int,
    said: str,
) -> None:
    assert run(monkeypatch, days(minutes, alarms)) == status
    printed = capsys.readouterr()
    assert said in printed.out
    assert "no series matched lode on any day" in printed.err


def test_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, days(GOOD, [0, 5]))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "slow model 10:00 yes 1 Found none" in lines
    assert "memory leak 07:00 no none" in lines
    assert "clean: ordinary Wolf 12:00, Wolf 13:00, Wolf 14:00 and 2 more" in lines


def test_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, days(GOOD, [1]), "--json", "--fast", "--part", "heldout") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["incidents"], found["detected"], found["false_alarms"]) == (11, 10, 1)
    assert found["median_minutes"] == 7.5
    first, *_, last = found["days"]
    assert (first["incident"]["kind"], first["minutes"], first["by"]) == (
        "slow model",
        1.0,
        "Found",
    )
    assert (last["incident"], last["false_alarms"]) == (None, [["Wolf", NOON.isoformat()]])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"groups: [", "promtool does not take the rule file"),
        (b"groups: []", "has no alert"),
    ],
)
@pytest.mark.prometheus
def test_rules_that_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    file = tmp_path / "mine.yml"
    if content is not None:
        file.write_bytes(content)
    assert module.incidents(["--rules", str(file)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out


def test_without_prometheus_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert module.incidents([]) == 2
    assert "apt install prometheus" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--part", "seen"], ["--naive", "--rules", "x.yml"]])
def test_options_that_do_not_fit(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        module.incidents(words)
    assert ended.value.code == 2


@pytest.mark.prometheus
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("number", "pattern"),
    [(signal.SIGINT, "*"), pytest.param(signal.SIGTERM, "[0-9a-f]*", marks=pytest.mark.slow)],
    ids=["Ctrl-C while a day is written", "SIGTERM when one is judged"],
)
def test_stopped_it_leaves_nothing_half_written(
    tmp_path: Path, number: signal.Signals, pattern: str
) -> None:
    replays, temporary = tmp_path / "replays", tmp_path / "tmp"
    temporary.mkdir()
    env = {**os.environ, "COURSE_HOME": str(tmp_path), "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-m", "helpers.cli", "incidents", "--fast"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        until = time.monotonic() + 60
        while not list(replays.glob(pattern)) and time.monotonic() < until:
            assert running.poll() is None
            time.sleep(0.005)
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert not out
    assert "Traceback" not in err
    assert not list(replays.glob("tmp*"))
    assert all(list(day.glob("*/meta.json")) for day in replays.iterdir())
    assert not list(temporary.iterdir())
    assert str(temporary) not in _running()


def _running() -> str:
    """What all processes were called with."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    return "\n".join(lines)
