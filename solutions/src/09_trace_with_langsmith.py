# %% [markdown] name="title" only="lab"
# # Lab 09: Trace with LangSmith
#
# After this lab you have traced a pipeline across threads, found in its traces what costs, what is
# slow and what fails, made a dataset of complaints, redacted without losing count, and cut a
# pipeline's traced cost at the same answers.
#
# **75 minutes. Before it:** the walkthrough
# [09 Trace with LangSmith](../notebooks/09_trace_with_langsmith.ipynb).
#
# Fill each cell that holds a `TODO` (in exercises 1 and 6, mend the code that stands there), run
# it, then run the check below it. The exercises do not depend on each other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 09: Trace with LangSmith
#
# All six exercises solved, and why. The lab itself:
# [labs/09_trace_with_langsmith.ipynb](../labs/09_trace_with_langsmith.ipynb).

# %% name="imports"
import asyncio
import hmac
import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor  # noqa: F401
from typing import Any

import numpy as np
from langchain_core.language_models import BaseChatModel
from langsmith import Client, get_current_run_tree, traceable, tracing_context
from langsmith.utils import ContextThreadPoolExecutor

from helpers.agent import Retriever
from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401
from helpers.course.exercises import m09_runs as runs
from helpers.course.exercises.m09_day import KEYS
from helpers.course.exercises.m09_desk import desk, fresh, practice, runs_of
from helpers.course.exercises.m09_given import HOUSE_MODEL, NEAR_ENOUGH, house_model, prompt
from helpers.evaluate import Proportion
from helpers.tracing.redact import RULES

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="service-text"
# The lab has a service of its own, which nobody else's traces are in; `client` is LangSmith's
# unchanged client that talks to it. The cell below fills it with a day of 200 requests that
# has something wrong with it: you find it in exercises 2 to 4. To look around in its pages, print
# `practice().page` and open that address.

# %% name="service"
os.environ["COURSE_MODEL"] = model
warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)
client, day = desk(), runs.planted(runs.SHOWN).project
print(f"{day}: {len(runs_of(day, is_root=True))} requests, at {practice().url}")

# %% [markdown] name="trace-goal"
# ## 1. Trace a pipeline
#
# `Pipeline` answers a question: two searches at the same time, in threads; a draft for each, at the
# same time, async; the longer one is the answer. Its model is the shop's own: LangChain knows
# nothing of it, so nothing is traced. Mend it so that one question gives this tree, with tokens and
# cost, and the same answer:
#
# ```
# answer            chain
#     documents     retriever
#     orders        tool
#     draft         llm, with the tokens of its reply
#     draft         llm
# ```
#
# The model's reply has `text`, `read` and `written` (tokens). `HOUSE_MODEL` is the name under which
# its price is known. For instance, `await Pipeline().answer("Where is my tent?")` begins
# with *Our answer*.

# %% exercise="09.1" mend=true
class Pipeline:
    """Answers one question: two searches at the same time, a draft for each, the longer one."""

    # BEGIN SOLUTION
    @traceable(run_type="retriever")
    # END SOLUTION
    def documents(self, question: str) -> str:
        """What the documents say."""
        return f"By the documents on {question.split()[-1]}"

    # BEGIN SOLUTION
    @traceable(run_type="tool")
    # END SOLUTION
    def orders(self, question: str) -> str:
        """What the order book says."""
        return f"By the order book, for {question.split()[-1]}, shipped"

    # BEGIN SOLUTION
    @traceable(run_type="llm", metadata={"ls_model_name": HOUSE_MODEL})
    # END SOLUTION
    async def draft(self, question: str, found: str) -> str:
        """An answer from what was found."""
        reply = await house_model(f"{found}\n\n{question}")
        # BEGIN SOLUTION
        usage = {"input_tokens": reply.read, "output_tokens": reply.written}
        usage["total_tokens"] = reply.read + reply.written
        get_current_run_tree().set(usage_metadata=usage)
        # END SOLUTION
        return reply.text

    # BEGIN SOLUTION
    @traceable
    # END SOLUTION
    async def answer(self, question: str) -> str:
        """The answer that the customer reads."""
        # LAB: with ThreadPoolExecutor(2) as pool:
        # BEGIN SOLUTION
        with ContextThreadPoolExecutor(2) as pool:
        # END SOLUTION
            found = list(pool.map(lambda search: search(question), [self.documents, self.orders]))
        drafts = await asyncio.gather(*(self.draft(question, text) for text in found))
        return max(drafts, key=len)

