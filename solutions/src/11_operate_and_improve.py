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
        found = simulate(with_bound(bound), 0.80, new, canaries=200 if fast else 1000, seed=40)
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

# %% [markdown] name="diagnosis-goal"
# ## 4. A diagnosis from metrics and traces
#
# The metrics say that something is wrong, and since when. The traces say what. Here are three
# incidents, each with two hours of both:

# %% name="diagnosis-given"
from helpers.operate.testing import incidents

seen = incidents()
for hours in seen:
    start = hours.metrics.index[0]
    print(f"{hours.cause} | {hours.subject} | from {start:%H:%M} | {len(hours.runs)} runs")

# %% [markdown] name="diagnosis-metrics-text"
# `hours.metrics` has a row for each of 120 minutes. A column says how much a counter of the service
# grew in that minute. Look at the second incident, an hour before and an hour after it was noticed:

# %% name="diagnosis-metrics"
spike = seen[1]
now = spike.metrics.index[60]
pd.DataFrame({"before": spike.metrics[:60].sum(), "now": spike.metrics[60:].sum()}).round(2)

# %% [markdown] name="diagnosis-runs-text"
# Requests, failed requests and dollars have grown. Is the model down? The runs say something else.
# `hours.runs` has a row for each run, with the columns that LangSmith gives a run, and its metadata
# as columns. A request is one run of the type `chain`; the runs of its model calls (`llm`) and
# tools (`tool`) have its `id` as their `parent_run_id`.

# %% name="diagnosis-runs"
late = spike.runs[spike.runs["start_time"] >= now]
columns = ["run_type", "name", "start_time", "error", "customer", "model", "tokens"]
print(late[columns].head(4).to_string(index=False))
calls = late[late["run_type"] == "llm"]
print(f"{(calls['error'] != '').sum()} of {len(calls)} model calls failed")
requests = late[late["run_type"] == "chain"]
print(requests["error"].value_counts().to_string())
print(requests.groupby("customer")["tokens"].sum().nlargest(3).to_string())

# %% [markdown] name="diagnosis-columns"
# Customer C-0042 had spent the day's token budget, so the service refused the rest of that
# customer's requests. Only one model call failed. So the cause is a cost spike by one customer. The
# columns:
#
# - **`metrics`**, numbers: `requests`; `failed`, requests that failed; `answers` that began, and
#   `first_token_s`, the seconds to their first token, added up; `tokens`; `dollars`; `thumbs_up`
#   and `thumbs_down`; `canaries`, test questions with known answers, and `canaries_wrong`. The
#   index is the time at which the minute began.
# - **`runs`**: `id`, text; `parent_run_id`, "" for a request; `run_type`; `name`, for a tool its
#   name; `start_time` and `end_time`; `error`, "" for none; `customer`, "" for a guest; `revision`
#   of the agent; `model`, "" unless the type is `llm`; `tokens`; `answer`, "" unless the type is
#   `chain`; `documents`, a list of ids, best first, empty unless `search_documents` found some.

# %% [markdown] name="diagnosis-task"
# Write `diagnose(metrics, runs)`. It returns a tuple of two texts: the cause, and what it is about.
# *Before* is the first 60 minutes of the metrics, and *now* the last 60. A run is in the hour in
# which it started; a run that started exactly with the 61st minute is in *now*. Go through this
# list. The first cause whose conditions all hold is the result:
#
# 1. **`model down`**: at least 20% of the requests of now have failed, by the metrics. Of one
#    model's runs of now, at least half have an error. It is about the model with the largest share.
# 2. **`model slow`**: the mean time to the first token, now, is at least 3 times that of before, by
#    the metrics. It is about the model whose runs of now took longest on average, from `start_time`
#    to `end_time`.
# 3. **`cost spike by one customer`**: the dollars of now are at least twice those of before. One
#    customer has at least half of all tokens of the `chain` runs of now, guests' tokens included.
#    It is about that customer, and never about guests.
# 4. **`poisoned document`**: at least 3 answers of now contain the same web address, which no
#    answer of before contains. It is about the document that is first most often in the `documents`
#    of these answers' requests. Addresses here are what `re.findall(r"[\w-]+\.example\b", answer)`
#    finds. If there are several new ones, take the one in most answers.
# 5. **`bad release`**: at least 2 canaries more are wrong now than before. The first and the last
#    `chain` run of the two hours have different revisions. It is about the last one's.
# 6. **`failing tool`**: at least 2 canaries more are wrong now than before. One tool has at least 3
#    runs with an error now, and their share of its runs is at least 0.25 higher than before: 0.50
#    after 0.25, for instance. A tool that did not run before had the share 0. It is about the tool
#    with the largest rise, among those with 3 errors or more.
# 7. **`none`**, about `""`.

