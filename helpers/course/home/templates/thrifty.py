"""The agent of chat.py behind the tiers of tiers.py and within a budget: `BUDGET_USD=5`."""

import hashlib
import os
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from langchain.agents import create_agent
from langchain.chat_models import BaseChatModel
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.messages.ai import UsageMetadata
from langgraph.checkpoint.memory import InMemorySaver

import chat
from agent import (
    SYSTEM,
    Agent,
    AnswerFromResults,
    Caller,
    Search,
    best,
    order_tool,
    refund_tool,
    search_tool,
)
from chat import SetupError, made
from main import make_model
from orders import OrderBook
from tiers import Budget, Cascade, SafeCache, WithinBudget, price

CHECKED = {
    "How many days do I have to send something back?": "60 days from delivery.",
}
"""Questions and their answers from the documents, which a person has checked. They are served to
everyone, so leave out anything about an order or a customer. Check them again when the documents
change."""

LEAST = 0.9
"""Score from which the best sentence is the answer, without the model. It is above THRESHOLD in
chat.py: choose it in the same way (see README.md)."""

MOST = Decimal("0.01")
"""The most that one request to the model can cost, in US dollars. It is reserved in advance."""

OWN_WORDS = frozenset({"lookup_order", "issue_refund"})
"""Tools whose results are whole sentences, which the customer reads as they are. Include
each tool that acts: if the money runs out after it has acted, the customer still reads what it
did."""

Price = Callable[[UsageMetadata], Decimal]


def token_price(name: str, usd: tuple[float, float] | None) -> Price:
    """What a request to a model costs: by your prices, else by the list of genai-prices.

    Args:
        name: the model's id, such as "openai:gpt-4.1-mini".
        usd: dollars of a token read and of a token written, if they are set.

    Raises:
        SetupError: there is no price.
    """
    if usd is not None:
        read, written = (Decimal(str(each)) for each in usd)
        return lambda used: read * used["input_tokens"] + written * used["output_tokens"]
    model = name.rpartition(":")[2]

    def listed(used: UsageMetadata) -> Decimal:
        return price(used, model)

    try:
        listed(UsageMetadata(input_tokens=1, output_tokens=1, total_tokens=2))
    except LookupError:
        raise SetupError(
            f"The price list has no {model}: set PRICE_IN and PRICE_OUT to the US dollars of a "
            "million tokens."
        ) from None
    return listed


def budget_of(dollars: str) -> Budget:
    """The budget that BUDGET_USD sets.

    Raises:
        SetupError: it is no number of dollars.
    """
    try:
        return Budget(Decimal(dollars))
    except (InvalidOperation, ValueError):
        raise SetupError(
            f"BUDGET_USD={dollars} is no budget: set it to US dollars, for instance 5."
        ) from None


def version_of(documents: Sequence[Document]) -> str:
    """A digest of the documents: answers of another version are not served."""
    text = "\0".join(page.page_content for page in documents)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def make_thrifty_agent(
    model: BaseChatModel,
    search: Search,
    book: OrderBook,
    memory: InMemorySaver,
    cascade: Cascade,
    budget: WithinBudget,
) -> Agent:
    """The agent of `make_shop_agent`, with the tiers in front and the budget next to the model."""
    return create_agent(
        model,
        [search_tool(search, chat.THRESHOLD), order_tool(book.describe), refund_tool(book.pay)],
        system_prompt=SYSTEM,
        middleware=[cascade, AnswerFromResults(), budget],
        context_schema=Caller,
        checkpointer=memory,
    )


def thrifty_agent(
    book: OrderBook, memory: InMemorySaver, dollars: str, usd: tuple[float, float] | None
) -> Agent:
    """The agent that `chat.shop_agent` makes, with tiers and a budget.

    Args:
        book: the orders.
        memory: of the conversations.
        dollars: what may be spent from now on.
        usd: as for `token_price`.

    Raises:
        SetupError: a setting is missing or cannot be used; the message says which.
    """
    budget = budget_of(dollars)
    documents = chat.read_documents(chat.DOCUMENTS)
    model = made("MODEL", "openai:gpt-4.1-mini", make_model)
    cost = token_price(os.environ["MODEL"], usd)
    version = version_of(documents)
    search, cache = made(
        "EMBEDDINGS",
        "openai:text-embedding-3-small",
        lambda name: _indexed(documents, chat.make_embeddings(name), version),
    )
    cascade = Cascade(cache, lambda text: best(search, text), LEAST, version, OWN_WORDS)
    limited = WithinBudget(budget, MOST, cost)
    return make_thrifty_agent(model, search, book, memory, cascade, limited)


def _indexed(
    documents: Sequence[Document], embeddings: Embeddings, version: str
) -> tuple[Search, SafeCache]:
    """The search, and the cache with the answers that were checked."""
    names = {word.lower() for page in documents for word in page.metadata["title"].split()}
    cache = SafeCache(embeddings, frozenset(names))
    for question, answer in CHECKED.items():
        cache.put(question, answer, (version, ""))
    return chat.make_search(documents, embeddings), cache
