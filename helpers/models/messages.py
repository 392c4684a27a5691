"""Between LangChain's messages and what the local model reads and says."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from helpers.models import decoding
from helpers.models.arguments import Call
from helpers.models.calls import Ask, last_human
from helpers.models.local import CHAT_MODEL


def rendered(
    messages: Sequence[BaseMessage], results_prompt: str, system_prompt: str
) -> list[BaseMessage]:
    """The conversation as the model's chat template takes it: no tools, no tool turns.

    Args:
        messages: the conversation.
        results_prompt: the last user turn where tools have answered, with the places `{results}`
            and `{question}`.
        system_prompt: the system prompt of a conversation that has none.
    """
    last = last_human(messages)
    results = [m.text for m in messages[last:] if isinstance(m, ToolMessage)]
    turns: list[BaseMessage] = []
    if not any(isinstance(message, SystemMessage) for message in messages):
        turns.append(SystemMessage(system_prompt))
    for place, message in enumerate(messages):
        if place == last and results:
            text = results_prompt.format(results="\n\n".join(results), question=message.text)
            turns.append(HumanMessage(text))
        elif isinstance(message, AIMessage):
            if message.text and not message.tool_calls:
                turns.append(AIMessage(message.text))
        elif not isinstance(message, ToolMessage):
            turns.append(message)
    return turns


def as_result(decision: Call | Ask, reply: ChatResult | None) -> ChatResult:
    """A tool call, or a question back, as the answer of a model."""
    usage = UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
    calls = []
    if isinstance(decision, Call):
        decoded: dict[str, Any] = {}
        if reply is not None:
            written = reply.generations[0].message
            decoded = decoding.parse(decision, written.text)
            usage = getattr(written, "usage_metadata", None) or usage
        identity = f"call_{uuid.uuid4().hex[:24]}"
        arguments = decision.complete(decoded)
        calls = [{"name": decision.card.name, "args": arguments, "id": identity}]
    message = AIMessage(
        content=decision.text if isinstance(decision, Ask) else "",
        tool_calls=calls,
        usage_metadata=usage,
        response_metadata={
            "finish_reason": "tool_calls" if calls else "stop",
            "model_name": CHAT_MODEL,
            "model_provider": "openai",
        },
    )
    return ChatResult(generations=[ChatGeneration(message=message)])


def as_chunk(result: ChatResult) -> ChatGenerationChunk:
    """The same message as the one chunk of a stream."""
    message = result.generations[0].message
    assert isinstance(message, AIMessage)
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=message.content,
            tool_call_chunks=[
                {
                    "name": call["name"],
                    "args": json.dumps(call["args"], ensure_ascii=False),
                    "id": call["id"],
                    "index": 0,
                    "type": "tool_call_chunk",
                }
                for call in message.tool_calls
            ],
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
            chunk_position="last",
        )
    )
