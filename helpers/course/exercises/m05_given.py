"""What the lab of module 05 gives: a model whose speed you choose, and what stands around it.

The model is no language model: it writes the same words to every question, exactly as slowly as it
is told. So a check can let it write one word and look whether that word arrives.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from fastapi.sse import ServerSentEvent
from pydantic import BaseModel, Field

WORDS = ("The", " Alta 2", " weighs", ' 2.1 kg\n("without', " pegs", '").')
"""What the model writes: with what breaks a hand-made event, a line break and quotes."""

BREAKS = "break"
"""A question with this word makes the model fail after two words."""

HANGS = "hang"
"""A question with this word makes it fall silent after two words, for good."""


class ModelFailed(Exception):  # noqa: N818 - it says what happened
    """The model stopped in the middle of an answer, or does not answer at all."""


class SlowModel:
    """A model that writes word by word, and counts what it does.

    Up to `batch` streams run at full speed. More of them share it: with twice as many, each word
    takes twice as long. Before the first word it reads the question.

    Args:
        words: what it writes to every question.
        step: seconds a word, with at most `batch` streams.
        batch: how many streams run at full speed.
        reading: steps for a question, and one more for every 2,000 characters of it.

    Attributes:
        loaded: whether its weights are in memory.
        running: streams that it writes at this moment; `most_running` at the same time so far.
        started: streams so far.
    """

    def __init__(
        self,
        words: Sequence[str] = WORDS,
        *,
        step: float = 0.005,
        batch: int = 4,
        reading: int = 0,
    ) -> None:
        self.words = words
        self.step = step
        self.batch = batch
        self.reading = reading
        self.loaded = True
        self.running = self.most_running = 0
        self.started = 0

    async def stream(self, question: str) -> AsyncIterator[str]:
        """Write the answer word by word.

        Raises:
            ModelFailed: after two words, when the question holds the word *break*. With *hang* in
                it, the model falls silent there.
        """
        self.started += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self._pause(self.reading + len(question) // 2000)
            for number, word in enumerate(self.words):
                await self._pause(1)
                if BREAKS in question and number == 2:
                    raise ModelFailed("the model's process ended")
                if HANGS in question and number == 2:
                    await asyncio.Event().wait()
                yield word
        finally:
            self.running -= 1

    async def answer(self, question: str) -> str:
        """The whole answer in one piece, after as long as a stream of it takes."""
        return "".join([word async for word in self.stream(question)])

    async def ping(self) -> None:
        """Come back at once if the model's server answers; it does no work of the model.

        Raises:
            ModelFailed: there is nobody.
        """

    async def _pause(self, steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(self.step * max(1.0, self.running / self.batch))


class HeldModel(SlowModel):
    """A `SlowModel` that writes no word before `let` lets it."""

    def __init__(self, words: Sequence[str] = WORDS) -> None:
        super().__init__(words)
        self._permits = asyncio.Semaphore(0)

    def let(self, words: int = 1) -> None:
        """Let it write so many words, whichever stream comes first."""
        for _ in range(words):
            self._permits.release()

    async def _pause(self, steps: int) -> None:
        for _ in range(steps):
            await self._permits.acquire()


class Question(BaseModel):
    """The body of a request."""

    message: str = Field(min_length=1, max_length=2000)


async def events(model: SlowModel, message: str) -> AsyncIterator[ServerSentEvent]:
    """The answer as events: `token` for each word, then `done`; `error` when the model fails."""
    words = 0
    try:
        async for word in model.stream(message):
            words += 1
            yield ServerSentEvent(event="token", data={"text": word})
    except ModelFailed as error:
        problem = {"title": "The model failed", "status": 502, "detail": str(error)}
        yield ServerSentEvent(event="error", data=problem)
    else:
        yield ServerSentEvent(event="done", data={"tokens": words})


# --- 05.4 -----------------------------------------------------------------------------------------


class OverBudget(Exception):  # noqa: N818 - it says what happened
    """The tokens asked for are more than what is left of the budget."""


class Store:
    """Whole numbers by key, shared by all workers of a service, as in Redis.

    Each call takes a moment, in which others run. Each is atomic by itself; two calls are not.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._one_by_one = threading.Lock()  # the workers of a check are threads

    async def get(self, key: str) -> int:
        """The number under this key, 0 where there is none."""
        await self._moment()
        with self._one_by_one:
            return self._numbers.get(key, 0)

    async def set(self, key: str, value: int) -> None:
        """Write a number, whatever stands there."""
        await self._moment()
        with self._one_by_one:
            self._numbers[key] = value

    async def add(self, key: str, amount: int) -> int:
        """Add an amount, which may be negative; returns the sum."""
        await self._moment()
        with self._one_by_one:
            self._numbers[key] = self._numbers.get(key, 0) + amount
            return self._numbers[key]

    async def compare_and_set(self, key: str, old: int, new: int) -> bool:
        """Write `new` if `old` still stands there; else write nothing and return False."""
        await self._moment()
        with self._one_by_one:
            if self._numbers.get(key, 0) != old:
                return False
            self._numbers[key] = new
            return True

    async def _moment(self) -> None:
        await asyncio.sleep(0)


@dataclass
class Spent:
    """How many tokens a request has used so far; whoever uses them counts them here."""

    tokens: int = 0


# --- 05.5 -----------------------------------------------------------------------------------------


@dataclass
class Service:
    """What a running service knows of itself.

    Attributes:
        model: its model.
        waiting: requests that wait for a place; `most_waiting` may.
        stopping: whether it was told to end.
    """

    model: SlowModel = field(default_factory=SlowModel)
    waiting: int = 0
    most_waiting: int = 4
    stopping: bool = False
