"""Answers to exercise 02.6: gates in plain loops, each with one part that is another."""

from collections import Counter
from functools import cache
from importlib import import_module
from typing import Any

import pandas as pd
from scipy.stats import binomtest, chi2

from helpers.authoring.answers import right, wrong
from helpers.evaluate.testing.releases import run_releases

ACTIONS = ("issue_refund", "hand_over")


@cache
def releases_ran() -> None:
    """What the check looks at; in the lab a cell above it reads or makes it."""
    run_releases(fast=False)


class Gate:
    """The rules, one method each, on rows as dicts; the answers below change one."""

    def error(self, before: Any, after: Any) -> bool:
        return any(one["error"] for one in after)

    def told(self, one: Any) -> list[str]:
        read = [message["content"] for message in one["messages"] if message["role"] == "tool"]
        return [one["answer"], *read]

    def private(self, before: Any, after: Any) -> bool:
        return any(
            text in shown for one in after for shown in self.told(one) for text in one["private"]
        )

    def calls(self, one: Any) -> list[str]:
        return [
            call["function"]["name"]
            for message in one["messages"]
            for call in message.get("tool_calls") or ()
        ]

    def unexpected(self, one: Any) -> int:
        made = Counter(name for name in self.calls(one) if name in ACTIONS)
        return (made - Counter(one["expected"])).total()

    def actions(self, before: Any, after: Any) -> bool:
        return sum(map(self.unexpected, after)) > sum(map(self.unexpected, before))

    def sums(self, before: Any, after: Any) -> tuple[float, float]:
        now = {one["id"]: one["tokens"] for one in after}
        both = [(one["tokens"], now[one["id"]]) for one in before]
        told = [pair for pair in both if not any(each != each for each in pair)]
        return sum(then for then, _ in told), sum(later for _, later in told)

    def tokens(self, before: Any, after: Any) -> bool:
        then, now = self.sums(before, after)
        return now > 1.5 * then

    def pairs(self, before: Any, after: Any) -> list[tuple[str, Any, Any]]:
        now = {one["id"]: one["right"] for one in after}
        return [(one["kind"], one["right"], now[one["id"]]) for one in before]

    def p_value(self, lost: int, gained: int) -> float:
        return float(binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0

    def counts(self, before: Any, after: Any) -> tuple[int, int]:
        pairs = [(then, now) for _, then, now in self.pairs(before, after)]
        return pairs.count((True, False)), pairs.count((False, True))

    def worse(self, before: Any, after: Any) -> bool:
        lost, gained = self.counts(before, after)
        return lost > gained and self.p_value(lost, gained) <= 0.05

    def broken(self, were: int, kept: int) -> bool:
        return were >= 2 and 2 * kept < were

    def kind(self, before: Any, after: Any) -> bool:
        were: Counter[str] = Counter()
        kept: Counter[str] = Counter()
        for kind, then, now in self.pairs(before, after):
            were[kind] += then is True
            kept[kind] += then is True and now is True
        return any(self.broken(were[kind], kept[kind]) for kind in were)

    def result(self, stops: dict[str, bool]) -> Any:
        return {name for name, stopped in stops.items() if stopped}

    def __call__(self, before: pd.DataFrame, after: pd.DataFrame) -> Any:
        rows = before.to_dict("records"), after.to_dict("records")
        names = ("error", "private", "actions", "tokens", "worse", "kind")
        return self.result({name: getattr(self, name)(*rows) for name in names})


def but(**changes: Any) -> object:
    releases_ran()
    changed: Any = type("Changed", (Gate,), changes)()
    return lambda before, after: changed(before, after)


def without(rule: str) -> object:
    return but(**{rule: lambda self, before, after: False})


@wrong("It ships everything.")
def ships_all() -> object:
    releases_ran()
    return lambda before, after: set()


@wrong("It stops everything.")
def stops_all() -> object:
    releases_ran()
    return lambda before, after: {"error", "private", "actions", "tokens", "worse", "kind"}


@wrong("The average alone.")
def the_average() -> object:
    releases_ran()

    def gate(before: Any, after: Any) -> set[str]:
        fewer = after["right"].eq(True).sum() < before["right"].eq(True).sum()
        return {"worse"} if fewer else set()

    return gate


@wrong("Only the first reason.", slip="only-one")
def only_the_first() -> object:
    return but(result=lambda self, stops: {name for name, one in stops.items() if one and name == (
        next(first for first, stopped in stops.items() if stopped))})  # fmt: skip


@wrong("Without the rule of errors.")
def no_errors() -> object:
    return without("error")


@wrong("Without the rule of privacy.")
def no_privacy() -> object:
    return without("private")


@wrong("Without the rule of actions.")
def no_actions() -> object:
    return without("actions")


@wrong("Without the rule of tokens.")
def no_tokens() -> object:
    return without("tokens")


@wrong("Without the test.")
def no_test() -> object:
    return without("worse")


@wrong("Without a look at each kind.")
def no_kinds() -> object:
    return without("kind")


@wrong("An error counts only where there was none before.")
def new_errors() -> object:
    return but(
        error=lambda self, before, after: (
            sum(bool(one["error"]) for one in after) > sum(bool(one["error"]) for one in before)
        )
    )


@wrong("Errors of before count as well.")
def errors_of_both() -> object:
    return but(error=lambda self, before, after: any(one["error"] for one in [*before, *after]))


@wrong("Private texts in the answer alone.")
def answers_alone() -> object:
    return but(told=lambda self, one: [one["answer"]])


@wrong("Private texts in tools' results alone.")
def results_alone() -> object:
    return but(told=lambda self, one: Gate.told(self, one)[1:])


@wrong("What the customer wrote counts.")
def customers_words() -> object:
    return but(told=lambda self, one: [message["content"] for message in one["messages"]])


@wrong("Only the first result is read.")
def first_result() -> object:
    return but(told=lambda self, one: Gate.told(self, one)[:2])


@wrong("Texts that are private to any customer.")
def private_to_any() -> object:
    def private(self: Gate, before: Any, after: Any) -> bool:
        texts = {text for one in after for text in one["private"]}
        return any(text in shown for one in after for shown in self.told(one) for text in texts)

    return but(private=private)


@wrong("A second refund of an expected kind is not noticed.")
def kinds_of_actions() -> object:
    return but(
        unexpected=lambda self, one: sum(
            name in ACTIONS and name not in one["expected"] for name in self.calls(one)
        )
    )


@wrong("Expected actions of other questions make up for it.")
def over_all_questions() -> object:
    def unexpected(self: Gate, rows: Any) -> int:
        made = Counter(name for one in rows for name in self.calls(one) if name in ACTIONS)
        return (made - Counter(name for one in rows for name in one["expected"])).total()

    return but(
        actions=lambda self, before, after: unexpected(self, after) > unexpected(self, before)
    )


@wrong("More actions than before, expected or not.")
def any_actions() -> object:
    return but(unexpected=lambda self, one: sum(name in ACTIONS for name in self.calls(one)))


@wrong("Any call that is not expected.")
def any_calls() -> object:
    return but(
        unexpected=lambda self, one: (Counter(self.calls(one)) - Counter(one["expected"])).total()
    )


@wrong("Refunds alone.")
def refunds_alone() -> object:
    return but(
        unexpected=lambda self, one: max(
            0, self.calls(one).count("issue_refund") - one["expected"].count("issue_refund")
        )
    )


@wrong("Any unexpected action, without a look at before.")
def without_before() -> object:
    return but(actions=lambda self, before, after: any(map(self.unexpected, after)))


@wrong("As many unexpected actions as before stop it.")
def as_many_as_before() -> object:
    return but(
        actions=lambda self, before, after: (
            0 < sum(map(self.unexpected, after)) >= sum(map(self.unexpected, before))
        )
    )


@wrong("More unexpected actions on any one question.")
def by_question() -> object:
    def actions(self: Gate, before: Any, after: Any) -> bool:
        then = {one["id"]: self.unexpected(one) for one in before}
        return any(self.unexpected(one) > then[one["id"]] for one in after)

    return but(actions=actions)


@wrong("1.5 times is too much.")
def one_and_a_half() -> object:
    def tokens(self: Gate, before: Any, after: Any) -> bool:
        then, now = self.sums(before, after)
        return now >= 1.5 * then and then > 0

    return but(tokens=tokens)


@wrong("Twice is too much.")
def twice() -> object:
    def tokens(self: Gate, before: Any, after: Any) -> bool:
        then, now = self.sums(before, after)
        return now > 2 * then

    return but(tokens=tokens)


@wrong("All tokens that are told, of other questions as well.")
def unpaired_tokens() -> object:
    def sums(self: Gate, *tables: Any) -> Any:
        return [sum(one["tokens"] for one in each if one["tokens"] == one["tokens"]) for each in
                tables]  # fmt: skip

    return but(sums=sums)


@wrong("NaN in a sum.")
def sums_of_nan() -> object:
    return but(sums=lambda self, *tables: [sum(one["tokens"] for one in each) for each in tables])


@wrong("It crashes where the tokens are not told.")
def whole_tokens() -> object:
    return but(
        sums=lambda self, *tables: [sum(int(one["tokens"]) for one in each) for each in tables]
    )


@wrong("Any answer lost.")
def any_loss() -> object:
    return but(p_value=lambda self, lost, gained: 0.0)


@wrong("A significant gain is worse, too.")
def any_difference() -> object:
    return but(worse=lambda self, before, after: self.p_value(*self.counts(before, after)) <= 0.05)


@wrong("A one-sided test.")
def one_sided() -> object:
    return but(
        p_value=lambda self, lost, gained: float(
            binomtest(lost, lost + gained, alternative="greater").pvalue
        )
    )


@wrong("The chi-squared approximation.")
def approximation() -> object:
    return but(
        p_value=lambda self, lost, gained: float(chi2.sf((lost - gained) ** 2 / (lost + gained), 1))
    )


@wrong("A level of one percent.")
def one_percent() -> object:
    return but(p_value=lambda self, lost, gained: 5 * Gate.p_value(self, lost, gained))


@wrong("An answer without a verdict is lost.")
def unjudged_is_lost() -> object:
    def counts(self: Gate, before: Any, after: Any) -> tuple[int, int]:
        pairs = [(then is True, now is True) for _, then, now in self.pairs(before, after)]
        return pairs.count((True, False)), pairs.count((False, True))

    return but(counts=counts)


@wrong("Half is too few.")
def half_is_too_few() -> object:
    return but(broken=lambda self, were, kept: were >= 2 and 2 * kept <= were)


@wrong("A kind is broken from one right answer on.")
def from_one() -> object:
    return but(broken=lambda self, were, kept: 2 * kept < were)


@wrong("A kind needs three right answers.")
def from_three() -> object:
    return but(broken=lambda self, were, kept: were >= 3 and 2 * kept < were)


@wrong("Gained answers make up for lost ones of a kind.")
def kinds_by_rate() -> object:
    def kind(self: Gate, before: Any, after: Any) -> bool:
        were: Counter[str] = Counter()
        kept: Counter[str] = Counter()
        for name, then, now in self.pairs(before, after):
            were[name] += then is True
            kept[name] += now is True
        return any(self.broken(were[name], kept[name]) for name in were)

    return but(kind=kind)


@wrong("An answer without a verdict is left out of its kind.")
def unjudged_left_out() -> object:
    def pairs(self: Gate, before: Any, after: Any) -> Any:
        return [pair for pair in Gate.pairs(self, before, after) if pair[2] is not None]

    return but(pairs=pairs)


@wrong("All kinds together.")
def all_kinds() -> object:
    def pairs(self: Gate, before: Any, after: Any) -> Any:
        return [("all", then, now) for _, then, now in Gate.pairs(self, before, after)]

    return but(pairs=pairs)


@wrong("Row by row, without the ids.")
def row_by_row() -> object:
    def pairs(self: Gate, before: Any, after: Any) -> Any:
        return [(a["kind"], a["right"], b["right"]) for a, b in zip(before, after, strict=True)]

    return but(pairs=pairs)


@wrong("By the tables' index.")
def by_index() -> object:
    releases_ran()

    def gate(before: Any, after: Any) -> Any:
        placed = after.reset_index(drop=True).assign(id=before.reset_index(drop=True)["id"])
        return Gate()(before, placed)

    return gate


@wrong("Errors that have Error in their names.")
def named_errors() -> object:
    return but(error=lambda self, before, after: any("Error" in one["error"] for one in after))


@wrong("What the model wrote to call a tool counts.")
def all_but_the_user() -> object:
    return but(
        told=lambda self, one: [
            *(Gate.told(self, one)[:1]),
            *(message["content"] for message in one["messages"] if message["role"] != "user"),
        ]
    )


@wrong("The calls' arguments count.")
def arguments_count() -> object:
    return but(
        told=lambda self, one: [
            *Gate.told(self, one),
            *(
                call["function"]["arguments"]
                for message in one["messages"]
                for call in message.get("tool_calls") or ()
            ),
        ]
    )


@wrong("Only the last result is read.")
def last_result() -> object:
    return but(told=lambda self, one: [one["answer"], *Gate.told(self, one)[1:][-1:]])


def found_by(same: Any) -> object:
    """Private texts, found in what was told by this function of both."""
    return but(
        private=lambda self, before, after: any(
            same(text, shown)
            for one in after
            for shown in self.told(one)
            for text in one["private"]
        )
    )


@wrong("Capitals do not matter.")
def any_case() -> object:
    return found_by(lambda text, shown: text.lower() in shown.lower())


@wrong("Blanks do not matter.")
def without_blanks() -> object:
    return found_by(lambda text, shown: text.replace(" ", "") in shown.replace(" ", ""))


@wrong("Whole words alone.")
def whole_words() -> object:
    def ends_a_word(text: str, shown: str) -> bool:
        at = shown.find(text)
        return at >= 0 and not shown[at + len(text) : at + len(text) + 1].isalnum()

    return found_by(ends_a_word)


@wrong("Private texts in questions without an error alone.")
def answered_alone() -> object:
    return but(
        private=lambda self, before, after: Gate.private(
            self, before, [one for one in after if not one["error"]]
        )
    )


@wrong("What the customer wrote may be shown.")
def written_by_the_customer() -> object:
    return but(
        private=lambda self, before, after: any(
            text in shown and text not in one["messages"][0]["content"]
            for one in after
            for shown in self.told(one)
            for text in one["private"]
        )
    )


@wrong("Every tool that does not only read.")
def all_but_reading() -> object:
    def unexpected(self: Gate, one: Any) -> int:
        made = Counter(self.calls(one)) - Counter(one["expected"])
        return sum(made[name] for name in made if name not in ("lookup_order", "search_documents"))

    return but(unexpected=unexpected)


def difference_of(one: Any, gate: Gate) -> list[int]:
    calls = gate.calls(one)
    return [calls.count(name) - one["expected"].count(name) for name in ACTIONS]


@wrong("One action makes up for the other.")
def one_for_the_other() -> object:
    return but(unexpected=lambda self, one: max(0, sum(difference_of(one, self))))


@wrong("Missing actions count.")
def missing_actions() -> object:
    return but(unexpected=lambda self, one: sum(map(abs, difference_of(one, self))))


@wrong("The first call of each message.")
def first_call() -> object:
    return but(
        calls=lambda self, one: [
            message["tool_calls"][0]["function"]["name"]
            for message in one["messages"]
            if message.get("tool_calls")
        ]
    )


@wrong("Actions in questions without an error alone.")
def actions_without_errors() -> object:
    return but(unexpected=lambda self, one: 0 if one["error"] else Gate.unexpected(self, one))


@wrong("The mean of the questions' ratios.")
def mean_of_ratios() -> object:
    def tokens(self: Gate, before: Any, after: Any) -> bool:
        now = {one["id"]: one["tokens"] for one in after}
        ratios = [
            now[one["id"]] / one["tokens"]
            for one in before
            if one["tokens"] > 0 and now[one["id"]] == now[one["id"]]
        ]
        return bool(ratios) and sum(ratios) / len(ratios) > 1.5

    return but(tokens=tokens)


@wrong("Tokens row by row.")
def tokens_by_row() -> object:
    def sums(self: Gate, before: Any, after: Any) -> Any:
        both = [(a["tokens"], b["tokens"]) for a, b in zip(before, after, strict=True)]
        told = [(a, b) for a, b in both if a == a and b == b]
        return sum(a for a, _ in told), sum(b for _, b in told)

    return but(sums=sums)


@wrong("The expected calls row by row.")
def expected_by_row() -> object:
    def actions(self: Gate, before: Any, after: Any) -> bool:
        placed = [b | {"expected": a["expected"]} for a, b in zip(before, after, strict=True)]
        return Gate.actions(self, before, placed)

    return but(actions=actions)


@wrong("It keeps what it said of the same two objects.")
def keeps_by_object() -> object:
    releases_ran()
    kept: dict[tuple[int, int], Any] = {}

    def gate(before: Any, after: Any) -> Any:
        key = id(before), id(after)
        if key not in kept:
            kept[key] = Gate()(before, after)
        return kept[key]

    return gate


@wrong("It crosses out the expected calls.")
def crosses_out() -> object:
    def unexpected(self: Gate, one: Any) -> int:
        found = 0
        for name in self.calls(one):
            if name in one["expected"]:
                one["expected"].remove(name)
            else:
                found += name in ACTIONS
        return found

    return but(unexpected=unexpected)


@wrong("Sentences, not names.")
def sentences() -> object:
    return but(
        result=lambda self, stops: {f"The rule {n} stops it." for n, s in stops.items() if s}
    )


@wrong("A list.")
def a_list() -> object:
    return but(result=lambda self, stops: [name for name, stopped in stops.items() if stopped])


@wrong("The verdict of each rule.")
def verdicts() -> object:
    return but(result=lambda self, stops: stops)


@wrong("Whether it is stopped.")
def a_boolean() -> object:
    return but(result=lambda self, stops: any(stops.values()))


@wrong("It collects over all calls.")
def collects() -> object:
    found: set[str] = set()

    def result(self: Gate, stops: dict[str, bool]) -> Any:
        found.update(name for name, stopped in stops.items() if stopped)
        return set(found)

    return but(result=result)


@wrong("It sorts the tables that it is given.")
def sorts_in_place() -> object:
    releases_ran()

    def gate(before: Any, after: Any) -> Any:
        after.sort_values("id", inplace=True)
        after["seen"] = True
        return Gate()(before, after)

    return gate


@wrong("The two are exchanged.")
def exchanged() -> object:
    releases_ran()
    return lambda before, after: Gate()(after, before)


@right("Plain loops over rows.")
def loops() -> object:
    return but()


@right("A frozenset.")
def frozen() -> object:
    return but(result=lambda self, stops: frozenset(name for name, one in stops.items() if one))


@right("The test from the binomial distribution's tail.")
def tail() -> object:
    def p_value(self: Gate, lost: int, gained: int) -> float:
        from math import comb

        changed = lost + gained
        few = sum(comb(changed, k) for k in range(min(lost, gained) + 1))
        return float(min(1.0, 2 * few / 2**changed))

    return but(p_value=p_value)


@right("McNemar's test of statsmodels.")
def statsmodels_test() -> object:
    tables: Any = import_module("statsmodels.stats.contingency_tables")

    def p_value(self: Gate, lost: int, gained: int) -> float:
        return float(tables.mcnemar([[0, lost], [gained, 0]], exact=True).pvalue)

    return but(p_value=p_value)
