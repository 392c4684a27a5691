"""Answers to exercise 05.3, right and wrong."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from helpers.authoring.answers import right, wrong

Work = Coroutine[Any, Any, str]


async def gone(request: Request, every_s: float = 0.02) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(every_s)


def watching(
    *,
    every_s: float = 0.02,
    result: Callable[[asyncio.Task[str]], Any] = lambda working: working.result(),
    awaits: bool = True,
) -> object:
    """The guard as it should be, except for what is named here."""

    async def while_connected(request: Request, work: Work) -> Any:
        working = asyncio.create_task(work)
        watch = asyncio.create_task(gone(request, every_s))
        try:
            await asyncio.wait([working, watch], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            return result(working)
        finally:
            working.cancel()
            watch.cancel()
            if awaits:
                await asyncio.gather(working, watch, return_exceptions=True)

    return while_connected


@wrong("Only waits for the work.", slip="goes-on")
def only_waits() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        return await work

    return while_connected


@wrong("Looks once, before the work.", slip="goes-on")
def looks_once() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        if await request.is_disconnected():
            raise ClientDisconnect
        return await work

    return while_connected


@wrong("Looks three times a second.", slip="too-seldom")
def three_a_second() -> object:
    return watching(every_s=0.33)


@wrong("One request at a time.", slip="one-by-one")
def one_at_a_time() -> object:
    inner: Any = watching()
    locks: dict[object, asyncio.Lock] = {}

    async def while_connected(request: Request, work: Work) -> str:
        async with locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            text: str = await inner(request, work)
            return text

    return while_connected


@wrong("Takes a TimeoutError of the work for its own.", slip="own-timeout")
def timeout_confused() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        working = asyncio.ensure_future(work)
        try:
            while True:
                try:
                    return await asyncio.wait_for(asyncio.shield(working), 0.05)
                except TimeoutError:
                    await asyncio.sleep(0.01)
                    if await request.is_disconnected():
                        raise ClientDisconnect from None
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    return while_connected


@wrong("Waits for 0.2 seconds at most until the work has ended.", slip="not-awaited")
def waits_not_long() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        working = asyncio.create_task(work)
        watch = asyncio.create_task(gone(request))
        try:
            await asyncio.wait([working, watch], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            return working.result()
        finally:
            working.cancel()
            watch.cancel()
            await asyncio.wait([working, watch], timeout=0.2)

    return while_connected


@wrong("The text of work that was cancelled comes out.", slip="its-text")
def text_of_cancelled_work() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        working = asyncio.create_task(work)
        watch = asyncio.create_task(gone(request))
        try:
            await asyncio.wait([working, watch], return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            with suppress(asyncio.CancelledError):
                return await working
            raise ClientDisconnect
        finally:
            working.cancel()
            watch.cancel()
            await asyncio.gather(working, watch, return_exceptions=True)

    return while_connected


@wrong("The watch stays when the work raises an error.", slip="behind")
def watch_after_an_error() -> object:
    kept = set()

    async def while_connected(request: Request, work: Work) -> str:
        working = asyncio.create_task(work)
        watch = asyncio.create_task(gone(request))
        kept.add(watch)
        try:
            await asyncio.wait([working, watch], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientDisconnect
            text = working.result()
            watch.cancel()
            return text
        finally:
            if not working.done():
                working.cancel()
                watch.cancel()
                await asyncio.gather(working, watch, return_exceptions=True)

    return while_connected


@wrong("Looks once a minute.", slip="no-disconnect")
def looks_rarely() -> object:
    return watching(every_s=60)


@wrong("Forgets to return the result.", slip="no-return")
def forgets_to_return() -> object:
    def result(working: asyncio.Task[str]) -> None:
        working.result()

    return watching(result=result)


@wrong("The first answer for everybody.")
def first_answer() -> object:
    answers: list[str] = []

    def result(working: asyncio.Task[str]) -> str:
        answers.append(working.result())
        return answers[0]

    return watching(result=result)


@wrong("The last answer for everybody.")
def last_answer() -> object:
    works: list[asyncio.Task[str]] = []
    inner: Any = watching()

    async def while_connected(request: Request, work: Work) -> str:
        task = asyncio.create_task(inner(request, work))
        works.append(task)
        await asyncio.wait([task])
        return works[-1].result() if works[-1].done() else task.result()

    return while_connected


@wrong("An empty text is no result.", slip="empty-lost")
def empty_is_nothing() -> object:
    def result(working: asyncio.Task[str]) -> str:
        if not working.result():
            raise ClientDisconnect
        return working.result()

    return watching(result=result)


@wrong("The result with the spaces at its ends removed, and in capitals.")
def in_capitals() -> object:
    return watching(result=lambda working: working.result().upper())


@wrong("An error becomes an empty answer.", slip="other-error")
def error_as_text() -> object:
    return watching(result=lambda working: "" if working.exception() else working.result())


@wrong("An error becomes a ClientDisconnect.", slip="other-error")
def error_as_disconnect() -> object:
    def result(working: asyncio.Task[str]) -> str:
        if working.exception():
            raise ClientDisconnect
        return working.result()

    return watching(result=result)


@wrong("Says that everybody has left.", slip="stayer-refused")
def everybody_left() -> object:
    def result(working: asyncio.Task[str]) -> str:
        raise ClientDisconnect

    return watching(result=result)


@wrong("Asks the work to end, and does not wait.", slip="not-awaited")
def does_not_wait() -> object:
    return watching(awaits=False)


@wrong("Returns an empty text when the client has left.", slip="no-disconnect")
def returns_nothing() -> object:
    inner: Any = watching()

    async def while_connected(request: Request, work: Work) -> str:
        try:
            return str(await inner(request, work))
        except ClientDisconnect:
            return ""

    return while_connected


@wrong("The error of clearing up comes out.", slip="its-error")
def error_of_clearing_up() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        working, watch = asyncio.create_task(work), asyncio.create_task(gone(request))
        try:
            await asyncio.wait([working, watch], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            raise ClientDisconnect
        finally:
            working.cancel()
            watch.cancel()
            await asyncio.gather(working, watch, return_exceptions=True)

    return while_connected


@wrong("Leaves a watch behind.", slip="behind")
def leaves_the_watch() -> object:
    inner: Any = watching()

    async def watch(request: Request) -> None:
        while True:  # it does not end with the request
            await request.is_disconnected()
            await asyncio.sleep(0.01)

    async def while_connected(request: Request, work: Work) -> str:
        asyncio.create_task(watch(request))  # noqa: RUF006 - that is the mistake
        return str(await inner(request, work))

    return while_connected


@wrong("Ends the watch only when the client has left.")
def watch_of_those_who_stay() -> object:
    async def watch(request: Request) -> None:
        while True:
            await asyncio.sleep(0.02)
            if await request.is_disconnected() and request.headers.get("x-caller") == "nobody":
                return

    async def while_connected(request: Request, work: Work) -> str:
        inner: Any = watching()
        left = asyncio.create_task(watch(request))
        try:
            return str(await inner(request, work))
        except ClientDisconnect:
            left.cancel()
            raise

    return while_connected


@wrong("Cancelled itself, it leaves the work running.", slip="outlives")
def forgets_its_own_end() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        working, watch = asyncio.create_task(work), asyncio.create_task(gone(request))
        await asyncio.wait([working, watch], return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait([working])
            raise ClientDisconnect
        return working.result()

    return while_connected


@wrong("Cancelled itself, it says that the client has left.")
def cancelled_is_left() -> object:
    inner: Any = watching()

    async def while_connected(request: Request, work: Work) -> str:
        try:
            return str(await inner(request, work))
        except asyncio.CancelledError:
            raise ClientDisconnect from None

    return while_connected


@wrong("Looks without a pause.", slip="busy")
def looks_all_the_time() -> object:
    return watching(every_s=0)


@right("Looks every 0.1 seconds.")
def every_tenth() -> object:
    return watching(every_s=0.1)


@right("Looks five times a second.")
def every_fifth() -> object:
    return watching(every_s=0.2)


@right("One task, and a loop that looks between waits.")
def one_task() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        working = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait([working], timeout=0.05))[0]:
                if await request.is_disconnected():
                    raise ClientDisconnect
            return working.result()
        finally:
            working.cancel()
            await asyncio.wait([working])

    return while_connected


@right("Waits for the message of the server that the client has gone.")
def receives() -> object:
    async def left(request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async def while_connected(request: Request, work: Work) -> str:
        working, watch = asyncio.create_task(work), asyncio.create_task(left(request))
        try:
            await asyncio.wait({working, watch}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return await working
            raise ClientDisconnect
        finally:
            for task in (working, watch):
                task.cancel()
            await asyncio.gather(working, watch, return_exceptions=True)

    return while_connected


@right("A task group of anyio, with its scope cancelled.")
def with_anyio() -> object:
    async def while_connected(request: Request, work: Work) -> str:
        found: list[str] = []
        failed: list[Exception] = []

        async with anyio.create_task_group() as group:

            async def run() -> None:
                try:
                    found.append(await work)
                except Exception as error:
                    failed.append(error)
                group.cancel_scope.cancel()

            async def watch() -> None:
                while not await request.is_disconnected():
                    await anyio.sleep(0.05)
                left.append(True)
                group.cancel_scope.cancel()

            left: list[bool] = []
            group.start_soon(run)
            group.start_soon(watch)
        if left and not found:
            raise ClientDisconnect
        if failed:
            raise failed[0]
        return found[0]

    return while_connected


@right("A class that is called.")
def a_class() -> object:
    class Guard:
        async def __call__(self, request: Request, work: Work) -> str:
            inner: Any = watching(every_s=0.15)
            return str(await inner(request, work))

    return Guard()
