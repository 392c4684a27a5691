"""What a semantic cache would serve by its threshold, with and without the guard.

A trap that is served is a wrong answer; a pair of wordings of one intent that is served is an
answer saved. Both fall with the threshold. The guard takes away the
traps of heldout at every threshold, and the pairs with them: without it a cache serves 23 of the
112 pairs at 0.75 (and 58 of the 63 traps), with it none of either.
"""

from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings

from helpers.cost.guard import same_question
from helpers.cost.traffic import Part, pairs, traps

THRESHOLDS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True)
class Served:
    """How many of the traps and of the pairs a cache would serve at one threshold."""

    threshold: float
    guard: bool
    traps: int
    of_traps: int
    pairs: int
    of_pairs: int


def trap_table(part: Part, model: Embeddings) -> list[Served]:
    """Served traps and pairs by threshold, without and with the guard. Embeds each text once."""
    two = {
        "traps": [(trap.asked, trap.stored) for trap in traps(part)],
        "pairs": pairs(part),
    }
    texts = list(dict.fromkeys(text for some in two.values() for pair in some for text in pair))
    vectors = np.asarray(model.embed_documents(texts))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    of = dict(zip(texts, vectors, strict=True))
    cosines = {name: [float(of[a] @ of[b]) for a, b in some] for name, some in two.items()}
    same = {name: [same_question(a, b) for a, b in some] for name, some in two.items()}

    def served(name: str, threshold: float, guard: bool) -> int:
        return sum(
            cosine >= threshold and (not guard or passed)
            for cosine, passed in zip(cosines[name], same[name], strict=True)
        )

    return [
        Served(
            threshold=at,
            guard=guard,
            traps=served("traps", at, guard),
            of_traps=len(two["traps"]),
            pairs=served("pairs", at, guard),
            of_pairs=len(two["pairs"]),
        )
        for guard in (False, True)
        for at in THRESHOLDS
    ]
