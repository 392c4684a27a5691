"""Decide whether your agent may be shipped: `python ship.py`."""

import argparse
import contextlib
import io
import json
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from langchain_core.messages import convert_to_openai_messages
from langgraph.checkpoint.memory import InMemorySaver
from langsmith import Client, evaluate, tracing_context, uuid7
from langsmith.schemas import Example
from pydantic import BaseModel, ConfigDict, ValidationError

import chat
from agent import Agent, Caller
from chat import SetupError, made, make_shop_agent, read_documents, said, shop_orders
from evals import Rules, calls_evaluator, gate, rate, scores_of, states_facts
from main import make_model

HERE = Path(__file__).parent
GOLDEN, RELEASED = HERE / "golden.jsonl", HERE / "released.json"

READS = frozenset({"search_documents", "lookup_order"})
"""Tools that only read: the agent may call them more often than a golden question says."""

RULES = Rules()
"""The limits of the gate. Change them before you look at a result, never after."""

Target = Callable[[dict[str, Any]], dict[str, Any]]


class Call(BaseModel):
    """A call that a right trajectory has; arguments that are not named may be anything."""

    model_config = ConfigDict(extra="forbid")

    name: str
    args: dict[str, Any]


class Golden(BaseModel):
    """One line of golden.jsonl; what is misspelt or missing is an error."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    question: str
    customer: str | None
    states: list[list[str]]
    never: list[str]
    calls: list[Call]


def read_golden(file: Path) -> list[Example]:
    """The golden questions.

    Raises:
        SetupError: the file cannot be read, breaks the form, is empty, or repeats a question.
    """
    found: dict[str, Example] = {}
    try:
        lines = file.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            one = Golden.model_validate_json(line).model_dump()
            if one["question"] in found:
                raise SetupError(f"{file.name}, line {number}: the question is there already.")
            found[one["question"]] = Example(
                id=uuid7(),
                inputs={name: one[name] for name in ("question", "customer")},
                outputs={name: one[name] for name in ("states", "never", "calls")},
                metadata={"kind": one["kind"]},
            )
    except ValidationError as error:
        raise SetupError(f"{file.name}, line {number}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{file} cannot be read: {error}.") from error
    if not found:
        raise SetupError(f"{file} has no questions: write one a line.")
    return list(found.values())


def target_of(new_agent: Callable[[], Agent]) -> Target:
    """The agent as a function of a golden question, with orders and a conversation of its own."""

    def ask(inputs: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        with tracing_context(enabled=False):
            state = new_agent().invoke(
                {"messages": [("user", inputs["question"])]},
                {"configurable": {"thread_id": str(uuid.uuid4())}},
                context=Caller(inputs["customer"]),
            )
        messages = convert_to_openai_messages(state["messages"])
        return {
            "answer": state["messages"][-1].text,
            "messages": messages,
            "seconds": time.perf_counter() - began,
        }

    return ask


def shop_target() -> Target:
    """The agent of chat.py, with the models in MODEL and EMBEDDINGS.

    Raises:
        SetupError: one of them is not set or cannot be used, or no document can be read.
    """
    documents = read_documents(chat.DOCUMENTS)
    model = made("MODEL", "openai:gpt-4.1-mini", make_model)
    search = made(
        "EMBEDDINGS",
        "openai:text-embedding-3-small",
        lambda name: chat.make_search(documents, chat.make_embeddings(name)),
    )
    return target_of(lambda: make_shop_agent(model, search, shop_orders(), InMemorySaver()))


def run(target: Target, examples: Sequence[Example]) -> tuple[pd.DataFrame, list[str]]:
    """Each question's scores, and a line for each that is not right, which says why.

    Nothing is sent to LangSmith.
    """
    offline = Client(
        api_url="http://127.0.0.1:9", api_key="none", info={}, auto_batch_tracing=False
    )
    with _quiet():
        results = evaluate(
            target,
            data=list(examples),
            evaluators=[states_facts, calls_evaluator(READS)],
            client=offline,
            upload_results=False,
            max_concurrency=0,
        )
    wrong = []
    for result in results:
        why = [one.comment for one in result["evaluation_results"]["results"] if not one.score]
        if error := result["run"].error:
            why = [error.splitlines()[0]]
        if why:
            asked = (result["example"].inputs or {})["question"]
            wrong.append(f"{asked} {'; '.join(map(str, why))}")
    return scores_of(results, len(examples)), wrong


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without LangSmith's notices and its bar; what goes wrong is in the results."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", ".*upload_results.*")
        yield


def read_released(file: Path) -> pd.DataFrame | None:
    """The scores of the released version; None where nothing was released yet.

    Raises:
        SetupError: the file cannot be used.
    """
    if not file.exists():
        return None
    try:
        rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
        return pd.DataFrame(rows).set_index("question")
    except (OSError, ValueError, KeyError) as error:
        raise SetupError(f"{file} cannot be used: {said(error)} Restore it from git.") from error


def report(before: pd.DataFrame | None, after: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The gate's table in lines, and the reasons to stop.

    Raises:
        SetupError: the released version answered other questions.
    """
    try:
        table = gate(before, after, RULES)
    except (ValueError, KeyError) as error:
        raise SetupError(
            f"{said(error)} Where golden.jsonl has changed, check out the released version, "
            "with the new golden.jsonl, and run python ship.py --keep there."
        ) from error
    lines, reasons = [f"right answers: {rate(after['states_facts'])}"], []
    for rule, value, bound, limit, passes in table.itertuples(index=False):
        line = f"{rule:<28}{value:8.2f}  {bound} {limit:g}"
        lines.append(f"{'passes' if passes else 'STOPS':<8}{line}")
        if not passes:
            reasons.append(f"{rule}: {value:.2f}, {bound} {limit:g} is needed")
    return lines, reasons


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gate. Returns 0: it may ship, 1: it is stopped, 2: the set-up has an error."""
    parser = argparse.ArgumentParser(description="Decide whether the agent may be shipped.")
    parser.add_argument(
        "--keep", action="store_true", help="keep the results as those of the released version"
    )
    options = parser.parse_args(argv)
    try:
        before, examples = read_released(RELEASED), read_golden(GOLDEN)
        if before is None and not options.keep:
            raise SetupError(
                f"There is no {RELEASED.name} to compare with. For the first release run "
                "python ship.py --keep, read what is wrong, and commit the file."
            )
        after, wrong = run(shop_target(), examples)
        lines, reasons = report(before, after)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 2
    for line in [*wrong, "", *lines]:
        print(line)
    if reasons:
        print("Stopped.", *reasons, sep="\n- ", file=sys.stderr)
        return 1
    if options.keep:
        rows = after.reset_index().to_dict("records")
        RELEASED.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
        print(f"{RELEASED.name} has these results now: commit it with the release.")
    else:
        print("It may be shipped.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
