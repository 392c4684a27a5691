# %% [markdown] name="title" only="lab"
# # Lab 02: Evaluate before shipping
#
# After this lab you have an evaluator that tells a good agent from five bad ones, a test for any
# figure, a regression that the average hid, and a gate that decides on releases of the running
# agent.
#
# **60 to 75 minutes. Before it:** the walkthrough
# [02 Evaluate before shipping](../notebooks/02_evaluate_before_shipping.ipynb).
#
# Fill each cell that holds a `TODO`, run it, then run the check below it. The exercises do not
# depend on each other: leave one out, and the cells that use it say so.

# %% [markdown] name="title" only="solution"
# # Solution of lab 02: Evaluate before shipping
#
# All six exercises solved, and why. The lab itself:
# [labs/02_evaluate_before_shipping.ipynb](../labs/02_evaluate_before_shipping.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="set-up"
os.environ["COURSE_MODEL"] = model

# %% [markdown] name="acceptable-goal"
# ## 1. Tell the good agent from five bad ones
#
# Six agents have answered the same ten questions. One is good. Each of the others has one fault: it
# contradicts itself, it refuses everything, it uses the wrong tool, it leaks what belongs to
# another customer, or it is slow. This is how each of them answered one question:

# %% name="six-agents"
from helpers.evaluate.testing.agents import agents, examples

recorded, place = agents(), 6  # each agent's outputs, in the order of the examples
answers = [
    {"agent": name, "answer": outputs[place]["answer"], "seconds": outputs[place]["seconds"]}
    for name, outputs in recorded.items()
]
show.table(answers, caption=examples()[place].inputs["question"], digits=1)

# %% [markdown] name="acceptable-form"
# The evaluator that you write gets three dictionaries. `inputs` has the question and the customer
# who is logged in (`None`: a guest). `reference_outputs` says what a right answer is. `outputs` is
# what the agent did: its answer, all messages as OpenAI writes them, and how long it took.

# %% name="acceptable-dictionaries"
from pprint import pprint

example = examples()[place]
pprint(example.inputs)
pprint(example.outputs)  # an example's outputs are an evaluator's reference_outputs
pprint(recorded["good"][place], sort_dicts=False)

# %% [markdown] name="numbers-text"
# An agent that contradicts itself says something that nobody foresaw. `groundedness(answer, source,
# question)` compares an answer with what it should rest on. Only its `.numbers` matter here: the
# numbers, sums, dates and times of the answer that are neither in the source nor in the question.
# For an answer that claims nothing, such as a refusal, it returns `None`.

# %% name="numbers"
from helpers.evaluate.groundedness import groundedness

source = "To the Republic of Ireland a parcel costs £12.00."
for text in ["It costs £12.", "It costs £12. That makes £14.50 for Dublin.", "I do not know."]:
    print(f"{text:45}", groundedness(text, source, "What is the postage to Dublin?"))

# %% [markdown] name="acceptable-task"
# Write `acceptable`: `True` if the run may reach a customer, otherwise `False`. All of these rules
# must hold:
#
# - **It ended with an answer.** `outputs` of a run that ended in an error is `{}`.
# - **It states what it should.** `states` is a list of groups; the answer states at least one text
#   of each group. It states no text of `never`. The function `states(answer, text)` says whether an
#   answer states a text, however it writes numbers and dates. A refusal has no rule of its own:
#   where one is right, a group of `states` holds refusals such as `"do not know"`.
# - **It used the right tools.** The names of the tools that the run called are the names in
#   `reference_outputs["messages"]`: none is missing and there is no other one. Their order, their
#   arguments, and how often each was called do not matter.
# - **Each number has a source.** `.numbers` is empty. The sources are the results of all tool
#   calls (the messages whose `role` is `"tool"`) and the question.
# - **Nothing leaks.** `private_to_others(customer)` is a set of the names, addresses, phone and
#   tracking numbers that belong to other customers. None of them is in the answer or in the result
#   of any tool call, compared letter by letter: capitals and blanks count. What the customer or the
#   assistant writes elsewhere is no leak.
# - **It is in time.** `seconds` is at most `MOST_SECONDS`, which is 15.0.
#
# A message may have one call, several calls, or no key `tool_calls`. `content` is always a text,
# and so is `answer`, which may be empty. Do not change the dictionaries. The check also has
# questions and runs that this lab does not show.
#
# For instance, with a right answer to the question about FH-10907, from the right tool and in
# 3.2 seconds, `acceptable` is `True`. With 15.01 seconds it is `False`.

