"""What the load clients of module 05 say of servers that answer, refuse, break or are not there."""

import math
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from helpers.course.exercises.m05_effects import under_load
from helpers.course.exercises.m05_gate import AT_MOST, Load, strangers
from helpers.course.exercises.m05_given import SlowModel
from helpers.course.exercises.m05_serving import Clients, Seen, live, percentile, serving
from helpers.course.exercises.m05_walk import quantiles, spans

END = "event: done\ndata: {}\n\n"


def app(status: int = 200, end: str = END, fails: bool = False) -> FastAPI:
    """A server of two tokens, which ends its streams as it is told."""
    made = FastAPI()

    async def events() -> AsyncIterator[str]:
        yield 'event: token\ndata: {"text": "two"}\n\nevent: token\ndata: {"text": " words"}\n\n'
        if fails:
            raise RuntimeError("in the middle")
        yield end

    @made.post("/chat")
    async def chat() -> StreamingResponse:
        if status != 200:
            raise HTTPException(status, "Later.", {"Retry-After": "7"})
        return StreamingResponse(events(), media_type="text/event-stream")

    return made


async def seen_of(server: FastAPI) -> Seen:
    async with serving(server) as url, Clients(url) as clients:
        return await clients.ask("Hi")


async def test_a_whole_stream_is_an_answer() -> None:
    seen = await seen_of(app())
    assert (seen.status, seen.outcome, seen.texts) == (200, "answered", ["two", " words"])
    assert seen.waited is not None
    assert 0 <= seen.waited <= seen.ended - seen.sent


@pytest.mark.parametrize(
    ("server", "outcome"),
    [
        (app(end=""), "lost"),
        (app(fails=True), "lost"),
        (app(end='event: error\ndata: {"status": 502}\n\n'), "error event"),
    ],
)
async def test_a_stream_without_done_is_none(server: FastAPI, outcome: str) -> None:
    assert (await seen_of(server)).outcome == outcome


async def test_a_refusal_has_no_first_token() -> None:
    seen = await seen_of(app(status=503))
    assert (seen.status, seen.outcome, seen.retry_after) == (503, "refused", "7")
    assert seen.waited is None


async def test_a_dead_server_gives_no_answer() -> None:
    async with serving(app()) as url:
        pass
    async with Clients(url) as clients:
        seen = await clients.ask("Hi")
    assert (seen.status, seen.outcome, seen.first) == (0, "no answer", None)


def test_who_was_not_answered_waits_for_ever() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.95) == 4.0
    assert percentile([1.0, None], 1) == math.inf


async def test_a_burst_on_a_server_that_refuses_has_no_ratio() -> None:
    load = await strangers(lambda model: app(status=503))
    assert load == Load(asked=32, answered=0, refused={"503": 32}, ratio=math.inf)
    assert (await under_load(app(status=503), 2))["answered"] == 0


async def test_a_model_that_is_shared_by_all_is_slow_for_all() -> None:
    def shared(model: SlowModel) -> FastAPI:
        made = FastAPI()

        @made.post("/chat")
        async def chat() -> StreamingResponse:
            async def events() -> AsyncIterator[str]:
                async for word in model.stream("Hi"):
                    yield f'event: token\ndata: {{"text": "{word}"}}\n\n'
                yield END

            return StreamingResponse(events(), media_type="text/event-stream")

        return made

    load = await strangers(shared)
    assert (load.answered, load.refused) == (32, {})
    assert load.ratio > AT_MOST


def test_phases_and_quantiles() -> None:
    seen = [
        Seen("slow", sent=0.0, first=2.0, ended=3.0, status=200, outcome="answered"),
        Seen("quick", sent=0.0, first=1.0, ended=2.0, status=200, outcome="answered"),
        Seen("refused", sent=0.0, ended=0.1, status=503, outcome="refused"),
    ]
    assert spans(seen) == {
        "waits": {"quick": (0.0, 1.0), "slow": (0.0, 2.0)},
        "reads tokens": {"quick": (1.0, 2.0), "slow": (2.0, 3.0)},
        "is refused": {"refused": (0.0, 0.1)},
    }
    assert quantiles(seen) == ([50.0, 100.0], [1.0, 2.0])


def test_an_app_that_does_not_start_says_so() -> None:
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise OSError("no weights")
        yield

    with pytest.raises(RuntimeError, match="did not start"), live(FastAPI(lifespan=lifespan)):
        pass
