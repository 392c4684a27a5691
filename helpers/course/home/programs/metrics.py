# Written by `course build` from notebooks/src/08_monitor_in_production.py: edit it there.

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.1, 0.2, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 30, 60)


class Figures:
    """The metrics of a model and its tools."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.first_token = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "Seconds from a request to the model's first token",
            ["gen_ai_request_model"],
            buckets=SECONDS,
            registry=registry,
        )
        self.duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Seconds of a request to the model",
            ["gen_ai_request_model", "error_type"],
            buckets=SECONDS,
            registry=registry,
        )


TOKENS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)


class AgentFigures(Figures):
    """The agent's metrics, too; `tools` holds the names of its tools."""

    def __init__(self, registry: CollectorRegistry, tools: Sequence[str] = ()) -> None:
        super().__init__(registry)
        self.tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of a request to the model",
            ["gen_ai_request_model", "gen_ai_token_type"],
            buckets=TOKENS,
            registry=registry,
        )
        self.cost = Counter(
            "agent_cost_usd",
            "US dollars of the tokens",
            ["gen_ai_request_model"],
            registry=registry,
        )
        self.tools = Counter(
            "agent_tool_calls",
            "Calls of tools, by how they ended",
            ["tool", "ended"],
            registry=registry,
        )
        self.in_flight = Gauge(
            "http_requests_in_flight", "Requests that are being answered", registry=registry
        )
        for name in tools:
            for ended in ("success", "error"):
                self.tools.labels(name, ended)  # a series that is there from the start, at 0


class Meter(BaseCallbackHandler):
    """Tells the figures what an agent's model and tools do.

    Args:
        figures: where it counts.
        usd: dollars of an input token and of an output token; without them no cost is counted.
    """

    run_inline = True  # in an async agent, too: counting is faster than handing it to a thread

    def __init__(self, figures: AgentFigures, usd: tuple[float, float] | None = None) -> None:
        self._figures, self._usd = figures, usd
        self._began: dict[UUID, tuple[float, str, UUID | None]] = {}
        self._first: set[UUID] = set()
        self._called: dict[UUID, tuple[str, UUID | None]] = {}

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A request to the model begins."""
        name = str((kwargs.get("metadata") or {}).get("ls_model_name", "unknown"))
        self._began[run_id] = time.perf_counter(), name, kwargs.get("parent_run_id")

    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A piece of the answer: the first one is timed."""
        if run_id in self._began and run_id not in self._first:
            self._first.add(run_id)
            began, name, _ = self._began[run_id]
            self._figures.first_token.labels(name).observe(time.perf_counter() - began)


class WholeMeter(Meter):
    """Also tells the figures how each request to the model ends."""

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """The answer is complete: seconds, tokens, dollars."""
        name = self._timed(run_id, "")
        answer = getattr(response.generations[0][0], "message", None)
        if not (counts := getattr(answer, "usage_metadata", None)):
            return  # unknown is not 0
        for place, kind in enumerate(("input", "output")):
            count = counts[f"{kind}_tokens"]
            self._figures.tokens.labels(name, kind).observe(count)
            if self._usd:
                self._figures.cost.labels(name).inc(count * self._usd[place])

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """The model failed."""
        self._timed(run_id, type(error).__name__)

    def _timed(self, run_id: UUID, error: str) -> str:
        began, name, _ = self._began.pop(run_id, (time.perf_counter(), "unknown", None))
        self._first.discard(run_id)
        took = time.perf_counter() - began
        self._figures.duration.labels(name, error).observe(took)
        return name


class AgentMeter(WholeMeter):
    """Also counts the calls of tools, and what is cancelled."""

    def on_tool_start(self, serialized: Any, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A call of a tool begins."""
        self._called[run_id] = serialized["name"], kwargs.get("parent_run_id")

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has answered, even if it says that it failed."""
        name, _ = self._called.pop(run_id)
        self._figures.tools.labels(name, getattr(output, "status", "success")).inc()

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has raised an error."""
        self._figures.tools.labels(self._called.pop(run_id)[0], "error").inc()

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A step of the agent has failed: what it waited for is over, too."""
        for request, (_, _, step) in list(self._began.items()):
            if step == run_id:
                self._timed(request, type(error).__name__)
        for call, (_, step) in list(self._called.items()):
            if step == run_id:
                del self._called[call]  # the tool is not to blame
