"""Projects of traces for exercises 09.2 and 09.3: named ones for one rule each, and drawn ones.

They are written once in a process. A check tries an answer on each of them, and the reference too.
"""

import os
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, Final

from helpers.tracing.quiet import quiet
from helpers.tracing.testing import (
    UNPRICED,
    Call,
    Request,
    fresh,
    lab_client,
    lab_service,
    write,
)

_CALLS: Final = 7  # in one request: fewer runs are written sooner
_OLD_S: Final = -3 * 24 * 3600.0  # the start of a request that is three days older than others
_DRAWN: Final = 3 if os.environ.get("COURSE_FAST", "") not in ("", "0") else 8


@cache
def project(name: str) -> str:
    """The project that this module calls `name`, written on first use."""
    made = fresh(name)
    requests = costly(name) if name in COSTLY else tools(name)
    write(lab_client(), made, requests)
    return made


def answered(function: Callable[..., Any], *arguments: Any, other_client: bool = False) -> Any:
    """What an answer says of a project, without the SDK's warnings.

    It is asked with the lab's client, or with another one, which it then has to use.
    """
    if not other_client:
        with quiet():
            return function(lab_client(), *arguments)
    asked: list[str] = []
    client = lab_service().client(auto_batch_tracing=False)
    client.session.hooks["response"].append(lambda answer, **_: asked.append(answer.url))
    with quiet():
        found = function(client, *arguments)
    return found if asked else "client was not asked: use the one that is handed in"


# --- 09.2: costs ----------------------------------------------------------------------------------


def asked(
    count: int,
    tokens: int,
    model: str = "local",
    *,
    tools: int = 0,
    run_type: str = "chain",
    error: str | None = None,
    at: float | None = None,
    **metadata: str,
) -> list[Request]:
    """Requests alike: what their model read, how many calls of tools, and their metadata.

    Args:
        at: of the start of each, in seconds after that of the first request.
    """
    return [
        Request(
            dict(metadata),
            model=model,
            tokens=(tokens, 0),
            tools=[Call("stock")] * tools,
            run_type=run_type,
            error=error,
            at=at,
        )
        for _ in range(count)
    ]


def costly(name: str) -> list[Request]:
    """The requests of one of the projects of `COSTLY`."""
    if name.startswith("drawn"):
        return _drawn(Random(name))
    return [request for requests in COSTLY[name] for request in requests]


COSTLY: Final[dict[str, Sequence[list[Request]]]] = {
    "example": (asked(4, 100, channel="web"), asked(1, 400, channel="email")),
    # The mean names one request, the sum the most frequent value. A request by
    # "email" has more runs than others: with these as requests, "fax" would come first. A request
    # may have failed, have any run type, and be old.
    "frequent": (
        asked(9, 100, channel="web", language="en"),
        asked(1, 250, channel="email", language="en", tools=1, error="RuntimeError: no answer"),
        asked(1, 250, channel="email", language="en", tools=1, run_type="tool"),
        asked(1, 250, channel="email", language="en", tools=1, at=_OLD_S),
        asked(1, 400, channel="fax", language="en"),
    ),
    # "chat" has no price: it is no group, and counts in no share. One of "app" has none either.
    # With the unpriced ones in the share of the requests, "web" would come first.
    "unpriced": (
        asked(6, 110, channel="web", language="en"),
        asked(13, 900, UNPRICED, channel="chat", language="en"),
        asked(1, 300, channel="app", language="cy"),
        asked(1, 900, UNPRICED, channel="app", language="cy"),
    ),
    # Most of the cost has no channel, so that every channel's excess is negative. Some of what has
    # no price has no channel either.
    "without a key": (
        asked(4, 100, channel="web"),
        asked(2, 900, tenant="north"),
        asked(1, 900, UNPRICED, tenant="north"),
        asked(1, 90, UNPRICED, channel="web"),
        asked(2, 90, channel="zoom", tenant="south"),
    ),
    # A cost of 0 is a cost. With free requests left out of all requests "fax" would come first, and
    # "app" if they were left out of its own.
    "free": (
        asked(3, 0, channel="web"),
        asked(2, 250, channel="app"),
        asked(1, 0, channel="app"),
        asked(2, 220, channel="tv"),
        asked(1, 260, channel="fax"),
    ),
    # Two groups of one key, and one of another key, with the same excess.
    "alike": (
        asked(2, 300, zone="north", channel="web"),
        asked(2, 300, zone="south", channel="app"),
        asked(4, 100, zone="west", channel="tv"),
    ),
    # The shares of "a" and "b" differ by 2e-11 here, and by 4e-9 in the next project.
    "alike up to the tenth digit": (
        [*asked(1, 10**10, zone="b"), *asked(1, 10**10 + 1, zone="b")],
        asked(2, 10**10, zone="a"),
        asked(2, 10**9, zone="c"),
    ),
    "apart in the ninth digit": (
        [*asked(1, 10**10, zone="b"), *asked(1, 10**10 + 150, zone="b")],
        asked(2, 10**10, zone="a"),
        asked(2, 10**9, zone="c"),
    ),
    # And one priced request in it.
    "one group": (asked(1, 70, model_name="m"), asked(1, 50, UNPRICED, model_name="n")),
    # 205 requests: more than two answers of the service have. The costly ones are the oldest.
    "many": (asked(12, 500, channel="phone"), asked(193, 100, channel="web")),
    **{f"drawn {number}": () for number in range(_DRAWN)},
}
"""Name -> requests; the drawn ones are made from their name."""

