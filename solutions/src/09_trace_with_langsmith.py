# %% [markdown] name="title" only="lab"
# # Lab 09: Trace with LangSmith
#
# After this lab you can trace a pipeline across threads, find in its traces what costs too much,
# what is slow and what fails, make a dataset of complaints, hide personal data and still count
# customers, and cut a pipeline's cost at the same answers.
#
# **60 to 90 minutes. Before it:** the walkthrough
# [09 Trace with LangSmith](../notebooks/09_trace_with_langsmith.ipynb).
#
# Fill each cell that contains a `TODO` (in exercises 1 and 6, change the code that you find there),
# run it, then run the check below it. After a wrong try, the card shows a hint, and `hint("09.1")`
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
# The lab has a tracing service of its own on this machine. `client` is LangSmith's unchanged client
# that talks to it. The cell below writes a day of 200 requests into it. Something is wrong with
# that day, and in exercises 2 to 4 you find out what. The last line prints an address: open it in a
# browser to look around.

# %% name="service"
import warnings

from helpers.tracing.testing import lab_client, lab_service, planted_day

# list_runs says that it will be replaced; what replaces it gives no costs of whole requests yet.
warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)

client = lab_client()
day = planted_day(client, seed=9).project
print(f"{day}: {len(list(client.list_runs(project_name=day, is_root=True)))} requests")
print(lab_service().page)

# %% [markdown] name="trace-goal"
# ## 1. Trace a pipeline across threads
#
# `answer` in the cell below answers a question: two searches at the same time, in threads; a draft
# from each, at the same time, as tasks of the event loop; the longer draft is the answer. LangChain
# does not know its model, so nothing is traced. This is what the model gives back:

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
# | run | run type | its metadata contain |
# |---|---|---|
# | `answer` | `chain` | |
# | ├ `documents` | `retriever` | |
# | ├ `orders` | `tool` | |
# | ├ `draft` | `llm` | `source`: `"documents"`, and `ls_model_name` |
# | └ `draft` | `llm` | `source`: `"orders"`, and `ls_model_name` |
#
# **Arguments.** `documents` and `orders` are plain functions from a question to a text. `model` is
# an async function from a prompt to a `Reply`, which has `text`, `model` (the model's name), `read`
# and `written` (tokens, whole numbers). The functions may have any names of their own, and trace
# nothing themselves.
#
# - The four runs are directly below `answer`. There is one run for each call and no other.
# - The run of a draft has the model's name as `ls_model_name`, and reports the tokens of its own
#   reply as the usage `input_tokens`, `output_tokens` and `total_tokens`, the sum. Figures and
#   model names differ from reply to reply.
# - Further metadata, tags, inputs and outputs are up to you.
# - `answer` is async, and is called several times, also at the same time. Each question keeps its
#   own tree. Inside a traced function, `answer` is a run below that function's run.
# - With tracing off (`tracing_context(enabled=False)`), it answers the same and writes no run.
# - Apart from its traces it works as before. The two searches run at the same time in threads, and
#   the event loop is free meanwhile. The two drafts run at the same time. Each function is called
#   with the same arguments and as often as before. Of two drafts of equal length, the first one is
#   the answer. An error of a search or of the model is raised unchanged. Where tracing is on, it is
#   also the error of the run in which it happened, and of `answer`.
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

# %% [markdown] name="trace-why" only="solution"
# Which run a new run belongs to is kept in a context variable. `asyncio.gather` makes tasks, and a
# task copies the context in which it is made, so async code needs no help. A thread of a plain pool
# begins with an empty context. Its runs become traces of their own where tracing was turned on by
# environment variables, and are not written at all where `tracing_context` turned it on. No error
# tells you. `ContextThreadPoolExecutor` gives each call a copy of the caller's context, and so does
# `asyncio.to_thread`.
#
# The usage has to be set by hand, since only the code that called the model knows its figures. From
# usage and `ls_model_name` the service computes the cost. With tracing off there is no current run:
# code that does not allow for that fails where tracing is off, which is often production.

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
    seconds = {name: run_async(ask_both(on, project)) for name, on in (("off", False), ("on", True))}
    client.flush()
    runs = runs_of(client, project)
    show.trace([run for run in runs if run.trace_id == runs[0].trace_id])
    for root in (run for run in runs if run.parent_run_id is None):
        print(f"{root.inputs['question']} {root.total_tokens} tokens, ${root.total_cost}")
    print(f"tracing off {seconds['off']:.3f} s, on {seconds['on']:.3f} s")

