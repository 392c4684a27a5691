"""Runs the requests of `prompts/` through the local model and counts right calls."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool

from helpers.models.arguments import Call
from helpers.models.calls import decide
from helpers.models.chat import LocalChatModel

PROMPTS = Path(__file__).parent / "prompts"
KINDS = {0: "no tool", 1: "one tool", 2: "two tools"}


@dataclass
class Count:
    """How many requests of each kind there were, and how many got the right tools in order."""

    asked: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    arguments: int = 0
    arguments_right: int = 0
    mistakes: list[str] = field(default_factory=list)


def calls_for(text: str, tools: Sequence[BaseTool]) -> list[dict[str, Any]]:
    """All calls that the local model makes for one request, in order."""
    bound: Any = LocalChatModel().bind_tools(tools)
    messages: list[BaseMessage] = [HumanMessage(text)]
    calls: list[dict[str, Any]] = []
    # `decide` is asked first only to save the final answer, which nobody reads here.
    while isinstance(decide(messages, bound.kwargs["tools"], None), Call):
        message: AIMessage = bound.invoke(messages)
        if not message.tool_calls:
            break
        call = message.tool_calls[0]
        calls.append({"name": call["name"], "args": call["args"]})
        messages += [message, ToolMessage("done", tool_call_id=call["id"])]
    return calls


def _same(wanted: object, got: object) -> bool:
    if isinstance(wanted, str) and isinstance(got, str):
        # "next Thursday" for "Thursday" is right; half the request is not.
        return wanted.lower() in got.lower() and len(got) <= len(wanted) + 10
    return wanted == got


def measure(name: str, tools: Sequence[BaseTool]) -> Count:
    """Run one file of requests."""
    count = Count()
    for line in (PROMPTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        wanted, kind = row["calls"], KINDS[len(row["calls"])]
        got = calls_for(row["text"], tools)
        count.asked[kind] += 1
        if [call["name"] for call in wanted] != [call["name"] for call in got]:
            count.mistakes.append(f"{row['text']!r}: {got}")
            continue
        count.right[kind] += 1
        for one, other in zip(wanted, got, strict=True):
            for key, value in one["args"].items():
                count.arguments += 1
                if _same(value, other["args"].get(key)):
                    count.arguments_right += 1
                else:
                    count.mistakes.append(f"{row['text']!r}: {other}")
    return count
