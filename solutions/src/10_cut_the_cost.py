# %% [markdown] name="title" only="lab"
# # Lab 10: Cut the cost
#
# After this lab you can count what model calls cost, keep answers under the right key, guard a
# semantic cache, choose the thresholds of a cascade by expected cost, find what costs out of
# proportion, and cut the price of a right answer to a tenth without more wrong ones.
#
# **75 to 90 minutes. Before it:** the walkthrough [10 Cut the
# cost](../notebooks/10_cut_the_cost.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. If the check fails,
# the card shows a hint, and `hint("10.1")` gives the next one. The exercises do not depend on each
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

# %% name="meter-server"
import atexit
from contextlib import ExitStack, suppress

from langchain_openai import ChatOpenAI

from helpers.testbed import Fails, openai_server


def reply(body):
    """What the server writes: an error for a question that contains 'fail'."""
    if "fail" in body["messages"][-1]["content"]:
        return Fails(500, "The model is overloaded.")
    return "The Alta 2 weighs 2.1 kg."


room = ExitStack()
atexit.register(room.close)
server = room.enter_context(openai_server(reply))


def client(name, **settings):
    """A chat model on the testbed's server."""
    return ChatOpenAI(model=name, base_url=server.url, api_key="none", max_retries=0, **settings)

# %% [markdown] name="meter-goal"
# ## 1. A meter that is right
#
# LangChain tells a callback handler about every call of a chat model: it calls `on_llm_end` when
# the model has answered, and `on_llm_error` when the call has failed. That is the place for a
# meter. Look at what a handler gets from the four kinds of calls below. The server is part of the
# testbed. It counts each word as a token.

# %% name="meter-look"
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler


class Look(BaseCallbackHandler):
    """Prints what a meter can see."""

    def on_llm_end(self, response, **kwargs):
        message = response.generations[0][0].message
        print("  answered:", message.response_metadata["model_name"], message.usage_metadata)

    def on_llm_error(self, error, **kwargs):
        print("  failed:", type(error).__name__)


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
# The second answer came from LangChain's cache. It cost nothing. Its usage is that of the first
# answer, with `"total_cost": 0` added: LangChain adds this key to each answer that its cache gives,
# and to no other. If the first answer had no usage, it is the only key.
#
# Write `Meter`, a `BaseCallbackHandler`. `Meter(prices)` takes a dict from a model's name to three
# `Decimal`s, each in dollars for a million tokens: tokens that are read, tokens that are read from
# the provider's prompt cache, and tokens that are written. The meter has these attributes, and
# anyone may read them at any time:
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
#   be missing: then there are none. All other `input_tokens` have the first price, whatever else
#   the details say. (The provider's prompt cache and LangChain's cache are two different things.)
# - **A failed call** reaches `on_llm_error(error, **kwargs)`. The provider may have charged for it
#   or not: it is `uncounted`. `error` is any exception, even a `GeneratorExit`, which ends a stream
#   when its reader leaves.
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

# %% [markdown] name="meter-notes" only="instructor"
# Watch for these mistakes: an answer from the cache is paid; a model without a price costs nothing
# or raises an error; tokens from the provider's cache are paid twice; there is no lock. Show the
# output of the cell `meter-look`, and ask which of the six calls were paid, and for which ones
# nobody knows: two minutes. Give it eight minutes before you help. When you are late, accept
# *partly* if only the threads are missing.

# %% [markdown] name="meter-why" only="solution"
# Unknown costs get numbers of their own. A meter that adds 0 for them shows a bill that is too low,
# without telling you; `uncounted` and `unknown` tell you. An error would not help here: LangChain
# logs what a handler raises and goes on, so a `KeyError` for an unknown model is a line in a log,
# and the answer is missing. Watch both numbers as you watch the dollars. A client's own retries
# (`max_retries` of `ChatOpenAI`) never reach a callback, so give the retries to LangChain
# (`with_retry`, `ModelRetryMiddleware`), or compare with the provider's bill. The lock is
# necessary: under `ainvoke`, LangChain runs a handler with plain methods in a pool of threads.

