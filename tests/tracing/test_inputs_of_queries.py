"""Queries whose answer was once a wrong guess: now right, or refused by name.

A row of a table here is an input and what comes now; the comment says what came before.
"""

import uuid
from typing import Any

import pytest
from langsmith import Client
from langsmith.utils import LangSmithError

from tests.tracing.sending import FORM, form, made, run_parts, send
from tests.tracing.serving import PRICED, Running, fresh

pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed after:DeprecationWarning")


@pytest.fixture(scope="module")
def five(client: Client, service: Running) -> tuple[str, list[str]]:
    """A project with requests of 0.5 to 8.5 seconds; the third failed, two have feedback."""
    project = fresh("five")
    runs = [
        made(
            project,
            name=f"request {n}",
            run_type="llm",
            end_time=f"2026-06-15T09:00:0{2 * n}.500+00:00",
            tags=["night"] if n % 2 else ["day"],
            dotted_order=None,
            trace_id=None,
        )
        for n in range(5)
    ]
    parts = []
    for n, run in enumerate(runs):
        metadata = {"ls_model_name": PRICED, "n": n, **({"kind": "refund"} if n < 2 else {})}
        usage = {"input_tokens": 100 * n, "output_tokens": n, "total_tokens": 101 * n}
        bodies: dict[str, Any] = {
            "inputs": {"n": n},
            "outputs": {"usage_metadata": usage},
            "extra": {"metadata": metadata},
        }
        if n == 2:
            bodies["error"] = "TimeoutError"
        parts.append(run_parts(run, **bodies))
    assert send(service, "POST", "/runs/multipart", form(*parts), FORM).status_code == 202
    session = client.read_project(project_name=project).id
    for n, key, score in ((0, "stars", 1), (1, "stars", 5), (1, "helpful", 0)):
        client.create_feedback(runs[n]["id"], key, score=score, session_id=session)
    client.create_feedback(None, "stars", score=3, project_id=session)
    return project, [run["id"] for run in runs]


FOUND: dict[str, set[int]] = {
    # an example of LangSmith's documentation; before: 422
    'gt(latency, "5s")': {3, 4},
    'gt(latency, "750ms")': {1, 2, 3, 4},
    'lt(latency, "1m")': {0, 1, 2, 3, 4},
    'gte(latency, "0m4s500ms")': {2, 3, 4},
    'lt(latency, "0.001h")': {0, 1},
    'gt(latency, "5 s")': {3, 4},
    'gt(latency, "5")': {3, 4},
    'gt(latency, "5.0")': {3, 4},
    "gt(latency, 5)": {3, 4},
    'gt(total_tokens, "202")': {3, 4},
    'eq(total_cost, "0.000104")': {1},
    'and(eq(feedback_key, "stars"), gt(feedback_score, "2"))': {1},
    'in(total_tokens, ["101", 202])': {1, 2},
    # before: nothing
    "eq(error, true)": {2},
    "neq(error, false)": {2},
    "eq(error, false)": {0, 1, 3, 4},
    "neq(error, true)": {0, 1, 3, 4},
    "neq(error, null)": {2},
    'eq(error, "TimeoutError")': {2},
    # before: without the runs that have no feedback
    'neq(feedback_key, "helpful")': {0, 2, 3, 4},
    'neq(feedback_key, "stars")': {2, 3, 4},
    'nin(feedback_key, ["stars", "helpful"])': {2, 3, 4},
    'not(eq(feedback_key, "stars"))': {2, 3, 4},
    'and(neq(feedback_key, "helpful"), has(tags, "night"))': {3},
    'or(neq(feedback_key, "stars"), eq(name, "request 0"))': {0, 2, 3, 4},
    'and(eq(feedback_key, "stars"), neq(feedback_score, 5))': {0},
    'and(eq(feedback_key, "stars"), nin(feedback_score, [5]))': {0},
    # before: 501
    'neq(metadata_key, "kind")': {2, 3, 4},
    'nin(metadata_key, ["kind", "other"])': {2, 3, 4},
    'neq(metadata_key, "ls_model_name")': set(),
    'not(and(eq(metadata_key, "n"), eq(metadata_value, 3)))': {0, 1, 2, 4},
    'and(eq(metadata_key, "n"), eq(metadata_value, "3"))': {3},
    f'and(eq(metadata_key, "ls_model_name"), in(metadata_value, ["{PRICED}"]))': {0, 1, 2, 3, 4},
    'nin(name, ["request 1", "request 4"])': {0, 2, 3},
    "eq(is_root, true)": {0, 1, 2, 3, 4},
    'neq(status, "error")': {0, 1, 3, 4},
    'neq(thread_id, "t")': {0, 1, 2, 3, 4},
}


