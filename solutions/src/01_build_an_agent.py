# %% [markdown] name="title" only="lab"
# # Lab 01: Build an agent
#
# After this lab you have given Fernhill's agent a better search, a tool, a rule for refusing, a
# memory that keeps its customers apart, a guard around refunds, and more right answers.
#
# **75 to 90 minutes. Before it:** the walkthrough
# [01 Build an agent](../notebooks/01_build_an_agent.ipynb).
#
# Fill each cell that contains a `TODO` (in exercise 4, change the given code), run it, then run
# the check below it. A wrong try brings a hint on the card, and `hint("01.1")` the next one. The
# exercises do not depend on each other: leave one out, and the cells that use it say so.

# %% [markdown] name="title" only="solution"
# # Solution of lab 01: Build an agent
#
# All six exercises solved, and why. The lab itself:
# [labs/01_build_an_agent.ipynb](../labs/01_build_an_agent.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="lab-part"
from helpers.agent import fernhill_index
from helpers.shop import questions

os.environ["COURSE_MODEL"] = model
index = fernhill_index()
lab = questions("lab")
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="fuse-goal"
# ## 1. Fuse two searches
#
# A search by words (BM25) does not know that *postage* is the price of *delivery*. A search with
# one vector for a whole document loses a fact that fills one sentence of ten. Each search scores
# the documents on a scale of its own. Here are the three best documents of each search:

# %% name="two-searches"
from helpers.testbed.searches import by_meaning, by_words

question = "What's the postage to Dublin?"
for search in (by_words, by_meaning):
    scores = search(question)
    for name in sorted(scores, key=scores.get, reverse=True)[:3]:
        print(f"{search.__name__}: {name} {scores[name]:.2f}")

# %% [markdown] name="fuse-task"
# Write `fuse(words, meaning)`: rank all documents by a weighted sum of both scores.
#
# - Both arguments are dictionaries that map a document's id to its score. A score is a number of
#   any size, and may be below 0. Do not change the dictionaries.
# - `meaning` has every document. A document that is missing from `words` has the score 0 there.
# - Scale the scores of each search to 0 to 1: (score - lowest) / (highest - lowest), over all
#   documents. If all scores of a search are equal, they all scale to 0.
# - A document's fused score is 0.25 times its scaled score by words plus 0.75 times that by
#   meaning.
# - Return the ids of all documents, highest fused score first. Documents with equal scores come in
#   the order in which `sorted` puts their ids. You may return a list, a tuple, an array or a
#   generator. If there are no documents, return an empty one.
# - An id that only `words` has is an error: raise `ValueError` with a message that contains the id.
#
# For instance, `fuse({"boots": 9.0, "tent": 8.0}, {"stove": 0.2, "tent": 0.7, "boots": 0.1})` is
# `["tent", "boots", "stove"]`. By words the three scale to 1 (boots), 0.89 (tent) and 0 (stove),
# by meaning to 0, 1 and 0.17, so the fused scores are 0.25, 0.97 and 0.13.

# %% exercise="01.1"
def fuse(words: dict[str, float], meaning: dict[str, float]) -> list[str]:
    """The ids of all documents in `meaning`, best first, by the scores of both searches."""
    # LAB: return TODO
    # BEGIN SOLUTION
    for name in words:
        if name not in meaning:
            raise ValueError(f"{name!r} is in words, but not in meaning")
    if not meaning:
        return []
    lexical = scaled({name: words.get(name, 0.0) for name in meaning})
    semantic = scaled(meaning)
    both = {name: 0.25 * lexical[name] + 0.75 * semantic[name] for name in meaning}
    return sorted(both, key=lambda name: (-both[name], name))


def scaled(scores: dict[str, float]) -> dict[str, float]:
    """The same scores from 0 for the lowest to 1 for the highest; all 0 where all are equal."""
    low, high = min(scores.values()), max(scores.values())
    if low == high:
        return dict.fromkeys(scores, 0.0)
    return {name: (score - low) / (high - low) for name, score in scores.items()}
    # END SOLUTION

# %%
check("01.1", fuse)

