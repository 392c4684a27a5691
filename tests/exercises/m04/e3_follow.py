"""Answers to exercise 04.3, most of them a right one with a step that is another."""

import asyncio
import dataclasses
from typing import Any
from urllib.parse import unquote, urljoin

import httpx

from helpers.authoring.answers import right, wrong
from helpers.course.exercises.m04.redirects import FAULTY, Steps
from helpers.security.controls.urls import UnsafeUrl

REDIRECTS = {301, 302, 303, 307, 308}


@wrong("Nothing comes back.")
def nothing() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> None:
        return None

    return follow


@wrong("Only the first response.", slip="follows-none")
def follows_none() -> object:
    return FAULTY["follows-none"][0]


@wrong("The guard sees the first URL only.", slip="first-only")
def first_only() -> object:
    return FAULTY["first-only"][0]


@wrong("The guard sees the first redirect, and none after it.", slip="second-only")
def second_only() -> object:
    return FAULTY["second-only"][0]


@wrong("The name is resolved twice for each request.", slip="twice")
def twice() -> object:
    return FAULTY["twice"][0]


@wrong("Every location is taken for a whole URL.", slip="absolute-only")
def absolute_only() -> object:
    return FAULTY["absolute-only"][0]


@wrong("Locations are relative to the first URL.", slip="to-the-first")
def to_the_first() -> object:
    return FAULTY["to-the-first"][0]


@wrong("Every status of 300 to 399 with a location.", slip="by-status")
def by_status() -> object:
    return FAULTY["by-status"][0]


@wrong("Four redirects are followed.", slip="one-more")
def one_more() -> object:
    return FAULTY["one-more"][0]


@wrong("Two redirects are followed.", slip="one-fewer")
def one_fewer() -> object:
    return FAULTY["one-fewer"][0]


@wrong("Too many redirects are no error.", slip="gives-the-last")
def gives_the_last() -> object:
    return FAULTY["gives-the-last"][0]


@wrong("What is unsafe comes back instead of an error.")
def returns_the_error() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        try:
            return await Steps().follow(url, guard, get)
        except UnsafeUrl as error:
            return error

    return follow


@wrong("An unsafe redirect ends at the page before it.")
def stays_before() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        response = await get(guard.check(url))
        for _ in range(3):
            if not response.has_redirect_location:
                return response
            url = urljoin(url, response.headers["location"])
            try:
                response = await get(guard.check(url))
            except UnsafeUrl:
                return response
        if response.has_redirect_location:
            raise httpx.TooManyRedirects("too many")
        return response

    return follow


@wrong("Only another host is checked.")
def other_hosts_only() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        target = guard.check(url)
        for _ in range(4):
            response = await get(target)
            if not response.has_redirect_location:
                return response
            where = target.url.join(response.headers["location"])
            same = where.host == target.host and where.scheme == "https"
            target = dataclasses.replace(target, url=where) if same else guard.check(str(where))
        raise httpx.TooManyRedirects("too many")

    return follow


@wrong("Relative to where get has connected to.")
def by_response_url() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        for _ in range(4):
            response = await get(guard.check(url))
            if not response.has_redirect_location:
                return response
            url = str(response.url.join(response.headers["location"]))
        raise httpx.TooManyRedirects("too many")

    return follow


@wrong("A page that was there before is a loop.")
def sees_loops() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        seen = set()
        for _ in range(4):
            if url in seen:
                break
            seen.add(url)
            response = await get(guard.check(url))
            if not response.has_redirect_location:
                return response
            url = urljoin(url, response.headers["location"])
        raise httpx.TooManyRedirects("too many")

    return follow


@wrong("The fourth location is checked, too.")
def checks_the_fourth() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        for hop in range(5):
            target = guard.check(url)
            if hop == 4:
                break
            response = await get(target)
            if not response.has_redirect_location:
                return response
            url = urljoin(url, response.headers["location"])
        raise httpx.TooManyRedirects("too many")

    return follow


@wrong("Another error for too many.")
def another_error() -> object:
    class OtherError(Steps):
        def gives_up(self, response: Any) -> Any:
            raise RuntimeError("too many redirects")

    return OtherError().follow


@wrong("A page must have the status 200.")
def raises_for_status() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        response = await Steps().follow(url, guard, get)
        return response.raise_for_status()

    return follow


@wrong("A request that fails is made again.")
def tries_again() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        async def twice(target: Any) -> Any:
            try:
                return await get(target)
            except httpx.ConnectError:
                return await get(target)

        return await Steps().follow(url, guard, twice)

    return follow


@wrong("All calls share one count.")
def one_count() -> object:
    left = [3]

    async def follow(url: Any, guard: Any, get: Any) -> Any:
        left[0] = 3
        while True:
            response = await get(guard.check(url))
            if not response.has_redirect_location:
                return response
            left[0] -= 1
            if left[0] < 0:
                raise httpx.TooManyRedirects("too many")
            url = urljoin(url, response.headers["location"])

    return follow


def around(get_page: Any) -> object:
    """The right one with another way to get a page: `await get_page(get, target)`."""

    async def follow(url: Any, guard: Any, get: Any) -> Any:
        return await Steps().follow(url, guard, lambda target: get_page(get, target))

    return follow


