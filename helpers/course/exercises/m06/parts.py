"""What reaches the reader of exercise 06.2's application, and what runs on for nobody.

The application runs in this process (Serve's local testing mode): each deployment on an event loop
of its own, in a thread of its own. What they share is therefore looked at again and again.
"""

import asyncio
import itertools
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from helpers import loading
from helpers.course.exercises.m06.replicas import checked
from helpers.course.limits import time_factor
from helpers.course.loop import Staged

with loading.getting_ready():
    from ray import serve
    from ray.serve import Application
    from ray.serve.exceptions import RequestCancelledError

Make = Callable[[Application, Application, Application], Any]

ALL = 1000
SEARCHES = ("documents", "orders")


class PartFailed(Staged):
    """What a search or the writer raises."""


def _pieces(question: str, found: Any) -> list[str]:
    """What the writer writes: with an empty word, and a word that comes twice."""
    texts = "; ".join(map(str, found)) if isinstance(found, list | tuple) else repr(found)
    return [question, " ", "", f"[{texts}]", " ", "Done."]


def _whole(question: str) -> list[str]:
    return _pieces(question, [f"{name} on {question}" for name in SEARCHES])


class _Stage:
    """The three parts as the check holds them.

    Attributes:
        held: the searches that do not answer, as pairs of name and question.
        broken: the searches that raise once they are let, or ("writer", question).
        words: how many words the writer may still write, by question.
        running: how often each pair of name and question runs now.
        asked: how often each part was asked.
    """

    def __init__(self) -> None:
        self.held = set[tuple[str, str]]()
        self.broken = set[tuple[str, str]]()
        self.words = Counter[str]()
        self.running = Counter[tuple[str, str]]()
        self.asked = Counter[tuple[str, str]]()
        self._lock = threading.Lock()
        _STAGES[id(self)] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _staged, (id(self),)  # bind() pickles it; it stays this one

    @contextmanager
    def counted(self, name: str, question: str) -> Iterator[None]:
        """Around the work of a part."""
        with self._lock:
            self.running[name, question] += 1
            self.asked[name, question] += 1
        try:
            yield
        finally:
            with self._lock:
                self.running[name, question] -= 1

    def at_work(self, question: str) -> list[str]:
        """The parts that work for a question now."""
        with self._lock:
            return sorted(name for (name, of), n in self.running.items() if of == question and n)

    def times_asked(self, question: str) -> dict[str, int]:
        """How often each part was asked for a question, without those that were not."""
        return {name: count for (name, of), count in self.asked.items() if of == question}


def _staged(number: int) -> _Stage:
    return _STAGES[number]


_STAGES: dict[int, _Stage] = {}
_NUMBERS = itertools.count(1)


class _Search:
    def __init__(self, name: str, stage: _Stage) -> None:
        self.name, self.stage = name, stage

    async def find(self, question: str) -> str:
        """A text on the question, once the stage lets it."""
        key = (self.name, question)
        with self.stage.counted(*key):
            while key in self.stage.held:
                await asyncio.sleep(0.002)
            if key in self.stage.broken:
                raise PartFailed(f"{self.name} cannot be reached")
            return f"{self.name} on {question}"


class _Writer:
    def __init__(self, stage: _Stage) -> None:
        self.stage = stage

    async def write(self, question: str, found: list[str]) -> AsyncIterator[str]:
        """The pieces of an answer, each once the stage lets it."""
        stage = self.stage
        with stage.counted("writer", question):
            for place, piece in enumerate(_pieces(question, found)):
                while not stage.words[question]:
                    await asyncio.sleep(0.002)
                stage.words[question] -= 1
                if place == 3 and ("writer", question) in stage.broken:
                    raise PartFailed("the model's process ended")
                yield piece


class _Reader:
    """A client that asks, and keeps what arrives."""

    def __init__(self, handle: Any, question: str) -> None:
        self.got = list[Any]()
        self.error = ""
        self.words = handle.options(stream=True).answer.remote(question)
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for word in self.words:
                self.got.append(word)
        except PartFailed as error:
            self.error = str(error)
        except Exception as error:
            if self.words.cancelled():
                return
            if isinstance(error, AttributeError | RuntimeError | TypeError):
                raise  # the learner's own, with its line
            self.error = f"{type(error).__name__}: {error}"

    async def leave(self) -> None:
        """Close the stream, as Serve does for a client that disconnects."""
        self.words.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([self.task], timeout=1)

    async def end(self) -> list[Any]:
        """Everything that came, once the stream has ended, or after a second and a half."""
        done, _ = await asyncio.wait([self.task], timeout=1.5 * time_factor())
        if not done:
            self.words.cancel()
            return [*self.got, "... and no end"]
        self.task.result()
        return self.got


