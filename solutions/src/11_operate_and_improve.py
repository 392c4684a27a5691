# %% [markdown] name="title" only="lab"
# # Lab 11: Operate and improve

# %% [markdown] name="title" only="solution"
# # Solution of lab 11: Operate and improve

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="canary-goal"
# ## 3. A canary's stopping rule
#
# A new version of the agent gets a tenth of the traffic, and a grader says for each answer of both
# versions whether it is good. You look at the counts after every 50 answers of the canary, 20 times
# at most. At each look you roll back, release, or wait for more answers.
#
# Here are three looks at one canary, as a rule gets them. The first number of a pair says how many
# answers were good, and the second one how many were graded:

# %% name="canary-look"
import numpy as np
import pandas as pd

chance = np.random.default_rng(3)
good_old = chance.binomial(450, 0.80, size=3).cumsum()
good_new = chance.binomial(50, 0.77, size=3).cumsum()
looks = []
for look in (1, 2, 3):
    looks.append({"look": look, "old": (int(good_old[look - 1]), 450 * look),
                  "new": (int(good_new[look - 1]), 50 * look)})
pd.DataFrame(looks)

# %% [markdown] name="canary-task"
# Write `decide(old, new, look)`. It returns one of three texts: `"continue"`, `"roll back"` or
# `"release"`.
#
# - `old` and `new` are tuples of two whole numbers: good answers, and all graded answers, since the
#   canary began. The first number is at most the second.
# - `look` is a whole number, 1 to 20. Usually the canary has 50 answers more at each look, and the
#   old version nine times as many. Do not count on it: use the numbers that you get.
# - **Release at look 20 alone.** Before that, the result is `"continue"` or `"roll back"`.
# - **At look 20 it ends:** the result is `"release"` or `"roll back"`.
# - **Nothing to compare.** If one version has no graded answer, or both have none, the result is
#   `"continue"`, and at look 20 `"roll back"`.
# - **Only for being worse.** A canary whose share of good answers is at least the old version's is
#   never rolled back, apart from the rule before this one. The shares may both be 0 or 1.
# - It is an ordinary function, not `async`. The same arguments give the same result, whatever was
#   called before: it keeps nothing between calls.
#
# For instance, `decide((360, 450), (40, 50), 1)` is `"continue"`, and `decide((7200, 9000), (700,
# 1000), 20)` is `"roll back"`.

# %% [markdown] name="canary-limits"
# The check tries your rule on 1,000 simulated canaries of each of these kinds:
#
# | the new version is | canaries rolled back | mean answers of a canary before its end |
# |---|---|---|
# | as good as the old one | at most 8% | any |
# | ten points worse | at least 95% | at most 450 |
# | three points worse | at least 30% | any |
# | five points better | at most 2% | any |
#
# The old version's share is 0.80. The first two rows have to hold for other shares too, between
# 0.60 and 0.90. Aim at 5% in the first row: the rest is for chance.
#
# `simulate(decide, 0.80, 0.70)` tries a rule on canaries whose true shares you choose. The table
# has a row for each canary. Here is a rule that waits until the end:

# %% name="canary-simulate"
from helpers.operate.testing import simulate


def wait(old, new, look):
    """Decides at the last look, by the shares alone."""
    if look < 20:
        return "continue"
    return "release" if new[0] / new[1] >= old[0] / old[1] else "roll back"


found = simulate(wait, 0.80, 0.70, canaries=200)
print(found.head(3))
print(f"{(found['decision'] == 'roll back').mean():.0%} rolled back")
print(f"{found['answers'].mean():.0f} answers of a canary")

# %% exercise="11.3"
import math


def decide(old: tuple[int, int], new: tuple[int, int], look: int) -> str:
    """What to do with a canary after this look."""
    # LAB: return TODO
    # BEGIN SOLUTION
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
    # END SOLUTION

# %%
check("11.3", decide)

# %% [markdown] name="canary-why" only="solution"
# The difference is divided by its standard error, as in any test of two shares. What is special is
# the bound. For one look at 5%, it would be 1.64. Here there are 20 looks, and each is one more
# chance to be unlucky, so the same bound would roll back more than a fifth of the good releases.
# With the same bound at each look (Pocock's method), about 2.5 makes 5% of them all together. You
# find that number by simulation, or in a table of group sequential tests.
#
# A bound that begins high and falls (O'Brien and Fleming's) is the other usual choice: about 1.9
# times the root of 20 / `look`. It sees small differences better at the end, and stops a bad
# release later. The cell below compares the two.

# %% name="canary-bounds" only="solution"
def with_bound(bound):
    """A rule with another bound, which may depend on the look."""

    def rule(old, new, look):
        share = (old[0] + new[0]) / (old[1] + new[1])
        error = math.sqrt(share * (1 - share) * (1 / old[1] + 1 / new[1]))
        if new[0] / new[1] - old[0] / old[1] < -bound(look) * error:
            return "roll back"
        return "release" if look == 20 else "continue"

    return rule


bounds = {
    "5% at every look": lambda look: 1.64,
    "Pocock, 2.5": lambda look: 2.5,
    "O'Brien and Fleming, 1.9": lambda look: 1.9 * math.sqrt(20 / look),
    "only at the end": lambda look: 1.64 if look == 20 else math.inf,
}
rows = []
for name, bound in bounds.items():
    row = {"rule": name}
    for new in (0.80, 0.77, 0.70):
        found = simulate(with_bound(bound), 0.80, new, canaries=200 if fast else 1000, seed=5)
        row[f"rolled back at {new:.2f}"] = (found["decision"] == "roll back").mean()
    row["answers at 0.70"] = found["answers"].mean()
    rows.append(row)
show.table(rows, caption="Four rules, for a version as good as the old one and two worse ones")

# %% [markdown] name="canary-use-text"
# What does your rule cost? Two figures say it: good releases that are rolled back, and bad answers
# that customers get before a bad release ends. `wait` is from above:

# %% name="canary-use"
if ready("11.3"):
    rows = []
    for name, rule in (("wait", wait), ("yours", decide)):
        good = simulate(rule, 0.80, 0.80, canaries=300, seed=21)
        bad = simulate(rule, 0.80, 0.70, canaries=300, seed=22)
        rows.append({"rule": name,
                     "good releases rolled back": (good["decision"] == "roll back").mean(),
                     "bad answers of a bad release": 0.3 * bad["answers"].mean()})
    show.table(rows, caption="What a stopping rule costs", digits=2)
    measured.append({"exercise": "3: bad answers before a bad release ends",
                     "before": rows[0]["bad answers of a bad release"],
                     "after": rows[1]["bad answers of a bad release"]})