# %% [markdown] name="diagnosis-rules"
# - The metrics are in order of time. The runs are in any order, with any index.
# - Before has requests, answers and dollars, and now has requests. Both have `chain` runs. If now
#   has answers, it has `llm` runs too. Apart from that, there may be none of a thing: a mean or a
#   share of nothing meets no condition.
# - Where several models, customers, documents, addresses or tools could be the result, no two are
#   equally high. No two runs of the type `chain` start at the same time.
# - Compare at the limits as exactly as floats do. The check has none that rounding decides.
# - The frames are not changed.
#
# For instance, the second incident above gives `("cost spike by one customer", "C-0042")`. The
# check has other incidents, of other sizes, at other hours and about other things. Some are only
# days on which much happens: a newsletter that brings many customers, or a release that is good.

# %% exercise="11.4"
import pandas as pd

ADDRESS = r"[\w-]+\.example\b"


def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> tuple[str, str]:
    """The cause of an incident, and the model, customer or other thing that it is about."""
    # LAB: return TODO
    # BEGIN SOLUTION
    before, now = metrics[:60].sum(), metrics[60:].sum()
    runs = runs.assign(failed=runs["error"] != "").sort_values("start_time")
    late = runs[runs["start_time"] >= metrics.index[60]]
    early = runs[runs["start_time"] < metrics.index[60]]

    calls = late[late["run_type"] == "llm"]
    failing = calls.groupby("model")["failed"].mean()
    if now["failed"] / now["requests"] >= 0.2 and failing.max() >= 0.5:
        return "model down", failing.idxmax()

    usual = before["first_token_s"] / before["answers"]
    if now["answers"] and now["first_token_s"] / now["answers"] >= 3 * usual:
        seconds = calls["end_time"] - calls["start_time"]
        return "model slow", seconds.groupby(calls["model"]).mean().idxmax()

    requests = late[late["run_type"] == "chain"]
    tokens = requests.groupby("customer")["tokens"].sum()
    customers = tokens.drop("", errors="ignore") / tokens.sum()
    if now["dollars"] >= 2 * before["dollars"] and customers.max() >= 0.5:
        return "cost spike by one customer", customers.idxmax()

    known = early["answer"].str.findall(ADDRESS).explode()
    found = requests.set_index("id")["answer"].str.findall(ADDRESS).explode().dropna()
    new = found[~found.isin(known)].reset_index().drop_duplicates()
    in_answers = new["answer"].value_counts()
    if in_answers.max() >= 3:
        answers = new["id"][new["answer"] == in_answers.idxmax()]
        first = late["documents"][late["parent_run_id"].isin(answers)].str[0]
        return "poisoned document", first.value_counts().idxmax()

    if now["canaries_wrong"] - before["canaries_wrong"] >= 2:
        revisions = runs["revision"][runs["run_type"] == "chain"]
        if revisions.iloc[0] != revisions.iloc[-1]:
            return "bad release", revisions.iloc[-1]
        tools = late[late["run_type"] == "tool"].groupby("name")["failed"]
        usual = early[early["run_type"] == "tool"].groupby("name")["failed"].mean()
        rise = tools.mean() - usual.reindex(tools.mean().index, fill_value=0)
        rise = rise[tools.sum() >= 3]
        if rise.max() >= 0.25:
            return "failing tool", rise.idxmax()
    return "none", ""
    # END SOLUTION

# %%
check("11.4", diagnose)

# %% [markdown] name="diagnosis-why" only="solution"
# Each cause has a symptom in the metrics and a subject in the traces, and neither is enough alone.
# Failed requests mean that the model is down, or that a budget does its work: only the runs tell
# the two apart. Twice the dollars is an incident if one customer causes it, and a good day if
# a newsletter does. Customers whose refunds are refused make the tool `issue_refund` fail all day,
# so the rise counts, and not the errors.
#
# The order is part of the diagnosis. A model that is down makes canaries wrong as well, so the
# causes that explain most come first. And the comparison is always with the hour before: a limit
# such as 5 seconds would be wrong for the next model.

# %% [markdown] name="diagnosis-use-text"
# How does yours do on the three incidents, whose causes you know?

# %% name="diagnosis-use"
if ready("11.4"):
    rows = []
    for hours in seen:
        cause, subject = diagnose(hours.metrics, hours.runs)
        rows.append({"happened": hours.cause, "about": hours.subject,
                     "your diagnosis": cause, "your subject": subject})
    show.table(rows, caption="Three incidents, and your diagnosis of each")
    right = sum((row["happened"], row["about"]) == (row["your diagnosis"], row["your subject"])
                for row in rows)
    measured.append({"exercise": "4: incidents diagnosed, of three", "before": 0, "after": right})
