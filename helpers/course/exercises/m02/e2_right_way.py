"""Exercise 02.2: a trajectory evaluator that allows a detour."""

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, exercise, generated

RightWay = Callable[[dict[str, Any], dict[str, Any]], bool]
Call = tuple[str, dict[str, Any]]
"""A tool's name and the arguments."""

_DRAWN = 500


@exercise(
    "02.2",
    title="A trajectory evaluator that allows a detour",
    hints=[
        'The calls are call["function"] of each call in message.get("tool_calls") or [], with a'
        ' "name" and "arguments", which json.loads() reads.',
        Hint(
            "Reading twice costs a second, paying twice costs money. Walk through the calls. A call"
            " that serves the next expected one is fine; any other one must be a reading.",
            "detour",
        ),
        Hint(
            "One expected call is next at a time. It stays the next one until a call serves it, and"
            " at the end none may be left.",
            "order",
        ),
        Hint(
            "waiting = a list of the expected calls. For each call: if waiting and it serves"
            " waiting[0], waiting.pop(0); otherwise, if it acts, return False. At the end, return"
            " not waiting.",
            "order",
        ),
        Hint(
            "Look at each expected argument. For a text, compare strip().lower() of both. For a"
            " number, float(value) may raise ValueError or TypeError: then the value does not fit.",
            "values",
        ),
    ],
)
def right_way(answer: RightWay) -> Iterator[Case]:
    """Whether an agent makes the expected calls in order, and does nothing else."""
    from hypothesis import strategies as st

    for name, about, expected, good, bad, strict, lax in _PAIRS:
        yield _case(answer, name, about, expected, good, bad, strict, lax)
    yield _with_another_call(answer)
    yield generated(
        "any value of an argument",
        answer,
        exercise="02.2",
        inputs=st.sampled_from(_values()),
        called=_in_words,
        about="values",
        budget=len(_values()),
    )
    yield generated(
        "any calls",
        answer,
        exercise="02.2",
        inputs=st.sampled_from(_trajectories()),
        called=_in_words,
        about="any",
        budget=250,
    )


def _case(
    answer: RightWay,
    name: str,
    about: str,
    expected: Sequence[Call],
    good: Sequence[Call],
    bad: Sequence[Call],
    strict: str,
    lax: str,
) -> Case:
    wanted = _messages(expected, results=False)

    def call() -> list[Any]:
        given = [copy.deepcopy(wanted), copy.deepcopy(wanted)]
        return [
            answer(_messages(calls), one) for calls, one in zip((good, bad), given, strict=True)
        ]

    return Case(
        name,
        call=call,
        show=f"where {_calls(expected)} is expected: right_way for {_calls(good)}, and for"
        f" {_calls(bad)}",
        expect=[True, False],
        about=about,
        slips=[
            Slip.value("strict", [False, False], strict),
            Slip.value("lax", [True, True], lax),
            Slip.value("reversed", [False, True], f"{strict} {lax}"),
        ],
    )


def _with_another_call(answer: RightWay) -> Case:
    """The same dictionaries twice, the second time with another call."""
    refund = _refund("FH-10907")

    def call() -> list[Any]:
        made, wanted = _messages([refund]), _messages([refund], results=False)
        before = answer(made, wanted)
        made["messages"] += _messages([refund])["messages"]
        return [before, answer(made, wanted)]

    return Case(
        "the same dictionary, to which a call is added",
        call=call,
        show=f"where {_calls([refund])} is expected: right_way for that call, and then for the same"
        " dictionary with a second such call",
        expect=[True, False],
        about="order",
    )


def _search(words: str) -> Call:
    return "search_documents", {"query": words}


def _look(order: str) -> Call:
    return "lookup_order", {"order_id": order}


def _refund(order: str, **more: Any) -> Call:
    return "issue_refund", {"order_id": order, **more}


