"""The help desk of exercise 06.4, and what is done to it.

Each function makes a new application, in a folder of its own, and gives plain values.
"""

import asyncio
import json
import pickle
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from helpers.course.exercises.m06.replicas import Shared, clients_of, deployments
from helpers.testbed import Breaks, Clients, Seen, SlowModel, Store

MakeDesk = Callable[[Path, Any, Any], Any]

SENTENCES = (
    "The Alta 2 weighs 2.1 kg without pegs.",
    "Returns are free within 30 days.",
    'The stove "Ember" burns gas\nand nothing else.',
)
OTHERS = ("A refund takes five days.", "Our shop opens at nine.")
SECRET = "key sk-4711 was refused by 10.0.0.7"
ANSWER = "It weighs 2.1 kg."
TELL_TALES = ("Traceback", "RuntimeError", "OSError", "ValueError", ".py", "index.", SECRET)
"""What an answer must not contain: what an exception says of the code and its surroundings."""

ran: list[str] = []
"""What was run as code while a file was read."""


def _run(name: str) -> list[str]:
    ran.append(name)
    return list(SENTENCES)


class _Poison:
    """Runs code when it is read by pickle."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> Any:
        return _run, (self.name,)


class _Model(Shared, SlowModel):
    """The model, of which there is one."""


class _Store(Shared, Store):
    """The store, of which there is one."""


@dataclass
class Surroundings:
    """What a desk is made of."""

    model: SlowModel
    sentences: Sequence[str] = SENTENCES
    poisoned: bool = False
    store: Store = field(default_factory=_Store)

    @asynccontextmanager
    async def replicas(self, make: MakeDesk, count: int = 1) -> AsyncIterator[list[Clients]]:
        """The clients of so many replicas of one application."""
        with TemporaryDirectory(prefix="index-") as name:
            folder = Path(name)
            (folder / "index.json").write_text(json.dumps(list(self.sentences)), "utf-8")
            kept = _Poison("index.pkl") if self.poisoned else list(self.sentences)
            (folder / "index.pkl").write_bytes(pickle.dumps(kept))
            app = make(folder, self.model, self.store)
            found, ends = list[Clients](), list[Any]()
            try:
                for _ in range(count):
                    ends.append(clients_of(app, path="/ask"))
                    found.append(await ends[-1].__aenter__())
                yield found
            finally:
                for end in ends[::-1]:
                    await end.__aexit__(None, None, None)


def asked(customer: str, message: str) -> dict[str, str]:
    """A body."""
    return {"customer": customer, "message": message}


def _brief(seen: Seen) -> Any:
    """The body of an answer with the status 200, else the status."""
    return seen.body if seen.status == 200 else seen.status


async def still_works(make: MakeDesk) -> dict[str, object]:
    """Questions to a desk, to one with another index and model, and bodies that are none."""
    answers = _Model(answer=lambda messages: f"I read: {messages[-1].text}")
    here = Surroundings(answers)
    async with here.replicas(make) as (clients,):
        tent = await clients.ask(asked("C-1", "How much does the Alta 2 weigh ?"))
        stove = await clients.ask(asked("C-2", "What burns the stove ?"))
        again = await clients.ask(asked("C-1", "Are returns free ?"))
        bad = [
            (await clients.ask(body)).status
            for body in ({}, asked("", "Hi"), asked("C-1", ""), asked("C-1", "x" * 2001))
        ]
        calls = answers.calls
    other = Surroundings(_Model(answer=ANSWER), OTHERS)
    async with other.replicas(make) as (clients,):
        elsewhere = await clients.ask(asked("C-1", "How long does a refund take"))
    return {
        "tent": _brief(tent),
        "stove": _brief(stove),
        "the same customer again": _brief(again),
        "another desk": _brief(elsewhere),
        "bodies that are none": bad,
        "questions to the model": calls,
    }


def works() -> dict[str, object]:
    """What `still_works` must give."""

    def answer(source: str, message: str, count: int) -> dict[str, object]:
        return {"answer": f"I read: {source}\n\n{message}", "source": source, "asked": count}

    return {
        "tent": answer(SENTENCES[0], "How much does the Alta 2 weigh ?", 1),
        "stove": answer(SENTENCES[2], "What burns the stove ?", 1),
        "the same customer again": answer(SENTENCES[1], "Are returns free ?", 2),
        "another desk": {"answer": ANSWER, "source": OTHERS[0], "asked": 1},
        "bodies that are none": [422] * 4,
        "questions to the model": 3,
    }


async def counted(make: MakeDesk) -> list[Any]:
    """What GET /asked says: of a stranger, of one who asked twice, of one whose answer failed."""

    def answer(messages: list[Any]) -> str | Breaks:
        broken = "broken" in messages[-1].text
        return Breaks(ANSWER, after=0, error=ConnectionError(SECRET)) if broken else ANSWER

    async with Surroundings(_Model(answer=answer)).replicas(make) as (clients,):
        stranger = _brief(await clients.ask(path="/asked/C-9"))
        for customer, message in (("C-1", "A tent ?"), ("C-2", "broken"), ("C-1", "Pegs ?")):
            await clients.ask(asked(customer, message))
        names = ("C-1", "C-2", "C-9")
        return [stranger, *[_brief(await clients.ask(path=f"/asked/{name}")) for name in names]]


async def failing(make: MakeDesk) -> dict[str, str]:
    """What a client is told when the model or the search fails."""
    found = {}
    for name, error in (("model", RuntimeError(SECRET)), ("model, at once", OSError(SECRET))):
        after = 0 if "at once" in name else 2
        broken = _Model(answer=Breaks(ANSWER, after=after, error=error))
        async with Surroundings(broken).replicas(make) as (clients,):
            found[name] = _told(await clients.ask(asked("C-1", "How heavy ?")))
    async with Surroundings(_Model(), sentences=()).replicas(make) as (clients,):
        found["search"] = _told(await clients.ask(asked("C-1", "How heavy ?")))
    return found


def _told(seen: Seen) -> str:
    text = seen.body if isinstance(seen.body, str) else json.dumps(seen.body)
    said = [mark for mark in TELL_TALES if mark in text]
    if said:
        return f"{seen.status}, which tells of the exception ({said[0]!r})"
    return f"{seen.status or seen.outcome}"


async def poisoned(make: MakeDesk) -> dict[str, object]:
    """A desk whose index.pkl runs code when it is loaded."""
    ran.clear()
    try:
        async with Surroundings(_Model(answer=ANSWER), poisoned=True).replicas(make) as (one,):
            seen = await one.ask(asked("C-1", "Are returns free ?"))
    finally:
        code = list(ran)
        ran.clear()
    source = seen.body.get("source") if isinstance(seen.body, dict) else seen.body
    return {"run as code": code, "source": source}


async def four_at_once(make: MakeDesk) -> dict[str, int]:
    """Four customers ask one replica at the same moment."""
    model = _Model(answer="It weighs 2.1 kg", token_s=0.05)
    async with Surroundings(model).replicas(make) as (clients,):
        bodies = [asked(f"C-{number}", "How heavy ?") for number in range(4)]
        seen = await asyncio.gather(*map(clients.ask, bodies))
    answered = sum(one.outcome == "answered" for one in seen)
    return {"answered": answered, "most at the model": model.most_in_flight}


async def two_replicas(make: MakeDesk) -> dict[str, object]:
    """One customer asks two replicas in turn, then all at once; then a third one replaces them."""
    here = Surroundings(_Model(answer=ANSWER, token_s=0.01))
    body = asked("C-1", "How heavy ?")

    def number(seen: Seen) -> Any:
        return seen.body.get("asked") if isinstance(seen.body, dict) else seen.status

    async with here.replicas(make, 2) as (first, second):
        in_turn = [number(await one.ask(body)) for one in (first, second, first)]
        seen = await asyncio.gather(*(one.ask(body) for one in (first, second) * 4))
        at_once = sorted(map(number, seen), key=str)
    async with here.replicas(make) as (third,):
        later = number(await third.ask(body))
    return {"in turn": in_turn, "eight at once": at_once, "after a restart": later}


def told_once() -> dict[str, object]:
    """What `two_replicas` must give."""
    return {
        "in turn": [1, 2, 3],
        "eight at once": sorted(range(4, 12), key=str),
        "after a restart": 12,
    }


def limits(make: MakeDesk) -> dict[str, object]:
    """The limits of the ingress."""
    ingress, _ = _deployments(make)
    return {
        "max_ongoing_requests": ingress.max_ongoing_requests,
        "max_queued_requests": ingress.max_queued_requests,
    }


def parts(make: MakeDesk) -> dict[str, object]:
    """What the application is made of."""
    ingress, others = _deployments(make)
    return {"replicas of the desk": ingress.num_replicas, "deployments beside it": len(others)}


def _deployments(make: MakeDesk) -> tuple[Any, Sequence[Any]]:
    with TemporaryDirectory(prefix="index-") as name:
        (Path(name) / "index.json").write_text(json.dumps(SENTENCES), "utf-8")
        return deployments(make(Path(name), _Model(), _Store()))