async def _until(condition: Callable[[], object], limit_s: float = 0.8) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s * time_factor()):
            while not condition():
                await asyncio.sleep(0.002)
            return True
    return False


def _worth_telling(record: logging.LogRecord) -> bool:
    """Not that a reader has left: local testing mode does not look what becomes of that task."""
    return not (record.exc_info and isinstance(record.exc_info[1], RequestCancelledError))


def places(make: Make) -> dict[str, int]:
    """How many requests one replica of the learner's class takes at the same time."""
    return {"at the same time": _application(make, _Stage())._bound_deployment.max_ongoing_requests}


def _application(make: Make, stage: _Stage) -> Any:
    """The learner's application in front of a stage's parts."""
    return checked(make(*(_bound(name, stage) for name in (*SEARCHES, "writer"))))


def _bound(name: str, stage: _Stage) -> Any:
    """A part of a stage, as the learner's function gets it."""
    made = serve.deployment(name=f"{name}-part")
    return made(_Writer).bind(stage) if name == "writer" else made(_Search).bind(name, stage)


def _running(make: Make, stage: _Stage) -> Any:
    """The handle of that application, which runs in this process."""
    logging.getLogger("asyncio").addFilter(_worth_telling)
    app = _application(make, stage)
    name = f"check-{next(_NUMBERS)}"
    return serve.run(
        app,
        name=name,
        route_prefix=None,
        logging_config={"log_level": "ERROR"},
        _local_testing_mode=True,
    )


async def one_by_one(make: Make) -> dict[str, Any]:
    """What a reader has after each word that the writer writes, and in the end."""
    stage, arrived = _Stage(), list[int]()
    reader = _Reader(_running(make, stage), "Weight?")
    for count in (1, 2, 3, 4):
        stage.words["Weight?"] += 1
        await _until(lambda count=count: len(reader.got) >= count or reader.task.done())  # type: ignore[misc]
        arrived.append(len(reader.got))
        if len(reader.got) < count:
            break
    stage.words["Weight?"] = ALL
    return {"words after each": arrived, "answer": await reader.end()}


async def both_searches(make: Make, first: str) -> dict[str, Any]:
    """Whether both searches run at the same time, and the answer when `first` is ready first."""
    stage, question = _Stage(), "Pegs?"
    stage.held = {(name, question) for name in SEARCHES}
    stage.words[question] = ALL
    reader = _Reader(_running(make, stage), question)
    await _until(lambda: stage.at_work(question) == [*SEARCHES] or reader.task.done(), 0.5)
    together = stage.at_work(question)
    stage.held.discard((first, question))
    await _until(lambda: stage.at_work(question) != together, 0.3)
    early = "writer" in stage.at_work(question) or bool(reader.got)
    stage.held.clear()
    answer = await reader.end()
    return {"at the same time": together, "writer too early": early, "answer": answer}


async def slow_for_one(make: Make, slow: str) -> dict[str, Any]:
    """What a reader gets whose search is slow, and four others meanwhile."""
    stage = _Stage()
    questions = ["slow?", *(f"quick {n}?" for n in range(4))]
    stage.held = {(slow, "slow?")}
    stage.words.update(dict.fromkeys(questions, ALL))
    handle = _running(make, stage)
    waits, *others = [_Reader(handle, question) for question in questions]
    await _until(lambda: all(reader.task.done() for reader in others), 1.5)
    found: dict[str, Any] = {
        "whole answers meanwhile": sum(
            reader.got == _whole(question)
            for question, reader in zip(questions[1:], others, strict=True)
        )
    }
    stage.held.clear()
    words, *_ = await asyncio.gather(*(reader.end() for reader in (waits, *others)))
    return found | {"the slow one's words": words}


async def many(make: Make) -> dict[str, Any]:
    """What eight readers of two applications get at once, whose words come in turn."""
    stages = [_Stage(), _Stage()]
    handles = [_running(make, stage) for stage in stages]
    questions = [f"question {n}?" for n in range(8)]
    readers = [_Reader(handles[n % 2], question) for n, question in enumerate(questions)]
    for _ in range(6):
        for n, question in enumerate(questions):
            stages[n % 2].words[question] += 1
        await asyncio.sleep(0.01)
    answers = await asyncio.gather(*(reader.end() for reader in readers))
    pairs = list(zip(questions, answers, strict=True))
    once = {"documents": 1, "orders": 1, "writer": 1}
    return {
        "whole answers": sum(answer == _whole(question) for question, answer in pairs),
        "each part asked once": sum(
            stages[n % 2].times_asked(question) == once for n, question in enumerate(questions)
        ),
    }


async def again(make: Make) -> dict[str, Any]:
    """How often each part is asked for a question that comes twice, one after the other."""
    stage, question = _Stage(), "Weight?"
    handle = _running(make, stage)
    stage.words[question] = ALL
    answers = [await _Reader(handle, question).end() for _ in range(2)]
    whole = sum(answer == _whole(question) for answer in answers)
    return {"whole answers": whole, **stage.times_asked(question)}