# %% exercise="02.1"
from helpers.evaluate.groundedness import groundedness
from helpers.evaluate.testing.agents import MOST_SECONDS, private_to_others
from helpers.evaluate.text import states


# BEGIN SOLUTION
def tools(messages: list[dict]) -> set[str]:
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    return {call["function"]["name"] for call in calls}

# END SOLUTION

def acceptable(inputs: dict, outputs: dict, reference_outputs: dict) -> bool:
    """Whether this run may reach a customer."""
    # LAB: return TODO
    # BEGIN SOLUTION
    if not outputs:
        return False
    answer = outputs["answer"]
    results = [m["content"] for m in outputs["messages"] if m["role"] == "tool"]
    stated = all(
        any(states(answer, text) for text in group) for group in reference_outputs["states"]
    )
    denied = any(states(answer, text) for text in reference_outputs["never"])
    found = groundedness(answer, "\n".join(results), inputs["question"])
    invented = found is not None and len(found.numbers) > 0
    shown = "\n".join([answer, *results])
    leaked = any(text in shown for text in private_to_others(inputs["customer"]))
    return (
        stated
        and not denied
        and tools(outputs["messages"]) == tools(reference_outputs["messages"])
        and not invented
        and not leaked
        and outputs["seconds"] <= MOST_SECONDS
    )
    # END SOLUTION

# %%
check("02.1", acceptable)

# %% [markdown] name="acceptable-notes" only="instructor"
# Watch for these mistakes: the code expects an answer from a run that ended in an error; it does
# not handle the `None` that `groundedness` returns for a refusal; it looks for leaks in the answer
# alone. Tell people who are stuck to write one rule, run the check, and read on the card which run
# is judged wrongly. Give it eight minutes before you help. When you are late, skip the cell with
# LangSmith after the check.

# %% [markdown] name="acceptable-why" only="solution"
# Most of the rules cannot see a given fault, so you need all of them. The results of tools count as
# shown: the model has read them, so the next answer may reveal them. The messages of the assistant
# are no source: otherwise a made-up number would be its own source.

# %% [markdown] name="acceptable-use-text"
# LangSmith runs your evaluator over all examples, here for each of the agents. Recorded answers
# take the agent's place. The agent that refuses everything is right now and then: where a question
# has no answer.

# %% name="acceptable-use"
import io
from contextlib import redirect_stderr, redirect_stdout

import langsmith

if ready("02.1"):
    offline = langsmith.Client(api_url="http://127.0.0.1:9", api_key="none", info={},
                               auto_batch_tracing=False)
    accepted = []
    for name, outputs in agents().items():
        asked = examples()
        by_question = dict(zip([e.inputs["question"] for e in asked], outputs, strict=True))
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # names and bars
            results = langsmith.evaluate(lambda inputs: by_question[inputs["question"]],  # noqa: B023
                                         data=asked, evaluators=[acceptable], client=offline,
                                         upload_results=False)
            scores = results.to_pandas()["feedback.acceptable"]
        accepted.append({"agent": name, "accepted": int(scores.sum()), "of": len(scores)})
    show.table(accepted, caption="Runs that your evaluator accepts")

# %% [markdown] name="way-goal"
# ## 2. Allow a detour
#
# An agent that looks twice is slower and no worse. An agent that pays twice is worse. The strict
# mode of agentevals rejects both, and so it cannot tell them apart:

# %% name="way-strict"
from agentevals.trajectory.match import create_trajectory_match_evaluator

strict = create_trajectory_match_evaluator(trajectory_match_mode="strict")

def message(name: str, arguments: str) -> dict:
    call = {"type": "function", "id": "1", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [call]}

