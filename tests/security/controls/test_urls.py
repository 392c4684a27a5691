"""The URL guard, against spellings of forbidden addresses and against real servers on loopback."""

import asyncio
import datetime
import gzip
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from helpers.security.controls.fetching import CONNECT_SECONDS, FetchFailed, Page, fetch
from helpers.security.controls.networks import is_public
from helpers.security.controls.urls import UnsafeUrl, UrlGuard, system_resolver

PUBLIC = "93.184.215.14"
PARTNER = "docs.partner.example"


class Names:
    """A stub resolver: each name's answers, one after the other, the last one for good."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise OSError("no such name")
        left = self.answers[host]
        return left.pop(0) if len(left) > 1 else left[0]


def names() -> Names:
    return Names(
        docs_partner_example=[[PUBLIC]],
        inside_evil_example=[["10.0.0.7"]],
        both_evil_example=[[PUBLIC, "127.0.0.1"]],
        mapped_evil_example=[["::ffff:169.254.169.254"]],
        nothing_example=[[]],
    )


def guard(*hosts: str, resolve: Names | None = None) -> UrlGuard:
    return UrlGuard(hosts=hosts or None, resolve=resolve or names())


# --- the decision --------------------------------------------------------------------------------


def test_a_public_page_over_https_is_allowed() -> None:
    target = guard(PARTNER).check(f"https://{PARTNER}/care?page=2")
    assert (target.host, target.port, target.addresses) == (PARTNER, 443, (PUBLIC,))


@pytest.mark.parametrize("url", ["https://DOCS.Partner.example/", f"https://{PARTNER}./"])
def test_spellings_of_an_allowed_host_are_the_same_host(url: str) -> None:
    assert guard(PARTNER).check(url).host == PARTNER


def test_an_internationalised_name_is_compared_in_ascii() -> None:
    resolve = Names(**{"xn--bcher-kva_example": [[PUBLIC]]})
    allowed = UrlGuard(hosts=["xn--bcher-kva.example"], resolve=resolve)
    assert allowed.check("https://bücher.example/").host == "xn--bcher-kva.example"
    with pytest.raises(UnsafeUrl, match="not on the list"):
        allowed.check("https://bucher.example/")


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("bücher.example", "https://bücher.example/"),
        ("BÜCHER.example.", "https://xn--bcher-kva.example/"),
        ("xn--bcher-kva.example", "https://BÜCHER。example/"),
        ("Docs.Partner.example.", f"https://{PARTNER}/"),
        (PARTNER, "https://docs。partner．example/"),
        ("2606:4700::1111", "https://[2606:4700:0::1111]/"),
        ("[2606:4700:0::1111]", "https://[2606:4700::1111]/"),
        ("8.8.8.8", "https://8.8.8.8/"),
    ],
)
def test_a_listed_host_matches_in_letters_and_in_ascii(listed: str, url: str) -> None:
    resolve = Names(**{"xn--bcher-kva_example": [[PUBLIC]], "docs_partner_example": [[PUBLIC]]})
    assert UrlGuard(hosts=[listed], resolve=resolve).check(url).addresses
    with pytest.raises(UnsafeUrl, match="not on the list"):
        UrlGuard(hosts=[listed], resolve=resolve).check("https://bucher.example/")


@pytest.mark.parametrize(
    "listed",
    ["", ".", f"https://{PARTNER}", f"{PARTNER}:443", f"{PARTNER}/care", f"*.{PARTNER}", "a b",
     f"me@{PARTNER}", "0x7f.1", "ｄｏｃｓ.example", "a..b", f"{PARTNER}?x"],
)  # fmt: skip
def test_what_is_no_host_is_not_listed_in_silence(listed: str) -> None:
    with pytest.raises(ValueError, match=r"is not a host: give a name such as"):
        UrlGuard(hosts=[listed])


@pytest.mark.parametrize(
    "host",
    [
        "192.0.0.192",
        "168.63.129.16",
        "[3fff::1]",
        "[::ffff:168.63.129.16]",
        "[64:ff9b::a83f:8110]",
        "[2606:4700::1111%25eth0]",
        "127。0。0。1",
        "127．0．0．1",
        "١٢٧.0.0.1",
        "0x",
        "1.2.3.4.5",
        "example.0x7f",
        "127.0.0.08",
        "8.8.8.0x8",
        "x..",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "127.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "10.0.0.7",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "inside.evil.example",
        "both.evil.example",
        "mapped.evil.example",
        "nothing.example",
        "unknown.example",
        "localhost%00.partner.example",
        "*",
    ],
)
def test_what_leads_inside_is_refused_whatever_its_spelling(host: str) -> None:
    with pytest.raises(UnsafeUrl):
        guard().check(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"http://{PARTNER}/", "schemes"),
        ("file:///etc/passwd", "host"),
        ("gopher://docs.partner.example/", "schemes"),
        ("https:docs.partner.example", "host"),
        ("//docs.partner.example/", "schemes"),
        ("/etc/passwd", "host"),
        ("", "host"),
        (f"https://{PARTNER}:22/", "Port"),
        (f"https://{PARTNER}:0/", "Port 0 "),
        (f"https://{PARTNER}:00/", "Port 0 "),
        (f"https://{PARTNER}:-1/", "Port"),
        (f"https://{PARTNER}/\ud800", "not a URL"),
        (f"https://{PARTNER}/" + "x" * 8_000, "more than 8,000"),
        (f"https://{PARTNER}:99999/", "Port"),
        (f"https://{PARTNER}@10.0.0.7/", "user's name"),
        (f"https://10.0.0.7@{PARTNER}/", "user's name"),
        (f"https://10.0.0.7\\@{PARTNER}/", "backslash"),
        (f"https://{PARTNER}\t/", "control character"),
        (f" https://{PARTNER}/", "space"),
        ("https://[::1", "not a URL"),
        ("https://evil.example/?notes=4711", "not on the list"),
        (f"https://{PARTNER}.evil.example/", "not on the list"),
        (f"https://evil-{PARTNER}/", "not on the list"),
    ],
)
def test_the_reason_names_what_is_wrong(url: str, reason: str) -> None:
    with pytest.raises(UnsafeUrl, match=reason):
        guard(PARTNER).check(url)
    assert guard(PARTNER).refuses(url)
    assert not guard(PARTNER).refuses(f"https://{PARTNER}/")


def test_an_allowed_host_that_leads_inside_is_refused() -> None:
    with pytest.raises(UnsafeUrl, match=r"10\.0\.0\.7"):
        guard("inside.evil.example").check("https://inside.evil.example/")


def test_an_own_network_may_be_reached_and_its_neighbour_not() -> None:
    resolve = Names(docs_inside_example=[["10.1.2.3"]], pay_inside_example=[["10.1.2.17"]])
    own = UrlGuard(hosts=None, own_networks=["10.1.2.0/28"], resolve=resolve)
    assert own.check("https://docs.inside.example/").addresses == ("10.1.2.3",)
    with pytest.raises(UnsafeUrl):
        own.check("https://pay.inside.example/")


def test_an_address_that_carries_another_is_judged_by_both() -> None:
    own = UrlGuard(hosts=None, own_networks=["10.1.2.0/28"], resolve=names())
    assert own.check("https://[::ffff:10.1.2.3]/").port == 443
    assert own.check("https://[64:ff9b::8.8.8.8]/").port == 443
    assert own.refuses("https://[2606:4700::5efe:10.1.2.3]/")  # its prefix is public, and not own
    assert own.refuses("https://[::ffff:10.1.2.16]/")


def test_the_systems_resolver_gives_addresses_of_this_machine() -> None:
    assert set(system_resolver("localhost")) <= {"127.0.0.1", "::1"}


def test_public_is_not_what_python_calls_global() -> None:
    for address in ("64:ff9b::a9fe:a9fe", "::7f00:1", "fec0::1", "224.0.0.1"):
        assert ipaddress.ip_address(address).is_global
        assert not is_public(ipaddress.ip_address(address))
    # Pythons differ in whether this one is global.
    assert not is_public(ipaddress.ip_address("2002:7f00:1::"))
    for address in (PUBLIC, "2606:4700::1111", "::ffff:8.8.8.8"):
        assert is_public(ipaddress.ip_address(address))


# --- the connection ------------------------------------------------------------------------------


class Site(BaseHTTPRequestHandler):
    """Pages that behave, and pages that do not."""

    hosts: ClassVar[list[str | None]] = []
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Site.hosts.append(self.headers["Host"])
        Site.paths.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/plain")
        if self.path == "/bomb":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # the reader had enough
            self.answer()

    def answer(self) -> None:
        if self.path == "/large":
            for _ in range(100):
                self.wfile.write(b"x" * 100_000)
        elif self.path == "/bomb":
            self.wfile.write(gzip.compress(b"\0" * 10_000_000))
        elif self.path == "/drip":
            for _ in range(200):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.wfile.write(f"page {self.path}".encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[ThreadingHTTPServer]:
    Site.hosts, Site.paths = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def loopback(server: ThreadingHTTPServer, resolve: Names) -> UrlGuard:
    """A guard that takes loopback for the partner's network, so that a test can have one."""
    return UrlGuard(
        hosts=[PARTNER],
        schemes=["http"],
        ports=[server.server_port],
        own_networks=["127.0.0.1/32"],
        resolve=resolve,
    )


