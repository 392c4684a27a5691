"""Fetching a URL that somebody else chose: pinned to the address that the guard judged, and small.

The name is resolved once, by the guard; the connection goes to one of the addresses that it judged,
in order until one answers, while the Host header and the certificate are still those of the name.
No redirect is followed, no proxy of the
environment is used (it would resolve the name itself), no cookie or password is sent along, and
both the size and the time of the whole answer have a cap.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import httpx

from helpers.security.controls.urls import Target, UrlGuard

MOST_BYTES: Final = 1_000_000
MOST_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 1.0
"""How long an address may take to answer when the name has another one left to try."""


class FetchFailed(RuntimeError):  # noqa: N818 - it reads as what it is
    """The page was allowed and did not come; the message says why."""


@dataclass(frozen=True)
class Page:
    """What came.

    Attributes:
        url: where it was fetched.
        status: the HTTP status.
        content_type: the header of that name, "" without one.
        body: its bytes, at most as many as were allowed.
    """

    url: str
    status: int
    content_type: str
    body: bytes


class PinnedTransport(httpx.AsyncBaseTransport):
    """Asks the guard about each request, and connects to the addresses that the guard has judged.

    They are tried in the resolver's order until one accepts a connection: a name whose first
    address is unreachable from here (IPv6 without a route, a machine that is down) still works.
    What fails after that is not tried again elsewhere, since the request may have had an effect.
    """

    def __init__(self, guard: UrlGuard) -> None:
        """Make a transport for an `httpx.AsyncClient`; `guard` decides."""
        # A connection is never used again: connections are kept by address, and two names at one
        # address, each with a certificate of its own, must not share one.
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        self._guard = guard

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, a redirect's included.

        Raises:
            UnsafeUrl: the guard refuses.
            httpx.ConnectError: no address accepts a connection; the error is the last one's.
        """
        target = await asyncio.to_thread(self._guard.check, str(request.url))
        *others, last = target.addresses
        for address in others:
            # A first address that never answers must not use up the time of the next.
            timeout = {**request.extensions.get("timeout", {}), "connect": CONNECT_SECONDS}
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._inner.handle_async_request(
                    _pinned(request, target, address, timeout=timeout)
                )
        return await self._inner.handle_async_request(_pinned(request, target, last))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()


def _pinned(
    request: httpx.Request, target: Target, address: str, **extensions: object
) -> httpx.Request:
    """The same request, sent to an address, and with a certificate of the target's host."""
    return httpx.Request(
        request.method,
        target.url.copy_with(host=address),
        headers=request.headers,  # its Host header already names the host
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": target.host, **extensions},
    )


async def fetch(
    url: str,
    guard: UrlGuard,
    *,
    most_bytes: int = MOST_BYTES,
    most_seconds: float = MOST_SECONDS,
) -> Page:
    """Fetch a page, under a guard and under caps.

    Args:
        url: what somebody asked for.
        guard: which URLs may be fetched.
        most_bytes: of the body. It is asked for uncompressed, and refused otherwise, since a
            megabyte of compressed zeros unpacks to a gigabyte.
        most_seconds: for all of it, from the name to the last byte, however slowly it drips.

    Raises:
        UnsafeUrl: the guard refuses.
        FetchFailed: a redirect, too large, too slow, compressed, or no connection.
    """
    try:
        async with asyncio.timeout(most_seconds):
            return await _fetch(url, guard, most_bytes)
    except TimeoutError:
        raise FetchFailed(f"The page took longer than {most_seconds:g} seconds.") from None
    except httpx.HTTPError as error:
        raise FetchFailed(f"The page could not be fetched: {error!r}") from error


async def _fetch(url: str, guard: UrlGuard, most_bytes: int) -> Page:
    client = httpx.AsyncClient(
        transport=PinnedTransport(guard),
        follow_redirects=False,
        trust_env=False,
        timeout=None,  # the time of the whole is limited, not that of each step
        headers={"Accept-Encoding": "identity"},
    )
    async with client, client.stream("GET", url) as response:
        if response.is_redirect:
            raise FetchFailed(f"The page answers with a redirect ({response.status_code}).")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise FetchFailed("The page came compressed although it was asked for as it is.")
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > most_bytes:
                raise FetchFailed(f"The page is larger than {most_bytes:,} bytes.")
        content_type = response.headers.get("Content-Type", "")
        return Page(url, response.status_code, content_type, bytes(body))
