from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from evals import (
    Rules,
    as_messages,
    calls_evaluator,
    compare,
    gate,
    rate,
    scores_of,
    slices,
    stated,
    states_facts,
)

LOOK = {"name": "lookup_order", "args": {"order_id": "FH-00001"}}
PAID = {"order_id": "FH-00001"}
PAY = {"name": "issue_refund", "args": PAID}


def test_a_rate_has_its_interval() -> None:
    assert rate([True] * 5) == "100% [57%, 100%] 5/5"
    assert rate([True, False]) == "50% [9%, 91%] 1/2"
    assert rate([]) == "nothing to count"


# A row for each wording that was scored wrongly once.
@pytest.mark.parametrize(
    ("fact", "answer", "found"),
    [
        ("30 days", "You have 30 Days.", True),
        ("30 days", "You have 130 days.", False),
        ("£32", "It costs £32.00.", True),
        ("£14", "It costs £14.50.", False),
        ("2 kg", "It weighs 1.2 kg.", False),
        ("200", "It weighs 1,200 g.", False),
        ("60 days", "60 days.", True),
    ],
)
def test_a_fact_is_found_as_whole_words(fact: str, answer: str, found: bool) -> None:
    assert stated(fact, answer) is found


@pytest.mark.parametrize(
    ("answer", "comment"),
    [
        ("You have 30 days, paid back within a week.", ""),
        ("You have 30 days.", "lacks a week"),
        ("30 days and a week, for boots 90 days.", "has 90 days"),
        ("I don't know. Perhaps 30 days and a week.", "refuses"),
        (None, "lacks 30 days, lacks a week"),
    ],
)
def test_an_answer_states_all_facts_and_nothing_wrong(answer: str | None, comment: str) -> None:
    expected = {"states": [["30 days", "thirty days"], ["a week"]], "never": ["90 days"]}
    found = states_facts({"answer": answer}, expected)
    assert (found["score"], found["comment"]) == (not comment, comment)


def test_what_nothing_answers_has_to_be_refused() -> None:
    expected: dict[str, Any] = {"states": [], "never": []}
    assert states_facts({"answer": "Sorry, I cannot say."}, expected)["score"]
    assert states_facts({"answer": "It is blue."}, expected)["comment"] == "does not refuse"
    assert not states_facts({"output": None}, expected)["score"]  # the target raised


@pytest.mark.parametrize(
    ("made", "comment"),
    [
        ([LOOK, PAY], ""),
        ([LOOK, LOOK, PAY], ""),
        ([PAY, LOOK], ""),
        ([LOOK, {"name": "issue_refund", "args": {**PAID, "pounds": 8}}], ""),
        ([LOOK], "a call is missing"),
        ([LOOK, PAY, PAY], "also did {'issue_refund': 1}"),
        ([LOOK, {"name": "issue_refund", "args": {"order_id": "FH-00002"}}], "a call is missing"),
        ([LOOK, PAY, {"name": "hand_over", "args": {}}], "also did {'hand_over': 1}"),
    ],
)
def test_calls_may_read_more_and_do_no_more(made: list[dict[str, Any]], comment: str) -> None:
    right_calls = calls_evaluator({"lookup_order"})
    found = right_calls({"messages": as_messages(made)}, {"calls": [LOOK, PAY]})
    assert (found["score"], found["comment"]) == (not comment, comment)


def frame(right: str, kinds: str | None = None, **more: Any) -> pd.DataFrame:
    """Scores from a letter a question: y is right; `kinds` has the kind of each."""
    rows = [
        {"kind": kind, "seconds": 1.0, "failed": False, "states_facts": mark == "y"}
        | {"right_calls": True}
        | more
        for mark, kind in zip(right, kinds or "a" * len(right), strict=True)
    ]
    return pd.DataFrame(rows, index=[f"question {n}" for n in range(len(rows))])


def test_versions_are_compared_by_pairs() -> None:
    before, after = frame("y" * 10 + "n" * 2)["states_facts"], frame("y" * 4 + "n" * 6 + "yn")
    found = compare(before, after["states_facts"].iloc[::-1])
    assert (found["lost"], found["gained"]) == (6, 1)
    assert found["p"] == pytest.approx(0.125)  # 2 * (1 + 7) / 2**7
    assert found["difference"] == pytest.approx(-5 / 12)
    assert -0.9 < found["low"] < -5 / 12 < found["high"] <= 0
    same = compare(before, before)
    assert (same["p"], same["low"], same["high"]) == (1, 0, 0)
    with pytest.raises(ValueError, match="same questions"):
        compare(before, after["states_facts"].iloc[:-1])


def test_slices_are_corrected_for_their_number() -> None:
    kinds = "a" * 10 + "b" * 10
    table = slices(frame("y" * 20, kinds), frame("n" * 10 + "y" * 10, kinds))
    assert list(table["lost"]) == [10, 0]
    assert table.loc["a", "p"] == pytest.approx(2 * 2 / 2**10)
    assert table.loc["b", "p"] == 1


def stops(before: pd.DataFrame | None, after: pd.DataFrame, rules: Rules | None = None) -> set[str]:
    table = gate(before, after, rules or Rules())
    return set(table.loc[~table["passes"], "rule"])


def test_the_gate_lets_the_same_version_pass_and_stops_worse_ones() -> None:
    good = frame("y" * 11 + "n")
    assert stops(good, good) == set()
    assert stops(None, good) == set()
    assert stops(good, frame("y" * 9 + "n" * 3), Rules(right=0.4)) == {"difference, low end"}
    assert stops(good, frame("y" * 11 + "n", right_calls=False)) == {"calls that became wrong"}
    assert stops(good, frame("y" * 11 + "n", failed=True)) == {"questions without an answer"}
    assert stops(good, frame("y" * 11 + "n", seconds=31.0)) == {"seconds, 95%"}
    assert stops(good, good, Rules(right=0.7)) == {"right answers, low end"}
    kinds = "a" * 10 + "b" * 60
    ruined = frame("n" * 10 + "y" * 60, kinds)
    lost = stops(frame("y" * 70, kinds), ruined, Rules(difference=-1))
    assert lost == {"slices that lost ground"}


def test_what_is_not_known_does_not_pass() -> None:
    good = frame("y" * 12)
    assert stops(good, frame("y" * 12, seconds=float("nan"))) == {"seconds, 95%"}


def result(score: bool | None, error: str | None = None) -> dict[str, Any]:
    """A row of LangSmith's results."""
    start = datetime(2026, 6, 15, tzinfo=UTC)
    run = SimpleNamespace(start_time=start, end_time=start + timedelta(seconds=2), error=error)
    example = SimpleNamespace(inputs={"question": "?"}, metadata={"kind": "a"})
    verdict = SimpleNamespace(key="states_facts", score=score, comment="KeyError('states')")
    return {"run": run, "example": example, "evaluation_results": {"results": [verdict]}}


def test_results_become_a_row_each_and_hide_nothing() -> None:
    (row,) = scores_of([result(False, "TimeoutError")], 1).to_dict("records")
    assert row == {"kind": "a", "seconds": 2, "failed": True, "states_facts": False}
    with pytest.raises(ValueError, match="states_facts gave no verdict: KeyError"):
        scores_of([result(None)], 1)
    with pytest.raises(ValueError, match="0 rows for 1 examples"):
        scores_of([], 1)
