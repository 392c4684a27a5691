# %% [markdown] name="title"
# # 05 Serve with FastAPI
#
# After this notebook you can put an agent behind HTTP such that it survives load, strangers,
# clients who leave and restarts, and say for each part of such a service which failure it is for.
#
# **75 minutes, of which the machine works 5. Level: Python, a first idea of HTTP and of
# async/await. Before it: module 01.** You start with a bare endpoint and break it six times; the
# hardened service then meets the same loads. A request goes through it like this:
#
# ```mermaid
# flowchart LR
#     client([client]) --> key["key<br>401"] --> caps["size caps<br>413, 422"]
#     caps --> rate["rate, budget<br>429"] --> gate["gate<br>429, 503"]
#     gate --> agent[agent or model] --> events["events: token,<br>done or error"] --> client
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="imports"
import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from helpers.course import quiz, show
from helpers.course.exercises import m05_walk as walk
from helpers.course.exercises.m05_serving import live, percentile
from helpers.models import chat_model
from helpers.service import Settings, create_app, issue
from helpers.service.check.fake_model import fake_model
from helpers.service.check.profiling import profile

# %% name="model"
os.environ |= {"COURSE_MODEL": model, "COURSE_SLOTS": "4"}  # the local one writes 4 at a time
llm = chat_model(max_tokens=12 if fast else 40)
asked = "What is a tent pole?"
print(llm.invoke(asked).text)

# %% [markdown] name="blocked-text"
# ## 1. Who waits while one is answered?
#
# Here is the endpoint that everybody writes first. An `async def` runs on the *event loop*, the one
# thread that serves all connections; a call that does not `await` keeps it to itself. In the second
# version one word differs.

# %% name="bare"
class Question(BaseModel):
    message: str

def bare(awaited):
    app = FastAPI()

    @app.get("/livez")
    async def livez():
        return "alive"

    @app.post("/chat")
    async def chat(question: Question):
        if awaited:
            return (await llm.ainvoke(question.message)).text
        return llm.invoke(question.message).text

    return app

# %% [markdown] name="heartbeat-text"
# Two clients ask the model three questions each, and a third asks `/livez` every 20 milliseconds,
# which needs no model at all. The server runs in a thread beside this cell, on a free port of this
# machine, and is stopped at the end. What do you expect the third client to see?

# %% name="heartbeat"
beats = {"blocked": await walk.heartbeat(bare(awaited=False), asked),  # noqa: F704
         "awaited": await walk.heartbeat(bare(awaited=True), asked)}  # noqa: F704
worst = {name: max(seconds) for name, (_, seconds) in beats.items()}
show.scatter(beats, x="seconds since the start", y="seconds that /livez takes",
             title=f"/livez takes up to {worst['blocked']:.2f} s when calls block, "
                   f"{worst['awaited']:.2f} s when awaited")

# %% [markdown] name="stream-text"
# Whoever probes such a service concludes that it is dead, and restarts it. A plain `def` would help
# too: FastAPI runs those in threads, 40 at a time.
#
# ## 2. How long is there nothing to read?
#
# An answer in one piece comes when it is complete. *Server-sent events* come one after another over
# a response that stays open: a line `event:`, a line `data:`, an empty line. FastAPI sends what an
# async generator yields. Measure the *time to first token*, which is what a reader feels.

# %% name="stream"
def streaming():
    app = FastAPI()

    @app.post("/chat", response_class=EventSourceResponse)
    async def chat(question: Question) -> AsyncIterator[ServerSentEvent]:
        async for chunk in llm.astream(question.message):
            if chunk.text:
                yield ServerSentEvent(event="token", data={"text": chunk.text})
        yield ServerSentEvent(event="done", data={})

    return app

# %% name="first-token"
[one_piece] = await walk.burst(bare(awaited=True), asked, 1)  # noqa: F704
[streamed] = await walk.burst(streaming(), asked, 1)  # noqa: F704
rows = walk.times({"in one piece": one_piece, "as events": streamed})
show.table(rows, caption="One client", units={"first words": "s", "all": "s"})

# %% [markdown] name="burst-text"
# The answer is complete no sooner. What changes is when it begins, and the longer the answers of
# your model are, the more that is worth.
#
# ## 3. What does a burst do?
#
# Now many clients come at the same moment. The model writes four answers at a time; the others wait
# somewhere. With the bare app: in the model's server, without bound, and without a word to them.

