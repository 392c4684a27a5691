"""The search by words, on a case worked out by hand."""

import math

import pytest

from helpers.agent.bm25 import BM25

TEXTS = ["red tent", "green tent tent", "blue stove"]


def test_the_scores_are_those_of_the_formula() -> None:
    # Lucene's form, which bm25s takes by default: k1 = 1.5, b = 0.75, mean length 7/3 words.
    rarity = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = 7 / 3

    def score(times: int, length: int) -> float:
        return rarity * times / (times + 1.5 * (1 - 0.75 + 0.75 * length / mean))

    found = BM25(TEXTS).scores("which tent?")
    assert found.tolist() == pytest.approx([score(1, 2), score(2, 3), 0.0], rel=1e-5)


@pytest.mark.parametrize("query", ["", "the of", "kayak", "\x00"])
def test_a_query_that_shares_no_word_scores_nothing(query: str) -> None:
    assert BM25(TEXTS).scores(query).tolist() == [0.0, 0.0, 0.0]


def test_texts_of_common_words_alone_can_be_searched() -> None:
    assert BM25(["it is", "the"]).scores("is it the tent?").tolist() == [0.0, 0.0]
