"""The help desk of exercise 06.4, and what is done to it.

Each function makes a new application, in a folder of its own, and gives plain values.
"""

import asyncio
import json
import pickle
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import HTTPException
from ray.exceptions import RayActorError

from helpers.course.exercises.m06.replicas import Shared, clients_of, deployments
from helpers.course.exercises.m06.telling import tells
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
FILES = ("index.json", "index.pkl", "index-")
"""What an answer must not contain: names of files, and how their folder's name begins."""


class Unheard(Exception):  # noqa: N818 - an answer must not contain its name
    """An exception of a type that no answer can know."""


MODEL_RAISES = {
    "model": RuntimeError(SECRET),
    "model, at once": OSError(SECRET),
    "model, a type of its own": Unheard(SECRET),
    "model, HTTPException": HTTPException(404, SECRET),
}
SEARCH_RAISES = {
    "search": ValueError(SECRET),
    "search, a type of its own": Unheard(SECRET),
    "search, HTTPException": HTTPException(404, SECRET),
    "search, RayActorError": RayActorError(),
}

FALLBACK = "index.pkl, where index.json is no JSON"

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

    @staticmethod
    def run() -> list[str]:
        return _run("index.json")


_NO_JSON = '[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == "_Poison"][0].run()'
"""Python that runs code, also where an `eval` is given no names."""


class _Model(Shared, SlowModel):
    """The model, of which there is one."""


class _Store(Shared, Store):
    """The store, of which there is one."""


@dataclass
class Surroundings:
    """What a desk is made of.

    Attributes:
        model: answers.
        sentences: the index.
        poisoned: what index.pkl says when it is run; with nothing, it holds the index.
        json: what index.json contains in place of the index.
        store: counts.
        search_raises: what the search raises from now on.
    """

    model: SlowModel
    sentences: Sequence[str] = SENTENCES
    poisoned: str = ""
    json: str = ""
    store: Store = field(default_factory=_Store)
    search_raises: Exception | None = None

    @asynccontextmanager
    async def replicas(self, make: MakeDesk, count: int = 1) -> AsyncIterator[list[Clients]]:
        """The clients of so many replicas of one application."""
        with TemporaryDirectory(prefix="index-") as name:
            folder = Path(name)
            text = self.json or json.dumps(list(self.sentences))
            (folder / "index.json").write_text(text, "utf-8")
            kept = _Poison(self.poisoned) if self.poisoned else list(self.sentences)
            (folder / "index.pkl").write_bytes(pickle.dumps(kept))
            app = make(folder, self.model, self.store)
            found, ends = list[Clients](), list[Any]()
            try:
                for _ in range(count):
                    ends.append(clients_of(app, path="/ask", asked=self._search))
                    found.append(await ends[-1].__aenter__())
                yield found
            finally:
                for end in ends[::-1]:
                    await end.__aexit__(None, None, None)

    def _search(self) -> None:
        if self.search_raises:
            raise self.search_raises


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
    """What GET /asked says of a stranger, of one who asked twice, and of two who got no answer."""

    def answer(messages: list[Any]) -> str | Breaks:
        broken = "broken" in messages[-1].text
        return Breaks(ANSWER, after=0, error=ConnectionError(SECRET)) if broken else ANSWER

    here = Surroundings(_Model(answer=answer))
    async with here.replicas(make) as (clients,):
        stranger = _brief(await clients.ask(path="/asked/C-9"))
        for customer, message in (("C-1", "A tent ?"), ("C-2", "broken"), ("C-1", "Pegs ?")):
            await clients.ask(asked(customer, message))
        here.search_raises = ConnectionError(SECRET)
        await clients.ask(asked("C-3", "A stove ?"))
        names = ("C-1", "C-2", "C-3", "C-9")
        return [stranger, *[_brief(await clients.ask(path=f"/asked/{name}")) for name in names]]


async def failing(make: MakeDesk) -> dict[str, str]:
    """What a client is told when the model or the search fails."""

    def answer(messages: list[Any]) -> str | Breaks:
        name = messages[-1].text.splitlines()[-1]
        return Breaks(ANSWER, after=2 if name == "model" else 0, error=MODEL_RAISES[name])

    found = {}
    here = Surroundings(_Model(answer=answer))
    async with here.replicas(make) as (clients,):
        for name, error in MODEL_RAISES.items():
            found[name] = _told(await clients.ask(asked("C-1", name)), error)
        here.model.answer = ANSWER
        for name, error in SEARCH_RAISES.items():
            here.search_raises = error
            found[name] = _told(await clients.ask(asked("C-1", "How heavy ?")), error)
    return found


def _told(seen: Seen, error: Exception) -> str:
    text = seen.body if isinstance(seen.body, str) else json.dumps(seen.body)
    if said := tells(text, [error], *FILES):
        return f"{seen.status}, which tells of the exception ({said!r})"
    return f"{seen.status or seen.outcome}"


async def poisoned(make: MakeDesk) -> dict[str, object]:
    """A desk whose index.pkl runs code when it is loaded; then index.json would run some, too."""
    ran.clear()
    body = asked("C-1", "Are returns free ?")
    one = Surroundings(_Model(answer=ANSWER), poisoned="index.pkl")
    two = Surroundings(_Model(answer=ANSWER), poisoned=FALLBACK, json=_NO_JSON)
    try:
        async with one.replicas(make) as (clients,):
            seen = await clients.ask(body)
        with suppress(Exception):  # it need not start, nor answer
            async with two.replicas(make) as (clients,):
                await clients.ask(body)
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
        told = [number(await one.ask(path="/asked/C-1")) for one in (first, second)]
        seen = await asyncio.gather(*(one.ask(body) for one in (first, second) * 4))
        at_once = sorted(map(number, seen), key=str)
    async with here.replicas(make) as (third,):
        told.append(number(await third.ask(path="/asked/C-1")))
        later = number(await third.ask(body))
    return {
        "in turn": in_turn,
        "GET of each replica": told,
        "eight at once": at_once,
        "after a restart": later,
    }


def told_once() -> dict[str, object]:
    """What `two_replicas` must give."""
    return {
        "in turn": [1, 2, 3],
        "GET of each replica": [3, 3, 11],
        "eight at once": sorted(range(4, 12), key=str),
        "after a restart": 12,
    }


def limits(make: MakeDesk) -> dict[str, object]:
    """The limits of the ingress, and whether the search takes all that it may send."""
    ingress, others = _deployments(make)
    return {
        "max_ongoing_requests": ingress.max_ongoing_requests,
        "max_queued_requests": ingress.max_queued_requests,
        "the search refuses": not all(map(_takes_all, others)),
    }


def _takes_all(search: Any) -> bool:
    """Whether it takes 8 requests of each of two desks; Ray counts a queue for each asker."""
    at_once: int = (search.num_replicas or 1) * search.max_ongoing_requests
    queued: int = search.max_queued_requests
    return queued == -1 or queued >= 8 or at_once >= 16


def parts(make: MakeDesk) -> dict[str, object]:
    """What the application is made of."""
    ingress, others = _deployments(make)
    return {"replicas of the desk": ingress.num_replicas, "deployments beside it": len(others)}


def _deployments(make: MakeDesk) -> tuple[Any, Sequence[Any]]:
    with TemporaryDirectory(prefix="index-") as name:
        (Path(name) / "index.json").write_text(json.dumps(SENTENCES), "utf-8")
        return deployments(make(Path(name), _Model(), _Store()))
