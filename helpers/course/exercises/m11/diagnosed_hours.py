"""The hours that exercise 11.4 is tried on, and what happened in each; made once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import pandas as pd

from helpers.course.exercises import solved
from helpers.course.exercises.m11.diagnosed import BAIT, Asked, any_hours, renamed, two_hours
from helpers.operate.testing import incidents

SPIKE: Final = "cost spike by one customer"
_OTHERS: Final = {"": "", "r205": "r31", "returns": "care-for-boots", "lookup_order": "find_parcel"}
"""What the replayed hours are about, and what they are about here."""
_SEEDS: Final = (1, 2, 3, 5, 6, 7, 12, 13, 14, 19, 37, 48)  # among them each cause

Frames = tuple[pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class Planned:
    """Two hours, with the right diagnosis; `replayed` says that they come from a replayed day."""

    name: str
    hours: Frames
    cause: str
    subject: str
    about: str
    replayed: bool = False


@cache
def planned() -> tuple[Planned, ...]:
    """All of them, in the order of the check."""
    reference = solved("11.4")
    mixed = []
    for seed in _SEEDS:
        hours = any_hours(seed)
        cause, subject = reference(*hours)
        mixed.append(Planned(f"any two hours, {seed}", hours, cause, subject, "any"))
    return (*_replayed(), *_down(), *_slow(), *_cost(), *_poison(), *_canaries(), *_all(), *mixed)


def everything() -> Frames:
    """Two hours in which all causes apply."""
    return two_hours(*_causes(), now=_ALL)


def _replayed() -> Iterator[Planned]:
    for number, one in enumerate(incidents("heldout"), 1):
        subject = _OTHERS.get(one.subject, f"{one.subject}-{number}")
        other = renamed(one, subject, days=number)
        hours = (other.metrics, other.runs)
        yield Planned(f"replayed hours, {number}", hours, one.cause, subject, "any", replayed=True)


_LOST: Final = (("small", 1, "Lost"),)
_FINE: Final = (("small", 1, ""),)


def _down() -> Iterator[Planned]:
    half = [Asked(70, models=_LOST), Asked(71, models=_FINE), Asked(59.9, models=_FINE)]
    less = [*half, Asked(60, models=_FINE)]
    other = [Asked(at) for at in (83, 84, 85, 86)]
    other[0] = replace(other[0], models=[("large", 1, "Lost")] * 3)
    small = Asked(80, models=_LOST)
    down = ("model down", "small", "down")
    yield Planned("20% failed, half of the calls", two_hours(*half, now={"failed": 20}), *down)
    yield Planned("19% failed", two_hours(*half, now={"failed": 19}), *_none("down"))
    yield Planned("half of the calls no more", two_hours(*less, now={"failed": 50}), *_none("down"))
    yield Planned("two models", two_hours(*other, small, now={"failed": 30}), *down)


def _none(about: str) -> tuple[str, str, str]:
    return "none", "", about


def _slow() -> Iterator[Planned]:
    asked = [Asked(70, models=[("small", 9, "")]), Asked(71, models=[("large", 7, "")] * 3)]
    asked.append(Asked(40, models=[("large", 99, "")]))
    slow = ("model slow", "small", "slow")
    for name, seconds, answers, found in (
        ("three times as slow", 300, 100, slow),
        ("not quite three times", 299, 100, _none("slow")),
        ("slow for half the answers", 150, 50, slow),
        ("no answers now", 0, 0, _none("slow")),
    ):
        now = {"first_token_s": seconds, "answers": answers}
        yield Planned(name, two_hours(*asked, now=now), *found)
    models = [
        (name, seconds, "")
        for name, took in _TOOK.items()
        for seconds in took
    ]  # fmt: skip
    hours = two_hours(Asked(80, models=models), now={"first_token_s": 320})
    yield Planned("four models", hours, *slow)


_TOOK: Final = {
    "apex": (1, 1, 20),
    "best": (1, 9, 9),
    "small": (8.9, 8.9, 8.9),
    "tiny": (9, 8.5, 8),
}
"""Seconds of each model's runs. By median, maximum or whole seconds, another one is slowest."""


