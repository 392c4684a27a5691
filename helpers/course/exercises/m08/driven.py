"""What an app instrumented by exercise 08.1 does and counts, as plain values.

Requests reach it as ASGI messages, without a server, so that a check can look at its metrics while
an answer is in the middle.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar
from unittest import mock

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from prometheus_client import CollectorRegistry

from helpers.course.exercises.words import kind
from helpers.course.limits import time_factor
from helpers.course.todo import TODO

Instrument = Callable[[FastAPI, CollectorRegistry, tuple[float, ...]], Any]
Figures = dict[str, float]

BUCKETS = (0.01, 0.1, 1.0)
COUNTER, HISTOGRAM, GAUGE = (
    "http_requests_total",
    "http_request_duration_seconds",
    "http_requests_in_flight",
)
ORDER, CHAT = "/orders/{number}", "/chat"
HELD_S = 0.06
_PATIENCE_S = 1.0


class NotAnApp(TypeError):  # noqa: N818 - it says what is wrong
    """What a learner's function returned is no app."""


class HeldBack(Exception):  # noqa: N818 - named after what happened
    """A piece of an answer was written, and the client did not get it."""


class OrderFailed(Exception):  # noqa: N818 - named after what happened
    """What an endpoint of the check's shop raises."""


@dataclass
class Held:
    """Streams that write their next piece when the check lets them."""

    gates: list[asyncio.Event] = field(default_factory=list)
    breaks: bool = False
    at_once: bool = False  # the next piece waits for nothing
    first_s: float = 0  # before the answer begins
    reached: asyncio.Event = field(default_factory=asyncio.Event)  # by a first request

    async def words(self) -> AsyncIterator[str]:
        """One piece at once, another one after the gate."""
        gate = asyncio.Event()
        self.gates.append(gate)
        yield "It is"
        if not self.at_once:
            await gate.wait()
        if self.breaks:
            raise OrderFailed("in the middle")
        yield " on its way."


def shop(held: Held | None = None, began: list[str] | None = None) -> FastAPI:
    """A small service without metrics."""
    held = held or Held()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if began is not None:
            began.append("lifespan")
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get(ORDER)
    async def order(number: int) -> dict[str, int]:
        if number == 0:
            raise OrderFailed("the database is gone")
        if number > 900:
            raise HTTPException(404 if number < 999 else 503)
        return {"order": number}

    @app.get("/orders/{number}/parcels/{parcel}")
    def parcel(number: str, parcel: str) -> dict[str, str]:
        return {"parcel": f"{number}/{parcel}"}

    @app.post(CHAT)
    async def chat() -> StreamingResponse:
        held.reached.set()
        await asyncio.sleep(held.first_s)
        return StreamingResponse(held.words())

    return app


def warehouse() -> FastAPI:
    """Another service."""
    app = FastAPI()

    @app.put("/shelves/{shelf}", status_code=201)
    async def shelf(shelf: str) -> dict[str, str]:
        return {"shelf": shelf}

    return app


class Exchange:
    """One request to an ASGI app, and what came back so far."""

    def __init__(
        self,
        app: Any,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        reading: asyncio.Event | None = None,
    ) -> None:
        """Begin it. Must be made inside the event loop.

        With `reading` the client takes a piece only when this is set.
        """
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        self.status, self.pieces = 0, list[bytes]()
        self.headers = list[tuple[bytes, bytes]]()
        self._reading = reading
        self.seconds = math.inf
        self._asked, self._changed = False, asyncio.Event()
        self.task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        began = time.perf_counter()
        try:
            await app(scope, self._receive, self._send)
        finally:
            self.seconds = time.perf_counter() - began
            self._changed.set()

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()  # the client stays
        raise AssertionError("not reached")

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = sorted((bytes(k), bytes(v)) for k, v in message.get("headers", ()))
        elif message.get("body"):
            self.pieces.append(message["body"])
        self._changed.set()
        if self._reading and message["type"] == "http.response.body":
            await self._reading.wait()

    async def piece(self) -> None:
        """Wait for the first piece of the body. Raises `HeldBack` where it does not come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S * time_factor()):
                while not self.pieces and not self.task.done():
                    self._changed.clear()
                    await self._changed.wait()
        if not self.pieces:
            self.task.cancel()
            await asyncio.wait([self.task])
            raise HeldBack("the first piece of the answer was written and did not arrive")

    async def end(self) -> str:
        """How it ended: the status and the body, or the name of what was raised."""
        await asyncio.wait([self.task], timeout=_PATIENCE_S * time_factor())
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task])
            return "no end"
        if self.task.cancelled():
            return "CancelledError"
        if error := self.task.exception():
            return type(error).__name__
        if self.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return "422"  # FastAPI's text on what is wrong is long, and may change
        return f"{self.status} {b''.join(self.pieces).decode()}"


def instrumented(
    instrument: Instrument, app: FastAPI, buckets: tuple[float, ...] = BUCKETS
) -> tuple[Any, CollectorRegistry]:
    """The app that a learner's function makes, and its registry."""
    registry = CollectorRegistry()
    made = instrument(app, registry, buckets)
    if made is TODO:
        raise TODO
    if asyncio.iscoroutine(made):
        made.close()
        raise NotAnApp("instrument is an async function: write def, without async")
    if not callable(made):
        raise NotAnApp(f"instrument must return the app to serve; this is {kind(made)}")
    return made, registry


