"""Exercise 10.1: a meter of what model calls cost."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, exercise, generated

if TYPE_CHECKING:
    from helpers.course.exercises.m10.metered import MeterClass


@exercise(
    "10.1",
    title="A meter that is right",
    hints=[
        "Set all five attributes in __init__. on_llm_end decides which one number grows: take the"
        " message, its usage and its model's name, then test one condition after another.",
        Hint(
            'LangChain adds the key "total_cost" to the usage of an answer from its cache. Ask for'
            " this key before you look at the model or the tokens.",
            "cache",
        ),
        Hint(
            "cached = usage.get('input_token_details', {}).get('cache_read', 0). These tokens are a"
            " part of input_tokens: only the others have the first price.",
            "price",
        ),
        Hint(
            "Three kinds of calls have a cost that you cannot know: failed ones (on_llm_error),"
            " answers without usage (None), and answers of a model without a price.",
            "unpriced",
        ),
        Hint(
            "threading.Lock(): `with self.lock:` around everything that reads a number and writes"
            " it again, its cost included.",
            "threads",
        ),
        Hint(
            "What belongs to one meter is set on self in __init__, and not on the class.",
            "apart",
        ),
        Hint(
            "Do not count in on_llm_new_token: a stream ends with on_llm_end too, and its message"
            " has the usage of the whole answer.",
            "client",
        ),
        "(fresh * read + cached * again + written * wrote) / 1_000_000, with Decimals as prices and"
        " integers as tokens, is exact.",
    ],
)
def meter(answer: "MeterClass") -> Iterator[Case]:
    """Each call in one number, and the exact cost of those that were paid."""
    from helpers.course.exercises.m10 import called, metered
    from helpers.course.exercises.m10.metered import PRICES, Answered, Call, Failed, expected

    broken = [
        Slip.raises(
            "no-meter",
            metered.NotAMeter,
            "Meter(prices) is a BaseCallbackHandler with the five attributes of the statement.",
        ),
        Slip.raises(
            "no-key",
            KeyError,
            "Here a key is missing, as the statement allows. LangChain would log this error and"
            " go on, and the call would be in no number.",
        ),
        Slip.when(
            "no-decimal",
            lambda got: "float" in _dollars(got),
            "dollars is a Decimal from the beginning, and no float is on the way.",
        ),
    ]

    def counted(
        name: str,
        calls: "list[Call]",
        expect: dict[str, Any],
        *more: Slip,
        about: str,
        at_once: bool = False,
    ) -> Case:
        return Case(
            name,
            call=lambda: metered.after(answer, dict(PRICES), calls, at_once),
            show=metered.told(PRICES, calls, at_once),
            expect=expect,
            slips=[*more, *broken],
            about=about,
        )

    yield counted(
        "the example",
        [Answered("small", 1000, 50, 600)],
        expected("0.0003", 1),
        Slip.when(
            "full-price",
            lambda got: f"{got['dollars']:f}".rstrip("0") == "0.00048",
            "600 of the 1,000 tokens were read from the provider's cache, which costs less.",
        ),
        Slip.when(
            "read-twice",
            lambda got: f"{got['dollars']:f}".rstrip("0") == "0.00054",
            "input_tokens contains the tokens from the cache: they must not be paid twice.",
        ),
        Slip.when(
            "not-a-million",
            lambda got: got["dollars"] == 300,
            "The prices are for a million tokens.",
        ),
        about="price",
    )
    yield counted(
        "two models, with and without details",
        [
            Answered("small", 200, 30),
            Answered("large", 1000, 7, 0),
            Answered("large", 11, 0, -1, streamed=True),
            Answered("small", 0, 0),
            Answered("large", 500, 1, 500),
        ],
        expected("0.002464", 5),
        about="price",
    )
    yield counted(
        "answers from LangChain's cache",
        [
            Answered("small", 100, 10),
            Answered("small", 100, 10, hit=True),
            Answered("other", 100, 10, hit=True),
        ],
        expected("0.000056", 1, 2),
        Slip.when(
            "hits-paid",
            lambda got: got["cached"] == 0 and got["counted"] >= 2,
            "An answer from LangChain's cache repeats the usage of the first one. Nobody pays for"
            " it again.",
        ),
        Slip.when(
            "hit-of-unknown",
            lambda got: got["unknown"] == {"other": 1},
            "An answer from the cache costs nothing, whatever its model.",
        ),
        about="cache",
    )
    yield counted(
        "an answer from LangChain's cache, of which the provider sent no usage",
        [Answered("small", 100, 10), Answered("large", None, hit=True)],
        expected("0.000056", 1, 1),
        about="cache",
    )
    yield counted(
        "failed calls, and answers without usage",
        [
            Failed(TimeoutError),
            Answered("small", 100, 10),
            Answered("large", None),
            Failed(GeneratorExit),
            Answered("other", None),
        ],
        expected("0.000056", 1, 0, 4),
        Slip.when(
            "failed-forgotten",
            lambda got: got["uncounted"] == 2,
            "Failed calls are missing, or answers without usage: both have a usage that nobody"
            " knows.",
        ),
        Slip.when(
            "without-usage-is-unknown",
            lambda got: "other" in got["unknown"],
            "An answer without usage is uncounted, whatever its model.",
        ),
        about="unpriced",
    )
    yield counted(
        "models without a price",
        [
            Answered("other", 100, 10),
            Answered("small", 100, 10),
            Answered("other", 5, 1),
            Answered("Small", 100, 10),
            Answered("small-2026-01-05", 100, 10),
        ],
        {**expected("0.000056", 1), "unknown": {"other": 2, "Small": 1, "small-2026-01-05": 1}},
        Slip.when(
            "unknown-is-free",
            lambda got: got["counted"] == 5 or not got["unknown"],
            "A model without a price is not free: count its answers in unknown, by name.",
        ),
        about="unpriced",
    )
    yield counted(
        "several candidates, and calls that overlap",
        [
            Answered("large", 100, 30, candidates=3),
            Failed(RuntimeError),
            Answered("small", 100, 10, candidates=2, streamed=True),
        ],
        expected("0.000496", 2, 0, 1),
        Slip.when(
            "candidates-paid",
            lambda got: got["counted"] == 5 or got["dollars"] > Decimal("0.0006"),
            "Each candidate has the usage of the whole call: count it once.",
        ),
        about="price",
        at_once=True,
    )
    yield Case(
        "after each call",
        call=lambda: metered.steps(
            answer, dict(PRICES), [Answered("large", 1, 1), Failed(), Answered("x", 1, 1)]
        ),
        show="the figures of a new meter, and after an answer of large, a failure, and one of x",
        expect=[
            expected("0"),
            expected("0.00001", 1),
            expected("0.00001", 1, 0, 1),
            expected("0.00001", 1, 0, 1, x=1),
        ],
        slips=broken,
        about="unpriced",
    )
    yield Case(
        "two meters",
        call=lambda: metered.two_meters(answer),
        show="two meters with other prices, used in turns",
        expect=[
            {**expected("0.00028", 1, 1), "unknown": {"tiny": 1}},
            {**expected("0.00013", 2, 0, 1), "unknown": {"small": 1}},
        ],
        slips=[
            *broken,
            Slip.when(
                "shared",
                lambda got: got[0]["unknown"] == got[1]["unknown"],
                "The two meters share what they count.",
            ),
        ],
        about="apart",
    )
    yield generated(
        "any prices and calls",
        answer,
        exercise="10.1",
        inputs=metered.inputs(),
        called=metered.told,
        used=lambda one: lambda *arguments: metered.after(one, *arguments),
        slips=broken,
        about="price",
        budget=60,
    )
    yield Case(
        "several threads",
        call=lambda: metered.threads(answer),
        show=f"{metered.THREADS} answers of small that end at the same time, each in its thread",
        expect=expected("0.008496", metered.THREADS),
        slips=[
            *broken,
            Slip.when(
                "lost",
                lambda got: got["dollars"] < Decimal("0.008496"),
                "Two threads have read the same sum, and one has overwritten what the other added.",
            ),
        ],
        about="threads",
    )
    yield Case(
        "LangChain's client",
        call=lambda: called.counted(answer),
        show="ChatOpenAI on a server of the testbed: the figures after each step",
        expect=called.EXPECTED,
        slips=broken,
        limit=40,
        about="client",
    )


def _dollars(got: Any) -> str:
    first = got[0] if isinstance(got, list) else got
    return str(first["dollars"])
