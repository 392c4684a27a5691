"""The questions that each sentence of a document is expected to answer.

A customer's question and the sentence that answers it often share no word; two questions for the
same thing are much nearer to each other. So every sentence is indexed under a question or two
that it answers as well: document expansion (R. Nogueira and others, "Document Expansion by Query
Prediction", 2019, arXiv:1904.08375). There a model writes the questions once, when a document
changes. Fernhill's were written from the documents alone, without the golden questions of lab and
heldout.

They stand in `expected_questions.json`, by document and sentence. A sentence that was changed
simply has none, and a test names it.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("expected_questions.json")

Expected = Mapping[str, Mapping[str, Sequence[str]]]
"""Document id, then sentence, then the questions that it answers."""


@cache
def expected_questions() -> Expected:
    """Those of the shop's documents for customers."""
    found: dict[str, dict[str, list[str]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
