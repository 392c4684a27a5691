"""The sites of exercise 04.3: what they answer, and what a client has asked when it is done.

No server runs here: a site is a list of replies, one a request, so that each URL that is asked for
is the client's own doing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from hypothesis import strategies as st

from helpers.course.exercises.raised import lost
from helpers.course.loop import run_async
from helpers.security.controls.urls import Target, UnsafeUrl, UrlGuard

Get = Callable[[Target], Awaitable[httpx.Response]]
Follow = Callable[[str, UrlGuard, Get], Awaitable[httpx.Response]]

PUBLIC: Final = "93.184.215.14"
OTHER: Final = "151.101.1.69"
INSIDE: Final = "127.0.0.1"
DOCS: Final = "docs.partner.example"
SHOP: Final = "www.partner.example"
ADMIN: Final = "admin.partner.example"
MOVING: Final = "moving.partner.example"
REBINDING: Final = "rebinding.partner.example"

ALLOWED: Final = (DOCS, SHOP, ADMIN, MOVING, REBINDING)
ADDRESSES: Final[Mapping[str, Sequence[str]]] = {
    DOCS: [PUBLIC],
    SHOP: [OTHER],
    ADMIN: [INSIDE],
    MOVING: [PUBLIC, OTHER],
    REBINDING: [PUBLIC, INSIDE],
}
"""The address of each name the first time, the second time and so on; the last one stays."""


@dataclass(frozen=True)
class Reply:
    """What a site answers: a status, and where it redirects to; status 0: no connection."""

    status: int = 200
    location: str | None = None


@dataclass(frozen=True)
class Sites:
    """A URL to start from, and the replies to the requests, in order; after them pages."""

    start: str
    replies: tuple[Reply, ...] = ()


def redirects(start: str, *locations: str, status: int = 302) -> Sites:
    """Sites that redirect once for each location, and then have a page."""
    return Sites(start, tuple(Reply(status, location) for location in locations))


class Guard(UrlGuard):
    """The package's guard over the names here; `checked` and `given` say what it was asked."""

    def __init__(self) -> None:
        """A guard that has resolved nothing yet."""
        super().__init__(hosts=ALLOWED, resolve=self._now)
        self.checked: list[str] = []
        self.given: list[Target] = []
        self._resolved: list[str] = []

    def _now(self, host: str) -> Sequence[str]:
        if host not in ADDRESSES:
            raise OSError("no such name")
        turn = self._resolved.count(host)
        self._resolved.append(host)
        return [ADDRESSES[host][min(turn, len(ADDRESSES[host]) - 1)]]

    def check(self, url: str) -> Target:
        """The package's verdict, noted."""
        self.checked.append(str(url))
        target = super().check(url)
        self.given.append(target)
        return target


@dataclass
class Client:
    """Answers requests with the replies in turn, and notes what it was asked."""

    guard: Guard
    replies: Sequence[Reply]
    asked: list[str] = field(default_factory=list)
    responses: list[httpx.Response] = field(default_factory=list)
    sent: list[list[Any]] = field(default_factory=list)

    async def get(self, target: Target) -> httpx.Response:
        """The next reply."""
        if not isinstance(target, Target):
            raise TypeError("get takes the Target that guard.check has returned")
        known = any(target is one for one in self.guard.given)
        place = f"{target.url} at {target.addresses[0]}"
        self.asked.append(place if known else f"{place}, which guard.check has not returned")
        await asyncio.sleep(0)
        number = len(self.asked)
        reply = self.replies[number - 1] if number <= len(self.replies) else Reply()
        if reply.status == 0:
            raise httpx.ConnectError("no connection")
        connected = target.url.copy_with(host=target.addresses[0])
        response = httpx.Response(
            reply.status,
            headers={} if reply.location is None else {"Location": reply.location},
            text=f"reply {number}",
            request=httpx.Request("GET", connected),
        )
        self.responses.append(response)
        self.sent.append(_looked_at(response))
        return response


def browsing(follow: Follow) -> Callable[[Sites], Awaitable[Any]]:
    """A function of sites: what comes of following, what was asked for, and what was checked."""

    async def browse(sites: Sites) -> Any:
        guard = Guard()
        client = Client(guard, sites.replies)
        came: Any
        try:
            came = await follow(sites.start, guard, client.get)
        except (UnsafeUrl, httpx.TooManyRedirects, httpx.ConnectError) as error:
            kinds = (UnsafeUrl, httpx.TooManyRedirects, httpx.ConnectError)
            came = "raises " + next(one.__name__ for one in kinds if isinstance(error, one))
        else:
            number = next((n for n, one in enumerate(client.responses, 1) if one is came), None)
            if number and _looked_at(client.responses[number - 1]) != client.sent[number - 1]:
                came = f"returns response {number}, which it has changed"
            else:
                came = f"returns response {number}" if number else f"returns {came!r}"
        return {
            "follow": came,
            "asked": client.asked,
            "checked": [_plain(url) for url in guard.checked],
        }

    return browse


