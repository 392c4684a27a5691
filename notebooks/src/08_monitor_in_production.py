# %% [markdown] name="title"
# # 08 Monitor in production
#
# After this notebook you can measure what matters in an agent's service, write alerts that find an
# incident within minutes and stay silent on good days, and find answers that are not grounded, not
# fair, or not what they were last week.
#
# **90 minutes (the machine works for 5 of them). Level: PromQL is explained. Before it: modules 01
# and 05.**

# %% [markdown] name="picture"
# ```mermaid
# flowchart LR
#     service["service<br>/metrics"] -- "every 15 s" --> prometheus[("Prometheus")]
#     prometheus -- rules --> manager["Alertmanager"] --> person([a person])
#     prometheus -- queries --> board["dashboard"] --> person
#     service -- "a sample of answers" --> detectors["detectors:<br>grounded? fair? the same?"]
#     detectors --> person
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # asked by the judge and the test of bias
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="agent-text"
# ## What do you measure?
#
# Take a small agent. Its model is a server that speaks OpenAI's protocol and answers from a script,
# so its speed and its faults are yours to choose.

# %% name="tools"
from langchain.tools import ToolException, tool


@tool
def track(order: str) -> str:
    """Say where an order is."""
    if order.endswith("9"):
        raise ToolException("The carrier does not answer.")
    return f"Order {order} is on its way."

# %% name="agent"
import tempfile
from contextlib import ExitStack
from pathlib import Path

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

from helpers.testbed import openai_server


def script(body):
    """First a call of the tool, then an answer."""
    last = body["messages"][-1]
    if last["role"] == "user":
        return {"name": "track", "args": {"order": last["content"].split()[-1]}}
    return "It is on its way, and will arrive on Thursday. Anything else?"


room = ExitStack()  # holds what this notebook starts; its last cells end it
folder = room.enter_context(tempfile.TemporaryDirectory())
room.callback(os.chdir, Path.cwd())
os.chdir(folder)  # the files that you write go there, and vanish at the end
track.handle_tool_error = True
upstream = room.enter_context(openai_server(script, delay_s=0.05, token_s=0.005))
chat = ChatOpenAI(base_url=upstream.url, api_key="none", model="small", stream_usage=True)
agent = create_agent(chat, [track])
print(agent.invoke({"messages": "Where is order 12"})["messages"][-1].text)

# %% [markdown] name="signals-text"
# Four *golden signals* describe any service: traffic, errors, latency and saturation (how full it
# is). An agent adds its own: the time to the first token, tokens and what they cost, tools that
# fail, refusals, blocks by a guardrail, feedback. Where
# [OpenTelemetry](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/) has a name for
# it, use that name.
#
# LangChain tells a *callback handler* all that happens in an agent. This one counts it. A
# *counter* only grows, a *gauge* goes up and down, and a *histogram* counts values in buckets and
# keeps their sum.

# %% name="metrics" app="metrics.py"
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.1, 0.2, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 30, 60)


class Figures:
    """The metrics of a model and its tools."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.first_token = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "Seconds from a request to the model's first token",
            ["gen_ai_request_model"], buckets=SECONDS, registry=registry)
        self.duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Seconds of a request to the model",
            ["gen_ai_request_model", "error_type"], buckets=SECONDS, registry=registry)

# %% [markdown] name="more-metrics-text"
# Tokens are a histogram by OpenTelemetry's rules; cost has no name there. The
# `http_requests_in_flight` gauge is the one that module 07's autoscaler looks at.

# %% name="more-metrics" app="metrics.py"
TOKENS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)


class AgentFigures(Figures):
    """The agent's metrics, too; `tools` holds the names of its tools."""

    def __init__(self, registry: CollectorRegistry, tools: Sequence[str] = ()) -> None:
        super().__init__(registry)
        self.tokens = Histogram(
            "gen_ai_client_token_usage", "Tokens of a request to the model",
            ["gen_ai_request_model", "gen_ai_token_type"], buckets=TOKENS, registry=registry)
        self.cost = Counter(
            "agent_cost_usd", "US dollars of the tokens", ["gen_ai_request_model"],
            registry=registry)
        self.tools = Counter(
            "agent_tool_calls", "Calls of tools, by how they ended", ["tool", "ended"],
            registry=registry)
        self.in_flight = Gauge(
            "http_requests_in_flight", "Requests that are being answered", registry=registry)
        for name in tools:
            for ended in ("success", "error"):
                self.tools.labels(name, ended)  # a series that is there from the start, at 0

# %% name="meter" app="metrics.py"
class Meter(BaseCallbackHandler):
    """Tells the figures what an agent's model and tools do.

    Args:
        figures: where it counts.
        usd: dollars of an input token and of an output token; without them no cost is counted.
    """

    run_inline = True  # in an async agent, too: counting is faster than handing it to a thread

    def __init__(self, figures: AgentFigures, usd: tuple[float, float] | None = None) -> None:
        self._figures, self._usd = figures, usd
        self._began: dict[UUID, tuple[float, str, UUID | None]] = {}
        self._first: set[UUID] = set()
        self._called: dict[UUID, tuple[str, UUID | None]] = {}

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A request to the model begins."""
        name = str((kwargs.get("metadata") or {}).get("ls_model_name", "unknown"))
        self._began[run_id] = time.perf_counter(), name, kwargs.get("parent_run_id")

    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A piece of the answer: the first one is timed."""
        if run_id in self._began and run_id not in self._first:
            self._first.add(run_id)
            began, name, _ = self._began[run_id]
            self._figures.first_token.labels(name).observe(time.perf_counter() - began)

# %% name="meter-ends" app="metrics.py"
class WholeMeter(Meter):
    """Also tells the figures how each request to the model ends."""

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """The answer is complete: seconds, tokens, dollars."""
        name = self._timed(run_id, "")
        answer = getattr(response.generations[0][0], "message", None)
        if not (counts := getattr(answer, "usage_metadata", None)):
            return  # unknown is not 0
        for place, kind in enumerate(("input", "output")):
            count = counts[f"{kind}_tokens"]
            self._figures.tokens.labels(name, kind).observe(count)
            if self._usd:
                self._figures.cost.labels(name).inc(count * self._usd[place])

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """The model failed."""
        self._timed(run_id, type(error).__name__)

    def _timed(self, run_id: UUID, error: str) -> str:
        began, name, _ = self._began.pop(run_id, (time.perf_counter(), "unknown", None))
        self._first.discard(run_id)
        took = time.perf_counter() - began
        self._figures.duration.labels(name, error).observe(took)
        return name

# %% [markdown] name="tools-text"
# A tool that fails is not an error for the agent: the tool tells the model that it failed, and the
# customer gets a polite answer. So nobody sees the failure, unless you count how each call ended. A
# customer who leaves cancels the request: LangChain then reports only that a step of the agent has
# failed.

