"""Your agent as a service on Ray: `python ray_main.py --build-index`, then `serve run serve.yaml`.

It answers from the documents, in as many processes as serve.yaml says. It has no orders: the order
book of chat.py is in one process's memory, and two replicas would pay the same order back twice.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ray.exceptions import RayError
from ray.serve import Application

import chat
from agent import titled
from chat import Made, SetupError, made, make_embeddings, read_documents, said
from main import make_model
from serve import known_customers
from serve_app import application, embedded, read_index, write_index

INDEX = Path(__file__).resolve().parent / "index"
BUILD = "`python ray_main.py --build-index` makes it"


def texts() -> list[dict[str, Any]]:
    """What the index finds: a row for each sentence of the documents.

    Raises:
        SetupError: there are no documents, or one cannot be read.
    """
    pages = read_documents(chat.DOCUMENTS)
    found = [text for page in pages for text in titled(page, {})]
    return [
        {"place": place, "text": text.page_content, "sentence": text.metadata["sentence"]}
        for place, text in enumerate(found)
    ]


def build_index(workers: int = 2) -> int:
    """Embed the documents in processes of Ray and write the index; return how many texts it has.

    Raises:
        SetupError: a document or the embeddings cannot be used, or a worker failed.
    """
    rows, embed = texts(), remade("EMBEDDINGS", "openai:text-embedding-3-small", make_embeddings)
    try:
        write_index(INDEX, embedded(rows, embed, workers))
    except (OSError, RayError) as error:
        raise SetupError(f"The index cannot be built. {reason(error)}") from error
    return len(rows)


def app(args: Mapping[str, str]) -> Application:
    """The application of serve.yaml: its `import_path` is `ray_main:app`.

    Raises:
        SetupError: a model, the index or the keys are missing; the message says what to do.
    """
    try:
        found, _ = read_index(INDEX)
        known = [row["sentence"] for row in found]
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        raise SetupError(f"{INDEX} has no index that can be read: {BUILD}.") from error
    if known != [row["sentence"] for row in texts()]:
        raise SetupError(f"{INDEX} has other texts than the documents: {BUILD} again.")
    return application(
        INDEX,
        remade("MODEL", "openai:gpt-4.1-mini", make_model),
        remade("EMBEDDINGS", "openai:text-embedding-3-small", make_embeddings),
        known_customers(),
    )


def remade(variable: str, example: str, make: Callable[[str], Made]) -> Callable[[], Made]:
    """A function that makes what a variable names, in any process; it is tried here once.

    Raises:
        SetupError: the variable is not set, or cannot be used.
    """
    made(variable, example, make)
    return partial(make, os.environ[variable])


def reason(error: Exception) -> str:
    """What a worker raised, in one line: Ray has it as the cause, or as the end of a traceback."""
    inner = getattr(error, "cause", None)
    while isinstance(inner, BaseException) and inner.__cause__ is not None:
        inner = inner.__cause__
    if isinstance(inner, BaseException):
        return said(inner)
    lines = str(error).split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), type(error).__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Build the index, or check all that the application needs: 2 where something is missing."""
    parser = argparse.ArgumentParser(description="Get ready for `serve run serve.yaml`.")
    parser.add_argument("--build-index", action="store_true", help="embed the documents")
    try:
        if parser.parse_args(argv).build_index:
            print(f"{build_index()} texts are in {INDEX}.")
        else:
            app({})
            print("Nothing is missing. Next: serve run serve.yaml")
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
