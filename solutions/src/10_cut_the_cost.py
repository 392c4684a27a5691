# %% [markdown] name="title" only="lab"
# # Lab 10: Cut the cost
#
# After this lab you can find what costs out of proportion, and cut the cost of a right answer.
#
# **30 minutes. Before it:** the walkthrough [10 Cut the
# cost](../notebooks/10_cut_the_cost.ipynb).

# %% [markdown] name="title" only="solution"
# # Solution of lab 10: Cut the cost
#
# All exercises solved, and why. The lab itself:
# [labs/10_cut_the_cost.ipynb](../labs/10_cut_the_cost.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="causes-goal"
# ## 5. Find what costs out of proportion
#
# Here is a day of paid model calls, one row a call. The two models and their prices are invented:

# %% name="causes-day"
from helpers.testbed.paid_calls import paid_calls

day = paid_calls()
print(len(day), "calls,", day["micro_usd"].sum() / 1e6, "dollars")
show.table(day.head(4).drop(columns=["input_tokens", "output_tokens"]),
           caption="The first calls of the day")

# %% [markdown] name="causes-columns"
# - `request`, text: the request that a call is made for. A request has one or more calls, and all
#   of them have the same `customer`, `conversation`, `intent` and `text`.
# - `time`, a pandas timestamp: when the call was made. No two calls have the same. A request is
#   made when its first call is made.
# - `customer`, text, missing for guests; `conversation`, text: each request is part of one.
# - `intent`: what the request is about, such as `small talk`. `text`: what the customer wrote.
# - `model`: `small` or `large`. One request may use both.
# - `status`: `ok` or `error`. A failed call costs as much as any other, and is then made again.
# - `input_tokens` and `output_tokens`, numbers.
# - `micro_usd`, a whole number, 0 or more: what the call cost, in millionths of a dollar.

# %% [markdown] name="causes-task"
# Write `causes(calls)`. It gets a frame with these columns and returns a frame that says what five
# causes cost. These calls count, by cause:
#
# | cause | calls |
# |---|---|
# | `failed` | those with the status `error` |
# | `loop` | of each request, those after its fourth call that did not fail, in order of time |
# | `repeat` | all of a request which sends a text for the third time, or more, within 10 minutes |
# | `pasted` | those whose text has more than 700 characters |
# | `oversized` | those of the intent `small talk` that the model `large` has answered |
#
# - **A call counts once.** Where several causes apply, it counts for the one that is first in the
#   table.
# - **A repeat.** Two requests before it, or more, have the same text in the same conversation, and
#   the earlier one of the last two was made at most 10 minutes before it. Failed requests and other
#   repeats are among those before it. Two texts are the same if they are equal after `strip()` and
#   `casefold()`. Guests repeat themselves too.
# - **The result** has three columns, in this order: `cause`; `micro_usd`, the sum for the calls
#   that count, exact; `requests`, how many requests these calls belong to. A request may be in
#   several rows. There is one row for each cause for which any call counts, even if they cost 0.
#   The most expensive is first, and of equally expensive ones the first by alphabet. The index may
#   be any.
# - **The frame** may have its rows in any order, any index (it may repeat), and no rows at all:
#   then the result has the three columns and no rows. It is not changed.
#
# For instance, a request with the text "Hi" and the intent `small talk` has three calls of the
# model `large`, which cost 30, 20 and 50. The first one fails. The result:
#
#         cause  micro_usd  requests
#     oversized         70         1
#        failed         30         1

# %% exercise="10.5"
import numpy as np
import pandas as pd


def causes(calls: pd.DataFrame) -> pd.DataFrame:
    """What five causes cost, most expensive first."""
    # LAB: return TODO
    # BEGIN SOLUTION
    calls = calls.sort_values("time")
    worked = calls["status"] == "ok"
    number = worked.groupby(calls["request"]).cumsum()

    first = calls.drop_duplicates("request")
    same_text = first["text"].str.strip().str.casefold()
    two_before = first.groupby(["conversation", same_text])["time"].shift(2)
    repeats = first["request"][first["time"] - two_before <= pd.Timedelta(minutes=10)]

    applies = {
        "failed": ~worked,
        "loop": number > 4,
        "repeat": calls["request"].isin(repeats),
        "pasted": calls["text"].str.len() > 700,
        "oversized": (calls["intent"] == "small talk") & (calls["model"] == "large"),
    }
    calls["cause"] = np.select(list(applies.values()), list(applies), default="none")
    costly = calls[calls["cause"] != "none"].groupby("cause")
    table = costly.agg(micro_usd=("micro_usd", "sum"), requests=("request", "nunique"))
    return table.reset_index().sort_values(["micro_usd", "cause"], ascending=[False, True])
    # END SOLUTION

