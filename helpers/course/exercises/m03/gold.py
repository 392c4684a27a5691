"""What a discount tool of exercise 03.1 does and shows, with an order book and a till that watch.

The tool runs in LangGraph's own `ToolNode`, which fills in its runtime; a model is not needed.
"""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from helpers.agent import Caller, build_agent
from helpers.course.exercises.scripted import Scripted, calling
from helpers.course.exercises.words import kind
from helpers.security.controls.secrets import GOODWILL, Discount, DiscountRefused, Till
from helpers.shop import TODAY, Order, Orders, UnknownOrder, open_orders
from helpers.shop.records import Status

MakeTool = Callable[[Orders, Till, str], BaseTool]

TAKES = "takes £20 off"
GOLD = 400
"""Pounds, as the lab gives them: members who have spent more this year are Gold."""

CODES = ("FERN-7QX4-KD92", "moss-Ab3x-99Lk", "Heather-20-off", " Bracken-31-Zq ")
"""Codes of the cases: small letters and capitals count, and so do spaces at the ends."""

_LOG_IN = re.compile(r"\b(?:log|sign)(?:ged|ging|ned)?[ -]?in\b", re.IGNORECASE)
_PATIENCE_S = 0.2


class NotATool(TypeError):  # noqa: N818 - it reads as what it is
    """What `make_gold_discount` returned is no tool."""


@dataclass(frozen=True)
class Bought:
    """An order of a case: its owner, its total and what was refunded in pounds, and the day."""

    number: int
    customer: str
    total: str
    refunded: str = "0"
    on: date = TODAY
    cancelled: bool = False

    @property
    def id(self) -> str:
        """The order's number, as customers write it."""
        return f"FH-{self.number}"

    def __str__(self) -> str:
        back = f" (£{self.refunded} refunded)" if Decimal(self.refunded) else ""
        gone = ", cancelled" if self.cancelled else ""
        return f"{self.id} of {self.customer}: £{self.total}{back}, {self.on}{gone}"

    def order(self) -> Order:
        """The order as the order book holds it."""
        status = "cancelled" if self.cancelled else _STATUSES[self.number % len(_STATUSES)]
        late = date(self.on.year + 1, 1, 2)
        return Order(
            id=self.id,
            customer_id=self.customer,
            status=status,
            items=(),
            delivery="standard",
            delivery_fee=min(Decimal("3.50"), Decimal(self.total)),
            total=Decimal(self.total),
            refunded=Decimal(self.refunded),
            carrier=None,
            tracking=None,
            ordered_on=self.on,
            expected_on=None,
            shipped_on=None if status == "processing" else late,
            delivered_on=late if status in ("delivered", "returned") else None,
            returned_on=late if status == "returned" else None,
            cancelled_on=late if self.cancelled else None,
        )


_STATUSES: Sequence[Status] = ("processing", "delivered", "returned", "shipped", "delivered")


@dataclass(frozen=True)
class Ask:
    """A customer, or None for a guest, asks for the discount on an order."""

    customer: str | None
    order_id: str

    def __str__(self) -> str:
        return f"{self.customer or 'a guest'} asks for {self.order_id!r}"


@dataclass(frozen=True)
class Change:
    """An order is bought, or changes, between two calls."""

    bought: Bought

    def __str__(self) -> str:
        return f"the order book now has {self.bought}"


Step = Ask | Change


