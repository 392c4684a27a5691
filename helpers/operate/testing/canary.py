"""A simulated canary: a stopping rule is tried on many releases whose true quality is known."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

LOOKS: Final = 20
EACH: Final = 50
"""Answers of the canary between two looks."""
TIMES: Final = 9
"""The old version answers nine times as many: the canary has a tenth of the traffic."""

Counts = tuple[int, int]
"""Good answers, and all answers, since the canary began."""
Decide = Callable[[Counts, Counts, int], str]

ENDS: Final = ("roll back", "release")


def simulate(
    decide: Decide,
    old: float = 0.80,
    new: float = 0.70,
    *,
    canaries: int = 1000,
    seed: int = 0,
    each: int = EACH,
    times: int = TIMES,
) -> pd.DataFrame:
    """Try a stopping rule on many canaries.

    Args:
        decide: the rule; it gets the counts of the old and the new version, and the look, 1 to 20.
            It is called once for the same arguments, and after it has ended a canary no more.
        old: share of the old version's answers that are good.
        new: likewise, for the new version.
        canaries: how many are tried.
        seed: of the chance by which an answer is good.
        each: answers of the canary between two looks.
        times: how many times as many answers the old version gives.

    Returns:
        One row a canary: `decision`, "release" or "roll back"; `look`, at which it was made;
        `answers`, how many the canary had given by then.

    Raises:
        ValueError: a share is not between 0 and 1, or the rule returned something else than it may
            (at the last look, "continue" is something else).
    """
    if not (0 <= old <= 1 and 0 <= new <= 1):
        raise ValueError(f"old={old} and new={new} are shares: give numbers between 0 and 1.")
    random = np.random.default_rng(seed)
    shape = (canaries, LOOKS)
    good_old = random.binomial(each * times, old, shape).cumsum(axis=1).tolist()
    good_new = random.binomial(each, new, shape).cumsum(axis=1).tolist()
    known: dict[tuple[Counts, Counts, int], str] = {}
    rows = []
    for number in range(canaries):
        for look in range(1, LOOKS + 1):
            asked = each * look
            before = (good_old[number][look - 1], asked * times)
            counts = (before, (good_new[number][look - 1], asked), look)
            if counts not in known:
                known[counts] = _allowed(decide(*counts), look)
            if known[counts] != "continue":
                rows.append((known[counts], look, asked))
                break
    return pd.DataFrame(rows, columns=["decision", "look", "answers"])


def _allowed(found: object, look: int) -> str:
    """What a rule returned, where it may return that at this look."""
    allowed = ENDS if look == LOOKS else ("continue", *ENDS)
    if not isinstance(found, str) or found not in allowed:
        raise ValueError(
            f"decide returned {found!r} at look {look}: return one of {', '.join(allowed)}."
        )
    return found