# %% [markdown] name="meter-use-text"
# How far off is a meter that simply adds up the usage of all answers? Make the same calls as above:

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
# have changed since yesterday. It does not know who is asking either, unless the prompt names the
# customer. You can write your own cache as a middleware: `wrap_model_call` gets the request, and
# either calls `handler(request)`, which asks the model, or returns a kept answer.

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
# that it may keep, and a function without arguments that returns the version of the documents as a
# text. Its method `wrap_model_call(request, handler)` is a plain method, not async.
# (`AgentMiddleware` has attributes `name` and `tools` of its own: call yours something else.)
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
#   - what `version()` returns when the request comes. It may return another text at any time, even
#     while the model is answering, and it may return to an old one;
#   - `request.runtime.context.customer_id`, a text, or `None` for a visitor who has not logged in.
#     The text `"None"` is a customer.
# - **Ids do not count**, since each run has its own: neither those of messages nor those of tool
#   calls (`tool_call["id"]`, `message.tool_call_id`). `usage_metadata` and `response_metadata` of
#   earlier messages do not count either. (Everything else is the same in all requests.)
# - **A new request** goes to `handler(request)`, once and unchanged. Its result, a `ModelResponse`
#   with one `AIMessage` in `result`, is returned as it is.
# - **It is kept**, unless the message has tool calls. What `handler` raises is raised, and nothing
#   is kept.
# - **The same request again** returns a `ModelResponse` with one `AIMessage` (or this message
#   alone), and `handler` is not called. The message has the same `content` and `name`. Its
#   `response_metadata` is `{"tier": "cache"}`. It has no usage: `usage_metadata` is `None`, or all
#   its numbers are 0. Its `id` is `None`, or one that no other message has: if a new message has
#   the id of an earlier one in the conversation, LangGraph's `add_messages` replaces the earlier
#   one.
# - **At most `most` answers** are kept. If there is one more, drop the least recently used one: the
#   answer whose last use (being kept or returned) is longest ago. Requests with errors or tool
#   calls change nothing. Answers for an old version stay until they are dropped in this way.
# - `most` is an `int`. Below 1, `ModelCache` raises a `ValueError` whose message contains `most`.
# - The request is not changed. If a caller later changes a returned message, even inside its
#   `content`, the kept answer does not change. Two caches share nothing. Calls come one after
#   another.
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

# %% [markdown] name="cache-notes" only="instructor"
# Watch for these mistakes: the customer or the version is not in the key; an id is in the key, so
# nothing is ever served; the version is read after the model has answered. Before they write, let
# people tick off the statement's list of parts: five minutes. Ask which part may change while the
# model answers. The statement is long. When you are late, skip this exercise.

# %% [markdown] name="cache-why" only="solution"
# If a part is missing from the key, the cache sooner or later serves a wrong answer: the old price
# after the documents have changed, or another customer's order. If the key has a part too many,
# such as an id, the cache never serves anything. Write the key as JSON. Texts that are merely
# joined can be equal where their parts are not. And JSON raises an error for what it cannot write,
# where `str(thing)` may return an address in memory. A message with tool calls is not an answer but
# an instruction to act, and what it acts on may have changed by the next time. After the tools have
# answered, their results are part of the key. In a service you need `awrap_model_call` too, a lock,
# and a store that several processes share.

# %% [markdown] name="cache-use-text"
# Three customers each ask two questions three times, and the documents change before the third
# time. How many of these questions reach the model?

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

# %% [markdown] name="guard-goal"
# ## 3. A guard for a semantic cache
#
# A semantic cache serves a stored answer to a question whose embedding is close to the stored
# question's. "Is the Alta 2 warm enough at -5 °C?" is very close to the same question about 5 °C,
# but needs a different answer. So a guard compares the words of both questions before the cache
# serves an answer.

