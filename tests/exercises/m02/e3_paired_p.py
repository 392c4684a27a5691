"""Answers to exercise 02.3."""

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from math import comb
from typing import Any

import numpy as np
from scipy.stats import (
    PermutationMethod,
    binomtest,
    bootstrap,
    mannwhitneyu,
    permutation_test,
    ttest_1samp,
    ttest_ind,
    ttest_rel,
    wilcoxon,
)

from helpers.authoring.answers import right, wrong

Figures = list[float]


class Parts:
    """A right test in parts, of which a faulty one replaces some."""

    most, drawn, seed, hair = 12, 10_000, 0, 1e-12

    size: float = 0.0

    def __call__(self, before: Figures, after: Figures) -> float:
        differences = self.differences(before, after)
        count = len(differences)
        few = count <= self.most
        signs = self.all(count) if few else self.some(count)
        sums = signs @ differences
        self.size = np.abs(differences).sum()
        hits = int(self.far(sums, differences.sum()).sum())
        return self.share(hits, len(sums)) if few else self.of_drawn(hits, len(sums))

    def differences(self, before: Figures, after: Figures) -> Any:
        return np.subtract(after, before)

    def all(self, count: int) -> Any:
        return np.array(list(product([1, -1], repeat=count)))

    def some(self, count: int) -> Any:
        return np.random.default_rng(self.seed).choice([1, -1], (self.drawn, count))

    def far(self, sums: Any, seen: float) -> Any:
        return np.abs(sums) >= abs(seen) - self.allowed()

    def allowed(self) -> float:
        return self.hair * self.size

    def share(self, hits: int, ways: int) -> float:
        return hits / ways

    def of_drawn(self, hits: int, ways: int) -> float:
        return (hits + 1) / (ways + 1)


class Fixed(Parts):
    """Allows for the same amount, whatever the figures."""

    def __init__(self, amount: float) -> None:
        self.amount = amount

    def allowed(self) -> float:
        return self.amount


class Rounded(Parts):
    """Rounds the differences first."""

    def __init__(self, digits: int) -> None:
        self.digits = digits

    def differences(self, before: Figures, after: Figures) -> Any:
        return np.round(super().differences(before, after), self.digits)


def above(most: int, many: Callable[[Figures, Figures], float]) -> object:
    """A right test up to so many questions, and another one above."""
    return lambda before, after: (Parts() if len(before) <= most else many)(before, after)


def by_ranks(before: Figures, after: Figures) -> float:
    differences = np.subtract(after, before)
    return float(wilcoxon(differences, method="asymptotic").pvalue) if differences.any() else 1.0


def by_t(before: Figures, after: Figures) -> float:
    return float(ttest_rel(before, after).pvalue)


def by_signs(before: Figures, after: Figures) -> float:
    differences = np.subtract(after, before)
    up, down = int((differences > 0).sum()), int((differences < 0).sum())
    return float(binomtest(up, up + down).pvalue) if up + down else 1.0


@wrong("Nothing is ever significant.", slip="one")
def always_one() -> object:
    return lambda before, after: 1.0


@wrong("Everything is.", slip="zero")
def always_zero() -> object:
    return lambda before, after: 0.0


@wrong("Compares two heaps of numbers.", slip="unpaired")
def unpaired() -> object:
    return lambda before, after: float(ttest_ind(before, after).pvalue)


@wrong("The ranks of two heaps.", slip="unpaired")
def unpaired_ranks() -> object:
    return lambda before, after: float(mannwhitneyu(before, after).pvalue)


@wrong("Shuffles both versions' figures over all questions.")
def shuffled() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        def apart(one: Any, other: Any, axis: int) -> Any:
            return np.mean(other, axis=axis) - np.mean(one, axis=axis)

        kind: Any = "independent"
        found = permutation_test(
            (before, after), apart, permutation_type=kind, n_resamples=200, rng=0
        )
        return float(found.pvalue)

    return paired_p


@wrong("A t-test.")
def t_test() -> object:
    return by_t


@wrong("A t-test above 12 questions.")
def t_test_above() -> object:
    return above(12, by_t)


