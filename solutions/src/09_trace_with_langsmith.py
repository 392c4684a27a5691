# %% [markdown] name="title" only="lab"
# # Lab 09: Trace with LangSmith
#
# After this lab you can trace a pipeline across threads, find out from its traces what costs too
# much, what is slow and what fails, make a dataset of complaints, hide personal data and still
# count customers, and cut a pipeline's cost without changing its answers.
#
# **75 minutes. Before it:** the walkthrough
# [09 Trace with LangSmith](../notebooks/09_trace_with_langsmith.ipynb).
#
# Fill each cell that contains a `TODO` (in exercise 1, change the code that you find there), run
# it, then run the check below it. After a wrong answer, the card shows a hint, and `hint("09.1")`
# gives the next one. The exercises do not depend on each other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 09: Trace with LangSmith
#
# All exercises solved, and why. The lab itself:
# [labs/09_trace_with_langsmith.ipynb](../labs/09_trace_with_langsmith.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="service-text"
# The lab has a tracing service of its own on this machine. `client` is LangSmith's unchanged
# client, connected to it. The cell below writes a day of 200 requests to the service. Something is
# wrong with that day, and in exercises 2 to 4 you find out what. The last line prints an address:
# open it in a browser to look around.

# %% name="service"
import warnings

from helpers.tracing.testing import lab_client, lab_service, planted_day

client = lab_client()
# list_runs is deprecated, but what replaces it does not give the cost of a whole request.
warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)

day = planted_day(client, seed=9).project
print(f"{day}: {len(list(client.list_runs(project_name=day, is_root=True)))} requests")
print(lab_service().page)

# %% [markdown] name="trace-goal"
# ## 1. Trace a pipeline across threads
#
# `answer` in the cell below answers a question. It runs two searches at the same time, in threads.
# From each result it drafts an answer, at the same time, as tasks of the event loop. The longer
# draft is the answer. LangChain does not know its model, so nothing is traced. This is what the
# model returns:

# %% name="trace-reply"
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """What a model gives back; `read` and `written` are tokens."""

    text: str
    model: str
    read: int
    written: int

# %% [markdown] name="trace-task"
# Change `answer` so that each question gives this tree:
#
# | run | run type | its metadata contains |
# |---|---|---|
# | `answer` | `chain` | |
# | ├ `documents` | `retriever` | |
# | ├ `orders` | `tool` | |
# | ├ `draft` | `llm` | `source`: `"documents"`, and `ls_model_name` |
# | └ `draft` | `llm` | `source`: `"orders"`, and `ls_model_name` |
#
# **Arguments.** `documents` and `orders` are plain functions from a question to a text. `model` is
# an async function from a prompt to a `Reply`, which has `text`, `model` (the model's name), `read`
# and `written` (tokens, whole numbers). The functions may have any names, and trace nothing
# themselves.
#
# - The four runs are directly below `answer`. There is one run for each call and no other.
# - The run of a draft has the model's name as `ls_model_name`. It reports the tokens of its own
#   reply as its usage: `input_tokens`, `output_tokens` and their sum, `total_tokens`. Figures and
#   model names differ from reply to reply.
# - Further metadata, tags, inputs and outputs are up to you.
# - `answer` is async, and is called several times, sometimes concurrently. Each question keeps its
#   own tree. If a traced function calls `answer`, its run is below that function's run.
# - With tracing off (`tracing_context(enabled=False)`), `answer` gives the same answers and writes
#   no run.
# - Apart from its traces it works as before. The two searches run at the same time in threads, and
#   the event loop is free meanwhile. The two drafts run at the same time. `answer` calls each
#   function with the same arguments and as often as before. Of two drafts of equal length, the
#   first one is the answer. If a search or the model raises an error, `answer` raises it unchanged.
#   Where tracing is on, it is also the error of the run in which it happened, and of `answer`.
#
# For instance, if the reply to the prompt with the documents' text is
# `Reply("It left on Monday.", "local", read=9, written=5)`, its draft has `source` `"documents"`,
# `ls_model_name` `"local"` and the usage `{"input_tokens": 9, "output_tokens": 5, "total_tokens":
# 14}`.

# %% exercise="09.1" mend=true
import asyncio
from collections.abc import Awaitable, Callable

# LAB: from concurrent.futures import ThreadPoolExecutor
# BEGIN SOLUTION
from langsmith import get_current_run_tree, traceable
from langsmith.utils import ContextThreadPoolExecutor

# END SOLUTION

