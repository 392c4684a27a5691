"""Serve your agent over HTTP: `python serve.py`. A key: `python serve.py --new-key C-0042`."""

import argparse
import json
import logging
import math
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field, TypeAdapter, ValidationError

from chat import SetupError, shop_agent, shop_orders
from measure import make_measured_app, prices
from service import SILENCE_S, digest
from thrifty import thrifty_agent

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Customer = Annotated[str, Field(min_length=1)]
CUSTOMERS = TypeAdapter(dict[Digest, Customer])

NEW_KEY = "`python serve.py --new-key C-0042` makes one"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, and what was logged."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
        }
        said = record.getMessage()
        try:
            found = json.loads(said)
        except ValueError:
            found = said
        line |= found if isinstance(found, dict) else {"message": said}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up_logging() -> None:
    """Send what the service logs to standard output, as JSON lines.

    Raises:
        SetupError: LOG_LEVEL is no level.
    """
    level = os.environ.get("LOG_LEVEL") or "info"
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("service")
    try:
        log.setLevel(level.upper())
    except ValueError:
        raise SetupError(
            f"LOG_LEVEL={level} is no level: set it to debug, info, warning or error."
        ) from None
    log.handlers = [handler]
    log.propagate = False


def keys_file() -> Path:
    """Where the keys' digests are: the file that KEYS names, else keys.json beside this one."""
    return Path(os.environ.get("KEYS") or Path(__file__).with_name("keys.json"))


def read_customers(file: Path) -> dict[str, str]:
    """The customers by the digests of their keys; none where there is no file.

    Raises:
        SetupError: it cannot be read, or has something else.
    """
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from error
    return customers_of(text, str(file))


def customers_of(text: str | bytes, where: str) -> dict[str, str]:
    """The customers by the digests of their keys, from JSON.

    Raises:
        SetupError: it is something else; the message says where it came from.
    """
    try:
        return CUSTOMERS.validate_json(text)
    except ValidationError:  # its message may show a key that was written there by mistake
        raise SetupError(
            f"{where} has to be a JSON object from the SHA-256 of a key to a customer: correct it, "
            f"or delete it and make keys again; {NEW_KEY}."
        ) from None


def known_customers() -> dict[str, str]:
    """Everyone who has a key, by its digest.

    Raises:
        SetupError: nobody has one, or the file of keys cannot be used.
    """
    file = keys_file()
    # A container has no file: KEYS_JSON is the text that the file would have.
    text = os.environ.get("KEYS_JSON")
    customers = customers_of(text, "KEYS_JSON") if text else read_customers(file)
    if customers:
        return customers
    raise SetupError(f"{'KEYS_JSON' if text else file} has no key: {NEW_KEY}.")


def new_key(customer: str) -> str:
    """A key for a customer of the order book; the file of keys gets its digest only.

    Raises:
        SetupError: there is no such customer, or the file cannot be read or written.
    """
    shop_orders(customer)
    file, key = keys_file(), secrets.token_urlsafe(32)
    customers = {**read_customers(file), digest(key): customer}
    written = file.with_name(f"{file.name}.new")
    try:
        written.write_text(json.dumps(customers, indent=2) + "\n", "utf-8")
        written.replace(file)  # in one step: no key is lost where the disk is full
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}.") from error
    return key


def create_app() -> FastAPI:
    """The service of the agent in chat.py, or in thrifty.py, for everyone who has a key.

    Raises:
        SetupError: there are no keys or no model, or a price is none; the message says what to do.
    """
    customers, usd = known_customers(), prices()
    book, memory, budget = shop_orders(), InMemorySaver(), os.environ.get("BUDGET_USD")
    agent = thrifty_agent(book, memory, budget, usd) if budget else shop_agent(book, memory)
    set_up_logging()
    return make_measured_app(agent, customers, usd)


def app() -> FastAPI:
    """The service for another server: `uvicorn serve:app --factory`."""
    try:
        return create_app()
    except SetupError as problem:
        raise SystemExit(str(problem)) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until it is stopped, or make a key: 2 where something has to be put right first."""
    parser = argparse.ArgumentParser(description="Serve your agent over HTTP.")
    parser.add_argument("--new-key", metavar="CUSTOMER", help="print a new key of a customer")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args(argv)
    try:
        if chosen.new_key is not None:
            print(new_key(chosen.new_key))
            print("Keep it: it is not shown again. Now restart the service.", file=sys.stderr)
            return 0
        served = create_app()
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 2
    # Who is reading when the service has to stop gets the rest of the answer.
    patience = math.ceil(SILENCE_S)
    uvicorn.run(
        served,
        host=chosen.host,
        port=chosen.port,
        access_log=False,  # the service has its own line for each answer
        timeout_graceful_shutdown=patience,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
