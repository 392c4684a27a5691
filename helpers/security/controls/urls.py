"""Which URLs the service may fetch for somebody: the guard against request forgery.

A tool that fetches a URL fetches it from inside your network, where other rules hold: the cloud's
metadata service, the database's admin page and every loopback port answer without a password
(server-side request forgery, CWE-918; OWASP Top 10 2021, A10). A list of forbidden words loses,
since one address has dozens of spellings and every name can point to it. The guard therefore looks
at what will be connected to: it resolves the name once, judges every address that came, and hands
out the address for the connection (`helpers.security.controls.fetching`), so that a name which
resolves differently the second time (DNS rebinding) gains nothing.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from helpers.security.controls.networks import Address, Network, is_public, leads_to

Resolver = Callable[[str], Sequence[str]]
"""From a host name to its addresses, as texts. Raises `OSError` when there are none."""

_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_MOST_NAME: Final = 253
"""Signs of a host name, as in DNS."""
_MOST_URL: Final = 8_000
"""Signs of a URL: as many as servers have to take (RFC 9110, 4.1)."""
# A host whose last part is a number is an IPv4 address in one of its spellings, for browsers and
# operating systems (https://url.spec.whatwg.org/#ends-in-a-number-checker).
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SPACES_AND_BACKSLASHES: Final = re.compile(r"[\s\\\x00-\x1f\x7f]")


class UnsafeUrl(ValueError):  # noqa: N818 - it reads as what it is
    """The guard lets nobody fetch this; the message is the reason, fit for a log and a model."""


@dataclass(frozen=True)
class Target:
    """A URL that may be fetched, and where to connect for it.

    Attributes:
        url: as it will be requested.
        host: its host in lower case, internationalised names in ASCII, without a final dot.
        port: the port to connect to.
        addresses: every address of the host, all judged; connect to one of these and do not
            resolve the name again.
    """

    url: httpx.URL
    host: str
    port: int
    addresses: tuple[str, ...]


def system_resolver(host: str) -> list[str]:
    """The addresses that this machine would connect to, in its order of preference."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class UrlGuard:
    """Decides whether a URL may be fetched."""

    def __init__(
        self,
        *,
        hosts: Collection[str] | None,
        schemes: Collection[str] = ("https",),
        ports: Collection[int] = (443,),
        own_networks: Collection[str] = (),
        resolve: Resolver = system_resolver,
    ) -> None:
        """Make a guard.

        Args:
            hosts: the only hosts that may be fetched, exactly, international names in letters or in
                ASCII; None allows every public one. A public host can be the attacker's, to whom
                the URL itself carries data out.
            schemes: "https", and "http" where you must.
            ports: the ports that may be asked for.
            own_networks: networks such as "10.1.2.0/28" that may be reached although they are not
                public.
            resolve: how names become addresses.

        Raises:
            ValueError: a host of the list is none, or a network is none.
        """
        self._hosts = None if hosts is None else frozenset(map(_listed, hosts))
        self._schemes, self._ports = frozenset(schemes), frozenset(ports)
        self._own: list[Network] = [ipaddress.ip_network(network) for network in own_networks]
        self._resolve = resolve

    def check(self, url: str) -> Target:
        """The target of a URL that may be fetched; resolves its name, so it may wait for DNS.

        Raises:
            UnsafeUrl: it may not, or nobody can say where it leads.
        """
        parsed = _parsed(url)
        host = _host(parsed)
        # Port 0 is a port that was asked for, and none that anyone may have.
        port = _PORTS.get(parsed.scheme, 0) if parsed.port is None else parsed.port
        if parsed.scheme not in self._schemes:
            raise UnsafeUrl(f"{parsed.scheme!r} is not among the schemes {sorted(self._schemes)}.")
        if port not in self._ports:
            raise UnsafeUrl(f"Port {port} is not among {sorted(self._ports)}.")
        if self._hosts is not None and host not in self._hosts:
            raise UnsafeUrl(f"The host {host!r} is not on the list of allowed hosts.")
        addresses = self._addresses(host)
        for address in addresses:
            if not self._may_reach(address):
                raise UnsafeUrl(f"{host!r} leads to {address}, which is not a public address.")
        return Target(parsed, host, port, tuple(map(str, addresses)))

    def refuses(self, url: str) -> bool:
        """Whether `check` would raise."""
        try:
            self.check(url)
        except UnsafeUrl:
            return True
        return False

    def _addresses(self, host: str) -> list[Address]:
        literal = _literal(host)
        if literal is not None:
            return [literal]
        if len(host) > _MOST_NAME or not _NAME.fullmatch(host):
            raise UnsafeUrl(f"{host!r} is not a host name.")
        try:
            found = [ipaddress.ip_address(address) for address in self._resolve(host)]
        except (OSError, ValueError) as error:
            raise UnsafeUrl(f"The host {host!r} could not be resolved: {error}") from error
        if not found:
            raise UnsafeUrl(f"The host {host!r} has no address.")
        return found

    def _may_reach(self, address: Address) -> bool:
        if is_public(address):
            return True
        return all(any(each in network for network in self._own) for each in leads_to(address))


def _parsed(url: str) -> httpx.URL:
    """The URL, read once by the parser of the client that will fetch it.

    What parsers are known to disagree on is refused: a guard that reads another host than the
    client connects to guards nothing.
    """
    if len(url) > _MOST_URL:
        raise UnsafeUrl(f"The URL has more than {_MOST_URL:,} characters.")
    if _SPACES_AND_BACKSLASHES.search(url):
        raise UnsafeUrl("The URL holds a space, a control character or a backslash.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UnsafeUrl(f"This is not a URL: {error}") from error
    if parsed.userinfo:
        raise UnsafeUrl("The URL holds a user's name, which is often there to look like a host.")
    return parsed


def _host(url: httpx.URL) -> str:
    """The host in lower case and ASCII, without a final dot; an IPv6 address in its short form."""
    host = url.raw_host.decode("ascii").lower().removesuffix(".")
    if not host:
        raise UnsafeUrl("The URL names no host: write it as https://host/path.")
    return str(ipaddress.IPv6Address(host)) if ":" in host else host


def _listed(host: str) -> str:
    """A host of the list of allowed ones, as `_host` gives the hosts of URLs.

    Raises:
        ValueError: it is no host; the message says what to write.
    """
    text = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    try:
        parsed = _parsed(f"https://{text}:1/")
        found = _host(parsed)
        alone = str(parsed.copy_with(host="x")) == "https://x:1/"
        if alone and (_literal(found) or _NAME.fullmatch(found)):
            return found
    except UnsafeUrl:
        pass
    raise ValueError(
        f"{host!r} is not a host: give a name such as 'docs.partner.example', without scheme, port,"
        " path and wildcards."
    )


def _literal(host: str) -> Address | None:
    """The address that a host spells out, or None for a name.

    Raises:
        UnsafeUrl: an IPv4 address in a spelling that only attackers use (octal, hexadecimal, one
            decimal number, fewer than four parts), which operating systems accept all the same.
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise UnsafeUrl(f"{host!r} is an address in an unusual spelling: use four decimal numbers.")
    return None