# %% [markdown] name="guard-task"
# Write `may_serve(asked, stored)`, a plain function (not `async`). It returns `True` (a `bool`,
# Python's or NumPy's) if the answer stored for one question may be served for the other, and
# `False` otherwise. Both arguments are texts.
#
# The check tries it on 80 **traps** and 40 **harmless pairs** that you do not see, in both orders.
# No trap may be served, and at least 24 of the harmless pairs must be. The result is the same in
# both orders, and depends only on the two texts. A text has at most 1,000 characters, and none
# raises an error, not even one in a non-Latin script.
#
# **Always served:** the same question with other capitals, with more spaces between words, with
# `?`, `.`, `!` or nothing at its end, or with one of `POLITE` in front, with or without a comma
# after it.
#
# **Never served:** a text that is empty or contains only spaces and `.`, `,`, `:`, `;`, `?`, `!`,
# `-`, even if both texts are equal; and two texts that differ in anything but the harmless things
# below. These are the kinds of traps:
#
# | differs | for instance |
# |---|---|
# | a number, also one of `NUMBERS` | two or 3; 1.5 or 15; 5 or -5; 2 tents for 3 or 3 for 2 |
# | an order id | FH-10904 or FH-10940 |
# | a name | Ember or Ember Pro |
# | a negation | can or can't; lit or not lit; ever or never |
# | with or without | with a receipt or without it |
# | a condition | if it is worn, or unless it is worn |
# | a direction | before or after; from Leeds to York, or from York to Leeds |
# | a unit or sign | 20% or £20; 5 kg or 5 g |
# | a small word | in or on; did or do; wash it or wash |
# | any other word | tent or stove; weigh or cost; charger or charged |
#
# **Harmless,** and at most two of them in one pair. You need not serve all of these; 24 of the 40
# pairs are enough:
#
# - what is always served, also with POLITE at the end, and commas, colons or other punctuation
#   between words. `£`, `€`, `%` and `°` are not punctuation. A hyphen is punctuation, except
#   directly before a digit and not after a letter or digit: there it is a minus sign;
# - the words in `IGNORED`, anywhere; the words in `SAME`, each exchanged for its partner;
# - an `s` at the end of a word of more than three letters (tents, tent);
# - a number in another form: two, 2 and 2.0; 1,000 and 1000;
# - the order of words, if the texts contain none of `ORDERED` and fewer than two numbers. How often
#   a word or a number comes counts: a tent and a tent bag is not a tent and a bag.
#
# In a number, a comma separates thousands, and a dot the decimals: 1,500 is not 1.5. An apostrophe
# between two letters belongs to the word, and may be `'` or `’`.
#
# For instance, "Hello, price of two tents?" and "The cost of 2 tents, please" are a harmless pair:
# they differ by POLITE, IGNORED, SAME and the form of a number. (The check's pairs differ in at
# most two ways.)

# %% exercise="10.3"
import re
from collections import Counter
from decimal import Decimal

NUMBERS = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
           "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
           "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
           "nineteen": 19, "twenty": 20}
POLITE = ("could you tell me", "can you tell me", "i would like to know", "thank you", "thanks",
          "please", "hello", "hi")
IGNORED = {"a", "an", "the", "is", "are", "do", "does", "my", "of", "just"}
SAME = {"backpack": "rucksack", "price": "cost", "parcel": "package", "purchase": "buy",
        "broken": "damaged", "headtorch": "headlamp"}
ORDERED = {"from", "to", "into", "for", "than", "before", "after", "instead", "with", "without",
           "not", "no", "never", "if", "unless", "when", "while", "but", "only", "over", "under"}


def may_serve(asked: str, stored: str) -> bool:
    """Whether two questions differ in harmless ways only."""
    # LAB: return TODO
    # BEGIN SOLUTION
    polite = re.compile(rf"\b(?:{'|'.join(POLITE)})\b")
    part = re.compile(r"((?:(?<!\w)-)?\d+(?:,\d{3})*(?:\.\d+)?)|[^\W\d_]+(?:'[^\W\d_]+)*|[£€%°]")

    def meaning(text):
        found = []
        text = " ".join(text.lower().replace("’", "'").split())
        for each in part.finditer(polite.sub(" ", text)):
            word = each[0]
            if each[1]:
                found.append(Decimal(word.replace(",", "")))
            elif word in NUMBERS:
                found.append(Decimal(NUMBERS[word]))
            elif word not in IGNORED:
                word = word[:-1] if len(word) > 3 and word.endswith("s") else word
                found.append(SAME.get(word, word))
        return found

    one, other = meaning(asked), meaning(stored)
    numbers = sum(isinstance(word, Decimal) for word in one)
    if numbers >= 2 or ORDERED & set(one):
        return bool(one) and one == other
    return bool(one) and Counter(one) == Counter(other)
    # END SOLUTION

# %%
check("10.3", may_serve)

# %% [markdown] name="guard-notes" only="instructor"
# Watch for these mistakes: a set or a bag of words; a library's stop words; punctuation that is
# removed before the numbers are read. Ask people who are stuck what is harmless, not what is
# dangerous; wait ten seconds. Give it eight minutes before you help. When you are late, leave out
# the free order of words: a guard that always compares the words in their order passes too.