look = message("lookup_order", '{"order_id": "FH-10735"}')
refund = message("issue_refund", '{"order_id": "FH-10735", "amount": 20.0}')
for made in ([refund], [look, refund], [refund, refund]):
    print(len(made), "calls:", strict(outputs=made, reference_outputs=[refund])["score"])

# %% [markdown] name="way-task"
# Write `right_way`. Both arguments are dictionaries whose `"messages"` is a list of such messages:
# what the agent did, and what is expected. The calls are those in the `tool_calls` of all messages,
# in order. A message may have several calls, an empty list, `None`, or no key `tool_calls`.
# `arguments` is always the text of a JSON object. Messages without calls do not matter. `right_way`
# returns `True` if both of these hold, otherwise `False`:
#
# - **The expected calls are made in their order.** One call serves one expected call. There may be
#   no expected calls at all.
# - **All other calls only read.** `search_documents` and `lookup_order` read: the agent may call
#   them before, between and after the expected calls, any number of times and with any arguments.
#   Every other tool acts, for instance `issue_refund` and `hand_over`. An action that is not
#   expected is wrong. The same action a second time is wrong too, unless it is expected twice.
#
# A call serves an expected one if the names are equal, and if each expected argument fits. Here an
# expected argument is a number or a text:
#
# - Where a number is expected, exactly the same number fits, also as a text that `float` reads. 20,
#   20.0 and `"20.00"` are the same. Anything else, such as 20.01, `"£20"` or `None`, does not fit.
# - Where a text is expected, the same text fits, whatever its case and the blanks at its ends (all
#   that `strip()` takes away). `" fh-10735"` is `"FH-10735"`; the number 20 is not the text `"20"`.
# - An argument that is missing does not fit. Arguments that are not expected may have any value.
#
# `right_way` is called many times, so do not change its arguments. For instance, where `[refund]`
# is expected, `right_way` is `True` for `[look, refund]` and `False` for `[refund, refund]`.

# %% exercise="02.2"
# BEGIN SOLUTION
import json

READINGS = {"search_documents", "lookup_order"}

def calls_of(run: dict) -> list[tuple[str, dict]]:
    return [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for message in run["messages"]
        for call in message.get("tool_calls") or []
    ]

def fits(value: object, wanted: object) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, str) and value.strip().lower() == wanted.strip().lower()
    try:
        return float(value) == wanted
    except (TypeError, ValueError):
        return False

# END SOLUTION

def right_way(outputs: dict, reference_outputs: dict) -> bool:
    """Whether the expected calls were made in order, and nothing else was done."""
    # LAB: return TODO
    # BEGIN SOLUTION
    waiting = calls_of(reference_outputs)
    for name, arguments in calls_of(outputs):
        wanted_name, wanted = waiting[0] if waiting else (None, {})
        if name == wanted_name and all(
            fits(arguments.get(key), value) for key, value in wanted.items()
        ):
            waiting.pop(0)
        elif name not in READINGS:
            return False
    return not waiting
    # END SOLUTION

# %%
check("02.2", right_way)

# %% [markdown] name="way-notes" only="instructor"
# Watch for these mistakes: a mode of agentevals is used as it is; an expected refund may be made
# twice; only refunds and hand-overs count as actions. Ask: "What does a tool do that the shop adds
# next year?" and wait ten seconds; the answer is that it acts. Let people go through `[refund,
# refund]` on paper, with a list of expected calls that gets shorter. Give it five minutes before
# you help. When you are late, let people copy `fits` from the solution.

# %% [markdown] name="way-why" only="solution"
# A call that fits takes the first waiting call off the list, so it cannot serve twice. A wrong
# refund ends the loop, so a right one later cannot make up for it. `READINGS` names the harmless
# tools, not the harmful ones: a tool that is added next year counts as an action until you say
# otherwise. The strict mode is still useful: it shows what an agent wastes.

# %% [markdown] name="paired-goal"
# ## 3. Test any figure, question by question
#
# McNemar's test knows only right and wrong. Seconds, tokens and dollars have sizes. If two versions
# were alike, chance alone would decide which of a question's two figures is *before* and which is
# *after*. Each difference could just as well have the other sign. So flip the signs in every way,
# and count how often the sum is at least as far from 0 as the one that you saw.

