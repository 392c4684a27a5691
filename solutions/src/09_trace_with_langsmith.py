# %% [markdown] name="title" only="lab"
# # Lab 09: Trace with LangSmith
#
# **75 minutes. Before it:** the walkthrough
# [09 Trace with LangSmith](../notebooks/09_trace_with_langsmith.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. The exercises do not
# depend on each other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 09: Trace with LangSmith
#
# All exercises solved, and why. The lab itself:
# [labs/09_trace_with_langsmith.ipynb](../labs/09_trace_with_langsmith.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="redact-goal"
# ## 5. Redact with keyed pseudonyms
#
# If every address becomes `[email]`, nobody can say whether ten complaints come from ten customers
# or from one. Write `make_hook(key, rules)`. It returns a hook for `Client(anonymizer=...)`: a
# function that returns its data with each personal text replaced by a pseudonym, which nobody can
# make without the key.
#
# These are the rules for the shop. The check uses others, too:

# %% name="redact-rules"
import re

RULES = [  # kind, pattern, and characters of a match that do not count
    ("email", re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"), ""),
    ("card", re.compile(r"(?<![\w-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-])"), " -"),
    ("phone", re.compile(r"(?<![\w+-])\(?0\d{4}\)?[ -]?\d{3}[ -]?\d{3}(?![\w-])"), " -()"),
]

# %% [markdown] name="redact-task"
# - `key` is `bytes`. If it has fewer than 16, `make_hook` raises `ValueError`.
# - `rules` is a list of tuples `(kind, pattern, ignored)`: the kind's name, an `re.Pattern`, and a
#   text with characters that do not count. They are applied in this order, each to the text that
#   the one before has left. No pattern matches an empty text, or anything inside a pseudonym.
# - **Pseudonym.** Each match becomes `[kind code]`. The code is the HMAC of the match's plain form,
#   encoded as UTF-8, with SHA-256 and the key: its first 12 hexadecimal digits, in lower case.
# - **Plain form.** The match after `str.casefold`, without the characters in `ignored`. So
#   `(01632) 960-123` and `01632960123` get the same code.
# - **Data** are nested to any depth. In dictionaries, keys and values are replaced; if two keys
#   become equal, the value of the last one stays. A list stays a list, and a tuple stays a tuple.
#   Anything that is not a text, dictionary, list or tuple is returned as it is, in keys, too: the
#   number `1632960123` is not a text.
# - The hook is a plain function. It does not change the data that it gets, and keeps nothing
#   between calls. Several hooks with other keys and rules may be in use at the same time.
#
# For instance, with the hook `make_hook(b"sixteen bytes or more", RULES)`:
#
#     hook({"text": "Ring 01632 960123!"})    # {"text": "Ring [phone 585c9f9627fa]!"}

# %% exercise="09.5"
import hmac
import re
from collections.abc import Callable
from typing import Any

Rule = tuple[str, re.Pattern[str], str]


def make_hook(key: bytes, rules: list[Rule]) -> Callable[[Any], Any]:
    """A hook for `Client(anonymizer=...)`: personal texts become pseudonyms."""
    # LAB: return TODO
    # BEGIN SOLUTION
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
    # END SOLUTION

# %%
check("09.5", make_hook)
