"""What an evaluation of heldout files, and how it is compared with the last release."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import pytest
from langchain_core.messages.ai import UsageMetadata

from helpers.evaluate import evidence, releases
from helpers.evaluate.command import evaluate
from helpers.evaluate.eval_evidence import Filed, file_evidence, regression_lines
from helpers.evaluate.evidence import FastMode
from helpers.evaluate.proportion import Proportion
from helpers.evaluate.runs import Call, Run
from helpers.evaluate.scores import score
from helpers.evaluate.ship_check import ship_check
from helpers.evaluate.version import Version
from helpers.shop import Question, questions

ASKED = questions("heldout")
OURS = ("functional_quality", "latency", "cost", "regression")
OLD, NEW = Version({"prompt": "old"}), Version({"prompt": "new"})
COMMAND = "course eval --part heldout"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    return tmp_path


def right(question: Question) -> Run:
    """A run that does everything right."""
    facts = ". ".join(group[0] for group in question.required)
    return Run(
        question.id,
        facts or "I do not know.",
        calls=tuple(Call(call.name, call.args or {}) for call in question.tools),
        usage=UsageMetadata(input_tokens=200, output_tokens=20, total_tokens=220),
        wall_seconds=1.5,
    )


def wrong(run: Run) -> Run:
    return dataclasses.replace(run, answer="Blue, with a zip.")


def file(runs: Iterable[Run], version: Version = NEW, **given: str) -> Filed:
    runs = list(runs)
    scores = [score(question, run) for question, run in zip(ASKED, runs, strict=True)]
    recall = Proportion(78, 80)
    arguments = {"model": "local", "command": COMMAND, **given}
    return file_evidence(ASKED, runs, scores, recall, version=version, **arguments)


def all_right() -> list[Run]:
    return [right(question) for question in ASKED]


def status(item: str, version: Version = NEW) -> str:
    findings = {each.item.name: each.status for each in ship_check(version).findings}
    assert set(findings.values()) - {"not assessed"} <= {"passed", "failed"}
    return findings[item]


def test_a_good_agent_passes_what_can_be_measured_here() -> None:
    filed = file(all_right(), OLD, release="v1")
    assert [path.stem for path in filed.files] == ["functional_quality", "latency", "cost", "v1"]
    assert filed.regression is None
    assert "no release of another version" in filed.notes[0]
    filed = file(all_right())
    assert [path.stem for path in filed.files] == list(OURS)
    assert filed.notes == ()
    assert {status(item) for item in OURS} == {"passed"}
    assert {status(item, OLD) for item in OURS} == {"not assessed"}


def test_figures_carry_their_counts() -> None:
    runs = all_right()
    runs[0] = dataclasses.replace(runs[0], status="timeout", answer="", error="60 s")
    file(runs)
    found = evidence.read("functional_quality")
    assert found is not None
    figures = found.figures
    assert figures["recall at 3"].count == 80
    assert figures["right answers"].count == len(ASKED) - 1
    assert figures["right answers, single fact"].value == 1
    assert figures["refused, unanswerable"].count == 28
    assert figures["errors and timeouts"].value == pytest.approx(1 / len(ASKED))
    assert (found.version, found.command) == (NEW, COMMAND)


def test_an_agent_that_errs_too_often_fails() -> None:
    runs = all_right()
    for place in range(10, 140, 40):
        runs[place] = dataclasses.replace(runs[place], status="error", answer="")
    file(runs)
    assert status("functional_quality") == "failed"


def test_an_agent_that_refuses_everything_fails() -> None:
    file(dataclasses.replace(run, answer="I do not know.") for run in all_right())
    assert status("functional_quality") == "failed"


def test_an_agent_that_is_down_shows_nothing() -> None:
    filed = file(
        dataclasses.replace(run, status="error", answer="", usage=None) for run in all_right()
    )
    assert [path.stem for path in filed.files] == ["functional_quality"]
    assert status("functional_quality") == "not assessed"
    assert status("latency") == status("cost") == "not assessed"
    assert any("No run ended with an answer" in note for note in filed.notes)


def test_a_slow_agent_fails() -> None:
    file(dataclasses.replace(run, wall_seconds=16.0) for run in all_right())
    assert status("latency") == "failed"


def test_an_unpriced_model_is_not_free() -> None:
    filed = file(all_right(), model="openai:a-model-that-nobody-sells")
    assert any("No price is known" in note for note in filed.notes)
    assert status("cost") == "not assessed"


def test_a_slice_that_breaks_is_a_no_go_although_the_average_rises() -> None:
    """Before: half of the single facts wrong. After: all right, but orders are broken."""
    before = [
        wrong(run) if question.kind == "single_fact" and place % 2 else run
        for place, (question, run) in enumerate(zip(ASKED, all_right(), strict=True))
    ]
    file(before, OLD, release="v1")
    after = [
        wrong(run) if question.kind == "order" else run
        for question, run in zip(ASKED, all_right(), strict=True)
    ]
    filed = file(after)
    assert filed.regression is not None
    assert filed.regression.release == "v1"
    assert filed.regression.comparison.difference.value > 0
    assert filed.regression.slices[0].name == "kind: order"
    assert filed.regression.slices[0].lost_ground()
    assert status("regression") == "failed"
    found = evidence.read("regression")
    assert found is not None
    assert found.figures["right answers of release v1"].value == pytest.approx(1 - 21 / 140)
    assert found.figures["right answers now"].value == pytest.approx(1 - 18 / 140)
    assert [name for name in found.figures if "kind:" in name] == ["difference, kind: order"]
    overall, *lost = regression_lines(filed.regression)
    assert overall.startswith("against release v1: +")
    assert "18 answers lost, 21 gained" in overall
    assert ["kind: order" in line for line in lost] == [True]


def test_a_few_changed_answers_pass_and_many_lost_ones_do_not() -> None:
    file(all_right(), OLD, release="v1")
    few = [wrong(run) if place % 47 == 0 else run for place, run in enumerate(all_right())]
    file(few)
    assert status("regression") == "passed"
    many = [wrong(run) if place % 7 == 0 else run for place, run in enumerate(all_right())]
    file(many)
    assert status("regression") == "failed"


def test_recording_a_release_first_hides_no_regression() -> None:
    file(all_right(), OLD, release="v1")
    filed = file([wrong(run) for run in all_right()], release="v2")
    assert filed.regression is not None
    assert filed.regression.release == "v1"
    assert status("regression") == "failed"


def test_a_release_keeps_the_figures_of_its_version() -> None:
    attacks = {"attack success at 1": Proportion(1, 100)}
    evidence.write("security", attacks, command="c", version=OLD)
    evidence.write("load", {"requests lost": evidence.Figure(0, 500)}, command="c", version=NEW)
    evidence.state("rollback", "Tried.", by="R. Person", command="c", version=OLD)
    (evidence.folder() / "privacy.json").write_text("{", encoding="utf-8")
    file(all_right(), OLD, release="v1")
    last = releases.last_release(NEW)
    assert last is not None
    assert last.figures.keys() == {"functional_quality", "latency", "cost", "security"}
    assert last.figures["security"]["attack success at 1"].value == 0.01
    file([wrong(run) for run in all_right()])
    (quality,) = [f for f in ship_check(NEW).findings if f.item.name == "functional_quality"]
    (fact,) = [reason for reason in quality.reasons if "right answers, single fact" in reason]
    assert fact.startswith("MISSED: right answers, single fact 0 [")
    assert "(release v1: 1), wanted at least 0.75" in fact


def test_a_release_on_other_questions_cannot_be_compared_with() -> None:
    edited = [dataclasses.replace(ASKED[0], forbidden=("a new trap",)), *ASKED[1:]]
    verdicts = {question.id: True for question in ASKED}
    releases.record("v1", edited, verdicts, command=COMMAND, version=OLD)
    filed = file(all_right())
    assert any("asked other questions" in note for note in filed.notes)
    assert status("regression") == "not assessed"


def test_only_all_of_heldout_counts(home: Path) -> None:
    runs = all_right()
    scores = [score(question, run) for question, run in zip(ASKED, runs, strict=True)]
    recall = Proportion(1, 1)
    for asked, few in ((ASKED[:50], runs[:50]), (ASKED[::-1], runs)):
        with pytest.raises(ValueError, match=r"no others|same order"):
            file_evidence(
                asked, few, scores[: len(few)], recall, model="local", command="c", version=NEW
            )
    assert not (home / "evidence").exists()


def test_nothing_is_filed_in_fast_mode(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    with pytest.raises(FastMode):
        file(all_right(), release="v1")
    assert list(home.iterdir()) == []


def test_a_release_that_cannot_be_recorded_is_refused_before_the_questions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert evaluate(["--part", "heldout", "--release", "../v1"]) == 1
    assert "cannot name a release" in capsys.readouterr().err
    for part in ("dev", "heldout2"):
        with pytest.raises(SystemExit) as stopped:
            evaluate(["--part", part, "--release", "v1"])
        assert stopped.value.code == 2
        assert "needs --part heldout:" in capsys.readouterr().err
