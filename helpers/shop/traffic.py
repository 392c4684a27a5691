"""A day of Fernhill's questions: what modules trace, load, watch and cut the cost of.

It has the shape of a shop's day, made from a seed. A few intents in many wordings are most of it,
and the rest is a long tail that hardly repeats; people come in sessions, mornings and evenings are
busy, and two mailings bring bursts. A few callers cost out of proportion (`Caller`). Some customers
write their personal data into the chat; nobody in it exists (see `helpers.shop.customers`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, TypeVar

import yaml

from helpers.shop.customers import below
from helpers.shop.questions import Question, questions
from helpers.shop.records import TODAY, Customer, Order
from helpers.shop.seed import catalogue, generate

T = TypeVar("T")

SEED: Final = 20260615
COUNT: Final = 1200
"""Requests of a whole day."""

Caller = Literal["ordinary", "repeats", "pastes", "tries orders"]
"""Who asks. `repeats`: a broken client that asks the same again and again. `pastes`: someone who
pastes a whole correspondence before every question. `tries orders`: someone who asks for one order
number after the other, none of them his."""

_WORDINGS: Final = Path(__file__).parent / "wordings.yaml"
# Requests an hour, relative, from midnight to midnight.
_HOURS: Final = (1, 1, 0, 0, 0, 1, 3, 6, 9, 10, 9, 8, 9, 8, 7, 7, 8, 9, 10, 12, 13, 10, 6, 3)
# A dispatch notice at 9:10 and a newsletter at 18:40, each answered for a quarter of an hour.
_BURSTS: Final = ((time(9, 10), "order_status"), (time(18, 40), "return_window"))
_BURST_SHARE: Final = 0.09
_BURST_SECONDS: Final = 900
# Of all requests: how many the costly callers make.
_REPEATS, _PASTES, _TRIES = 0.035, 0.02, 0.03
_LOGGED_IN: Final = 0.6
_PERSONAL: Final = 0.07
_FOLLOW_UP: Final = 0.35


@dataclass(frozen=True, slots=True)
class Request:
    """One question of the day.

    `at` is when it is asked, `session` the conversation that it is part of, `customer` who is
    logged in. `question` is the golden question with the same facts, where there is one, and
    `order` the order that it is about. `personal` says whether the text holds personal data.
    """

    id: str
    at: datetime
    session: str
    customer: str | None
    intent: str
    text: str
    caller: Caller = "ordinary"
    question: str | None = None
    order: str | None = None
    personal: bool = False


def day(count: int = COUNT, *, seed: int = SEED) -> list[Request]:
    """The requests of one day, in the order in which they are asked.

    Args:
        count: how many; a smaller day has the same shape.
        seed: another seed gives another day.

    Raises:
        ValueError: fewer than 50, of which no shape can be seen.
    """
    if count < 50:
        raise ValueError(f"A day has at least 50 requests, not {count}.")
    made = _Day(Random(seed)).requests(count)
    ordered = sorted(made, key=lambda request: (request.at, request.session))
    return [replace(one, id=f"T-{n:05}") for n, one in enumerate(ordered, start=1)]


@dataclass(frozen=True)
class _Intent:
    name: str
    share: float
    wordings: tuple[str, ...]
    question: str | None
    statuses: tuple[str, ...]


@cache
def _intents() -> tuple[_Intent, ...]:
    found: list[dict[str, Any]] = yaml.safe_load(_WORDINGS.read_text("utf-8"))
    return tuple(
        _Intent(
            one["intent"],
            one["share"],
            tuple(one["wordings"]),
            one.get("question"),
            tuple(one.get("orders", ())),
        )
        for one in found
    )


class _Day:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._customers, orders = generate()
        self._orders: dict[str, list[Order]] = {}
        for order in orders:
            self._orders.setdefault(order.customer_id, []).append(order)
        self._all_orders = orders
        self._tail: list[Question] = []
        self._sessions = 0

    def requests(self, count: int) -> list[Request]:
        """All of them, in no order yet."""
        made = [
            *self._repeats(round(count * _REPEATS)),
            *self._pastes(round(count * _PASTES)),
            *self._tries_orders(round(count * _TRIES)),
        ]
        while len(made) < count:
            made += self._visit()
        return made[:count]

    # --- ordinary people -------------------------------------------------------------------------

    def _visit(self) -> list[Request]:
        """One session: a first question, and perhaps others some minutes later."""
        session, share = self._session(), self._random.random()
        burst = next((one for n, one in enumerate(_BURSTS) if share < (n + 1) * _BURST_SHARE), None)
        at = self._moment(burst[0] if burst else None)
        intent = self._intent(burst[1] if burst else None)
        customer = self._visitor(intent)
        found = [self._ask(session, at, customer, intent)]
        while self._chance(_FOLLOW_UP) and len(found) < 5:
            at += timedelta(seconds=20 + below(self._random, 240))
            found.append(self._ask(session, at, customer, self._intent()))
        return found

    def _intent(self, name: str | None = None) -> _Intent | None:
        """The named intent, or one by the intents' shares; None is the long tail."""
        share = self._random.random()
        for one in _intents():
            share -= one.share
            if one.name == name or (name is None and share < 0):
                return one
        return None

    def _visitor(self, intent: _Intent | None) -> Customer | None:
        """Who comes with an intent: whoever asks for an order is logged in and has one."""
        if intent is None or not intent.statuses:
            return self._pick(self._customers) if self._chance(_LOGGED_IN) else None
        return self._pick([one for one in self._customers if self._fitting(one, intent)])

    def _fitting(self, customer: Customer | None, intent: _Intent) -> list[Order]:
        orders = self._orders.get(customer.id, []) if customer else []
        return [order for order in orders if order.status in intent.statuses]

    def _ask(
        self, session: str, at: datetime, customer: Customer | None, intent: _Intent | None
    ) -> Request:
        orders = self._fitting(customer, intent) if intent else []
        if intent is None or (intent.statuses and not orders):
            return self._personal(self._rare(session, at, customer), customer)
        order = self._pick(orders) if intent.statuses else None
        text = self._pick(intent.wordings).format(order=order.id if order else "")
        request = Request(
            id="",
            at=at,
            session=session,
            customer=customer.id if customer else None,
            intent=intent.name,
            text=text,
            question=intent.question,
            order=order.id if order else None,
        )
        return self._personal(request, customer)

    def _rare(self, session: str, at: datetime, customer: Customer | None) -> Request:
        """A question of the long tail: a golden one, or about any product."""
        request = Request(
            id="",
            at=at,
            session=session,
            customer=customer.id if customer else None,
            intent="rare",
            text="",
        )
        if self._chance(0.5):
            product = self._pick(catalogue()).title
            return replace(request, text=self._pick(_ABOUT_PRODUCTS).format(product=product))
        if not self._tail:
            # Those that are about no order: the others belong to one certain customer.
            self._tail = [one for one in questions("dev") if one.customer is None]
        golden = self._tail.pop(below(self._random, len(self._tail)))
        return replace(request, text=golden.question, question=golden.id)

    def _personal(self, request: Request, customer: Customer | None) -> Request:
        if not self._chance(_PERSONAL):
            return request
        who = customer or self._pick(self._customers)
        said = self._pick(_PERSONAL_DATA).format(
            name=who.name,
            email=who.email,
            phone=who.phone,
            street=who.street,
            town=who.town,
            postcode=who.postcode,
        )
        return replace(request, text=f"{request.text} {said}", personal=True)

    # --- the callers who cost out of proportion --------------------------------------------------

    def _repeats(self, count: int) -> Iterator[Request]:
        """The same question every few seconds, word for word."""
        session, at = self._session(), self._moment(time(14, 3))
        golden = next(one for one in questions("dev") if one.id == "dev-single_fact-014")
        for _ in range(count):
            at += timedelta(seconds=3 + below(self._random, 5))
            yield Request(
                id="",
                at=at,
                session=session,
                customer=None,
                intent="rare",
                text=golden.question,
                caller="repeats",
                question=golden.id,
            )

    def _pastes(self, count: int) -> Iterator[Request]:
        """A long correspondence, and a short question at its end."""
        customer = self._pick(self._customers)
        session, at = self._session(), self._moment(time(10, 30))
        plain = [one for one in _intents() if not one.statuses and one.question]
        for _ in range(count):
            at += timedelta(seconds=90 + below(self._random, 900))
            intent = self._pick(plain)
            letters = [self._pick(_LETTERS) for _ in range(9 + below(self._random, 5))]
            yield Request(
                id="",
                at=at,
                session=session,
                customer=customer.id,
                intent=intent.name,
                text=" ".join([*letters, self._pick(intent.wordings)]),
                caller="pastes",
                question=intent.question,
            )

    def _tries_orders(self, count: int) -> Iterator[Request]:
        """One order number after the other, all of other people."""
        customer = self._pick(self._customers)
        session, at = self._session(), self._moment(time(22, 15))
        others = [order for order in self._all_orders if order.customer_id != customer.id]
        for order in others[40 : 40 + count]:
            at += timedelta(seconds=6 + below(self._random, 20))
            yield Request(
                id="",
                at=at,
                session=session,
                customer=customer.id,
                intent="order_status",
                text=f"Where is my order {order.id}?",
                caller="tries orders",
                order=order.id,
            )

    # --- chance ----------------------------------------------------------------------------------

    def _moment(self, start: time | None) -> datetime:
        """A moment of the day: in a burst's quarter of an hour, or by the hours' shares."""
        if start is not None:
            seconds = self._random.random() ** 2 * _BURST_SECONDS  # most come at once
            return datetime.combine(TODAY, start, UTC) + timedelta(seconds=round(seconds))
        place = self._random.random() * sum(_HOURS)
        hour = 0
        while place >= _HOURS[hour]:
            place -= _HOURS[hour]
            hour += 1
        return datetime.combine(TODAY, time(hour), UTC) + timedelta(
            seconds=below(self._random, 3600)
        )

    def _session(self) -> str:
        self._sessions += 1
        return f"S-{self._sessions:04}"

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, values: Sequence[T]) -> T:
        return values[below(self._random, len(values))]