KEYS: Final[dict[str, Sequence[str]]] = {
    "example": ("channel",),
    "frequent": ("language", "channel"),
    "unpriced": ("channel", "language"),
    "without a key": ("channel",),
    "free": ("channel",),
    "alike": ("zone", "channel"),
    "alike up to the tenth digit": ("zone",),
    "apart in the ninth digit": ("zone",),
    "one group": ("model_name",),
    "many": ("channel",),
    **{
        f"drawn {number}": [("a", "b"), ("b", "c", "a"), ("c",), ("c", "b")][number % 4]
        for number in range(_DRAWN)
    },
}
"""Name -> the keys that are asked for."""

NOTHING_TO_FIND: Final = {
    "no requests": (),
    "no prices": (asked(3, 100, UNPRICED, channel="web"),),
    "no such key": (asked(3, 100, channel="web"),),
    "all free": (asked(2, 0, channel="web"), asked(1, 50, UNPRICED, channel="app")),
}
COSTLY.update(NOTHING_TO_FIND)
KEYS.update(
    {name: ("tenant",) if name == "no such key" else ("channel",) for name in NOTHING_TO_FIND}
)


TEXTS: Final[dict[str, Sequence[str | None]]] = {
    # A value is a value, whatever it says.
    "empty": ("", None, None, "web", "web", "web"),
    "none": ("none", None, None, "web", "web", "web"),
    "unknown": ("unknown", None, None, "web", "web", "web"),
    # With white space, other letters or a longer name it is another one.
    "spaces": (None, " x", "x", "y", "y", "y"),
    "letters": (None, "X", "x", "y", "y", "y"),
    "Key": ("web", "web", None, None, None, None),
    "key": (None, None, "app", None, None, None),
    "key_id": ("web", "web", None, None, None, None),
    "question": (None, "short", None, "long", "long", "long"),
    # Alike in their excess: `sorted` decides.
    "capitals": (None, "Zeta", "alpha", "y", "y", "y"),
    "numbers": (None, "100", "20", "y", "y", "y"),
    "lengths": (None, "aaa", "b", "y", "y", "y"),
    "fewer": ("b", "a", "a", "y", "y", "y"),
    "more": ("a", "b", "b", "y", "y", "y"),
}
"""Key -> its values in the six requests of `texts`, None where a request lacks it."""

_READ: Final = (200, 150, 150, 40, 30, 30)  # one of 200 and two of 150 have the same excess


@cache
def texts() -> str:
    """A project with many keys, whose values differ in their letters."""
    made = fresh("texts")
    requests = [
        Request(
            {key: value for key, values in TEXTS.items() if (value := values[place]) is not None},
            tokens=(read, 0),
        )
        for place, read in enumerate(_READ)
    ]
    write(lab_client(), made, requests)
    return made


def _drawn(random: Random) -> list[Request]:
    values = {key: random.sample(("x", "y", "z", "Z", "1"), 3) for key in "abc"}
    requests = []
    for _ in range(random.randint(6, 16)):
        metadata = {key: random.choice(values[key]) for key in "abc" if random.random() < 0.8}
        model = UNPRICED if random.random() < 0.2 else "local"
        read = random.choice([0, 10, 20, 40, 200]) * random.randint(1, 3)
        requests.append(Request(metadata, model=model, tokens=(read, random.randint(0, 9))))
    return requests


# --- 09.3: tools ----------------------------------------------------------------------------------


def called(tool: str, *seconds: float, failed: int = 0, took: float = 0.1) -> list[Call]:
    """Calls of one tool that ended well, and some that failed after `took` seconds."""
    well = [Call(tool, one) for one in seconds]
    return [*well, *(Call(tool, took, "ToolError: no answer") for _ in range(failed))]


def tools(name: str) -> list[Request]:
    """The requests of one of the projects of `TOOLS`; what it only names as calls is packed."""
    if name.startswith("drawn"):
        return _drawn_tools(Random(name))
    whole = [one for one in TOOLS[name] if isinstance(one, Request)]
    calls = [one for one in TOOLS[name] if isinstance(one, Call)]
    packed = [calls[place : place + _CALLS] for place in range(0, len(calls), _CALLS)]
    return [*whole, *(Request(tools=some, tokens=None) for some in packed)]


def _spread(tool: str, usual: float, count: int, *slow: float) -> list[Call]:
    return called(tool, *[usual] * (count - len(slow)), *slow)


def _other(run_type: str, *below: Call) -> Call:
    """A run of another type that took long."""
    return Call(run_type, 9.0, run_type=run_type, below=below)