_TICKET: Call = ("hand_over", {"reason": "a complaint"})
_PAIRS: tuple[tuple[str, str, list[Call], list[Call], list[Call], str, str], ...] = (
    (
        "the expected call",
        "order",
        [_look("FH-10735")],
        [_look("FH-10735")],
        [],
        "That is the expected call.",
        "Nothing was looked up.",
    ),
    (
        "a text",
        "values",
        [_look("FH-10735")],
        [_look(" fh-10735")],
        [_look("FH-10753")],
        "Case and blanks at the ends do not matter.",
        "That is another order.",
    ),
    (
        "a number",
        "values",
        [_refund("FH-10735", amount=20.0)],
        [_refund("FH-10735", amount="20.00")],
        [_refund("FH-10735", amount=200)],
        "20.00 and 20.0 are one amount.",
        "It pays ten times as much.",
    ),
    (
        "nearly the same text",
        "values",
        [_look("FH-10530")],
        [_look("FH-10530 ")],
        [_look("FH10530")],
        "Blanks at the ends do not matter.",
        "The hyphen is missing: that is another text.",
    ),
    (
        "a few pence",
        "values",
        [_refund("FH-10530", amount=7.5)],
        [_refund("FH-10530", amount=" 7.50")],
        [_refund("FH-10530", amount=7)],
        "7.50 and 7.5 are one amount, also as a text with a blank.",
        "It pays 50 pence less.",
    ),
    (
        "a name",
        "order",
        [_look("FH-10907")],
        [_search("FH-10907"), _look("FH-10907")],
        [("Lookup_Order", {"order_id": "FH-10907"})],
        "A search does no harm.",
        "There is no tool with that name: case matters in names.",
    ),
    (
        "no number at all",
        "values",
        [_refund("FH-10530", amount=7.5)],
        [_refund("FH-10530", amount=7.5, reason="torn")],
        [_refund("FH-10530", amount="half")],
        "An argument that is not expected may have any value.",
        "That is not a number.",
    ),
    (
        "an argument is missing",
        "values",
        [_refund("FH-10735", amount=20.0)],
        [_refund("FH-10735", amount=20)],
        [_refund("FH-10735")],
        "20 and 20.0 are one amount.",
        "Without an amount it pays everything.",
    ),
    (
        "a call before the expected one",
        "detour",
        [_refund("FH-10735")],
        [_look("FH-10735"), _refund("FH-10735")],
        [_TICKET, _refund("FH-10735")],
        "To look before a refund does no harm.",
        "Nobody asked for a ticket: a person now works on it.",
    ),
    (
        "a call at the end",
        "detour",
        [_search("returns")],
        [_search("returns"), _look("FH-10292")],
        [_search("returns"), _TICKET],
        "To look afterwards does no harm.",
        "Nobody asked for a ticket: a person now works on it.",
    ),
    (
        "in which order",
        "order",
        [_look("FH-10735"), _refund("FH-10735")],
        [_look("FH-10735"), _search("refunds"), _refund("FH-10735")],
        [_refund("FH-10735"), _look("FH-10735")],
        "The expected calls are there in their order; a search between them does no harm.",
        "It refunds first and looks afterwards.",
    ),
    (
        "nothing is expected",
        "detour",
        [],
        [_search("tent pegs"), _look("FH-10292")],
        [_refund("FH-10292")],
        "Readings do no harm.",
        "Nobody asked for a refund.",
    ),
    (
        "an action twice",
        "order",
        [_refund("FH-10735")],
        [_refund("FH-10735")],
        [_refund("FH-10735"), _refund("FH-10735")],
        "That is the expected call.",
        "It pays twice.",
    ),
    (
        "one call is not two",
        "order",
        [_look("FH-10735"), _look("FH-10735"), _TICKET],
        [_look("FH-10735"), _look("FH-10735"), _TICKET],
        [_look("FH-10735"), _TICKET],
        "Those are the expected calls.",
        "Two looks are expected, and only one is there.",
    ),
    (
        "a wrong action before the right one",
        "detour",
        [_refund("FH-10735")],
        [_look("FH-10292"), _refund("FH-10735")],
        [_refund("FH-10292"), _refund("FH-10735")],
        "It looked at another order and refunded the right one.",
        "It refunds another order as well.",
    ),
    (
        "a tool that is not in the shop yet",
        "detour",
        [_look("FH-10907")],
        [_look("FH-10907"), _search("cancel")],
        [_look("FH-10907"), ("search_and_cancel", {"order_id": "FH-10907"})],
        "A search does no harm.",
        "Only search_documents and lookup_order read: every other tool acts.",
    ),
)