class _Call:
    """What a call through a handle returns, until it is cancelled: no search ever ends."""

    def __init__(self, name: str, log: set[str]) -> None:
        self.name, self.log = name, log

    def __await__(self) -> Any:
        return asyncio.sleep(3600).__await__()

    def __aiter__(self) -> "_Call":
        return self

    async def __anext__(self) -> str:
        await asyncio.sleep(3600)
        raise StopAsyncIteration

    def cancel(self) -> None:
        """What has to happen."""
        self.log.add(self.name)


class _Ended(_Call):
    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return f"{self.name} on it"


class _Handle:
    """A handle whose calls all come to the same object, however it is called."""

    def __init__(self, call: _Call, asked: set[str]) -> None:
        self._call, self._asked = call, asked

    def options(self, **_: Any) -> "_Handle":
        return self

    def __getattr__(self, name: str) -> "_Handle":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def remote(self, *_: Any, **__: Any) -> _Call:
        self._asked.add(self._call.name)
        return self._call


def _with_handles(given: Any, handles: dict[int, _Handle]) -> Any:
    """What was bound, also in lists and dicts, with handles in place of applications."""
    if isinstance(given, dict):
        return {key: _with_handles(each, handles) for key, each in given.items()}
    if isinstance(given, list | tuple):
        return type(given)(_with_handles(each, handles) for each in given)
    return handles.get(id(given), given)


async def cancelled(make: Make, during: str) -> dict[str, Any]:
    """Which calls `answer` cancels when its task is cancelled, as Serve does on a cluster.

    Args:
        make: the learner's function.
        during: "search" or "words".
    """
    bound = {name: _bound(name, _Stage()) for name in (*SEARCHES, "writer")}
    deployment = checked(make(*bound.values()))._bound_deployment
    asked, log = set[str](), set[str]()
    search = _Call if during == "search" else _Ended
    parts = {**{name: search(name, log) for name in SEARCHES}, "writer": _Call("writer", log)}
    handles = {id(app): _Handle(parts[name], asked) for name, app in bound.items()}
    given = _with_handles(deployment.init_args, handles)
    named = _with_handles(deployment.init_kwargs, handles)
    words = deployment.func_or_class(*given, **named).answer("Weight?")
    reader = asyncio.ensure_future(anext(words))
    waits = {*SEARCHES} if during == "search" else {"writer"}
    await _until(lambda: waits <= asked or reader.done())
    await asyncio.sleep(0.01)  # until it waits there
    reader.cancel()
    with suppress(asyncio.CancelledError):
        await reader
    return {"cancelled": sorted(waits & log)}


async def broken(make: Make, part: str) -> dict[str, Any]:
    """What comes of an answer whose search, or whose writer, fails; the other search is slow."""
    stage, question = _Stage(), "Colour?"
    handle = _running(make, stage)
    stage.broken = {(part, question)}
    stage.held = {(other, question) for other in SEARCHES if part not in (other, "writer")}
    stage.words[question] = ALL
    reader = _Reader(handle, question)
    words = await reader.end()
    stopped = await _until(lambda: not stage.at_work(question))
    found = {
        "words": words,
        "error": reader.error,
        "writer asked": stage.times_asked(question).get("writer", 0),
        "goes on": [] if stopped else stage.at_work(question),
    }
    stage.held.clear()
    return found


async def left(make: Make, when: str) -> dict[str, Any]:
    """What goes on for a reader who has left, and what one gets who stays.

    Args:
        make: the learner's function.
        when: "words", in the middle of the answer, or "search", while the orders are looked up.
    """
    stage = _Stage()
    handle = _running(make, stage)
    stage.held = {("orders", "leaver?")} if when == "search" else set()
    stage.words["leaver?"] = 2
    leaver, stayer = _Reader(handle, "leaver?"), _Reader(handle, "stayer?")
    if when == "search":
        await _until(lambda: stage.at_work("leaver?") == ["orders"] or leaver.task.done())
    else:
        await _until(lambda: len(leaver.got) == 2 or leaver.task.done())
    await leaver.leave()
    stopped = await _until(lambda: not stage.at_work("leaver?"))
    goes_on = [] if stopped else stage.at_work("leaver?")
    stage.held.clear()
    stage.words["stayer?"] = ALL
    whole = await stayer.end() == _whole("stayer?")
    await asyncio.sleep(0.02)
    asked = stage.times_asked("leaver?").get("writer", 0)
    stage.words["leaver?"] = ALL  # lets a writer end that nobody has stopped
    return {
        "goes on": goes_on,
        "writer asked for the one who left": asked,
        "the one who stays": "whole" if whole else stayer.got,
    }