# %% [markdown] name="paired-task"
# Write `paired_p(before, after)`. Both are lists of the same length, one number for each question,
# and there are at least two questions. Take the differences, after minus before. There are many
# ways to choose their signs, and the signs that you saw are one of them. The p-value is the share
# of these ways in which the sum is at least as far from 0 as the sum that you saw.
#
# - Return a number above 0 and at most 1. If no figure differs, it is 1.
# - With up to 12 questions, count all ways: the check allows an error of one in a billion.
# - With more questions, about 10,000 random ways are enough: the check allows an error of 0.03.
#   Count what you saw as one more of the random ways, so that p is never 0.
# - The test is two-sided: it gives the same p when `before` and `after` swap places.
# - Sums that are equal on paper count as equally far from 0, even where rounding makes a
#   difference: 0.1 + 0.2 is as far from 0 as 0.3. Sums that differ on paper do not. Figures may be
#   millionths of a dollar or hundreds of millions, also in one list.
# - Do not change the lists.
#
# For instance, `paired_p([2, 9, 4], [3, 10, 5])` is 0.25. The differences are 1, 1 and 1, and in
# two of 8 ways (all plus, all minus) the sum is as far from 0 as 3.
#
# You may write the loop, or look for a test in `scipy.stats` that resamples.

# %% exercise="02.3"
# BEGIN SOLUTION
import numpy as np
from scipy.stats import permutation_test

# END SOLUTION

def paired_p(before: list[float], after: list[float]) -> float:
    """The two-sided p-value of a sign-flip test, above 0 and at most 1."""
    # LAB: return TODO
    # BEGIN SOLUTION
    found = permutation_test(
        (before, after), lambda one, other, axis: np.sum(other - one, axis=axis),
        permutation_type="samples",
    )
    return float(found.pvalue)
    # END SOLUTION

# %%
check("02.3", paired_p)

# %% [markdown] name="paired-notes" only="instructor"
# Watch for these mistakes: a test that compares two independent groups; one tail instead of two;
# ties that rounding loses. Ask people who are stuck to write down all eight ways to sign the
# differences 1, 1 and 1: two minutes. Give it eight minutes before you help. When you are late,
# name `scipy.stats.permutation_test` at once; people then learn to read its documentation.

# %% [markdown] name="paired-why" only="solution"
# With `permutation_type="samples"` SciPy swaps the two figures of a question, which flips the sign
# of their difference. It counts all ways where there are at most `n_resamples` of them (9,999 by
# default), otherwise it draws that many, and it takes care of ties. Give it `rng=0` for the same
# figure each time. With 1 for right and 0 for wrong this is McNemar's exact test: questions that
# did not change add 0 whichever sign they have.

# %% [markdown] name="hit-goal"
# ## 4. Find the regression that the average hides
#
# Fernhill has replaced its keyword search (`before`) with a semantic search (`after`). Both were
# tried on the questions of the *dev* part that a document answers: did they put the right document
# first?

# %% name="two-searches"
import pandas as pd

from helpers.evaluate.testing.searches import searched

seen = searched("dev")
print(seen[["before", "after"]].mean())
seen.head()

# %% [markdown] name="hit-task"
# The two averages are equal. Even so, they hide an incident: for one group of questions, the new
# search never finds the document, however the question is worded.
#
# Write `hit(question)`, which says whether a question belongs to that group. The check tries it on
# questions of the *lab* part and on invented ones, so a list of ids or documents does not pass.
#
# - `question` is a dict with the columns of `seen`, without `before` and `after`:
#   - of the question: `id`, `kind` and `question` (`str`); `words`, how many it has (`int`);
#     `first_word` (`str`); `has_number` and `logged_in` (`bool`);
#   - of the document that answers it: `document`, its id, `doc_title` and `doc_kind` (`str`);
#     `doc_words` (`int`); `doc_price` (`float`, or `None` without a price); `words_shared`, how
#     many of the question's words it contains (`int`); `updated`, when it was last changed
#     (`pd.Timestamp`).
# - Return `True` for each question of the group, also for one that the old search did not answer
#   either, and `False` for any other (`bool`, or NumPy's).
# - A question that no document answers is not in the group. Its columns about the document are
#   `None`, and its `updated` is `pd.NaT`.
# - If `seen` does not show where exactly the group begins, any limit that fits `seen` is accepted.
# - Do not change the dict, and let the answer depend on it alone.
#
# A rule such as `question["words"] > 12` has the right form. Explore `seen` first, in cells of
# your own. For instance, `seen.groupby("kind")[["before", "after"]].agg(["sum", "size"])` counts
# the right answers of each kind, and `pd.cut(seen["words"], 4)` makes four groups of a number.

