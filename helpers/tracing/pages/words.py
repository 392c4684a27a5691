"""How figures are written on the pages."""

import re
import sqlite3
from decimal import Decimal
from typing import Any

from helpers.tracing.clock import iso
from helpers.tracing.store.schema import PICO
from helpers.tracing.store.stats import no_price, no_tokens

NO_PRICE = "no price"


def visible(value: Any) -> Any:
    """A text with its control and direction characters written out: \\x00, \\x1b, \\u202e.

    Raw, they are no HTML, act on a terminal that the page's source is printed to, or turn the
    order of what follows.
    """
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), value)
    return value


_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def moment(micros: int | None) -> str:
    """A time in UTC, to the second."""
    return "-" if micros is None else (iso(micros) or "")[:19].replace("T", " ")


def duration(seconds: float | None) -> str:
    """A duration with its unit."""
    if seconds is None:
        return "-"
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def between(start: int, end: int | None) -> str:
    """The duration from one time to another; a dash while there is no end."""
    return duration(None if end is None else (end - start) / 1e6)


def dollars(amount: Decimal | float | None) -> str:
    """An amount to three significant digits, or that there is no price."""
    if amount is None:
        return NO_PRICE
    if amount == 0:
        return "$0"
    return f"${amount:,.2f}" if amount >= 1 else f"${Decimal(f'{amount:.2e}'):f}"


def count(number: int | float | None) -> str:
    """A number with separators; a dash for none."""
    return "-" if number is None else f"{number:,.0f}"


def tokens_of(row: sqlite3.Row) -> str:
    """A run's tokens, with those below it."""
    return "-" if no_tokens(row) else count(row["prompt_tokens"] + row["completion_tokens"])


def cost_of(row: sqlite3.Row) -> str:
    """A run's cost, with what is below it, and how many model runs it leaves out."""
    if no_price(row):
        return NO_PRICE
    amount = dollars(Decimal(row["prompt_cost"] + row["completion_cost"]) / PICO)
    return f"{amount} + {row['unpriced']} {NO_PRICE}" if row["unpriced"] else amount


def left_out(number: int) -> str:
    """How many model runs a cost leaves out, as an addition to a heading."""
    if not number:
        return ""
    return f"without {number:,} model {'runs that have' if number > 1 else 'run that has'} no price"
