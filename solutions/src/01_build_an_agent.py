# %% [markdown] name="title" only="lab"
# # Lab 01: Build an agent
#
# After this lab you have given Fernhill's agent a better search, a tool, a rule for refusing, a
# memory that keeps its customers apart, a guard around refunds, and more right answers.
#
# **60 to 75 minutes. Before it:** the walkthrough
# [01 Build an agent](../notebooks/01_build_an_agent.ipynb).
#
# Fill each cell that holds a `TODO` (in exercise 4, mend the code that stands there), run it, then
# run the check below it. The exercises do not depend on each other: leave one out, and the cells
# that use it say so.

# %% [markdown] name="title" only="solution"
# # Solution of lab 01: Build an agent
#
# All six exercises solved, and why. The lab itself:
# [labs/01_build_an_agent.ipynb](../labs/01_build_an_agent.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

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
# A search by words (BM25) does not know that *postage* is what *delivery* costs. A search with
# one vector for a whole document loses a fact that is one sentence of ten. Each gives a score to
# every document, on a scale of its own:

# %% name="two-searches"
from helpers.course.exercises.m01.searches import by_meaning, by_words

asked = "What's the postage to Dublin?"
words, meaning = by_words(asked), by_meaning(asked)
for scores in (words, meaning):
    print({name: round(scores[name], 2) for name in sorted(scores, key=scores.get)[:-4:-1]})

# %% [markdown] name="fuse-task"
# Write `fuse`: from both scores, the ids of all documents, best first. A document without a
# common word is missing in `words`; `meaning` names all. For instance,
# `fuse({"a": 9.0, "b": 8.0}, {"a": 0.1, "b": 0.7, "c": 0.2})` is `["b", "a", "c"]`: *a* is a little
# better by words, *b* much better by meaning. On the lab part's questions the right document
# must come first more often than with either search alone.

# %% exercise="01.1"
def fuse(words: dict[str, float], meaning: dict[str, float]) -> list[str]:
    """The ids of all documents in `meaning`, best first, by the scores of both searches."""
    # LAB: return TODO
    # BEGIN SOLUTION
    lexical = scaled({name: words.get(name, 0.0) for name in meaning})
    semantic = scaled(meaning)
    both = {name: 0.3 * lexical[name] + 0.7 * semantic[name] for name in meaning}
    return sorted(both, key=both.get, reverse=True)


def scaled(scores: dict[str, float]) -> dict[str, float]:
    """The same scores from 0 for the lowest to 1 for the highest; all 0 where all are equal."""
    low, high = min(scores.values()), max(scores.values())
    return {name: (s - low) / (high - low) if high > low else 0.0 for name, s in scores.items()}
    # END SOLUTION

# %%
check("01.1", fuse)

# %% [markdown] name="fuse-why" only="solution"
# BM25 and a cosine have different units, so each is brought to 0 to 1 before they are weighted.
# Where all scores are equal a search says nothing, and adds 0. Fusing by rank (reciprocal rank
# fusion) needs no scale at all; it forgets by how much one document beats the next.

# %% [markdown] name="fuse-use-text"
# How does it compare with the index of the walkthrough, which compares single sentences too?
# Before you run the cell: would you rather fuse two simple searches, or have one good one?

# %% name="fuse-use"
from helpers.evaluate.recall import by, recall


def best_first(scores: dict[str, float]) -> list[str]:
    """The ids by their scores, best first."""
    return sorted(scores, key=scores.get, reverse=True)

if ready("01.1"):
    searches = {
        "words": lambda q, k: best_first(by_words(q))[:k],
        "meaning": lambda q, k: best_first(by_meaning(q))[:k],
        "your fusion": lambda q, k: fuse(by_words(q), by_meaning(q))[:k],
        "the agent's index": by(index),
    }
    found = {name: recall(search, lab, k=1) for name, search in searches.items()}
    best = max(found, key=lambda name: found[name].successes)
    show.intervals(found, title=f"Most often right: {best}", x="right document first")
    measured.append({"exercise": "1 right document first", "of": found["meaning"].total,
                     "before": found["meaning"].successes, "after": found["your fusion"].successes})

# %% [markdown] name="tool-goal"
# ## 2. Add a tool
#
# Customers forget their order numbers. Write `make_my_orders`: it returns a tool `my_orders` that
# lists the orders of whoever is logged in, with their numbers, and takes no argument.
#
# - It must be **chosen**: docstring and `extras={"examples": [...]}` say what it is for. The local
#   model goes by both, a hosted one by name and docstring.
# - It must be **safe**: an argument `runtime: ToolRuntime[Caller]` is filled in by the agent and
#   invisible to the model; `runtime.context.customer_id` is who is logged in, or `None`. Then ask
#   to log in. Say so when there are no orders.
#
# `orders.order_ids("C-0042")` gives `["FH-10093", ...]`; `orders.get("FH-10093", "C-0042")` the
# order, with `status` and `ordered_on`. When C-0042 asks, the tool may say: *Order FH-10093 is
# delivered. Order FH-10102 ...*

# %% exercise="01.2"
from langchain.tools import BaseTool, ToolRuntime, tool

from helpers.agent import Caller
from helpers.shop import Orders


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

# %% [markdown] name="tool-why" only="solution"
# The customer's id is nowhere among the arguments, so no text can change whose orders are shown.
# The docstring says what the tool gives, the examples say what customers say. Without a customer
# the tool answers with a sentence, because an exception would end the conversation.

# %% [markdown] name="tool-use-text"
# The agent with the four tools of the shop and yours. Compare the tool's message with the answer
# that the model makes of it: exercise 6 comes back to that.