# %%
check("10.5", causes)

# %% [markdown] name="causes-why" only="solution"
# Everything is sorted by time once, into a new frame. After that, each condition is a Series over
# the same calls, and they can be combined. `np.select` gives a call the first condition that is
# true. So no money is counted twice, and the sums can be added up: they are what you would save at
# most, if you removed all five.
#
# `groupby` leaves out rows whose key is missing. Grouped by customer, all guests would have been
# left out without a word, and the client that repeats itself is a guest.
#
# Each cause has its own remedy: fewer tries and a pause between them, a limit of calls for each
# request, a limit of requests for each conversation or a cache, a limit of characters, and a small
# model for greetings. The table says which one comes first.

# %% [markdown] name="causes-use-text"
# What share of the day's bill is it? A few requests can cost as much as hundreds of others:

# %% name="causes-use"
if ready("10.5"):
    found = causes(day)
    share = found["micro_usd"] / day["micro_usd"].sum()
    of_requests = found["requests"] / day["request"].nunique()
    show.table(
        found.assign(**{"share of the bill": share, "share of the requests": of_requests}),
        caption="What five causes cost in a day", digits=3,
    )
    total, spent = day["micro_usd"].sum() / 1e6, found["micro_usd"].sum() / 1e6
    measured.append({"exercise": "5: dollars a day, at best", "before": total,
                     "after": total - spent})

# %% [markdown] name="tenth-goal"
# ## 6. The gate: a tenth of the price
#
# The support agent lets its model write every answer. For a question about the shop's documents, it
# calls the tool `search_documents`; for one about an order, `lookup_order`. Then the model reads
# what the tool has returned and says it in its own words. Choosing a tool costs the local model no
# tokens, and writing an answer does:

# %% name="tenth-agent"
import uuid

from langchain_core.messages import HumanMessage

from helpers.agent import THRESHOLD, Caller, build_agent, fernhill_index
from helpers.evaluate import score_answer
from helpers.models import prices
from helpers.shop import questions

retriever = fernhill_index()
chosen = [one for one in questions("lab") if one.kind in ("single_fact", "unanswerable", "order")]
some = chosen[:: 20 if fast else 8]


def ask(agent, question):
    """One question in a conversation of its own: the messages."""
    state = agent.invoke(
        {"messages": [HumanMessage(question.question)]},
        config={"configurable": {"thread_id": str(uuid.uuid4())}},
        context=Caller(question.customer),
    )
    return state["messages"]


for message in ask(build_agent(retriever=retriever), some[0]):
    tokens = getattr(message, "usage_metadata", None)
    print(message.type, "|", message.text, "|", tokens and tokens["total_tokens"], "tokens")

# %% [markdown] name="tenth-task"
# Write `cheaper(retriever, threshold)`. It returns a list (or a tuple) of LangChain middleware, one
# or more, which stand in front of the agent: `build_agent(retriever=retriever,
# middleware=cheaper(retriever, THRESHOLD))`.
#
# - `retriever.search(text, k)` returns at most `k` `Passage`s, best first. A passage has `title`,
#   `text`, `sentences`, `best` (the sentence that is nearest to the question), and `score`. The
#   agent's tool `search_documents` says that nothing is found where the best score is below
#   `threshold`.
# - After a tool has been called, the last message is a `ToolMessage`. Its `name` is the tool's; its
#   `text` is for the model. Its `artifact` is the list of passages for `search_documents`, and
#   empty if nothing was found. A tool that refuses, because the order is somebody else's for
#   instance, has the `status` "error" and says so in its `text`.
# - A middleware may return an `AIMessage` instead of calling the model; `wrap_model_call` makes one
#   from a function. What it returns ends the turn, unless it has `tool_calls`. The check calls
#   `invoke`, so you need no asynchronous one. A middleware may search, keep what it knows between
#   questions, and change requests. It may not change the agent, its tools or its orders.
# - `REFUSAL` of `helpers.agent` is what the agent says where the documents have no answer.
#
# The check makes an agent and asks it 40 questions, which you have not seen, by 27 intents; some
# are asked more often. Each is a conversation of its own. Most are about a fact that one sentence
# of the documents states, some about an order, and 8 have no such sentence. The outcomes:
#
# - **Right:** the answer states the fact, and no other value in its place. Where the documents have
#   no answer, right is to say so, and nothing else.
# - **Handed over:** not right, but the answer says that it does not know, or `hand_over` was
#   called.
# - **Wrong:** everything else.

