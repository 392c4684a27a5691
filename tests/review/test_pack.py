"""Packing a home: what is copied, what is refused, and which version and date a pack has."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpers.evaluate import evidence
from helpers.evaluate.evidence import Figure
from helpers.evaluate.packed import PackError, packed
from helpers.evaluate.ship_check import ship_check
from helpers.evaluate.version import current_version
from helpers.review.pack import pack

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path / "own"
    monkeypatch.setenv("COURSE_HOME", str(own))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    monkeypatch.delenv("COURSE_CONTEXT", raising=False)
    evidence.write(
        "latency", {"seconds an answer, 95th percentile": Figure(4, 140)}, command="c", now=NOW
    )
    return own


def test_a_pack_keeps_its_version_and_date(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "acceptances" / "withdrawn").mkdir(parents=True)
    (home / "acceptances" / "cost.json").write_text("{}", encoding="utf-8")
    (home / "evidence" / "latency.x1.part").write_text("half", encoding="utf-8")
    about = pack(tmp_path / "to" / "pack", now=NOW)
    to = tmp_path / "to" / "pack"
    assert packed(to) == about
    assert sorted(file.relative_to(to).as_posix() for file in to.rglob("*.*")) == [
        "acceptances/cost.json",
        "evidence/latency.json",
        "release.json",
    ]
    assert [each.name for each in to.parent.iterdir()] == ["pack"]
    monkeypatch.setenv("COURSE_CONTEXT", "1024")  # another agent than the one that was packed
    status = {each.item.name: each.status for each in ship_check(home=to).findings}
    assert status["latency"] == "passed"
    assert ship_check(home=to).version == about.version != current_version()
    own = {each.item.name: each.status for each in ship_check(now=NOW).findings}
    assert own["latency"] == "not assessed"


def test_a_pack_is_replaced_and_other_files_in_it_stay(tmp_path: Path, home: Path) -> None:
    to = tmp_path / "pack"
    pack(to, now=NOW)
    (to / "answers.md").write_text("mine", encoding="utf-8")
    (home / "evidence" / "latency.json").rename(home / "evidence" / "latency.two.json")
    pack(to, now=NOW.replace(hour=13))
    assert [each.name for each in (to / "evidence").iterdir()] == ["latency.two.json"]
    assert (to / "answers.md").read_text(encoding="utf-8") == "mine"
    assert json.loads((to / "release.json").read_text("utf-8"))["recorded"].startswith(
        "2026-06-15T13"
    )


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pack(tmp_path / "empty")
    assert packed(tmp_path / "empty") is not None


def test_what_is_refused(tmp_path: Path, home: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine", encoding="utf-8")
    for to in (full, full / "mine.txt", home, home.parent):
        with pytest.raises(PackError, match="choose"):
            pack(to)
    (full / "release.json").write_text("{", encoding="utf-8")
    with pytest.raises(PackError, match=r"release\.json cannot be read"):
        pack(full)
    assert sorted(each.name for each in full.iterdir()) == ["mine.txt", "release.json"]
    (home / "evidence" / "latency.json").unlink()
    with pytest.raises(PackError, match="no evidence to pack"):
        pack(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "change", [{"recorded": "2026-06-15T12:00:00"}, {"version": {}}, {"recorded": 5}]
)
def test_a_release_file_that_cannot_be_read(tmp_path: Path, change: dict[str, object]) -> None:
    pack(tmp_path / "pack")
    file = tmp_path / "pack" / "release.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | change), encoding="utf-8")
    with pytest.raises(PackError, match="pack it again"):
        ship_check(home=tmp_path / "pack")
