"""Two searches on the same questions, one of them with an index that was never rebuilt.

The older search compares words (BM25). The newer one is the agent's own, by meaning, on an index
that was built on `INDEX_BUILT`; documents that were written or rewritten later are not in it.
"""

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers.shop import Question, document, documents, questions
from helpers.shop.questions import Part

if TYPE_CHECKING:
    import pandas as pd

INDEX_BUILT = date(2026, 4, 9)
"""The day on which the newer search's index was built."""


def known_of(question: Question) -> dict[str, Any]:
    """What is known of a question before it is asked, and of the document that answers it.

    Without a document, its columns are None, `updated` is NaT.
    """
    import pandas as pd

    about = document(question.document) if question.document is not None else None
    price = None if about is None or about.price is None else float(about.price)
    return {
        "id": question.id,
        "kind": question.kind,
        "question": question.question,
        "length": len(question.question),
        "words": len(question.question.split()),
        "logged_in": question.customer is not None,
        "names_product": any(
            one.kind == "product" and one.title.split(",")[0].lower() in question.question.lower()
            for one in documents()
        ),
        "document": question.document,
        "doc_kind": about and about.kind,
        "doc_title": about and about.title,
        "doc_words": about and len(about.text.split()),
        "doc_headings": about and about.text.count("\n#"),
        "doc_tables": about and about.text.count("\n|") > 0,
        "doc_price": price,
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
    """A row for each question of a part that a document answers: what is known of it, and whether
    the older search (`before`) and the newer one (`after`) put the right document first."""
    import pandas as pd

    before, after = two_searches(part)
    rows = [
        {**known_of(question), "before": before[question.id], "after": after[question.id]}
        for question in about_documents(part)
    ]
    return pd.DataFrame(rows)