# %% name="tool-use"
from langchain.messages import HumanMessage

from helpers.agent import THRESHOLD, build_agent, make_tools
from helpers.shop import open_orders

if ready("01.2"):
    orders = open_orders()
    tools = [*make_tools(index, orders, threshold=THRESHOLD), make_my_orders(orders)]
    state = build_agent(tools=tools).invoke(
        {"messages": [HumanMessage("I lost my order number. What did I buy?")]},
        {"configurable": {"thread_id": "my-orders"}},
        context=Caller("C-0042"),
    )
    for message in state["messages"]:
        calls = [call["name"] for call in getattr(message, "tool_calls", [])]
        print(f"{message.type}: {message.text or calls}")

# %% [markdown] name="threshold-goal"
# ## 3. Choose when to refuse
#
# A question whose best passage scores below a threshold is refused. That goes wrong in two ways: an
# *answerable* question below it is refused for nothing (cost 1), an *unanswerable* one that is not
# below it gets an invented answer (cost `price`). Write `choose_threshold`: the threshold with the
# lowest total cost on the scores given.
#
# For instance, `choose_threshold([0.6, 0.8], [0.7, 0.3], 3)` may return 0.8: it refuses one
# answerable question, a cost of 1. A threshold of 0.5 would answer one unanswerable: a cost of 3.

# %% exercise="01.3"
def choose_threshold(
    answerable: list[float], unanswerable: list[float], price: float
) -> float:
    """The threshold of lowest cost: refused are scores below it, and it may be above them all."""
    # LAB: return TODO
    # BEGIN SOLUTION
    def cost(threshold: float) -> float:
        refused = sum(score < threshold for score in answerable)
        return refused + price * sum(score >= threshold for score in unanswerable)

    return min([*answerable, *unanswerable, float("inf")], key=cost)
    # END SOLUTION

# %%
check("01.3", choose_threshold)

# %% [markdown] name="threshold-why" only="solution"
# The cost only changes where the threshold passes a score, so the scores themselves are all there
# is to try, and one value above them for "refuse everything". Whether that is absurd or right
# depends on the price, which the shop sets, not the model.

# %% [markdown] name="threshold-use-text"
# What you choose on dev must hold on questions that you did not choose it on. How do the two kinds
# of mistakes on the lab part move, as an invented answer gets dearer? The second price is the one
# of the check.

# %% name="threshold-use"
from helpers.course.exercises.m01.scores import best_scores

if ready("01.3"):
    dev_scores = best_scores("dev")  # of the answerable questions, and of the others
    lab_yes, lab_no = best_scores("lab")
    rows = []
    for price in (0.25, 2, 16):
        threshold = choose_threshold(*dev_scores, price)
        rows.append({"price": price, "threshold": threshold,
                     "refused for nothing": sum(s < threshold for s in lab_yes),
                     "invented answers": sum(s >= threshold for s in lab_no)})
    asked = f"{len(lab_yes)} answerable and {len(lab_no)} unanswerable questions of the lab part"
    show.table(rows, caption=f"Chosen on dev, judged on {asked}")
    for kind, of, before in [("invented answers", len(lab_no), len(lab_no)),
                             ("refused for nothing", len(lab_yes), 0)]:
        measured.append({"exercise": f"3 {kind}", "of": of, "before": before,
                         "after": rows[1][kind]})

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
# - `request.state["messages"]` is the conversation so far. An `AIMessage` has the model's calls,
#   each a dictionary like the above, in its `tool_calls`. A `ToolMessage` has what came of one: its
#   `tool_call_id` is the call's `id`, its `status` is `"success"` or `"error"`. Results can come in
#   another order than the calls. (The `artifact` of a lookup is the order that was found; once a
#   checkpointer has stored it, it is a dictionary.)
# - An order counts as found if at least one lookup of it has the status `"success"`, in this turn
#   or an earlier one. What a text says does not count, whether the customer, the model or a tool
#   wrote it. Nor does a lookup that the model asks for in the same message as the refund: there is
#   no result yet.
# - A refund of an order that was found, and any call of another tool, goes through: call `handler`
#   once, with the request as it is, and return what it returns. What it raises is not yours to
#   catch.
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

# %% [markdown] name="guard-why" only="solution"
# The conversation is the only memory: what the guard itself kept would be shared by all customers.
# A call says which order was asked for, and its result whether it was found; the id joins the two.
# Two calls in one message cannot see each other's results, so the refund has to wait for the next
# message.

# %% [markdown] name="guard-use-text"
# The guard around the running agent. A hosted model that is told to look first does so and tries
# again. The local one chooses its tools by the customer's words alone: it passes the message on,
# and the customer has to ask for both.

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
from helpers.course.exercises.m01.quoting import FRIENDLY

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
#   out. All others count, also where a tool refuses (`status="error"`).
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
from langchain.messages import HumanMessage, ToolMessage


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

# %% [markdown] name="quote-why" only="solution"
# The model is asked first, because only its reply tells whether another tool comes next. The copy
# of the reply keeps its token counts: the words are replaced, but they were paid for. A friendly
# sentence around the quote costs nothing when your code writes it. With a hosted model, measure
# again: it may well keep the facts in a voice of its own.

# %% [markdown] name="quote-use-text"
# What is it worth? The same questions of the lab part, to the friendly agent with and without it.
# Look at the intervals before you believe a difference.

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
# Counts, of the same questions before and after. Exercises 2, 4 and 5 have no row: a customer who
# sees another's orders is not a rate to improve, and their checks allow none.

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
