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
# - **The end.** A streamed answer ends with its last piece. Before its answer has ended, a request
#   is only in flight. Then it is counted and timed once, however it ended, and is no longer in
#   flight. A background task that runs after the last piece may be a part of its request or not.
# - **`route`** is the path as the app declares it, such as `/orders/{number}`, and `other` where no
#   path of the app matches. After the app has found a route, FastAPI keeps it in the request's
#   scope: `scope["route"].path`. FastAPI's own pages, such as `/docs`, are not kept there: their
#   path and `other` are both right. No label ever has a value from a request's path, query, headers
#   or body.
# - **`status`** is the status code that was sent, as text. Where the app raises an error, it is
#   `500`, even if another code was sent before, as in a stream that began with 200. Where the
#   request's task is cancelled (`asyncio.CancelledError`, for instance because the client has
#   left), it is `499`, even if nothing was sent yet.
# - **The app works as before.** It sends the same headers and bytes, each piece at once, and raises
#   the same errors. What is not of the type `http` (the scopes `lifespan` and `websocket`) reaches
#   the app unchanged, and is not measured.
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

# %% [markdown] name="instrument-notes" only="instructor"
# Watch for these mistakes: `@app.middleware("http")`, which sees the head and not the end; `except
# Exception`, which misses a cancelled task; a route that is read before the app has found it. Ask
# people who are stuck: "When does `await app(...)` return?" The statement is long. Give it twelve
# minutes before you help. When you are late, accept *partly* if only cancelled requests are
# missing.

# %% [markdown] name="instrument-why" only="solution"
# FastAPI's own `@app.middleware("http")` gets the response before its body is written: a time that
# is taken there is the time to the first byte. A middleware at the ASGI level returns when the last
# piece has been sent. And only there can you see a stream that breaks: its head has said 200, so a
# status code read from the head counts it as a success.
#
# `finally` covers what `except Exception` does not: a cancelled task. Without it, every client that
# leaves would stay in the gauge until the next release.
#
# The label is the route and not the path. Otherwise each order, and each path that a scanner tries,
# would be a new series, and in the histogram one for each bucket, one for the sum and one for the
# count.

# %% [markdown] name="instrument-use-text"
# What does the choice of the label save? Ask for 200 orders, count the series, and compare with the
# number that you would get with the path as the label.

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
# | `le` (buckets only) | `0.5`, `1.0`, `2.0`, `3.0`, `5.0`, `8.0`, `13.0`, `+Inf` |
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
#   none. At least one instance is running at the end of each hour.
# - `slow`: of those that were answered in the last 30 minutes, the share that took longer than 3
#   seconds, from 0 to 1. One number without labels. If nothing was answered, there is no result.
# - `p95`: the 95th percentile of the seconds that the answers of the last 30 minutes took, as
#   `histogram_quantile` reads it from the buckets. One number for each version, with the label
#   `version` alone. A version that has answered nothing in these 30 minutes has no result.
#
# "No result" means no series, and not one with the value NaN.
#
# The check evaluates each one at the end of several hours, on a real Prometheus. Instances restart,
# stop, start, and are not scraped for some minutes; instances and versions have other names than
# here. A value may be off by 2%, because Prometheus has to estimate what happens between two
# scrapes.
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

# %% [markdown] name="promql-notes" only="instructor"
# Watch for these mistakes: `increase` of a sum; the mean of two quantiles; probes that are counted
# too; NaN where nobody has asked. Let people look at the raw series with `query`, and ask what a
# restart does to their sum: one minute. Give it eight minutes before you help. The check runs a
# real Prometheus. If you have none, do this exercise together, from the solution.

