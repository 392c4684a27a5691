"""Answers to exercise 09.3, each a right one with a part that is another."""

import math
from collections import defaultdict
from datetime import datetime, timedelta
from statistics import mean, median, pstdev, quantiles
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import beta, binomtest, norm

from helpers.authoring.answers import right, wrong
from helpers.evaluate import Proportion


class Parts:
    """The steps, one method each; the answers below change one."""

    def runs(self, client: Any, project: str) -> Any:
        return list(client.list_runs(project_name=project, run_type="tool"))

    def failed(self, run: Any) -> bool:
        return run.error is not None

    def counts_as_slow(self, run: Any) -> bool:
        return not self.failed(run)

    def tail(self, seconds: Any) -> Any:
        return np.percentile(seconds, 95)

    def low(self, failed: int, calls: int) -> Any:
        return binomtest(failed, calls).proportion_ci(method="wilson").low

    def may_fail(self, failed: Any) -> bool:
        return any(failed)

    def order(self, name: str, figure: Any) -> Any:
        return (-round(figure, 9), name)

    def pair(self, name: str, figure: Any) -> Any:
        return name, figure

    def highest(self, figures: Any) -> Any:
        if not figures:
            return None
        name = min(figures, key=lambda one: self.order(one, figures[one]))
        return self.pair(name, figures[name])

    def __call__(self, client: Any, project: str) -> Any:
        seconds, failed = defaultdict(list), defaultdict(list)
        for run in self.runs(client, project):
            failed[run.name].append(self.failed(run))
            if self.counts_as_slow(run):
                seconds[run.name].append(run.latency)
        tails = {name: self.tail(own) for name, own in seconds.items()}
        lows = {
            name: self.low(sum(own), len(own)) for name, own in failed.items() if self.may_fail(own)
        }
        return self.highest(tails), self.highest(lows)


def but(**changes: Any) -> object:
    changed: Any = type("Changed", (Parts,), changes)()
    return lambda client, project: changed(client, project)


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda client, project: None


@wrong("What the statement shows, for any project.")
def constant() -> object:
    return lambda client, project: (("stock", 2.9), ("gift_wrap", 0.20654329147389294))


@wrong("The longest call, not the 95th percentile.", slip="maximum")
def maximum() -> object:
    return but(tail=lambda self, seconds: max(seconds))


@wrong("The mean of the latencies.", slip="steady")
def by_mean() -> object:
    return but(tail=lambda self, seconds: mean(seconds))


@wrong("The median of the latencies.", slip="steady")
def by_median() -> object:
    return but(tail=lambda self, seconds: median(seconds))


@wrong("The standard deviation of the latencies.")
def by_deviation() -> object:
    return but(tail=lambda self, seconds: pstdev(seconds))


@wrong("The 99th percentile.")
def higher() -> object:
    return but(tail=lambda self, seconds: np.percentile(seconds, 99))


@wrong("The 90th percentile.")
def lower() -> object:
    return but(tail=lambda self, seconds: np.percentile(seconds, 90))


@wrong("The nearest call, without interpolation.", slip="method")
def nearest() -> object:
    return but(tail=lambda self, seconds: sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1])


@wrong("Another interpolation.", slip="method")
def weibull() -> object:
    return but(tail=lambda self, seconds: np.percentile(seconds, 95, method="weibull"))


@wrong("Milliseconds.")
def milliseconds() -> object:
    return but(tail=lambda self, seconds: 1000 * np.percentile(seconds, 95))


@wrong("Calls that failed count as slow.", slip="failed-calls")
def failed_count_as_slow() -> object:
    return but(counts_as_slow=lambda self, run: True)


@wrong("Only calls that failed count as slow.")
def only_failed() -> object:
    return but(counts_as_slow=lambda self, run: run.error is not None)


@wrong("The number of failures names the tool that is called most.", slip="count")
def by_count() -> object:
    return but(low=lambda self, failed, calls: failed)


@wrong("The rate names a tool that was called once.", slip="rate")
def by_rate() -> object:
    return but(low=lambda self, failed, calls: failed / calls)


@wrong("The standard error of the rate.")
def by_error() -> object:
    def low(self: Parts, failed: int, calls: int) -> float:
        return math.sqrt(failed / calls * (1 - failed / calls) / calls)

    return but(low=low)


