"""Search over the shop's documents, sentence by sentence, with one score for everything.

A sentence is known by several texts: itself, and the questions that it is expected to answer (see
`expected`), each with its document's title in front. Its score for a query is

- the highest cosine similarity of the query and any of its texts,
- plus `WORDS` times the highest BM25 score of any of them (Robertson and Zaragoza, 2009,
  doi:10.1561/1500000019), for rare words that query and text share,
- plus `RIGHT_KIND` where it holds the kind of value that the query asks for (see `answer_type`).

A document is as good as its best sentence, and the agent refuses below one threshold of the same
score (see `answerability`). The weights were chosen on the dev and lab questions.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from langchain_core.documents import Document as Chunk
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from helpers.agent.answer_type import kinds_asked, kinds_held
from helpers.agent.bm25 import BM25
from helpers.agent.expected import Expected, expected_questions
from helpers.agent.passages import Passage
from helpers.agent.vectors import CachedEmbeddings
from helpers.models import embeddings
from helpers.shop import Document, documents

SENTENCES = 1
"""Sentences that a passage holds. The local model writes more right answers from one than from two
or three, since it cannot tell which of them answers; for a hosted model, take three or more."""

WORDS = 0.015
"""What each point of BM25 adds to a sentence's score; a query scores some 5 to 20 points."""

RIGHT_KIND = 0.12
"""What holding the kind of value that the query asks for adds to a sentence's score."""

LONGEST_QUERY = 1000
"""Characters of a query that are compared: the embedding model takes some 380 words."""

# A full stop ends a sentence when a capital, a digit or a quote starts the next one.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'“‘(]?[A-Z0-9£])")


def split_sentences(text: str) -> list[str]:
    """The sentences of plain paragraphs or Markdown list items; headings are left out."""
    lines = (line.strip().lstrip("-* ").strip() for line in text.splitlines())
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line and not line.startswith("#"):
            paragraphs[-1].append(line)
        else:
            paragraphs.append([])
    joined = (" ".join(paragraph) for paragraph in paragraphs)
    return [s for paragraph in joined for s in _SENTENCE_END.split(paragraph) if s]


def chunks(of: Iterable[Document], expected: Expected) -> list[Chunk]:
    """The texts by which each sentence is found: the sentence, then the questions it answers.

    Each has its document's title in front, without which nobody knows what "It weighs 2.1 kg." is
    about. The metadata hold `document` (its id), `level` ("sentence" or "question"), `number` (of
    the sentence in its document) and `text` (without the title). A document of headings alone is
    one sentence.
    """
    found = []
    for document in of:
        answers = expected.get(document.id, {})
        for number, sentence in enumerate(split_sentences(document.text) or [document.text]):
            found.append(_chunk(document, "sentence", number, sentence))
            for question in answers.get(sentence, ()):
                found.append(_chunk(document, "question", number, question))
    return found


def _chunk(document: Document, level: str, number: int, text: str) -> Chunk:
    return Chunk(
        page_content=f"{document.title}: {text}",
        metadata={"document": document.id, "level": level, "number": number, "text": text},
    )


class DocumentIndex:
    """An index of documents in memory; see the module for how it scores."""

    def __init__(
        self,
        of: Sequence[Document],
        embeddings: Embeddings,
        *,
        sentences: int = SENTENCES,
        expected: Expected | None = None,
    ) -> None:
        """Embed the documents.

        Vectors that were computed before are read from disk (see `vectors`).

        Args:
            of: the documents.
            embeddings: what embeds them, and the queries.
            sentences: how many of its sentences a passage holds.
            expected: the questions that sentences answer (`expected_questions()`); documents that
                are not in it are found by their own words.

        Raises:
            ValueError: there are no documents.
        """
        if not of:
            raise ValueError("An index needs at least one document.")
        self._documents = {document.id: document for document in of}
        self._count = sentences
        self._embeddings = CachedEmbeddings(embeddings)
        found = chunks(
            self._documents.values(), expected_questions() if expected is None else expected
        )
        texts = [chunk.page_content for chunk in found]
        self._vectors = _unit(np.array(self._embeddings.embed_documents(texts)))
        self._words = BM25(texts)
        self._sentences = [chunk for chunk in found if chunk.metadata["level"] == "sentence"]
        # Each sentence's texts stand together, itself first: where they begin.
        self._begins = [
            at for at, chunk in enumerate(found) if chunk.metadata["level"] == "sentence"
        ]
        self._kinds = [
            kinds_held(one.metadata["text"], self._documents[one.metadata["document"]].title)
            for one in self._sentences
        ]

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The `k` best documents, best first; a long query is searched by its beginning.

        Raises ValueError for an empty query.
        """
        query = query.strip()[:LONGEST_QUERY]
        if not query:
            raise ValueError("The query is empty: ask for something.")
        scores = self._scores(query)
        ranked: dict[str, list[int]] = {}
        for place in np.argsort(-scores, kind="stable").tolist():
            ranked.setdefault(self._sentences[place].metadata["document"], []).append(place)
        return [
            self._passage(name, places[: self._count], float(scores[places[0]]))
            for name, places in list(ranked.items())[:k]
        ]

    def _scores(self, query: str) -> NDArray[np.float64]:
        """The score of every sentence."""
        vector = _unit(np.array([self._embeddings.embed_query(query)]))[0]
        similar = np.maximum.reduceat(self._vectors @ vector, self._begins)
        words = np.maximum.reduceat(self._words.scores(query), self._begins)
        asked = kinds_asked(query)
        right = np.array([bool(asked & held) for held in self._kinds])
        return np.asarray(similar + WORDS * words + RIGHT_KIND * right, dtype=np.float64)

    def _passage(self, name: str, places: Sequence[int], score: float) -> Passage:
        document = self._documents[name]
        texts = {place: str(self._sentences[place].metadata["text"]) for place in places}
        return Passage(
            document=name,
            title=document.title,
            text=document.text,
            sentences=tuple(texts[place] for place in sorted(places)),
            best=texts[places[0]],
            score=score,
            kind=document.kind,
        )


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of length 1, so that a product of two is their cosine; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0, 1, lengths), dtype=np.float64)


def fernhill_index(*, sentences: int = SENTENCES) -> DocumentIndex:
    """The index of the shop's documents for customers, with the course's embeddings."""
    return DocumentIndex(documents(), embeddings(), sentences=sentences)
