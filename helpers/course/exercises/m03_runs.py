"""What the cases of module 03 do with a learner's object: run it inside an agent, and look."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from langchain.agents.middleware import PIIMiddleware
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from helpers.agent import Caller, build_agent
from helpers.course.exercises.m03_given import CODE
from helpers.course.exercises.scripted import Scripted, calling, saying
from helpers.security.attacks.canary import Canary
from helpers.security.controls import Till, clean
from helpers.security.controls.pii import Detector
from helpers.shop import Order, Orders, UnknownOrder, open_orders

MakeTool = Callable[[Orders, Till, str], BaseTool]
Guarded = Callable[[Iterator[str], Callable[[str], bool]], Iterable[str]]

_CONFIG = RunnableConfig(configurable={"thread_id": "lab"})


# --- 03.1 -----------------------------------------------------------------------------------------


class OneOrder(Orders):
    """An order book in which a customer has one order, of this total."""

    def __init__(self, order_id: str, customer_id: str, total: Decimal) -> None:
        super().__init__()
        self._order = replace(self.get(order_id, customer_id), total=total)

    def order_ids(self, customer_id: str) -> list[str]:
        """The one id."""
        return [self._order.id] if customer_id == self._order.customer_id else []

    def get(self, order_id: str, customer_id: str) -> Order:
        """The one order."""
        known: Order | None = getattr(self, "_order", None)
        if known is None:
            return super().get(order_id, customer_id)
        if (order_id, customer_id) != (known.id, known.customer_id):
            raise UnknownOrder(order_id)
        return known


def arguments(make: MakeTool) -> list[str]:
    """The names of the arguments that a model sees of the tool."""
    function = convert_to_openai_tool(make(open_orders(), Till(CODE), CODE))["function"]
    return sorted(function.get("parameters", {}).get("properties", {}))


def discounted(
    make: MakeTool,
    order_id: str,
    customer: str | None,
    *,
    orders: Orders | None = None,
    till: Till | None = None,
    times: int = 1,
) -> tuple[list[str], str]:
    """The orders whose discount the till gave, and all that the tool said.

    A scripted model calls the tool `times` times in one turn.
    """
    till = till or Till(CODE)
    made = make(orders or open_orders(), till, CODE)
    says = [calling((made.name, {"order_id": order_id})) for _ in range(times)]
    agent = build_agent(model=Scripted(says=says), tools=[made])
    asked = HumanMessage("My Gold discount, please.")
    state = agent.invoke({"messages": [asked]}, _CONFIG, context=Caller(customer))
    told = " ".join(m.text for m in state["messages"] if isinstance(m, ToolMessage))
    return [discount.order_id for discount in till.discounts], told


# --- 03.2 -----------------------------------------------------------------------------------------


def inside(fenced: str) -> str | None:
    """What stands between the marks, as a model that reads for meaning sees it; None: no marks."""
    start, end = "<<data>>", "<<end data>>"
    if not (fenced.startswith(start) and fenced.endswith(end)):
        return None
    return clean(fenced[len(start) : len(fenced) - len(end)]).casefold()


# --- 03.3 -----------------------------------------------------------------------------------------


def found(detect: Detector, text: str) -> list[str]:
    """The parts of a text that a detector's matches point at."""
    return [text[match["start"] : match["end"]] for match in detect(text)]


def read_by_the_model(detect: Detector, text: str) -> str:
    """What the model reads of a message, with LangChain's redaction by this detector."""
    model = Scripted(says=[saying("Noted.")])
    control: Any = PIIMiddleware("iban", detector=detect, strategy="redact")
    agent = build_agent(model=model, tools=[], middleware=[control])
    agent.invoke({"messages": [HumanMessage(text)]}, _CONFIG, context=Caller("C-0012"))
    return next(m.text for m in reversed(model.heard[-1]) if isinstance(m, HumanMessage))


# --- 03.4 -----------------------------------------------------------------------------------------


def streamed(guard: Guarded, pieces: Sequence[str]) -> str:
    """All that comes out of a guarded stream."""
    return "".join(guard(iter(pieces), Canary(CODE).leaked))


def whole_secret_out(guard: Guarded, pieces: Sequence[str]) -> bool:
    """Whether what comes out gives the secret away."""
    return Canary(CODE).leaked(streamed(guard, pieces))


def read_before_the_first_word(guard: Guarded, pieces: Sequence[str]) -> int:
    """How many pieces the guard has read when its first text comes out; all, when none does."""
    read = 0

    def counted() -> Iterator[str]:
        nonlocal read
        for piece in pieces:
            read += 1
            yield piece

    for text in guard(counted(), Canary(CODE).leaked):
        if text:
            return read
    return len(pieces)
