"""The real SDK against the service: what is read back is what was sent."""

import asyncio
import datetime as dt
import uuid
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import langsmith
import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langsmith import Client, traceable, tracing_context
from langsmith.run_trees import RunTree
from langsmith.schemas import Run
from langsmith.utils import ContextThreadPoolExecutor, LangSmithError, LangSmithNotFoundError

from tests.tracing.serving import (
    COMPLETION_PRICE,
    PRICED,
    PROMPT_PRICE,
    UNPRICED,
    Running,
    ScriptedModel,
    answer,
    fresh,
)

# The SDK announces the end of `list_runs` and `read_run`; the course shows both forms.
pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed after:DeprecationWarning")

HOSTILE = "<script>alert(1)</script> ' \" \\ \x00 é 漢字 🏕 \u2028 {{7*7}}"


def runs_of(client: Client, project: str, **options: Any) -> list[Run]:
    client.flush()
    found = client.list_runs(project_name=project, **options)
    return sorted(found, key=lambda run: run.dotted_order)


def tree(runs: list[Run]) -> list[tuple[int, str]]:
    """Depth and name, in the order of the tree."""
    return [(run.dotted_order.count("."), run.name) for run in runs]


def test_every_field_of_a_run_comes_back(client: Client) -> None:
    project, run_id = fresh("fields"), uuid.uuid4()
    start = dt.datetime(2026, 6, 15, 9, 0, 0, 123457, tzinfo=dt.UTC)
    sent: dict[str, Any] = {
        "name": HOSTILE,
        "run_type": "llm",
        "inputs": {"text": HOSTILE, "whole": 2**70, "list": [1, 2.5, None, True], "z": 1, "a": {}},
        "outputs": {"answer": ["x" * 50_000], "nothing": None},
        "error": "ValueError: " + HOSTILE,
        "tags": ["one", HOSTILE],
        "events": [{"name": "start", "time": start.isoformat(), "kwargs": {"k": [1]}}],
        "serialized": {"id": ["a", "b"], "type": "constructor"},
    }
    metadata = {"customer": "C-0001", "attempt": 3, "night": True, "deep": {"er": [1]}}
    client.create_run(
        id=run_id,
        trace_id=run_id,
        dotted_order=f"20260615T090000123457Z{run_id}",
        project_name=project,
        start_time=start,
        end_time=start + dt.timedelta(seconds=2.5),
        extra={"metadata": dict(metadata), "more": 1},
        **{k: (v.copy() if isinstance(v, dict) else v) for k, v in sent.items()},
    )
    client.flush()
    run = client.read_run(run_id)
    assert {name: getattr(run, name) for name in sent} == sent
    assert list(run.inputs) == list(sent["inputs"]), "the order of keys"
    assert run.extra is not None
    assert run.extra["more"] == 1
    assert {key: run.metadata[key] for key in metadata} == metadata
    assert run.start_time == start.replace(tzinfo=None) or run.start_time == start
    assert run.latency == 2.5
    assert run.status == "error"
    assert (run.id, run.trace_id, run.parent_run_id) == (run_id, run_id, None)
    (listed,) = runs_of(client, project)
    apart = {"serialized"}  # `list_runs` does not ask for it
    assert listed.model_dump(exclude=apart) == run.model_dump(exclude=apart)


def test_a_chain_is_a_tree(client: Client) -> None:
    project = fresh("chain")
    chain = RunnableLambda(lambda text: text.strip(), name="clean") | RunnableLambda(
        lambda text: text.upper(), name="shout"
    )
    with tracing_context(client=client, enabled=True, project_name=project):
        chain.with_config(run_name="request", tags=["night"], metadata={"intent": "a"}).invoke(
            " x "
        )
    runs = runs_of(client, project)
    assert tree(runs) == [(0, "request"), (1, "clean"), (1, "shout")]
    assert [run.inputs for run in runs] == [{"input": " x "}, {"input": " x "}, {"input": "x"}]
    assert [run.outputs for run in runs] == [{"output": "X"}, {"output": "x"}, {"output": "X"}]
    assert all(run.metadata["intent"] == "a" and "night" in (run.tags or []) for run in runs)
    assert {run.trace_id for run in runs} == {runs[0].id}
    assert runs[1].parent_run_ids == [runs[0].id]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def fail(a: int) -> int:
    """Always fails."""
    raise ValueError(f"no {a}")


