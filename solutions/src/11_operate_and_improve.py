# %% [markdown] name="title" only="lab"
# # Lab 11: Operate and improve
#
# After this lab you can find the volume from which one deployment is cheaper than another, give an
# MCP server a tool that shows only the caller's own orders, stop a canary in time but not too soon,
# tell six causes of an incident apart by metrics and traces, and end a drill within its time limit.
#
# **90 to 110 minutes. Before it:** the walkthrough [11 Operate and
# improve](../notebooks/11_operate_and_improve.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. If the check fails,
# the card shows a hint, and `hint("11.1")` gives the next one. The exercises do not depend on each
# other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 11: Operate and improve
#
# All exercises solved, and why. The lab itself:
# [labs/11_operate_and_improve.ipynb](../labs/11_operate_and_improve.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="break-even-goal"
# ## 1. The break-even that holds
#
# Find the number of requests a month from which one deployment never again costs more than another.
# A deployment is a `Plan`. Its prices are `Decimal`s, in US dollars.

# %% name="break-even-look"
from decimal import Decimal

from helpers.operate.testing.plans import Plan

function = Plan(request=Decimal("0.2"), free=10)
container = Plan(instance=Decimal(10), capacity=80, minimum=1)
print(function)
print(container)

# %% [markdown] name="break-even-task"
# | field | type | what |
# |---|---|---|
# | `fixed` | `Decimal` | dollars a month |
# | `request` | `Decimal` | dollars of each request after the free ones |
# | `free` | `int` | requests a month that cost nothing; they stay free when there are more |
# | `instance` | `Decimal` | dollars a month of an instance |
# | `capacity` | `int` | requests a month that an instance carries |
# | `minimum` | `int` | instances that run even if fewer are needed |
#
# With `n` requests a month, as many instances run as are needed to carry `n`, but at least
# `minimum`. With 0 requests, exactly `minimum` run.
#
# Write `break_even(a, b, most)`. It returns the smallest number of requests, from 0 to `most`, from
# which on `b` costs no more than `a` at **every** number of requests up to and including `most`. It
# returns `None` if there is no such number.
#
# - Equal costs count as "no more". All costs are exact: use no float, and do not round.
# - `most` is at most 10^9, and no plan has more than 10,000 steps up to it (`most // capacity`).
#   With that many steps you have 2 seconds, so do not look at each number of requests.
# - Every cost up to `most` has at most 28 digits, so `Decimal` can hold it exactly.
# - A negative field of a plan, a `capacity` below 1, and a negative `most` raise `ValueError`, and
#   its message contains the name of the field, or `most`. At most one of them is wrong in a call.
# - `a` and `b` are not changed, and no answer depends on an earlier call.
#
# Example: `break_even(function, container, 200)` is `110`. At 60 requests both cost \$10. But the
# 81st request needs a second container: now they cost \$20, and the function \$14.20. At 110
# requests both cost \$20. The third container, at 161, costs no more than the function (\$30, and
# \$30.20).

# %% exercise="11.1"
from fractions import Fraction
from math import ceil


