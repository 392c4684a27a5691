"""What becomes of the work and its client with the guard of exercise 05.3, as plain values."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from helpers.course.exercises.m05.live import ALL, asking, clients_of, leave, until
from helpers.testbed import HeldModel, Seen

Guard = Callable[[Request, Coroutine[Any, Any, str]], Awaitable[str]]


MOST_LOOKS = 25
"""How often a guard may look within 0.15 s; the statement says a hundred times a second."""


class _Question(BaseModel):
    message: str


class _Watched(Request):
    """A request that counts how often someone looks whether its client is there."""

    looks = 0

    async def is_disconnected(self) -> bool:
        self.looks += 1
        return await super().is_disconnected()


class _FaultError(Exception):
    """What the work raises."""


class _Kitchen:
    """Work that needs a moment to clear up when it ends, as a real model's does.

    Args:
        fails: whether clearing up raises an error.

    Attributes:
        model: lets the work go on.
        started: how many works began; `running` of them have not ended.
        requests: what the guard was given, in order.
    """

    def __init__(self, *, fails: bool = False) -> None:
        self.model = HeldModel(answer=lambda messages: str(messages[-1].text))
        self.started = self.running = 0
        self.requests = list[_Watched]()
        self._fails = fails

    async def answer(self, message: str) -> str:
        self.started += 1
        self.running += 1
        try:
            text = (await self.model.ainvoke(f"{message} it is")).text
            if message == "break":
                raise _FaultError("the model's process ended")
            return "" if message == "nothing" else text
        finally:
            try:
                await asyncio.sleep(0.05)
            finally:
                self.running -= 1
            if self._fails:
                raise _FaultError("the connection to the model was lost")


def _app(kitchen: _Kitchen, guard: Guard, left: list[int], deadline_s: float = 9.0) -> FastAPI:
    """An app that answers in one piece, with the learner's guard around the work.

    When the guard says that the client has left, `left` gets how many works have not ended.
    """
    app = FastAPI()

    @app.post("/chat")
    async def chat(question: _Question, request: Request) -> Response:
        watched = _Watched(request.scope, request.receive)
        kitchen.requests.append(watched)
        try:
            async with asyncio.timeout(deadline_s):
                return JSONResponse(await guard(watched, kitchen.answer(question.message)))
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
        await until(lambda: kitchen.running == 4)
        kitchen.model.let(ALL)
        return [_got(await task) for task in tasks]


async def in_order(guard: Guard, *, fails: bool = False) -> str:
    """Whether the work has ended when the guard says that the client has left."""
    kitchen, left = _Kitchen(fails=fails), list[int]()
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
        looks = kitchen.requests[0].looks if kitchen.requests else 0
        busy = f", looked {looks} times" if looks > MOST_LOOKS else ""
        return f"{_got(await late)}, {running} not ended{busy}"


async def left_behind(guard: Guard) -> int:
    """Tasks that are there after three answers and three clients who left."""
    kitchen = _Kitchen()
    async with clients_of(_app(kitchen, guard, [])) as clients:
        before = asyncio.all_tasks()
        for number in range(6):
            task = asking(clients, f"client {number}", {"message": "tent"})
            await until(lambda number=number: kitchen.started > number)  # type: ignore[misc]
            if number % 2:
                await leave(task)
                if not await until(lambda: kitchen.running == 0):
                    break  # its work would take the words that are meant for the next one
                continue
            kitchen.model.let(3)
            await task
        await until(lambda: not asyncio.all_tasks() - before, 0.5)
        behind = len(asyncio.all_tasks() - before)
        kitchen.model.let(ALL)
        return behind
