"""`course cost` on a tiny part: the report, the goals, the evidence and its agreement."""

import json
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings

from helpers import cli
from helpers.cost import command, trap_table
from helpers.cost.caches import AnswerCache
from helpers.cost.outcomes import HANDED_OVER
from helpers.cost.traffic import traffic, traps
from helpers.cost.variants import LEFT_OUT, VARIANTS, Answered, key_of
from helpers.evaluate import evidence
from helpers.evaluate.eval_evidence import cost_figures
from helpers.evaluate.runs import Call, Run
from helpers.evaluate.scores import score
from helpers.evaluate.version import current_version
from helpers.shop import Question
from tests.evaluate.make import run


class Alike(Embeddings):
    """Gives every text the same vector."""

    def embed_query(self, text: str) -> list[float]:
        return [1.0, 0.0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


def _run(question: Question, answer: str, tokens: tuple[int, int]) -> Run:
    call = Call("search_documents", {"query": question.question}, answer)
    return run(answer, call, question_id=question.id, tokens=tokens)


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return traffic("dev", 30)


@pytest.fixture(scope="module")
def answers(asked: list[Question]) -> dict[str, dict[str, Answered]]:
    """Every variant answers rightly for tokens; those with tiers hand over, for none."""
    found: dict[str, dict[str, Answered]] = {}
    for variant in (*VARIANTS, *LEFT_OUT.values()):
        found[variant.of] = {}
        for question in asked:
            right = ". ".join(group[0] for group in question.required) or "I do not know."
            if variant.tiers and question.id == asked[0].id:
                one = Answered(_run(question, HANDED_OVER, (0, 0)), "person")
            elif variant.tiers:
                one = Answered(_run(question, right, (0, 0)), "extract")
            else:
                one = Answered(_run(question, right, (100, 10)), "model")
            found[variant.of][key_of(question)] = one
    return found


@pytest.fixture(scope="module")
def report(asked: list[Question], answers: dict[str, dict[str, Answered]]) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trap_table, "trap_table", lambda part, model: [])
        return command.measure("dev", asked, answers=answers)


def test_the_report_has_every_variant_and_tier(report: dict[str, Any]) -> None:
    assert [one["variant"] for one in report["variants"]] == [one.name for one in VARIANTS]
    assert [one["tier"] for one in report["tiers"]] == list(LEFT_OUT)
    assert len(VARIANTS) <= 8
    assert json.loads(json.dumps(report)) == report
    text = command.as_text(report)
    assert all(one.name in text for one in VARIANTS)
    assert "earns its place" in text


def test_money_is_whole_in_the_report(report: dict[str, Any]) -> None:
    cascade = report["variants"][-1]
    assert float(cascade["model dollars"]) == 0
    assert float(cascade["hosted dollars"]) == 0
    assert float(cascade["search dollars"]) > 0


def test_course_eval_and_course_cost_agree(
    asked: list[Question], answers: dict[str, dict[str, Answered]], report: dict[str, Any]
) -> None:
    runs = [answers["reference"][key_of(one)].run for one in asked]
    scores = [score(question, one) for question, one in zip(asked, runs, strict=True)]
    figures = cost_figures(runs, scores, "local")
    assert {name: one["value"] for name, one in report["course_eval"].items()} == {
        name: figure.value  # type: ignore[union-attr]
        for name, figure in figures.items()
    }
    reference = next(one for one in report["variants"] if one["variant"].startswith("reference"))
    a_question = report["course_eval"]["dollars a question"]["value"]
    assert float(reference["model dollars"]) == pytest.approx(a_question * len(asked))


def test_evidence_is_filed_for_the_checklist_and_refused_in_fast_mode(
    asked: list[Question],
    answers: dict[str, dict[str, Answered]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    figures = command.eval_figures(asked, answers["reference"], "local")
    monkeypatch.setenv("COURSE_FAST", "1")
    with pytest.raises(evidence.FastMode, match="course cost --part heldout"):
        command.file_evidence(figures, current_version())
    monkeypatch.setenv("COURSE_FAST", "0")
    command.file_evidence(figures, current_version())
    found = evidence.read("cost")
    assert found is not None
    assert found.command == "course cost --part heldout"
    assert set(found.figures) == {"dollars a question", "dollars a right answer"}


def test_heldout_in_fast_mode_says_that_nothing_was_filed(
    asked: list[Question],
    answers: dict[str, dict[str, Answered]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trap_table, "trap_table", lambda part, model: [])
    found = command.measure("heldout", asked, answers=answers)
    assert found["notes"] == ["COURSE_FAST is on, so no evidence was filed."]


def test_an_exact_cache_serves_no_trap() -> None:
    for trap in traps("dev"):
        cache = AnswerCache()
        cache.put(trap.stored, "An answer.", customer="C-0001", version="1", checked=True)
        assert cache.get(trap.asked, customer="C-0001", version="1") is None


def test_the_guard_is_measured_at_each_threshold() -> None:
    """Vectors that are all alike: every text reaches every threshold."""
    alike = trap_table.trap_table("dev", Alike())
    assert len(alike) == 2 * len(trap_table.THRESHOLDS)
    assert all(one.traps == one.of_traps for one in alike if not one.guard)
    assert all(one.traps == 0 for one in alike if one.guard)


def test_the_command_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["cost", "--help"])
    assert "right answer" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        cli.main(["cost", "--part", "lab"])