def ask_agent(model: ScriptedModel) -> dict[str, Any]:
    agent = create_agent(model, [add, fail])
    found: dict[str, Any] = agent.invoke({"messages": [("user", "1 + 2?")]})
    return found


def test_an_agent_with_tokens_and_costs_rolled_up(client: Client) -> None:
    project = fresh("agent")
    call = {"name": "add", "args": {"a": 1, "b": 2}, "id": "1"}
    model = ScriptedModel(answers=[answer("", 100, 10, tool_calls=[call]), answer("3", 130, 2)])
    with tracing_context(client=client, enabled=True, project_name=project):
        ask_agent(model)
    runs = runs_of(client, project)
    assert tree(runs)[0] == (0, "LangGraph")
    assert [run.name for run in runs if run.run_type == "llm"] == ["ScriptedModel"] * 2
    (used,) = [run for run in runs if run.run_type == "tool"]
    assert (used.name, used.inputs) == ("add", {"a": 1, "b": 2})
    root = runs[0]
    assert (root.prompt_tokens, root.completion_tokens, root.total_tokens) == (230, 12, 242)
    assert root.prompt_cost == Decimal(str(round(230 * PROMPT_PRICE, 12)))
    assert root.total_cost == Decimal(str(round(230 * PROMPT_PRICE + 12 * COMPLETION_PRICE, 12)))
    assert used.total_tokens == 0
    assert used.total_cost == 0
    first, second = [run for run in runs if run.run_type == "llm"]
    assert (first.total_tokens, second.total_tokens) == (110, 132)
    parent = next(run for run in runs if run.id == first.parent_run_id)
    assert parent.total_cost == first.total_cost


def test_a_failing_tool_is_an_error_with_its_text(client: Client) -> None:
    project = fresh("failing")
    call = {"name": "fail", "args": {"a": 7}, "id": "1"}
    model = ScriptedModel(answers=[answer("", 1, 1, tool_calls=[call])])
    with (
        tracing_context(client=client, enabled=True, project_name=project),
        pytest.raises(ValueError, match="no 7"),
    ):
        ask_agent(model)
    failed = runs_of(client, project, error=True)
    assert {run.name for run in failed} >= {"fail", "LangGraph"}
    assert all("no 7" in (run.error or "") for run in failed)
    assert all(run.status == "error" for run in failed)
    assert "ScriptedModel" in {run.name for run in runs_of(client, project, error=False)}


def test_a_model_without_a_price_stores_no_cost(client: Client) -> None:
    project = fresh("unpriced")
    priced = ScriptedModel(answers=[answer("a", 10, 1)])
    unpriced = ScriptedModel(answers=[answer("b", 20, 2)], model=UNPRICED)
    silent = ScriptedModel(answers=[answer("c", 0, 0).model_copy(update={"usage_metadata": None})])
    with tracing_context(client=client, enabled=True, project_name=project):
        RunnableLambda(lambda _: [priced.invoke("x"), unpriced.invoke("x")], name="both").invoke(1)
        RunnableLambda(lambda _: unpriced.invoke("x"), name="alone").invoke(1)
        RunnableLambda(lambda _: silent.invoke("x"), name="silent").invoke(1)
    by_name = {run.name: run for run in runs_of(client, project, is_root=True)}
    price = Decimal(str(round(10 * PROMPT_PRICE + COMPLETION_PRICE, 12)))
    assert by_name["both"].total_cost == price
    assert by_name["both"].total_tokens == 33
    assert by_name["alone"].total_cost is None
    assert by_name["alone"].total_tokens == 22
    assert by_name["silent"].total_cost is None
    assert by_name["silent"].total_tokens is None
    stats = client.get_run_stats(project_names=[project], is_root=True)
    assert stats["total_cost"] == pytest.approx(float(price))
    assert (stats["model_runs"], stats["unpriced_runs"], stats["unmetered_runs"]) == (4, 3, 1)
    facets = client.read_project(project_name=project, include_stats=True).run_facets
    assert [(one["key"], one["n"]) for one in facets or []] == [("price", 3), ("usage", 1)]


