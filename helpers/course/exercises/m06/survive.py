"""What happens to the application of exercise 06.5: replicas that die, in this process.

`Scripted` takes the place of the model. What it raises comes out of the writer's handle, as it
would if the replica had died or the queue were full.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import httpx2
from ray.exceptions import ActorDiedError, RayActorError
from ray.serve.exceptions import BackPressureError

from helpers.course.exercises.m06.replicas import Shared, clients_of, deployments, until
from helpers.course.exercises.m06.telling import tells
from helpers.testbed import Clients, Seen

MakeApp = Callable[[Any], Any]

SECRET = "key sk-4711 was refused by 10.0.0.7"
FULL = "503, Retry-After: 1"
_TOKEN = "token: "

Step = str | Exception | asyncio.Event


class Scripted(Shared):
    """Writes by a script: for each message the tries, of which the last is repeated.

    A try is pieces of text, and exceptions, which it raises. `asked` counts the tries.
    """

    def __init__(self, tries: Mapping[str, Sequence[Sequence[Step]]]) -> None:
        self.tries = tries
        self.asked: Counter[str] = Counter()

    async def __call__(self, message: str) -> AsyncIterator[str]:
        """The pieces of the next try."""
        tries = self.tries[message]
        number, self.asked[message] = self.asked[message], self.asked[message] + 1
        for step in tries[min(number, len(tries) - 1)]:
            await asyncio.sleep(0.002)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                while not step.is_set():  # it is set on another loop
                    await asyncio.sleep(0.002)
                continue
            yield step


def dead() -> Exception:
    """What a handle raises when a replica has died."""
    return ActorDiedError()


def full() -> Exception:
    """What a handle raises when the queue is full."""
    return BackPressureError(8, 8)


async def _events(clients: Clients, message: str, raised: Sequence[Exception] = ()) -> list[str]:
    """What one client reads: its events, or the status."""
    read = list[str]()
    async with clients.http.stream("POST", "/chat", json={"message": message}) as response:
        if response.status_code != 200:
            await response.aread()
            after = response.headers.get("retry-after")
            return [f"{response.status_code}" + (f", Retry-After: {after}" if after else "")]
        try:
            async for event in httpx2.EventSource(response):
                read.append(_read(event, raised))
        except (httpx2.TransportError, httpx2.SSEError) as error:
            read.append("no event stream" if isinstance(error, httpx2.SSEError) else "cut")
    return read


def _read(event: httpx2.ServerSentEvent, raised: Sequence[Exception] = ()) -> str:
    try:
        data = json.loads(event.data)
    except ValueError:
        return f"{event.event} with data that is no JSON"
    if not isinstance(data, dict):
        return f"{event.event} whose data is no JSON object"
    if event.event == "token":
        if set(data) != {"text"} or not isinstance(data["text"], str):
            return f"token with the data {json.dumps(data)}"
        return _TOKEN + data["text"]
    if said := tells(json.dumps(data, ensure_ascii=False), raised):
        return f"{event.event} that tells of the exception ({said!r})"
    return event.event


def _joined(read: Sequence[str]) -> list[str]:
    """The texts of tokens put together, since how they were cut is left open; then the rest."""
    text = "".join(one.removeprefix(_TOKEN) for one in read if one.startswith(_TOKEN))
    return [text, ", ".join(one for one in read if not one.startswith(_TOKEN))]


async def _all(
    make: MakeApp, tries: Mapping[str, Sequence[Sequence[Step]]]
) -> dict[str, list[str]]:
    """Clients ask all of these at once: the text, the end, and how often each was asked for."""
    steps = [step for all_tries in tries.values() for one in all_tries for step in one]
    raised = [step for step in steps if isinstance(step, Exception)]
    write = Scripted(tries)
    async with clients_of(make(write), patience_s=5.0) as clients:
        read = await asyncio.gather(*(_events(clients, name, raised) for name in tries))
    return {
        name: [*_joined(one), _tries(write.asked[name])]
        for name, one in zip(tries, read, strict=True)
    }


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"


async def pieces(make: MakeApp) -> dict[str, Any]:
    """An answer piece by piece while it is written; another model's; bodies that are none."""
    held = asyncio.Event()
    write = Scripted({"weight?": [["It weighs", ' "2.1"\n\nkg', held, " for two."]]})
    early: list[str] = []
    async with clients_of(make(write)) as clients:
        asking = asyncio.create_task(_watched(clients, early))
        await until(lambda: len(early) >= 2 or asking.done())
        while_written = list(early)
        held.set()
        rest = (await asking)[len(while_written) :]
        bad = [await _status(clients, body) for body in ({}, {"message": ""}, {"message": 7})]
    other = Scripted({"price?": [["90 euros."]], "nothing": [[]]})
    async with clients_of(make(other)) as clients:
        elsewhere = [await _events(clients, "price?"), await _events(clients, "nothing")]
    return {
        "while it is written": while_written,
        "then": rest,
        "another model": elsewhere,
        "bodies that are none": bad,
    }


