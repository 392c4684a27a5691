"""What an answer costs beyond the model's tokens.

A question that goes to a person costs the person's time, and a wrong answer costs a refund, a
complaint or a customer. Both are stated rates; put your own in.
"""

from dataclasses import dataclass, fields
from decimal import Decimal

from helpers.cost.outcomes import Outcome
from helpers.cost.prices import CPU_HOUR_USD


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
