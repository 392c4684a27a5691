# %% [markdown] name="title" only="lab"
# # Lab 08: Monitor in production
#
# After this lab you can instrument a service, ask Prometheus questions whose answers are right in
# spite of restarts, write an alert on an error budget and test it, choose a detector's threshold by
# cost, test for bias with a control, and write rules that find incidents and stay silent otherwise.
#
# **75 to 90 minutes. Before it:** the walkthrough [08 Monitor in
# production](../notebooks/08_monitor_in_production.ipynb).
#
# Fill each cell that contains a `TODO`, run it, then run the check below it. After a wrong try, the
# card shows a hint, and `hint("08.1")` gives the next one. The exercises do not depend on each
# other. Exercises 2, 3 and 6 need Prometheus on this machine (`apt install prometheus`, `brew
# install prometheus`, or [prometheus.io/download](https://prometheus.io/download/)).

# %% [markdown] name="title" only="solution"
# # Solution of lab 08: Monitor in production
#
# All exercises solved, and why. The lab itself:
# [labs/08_monitor_in_production.ipynb](../labs/08_monitor_in_production.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="instrument-goal"
# ## 1. Instrument a service that has none
#
# This service has no metrics:

# %% name="instrument-shop"
import asyncio

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

shop = FastAPI()


@shop.get("/orders/{number}")
async def order(number: int):
    """Where an order is."""
    if number > 900:
        raise HTTPException(404, "There is no such order.")
    return {"order": number, "state": "on its way"}


@shop.post("/chat")
async def chat():
    """An answer, word by word."""
    async def words():
        for word in ("It", " is", " on", " its", " way."):
            await asyncio.sleep(0.02)
            yield word
    return StreamingResponse(words(), media_type="text/plain")

# %% [markdown] name="instrument-task"
# Write `instrument(app, registry, buckets)`, a plain function. It gives any FastAPI app three
# metrics of `prometheus_client`. With these names, kinds and labels they appear in `registry`:
#
# | name | kind | labels | value |
# |---|---|---|---|
# | `http_requests_total` | counter | `route`, `status` | requests whose answer has ended |
# | `http_request_duration_seconds` | histogram | `route` | seconds to the end of its answer |
# | `http_requests_in_flight` | gauge | none | requests whose answer has not ended |
#
# - `registry` is a `CollectorRegistry`. Nothing else is put into it, or into any other registry.
#   Each metric has a help text. `buckets` is a tuple of the histogram's upper bounds, in ascending
#   order.
# - **Seconds** run from the request's arrival to the end of its answer.
# - **The end.** The answer of a stream ends with its last piece. Before its answer has ended, a
#   request is only in flight. Then it is counted and timed once, however it ended, and is no longer
#   in flight.
# - **`route`** is the path as the app declares it, such as `/orders/{number}`, and `other` where no
#   path of the app matches. After the app has found a route, FastAPI keeps it in the request's
#   scope: `scope["route"].path`. No label ever has a value from a request's path, query, headers or
#   body.
# - **`status`** is the status code that was sent, as text. Where the app raises an error, it is
#   `500`, also in the middle of a stream that began with 200. Where the request's task is cancelled
#   (`asyncio.CancelledError`, for instance because the client has left), it is `499`.
# - **The app works as before.** It sends the same bytes, each piece at once, and raises the same
#   errors. What is not of the type `http` (the scopes `lifespan` and `websocket`) reaches the app
#   unchanged, and is not measured.
# - It returns the ASGI app to serve: `app` itself, with a middleware added, or another one around
#   it. It is called once for each app, before the first request. Several apps, each with a registry
#   of its own, may run at the same time.
#
# For instance, after one `GET /orders/12` that took 0.002 seconds, with the buckets `(0.1, 1.0)`:
#
#     http_requests_total{route="/orders/{number}",status="200"} 1.0
#     http_request_duration_seconds_bucket{le="0.1",route="/orders/{number}"} 1.0
#     http_request_duration_seconds_bucket{le="1.0",route="/orders/{number}"} 1.0
#     http_request_duration_seconds_bucket{le="+Inf",route="/orders/{number}"} 1.0
#     http_request_duration_seconds_count{route="/orders/{number}"} 1.0
#     http_request_duration_seconds_sum{route="/orders/{number}"} 0.002
#     http_requests_in_flight 0.0