def break_even(a: Plan, b: Plan, most: int) -> int | None:
    """The requests a month from which on `b` costs no more than `a`, up to `most`."""
    # LAB: return TODO
    # BEGIN SOLUTION
    for plan in (a, b):
        for name in ("fixed", "request", "free", "instance", "capacity", "minimum"):
            if getattr(plan, name) < (name == "capacity"):
                raise ValueError(f"{name} is too small")
    if most < 0:
        raise ValueError("most is negative")

    def cost(plan, requests):
        instances = max(plan.minimum, -(-requests // plan.capacity))
        paid = max(0, requests - plan.free)
        return plan.fixed + plan.request * paid + plan.instance * instances

    def extra(requests):
        return cost(b, requests) - cost(a, requests)

    starts = {0}
    for plan in (a, b):
        starts |= {min(plan.free, most), *range(1, most + 1, plan.capacity)}
    end = most
    for start in sorted(starts, reverse=True):
        if extra(end) > 0:
            return None if end == most else end + 1
        if extra(start) > 0:
            falls = extra(start) - extra(start + 1)
            return start + ceil(Fraction(extra(start)) / Fraction(falls))
        end = start - 1
    return 0
    # END SOLUTION


# %%
check("11.1", break_even)

# %% [markdown] name="break-even-notes" only="instructor"
# Watch for these mistakes: the first crossing instead of the last; an interval that is halved
# although the sign changes many times; equal costs that do not count; a minimum that is added to
# the instances. Ask people who are stuck to draw both plans of the example at 60, 81, 110 and 161
# requests. Give it ten minutes before you help. When you are late, accept *partly* if only the
# cases with up to 10^9 requests fail: they need the ends of the lines, and have a limit of two
# seconds each.

# %% [markdown] name="break-even-why" only="solution"
# The difference of two plans is a straight line between two steps, and it jumps at each of them. So
# it can change its sign many times, and halving an interval finds an arbitrary one of these places.
# But a line that is above 0 somewhere is above 0 at one of its ends. So look only at the ends of
# the lines, from the last one downwards: the first end at which `b` costs more decides.
#
# Lines begin at 0, at `free`, and one request after each number that fills all instances. `Decimal`
# adds and multiplies exactly, as long as it has room for the digits (28 by default), but it does
# not divide exactly. `Fraction` does.

# %% [markdown] name="mcp-tool-task"
# ## 2. An MCP tool with the right scope and errors
#
# **Goal:** a tool that shows a customer her own orders, and tells nobody anything else.
#
# Write `add_lookup(server, find, who)`. It adds one tool to a `FastMCP` server, and returns `None`.
#
# - `server: FastMCP` may have tools already. They stay as they are, annotations too.
# - `find: Callable[[str], Awaitable[dict[str, Any]]]` is an async function from an order's id to
#   the stored order: `id`, `customer`, `status` and `staff_note` are texts, `items` is a list of
#   texts, and `paid` is a whole number of pence. It raises a `LookupError` (or a subclass of it)
#   where there is no such order, and any other `Exception` when the database is broken.
# - `who: Callable[[Context], str | None]` takes the `Context` that FastMCP gives a tool for each
#   call, and returns the customer's id; `None` says that nobody is logged in. It raises no error.
#
# The tool:
#
# - **It is called** `lookup_order`, and has a description.
# - **One argument**, `order_id`, is required: a string that matches `^FH-\d{5}$`. The pattern is in
#   the schema, so a call with anything else is an error before `find` or `who` is called. Neither
#   the customer nor the context is in the schema.
# - **Its annotations** say `readOnlyHint=True` and `openWorldHint=False`.
# - **Its result is structured**: `order_id`, `status`, `items` and `paid`, as they are stored, with
#   `paid` in pence. All four are required in the tool's output schema, with their types, and
#   nothing else is allowed there. So the staff note and the customer's id do not leave the server:
#   not in the result's text or `_meta`, nor in the context's messages or the tool's description.
# - **Each call** asks `who` with its own context, and then `find`, once each, also after an error.
#   It does not change what `find` returns. Calls overlap: while one waits for `find`, others are
#   answered.
# - **Errors** are results with `isError`. Raise `ToolError` with exactly one of these sentences
#   (FastMCP adds `Error executing tool lookup_order: ` in front):
#
# | when | sentence |
# |---|---|
# | nobody is logged in; `find` is not called | `Please log in first.` |
# | there is no such order | `There is no order FH-00017 on your account.` (with its id) |
# | the order is another customer's | the same |
# | `find` raises another exception | `Orders cannot be read at the moment. Try again later.` |
#
# - In the last case, and only then, log the exception once with its traceback:
#   `log.exception(...)`, with any message.
#
# Compare customers' ids exactly: case and spaces count, and an empty text is an id, too. Share
# nothing between two servers, which may be used in turn, and keep nothing between calls: an order
# may change, and so may its customer.
#
# For instance, if `find("FH-00017")` gives `{"id": "FH-00017", "customer": "C-0042", "status":
# "shipped", "items": ["Alta 2 tent"], "paid": 24900, "staff_note": "ring first"}`, C-0042 gets
# `{"order_id": "FH-00017", "status": "shipped", "items": ["Alta 2 tent"], "paid": 24900}`, and
# C-0007 gets an error with the second sentence.

# %% exercise="11.2"
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

log = logging.getLogger("shop.orders")
Find = Callable[[str], Awaitable[dict[str, Any]]]  # an order's id -> the stored order
Who = Callable[[Context], str | None]


# BEGIN SOLUTION
class OrderFacts(BaseModel):
    """What a customer may know of an order."""

    order_id: str
    status: str
    items: list[str]
    paid: int


# END SOLUTION
def add_lookup(server: FastMCP, find: Find, who: Who) -> None:
    """Gives a server the tool that shows an order to its customer."""
    # LAB: raise TODO
    # BEGIN SOLUTION

    @server.tool(annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False))
    async def lookup_order(
        order_id: Annotated[str, Field(pattern=r"^FH-\d{5}$")], context: Context
    ) -> OrderFacts:
        """Look up one order of the customer: status, items, pence paid."""
        customer = who(context)
        if customer is None:
            raise ToolError("Please log in first.")
        try:
            order = await find(order_id)
        except LookupError:
            order = None
        except Exception as error:
            log.exception("an order cannot be read")
            raise ToolError("Orders cannot be read at the moment. Try again later.") from error
        if order is None or order["customer"] != customer:
            raise ToolError(f"There is no order {order_id} on your account.")
        return OrderFacts(
            order_id=order["id"],
            status=order["status"],
            items=order["items"],
            paid=order["paid"],
        )

    # END SOLUTION


# %%
check("11.2", add_lookup)

# %% [markdown] name="mcp-tool-notes" only="instructor"
# Watch for these mistakes: the stored order is returned as it is, with the staff note; another
# customer's order gets a message of its own; the customer becomes an argument; only `KeyError` is
# caught, not every `LookupError`. Ask: "What does FastMCP make of the return type?" and wait half a
# minute. The statement is long: read the table of errors together. Give it ten minutes before you
# help. When you are late, skip the log.

# %% [markdown] name="mcp-tool-why" only="solution"
# The return type does two jobs: FastMCP makes the output schema from it, and fields that it does
# not name stay on the server. A tool that returns the stored order gives the staff note to every
# client. FastMCP sends the text of any exception, so `except Exception` is what keeps paths and SQL
# out of the answer. An unknown order and another customer's get the same words, or anyone could
# find out which numbers are in use. And there is no argument `customer_id` that a customer could
# talk the model into changing: the context comes from the connection, which the model does not
# write.

# %% [markdown] name="mcp-tool-use-text"
# Try yours as a client does. `connected` is the SDK's own client, in memory. Here the context says
# who the customer is by the request's metadata; over HTTP it would be the token.

# %% name="mcp-tool-use"
from mcp.shared.memory import create_connected_server_and_client_session as connected

STORED = {
    "FH-00017": {
        "id": "FH-00017",
        "customer": "C-0042",
        "status": "shipped",
        "items": ["Alta 2 tent"],
        "paid": 24900,
        "staff_note": "ring first",
    }
}


async def find(order_id):
    """A stored order. Raises KeyError, which is a LookupError."""
    return STORED[order_id]


async def use(add):
    """What two customers get."""
    server = FastMCP("shop", log_level="CRITICAL")
    add(server, find, lambda context: context.request_context.meta.customer)
    async with connected(server) as session:
        for customer in ("C-0042", "C-0007"):
            meta = {"customer": customer}
            got = await session.call_tool("lookup_order", {"order_id": "FH-00017"}, meta=meta)
            print(customer, got.structuredContent or got.content[0].text)


if ready("11.2"):
    await use(add_lookup)  # noqa: F704

# %% [markdown] name="canary-goal"
# ## 3. A canary's stopping rule
#
# A new version of the agent gets a tenth of the traffic, and a grader says for each answer of both
# versions whether it is good. You look at the counts after every 50 answers of the canary, 20 times
# at most. At each look you roll back, release, or wait for more answers.
#
# Here are three looks at one canary, as a rule gets them. The first number of a pair says how many
# answers were good, and the second one how many were graded:

# %% name="canary-look"
import numpy as np
import pandas as pd

chance = np.random.default_rng(3)
good_old = chance.binomial(450, 0.80, size=3).cumsum()
good_new = chance.binomial(50, 0.77, size=3).cumsum()
looks = []
for look in (1, 2, 3):
    looks.append(
        {
            "look": look,
            "old": (int(good_old[look - 1]), 450 * look),
            "new": (int(good_new[look - 1]), 50 * look),
        }
    )
pd.DataFrame(looks)

# %% [markdown] name="canary-task"
# Write `decide(old, new, look)`. It returns one of three texts: `"continue"`, `"roll back"` or
# `"release"`.
#
# - `old` and `new` are tuples of two whole numbers: good answers, and all graded answers, since the
#   canary began. The first number is at most the second.
# - `look` is a whole number, 1 to 20. Usually the canary has 50 more answers at each look, and the
#   old version nine times as many. Do not rely on that: use the numbers that you get.
# - **Release only at look 20.** Before that, the result is `"continue"` or `"roll back"`.
# - **At look 20 it ends:** the result is `"release"` or `"roll back"`.
# - **Nothing to compare.** If one version has no graded answer, or both have none, the result is
#   `"continue"`, and at look 20 `"roll back"`.
# - **Only for being worse.** Never roll back a canary whose share of good answers is at least the
#   old version's, except by the rule before this one. The shares may both be 0 or 1.
# - It is an ordinary function, not `async`. The same arguments give the same result, whatever was
#   called before: it keeps nothing between calls, and nothing in it is random.
#
# For instance, `decide((360, 450), (40, 50), 1)` is `"continue"`, and `decide((7200, 9000), (700,
# 1000), 20)` is `"roll back"`.

# %% [markdown] name="canary-limits"
# The check tries your rule on 1,000 simulated canaries of each of these kinds:
#
# | the new version is | canaries rolled back | mean answers of a canary before its end |
# |---|---|---|
# | as good as the old one | at most 8% | any |
# | ten points worse | at least 95% | at most 450 |
# | three points worse | at least 30% | any |
# | five points better | at most 2% | any |
#
# The old version's share is 0.80. The first two rows have to hold for other shares too, between
# 0.60 and 0.90, and for other numbers of answers: 27 more at each look, and of the old version as
# many or three times as many. Aim at 5% in the first row: the rest is for chance.
#
# `simulate(decide, 0.80, 0.70)` tries a rule on canaries whose true shares you choose. The table
# has a row for each canary. Here is a rule that waits until the end:

# %% name="canary-simulate"
from helpers.operate.testing import simulate


def wait(old, new, look):
    """Decides at the last look, by the shares alone."""
    if look < 20:
        return "continue"
    return "release" if new[0] / new[1] >= old[0] / old[1] else "roll back"


found = simulate(wait, 0.80, 0.70, canaries=200)
print(found.head(3))
print(f"{(found['decision'] == 'roll back').mean():.0%} rolled back")
print(f"{found['answers'].mean():.0f} answers of a canary")

# %% exercise="11.3"
import math


def decide(old: tuple[int, int], new: tuple[int, int], look: int) -> str:
    """What to do with a canary after this look."""
    # LAB: return TODO
    # BEGIN SOLUTION
    (old_good, old_asked), (new_good, new_asked) = old, new
    last = look == 20
    if old_asked == 0 or new_asked == 0:
        return "roll back" if last else "continue"

    difference = new_good / new_asked - old_good / old_asked
    pooled = (old_good + new_good) / (old_asked + new_asked)
    error = math.sqrt(pooled * (1 - pooled) * (1 / old_asked + 1 / new_asked))
    if difference < -2.5 * error:
        return "roll back"
    return "release" if last else "continue"
    # END SOLUTION


# %%
check("11.3", decide)

# %% [markdown] name="canary-notes" only="instructor"
# Watch for these mistakes: a bound for one look; a rule that waits for the last look; `release`
# before look 20. Let people first try a bound with `simulate`, on two versions that are equally
# good. Ask which of the four rows in the table of limits get worse when the rule waits for stronger
# evidence: the two with a worse version. Give it five minutes before you help. The check takes a
# few seconds.

# %% [markdown] name="canary-why" only="solution"
# The difference is divided by its standard error, as in any test of two shares. What is special is
# the bound. For one look at 5%, it would be 1.64. Here there are 20 looks, and each is one more
# chance to be unlucky, so the same bound would roll back more than a fifth of the good releases.
# With one bound for all looks (Pocock's method), about 2.5 keeps the 20 looks together at 5%. You
# find that number by simulation, or in a table of group-sequential tests.
#
# A bound that begins high and falls (O'Brien and Fleming's) is the other usual choice: about 1.9
# times the root of 20 / `look`. It sees small differences better at the end, and stops a bad
# release later. The cell below compares the two.


# %% name="canary-bounds" only="solution"
def with_bound(bound):
    """A rule with another bound, which may depend on the look."""

    def rule(old, new, look):
        share = (old[0] + new[0]) / (old[1] + new[1])
        error = math.sqrt(share * (1 - share) * (1 / old[1] + 1 / new[1]))
        if new[0] / new[1] - old[0] / old[1] < -bound(look) * error:
            return "roll back"
        return "release" if look == 20 else "continue"

    return rule


bounds = {
    "5% at every look": lambda look: 1.64,
    "Pocock, 2.5": lambda look: 2.5,
    "O'Brien and Fleming, 1.9": lambda look: 1.9 * math.sqrt(20 / look),
    "only at the end": lambda look: 1.64 if look == 20 else math.inf,
}
rows = []
for name, bound in bounds.items():
    row = {"rule": name}
    for new in (0.80, 0.77, 0.70):
        found = simulate(with_bound(bound), 0.80, new, canaries=200 if fast else 1000, seed=40)
        row[f"rolled back at {new:.2f}"] = (found["decision"] == "roll back").mean()
    row["answers at 0.70"] = found["answers"].mean()
    rows.append(row)
show.table(rows, caption="Four rules, for a version as good as the old one and two worse ones")

# %% [markdown] name="canary-use-text"
# What does your rule cost? Two figures tell you: how many good releases it rolls back, and how many
# bad answers customers get before it stops a bad release. `wait` is the rule from above:

# %% name="canary-use"
if ready("11.3"):
    rows = []
    for name, rule in (("wait", wait), ("yours", decide)):
        good = simulate(rule, 0.80, 0.80, canaries=300, seed=21)
        bad = simulate(rule, 0.80, 0.70, canaries=300, seed=22)
        rows.append(
            {
                "rule": name,
                "good releases rolled back": (good["decision"] == "roll back").mean(),
                "bad answers of a bad release": 0.3 * bad["answers"].mean(),
            }
        )
    show.table(rows, caption="What a stopping rule costs", digits=2)
    measured.append(
        {
            "exercise": "3: bad answers before a bad release ends",
            "before": rows[0]["bad answers of a bad release"],
            "after": rows[1]["bad answers of a bad release"],
        }
    )

# %% [markdown] name="diagnosis-goal"
# ## 4. A diagnosis from metrics and traces
#
# The metrics say that something is wrong, and since when. The traces say what. Here are three
# incidents, each with two hours of both:

# %% name="diagnosis-given"
from helpers.operate.testing import incidents

seen = incidents()
for hours in seen:
    start = hours.metrics.index[0]
    print(f"{hours.cause} | {hours.subject} | from {start:%H:%M} | {len(hours.runs)} runs")

# %% [markdown] name="diagnosis-metrics-text"
# `hours.metrics` has a row for each of 120 minutes. A column says how much a counter of the service
# grew in that minute. Look at the second incident, an hour before and an hour after it was noticed:

# %% name="diagnosis-metrics"
spike = seen[1]
now = spike.metrics.index[60]
pd.DataFrame({"before": spike.metrics[:60].sum(), "now": spike.metrics[60:].sum()}).round(2)

# %% [markdown] name="diagnosis-runs-text"
# Requests, failed requests and dollars have grown. Is the model down? The runs say something else.
# `hours.runs` has a row for each run, with the columns that LangSmith gives a run, and its metadata
# as columns. A request is one run of the type `chain`; the runs of its model calls (`llm`) and
# tools (`tool`) have its `id` as their `parent_run_id`.

# %% name="diagnosis-runs"
late = spike.runs[spike.runs["start_time"] >= now]
columns = ["run_type", "name", "start_time", "error", "customer", "model", "tokens"]
print(late[columns].head(4).to_string(index=False))
calls = late[late["run_type"] == "llm"]
print(f"{(calls['error'] != '').sum()} of {len(calls)} model calls failed")
requests = late[late["run_type"] == "chain"]
print(requests["error"].value_counts().to_string())
print(requests.groupby("customer")["tokens"].sum().nlargest(3).to_string())

# %% [markdown] name="diagnosis-columns"
# Customer C-0042 had spent the day's token budget, so the service refused the rest of that
# customer's requests. Only one model call failed. So the cause is a cost spike by one customer. The
# columns:
#
# - **`metrics`**, numbers: `requests`; `failed`, requests that failed; `answers` that began, and
#   `first_token_s`, the seconds to their first token, added up; `tokens`; `dollars`; `thumbs_up`
#   and `thumbs_down`; `canaries`, test questions with known answers, and `canaries_wrong`. The
#   index is the time at which the minute began.
# - **`runs`**: `id`, text; `parent_run_id`, "" for a request; `run_type`; `name`, for a tool its
#   name; `start_time` and `end_time`; `error`, "" for none; `customer`, "" for a guest; `revision`
#   of the agent; `model`, "" unless the type is `llm`; `tokens`; `answer`, "" unless the type is
#   `chain`; `documents`, a list of ids, best first, empty unless the run is one of the tool
#   `search_documents` that found some. A request may have several such runs.

# %% [markdown] name="diagnosis-task"
# Write `diagnose(metrics, runs)`. It returns a tuple of two texts: the cause, and its subject (what
# it is about). *Before* is the first 60 minutes of the metrics, and *now* is the last 60. A run is
# in the hour in which it started; a run that started exactly with the 61st minute is in *now*. Go
# through this list. The first cause whose conditions all hold is the result:
#
# 1. **`model down`**: by the metrics, at least 20% of the requests in *now* failed. And of one
#    model's runs in *now*, at least half have an error. Subject: the model with the largest share.
# 2. **`model slow`**: by the metrics, the mean time to the first token in *now* is at least 3 times
#    that in *before*: an hour's seconds, divided by its answers. Subject: the model whose runs in
#    *now* took longest on average, from `start_time` to `end_time`.
# 3. **`cost spike by one customer`**: the dollars in *now* are at least twice those in *before*.
#    And one customer has at least half of all tokens of the `chain` runs in *now*, those of guests
#    and of failed requests included. Subject: that customer, never the guests.
# 4. **`poisoned document`**: at least 3 answers in *now* contain the same web address, and no
#    answer in *before* contains it. Answers to guests and of failed requests count too. Addresses
#    are what `re.findall(r"[\w-]+\.example\b", answer)` finds, in capitals or not as they are. If
#    there are several new ones, take the one in most answers. Subject: the document that is first
#    most often in the `documents` of these answers' requests; each of a request's runs counts.
# 5. **`bad release`**: at least 2 more canaries are wrong in *now* than in *before*. And the first
#    and the last `chain` run of the two hours, by `start_time`, have different revisions. Subject:
#    the revision of the last one.
# 6. **`failing tool`**: at least 2 more canaries are wrong in *now* than in *before*. And one tool
#    has at least 3 runs with an error in *now*, and their share of its runs is at least 0.25 higher
#    than in *before*: 0.50 after 0.25, for instance. A tool that did not run in *before* had the
#    share 0. Subject: the tool with the largest rise, among those with 3 errors or more.
# 7. **`none`**, with the subject `""`.

# %% [markdown] name="diagnosis-rules"
# - The metrics are in order of time. The runs are in any order, with any index.
# - *Before* has requests, answers and dollars, and *now* has requests. Both have `chain` runs. If
#   *now* has answers, it has `llm` runs too. If a new address is in 3 answers, at least one run of
#   these requests has documents. Anything else may be missing: a mean or a share of nothing meets
#   no condition.
# - Where several models, customers, documents, addresses or tools could be the result, there are no
#   ties. No two runs of the type `chain` start at the same time.
# - Compare floats as they are: rounding decides no case of the check.
# - The frames are not changed, nor the lists in them.
#
# For instance, the second incident above gives `("cost spike by one customer", "C-0042")`. The
# check has other incidents, of other sizes, at other hours and with other subjects. In some cases
# nothing is wrong, although much happens: a newsletter brings many customers, or a release is good.

# %% exercise="11.4"
import pandas as pd

ADDRESS = r"[\w-]+\.example\b"


def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> tuple[str, str]:
    """The cause of an incident, and the model, customer or other thing that it is about."""
    # LAB: return TODO
    # BEGIN SOLUTION
    before, now = metrics[:60].sum(), metrics[60:].sum()
    runs = runs.assign(failed=runs["error"] != "").sort_values("start_time")
    late = runs[runs["start_time"] >= metrics.index[60]]
    early = runs[runs["start_time"] < metrics.index[60]]

    calls = late[late["run_type"] == "llm"]
    failing = calls.groupby("model")["failed"].mean()
    if now["failed"] / now["requests"] >= 0.2 and failing.max() >= 0.5:
        return "model down", failing.idxmax()

    usual = before["first_token_s"] / before["answers"]
    if now["answers"] and now["first_token_s"] / now["answers"] >= 3 * usual:
        seconds = calls["end_time"] - calls["start_time"]
        return "model slow", seconds.groupby(calls["model"]).mean().idxmax()

    requests = late[late["run_type"] == "chain"]
    tokens = requests.groupby("customer")["tokens"].sum()
    customers = tokens.drop("", errors="ignore") / tokens.sum()
    if now["dollars"] >= 2 * before["dollars"] and customers.max() >= 0.5:
        return "cost spike by one customer", customers.idxmax()

    known = early["answer"].str.findall(ADDRESS).explode()
    found = requests.set_index("id")["answer"].str.findall(ADDRESS).explode().dropna()
    new = found[~found.isin(known)].reset_index().drop_duplicates()
    in_answers = new["answer"].value_counts()
    if in_answers.max() >= 3:
        answers = new["id"][new["answer"] == in_answers.idxmax()]
        first = late["documents"][late["parent_run_id"].isin(answers)].str[0]
        return "poisoned document", first.value_counts().idxmax()

    if now["canaries_wrong"] - before["canaries_wrong"] >= 2:
        revisions = runs["revision"][runs["run_type"] == "chain"]
        if revisions.iloc[0] != revisions.iloc[-1]:
            return "bad release", revisions.iloc[-1]
        tools = late[late["run_type"] == "tool"].groupby("name")["failed"]
        usual = early[early["run_type"] == "tool"].groupby("name")["failed"].mean()
        rise = tools.mean() - usual.reindex(tools.mean().index, fill_value=0)
        rise = rise[tools.sum() >= 3]
        if rise.max() >= 0.25:
            return "failing tool", rise.idxmax()
    return "none", ""
    # END SOLUTION


# %%
check("11.4", diagnose)

# %% [markdown] name="diagnosis-notes" only="instructor"
# Watch for these mistakes: failed requests alone mean *model down*; guests count as one customer;
# runs are compared in the order in which they come; a tool is judged by its errors, not by the
# rise. Let people write the seven causes as comments, in the list's order, before any code: five
# minutes. Ask people who are stuck which hour and which type of run the condition names. Then give
# it ten minutes before you help. When you are late, stop after cause 3, and accept *partly*.

# %% [markdown] name="diagnosis-why" only="solution"
# Each cause has a symptom in the metrics and a subject in the traces, and neither is enough alone.
# Failed requests mean that the model is down, or that a budget does its work: only the runs tell
# the two apart. Twice the dollars is an incident if one customer causes it, and a good day if a
# newsletter does. Refused refunds make the tool `issue_refund` fail all day, so what counts is the
# rise, not the number of errors.
#
# The order is part of the diagnosis. A model that is down makes canaries wrong as well, so the
# causes that explain most come first. And the comparison is always with the hour before: a limit
# such as 5 seconds would be wrong for the next model.

# %% [markdown] name="diagnosis-use-text"
# How does yours do on the three incidents, whose causes you know?

# %% name="diagnosis-use"
if ready("11.4"):
    rows = []
    for hours in seen:
        cause, subject = diagnose(hours.metrics, hours.runs)
        rows.append(
            {
                "happened": hours.cause,
                "about": hours.subject,
                "your diagnosis": cause,
                "your subject": subject,
            }
        )
    show.table(rows, caption="Three incidents, and your diagnosis of each")
    right = sum(
        (row["happened"], row["about"]) == (row["your diagnosis"], row["your subject"])
        for row in rows
    )
    measured.append({"exercise": "4: incidents diagnosed, of three", "before": 0, "after": right})

# %% [markdown] name="duty-goal"
# ## 5. The gate: a drill ended within the time
#
# **Goal:** a runbook as code, which finds out what is wrong with the running service and ends it,
# without a wrong action.
#
# ```python
# async def operator(console) -> None
# ```
#
# The check runs five shifts of 90 minutes on the real service, on simulated time, so that a shift
# takes a second or two on an idle machine. In four of them one of the incidents of the table begins
# at a moment that you do not know. In the fifth nothing is wrong. Documents, customers and hours
# are not those of this lab.

# %% [markdown] name="duty-runbook"
# | `diagnose` | what happens | `act` |
# |---|---|---|
# | `"model down"` | calls to the model fail, three quarters of them or more | `"switch-model"` |
# | `"bad release"` | answers from one document have wrong numbers since a release | `"rollback"` |
# | `"cost spike"` | one customer asks the same 6 to 8 times a minute | `"limit"`, customer |
# | `"poisoned document"` | one document's answers name a foreign site | `"withdraw"`, document |
#
# An action takes effect within two minutes. `switch-model` nearly triples the price. When a cost
# spike makes a page fire, more than half of the last ten minutes' answers are that customer's. On a
# quiet shift nobody has more than a fifth of them.

# %% [markdown] name="duty-console"
# `console` shows what customers and canary questions got, and takes your actions. Minutes are the
# shop's, counted from the beginning of the shift.
#
# - `console.minute`, `console.left`: floats, the present minute and how many are left.
# - `console.pages()`: a list of alerts that fire. Each is an object: `page.alert` is one of
#   `"MostAnswersFail"`, `"CanaryWrong"`, `"ForeignAddress"`, `"SpendingFast"`, `"OverLimit"`; the
#   others are `summary`, `severity` and `minute`. An alert looks back 5 to 30 minutes, so it still
#   fires after the end of its cause.
# - `console.figures(minutes=10)`: a dict of numbers: `answers`, `failed`, `canaries`,
#   `canaries_wrong`, `foreign` (answers with a foreign address), `usd`.

# %% [markdown] name="duty-console-more"
# - `console.answers(minutes=10)`: a list of dicts, oldest first: `minute`, `customer` (`""` for a
#   visitor or a canary), `question`, `answer`, `document` (`""` for none), `failed` (`""`, or the
#   kind of problem), `addresses` (foreign ones), `canary` (`""`, `"right"`, `"wrong"`, `"failed"`).
# - `console.changes()`: releases and edits so far, objects with `minute`, `what` and `about`.
# - `console.diagnose(kind)`, `console.act(action, about="")`: return nothing, and take effect for
#   the rest of the shift. They raise `DrillError` for an unknown word.
# - `await console.wait(minutes=1)`: lets time pass; False when the shift has ended.

# %% [markdown] name="duty-rules"
# Rules:
#
# - **Diagnosed:** `diagnose` is called with the right kind, and never with a wrong one.
# - **No wrong action:** every `act` is the right one. Repeating it does no harm.
# - **In time:** the service is well again at most 30 minutes after the incident began. That means
#   that the action works, and that five minutes have then passed without harm. The check measures
#   this. Your function may return once it has acted.
# - **A quiet shift:** no diagnosis and no action until the shift has ended. Pages may fire: a
#   mailing makes many customers ask at once. Do not return before the end, since an incident
#   may begin at any minute.
# - Changes that do no harm happen in every shift, also shortly before and after an incident.
#
# For instance, if the only page is `SpendingFast` and 60 of 80 answers went to customer C-0042, the
# right calls are `diagnose("cost spike")` and `act("limit", "C-0042")`. If they went to forty
# customers, the right reaction is to call neither.

# %% exercise="11.5"
from collections import Counter


async def operator(console) -> None:
    """Watch the service until the shift ends, and end the incident if there is one."""
    # LAB: return TODO
    # BEGIN SOLUTION
    while await console.wait(1):
        fired = {page.alert for page in console.pages()}
        answers = console.answers(10)

        if "MostAnswersFail" in fired:
            console.diagnose("model down")
            return console.act("switch-model")

        lied = [one["document"] for one in answers if one["addresses"]]
        if "ForeignAddress" in fired and lied:
            console.diagnose("poisoned document")
            return console.act("withdraw", lied[-1])

        if "CanaryWrong" in fired:
            console.diagnose("bad release")
            return console.act("rollback")

        customers = Counter(one["customer"] for one in answers if one["customer"])
        if "SpendingFast" in fired and customers:
            [(customer, times)] = customers.most_common(1)
            if times > 0.3 * len(answers):
                console.diagnose("cost spike")
                return console.act("limit", customer)
    # END SOLUTION


# %%
check("11.5", operator)

# %% [markdown] name="duty-notes" only="instructor"
# This is the gate. Watch for these mistakes: `changes()` is taken as proof; the most active
# customer is limited on every `SpendingFast`; a page is read like a dict; the function returns
# before a quiet shift has ended. Ask which evidence tells a cost spike from a mailing; wait ten
# seconds. Give it ten minutes before you help. The check runs five shifts, which can take a minute
# on a busy machine: say so before people run it. The check stops at the first shift that fails, so
# people see one problem at a time.

# %% [markdown] name="duty-why" only="solution"
# Each branch rests on evidence about harm: failed answers, a foreign address, a wrong canary, one
# customer's share of the answers. `changes()` is not used: every shift has releases and edits, and
# "something was released shortly before" is true on most good days too.
#
# The order matters little here, because one thing goes wrong at a time. What matters is the last
# condition. Cost rises on a good day too: without the check of the customer's share, a mailing ends
# in a limit on a customer who did nothing wrong.

# %% [markdown] name="duty-use-text"
# How fast is it on a shift of the lab, and what does it do when nothing is wrong?

# %% name="duty-use"
from helpers.operate.testing.drill import run_drill
from helpers.operate.testing.drill_plan import draw

if ready("11.5"):
    rows = []
    for kind in ("model down", "cost spike", "none"):
        found = run_drill(operator, draw(7, kind, minutes=90))
        rows.append(
            {
                "incident": kind,
                "diagnosed after": found.diagnosed,
                "ended after": found.ended,
                "harmed answers": found.harmed,
                "wrong actions": len(found.wrong_actions),
            }
        )
    show.table(rows, caption="Minutes of the shop", digits=1)
    measured.append(
        {
            "exercise": "5: minutes until a dead model was replaced",
            "before": None,
            "after": rows[0]["ended after"],
        }
    )

# %% [markdown] name="measured-text"
# ## What you measured

# %% name="measured"
if measured:
    show.table(measured, caption="What your work changed", digits=2)

# %% [markdown] name="next"
# ## Next
#
# `course status` shows your progress. `course drill` gives you another bad day, in a terminal.
#
# - The walkthrough again: [11 Operate and improve](../notebooks/11_operate_and_improve.ipynb).
# - [Walkthrough 12](../notebooks/12_review_questions.ipynb): your evidence for questions 4 and 5.
# - MCP: [the Python SDK](https://github.com/modelcontextprotocol/python-sdk).
# - Group-sequential designs: Lakens, Pahlke and Wassmer, 2021, a tutorial,
#   [doi:10.31234/osf.io/x4azm](https://doi.org/10.31234/osf.io/x4azm).
