"""What an answer costs beyond the model's tokens, and what a right answer costs altogether.

A question that goes to a person costs the person's time, and a wrong answer costs a refund, a
complaint or a customer. Both are stated rates; put your own in.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal

from helpers.cost.prices import CPU_HOUR_USD
from helpers.evaluate.cost import cost_of_right
from helpers.evaluate.estimate import Estimate

Outcome = Literal["right", "wrong", "handed over"]


@dataclass(frozen=True)
class Rates:
    """Stated prices, in US dollars; change them to what yours are.

    Attributes:
        person_usd: a person's answer to a question that was handed over or refused.
        wrong_usd: what follows from one wrong answer.
        cpu_hour_usd: an hour of one processor core.
        embed_seconds: CPU seconds to embed one text, measured with the course's embedding model.

    Raises:
        TypeError: one is no Decimal.
        ValueError: one is negative, infinite or no number; the message names it.
    """

    person_usd: Decimal = Decimal(2)
    wrong_usd: Decimal = Decimal(5)
    cpu_hour_usd: Decimal = CPU_HOUR_USD
    embed_seconds: Decimal = Decimal("0.0054")

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, Decimal):
                raise TypeError(f'{field.name} is {value!r}: give a Decimal, as Decimal("2.50").')
            if not value.is_finite() or value < 0:
                raise ValueError(f"{field.name} is {value}: give a finite number, 0 or more.")

    def search_usd(self, texts: int) -> Decimal:
        """The processor time of embedding so many texts."""
        if texts < 0:
            raise ValueError(f"{texts} texts were embedded: give 0 or more.")
        return texts * self.embed_seconds * self.cpu_hour_usd / 3600

    def after_usd(self, outcome: Outcome) -> Decimal:
        """What follows from an answer: a person's time, the cost of a mistake, or nothing."""
        return {
            "right": Decimal(0),
            "wrong": self.wrong_usd,
            "handed over": self.person_usd,
        }[outcome]


@dataclass(frozen=True)
class Total:
    """What a set of answers cost.

    Attributes:
        counts: answers by outcome.
        spent_usd: for models and search.
        with_people_usd: the same, with people and wrong answers at the stated rates.
        a_right_answer: dollars spent for each right answer, with a bootstrap interval over
            intents. None when no answer is right.
        a_right_answer_with_people: the same of `with_people_usd`.
    """

    counts: dict[Outcome, int]
    spent_usd: Decimal
    with_people_usd: Decimal
    a_right_answer: Estimate | None
    a_right_answer_with_people: Estimate | None


def total(
    outcomes: Sequence[Outcome],
    spent_usd: Sequence[Decimal],
    intents: Sequence[str],
    rates: Rates | None = None,
    *,
    seed: int = 0,
) -> Total:
    """Add up answers: outcome, dollars for models and search, and the intent, in the same order.

    The interval draws intents with all their answers, because two wordings of one thing are right
    or wrong together.

    Raises ValueError when the three are not equally long or empty, and KeyError for an outcome
    that is none.
    """
    if not outcomes or not len(outcomes) == len(spent_usd) == len(intents):
        raise ValueError(
            f"{len(outcomes)} outcomes, {len(spent_usd)} costs and {len(intents)} intents: give "
            "one of each for every answer, and at least one answer."
        )
    rates = rates or Rates()
    with_people = [
        spent + rates.after_usd(outcome) for outcome, spent in zip(outcomes, spent_usd, strict=True)
    ]
    counts: dict[Outcome, int] = {"right": 0, "wrong": 0, "handed over": 0}
    for outcome in outcomes:
        counts[outcome] += 1
    right = _by_intent([Decimal(each == "right") for each in outcomes], intents)
    return Total(
        counts,
        sum(spent_usd, Decimal(0)),
        sum(with_people, Decimal(0)),
        cost_of_right(_by_intent(spent_usd, intents), right, seed=seed),
        cost_of_right(_by_intent(with_people, intents), right, seed=seed),
    )


def _by_intent(values: Sequence[Decimal], intents: Sequence[str]) -> list[float]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for value, intent in zip(values, intents, strict=True):
        sums[intent] += value
    return [float(each) for each in sums.values()]
