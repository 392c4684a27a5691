"""Each run of a request is judged alone: good ones are kept, and what is missing is said.

A row of a table here is an input that once lost its neighbours, or a sibling of one. Before, the
whole request was refused or ended in a 500, and every run of it was lost.
"""

import html
import logging
import uuid
import warnings
from typing import Any

import pytest
from langsmith import Client, traceable, tracing_context
from langsmith.schemas import Attachment

from tests.tracing.sending import FORM, form, made, page_of, part, run_parts, send
from tests.tracing.serving import PRICED, Running, fresh

pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed after:DeprecationWarning")
PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff picture"


def names(client: Client, project: str) -> set[str]:
    if not client.has_project(project):
        return set()
    return {run.name for run in client.list_runs(project_name=project)}


# --- by the SDK ----------------------------------------------------------------------------------


def test_thirty_calls_one_with_an_attachment(client: Client) -> None:
    """Before: 20 of 30 were stored, the run with the attachment half."""
    project = fresh("attached")

    @traceable(dangerously_allow_filesystem=False)
    def look(n: int, picture: Attachment | None = None) -> dict[str, int]:
        return {"n": n}

    with tracing_context(client=client, enabled=True, project_name=project):
        for n in range(30):
            look(n, Attachment(mime_type="image/png", data=PICTURE) if n == 17 else None)
    client.flush()
    runs = list(client.list_runs(project_name=project))
    assert sorted((run.outputs or {})["n"] for run in runs) == list(range(30))
    (attached,) = [run for run in runs if run.attachments]
    assert attached.inputs["n"] == 17
    found = client.read_run(attached.id).attachments or {}
    assert found["picture"]["reader"].read() == PICTURE
    assert found["picture"]["mime_type"] == "image/png"


async def test_the_newer_form_has_the_address_of_an_attachment(
    client: Client, service: Running
) -> None:
    import requests

    project = fresh("attached")
    run = made(project, start_time="2026-06-15T09:00:00Z")
    body = form(run_parts(run), part(f"attachment.{run['id']}.a b/ü", PICTURE, "image/png"))
    assert send(service, "POST", "/runs/multipart", body, FORM).status_code == 202
    session = str(client.read_project(project_name=project).id)
    found = await client.runs.retrieve(run["id"], project_id=session, selects=["ATTACHMENTS"])
    assert found.attachments is not None
    address = found.attachments["a b/ü"]
    answer = requests.get(address, timeout=10)
    assert answer.content == PICTURE
    assert answer.headers["content-disposition"] == "attachment"
    assert requests.get(address.replace("%C3%BC", "other"), timeout=10).status_code == 404
    assert address.split("/", 3)[3] in page_of(service, run["id"])


def test_nan_beside_a_large_integer(client: Client, service: Running) -> None:
    """Before: all three lost. The SDK writes NaN only where an integer is beyond 64 bits."""
    project = fresh("nan")
    with tracing_context(client=client, enabled=True, project_name=project):
        for n in range(3):
            traceable(lambda x: x, name=f"call {n}").__call__(
                {"whole": 2**70, "part": float("nan")} if n == 1 else n
            )
    client.flush()
    runs = {run.name: run for run in client.list_runs(project_name=project)}
    assert set(runs) == {"call 0", "call 1", "call 2"}
    assert runs["call 1"].inputs == {"x": {"whole": 2**70, "part": None}}
    assert "was stored as null" in page_of(service, str(runs["call 1"].id))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("half \ud800 pair", "half  pair"),
        ({"\udc00": 2**70}, {"": 2**70}),
        (float("inf"), None),
        (b"\xff\x00", "/wA="),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
    ],
    ids=["lone surrogate", "lone surrogate as a key", "infinity", "bytes", "keys of other types"],
)
def test_values_that_json_cannot_hold(client: Client, value: Any, kept: Any) -> None:
    project = fresh("values")
    with tracing_context(client=client, enabled=True, project_name=project):
        traceable(lambda x: 1, name="odd").__call__(value)
        traceable(lambda x: 1, name="good").__call__(1)
    client.flush()
    runs = {run.name: run for run in client.list_runs(project_name=project)}
    assert set(runs) == {"odd", "good"}
    assert runs["odd"].inputs == {"x": kept}


