"""Take personal data out of traces before they leave the process.

By the SDK's own hook: the client hands inputs, outputs, errors and metadata of every run to the
redactor, and sends what it returns. Names of runs, tags and feedback do not pass the hook: put no
personal data there. Customer ids stay: they mean something only to who has the shop's database,
and without them nobody could say which customer's requests fail.
"""

import re
from collections.abc import Callable
from typing import Any, Final

Redactor = Callable[[Any], Any]

RULES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("email", re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")),
    # Sixteen digits in fours or at one stretch, and the fifteen of some cards; not the decimals of
    # a number, such as a similarity, of which traces are full.
    (
        "card",
        re.compile(
            r"(?<![\w-])(?<!\d\.)\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-])|(?<!\d\.)\b3[47]\d{13}\b"
        ),
    ),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    (
        "phone",
        re.compile(r"(?<![\w-])(?:\+44 ?(?:\(0\) ?)?|\(?0)\d{2,5}\)?(?: ?\d{3,4}){2}(?![\w-])"),
    ),
    ("postcode", re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")),
)
"""What is replaced by its name in brackets, in this order: [email], [card] and so on."""

_WHOLE_KEYS: Final = frozenset({"email", "phone", "street", "postcode", "town", "customer_name"})
"""Fields that are personal whatever they hold."""


def redactor(*known: str) -> Redactor:
    """A function that returns JSON-like data without personal data.

    Args:
        known: texts to replace wherever they stand, such as the customers' names, which no
            pattern recognises.
    """
    names = sorted(filter(None, known), key=len, reverse=True)
    spelt = re.compile("|".join(map(re.escape, names)), re.IGNORECASE) if names else None

    def redact(value: Any) -> Any:
        if isinstance(value, str):
            return _clean(value, spelt)
        if isinstance(value, dict):
            return {
                key: f"[{key}]" if key in _WHOLE_KEYS and isinstance(item, str) else redact(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [redact(item) for item in value]
        return value

    return redact


def _clean(text: str, spelt: re.Pattern[str] | None) -> str:
    if spelt is not None:
        text = spelt.sub("[name]", text)
    for name, pattern in RULES:
        text = pattern.sub(f"[{name}]", text)
    return text