# %%
check("09.1", Pipeline)

# %% [markdown] name="trace-why" only="solution"
# `asyncio.gather` makes tasks, and a task copies the context in which it is made: async needs no
# help. A plain pool's threads start with an empty context. `ContextThreadPoolExecutor` hands each
# task a copy of the caller's.

# %% name="trace-use"
if ready("09.1"):
    project = fresh("pipeline")
    async def ask(question):
        with tracing_context(client=client, enabled=True, project_name=project):
            return await Pipeline().answer(question)
    print(run_async(ask("Where is my tent?")))
    client.flush()
    show.trace(runs_of(project))

# %% [markdown] name="costly-goal"
# ## 2. Find what costs out of proportion
#
# Every request of the day says in its metadata `channel`, `intent`, `language`, `release` and
# `template` (`KEYS`). The requests with one value of one key cost far too much. Write
# `costly_group`, which finds them in any project:
#
# - *excess* of a group: its share of the cost minus its share of the requests. You look for the
#   largest;
# - a request without a price is in neither share; how many there are is the last figure.
#
# For instance, four requests of $1 by `web` and one of $4 by `email` give
# `("channel", "email", 0.5, 0)`: half of the cost for a fifth of the requests.

# %% exercise="09.2"
def costly_group(client: Client, project: str, keys: Sequence[str]) -> tuple[str, str, float, int]:
    """Key and value with the largest excess, its share of the cost (0 to 1), requests unpriced."""
    # LAB: return TODO
    # BEGIN SOLUTION
    roots = list(client.list_runs(project_name=project, is_root=True))
    priced = [run for run in roots if run.total_cost is not None]
    whole = sum(float(run.total_cost) for run in priced)
    costs = defaultdict(list)
    for run in priced:
        for key in keys:
            costs[key, run.metadata[key]].append(float(run.total_cost) / whole)
    excess = {group: sum(shares) - len(shares) / len(priced) for group, shares in costs.items()}
    key, value = max(excess, key=excess.get)
    return key, value, sum(costs[key, value]), len(roots) - len(priced)
    # END SOLUTION

# %%
check("09.2", costly_group)

# %% [markdown] name="costly-why" only="solution"
# The sum alone names a frequent value, the mean alone a single huge request. Excess weighs both: it
# is what the group costs beyond what its number explains.

# %% name="costly-use"
if ready("09.2"):
    key, value, share, unpriced = costly_group(client, day, KEYS)
    rule = f'and(eq(metadata_key, "{key}"), eq(metadata_value, "{value}"))'
    dear = list(client.list_runs(project_name=day, is_root=True, filter=rule))
    print(f"{key} {value!r}: {share:.0%} of the cost, {len(dear)} of 200 requests")

# %% [markdown] name="suspects-goal"
# ## 3. Find the slow tool and the failing tool
#
# Two of the tools need a look: one is quick mostly and very slow at times, one fails. Write
# `suspects`, which gives their names:
#
# - slow: the highest 95th percentile of latency, among calls that raised no error;
# - failing: the highest *lower end* of the 95% interval of the rate of errors, so that one error of
#   one call does not win.
#
# For instance, `Proportion(1, 1).interval` is about `(0.21, 1.0)`, `Proportion(22, 44).interval`
# about `(0.36, 0.64)`: the second fails more surely.

