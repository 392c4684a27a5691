"""Questions to a project's traces, answered with the SDK and pandas.

Nothing here is about the local service: the same calls answer from LangSmith. Costs are US dollars,
times seconds. A request without a price has no cost (NaN), which sums and shares leave out.
"""

import contextlib
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from helpers.evaluate.proportion import Proportion

if TYPE_CHECKING:
    import pandas as pd
    from langsmith import Client
    from langsmith.schemas import Run

# What the questions here need of a run; inputs and outputs are most of its bytes.
_FIELDS = ("id", "name", "run_type", "start_time", "end_time", "parent_run_id", "trace_id", "error")
_OUTPUTS = "outputs"


_STATISTICS = {
    "run_count": "requests",
    "error_rate": "failed (share)",
    "latency_p50": "seconds, median",
    "latency_p99": "seconds, 99th percentile",
    "total_tokens": "tokens",
    "total_cost": "cost ($)",
    "unpriced_runs": "model runs that the cost leaves out",
}


def statistics(client: "Client", project: str) -> list[dict[str, str]]:
    """The backend's own statistics over a project's requests, as rows of a table.

    LangSmith itself does not count the runs without a price: there that row has a dash.
    """
    found = client.get_run_stats(project_names=[project], is_root=True)
    return [
        {"figure": text, "value": "-" if found.get(name) is None else f"{found[name]:.6g}"}
        for name, text in _STATISTICS.items()
    ]


def requests(client: "Client", project: str, *, feedback: Sequence[str] = ()) -> "pd.DataFrame":
    """One row for each request of a project, the dearest first.

    Columns: `id`, `seconds`, `tokens`, `cost`, `status`, one for each key that stands in the
    requests' metadata, and one for the score under each key of `feedback` (NaN without one).
    """
    import pandas as pd

    with quiet():
        runs = list(client.list_runs(project_name=project, is_root=True))
    rows = [
        {
            **run.metadata,
            "id": run.id,
            "seconds": run.latency,
            "tokens": run.total_tokens,
            "cost": np.nan if run.total_cost is None else float(run.total_cost),
            "status": run.status,
        }
        for run in runs
    ]
    frame = pd.DataFrame(rows).sort_values("cost", ascending=False, ignore_index=True)
    for key in feedback:
        given = client.list_feedback(run_ids=list(frame["id"]), feedback_key=[key])
        frame[key] = frame["id"].map({one.run_id: one.score for one in given}).astype(float)
    return frame


def cost_curve(frame: "pd.DataFrame") -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
    """Percent of the priced requests, dearest first, against the percent of the cost they make."""
    costs = np.sort(frame["cost"].dropna().to_numpy())[::-1]
    places = 100 * np.arange(1, len(costs) + 1) / len(costs)
    return places, 100 * costs.cumsum() / costs.sum()


def dearest(frame: "pd.DataFrame", share: float = 0.05) -> float:
    """The part of the cost that the dearest requests make, 0 to 1.

    Args:
        frame: as `requests` gives it.
        share: which part of the priced requests, 0 to 1; at least one of them.
    """
    costs = np.sort(frame["cost"].dropna().to_numpy())[::-1]
    return float(costs[: max(1, round(share * len(costs)))].sum() / costs.sum())


def excess(frame: "pd.DataFrame", by: str) -> "pd.DataFrame":
    """The groups of a column by how far their part of the cost is above their part of the requests.

    Columns: the group, `requests` (a count), `cost` and `excess` (percent and points of 100),
    largest excess first.
    """
    priced = frame[frame["cost"].notna()]
    found = priced.groupby(by).agg(requests=("cost", "size"), cost=("cost", "sum"))
    found["cost"] *= 100 / priced["cost"].sum()
    found["excess"] = found["cost"] - 100 * found["requests"] / len(priced)
    return found.sort_values("excess", ascending=False).reset_index()


def steps(client: "Client", project: str, *, outputs: bool = False) -> "list[Run]":
    """All runs of a project, with their outputs only on demand."""
    fields = [*_FIELDS, _OUTPUTS] if outputs else list(_FIELDS)
    with quiet():
        return list(client.list_runs(project_name=project, select=fields))


def own_seconds(runs: "Sequence[Run]") -> dict[UUID, float]:
    """Run id -> the seconds that the run took itself, without what ran directly below it.

    Runs that have not ended are left out. Children that run at the same time can take longer
    together than their parent; its own time is then 0, not less.
    """
    whole = {run.id: run.latency for run in runs if run.latency is not None}
    below: defaultdict[UUID, float] = defaultdict(float)
    for run in runs:
        if run.parent_run_id is not None and run.id in whole:
            below[run.parent_run_id] += whole[run.id]
    return {key: max(seconds - below[key], 0.0) for key, seconds in whole.items()}


