import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.routing import Route

from helpers.authoring.answers import right, wrong
from helpers.course.exercises.m05.probing import Service

Reasons = Callable[[Service], Awaitable[list[str]]]


async def model_away(service: Service, *, patience: float | None = 0.5) -> bool:
    try:
        async with asyncio.timeout(patience):
            await service.ping()
    except Exception:
        return True
    return not service.loaded


def others(service: Service) -> list[str]:
    queue = ["queue"] if service.waiting >= service.most_waiting else []
    return [*queue, "stopping"] if service.stopping else queue


async def all_reasons(service: Service, *, patience: float | None = 0.5) -> list[str]:
    model = ["model"] if await model_away(service, patience=patience) else []
    return [*model, *others(service)]


def alive() -> dict[str, str]:
    return {"status": "alive"}


def said(reasons: list[str]) -> JSONResponse:
    return JSONResponse({"reasons": reasons}, 503 if reasons else 200)


def router(live: Callable[..., Any], is_ready: Callable[..., Any]) -> APIRouter:
    made = APIRouter()
    made.add_api_route("/livez", live)
    made.add_api_route("/readyz", is_ready)
    return made


def probing(reasons: Reasons, say: Callable[[list[str]], Any] = said) -> object:
    """Probes as they should be, but for the reasons that /readyz finds and how it says them."""

    def probes(service: Service) -> APIRouter:
        async def is_ready() -> Any:
            return say(await reasons(service))

        return router(alive, is_ready)

    return probes


@wrong("No routes.", slip="no-route")
def no_routes() -> object:
    return lambda service: APIRouter()


@wrong("Nothing at all is returned.")
def returns_nothing() -> object:
    return lambda service: None


@wrong("Always ready.", slip="always-ready")
def always_ready() -> object:
    async def reasons(service: Service) -> list[str]:
        return []

    return probing(reasons)


@wrong("One probe under two names.", slip="one-for-both")
def one_probe_for_both() -> object:
    def probes(service: Service) -> APIRouter:
        async def is_ready() -> JSONResponse:
            return said(await all_reasons(service))

        return router(is_ready, is_ready)

    return probes


@wrong("Once not ready, never ready.", slip="never-again")
def never_again() -> object:
    def probes(service: Service) -> APIRouter:
        found: set[str] = set()

        async def is_ready() -> JSONResponse:
            found.update(await all_reasons(service))
            return said(list(found))

        return router(alive, is_ready)

    return probes


@wrong("Looks at the service when the router is made.")
def looks_once() -> object:
    def probes(service: Service) -> APIRouter:
        stopping, full = service.stopping, service.waiting >= service.most_waiting

        async def is_ready() -> JSONResponse:
            model = ["model"] if await model_away(service) else []
            return said([*model, *["queue"] * full, *["stopping"] * stopping])

        return router(alive, is_ready)

    return probes


@wrong("Waits for a ping without end.", slip="waits-without-end")
def waits_without_end() -> object:
    return probing(lambda service: all_reasons(service, patience=None))


@wrong("Waits for a ping for 2.6 s.", slip="waits-without-end")
def waits_too_long() -> object:
    return probing(lambda service: all_reasons(service, patience=2.6))


@wrong("Gives a ping 0.9 s.", slip="too-patient")
def too_patient() -> object:
    return probing(lambda service: all_reasons(service, patience=0.9))


@wrong("Gives a ping 0.1 s.", slip="impatient")
def impatient() -> object:
    return probing(lambda service: all_reasons(service, patience=0.1))


@wrong("Answers, and leaves the ping running.", slip="ping-left-running")
def leaves_the_ping() -> object:
    kept = set()

    async def reasons(service: Service) -> list[str]:
        ping = asyncio.ensure_future(service.ping())
        kept.add(ping)
        done, _ = await asyncio.wait([ping], timeout=0.5)
        away = not done or ping.exception() is not None or not service.loaded
        return [*["model"] * away, *others(service)]

    return probing(reasons)


@wrong("Expects ConnectionError alone.", slip="uncaught")
def one_error_alone() -> object:
    async def reasons(service: Service) -> list[str]:
        try:
            async with asyncio.timeout(0.5):
                await service.ping()
        except (ConnectionError, TimeoutError):
            return ["model", *others(service)]
        return [*["model"] * (not service.loaded), *others(service)]

    return probing(reasons)


@wrong("The weights are not looked at.", slip="not-loaded")
def not_loaded() -> object:
    async def reasons(service: Service) -> list[str]:
        loaded, service.loaded = service.loaded, True
        try:
            return await all_reasons(service)
        finally:
            service.loaded = loaded

    return probing(reasons)


def with_queue(full: Callable[[int, int], bool]) -> object:
    async def reasons(service: Service) -> list[str]:
        found = [name for name in await all_reasons(service) if name != "queue"]
        return [*found, "queue"] if full(service.waiting, service.most_waiting) else found

    return probing(reasons)


@wrong("Full only when it is more than full.", slip="full-too-late")
def one_too_late() -> object:
    return with_queue(lambda waiting, most: waiting > most)


@wrong("Full only when exactly so many wait.", slip="full-only-exactly")
def exactly_full() -> object:
    return with_queue(lambda waiting, most: waiting == most)


@wrong("Full at 4, whatever the service says.")
def always_four() -> object:
    return with_queue(lambda waiting, most: waiting >= 4)


