"""What each way to answer costs, and what it is worth: the frontier of quality against cost.

The requests of a day of traffic are replayed in their order. What an agent says to a wording was
asked once and kept (`variants`); a cache in front starts empty and fills as the day goes. An
answer costs

- model: its tokens, by `helpers.models.prices` (the figure of `course eval`),
- search: 5.4 ms of CPU for each text that was embedded for it, at the same rate,
- people: the rate of a person where it was handed over, and of a wrong answer where it is wrong.

All money is Decimal dollars; intervals are floats.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from helpers.cost.alone import searchable
from helpers.cost.outcomes import Outcome, outcome
from helpers.cost.rates import Rates
from helpers.cost.tiers import SEARCH, Answers, Tier, Told, keep
from helpers.cost.variants import Answered, Variant, key_of
from helpers.evaluate.cost import cost, cost_of_right
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.proportion import Proportion
from helpers.shop import Question

EMBED_USD = Rates().search_usd(1)
"""One text embedded by the local model."""

HOSTED = "openai:gpt-5-mini"
"""The price list of the column "hosted": the tokens are counted as the local model counts them."""


@dataclass(frozen=True)
class Served:
    """One request: which tier answered, what became of it and what was spent.

    `hosted_usd` is the model's part by the hosted price list.
    """

    intent: str
    tier: Tier
    outcome: Outcome
    model_usd: Decimal
    search_usd: Decimal
    hosted_usd: Decimal

    @property
    def spent(self) -> Decimal:
        """Model and search."""
        return self.model_usd + self.search_usd


@dataclass(frozen=True)
class Row:
    """One variant over all requests. Dollars "a right answer" are None when none is right.

    The intervals are bootstraps over intents: wordings and repetitions of one are no new evidence.
    `priced` includes people and wrong answers. `dominated` names a variant that has at least as
    many right answers, at most as many wrong ones, and costs at most as much, one of them better.
    """

    name: str
    served: tuple[Served, ...]
    right: Proportion
    wrong: Proportion
    handed: Proportion
    model_usd: Decimal
    search_usd: Decimal
    a_question: Estimate | None
    a_right_answer: Estimate | None
    priced_question: Estimate | None
    priced_right_answer: Estimate | None
    hosted_usd: Decimal
    dominated: str | None = None

    @property
    def spent(self) -> Decimal:
        """Model and search, of all requests."""
        return self.model_usd + self.search_usd


@dataclass(frozen=True)
class TierRow:
    """One tier of the cascade: what it answered, and the cascade with it and without it.

    `earns` is whether the cascade with people and wrong answers priced, or, where that is equal,
    its model and search, costs less with the tier than without it.
    """

    tier: Tier
    answered: int
    right: int
    wrong: int
    spent: Decimal
    priced_with: Decimal
    priced_without: Decimal
    spent_with: Decimal
    spent_without: Decimal

    @property
    def earns(self) -> bool:
        """Whether the tier earns its place."""
        return (self.priced_with, self.spent_with) < (self.priced_without, self.spent_without)


def replay(
    variant: Variant,
    traffic: Sequence[Question],
    answers: Mapping[str, Answered],
    *,
    cache: Callable[[], Answers] | None = None,
    model: str = "local",
) -> list[Served]:
    """Serve a day of traffic with kept answers, and an empty cache in front where there is one.

    Args:
        variant: whose answers they are.
        traffic: the requests, in order.
        answers: by `key_of`.
        cache: makes an empty cache, for a variant that is cached.
        model: that answered: "local", or a hosted model as `COURSE_MODEL` names it.

    Raises:
        ValueError: the variant has a cache, and none is given.
        LookupError: a wording has no answer.
    """
    if variant.cached and cache is None:
        raise ValueError(f"{variant.name}: give `cache`, which makes an empty cache.")
    kept = cache() if variant.cached and cache else None
    served, free = [], Decimal(0)
    for question in traffic:
        asked = question.question
        mine = kept if searchable(asked) else None
        hit = mine.get(asked, customer=None, version="today") if mine else None
        if hit is not None:
            became = outcome(question, hit.answer)
            served.append(Served(question.id, "cache", became, free, free, free))
            continue
        found = answers[key_of(question)]
        served.append(_served(question, found, model))
        if mine is not None:
            calls = found.run.calls
            keep(
                mine,
                Told(found.tier, found.run.answer),
                asked,
                [call.name for call in calls],
                [call.result for call in calls if call.name == SEARCH and call.result],
                version="today",
            )
    return served


def _served(question: Question, found: Answered, model: str) -> Served:
    return Served(
        intent=question.id,
        tier=found.tier,
        outcome=outcome(question, found.run.answer),
        model_usd=_dollars(found, model),
        search_usd=EMBED_USD * found.embedded,
        hosted_usd=_dollars(found, HOSTED),
    )


def _dollars(found: Answered, model: str) -> Decimal:
    return Decimal(str(cost(found.run, model)))


def row(name: str, served: Sequence[Served], rates: Rates, *, seed: int = 0) -> Row:
    """Sum up a day. Raises ValueError for no requests."""
    if not served:
        raise ValueError("There are no requests: a cost needs at least one.")
    counts = {name: sum(one.outcome == name for one in served) for name in get_args(Outcome)}
    right = [one.outcome == "right" for one in served]

    def per(spent: Sequence[Decimal], counted: Sequence[bool]) -> Estimate | None:
        intents = [one.intent for one in served]
        return cost_of_right(_by(intents, spent), _by(intents, counted), seed=seed)

    plain = [one.spent for one in served]
    priced = [one.spent + rates.after_usd(one.outcome) for one in served]
    every = [True] * len(served)
    return Row(
        name=name,
        served=tuple(served),
        right=Proportion(counts["right"], len(served)),
        wrong=Proportion(counts["wrong"], len(served)),
        handed=Proportion(counts["handed over"], len(served)),
        model_usd=sum((one.model_usd for one in served), Decimal(0)),
        search_usd=sum((one.search_usd for one in served), Decimal(0)),
        a_question=per(plain, every),
        a_right_answer=per(plain, right),
        priced_question=per(priced, every),
        priced_right_answer=per(priced, right),
        hosted_usd=sum((one.hosted_usd for one in served), Decimal(0)),
    )


def _by(intents: Sequence[str], values: Sequence[Decimal | bool]) -> list[float]:
    """The sums of values by intent."""
    sums: dict[str, float] = defaultdict(float)
    for intent, value in zip(intents, values, strict=True):
        sums[intent] += float(value)
    return [*sums.values()]


def dominated(rows: Sequence[Row]) -> dict[str, str]:
    """The variants that another one beats, each with the cheapest that does."""
    found = {}
    for one in rows:
        better = [other for other in rows if _beats(other, one)]
        if better:
            found[one.name] = min(better, key=lambda other: other.spent).name
    return found


def _beats(other: Row, one: Row) -> bool:
    better = (
        other.right.successes - one.right.successes,
        one.wrong.successes - other.wrong.successes,
        one.spent - other.spent,
    )
    return all(one >= 0 for one in better) and any(one > 0 for one in better)


def tier_rows(cascade: Row, left_out: Mapping[Tier, Row], rates: Rates) -> list[TierRow]:
    """What each tier answers in the cascade, and what the day costs with and without it."""

    def priced(row: Row) -> Decimal:
        return sum((one.spent + rates.after_usd(one.outcome) for one in row.served), Decimal(0))

    found = []
    for tier, rest in left_out.items():
        mine = [one for one in cascade.served if one.tier == tier]
        found.append(
            TierRow(
                tier=tier,
                answered=len(mine),
                right=sum(one.outcome == "right" for one in mine),
                wrong=sum(one.outcome == "wrong" for one in mine),
                spent=sum((one.spent for one in mine), Decimal(0)),
                priced_with=priced(cascade),
                priced_without=priced(rest),
                spent_with=cascade.spent,
                spent_without=rest.spent,
            )
        )
    return found
