# %% [markdown] name="title" only="lab"
# # Lab 04: Limit the agent's actions
#
# After this lab you have a client that follows redirects safely, a limit on what a bad day costs,
# and a gate that stops attacks that you have not seen.
#
# **45 minutes. Before it:** the walkthrough
# [04 Limit the agent's actions](../notebooks/04_limit_the_agents_actions.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it.

# %% [markdown] name="title" only="solution"
# # Solution of lab 04: Limit the agent's actions
#
# All exercises solved, and why. The lab itself:
# [labs/04_limit_the_agents_actions.ipynb](../labs/04_limit_the_agents_actions.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="follow-goal"
# ## 3. Guard redirects
#
# A tool of the agent fetches pages. Whoever writes a page can also redirect it, for instance to a
# server in your own network, so a guard that sees the first URL only is no guard.
#
# The testbed's small internet runs on your machine: a partner's sites, and a server inside the
# shop's network that gives its keys to everyone who asks. The guard of the walkthrough checks a URL
# and gives a `Target`: the URL, and the addresses that it has judged. `sites.get(target)` connects
# to the first one. Here is one request to each of three pages:

# %% name="follow-look"
from helpers.security.controls.urls import UnsafeUrl, UrlGuard
from helpers.testbed.small_internet import DOCS, SHOP, network


async def one_request(path):
    """What the partner's site answers."""
    with network() as sites:
        guard = UrlGuard(hosts=[DOCS, SHOP], resolve=sites.resolve)
        response = await sites.get(guard.check(f"https://{DOCS}{path}"))
        return response.status_code, response.headers.get("location"), response.text


for path in ("/care", "/guides/old", "/trap"):
    print(path, run_async(one_request(path)))

# %% [markdown] name="follow-task"
# Write `follow`, an async function. It returns the page at `url`, behind at most three redirects.
#
# - `guard.check(url)` takes a `str` and is a plain method. It resolves the host's name, judges the
#   addresses, and returns a `Target`, whose `url` is an `httpx.URL`. If the URL is not safe, it
#   raises `UnsafeUrl`.
# - `await get(target)` sends one request to the address in the target, and returns an
#   `httpx.Response`. It follows no redirect.
# - **A redirect** is a response for which `response.has_redirect_location` is true: its status is
#   301, 302, 303, 307 or 308, and it has a `Location` header. Every other response is the page,
#   whatever its status, and is returned as it is.
# - **Check every URL**, the first one and that of each redirect, once. Then call `get` once, with
#   the target that `check` has returned: a second check may get another address than the one that
#   was judged.
# - **The next URL** is the one in the `Location` header. It may be relative, such as `care`,
#   `../care`, `?page=2` or `//www.partner.example/care`: then it is relative to the URL that you
#   have just asked for, not to the first one. (`response.url` does not help: it contains the
#   address that `get` has connected to instead of the host's name. No URL here has a fragment,
#   `#...`.)
# - **At most three redirects** are followed: `get` is called four times at most. If the fourth
#   response is a redirect as well, raise `httpx.TooManyRedirects`, and do not check its location.
# - A page may redirect to itself, and give another response the next time. This is a redirect like
#   any other.
# - What `check` and `get` raise, `follow` raises.
# - Several calls of `follow` may run at the same time, with guards of their own. Keep nothing
#   between calls.
#
# For instance, `await follow("https://docs.partner.example/guides/old", guard, get)` asks for
# `/guides/old`, which redirects to `care`, and returns the response for `/guides/care` of the same
# site. For `/trap` it raises `UnsafeUrl`.

# %% exercise="04.3"
from collections.abc import Awaitable, Callable

import httpx

from helpers.security.controls.urls import Target, UrlGuard


async def follow(
    url: str, guard: UrlGuard, get: Callable[[Target], Awaitable[httpx.Response]]
) -> httpx.Response:
    """The page at this URL, behind at most three redirects that the guard has let through."""
    # LAB: raise TODO
    # BEGIN SOLUTION
    for _ in range(4):
        target = guard.check(url)
        response = await get(target)
        if not response.has_redirect_location:
            return response
        url = str(target.url.join(response.headers["location"]))
    raise httpx.TooManyRedirects(f"There is no page after three redirects; the next is {url}.")
    # END SOLUTION

# %%
check("04.3", follow)

# %% [markdown] name="follow-why" only="solution"
# A redirect is a new URL that another party has chosen, so it goes the same way as the first one.
# `get` receives the target and not the URL: a client that resolves the name again may get another
# address than the one that was judged (DNS rebinding). That is also why you check only once. The
# limit is small on purpose, since each hop costs time, and it ends loops without a special case.
# With `httpx` you can have all of this in a transport: `PinnedTransport` in
# `helpers/security/controls/fetching.py` checks each request that a client with
# `follow_redirects=True, max_redirects=3` makes.

# %% [markdown] name="follow-use-text"
# Give the running agent a tool that fetches pages, once with a client that follows every redirect,
# and once with yours. The agent's model is taken over: it opens the page it is told to open. What
# does the agent read?

# %% name="follow-use"
from urllib.parse import urljoin

from langchain.agents import create_agent
from langchain.tools import tool

from helpers.security.policy import Call, CompromisedModel


