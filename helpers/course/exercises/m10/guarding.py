"""Questions for exercise 10.3: pairs that the learner has not seen, and generated ones."""

import inspect
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from helpers.course.exercises.equality import same

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Answer = Callable[[str, str], Any]
Group = Literal["traps", "harmless"]

TRAPS, HARMLESS, FEWEST_HARMLESS = 80, 40, 24

WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_SLOTS = {
    "can": ["Can", "Can't", "Could"],
    "no": ["", " not", " never"],
    "name": ["Ember", "Ember Pro", "Squall", "Squall Light", "Drift air mat"],
    "number": [
        *(*WORDS[::2], *map(str, range(1, 41, 2)), "-1", "-5", "-15", "0.5", "1.2", "1.5", "-1.5"),
        *("1,000", "1,200", "12,000", "2.25", "22.5", "100", "101", "110"),
    ],
    "unit": ["°C", "km", "%", "£", "€"],
    "way": ["from Leeds to York", "from York to Leeds", "to Leeds from Bath"],
    "with": ["with", "without"],
    "when": ["", " if lit", " unless lit", " when wet", " only when wet"],
    "order": ["FH-10904", "FH-10940", "FH-20904", "FH-1090"],
}
"""Values of which no two mean the same."""
_TEMPLATES = (
    "{number} {unit} {with} the {name}",
    "{can} I{no} take the {name} {way} at {number} {unit}{when}",
    "{can} {order}{no} go {with} the {name} by {number} {unit}{when}",
    "{name}, {number} {unit}, {with} pegs,{no} before {order}{when}",
)
_ODD = (
    *("", " ", "?!", "²", "٣", "½", "-", "1.", "1,", ".5", "1.2.3", "5e5", "--5", "1,00,0", "１２"),
    *("’", "'", "a'b'c", "\x00", "please", "the", "not", "Größe", "帐篷", "£", "_", "\u0301"),
)
_NOTHING = set(" .,:;?!-")
POLITE = (
    "could you tell me",
    "can you tell me",
    "i would like to know",
    "thank you",
    "thanks",
    "please",
    "hello",
    "hi",
)


@dataclass(frozen=True)
class Pair:
    """Two questions, and how they differ: a kind of trap, or what is harmless about it."""

    differs: str
    texts: tuple[str, str]


@dataclass(frozen=True)
class Tried:
    """A pair, and what an answer returned for it in both orders, and in both once more."""

    pair: Pair
    got: tuple[Any, ...]

    @property
    def served(self) -> bool:
        """Whether it is served in either order."""
        return any(map(bool, self.got))


@cache
def pairs(group: Group) -> tuple[Pair, ...]:
    """The traps, or the harmless pairs."""
    path = Path(__file__).with_name("guard_pairs.yaml")
    kinds = yaml.safe_load(path.read_text("utf-8"))[group]
    return tuple(Pair(kind, (one, other)) for kind, rows in kinds.items() for one, other in rows)


def tried(answer: Answer, group: Group) -> list[Tried]:
    """What an answer makes of each pair of a group."""
    asked = both_orders(answer)
    return [Tried(pair, asked(*pair.texts) + asked(*pair.texts)) for pair in pairs(group)]


def both_orders(answer: Answer) -> Callable[[str, str], tuple[Any, Any]]:
    """What an answer says of two texts in both orders, to be compared with the reference."""
    return lambda asked, stored: (
        _called(answer, asked, stored),
        _called(answer, stored, asked),
    )


def demanded(answer: Answer) -> Callable[[str, str], Any]:
    """What the statement demands for any two texts, whatever they say."""

    def found(asked: str, stored: str) -> Any:
        got = both_orders(answer)(asked, stored)
        blank = any(set(text) <= _NOTHING for text in (asked, stored))
        return {
            "is a bool": all(map(is_bool, got)),
            "same in both orders": bool(got[0]) is bool(got[1]),
            "served with nothing in it": blank and bool(got[0]),
        }

    return found


def is_bool(got: Any) -> bool:
    """Whether this is True or False, of Python's or NumPy's type."""
    return same(got, True) is True or same(got, False) is True


def no_bool(found: Sequence[Tried]) -> bool:
    """Whether something came that is no bool."""
    return not all(is_bool(got) for each in found for got in each.got)