# %% [markdown] name="promql-why" only="solution"
# A counter holds what one process has counted since its last start. `increase` and `rate` see a
# restart where the value drops, and can do so only in the series of one process. So they come
# first, and `sum` comes after them. The same order holds for quantiles: add up the buckets, and
# then ask for the quantile. A mean of two 95th percentiles is no percentile of anything.
#
# `> 0` in `slow` leaves out the sum when it is 0, and then there is nothing to divide by. `>= 0`
# after the quantile does the same for NaN, since no comparison with NaN is true. A dashboard shows
# a gap then, and an alert on the expression does not fire. An hour without questions needs a
# separate alert.

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
# with `success`, or no other series.
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
#   of the service. It has an annotation `summary`. All other names are up to you.
# - Unless the objective is greater than 0 and less than 1, the function raises a `ValueError` (for
#   `nan`, too). Its message contains the word `objective`.
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

# %% [markdown] name="burn-notes" only="instructor"
# Watch for these mistakes: `1 - good / all`; a list of bad endings in place of "not a success"; one
# minimum for both alerts. Ask: "What does your expression give while no answer is good?" and wait
# ten seconds. Let people write the page first, and then the loop over both rows. Give it ten
# minutes before you help. When you are late, leave out the comparison with the naive alert.

# %% [markdown] name="burn-why" only="solution"
# Each part of the expression prevents one kind of false alarm. The long window says that it
# matters: a spike of eight minutes does not reach 14.4% of an hour. The short one says that it goes
# on: without it, the page would last up to an hour longer than the incident. The 20 answers keep a
# quiet night from paging. `for` waits for a second look, and costs its two minutes in each
# incident.
#
# Bad answers are counted directly. `1 - good / all` looks the same, but when every answer fails
# from the start, there is no series of good ones. Then the whole expression has no result, and the
# alert is silent in the worst case.
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

# %% [markdown] name="threshold-goal"
# ## 4. Choose a threshold by what mistakes cost
#
# A detector gives each answer a score: the higher, the better the answer is grounded in what the
# model was given to read. Here are the scores of a simple one, the share of an answer's words that
# occur in its source or its question, for answers that people have labelled. They come in two
# parts: you choose on `tune` and judge on `test`.

# %% name="threshold-given"
from helpers.monitor.answers import labelled_answers
from helpers.monitor.groundedness import overlap


def scored(part):
    """The scores of a part's answers, and for each whether it is grounded."""
    answers = labelled_answers(part)
    scores = [overlap(each.answer, each.source, each.question) for each in answers]
    return scores, [each.grounded for each in answers]


tune, test = scored("tune"), scored("test")
for scores, grounded in (tune, test):
    print(len(scores), "answers,", sum(grounded), "of them grounded")

# %% [markdown] name="threshold-task"
# Write `by_cost(tune, test, rate, missed, alarm)`, a plain function (not `async`).
#
# - `tune` and `test` are pairs of lists of equal length: scores (`float`) and labels (`bool`,
#   `True` for grounded).
# - An answer is **flagged** if its score is below the threshold, and not if it equals it.
# - `rate` is the share of live answers that are not grounded, from 0 to 1. It is not the share in
#   either part, where such answers were collected on purpose.
# - `missed` is the cost of an ungrounded answer that is not flagged, and `alarm` is the cost of a
#   grounded one that is flagged; both are 0 or more.
# - The **cost** of a threshold on a part is the expected cost of one live answer:
#   `rate * missed * m + (1 - rate) * alarm * a`, where `m` is the share of the part's ungrounded
#   answers that are not flagged, and `a` the share of its grounded answers that are flagged.
#
# Choose the threshold with the lowest cost on `tune`. Candidates are the scores that occur in
# `tune`, grounded or not, and `math.inf`, which flags everything. (The lowest score flags nothing.)
# Rounding may separate equal costs, so every cost less than 1e-12 above the lowest one counts as
# lowest, too. Among these choose the lowest threshold: it flags the fewest answers.
#
# Return a dict of exactly these five, all but the first worked out on `test`:
#
# - `"threshold"`: the chosen one, a number;
# - `"missed"` and `"alarms"`: how many ungrounded answers of `test` are not flagged, and how many
#   grounded ones are flagged (both whole numbers);
# - `"cost"`: the threshold's cost on `test`;
# - `"precision"`: of the live answers that would be flagged, the share that is not grounded. Work
#   it out from `rate` and the two shares of `test`. It is `None` where none would be flagged.
#
# A part without a grounded answer, or without an ungrounded one, raises a `ValueError` whose
# message names that part and not the other. If both are like this, it names `tune`.
#
# For instance, `tune = ([0.2, 0.4, 0.6, 0.8], [False, True, False, True])`, `test = ([0.1, 0.5,
# 0.7, 0.9], [False, True, False, True])`, `rate=0.25`, `missed=8` and `alarm=1`: the threshold 0.4
# misses one ungrounded answer of two and costs `0.25 * 8 * 0.5 = 1`. With 0.8, nothing is missed,
# and one grounded answer of two is flagged: `0.75 * 1 * 0.5 = 0.375`, which is the lowest. On
# `test`, 0.8 misses none and flags one of two, so the result is `{"threshold": 0.8, "missed": 0,
# "alarms": 1, "cost": 0.375, "precision": 0.4}`. The last is `0.25 / (0.25 + 0.75 * 0.5)`.
#
# scikit-learn's `roc_curve` may be used: with `grounded` as the classes, its first result is the
# share of ungrounded answers that are not flagged, and its second is the share of grounded answers
# that are not flagged.