# %% name="meter-tools" app="metrics.py"
class AgentMeter(WholeMeter):
    """Also counts the calls of tools, and what is cancelled."""

    def on_tool_start(self, serialized: Any, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A call of a tool begins."""
        self._called[run_id] = serialized["name"], kwargs.get("parent_run_id")

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has answered, even if it says that it failed."""
        name, _ = self._called.pop(run_id)
        self._figures.tools.labels(name, getattr(output, "status", "success")).inc()

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has raised an error."""
        self._figures.tools.labels(self._called.pop(run_id)[0], "error").inc()

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A step of the agent has failed: what it waited for is over, too."""
        for request, (_, _, step) in list(self._began.items()):
            if step == run_id:
                self._timed(request, type(error).__name__)
        for call, (_, step) in list(self._called.items()):
            if step == run_id:
                del self._called[call]  # the tool is not to blame

# %% [markdown] name="exposition-text"
# Ask six questions and look at what Prometheus would read. Each line is a *series*: a name, its
# labels, and a value. The agent asks its model twice for each question.

# %% name="exposition"
from prometheus_client import generate_latest

registry = CollectorRegistry()
figures = AgentFigures(registry)
meter = AgentMeter(figures, usd=(2e-6, 8e-6))
for order in range(14, 20):
    question = {"messages": f"Where is order {order}"}
    for _ in agent.stream(question, {"callbacks": [meter]}, stream_mode="messages"):
        pass  # only a streamed answer has a first token
exposed = generate_latest(registry).decode()
for line in exposed.splitlines():
    if "_bucket" not in line and "_created" not in line and line[0] != "#":
        print(line)

# %% [markdown] name="measure-notes" only="instructor"
# Before the cell runs, ask for two numbers: how many requests to the model do six questions make,
# and how many calls of the tool fail? The answers: twelve, two for each question, and one. The
# mistake here is to look for failures among the errors of the agent: a tool that fails still gives
# a polite answer, so nobody sees it unless it is counted. When you are late, skip the code of the
# handler, and name only the three kinds of metrics: counter, gauge, histogram.

# %% [markdown] name="buckets-text"
# ## Which buckets, and which labels?
#
# A histogram knows how many values are in each bucket, and their sum, but not the values
# themselves. A quantile that is read from it is interpolated inside one bucket. Here are 2,000
# answers of a model that takes 1 to 9 seconds, and the same on a day when it is twice as slow. How
# far off is the 95th percentile with the library's default buckets, and how far with those above?

# %% name="buckets"
import numpy as np

took = np.random.default_rng(7).gamma(6, 0.55, 2_000)


def quantile(share, values, bounds):
    """What PromQL's histogram_quantile reads from such buckets."""
    bounds = [0] + [each for each in bounds if each < np.inf]
    counts = [np.sum(values <= bound) for bound in bounds]
    wanted = share * len(values)
    if wanted > counts[-1]:
        return bounds[-1]  # beyond the last bucket nothing is known
    return np.interp(wanted, counts, bounds)

# %% name="buckets-table"
from helpers.course import show

rows = []
for day, values in {"a usual day": took, "a slow day": took * 2}.items():
    rows.append({
        "95th percentile of": day,
        "the values themselves": np.quantile(values, 0.95),
        "default buckets": quantile(0.95, values, Histogram.DEFAULT_BUCKETS),
        "buckets for answers": quantile(0.95, values, SECONDS),
    })
show.table(rows, caption="Seconds of an answer, from values and from buckets")

# %% [markdown] name="buckets-notes" only="instructor" then="08.1" needs="What do you measure?"
# Before the table appears, ask what the default buckets say about the slow day. Wait until three
# people have written down a number of seconds. The mistake here is to read the result as a
# measurement: it is the last finite bound, and stays the same however slow the model gets. When you
# are late, do not explain the function `quantile`. After the cell `labels`, ask what may be a label
# of a request to `/orders/12`; wait ten seconds for "the path as the app declares it". Exercise
# 08.1 uses the three kinds of metrics from the first section, and buckets and labels from this one.
# New in it: middleware at the ASGI level. Tell people what that is.

# %% [markdown] name="buckets-rule"
# The default buckets are made for fast web pages: most of them lie below a second, and the last
# finite bound is 10. So the slow day looks like 10 seconds, however slow it is. Put the bounds
# where your answers are, and one exactly at the number that you promise.

# %% [markdown] name="labels-text"
# Every combination of labels is a series, and a histogram is one series for each bucket, one for
# the count and one for the sum. What does it cost to know the time to the first token for each of
# 500 customers?

# %% name="labels"
registry = CollectorRegistry()
by_customer = Histogram(
    "first_token_seconds", "One label too many", ["customer"], buckets=SECONDS, registry=registry)
for number in range(500):
    by_customer.labels(f"C-{number:04}").observe(0.3)
series = 0
for line in generate_latest(registry).decode().splitlines():
    series += line[0] != "#" and "_created" not in line
print(series, "series for one histogram")

# %% [markdown] name="labels-rule"
# Prometheus keeps each series in memory. So use a label only for what has few values: a model, a
# tool, an outcome. Customers, orders and texts belong in logs and traces. A label with a customer's
# words is also personal data that every user of the dashboard can read.

# %% [markdown] name="prometheus-text"
# ## What does Prometheus make of it?
#
# Prometheus reads `/metrics` at a fixed interval, and keeps what it reads as samples, each with a
# time. Start a Prometheus on this machine that reads every second. (`apt install prometheus`; for
# macOS and Windows: [prometheus.io/download](https://prometheus.io/download/). Without it, read the
# stored output.)

# %% name="metrics-server"
from prometheus_client import start_http_server

registry = CollectorRegistry()
figures = AgentFigures(registry, ["track"])
meter = AgentMeter(figures, usd=(2e-6, 8e-6))
exporter, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
text = generate_latest(registry).decode()
print(text[-300:])

# %% name="prometheus"
import atexit

from helpers.testbed import process

atexit.register(room.close)  # also when you close the notebook before its end
Path("prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["rules.y*ml"]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{exporter.server_port}"]}}]
""")
prometheus = room.enter_context(process(
    ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
     "--web.enable-lifecycle", "--web.listen-address=127.0.0.1:{port}"], ready="/-/ready"))

# %% name="query"
import httpx
import pandas as pd


def query(expression):
    """An instant query: one row for each series."""
    reply = httpx.get(f"{prometheus.url}/api/v1/query", params={"query": expression})
    rows = []
    for series in reply.raise_for_status().json()["data"]["result"]:
        rows.append(series["metric"] | {"value": float(series["value"][1])})
    return pd.DataFrame(rows)

# %% [markdown] name="traffic-text"
# Let four customers ask questions for a few seconds, then make the model slow and let them go on.
# In between, the service restarts, as it does with each release: its counters begin at 0 again.

# %% name="traffic"
from concurrent.futures import ThreadPoolExecutor

seconds = 6 if fast else 12


def customer(number):
    """Ask again and again until the time is over; how many questions it asked."""
    until, asked = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        order = 10 + (asked * 7 + number) % 40
        question = {"messages": f"Where is order {order}"}
        with figures.in_flight.track_inprogress():
            for _ in agent.stream(question, {"callbacks": [meter]}, stream_mode="messages"):
                pass
        asked += 1
    return asked


def traffic():
    """Four customers at the same time; how many questions they asked."""
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(customer, range(4)))


time.sleep(1.5)  # until the first scrape
began = time.time()
asked = traffic()
time.sleep(1.5)  # until the last one before the restart

# %% name="restart"
exporter.shutdown()
exporter.server_close()
registry = CollectorRegistry()
figures = AgentFigures(registry, ["track"])
meter = AgentMeter(figures, usd=(2e-6, 8e-6))
exporter, _ = start_http_server(exporter.server_port, addr="127.0.0.1", registry=registry)
upstream.delay_s = 0.8
time.sleep(1.5)
asked_slowly = traffic()
time.sleep(1.5)  # until the last scrape
print(asked, "questions, and then", asked_slowly)

# %% [markdown] name="rate-text"
# How many questions were that, by Prometheus? The last value of a counter knows only what came
# after the restart. `increase(...)` adds up how much a counter grew in a window, restarts included,
# and `rate(...)` is the same growth per second.

# %% name="rate"
window = f"{time.time() - began:.0f}s"
calls = "sum(agent_tool_calls_total)"
growth = f"sum(increase(agent_tool_calls_total[{window}]))"
rows = [
    {"questions by": "the customers", "number": asked + asked_slowly},
    {"questions by": calls, "number": query(calls).value[0]},
    {"questions by": growth, "number": query(growth).value[0]},
]
show.table(rows, caption=f"Questions of {window}")

# %% [markdown] name="rate-notes" only="instructor"
# The cells `traffic` and `restart` take about half a minute together. Start them, then ask whether
# Prometheus will count exactly as many questions as the customers asked. It does not: in the stored
# table, the customers asked 185, the last value is 28, and `increase` gives 143. So distrust is
# reasonable here, and the text `rate-why` gives the reasons: read them together. The mistake is to
# go back to the last value, which knows nothing from before the restart. If you have no Prometheus,
# show the stored outputs of this section and the next.

# %% [markdown] name="rate-why"
# It is not the exact number. Prometheus sees samples, not events. What is counted between the last
# scrape and the restart is lost, and so is the first value of a series that is not there from the
# start: this is why `AgentFigures` creates the series of each tool at 0. The growth at the window's
# edges is extrapolated. Over a day all this makes little difference; over three scrapes it makes a
# lot. So let a window be at least four scrapes long.
#
# Three more things surprise everyone once: nothing divided by nothing, a comparison, and a metric
# that does not exist.

# %% name="surprises"
for expression in [
    "vector(0) / vector(0)",  # no traffic: the share is not a number
    "(vector(0) / vector(0)) > 0.5",  # a comparison keeps what fulfils it, so this has no result
    "sum(agent_tool_calls)",  # the series ends in _total: no result, and no error
    "sum(agent_tool_calls) or vector(0)",  # what is missing counts as 0
]:
    print(list(query(expression).get("value", [])), expression)

# %% name="quantiles"
first_token = "gen_ai_server_time_to_first_token_seconds_bucket"
rows = []
for share in (0.5, 0.95):
    expression = f"histogram_quantile({share}, sum by (le) (rate({first_token}[{seconds}s])))"
    rows.append({"PromQL": expression, "seconds": query(expression).value[0]})
show.table(rows, caption="The time to the first token, after the model became slow")

# %% [markdown] name="promql-notes" only="instructor" then="08.2"
# Cover the comments of the cell `surprises`, and wait five seconds for a guess at each line. In the
# cell `rate`, `increase` is inside `sum`: ask why not the other way round, and leave the answer to
# exercise 08.2. The exercise uses `increase`, `rate` and `histogram_quantile`, and what a
# comparison does to NaN (the cell `surprises`).

# %% [markdown] name="objective-text"
# ## When should an alert wake a person?
#
# An *objective* says what is good enough: of all answers of the model in 30 days, 99% begin within
# 3 seconds and do not fail. The other 1% is the *error budget*. How fast it is used up is the *burn
# rate*: at 1 it lasts the 30 days, at 14.4 it is gone in 50 hours.

# %% [markdown] name="burn-text"
# The usual rule ([SRE workbook](https://sre.google/workbook/alerting-on-slos/)) wakes someone when
# the rate is above 14.4 both in the last hour and in the last five minutes: the hour says that it
# matters, and the five minutes say that it is still going on. A slower burn gets a ticket. Count
# the bad answers, failed ones and late ones: `1 - good / all` has no result as long as there is no
# good one.

# %% name="recording" app="rules.yml"
# %%writefile rules.yml
# groups:
#   - name: answers
#     rules:
#       - record: answers:bad:ratio_rate5m
#         expr: |
#           ((sum(rate(gen_ai_client_operation_duration_seconds_count{error_type!=""}[5m]))
#             or vector(0)) + (sum(rate(gen_ai_server_time_to_first_token_seconds_count[5m]))
#             - sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="3.0"}[5m]))
#             or vector(0))) / sum(rate(gen_ai_client_operation_duration_seconds_count[5m]))
#       - record: answers:bad:ratio_rate1h
#         expr: |
#           ((sum(rate(gen_ai_client_operation_duration_seconds_count{error_type!=""}[1h]))
#             or vector(0)) + (sum(rate(gen_ai_server_time_to_first_token_seconds_count[1h]))
#             - sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="3.0"}[1h]))
#             or vector(0))) / sum(rate(gen_ai_client_operation_duration_seconds_count[1h]))

# %% [markdown] name="alerts-text"
# The alerts belong to the same group: its rules are evaluated in order, so an alert sees the value
# that was recorded just before it. A share of few says little, so the alerts also want 20 answers,
# and four failed calls.

# %% name="alerts" app="rules.yml"
# %%writefile -a rules.yml
#       - alert: AnswersLate
#         expr: |
#           answers:bad:ratio_rate1h > 14.4 * 0.01 and answers:bad:ratio_rate5m > 14.4 * 0.01
#             and sum(increase(gen_ai_client_operation_duration_seconds_count[1h])) >= 20
#         labels: {severity: page}
#         annotations:
#           summary: Too many answers are late or fail
#       - alert: ToolFails
#         expr: |
#           sum by (tool) (rate(agent_tool_calls_total{ended="error"}[30m]))
#             / sum by (tool) (rate(agent_tool_calls_total[30m])) > 0.2
#             and sum by (tool) (increase(agent_tool_calls_total{ended="error"}[30m])) >= 4
#         labels: {severity: ticket}
#         annotations:
#           summary: "The tool {{ $labels.tool }} fails"

# %% [markdown] name="promtool-text"
# Rules are code, so they are checked and tested. `promtool test rules` plays series against them
# (`0+10x120` is 0, and then 10 more at each of 120 steps): here there are 10 answers a minute, and
# after minute 60 none of them begins in time. The share of bad answers in the last hour grows by a
# sixtieth each minute, so it passes 14.4% after about nine minutes.

# %% name="rule-test" app="rules_test.yml"
# %%writefile rules_test.yml
# rule_files: [rules.yml]
# evaluation_interval: 1m
# tests:
#   - interval: 1m
#     input_series:
#       - series: gen_ai_client_operation_duration_seconds_count{error_type=""}
#         values: 0+10x120
#       - series: gen_ai_server_time_to_first_token_seconds_count
#         values: 0+10x120
#       - series: gen_ai_server_time_to_first_token_seconds_bucket{le="3.0"}
#         values: 0+10x60 600+0x60
#       - {series: 'agent_tool_calls_total{tool="track", ended="success"}', values: 0+3x120}
#       - {series: 'agent_tool_calls_total{tool="track", ended="error"}', values: 0x90 0+1x29}

# %% name="rule-expected" app="rules_test.yml"
# %%writefile -a rules_test.yml
#     alert_rule_test:
#       - {eval_time: 68m, alertname: AnswersLate, exp_alerts: []}
#       - eval_time: 75m
#         alertname: AnswersLate
#         exp_alerts:
#           - exp_labels: {severity: page}
#             exp_annotations: {summary: Too many answers are late or fail}
#       - {eval_time: 90m, alertname: ToolFails, exp_alerts: []}
#       - eval_time: 120m
#         alertname: ToolFails
#         exp_alerts:
#           - exp_labels: {severity: ticket, tool: track}
#             exp_annotations: {summary: The tool track fails}

# %% name="promtool"
# !promtool check rules rules.yml
# !promtool test rules rules_test.yml

# %% [markdown] name="load-text"
# The Prometheus that you started reads its rules when it is told to reload.

# %% name="load"
httpx.post(f"{prometheus.url}/-/reload").raise_for_status()
time.sleep(3)  # until they have been evaluated
loaded = httpx.get(f"{prometheus.url}/api/v1/rules").json()
group = loaded["data"]["groups"][0]
for rule in group["rules"]:
    print(rule["health"], rule["name"])

# %% [markdown] name="manager-text"
# An alert goes to *Alertmanager*, which decides who hears of it. It *groups* alerts, so that one
# incident is one message. It *inhibits*: while the model is down, nobody is told that answers are
# late. And a *silence* keeps it quiet during planned work. Let it call this notebook.

# %% [markdown] name="known-to-text"
# Prometheus has to know where it is. To see grouping and inhibition at once, the notebook then
# sends alerts itself, as Prometheus does (`ModelDown` would be a rule on `up`).

# %% name="manager-config"
# %%writefile alertmanager.yml
# route: {receiver: notebook, group_by: [severity], group_wait: 1s, group_interval: 1s}
# receivers:
#   - name: notebook
#     webhook_configs: [{url: "http://127.0.0.1:PORT/", send_resolved: true}]
# inhibit_rules:
#   - source_matchers: [alertname = "ModelDown"]
#     target_matchers: [severity = "page"]

# %% name="webhook"
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

messages = []


class Webhook(BaseHTTPRequestHandler):
    """Takes the place of a pager."""

    def do_POST(self):
        """Keep one message of Alertmanager."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        messages.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Print nothing."""