@pytest.mark.parametrize("text", FOUND)
def test_found(client: Client, five: tuple[str, list[str]], text: str) -> None:
    found = client.list_runs(project_name=five[0], filter=text)
    assert {run.inputs["n"] for run in found} == FOUND[text]


@pytest.mark.parametrize("field", ["id", "trace_id", "parent_run_id", "reference_example_id"])
@pytest.mark.parametrize("form_of", [str.upper, lambda key: key.replace("-", ""), "{{{}}}".format])
def test_an_id_is_the_same_however_it_is_written(
    client: Client, service: Running, field: str, form_of: Any
) -> None:
    """Before: an id in capitals found nothing."""
    project = fresh("ids")
    parent = made(project, name="parent")
    child = made(
        project,
        name="child",
        trace_id=parent["id"],
        parent_run_id=parent["id"],
        reference_example_id=parent["id"],
    )
    child["dotted_order"] = f"{parent['dotted_order']}.20260615T090000000001Z{child['id']}"
    send(service, "POST", "/runs/batch", {"post": [parent, child]})
    key = child["id"] if field == "id" else parent["id"]
    text = f'and(eq({field}, "{form_of(key)}"), eq(is_root, false))'
    assert [run.name for run in client.list_runs(project_name=project, filter=text)] == ["child"]


REFUSED: dict[str, tuple[str, str]] = {
    'gt(latency, "slow")': ("422", "must be a number, or a duration"),
    'gt(latency, "5 parsecs")': ("422", "must be a number, or a duration"),
    "gt(latency, true)": ("422", "must be a number"),
    "gt(latency, [5])": ("422", "must be a number"),
    "gt(latency, 1e300)": ("422", "out of range"),
    'gt(latency, "9999999999999999h")': ("422", "out of range"),
    "lt(total_cost, -1e300)": ("422", "out of range"),
    f"gt(total_tokens, {10**30})": ("422", "out of range"),
    'gt(total_tokens, "NaN")': ("422", "out of range"),
    'gt(total_tokens, "5s")': ("422", "must be a number"),
    'eq(run_type, "banana")': ("422", "run_type is one of"),
    'in(run_type, ["llm", "banana"])': ("422", "run_type is one of"),
    'eq(run_type, ["llm"])': ("422", "run_type is one of"),
    'eq(status, "failed")': ("422", "status is one of"),
    "eq(name, 5)": ("422", "compared with a text"),
    'eq(name, ["a"])': ("422", "compared with a text"),
    'eq(is_root, "yes")': ("422", "true or false"),
    'eq(id, "five")': ("422", "no UUID"),
    'in(name, "request 1")': ("422", "takes a list"),
    "in(name, [])": ("422", "takes a list"),
    "gt(error, true)": ("422", "eq or neq"),
    'eq(name, "\\ud800")': ("422", "cannot be read"),
    'gt(start_time, "2026-13-01")': ("422", "no ISO 8601 time"),
    'gt(start_time, "0001-01-01T00:00:00+14:00")': ("422", "no ISO 8601 time"),
    'and(eq(feedback_key, "stars"), gt(feedback_score, "many"))': ("422", "must be a number"),
    "eq(feedback_key, 5)": ("422", "compared with a text"),
    'search("tent")': ("501", "filter function search"),
    'search("tent", "kayak")': ("501", "filter function search"),
    'like(name, "req%")': ("501", "filter function like"),
    'and(eq(metadata_key, "n"), neq(metadata_value, 3))': ("501", "comparisons of metadata"),
    'and(neq(metadata_key, "n"), eq(metadata_value, 3))': ("501", "comparisons of metadata"),
    'and(neq(feedback_key, "stars"), gt(feedback_score, 2))': ("501", "neq(feedback_key"),
    "neq(feedback_score, 5)": ("501", "neq(feedback_score"),
    "or(" + ", ".join(["eq(name, 'x')"] * 400) + ")": ("422", "up to 300 conditions"),
    "not(" * 60 + "eq(name, 'x')" + ")" * 60: ("422", "nested too deeply"),
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:60])
def test_refused_by_name(client: Client, five: tuple[str, list[str]], text: str) -> None:
    status, says = REFUSED[text]
    with pytest.raises(LangSmithError) as caught:
        list(client.list_runs(project_name=five[0], filter=text))
    assert status in str(caught.value)
    assert says in str(caught.value).replace("\\", "")


