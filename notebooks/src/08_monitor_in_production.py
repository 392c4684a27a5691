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

model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
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
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

from helpers.testbed import openai_server


def script(body):
    """First a call of the tool, then an answer."""
    last = body["messages"][-1]
    if last["role"] == "user":
        return {"name": "track", "args": {"order": last["content"].split()[-1]}}
    return "It is on its way, and will arrive on Thursday. Anything else?"


track.handle_tool_error = True
server = openai_server(script, delay_s=0.05, token_s=0.005)
upstream = server.__enter__()
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
# *counter* only grows, a *gauge* goes up and down, and a *histogram* counts values in buckets.

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
    """Those of the agent, too; `tools` has the names of its tools."""

    def __init__(self, registry: CollectorRegistry, tools: Sequence[str] = ()) -> None:
        super().__init__(registry)
        self.tokens = Histogram(
            "gen_ai_client_token_usage", "Tokens of a request to the model",
            ["gen_ai_request_model", "gen_ai_token_type"], buckets=TOKENS, registry=registry)
        self.cost = Counter("agent_cost_usd", "US dollars of the tokens", registry=registry)
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
        usd: dollars of an input token and of an output token.
    """

    def __init__(self, figures: AgentFigures, usd: tuple[float, float]) -> None:
        self._figures, self._usd = figures, usd
        self._began: dict[UUID, tuple[float, str]] = {}
        self._first: set[UUID] = set()

    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """A request to the model begins."""
        name = str((kwargs.get("metadata") or {}).get("ls_model_name", "unknown"))
        self._began[run_id] = time.perf_counter(), name

    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A piece of the answer: the first one is timed."""
        if run_id in self._began and run_id not in self._first:
            self._first.add(run_id)
            began, name = self._began[run_id]
            self._figures.first_token.labels(name).observe(time.perf_counter() - began)

# %% name="meter-ends" app="metrics.py"
class WholeMeter(Meter):
    """And how each request to the model ends, and each call of a tool."""

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """The answer is complete: seconds, tokens, dollars."""
        name = self._timed(run_id, "")
        usage = getattr(response.generations[0][0], "message", None)
        counts = getattr(usage, "usage_metadata", None) or {}
        for kind, usd in zip(("input", "output"), self._usd, strict=True):
            count = counts.get(f"{kind}_tokens", 0)
            self._figures.tokens.labels(name, kind).observe(count)
            self._figures.cost.inc(count * usd)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """The model failed."""
        self._timed(run_id, type(error).__name__)

    def _timed(self, run_id: UUID, error: str) -> str:
        began, name = self._began.pop(run_id, (time.perf_counter(), "unknown"))
        self._first.discard(run_id)
        took = time.perf_counter() - began
        self._figures.duration.labels(name, error).observe(took)
        return name

# %% [markdown] name="tools-text"
# A tool that fails is not an error for the agent: it tells the model so, and the customer gets a
# polite answer. So nobody sees it, unless you count how each call ended.

# %% name="meter-tools" app="metrics.py"
class AgentMeter(WholeMeter):
    """And the agent's tools."""

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """A tool has answered, also where it says that it failed."""
        name = getattr(output, "name", None) or "unknown"
        ended = getattr(output, "status", None) or "success"
        self._figures.tools.labels(name, ended).inc()

# %% [markdown] name="exposition-text"
# Ask six questions and look at what Prometheus would read. Each line is a *series*: a name, its
# labels, and a value.

# %% name="exposition"
from prometheus_client import generate_latest

registry = CollectorRegistry()
figures = AgentFigures(registry)
meter = AgentMeter(figures, usd=(2e-6, 8e-6))
for order in range(14, 20):
    agent.invoke({"messages": f"Where is order {order}"}, {"callbacks": [meter]})
exposed = generate_latest(registry).decode()
for line in exposed.splitlines():
    if "_bucket" not in line and "_created" not in line and line[0] != "#":
        print(line)