def test_the_sdk_gets_one_clear_answer(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A run that cannot be stored: its neighbours are, and the SDK logs the sentence once."""
    project = fresh("answer")
    right, wrong = made(project, inputs={}), made(project, start_time="yesterday", inputs={})
    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.multipart_ingest(create=[right, wrong])
    assert names(client, project) == {"request"}
    (said,) = [record.message for record in caplog.records if "Failed" in record.message]
    assert "1 of 2 are stored" in said
    assert f"Run {wrong['id']}: start_time is" in said


# --- stored without a part, with a note ----------------------------------------------------------

DEEP = b"[" * 300 + b"]" * 300
LESS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "event with a number as its time": (
        {}, {"events": [{"name": "new_token", "time": 5}]}, "the time of an event is '5'"),
    "event with a list as its time": (
        {}, {"events": [{"name": "new_token", "time": [1]}]}, "the time of an event is"),
    "event with no date as its time": (
        {}, {"events": [{"name": "new_token", "time": "soon"}]}, "the time of an event is"),
    "events that are no objects": ({}, {"events": [1, None]}, "events left out"),
    "events that are no list": ({}, {"events": {"a": 1}}, "events left out"),
    "inputs that are a text": ({}, {"inputs": "hello"}, "kept as the value of input"),
    "inputs that are a list": ({}, {"inputs": [1]}, "kept as the value of input"),
    "outputs that are a number": ({}, {"outputs": 2}, "kept as the value of output"),
    "inputs that are no JSON": ({}, {"inputs": b"{"}, "inputs left out"),
    "inputs that are empty": ({}, {"inputs": b""}, "inputs left out"),
    "inputs that are no UTF-8": ({}, {"inputs": b'{"a": "\xff\xfe"}'}, "inputs left out"),
    "inputs nested too deeply": ({}, {"inputs": b'{"a": %s}' % DEEP}, "inputs left out"),
    "inputs nested as deep as Python goes": (
        {}, {"inputs": b"[" * 100_000}, "inputs left out"),
    "inputs with NaN": ({}, {"inputs": b'{"a": NaN, "b": [Infinity, 1e999]}'}, "stored as null"),
    "inputs with an integer of 5,000 digits": (
        {}, {"inputs": b'{"a": %s}' % (b"7" * 5000)}, "stored as null"),
    "inputs with half of a pair": ({}, {"inputs": b'{"a": "\\ud800"}'}, "surrogate pair"),
    "extra that is a list": ({}, {"extra": [1]}, "extra left out"),
    "serialized that is a text": ({}, {"serialized": "x"}, "serialized left out"),
    "a part that no run has": ({}, {"thoughts": {}}, "thoughts left out"),
    "tags that are a text": ({"tags": "night"}, {}, "tags left out"),
    "tags with a number": ({"tags": ["night", 1]}, {}, "tags left out"),
    "end that is no date": ({"end_time": "2026-13-45"}, {}, "end_time left out"),
    "end that is a number": ({"end_time": 1.5}, {}, "end_time left out"),
    "end beyond the calendar": (
        {"end_time": "0001-01-01T00:00:00+14:00"}, {}, "end_time left out"),
    "example id that is no UUID": (
        {"reference_example_id": "one"}, {}, "reference_example_id left out"),
    "tokens beyond counting": (
        {"run_type": "llm"}, {"outputs": {"usage_metadata": {"input_tokens": 10**20}}},
        "usage_metadata left out"),
    "tokens that fit, but cannot be meant": (
        {"run_type": "llm"}, {"outputs": {"usage_metadata": {"output_tokens": 10**18}}},
        "usage_metadata left out"),
    "tokens as a text": (
        {"run_type": "llm"}, {"outputs": {"usage_metadata": {"input_tokens": "12"}}},
        "usage_metadata left out"),
    "costs beyond counting": (
        {"run_type": "llm"},
        {"outputs": {"usage_metadata": {"input_cost": 1e300, "output_cost": 0}}},
        "usage_metadata left out"),
}  # fmt: skip


@pytest.mark.parametrize("case", LESS)
def test_stored_without_that_part_and_with_a_note(
    client: Client, service: Running, case: str
) -> None:
    fields, bodies, says = LESS[case]
    project = fresh("less")
    odd, good = made(project, name="odd", **fields), made(project, name="good")
    body = form(run_parts(odd, **bodies), run_parts(good, inputs={"a": 1}))
    answer = send(service, "POST", "/runs/multipart", body, FORM)
    assert (answer.status_code, says in str(answer.json()["notes"])) == (202, True), answer.text
    assert names(client, project) == {"odd", "good"}
    page = html.unescape(page_of(service, odd["id"]))
    assert says in page
    assert "could be stored" in page
    assert "could be stored" not in page_of(service, good["id"])


def test_the_same_holds_in_a_batch_and_for_one_run(client: Client, service: Running) -> None:
    project = fresh("less")
    odd, good = made(project, name="odd", inputs=[float("nan")], tags=5), made(project, name="good")
    assert send(service, "POST", "/runs/batch", {"post": [odd, good]}).status_code == 202
    assert names(client, project) == {"odd", "good"}
    assert "tags left out" in page_of(service, odd["id"])
    alone = made(project, name="alone", inputs={"whole": 2**70}, events="x")
    assert send(service, "POST", "/runs", alone).status_code == 202
    assert client.read_run(alone["id"]).inputs == {"whole": 2**70}
    assert "events left out" in page_of(service, alone["id"])


def test_a_part_that_is_too_large(
    client: Client, service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpers.tracing.store import incoming

    monkeypatch.setattr(incoming, "LARGEST_PART", 100)
    project, run = fresh("large"), made("", name="large")
    run["session_name"] = project
    body = form(
        run_parts(run, inputs={"a": "x" * 200}, outputs={"b": 1}),
        part(f"attachment.{run['id']}.film", b"x" * 101, "video/mp4"),
    )
    assert send(service, "POST", "/runs/multipart", body, FORM).status_code == 202
    stored = client.read_run(run["id"])
    assert (stored.inputs, stored.outputs, stored.attachments) == ({}, {"b": 1}, {})
    page = page_of(service, run["id"])
    assert "inputs left out: it has 209 bytes" in page
    assert "attachment film left out" in page


def test_only_new_tokens_with_a_time_count_as_the_first(client: Client, service: Running) -> None:
    project = fresh("events")
    run = made(project, run_type="llm")
    times = (5, "2026-06-15T09:00:01Z", None, "soon")
    events = [{"name": "new_token", "time": time} for time in times]
    send(service, "POST", "/runs/multipart", form(run_parts(run, events=events)), FORM)
    (stored,) = client.list_runs(project_name=project)
    assert stored.first_token_time is not None
    assert stored.first_token_time.second == 1
    assert stored.events == events, "as they were sent"


# --- left out whole ------------------------------------------------------------------------------

OUT: dict[str, tuple[dict[str, Any], str]] = {
    "a dict as name": ({"name": {"a": 1}}, "name is"),
    "an empty dict as name": ({"name": {}}, "name is"),
    "a number as name": ({"name": 5}, "name is"),
    "a dict as session name": ({"session_name": {"a": 1}}, "session_name is"),
    "a list as session name": ({"session_name": []}, "session_name is"),
    "a list as run type": ({"run_type": ["llm"]}, "run_type is"),
    "a run type that there is not": ({"run_type": "banana"}, "run_type is 'banana'"),
    "a run type in capitals": ({"run_type": "LLM"}, "must be one of llm, tool"),
    "an integer as dotted order": ({"dotted_order": 5}, "dotted_order is"),
    "a dotted order of another run": (
        {"dotted_order": f"20260615T090000000000Z{uuid.UUID(int=5)}"}, "must begin with"),
    "a dotted order with no ids": ({"dotted_order": "a.b"}, "no UUID"),
    "a start that is no date": ({"start_time": "yesterday"}, "start_time is"),
    "a start that is a number": ({"start_time": 0}, "start_time is"),
    "a start beyond the calendar": ({"start_time": "9999-12-31T23:59:59-14:00"}, "start_time is"),
    "a trace id that is no UUID": ({"trace_id": "t"}, "trace_id is"),
    "a trace id that is a dict": ({"trace_id": {"a": 1}}, "trace_id is"),
    "a parent that is no UUID": ({"parent_run_id": [1]}, "parent_run_id is"),
    "a project that is gone": ({"session_id": str(uuid.UUID(int=7))}, "which is gone"),
    "a parent and no place": (
        {"parent_run_id": str(uuid.UUID(int=8)), "dotted_order": None}, "no dotted_order"),
}  # fmt: skip


@pytest.mark.parametrize("way", ["multipart", "batch", "alone"])
@pytest.mark.parametrize("case", OUT)
def test_left_out_and_named(client: Client, service: Running, case: str, way: str) -> None:
    changes, says = OUT[case]
    project = fresh("out")
    bad, good = made(project, **{"name": "bad", **changes}), made(project, name="good")
    if way == "multipart":
        body = form(run_parts(bad, inputs={"a": 1}), run_parts(good, outputs={"b": 1}))
        answer = send(service, "POST", "/runs/multipart", body, FORM)
    elif way == "batch":
        answer = send(service, "POST", "/runs/batch", {"post": [bad, good]})
    else:
        answer = send(service, "POST", "/runs", bad)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert ("1 of 2 are stored" in answer.json()["detail"]) == (way != "alone")
    assert names(client, project) == (set() if way == "alone" else {"good"})


STRAY: dict[str, tuple[bytes, str]] = {
    "no JSON": (part(f"post.{uuid.UUID(int=1)}", b"{"), "is no JSON"),
    "no object": (part(f"post.{uuid.UUID(int=1)}", [1]), "no JSON object"),
    "null": (part(f"patch.{uuid.UUID(int=1)}", None), "no JSON object"),
    "bad UUID": (part("post.1", {}) + part("post.1.inputs", {}), "no UUID"),
    "inputs of no run": (part(f"post.{uuid.UUID(int=2)}.inputs", {}), "belongs to no run"),
    "attachment of no run": (part(f"attachment.{uuid.UUID(int=2)}.a", b"x"), "belongs to no run"),
    "another name": (part("put.1", {}), "neither a run nor feedback"),
    "no name": (b"--cut-here\r\nContent-Type: a/b\r\n\r\nx\r\n", "has no name"),
    "no headers": (b"--cut-here\r\nx\r\n", "has no name"),
    "feedback that is no object": (part("feedback.1", [1]), "no JSON object"),
    "feedback without a key": (part("feedback.1", {"id": str(uuid.UUID(int=1))}), "needs a key"),
    "feedback with a dict as comment": (
        part("feedback.1", {"id": str(uuid.UUID(int=1)), "run_id": str(uuid.UUID(int=1)),
                            "key": "k", "comment": {}}), "comment is"),
}  # fmt: skip


@pytest.mark.parametrize("case", STRAY)
def test_a_stray_part_loses_nothing_else(client: Client, service: Running, case: str) -> None:
    stray, says = STRAY[case]
    project = fresh("stray")
    first, last = made(project, name="first"), made(project, name="last")
    body = form(run_parts(first, inputs={"a": 1}), stray, run_parts(last, inputs={"b": 1}))
    answer = send(service, "POST", "/runs/multipart", body, FORM)
    assert (answer.status_code, says in answer.json()["detail"]) == (422, True), answer.text
    runs = {run.name: run.inputs for run in client.list_runs(project_name=project)}
    assert runs == {"first": {"a": 1}, "last": {"b": 1}}


def test_batch_items_that_are_no_objects(client: Client, service: Running) -> None:
    project = fresh("items")
    answer = send(service, "POST", "/runs/batch", {"post": [1, None, made(project), [2]]})
    assert answer.status_code == 422
    assert "1 of 4 are stored" in answer.json()["detail"]
    assert names(client, project) == {"request"}
    for body in (5, [], {"post": 5}, {"post": {"a": 1}}, {"patch": "x"}):
        assert send(service, "POST", "/runs/batch", body).status_code == 422, body


@pytest.mark.parametrize("end", range(-60, 0, 7))
def test_a_form_that_ends_in_the_middle(client: Client, service: Running, end: int) -> None:
    """What came whole is kept, what may be cut is not."""
    project = fresh("cut")
    first, last = made(project, name="first"), made(project, name="last")
    body = form(run_parts(first, inputs={"a": 1}), run_parts(last, inputs={"b": 1}))
    answer = send(service, "POST", "/runs/multipart", body[:end], FORM)
    stored = {run.name: run.inputs for run in client.list_runs(project_name=project)}
    assert stored["first"] == {"a": 1}
    if answer.status_code == 422:
        assert "ends in the middle" in answer.json()["detail"]
        assert stored.get("last", {}) in ({}, {"b": 1}), "all of it or nothing"
    else:
        assert stored["last"] == {"b": 1}


def test_ids_in_capitals_are_the_same_ids(client: Client, service: Running) -> None:
    """In the names of parts, in fields and in dotted orders."""
    project = fresh("capitals")
    run = made(project, run_type="llm", extra={"metadata": {"ls_model_name": PRICED}})
    key = run["id"]
    shout = key.upper()
    body = form(
        part(f"post.{shout}", {**run, "trace_id": shout,
                               "dotted_order": f"20260615T090000000000Z{shout}"}),
        part(f"post.{key}.inputs", {"a": 1}),
    )  # fmt: skip
    assert send(service, "POST", "/runs/multipart", body, FORM).status_code == 202
    child = made(project, name="child", trace_id=shout, parent_run_id=shout)
    child["dotted_order"] = f"20260615T090000000000Z{shout}.20260615T090000000001Z{child['id']}"
    assert send(service, "POST", "/runs", child).status_code == 202
    send(service, "PATCH", f"/runs/{shout}", {"outputs": {"b": 2}})
    assert client.read_run(shout).outputs == {"b": 2}
    assert {run.name for run in client.list_runs(trace_id=shout)} == {"request", "child"}