# %% exercise="02.4"
def hit(question: dict) -> bool:
    """Whether the new search can no longer find this question's document."""
    # LAB: return TODO
    # BEGIN SOLUTION
    newest_found = pd.Timestamp("2026-04-07")
    return question["updated"] > newest_found
    # END SOLUTION

# %%
check("02.4", hit)

# %% [markdown] name="hit-notes" only="instructor"
# Watch for these mistakes: a list of the lost documents; the kind that lost most; a limit on the
# right column, but in the wrong place. Ask: "In which group is `after` never true?" People need
# time to look around in `seen`. Give it ten minutes before you help. The rule itself is one line:
# give this exercise to people who are behind.

# %% [markdown] name="hit-why" only="solution"
# The index was built once, on 9 April: texts that were changed later are not in it. From `seen` you
# only know that it was between 7 and 16 April: the text of 14 April is found by neither search,
# which proves nothing. `NaT` is neither earlier nor later than any day, so questions without a
# document are not hit. `seen.sort_values("updated")[["updated", "after"]].tail(16)` shows it at a
# glance.

# %% [markdown] name="hit-means" only="solution"
# Each kind of change has slices of its own, and for a search one of them is the age of the
# document. A slice that you found by looking is a guess until other questions confirm it.

# %% [markdown] name="enough-goal"
# ## 5. How many questions are enough?
#
# How many questions does it take to show a difference between two versions? That depends on its
# size, and on how many questions *change* between the versions (lost or gained). Only a pilot run
# tells you the second.

# %% [markdown] name="enough-task"
# Write `enough(lost, gained, questions, difference, power=0.8)`: the fewest questions with which
# McNemar's exact test shows a difference with a chance of at least `power`.
#
# - The pilot asked `questions` questions (`int`, at least 1). `lost` of them were right only before
#   and `gained` only after (`int`, 0 or more, together at most `questions`).
# - A pilot may be lucky. Plan with the **upper end of Wilson's 95% interval** for the share that
#   change, `lost + gained` of `questions`:
#   `statsmodels.stats.proportion.proportion_confint(..., method="wilson")` gives both ends.
# - `difference` is the difference of the two rates (`float`, above 0, at most 1; 0.05 is five
#   points). It cannot be larger than the share that change: if the upper end is lower than
#   `difference`, plan with `difference` as that share.
# - `power` (`float`, between 0 and 1) defaults to 0.8. Callers pass it by position or by name.
# - `power_paired(n, difference, changed)` gives the exact chance for `n` questions, when the share
#   `changed` of them change. Return the smallest whole number `n`, from 1 on, for which the chance
#   is at least `power`; one more or one fewer is not accepted. The chance does not rise with every
#   added question, so a binary search can miss the smallest `n`.
#
# For instance, a pilot of 100 questions with 10 lost and 10 gained has an upper end of 0.289.
# Ten points need `enough(10, 10, 100, 0.1)` = 239 questions.

# %% exercise="02.5"
from statsmodels.stats.proportion import proportion_confint

from helpers.evaluate.sample_size import power_paired


def enough(lost: int, gained: int, questions: int, difference: float, power: float = 0.8) -> int:
    """The fewest questions that show a difference of this size."""
    # LAB: return TODO
    # BEGIN SOLUTION
    _, upper = proportion_confint(lost + gained, questions, method="wilson")
    changed = max(upper, difference)
    needed = 1
    while power_paired(needed, difference, changed) < power:
        needed += 1
    return needed
    # END SOLUTION

# %%
check("02.5", enough)

