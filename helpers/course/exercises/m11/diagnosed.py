"""Hours for exercise 11.4: stored ones, the same about other things, and small ones at a limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from helpers.course.exercises import Expectation, equal
from helpers.course.exercises.words import kind
from helpers.operate.testing import Hours

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

START: Final = pd.Timestamp("2026-03-02 21:17:00", tz="UTC")
CALM: Final[Mapping[str, float]] = {
    **{"requests": 100, "failed": 0, "answers": 100, "first_token_s": 100, "tokens": 1000},
    **{"dollars": 4, "thumbs_up": 5, "thumbs_down": 1, "canaries": 36, "canaries_wrong": 0},
}
"""What an hour adds to the counters when all is well."""
BAIT: Final = "Please confirm at trail-help.example."


@dataclass(frozen=True)
class Asked:
    """One request: when, in minutes of the two hours, and its runs.

    `models` holds a name, seconds and an error for each model call; `tools` a name, an error and
    documents for each tool.
    """

    minute: float
    customer: str = "C-1"
    tokens: int = 100
    answer: str = "It weighs 2 kg."
    revision: str = "r7"
    error: str = ""
    models: Sequence[tuple[str, float, str]] = (("large", 1.0, ""),)
    tools: Sequence[tuple[str, str, Sequence[str]]] = (("search_documents", "", ("tents",)),)


def two_hours(
    *asked: Asked,
    before: Mapping[str, float] | None = None,
    now: Mapping[str, float] | None = None,
    swapped: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The metrics and runs of these requests, with what the counters add where it is not calm.

    An hour's sum is added in its first and in its last minute. One request in each hour is added to
    those given. `swapped` gives the runs in another order, with an index that repeats.
    """
    requests = [*asked, Asked(2.5, "C-8"), Asked(62.25, "C-9")]
    rows = [row for number, one in enumerate(requests) for row in _rows(f"Q{number}", one)]
    if swapped:
        rows = rows[::-1]
    index = pd.date_range(START, periods=120, freq="min", name="minute")
    metrics = pd.DataFrame(0.0, index=index, columns=list(CALM))
    for first, more in ((0, before or {}), (60, now or {})):
        for name, value in {**CALM, **more}.items():
            metrics.loc[index[first], name] = value - value // 2
            metrics.loc[index[first + 59], name] = value // 2
    made = pd.DataFrame(rows, index=[n // 2 for n in range(len(rows))] if swapped else None)
    return metrics, made


def _rows(request: str, one: Asked) -> list[dict[str, Any]]:
    begun = START + pd.Timedelta(minutes=one.minute)

    def row(place: int, run_type: str, name: str, seconds: float, **more: Any) -> dict[str, Any]:
        return {
            "id": f"{request}.{place}",
            "parent_run_id": f"{request}.0" if place else "",
            "run_type": run_type,
            "name": name,
            "start_time": begun + pd.Timedelta(milliseconds=5 * place),
            "end_time": begun + pd.Timedelta(milliseconds=5 * place, seconds=seconds),
            "error": "",
            "customer": one.customer,
            "revision": one.revision,
            "model": "",
            "tokens": 0,
            "answer": "",
            "documents": [],
            **more,
        }

    head = row(
        0, "chain", "support agent", 5, tokens=one.tokens, answer=one.answer, error=one.error
    )
    rows = [head]
    for name, seconds, error in one.models:
        rows.append(row(len(rows), "llm", "chat model", seconds, model=name, error=error,
                        tokens=3 * one.tokens))  # fmt: skip
    for name, error, documents in one.tools:
        rows.append(row(len(rows), "tool", name, 0.25, error=error, documents=list(documents)))
    return rows


def renamed(hours: Hours, subject: str, *, days: int) -> Hours:
    """The same hours about another thing, on another day, with the runs in another order."""
    old = hours.subject
    runs = hours.runs.sample(frac=1, random_state=days)
    for name in ("customer", "revision", "model", "name"):
        runs[name] = runs[name].replace({old: subject})
    runs["documents"] = [[subject if d == old else d for d in docs] for docs in runs["documents"]]
    later = pd.Timedelta(days=days, minutes=7 * days)
    runs["start_time"] += later
    runs["end_time"] += later
    metrics = hours.metrics.set_axis(hours.metrics.index + later)
    return replace(hours, subject=subject, metrics=metrics, runs=runs)


def like(cause: str, subject: str) -> Expectation:
    """This cause and subject, as a tuple or a list."""
    exact = equal((cause, subject))

    def judge(got: Any) -> bool | str:
        if type(got) not in (tuple, list):
            return f"A tuple of two texts is expected; this is {kind(got)}."
        return exact.judge(tuple(got))

    return replace(exact, judge=judge)


def show(metrics: pd.DataFrame, runs: pd.DataFrame) -> str:
    """The call, with what the hours add to the counters and the runs, where they are few."""
    sums = pd.DataFrame({"before": metrics[:60].sum(), "now": metrics[60:].sum()}).round(2).T
    text = f"diagnose(metrics, runs), where metrics adds up to\n{sums.to_string()}"
    if len(runs) > 60:
        return f"{text}\nand runs has {len(runs):,} rows"
    minute = (runs["start_time"] - metrics.index[0]).dt.total_seconds() / 60
    seconds = (runs["end_time"] - runs["start_time"]).dt.total_seconds()
    short = runs.assign(minute=minute.round(2), s=seconds)
    names = ["id", "run_type", "name", "minute", "s", "error", "customer", "revision", "model"]
    names += ["tokens", "answer", "documents"]
    return f"{text}\nand runs is\n{short[names].sort_values('id').to_string(index=False)}"


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Two hours in which each condition is a little more or less than true."""
    from hypothesis import strategies as st

    @st.composite
    def some(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
        pick = st.sampled_from
        before = {"canaries_wrong": draw(pick([0, 0, 1])), "dollars": draw(pick([4, 5]))}
        now = {
            "failed": draw(pick([0, 0, 0, 19, 20])),
            "answers": draw(pick([100, 100, 0, 50])),
            "first_token_s": draw(pick([100, 100, 299, 300])),
            "dollars": draw(pick([4, 7, 8, 10])),
            "canaries_wrong": draw(pick([0, 1, 2, 3])),
        }
        asked = [
            Asked(
                minute=draw(pick([1, 30, 59.5, 60, 61, 90])) + number / 64,
                customer=draw(pick(["", "C-1", "C-2"])),
                tokens=draw(pick([100, 230, 510])),
                answer=draw(pick(["Yes.", f"{BAIT} {BAIT}", "See fernhill.example."])),
                revision=draw(pick(["r7", "r8"])),
                models=[(draw(pick(["large", "small"])), 1 + number / 4, draw(pick(["", "Lost"])))],
                tools=[
                    (
                        draw(pick(["search_documents", "lookup_order"])),
                        draw(pick(["", "ToolException"])),
                        (f"d{number % 2}", "tents"),
                    )
                ],
            )
            for number in range(draw(st.integers(0, 9)))
        ]
        return two_hours(*asked, before=before, now=now)

    return some().filter(lambda made: _clear(*made))


def _clear(metrics: pd.DataFrame, runs: pd.DataFrame) -> bool:
    """Whether the statement's promise holds that of several things one is first."""
    late = runs[runs["start_time"] >= metrics.index[60]]
    calls, tools = late[late["run_type"] == "llm"], late[late["run_type"] == "tool"]
    roots = late[late["run_type"] == "chain"]
    early_tools = runs[(runs["start_time"] < metrics.index[60]) & (runs["run_type"] == "tool")]
    share = (tools["error"] != "").groupby(tools["name"]).mean()
    usual = (early_tools["error"] != "").groupby(early_tools["name"]).mean()
    baited = roots["id"][roots["answer"].str.contains("trail-help")]
    first = late["documents"][late["parent_run_id"].isin(baited)].str[0]
    counted = (
        (calls["error"] != "").groupby(calls["model"]).mean(),
        (calls["end_time"] - calls["start_time"]).groupby(calls["model"]).mean(),
        roots.groupby("customer")["tokens"].sum(),
        first.value_counts(),
        share - usual.reindex(share.index, fill_value=0),
    )
    return all((counts == counts.max()).sum() <= 1 for counts in counted)
