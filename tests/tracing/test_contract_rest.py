"""The real SDK against the service: projects, datasets, experiments, feedback, and what is not."""

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langsmith import Client, traceable, tracing_context
from langsmith.schemas import Dataset, Example
from langsmith.utils import LangSmithConflictError, LangSmithError, LangSmithNotFoundError

from tests.tracing.serving import Running, fresh

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*will be removed after:DeprecationWarning", "ignore:.*is in beta:UserWarning"
)

EXAMPLES: list[dict[str, Any]] = [
    {
        "inputs": {"question": "How long may I return a tent? <b>"},
        "reference_outputs": {"answer": "30 days"},
        "metadata": {"kind": "single_fact", "n": 1},
        "split": "returns",
    },
    {"inputs": {"question": "Where is FH-10234?"}, "reference_outputs": {"answer": "shipped"}},
    {
        "inputs": {"question": "Do you sell kayaks?"},
        "reference_outputs": None,
        "split": ["returns", "rare"],
    },
]


@pytest.fixture
def dataset(client: Client) -> Dataset:
    found = client.create_dataset(fresh("dataset"), description="golden", metadata={"by": "us"})
    client.create_examples(dataset_id=found.id, examples=EXAMPLES)
    return found


def traced(client: Client, project: str) -> uuid.UUID:
    """The id of a new root run."""
    with tracing_context(client=client, enabled=True, project_name=project):
        traceable(lambda question: {"answer": "30 days"}, name="ask").__call__("How long?")
    client.flush()
    return next(client.list_runs(project_name=project, is_root=True)).id


# --- datasets ------------------------------------------------------------------------------------


def test_a_dataset_and_its_examples_come_back(client: Client, dataset: Dataset) -> None:
    read = client.read_dataset(dataset_name=dataset.name)
    assert (read.id, read.description, read.example_count) == (dataset.id, "golden", 3)
    assert read.metadata is not None
    assert read.metadata["by"] == "us"
    examples = list(client.list_examples(dataset_id=dataset.id))
    assert [example.inputs for example in examples] == [one["inputs"] for one in EXAMPLES]
    assert [example.outputs for example in examples] == [
        one["reference_outputs"] for one in EXAMPLES
    ]
    assert examples[0].metadata == {**EXAMPLES[0]["metadata"], "dataset_split": ["returns"]}
    assert examples[1].metadata is None
    assert client.read_example(examples[0].id).model_dump() == examples[0].model_dump()
    assert dataset.id in {one.id for one in client.list_datasets(dataset_name_contains="dataset-")}
    assert client.has_dataset(dataset_name=dataset.name)
    with pytest.raises(LangSmithConflictError):
        client.create_dataset(dataset.name)


def test_examples_by_split_metadata_and_page(client: Client, dataset: Dataset) -> None:
    def questions(**options: Any) -> list[str]:
        found = client.list_examples(dataset_id=dataset.id, **options)
        return [example.inputs["question"].split()[0] for example in found]

    assert questions(splits=["returns"]) == ["How", "Do"]
    assert questions(splits=["base"]) == ["Where"]
    assert questions(metadata={"kind": "single_fact", "n": 1}) == ["How"]
    assert questions(limit=2) == ["How", "Where"]
    assert questions(offset=1) == ["Where", "Do"]
    assert questions(as_of="latest") == questions()
    assert client.list_dataset_splits(dataset_id=dataset.id) == ["base", "rare", "returns"]
    first = next(client.list_examples(dataset_id=dataset.id))
    client.update_dataset_splits(dataset_id=dataset.id, split_name="rare", example_ids=[first.id])
    assert questions(splits=["rare"]) == ["How", "Do"]
    client.update_dataset_splits(
        dataset_id=dataset.id, split_name="returns", example_ids=[first.id], remove=True
    )
    assert questions(splits=["returns"]) == ["Do"]


def test_examples_change_and_go(client: Client, dataset: Dataset) -> None:
    first, second, third = client.list_examples(dataset_id=dataset.id)
    client.update_example(first.id, outputs={"answer": "28 days"})
    changed = client.read_example(first.id)
    assert changed.outputs == {"answer": "28 days"}
    assert changed.inputs == first.inputs
    assert changed.modified_at is not None
    assert first.modified_at is not None
    assert changed.modified_at > first.modified_at
    client.delete_example(second.id)
    assert [one.id for one in client.list_examples(dataset_id=dataset.id)] == [first.id, third.id]
    client.delete_examples([first.id, third.id])
    assert list(client.list_examples(dataset_id=dataset.id)) == []
    with pytest.raises(LangSmithNotFoundError):
        client.read_example(first.id)
    client.delete_dataset(dataset_id=dataset.id)
    assert not client.has_dataset(dataset_id=dataset.id)


