"""What a stream filter of exercise 03.4 reads, asks and lets out, step by step."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from helpers.course.exercises.raised import ERRORS
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


WHITE_SPACE: Final = [sign for sign in map(chr, range(sys.maxunicode)) if sign.isspace()]
ENDS: Final = (
    *(f"a.{sign}b" for sign in WHITE_SPACE),
    *(
        f"{word} Fern"
        for word in ("Mr.", "Dr.", "St.", "No.", "approx.", "U.K.", "p.m.", "7.", ".")
    ),
    *("a. b", "a.\r\n\r\nb", "a! b", "a? b", "a?! b", "a ! b", "A. 1", "a.  b.  c. "),
)
"""Texts that have more than one sentence."""
NO_ENDS: Final = (
    *(f"a.{sign}b" for sign in "\u200b\u2060\ufeff\u180e\0\x08)\"'"),
    *(f"a{sign} b" for sign in "。！？…‽։؟;:¡|"),
    *("a\n\nb", "a.\u0301 b", "- a\n- b", "e\u0301 \u212b \ufb01 \r\t\0 ½\xad"),
)
"""Texts that have one."""


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
    reading, asked = _watched(pieces, secret, done)
    try:
        stream = _opened(answer, reading, asked)
        done += ["before the first text was wanted"] if done else []
        for text in stream:
            done.append(f"out {text!r}")
    except Lost:
        done.append("the error came out")
    return done


def in_turns(
    answer: Guarded, answers: Sequence[Sequence[str]], turns: Sequence[int]
) -> list[list[str]]:
    """What was read, asked and let out of each of several streams.

    Each turn, the number of a stream, reads one text of it, and the first one opens it. Afterwards
    those that were opened are read to their ends, the last one first.
    """
    done: list[list[str]] = [[] for _ in answers]
    opened: dict[int, Iterator[str]] = {}

    def read(number: int) -> bool:
        if number not in opened:
            reading, asked = _watched(answers[number], SECRET, done[number])
            opened[number] = _opened(answer, reading, asked)
        text = next(opened[number], None)
        done[number] += [] if text is None else [f"out {text!r}"]
        return text is not None

    for number in turns:
        read(number)
    for number in reversed(opened):
        while read(number):
            pass
    return done


def left_early(answer: Guarded, pieces: Sequence[str], texts: int) -> list[str]:
    """What happens when the reader closes the stream after so many texts."""
    done: list[str] = []
    reading, asked = _watched(pieces, SECRET, done)
    stream = _opened(answer, reading, asked)
    for _ in range(texts):
        done.append(f"out {next(stream)!r}")
    try:
        getattr(stream, "close", lambda: None)()
    except RuntimeError as error:
        done.append(f"close raised {error}")
    return done


def cut_wrongly(answer: Guarded) -> list[str]:
    """What comes out of texts with every white space and with odd signs, where it is wrong."""
    found = []
    for text in (*ENDS, *NO_ENDS):
        texts = out(answer, [text])
        if texts != re.split(r"(?<=[.!?])(?=\s)", text):
            found.append(f"{text!r} came out as {texts!r}")
    return found


def long_answer(answer: Guarded) -> list[str]:
    """What is wrong with a long answer: many sentences, a long one, and a secret far apart."""
    honest = [f" This is sentence {n}, and it is harmless." for n in range(120)]
    honest[30] = f" {WITHHELD}"
    honest.insert(60, " It goes on" + " and on" * 1500 + ".")
    last = " Its other half is QX4."
    text = "It begins with FERN 7." + "".join(honest) + last + " Bye."
    pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
    done: list[str] = []
    texts: list[str] = []
    reading, _ = _watched(pieces, "", [])

    def asked(said: str, /) -> bool:
        if said != text[: len(said)] or not said.startswith("".join(texts)):
            done.append(f"leaks was asked about {len(said)} signs that are not the answer so far")
        return "FERN 7." in said and "QX4" in said

    for one in _opened(answer, reading, asked):
        texts.append(one)
    wanted = ["It begins with FERN 7.", *honest, WITHHELD]
    for n, (got, want) in enumerate(zip(texts, wanted, strict=False), 1):
        if got != want:
            done.append(f"text {n} has {len(got)} signs, and should have {len(want)}")
    if len(texts) != len(wanted):
        done.append(f"{len(texts)} texts came out, and should be {len(wanted)}")
    return done[:4]


def errors_lost(answer: Guarded) -> list[str]:
    """The errors of the pieces and of leaks that do not come out as they are."""
    found = []
    for error_type in ERRORS:
        for of in ("the pieces", "leaks"):
            error = error_type("the server is down")
            texts = _until(answer, error, of)
            if texts != ["One.", error]:
                found.append(f"{error!r} of {of}: {', '.join(map(repr, texts))} came out")
    return found


def _until(answer: Guarded, error: Exception, of: str) -> list[str | Exception]:
    def reading() -> Iterator[str]:
        yield "One. Tw"
        if of == "the pieces":
            raise error
        yield "o. Three."

    def asked(text: str, /) -> bool:
        if of == "leaks" and text != "One.":
            raise error
        return False

    found: list[str | Exception] = []
    try:
        for text in _opened(answer, reading(), asked):
            found.append(text)
    except Exception as came:
        found.append(came)
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

    parts = [
        *("a", "b", "A", "2.1", "e.g.", ".", "!", "?", " ", "\n", "\u00a0", ".\u200b", '."', "…"),
        *("\r\n", "\x1c", "\x85", "\u2028", "e\u0301", "Dr.", "。", WITHHELD),
    ]
    piece = st.lists(st.sampled_from(parts), max_size=5).map("".join)
    return st.tuples(st.lists(piece, max_size=6), st.sampled_from(["ZZ", "AB", "A2", "BAA"]))


def several() -> "SearchStrategy[tuple[Any, ...]]":
    """Some answers, two of which may be the same, and the turns in which they are read."""
    from hypothesis import strategies as st

    answers = st.lists(
        st.sampled_from(
            [EXAMPLE, HONEST, LEAKY, SPREAD, ("One. Two. Three. Four",), ("A", "b. C")]
        ),
        min_size=2,
        max_size=3,
    )
    return answers.flatmap(
        lambda made: st.tuples(
            st.just(made), st.lists(st.integers(0, len(made) - 1), min_size=2, max_size=9)
        )
    )


def _watched(
    pieces: Sequence[str | Exception], secret: str, done: list[str]
) -> tuple[Iterator[str], Leaks]:
    """The pieces and the filter of one answer, which write into `done` what they are asked for."""

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

    return reading(), asked


def _opened(answer: Guarded, pieces: Iterator[str], ask: Leaks) -> Iterator[str]:
    made: Any = answer(pieces, ask)
    if inspect.isasyncgen(made) or inspect.isawaitable(made):
        if inspect.iscoroutine(made):
            made.close()
        raise NotAStream("guarded is async; write a plain generator function")
    if isinstance(made, str) or made is None:
        raise NotAStream(f"guarded returned {kind(made)}; an iterator of texts is expected")
    return iter(made)