# %% [markdown] name="guard-why" only="solution"
# The guard does not look for danger. A list of dangers is never complete: today it is a negation,
# tomorrow a month. It looks for harmless differences, of which there are few, and refuses
# everything else. Both mistakes have a price, and the two prices are far apart. A refused
# paraphrase costs one more answer by the model, a small part of a cent. A served trap is a wrong
# answer.
#
# Lists of stop words from a library are made for search, and there `not`, `no`, `without`,
# `before`, `from` and `to` are noise: scikit-learn's `ENGLISH_STOP_WORDS` contains all of them.
#
# A bag of words forgets who does what to whom, which is why ORDERED is there. It is not complete,
# either: "Does the mat cover the tent?" has the same words as "Does the tent cover the mat?" A
# guard that always compares the words in their order passes the check, too, and is safer.

# %% [markdown] name="guard-use-text"
# What is the guard worth, and what does it cost? Here are other traps, and other wordings of
# customers' questions, written without your lists in mind. A pair is a candidate if the similarity
# of its embeddings is 0.75 or more.

# %% name="guard-use"
import numpy as np

from helpers.cost.traffic import pairs, traps
from helpers.models import embeddings


def similarity(one, other):
    """The cosine similarity of two texts' embeddings."""
    first, second = np.array(embeddings().embed_documents([one, other]))
    return first @ second / np.linalg.norm(first) / np.linalg.norm(second)


if ready("10.3"):
    rows, groups = [], {"traps": [(each.asked, each.stored) for each in traps("dev")],
                        "two wordings of one question": pairs("dev")}
    for name, questions in groups.items():
        close = [each for each in questions if similarity(*each) >= 0.75]
        served = [each for each in close if may_serve(*each)]
        rows.append({"pairs": name, "all": len(questions), "served by similarity": len(close),
                     "served with your guard": len(served)})
    show.table(rows, caption="A semantic cache without and with your guard", digits=0)
    measured.append({"exercise": f"3: traps served, of {rows[0]['all']}",
                     "before": rows[0]["served by similarity"],
                     "after": rows[0]["served with your guard"]})

# %% [markdown] name="guard-means" only="solution"
# The guard serves no trap, and hardly any free paraphrase. It saves a call only when customers ask
# in nearly the same words. Compare the rows: similarity alone serves traps more readily than
# paraphrases. To serve more, add to SAME what you have read in your own traffic, one pair of words
# at a time.

# %% [markdown] name="plan-goal"
# ## 4. Hand up by expected cost
#
# A cascade asks its cheapest tier first. Each tier gives an answer and a confidence. If the
# confidence is high enough, the answer is served. If not, the question goes to the next tier, and
# after the last one to a person. How high is high enough, when a wrong answer costs more than a
# person, and a person costs more than a thousand tokens?

# %% [markdown] name="plan-task"
# Write `plan(tune, test, prices, wrong, person)`, a plain function (not `async`).
#
# - `tune` and `test` are lists of questions. A question is a list with one pair for each tier, in
#   the order in which tiers are asked: the tier's confidence (a `float` from 0 to 1) and whether
#   its answer is right (a `bool`).
# - `prices` is a list of what asking each tier costs, in the same order. `wrong` is the cost of
#   each wrong answer served, and `person` the cost of each question handed over to a person. All
#   are `Decimal`, in dollars, 0 or more.
# - Each tier has a **threshold**. Its answer is served if its confidence is at least the threshold.
#   Otherwise the next tier is asked, and after the last one the question is handed over to a
#   person, who counts as neither right nor wrong.
# - You pay for every tier that was asked, whether its answer was served or not. A tier whose
#   threshold is `math.inf` is left out: it is not asked, and costs nothing.
# - The **cost** of a part is the sum over its questions: the prices of the tiers that were asked,
#   plus `wrong` for each wrong answer served, plus `person` for each question handed over.
#
# Choose all thresholds together, so that the cost of `tune` is the lowest. A tier's candidates are
# the confidences that this tier has in `tune`, and `math.inf`. Try every combination: there are at
# most three tiers, and the check uses few different confidences. Costs are compared exactly. Among
# combinations of equal cost, choose the one with the lowest threshold of the first tier; among
# these the lowest of the second tier, and so on.
#
# Return a dict with exactly these six keys. All values except the thresholds come from `test`:
#
# - `"thresholds"`: the chosen ones, a list or tuple of numbers, one for each tier;
# - `"right"`, `"wrong"` and `"handed_over"`: how many questions ended that way (whole numbers);
# - `"cost"`: the cost of `test`, exact;
# - `"per_right"`: the cost of `test`, divided by how many were right (a number, with a relative
#   rounding error of at most 1e-9); `None` if none was right.
#
# If a part has no questions, raise a `ValueError` whose message names that part and not the other.
# If both are empty, it names `tune`. The arguments stay as they are.
#
# For instance, with one tier, `tune = [[(0.9, True)], [(0.5, True)], [(0.4, False)]]`, `test =
# [[(0.8, True)], [(0.5, False)], [(0.3, True)]]`, `prices=[Decimal("0.1")]`, `wrong=Decimal(5)` and
# `person=Decimal(2)`: on `tune`, the threshold 0.4 costs `3 * 0.1 + 5 = 5.3`, 0.5 costs `3 * 0.1 +
# 2 = 2.3`, 0.9 costs 4.3, and `math.inf` costs 6. With 0.5, one answer of `test` is right, one
# wrong, and one question is handed over. That costs `3 * 0.1 + 5 + 2 = 7.3`, so the result is
# `{"thresholds": [0.5], "right": 1, "wrong": 1, "handed_over": 1, "cost": Decimal("7.3"),
# "per_right": Decimal("7.3")}`.

