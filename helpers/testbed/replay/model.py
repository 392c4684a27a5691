"""A hosted model as the agent sees it: it chooses a tool by words, and repeats what the tool said.

It writes next to nothing of its own, so an answer is as right as what search and order book
returned; what else goes wrong in a replay is what an incident has put there. Like any model, it
adds an invention now and then, and a few calls fail, so that a clean day is no empty one. Its pace
is a hosted model's: a log-normal time to the first token, then one pause a token.
"""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import PrivateAttr

from helpers.models.errors import Unreachable
from helpers.testbed.models import ModelInPieces, Written

_ORDER = re.compile(r"\bFH-\d{5}\b", re.IGNORECASE)
_MONEY_BACK = re.compile(r"\b(?:refund|money back|pay back)\b", re.IGNORECASE)
_PERSON = re.compile(
    r"\b(?:a person|human|real person|adviser|your team|of staff)\b", re.IGNORECASE
)
_FIRST_TOKEN_S, _SPREAD = 0.35, 0.45
_TOKEN_S = 0.018
_TOKENS_A_WORD = 1.3
_INSTRUCTIONS = 380
"""Tokens of system prompt and tools, which go with every call."""
_CHUNK = 8
"""Words that arrive at once: each chunk costs the service CPU time, also in a replay."""
_LONGEST_QUERY = 300

SLIPS, FAILING = 0.015, 0.0007
"""Of the answers, and of the calls, on a clean day."""

INVENTED = (
    "It also comes with a free service every 18 months at any of our 45 partner workshops.",
    "Members of the Summit Club get a further 15 per cent off until 31 October.",
    "You can also collect it at our new shop in Inverness, which opens at 7 am.",
    "Our founder Ailsa Drummond answers every complaint within 6 hours.",
)
"""What no document says."""

Rewrite = Callable[[str, str], str]
"""From the question and the right answer to what the model writes instead."""


class SupportModel(ModelInPieces):
    """See the module.

    Attributes:
        seed: of its pace, and of which calls fail.
        slower: every pause takes so many times as long.
        failing: share of its calls that nobody answers.
        invents: share of its answers from tools that go on after the facts.
        rewrite: changes its answers, where it is set.
    """

    model_name: str = "support-model"
    seed: int = 0
    slower: float = 1.0
    failing: float = FAILING
    invents: float = SLIPS
    rewrite: Rewrite | None = None
    _random: Random = PrivateAttr()
    _calls: int = PrivateAttr(default=0)

    def model_post_init(self, context: Any, /) -> None:
        """Begin its chances."""
        super().model_post_init(context)
        self._random = Random(self.seed)

    def _written(self, messages: list[BaseMessage], **kwargs: Any) -> Written:
        return self.written(messages, tools=bool(kwargs.get("tools")))

    def written(self, messages: Sequence[BaseMessage], *, tools: bool) -> Written:
        """Pauses and chunks of one answer; `tools` says whether it may call one."""
        self._calls += 1
        first = self._random.lognormvariate(0, _SPREAD) * _FIRST_TOKEN_S * self.slower
        if self._random.random() < self.failing:
            raise Unreachable("Nobody answers at the model's address: see whether it runs.")
        question = next((m.text for m in reversed(messages) if isinstance(m, HumanMessage)), "")
        results = _results(messages)
        yield first, None
        if tools and not results:
            pieces = [AIMessageChunk(content="", tool_call_chunks=[self._call(question)])]
            wrote, reason = 24, "tool_calls"
        else:
            answer = self._answer(question, results)
            words = re.findall(r"\S+\s*", answer)
            pieces = [
                AIMessageChunk(content="".join(words[at : at + _CHUNK]))
                for at in range(0, len(words), _CHUNK)
            ]
            wrote, reason = round(len(words) * _TOKENS_A_WORD), "stop"
        for piece in pieces:
            yield _TOKEN_S * self.slower * wrote / len(pieces), ChatGenerationChunk(message=piece)
        read = sum(len(message.text.split()) for message in messages)
        read = round(read * _TOKENS_A_WORD) + _INSTRUCTIONS
        last = AIMessageChunk(
            content="",
            usage_metadata=UsageMetadata(
                input_tokens=read, output_tokens=wrote, total_tokens=read + wrote
            ),
            response_metadata={"finish_reason": reason},
            chunk_position="last",
        )
        yield None, ChatGenerationChunk(message=last)

    def _call(self, question: str) -> Any:
        name, args = chosen_call(question)
        return tool_call_chunk(
            name=name, args=json.dumps(args), id=f"call_{self.seed}_{self._calls}", index=0
        )

    def _answer(self, question: str, results: list[str]) -> str:
        if not results:
            return "Hello! I know Fernhill's goods, deliveries and orders."
        answer = " ".join(results)
        if self.rewrite:
            answer = self.rewrite(question, answer)
        if self._random.random() < self.invents:
            answer = f"{answer} {self._random.choice(INVENTED)}"
        return answer


def chosen_call(question: str) -> tuple[str, dict[str, str]]:
    """The tool that the model calls for a question, and with which arguments."""
    order = _ORDER.search(question)
    if order and _MONEY_BACK.search(question):
        return "issue_refund", {"order_id": order[0].upper()}
    if order:
        return "lookup_order", {"order_id": order[0].upper()}
    if _PERSON.search(question):
        return "hand_over", {"reason": question[:_LONGEST_QUERY]}
    # The end of a long message is where the question is.
    return "search_documents", {"query": question[-_LONGEST_QUERY:]}


def _results(messages: Sequence[BaseMessage]) -> list[str]:
    """What the tools have said since the person's last message."""
    found: list[str] = []
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            found.insert(0, message.text)
        elif not isinstance(message, AIMessage):
            break
    return found
