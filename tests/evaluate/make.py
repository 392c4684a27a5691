"""Questions and runs for the tests of this room, with what a test does not care about filled in."""

from typing import Any

from langchain_core.messages.ai import UsageMetadata

from helpers.evaluate.runs import Call, Run, Status
from helpers.shop import Question, ToolCall


def question(number: int = 1, **given: Any) -> Question:
    """A single-fact question whose answer is 30 days, unless told otherwise."""
    kind = given.get("kind", "single_fact")
    fields: dict[str, Any] = {
        "id": f"dev-{kind}-{number:03d}",
        "kind": kind,
        "question": "How long do I have to return a tent?",
        "customer": None,
        "document": None if kind == "unanswerable" else "returns",
        "order": None,
        "required": () if kind == "unanswerable" else (("30 days",),),
        "forbidden": (),
        "tools": (ToolCall("search_documents"),),
    }
    return Question(**(fields | given))


def run(
    answer: str = "You have 30 days.",
    *calls: Call,
    question_id: str = "dev-single_fact-001",
    status: Status = "ok",
    cpu_seconds: float = 1.0,
    tokens: tuple[int, int] | None = (100, 10),
) -> Run:
    """A run that searched once, unless told otherwise."""
    return Run(
        question_id=question_id,
        answer=answer if status == "ok" else "",
        calls=calls or (Call("search_documents", {"query": "return a tent"}),),
        usage=None
        if tokens is None
        else UsageMetadata(
            input_tokens=tokens[0], output_tokens=tokens[1], total_tokens=sum(tokens)
        ),
        cpu_seconds=cpu_seconds,
        wall_seconds=cpu_seconds,
        status=status,
        error=None if status == "ok" else "APITimeoutError: no answer within 60 s",
    )
