"""How many tokens a text may be, before any model has read it.

An estimate that every request can afford: counting by the model's own tokenizer would be a call to
the model. English has about four characters a token; one for every three bytes errs on the high
side for all but code and random letters, which the model's own context limit then catches.
"""

from collections.abc import Iterable

_BYTES = 3
_A_MESSAGE = 4
"""Tokens that a chat template adds to a message, about."""


def estimate(texts: Iterable[str]) -> int:
    """Tokens of these messages as a prompt, estimated on the high side."""
    return sum(_A_MESSAGE + -(-len(text.encode()) // _BYTES) for text in texts)
