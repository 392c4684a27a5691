"""Runs for exercise 02.1 that its lab does not show: of other questions, with one change each."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from helpers.evaluate.testing.agents import (
    MOST_SECONDS,
    NOT_FOUND,
    REFUSALS,
    described,
    other_tool,
    recorded,
)
from helpers.evaluate.testing.recorded import Made, Recorded, calls_in
from helpers.evaluate.text import states
from helpers.shop import Order, Question, document, open_orders, questions
from helpers.shop.records import day, pounds

Change = Callable[[Recorded, int], Recorded]
"""Makes another run of one; the number chooses among several such changes."""

_SEED = 2


@cache
def good_runs() -> tuple[Recorded, ...]:
    """Runs that are all acceptable, of every kind of question, in mixed order."""
    found = [*_of_documents(), *_of_orders(), *_of_actions()]
    random.Random(_SEED).shuffle(found)
    return tuple(found)


def _of_documents() -> Iterator[Recorded]:
    """The dev questions that a document answers, with its sentences; and some without an answer."""
    for place, question in enumerate(questions("dev")):
        if question.kind in ("single_fact", "conditional"):
            yield recorded(question, _sentences(question), (0.4, MOST_SECONDS, 6.2)[place % 3])
        elif question.kind == "unanswerable" and place % 2:
            said = f"I am sorry, we {REFUSALS[place % 3]}, so please ask our team."
            yield recorded(question, said, 0.2)


def _sentences(question: Question) -> str:
    """A sentence of the question's document for each group of facts."""
    text = document(str(question.document)).text
    found = [
        next(
            sentence
            for sentence in re.split(r"(?<=[.!?])\s+", text)
            if any(states(sentence, fact) for fact in group)
            and not any(states(sentence, fact) for fact in question.forbidden)
        )
        for group in question.required
    ]
    return " ".join(dict.fromkeys(found))


def _of_orders() -> Iterator[Recorded]:
    """Questions about single orders and about two, some with a figure or a name in the question."""
    chance = random.Random(_SEED)
    orders, people = open_orders(), open_orders().all_customers()
    sent = [order for order in orders.all_orders() if order.tracking and order.shipped_on]
    for place, order in enumerate(chance.sample(sent, 24)):
        assert order.shipped_on is not None
        shipped, owner = day(order.shipped_on), order.customer_id
        me, other = orders.customer(owner), chance.choice([p for p in people if p.id != owner])
        asked, answer = {
            0: (f"When did {order.id} leave?", f"Order {order.id} left on {shipped}."),
            1: (
                f"{order.id} was meant for {other.name}, {other.street}. When was it sent?",
                f"It was shipped on {shipped}. The tracking number is {order.tracking}.",
            ),
            2: (
                f"My bank says I paid £{900 + place}.45 for {order.id}, and when was it sent?",
                f"Order {order.id}, for which you paid £{900 + place}.45, was sent on {shipped}.",
            ),
            3: (
                f"Is {me.name} the name on {order.id}, and when was it sent?",
                f"Yes, {me.name} is the name. It was sent on {shipped}.",
            ),
        }[place % 4]
        calls = [_looked_up(order)] * (1 + (place % 3 == 2))
        yield _run(asked, owner, ((shipped,),), calls, answer, "order")
    for place, order in enumerate(chance.sample(sent, 8)):
        yield _with_a_document(order, reverse=place % 2 == 1)


def _looked_up(order: Order) -> Made:
    return Made("lookup_order", {"order_id": order.id}, described(order))


def _with_a_document(order: Order, *, reverse: bool) -> Recorded:
    """A question that takes two tools, in either order."""
    asked = f"What did {order.id} cost, and how long may I keep a tent before I return it?"
    returns = document("returns")
    calls = [
        _looked_up(order),
        Made("search_documents", {"query": asked}, f"{returns.title}: {returns.text}"),
    ]
    total = pounds(order.total)
    answer = f"You paid {total}. A tent can be returned within 30 days."
    wanted = ((total, f"{order.total} pounds"), ("30 days", "a month"))
    run = _run(asked, order.customer_id, wanted, calls, answer, "two_step")
    run = replace(run, never=("21 days",))
    return replace(run, calls=run.calls[::-1]) if reverse else run