# %% [markdown] name="costly-goal"
# ## 2. Find what costs out of proportion
#
# The metadata of a request say what it is about, for instance its `channel` and its `language`.
# Requests with one value of one of these keys cost far more than the others. Write `costly_group`,
# which finds them in any project.
#
# A *request* is a root run of the project. Its cost is that run's `total_cost`, in US dollars:
# the SDK gives a `Decimal`, or `None` where the price is not known. Such a request is *unpriced*,
# all others are *priced*, also those that cost 0.
#
# - A *group* is all priced requests with the same value under the same key of `keys`. `keys` are
#   one or more different texts, values are texts. A request whose metadata lack a key belongs to no
#   group of this key. Other keys of the metadata do not count.
# - The *excess* of a group is its share of the cost minus its share of the requests. Both are shares
#   of all priced requests of the project, whatever keys these have.
# - Return a tuple: key and value of the group with the largest excess (which may be negative), the
#   group's share of the cost (a number from 0 to 1), and how many requests of the project are
#   unpriced (an `int`).
# - Compare the excess rounded to nine digits. Of groups with the same one, take the key that comes
#   first in `keys`, then the value that comes first by alphabet (as `sorted` orders texts).
# - If there is no group, or the priced requests together cost 0, raise a `ValueError` whose message
#   contains the project's name.
# - It is a plain function, and may be called for several projects. It writes nothing. A project may
#   have more runs than one answer of the service contains; `list_runs` asks for the next ones
#   itself. Figures may be off by a millionth.
#
# For instance, four requests of $1 with the channel `web` and one of $4 with the channel `email`
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

# %% [markdown] name="costly-why" only="solution"
# The largest sum names a frequent value, and the largest mean a single huge request. The excess
# contains both: what the group costs beyond what its number of requests explains. A price that is
# not known is not 0. Counted as 0, it would make the group of a new model look cheap, so it is
# left out of both shares, and the last figure says how much you do not see. Root runs alone carry
# the cost of a whole request: the sum over all runs would count every model call twice.

# %% [markdown] name="costly-use-text"
# Which requests of the day are they? `list_runs` takes a filter in LangSmith's query language.

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
# below any other run, also below another call. All calls have ended. Its tool is the run's `name`.
# It has *failed* if its `error` is not `None`. Then it does not count as slow, however long it took.
# An answer that says no, in the run's outputs, is no failure.
#
# - **slow**: the tool with the highest 95th percentile of the latency (`run.latency`, in seconds)
#   of its calls that have not failed, and this percentile. Where it lies between two calls, it is
#   interpolated as `np.percentile` does by default. A tool whose calls have all failed is not slow.
# - **failing**: the tool with the highest *lower end* of Wilson's 95% interval for the share of its
#   calls that have failed, and this lower end, from 0 to 1. SciPy computes it:
#   `binomtest(failed, calls).proportion_ci(method="wilson")`. A tool that has not failed at all is
#   not failing.
# - Return a tuple of the two pairs, slow first. A pair is a tuple of the tool's name and the figure,
#   or `None` where no tool qualifies. One tool may be both.
# - Compare figures rounded to nine digits. Of tools with the same one, take the name that comes
#   first by alphabet (as `sorted` orders texts).
# - It is a plain function, and may be called for several projects. It writes nothing. Figures may
#   be off by a millionth.
#
# For instance, `stock` answers in 1.0, 2.0 and 3.0 seconds, and its fourth call fails after 30
# seconds. `gift_wrap` is called once, for 0.1 seconds, and fails. The result is
# `(("stock", 2.9), ("gift_wrap", 0.2065...))`. Had `gift_wrap` been called 40 times and failed 20
# times, its lower end would be 0.352, though its rate is only half as high.

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

# %% [markdown] name="suspects-why" only="solution"
# The mean would name the steady tool, and the maximum a single bad moment. The number of errors
# names the tool that is called most, and the rate a tool that was called once. The lower end asks
# how high the rate is at least, for all that we have seen: many calls bring it close to the rate,
# and few calls leave it low. Calls that failed say nothing about how long an answer takes: a
# time-out after 12 seconds would otherwise make the failing tool the slow one, too.

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
