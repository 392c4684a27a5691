# Written by `course build` from solutions/src/11_operate_and_improve.py: change it there.
# The exercise's own cell.
import math


def decide(old: tuple[int, int], new: tuple[int, int], look: int) -> str:
    """What to do with a canary after this look."""
    (old_good, old_asked), (new_good, new_asked) = old, new
    last = look == 20
    if old_asked == 0 or new_asked == 0:
        return "roll back" if last else "continue"

    difference = new_good / new_asked - old_good / old_asked
    pooled = (old_good + new_good) / (old_asked + new_asked)
    error = math.sqrt(pooled * (1 - pooled) * (1 / old_asked + 1 / new_asked))
    if difference < -2.5 * error:
        return "roll back"
    return "release" if last else "continue"
ANSWER = decide