async def returned(instrument: Instrument) -> str:
    """That an app is returned. Raises `NotAnApp` where none is."""
    instrumented(instrument, shop())
    return "an app"


def figures(registry: CollectorRegistry, *, seconds: bool = False) -> Figures:
    """The samples of a registry, by how they are written; those of 0 but the gauge are left out.

    `seconds` adds sums and buckets, which depend on the time that a request took.
    """
    found: Figures = {}
    for family in registry.collect():
        for sample in family.samples:
            timed = sample.name.endswith(("_sum", "_bucket"))
            if sample.name.endswith("_created") or (timed and not seconds):
                continue
            if sample.value or family.type == "gauge":
                found[_written(sample.name, sample.labels)] = sample.value
    return found


def _written(name: str, labels: dict[str, str]) -> str:
    pairs = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{pairs}}}" if pairs else name


def counted(counts: dict[str, dict[str, int]], in_flight: int = 0) -> Figures:
    """What the metrics should say: `counts` has for each route how often which status was sent."""
    found: Figures = {}
    for route, statuses in counts.items():
        for status, count in statuses.items():
            found[_written(COUNTER, {"route": route, "status": status})] = count
        found[_written(f"{HISTOGRAM}_count", {"route": route})] = sum(statuses.values())
    return found | {GAUGE: in_flight}


async def asked(instrument: Instrument, requests: Sequence[str]) -> dict[str, Any]:
    """What came of requests, such as "GET /orders/7", one by one, and what was counted."""
    app, registry = instrumented(instrument, shop())
    ends = []
    for one in requests:
        method, path = one.split()
        ends.append(await Exchange(app, method, path).end())
    return {"answers": ends, "metrics": figures(registry)}


UNCHANGED = ("GET /orders/7", "GET /orders/950", "GET /orders/abc", "GET /nowhere", "POST /chat")


async def unchanged(instrument: Instrument) -> dict[str, str]:
    """How status, headers and body differ from those of the app without metrics."""
    found = dict[str, str]()
    for one in UNCHANGED:
        sent = list[tuple[int, set[tuple[bytes, bytes]], list[bytes]]]()
        method, path = one.split()
        measured_app, _ = instrumented(instrument, shop(Held(at_once=True)))
        for app in (shop(Held(at_once=True)), measured_app):
            exchange = Exchange(app, method, path)
            await exchange.end()
            sent.append((exchange.status, set(exchange.headers), exchange.pieces))
        plain, measured = sent
        other = sorted(name.decode() for name, _ in plain[1] ^ measured[1])
        found[one] = f"other headers: {', '.join(dict.fromkeys(other))}" if other else "as before"
        if plain[::2] != measured[::2]:
            found[one] = "another status or body"
    return found


async def before_the_head(instrument: Instrument) -> dict[str, Any]:
    """A stream that is cancelled before its answer begins: metrics then and at its end."""
    held = Held(first_s=60)
    app, registry = instrumented(instrument, shop(held))
    exchange = Exchange(app, "POST", CHAT)
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S * time_factor()):
            await held.reached.wait()
    found: dict[str, Any] = {"while it waits": figures(registry)}
    exchange.task.cancel()
    return found | {"end": await exchange.end(), "after it": figures(registry)}