def at_once(follow: Follow) -> Callable[[Sequence[Sites]], Awaitable[Any]]:
    """A function of several sites: what comes of each, where all are followed at the same time."""
    browse = browsing(follow)

    async def browse_all(several: Sequence[Sites]) -> Any:
        return await asyncio.gather(*map(browse, several))

    return browse_all


def errors_lost(follow: Follow) -> list[str]:
    """The errors of `check` and `get` that do not come out as they are."""

    async def fails(error: Exception, of: str) -> Any:
        guard, asked = Guard(), 0

        def check(url: str) -> Target:
            if of == "check":
                raise error
            return Guard.check(guard, url)

        async def get(target: Target) -> httpx.Response:
            nonlocal asked
            asked += 1
            if of == "get" and asked == 1:
                raise error
            return httpx.Response(200)

        guard.check = check  # type: ignore[method-assign]
        return await follow(f"https://{DOCS}/care", guard, get)

    # A time-out that comes out of a thread, where an answer may check, is another object.
    checks = lost(lambda error: run_async(fails(error, "check")), _OWN, leave_out=[TimeoutError])
    gets = lost(lambda error: run_async(fails(error, "get")), _OWN)
    return [*(f"check: {text}" for text in checks), *(f"get: {text}" for text in gets)]


_OWN: Final[Sequence[Callable[[str], Exception]]] = (
    *(UnsafeUrl, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError, httpx.InvalidURL),
    *(httpx.RemoteProtocolError, httpx.PoolTimeout, httpx.TooManyRedirects, httpx.ConnectError),
)


def slow_and_cancelled(follow: Follow) -> list[str]:
    """What comes of a page that takes 0.3 s, and of a call that is cancelled while it waits."""

    async def late(seconds: float) -> str:
        async def get(_target: Target) -> httpx.Response:
            await asyncio.sleep(seconds)
            return httpx.Response(200, text="at last")

        running = asyncio.ensure_future(follow(f"https://{DOCS}/care", Guard(), get))
        if seconds > 1:
            await asyncio.sleep(0.02)
            running.cancel()
        try:
            return (await running).text
        except asyncio.CancelledError:
            return "cancelled"
        except Exception as error:
            return repr(error)

    async def both() -> list[str]:
        return [await late(0.3), await late(60)]

    return run_async(both())


def _looked_at(response: httpx.Response) -> list[Any]:
    """What of a response must stay."""
    own = {name: id(value) for name, value in vars(response).items() if name != "_history"}
    kept = [response.status_code, response.headers.raw, response.content, len(response.history)]
    return [*kept, own.get("_request"), own.get("headers"), own.get("stream")]


def _plain(url: str) -> str:
    """The URL as httpx writes it: different spellings of the same one are equal."""
    try:
        return str(httpx.URL(url))
    except httpx.InvalidURL:
        return url


def told(sites: Sites) -> str:
    """The call, and what the sites answer, for the card."""
    said = []
    for reply in sites.replies:
        if reply.status == 0:
            said.append("no connection")
        else:
            there = "" if reply.location is None else f" to {reply.location}"
            said.append(f"{reply.status}{there}")
    replies = "; ".join([*said, "pages"])
    return f"follow({sites.start!r}, guard, get), where the replies are: {replies}"


def told_all(several: Sequence[Sites]) -> str:
    """The calls, and what the sites answer, for the card."""
    return " and, at the same time, ".join(map(told, several))


def inputs() -> "st.SearchStrategy[tuple[Sequence[Sites]]]":
    """A few sites: any start, and up to five replies, most of them redirects."""
    hosts = st.sampled_from([DOCS, DOCS, SHOP, MOVING, REBINDING])
    paths = st.sampled_from(
        ["/", "/care", "/guides/care", "/guides/", "/a/b/c?page=1", "/Care/A%2Fb"]
    )
    urls = st.builds(lambda host, path: f"https://{host}{path}", hosts, paths)
    relative = st.sampled_from(
        [
            "care",
            "/care",
            "../care",
            "./",
            "?page=2",
            "guides/old?x=1",
            f"//{SHOP}/guides/x",
            "?Q=a%26b",
        ]
    )
    bad = st.sampled_from(
        [
            f"https://{ADMIN}/keys",
            f"//{ADMIN}/keys",
            f"http://{DOCS}/care",
            f"https://{DOCS}:8443/care",
            "https://evil.example/",
            "https://127.0.0.1/keys",
            "https://2130706433/keys",
            f"https://{DOCS}@evil.example/",
        ]
    )
    locations = st.one_of(relative, urls, relative, bad)
    redirect = st.builds(Reply, st.sampled_from([301, 302, 303, 307, 308]), locations)
    other = st.one_of(
        st.builds(Reply, st.sampled_from([200, 404, 429, 500, 503, 302, 304])),
        st.builds(Reply, st.sampled_from([201, 300, 304, 200]), relative),
        st.just(Reply(0)),
    )
    replies = st.lists(st.one_of(redirect, redirect, redirect, other), max_size=5).map(tuple)
    sites = st.builds(Sites, st.one_of(urls, urls, urls, urls, bad), replies)
    return st.tuples(st.lists(sites, min_size=1, max_size=8).map(tuple))


