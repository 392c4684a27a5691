"""Answers to exercise 08.5, each a right one with a part that is another."""

import itertools
import math
import statistics
import warnings
from typing import Any

import numpy as np
from scipy.stats import permutation_test, ttest_ind, ttest_rel

from helpers.authoring.answers import right, wrong


class Parts:
    """The steps, one method each; the answers below change one."""

    kind = "samples"
    alternative = "two-sided"
    resamples = 9999
    seed: int | None = 1

    def look(self, pairs: Any, control: Any) -> None:
        if len(pairs) < 2:
            raise ValueError("These pairs are too few.")
        if len(control) < 2:
            raise ValueError("The control is too short.")

    def gap(self, pairs: Any) -> Any:
        return float(np.mean([a for a, _ in pairs]) - np.mean([b for _, b in pairs]))

    def p(self, pairs: Any) -> Any:
        first, second = np.array(pairs, dtype=float).T
        return permutation_test(
            (first, second),
            lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
            permutation_type=self.kind,
            alternative=self.alternative,
            n_resamples=self.resamples,
            rng=self.seed,
            vectorized=True,
        ).pvalue

    def error(self, control: Any) -> Any:
        return statistics.stdev(a - b for a, b in control) / math.sqrt(len(control))

    def margin(self, pairs: Any, control: Any) -> Any:
        return abs(self.gap(control)) + 2 * self.error(control)

    def accused(self, gap: Any, p: Any, margin: Any) -> Any:
        return bool(p < 0.05 and abs(gap) > margin + 1e-12)

    def __call__(self, pairs: Any, control: Any) -> Any:
        self.look(pairs, control)
        gap, p, margin = self.gap(pairs), self.p(pairs), self.margin(pairs, control)
        return {"gap": gap, "p": p, "margin": margin, "accused": self.accused(gap, p, margin)}


def but(**changes: Any) -> object:
    changed: Any = type("Changed", (Parts,), changes)()
    return lambda *arguments: changed(*arguments)


@wrong("Nothing comes back.")
def nothing() -> object:
    return lambda pairs, control: None


@wrong("Everybody is accused.")
def accuses_all() -> object:
    return but(accused=lambda self, gap, p, margin: True)


@wrong("Nobody is accused.")
def accuses_none() -> object:
    return but(accused=lambda self, gap, p, margin: False)


@wrong("No control.", slip="without-margin")
def without_margin() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.05))


@wrong("No test.", slip="without-p")
def without_p() -> object:
    return but(accused=lambda self, gap, p, margin: bool(abs(gap) > margin + 1e-12))


@wrong("Either is enough.")
def either() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.05 or abs(gap) > margin))


@wrong("A negative gap is no gap.", slip="one-direction")
def one_direction() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.05 and gap > margin + 1e-12))


@wrong("The test is one-sided.", slip="one-sided")
def one_sided() -> object:
    return but(alternative="greater")


@wrong("The pairs are torn apart.", slip="torn-apart")
def independent() -> object:
    return but(kind="independent")


@wrong("It pairs at random instead of swapping.")
def pairings() -> object:
    return but(kind="pairings")


@wrong("A t-test for independent samples.")
def t_test() -> object:
    def p(self: Parts, pairs: Any) -> float:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            found = float(ttest_ind(*np.array(pairs, dtype=float).T).pvalue)
        return 1.0 if math.isnan(found) else found

    return but(p=p)


@wrong("A paired t-test.")
def paired_t_test() -> object:
    def p(self: Parts, pairs: Any) -> float:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            found = float(ttest_rel(*np.array(pairs, dtype=float).T).pvalue)
        return 1.0 if math.isnan(found) else found

    return but(p=p)


@wrong("Too few resamples.")
def too_few() -> object:
    return but(resamples=20)


@wrong("No seed.")
def no_seed() -> object:
    return but(seed=None)


@wrong("The gap is the second minus the first.")
def other_sign() -> object:
    return but(gap=lambda self, pairs: -Parts().gap(pairs))


@wrong("The gap without its sign.")
def absolute_gap() -> object:
    return but(gap=lambda self, pairs: abs(Parts().gap(pairs)))


@wrong("The margin leaves out the control's gap.")
def errors_alone() -> object:
    return but(margin=lambda self, pairs, control: 2 * self.error(control))


@wrong("The control's gap with its sign.")
def signed_margin() -> object:
    return but(margin=lambda self, pairs, control: self.gap(control) + 2 * self.error(control))


@wrong("One standard error.")
def one_error() -> object:
    return but(margin=lambda self, pairs, control: abs(self.gap(control)) + self.error(control))


@wrong("1.96 standard errors.")
def normal_error() -> object:
    def margin(self: Parts, pairs: Any, control: Any) -> Any:
        return abs(self.gap(control)) + 1.96 * self.error(control)

    return but(margin=margin)


@wrong("The margin is made of the pairs.")
def own_margin() -> object:
    return but(margin=lambda self, pairs, control: Parts().margin(control, pairs * 2))


@wrong("The population's standard deviation.")
def population() -> object:
    def error(self: Parts, control: Any) -> Any:
        return statistics.pstdev(a - b for a, b in control) / math.sqrt(len(control))

    return but(error=error)


@wrong("The deviation, and not the error.")
def deviation() -> object:
    return but(error=lambda self, control: statistics.stdev(a - b for a, b in control))