# %% [markdown] name="fuse-notes" only="instructor"
# Watch for these mistakes: the scores are added without scaling; the two weights are swapped; ties
# keep the order of the dictionary. Ask people who are stuck to scale one search on paper. Give it
# ten minutes before you help. When you are late, accept *partly* if only one thing is missing: the
# error for an id that `meaning` does not have.

# %% [markdown] name="fuse-why" only="solution"
# BM25 and a cosine have different scales, so both are scaled to the range from 0 to 1 before they
# are weighted. If all its scores are equal, a search says nothing, and adds 0. The key with two
# parts keeps the order the same on every run: without it, ties follow the order of a dictionary. A
# search that returns ids which the other has never seen means that one index is out of date, and an
# error says so at once. Fusing by rank (reciprocal rank fusion) needs no scale at all, but it
# ignores by how much one document beats the next.

# %% [markdown] name="fuse-use-text"
# How often is the right document first? The questions are those of the lab part that one document
# answers. The last row is the index of the walkthrough, which compares single sentences too. Before
# you run the cell: would you rather fuse two simple searches, or have one good one?

# %% name="fuse-use"
from helpers.evaluate import Proportion

if ready("01.1"):
    asked = [question for question in lab if question.document]
    first = {"words": [], "meaning": [], "your fusion": [], "the agent's index": []}
    for one in asked:
        words, meaning = by_words(one.question), by_meaning(one.question)
        first["words"].append(max(words, key=words.get, default=None))
        first["meaning"].append(max(meaning, key=meaning.get))
        first["your fusion"].append(next(iter(fuse(words, meaning))))
        first["the agent's index"].append(index.search(one.question, 1)[0].document)

# %% name="fuse-measured"
if ready("01.1"):
    found = {}
    for name, documents in first.items():
        right = [got == one.document for got, one in zip(documents, asked, strict=True)]
        found[name] = Proportion.of(right)
    best = max(found, key=lambda name: found[name].successes)
    show.intervals(found, title=f"Most often right: {best}", x="right document first")
    measured.append({"exercise": "1 right document first", "of": len(asked),
                     "before": found["meaning"].successes, "after": found["your fusion"].successes})

# %% [markdown] name="tool-goal"
# ## 2. Add a tool
#
# Customers forget their order numbers. Before you write a tool that lists them, look at a smaller
# one. `@tool` turns a function into a tool. A model sees the tool's name, its docstring and the
# arguments that the model fills in. The agent fills in an argument `runtime: ToolRuntime[Caller]`
# and hides it from the model. The local model also uses `extras`: example requests for the tool, in
# a customer's words.

# %% name="tool-example"
from langchain.tools import BaseTool, ToolRuntime, tool
from langchain_core.utils.function_calling import convert_to_openai_tool

from helpers.agent import Caller
from helpers.shop import Orders


@tool(extras={"examples": ["Am I logged in?", "Who do you think I am?"]})
def who_am_i(runtime: ToolRuntime[Caller]) -> str:
    """Say which customer is logged in."""
    return f"You are customer {runtime.context.customer_id}."


convert_to_openai_tool(who_am_i)["function"]

# %% [markdown] name="tool-task"
# Write `make_my_orders(orders)`, which returns a tool `my_orders` over this order book.
#
# - The tool has no argument that the model fills in. `runtime.context.customer_id` is the customer
#   who is logged in, such as `"C-0042"`, or `None`.
# - It may be a function or an `async` function. It returns a text, in any wording, that contains
#   the numbers of all orders of this customer, such as FH-10093, and no other order number.
# - `orders.order_ids("C-0042")` gives a customer's order numbers,
#   `orders.get("FH-10093", "C-0042")` one order, with `status` and `ordered_on`.
# - If no customer is logged in, the text asks the customer to log in: any form of *log in* or *sign
#   in* counts. If a customer has no orders, the text says so, with a word such as *no*, *not* or
#   *nothing*. In both cases the tool returns a sentence and raises no exception.
# - One tool serves many customers, some at the same time. While it is in use, new orders arrive and
#   orders change owners. A second tool may have another order book. The tool only reads the order
#   book.
# - The model chooses it for the right requests. The check binds it to the model together with the
#   agent's four tools. Of 12 requests for orders, the model must choose it for at least 9; of 26
#   other requests, for at most 3.
#
# For instance, the tool may say to C-0042: *Order FH-10093 is delivered. Order FH-10102 ...*

