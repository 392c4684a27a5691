import functools
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from helpers.authoring.answers import right, wrong

Scores = dict[str, float]
Fuse = Callable[[Scores, Scores], object]


def scaled(scores: Scores) -> Scores:
    low, high = min(scores.values()), max(scores.values())
    return {name: (s - low) / (high - low) if high > low else 0.0 for name, s in scores.items()}


def guard(words: Scores, meaning: Scores) -> None:
    if strays := [name for name in words if name not in meaning]:
        raise ValueError(f"only words has {', '.join(strays)}")


def fused(words: Scores, meaning: Scores) -> Scores:
    if not meaning:
        return {}
    lexical = scaled({name: words.get(name, 0.0) for name in meaning})
    semantic = scaled(meaning)
    return {name: 0.25 * lexical[name] + 0.75 * semantic[name] for name in meaning}


def ranking(rank: Callable[[Scores], object]) -> Fuse:
    """The right guard and scores, ranked by `rank`."""

    def fuse(words: Scores, meaning: Scores) -> object:
        guard(words, meaning)
        return rank(fused(words, meaning))

    return fuse


def scoring(score: Callable[[Scores, Scores], Scores]) -> Fuse:
    """The right guard and ranking, with another score; `words` has every id."""

    def fuse(words: Scores, meaning: Scores) -> object:
        guard(words, meaning)
        if not meaning:
            return []
        return best_first(score({name: words.get(name, 0.0) for name in meaning}, meaning))

    return fuse


def best_first(scores: Scores) -> list[str]:
    return sorted(scores, key=lambda name: (-scores[name], name))


def weighted(lexical: Scores, semantic: Scores) -> Scores:
    return {name: 0.25 * lexical[name] + 0.75 * semantic[name] for name in semantic}


@wrong("The body is empty.")
def nothing() -> object:
    def fuse(words: Scores, meaning: Scores) -> None:
        pass

    return fuse


@wrong("The order in which the documents came.", slip="as-they-came")
def as_they_came() -> object:
    return lambda words, meaning: list(meaning)


@wrong("Ranks by meaning alone.", slip="meaning-alone")
def meaning_alone() -> object:
    return scoring(lambda words, meaning: meaning)


@wrong("Ranks by words alone.", slip="words-alone")
def words_alone() -> object:
    return scoring(lambda words, meaning: words)


@wrong("Adds scores of different scales.", slip="plain-sum")
def plain_sum() -> object:
    return scoring(lambda words, meaning: {name: words[name] + meaning[name] for name in meaning})


@wrong("Weights the scores as they are.", slip="not-scaled")
def not_scaled() -> object:
    return scoring(weighted)


@wrong("The weights are the other way round.", slip="weights-swapped")
def weights_swapped() -> object:
    return scoring(lambda words, meaning: weighted(scaled(meaning), scaled(words)))


@wrong("Other weights.")
def other_weights() -> object:
    def score(words: Scores, meaning: Scores) -> Scores:
        lexical, semantic = scaled(words), scaled(meaning)
        return {name: 0.3 * lexical[name] + 0.7 * semantic[name] for name in meaning}

    return scoring(score)


@wrong("Both searches have the same weight.")
def no_weights() -> object:
    def score(words: Scores, meaning: Scores) -> Scores:
        lexical, semantic = scaled(words), scaled(meaning)
        return {name: lexical[name] + semantic[name] for name in meaning}

    return scoring(score)


@wrong("The worst comes first.", slip="worst-first")
def worst_first() -> object:
    return ranking(lambda scores: sorted(scores, key=lambda name: (scores[name], name)))


@wrong("Ties stay in the order of the dictionary.", slip="ties-by-place")
def ties_by_place() -> object:
    return ranking(lambda scores: sorted(scores, key=lambda name: scores[name], reverse=True))


@wrong("Ties come z to a.", slip="ties-backwards")
def ties_backwards() -> object:
    return ranking(
        lambda scores: sorted(scores, key=lambda name: (scores[name], name), reverse=True)
    )


@wrong("Ties regardless of capitals.")
def ties_without_capitals() -> object:
    return ranking(lambda scores: sorted(scores, key=lambda name: (-scores[name], name.lower())))


@wrong("Ties by number, as a file browser does.")
def ties_by_number() -> object:
    def number(name: str) -> tuple[str, int]:
        head, _, tail = name.rpartition("-")
        return (head, int(tail)) if tail.isdigit() else (name, 0)

    return ranking(
        lambda scores: sorted(scores, key=lambda name: (-scores[name], *number(name), name))
    )