class Book(Orders):
    """An order book in memory, of the orders of a case."""

    def __init__(self, bought: Sequence[Bought]) -> None:
        # The shop's own orders are not needed, and take longer than a case.
        self.hold(bought)
        self._meeting: threading.Barrier | None = None

    def hold(self, bought: Sequence[Bought]) -> None:
        """From now on these are all orders."""
        self._kept = {one.id: one.order() for one in bought}

    def put(self, bought: Bought) -> None:
        """Add an order, or change it."""
        self._kept[bought.id] = bought.order()

    def meet(self, callers: int) -> None:
        """From now on so many callers read at the same time: each waits for the others."""
        self._meeting = threading.Barrier(callers)

    def get(self, order_id: str, customer_id: str) -> Order:
        """The order of this customer, as `Orders.get` gives it."""
        self._wait()
        asked = order_id.strip().upper()
        found = self._kept.get(asked)
        if found is None or found.customer_id != customer_id:
            raise UnknownOrder(asked)
        return found

    def order_ids(self, customer_id: str) -> list[str]:
        """The ids of this customer's orders."""
        self._wait()
        return sorted(one.id for one in self._kept.values() if one.customer_id == customer_id)

    def all_orders(self) -> list[Order]:
        """Every order."""
        return sorted(self._kept.values(), key=lambda order: order.id)

    def has(self, order: Order) -> bool:
        """Whether this is an order of the book, as it is."""
        return self._kept.get(order.id) == order

    def spent(self, customer: str) -> Decimal:
        """Pounds that a customer has spent this year."""
        own = [one for one in self._kept.values() if one.customer_id == customer]
        return sum(
            (o.total - o.refunded for o in own if o.ordered_on.year == TODAY.year), Decimal(0)
        )

    def _wait(self) -> None:
        if self._meeting is not None:
            with suppress(threading.BrokenBarrierError):  # the others do not come
                self._meeting.wait(_PATIENCE_S)


class WatchedTill(Till):
    """A till that keeps what it was asked, and what came of it, by order."""

    def __init__(self, code: str, knows: str) -> None:
        """`code` is what the tool has to give, `knows` what this till takes."""
        super().__init__(knows)
        self._expected, self._knows = code, knows
        self.book = Book([])
        self.reset()

    def reset(self) -> None:
        """Forget what was given: the tool's making takes long, and a case wants a new till."""
        self.asked: list[tuple[str, str, str]] = []
        self._had: dict[str, Discount] = {}

    @property
    def discounts(self) -> list[Discount]:
        """What was given, oldest first."""
        return list(self._had.values())

    def redeem(self, code: str, order: Order) -> Discount:
        """What `Till.redeem` does, kept."""
        if not isinstance(order, Order):
            self.asked.append(("?", f"gets {kind(order)} instead of", ""))
            raise TypeError(f"redeem takes an order; this is {kind(order)}")
        why = ""
        if code != self._knows:
            why = "This code is not valid."
        elif order.id in self._had:
            why = f"Order {order.id} has had its discount already."
        did = "gets another code for" if code != self._expected else "refuses" if why else "gives"
        if not self.book.has(order):
            did = "gets a changed copy of"
        self.asked.append((order.id, TAKES if did == "gives" else did, why))
        if why:
            raise DiscountRefused(why)
        return self._had.setdefault(order.id, Discount(order.id, GOODWILL))


class Counter:
    """A discount tool behind a counter: customers ask, and what happens is put in words."""

    def __init__(
        self, make: MakeTool, bought: Sequence[Bought], code: str, knows: str | None = None
    ) -> None:
        self.book, self.code = Book(bought), code
        self.till = WatchedTill(code, code if knows is None else knows)
        self.till.book = self.book
        self.tool = made(make, self.book, self.till, code)
        graph = StateGraph(MessagesState, context_schema=Caller)
        graph.add_node("tools", ToolNode([self.tool]))
        graph.add_edge(START, "tools")
        self._graph = graph.compile()

    async def all_happen(self, steps: Sequence[Step]) -> list[str]:
        """What comes of each `Ask` among the steps."""
        found = [(step, await self.happens(step)) for step in steps]
        return [what for step, what in found if isinstance(step, Ask)]

    async def happens(self, step: Step) -> str:
        """What comes of a step: what the till does, and what is wrong with the tool's words."""
        if isinstance(step, Change):
            self.book.put(step.bought)
            return "changed"
        before = len(self.till.asked)
        # A thread for a tool that is not async would take longer than the tool.
        is_async = getattr(self.tool, "coroutine", None) is not None
        message = await self.told(step) if is_async else self.told_alone(step)
        return self.in_words(step, message, self.till.asked[before:])

    async def told(self, ask: Ask) -> ToolMessage:
        """What the model reads after the tool's call, while others may call too."""
        after = await self._graph.ainvoke(self._called(ask), context=Caller(ask.customer))
        found: ToolMessage = after["messages"][-1]
        return found

    def told_alone(self, ask: Ask) -> ToolMessage:
        """The same, when nobody else calls."""
        after = self._graph.invoke(self._called(ask), context=Caller(ask.customer))
        found: ToolMessage = after["messages"][-1]
        return found

    def _called(self, ask: Ask) -> Any:
        call = calling((self.tool.name, {"order_id": ask.order_id}))
        return {"messages": [HumanMessage("My discount, please."), call]}

    def in_words(
        self, ask: Ask, message: ToolMessage, asked: Sequence[tuple[str, str, str]]
    ) -> str:
        """What came of one call, as a card shows it."""
        did = " and ".join(f"the till {what} {order}" for order, what, _ in asked)
        fault = self._fault(ask, message, asked)
        return (did or "nothing is taken off") + (f", but {fault}" if fault else "")

    def _fault(self, ask: Ask, message: ToolMessage, asked: Sequence[tuple[str, str, str]]) -> str:
        text = message.text
        if holds(self.code, str(message)):
            return "the model reads the code"
        if text.strip() in ("", "null"):  # LangChain writes None as null
            return "the model reads no text"
        if ask.customer is None:
            return "" if _LOG_IN.search(text) else "a guest is not asked to log in"
        if self.book.spent(ask.customer) <= GOLD:
            return ""
        order_id = ask.order_id.strip().upper()
        if any(what == TAKES for _, what, _ in asked):
            return "" if order_id in text.upper() else "the text does not name the order"
        reasons = [why for _, _, why in asked if why] or [str(UnknownOrder(order_id))]
        return "" if all(why in text for why in reasons) else "the text does not say why"