# %% exercise="09.3"
def suspects(client: Client, project: str) -> tuple[str, str]:
    """The names of the slow and of the failing tool."""
    # LAB: return TODO
    # BEGIN SOLUTION
    seconds, errors = defaultdict(list), defaultdict(list)
    for run in client.list_runs(project_name=project, run_type="tool"):
        errors[run.name].append(run.error is not None)
        if run.error is None:
            seconds[run.name].append(run.latency)
    slow = max(seconds, key=lambda name: np.percentile(seconds[name], 95))
    failing = max(errors, key=lambda name: Proportion.of(errors[name]).interval[0])
    return slow, failing
    # END SOLUTION

# %%
check("09.3", suspects)

# %% [markdown] name="suspects-why" only="solution"
# The mean would name the steady tool, the count of errors the frequent one, the rate the one that
# was called once. A refusal is no error, and a time-out no slow answer.

# %% [markdown] name="curate-goal"
# ## 4. Turn ten bad runs into examples
#
# Customers marked answers with the feedback `helpful`, 0 or 1. For some of the bad ones a colleague
# has written what would have been right: `feedback.correction` is such as `{"answer": "28 days"}`.
# Write `curate`: it makes the dataset `name` of them.
#
# - Inputs `{"question": ...}` as the customer asked, outputs `{"answer": ...}` as corrected, and
#   `source_run_id`; the newest first, at most ten.
# - Each question once, however it is capitalised or spaced: the newest stays.
# - Called again, it adds nothing that is there already, and never more than ten in all.

# %% exercise="09.4"
def curate(client: Client, project: str, name: str) -> None:
    """Fill the dataset with the newest corrected complaints of the project."""
    # LAB: return TODO
    # BEGIN SOLUTION
    bad = 'and(eq(feedback_key, "helpful"), eq(feedback_score, 0))'
    found = client.list_runs(project_name=project, is_root=True, filter=bad)
    roots = {run.id: run for run in found}
    said = client.list_feedback(run_ids=list(roots), feedback_key=["helpful"])
    right = {one.run_id: one.correction for one in said if one.correction}
    if not client.has_dataset(dataset_name=name):
        client.create_dataset(name)
    there = list(client.list_examples(dataset_name=name))
    seen, new = {plain(one.inputs["question"]) for one in there}, []
    for run in sorted(roots.values(), key=lambda run: run.start_time, reverse=True):
        question = run.inputs["question"]
        if run.id in right and plain(question) not in seen and len(there) + len(new) < 10:
            seen.add(plain(question))
            new.append({"inputs": {"question": question}, "outputs": right[run.id],
                        "source_run_id": run.id})
    if new:
        client.create_examples(dataset_name=name, examples=new)


def plain(question: str) -> str:
    """A question without what does not matter."""
    return question.strip().casefold()
    # END SOLUTION

# %%
check("09.4", curate)

# %% [markdown] name="curate-why" only="solution"
# A complaint says that something is wrong; only the correction says what is right. The source run
# keeps the way back: a year later somebody asks where an example has come from.

# %% name="curate-use"
if ready("09.4"):
    name = fresh("complaints")
    curate(client, day, name)
    rows = [{"question": one.inputs["question"], "answer": one.outputs["answer"]}
            for one in client.list_examples(dataset_name=name, limit=4)]
    show.table(rows, caption="The first examples")

# %% [markdown] name="redact-goal"
# ## 5. Redact, and still count
#
# The course's redactor puts `[email]` for every address. Then nobody can say any more whether ten
# complaints come from ten customers or from one. Write `make_hook`: a hook that puts a *pseudonym*
# instead, the same for the same address or number, which nobody can make without the key.
#
# - `RULES` gives the kinds: pairs of a name and a compiled pattern.
# - Capitals, spaces and punctuation make no difference: `01632 960123` is `01632960123`.
# - The data are JSON-like: dictionaries, lists, texts, numbers, nested to any depth.
#
# For instance, `make_hook(b"key")({"text": "ring 01632 960123"})` may give
# `{"text": "ring [phone 5d41402a]"}`.