@wrong("A t-test of the differences above 12, one-sided and doubled.")
def t_test_doubled() -> object:
    def doubled(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        ways = ("less", "greater")
        found = min(ttest_1samp(differences, 0, alternative=way).pvalue for way in ways)
        return float(2 * found)

    return above(12, doubled)


@wrong("Wilcoxon's test.")
def ranks() -> object:
    return by_ranks


@wrong("Wilcoxon's ranks, all ways of them.")
def ranks_exact() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        method = PermutationMethod(n_resamples=500, rng=0)
        return float(wilcoxon(differences, method=method).pvalue) if differences.any() else 1.0

    return paired_p


@wrong("Wilcoxon's test above 12 questions.")
def ranks_above() -> object:
    return above(12, by_ranks)


@wrong("Counts the signs alone.", slip="signs")
def signs_alone() -> object:
    return by_signs


@wrong("Counts the signs alone above 12 questions.")
def signs_above() -> object:
    return above(12, by_signs)


@wrong("McNemar's test of figures that are right or wrong.")
def mcnemar_alone() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        lost = sum(b > a for b, a in zip(before, after, strict=True))
        gained = sum(b < a for b, a in zip(before, after, strict=True))
        fewer, all_of = min(lost, gained), lost + gained
        return float(min(1.0, sum(comb(all_of, k) for k in range(fewer + 1)) / 2 ** (all_of - 1)))

    return paired_p


@wrong("More than as far, not at least as far.")
def strictly_further() -> object:
    class Wrong(Parts):
        def far(self, sums: Any, seen: float) -> Any:
            return np.abs(sums) > abs(seen) + self.allowed()

    return Wrong()


@wrong("Rounding loses ties.", slip="rounding")
def lost_ties() -> object:
    class Wrong(Parts):
        hair = 0.0

    return Wrong()


@wrong("Rounding loses ties of means.", slip="rounding")
def lost_ties_of_means() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        parts = Parts()
        signs = parts.all if len(before) <= 12 else parts.some
        means = np.abs((signs(len(before)) * differences).mean(axis=1))
        hits = int((means >= abs(differences.mean())).sum())
        return hits / len(means) if len(before) <= 12 else (hits + 1) / (len(means) + 1)

    return paired_p


@wrong("What is nearly as far counts as well.", slip="wide")
def too_wide() -> object:
    return Fixed(0.3)


@wrong("A hundredth is allowed for, whatever the figures.")
def a_hundredth() -> object:
    return Fixed(0.01)


@wrong("A millionth is allowed for, whatever the figures.")
def a_millionth() -> object:
    return Fixed(1e-6)


@wrong("A billionth is allowed for, whatever the figures.")
def a_billionth() -> object:
    return Fixed(1e-9)


@wrong("A trillionth is allowed for, whatever the figures.")
def a_trillionth() -> object:
    return Fixed(1e-12)


@wrong("A thousandth of all sizes is allowed for.")
def a_thousandth_of_all() -> object:
    class Wrong(Parts):
        hair = 1e-3

    return Wrong()


@wrong("Differences are rounded to hundredths.")
def rounded_to_hundredths() -> object:
    return Rounded(2)


@wrong("Differences are rounded to millionths.")
def rounded_to_millionths() -> object:
    return Rounded(6)


@wrong("Rounding loses ties above 12 questions.")
def lost_ties_above() -> object:
    return above(12, Fixed(0.0))


@wrong("More than 1 where nothing changes.")
def more_than_one() -> object:
    class Wrong(Parts):
        def of_drawn(self, hits: int, ways: int) -> float:
            return (hits + 1) / ways

    return Wrong()


@wrong("What was seen counts twice among random ways.")
def seen_twice() -> object:
    class Wrong(Parts):
        def of_drawn(self, hits: int, ways: int) -> float:
            return (hits + 2) / (ways + 1)

    return Wrong()


@wrong("Keeps its results by the number of questions and the sums.")
def kept_by_sums() -> object:
    kept: dict[tuple[int, float, float], float] = {}

    def paired_p(before: Figures, after: Figures) -> float:
        key = len(before), sum(before), sum(after)
        if key not in kept:
            kept[key] = Parts()(before, after)
        return kept[key]

    return paired_p


@wrong("Keeps its results by the lists' identity.")
def kept_by_identity() -> object:
    kept: dict[tuple[int, int], float] = {}

    def paired_p(before: Figures, after: Figures) -> float:
        key = id(before), id(after)
        if key not in kept:
            kept[key] = Parts()(before, after)
        return kept[key]

    return paired_p


@wrong("One-sided.", slip="one-sided")
def one_sided() -> object:
    class Wrong(Parts):
        def far(self, sums: Any, seen: float) -> Any:
            return sums * np.sign(seen) >= abs(seen) - self.allowed()

    return Wrong()


@wrong("One-sided above 12 questions.", slip="half")
def one_sided_above() -> object:
    class Wrong(Parts):
        def far(self, sums: Any, seen: float) -> Any:
            one = sums * np.sign(seen) >= abs(seen) - self.allowed()
            return super().far(sums, seen) if len(sums) <= 4096 else one

    return Wrong()


@wrong("Slower is the only difference.")
def slower_alone() -> object:
    class Wrong(Parts):
        def far(self, sums: Any, seen: float) -> Any:
            return np.abs(sums) >= seen - self.allowed()

    return Wrong()


@wrong("Random flips may give 0.", slip="zero")
def may_be_zero() -> object:
    class Wrong(Parts):
        def of_drawn(self, hits: int, ways: int) -> float:
            return hits / ways

    return Wrong()


@wrong("Counts what was seen once more, also among all ways.", slip="twice")
def counts_twice() -> object:
    class Wrong(Parts):
        def share(self, hits: int, ways: int) -> float:
            return (hits + 1) / (ways + 1)

    return Wrong()


@wrong("Always flips at random.", slip="sampled")
def always_at_random() -> object:
    class Wrong(Parts):
        most = 0

    return Wrong()


@wrong("Flips at random from 12 questions on.", slip="sampled")
def random_from_12() -> object:
    class Wrong(Parts):
        most = 11

    return Wrong()


@wrong("The flips are not even.")
def uneven_flips() -> object:
    class Wrong(Parts):
        def some(self, count: int) -> Any:
            chance = np.random.default_rng(0)
            return chance.choice([1, -1], (self.drawn, count), p=[0.65, 0.35])

    return Wrong()


@wrong("Twenty random flips.")
def few_flips() -> object:
    class Wrong(Parts):
        drawn = 20

    return Wrong()


@wrong("One sign for all questions.")
def one_sign() -> object:
    class Wrong(Parts):
        def all(self, count: int) -> Any:
            return np.array([[1] * count, [-1] * count])

    return Wrong()


@wrong("Above 12 questions, the first 12.")
def first_twelve() -> object:
    return above(12, lambda before, after: Parts()(before[:12], after[:12]))


@wrong("Questions that did not change are left out of sight, and so are their figures.")
def sizes_as_one() -> object:
    class Wrong(Parts):
        def differences(self, before: Figures, after: Figures) -> Any:
            return np.sign(np.subtract(after, before))

    return Wrong()


@wrong("Relative differences.")
def relative() -> object:
    class Wrong(Parts):
        def differences(self, before: Figures, after: Figures) -> Any:
            one, other = np.array(before), np.array(after)
            return (other - one) / (np.abs(one) + np.abs(other) + 1)

    return Wrong()


@wrong("A bootstrap of the differences.")
def by_bootstrap() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        found = bootstrap((differences,), np.mean, n_resamples=300, method="percentile", rng=0)
        means = found.bootstrap_distribution
        return float(min(1.0, 2 * min((means <= 0).mean(), (means >= 0).mean())))

    return paired_p


@wrong("The lists are sorted first.")
def sorts() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        before.sort()
        after.sort()
        return Parts()(before, after)

    return paired_p


@wrong("The p-value as a text.")
def as_text() -> object:
    return lambda before, after: str(Parts()(before, after))


@wrong("The significance, not the p-value.")
def significance() -> object:
    return lambda before, after: 1 - Parts()(before, after)


@right("All ways as an array, or 10,000 random ones.")
def in_parts() -> object:
    return Parts()


@right("All ways up to 13 questions, and 30,000 random ones above, by another seed.")
def other_numbers() -> object:
    class Right(Parts):
        most, drawn, seed = 13, 30_000, 11

    return Right()


@right("A loop over all ways, with the figures as they are written, and NumPy's float.")
def by_loop() -> object:
    def paired_p(before: Figures, after: Figures) -> Any:
        pairs = zip(before, after, strict=True)
        differences = [Decimal(str(a)) - Decimal(str(b)) for b, a in pairs]
        if len(differences) > 12:
            return np.float64(Parts()(before, after))
        seen, hits = abs(sum(differences, Decimal())), 0
        for signs in product((1, -1), repeat=len(differences)):
            flipped = sum((s * d for s, d in zip(signs, differences, strict=True)), Decimal())
            hits += abs(flipped) >= seen
        return hits / 2 ** len(differences)

    return paired_p


@right("SciPy's test of the mean difference, with chance that has no seed.")
def by_mean() -> object:
    def paired_p(before: Figures, after: Figures) -> Any:
        def mean(one: Any, other: Any, axis: int) -> Any:
            return np.mean(np.subtract(other, one), axis=axis)

        kind: Any = "samples"
        return permutation_test((before, after), mean, permutation_type=kind).pvalue

    return paired_p


@right("Shares of the sum of all sizes, rounded; random ways beyond 12 questions.")
def rounded_shares() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        size = np.abs(differences).sum()
        shares = differences / size if size else differences
        parts = Parts()
        signs = (parts.all if len(before) <= 12 else parts.some)(len(before))
        hits = int((np.round(np.abs(signs @ shares), 10) >= round(abs(shares.sum()), 10)).sum())
        return hits / len(signs) if len(before) <= 12 else (hits + 1) / (len(signs) + 1)

    return paired_p


@right("SciPy's test of the differences alone.")
def of_differences() -> object:
    def paired_p(before: Figures, after: Figures) -> float:
        differences = np.subtract(after, before)
        kind: Any = "samples"
        found = permutation_test(
            (differences,), np.sum, permutation_type=kind, n_resamples=10_000, rng=4
        )
        return float(found.pvalue)

    return paired_p


EQUIVALENT: dict[str, str] = {}
