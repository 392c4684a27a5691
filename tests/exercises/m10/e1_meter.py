"""Answers to exercise 10.1, each a right one with a part that is another."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler

from helpers.authoring.answers import right, wrong

_MESSAGE = "line 25, 0 -> -1: message = response.generations[0][0].message"
_ERROR = "def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:"
EQUIVALENT = {
    _MESSAGE: "there is one list of candidates",
    f"{_MESSAGE} (2)": "each candidate has the usage of the whole call",
    f"line 38, argument error ignored: {_ERROR}": "which error it was makes no difference",
}


class Parts(BaseCallbackHandler):
    """The steps, one method each; the answers below change one."""

    def __init__(self, prices: Any) -> None:
        self.prices = prices
        self.dollars: Any = Decimal("0")
        self.counted = 0
        self.cached = 0
        self.uncounted = 0
        self.unknown: Any = {}
        self.lock = threading.RLock()

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        with self.lock:
            self.answered(response.generations[0][0].message)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        with self.lock:
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        self.uncounted += 1

    def answered(self, message: Any) -> None:
        usage, model = message.usage_metadata, message.response_metadata["model_name"]
        if usage is None:
            self.without_usage(model)
        elif self.hit(usage):
            self.cached += 1
        elif self.price(model) is None:
            self.strange(model, usage)
        else:
            self.paid(model, usage)

    def without_usage(self, model: str) -> None:
        self.uncounted += 1

    def hit(self, usage: Any) -> bool:
        return bool(usage.get("total_cost") == 0)

    def price(self, model: str) -> Any:
        return self.prices.get(model)

    def strange(self, model: str, usage: Any) -> None:
        self.unknown[model] = self.unknown.get(model, 0) + 1

    def paid(self, model: str, usage: Any) -> None:
        self.counted += 1
        self.dollars += self.cost(usage, *self.price(model))

    def again(self, usage: Any) -> int:
        return int((usage.get("input_token_details") or {}).get("cache_read", 0))

    def cost(self, usage: Any, read: Decimal, again: Decimal, wrote: Decimal) -> Any:
        cached = self.again(usage)
        total = (usage["input_tokens"] - cached) * read + cached * again
        return (total + usage["output_tokens"] * wrote) / Decimal("1e6")


def but(**methods: Callable[..., Any]) -> Any:
    return type("Changed", (Parts,), methods)


@wrong("It makes nothing.", slip="no-meter")
def nothing() -> object:
    return lambda prices: None


@wrong("A handler that counts nothing.", slip="no-meter")
def a_bare_handler() -> object:
    return type("Bare", (BaseCallbackHandler,), {"__init__": lambda self, prices: None})


@wrong("All numbers stay 0.")
def counts_nothing() -> object:
    return but(on_llm_end=lambda *_, **__: None, on_llm_error=lambda *_, **__: None)


@wrong("Answers from the cache are paid.", slip="hits-paid")
def hits_are_paid() -> object:
    return but(hit=lambda self, usage: False)


@wrong("An answer is a hit where nothing says what it cost.")
def everything_is_a_hit() -> object:
    return but(hit=lambda self, usage: not usage.get("total_cost"))


@wrong("The model is looked at before the cache.", slip="hit-of-unknown")
def model_before_cache() -> object:
    def answered(self: Parts, message: Any) -> None:
        model = message.response_metadata["model_name"]
        if message.usage_metadata is not None and model not in self.prices:
            self.strange(model, message.usage_metadata)
        else:
            Parts.answered(self, message)

    return but(answered=answered)


@wrong("Failed calls are not counted.", slip="failed-forgotten")
def failures_are_forgotten() -> object:
    return but(failed=lambda self, error: None)


@wrong("A reader who leaves is not counted.")
def only_exceptions() -> object:
    def failed(self: Parts, error: BaseException) -> None:
        self.uncounted += isinstance(error, Exception)

    return but(failed=failed)


@wrong("Answers without usage are not counted.")
def without_usage_is_nothing() -> object:
    return but(without_usage=lambda self, model: None)


@wrong("Answers without usage cost nothing, and are counted.")
def without_usage_is_zero() -> object:
    def without_usage(self: Parts, model: str) -> None:
        self.counted += 1

    return but(without_usage=without_usage)


@wrong("The model is looked at before the usage.", slip="without-usage-is-unknown")
def model_before_usage() -> object:
    def without_usage(self: Parts, model: str) -> None:
        if model in self.prices:
            self.uncounted += 1
        else:
            self.strange(model, None)

    return but(without_usage=without_usage)


@wrong("A model without a price costs nothing.", slip="unknown-is-free")
def unknown_is_free() -> object:
    return but(price=lambda self, model: self.prices.get(model, (Decimal(0),) * 3))


@wrong("A model without a price raises an error.", slip="no-key")
def unknown_raises() -> object:
    return but(price=lambda self, model: self.prices[model])


@wrong("A model without a price has the one of the model whose name begins like its own.")
def price_by_prefix() -> object:
    def price(self: Parts, model: str) -> Any:
        return next((self.prices[name] for name in self.prices if model.startswith(name)), None)

    return but(price=price)


@wrong("Names are compared without their case.")
def names_in_lower_case() -> object:
    def price(self: Parts, model: str) -> Any:
        return {name.lower(): each for name, each in self.prices.items()}.get(model.lower())

    return but(price=price)


@wrong("It counts the tokens of unknown models, and not the answers.")
def unknown_tokens() -> object:
    def strange(self: Parts, model: str, usage: Any) -> None:
        self.unknown[model] = self.unknown.get(model, 0) + usage["total_tokens"]

    return but(strange=strange)


@wrong("A set of names.")
def unknown_names() -> object:
    class Named(Parts):
        def __init__(self, prices: Any) -> None:
            super().__init__(prices)
            self.unknown = set()

        def strange(self, model: str, usage: Any) -> None:
            self.unknown.add(model)

    return Named


@wrong("The provider's cache makes nothing cheaper.", slip="full-price")
def full_price() -> object:
    return but(again=lambda self, usage: 0)


@wrong("Tokens from the provider's cache are paid twice.", slip="read-twice")
def read_twice() -> object:
    def cost(self: Parts, usage: Any, read: Decimal, again: Decimal, wrote: Decimal) -> Any:
        cached = self.again(usage)
        total = usage["input_tokens"] * read + cached * again + usage["output_tokens"] * wrote
        return total / 1_000_000

    return but(cost=cost)


@wrong("Details without cache_read raise an error.", slip="no-key")
def details_must_be_there() -> object:
    return but(again=lambda self, usage: usage["input_token_details"]["cache_read"])


@wrong("Dollars for single tokens.", slip="not-a-million")
def not_a_million() -> object:
    return but(cost=lambda self, *arguments: Parts.cost(self, *arguments) * 1_000_000)


@wrong("Floats.", slip="no-decimal")
def floats() -> object:
    class Floats(Parts):
        def __init__(self, prices: Any) -> None:
            super().__init__(prices)
            self.dollars = 0.0

        def cost(self, *arguments: Any) -> Any:
            return float(super().cost(*arguments))

    return Floats


@wrong("By way of floats.")
def by_way_of_floats() -> object:
    return but(cost=lambda self, *arguments: Decimal(float(Parts.cost(self, *arguments))))


@wrong("Rounded to cents of cents.")
def rounded() -> object:
    def cost(self: Parts, *arguments: Any) -> Any:
        return Parts.cost(self, *arguments).quantize(Decimal("0.0001"), ROUND_HALF_UP)

    return but(cost=cost)


@wrong("Each candidate is paid.", slip="candidates-paid")
def every_candidate() -> object:
    def on_llm_end(self: Parts, response: Any, **kwargs: Any) -> None:
        with self.lock:
            for one in response.generations[0]:
                self.answered(one.message)

    return but(on_llm_end=on_llm_end)


@wrong("No lock.", slip="lost")
def no_lock() -> object:
    class Open(Parts):
        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            self.answered(response.generations[0][0].message)

    return Open


@wrong("The numbers belong to the class.", slip="shared")
def on_the_class() -> object:
    shared: dict[str, int] = {}

    class Shared(Parts):
        def __init__(self, prices: Any) -> None:
            super().__init__(prices)
            self.unknown = shared

    return Shared


@wrong("It keeps one call at a time.")
def one_call_at_a_time() -> object:
    class One(Parts):
        running: Any = None

        def on_chat_model_start(self, *_: Any, run_id: Any, **kwargs: Any) -> None:
            self.running = run_id

        def on_llm_end(self, response: Any, *, run_id: Any = None, **kwargs: Any) -> None:
            if run_id == self.running:
                super().on_llm_end(response)

    return One


@wrong("It takes the mark out of the usage.")
def changes_the_usage() -> object:
    return but(hit=lambda self, usage: usage.pop("total_cost", None) is not None)


@wrong("Only whole messages, and no chunks.")
def no_chunks() -> object:
    def answered(self: Parts, message: Any) -> None:
        if message.type == "ai":
            Parts.answered(self, message)

    return but(answered=answered)


@right("It keeps all calls, and adds them up when it is asked.")
def adds_up_when_asked() -> object:
    class Kept(BaseCallbackHandler):
        def __init__(self, prices: Any) -> None:
            self.prices, self.seen = dict(prices), list[tuple[str, Any]]()

        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            self.seen.append(self.judged(response.generations[0][0].message))

        def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
            self.seen.append(("uncounted", None))

        def judged(self, message: Any) -> tuple[str, Any]:
            usage = message.usage_metadata
            if usage is None:
                return "uncounted", None
            if "total_cost" in usage:
                return "cached", None
            name = message.response_metadata["model_name"]
            if name not in self.prices:
                return "unknown", name
            read, again, wrote = self.prices[name]
            cached = (usage.get("input_token_details") or {}).get("cache_read") or 0
            rest = usage["input_tokens"] - cached
            return "counted", rest * read + cached * again + usage["output_tokens"] * wrote

        def number(self, kind: str) -> int:
            return sum(one == kind for one, _ in self.seen)

        counted = property(lambda self: self.number("counted"))
        cached = property(lambda self: self.number("cached"))
        uncounted = property(lambda self: self.number("uncounted"))

        @property
        def dollars(self) -> Decimal:
            paid = (cost for kind, cost in self.seen if kind == "counted")
            return sum(paid, Decimal(0)) / 1_000_000

        @property
        def unknown(self) -> Counter[str]:
            return Counter(name for kind, name in self.seen if kind == "unknown")

    return Kept


@right("Methods that are coroutines.")
def async_methods() -> object:
    class Awaited(AsyncCallbackHandler, Parts):
        async def on_llm_end(self, response: Any, **kwargs: Any) -> None:  # type: ignore[override]
            Parts.on_llm_end(self, response)

        async def on_llm_error(  # type: ignore[override]
            self, error: BaseException, **kwargs: Any
        ) -> None:
            Parts.on_llm_error(self, error)

    return Awaited


@right("A defaultdict, and fractions until the end.")
def fractions() -> object:
    class Exact(Parts):
        def __init__(self, prices: Any) -> None:
            super().__init__(prices)
            self.unknown = defaultdict(int)

        def strange(self, model: str, usage: Any) -> None:
            self.unknown[model] += 1

        def cost(self, usage: Any, *prices: Decimal) -> Any:
            cached = self.again(usage)
            tokens = (usage["input_tokens"] - cached, cached, usage["output_tokens"])
            total = sum(n * Fraction(price) for n, price in zip(tokens, prices, strict=True))
            micro = total * 1000  # prices have at most three places
            return Decimal(micro.numerator) / Decimal(10**9)

    return Exact


@right("It also looks at how calls begin, by run.")
def by_run() -> object:
    class Runs(Parts):
        def __init__(self, prices: Any) -> None:
            super().__init__(prices)
            self.running: set[Any] = set()

        def on_chat_model_start(self, *_: Any, run_id: Any, **kwargs: Any) -> None:
            self.running.add(run_id)

        def on_llm_end(self, response: Any, *, run_id: Any = None, **kwargs: Any) -> None:
            self.running.discard(run_id)
            super().on_llm_end(response)

    return Runs


@right("The shortest one.")
def parts_as_they_are() -> object:
    return Parts
