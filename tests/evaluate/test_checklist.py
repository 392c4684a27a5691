"""The checklist: one missing, old, foreign or thin piece of evidence is a no-go, never a pass."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from helpers.evaluate.checklist import (
    CHECKLIST,
    Before,
    Finding,
    Item,
    assess,
    assess_all,
    gaps,
    item,
)
from helpers.evaluate.evidence import Evidence, EvidenceError, Figure
from helpers.evaluate.threshold import Threshold
from helpers.evaluate.version import Version

VERSION = Version({"prompt": "1", "tools": "2"})
OTHER = Version({"prompt": "changed", "tools": "2"})
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

ITEMS = pytest.mark.parametrize("each", CHECKLIST, ids=lambda each: each.name)
MEASURED = pytest.mark.parametrize(
    "each", [each for each in CHECKLIST if not each.stated], ids=lambda each: each.name
)
STATED = pytest.mark.parametrize(
    "each", [each for each in CHECKLIST if each.stated], ids=lambda each: each.name
)


def good(each: Item) -> Evidence:
    """Evidence that just meets every threshold of an item."""
    figures = {
        t.figure: Figure(t.limit, t.counts, low=t.limit, high=t.limit) for t in each.thresholds
    }
    evidence = Evidence(each.name, VERSION, each.command, NOW - timedelta(days=1), figures)
    if each.stated:
        return dataclasses.replace(evidence, statement="Tried yesterday.", by="R. Person")
    return evidence


def all_good() -> dict[str, Evidence | EvidenceError | None]:
    return {each.name: good(each) for each in CHECKLIST}


def decide(each: Item, evidence: Evidence | EvidenceError | None) -> Finding:
    """The finding on one item, after proving that the report as a whole follows it."""
    report = assess_all(all_good() | {each.name: evidence}, VERSION, now=NOW)
    finding = next(found for found in report.findings if found.item == each)
    assert report.go is (finding.status == "passed")
    return finding


def test_the_items_are_those_of_the_issue() -> None:
    assert [each.title for each in CHECKLIST] == [
        "functional quality",
        "regression against the last release",
        "security",
        "privacy",
        "load",
        "latency",
        "cost",
        "failure modes",
        "rollout",
        "rollback",
        "monitoring",
        "documentation",
        "ownership",
    ]
    for each in CHECKLIST:
        assert each.why.endswith(".")
        assert each.why.count(". ") == 0, "one sentence"
        assert each.owner
        assert each.command


def test_go_needs_every_item() -> None:
    assert assess_all(all_good(), VERSION, now=NOW).go
    assert not assess_all({}, VERSION, now=NOW).go
    assert not assess_all({}, VERSION, now=NOW, checklist=()).go


@ITEMS
def test_missing_evidence(each: Item) -> None:
    found = decide(each, None)
    assert found.status == "not assessed"
    assert each.command in found.reasons[0]
    assert found.to_do == each.command


@ITEMS
def test_evidence_of_another_version(each: Item) -> None:
    found = decide(each, dataclasses.replace(good(each), version=OTHER))
    assert found.status == "not assessed"
    assert "since then changed: prompt" in found.reasons[0]
    then = [reason for reason in found.reasons if reason.startswith("measured then: ")]
    assert len(then) == len(each.thresholds)
    assert found.to_do == each.command


@pytest.mark.parametrize(
    ("part", "stale"),
    [
        ("controls", {"security", "privacy", "rollback", "documentation", "ownership"}),
        ("service", {"load", "failure_modes", "rollout", "rollback", "documentation", "ownership"}),
    ],
)
def test_what_a_change_around_the_agent_makes_stale(part: str, stale: set[str]) -> None:
    other = Version({**VERSION.parts, part: "changed"})
    found = {
        each.name
        for each in CHECKLIST
        if decide(each, dataclasses.replace(good(each), version=other)).status != "passed"
    }
    assert found == stale


@ITEMS
def test_old_evidence(each: Item) -> None:
    oldest = NOW - timedelta(days=each.max_age)
    assert decide(each, dataclasses.replace(good(each), written=oldest)).status == "passed"
    older = dataclasses.replace(good(each), written=oldest - timedelta(seconds=1))
    found = decide(each, older)
    assert found.status == "not assessed"
    assert "too old" in found.reasons[0]


@ITEMS
def test_evidence_from_the_future(each: Item) -> None:
    found = decide(each, dataclasses.replace(good(each), written=NOW + timedelta(hours=1)))
    assert found.status == "not assessed"
    assert "future" in found.reasons[0]


@ITEMS
def test_unreadable_evidence(each: Item) -> None:
    found = decide(each, EvidenceError(f"{each.name}.json cannot be read."))
    assert found.status == "not assessed"
    assert "cannot be read" in found.reasons[0]


@ITEMS
def test_evidence_of_another_item(each: Item) -> None:
    found = decide(each, dataclasses.replace(good(each), item="something else"))
    assert found.status == "not assessed"


@MEASURED
def test_too_few_counts(each: Item) -> None:
    for threshold in each.thresholds:
        few = {threshold.figure: Figure(threshold.limit, threshold.counts - 1, 0, 0)}
        evidence = good(each)
        found = decide(each, dataclasses.replace(evidence, figures={**evidence.figures, **few}))
        assert found.status == "not assessed"
        assert "too few counts" in found.reasons[0]


@MEASURED
def test_a_missing_figure(each: Item) -> None:
    for threshold in each.thresholds:
        evidence = good(each)
        rest = {n: f for n, f in evidence.figures.items() if n != threshold.figure}
        found = decide(each, dataclasses.replace(evidence, figures=rest))
        assert found.status == "not assessed"
        assert threshold.figure in found.reasons[0]


@MEASURED
def test_a_missed_threshold_fails(each: Item) -> None:
    for threshold in each.thresholds:
        worse = threshold.limit + (-0.001 if threshold.sense == "at least" else 0.001)
        figure = Figure(worse, threshold.counts, low=worse, high=worse)
        evidence = good(each)
        figures = {**evidence.figures, threshold.figure: figure}
        found = decide(each, dataclasses.replace(evidence, figures=figures))
        assert found.status == "failed"
        missed = [reason for reason in found.reasons if reason.startswith("MISSED")]
        assert len(missed) == 1
        assert threshold.figure in missed[0]


@MEASURED
def test_nobody_can_state_what_has_to_be_measured(each: Item) -> None:
    said = dataclasses.replace(good(each), figures={}, statement="It is fine.", by="R. Person")
    found = decide(each, said)
    assert found.status == "not assessed"
    assert "has to be measured" in found.reasons[0]


@MEASURED
def test_only_the_regression_of_a_first_release_may_be_stated(each: Item) -> None:
    said = dataclasses.replace(good(each), figures={}, statement="The first.", by="R. Person")
    found = assess(each, said, VERSION, now=NOW, first_release=True)
    assert (found.status == "passed") is (each.name == "regression")


@MEASURED
def test_figures_of_the_last_release_are_shown_beside_todays(each: Item) -> None:
    evidence = good(each)
    name = each.thresholds[0].figure
    figures = {**evidence.figures, "more": Figure(0.25, 8)}
    then = {each.name: {name: Figure(0.123, 50), "more": Figure(0.5, 8)}}
    found = assess(
        each,
        dataclasses.replace(evidence, figures=figures),
        VERSION,
        now=NOW,
        before=Before("v1", NOW, ("prompt",), then),
    )
    assert (found.status, found.to_do) == ("passed", None)
    assert found.reasons[0].startswith(name)
    assert "(release v1: 0.123), wanted" in found.reasons[0]
    assert found.reasons[-1] == "also measured: more 0.25 n=8 (release v1: 0.5)"


@STATED
def test_a_statement_is_labelled_as_one(each: Item) -> None:
    (reason,) = decide(each, good(each)).reasons
    assert reason == 'stated by R. Person on 2026-06-14: "Tried yesterday."'


@STATED
def test_no_command_can_state_what_a_person_has_to(each: Item) -> None:
    evidence = dataclasses.replace(good(each), statement=None, by=None, figures={"x": Figure(1, 1)})
    found = decide(each, evidence)
    assert found.status == "not assessed"
    assert "a person has to state it" in found.reasons[0]


def test_an_interval_can_be_what_must_be_good_enough() -> None:
    strict = Item(
        "x", "x", "Because.", "owner", "02", "c",
        thresholds=(Threshold("rate", "at most", 0.05, 100, end="high"),),
    )  # fmt: skip

    def status(figure: Figure) -> str:
        evidence = Evidence("x", VERSION, "c", NOW, {"rate": figure})
        return assess(strict, evidence, VERSION, now=NOW).status

    assert status(Figure(0.01, 100, 0.0, 0.05)) == "passed"
    assert status(Figure(0.01, 100, 0.0, 0.06)) == "failed"
    assert status(Figure(0.01, 100)) == "not assessed"


def test_items_are_found_by_name() -> None:
    assert item("privacy").title == "privacy"
    with pytest.raises(KeyError, match="choose one of functional_quality"):
        item("secrecy")


@ITEMS
def test_why_evidence_is_not_current(each: Item) -> None:
    found = good(each)
    assert gaps(each.name, found, VERSION, now=NOW) == []
    assert "since then changed: prompt" in gaps(each.name, found, OTHER, now=NOW)[0]
    for seconds, count in ((0, 0), (1, 1)):  # it is a day old
        later = NOW + timedelta(days=each.max_age - 1, seconds=seconds)
        assert len(gaps(each.name, found, VERSION, now=later)) == count
    thin = dataclasses.replace(found, figures={})  # figures are not what it is about
    assert gaps(each.name, thin, VERSION, now=NOW) == []
    assert len(gaps(each.name, found, OTHER, now=NOW + timedelta(days=200))) == 2


def test_evidence_that_is_no_item_depends_on_the_agent() -> None:
    found = dataclasses.replace(good(CHECKLIST[0]), item="drill")
    assert gaps("drill", found, VERSION, now=NOW) == []
    assert gaps("drill", found, VERSION, now=NOW + timedelta(days=30)) == [
        "too old: 31 days, at most 30"
    ]
    around = Version(dict(VERSION.parts) | {"controls": "new"})
    assert gaps("drill", found, around, now=NOW) == []
    assert gaps("drill", found, OTHER, now=NOW) != []
    assert gaps("other", found, VERSION, now=NOW) == ["the evidence is of drill"]