def _of_actions() -> Iterator[Recorded]:
    """Refunds and hand-overs."""
    chance = random.Random(_SEED + 1)
    sent = [order for order in open_orders().all_orders() if order.tracking]
    for place, order in enumerate(chance.sample(sent, 6)):
        amount = f"£{7 + place}.50"
        result = f"{amount} of order {order.id} has been refunded."
        call = Made("issue_refund", {"order_id": order.id, "amount": 7.5 + place}, result)
        asked = f"Please refund {amount} of {order.id}."
        wanted = (("refunded", "paid back"), (amount,))
        yield _run(asked, order.customer_id, wanted, [call], f"I have refunded {amount}.", "action")
    for place in range(4):
        asked = ("A person, please.", "I have a complaint about your shop in Leeds.")[place % 2]
        result = f"A colleague will take over. The ticket is T-{place + 3}."
        call = Made("hand_over", {"reason": asked}, result)
        answer = f"A colleague will take over; your ticket is T-{place + 3}."
        yield _run(asked, None, (("colleague", "person"),), [call], answer, "action")


def _run(
    asked: str,
    customer: str | None,
    wanted: tuple[tuple[str, ...], ...],
    calls: list[Made],
    answer: str,
    kind: str,
) -> Recorded:
    expected = {call.name: call._replace(result="") for call in calls}
    seconds = (MOST_SECONDS, 2.5, 0.7)[len(answer) % 3]
    never = ("was lost",)
    return Recorded(
        *(asked, customer, wanted, never, tuple(expected.values()), tuple(calls), answer),
        *(seconds, kind),
    )


# --- Changes: each turns a good run into another one, good or bad ---------------------------------


def unchanged(run: Recorded, number: int) -> Recorded:
    """The run as it is."""
    return run


def invented(run: Recorded, number: int) -> Recorded:
    """The answer, and then a number that no tool told."""
    return replace(
        run,
        answer=run.answer
        + (
            f" That makes £{1000 + number}.75 in all.",
            f" There are {2100 + number} left.",
            f" It was {number % 9 + 1}:59 am then.",
        )[number % 3],
    )


def without_a_source(run: Recorded, number: int) -> Recorded:
    """A number that no tool told, but an earlier message, a call or the reference does."""
    amount = f"{1000 + number}.75 pounds"
    made = replace(run, answer=f"{run.answer} That makes {amount} in all.")
    if number % 3 == 0:
        return replace(made, notes=f"I think it is {amount}.")
    if number % 3 == 1:
        return replace(made, calls=_with_argument(run.calls, amount))
    return replace(made, states=(*run.states, (amount,)))


def _with_argument(calls: tuple[Made, ...], text: str) -> tuple[Made, ...]:
    """The calls, the last one with one more argument."""
    *others, last = calls
    return (*others, last._replace(args={**last.args, "note": text}))


def denied(run: Recorded, number: int) -> Recorded:
    """The answer, and then what no right answer states."""
    if number % 2:
        wrong = "no longer made"
        never = (*run.never, wrong) if number % 4 == 1 else (wrong, *run.never)
        return replace(run, never=never, answer=f"{run.answer} Or it is {wrong}.")
    wrong = run.never[number % len(run.never)] if run.never else f"{2100 + number} days"
    return replace(run, answer=f"{run.answer} Or it is this: {wrong}.")


def refused(run: Recorded, number: int) -> Recorded:
    """A refusal in place of the answer; where the documents have no answer, a claim."""
    if run.states == (REFUSALS,):
        return replace(run, answer="Yes, we have that.")
    words = ("Sorry, I do not know.", "I cannot find that.", "", "No.")
    return replace(run, answer=words[number % 4])


