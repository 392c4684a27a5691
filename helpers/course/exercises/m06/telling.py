"""What an answer says of an exception that only the log should say."""

from collections.abc import Iterable

_IN_A_ROW = 4
"""So many words of an exception's text in a row are no chance."""
_LONG = 6
"""From this length on, a word with a digit in it is a key, an address or the like."""


def tells(text: str, errors: Iterable[Exception], *also: str) -> str:
    """The first thing in `text` that comes from an exception or its code; "" if there is none.

    Args:
        text: what a client reads.
        errors: the exceptions that were raised.
        also: other words that the text must not contain.
    """
    plain = _plain(text)
    marks = ["Traceback", ".py", *also]
    for error in errors:
        marks += [one.__name__ for one in type(error).__mro__ if one not in Exception.__mro__]
        marks += _words(str(error))
    return next((mark for mark in marks if _plain(mark) in plain), "")


def _words(text: str) -> list[str]:
    words = text.split()
    rows = [words[n : n + _IN_A_ROW] for n in range(max(1, len(words) - _IN_A_ROW + 1))]
    keys = [one for one in words if len(one) >= _LONG and any(map(str.isdigit, one))]
    return [row for row in map(" ".join, rows) if row] + keys


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
