"""Values with a pattern, such as order numbers, as people write them.

A schema says how such a value looks, for example `^P-[0-9]{4}$`. People write it so ("p-1203"),
or they write its digits behind a word for it ("parcel 1203", "no. 1203", "P 1203"). The second
form is understood where the argument's description or an example of the tool shows a value.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from helpers.models.words import FUNCTION_WORDS


@dataclass(frozen=True)
class Identifier:
    """How one argument's values are found in a text.

    Attributes:
        exact: the schema's pattern inside a sentence, in capitals or not.
        spoken: the digits behind a word for it, in group 1; None without a sample.
        sample: the text around the digits, such as ("P-", "").
    """

    exact: re.Pattern[str]
    spoken: re.Pattern[str] | None
    sample: tuple[str, str]
    schema: re.Pattern[str]

    def find(self, text: str) -> list[str]:
        """The different values in a text, in order, in the form of the schema."""
        found = [(match.start(), match[0]) for match in self.exact.finditer(text)]
        for match in self.spoken.finditer(text) if self.spoken else ():
            found.append((match.start(), match[1].join(self.sample)))
        forms = (form for _, value in sorted(found) for form in _forms(value))
        return list(dict.fromkeys(form for form in forms if self.schema.search(form)))

    def hide(self, text: str) -> str:
        """The text with "it" for every value."""
        hidden = self.exact.sub("it", text)
        return self.spoken.sub("it", hidden) if self.spoken else hidden


def _forms(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((value, value.upper(), value.lower())))


def inside(pattern: str) -> re.Pattern[str]:
    """A pattern as it is looked for inside a sentence; may raise `re.error`."""
    # A schema's pattern is anchored to the whole value.
    bare = pattern.removeprefix("^").removesuffix("$")
    return re.compile(rf"(?<![\w-])(?:{bare})(?![\w-])", re.IGNORECASE)


def identifier(name: str, pattern: str, description: str, texts: Iterable[str]) -> Identifier:
    """How the values of an argument are found.

    Args:
        name: the argument's name; its words are words for a value.
        pattern: its JSON schema's pattern.
        description: its description, whose words are words for a value too.
        texts: where a sample value may stand, beside the description.
    """
    exact = inside(pattern)
    samples = (match[0] for text in (description, *texts) for match in exact.finditer(text))
    for sample in samples:
        pieces = re.split(r"(\d+)", sample)
        if len(pieces) == 3:
            before, digits, after = pieces
            spoken = _spoken(f"{before} {name} {description}", len(digits))
            return Identifier(exact, spoken, (before, after), re.compile(pattern))
    return Identifier(exact, None, ("", ""), re.compile(pattern))


def _spoken(about: str, digits: int) -> re.Pattern[str]:
    words = set(re.findall(r"[a-z]+", about.lower().replace("_", " ")))
    words = (words | {"no", "number"}) - FUNCTION_WORDS
    either = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(rf"\b(?:{either})[\s#:.-]{{0,3}}(\d{{{digits}}})(?![\w-])", re.IGNORECASE)