@wrong("Ties are lost: one id a score.")
def ties_lost() -> object:
    def rank(scores: Scores) -> list[str]:
        by_score = {score: name for name, score in sorted(scores.items(), reverse=True)}
        return [by_score[score] for score in sorted(by_score, reverse=True)]

    return ranking(rank)


@wrong("Only the documents that both searches name.", slip="common-only")
def only_the_common() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        return [name for name in best_first(fused(words, meaning)) if name in words]

    return fuse


@wrong("Only the documents with a score above 0.")
def only_the_positive() -> object:
    return ranking(lambda scores: [name for name in best_first(scores) if scores[name] > 0])


@wrong("The best three.")
def the_best_three() -> object:
    return ranking(lambda scores: best_first(scores)[:3])


@wrong("Nothing to divide by when all scores are equal.", slip="no-distance")
def no_distance() -> object:
    def scale(scores: Scores) -> Scores:
        low, high = min(scores.values()), max(scores.values())
        return {name: (score - low) / (high - low) for name, score in scores.items()}

    return scoring(lambda words, meaning: weighted(scale(words), scale(meaning)))


@wrong("Swallows the division, and loses the other search with it.")
def swallows_the_division() -> object:
    def scale(scores: Scores) -> Scores:
        low, high = min(scores.values()), max(scores.values())
        return {name: (score - low) / (high - low) for name, score in scores.items()}

    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        try:
            every = {name: words.get(name, 0.0) for name in meaning}
            return best_first(weighted(scale(every), scale(meaning)))
        except (ZeroDivisionError, ValueError):
            return sorted(meaning)

    return fuse


@wrong("Swallows the error of its own guard.")
def swallows_its_own_error() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        try:
            guard(words, meaning)
            return best_first(fused(words, meaning))
        except ValueError:
            return []

    return fuse


@wrong("Leaves out an id that only words has, without a word.")
def ignores_strays() -> object:
    return lambda words, meaning: best_first(fused(words, meaning))


@wrong("Ranks an id that only words has.")
def ranks_strays() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        every = {name: meaning.get(name, 0.0) for name in {**meaning, **words}}
        return best_first(fused(words, every))

    return fuse


@wrong("Raises an error that does not name the id.")
def names_no_id() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        if not set(words) <= set(meaning):
            raise ValueError("unknown document")
        return best_first(fused(words, meaning))

    return fuse


@wrong("Raises another error.")
def another_error() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        for name in words:
            if name not in meaning:
                raise KeyError(name)
        return best_first(fused(words, meaning))

    return fuse


@wrong("Needs at least one document.", slip="nothing-to-look-at")
def needs_a_document() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        return best_first(
            weighted(scaled({n: words.get(n, 0.0) for n in meaning}), scaled(meaning))
        )

    return fuse


@wrong("Returns nothing at all where words is empty.")
def gives_up_without_words() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        return best_first(fused(words, meaning)) if words else []

    return fuse


@wrong("Scales words before the missing ones count as 0.")
def missing_after_scaling() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        if not meaning:
            return []
        lexical = scaled(words) if words else {}
        return best_first(weighted({n: lexical.get(n, 0.0) for n in meaning}, scaled(meaning)))

    return fuse


@wrong("Divides by the highest score alone.")
def by_the_highest() -> object:
    def scale(scores: Scores) -> Scores:
        top = max(scores.values()) or 1.0
        return {name: score / top for name, score in scores.items()}

    return scoring(lambda words, meaning: weighted(scale(words), scale(meaning)))


@wrong("Takes the lowest score of each search to be 0.")
def lowest_is_zero() -> object:
    def scale(scores: Scores) -> Scores:
        low, high = min(0.0, *scores.values()), max(scores.values())
        return {name: (s - low) / (high - low) if high > low else 0.0 for name, s in scores.items()}

    return scoring(lambda words, meaning: weighted(scale(words), scale(meaning)))


@wrong("Fuses by rank.")
def by_rank() -> object:
    def score(words: Scores, meaning: Scores) -> Scores:
        names = list(meaning)
        ranks = [rankdata([-one[name] for name in names]) for one in (words, meaning)]
        sums = 0.25 / (10 + ranks[0]) + 0.75 / (10 + ranks[1])
        return dict(zip(names, map(float, sums), strict=True))

    return scoring(score)


@wrong("Scales by mean and spread.")
def by_mean_and_spread() -> object:
    def scale(scores: Scores) -> Scores:
        values = np.array(list(scores.values()))
        spread = values.std() or 1.0
        return dict(zip(scores, ((values - values.mean()) / spread).tolist(), strict=True))

    return scoring(lambda words, meaning: weighted(scale(words), scale(meaning)))


