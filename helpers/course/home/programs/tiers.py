# Written by `course build` from notebooks/src/10_cut_the_cost.py: edit it there.

import re
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

from genai_prices import Usage, calc_price
from langchain.agents import AgentState
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import LLMResult
from langchain_core.vectorstores import InMemoryVectorStore


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


class Meter(BaseCallbackHandler):
    """What calls of models cost: one row for each call.

    Args:
        price: US dollars of a call's tokens. It raises LookupError for an unknown price.
    """

    run_inline = True  # in an async agent, too

    def __init__(self, price: Callable[[UsageMetadata], Decimal]) -> None:
        self._price = price
        self._whose: dict[UUID, dict[str, Any]] = {}
        self.calls: deque[dict[str, Any]] = deque(maxlen=100_000)  # the latest

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A call begins: remember whose it is."""
        self._whose[run_id] = kwargs.get("metadata") or {}


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


POLITE = re.compile(r"\b(hi|hello|hey|please|pls|thanks|thank you|cheers)\b")


def normalised(text: str) -> str:
    """A text without what makes no difference: capitals, punctuation, spaces, politeness."""
    words = re.sub(r"[^\w\s£.'-]|[.](?!\d)", " ", text.lower())
    return " ".join(POLITE.sub(" ", words).split())


TURNS = {
    *("not", "no", "never", "without", "nor", "only", "unless", "except", "before", "after"),
    *("both", "all", "half", "from", "to", "under", "over", "more", "less", "used", "opened"),
}
NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "ten": "10"}


def marks(text: str) -> set[str]:
    """What a text must share with another one: numbers and turning words."""
    text = text.lower().replace("’", "'")
    text = re.sub(r"n't\b", " not", text)
    found = set()
    for word in re.findall(r"\d+(?:[.,]\d+)?|[a-z]+", text):
        word = NUMBERS.get(word, word)
        if word in TURNS or word[0].isdigit():
            found.add(word)
    return found


def may_serve(asked: str, stored: str, names: frozenset[str] = frozenset()) -> bool:
    """Whether the answer to one question may be served to another; `names` tell things apart."""
    one, other = set(normalised(asked).split()), set(normalised(stored).split())
    return marks(asked) == marks(stored) and one & names == other & names


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


ORDER = re.compile(r"\bFH-\d{5}\b")
Best = Callable[[str], tuple[str, float]]  # the sentence that answers a question, and its score
Request = ModelRequest[Any]
Handler = Callable[[Request], ModelResponse]
AsyncHandler = Callable[[Request], Awaitable[ModelResponse]]


class Tiers(AgentMiddleware[AgentState[Any], Any]):
    """Answers by the cheapest tier that can.

    Args:
        cache: checked answers.
        best: the search.
        least: sentences with at least this score are served as they are.
        version: of the documents; an answer of another version is never served.
        own_words: the names of tools whose results are answers.
    """

    def __init__(
        self, cache: SafeCache, best: Best, least: float, version: str, own_words: frozenset[str]
    ) -> None:
        super().__init__()
        self._cache, self._best, self._least = cache, best, least
        self._version, self._own_words = version, own_words


class CheapestFirst(Tiers):
    """Asks the model when no cheaper tier has an answer."""

    def cheap(self, request: Request) -> AIMessage | None:
        """The answer of a tier before the model; None for the model."""
        last = request.messages[-1]
        if isinstance(last, ToolMessage):
            plain = last.name in self._own_words and last.status == "success"
            alone = sum(isinstance(one, ToolMessage) for one in request.messages) == 1
            return answered(last.text, "tool") if plain and alone else None
        if len(request.messages) > 1 or ORDER.search(last.text):
            return None
        if stored := self._cache.get(last.text, (self._version, "")):
            return answered(stored, "cache")
        sentence, score = self._best(last.text)
        return answered(sentence, "extract") if score >= self._least else None


def answered(text: str, tier: str) -> AIMessage:
    """An answer that no model wrote: it has no usage, and says which tier it is from."""
    return AIMessage(text, response_metadata={"tier": tier})


class Cascade(CheapestFirst):
    """The tiers as middleware of an agent, called with or without async."""

    def wrap_model_call(self, request: Request, handler: Handler) -> ModelResponse | AIMessage:
        """Answer, or call the model."""
        return self.cheap(request) or handler(request)

    async def awrap_model_call(
        self, request: Request, handler: AsyncHandler
    ) -> ModelResponse | AIMessage:
        """Answer, or call the model."""
        return self.cheap(request) or await handler(request)


class BudgetSpentError(Exception):
    """There is no money left for another answer."""


class Budget:
    """US dollars that may be spent, shared by all threads of a process."""

    def __init__(self, limit: Decimal) -> None:
        if not limit.is_finite() or limit < 0:
            raise ValueError(f"A budget is a number of dollars from 0 up, not {limit}.")
        self._limit, self._spent, self._reserved = limit, Decimal(0), Decimal(0)
        self._lock = threading.Lock()

    def reserve(self, most: Decimal) -> None:
        """Take what an answer can cost at most. Raises BudgetSpentError."""
        with self._lock:
            if self._spent + self._reserved + most > self._limit:
                raise BudgetSpentError(f"{self._spent} of {self._limit} dollars are spent.")
            self._reserved += most

    def settle(self, most: Decimal, actual: Decimal) -> None:
        """Give back what was reserved, and keep what the answer did cost."""
        with self._lock:
            self._reserved -= most
            self._spent += actual


HANDED_OVER = "I do not know, so I have passed your question to a colleague."


class Limited(AgentMiddleware[AgentState[Any], Any]):
    """Calls the model only as long as there is money for it; then a person answers.

    Args:
        budget: what may be spent.
        most: US dollars of a call of the model at most.
        price: US dollars of a call's tokens.
    """

    def __init__(
        self, budget: Budget, most: Decimal, price: Callable[[UsageMetadata], Decimal]
    ) -> None:
        super().__init__()
        self._budget, self._most, self._price = budget, most, price

    def reserved(self) -> bool:
        """Whether there is money for a call of the model; then it is reserved."""
        try:
            self._budget.reserve(self._most)
        except BudgetSpentError:
            return False
        return True


class Settling(Limited):
    """Settles what was reserved."""

    def settle(self, response: ModelResponse | None) -> None:
        """Count what a call did cost: the most where that is not known, as after a failure."""
        cost = self._most
        usage = getattr(response.result[-1], "usage_metadata", None) if response else None
        if usage:
            with suppress(LookupError):  # no price is known: it stays at the most
                cost = self._price(usage)
        self._budget.settle(self._most, cost)


class WithinBudget(Settling):
    """The budget as middleware of an agent, called with or without async."""

    def wrap_model_call(self, request: Request, handler: Handler) -> ModelResponse | AIMessage:
        """Call the model if there is money for it."""
        if not self.reserved():
            return answered(HANDED_OVER, "person")
        response = None
        try:
            response = handler(request)
            return response
        finally:
            self.settle(response)


class WithinBudgetAsync(WithinBudget):
    """The same for an agent that is called with async."""

    async def awrap_model_call(
        self, request: Request, handler: AsyncHandler
    ) -> ModelResponse | AIMessage:
        """Call the model if there is money for it."""
        if not self.reserved():
            return answered(HANDED_OVER, "person")
        response = None
        try:
            response = await handler(request)
            return response
        finally:
            self.settle(response)
