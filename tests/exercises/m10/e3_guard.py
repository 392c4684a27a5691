"""Answers to exercise 10.3: guards, most of them with a hole."""

import difflib
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import (  # type: ignore[import-untyped]
    ENGLISH_STOP_WORDS,
)

from helpers.authoring.answers import right, wrong
from helpers.course.exercises.m10.guarding import POLITE, WORDS

IGNORED = {"a", "an", "the", "is", "are", "do", "does", "my", "of", "just"}
SAME = dict(
    zip(
        ["backpack", "price", "parcel", "purchase", "broken", "headtorch"],
        ["rucksack", "cost", "package", "buy", "damaged", "headlamp"],
        strict=True,
    )
)
ORDERED = {
    "from",
    "to",
    "into",
    "for",
    "than",
    "before",
    "after",
    "instead",
    "with",
    "without",
    "not",
    "no",
    "never",
    "if",
    "unless",
    "when",
    "while",
    "but",
    "only",
    "over",
    "under",
}
PART = r"(?:(?<!\w)-)?\d+(?:,\d{3})*(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*|[£€%°]"


class Guard:
    """A right guard in steps, one method each; the answers below change one."""

    ignored = IGNORED
    ordered = ORDERED
    part = PART

    def clean(self, text: str) -> str:
        text = " ".join(text.lower().replace("’", "'").split())
        return re.sub(rf"\b({'|'.join(POLITE)})\b", " ", text)

    def number(self, word: str) -> Any:
        return Decimal(word.replace(",", ""))

    def word(self, word: str) -> str:
        word = word[:-1] if len(word) > 3 and word.endswith("s") else word
        return SAME.get(word, word)

    def meaning(self, text: str) -> list[Any]:
        found: list[Any] = []
        for word in re.findall(self.part, self.clean(text)):
            if re.fullmatch(r"-?\d.*", word):
                found.append(self.number(word))
            elif word in WORDS:
                found.append(Decimal(WORDS.index(word)))
            elif word not in self.ignored:
                found.append(self.word(word))
        return found

    def alike(self, one: list[Any], other: list[Any]) -> Any:
        numbers = sum(isinstance(word, Decimal) for word in one)
        if numbers > 1 or self.ordered & set(one):
            return one == other
        return Counter(one) == Counter(other)

    def __call__(self, asked: str, stored: str) -> Any:
        one, other = self.meaning(asked), self.meaning(stored)
        return bool(one) and self.alike(one, other)


def but(**changed: Any) -> object:
    guard: Any = type("Changed", (Guard,), changed)()
    return lambda asked, stored: guard(asked, stored)


def by_view(view: Callable[[str], Any]) -> object:
    """A guard that compares one view of the texts."""
    return lambda asked, stored: view(asked) == view(stored)


@wrong("Nothing comes back.", slip="not-bool")
def nothing() -> object:
    return lambda asked, stored: None


@wrong("Never.", slip="none-served")
def never() -> object:
    return lambda asked, stored: False


@wrong("Always.", slip="serves-all")
def always() -> object:
    return lambda asked, stored: True


@wrong("Only the very same text.", slip="none-served")
def exact() -> object:
    return lambda asked, stored: asked == stored


@wrong("The same letters and spaces.")
def capitals_alone() -> object:
    return by_view(lambda text: text.strip().lower())


@wrong("Punctuation off, and nothing else.")
def normalised() -> object:
    return by_view(lambda text: re.sub(r"[^\w ]", "", text.lower()).split())


@wrong("Numbers alone.")
def numbers_alone() -> object:
    return by_view(lambda text: re.findall(r"\d+", text))


@wrong("Names alone: words with a capital.")
def names_alone() -> object:
    return by_view(lambda text: set(re.findall(r"\b[A-Z]\w+", text[1:])))


@wrong("Negations alone.")
def negations_alone() -> object:
    return by_view(lambda text: re.findall(r"\bnot\b|n't\b|\bno\b|\bnever\b", text.lower()))


@wrong("Numbers, capitals and negations, which leaves conditions and all other words.")
def three_views() -> object:
    return by_view(
        lambda text: re.findall(r"-?\d[\d.,]*|\bnot\b|n.t\b|\bno\b|\bnever\b|\bwith\w*", text)
    )


@wrong("Nine letters of ten are the same.")
def similar() -> object:
    def may_serve(asked: str, stored: str) -> bool:
        first, second = sorted((asked.lower(), stored.lower()))
        return difflib.SequenceMatcher(None, first, second).ratio() > 0.9

    return may_serve


@wrong("Three words of four are the same.")
def overlap() -> object:
    def may_serve(asked: str, stored: str) -> bool:
        one, other = set(Guard().meaning(asked)), set(Guard().meaning(stored))
        return bool(one) and len(one & other) / len(one | other) > 0.75

    return may_serve


@wrong("A set of words: neither how often nor where.", slip="same-words")
def as_sets() -> object:
    return but(alike=lambda self, one, other: set(one) == set(other))


