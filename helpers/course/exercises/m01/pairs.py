"""Callers and conversations that a careless thread_id takes for one another, for exercise 01.4."""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

Pair = tuple[str | None, str]
"""A customer's id, or None for a guest, and the name of a conversation."""

Thread = Callable[[Pair], Any]

_ENOUGH = 500

_JOINERS = ["-", "--", "_", "__", ":", "::", "/", "//", "|", "||", ".", ",", ", ", ";", " ", "#"]
_JOINERS += ["@", "+", "&", "=", "~", "->", " - ", "\t", "\n", "\0", "\x1f", "\\", "'", '"', "', '"]
_JOINERS += ['", "', ")(", "}{", "%", "None", "chat-"]
_ALIKE = ["", "1", "01", "1.0", "10", "C-1", "c-1", "C-1 ", " C-1", "C-1\n", "C--1", "C-01", "C_1"]
_ALIKE += ["None", "none", "null", "NULL", "guest", "Guest", "anonymous", "0", "False", "nobody"]
_ALIKE += ["'None'", '"None"', '"null"', "()", "[]", "caf\u00e9", "cafe\u0301", "cafe", "caf?"]
_ALIKE += ["CAF\u00c9", "stra\u00dfe", "strasse", "\u212a", "K", "k", "\ufb01", "fi", "\uff11"]
_ALIKE += ["a\u200bb", "ab", "ba", "a b", "a  b", "a\tb", "a+b", "a%20b", "a/b", "a%2Fb", "a\\b"]
_ALIKE += [
    "a\\\\b",
    "a\r\nb",
    "a\nb",
    "\\n",
    "\n",
    "&amp;",
    "&",
    "\U0001f44d",
    "\U0001f44d\U0001f3fd",
]
_ALIKE += ["\u65e5\u672c", "\u672c\u65e5", "xy", "yz", "xyz"]
_LONG = "Where is my parcel? I ordered it two weeks ago, and nobody answers. " * 30
_LONGS = [
    *(f"{_LONG}{end}" for end in "ab"),  # the ends alone differ
    *(f"{start}{_LONG}" for start in "ab"),  # the beginnings
    *(f"{_LONG[:900]}{middle}{_LONG[900:]}" for middle in "ab"),
    *(_LONG[:length] for length in (7, 8, 9, 16, 32, 36, 50, 64, 100, 128, 255, 256, 1000)),
]
_CUSTOMERS = [None, *_ALIKE, *_LONGS[:6], "x", *(f"x{joiner}y" for joiner in _JOINERS)]
_CONVERSATIONS = [*_ALIKE, *_LONGS, "z", *(f"y{joiner}z" for joiner in _JOINERS)]

_ESCAPES = ["\\", "%", "^", "~", "`", "$"]


def escaped(joiner: str, escape: str) -> list[Pair]:
    """Pairs that share a thread where a joiner is escaped, and the escape itself is not.

    Or where a joiner is doubled in the two parts.
    """
    return [
        (f"a{escape}", f"b{joiner}c"),
        (f"a{joiner}b{escape}", "c"),
        (f"a{joiner}", "b"),
        ("a", f"{joiner}b"),
        (f"a{joiner}{joiner}", "b"),
        ("a", f"{joiner}{joiner}b"),
        (f"a{escape}{joiner}", "b"),
        (f"a{escape}", f"{joiner}b"),
    ]


_WRITTEN = [quote(joiner, safe="") for joiner in _JOINERS if quote(joiner, safe="") != joiner]
_WRITTEN += [written.lower() for written in _WRITTEN]
TRICKY: list[Pair] = [
    *((who, where) for who in _CUSTOMERS for where in _CONVERSATIONS),
    *(pair for one in _JOINERS for escape in _ESCAPES for pair in escaped(one, escape)),
    *((f"x{text}y", "z") for text in _WRITTEN),
    *(("x", f"y{text}z") for text in _WRITTEN),
]
"""Every one of these customers with every one of these conversations, and joiners escaped."""

_LETTERS = st.text(st.sampled_from("aA1-:/|,.'\"\\ \nN\u00e9"), max_size=5)
_TEXTS = st.one_of(_LETTERS, st.sampled_from(_ALIKE), st.text(max_size=20))
ANY = st.tuples(st.one_of(st.none(), _TEXTS), _TEXTS)
"""Any customer and any conversation, mostly of few letters, so that many of them look alike."""


