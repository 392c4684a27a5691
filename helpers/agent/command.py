"""`course ask`: one question to the agent, from a terminal."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

_LONGEST = 4000
"""Characters of a question: more does not fit the local model's context beside what it reads."""


def ask(argv: Sequence[str]) -> int:
    """Print the agent's answer, with what it rests on; 0 when there is one, else 1."""
    parser = argparse.ArgumentParser(
        prog="course ask", description="Ask the support agent of Fernhill one question."
    )
    parser.add_argument("question", help="what you would ask the shop, in quotes")
    parser.add_argument(
        "--customer",
        metavar="ID",
        help="who is logged in, such as C-0042: orders are shown to their customer only",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(argv)
    try:
        report = _report(options.question, options.customer)
    except (_Refused, _model_error()) as problem:
        print(f"course ask: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(report, ensure_ascii=False) if options.json else _as_text(report))
    return 0


class _Refused(Exception):  # noqa: N818 - it refuses, nothing is broken
    """The question cannot be asked; the message says what to do."""


def _model_error() -> type[Exception]:
    from helpers.models.errors import ModelError

    return ModelError


def _report(question: str, customer: str | None) -> dict[str, Any]:
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.messages.ai import UsageMetadata, add_usage

    from helpers.agent import Caller, Passage, build_agent
    from helpers.shop import open_orders

    if not question.strip():
        raise _Refused('the question is empty: write it in quotes, as in course ask "..."')
    if len(question) > _LONGEST:
        raise _Refused(
            f"the question has {len(question):,} characters: ask in at most {_LONGEST:,}"
        )
    orders = open_orders()
    if customer is not None:
        try:
            orders.customer(customer)
        except LookupError as unknown:
            raise _Refused(str(unknown.args[0])) from unknown
    agent = build_agent(orders=orders)
    start = time.perf_counter()
    state = agent.invoke(
        {"messages": [("user", question)]},
        {"configurable": {"thread_id": "ask"}},
        context=Caller(customer),
    )
    seconds = time.perf_counter() - start
    replies = [m for m in state["messages"] if isinstance(m, AIMessage)]
    usage: UsageMetadata | None = None
    for reply in replies:
        usage = add_usage(usage, reply.usage_metadata) if reply.usage_metadata else usage
    found = [
        passage
        for m in state["messages"]
        if isinstance(m, ToolMessage) and isinstance(m.artifact, list)
        for passage in m.artifact[:1]
        if isinstance(passage, Passage)
    ]
    return {
        "question": question,
        "answer": replies[-1].text,
        "passages": [
            {"document": p.document, "title": p.title, "text": " ".join(p.sentences)} for p in found
        ],
        "tools": [
            {"name": call["name"], "args": call["args"]} for r in replies for call in r.tool_calls
        ],
        "input_tokens": usage["input_tokens"] if usage else None,
        "output_tokens": usage["output_tokens"] if usage else None,
        "seconds": round(seconds, 2),
    }


def _as_text(report: dict[str, Any]) -> str:
    lines = [report["answer"], ""]
    for passage in report["passages"]:
        lines.append(f"passage: {passage['text']}  [{passage['title']}, {passage['document']}]")
    for call in report["tools"]:
        words = ", ".join(f"{name}={value!r}" for name, value in call["args"].items())
        lines.append(f"tool:    {call['name']}({words})")
    if report["input_tokens"] is not None:
        tokens = f"{report['input_tokens']} tokens read, {report['output_tokens']} written, "
    else:
        tokens = ""
    return "\n".join([*lines, f"cost:    {tokens}{report['seconds']:.1f} seconds"])


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"ask": ask}
