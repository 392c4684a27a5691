"""Asking the agent questions, one after another, and keeping everything that a score needs."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langgraph.pregel import Pregel

from helpers.agent import Caller, Passage
from helpers.models.errors import RequestTimedOut
from helpers.shop import Question

Status = Literal["ok", "error", "timeout"]
Progress = Callable[[Iterable[Question]], Iterable[Question]]


@dataclass(frozen=True)
class Call:
    """A tool call that the agent made, and what the tool said."""

    name: str
    args: Mapping[str, Any]
    result: str | None = None


@dataclass(frozen=True)
class Run:
    """What the agent did with one question.

    `documents` are the ids of the passages that its searches returned, best first, and `passages`
    their texts. `usage` adds up the tokens of all model calls. `cpu_seconds` is the CPU time of
    this process, in which the local model runs too (a hosted model's is not in it);
    `wall_seconds` the time that passed. `error` says what went wrong when `status` is not "ok".
    """

    question_id: str
    answer: str
    calls: tuple[Call, ...] = ()
    documents: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    usage: UsageMetadata | None = None
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    status: Status = "ok"
    error: str | None = None


def run(
    agent: Pregel[Any, Any, Any, Any],
    questions: Sequence[Question],
    *,
    progress: Progress = iter,
) -> list[Run]:
    """Ask each question in a conversation of its own, as the customer that the question names.

    `progress` may wrap the questions to show a bar (`tqdm` fits). What the agent raises ends that
    question alone: it becomes a run with `status` "timeout" or "error", never an answer.
    """
    return [ask(agent, question) for question in progress(questions)]


def ask(agent: Pregel[Any, Any, Any, Any], question: Question) -> Run:
    """Ask one question in a conversation of its own. See `run`."""
    cpu, wall = time.process_time(), time.perf_counter()
    messages: list[AnyMessage] = []
    status: Status = "ok"
    error = None
    try:
        state = agent.invoke(
            {"messages": [HumanMessage(question.question)]},
            config={"configurable": {"thread_id": f"{question.id}-{uuid.uuid4()}"}},
            context=Caller(question.customer),
        )
        messages = state["messages"]
    except Exception as problem:  # one question's failure is that question's result
        status = "timeout" if _is_timeout(problem) else "error"
        error = f"{type(problem).__name__}: {problem}"
    return read(
        question.id,
        messages,
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.perf_counter() - wall,
        status=status,
        error=error,
    )


def read(
    question_id: str,
    messages: Sequence[AnyMessage],
    *,
    cpu_seconds: float = 0.0,
    wall_seconds: float = 0.0,
    status: Status = "ok",
    error: str | None = None,
) -> Run:
    """Read a run off a conversation with one question: its calls, passages, tokens, answer."""
    results = {m.tool_call_id: m for m in messages if isinstance(m, ToolMessage)}
    replies = [m for m in messages if isinstance(m, AIMessage)]
    usage: UsageMetadata | None = None
    for reply in replies:
        usage = add_usage(usage, reply.usage_metadata) if reply.usage_metadata else usage
    found = [
        passage
        for result in results.values()
        if isinstance(result.artifact, (list, tuple))
        for passage in result.artifact
        if isinstance(passage, Passage)
    ]
    calls = tuple(
        Call(call["name"], call["args"], results[i].text if (i := call["id"]) in results else None)
        for reply in replies
        for call in reply.tool_calls
    )
    if status == "ok" and (not replies or replies[-1].tool_calls):
        status, error = "error", "The agent stopped without an answer."
    return Run(
        question_id=question_id,
        answer=replies[-1].text if status == "ok" else "",
        calls=calls,
        documents=tuple(dict.fromkeys(passage.document for passage in found)),
        passages=tuple(passage.text for passage in found),
        usage=usage,
        cpu_seconds=cpu_seconds,
        wall_seconds=wall_seconds,
        status=status,
        error=error,
    )


def _is_timeout(problem: BaseException | None) -> bool:
    """Whether a timeout is this error or behind it.

    HTTP clients and model providers each have a class of their own; what they share is the name.
    """
    while problem is not None:
        names = [base.__name__ for base in type(problem).__mro__]
        if isinstance(problem, (TimeoutError, RequestTimedOut)) or "Timeout" in " ".join(names):
            return True
        problem = problem.__cause__
    return False