# %% exercise="01.2"
def make_my_orders(orders: Orders) -> BaseTool:
    """The tool my_orders over this order book."""
    # LAB: return TODO
    # BEGIN SOLUTION
    examples = [
        "What did I buy from you?",
        "Show my orders.",
        "Which orders have I made?",
        "I forgot the number of my order.",
    ]

    @tool(extras={"examples": examples})
    def my_orders(runtime: ToolRuntime[Caller]) -> str:
        """List all orders of the customer who is logged in, with their numbers."""
        customer = runtime.context.customer_id
        if customer is None:
            return "Please log in first: then I can show you your orders."
        own = [orders.get(number, customer) for number in orders.order_ids(customer)]
        if not own:
            return "You have no orders with us yet."
        return " ".join(f"Order {order.id} is {order.status}." for order in own)

    return my_orders
    # END SOLUTION

# %%
check("01.2", make_my_orders)

# %% [markdown] name="tool-notes" only="instructor"
# Watch for these mistakes: the customer's id becomes an argument; a missing login raises an
# exception; the docstring promises what other tools do. Ask: "Who fills in this argument?" and wait
# ten seconds. If a tool is not chosen, it needs better examples, not more code.

# %% [markdown] name="tool-why" only="solution"
# The customer's id is nowhere among the arguments, so no text can change whose orders are shown.
# The tool asks the order book at each call and keeps nothing: what it kept would be shared by all
# customers. The docstring says what the tool gives, the examples say what customers say. Without a
# customer the tool answers with a sentence, because an exception would end the conversation.

# %% [markdown] name="tool-use-text"
# What does the model call for these requests, with the agent's four tools and with yours as a
# fifth? The second request is for one order, whose number the customer knows.

# %% name="tool-choice"
from helpers.agent import THRESHOLD, build_agent, make_tools
from helpers.models import chat_model
from helpers.shop import open_orders

if ready("01.2"):
    orders = open_orders()
    tools = make_tools(index, orders, threshold=THRESHOLD)
    with_mine = [*tools, make_my_orders(orders)]
    for request in ("I lost my order number. What did I buy?", "Where is FH-10093?"):
        for offered in (tools, with_mine):
            reply = chat_model().bind_tools(offered).invoke(request)
            print(request, len(offered), "tools:", [call["name"] for call in reply.tool_calls])

# %% [markdown] name="tool-answer-text"
# Compare the tool's message with the answer that the model makes of it: exercise 6 comes back to
# that.

# %% name="tool-use"
from langchain.messages import HumanMessage

if ready("01.2"):
    agent = build_agent(tools=with_mine)
    asked = {"messages": [HumanMessage("I lost my order number. What did I buy?")]}
    config = {"configurable": {"thread_id": "my-orders"}}
    # An async tool needs ainvoke; run_async runs it on the course's event loop.
    state = run_async(agent.ainvoke(asked, config, context=Caller("C-0042")))
    for message in state["messages"]:
        message.pretty_print()

# %% [markdown] name="threshold-goal"
# ## 3. Choose when to refuse
#
# The agent refuses a question whose best passage scores below a threshold. Write
# `choose_threshold(answerable, unanswerable, price)`: the threshold with the lowest total cost.
#
# - `answerable` and `unanswerable` are lists with one score for each question. Scores are floats
#   from -1,000,000 to 1,000,000, in any order. The same score may occur several times and in both
#   lists. Either list may be empty, or both. Do not change the lists.
# - A question is refused if its score is below the threshold. A score equal to it is answered.
# - Each refused question of `answerable` costs 1. Each answered question of `unanswerable` costs
#   `price`, a number of 0 or more: the agent invents an answer.
# - Return a number of any type; it may be infinite. Where several thresholds have the lowest cost,
#   return any of them.
#
# For instance, `choose_threshold([0.6, 0.8], [0.7, 0.3], 3)` may return 0.8: it refuses one
# answerable question, a cost of 1. A threshold of 0.5 answers one unanswerable question, a cost of
# 3.