# %% exercise="10.4"
import math
from decimal import Decimal
from itertools import product

Question = list[tuple[float, bool]]


def plan(tune: list[Question], test: list[Question], prices: list[Decimal], wrong: Decimal,
         person: Decimal) -> dict:
    """The cheapest thresholds of a cascade on one part, and what they are worth on the other."""
    # LAB: return TODO
    # BEGIN SOLUTION
    for name, part in {"tune": tune, "test": test}.items():
        if not part:
            raise ValueError(f"{name} has no questions")

    def run(part, thresholds):
        counts, cost = {"right": 0, "wrong": 0, "handed_over": 0}, Decimal(0)
        for question in part:
            ended = "handed_over"
            for (confidence, right), price, threshold in zip(question, prices, thresholds,
                                                        strict=True):
                if math.isinf(threshold):
                    continue
                cost += price
                if confidence >= threshold:
                    ended = "right" if right else "wrong"
                    break
            counts[ended] += 1
        cost += counts["wrong"] * wrong + counts["handed_over"] * person
        return counts | {"cost": cost}

    candidates = []
    for tier in range(len(prices)):
        candidates.append({question[tier][0] for question in tune} | {math.inf})
    chosen = min(product(*candidates), key=lambda each: (run(tune, each)["cost"], each))

    found = run(test, chosen)
    per_right = found["cost"] / found["right"] if found["right"] else None
    return {"thresholds": chosen} | found | {"per_right": per_right}
    # END SOLUTION

# %%
check("10.4", plan)

# %% [markdown] name="plan-notes" only="instructor"
# Watch for these mistakes: each tier's threshold is chosen by itself; a tier that hands up is not
# paid; no `math.inf` among the candidates; thresholds that are chosen on `test`. Ask people who are
# stuck to work out the statement's example with 0.5 on paper: three minutes. Give it eight minutes
# before you help. When you are late, accept *partly* if only ties are missing.

# %% [markdown] name="plan-why" only="solution"
# A threshold follows from costs, not from a feeling for confidence. With \$5 for a wrong answer and
# \$2 for a person, an answer of the last tier should be served where more than three of five are
# right: then it costs less than `0.4 * 5 = 2`. An earlier tier must do better than what comes after
# it, which may be right, too. So the thresholds depend on each other, and are chosen together.
#
# `math.inf` is a candidate for each tier. A tier that never serves is paid for nothing, and a
# cascade is not better because it has more tiers. The tokens hardly matter here, since a wrong
# answer costs as much as a hundred thousand answers of a small model. They matter for a tier that
# sees everything, serves little, and calls a large model.
#
# The result on `tune` is too good, because the thresholds were chosen to fit it. Report the result
# on `test`.

# %% [markdown] name="plan-use-text"
# Try it on two tiers that need no model: the sentence of the shop's documents that shares most
# words with the question (TF-IDF), and the one that the agent's own search finds, by embeddings.
# The thresholds are chosen on the course's `dev` and `lab` questions, and judged on other questions
# in other wordings.