# %% name="burst"
flood = await walk.burst(streaming(), asked, 10 if fast else 24)  # noqa: F704
first, *_, last = walk.quantiles(flood)[1]
show.timeline(walk.spans(flood), x="seconds since the burst", title=f"Of {len(flood)} clients "
              f"the first reads after {first:.1f} s, the last after {last:.1f} s")

# %% [markdown] name="gate-text"
# Nobody was refused, and the last ones may have closed the page by then. The hardened service, made
# by `create_app`, has a *gate*: four are answered, four wait, the others get **503** at once, with
# `Retry-After`, before any stream starts: after the first byte the status is 200 for good. (One
# customer asking too much gets **429**: that is about the caller, 503 is about the service. Here a
# single key plays all clients, so its share is set high.) The first cell makes the service, the
# second repeats the burst.
#
# Averages hide what happens; look at *percentiles*: how long do the luckiest 50% wait, how long do
# 95%? The gate does not make the model faster. It chooses who waits, and tells the others while
# they can still do something else. A longer queue would refuse fewer, and make all of them slower.

# %% name="hardened"
key, kept = issue("C-0042")  # the key is shown once; what is kept is its hash

def hardened(**changes):
    chosen = {"path": "plain", "keys": (kept,), "running": 4, "waiting": 4, "per_customer": 1000,
              "rate": "10000/minute", "daily_tokens": 10**8, "max_output_tokens": llm.max_tokens}
    return create_app(Settings(**chosen | changes))

service = {"path": "/v1/chat/stream", "headers": walk.bearer(key)}
whole = service | {"path": "/v1/chat"}  # the answer in one piece

# %% name="gate"
gated = await walk.burst(hardened(), asked, len(flood), **service)  # noqa: F704
outcomes = Counter(seen.outcome for seen in gated)
show.timeline(walk.spans(gated), x="seconds since the burst", title="Behind the gate: " + ", ".join(
    f"{n} {name}" for name, n in outcomes.items()))

# %% name="percentiles"
curves = {"bare": walk.quantiles(flood), "behind the gate": walk.quantiles(gated)}
p95 = {name: percentile(seconds, 0.95) for name, (_, seconds) in curves.items()}
show.line(curves, x="share of those answered (%)", y="seconds to the first token",
          title=f"95% read within {p95['bare']:.1f} s bare, {p95['behind the gate']:.1f} s gated")

# %% [markdown] name="leave-text"
# ## 4. Who pays for a client that leaves?
#
# Four clients ask for long answers and close the connection after 0.3 seconds. Count the CPU time
# that this process spends afterwards, the model's included. Before you run it: does a web framework
# notice by itself that nobody is there?

# %% name="leave"
llm = chat_model(max_tokens=32 if fast else 96)
longer = {"question": "Tell me a long story about a tent.", "watched_s": 2 if fast else 6}
nobody = await walk.cpu_after_leaving(bare(awaited=True), **longer)  # noqa: F704
noticed = await walk.cpu_after_leaving(hardened(), **longer, **whole)  # noqa: F704
show.bars({"bare": nobody, "hardened": noticed}, x="CPU seconds after all had left",
          title=f"After all have left: {nobody:.1f} CPU seconds bare, {noticed:.1f} hardened")

# %% [markdown] name="oversized-text"
# A stream ends with its connection, because its next write finds nobody. An endpoint that answers
# in one piece has to watch the connection while the model works, and cancel the work.
#
# ## 5. What does an oversized message cost?
#
# A model reads all of a prompt before it writes a word. So a message is a bill that a stranger
# writes for you. What does the first word cost, by length?

# %% name="oversized"
lengths = [10, 100, 300] if fast else [10, 200, 1000, 2000]
costs = [walk.cpu_seconds(lambda n=n: llm.invoke("tent " * n, max_tokens=1)) for n in lengths]
show.line({"the model alone": (lengths, costs)}, x="words of the message", y="CPU seconds",
          title=f"{lengths[-1]} words cost {costs[-1] / costs[0]:.0f} times as much as 10")

# %% [markdown] name="caps-text"
# The hardened service looks at the size before anything else: bytes while they arrive, then
# characters, then tokens as estimated. All its refusals have one form, a *problem document* (RFC
# 9457). Here is what strangers send; the model behind this one is instant and counts its requests.