# %% exercise="01.3"
def choose_threshold(
    answerable: list[float], unanswerable: list[float], price: float
) -> float:
    """A threshold of the lowest cost: scores below it are refused."""
    # LAB: return TODO
    # BEGIN SOLUTION
    def cost(threshold: float) -> float:
        refused = sum(score < threshold for score in answerable)
        return refused + price * sum(score >= threshold for score in unanswerable)

    return min([*answerable, *unanswerable, float("inf")], key=cost)
    # END SOLUTION

# %%
check("01.3", choose_threshold)

# %% [markdown] name="threshold-notes" only="instructor"
# Watch for these mistakes: `min()` of an empty list; a largest threshold such as 1.0, although a
# score can be higher. Ask which thresholds are worth trying. Let people draw scores on a line
# before they type: five minutes. When you are late, skip the comparison of three prices.

# %% [markdown] name="threshold-why" only="solution"
# The cost only changes where the threshold passes a score, so the scores themselves are all there
# is to try, and infinity for "refuse everything". A fixed number in its place, such as 1.0, works
# only until a score is higher. Whether refusing everything is absurd or right depends on the price,
# which the shop sets, not the model.

# %% [markdown] name="threshold-use-text"
# A threshold that you choose on the dev part must also hold on other questions. How do the two
# kinds of mistakes on the lab part change as an invented answer gets more expensive?

# %% name="threshold-use"
from helpers.testbed.searches import best_scores

dev_answerable, dev_unanswerable = best_scores("dev")
lab_answerable, lab_unanswerable = best_scores("lab")
print(f"lab: {len(lab_answerable)} answerable, {len(lab_unanswerable)} unanswerable questions")

# %% name="threshold-measured"
if ready("01.3"):
    rows = []
    for price in (0.25, 2, 16):
        threshold = choose_threshold(dev_answerable, dev_unanswerable, price)
        refused = sum(score < threshold for score in lab_answerable)
        invented = sum(score >= threshold for score in lab_unanswerable)
        rows.append({"price": price, "threshold": threshold, "refused for nothing": refused,
                     "invented answers": invented, "cost": refused + price * invented})
    show.table(rows, caption="Chosen on the dev part, counted on the lab part")
    measured.append({"exercise": "3 invented answers, price 2", "of": len(lab_unanswerable),
                     "before": len(lab_unanswerable), "after": rows[1]["invented answers"]})
    measured.append({"exercise": "3 refused for nothing, price 2", "of": len(lab_answerable),
                     "before": 0, "after": rows[1]["refused for nothing"]})

# %% [markdown] name="memory-goal"
# ## 4. Keep two customers apart
#
# Give each conversation of each caller a memory of its own.
#
# A checkpointer keeps one memory for each `thread_id`, and an agent finds it by its config, a
# `RunnableConfig`: `agent.invoke(messages, {"configurable": {"thread_id": "..."}})`. The function
# below was written when the shop had one customer. Today everyone who calls a conversation *chat-1*
# shares one memory. Fix `conversation_config(caller, conversation)`.
#
# - `caller.customer_id` is a `str`, or `None` for a guest; `conversation` is a `str`. Each can be
#   any text: empty, long, with quotes, separators or any other character. Capital letters and
#   spaces count. The guest `Caller(None)` is not the customer `Caller("None")`.
# - Return a new dictionary in every call, as in the cell. Its `thread_id` is a `str`.
# - Equal arguments give an equal `thread_id`: in every call, for every `Caller` of the same
#   `customer_id`, and in another process, which knows nothing of the calls in this one.
# - Different arguments give a different `thread_id`. A digest is fine if it has at least 64 bits
#   (16 hexadecimal digits).
#
# For instance, `("C-1", "2-x")` and `("C-1-2", "x")` are two conversations.

# %% exercise="01.4" mend=true
from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller


def conversation_config(caller: Caller, conversation: str) -> RunnableConfig:
    """The config that gives a caller's conversation its own memory."""
    # LAB: return {"configurable": {"thread_id": conversation}}
    # BEGIN SOLUTION
    import json

    thread = json.dumps([caller.customer_id, conversation])
    return {"configurable": {"thread_id": thread}}
    # END SOLUTION