@wrong("The upper end of the interval.", slip="rate")
def upper_end() -> object:
    return but(
        low=lambda self, failed, calls: binomtest(failed, calls).proportion_ci(method="wilson").high
    )


@wrong("The normal interval: one of one is certain.", slip="rate")
def normal() -> object:
    def low(self: Parts, failed: int, calls: int) -> float:
        rate = failed / calls
        return rate - 1.96 * math.sqrt(rate * (1 - rate) / calls)

    return but(low=low)


@wrong("The exact interval, SciPy's default.", slip="not-wilson")
def exact() -> object:
    return but(low=lambda self, failed, calls: binomtest(failed, calls).proportion_ci().low)


@wrong("Wilson's interval with a correction for continuity.", slip="not-wilson")
def corrected() -> object:
    return but(
        low=lambda self, failed, calls: (
            binomtest(failed, calls).proportion_ci(method="wilsoncc").low
        )
    )


@wrong("A 90% interval.", slip="not-wilson")
def ninety() -> object:
    return but(
        low=lambda self, failed, calls: binomtest(failed, calls).proportion_ci(0.9, "wilson").low
    )


@wrong("A one-sided interval.", slip="not-wilson")
def one_sided() -> object:
    return but(low=lambda self, failed, calls: beta.ppf(0.05, failed, calls - failed + 1))


@wrong("The tool is right, and the rate comes back.", slip="not-wilson")
def rate_returned() -> object:
    def steps(self: Any, client: Any, project: str) -> Any:
        slow, failing = Parts.__call__(self, client, project)
        if failing is not None:
            own = [self.failed(r) for r in self.runs(client, project) if r.name == failing[0]]
            failing = (failing[0], mean(own))
        return slow, failing

    return but(__call__=steps)


@wrong("A tool that never failed is failing, with 0.")
def never_failed() -> object:
    return but(may_fail=lambda self, failed: True)


@wrong("A refusal is taken for a failure.", slip="refused")
def refusals() -> object:
    def failed(self: Parts, run: Any) -> bool:
        output = (run.outputs or {}).get("output")
        return run.error is not None or (
            isinstance(output, dict) and output.get("status") == "error"
        )

    return but(failed=failed)


@wrong("Models and chains are tools.")
def all_types() -> object:
    return but(runs=lambda self, client, project: list(client.list_runs(project_name=project)))


@wrong("Only calls directly below a request.")
def first_level() -> object:
    def runs(self: Parts, client: Any, project: str) -> Any:
        roots = {run.id for run in client.list_runs(project_name=project, is_root=True)}
        return [r for r in Parts.runs(self, client, project) if r.parent_run_id in roots]

    return but(runs=runs)


@wrong("Only root runs.")
def roots_only() -> object:
    return but(
        runs=lambda self, client, project: list(
            client.list_runs(project_name=project, run_type="tool", is_root=True)
        )
    )


@wrong("Only calls below another run.")
def no_roots() -> object:
    return but(
        runs=lambda self, client, project: [
            run for run in Parts.runs(self, client, project) if run.parent_run_id is not None
        ]
    )


@wrong("Only the first hundred calls.")
def first_page() -> object:
    return but(
        runs=lambda self, client, project: list(
            client.list_runs(project_name=project, run_type="tool", limit=100)
        )
    )


@wrong("Each request counts a tool once.")
def once_a_request() -> object:
    def runs(self: Parts, client: Any, project: str) -> Any:
        found = Parts.runs(self, client, project)
        return list({(run.trace_id, run.name): run for run in found}.values())

    return but(runs=runs)


@wrong("It fails where no tool was called.")
def no_tools() -> object:
    return but(highest=lambda self, figures: min((-figures[name], name) for name in figures)[::-1])


@wrong("Of tools alike, whichever came first.")
def first_of_equals() -> object:
    return but(order=lambda self, name, figure: -round(figure, 9))


@wrong("Of tools alike, the last by alphabet.")
def last_of_equals() -> object:
    return but(
        order=lambda self, name, figure: (-round(figure, 9), [-ord(letter) for letter in name])
    )


