# %% [markdown] name="title" only="lab"
# # Lab 10: Cut the cost
#
# After this lab you can count what model calls cost, and keep answers so that nobody pays for the
# same one twice, or gets another customer's.
#
# **75 to 90 minutes. Before it:** the walkthrough [10 Cut the
# cost](../notebooks/10_cut_the_cost.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. After a wrong try, the
# card shows a hint, and `hint("10.1")` gives the next one. The exercises do not depend on each
# other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 10: Cut the cost
#
# All exercises solved, and why. The lab itself:
# [labs/10_cut_the_cost.ipynb](../labs/10_cut_the_cost.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="meter-goal"
# ## 1. A meter that is right
#
# A callback handler of LangChain hears of every call of a chat model: `on_llm_end` when it has
# answered, `on_llm_error` when it has failed. That is the place for a meter. Look at what a handler
# gets from the four kinds of calls below. The server is the testbed's: it counts a word as a token.

# %% name="meter-server"
import atexit
from contextlib import ExitStack, suppress

from helpers.testbed import Fails, openai_server


def reply(body):
    """What the server writes: an error for a question that contains 'fail'."""
    if "fail" in body["messages"][-1]["content"]:
        return Fails(500, "The model is overloaded.")
    return "The Alta 2 weighs 2.1 kg."


room = ExitStack()
atexit.register(room.close)
server = room.enter_context(openai_server(reply))

# %% name="meter-look"
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_openai import ChatOpenAI


class Look(BaseCallbackHandler):
    """Prints what a meter can see."""

    def on_llm_end(self, response, **kwargs):
        message = response.generations[0][0].message
        print("  answered:", message.response_metadata["model_name"], message.usage_metadata)

    def on_llm_error(self, error, **kwargs):
        print("  failed:", type(error).__name__)


def client(name, **settings):
    """A chat model on the testbed's server."""
    return ChatOpenAI(model=name, base_url=server.url, api_key="none", max_retries=0, **settings)


def use(handler):
    """Call models in several ways, with this handler."""
    small = client("small", callbacks=[handler], cache=InMemoryCache())
    streaming = client("large", callbacks=[handler], stream_usage=True)
    print("the same question twice, with InMemoryCache")
    small.invoke("How heavy is the Alta 2?")
    small.invoke("How heavy is the Alta 2?")
    print("a stream, with stream_usage=True and without")
    list(streaming.stream("And in pounds?"))
    list(client("large", callbacks=[handler]).stream("And in pounds?"))
    print("a call that fails, and is tried again")
    again = small.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    with suppress(Exception):
        again.invoke("Please fail.")


use(Look())

# %% [markdown] name="meter-task"
# The second answer came from LangChain's cache. It cost nothing, and its usage is the one of the
# first answer, with `"total_cost": 0` added: LangChain adds this key to each answer that its cache
# gives, and to no other. If the first answer had no usage, it is the only key.
#
# Write `Meter`, a `BaseCallbackHandler`. `Meter(prices)` takes a dict from a model's name to three
# `Decimal`s: the dollars for a million tokens that are read, that are read from the provider's
# prompt cache, and that are written. The meter has these attributes, which may be read at any time:
#
# | attribute | type | what |
# |---|---|---|
# | `dollars` | `Decimal` | the cost of all counted answers |
# | `counted` | `int` | answers that were paid, with usage, from a model in `prices` |
# | `cached` | `int` | answers from LangChain's cache, with any model: they cost nothing |
# | `uncounted` | `int` | calls whose usage nobody knows |
# | `unknown` | `dict[str, int]` | answers with usage, from models not in `prices`, by name |
#
# - All numbers are 0 at first, and `unknown` is empty. A name is in `unknown` only after an answer.
#   A `Counter` or `defaultdict` is right too.
# - **Each call is in one of the four numbers**, once. Every attempt of a retry is a call.
# - **An answer** reaches `on_llm_end(response, **kwargs)`, streamed or not; `response` is an
#   `LLMResult`, and `response.generations[0][0].message` is the message. If the model wrote several
#   candidates, they are in `generations[0]`, and each of them has the usage of the whole call.
# - **Its model** is the name in the message's `response_metadata["model_name"]`. Names are compared
#   exactly. Each message with usage has one.
# - **Its usage** is the message's `usage_metadata`. It is `None` where the provider did not send
#   any: the answer is `uncounted`, whatever its model. A usage of 0 tokens is a usage.
# - **Its cost.** `input_tokens` contains the tokens that were read from the provider's prompt
#   cache: `usage["input_token_details"]["cache_read"]`. The details, or this one key in them, may
#   be missing: then there are none. (The provider's prompt cache and LangChain's cache are two
#   different things.)
# - **A failed call** reaches `on_llm_error(error, **kwargs)`. The provider may have charged for it
#   or not: it is `uncounted`. `error` is any exception, also a `GeneratorExit`, which is how a
#   stream ends whose reader leaves.
# - `dollars` is exact: `Decimal` all the way, with no rounding. (Python's default of 28 digits is
#   enough for all numbers here.)
# - Calls overlap, and **several threads** may call the methods at the same time. No method raises
#   an error, and none changes what it is given. Two meters share nothing.
#
# For instance, with `{"small": (Decimal("0.40"), Decimal("0.10"), Decimal("1.60"))}`, an answer of
# `small` with 1,000 tokens read, 600 of them from the provider's cache, and 50 written costs
# `(400 * 0.40 + 600 * 0.10 + 50 * 1.60) / 1_000_000 = 0.0003` dollars.

