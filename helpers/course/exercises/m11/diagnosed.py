"""Hours for exercise 11.4: stored ones, the same about other things, and small ones at a limit."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import isawaitable
from random import Random
from typing import Any, Final

import pandas as pd

from helpers.course.exercises import Expectation, equal
from helpers.course.exercises.words import kind
from helpers.operate.testing import Hours

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
    documents for each tool. `took` and `gap` are in seconds: from the request's beginning to its
    end, and from one run's beginning to the next one's.
    """

    minute: float
    customer: str = "C-1"
    tokens: int = 100
    answer: str = "It weighs 2 kg."
    revision: str = "r7"
    error: str = ""
    models: Sequence[tuple[str, float, str]] = (("large", 1.0, ""),)
    tools: Sequence[tuple[str, str, Sequence[str]]] = (("search_documents", "", ("tents",)),)
    took: float = 5
    gap: float = 0.005


def two_hours(
    *asked: Asked,
    before: Mapping[str, float] | None = None,
    now: Mapping[str, float] | None = None,
    swapped: bool = True,
    tokens: int = 100,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The metrics and runs of these requests, with what the counters add where it is not calm.

    An hour's sum is added in its first and in its last minute; most answers of now come late, so
    that a mean of the minutes' means is another. One request of `tokens` tokens in each hour is
    added to those given. `swapped` gives the runs in another order, with an index that repeats.
    """
    requests = [*asked, Asked(2.5, "C-8", tokens), Asked(62.25, "C-9", tokens)]
    rows = [row for number, one in enumerate(requests) for row in _rows(f"Q{number}", one)]
    if swapped:
        rows = rows[::-1]
    index = pd.date_range(START, periods=120, freq="min", name="minute")
    columns = {name: [0.0] * 120 for name in CALM}
    for first, more in ((0, before or {}), (60, now or {})):
        for name, value in {**CALM, **more}.items():
            late = value - value // 10 if (name, first) == ("answers", 60) else value // 2
            columns[name][first] = value - late
            columns[name][first + 59] = late
    metrics = pd.DataFrame(columns, index=index)
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
            "start_time": begun + pd.Timedelta(seconds=one.gap * place),
            "end_time": begun + pd.Timedelta(seconds=one.gap * place + seconds),
            "error": "",
            "customer": one.customer,
            "revision": one.revision,
            "model": "",
            "tokens": 0,
            "answer": "",
            "documents": [],
            **more,
        }

    more = {"tokens": one.tokens, "answer": one.answer, "error": one.error}
    rows = [row(0, "chain", "support agent", one.took, **more)]
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


def called(diagnose: Callable[..., Any], hours: tuple[pd.DataFrame, pd.DataFrame]) -> Any:
    """The result for copies of these frames."""
    return diagnose(*_copies(hours))


def _copies(hours: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Copies of the frames, with lists of their own (a frame's copy has the same lists)."""
    metrics, runs = hours[0].copy(), hours[1].copy()
    runs["documents"] = [list(documents) for documents in runs["documents"]]
    return metrics, runs


async def unchanged(diagnose: Callable[..., Any], hours: tuple[pd.DataFrame, pd.DataFrame]) -> str:
    """Whether the frames are the same after a call that returned two texts, in words."""
    metrics, runs = _copies(hours)
    found = diagnose(metrics, runs)
    if isawaitable(found):
        found = await found
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "the result is no tuple of two texts"
    same = metrics.equals(hours[0]) and runs.equals(hours[1])
    same = same and not (metrics.attrs or runs.attrs)
    return "the frames are equal" if same else "the frames have changed"


def like(cause: str, subject: str) -> Expectation:
    """This cause and subject, as a tuple or a list."""
    exact = equal((cause, subject))

    def judge(got: Any) -> bool | str:
        if not isinstance(got, tuple | list):
            return f"A tuple of two texts is expected; this is {kind(got)}."
        return exact.judge(tuple(got))

    return replace(exact, judge=judge)


def show(metrics: pd.DataFrame, runs: pd.DataFrame) -> str:
    """The call, with what the hours add to the counters and the runs, where they are few."""
    before, now = metrics[:60].sum(), metrics[60:].sum()
    lines = ["diagnose(metrics, runs), where metrics adds up to (before, now)"]
    lines += [f"  {name}: {before[name]:g}, {now[name]:g}" for name in metrics.columns]
    if len(runs) > 60:
        return "\n".join([*lines, f"and runs has {len(runs):,} rows"])
    lines.append("and runs is (minute, seconds, and what else differs from calm requests)")
    for row in sorted(runs.to_dict("records"), key=lambda row: row["start_time"]):
        minute = (row["start_time"] - metrics.index[0]).total_seconds() / 60
        seconds = (row["end_time"] - row["start_time"]).total_seconds()
        names = ("customer", "revision", "model", "tokens", "answer", "documents", "error")
        told = ", ".join(f"{name} {row[name]!r}" for name in names if row[name])
        lines.append(f"  {row['id']} {row['name']} at {minute:.2f}, {seconds:g} s: {told}")
    return "\n".join(lines)


def any_hours(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two hours in which each condition is a little more or less than true."""
    random = Random(seed)
    before = {"canaries_wrong": random.choice((0, 0, 1)), "dollars": random.choice((4, 5))}
    now = {
        "failed": random.choice((0, 0, 19, 20)),
        "answers": random.choice((100, 100, 0, 50)),
        "first_token_s": random.choice((100, 100, 149, 299, 300)),
        "dollars": random.choice((4, 7, 8, 10)),
        "canaries_wrong": random.choice((0, 2, 3, 4)),
    }
    while True:
        asked = [_any_request(random, number) for number in range(random.randint(3, 14))]
        if _clear(asked):
            return two_hours(*asked, before=before, now=now)


_ADDRESSES: Final = (
    "trail-help.example", "forest-help.example", "Fernhill.example", "www.fernhill.example",
)  # fmt: skip


def _any_request(random: Random, number: int) -> Asked:
    names = ("search_documents", "search_documents", "lookup_order", "send_post")
    tools: list[tuple[str, str, Sequence[str]]] = []
    for name in random.sample(names, random.randint(1, 3)):
        error = random.choice(("", "", "No"))
        found = (random.choice(("boots", "ropes", "tents")), "stoves")
        tools.append((name, error, found if name == names[0] and not error else ()))
    minute = random.choice((1, 30, 59.5, 60, 60, 61, 90, 90)) + number / 64
    mentioned = random.sample(_ADDRESSES, random.randint(0, 2)) if minute >= 60 else []
    return Asked(
        minute=minute,
        customer=random.choice(("", "C-1", "C-2", "C-2")),
        tokens=random.choice((100, 230, 510)) + number,
        answer=" ".join([random.choice(("Yes.", "See fernhill.example.")), *mentioned]),
        revision=random.choice(("r7", "r8")),
        error=random.choice(("", "", "Lost")),
        models=[
            (random.choice(("large", "small")), random.randint(1, 9) + number / 4, error)
            for error in random.choices(("", "Lost"), k=random.randint(0, 2))
        ],
        tools=tools,
        took=random.choice((5, 900)),
        gap=random.choice((0.005, 61)),
    )


def _clear(asked: Sequence[Asked]) -> bool:
    """Whether the statement's promises hold: of several things, one is first."""
    calm = (Asked(2.5, "C-8"), Asked(62.25, "C-9"))  # as `two_hours` adds them
    late = [one for one in [*asked, *calm] if one.minute >= 60]
    early = [one for one in [*asked, *calm] if one.minute < 60]
    if any(one.minute < 60 <= one.minute + 6 * one.gap / 60 for one in early):
        return False  # a request of both hours
    failed: dict[str, list[float]] = {}
    took: dict[str, list[float]] = {}
    tokens: Counter[str] = Counter()
    for one in late:
        tokens[one.customer] += one.tokens
        for name, seconds, error in one.models:
            failed.setdefault(name, []).append(error != "")
            took.setdefault(name, []).append(seconds)
    del tokens[""]
    known = {address for one in early for address in _addresses(one)}
    new = Counter(address for one in late for address in _addresses(one) - known)
    address = max(new, key=lambda one: new[one], default="")
    first = Counter(
        documents[0]
        for one in late
        if address in _addresses(one)
        for _, _, documents in one.tools
        if documents
    )
    usual = _errors(early)
    rise = {name: share - usual.get(name, 0) for name, share in _errors(late, least=3).items()}
    some = bool(first) or not new
    counts: tuple[Mapping[str, float], ...] = (
        _means(failed),
        _means(took),
        tokens,
        new,
        first,
        rise,
    )
    return some and all(map(_one_is_first, counts))


def _addresses(one: Asked) -> set[str]:
    return set(re.findall(r"[\w-]+\.example\b", one.answer))


def _errors(asked: Sequence[Asked], least: int = 0) -> dict[str, float]:
    """The share of a tool's runs that failed, for the tools with so many errors."""
    found: dict[str, list[float]] = {}
    for one in asked:
        for name, error, _ in one.tools:
            found.setdefault(name, []).append(error != "")
    return _means({name: those for name, those in found.items() if sum(those) >= least})


def _means(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: sum(those) / len(those) for name, those in values.items()}


def _one_is_first(counts: Mapping[str, float]) -> bool:
    best = max(counts.values(), default=0)
    return best <= 0 or sum(best - value < 1e-9 for value in counts.values()) == 1