# %%
check("01.4", conversation_config)

# %% [markdown] name="memory-notes" only="instructor"
# Let people run the given code with two customers before they change it. Watch for these mistakes:
# two parts are joined by a hyphen, which may also occur inside them; a guest becomes the text
# "None". Ask for two different pairs that give the same text; wait one minute. This exercise takes
# the least code: give it to people who are behind.

# %% [markdown] name="memory-why" only="solution"
# JSON puts both parts into quotes and escapes the quotes inside, so two different pairs never give
# one text. A guest's `None` is written `null`, without quotes. Joining the parts with a hyphen
# works until a name contains one. Python's `hash()` differs from process to process.

# %% [markdown] name="memory-use-text"
# Two customers call their conversation *chat-1*. What does the agent remember after each message?
# The second customer's list must start empty.

# %% name="memory-use"
from langchain.agents import create_agent
from langchain.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from helpers.models import chat_model

if ready("01.4"):
    agent = create_agent(chat_model(max_tokens=8), checkpointer=InMemorySaver())
    for customer, text in [("C-0042", "My boots are size 43."), ("C-0042", "Which size?"),
                           ("C-0029", "Which size?")]:
        config = conversation_config(Caller(customer), "chat-1")
        state = agent.invoke({"messages": [HumanMessage(text)]}, config)
        print(customer, [m.text for m in state["messages"] if isinstance(m, HumanMessage)])

# %% [markdown] name="guard-goal"
# ## 5. Look before a refund
#
# Let `issue_refund` through only for an order that `lookup_order` has found earlier in the
# conversation.
#
# A function that is decorated with `@wrap_tool_call` is called in the place of every tool call.
# `handler(request)` makes the call and returns what the tool gives: a `ToolMessage`, or a
# `Command`. Write `look_before_refund(request, handler)`, with `def`, not `async def`. (An instance
# of your own `AgentMiddleware` class with a method `wrap_tool_call` is fine, too.)
#
# - `request.tool_call` is a dictionary, such as
#   `{"name": "issue_refund", "args": {"order_id": "FH-10742"}, "id": "a1"}`. Calls of
#   `issue_refund` and `lookup_order` always have an `order_id`; two ids are the same order if the
#   texts are equal.
# - `request.state["messages"]` is the conversation so far. The `tool_calls` of an `AIMessage` are
#   the model's calls, each a dictionary like the one above. A `ToolMessage` is the result of one
#   call: its `tool_call_id` is the call's `id`, its `status` is `"success"` or `"error"`. Results
#   can come in a different order from the calls. (The `artifact` of a lookup is the order that was
#   found; once a checkpointer has stored it, it is a dictionary.)
# - An order counts as found if at least one lookup of it has the status `"success"`, in this turn
#   or an earlier one. What a text says does not count, whether the customer, the model or a tool
#   wrote it. A lookup that the model asks for in the same message as the refund does not count
#   either: there is no result yet.
# - A refund of an order that was found, and any call of another tool, goes through: call `handler`
#   once, with the request as it is, and return what it returns. Do not catch what it raises.
# - To refuse, do not call `handler`. Return a `ToolMessage` with the call's id as `tool_call_id`,
#   `status="error"`, and a text that names `lookup_order` and the order, so that the model knows
#   what to do first.
# - Change no message, and keep nothing between calls: one guard serves all customers, and a
#   conversation may go on in another process.
#
# For instance, after a lookup of FH-10558 alone, a refund of FH-10742 is refused with *Call
# lookup_order for FH-10742 first.*

# %% exercise="01.5"
from collections.abc import Callable

from langchain.agents.middleware import ToolCallRequest, wrap_tool_call
from langchain.messages import AIMessage, ToolMessage
from langgraph.types import Command