def test_statistics_count_nothing_twice(client: Client) -> None:
    project = fresh("stats")
    model = ScriptedModel(answers=[answer("a", 10, 1)])
    inner = RunnableLambda(lambda _: model.invoke("x"), name="inner")
    with tracing_context(client=client, enabled=True, project_name=project):
        for _ in range(4):
            RunnableLambda(lambda _: inner.invoke(1), name="outer").invoke(1)
    client.flush()
    for options in ({"is_root": True}, {}, {"run_type": "chain"}, {"run_type": "llm"}):
        stats = client.get_run_stats(project_names=[project], **options)
        assert stats["total_tokens"] == 44, options
        assert stats["total_cost"] == pytest.approx(44e-6 + 4 * 3e-6), options
    assert stats["run_count"] == 4
    project_stats = client.read_project(project_name=project, include_stats=True)
    assert (project_stats.run_count, project_stats.total_tokens) == (4, 44)
    assert project_stats.error_rate == 0
    assert project_stats.latency_p99 >= project_stats.latency_p50 > dt.timedelta(0)


def test_read_run_with_its_children(client: Client) -> None:
    project = fresh("children")

    @traceable
    def leaf(n: int) -> int:
        return n

    @traceable
    def middle() -> int:
        return leaf(1) + leaf(2)

    @traceable(name="top")
    def top() -> int:
        return middle() + leaf(3)

    with tracing_context(client=client, enabled=True, project_name=project):
        top()
    root = runs_of(client, project, is_root=True)[0]
    read = client.read_run(root.id, load_child_runs=True)
    assert read.child_runs is not None
    assert [run.name for run in read.child_runs] == ["middle", "leaf"]
    below = read.child_runs[0].child_runs
    assert [run.inputs for run in below or []] == [{"n": 1}, {"n": 2}]
    inner = client.read_run(read.child_runs[0].id, load_child_runs=True)
    assert [run.name for run in inner.child_runs or []] == ["leaf", "leaf"]


def test_the_tree_holds_across_async_and_threads(client: Client) -> None:
    project = fresh("concurrent")

    @traceable
    def step(n: int) -> int:
        return n

    @traceable
    async def waits(n: int) -> int:
        await asyncio.sleep(0)
        return step(n)

    @traceable
    async def asynchronous() -> list[int]:
        return await asyncio.gather(*(waits(n) for n in range(3)))

    @traceable
    def threaded() -> list[int]:
        with ContextThreadPoolExecutor(max_workers=3) as pool:
            return list(pool.map(step, range(3)))

    @traceable
    def lost() -> list[int]:
        with ThreadPoolExecutor(max_workers=1) as pool:
            return list(pool.map(step, range(2)))

    with tracing_context(client=client, enabled=True, project_name=project):
        asyncio.run(asynchronous())
        threaded()
    runs = runs_of(client, project)
    assert [run.name for run in runs if run.parent_run_id is None] == ["asynchronous", "threaded"]
    assert sorted(tree(runs)) == sorted(
        [(0, "asynchronous"), (0, "threaded")] + [(1, "waits"), (2, "step")] * 3 + [(1, "step")] * 3
    )
    # A plain thread pool knows nothing of the run around it: what the lab is about.
    with tracing_context(client=client, enabled=True, project_name=fresh("lost")) as _:
        langsmith.configure(client=client, enabled=True, project_name=project)
        try:
            lost()
        finally:
            langsmith.configure(client=None, enabled=None, project_name=None)
    assert "step" in {run.name for run in runs_of(client, project, is_root=True)}


