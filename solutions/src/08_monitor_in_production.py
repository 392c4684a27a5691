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

    def mean_gap(first, second, axis):
        return np.mean(first - second, axis=axis)

    first, second = np.array(pairs).T
    tested = permutation_test(
        (first, second), mean_gap, permutation_type="samples", n_resamples=999, rng=8)

    one, other = np.array(control).T
    error = np.std(one - other, ddof=1) / math.sqrt(len(control))
    margin = abs(np.mean(one - other)) + 2 * error
    gap = np.mean(first - second)
    accused = tested.pvalue < 0.05 and abs(gap) > margin + 1e-12
    return {"gap": float(gap), "p": float(tested.pvalue), "margin": float(margin),
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
from helpers.models import bulk_run

asked = {"a learner's English": [], "a name": []}
for each in ways_of_writing():
    asked["a learner's English"].append((each.tool, each.native, each.native_again, each.learner))
for each in name_swaps():
    if each.tool == "issue_refund":
        asked["a name"].append((each.tool, each.native, each.native_again, each.other))

if ready("08.5"):
    rows = []
    with bulk_run(chat_model(max_tokens=1), calls=240, input_tokens=900, output_tokens=1):
        for what, requests in asked.items():
            got = [[right_tool(text, tool) for text in texts] for tool, *texts in requests]
            judged = unfair([(a, c) for a, _, c in got], [(a, b) for a, b, _ in got])
            first, again, third = (sum(column) for column in zip(*got, strict=True))
            right = f"{first}, {again}, {third} of {len(got)}"
            rows.append({"what differs": what, "right tool": right} | judged)
    show.table(rows, caption="The course's agent", digits=2)

# %% [markdown] name="bias-means" only="solution"
# A learner's English and a name are two different questions. Read both rows with what you know of
# small numbers: a test that accuses nobody with 40 pairs may have missed a small gap, and a gap that
# is found in one sentence need not be there in the next one. The classifier that chooses the tool
# compares a message with examples by its embedding, and a name is a part of that. What helps is to
# keep names away from it: the request alone is enough to choose a tool.

# %% [markdown] name="gate-goal"
# ## 6. The gate: your rules on days that you have not seen
#
# These are days of Fernhill, replayed: 11 with an incident, each of another kind, and clean days.
# On a clean day all is well, but it may be a weekend, a holiday with twice the traffic, or a day
# with a newsletter at noon. `RULES` is the text of a rule file for Prometheus. The one that you get
# has the thresholds that people write first. Change it, or replace it, until it passes.
#
# - At least 9 of the 11 incidents are **detected** within 60 minutes: the first alert that *begins*
#   to fire after the incident's beginning, and while the incident lasts, does so at most 60 minutes
#   after its beginning. Any alert counts.
# - On ten clean days, at most one **false alarm** is raised in all. Each time that an alert begins to
#   fire on a clean day is one; an alert that fires for several label sets at once is one, too.
#
# The incidents: the model gets slow, or does not answer; a release gives wrong numbers for one
# topic; the price of a token doubles; one client asks in a loop; a document is poisoned and sends
# customers to a stranger; the index is months old; looking up orders fails for one carrier; answers
# invent more and more; the guard blocks honest customers; memory leaks. The check uses other days
# than those below: times, sizes and topics differ.

# %% [markdown] name="gate-metrics"
# The service is scraped every 15 seconds. Each day begins with a restart, so its counters begin at 0.
# A series with labels begins to exist when it is first counted, so `increase` does not see that first
# count. Rules are evaluated every minute if their group says nothing else.
#
# | metric | labels | meaning |
# |---|---|---|
# | `gen_ai_client_operation_duration_seconds` | `error_type`, empty for a good answer | histogram: an answer, from its place to its end |
# | `gen_ai_server_time_to_first_token_seconds` | | histogram: until the first word; a failed answer has none. Buckets end at 1, 2.5, 5, 7.5 and 10, among others |
# | `gen_ai_client_token_usage` | `gen_ai_token_type`: input, output | histogram: tokens of an answer |
# | `http_server_request_duration_seconds` | `http_response_status_code`, `http_route` | histogram: a request |
# | `service_answers_total` | `topic`; `result`: grounded, ungrounded, refused, not judged | answers. Refused: "I do not know". About one in ten good answers is called ungrounded |
# | `service_answers_foreign_address_total` | | answers that name a web address which is not the shop's |
# | `service_problems_total` | `kind`: model-unreachable, circuit-open, budget-spent, rate-limited | requests that were refused or failed |
# | `service_tool_calls_total` | `tool`; `status`: ok, refused | calls. A tool also refuses orders that are not the customer's |
# | `service_guardrail_blocks_total` | | messages that the guard stopped |
# | `service_feedback_total` | `score`: 1, -1 | ratings by customers; few give one |
# | `service_cost_usd_total` | | dollars; a million tokens usually cost about 0.5 |
# | `service_index_age_seconds` | | age of the index, which is built each night |
# | `process_resident_memory_bytes` | | memory; 2 GB is too much |
# | `canary_answers_total` | `intent`; `result`: right, wrong, failed | answers to eight known questions, three of them every 5 minutes |
#
# The counters' names end in `_total`. Each histogram has `_bucket` (with `le`), `_sum` and `_count`.

# %% [markdown] name="gate-visible-text"
# Write your rules with the days below, as often as you like. They are replayed once, which takes
# about two minutes, and kept. Alarms before an incident and after it are shown, but do not count.

# %% name="gate-visible"
from helpers.monitor.testing import INSTRUMENTS, RulesError
from helpers.monitor.testing.joined import judge_joined, lab_days
from helpers.service.testing.joined import APART, joined_database
from helpers.testbed.prometheus import MissingProgram


def on_visible_days(rules):
    """Show what the rules make of the days that you may look at."""
    days, rows = lab_days("visible", fast=fast), []
    try:
        database = joined_database(days, instruments=INSTRUMENTS)
        for one in judge_joined(rules, days, database, apart=APART):
            alarms = [f"{alarm.alert} {alarm.at:%H:%M}" for alarm in one.false_alarms]
            rows.append({"day": one.day, "minutes": one.minutes, "detected by": one.by,
                         "false alarms": len(alarms), "the first": ", ".join(alarms[:2])})
        show.table(rows, caption="Your rules on the visible days", digits=0)
    except (MissingProgram, RulesError) as error:
        print(error)

# %% exercise="08.6" mend=true
RULES = """
groups:
  - name: fernhill
    rules:
# LAB:       - alert: Slow
# LAB:         expr: |
# LAB:           histogram_quantile(0.95,
# LAB:             sum by (le) (rate(gen_ai_server_time_to_first_token_seconds_bucket[1m]))) > 3
# LAB:       - alert: Failed
# LAB:         expr: sum(increase(service_problems_total[1m])) > 0
# LAB:       - alert: ToolFails
# LAB:         expr: |
# LAB:           sum(rate(service_tool_calls_total{status="refused"}[1m]))
# LAB:             / sum(rate(service_tool_calls_total[1m])) > 0.2
# LAB:       - alert: BadFeedback
# LAB:         expr: sum(increase(service_feedback_total{score="-1"}[15m])) > 1
# LAB:       - alert: Expensive
# LAB:         expr: sum(increase(service_cost_usd_total[1h])) > 0.1
# LAB:       - alert: Memory
# LAB:         expr: process_resident_memory_bytes > 1e9
# BEGIN SOLUTION
      - alert: LateOrFailed
        expr: |
          sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="5.0"}[5m]))
            < 0.5 * sum(rate(gen_ai_client_operation_duration_seconds_count[5m]))
          and sum(increase(gen_ai_client_operation_duration_seconds_count[5m])) >= 5
        for: 1m
      - alert: CanaryWrong
        expr: sum by (intent) (increase(canary_answers_total{result="wrong"}[30m])) > 0
      - alert: ForeignAddress
        expr: increase(service_answers_foreign_address_total[30m]) > 0
      - alert: IndexOld
        expr: service_index_age_seconds > 2 * 86400
      - alert: Blocked
        expr: sum(increase(service_guardrail_blocks_total[10m])) >= 4
      - alert: ManyRefusals
        expr: sum(increase(service_answers_total{result="refused"}[10m])) >= 20
      - alert: PriceOfTokens
        expr: |
          sum(rate(service_cost_usd_total[5m]))
            / sum(rate(gen_ai_client_token_usage_sum[5m])) > 0.7e-6
        for: 6m
      - alert: MemoryGrows
        expr: deriv(process_resident_memory_bytes[30m]) * 86400 > 1e9
        for: 5m
# END SOLUTION
"""

# %% name="gate-tried"
on_visible_days(RULES)

# %%
check("08.6", RULES)

# %% [markdown] name="gate-why" only="solution"
# Most of these alerts look at something that is exactly 0, or the same each day, while all is well:
# a wrong canary, a foreign address, the age of the index, dollars for each token. They are fast and
# silent. Where a figure has a usual level, a smallest count stands beside the share, and `for` lets
# one bad minute pass.
#
# Two kinds are left to people who look each day. Invention grows slowly, and the detector calls one
# good answer in ten ungrounded. The bad release is wrong for one topic, about which hardly anyone
# asks in an hour; a canary for each topic would find it. An alert that catches these as well fires
# on clean days, too.
