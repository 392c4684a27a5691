"""Groundedness, latency and cost of a set of runs, and what is said when one is missing."""

import json

from helpers.evaluate.measures import Measures, as_data, as_lines, measure
from helpers.evaluate.runs import Call
from helpers.evaluate.scores import score
from tests.evaluate import make

SOURCE = "Returns: Tents can be returned within 30 days of delivery."


def measured(*answers: str, model: str = "local", status: str = "ok") -> Measures:
    asked = [make.question(n) for n in range(1, len(answers) + 1)]
    runs = [
        make.run(
            answer,
            Call("search_documents", {"query": "tent"}, SOURCE),
            question_id=question.id,
            status=status,  # type: ignore[arg-type]
        )
        for question, answer in zip(asked, answers, strict=True)
    ]
    scores = [score(q, r) for q, r in zip(asked, runs, strict=True)]
    return measure(asked, runs, scores, model)


def test_all_three_are_measured() -> None:
    found = measured("You have 30 days.", "Blue, for £99.", "I do not know.")
    assert (found.grounded.successes, found.grounded.total) == (1, 2)
    assert (found.mismatched.successes, found.mismatched.total) == (1, 2)
    assert found.latency is not None
    assert found.latency.count == 3
    assert found.costs is not None
    assert found.costs.a_right_answer is not None
    assert found.notes == ()
    lines = as_lines(found)
    assert len(lines) == 3
    assert "50%" in lines[0]


def test_what_cannot_be_measured_is_said() -> None:
    unpriced = measured("You have 30 days.", model="openai:a-model-that-nobody-sells")
    assert unpriced.costs is None
    assert "No price is known" in as_lines(unpriced)[-1]
    down = measured("", status="error")
    assert (down.overlap, down.latency, down.costs) == (None, None, None)
    assert len(down.notes) == 2


def test_none_right_costs_no_zero() -> None:
    found = measured("Blue.", "Green.")
    assert found.costs is not None
    assert found.costs.a_right_answer is None
    assert "none is right" in as_lines(found)[-1]


def test_open_ends_are_data() -> None:
    data = as_data(measured("You have 30 days."))
    assert data["latency"]["p95"]["high"] is None
    assert json.loads(json.dumps(data, allow_nan=False)) is not None
