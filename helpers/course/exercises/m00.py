"""Module 00, Start here: two small exercises that teach how a lab works."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from helpers.course.exercises import Case, Expectation, approx, exercise, raises, satisfies

# The figures that the lab states.
INPUT_TOKENS = 180
OUTPUT_TOKENS = 24
INPUT_PRICE = 0.50  # US dollars for a million tokens
OUTPUT_PRICE = 2.00
COST = (INPUT_TOKENS * INPUT_PRICE + OUTPUT_TOKENS * OUTPUT_PRICE) / 1_000_000


@exercise(
    "00.1",
    title="What one answer costs",
    hints=[
        "A price holds for a million tokens. What does one token of the prompt cost?",
        "Prompt and answer have prices of their own: work out each, then add the two.",
        "cost_usd = 180 * 0.50 / 1_000_000 plus the same for the 24 tokens of the answer.",
    ],
)
def answer_cost(submission: float) -> Iterator[Case]:
    """The price in US dollars of an answer whose token counts are given."""
    yield Case(
        "it is an amount of money",
        call=lambda: submission,
        show="cost_usd",
        expect=satisfies("a number above 0", _is_amount),
    )
    yield Case(
        "each token at its own price",
        call=lambda: submission,
        show="cost_usd",
        expect=approx(
            COST,
            rel=0.001,
            text=f"the price of {INPUT_TOKENS} tokens at {INPUT_PRICE:.2f} and {OUTPUT_TOKENS} at"
            f" {OUTPUT_PRICE:.2f} US dollars for a million",
        ),
        slips=[
            (approx(COST * 1_000_000, rel=0.001), "That is the cost of a million such answers."),
            (approx(COST * 1_000, rel=0.001), "That is the cost of a thousand such answers."),
            (
                approx((INPUT_TOKENS + OUTPUT_TOKENS) * INPUT_PRICE / 1e6, rel=0.001),
                "That charges the answer's tokens at the price of the prompt's.",
            ),
            (
                approx((INPUT_TOKENS + OUTPUT_TOKENS) * OUTPUT_PRICE / 1e6, rel=0.001),
                "That charges the prompt's tokens at the price of the answer's.",
            ),
            (
                approx(OUTPUT_TOKENS * OUTPUT_PRICE / 1e6, rel=0.001),
                "That is the answer alone: the prompt is paid for as well.",
            ),
        ],
    )


def _is_amount(got: object) -> bool | str:
    if isinstance(got, bool) or not isinstance(got, int | float):
        return f"This is of type {type(got).__name__}, not a number."
    return got > 0


Speed = Callable[[Mapping[str, int], float], float]


@exercise(
    "00.2",
    title="Tokens per second",
    hints=[
        "Speed is a count divided by a time. Which of the three counts did the model write?",
        'Use usage["output_tokens"]; the prompt was read, not written.',
        "Before you divide: if seconds is 0 or less, raise ValueError with a sentence that says"
        " what is wrong with seconds.",
    ],
)
def tokens_per_second(submission: Speed) -> Iterator[Case]:
    """How fast a model writes, from LangChain's usage metadata and a time in seconds."""

    def case(
        name: str,
        prompt: int,
        answer: int,
        seconds: float,
        expect: Expectation,
        slips: Sequence[tuple[object, str]] = (),
    ) -> Case:
        usage = {"input_tokens": prompt, "output_tokens": answer, "total_tokens": prompt + answer}
        return Case(
            name,
            call=lambda: submission(usage, seconds),
            show=f"tokens_per_second({usage}, {seconds})",
            expect=expect,
            slips=slips,
        )

    yield case(
        "an ordinary answer",
        180,
        25,
        2.0,
        approx(12.5),
        [
            (approx(102.5), "That counts the prompt too, which the model read but did not write."),
            (approx(90.0), "That counts the prompt, which the model read but did not write."),
            (approx(0.08), "That is seconds per token: the other way round."),
            (approx(12.0), "The fraction is lost: // rounds down, / does not."),
        ],
    )
    yield case("a short time", 1000, 30, 0.5, approx(60.0))
    yield case("an empty answer", 180, 0, 1.0, approx(0.0))
    yield case(
        "no time at all",
        180,
        24,
        0.0,
        raises(ValueError, "seconds"),
        [(ZeroDivisionError, "Nothing can be divided by 0: look at seconds first.")],
    )
    yield case("a negative time", 180, 24, -2.0, raises(ValueError, "seconds"))
