"""What a meter of exercise 10.1 counts of `ChatOpenAI`, on the testbed's server."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from langchain_core.caches import InMemoryCache
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from helpers.course.exercises.m10.metered import (
    PRICES,
    MeterClass,
    figures,
    made,
)
from helpers.course.loop import run_async
from helpers.testbed import CutOff, Fails, openai_server

SAID = "The Alta 2 weighs 2.1 kg."  # six words, so six tokens
EXPECTED = {
    "an answer of small": "11.2 millionths, 1 counted, 0 cached, 0 uncounted, unknown {}",
    "a stream of large, with usage": "65.2 millionths, 2 counted, 0 cached, 0 uncounted,"
    " unknown {}",
    "a stream of large, without usage": "65.2 millionths, 2 counted, 0 cached, 1 uncounted,"
    " unknown {}",
    "the same question twice, with InMemoryCache": "76.4 millionths, 3 counted, 1 cached,"
    " 1 uncounted, unknown {}",
    "two attempts, of which the first fails": "87.2 millionths, 4 counted, 1 cached, 2 uncounted,"
    " unknown {}",
    "a stream that breaks": "87.2 millionths, 4 counted, 1 cached, 3 uncounted, unknown {}",
    "a stream whose reader leaves": "87.2 millionths, 4 counted, 1 cached, 4 uncounted, unknown {}",
    "an answer of another model": "87.2 millionths, 4 counted, 1 cached, 4 uncounted,"
    " unknown {'other': 1}",
    "four answers at once, with ainvoke": "130.4 millionths, 8 counted, 1 cached, 4 uncounted,"
    " unknown {'other': 1}",
}
"""What a meter should have counted after each step, with the dollars as millionths."""


def counted(answer: MeterClass) -> dict[str, str]:
    """The figures of one meter after each step."""
    meter = made(answer, dict(PRICES))
    failures = [Fails(503)]

    def reply(body: dict[str, Any]) -> Any:
        asked = body["messages"][-1]["content"]
        if "twice" in asked and failures:
            return failures.pop()
        return CutOff(SAID, after=2) if "breaks" in asked else SAID

    with openai_server(reply) as server:

        def client(name: str, **settings: Any) -> ChatOpenAI:
            return ChatOpenAI(
                model=name,
                base_url=server.url,
                api_key=SecretStr("none"),
                max_retries=0,
                callbacks=[meter],
                **settings,
            )

        small, large = client("small"), client("large", stream_usage=True)
        kept = client("small", cache=InMemoryCache())

        def broken() -> None:
            with suppress(Exception):
                list(large.stream("This one breaks."))

        def left() -> None:
            stream: Any = large.stream("Who leaves here?")
            next(stream)
            stream.close()

        def tried() -> None:
            again = small.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
            again.invoke("This one twice.")

        async def together() -> None:
            await asyncio.gather(*(small.ainvoke("How heavy is?") for _ in range(4)))

        doing: list[Callable[[], Any]] = [
            lambda: small.invoke("How heavy, please, then?"),
            lambda: list(large.stream("How heavy is?")),
            lambda: list(client("large").stream("How heavy is?")),
            lambda: [kept.invoke("How heavy, please, then?") for _ in range(2)],
            tried,
            broken,
            left,
            lambda: client("other").invoke("How heavy is?"),
            lambda: run_async(together()),
        ]
        found = {}
        for step, do in zip(EXPECTED, doing, strict=True):
            do()
            found[step] = _said(meter)
    return found


def _said(meter: Any) -> str:
    found = figures(meter)
    dollars = found["dollars"]
    if isinstance(dollars, Decimal):
        dollars = f"{(dollars * 1_000_000).normalize():f} millionths"
    counts = ", ".join(f"{found[name]} {name}" for name in ("counted", "cached", "uncounted"))
    return f"{dollars}, {counts}, unknown {found['unknown']}"