def test_a_list_of_many_values(client: Client, five: tuple[str, list[str]]) -> None:
    """Before: SQLite's limit on placeholders, a 500."""
    project, ids = five
    listed = ", ".join(f'"{uuid.uuid4()}"' for _ in range(5000))
    text = f'in(id, [{listed}, "{ids[3]}"])'
    assert [run.inputs["n"] for run in client.list_runs(project_name=project, filter=text)] == [3]


def test_ids_make_every_other_argument_void(client: Client, five: tuple[str, list[str]]) -> None:
    """`list_runs(id=[...])`; before, the others narrowed the choice."""
    project, ids = five
    found = client.list_runs(
        project_name=project, run_ids=ids[:2], is_root=False, error=True, run_type="tool",
        filter='eq(name, "no such")',
    )  # fmt: skip
    assert {str(run.id) for run in found} == set(ids[:2])
    assert list(client.list_runs(project_name=project, run_ids=[])) == [], "before: all runs"


def test_a_type_of_runs_that_there_is_not(client: Client, five: tuple[str, list[str]]) -> None:
    with pytest.raises(LangSmithError, match="must be one of llm, tool"):
        list(client.list_runs(project_name=five[0], run_type="banana"))


def test_breakdowns_of_tokens_and_costs(client: Client, service: Running) -> None:
    """Before: those of tokens were missing from `list_runs`, those of costs everywhere."""
    project = fresh("details")
    usage = {
        "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
        "input_token_details": {"cache_read": 4}, "output_token_details": {"reasoning": 2},
        "input_cost": 0.002, "output_cost": 0.001,
        "input_cost_details": {"cache_read": 0.0004}, "output_cost_details": {"reasoning": 0.0005},
    }  # fmt: skip
    run = made(project, run_type="llm")
    body = form(run_parts(run, outputs={"usage_metadata": usage}))
    assert send(service, "POST", "/runs/multipart", body, FORM).status_code == 202
    (listed,) = client.list_runs(project_name=project)
    for found in (listed, client.read_run(run["id"])):
        assert found.prompt_token_details == {"cache_read": 4}
        assert found.completion_token_details == {"reasoning": 2}
        assert {k: float(v) for k, v in (found.prompt_cost_details or {}).items()} == {
            "cache_read": 0.0004
        }
        assert {k: float(v) for k, v in (found.completion_cost_details or {}).items()} == {
            "reasoning": 0.0005
        }


# --- datasets and feedback -----------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}


