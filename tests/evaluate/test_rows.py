"""Tables: every row has the same columns, and what is missing is no zero."""

from datetime import UTC, datetime

import pytest

from helpers.course.show.tables import render
from helpers.evaluate import rows, summarise
from helpers.evaluate.checklist import CHECKLIST, assess_all
from helpers.evaluate.compare import compare, slices
from helpers.evaluate.scores import score
from helpers.evaluate.version import Version
from helpers.shop import questions
from tests.evaluate.make import question, run


def test_the_golden_set_has_a_row_a_kind() -> None:
    found = rows.of_golden_set(questions("dev"))
    assert len(found) == 6
    assert sum(row["questions"] for row in found) == 80
    (unanswerable,) = [row for row in found if row["kind"] == "unanswerable"]
    assert unanswerable["states"] == "that it does not know"


def test_a_summary_ends_with_all_questions() -> None:
    runs = [run(), run(status="error")]
    found = rows.of_summary(summarise([score(question(), each) for each in runs], runs))
    assert [row["kind"] for row in found] == ["single_fact", "all"]
    assert found[-1]["no answer"] == 1


def test_no_right_answer_has_no_price() -> None:
    runs = [run("No idea.")]
    found = rows.of_time_and_money(runs, [score(question(), runs[0])], "local")
    assert found[-1]["figure"] == "a right answer"
    assert found[-1]["value"] is None
    assert found[-2]["value"] == pytest.approx((100 * 4.5 + 10 * 8.5) * 0.04 / 3600 * 1000)
    assert "inf" not in render(found, caption="Costs").text  # one answer leaves ends open


def test_slices_come_after_all_questions() -> None:
    before, after = {"a": True, "b": True}, {"a": True, "b": False}
    found = slices(before, after, {"a": ["one"], "b": ["two"]})
    table = rows.of_slices(compare(before, after), found)
    assert [row["questions"] for row in table] == ["all", "two", "one"]
    assert [row["lost"] for row in table] == [1, 1, 0]


def test_a_small_p_value_is_not_written_as_zero() -> None:
    few, many = compare({"a": True}, {"a": False}), {str(n): True for n in range(20)}
    lost = compare(many, dict.fromkeys(many, False))
    found = rows.of_comparisons([("few", few, few.p_value), ("many", lost, lost.p_value)])
    assert [row["p"] for row in found] == ["1.000", "< 0.001"]


def test_the_checklist_and_a_report_of_it() -> None:
    report = assess_all({}, Version({}), now=datetime.now(UTC))
    assert len(rows.of_checklist()) == len(rows.of_report(report)) == len(CHECKLIST)
    assert {row["status"] for row in rows.of_report(report)} == {"not assessed"}
