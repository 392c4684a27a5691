"""Answers to exercise 11.4, each a right one with a condition that is another."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from statistics import fmean, median
from typing import Any, NamedTuple

import pandas as pd

from helpers.authoring.answers import right, wrong
from helpers.course.exercises import solved

Diagnose = Callable[[pd.DataFrame, pd.DataFrame], Any]
ADDRESS = re.compile(r"[\w-]+\.example\b")


class ByRow:
    """The list of causes, row by row; the answers below change one method or limit."""

    address = ADDRESS

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
        return "model slow", max(seconds, key=lambda name: self.typical(seconds[name]))

    def typical(self, seconds: list[float]) -> float:
        return fmean(seconds)

    def people(self, tokens: Counter[str]) -> Counter[str]:
        return Counter({name: count for name, count in tokens.items() if name})

    def spending(self) -> list[Any]:
        return self.of(self.late, "chain")

    def cost(self) -> Any:
        tokens: Counter[str] = Counter()
        for row in self.spending():
            tokens[row["customer"]] += row["tokens"]
        people = self.people(tokens)
        if not people.total() or self.now["dollars"] < self.dollars * self.before["dollars"]:
            return None
        name, count = people.most_common(1)[0]
        enough = count >= self.tokens * tokens.total()
        return ("cost spike by one customer", name) if enough else None

    def known(self) -> set[str]:
        return {one for row in self.early for one in self.address.findall(row["answer"])}

    def found(self, row: Any) -> Any:
        return set(self.address.findall(row["answer"]))

    def poison(self) -> Any:
        counts = Counter(one for row in self.late for one in self.found(row))
        for one in self.known():
            del counts[one]
        if not counts or counts.most_common(1)[0][1] < self.answers:
            return None
        address = self.chosen(counts)
        of = {row["id"] for row in self.late if address in self.found(row)}
        return "poisoned document", self.documents(of).most_common(1)[0][0]

    def chosen(self, counts: Counter[str]) -> str:
        return counts.most_common(1)[0][0]

    def documents(self, of: set[str]) -> Counter[str]:
        rows = [row for row in self.late if row["parent_run_id"] in of and row["documents"]]
        return Counter(row["documents"][0] for row in rows)

    def wrong(self) -> bool:
        more = self.now["canaries_wrong"] - self.before["canaries_wrong"]
        return bool(more >= self.canaries)

    def release(self) -> Any:
        revisions = [row["revision"] for row in self.in_order()]
        changed = self.wrong() and revisions[0] != revisions[-1]
        return ("bad release", revisions[-1]) if changed else None

    def in_order(self) -> list[Any]:
        return self.of(self.early + self.late, "chain")

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
        name = self.worst(rises)
        return ("failing tool", name) if rises[name] >= self.rise else None

    def worst(self, rises: dict[str, float]) -> str:
        return max(rises, key=lambda one: rises[one])

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
    def release(self: Any) -> Any:
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


@wrong("The mean of the minutes' means.")
def mean_of_minutes() -> object:
    def hours(self: ByRow, metrics: pd.DataFrame, runs: pd.DataFrame) -> None:
        ByRow.hours(self, metrics, runs)
        means = metrics["first_token_s"] / metrics["answers"].clip(lower=1)
        self.before["first_token_s"] = means[:60].mean() * self.before["answers"]
        self.now["first_token_s"] = means[60:].mean() * self.now["answers"]

    return but(hours=hours)


@wrong("The model with the longest run.")
def longest_run() -> object:
    return but(typical=lambda self, seconds: max(seconds))


@wrong("The model with the largest median.")
def largest_median() -> object:
    return but(typical=lambda self, seconds: median(seconds))


@wrong("Whole seconds.")
def whole_seconds() -> object:
    return but(typical=lambda self, seconds: fmean(map(int, seconds)))


@wrong("Nearly twice the dollars.")
def nearly_twice() -> object:
    return but(dollars=1.9)


@wrong("The tokens of all runs are counted.")
def tokens_of_all_runs() -> object:
    return but(spending=lambda self: self.late)


@wrong("Failed requests' tokens are left out.")
def tokens_of_answers() -> object:
    return but(spending=lambda self: [r for r in self.of(self.late, "chain") if not r["error"]])


@wrong("Half of no tokens is a spike.")
def half_of_nothing() -> object:
    def cost(self: ByRow) -> Any:
        double = self.now["dollars"] >= 2 * self.before["dollars"]
        tokens = {row["tokens"] for row in self.spending()}
        return (
            ("cost spike by one customer", "C-2") if double and tokens == {0} else ByRow.cost(self)
        )

    return but(cost=cost)


@wrong("An address of letters alone.")
def letters_alone() -> object:
    return but(address=re.compile(r"\w+\.example\b"))


@wrong("An address without an underscore.")
def no_underscore() -> object:
    return but(address=re.compile(r"[a-zA-Z0-9-]+\.example\b"))


@wrong("An address that goes on.")
def no_end_of_address() -> object:
    return but(address=re.compile(r"[\w-]+\.example"))


@wrong("An address with what stands before its first dot.")
def whole_address() -> object:
    return but(address=re.compile(r"[\w.-]+\.example\b"))


@wrong("Capitals are ignored.")
def ignores_capitals() -> object:
    return but(
        found=lambda self, row: set(ADDRESS.findall(row["answer"].lower())),
        known=lambda self: {a for r in self.early for a in ADDRESS.findall(r["answer"].lower())},
    )


@wrong("Failed requests' answers are left out.")
def answers_without_error() -> object:
    return but(found=lambda self, row: set() if row["error"] else ByRow.found(self, row))


@wrong("Guests' answers are left out.")
def customers_answers() -> object:
    return but(found=lambda self, row: ByRow.found(self, row) if row["customer"] else set())


@wrong("The first new address by name.")
def first_by_name() -> object:
    return but(chosen=lambda self, counts: min(a for a in counts if counts[a] >= 3))


@wrong("The first new address by time.")
def first_by_time() -> object:
    return but(chosen=lambda self, counts: next(iter(counts)))


def searched(place: slice) -> object:
    """Of each request's first documents, a part counts."""

    def documents(self: ByRow, of: set[str]) -> Counter[str]:
        found = defaultdict(list)
        for row in self.late:
            if row["parent_run_id"] in of and row["documents"]:
                found[row["parent_run_id"]].append(row["documents"][0])
        return Counter(one for those in found.values() for one in those[place])

    return but(documents=documents)


