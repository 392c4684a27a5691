"""Figures for Prometheus, by OpenTelemetry's names where there are any.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ and its sibling for HTTP name
them with dots, without a unit; in Prometheus a dot is an underscore and the unit is the suffix. The
buckets are the ones recommended there.

OpenTelemetry's names. Those of `gen_ai` have the labels `gen_ai_operation_name` ("chat") and
`gen_ai_request_model` (who answers: "agent" or "plain").

http_server_request_duration_seconds         histogram   an HTTP request, to its answer's end; by
                                             method, route and status
gen_ai_client_operation_duration_seconds     histogram   an answer, from its place in the gate to
                                             its end; by `error_type`, "" for a good one
gen_ai_server_time_to_first_token_seconds    histogram   from a request to its answer's first word
gen_ai_server_time_per_output_token_seconds  histogram   each piece after the first, on average
gen_ai_client_token_usage                    histogram   tokens of an answer, all calls of the model
                                             together; by `gen_ai_token_type`

The course's own names.

service_queue_seconds        histogram, seconds     from a request to its place in the gate
service_requests_running     gauge, requests        that have a place in the gate
service_requests_waiting     gauge, requests        that wait for one
http_requests_in_flight      gauge, requests        both together; module 07's autoscaler reads it
service_problems_total       counter, requests      refused or failed, also in a stream; by `kind`
service_tool_calls_total     counter, calls         by `tool` and `status`: ok, refused, or started
                             for one that did not end
service_cost_usd_total       counter, US dollars    of the tokens, where their price is known
service_clients_left_total   counter, answers       that nobody waited for
service_feedback_total       counter, ratings       by `score`: 1 or -1
service_index_age_seconds    gauge, seconds         since the documents' index was built, where it
                             is in this process
process_*                    memory, CPU and files of the process, by `prometheus_client`, on Linux

A label takes known values only. Anything else, such as the name of a tool that a model has made up
out of a customer's words, is counted as `_OTHER`: it may be personal data, and each value makes a
series more. For the same reason nothing is labelled by customer. Seconds are measured by clocks
that do not jump when the machine's clock is set.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Generic, TypeVar, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from helpers.service.errors import TITLES
from helpers.service.turn import AnswerPath, Outcome
from helpers.shop.questions import TOOL_ARGUMENTS

OTHER = "_OTHER"
"""What stands in a label for every value that is not known."""

FERNHILL_TOOLS = frozenset(TOOL_ARGUMENTS)
"""The names of the tools of the course's agent."""

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

# The service takes no other ones; a client may send any word.
_METHODS = frozenset({"GET", "HEAD", "POST"})
_CHAT = {
    "gen_ai_operation_name": frozenset({"chat"}),
    "gen_ai_request_model": frozenset(get_args(AnswerPath)),
}

Child = TypeVar("Child", Counter, Histogram)
Observe = Callable[[str, Outcome, float | None], None]
"""Called with every answer that has ended: how ("done", "left", or the kind of the problem), what
came of it, and its dollars, None where they are not known."""
Instrument = Callable[[CollectorRegistry], Observe]
"""Makes more metrics in a service's registry, and what counts its answers in them."""

Known = Collection[str] | None
"""The values that a label may have; None where the service itself makes every one."""


class Labelled(Generic[Child]):
    """A metric whose labels take known values only."""

    def __init__(
        self,
        kind: type[Child],
        name: str,
        about: str,
        known: Mapping[str, Known],
        registry: CollectorRegistry,
        **more: Any,
    ) -> None:
        """`known` has the labels, each with its values; the rest goes to `kind`."""
        self._known = tuple(known.values())
        self._metric: Child = kind(name, about, tuple(known), registry=registry, **more)
        self._children: dict[tuple[str, ...], Child] = {}

    def labels(self, *values: str) -> Child:
        """The series of these values, in the order of the labels; unknown ones are `_OTHER`."""
        if (child := self._children.get(values)) is not None:
            return child
        sure = tuple(
            value if known is None or value in known else OTHER
            for value, known in zip(values, self._known, strict=True)
        )
        child = self._children[sure] = self._metric.labels(*sure)
        return child