# %% name="refusals"
with fake_model() as fake, live(hardened(upstream_url=fake.url)) as url:
    sent = await walk.refusals(url, key)  # noqa: F704
show.table(sent, caption=f"{len(sent)} requests, {len(fake.requests)} reached the model", digits=0)

# %% [markdown] name="restart-text"
# ## 6. What happens to a stream at a restart?
#
# Every new version is a restart, and somebody is always reading. `course serve` runs in a process
# of its own here, with a model that writes for two seconds. After one second it is stopped: by
# SIGTERM, which asks a process to end, and by SIGKILL, which does not ask. *lost* means that the
# stream was cut, without `done` and without `error`.

# %% name="restart"
with fake_model(chunks=20, seconds=0.1) as fake:
    ends = [await walk.stopped_in_the_middle(how, fake.url) for how in ("terminate", "kill")]  # noqa: F704
show.table(ends, caption="A stream of 20 tokens, stopped after about ten")

# %% [markdown] name="agent-text"
# On SIGTERM the service takes no new connection, says so in `/readyz`, and finishes what it has
# begun, within a limit. A client must still be ready for the other end: no `done` means try again.
#
# ## What does the service give to its clients?
#
# So far the model alone answered (`path="plain"`). Now the agent of module 01, for the customer
# whom the key stands for. The stream says what it does while it does it: one event a row.
#
# The same service speaks OpenAI's API, so any client that lets you set a base URL can use the
# agent. Each request leaves one line in the log, with ids, counts and times, and without a word of
# what was said; and it leaves figures under `/metrics`, where Prometheus fetches them (module 08).

# %% name="agent"
log = io.StringIO()
with live(hardened(path="agent", max_output_tokens=60), log=log) as url:
    happened = await walk.events_of(url, key, "How much does the Alta 2 tent weigh?")  # noqa: F704
    said = await walk.openai_says(url, key, "Where is FH-10093?")  # noqa: F704
    figures = await walk.figures(url)  # noqa: F704
show.table(happened, caption="POST /v1/chat/stream")

# %% name="openai"
print("OpenAI's client gets:", said)
print("In the log:", log.getvalue().splitlines()[0])
show.table(figures, caption="From /metrics", digits=3)

# %% [markdown] name="profile-text"
# ## Where does the time go?
#
# What is the service's own share of a request? With an instant model only the Python around it is
# left. `profile` takes the CPU time of the event loop's thread for 64 streamed tokens, and shares
# it out by library. Three ways are compared: the model alone by HTTP, the model alone through
# LangChain, and the agent. Guess the dearest line before you run it.

# %% name="profile"
ways = "plain", "plain by LangChain", "agent"
spent = [await asyncio.to_thread(profile, way, requests=3 if fast else 40)  # noqa: F704
         for way in ways]
libraries = dict.fromkeys(name for found in spent for name in found.by_library)
show.table([{"where": name} | {p.way: p.by_library.get(name, 0.0) for p in spent}
            for name in libraries] + [{"where": "all"} | {p.way: p.milliseconds for p in spent}],
           caption="CPU milliseconds a request of 64 tokens", digits=1)

# %% [markdown] name="profile-why"
# The service's own code, with keys, limits, budget, gate, metrics and log, is one line of the
# table; compare it with the lines of LangChain, of OpenAI's client and of pydantic, which work on
# every token. The plain path goes without them: it hands the model's words on behind the same
# interface. `python -m tests.benchmarks.service` measures all three beside a bare route and two
# other servers.
#
# ## What changes in front of it?
#
# A proxy ends TLS, and often collects an answer before it hands it on. What is left of streaming
# then? And a second worker shares no memory with the first: what is left of a limit of five?

# %% name="proxy"
with fake_model(chunks=10, seconds=0.05) as fake, live(hardened(upstream_url=fake.url)) as url:
    direct, behind = await walk.behind_a_proxy(url, asked, **service)  # noqa: F704
print(f"first token after {direct.waited:.2f} s, behind the proxy {behind.waited:.2f} s")

# %% name="workers"
with fake_model() as fake:
    five = [hardened(upstream_url=fake.url, rate="5/minute") for _ in range(3)]
    passed = {n: await walk.let_through(five[:n], key, 12) for n in (1, 2)}  # noqa: F704