# %% exercise="10.1"
import threading
from collections import Counter
from decimal import Decimal
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import LLMResult

Price = tuple[Decimal, Decimal, Decimal]  # a million tokens: read, read from a cache, written


class Meter(BaseCallbackHandler):
    """Counts model calls, and what they cost."""

    def __init__(self, prices: dict[str, Price]) -> None:
        # LAB: raise TODO
        # BEGIN SOLUTION
        self.prices = prices
        self.dollars = Decimal(0)
        self.counted = self.cached = self.uncounted = 0
        self.unknown: Counter[str] = Counter()
        self.lock = threading.Lock()
        # END SOLUTION

    # BEGIN SOLUTION
    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Count an answer."""
        message = response.generations[0][0].message
        usage, model = message.usage_metadata, message.response_metadata.get("model_name")
        with self.lock:
            if usage is None:
                self.uncounted += 1
            elif "total_cost" in usage:
                self.cached += 1
            elif model not in self.prices:
                self.unknown[model] += 1
            else:
                self.counted += 1
                self.dollars += self.cost(usage, *self.prices[model])

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Count a call that failed."""
        with self.lock:
            self.uncounted += 1

    def cost(self, usage: UsageMetadata, read: Decimal, again: Decimal, wrote: Decimal) -> Decimal:
        """What an answer costs, in dollars."""
        cached = usage.get("input_token_details", {}).get("cache_read", 0)
        fresh = usage["input_tokens"] - cached
        return (fresh * read + cached * again + usage["output_tokens"] * wrote) / 1_000_000
    # END SOLUTION

# %%
check("10.1", Meter)

# %% [markdown] name="meter-why" only="solution"
# What nobody knows gets a number of its own. A meter that adds 0 for it shows a bill that is too
# low, and nothing tells you so; `uncounted` and `unknown` do. An error would not help here:
# LangChain logs what a handler raises and goes on, so a `KeyError` for an unknown model is a line
# in a log, and the answer is missing. Watch both numbers as you watch the dollars. A client's own
# retries (`max_retries` of `ChatOpenAI`) never reach a callback, so give the retries to LangChain
# (`with_retry`, `ModelRetryMiddleware`), or compare with the provider's bill. The lock is no
# luxury: under `ainvoke`, LangChain runs a handler with plain methods in a pool of threads.

# %% [markdown] name="meter-use-text"
# How much would a meter be off that adds up the usage of all answers? The same calls as above:

# %% name="meter-use"
PRICES = {"small": (Decimal("0.40"), Decimal("0.10"), Decimal("1.60")),
          "large": (Decimal("2.00"), Decimal("0.50"), Decimal("8.00"))}