def _messages(
    calls: Sequence[Call], together: Sequence[int] = (), *, results: bool = True
) -> dict[str, Any]:
    from helpers.evaluate.testing.recorded import Made, called

    made = [Made(name, args, "It is done.") for name, args in calls]
    messages = called(made, together=together, results=results)
    if results:
        question = {"role": "user", "content": "Please help me with my order."}
        messages = [question, *messages, {"role": "assistant", "content": "There you are."}]
    return {"messages": messages}


NEW_TOOLS = (
    *("cancel_order", "search_and_cancel", "lookup_order_and_cancel", "search_documents_away"),
    *("lookup_address", "get_order"),
)
"""Tools that the shop does not have yet, so that they act."""

_NUMBERS = (20.0, 7.5, 120, 1200, 0, 0.5)
_TEXTS = ("FH-10735", " FH-10735", "fh-10735 ", "Tent pegs", " Tent pegs ", "10735", "20", "None")


@cache
def _values() -> tuple[tuple[dict[str, Any], dict[str, Any]], ...]:
    """One call where one is expected: with each value that fits, and each that nearly does."""
    found = []
    for number in _NUMBERS:
        fit: tuple[Any, ...] = (
            number,
            float(number),
            f"{number:.2f}",
            f" {number}\n",
            f"{number:e}",
        )
        for value in (*fit, *_near_number(number)):
            found.append((_refund("FH-10735", amount=value), _refund("FH-10735", amount=number)))
    for text in _TEXTS:
        bare = text.strip()
        fit = (text, bare, bare.lower(), bare.upper(), f"  {bare}", f"{bare}\t", f"\n{bare} ")
        for value in (*fit, *_near_text(text)):
            found.append((("hand_over", {"reason": value}), ("hand_over", {"reason": text})))
    return tuple((_messages([made]), _messages([wanted], results=False)) for made, wanted in found)


def _near_number(number: float) -> tuple[Any, ...]:
    """What is not this number, most of it near."""
    return (
        *(number + 0.01, number - 0.01, number + 0.001, number - 0.4, number + 0.4, -number or 5),
        *(f"£{number:.2f}", f"{number:.2f}".replace(".", ","), f"{number:.2f} pounds", "nan"),
        *(f"{number + 1000:,.2f}", "", None, "twenty", [number], {}),
        *([f"{number:,}"] if number >= 1000 else []),
    )


def _near_text(text: str) -> tuple[Any, ...]:
    """What is not this text, whatever its case and the blanks at its ends."""
    bare = text.strip()
    middle = len(bare) // 2
    return (
        *(f"{bare} and more", f"{bare}1", f"x{bare}", bare[:-1], bare[1:], bare[::-1] + "."),
        *(f"{bare[:middle]} {bare[middle:]}", bare.replace(" ", "  ") + "!", "", None, [bare], {}),
        *((bare.replace(" ", ""), bare.replace(" ", "  ")) if " " in bare else ()),
        *((int(bare), float(bare), f"{bare}.0", f"0{bare}") if bare.isdigit() else ()),
    )


@cache
def _trajectories() -> tuple[tuple[dict[str, Any], dict[str, Any]], ...]:
    """What was done and what is expected, the shortest first.

    The calls are the expected ones with detours, and in about half of them with changes.
    """
    chance = random.Random(5)
    made = [_trajectory(chance) for _ in range(_DRAWN)]
    return tuple(sorted(made, key=lambda pair: len(str(pair))))


