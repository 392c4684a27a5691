"""What clients read from the app of exercise 05.1, as plain values."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import HTTPException

from helpers.course.exercises.m05.live import (
    ALL,
    QUESTION,
    Event,
    asking,
    clients_of,
    events_of,
    leave,
    until,
)
from helpers.testbed import Breaks, HeldModel, SlowModel

MakeApp = Callable[[Any], Any]

HARD_WORDS = ("The", " Alta 2", ' weighs\n("without', ' pegs")', "\n\ndata:", " 2.1", " kg.\r\n")
"""An answer that breaks hand-made events: line breaks, quotes, and a line like the format's own."""

BODIES: dict[str, bytes] = {
    "an empty message": b'{"message": ""}',
    "2,001 characters": b'{"message": "' + b"a" * 2001 + b'"}',
    "no message": b"{}",
    "a number": b'{"message": 7}',
    "null": b'{"message": null}',
    "no JSON": b"{message: hello",
    "1 character": b'{"message": "?"}',
    "2,000 characters": b'{"message": "' + "é".encode() * 2000 + b'"}',
}

GOOD = ("1 character", "2,000 characters")


def tokens(text: str) -> list[Event]:
    """The events of a whole answer whose words are separated by single spaces."""
    words = text.split(" ")
    sent = [("token", {"text": f" {word}" if place else word}) for place, word in enumerate(words)]
    return [*sent, ("done", {"tokens": len(words)})]


async def word_by_word(make: MakeApp, text: str) -> list[Event]:
    """The events that a client has before the model may write its next word."""
    model, seen = HeldModel(answer=text), list[Event]()
    async with clients_of(make(model)) as clients:
        reader = asyncio.create_task(events_of(clients, QUESTION, seen))
        for number in range(1, len(text.split()) + 1):
            model.let()
            if not await until(lambda number=number: len(seen) >= number) or reader.done():  # type: ignore[misc]
                break
        else:
            await until(reader.done)
        model.let(ALL)
        await leave(reader)
    if not reader.cancelled() and (error := reader.exception()):
        raise error
    return seen


async def texts(make: MakeApp, words: Sequence[str]) -> str:
    """The texts of all tokens of an answer, joined."""
    async with clients_of(make(SlowModel(answer="".join(words)))) as clients:
        seen = await events_of(clients, QUESTION)
    return "".join(
        data["text"] if isinstance(data, dict) and "text" in data else str(data)
        for name, data in seen
        if name == "token"
    )


class _OddError(Exception):
    """An error of no known type, and without a text."""


async def failures(make: MakeApp) -> dict[str, list[Any]]:
    """How answers end in whose middle the model fails, each time with another error.

    The values: the texts so far, the outcome, and title and status of the last event.
    """
    text = "One two three four"
    answers: dict[str, str | Breaks] = {
        "after two words, ModelFailed": Breaks(text, 2),
        "before the first word, OSError": Breaks(text, 0, OSError("no route to the model")),
        "after three words, ValueError": Breaks(text, 3, ValueError("no JSON from the model")),
        "after one word, its own type": Breaks(text, 1, _OddError()),
        "after two words, HTTPException": Breaks(text, 2, HTTPException(429)),
        "not at all": text,
    }
    found = {}
    model = SlowModel(answer=lambda messages: answers[messages[-1].text])
    async with clients_of(make(model)) as clients:
        for message in answers:
            seen = await clients.ask({"message": message})
            found[message] = list[Any](["".join(seen.texts), seen.outcome])
            if seen.outcome == "error event":
                data = seen.body if isinstance(seen.body, dict) else {}
                titled = isinstance(data.get("title"), str) and bool(data["title"])
                found[message] += ["a title" if titled else "no title", data.get("status")]
    return found


def ends(found: dict[str, list[Any]]) -> list[str]:
    """The outcomes among what `failures` found."""
    return [outcome for _, outcome, *_ in found.values()]


MESSAGES = ("  a tent \n", " ", "a stove for two", "a stove for two", "long " * 400)


async def questions(make: MakeApp) -> list[str]:
    """What the model was asked, one after another."""
    asked = list[str]()

    def answer(messages: list[Any]) -> str:
        asked.append(messages[-1].text)
        return "Yes."

    async with clients_of(make(SlowModel(answer=answer))) as clients:
        for message in MESSAGES:
            await clients.ask({"message": message})
    return asked


async def two_at_once(make: MakeApp) -> dict[str, list[Event]]:
    """What each of two clients reads, of whom the second asks before the first has a word."""
    model = HeldModel(answer=lambda messages: str(messages[-1].text))
    asked = ["a tent", "a stove for two"]
    async with clients_of(make(model)) as clients:
        seen: dict[str, list[Event]] = {message: [] for message in asked}
        readers = [
            asyncio.create_task(events_of(clients, {"message": message}, seen[message]))
            for message in asked
        ]
        if not await until(lambda: model.in_flight == 2):
            seen["a stove for two"] = [("the model was not asked", None)]
        model.let(ALL)
        await asyncio.wait(readers, timeout=1)
        for reader in readers:
            await leave(reader)
        return {message: list(events) for message, events in seen.items()}


async def two_apps(make: MakeApp) -> list[list[Event]]:
    """What clients of two apps with two models read: of the first, the second, the first again."""
    first, second = SlowModel(answer="It is dry"), SlowModel(answer="No")
    async with clients_of(make(first)) as ours, clients_of(make(second)) as theirs:
        return [await events_of(clients, QUESTION) for clients in (ours, theirs, ours)]


async def bodies(make: MakeApp) -> dict[str, object]:
    """The status of each body, and how often the model was asked."""
    model = SlowModel(answer="Yes.")
    found: dict[str, object] = {}
    async with clients_of(make(model)) as clients:
        headers = {"content-type": "application/json"}
        for name, body in BODIES.items():
            reply = await clients.http.post(clients.path, content=body, headers=headers)
            kind = reply.headers.get("content-type", "").partition(";")[0]
            good = reply.status_code == 200
            found[name] = f"200 {kind}" if good else f"{reply.status_code}"
        return found | {"questions to the model": model.calls}


async def given_up(make: MakeApp) -> dict[str, int]:
    """How many answers the model writes after one of two clients has left."""
    model = HeldModel()
    async with clients_of(make(model)) as clients:
        leaver, stayer = asking(clients, "leaver"), asking(clients, "stayer")
        began = await until(lambda: model.in_flight == 2)
        await leave(leaver)
        await until(lambda: model.in_flight == 1)
        found = {"before": 2 if began else model.in_flight, "after": model.in_flight}
        model.let(ALL)
        await stayer
    return found