# %% name="plan-tiers"
from sklearn.feature_extraction.text import TfidfVectorizer

from helpers.agent.retrieval import fernhill_index, split_sentences
from helpers.cost.traffic import intents
from helpers.evaluate.scores import score_answer
from helpers.shop import documents, questions

sentences = [f"{each.title}: {text}" for each in documents() for text in split_sentences(each.text)]
by_words = TfidfVectorizer(stop_words=None, sublinear_tf=True).fit(sentences)
rows_of_words, index = by_words.transform(sentences), fernhill_index()


def tiers(question):
    """For each tier: its confidence, to two decimals, and whether its sentence is right."""
    alike = (rows_of_words @ by_words.transform([question.question]).T).toarray().ravel()
    found = index.search(question.question, k=1)[0]
    answers = [(alike.max(), sentences[alike.argmax()]),
               (found.score, f"{found.title}: {found.best}")]
    return [(min(round(float(sure), 2), 1.0), score_answer(question, text).right)
            for sure, text in answers]

# %% name="plan-use"
kinds = ("single_fact", "conditional", "unanswerable")
tune = [tiers(each) for part in ("dev", "lab") for each in questions(part) if each.kind in kinds]
test = [tiers(each.asked(wording)) for each in intents("dev") if each.kind in kinds
        for wording in each.wordings]
prices = [Decimal("0.00000001"), Decimal("0.00000006")]  # 1 ms and 5.4 ms of CPU at $0.04 an hour

if ready("10.4"):
    rows = []
    for name, chosen in {"a person": [], "words": [0], "embeddings": [1], "both": [0, 1]}.items():
        on_tune, on_test = ([[each[tier] for tier in chosen] for each in part]
                            for part in (tune, test))
        found = plan(on_tune, on_test, [prices[tier] for tier in chosen], Decimal(5), Decimal(2))
        limits = ", ".join(f"{limit:.2f}" for limit in found["thresholds"])
        rows.append({"tiers": name, "thresholds": limits, "right": found["right"],
                     "wrong": found["wrong"], "handed over": found["handed_over"],
                     "$ a question": float(found["cost"]) / len(test),
                     "$ a right answer": found["per_right"] and float(found["per_right"])})
    show.table(rows, caption=f"{len(test)} questions that no threshold was chosen on", digits=2)
    measured.append({"exercise": "4: dollars a question, people and mistakes included",
                     "before": rows[0]["$ a question"], "after": rows[-1]["$ a question"]})

# %% [markdown] name="plan-means" only="solution"
# Compare the last two rows. Where the first tier's threshold is `inf`, or so high that it serves
# next to nothing, the second tier does the same without it: the cheaper tier does not earn its
# place. Without serving wrong answers, no tier can hand over fewer questions than the documents
# leave unanswered.

# %% [markdown] name="causes-goal"
# ## 5. Find what costs out of proportion
#
# Here is a day of paid model calls, one row for each call. The two models and their prices are
# invented:

# %% name="causes-day"
from helpers.testbed.paid_calls import paid_calls

day = paid_calls()
print(len(day), "calls,", day["micro_usd"].sum() / 1e6, "dollars")
show.table(day.head(4).drop(columns=["input_tokens", "output_tokens"]),
           caption="The first calls of the day")

# %% [markdown] name="causes-columns"
# - `request`, text: the request that a call is made for. A request has one or more calls, and all
#   of them have the same `customer`, `conversation`, `intent` and `text`.
# - `time`, a pandas timestamp: when the call was made. No two calls have the same time. A request
#   is made when its first call is made.
# - `customer`, text, missing for guests. `conversation`, text: each request belongs to one
#   conversation.
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
#   several rows. There is one row for each cause that has at least one call, even if its calls cost
#   0. The most expensive cause is first; equally expensive ones are in alphabetical order. The
#   index does not matter.
# - **The frame** may have its rows in any order, any index (it may repeat), calls of several days,
#   and no rows at all: then the result has the three columns and no rows. It is not changed.
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

