"""`python -m helpers.cost.trap_table`: what a semantic cache would serve, with and without guard.

A trap that is served is a wrong answer; a pair of wordings of one intent that is served is an
answer saved. Without the guard no threshold serves pairs and no traps, since the traps are nearer.
The guard takes away all the traps, and on heldout also all the pairs.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings

from helpers.cost.guard import same_question
from helpers.cost.traffic import PARTS, Part, pairs, traps
from helpers.models import embeddings

THRESHOLDS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True)
class Served:
    """How many of the traps and of the pairs a cache would serve at one threshold."""

    threshold: float
    guard: bool
    traps: int
    pairs: int


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
        Served(at, guard, served("traps", at, guard), served("pairs", at, guard))
        for guard in (False, True)
        for at in THRESHOLDS
    ]


def main() -> None:
    """Print the table of one part."""
    parser = argparse.ArgumentParser(description="Traps and pairs a semantic cache would serve.")
    parser.add_argument("--part", choices=PARTS, default="dev")
    part: Part = parser.parse_args().part
    print(f"{part}: {len(traps(part))} traps, {len(pairs(part))} pairs")
    print("guard  threshold  traps served  pairs served")
    for row in trap_table(part, embeddings()):
        guard = "with" if row.guard else "none"
        print(f"{guard:5}  {row.threshold:9.2f}  {row.traps:12}  {row.pairs:12}")


if __name__ == "__main__":
    main()