class Sum(BaseCallbackHandler):
    """Adds up whatever usage it sees."""

    dollars = Decimal(0)

    def on_llm_end(self, response, **kwargs):
        message = response.generations[0][0].message
        usage = message.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
        read, _, written = PRICES[message.response_metadata["model_name"]]
        cost = usage["input_tokens"] * read + usage["output_tokens"] * written
        self.dollars += cost / 1_000_000


if ready("10.1"):
    meter, plain = Meter(PRICES), Sum()
    use(plain)
    use(meter)
    show.table([{"counted": meter.counted, "cached": meter.cached, "uncounted": meter.uncounted,
                 "dollars": f"{meter.dollars:f}", "a plain sum": f"{plain.dollars:f}"}],
               caption="Six calls by your meter")
    measured.append({"exercise": "1: millionths of a dollar for six calls",
                     "before": float(plain.dollars * 1_000_000),
                     "after": float(meter.dollars * 1_000_000)})

# %% [markdown] name="cache-goal"
# ## 2. An exact cache with the right key
#
# LangChain's `InMemoryCache` knows the prompt and the model. It does not know that the documents
# have changed since yesterday, nor who is asking where the customer is not in the prompt. A cache
# of your own is a middleware: `wrap_model_call` gets the request, and `handler(request)` asks the
# model, or is never called.

# %% name="cache-look"
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call

from helpers.agent import Caller


@wrap_model_call
def look(request, handler):
    """Print what there is to make a key of."""
    print(request.model.asdict())
    print(request.model_settings, request.tool_choice, request.tools, request.runtime.context)
    print(request.system_message)
    print(request.messages)
    return handler(request)


agent = create_agent(client("small", temperature=0), system_prompt="Be brief.",
                     middleware=[look], context_schema=Caller)
found = agent.invoke({"messages": "How heavy is the Alta 2?"}, context=Caller("ann"))
print(found["messages"][-1])

# %% [markdown] name="cache-task"
# Write `ModelCache`, an `AgentMiddleware`. `ModelCache(most, version)` takes the number of answers
# that it may keep, and a function without arguments that gives the version of the documents, a
# text. Its method `wrap_model_call(request, handler)` is a plain one, not async. (`AgentMiddleware`
# has attributes `name` and `tools` of its own: call yours something else.)
#
# - **A request is the same as an earlier one** if all of these are equal:
#   - the model and its settings: `request.model.asdict()`, `request.model_settings` (a dict; the
#     order of its keys may count or not), and `request.tool_choice` (a text or `None`). Two objects
#     with the same settings are the same model;
#   - the content of `request.system_message`, which may be `None`;
#   - `request.messages`, in their order: of each its `type`, `content` (a text, or a list of parts
#     such as texts and images) and `name`, the name and arguments of each tool call, and, of a tool
#     message, *which* call of the conversation it answers;
#   - `request.tools`, each with its name, description and arguments. LangChain's
#     `convert_to_openai_tool(tool)` gives them as a dict. Some tools are such dicts already;
#   - what `version()` gives when the request comes. It may give another text at any time, even
#     while the model is answering, and an old one again;
#   - `request.runtime.context.customer_id`, a text, or `None` for a visitor who has not logged in.
#     The text `"None"` is a customer.
# - **Ids do not count**, since each run has its own: neither those of messages nor those of tool
#   calls (`tool_call["id"]`, `message.tool_call_id`). `usage_metadata` and `response_metadata` of
#   earlier messages do not count either. (What else a request has is the same in all of them.)
# - **A new request** goes to `handler(request)`, once and unchanged. Its result, a `ModelResponse`
#   with one `AIMessage` in `result`, is returned as it is.
# - **It is kept**, unless the message has tool calls. What `handler` raises is raised, and nothing
#   is kept.
# - **The same request again** returns a `ModelResponse` with one `AIMessage` (or this message
#   alone), and `handler` is not called. The message has the same `content` and `name`.
#   Its `response_metadata` is `{"tier": "cache"}`. It has no usage: `usage_metadata` is `None`, or
#   all its numbers are 0. Its `id` is `None`, or one that no other message has: LangGraph's
#   `add_messages` replaces a message of a conversation by a new one with the same id.
# - **At most `most` answers** are kept. If there is one more, the one that was not kept or returned
#   for the longest time is dropped. Requests with errors or tool calls change nothing. Answers for
#   an old version keep their place until it is their turn.
# - `most` is an `int`. Below 1, `ModelCache` raises a `ValueError` whose message contains `most`.
# - The request is not changed. What is done to a returned message later does not change what is
#   kept, even inside its `content`. Two caches share nothing. Calls come one after another.
#
# For instance, two customers ask `How heavy is the Alta 2?`, one after another, and then both ask
# again: the model answers twice, and the cache twice.