# BEGIN SOLUTION
@traceable
# END SOLUTION
async def answer(question: str, documents: Callable[[str], str], orders: Callable[[str], str],
                 model: Callable[[str], Awaitable[Reply]]) -> str:
    """The longer one of two drafts, from what the documents and the order book say."""
    # BEGIN SOLUTION
    @traceable("llm")
    # END SOLUTION
    async def draft(source, found):
        reply = await model(f"{found}\n\n{question}")
        # BEGIN SOLUTION
        if run := get_current_run_tree():  # there is none with tracing off
            run.add_metadata({"source": source, "ls_model_name": reply.model})
            run.set(usage_metadata={"input_tokens": reply.read, "output_tokens": reply.written,
                                    "total_tokens": reply.read + reply.written})
        # END SOLUTION
        return reply.text

    # LAB: searches = [documents, orders]
    # BEGIN SOLUTION
    searches = [traceable("retriever", name="documents")(documents),
                traceable("tool", name="orders")(orders)]
    # END SOLUTION
    loop = asyncio.get_running_loop()
    # LAB: with ThreadPoolExecutor(2) as pool:
    # BEGIN SOLUTION
    with ContextThreadPoolExecutor(2) as pool:
    # END SOLUTION
        found = await asyncio.gather(
            *(loop.run_in_executor(pool, search, question) for search in searches))
    drafts = await asyncio.gather(draft("documents", found[0]), draft("orders", found[1]))
    return max(drafts, key=len)

# %%
check("09.1", answer)

# %% [markdown] name="trace-notes" only="instructor"
# Watch for these mistakes: the plain pool stays; `pool.map` blocks the event loop; the code fails
# with tracing off, where there is no run. Ask people who are stuck: "Which run does this thread
# know?" and wait ten seconds. They change given code here: let them add one decorator, run the
# check, and continue from its card. Give it eight minutes before you help.

# %% [markdown] name="trace-why" only="solution"
# A context variable says which run a new run belongs to. `asyncio.gather` makes tasks, and a task
# copies the context in which it is made, so async code needs no help. A thread of a plain pool
# begins with an empty context. If environment variables turned tracing on, its runs become traces
# of their own. If `tracing_context` turned it on, they are not written at all. No error tells you.
# `ContextThreadPoolExecutor` gives each call a copy of the caller's context, and so does
# `asyncio.to_thread`.
#
# You have to set the usage by hand, since only the code that called the model knows its figures.
# From the usage and `ls_model_name` the service computes the cost. With tracing off there is no
# current run. Code that does not allow for that fails wherever tracing is off, which is often in
# production.

# %% [markdown] name="trace-use-text"
# Ask two questions at the same time. What does each cost, and how long does tracing them take?

# %% name="trace-use"
import time

from langsmith import tracing_context

from helpers.tracing.testing import fresh, runs_of


async def house_model(prompt):
    """A model that nothing traces by itself."""
    await asyncio.sleep(0.05)
    text = f"Our answer: {prompt.splitlines()[0]}"
    return Reply(text, "local", read=len(prompt.split()), written=len(text.split()))


def search_documents(question):
    """What the documents say."""
    return f"By the documents on {question.split()[-1]}"


def read_order_book(question):
    """What the order book says."""
    return f"By the order book, for {question.split()[-1]}, shipped"


async def ask_both(enabled, project):
    """Two questions at the same time; seconds until both are answered."""
    begun = time.perf_counter()
    with tracing_context(client=client, enabled=enabled, project_name=project):
        await asyncio.gather(*(answer(question, search_documents, read_order_book, house_model)
                               for question in ("Where is my tent?", "Where is my old stove?")))
    return time.perf_counter() - begun


if ready("09.1"):
    project = fresh("pipeline")
    off = run_async(ask_both(False, project))
    on = run_async(ask_both(True, project))
    client.flush()
    runs = runs_of(client, project)
    show.trace([run for run in runs if run.trace_id == runs[0].trace_id])
    for root in (run for run in runs if run.parent_run_id is None):
        print(f"{root.inputs['question']} {root.total_tokens} tokens, ${root.total_cost}")
    print(f"Both answers take {off:.3f} s with tracing off, {on:.3f} s with tracing on")