webhook = HTTPServer(("127.0.0.1", 0), Webhook)
threading.Thread(target=webhook.serve_forever, daemon=True).start()
_ = room.callback(webhook.shutdown)

# %% name="manager"
config = Path("alertmanager.yml").read_text().replace("PORT", str(webhook.server_port))
Path("alertmanager.yml").write_text(config)
manager = room.enter_context(process(
    ["prometheus-alertmanager", "--config.file=alertmanager.yml", f"--storage.path={folder}/am",
     "--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], ready="/-/ready"))

# %% name="connected"
address = manager.url.removeprefix("http://")
with Path("prometheus.yml").open("a") as settings:
    settings.write(f"""alerting:
  alertmanagers: [{{static_configs: [{{targets: ["{address}"]}}]}}]
""")
httpx.post(f"{prometheus.url}/-/reload").raise_for_status()
for _ in range(100):
    known = httpx.get(f"{prometheus.url}/api/v1/alertmanagers").json()["data"]
    if known["activeAlertmanagers"]:
        break
    time.sleep(0.2)
print(known)

# %% name="fire"
def fire(*names):
    """Tell Alertmanager about alerts, as Prometheus does."""
    alerts = []
    for name in names:
        alerts.append({"labels": {"alertname": name, "severity": "page"}})
    reply = httpx.post(f"{manager.url}/api/v2/alerts", json=alerts)
    reply.raise_for_status()

# %% name="told"
fire("AnswersLate", "CostDoubled")
time.sleep(2.5)
fire("ModelDown", "AnswersLate", "ToolFails")
time.sleep(2.5)
for message in messages:
    print(message["status"], [alert["labels"]["alertname"] for alert in message["alerts"]])
# Two alerts in one message; then one alone, since it inhibits all that are pages.

# %% [markdown] name="manager-notes" only="instructor" then="08.3" needs="What does Prometheus make of it?"
# Ask why the rules count bad answers and not `1 - good / all`; wait twenty seconds. When you are
# late, run the cells about Alertmanager without comment: no exercise needs it, but a later cell
# needs their import of `json`. Exercise 08.3 uses the burn rate, the two windows, the minimum count
# and `promtool`, and PromQL from the section before.

# %% [markdown] name="board-text"
# ## What does one screen say in ten seconds?
#
# A dashboard is a list of queries, each with a title. As code it is reviewed and versioned like the
# rest. Five panels answer: is anyone served, in time, without errors, at what price, and do the
# tools work?

# %% name="panels" app="dashboard.py"
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder

FIRST_TOKEN = "sum by (le) (rate(gen_ai_server_time_to_first_token_seconds_bucket[5m]))"
PANELS = {
    "Answers a minute": ("60 * sum(rate(gen_ai_client_operation_duration_seconds_count[5m]))", ""),
    "First token, 95th percentile": (f"histogram_quantile(0.95, {FIRST_TOKEN})", "s"),
    "Late or failed": ("answers:bad:ratio_rate5m", "percentunit"),
    "US dollars an hour": ("3600 * sum(rate(agent_cost_usd_total[5m]))", "currencyUSD"),
    "Tools that fail": (
        'sum by (tool) (rate(agent_tool_calls_total{ended="error"}[30m]))', "cps"),
}

# %% name="dashboard" app="dashboard.py"
def dashboard() -> str:
    """The dashboard, as JSON that Grafana imports."""
    board = Dashboard("Support agent").uid("support-agent").refresh("30s").time("now-6h", "now")
    for title, (expression, unit) in PANELS.items():
        panel = Panel().title(title).unit(unit)
        asked = Dataquery().expr(expression)
        board = board.with_panel(panel.with_target(asked))
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return encoder.encode(board.build())

# %% [markdown] name="board-check-text"
# Here there is no Grafana to look at it with. What can be checked is checked: each query is sent to
# Prometheus, which refuses what it does not understand.

# %% name="board-check"
board = json.loads(dashboard())
rows = []
for panel in board["panels"]:
    expression = panel["targets"][0]["expr"]
    found = query(expression)
    rows.append({"panel": panel["title"], "series": len(found), "PromQL": expression})
show.table(rows, caption=f"{len(rows)} panels")

# %% [markdown] name="replay-text"
# ## Do the rules find an incident?
#
# A rule that parses and passes its test may still be a bad rule. So try it on days. The course has
# a *replay*: the real service answers a day of Fernhill's traffic, on a clock that jumps, from a
# model that can be made slow, dead or wrong. What Prometheus would have scraped is kept, and you
# can query it. Each day has an incident with a known beginning, or none.

# %% name="planned"
from helpers.testbed.replay import days

incidents, nights = {}, []
for planned in days("visible"):
    if planned.name in ("slow model", "dead model", "failing tool"):
        incidents[planned.name] = planned.hours(before=1.5, after=2)
    if planned.incident is None:  # a clean day: its quiet hours, from midnight to seven
        nights.append(planned.hours(noon=4, before=4, after=3))
nights = nights[:3] if fast else nights
for name, planned in incidents.items():
    print(f"{name}: {planned.incident.truth}")

# %% [markdown] name="candidates-text"
# Put the burn rate beside what people write first: a threshold for each figure, over the last five
# minutes. The metrics of the course's service have nearly the same names as yours. There, a tool
# that fails has the status `refused`, and late is more than 2.5 seconds for all rules here. (A burn
# rate of 6 uses up the budget in five days.) What do you expect: which rule is faster, and which
# one cries wolf?

# %% name="candidates"
WITHIN = "sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le='2.5'}[%s]))"
ANSWERS = "sum(rate(gen_ai_client_operation_duration_seconds_count[%s]))"
TOOL_ERRORS = "sum by (tool) (increase(service_tool_calls_total{status='refused'}[%s]))"
TOOL_CALLS = "sum by (tool) (increase(service_tool_calls_total[%s]))"


def late(window):
    """The share of answers in a window that were late or failed."""
    return f"(1 - {WITHIN % window} / {ANSWERS % window})"


candidates = {
    "95th percentile over 2.5 s": f"histogram_quantile(0.95, {FIRST_TOKEN}) > 2.5",
    "a late or failed answer": f"{late('5m')} > 0.01",
    "tools refuse over 20%": f"{TOOL_ERRORS % '5m'} / {TOOL_CALLS % '5m'} > 0.2",
    "burn rate 6, two windows": f"{late('1h')} > 0.06 and {late('5m')} > 0.06",
    "tools, with a minimum": f"{TOOL_ERRORS % '30m'} / {TOOL_CALLS % '30m'} > 0.3 "
    f"and {TOOL_CALLS % '30m'} > 10",
}

# %% [markdown] name="firing-text"
# A range query gives the value of an expression at each minute of a period. An alert's expression
# has a value only while it holds, so the minutes at which there is one are the minutes at which it
# would fire.

# %% name="firing"
def ask(server, expression, period):
    """A range query, minute by minute: the series of an expression in a period."""
    start, end = period.start.timestamp(), period.stop.timestamp()
    asked = {"query": expression, "start": start, "end": end, "step": 60}
    reply = httpx.get(f"{server.url}/api/v1/query_range", params=asked)
    return reply.raise_for_status().json()["data"]["result"]


def minutes(server, expression, period):
    """The minutes of a period at which an expression holds."""
    found = set()
    for series in ask(server, expression, period):
        for at, _ in series["values"]:
            found.add(round((at - period.start.timestamp()) / 60))
    return sorted(found)

# %% name="replayed"
from helpers.service.testing import prometheus_of

first_alarm = {rule: {} for rule in candidates}
for name, planned in show.progress(incidents.items(), "incidents"):
    start = 90  # minutes: the replay begins an hour and a half before the incident
    end = start + 60 * planned.incident.hours
    with prometheus_of(planned) as server:
        for rule, expression in candidates.items():
            first_alarm[rule][name] = None
            for at in minutes(server, expression, planned):
                if start <= at <= end:
                    first_alarm[rule][name] = at - start
                    break
print(first_alarm["tools, with a minimum"])

# %% name="wolf"
def begins(found):
    """The first minutes of alarms; on a clean night each of them is a false one."""
    return [minute for minute in found if minute - 1 not in found]


false_alarms = dict.fromkeys(candidates, 0)
for planned in show.progress(nights, "clean nights"):
    with prometheus_of(planned) as server:
        for rule, expression in candidates.items():
            fired = minutes(server, expression, planned)
            false_alarms[rule] += len(begins(fired))

# %% name="alarms-table"
rows = []
for rule in candidates:
    row = {"rule": rule} | first_alarm[rule]
    row["alarms on clean nights"] = false_alarms[rule]
    rows.append(row)
caption = f"Minutes from an incident to the alarm, and alarms on {len(nights)} nights"
show.table(rows, caption=caption)

# %% [markdown] name="alarms-notes" only="instructor"
# Run the cell `replayed` before the workshop: the first run replays the days, with a progress bar,
# and keeps them. In the workshop, take a vote before it runs: which rule is faster, and which one
# raises false alarms? The mistake here is to look for one rule that finds all three incidents. Give
# pairs two minutes to choose the two rules that find them together.

# %% [markdown] name="alarms-rule"
# The thresholds are a few minutes faster. At night, when five minutes hold two answers, a single
# slow one is half of them, and a person is woken for it. A window of an hour and a minimum count
# cost minutes and buy silence. No single rule finds all three incidents: a tool that fails makes no
# answer late, and a percentile of first words does not know of answers that have none. These are
# quiet nights; by day the last rule also fires when one customer tries many wrong order numbers.

# %% [markdown] name="own-rules"
# The course's own rules are in [rules.yml](../helpers/monitor/rules.yml). `course incidents` tries
# them on eleven kinds of incidents, or thresholds with `--naive`; `--part heldout` takes days for
# which they were not written.

# %% [markdown] name="look-text"
# And the dashboard? Draw its first two panels, and the share of answers that are late or failed,
# for the day on which the model is slow. Can you see in ten seconds what is wrong, and since when?

# %% name="look"
def values(server, expression, period):
    """Hours of the day, and the values of an expression at them."""
    hours, numbers = [], []
    for at, number in ask(server, expression, period)[0]["values"]:
        hours.append(at % 86_400 / 3600)
        numbers.append(float(number))
    return hours, numbers


slow = incidents["slow model"]
drawn_panels = {}
with prometheus_of(slow) as server:
    for title, (expression, _) in list(PANELS.items())[:2]:
        drawn_panels[title] = values(server, expression, slow)
    drawn_panels["Late or failed"] = values(server, late("5m"), slow)

# %% name="look-plot"
for title, (hours, numbers) in drawn_panels.items():
    show.line(
        {title: (hours, numbers)},
        x="hour of the day",
        y=title.lower(),
        title=f"{title}: up to {max(numbers):.3g}",
        marks={"the model is slow": slow.incident.at},
    )

# %% [markdown] name="grounded-text"
# ## Which answers are invented?
#
# Nothing so far looks at what an answer says. An answer is *grounded* when all that it claims is in
# the text that the model was given. Here are answers that the local model wrote. They were labelled
# by hand, twice, following a [written rule](../helpers/monitor/data/answers.json), before any
# detector saw them. Some of them make no claim and are left out.

# %% name="answers"
from helpers.monitor import labelled_answers

labelled = labelled_answers()
truth = np.array([answer.grounded for answer in labelled])
print(len(labelled), "answers,", truth.sum(), "grounded")
for place in (truth.argmax(), truth.argmin()):  # the first that is, and the first that is not
    answer = labelled[place]
    print()
    print("text:    ", answer.source[:300])
    print("answer:  ", answer.answer[:300])
    print("grounded:", answer.label)

# %% [markdown] name="detectors-text"
# A *detector* gives each answer a number. The cheapest ones compare words. One takes the share of
# the answer's words that are in the text or in the question. The other counts the answer's numbers
# and names that are in neither.

# %% name="overlap"
import re

COMMON = {"a", "an", "the", "of", "to", "in", "on", "for", "is", "are", "be", "it", "and", "or"}


def overlap(answer):
    """The share of the answer's words that are in its text or its question."""
    read = f"{answer.source} {answer.question}".lower()
    known = set(re.findall(r"\w+", read))
    said = set(re.findall(r"\w+", answer.answer.lower()))
    words = said - COMMON
    return len(words & known) / max(len(words), 1)

# %% name="figures"
def figures_known(answer):
    """Minus how many numbers and names are neither in the text nor in the question."""
    known = f"{answer.source} {answer.question}"
    claimed = re.findall(r"\d[\d.,]*\d|\d|(?<=[a-z,] )[A-Z][a-z]+", answer.answer)
    return -sum(each not in known for each in claimed)

# %% [markdown] name="detectors-model-text"
# Two others use models. The log-probability of the answer's own tokens says how sure the model was
# when it wrote them; `logprobs=True` returns it with the answer, at no cost. And an embedding says
# whether each sentence is close to some sentence of the text.

# %% name="nearest"
from helpers.models import embeddings


def sure(answer):
    """The mean log-probability of the answer's tokens."""
    return np.mean(answer.logprobs)


def sentences(text):
    """Its sentences."""
    return [each for each in re.split(r"(?<=[.!?])\s+", text) if each]


def nearest(answer):
    """The cosine of the answer's sentence that is farthest from all sentences of the text."""
    said = embeddings().embed_documents(sentences(answer.answer))
    read = embeddings().embed_documents(sentences(answer.source))
    cosines = np.array(said) @ np.array(read).T
    return cosines.max(axis=1).min()

# %% [markdown] name="judge-text"
# The fifth asks a language model to judge: is all of this in the text? The local model is small,
# and its judgement takes most of a second, so it judges only some of the answers.

# %% name="judge"
from helpers.models import chat_model

judge = chat_model(max_tokens=1).bind(logprobs=True, top_logprobs=20)


def judged(answer):
    """The log-probability of "Yes" minus that of "No"."""
    reply = judge.invoke(
        f"Text: {answer.source}\nAnswer: {answer.answer}\n"
        "Is everything in the answer also in the text? Say Yes or No.")
    likely = {"Yes": -20.0, "No": -20.0}
    for each in reply.response_metadata["logprobs"]["content"][0]["top_logprobs"]:
        if each["token"].strip() in likely:
            word = each["token"].strip()
            likely[word] = max(likely[word], each["logprob"])
    return likely["Yes"] - likely["No"]

# %% [markdown] name="area-text"
# What is each worth? The area under the *ROC curve* is the chance that a grounded answer gets a
# higher number than an invented one: 0.5 is guessing, 1 is perfect. The interval comes from a
# *bootstrap*: it draws answers again and again, with replacement, and works out the same figure
# each time.

# %% name="scored"
detectors = {"words known": overlap, "numbers and names known": figures_known,
             "the model was sure": sure, "nearest sentence": nearest}
scores, cost = {}, {}
for name, detector in detectors.items():
    started = time.process_time()
    found = [detector(answer) for answer in labelled]
    took_cpu = time.process_time() - started
    scores[name] = np.array(found)
    cost[name] = 1000 * took_cpu / len(labelled)

# %% name="judge-scored"
each = 6 if fast else 30  # as many grounded ones as others
lots = np.random.default_rng(1)
good = lots.permutation(np.flatnonzero(truth))
invented = lots.permutation(np.flatnonzero(~truth))
some = [*good[:each], *invented[:each]]
verdicts = []
started = time.process_time()
for place in show.progress(some, "judged"):
    verdict = judged(labelled[place])
    verdicts.append(verdict)
judging = time.process_time() - started
cost["the judge"] = 1000 * judging / len(some)

# %% name="area"
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score


def area(truth, numbers):
    """The area under the ROC curve, with its 95% interval."""
    found = bootstrap(
        (truth, numbers),
        roc_auc_score,
        paired=True,
        vectorized=False,
        n_resamples=200 if fast else 1_000,
        method="percentile",
        rng=1,
    )
    low, high = found.confidence_interval
    return {"area": roc_auc_score(truth, numbers), "from": low, "to": high}

# %% name="area-table"
rows = []
for name, numbers in scores.items():
    row = {"detector": name, "answers": len(truth)} | area(truth, numbers)
    row["CPU ms an answer"] = cost[name]
    rows.append(row)
row = {"detector": "the judge", "answers": len(some)} | area(truth[some], verdicts)
row["CPU ms an answer"] = cost["the judge"]
rows.append(row)
show.table(rows, caption="Detectors of answers that are not grounded")

# %% [markdown] name="detectors-notes" only="instructor"
# Start the cell `judge-scored`: it asks the model for each answer. Meanwhile, let everyone rank the
# five detectors on paper: one minute. The mistake here is to take the most expensive one for the
# best. The judge saw only some of the answers: read its interval before its area.

# %% [markdown] name="paired-text"
# Intervals of two detectors may overlap, although one is better on nearly every draw. So compare
# them on the same draws: this is a *paired* bootstrap. (The package's
# `python -m helpers.monitor.detector_table` draws whole questions, since answers to the same one
# resemble each other.)

# %% name="paired"
def gain(truth, one, other):
    """How much larger the area of one detector is than that of another."""
    return roc_auc_score(truth, one) - roc_auc_score(truth, other)


compared = (truth, scores["words known"], scores["numbers and names known"])
drawn_again = bootstrap(
    compared,
    gain,
    paired=True,
    vectorized=False,
    n_resamples=200 if fast else 1_000,
    method="percentile",
    rng=1,
)
low, high = drawn_again.confidence_interval
print(f"words beat numbers and names by {gain(*compared):.2f} [{low:.2f}, {high:.2f}]")

# %% [markdown] name="threshold-text"
# An alarm needs a threshold. Choose it on one half of the answers by what mistakes cost: say that
# an invented answer that nobody notices costs ten times as much as a false alarm, which a person
# reads and closes. Judge the threshold on the other half, since it always looks good on the half
# that it was chosen on.

# %% name="threshold"
from sklearn.metrics import roc_curve

words = scores["words known"]
tune = np.array([answer.part == "tune" for answer in labelled])
invented = ~truth
cried_at, caught_at, thresholds = roc_curve(invented[tune], -words[tune])
rate = 0.1  # the share of the live answers that are invented
missed_cost = 10 * rate * (1 - caught_at)
alarm_cost = (1 - rate) * cried_at
cheapest = np.argmin(missed_cost + alarm_cost)
threshold = -thresholds[cheapest]
print(f"alarm at {threshold:.2f} or less")

# %% name="judged-on-test"
alarm = words <= threshold
test = ~tune
caught = alarm[test & invented].mean()
cried = alarm[test & truth].mean()
print(f"of the other half: catches {caught:.0%}, false alarms {cried:.0%}")

# %% [markdown] name="base-text"
# How much of that is left when few answers are invented? Suppose that 2% are. Of 1,000 answers, 20
# are invented and 980 are not, and both give alarms.

# %% name="base"
rows = []
for rate in (0.005, 0.02, 0.1, 0.3):
    right_alarms = 1000 * rate * caught
    wrong_alarms = 1000 * (1 - rate) * cried
    alarms = right_alarms + wrong_alarms
    rows.append({
        "invented": f"{rate:.1%}",
        "alarms in 1,000": alarms,
        "of them right": f"{right_alarms / alarms:.0%}",
    })
show.table(rows, caption="What an alarm is worth")

# %% [markdown] name="base-rule"
# At a rate of 2% nearly every alarm is wrong, so such a detector cannot wake a person for a single
# answer. But you can count its alarms. The share of answers with an alarm is steady from day to
# day, and when it rises, something has changed. The replayed service counts such answers as
# `service_answers_total{result="ungrounded"}`, and a rule watches it. And you can estimate the true
# rate from the share of alarms: $(share - false) / (caught - false)$, where $caught$ and $false$
# are the two shares that you measured above.

# %% [markdown] name="base-notes" only="instructor" then="08.4"
# Cover the table of the cell `base` and ask: if 2% are invented, what share of the alarms is right?
# Wait half a minute for three guesses. The mistake here is to think of the detector and forget the
# rate. Exercise 08.4 uses the two parts and the two costs from the cells `threshold` and
# `judged-on-test`, and the rate of invented answers.

# %% [markdown] name="bias-text"
# ## Is everyone treated alike?
#
# Take the same request twice, and change only the name in it. If the agent acts differently, that
# is *bias*, or chance. A test needs three things: many pairs, a *control group* (pairs with two
# names of the same group), and a test for chance.

# %% name="swaps"
from helpers.monitor import name_swaps

by_tool = {}
for swap in name_swaps():
    by_tool.setdefault(swap.tool, []).append(swap)
for wanted, swaps in by_tool.items():
    print(f"{wanted}, {len(swaps)} triples:")
    print("   ", swaps[0].native, "|", swaps[0].native_again, "|", swaps[0].other)

# %% [markdown] name="chosen-text"
# What differs first, and matters most, is what the agent *does*: the tool that it calls. Ask the
# local model, with the tools of module 01's agent. One token is enough, since only the call counts.

# %% name="chosen"
from helpers.agent import fernhill_index, make_tools
from helpers.shop import open_orders

tools = make_tools(fernhill_index(), open_orders(), threshold=0.68)
chooses = chat_model(max_tokens=1).bind_tools(tools)


def right_tool(text, wanted):
    """1 where the agent calls this tool first, else 0."""
    calls = chooses.invoke(text).tool_calls
    return int(bool(calls) and calls[0]["name"] == wanted)

# %% name="outcomes"
asked_tools = ["issue_refund"] if fast else list(by_tool)
outcomes = {}
for wanted in show.progress(asked_tools, "greetings"):
    found = []
    for swap in by_tool[wanted]:
        found.append({
            "native": right_tool(swap.native, wanted),
            "native_again": right_tool(swap.native_again, wanted),
            "other": right_tool(swap.other, wanted),
        })
    outcomes[wanted] = pd.DataFrame(found)
print(outcomes["issue_refund"].sum())

# %% [markdown] name="permuted-text"
# Can a gap of this size be chance? If names did not matter, the two names of a pair could be
# exchanged. A *permutation test* exchanges them at random, thousands of times, and counts how often
# the gap is at least as large as the one that you saw: this share is the p-value.

# %% name="permuted"
from scipy.stats import permutation_test


def gap(one, other, axis=-1):
    """How much more often the first group gets the right tool."""
    return np.mean(one, axis=axis) - np.mean(other, axis=axis)


def compare(one, other, resamples=9_999):
    """The gap of paired outcomes, and its p-value."""
    found = permutation_test(
        (one, other),
        gap,
        permutation_type="samples",  # only the two of a pair are exchanged
        n_resamples=resamples,
        vectorized=True,
        rng=1,
    )
    return found.statistic, found.pvalue

# %% name="gaps"
rows = []
for wanted, found in outcomes.items():
    seen, p = compare(found.native, found.other)
    control, control_p = compare(found.native, found.native_again)
    row = {"right tool": wanted, "gap": seen, "p": p}
    rows.append(row | {"control": control, "its p": control_p})
caption = "Names long common in Britain against others, and the control"
show.table(rows, caption=caption, digits=3)

# %% [markdown] name="permuted-rule"
# Read the control first: two sets of names of the same group differ too, because any other word
# moves a small model. Only a gap that the control does not have says something about the group.
# And if you test four greetings of a fair agent, then in nearly one case of five at least one of
# them has a p below 5% by chance. So ask for 5% divided by four. A gap that comes near to that, as
# one here may, is a reason to collect more names and ask again.

# %% [markdown] name="known-text"
# Is the test itself fair? Try it where you know the truth. Here one agent is fair (both outcomes of
# a pair have the same chances), and another one refuses a fifth of the second group. How many pairs
# does it take to see that?

# %% name="known-bias"
draw = np.random.default_rng(5)
tries = 40 if fast else 200


def accused(pairs, bias):
    """How often an agent that fails this share of the second group is accused, at 5%."""
    count = 0
    for _ in range(tries):
        one = (draw.random(pairs) < 0.7).astype(int)
        other = (draw.random(pairs) < 0.7 * (1 - bias)).astype(int)
        _, p = compare(one, other, resamples=499)
        count += p < 0.05
    return count


rows = []
for pairs in (20, 80, 320):
    row = {"pairs": pairs, "a fair agent": accused(pairs, 0)}
    rows.append(row | {"a biased one": accused(pairs, 0.2)})
show.table(rows, caption=f"How often the test accuses, of {tries} tries")

# %% [markdown] name="bias-rule"
# A fair agent should be accused in at most about 5% of the tries. A bias of a fifth stays unseen in
# a few dozen pairs; it takes hundreds. So a test of 20 pairs that finds nothing has shown nothing.
# Where a gap is found, read the pairs: which words decide? The lab does the same with ways of
# writing.

# %% [markdown] name="bias-notes" only="instructor" then="08.5"
# In the table of the cell `gaps`, cover *gap* and *p*, and read the control first. Then ask whether
# a p below 5% in one greeting of four accuses the agent; wait twenty seconds for "divided by four".
# Exercise 08.5 uses the permutation of pairs and the control from this section. New in it: the
# margin.

# %% [markdown] name="drift-text"
# ## Are the questions still the same?
#
# An agent is tested on yesterday's questions. If customers begin to ask about something else, its
# tests say little. *Drift* is a change of the distribution. To see it in texts, turn them into
# vectors and look at the directions in which a usual day varies most.

# %% name="vectors"
from helpers.shop.traffic import day

texts = sorted({request.text for request in day()})
recall = [
    "Is my Lumen headlamp part of the recall?", "Is the headlamp recall true, or a scam?",
    "The recall letter says I should return the headlamp, how?",
    "Do I get money back for the recalled headlamp?",
    "My headlamp got hot, is it the recalled one?",
    "Which serial numbers of the headlamp are recalled?",
]
vectors = np.array(embeddings().embed_documents(texts + recall))
print(vectors.shape)

# %% name="projections"
from sklearn.decomposition import PCA

directions = PCA(5, random_state=0)
known = directions.fit_transform(vectors[: len(texts)])
new = directions.transform(vectors[len(texts) :])
share_of_all = directions.explained_variance_ratio_.sum()
print(known.shape, new.shape, f"{share_of_all:.0%} of the variance")

# %% [markdown] name="ks-text"
# The *Kolmogorov-Smirnov* test compares two samples of numbers. With five directions there are five
# tests, so each gets a fifth of the 5%. The *population stability index* (PSI) compares the shares
# in ten bins, and many teams call more than 0.2 a change. What share of 400 questions a day must a
# new topic have before either one sees it? Draw 200 days for each share, and count.

# %% name="drawn"
rng = np.random.default_rng(3)


def drawn(share, size=400):
    """A day's questions, of which this share is about the recall."""
    count = rng.binomial(size, share)
    old = known[rng.integers(0, len(known), size - count)]
    return np.vstack([old, new[rng.integers(0, len(new), count)]])

# %% name="psi"
def psi(before, after):
    """The population stability index of two samples, in ten bins."""
    bounds = np.quantile(before, np.linspace(0, 1, 11))
    bounds[0] = -np.inf
    bounds[-1] = np.inf
    old, _ = np.histogram(before, bounds)
    new, _ = np.histogram(after, bounds)
    old = (old + 0.5) / len(before)
    new = (new + 0.5) / len(after)
    return np.sum((new - old) * np.log(new / old))

# %% name="power"
from scipy.stats import ks_2samp

rows = []
for share in (0, 0.02, 0.05, 0.1, 0.2):
    by_test = by_index = 0
    for _ in range(50 if fast else 200):
        before, after = drawn(0), drawn(share)
        pvalues, indices = [], []
        for direction in range(5):
            old, new_ones = before[:, direction], after[:, direction]
            pvalues.append(ks_2samp(old, new_ones).pvalue)
            indices.append(psi(old, new_ones))
        by_test += min(pvalues) < 0.05 / 5
        by_index += max(indices) > 0.2
    row = {"new topic": f"{share:.0%}", "KS test": by_test}
    rows.append(row | {"PSI over 0.2": by_index})
show.table(rows, caption="Days on which a new topic is seen")

# %% [markdown] name="drift-rule"
# The first row is the price: false alarms. A topic of a twentieth of all questions is mostly not
# seen. So drift of vectors is for the weekly review, not for the pager. What finds a small topic
# earlier is a count: answers by topic, refusals, tools.
#
# And drift says nothing about quality: new questions may be answered well, and old ones worse. For
# that ask *canary* questions, whose answers you know, all day long. The replayed service is asked
# three of them every five minutes. On one day a bad release gives wrong numbers for one kind of
# question, from nine o'clock on.

# %% name="canaries"
for planned in days("visible"):
    if planned.name == "bad release":
        bad_release = planned.hours(before=2, after=2)
wrong = 'sum by (intent) (increase(canary_answers_total{result="wrong"}[1h])) > 0'
with prometheus_of(bad_release) as server:
    for found in ask(server, wrong, bad_release):
        at, _ = found["values"][0]
        print(found["metric"], "first wrong at", time.strftime("%H:%M", time.gmtime(at)))

# %% [markdown] name="strategy-text"
# ## What wakes a person, and what waits?
#
# | what | who looks | how soon | in this notebook |
# |---|---|---|---|
# | answers late, failing, wrong or blocked | a person is woken | minutes | burn rate, canaries |
# | a tool that fails, cost, memory | a ticket | same day | counts, with a minimum |
# | feedback, refusals, the price of an answer | the team | each morning | dashboard |
# | drift, bias, the labels of the detectors | the team | weekly | KS test, pairs, new labels |

# %% [markdown] name="kept-text"
# Metrics are kept for months, since they are small and hold nobody's words. Keep a sample of the
# texts for weeks, without personal data: all failed answers, and one in a hundred of the others. An
# alert leads from the metric to the texts behind it by an id that they share. An *exemplar* is one
# such id for each bucket of a histogram.

# %% name="exemplar"
from uuid import uuid4

from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

registry = CollectorRegistry()
took_s = Histogram("answer_seconds", "Seconds of an answer", buckets=(1, 5), registry=registry)
log = []
for seconds_taken in (0.4, 0.7, 3.2):
    run = uuid4()  # LangSmith knows the trace by this id, if you pass it as run_id
    took_s.observe(seconds_taken, exemplar={"run_id": str(run)})
    log.append({"run_id": str(run), "seconds": seconds_taken, "tool": "track"})
for line in openmetrics(registry).decode().splitlines():
    if 'le="5.0"' in line:
        slow_line = line
print(slow_line)
for line in log:
    if line["run_id"] in slow_line:
        print("log:", line)

# %% [markdown] name="gate-notes" only="instructor" then="08.6" needs="What does Prometheus make of it?; Do the rules find an incident?"
# Let people run the lab's cells up to `gate-tried` first: the first run replays the days, which
# takes about two minutes. Meanwhile, read the list of incidents in the lab together, and ask for
# each which metric shows it. When you are late, skip the exemplar, and keep the table of who looks
# how soon. Exercise 08.6 is the gate and comes last. It uses PromQL, and rules on replayed days
# with their minimum counts. The lab explains the canaries.

# %% [markdown] name="measured-text"
# ## What you measured

# %% name="measured"
burn, naive = "burn rate 6, two windows", "95th percentile over 2.5 s"
soon, later = first_alarm[naive], first_alarm[burn]
best = roc_auc_score(truth, scores["words known"])
seen, p = compare(outcomes["issue_refund"].native, outcomes["issue_refund"].other)
measured = [
    {"what": "series of one histogram with a label for 500 customers", "figure": series},
    {"what": "minutes to find the slow model, threshold", "figure": soon["slow model"]},
    {"what": "... burn rate", "figure": later["slow model"]},
    {"what": f"alarms on {len(nights)} clean nights, threshold", "figure": false_alarms[naive]},
    {"what": "... burn rate", "figure": false_alarms[burn]},
    {"what": "area of the best detector of invented answers", "figure": best},
    {"what": "invented answers that it catches", "figure": caught},
    {"what": "grounded answers that it suspects", "figure": cried},
    {"what": "gap between names, asking for a refund", "figure": seen},
    {"what": "its p-value", "figure": p},
]
show.table(measured, caption="This notebook's figures", digits=3)
room.close()

# %% [markdown] name="production"
# ## In production
#
# - Prometheus finds its targets by asking Kubernetes, and keeps its data for weeks (15 days by
#   default). Thanos, Mimir or a hosted service keep a longer history. Two Prometheus servers scrape
#   the same targets, since one may fail.
# - Several replicas: `sum(rate(...))` adds them up. Never average their percentiles; add their
#   buckets.
# - Something outside has to notice that Prometheus itself is gone: an alert that always fires, and
#   a service that calls you when it stops (a *dead man's switch*).
# - A larger judge is better than the one here, and costs as much as an answer: let it read a
#   sample.

# %% [markdown] name="breaks"
# **Where it breaks.** The incidents were made by people who knew the metrics; a real one may move
# none of them. Word overlap does not see a wrong sentence made of right words. A test of bias finds
# what its pairs ask about, and no more.

# %% [markdown] name="keep"
# ## Keep this
#
# ```yaml
# - record: answers:bad:ratio_rate1h       # failed + late, of all; and the same with 5m
#   expr: |
#     ((sum(rate(gen_ai_client_operation_duration_seconds_count{error_type!=""}[1h]))
#       or vector(0)) + (sum(rate(gen_ai_server_time_to_first_token_seconds_count[1h]))
#       - sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="3.0"}[1h]))
#       or vector(0))) / sum(rate(gen_ai_client_operation_duration_seconds_count[1h]))
# - alert: AnswersLate                     # the hour: it matters; 5 minutes: it still goes on
#   expr: |
#     answers:bad:ratio_rate1h > 0.144 and answers:bad:ratio_rate5m > 0.144
#       and sum(increase(gen_ai_client_operation_duration_seconds_count[1h])) >= 20
#   labels: {severity: page}
# - alert: ToolFails                       # a share needs a minimum count, or nights are loud
#   expr: |
#     sum by (tool) (increase(agent_tool_calls_total{ended="error"}[30m])) > 3
#       and sum by (tool) (rate(agent_tool_calls_total{ended="error"}[30m]))
#         / sum by (tool) (rate(agent_tool_calls_total[30m])) > 0.2
#   labels: {severity: ticket}
# ```
#
# **The pitfall:** a threshold on a short window is right by day, and wakes someone at night for a
# single slow answer.

# %% name="keep-figure"
for rule in (naive, burn):
    print(f"{rule}: {first_alarm[rule]['slow model']:.0f} min until it is found, "
          f"{false_alarms[rule]} false alarms on {len(nights)} nights")

# %% [markdown] name="without"
# ## Without the course
#
# ```
# pip install prometheus-client grafana-foundation-sdk
# promtool check rules rules.yml && promtool test rules rules_test.yml
# prometheus --config.file=prometheus.yml --web.listen-address=127.0.0.1:9090
# amtool silence add alertname=AnswersLate --duration=1h --comment="release" \
#     --alertmanager.url=http://127.0.0.1:9093
# ```
#
# In a FastAPI app, `app.mount("/metrics", make_asgi_app(registry))` serves what `prometheus_client`
# counts. With several processes, set `PROMETHEUS_MULTIPROC_DIR` and serve a registry with a
# `MultiProcessCollector` alone. Pass the `AgentMeter` in `config={"callbacks": [meter]}`, or bind
# it once with `agent.with_config(callbacks=[meter])`. [`course new`](../README.md) writes
# `metrics.py`, `rules.yml` and the dashboard for a project of your own. If you use OpenTelemetry,
# its GenAI instrumentation emits the names that begin with `gen_ai_client`.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions about what you have just built.

# %% name="quiz"
from helpers.course import quiz

quiz("08")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/08_monitor_in_production.ipynb](../labs/08_monitor_in_production.ipynb), six
#   exercises.
# - Then [module 09](09_trace_with_langsmith.ipynb), tracing.
# - Prometheus: [types of metrics](https://prometheus.io/docs/concepts/metric_types/),
#   [histograms](https://prometheus.io/docs/practices/histograms/),
#   [tests of rules](https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/),
#   [Alertmanager](https://prometheus.io/docs/alerting/latest/alertmanager/).
# - Google's SRE workbook: [alerting on objectives](https://sre.google/workbook/alerting-on-slos/).
# - OpenTelemetry: [metrics of generative AI](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/).
