"""Exercise 06.2: an application of deployments that stream to each other."""

from collections.abc import Callable, Iterator
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, exercise


def _whole(question: str) -> list[str]:
    return [question, " ", "", f"[documents on {question}; orders on {question}]", " ", "Done."]


@exercise(
    "06.2",
    title="Compose deployments that stream",
    hints=[
        "Write the class inside the function, with __init__(self, documents, orders, writer), and"
        " return Answers.bind(documents, orders, writer).",
        Hint(
            "remote() sends the call at once; only await waits. Send both, then wait for both: for"
            " instance with asyncio.gather.",
            "together",
        ),
        Hint(
            "async for word in words: yield word passes on each word when it comes. A list of all"
            " words is complete only after the last one.",
            "stream",
        ),
        Hint(
            "What belongs to one question goes into local variables of answer: the attributes of"
            " self are the same for all readers.",
            "many",
        ),
        Hint("@serve.deployment(max_ongoing_requests=100)", "places"),
        Hint(
            "asyncio.gather stops waiting at the first error; the other call still runs. Keep what"
            " remote() returns, and call its cancel().",
            "error",
        ),
        Hint(
            "try: ... finally: call.cancel() for each call. finally also runs when the reader"
            " leaves, which is an exception at the await, or at the yield, where answer is.",
            "leaves",
        ),
    ],
)
def answering_app(answer: Any) -> Iterator[Case]:
    """The words of an application in front of the check's own parts, and what becomes of these."""
    from helpers.course.exercises.m06.replicas import NotAnApplication

    def case(
        name: str, look: str, show: str, expect: object, *slips: Slip, about: str, **given: Any
    ) -> Case:
        def call() -> Any:
            from helpers.course.exercises.m06 import parts

            return getattr(parts, look)(answer, **given)

        return Case(name, call=call, show=show, expect=expect, slips=slips, about=about, limit=10)

    yield case(
        "word by word",
        "one_by_one",
        "the writer writes a word; has the reader got it?",
        {"words after each": [1, 2, 3, 4], "answer": _whole("Weight?")},
        Slip.when(
            "at-the-end",
            lambda got: got["words after each"][0] == 0 and len(got["answer"]) == 6,
            "A word arrives only when later ones, or all, are written: yield each when it comes.",
        ),
        Slip.when(
            "empty-dropped",
            lambda got: "" not in got["answer"] and len(got["answer"]) == 5,
            "A word is passed on as it is, an empty one too.",
        ),
        Slip.raises(
            "no-application",
            NotAnApplication,
            "Return what bind gives: an Application. answering_app is a def.",
        ),
        about="stream",
    )
    for first in ("documents", "orders"):
        yield case(
            f"both searches, {first} ready first",
            "both_searches",
            f"which parts run after a question; then {first} answers, then the other search",
            {
                "at the same time": ["documents", "orders"],
                "writer too early": False,
                "answer": _whole("Pegs?"),
            },
            Slip.when(
                "one-after-the-other",
                lambda got: len(got["at the same time"]) == 1,
                "One search waits for the other: send both calls before you await one.",
            ),
            Slip.when(
                "in-order-of-arrival",
                lambda got: got["answer"][3:4] == ["[orders on Pegs?; documents on Pegs?]"],
                "found has the text of documents first, whichever was ready first.",
            ),
            about="together",
            first=first,
        )
    for slow in ("documents", "orders"):
        yield case(
            f"{slow} takes long for one reader",
            "slow_for_one",
            f"five readers ask; {slow} does not answer the first one for a while",
            {"whole answers meanwhile": 4, "the slow one's words": _whole("slow?")},
            Slip.when(
                "keeps-others",
                lambda got: (
                    got["whole answers meanwhile"] < 4
                    and got["the slow one's words"] == _whole("slow?")
                ),
                "The others wait for the slow search of one: nothing may block or lock them.",
            ),
            about="many",
            slow=slow,
        )
    yield case(
        "eight readers of two applications at once",
        "many",
        "eight questions at the same time, whose words come in turn",
        {"whole answers": 8, "each part asked once": 8},
        Slip.when(
            "mixed",
            lambda got: got["whole answers"] < 8 and got["each part asked once"] == 8,
            "Words of one reader reach another one, or get lost.",
        ),
        Slip.when(
            "asked-twice",
            lambda got: got["whole answers"] == 8 and got["each part asked once"] < 8,
            "Ask each part once for a question.",
        ),
        about="many",
    )
    yield case(
        "the same question twice",
        "again",
        "a question comes again after its answer",
        {"whole answers": 2, "documents": 2, "orders": 2, "writer": 2},
        Slip.when(
            "remembered",
            lambda got: got["whole answers"] == 2 and got["documents"] < 2,
            "It was not searched for the second time: what was found for one reader may not be for"
            " another one.",
        ),
        about="many",
    )
    yield case(
        "its places",
        "places",
        "max_ongoing_requests of your deployment",
        {"at the same time": 100},
        Slip.when(
            "default",
            lambda got: got["at the same time"] == 5,
            "Without max_ongoing_requests a replica takes 5 requests: the sixth reader waits for"
            " the searches of the others.",
        ),
        about="places",
    )
    for name in ("documents", "orders"):
        yield case(
            f"{name} fails while the other search runs",
            "broken",
            f"{name}.find raises an exception; the other search takes long",
            {"words": [], "error": f"{name} cannot be reached", "writer asked": 0, "goes on": []},
            Slip.when(
                "search-goes-on",
                lambda got: bool(got["goes on"]) and "no end" not in str(got["words"]),
                "The other search goes on, and nobody needs its answer: cancel it.",
            ),
            Slip.when(
                "hidden",
                lambda got: got["writer asked"] > 0 or (not got["error"] and got["words"] == []),
                "A search failed, so the error has to come out of answer, and nothing else.",
            ),
            Slip.when(
                "waits-for-the-other",
                lambda got: "no end" in str(got["words"]),
                "The error comes out only when the other search is ready, which is of no use now.",
            ),
            about="error",
            part=name,
        )
    yield case(
        "the writer fails in the middle",
        "broken",
        "the writer raises an exception after three words",
        {
            "words": ["Colour?", " ", ""],
            "error": "the model's process ended",
            "writer asked": 1,
            "goes on": [],
        },
        Slip.when(
            "swallowed",
            lambda got: got["error"] == "" and got["words"] == ["Colour?", " ", ""],
            "The answer looks whole, and half of it is missing: let the error out.",
        ),
        Slip.when(
            "words-lost",
            lambda got: got["error"] == "the model's process ended" and got["words"] == [],
            "The words that came before the error are lost.",
        ),
        about="error",
        part="writer",
    )
    for when, what in (("words", "in the middle of the answer"), ("search", "during a search")):
        yield case(
            f"a reader leaves {what}",
            "left",
            f"two readers ask, and one leaves {what}",
            {
                "goes on": [],
                "writer asked for the one who left": int(when == "words"),
                "the one who stays": "whole",
            },
            Slip.when(
                "starts-writing",
                _more_than(int(when == "words")),
                "The reader had left, and the writer was asked all the same.",
            ),
            Slip.when(
                "goes-on",
                lambda got: bool(got["goes on"]),
                "It goes on for a reader who has left: cancel the call when answer ends.",
            ),
            about="leaves",
            when=when,
        )
    for during, waits in (("search", ["documents", "orders"]), ("words", ["writer"])):
        yield case(
            f"answer is cancelled while it waits for {' and '.join(waits)}",
            "cancelled",
            "on a cluster, Serve cancels the task that runs answer: asyncio.CancelledError",
            {"cancelled": waits},
            Slip.when(
                "exceptions-only",
                _less_than(waits),
                "CancelledError is no Exception: `except Exception` does not see it, and `finally`"
                " does.",
            ),
            about="leaves",
            during=during,
        )


def _less_than(waits: list[str]) -> Callable[[Any], bool]:
    return lambda got: got["cancelled"] != waits


def _more_than(count: int) -> Callable[[Any], bool]:
    return lambda got: got["writer asked for the one who left"] > count