# %% [markdown] name="buckets-text"
# ## Which buckets, and which labels?
#
# A histogram knows how many values are in each bucket, and no more. A quantile that is read from it
# is interpolated inside one bucket. Here are 2,000 answers of a model that takes 1 to 9 seconds, and
# the same on a day when it is twice as slow. How far off is the 95th percentile with the library's
# default buckets, and how far with those above?

# %% name="buckets"
import numpy as np

took = np.random.default_rng(7).gamma(6, 0.55, 2_000)


def quantile(share, values, bounds):
    """What PromQL's histogram_quantile reads from such buckets."""
    bounds = [each for each in bounds if each < np.inf]
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
show.table(rows, caption="Seconds of an answer, by what is read")

# %% [markdown] name="buckets-rule"
# The default buckets are made for fast web pages: most of them lie below a second, and the last one
# ends at 10. So the slow day looks like 10 seconds, however slow it is. Put the bounds where your
# answers are, and one exactly at the number that you promise.

# %% [markdown] name="labels-text"
# Every combination of labels is a series, and a histogram is one series for each bucket. What does
# it cost to know the first token's time for each of 500 customers?

# %% name="labels"
registry = CollectorRegistry()
by_customer = Histogram(
    "first_token_seconds", "A label too many", ["customer"], buckets=SECONDS, registry=registry)
for number in range(500):
    by_customer.labels(f"C-{number:04}").observe(0.3)
series = 0
for line in generate_latest(registry).decode().splitlines():
    series += line[0] != "#" and "_created" not in line
print(series, "series for one histogram")

# %% [markdown] name="labels-rule"
# Prometheus keeps each series in memory. So a label is something of which there are few: a model, a
# tool, an outcome. Customers, orders and texts belong in logs and traces. A label with a
# customer's words is also personal data that every user of the dashboard can read.

# %% [markdown] name="prometheus-text"
# ## What does Prometheus make of it?
#
# Prometheus asks `/metrics` at a fixed interval, and keeps what it reads as samples with a time.
# Start one on this machine, which asks every second. (`apt install prometheus`; for macOS and
# Windows: [prometheus.io/download](https://prometheus.io/download/). Without it, read the stored
# output.)

# %% name="metrics-server"
from prometheus_client import start_http_server

registry = CollectorRegistry()
meter = AgentMeter(AgentFigures(registry, ["track"]), usd=(2e-6, 8e-6))
exporter, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
print(generate_latest(registry).decode()[-300:])

# %% name="prometheus"
import atexit
import tempfile
from contextlib import ExitStack
from pathlib import Path

from helpers.testbed import process

