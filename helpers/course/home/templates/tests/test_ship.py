import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain.messages import AIMessage

import ship
from fakes import calls, scripted

CAN, CANNOT = "The lamp weighs 2 kg.", "Sorry, I do not know."
LINE: dict[str, Any] = {"kind": "document", "customer": None, "states": [["2 kg"]], "never": []}
LOOK = {"name": "search_documents", "args": {}}
PAY = {"name": "issue_refund", "args": {"order_id": "FH-00001"}}


def golden(count: int = 12) -> list[dict[str, Any]]:
    """Questions about the lamp, of which the last one is a refund."""
    lines = [LINE | {"question": f"How heavy, {n}?", "calls": [LOOK]} for n in range(count - 1)]
    paid: dict[str, Any] = {"kind": "action", "customer": "ann", "states": [["£8"]], "never": []}
    return [*lines, paid | {"question": "Refund £8 of FH-00001.", "calls": [PAY]}]


def replies(wrong: int = 0, extra: bool = False) -> Iterator[AIMessage | str]:
    """What a model says to the golden questions: calls, then answers, the first ones wrong."""
    for number in range(11):
        yield calls("search_documents", {"query": "lamp weighs 2 kg"})
        yield "It weighs 3 kg." if number < wrong else CAN
    yield calls("issue_refund", *[{"order_id": "FH-00001"}] * (2 if extra else 1))
    yield "You get £8.00 back."


@pytest.fixture
def released(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A golden set of twelve, whose results are those of the released version."""
    monkeypatch.setattr(ship, "GOLDEN", shop / "golden.jsonl")
    monkeypatch.setattr(ship, "RELEASED", shop / "released.json")
    ship.GOLDEN.write_text("\n".join(map(json.dumps, golden())), "utf-8")
    assert decide(monkeypatch, "--keep") == 0
    return ship.RELEASED


def decide(monkeypatch: pytest.MonkeyPatch, *argv: str, **how: Any) -> int:
    model = scripted(*replies(**how))
    monkeypatch.setattr(ship, "make_model", lambda name: model)
    return ship.main(list(argv))


@pytest.mark.usefixtures("released")
def test_the_same_version_may_be_shipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert decide(monkeypatch) == 0
    out, err = capsys.readouterr()
    assert "right answers: 100% [76%, 100%] 12/12" in out
    assert "It may be shipped." in out
    assert "STOPS" not in out + err


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize(
    ("how", "reason", "line"),
    [
        ({"wrong": 4}, "difference, low end", "How heavy, 3? lacks 2 kg"),
        ({"extra": True}, "calls that became wrong: 1.00, at most 0", "also did {'issue_refund'"),
    ],
)
def test_a_worse_version_is_stopped_with_reasons(
    how: dict[str, Any],
    reason: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = ship.RELEASED.read_text("utf-8")
    capsys.readouterr()
    assert decide(monkeypatch, "--keep", **how) == 1
    out, err = capsys.readouterr()
    assert err.startswith("Stopped.\n")
    assert reason in err
    assert line in out
    assert ship.RELEASED.read_text("utf-8") == kept


@pytest.mark.usefixtures("released")
def test_a_model_that_fails_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ship, "make_model", lambda name: scripted("Only one."))
    assert ship.main([]) == 1
    assert "questions without an answer: 11.00, at most 0 is needed" in capsys.readouterr().err


def test_without_a_release_nothing_is_decided(
    released: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    released.unlink()
    assert decide(monkeypatch) == 2
    assert "run python ship.py --keep" in capsys.readouterr().err


@pytest.mark.usefixtures("released")
def test_other_questions_are_not_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [LINE | {"question": f"How heavy, {n}!", "calls": [LOOK]} for n in range(11)]
    ship.GOLDEN.write_text("\n".join(map(json.dumps, [*lines, golden()[-1]])), "utf-8")
    assert decide(monkeypatch) == 2
    assert "golden.jsonl has changed" in capsys.readouterr().err


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n", "has no questions"),
        ('{"question": "?"}', "line 1"),
        (json.dumps(golden()[0]) + "\n" + json.dumps(golden()[0]), "line 2: the question is there"),
    ],
)
def test_a_golden_set_that_is_not_one(
    text: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ship.GOLDEN.write_text(text, "utf-8")
    assert decide(monkeypatch) == 2
    assert says in capsys.readouterr().err


def test_the_projects_own_golden_set_can_be_read() -> None:
    assert len(ship.read_golden(ship.HERE / "golden.jsonl")) >= 12
