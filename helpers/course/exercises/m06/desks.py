"""What the desk of exercise 06.3 keeps and loses, with an actor that is in this process."""

import asyncio
import copy
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from string import ascii_letters
from typing import Any

from helpers.course.exercises.m06.e3_desk import CalledDirectly, NoTurns
from helpers.course.exercises.words import kind
from helpers.course.loop import Staged
from helpers.testbed import Memory

Desk = Callable[[Any, Any, Any], Any]
"""Makes a replica of search, write and the actor's handle."""

MOST_CALLS = 40
"""Calls of the actor in one request, after which no death is tried any more."""

LONG = 25
"""Turns of a long conversation: more than anyone would keep."""

EMPTY = "Anything else?"
"""The question to which `write` returns an empty text."""

_SEPARATORS = ("/", "-", ":", "")


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
        raise CalledDirectly("Methods of an actor are called with .remote(...).")


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
        saw: the turns that `write` was given each time, by question.
        fails: the name of what raises now: "search", "write" or nothing.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.memory = Memory()
        self.searched = Counter[tuple[int, str]]()
        self.written = Counter[str]()
        self.saw = defaultdict[str, list[Any]](list)
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
            self.saw[question].append(_pairs(turns, "write got"))
            text = f"{question} {self.written[question]}" if question != EMPTY else ""
            await asyncio.sleep(0.003)
            if self.fails == "write":
                raise OutageError("the model is gone")
            if passage != f"<the passage on {question}>":
                return f"{text} from {passage!r}"
            return text

        return self.desk(search, write, _Handle(self.memory, place)), place


async def _turns(replica: Any, conversation: str) -> list[Any]:
    """A history as a list of tuples, or what came in its place."""
    return _pairs(await replica.history(conversation), "history returned")


def _pairs(turns: Any, what: str) -> list[Any]:
    try:
        return [tuple(turn) if isinstance(turn, list) else turn for turn in turns]
    except TypeError as error:
        raise NoTurns(f"{what} {kind(turns)}, which is no list of turns") from error


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
        "turns that write saw": shop.saw["Colour?"],
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
        "turns": [sorted(turn[0] for turn in turns) for turns in found],
        "asked": [await replica.asked() for replica in (*replicas, shop.replica())],
    }


async def private(desk: Desk) -> dict[str, Any]:
    """What customers get who ask the same, with the same name of their request."""
    shop = _Shop(desk)
    replica, other = shop.replica(), shop.replica()
    texts = [
        await replica.ask("r1", "c1", "My address?"),
        await replica.ask("r1", "c2", "My address?"),
        await other.ask("r1", "c3", "My address?"),
    ]
    return {
        "texts": texts,
        "turns that write saw": [turn for turns in shop.saw["My address?"] for turn in turns],
        "asked, on each": [await replica.asked(), await other.asked()],
    }


async def another_request(desk: Desk) -> dict[str, Any]:
    """The same question three times in a conversation, each time as another request."""
    shop = _Shop(desk)
    one, two = shop.replica(), shop.replica()
    texts = [await on.ask(f"r{n}", "c1", "Weight?") for n, on in enumerate((one, two, one))]
    return {"texts": texts, "history": await _turns(two, "c1"), "asked": await two.asked()}


async def long_conversation(desk: Desk) -> dict[str, int]:
    """How many turns of a long conversation are in its history, and in what write saw of it."""
    shop = _Shop(desk)
    replicas = [shop.replica(), shop.replica()]
    turns = list[tuple[str, str]]()
    whole = 0
    for n in range(LONG):
        text = await replicas[n % 2].ask(f"r{n}", "c1", question := f"question {n}?")
        whole += shop.saw[question] == [turns]
        turns.append((question, text))
    return {
        "requests whose write saw all turns, oldest first": whole,
        "turns in the history": len(await _turns(replicas[0], "c1")),
    }


async def alike(desk: Desk) -> list[str]:
    """The requests that were taken for another one whose names look the same when they are joined.

    Also with the separator that is in the actor's keys, whichever that is.
    """
    shop = _Shop(desk)
    replica = shop.replica()
    await replica.ask("REQUEST", "CONVERSATION", "QUESTION")
    confused = list[str]()
    separators = {*_SEPARATORS, *_separators(shop.memory)}
    for letter, separator in zip(ascii_letters, sorted(separators), strict=False):
        two = f"{letter}{separator}{letter}"
        requests = [(letter, two, letter), (two, letter, letter), (letter, letter, two)]
        before, written = await replica.asked(), sum(shop.written.values())
        texts = [await replica.ask(*request) for request in requests]
        histories = [len(await _turns(replica, name)) for name in (two, letter)]
        new = await replica.asked() - before, sum(shop.written.values()) - written
        if (len({*texts}), histories, new) != (3, [1, 2], (3, 3)):
            confused.append(f"of {', '.join(map(str, requests))}")
    return confused


def _separators(memory: Memory) -> set[str]:
    """What stands between two names where a key or field of the actor joins them into a text."""
    texts = {
        text for key, fields in vars(memory)["_values"].items() for text in _texts(key, fields)
    }
    pairs = itertools.permutations(("REQUEST", "CONVERSATION", "QUESTION"), 2)
    patterns = [re.compile(f"{one}(.*?){two}", re.DOTALL) for one, two in pairs]
    return {part for text in texts for pattern in patterns for part in pattern.findall(text)}


def _texts(*names: Any) -> Iterator[str]:
    """The texts of keys and fields, which may be tuples."""
    for name in names:
        if isinstance(name, str):
            yield name
        elif isinstance(name, Iterable):
            yield from _texts(*name)


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
    }
    if together:
        found["asked"] = await new.asked()
    found["the text is that of the turn"] = found["history"][1:] == [("Pegs?", texts[0])]
    found["history"] = [turn[0] for turn in found["history"]]
    if not together:
        found["texts written"] = shop.written["Pegs?"]
        for replica in (one, two):
            await replica.ask("r2", "c2", EMPTY)
        found["empty texts written"] = shop.written[EMPTY]
    return found


async def counted(desk: Desk) -> list[int]:
    """How many requests two replicas count after one came three times, and another one once."""
    shop = _Shop(desk)
    one, two = shop.replica(), shop.replica()
    for replica, request in ((one, "r1"), (two, "r1"), (one, "r1"), (two, "r2")):
        await replica.ask(request, "c1", "Weight?")
    return [await replica.asked() for replica in (one, two)]


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
    found: dict[str, Any] = {"ask": outcome, "turns and asked": kept}
    try:
        await one.ask("r1", "c1", "Weight?")
    except OutageError as error:
        return found | {"the retry": f"raises {error}"}
    return found | {"after the retry": (len(await _turns(two, "c1")), await two.asked())}


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