# %% exercise="08.4"
import math

import numpy as np
from sklearn.metrics import roc_curve

Scored = tuple[list[float], list[bool]]


def by_cost(tune: Scored, test: Scored, rate: float, missed: float, alarm: float) -> dict:
    """The cheapest threshold on one part, and what it is worth on the other."""
    # LAB: return TODO
    # BEGIN SOLUTION
    for name, (_, grounded) in {"tune": tune, "test": test}.items():
        if len(set(grounded)) < 2:
            raise ValueError(f"{name} needs answers that are grounded, and others that are not")

    scores, grounded = tune
    passed_bad, passed_good, thresholds = roc_curve(grounded, scores, drop_intermediate=False)
    costs = rate * missed * passed_bad + (1 - rate) * alarm * (1 - passed_good)
    threshold = float(thresholds[costs < costs.min() + 1e-12].min())

    flagged = np.array(test[0]) < threshold
    good = np.array(test[1])
    m, a = np.mean(~flagged[~good]), np.mean(flagged[good])
    right, wrong = rate * (1 - m), (1 - rate) * a
    return {
        "threshold": threshold,
        "missed": int(np.sum(~flagged & ~good)),
        "alarms": int(np.sum(flagged & good)),
        "cost": float(rate * missed * m + (1 - rate) * alarm * a),
        "precision": float(right / (right + wrong)) if right + wrong else None,
    }
    # END SOLUTION

# %%
check("08.4", by_cost)

# %% [markdown] name="threshold-notes" only="instructor"
# Watch for these mistakes: the part's own share in place of `rate`; a threshold that is chosen on
# `test`; no `math.inf` among the candidates. Ask people who are stuck to work out the statement's
# example on paper. Give it five minutes before you help. When you are late, accept *partly* if only
# the costs that differ by a rounding error are missing.

# %% [markdown] name="threshold-why" only="solution"
# The threshold follows from three numbers that no detector knows: how often an answer is invented,
# and what each mistake costs. In the labelled parts more than half of the answers are not grounded;
# in live traffic it may be two of a hundred. A cost computed with the part's own share would flag
# far too much.
#
# The cost on `tune` is too good, because the threshold was chosen to make it low. So the cost to
# report is that on `test`. The lowest score and `math.inf` are candidates too: where a false alarm
# is expensive and invention is rare, it is cheapest to flag nothing, and a detector that cannot
# beat that is not worth its CPU.

# %% [markdown] name="threshold-use-text"
# What does the same detector do as invention becomes rarer? Look at the last column: it is what the
# people who read the flagged answers will notice.

