"""`show.trace` draws what the SDK reads, and plain data too."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langsmith import Client, traceable, tracing_context

from helpers.course import show
from helpers.course.show import traces
from tests.tracing.serving import fresh

START = datetime(2026, 6, 15, 9, tzinfo=UTC)


def run(name: str, begins: float, takes: float | None, **more: Any) -> dict[str, Any]:
    start = START + timedelta(seconds=begins)
    end = None if takes is None else start + timedelta(seconds=takes)
    return {
        "id": name,
        "name": name,
        "run_type": "chain",
        "start_time": start,
        "end_time": end,
        **more,
    }


REQUEST = run(
    "request",
    0,
    2,
    total_tokens=30,
    total_cost=0.0000123,
    child_runs=[
        run("answer", 1, 1, run_type="llm", total_tokens=30, total_cost=0.0000123),
        run("search", 0, 1, child_runs=[run("embed", 0.0, 0.25, run_type="tool", error="lost")]),
    ],
)


def test_a_tree_in_the_order_of_time() -> None:
    lines = traces.render(REQUEST).text.splitlines()
    assert lines[0] == "A trace of 4 runs, 2.00 s"
    assert [re.split(r"\s{2,}", line.strip())[0] for line in lines[3:]] == [
        "request",
        "search",
        "embed",
        "answer",
    ]
    assert [len(line) - len(line.lstrip()) for line in lines[3:]] == [0, 2, 4, 2]


def test_bars_lie_where_the_runs_are() -> None:
    bars = {
        line.split()[0]: (line.index("█"), line.count("█"))
        for line in traces.render(REQUEST).text.splitlines()[3:]
    }
    first = bars["request"][0]
    assert bars["request"][1] == 36
    assert bars["search"] == (first, 18)
    assert bars["answer"] == (first + 18, 18)
    assert 0 < bars["embed"][1] <= 5


def test_figures_and_status_are_in_words() -> None:
    lines = {line.split()[0]: line for line in traces.render(REQUEST).text.splitlines()[3:]}
    assert "30" in lines["answer"]
    assert "$0.0000123" in lines["answer"]
    assert lines["embed"].endswith("error")
    assert "$" not in lines["search"]


def test_no_price_is_not_zero() -> None:
    model = {"run_type": "llm", "total_tokens": 5}
    whole = run(
        "both",
        0,
        1,
        total_cost=0.5,
        child_runs=[run("a", 0, 1, **model), run("b", 0, 1, **model, total_cost=0.5)],
    )
    lines = {line.split()[0]: line for line in traces.render(whole).text.splitlines()[3:]}
    assert "$0.5 + 1 no price" in lines["both"]
    assert "no price" in lines["a"]
    assert "$0.5" in lines["b"]


def test_a_run_that_has_not_ended_and_one_without_children() -> None:
    text = traces.render(run("alone", 0, None)).text
    assert "pending" in text
    assert "A trace of 1 run," in text


def test_everything_is_escaped() -> None:
    output = traces.render(run("<img src=x onerror=alert(1)>", 0, 1), caption="<b>")
    assert "<img" not in output.html
    assert "<b>" not in output.html
    assert "&lt;img" in output.html


def test_hundreds_of_runs_are_cut_with_a_word() -> None:
    children = [run(f"step {n}", n / 1000, 0.001) for n in range(500)]
    output = traces.render(run("root", 0, 1, child_runs=children))
    assert "A trace of 501 runs, 1.00 s (the first 200 are shown)" in output.text
    assert output.html.count("<tr>") == 201


@pytest.mark.parametrize("nothing", [[], 5])
def test_nothing_to_show_says_what_to_give(nothing: Any) -> None:
    with pytest.raises(ValueError, match="give a run"):
        show.trace(nothing)


@pytest.mark.filterwarnings("ignore:.*will be removed after:DeprecationWarning")
async def test_all_forms_of_the_sdk(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    project = fresh("shown")

    @traceable
    def leaf(n: int) -> int:
        return n

    @traceable
    def top() -> int:
        return leaf(1) + leaf(2)

    with tracing_context(client=client, enabled=True, project_name=project):
        top()
    client.flush()
    flat = list(client.list_runs(project_name=project))
    root = next(one for one in flat if one.parent_run_id is None)
    nested = client.read_run(root.id, load_child_runs=True)
    fields: Any = ["NAME", "RUN_TYPE", "START_TIME", "END_TIME", "STATUS", "PARENT_RUN_IDS"]
    query = client.runs.query(project_ids=[str(root.session_id)], selects=fields)
    newer = [one async for one in query]
    names = []
    for form in (flat, nested, newer):
        show.trace(form)
        lines = capsys.readouterr().out.splitlines()[3:]
        names.append([line.split("█")[0].split() for line in lines])
    assert (
        names[0] == names[1] == names[2] == [["top", "chain"], ["leaf", "chain"], ["leaf", "chain"]]
    )
