"""What tokens cost, in Decimal US dollars.

The figures are those of `helpers.models.prices`, which is in floats: one answer costs millionths of
a dollar, and a sum of many must not depend on the order in which they came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from langchain_core.messages.ai import UsageMetadata

from helpers.models import prices
from helpers.models.errors import UnknownPrice
from helpers.models.local import CHAT_MODEL

CPU_HOUR_USD = Decimal(str(prices.CPU_HOUR_USD))
MAX_AGE_DAYS = 120
"""Providers change a price about once a season; an older list is likely wrong somewhere."""

_READ_SECONDS = Decimal(str(prices.READ_SECONDS))
_WRITE_SECONDS = Decimal(str(prices.WRITE_SECONDS))
_MILLION = 1_000_000
# So fine that nothing is lost, and coarse enough that sums are exact within Decimal's 28 digits.
_FINEST = Decimal("1e-18")
_HOUR_S = 3600


class OldPrices(UnknownPrice):
    """The price list is too old to say what a call costs today."""


def price(
    model: str,
    usage: UsageMetadata,
    *,
    cached: bool = False,
    cpu_hour_usd: Decimal = CPU_HOUR_USD,
) -> Decimal:
    """The price of the tokens of one or more calls, in US dollars.

    Args:
        model: the local model's name or "local"; or a hosted model as `COURSE_MODEL` names it
            ("provider:model"), or its bare name.
        usage: LangChain's usage metadata. Tokens read from or written to a provider's prompt
            cache have their own price; a cached prompt of the local model costs nothing to read.
        cached: the answer came from a cache of your own, and the usage is the old one: 0.
        cpu_hour_usd: what an hour of the local model's processor costs.

    Raises:
        UnknownPrice: no price is known for this model.
        ValueError: a count of tokens is negative, or more were cached than read.
    """
    if cached:
        return Decimal(0)
    _check(usage)
    if model in {"local", CHAT_MODEL}:
        read = usage["input_tokens"] - _details(usage, "cache_read")
        seconds = read * _READ_SECONDS + usage["output_tokens"] * _WRITE_SECONDS
        return (seconds * cpu_hour_usd / _HOUR_S).quantize(_FINEST)
    return _hosted(model, usage)


def hosted_prices_date(today: date | None = None) -> date:
    """The newest day, up to today, from which a price of genai-prices holds.

    The package states no date of its own. It was made on this day or later, so that its age by
    this date is an upper bound.
    """
    from genai_prices.data import providers
    from genai_prices.types import StartDateConstraint

    today = today or datetime.now(UTC).date()
    starts = [
        part.constraint.start_date
        for provider in providers
        for model in provider.models
        if isinstance(model.prices, list)
        for part in model.prices
        if isinstance(part.constraint, StartDateConstraint)
    ]
    return max(start for start in starts if start <= today)


def check_hosted_prices(*, max_age_days: int = MAX_AGE_DAYS, today: date | None = None) -> date:
    """The date of genai-prices' table, for a report.

    `price` does not check it: an agent must not stop in the middle of an answer because a table
    has become old.

    Raises:
        OldPrices: the table may be older than `max_age_days`.
    """
    today = today or datetime.now(UTC).date()
    as_of = hosted_prices_date(today)
    if (age := (today - as_of).days) > max_age_days:
        raise OldPrices(
            f"The price list of genai-prices is as of {as_of}, {age} days ago; {max_age_days} are "
            "allowed. Update it (pip install -U genai-prices), or state your prices in a PriceList."
        )
    return as_of


@dataclass(frozen=True)
class PriceList:
    """Prices that somebody states, in US dollars for a million tokens.

    Attributes:
        as_of: the day on which they were looked up.
        models: by name, the prices of "input" and "output" tokens and, where the provider has a
            prompt cache, "cache_read" and "cache_write" (those of "input" where left out).
        max_age_days: from how many days on it is too old.
    """

    as_of: date
    models: Mapping[str, Mapping[str, Decimal]]
    max_age_days: int = MAX_AGE_DAYS

    @classmethod
    def of(cls, stated: Mapping[str, Any], *, max_age_days: int = MAX_AGE_DAYS) -> "PriceList":
        """A list from what JSON holds: {"as_of": "2026-11-01", "models": {name: {"input": ...}}}.

        Raises ValueError, which names the entry, when it is not of this form.
        """
        try:
            as_of = date.fromisoformat(stated["as_of"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError('A price list says its date: {"as_of": "2026-11-01", ...}.') from error
        models = stated.get("models")
        if not isinstance(models, Mapping) or not models:
            raise ValueError('A price list has "models", and at least one.')
        return cls(as_of, {name: _entry(name, each) for name, each in models.items()}, max_age_days)

    def check(self, today: date | None = None) -> None:
        """Raise `OldPrices`, with the list's date, when it is too old or from the future."""
        age = ((today or datetime.now(UTC).date()) - self.as_of).days
        if age > self.max_age_days:
            raise OldPrices(
                f"This price list is as of {self.as_of}, {age} days ago; {self.max_age_days} are "
                "allowed. Look the prices up again, and set its as_of to today."
            )
        if age < -1:  # a day ahead may be another time zone
            raise OldPrices(
                f"This price list is as of {self.as_of}, which is still to come. Correct its as_of "
                "or this machine's clock."
            )

    def price(
        self, model: str, usage: UsageMetadata, *, cached: bool = False, today: date | None = None
    ) -> Decimal:
        """Like the module's `price`, by this list; "provider:model" is also found by "model".

        Raises UnknownPrice for a model that is not in it, OldPrices when it is too old.
        """
        if cached:
            return Decimal(0)
        _check(usage)
        self.check(today)
        rates = self.models.get(model) or self.models.get(model.partition(":")[2])
        if rates is None:
            raise UnknownPrice(
                f"No price is known for the model {model!r}: the list as of {self.as_of} has "
                f"{', '.join(sorted(self.models))}. Add it; an unknown price is never zero."
            )
        read, written = _details(usage, "cache_read"), _details(usage, "cache_creation")
        total = (
            (usage["input_tokens"] - read - written) * rates["input"]
            + usage["output_tokens"] * rates["output"]
            + read * rates.get("cache_read", rates["input"])
            + written * rates.get("cache_write", rates["input"])
        )
        return (total / _MILLION).quantize(_FINEST)