async def slow_reader(instrument: Instrument) -> dict[str, Any]:
    """An order whose client is slow to take the only piece: metrics then and at its end."""
    app, registry = instrumented(instrument, shop())
    reading = asyncio.Event()
    exchange = Exchange(app, "GET", "/orders/7", reading=reading)
    await exchange.piece()
    found: dict[str, Any] = {"while it is sent": figures(registry)}
    reading.set()
    return found | {"end": await exchange.end(), "after it": figures(registry)}


async def in_the_middle(instrument: Instrument, how: str) -> dict[str, Any]:
    """A stream that goes on, breaks or is cancelled in the middle: metrics then and at its end."""
    held = Held(breaks=how == "breaks")
    app, registry = instrumented(instrument, shop(held))
    await Exchange(app, "GET", "/orders/7").end()
    exchange = Exchange(app, "POST", CHAT)
    await exchange.piece()
    found: dict[str, Any] = {"in the middle": figures(registry)}
    if how == "is cancelled":
        exchange.task.cancel()
    for gate in held.gates:
        gate.set()
    return found | {"end": await exchange.end(), "after it": figures(registry)}


async def timed(instrument: Instrument) -> dict[str, str]:
    """Whether the seconds are those of the whole answers; three streams overlap."""
    held = Held(first_s=HELD_S)
    app, registry = instrumented(instrument, shop(held))
    exchanges, arrived = list[Exchange](), list[float]()
    for _ in range(3):
        exchanges.append(Exchange(app, "POST", CHAT))
        await exchanges[-1].piece()
        arrived.append(time.perf_counter())
        await asyncio.sleep(HELD_S)
    least = 0.0
    for gate, exchange, piece in zip(held.gates, exchanges, arrived, strict=True):
        least += HELD_S + time.perf_counter() - piece
        gate.set()
        await exchange.end()
        await asyncio.sleep(HELD_S)
    most = sum(exchange.seconds for exchange in exchanges)
    failing = Exchange(app, "GET", "/orders/0")
    await failing.end()
    values = figures(registry, seconds=True)
    found = {
        "streams": _between(values, f'{HISTOGRAM}_sum{{route="{CHAT}"}}', least, most),
        "an error": _between(values, f'{HISTOGRAM}_sum{{route="{ORDER}"}}', 0, failing.seconds),
    }
    short = _written(f"{HISTOGRAM}_bucket", {"le": "0.01", "route": CHAT})
    found["streams of 0.01 s or less"] = f"{values.get(short, 0):g}"
    return found


def _between(values: Figures, name: str, least: float, most: float) -> str:
    got = values.get(name)
    if got is None:
        return "not timed"
    if least * 0.99 <= got <= most * 1.01:  # clocks differ a little
        return "right"
    return f"{got:.3f} s instead of {least:.3f} to {most:.3f} s"


async def at_once(instrument: Instrument) -> list[Figures]:
    """The metrics while three streams begin and, in another order, end."""
    held = Held()
    app, registry = instrumented(instrument, shop(held))
    seen, exchanges = list[Figures](), list[Exchange]()
    for _ in range(3):
        exchanges.append(Exchange(app, "POST", CHAT))
        await exchanges[-1].piece()
        seen.append(figures(registry))
    for number in (1, 2, 0):
        if number < len(held.gates):
            held.gates[number].set()
        await exchanges[number].end()
        seen.append(figures(registry))
    return seen


async def two_apps(instrument: Instrument) -> dict[str, Any]:
    """Two services with registries and buckets of their own, in turn."""
    held, bounds = Held(), (0.5, 2.5, 20.0, 60.0)
    one, first = instrumented(instrument, shop(held))
    other, second = instrumented(instrument, warehouse(), bounds)
    stream = Exchange(one, "POST", CHAT)
    await stream.piece()
    answers = [await Exchange(other, "PUT", "/shelves/a7").end()]
    between = figures(second)
    answers.append(await Exchange(one, "GET", "/orders/5").end())
    for gate in held.gates:
        gate.set()
    answers.append(await stream.end())
    return {
        "answers": answers,
        "the second while the first streams": between,
        "metrics": [figures(first), figures(second)],
        "buckets": [_bounds(first), _bounds(second)],
    }