# %% name="threshold-use"
if ready("08.4"):
    rows = []
    for rate in (0.5, 0.2, 0.05, 0.02):
        rows.append({"not grounded": f"{rate:.0%}"} | by_cost(tune, test, rate, 20, 1))
    show.table(rows, caption="A missed invention costs 20 times as much as a false alarm", digits=2)

# %% [markdown] name="bias-goal"
# ## 5. Accuse an agent only with a control
#
# An agent was asked each request twice: once in the words of a person who grew up with English, and
# once in the words of a person who is still learning it. Each pair holds what the two got, for
# instance 1 for the right tool and 0 for a wrong one. Is a gap between them bias? Any two wordings
# of a request differ a little in what they get. So there is a **control**: the same, with two
# wordings by native speakers in each pair.
#
# Write `unfair(pairs, control)`, a plain function (not `async`).
#
# - `pairs` and `control` are lists of pairs of numbers, of any length each.
# - The **gap** of a list is the mean of the first numbers minus the mean of the second ones.
# - Test the gap of `pairs` with SciPy's `permutation_test`. The pairs belong together, so under
#   the null hypothesis the two numbers *of one pair* may be swapped:
#   `permutation_type="samples"`. A gap in either direction counts: the test is two-sided. Take
#   999 resamples; more are accepted. (For up to 9 pairs SciPy then tries all swaps.) The same
#   lists must give the same result each time, so pass `rng` a seed.
# - The **margin** is what two native wordings may differ by: the absolute gap of `control`, plus
#   two standard errors of that gap. The standard error of a gap is the sample standard deviation
#   of the differences within the pairs (`ddof=1`), divided by the square root of the number of
#   pairs.
# - The agent is **accused** if the p-value is below 0.05, and the absolute gap of `pairs` is
#   greater than the margin. Both sides of the second comparison count as equal if they differ by
#   less than 1e-12.
#
# Return a dict of exactly these four: `"gap"` (of `pairs`, with its sign), `"p"`, `"margin"`, all
# three numbers, and `"accused"`, a `bool` (or NumPy's).
#
# Fewer than two pairs in `control` raise a `ValueError` whose message contains the word `control`.
# Fewer than two in `pairs` raise one whose message contains `pairs` and not `control`, whatever
# `control` is.
#
# For instance, six pairs `(1, 0)` and the control `[(1, 1), (1, 0), (0, 1), (1, 1)]`: the gap is 1,
# and of the 64 ways to swap, 2 give a gap as large, so p is 0.03125. The control's differences are
# 0, 1, -1, 0, with the mean 0 and the standard deviation 0.816, so the margin is `2 * 0.816 / 2 =
# 0.816`. The agent is accused.

# %% exercise="08.5"
import math

import numpy as np
from scipy.stats import permutation_test

Pairs = list[tuple[float, float]]


def unfair(pairs: Pairs, control: Pairs) -> dict:
    """Whether the two of each pair are treated differently, by more than chance and the control."""
    # LAB: return TODO
    # BEGIN SOLUTION
    if len(pairs) < 2:
        raise ValueError("pairs needs two pairs or more")
    if len(control) < 2:
        raise ValueError("control needs two pairs or more")

    def mean_gap(first, second, axis):
        return np.mean(first - second, axis=axis)

    first, second = np.array(pairs).T
    tested = permutation_test(
        (first, second), mean_gap, permutation_type="samples", n_resamples=999, rng=8)

    one, other = np.array(control).T
    error = np.std(one - other, ddof=1) / math.sqrt(len(control))
    margin = abs(np.mean(one - other)) + 2 * error
    gap = np.mean(first - second)
    accused = tested.pvalue < 0.05 and abs(gap) > margin + 1e-12
    return {"gap": float(gap), "p": float(tested.pvalue), "margin": float(margin),
            "accused": bool(accused)}
    # END SOLUTION

# %%
check("08.5", unfair)

