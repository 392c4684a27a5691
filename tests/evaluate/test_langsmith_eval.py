"""Evaluation through LangSmith's SDK, with every way out of the machine closed."""

import socket
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from helpers.evaluate import langsmith_eval
from helpers.evaluate.langsmith_eval import EvaluationFailed, evaluate, examples, scorers
from helpers.shop import questions

QUESTIONS = questions("dev")[:3]


@pytest.fixture(autouse=True)
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every try to reach the network, although a key is set and tracing is on."""
    tried: list[Any] = []

    def blocked(*where: Any, **_: Any) -> None:
        tried.append(where)
        raise OSError("the network is closed in this test")

    monkeypatch.setattr(socket.socket, "connect", blocked)
    monkeypatch.setattr(socket.socket, "connect_ex", blocked)
    monkeypatch.setattr(socket, "getaddrinfo", blocked)
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_pt_not_a_key")
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    return tried


def answering(answer: str) -> langsmith_eval.Target:
    inner = RunnableLambda(lambda _: answer)  # LangChain inside, which would be traced

    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        calls = [{"name": "search_documents", "args": {"query": inputs["question"]}}]
        return {"answer": inner.invoke("x"), "calls": calls}

    return target


def test_the_table_is_full_and_nothing_leaves(
    attempts: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(answering("You have 30 days."), examples(QUESTIONS), scorers(QUESTIONS))
    table = found.to_pandas()
    assert list(table["feedback.answer"]) == [True, False, False]
    assert list(table["feedback.tools"]) == [True, True, True]
    assert list(table["inputs.id"]) == [question.id for question in QUESTIONS]
    assert attempts == []
    assert capsys.readouterr() == ("", "")


def test_a_list_of_dicts_is_an_error_and_no_empty_table() -> None:
    rows: Any = [{"inputs": {"question": "How long?"}, "outputs": {}}]
    with pytest.raises(TypeError, match="dict"):
        evaluate(answering("30 days"), rows, scorers(QUESTIONS))


def test_langsmith_itself_would_be_silent() -> None:
    """Should this fail one day, the check above may be unnecessary."""
    import langsmith

    rows: Any = [{"inputs": {"id": "a", "question": "How long?"}, "outputs": {}}]
    with langsmith_eval._quiet():
        found = langsmith.evaluate(
            answering("30 days"),
            data=rows,
            evaluators=[lambda outputs: {"key": "right", "score": True}],
            client=langsmith_eval._offline_client(),
            upload_results=False,
        )
    assert found.to_pandas().empty


def test_nothing_to_do_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        evaluate(answering("30 days"), [], scorers(QUESTIONS))
    with pytest.raises(ValueError, match="at least one"):
        evaluate(answering("30 days"), examples(QUESTIONS), [])


def test_an_evaluator_that_raises_is_an_error_and_no_empty_cell() -> None:
    def broken(outputs: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError("no such luck")

    with pytest.raises(EvaluationFailed, match="no such luck"):
        evaluate(answering("30 days"), examples(QUESTIONS), [broken])
    with pytest.raises(EvaluationFailed, match="no such luck"):
        evaluate(answering("30 days"), examples(QUESTIONS), [*scorers(QUESTIONS), broken])


def test_a_target_that_fails_is_an_error_in_its_row_and_no_wrong_answer() -> None:
    def lenient(outputs: dict[str, Any]) -> dict[str, Any]:
        return {"key": "right", "score": bool((outputs or {}).get("answer"))}

    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        if inputs["id"] == QUESTIONS[1].id:
            raise ConnectionError("the server is down")
        return answering("You have 30 days.")(inputs)

    table = evaluate(target, examples(QUESTIONS), [lenient]).to_pandas()
    assert list(table["feedback.right"].isna()) == [False, True, False]
    assert list(table["error"].isna()) == [True, False, True]
    assert "the server is down" in table["error"][1]


def test_examples_are_the_same_every_time() -> None:
    assert [e.id for e in examples(QUESTIONS)] == [e.id for e in examples(QUESTIONS)]
    first = examples(QUESTIONS)[0]
    assert first.inputs == {
        "id": QUESTIONS[0].id,
        "question": QUESTIONS[0].question,
        "customer": QUESTIONS[0].customer,
    }
    assert first.outputs == {
        "required": [["30 days"]],
        "forbidden": ["14 days", "21 days", "90 days"],
        "tools": ["search_documents"],
    }


class Agent:
    """Stands in for a compiled agent."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem

    def invoke(self, state: dict[str, Any], **_: Any) -> dict[str, Any]:
        from langchain_core.messages import AIMessage

        if self.problem:
            raise self.problem
        return {"messages": [*state["messages"], AIMessage("You have 30 days.")]}


def test_an_agent_as_a_target() -> None:
    agent: Any = Agent()
    target = langsmith_eval.agent_target(agent, QUESTIONS)
    assert target({"id": QUESTIONS[0].id}) == {"answer": "You have 30 days.", "calls": []}
    broken: Any = Agent(TimeoutError("60 s"))
    with pytest.raises(EvaluationFailed, match="60 s"):
        langsmith_eval.agent_target(broken, QUESTIONS)({"id": QUESTIONS[0].id})