def place(run_id: uuid.UUID, *above: uuid.UUID) -> dict[str, Any]:
    path = [*above, run_id]
    return {
        "id": run_id,
        "trace_id": path[0],
        "dotted_order": ".".join(f"20260615T09000000000{n}Z{key}" for n, key in enumerate(path)),
        **({"parent_run_id": above[-1]} if above else {}),
    }


@pytest.mark.parametrize("order", ["as made", "backwards", "updates first"])
def test_the_order_of_arrival_does_not_matter(client: Client, order: str, service: Running) -> None:
    project = fresh("order")
    root, chain, model = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    start = "2026-06-15T09:00:00+00:00"
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    creates = [
        {"name": name, "run_type": kind, "inputs": {"i": name}, "start_time": start,
         "session_name": project, "extra": {"metadata": {"step": name}}, **place(*path)}
        for name, kind, path in (
            ("root", "chain", (root,)),
            ("chain", "chain", (chain, root)),
            ("model", "llm", (model, root, chain)),
        )
    ]  # fmt: skip
    updates = [
        {"outputs": {"o": name, **extra}, "end_time": "2026-06-15T09:00:01+00:00", **place(*path)}
        for name, path, extra in (
            ("model", (model, root, chain), {"usage_metadata": usage}),
            ("chain", (chain, root), {}),
            ("root", (root,), {}),
        )
    ]
    sent = [("create", run) for run in creates] + [("update", run) for run in updates]
    if order == "backwards":
        sent.reverse()
    elif order == "updates first":
        sent = sent[3:] + sent[:3]
    for kind, run in sent:
        client.multipart_ingest(**{kind: [dict(run)]})
    client.multipart_ingest(create=[dict(creates[0])])  # a second try of a lost answer
    runs = runs_of(client, project)
    assert tree(runs) == [(0, "root"), (1, "chain"), (2, "model")]
    for run in runs:
        assert run.inputs == {"i": run.name}
        assert (run.outputs or {})["o"] == run.name
        assert run.metadata["step"] == run.name
        assert (run.status, run.latency) == ("success", 1.0)
        assert run.total_tokens == 10
    del service


def test_first_token_time_is_that_of_the_first_event(client: Client) -> None:
    project, root, model = fresh("first"), uuid.uuid4(), uuid.uuid4()
    common = {"session_name": project, "start_time": "2026-06-15T09:00:00+00:00", "inputs": {}}
    events = [
        {"name": "new_token", "time": f"2026-06-15T09:00:00.{tenth}00000+00:00"} for tenth in (4, 3)
    ]
    client.multipart_ingest(
        create=[
            {"name": "root", "run_type": "chain", **common, **place(root)},
            {"name": "m", "run_type": "llm", "events": events, **common, **place(model, root)},
        ]
    )
    times = [run.first_token_time for run in runs_of(client, project)]
    expected = dt.datetime(2026, 6, 15, 9, 0, 0, 300_000, tzinfo=dt.UTC)
    assert times == [expected, expected]
    stats = client.get_run_stats(project_names=[project], is_root=True)
    assert stats["first_token_p50"] == pytest.approx(0.3)


def client_config(service: Running) -> dict[str, Any]:
    return dict(service.client(auto_batch_tracing=False).info.batch_ingest_config or {})


