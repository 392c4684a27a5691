"""What the agent searches in the cases of module 01: the shop's index, one passage, or nothing."""

from functools import cache

from helpers.agent import DocumentIndex, Passage, fernhill_index

BOOTS = Passage(
    document="warranty",
    title="Warranty",
    text="Tents have a guarantee of 5 years. Footwear has a guarantee of 1 year.",
    sentences=("Footwear has a guarantee of 1 year.",),
    best="Footwear has a guarantee of 1 year.",
    score=0.9,
)


class OnePassage:
    """A search that always finds the same passage, by default `BOOTS`."""

    def __init__(self, passage: Passage = BOOTS) -> None:
        self._passage = passage

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The one passage."""
        return [self._passage]


class NoDocuments:
    """A search that finds nothing."""

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """No passage."""
        return []


@cache
def index() -> DocumentIndex:
    """The shop's index, made once."""
    return fernhill_index()
