"""What becomes of the work and its client with the guard of exercise 05.3, as plain values."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from itertools import pairwise
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from helpers.course.exercises.m05.live import ALL, asking, clients_of, leave, until
from helpers.course.limits import time_factor
from helpers.course.loop import Staged
from helpers.testbed import HeldModel, Seen

Guard = Callable[[Request, Coroutine[Any, Any, str]], Awaitable[str]]


MOST_LOOKS = 25
"""How often a guard may look within 0.15 s; the statement says a hundred times a second."""


class _Question(BaseModel):
    message: str


class _Watched(Request):
    """A request that keeps when someone looks whether its client is there."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.scope, request.receive)
        self.made = asyncio.get_running_loop().time()
        self.looked_at = list[float]()

    async def is_disconnected(self) -> bool:
        self.looked_at.append(asyncio.get_running_loop().time())
        return await super().is_disconnected()

    def longest_pause(self) -> float:
        """Seconds for which nobody looked, from its making until now.

        0 where nobody looked at all: who reads the server's messages learns it without looking.
        """
        if not self.looked_at:
            return 0.0
        times = [self.made, *self.looked_at, asyncio.get_running_loop().time()]
        return max(later - earlier for earlier, later in pairwise(times))


LONGEST_PAUSE_S = 0.3
"""How long a guard may not look; the statement says five times a second."""


class _FaultError(Staged):
    """What the work raises."""


class _Kitchen:
    """Work that needs a moment to clear up when it ends, as a real model's does.

    Args:
        fails: whether clearing up raises an error.
        returns: whether work that is cancelled clears up and returns a text.
        clear_s: seconds that clearing up takes.

    Attributes:
        model: lets the work go on.
        started: how many works began; `running` of them have not ended.
        requests: what the guard was given, in order.
    """

    def __init__(
        self, *, fails: bool = False, returns: bool = False, clear_s: float = 0.05
    ) -> None:
        self.model = HeldModel(answer=lambda messages: str(messages[-1].text))
        self.started = self.running = 0
        self.requests = list[_Watched]()
        self._fails, self._returns, self._clear_s = fails, returns, clear_s

    async def answer(self, message: str) -> str:
        self.started += 1
        self.running += 1
        try:
            text = (await self.model.ainvoke(f"{message} it is")).text
            if message == "break":
                raise _FaultError("the model's process ended")
            if message == "late":
                raise TimeoutError("the model's own")
            return "" if message == "nothing" else text
        except asyncio.CancelledError:
            if self._returns:
                return "cut"
            raise
        finally:
            try:
                await asyncio.sleep(self._clear_s)
            finally:
                self.running -= 1
            if self._fails:
                raise _FaultError("the connection to the model was lost")


def _app(
    kitchen: _Kitchen,
    guard: Guard,
    left: list[int],
    deadline_s: float = 9.0,
    behind: list[int] | None = None,
) -> FastAPI:
    """An app that answers in one piece, with the learner's guard around the work.

    When the guard says that the client has left, `left` gets how many works have not ended.
    `behind`, if any, gets how many tasks of a guard whose client stays are there a
    moment after it has ended.
    """
    app = FastAPI()

    async def guarded(request: _Watched, work: Coroutine[Any, Any, str]) -> str:
        before, counts = asyncio.all_tasks(), behind is not None
        try:
            return await guard(request, work)
        except ClientDisconnect:
            counts = False  # the next client has come in the meantime
            raise
        finally:
            if behind is not None and counts:
                await asyncio.sleep(0.02)  # a task that was cancelled ends within a moment
                behind.append(len(asyncio.all_tasks() - before))

    @app.post("/chat")
    async def chat(question: _Question, request: Request) -> Response:
        watched = _Watched(request)
        kitchen.requests.append(watched)
        try:
            async with asyncio.timeout(deadline_s):
                return JSONResponse(await guarded(watched, kitchen.answer(question.message)))
        except ClientDisconnect:
            left.append(kitchen.running)
            return Response(status_code=499)
        except TimeoutError:
            return JSONResponse("too late", 504)
        except _FaultError:
            return JSONResponse("the work's error", 502)

    return app


def _got(seen: Seen) -> str:
    return f"{seen.status} {seen.body!r}"


