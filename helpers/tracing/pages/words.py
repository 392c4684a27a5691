"""How figures are written on the pages."""

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal

from helpers.tracing.store.schema import PICO
from helpers.tracing.store.stats import no_price, no_tokens

NO_PRICE = "no price"


def moment(micros: int | None) -> str:
    """A time in UTC, to the second."""
    if micros is None:
        return "-"
    return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")


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