@wrong("The error by the number of pairs.")
def wrong_count() -> object:
    def margin(self: Parts, pairs: Any, control: Any) -> Any:
        spread = statistics.stdev(a - b for a, b in control)
        return abs(self.gap(control)) + 2 * spread / math.sqrt(len(pairs))

    return but(margin=margin)


@wrong("The errors of both native wordings, as if unpaired.")
def unpaired_error() -> object:
    def error(self: Parts, control: Any) -> Any:
        both = [statistics.variance(column) for column in zip(*control, strict=True)]
        return math.sqrt(sum(both) / len(control))

    return but(error=error)


@wrong("A gap as large as the margin is enough.")
def at_the_margin() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.05 and abs(gap) > margin - 1e-12))


@wrong("5% of 10%.")
def other_level() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.005 and abs(gap) > margin))


@wrong("6%.", slip="level")
def six_percent() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.06 and abs(gap) > margin + 1e-12))


@wrong("4%.", slip="level")
def four_percent() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.04 and abs(gap) > margin + 1e-12))


@wrong("A rounding error accuses.", slip="rounding-accuses")
def no_tolerance() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.05 and abs(gap) > margin))


@wrong("A gap has to be a millionth above the margin.")
def wide_tolerance() -> object:
    return but(accused=lambda self, gap, p, margin: bool(p < 0.05 and abs(gap) > margin + 1e-6))


@wrong("99 resamples.", slip="few-resamples")
def ninety_nine() -> object:
    return but(resamples=99)


@wrong("No seed, and what is written alike is looked up.")
def remembered() -> object:
    kept: dict[str, Any] = {}

    def unfair(pairs: Any, control: Any) -> Any:
        key = repr((pairs, control))
        if key not in kept:
            kept[key] = but(seed=None)(pairs, control)  # type: ignore[operator]
        return dict(kept[key])

    return unfair


@wrong("Accused is a word.")
def a_word() -> object:
    return but(accused=lambda self, *found: "yes" if Parts().accused(*found) else "no")


@wrong("Bad input is not looked at.")
def looks_at_nothing() -> object:
    return but(look=lambda self, pairs, control: None)


@wrong("One pair is enough for a control.")
def one_pair() -> object:
    def look(self: Parts, pairs: Any, control: Any) -> None:
        if len(pairs) < 2 or not control:
            raise ValueError("pairs is short" if len(pairs) < 2 else "control is empty")

    return but(look=look)


@wrong("One message for both.")
def names_both() -> object:
    def look(self: Parts, pairs: Any, control: Any) -> None:
        if len(pairs) < 2 or len(control) < 2:
            raise ValueError("pairs or control is too short")

    return but(look=look)


@right("As SciPy documents it, with NumPy's bool.")
def scipy_s_own() -> object:
    def accused(self: Parts, gap: Any, p: Any, margin: Any) -> Any:
        return np.bool_(p < 0.05) & (np.float64(abs(gap)) > margin + 1e-12)

    return but(accused=accused)


@right("All swaps where they are few, and drawn ones otherwise, by hand.")
def by_hand() -> object:
    def p(self: Parts, pairs: Any) -> float:
        differences = np.array([a - b for a, b in pairs])
        if len(pairs) <= 10:
            signs: Any = np.array(list(itertools.product((1, -1), repeat=len(pairs))))
            more = 0
        else:
            signs = np.random.default_rng(5).choice((1, -1), (4999, len(pairs)))
            more = 1
        swapped = np.abs((signs * differences).mean(axis=1))
        hits = int((swapped >= abs(differences.mean()) - 1e-12).sum())
        return (hits + more) / (len(signs) + more)

    return but(p=p)


@right("One sample: the differences.")
def of_differences() -> object:
    def p(self: Parts, pairs: Any) -> Any:
        one, other = np.array(pairs, dtype=float).T
        return permutation_test(
            (one - other, np.zeros(len(pairs))),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            permutation_type="samples",
            rng=np.random.default_rng(3),
            vectorized=True,
        ).pvalue

    return but(p=p)


@right("999 resamples, and a statistic that is called for each.")
def not_vectorized() -> object:
    def p(self: Parts, pairs: Any) -> Any:
        first, second = zip(*pairs, strict=True)
        return permutation_test(
            (first, second),
            lambda x, y: float(np.sum(x) - np.sum(y)),
            permutation_type="samples",
            n_resamples=999,
            vectorized=False,
            rng=11,
        ).pvalue

    return but(p=p)


@right("The error from SciPy's function.")
def sem() -> object:
    from scipy.stats import sem as standard_error

    def error(self: Parts, control: Any) -> Any:
        return standard_error([a - b for a, b in control])

    return but(error=error)


_TESTED = '(first, second), mean_gap, permutation_type="samples", n_resamples=999, rng=8)'
EQUIVALENT = {
    "line 16, argument axis ignored: def mean_gap(first, second, axis):": (
        "SciPy then calls it for one sample at a time"
    ),
    "line 20, keyword n_resamples dropped: tested = permutation_test(": "more are accepted",
    f"line 21, 999 -> 1000: {_TESTED}": "more are accepted",
    f"line 21, 8 -> 9: {_TESTED}": "any seed is right",
    f"line 21, 8 -> 7: {_TESTED}": "any seed is right",
    "line 27, Gt -> GtE: accused = tested.pvalue < 0.05 and abs(gap) > margin + 1e-12": (
        "no gap is exactly 1e-12 larger than the margin"
    ),
}
