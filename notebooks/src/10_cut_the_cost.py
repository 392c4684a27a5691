# %% [markdown] name="title"
# # 10 Cut the cost
#
# After this notebook you can say what a right answer costs, people and mistakes included, and cut
# it with caches, shorter contexts and a cascade of tiers, without more wrong answers.
#
# **75 minutes (the machine works for about 8 of them). Level: Python, a little pandas. Before it:
# modules 01 and 02.**

# %% [markdown] name="picture"
# ```mermaid
# flowchart LR
#     question([question]) --> cache{"asked before?"}
#     cache -- no --> extract{"one sentence<br>answers it?"}
#     extract -- no --> tool{"a tool's own<br>words do?"}
#     tool -- no --> model{"model"}
#     model -- "not sure" --> person([a person])
#     cache -- yes --> answer([answer])
#     extract -- yes --> answer
#     tool -- yes --> answer
#     model --> answer
#     meter["meter, budget"] -.- cache & extract & tool & model
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="today-text"
# ## What does a right answer cost today?
#
# The agent of module 01 finds one sentence, and the model writes an answer from it. Each reply of
# the model says how many tokens it has read and written.

# %% name="today"
from langchain_core.messages import AIMessage

from helpers.agent import Caller, build_agent

os.environ["COURSE_MODEL"] = model
agent = build_agent()


def ask(agent, question, thread, customer=None, **config):
    """The messages of one turn."""
    config = {"configurable": {"thread_id": thread}, **config}
    return agent.invoke({"messages": question}, config, context=Caller(customer))["messages"]


for message in ask(agent, "How much does the Alta 2 tent weigh?", "first"):
    if isinstance(message, AIMessage):
        print(message.usage_metadata["input_tokens"], "tokens read,",
              message.usage_metadata["output_tokens"], "written:", message.text or "a tool call")

# %% [markdown] name="price-text"
# [genai-prices](https://github.com/pydantic/genai-prices) knows what the tokens of some thousand
# hosted models cost, without a network. Its sums are `Decimal`: a float cannot hold a cent exactly,
# and a bill adds up millions of them.

# %% name="price" app="tiers.py"
from decimal import Decimal

from genai_prices import Usage, calc_price
from langchain_core.messages.ai import UsageMetadata


def price(usage: UsageMetadata, model: str) -> Decimal:
    """US dollars of a call's tokens. Raises LookupError for a model without a known price."""
    details = usage.get("input_token_details") or {}
    counted = Usage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cache_read_tokens=details.get("cache_read"),
        cache_write_tokens=details.get("cache_creation"),
    )
    return calc_price(counted, model_ref=model).total_price

# %% name="prices"
usage = {"input_tokens": 170, "output_tokens": 25, "total_tokens": 195}
for name in ("gpt-5-nano", "gpt-5-mini", "claude-sonnet-4-5", "small-model-3"):
    try:
        print(f"{name}: {1_000_000 * price(usage, name):,.0f} dollars a million answers")
    except LookupError as error:
        print(f"{name}: {error}")

# %% [markdown] name="unknown-text"
# A price that is not known is an error, and not zero: a zero would make the newest model look free.
#
# The local model sends no bill. It takes processor time: about 4.5 ms for a token that it reads and
# 8.5 ms for one that it writes, on cores that cost $0.04 an hour. An embedding takes 5.4 ms. (Change
# the rate to yours.)

# %% name="local-price"
CPU_SECOND = Decimal("0.04") / 3600


def local_price(usage):
    """US dollars of a call of the local model."""
    milliseconds = Decimal("4.5") * usage["input_tokens"] + Decimal("8.5") * usage["output_tokens"]
    return milliseconds / 1000 * CPU_SECOND


SEARCH = 2 * Decimal("0.0054") * CPU_SECOND  # two embeddings: to choose a tool, and to search
tokens_usd = local_price if model == "local" else lambda usage: price(usage, model.split(":")[-1])
print(f"{1_000_000 * tokens_usd(usage):.1f} micro-dollars of tokens, "
      f"{1_000_000 * SEARCH:.2f} of searching")

