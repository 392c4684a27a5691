"""Signs that an answer says more than its passages: numbers, higher for answers better grounded.

Each takes plain values, so that it can be called on live traffic as well as on labelled answers.
None of them reads: what each is worth is measured (`detector_table`). The fifth, a language model
as a judge, is `helpers.evaluate.judge.Judge.probability`.
"""

from collections.abc import Sequence

import numpy as np
from langchain_core.embeddings import Embeddings

from helpers.agent.retrieval import split_sentences
from helpers.evaluate.groundedness import groundedness


def overlap(answer: str, source: str, question: str = "") -> float:
    """Share of the answer's content words that occur in source or question, 0 to 1.

    1 for an answer without content words. Called K-Precision by V. Adlakha et al. 2024 (Trans.
    Assoc. Comput. Linguist. 12), who found it the best of the cheap measures of faithfulness.
    """
    found = groundedness(answer, source, question)
    return 1.0 if found is None else found.overlap


def mismatches(answer: str, source: str, question: str = "") -> int:
    """Minus the count of the answer's numbers, dates, sums and names that are nowhere else.

    After F. Nan et al. 2021 (EACL, "Entity-level factual consistency"). 0 is the best value, and
    many answers share it: an answer can be wrong without a foreign number or name.
    """
    found = groundedness(answer, source, question)
    return 0 if found is None else -len(found.numbers) - len(found.names)


def mean_logprob(logprobs: Sequence[float]) -> float:
    """Mean log-probability of the answer's tokens: how likely the model found its own words.

    After N. M. Guerreiro et al. 2023 (EACL, "Looking for a needle in a haystack"). It needs no
    passages and costs nothing where the model returns it with the answer. Raises ValueError for
    no tokens.
    """
    if not logprobs:
        raise ValueError("The answer has no log-probabilities: ask the model with logprobs=True.")
    return float(np.mean(logprobs))


def worst_sentence(answer: str, source: str, embeddings: Embeddings) -> float:
    """Cosine of the answer's least supported sentence with the source sentence nearest to it.

    The scheme of SummaC (P. Laban et al. 2022, Trans. Assoc. Comput. Linguist. 10): the best
    source sentence for each sentence of the answer, then the worst of these. SummaC asks a model
    of entailment; sentence embeddings know what a sentence is about, and hardly what it says.
    Raises ValueError when answer or source has no sentence.
    """
    said, read = split_sentences(answer), split_sentences(source)
    if not (said and read):
        raise ValueError("Answer and source need a sentence each: leave out empty answers.")
    vectors = np.array(embeddings.embed_documents([*said, *read]), dtype=float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors[: len(said)] @ vectors[len(said) :].T
    return float(cosines.max(axis=1).min())
