"""Answers to exercise 08.1, right and wrong."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

import prometheus_client
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from helpers.authoring.answers import right, wrong

Buckets = tuple[float, ...]


def route_of(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "other"))


def code_of(error: BaseException) -> int:
    return 499 if isinstance(error, asyncio.CancelledError) else 500


class Parts:
    """A right middleware in parts, of which a faulty one replaces some."""

    labels: Sequence[str] = ("route", "status")
    timed_by: Sequence[str] = ("route",)
    types: Sequence[str] = ("http",)
    caught: type[BaseException] = BaseException
    factor = 1.0
    clock = staticmethod(time.perf_counter)
    route = staticmethod(route_of)
    code: Any = staticmethod(code_of)

    def __init__(self, app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> None:
        self.app, self.registry, self.buckets = app, registry, buckets
        self.make()

    def make(self) -> None:
        self.requests = Counter(
            "http_requests_total", "Requests", self.labels, registry=self.registry
        )
        self.duration: Any = Histogram(
            "http_request_duration_seconds",
            "Seconds",
            self.timed_by,
            buckets=self.buckets,
            registry=self.registry,
        )
        self.flying = Gauge("http_requests_in_flight", "In flight", registry=self.registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in self.types:
            await self.app(scope, receive, send)
            return
        status: list[int] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        began = self.clock()
        self.flying.inc()
        try:
            await self.app(scope, receive, sending)
        except self.caught as error:
            self.ended(scope, self.code(error), self.clock() - began)
            raise
        else:
            self.ended(scope, status[0] if status else 0, self.clock() - began)

    def ended(self, scope: Scope, status: int, seconds: float) -> None:
        self.flying.dec()
        self.count(scope, status)
        self.time(scope, seconds)

    def count(self, scope: Scope, status: Any) -> None:
        self.requests.labels(route=self.route(scope), status=status).inc()

    def time(self, scope: Scope, seconds: float) -> None:
        self.duration.labels(self.route(scope)).observe(seconds * self.factor)


@wrong("It returns nothing.", slip="no-app")
def nothing() -> object:
    return lambda app, registry, buckets: None


@wrong("It returns the app as it is.", slip="empty-registry")
def unchanged() -> object:
    return lambda app, registry, buckets: app


@wrong("An async function.", slip="no-app")
def an_async_function() -> object:
    async def instrument(app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> Any:
        return Parts(app, registry, buckets)

    return instrument


@wrong("Metrics that nothing changes.")
def metrics_alone() -> object:
    def instrument(app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> Any:
        Parts(app, registry, buckets)
        return app

    return instrument


@wrong("The path as the label.", slip="path")
def by_path() -> object:
    class Wrong(Parts):
        route = staticmethod(lambda scope: scope["path"])

    return Wrong


@wrong("The path where there is no route.", slip="no-other")
def by_path_without_route() -> object:
    class Wrong(Parts):
        route = staticmethod(lambda scope: getattr(scope.get("route"), "path", scope["path"]))

    return Wrong


@wrong("Paths without a route are not counted.", slip="no-other")
def without_other() -> object:
    class Wrong(Parts):
        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            if "route" in scope:
                super().ended(scope, status, seconds)
            else:
                self.flying.dec()

    return Wrong


@wrong("Digits are replaced, other names are not.")
def by_digits() -> object:
    import re

    class Wrong(Parts):
        route = staticmethod(lambda scope: re.sub(r"\d+", "{number}", scope["path"]))

    return Wrong


@wrong("The route is looked up before the app has found it.", slip="route-too-early")
def too_early() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            own = type(self)(self.app, CollectorRegistry(), self.buckets)
            name = route_of(scope)
            own.requests, own.duration, own.flying = self.requests, self.duration, self.flying
            own.route = lambda scope: name
            await Parts.__call__(own, scope, receive, send)

    return Wrong


@wrong("The first request's route, for all.")
def first_route() -> object:
    class Wrong(Parts):
        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            self.kept = getattr(self, "kept", scope)
            super().ended(self.kept, status, seconds)

    return Wrong


@wrong("The default registry.", slip="default-registry")
def default_registry() -> object:
    default = prometheus_client.REGISTRY
    for collector in [*default._collector_to_names]:
        if getattr(collector, "_name", "").startswith("http_request"):
            default.unregister(collector)  # of an earlier try: a learner's kernel is new
    return lambda app, registry, buckets: Parts(app, default, buckets)


@wrong("The default buckets.", slip="default-buckets")
def default_buckets() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            self.buckets = Histogram.DEFAULT_BUCKETS
            super().make()

    return Wrong


@wrong("The buckets of the first app, for all.")
def first_buckets() -> object:
    kept: list[Buckets] = []

    class Wrong(Parts):
        def make(self) -> None:
            kept.append(self.buckets)
            self.buckets = kept[0]
            super().make()

    return Wrong


@wrong("One gauge for all apps, in no registry.")
def shared_gauge() -> object:
    gauge = Gauge("http_requests_in_flight", "In flight", registry=None)

    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            self.registry.unregister(self.flying)
            self.flying = gauge
            self.registry.register(gauge)

    return Wrong


@wrong("Milliseconds.", slip="no-seconds")
def milliseconds() -> object:
    class Wrong(Parts):
        factor = 1000.0

    return Wrong


@wrong("CPU time.", slip="no-seconds")
def cpu_time() -> object:
    class Wrong(Parts):
        clock = staticmethod(time.process_time)

    return Wrong


@wrong("A name without the unit.", slip="no-unit")
def no_unit() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            self.registry.unregister(self.duration)
            self.duration = Histogram(
                "http_request_duration",
                "Seconds",
                ["route"],
                buckets=self.buckets,
                registry=self.registry,
            )

    return Wrong


@wrong("A summary in the place of a histogram.")
def summary() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            self.registry.unregister(self.duration)
            self.duration = Summary(
                "http_request_duration_seconds", "Seconds", ["route"], registry=self.registry
            )

    return Wrong


@wrong("A histogram with the status, too.", slip="one-label-more")
def one_label_more() -> object:
    class Wrong(Parts):
        labels = ("route", "status", "customer")

        def count(self, scope: Scope, status: Any) -> None:
            headers = dict(scope["headers"])
            customer = headers.get(b"x-customer", b"").decode()
            self.requests.labels(self.route(scope), status, customer).inc()

    return Wrong


@wrong("The method is a label.", slip="one-label-more")
def by_method() -> object:
    class Wrong(Parts):
        labels = ("method", "route", "status")

        def count(self, scope: Scope, status: Any) -> None:
            self.requests.labels(scope["method"], self.route(scope), status).inc()

    return Wrong


@wrong("The histogram has the status.")
def timed_by_status() -> object:
    class Wrong(Parts):
        timed_by = ("route", "status")

        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            self.flying.dec()
            self.count(scope, status)
            self.duration.labels(self.route(scope), status).observe(seconds)

    return Wrong


@wrong("The status as a class: 2xx.")
def classes() -> object:
    class Wrong(Parts):
        def count(self, scope: Scope, status: Any) -> None:
            super().count(scope, f"{status // 100}xx")

    return Wrong


@wrong("A metric more than was asked for.")
def one_more() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            Gauge("http_last_status", "The last status", registry=self.registry)

    return Wrong


@wrong("A help text that is empty.")
def no_help() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            self.registry.unregister(self.flying)
            self.flying = Gauge("http_requests_in_flight", "", registry=self.registry)

    return Wrong


@wrong("Errors are not counted.", slip="errors-not-counted")
def errors_left_out() -> object:
    class Wrong(Parts):
        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            if status == 500:
                self.flying.dec()
            else:
                super().ended(scope, status, seconds)

    return Wrong


@wrong("Errors are not timed.")
def errors_not_timed() -> object:
    class Wrong(Parts):
        def time(self, scope: Scope, seconds: float) -> None:
            if self.last != 500:
                super().time(scope, seconds)

        def count(self, scope: Scope, status: Any) -> None:
            self.last = status
            super().count(scope, status)

    return Wrong


@wrong("Errors are swallowed.", slip="swallowed")
def swallowed() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await super().__call__(scope, receive, send)
            except Exception:
                return

    return Wrong


@wrong("A cancelled request stays in flight.", slip="leaks")
def leaks() -> object:
    class Wrong(Parts):
        caught = Exception

    return Wrong


@wrong("A cancelled request is an error of the service.", slip="cancelled-is-500")
def cancelled_is_500() -> object:
    class Wrong(Parts):
        code = staticmethod(lambda error: 500)

    return Wrong


@wrong("Every error is a client who left.")
def always_499() -> object:
    class Wrong(Parts):
        code = staticmethod(lambda error: 499)

    return Wrong


@wrong("A client who leaves early is an error.", slip="cancelled-before-head")
def early_is_500() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                scope["begun"] = True
                await send(message)

            await super().__call__(scope, receive, sending)

        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            super().ended(scope, status if "begun" in scope else 500, seconds)

    return Wrong


@wrong("In flight from the head of the answer on.", slip="not-yet-in-flight")
def in_flight_late() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.flying.dec()

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    scope["begun"] = True
                    self.flying.inc()
                await send(message)

            await super().__call__(scope, receive, sending)

        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            if "begun" not in scope:
                self.flying.inc()
            super().ended(scope, status, seconds)

    return Wrong


@wrong("It is counted before its last piece is sent.", slip="before-the-last-piece")
def before_the_last_piece() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                last = message["type"] == "http.response.body" and not message.get("more_body")
                if last:
                    scope["counted"] = True
                    self.flying.dec()
                    self.count(scope, 200)
                    self.time(scope, 0.1)
                await send(message)

            await super().__call__(scope, receive, sending)

        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            if "counted" not in scope:
                super().ended(scope, status, seconds)

    return Wrong


class HeadStatus(Parts):
    """Keeps the status of the head, also where the stream breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, self.clock()

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        self.flying.inc()
        try:
            await self.app(scope, receive, sending)
        except asyncio.CancelledError:
            status = 499
            raise
        finally:
            self.ended(scope, status, self.clock() - began)


