"""Exercise 04.3: redirects, each of which goes through the guard."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from helpers.course.exercises import Case, Hint, Slip, example, exercise, generated, solved
from helpers.course.loop import run_async


@exercise(
    "04.3",
    title="Guard redirects",
    hints=[
        "One hop is: target = guard.check(url), then response = await get(target). If it is a"
        " redirect, what must happen before the next request?",
        Hint(
            "The next URL is target.url.join(response.headers['location']), and check takes a str:"
            " wrap it in str(...).",
            "relative",
        ),
        Hint(
            "Put check and get into the loop, so that each URL goes through both, once and in this"
            " order.",
            "unsafe",
            "once",
        ),
        Hint(
            "Three redirects are four requests at most: for _ in range(4). After the loop, raise"
            " httpx.TooManyRedirects('...').",
            "limit",
        ),
        Hint(
            "Return the response at once if not response.has_redirect_location, whatever its"
            " status.",
            "page",
        ),
        Hint("Local variables are enough: a call needs nothing of another one.", "overlap"),
    ],
)
def follow(answer: Any) -> Iterator[Case]:
    """Where redirects lead, how many there are, what is asked of whom, and any sites."""
    from helpers.course.exercises.m04 import redirects as given

    browse = given.browsing(answer)
    right = given.browsing(solved("04.3"))
    slips = [
        Slip.like(name, lambda sites, f=f: run_async(given.browsing(f)(sites)), text)
        for name, (f, text) in given.FAULTY.items()
    ]
    docs, shop = f"https://{given.DOCS}", f"https://{given.SHOP}"

    def named(name: str, about: str, sites: given.Sites) -> Case:
        case = example(
            name,
            browse,
            sites,
            called="follow",
            expect=run_async(right(sites)),
            slips=slips,
            about=about,
        )
        return replace(case, show=given.told(sites))

    def on(start: str, *locations: str, status: int = 302) -> given.Sites:
        return given.redirects(start, *locations, status=status)

    inside = f"https://{given.ADMIN}/keys"
    yield named("a redirect to a name inside", "unsafe", on(f"{docs}/trap", inside))
    yield named("the second one leads inside", "unsafe", on(f"{docs}/late", "/trap", inside))
    yield named(
        "the third one leads inside, on another host",
        "unsafe",
        on(f"{docs}/a", f"{shop}/b", "c", f"//{given.ADMIN}/keys"),
    )
    yield named("a redirect to an address", "unsafe", on(f"{docs}/n", "https://127.0.0.1/keys"))
    yield named("without TLS", "unsafe", on(f"{shop}/n", f"http://{given.DOCS}/care"))
    yield named("the first URL is not safe", "unsafe", on("https://evil.example/", "/care"))
    yield named("a relative redirect", "relative", on(f"{docs}/guides/old", "care"))
    yield named(
        "relative to another host",
        "relative",
        on(f"{docs}/guides/old", f"{shop}/shelf/one/two", "../three", status=307),
    )
    yield named("a host without a scheme", "relative", on(f"{docs}/a", f"//{given.SHOP}/b", "c"))
    yield named("three redirects", "limit", on(f"{docs}/3", "/2", "/1", "/care", status=301))
    yield named("four redirects", "limit", on(f"{docs}/4", "/3", "/2", "/1", "/care", status=308))
    yield named("the fourth leads inside", "limit", on(f"{shop}/4", "3", "2", "1", inside))
    yield named("to itself, then a page", "limit", on(f"{docs}/care", "/care", "/care"))
    for status, location in ((404, None), (302, None), (300, "/care"), (201, "/care")):
        with_or_without = "without a location" if location is None else "with a location"
        replies = (given.Reply(303, "b"), given.Reply(status, location))
        yield named(f"status {status} {with_or_without}", "page", given.Sites(f"{docs}/a", replies))
    moving = f"https://{given.MOVING}/a"
    yield named("a name that moves", "once", on(moving, "b"))
    yield named("a name that moves inside", "once", on(f"https://{given.REBINDING}/a"))
    yield named("it moves inside at the redirect", "once", on(f"https://{given.REBINDING}/a", "b"))
    yield named(
        "no connection", "once", given.Sites(f"{docs}/a", (given.Reply(303, "b"), given.Reply(0)))
    )
    for status in (500, 503, 429, 401):
        replies = (given.Reply(302, "b"), given.Reply(status))
        yield named(f"a page with the status {status}", "page", given.Sites(f"{docs}/a", replies))
    yield named("a query that is left behind", "relative", on(f"{docs}/g/a?x=1", "b", "./"))
    yield named("a query alone", "relative", on(f"{docs}/guides/old?x=1", "?page=2", "?Page=3&x=A"))
    yield named(
        "capitals and escaped signs",
        "relative",
        on(f"{docs}/Guides/Old", "Care%2FTents?Next=%2FA%26b&x=1", "/A//B/", f"{shop}/C/?D"),
    )
    yield Case(
        "any error",
        call=lambda: given.errors_lost(answer),
        show="the errors of guard.check and of get, of many types, that do not come out unchanged",
        expect=[],
        slips=[
            Slip.when(
                "error-lost",
                lambda got: bool(got),
                "What check and get raise is raised, and nothing is tried again.",
            )
        ],
        about="once",
    )
    yield Case(
        "a slow page, and a call that is cancelled",
        call=lambda: given.slow_and_cancelled(answer),
        show="what comes of a page that takes 0.3 s, and of a call that is cancelled in get",
        expect=["at last", "cancelled"],
        about="overlap",
    )
    both = [on(f"{docs}/3", "2", "1", "care"), on(f"{shop}/x", "/trap", inside), on(moving, "b")]
    yield Case(
        "three calls at the same time",
        call=lambda: given.at_once(answer)(both),
        expect=[run_async(right(sites)) for sites in both],
        show="follow for three different URLs, with asyncio.gather",
        about="overlap",
    )
    yield generated(
        "any sites",
        answer,
        exercise="04.3",
        inputs=given.inputs(),
        called=given.told_all,
        used=given.at_once,
        slips=[
            Slip.like(name, lambda several, f=f: run_async(given.at_once(f)(several)), text)
            for name, (f, text) in given.FAULTY.items()
        ],
        budget=30,
        limit=20,
    )
