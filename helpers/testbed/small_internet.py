"""A small internet: names, two sites on loopback, and a client that is told where to connect.

    with network() as sites:
        guard = UrlGuard(hosts=[DOCS], resolve=sites.resolve)      # of `helpers.security`
        response = await sites.get(guard.check(f"https://{DOCS}/care"))

On this machine a server on loopback plays the partner's public address. A second server plays what
is inside the shop's network: it gives its keys to everyone who asks, as a cloud's metadata service
does. TLS is left out; addresses and names are the ones that would be judged outside.
"""

import ipaddress
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

PUBLIC: Final = "93.184.215.14"
INSIDE: Final = "127.0.0.1"
DOCS: Final = "docs.partner.example"
SHOP: Final = "www.partner.example"
ADMIN: Final = "admin.fernhill.example"
REBINDING: Final = "rebinding.example"
KEYS: Final = "payment-key=4711"
"""What the server inside gives to everyone."""

ANSWERS: Final[dict[str, Sequence[str]]] = {
    DOCS: [PUBLIC],
    SHOP: [PUBLIC],
    "evil.example": [PUBLIC],
    ADMIN: [INSIDE],
    "localhost": [INSIDE],
    "inside.evil.example": [INSIDE],
    "metadata.evil.example": ["169.254.169.254"],
    REBINDING: [PUBLIC, INSIDE],
}
"""The addresses of each name, one after the other: a rebinding name changes its mind."""

HOSTILE: Final = (
    "https://127.0.0.1/keys",
    "https://localhost/keys",
    "https://10.0.0.7/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/keys",
    "https://127.1/keys",
    "https://2130706433/keys",
    "https://0x7f000001/keys",
    "https://0177.0.0.1/keys",
    "https://0/keys",
    "https://[::ffff:7f00:1]/keys",
    "https://[64:ff9b::a9fe:a9fe]/latest/meta-data/",
    f"https://{DOCS}@0x7f.1/keys",
    "https://inside.evil.example/keys",
    "https://metadata.evil.example/latest/meta-data/",
    "https://evil.example/?seen=FH-10742",
)
"""What no tool may fetch: the inside in many spellings, and a page that learns from its address."""

PAGES: Final[dict[str, str]] = {
    f"{DOCS}/care": "Wash it at 30 degrees.",
    f"{DOCS}/guides/care": "Wash it at 30 degrees.",
    f"{SHOP}/care": "Wash it at 30 degrees.",
    f"{REBINDING}/care": "Wash it at 30 degrees.",
}
REDIRECTS: Final[dict[str, str]] = {
    f"{DOCS}/old": "/care",
    f"{DOCS}/guides/old": "care",
    f"{DOCS}/moved": f"https://{SHOP}/care",
    f"{DOCS}/three": "/two",
    f"{DOCS}/two": "/one",
    f"{DOCS}/one": "/care",
    f"{DOCS}/four": "/three",
    f"{DOCS}/round": "/round",
    f"{DOCS}/trap": f"https://{ADMIN}/keys",
    f"{DOCS}/number": "https://127.0.0.1/keys",
    f"{DOCS}/late": "/trap",
}


class Judged(Protocol):
    """A URL and the addresses that may be asked for it, such as the `Target` of a `UrlGuard`."""

    @property
    def url(self) -> httpx.URL:
        """The URL."""
        ...

    @property
    def addresses(self) -> Sequence[str]:
        """Where to connect; the first one is asked."""
        ...


@dataclass
class Network:
    """The names and the two servers, and what was asked for.

    Attributes:
        outside_port: where the server that plays every public address listens on loopback.
        inside_port: where the server inside does.
        visited: host and path of each request that has reached a server.
        resolved: each name whose address was asked for.
    """

    outside_port: int
    inside_port: int
    visited: list[str]
    resolved: list[str] = field(default_factory=list)

    def resolve(self, host: str) -> Sequence[str]:
        """The address that this name has now; an address is its own."""
        if _is_address(host):
            return [host]
        if host not in ANSWERS:
            raise OSError("no such name")
        before = self.resolved.count(host)
        self.resolved.append(host)
        return [ANSWERS[host][min(before, len(ANSWERS[host]) - 1)]]

    async def get(self, target: Judged) -> httpx.Response:
        """One request to the address in the target, which is not resolved again; no redirect."""
        return await self._ask(target.url, target.addresses[0])

    async def get_by_name(self, url: str) -> httpx.Response:
        """One request by a client that knows no guard: it resolves the name by itself."""
        parsed = httpx.URL(url)
        return await self._ask(parsed, self.resolve(parsed.host)[0])

    async def _ask(self, url: httpx.URL, address: str) -> httpx.Response:
        port = self.inside_port if address.startswith("127.") else self.outside_port
        local = url.copy_with(scheme="http", host=INSIDE, port=port)
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(local, headers={"Host": url.host})


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@contextmanager
def network() -> Iterator[Network]:
    """The two servers, running; they are stopped at the end, also after an error."""
    visited: list[str] = []
    with _serving(_outside(visited)) as outside, _serving(_inside(visited)) as inside:
        yield Network(outside, inside, visited)


@contextmanager
def _serving(site: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer((INSIDE, 0), site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Site(BaseHTTPRequestHandler):
    def place(self) -> str:
        return f"{(self.headers['Host'] or '').partition(':')[0]}{urlsplit(self.path).path}"

    def say(self, status: int, body: str, location: str | None = None) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a notebook shows what it prints itself."""


def _outside(visited: list[str]) -> type[_Site]:
    class Outside(_Site):
        def do_GET(self) -> None:
            visited.append(self.place())
            if self.place() in REDIRECTS:
                self.say(302, "", REDIRECTS[self.place()])
            else:
                page = PAGES.get(self.place())
                self.say(200 if page else 404, page or "There is no such page.")

    return Outside


def _inside(visited: list[str]) -> type[_Site]:
    class Inside(_Site):
        def do_GET(self) -> None:
            visited.append(f"inside: {self.place()}")
            self.say(200, KEYS)

    return Inside
