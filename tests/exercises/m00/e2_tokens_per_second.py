import functools
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from helpers.authoring.answers import right, wrong

Usage = Mapping[str, int]


def guarded(speed: Callable[[Any, Any], object]) -> Callable[[Usage, float], object]:
    """A speed, with the guard that the statement asks for."""

    def tokens_per_second(usage: Usage, seconds: float) -> object:
        if seconds <= 0:
            raise ValueError("seconds must be more than 0")
        return speed(usage, seconds)

    return tokens_per_second


def refusing(refused: Callable[[float], bool], error: Exception) -> Callable[[Usage, float], float]:
    """The right speed, with another guard."""

    def tokens_per_second(usage: Usage, seconds: float) -> float:
        if refused(seconds):
            raise error
        return usage["output_tokens"] / seconds

    return tokens_per_second


@wrong("The body is empty.")
def nothing() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> None:
        pass

    return tokens_per_second


@wrong("Divides by a time of 0.", slip="no-guard")
def no_guard() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        return usage["output_tokens"] / seconds

    return tokens_per_second


@wrong("Refuses every time up to a second.")
def refuses_a_second() -> object:
    return refusing(lambda s: s <= 1, ValueError("seconds must be more than 0"))


@wrong("Refuses times below half a second.")
def refuses_half_a_second() -> object:
    return refusing(lambda s: s < 0.5, ValueError("seconds must be more than 0"))


@wrong("Refuses a hundredth of a second.")
def refuses_a_hundredth() -> object:
    return refusing(lambda s: s <= 0.01, ValueError("seconds must be more than 0"))


@wrong("Refuses a millionth of a second.")
def refuses_a_millionth() -> object:
    return refusing(lambda s: s <= 1e-6, ValueError("seconds must be more than 0"))


@wrong("Lets a time just below 0 through.")
def lets_a_little_less_than_zero_through() -> object:
    return refusing(lambda s: s == 0 or s < -0.01, ValueError("seconds must be more than 0"))


@wrong("Takes a short time for a tenth of a second.")
def at_least_a_tenth() -> object:
    return guarded(lambda usage, seconds: usage["output_tokens"] / max(seconds, 0.1))


@wrong("Takes a short time for a second.")
def at_least_a_second() -> object:
    return guarded(lambda usage, seconds: usage["output_tokens"] / max(seconds, 1))


@wrong("At most a thousand a second.")
def at_most_a_thousand() -> object:
    return guarded(lambda usage, seconds: min(usage["output_tokens"] / seconds, 1000))


@wrong("Refuses times above an hour.")
def refuses_an_hour() -> object:
    return refusing(lambda s: not 0 < s < 3600, ValueError("seconds must be more than 0"))


@wrong("Takes the second count, whatever its name is.")
def takes_the_second_count() -> object:
    return guarded(lambda usage, seconds: list(usage.values())[1] / seconds)


@wrong("Changes the details inside what it was given.")
def changes_the_details() -> object:
    def speed(usage: Any, seconds: float) -> object:
        usage.get("input_token_details", {}).clear()
        return usage["output_tokens"] / seconds

    return guarded(speed)


@wrong("Refuses 0, but nothing below it.")
def refuses_zero_alone() -> object:
    return refusing(lambda s: s == 0, ValueError("seconds must be more than 0"))


@wrong("Lets 0 through.", slip="no-guard")
def refuses_below_zero() -> object:
    return refusing(lambda s: s < 0, ValueError("seconds must be more than 0"))


@wrong("Another error.")
def another_error() -> object:
    return refusing(lambda s: s <= 0, RuntimeError("seconds must be more than 0"))


@wrong("A message that names nothing.")
def a_message_that_names_nothing() -> object:
    return refusing(lambda s: s <= 0, ValueError("bad input"))


@wrong("Rounds down.", slip="rounded-down")
def rounds_down() -> object:
    return guarded(lambda usage, seconds: usage["output_tokens"] // seconds)


@wrong("Rounds to two digits.")
def rounds() -> object:
    return guarded(lambda usage, seconds: round(usage["output_tokens"] / seconds, 2))


@wrong("Hands out 0 where there is no time.")
def zero_for_no_time() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        return usage["output_tokens"] / seconds if seconds > 0 else 0.0

    return tokens_per_second


@wrong("Counts the prompt as written.", slip="whole-run")
def counts_the_prompt() -> object:
    return guarded(lambda usage, seconds: usage["total_tokens"] / seconds)


@wrong("Counts the prompt alone.", slip="prompt")
def counts_the_prompt_alone() -> object:
    return guarded(lambda usage, seconds: usage["input_tokens"] / seconds)


@wrong("Seconds per token.", slip="upside-down")
def the_other_way_round() -> object:
    return guarded(lambda usage, seconds: seconds / max(usage["output_tokens"], 1))


@wrong("Takes the count out of the dictionary that it was given.")
def takes_the_count_out() -> object:
    return guarded(lambda usage, seconds: usage.pop("output_tokens") / seconds)


@wrong("Remembers the first answer of a prompt.")
def remembers() -> object:
    known: dict[int, float] = {}

    def speed(usage: Usage, seconds: float) -> float:
        return known.setdefault(usage["input_tokens"], usage["output_tokens"] / seconds)

    return guarded(speed)


@wrong("Right in every other call.")
def every_other_call() -> object:
    calls: list[float] = []

    def speed(usage: Usage, seconds: float) -> float:
        calls.append(seconds)
        return usage["output_tokens"] / seconds * (1 if len(calls) % 2 else 1.001)

    return guarded(speed)


@wrong("Writes the speed as text.")
def as_text() -> object:
    return guarded(lambda usage, seconds: f"{usage['output_tokens'] / seconds:.1f}")


@wrong("Returns the error instead of raising it.")
def returns_the_error() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> object:
        if seconds <= 0:
            return ValueError("seconds must be more than 0")
        return usage["output_tokens"] / seconds

    return tokens_per_second


@right("The count is what is left of the total.")
def by_difference() -> object:
    return guarded(lambda u, seconds: (u["total_tokens"] - u["input_tokens"]) / seconds)


@right("Decimal.")
def decimal() -> object:
    return guarded(lambda usage, seconds: usage["output_tokens"] / Decimal(seconds))


@right("A fraction.")
def fraction() -> object:
    return guarded(lambda usage, seconds: usage["output_tokens"] / Fraction(seconds))


@right("A number of NumPy.")
def numpy() -> object:
    return guarded(lambda usage, seconds: np.float64(usage["output_tokens"]) / seconds)


@right("A subclass of ValueError.")
def a_subclass() -> object:
    class NoTimeError(ValueError):
        pass

    return refusing(lambda s: not s > 0, NoTimeError("Seconds: more than 0, please."))


@right("A callable object.")
def a_callable() -> object:
    class Speed:
        def __call__(self, usage: Usage, seconds: float) -> object:
            return guarded(lambda u, s: u["output_tokens"] / s)(usage, seconds)

    return Speed()


@right("A partial function.")
def a_partial() -> object:
    def speed(count: str, usage: Usage, seconds: float) -> object:
        return guarded(lambda u, s: u[count] * (1 / s))(usage, seconds)

    return functools.partial(speed, "output_tokens")
