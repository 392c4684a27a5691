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
#   `"Is  it\ndry? "` equals `"is it dry?"`, and `"Is it dry"` does not. Of corrected complaints with
#   the same question, only the newest request becomes an example.
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
from typing import Any

Rule = tuple[str, re.Pattern[str], str]


def make_hook(key: bytes, rules: list[Rule]) -> Callable[[Any], Any]:
    """A hook for `Client(anonymizer=...)`: personal texts become pseudonyms."""
    # LAB: return TODO
    # BEGIN SOLUTION
    if len(key) < 16:
        raise ValueError(f"the key has {len(key)} bytes; give 16 or more")

    def pseudonym(kind, found, ignored):
        plain = "".join(letter for letter in found.casefold() if letter not in ignored)
        return f"[{kind} {hmac.new(key, plain.encode(), 'sha256').hexdigest()[:12]}]"

    def hook(data):
        if isinstance(data, str):
            for kind, pattern, ignored in rules:
                data = pattern.sub(lambda match: pseudonym(kind, match[0], ignored), data)
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
