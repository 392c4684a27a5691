"""No request ends in a bare 500: what the service cannot do it refuses with a sentence.

The table has inputs that once did, and siblings of them. After it, generated requests: hostile
values in every place of every route, for a bounded number of examples.
"""

import string
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.tracing.app import create_app
from helpers.tracing.store import Store
from tests.tracing.sending import FORM, as_bytes, form, made, part
from tests.tracing.serving import KEY, fresh, pricer

ID = str(uuid.UUID(int=9))
HALF = "half \ud800 pair"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The service inside this process; an exception that it does not answer fails the test."""
    store = Store(tmp_path_factory.mktemp("hostile") / "traces.db")
    app = create_app(store, key=KEY, pricer=pricer)
    client = TestClient(app, base_url="http://127.0.0.1", headers={"x-api-key": KEY})
    client.cookies.set("traces-None", KEY)
    with client:
        session = client.post("/sessions", json={"name": "p", "id": ID}).json()["id"]
        client.post("/datasets", json={"name": "d", "id": ID})
        client.post("/runs", json={**made("p"), "id": ID, "trace_id": ID,
                                   "dotted_order": f"20260615T090000000000Z{ID}"})  # fmt: skip
        client.post("/feedback", json={"id": ID, "run_id": ID, "key": "k", "score": 1})
        body = form(part(ID, {"split": "s"}), part(f"{ID}.inputs", {"a": 1}))
        client.post(f"/platform/datasets/{ID}/examples", content=body,
                    headers={"content-type": FORM})  # fmt: skip
        assert session == ID
        yield client
    store.close()


def sent(api: Any, method: str, path: str, body: Any = None, **options: Any) -> Any:
    content = None if body is None else as_bytes(body)
    return api.request(method, path, content=content, **options)


CURSORS = {
    "text": "abc",
    "no UTF-8": "gICA",
    "a number": "NQ==",
    "a dict": "eyJhIjogMSwgImIiOiAyfQ==",
    "two texts": "WyJhIiwgImIiXQ==",
    "a large number": "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCwgImEiXQ==",
    "NaN": "W05hTiwgImEiXQ==",
    "not ASCII": "é",
    "half a pair": HALF,
    "deep": "W1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tb",
}
BODIES: dict[str, tuple[str, str, Any]] = {
    "a dict as a session's name": ("POST", "/sessions", {"name": {"a": 1}}),
    "a list as a session's name": ("POST", "/sessions", {"name": ["a"]}),
    "a dict as a project's description": ("POST", "/sessions", {"name": "q", "description": {}}),
    "a dict as a changed description": ("PATCH", f"/sessions/{ID}", {"description": {"a": 1}}),
    "a number as a changed name": ("PATCH", f"/sessions/{ID}", {"name": 5}),
    "a list as a project's extra": ("POST", "/sessions", {"name": "q", "extra": [1]}),
    "a number as a project's start": ("POST", "/sessions", {"name": "q", "start_time": 5}),
    "half a pair in a project's name": ("POST", "/sessions", {"name": HALF}),
    "half a pair in a field's name": ("POST", "/sessions", {"name": "q", HALF: 1}),
    "NaN in a project's extra": ("POST", "/sessions", {"name": "q", "extra": {"a": float("nan")}}),
    "no JSON": ("POST", "/sessions", b"{"),
    "no object": ("POST", "/sessions", [1]),
    "nothing": ("POST", "/sessions", b""),
    "nested 100,000 deep": ("POST", "/sessions", b"[" * 100_000),
    "a dict as a dataset's name": ("POST", "/datasets", {"name": {}}),
    "a dict as a dataset's description": ("POST", "/datasets", {"name": "n", "description": {}}),
    "a text as a dataset's extra": ("POST", "/datasets", {"name": "n", "extra": "x"}),
    "a dict as a comment": (
        "POST", "/feedback", {"id": ID, "run_id": ID, "key": "k", "comment": {"a": 1}}),
    "a dict as a changed comment": ("PATCH", f"/feedback/{ID}", {"comment": {"a": 1}}),
    "a text as a score": ("POST", "/feedback", {"id": ID, "run_id": ID, "key": "k", "score": "x"}),
    "a score beyond numbers": (
        "POST", "/feedback", {"id": ID, "run_id": ID, "key": "k", "score": 10**400}),
    "a score beyond means": (
        "POST", "/feedback", {"id": ID, "run_id": ID, "key": "k", "score": 1e300}),
    "a changed score beyond means": ("PATCH", f"/feedback/{ID}", {"score": 1e300}),
    "a text as a source": (
        "POST", "/feedback", {"id": ID, "run_id": ID, "key": "k", "feedback_source": "x"}),
    "a feedback configuration of no type": (
        "POST", "/feedback-configs", {"feedback_key": "k", "feedback_config": {"type": []}}),
    "a page of -1 runs": ("POST", "/runs/query", {"session": ["x"]}),
    "a dict as a session": ("POST", "/runs/query", {"session": {"a": 1}}),
    "a list as a filter": ("POST", "/runs/query", {"filter": ["a"]}),
    "half a pair in a filter": ("POST", "/runs/query", {"filter": f'eq(name, "{HALF}")'}),
    "half a pair as a parameter": ("POST", "/runs/query", {HALF: 1, "session": [ID]}),
    "a list as a type of runs": ("POST", "/runs/query", {"run_type": ["llm"]}),
    "a limit beyond numbers": ("POST", "/runs/query", {"limit": 10**400}),
    "a number as a start": ("POST", "/runs/query", {"start_time": 5}),
    "gt(latency, 1e300)": ("POST", "/runs/query", {"filter": "gt(latency, 1e300)"}),
    "a number of 400 digits": ("POST", "/runs/query", {"filter": f"gt(latency, {'7' * 400})"}),
    "a number of 5,000 digits": ("POST", "/runs/query", {"filter": f"gt(latency, {'7' * 5000})"}),
    "a page size of 10^20": ("POST", "/api/v2/runs/query", {"project_ids": [ID],
                                                            "page_size": 10**20}),
    "a dict as example ids": ("PATCH", f"/platform/datasets/{ID}/examples/metadata",
                              {"example_ids": {}, "operations": []}),
    **{f"a cursor: {name}": ("POST", "/runs/query", {"session": [ID], "cursor": cursor})
       for name, cursor in CURSORS.items()},
}  # fmt: skip
ADDRESSES = {
    f"{path.replace(ID, 'id')}?{place}={value}": f"{path}?{place}={value}{more}"
    for path, place, more in (
        ("/sessions", "offset", ""),
        ("/sessions", "limit", ""),
        ("/datasets", "offset", ""),
        ("/feedback", "offset", ""),
        ("/examples", "offset", f"&dataset={ID}"),
        ("/feedback-configs", "offset", ""),
        (f"/projects/{ID}", "page", ""),
    )
    for value in (10**20, -1, "x", "1e3", "NaN", "%00")
}


@pytest.mark.parametrize("case", BODIES)
def test_a_hostile_body_is_422(api: Any, case: str) -> None:
    method, path, body = BODIES[case]
    answer = sent(api, method, path, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]


@pytest.mark.parametrize("case", ADDRESSES)
def test_a_hostile_address_is_422(api: Any, case: str) -> None:
    answer = api.get(ADDRESSES[case])
    assert answer.status_code == 422
    assert answer.json()["detail"]


# --- generated -----------------------------------------------------------------------------------

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 10**20, 2**63, -(2**70), 10**400, 1e300, float("nan"), float("inf")]),
    st.sampled_from(
        [
            "",
            "x",
            "\x00",
            "\x1b[2J",
            HALF,
            ID,
            ID.upper(),
            "2026-06-15",
            "9999-12-31",
            "0001-01-01T00:00:00+14:00",
            "a." + ID,
            "llm",
            "%",
            "{",
            "null",
        ]
    ),
    st.text(max_size=5),
)
value = st.recursive(
    odd,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(odd.map(str), inner, max_size=2),
    max_leaves=4,
)
RUN = ("id", "trace_id", "dotted_order", "parent_run_id", "name", "run_type", "start_time", "tags",
       "end_time", "session_name", "session_id", "reference_example_id", "inputs", "outputs",
       "extra", "events", "error", "serialized")  # fmt: skip
ASKED = ("session", "id", "trace", "parent_run", "reference_example", "run_type", "is_root",
         "error", "start_time", "end_time", "filter", "trace_filter", "tree_filter", "order",
         "select", "limit", "cursor")  # fmt: skip
PLACES: dict[tuple[str, str], tuple[str, ...]] = {
    ("POST", "/runs"): RUN,
    ("PATCH", f"/runs/{ID}"): RUN,
    ("POST", "/runs/query"): ASKED,
    ("POST", "/runs/stats"): ASKED[:14],
    ("POST", "/api/v2/runs/query"): (
        "project_ids", "ids", "trace_id", "run_type", "has_error", "min_start_time", "filter",
        "selects", "page_size", "cursor"),
    ("POST", "/sessions"): (
        "id", "name", "description", "extra", "start_time", "end_time", "reference_dataset_id"),
    ("PATCH", f"/sessions/{ID}"): ("name", "description", "extra", "end_time"),
    ("POST", "/datasets"): (
        "id", "name", "description", "data_type", "extra", "inputs_schema_definition",
        "outputs_schema_definition"),
    ("POST", "/feedback"): (
        "id", "run_id", "trace_id", "session_id", "key", "score", "value", "comment",
        "correction", "feedback_source", "extra", "created_at", "start_time", "feedback_config"),
    ("PATCH", f"/feedback/{ID}"): ("score", "value", "comment", "correction"),
    ("POST", "/feedback-configs"): ("feedback_key", "feedback_config", "is_lower_score_better"),
    ("POST", "/platform/datasets/examples/delete"): ("example_ids",),
    ("PATCH", f"/platform/datasets/{ID}/examples/metadata"): ("example_ids", "operations"),
}  # fmt: skip
GOOD: dict[str, Any] = {
    "/runs": made("p"),
    "/runs/query": {"session": [ID]},
    "/runs/stats": {"session": [ID]},
    "/api/v2/runs/query": {"project_ids": [ID], "min_start_time": "2026-06-15T00:00:00Z"},
    "/feedback": {"id": ID, "run_id": ID, "key": "k"},
    "/feedback-configs": {"feedback_key": "k", "feedback_config": {"type": "freeform"}},
}
few = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@few
@given(data=st.data())
def test_generated_bodies(api: Any, data: Any) -> None:
    (method, path), names = data.draw(st.sampled_from(sorted(PLACES.items())))
    hostile = data.draw(st.dictionaries(st.sampled_from(names), value, min_size=1, max_size=3))
    answer = sent(api, method, path, {**GOOD.get(path, {"name": fresh("n")}), **hostile})
    assert answer.status_code in (200, 201, 202, 400, 404, 409, 422, 501), answer.text


@few
@given(data=st.data())
def test_generated_forms(api: Any, data: Any) -> None:
    run = made("p")
    names = st.builds(
        "{}.{}{}".format,
        st.sampled_from(["post", "patch", "attachment", "feedback", "x"]),
        st.sampled_from([run["id"], run["id"].upper(), "1"]),
        st.sampled_from(["", ".inputs", ".extra", ".events", ".error", ".x.y"]),
    )
    raw = st.one_of(value.map(as_bytes), st.binary(max_size=12))
    drawn = data.draw(st.lists(st.tuples(names, raw), max_size=4))
    parts = [part(f"post.{run['id']}", {**run, data.draw(st.sampled_from(RUN)): data.draw(value)})]
    body = form(*parts, *(part(name, content) for name, content in drawn))
    path = data.draw(st.sampled_from(["/runs/multipart", f"/platform/datasets/{ID}/examples"]))
    cut = data.draw(st.integers(0, 80))
    answer = sent(api, "POST", path, body[: len(body) - cut], headers={"content-type": FORM})
    assert answer.status_code in (201, 202, 400, 404, 409, 422, 501), answer.text


QUERIES: dict[str, tuple[str, ...]] = {
    "/sessions": ("id", "name", "name_contains", "reference_dataset", "metadata", "limit",
                  "offset", "include_stats", "reference_free"),
    "/datasets": ("id", "name", "name_contains", "metadata", "data_type", "limit", "offset"),
    "/examples": ("dataset", "id", "splits", "metadata", "as_of", "limit", "offset"),
    "/feedback": ("run", "session", "key", "source", "limit", "offset"),
    "/feedback-configs": ("key", "name_contains", "limit", "offset"),
    f"/projects/{ID}": ("runs", "status", "type", "name", "tag", "filter", "sort", "order", "page"),
    f"/api/v2/runs/{ID}": ("project_id", "selects"),
    "/": ("key", "x"),
    f"/traces/{ID}": ("x",),
    f"/datasets/{ID}/splits": ("as_of",),
}  # fmt: skip
plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    [ID, ID.upper(), "latest", "10e9", '{"a": NaN}', '{"a": 1e999}', '{"a": {"b": 1}}', '"', "[",
     'eq(name, "x")', "gt(latency, 1e300)", "2026-06-15", "true", str(10**20)])  # fmt: skip


@few
@given(data=st.data())
def test_generated_addresses(api: Any, data: Any) -> None:
    path, names = data.draw(st.sampled_from(sorted(QUERIES.items())))
    asked = data.draw(st.dictionaries(st.sampled_from(names), plain, max_size=3))
    answer = api.get(path, params=asked)
    assert answer.status_code in (200, 303, 404, 422, 501), answer.text
    kept = {"/runs/", "/traces/"}
    key = data.draw(plain)
    segment = "".join(c for c in key if c in string.ascii_letters + string.digits + "-{}. ")
    for start in kept:
        assert api.get(start + (segment or "x")).status_code in (200, 404, 405, 422, 501)


word = st.sampled_from(["eq", "neq", "gt", "in", "nin", "has", "not", "and", "or", "search"])
names_of_fields = """
id name run_type status latency error is_root tags start_time total_tokens total_cost metadata
metadata_key metadata_value feedback_key feedback_score thread_id x
"""
name = st.sampled_from(names_of_fields.split())
constant = st.one_of(
    st.sampled_from(
        [
            "null",
            "true",
            "[]",
            '"5s"',
            "1e300",
            "-1",
            '"llm"',
            f'"{ID}"',
            '["a", 1]',
            "'{\"a\": 1}'",
            "'{\"a\": {}}'",
            '"2026-06-15"',
            "[[1]]",
            "[null]",
            '"\\u0000"',
            '"n"',
            '["k"]',
            "0.5",
        ]
    ),
    st.text(max_size=4).map(repr),
)
simple = st.builds("{}({}, {})".format, word, name, constant)
expression = st.recursive(
    simple,
    lambda inner: st.lists(inner, max_size=3).flatmap(
        lambda items: st.builds(lambda w: f"{w}({', '.join(items)})", word)
    ),
    max_leaves=5,
)


@few
@given(text=expression)
def test_generated_filters(api: Any, text: str) -> None:
    for place in ("filter", "tree_filter"):
        answer = sent(api, "POST", "/runs/query", {"session": [ID], place: text})
        assert answer.status_code in (200, 422, 501), (text, answer.text)