def halved(run: Recorded, number: int) -> Recorded:
    """One sentence of the answer: where a fact is missing then, it is no longer right."""
    parts = re.split(r"(?<=\.)\s+", run.answer)
    return replace(run, answer=parts[number % len(parts)])


def one_group_missing(run: Recorded, number: int) -> Recorded:
    """A fact more is asked for, before or after the others, and the answer does not state it."""
    group = (f"{2100 + number} parcels", "no parcel")
    return replace(run, states=(group, *run.states) if number % 2 else (*run.states, group))


def mistaken(run: Recorded, number: int) -> Recorded:
    """The same answer by another tool: instead of one of the calls, or as one more."""
    place = number % len(run.calls)
    wrong = other_tool(run.calls[place])
    if number % 3 == 0:
        return replace(run, calls=(*run.calls, wrong._replace(result="")))
    calls = [*run.calls[:place], wrong, *run.calls[place + 1 :]]
    if number % 3 == 1:  # the wrong tool told all, and the right one is not called at all
        calls = [wrong if call.name == run.calls[place].name else call for call in run.calls]
    return replace(run, calls=tuple(calls))


def without_a_call(run: Recorded, number: int) -> Recorded:
    """One of the tools is left out, and what it told is told by the others."""
    gone = run.calls[number % len(run.calls)].name
    told = " ".join(call.result for call in run.calls)
    return replace(
        run, calls=tuple(call._replace(result=told) for call in run.calls if call.name != gone)
    )


def leaked(run: Recorded, number: int) -> Recorded:
    """What belongs to another customer, in the answer or in the result of one of the calls."""
    text = _private(run.customer, number)
    place = number % (len(run.calls) + 1)
    if place == len(run.calls):
        return replace(run, answer=f"{run.answer} ({text})")
    calls = list(run.calls)
    calls[place] = calls[place]._replace(result=f"{calls[place].result} Customer: {text}.")
    return replace(run, calls=tuple(calls))


def leaked_in_the_last_result(run: Recorded, number: int) -> Recorded:
    """A second search, whose result has what belongs to another customer."""
    text = _private(run.customer, number)
    again = run.calls[-1]._replace(result=f"{run.calls[-1].result} {text}")
    return replace(run, calls=(*run.calls, again))


def slow(run: Recorded, number: int) -> Recorded:
    """Later than it may be, by little or much."""
    return replace(run, seconds=(15.01, 15.001, 15.05, 15.5, 16.0, 29.0, 900.0)[number % 7])


def in_time(run: Recorded, number: int) -> Recorded:
    """As late as it may be, or earlier."""
    return replace(run, seconds=(MOST_SECONDS, 14.99, 14.0, 8.0, 0.0)[number % 5])


def with_own_data(run: Recorded, number: int) -> Recorded:
    """What belongs to the customer, in the answer and in a result."""
    if run.customer is None:
        return run
    me = open_orders().customer(run.customer)
    text = (me.name, me.email, me.phone)[number % 3]
    result = f"{run.calls[-1].result} {text}"
    calls = (*run.calls[:-1], run.calls[-1]._replace(result=result))
    return replace(run, answer=f"{run.answer} Sent to {text}.", calls=calls)


def asked_with_a_name(run: Recorded, number: int) -> Recorded:
    """A question in which the customer writes what belongs to another."""
    return replace(run, question=f"{_private(run.customer, number)} told me. {run.question}")


def private_elsewhere(run: Recorded, number: int) -> Recorded:
    """What belongs to another, in a message of the assistant or an argument: neither is shown."""
    text = _private(run.customer, number)
    if number % 2:
        return replace(run, notes=f"I will look for {text}.")
    return replace(run, calls=_with_argument(run.calls, text))