def _cost() -> Iterator[Planned]:
    less = _people()
    half = [*less, Asked(60, "C-2", 1)]
    half[1] = replace(half[1], error="BudgetSpent", models=())
    guests = [*less, Asked(99, "", 5000)]
    for name, asked, dollars, found in (
        ("twice the dollars, half of the tokens", half, 8, (SPIKE, "C-2", "cost")),
        ("a token less than half", less, 8, _none("cost")),
        ("not twice the dollars", half, 7.75, _none("cost")),
        ("guests alone", guests, 9, _none("cost")),
    ):
        yield Planned(name, two_hours(*asked, now={"dollars": dollars}), *found)
    both, none = [Asked(70, "", 50), Asked(71, "C-2", 50)], [Asked(71, "C-2", 0)]
    for name, asked, found in (
        ("half a customer's, half of guests", both, (SPIKE, "C-2", "cost")),
        ("no tokens at all", none, _none("cost")),
    ):
        yield Planned(name, two_hours(*asked, now={"dollars": 9}, tokens=0), *found)


def _people() -> list[Asked]:
    return [Asked(70, "", 300), Asked(71, "C-2", 399), Asked(59.99, "C-3", 9000)]


_BOOTS: Final = (("search_documents", "", ("boots", "tents")),)
_TENTS: Final = (("search_documents", "", ("tents", "ropes")),)


def _baited() -> list[Asked]:
    return [
        Asked(60, answer=BAIT, tools=_BOOTS),
        Asked(61, answer=BAIT, tools=_TENTS),
        Asked(62, answer=f"{BAIT} {BAIT}", tools=_BOOTS),
    ]


def _poison() -> Iterator[Planned]:
    bait, known = _baited(), Asked(59, answer=BAIT)
    more = [Asked(64 + n, tools=_TENTS) for n in range(5)]
    both = [Asked(70 + n, answer="See a.example, b.example.", tools=_TENTS) for n in range(2)]
    one = [Asked(75 + n, answer="a.example", tools=_TENTS) for n in range(3)]
    boots, tents = (("poisoned document", of, "poison") for of in ("boots", "tents"))
    yield Planned("three answers with a new address", two_hours(*bait, *more), *boots)
    yield Planned("two such answers", two_hours(*bait[1:], *more), *_none("poison"))
    yield Planned("not a new address", two_hours(*bait, *more, known), *_none("poison"))
    yield Planned("two new addresses", two_hours(*bait, *both, *one), *tents)
    for name, requests, found in (
        ("addresses that resemble each other", _alike(), _none("poison")),
        ("a new address in capitals, of three kinds of request", _capitals(), boots),
        ("three new addresses", _three_sites(), boots),
        ("several searches of a request", _searches(), boots),
    ):
        yield Planned(name, two_hours(*requests), *found)


def _alike() -> list[Asked]:
    """Three answers with parts of addresses in common, and none that is new."""
    known = Asked(20, answer="See my.shop.example.", error="Lost")
    return [known] + [
        Asked(60 + n, answer=f"{x}-help.example {x}_hill.example www.shop.example fern.examples")
        for n, x in enumerate("abc")
    ]


def _capitals() -> list[Asked]:
    """A new address in an answer to a guest, in one of a failed request, and in a third one."""
    known, answer = Asked(20, answer="See fernhill.example."), "See Fernhill.example."
    late = [Asked(60 + n, answer=answer, tools=_BOOTS) for n in range(3)]
    return [known, replace(late[0], customer=""), replace(late[1], error="Lost"), late[2]]


def _three_sites() -> list[Asked]:
    """The address in most answers is neither the first nor the last, by time or by name."""
    found = []
    for n, (site, times) in enumerate({"a": 3, "m": 4, "z": 3}.items()):
        tools = _BOOTS if site == "m" else _TENTS * 3
        for number in range(times):
            found.append(Asked(60 + 10 * n + number, answer=f"See {site}.example.", tools=tools))
    return found