room = ExitStack()
atexit.register(room.close)
folder = Path(room.enter_context(tempfile.TemporaryDirectory()))
(folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{exporter.server_port}"]}}]
""")
prometheus = room.enter_context(process(
    ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
     "--web.listen-address=127.0.0.1:{port}"], ready="/-/ready"))

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
# Let four customers ask for some seconds, then make the model slow, and go on. Between the two the
# service restarts, as it does with each release: its counters begin at 0 again.

# %% name="traffic"
from concurrent.futures import ThreadPoolExecutor

seconds = 6 if fast else 12


def customer(number):
    """Ask again and again until the time is over; how many questions."""
    until, asked = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        order = 10 + (asked * 7 + number) % 40
        question = {"messages": f"Where is order {order}"}
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
meter = AgentMeter(AgentFigures(registry, ["track"]), usd=(2e-6, 8e-6))
exporter, _ = start_http_server(exporter.server_port, addr="127.0.0.1", registry=registry)
upstream.delay_s = 0.8
time.sleep(1.5)
asked_slowly = traffic()
time.sleep(1.5)  # until the last scrape
print(asked, "questions, and then", asked_slowly)

# %% [markdown] name="rate-text"
# How many questions were that, by Prometheus? The last value of a counter knows only what came
# after the restart. `increase(...)` adds up how much a counter grew in a window, restarts included,
# and `rate(...)` is the same in a second.

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

# %% [markdown] name="rate-why"
# It is not the exact number. Prometheus sees samples, not events. What is counted between the last
# scrape and the restart is lost, and so is the first value of a series that is not there from the
# start: this is why the figures make the series of each tool at 0. The value at the window's edges
# is extrapolated. Over a day all this is little; over three scrapes it is much. So let a window be
# at least four scrapes long.

# %% name="quantiles"
first_token = "gen_ai_server_time_to_first_token_seconds_bucket"
rows = []
for share in (0.5, 0.95):
    expression = f"histogram_quantile({share}, sum by (le) (rate({first_token}[{seconds}s])))"
    rows.append({"PromQL": expression, "seconds": query(expression).value[0]})
show.table(rows, caption="The first token, since the model is slow")

# %% [markdown] name="objective-text"
# ## When should an alert wake a person?
#
# An *objective* says what is good enough: of all answers in 30 days, 99% begin within 3 seconds and
# end without an error. The other 1% is the *error budget*. How fast it is used up is the *burn
# rate*: at 1 it lasts the 30 days, at 14.4 it is gone in 50 hours.
#
# The usual rule ([SRE workbook](https://sre.google/workbook/alerting-on-slos/)) wakes someone when
# the rate is above 14.4 both in the last hour and in the last five minutes: the hour says that it
# matters, the five minutes that it still goes on. A slower burn is a ticket.

# %% name="recording" app="rules.yml"
# %%writefile rules.yml
# groups:
#   - name: answers
#     rules:
#       - record: answers:bad:ratio_rate5m
#         expr: |
#           1 - sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="3.0"}[5m]))
#             / sum(rate(gen_ai_client_operation_duration_seconds_count[5m]))
#       - record: answers:bad:ratio_rate1h
#         expr: |
#           1 - sum(rate(gen_ai_server_time_to_first_token_seconds_bucket{le="3.0"}[1h]))
#             / sum(rate(gen_ai_client_operation_duration_seconds_count[1h]))

# %% [markdown] name="alerts-text"
# The alerts belong to the same group: its rules are evaluated in order, so an alert sees the value
# that was recorded just before it.

# %% name="alerts" app="rules.yml"
# %%writefile -a rules.yml
#       - alert: AnswersLate
#         expr: answers:bad:ratio_rate1h > 14.4 * 0.01 and answers:bad:ratio_rate5m > 14.4 * 0.01
#         labels: {severity: page}
#         annotations:
#           summary: "{{ $value | humanizePercentage }} of the answers are late or fail"
#       - alert: ToolFails
#         expr: |
#           sum by (tool) (rate(agent_tool_calls_total{ended="error"}[30m]))
#             / sum by (tool) (rate(agent_tool_calls_total[30m])) > 0.2
#         for: 5m
#         labels: {severity: ticket}

# %% [markdown] name="promtool-text"
# Rules are code, so they are checked and tested. `promtool test rules` plays series against them:
# here 10 answers a minute, of which from minute 60 on none begins in time. The share of bad answers
# in the last hour grows by a sixtieth each minute, so 14.4% are reached after about nine minutes.

# %% name="rule-test"
# %%writefile rules_test.yml
# rule_files: [rules.yml]
# evaluation_interval: 1m
# tests:
#   - interval: 1m
#     input_series:
#       - series: gen_ai_client_operation_duration_seconds_count
#         values: 0+10x120
#       - series: gen_ai_server_time_to_first_token_seconds_bucket{le="3.0"}
#         values: 0+10x60 600+0x60
#     alert_rule_test:
#       - {eval_time: 68m, alertname: AnswersLate, exp_alerts: []}
#       - eval_time: 75m
#         alertname: AnswersLate
#         exp_alerts:
#           - exp_labels: {severity: page}
#             exp_annotations: {summary: "25% of the answers are late or fail"}

# %% name="promtool"
# !promtool check rules rules.yml
# !promtool test rules rules_test.yml

# %% [markdown] name="manager-text"
# An alert goes to *Alertmanager*, which decides who hears of it. It *groups* alerts, so that one
# incident is one message. It *inhibits*: while the model is down, nobody is told that answers are
# late. And a *silence* keeps it quiet during planned work. Let it call this notebook.

# %% name="manager-config"
# %%writefile alertmanager.yml
# route: {receiver: notebook, group_by: [service], group_wait: 1s, group_interval: 1s}
# receivers:
#   - name: notebook
#     webhook_configs: [{url: "http://127.0.0.1:PORT/", send_resolved: true}]
# inhibit_rules:
#   - source_matchers: [alertname = "ModelDown"]
#     target_matchers: [severity = "page"]
#     equal: [service]

# %% name="webhook"
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

messages = []


class Webhook(BaseHTTPRequestHandler):
    """What would be a pager."""

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


def fire(*names):
    """Tell Alertmanager of alerts, as Prometheus does."""
    alerts = []
    for name in names:
        labels = {"alertname": name, "service": "shop", "severity": "page"}
        alerts.append({"labels": labels})
    httpx.post(f"{manager.url}/api/v2/alerts", json=alerts).raise_for_status()

# %% name="told"
fire("AnswersLate", "CostDoubled")
time.sleep(2.5)
fire("ModelDown", "AnswersLate", "ToolFails")
time.sleep(2.5)
for message in messages:
    print(message["status"], [alert["labels"]["alertname"] for alert in message["alerts"]])

# %% [markdown] name="board-text"
# ## What does one screen say in ten seconds?
#
# A dashboard is a list of queries with a title each. As code it is reviewed and versioned like the
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
        target = Dataquery().expr(expression)
        board = board.with_panel(Panel().title(title).unit(unit).with_target(target))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build())

# %% [markdown] name="board-check-text"
# Here there is no Grafana to look at it with. What can be checked is checked: each query is sent to
# Prometheus, which refuses what it does not understand.

# %% name="board-check"
board = json.loads(dashboard())
rows = []
for panel in board["panels"]:
    expression = panel["targets"][0]["expr"]
    rows.append({"panel": panel["title"], "series": len(query(expression)), "PromQL": expression})
show.table(rows, caption=f"{len(rows)} panels")

# %% [markdown] name="drift-text"
# ## Are the questions still the same?
#
# An agent is tested on yesterday's questions. If customers begin to ask about something else, its
# tests say little. *Drift* is a change of the distribution. To see it in texts, turn them into
# vectors and look at the directions in which a usual day varies most.

# %% name="vectors"
from helpers.models import embeddings
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
usual = vectors[: len(texts)]
_, _, directions = np.linalg.svd(usual - usual.mean(axis=0), full_matrices=False)
projected = (vectors - usual.mean(axis=0)) @ directions[:5].T
known, new = projected[: len(texts)], projected[len(texts) :]
print(known.shape, new.shape)

# %% [markdown] name="ks-text"
# The *Kolmogorov-Smirnov* test compares two samples of numbers. With five directions there are five
# tests, so each gets a fifth of the 5%. How large must the new topic be, of 400 questions a day,
# until the test sees it? Draw 200 days of each size and count.

# %% name="drawn"
rng = np.random.default_rng(3)


def drawn(share, size=400):
    """A day's questions, of which this share is about the recall."""
    count = rng.binomial(size, share)
    old = known[rng.integers(0, len(known), size - count)]
    return np.vstack([old, new[rng.integers(0, len(new), count)]])

# %% name="power"
from scipy.stats import ks_2samp


def drifted(before, after):
    """Whether one of the five directions says so, at 5% for all together."""
    smallest = 1.0
    for direction in range(5):
        found = ks_2samp(before[:, direction], after[:, direction])
        smallest = min(smallest, found.pvalue)
    return smallest < 0.05 / 5


rows = []
for share in (0, 0.02, 0.05, 0.1, 0.2):
    seen = 0
    for _ in range(50 if fast else 200):
        seen += drifted(drawn(0), drawn(share))
    rows.append({"new topic": f"{share:.0%}", "days on which it is seen": seen})
show.table(rows, caption="How often the test sees a new topic")

# %% [markdown] name="drift-rule"
# The first row is the price: false alarms. A topic of a twentieth of all questions is mostly not
# seen. So drift of vectors is a thing for the weekly look, not for the pager. What finds a small
# topic earlier is a count: answers by topic, refusals, tools. And drift says nothing on quality:
# new questions may be answered well, and old ones may be answered worse. For that, ask *canary*
# questions, whose answers you know, every hour.
