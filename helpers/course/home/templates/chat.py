"""Talk to your agent in the terminal: `python chat.py --customer C-0042`."""

import argparse
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from langchain.chat_models import BaseChatModel
from langchain.embeddings import init_embeddings
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langgraph.checkpoint.memory import InMemorySaver

from agent import (
    Agent,
    Caller,
    Search,
    best,
    make_agent,
    order_tool,
    refund_tool,
    search_tool,
    titled,
)
from main import make_model
from orders import OrderBook, read_orders

HERE = Path(__file__).parent
DOCUMENTS, ORDERS = HERE / "documents", HERE / "orders.json"

THRESHOLD = 0.5
"""Score below which nothing is found. It fits the documents that came with this file and the model
all-MiniLM-L6-v2. Another model or other documents need another: choose it by
`python chat.py --scores questions.txt` (see README.md)."""

Made = TypeVar("Made")


class SetupError(Exception):
    """Something that you can put right before you start again; the message says how."""


def read_documents(folder: Path) -> list[Document]:
    """The paragraphs of a folder's Markdown files, each with its file's title.

    Raises:
        SetupError: there are none, or one cannot be read.
    """
    found = []
    for file in sorted(folder.glob("*.md")):
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"{file} cannot be read as UTF-8 text: {error}.") from error
        title = re.search(r"^# +(\S.*)$", text, re.MULTILINE)
        if title is None:
            raise SetupError(f"{file} has no title: begin it with a line such as '# Delivery'.")
        body = re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE)  # headings are no sentences
        for paragraph in re.split(r"\n\s*\n", body):
            if words := " ".join(paragraph.split()):
                metadata = {"title": title[1].strip(), "source": file.name}
                found.append(Document(words, metadata=metadata))
    if not found:
        raise SetupError(f"There is nothing to answer from: put Markdown files into {folder}.")
    return found


def make_embeddings(name: str) -> Embeddings:
    """The embeddings of an id such as "openai:text-embedding-3-small".

    Raises:
        ValueError: it has no provider, or one that LangChain does not know.
    """
    if ":" not in name:
        raise ValueError("an id has the provider in front, as in openai:text-embedding-3-small")
    if not name.startswith("openai:"):
        return init_embeddings(name)
    # A server of your own often has one model, so the embeddings may have another address.
    url = os.environ.get("EMBEDDINGS_BASE_URL")
    # Without this check the server gets words; OpenAI's token numbers mean nothing to others.
    return init_embeddings(
        name, check_embedding_ctx_length=False, **({"base_url": url} if url else {})
    )


def make_search(documents: Sequence[Document], embeddings: Embeddings) -> Search:
    """The search over every sentence of the documents."""
    return Search([text for page in documents for text in titled(page, {})], embeddings)


def make_shop_agent(
    model: BaseChatModel, search: Search, book: OrderBook, memory: InMemorySaver
) -> Agent:
    """The agent with its three tools; an entry in this list is where yours go."""
    tools = [
        search_tool(search, THRESHOLD),
        order_tool(book.describe),
        refund_tool(book.pay),
    ]
    return make_agent(model, tools, memory)


def shop_orders(customer: str | None = None) -> OrderBook:
    """The order book of this folder.

    Raises:
        SetupError: it cannot be used, or it does not have this customer.
    """
    try:
        book = read_orders(ORDERS)
    except (OSError, ValueError) as error:
        raise SetupError(f"{ORDERS} cannot be used: {error}.") from error
    if customer is not None and customer not in book.customers:
        raise SetupError(
            f"{ORDERS} has no customer {customer}: it has {', '.join(book.customers)}."
        )
    return book


def shop_agent(book: OrderBook, memory: InMemorySaver) -> Agent:
    """The agent on the documents of this folder, with the models in MODEL and EMBEDDINGS.

    Raises:
        SetupError: one of them is not set or cannot be used, or no document can be read.
    """
    model = made("MODEL", "openai:gpt-4.1-mini", make_model)
    return make_shop_agent(model, _search(), book, memory)


def scores(search: Search, questions: Path) -> Iterator[str]:
    """A line for each question of a file: the best score, the question, the sentence found.

    Raises:
        SetupError: the file cannot be read, or has no questions.
    """
    try:
        asked = [line.strip() for line in questions.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{questions} cannot be read as UTF-8 text: {error}.") from error
    if not asked:
        raise SetupError(f"{questions} has no questions: write one a line.")
    found = [(best(search, question), question) for question in asked]
    for (sentence, score), question in sorted(found, key=lambda each: each[0][1], reverse=True):
        yield f"{score:.2f}  {question}  ->  {sentence}"


def chat(agent: Agent, caller: Caller, memory: InMemorySaver) -> None:
    """Answer each line in one conversation, until an empty one or the end of the input."""
    thread = str(uuid.uuid4())
    while text := _line():
        try:
            done = agent.invoke(
                {"messages": [("user", text)]},
                {"configurable": {"thread_id": thread}},
                context=caller,
            )
        except Exception as error:  # each provider has its own
            # The thread may end in a call without its result, after which no model goes on.
            memory.delete_thread(thread)
            print(f"No answer. {said(error)} The conversation begins again.", file=sys.stderr)
            continue
        # Not streamed: the middleware may replace what the model has written.
        print(done["messages"][-1].text)


def main(argv: Sequence[str] | None = None) -> int:
    """Chat, or print scores: 0 done, 2 something has to be put right first, 130 interrupted."""
    parser = argparse.ArgumentParser(description="Talk to your agent.")
    parser.add_argument("--customer", metavar="ID", help="who is logged in; without it, nobody")
    parser.add_argument("--scores", metavar="FILE", type=Path, help="print scores of questions")
    chosen = parser.parse_args(argv)
    try:
        if chosen.scores:
            for line in scores(_search(), chosen.scores):
                print(line)
            return 0
        memory = InMemorySaver()
        agent = shop_agent(shop_orders(chosen.customer), memory)
        print("Ask about the shop or an order. An empty line ends it.")
        chat(agent, Caller(chosen.customer), memory)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print()
        return 130
    return 0


def made(variable: str, example: str, make: Callable[[str], Made]) -> Made:
    """What `make` makes of the id in a variable.

    Raises:
        SetupError: it is not set, or cannot be used.
    """
    name = os.environ.get(variable, "")
    if not name:
        raise SetupError(f"Set {variable} to a model, for instance {example}.")
    try:
        return make(name)
    except Exception as error:  # no such provider, no key: each package has its own
        raise SetupError(
            f"{variable}={name} cannot be used. {said(error)} README.md says how to choose one."
        ) from error


def _search() -> Search:
    documents = read_documents(DOCUMENTS)
    return made(
        "EMBEDDINGS",
        "openai:text-embedding-3-small",
        lambda name: make_search(documents, make_embeddings(name)),
    )


def _line() -> str:
    """The next line that the person writes; empty at the end."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""
    except UnicodeDecodeError as error:
        raise SetupError("The input is no UTF-8 text.") from error


def said(error: BaseException) -> str:
    """An error in one line; lists of everything that is possible are left out."""
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first.rstrip('.')}."


if __name__ == "__main__":
    raise SystemExit(main())
