# %% [markdown] name="threshold-goal"
# ## 4. Choose a threshold by what mistakes cost
#
# A detector gives each answer a score: the higher, the better the answer is grounded in what the
# model was given to read. Here are the scores of a simple one, the share of an answer's words that
# occur in its source, for answers that people have labelled. They come in two parts: you choose on
# `tune` and judge on `test`.

# %% name="threshold-given"
from helpers.monitor.answers import labelled_answers
from helpers.monitor.groundedness import overlap


def scored(part):
    """The scores of a part's answers, and for each whether it is grounded."""
    answers = labelled_answers(part)
    scores = [overlap(each.answer, each.source, each.question) for each in answers]
    return scores, [each.grounded for each in answers]


tune, test = scored("tune"), scored("test")
for scores, grounded in (tune, test):
    print(len(scores), "answers,", sum(grounded), "of them grounded")

# %% [markdown] name="threshold-task"
# Write `by_cost(tune, test, rate, missed, alarm)`, a plain function (not `async`).
#
# - `tune` and `test` are pairs of lists of one length: scores (`float`) and labels (`bool`, `True`
#   for grounded).
# - An answer is **flagged** if its score is below the threshold, and not if it equals it.
# - `rate` is the share of live answers that are not grounded, from 0 to 1. It is not the share in
#   either part, where such answers were collected on purpose.
# - `missed` is what an answer costs that is not grounded and not flagged, and `alarm` what a
#   grounded one costs that is flagged; both are 0 or more.
# - The **cost** of a threshold on a part is the expected cost of one live answer:
#   `rate * missed * m + (1 - rate) * alarm * a`, where `m` is the share of the part's ungrounded
#   answers that are not flagged, and `a` the share of its grounded answers that are flagged.
#
# Choose the threshold with the lowest cost on `tune`. Candidates are the scores that occur in
# `tune`, grounded or not, and `math.inf`, which flags everything. (The lowest score flags nothing.)
# Costs that differ by less than 1e-12 are equal. Among equal ones choose the lowest threshold: it
# flags fewest.
#
# Return a dict of exactly these five, all but the first worked out on `test`:
#
# - `"threshold"`: the chosen one, a number;
# - `"missed"` and `"alarms"`: how many ungrounded answers of `test` are not flagged, and how many
#   grounded ones are, whole numbers;
# - `"cost"`: the threshold's cost on `test`;
# - `"precision"`: of the live answers that would be flagged, the share that is not grounded. Work
#   it out from `rate` and the two shares of `test`. It is `None` where none would be flagged.
#
# A part without a grounded answer, or without an ungrounded one, is a `ValueError` whose message
# names that part and not the other. If both are like this, it names `tune`.
#
# For instance, `tune = ([0.2, 0.4, 0.6, 0.8], [False, True, False, True])`, `test = ([0.1, 0.5, 0.7,
# 0.9], [False, True, False, True])`, `rate=0.25`, `missed=8` and `alarm=1`: the threshold 0.4 misses
# one ungrounded answer of two and costs `0.25 * 8 * 0.5 = 1`. With 0.8, nothing is missed, and one
# grounded answer of two is flagged: `0.75 * 1 * 0.5 = 0.375`, which is the lowest. On `test`, 0.8
# misses none and flags one of two, so the result is `{"threshold": 0.8, "missed": 0, "alarms": 1,
# "cost": 0.375, "precision": 0.4}`. The last is `0.25 / (0.25 + 0.75 * 0.5)`.
#
# scikit-learn's `roc_curve` may be used: with `grounded` as the classes, its first result is the
# share of ungrounded answers that are not flagged, and its second the share of grounded answers that
# are not.

# %% exercise="08.4"
import math

import numpy as np
from sklearn.metrics import roc_curve

Scored = tuple[list[float], list[bool]]