_ABOUT_PRODUCTS: Final = (
    "How much does the {product} weigh?",
    "what does the {product} cost",
    "Is the {product} any good in winter?",
    "How do I clean the {product}?",
    "Which colours does the {product} come in?",
    "{product}: what is it made of?",
    "Does the {product} come with a bag?",
    "How long does delivery of the {product} take?",
)
_PERSONAL_DATA: Final = (
    "My e-mail is {email}.",
    "You can call me on {phone}.",
    "I am {name}, {street}, {town} {postcode}.",
    "Best, {name}, {phone}",
    "I paid with card 4111 1111 1111 1111.",
    "Please write to {email} or ring {phone}.",
)
_LETTERS: Final = (
    "On Monday I wrote to you about the same thing and got a polite answer that did not help.",
    "I attach the whole correspondence below, since I was asked to explain it from the start.",
    "The first parcel came while we were away and a neighbour took it in without telling us.",
    "My sister, who knows the shop well, says that this has never happened to her.",
    "We are leaving for the coast in ten days and everything else is packed and ready.",
    "I have been a customer since the shop in the old mill opened and never had a complaint.",
    "The weather was dreadful all week, which did not make any of this easier for us.",
    "To be fair, the person on the telephone was friendly and took a lot of time for me.",
    "I kept the box, the papers and the little bag of spare parts, exactly as they came.",
    "Please read all of this before you answer, because the details matter here.",
)
