"""Addresses in the words of a text: what a person could click on or type, wherever it stands.

A text is read as a page would show it: entities decoded, Markdown's backslashes gone,
compatibility forms as plain letters, nothing invisible, and `evil[.]example` as what it means.
Places are given in the text as it was, so that what is taken out leaves the rest as it is.

What is an address and what is a word: no list of all top-level domains is at hand offline, so a
dotted word counts as a host when it begins with `www.`, when a path, a query, a fragment or a port
follows, or when it ends in one of `SUFFIXES`; its last part has letters alone (or begins with
`xn--`). So `3.5 kg`, `e.g.`, `10.30pm`, `file.txt` and `Node.js` are words, and `Node.js/docs` is
an address.

Open: a host that ends in another suffix and has no path (`evil.it`, since `.it` also begins a
sentence after a missing space), addresses in words ("evil dot example slash login"), with spaces
between, as a picture of characters, telephone numbers, and names to search for.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from helpers.security.controls.links import Allowed

# fmt: off
SUFFIXES: Final = frozenset({
    "example", "test", "com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "name",
    "io", "ai", "co", "dev", "app", "xyz", "top", "site", "online", "shop", "store", "club",
    "link", "click", "live", "page", "blog", "cloud", "uk", "eu", "de", "fr", "nl", "es", "pl",
    "ru", "cn", "jp", "kr", "br", "au", "ca", "ch", "ie", "se", "dk", "fi", "cz", "gr", "pt", "tk",
    "ml", "ga", "cf", "gq", "cc", "ws", "tv", "onion",
})
"""Top-level domains that make a dotted word a host; those that are English words are left out, or
count in small letters and in capitals alone: `light.Top` is two sentences."""
# fmt: on

_BODY: Final = r'[^\s<>"`|\[\]]'
_START: Final = re.compile(
    rf"""
    (?P<mail>(?<![\w.+%-])(?:mailto:)?[\w.+%-]+@(?P<at>(?:[\w-]{{1,63}}\.)+[\w-]{{2,63}})
        (?:\?{_BODY}*)?)
    | (?P<url>(?<![a-z0-9])
        (?: (?:h(?:tt|xx)ps?|ftps?|wss?|javascript|vbscript):(?=[^\s<>"`|\]])
            (?:[/\\]*\[[0-9a-f:.]{{2,45}}\])?
          | data:(?=[\w.+-]{{0,40}}[/;,]) | (?:file|blob):[/\\]?(?=[\w/\\])
          | (?<![+.-])[a-z][a-z0-9+.-]{{1,30}}:[/\\]{{2}} ))
    | (?P<network>(?<![\w:/\\])[/\\]{{2,}}(?=[\w-]{{1,63}}\.\w))
    | (?P<host>(?<![\w@.-])(?:[\w-]{{1,63}}\.)+(?:xn--[a-z0-9-]{{1,59}}|[^\W\d_]{{2,63}})(?![\w-]))
        (?P<rest>\.?(?::\d|[/\\]|[?\#]\w))?
    | (?P<ip>(?<![\w.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?=:\d|[/\\]))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_END: Final = re.compile(rf"(?!{_BODY})|h(?:tt|xx)ps?:[/\\]", re.IGNORECASE)
_SHOWN_OTHERWISE: Final = re.compile(
    r"""&\#x?[0-9a-f]{1,8};? | &[a-z][a-z0-9]{1,31};
    | [\[({] \s? (?:\.|dot|@|at|:|/) \s? [\])}]
    | \\[!-/:-@\[-`{-~] | [^\x00-\x7f]""",
    re.IGNORECASE | re.VERBOSE,
)
_DEFANGED: Final = {"dot": ".", "at": "@"}
_DASH: Final = re.compile("[\u2013\u2014\u2026\u2018\u2019\u201c\u201d]")
_GOES_ON: Final = re.compile(r"[./\\:@?#]")
_CLOSING: Final = {")": "(", "}": "{"}


@dataclass(frozen=True)
class _Shown:
    """A text as a page shows it, and where each of its characters is in the source."""

    text: str
    starts: list[int]
    ends: list[int]

    def place(self, start: int, end: int) -> tuple[int, int]:
        return self.starts[start], self.ends[end - 1]


def foreign_addresses(text: str, allowed: Allowed) -> list[tuple[int, int]]:
    """The places of addresses that may not be in a text; places do not overlap, in order.

    Time grows with the length of the text.
    """
    found: list[tuple[int, int]] = []
    # A backslash before a sign vanishes where Markdown is shown, and is a slash in a URL elsewhere.
    for escapes in (True, False):
        shown = _shown(text, escapes=escapes)
        found += [shown.place(*each) for each in _foreign(shown.text, allowed)]
    apart: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _foreign(text: str, allowed: Allowed) -> Iterator[tuple[int, int]]:
    at = 0
    while found := _START.search(text, at):
        start, at = found.span()
        if found["host"] and not found["rest"]:
            if _is_host(found["host"]) and not allowed.absolute(f"https://{found['host']}"):
                yield start, at
            continue
        if found["mail"]:
            said = text[start:at].lower().removeprefix("mailto:")
            if said.rstrip("?").rstrip("-") not in allowed.mail:
                yield start, at
            continue
        end = _END.search(text, at)
        at = max(_without_punctuation(text, start, end.start() if end else len(text)), at)
        scheme = "" if found["url"] else "https:" if found["network"] else "https://"
        if not _is_allowed(scheme + text[start:at], allowed):
            yield start, at


def _is_allowed(url: str, allowed: Allowed) -> bool:
    """Whether a URL of a sentence may be there; a dash with words after it is the sentence's."""
    before, dash, after = _DASH.sub("\0", url, count=1).partition("\0")
    return allowed.absolute(url) or bool(
        dash and allowed.absolute(before) and not _GOES_ON.search(after)
    )


def _is_host(word: str) -> bool:
    last = word.rpartition(".")[2]
    known = last.lower() in SUFFIXES and not (last.istitle() and not word.istitle())
    return known or re.match(r"www\d*\.", word, re.IGNORECASE) is not None


def _without_punctuation(text: str, start: int, end: int) -> int:
    """The end of an address without the punctuation of the sentence, and without brackets that
    were opened before it (as GitHub's Markdown has it)."""
    surplus = {
        closing: text.count(closing, start, end) - text.count(opening, start, end)
        for closing, opening in _CLOSING.items()
    }
    while end > start:
        sign = text[end - 1]
        if sign in _CLOSING:
            if surplus[sign] <= 0:
                break
            surplus[sign] -= 1
        elif sign in "/#=&%-+$@" or sign.isalnum():
            break
        end -= 1
    return end


def _shown(text: str, *, escapes: bool) -> _Shown:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def add(shown: str, start: int, end: int) -> None:
        pieces.append(shown)
        starts.extend([start] * len(shown))
        ends.extend([end] * len(shown))

    def as_it_is(start: int, end: int) -> None:
        pieces.append(text[start:end])
        starts.extend(range(start, end))
        ends.extend(range(start + 1, end + 1))

    at = 0
    for found in _SHOWN_OTHERWISE.finditer(text):
        as_it_is(at, found.start())
        piece, at = found.group(), found.end()
        if piece[0] == "\\" and not escapes:
            as_it_is(found.start(), at)
        else:
            add(_decoded(piece), found.start(), at)
    as_it_is(at, len(text))
    return _Shown("".join(pieces), starts, ends)


def _decoded(piece: str) -> str:
    if piece[0] == "&":
        return "".join(map(_as_in_a_host, html.unescape(piece)))
    if piece[0] == "\\":
        return piece[1]
    if piece[0] in "[({":
        meant = piece[1:-1].strip().lower()
        return _DEFANGED.get(meant, meant)
    return _as_in_a_host(piece)


@lru_cache(maxsize=4096)
def _as_in_a_host(sign: str) -> str:
    """A character as a browser reads it in a host (UTS 46): NFKC, one full stop, none hidden."""
    if sign.isascii():
        return sign
    if unicodedata.category(sign) == "Cf" or "VARIATION SELECTOR" in unicodedata.name(sign, ""):
        return ""
    return unicodedata.normalize("NFKC", sign).replace("\u3002", ".")
