# Written by `course build` from solutions/src/04_limit_the_agents_actions.py: change it there.
# The exercise's own cell.
from collections.abc import Awaitable, Callable

import httpx

from helpers.security.controls.urls import Target, UrlGuard


async def follow(
    url: str, guard: UrlGuard, get: Callable[[Target], Awaitable[httpx.Response]]
) -> httpx.Response:
    """The page at this URL, behind at most three redirects that the guard has let through."""
    for _ in range(4):
        target = guard.check(url)
        response = await get(target)
        if not response.has_redirect_location:
            return response
        url = str(target.url.join(response.headers["location"]))
    raise httpx.TooManyRedirects(f"There is no page after three redirects; the next is {url}.")
ANSWER = follow