# %% [markdown] name="traffic-text"
# Now the questions. A few intents make up most of a shop's traffic, in many wordings: this is
# *Zipf's law*, by which the second most frequent one comes half as often as the first, the third a
# third as often. Some can be answered by a sentence of the documents, some need an order, and some
# nobody can answer.

# %% name="traffic"
import pandas as pd

from helpers.cost.traffic import traffic

asked = traffic("dev", 40 if fast else 200)
wordings = {}
for question in asked:
    wordings[question.question] = question
kinds = pd.Series([question.kind for question in asked])
print(len(asked), "requests,", len(wordings), "different ones:", kinds.value_counts().to_dict())
print(pd.Series([q.question for q in asked]).value_counts().head(3).to_string())

# %% [markdown] name="outcome-text"
# An answer has one of three outcomes. It is *right* or *wrong*, by the facts of module 02's score.
# Or the agent says that it does not know: then a person takes over, so it is *handed over*.

# %% name="outcome"
from helpers.evaluate import score_answer


def outcome(question, answer):
    """right, wrong or handed over."""
    judged = score_answer(question, answer)
    if judged.refused:
        return "handed over"
    return "right" if judged.right else "wrong"

# %% name="reference"
from helpers.course import show


def spent(messages):
    """US dollars of the tokens of a turn."""
    usd = Decimal(0)
    for message in messages:
        if isinstance(message, AIMessage) and message.usage_metadata:
            usd += tokens_usd(message.usage_metadata)
    return usd


rows = []
for text, question in show.progress(wordings.items(), "questions asked"):
    said = ask(agent, text, f"today-{text}", question.customer)
    rows.append({"text": text, "kind": question.kind, "usd": spent(said) + SEARCH,
                 "outcome": outcome(question, said[-1].text), "answer": said[-1].text})
today = pd.DataFrame(rows).set_index("text")
print(pd.crosstab(today.kind, today.outcome))

# %% [markdown] name="total-text"
# Each wording was asked once, and counts as often as it comes. A token is only a part of the bill:
# a person who takes over costs money, and so does a wrong answer, which comes back as a complaint or
# a refund. Take $2 and $5 here. What are yours?

# %% name="total"
PERSON, WRONG = Decimal(2), Decimal(5)


def bill(results):
    """Shares of the outcomes, and dollars a right answer, without and with people and mistakes."""
    count = results.outcome.value_counts()
    right = count.get("right", 0)
    tokens = sum(results.usd)
    total = tokens + PERSON * count.get("handed over", 0) + WRONG * count.get("wrong", 0)
    return {
        "right": right / len(results),
        "wrong": count.get("wrong", 0) / len(results),
        "handed over": count.get("handed over", 0) / len(results),
        "micro-dollars a right answer": float(1_000_000 * tokens / right) if right else None,
        "dollars, all included": float(total / right) if right else None,
    }

# %% name="bill"
texts = [question.question for question in asked]
bills = {"today": bill(today.loc[texts])}
show.table([{"variant": "today"} | bills["today"]], caption=f"{len(asked)} requests")

# %% [markdown] name="total-read"
# Compare the last two figures: a right answer costs some micro-dollars of tokens, and dollars of
# everything else. A saving on tokens that makes one more answer in a thousand wrong is no saving.
# So from here on each variant shows both.

# %% [markdown] name="context-text"
# ## How much text does the model need?
#
# What a call costs is mostly what it reads. Give the model three passages, one passage, or the two
# sentences that fit best. Fewer tokens are cheaper. Are the answers worse?

# %% name="contexts"
from helpers.agent import fernhill_index

index = fernhill_index(sentences=2)


def three_passages(question):
    """The three best documents."""
    return "\n".join(f"{found.title}: {found.text}" for found in index.search(question, 3))


def one_passage(question):
    """The best document."""
    found = index.search(question, 1)[0]
    return f"{found.title}: {found.text}"


def two_sentences(question):
    """The two best sentences of the best document, with its title."""
    return index.search(question, 1)[0].excerpt

# %% name="answer-from"
from helpers.models import chat_model

PROMPT = "Answer the question from the text, in one sentence.\n\nText: {}\n\nQuestion: {}"
llm = chat_model(max_tokens=60)