async def _watched(clients: Clients, into: list[str]) -> list[str]:
    async with clients.http.stream("POST", "/chat", json={"message": "weight?"}) as response:
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            await response.aread()
            into.append(f"{response.status_code}, no event stream")
            return into
        async for event in httpx2.EventSource(response):
            into.append(_read(event))
    return into


async def _status(clients: Clients, body: Any) -> int:
    seen: Seen = await clients.ask(body)
    return seen.status


WRITTEN = {
    "while it is written": ["token: It weighs", 'token:  "2.1"\n\nkg'],
    "then": ["token:  for two.", "done"],
    "another model": [["token: 90 euros.", "done"], ["done"]],
    "bodies that are none": [422] * 3,
}
"""What `pieces` must give."""


async def dying(make: MakeApp) -> dict[str, list[str]]:
    """Answers whose replicas die, all asked for at once."""
    return await _all(
        make,
        {
            "after a piece": [["It weighs", dead()], ["It", " weighs 2", ".1 kg"]],
            "before the first": [[dead()], ["It weighs", " 2.1 kg"]],
            "three times": [
                ["A", " tent", dead()],
                ["A", RayActorError()],
                ["A", " tent", " for", dead()],
                ["A", " tent", " for", " two"],
            ],
            "never": [["Free", " returns"]],
            "no text": [[dead()], []],
            "after the last": [["Five", " days", dead()], ["Five", " days"]],
        },
    )


SURVIVED = {
    "after a piece": ["It weighs 2.1 kg", "done", "2 tries"],
    "before the first": ["It weighs 2.1 kg", "done", "2 tries"],
    "three times": ["A tent for two", "done", "4 tries"],
    "never": ["Free returns", "done", "1 try"],
    "no text": ["", "done", "2 tries"],
    "after the last": ["Five days", "done", "2 tries"],
}
"""What `dying` must give."""


async def failing(make: MakeApp) -> dict[str, list[str]]:
    """Answers that cannot be saved, all asked for at once."""
    return await _all(
        make,
        {
            "four die": [["It", dead()], ["It", " weighs", dead()]],
            "four die at once": [[dead()]],
            "another answer": [["It weighs", dead()], ["It", " costs 90 euros"]],
            "a shorter answer": [["It weighs 2", dead()], ["It weighs"]],
            "an empty answer": [["It weighs", dead()], []],
            "another exception": [["It", ValueError(SECRET)], ["It", " weighs"]],
            "another exception at once": [[OSError(SECRET)], ["It", " weighs"]],
            "another one later": [["It", dead()], ["It", " is", LookupError(SECRET)], ["It"]],
        },
    )


TOLD = {
    "four die": ["It weighs", "error", "4 tries"],
    "four die at once": ["", "error", "4 tries"],
    "another answer": ["It weighs", "error", "2 tries"],
    "a shorter answer": ["It weighs 2", "error", "2 tries"],
    "an empty answer": ["It weighs", "error", "2 tries"],
    "another exception": ["It", "error", "1 try"],
    "another exception at once": ["", "error", "1 try"],
    "another one later": ["It is", "error", "2 tries"],
}
"""What `failing` must give."""


async def crowded(make: MakeApp) -> dict[str, list[str]]:
    """Answers for which there is no place, all asked for at once."""
    return await _all(
        make,
        {
            "full": [[full()]],
            "full after a death, nothing sent": [[dead()], [full()]],
            "full after a piece": [["It", dead()], [full()]],
        },
    )


REFUSED = {
    "full": ["", FULL, "1 try"],
    "full after a death, nothing sent": ["", FULL, "2 tries"],
    "full after a piece": ["It", "error", "2 tries"],
}
"""What `crowded` must give."""


def options(make: MakeApp) -> dict[str, Any]:
    """The options of the two deployments."""
    gateway, others = deployments(make(Scripted({})))
    if len(others) != 1:
        return {"deployments beside the gateway": len(others)}
    writer = {**_options(others[0]), "waiting": others[0].max_queued_requests}
    surge = gateway._deployment_config.max_surge_percent
    return {
        "gateway": {**_options(gateway), "ready before the old one stops": surge > 0},
        "writer": writer,
    }


def _options(deployment: Any) -> dict[str, Any]:
    leave = deployment._deployment_config.graceful_shutdown_timeout_s
    return {
        "replicas": deployment.num_replicas,
        "at the same time": deployment.max_ongoing_requests,
        "30 seconds to finish": leave >= 30,
    }


CONFIGURED = {
    "gateway": {
        "replicas": 1,
        "at the same time": 100,
        "30 seconds to finish": True,
        "ready before the old one stops": True,
    },
    "writer": {"replicas": 2, "at the same time": 4, "30 seconds to finish": True, "waiting": 8},
}
"""What `options` must give."""