@wrong("Capital letters do not count in the alphabet.")
def casefolded() -> object:
    return but(order=lambda self, name, figure: (-round(figure, 9), name.casefold()))


@wrong("Failing first, slow last.")
def exchanged() -> object:
    return but(__call__=lambda self, *arguments: Parts.__call__(self, *arguments)[::-1])


@wrong("The names without figures.")
def names_alone() -> object:
    return but(pair=lambda self, name, figure: name)


@wrong("An empty pair in place of None.")
def empty_pair() -> object:
    return but(
        highest=lambda self, figures: Parts.highest(self, figures) or ("", 0.0),
    )


@wrong("The result of the first project, for all.")
def remembers() -> object:
    kept: list[Any] = []

    def steps(self: Any, *arguments: Any) -> Any:
        if not kept:
            kept.append(Parts.__call__(self, *arguments))
        return kept[0]

    return but(__call__=steps)


def with_runs(keep: Any) -> object:
    """The calls are the runs for which `keep(run, its parent or None)` is true."""

    def runs(self: Parts, client: Any, project: str) -> Any:
        own = {run.id: run for run in client.list_runs(project_name=project)}
        return [run for run in own.values() if keep(run, own.get(run.parent_run_id))]

    return but(runs=runs)


def failed_too(look: Any) -> object:
    """A call has also failed if `look(outputs)` is true."""
    return but(failed=lambda self, run: run.error is not None or look(run.outputs))


def with_latency(change: Any) -> object:
    def tail(self: Parts, seconds: Any) -> Any:
        return Parts.tail(self, change(seconds))

    return but(tail=tail)


def compared(change: Any) -> object:
    """`change(figure)` is what is compared."""
    return but(order=lambda self, name, figure: (-change(figure), name))


@wrong("Everything but models and chains is a tool.")
def other_types() -> object:
    return with_runs(lambda run, parent: run.run_type not in ("llm", "chain"))


@wrong("Retrievers are tools.")
def retrievers_too() -> object:
    return with_runs(lambda run, parent: run.run_type in ("tool", "retriever"))


@wrong("Not what is below a retriever.")
def not_below_a_retriever() -> object:
    return with_runs(
        lambda run, parent: (
            run.run_type == "tool" and not (parent and parent.run_type == "retriever")
        )
    )


@wrong("Not what is below a model.")
def not_below_a_model() -> object:
    return with_runs(
        lambda run, parent: run.run_type == "tool" and not (parent and parent.run_type == "llm")
    )


@wrong("Not what is below a call of the same tool.")
def not_below_itself() -> object:
    return with_runs(
        lambda run, parent: run.run_type == "tool" and not (parent and parent.name == run.name)
    )


@wrong("Outputs that are not ok are a failure.", slip="refused")
def not_ok() -> object:
    return failed_too(lambda outputs: (outputs or {}).get("ok") is False)


@wrong("An error in the outputs is a failure.", slip="refused")
def error_in_outputs() -> object:
    return failed_too(lambda outputs: "error" in (outputs or {}))


@wrong("An answer that begins with No is a failure.", slip="refused")
def begins_with_no() -> object:
    return failed_too(lambda out: str((out or {}).get("output")).lower().startswith("no "))


@wrong("Empty outputs are a failure.", slip="refused")
def empty_outputs() -> object:
    return failed_too(lambda outputs: not outputs)


@wrong("An empty error is none.")
def empty_error() -> object:
    return but(failed=lambda self, run: bool(run.error))


@wrong("Latencies in tenths of a second.")
def tenths() -> object:
    return with_latency(lambda seconds: [round(one, 1) for one in seconds])


@wrong("Latencies in milliseconds, as seconds.")
def to_milliseconds() -> object:
    return with_latency(lambda seconds: [round(one, 3) for one in seconds])


@wrong("A latency of 0 is none.")
def no_zeros() -> object:
    return with_latency(lambda seconds: [one for one in seconds if one] or seconds)


@wrong("Compared as they are: the last bit decides.")
def not_rounded() -> object:
    return compared(lambda figure: figure)


@wrong("Compared to three digits.")
def three_digits() -> object:
    return compared(lambda figure: round(figure, 3))