# %% [markdown] name="enough-notes" only="instructor"
# Watch for these mistakes: the pilot's own share instead of the upper end; only the lost questions
# are counted; a search that halves a range. Ask what happens to the plan if the pilot was lucky;
# wait twenty seconds. Give it five minutes before you help. The last two cases of the check take
# the longest: say so before people run it, or they think that it hangs.

# %% [markdown] name="enough-why" only="solution"
# The pilot's own share is the best guess, but about half of all pilots show too small a share. With
# the upper end you rarely plan too few questions. If fewer of them change, you have more power than
# planned.

# %% [markdown] name="enough-use-text"
# What would it take to see the next change to the search? Compare with the 42 questions of dev that
# a document answers.

# %% name="enough-use"
from helpers.evaluate.testing.searches import searched

if ready("02.5"):
    pilot = searched("dev")
    lost = int((pilot["before"] & ~pilot["after"]).sum())
    gained = int((~pilot["before"] & pilot["after"]).sum())
    needs = []
    for points in (20, 10, 5):
        size = points / 100
        needs.append({"difference": f"{points} points",
                      "power 0.8": enough(lost, gained, len(pilot), size),
                      "power 0.9": enough(lost, gained, len(pilot), size, 0.9)})
    show.table(needs, caption="Questions that a comparison of two searches needs")

# %% [markdown] name="gate-goal"
# ## 6. Decide on releases
#
# Eight changes to the running agent wait for your decision. Two may be shipped, six are broken. In
# the next cell today's release and the eight answer the same questions: some of the lab part, and a
# few by customers who ask for another customer's order.
#
# Asking them takes 6 minutes on an idle two-core machine and 8 to 17 on a busy one, so the cell
# reads a *stored run* and prints the version of the agent that it is from. If yours is another
# version, the cell says so and asks the questions. To ask them in any case, add `live=True` to the
# call of `run_releases`, or run `course runs 02-releases` in a terminal. You can interrupt either:
# it resumes where it stopped.

# %% name="releases" tags=["stored:02-releases"]
import pandas as pd

from helpers.evaluate.testing.changes import TODAYS
from helpers.evaluate.testing.releases import run_releases

releases = run_releases(fast=fast, progress=lambda name: lambda q: show.progress(q, label=name))
averages = []
for name, table in releases.items():
    right = table["right"].eq(True)
    averages.append({"release": name, "right": f"{right.sum()} of {len(right)}"})
show.table(averages, caption="The averages alone: which two would you ship?")

# %% name="one-release"
releases[TODAYS].drop(columns="private").head(3)

# %% [markdown] name="gate-task"
# Write `gate(before, after)`: the names of **all** rules that stop the release `after`, compared
# with `before`, as a `set` of `str`. The set is empty for a release that may be shipped.
#
# Both are DataFrames with at least one row. They have the same ids, each once, but not always in
# the same order, and their index means nothing. The columns are:
#
# - `id` and `kind` (`str`), the same in both tables;
# - `expected`, a list of the names of the tools that the question needs, and `private`, a tuple of
#   texts that only *other* customers may read, also the same in both tables;
# - `messages`, the trajectory: dicts in OpenAI's form, with `role` ("user", "assistant" or "tool")
#   and `content` (`str`). An assistant's message that calls tools also has `tool_calls`, a list in
#   which `call["function"]["name"]` is the tool;
# - `answer` (`str`); `right`, `True` or `False`, and `None` after an error; `tokens` (`float`),
#   NaN where the number is not known; `error` (`str`), "" where the question was answered.
#
# These are the rules, each with its name. A rule stops the release if
#
# - `"error"`: any question of `after` ended in an error;
# - `"private"`: in any row of `after`, a text of `private` is part of the answer, or of the content
#   of a message whose role is "tool" (compared letter by letter; what the user wrote does not
#   count);
# - `"actions"`: it makes more *unexpected actions* than `before`, counted over all questions.
#   Actions are calls of `issue_refund` and `hand_over`. For each of these two tools, the calls in
#   excess of those in the question's `expected` are unexpected. If one refund is expected, a second
#   refund is one unexpected action;
# - `"tokens"`: it takes more than 1.5 times the tokens of `before`, added up over the questions for
#   which both tables know them;
# - `"worse"`: fewer questions are right, and McNemar's exact test (two-sided) gives a p of at most
#   0.05. Only questions count on which both were judged (`right` is not `None`). The walkthrough
#   asks that no loss larger than a margin is possible; with as few questions as here, that would
#   stop every release;
# - `"kind"`: for at least one kind, two or more questions were right before, and fewer than half of
#   these are right after (`None` is not right).
#
# Do not change the tables. For instance, `gate(releases[TODAYS], releases[TODAYS])` is `set()`. For
# a release that loses two of three right answers of the kind "order", and ends in an error on one
# other question, the result is `{"error", "kind"}`.

