"""The questions that sentences are indexed under, held to the documents that they are about."""

import re
from dataclasses import replace
from pathlib import Path

from helpers.agent import fernhill_index
from helpers.agent.expected import expected_questions
from helpers.agent.retrieval import chunks, split_sentences
from helpers.agent.ship_vectors import shipped_texts
from helpers.agent.vectors import CachedEmbeddings
from helpers.models import embeddings
from helpers.shop import document, documents, questions
from helpers.shop.questions import PARTS

WRITTEN = [
    (name, sentence, question)
    for name, answers in expected_questions().items()
    for sentence, of_sentence in answers.items()
    for question in of_sentence
]
"""Document id, sentence and question, of each question in the file."""


def plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()


def test_every_document_for_customers_is_covered_and_no_internal_one() -> None:
    assert set(expected_questions()) == {each.id for each in documents()}


def test_every_sentence_has_a_question() -> None:
    without = [
        (each.id, sentence)
        for each in documents()
        for sentence in split_sentences(each.text)
        if not expected_questions()[each.id].get(sentence)
    ]
    assert not without, f"write questions for these in expected_questions.json: {without}"


def test_every_sentence_that_is_named_stands_in_its_document() -> None:
    gone = [
        (name, sentence)
        for name, answers in expected_questions().items()
        for sentence in answers
        if sentence not in split_sentences(document(name).text)
    ]
    assert not gone, f"these were changed, so mend expected_questions.json: {gone}"


def test_no_question_is_empty_or_stands_for_two_sentences() -> None:
    asked = [plain(question) for _, _, question in WRITTEN]
    assert all(asked)
    assert len(set(asked)) == len(asked)


def test_no_golden_question_is_among_them() -> None:
    asked = {plain(question) for _, _, question in WRITTEN}
    golden = [each for part in PARTS for each in questions(part)]
    assert not [each.id for each in golden if plain(each.question) in asked]


def test_a_question_is_a_chunk_with_the_number_of_its_sentence() -> None:
    made = replace(
        document("returns"), id="made", text="Tents weigh 2 kg. They come in moss green."
    )
    expected = {"made": {"They come in moss green.": ["Which colours are there?"]}}
    found = [chunk for chunk in chunks([made], expected) if chunk.metadata["level"] == "question"]
    assert [chunk.page_content for chunk in found] == [f"{made.title}: Which colours are there?"]
    assert found[0].metadata["number"] == 1
    changed = replace(made, text="Tents weigh 2 kg. They come in slate grey.")
    levels = {chunk.metadata["level"] for chunk in chunks([changed], expected)}
    assert levels == {"sentence"}, "a changed sentence keeps no old question"


def test_a_question_finds_its_own_sentence() -> None:
    index = fernhill_index()
    missed = []
    for name, sentence, question in WRITTEN[::40]:
        (first,) = index.search(question, k=1)
        if (first.document, first.best) != (name, sentence):
            missed.append((question, first.document, first.best))
    assert not missed


def test_the_vectors_of_all_texts_come_with_the_course(tmp_path: Path) -> None:
    computed = tmp_path / "vectors.sqlite"
    CachedEmbeddings(embeddings(), path=computed).embed_documents(shipped_texts())
    assert not computed.exists(), "run `python -m helpers.agent.ship_vectors`"