@wrong("A bag of words, always.", slip="same-words")
def bag() -> object:
    return but(alike=lambda self, one, other: Counter(one) == Counter(other))


@wrong("Order matters for small words, and not for two numbers.")
def numbers_swapped() -> object:
    def alike(self: Guard, one: Any, other: Any) -> bool:
        if self.ordered - {"for"} & set(one):
            return bool(one == other)
        return Counter(one) == Counter(other)

    return but(alike=alike, ordered=ORDERED - {"for"})


@wrong("Order matters for two numbers, and not for small words.")
def no_ordered_words() -> object:
    return but(ordered=set())


@wrong("scikit-learn's list of stop words.", slip="small-words")
def stop_words() -> object:
    others = {"i", "me", "my", "your", "it", "when", "where", "which", "what", "who", "three"}
    return but(ignored=(IGNORED | ENGLISH_STOP_WORDS) - others - set(WORDS))


@wrong("The small words are left out.")
def no_small_words() -> object:
    return but(ignored=IGNORED | ORDERED)


@wrong("with and without are the same to it.")
def with_is_without() -> object:
    return but(ignored=IGNORED | {"with", "without"})


@wrong("All punctuation off before numbers are read.", slip="marks-lost")
def marks_lost() -> object:
    def clean(self: Guard, text: str) -> str:
        return re.sub(r"[^\w ']", "", Guard.clean(self, re.sub("(?<=[a-zA-Z])-", " ", text)))

    return but(clean=clean)


@wrong("A minus is a hyphen.", slip="marks-lost")
def no_minus() -> object:
    return but(part=PART.replace(r"(?:(?<!\w)-)?", ""))


@wrong("Numbers are whole.", slip="marks-lost")
def whole_numbers() -> object:
    return but(number=lambda self, word: Decimal(int(Guard.number(self, word))))


@wrong("Signs are punctuation.", slip="marks-lost")
def no_signs() -> object:
    return but(part=PART.replace("|[£€%°]", ""))


@wrong("Letters alone.")
def letters_alone() -> object:
    return but(part=r"[^\W\d_]+(?:'[^\W\d_]+)*")


@wrong("Latin letters alone.")
def latin_alone() -> object:
    def meaning(self: Guard, text: str) -> Any:
        return Guard.meaning(self, text) if text.isascii() else [re.sub(r"[^\x20-\x7e]", "", text)]

    return but(meaning=meaning)


@wrong("n't is punctuation and a t.")
def negation_cut() -> object:
    def clean(self: Guard, text: str) -> str:
        return re.sub(r"n['’]t\b", "", Guard.clean(self, text)).replace("ca ", "can ")

    return but(clean=clean)


@wrong("What is asked may leave something out.")
def one_way() -> object:
    return but(alike=lambda self, one, other: not Counter(one) - Counter(other))


@wrong("Names lose their second word.")
def short_names() -> object:
    return but(ignored=IGNORED | {"pro", "light"})


@wrong("An order is an order.")
def ids_lost() -> object:
    def clean(self: Guard, text: str) -> str:
        return re.sub(r"fh[- ]\d+", "order", Guard.clean(self, text))

    return but(clean=clean)


@wrong("Words of four letters and more.")
def long_words() -> object:
    def meaning(self: Guard, text: str) -> Any:
        return [w for w in Guard.meaning(self, text) if not isinstance(w, str) or len(w) > 3]

    return but(meaning=meaning)


@wrong("An empty text is served.")
def empty_served() -> object:
    guard: Any = Guard()
    return lambda asked, stored: guard.alike(guard.meaning(asked), guard.meaning(stored))


@wrong("An empty text is an error.")
def empty_raises() -> object:
    guard: Any = Guard()
    return lambda asked, stored: bool(guard.meaning(asked)[0]) and guard(asked, stored)


@wrong("It trips over digits that are no numbers.")
def odd_digits() -> object:
    def may_serve(asked: str, stored: str) -> Any:
        [int(char) for char in asked + stored if char.isdigit()]
        return Guard()(asked, stored)

    return may_serve


@wrong("A number, and not a bool.", slip="not-bool")
def one_or_zero() -> object:
    return lambda asked, stored: int(Guard()(asked, stored))


@wrong("It is async.", slip="not-bool")
def is_async() -> object:
    async def may_serve(asked: str, stored: str) -> bool:
        return False

    return may_serve


@wrong("What it has served before it does not serve again.")
def once() -> object:
    before: set[tuple[str, str]] = set()

    def may_serve(asked: str, stored: str) -> Any:
        again = (asked, stored) in before
        before.add((asked, stored))
        return not again and Guard()(asked, stored)

    return may_serve


@wrong("Neither politeness nor spelled numbers, words nor order: too strict.")
def too_strict() -> object:
    def meaning(self: Guard, text: str) -> Any:
        return re.findall(self.part, self.clean(text))

    return but(meaning=meaning)