async def visit(server: ThreadingHTTPServer, path: str, **caps: float) -> Page:
    resolve = Names(docs_partner_example=[["127.0.0.1"]])
    url = f"http://{PARTNER}:{server.server_port}{path}"
    return await fetch(url, loopback(server, resolve), **caps)  # type: ignore[arg-type]


async def test_an_allowed_page_comes_under_its_own_name(site: ThreadingHTTPServer) -> None:
    page = await visit(site, "/care")
    assert (page.status, page.content_type, page.body) == (200, "text/plain", b"page /care")
    assert Site.hosts == [f"{PARTNER}:{site.server_port}"]


async def test_a_missing_page_is_a_page(site: ThreadingHTTPServer) -> None:
    assert (await visit(site, "/missing")).status == 404


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/redirect", "redirect"), ("/large", "larger"), ("/bomb", "compressed"), ("/drip", "longer")],
)
async def test_a_page_that_misbehaves_fails(
    site: ThreadingHTTPServer, path: str, reason: str
) -> None:
    with pytest.raises(FetchFailed, match=reason):
        await visit(site, path, most_seconds=1.0)
    assert Site.paths == [path]


async def test_a_page_of_just_the_size_comes(site: ThreadingHTTPServer) -> None:
    assert len((await visit(site, "/abc", most_bytes=9)).body) == 9
    with pytest.raises(FetchFailed, match="larger than 8"):
        await visit(site, "/abc", most_bytes=8)


