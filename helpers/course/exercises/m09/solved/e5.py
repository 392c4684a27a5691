# Written by `course build` from solutions/src/09_trace_with_langsmith.py: change it there.
# The exercise's own cell.
import hmac
import re
from collections.abc import Callable
from functools import partial
from typing import Any

Rule = tuple[str, re.Pattern[str], str]


def make_hook(key: bytes, rules: list[Rule]) -> Callable[[Any], Any]:
    """A hook for `Client(anonymizer=...)`: personal texts become pseudonyms."""
    if len(key) < 16:
        raise ValueError(f"the key has {len(key)} bytes; give 16 or more")

    def pseudonym(kind, ignored, match):
        plain = "".join(letter for letter in match[0].casefold() if letter not in ignored)
        return f"[{kind} {hmac.new(key, plain.encode(), 'sha256').hexdigest()[:12]}]"

    def hook(data):
        if isinstance(data, str):
            for kind, pattern, ignored in rules:
                data = pattern.sub(partial(pseudonym, kind, ignored), data)
            return data
        if isinstance(data, dict):
            return {hook(name): hook(value) for name, value in data.items()}
        if isinstance(data, (list, tuple)):
            return type(data)(hook(value) for value in data)
        return data

    return hook
ANSWER = make_hook
