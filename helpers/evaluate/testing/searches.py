"""Two searches on the same questions, one of them with an index that was never rebuilt.

The older search compares words (BM25). The newer one is the agent's own, by meaning, on an index
that was built on `INDEX_BUILT`; documents that were written or rewritten later are not in it.
"""

import re
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers.shop import Question, document, documents, questions
from helpers.shop.questions import Part

if TYPE_CHECKING:
    import pandas as pd

INDEX_BUILT = date(2026, 4, 9)
"""The day on which the newer search's index was built."""

_WORD = re.compile(r"[a-z]+|\d+")


def known_of(question: Question) -> dict[str, Any]:
    """What is known of a question before it is asked, and of the document that answers it.

    Without a document, the columns about it are None, and `updated` is NaT.
    """
    import pandas as pd

    about = document(question.document) if question.document is not None else None
    words = _WORD.findall(question.question.lower())
    return {
        "id": question.id,
        "kind": question.kind,
        "question": question.question,
        "words": len(words),
        "first_word": words[0],
        "has_number": any(word.isdigit() for word in words),
        "logged_in": question.customer is not None,
        "document": question.document,
        "doc_title": about and about.title,
        "doc_kind": about and about.kind,
        "doc_words": about and len(about.text.split()),
        "doc_price": None if about is None or about.price is None else float(about.price),
        "words_shared": about and len(set(words) & set(_WORD.findall(about.text.lower()))),
        "updated": pd.NaT if about is None else pd.Timestamp(about.updated),
    }


def about_documents(part: Part) -> list[Question]:
    """The questions of a part that a document answers."""
    return [question for question in questions(part) if question.document is not None]


@cache
def two_searches(part: Part) -> "tuple[dict[str, bool], dict[str, bool]]":
    """Whether the older and the newer search found the right document first, by question id."""
    from helpers.agent import DocumentIndex
    from helpers.evaluate.recall import WordSearch
    from helpers.models import embeddings

    known = [one for one in documents() if one.updated <= INDEX_BUILT]
    words, index = WordSearch(documents()), DocumentIndex(known, embeddings())
    before: dict[str, bool] = {}
    after: dict[str, bool] = {}
    for question in about_documents(part):
        before[question.id] = words.search(question.question, k=1) == [question.document]
        after[question.id] = index.search(question.question, k=1)[0].document == question.document
    return before, after


def searched(part: Part) -> "pd.DataFrame":
    """Both searches on a part: a row for each question that a document answers.

    The columns are those of `known_of`, and then `before` and `after`: whether the older search and
    the newer one put the right document first.
    """
    import pandas as pd

    before, after = two_searches(part)
    return pd.DataFrame(
        [
            {**known_of(question), "before": before[question.id], "after": after[question.id]}
            for question in about_documents(part)
        ]
    )
