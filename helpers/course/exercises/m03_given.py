"""What the lab of module 03 gives to its exercises."""

from typing import Final

GOLD: Final = 400
"""Pounds in a calendar year; members who spend more are Gold (see the document trail-club)."""

CODE: Final = "FERN-7QX4-KD92"
"""The code of the cases; the gate has a fresh one each time."""

IBAN_LENGTHS: Final = {"DE": 22, "ES": 24, "FR": 27, "GB": 22, "IE": 22, "NL": 18}
"""Letters and digits of an IBAN, by country (ISO 13616), for some countries of customers."""
