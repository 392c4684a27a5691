"""The engines as the gateway sees them: a replica is asked, and another one when it dies."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ray.exceptions import NodeDiedError, ObjectLostError, RayActorError, WorkerCrashedError
from ray.serve.exceptions import DeploymentUnavailableError, ReplicaUnavailableError

from helpers.scale.support import Part
from helpers.service.engines import Engines
from helpers.service.errors import Problem
from helpers.service.logs import make_logger
from helpers.service.turn import AnswerPath, Event, Outcome, Turn

_PAUSES_S = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0)
"""Before each try after the first: a router may choose the dead replica until it hears of it."""
_PROBE_S = 2.0
_LOST = (
    RayActorError,
    WorkerCrashedError,
    NodeDiedError,
    ObjectLostError,
    ReplicaUnavailableError,
)
"""What a handle raises when the replica that it asked is no more."""


class RemoteThreads:
    """What the agent knows of each conversation, between the replicas that answer it."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, ...]] = {}
        self._before: dict[str, tuple[Any, ...]] = {}

    def read(self, thread: str | None) -> tuple[Any, ...]:
        """The messages of a thread; none for a new one."""
        return self._kept.get(thread, ()) if thread else ()

    def write(self, turn: Turn, messages: tuple[Any, ...]) -> None:
        """Keep a thread as it is after a turn."""
        if turn.thread is not None:
            self._before[turn.thread] = turn.before
            self._kept[turn.thread] = messages

    async def forget(self, thread: str) -> None:
        """See `Threads`."""
        self._kept.pop(thread, None)
        self._before.pop(thread, None)

    async def rewind(self, turn: Turn) -> str | None:
        """See `Threads`; a turn that did not come to its end has changed nothing."""
        if turn.thread in self._before:
            self._kept[turn.thread] = self._before[turn.thread]
        return None


@dataclass
class _Shown:
    """What of an answer the caller has been sent, against which another replica's is held."""

    text: str = ""
    events: list[Any] = field(default_factory=list)


class RemoteEngine:
    """Answers by a replica.

    When it dies in the middle, another one answers the turn from its beginning, and what was sent
    already is not sent again. That works because the same turn gives the same words (temperature 0)
    and its changes are made once (`orders`). Where the words differ all the same, the stream ends
    with an `error` event: an answer glued together from two would be nobody's.
    """

    def __init__(self, path: AnswerPath, support: Any, threads: RemoteThreads) -> None:
        """`support` is the handle of the deployment of `Support`."""
        self._path = path
        self._support = support.options(stream=True)
        self._threads = threads
        self._log = make_logger()

    async def events(self, turn: Turn, outcome: Outcome) -> AsyncGenerator[Event]:
        """See `Engine`."""
        agent = self._path == "agent"
        turn = replace(turn, before=self._threads.read(turn.thread) if agent else ())
        shown = _Shown()
        for number, pause in enumerate((0.0, *_PAUSES_S)):
            await asyncio.sleep(pause)
            stream = self._support.answer.remote(self._path, turn)
            try:
                async for event in self._tell(stream, _News(shown), turn, outcome):
                    yield event
                return
            except _LOST as error:
                self._log.warning(
                    "replica lost",
                    request_id=str(turn.request_id),
                    attempt=number + 1,
                    error=type(error).__name__,
                )
            except DeploymentUnavailableError as error:
                raise Problem("model-unreachable", "Try again later.", retry_after=5) from error
            finally:
                stream.cancel()
        raise Problem("model-unreachable", "Try again later.", retry_after=5)

    async def _tell(
        self, stream: Any, news: "_News", turn: Turn, outcome: Outcome
    ) -> AsyncGenerator[Event]:
        async for parts in stream:
            for part in parts:
                if isinstance(part, str):
                    if text := news.of_text(part):
                        yield outcome.token(text)
                    continue
                name, data = part
                if name == "problem":
                    kind, detail, seconds = data
                    raise Problem(kind, detail, retry_after=seconds)
                if name == "end":
                    self._threads.write(turn, data.pop("thread"))
                    for field_name, value in data.items():
                        setattr(outcome, field_name, value)
                elif news.of_event(part):
                    yield Event(name, data)


class _News:
    """What of a try's answer has not been shown by an earlier one."""

    def __init__(self, shown: _Shown) -> None:
        self._shown = shown
        self._again = bool(shown.text or shown.events)
        self._text = ""
        self._events = 0

    def of_text(self, piece: str) -> str:
        """The part of the piece that is new. Raises `Problem` where it differs from what was."""
        if not self._again:
            self._shown.text += piece
            return piece
        self._text += piece
        new = self._text[len(self._shown.text) :]
        known = self._text[: len(self._shown.text)]
        if not self._shown.text.startswith(known):
            raise _differs()
        self._shown.text += new
        return new

    def of_event(self, part: Part) -> bool:
        """Whether it is new. Raises `Problem` where it differs from what was."""
        self._events += 1
        if self._events > len(self._shown.events):
            self._shown.events.append(part)
            return True
        if _without_scores(self._shown.events[self._events - 1]) != _without_scores(part):
            raise _differs()
        return False


def _without_scores(part: Part) -> Part:
    """An event without the scores of its passages.

    Embeddings that are computed together with those of other requests differ in the fourth decimal
    from those computed alone, so two replicas that found the same may score it differently.
    """
    if isinstance(part, str) or part[0] != "sources":
        return part
    name, data = part
    found = [{**passage, "score": None} for passage in data["passages"]]
    return name, {**data, "passages": found}


def _differs() -> Problem:
    return Problem(
        "model-failed",
        "What wrote this answer was lost, and the second try began differently. Ask again.",
        retry_after=1,
    )


@asynccontextmanager
async def remote_engines(support: Any) -> AsyncIterator[Engines]:
    """The engines of a deployment of `Support`, for `create_app`; waits for its first replica."""
    about = await support.about.remote()
    threads = RemoteThreads()

    async def probe() -> str | None:
        with suppress(TimeoutError, *_LOST, DeploymentUnavailableError):
            async with asyncio.timeout(_PROBE_S):
                reason: str | None = await support.reason.remote()
                return reason
        return "No replica answers."

    yield Engines(
        by_path={path: RemoteEngine(path, support, threads) for path in about["paths"]},
        agent=threads if "agent" in about["paths"] else None,
        priced_as=about["priced_as"],
        probe=probe,
    )
