"""The subjects that share this course's packages, each a process of its own.

    python -m tests.benchmarks.service.subjects NAME UPSTREAM PORT

- `proxy`: passes bytes through, the least that anything between client and model can cost.
- `route`: a bare FastAPI route that streams from one shared LangChain chat model.
- `service`: this course's service, everything on; the plain path (the same model without the
  agent) and the agent path (Fernhill's agent) are two of its models.
- `service_by_langchain`: the same with `passthrough` off.
- `create_agent`: a bare route that streams from LangChain's `create_agent` without tools.
- `fernhill`: a bare route that streams from Fernhill's agent (`helpers.agent`).

Every model call goes to UPSTREAM, an OpenAI-compatible base URL.
"""

import hashlib
import json
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI

MOST_TOKENS = 32
CUSTOMER = "C-0001"
_SECRET = "benchmark"
CUSTOMER_KEY = f"fh_{'0' * 12}_{_SECRET}"
PATH = "/v1/chat/completions"


def _model(upstream: str) -> BaseChatModel:
    return ChatOpenAI(
        base_url=upstream,
        api_key="none",
        model="local",
        temperature=0,
        max_completion_tokens=MOST_TOKENS,
        stream_usage=True,
    )


def _event(text: str) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"


def proxy(upstream: str) -> FastAPI:
    """Bytes in, bytes out."""
    import httpx

    app = FastAPI()
    client = httpx.AsyncClient(timeout=120)

    @app.post(PATH)
    async def chat(request: Request) -> StreamingResponse:
        body = await request.body()
        sent = client.build_request(
            "POST",
            f"{upstream}/chat/completions",
            content=body,
            headers={"content-type": "application/json"},
        )
        reply = await client.send(sent, stream=True)

        async def passed() -> AsyncIterator[bytes]:
            try:
                async for chunk in reply.aiter_raw():
                    yield chunk
            finally:
                await reply.aclose()

        return StreamingResponse(passed(), media_type="text/event-stream")

    return app


def route(upstream: str) -> FastAPI:
    """A route around the chat model."""
    app, model = FastAPI(), _model(upstream)

    @app.post(PATH)
    async def chat(body: dict[str, Any]) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            async for chunk in model.astream(body["messages"]):
                yield _event(str(chunk.text))
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


def _around(agent: Any, context: Any) -> FastAPI:
    app = FastAPI()

    @app.post(PATH)
    async def chat(body: dict[str, Any]) -> StreamingResponse:
        thread: RunnableConfig = {"configurable": {"thread_id": str(uuid.uuid4())}}

        async def events() -> AsyncIterator[str]:
            async for chunk, _ in agent.astream(
                {"messages": body["messages"]}, thread, stream_mode="messages", context=context
            ):
                yield _event(str(chunk.text))
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


def create_agent(upstream: str) -> FastAPI:
    """A route around LangChain's agent."""
    from langchain.agents import create_agent as made

    return _around(made(_model(upstream)), None)


def fernhill(upstream: str) -> FastAPI:
    """A route around Fernhill's agent."""
    from helpers.agent import Caller, build_agent

    return _around(build_agent(model=_model(upstream)), Caller(CUSTOMER))


def service(upstream: str, *, passthrough: bool = True) -> FastAPI:
    """This course's service; the request's model says which path answers."""
    from helpers.service import HashedKey, Settings, create_app

    key = HashedKey(
        id="0" * 12, sha256=hashlib.sha256(_SECRET.encode()).hexdigest(), customer=CUSTOMER
    )
    return create_app(
        Settings(
            keys=(key,),
            upstream_url=upstream,
            upstream_model="local",
            passthrough=passthrough,
            max_output_tokens=MOST_TOKENS,  # the agent path has no other bound
            # Limits that are checked but never reached: a refusal would look fast.
            rate="1000000/minute",
            daily_tokens=10**9,
            running=8,
            waiting=64,
            per_customer=64,
            wait_seconds=60,
        )
    )


def service_by_langchain(upstream: str) -> FastAPI:
    """The service whose plain path streams through LangChain's chat model too."""
    return service(upstream, passthrough=False)


SUBJECTS = {
    "proxy": proxy,
    "route": route,
    "create_agent": create_agent,
    "fernhill": fernhill,
    "service": service,
    "service_by_langchain": service_by_langchain,
}


def main() -> None:
    """Serve one subject until the benchmark ends this process."""
    name, upstream, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    app = SUBJECTS[name](upstream)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
