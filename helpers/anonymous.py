"""Take out of a text what says who a person is and where: names, folders, addresses, ids.

Standard library only, and readable by Python 3.8 (see `helpers.machine_report`).
"""

from __future__ import annotations

import contextlib
import getpass
import platform
import re
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path


def own_words(root: Path, state: Path) -> dict[str, str]:
    """What to put for each text that is this learner's alone, the longest first."""
    folders = {
        str(root / ".venv"): "<environment>",
        sys.prefix: "<environment>",
        str(state): "<state>",
        str(root): "<course>",
        tempfile.gettempdir(): "<temporary>",
        str(Path.home()): "<home>",
    }
    words = {name: "<machine>" for name in (socket.gethostname(), platform.node()) if name}
    with contextlib.suppress(OSError, KeyError, ImportError):  # a container's may have no name
        words[getpass.getuser()] = "<user>"
    words.setdefault(Path.home().name, "<user>")
    # A name of one letter says nothing of a person, and would hide what is asked.
    named = {word: put for word, put in words.items() if len(word) > 1}
    every = {**named, **{path: put for path, put in folders.items() if len(path) > 3}}
    return dict(sorted(every.items(), key=lambda pair: -len(pair[0])))


_ADDRESSES = (
    (r"\b[a-zA-Z][\w+.-]*://\S+", "<address>"),
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<address>"),
    (r"\b(?!127\.0\.0\.1\b)\d{1,3}(?:\.\d{1,3}){3}\b", "<address>"),
    (r"\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\b", "<address>"),
    (r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?![\w:])", "<address>"),
)
# In quotes a path may hold blanks, elsewhere it ends at one; <course>/x is a course's own.
_PATHS = (
    (r"(?<=')(?:[A-Za-z]:[\\/]|\\\\|/|~)[^']*(?=')", "<folder>"),
    (r'(?<=")(?:[A-Za-z]:[\\/]|\\\\|/|~)[^"]*(?=")', "<folder>"),
    (r"(?<![\w>.<)/\\])(?:[A-Za-z]:[\\/]|\\\\|/|~[\w/\\])[^\s,;'\")]+", "<folder>"),
)


def without_personal(text: str, own: Mapping[str, str]) -> str:
    """A text without folders, addresses, and the names of `own` (what to put for each)."""
    for pattern, put in _ADDRESSES:
        text = re.sub(pattern, put, text)
    for word, put in own.items():
        # Windows writes one folder with either slash, doubled or not, in either case.
        either = r"[\\/]+".join(map(re.escape, re.split(r"[\\/]", word)))
        text = re.sub(rf"(?<!\w){either}(?!\w)", put, text, flags=re.IGNORECASE)
    for pattern, put in _PATHS:
        text = re.sub(pattern, put, text)
    return text
