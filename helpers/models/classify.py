"""Which tool a sentence asks for: a classifier fitted on what the tools say about themselves.

Each tool's description and examples are its training texts; `helpers.models.no_tool` holds those
of the answer "no tool" and of a default tool. Two texts are alike by the cosine of their MiniLM
embeddings, centred on the mean of all training texts (what all tools of one assistant share says
nothing about which is meant), plus half the cosine of their word stems weighted by rarity. On
this kernel a ridge regression with one output per tool is solved in closed form; the highest
output wins. With some 70 texts that takes milliseconds, and about 6 ms for each text that was
never embedded before.

The form and the constants were chosen on the kitchen and hotel requests of
`tests/models/prompts`, and on 240 requests made by joining two of these. There, and on the library
requests that nothing was chosen on, the right tools in the right order were found for:

    requests                 nearest example   this classifier
    kitchen and hotel, 85          72                80
    joined, 240                   141               184
    library, 64                    55                58
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from helpers.models import no_tool
from helpers.models.embed import LocalEmbeddings
from helpers.models.tools import ToolCard, hide_values
from helpers.models.words import FUNCTION_WORDS

Floats = NDArray[np.float64]

# The share of the words beside the embeddings, and the ridge; see the docstring.
_WORDS = 0.5
_RIDGE = 0.3
# A value that only some tools take, such as an order number, speaks for these tools.
_EVIDENCE = 0.5
# How much more a text must ask for a tool than for the default one, or, without one, for none.
_CAUTION = 0.3
# A "no tool" text that is this close to a tool's own text is no counter-example.
_SAME = 0.6
# Longer texts are compared by their beginning: the embedding model takes some 380 words.
LONGEST = 1200


@lru_cache(maxsize=4096)
def _vector(text: str) -> tuple[float, ...]:
    return tuple(LocalEmbeddings().embed_query(text[:LONGEST]))


def _embed(texts: Sequence[str]) -> Floats:
    return np.array([_vector(text) for text in texts])


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def _stems(text: str) -> set[str]:
    """The first five letters of every word that carries meaning: cheap, and enough here."""
    return {word[:5] for word in re.findall(r"[a-z']+", text.lower()) if word not in FUNCTION_WORDS}


class Classifier:
    """Fitted on the cards of the bound tools; `scores` tells how much a text asks for each."""

    def __init__(self, cards: Sequence[ToolCard]) -> None:
        self._cards = cards
        self.names = [*(one.name for one in cards), ""]
        texts = [text for one in cards for text in _texts(one, cards)]
        labels = [place for place, one in enumerate(cards) for _ in _texts(one, cards)]
        known = _embed(texts)
        self._fallback = next((one.name for one in cards if one.default), "")
        others = [(text, "") for text in no_tool.SMALL_TALK]
        others += [(text, self._fallback) for text in no_tool.REST_OF_THE_WORLD]
        for text, name in others:
            if float((known @ _embed([text])[0]).max()) < _SAME:
                texts.append(text)
                labels.append(self.names.index(name))
        rows = _embed(texts)
        self._mean: Floats = rows.mean(axis=0)
        self._rows = _unit(rows - self._mean)
        stems = [_stems(text) for text in texts]
        seen = Counter(stem for found in stems for stem in found)
        self._columns = {stem: place for place, stem in enumerate(seen)}
        self._rarity = np.array([math.log(1 + len(texts) / count) for count in seen.values()])
        self._unseen = math.log(1 + 2 * len(texts))
        self._stems = np.array([self._weights(found) for found in stems])
        self._fit(np.array(labels))

    def _weights(self, stems: set[str]) -> Floats:
        row = np.zeros(len(self._columns))
        unknown = 0
        for stem in stems:
            if stem in self._columns:
                row[self._columns[stem]] = self._rarity[self._columns[stem]]
            else:
                unknown += 1
        # Words that no training text has make the known ones count for less.
        length = math.sqrt(float(row @ row) + unknown * self._unseen**2)
        return row / length if length else row

    def _fit(self, labels: NDArray[np.int_]) -> None:
        kernel = self._rows @ self._rows.T + _WORDS * (self._stems @ self._stems.T)
        wanted = np.where(labels[:, None] == np.arange(len(self.names)), 1.0, -1.0)
        # A tool with few examples counts as much as one with many.
        counts = np.bincount(labels, minlength=len(self.names))
        weight = 1 / counts[labels]
        ridge = _RIDGE * float(weight.mean())
        self._solution: Floats = np.linalg.solve(
            weight[:, None] * kernel + ridge * np.eye(len(labels)), weight[:, None] * wanted
        )

    def scores(self, text: str) -> dict[str, float]:
        """How much a text asks for each tool, about -1 (not at all) to 1; "" means no tool."""
        hidden = hide_values(text, self._cards)
        row = _unit(_embed([hidden]) - self._mean)[0]
        kernel = self._rows @ row + _WORDS * (self._stems @ self._weights(_stems(hidden)))
        scores = dict(zip(self.names, (kernel @ self._solution).tolist(), strict=True))
        for one in self._cards:
            if any(identifier.find(text) for identifier in one.identifiers.values()):
                scores[one.name] += _EVIDENCE
        scores[self._fallback] += _CAUTION
        return scores

    def best(self, text: str) -> str:
        """The name of the tool that a text asks for, or "" for none."""
        scores = self.scores(text)
        return max(scores, key=lambda name: scores[name])


def _texts(one: ToolCard, cards: Sequence[ToolCard]) -> list[str]:
    name = one.name.replace("_", " ")
    about = f"{name}: {one.description}" if one.description else name
    return [about, *(hide_values(example.text, cards) for example in one.examples)]