class _WithoutCreated(Collector):
    """A registry without the `_created` of each series: nobody reads it, and it is one more."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """The families of the registry."""
        for family in self._registry.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family


class Metrics:
    """The figures of one service, in a registry of its own.

    Attributes:
        registry: may take more metrics.
        process: what it says of the process.
    """

    def __init__(
        self,
        *,
        running: Callable[[], int],
        waiting: Callable[[], int],
        tools: Collection[str] = FERNHILL_TOOLS,
        index_built: float | None = None,
        instruments: Collection[Instrument] = (),
    ) -> None:
        """Make all metrics.

        Args:
            running: the requests that have a place now; asked whenever the figures are read.
            waiting: those that wait for one.
            tools: the names of the agent's tools.
            index_built: when the documents' index was built, by `time.monotonic`; None where no
                index is in this process.
            instruments: more metrics, of what answers.
        """
        self.registry = registry = CollectorRegistry()
        self.process = ProcessCollector(registry=registry)
        self.duration = Labelled(
            Histogram,
            "gen_ai_client_operation_duration_seconds",
            "Seconds an answer took, from its place in the gate to its end",
            {**_CHAT, "error_type": frozenset({"", "left", *TITLES})},
            registry,
            buckets=_DURATIONS,
        )
        self.tokens = Labelled(
            Histogram,
            "gen_ai_client_token_usage",
            "Tokens of an answer, read or written by the model",
            {**_CHAT, "gen_ai_token_type": frozenset({"input", "output"})},
            registry,
            buckets=_TOKENS,
        )
        self.first_token = Labelled(
            Histogram,
            "gen_ai_server_time_to_first_token_seconds",
            "Seconds from a request's arrival to the first word of its answer",
            _CHAT,
            registry,
            buckets=_FIRST_TOKEN,
        )
        self.each_token = Labelled(
            Histogram,
            "gen_ai_server_time_per_output_token_seconds",
            "Seconds a token after the first",
            _CHAT,
            registry,
            buckets=_A_TOKEN,
        )
        self.queue = Histogram(
            "service_queue_seconds",
            "Seconds from a request's arrival to its place",
            buckets=_DURATIONS,
            registry=registry,
        )
        self.requests = Labelled(
            Histogram,
            "http_server_request_duration_seconds",
            "Seconds of an HTTP request, to the end of its answer",
            # The route is the template of one of the app's own, the status a number.
            {
                "http_request_method": _METHODS,
                "http_route": None,
                "http_response_status_code": None,
            },
            registry,
            buckets=_DURATIONS,
        )
        self.problems = Labelled(
            Counter,
            "service_problems",
            "Requests refused or failed, also in the middle of a stream, by kind",
            {"kind": TITLES},
            registry,
        )
        self.tools = Labelled(
            Counter,
            "service_tool_calls",
            "Tool calls of the agent",
            {"tool": frozenset(tools), "status": frozenset({"started", "ok", "refused"})},
            registry,
        )
        self.cost = Counter("service_cost_usd", "US dollars of the tokens", registry=registry)
        self.left = Counter("service_clients_left", "Answers not waited for", registry=registry)
        self.feedback = Labelled(
            Counter,
            "service_feedback",
            "Feedback on answers",
            {"score": frozenset({"1", "-1"})},
            registry,
        )
        now: dict[str, tuple[str, Callable[[], float]]] = {
            "service_requests_running": ("Requests running now", running),
            "service_requests_waiting": ("Requests waiting now", waiting),
            "http_requests_in_flight": (
                "Requests for an answer that are running or waiting now",
                lambda: running() + waiting(),
            ),
        }
        if index_built is not None:
            now["service_index_age_seconds"] = (
                "Seconds since the index of the documents was built",
                lambda: time.monotonic() - index_built,
            )
        for name, (about, value) in now.items():
            Gauge(name, about, registry=registry).set_function(value)
        self._observe = [each(registry) for each in instruments]

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
        for observe in self._observe:
            observe(ended, outcome, cost)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(_WithoutCreated(self.registry))
