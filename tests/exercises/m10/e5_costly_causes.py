"""Answers to exercise 10.5, each a right one with a part that is another."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from helpers.authoring.answers import right, wrong
from helpers.course.exercises import solved

NAMES = ("failed", "loop", "repeat", "pasted", "oversized")


class Causes:
    """The steps, one method each; the answers below change one."""

    def in_order(self, calls: pd.DataFrame) -> pd.DataFrame:
        return calls.sort_values("time", ignore_index=True)

    def failed(self, calls: pd.DataFrame) -> Any:
        return calls["status"] == "error"

    def loop(self, calls: pd.DataFrame) -> Any:
        return (calls["status"] == "ok").groupby(calls["request"]).cumsum() > 4

    def words(self, first: pd.DataFrame) -> Any:
        return first["text"].str.strip().str.casefold()

    def who(self) -> str:
        return "conversation"

    def back(self) -> int:
        return 2

    def recent(self, gap: Any) -> Any:
        return gap <= pd.Timedelta(minutes=10)

    def repeat(self, calls: pd.DataFrame) -> Any:
        first = calls.drop_duplicates("request")
        before = first.groupby([self.who(), self.words(first)])["time"].shift(self.back())
        return calls["request"].isin(first["request"][self.recent(first["time"] - before)])

    def pasted(self, calls: pd.DataFrame) -> Any:
        return calls["text"].str.len() > 700

    def oversized(self, calls: pd.DataFrame) -> Any:
        return (calls["intent"] == "small talk") & (calls["model"] == "large")

    def names(self) -> tuple[str, ...]:
        return NAMES

    def cause(self, calls: pd.DataFrame) -> Any:
        tests = [getattr(self, name)(calls) for name in self.names()]
        return np.select(tests, self.names(), default="none")

    def requests(self) -> str:
        return "nunique"

    def table(self, calls: pd.DataFrame) -> pd.DataFrame:
        costly = calls[calls["cause"] != "none"].groupby("cause")
        return costly.agg(
            micro_usd=("micro_usd", "sum"), requests=("request", self.requests())
        ).reset_index()

    def sort(self, table: pd.DataFrame) -> Any:
        return table.sort_values(["micro_usd", "cause"], ascending=[False, True])

    def __call__(self, calls: pd.DataFrame) -> Any:
        calls = self.in_order(calls)
        return self.sort(self.table(calls.assign(cause=self.cause(calls))))


def but(**methods: Callable[..., Any]) -> object:
    changed: Any = type("Changed", (Causes,), methods)()
    return lambda calls: changed(calls)


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda calls: None


@wrong("A frame without rows, always.")
def always_empty() -> object:
    return lambda calls: pd.DataFrame(columns=["cause", "micro_usd", "requests"])


@wrong("The statement's example.")
def hard_coded() -> object:
    rows = [["oversized", 70, 1], ["failed", 30, 1]]
    return lambda calls: pd.DataFrame(rows, columns=["cause", "micro_usd", "requests"])


@wrong("The repeats are looked for by customer.", slip="by-customer")
def by_customer() -> object:
    return but(who=lambda self: "customer")


@wrong("The second time counts.", slip="second-time")
def second_time() -> object:
    return but(back=lambda self: 1)


@wrong("Ten minutes exactly do not count.")
def less_than_ten() -> object:
    return but(recent=lambda self, gap: gap < pd.Timedelta(minutes=10))


@wrong("Any third time of the day counts.")
def any_time() -> object:
    return but(recent=lambda self, gap: gap.notna())


@wrong("The texts are compared as they are.")
def verbatim() -> object:
    return but(words=lambda self, first: first["text"])


@wrong("Capitals matter.")
def capitals() -> object:
    return but(words=lambda self, first: first["text"].str.strip())


@wrong("The third call is taken for the third request.")
def repeats_of_calls() -> object:
    def repeat(self: Causes, calls: pd.DataFrame) -> Any:
        before = calls.groupby(["conversation", self.words(calls)])["time"].shift(2)
        return calls["request"].isin(
            calls["request"][calls["time"] - before <= pd.Timedelta("10m")]
        )

    return but(repeat=repeat)


@wrong("Failed calls are among the four.", slip="counts-failed")
def loop_counts_failed() -> object:
    return but(loop=lambda self, calls: calls.groupby("request").cumcount() >= 4)


@wrong("The fourth call counts.")
def from_the_fourth() -> object:
    def loop(self: Causes, calls: pd.DataFrame) -> Any:
        return (calls["status"] == "ok").groupby(calls["request"]).cumsum() >= 4

    return but(loop=loop)


@wrong("All calls of a request with a loop count.")
def whole_loop() -> object:
    def loop(self: Causes, calls: pd.DataFrame) -> Any:
        worked = (calls["status"] == "ok").groupby(calls["request"])
        return worked.transform("sum") > 4

    return but(loop=loop)


@wrong("The rows are taken as they come.")
def unsorted() -> object:
    return but(in_order=lambda self, calls: calls.reset_index(drop=True))


@wrong("700 characters count.")
def seven_hundred() -> object:
    return but(pasted=lambda self, calls: calls["text"].str.len() >= 700)


@wrong("Any model's small talk counts.")
def any_model() -> object:
    return but(oversized=lambda self, calls: calls["intent"] == "small talk")


@wrong("Anything that the large model does counts.")
def any_intent() -> object:
    return but(oversized=lambda self, calls: calls["model"] == "large")


@wrong("All calls of a request with a failed one count.", slip="all-of-the-request")
def whole_request() -> object:
    def failed(self: Causes, calls: pd.DataFrame) -> Any:
        bad = calls["request"][calls["status"] == "error"]
        return calls["request"].isin(bad)

    return but(failed=failed)


@wrong("The calls are counted, and not the requests.", slip="counts-calls")
def counts_calls() -> object:
    return but(requests=lambda self: "count")


@wrong("A call counts for each cause.", slip="counted-twice")
def counted_twice() -> object:
    def table(self: Causes, calls: pd.DataFrame) -> pd.DataFrame:
        rows = []
        for name in NAMES:
            those = calls[getattr(self, name)(calls)]
            if len(those):
                rows.append([name, those["micro_usd"].sum(), those["request"].nunique()])
        return pd.DataFrame(rows, columns=["cause", "micro_usd", "requests"])

    return but(table=table)


@wrong("The last cause that applies counts.")
def last_cause() -> object:
    return but(names=lambda self: NAMES[::-1])


@wrong("The cheapest is first.", slip="cheapest-first")
def cheapest_first() -> object:
    return but(sort=lambda self, table: table.sort_values(["micro_usd", "cause"]))


@wrong("Equally expensive causes are in reverse order.")
def ties_reversed() -> object:
    def sort(self: Causes, table: pd.DataFrame) -> Any:
        return table.sort_values(["micro_usd", "cause"], ascending=False)

    return but(sort=sort)


@wrong("Dollars, as floats.")
def dollars() -> object:
    def sort(self: Causes, table: pd.DataFrame) -> Any:
        return Causes.sort(self, table).assign(micro_usd=lambda one: one["micro_usd"] / 1e6)

    return but(sort=sort)


@wrong("The causes are the index.")
def cause_is_index() -> object:
    return but(sort=lambda self, table: Causes.sort(self, table).set_index("cause"))


@wrong("All five rows, with zeros.")
def with_zeros() -> object:
    def sort(self: Causes, table: pd.DataFrame) -> Any:
        full = table.set_index("cause").reindex(sorted(NAMES), fill_value=0).reset_index()
        return Causes.sort(self, full)

    return but(sort=sort)


@wrong("Causes that cost nothing are left out.")
def without_free() -> object:
    def sort(self: Causes, table: pd.DataFrame) -> Any:
        return Causes.sort(self, table[table["micro_usd"] > 0])

    return but(sort=sort)


@wrong("It writes its column into the frame that it gets.")
def changes_the_frame() -> object:
    inner = Causes()

    def causes(calls: pd.DataFrame) -> Any:
        found = inner(calls)
        calls["cause"] = "none"
        return found

    return causes


@wrong("The first result is kept.")
def keeps_the_first() -> object:
    kept: list[Any] = []

    def causes(calls: pd.DataFrame) -> Any:
        kept.append(Causes()(calls))
        return kept[0]

    return causes


@right("Row by row, without pandas but for the result.")
def row_by_row() -> object:
    def causes(calls: pd.DataFrame) -> pd.DataFrame:
        rows = sorted(calls.to_dict("records"), key=lambda row: row["time"])
        begun: dict[str, Any] = {}
        asked: dict[Any, list[Any]] = defaultdict(list)
        repeats: set[str] = set()
        worked: dict[str, int] = defaultdict(int)
        for row in rows:
            if row["request"] in begun:
                continue
            begun[row["request"]] = row["time"]
            earlier = asked[row["conversation"], row["text"].strip().casefold()]
            if len(earlier) > 1 and (row["time"] - earlier[-2]).total_seconds() <= 600:
                repeats.add(row["request"])
            earlier.append(row["time"])
        spent: dict[str, int] = defaultdict(int)
        requests: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            worked[row["request"]] += row["status"] == "ok"
            if row["status"] == "error":
                cause = "failed"
            elif worked[row["request"]] > 4:
                cause = "loop"
            elif row["request"] in repeats:
                cause = "repeat"
            elif len(row["text"]) > 700:
                cause = "pasted"
            elif row["intent"] == "small talk" and row["model"] == "large":
                cause = "oversized"
            else:
                continue
            spent[cause] += row["micro_usd"]
            requests[cause].add(row["request"])
        table = [(name, spent[name], len(requests[name])) for name in spent]
        table.sort(key=lambda one: (-one[1], one[0]))
        return pd.DataFrame(table, columns=["cause", "micro_usd", "requests"])

    return causes


@right("The index is left as it is.")
def keeps_the_index() -> object:
    return but(in_order=lambda self, calls: calls.sort_values("time"))


@right("Repeats by a rolling count.")
def rolling() -> object:
    def repeat(self: Causes, calls: pd.DataFrame) -> Any:
        first = calls.drop_duplicates("request")
        first = first.assign(words=self.words(first), one=1)
        found: set[str] = set()
        for _, group in first.groupby(["conversation", "words"]):
            counts = group.set_index("time")["one"].rolling("10min", closed="both").sum()
            found |= set(group["request"][(counts >= 3).to_numpy()])
        return calls["request"].isin(found)

    return but(repeat=repeat)


@right("Sums as Decimal, any index, objects as the types.")
def decimals() -> object:
    reference = solved("10.5")

    def causes(calls: pd.DataFrame) -> Any:
        found = reference(calls).astype(object)
        found["micro_usd"] = [Decimal(int(one)) for one in found["micro_usd"]]
        return found.set_axis(range(5, 5 + len(found)))

    return causes


@right("An asynchronous function.")
def asynchronous() -> object:
    async def causes(calls: pd.DataFrame) -> Any:
        return Causes()(calls)

    return causes


@right("One cause after the other takes its calls away.")
def one_after_the_other() -> object:
    def cause(self: Causes, calls: pd.DataFrame) -> Any:
        found = pd.Series("none", index=calls.index)
        for name in NAMES:
            applies = getattr(self, name)(calls).fillna(False).astype(bool)
            found = found.mask(applies & (found == "none"), name)
        return found.to_numpy()

    return but(cause=cause)
