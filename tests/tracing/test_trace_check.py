"""`course trace-check`: what it counts, and what it writes."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langsmith import Client, tracing_context

from helpers.evaluate import evidence
from helpers.evaluate.checklist import item
from helpers.evaluate.evidence import Figure
from helpers.models.errors import OverBudget
from helpers.shop.traffic import Request, day
from helpers.tracing import check, command
from tests.tracing.serving import UNPRICED, ScriptedModel, answer, fresh


def asked(client: Client, project: str, requests: list[Request], ask: Any) -> check.TraceCheck:
    with tracing_context(client=client, enabled=True, project_name=project):
        return check.check(client, project, requests, ask)


def test_it_counts_what_came_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_PATIENCE_S", 0.0)  # one of them never comes
    requests = day(50)[:6]
    priced = ScriptedModel(answers=[answer("a", 10, 1)])
    unpriced = ScriptedModel(answers=[answer("b", 10, 1)], model=UNPRICED)

    def ask(request: Request, run_id: uuid.UUID) -> None:
        model = unpriced if request is requests[2] else priced
        chain = RunnableLambda(lambda text: model.invoke(text))
        if request is requests[5]:
            raise RuntimeError("before anything was traced")
        chain.invoke(request.text, {"run_id": run_id})
        if request is requests[4]:
            raise RuntimeError("after it was traced")

    found = asked(client, fresh("check"), requests, ask)
    assert (found.traced.successes, found.traced.total) == (5, 6)
    assert (found.metered.successes, found.metered.total) == (4, 5)
    assert found.failed == 2
    assert found.dollars == pytest.approx(4 * 14e-6)


def test_a_spent_budget_ends_it(client: Client) -> None:
    def ask(request: Request, run_id: uuid.UUID) -> None:
        raise OverBudget("spent")

    with pytest.raises(OverBudget):
        asked(client, fresh("check"), day(50)[:2], ask)


def test_requests_that_leave_no_trace_are_missed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_PATIENCE_S", 0.0)
    project = fresh("check")
    client.create_project(project)
    found = asked(client, project, day(50)[:3], lambda request, run_id: None)
    assert (found.traced.successes, found.traced.total) == (0, 3)
    assert found.metered.rate is None


@pytest.mark.slow
def test_the_command_writes_the_evidence_that_the_checklist_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_FAST", raising=False)
    monkeypatch.delenv("COURSE_TRACING", raising=False)
    model = ScriptedModel(answers=[answer("a", 10, 1)], model="local")

    def agent(count: int) -> Any:
        def ask(request: Request, run_id: uuid.UUID) -> None:
            RunnableLambda(lambda text: model.invoke(text)).invoke(request.text, {"run_id": run_id})

        return day(50)[:count], ask

    alerts = {"kinds of incident missed": Figure(0, 11), "false alarms a clean day": Figure(0, 20)}
    evidence.write(check.ITEM, alerts, command="course monitor-check", part="alerts")
    monkeypatch.setattr(command, "_agent", agent)
    assert command.trace_check(["--requests", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["figures"] == {"runs traced": [5, 5], "runs with tokens and cost": [5, 5]}
    written = evidence.read(check.ITEM)
    assert written is not None
    wanted = {threshold.figure for threshold in item(check.ITEM).thresholds}
    assert set(written.figures) == wanted
    assert written.command == "course trace-check and course monitor-check"


def test_in_fast_mode_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    assert command.trace_check([]) == 1
    assert "fast mode" in capsys.readouterr().err


def test_traces_of_a_file_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.traces(["--file", str(tmp_path / "no.db")]) == 1
    assert "There is no file" in capsys.readouterr().out
    assert not (tmp_path / "no.db").exists()