# %% exercise="08.1"
import asyncio
import time

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp


def instrument(app: FastAPI, registry: CollectorRegistry, buckets: tuple[float, ...]) -> ASGIApp:
    """Measure the requests to an app; the ASGI app to serve."""
    # LAB: return TODO
    # BEGIN SOLUTION
    requests = Counter("http_requests", "Requests whose answer has ended", ["route", "status"],
                       registry=registry)
    duration = Histogram("http_request_duration_seconds", "Seconds to the end of an answer",
                         ["route"], buckets=buckets, registry=registry)
    in_flight = Gauge("http_requests_in_flight", "Requests being answered", registry=registry)

    async def measured_app(scope, receive, send):
        if scope["type"] != "http":
            return await app(scope, receive, send)
        status, began = None, time.perf_counter()

        async def sending(message):
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            with in_flight.track_inprogress():
                await app(scope, receive, sending)
        except BaseException as error:
            status = 499 if isinstance(error, asyncio.CancelledError) else 500
            raise
        finally:
            route = getattr(scope.get("route"), "path", "other")
            duration.labels(route).observe(time.perf_counter() - began)
            requests.labels(route, status).inc()

    return measured_app
    # END SOLUTION

# %%
check("08.1", instrument)

# %% [markdown] name="instrument-why" only="solution"
# FastAPI's own `@app.middleware("http")` gets the response before its body is written: a time that
# is taken there is the time to the first byte. A middleware on the level of ASGI returns when the
# last piece was sent. And only there a stream that breaks is seen: its head has said 200, so a
# status code read from the head counts it as a success.
#
# `finally` covers what `except Exception` does not: a cancelled task. Without it, every client that
# leaves would stay in the gauge until the next release.
#
# The label is the route and not the path. Otherwise each order, and each path that a scanner tries,
# would be a new series, and the histogram has one more for each bucket.

# %% [markdown] name="instrument-use-text"
# What does the choice of the label save? Ask for 200 orders, count the series, and compare with the
# number that the path as a label would make.

# %% name="instrument-use"
import httpx2
from prometheus_client import generate_latest


