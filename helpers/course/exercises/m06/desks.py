"""What the desk of exercise 06.3 keeps and loses, with an actor that is in this process."""

import asyncio
import copy
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from helpers.course.loop import Staged
from helpers.testbed import Memory

Desk = Callable[[Any, Any, Any], Any]
"""Makes a replica of search, write and the actor's handle."""

MOST_CALLS = 40
"""Calls of the actor in one request, after which no death is tried any more."""


class OutageError(Staged):
    """What search or write raises."""


@dataclass
class _Replica:
    """Where one replica is: how many calls it may still make before it dies, if it does."""

    calls_left: int | None = None
    dies: asyncio.Event = field(default_factory=asyncio.Event)


class _Handle:
    """The handle of an actor, as one replica has it.

    A call is carried out when it is made, in one go, on copies; its result takes a moment.
    """

    def __init__(self, memory: Memory, replica: _Replica) -> None:
        self._memory, self._replica = memory, replica

    def __getattr__(self, name: str) -> "_Method":
        if name.startswith("_") or not hasattr(self._memory, name):
            raise AttributeError(f"The actor has no method {name!r}.")
        return _Method(getattr(self._memory, name), self._replica)


class _Method:
    def __init__(self, method: Callable[..., Any], replica: _Replica) -> None:
        self._method, self._replica = method, replica

    def remote(self, *args: Any, **kwargs: Any) -> asyncio.Future[Any]:
        """Call the actor; the result arrives a moment later, or never at a replica that dies."""
        result = asyncio.get_running_loop().create_future()
        if self._replica.dies.is_set():
            return result
        value = error = None
        try:
            value = copy.deepcopy(self._method(*copy.deepcopy(args), **copy.deepcopy(kwargs)))
        except Exception as raised:
            error = raised
        if self._replica.calls_left is not None:
            self._replica.calls_left -= 1
            if self._replica.calls_left <= 0:
                self._replica.dies.set()
                return result
        asyncio.get_running_loop().call_later(0.001, _deliver, result, value, error)
        return result

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Methods of an actor are called with .remote(...).")