_REFUSALS: Final[Sequence[dict[str, Any]]] = (
    {"ok": False, "output": "sold out"},
    {"error": "sold out"},
    {"output": "No such tent."},
    {},
)
"""Outputs of calls that ended well and gave nothing."""

TOOLS: Final[dict[str, Sequence[Call | Request]]] = {
    "the example": (*called("stock", 1, 2, 3, failed=1, took=30), *called("gift_wrap", failed=1)),
    # The longest call is that of "rare", the largest mean that of "steady".
    "tails": (
        *_spread("steady", 1.4, 12),
        *_spread("tail", 0.2, 20, 5.0437, 5.5263),
        *_spread("rare", 0.1, 40, 9.0),
    ),
    # More errors: "often". The highest rate: "once". The widest spread: "few".
    "rates": (
        *called("often", *[0.1] * 24, failed=12),
        *called("once", failed=1),
        *called("few", *[0.3] * 1, failed=2),
        *called("surely", *[0.1] * 9, failed=9),
    ),
    "no call ended well": (*called("gone", failed=4, took=20), *called("quick", 0.1, 0.3, 0.2)),
    "nothing failed": (
        *called("b", 0.0, 0.5, 1.5),
        *called("a", 0.4),
        Call("c", 0.9, refused=True),
    ),
    "all failed": (*called("b", failed=2), *called("a", failed=1)),
    "no tools": (Request(), Request()),
    # Below another call, a retriever, a model or a call of the same tool; in a trace whose root is
    # a call; old ones; and runs of other types that took long.
    "depths": (
        Request(run_type="tool", name="report", seconds=6.0, tokens=None),
        Request(run_type="tool", name="export", seconds=2.0, error="KeyError: 'paper'"),
        Request(tools=[Call("plan", 4.0, below=[Call("sql", 3.5, "SqlError: locked")])]),
        Request(tools=[Call("plan", 4.0, below=[Call("sql", 3.0, below=[Call("disk", 2.5)])])]),
        Request(tools=[Call("plan", 3.0, below=[Call("sql", 1.0, "SqlError: locked")])]),
        Request(tools=[_other("retriever", Call("sql", 0.5, "SqlError: locked"))]),
        Request(tools=[_other("llm", Call("sql", 0.5, "SqlError: locked"))]),
        Request(tools=[Call("sql", 2.0, below=[Call("sql", 0.5, "SqlError: locked")])]),
        Request(tools=[Call("sql", 0.5, "SqlError: locked")], at=_OLD_S),
        Request(tools=[_other(one) for one in ("chain", "embedding", "prompt", "parser")]),
        Request(seconds=90.0, error="RuntimeError: the request as a whole"),
    ),
    # By 5e-8 s; and the lower ends by 2e-5, for 4 of 12 and 6 of 21.
    "apart by little": (
        *called("alpha", 0.5, 1.0),
        *called("beta", 0.500001, 1.0),
        *called("a", *[0.1] * 8, failed=4),
        *called("b", *[0.1] * 15, failed=6),
    ),
    # Both percentiles are 1.285 s, in floating point one of them a little more.
    "alike up to the last bit": (*called("alpha", 1.0, 1.3), *called("beta", 0.05, 1.35)),
    "alike tools": (
        *called("alpha", 0.5, 1.0, failed=2),
        *called("beta", 0.5, 1.0, failed=2),
        *called("aardvark", 0.5, 0.9, failed=1),
    ),
    "alike but for the capital": (
        *called("Zeta", 0.5, 1.0, failed=2),
        *called("alpha", 0.5, 1.0, failed=2),
    ),
    "refused": (
        *(Call("refuses", 0.2, refused=True) for _ in range(6)),
        *(Call("refuses", 0.2, outputs=outputs) for outputs in (*_REFUSALS, *_REFUSALS)),
        *called("fails", *[0.1] * 5, failed=1),
    ),
    "an empty error": (*called("a", 0.1, 0.2, 0.3), Call("b", 0.4, ""), Call("b", 0.2)),
    # 210 calls: the slow and the failing ones are the oldest, on the last page. A name is taken as
    # it is.
    "many calls": (
        *_spread("slow one ", 2.0, 8),
        *called("failing_v2", *[0.1] * 6, failed=6),
        *called("quick", *[0.1] * 190),
    ),
    **{f"drawn tools {number}": () for number in range(_DRAWN)},
}
"""Name -> calls or whole requests; the drawn ones are made from their name."""


def _drawn_tools(random: Random) -> list[Request]:
    names = random.sample(("a", "b", "c", "B", "search"), random.randint(2, 4))
    chance = {name: random.choice([0.0, 0.2, 0.6]) for name in names}
    requests = []
    for _ in range(random.randint(5, 12)):
        calls = []
        for name in random.choices(names, k=random.randint(0, 3)):
            error = "ToolError: no answer" if random.random() < chance[name] else None
            seconds = random.choice([0.1, 0.25, 1.0, 7.0]) * random.randint(1, 4)
            calls.append(Call(name, seconds, error, refused=random.random() < 0.2))
        requests.append(Request(tools=calls, tokens=None))
    return requests
