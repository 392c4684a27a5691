"""What the cases of exercise 09.5 do with a hook: rules, data, and a client that it works for."""

import contextlib
import hmac
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Rule = tuple[str, re.Pattern[str], str]
Hook = Callable[[Any], Any]
MakeHook = Callable[[bytes, list[Rule]], Hook]

EMAIL: Final[Rule] = ("email", re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"), "")
CARD: Final[Rule] = (
    "card",
    re.compile(r"(?<![\w-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-])"),
    " -",
)
PHONE: Final[Rule] = (
    "phone",
    re.compile(r"(?<![\w+-])\(?0\d{4}\)?[ -]?\d{3}[ -]?\d{3}(?![\w-])"),
    " -()",
)
ORDER: Final[Rule] = ("order number", re.compile(r"\bFH[- ]?(\d{5})\b", re.IGNORECASE), "-")
SHOP: Final = [EMAIL, CARD, PHONE]
OTHERS: Final[list[Rule]] = [
    # A narrow rule before a wide one that would take the same text, and one of which blanks count.
    ("staff", re.compile(r"[\w.]+@fernhill\.example"), "."),
    ORDER,
    EMAIL,
    ("postcode", re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"), " "),
]

KEY: Final = b"the shop's own key, of this year"
OTHER_KEY: Final = b"the shop's own key, of next year"


def code(key: bytes, plain: str) -> str:
    """The code of a plain form."""
    return hmac.new(key, plain.encode(), "sha256").hexdigest()[:12]


def mark(kind: str, plain: str, key: bytes = KEY) -> str:
    """The pseudonym of a plain form."""
    return f"[{kind} {code(key, plain)}]"


# --- generated data -------------------------------------------------------------------------------


def used_twice(make: MakeHook) -> Callable[..., Any]:
    """What two hooks make of the data, the first of them before and after the second."""

    def use(keys: tuple[bytes, bytes], rules: list[Rule], data: Any) -> Any:
        first, second = make(keys[0], rules), make(keys[1], rules[:1])
        return [first(data), second(data), first(data)]

    return use


def called(keys: tuple[bytes, bytes], rules: list[Rule], data: Any) -> str:
    """The call, for the card."""
    kinds = ", ".join(kind for kind, _, _ in rules)
    return f"make_hook({keys[0]!r}, [rules for {kinds}])({data!r})"


def inputs() -> "SearchStrategy[tuple[Any, ...]]":
    """Keys, rules and nested data, in which the same things are written in several ways."""
    from hypothesis import strategies as st

    pieces = st.sampled_from(
        [
            *("una.caird@mail.example", "UNA.Caird@Mail.example", "unacaird@mail.example"),
            *("Jürgen.Groß@post.example", "JÜRGEN.GROSS@post.example"),
            *("ann.lee@fernhill.example", "annlee@fernhill.example", "Ann.Lee@Fernhill.example"),
            *("01632 960123", "(01632) 960-123", "01632960123", "01632 960 124", "+44 1632 960123"),
            *("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "0.4111111111"),
            *("FH-10234", "fh 10234", "FH10234", "LS1 4AP", "LS14AP"),
            *("about the tent,", "\n", "[phone]", "", "ring"),
        ]
    )
    texts = st.lists(pieces, max_size=3).map(" ".join)
    others = st.sampled_from([None, True, 3, 0.5, 1632960123, b"01632 960123"])
    keys = texts | st.sampled_from([1, None, 1632960123])
    data = st.recursive(
        texts | others,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=2).map(tuple),
            st.dictionaries(keys, inner, max_size=3),
        ),
        max_leaves=6,
    )
    secrets = st.sampled_from([KEY, OTHER_KEY, bytes(range(16)), b"k" * 17, b"long " * 20])
    rules = st.sampled_from([SHOP, OTHERS, [PHONE], [], [ORDER, PHONE, CARD, EMAIL]])
    return st.tuples(st.tuples(secrets, secrets), rules, data)


# --- a client -------------------------------------------------------------------------------------

_ADDRESS: Final = "Una.Caird@mail.example"
PERSONAL: Final = ("una.caird", "960123", "960 123", "4111")
"""Pieces of what the customers of `stored` wrote, in lower case."""


def stored(hook: Hook) -> dict[str, list[str]]:
    """What a service keeps of two requests, one of which fails, from a client with this hook.

    Returns:
        The pieces of `PERSONAL` that are stored, and the pseudonyms that each part of the runs
        holds, sorted, each once: the stored error contains its traceback, too.
    """
    from langsmith import traceable, tracing_context

    from helpers.tracing.testing import fresh, lab_client, lab_service, runs_of

    project = fresh("redacted")

    def reply(question: str, contact: Any) -> dict[str, Any]:
        if "FH-10234" in question:
            raise ValueError(f"no order of {_ADDRESS}")
        return {"answer": f"We ring {contact['lines'][0]}.", "score": 0.8123456789012345}

    client = lab_service().client(anonymizer=hook)
    try:
        with tracing_context(client=client, enabled=True, project_name=project):
            call = traceable(metadata={"from": _ADDRESS})(reply)
            call("Ring me!", {"lines": ["(01632) 960-123", 3]})
            with contextlib.suppress(ValueError):
                call(f"Mail {_ADDRESS} about FH-10234.", {"lines": [], "4111 1111 1111 1111": 1})
        client.flush()
    finally:
        client.cleanup()
    runs = runs_of(lab_client(), project)
    parts = {
        "inputs": [run.inputs for run in runs],
        "outputs": [run.outputs for run in runs],
        "errors": [run.error for run in runs],
        "metadata": [run.metadata.get("from") for run in runs],
    }
    text = json.dumps(parts, default=str, ensure_ascii=False).lower()
    found = {
        part: sorted(set(re.findall(r"\[\w+ \w+\]", json.dumps(value, default=str))))
        for part, value in parts.items()
    }
    return {"personal": [piece for piece in PERSONAL if piece in text], **found}


def as_stored() -> dict[str, list[str]]:
    """What `stored` gives with a right hook of `KEY` and `SHOP`."""
    address, number = mark("email", _ADDRESS.casefold()), mark("phone", "01632960123")
    return {
        "personal": [],
        "inputs": sorted([address, number, mark("card", "4111111111111111")]),
        "outputs": [number],
        "errors": [address],
        "metadata": [address],
    }
