"""Figures of one's own as evidence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.evaluate import evidence
from helpers.evaluate.evidence import Figure
from helpers.review import keep, keep_run
from helpers.review.sources import Sources

START = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    return tmp_path


def test_figures_are_kept_and_current(capsys: pytest.CaptureFixture[str]) -> None:
    keep("speed", {"tokens a second": (57.2, 4), "share": Figure(0.5, 8, 0.2, 0.8)})
    found = evidence.read("own_speed")
    assert found is not None
    assert found.figures["tokens a second"] == Figure(57.2, 4)
    assert "[own_speed: share]" in capsys.readouterr().out
    sources = Sources.of(None)
    assert sources.there("own_speed", "Tokens a second")
    assert not sources.outdated("own_speed")


def test_a_run_is_kept_with_what_it_has() -> None:
    run = SimpleNamespace(
        id="r1",
        start_time=START,
        end_time=START + timedelta(seconds=1.5),
        total_tokens=120,
        total_cost=None,
    )
    keep_run(run, "greeting")
    found = evidence.read("own_greeting")
    assert found is not None
    assert {name: one.value for name, one in found.figures.items()} == {
        "tokens": 120,
        "seconds": 1.5,
    }
    empty = SimpleNamespace(
        id="r2", start_time=START, end_time=None, total_tokens=0, total_cost=None
    )
    with pytest.raises(ValueError, match="read it after it has ended"):
        keep_run(empty)


def test_in_fast_mode_nothing_is_written(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    assert keep("speed", {"tokens a second": (57.2, 4)}) is None
    assert "Nothing is written in fast mode" in capsys.readouterr().out
    assert not list(own_home.rglob("own_*.json"))


@pytest.mark.parametrize(
    ("name", "figure"),
    [("../up", (1, 1)), ("", (1, 1)), ("fine", 5), ("fine", (float("nan"), 1)), ("fine", ("a", 1))],
)
def test_what_will_not_do_is_said(name: str, figure: object) -> None:
    with pytest.raises(ValueError, match=r"is no name|give a finite value"):
        keep(name, {"figure": figure})  # type: ignore[dict-item]