def made(make: MakeTool, orders: Orders, till: Till, code: str) -> BaseTool:
    """A tool of the learner's.

    Raises:
        NotATool: it is something else.
    """
    tool = make(orders, till, code)
    if not isinstance(tool, BaseTool):
        raise NotATool(f"make_gold_discount returned {kind(tool)}, and no tool")
    return tool


def holds(code: str, text: str) -> bool:
    """Whether a text has the code in it, or six signs of it, in any spelling, or backwards."""
    secret, found = _letters(code), _letters(text)
    parts = [secret[at : at + _PART] for at in range(len(secret) - _PART + 1)]
    return any(part in found or part[::-1] in found for part in parts)


_PART = 6  # letters and digits in a row, of which no harmless text has these by chance


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


async def after(
    make: MakeTool,
    bought: Sequence[Bought],
    steps: Sequence[Step],
    code: str = CODES[0],
    knows: str | None = None,
) -> list[str]:
    """What comes of each `Ask` among the steps, with one tool."""
    return await Counter(make, bought, code, knows).all_happen(steps)


class Room:
    """The counters of one learner's tool, one a code, for one case after another."""

    def __init__(self, make: MakeTool) -> None:
        self._make = make
        self._counters: dict[str, Counter] = {}

    async def after(self, bought: Sequence[Bought], steps: Sequence[Step], code: str) -> list[str]:
        """What `after` gives, in less time: a tool is made once, not for each order book."""
        if code not in self._counters:
            self._counters[code] = Counter(self._make, bought, code)
        counter = self._counters[code]
        counter.book.hold(bought)
        counter.till.reset()
        return await counter.all_happen(steps)


async def at_once(make: MakeTool, bought: Sequence[Bought], asks: Sequence[Ask]) -> list[str]:
    """What comes of each, when all ask one tool at the same time."""
    counter = Counter(make, bought, CODES[0])
    counter.book.meet(len(asks))
    messages = await asyncio.gather(*(counter.told(ask) for ask in asks))
    asked = [[one for one in counter.till.asked if one[0] == ask.order_id] for ask in asks]
    return [
        counter.in_words(ask, message, own)
        for ask, message, own in zip(asks, messages, asked, strict=True)
    ]


async def of_two_shops(
    make: MakeTool, first: Sequence[Bought], second: Sequence[Bought], ask: Ask
) -> list[str]:
    """What comes of an `Ask` to the tools of two shops, with a code and a till each."""
    shops = [Counter(make, first, CODES[0]), Counter(make, second, CODES[1])]
    return [await shop.happens(ask) for shop in (*shops, shops[0])]