@wrong("Lower ends compared to four digits.")
def four_digits() -> object:
    return compared(lambda figure: round(figure, 4) if figure < 0.5 else round(figure, 9))


@wrong("Percentiles compared to six digits.")
def six_digits() -> object:
    return compared(lambda figure: round(figure, 6))


@wrong("Names without white space at their ends.")
def names_stripped() -> object:
    return but(pair=lambda self, name, figure: (name.strip(), figure))


@wrong("Only the first 150 calls.")
def page_and_a_half() -> object:
    return but(
        runs=lambda self, client, project: list(
            client.list_runs(project_name=project, run_type="tool", limit=150)
        )
    )


@wrong("Only calls of the last 24 hours.")
def last_day() -> object:
    since = datetime.now() - timedelta(days=1)
    return with_runs(
        lambda run, parent: run.run_type == "tool" and run.start_time.replace(tzinfo=None) > since
    )


@right("With pandas, and Wilson's formula by hand.")
def with_pandas() -> object:
    def suspects(client: Any, project: str) -> Any:
        runs = client.list_runs(project_name=project, run_type="tool")
        rows = [(run.name, run.latency, run.error is not None) for run in runs]
        calls = pd.DataFrame(rows, columns=["tool", "seconds", "failed"])
        if calls.empty:
            return None, None
        tails = calls[~calls.failed].groupby("tool").seconds.quantile(0.95)
        counts = calls.groupby("tool").failed.agg(["sum", "size"])
        counts = counts[counts["sum"] > 0]
        rate, n, z = counts["sum"] / counts["size"], counts["size"], norm.ppf(0.975)
        half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
        lows = (rate + z**2 / (2 * n) - half) / (1 + z**2 / n)
        return (
            (tails.round(9).idxmax(), tails.max()) if len(tails) else None,
            (lows.round(9).idxmax(), lows.max()) if len(lows) else None,
        )

    return suspects


@right("The course's own Proportion, and percentiles of the standard library.")
def by_hand() -> object:
    def tail(self: Parts, seconds: Any) -> Any:
        if len(seconds) == 1:
            return seconds[0]
        return quantiles(seconds, n=100, method="inclusive")[94]

    return but(tail=tail, low=lambda self, failed, calls: Proportion(failed, calls).interval[0])  # type: ignore[index]


@right("All runs are read, and the tools picked out; seconds by start and end.")
def from_all_runs() -> object:
    def suspects(client: Any, project: str) -> Any:
        seconds, failed = defaultdict(list), defaultdict(list)
        for run in client.list_runs(project_name=project):
            if run.run_type == "tool":
                failed[run.name].append(run.error is not None)
                if run.error is None:
                    seconds[run.name].append((run.end_time - run.start_time).total_seconds())
        parts = Parts()
        return (
            parts.highest({name: parts.tail(own) for name, own in seconds.items()}),
            parts.highest(
                {name: parts.low(sum(own), len(own)) for name, own in failed.items() if any(own)}
            ),
        )

    return suspects


@right("Trace by trace, with children loaded.")
def by_trace() -> object:
    def below(run: Any) -> Any:
        yield run
        for child in run.child_runs or ():
            yield from below(child)

    def runs(self: Parts, client: Any, project: str) -> Any:
        roots = list(client.list_runs(project_name=project, is_root=True))
        return [
            run
            for root in roots
            for run in below(client.read_run(root.id, load_child_runs=True))
            if run.run_type == "tool"
        ]

    return but(runs=runs)


@right("Named tuples, and the service's own filter.")
def named() -> object:
    class Pair(NamedTuple):
        name: str
        figure: float

    return but(
        pair=lambda self, name, figure: Pair(name, float(figure)),
        runs=lambda self, client, project: client.list_runs(
            project_name=project, filter='eq(run_type, "tool")'
        ),
    )


_ORDERED = "ordered = sorted(figures.items(), key=lambda one: (-round(one[1], 9), one[0]))"
EQUIVALENT = {
    f"line 22, 9 -> 10: {_ORDERED}": "times have microseconds: a percentile's steps are 5e-8",
    f"line 22, 9 -> 8: {_ORDERED}": "times have microseconds: a percentile's steps are 5e-8",
}