# %% exercise="10.2"
import json
from collections import OrderedDict
from collections.abc import Callable

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_openai_tool


class ModelCache(AgentMiddleware):
    """Answers the same request from memory."""

    def __init__(self, most: int, version: Callable[[], str]) -> None:
        # LAB: raise TODO
        # BEGIN SOLUTION
        if most < 1:
            raise ValueError("most must be at least 1")
        self.most, self.version = most, version
        self.kept: OrderedDict[str, AIMessage] = OrderedDict()
        # END SOLUTION

    def wrap_model_call(
        self, request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse]
    ) -> ModelResponse:
        """The answer to a request, from the model or from the cache."""
        # LAB: raise TODO
        # BEGIN SOLUTION
        key = self.key(request)
        if key in self.kept:
            self.kept.move_to_end(key)
            return ModelResponse([self.kept[key].model_copy(deep=True)])
        response = handler(request)
        message = response.result[0]
        if not message.tool_calls:
            new = {"id": None, "usage_metadata": None, "response_metadata": {"tier": "cache"}}
            self.kept[key] = message.model_copy(update=new, deep=True)
            if len(self.kept) > self.most:
                self.kept.popitem(last=False)
        return response

    def key(self, request: ModelRequest) -> str:
        """What two requests have in common if one answer fits both."""
        numbers: dict[str, int] = {}  # of the conversation's tool calls, in place of their ids
        said = []
        for message in request.messages:
            calls = []
            for call in getattr(message, "tool_calls", []):
                numbers[call["id"]] = len(numbers)
                calls.append([call["name"], call["args"]])
            answered = numbers.get(getattr(message, "tool_call_id", ""))
            said.append([message.type, message.content, message.name, calls, answered])
        system = request.system_message.content if request.system_message else None
        tools = [convert_to_openai_tool(tool) for tool in request.tools]
        model = [request.model.asdict(), request.model_settings, request.tool_choice]
        customer = request.runtime.context.customer_id
        return json.dumps([model, system, said, tools, self.version(), customer], sort_keys=True)
        # END SOLUTION

# %%
check("10.2", ModelCache)

# %% [markdown] name="cache-why" only="solution"
# A part that is missing in the key serves a wrong answer, sooner or later: the old price after the
# documents have changed, or another customer's order. A part too many, such as an id, serves none.
# So write the key as JSON: texts that are only joined can be equal where their parts are not, and
# what JSON cannot write raises an error, where `str(thing)` may give an address in memory. An
# answer with tool calls is no answer but an order to act, and what it acts on has changed by the
# next time; after the tools have answered, their words are in the key. In a service you need
# `awrap_model_call` too, a lock, and a store that several processes share.

# %% [markdown] name="cache-use-text"
# How many of these questions reach the model? Three customers ask two questions three times, and
# before the last time the documents change.

# %% name="cache-use"
if ready("10.2"):
    documents = {"version": "2026-11-01"}
    cache = ModelCache(100, lambda: documents["version"])
    agent = create_agent(client("small", temperature=0), system_prompt="Be brief.",
                         middleware=[cache], context_schema=Caller)
    before, rows = len(server.chats), []
    for version in ("2026-11-01", "2026-11-01", "2026-11-27"):
        documents["version"] = version
        for customer in ("ann", "ben", None):
            for question in ("How heavy is the Alta 2?", "Where is my order?"):
                agent.invoke({"messages": question}, context=Caller(customer))
        rows.append({"documents of": version, "questions": 6 * (len(rows) + 1),
                     "calls of the model": len(server.chats) - before})
    show.table(rows, caption="So far")
    measured.append({"exercise": "2: calls of the model for 18 questions", "before": 18,
                     "after": len(server.chats) - before})