async def ask_for_orders(app, count):
    """Ask for orders 1, 2, ..., one after another."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
        for number in range(1, count + 1):
            await client.get(f"/orders/{number}")


if ready("08.1"):
    registry, buckets = CollectorRegistry(), (0.05, 0.1, 0.5, 1.0, 5.0)
    run_async(ask_for_orders(instrument(shop, registry, buckets), 200))
    lines = generate_latest(registry).decode().splitlines()
    series = [line for line in lines if line[0] != "#" and "_created" not in line]
    print("\n".join(series))
    by_path = (len(series) - 1) * 200 + 1
    measured.append(
        {"exercise": "1: series after 200 orders", "before": by_path, "after": len(series)}
    )

# %% [markdown] name="promql-goal"
# ## 2. Read a restart and a slow bucket right
#
# The shop's instances have one histogram, `answer_seconds`, which Prometheus scrapes every 30
# seconds. Its series have these labels:
#
# | label | values |
# |---|---|
# | `instance` | `a:8000`, `b:8000`, and others |
# | `version` | `1.4`, `1.5`, and others |
# | `route` | `/chat` for questions, `/health` for probes, which are answered at once |
# | `job` | `shop` |
# | `le` (buckets alone) | `0.5`, `1.0`, `2.0`, `3.0`, `5.0`, `8.0`, `13.0`, `+Inf` |
#
# Every series of an instance is there, at 0, from its start. The next two cells record one
# hour of the shop, in which one of two instances restarts twice, and start a Prometheus on it. Try
# expressions: `query(...)` gives their values at the end of the hour.

# %% name="promql-hour"
from datetime import UTC, datetime, timedelta

from helpers.testbed.hours import HOURS, MINUTES, record
from helpers.testbed.samples import Samples

samples, begin = Samples(), datetime(2026, 6, 15, 9, tzinfo=UTC)
truth = record(HOURS["two restarts"], samples, at=begin.timestamp())
print(truth[0])

# %% name="promql-server"
import atexit
import tempfile
from contextlib import ExitStack
from pathlib import Path

from helpers.testbed.prometheus import MissingProgram, prometheus_with

room = ExitStack()


def query(expression: str) -> list:
    """The series of an expression at the end of the hour: labels, and the value."""
    found = server.at(expression, begin + timedelta(minutes=MINUTES))
    return [(dict(one.labels), *one.values.values()) for one in found]


try:
    folder = Path(room.enter_context(tempfile.TemporaryDirectory()))
    server = room.enter_context(prometheus_with(samples, folder))
    atexit.register(room.close)
    print(*query('answer_seconds_count{route="/chat"}'), sep="\n")
except MissingProgram as error:
    print(error)

# %% [markdown] name="promql-task"
# Write three expressions in PromQL, as texts. They are about questions to `/chat`, of all instances
# together:
#
# - `asked`: how many were answered in the last hour. One number without labels; 0 if there were
#   none.
# - `slow`: which share of those that were answered in the last 30 minutes took longer than 3
#   seconds, from 0 to 1. One number without labels. If nothing was answered, there is no result.
# - `p95`: the 95th percentile of the seconds that the answers of the last 30 minutes took, as
#   `histogram_quantile` reads it from the buckets. One number for each version, with the label
#   `version` alone. A version that has answered nothing in these 30 minutes has no result.
#
# "No result" means no series, and not one with the value NaN.
#
# The check evaluates each one at the end of several hours, on a real Prometheus. Instances restart,
# end, begin, and are not scraped for some minutes; instances and versions have other names. A value
# may be off by 2%: what Prometheus counts between two scrapes, it has to guess.
#
# For instance, this is the mean of the seconds that an answer took in the last five minutes, for
# each instance:
#
#     rate(answer_seconds_sum{route="/chat"}[5m]) / rate(answer_seconds_count{route="/chat"}[5m])

# %% exercise="08.2"
# LAB: asked = TODO
# LAB: slow = TODO
# LAB: p95 = TODO
# BEGIN SOLUTION
asked = 'sum(increase(answer_seconds_count{route="/chat"}[1h]))'
slow = """
1 - sum(rate(answer_seconds_bucket{route="/chat", le="3.0"}[30m]))
  / (sum(rate(answer_seconds_count{route="/chat"}[30m])) > 0)
"""
p95 = """
histogram_quantile(0.95,
  sum by (le, version) (rate(answer_seconds_bucket{route="/chat"}[30m]))) >= 0
