"""Links, e-mail addresses, network addresses and account numbers in free words, in every spelling.

A policy lets free words pass and stops at what a reader could follow, so it has to read an address
as a browser, a mail client or a bank's form would: `evil[.]example`, `evil。example` and
`DE89 3704 0044 0532 0130 00` are addresses. The text is brought to one spelling first, then one
pattern finds what it holds.

What stays open: an address in plain words ("evil dot example", "ada at home"), one that is broken
over lines or spaced out letter by letter, one whose last label and full stop are both of another
script (in Chinese that is the end of a sentence), short forms of IPv4 without a scheme (`127.1/x`),
host names of one label but `localhost`, telephone numbers, sort codes, wallets of crypto
currencies, and letters that only look alike (such an address is found, as the other address that
it is).
"""

import html
import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

# What a renderer does not show: format characters (category Cf), and these of other categories,
# after Unicode's Default_Ignorable_Code_Point.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
# UTS 46 reads U+3002, U+FF0E and U+FF61 as dots in a host name; the others only look like stops.
# Behind one of them an ASCII label must follow: without that it ends a sentence.
_STOPS: Final = re.compile(
    r"(?<=\w)[\u3002\u06d4\u0701\u0702\u0589\u0964\u1362\u166e\u1803\ua4f8](?=[a-z0-9])",
    re.IGNORECASE,
)
_DEFANGED_DOT: Final = re.compile(
    r"(?<=\w)\s?[\[({<]\s?(?:\.|dot)\s?[\])}>]\s?(?=\w)|(?<=\w)\\\.(?=\w)", re.IGNORECASE
)
_DEFANGED_AT: Final = re.compile(r"(?<=\w)\s?[\[({<]\s?(?:@|at)\s?[\])}>]\s?(?=\w)", re.IGNORECASE)
_DEFANGED_COLON: Final = re.compile(r"\[(:|://)\]|\((:|://)\)")
_DEFANGED_HTTP: Final = re.compile(r"\bh(?:xx|\*\*|tt)p(s?)(?=\s?:)", re.IGNORECASE)
_PERCENT: Final = re.compile(r"%(2e|40|3a|2f)", re.IGNORECASE)
_PERCENT_MEANS: Final = {"2e": ".", "40": "@", "3a": ":", "2f": "/"}

_BEHIND: Final = r"(?::\d{1,5}(?!\d))?(?:[:/?#\\][^\s\"'<>)]*)?"
"""A port and a path, a query or a fragment: all of it is what a reader would send."""
# Each alternative begins where a word begins, or the search would take a time that grows with the
# square of a long word, and an attacker writes the words.
_ADDRESS: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+\w{2,}"  # an e-mail address
    r"|\b[a-z][a-z0-9+.-]{1,20}://\S+"  # a link with its scheme
    r"|\b(?:mailto|tel|sms|callto|skype|javascript|vbscript|data|file|blob|magnet|intent):[^\s:]\S*"
    rf"|(?<![\w.])(?P<four>(?:\d{{1,3}}\.){{3}}\d{{1,3}})(?![\w.]*\d){_BEHIND}"
    rf"|\[(?P<six>[0-9a-f:.]{{2,45}})\]{_BEHIND}"
    r"|(?<![\w:.])(?P<bare>(?=[0-9a-f:]*\d)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8})(?![\w:])(?:/\S*)?"
    rf"|(?<![\w.-])localhost\b(?:(?=[:/]){_BEHIND})"
    rf"|(?<![\w.-])(?:[\w-]+\.)+(?:xn--[\w-]+|[^\W\d_]{{2,}})\b{_BEHIND}"  # a link without
    r"|\b[A-Z]{2}\d{2}[A-Z0-9]{8,30}\b",  # an account number (IBAN) in one piece
    re.IGNORECASE,
)