@wrong("Rounds the fused scores to two digits.")
def rounds() -> object:
    return ranking(lambda scores: best_first({n: round(s, 2) for n, s in scores.items()}))


@wrong("Fills in the missing scores in the dictionary that it was given.")
def fills_in() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        for name in meaning:
            words.setdefault(name, 0.0)
        return best_first(fused(words, meaning))

    return fuse


@wrong("Empties the dictionary that it was given.")
def empties() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        found = best_first(fused(words, meaning))
        meaning.clear()
        return found

    return fuse


@wrong("Remembers the ranking of the same documents.")
def remembers() -> object:
    known: dict[tuple[str, ...], list[str]] = {}

    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        return known.setdefault(tuple(sorted(meaning)), best_first(fused(words, meaning)))

    return fuse


@wrong("The scores come along.")
def with_scores() -> object:
    return ranking(lambda scores: [(name, scores[name]) for name in best_first(scores)])


@wrong("A dictionary of ids and scores.")
def a_dictionary() -> object:
    return ranking(lambda scores: {name: scores[name] for name in best_first(scores)})


@wrong("A set has no order.")
def a_set() -> object:
    return ranking(set)


@wrong("The best id alone.")
def the_best_alone() -> object:
    return ranking(lambda scores: (best_first(scores) or [""])[0])


@wrong("The best ten.")
def the_best_ten() -> object:
    return ranking(lambda scores: best_first(scores)[:10])


@wrong("One scale for both searches.")
def one_scale() -> object:
    def score(words: Scores, meaning: Scores) -> Scores:
        both = [*words.values(), *meaning.values()]
        low, distance = min(both), max(both) - min(both) or 1.0
        return {n: (0.25 * words[n] + 0.75 * meaning[n] - low) / distance for n in meaning}

    return scoring(score)


@wrong("A score below 0 counts as 0.")
def nothing_below_zero() -> object:
    return scoring(
        lambda words, meaning: weighted(
            scaled({n: max(0.0, s) for n, s in words.items()}),
            scaled({n: max(0.0, s) for n, s in meaning.items()}),
        )
    )


@wrong("The sign of a score does not count.")
def without_signs() -> object:
    return scoring(
        lambda words, meaning: weighted(
            scaled({n: abs(s) for n, s in words.items()}),
            scaled({n: abs(s) for n, s in meaning.items()}),
        )
    )


@wrong("A missing document has the lowest score of words.")
def missing_is_the_lowest() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        if not meaning:
            return []
        lowest = min(words.values(), default=0.0)
        every = {name: words.get(name, lowest) for name in meaning}
        return best_first(weighted(scaled(every), scaled(meaning)))

    return fuse


@wrong("Scores that are almost alike count as equal.")
def almost_alike() -> object:
    return ranking(
        lambda scores: sorted(scores, key=lambda name: (-round(scores[name] * 1000), name))
    )


@wrong("Rounds what it has scaled to four digits.")
def rounds_to_four() -> object:
    def scale(scores: Scores) -> Scores:
        return {name: round(score, 4) for name, score in scaled(scores).items()}

    return scoring(lambda words, meaning: weighted(scale(words), scale(meaning)))


@wrong("Nothing to rank, so nothing to look for.")
def no_guard_without_documents() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        if not meaning:
            return []
        guard(words, meaning)
        return best_first(fused(words, meaning))

    return fuse


@wrong("An id that only words has is an error where it has a score.")
def strays_with_a_score() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        found = {name: score for name, score in words.items() if score > 0 or name in meaning}
        guard(found, meaning)
        return best_first(fused(words, meaning))

    return fuse


@wrong("More ids in words than in meaning are the only error.")
def counts_the_ids() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        if len(words) > len(meaning):
            guard(words, meaning)
        return best_first(fused(words, meaning))

    return fuse


@wrong("Prints the error.")
def prints_the_error() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        try:
            guard(words, meaning)
        except ValueError as error:
            print(error)
        return best_first(fused(words, meaning))

    return fuse


@wrong("Every id twice.")
def twice() -> object:
    return ranking(lambda scores: [name for name in best_first(scores) for _ in range(2)])


@wrong("The ids in one text.")
def one_text() -> object:
    return ranking(lambda scores: ", ".join(best_first(scores)))


@right("A tuple.")
def a_tuple() -> object:
    return ranking(lambda scores: tuple(best_first(scores)))


