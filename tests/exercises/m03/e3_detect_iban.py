"""Answers to exercise 03.3, each a right one with a part that is another."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from langchain.agents.middleware.pii import PIIMatch

from helpers.authoring.answers import right, wrong

LENGTHS = {"AT": 20, "CH": 21, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "IE": 22, "NL": 18}
SEPARATORS = " \u00a0-"
SIGN, NO_SIGN_BEFORE, NO_SIGN_BEHIND = "[A-Za-z0-9]", "(?<![A-Za-z0-9])", "(?![A-Za-z0-9])"


def remainder(iban: str) -> int:
    signs = "".join(sign for sign in iban if sign not in SEPARATORS)
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97


def is_right(iban: str) -> bool:
    return remainder(iban) == 1


def spans(
    text: str,
    *,
    between: str = f"[{SEPARATORS}]?",
    before: str = NO_SIGN_BEFORE,
    behind: str = NO_SIGN_BEHIND,
    digit: str = "[0-9]",
    sign: str = SIGN,
    lengths: dict[str, int] = LENGTHS,
    more: str = "",
    overlap: bool = True,
) -> Iterator[tuple[int, int]]:
    """Where a text has what looks like an IBAN."""
    for country, length in lengths.items():
        letters = [f"[{letter}{letter.lower()}]" for letter in country]
        signs = between.join([*letters, digit, digit, *[sign] * (length - 4)]) + more
        pattern = f"{before}(?=({signs}){behind})" if overlap else f"{before}({signs}){behind}"
        for found in re.finditer(pattern, text):
            yield found.span(1)


def detector(
    accept: Callable[[str], bool] = is_right,
    look_at: Callable[[str], str] = lambda text: text,
    shift: int = 0,
    kind: str = "iban",
    value: Callable[[str], str] = lambda found: found,
    **parts: Any,
) -> object:
    """The right detector with these parts."""

    def detect_iban(text: str) -> list[PIIMatch]:
        seen = look_at(text)
        return [
            PIIMatch(type=kind, value=value(seen[start:end]), start=start, end=end + shift)
            for start, end in spans(seen, **parts)
            if accept(seen[start:end])
        ]

    return detect_iban


@wrong("Finds nothing.", slip="finds-nothing")
def finds_nothing() -> object:
    return lambda text: []


@wrong("Redacts every text.")
def finds_everything() -> object:
    return lambda text: [PIIMatch(type="iban", value=text, start=0, end=len(text))]


@wrong("Takes the words behind along.", slip="takes-words-along")
def takes_words_along() -> object:
    return detector(accept=lambda found: True, more="(?: [A-Z]+)*")


@wrong("Does not look at the check digits.", slip="wrong-digits")
def no_check_digits() -> object:
    return detector(accept=lambda found: True)


@wrong("Leaves 1 or 0.")
def nearly_the_sum() -> object:
    return detector(accept=lambda found: remainder(found) <= 1)


@wrong("Adds up without moving the first four.")
def does_not_move() -> object:
    def accept(found: str) -> bool:
        signs = "".join(sign for sign in found if sign not in SEPARATORS)
        return int("".join(str(int(sign, 36)) for sign in signs)) % 97 == 1

    return detector(accept=accept)


@wrong("Takes letters for check digits.")
def letters_for_digits() -> object:
    return detector(digit=SIGN)


@wrong("Takes digits of other scripts.")
def digits_of_other_scripts() -> object:
    return detector(digit=r"\d", sign=r"[A-Za-z\d]")


@wrong("Knows capitals alone.")
def capitals_alone() -> object:
    return detector(accept=lambda found: is_right(found) and found.isupper())


@wrong("Knows spaces alone.")
def spaces_alone() -> object:
    return detector(between="[ ]?")


@wrong("Knows spaces and hyphens.")
def no_no_break_space() -> object:
    return detector(between="[ -]?")


@wrong("Knows no separators.")
def no_separators() -> object:
    return detector(between="")


@wrong("A separator between groups of four alone.")
def groups_of_four() -> object:
    def accept(found: str) -> bool:
        groups = re.split(f"[{SEPARATORS}]", found)
        return is_right(found) and (len(groups) == 1 or all(len(g) == 4 for g in groups[:-1]))

    return detector(accept=accept)


@wrong("The same separator throughout.")
def one_separator() -> object:
    return detector(
        accept=lambda found: (
            is_right(found) and len({sign for sign in found if sign in SEPARATORS}) < 2
        )
    )


@wrong("None in the first four.")
def none_in_the_first_four() -> object:
    return detector(accept=lambda found: is_right(found) and found[:4].isalnum())


@wrong("As many separators as there are.")
def many_separators() -> object:
    return detector(between=f"[{SEPARATORS}]*")


@wrong("Up to two separators.")
def two_separators() -> object:
    return detector(between=f"[{SEPARATORS}]{{0,2}}")


@wrong("Any white space.")
def any_white_space() -> object:
    def accept(found: str) -> bool:
        return is_right("".join(found.split()))

    return detector(between=r"[\s-]?", accept=accept)


@wrong("Dots as well.")
def dots_too() -> object:
    return detector(between=f"[{SEPARATORS}.]?", accept=lambda one: is_right(one.replace(".", "")))


@wrong("Word boundaries, which take é and _ for letters.")
def word_boundaries() -> object:
    return detector(before=r"\b", behind=r"\b")


@wrong("Does not look at what is before.")
def anything_before() -> object:
    return detector(before="")


@wrong("Does not look at what is behind.")
def anything_behind() -> object:
    return detector(behind="")


@wrong("A letter before is enough to reject, a digit is not.")
def digits_before() -> object:
    return detector(before="(?<![A-Za-z])")


@wrong("White space around.")
def white_space_around() -> object:
    return detector(before=r"(?<!\S)", behind=r"(?![^\s.,;)])")


@wrong("The countries of the first lab.")
def six_countries() -> object:
    return detector(lengths={name: n for name, n in LENGTHS.items() if name not in ("AT", "CH")})


@wrong("Every country has 22.")
def always_22() -> object:
    return detector(lengths=dict.fromkeys(LENGTHS, 22))


@wrong("Any country with 15 to 34 signs.")
def any_country() -> object:
    pattern = f"{NO_SIGN_BEFORE}[A-Za-z]{{2}}[0-9]{{2}}(?:[{SEPARATORS}]?{SIGN}){{11,30}}"

    def detect_iban(text: str) -> list[PIIMatch]:
        return [
            PIIMatch(type="iban", value=m[0], start=m.start(), end=m.end())
            for m in re.finditer(pattern + NO_SIGN_BEHIND, text)
            if is_right(m[0])
        ]

    return detect_iban


@wrong("Belgium as well.")
def belgium_too() -> object:
    return detector(lengths=LENGTHS | {"BE": 16})


@wrong("The first one alone.")
def first_alone() -> object:
    made: Any = detector()

    def detect_iban(text: str) -> list[PIIMatch]:
        return sorted(made(text), key=lambda match: match["start"])[:1]

    return detect_iban


@wrong("Goes on behind what it has rejected.")
def no_overlap() -> object:
    return detector(overlap=False)


@wrong("Places in the text in capitals.")
def places_in_capitals() -> object:
    return detector(look_at=str.upper)


@wrong("Places in the normalised text.")
def places_in_normalised() -> object:
    return detector(look_at=lambda text: unicodedata.normalize("NFKC", text))


@wrong("Places in the text without hyphens.")
def places_without_hyphens() -> object:
    return detector(look_at=lambda text: text.replace("-", ""))


@wrong("The end is the last sign's place.")
def end_of_the_last_sign() -> object:
    return detector(shift=-1)


@wrong("The value without separators.")
def value_without_separators() -> object:
    return detector(value=lambda found: found.replace(" ", ""))


@wrong("Another type.")
def another_type() -> object:
    return detector(kind="IBAN")


@wrong("Keeps what it has found before.")
def keeps() -> object:
    kept: list[PIIMatch] = []
    made: Any = detector()

    def detect_iban(text: str) -> list[PIIMatch]:
        kept.extend(made(text))
        return kept

    return detect_iban


@wrong("Looks for cards: sixteen digits.")
def looks_for_cards() -> object:
    def detect_iban(text: str) -> list[PIIMatch]:
        return [
            PIIMatch(type="iban", value=m[0], start=m.start(), end=m.end())
            for m in re.finditer(r"\b\d{4}(?: ?\d{4}){3}\b", text)
        ]

    return detect_iban


@wrong("Looks the place up: it is the first one with this text.", slip="wrong-place")
def the_first_place() -> object:
    def detect_iban(text: str) -> list[PIIMatch]:
        values = [text[start:end] for start, end in spans(text) if is_right(text[start:end])]
        return [
            PIIMatch(type="iban", value=one, start=text.find(one), end=text.find(one) + len(one))
            for one in values
        ]

    return detect_iban


@wrong("Looks the place up from behind.")
def the_last_place() -> object:
    def detect_iban(text: str) -> list[PIIMatch]:
        values = [text[start:end] for start, end in spans(text) if is_right(text[start:end])]
        return [
            PIIMatch(type="iban", value=one, start=text.rfind(one), end=text.rfind(one) + len(one))
            for one in values
        ]

    return detect_iban


@wrong("Strips the text first.")
def stripped() -> object:
    return detector(look_at=str.strip)


@wrong("re.IGNORECASE, which takes ſ for s and the sign for kelvin for k.")
def ignores_case() -> object:
    return detector(
        before="(?<!(?i:[A-Z0-9]))",
        behind="(?!(?i:[A-Z0-9]))",
        accept=lambda found: found.isascii() is False or is_right(found),
    )


@wrong("Makes the check digits anew, from 02 to 98.", slip="more-or-less-digits")
def new_digits() -> object:
    def accept(found: str) -> bool:
        signs = "".join(sign for sign in found if sign not in SEPARATORS).upper()
        return 98 - remainder(f"{signs[:2]}00{signs[4:]}") % 97 == int(signs[2:4])

    return detector(accept)


@wrong("Leaves 0 as well.")
def no_remainder() -> object:
    return detector(lambda found: remainder(found) in (0, 1))


@wrong("A hyphen before is a part of something longer.")
def no_hyphen_before() -> object:
    return detector(before="(?<![A-Za-z0-9-])")


@wrong("A hyphen behind is a part of something longer.")
def no_hyphen_behind() -> object:
    return detector(behind="(?![A-Za-z0-9-])")


@wrong("A slash before is a part of an address.")
def no_slash_before() -> object:
    return detector(before="(?<![A-Za-z0-9/])")


@wrong("Narrow no-break spaces as well.")
def narrow_spaces() -> object:
    return detector(between=f"[\u202f{SEPARATORS}]?")


@wrong("Dashes of all kinds.")
def dashes() -> object:
    return detector(between=f"[\u2011-\u2015{SEPARATORS}]?")


@wrong("Commas and slashes as well.")
def commas() -> object:
    return detector(between=f"[,/{SEPARATORS}]?")


@wrong("Spaces without width as well.")
def hidden_spaces() -> object:
    return detector(between=f"[\u200b{SEPARATORS}]?")


@wrong("The first five.")
def the_first_five() -> object:
    found: Any = detector()
    return lambda text: found(text)[:5]


@wrong("The first 5,000 signs.")
def the_beginning() -> object:
    return detector(look_at=lambda text: text[:5000])


@wrong("A key more.")
def another_key() -> object:
    found: Any = detector()
    return lambda text: [one | {"country": one["value"][:2]} for one in found(text)]


@right("Country by country, as a tuple.")
def a_tuple() -> object:
    made: Any = detector()
    return lambda text: tuple(made(text))


@right("Sign by sign, without a pattern.")
def sign_by_sign() -> object:
    def is_sign(text: str, at: int) -> bool:
        return 0 <= at < len(text) and text[at].isascii() and text[at].isalnum()

    def end_of(text: str, at: int, length: int) -> int:
        while True:
            length -= 1
            if not is_sign(text, at):
                return -1
            if not length:
                return -1 if is_sign(text, at + 1) else at + 1
            at += 1
            if at < len(text) and text[at] in SEPARATORS:
                at += 1

    def detect_iban(text: str) -> list[PIIMatch]:
        matches = []
        for start in range(len(text)):
            if is_sign(text, start - 1):
                continue
            signs = [sign for sign in text[start : start + 4 * 2] if sign not in SEPARATORS][:4]
            country = "".join(signs[:2]).upper()
            if country not in LENGTHS or not all(sign in "0123456789" for sign in signs[2:]):
                continue
            end = end_of(text, start, LENGTHS[country])
            if end > 0 and is_right(text[start:end]):
                found = text[start:end]
                matches.append(PIIMatch(type="iban", value=found, start=start, end=end))
        return matches

    return detect_iban


@right("From behind, with dictionaries, and the remainder digit by digit.")
def plain_dicts() -> object:
    def accept(found: str) -> bool:
        signs = [sign.upper() for sign in found if sign.isalnum()]
        left = 0
        for sign in signs[4:] + signs[:4]:
            number = ord(sign) - 55 if sign.isalpha() else int(sign)
            left = (left * (100 if number > 9 else 10) + number) % 97
        return left == 1

    def detect_iban(text: str) -> list[dict[str, Any]]:
        return [
            {"type": "iban", "value": text[start:end], "start": start, "end": end}
            for start, end in sorted(spans(text), reverse=True)
            if accept(text[start:end])
        ]

    return detect_iban


@right("One pattern for the start, then the country's length.")
def from_each_start() -> object:
    class Found(str):
        """A text, as a subclass."""

    def detect_iban(text: str) -> list[PIIMatch]:
        matches = []
        between = f"[{SEPARATORS}]?"
        starts = f"{NO_SIGN_BEFORE}([A-Za-z]){between}([A-Za-z])(?={between}[0-9]{between}[0-9])"
        places = [m.start() for m in re.finditer(NO_SIGN_BEFORE + "(?=[A-Za-z])", text)]
        for place in places:
            start = re.compile(starts).match(text, place)
            length = LENGTHS.get("".join(start.groups()).upper()) if start else None
            if start is None or length is None:
                continue
            rest = re.compile(f"(?:{between}{SIGN}){{{length - 2}}}{NO_SIGN_BEHIND}")
            found = rest.match(text, start.end())
            if found and is_right(text[place : found.end()]):
                value = Found(text[place : found.end()])
                matches.append(PIIMatch(type="iban", value=value, start=place, end=found.end()))
        return matches

    return detect_iban
