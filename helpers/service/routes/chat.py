"""`POST /v1/chat`, whole and streamed."""

from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from helpers.service.answer import Answer, Asked
from helpers.service.keys import HashedKey
from helpers.service.parts import Parts
from helpers.service.routes.access import ANSWERING, JsonRoute, Key, Running, within_caps
from helpers.service.schemas import ChatAnswer, ChatRequest
from helpers.service.streaming import EventStreamResponse
from helpers.service.turn import Message, Turn

router = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["chat"])

_STREAM = """\
event: start
data: {"request_id":"019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21","conversation_id":"c-1"}

event: tool
data: {"name":"search_documents","args":{"query":"weight of the Alta 2"},"status":"started"}

event: tool
data: {"name":"search_documents","args":{"query":"weight of the Alta 2"},"status":"ok"}

event: sources
data: {"passages":[{"document":"alta-2-tent","title":"Alta 2 tent","text":"...","score":0.97}]}

event: token
data: {"text":"It weighs"}

event: usage
data: {"input_tokens":96,"output_tokens":14,"cost_usd":0.0000061,"seconds":0.8}

event: done
data: {"request_id":"019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21","finish_reason":"stop"}

"""


def asked(body: ChatRequest, request_id: UUID, parts: Parts, key: HashedKey) -> Asked:
    """The turn that a request asks for. Raises `Problem` for one beyond the caps."""
    within_caps([body.message], parts.settings)
    turn = Turn(
        request_id=request_id,
        customer=key.customer,
        messages=(Message("user", body.message),),
        max_tokens=parts.settings.max_output_tokens,
    )
    return Asked(turn, parts.settings.path, key.id, body.conversation_id or uuid4().hex)


@router.post(
    "/chat", response_model=ChatAnswer, response_model_exclude_unset=True, responses=ANSWERING
)
async def chat(body: ChatRequest, request: Request, parts: Running, key: Key) -> object:
    """Ask the agent, and get its whole answer."""
    answer = Answer(parts, asked(body, request.state.request_id, parts, key))
    found = await answer.whole(request.receive)
    return {
        "request_id": answer.request_id,
        "conversation_id": answer.conversation_id,
        "answer": found.answer,
        "passages": found.passages,
        "tool_calls": found.tool_calls,
        "usage": answer.usage(),
    }


@router.post(
    "/chat/stream",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events: `start`, then `tool`, `sources`, `token` as they "
            "happen, then `usage` and `done`, or `error` with a problem document. Lines that begin "
            "with a colon keep the connection open.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _STREAM}},
        },
        **ANSWERING,
    },
)
async def chat_stream(body: ChatRequest, request: Request, parts: Running, key: Key) -> Response:
    """Ask the agent, and get its answer as it is written."""
    answer = Answer(parts, asked(body, request.state.request_id, parts, key))
    return EventStreamResponse(answer)