@wrap_tool_call
def look_before_refund(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command]
) -> ToolMessage | Command:
    """Make the tool call, but no refund of an order that was not looked up before."""
    # LAB: return TODO
    # BEGIN SOLUTION
    call = request.tool_call
    if call["name"] != "issue_refund":
        return handler(request)
    order_id = call["args"]["order_id"]
    lookups = set()  # the ids of the calls that look this order up
    for message in request.state["messages"]:
        if isinstance(message, AIMessage):
            for made in message.tool_calls:
                if made["name"] == "lookup_order" and made["args"]["order_id"] == order_id:
                    lookups.add(made["id"])
        found = isinstance(message, ToolMessage) and message.status == "success"
        if found and message.tool_call_id in lookups:
            return handler(request)
    text = f"Call lookup_order for {order_id} first."
    return ToolMessage(text, tool_call_id=call["id"], status="error")
    # END SOLUTION

# %%
check("01.5", look_before_refund)

# %% [markdown] name="guard-notes" only="instructor"
# Watch for these mistakes: an exception instead of a `ToolMessage`; a set that remembers lookups
# from one conversation to the next; a lookup in the same message as the refund. Ask where the
# guard's memory is; the answer is "in the conversation". The statement is long: read it together.
# When you are late, skip the exercise.

# %% [markdown] name="guard-why" only="solution"
# The conversation is the only memory: what the guard itself kept would be shared by all customers.
# A call says which order was asked for, and its result whether it was found; the id joins the two.
# Two calls in one message cannot see each other's results, so the refund has to wait for the next
# message.

# %% [markdown] name="guard-use-text"
# This cell puts the guard around the running agent. A hosted model that is told to look first does
# so and tries again. The local model's tools are chosen by the customer's words alone. So it only
# passes the guard's message on, and the customer has to ask for both.

# %% name="guard-use"
from langchain.messages import HumanMessage

from helpers.agent import Caller, build_agent

if ready("01.5"):
    guarded = build_agent(retriever=index, middleware=[look_before_refund])
    for text in ["Refund FH-10803, please.", "Where is FH-10803? Then refund FH-10803, please."]:
        config = {"configurable": {"thread_id": text}}
        asked = {"messages": [HumanMessage(text)]}
        state = guarded.invoke(asked, config, context=Caller("C-0011"))
        print(text)
        for message in state["messages"]:
            if isinstance(message, ToolMessage):
                print(f"  {message.status}: {message.text}")

# %% [markdown] name="friendly-text"
# ## 6. Quote instead of rephrase
#
# The agent's own prompt makes the local model repeat what it reads, word by word. Fernhill's owner
# would like a warmer voice, and has written this one. Compare what the tool returns with what the
# customer reads.

# %% name="friendly"
from langchain.messages import HumanMessage

from helpers.agent import Caller, build_agent
from helpers.testbed.styles import FRIENDLY

print(FRIENDLY.system)
friendly = build_agent(style=FRIENDLY, retriever=index)
state = friendly.invoke(
    {"messages": [HumanMessage("How long will the shop keep my parcel for me?")]},
    {"configurable": {"thread_id": "friendly"}},
    context=Caller(),
)
for message in state["messages"][-2:]:
    print(f"{message.type}: {message.text}")

# %% [markdown] name="quote-goal"
# A voice must not cost the facts. Replace the words of the model's answer with the texts of this
# turn's tool results.
#
# A function that is decorated with `@wrap_model_call` is called in the place of every model call.
# `handler(request)` asks the model. Write `quote(request, handler)`, with `def`, not `async def`.
# (An instance of your own `AgentMiddleware` class with a method `wrap_model_call` is fine, too.)
#
# - Call `handler` once, with the request as it is. It returns a `ModelResponse`; the last message
#   of the list `.result` is the reply, an `AIMessage`.
# - A reply that calls tools (`.tool_calls`) passes unchanged: the turn goes on.
# - `request.messages` is the conversation so far. This turn begins at the last `HumanMessage`. Its
#   `ToolMessage`s are the results; each has a `.text` and an `.artifact`, which can be any object
#   or `None`. A search that found nothing has an empty list, `[]`, as its artifact: leave its text
#   out. All other results count, even if the tool refused (`status="error"`).
# - The new answer is exactly these texts, unchanged, in their order, with one space between two. If
#   there is none, the reply passes unchanged.
# - Return an `AIMessage`, or a `ModelResponse` whose `.result` ends in it. Change neither the
#   request nor its messages, and keep nothing between calls.
#
# For instance, after a lookup and a search the answer is *Order FH-10742: It was delivered on
# 2 June 2026. Warranty: Footwear has a guarantee of 1 year.*
#
# If all of this is right, the check also asks the friendly agent 31 questions of the lab part (one
# minute, or three on a busy machine). At least 16 answers must be right.