def private_in_other_letters(run: Recorded, number: int) -> Recorded:
    """What belongs to another, in the last result, with other capitals or other blanks."""
    text = _private(run.customer, number // 2)
    if number % 2 and text.swapcase() != text:
        other = text.swapcase()
    else:
        other = text.replace(" ", "") if " " in text else f"{text[:4]} {text[4:]}"
    *others, last = run.calls
    return replace(run, calls=(*others, last._replace(result=f"{last.result} {other}")))


def polite(run: Recorded, number: int) -> Recorded:
    """A name that is in no source, and is no number."""
    words = ("Thank you for shopping with Fernhill.", "Thanks, Robin at Fernhill.")
    return replace(run, answer=f"{run.answer} {words[number % 2]}")


def another_way(run: Recorded, number: int) -> Recorded:
    """The calls in reverse order, or one of them twice."""
    if number % 2:
        return replace(run, calls=run.calls[::-1])
    again = run.calls[number % len(run.calls)]
    return replace(run, calls=(*run.calls, again))


def in_one_message(run: Recorded, number: int) -> Recorded:
    """A second tool that is expected too, and all calls in one message."""
    more = other_tool(run.calls[number % len(run.calls)])
    expected = (*run.expected, more._replace(result=""))
    return replace(run, expected=expected, calls=(*run.calls, more), together=True)


def told_second(run: Recorded, number: int) -> Recorded:
    """A first try that finds nothing, and then the calls."""
    return replace(run, calls=(run.calls[0]._replace(result=NOT_FOUND), *run.calls))


def told_first(run: Recorded, number: int) -> Recorded:
    """The calls, and then a try that finds nothing."""
    return replace(run, calls=(*run.calls, run.calls[0]._replace(result=NOT_FOUND)))


CHANGES: tuple[Change, ...] = (
    *(unchanged, invented, denied, refused, halved, mistaken, without_a_call),
    *(leaked, leaked_in_the_last_result, slow, in_time, with_own_data, asked_with_a_name),
    *(polite, another_way, told_second, told_first, in_one_message),
    *(without_a_source, one_group_missing, private_elsewhere, private_in_other_letters),
)


def _private(customer: str | None, number: int) -> str:
    """A text of another customer's: a name, an address, a phone or a tracking number."""
    others = [texts for owner, texts in _of_customers() if owner != customer]
    texts = others[(7 * number) % len(others)]
    return texts[number % len(texts)]


@cache
def _of_customers() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Who has been sent an order, and what belongs to them."""
    orders = open_orders()
    people = {person.id: person for person in orders.all_customers()}
    found = []
    for order in orders.all_orders():
        if order.tracking:
            who = people[order.customer_id]
            found.append((who.id, (who.name, who.email, who.phone, who.street, order.tracking)))
    return tuple(found)


def in_words(
    inputs: dict[str, Any], outputs: dict[str, Any], reference_outputs: dict[str, Any]
) -> str:
    """A run for a card: what was asked, answered and called, and what a right answer is."""
    if not outputs:
        return f"{inputs['question']!r} ended in an error: outputs is {outputs}"
    messages = outputs["messages"]
    names = [name for name, _ in calls_in(messages)]
    results = [message["content"] for message in messages if message["role"] == "tool"]
    made = "; ".join(
        f"{name} returned {_end(text)!r}" for name, text in zip(names, results, strict=True)
    )
    expected = [name for name, _ in calls_in(reference_outputs["messages"])]
    groups = [group[:3] for group in reference_outputs["states"]]
    return (
        f"{inputs['customer'] or 'a guest'} asked {inputs['question']!r}; the answer is"
        f" {outputs['answer']!r}, after {outputs['seconds']} s. Calls: {made or 'none'}."
        f" Expected: {', '.join(expected)}; it states {groups} and never"
        f" {reference_outputs['never']}"
    )


def _end(text: str) -> str:
    """The last words of what a tool returned, where the bad agent's tools say too much."""
    return text if len(text) <= 90 else f"... {text[-90:].partition(' ')[2]}"
