"""Accepted risks: who may accept what, for how long, and when an acceptance lapses."""

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from helpers.evaluate import acceptance, evidence
from helpers.evaluate.accept import accept, in_words, propose
from helpers.evaluate.acceptance import Acceptance, AcceptanceError, iso_date, lapses
from helpers.evaluate.checklist import CHECKLIST, Report, assess, item
from helpers.evaluate.evidence import Figure
from helpers.evaluate.ship_check import ship_check
from helpers.evaluate.ship_report import as_json, as_text
from helpers.evaluate.version import PARTS, Version

VERSION = Version(dict.fromkeys(PARTS, "1"))
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = NOW.date()
UNTIL = TODAY + timedelta(days=30)
REASON = "A person reads every refusal until then."
QUALITY = "functional_quality"
REFUSED = "refused, unanswerable"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All items pass, but the one that is too seldom refused."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    for each in CHECKLIST:
        if each.stated:
            evidence.state(each.name, "Tried.", by="R. P.", command="c", version=VERSION, now=NOW)
        else:
            measure(each.name)
    measure(QUALITY, {REFUSED: 0.68})
    return tmp_path


def measure(
    name: str, values: dict[str, float] | None = None, version: Version = VERSION, low: float = 0
) -> None:
    """Evidence that just meets each threshold, but for the values that are given."""
    given = values or {}
    figures = {
        t.figure: Figure(given.get(t.figure, t.limit), t.counts, low if low else t.limit, t.limit)
        for t in item(name).thresholds
    }
    evidence.write(name, figures, command="c", version=version, now=NOW)


def accepted(name: str = QUALITY, reason: str = REASON, **changed: object) -> Path:
    given = {"by": "R. Person", "until": UNTIL, "version": VERSION, "now": NOW} | changed
    return accept(name, reason, **given)  # type: ignore[arg-type]


def report(days: int = 0, version: Version = VERSION) -> Report:
    return ship_check(version, now=NOW + timedelta(days=days))


def reasons(found: Report, name: str = QUALITY) -> str:
    return " | ".join(next(f.reasons for f in found.findings if f.item.name == name))


def test_an_accepted_risk_is_a_go_that_says_so() -> None:
    assert not report().go
    accepted()
    found = report(days=9)
    assert found.go
    assert [each.item.name for each in found.accepted] == [QUALITY]
    text = as_text(found)
    assert text.splitlines()[-1] == (
        "GO with 1 accepted risk: 12 passed, 1 accepted, 0 failed, 0 not assessed."
    )
    risk = text.partition("Accepted risks:\n")[2]
    assert "accepted by R. Person on 2026-06-15 until 2026-07-15 (21 days left)" in risk
    assert "- refused, unanswerable 0.68 [0.7, 0.7] n=25, wanted at least 0.7" in risk
    assert f"Reason: {REASON}" in risk
    assert "To do" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert REASON in next(f.reasons for f in found.findings if f.item.name == QUALITY)[0]


def test_json_has_the_risk() -> None:
    assert as_json(report())["accepted"] == []
    accepted()
    found = as_json(report())
    assert (found["go"], found["accepted"]) == (True, [QUALITY])
    by_name = {each["name"]: each for each in found["items"]}
    assert by_name["security"]["acceptance"] is None
    assert by_name[QUALITY]["status"] == "accepted"
    risk = by_name[QUALITY]["acceptance"]
    assert (risk["by"], risk["until"], risk["reason"]) == ("R. Person", "2026-07-15", REASON)
    assert risk["missed"] == ["refused, unanswerable 0.68 [0.7, 0.7] n=25, wanted at least 0.7"]


def test_one_other_gap_is_still_a_no_go() -> None:
    accepted()
    (evidence.folder() / "cost.json").unlink()
    assert as_text(report()).splitlines()[-1] == (
        "NO-GO: 11 passed, 1 accepted, 0 failed, 1 not assessed."
    )


def test_two_risks() -> None:
    measure("latency", {"seconds an answer, 95th percentile": 16})
    accepted()
    accepted("latency")
    assert "GO with 2 accepted risks: 11 passed, 2 accepted" in as_text(report())


def test_what_is_written(home: Path) -> None:
    file = accepted(by="  R.   Person ", reason=f" {REASON}\n", until="2026-07-15")
    assert file == home / "acceptances" / f"{QUALITY}.json"
    risk = acceptance.read(QUALITY)
    assert risk is not None
    assert (risk.by, risk.reason, risk.until) == ("R. Person", REASON, date(2026, 7, 15))
    assert (risk.digest, risk.written) == (VERSION.digest, NOW)
    assert risk.parts == VERSION.only(item(QUALITY).parts)
    assert [(m.threshold.figure, m.value, m.threshold.limit) for m in risk.missed] == [
        (REFUSED, 0.68, 0.7)
    ]
    words = in_words(risk)
    assert "owner: product owner" in words
    assert "0.68 [0.7, 0.7] n=25, wanted at least 0.7" in words
    assert "until 2026-07-15 (30 days)" in words


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("security", "security has passed, so there is no risk to accept"),
        ("cost", "cost is not assessed, and a risk must be measured first: course cost"),
        ("rollback", "rollback has no figure to accept, so state it: course ship-check --state"),
    ],
)
def test_only_a_failed_item_can_be_accepted(name: str, message: str) -> None:
    (evidence.folder() / "cost.json").unlink()
    with pytest.raises(AcceptanceError, match=message):
        accepted(name)
    assert not acceptance.folder().exists()