# %% [markdown] name="bias-notes" only="instructor"
# Watch for these mistakes: the two numbers of a pair are separated; the margin leaves out the
# control's own gap; a negative gap counts as none. Ask: "Which two numbers may be swapped?" Give it
# six minutes before you help. The code is short. When you are late, skip the table about the
# course's agent, which takes 240 calls.

# %% [markdown] name="bias-why" only="solution"
# The test says whether chance alone would give such a gap. It does not say that the way of writing
# matters: the first wordings may simply be clearer, as they are in any list whose author wrote the
# plainest one first. The control has the same fault, and its margin takes that into account.
#
# With `permutation_type="independent"` the differences between easy and hard requests would count
# as noise, and hide the gap. With few pairs the p-value cannot be small at all: five pairs
# have 32 ways to swap, so their smallest two-sided p is 0.0625. A test that cannot accuse anyone
# proves nothing by not accusing.

# %% [markdown] name="bias-use-text"
# Now test the course's own agent. Which tool does it choose for 40 requests, each in three ways of
# writing, and for a refund request with different names? The table gives how often the tool was
# right: for the first wording, for the other native one, and for the third.

# %% name="bias-asked"
from helpers.agent.answerability import THRESHOLD
from helpers.agent.retrieval import fernhill_index
from helpers.agent.tools import make_tools
from helpers.models import chat_model
from helpers.monitor.ways_of_writing import name_swaps, ways_of_writing
from helpers.shop import open_orders

tools = make_tools(fernhill_index(), open_orders(), threshold=THRESHOLD)
chooser = chat_model(max_tokens=1).bind_tools(tools)


def right_tool(text, tool):
    """1 if the agent's first step is this tool, otherwise 0."""
    calls = chooser.invoke(text).tool_calls
    return int(bool(calls) and calls[0]["name"] == tool)

# %% name="bias-use"
from helpers.models import bulk_run

asked = {"a learner's English": [], "a name": []}
for each in ways_of_writing():
    asked["a learner's English"].append((each.tool, each.native, each.native_again, each.learner))
for each in name_swaps():
    if each.tool == "issue_refund":
        asked["a name"].append((each.tool, each.native, each.native_again, each.other))

if ready("08.5"):
    rows = []
    with bulk_run(chat_model(max_tokens=1), calls=240, input_tokens=900, output_tokens=1):
        for what, requests in asked.items():
            got = [[right_tool(text, tool) for text in texts] for tool, *texts in requests]
            judged = unfair([(a, c) for a, _, c in got], [(a, b) for a, b, _ in got])
            first, again, third = (sum(column) for column in zip(*got, strict=True))
            right = f"{first}, {again}, {third} of {len(got)}"
            rows.append({"what differs": what, "right tool": right} | judged)
    show.table(rows, caption="The course's agent", digits=2)

# %% [markdown] name="bias-means" only="solution"
# A learner's English and a name are two different questions. Read both rows with what you know of
# small numbers: a test that accuses nobody with 40 pairs may have missed a small gap, and a gap
# that is found in one sentence need not be there in the next one. The classifier that chooses the
# tool compares a message with examples by its embedding, and a name is a part of that. What helps
# is to keep names away from it: the request alone is enough to choose a tool.

# %% [markdown] name="gate-goal"
# ## 6. The gate: your rules on days that you have not seen
#
# These are days of Fernhill, replayed: 11 with an incident, each of another kind, and clean days.
# On a clean day all is well, but it may be a weekend, a holiday with twice the traffic, or a day
# with a newsletter at noon. `RULES` is the text of a rule file for Prometheus. The one that you get
# has the thresholds that people write first. Change it, or replace it, until it passes.
#
# - At least 9 of the 11 incidents are **detected**: an alert *begins* to fire while the incident
#   lasts, and at most 60 minutes after the incident begins. Any alert counts, unless it also begins
#   to fire in that time when the same day is replayed without its incident.
# - On ten clean days, at most one **false alarm** is raised in all (with `COURSE_FAST=1`, on two
#   hours of four clean days). Each time that an alert begins to fire on a clean day counts as one;
#   more label sets of an alert that is firing already do not count again.
#
# The incidents: the model gets slow, or does not answer; a release gives wrong numbers for one
# topic; the price of a token doubles; one client asks in a loop; a document is poisoned and sends
# customers to a stranger; the index is months old; looking up orders fails for one carrier; answers
# invent more and more; the guard blocks honest customers; memory leaks. The check uses other days
# than those below: times, sizes and topics differ.