# %% [markdown] name="costly-goal"
# ## 2. Find what costs out of proportion
#
# A request's metadata says what it is about, for instance its `channel` and its `language`. On this
# day, requests with one value of one of these keys cost far more than the others. Write
# `costly_group`, which finds such a group in any project.
#
# A *request* is a root run of the project. Its cost is that run's `total_cost`, in US dollars. The
# SDK gives a `Decimal`, or `None` if the price is not known. A request with `None` is *unpriced*;
# all others are *priced*, also those that cost 0.
#
# - A *group* is all priced requests with the same value under the same key of `keys`. `keys` is a
#   list of one or more different texts. The values are texts. A request whose metadata lacks a key
#   belongs to no group of this key. Other keys of the metadata do not count.
# - The *excess* of a group is its share of the cost minus its share of the requests. Both shares
#   are relative to all priced requests of the project, including those without the key.
# - Return a tuple: key and value of the group with the largest excess (which may be negative), the
#   group's share of the cost (any type of number, 0 to 1), and how many requests of the project are
#   unpriced.
# - Compare the excess rounded to nine digits after the point. Of groups with the same excess, take
#   the one whose key comes first in `keys`, then the one whose value `sorted` puts first.
# - If there is no group, or the priced requests together cost 0, raise a `ValueError` whose message
#   contains the project's name. The project itself always exists.
# - It is a plain function, not an async one, and may be called for several projects. Use only the
#   client that you are given, and do not change `keys`. A project may have more runs than one
#   answer of the service holds: `list_runs` fetches them all. The share may be off by a millionth.
#
# For instance, four requests of \$1 with the channel `web` and one of \$4 with the channel `email`
# give `("channel", "email", 0.5, 0)`: half of the cost with a fifth of the requests.

# %% exercise="09.2"
from collections import defaultdict
from collections.abc import Sequence

from langsmith import Client


def costly_group(client: Client, project: str, keys: Sequence[str]) -> tuple[str, str, float, int]:
    """Key and value with the largest excess, its share of the cost, and the unpriced requests."""
    # LAB: return TODO
    # BEGIN SOLUTION
    requests = list(client.list_runs(project_name=project, is_root=True))
    priced = [run for run in requests if run.total_cost is not None]
    whole = sum(float(run.total_cost) for run in priced)
    costs = defaultdict(list)
    for run in priced:
        for place, key in enumerate(keys):
            if key in run.metadata:
                costs[place, run.metadata[key]].append(float(run.total_cost))
    if not costs or whole == 0:
        raise ValueError(f"No request of {project} has a cost and one of the keys.")

    def order(group):
        excess = sum(costs[group]) / whole - len(costs[group]) / len(priced)
        return -round(excess, 9), group

    place, value = min(costs, key=order)
    share = sum(costs[place, value]) / whole
    return keys[place], value, share, len(requests) - len(priced)
    # END SOLUTION

# %%
check("09.2", costly_group)

# %% [markdown] name="costly-notes" only="instructor"
# Watch for these mistakes: the largest sum or the largest mean in place of the excess; no price
# counts as 0, or a price of 0 counts as none; model runs are counted next to their requests. Ask
# for both shares of the statement's example on paper: three minutes. Give it eight minutes before
# you help. When you are late, accept *partly* if only the order of equal groups is missing.

# %% [markdown] name="costly-why" only="solution"
# The largest sum names a frequent value, and the largest mean a single huge request. The excess
# avoids both: it is what the group costs beyond what its number of requests explains. A price that
# is not known is not 0. If you counted it as 0, a new model's group would look cheap. So the
# request is left out of both shares, and the last figure says how many you do not see. Use root
# runs only: each has the cost of its whole request, so a sum over all runs would count every model
# call more than once.

# %% [markdown] name="costly-use-text"
# Which of the day's requests are in the group? `list_runs` takes a filter in LangSmith's query
# language.

# %% name="costly-use"
keys = ["channel", "intent", "language", "release", "template"]

if ready("09.2"):
    key, value, share, unpriced = costly_group(client, day, keys)
    rule = f'and(eq(metadata_key, "{key}"), eq(metadata_value, "{value}"))'
    found = list(client.list_runs(project_name=day, is_root=True, filter=rule))
    print(f"{key} {value!r}: {share:.0%} of the cost, {len(found)} of 200 requests")
    print(f"{unpriced} requests have no price")