def test_an_example_made_of_a_run(client: Client, dataset: Dataset) -> None:
    run = client.read_run(traced(client, fresh("source")))
    made = client.create_example_from_run(run, dataset_id=dataset.id)
    assert (made.inputs, made.outputs) == (run.inputs, run.outputs)
    copied = client.create_example(
        dataset_id=dataset.id, source_run_id=run.id, use_source_run_io=True
    )
    assert (copied.inputs, copied.outputs, copied.source_run_id) == (
        run.inputs,
        run.outputs,
        run.id,
    )


def test_only_the_latest_version_is_kept(client: Client, dataset: Dataset) -> None:
    before = dt.datetime.now(dt.UTC)
    client.create_example(inputs={"question": "new"}, dataset_id=dataset.id)
    with pytest.raises(LangSmithError, match="older versions of a dataset"):
        list(client.list_examples(dataset_id=dataset.id, as_of=before))
    now = dt.datetime.now(dt.UTC)
    assert len(list(client.list_examples(dataset_id=dataset.id, as_of=now))) == 4


# --- experiments ---------------------------------------------------------------------------------


def right(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
    return bool(outputs["answer"] == (reference_outputs or {}).get("answer"))


def shorter(outputs: dict[str, Any]) -> dict[str, Any]:
    return {"key": "characters", "score": len(outputs["answer"]), "comment": "counted"}


def share_right(outputs: list[Any], reference_outputs: list[Any]) -> dict[str, Any]:
    hits = [right(o, r) for o, r in zip(outputs, reference_outputs, strict=True)]
    return {"key": "share", "score": sum(hits) / len(hits)}


def check_experiment(client: Client, name: str, dataset: Dataset) -> None:
    client.flush()
    project = client.read_project(project_name=name, include_stats=True)
    assert project.reference_dataset_id == dataset.id
    assert (project.run_count, project.error_rate) == (3, 0)
    assert project.metadata["prompt"] == "short"
    stats = project.feedback_stats or {}
    assert (stats["right"]["n"], stats["right"]["avg"]) == (3, pytest.approx(1 / 3))
    assert stats["characters"]["comments"] == ["counted"] * 3
    assert (project.session_feedback_stats or {})["share"]["avg"] == pytest.approx(1 / 3, abs=1e-4)
    runs = list(client.list_runs(project_name=name, is_root=True))
    examples: dict[Any, Example] = {
        example.id: example for example in client.list_examples(dataset_id=dataset.id)
    }
    assert {run.reference_example_id for run in runs} == set(examples)
    for run in runs:
        example = examples[run.reference_example_id]
        assert run.inputs == example.inputs
        assert (run.feedback_stats or {})["right"]["n"] == 1
    results = client.get_test_results(project_name=name)
    assert len(results) == 3
    assert set(results["feedback.right"]) == {0.0, 1.0}
    assert name in {one.name for one in client.list_projects(reference_dataset_id=dataset.id)}
    by_example = list(client.list_runs(reference_example_id=next(iter(examples))))
    assert len(by_example) >= 1


def test_evaluate_with_upload(client: Client, dataset: Dataset) -> None:
    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"answer": RunnableLambda(lambda _: "30 days").invoke(inputs)}

    results = client.evaluate(
        target,
        data=dataset.name,
        evaluators=[right, shorter],
        summary_evaluators=[share_right],
        experiment_prefix=fresh("sync"),
        metadata={"prompt": "short"},
        max_concurrency=2,
    )
    rows = list(results)
    assert len(rows) == 3
    frame = results.to_pandas()
    assert sorted(frame["feedback.right"]) == [False, False, True]
    check_experiment(client, results.experiment_name, dataset)


async def test_aevaluate_with_upload(client: Client, dataset: Dataset) -> None:
    async def target(inputs: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"answer": "30 days"}

    results = await client.aevaluate(
        target,
        data=dataset.name,
        evaluators=[right, shorter],
        summary_evaluators=[share_right],
        experiment_prefix=fresh("async"),
        metadata={"prompt": "short"},
    )
    await asyncio.to_thread(check_experiment, client, results.experiment_name, dataset)


def test_a_target_that_fails_is_an_error_of_the_experiment(
    client: Client, dataset: Dataset
) -> None:
    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        if "kayaks" in inputs["question"]:
            raise RuntimeError("no kayaks")
        return {"answer": "30 days"}

    results = client.evaluate(
        target, data=dataset.name, evaluators=[right], experiment_prefix=fresh("failing")
    )
    list(results)
    client.flush()
    project = client.read_project(project_name=results.experiment_name, include_stats=True)
    assert project.error_rate == pytest.approx(1 / 3)


