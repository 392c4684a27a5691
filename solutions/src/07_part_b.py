# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="lab-measured"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="hpa-goal"
# ## 4. Work out what the autoscaler asks for
#
# A HorizontalPodAutoscaler looks at the pods every 15 seconds and decides how many there should
# be. Write `recommend(history, target, least, most)`, a plain function that returns this number, an
# `int`.
#
# `history` is a list of what the autoscaler saw, oldest first, and it saw the last entry now. Each
# entry is a pair: the second (an `int`), and a list of the requests in flight in each pod that
# existed then (one or more). A number is an `int` of 0 or more. It is `None` for a pod that
# reported nothing, for instance because it has just started. `target` is the number of requests
# that a pod should have, an `int` of 1 or more. `least` and `most` are `minReplicas` and
# `maxReplicas`.
#
# First, each entry has a **desired number** of pods:
#
# - Take the pods that reported. Their ratio is the average of their numbers divided by `target`.
# - A pod that reported nothing is counted in the way that changes least: with 0 requests if that
#   ratio is greater than 1, and otherwise with `target` requests. Then work out the ratio again,
#   over all pods.
# - The desired number is the number of pods times the new ratio, rounded up. It is the number of
#   pods as it is, without a change, in three cases: the new ratio is from 0.9 to 1.1, both
#   included; the first ratio was greater than 1 and the new one is smaller; or no pod
#   reported.
#
# Then the autoscaler looks at the entries that are fewer than 300 seconds old (the last one, which
# is 0 seconds old, is one of them):
#
# - If the desired number now is greater than the number of pods now, it asks for the desired
#   number, at once.
# - Otherwise it asks for the highest desired number of these entries, but never for more than the
#   number of pods now.
# - In the end, a number below `least` becomes `least`, and one above `most` becomes `most`.
#
# For instance, three pods with 12, 15 and 9 requests and a target of 8 have the ratio 1.5, so
# `recommend([(0, [12, 15, 9])], 8, 1, 10)` is 5. A minute later they have 4, 5 and 3 requests: the
# desired number is 2, but the highest one of the last 300 seconds is 5, so
# `recommend([(0, [12, 15, 9]), (60, [4, 5, 3])], 8, 1, 10)` is 3, the number of pods.
#
# Watch out for rounding errors: `5 * (27 / 5 / 9)` is slightly more than 3 and would be rounded up
# to 4, while `27 / 9` is exactly 3. Also, `abs(1.1 - 1) <= 0.1` is `False`. The right results are
# those of exact arithmetic.

# %% exercise="07.4"
from math import ceil

Entry = tuple[int, list[int | None]]


def desired(pods: list[int | None], target: int) -> int:
    """How many pods these requests in flight ask for."""
    # LAB: return TODO
    # BEGIN SOLUTION
    known = [number for number in pods if number is not None]
    grows = sum(known) > target * len(known)
    total = sum(known) if grows else sum(known) + target * (len(pods) - len(known))
    ratio = total / (target * len(pods))
    if 0.9 <= ratio <= 1.1 or (grows and ratio < 1):
        return len(pods)
    return ceil(total / target)
    # END SOLUTION


def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
    """How many pods the autoscaler asks for now."""
    # LAB: return TODO
    # BEGIN SOLUTION
    now, pods = history[-1]
    recent = [desired(then, target) for second, then in history if now - second < 300]
    asked = max(recent[-1], min(max(recent), len(pods)))
    return max(least, min(asked, most))
    # END SOLUTION

# %%
check("07.4", recommend)

# %% [markdown] name="hpa-why" only="solution"
# The rules are those of the documentation, in [Algorithm
# details](https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details),
# with the defaults of `behavior`. A missing number is filled in so that it pulls the ratio toward
# 1: a crashed pod must not look like an idle one, and a pod that is starting takes a share of the
# load soon. When no pod reported, the ratio becomes 1, so that case needs no line of its own. When
# the load grows, the autoscaler acts at once, because requests are waiting. When it falls, it waits
# five minutes, because a pod that was removed too early costs a model start.
#
# Two rules are left out here. Without a setting of your own, the autoscaler adds at most four pods
# or as many as there are, whichever is more, in 15 seconds. And with several metrics it takes the
# highest number of them.

# %% [markdown] name="hpa-use-text"
# What are the 300 seconds worth? The load below comes in waves of two minutes. Count how often each
# autoscaler changes the number of pods in half an hour.

# %% name="hpa-use"
from math import ceil


def changes(recommend) -> int:
    """How often the number of pods changes under waves of load."""
    history, replicas, count = [], 4, 0
    for second in range(0, 1800, 15):
        load = 60 if second % 240 < 120 else 20  # requests in flight, of all pods
        share, more = divmod(load, replicas)
        pods = [share + (number < more) for number in range(replicas)]
        history.append((second, pods))
        wanted = recommend(history, 8, 2, 12)
        count, replicas = count + (wanted != replicas), wanted
    return count


def formula(history: list, target: int, least: int, most: int) -> int:
    """The documented formula alone."""
    return max(least, min(most, ceil(sum(history[-1][1]) / target)))


if ready("07.4"):
    count = {"before": changes(formula), "after": changes(recommend)}
    print(count)
    measured.append({"exercise": "4: changes of the number of pods in 30 minutes"} | count)