def _deliver(result: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
    if result.done():
        return
    if error is not None:
        result.set_exception(error)
    else:
        result.set_result(value)


class _Shop:
    """One actor, the documents and the model behind any number of replicas.

    Attributes:
        memory: what the actor holds.
        searched: how often each replica searched for each question.
        written: how many texts were written for each conversation's question.
        saw: the turns that `write` was given, by question.
        fails: the name of what raises now: "search", "write" or nothing.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.memory = Memory()
        self.searched = Counter[tuple[int, str]]()
        self.written = Counter[str]()
        self.saw: dict[str, Any] = {}
        self.fails = ""
        self._numbers = itertools.count(1)

    def replica(self, calls: int | None = None) -> Any:
        """A replica that has just started; it dies at its `calls`-th call of the actor, if any."""
        return self.mortal(calls)[0]

    def mortal(self, calls: int | None) -> tuple[Any, _Replica]:
        """The same, and what tells of its death."""
        place, number = _Replica(calls), next(self._numbers)

        async def search(question: str) -> str:
            await asyncio.sleep(0.001)
            if self.fails == "search":
                raise OutageError("the index is gone")
            self.searched[number, question] += 1
            return f"<the passage on {question}>"

        async def write(question: str, turns: Any, passage: str) -> str:
            self.written[question] += 1
            self.saw[question] = [tuple(turn) for turn in turns]
            text = f"{question} {self.written[question]}"
            await asyncio.sleep(0.003)
            if self.fails == "write":
                raise OutageError("the model is gone")
            if passage != f"<the passage on {question}>":
                return f"{text} from {passage!r}"
            return text

        return self.desk(search, write, _Handle(self.memory, place)), place


async def _turns(replica: Any, conversation: str) -> list[Any]:
    """A history as a list of tuples, or what came in its place."""
    history = await replica.history(conversation)
    return [tuple(turn) if isinstance(turn, list) else turn for turn in history]


async def in_turn(desk: Desk) -> dict[str, Any]:
    """Three questions of a conversation on two replicas in turn, then asked of a third, new one."""
    shop = _Shop(desk)
    one, two = shop.replica(), shop.replica()
    texts = [
        await replica.ask(f"r{n}", "c1", question)
        for n, (replica, question) in enumerate(
            [(one, "Weight?"), (two, "Pegs?"), (one, "Colour?")]
        )
    ]
    new = shop.replica()
    return {
        "texts": texts,
        "turns that write saw": len(shop.saw.get("Colour?", ())),
        "history on the second": await _turns(two, "c1"),
        "history on a new one": await _turns(new, "c1"),
        "history of nobody": await _turns(new, "c2"),
        "asked, on a new one": await new.asked(),
    }


async def at_once(desk: Desk) -> dict[str, Any]:
    """Twelve requests in three conversations on two replicas, all at the same time."""
    shop = _Shop(desk)
    replicas = [shop.replica(), shop.replica()]
    names = [(f"r{n}", f"c{n % 3}", f"question {n}") for n in range(12)]
    texts = await asyncio.gather(
        *(replicas[n % 2].ask(*request) for n, request in enumerate(names))
    )
    found = [await _turns(shop.replica(), f"c{n}") for n in range(3)]
    return {
        "texts of others": sum(
            text != f"{name[2]} 1" for text, name in zip(texts, names, strict=True)
        ),
        "turns": [sorted({turn[0] for turn in turns}) for turns in found],
        "asked": [await replica.asked() for replica in replicas],
    }


async def private(desk: Desk) -> list[str]:
    """What two customers get who ask the same, with the same name of their request."""
    shop = _Shop(desk)
    replica, other = shop.replica(), shop.replica()
    texts = [
        await replica.ask("r1", "c1", "My address?"),
        await replica.ask("r1", "c2", "My address?"),
        await other.ask("r1", "c3", "My address?"),
    ]
    return [*texts, f"asked: {await other.asked()}"]


async def asked_again(desk: Desk, *, together: bool) -> dict[str, Any]:
    """The same request three times on two replicas, one after another or together."""
    shop = _Shop(desk)
    one, two = shop.replica(), shop.replica()
    await two.ask("r0", "c1", "Weight?")
    calls = [(replica, "r1", "c1", "Pegs?") for replica in (one, two, one)]
    if together:
        texts = await asyncio.gather(*(replica.ask(*given) for replica, *given in calls))
    else:
        texts = [await replica.ask(*given) for replica, *given in calls]
    new = shop.replica()
    found: dict[str, Any] = {
        "different texts": len(set(texts)),
        "history": await _turns(new, "c1"),
        "asked": await new.asked(),
    }
    found["the text is that of the turn"] = found["history"][1:] == [("Pegs?", texts[0])]
    found["history"] = [turn[0] for turn in found["history"]]
    if not together:
        found["texts written"] = shop.written["Pegs?"]
    return found


async def dying(desk: Desk) -> list[str]:
    """What is wrong after a replica died at one of its calls of the actor, and the retry.

    Each place is tried, the last one as well, whose result does not arrive.
    """
    wrong = list[str]()
    for calls in range(1, MOST_CALLS):
        shop = _Shop(desk)
        replica, place = shop.mortal(calls)
        first = asyncio.create_task(replica.ask("r1", "c1", "Weight?"))
        death = asyncio.create_task(place.dies.wait())
        await asyncio.wait([first, death], return_when=asyncio.FIRST_COMPLETED)
        if died := place.dies.is_set():
            await asyncio.sleep(0)
        first.cancel()
        death.cancel()
        await asyncio.gather(first, death, return_exceptions=True)
        if not died:
            return wrong
        new = shop.replica()
        text = await new.ask("r1", "c1", "Weight?")
        turns, asked = await _turns(new, "c1"), await new.asked()
        if (turns, asked) != ([("Weight?", text)], 1):
            wrong.append(f"died at call {calls}: {len(turns)} turns, {asked} asked")
    return wrong


async def failing(desk: Desk, what: str) -> dict[str, Any]:
    """A request whose search or write fails, the state afterwards, and its retry."""
    shop = _Shop(desk)
    one, two = shop.replica(), shop.replica()
    shop.fails = what
    try:
        outcome = repr(await one.ask("r1", "c1", "Weight?"))
    except OutageError as error:
        outcome = f"raises {error}"
    kept = len(await _turns(two, "c1")), await two.asked()
    shop.fails = ""
    await one.ask("r1", "c1", "Weight?")
    return {
        "ask": outcome,
        "turns and asked": kept,
        "after the retry": (len(await _turns(two, "c1")), await two.asked()),
    }


async def searches(desk: Desk) -> dict[str, Any]:
    """How often two replicas search for two questions that come again, and what goes outside."""
    shop = _Shop(desk)
    replicas = [shop.replica(), shop.replica()]
    for n in range(8):
        await replicas[n % 2].ask(f"r{n}", f"c{n}", ["Weight?", "Pegs?"][n // 2 % 2])
    return {
        "searches": sorted(shop.searched.values()),
        "passages in memory": "<the passage" in repr(vars(shop.memory)),
    }