_GAP: Final = r"[\s.\-_/\u2010-\u2015]"
# In a look-ahead, so that one candidate does not hide another that begins inside it; at most 34
# pieces, so that the search stays linear.
_IN_GROUPS: Final = re.compile(
    rf"(?<![a-z0-9])(?=([a-z]{{2}}{_GAP}?\d{_GAP}?\d[a-z0-9]{{0,30}}"
    rf"(?:{_GAP}{{1,2}}[a-z0-9]{{1,30}}){{1,34}}))",
    re.IGNORECASE,
)
_PIECE: Final = re.compile(r"[a-z0-9]+", re.IGNORECASE)
_LONGEST, _FEWEST_DIGITS, _SHORTEST = 34, 8, 12

_REGISTRY: Final = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28
EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26
IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28
NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25
SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
_LENGTHS: Final = {entry[:2]: int(entry[2:]) for entry in _REGISTRY.split()}
"""How long the account numbers of a country are (SWIFT's IBAN registry, release 99)."""


def addresses(text: str) -> list[str]:
    """The links, e-mail and network addresses and account numbers that stand in a text.

    Each in one spelling (see `one_spelling`), account numbers without gaps, in their order.
    """
    plain = one_spelling(text)
    found: list[tuple[int, str]] = []
    hidden = list(plain)
    for start, end, account in _grouped_accounts(plain):
        found.append((start, account))
        hidden[start:end] = " " * (end - start)
    for match in _ADDRESS.finditer("".join(hidden)):
        if _is_network(match):
            found.append((match.start(), _trimmed(match[0])))
    return [address for _, address in sorted(found, key=lambda each: each[0])]


def one_spelling(text: str) -> str:
    """The text as a browser or a mail client reads the addresses in it.

    Entities and the per cent codes of the marks in an address are decoded, what cannot be seen is
    left out, compatibility forms of letters and stops become plain ones (NFKC), and the ways to
    write an address so that nobody clicks it are undone.
    """
    decoded = _PERCENT.sub(lambda code: _PERCENT_MEANS[code[1].lower()], html.unescape(text))
    seen = "".join(each for each in decoded if unicodedata.category(each) != "Cf")
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", seen))
    plain = _STOPS.sub(".", plain)
    plain = _DEFANGED_COLON.sub(lambda colon: colon[1] or colon[2], plain)
    plain = _DEFANGED_HTTP.sub(r"http\1", plain)
    return _DEFANGED_AT.sub("@", _DEFANGED_DOT.sub(".", plain))


def _grouped_accounts(text: str) -> Iterator[tuple[int, int, str]]:
    """Account numbers written in groups: where each begins and ends, and itself without gaps."""
    behind = 0
    for candidate in _IN_GROUPS.finditer(text):
        start = candidate.start()
        if start < behind:
            continue
        length = _taken(candidate[1])
        if length:
            behind = start + length
            yield start, behind, "".join(_PIECE.findall(text[start:behind]))


def _taken(candidate: str) -> int:
    """How many characters of a candidate are its account number; 0 when it is none.

    A country's own length decides; where that is not met or not known, the number goes on as long
    as its groups hold a digit.
    """
    pieces = list(_PIECE.finditer(candidate))
    wanted = _LENGTHS.get("".join(piece[0] for piece in pieces)[:2].upper())
    length, digits, end = 0, 0, 0
    for place, piece in enumerate(pieces):
        length += len(piece[0])
        if length == wanted:
            return piece.end() if place else 0
        if length > (wanted or _LONGEST):
            break
    length = 0
    for place, piece in enumerate(pieces):
        is_country = place == 0 and len(piece[0]) == 2
        if length + len(piece[0]) > _LONGEST or not (is_country or re.search(r"\d", piece[0])):
            break
        length, end = length + len(piece[0]), piece.end()
        digits += sum(each.isdigit() for each in piece[0])
    return end if length >= _SHORTEST and digits >= _FEWEST_DIGITS and end > length else 0


def _is_network(match: re.Match[str]) -> bool:
    """Whether a match that looks like a network address is one; True for all others."""
    number = match["four"] or match["six"] or match["bare"]
    if number is None:
        return True
    try:
        ipaddress.ip_address(number)
    except ValueError:
        # Leading zeros are read by some clients, as octal or decimal numbers.
        return bool(match["four"]) and all(int(part) < 256 for part in number.split("."))
    return True


def _trimmed(address: str) -> str:
    return address.rstrip(".,;:!?)]}>\"'*_").removeprefix("mailto:")