# %% [markdown] name="gate-metrics"
# The service is scraped every 15 seconds. Each day begins with a restart, so its counters begin at
# 0. A series with labels begins to exist when it is first counted, so `increase` does not see that
# first count. Rules are evaluated every minute unless their group says otherwise.
#
# - `gen_ai_client_operation_duration_seconds` (`error_type`, empty for a good answer): histogram:
#   an answer, from when the service begins it to its end.
# - `gen_ai_server_time_to_first_token_seconds`: histogram: until the first word; a failed answer
#   has none. Buckets end at 1, 2.5, 5, 7.5 and 10, among others.
# - `gen_ai_client_token_usage` (`gen_ai_token_type`: input, output): histogram: tokens of an
#   answer.
# - `http_server_request_duration_seconds` (`http_response_status_code`, `http_route`): histogram:
#   a request.
# - `service_answers_total` (`topic`; `result`: grounded, ungrounded, refused, not judged):
#   answers. Refused: "I do not know". About one in ten good answers is called ungrounded.
# - `service_answers_foreign_address_total`: answers that name a web address which is not the
#   shop's.
# - `service_problems_total` (`kind`: model-unreachable, circuit-open, budget-spent,
#   rate-limited): requests that were refused or failed.
# - `service_tool_calls_total` (`tool`; `status`: ok, refused): calls. A tool also refuses orders
#   that are not the customer's.
# - `service_guardrail_blocks_total`: messages that the guard stopped.
# - `service_feedback_total` (`score`: 1, -1): ratings by customers; few give one.
# - `service_cost_usd_total`: dollars; a million tokens usually cost about 0.5.
# - `service_index_age_seconds`: age of the index, which is built each night.
# - `process_resident_memory_bytes`: memory; 2 GB is too much.
# - `canary_answers_total` (`intent`; `result`: right, wrong, failed): answers to eight known
#   questions, three of them every 5 minutes.
#
# The counters' names end in `_total`. Each histogram has `_bucket` (with `le`), `_sum` and
# `_count`.

# %% [markdown] name="gate-visible-text"
# Try your rules on the days below, as often as you like. The days are replayed once, which takes
# about two minutes, and kept. Alarms before an incident and after it are shown, but do not count.
# With `COURSE_FAST` set, only a sample of the days is judged, here and by the check.

# %% name="gate-visible"
from helpers.monitor.testing import INSTRUMENTS, RulesError
from helpers.monitor.testing.joined import judge_joined, lab_days
from helpers.service.testing.joined import APART, joined_database
from helpers.testbed.prometheus import MissingProgram


def on_visible_days(rules):
    """Show what the rules make of the days that you may look at."""
    days, rows = lab_days("visible", fast=fast), []
    try:
        database = joined_database(days, instruments=INSTRUMENTS)
        for one in judge_joined(rules, days, database, apart=APART):
            alarms = [f"{alarm.alert} {alarm.at:%H:%M}" for alarm in one.false_alarms]
            rows.append({"day": one.day, "minutes": one.minutes, "detected by": one.by,
                         "false alarms": len(alarms), "the first": ", ".join(alarms[:2])})
        show.table(rows, caption="Your rules on the visible days", digits=0)
    except (MissingProgram, RulesError) as error:
        print(error)

# %% [markdown] name="gate-look-text"
# To see why a rule fires or does not, ask a day yourself, in any words of PromQL:

# %% name="gate-look"
from helpers.service.testing import prometheus_of
from helpers.testbed.replay import days

