# Written by `course build` from solutions/src/02_evaluate_before_shipping.py: change it there.
# The exercise's own cell.
from statsmodels.stats.proportion import proportion_confint

from helpers.evaluate.sample_size import power_paired


def enough(lost: int, gained: int, questions: int, difference: float, power: float = 0.8) -> int:
    """The fewest questions that show a difference of this size."""
    _, upper = proportion_confint(lost + gained, questions, method="wilson")
    changed = max(upper, difference)
    needed = 1
    while power_paired(needed, difference, changed) < power:
        needed += 1
    return needed
ANSWER = enough
