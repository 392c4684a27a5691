"""What a meter of exercise 10.1 has counted, after calls that LangChain tells it of.

Calls go through LangChain's own callback manager, which a chat model uses as well, so that a check
can say what came of each without a model.
"""

import copy
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

from helpers.course.exercises.words import kind

Prices = dict[str, tuple[Decimal, Decimal, Decimal]]
MeterClass = Callable[[Prices], Any]
Figures = dict[str, Any]

PRICES: Prices = {
    "small": (Decimal("0.40"), Decimal("0.10"), Decimal("1.60")),
    "large": (Decimal("2.00"), Decimal("0.50"), Decimal("8.00")),
}
COUNTS = ("counted", "cached", "uncounted", "unknown")


class NotAMeter(TypeError):  # noqa: N818 - it says what is wrong
    """What `Meter(prices)` made is no callback handler, or lacks an attribute."""


@dataclass(frozen=True)
class Answered:
    """An answer: tokens, and how it was made.

    Attributes:
        model: the name in the answer.
        read: tokens of the prompt; None where the provider sent no usage.
        wrote: tokens of the answer.
        again: tokens of the prompt from the provider's cache: None for no details at all, -1 for
            details without this key.
        hit: whether LangChain's cache gave it.
        candidates: how many the model wrote.
        streamed: whether the message is put together from chunks.
    """

    model: str
    read: int | None
    wrote: int = 0
    again: int | None = None
    hit: bool = False
    candidates: int = 1
    streamed: bool = False

    def result(self) -> LLMResult:
        """What LangChain hands to a handler."""
        usage: Any = None
        if self.read is not None:
            usage = {
                "input_tokens": self.read,
                "output_tokens": self.wrote,
                "total_tokens": self.read + self.wrote,
            }
            if self.again is not None:
                known = {"cache_read": self.again} if self.again >= 0 else {}
                usage["input_token_details"] = {"audio": 0} | known
        if self.hit:
            usage = (usage or {}) | {"total_cost": 0}
        named = {"model_name": self.model, "finish_reason": "stop"}
        written: list[Any] = []
        for number in range(self.candidates):
            text = f"Answer {number}."
            if self.streamed:
                chunk = AIMessageChunk(content=text, response_metadata=named)
                # LangChain adds its key to a message that exists already.
                chunk = chunk.model_copy(update={"usage_metadata": usage})
                written.append(ChatGenerationChunk(message=chunk))
            else:
                message = AIMessage(content=text, response_metadata=named)
                message = message.model_copy(update={"usage_metadata": usage})
                written.append(ChatGeneration(message=message))
        return LLMResult(generations=[written])


@dataclass(frozen=True)
class Failed:
    """A call that raised an error of this type."""

    error: type[BaseException] = TimeoutError


Call = Answered | Failed


def made(answer: MeterClass, prices: Prices) -> Any:
    """A meter, whose errors are raised and not logged.

    Raises:
        NotAMeter: it is no callback handler.
    """
    meter = answer(prices)
    if not isinstance(meter, BaseCallbackHandler):
        raise NotAMeter(f"Meter(prices) is {kind(meter)}, and no BaseCallbackHandler.")
    meter.raise_error = True
    return meter


def figures(meter: Any) -> Figures:
    """What a meter says, by attribute.

    Raises:
        NotAMeter: an attribute is missing.
    """
    missing = [name for name in ("dollars", *COUNTS) if not hasattr(meter, name)]
    if missing:
        raise NotAMeter(f"The meter has no attribute {missing[0]}.")
    dollars = meter.dollars
    if not isinstance(dollars, Decimal):
        dollars = f"{dollars!r}, which is {kind(dollars)}"
    counts: Figures = {name: getattr(meter, name) for name in COUNTS}
    if isinstance(counts["unknown"], dict):
        counts["unknown"] = dict(counts["unknown"])
    return {"dollars": dollars, **counts}


def expected(
    dollars: str, counted: int = 0, cached: int = 0, uncounted: int = 0, **unknown: int
) -> Figures:
    """The figures that a meter should have."""
    counts = dict(zip(COUNTS, (counted, cached, uncounted, unknown), strict=True))
    return {"dollars": Decimal(dollars), **counts}


def after(answer: MeterClass, prices: Prices, calls: Sequence[Call], at_once: bool) -> Figures:
    """The figures after some calls, all begun before the first one ends where they are `at_once`.

    Where a response was changed, the figures have the key "changed".
    """
    meter = made(answer, prices)
    begun = [_begun(meter) for _ in calls] if at_once else []
    changed = False
    for number, call in enumerate(calls):
        run = begun[number] if at_once else _begun(meter)
        changed |= _ended(run, call)
    return figures(meter) | ({"changed": "a response"} if changed else {})


def steps(answer: MeterClass, prices: Prices, calls: Sequence[Call]) -> list[Figures]:
    """The figures before the first call, and after each."""
    meter = made(answer, prices)
    found = [copy.deepcopy(figures(meter))]
    for call in calls:
        _ended(_begun(meter), call)
        found.append(copy.deepcopy(figures(meter)))
    return found


