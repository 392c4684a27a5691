"""Exercise 06.1: vectors of a pool of actors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, exercise


class Changed(ValueError):  # noqa: N818 - it says what is wrong
    """A learner's function changed what it was given."""


class Killed(ValueError):  # noqa: N818 - it says what is wrong
    """A learner's function ended a worker."""


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


_ONCE: dict[str, Any] = {
    "asked more than once": {},
    "given to a dead worker": 0,
    "given to a busy worker": 0,
}
_SAYS = {
    "poison": "raises a ValueError",
    "KeyError": "raises a KeyError",
    "TimeoutError": "raises a TimeoutError",
    "long": "takes until all others are embedded",
    "dies once": "kills the first worker that has it",
    "dies": "kills each worker that has it",
}
_IN_ANY_CASE = (
    Slip.raises("no-pair", NotAPair, "Return two things: the list of vectors, and the dict."),
    Slip.raises("changed", Changed, "Change neither the list of workers nor that of texts."),
    Slip.raises("killed", Killed, "Leave the workers alive: the next call uses them again."),
)
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
        last: bool = False,
        limit: float = 10,
        does: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> Case:
        def call() -> Any:
            from helpers.course.exercises.m06 import pools

            return pools.embedded(answer, texts, workers, does or {}, times)

        said = [f"{text!r} {_SAYS[what]}" for text, what in (does or {}).items()]

        return Case(
            name,
            call=call,
            show="; ".join([f"embed_all with {workers} of the workers, {list(texts)}", *said]),
            expect=expect,
            slips=(*_IN_ANY_CASE, *slips),
            about=about,
            limit=limit,
            live=False,
            after_all=last,
        )

    texts = [*_WORDS, "tent"]
    yield case(
        "ten texts, one of them twice",
        texts,
        3,
        _expected(texts, []) | _ONCE,
        Slip.when(
            "two-at-once",
            lambda got: (
                got["right vectors at"] == [*range(11)] and got["given to a busy worker"] > 0
            ),
            "A worker got a text while it had another one: give each at most one at a time.",
        ),
        Slip.when(
            "by-text",
            lambda got: 10 in (got["length"], len(got["right vectors at"])),
            "A text that comes twice has two places.",
        ),
        Slip.when(
            "another-order",
            lambda got: got["length"] == len(texts) and got["None at"] == [],
            "A vector belongs at the place of its text, whichever is ready first.",
        ),
        limit=30,  # Ray starts in it, and on a busy machine that takes minutes
    )
    yield case(
        "poisoned texts",
        (
            poisoned := [
                "tent",
                "bad tent",
                "rope",
                "bad rope",
                "lamp",
                "bad lamp",
                "mat",
                "bad tent",
            ]
        ),
        2,
        _expected(poisoned, lost := [1, 3, 5, 7]) | _ONCE,
        Slip.when(
            "stops-at-poison",
            lambda got: len(got["right vectors at"]) < 4,
            "One poisoned text costs the vectors of others: catch its error for itself.",
        ),
        Slip.when(
            "one-place",
            lambda got: got["None at"] == lost and len({1, 7} & {*got["failed"]}) == 1,
            "A poisoned text that comes twice has failed at two places, each with its reason.",
        ),
        Slip.when(
            "unreported",
            lambda got: got["None at"] == lost and len(got["failed"]) < len(lost),
            "Not all that failed is in failed: embed may raise an exception of any type.",
        ),
        Slip.when(
            "no-message",
            lambda got: [*got["failed"]] == lost and set(got["failed"].values()) != {_REASON},
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
            last=name == "second",
        )
    yield case("no text", [], 2, _expected([], []) | _ONCE, about="nobody")
    yield case("one worker", _WORDS[:3], 1, _expected(_WORDS[:3], []) | _ONCE)
    dying = [*_WORDS[:2], "rock", *_WORDS[2:]]
    yield case(
        "a worker dies once",
        dying,
        4,
        _expected(dying, []) | _ONCE | {"asked more than once": {"rock": 2}},
        Slip.raises(
            "stops-at-death",
            Exception,
            "A worker died, and all is lost: catch ActorDiedError for its text.",
        ),
        Slip.when(
            "lost-text",
            lambda got: got["None at"] == [2] and not got["failed"],
            "The text that the worker had when it died is neither embedded nor reported.",
        ),
        Slip.when(
            "reported-at-once",
            lambda got: got["None at"] == [2] and got["asked more than once"] == {},
            "The worker died, which need not be the text's fault: another one can embed it.",
        ),
        Slip.when(
            "dead-one-asked",
            lambda got: len(got["None at"]) > 1,
            "Texts are lost that nobody has touched: a dead worker was asked for them.",
        ),
        Slip.when(
            "dead-one-called",
            lambda got: got["given to a dead worker"] > 0,
            "A worker that has died was called again: give a dead one nothing more.",
        ),
        about="death",
        does={"rock": "dies once"},
        last=True,
    )
    killing = ["rope", "rock", *_WORDS[4:8], "stone"]
    yield case(
        "a text that kills each worker it meets, and one that kills one",
        killing,
        4,
        _expected(killing, [1]) | _ONCE | {"asked more than once": {"rock": 2, "stone": 2}},
        Slip.when(
            "kills-all",
            lambda got: got["asked more than once"].get("rock", 0) > 2,
            "One text has killed three workers: after the second death, report it.",
        ),
        Slip.when(
            "deaths-together",
            lambda got: {*got["asked more than once"]} != {"rock", "stone"},
            "Of two texts, each had its first death; the second of them was given up.",
        ),
        about="killer",
        does={"rock": "dies", "stone": "dies once"},
        last=True,
    )
    yield case(
        "the last worker dies",
        ["rock", "rock", "rock"],
        1,
        _expected(["rock"] * 3, [0, 1, 2]) | _ONCE,
        Slip.when(
            "not-reported",
            lambda got: got["None at"] == [0, 1, 2] and len(got["failed"]) < 3,
            "Texts that nobody embedded are missing in failed.",
        ),
        about="nobody",
        does={"rock": "dies"},
        last=True,
    )


_REASON = "a reason"
