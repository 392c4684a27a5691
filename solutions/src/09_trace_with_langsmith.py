# %% [markdown] name="title" only="lab"
# # Lab 09: Trace with LangSmith
#
# **75 minutes. Before it:** the walkthrough
# [09 Trace with LangSmith](../notebooks/09_trace_with_langsmith.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. The exercises do not
# depend on each other.

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

# %% name="service"
import warnings

from helpers.tracing.testing import lab_client, lab_service, planted_day

warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)

client = lab_client()
day = planted_day(client, seed=9).project

# %% [markdown] name="curate-goal"
# ## 4. Turn corrected complaints into a dataset
#
# Customers mark answers with the feedback `helpful`, 1 or 0. For some of the bad ones a colleague
# writes what would have been right. Write `curate(client, project, name)`, a plain function, which
# adds the newest of these corrected complaints to the dataset `name`, as examples for evaluation.
#
# - **Requests** are the root runs of `project`. Their inputs are `{"question": text}`. No two start
#   at the same time.
# - **Feedback** counts only with the key `helpful`, and only on a root run. If a run has several
#   such feedbacks, only the newest counts (`created_at`). The `score` is 0, 1 or None.
# - **A corrected complaint** is a request whose feedback that counts has the score 0 and a
#   `correction` with an answer, such as `{"answer": "28 days."}`. A correction is None or a
#   dictionary, which may hold other keys, and may have no `answer`. An answer is a text.
# - **An example** has the inputs `{"question": ...}`, as the customer wrote it, the outputs
#   `{"answer": ...}` of the correction, nothing else in both, and the `source_run_id`.
# - **Same question.** Capitals and white space do not count: two questions are the same if they are
#   equal after `str.casefold`, with each run of white space as one space and none at the ends. So
#   `"Is  it\ndry? "` and `"is it dry?"` are the same, and `"Is it dry"` is not. Of corrected
#   complaints with the same question, only the newest request becomes an example.
# - **The dataset** may be there or not, and hold examples of other people, some without a
#   `question`. They stay as they are. A question that is there is not added again. If the dataset
#   is not there, create it, also for no example.
# - **At most ten** examples are in the dataset after the call, with those of before; if there were
#   ten or more, none is added. If there is not enough room, the newest requests (`start_time`) are
#   added. The order of the examples is open.
# - A second call adds nothing, except for what has become a corrected complaint since.
# - `list_runs`, `list_feedback` and `list_examples` promise no order.
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
                        "outputs": {"answer": feedback.correction["answer"]}})
    if new:
        client.create_examples(dataset_name=name, examples=new)


def plain(question):
    """A question without what does not count."""
    return " ".join(question.split()).casefold()
    # END SOLUTION

# %%
check("09.4", curate)

# %% [markdown] name="curate-why" only="solution"
# A complaint says that something is wrong, and only the correction says what would be right.
# `source_run_id` keeps the way back: a year later someone asks where an example comes from. And the
# newest feedback decides, because people change their minds: a customer whose second answer helped
# is no reason for an example.
#
# The filter finds runs on which *any* feedback is a complaint. So all feedback of these runs is
# read, and compared by time. Called without any run, `list_feedback` returns the feedback of all
# runs that there are: here nothing is looked up in it then.
#
# A dataset that fills itself without a limit is soon a mirror of what is asked most. At most ten,
# one for each question, keeps it small enough to be read.

# %% [markdown] name="curate-use-text"
# What does the day give? Count what customers marked with 0, and what is left as an example.

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
# function that returns its data with each personal text replaced by a pseudonym, which nobody can
# make without the key.
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
#   text with characters that do not count. They are applied in this order, each to the text that
#   the one before has left. No pattern matches an empty text, or anything inside a pseudonym.
# - **Pseudonym.** Each match becomes `[kind code]`. The code is the HMAC of the match's plain form,
#   encoded as UTF-8, with SHA-256 and the key: its first 12 hexadecimal digits, in lower case.
# - **Plain form.** The match after `str.casefold`, without the characters in `ignored`. So
#   `(01632) 960-123` and `01632960123` get the same code.
# - **Data** are nested to any depth. In dictionaries, keys and values are replaced; if two keys
#   become equal, the value of the last one stays. A list stays a list, and a tuple stays a tuple.
#   Anything that is not a text, dictionary, list or tuple is returned as it is, in keys, too: the
#   number `1632960123` is not a text.
# - The hook is a plain function. It does not change the data that it gets, and keeps nothing
#   between calls. Several hooks with other keys and rules may be in use at the same time.
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

# %% [markdown] name="redact-why" only="solution"
# Base64, or a text read backwards, hides nothing: anyone can turn it back. A plain hash cannot be
# turned back, but there are few phone numbers. Anyone can hash them all and look up the one that
# fits. HMAC takes a key as well, and without the key there is nothing to look up. The key belongs
# to the process that traces, and never into a trace. Delete it, and nobody can link old
# pseudonyms to customers any more.
#
# With 12 digits there are 2.8 × 10¹⁴ codes: a million customers hardly ever share one. With two
# digits there are 256, and 20 customers are enough for an even chance that two share one.
#
# The plain form decides what "the same" means, so it belongs to the rule. A dot counts in an
# address, and a space does not count in a number. This hook does not know that +44 1632 960123 is
# the same number, too: that takes a rule that knows countries.

# %% [markdown] name="redact-use-text"
# Sixty complaints arrive, written in different ways. Can you still count the customers?

# %% name="redact-use"
import json
import secrets
from collections import Counter

from langsmith import traceable, tracing_context


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
# Write `make_pipeline(index, llm, near_enough)`, a plain function. It returns a plain function of a
# question, which gives the same answers, word by word, at a quarter of the cost or less.
#
# - `index.search(query, k)` returns a list of the `k` best passages, best first, and costs nothing.
#   A passage has a `score` (a float, higher is better), an `excerpt` and a `text`. While the
#   pipeline lives, the documents do not change.
# - `llm` is a chat model of LangChain. It says the same to the same messages, and something else as
#   soon as one word of them differs, or a capital, or a space.
# - `near_enough` is a score. A passage with exactly this score is near enough.
# - **Answers** are texts. Questions come one after another. Of a day's requests, about four in ten
#   repeat an earlier question exactly, and of the different questions about one in four finds
#   nothing near enough at first.
# - **Cost** is what the trace says: the price of the tokens of all runs with the type `llm`. Each
#   of two shops' days counts by itself, and costs at most 25% of what it costs with
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

# %% [markdown] name="cheaper-why" only="solution"
# The trace of one request shows where the tokens go: the review reads a whole document, and nobody
# reads the review. The other words are needed seldom, and then they change the answer, so they
# stay, but only there. Whole questions repeat, so a dictionary answers them: module 10 says when
# that goes wrong.
#
# Each of the three alone leaves more than a quarter. The check's model counts for itself, because
# there is always a fourth way to a cheaper trace: to leave calls out of it.

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