def answered_from(context, question, llm=llm, prompt=PROMPT):
    """The model's reply to a question, from the text that `context` finds for it."""
    return llm.invoke(prompt.format(context(question), question))


in_documents = []  # what some sentence of the documents could answer
for question in wordings.values():
    if question.kind in ("single_fact", "conditional"):
        in_documents.append(question)
in_documents = in_documents[: 6 if fast else 30]
print(answered_from(two_sentences, in_documents[0].question).text)

# %% name="contexts-asked"
def measure(variants):
    """One row for each question and variant: tokens, dollars, outcome."""
    rows = []
    for question in show.progress(in_documents, "questions asked"):
        for name, answer in variants.items():
            reply = answer(question.question)
            used = reply.usage_metadata
            rows.append({
                "variant": name, "question": question.question, "usd": tokens_usd(used),
                "read": used["input_tokens"], "written": used["output_tokens"],
                "outcome": outcome(question, reply.text),
                "cut off": reply.response_metadata["finish_reason"] == "length"})
    return pd.DataFrame(rows)


contexts = {}
for context in (three_passages, one_passage, two_sentences):
    contexts[context.__name__] = lambda asked, context=context: answered_from(context, asked)
by_context = measure(contexts)

# %% name="contexts-table"
def summary(measured):
    """One row for each variant."""
    rows = []
    for name, group in measured.groupby("variant", sort=False):
        row = {"variant": name, "tokens read": group.read.mean(), "written": group.written.mean()}
        row["right"] = int((group.outcome == "right").sum())
        row["cut off"] = int(group["cut off"].sum())
        rows.append(row | {"micro-dollars": float(1_000_000 * group.usd.sum() / len(group))})
    return rows


caption = f"The same {len(in_documents)} questions, with more and with less text"
show.table(summary(by_context), caption=caption, digits=1)

# %% [markdown] name="paired-text"
# The questions are the same, so compare question by question: on how many is only the one variant
# right, on how many only the other? If both were equally good, these two numbers would differ by
# chance alone (McNemar's test, module 02).

# %% name="paired"
from scipy.stats import binomtest


def compare(measured, one, other):
    """Questions on which only one variant is right, and the p-value."""
    right = measured.assign(right=measured.outcome == "right").pivot(
        index="question", columns="variant", values="right")
    only_one = int((right[one] & ~right[other]).sum())
    only_other = int((right[other] & ~right[one]).sum())
    changed = only_one + only_other
    p = binomtest(only_one, changed).pvalue if changed else 1.0
    return {"only the first": only_one, "only the second": only_other, "p": p}


rows = []
for other in ("three_passages", "one_passage"):
    row = {"first": "two_sentences", "second": other}
    rows.append(row | compare(by_context, "two_sentences", other))
show.table(rows, caption="Right answers, question by question", digits=3)

# %% [markdown] name="context-rule"
# For this small model less text is both cheaper and better: it cannot pick the answer out of a long
# text. A large model can. Then the saving is a trade, and this table shows you its price.

# %% [markdown] name="output-text"
# ## How much does it have to write?
#
# A token that is written costs more than one that is read: here twice as much, on most price lists
# four to eight times. Four ways to make answers shorter: a limit, a stop sequence, an instruction,
# and a schema. Which of them cut an answer off in the middle?

# %% name="outputs"
from pydantic import BaseModel, Field


class Short(BaseModel):
    """An answer with room for the fact alone."""

    fact: str = Field(max_length=60)


SHORT = PROMPT.replace("in one sentence", "in at most five words")
structured = llm.with_structured_output(Short, include_raw=True)


def by_schema(asked):
    """The fact alone, as a field of JSON."""
    found = structured.invoke(PROMPT.format(two_sentences(asked), asked))
    return found["raw"]