def test_a_failure_of_another_version_cannot_be_accepted() -> None:
    with pytest.raises(AcceptanceError, match="must be measured first"):
        accepted(version=Version(dict(VERSION.parts) | {"prompt": "2"}))


@pytest.mark.parametrize("days", [1, 90])
def test_the_first_and_the_last_day_that_can_be_chosen(days: int) -> None:
    accepted(until=TODAY + timedelta(days=days))
    assert report().go
    assert report(days=1).go


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"until": TODAY}, "after today"),
        ({"until": TODAY - timedelta(days=1)}, "after today"),
        ({"until": TODAY + timedelta(days=91)}, "at most 90 days"),
        ({"until": "15.07.2026"}, "is no date"),
        ({"until": "20260715"}, "is no date"),
        ({"until": "2026-W29-3"}, "is no date"),
        ({"until": "2026-02-30"}, "is no date"),
        ({"until": "2026-07-15T10:00"}, "is no date"),
        ({"until": ""}, "is no date"),
        ({"by": " "}, "the name of the person"),
        ({"by": "-"}, "the name of the person"),
        ({"by": "\x1b[2JR. Person"}, "the name of the person"),
        ({"reason": "A person reads refusals."}, "at least 5 words"),
        ({"reason": "ok - . ! , - -"}, "at least 5 words"),
        ({"reason": "A person reads \x1b[2J every refusal."}, "on one line"),
        ({"reason": ""}, "at least 5 words"),
    ],
)
def test_what_an_acceptance_needs(changed: dict[str, object], message: str) -> None:
    with pytest.raises(AcceptanceError, match=message):
        accepted(**changed)  # type: ignore[arg-type]
    assert not acceptance.folder().exists()


def test_five_words_are_enough() -> None:
    accepted(reason="A person reads every refusal.")


def test_there_is_no_such_item() -> None:
    with pytest.raises(KeyError, match="choose one of"):
        accepted("functional quality")


def test_proposing_writes_nothing(home: Path) -> None:
    propose(QUALITY, REASON, by="R. Person", until=UNTIL, version=VERSION, now=NOW)
    assert not (home / "acceptances").exists()


def test_it_counts_until_the_end_of_its_last_day() -> None:
    accepted(until=TODAY + timedelta(days=10))
    assert report(days=10).go
    assert "(0 days left)" in as_text(report(days=10))
    assert "(1 day left)" in as_text(report(days=9))
    late = report(days=11)
    assert not late.go
    assert "which no longer counts: it expired on 2026-06-25" in reasons(late)
    assert "no longer counts" in as_text(late)


def test_another_version_lapses_it() -> None:
    accepted()
    other = Version(dict(VERSION.parts) | {"prompt": "2"})
    measure(QUALITY, {REFUSED: 0.68}, other)
    found = report(version=other)
    assert next(f.status for f in found.findings if f.item.name == QUALITY) == "failed"
    assert "it is of another version; since then changed: prompt" in reasons(found)


def test_a_part_on_which_the_item_does_not_depend_lapses_nothing() -> None:
    accepted()
    found = report(version=Version(dict(VERSION.parts) | {"service": "2"}))
    assert [each.item.name for each in found.accepted] == [QUALITY]


@pytest.mark.parametrize(("value", "go"), [(0.67, False), (0.68, True), (0.69, True), (0.7, True)])
def test_a_worse_figure_lapses_it(value: float, go: bool) -> None:
    accepted()
    measure(QUALITY, {REFUSED: value})
    assert report().go is go
    if not go:
        assert "a figure got worse" in reasons(report())
        assert "accepted was 0.68" in reasons(report())


@pytest.mark.parametrize(("value", "go"), [(15.9, True), (16, True), (16.1, False)])
def test_worse_is_higher_where_a_figure_must_be_low(value: float, go: bool) -> None:
    measure(QUALITY)
    measure("latency", {"seconds an answer, 95th percentile": 16})
    accepted("latency")
    measure("latency", {"seconds an answer, 95th percentile": value})
    assert report().go is go


@pytest.mark.parametrize(("low", "go"), [(-0.3, False), (-0.2, True), (-0.15, True)])
def test_the_end_of_an_interval_is_what_is_accepted(low: float, go: bool) -> None:
    measure(QUALITY)
    measure("regression", low=-0.2)
    accepted("regression")
    measure("regression", low=low)
    assert report().go is go


def test_another_missed_threshold_lapses_it() -> None:
    accepted()
    measure(QUALITY, {REFUSED: 0.68, "tool choice": 0.8})
    assert "another threshold is missed: tool choice 0.8" in reasons(report())
    assert not report().go
    accepted()  # both, now that both are known
    assert report().go
    measure(QUALITY, {"tool choice": 0.8})
    assert report().go


