"""Whether a request asks for something: a word for it, as an order and not as a mention.

"When do you refund me?", "I do not want a refund" and "the amount I usually pay" have the word and
give no leave; nor does a word inside quoted text, which the user wants passed on. This is a guess
at grammar, made of a few words of English: a paraphrase without the word is refused, and a question
that begins politely ("Can I return it?") counts as a request. It bounds what a hijacked agent may
do; it does not understand a user.
"""

import re
from typing import Final

_CLAUSE: Final = re.compile(r"[.?!;,:]+(?=\s|$)|(?<=[a-z])[.?!](?=[A-Z])|\n|\b[aA]nd\b")
_ASKS_OR_DENIES: Final = re.compile(
    r"\b(?:how|when|where|why|what|which|until|whether|if|not|never|no|without|dont)\b|n['’]t\b",
    re.IGNORECASE,
)
_TELLS: Final = re.compile(
    r"\b(?:i|we|they|he|she|it)[^\S\n](?:\w{1,20}ly[^\S\n]|always[^\S\n]|often[^\S\n])?$",
    re.IGNORECASE,
)
# What follows "the following message:" or "write the message:" is quoted to its end.
_QUOTED: Final = re.compile(
    r"\"[^\"\n]*\"|(?<!\w)'[^'\n]*(?:(?<=\w)'(?=\w)[^'\n]*)*'(?!\w)"
    r"|\b(?:message|question|text): .*",
    re.IGNORECASE | re.DOTALL,
)


def asks_for(pattern: str, request: str) -> bool:
    """Whether a clause of the request holds the pattern, and neither asks, denies nor tells it.

    Args:
        pattern: a regular expression, searched for in small or capital letters.
        request: the user's words.
    """
    wanted = re.compile(pattern, re.IGNORECASE)
    return any(_orders(wanted, each) for each in _CLAUSE.split(_QUOTED.sub("''", request)) if each)


def _orders(wanted: re.Pattern[str], clause: str) -> bool:
    """Whether a clause holds the pattern before any word that makes it a question or a denial."""
    doubtful = _ASKS_OR_DENIES.search(clause)
    end = doubtful.start() if doubtful else len(clause)
    for found in wanted.finditer(clause):
        start = found.start()
        if start > end:
            break
        if not _TELLS.search(clause[max(0, start - 40) : start]):
            return True
    return False