# %% [markdown] name="suspects-goal"
# ## 3. Find the slow tool and the failing tool
#
# Two of the day's tools need a look: one is mostly quick and very slow at times, the other one
# fails. Write `suspects`, which finds them in any project.
#
# A *call* is a run of the type `tool` in the project, wherever it is in its trace: a root run, or
# below any other run, also below another call. All calls have ended. The run's `name` is the tool.
# A call has *failed* if the run's `error` is not `None`. If the run's outputs refuse what was
# asked, that is not a failure.
#
# - **slow**: the tool with the highest 95th percentile of the latency (`run.latency`, in seconds)
#   of its calls that have not failed, and this percentile. Where it lies between two calls, it is
#   interpolated as `np.percentile` does by default. A tool whose calls have all failed is not slow.
# - **failing**: the tool with the highest *lower end* of Wilson's 95% interval for the share of its
#   calls that have failed, and this lower end, from 0 to 1. SciPy computes it:
#   `binomtest(failed, calls).proportion_ci(method="wilson").low`. A tool without a failed call is
#   not failing.
# - Return a tuple of two pairs, slow first. A pair is a tuple of the tool's name and the figure
#   (any type of number), or `None` where no tool qualifies. The same tool may be both.
# - Compare figures rounded to nine digits after the point. Of tools with the same figure, take the
#   one whose name `sorted` puts first.
# - It is a plain function, not an async one, and may be called for several projects, which always
#   exist. Use only the client that you are given. Figures may be off by a millionth.
#
# For instance, `stock` answers in 1.0, 2.0 and 3.0 seconds, and its fourth call fails after 30
# seconds. `gift_wrap` is called once, for 0.1 seconds, and fails. The result is
# `(("stock", 2.9), ("gift_wrap", 0.2065...))`. If `gift_wrap` failed in 20 of 40 calls, its lower
# end would be 0.352, although its rate would be only half as high.

# %% exercise="09.3"
from collections import defaultdict

import numpy as np
from langsmith import Client
from scipy.stats import binomtest

Suspect = tuple[str, float] | None


def suspects(client: Client, project: str) -> tuple[Suspect, Suspect]:
    """The slow tool with its 95th percentile, the failing one with its interval's lower end."""
    # LAB: return TODO
    # BEGIN SOLUTION
    seconds, failed = defaultdict(list), defaultdict(list)
    for run in client.list_runs(project_name=project, run_type="tool"):
        failed[run.name].append(run.error is not None)
        if run.error is None:
            seconds[run.name].append(run.latency)
    tails = {name: np.percentile(own, 95) for name, own in seconds.items()}
    lowest = {name: binomtest(sum(own), len(own)).proportion_ci(method="wilson").low
              for name, own in failed.items() if any(own)}

    def highest(figures):
        ordered = sorted(figures.items(), key=lambda one: (-round(one[1], 9), one[0]))
        return ordered[0] if ordered else None

    return highest(tails), highest(lowest)
    # END SOLUTION

# %%
check("09.3", suspects)

# %% [markdown] name="suspects-notes" only="instructor"
# Watch for these mistakes: the longest call or the mean in place of the percentile; failed calls
# that count as slow; the rate in place of the lower end; a refusal that counts as a failure. Ask:
# "What does one failure in one call tell you?" and wait ten seconds. Give it six minutes before you
# help. When you are late, accept *partly* if only the order of equal figures is missing.

# %% [markdown] name="suspects-why" only="solution"
# The mean would name the steady tool, and the maximum a single bad moment. The number of errors
# would name the tool that is called most, and the rate a tool that was called once. The lower end
# says how high the rate is at least, given the calls so far: with many calls it is close to the
# rate, and with few calls it is far below. Failed calls say nothing about how long an answer takes.
# If they counted, time-outs after 12 seconds would make the failing tool the slow one, too.

# %% [markdown] name="suspects-use-text"
# Compare your suspects with what simpler rules find on this day.

# %% name="suspects-use"
import pandas as pd

if ready("09.3"):
    calls = pd.DataFrame(
        [{"tool": run.name, "seconds": run.latency, "failed": run.error is not None}
         for run in client.list_runs(project_name=day, run_type="tool")])
    tools = calls.groupby("tool").agg(
        calls=("failed", "size"), failed=("failed", "sum"), rate=("failed", "mean"),
        mean=("seconds", "mean"), longest=("seconds", "max"))
    show.table(tools.reset_index(), caption="The day's tools; times in seconds", digits=2)
    print(*suspects(client, day), sep="\n")