def none_served(found: Sequence[Tried]) -> bool | str:
    """Whether no trap is served."""
    return "may_serve has to return True or False." if no_bool(found) else not served(found)


def enough_served(found: Sequence[Tried]) -> bool | str:
    """Whether enough harmless pairs are served, each in both orders."""
    if no_bool(found):
        return "may_serve has to return True or False."
    if any(bool(first) is not bool(again) for first, _, again, _ in (each.got for each in found)):
        return "The same two texts got another result the second time: it depends only on them."
    return sum(all(map(bool, each.got)) for each in found) >= FEWEST_HARMLESS


def served(found: Sequence[Tried]) -> list[Pair]:
    """The pairs that are served in either order."""
    return [each.pair for each in found if each.served]


def told(found: Sequence[Tried]) -> str:
    """How many are served, and of which kinds; not which, so that none can be learnt by heart."""
    kinds = Counter(pair.differs for pair in served(found))
    of_all = Counter(each.pair.differs for each in found)
    listed = ", ".join(f"{kind}: {count} of {of_all[kind]}" for kind, count in kinds.items())
    return f"{kinds.total()} of {len(found)} served" + (f" ({listed})" if listed else "")


def nearly_all(found: Sequence[Tried]) -> bool:
    """Whether most traps are served."""
    return len(served(found)) > len(found) * 0.75


def same_words(found: Sequence[Tried]) -> bool:
    """Whether all that is served are traps whose words differ in order or number alone."""

    def words(text: str) -> frozenset[str]:
        found = re.findall(r"-?\d+(?:[.,]\d+)*|\w+|[£€%°]", text.lower())
        return frozenset(word.rstrip("s") for word in found)

    alike = [words(pair.texts[0]) == words(pair.texts[1]) for pair in served(found)]
    return bool(alike) and all(alike)


def only(*kinds: str) -> Callable[[Sequence[Tried]], bool]:
    """Whether all that is served are traps of these kinds."""

    def test(found: Sequence[Tried]) -> bool:
        return bool(served(found)) and {pair.differs for pair in served(found)} <= set(kinds)

    return test


def questions() -> "SearchStrategy[tuple[str, str]]":
    """A question twice, each in clothes of its own; mostly one thing in it is another.

    The clothes are those that the statement calls always served, and what differs is of a kind
    that is never served, so that no freedom is left.
    """
    from hypothesis import strategies as st

    clothes = st.tuples(
        st.sampled_from(["", *(f"{w}{comma} " for w in POLITE for comma in ("", ","))]),
        st.sampled_from([str, str.lower, str.upper]),
        st.sampled_from([" ", "  ", "   "]),
        st.sampled_from(["", "?", ".", "!"]),
    )
    filling = st.tuples(*map(st.sampled_from, _SLOTS.values()))
    changed = st.sampled_from([None, *range(len(_SLOTS))])
    return st.builds(
        _pair, st.sampled_from(_TEMPLATES), filling, filling, changed, clothes, clothes
    )


def _pair(
    template: str,
    values: tuple[str, ...],
    others: tuple[str, ...],
    changed: int | None,
    *clothes: tuple[str, Callable[[str], str], str, str],
) -> tuple[str, str]:
    """A template filled twice, with one value exchanged, in two sets of clothes."""
    second = [b if n == changed else a for n, (a, b) in enumerate(zip(values, others, strict=True))]
    texts = []
    for filled, (front, case, gap, end) in zip((values, second), clothes, strict=True):
        text = front + template.format(**dict(zip(_SLOTS, filled, strict=True)))
        texts.append(case(text).replace(" ", gap) + end)
    return texts[0], texts[1]


def any_texts() -> "SearchStrategy[tuple[str, str]]":
    """Two texts of any characters: empty, equal, of numbers, of other letters."""
    from hypothesis import strategies as st

    odd = st.sampled_from(_ODD)
    text = odd | st.text(max_size=5) | st.tuples(odd, odd, odd).map(" ".join)
    return st.tuples(text, text) | text.map(lambda one: (one, one))


def _called(answer: Answer, asked: str, stored: str) -> Any:
    got = answer(asked, stored)
    if inspect.iscoroutine(got):  # an async answer is no bool, and is never run
        got.close()
    return got
