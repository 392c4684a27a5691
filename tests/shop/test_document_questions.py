"""The golden questions that one document answers: single facts and conditions."""

import re

import bm25s
import pytest

from helpers.evaluate.text import states, tokens
from helpers.shop import Question, document, documents
from helpers.shop.questions import FOLDER, PARTS, Part, load_file

COUNTS = {
    ("dev", "single_fact"): 24,
    ("dev", "conditional"): 12,
    ("lab", "single_fact"): 24,
    ("lab", "conditional"): 12,
    ("heldout", "single_fact"): 42,
    ("heldout", "conditional"): 22,
    ("heldout2", "single_fact"): 18,
    ("heldout2", "conditional"): 9,
}
SETS = {key: load_file(FOLDER / f"{key[0]}-{key[1]}.jsonl") for key in COUNTS}
ALL = [question for found in SETS.values() for question in found]


def sentences(text: str) -> list[str]:
    return [s for part in text.split("\n\n") for s in re.split(r"(?<=[.!?])\s+(?=[A-Z])", part)]


def answers(text: str, question: Question) -> bool:
    """Whether a text holds every required fact and none of the forbidden ones."""
    return all(
        any(states(text, fact) for fact in group) for group in question.required
    ) and not any(states(text, fact) for fact in question.forbidden)


def answering(question: Question) -> list[str]:
    assert question.document is not None
    return [s for s in sentences(document(question.document).text) if answers(s, question)]


def pasting_is_wrong(question: Question) -> bool:
    assert question.document is not None
    return not answers(document(question.document).text, question)


@pytest.mark.parametrize("key", COUNTS, ids="-".join)
def test_counts(key: tuple[Part, str]) -> None:
    assert len(SETS[key]) == COUNTS[key]


def test_ids_and_wordings_are_unique() -> None:
    assert len({q.id for q in ALL}) == len(ALL)
    assert len({q.question.casefold() for q in ALL}) == len(ALL)


def test_a_question_is_about_one_public_document_and_nobody_s_order() -> None:
    public = {d.id for d in documents()}
    for question in ALL:
        assert question.document in public
        assert question.order is None
        assert question.customer is None
        assert [call.name for call in question.tools] == ["search_documents"]


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.id)
def test_a_sentence_of_the_document_is_a_right_answer(question: Question) -> None:
    assert answering(question)


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.id)
def test_forbidden_values_stand_elsewhere_in_the_document(question: Question) -> None:
    """Another spelling of a forbidden value may be listed too, but one must stand there."""
    assert question.document is not None
    right = set(answering(question))
    others = [s for s in sentences(document(question.document).text) if s not in right]
    if question.forbidden:
        assert any(states(s, fact) for fact in question.forbidden for s in others)


@pytest.mark.parametrize("key", COUNTS, ids="-".join)
def test_pasting_the_document_is_wrong(key: tuple[Part, str]) -> None:
    caught = sum(pasting_is_wrong(q) for q in SETS[key])
    least = len(SETS[key]) if key[1] == "conditional" else len(SETS[key]) / 2
    assert caught >= least


def test_no_fact_is_asked_in_two_parts() -> None:
    facts = {}
    for question in ALL:
        for sentence in answering(question):
            key = (question.document, sentence, tokens(question.required[0][0]))
            assert key not in facts, (question.id, facts[key])
            facts[key] = question.id


def test_each_part_spreads_over_the_documents() -> None:
    for part in PARTS:
        found = [q for (p, _), group in SETS.items() if p == part for q in group]
        assert len({q.document for q in found}) >= 0.8 * len(found)


@pytest.mark.parametrize("part", ["heldout", "heldout2"])
def test_the_wording_is_not_the_document_s(part: Part) -> None:
    """BM25 finds the right document first for at most three quarters of what is held out."""
    public = documents()
    index = bm25s.BM25()
    texts = [f"{d.title}\n{d.text}" for d in public]
    index.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)
    asked = SETS[part, "single_fact"] + SETS[part, "conditional"]
    words = bm25s.tokenize([q.question for q in asked], stopwords="en", show_progress=False)
    first, _ = index.retrieve(words, k=1, show_progress=False)
    right = [public[row[0]].id == q.document for row, q in zip(first, asked, strict=True)]
    assert sum(right) / len(right) <= 0.75
