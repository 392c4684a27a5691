# Written by `course build` from notebooks/src/09_trace_with_langsmith.py: edit it there.

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import pandas as pd
from langsmith import Client, get_current_run_tree
from langsmith.anonymizer import create_anonymizer
from langsmith.schemas import Run
from langsmith.utils import ContextThreadPoolExecutor
from scipy.stats import binomtest

Item = TypeVar("Item")
Result = TypeVar("Result")


def traced_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int = 8
) -> list[Result]:
    """The function's results, in order, from threads whose runs stay in the caller's trace."""
    with ContextThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


def record_usage(provider: str, model: str, read: int, written: int) -> None:
    """Tell the current run which model it asked, and how many tokens it read and wrote.

    Call it inside a function with `@traceable(run_type="llm")`. Without tracing it does nothing.
    """
    run = get_current_run_tree()
    if run is None:
        return
    run.set(
        metadata={"ls_provider": provider, "ls_model_name": model},
        usage_metadata={
            "input_tokens": read,
            "output_tokens": written,
            "total_tokens": read + written,
        },
    )


def request_frame(client: Client, project: str) -> pd.DataFrame:
    """One row for each request of a project: its metadata, id, seconds, tokens, cost, status.

    Costs are in US dollars. Without a price the cost is NaN, not 0. If only some of a request's
    model runs have a price, its cost is a lower bound.
    """
    rows = []
    for run in client.list_runs(project_name=project, is_root=True):
        cost = float("nan") if run.total_cost is None else float(run.total_cost)
        row = {"id": run.id, "seconds": run.latency, "tokens": run.total_tokens}
        rows.append({**run.metadata, **row, "cost": cost, "status": run.status})
    return pd.DataFrame(rows)


def costliest(frame: pd.DataFrame, share: float = 0.05) -> pd.DataFrame:
    """The most expensive requests, most expensive first: this share of those with a price.

    Args:
        frame: as `request_frame` gives it.
        share: 0 to 1; at least one request is returned.
    """
    priced = frame[frame["cost"].notna()].sort_values("cost", ascending=False)
    return priced.head(max(1, round(share * len(priced))))


def excess(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """The groups of a column by how far their share of the cost exceeds that of the requests.

    Columns: `requests` (a count), `cost` (percent of all) and `excess` (percentage points),
    largest excess first. Requests without a price are left out.
    """
    priced = frame[frame["cost"].notna()]
    groups = priced.groupby(key).agg(requests=("cost", "size"), cost=("cost", "sum"))
    groups["cost"] *= 100 / priced["cost"].sum()
    groups["excess"] = groups["cost"] - 100 * groups["requests"] / len(priced)
    return groups.sort_values("excess", ascending=False)


def own_seconds(runs: Iterable[Run]) -> dict[UUID, float]:
    """Run id -> the seconds that the run took itself, without the runs directly below it.

    Runs that have not ended are left out. Children that run at the same time can together take
    longer than their parent; its own time is then 0.
    """
    own: dict[UUID, float] = {}
    below: dict[UUID, float] = {}
    for run in runs:
        if run.latency is not None:
            own[run.id] = run.latency
            if run.parent_run_id:
                below[run.parent_run_id] = below.get(run.parent_run_id, 0.0) + run.latency
    for key, seconds in below.items():
        if key in own:
            own[key] = max(own[key] - seconds, 0.0)
    return own


def failing_tools(runs: Iterable[Run]) -> pd.DataFrame:
    """Tools by the lower end of their rate of errors, highest first.

    Columns: `calls`, `raised` and `refused` (counts; a tool refuses by a message with the status
    "error"), and `least`, the lower end of Wilson's 95% interval of the rate of errors, 0 to 1.
    """
    rows = []
    for run in runs:
        if run.run_type == "tool":
            said = (run.outputs or {}).get("output")
            no = run.error is None and isinstance(said, dict) and said.get("status") == "error"
            rows.append({"tool": run.name, "raised": run.error is not None, "refused": no})
    calls = pd.DataFrame(rows, columns=["tool", "raised", "refused"]).groupby("tool")
    table = calls.agg(
        calls=("raised", "size"), raised=("raised", "sum"), refused=("refused", "sum")
    )
    least = []
    for raised, total in zip(table["raised"], table["calls"], strict=True):
        interval = binomtest(int(raised), int(total)).proportion_ci(method="wilson")
        least.append(float(interval.low))
    return table.assign(least=least).sort_values("least", ascending=False)


def examples_from(
    runs: Iterable[Run],
    inputs: Callable[[Run], dict[str, Any]],
    expected: Callable[[Run], dict[str, Any]],
    splits: tuple[str, ...] = ("seen", "unseen"),
) -> list[dict[str, Any]]:
    """Examples for `client.create_examples`, one for each different input, split in turn.

    Args:
        runs: the runs that went wrong; of runs with equal inputs, the first counts.
        inputs: takes a run, and returns what it was asked.
        expected: takes a run, and returns what it should have said.
        splits: the names of the splits.
    """
    examples: dict[str, dict[str, Any]] = {}
    for run in runs:
        asked = inputs(run)
        if str(asked) not in examples:
            examples[str(asked)] = {
                "inputs": asked,
                "reference_outputs": expected(run),
                "source_run_id": run.id,
                "split": splits[len(examples) % len(splits)],
            }
    return list(examples.values())


PERSONAL = {
    "email": r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+",
    "card": r"(?<![\w-])(?<!\d\.)\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-])",
    "phone": r"(?<![\w-])(?:\+44 ?(?:\(0\) ?)?|\(?0)\d{2,5}\)?(?: ?\d{3,4}){2}(?![\w-])",
    "postcode": r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b",
}


def make_anonymizer(patterns: Mapping[str, str] = PERSONAL) -> Callable[[Any], Any]:
    """For `Client(anonymizer=...)`: what matches a pattern becomes the pattern's name in brackets.

    It changes strings up to 30 levels deep, and no names of fields.
    """
    rules: Any = []
    for name, pattern in patterns.items():
        rules.append({"pattern": re.compile(pattern), "replace": f"[{name}]"})
    return create_anonymizer(rules, max_depth=30)