def test_evaluate_an_experiment_again(client: Client, dataset: Dataset) -> None:
    results = client.evaluate(
        lambda inputs: {"answer": "30 days"}, data=dataset.name, experiment_prefix=fresh("again")
    )
    list(results)
    client.flush()
    list(client.evaluate(results.experiment_name, evaluators=[right]))
    client.flush()
    project = client.read_project(project_name=results.experiment_name, include_stats=True)
    assert (project.feedback_stats or {})["right"]["n"] == 3


# --- feedback ------------------------------------------------------------------------------------


def test_feedback_comes_back(client: Client) -> None:
    project = fresh("feedback")
    run_id = traced(client, project)
    session = client.read_project(project_name=project).id
    given: list[dict[str, Any]] = [
        {"key": "helpful", "score": True, "comment": "<b>thanks</b>"},
        {"key": "stars", "score": 4, "source_info": {"page": "chat"}},
        {"key": "share", "score": 0.123456},
        {"key": "kind", "value": "refund", "correction": {"answer": "28 days"}},
        {"key": "judge", "score": 0.5, "feedback_source_type": "model", "extra": {"v": [1]}},
    ]
    ids = [
        client.create_feedback(run_id, session_id=session, **{"trace_id": trace, **one}).id
        for one, trace in zip(given, [None, run_id, None, run_id, None], strict=True)
    ]
    client.flush()
    found = {one.key: one for one in client.list_feedback(run_ids=[run_id])}
    assert {one.id for one in found.values()} == set(ids)
    assert found["helpful"].score is True
    assert found["helpful"].comment == "<b>thanks</b>"
    assert (found["stars"].score, type(found["stars"].score)) == (4, int)
    assert found["stars"].feedback_source is not None
    assert found["stars"].feedback_source.metadata == {"page": "chat"}
    assert found["share"].score == 0.1235, "as the SDK rounds it"
    assert (found["kind"].value, found["kind"].correction) == ("refund", {"answer": "28 days"})
    assert found["judge"].extra == {"v": [1]}
    assert all((one.run_id, one.session_id) == (run_id, session) for one in found.values())
    (run,) = client.list_runs(project_name=project)
    stats = run.feedback_stats or {}
    assert stats["helpful"]["avg"] == 1
    assert stats["kind"]["values"] == {"refund": 1}
    keys = {one.key for one in client.list_feedback(run_ids=[run_id], feedback_key=["stars"])}
    assert keys == {"stars"}


def test_feedback_changes_and_goes(client: Client) -> None:
    project = fresh("feedback")
    run_id = traced(client, project)
    session = client.read_project(project_name=project).id
    made = client.create_feedback(run_id, "stars", score=1, comment="bad", session_id=session)
    client.update_feedback(made.id, score=5, comment=None)
    read = client.read_feedback(made.id)
    assert (read.score, read.comment, read.key) == (5, None, "stars")
    client.delete_feedback(made.id)
    assert list(client.list_feedback(run_ids=[run_id])) == []
    with pytest.raises(LangSmithNotFoundError):
        client.read_feedback(made.id)


def test_feedback_may_come_before_its_run(client: Client) -> None:
    project, run_id = fresh("early"), uuid.uuid4()
    client.create_project(project)
    session = client.read_project(project_name=project).id
    client.create_feedback(run_id, "stars", score=2, session_id=session)
    client.create_run("late", {}, "chain", id=run_id, project_name=project)
    (run,) = client.list_runs(project_name=project)
    assert (run.feedback_stats or {})["stars"]["avg"] == 2


# --- projects ------------------------------------------------------------------------------------


def test_projects(client: Client) -> None:
    name = fresh("project")
    made = client.create_project(name, description="d", metadata={"team": "shop"})
    with pytest.raises(LangSmithConflictError):
        client.create_project(name)
    assert client.create_project(name, upsert=True).id == made.id
    end = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
    client.update_project(made.id, description="other", end_time=end)
    read = client.read_project(project_id=str(made.id))
    assert (read.name, read.description, read.end_time) == (name, "other", end)
    assert read.metadata == {"team": "shop"}
    assert [one.id for one in client.list_projects(name_contains=name[2:])] == [made.id]
    assert [one.id for one in client.list_projects(name=name, metadata={"team": "shop"})]
    empty = client.read_project(project_name=name, include_stats=True)
    assert (empty.run_count, empty.total_tokens, empty.latency_p50) == (0, 0, None)
    assert client.get_run_stats(project_ids=[made.id])["run_count"] == 0


