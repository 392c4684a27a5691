"""What a thing adds to a request's CPU, from batches in turn with it and without it.

A ratio is taken of each pair of batches, and their median counts: whatever else the machine does,
and however a process happened to start, falls on both sides alike, and a batch during which
something else fills the processor's caches is an outlier.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import bootstrap

ORDER = ("on", "off", "off", "on")
"""In which batches follow each other, again and again."""
QUESTION = "Name three things to take on a walk in the hills."


def compared(used: Mapping[str, Sequence[float]], *, count: int, goal: float) -> dict[str, Any]:
    """The figures of pairs of batches.

    Args:
        used: CPU seconds of a request in each batch, under "on" and "off", as many of each.
        count: requests of a batch.
        goal: the share that may be added at most.

    Returns:
        `pairs`, `requests`, `on_ms` and `off_ms` (medians), `added` (the median share, with a 95%
        interval by bootstrap from `added_low` to `added_high`) and `goal`.
    """
    on, off = (np.array(used[state]) for state in ("on", "off"))
    added = on / off - 1
    found = bootstrap(
        (added,), np.median, n_resamples=2000, rng=np.random.default_rng(1)
    ).confidence_interval
    return {
        "pairs": len(on),
        "requests": 2 * len(on) * count,
        "on_ms": 1000 * float(np.median(on)),
        "off_ms": 1000 * float(np.median(off)),
        "added": float(np.median(added)),
        "added_low": float(found.low),
        "added_high": float(found.high),
        "goal": goal,
    }


def told(found: Mapping[str, Any], what: str) -> str:
    """The figures of `compared` in two sentences; `what` is what is on and off."""
    return (
        f"CPU of a streamed request: {found['on_ms']:.3f} ms with {what}, "
        f"{found['off_ms']:.3f} ms without ({found['requests']} requests).\n"
        f"Added: {found['added']:.2%}, 95% interval {found['added_low']:.2%} to "
        f"{found['added_high']:.2%}; goal: at most {found['goal']:.0%}."
    )
