"""The service with all that it counts: its own answers, and its agent's model and tools."""

import math
import os
from collections.abc import Mapping

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from langgraph.prebuilt import ToolNode
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from agent import Agent
from chat import SetupError
from metrics import SECONDS, AgentFigures, AgentMeter
from service import (
    Figures,
    Gate,
    Keys,
    RateLimit,
    as_problem,
    chat_routes,
    lifespan,
    operation_routes,
)

RATE, RUNNING, WAITING = "60/minute", 4, 16
"""Requests of a customer, answers at the same time, and requests that wait for a place."""


class ServiceFigures(Figures):
    """Those of service.py, in a registry that the agent's are in, too."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.answers = Counter(
            "chat_answers", "Answers, by how they ended", ["ended"], registry=registry
        )
        # In service.py it has OpenTelemetry's name, which belongs to the model's first token here.
        self.first_token = Histogram(
            "chat_first_words_seconds",
            "Seconds from the place at the gate to the first words",
            buckets=SECONDS,
            registry=registry,
        )


class InFlight:
    """A middleware: counts the chat requests that are answered now, or wait for a place."""

    def __init__(self, app: ASGIApp, gauge: Gauge) -> None:
        self.app, self.gauge = app, gauge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].startswith("/chat"):
            with self.gauge.track_inprogress():
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def prices() -> tuple[float, float] | None:
    """US dollars of a token read and of a token written; None where no price is set.

    PRICE_IN and PRICE_OUT have the price of a million of them.

    Raises:
        SetupError: one of the two is missing, or no price.
    """
    given = {name: os.environ.get(name, "").strip() for name in ("PRICE_IN", "PRICE_OUT")}
    if not any(given.values()):
        return None
    found = []
    for name, text in given.items():
        try:
            price = float(text)
        except ValueError:
            price = math.nan
        if not 0 <= price < math.inf:
            raise SetupError(
                f"{name}={text} is no price: set PRICE_IN and PRICE_OUT to the US dollars of a "
                "million tokens, for instance 0.40 and 1.60, or neither of them."
            )
        found.append(price / 1_000_000)
    return found[0], found[1]


def tool_names(agent: Agent) -> list[str]:
    """The names of an agent's tools; none where it has no tools."""
    node = agent.nodes.get("tools")
    return sorted(node.bound.tools_by_name) if node and isinstance(node.bound, ToolNode) else []


def make_measured_app(
    agent: Agent, customers: Mapping[str, str], usd: tuple[float, float] | None = None
) -> FastAPI:
    """The service of service.py's `make_app`, with the agent's figures in its /metrics.

    Args:
        agent: who answers.
        customers: the digest of a key -> the customer's id.
        usd: dollars of a token read and of a token written; without them no cost is counted.
    """
    registry = CollectorRegistry()
    counted, figures = AgentFigures(registry, tool_names(agent)), ServiceFigures(registry)
    agent = agent.with_config(callbacks=[AgentMeter(counted, usd)])
    guards = [Depends(Keys(customers)), Depends(RateLimit(RATE)), Depends(Gate(RUNNING, WAITING))]
    app = FastAPI(lifespan=lifespan, max_body_size=32_000, docs_url=None, redoc_url=None)
    app.include_router(chat_routes(agent, figures), dependencies=guards)
    app.include_router(operation_routes(figures))
    for error in (HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error, as_problem)
    app.add_middleware(InFlight, gauge=counted.in_flight)
    return app
