"""The service: the agent behind HTTP, hardened. `create_app` makes it, `course serve` runs it."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from helpers.agent import build_agent
from helpers.models.errors import ModelError
from helpers.service.description import DESCRIPTION, describe_problems
from helpers.service.engines import Engines
from helpers.service.envelope import Envelope
from helpers.service.handlers import add_handlers
from helpers.service.lifecycle import MakeAgent, key_ring, local_engines, running_parts
from helpers.service.metrics import Instrument
from helpers.service.routes import chat, completions, feedback, health, websocket
from helpers.service.settings import Settings
from helpers.service.starting import ClearStart, StartError


def create_app(
    settings: Settings | None = None,
    *,
    make_agent: MakeAgent = build_agent,
    engines: AbstractAsyncContextManager[Engines] | None = None,
    instruments: Collection[Instrument] = (),
) -> FastAPI:
    """The service as an ASGI app, which starts its model when the server starts it.

    Args:
        settings: by default from the environment.
        make_agent: makes the agent from `model` and `middleware`; another one serves another agent,
            such as one with more controls.
        engines: who answers, instead of an agent and a model in this process; entered once, when
            the server starts the app.
        instruments: more metrics, which `/metrics` shows with the service's own.

    Raises:
        pydantic.ValidationError: a setting cannot be used.
        KeysError: there is no API key, or the file of keys cannot be read.
    """
    settings = settings or Settings()
    keys = key_ring(settings)
    failed: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            made = engines or local_engines(settings, make_agent)
            async with running_parts(settings, made, instruments) as parts:
                app.state.parts = parts
                yield
                app.state.parts = None
        except (StartError, ModelError) as reason:
            failed.append(str(reason))
            raise

    app = FastAPI(
        title="Fernhill support agent",
        description=DESCRIPTION,
        version="1",
        lifespan=lifespan,
        docs_url=None,  # both pages load their scripts from the network, and the course is offline
        redoc_url=None,
    )
    describe_problems(app)
    app.state.settings = settings
    app.state.keys = keys
    app.state.parts = None
    for each in (chat, websocket, completions, feedback, health):
        app.include_router(each.router)
    add_handlers(app)

    def observe(method: str, route: str, status: int, seconds: float) -> None:
        if app.state.parts is not None:
            labels = (method, route, str(status))
            app.state.parts.metrics.requests.labels(*labels).observe(seconds)

    app.add_middleware(
        Envelope,
        max_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        observe=observe,
    )
    app.add_middleware(ClearStart, reasons=failed)
    return app