print(f"At most 5 a minute, 12 requests: {passed[1]} pass one worker, {passed[2]} pass two")

# %% [markdown] name="front"
# - **A proxy** buffers, and closes connections that are silent for a minute. The header
#   `X-Accel-Buffering: no` (in nginx also `proxy_buffering off`) ends the first, a comment sent
#   every 15 seconds the second; the service sends both. And every client seems to come from the
#   proxy: trust `X-Forwarded-For` from it alone (`--forwarded-allow-ips`), and limit by key.
# - **TLS** ends at the proxy, or every key travels in clear text. With HTTP/2 there, a browser may
#   keep more than six streams open.
# - **Several workers** have a memory each: limits, budgets, gate and conversations. Counts go to
#   Redis (`COURSE_SERVICE_STORE`), the gate is divided by the workers, a conversation stays with
#   one. Each would also load the model: give it a server of its own (modules 06 and 07).
#
# ## Which page in front of the customer?
#
# - **Streamlit**: a script that runs anew from the top at each click. Good for your own tools, and
#   for a dashboard with a chat in it. Whatever must last goes to `st.session_state`.
# - **Gradio**: a form around a function, which also becomes an API. Good for showing a model,
#   comparing two, collecting votes. What is no form gets laborious.
# - **Chainlit**: callbacks for the messages and steps of a chat. Good for an agent's chat with tool
#   steps, files, log-in and history, and for little else.
# - **Your own** HTML and JavaScript on the event stream: what customers see, and yours to secure.
#
# The course's page is Streamlit, talks HTTP to the service and knows nothing of the agent: run
# `course serve` in one terminal and `course chat` in another.

# %% [markdown] name="measured-text"
# ## What you measured
#
# Each failure, at the endpoint that had it, and at the one that was made against it. The times are
# this machine's; what to remember is how far the two lie apart.

# %% name="measured"
before_after = {
    "1 /livez at worst, while others ask (s)": worst.values(),
    "2 first words (s)": (one_piece.waited, streamed.waited),
    f"3 first token in a burst of {len(flood)}, 95% of those answered (s)": p95.values(),
    "4 CPU seconds for clients who have left": (nobody, noticed),
    f"5 seconds for {lengths[-1]} words read, for 6,000 refused": (costs[-1], sent[4]["ms"] / 1000),
    "6 tokens that arrive of 20, when killed, when asked to end": [e["tokens"] for e in ends[::-1]],
}
rows = [{"what": what, "before": float(a), "after": float(b)}
        for what, (a, b) in before_after.items()]
show.table(rows, caption="Before and after")

# %% [markdown] name="production"
# **In production** the model is elsewhere and takes longer, so waiting clients cost you memory and
# not CPU, and a gate can let more in; choose its size by the time to first token under load. Add
# what only you know: who may have a key, what an answer may cost, how long a stream may last.
#
# **Where it breaks.** A gate of one process knows nothing of the others. A limit by key does not
# stop somebody with many keys. An answer that was cut at a crash is lost: to go on where it stopped
# needs the answer stored while it is written. And a service can be perfectly healthy while the
# agent talks nonsense: that is module 08.

# %% name="quiz"
quiz("05")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/05_serve_with_fastapi.ipynb](../labs/05_serve_with_fastapi.ipynb), six exercises.
# - [FastAPI: server-sent events](https://fastapi.tiangolo.com/tutorial/server-sent-events/) and
#   [concurrency](https://fastapi.tiangolo.com/async/);
#   [Uvicorn: deployment](https://www.uvicorn.org/deployment/).
# - Problem documents: [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457). Statuses:
#   [RFC 6585](https://www.rfc-editor.org/rfc/rfc6585).
# - Tails: Dean and Barroso, 2013, *The Tail at Scale*,
#   [doi:10.1145/2408776.2408794](https://doi.org/10.1145/2408776.2408794).
# - Overload: [Site Reliability Engineering, 21](https://sre.google/sre-book/handling-overload/).
# - [Streamlit](https://docs.streamlit.io/develop/tutorials/chat-and-llm-apps),
#   [Gradio](https://www.gradio.app/guides/creating-a-chatbot-fast),
#   [Chainlit](https://docs.chainlit.io/).
