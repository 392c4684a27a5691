"""The loop: asking with a name, marks, examples, an experiment, a mended index."""

import uuid
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langsmith import Client, tracing_context

from helpers.models.errors import OverBudget
from helpers.shop.traffic import Request, day
from helpers.tracing import asking, improve
from helpers.tracing.analysis import quiet
from helpers.tracing.asking import Asked
from helpers.tracing.experiments import Experiment, ExperimentFailed, experiment
from tests.tracing.serving import ScriptedModel, answer, fresh

QUESTION = "dev-single_fact-001"


def one(text: str, said: str | None, question: str | None = QUESTION, **more: Any) -> Asked:
    known: dict[str, Any] = {"session": "S-1", "customer": None, "intent": "return_window"} | more
    request = Request(id="T", at=day(50)[0].at, text=text, question=question, **known)
    return Asked(uuid.uuid4(), request, said)


def right_answer() -> str:
    found = improve.answering_sentence(improve.golden()[QUESTION])
    assert found is not None
    return found


# --- asking ---------------------------------------------------------------------------------------


class Agent:
    """Says what it is told, or raises it."""

    def __init__(self, *says: Any) -> None:
        self._says = list(says)
        self.configs: list[Any] = []

    def invoke(self, inputs: Any, config: Any, context: Any) -> Any:
        self.configs.append(config)
        said = self._says.pop(0)
        if isinstance(said, Exception):
            raise said
        chain = RunnableLambda(lambda _: {"messages": [answer(said, 1, 1)]})
        return chain.invoke(inputs, config)


def test_requests_are_found_by_name_tag_and_metadata(client: Client) -> None:
    project, agent = fresh("asked"), Agent("yes", RuntimeError("down"))
    requests = [one("a", None).request, one("b", None, customer="C-0042").request]
    with tracing_context(client=client, enabled=True, project_name=project):
        asked = asking.ask_all(agent, requests)  # type: ignore[arg-type]
    client.flush()
    assert [each.answer for each in asked] == ["yes", None]
    assert asked[1].error == "RuntimeError: down"
    with quiet():
        (run,) = client.list_runs(project_name=project, is_root=True)
    assert (run.id, run.name, run.tags) == (asked[0].run_id, "request", ["guest"])
    assert run.metadata["intent"] == "return_window"
    assert run.metadata["thread_id"] == "S-1"
    assert agent.configs[1]["metadata"]["customer"] == "C-0042"
    assert agent.configs[1]["tags"] == ["logged in"]


def test_a_spent_budget_ends_the_asking() -> None:
    with pytest.raises(OverBudget):
        asking.ask_all(Agent(OverBudget("spent")), [one("a", None).request])  # type: ignore[arg-type]


# --- marks and examples ---------------------------------------------------------------------------


def test_marks_by_the_golden_facts() -> None:
    assert improve.states_the_facts(one("a", right_answer())) is True
    assert improve.states_the_facts(one("a", "Never.")) is False
    assert improve.states_the_facts(one("a", "Never.", question=None)) is None
    assert improve.states_the_facts(one("a", None)) is None, "an error is no wrong answer"


def test_examples_of_wrong_wordings_and_as_many_right_ones() -> None:
    asked = [one(f"wrong {n}", "Never.") for n in range(5)]
    asked += [one("wrong 0", "Never.")]  # asked again
    asked += [one(f"right {n}", right_answer()) for n in range(7)]
    asked += [one("personal", "Never.", personal=True), one("odd", "Never.", caller="pastes")]
    found = improve.examples(asked)
    splits = [example["split"] for example in found]
    assert {name: splits.count(name) for name in improve.SPLITS} == {
        "seen": 3,
        "unseen": 2,
        "was right": 5,
    }
    texts = [example["inputs"]["question"] for example in found]
    assert len(texts) == len(set(texts))
    assert not {"personal", "odd"} & set(texts)
    assert {example["metadata"]["run"] for example in found} <= {str(a.run_id) for a in asked}
    assert len(improve.examples(asked, most=2)) == 4


def test_taught_wordings_stand_at_the_sentence_that_answers() -> None:
    question = improve.golden()[QUESTION]
    before = improve.taught([])
    after = improve.taught([("tent back?", question)])
    assert question.document is not None
    assert "tent back?" in after[question.document][right_answer()]
    assert "tent back?" not in str(before)
    unanswerable = next(q for q in improve.golden().values() if q.kind == "unanswerable")
    assert improve.taught([("kayaks?", unanswerable)]) == before


# --- experiments ----------------------------------------------------------------------------------


@pytest.fixture
def dataset(client: Client) -> str:
    name = fresh("loop")
    found = client.create_dataset(name)
    rows = [
        {"inputs": {"question": text}, "outputs": {"golden": QUESTION}, "split": split}
        for text, split in (("a", "seen"), ("b", "seen"), ("c", "was right"))
    ]
    client.create_examples(dataset_id=found.id, examples=rows)
    return name


def says_b(outputs: dict[str, Any]) -> bool:
    return bool(outputs["answer"] == "b")


def test_an_experiment_is_read_back_from_its_traces(
    client: Client, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel(answers=[answer("-", 10, 1)])

    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        model.invoke(inputs["question"])
        return {"answer": inputs["question"]}

    found = experiment(client, target, dataset, says_b, "try")
    assert (found.right, len(found.verdicts), found.tokens) == (1, 3, 33)
    assert found.cost == pytest.approx(3 * 14e-6)
    assert found.unpriced == 0
    assert capsys.readouterr().out == ""
    other = Experiment("p", dict.fromkeys(found.verdicts, True), 0, None, 0)
    seen, kept = improve.by_split(client, dataset, found, other)
    assert (seen["split"], seen["gained"], seen["lost"]) == ("seen", 1, 0)
    assert kept["after"].endswith("1/1")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_target_or_an_evaluator_that_raises_is_no_wrong_answer(
    client: Client, dataset: str
) -> None:
    def down(inputs: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("down")

    def broken(outputs: dict[str, Any]) -> bool:
        raise RuntimeError("broken")

    with pytest.raises(ExperimentFailed, match=r"3 of 3 answers failed.*down"):
        experiment(client, down, dataset, says_b, "down")
    with pytest.raises(ExperimentFailed, match="3 of 3 answers got no verdict"):
        experiment(client, lambda inputs: {"answer": "b"}, dataset, broken, "broken")