@wrong("A request's first search counts.")
def first_search() -> object:
    return searched(slice(0, 1))


@wrong("A request's last search counts.")
def last_search() -> object:
    return searched(slice(-1, None))


@wrong("A document counts once for a request.")
def once_a_request() -> object:
    def documents(self: ByRow, of: set[str]) -> Counter[str]:
        rows = [row for row in self.late if row["parent_run_id"] in of and row["documents"]]
        pairs = dict.fromkeys((row["parent_run_id"], row["documents"][0]) for row in rows)
        return Counter(document for _, document in pairs)

    return but(documents=documents)


@wrong("The requests in the order in which they ended.")
def order_of_ends() -> object:
    def in_order(self: ByRow) -> list[Any]:
        return sorted(ByRow.in_order(self), key=lambda row: row["end_time"])

    return but(in_order=in_order)


@wrong("The last run of any type.")
def last_of_any_type() -> object:
    return but(in_order=lambda self: self.early + self.late)


@wrong("The first tool whose rise is enough.")
def first_tool() -> object:
    return but(
        worst=lambda self, rises: next((n for n in rises if rises[n] >= 0.25), next(iter(rises)))
    )


@wrong("The tool with the largest share, and not with the largest rise.")
def largest_share() -> object:
    def worst(self: ByRow, rises: dict[str, float]) -> str:
        shares = self.shares(self.of(self.late, "tool"), "name")
        enough = [name for name in rises if rises[name] >= 0.25] or list(rises)
        return max(enough, key=lambda name: shares[name])

    return but(worst=worst)


@wrong("It shortens the lists of documents.")
def changes_the_lists() -> object:
    def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> Any:
        for documents in runs["documents"]:
            del documents[1:]
        return ByRow()(metrics, runs)

    return diagnose


@wrong("It leaves a note in the frame.")
def leaves_a_note() -> object:
    def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> Any:
        runs.attrs["seen"] = True
        return ByRow()(metrics, runs)

    return diagnose


class Found(NamedTuple):
    """A cause and its subject."""

    cause: str
    subject: str


@right("A named tuple.")
def a_named_tuple() -> object:
    return lambda metrics, runs: Found(*ByRow()(metrics, runs))


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
