import threading
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from langsmith import get_current_run_tree, traceable, tracing_context
from langsmith.schemas import Run

from tracing import (
    costliest,
    examples_from,
    excess,
    failing_tools,
    make_anonymizer,
    own_seconds,
    record_usage,
    request_frame,
    traced_map,
)

START = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


def run(name: str, kind: str = "chain", seconds: float = 1, **more: Any) -> Run:
    """A run as LangSmith gives it."""
    key = uuid.uuid4()
    given: dict[str, Any] = {"id": key, "trace_id": key, "inputs": {}} | more
    end = START + timedelta(seconds=seconds)
    return Run(name=name, run_type=kind, start_time=START, end_time=end, **given)


def reading(*runs: Run) -> Any:
    """A client that reads these runs, whatever it is asked."""
    return SimpleNamespace(list_runs=lambda **asked: iter(runs))


def request(customer: str, cost: str | None) -> Run:
    extra = {"metadata": {"customer": customer}}
    return run("request", total_cost=cost, total_tokens=10, extra=extra)


def test_the_most_expensive_come_first_and_no_price_is_not_free() -> None:
    costs = ["0.001"] * 38 + ["0.5", None, "0.1", "0.001"]
    runs = [request(f"C-{number}", cost) for number, cost in enumerate(costs)]
    frame = request_frame(reading(*runs), "shop")
    assert len(frame) == 42
    assert frame["cost"].isna().sum() == 1
    assert list(costliest(frame)["customer"]) == ["C-38", "C-40"]
    assert list(costliest(frame, 0.001)["customer"]) == ["C-38"]


def test_excess_is_what_the_number_of_requests_does_not_explain() -> None:
    runs = [request("many", "0.01") for _ in range(8)]
    runs += [request("few", "0.06"), request("few", "0.06"), request("few", None)]
    groups = excess(request_frame(reading(*runs), "shop"), "customer")
    assert list(groups.index) == ["few", "many"]
    assert list(groups["requests"]) == [2, 8]
    assert list(groups["cost"]) == pytest.approx([60, 40])
    assert list(groups["excess"]) == pytest.approx([40, -40])


def test_own_seconds_add_up_and_are_never_negative() -> None:
    root = run("request", seconds=3)
    model = run("model", "llm", 2, parent_run_id=root.id)
    tokens = run("tokens", seconds=0.5, parent_run_id=model.id)
    own = own_seconds([tokens, root, model])
    assert own == pytest.approx({root.id: 1, model.id: 1.5, tokens.id: 0.5})
    both = [run("part", seconds=2, parent_run_id=root.id) for _ in range(2)]
    assert own_seconds([root, *both])[root.id] == 0


def test_tools_that_fail_most_surely_come_first_and_a_refusal_is_no_error() -> None:
    runs = [run("search", "tool", error="TimeoutError" if n < 20 else None) for n in range(80)]
    runs += [run("refund", "tool", error="ValueError"), run("refund", "tool")]
    refused = {"output": {"status": "error", "content": "Not yours."}}
    runs += [run("lookup", "tool", outputs=refused), run("model", "llm", error="down")]
    # More errors than any other tool, and a lower rate.
    runs += [run("mail", "tool", error="Timeout" if n < 30 else None) for n in range(1000)]
    table = failing_tools(runs)
    assert list(table.index) == ["search", "refund", "mail", "lookup"]
    assert list(table["raised"]) == [20, 1, 30, 0]
    assert list(table["refused"]) == [0, 0, 0, 1]
    assert list(table["least"]) == pytest.approx([0.168, 0.095, 0.021, 0], abs=0.001)


def test_each_question_becomes_one_example_split_in_turn() -> None:
    asked = [run("request", inputs={"question": text}) for text in ("a", "b", "a", "c")]
    made = examples_from(asked, lambda one: dict(one.inputs), lambda one: {"answer": "?"})
    assert [one["inputs"]["question"] for one in made] == ["a", "b", "c"]
    assert [one["split"] for one in made] == ["seen", "unseen", "seen"]
    assert [one["source_run_id"] for one in made] == [asked[n].id for n in (0, 1, 3)]


# A row for each kind of personal data that your customers write.
@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Write to ann@home.example.", "Write to [email]."),
        ("My card is 4111 1111 1111 1111.", "My card is [card]."),
        ("Call 0131 496 0000.", "Call [phone]."),
        ("I live at EH1 1AA.", "I live at [postcode]."),
        ("Order FH-10001 of 12 June, 0.4111111111111111", None),
    ],
)
def test_personal_data_does_not_leave(text: str, sent: str | None) -> None:
    nested: Any = text
    for _ in range(20):
        nested = {"messages": [nested]} if isinstance(nested, str) else {"more": nested}
    assert make_anonymizer()(text) == (sent or text)
    assert (sent or text) in str(make_anonymizer()(nested))


def test_threads_stay_in_the_trace() -> None:
    @traceable
    def part(number: int) -> tuple[int, str, str]:
        tree = get_current_run_tree()
        assert tree is not None
        return number, str(tree.trace_id), threading.current_thread().name

    @traceable
    def whole() -> tuple[str, list[tuple[int, str, str]]]:
        tree = get_current_run_tree()
        assert tree is not None
        return str(tree.trace_id), traced_map(part, range(4), workers=2)

    with tracing_context(enabled="local"):  # traced, and sent nowhere
        trace, parts = whole()
    assert [(number, own) for number, own, _ in parts] == [(n, trace) for n in range(4)]
    assert threading.current_thread().name not in [name for _, _, name in parts]


def test_usage_is_told_to_the_run() -> None:
    @traceable(run_type="llm")
    def ask() -> dict[str, Any]:
        record_usage("own", "own-7b", 1000, 100)
        tree = get_current_run_tree()
        assert tree is not None
        return dict(tree.metadata)

    with tracing_context(enabled="local"):
        told = ask()
    assert (told["ls_provider"], told["ls_model_name"]) == ("own", "own-7b")
    assert told["usage_metadata"] == {
        "input_tokens": 1000,
        "output_tokens": 100,
        "total_tokens": 1100,
    }
    record_usage("own", "own-7b", 1, 1)  # nothing is traced: nothing fails
