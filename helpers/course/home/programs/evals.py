# Written by `course build` from notebooks/src/02_evaluate_before_shipping.py: edit it there.

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from agentevals.trajectory.match import create_trajectory_match_evaluator
from scipy.stats import bootstrap
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint


def rate(verdicts: Iterable[bool]) -> str:
    """The share of verdicts that are true, with Wilson's 95% interval and the counts."""
    found = list(verdicts)
    if not found:
        return "nothing to count"
    right, total = sum(found), len(found)
    low, high = proportion_confint(right, total, method="wilson")
    return f"{right / total:.0%} [{low:.0%}, {high:.0%}] {right}/{total}"


def stated(fact: str, answer: str) -> bool:
    """Whether an answer states a fact: "30 days" is not in "130 days", nor "£14" in "£14.50".

    Case does not matter, and "£32.00" is "£32".
    """
    no_pence = re.compile(r"(?<=\d)\.00\b")
    words = re.escape(no_pence.sub("", fact))
    pattern = rf"(?<![\w.,]){words}(?!\w|[.,]\d)"
    return re.search(pattern, no_pence.sub("", answer), re.IGNORECASE) is not None


Form = Mapping[str, Any]  # the outputs of an agent, or what a golden set expects
REFUSAL = re.compile(r"\b(do not|don't|cannot|can't|could not) (know|say|tell|answer|find)", re.I)


def states_facts(outputs: Form, reference_outputs: Form) -> dict[str, Any]:
    """Whether an answer states every fact of `states`, one wording each, and nothing of `never`.

    Where `states` is empty, the answer must refuse; elsewhere it must not. A missing one is wrong.
    """
    answer, facts = outputs.get("answer") or "", reference_outputs["states"]
    problems = []
    for wordings in facts:
        if not any(stated(wording, answer) for wording in wordings):
            problems.append(f"lacks {wordings[0]}")
    problems += [f"has {wrong}" for wrong in reference_outputs["never"] if stated(wrong, answer)]
    if bool(REFUSAL.search(answer)) == bool(facts):
        problems.append("refuses" if facts else "does not refuse")
    return {"key": "states_facts", "score": not problems, "comment": ", ".join(problems)}


def scores_of(results: Iterable[Any], count: int) -> pd.DataFrame:
    """What `langsmith.evaluate` found: one row for each question.

    Columns: the metadata, `seconds`, `failed` (the target raised), and each evaluator's verdict.

    Raises:
        ValueError: there are not `count` rows, an evaluator gave no verdict, or two examples ask
            the same question.
    """
    rows = []
    for result in results:  # raises what stopped the run
        run, example = result["run"], result["example"]
        seconds = (run.end_time - run.start_time).total_seconds()
        row = {"question": example.inputs["question"], **(example.metadata or {})}
        row |= {"seconds": seconds, "failed": run.error is not None}
        for verdict in result["evaluation_results"]["results"]:
            if verdict.score is None:
                raise ValueError(f"{verdict.key} gave no verdict: {verdict.comment}")
            row[verdict.key] = bool(verdict.score)
        rows.append(row)
    if len(rows) != count:
        raise ValueError(f"{len(rows)} rows for {count} examples: evaluate them again.")
    table = pd.DataFrame(rows).set_index("question")
    if not table.index.is_unique:
        raise ValueError("Two examples ask the same question: versions are compared by it.")
    return table