def sharing(thread: Thread, pairs: Iterable[Pair]) -> list[tuple[Pair, Pair]]:
    """Two different pairs with one thread, or one pair with two; the shortest first.

    It stops where it has found many.
    """
    first: dict[Any, Pair] = {}
    of: dict[Pair, Any] = {}
    found: list[tuple[Pair, Pair]] = []
    for pair in pairs:
        if len(found) == _ENOUGH:
            break
        name = thread(pair)
        if of.setdefault(pair, name) != name or thread(_made_again(pair)) != name:
            found.append((pair, pair))
        elif first.setdefault(name, pair) != pair:
            found.append((first[name], pair))
    return sorted(found, key=lambda two: len(repr(two)))


def _made_again(pair: Pair) -> Pair:
    """An equal pair of other objects."""
    who, where = (text and text.encode().decode() for text in pair)
    return who, str(where)


def written(pairs: Sequence[Pair]) -> str:
    """Pairs as a card writes them."""
    # Letters that look alike, or that nobody sees, differ in ASCII.
    return ", ".join(f"(Caller({who!a}), {where!a})" for who, where in pairs)


_WHO, _WHERE, _MORE = "C-7401", "chat-93", "x"


def fitted(thread: Thread) -> list[Pair]:
    """Pairs made of the pieces that a thread puts around its two parts, if it shows them.

    An attacker who has seen some threads would try them: a conversation that goes on like another
    customer's thread, a guest who names a conversation like one.
    """
    made: list[Pair] = [(_WHO, _WHERE), (None, _WHERE), ("", _WHERE)]
    both, alone = thread((_WHO, _WHERE)), thread((None, _WHERE))
    if not (isinstance(both, str) and isinstance(alone, str)):
        return made
    made += [(None, both), ("", both), (both, ""), (None, alone), (alone, "")]
    if _WHERE in alone:
        begin, _, end = alone.partition(_WHERE)
        made.append((None, both.removeprefix(begin).removesuffix(end)))
    if _WHO in both and _WHERE in both:
        made += [*_joined(both), *_escaped(thread, both)]
        begin, _, rest = both.partition(_WHO)
        # What a guest's thread has where a customer's has the id.
        inner = alone.removeprefix(begin).removesuffix(rest)
        made += [(inner, _WHERE), (inner.strip("'\""), _WHERE)]
    return made


def _joined(both: str) -> Iterator[Pair]:
    one, two = sorted((_WHO, _WHERE), key=both.index)
    joiner = both[both.index(one) + len(one) : both.index(two)]
    if one == _WHO:
        yield from [(_WHO, f"{_MORE}{joiner}{_WHERE}"), (f"{_WHO}{joiner}{_MORE}", _WHERE)]
    else:
        yield from [(_WHO, f"{_WHERE}{joiner}{_MORE}"), (f"{_MORE}{joiner}{_WHO}", _WHERE)]


def _escaped(thread: Thread, both: str) -> list[Pair]:
    """Pairs that take what a thread makes of its own joiner in a name for that joiner."""
    one, two = sorted((_WHO, _WHERE), key=both.index)
    joiner = both[both.index(one) + len(one) : both.index(two)]
    if not joiner:
        return []
    seen = str(thread((f"{_WHO}{joiner}{_MORE * 9}", _WHERE)))
    rest = seen.partition(_WHO)[2]
    made = rest.partition(_MORE * 9)[0] if rest else ""
    ends = [made.removesuffix(joiner), made.removeprefix(joiner), made[:1], made[-1:]]
    pairs = [pair for end in dict.fromkeys(ends) if end for pair in escaped(joiner, end)]
    return [*pairs, (f"{_WHO}{joiner}", _WHERE), (f"{_WHO}{made}", _WHERE)]


def fewest_bits(thread: Thread) -> int:
    """In how many bits the threads differ, of one customer, of one conversation, or of a guest.

    An upper bound: at each place, the base-2 logarithm of how many letters occur there.
    """
    draw = random.Random(1)
    names = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=60)) for _ in range(600)]
    groups: list[list[Pair]] = [
        [("C-0042", name) for name in names],
        [(name, "chat-1") for name in names],
        [(None, name) for name in names],
    ]
    return min(_bits([str(thread(pair)) for pair in group]) for group in groups)


def _bits(texts: Sequence[str]) -> int:
    longest = max(map(len, texts))
    padded = [text.ljust(longest, "\0") for text in texts]
    return round(sum(math.log2(len(set(letters))) for letters in zip(*padded, strict=True)))
