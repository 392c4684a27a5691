"""Exercise 10.3: a guard that keeps a semantic cache from serving the wrong answer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, equal, exercise, generated

if TYPE_CHECKING:
    from helpers.course.exercises.m10.guarding import Answer


@exercise(
    "10.3",
    title="A guard for a semantic cache",
    gate=True,
    hints=[
        "Do not look for what is dangerous. Turn each text into a list of the parts that carry"
        " meaning, without anything harmless, and compare the two lists.",
        Hint(
            "First lower case and one space between words, then take the phrases of POLITE out, at"
            r""" word boundaries: re.sub(rf"\b({'|'.join(POLITE)})\b", " ", text).""",
            "always",
        ),
        Hint(
            r"One regular expression finds the parts: a number, (?:(?<!\w)-)?\d+(?:,\d{3})*"
            r"(?:\.\d+)?, or a word, [^\W\d_]+(?:'[^\W\d_]+)*, or one of the signs, [£€%°]. What"
            " is between them is punctuation.",
            "traps",
        ),
        Hint(
            "A set forgets how often a word comes, and a Counter forgets its place. If a text"
            " contains one of ORDERED, or two numbers, compare the lists themselves.",
            "traps",
        ),
        Hint(
            "Add one harmless thing after another: IGNORED, SAME, numbers by value"
            " (Decimal('2.0') == Decimal('2')), the plural s, and last the order of words.",
            "harmless",
        ),
        Hint(
            "What is left of a text may be an empty list: bool(one) and one == other. Decimal(...)"
            r" and int(...) may refuse what str.isdigit accepts, such as '²'; \d does not match"
            " it.",
            "any",
        ),
    ],
)
def may_serve(answer: "Answer") -> Iterator[Case]:
    """Unseen traps and harmless pairs; generated questions; any texts at all."""
    from helpers.course.exercises.m10 import guarding as given

    not_bool = Slip.when(
        "not-bool", given.no_bool, "Return True or False, and nothing else, from a plain function."
    )
    yield Case(
        f"{given.TRAPS} traps",
        call=lambda: given.tried(answer, "traps"),
        show="may_serve(...) on each trap, in both orders",
        expect=Expectation("none is served", judge=given.none_served, show=given.told),
        slips=[
            not_bool,
            Slip.when("serves-all", given.nearly_all, "It serves nearly every trap."),
            Slip.when(
                "same-words",
                given.same_words,
                "The traps that are served consist of the same words. How often a word comes"
                " matters, and with ORDERED or two numbers its place, too.",
            ),
            Slip.when(
                "marks-lost",
                given.only("number", "unit or sign"),
                "A dot within a number, a minus, or a sign such as % is lost with the punctuation,"
                " or a number is not compared.",
            ),
            Slip.when(
                "small-words",
                given.only("negation", "with or without", "condition", "direction", "small word"),
                "Small words such as not, without, in and did were left out or not compared."
                " They decide what is asked; only those in IGNORED may be left out.",
            ),
        ],
        about="traps",
        live=False,
    )
    yield Case(
        f"{given.HARMLESS} harmless pairs",
        call=lambda: given.tried(answer, "harmless"),
        show="may_serve(...) on each harmless pair, in both orders",
        expect=Expectation(
            f"at least {given.FEWEST_HARMLESS} of {given.HARMLESS} served, in both orders",
            judge=given.enough_served,
            show=given.told,
        ),
        slips=[
            not_bool,
            Slip.when(
                "none-served",
                lambda found: not given.served(found),
                "It serves nothing at all, so the cache is of no use.",
            ),
        ],
        about="harmless",
        live=False,
    )
    yield generated(
        "a harmless variant of a question, and one with another number, name or small word",
        answer,
        exercise="10.3",
        inputs=given.questions(),
        used=given.both_orders,
        called="may_serve",
        expect=_in_both_orders,
        about="always",
        budget=150,
    )
    yield generated(
        "any texts",
        answer,
        exercise="10.3",
        inputs=given.any_texts(),
        used=given.demanded,
        called="may_serve",
        about="any",
        budget=120,
    )


def _in_both_orders(value: Any) -> Expectation:
    wanted = equal(value)
    return Expectation(f"{value[0]} in both orders", judge=wanted.judge)
