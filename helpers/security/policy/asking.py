"""Whether a request asks for something: a word for it, in a clause that neither asks nor denies.

"When do you refund me?" and "I do not want a refund" have the word and give no leave. This is a
guess at grammar, made of a few words of English: a paraphrase without the word is refused, and a
question that begins politely ("Can I return it?") counts as a request. It bounds what a hijacked
agent may do; it does not understand a customer.
"""

import re
from typing import Final

_CLAUSE: Final = re.compile(r"[.?!;,:\n]+|\band\s+(?=please\b|then\b|also\b)", re.IGNORECASE)
_ASKS_OR_DENIES: Final = re.compile(
    r"\b(?:how|when|where|why|what|which|until|whether|if|not|never|no|without|dont)\b|n['’]t\b",
    re.IGNORECASE,
)


def asks_for(pattern: str, request: str) -> bool:
    """Whether a clause of the request holds the pattern with no question or denial before it.

    Args:
        pattern: a regular expression, searched for in small or capital letters.
        request: the user's words.
    """
    wanted = re.compile(pattern, re.IGNORECASE)
    for clause in _CLAUSE.split(request):
        found = wanted.search(clause)
        if found and not _ASKS_OR_DENIES.search(clause[: found.start()]):
            return True
    return False
