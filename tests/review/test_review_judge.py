"""The judge's findings say what to do; the exercises' own tests try whole answers."""

import json
import time
from pathlib import Path

import pytest

from helpers.review.answer import Answer
from helpers.review.dealt import dealt_with
from helpers.review.judge import MOST_CHARACTERS, Finding, judge
from helpers.review.questions import UnknownQuestionError, question, questions
from helpers.review.saved import load, save, saved_answers
from tests.exercises.m12.made import bodies, home, text_of, written

FIRST = question("q1")
PLAIN = text_of(bodies(FIRST))


def found(text: str, aspect: str, kind: str = "current") -> list[str]:
    return [one.text for one in judge(FIRST, Answer(text, home(kind))) if one.aspect == aspect]


def test_the_questions_have_the_parts_that_all_have() -> None:
    assert [one.id for one in questions()] == ["Q1", "Q2", "Q3", "Q4", "Q5"]
    for one in questions():
        assert {"Claim", "Counter-case", "Limit"} <= {part.name for part in one.parts}
        assert one.rubric
        assert {line.level for line in one.rubric} <= {"know", "apply", "judge"}
    with pytest.raises(UnknownQuestionError, match="choose one of Q1, Q2"):
        question("Q9")


def test_a_full_answer_has_no_finding() -> None:
    assert judge(FIRST, Answer(PLAIN, home())) == []


def test_a_missing_figure_names_those_that_there_are() -> None:
    (text,) = found(PLAIN + "\n\n5% [cost: dollars a day].", "sources")
    assert "dollars a question; dollars a right answer" in text


def test_missing_evidence_names_the_command_that_writes_it() -> None:
    (text,) = found(
        PLAIN + "\n\nNo fault [failure_modes: faults without a clear error].", "sources"
    )
    assert "course serve-check" in text


def test_evidence_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "evidence" / "cost.json").write_text("{", encoding="utf-8")
    texts = [one.text for one in judge(FIRST, Answer(PLAIN, folder))]
    assert any("cost.json cannot be read" in text for text in texts) or "[cost:" not in PLAIN


def test_a_home_that_is_damaged_is_one_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "release.json").write_text("{", encoding="utf-8")
    assert "pack it again" in judge(FIRST, Answer(PLAIN, folder))[0].text


def test_old_evidence_and_that_of_another_version_say_why() -> None:
    assert "too old: 400 days" in found(PLAIN, "current", "old")[0]
    assert "since then changed: prompt" in found(PLAIN, "current", "other")[0]


def test_a_wrong_value_shows_both_numbers() -> None:
    (text,) = found(PLAIN + "\n\n50% [functional_quality: right answers].", "figures")
    assert "50%" in text
    assert "0.7 (n = 140)" in text


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("It was 50% then.", True),
        ("It was 0.5 then.", True),
        ("It was 5 of 10 then.", True),
        ("It was 50% [limit].", False),
        ("It was 50% [stated: a report, 2025].", False),
        ("It runs 24/7, in 3 rounds, for one of 11 teams.", False),
        ("It is 70% [functional_quality: right answers], 1.4 times more.", False),
        ("It is 70% [functional_quality: right answers] at 95% confidence.", False),
        ("It is 70% [functional_quality: right answers], not 90%.", True),
        ("It would be 20 of 28 [derived: one refusal more than 19].", False),
        ("Half of the visitors left.", True),
        ("If half of the visitors left, it would fail.", False),
        ("Nine out of ten visitors left.", True),
        ("One complaint in ten is right, and two of the three controls are code.", False),
        ("7/10 visitors left.", True),
    ],
)
def test_numbers_without_a_source(text: str, missing: bool) -> None:
    assert bool(found(f"{PLAIN}\n\n{text}", "uncited")) is missing


def test_the_sentence_after_a_figure_may_give_its_interval(tmp_path: Path) -> None:
    folder = written(tmp_path)
    file = folder / "evidence" / "security.json"
    content = json.loads(file.read_text("utf-8"))
    content["figures"]["benign answers lost"] |= {"low": 0.004, "high": 0.129}
    file.write_text(json.dumps(content), encoding="utf-8")
    cites = f"{PLAIN}\n\nIt was 1 of 40 [security: benign answers lost]."

    def uncited(text: str) -> bool:
        return any(one.aspect == "uncited" for one in judge(FIRST, Answer(text, folder)))

    assert not uncited(f"{cites} The 95% interval ends at 12.9%.")
    assert uncited(f"{cites} The 95% interval ends at 14%.")
    assert uncited(f"{cites} The visitors like 12.9% of it.")
    assert uncited(f"{PLAIN}\n\nThe 95% interval ends at 12.9%.")


