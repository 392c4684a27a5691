# Written by `course build` from solutions/src/09_trace_with_langsmith.py: change it there.
# The exercise's own cell.
import hmac
import re
from collections.abc import Callable
from typing import Any

Rule = tuple[str, re.Pattern[str], str]


def make_hook(key: bytes, rules: list[Rule]) -> Callable[[Any], Any]:
    """A hook for `Client(anonymizer=...)`: personal texts become pseudonyms."""
    if len(key) < 16:
        raise ValueError(f"the key has {len(key)} bytes; give 16 or more")

    def pseudonym(kind, found, ignored):
        plain = "".join(letter for letter in found.casefold() if letter not in ignored)
        return f"[{kind} {hmac.new(key, plain.encode(), 'sha256').hexdigest()[:12]}]"

    def hook(data):
        if isinstance(data, str):
            for kind, pattern, ignored in rules:
                data = pattern.sub(lambda match: pseudonym(kind, match[0], ignored), data)
            return data
        if isinstance(data, dict):
            return {hook(name): hook(value) for name, value in data.items()}
        if isinstance(data, (list, tuple)):
            return type(data)(hook(value) for value in data)
        return data

    return hook
ANSWER = make_hook