async def test_rebinding_gains_nothing(site: ThreadingHTTPServer) -> None:
    resolve = Names(docs_partner_example=[["127.0.0.1"], ["10.0.0.7"]])
    page = await fetch(f"http://{PARTNER}:{site.server_port}/care", loopback(site, resolve))
    assert page.status == 200
    assert resolve.asked == [PARTNER]  # the connection did not ask again


async def test_rebinding_the_other_way_is_refused(site: ThreadingHTTPServer) -> None:
    resolve = Names(docs_partner_example=[["10.0.0.7"], ["127.0.0.1"]])
    with pytest.raises(UnsafeUrl):
        await fetch(f"http://{PARTNER}:{site.server_port}/care", loopback(site, resolve))
    assert Site.paths == []


@pytest.mark.parametrize("dead", [["127.0.0.2"], ["::1", "127.0.0.2"], ["127.0.0.2"] * 3])
async def test_the_next_address_is_tried_when_one_is_dead(
    site: ThreadingHTTPServer, dead: list[str]
) -> None:
    resolve = Names(docs_partner_example=[[*dead, "127.0.0.1"]])
    own = UrlGuard(
        hosts=[PARTNER],
        schemes=["http"],
        ports=[site.server_port],
        own_networks=["127.0.0.0/30", "::1/128"],
        resolve=resolve,
    )
    page = await fetch(f"http://{PARTNER}:{site.server_port}/care", own)
    assert page.body == b"page /care"
    assert Site.hosts == [f"{PARTNER}:{site.server_port}"]
    assert resolve.asked == [PARTNER]


async def test_an_address_that_never_answers_leaves_time_for_the_next(
    site: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A black hole is played by the transport: this machine's own addresses refuse at once."""
    tried: list[tuple[str, object]] = []
    real = httpx.AsyncHTTPTransport.handle_async_request

    async def one_is_silent(
        transport: httpx.AsyncHTTPTransport, request: httpx.Request
    ) -> httpx.Response:
        tried.append((request.url.host, request.extensions["timeout"]["connect"]))
        if request.url.host == "127.0.0.2":
            raise httpx.ConnectTimeout("no answer")
        return await real(transport, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", one_is_silent)
    resolve = Names(docs_partner_example=[["127.0.0.2", "127.0.0.1"]])
    own = UrlGuard(
        hosts=[PARTNER],
        schemes=["http"],
        ports=[site.server_port],
        own_networks=["127.0.0.0/30"],
        resolve=resolve,
    )
    assert (await fetch(f"http://{PARTNER}:{site.server_port}/care", own)).status == 200
    assert tried == [("127.0.0.2", CONNECT_SECONDS), ("127.0.0.1", None)]


async def test_an_error_after_the_connection_is_not_tried_again(site: ThreadingHTTPServer) -> None:
    resolve = Names(docs_partner_example=[["127.0.0.1", "127.0.0.1"]])
    with pytest.raises(FetchFailed, match="redirect"):
        await fetch(f"http://{PARTNER}:{site.server_port}/redirect", loopback(site, resolve))
    assert Site.paths == ["/redirect"]


async def test_a_dead_server_is_a_failure_and_not_an_empty_page(site: ThreadingHTTPServer) -> None:
    resolve = Names(docs_partner_example=[["127.0.0.1"]])
    closed = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    closed.server_close()
    with pytest.raises(FetchFailed, match="could not be fetched"):
        await fetch(f"http://{PARTNER}:{closed.server_port}/", loopback(closed, resolve))


async def test_a_proxy_of_the_environment_is_not_asked(
    site: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await visit(site, "/care")).status == 200


# --- TLS -----------------------------------------------------------------------------------------


def certificate(folder: Path, host: str) -> Path:
    """A file with a key and a certificate for this host, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "site.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize(("certified", "comes"), [(PARTNER, True), ("evil.example", False)])
async def test_the_certificate_is_that_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certified: str, comes: bool
) -> None:
    file = certificate(tmp_path, certified)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        tls = UrlGuard(
            hosts=[PARTNER],
            ports=[port],
            own_networks=["127.0.0.1/32"],
            resolve=Names(docs_partner_example=[["127.0.0.1"]]),
        )
        if comes:
            assert (await fetch(f"https://{PARTNER}:{port}/", tls)).body == b"ok"
        else:
            with pytest.raises(FetchFailed, match="certificate"):
                await fetch(f"https://{PARTNER}:{port}/", tls)
    assert asked == [PARTNER]