def catching(error_type: Any, *, again: bool) -> object:
    """Catches these errors of `get`: asks again, or raises another one of httpx."""

    async def get_page(get: Any, target: Any) -> Any:
        try:
            return await get(target)
        except error_type as error:
            if again:
                return await get(target)
            raise httpx.ConnectError(str(error)) from error

    return around(get_page)


@wrong("After a time-out it asks again.", slip="error-lost")
def again_after_a_time_out() -> object:
    return catching(httpx.TimeoutException, again=True)


@wrong("After an OSError it asks again.")
def again_after_an_os_error() -> object:
    return catching(OSError, again=True)


@wrong("Errors of httpx come out as new ones.")
def new_errors() -> object:
    return catching(httpx.HTTPError, again=False)


@wrong("Errors of the guard come out as new ones.")
def new_unsafe() -> object:
    class New(Steps):
        def judged(self, url: str, guard: Any, hop: int) -> Any:
            try:
                return guard.check(url)
            except UnsafeUrl as error:
                raise UnsafeUrl(str(error)) from error

    return New().follow


@wrong("A busy server is asked again.")
def again_when_busy() -> object:
    async def get_page(get: Any, target: Any) -> Any:
        response = await get(target)
        return await get(target) if response.status_code == 503 else response

    return around(get_page)


@wrong("Errors of the server are errors.")
def server_errors() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        response = await Steps().follow(url, guard, get)
        if response.is_server_error:
            raise httpx.HTTPError("server error")
        return response

    return follow


@wrong("50 ms are enough.")
def with_a_time_limit() -> object:
    return around(lambda get, target: asyncio.wait_for(get(target), 0.05))


@wrong("It does not let itself be cancelled.")
def not_cancelled() -> object:
    async def get_page(get: Any, target: Any) -> Any:
        try:
            return await get(target)
        except asyncio.CancelledError:
            return httpx.Response(499)

    return around(get_page)


def changing(change: Any) -> object:
    """The right one, which changes the response."""

    async def follow(url: Any, guard: Any, get: Any) -> Any:
        response = await Steps().follow(url, guard, get)
        change(response)
        return response

    return follow


@wrong("It adds a header to the response.")
def adds_a_header() -> object:
    return changing(lambda response: response.headers.update({"x-checked": "yes"}))


@wrong("It takes the location out of the response.")
def takes_the_location() -> object:
    return changing(lambda response: response.headers.pop("location", None))


@wrong("It writes a history into the response.")
def writes_a_history() -> object:
    return changing(lambda response: setattr(response, "history", [response]))


@wrong("It writes another request into the response.")
def writes_a_request() -> object:
    return changing(
        lambda response: setattr(response, "request", httpx.Request("GET", "https://a"))
    )


def leading(where: Any) -> object:
    """The right one with another next URL: `where(url, location)`."""

    class Leading(Steps):
        def next(self, url: str, first: str, target: Any, response: Any) -> str:
            return str(where(target.url, response.headers["location"]))

    return Leading().follow


@wrong("URLs in small letters.")
def small_letters() -> object:
    return leading(lambda url, location: str(url.join(location)).lower())


@wrong("Escaped signs are read.")
def unquoted() -> object:
    return leading(lambda url, location: unquote(str(url.join(location))))


@wrong("The query of the URL before stays.")
def keeps_the_query() -> object:
    return leading(
        lambda url, location: url.join(location).copy_with(
            query=url.join(location).query or url.query or None
        )
    )


@wrong("Queries are lost.")
def loses_the_query() -> object:
    return leading(lambda url, location: url.join(location).copy_with(query=None))


@wrong("A query belongs to the folder.")
def query_of_the_folder() -> object:
    return leading(lambda url, location: url.join("./" * location.startswith("?") + location))


@right("While there are redirects left, with urljoin and numbers of its own.")
def a_loop() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        left = 3
        while True:
            response = await get(guard.check(url))
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTS or location is None:
                return response
            if left == 0:
                raise httpx.TooManyRedirects("There are more than three redirects.")
            left -= 1
            url = urljoin(url, location)

    return follow


@right("It calls itself.")
def recursive() -> object:
    async def hop(url: str, guard: Any, get: Any, left: int) -> Any:
        response = await get(guard.check(url))
        if not response.has_redirect_location:
            return response
        if not left:
            raise httpx.TooManyRedirects("too many", request=response.request)
        return await hop(urljoin(url, response.headers["location"]), guard, get, left - 1)

    def follow(url: str, guard: Any, get: Any) -> Any:
        return hop(url, guard, get, 3)

    return follow


@right("The name is resolved in a thread, so that others need not wait for it.")
def in_a_thread() -> object:
    async def follow(url: Any, guard: Any, get: Any) -> Any:
        for _ in range(4):
            target = await asyncio.to_thread(guard.check, url)
            response = await get(target)
            if not response.has_redirect_location:
                return response
            url = str(target.url.join(response.headers["location"]))
        raise httpx.TooManyRedirects("too many")

    return follow


@right("A class with a method, and an error type of its own.")
def own_error() -> object:
    class TooManyError(httpx.TooManyRedirects):
        pass

    class Follower(Steps):
        def gives_up(self, response: Any) -> Any:
            raise TooManyError("too many")

    return Follower().follow
