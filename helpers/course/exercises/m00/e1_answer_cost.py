"""Exercise 00.1: a value to work out."""

from collections.abc import Iterator

from helpers.course.exercises import Case, Slip, approx, exercise

# The figures that the lab states.
READ, WRITTEN = 180, 24  # tokens
READ_PRICE, WRITTEN_PRICE = 0.50, 2.00  # US dollars for a million tokens
COST = (READ * READ_PRICE + WRITTEN * WRITTEN_PRICE) / 1_000_000


@exercise(
    "00.1",
    title="What one answer costs",
    hints=[
        "A price is per million tokens. What does one token of the prompt cost?",
        "Prompt and answer have prices of their own: work out each, then add the two.",
        "cost_usd = 180 * 0.50 / 1_000_000 plus the same for the 24 tokens of the answer.",
    ],
)
def answer_cost(answer: object) -> Iterator[Case]:
    """The price in US dollars of an answer whose token counts are given."""
    yield Case(
        "each token at its own price",
        call=lambda: answer,
        show="cost_usd",
        expect=approx(
            COST,
            rel=2e-7,  # what NumPy's float32 keeps
            text=f"the price of {READ} tokens at {READ_PRICE:.2f} and {WRITTEN} at"
            f" {WRITTEN_PRICE:.2f} US dollars for a million",
        ),
        slips=[
            Slip.value("a-million", COST * 1e6, "That is the cost of a million such answers."),
            Slip.value("a-thousand", COST * 1e3, "That is the cost of a thousand such answers."),
            Slip.value("cents", COST * 100, "That is in cents; the statement asks for US dollars."),
            Slip.value(
                "prompts-price",
                (READ + WRITTEN) * READ_PRICE / 1e6,
                "That charges the answer's tokens at the price of the prompt's.",
            ),
            Slip.value(
                "answers-price",
                (READ + WRITTEN) * WRITTEN_PRICE / 1e6,
                "That charges the prompt's tokens at the price of the answer's.",
            ),
            Slip.value(
                "swapped",
                (READ * WRITTEN_PRICE + WRITTEN * READ_PRICE) / 1e6,
                "The two prices are swapped: reading costs 0.50 and writing 2.00.",
            ),
            Slip.value(
                "answer-alone",
                WRITTEN * WRITTEN_PRICE / 1e6,
                "That is the answer alone: the prompt costs money too.",
            ),
            Slip.value(
                "prompt-alone",
                READ * READ_PRICE / 1e6,
                "That is the prompt alone: the answer costs money too.",
            ),
            Slip.when(
                "rounded",
                lambda got: float(got) in (0.00014, 0.00013, 0.0001, 0.0),
                "That is rounded: keep every digit.",
            ),
        ],
    )
