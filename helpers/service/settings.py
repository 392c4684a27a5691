"""What can be set about the service, by arguments or `COURSE_SERVICE_*` variables."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from limits import parse
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from helpers.service.keys import HashedKey
from helpers.service.turn import AnswerPath

Count = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """The service's settings.

    A value that cannot be used is refused when the object is made, before anything starts.
    """

    model_config = SettingsConfigDict(
        env_prefix="COURSE_SERVICE_",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # an address may hold a password
    )

    path: AnswerPath = "agent"
    """Who answers `/v1/chat`: the agent, or the model alone; then no agent is made."""
    upstream_url: str | None = None
    """The base URL of an OpenAI-compatible server, instead of `COURSE_MODEL`."""
    upstream_model: str = "default"
    """The model to ask for at `upstream_url`."""
    upstream_key: SecretStr | None = None
    """The key that `upstream_url` wants."""
    price_as: str | None = None
    """The model whose price the tokens at `upstream_url` have; without it `cost_usd` is null."""
    passthrough: bool = True
    """The plain path by HTTP alone where the model speaks OpenAI's API, instead of by LangChain."""

    keys: tuple[HashedKey, ...] = ()
    """The keys that open the service."""
    keys_file: Path | None = None
    """More of them, in a file made by `course serve --issue`."""

    store: Annotated[str, Field(repr=False)] = "memory://"
    """Where requests and tokens are counted: memory://, or redis://HOST:PORT/0 for several
    processes."""
    rate: str = "60/minute"
    """Requests of one customer, as the library `limits` writes it."""
    daily_tokens: Count = 200_000
    """Tokens of one customer in one day, by UTC."""

    max_connections: Count = 1000
    """At the same time; also at most half of the descriptors that the system grants."""
    max_head_bytes: Count = 16_384
    """Bytes of a request's line and headers."""
    head_seconds: Seconds = 10
    """For line and headers to arrive."""
    max_body_bytes: Count = 65_536
    """Bytes of a request's body."""
    body_seconds: Seconds = 10
    """For the whole body to arrive."""
    max_characters: Count = 4000
    """Characters of one message."""
    max_messages: Count = 40
    """Messages of one request, and of one conversation."""
    max_input_tokens: Count = 3000
    """Tokens of all messages of a request, as estimated before any model work."""
    max_output_tokens: Count = 160
    """Tokens of one answer."""
    agent_tokens: Count = 1000
    """Tokens reserved for what the agent adds to a request: prompt, results, further calls."""

    running: Count = 4
    """Requests that are answered at the same time."""
    waiting: Annotated[int, Field(ge=0)] = 16
    """Requests that wait for their turn."""
    wait_seconds: Seconds = 10
    """For which a request waits at most."""
    per_customer: Count = 8
    """Running and waiting requests of one customer."""
    deadline_seconds: Seconds = 120
    """For a whole request, waiting included."""
    max_conversations: Count = 10_000
    """Conversations that are kept; the least recent one is forgotten first."""

    attempts: Count = 3
    """Tries to send a request to the model, as long as no answer has begun."""
    connect_seconds: Seconds = 5
    """For a connection to the model."""
    silence_seconds: Seconds = 60
    """Without a word from the model."""
    breaker_failures: Count = 5
    """Failures of the model in a row that open the circuit."""
    breaker_seconds: Seconds = 15
    """For which the circuit stays open."""

    ping_seconds: Seconds = 15
    """Between two signs of life in a stream."""
    shutdown_seconds: Count = 30
    """Seconds that streams get to finish after SIGTERM."""
    log_messages: bool = False
    """Whether logs hold what was asked and answered."""
    feedback_file: Path | None = None
    """Where feedback is kept, as JSON lines; without it, it is counted only."""

    @field_validator("rate")
    @classmethod
    def _rate(cls, value: str) -> str:
        try:
            parse(value)
        except ValueError as error:
            raise ValueError(f"{value!r} is no rate: write it as in 60/minute.") from error
        return value

    @field_validator("store")
    @classmethod
    def _store(cls, value: str) -> str:
        if not value.startswith(("memory://", "redis://", "rediss://")):
            raise ValueError("It is no store: write memory:// or redis://HOST:PORT/0.")
        try:
            found = urlsplit(value)
            readable = found.port != 0 and "@" not in found.path + found.query + found.fragment
        except ValueError:
            readable = False
        if not readable:
            raise ValueError(
                "It cannot be read: write redis://NAME:PASSWORD@HOST:PORT/0, and / # ? @ : of a "
                "password as %2F %23 %3F %40 %3A."
            )
        return value

    @field_validator("upstream_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("It is no address: write it as in http://127.0.0.1:8080/v1.")
        if "@" in urlsplit(value).netloc:
            raise ValueError(
                "It holds a password, and an address is logged: set COURSE_SERVICE_UPSTREAM_KEY."
            )
        return value.rstrip("/")
