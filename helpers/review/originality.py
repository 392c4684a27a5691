"""Words of one's own: what of a text is neither given nor said before."""

from collections.abc import Iterable

from helpers.review.prose import words

_RUN = 5  # words in a row that count as copied
_COMMON = """
    a an the and or but not no is are was were be been it its this that these those of in on at to
    for from by with as if then than so we you they there which what who when where how why do
    does did has have had can could would should may might must will also only very
"""
COMMON_WORDS = frozenset(_COMMON.split())
"""Words that carry no meaning of their own."""


class Seen:
    """Remembers runs of words, and counts those of a text that are new."""

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._runs: set[tuple[str, ...]] = set()
        for text in given:
            self.add(text)

    def add(self, text: str) -> None:
        """Take a text as said."""
        self._runs.update(_runs(words(text)))

    def own(self, text: str) -> int:
        """How many words are in no run of five that was said before, in the text itself either."""
        said = words(text)
        copied: set[int] = set()
        here: set[tuple[str, ...]] = set()
        for place, run in enumerate(_runs(said)):
            if run in self._runs or run in here:
                copied.update(range(place, place + len(run)))
            here.add(run)
        # A word said over and over is no text, whatever its runs are.
        return min(len(said) - len(copied), 4 * len(set(said)))


def share_of(text: str, other: str) -> float:
    """How much of a text's content the other one has: words that carry meaning, from 0 to 1."""
    mine, theirs = _content(text), _content(other)
    return len(mine & theirs) / len(mine) if mine else 0.0


def _content(text: str) -> set[str]:
    return {_stem(word) for word in words(text) if word not in COMMON_WORDS and len(word) > 1}


def _stem(word: str) -> str:
    for end in ("'s", "ing", "ed", "es", "s"):
        if word.endswith(end) and len(word) > len(end) + 2:
            return word[: -len(end)]
    return word


def _runs(said: list[str]) -> list[tuple[str, ...]]:
    if len(said) < _RUN:
        return [tuple(said)] if said else []
    return [tuple(said[n : n + _RUN]) for n in range(len(said) - _RUN + 1)]
