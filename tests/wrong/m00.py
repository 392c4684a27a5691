from collections.abc import Mapping

from tests.wrong import wrong

Usage = Mapping[str, int]


@wrong("00.1", "no-op", "The cell was emptied.")
def no_cost() -> object:
    return None


@wrong("00.1", "no-op", "A number was written so that there is one.")
def zero() -> object:
    return 0.0


@wrong("00.1", "slip", "Forgets that the price is for a million.", says="a million such answers")
def a_million_answers() -> object:
    return 180 * 0.50 + 24 * 2.00


@wrong("00.1", "slip", "Divides by a thousand.", says="a thousand such answers")
def a_thousand_answers() -> object:
    return (180 * 0.50 + 24 * 2.00) / 1000


@wrong("00.1", "misreading", "One price for all tokens.", says="at the price of the prompt's")
def one_price() -> object:
    return (180 + 24) * 0.50 / 1_000_000


@wrong("00.1", "misreading", "Pays for the answer alone.", says="the prompt is paid for")
def the_answer_alone() -> object:
    return 24 * 2.00 / 1_000_000


@wrong("00.1", "misreading", "Writes the price as text.", says="of type str")
def as_text() -> object:
    return "0.000138"


@wrong("00.2", "no-op", "The body is empty.")
def nothing() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> None:
        pass

    return tokens_per_second


@wrong("00.2", "slip", "Divides by a time of 0.", says="look at seconds first")
def no_guard() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        return usage["output_tokens"] / seconds

    return tokens_per_second


@wrong("00.2", "slip", "Refuses every time up to a second.")
def refuses_a_second() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        if seconds <= 1:
            raise ValueError("seconds must be more than 0")
        return usage["output_tokens"] / seconds

    return tokens_per_second


@wrong("00.2", "slip", "Refuses 0, but nothing below it.")
def refuses_zero_alone() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        if seconds == 0:
            raise ValueError("seconds must be more than 0")
        return usage["output_tokens"] / seconds

    return tokens_per_second


@wrong("00.2", "slip", "Rounds down.", says="rounds down")
def rounds_down() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        if seconds <= 0:
            raise ValueError("seconds must be more than 0")
        return usage["output_tokens"] // seconds

    return tokens_per_second


@wrong("00.2", "slip", "Hands out 0 where there is no time.", says="an error should be raised")
def zero_for_no_time() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        return usage["output_tokens"] / seconds if seconds else 0.0

    return tokens_per_second


@wrong("00.2", "misreading", "Counts the prompt as written.", says="counts the prompt too")
def counts_the_prompt() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        if seconds <= 0:
            raise ValueError("seconds must be more than 0")
        return usage["total_tokens"] / seconds

    return tokens_per_second


@wrong("00.2", "misreading", "Seconds per token.", says="the other way round")
def the_other_way_round() -> object:
    def tokens_per_second(usage: Usage, seconds: float) -> float:
        if seconds <= 0:
            raise ValueError("seconds must be more than 0")
        return seconds / usage["output_tokens"]

    return tokens_per_second