def _searches() -> list[Asked]:
    """Which document is first most often differs if a request's searches do not all count."""
    of = (
        ("ropes", "boots", "boots", "boots", "stoves"),
        ("ropes", "boots", "stoves"),
        ("ropes", "stoves"),
    )
    return [
        Asked(
            60 + n,
            answer=BAIT,
            tools=[("search_documents", "", (one, "tents")) for one in documents],
        )
        for n, documents in enumerate(of)
    ]


_WRONG: Final = {"canaries_wrong": 3}


def _released() -> list[Asked]:
    return [Asked(1, revision="r8"), Asked(60, revision="r9"), Asked(119, revision="r9")]


def _tool(name: str, at: float, bad: int, good: int) -> Asked:
    return Asked(at, tools=[(name, "No", ())] * bad + [(name, "", ())] * good)


def _canaries() -> Iterator[Planned]:
    asked, bad = _released(), ("bad release", "r9", "release")
    back = [Asked(1, revision="r8"), Asked(119, revision="r8")]
    for name, requests, usual, found in (
        ("two canaries more, another revision", asked, 1, bad),
        ("one canary more, another revision", asked, 2, _none("release")),
        ("a release that was rolled back", back, 0, _none("release")),
    ):
        hours = two_hours(*requests, before={"canaries_wrong": usual}, now=_WRONG)
        yield Planned(name, hours, *found)
    long = Asked(100, revision="r8", took=3600, gap=590)
    hours = two_hours(*asked[::2], long, Asked(1, revision="r8"), now=_WRONG)
    yield Planned("the last request begins before another ends", hours, *bad)
    usual_tool = _tool("lookup_order", 20, 1, 3)
    several = [_tool("lookup_order", 60, 9, 5), _tool("send_post", 70, 3, 1)]
    for name, late, subject in (
        ("a tool that fails a quarter more", [_tool("lookup_order", 60, 3, 3)], "lookup_order"),
        ("a tool that fails less than that", [_tool("lookup_order", 60, 3, 4)], ""),
        ("two errors of a tool", [_tool("lookup_order", 60, 2, 0)], ""),
        ("a tool that did not run before", [_tool("send_post", 60, 3, 9)], "send_post"),
        ("several tools", [*several, _tool("hand_over", 71, 2, 0)], "send_post"),
    ):
        cause = "failing tool" if subject else "none"
        yield Planned(name, two_hours(usual_tool, *late, now=_WRONG), cause, subject, "tool")
    early = [_tool("buy_label", 20, 3, 1), _tool("lookup_order", 21, 0, 4)]
    late = [_tool("buy_label", 60, 4, 0), _tool("lookup_order", 65, 3, 2)]
    hours = two_hours(*early, *late, _tool("send_post", 70, 3, 6), now=_WRONG)
    yield Planned("the largest rise of three", hours, "failing tool", "lookup_order", "tool")
    hours = two_hours(*asked, _tool("lookup_order", 61, 5, 0), now=_WRONG)
    yield Planned("another revision, and a tool", hours, *bad)
    hours = two_hours(_tool("lookup_order", 60, 5, 0), now={"canaries_wrong": 1})
    yield Planned("one canary more, and a tool", hours, *_none("tool"))


_ALL: Final[Mapping[str, float]] = {
    **{"failed": 40, "first_token_s": 500, "dollars": 20, "canaries_wrong": 9},
}


def _causes() -> Sequence[Asked]:
    lost = [Asked(at, models=_LOST) for at in (80, 81, 82)]
    slow = Asked(91, "C-2", 9000, models=[("large", 30, "")])
    broken = _tool("lookup_order", 90, 5, 0)
    return [*lost, *_people(), Asked(60.5, "C-2", 100), *_baited(), *_released(), broken, slow]


def _all() -> Iterator[Planned]:
    """All at once, and then without the symptoms of the first cause, of the second, and so on."""
    now = dict(_ALL)
    for symptom, cause, subject in (
        ("failed", "model down", "small"),
        ("first_token_s", "model slow", "large"),
        ("dollars", SPIKE, "C-2"),
        ("", "poisoned document", "boots"),
    ):
        yield Planned(
            f"first of all: {cause}", two_hours(*_causes(), now=now), cause, subject, "any"
        )
        now.pop(symptom, None)