@wrong("A stream that breaks counts as 200.", slip="broken-is-200")
def broken_is_200() -> object:
    return HeadStatus


@wrong("FastAPI's middleware: the head alone.", slip="head-only")
def head_only() -> object:
    def instrument(app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> Any:
        parts = Parts(app, registry, buckets)

        @app.middleware("http")
        async def measure(request: Request, call_next: Callable[..., Any]) -> Any:
            began = time.perf_counter()
            parts.flying.inc()
            try:
                response = await call_next(request)
            except BaseException as error:
                parts.ended(request.scope, code_of(error), time.perf_counter() - began)
                raise
            parts.ended(request.scope, response.status_code, time.perf_counter() - began)
            return response

        return app

    return instrument


@wrong("FastAPI's middleware does not hear of a stream that breaks.", slip="broken-is-200")
def around_the_body() -> object:
    def instrument(app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> Any:
        parts = Parts(app, registry, buckets)

        @app.middleware("http")
        async def measure(request: Request, call_next: Callable[..., Any]) -> Any:
            began = time.perf_counter()
            parts.flying.inc()

            def ended(status: int) -> None:
                parts.ended(request.scope, status, time.perf_counter() - began)

            try:
                response = await call_next(request)
            except BaseException as error:
                ended(code_of(error))
                raise
            body = response.body_iterator

            async def through() -> AsyncIterator[Any]:
                try:
                    async for piece in body:
                        yield piece
                except BaseException as error:
                    ended(code_of(error))
                    raise
                ended(response.status_code)

            response.body_iterator = through()
            return response

        return app

    return instrument


@wrong("The whole answer is kept back until its end.", slip="held-back")
def held_back() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            kept: list[Message] = []

            async def keep(message: Message) -> None:
                kept.append(message)

            try:
                await super().__call__(scope, receive, keep if scope["type"] == "http" else send)
            finally:
                for message in kept:
                    await send(message)

    return Wrong


@wrong("The gauge goes down when the head was sent.", slip="not-in-flight")
def not_in_flight() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.flying.dec()
                await send(message)

            await super().__call__(scope, receive, sending)

        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            if status in (499, 500):
                self.flying.dec()
            self.count(scope, status)
            self.time(scope, seconds)

    return Wrong


@wrong("A middleware in the app and another one around it.", slip="counted-twice")
def twice() -> object:
    def instrument(app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> Any:
        parts = Parts(app, registry, buckets)

        class Inner:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                await self.app(scope, receive, send)
                if scope["type"] == "http":
                    parts.count(scope, 200)

        app.add_middleware(Inner)
        return parts

    return instrument


@wrong("The time of arrival is kept for all requests together.", slip="no-seconds")
def one_clock() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            self.began = time.perf_counter()
            await super().__call__(scope, receive, send)

        def time(self, scope: Scope, seconds: float) -> None:
            super().time(scope, time.perf_counter() - self.began)

    return Wrong


@wrong("The clock starts with the first byte.", slip="no-seconds")
def from_the_first_byte() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            began = dict[str, float]()

            async def sending(message: Message) -> None:
                began.setdefault("at", time.perf_counter())
                await send(message)

            scope["began"] = began
            await super().__call__(scope, receive, sending)

        def time(self, scope: Scope, seconds: float) -> None:
            first = scope["began"].get("at", time.perf_counter())
            super().time(scope, time.perf_counter() - first)

    return Wrong


@wrong("A method that is not allowed is of no route.", slip="other-too-often")
def every_405() -> object:
    class Wrong(Parts):
        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            own = {key: value for key, value in scope.items() if key != "route"}
            super().ended(own if status == 405 else scope, status, seconds)

    return Wrong


@wrong("The time is told in a header.", slip="another-header")
def one_header_more() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], (b"x-process-time", b"0.01")]
                await send(message)

            await super().__call__(scope, receive, sending)

    return Wrong


@wrong("The metrics are in the default registry, too.", slip="another-registry")
def default_registry_too() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            with suppress(ValueError):
                prometheus_client.REGISTRY.register(self.flying)

    return Wrong


@wrong("A websocket's scope is a copy with an entry more.", slip="scope-changed")
def marked_scope() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            own = scope if scope["type"] == "http" else dict(scope, instrumented=True)
            await super().__call__(own, receive, send)

    return Wrong


@wrong("The messages of a lifespan are marked.", slip="scope-changed")
def marked_messages() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def marked() -> Message:
                return dict(await receive(), seen=True)

            own = receive if scope["type"] == "http" else marked
            await super().__call__(scope, own, send)

    return Wrong


@wrong("Every 404 is of no route.", slip="other-too-often")
def every_404() -> object:
    class Wrong(Parts):
        def ended(self, scope: Scope, status: int, seconds: float) -> None:
            own = {key: value for key, value in scope.items() if key != "route"}
            super().ended(own if status == 404 else scope, status, seconds)

    return Wrong


@wrong("One status for all requests together.")
def one_status() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            self.last = getattr(self, "last", 200)

            async def sending(message: Message) -> None:
                self.last = message.get("status", self.last)
                await send(message)

            await super().__call__(scope, receive, sending)

        def count(self, scope: Scope, status: Any) -> None:
            super().count(scope, self.last)

    return Wrong


@wrong("The gauge is 1 or 0, not a number of requests.")
def busy_or_not() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            gauge = self.flying
            gauge.inc = lambda amount=1: gauge.set(1)  # type: ignore[method-assign]
            gauge.dec = lambda amount=1: gauge.set(0)  # type: ignore[method-assign]

    return Wrong


@wrong("Websockets and lifespans are measured.", slip="other-scopes")
def every_scope() -> object:
    class Wrong(Parts):
        types = ("http", "websocket", "lifespan")

    return Wrong


@wrong("The lifespan does not reach the app.", slip="other-scopes")
def no_lifespan() -> object:
    class Wrong(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                await super().__call__(scope, receive, send)

    return Wrong


@wrong("One request at a time.")
def locked() -> object:
    class Wrong(Parts):
        def make(self) -> None:
            super().make()
            self.lock = asyncio.Lock()

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async with self.lock:
                await super().__call__(scope, receive, send)

    return Wrong


@right("A class with parts.")
def in_parts() -> object:
    return Parts


@right("A middleware of ASGI, added to the app.")
def added() -> object:
    def instrument(app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> Any:
        parts = Parts(app, registry, buckets)

        class Measured:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                parts.app = self.app
                await parts(scope, receive, send)

        app.add_middleware(Measured)
        return app

    return instrument


@right("The unit and the first word of the name as arguments.")
def with_arguments() -> object:
    class Right(Parts):
        clock = staticmethod(time.monotonic)

        def make(self) -> None:
            self.requests = Counter(
                "requests", "n", ["status", "route"], namespace="http", registry=self.registry
            )
            self.duration = Histogram(
                "request_duration",
                "s",
                ("route",),
                namespace="http",
                unit="seconds",
                buckets=[*self.buckets, float("inf")],
                registry=self.registry,
            )
            self.flying = Gauge("in_flight", "n", subsystem="http_requests", registry=self.registry)

        def count(self, scope: Scope, status: Any) -> None:
            self.requests.labels(status=str(status), route=self.route(scope)).inc(1)

    return lambda app, registry, buckets: Right(app=app, registry=registry, buckets=buckets)


@right("Every route has its series from the start; a wrapped FastAPI stays one.")
def series_from_the_start() -> object:
    def instrument(app: FastAPI, registry: CollectorRegistry, buckets: Buckets) -> Any:
        parts = Parts(app, registry, buckets)
        for route in app.routes:
            parts.requests.labels(route=getattr(route, "path", "other"), status="200")
        build = app.build_middleware_stack

        def stack() -> Any:
            parts.app = build()  # type: ignore[assignment]
            return parts

        app.build_middleware_stack = stack  # type: ignore[method-assign]
        return app

    return instrument


@right("It looks for the route itself, before the app does; inc and dec by a context manager.")
def own_routing() -> object:
    from starlette.routing import Match

    class Right(Parts):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                for route in self.app.routes:
                    if route.matches(scope)[0] is not Match.NONE:  # partly: another method
                        scope["own"] = getattr(route, "path", "other")
                        break
            await super().__call__(scope, receive, send)

        route = staticmethod(lambda scope: scope.get("own", "other"))

    return Right
