"""Exercise 06.1: vectors of a pool of actors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, exercise


class Changed(ValueError):  # noqa: N818 - it says what is wrong
    """A learner's function changed what it was given."""


class NotAPair(TypeError):  # noqa: N818 - it says what is wrong
    """What a learner's function returned is no pair of a list and a dict."""


def _expected(texts: Sequence[str], failed: Iterable[int]) -> dict[str, Any]:
    """What has to come of texts of which those at some places fail."""
    lost = sorted(failed)
    return {
        "length": len(texts),
        "right vectors at": [place for place in range(len(texts)) if place not in lost],
        "None at": lost,
        "failed": dict.fromkeys(lost, "a reason"),
    }


_ONCE: dict[str, Any] = {"asked more than once": []}
_WORDS = ["tent", "stove", "boot", "rope", "lamp", "mat", "pole", "bag", "filter", "jacket"]


@exercise(
    "06.1",
    title="Embed in a pool of actors, whatever happens to one of them",
    hints=[
        "Keep a dict from each reference that is not ready to what it is for: its place and its"
        " worker. ray.wait says which one is ready.",
        Hint(
            "When a reference is ready, its worker is free: give it the next text before you wait"
            " again, whatever its place is.",
            "shared",
        ),
        Hint(
            "ray.get raises what embed raised as a RayTaskError: catch it for this one text, and"
            " keep str(error.cause).",
            "poison",
        ),
        Hint(
            "ActorDiedError: put the place back to those that are to do, and do not put the worker"
            " back to those that are free.",
            "death",
        ),
        Hint(
            "Count the deaths by place. At the second one the text has failed: it would kill every"
            " worker, one after another.",
            "killer",
        ),
        Hint(
            "The loop ends when nothing runs and either no text or no worker is left. What is to"
            " do then has failed.",
            "nobody",
        ),
    ],
)
def embed_all(answer: Any) -> Iterator[Case]:
    """Vectors and failures of real actors that raise, take long or die."""

    def case(
        name: str,
        texts: Sequence[str],
        workers: int,
        expect: Mapping[str, Any],
        *slips: Slip,
        about: str = "",
        show: str = "",
        last: bool = False,
        **given: Any,
    ) -> Case:
        def call() -> Any:
            from helpers.course.exercises.m06 import pools

            return pools.embedded(answer, texts, workers, **given)

        return Case(
            name,
            call=call,
            show=show or f"embed_all of {workers} workers and {list(texts)}",
            expect=expect,
            slips=slips,
            about=about,
            limit=10,
            after_all=last,
        )

    texts = [*_WORDS, "tent"]
    yield case(
        "ten texts, one of them twice",
        texts,
        3,
        _expected(texts, []) | _ONCE,
        Slip.raises("no-pair", NotAPair, "Return two things: the list of vectors, and the dict."),
        Slip.raises("changed", Changed, "Change neither the list of workers nor that of texts."),
        Slip.when(
            "another-order",
            lambda got: got["length"] == len(texts) > len(got["right vectors at"]) > 0,
            "A vector belongs at the place of its text, whichever is ready first.",
        ),
        Slip.when(
            "by-text",
            lambda got: got["length"] == len(texts) - 1 or len(got["right vectors at"]) == 10,
            "A text that comes twice has two places.",
        ),
    )
    yield case(
        "poisoned texts",
        (poisoned := ["tent", "bad tent", "rope", "bad rope", "lamp", "bad lamp", "mat"]),
        2,
        _expected(poisoned, [1, 3, 5]) | _ONCE,
        Slip.when(
            "stops-at-poison",
            lambda got: len(got["right vectors at"]) < 4,
            "One poisoned text costs the vectors of others: catch its error for itself.",
        ),
        Slip.when(
            "no-message",
            lambda got: [*got["failed"]] == [1, 3, 5] and set(got["failed"].values()) != {_REASON},
            "The reason contains the message of the exception that embed raised.",
        ),
        Slip.when(
            "asked-again",
            lambda got: bool(got["asked more than once"]),
            "A text that embed raised for is poisoned: asking again only takes time.",
        ),
        about="poison",
        does={"bad tent": "poison", "bad rope": "KeyError", "bad lamp": "TimeoutError"},
        times=2,
    )
    for name, place in (("first", 0), ("second", 1)):
        some = [*_WORDS[:place], "long", *_WORDS[place:7]]
        yield case(
            f"the {name} text takes long",
            some,
            2,
            _expected(some, []) | _ONCE | {"others done meanwhile": True},
            Slip.when(
                "not-shared",
                lambda got: got["others done meanwhile"] is False,
                "The other worker was idle, or its texts were waiting behind the long one.",
            ),
            about="shared",
            does={"long": "long"},
        )
    yield case("no text", [], 2, _expected([], []) | _ONCE, about="nobody")
    yield case("one worker", _WORDS[:3], 1, _expected(_WORDS[:3], []) | _ONCE)
    dying = [*_WORDS[:2], "rock", *_WORDS[2:6]]
    yield case(
        "a worker dies once",
        dying,
        4,
        _expected(dying, []) | {"asked more than once": ["rock"]},
        Slip.raises(
            "stops-at-death",
            Exception,
            "A worker died, and all is lost: catch ActorDiedError for its text.",
        ),
        Slip.when(
            "reported-at-once",
            lambda got: got["None at"] == [2] and got["asked more than once"] == [],
            "The worker died, which need not be the text's fault: give it to another worker.",
        ),
        Slip.when(
            "dead-one-asked",
            lambda got: len(got["None at"]) > 1 or len(got["asked more than once"]) > 1,
            "Texts that were given to the dead worker, or waited for it, are lost or done twice.",
        ),
        about="death",
        does={"rock": "dies once"},
        last=True,
    )
    killing = ["rope", "rock", *_WORDS[4:8]]
    yield case(
        "a text that kills each worker it meets",
        killing,
        3,
        _expected(killing, [1]) | {"asked more than once": ["rock"]},
        Slip.when(
            "kills-all",
            lambda got: len(got["None at"]) > 1,
            "One text has killed all workers: after the second death, report it.",
        ),
        about="killer",
        does={"rock": "dies"},
        last=True,
    )
    yield case(
        "the last worker dies",
        ["rope", "rock", "lamp", "mat"],
        1,
        _expected(["rope", "rock", "lamp", "mat"], [1, 2, 3]) | _ONCE,
        Slip.when(
            "not-reported",
            lambda got: got["None at"] == [1, 2, 3] and len(got["failed"]) < 3,
            "Texts that nobody embedded are missing in failed.",
        ),
        about="nobody",
        does={"rock": "dies"},
        last=True,
    )


_REASON = "a reason"