# %% name="outputs-asked"
limited = llm.bind(max_tokens=12)
stopped = llm.bind(stop=[".", "\n"])
by_output = measure({
    "as it is": lambda asked: answered_from(two_sentences, asked),
    "a limit of 12 tokens": lambda asked: answered_from(two_sentences, asked, limited),
    "stop at . or a new line": lambda asked: answered_from(two_sentences, asked, stopped),
    "five words, please": lambda asked: answered_from(two_sentences, asked, prompt=SHORT),
    "a schema": by_schema,
})
show.table(summary(by_output), caption="The same questions, with shorter answers", digits=1)

# %% [markdown] name="output-rule"
# `finish_reason` says whether an answer was cut off (`length`) or ended (`stop`). An answer that is
# cut off may be right nevertheless, if the fact comes early. It may also end just before it: "...
# within 14" of "14 working days" reads like an answer. And a stop sequence cuts "2.1 kg" in two,
# which no finish reason shows. Look at the column of right answers, not at the price.

# %% [markdown] name="cache-text"
# ## What does a question cost the second time?
#
# LangChain caches a model's answers by its exact prompt and settings. Ask twice.

# %% name="exact"
import time

from langchain_core.caches import InMemoryCache

cached = chat_model(max_tokens=60, cache=InMemoryCache(maxsize=1_000))
prompt = PROMPT.format(two_sentences("How heavy is the Alta 2?"), "How heavy is the Alta 2?")
for _ in range(2):
    began = time.perf_counter()
    reply = cached.invoke(prompt)
    took = 1000 * (time.perf_counter() - began)
    print(f"{took:.0f} ms", reply.usage_metadata)

# %% [markdown] name="meter-text"
# The second answer repeats the tokens of the first, though nobody was paid for them. Only
# `total_cost: 0` tells the two apart, and a meter that does not look at it counts twice. Here is one
# that does. It also knows whose call it was, by the metadata of the request, and it says how many
# calls have an unknown price.

# %% name="meter" app="tiers.py"
from collections.abc import Callable
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult


class Meter(BaseCallbackHandler):
    """What calls of models cost: one row for each call.

    Args:
        price: US dollars of a call's tokens. It raises LookupError for an unknown price.
    """

    run_inline = True  # in an async agent, too

    def __init__(self, price: Callable[[UsageMetadata], Decimal]) -> None:
        self._price = price
        self._whose: dict[UUID, dict[str, Any]] = {}
        self.calls: list[dict[str, Any]] = []

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A call begins: remember whose it is."""
        self._whose[run_id] = kwargs.get("metadata") or {}

# %% name="meter-ends" app="tiers.py"
class CostMeter(Meter):
    """Counts the calls when they end."""

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """A call has an answer, from the model or from LangChain's cache."""
        usage = getattr(response.generations[0][0], "message", None)
        usage = getattr(usage, "usage_metadata", None)
        if usage and "total_cost" in usage:
            return self._count(run_id, "cached", Decimal(0))
        try:
            dollars = self._price(usage) if usage else None
        except LookupError:
            dollars = None
        self._count(run_id, "answered", dollars, usage)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A call has failed. What it cost is not known, which is not 0."""
        self._count(run_id, "failed", None)

    def _count(
        self, run_id: UUID, ended: str, usd: Decimal | None, usage: UsageMetadata | None = None
    ) -> None:
        whose = self._whose.pop(run_id, {})
        tokens = {"read": usage["input_tokens"], "written": usage["output_tokens"]} if usage else {}
        self.calls.append({**whose, "ended": ended, "usd": usd, **tokens})

# %% name="metered"
meter = CostMeter(tokens_usd)
for number in range(3):
    cached.invoke(prompt, {"callbacks": [meter], "metadata": {"customer": "C-0001"}})
calls = pd.DataFrame(meter.calls)
print(calls[["customer", "ended", "usd"]])

# %% [markdown] name="repeat-text"
# How often does the same question come again? Look at the requests in their order: which share of
# them was asked before, word by word, or but for capitals, spaces and punctuation?

# %% name="normalised" app="tiers.py"
import re

POLITE = re.compile(r"\b(hi|hello|hey|please|pls|thanks|thank you|cheers)\b")


def normalised(text: str) -> str:
    """A text without what makes no difference: capitals, punctuation, spaces, politeness."""
    words = re.sub(r"[^\w\s£.'-]|[.](?!\d)", " ", text.lower())
    return " ".join(POLITE.sub(" ", words).split())

# %% name="hits"
def share_seen(texts):
    """The share of requests that were asked before, after each request."""
    seen, hits, shares = set(), 0, []
    for count, text in enumerate(texts, start=1):
        hits += text in seen
        seen.add(text)
        shares.append(hits / count)
    return shares


long_day = traffic("dev", 1_000)
numbers = list(range(1, 1_001))
exactly = share_seen([q.question for q in long_day])
normally = share_seen([normalised(q.question) for q in long_day])
by_intent = share_seen([q.id for q in long_day])
show.line(
    {"the same words": (numbers, exactly), "normalised": (numbers, normally),
     "the same intent": (numbers, by_intent)},
    x="requests", y="share asked before",
    title=f"After 1,000 requests {exactly[-1]:.0%} were asked before, word by word")

# %% [markdown] name="hits-rule"
# Such a cache gets better with traffic, and here it has an easy time: three wordings an intent, no
# typing errors. Real customers have more. The highest line is what a cache that knows every meaning
# could reach. So: can an embedding find the same question in other words?

# %% name="pairs"
import numpy as np

from helpers.cost.traffic import pairs, traps
from helpers.models import embeddings


def cosines(found):
    """The cosine of each pair of texts."""
    first = np.array(embeddings().embed_documents([one for one, _ in found]))
    second = np.array(embeddings().embed_documents([other for _, other in found]))
    return (first * second).sum(axis=1)


same = pairs("dev")
different = [(trap.stored, trap.asked) for trap in traps("dev")]
same_cosines, trap_cosines = cosines(same), cosines(different)
nearest = int(trap_cosines.argmax())
print(f"another meaning, cosine {trap_cosines[nearest]:.2f}: {different[nearest]}")
farthest = int(same_cosines.argmin())
print(f"the same meaning, cosine {same_cosines[farthest]:.2f}: {same[farthest]}")

# %% [markdown] name="traps-text"
# These are *traps*: nearly the same words, another answer. A semantic cache serves the stored
# answer when the cosine is above a threshold. Which threshold serves the same meaning, and no trap?

# %% name="traps"
thresholds = np.linspace(0.5, 1, 51)
served = {"the same meaning": [], "a trap": []}
for threshold in thresholds:
    served["the same meaning"].append((same_cosines >= threshold).mean())
    served["a trap"].append((trap_cosines >= threshold).mean())
place = int(np.argmin(np.abs(thresholds - 0.8)))
show.line(
    {name: (thresholds, shares) for name, shares in served.items()},
    x="threshold of the cosine", y="share served from the cache",
    title=f"At 0.80 the cache serves {served['the same meaning'][place]:.0%} of the same "
    f"meanings, and {served['a trap'][place]:.0%} of the traps")

# %% [markdown] name="guard-text"
# None does: an embedding says what a text is about, and both questions are about the same thing.
# What separates them is small: a number, a name, a "not". So compare exactly that. The *guard*
# refuses when one text has a number, a product or a turning word that the other one has not.

# %% name="guard" app="tiers.py"
TURNS = {
    *("not", "no", "never", "without", "nor", "only", "unless", "except", "before", "after"),
    *("both", "all", "half", "from", "to", "under", "over", "more", "less", "used", "opened"),
}
NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "ten": "10"}


def marks(text: str) -> set[str]:
    """What a text must share with another one: numbers, names, turning words."""
    text = re.sub(r"n't\b", " not", text.lower().replace("’", "'"))
    words = re.findall(r"\d+(?:[.,]\d+)?|[a-z]+", text)
    words = [NUMBERS.get(word, word) for word in words]
    return {word for word in words if word in TURNS or word[0].isdigit()}


def may_serve(asked: str, stored: str, names: frozenset[str] = frozenset()) -> bool:
    """Whether the answer to one question may be served to another; `names` tell things apart."""
    one, other = set(normalised(asked).split()), set(normalised(stored).split())
    return marks(asked) == marks(stored) and one & names == other & names

# %% name="names"
from helpers.shop import documents

names = set()
for document in documents():
    names |= set(normalised(document.title).split())
names = frozenset(names)
rows = []
for label, found, cosine in (("the same meaning", same, same_cosines),
                             ("a trap", different, trap_cosines)):
    allowed = np.array([may_serve(one, other, names) for one, other in found])
    row = {"pairs": label, "number": len(found), "cosine >= 0.8": int((cosine >= 0.8).sum())}
    rows.append(row | {"and the guard": int((allowed & (cosine >= 0.8)).sum())})
show.table(rows, caption="Served from a semantic cache")

# %% [markdown] name="guard-rule"
# The guard costs some hits and removes most of the traps. Which ones are left? Print them, and you
# see kinds of differences that are on no list: a word list is never complete. The course's own
# ([helpers/cost/guard.py](../helpers/cost/guard.py)) also compares the remaining words, and `course
# cost` counts on traps that nobody tuned for.

# %% name="left"
for one, other in different:
    if may_serve(one, other, names) and cosines([(one, other)])[0] >= 0.8:
        print(one, "|", other)

# %% [markdown] name="stored-text"
# What may be stored, for whom, and how long?
#
# - *What:* only an answer that was checked. A cache multiplies a wrong answer by its hits.
# - *For whom:* an answer about an order belongs to one customer. It is stored under that customer, or
#   better not at all.
# - *How long:* until a document changes. Put the version of the documents into the key, and the old
#   answers are never found again.

# %% name="cache" app="tiers.py"
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore

Key = tuple[str, str]  # the version of the documents, and the customer ("" for everyone)


class AnswerCache:
    """Checked answers, found by the same words or, behind the guard, by a similar meaning."""

    def __init__(
        self, embeddings: Embeddings, names: frozenset[str] = frozenset(), least: float = 0.8
    ) -> None:
        self._words: dict[tuple[Key, str], str] = {}
        self._meanings = InMemoryVectorStore(embeddings)
        self._names, self._least = names, least

    def put(self, question: str, answer: str, key: Key) -> None:
        """Store an answer that was checked."""
        self._words[key, normalised(question)] = answer
        self._meanings.add_documents([Document(question, metadata={"key": key, "answer": answer})])

# %% name="cache-get" app="tiers.py"
class SafeCache(AnswerCache):
    """Finds the answers again."""

    def get(self, question: str, key: Key) -> str | None:
        """The answer to this question, or to one that means the same; None for neither."""
        if (same := self._words.get((key, normalised(question)))) is not None:
            return same

        def belongs(document: Document) -> bool:
            return bool(document.metadata["key"] == key)

        near = self._meanings.similarity_search_with_score(question, k=3, filter=belongs)
        for document, cosine in near:
            if cosine >= self._least and may_serve(question, document.page_content, self._names):
                return str(document.metadata["answer"])
        return None

# %% name="cache-tried"
cache = SafeCache(embeddings(), names)
cache.put("How heavy is the Alta 2?", "It weighs 2.1 kg.", ("May", ""))
for question, key in [
    ("how heavy is the alta 2", ("May", "")),
    ("How heavy is the Alta 2 tent?", ("May", "")),
    ("How heavy is the Alta 3?", ("May", "")),
    ("How heavy is the Alta 2?", ("June", "")),
]:
    print(cache.get(question, key), "|", question, key)

# %% [markdown] name="provider-text"
# A provider has a cache of another kind: it keeps the state of a *prompt's beginning*, and reads it
# again for a tenth of the price or so. The answer is written anew each time, so nothing can be
# served wrongly. What changes with every request has to stand at the prompt's end. Take a system
# prompt of 2,000 tokens with tools and examples:

# %% name="provider"
rows = []
for name in ("gpt-5-mini", "claude-sonnet-4-5"):
    row = {"model": name}
    for share in (0, 0.5, 0.95):
        details = {"cache_read": int(2_100 * share)}
        one = {"input_tokens": 2_100, "output_tokens": 50, "input_token_details": details}
        row[f"{share:.0%} from its cache"] = float(1_000_000 * price(one, name))
    rows.append(row)
show.table(rows, caption="Micro-dollars a call", digits=0)