# %% [markdown] name="curate-goal"
# ## 4. Turn corrected complaints into a dataset
#
# Customers mark answers with the feedback `helpful`, 1 or 0. For some of the bad answers, a
# colleague writes what would have been right. Write `curate(client, project, name)`, a plain
# function. It adds the newest of these corrected complaints to the dataset `name`, as examples for
# evaluation.
#
# - **Requests** are the root runs of `project`. Their inputs are `{"question": text}`. No two start
#   at the same time.
# - **Feedback** counts only with the key `helpful`, and only on a root run. If a run has several
#   feedback entries of this kind, only the newest counts (`created_at`). The `score` is 0, 1 or
#   None.
# - **A corrected complaint** is a request whose counting feedback has the score 0 and a
#   `correction` with an answer, such as `{"answer": "28 days."}`. A correction is None or a
#   dictionary, which may contain other keys, and may lack `answer`. An answer is a text.
# - **An example** has the inputs `{"question": ...}`, as the customer wrote it, the outputs
#   `{"answer": ...}` from the correction, and the `source_run_id`. Inputs and outputs have no other
#   keys.
# - **Same question.** Capitals and white space do not count: two questions are the same if they are
#   equal after `str.casefold`, with each run of white space as one space and none at the ends. So
#   `"Is  it\ndry? "` and `"is it dry?"` are the same, and `"Is it dry"` is not. Of corrected
#   complaints with the same question, only the newest request becomes an example.
# - **The dataset** may exist or not, and may contain other people's examples, some without a
#   `question`. They stay as they are. Do not add a question that the dataset contains already. If
#   the dataset does not exist, create it, even if there is no example to add.
# - **At most ten.** Add examples only while the dataset has fewer than ten, counting those from
#   before. If there is not enough room for all, add those of the newest
#   requests (`start_time`). The examples may be in any order.
# - A second call adds only what has become a corrected complaint since the first.
# - `list_runs`, `list_feedback` and `list_examples` may return their results in any order.
#
# For instance, a customer asks "How long may I keep it?", marks the answer with 0, and a colleague
# corrects it to `{"answer": "28 days."}`. Two other requests are praised. Then the dataset has one
# example: inputs `{"question": "How long may I keep it?"}`, outputs `{"answer": "28 days."}`.

# %% exercise="09.4"
from langsmith import Client


def curate(client: Client, project: str, name: str) -> None:
    """Add the newest corrected complaints of the project to the dataset."""
    # LAB: return TODO
    # BEGIN SOLUTION
    complaint = 'and(eq(feedback_key, "helpful"), eq(feedback_score, 0))'
    runs = list(client.list_runs(project_name=project, is_root=True, filter=complaint))
    said = client.list_feedback(run_ids=[run.id for run in runs], feedback_key=["helpful"])
    latest = {one.run_id: one for one in sorted(said, key=lambda one: one.created_at)}

    if not client.has_dataset(dataset_name=name):
        client.create_dataset(name)
    there = list(client.list_examples(dataset_name=name))
    seen = {plain(example.inputs.get("question", "")) for example in there}
    new = []
    for run in sorted(runs, key=lambda run: run.start_time, reverse=True):
        question, feedback = run.inputs["question"], latest[run.id]
        corrected = feedback.score == 0 and "answer" in (feedback.correction or {})
        if corrected and plain(question) not in seen and len(there) + len(new) < 10:
            seen.add(plain(question))
            new.append({"inputs": {"question": question}, "source_run_id": run.id,
                        "reference_outputs": {"answer": feedback.correction["answer"]}})
    if new:
        client.create_examples(dataset_name=name, examples=new)


def plain(question):
    """A question without what does not count."""
    return " ".join(question.split()).casefold()
    # END SOLUTION

# %%
check("09.4", curate)

# %% [markdown] name="curate-notes" only="instructor"
# Watch for these mistakes: any complaint counts, whatever was said after it; the oldest of two
# equal questions stays; the limit of ten ignores the examples that are already there. The statement
# is long: read it together, and let people underline each *newest*: three minutes. Ask what a
# second call adds. When you are late, skip this exercise.

# %% [markdown] name="curate-why" only="solution"
# A complaint says that something is wrong, and only the correction says what would be right.
# `source_run_id` keeps the way back, for the day when a colleague asks where an example comes from.
# The newest feedback decides, because people change their minds: if the customer now marks the
# answer with 1, it is no example.
#
# The filter finds runs on which *any* feedback is a complaint. So `curate` reads all `helpful`
# feedback of these runs, and keeps the newest. Called without any run ids, `list_feedback` returns
# the feedback of all runs; that does no harm here, since nothing is looked up in it then.
#
# A dataset that fills itself without a limit is soon a mirror of what is asked most. At most ten,
# one for each question, keeps it small enough to be read.