def test_the_sdks_other_ways_to_send(service: Running) -> None:
    """Compressed as by default, in batches, and one by one."""
    project = fresh("ways")
    compressed, single = service.client(), service.client(auto_batch_tracing=False)
    batched = service.client(
        info={
            "batch_ingest_config": {
                **client_config(service),
                "use_multipart_endpoint": False,
            }
        }
    )
    with tracing_context(client=compressed, enabled=True, project_name=project):
        traceable(lambda x: x, name="compressed").__call__(1)
    compressed.flush()
    tree_ = RunTree(
        name="single", run_type="chain", inputs={"a": 1}, client=single, project_name=project
    )
    tree_.post()
    tree_.end(outputs={"b": 2})
    tree_.patch()
    run_id = uuid.uuid4()
    run = {"name": "batched", "run_type": "chain", "inputs": {}, "session_name": project}
    times = {"start_time": "2026-06-15T09:00:00Z", "end_time": "2026-06-15T09:00:01Z"}
    batched.batch_ingest_runs(create=[{**run, **times, **place(run_id)}])
    lonely = uuid.uuid4()
    single.create_run("lonely", {"x": 1}, "chain", project_name=project, id=lonely)
    single.update_run(lonely, outputs={"y": 2})
    found = {run.name: run for run in single.list_runs(project_name=project)}
    assert set(found) == {"compressed", "single", "batched", "lonely"}
    assert all(run.status == "success" for run in found.values())
    assert (found["single"].inputs, found["single"].outputs) == ({"a": 1}, {"b": 2})
    assert (found["lonely"].outputs, found["lonely"].trace_id) == ({"y": 2}, lonely)


# --- queries -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def night(client: Client) -> str:
    """A project with five requests, a minute apart, each with a model run and a tool."""
    project = fresh("night")
    runs: list[dict[str, Any]] = []
    for n in range(5):
        root = uuid.uuid4()
        times = {
            "start_time": f"2026-06-15T09:0{n}:00+00:00",
            "end_time": f"2026-06-15T09:0{n}:0{n + 1}+00:00",
        }
        extra = {
            "metadata": {"intent": "refund" if n < 2 else "order", "n": n, "thread_id": f"t{n % 2}"}
        }
        shared = {"session_name": project, "inputs": {"n": n}, "extra": extra, **times}
        usage = {"input_tokens": 10 * n, "output_tokens": n, "total_tokens": 11 * n}
        tags = ["night"] if n % 2 else ["day", "night"]
        runs += [
            {"name": f"request {n}", "run_type": "chain", "tags": tags, **shared, **place(root)},
            {"name": "model", "run_type": "llm", **shared, **place(uuid.uuid4(), root),
             "outputs": {"usage_metadata": usage},
             "extra": {"metadata": {"ls_model_name": PRICED, "n": n}}},
            {"name": "lookup", "run_type": "tool", **shared, **place(uuid.uuid4(), root),
             **({"error": "timeout"} if n == 3 else {})},
        ]  # fmt: skip
    client.multipart_ingest(create=runs)
    first = next(run for run in client.list_runs(project_name=project, is_root=True))
    client.create_feedback(first.id, "helpful", score=0.25, session_id=first.session_id)
    return project


def minute(n: int) -> dt.datetime:
    return dt.datetime(2026, 6, 15, 9, n, tzinfo=dt.UTC)


REQUESTS = {
    'has(tags, "day")': {0, 2, 4},
    'and(has(tags, "day"), gt(latency, 2))': {2, 4},
    'or(eq(name, "request 1"), eq(name, "request 4"))': {1, 4},
    'not(eq(name, "request 1"))': {0, 2, 3, 4},
    'in(name, ["request 1", "request 2"])': {1, 2},
    'and(eq(metadata_key, "intent"), eq(metadata_value, "refund"))': {0, 1},
    'and(eq(metadata_key, "n"), eq(metadata_value, 3))': {3},
    'and(eq(metadata_key, "n"), in(metadata_value, [1, "2"]), gte(latency, 3))': {2},
    'has(metadata, \'{"intent": "order", "n": 2}\')': {2},
    'eq(metadata_key, "intent")': {0, 1, 2, 3, 4},
    'eq(thread_id, "t1")': {1, 3},
    "gt(total_tokens, 22)": {3, 4},
    "and(gte(total_cost, 0.000028), lt(total_cost, 0.000056))": {2, 3},
    'gte(start_time, "2026-06-15T09:03:00Z")': {3, 4},
    'lt(start_time, "2026-06-15T11:01:00+02:00")': {0},
    'and(eq(feedback_key, "helpful"), lt(feedback_score, 0.5))': {4},
    'and(eq(feedback_key, "helpful"), gt(feedback_score, 0.5))': set(),
    "eq(error, null)": {0, 1, 2, 3, 4},
    'eq(status, "success")': {0, 1, 2, 3, 4},
}