class Steps:
    """A right `follow` in steps; a faulty one changes a step."""

    most = 3

    def next(self, url: str, first: str, target: Target, response: httpx.Response) -> str:
        """Where a redirect leads."""
        return str(target.url.join(response.headers["location"]))

    def is_redirect(self, response: httpx.Response) -> bool:
        """Whether there is more to follow."""
        return response.has_redirect_location

    def judged(self, url: str, guard: UrlGuard, hop: int) -> Target:
        """The target of a URL."""
        return guard.check(url)

    def gives_up(self, response: httpx.Response) -> httpx.Response:
        """What comes after too many redirects."""
        raise httpx.TooManyRedirects("too many")

    async def follow(self, url: str, guard: UrlGuard, get: Get) -> httpx.Response:
        """The page."""
        first = url
        for hop in range(self.most + 1):
            target = self.judged(url, guard, hop)
            response = await get(target)
            if not self.is_redirect(response):
                return response
            url = self.next(url, first, target, response)
        return self.gives_up(response)


class _FirstOnly(Steps):
    def judged(self, url: str, guard: UrlGuard, hop: int) -> Target:
        return guard.check(url) if hop == 0 else _unjudged(url)


class _SecondOnly(Steps):
    def judged(self, url: str, guard: UrlGuard, hop: int) -> Target:
        return guard.check(url) if hop <= 1 else _unjudged(url)


class _Twice(Steps):
    def judged(self, url: str, guard: UrlGuard, hop: int) -> Target:
        guard.check(url)
        return guard.check(url)


class _AbsoluteOnly(Steps):
    def next(self, url: str, first: str, target: Target, response: httpx.Response) -> str:
        return str(response.headers["location"])


class _ToTheFirst(Steps):
    def next(self, url: str, first: str, target: Target, response: httpx.Response) -> str:
        return str(httpx.URL(first).join(response.headers["location"]))


class _ByStatus(Steps):
    def is_redirect(self, response: httpx.Response) -> bool:
        return response.is_redirect and "location" in response.headers


class _OneMore(Steps):
    most = 4


class _OneFewer(Steps):
    most = 2


class _GivesTheLast(Steps):
    def gives_up(self, response: httpx.Response) -> httpx.Response:
        return response


class _None(Steps):
    most = 0

    def gives_up(self, response: httpx.Response) -> httpx.Response:
        return response


def _unjudged(url: str) -> Target:
    """The target of a client that resolves names by itself."""
    parsed = httpx.URL(url)
    address = ADDRESSES.get(parsed.host, [INSIDE])[0]
    return Target(parsed, parsed.host, parsed.port or 443, (address,))


FAULTY: Final[Mapping[str, tuple[Follow, str]]] = {
    "first-only": (
        _FirstOnly().follow,
        "Only the first URL was checked. A redirect may lead anywhere: check each one.",
    ),
    "second-only": (
        _SecondOnly().follow,
        "The first redirect was checked, and the ones after it were not.",
    ),
    "twice": (
        _Twice().follow,
        "A URL was checked twice. The name may have changed its address in between: check once, and"
        " ask the target that came.",
    ),
    "absolute-only": (
        _AbsoluteOnly().follow,
        "A location may be relative: join it with the URL that you have just asked for.",
    ),
    "to-the-first": (
        _ToTheFirst().follow,
        "A location is relative to the URL that has answered with it, not to the first one.",
    ),
    "by-status": (
        _ByStatus().follow,
        "Not every status of 300 to 399 is a redirect: has_redirect_location tells.",
    ),
    "one-more": (
        _OneMore().follow,
        "The fourth redirect was followed, or its location was checked. Three are the most.",
    ),
    "one-fewer": (_OneFewer().follow, "The third redirect was not followed."),
    "gives-the-last": (
        _GivesTheLast().follow,
        "After three redirects a fourth one came, and it was returned as if it was the page.",
    ),
    "follows-none": (_None().follow, "A redirect was returned as if it was the page."),
}
"""Known mistakes: a function that makes each, and what to say of it."""
