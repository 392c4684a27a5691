"""OpenAI's API, as far as a client needs it to use the agent."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from helpers.service.answer import Answer, Asked
from helpers.service.completions import (
    MODELS,
    ChunkEncoder,
    CompletionRequest,
    completion,
    conversation,
)
from helpers.service.errors import Problem
from helpers.service.routes.access import ANSWERING, JsonRoute, Key, Running, problems, within_caps
from helpers.service.streaming import EventStreamResponse
from helpers.service.turn import Turn

router = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["OpenAI-compatible"])

_COMPLETION = {
    "id": "chatcmpl-019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21",
    "object": "chat.completion",
    "created": 1764115200,
    "model": "fernhill-agent",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "It weighs 2.1 kg.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 96, "completion_tokens": 14, "total_tokens": 110},
}
_CHUNK = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764115200,'
    '"model":"plain","choices":[{"index":0,"delta":{"content":"It"},"logprobs":null,"finish_reason":null}]}\n\n'
    "data: [DONE]\n\n"
)


@router.post(
    "/chat/completions",
    response_class=Response,
    responses={
        200: {
            "description": "A chat completion, or its chunks where `stream` is set.",
            "content": {
                "application/json": {"schema": {"type": "object"}, "example": _COMPLETION},
                "text/event-stream": {"schema": {"type": "string"}, "example": _CHUNK},
            },
        },
        **ANSWERING,
        **problems(404),
    },
)
async def chat_completions(
    body: CompletionRequest, request: Request, parts: Running, key: Key
) -> Response:
    """Ask the agent by any client of OpenAI's API; the client keeps the conversation."""
    path = MODELS.get(body.model)
    if path is None or path not in parts.engines:
        known = ", ".join(name for name, way in MODELS.items() if way in parts.engines)
        raise Problem("unknown-model", f"Ask for one of {known}.")
    messages = conversation(body.messages, path)
    within_caps([message.text for message in messages], parts.settings)
    most = parts.settings.max_output_tokens
    turn = Turn(
        request_id=request.state.request_id,
        customer=key.customer,
        messages=messages,
        max_tokens=min(most, body.max_completion_tokens or body.max_tokens or most),
        temperature=body.temperature,
    )
    answer = Answer(parts, Asked(turn, path, key.id))
    if body.stream:
        usage = bool(body.stream_options and body.stream_options.include_usage)
        encode = ChunkEncoder(answer.request_id, body.model, include_usage=usage)
        return EventStreamResponse(answer, encode)
    await answer.whole(request.receive)
    return JSONResponse(completion(answer, body.model))


@router.head("/models", include_in_schema=False)
@router.get(
    "/models",
    responses={
        200: {
            "content": {
                "application/json": {
                    "example": {
                        "object": "list",
                        "data": [
                            {
                                "id": "fernhill-agent",
                                "object": "model",
                                "created": 0,
                                "owned_by": "fernhill",
                            }
                        ],
                    }
                }
            }
        },
        **problems(401, 503),
    },
)
async def models(parts: Running, key: Key) -> dict[str, Any]:
    """Who can be asked."""
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": 0, "owned_by": "fernhill"}
            for name, path in MODELS.items()
            if path in parts.engines
        ],
    }