def _entry(name: str, stated: Any) -> dict[str, Decimal]:
    known = {"input", "output", "cache_read", "cache_write"}
    if (
        not isinstance(stated, Mapping)
        or not {"input", "output"} <= set(stated)
        or set(stated) - known
    ):
        raise ValueError(
            f"The price of {name!r} needs input and output; cache_read and cache_write may follow."
        )
    found = {}
    for kind, value in stated.items():
        try:
            found[kind] = Decimal(str(value))
        except InvalidOperation as error:
            raise ValueError(f"The price {kind} of {name!r} is no number: {value!r}.") from error
        if not found[kind].is_finite() or found[kind] < 0:
            raise ValueError(f"The price {kind} of {name!r} is {value}: give 0 or more dollars.")
    return found


def _details(usage: UsageMetadata, name: str) -> int:
    return (usage.get("input_token_details") or {}).get(name) or 0  # type: ignore[return-value]


def _check(usage: UsageMetadata) -> None:
    cached = _details(usage, "cache_read") + _details(usage, "cache_creation")
    if min(usage["input_tokens"], usage["output_tokens"], cached) < 0:
        raise ValueError(f"Tokens cannot be negative: {usage}.")
    if cached > usage["input_tokens"]:
        raise ValueError(f"More tokens came from the prompt cache than were read: {usage}.")


def _hosted(model: str, usage: UsageMetadata) -> Decimal:
    from genai_prices import Usage, calc_price

    provider, separator, name = model.partition(":")
    audio_out = (usage.get("output_token_details") or {}).get("audio")
    counted = Usage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cache_read_tokens=_details(usage, "cache_read") or None,
        cache_write_tokens=_details(usage, "cache_creation") or None,
        input_audio_tokens=_details(usage, "audio") or None,
        output_audio_tokens=audio_out,
    )
    try:
        found = calc_price(
            counted,
            model_ref=name if separator else model,
            provider_id=provider if separator else None,
        )
    except LookupError as error:
        raise UnknownPrice(
            f"No price is known for the model {model!r}: check the name, update the package "
            "genai-prices, or state its price in a PriceList; an unknown price is never zero."
        ) from error
    return found.total_price.quantize(_FINEST)