def test_a_deleted_project_takes_its_runs_and_feedback_along(
    client: Client, service: Running
) -> None:
    gone, kept = fresh("gone"), fresh("kept")
    run_id, other = traced(client, gone), traced(client, kept)
    session = client.read_project(project_name=gone).id
    client.create_feedback(run_id, "stars", score=2, session_id=session)
    client.delete_project(project_name=gone)
    assert not client.has_project(gone)
    assert list(client.list_feedback(run_ids=[run_id])) == []
    with pytest.raises(LangSmithNotFoundError):
        client.read_run(run_id)
    assert client.read_run(other).name == "ask"
    connection = service.store.reading()
    for table, column in (
        ("runs", "id"),
        ("bodies", "id"),
        ("totals", "run_id"),
        ("marks", "run_id"),
    ):
        query = f"SELECT count(*) FROM {table} WHERE {column} = ?"
        assert connection.execute(query, [str(run_id)]).fetchone()[0] == 0, table


# --- what is not spoken --------------------------------------------------------------------------

UNSPOKEN: dict[str, tuple[Callable[[Client, uuid.UUID], Any], str]] = {
    "sharing a run": (lambda c, i: c.share_run(i), "sharing"),
    "sharing a dataset": (lambda c, i: c.share_dataset(i), "sharing"),
    "the prompt hub": (lambda c, i: c.pull_prompt("a-prompt"), "prompt hub"),
    "prompts": (lambda c, i: list(c.list_prompts()), "prompt hub"),
    "annotation queues": (lambda c, i: list(c.list_annotation_queues()), "annotation queues"),
    "feedback links": (lambda c, i: c.create_presigned_feedback_token(i, "k"), "presigned"),
    "feedback link lists": (lambda c, i: list(c.list_presigned_feedback_tokens(i)), "presigned"),
    "full text": (
        lambda c, i: list(c.list_runs(project_id=i, filter='search("tent")')),
        "filter function search",
    ),
    "full text parameter": (lambda c, i: list(c.list_runs(project_id=i, query="t")), "query"),
    "filter fields": (
        lambda c, i: list(c.list_runs(project_id=i, filter="eq(execution_order, 1)")),
        "field execution_order",
    ),
    "metadata ranges": (
        lambda c, i: list(
            c.list_runs(project_id=i, filter='and(eq(metadata_key, "n"), gt(metadata_value, 1))')
        ),
        "comparisons of metadata",
    ),
    "fields of runs": (
        lambda c, i: list(c.list_runs(project_id=i, select=["price_model_id"])),
        "field price_model_id",
    ),
    "example filters": (
        lambda c, i: list(c.list_examples(dataset_id=i, filter="exists(metadata, 'x')")),
        "parameter filter",
    ),
    "dataset versions": (lambda c, i: list(c.list_dataset_versions(dataset_id=i)), "versions"),
    "grouped statistics": (
        lambda c, i: c.request_with_retries(
            "POST", "/runs/stats", json={"session": [str(i)], "group_by": {"attribute": "name"}}
        ),
        "group_by",
    ),
    "comparisons": (
        lambda c, i: c.create_comparative_experiment("x", experiments=[i, i], reference_dataset=i),
        "comparative",
    ),
    "other datasets": (lambda c, i: c.create_dataset(fresh("x"), data_type=_chat()), "type chat"),
}


def _chat() -> Any:
    from langsmith.schemas import DataType

    return DataType.chat


@pytest.mark.parametrize("name", UNSPOKEN)
def test_what_is_not_spoken_is_named(client: Client, name: str) -> None:
    call, feature = UNSPOKEN[name]
    with pytest.raises(Exception, match=feature) as caught:
        call(client, client.read_project(project_name=_project(client)).id)
    assert "501" in str(caught.value)
    assert "does not speak" in str(caught.value)


def _project(client: Client) -> str:
    client.create_project("unspoken", upsert=True)
    return "unspoken"


def test_attachments_are_refused(client: Client, dataset: Dataset) -> None:
    attached: Any = {"inputs": {}, "attachments": {"photo": ("image/png", b"...")}}
    with pytest.raises(LangSmithError, match="attachments of examples"):
        client.create_examples(dataset_id=dataset.id, examples=[attached])


def test_whoever_has_no_key_gets_nothing(service: Running) -> None:
    stranger = Client(api_url=service.url, api_key="another")
    with pytest.raises(LangSmithError, match="wants its own key"):
        list(stranger.list_projects())
    assert stranger.info.version, "what it is may be asked"