@pytest.mark.parametrize("text", REQUESTS)
def test_filters(client: Client, night: str, text: str) -> None:
    found = client.list_runs(project_name=night, is_root=True, filter=text)
    assert {run.inputs["n"] for run in found} == REQUESTS[text]


PLAIN: dict[str, tuple[dict[str, Any], Callable[[Run], bool]]] = {
    "root": ({"is_root": True}, lambda run: run.parent_run_id is None),
    "not root": ({"is_root": False}, lambda run: run.parent_run_id is not None),
    "type": ({"run_type": "tool"}, lambda run: run.run_type == "tool"),
    "error": ({"error": True}, lambda run: run.error is not None),
    "time": ({"start_time": minute(3)}, lambda run: run.inputs["n"] >= 3),
    "model name": (
        {"filter": f'and(eq(metadata_key, "ls_model_name"), eq(metadata_value, "{PRICED}"))'},
        lambda run: run.name == "model",
    ),
    "failed trace": (
        {"tree_filter": 'eq(status, "error")', "run_type": "llm"},
        lambda run: run.run_type == "llm" and run.inputs["n"] == 3,
    ),
    "root of the trace": (
        {"trace_filter": 'has(tags, "day")', "filter": 'eq(name, "lookup")'},
        lambda run: run.name == "lookup" and run.inputs["n"] % 2 == 0,
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_queries_give_exactly_the_runs_that_they_mean(
    client: Client, night: str, name: str
) -> None:
    options, meant = PLAIN[name]
    everything = list(client.list_runs(project_name=night))
    assert len(everything) == 15
    found = {run.id for run in client.list_runs(project_name=night, **options)}
    assert found == {run.id for run in everything if meant(run)}
    assert 0 < len(found) < 15


def test_by_trace_parent_and_id(client: Client, night: str) -> None:
    root = next(client.list_runs(project_name=night, is_root=True))
    whole = list(client.list_runs(trace_id=root.id))
    assert {run.trace_id for run in whole} == {root.id}
    assert len(whole) == 3
    children = list(client.list_runs(parent_run_id=root.id))
    assert {run.id for run in children} == {run.id for run in whole} - {root.id}
    wanted = [whole[0].id, whole[1].id]
    assert {run.id for run in client.list_runs(run_ids=wanted)} == set(wanted)


def test_limit_order_and_pages(client: Client, night: str) -> None:
    newest = list(client.list_runs(project_name=night, limit=4))
    times = [run.start_time for run in newest]
    assert len(newest) == 4
    assert times == sorted(times, reverse=True)
    body = {"session": [str(newest[0].session_id)], "limit": 4}
    pages, cursor = [], None
    for _ in range(4):
        extra = {"cursor": cursor} if cursor else {}
        answer_ = client.request_with_retries("POST", "/runs/query", json={**body, **extra}).json()
        pages.append([run["id"] for run in answer_["runs"]])
        cursor = answer_["cursors"]["next"]
    assert [len(page) for page in pages] == [4, 4, 4, 3]
    assert cursor is None
    assert len({key for page in pages for key in page}) == 15
    oldest = client.list_runs(project_name=night, is_root=True, order="asc")
    assert [run.inputs["n"] for run in oldest] == [0, 1, 2, 3, 4]


def test_only_selected_fields_are_sent(client: Client, night: str) -> None:
    select = ["inputs", "total_tokens"]
    (run,) = client.list_runs(project_name=night, is_root=True, limit=1, select=select)
    assert run.inputs == {"n": 4}
    assert run.total_tokens == 44
    assert run.outputs is None
    assert run.metadata == {}


# --- the newer form ------------------------------------------------------------------------------


async def test_the_newer_queries(client: Client, night: str) -> None:
    project = client.read_project(project_name=night)
    options: dict[str, Any] = {"project_ids": [str(project.id)], "min_start_time": minute(0)}
    names = [
        run.name
        async for run in client.runs.query(**options, is_root=True, selects=["NAME"], page_size=2)
    ]
    assert names == [f"request {n}" for n in (4, 3, 2, 1, 0)]
    fields: Any = ["NAME", "INPUTS", "TOTAL_TOKENS", "TOTAL_COST", "STATUS", "RUN_TYPE", "METADATA"]
    query = client.runs.query(**options, filter='eq(name, "request 4")', selects=fields)
    (own,) = [run async for run in query]
    assert (own.total_tokens, own.total_cost) == (None, None), "its own, and it used nothing"
    query = client.runs.query(
        **options, filter='eq(name, "request 4")', selects=fields, include_subtree_usage=True
    )
    (whole,) = [run async for run in query]
    assert whole.total_tokens == 44
    assert whole.total_cost == pytest.approx(40 * PROMPT_PRICE + 4 * COMPLETION_PRICE)
    assert (whole.inputs, whole.status, whole.run_type) == ({"n": 4}, "SUCCESS", "CHAIN")
    assert whole.metadata is not None
    assert whole.metadata["intent"] == "order"
    read = await client.runs.retrieve(str(whole.id), project_id=str(project.id), selects=["NAME"])
    assert read.name == "request 4"
    url = await client.runs.get_url(
        str(whole.id), project_id=str(project.id), trace_id=str(whole.id)
    )
    assert url.url is not None
    assert url.url.endswith(f"/traces/{whole.id}")
    none = [run async for run in client.runs.query(project_ids=[str(project.id)])]
    assert none == [], "without times, the last day"


# --- what is not there ---------------------------------------------------------------------------


def test_what_is_missing_says_so(client: Client) -> None:
    with pytest.raises(LangSmithNotFoundError):
        client.read_run(uuid.uuid4())
    with pytest.raises(LangSmithNotFoundError):
        list(client.list_runs(project_name=fresh("nowhere")))
    with pytest.raises(LangSmithNotFoundError):
        client.read_project(project_id=str(uuid.uuid4()))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("eq(name", "cannot be read"),
        ("name", "no condition"),
        ("eq(name, other)", "quotation marks"),
        ('gt(latency, "slow")', "must be a number"),
        ("gt(start_time, 5)", "a time as text"),
        ("has(metadata, 'x')", "JSON object"),
        ("and()", "at least one"),
        ("eq(error, null))", "cannot be read"),
    ],
)
def test_a_filter_that_is_wrong_is_refused(
    client: Client, night: str, text: str, says: str
) -> None:
    with pytest.raises(LangSmithError, match=says) as caught:
        list(client.list_runs(project_name=night, filter=text))
    assert "422" in str(caught.value)


def test_a_bad_run_is_refused_and_takes_no_other_along(client: Client) -> None:
    project, good, bad = fresh("bad"), uuid.uuid4(), uuid.uuid4()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = {"name": "x", "run_type": "chain", "session_name": project, "inputs": {}}
        wrong = {**run, **place(bad), "start_time": "yesterday"}
        right = {**run, **place(good), "start_time": "2026-06-15T09:00:00Z"}
        client.multipart_ingest(create=[right, wrong])
    assert [run.id for run in client.list_runs(project_name=project)] == [good]
    with pytest.raises(LangSmithError, match="no JSON"):
        client.request_with_retries("POST", "/runs/batch", data=b"{", headers={})