# %% [markdown] name="tenth-limits"
# Your agent passes if all of this holds:
#
# - **Cost:** a right answer costs at most a tenth of what it costs with the given agent. All 40
#   questions are paid for. A token read takes 4.5 ms of CPU time and a token written 8.5 ms. Each
#   search, and each call of a model, takes 5.4 ms more. Other code of yours costs nothing. The
#   check stops as soon as more is spent than 40 right answers may cost.
# - **Quality:** at least 30 of 40 are right, at most 4 are handed over, and no more are wrong than
#   with the given agent.
# - **No wrong hits:** it is asked 8 pairs of questions in nearly the same words, such as the price
#   of one tent and then of another. The second answer is right and not the first one's.
# - **Customers:** what is said about an order is never said to another customer, or to a guest, who
#   asks in the same words. After an order has changed, the answer changes too.
# - **It still acts:** it refunds an order, in part or in full, when the customer asks for it, and
#   opens a ticket when a customer wants a person.
# - **Other documents:** `cheaper` is called more than once, at last for an agent whose documents
#   say something else. That agent answers from its own.
#
# For instance, for "How heavy is the Brook?" the answer "The complete Brook weighs 640 g." is
# right, whether a model or your middleware says it.

# %% exercise="10.6"
import re

from langchain.agents.middleware import AgentMiddleware, wrap_model_call
from langchain_core.messages import AIMessage, ToolMessage

from helpers.agent import REFUSAL, Retriever


def cheaper(retriever: Retriever, threshold: float) -> list[AgentMiddleware]:
    """Middleware that answers without the model where that is good enough."""
    # LAB: return TODO
    # BEGIN SOLUTION

    @wrap_model_call
    def tiers(request, handler):
        last = request.messages[-1]
        if isinstance(last, ToolMessage):
            if last.name != "search_documents":
                return AIMessage(last.text)
            return AIMessage(last.artifact[0].best if last.artifact else REFUSAL)

        about_an_order = re.search(r"FH-?\d", last.text, re.IGNORECASE)
        if not about_an_order:
            found = retriever.search(last.text, 1)
            if found and found[0].score >= threshold:
                return AIMessage(found[0].best)
        return handler(request)  # chooses a tool, which costs next to nothing

    return [tiers]
    # END SOLUTION

# %%
check("10.6", cheaper)

# %% [markdown] name="tenth-why" only="solution"
# The model earns nothing where a tool has already found the sentence: it repeats it, and sometimes
# gets it wrong. What is left to it is to choose a tool. A question with an order's number goes
# there at once, since "Refund FH-10771" has to be an action and not a sentence about refunds. So
# does a question whose score is too low: the customer may want a person.
#
# There is no cache here. Behind the extracted sentence it would save some hundredths of a
# micro-dollar a question, and it would bring its own risks: another customer's order, yesterday's
# state, and the same words with another meaning. A cache is worth it in front of a model that
# writes.
#
# What it costs elsewhere: the sentence is not adapted to the question, an answer that needs two
# sentences is never given, and a question outside of the documents' words is refused.

# %% [markdown] name="tenth-use-text"
# What does it save on the lab's questions, which you may look at?

# %% name="tenth-use"
def figures(agent):
    """How many answers are right, and what a right one costs in micro-dollars."""
    right, dollars = 0, 0.0
    for question in some:
        messages = ask(agent, question)
        right += score_answer(question, messages[-1].text).right
        usages = [getattr(message, "usage_metadata", None) for message in messages]
        dollars += sum(prices.cost("local", usage) for usage in usages if usage)
        dollars += 2 * 0.0054 * prices.CPU_HOUR_USD / 3600
    return {"right": right, "of": len(some), "micro-dollars a right answer": dollars / right * 1e6}


if ready("10.6"):
    own = build_agent(retriever=retriever, middleware=cheaper(retriever, THRESHOLD))
    rows = [{"agent": "given", **figures(build_agent(retriever=retriever))},
            {"agent": "yours", **figures(own)}]
    show.table(rows, caption="Questions of the lab, asked of two agents", digits=2)
    measured.append({"exercise": "6: micro-dollars a right answer",
                     "before": rows[0]["micro-dollars a right answer"],
                     "after": rows[1]["micro-dollars a right answer"]})
