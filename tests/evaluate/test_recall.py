import pytest

from helpers.evaluate.recall import WordSearch, recall
from helpers.shop import documents, questions


def test_recall_counts_the_questions_that_have_a_document() -> None:
    dev = questions("dev")
    having = [question for question in dev if question.document]
    right = {question.question: question.document for question in having}
    always = recall(lambda text, k: [right[text]], dev, 1)
    assert (always.successes, always.total) == (len(having), len(having))
    assert recall(lambda text, k: [], dev, 3).successes == 0


def test_recall_looks_no_further_than_k() -> None:
    dev = [question for question in questions("dev") if question.document]
    third = recall(
        lambda text, k: ["a", "b", *(q.document for q in dev if q.question == text)][:k], dev, 2
    )
    assert third.successes == 0


def test_words_find_the_document_that_holds_them() -> None:
    search = WordSearch(documents())
    assert search.search("mountain rescue teams nurses teachers", 1) == ["student-discount"]
    assert search.search("xylophone", 3) == []
    assert search.scores("") == {}


def test_a_word_search_needs_documents() -> None:
    with pytest.raises(ValueError, match="at least one"):
        WordSearch([])