def test_a_datasets_schemas_are_enforced(client: Client) -> None:
    """Before: accepted, and never looked at."""
    dataset = client.create_dataset(
        fresh("schema"), inputs_schema=SCHEMA, outputs_schema={"required": ["answer"]}
    )
    good: dict[str, Any] = {
        "inputs": {"question": "How long?"},
        "reference_outputs": {"answer": "30 days"},
    }
    client.create_examples(dataset_id=dataset.id, examples=[good])
    for wrong, says in (
        ({"inputs": {"question": 5}}, r"question does not match.*5 is not of type"),
        ({"inputs": {}}, "question.* is a required property"),
        ({"inputs": {"question": "a", "more": 1}}, "more"),
        ({"reference_outputs": {"reply": "x"}}, "answer.* is a required property"),
    ):
        with pytest.raises(LangSmithError, match=says):
            client.create_examples(dataset_id=dataset.id, examples=[{**good, **wrong}])
    (example,) = client.list_examples(dataset_id=dataset.id)
    with pytest.raises(LangSmithError, match="does not match"):
        client.update_example(example.id, inputs={"question": None})
    client.update_example(example.id, inputs={"question": "How far?"})
    client.create_example(inputs={"question": "No answer yet"}, dataset_id=dataset.id)


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "banana"}, "no JSON Schema"),
        ({"properties": []}, "no JSON Schema"),
        ([1], "JSON object"),
        ("text", "JSON object"),
    ],
)
def test_what_is_no_schema_is_refused(service: Running, schema: Any, says: str) -> None:
    body = {"name": fresh("schema"), "inputs_schema_definition": schema}
    answer = send(service, "POST", "/datasets", body)
    assert (answer.status_code, says in answer.json()["detail"]) == (422, True)


def test_a_schema_opens_no_address(client: Client) -> None:
    schema = {"$ref": "http://127.0.0.1:9/other.json"}
    dataset = client.create_dataset(fresh("schema"), inputs_schema=schema)
    with pytest.raises(LangSmithError, match="refers to what is not in it"):
        client.create_examples(dataset_id=dataset.id, examples=[{"inputs": {"a": 1}}])


def test_what_feedback_means_is_kept(client: Client, five: tuple[str, list[str]]) -> None:
    """`feedback_config`; before: accepted and dropped."""
    key, stars = fresh("key"), fresh("stars")
    session = client.read_project(project_name=five[0]).id
    config: Any = {"type": "continuous", "min": 0.0, "max": 5.0}
    client.create_feedback(five[1][4], key, score=3, session_id=session, feedback_config=config)
    (found,) = client.list_feedback_configs(feedback_key=[key])
    assert {k: v for k, v in found.feedback_config.items() if v is not None} == config
    made_ = client.create_feedback_config(stars, feedback_config=config)
    assert client.create_feedback_config(stars, feedback_config=config).id == made_.id
    with pytest.raises(LangSmithError, match="another configuration"):
        client.create_feedback_config(stars, feedback_config={"type": "freeform"})
    with pytest.raises(LangSmithError, match="501"):
        client.update_feedback_config(stars, is_lower_score_better=True)
    client.delete_feedback_config(stars)
    assert list(client.list_feedback_configs(feedback_key=[stars])) == []


def test_metadata_mean_the_same_wherever_they_are_asked(client: Client) -> None:
    """Before: runs compared texts, projects, datasets and examples typed values."""
    metadata = {"n": 3, "kind": "a", "on": True, "share": 0.5}
    project = client.create_project(fresh("meta"), metadata=dict(metadata))
    dataset = client.create_dataset(fresh("meta"), metadata=dict(metadata))
    example = client.create_example(inputs={"a": 1}, dataset_id=dataset.id, metadata=dict(metadata))
    run_id = uuid.uuid4()
    client.create_run(
        "r", {}, "chain", id=run_id, project_name=project.name, extra={"metadata": dict(metadata)}
    )
    client.flush()
    for key, values in {"n": (3, "3"), "on": (True, "true"), "share": (0.5, "0.5")}.items():
        for value in values:
            pair = {key: value}
            assert [p.id for p in client.list_projects(name=project.name, metadata=pair)]
            assert [d.id for d in client.list_datasets(dataset_ids=[dataset.id], metadata=pair)]
            found = client.list_examples(dataset_id=dataset.id, metadata=pair)
            assert [e.id for e in found] == [example.id]
            text = f'and(eq(metadata_key, "{key}"), eq(metadata_value, {str(value).lower()!r}))'
            assert [r.id for r in client.list_runs(project_id=project.id, filter=text)] == [run_id]
    with pytest.raises(LangSmithError, match="metadata values other than"):
        list(client.list_examples(dataset_id=dataset.id, metadata={"deep": {"a": 1}}))
