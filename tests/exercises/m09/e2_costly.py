"""Answers to exercise 09.2, each a right one with a part that is another."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import mean
from typing import Any, NamedTuple

import pandas as pd

from helpers.authoring.answers import right, wrong
from helpers.tracing.testing import lab_client


class Parts:
    """The steps, one method each; the answers below change one."""

    def requests(self, client: Any, project: str) -> list[Any]:
        return list(client.list_runs(project_name=project, is_root=True))

    def priced(self, runs: Any) -> list[Any]:
        return [run for run in runs if run.total_cost is not None]

    def cost(self, run: Any) -> Any:
        return float(run.total_cost)

    def groups(self, runs: Any, keys: Any) -> Any:
        found = defaultdict(list)
        for run in runs:
            for key in keys:
                if key in run.metadata:
                    found[key, run.metadata[key]].append(self.cost(run))
        return found

    def whole(self, runs: Any, groups: Any) -> Any:
        return sum(self.cost(run) for run in runs)

    def count(self, runs: Any, groups: Any) -> int:
        return len(runs)

    def excess(self, costs: Any, whole: Any, count: int) -> Any:
        return sum(costs) / whole - len(costs) / count

    def order(self, keys: Any, group: Any, excess: Any) -> Any:
        return (-round(excess, 9), keys.index(group[0]), group[1])

    def share(self, costs: Any, whole: Any, count: int) -> Any:
        return sum(costs) / whole

    def unpriced(self, requests: Any, priced: Any) -> Any:
        return len(requests) - len(priced)

    def stop(self, project: str) -> Any:
        raise ValueError(f"There is nothing to find in {project}.")

    def __call__(self, client: Any, project: str, keys: Any) -> Any:
        requests = self.requests(client, project)
        priced = self.priced(requests)
        groups = self.groups(priced, keys)
        whole, count = self.whole(priced, groups), self.count(priced, groups)
        if not groups or whole == 0:
            return self.stop(project)
        key, value = min(
            groups,
            key=lambda one: self.order(keys, one, self.excess(groups[one], whole, count)),
        )
        share = self.share(groups[key, value], whole, count)
        return key, value, share, self.unpriced(requests, priced)


def but(**changes: Any) -> object:
    changed: Any = type("Changed", (Parts,), changes)()

    def costly_group(client: Any, project: str, keys: Any) -> Any:
        return changed(client, project, keys)

    return costly_group


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda client, project, keys: None


@wrong("What the statement shows, for any project.")
def constant() -> object:
    return lambda client, project, keys: ("channel", "email", 0.5, 0)


@wrong("The largest sum names a frequent value.", slip="sum")
def largest_sum() -> object:
    return but(excess=lambda self, costs, whole, count: sum(costs) / whole)


@wrong("The largest mean names a single request.", slip="mean")
def largest_mean() -> object:
    return but(excess=lambda self, costs, whole, count: mean(costs))


@wrong("Share of the cost over share of the requests: a ratio, not a difference.")
def ratio() -> object:
    return but(excess=lambda self, costs, whole, count: sum(costs) / whole / len(costs) * count)


@wrong("The excess comes back in place of the share.", slip="excess-returned")
def excess_returned() -> object:
    return but(share=Parts.excess)


@wrong("The share in percent.")
def percent() -> object:
    return but(share=lambda self, costs, whole, count: 100 * sum(costs) / whole)


@wrong("The share of the requests in place of that of the cost.")
def share_of_requests() -> object:
    return but(share=lambda self, costs, whole, count: len(costs) / count)


@wrong("The cost in dollars.")
def dollars() -> object:
    return but(share=lambda self, costs, whole, count: sum(costs))


@wrong("No price is a cost of 0, and counts as a request.")
def unpriced_as_zero() -> object:
    return but(
        priced=lambda self, runs: runs,
        cost=lambda self, run: float(run.total_cost or 0),
        unpriced=lambda self, runs, priced: sum(run.total_cost is None for run in runs),
    )


@wrong("A request without a price is added up.", slip="none")
def none_added() -> object:
    return but(priced=lambda self, runs: runs)


@wrong("All requests are in the share of the requests, also the unpriced ones.")
def share_of_all() -> object:
    def steps(self: Any, client: Any, project: str, keys: Any) -> Any:
        self.all = len(self.requests(client, project))
        return Parts.__call__(self, client, project, keys)

    return but(__call__=steps, count=lambda self, runs, groups: self.all)


@wrong("A cost of 0 is taken for no price.", slip="free-unpriced")
def free_is_unpriced() -> object:
    return but(priced=lambda self, runs: [run for run in runs if run.total_cost])


@wrong("All runs count, so that each model call counts twice.", slip="all-runs")
def all_runs() -> object:
    return but(requests=lambda self, client, project: list(client.list_runs(project_name=project)))


@wrong("The runs below the requests.")
def runs_below() -> object:
    def requests(self: Parts, client: Any, project: str) -> Any:
        return list(client.list_runs(project_name=project, is_root=False))

    return but(requests=requests)


@wrong("Only the first hundred requests.")
def first_page() -> object:
    return but(
        requests=lambda self, client, project: list(
            client.list_runs(project_name=project, is_root=True, limit=100)
        )
    )


@wrong("Unpriced requests are not counted.", slip="not-counted")
def none_unpriced() -> object:
    return but(unpriced=lambda self, requests, priced: 0)


@wrong("The last figure counts the priced ones.")
def priced_counted() -> object:
    return but(unpriced=lambda self, requests, priced: len(priced))


@wrong("It fails where a key is missing.", slip="no-key")
def key_error() -> object:
    def groups(self: Parts, runs: Any, keys: Any) -> Any:
        found = defaultdict(list)
        for run in runs:
            for key in keys:
                found[key, run.metadata[key]].append(self.cost(run))
        return found

    return but(groups=groups)


@wrong("Requests without the key are a group of their own.")
def none_is_a_group() -> object:
    def groups(self: Parts, runs: Any, keys: Any) -> Any:
        found = defaultdict(list)
        for run in runs:
            for key in keys:
                found[key, run.metadata.get(key, "")].append(self.cost(run))
        return found

    return but(groups=groups)


@wrong("Shares of the requests that have a key.", slip="shares-of-key")
def shares_of_groups() -> object:
    return but(
        whole=lambda self, runs, groups: sum(map(sum, groups.values())),
        count=lambda self, runs, groups: sum(map(len, groups.values())),
    )


@wrong("All keys of the metadata count, not those that are asked for.")
def all_keys() -> object:
    def groups(self: Parts, runs: Any, keys: Any) -> Any:
        found = defaultdict(list)
        for run in runs:
            for key, value in run.metadata.items():
                found[key, value].append(self.cost(run))
        return found

    return but(groups=groups, order=lambda self, keys, group, excess: (-round(excess, 9), *group))


@wrong("Only the first key is looked at.")
def first_key() -> object:
    return but(groups=lambda self, runs, keys: Parts.groups(self, runs, keys[:1]))


@wrong("Groups are joined where two keys have the same value.")
def joined() -> object:
    def groups(self: Parts, runs: Any, keys: Any) -> Any:
        found: Any = {}
        for (key, value), costs in Parts.groups(self, runs, keys).items():
            first = next((one for one in found if one[1] == value), (key, value))
            found.setdefault(first, []).extend(costs)
        return found

    return but(groups=groups)


@wrong("Of groups alike, whichever came first.")
def first_of_equals() -> object:
    return but(order=lambda self, keys, group, excess: -round(excess, 9))


@wrong("Of groups alike, keys by alphabet.")
def keys_by_alphabet() -> object:
    return but(order=lambda self, keys, group, excess: (-round(excess, 9), *group))


@wrong("Of groups alike, the last value.")
def last_value() -> object:
    def order(self: Parts, keys: Any, group: Any, excess: Any) -> Any:
        letters = tuple(-ord(letter) for letter in group[1])
        return (-round(excess, 9), keys.index(group[0]), letters)

    return but(order=order)


@wrong("No rounding: the twelfth digit decides.")
def not_rounded() -> object:
    return but(order=lambda self, keys, group, excess: (-excess, keys.index(group[0]), group[1]))


@wrong("Rounded to four digits.")
def rounded_too_much() -> object:
    return but(
        order=lambda self, keys, group, excess: (
            -round(excess, 4),
            keys.index(group[0]),
            group[1],
        )
    )


@wrong("A negative excess is none.")
def only_above_zero() -> object:
    def excess(self: Parts, costs: Any, whole: Any, count: int) -> Any:
        return max(0.0, Parts.excess(self, costs, whole, count))

    return but(excess=excess)


@wrong("The smallest excess.")
def smallest() -> object:
    return but(
        order=lambda self, keys, group, excess: (round(excess, 9), keys.index(group[0]), group[1])
    )


@wrong("None where there is nothing to find.")
def none_for_nothing() -> object:
    return but(stop=lambda self, project: None)


@wrong("An error that does not name the project.")
def unnamed() -> object:
    def stop(self: Parts, project: str) -> Any:
        raise ValueError("nothing to find")

    return but(stop=stop)


@wrong("A division by zero where all requests are free.")
def divides() -> object:
    def steps(self: Any, client: Any, project: str, keys: Any) -> Any:
        runs = self.priced(self.requests(client, project))
        if runs and not sum(self.cost(run) for run in runs):
            raise ZeroDivisionError(project)
        return Parts.__call__(self, client, project, keys)

    return but(__call__=steps)


@wrong("The keys are sorted in place.")
def sorts_the_keys() -> object:
    def steps(self: Any, client: Any, project: str, keys: Any) -> Any:
        order = list(keys)
        keys.sort()
        return Parts.__call__(self, client, project, order)

    return but(__call__=steps)


@wrong("The result of the first project, for all.")
def remembers() -> object:
    kept: list[Any] = []

    def steps(self: Any, *arguments: Any) -> Any:
        if not kept:
            kept.append(Parts.__call__(self, *arguments))
        return kept[0]

    return but(__call__=steps)


@wrong("Another client than the one that is handed in.")
def other_client() -> object:
    def requests(self: Parts, client: Any, project: str) -> Any:
        return Parts.requests(self, lab_client(), project)

    return but(requests=requests)


@wrong("A list comes back.")
def a_list() -> object:
    return but(__call__=lambda self, *arguments: list(Parts.__call__(self, *arguments)))


def with_requests(keep: Any) -> object:
    def requests(self: Parts, client: Any, project: str) -> Any:
        return [run for run in Parts.requests(self, client, project) if keep(run)]

    return but(requests=requests)


def with_groups(values: Any) -> object:
    """`values(run, key)` gives what a request has under a key, or nothing."""

    def groups(self: Parts, runs: Any, keys: Any) -> Any:
        found = defaultdict(list)
        for run in runs:
            for key in keys:
                for value in values(run, key):
                    found[key, value].append(self.cost(run))
        return found

    return but(groups=groups)


def with_order(rest: Any) -> object:
    """`rest(value)` decides between groups of the same excess and key."""

    def order(self: Parts, keys: Any, group: Any, excess: Any) -> Any:
        return (-round(excess, 9), keys.index(group[0]), rest(group[1]))

    return but(order=order)


@wrong("Requests that failed are left out.")
def without_errors() -> object:
    return with_requests(lambda run: run.error is None)


@wrong("Only requests that are chains.")
def chains_only() -> object:
    return with_requests(lambda run: run.run_type == "chain")


@wrong("Only requests of the last 24 hours.")
def last_day() -> object:
    since = datetime.now() - timedelta(days=1)
    return with_requests(lambda run: run.start_time.replace(tzinfo=None) > since)


@wrong("Only the first 150 requests.")
def page_and_a_half() -> object:
    return but(requests=lambda self, *where: Parts.requests(self, *where)[:150])


@wrong("Unpriced requests count only where they have one of the keys.")
def unpriced_with_a_key() -> object:
    def steps(self: Any, client: Any, project: str, keys: Any) -> Any:
        *found, _ = Parts.__call__(self, client, project, keys)
        unpriced = [run for run in self.requests(client, project) if run.total_cost is None]
        return *found, sum(any(key in run.metadata for key in keys) for run in unpriced)

    return but(__call__=steps)


@wrong("Free requests do not count in the size of their group.")
def free_left_out() -> object:
    def excess(self: Parts, costs: Any, whole: Any, count: int) -> Any:
        return Parts.excess(self, [cost for cost in costs if cost], whole, count)

    return but(excess=excess)


@wrong("One priced request is not enough.")
def more_than_one() -> object:
    def groups(self: Parts, runs: Any, keys: Any) -> Any:
        return Parts.groups(self, runs, keys) if len(runs) > 1 else {}

    return but(groups=groups)


@wrong("An empty value is none.")
def empty_skipped() -> object:
    return with_groups(lambda run, key: filter(None, [run.metadata.get(key)]))


@wrong("A value that says none is none.")
def none_skipped() -> object:
    return with_groups(lambda run, key: {run.metadata.get(key)} - {None, "none"})


@wrong("A value that says unknown is none.")
def unknown_skipped() -> object:
    return with_groups(lambda run, key: {run.metadata.get(key)} - {None, "unknown"})


@wrong("Capital letters of a key do not count.")
def key_case() -> object:
    return with_groups(
        lambda run, key: [v for own, v in run.metadata.items() if own.lower() == key.lower()][:1]
    )


@wrong("A key is found by how it begins.")
def key_prefix() -> object:
    return with_groups(
        lambda run, key: [v for own, v in run.metadata.items() if own.startswith(key)][:1]
    )


@wrong("Values without white space at their ends.")
def values_stripped() -> object:
    return with_groups(lambda run, key: [run.metadata[key].strip()] if key in run.metadata else [])


@wrong("Values in small letters, which joins groups.")
def values_lower() -> object:
    def values(run: Any, key: str) -> Any:
        text = run.metadata.get(key)
        return [] if text is None else ["x" if text == "X" else text]

    return with_groups(values)


@wrong("Keys are looked up in the inputs as well.")
def inputs_too() -> object:
    def values(run: Any, key: str) -> Any:
        both = {**run.metadata, **run.inputs}
        return [both[key]] if key in both else []

    return with_groups(values)


@wrong("Of groups alike, the smaller one.")
def smaller_group() -> object:
    return by_size(1)


@wrong("Of groups alike, the larger one.")
def larger_group() -> object:
    return by_size(-1)


def by_size(sign: int) -> object:
    def steps(self: Any, *arguments: Any) -> Any:
        self.sizes = {}
        return Parts.__call__(self, *arguments)

    def groups(self: Any, runs: Any, keys: Any) -> Any:
        found = Parts.groups(self, runs, keys)
        self.sizes = {group: sign * len(costs) for group, costs in found.items()}
        return found

    def order(self: Any, keys: Any, group: Any, excess: Any) -> Any:
        excess, place, value = Parts.order(self, keys, group, excess)
        return excess, place, self.sizes[group], value

    return but(__call__=steps, groups=groups, order=order)


@wrong("Of groups alike, the first value by alphabet, whatever its capital letters.")
def values_casefolded() -> object:
    return with_order(lambda value: (value.casefold(), value))


@wrong("Of groups alike, the shortest value.")
def shortest_value() -> object:
    return with_order(lambda value: (len(value), value))


@wrong("Of groups alike, values that are numbers as numbers.")
def values_as_numbers() -> object:
    return with_order(lambda value: (0, int(value), value) if value.isdigit() else (1, 0, value))


@right("Exact fractions of the Decimals, and another type of number.")
def exact() -> object:
    return but(cost=lambda self, run: Fraction(run.total_cost))


@right("Decimals as they come.")
def decimals() -> object:
    return but(
        cost=lambda self, run: run.total_cost,
        excess=lambda self, costs, whole, count: sum(costs) / whole - Decimal(len(costs)) / count,
    )


@right("With pandas.")
def with_pandas() -> object:
    def costly_group(client: Any, project: str, keys: Any) -> Any:
        runs = list(client.list_runs(project_name=project, is_root=True))
        rows = [
            {**{key: run.metadata.get(key) for key in keys}, "total cost": run.total_cost}
            for run in runs
        ]
        frame = pd.DataFrame(rows, columns=[*keys, "total cost"])
        priced = frame[frame["total cost"].notna()].astype({"total cost": float})
        whole = priced["total cost"].sum()
        best: list[Any] = []
        for place, key in enumerate(keys):
            for value, own in priced.groupby(key)["total cost"]:
                excess = own.sum() / whole - len(own) / len(priced)
                best.append((-round(excess, 9), place, value, own.sum() / whole))
        if not best or whole == 0:
            raise ValueError(f"{project}: nothing to find")
        _, place, value, share = min(best)
        return keys[place], value, share, int(frame["total cost"].isna().sum())

    return costly_group


@right("A named tuple, and root runs told by their parent.")
def named() -> object:
    class Found(NamedTuple):
        key: str
        value: str
        share: float
        unpriced: int

    return but(
        requests=lambda self, client, project: [
            run for run in client.list_runs(project_name=project) if run.parent_run_id is None
        ],
        __call__=lambda self, *arguments: Found(*Parts.__call__(self, *arguments)),
    )


@right("Counted with Counter, with the ends of sorted lists.")
def counters() -> object:
    def costly_group(client: Any, project: str, keys: Any) -> Any:
        costs, counts, whole, priced, unpriced = Counter[Any](), Counter[Any](), 0.0, 0, 0
        for run in client.list_runs(project_name=project, filter="eq(is_root, true)"):
            if run.total_cost is None:
                unpriced += 1
                continue
            whole += float(run.total_cost)
            priced += 1
            for key in set(keys) & run.metadata.keys():
                costs[key, run.metadata[key]] += float(run.total_cost)  # type: ignore[assignment]
                counts[key, run.metadata[key]] += 1
        if not counts or not whole:
            raise ValueError(f"in {project} there is nothing")
        ordered = sorted(counts, key=lambda one: (keys.index(one[0]), one[1]))
        best = max(ordered, key=lambda one: round(costs[one] / whole - counts[one] / priced, 9))
        return *best, costs[best] / whole, unpriced

    return costly_group
