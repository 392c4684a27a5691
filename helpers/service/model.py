"""Which model answers: the course's own, or an OpenAI-compatible server of one's own."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from langchain_core.language_models import BaseChatModel

from helpers.models import chat_model
from helpers.models.providers import hosted_chat_model
from helpers.service.settings import Settings


@dataclass(frozen=True)
class Upstream:
    """The model, and how to reach it.

    Attributes:
        model: makes the LangChain chat model; called once for each path that needs one.
        name: the model's name at its server.
        url: its server's base URL, None where it speaks another API than OpenAI's.
        priced_as: its name in the price table, None where it has no price.
        key: for the server.
        in_process: whether it runs in this process, so that asking it costs nothing.
        system: the system prompt of a conversation that brings none.
        extra: more fields of each request to the server.
    """

    model: Callable[[], BaseChatModel]
    name: str
    url: str | None = None
    priced_as: str | None = None
    key: str | None = None
    in_process: bool = False
    system: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def connect(settings: Settings, client: httpx2.AsyncClient) -> Upstream:
    """The model that the settings, or else `COURSE_MODEL`, name. The local one is started.

    Raises `helpers.models.errors.ModelError` when it cannot be had.
    """
    if settings.upstream_url is not None:
        return _server(settings, settings.upstream_url, client)
    name = os.environ.get("COURSE_MODEL", "").strip() or "local"
    if name == "local":
        return _local(settings, client)
    return Upstream(
        model=lambda: chat_model(max_tokens=settings.max_output_tokens), name=name, priced_as=name
    )


def _server(settings: Settings, url: str, client: httpx2.AsyncClient) -> Upstream:
    key = settings.upstream_key.get_secret_value() if settings.upstream_key else None

    def model() -> BaseChatModel:
        return hosted_chat_model(
            f"openai:{settings.upstream_model}",
            base_url=url,
            api_key=key or "none",
            http_async_client=client,
            max_retries=0,  # the client's transport does it
            **_waiting(client),
            max_tokens=settings.max_output_tokens,
            stream_usage=True,
            use_responses_api=False,
        )

    return Upstream(model=model, name=settings.upstream_model, url=url, key=key)


def _local(settings: Settings, client: httpx2.AsyncClient) -> Upstream:
    from helpers.models.chat import LocalChatModel
    from helpers.models.local import CHAT_MODEL, chat_server

    server = chat_server()
    return Upstream(
        model=lambda: chat_model(
            max_tokens=settings.max_output_tokens,
            http_async_client=client,
            **_waiting(client),
        ),
        name=CHAT_MODEL,
        url=server.url,
        priced_as="local",
        in_process=True,
        # What `LocalChatModel` sends too, so that both ways give the same words.
        system=LocalChatModel.model_fields["default_system_prompt"].default,
        extra={
            "temperature": 0,
            "seed": server.settings.seed,
            "cache_prompt": server.settings.prompt_cache,
        },
    )


def _waiting(client: httpx2.AsyncClient) -> dict[str, Any]:
    """How long to wait for the model: what the HTTP client does, and nothing else.

    OpenAI's library would put ten minutes in place of the client's own timeouts, and LangChain
    would watch every chunk by a timer: a sixth of what a streamed answer of the agent costs.
    """
    return {"timeout": client.timeout, "stream_chunk_timeout": None}
