"""Whether an answer may have an address: as a browser reads it, strict where readers differ."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE | re.ASCII)
# Nothing but what every parser of URLs reads alike: no user's name, no backslash, no space, two
# slashes, a host in plain letters, no port but the usual ones.
_PLAIN: Final = re.compile(
    r"(https?)://([a-z0-9.-]+)(?::(?:80|443))?(?:[/?#][^\s\\<>\x00-\x20\x7f]*)?",
    re.IGNORECASE | re.ASCII,
)
_LEFT_OUT: Final = str.maketrans("", "", "\t\r\n")
_ENDS: Final = "".join(map(chr, range(33)))


@dataclass(frozen=True)
class Allowed:
    """Where the links of an answer may lead.

    Attributes:
        hosts: over http and https, exactly these, in small letters.
        mail: e-mail addresses, in small letters.
        schemes: of the URLs.
    """

    hosts: frozenset[str]
    mail: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset({"http", "https"})

    @classmethod
    def of(cls, hosts: Collection[str], mail: Collection[str] = ()) -> "Allowed":
        """The same from any collections, in any case."""
        return cls(frozenset(map(str.lower, hosts)), frozenset(map(str.lower, mail)))

    def link(self, url: str) -> bool:
        """Whether a link or an image may have this address, its entities decoded already.

        A relative address stays on the page's own host. What a browser takes for relative follows
        the WHATWG's URL standard: tabs and line ends are left out, a backslash is a slash, and a
        scheme may come without slashes (`https:evil.example`).
        """
        read = url.strip(_ENDS).translate(_LEFT_OUT).replace("\\", "/")
        scheme = _SCHEME.match(read)
        if not scheme:
            return not read.startswith("//")
        if scheme[1].lower() == "mailto":
            return unquote(read[scheme.end() :]).lower() in self.mail
        return self.absolute(url)

    def absolute(self, url: str) -> bool:
        """Whether a URL with scheme and host names one of the hosts, and in no doubtful way."""
        plain = _PLAIN.fullmatch(url)
        return bool(plain and plain[1].lower() in self.schemes and plain[2].lower() in self.hosts)