def seconds_by_kind(runs: "Sequence[Run]") -> dict[str, float]:
    """Own seconds of the models, of the tools, and of everything around them, most first."""
    kinds = {"llm": "model", "tool": "tools"}
    own = own_seconds(runs)
    found: defaultdict[str, float] = defaultdict(float)
    for run in runs:
        found[kinds.get(run.run_type, "around them")] += own.get(run.id, 0.0)
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def refused(run: "Run") -> bool:
    """Whether a tool's run ended well with a message that says no (status "error")."""
    output = (run.outputs or {}).get("output")
    return run.error is None and isinstance(output, dict) and output.get("status") == "error"


def tool_calls(client: "Client", project: str) -> "pd.DataFrame":
    """One row for each call of a tool: `tool`, `seconds`, `raised`, `refused`, `trace_id`."""
    import pandas as pd

    calls = [run for run in steps(client, project, outputs=True) if run.run_type == "tool"]
    rows = [
        {
            "tool": run.name,
            "seconds": run.latency,
            "raised": run.error is not None,
            "refused": refused(run),
            "trace_id": run.trace_id,
        }
        for run in calls
    ]
    return pd.DataFrame(rows, columns=["tool", "seconds", "raised", "refused", "trace_id"])


def tool_table(calls: "pd.DataFrame", requests: "pd.DataFrame") -> list[dict[str, Any]]:
    """One row for each tool: how often it raised and refused, how long it takes, whom it refused.

    Args:
        calls: as `tool_calls` gives them.
        requests: as `requests` gives them, with the customer in the metadata.
    """
    whose = dict(zip(requests["id"], requests["customer"], strict=True))
    rows = []
    for name, own in calls.groupby("tool"):
        refused_to = Counter(whose.get(trace, "-") for trace in own.loc[own["refused"], "trace_id"])
        who, times = next(iter(refused_to.most_common(1)), ("-", 0))
        rows.append(
            {
                "tool": name,
                "raised": str(Proportion.of(own["raised"])),
                "refused": str(Proportion.of(own["refused"])),
                "median": 1000 * own["seconds"].median(),
                "refused most often": f"{who} ({times})" if times else "-",
            }
        )
    return rows


def by_mark(frame: "pd.DataFrame", key: str) -> list[dict[str, Any]]:
    """Requests with each mark, as rows: how many, their median tokens, millionths of $ for one.

    Args:
        frame: as `requests` gives it, with the feedback `key`.
        key: feedback with the scores 0 and 1.
    """
    return [
        {
            key: "yes" if mark else "no",
            "requests": len(own),
            "tokens, median": own["tokens"].median(),
            "cost of one": 1e6 * own["cost"].mean(),
        }
        for mark, own in frame.groupby(key)
    ]


def sampling(frame: "pd.DataFrame", worth: Sequence[bool], rate: float) -> list[dict[str, Any]]:
    """What two rules keep, in percent, as rows: by chance, and by chance with all that is `worth`.

    Args:
        frame: as `requests` gives it.
        worth: for each row, whether its trace is worth keeping.
        rate: the part that chance keeps, 0 to 1.
    """
    left, _ = kept_by_chance(worth, rate)
    besides = sum(map(bool, worth)) / len(frame)
    rows = {
        f"{rate:.0%} by chance": (rate, left),
        "and all that is worth it": (besides + rate * (1 - besides), 1.0),
    }
    return [
        {"rule": rule, "traces": 100 * kept, "of those worth it": 100 * good}
        for rule, (kept, good) in rows.items()
    ]


def kept_by_chance(
    worth: Iterable[bool], rate: float, *, draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """What random sampling keeps of the requests that are worth keeping.

    Args:
        worth: for each request, whether it is.
        rate: the part of all requests that is kept, 0 to 1.
        draws: how often the sampling is simulated.
        seed: of the draws.

    Returns:
        The mean part that is kept, 0 to 1, and the part of draws that lost more than half.
    """
    count = sum(map(bool, worth))
    if not count:
        return 0.0, 0.0
    kept = np.random.default_rng(seed).binomial(count, rate, draws) / count
    return float(kept.mean()), float((kept < 0.5).mean())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the SDK's warnings about its older queries.

    The newer ones give sums without what is below a run, and are there only for async code.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)
        yield