def test_a_stricter_limit_is_another_threshold() -> None:
    accepted()
    each = item(QUALITY)
    thresholds = tuple(
        dataclasses.replace(t, limit=0.75) if t.figure == REFUSED else t for t in each.thresholds
    )
    found = assess(
        dataclasses.replace(each, thresholds=thresholds),
        evidence.read(QUALITY),
        VERSION,
        now=NOW,
        acceptance=acceptance.read(QUALITY),
    )
    assert found.status == "failed"
    assert "another threshold is missed" in found.reasons[-1]


def test_a_passed_item_needs_none_and_says_so() -> None:
    accepted()
    measure(QUALITY)
    assert report().go
    assert not report().accepted
    assert f"no longer needed: course ship-check --withdraw {QUALITY}" in reasons(report())


def test_it_does_not_count_without_evidence() -> None:
    accepted()
    (evidence.folder() / f"{QUALITY}.json").unlink()
    found = report()
    assert not found.go
    assert "counts only with current evidence" in reasons(found)


EDITS: dict[str, Any] = {
    "half a file": None,
    "another item": {"item": "cost"},
    "no person": {"by": ""},
    "a short reason": {"reason": "because"},
    "for years": {"until": "2036-01-01"},
    "another way to write a date": {"until": "15.7.2026"},
    "no time zone": {"written": "2026-06-15T12:00:00"},
    "nothing missed": {"missed": []},
    "no version": {"version": {}},
    "no parts": {"version": {"digest": "1", "parts": {}}},
    "a list": [],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_what_cannot_be_read_is_said_and_never_counts(edit: Any) -> None:
    file = accepted()
    text = file.read_text(encoding="utf-8")
    if edit is None:
        file.write_text(text[:50], encoding="utf-8")
    else:
        content = json.loads(text)
        file.write_text(json.dumps(content | edit if edit else []), encoding="utf-8")
    assert not report().go
    assert f"not counted: The acceptance {QUALITY}.json" in reasons(report())


@pytest.mark.parametrize(
    "change",
    [
        {"figure": {"value": 0.9, "count": 25}},
        {"figure": {"value": "high", "count": 25}},
        {"threshold": {"figure": REFUSED, "sense": "about", "limit": 0.7, "counts": 25}},
        {"threshold": {}},
    ],
)
def test_a_miss_must_be_one(change: dict[str, object]) -> None:
    file = accepted()
    content = json.loads(file.read_text(encoding="utf-8"))
    content["missed"][0] |= change
    file.write_text(json.dumps(content), encoding="utf-8")
    assert "cannot be read" in reasons(report())


def test_one_from_the_future_does_not_count() -> None:
    risk = propose(QUALITY, REASON, by="R. Person", until=UNTIL, version=VERSION, now=NOW)
    for minutes, count in ((5, 0), (6, 1)):
        found = lapses(risk, risk.missed, risk.parts, NOW - timedelta(minutes=minutes))
        assert len(found) == count
    assert "dated in the future" in found[0]


def test_withdrawing_keeps_a_dated_copy() -> None:
    file = accepted()
    text = file.read_text(encoding="utf-8")
    kept = acceptance.withdraw(QUALITY, now=NOW)
    assert kept.parent == file.parent / "withdrawn"
    assert kept.name.startswith(f"{QUALITY}.20260615T120000")
    assert kept.read_text(encoding="utf-8") == text
    assert not report().go
    with pytest.raises(AcceptanceError, match="nothing to withdraw"):
        acceptance.withdraw(QUALITY)


def test_a_second_acceptance_keeps_the_first() -> None:
    for reason in (REASON, f"Again: {REASON}", f"And again: {REASON}"):
        file = accepted(reason=reason)
    found = acceptance.read(QUALITY)
    assert isinstance(found, Acceptance)
    assert found.reason.startswith("And again")
    assert len(list((file.parent / "withdrawn").iterdir())) == 2


def test_an_unreadable_one_can_be_withdrawn_and_replaced() -> None:
    file = accepted()
    file.write_text("{", encoding="utf-8")
    accepted()
    assert report().go
    file.write_text("{", encoding="utf-8")
    acceptance.withdraw(QUALITY)
    assert "not counted" not in reasons(report())


def test_fast_mode(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    with pytest.raises(evidence.FastMode):
        accepted()
    accepted(home=home)  # the evidence of another home was not measured now
    assert report().go


def test_another_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (home / "evidence").rename(other / "evidence")
    file = accepted(home=other)
    assert file.is_relative_to(other)
    assert ship_check(VERSION, now=NOW, home=other).go
    assert not report().go


def test_dates_are_read_strictly() -> None:
    assert iso_date("2026-07-15") == date(2026, 7, 15)
    for text in ("2026-7-15", " 2026-07-15", "tomorrow"):
        with pytest.raises(AcceptanceError):
            iso_date(text)
