"""Figures for Prometheus, by OpenTelemetry's names where there are any.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ names them with dots, without a
unit; in Prometheus a dot is an underscore and the unit is the suffix. The buckets are the ones
recommended there. Nothing is labelled by customer: that would be personal data, and thousands of
series.
"""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from helpers.service.turn import AnswerPath, Outcome

_DURATIONS = (
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
)
_FIRST_TOKEN = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
_A_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304)
_OPERATION = ("gen_ai_operation_name", "gen_ai_request_model")


class Metrics:
    """The figures of one service, in a registry of its own."""

    def __init__(self, *, running: Callable[[], int], waiting: Callable[[], int]) -> None:
        """`running` and `waiting` are asked for the present number when figures are read."""
        self.registry = registry = CollectorRegistry()
        self.duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Seconds an answer took, from its place in the gate to its end",
            (*_OPERATION, "error_type"),
            buckets=_DURATIONS,
            registry=registry,
        )
        self.tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of an answer, read or written by the model",
            (*_OPERATION, "gen_ai_token_type"),
            buckets=_TOKENS,
            registry=registry,
        )
        self.first_token = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "Seconds from a request's arrival to the first word of its answer",
            _OPERATION,
            buckets=_FIRST_TOKEN,
            registry=registry,
        )
        self.each_token = Histogram(
            "gen_ai_server_time_per_output_token_seconds",
            "Seconds a token after the first",
            _OPERATION,
            buckets=_A_TOKEN,
            registry=registry,
        )
        self.queue = Histogram(
            "service_queue_seconds",
            "Seconds from a request's arrival to its place",
            buckets=_DURATIONS,
            registry=registry,
        )
        self.requests = Histogram(
            "http_server_request_duration_seconds",
            "Seconds of an HTTP request, to the end of its answer",
            ("http_request_method", "http_route", "http_response_status_code"),
            buckets=_DURATIONS,
            registry=registry,
        )
        self.problems = Counter(
            "service_problems",
            "Requests refused or failed, also in the middle of a stream, by kind",
            ("kind",),
            registry=registry,
        )
        self.tools = Counter(
            "service_tool_calls", "Tool calls of the agent", ("tool", "status"), registry=registry
        )
        self.cost = Counter("service_cost_usd", "US dollars of the tokens", registry=registry)
        self.left = Counter("service_clients_left", "Answers not waited for", registry=registry)
        self.feedback = Counter(
            "service_feedback", "Feedback on answers", ("score",), registry=registry
        )
        for state, number in (("running", running), ("waiting", waiting)):
            gauge = Gauge(f"service_requests_{state}", f"Requests {state} now", registry=registry)
            gauge.set_function(number)

    def answered(
        self,
        *,
        path: AnswerPath,
        ended: str,
        outcome: Outcome,
        arrived: float,
        entered: float | None,
        cost: float | None,
    ) -> None:
        """Count an answer that has ended.

        Args:
            path: who answered.
            ended: "done", "left", "stopping", or the kind of the problem.
            outcome: what came of it.
            arrived: when the request came, by `time.perf_counter`.
            entered: when it got its place, None when it never did.
            cost: in US dollars, None when not known.
        """
        labels = ("chat", path)
        now = time.perf_counter()
        if ended == "left":
            self.left.inc()
        if entered is not None:
            self.queue.observe(entered - arrived)
            self.duration.labels(*labels, "" if ended == "done" else ended).observe(now - entered)
        if outcome.input_tokens is not None and outcome.output_tokens is not None:
            self.tokens.labels(*labels, "input").observe(outcome.input_tokens)
            self.tokens.labels(*labels, "output").observe(outcome.output_tokens)
        if outcome.first_token is not None:
            self.first_token.labels(*labels).observe(outcome.first_token - arrived)
            if ended == "done" and (later := len(outcome.text) - 1):
                self.each_token.labels(*labels).observe((now - outcome.first_token) / later)
        for call in outcome.tool_calls:
            self.tools.labels(call["name"], call["status"]).inc()
        if cost is not None:
            self.cost.inc(cost)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)
