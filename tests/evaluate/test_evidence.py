"""Files of evidence and records of releases: whole, dated, of one version, never in fast mode."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from helpers.evaluate import evidence, releases
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.evidence import EvidenceError, FastMode, Figure
from helpers.evaluate.releases import ReleaseError
from helpers.evaluate.summary import Proportion
from helpers.evaluate.version import Version
from tests.evaluate import make

VERSION = Version({"prompt": "1", "tools": "2"})
OTHER = Version({"prompt": "1", "tools": "3"})
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    return tmp_path


def write(**figures: Any) -> Path:
    return evidence.write("security", figures, command="course attack", version=VERSION, now=NOW)


def test_what_is_written_is_read() -> None:
    file = write(rate=Proportion(2, 100), seconds=Estimate(1.5, 1.0, inf, 40), plain=Figure(3, 7))
    assert file == evidence.path("security")
    found = evidence.read("security")
    assert found is not None
    assert found.version == VERSION
    assert (found.item, found.command, found.written) == ("security", "course attack", NOW)
    assert not found.stated
    assert found.figures["rate"].value == 0.02
    assert found.figures["rate"].count == 100
    assert found.figures["rate"].high == pytest.approx(0.07, abs=0.001)
    assert found.figures["seconds"] == Figure(1.5, 40, 1.0, None)  # an open end stays open
    assert found.figures["plain"] == Figure(3, 7)


def test_no_evidence_is_none() -> None:
    assert evidence.read("security") is None


def part(version: Version = VERSION, days: int = 1, **figures: Any) -> Path:
    at = NOW - timedelta(days=days)
    return evidence.write(
        "security", figures, command="other", version=version, now=at, part="more"
    )


def test_two_commands_write_for_one_item_and_neither_overwrites_the_other() -> None:
    write(rate=Proportion(2, 100))
    file = part(missed=Figure(1, 11))
    for _ in range(2):
        found = evidence.read("security")
        assert found is not None
        assert found.figures.keys() == {"rate", "missed"}
        assert found.version == VERSION
        assert found.written == NOW - timedelta(days=1), "as old as the oldest"
        assert found.command == "course attack and other"
        write(rate=Proportion(2, 100))
    part(days=0, missed=Figure(2, 11))
    renewed = evidence.read("security")
    assert renewed is not None
    assert (renewed.written, renewed.figures["missed"]) == (NOW, Figure(2, 11))
    file.write_text("{")
    with pytest.raises(EvidenceError, match=r"security\.more\.json"):
        evidence.read("security")


def test_a_part_alone_is_evidence_too() -> None:
    part(missed=Figure(1, 11))
    found = evidence.read("security")
    assert found is not None
    assert (found.command, found.version) == ("other", VERSION)


def test_parts_of_different_versions_are_of_no_version_where_they_differ() -> None:
    write(rate=Proportion(2, 100))
    part(OTHER, missed=Figure(1, 11))
    found = evidence.read("security")
    assert found is not None
    assert VERSION.changed(found.version) == OTHER.changed(found.version) == ("tools",)
    assert found.version.only(["prompt"]) == VERSION.only(["prompt"])


def test_the_name_of_an_item_may_begin_that_of_another() -> None:
    evidence.write("load", {"a": Figure(1, 1)}, command="c", version=VERSION)
    evidence.write("load_more", {"b": Figure(1, 1)}, command="c", version=VERSION)
    found = evidence.read("load")
    assert found is not None
    assert found.figures.keys() == {"a"}


def test_a_statement_is_somebodys() -> None:
    evidence.state(
        "rollback", " Tried: 2 minutes. ", by=" R. Person ", command="c", version=VERSION, now=NOW
    )
    found = evidence.read("rollback")
    assert found is not None
    assert found.stated
    assert (found.statement, found.by) == ("Tried: 2 minutes.", "R. Person")
    for text, by in (("", "R. Person"), ("Tried.", "  ")):
        with pytest.raises(ValueError, match="name of the person"):
            evidence.state("rollback", text, by=by, command="c", version=VERSION)


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_never_in_fast_mode(value: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_FAST", value)
    with pytest.raises(FastMode, match="unset COURSE_FAST and run `course attack`"):
        write(rate=Figure(1, 1))
    with pytest.raises(FastMode):
        evidence.state("rollback", "Tried.", by="R. Person", command="c", version=VERSION)
    with pytest.raises(FastMode):
        releases.record("v1", [], {}, command="c", version=VERSION)
    assert list(home.iterdir()) == []


def test_zero_is_not_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_FAST", "0")
    assert write(rate=Figure(1, 1)).exists()


@pytest.mark.parametrize(
    "figures", [{}, {"rate": Proportion(0, 0)}, {"rate": Figure(nan, 3)}, {"rate": Figure(1, -1)}]
)
def test_what_is_no_figure_is_not_written(figures: dict[str, Any], home: Path) -> None:
    with pytest.raises(ValueError, match="figure"):
        write(**figures)
    assert not (home / "evidence").exists()


def test_new_evidence_replaces_the_old_in_one_step(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(rate=Figure(1, 1))

    def crash(self: Path, target: Path) -> Path:
        raise OSError("the power went out")

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(OSError, match="power"):
        write(rate=Figure(2, 2))
    monkeypatch.undo()
    monkeypatch.setenv("COURSE_HOME", str(home))
    found = evidence.read("security")
    assert found is not None
    assert found.figures["rate"] == Figure(1, 1)
    assert [path.name for path in (home / "evidence").iterdir()] == ["security.json"]


def broken(change: Callable[[dict[str, Any]], None]) -> None:
    file = write(rate=Figure(1, 1))
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("version"),
        lambda c: c.update(item="privacy"),
        lambda c: c.update(written="yesterday"),
        lambda c: c.update(written="2026-06-15T12:00:00"),
        lambda c: c.update(figures={"rate": {"value": "high", "count": 1}}),
        lambda c: c.update(figures={"rate": {"value": 1}}),
        lambda c: c.update(figures=[]),
    ],
)
def test_evidence_that_cannot_be_read_is_an_error(change: Callable[[dict[str, Any]], None]) -> None:
    broken(change)
    with pytest.raises(EvidenceError, match=r"security\.json"):
        evidence.read("security")


def test_half_a_file_is_an_error(home: Path) -> None:
    file = write(rate=Figure(1, 1))
    file.write_text(file.read_text(encoding="utf-8")[:50], encoding="utf-8")
    with pytest.raises(EvidenceError, match="cannot be read"):
        evidence.read("security")


QUESTIONS = [make.question(1), make.question(2)]
VERDICTS = {QUESTIONS[0].id: True, QUESTIONS[1].id: None}


def record(name: str, version: Version, day: int) -> None:
    releases.record(
        name,
        QUESTIONS,
        VERDICTS,
        command="course eval",
        version=version,
        now=NOW.replace(day=day),
    )


def test_the_last_release_is_one_of_another_version() -> None:
    assert releases.last_release(VERSION) is None
    record("v1", OTHER, 1)
    record("v2", VERSION, 2)
    found = releases.last_release(VERSION)
    assert found is not None
    assert (found.name, found.version, found.verdicts) == ("v1", OTHER, VERDICTS)
    assert found.questions == releases.digest_of_questions(QUESTIONS)
    latest = releases.last_release(OTHER)
    assert latest is not None
    assert latest.name == "v2"


def test_figures_are_kept_with_a_release_and_earlier_records_have_none(home: Path) -> None:
    figures = {"latency": {"seconds": Figure(4.5, 140, None, 5.0, 0.9)}}
    releases.record("v1", QUESTIONS, VERDICTS, command="c", version=OTHER, figures=figures)
    found = releases.last_release(VERSION)
    assert found is not None
    assert found.figures == figures
    path = home / "releases" / "v1.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["figures"]
    path.write_text(json.dumps(content), encoding="utf-8")
    found = releases.last_release(VERSION)
    assert found is not None
    assert found.figures == {}
    path.write_text(json.dumps(content | {"figures": {"latency": 3}}), encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"v1\.json"):
        releases.last_release(VERSION)


def test_a_change_around_the_agent_makes_no_other_agent() -> None:
    record("v1", OTHER, 1)
    record("v2", VERSION, 2)
    served_anew = Version({**VERSION.parts, "service": "changed"})
    found = releases.last_release(served_anew)
    assert found is not None
    assert found.name == "v1"


def test_edited_questions_have_another_digest() -> None:
    edited = [QUESTIONS[0], make.question(2, forbidden=("14 days",))]
    assert releases.digest_of_questions(edited) != releases.digest_of_questions(QUESTIONS)


@pytest.mark.parametrize("name", ["", "../v1", ".hidden", "v 1", "x" * 80])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(ReleaseError, match="cannot name"):
        record(name, VERSION, 1)


def test_a_release_is_not_rewritten(home: Path) -> None:
    record("v1", VERSION, 1)
    with pytest.raises(ReleaseError, match="already"):
        record("v1", OTHER, 2)
    with pytest.raises(ValueError, match="not those of the questions"):
        releases.record("v2", QUESTIONS[:1], VERDICTS, command="c", version=VERSION)
    (home / "releases" / "v3.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"v3\.json"):
        releases.last_release(VERSION)
