"""What the cases of exercise 09.5 do with a hook: rules, data, and a client that it works for."""

import contextlib
import hmac
import json
import re
import threading
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
ORDER: Final[Rule] = ("order number", re.compile(r"\bFH[- ]?(\d{5})\b", re.IGNORECASE), "-H")
"""No plain form has an H: `casefold` comes first."""
ABROAD: Final[Rule] = ("phone", re.compile(r"\+44 \d{4} \d{6}"), " +")
SHOP: Final = [EMAIL, CARD, PHONE]
OTHERS: Final[list[Rule]] = [
    # A narrow rule before a wide one that would take the same text, one of which blanks count, one
    # whose match may go over two lines, two of one kind, and one that finds what is before a
    # pseudonym.
    ("staff\\1", re.compile(r"[\w.]+@fernhill\.example"), "."),
    ORDER,
    EMAIL,
    ("Postcode", re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b"), " \n"),
    PHONE,
    ABROAD,
    ("name", re.compile(r"\b[A-Z]\w+(?= \[)"), ""),
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
            *("FH-10234", "fh 10234", "FH10234", "LS1 4AP", "LS1\n4AP", "ls1 4ap"),
            *("una²@mail.example", "una2@mail.example", "x01632960123", "Una", "Ann"),
            *("about the tent,", "\n", "[phone]", "", "ring"),
        ]
    )
    texts = st.lists(pieces, max_size=3).map(" ".join)
    others = st.sampled_from([None, True, 3, 0.5, 1632960123, b"01632 960123"])
    keys = texts | st.sampled_from([1, None, 1632960123, ("01632 960123", 2), (("ring",),)])
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


# --- data of its own ------------------------------------------------------------------------------

DEPTH: Final = 120


def deep(innermost: Any) -> Any:
    """Dictionaries, lists and tuples in one another, `DEPTH` of them."""
    data = innermost
    for level in range(DEPTH):
        data = ({"in": data}, [data], (data,))[level % 3]
    return data


def dug(data: Any) -> Any:
    """What is innermost in `deep`, or in what a hook made of it."""
    for level in reversed(range(DEPTH)):
        data = data["in"] if level % 3 == 0 else data[0]
    return data


class Contact:
    """An object that is equal to itself alone."""

    def __init__(self, number: str) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"Contact({self.number!r})"


class _Meanwhile:
    """A key during whose hashing another thread does something, each time."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work: Callable[[], Any] | None = None
        self.later = work

    def __hash__(self) -> int:
        if self.work is not None:
            thread = threading.Thread(target=self.work, daemon=True)
            thread.start()
            thread.join(0.5)  # a hook may wait for the other one
        return 1


def two_at_once(make: MakeHook, texts: list[str]) -> list[Any]:
    """What a hook makes of each text, where another hook works between any two of them."""
    other = make(OTHER_KEY, [EMAIL])
    hook = make(KEY, SHOP)

    def meanwhile() -> None:
        with contextlib.suppress(Exception):  # a hook that fails, fails in the other cases too
            other(texts)

    between = [_Meanwhile(meanwhile) for _ in texts]
    data: dict[Any, Any] = {}
    for key, text in zip(between, texts, strict=True):
        data |= {key: None, text: text}
    for key in between:
        key.work = key.later
    made = hook(data)
    for key in between:
        key.work = None
    return [value for value in made.values() if value is not None]


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