async def one_leaves(guard: Guard, message: str) -> dict[str, str]:
    """Two clients ask, and one leaves: what becomes of its work, and what the other gets."""
    kitchen, left = _Kitchen(), list[int]()
    async with clients_of(_app(kitchen, guard, left)) as clients:
        leaver = asking(clients, "leaver", {"message": "tent"})
        await until(lambda: kitchen.running == 1)
        stayer = asking(clients, "stayer", {"message": message})
        await until(lambda: kitchen.running == 2)
        await leave(leaver)
        stopped = await until(lambda: kitchen.running == 1)
        kitchen.model.let(ALL)
        return {
            "work for the one who left": "stopped" if stopped else "goes on",
            "the one who stayed": _got(await stayer),
        }


async def answers(guard: Guard) -> list[str]:
    """What four clients get who ask at the same time, one of them an empty text."""
    kitchen = _Kitchen()
    async with clients_of(_app(kitchen, guard, [])) as clients:
        messages = ["boots", "nothing", "stove", "tent"]
        tasks = [asking(clients, message, {"message": message}) for message in messages]
        together = await until(lambda: kitchen.running == 4)
        running = kitchen.running
        kitchen.model.let(ALL)
        if not together:
            await asyncio.gather(*tasks)
            return [f"{running} of 4 works run at the same time"]
        return [_got(await task) for task in tasks]


async def looking(guard: Guard) -> str:
    """Whether it looks often enough while a client waits."""
    kitchen = _Kitchen()
    async with clients_of(_app(kitchen, guard, [])) as clients:
        waiter = asking(clients, "waiter", {"message": "tent"})
        await until(lambda: kitchen.running == 1)
        await asyncio.sleep(0.45)
        pause = kitchen.requests[0].longest_pause()
        kitchen.model.let(ALL)
        await waiter
        return (
            f"once in {pause:.2f} s" if pause > LONGEST_PAUSE_S * time_factor() else "often enough"
        )


async def in_order(guard: Guard, **options: Any) -> str:
    """Whether the work has ended when the guard says that the client has left.

    `options` are those of the kitchen.
    """
    kitchen, left = _Kitchen(**options), list[int]()
    async with clients_of(_app(kitchen, guard, left)) as clients:
        leaver = asking(clients, "leaver", {"message": "tent"})
        await until(lambda: kitchen.running == 1)
        await leave(leaver)
        raised = await until(lambda: bool(left))
        kitchen.model.let(ALL)
        if not raised:
            return "no ClientDisconnect"
        return f"ClientDisconnect, {sum(left)} not ended"


async def deadline(guard: Guard) -> str:
    """A deadline around the guard passes: what the client gets, and how much work goes on."""
    kitchen = _Kitchen()
    async with clients_of(_app(kitchen, guard, [], deadline_s=0.15)) as clients:
        late = asking(clients, "late", {"message": "tent"})
        await until(lambda: kitchen.running == 1)
        await until(late.done)
        running = kitchen.running
        kitchen.model.let(ALL)
        looks = len(kitchen.requests[0].looked_at) if kitchen.requests else 0
        busy = f", looked {looks} times" if looks > MOST_LOOKS else ""
        return f"{_got(await late)}, {running} not ended{busy}"


async def left_behind(guard: Guard) -> int:
    """Tasks that are there after two answers, two errors and two clients who left."""
    kitchen, after_each = _Kitchen(), list[int]()
    async with clients_of(_app(kitchen, guard, [], behind=after_each)) as clients:
        before = asyncio.all_tasks()
        for number in range(6):
            message = "break" if number % 3 == 2 else "tent"
            task = asking(clients, f"client {number}", {"message": message})
            await until(lambda number=number: kitchen.started > number)  # type: ignore[misc]
            if number % 3 == 1:
                await leave(task)
                if not await until(lambda: kitchen.running == 0):
                    break  # its work would take the words that are meant for the next one
                continue
            kitchen.model.let(3)
            await task
        await until(lambda: not asyncio.all_tasks() - before, 0.5)
        behind = len(asyncio.all_tasks() - before)
        kitchen.model.let(ALL)
        return max(behind, *after_each, 0)
