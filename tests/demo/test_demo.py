"""`course demo`: the real command once, and what it says when it cannot show what it is for."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.demo import command
from helpers.demo.trace import holding, steps
from helpers.paths import ROOT

COMMAND = [sys.executable, "-m", "helpers.cli", "demo"]


def run_of(place: str, parent: str | None, **fields: Any) -> SimpleNamespace:
    given = {"name": "model", "run_type": "chain", "inputs": {}, "outputs": {}, "latency": 0.5}
    tokens = {"prompt_tokens": 0, "completion_tokens": 0}
    return SimpleNamespace(
        dotted_order=place, id=place, parent_run_id=parent, **{**given, **tokens, **fields}
    )


RUNS = [
    run_of("a", None, outputs={"all": ["NOTE", "CODE"]}),
    run_of("a.1", "a"),
    run_of("a.1.1", "a.1", run_type="llm", inputs={"messages": [["CODE in the prompt"]]}),
    run_of("a.2", "a", name="tools", outputs={"messages": [{"content": "page. NOTE"}]}),
    run_of("a.2.1", "a.2", name="search", run_type="tool", outputs={"output": "page"}),
    run_of("a.3", "a", inputs=["NOTE"], outputs=["CODE"], prompt_tokens=9, completion_tokens=4),
    run_of("a.3.1", "a.3", run_type="llm", inputs=["CODE", "NOTE"]),
]


def has(word: str) -> Any:
    return lambda text: word in text


def test_steps_say_what_was_read_what_came_in_and_what_went_out() -> None:
    found = steps(RUNS[::-1], has("NOTE"), has("CODE"))  # type: ignore[arg-type]
    assert [(one.number, one.name, one.note, one.code) for one in found] == [
        (1, "model", "-", "read"),
        (2, "tools: search", "came in", "-"),
        (3, "model", "read", "read, went out"),
    ]
    assert (found[2].read, found[2].written) == (9, 4)
    assert holding(RUNS, has("CODE")) == 4  # type: ignore[arg-type]
    assert holding(RUNS, has("neither")) == 0  # type: ignore[arg-type]


def test_the_notes_are_attacks_of_the_course_that_no_prompt_repeats() -> None:
    from helpers.security.agents import GOODWILL_NOTE

    notes = [one.planted.text for one in command.planted() if one.planted]
    assert 3 <= len(notes) <= 8
    assert not any(note in GOODWILL_NOTE for note in notes)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The command without a model: how many notes each agent leaks is set here."""
    leaked = {"naive": 0, "defended": 0}

    def tried(_: Any, __: Any, project: str, say: Any) -> dict[str, Any]:
        notes = [
            {"customer": "?", "note": f"note {n}", "agent": "!", "leaked": n < leaked[project]}
            for n in range(5)
        ]
        return {"asked": 5, "leaked": leaked[project], "notes": notes}

    @contextlib.contextmanager
    def traces() -> Iterator[Any]:
        yield SimpleNamespace(flush=lambda: None)

    monkeypatch.setattr(command, "_stay_here", lambda: None)
    monkeypatch.setattr(command, "_traces", traces)
    monkeypatch.setattr(command, "_answer", lambda _: {})
    monkeypatch.setattr(command, "_tried", tried)
    monkeypatch.setattr(command, "trace_with", lambda *_: [run_of("a", None)])
    return leaked


@pytest.mark.parametrize(
    ("naive", "defended", "says"),
    [
        (0, 0, "none of the 5 notes got the code out this time"),
        (2, 1, "the defended agent leaked the code to 1 of 5 notes"),
        (2, 0, "the trace does not show where"),
    ],
)
def test_what_it_cannot_show_is_said_and_fails(
    naive: int,
    defended: int,
    says: str,
    staged: dict[str, int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    staged.update(naive=naive, defended=defended)
    assert command.demo([]) == 1
    assert says in capsys.readouterr().err
    assert command.demo(["--json"]) == 1
    assert says in json.loads(capsys.readouterr().out)["problem"]


@pytest.mark.slow
def test_the_real_demo(tmp_path: Path) -> None:
    elsewhere = {
        "COURSE_MODEL": "openai:gpt-5-mini",
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_HIDE_INPUTS": "true",
        "LANGSMITH_ENDPOINT": "http://127.0.0.1:9",
        "LANGSMITH_TRACING_SAMPLING_RATE": "0",
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        [*COMMAND, "--json"],
        cwd=ROOT,
        env={**os.environ, **elsewhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert "2.1 kg" in report["answer"]["agent"]
    assert report["naive"]["leaked"] >= 1
    assert (report["defended"]["asked"], report["defended"]["leaked"]) == (
        report["naive"]["asked"],
        0,
    )
    trace = report["trace"]
    assert trace["steps"][trace["note_came_in_at"] - 1]["name"] == "tools: search_documents"
    assert trace["note_came_in_at"] < trace["code_went_out_at"]
    assert trace["defended_runs"] > 10
    assert trace["defended_runs_with_the_code"] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a signal is sent")
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith("1. "):  # its tracing service runs now
        assert process.poll() is None
    assert any(tmp_path.iterdir())
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        # Python drops an interrupt that comes within a finaliser; a person presses the keys again.
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "\nStopped.\n")
    assert list(tmp_path.iterdir()) == []