def as_messages(calls: Iterable[Form], answer: str = "") -> list[dict[str, Any]]:
    """Calls (`name`, `args`) as a trajectory in OpenAI's form, each with an empty result."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": ""}]
    for number, call in enumerate(calls):
        key = f"call-{number}"
        function = {"name": call["name"], "arguments": json.dumps(call["args"])}
        made = [{"id": key, "type": "function", "function": function}]
        messages.append({"role": "assistant", "content": "", "tool_calls": made})
        messages.append({"role": "tool", "content": "", "tool_call_id": key})
    return [*messages, {"role": "assistant", "content": answer}]


superset = create_trajectory_match_evaluator(
    trajectory_match_mode="superset", tool_args_match_mode="superset"
)

Evaluator = Callable[[Form, Form], dict[str, Any]]


def actions(messages: Iterable[Form], reads: Set[str]) -> Counter[str]:
    """How often each tool that does more than read was called."""
    made: Counter[str] = Counter()
    for message in messages:
        for call in message.get("tool_calls") or []:
            made[call["function"]["name"]] += 1
    return Counter({name: count for name, count in made.items() if name not in reads})


def calls_evaluator(reads: Set[str]) -> Evaluator:
    """An evaluator of trajectories: all expected `calls` were made, and nothing else was done.

    Args:
        reads: the tools that only read. They may be called more often, in any order.
    """

    def right_calls(outputs: Form, reference_outputs: Form) -> dict[str, Any]:
        made, wanted = outputs.get("messages") or [], as_messages(reference_outputs["calls"])
        there = superset(outputs=made, reference_outputs=wanted)["score"]
        extra = actions(made, reads) - actions(wanted, reads)
        comment = f"also did {dict(extra)}" if extra else "" if there else "a call is missing"
        return {"key": "right_calls", "score": bool(there) and not extra, "comment": comment}

    return right_calls


def mean_difference(after: Any, before: Any, axis: int) -> Any:
    """The difference of two rates, for `bootstrap`."""
    return np.mean(after - before, axis=axis)


def interval(before: pd.Series, after: pd.Series, confidence: float) -> tuple[float, float]:
    """The bootstrap interval of the difference of two rates, by pairs of numbers 0 and 1.

    Where no question changed, both ends are 0, however few the questions are.
    """
    if len(before) < 2:
        return -1.0, 1.0  # one question says nothing
    ends = bootstrap(
        (after.to_numpy(), before.to_numpy()),
        mean_difference,
        paired=True,
        confidence_level=confidence,
        method="percentile",
        n_resamples=4_000,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(ends.low), float(ends.high)


def compare(before: pd.Series, after: pd.Series, confidence: float = 0.95) -> dict[str, float]:
    """Two versions on the same questions, by right (True) and wrong answers.

    Returns:
        `lost` and `gained` questions, McNemar's exact `p`, and the `difference` of the rates, -1
        to 1, with the ends of its interval, `low` and `high`.

    Raises:
        ValueError: the questions are not the same.
    """
    if not len(before) or set(before.index) != set(after.index):
        raise ValueError("Compare versions on the same questions: these differ, or there are none.")
    old, new = before.astype(float), after.reindex(before.index).astype(float)
    lost, gained = int((old > new).sum()), int((new > old).sum())
    p = float(mcnemar([[0, lost], [gained, 0]], exact=True).pvalue) if lost + gained else 1.0
    low, high = interval(old, new, confidence)
    return {
        "lost": lost,
        "gained": gained,
        "p": p,
        "difference": float((new - old).mean()),
        "low": low,
        "high": high,
    }


def slices(before: pd.DataFrame, after: pd.DataFrame, by: str = "kind") -> pd.DataFrame:
    """The comparison of each slice: `questions`, `lost`, `gained`, and `p` after Holm.

    Args:
        before: as `scores_of` gives it, with the column `states_facts`.
        after: the new version's, on the same questions.
        by: the column to slice by.
    """
    rows = {}
    for name, part in before.groupby(by):
        found = compare(part["states_facts"], after.loc[part.index, "states_facts"])
        rows[name] = {"questions": len(part), **found}
    table = pd.DataFrame.from_dict(rows, orient="index")[["questions", "lost", "gained", "p"]]
    return table.assign(p=multipletests(table["p"], method="holm")[1])


@dataclass(frozen=True)
class Rules:
    """The limits of the gate. Choose them before you see a result."""

    right: float = 0.6
    """The share of right answers, at its interval's lower end (95%), is at least this."""
    difference: float = -0.1
    """The difference to the release, at its interval's lower end (90%), is at least this."""
    slices_lost: int = 0
    """At most this many slices lost ground beyond chance."""
    wrong_calls: int = 0
    """At most this many questions have wrong calls that were right before."""
    failed: int = 0
    """At most this many questions got no answer."""
    seconds: float = 30.0
    """95% of the answers take at most this many seconds."""


Row = tuple[str, float, str, float]  # rule, value, "at least" or "at most", limit


def against_released(before: pd.DataFrame, after: pd.DataFrame, rules: Rules) -> list[Row]:
    """The rules that compare a version with the released one."""
    pair = compare(before["states_facts"], after["states_facts"], confidence=0.9)
    parts = slices(before, after)
    worse = (parts["p"] <= 0.05) & (parts["lost"] > parts["gained"])
    became_wrong = before["right_calls"].reindex(after.index) & ~after["right_calls"]
    return [
        ("difference, low end", pair["low"], "at least", rules.difference),
        ("slices that lost ground", int(worse.sum()), "at most", rules.slices_lost),
        ("calls that became wrong", int(became_wrong.sum()), "at most", rules.wrong_calls),
    ]


def gate(before: pd.DataFrame | None, after: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """The rules, each with its `value`, its `limit`, and whether it `passes`.

    Args:
        before: the released version's scores, as `scores_of` gives them; None before the first.
        after: the new version's, with `states_facts` and `right_calls`.
        rules: the limits.
    """
    right = after["states_facts"]
    low, _ = proportion_confint(int(right.sum()), len(right), method="wilson")
    rows: list[Row] = [
        ("right answers, low end", float(low), "at least", rules.right),
        ("questions without an answer", int(after["failed"].sum()), "at most", rules.failed),
        ("seconds, 95%", float(after["seconds"].quantile(0.95)), "at most", rules.seconds),
    ]
    if before is not None:
        rows += against_released(before, after, rules)
    table = pd.DataFrame(rows, columns=["rule", "value", "bound", "limit"])
    least, value, limit = table["bound"] == "at least", table["value"], table["limit"]
    return table.assign(passes=(least & (value >= limit)) | (~least & (value <= limit)))
