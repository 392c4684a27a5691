# Written by `course build` from notebooks/src/10_cut_the_cost.py: edit it there.

import re
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from threading import Lock
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


Price = Callable[[UsageMetadata], Decimal]  # US dollars of a call; LookupError where unknown


class Meter(BaseCallbackHandler):
    """What calls of models cost: one row for each of the latest calls."""

    run_inline = True  # in an async agent, too

    def __init__(self, price: Price) -> None:
        self._price = price
        self._whose: dict[UUID, dict[str, Any]] = {}
        self.calls: deque[dict[str, Any]] = deque(maxlen=100_000)


class CostMeter(Meter):
    """Notes whose call it is when the call begins, and counts it when it ends."""

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A call begins."""
        self._whose[run_id] = kwargs.get("metadata") or {}

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """A call has an answer, from the model or from LangChain's cache."""
        message = getattr(response.generations[0][0], "message", None)
        usage = getattr(message, "usage_metadata", None) or {}
        row = self._whose.pop(run_id, {}) | {"ended": "answered", "usd": None}
        if "total_cost" in usage:
            row |= {"ended": "cached", "usd": Decimal(0)}
        elif usage:
            with suppress(LookupError):  # no price is known: it stays None
                row["usd"] = self._price(usage)
        self.calls.append(row)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A call has failed. What it cost is not known."""
        self.calls.append(self._whose.pop(run_id, {}) | {"ended": "failed", "usd": None})


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
    text = re.sub(r"n't\b", " not", text.lower().replace("’", "'"))
    found = {NUMBERS.get(word, word) for word in re.findall(r"\d+(?:[.,]\d+)?|[a-z]+", text)}
    return {word for word in found if word in TURNS or word[0].isdigit()}


def may_serve(asked: str, stored: str, names: frozenset[str] = frozenset()) -> bool:
    """Whether the answer to one question may be served to another; `names` tell things apart."""
    if marks(asked) != marks(stored):
        return False
    one = set(normalised(asked).split())
    other = set(normalised(stored).split())
    return one & names == other & names


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
        """Store a checked answer, unless the question is a mere greeting or 10,000 are stored."""
        if not normalised(question) or len(self._words) >= 10_000:
            return
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


def answered(text: str, tier: str) -> AIMessage:
    """An answer that no model wrote: it has no usage, and says which tier it is from."""
    return AIMessage(text, response_metadata={"tier": tier})


class Tiers(AgentMiddleware[AgentState[Any], Any]):
    """Answers by the cheapest tier that can.

    Args:
        cache: checked answers.
        best: the search; sentences with a score from `least` on are served as they are.
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
            one_thing = len(request.messages) == 3 and " and " not in request.messages[0].text
            return answered(last.text, "tool") if plain and one_thing else None
        if len(request.messages) > 1 or ORDER.search(last.text):
            return None
        if stored := self._cache.get(last.text, (self._version, "")):
            return answered(stored, "cache")
        sentence, score = self._best(last.text)
        return answered(sentence, "extract") if score >= self._least else None


Handler = Callable[[Request], ModelResponse]
AsyncHandler = Callable[[Request], Awaitable[ModelResponse]]
Answer = ModelResponse | AIMessage


class Cascade(CheapestFirst):
    """The tiers as middleware of an agent, called with or without async."""

    def wrap_model_call(self, request: Request, handler: Handler) -> Answer:
        """Answer, or call the model."""
        return self.cheap(request) or handler(request)

    async def awrap_model_call(self, request: Request, handler: AsyncHandler) -> Answer:
        """Answer, or call the model."""
        return self.cheap(request) or await handler(request)


class Budget:
    """US dollars that may be spent, shared by all threads of a process."""

    def __init__(self, limit: Decimal) -> None:
        if not limit.is_finite() or limit < 0:
            raise ValueError(f"A budget is a number of dollars from 0 up, not {limit}.")
        self._left, self._lock = limit, Lock()

    def reserve(self, most: Decimal) -> bool:
        """Reserve the most that an answer can cost; False if less than that is left."""
        with self._lock:
            enough = self._left >= most
            self._left -= most if enough else 0
            return enough

    def settle(self, most: Decimal, actual: Decimal) -> None:
        """Give back what was reserved, minus what the answer cost."""
        with self._lock:
            self._left += most - actual


HANDED_OVER = "I do not know, so I have passed your question to a colleague."


class Limited(AgentMiddleware[AgentState[Any], Any]):
    """Lets a person answer when there is no money left for a call, which costs `most` at most."""

    def __init__(self, budget: Budget, most: Decimal, price: Price) -> None:
        super().__init__()
        self._budget, self._most, self._price = budget, most, price


class Settling(Limited):
    """Settles what was reserved."""

    def settle(self, response: ModelResponse | None) -> None:
        """Count what a call cost; `most` where that is not known, as after a failure."""
        cost = self._most
        usage = getattr(response.result[-1], "usage_metadata", None) if response else None
        with suppress(LookupError):
            cost = self._price(usage) if usage else cost
        self._budget.settle(self._most, cost)


class WithinBudget(Settling):
    """The budget as middleware of an agent, called with or without async."""

    def wrap_model_call(self, request: Request, handler: Handler) -> Answer:
        """Call the model if there is money for it."""
        if not self._budget.reserve(self._most):
            return answered(HANDED_OVER, "person")
        response = None
        try:
            response = handler(request)
            return response
        finally:
            self.settle(response)

    async def awrap_model_call(self, request: Request, handler: AsyncHandler) -> Answer:
        """Call the model if there is money for it."""
        if not self._budget.reserve(self._most):
            return answered(HANDED_OVER, "person")
        response = None
        try:
            response = await handler(request)
            return response
        finally:
            self.settle(response)