def by_cost(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> dict:
    """The cheapest threshold on one part, and what it is worth on the other."""
    # LAB: return TODO
    # BEGIN SOLUTION
    for name, (_, grounded) in {"tune": tune, "test": test}.items():
        if len(set(grounded)) < 2:
            raise ValueError(f"{name} needs answers that are grounded, and others that are not")

    scores, grounded = tune
    passed_bad, passed_good, thresholds = roc_curve(grounded, scores, drop_intermediate=False)
    costs = rate * missed * passed_bad + (1 - rate) * alarm * (1 - passed_good)
    threshold = float(thresholds[costs < costs.min() + 1e-12].min())

    flagged = np.array(test[0]) < threshold
    good = np.array(test[1])
    m, a = np.mean(~flagged[~good]), np.mean(flagged[good])
    right, wrong = rate * (1 - m), (1 - rate) * a
    return {
        "threshold": threshold,
        "missed": int(np.sum(~flagged & ~good)),
        "alarms": int(np.sum(flagged & good)),
        "cost": float(rate * missed * m + (1 - rate) * alarm * a),
        "precision": float(right / (right + wrong)) if right + wrong else None,
    }
    # END SOLUTION

# %%
check("08.4", by_cost)

# %% [markdown] name="threshold-why" only="solution"
# The threshold follows from three numbers that no detector knows: how often it happens, and what
# each mistake costs. In the labelled parts more than half of the answers are not grounded; in live
# traffic it may be two of a hundred. A cost computed with the part's own share would flag far too
# much.
#
# The cost on `tune` is too good, because the threshold was chosen to make it low. So the cost to
# report is that on `test`. The lowest score and `math.inf` are candidates too: where a false alarm
# is expensive and invention is rare, it is cheapest to flag nothing, and a detector that cannot beat
# that is not worth its CPU.

# %% [markdown] name="threshold-use-text"
# What does the same detector do as invention becomes rarer? Look at the last column. It is what
# people see who read the flagged answers.

# %% name="threshold-use"
if ready("08.4"):
    rows = []
    for rate in (0.5, 0.2, 0.05, 0.02):
        rows.append({"not grounded": f"{rate:.0%}"} | by_cost(tune, test, rate, 20, 1))
    show.table(rows, caption="A missed invention costs 20 times as much as a false alarm", digits=2)

# %% [markdown] name="bias-goal"
# ## 5. Accuse an agent only with a control
#
# An agent was asked each request twice: once as a person wrote it who grew up with English, and once
# as someone wrote it who is still learning it. Each pair holds what the two got, for instance 1 for
# the right tool and 0 for a wrong one. Is a gap between them bias? Any two wordings of a request
# differ a little in what they get. So there is a **control**: the same, with two wordings by native
# speakers in each pair.
#
# Write `unfair(pairs, control)`, a plain function (not `async`).
#
# - `pairs` and `control` are lists of pairs of numbers, of any length each.
# - The **gap** of a list is the mean of the first numbers minus the mean of the second ones.
# - Test the gap of `pairs` with SciPy's `permutation_test`. The pairs belong together, so under the
#   null hypothesis the two numbers *of one pair* may be swapped: `permutation_type="samples"`. A gap
#   in either direction counts: the test is two-sided. Take 999 resamples; more are accepted. (For up
#   to 9 pairs SciPy then tries all swaps.) The same lists must give the same result each time, so
#   pass `rng` a seed.
# - The **margin** is what two native wordings may differ by: the absolute gap of `control`, plus two
#   standard errors of it. The standard error of a gap is the sample standard deviation of the
#   differences within the pairs (`ddof=1`), divided by the square root of the number of pairs.
# - The agent is **accused** if the p-value is below 0.05, and the absolute gap of `pairs` is greater
#   than the margin. Both sides of the second comparison count as equal if they differ by less than
#   1e-12.
#
# Return a dict of exactly these four: `"gap"` (of `pairs`, with its sign), `"p"`, `"margin"`, all
# three numbers, and `"accused"`, a `bool`.
#
# Fewer than two pairs in `control` are a `ValueError` whose message contains the word `control`.
# Fewer than two in `pairs` are one whose message contains `pairs` and not `control`, whatever
# `control` is.
#
# For instance, six pairs `(1, 0)` and the control `[(1, 1), (1, 0), (0, 1), (1, 1)]`: the gap is 1,
# and of the 64 ways to swap, 2 give a gap as large, so p is 0.03125. The control's differences are
# 0, 1, -1, 0, with the mean 0 and the standard deviation 0.816, so the margin is `2 * 0.816 / 2 =
# 0.816`. The agent is accused.

# %% exercise="08.5"
import math

import numpy as np
from scipy.stats import permutation_test

Pairs = list[tuple[float, float]]


def unfair(pairs: Pairs, control: Pairs) -> dict:
    """Whether the first of each pair gets something else than the second, and than the control."""
    # LAB: return TODO
    # BEGIN SOLUTION
    if len(pairs) < 2:
        raise ValueError("pairs needs two pairs or more")
    if len(control) < 2:
        raise ValueError("control needs two pairs or more")

    def gap(first, second, axis=-1):
        return np.mean(first, axis=axis) - np.mean(second, axis=axis)

    first, second = np.array(pairs, dtype=float).T
    tested = permutation_test(
        (first, second), gap, permutation_type="samples", n_resamples=999, rng=8)

    one, other = np.array(control, dtype=float).T
    error = np.std(one - other, ddof=1) / math.sqrt(len(control))
    margin = abs(gap(one, other)) + 2 * error
    found = gap(first, second)
    accused = tested.pvalue < 0.05 and abs(found) > margin + 1e-12
    return {"gap": float(found), "p": float(tested.pvalue), "margin": float(margin),
            "accused": bool(accused)}
    # END SOLUTION

# %%
check("08.5", unfair)

# %% [markdown] name="bias-why" only="solution"
# The test says whether chance alone would give such a gap. It does not say that the way of writing
# matters: the first wordings may simply be clearer, as they are in any list whose author wrote the
# plainest one first. The control has the same fault, and its margin takes that into account.
#
# With `permutation_type="independent"` the differences between easy and hard requests would count
# as noise, and hide the gap. With few pairs the p-value cannot be small at all: five pairs
# have 32 ways to swap, so their smallest two-sided p is 0.0625. A test that cannot accuse anyone
# proves nothing by not accusing.

# %% [markdown] name="bias-use-text"
# Now the course's own agent. Which tool does it choose for 40 requests, each in three ways of
# writing, and for a refund that is signed with different names? The table gives how often it was the
# right one: for the first wording, for the other native one, and for the third.

# %% name="bias-asked"
from helpers.agent.answerability import THRESHOLD
from helpers.agent.retrieval import fernhill_index
from helpers.agent.tools import make_tools
from helpers.models import chat_model
from helpers.monitor.ways_of_writing import name_swaps, ways_of_writing
from helpers.shop import open_orders

tools = make_tools(fernhill_index(), open_orders(), threshold=THRESHOLD)
chooser = chat_model(max_tokens=1).bind_tools(tools)


def right_tool(text, tool):
    """1 if the agent's first step is this tool, otherwise 0."""
    calls = chooser.invoke(text).tool_calls
    return int(bool(calls) and calls[0]["name"] == tool)

# %% name="bias-use"
if ready("08.5"):
    refunds = [each for each in name_swaps() if each.tool == "issue_refund"]
    rows = []
    for what, asked in {"a learner's English": ways_of_writing(), "a name": refunds}.items():
        got = []
        for each in asked:
            third = each.other if what == "a name" else each.learner
            texts = (each.native, each.native_again, third)
            got.append([right_tool(text, each.tool) for text in texts])
        judged = unfair([(a, c) for a, _, c in got], [(a, b) for a, b, _ in got])
        right = " / ".join(str(sum(column)) for column in zip(*got, strict=True))
        rows.append({"what differs": what, "right tool": f"{right} of {len(got)}"} | judged)
    show.table(rows, caption="The course's agent", digits=2)
