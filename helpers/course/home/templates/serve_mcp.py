"""Serve your tools to any MCP client: `python serve_mcp.py --customer C-0042`, or `--http`.

Over stdio, standard output belongs to the protocol: print nothing there.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence

import uvicorn

import chat
from agent import Search, best
from chat import SetupError, made, shop_orders
from mcp_server import (
    ClearErrors,
    Found,
    OrderFacts,
    add_orders,
    add_search,
    customer_of_token,
    http_server,
)
from orders import OrderBook
from serve import known_customers

NAME = "shop"
"""What clients call the server."""


def document_search() -> Search:
    """The search over this folder's documents, with the embeddings in EMBEDDINGS.

    Raises:
        SetupError: it is not set or cannot be used, or no document can be read.
    """
    documents = chat.read_documents(chat.DOCUMENTS)
    return made(
        "EMBEDDINGS",
        "openai:text-embedding-3-small",
        lambda name: chat.make_search(documents, chat.make_embeddings(name)),
    )


def add_tools(
    server: ClearErrors, search: Search, book: OrderBook, who: Callable[[], str | None]
) -> None:
    """Give a server the shop's tools; add your own in this function."""

    def found(query: str) -> Found:
        sentence, score = best(search, query)
        return Found(text=sentence if score >= chat.THRESHOLD else None, score=score)

    def look_up(order_id: str, customer_id: str) -> OrderFacts | None:
        try:
            order = book.get(order_id, customer_id)
        except LookupError:
            return None
        return OrderFacts(
            order_id=order.id,
            status="delivered" if order.delivered else "on its way",
            items=order.items,
            paid=order.paid,
            refunded=order.refunded,
        )

    add_search(server, found)
    add_orders(server, look_up, who)


def stdio_server(customer: str | None) -> ClearErrors:
    """The server of one customer, for the client that starts this process.

    Raises:
        SetupError: there is no such customer, or the documents or orders cannot be used, or
            standard input or output is closed.
    """
    if sys.stdin is None or sys.stdout is None:
        raise SetupError("Standard input or output is closed: let an MCP client start this.")
    book = shop_orders(customer)
    server = ClearErrors(NAME, log_level="WARNING")
    add_tools(server, document_search(), book, lambda: customer)
    return server


def key_server() -> ClearErrors:
    """The server for everyone who has a key of serve.py, over HTTP.

    Raises:
        SetupError: nobody has a key, or the documents or orders cannot be used.
    """
    server = http_server(NAME, known_customers(), log_level="WARNING")
    add_tools(server, document_search(), shop_orders(), customer_of_token)
    return server


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until stopped. Returns 2 if something has to be set up or corrected first."""
    parser = argparse.ArgumentParser(description="Serve your tools to MCP clients.")
    parser.add_argument("--customer", metavar="ID", help="who is logged in; without it, nobody")
    parser.add_argument("--http", action="store_true", help="serve everyone who has a key, by HTTP")
    parser.add_argument("--port", type=int, default=8765)
    chosen = parser.parse_args(argv)
    try:
        if chosen.http:
            app = key_server().streamable_http_app()
            uvicorn.run(app, host="127.0.0.1", port=chosen.port, log_level="warning")
        else:
            server = stdio_server(chosen.customer)
            # A read of standard input cannot be cancelled: let Ctrl-C end the process at once.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            server.run("stdio")
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
