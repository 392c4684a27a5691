"""The detectors, on answers whose score is known."""

from math import sqrt

import pytest
from langchain_core.embeddings import Embeddings

from helpers.models import embeddings
from helpers.monitor.groundedness import mean_logprob, mismatches, overlap, worst_sentence

SOURCE = "Returns: Tents can be returned within 30 days. Ropes are accepted within 14 days."


class Looked(Embeddings):
    """Vectors that a test names."""

    def __init__(self, **vectors: list[float]) -> None:
        self.vectors = vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text.rstrip(".")] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


@pytest.mark.parametrize(
    ("answer", "question", "shared", "foreign"),
    [
        ("You can return a tent within 30 days.", "", 1, 0),
        ("You can return a tent within 45 days.", "", 4 / 5, -1),
        ("Within 45 days, or 60, says Heron Express.", "", 2 / 7, -3),
        ("Within 45 days.", "Is it 45?", 1, 0),  # the customer said it
        ("Yes.", "", 1, 0),
        ("Tents are accepted within 14 days.", "", 1, 0),  # every word is there; it is false
    ],
)
def test_words_numbers_and_names(answer: str, question: str, shared: float, foreign: int) -> None:
    assert overlap(answer, SOURCE, question) == pytest.approx(shared)
    assert mismatches(answer, SOURCE, question) == foreign


def test_the_mean_log_probability() -> None:
    assert mean_logprob([-1, -2, -6]) == -3


def test_an_answer_without_log_probabilities_says_how_to_get_them() -> None:
    with pytest.raises(ValueError, match="logprobs=True"):
        mean_logprob([])


def test_the_least_supported_sentence_counts() -> None:
    # "Near" is as near to "North" as to "East"; "Far" is opposite to one and at a right angle to
    # the other. Lengths must not matter.
    known = Looked(North=[0, 3], East=[1, 0], Near=[2, 2], Far=[0, -1])
    assert worst_sentence("North.", "North. East.", known) == pytest.approx(1)
    assert worst_sentence("North. Near.", "North. East.", known) == pytest.approx(1 / sqrt(2))
    assert worst_sentence("Far. North. Near.", "North. East.", known) == pytest.approx(0)
    assert worst_sentence("Far.", "North.", known) == pytest.approx(-1)


@pytest.mark.parametrize(("answer", "source"), [("", SOURCE), ("You have 30 days.", " ")])
def test_nothing_to_compare_is_an_error(answer: str, source: str) -> None:
    with pytest.raises(ValueError, match="a sentence each"):
        worst_sentence(answer, source, Looked())


@pytest.mark.slow
def test_the_course_s_embeddings_find_what_is_off_the_subject() -> None:
    grounded = worst_sentence("You may send a tent back for a month.", SOURCE, embeddings())
    invented = worst_sentence("Our head office has a large car park.", SOURCE, embeddings())
    assert grounded > invented + 0.2