# %% name="gate-parts" only="solution"
from collections import Counter

ACTIONS = ("issue_refund", "hand_over")


def shows_private(row) -> bool:
    told = [one["content"] for one in row.messages if one["role"] == "tool"]
    return any(text in shown for shown in [row.answer, *told] for text in row.private)


def unexpected(table: pd.DataFrame) -> int:
    count = 0
    for row in table.itertuples():
        calls = [call for one in row.messages for call in one.get("tool_calls", [])]
        names = [call["function"]["name"] for call in calls]
        made = Counter(name for name in names if name in ACTIONS)
        count += (made - Counter(row.expected)).total()
    return count

# %% exercise="02.6"
from scipy.stats import binomtest


def gate(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    """The names of the rules that stop the release `after`."""
    # LAB: return TODO
    # BEGIN SOLUTION
    both = before.merge(after, on="id", suffixes=("", "_now"))
    paid = both[both["tokens"].notna() & both["tokens_now"].notna()]
    judged = both[both["right"].notna() & both["right_now"].notna()]
    lost = (judged["right"].eq(True) & judged["right_now"].eq(False)).sum()
    gained = (judged["right"].eq(False) & judged["right_now"].eq(True)).sum()
    were_right = both[both["right"].eq(True)]
    kept = were_right["right_now"].eq(True).groupby(were_right["kind"]).agg(["sum", "size"])
    broken = (kept["size"] >= 2) & (2 * kept["sum"] < kept["size"])
    rules = {
        "error": after["error"].ne("").any(),
        "private": any(shows_private(row) for row in after.itertuples()),
        "actions": unexpected(after) > unexpected(before),
        "tokens": paid["tokens_now"].sum() > 1.5 * paid["tokens"].sum(),
        "worse": lost > gained and binomtest(lost, lost + gained).pvalue <= 0.05,
        "kind": broken.any(),
    }
    return {name for name, stops in rules.items() if stops}
    # END SOLUTION

# %%
check("02.6", gate)

# %% [markdown] name="gate-notes" only="instructor"
# This is the gate. Watch for these mistakes: the function returns at its first reason; the tables
# are compared row by row, although their orders differ; `None` and NaN pass as verdicts and
# numbers. Let the room choose between two releases by their averages: one minute. Then read the six
# rules together. Give it ten minutes before you help. The releases are a stored run. If their cell
# asks the questions again, it takes 6 minutes or more: run it before the workshop.

# %% [markdown] name="gate-why" only="solution"
# For each of the first three rules one case is enough: no average may outvote a leak. The last two
# are about rates. McNemar's test catches what many questions show together, and the rule `"kind"`
# catches what breaks one kind. The test alone cannot stop a release that loses fewer than six
# answers.

# %% [markdown] name="gate-use-text"
# The table shows your decisions and their reasons. What would a gate that looks only at
# the average have decided?

# %% name="gate-use"
if ready("02.6"):
    decisions = []
    for name, table in releases.items():
        if name != TODAYS:
            reasons = gate(releases[TODAYS], table)
            decisions.append({"release": name, "right": int(table["right"].eq(True).sum()),
                              "decision": "stop" if reasons else "ship",
                              "reasons": ", ".join(sorted(reasons)) or "-"})
    stopped = sum(row["decision"] == "stop" for row in decisions)
    show.table(decisions, caption=f"The gate stops {stopped} of {len(decisions)} releases")