# %% exercise="09.5"
def make_hook(key: bytes) -> Callable[[Any], Any]:
    """A hook for `Client(anonymizer=...)`."""
    # LAB: return TODO
    # BEGIN SOLUTION
    def pseudonym(name: str, found: str) -> str:
        same = "".join(filter(str.isalnum, found.casefold()))
        return f"[{name} {hmac.new(key, same.encode(), 'sha256').hexdigest()[:8]}]"

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            for name, pattern in RULES:
                value = pattern.sub(lambda match, name=name: pseudonym(name, match[0]), value)
            return value
        if isinstance(value, dict):
            return {name: clean(item) for name, item in value.items()}
        return [clean(item) for item in value] if isinstance(value, list) else value

    return clean
    # END SOLUTION

# %%
check("09.5", make_hook)

# %% [markdown] name="redact-why" only="solution"
# A plain hash is no protection: there are few phone numbers, and whoever hashes them all has
# undone it. With a key (HMAC) that needs the key. It belongs to the process that traces, not to
# the traces; throw it away, and the pseudonyms mean nothing any more.

# %% [markdown] name="cheaper-goal"
# ## 6. Cut the traced cost
#
# This pipeline answers from the best sentence of the documents, and costs too much. Here are its
# calls for one request, as traced:

# %% name="cheaper-look"
from helpers.course.exercises.m09_given import make_pipeline as given

project = fresh("given")
with tracing_context(client=client, enabled=True, project_name=project):
    traceable(given(runs.index(), runs.model()), name="given")(runs.REQUESTS[0])
client.flush()
show.trace(runs_of(project))

# %% [markdown] name="cheaper-task"
# Mend `make_pipeline` so that an experiment on the day's requests, some of which are asked more
# than once, costs at most a quarter, at the same answers, word by word. Cost is what the trace
# says: tokens at the model's rate. A call that is not traced is not saved, and the check counts.

# %% exercise="09.6" mend=true
def make_pipeline(index: Retriever, llm: BaseChatModel) -> Callable[[str], str]:
    """A function from a customer's question to an answer; it lives for a day."""
    # LAB: reviews = []
    # BEGIN SOLUTION
    replies = {}
    # END SOLUTION

    def answer(question: str) -> str:
        # LAB: other_words = llm.invoke(f"Say this in other words: {question}").text
        # BEGIN SOLUTION
        if question in replies:
            return replies[question]
        # END SOLUTION
        (passage,) = index.search(question, k=1)
        if passage.score < NEAR_ENOUGH:
            # BEGIN SOLUTION
            other_words = llm.invoke(f"Say this in other words: {question}").text
            # END SOLUTION
            (passage,) = index.search(other_words, k=1)
        # LAB: reply = llm.invoke(prompt(passage.excerpt, question)).text
        # LAB: reviews.append(llm.invoke(f"{passage.text}\n\nIs this polite? {reply}").text)
        # LAB: return reply
        # BEGIN SOLUTION
        replies[question] = llm.invoke(prompt(passage.excerpt, question)).text
        return replies[question]
        # END SOLUTION

    return answer

# %%
check("09.6", make_pipeline)

# %% [markdown] name="cheaper-why" only="solution"
# The review reads the most, and nobody reads the review. The other words are needed seldom, and
# then they do change the answer, so they stay, but only there. Whole questions repeat, so a
# dictionary answers them: module 10 says when that goes wrong.

# %% name="cheaper-use"
if ready("09.6"):
    mine, _ = runs.measured(make_pipeline)
    given_cost, count = runs.given_cost(), len(runs.REQUESTS)
    rows = [{"pipeline": "given", "same answers": count, "cost": 1e6 * given_cost},
            {"pipeline": "yours", "same answers": mine.right, "cost": 1e6 * mine.cost}]
    cut = 1 - mine.cost / given_cost
    show.table(rows, caption=f"{cut:.0%} less on {count} requests",
               units={"cost": "millionths of a $"}, digits=1)

# %% [markdown] name="end"
# ## Next
#
# `course status` shows what you have passed. In module 10 you cut the cost of a right answer, with
# routing, caches and shorter contexts; the traces tell you there, too, what each step is worth.