# %% exercise="01.6"
from collections.abc import Callable

from langchain.agents.middleware import ModelRequest, ModelResponse, wrap_model_call
from langchain.messages import AIMessage, HumanMessage, ToolMessage


@wrap_model_call
def quote(
    request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse]
) -> ModelResponse | AIMessage:
    """The model's reply, its words replaced by what the tools of this turn have said."""
    # LAB: return TODO
    # BEGIN SOLUTION
    response = handler(request)
    reply = response.result[-1]
    texts = []
    for message in request.messages:
        if isinstance(message, HumanMessage):
            texts = []  # a new turn begins
        if isinstance(message, ToolMessage) and message.artifact != []:
            texts.append(message.text)
    if reply.tool_calls or not texts:
        return response
    return reply.model_copy(update={"content": " ".join(texts)})
    # END SOLUTION

# %%
check("01.6", quote)

# %% [markdown] name="quote-notes" only="instructor"
# This is the gate. Watch for these mistakes: the model is not asked first; a reply that calls a
# tool loses its call; texts of an earlier turn come back. The last part of the check asks the model
# 31 questions. It takes one minute, or three on a busy machine: say so before people run it, or
# they think that it hangs. Afterwards, let neighbours compare their intervals.

# %% [markdown] name="quote-why" only="solution"
# The model is asked first, because only its reply tells whether another tool comes next. The copy
# of the reply keeps its token counts: the words are replaced, but they were paid for. A friendly
# sentence around the quote costs nothing when your code writes it. With a hosted model, measure
# again: it may well keep the facts in a voice of its own.

# %% [markdown] name="quote-use-text"
# What is `quote` worth? This cell asks the friendly agent the same questions of the lab part,
# without it and with it. Look at the intervals before you believe a difference.

# %% name="quote-use"
from helpers.agent import Agent
from helpers.evaluate import Proportion, run, score


def right_answers(agent: Agent) -> Proportion:
    """How many of the lab part's answerable questions (a sample) the agent answers rightly."""
    asked = [q for q in lab if q.kind != "unanswerable"][3 :: 22 if fast else 2]
    runs = run(agent, asked, progress=show.progress)
    verdicts = [score(q, made).answer for q, made in zip(asked, runs, strict=True)]
    return Proportion.of(verdict is not None and verdict.right for verdict in verdicts)

if ready("01.6"):
    quoting = build_agent(style=FRIENDLY, retriever=index, middleware=[quote])
    right = {"rephrasing": right_answers(friendly), "quoting": right_answers(quoting)}
    before, after = right["rephrasing"], right["quoting"]
    title = f"Quoting {after.successes} of {after.total} right, rephrasing {before.successes}"
    show.intervals(right, title=title, x="right answers")
    measured.append({"exercise": "6 right answers", "of": before.total,
                     "before": before.successes, "after": after.successes})

# %% [markdown] name="measured-text"
# ## What you measured
#
# The table counts the same questions before and after. Exercises 2, 4 and 5 have no row: a customer
# who sees another's orders is not a rate to improve, and their checks allow none.

# %% name="measured"
if measured:
    show.table(measured, caption="What your code changed, on questions of the lab part")

# %% [markdown] name="next"
# ## Next
#
# `course status` shows your progress.
#
# - The walkthrough again: [01 Build an agent](../notebooks/01_build_an_agent.ipynb).
# - Fusion by rank: Cormack, Clarke and Büttcher, 2009,
#   [doi:10.1145/1571941.1572114](https://doi.org/10.1145/1571941.1572114).
# - [LangChain: middleware](https://docs.langchain.com/oss/python/langchain/middleware) and
#   [tools](https://docs.langchain.com/oss/python/langchain/tools).
