"""Answers to exercise 11.4, each a right one with a condition that is another."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pandas as pd

from helpers.authoring.answers import right, wrong
from helpers.course.exercises import solved

Diagnose = Callable[[pd.DataFrame, pd.DataFrame], Any]
ADDRESS = re.compile(r"[\w-]+\.example\b")


class ByRow:
    """The list of causes, row by row; the answers below change one method or limit."""

    failed, half, slower, dollars, tokens, answers, canaries, errors, rise = (
        0.2, 0.5, 3, 2, 0.5, 3, 2, 3, 0.25,
    )  # fmt: skip
    order = ("down", "slow", "cost", "poison", "release", "tool")

    def hours(self, metrics: pd.DataFrame, runs: pd.DataFrame) -> None:
        rows = sorted(runs.to_dict("records"), key=lambda row: row["start_time"])
        self.late = [row for row in rows if row["start_time"] >= metrics.index[60]]
        self.early = [row for row in rows if row["start_time"] < metrics.index[60]]
        self.before, self.now = metrics[:60].sum(), metrics[60:].sum()

    def of(self, rows: list[Any], kind: str) -> list[Any]:
        return [row for row in rows if row["run_type"] == kind]

    def shares(self, rows: list[Any], by: str) -> dict[str, float]:
        found = defaultdict(list)
        for row in rows:
            found[row[by]].append(row["error"] != "")
        return {name: sum(those) / len(those) for name, those in found.items()}

    def down(self) -> Any:
        shares = self.shares(self.of(self.late, "llm"), "model")
        first = max(shares, key=lambda name: shares[name], default=None)
        failed = self.now["failed"] >= self.failed * self.now["requests"]
        return ("model down", first) if failed and first and shares[first] >= self.half else None

    def slow(self) -> Any:
        if not self.now["answers"]:
            return None
        usual = self.before["first_token_s"] / self.before["answers"]
        if self.now["first_token_s"] / self.now["answers"] < self.slower * usual:
            return None
        seconds = defaultdict(list)
        for row in self.of(self.late, "llm"):
            seconds[row["model"]].append((row["end_time"] - row["start_time"]).total_seconds())
        return "model slow", max(seconds, key=lambda name: sum(seconds[name]) / len(seconds[name]))

    def people(self, tokens: Counter[str]) -> Counter[str]:
        return Counter({name: count for name, count in tokens.items() if name})

    def spending(self) -> list[Any]:
        return self.of(self.late, "chain")

    def cost(self) -> Any:
        tokens: Counter[str] = Counter()
        for row in self.spending():
            tokens[row["customer"]] += row["tokens"]
        people = self.people(tokens)
        if not people or self.now["dollars"] < self.dollars * self.before["dollars"]:
            return None
        name, count = people.most_common(1)[0]
        enough = count >= self.tokens * tokens.total()
        return ("cost spike by one customer", name) if enough else None

    def known(self) -> set[str]:
        return {one for row in self.early for one in ADDRESS.findall(row["answer"])}

    def found(self, row: Any) -> Any:
        return set(ADDRESS.findall(row["answer"]))

    def poison(self) -> Any:
        counts = Counter(one for row in self.late for one in self.found(row))
        for one in self.known():
            del counts[one]
        if not counts or counts.most_common(1)[0][1] < self.answers:
            return None
        address = counts.most_common(1)[0][0]
        of = {row["id"] for row in self.late if address in row["answer"]}
        return "poisoned document", self.documents(of).most_common(1)[0][0]

    def documents(self, of: set[str]) -> Counter[str]:
        rows = [row for row in self.late if row["parent_run_id"] in of and row["documents"]]
        return Counter(row["documents"][0] for row in rows)

    def wrong(self) -> bool:
        more = self.now["canaries_wrong"] - self.before["canaries_wrong"]
        return bool(more >= self.canaries)

    def release(self) -> Any:
        revisions = [row["revision"] for row in self.of(self.early + self.late, "chain")]
        changed = self.wrong() and revisions[0] != revisions[-1]
        return ("bad release", revisions[-1]) if changed else None

    def tool(self) -> Any:
        late = self.of(self.late, "tool")
        errors = Counter(row["name"] for row in late if row["error"])
        usual = self.shares(self.of(self.early, "tool"), "name")
        rises = {
            name: share - usual.get(name, 0)
            for name, share in self.shares(late, "name").items()
            if errors[name] >= self.errors
        }
        if not (rises and self.wrong()):
            return None
        name = max(rises, key=lambda one: rises[one])
        return ("failing tool", name) if rises[name] >= self.rise else None

    def __call__(self, metrics: pd.DataFrame, runs: pd.DataFrame) -> Any:
        self.hours(metrics, runs)
        for name in self.order:
            if found := getattr(self, name)():
                return found
        return "none", ""


def but(**changed: Any) -> object:
    made: Any = type("Changed", (ByRow,), changed)()
    return lambda metrics, runs: made(metrics, runs)


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda metrics, runs: None


@wrong("All is well, always.")
def never() -> object:
    return lambda metrics, runs: ("none", "")


@wrong("The causes alone.")
def causes_alone() -> object:
    return lambda metrics, runs: ByRow()(metrics, runs)[0]


@wrong("The subjects of the lab's incidents.")
def hard_coded() -> object:
    subjects = {"model down": "support-model", "model slow": "support-model",
                "cost spike by one customer": "C-0042", "bad release": "r119",
                "poisoned document": "refunds", "failing tool": "lookup_order"}  # fmt: skip

    def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> Any:
        cause = ByRow()(metrics, runs)[0]
        return cause, subjects.get(cause, "")

    return diagnose


@wrong("Failed requests alone say that the model is down.", slip="refused")
def metrics_alone() -> object:
    def down(self: ByRow) -> Any:
        failed = self.now["failed"] >= 0.2 * self.now["requests"]
        return ("model down", self.of(self.late, "llm")[0]["model"]) if failed else None

    return but(down=down)


@wrong("Twice the dollars are a spike, whoever spends them.", slip="busy-day")
def any_peak() -> object:
    return but(tokens=0)


@wrong("The guests are one customer.", slip="guests")
def guests_count() -> object:
    return but(people=lambda self, tokens: tokens)


@wrong("The guests' tokens are left out of the sum.")
def without_guests() -> object:
    return but(spending=lambda self: [r for r in self.of(self.late, "chain") if r["customer"]])


@wrong("The tokens of both hours are counted.")
def tokens_of_both_hours() -> object:
    return but(spending=lambda self: self.of(self.early + self.late, "chain"))


@wrong("A tool's errors count, and not their rise.", slip="most-errors")
def errors_alone() -> object:
    def tool(self: ByRow) -> Any:
        errors = Counter(row["name"] for row in self.of(self.late, "tool") if row["error"])
        shares = self.shares(self.of(self.late, "tool"), "name")
        names = [name for name in shares if errors[name] >= 1 and self.wrong()]
        return ("failing tool", max(names, key=lambda n: shares[n])) if names else None

    return but(tool=tool)


@wrong("Any new release is a bad one.")
def any_release() -> object:
    return but(canaries=0)


@wrong("The runs are taken in the order of the rows.")
def unsorted() -> object:
    def release(self: ByRow) -> Any:
        revisions = self.rows["revision"][self.rows["run_type"] == "chain"].tolist()
        changed = self.wrong() and revisions[0] != revisions[-1]
        return ("bad release", revisions[-1]) if changed else None

    def hours(self: Any, metrics: pd.DataFrame, runs: pd.DataFrame) -> None:
        ByRow.hours(self, metrics, runs)
        self.rows = runs

    return but(release=release, hours=hours)


@wrong("Known addresses count.")
def known_addresses() -> object:
    return but(known=lambda self: set())


@wrong("An address that comes twice in an answer counts twice.")
def counts_twice() -> object:
    return but(found=lambda self, row: ADDRESS.findall(row["answer"]))


@wrong("All documents are counted, and not the first ones.")
def last_document() -> object:
    def documents(self: ByRow, of: set[str]) -> Counter[str]:
        return Counter(r["documents"][-1] for r in self.late if r["parent_run_id"] in of)

    return but(documents=documents)


@wrong("The documents of any request are counted.")
def any_document() -> object:
    return but(documents=lambda self, of: Counter(
        row["documents"][0] for row in self.late if row["documents"]))  # fmt: skip


@wrong("A fifth must be exceeded.")
def more_than_a_fifth() -> object:
    return but(failed=0.2000001)


@wrong("Three quarters of a model's calls.")
def most_calls() -> object:
    return but(half=0.75)


@wrong("Twice as slow.")
def twice_as_slow() -> object:
    return but(slower=2)


@wrong("Sums of seconds are compared, and not means.")
def sums_of_seconds() -> object:
    def slow(self: ByRow) -> Any:
        longer = self.now["first_token_s"] >= 3 * self.before["first_token_s"]
        return ByRow.slow(self) if longer else None

    return but(slow=slow)


@wrong("It divides by no answers.")
def no_answers() -> object:
    def slow(self: ByRow) -> Any:
        float(self.now["first_token_s"]) / float(self.now["answers"])
        return ByRow.slow(self)

    return but(slow=slow)


@wrong("Two answers are enough.")
def two_answers() -> object:
    return but(answers=2)


@wrong("One canary is enough.")
def one_canary() -> object:
    return but(canaries=1)


@wrong("Two errors of a tool are enough.")
def two_errors() -> object:
    return but(errors=2)


@wrong("The tool comes before the release.")
def tool_first() -> object:
    return but(order=("down", "slow", "cost", "poison", "tool", "release"))


@wrong("The cost comes first.")
def cost_first() -> object:
    return but(order=("cost", "down", "slow", "poison", "release", "tool"))


@wrong("The hour begins a minute late.")
def a_minute_late() -> object:
    def hours(self: ByRow, metrics: pd.DataFrame, runs: pd.DataFrame) -> None:
        ByRow.hours(self, metrics, runs)
        self.before, self.now = metrics[:61].sum(), metrics[61:].sum()

    return but(hours=hours)


@wrong("A run at the boundary belongs to before.")
def boundary_before() -> object:
    def hours(self: ByRow, metrics: pd.DataFrame, runs: pd.DataFrame) -> None:
        ByRow.hours(self, metrics, runs)
        rows = self.early + self.late
        self.late = [row for row in rows if row["start_time"] > metrics.index[60]]
        self.early = [row for row in rows if row["start_time"] <= metrics.index[60]]

    return but(hours=hours)


@wrong("It writes a column into the runs.")
def changes_the_runs() -> object:
    def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> Any:
        found = ByRow()(metrics, runs)
        runs["late"] = runs["start_time"] >= metrics.index[60]
        return found

    return diagnose


@right("Row by row.")
def row_by_row() -> object:
    return but()


@right("A list instead of a tuple.")
def a_list() -> object:
    reference = solved("11.4")
    return lambda metrics, runs: list(reference(metrics, runs))


@right("An asynchronous function, on frames with an index of their own.")
def asynchronous() -> object:
    reference = solved("11.4")

    async def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> Any:
        return reference(metrics, runs.reset_index(drop=True).sort_values("id"))

    return diagnose