@pytest.mark.parametrize("run", ["a", "1", "1% ", " 1 of", "\n", " no no", " we have no", "a-"])
def test_long_runs_are_answered_soon(run: str) -> None:
    long = run * ((MOST_CHARACTERS - len(PLAIN)) // len(run))
    begun = time.process_time()
    judge(FIRST, Answer(PLAIN + long, home()))
    assert time.process_time() - begun < 20
    (text, *others) = judge(FIRST, Answer(PLAIN + 100_000 * "a", home()))
    assert "at most 20,000" in text.text
    assert {one.text for one in others} == {"Not looked at, see above."}


@pytest.mark.parametrize(
    ("sentence", "counts"),
    [
        ("| load | sale day outage |", True),
        ("- load is good", False),
        ("- Failure modes is good", False),
        ("We do not test load at all on any day.", False),
        ("Load does not matter, since we have three visitors a day.", True),
        ("Load, cost, privacy and security are the things that we look at each day.", False),
    ],
)
def test_a_name_needs_words_of_its_own(sentence: str, counts: bool) -> None:
    names = FIRST.names
    assert names is not None
    assert (
        any(one in ("load", "failure modes") for one in dealt_with(names, sentence).found) is counts
    )


def test_a_card_tells_what_was_only_denied_or_listed() -> None:
    part = "We do not test load. Privacy, latency, cost, security and rollback are listed."
    texts = found(text_of({**bodies(FIRST), "Checks and incidents": part}), "names")
    assert any("Found only in negations" in text and "load" in text for text in texts)
    (listed,) = [text for text in texts if "Only listed" in text]
    (missing,) = [text for text in texts if "Not there" in text]
    assert "privacy" in listed
    assert "privacy" not in missing


@pytest.mark.parametrize(
    "heading",
    [
        "##Counter-case",
        "**Counter case**",
        "## 5. Countercases",
        "Counter-case\n---",
        "## Counter‑case",
        "# COUNTER-CASE:",
    ],
)
def test_headings_may_be_written_otherwise(heading: str) -> None:
    assert found(PLAIN.replace("## Counter-case", heading), "parts") == []


def test_a_missing_part_lists_the_headings_that_there_are() -> None:
    (text,) = found(PLAIN.replace("## Limit", "## Boundaries"), "parts")
    assert "Boundaries" in text


def test_a_folder_of_evidence_is_found_or_named(tmp_path: Path) -> None:
    assert judge(FIRST, Answer(PLAIN, home() / "evidence")) == []
    (tmp_path / "cost.json").write_text("{}", encoding="utf-8")
    assert "the folder above" in judge(FIRST, Answer(PLAIN, tmp_path))[0].text


def test_a_file_that_is_no_evidence_is_told_the_keys(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "evidence" / "security.json").write_text("{}", encoding="utf-8")
    text = PLAIN + "\n\n1 of 40 [security: benign answers lost]."
    assert any("has the keys item" in one.text for one in judge(FIRST, Answer(text, folder)))


def test_two_figures_in_a_bracket_and_unknown_evidence_are_told() -> None:
    text = "\n\n0% [load: requests lost; load: errors]. 5% [secure: benign answers lost]."
    first, second = found(PLAIN + text, "sources")
    assert "write [load: requests lost] and [load: errors]" in first
    assert "there is: security" in second


def test_padding_is_no_text_of_ones_own() -> None:
    parts = bodies(FIRST)
    padded = text_of({**parts, "Limit": "very " * 80})
    assert found(padded, "parts")
    assert found(text_of({**parts, "Limit": FIRST.question * 5}), "parts")


def test_saved_answers_come_back_and_keep_their_earlier_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    assert load("Q1") is None
    save(FIRST, Answer("one", tmp_path), [Finding("parts", "more")])
    save(FIRST, Answer("one", tmp_path), [])
    save(FIRST, Answer("two"), [])
    (saved,) = saved_answers()
    assert (saved.text, saved.home, saved.findings) == ("two", None, ())
    assert len(list((tmp_path / "answers").glob("Q1.*Z*.json"))) <= 1
    assert len(list((tmp_path / "answers").glob("*.json"))) == 2