# %% [markdown] name="curate-use-text"
# What does the day give? Count the requests that customers marked with 0, and the examples that are
# left.

# %% name="curate-use"
from helpers.tracing.testing import fresh

if ready("09.4"):
    name = fresh("complaints")
    curate(client, day, name)
    bad = 'and(eq(feedback_key, "helpful"), eq(feedback_score, 0))'
    complaints = list(client.list_runs(project_name=day, is_root=True, filter=bad))
    examples = list(client.list_examples(dataset_name=name))
    rows = [{"question": one.inputs["question"], "answer": one.outputs["answer"]}
            for one in examples[:4]]
    show.table(rows, caption=f"{len(complaints)} complaints, {len(examples)} examples, such as")

# %% [markdown] name="redact-goal"
# ## 5. Redact with keyed pseudonyms
#
# If every address becomes `[email]`, nobody can say whether ten complaints come from ten customers
# or from one. Write `make_hook(key, rules)`. It returns a hook for `Client(anonymizer=...)`: a
# function that returns its data with a pseudonym in place of each personal text. Without the key,
# nobody can compute the pseudonyms.
#
# These are the rules for the shop. The check uses others, too:

# %% name="redact-rules"
import re

RULES = [  # kind, pattern, and characters of a match that do not count
    ("email", re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"), ""),
    ("card", re.compile(r"(?<![\w-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-])"), " -"),
    ("phone", re.compile(r"(?<![\w+-])\(?0\d{4}\)?[ -]?\d{3}[ -]?\d{3}(?![\w-])"), " -()"),
]

# %% [markdown] name="redact-task"
# - `key` is `bytes`. If it has fewer than 16, `make_hook` raises `ValueError`.
# - `rules` is a list of tuples `(kind, pattern, ignored)`: the kind's name, an `re.Pattern`, and a
#   text with characters that do not count. Apply the rules in this order, each to the text that the
#   one before has left. No pattern matches an empty text, or anything inside a pseudonym.
# - **Pseudonym.** Each match becomes `[kind code]`. The code is the HMAC (a hash with a key,
#   Python's `hmac`) of the match's plain form, encoded as UTF-8, with SHA-256 and the key: its
#   first 12 hexadecimal digits, in lower case.
# - **Plain form.** The match after `str.casefold`, without the characters in `ignored`. So
#   `(01632) 960-123` and `01632960123` get the same code.
# - **Data** is nested to any depth. In dictionaries, replace in keys and in values; if two keys
#   become equal, keep the value of the last one. A list stays a list, and a tuple stays a tuple.
#   Anything that is not a text, dictionary, list or tuple is returned as it is, also as a key: the
#   number `1632960123` is not a text.
# - The hook is a plain function. It does not change the data that it gets, and keeps nothing
#   between calls. Several hooks with different keys and rules may be in use at the same time.
#
# For instance, with the hook `make_hook(b"sixteen bytes or more", RULES)`:
#
#     hook({"text": "Ring 01632 960123!"})    # {"text": "Ring [phone 585c9f9627fa]!"}

# %% exercise="09.5"
import hmac
import re
from collections.abc import Callable
from functools import partial
from typing import Any

Rule = tuple[str, re.Pattern[str], str]


def make_hook(key: bytes, rules: list[Rule]) -> Callable[[Any], Any]:
    """A hook for `Client(anonymizer=...)`: personal texts become pseudonyms."""
    # LAB: return TODO
    # BEGIN SOLUTION
    if len(key) < 16:
        raise ValueError(f"the key has {len(key)} bytes; give 16 or more")

    def pseudonym(kind, ignored, match):
        plain = "".join(letter for letter in match[0].casefold() if letter not in ignored)
        return f"[{kind} {hmac.new(key, plain.encode(), 'sha256').hexdigest()[:12]}]"

    def hook(data):
        if isinstance(data, str):
            for kind, pattern, ignored in rules:
                data = pattern.sub(partial(pseudonym, kind, ignored), data)
            return data
        if isinstance(data, dict):
            return {hook(name): hook(value) for name, value in data.items()}
        if isinstance(data, (list, tuple)):
            return type(data)(hook(value) for value in data)
        return data

    return hook
    # END SOLUTION

# %%
check("09.5", make_hook)

# %% [markdown] name="redact-notes" only="instructor"
# Watch for these mistakes: a plain hash without the key; the match as it is written in place of its
# plain form; a group in place of the whole match; keys of dictionaries that stay. Ask who could
# reverse a hash of a telephone number; wait half a minute. Give it six minutes before you help.
# When you are late, skip the sixty complaints.

# %% [markdown] name="redact-why" only="solution"
# Base64, or a text read backwards, hides nothing: anyone can turn it back. A plain hash cannot be
# turned back, but there are few phone numbers. Anyone can hash them all and look up the one that
# matches. HMAC takes a key as well, and without the key there is nothing to look up. The key
# belongs to the process that traces, and never into a trace. Delete it, and nobody can link old
# pseudonyms to customers any more.
#
# With 12 digits there are 2.8 × 10¹⁴ codes: a million customers hardly ever share one. With two
# digits there are 256, and 20 customers are enough for an even chance that two share one.
#
# The plain form decides what "the same" means, so it belongs to the rule. A dot counts in an
# address, and a space does not count in a number. This hook does not know that +44 1632 960123 is
# the same number: a rule for that must know country codes.

# %% [markdown] name="redact-use-text"
# Sixty complaints arrive, written in different ways. Can you still count the customers?

# %% name="redact-use"
import json
import secrets
from collections import Counter

from langsmith import traceable, tracing_context

from helpers.tracing.testing import fresh


@traceable
def complain(sender: str, text: str) -> str:
    """Where a complaint ends up."""
    return "We are looking into it."


if ready("09.5"):
    redacting = lab_service().client(anonymizer=make_hook(secrets.token_bytes(32), RULES))
    senders = [f"customer{n * n % 23}@mail.example" for n in range(60)]
    project = fresh("redacted")
    with tracing_context(client=redacting, enabled=True, project_name=project):
        for n, sender in enumerate(senders):
            complain(sender if n % 2 else sender.upper(), f"Ring me: 01632 96{n % 4:04}")
    redacting.flush()
    stored = [run.inputs for run in client.list_runs(project_name=project)]
    leaks = json.dumps(stored).lower().count("@mail.example")
    (most, times), *_ = counted = Counter(one["sender"] for one in stored).most_common()
    print(f"{len(stored)} complaints by {len(counted)} customers (sent by {len(set(senders))})")
    print(f"{times} of them by {most}; {leaks} addresses stored")

# %% [markdown] name="cheaper-goal"
# ## 6. The gate: cut the traced cost
#
# This pipeline answers from the best passage of the shop's documents, and costs too much:

# %% name="cheaper-given"
def expensive_pipeline(index, llm, near_enough):
    """A function from a customer's question to an answer; it lives for a day."""
    reviews = []

    def answer(question):
        other_words = llm.invoke(f"Say this in other words: {question}").text
        (passage,) = index.search(question, k=1)
        if passage.score < near_enough:
            (passage,) = index.search(other_words, k=1)
        reply = llm.invoke([
            ("system", "You answer questions by repeating the text."),
            ("user", "How big is the flask?\n\nBottles: The flask holds 1.5 litres."),
            ("assistant", "Bottles: The flask holds 1.5 litres."),
            ("user", f"{question}\n\n{passage.excerpt}"),
        ]).text
        reviews.append(llm.invoke(f"{passage.text}\n\nIs this polite? {reply}").text)
        return reply

    return answer

# %% [markdown] name="cheaper-look-text"
# Here is one request to it, as traced, with the shop's documents and the course's model:

# %% name="cheaper-look"
from langsmith import traceable, tracing_context

from helpers.agent import fernhill_index
from helpers.models import chat_model
from helpers.tracing.testing import fresh, runs_of

NEAR_ENOUGH = 0.78
os.environ["COURSE_MODEL"] = model
index, llm = fernhill_index(), chat_model(max_tokens=40)


def ask_traced(make, questions):
    """The answers of a pipeline, and the project with its traces."""
    project, pipeline = fresh("pipeline"), make(index, llm, NEAR_ENOUGH)
    with tracing_context(client=client, enabled=True, project_name=project):
        answers = [traceable(pipeline, name="request")(question) for question in questions]
    client.flush()
    return answers, project


_, project = ask_traced(expensive_pipeline, ["How long will the shop keep my parcel for me?"])
show.trace(runs_of(client, project))

# %% [markdown] name="cheaper-task"
# Write `make_pipeline(index, llm, near_enough)`, a plain function. It returns a plain function from
# a question to an answer. The answers are the same, word for word, at a quarter of the cost or
# less.
#
# - `index.search(query, k)` returns a list of the `k` best passages, best first, and costs nothing.
#   A passage has a `score` (a float, higher is better), an `excerpt` and a `text`. While the
#   pipeline lives, the documents do not change.
# - `llm` is a chat model of LangChain. It gives the same reply to the same messages, and another
#   reply as soon as one word, capital or space in them differs.
# - `near_enough` is a score. A passage with exactly this score is near enough.
# - **Answers** are texts. Questions come one after another. An error of the model is raised to the
#   customer, and is not remembered. Of a day's requests, about four in ten repeat an earlier
#   question exactly, and for about one in four of the distinct questions the first search finds
#   nothing near enough.
# - **Cost** is what the trace says: the price of the tokens of all runs with the type `llm`. The
#   check runs the days of two shops. Each day must cost at most 25% of what it costs with
#   `expensive_pipeline`.
# - **Every call of the model is in the trace**, as a run with its tokens, in the project of its
#   request. The model counts its calls itself, and the check compares.
# - Several pipelines, each with documents and a model of its own, may be in use at the same time.
#   They get the same questions, and give other answers.
#
# For instance, three requests with the same question, whose first passage is near enough, need one
# call of the model, where `expensive_pipeline` needs nine.

# %% exercise="09.6"
from collections.abc import Callable

from langchain_core.language_models import BaseChatModel

from helpers.agent import Retriever


def make_pipeline(
    index: Retriever, llm: BaseChatModel, near_enough: float
) -> Callable[[str], str]:
    """A function from a customer's question to an answer; it lives for a day."""
    # LAB: return TODO
    # BEGIN SOLUTION
    replies = {}

    def answer(question):
        if question in replies:
            return replies[question]
        (passage,) = index.search(question, k=1)
        if passage.score < near_enough:
            other_words = llm.invoke(f"Say this in other words: {question}").text
            (passage,) = index.search(other_words, k=1)
        replies[question] = llm.invoke([
            ("system", "You answer questions by repeating the text."),
            ("user", "How big is the flask?\n\nBottles: The flask holds 1.5 litres."),
            ("assistant", "Bottles: The flask holds 1.5 litres."),
            ("user", f"{question}\n\n{passage.excerpt}"),
        ]).text
        return replies[question]

    return answer
    # END SOLUTION

# %%
check("09.6", make_pipeline)

# %% [markdown] name="cheaper-notes" only="instructor"
# This is the gate. Watch for these mistakes: no question is put into other words any more, although
# some need it; a question is tidied before it is looked up; one memory serves all pipelines; calls
# leave the trace. Show the trace, and ask whose result the customer never reads; wait twenty
# seconds. One saving alone is not enough. When you are late, skip the last cell, which asks the
# course's model for the whole comparison.

# %% [markdown] name="cheaper-why" only="solution"
# The trace of one request shows where the tokens go. The review reads a whole document, and nobody
# reads the review. The other words are seldom needed, but then they change the answer, so they stay
# for those questions only. Whole questions repeat, so a dictionary answers them: module 10 says
# when that goes wrong.
#
# None of the three alone gets the cost down to a quarter. The check's model counts its own calls,
# because there is always a fourth way to a cheaper trace: to leave calls out of it.

# %% [markdown] name="cheaper-use-text"
# What do you save with the shop's documents and the course's model?

# %% name="cheaper-use"
questions = [
    "I bought it in the outlet. How long can I bring it back?",
    "For how long do you guarantee shoes?",
    "How long until I must prove again that I'm a student?",
    "What's the postage to Dublin?",
    "How long will the shop keep my parcel for me?",
]
requests = [*questions[:3], questions[0]] if fast else [*questions, *questions[:3]]

if ready("09.6"):
    rows, answers = [], []
    for make in (expensive_pipeline, make_pipeline):
        said, project = ask_traced(make, requests)
        runs = list(client.list_runs(project_name=project))
        calls = sum(run.run_type == "llm" for run in runs)
        cost = sum(float(run.total_cost) for run in runs if run.parent_run_id is None)
        rows.append({"pipeline": make.__name__, "calls": calls, "cost": 1e6 * cost})
        answers.append(said)
    saved, same = 1 - rows[1]["cost"] / rows[0]["cost"], sum(map(str.__eq__, *answers))
    show.table(rows, caption=f"{saved:.0%} saved; {same} of {len(requests)} answers are the same",
               units={"cost": "millionths of a $"}, digits=1)

# %% [markdown] name="end"
# ## Next
#
# `course status` shows what you have passed. In module 10 you cut the cost of a right answer with
# routing, caches and shorter contexts. There, too, the traces tell you what each step is worth.