by_name = {one.name: one for one in days("visible")}
day = by_name["invention"].hours(before=1, after=2)
print("from", day.incident.begins.strftime("%H:%M"), "on:", day.incident.truth)
try:
    with prometheus_of(day, instruments=INSTRUMENTS) as server:
        asked = "sum by (result) (increase(service_answers_total[30m]))"
        for series in server.range(asked, day.start, day.stop, step_s=1800):
            print(series.labels, [round(value) for value in series.values.values()])
except MissingProgram as error:
    print(error)

# %% exercise="08.6" mend=true
RULES = """
groups:
  - name: fernhill
    rules:
# LAB:       - alert: Slow
# LAB:         expr: |
# LAB:           histogram_quantile(0.95,
# LAB:             sum by (le) (rate(gen_ai_server_time_to_first_token_seconds_bucket[1m]))) > 3
# LAB:       - alert: Failed
# LAB:         expr: sum(increase(service_problems_total[1m])) > 0
# LAB:       - alert: ToolFails
# LAB:         expr: |
# LAB:           sum(rate(service_tool_calls_total{status="refused"}[1m]))
# LAB:             / sum(rate(service_tool_calls_total[1m])) > 0.2
# LAB:       - alert: BadFeedback
# LAB:         expr: sum(increase(service_feedback_total{score="-1"}[15m])) > 1
# LAB:       - alert: Expensive
# LAB:         expr: sum(increase(service_cost_usd_total[1h])) > 0.1
# LAB:       - alert: Memory
# LAB:         expr: process_resident_memory_bytes > 1e9
# BEGIN SOLUTION
      - alert: LateOrFailed
        expr: |
          sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="5.0"}[5m]))
            < 0.5 * sum(rate(gen_ai_client_operation_duration_seconds_count[5m]))
          and sum(increase(gen_ai_client_operation_duration_seconds_count[5m])) >= 5
        for: 1m
      - alert: CanaryWrong
        expr: sum by (intent) (increase(canary_answers_total{result="wrong"}[30m])) > 0
      - alert: ForeignAddress
        expr: increase(service_answers_foreign_address_total[30m]) > 0
      - alert: IndexOld
        expr: service_index_age_seconds > 2 * 86400
      - alert: Blocked
        expr: sum(increase(service_guardrail_blocks_total[10m])) >= 4
      - alert: ManyRefusals
        expr: sum(increase(service_answers_total{result="refused"}[10m])) >= 20
      - alert: PriceOfTokens
        expr: |
          sum(rate(service_cost_usd_total[5m]))
            / sum(rate(gen_ai_client_token_usage_sum[5m])) > 0.7e-6
        for: 6m
      - alert: MemoryGrows
        expr: deriv(process_resident_memory_bytes[30m]) * 86400 > 1e9
        for: 5m
# END SOLUTION
"""

# %% name="gate-tried"
on_visible_days(RULES)

# %%
check("08.6", RULES)

# %% [markdown] name="gate-notes" only="instructor"
# This is the gate. Watch for these mistakes: a share without a minimum count; dollars in place of
# dollars per token; a name that does not exist; a `for` that is too long. Ask which signs are
# exactly zero on a clean day; wait one minute. The check has days of its own, about twice as many
# hours as the visible ones. The first time, it replays them: say so before people run it, or they
# think that it hangs. With `COURSE_FAST` set, it judges only a sample.

# %% [markdown] name="gate-why" only="solution"
# Most of these alerts look at something that is exactly 0, or the same each day, while all is well:
# a wrong canary, a foreign address, the age of the index, dollars for each token. They are fast and
# silent. Where a figure has a usual level, the share comes with a minimum count, and `for` lets one
# bad minute pass.
#
# Two kinds are left to the people who look at the figures each day. Invention grows slowly, and the
# detector calls one good answer in ten ungrounded. The bad release is wrong for one topic, about
# which hardly anyone asks in an hour; a canary for each topic would find it. An alert that catches
# these as well fires on clean days, too.

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