@wrong("Does not say that it stops.", slip="stopping-ignored")
def goes_on() -> object:
    async def reasons(service: Service) -> list[str]:
        return [name for name in await all_reasons(service) if name != "stopping"]

    return probing(reasons)


@wrong("Stops at the first reason.", slip="first-reason")
def first_reason_only() -> object:
    async def reasons(service: Service) -> list[str]:
        return (await all_reasons(service))[:1]

    return probing(reasons)


@wrong("Names the model once for each sign that it is away.", slip="said-twice")
def model_named_twice() -> object:
    async def reasons(service: Service) -> list[str]:
        loading = ["model"] * (not service.loaded)
        loaded, service.loaded = service.loaded, True
        try:
            return [*loading, *await all_reasons(service)]
        finally:
            service.loaded = loaded

    return probing(reasons)


@wrong("The reasons are a text.", slip="another-body")
def reasons_as_text() -> object:
    return probing(all_reasons, lambda found: JSONResponse(", ".join(found), 503 if found else 200))


@wrong("Reasons with true and false.", slip="another-body")
def reasons_as_flags() -> object:
    names = ("model", "queue", "stopping")
    return probing(
        all_reasons,
        lambda found: JSONResponse({name: name in found for name in names}, 503 if found else 200),
    )


@wrong("FastAPI puts the reasons under detail.", slip="another-body")
def under_detail() -> object:
    def say(found: list[str]) -> dict[str, Any]:
        if found:
            raise HTTPException(503, {"reasons": found})
        return {"reasons": []}

    return probing(all_reasons, say)


@wrong("No reasons when it is ready.", slip="another-body")
def no_body_when_ready() -> object:
    return probing(all_reasons, lambda found: said(found) if found else Response(status_code=200))


@wrong("Says 503 with the status 200.")
def status_in_the_body() -> object:
    return probing(all_reasons, lambda found: JSONResponse({"reasons": found}))


@wrong("/livez pings, and says 200 all the same.", slip="live-pings")
def live_pings() -> object:
    def probes(service: Service) -> APIRouter:
        async def live() -> dict[str, bool]:
            return {"model": not await model_away(service)}

        async def is_ready() -> JSONResponse:
            return said(await all_reasons(service))

        return router(live, is_ready)

    return probes


@wrong("A lock lets one ping run at a time.", slip="one-by-one")
def one_ping_at_a_time() -> object:
    lock = asyncio.Lock()

    async def reasons(service: Service) -> list[str]:
        async with lock:
            return await all_reasons(service)

    return probing(reasons)


@wrong("Pings twice, to be sure.")
def pings_twice() -> object:
    async def reasons(service: Service) -> list[str]:
        await model_away(service)
        return await all_reasons(service)

    return probing(reasons)


@wrong("All services share the router of the first.")
def one_router_for_all() -> object:
    made: list[APIRouter] = []

    def probes(service: Service) -> APIRouter:
        async def is_ready() -> JSONResponse:
            return said(await all_reasons(service))

        made.append(router(alive, is_ready))
        return made[0]

    return probes


@right("Bounds the ping with anyio.")
def with_anyio() -> object:
    async def reasons(service: Service) -> list[str]:
        away = True
        with anyio.move_on_after(0.5):
            try:
                await service.ping()
                away = not service.loaded
            except Exception:
                away = True
        return [*others(service), *["model"] * away]

    return probing(reasons)


@right("wait_for, and no ping while the weights are loading.")
def with_wait_for() -> object:
    async def reasons(service: Service) -> list[str]:
        away = not service.loaded
        if not away:
            try:
                await asyncio.wait_for(service.ping(), 0.5)
            except Exception:
                away = True
        return [*["model"] * away, *others(service)]

    return probing(reasons)


@right("A class with a response model, and the status set on the response.")
def class_based() -> object:
    class Readiness(BaseModel):
        reasons: list[str]

    class Probes:
        def __init__(self, service: Service) -> None:
            self.service = service

        async def livez(self) -> Response:
            return Response(status_code=200)

        async def readyz(self, response: Response) -> Readiness:
            found = await all_reasons(self.service)
            response.status_code = 503 if found else 200
            return Readiness(reasons=found)

    def probes(service: Service) -> APIRouter:
        made = Probes(service)
        return router(made.livez, made.readyz)

    return probes


@right("A dependency finds the reasons.")
def with_a_dependency() -> object:
    def probes(service: Service) -> APIRouter:
        async def found() -> list[str]:
            return await all_reasons(service)

        def is_ready(reasons: Annotated[list[str], Depends(found)]) -> JSONResponse:
            return said(reasons)

        return router(alive, is_ready)

    return probes


@right("Starlette's routes, which also answer HEAD.")
def starlette_routes() -> object:
    def probes(service: Service) -> APIRouter:
        async def live(request: Request) -> Response:
            return Response("alive")

        async def is_ready(request: Request) -> Response:
            return said(await all_reasons(service))

        return APIRouter(routes=[Route("/livez", live), Route("/readyz", is_ready)])

    return probes


EQUIVALENT = {
    'line 11, \'status\' changed: return {"status": "alive"}': "the body of /livez is free",
    'line 11, \'alive\' changed: return {"status": "alive"}': "the body of /livez is free",
}