"""
# END SOLUTION

# %%
check("08.2", {"asked": asked, "slow": slow, "p95": p95})

# %% [markdown] name="promql-why" only="solution"
# A counter is a number since the last start of one process. `increase` and `rate` see a restart
# where the value drops, and can do so only in the series of one process. So they come first, and
# `sum` comes after them. The same order holds for quantiles: add up the buckets, and then ask for
# the quantile. A mean of two 95th percentiles is no percentile of anything.
#
# `> 0` in `slow` leaves out the sum when it is 0, and then there is nothing to divide by. `>= 0`
# behind the quantile does the same, since no comparison with NaN is true. A dashboard shows a gap
# then, and an alert on the expression does not fire. For an hour without questions there has to be
# an alert of its own.

# %% [markdown] name="promql-use-text"
# How far off is the counter's last value in this hour? Compare it, and your expressions, with the
# answers themselves.

# %% name="promql-use"
if ready("08.2"):
    hour = [answer for answer in truth if answer.minute >= MINUTES - 60]
    recent = [answer for answer in truth if answer.minute >= MINUTES - 30]
    late = [answer for answer in recent if answer.seconds > 3]
    last_value = query('sum(answer_seconds_count{route="/chat"})')[0][1]
    in_time = query('sum(answer_seconds_bucket{route="/chat", le="3.0"})')[0][1]
    rows = [
        {"by": "the answers themselves", "asked": len(hour), "slow": len(late) / len(recent)},
        {"by": "your expressions", "asked": query(asked)[0][1], "slow": query(slow)[0][1]},
        {"by": "the counters' last values", "asked": last_value, "slow": 1 - in_time / last_value},
    ]
    show.table(rows, caption="One hour in which an instance restarts twice", digits=3)
    measured.append({"exercise": f"2: questions of an hour, of {len(hour)}",
                     "before": last_value, "after": query(asked)[0][1]})

# %% [markdown] name="burn-goal"
# ## 3. Alert on an error budget
#
# Services count their answers in `answers_total`, a counter with the labels `service`, `instance`
# and `ended`: `success`, `error`, `timeout`, and maybe others. An answer is bad unless it ended in
# `success`. A series exists as soon as it has counted its first answer, so there may be no series
# with `success`, or none without.
#
# The objective is a share of good answers, such as 0.99. The error budget is the rest, 0.01, and
# the burn rate is the share of bad answers divided by the budget.
#
# Write `burn_rate_rules(service, objective)`, a plain function that returns a file of rules for
# Prometheus, as a text in YAML. `service` is a text of letters, digits and hyphens, and `objective`
# a number. The file has two alerts about this service. Recording rules are up to you. Put them into
# the alerts' group, before the alerts: another group may be evaluated later.
#
# | severity | the burn rate is above | in both of the windows | for |
# |---|---|---|---|
# | `page` | 14.4 | 1h and 5m | 2m |
# | `ticket` | 6 | 6h and 30m | 15m |
#
# - The shares are those of all instances together. Instances restart.
# - An alert needs at least 20 answers, good or bad, in the longer one of its windows (as `increase`
#   gives them). At night, one bad answer of two should not wake anyone.
# - When there are no answers in one of the windows, its alert does not fire.
# - Each alert fires at most once at a time. Its labels contain `severity` and `service`, the name
#   of the service. It has an annotation `summary`. All names are yours.
# - If the objective is not greater than 0 and smaller than 1, it raises a `ValueError`. Its message
#   contains the word `objective`.
#
# For instance, `burn_rate_rules("shop", 0.99)` pages when in the last hour, and in the last five
# minutes, more than 14.4% of the shop's answers were bad, and this has been so for two minutes.
#
# The check plays histories against your rules, by `promtool test rules`. There are two samples a
# minute, and the rules are evaluated every minute.

# %% exercise="08.3"
import yaml

WINDOWS = [
    ("page", 14.4, "1h", "5m", "2m"),
    ("ticket", 6, "6h", "30m", "15m"),
]


def burn_rate_rules(service: str, objective: float) -> str:
    """A file of rules with two alerts on a service's error budget."""
    # LAB: return TODO
    # BEGIN SOLUTION
    if not 0 < objective < 1:
        raise ValueError(f"the objective is {objective}: it must be between 0 and 1")
    every = f'answers_total{{service="{service}"}}'
    bad = f'answers_total{{service="{service}", ended!="success"}}'
    rules = []
    for severity, factor, long, short, wait in WINDOWS:
        limit = factor * (1 - objective)
        parts = [f"sum(increase({every}[{long}])) >= 20"]
        for window in (long, short):
            parts.append(f"sum(rate({bad}[{window}])) / sum(rate({every}[{window}])) > {limit}")
        rules.append({
            "alert": "ErrorBudgetBurns",
            "expr": " and ".join(parts),
            "for": wait,
            "labels": {"severity": severity, "service": service},
            "annotations": {"summary": f"{service} burns its budget {factor} times too fast"},
        })
    return yaml.safe_dump({"groups": [{"name": f"budget-{service}", "rules": rules}]})
    # END SOLUTION

