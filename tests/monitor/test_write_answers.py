"""Making the labelled answers: what a reader is shown, and how two passes come together."""

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.monitor import write_answers
from helpers.monitor.write_answers import is_copy, join, order, plan, read_labels, sheet

SOURCE = "Delivery: Standard delivery costs £3.95. It takes 3 to 5 working days."
ROWS: list[dict[str, Any]] = [
    {
        "id": f"a{n:03d}",
        "question": f"Question {n}?",
        "source": f"Text {n}.",
        "answer": f"Answer {n}.\nMore.",
        "prompt": "free",
        "passage": "missing",
    }
    for n in range(1, 6)
]


@pytest.mark.parametrize(
    ("answer", "copied"),
    [
        ("Standard delivery costs £3.95.", True),
        ("It takes 3 to 5 working days. STANDARD delivery costs £3.95", True),
        ("Delivery: Standard delivery costs £3.95.", True),
        ("", True),
        ("It takes 3 to 5 working days. Enjoy your tent!", False),
        ("Standard delivery costs £3.9.", False),
        ("Delivery takes 3 to 5 working days.", False),
    ],
)
def test_what_only_repeats_its_passage(answer: str, copied: bool) -> None:
    assert is_copy(answer, SOURCE) is copied


def test_the_plan_has_every_prompt_and_passage_in_both_parts() -> None:
    plans = list(plan())
    assert len(plans) == 200
    for odd in (0, 1):
        ways = {(p, w) for q, p, w, _ in plans if int(q.id[-3:]) % 2 == odd}
        assert {p for p, _ in ways} == {"agent", "own", "free"}
        assert {w for _, w in ways} == {"found", "missing", "next"}


def test_a_sheet_shows_text_question_and_answer_alone() -> None:
    text = sheet(ROWS, 1)
    for row in ROWS:
        assert f"TEXT      {row['source']}" in text
        assert f"ANSWER    {row['answer'].replace(chr(10), ' / ')}" in text
        assert row["id"] not in text
    assert "free" not in text
    assert "missing" not in text
    assert text.index(write_answers.RULE[0]) < text.index("TEXT")
    assert sheet(ROWS, 2) != text


def test_labels_find_their_answers() -> None:
    labels = ["yes", "no", "none", "yes", "no"]
    on_sheet = [labels[at] for at in order(5, 2)]
    text = "\n".join(f"{n} {label} a reason" for n, label in enumerate(on_sheet, start=1))
    assert read_labels(text, 5, 2) == labels
    assert read_labels(text, 5, 1) != labels


@pytest.mark.parametrize(
    ("text", "message"),
    [("1 yes", "numbers 1 to 2"), ("1 yes\n3 no", "numbers 1 to 2"), ("1 yes\n2 maybe", "maybe")],
)
def test_a_pass_that_is_not_complete_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_labels(text, 2, 1)


def test_two_passes_come_together() -> None:
    first, second = ["yes", "no", "no", "none", "yes"], ["yes", "no", "yes", "none", "no"]
    settled = {"a003": ("yes", "Said of both."), "a005": ("no", "Of ropes only.")}
    rows = join(ROWS, first, second, settled)
    assert [r["label"] for r in rows] == ["yes", "no", "yes", "none", "no"]
    assert [r["note"] for r in rows] == ["", "", "Said of both.", "", "Of ropes only."]
    assert [r["first"] for r in rows] == first
    assert [r["second"] for r in rows] == second


@pytest.mark.parametrize("settled", [{}, {"a001": ("no", "-"), "a002": ("no", "-")}])
def test_what_is_settled_is_what_differs(settled: dict[str, tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"a00[12]"):
        join(ROWS, ["yes"] * 5, ["no", *["yes"] * 4], settled)


def test_the_steps_from_a_draft_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(write_answers, "write", lambda plans: ROWS)
    monkeypatch.setattr(write_answers, "FILE", tmp_path / "answers.json")
    draft, first, second, settled = (tmp_path / name for name in "dfsx")
    write_answers.main(["write", str(draft)])
    write_answers.main(["sheet", str(draft), "1"])
    assert sheet(ROWS, 1) in capsys.readouterr().out
    first.write_text("\n".join(f"{n} yes" for n in range(1, 6)))
    second.write_text("\n".join(f"{n} {'no' if n == 2 else 'yes'}" for n in range(1, 6)))
    differs = ROWS[order(5, 2)[1]]["id"]
    settled.write_text(f"{differs} no It is made up.\n")
    write_answers.main(["join", str(draft), str(first), str(second), str(settled)])
    found = json.loads((tmp_path / "answers.json").read_text("utf-8"))
    assert found["rule"] == list(write_answers.RULE)
    assert {r["id"] for r in found["answers"] if r["label"] == "no"} == {differs}


@pytest.mark.slow
def test_the_local_model_writes_answers_with_probabilities() -> None:
    (row,) = write_answers.write([next(p for p in plan() if p[1] == "free")])
    assert row["id"] == "a001"
    assert sum(row["lengths"]) == len(row["answer"])
    assert len(row["lengths"]) == len(row["logprobs"])
    assert all(value <= 0 for value in row["logprobs"])