def two_meters(answer: MeterClass) -> list[Figures]:
    """Two meters with other prices, used in turns."""
    prices: Prices = {"large": (Decimal(1), Decimal(1), Decimal(3)), "tiny": (Decimal(0),) * 3}
    first, second = made(answer, dict(PRICES)), made(answer, prices)
    for meter, call in (
        (first, Answered("large", 100, 10)),
        (second, Answered("large", 100, 10)),
        (second, Answered("tiny", 5000, 10)),
        (first, Answered("tiny", 5000, 10)),
        (second, Answered("small", 7, 1)),
        (second, Failed()),
        (first, Answered("large", 30, 3, hit=True)),
    ):
        _ended(_begun(meter), call)
    return [figures(first), figures(second)]


THREADS = 6


def threads(answer: MeterClass) -> Figures:
    """Answers that end at the same time in several threads, of which each adds slowly."""
    slow: Prices = {"small": (Slow("0.40"), Slow("0.10"), Slow("1.60"))}
    meter = made(answer, slow)
    runs = [_begun(meter) for _ in range(THREADS)]
    together = threading.Barrier(THREADS)

    def end(number: int) -> None:
        together.wait(timeout=5)
        _ended(runs[number], Answered("small", 1000 * (number + 1), 10))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(end, range(THREADS)))
    return figures(meter)


class Slow(Decimal):
    """A number that lets other threads go first whenever it is added or multiplied."""

    def _slowly(self, value: Decimal) -> "Slow":
        time.sleep(0.002)
        return Slow(value)

    def __add__(self, other: Any) -> "Slow":
        return self._slowly(Decimal(self) + other)

    def __mul__(self, other: Any) -> "Slow":
        return self._slowly(Decimal(self) * other)

    def __truediv__(self, other: Any) -> "Slow":
        return self._slowly(Decimal(self) / other)

    __radd__ = __add__
    __rmul__ = __mul__


def inputs() -> "st.SearchStrategy[tuple[Any, ...]]":
    """Prices, calls, and whether all begin before the first one ends."""
    price = st.decimals(0, 60, places=3, allow_nan=False)
    prices = st.fixed_dictionaries(
        {"small": st.tuples(price, price, price)},
        optional={
            "large": st.tuples(price, price, price),
            "Small": st.tuples(price, price, price),
        },
    )
    models = st.sampled_from(["small", "large", "Small", "small-2026"])
    tokens = st.integers(0, 20_000)

    @st.composite
    def answered(draw: Any) -> Answered:
        read = draw(st.none() | tokens)
        again = draw(st.none() | st.integers(-1, read)) if read is not None else None
        hit = draw(st.integers(0, 3)) == 0
        return Answered(
            draw(models),
            read,
            draw(tokens) if read is not None else 0,
            again,
            hit,
            candidates=draw(st.integers(1, 2)),
            streamed=draw(st.booleans()),
        )

    failed = st.sampled_from([TimeoutError, GeneratorExit, KeyError]).map(Failed)
    calls = st.lists(st.one_of(answered(), answered(), failed), max_size=5)
    return st.tuples(prices, calls, st.booleans())


def told(prices: Prices, calls: Sequence[Call], at_once: bool) -> str:
    """Prices and calls as a card shows them."""
    shown = ", ".join(f"{name}: {' / '.join(map(str, each))}" for name, each in prices.items())
    said = "; ".join(map(_told, calls)) or "no call"
    return f"prices {{{shown}}}. Calls{', all at once' if at_once else ''}: {said}"


def _told(call: Call) -> str:
    if isinstance(call, Failed):
        return f"one fails with {call.error.__name__}"
    if call.read is None:
        usage = "no usage"
    else:
        details = {None: "", -1: " (details without cache_read)"}.get(
            call.again, f" ({call.again} from the provider's cache)"
        )
        usage = f"{call.read} read{details}, {call.wrote} written"
    more = f", {call.candidates} candidates" if call.candidates > 1 else ""
    return f"{call.model}, {usage}{more}{', from LangChain’s cache' if call.hit else ''}"


def _begun(meter: Any) -> Any:
    manager = CallbackManager.configure(inheritable_callbacks=[meter])
    return manager.on_chat_model_start({}, [[HumanMessage("How heavy is it?")]])[0]


def _ended(run: Any, call: Call) -> bool:
    """End a call; whether the handler changed the response."""
    if isinstance(call, Failed):
        run.on_llm_error(call.error("the call has failed"), response=LLMResult(generations=[]))
        return False
    response = call.result()
    before = copy.deepcopy(_contents(response))
    run.on_llm_end(response)
    return bool(_contents(response) != before)


def _contents(response: LLMResult) -> list[Any]:
    """The messages, with all that they hold."""
    return [vars(one)["message"].model_dump() for row in response.generations for one in row]