def _bounds(registry: CollectorRegistry) -> list[float]:
    """The upper bounds of the histogram, from one of its series."""
    found: dict[str, list[float]] = {}
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == f"{HISTOGRAM}_bucket":
                found.setdefault(sample.labels.get("route", ""), []).append(
                    float(sample.labels["le"])
                )
    return next(iter(found.values()), [])


MANY = (
    *(("GET", f"/orders/{number}") for number in range(1, 31)),
    *(("GET", f"/orders/{number}/parcels/P-{number}") for number in range(10)),
    *(("GET", f"/admin/{number}.php") for number in range(10)),
    *(("GET", f"/orders/12?customer=C-{number}&text=Where+is+my+tent") for number in range(10)),
    *((f"METHOD{number}", "/nowhere") for number in range(5)),
)


async def many(instrument: Instrument) -> dict[str, Any]:
    """Which labels there are after requests of many customers, with many paths."""
    given = shop()
    declared = {getattr(route, "path", "") for route in given.routes}
    app, registry = instrumented(instrument, given)
    for number, (method, path) in enumerate(MANY):
        headers = {"x-customer": f"C-{number}", "user-agent": f"agent {number}"}
        await Exchange(app, method, path, headers).end()
    samples = [
        one
        for family in registry.collect()
        for one in family.samples
        if not one.name.endswith("_created")
    ]
    values: dict[str, set[str]] = {}
    for sample in samples:
        if not sample.value and sample.labels.get("route") in declared:
            continue  # a series that is there from the start, at 0
        for label, value in sample.labels.items():
            if label != "le":
                values.setdefault(label, set()).add(value)
    return {label: sorted(there) for label, there in sorted(values.items())} | {
        "requests counted": sum(one.value for one in samples if one.name == COUNTER)
    }


async def names(instrument: Instrument) -> dict[str, str]:
    """Which metrics there are, with kind and labels, and what is put into other registries.

    What earlier tries have left in the default registry does not count: only what is put there
    now, or would be if the name were free.
    """
    put = list[tuple[CollectorRegistry, Any]]()
    register = CollectorRegistry.register

    def noted(self: CollectorRegistry, collector: Any) -> None:
        put.append((self, collector))
        register(self, collector)

    with mock.patch.object(CollectorRegistry, "register", noted):
        app, registry = instrumented(instrument, shop())
        await Exchange(app, "GET", "/orders/3").end()
    new = {
        str(getattr(collector, "_name", kind(collector)))
        for where, collector in put
        if where is not registry
    }
    found = {}
    for family in registry.collect():
        own = {label for one in family.samples for label in one.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(sorted(own)) or "no labels"
        helped = "" if family.documentation.strip() else ", no help text"
        found[name] = f"{family.type}: {labels}{helped}"
    return found | {f"{name}, in another registry": "left over" for name in sorted(new)}


async def other_scopes(instrument: Instrument) -> dict[str, Any]:
    """What reaches the app of a lifespan and a websocket, and what is counted of them."""
    began, changed = list[str](), list[str]()
    given = shop(began=began)
    given.add_middleware(_Inside, changed=changed)
    app, registry = instrumented(instrument, given)
    sent = list[str]()
    told = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, Any]:
        return {"type": next(told, "websocket.connect")}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async with asyncio.timeout(_PATIENCE_S * time_factor()):
        lifespan = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        await app(lifespan, receive, send)
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "path": "/nowhere",
            "raw_path": b"/nowhere",
            "root_path": "",
            "query_string": b"",
            "headers": [],
            "subprotocols": [],
            "state": {},
        }
        await app(scope, receive, send)
    return {"began": began, "sent": sent, "changed": changed, "metrics": figures(registry)}


class _Inside:
    """The innermost middleware of the check's shop: notes what is not as the check sent it."""

    _KEYS: ClassVar = {
        "lifespan": {"type", "asgi", "state"},
        "websocket": {"type", "asgi", "path", "raw_path", "root_path", "query_string"}
        | {"headers", "subprotocols", "state"},
    }

    def __init__(self, app: Any, changed: list[str]) -> None:
        self._app, self._changed = app, changed

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        own = self._KEYS[scope["type"]] | {"app"}  # FastAPI adds the app
        self._changed += [f"scope[{key!r}] of a {scope['type']}" for key in scope.keys() - own]

        async def seen() -> Any:
            message = await receive()
            if message.keys() != {"type"}:
                self._changed.append(f"the message {message['type']}")
            return message

        await self._app(scope, seen, send)