# %%
check("08.3", burn_rate_rules)

# %% [markdown] name="burn-why" only="solution"
# Each part of the expression prevents one kind of false alarm. The long window says that it
# matters: a spike of eight minutes does not reach 14.4% of an hour. The short one says that it goes
# on: without it, the page would last an hour longer than the incident. The 20 answers keep a quiet
# night from paging. `for` waits for a second look, and costs its two minutes in each incident.
#
# Bad answers are counted directly. `1 - good / all` looks like the same, but when every answer
# fails from the start, there is no series of good ones. Then the whole expression has no result,
# and the alert is silent in the worst case.
#
# A file of rules is built from data here, and not from pieces of text: `safe_dump` takes care of
# quotes and indentation.

# %% [markdown] name="burn-use-text"
# Compare with an alert that many services start with: more than 10% bad answers in five minutes.
# Two histories: a spike of six minutes, and a slow burn of 8% bad answers for eight hours. Which
# alerts fire in the minute after the spike, and at the end of the slow burn?

# %% name="burn-naive"
NAIVE = """
groups:
  - name: naive
    rules:
      - alert: ManyErrors
        expr: |
          sum(rate(answers_total{ended="error"}[5m])) / sum(rate(answers_total[5m])) > 0.1
        labels: {severity: page, service: shop}
"""

HISTORIES = {  # values each minute: good answers, bad ones, and when to look
    "a spike of six minutes": ("0+10x100 1000+0x6 1000+10x20", "0+0x100 10+10x6 70+0x20", 107),
    "8% bad for eight hours": ("0+92x480", "0+8x480", 480),
}

# %% name="burn-use"
import json
import subprocess
import tempfile
from pathlib import Path

from helpers.testbed.prometheus import program


def silent(rules: str, good: str, bad: str, minute: int) -> bool:
    """Whether no alert fires at this minute, by promtool."""
    series = [{"series": f'answers_total{{service="shop", ended="{ended}"}}', "values": values}
              for ended, values in (("success", good), ("error", bad))]
    look = {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{minute}m", "exp_samples": []}
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [
        {"interval": "1m", "input_series": series, "promql_expr_test": [look]}]}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(rules)
        Path(folder, "test.yml").write_text(json.dumps(test))  # JSON is YAML, too
        command = [program("promtool"), "test", "rules", "test.yml"]
        return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0

# %% name="burn-table"
if ready("08.3"):
    rows = []
    for name, history in HISTORIES.items():
        row = {"history": name}
        for whose, rules in {"naive": NAIVE, "yours": burn_rate_rules("shop", 0.99)}.items():
            row[whose] = "silent" if silent(rules, *history) else "fires"
        rows.append(row)
    show.table(rows, caption="Which alerts fire")

# %% [markdown] name="measured-text"
# ## What you measured
#
# Each row compares the same case without and with your work. The other exercises have no row: their
# cards and tables give the figures.

# %% name="measured"
if measured:
    show.table(measured, caption="What your work changed", digits=2)

# %% [markdown] name="next"
# ## Next
#
# `course status` shows your progress.
#
# - The walkthrough again: [08 Monitor in production](../notebooks/08_monitor_in_production.ipynb).
# - Prometheus: [names and labels](https://prometheus.io/docs/practices/naming/), [functions of
#   PromQL](https://prometheus.io/docs/prometheus/latest/querying/functions/), [tests of
#   rules](https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/).
# - Google's SRE workbook: [alerts on objectives](https://sre.google/workbook/alerting-on-slos/).