@wrong("A comma is a decimal point.")
def decimal_comma() -> object:
    return but(number=lambda self, word: Decimal(word.replace(",", ".", 1).replace(",", "")))


@wrong("it is left out.")
def no_it() -> object:
    return but(ignored=IGNORED | {"it"})


@wrong("can, you and I are left out.", slip="small-words")
def no_can_you_i() -> object:
    return but(ignored=IGNORED | {"can", "you", "i"})


@wrong("in, on and at are left out.")
def no_in_on_at() -> object:
    return but(ignored=IGNORED | {"in", "on", "at"})


@wrong("All forms of is, do and have are left out.")
def no_forms() -> object:
    return but(ignored=IGNORED | {"was", "did", "has", "be"})


@wrong("One of them alone is left out: be.")
def no_be() -> object:
    return but(ignored=IGNORED | {"be"})


@wrong("Words lose -ing, -ed and -er.")
def stems() -> object:
    return but(word=lambda self, word: re.sub("(ing|ed|er)$", "", Guard.word(self, word)))


@wrong("its is the plural of it.")
def short_plurals() -> object:
    return but(word=lambda self, word: Guard.word(self, word.removesuffix("s")))


@wrong("How often a word or a number comes is not compared, unless order matters.")
def how_often() -> object:
    def alike(self: Guard, one: Any, other: Any) -> bool:
        return Guard.alike(self, one, other) if self.ordered & set(one) else set(one) == set(other)

    return but(alike=alike)


@wrong("A repeated word counts once.", slip="same-words")
def repeated_word() -> object:
    def alike(self: Guard, one: Any, other: Any) -> bool:
        numbers = max(sum(isinstance(word, Decimal) for word in each) for each in (one, other))
        if numbers > 1 or self.ordered & set(one):
            return bool(one == other)
        return set(one) == set(other)

    return but(alike=alike)


@wrong("A pair that is asked again in the other order is not served any more.")
def once_either_way() -> object:
    before: dict[frozenset[str], tuple[str, str]] = {}

    def may_serve(asked: str, stored: str) -> Any:
        first = before.setdefault(frozenset((asked, stored)), (asked, stored))
        return first == (asked, stored) and Guard()(asked, stored)

    return may_serve


@wrong("The third time, a pair is not served.")
def third_time() -> object:
    before: Counter[frozenset[str]] = Counter()

    def may_serve(asked: str, stored: str) -> Any:
        pair = frozenset((asked, stored))
        before[pair] += 1
        return before[pair] != 3 and Guard()(asked, stored)

    return may_serve


@wrong("Politeness is not taken off.")
def impolite() -> object:
    return but(clean=lambda self, text: text.lower().replace("’", "'"))


@right("A regular expression and two ways to compare.")
def in_steps() -> object:
    return but()


@right("Words in their order, always.")
def in_order() -> object:
    return but(alike=lambda self, one, other: one == other)


@right("No plural, no spelled numbers by digits.")
def strict() -> object:
    return but(
        word=lambda self, word: SAME.get(word, word),
        number=lambda self, word: str(Guard.number(self, word)),
    )


@right("NumPy's bool.")
def numpy_bool() -> object:
    guard: Any = Guard()
    return lambda asked, stored: np.bool_(guard(asked, stored))


@right("Words split at spaces and stripped, and no regular expression.")
def by_hand() -> object:
    def number(word: str) -> Any:
        digits = word.replace(",", "")
        plain = digits.removeprefix("-").replace(".", "", 1)
        return Decimal(digits) if plain.isascii() and plain.isdigit() else None

    def meaning(text: str) -> list[Any]:
        text = " ".join(text.lower().replace("’", "'").split())
        for sign in "£€%°":
            text = text.replace(sign, f" {sign} ")
        for mark in ":;?!()":
            text = text.replace(mark, " ")
        text = " ".join(word.strip(".,'") for word in text.split())
        for phrase in POLITE:
            text = f" {text} ".replace(f" {phrase} ", " ").strip()
        found: list[Any] = []
        for word in text.split():
            value = Decimal(WORDS.index(word)) if word in WORDS else number(word)
            if value is not None:
                found.append(value)
            elif word not in IGNORED and word.strip("-"):
                found.extend(SAME.get(one, one) for one in word.split("-") if one)
        return found

    def may_serve(asked: str, stored: str) -> bool:
        return bool(meaning(asked)) and meaning(asked) == meaning(stored)

    return may_serve


@right("What differs is looked at, and has to be harmless.")
def differences() -> object:
    guard: Any = Guard()

    def may_serve(asked: str, stored: str) -> bool:
        one, other = guard.meaning(asked), guard.meaning(stored)
        if not one or Counter(one) - Counter(other) or Counter(other) - Counter(one):
            return False
        loose = not guard.ordered & set(one) and not any(isinstance(w, Decimal) for w in one)
        return loose or list(one) == list(other)

    return may_serve