def _trajectory(chance: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    wanted = [chance.choice((_reading, _acting, _bare))(chance) for _ in range(chance.randrange(5))]
    calls = [_served(chance, call) for call in wanted]
    for _ in range(chance.choice((0, 0, 1, 1, 2, 2, 5, 14))):
        calls.insert(chance.randint(0, len(calls)), _reading(chance))
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        _change(chance, calls)
    sizes, left = [], len(calls)
    while left:
        sizes.append(chance.randint(1, left))
        left -= sizes[-1]
    made = _messages(calls, sizes)
    if chance.random() < 0.5:
        made["messages"][-1]["tool_calls"] = chance.choice(([], None))
    for message in made["messages"]:
        if "tool_calls" in message and chance.random() < 0.3:
            message["content"] = "One moment, please."
    together = [len(wanted)] if wanted and chance.random() < 0.5 else ()
    return made, _messages(wanted, together, results=False)


def _order(chance: random.Random) -> str:
    return chance.choice(("FH-10735", "FH-10530"))


def _reading(chance: random.Random) -> Call:
    if chance.random() < 0.5:
        return _look(_order(chance))
    return _search(chance.choice(("returns", "Tent pegs")))


def _acting(chance: random.Random) -> Call:
    part = _refund(_order(chance), amount=chance.choice((20.0, 7.5, 120)))
    new = (chance.choice(NEW_TOOLS), {"order_id": _order(chance)})
    return chance.choice((part, part, _refund(_order(chance)), _TICKET, new))


def _bare(chance: random.Random) -> Call:
    """A call of which any arguments are expected."""
    return chance.choice(("search_documents", "hand_over", "issue_refund")), {}


def _served(chance: random.Random, call: Call) -> Call:
    """A call that serves this one: its values in another form, and more arguments."""
    name, args = call
    new = {key: _form(chance, value) for key, value in args.items()}
    if chance.random() < 0.5:
        new["priority"] = chance.choice(("high", None, 3))
    return name, dict(chance.sample(sorted(new.items()), len(new)))


def _form(chance: random.Random, value: Any) -> Any:
    if isinstance(value, str):
        forms = [value, value.lower(), value.upper(), f" {value}", f"{value}  "]
        return chance.choice(forms)
    return chance.choice((value, f"{value:.2f}", float(value), f" {value}", f"{value:e}"))


def _change(chance: random.Random, calls: list[Call]) -> None:
    """Change the list of calls in place: one thing."""
    kind = chance.choice(
        ("add", "again", "drop", "swap", "value", "value", "value", "lose", "name")
    )
    if kind == "add" or not calls:
        calls.insert(chance.randint(0, len(calls)), _acting(chance))
        return
    place = chance.randrange(len(calls))
    name, args = calls[place]
    if kind == "again":
        calls.insert(chance.randint(0, len(calls)), calls[place])
    elif kind == "drop":
        del calls[place]
    elif kind == "swap":
        calls.append(calls.pop(place))
    elif kind == "name":
        calls[place] = (chance.choice(("lookup_order", "issue_refund", "Issue_refund")), args)
    elif args:
        key = chance.choice(sorted(args))
        if kind == "lose":
            calls[place] = (name, {k: v for k, v in args.items() if k != key})
        else:
            other = _other(chance, args[key])
            calls[place] = (name, {**args, key: other})


def _other(chance: random.Random, value: Any) -> Any:
    """A value that is not this one, some of them near it."""
    if isinstance(value, str) and not value.strip()[:1].isdigit():
        near = (value.strip()[:-1], f"{value.strip()}1", value.replace("-", ""), f"x{value}")
        return chance.choice((*near, "FH-10292", "", None, 10735, [value]))
    return chance.choice((7.51, 2, 20.4, 119.5, 0, -20, None, "all", "", "20 pounds", [20.0], {}))


def _in_words(made: dict[str, Any], wanted: dict[str, Any]) -> str:
    return f"right_way(...): {_words(made)} where {_words(wanted)} is expected"


def _words(run: dict[str, Any]) -> str:
    from helpers.evaluate.testing.recorded import calls_in

    return _calls(calls_in(run["messages"]))


def _calls(calls: Sequence[Call]) -> str:
    made = [f"{name}({', '.join(f'{k}={v!r}' for k, v in args.items())})" for name, args in calls]
    return ", ".join(made) or "no call"