@right("A generator.")
def a_generator() -> object:
    def fuse(words: Scores, meaning: Scores) -> Iterator[str]:
        guard(words, meaning)
        yield from best_first(fused(words, meaning))

    return fuse


@right("An array of NumPy, with its arithmetic.")
def an_array() -> object:
    def scale(values: np.ndarray) -> np.ndarray:
        distance = np.ptp(values)
        return (values - values.min()) / distance if distance else np.zeros(len(values))

    def fuse(words: Scores, meaning: Scores) -> np.ndarray:
        guard(words, meaning)
        if not meaning:
            return np.array([])
        names = np.array(sorted(meaning))
        lexical = scale(np.array([words.get(name, 0.0) for name in names]))
        semantic = scale(np.array([meaning[name] for name in names]))
        return names[np.argsort(-(0.75 * semantic + 0.25 * lexical), kind="stable")]

    return fuse


@right("Tables of pandas.")
def a_table() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        guard(words, meaning)
        scores = pd.DataFrame({"words": words, "meaning": meaning}, index=sorted(meaning))
        scores = scores.fillna(0.0).astype(float)
        distance = (scores.max() - scores.min()).replace(0, 1)
        both = ((scores - scores.min()) / distance) @ [0.25, 0.75]
        return both.sort_values(ascending=False, kind="stable").index

    return fuse


@right("Two stable sorts, the second by score.")
def two_sorts() -> object:
    return ranking(
        lambda scores: sorted(sorted(scores), key=lambda name: scores[name], reverse=True)
    )


@right("Fractions, so that nothing is rounded.")
def fractions() -> object:
    def scale(scores: Scores) -> dict[str, Fraction]:
        exact = {name: Fraction(score) for name, score in scores.items()}
        low = min(exact.values())
        distance = max(exact.values()) - low or Fraction(1)
        return {name: (score - low) / distance for name, score in exact.items()}

    return scoring(
        lambda words, meaning: {
            n: scale(words)[n] + 3 * scale(meaning)[n]  # type: ignore[misc]
            for n in meaning
        }
    )


@right("A comparison of two at a time.")
def compares() -> object:
    def rank(scores: Scores) -> list[str]:
        def order(one: str, other: str) -> int:
            if scores[one] != scores[other]:
                return -1 if scores[one] > scores[other] else 1
            return -1 if one < other else 1

        return sorted(scores, key=functools.cmp_to_key(order))

    return ranking(rank)


EQUIVALENT = {
    "line 18, 0.0 -> 1.0: return dict.fromkeys(scores, 0.0)": (
        "the same amount more for every document keeps the order"
    ),
    "line 18, 0.0 -> -1.0: return dict.fromkeys(scores, 0.0)": (
        "the same amount less for every document keeps the order"
    ),
    "line 19, Sub -> Add: return {name: (score - low) / (high - low) for name, score in"
    " scores.items()}": "twice the lowest score more for every document keeps the order",
}


def scaled_by(distance: Callable[[float], float]) -> Fuse:
    """The right ranking, but for the distance from the lowest score to the highest."""

    def scale(scores: Scores) -> Scores:
        low = min(scores.values())
        apart = distance(max(scores.values()) - low)
        return {name: (score - low) / apart if apart else 0.0 for name, score in scores.items()}

    return scoring(lambda words, meaning: weighted(scale(words), scale(meaning)))


@wrong("Adds a billionth to the distance.")
def adds_a_billionth() -> object:
    return scaled_by(lambda distance: distance + 1e-9)


@wrong("Adds a thousandth to the distance.")
def adds_a_thousandth() -> object:
    return scaled_by(lambda distance: distance + 1e-3)


@wrong("Takes a small distance for none.")
def no_small_distance() -> object:
    return scaled_by(lambda distance: distance if distance > 1e-6 else 0.0)


@wrong("Takes a very small distance for none.")
def no_very_small_distance() -> object:
    return scaled_by(lambda distance: distance if distance > 1e-9 else 0.0)


@wrong("Rounds the fused scores to six digits.")
def rounds_to_six_digits() -> object:
    return ranking(lambda scores: best_first({one: round(s, 6) for one, s in scores.items()}))


@wrong("Sorts the dictionary that it was given.", slip="reorders")
def sorts_what_it_was_given() -> object:
    def fuse(words: Scores, meaning: Scores) -> object:
        found = ranking(best_first)(words, meaning)
        kept = sorted(meaning.items())
        meaning.clear()
        meaning.update(kept)
        return found

    return fuse
