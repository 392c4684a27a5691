"""Search over the shop's documents at two levels: whole documents and single sentences.

A document's score is the mean of its own cosine similarity to the query and the score of its best
sentence: the document alone misses a fact that is one sentence of ten, and the sentence alone is
drawn to the same sentence on another product's page.

A sentence's score is the highest of its own cosine similarity and those of the questions that it
is expected to answer (see `expected`), plus a part for the rare words that it shares with the
query, plus a part for holding the kind of value that the query asks for.

To each document's score the mean similarity of all documents is added. That changes no order, but
tells a query that belongs to the shop from one that is about something else: on the dev questions
it raised the area under the curve of `answerability`. The weights were chosen on dev too.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from langchain_core.documents import Document as Chunk
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter

from helpers.agent.answer_type import kinds_asked, kinds_held
from helpers.agent.expected import Expected, expected_questions
from helpers.agent.passages import Passage
from helpers.agent.vectors import CachedEmbeddings
from helpers.models import embeddings
from helpers.shop import Document, documents

CHUNK = 1200
"""Characters of a chunk at the document level: about 250 tokens, the embedding model's limit."""

SENTENCES = 1
"""Sentences that a passage holds. The local model writes more right answers from one than from two
or three, since it cannot tell which of them answers; for a hosted model, take three or more."""

SHARED_WORDS = 0.2
"""What a sentence scores for sharing all words of the query, weighted by rarity."""

RIGHT_KIND = 0.12
"""What a sentence scores for holding the kind of value that the query asks for."""

NEAREST = 200
"""Sentences and questions that are looked at for a query."""

LONGEST_QUERY = 1000
"""Characters of a query that are compared: the embedding model takes some 380 words."""

# A full stop ends a sentence when a capital, a digit or a quote starts the next one.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'“‘(]?[A-Z0-9£])")
_COMMON_WORDS = (
    "a an the of to in on for is are be it its and or with at by as that this do does can i my me "
    "we you your our how what when which will would much many long have has from not if get am "
    "about need"
)
_COMMON = frozenset(_COMMON_WORDS.split())


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
    """The documents as chunks: parts of the text, sentences, and the questions they answer.

    Each chunk has its document's title in front: "It weighs 2.1 kg." says of what only then. The
    metadata hold `document` (its id), `level` ("document", "sentence" or "question"), `number` (of
    the part or the sentence in its document) and `text` (without the title).
    """
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK, chunk_overlap=CHUNK // 6)
    found = []
    for document in of:
        for number, part in enumerate(splitter.split_text(document.text)):
            found.append(_chunk(document, "document", number, part))
        answers = expected.get(document.id, {})
        for number, sentence in enumerate(split_sentences(document.text)):
            found.append(_chunk(document, "sentence", number, sentence))
            for question in answers.get(sentence, ()):
                found.append(_chunk(document, "question", number, question))
    return found


def _chunk(document: Document, level: str, number: int, text: str) -> Chunk:
    return Chunk(
        page_content=f"{document.title}: {text}",
        metadata={"document": document.id, "level": level, "number": number, "text": text},
    )


def stems(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, cut to five letters; numbers stay whole."""
    words = re.findall(r"[a-z]+|\d+(?:[.,]\d+)*", text.casefold())
    return frozenset(word[:5] if word.isalpha() else word for word in words if word not in _COMMON)


@dataclass(frozen=True)
class _Sentence:
    """What is known of a sentence before any query comes."""

    number: int
    text: str
    stems: frozenset[str]
    kinds: frozenset[str]


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
        found = chunks(of, expected_questions() if expected is None else expected)
        cached = CachedEmbeddings(embeddings)
        self._wholes = _store([c for c in found if c.metadata["level"] == "document"], cached)
        self._parts = _store([c for c in found if c.metadata["level"] != "document"], cached)
        self._sentences = {
            (chunk.metadata["document"], chunk.metadata["number"]): _Sentence(
                chunk.metadata["number"],
                chunk.metadata["text"],
                stems(chunk.page_content),
                kinds_held(
                    chunk.metadata["text"], self._documents[chunk.metadata["document"]].title
                ),
            )
            for chunk in found
            if chunk.metadata["level"] == "sentence"
        }
        self._seen = Counter(stem for one in self._sentences.values() for stem in one.stems)

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The `k` best documents, best first; a long query is searched by its beginning.

        Raises ValueError for an empty query.
        """
        query = query.strip()[:LONGEST_QUERY]
        if not query:
            raise ValueError("The query is empty: ask for something.")
        vector = self._wholes.embeddings.embed_query(query)
        whole: dict[str, float] = {}
        for chunk, similarity in _nearest(self._wholes, vector, len(self._wholes.store)):
            whole.setdefault(chunk.metadata["document"], similarity)
        similar: dict[tuple[str, int], float] = {}
        lowest = 0.0
        for chunk, similarity in _nearest(self._parts, vector, NEAREST):
            similar.setdefault((chunk.metadata["document"], chunk.metadata["number"]), similarity)
            lowest = similarity
        near: dict[str, list[tuple[float, _Sentence]]] = {name: [] for name in self._documents}
        added = self._added(query)
        for (name, number), similarity in similar.items():
            sentence = self._sentences[name, number]
            near[name].append((similarity + added(sentence), sentence))
        for found in near.values():
            found.sort(key=lambda one: -one[0])
        background = fmean(whole.values())
        scores = {
            name: (whole[name] + (near[name][0][0] if near[name] else lowest)) / 2 + background
            for name in self._documents
        }
        best = sorted(scores, key=lambda name: -scores[name])[:k]
        return [self._passage(name, scores[name], near[name]) for name in best]

    def _added(self, query: str) -> Callable[[_Sentence], float]:
        """What a sentence scores beside its similarity to this query."""
        asked = kinds_asked(query)
        words = {stem: self._rarity(stem) for stem in stems(query)}
        all_words = sum(words.values()) or 1.0

        def added(sentence: _Sentence) -> float:
            shared = sum(words[stem] for stem in words.keys() & sentence.stems) / all_words
            return SHARED_WORDS * shared + RIGHT_KIND * bool(asked & sentence.kinds)

        return added

    def _rarity(self, stem: str) -> float:
        return math.log(1 + len(self._sentences) / (1 + self._seen[stem]))

    def _passage(self, name: str, score: float, near: Sequence[tuple[float, _Sentence]]) -> Passage:
        document = self._documents[name]
        first = [self._sentences[name, 0]] if (name, 0) in self._sentences else []
        nearest = [sentence for _, sentence in near[: self._count]] or first
        return Passage(
            document=name,
            title=document.title,
            text=document.text,
            sentences=tuple(one.text for one in sorted(nearest, key=lambda one: one.number)),
            best=nearest[0].text if nearest else document.text,
            score=score,
            kind=document.kind,
        )


def _store(of: list[Chunk], embeddings: Embeddings) -> InMemoryVectorStore:
    store = InMemoryVectorStore(embeddings)
    store.add_documents(of)
    # Left as lists, all vectors would be made an array anew at every search.
    for record in store.store.values():
        record["vector"] = np.asarray(record["vector"])
    return store


def _nearest(store: InMemoryVectorStore, vector: list[float], k: int) -> list[tuple[Chunk, float]]:
    """The `k` chunks most similar to a vector, most similar first."""
    return store.similarity_search_with_score_by_vector(vector, k=k)


def fernhill_index(*, sentences: int = SENTENCES) -> DocumentIndex:
    """The index of the shop's documents for customers, with the course's embeddings."""
    return DocumentIndex(documents(), embeddings(), sentences=sentences)
