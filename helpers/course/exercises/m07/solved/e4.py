# Written by `course build` from solutions/src/07_run_on_kubernetes.py: change it there.
# The exercise's own cell.
from math import ceil

Entry = tuple[int, list[int | None]]


def desired(pods: list[int | None], target: int) -> int:
    """How many pods these requests in flight ask for."""
    known = [number for number in pods if number is not None]
    grows = sum(known) > target * len(known)
    total = sum(known) if grows else sum(known) + target * (len(pods) - len(known))
    ratio = total / (target * len(pods))
    if 0.9 <= ratio <= 1.1 or (grows and ratio < 1):
        return len(pods)
    return ceil(total / target)


def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
    """How many pods the autoscaler asks for now."""
    now, pods = history[-1]
    recent = [desired(then, target) for second, then in history if now - second < 300]
    asked = max(recent[-1], min(max(recent), len(pods)))
    return max(least, min(asked, most))
ANSWER = recommend