def shown_to_the_model(make: MakeTool) -> dict[str, Any]:
    """What a model, or a log, can read of the tool; with each code."""
    names, arguments, leaks = set(), set(), []
    for code in CODES:
        tool = made(make, Book([]), WatchedTill(code, code), code)
        definition = convert_to_openai_tool(tool)["function"]
        names.add(definition["name"])
        arguments |= set(definition.get("parameters", {}).get("properties", {}))
        places = {
            "description": definition.get("description", ""),
            "arguments": json.dumps(definition.get("parameters", {}), default=str),
            "extras": str(tool.extras or ""),
            "tags or metadata": f"{tool.tags or ''} {tool.metadata or ''}",
        }
        leaks += [place for place, text in places.items() if holds(code, text)]
    return {
        "name": ", ".join(sorted(names)),
        "arguments": sorted(arguments),
        "the code is in": sorted(set(leaks)),
    }


async def in_the_agent(make: MakeTool) -> list[str]:
    """What the till of the shop has given, after two customers asked the shop's agent."""
    orders, code = open_orders(), CODES[2]
    till = Till(code)
    tool = made(make, orders, till, code)
    for customer, order_id in (("C-0012", "FH-10512"), ("C-0007", "FH-10919")):
        model = Scripted(says=[calling((tool.name, {"order_id": order_id}))])
        agent = build_agent(model=model, tools=[tool])
        config = RunnableConfig(configurable={"thread_id": customer})
        asked = {"messages": [HumanMessage("My Gold discount, please.")]}
        await agent.ainvoke(asked, config, context=Caller(customer))
    return [discount.order_id for discount in till.discounts]


_ANN, _BEN = "C-0001", "C-0002"
_THIS, _LAST = TODAY.replace(month=1, day=1), TODAY.replace(year=TODAY.year - 1, month=12, day=31)
_END, _NEXT = TODAY.replace(month=12, day=31), TODAY.replace(year=TODAY.year + 1, month=1, day=1)
_TOTALS = ("400.00", "400.01", "399.99", "0.01", "150.00", "250.00", "250.01", "500.00", "400.50")
_REFUNDS = ("0", "0", "0", "0.01", "0.50", "100.00", "100.01")


def _bought(number: int, customer: str) -> "st.SearchStrategy[Bought]":
    def build(total: str, refunded: str, on: date, cancelled: bool) -> Bought:
        back = total if cancelled else str(min(Decimal(total), Decimal(refunded)))
        return Bought(number, customer, total, back, on, cancelled)

    return st.builds(
        build,
        st.sampled_from(_TOTALS),
        st.sampled_from(_REFUNDS),
        st.sampled_from([TODAY, TODAY, _THIS, _LAST, _LAST.replace(month=7), _END, _NEXT]),
        st.sampled_from([False, False, False, True]),
    )


@st.composite
def inputs(draw: st.DrawFn) -> tuple[list[Bought], list[Step], str]:
    """Orders of two customers, what happens, and the code."""
    owners = draw(st.lists(st.sampled_from([_ANN, _ANN, _BEN]), min_size=1, max_size=3))
    bought = [draw(_bought(10_001 + n, customer)) for n, customer in enumerate(owners)]
    ids = st.sampled_from([*(one.id for one in bought)] * 2 + ["FH-10009", " fh-10001 ", "tent"])
    asks = st.builds(Ask, st.sampled_from([_ANN, _ANN, _ANN, _BEN, None]), ids)
    steps: list[Step] = [draw(asks)]
    if draw(st.integers(0, 3)) == 3:
        change = Change(draw(_bought(draw(st.sampled_from([10_001, 10_009])), _ANN)))
        steps += [change, draw(asks)]
    return bought, steps, draw(st.sampled_from(CODES))


def told(bought: Sequence[Bought], steps: Sequence[Step], code: str = CODES[0]) -> str:
    """Orders and what happens, as a card shows them, a line each."""
    lines = [f"The order book has {one}." for one in bought] or ["The order book is empty."]
    return "\n".join([*lines, *(f"Then {step}." for step in steps)])


def with_total(bought: Bought, total: str) -> Bought:
    """The order with another total."""
    return replace(bought, total=total)