async def careless(url, guard, sites):
    """Follow every redirect, wherever it leads."""
    response = await sites.get_by_name(url)
    while response.has_redirect_location:
        url = urljoin(url, response.headers["location"])
        response = await sites.get_by_name(url)
    return response


async def careful(url, guard, sites):
    """Follow with your function."""
    return await follow(url, guard, sites.get)


async def agent_reads(client, path):
    """What an agent with a tool on this client reads at a page of the partner's."""
    with network() as sites:
        guard = UrlGuard(hosts=[DOCS, SHOP], resolve=sites.resolve)

        @tool
        async def open_page(url: str) -> str:
            """Open a page of a partner."""
            try:
                return (await client(url, guard, sites)).text
            except UnsafeUrl as refused:
                return f"Refused: {refused}"

        taken_over = CompromisedModel()
        taken_over.obey([Call("open_page", {"url": f"https://{DOCS}{path}"})])
        agent = create_agent(taken_over, [open_page])
        state = await agent.ainvoke({"messages": "Please open the page."})
        return state["messages"][-1].text


if ready("04.3"):
    PATHS = ["/guides/old", "/moved", "/trap", "/number", "/late"]
    rows = [{"page": path} | {client.__name__: run_async(agent_reads(client, path))
                              for client in (careless, careful)} for path in PATHS]
    show.table(rows, caption="What the agent reads")
    measured.append({"exercise": "3: pages that give away the keys, of five",
                     "before": sum("key" in row["careless"] for row in rows),
                     "after": sum("payment-key" in row["careful"] for row in rows)})

# %% [markdown] name="limits-goal"
# ## 4. Limit what a bad day costs
#
# Suppose that every control fails. Then a limit decides how much it costs before a person looks at
# it. Each refund that is about to be paid comes as a `Payment`:

# %% name="limits-given"
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

CUSTOMER_LIMIT = Decimal("250.00")  # pounds to one customer, in 24 hours
SHOP_LIMIT = Decimal("1000.00")  # pounds to all customers together, in one hour


@dataclass(frozen=True)
class Payment:
    """A refund: made, or about to be."""

    customer: str  # such as "C-0042"
    amount: Decimal  # pounds, with at most two decimals
    at: datetime  # in UTC, tzinfo=UTC

# %% [markdown] name="limits-task"
# Write `decide`. It returns `"pay"`, or `"ask"` if a person has to decide about this payment.
# `earlier` is a list or a tuple of the payments that were paid before, without a person.
#
# - Return `"pay"` if both sums are **at most** their limit, with `payment.amount` included, and
#   otherwise `"ask"`:
#   - what this customer got in the last 24 hours: at most `CUSTOMER_LIMIT`;
#   - what all customers together, this one included, got in the last hour: at most `SHOP_LIMIT`.
# - A payment counts for **less than** 24 hours, or less than one hour: what was paid at 9:00 today
#   counts until just before 9:00 tomorrow, and at 9:00 no longer. Days of the calendar do not
#   matter.
# - `earlier` is in **any order**, and may be empty. It contains payments of many customers, and
#   also some of weeks ago. Two customers are the same if the texts are equal.
# - Some payments in `earlier` may be **later than** `payment.at`, since the clocks of two servers
#   differ. These count, however much later they are: if in doubt, ask a person.
# - Two payments in `earlier` may be equal. Both were paid, so both count. One may also equal
#   `payment`.
# - Sums are **exact**: stay with `Decimal`. £14.34 + £235.66 is £250.00, in as many parts as you like.
# - **No amount**: if `payment.amount` is infinite, NaN (a quiet or a signalling one), zero or below
#   zero, raise a `ValueError` whose message contains the word `amount`, whatever `earlier` is. The
#   amounts in `earlier` are all right.
# - Change no argument, and keep nothing between calls.
#
# For instance, C-0042 gets £200 at 23:00. Then £50 for this customer at 1:00 is `"pay"`, and £50.01
# is `"ask"`.

# %% exercise="04.4"
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal


def decide(payment: Payment, earlier: Sequence[Payment]) -> Literal["pay", "ask"]:
    """Whether this refund is paid at once, or a person is asked."""
    # LAB: raise TODO
    # BEGIN SOLUTION
    if not payment.amount.is_finite() or payment.amount <= 0:
        raise ValueError(f"The amount must be more than zero, and finite: {payment.amount}.")
    customer = shop = payment.amount
    for one in earlier:
        age = payment.at - one.at  # below zero for a later one, which counts
        if age < timedelta(hours=1):
            shop += one.amount
        if age < timedelta(hours=24) and one.customer == payment.customer:
            customer += one.amount
    return "pay" if customer <= CUSTOMER_LIMIT and shop <= SHOP_LIMIT else "ask"
    # END SOLUTION

# %%
check("04.4", decide)

# %% [markdown] name="limits-why" only="solution"
# A moving window has no midnight at which everything starts again. The customer's limit bounds what
# one hijacked conversation can do, and the shop's limit what one poisoned document can do in all of
# them. Neither needs to know what an attack looks like. `timedelta.seconds` is a trap: it is the
# part of the time that is left when whole days are taken away. So is a comparison with
# `Decimal("NaN")`, which raises an `InvalidOperation` that no caller expects, and with infinity,
# which is greater than zero. In production, `earlier` is a query in the same transaction as the
# payment: two payments at the same moment must not both be decided before either is paid.
