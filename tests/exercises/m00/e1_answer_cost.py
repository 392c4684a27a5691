from decimal import Decimal
from fractions import Fraction
from unittest.mock import ANY

import numpy as np

from helpers.authoring.answers import right, wrong


@wrong("The cell was emptied.")
def nothing() -> object:
    return None


@wrong("A number was written so that there is one.")
def zero() -> object:
    return 0.0


@wrong("Forgets that the price is for a million.", slip="a-million")
def a_million_answers() -> object:
    return 180 * 0.50 + 24 * 2.00


@wrong("Divides by a thousand.", slip="a-thousand")
def a_thousand_answers() -> object:
    return (180 * 0.50 + 24 * 2.00) / 1000


@wrong("Works in cents.", slip="cents")
def in_cents() -> object:
    return (180 * 50 + 24 * 200) / 1_000_000


@wrong("One price for all tokens.", slip="prompts-price")
def one_price() -> object:
    return (180 + 24) * 0.50 / 1_000_000


@wrong("The other price for all tokens.", slip="answers-price")
def the_other_price() -> object:
    return (180 + 24) * 2.00 / 1_000_000


@wrong("Each count at the other's price.", slip="swapped")
def swapped() -> object:
    return (180 * 2.00 + 24 * 0.50) / 1_000_000


@wrong("Pays for the answer alone.", slip="answer-alone")
def the_answer_alone() -> object:
    return 24 * 2.00 / 1_000_000


@wrong("Pays for the prompt alone.", slip="prompt-alone")
def the_prompt_alone() -> object:
    return 180 * 0.50 / 1_000_000


@wrong("Rounds to two digits.", slip="rounded")
def rounded() -> object:
    return 0.00014


@wrong("Writes the price as text.")
def as_text() -> object:
    return "0.000138"


@wrong("Something that says it equals everything.")
def anything() -> object:
    return ANY


@wrong("A tuple, by a comma too many.")
def a_tuple() -> object:
    return (0.000138,)


@wrong("The sign of money spent.")
def negative() -> object:
    return -0.000138


@wrong("A function that would work it out.")
def a_function() -> object:
    return lambda: 0.000138


@right("Each part on its own.")
def in_parts() -> object:
    return 180 * 0.50 / 1_000_000 + 24 * 2.00 / 1_000_000


@right("Decimal, as money is counted.")
def decimal() -> object:
    return (180 * Decimal("0.50") + 24 * Decimal("2.00")) / 1_000_000


@right("A fraction.")
def fraction() -> object:
    return Fraction(138, 1_000_000)


@right("A number of NumPy.")
def numpy() -> object:
    return np.dot([180, 24], [0.50, 2.00]) / 1_000_000


@right("A number of NumPy with seven digits.")
def float32() -> object:
    return np.float32(0.000138)


@right("The number itself.")
def literal() -> object:
    return 1.38e-4
