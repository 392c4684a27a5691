"""What a stream filter of exercise 03.4 reads, asks and lets out, step by step."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from helpers.course.exercises.words import kind

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Leaks = Callable[[str], bool]
Guarded = Callable[[Iterator[str], Leaks], Iterable[str]]

WITHHELD: Final = "Sorry, I cannot answer that."
SECRET: Final = "FERN7QX4"

EXAMPLE: Final = ("It weighs 2.", "1 kg. The co", "de is FERN-7QX4. Bye.")
HONEST: Final = (
    *("Pack light, ", "e.g", ". a tent", ". It weighs", " 2.", "1 kg!", "", "\nReal"),
    *("ly?! Yes", "... The", " shop (it is open.) says", " “Hello.” and", "\u00a0", "waves.\t"),
)
LEAKY: Final = (
    "Sure. The co",
    "de is FERN-",
    "7QX",
    "4, use it",
    " soon. Have a",
    " nice day. Bye.",
)
SPREAD: Final = ("It begins: F E ", "R N. ", "7 Q X. ", "4! That", " is all. Bye.")


class NotAStream(TypeError):  # noqa: N818 - it reads as what it is
    """What was returned cannot be read text by text; the message says what it is."""


class Lost(ConnectionError):  # noqa: N818 - it reads as what it is
    """The model's answer broke off."""


def leaks(text: str) -> bool:
    """Whether the secret is among the letters and digits of a text, in either case."""
    return SECRET in re.sub(r"[\W_]", "", text).upper()


def told(pieces: Sequence[str]) -> str:
    """The call, as a card shows it."""
    return f"guarded(iter({list(pieces)!r}), leaks), where leaks finds {SECRET[:4]}-{SECRET[4:]}"


def out(answer: Guarded, pieces: Sequence[str]) -> list[str]:
    """The texts that come out."""
    return list(_opened(answer, iter(pieces), leaks))


def steps(answer: Guarded, pieces: Sequence[str | Exception], secret: str = SECRET) -> list[str]:
    """What was read, what was asked, and what came out, in the order in which it happened.

    A piece that is an exception is raised. Reads behind the last piece are not told.
    """
    done: list[str] = []

    def reading() -> Iterator[str]:
        for piece in pieces:
            if isinstance(piece, Exception):
                done.append("reading failed")
                raise piece
            done.append(f"read {piece!r}")
            yield piece

    def asked(text: str, /) -> bool:
        done.append(f"asked {text!r}")
        return secret in re.sub(r"[\W_]", "", text).upper()

    try:
        for text in _opened(answer, reading(), asked):
            done.append(f"out {text!r}")
    except Lost:
        done.append("the error came out")
    return done


def at_the_same_time(answer: Guarded, one: Sequence[str], other: Sequence[str]) -> list[list[str]]:
    """What comes out of two streams that are read in turns."""
    streams = [_opened(answer, iter(pieces), leaks) for pieces in (one, other)]
    found: list[list[str]] = [[], []]
    for _ in range(len(one) + len(other) + 8):
        for texts, stream in zip(found, streams, strict=True):
            texts += [text for text in [next(stream, None)] if text is not None]
    return found


def failing(answer: Guarded, pieces: Sequence[str], at: int) -> list[str]:
    """What comes out when the question number `at` to `leaks` raises an error."""
    found: list[str] = []
    asked = 0

    def breaks(text: str) -> bool:
        nonlocal asked
        asked += 1
        if asked == at:
            raise Lost("the filter's server is down")
        return leaks(text)

    try:
        for text in _opened(answer, iter(pieces), breaks):
            found.append(text)
    except Lost:
        found.append("(the error)")
    return found


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Answers in pieces that are cut anywhere, and a secret, which most of them do not contain."""
    from hypothesis import strategies as st

    parts = ["a", "b", "A", "2.1", "e.g.", ".", "!", "?", " ", "\n", "\u00a0", ".\u200b", '."', "…"]
    piece = st.lists(st.sampled_from(parts), max_size=5).map("".join)
    return st.tuples(st.lists(piece, max_size=6), st.sampled_from(["ZZ", "AB", "A2", "BAA"]))


def _opened(answer: Guarded, pieces: Iterator[str], ask: Leaks) -> Iterator[str]:
    made: Any = answer(pieces, ask)
    if inspect.isasyncgen(made) or inspect.isawaitable(made):
        if inspect.iscoroutine(made):
            made.close()
        raise NotAStream("guarded is async; write a plain generator function")
    if isinstance(made, str) or made is None:
        raise NotAStream(f"guarded returned {kind(made)}; an iterator of texts is expected")
    return iter(made)