# %% [markdown] name="causes-notes" only="instructor"
# Watch for these mistakes: repeats by customer, which lose all guests; a failed call among the four
# of a loop; a call that counts for two causes; the second time in place of the third. Ask whose
# calls `groupby` leaves out; wait twenty seconds. Let people make one boolean column for each
# cause, and run the check after each. Give it ten minutes before you help. When you are late,
# accept *partly* without `repeat`.

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
# What share of the day's bill do the five causes make up? A few requests can cost as much as
# hundreds of others:

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
# what the tool returned and puts it in its own words. With the local model, choosing a tool costs
# no tokens, but writing an answer does:

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
# or more, for the agent: `build_agent(retriever=retriever, middleware=cheaper(retriever,
# THRESHOLD))`.
#
# - `retriever.search(text, k)` returns at most `k` `Passage`s, best first. A passage has `title`,
#   `text`, `sentences`, `best` (the sentence that is nearest to the question), and `score`. The
#   agent's tool `search_documents` says that nothing is found where the best score is below
#   `threshold`.
# - After a tool has been called, the last message is a `ToolMessage`. Its `name` is the tool's; its
#   `text` is for the model. Its `artifact` is the list of passages for `search_documents`, and
#   empty if nothing was found. If a tool refuses, for instance because the order belongs to another
#   customer, the message's `status` is "error" and its `text` gives the reason.
# - A middleware may return an `AIMessage` instead of calling the model; `wrap_model_call` makes one
#   from a function. What it returns ends the turn, unless it has `tool_calls`. The check calls
#   `invoke`, so you need no asynchronous middleware. A middleware may search, keep what it knows
#   between questions, and change requests. It may not change the agent, its tools or its orders.
# - `REFUSAL` of `helpers.agent` is what the agent says where the documents have no answer.
#
# The check makes an agent and asks it 40 questions that you have not seen. They cover 27 intents,
# so some intents come more than once. Each question is a conversation of its own. Most ask for a
# fact that one sentence of the documents states, some are about an order, and 8 have no answer in
# the documents. The outcomes:
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
#   questions are paid for. A token read takes 4.5 ms of CPU time, and a token written 8.5 ms. Each
#   search and each model call adds 5.4 ms. Your other code costs nothing. The check stops as soon
#   as you have spent more than 40 right answers may cost.
# - **Quality:** at least 30 of 40 are right, at most 4 are handed over, and no more are wrong than
#   with the given agent.
# - **No wrong hits:** the check asks it 8 pairs of questions in nearly the same words, such as the
#   price of one tent and then of another. The second answer must be right, and not a repeat of the
#   first.
# - **Customers:** what is said about an order is never said to another customer, or to a guest, who
#   asks in the same words. After an order has changed, the answer changes too.
# - **It still acts:** it refunds an order, in part or in full, when the customer asks for it, and
#   opens a ticket when a customer wants a person.
# - **Other documents:** the check calls `cheaper` more than once, the last time for an agent with
#   other documents. That agent answers from its own documents.
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

# %% [markdown] name="tenth-notes" only="instructor"
# This is the gate. Watch for these mistakes: the model still writes some answers; the best sentence
# is served whatever its score; a cache tells one customer's order to another; the course's index is
# searched in place of the agent's. Ask what the last call of the model adds to the tool's message;
# wait half a minute. The check asks an agent 40 questions and more, and stops early if the model
# spends too much: a short run is no good sign.

# %% [markdown] name="tenth-why" only="solution"
# The model adds nothing where a tool has already found the sentence: it repeats it, and sometimes
# gets it wrong. Its remaining job is to choose a tool. A question with an order number goes
# straight to the model, since "Refund FH-10771" has to be an action and not a sentence about
# refunds. So does a question whose score is too low: the customer may want a person.
#
# There is no cache here. Behind the extracted sentence it would save some hundredths of a
# micro-dollar a question, and it would bring its own risks: another customer's order, yesterday's
# state, and the same words with another meaning. A cache is worth it in front of a model that
# writes.
#
# This has costs elsewhere: the sentence is not adapted to the question, no answer joins two
# sentences, and the agent refuses a question whose words are far from the documents'.

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

# %% [markdown] name="measured-text"
# ## What you measured

# %% name="measured"
if measured:
    show.table(measured, caption="What your work changed", digits=2)

# %% [markdown] name="next"
# ## Next
#
# `course status` shows your progress.
#
# - The walkthrough again: [10 Cut the cost](../notebooks/10_cut_the_cost.ipynb).
# - LangChain: [middleware](https://docs.langchain.com/oss/python/langchain/middleware/overview) and
#   its [callbacks](https://reference.langchain.com/python/langchain-core/callbacks).
# - pandas: [group by](https://pandas.pydata.org/docs/user_guide/groupby.html).
