# %% [markdown] name="title"
# # 00 Start here
#
# After this notebook you can run the course, ask its agent a question, say what an answer costs
# on your machine, and read a check.
#
# **10 minutes. Level: basic Python. Before it: nothing.** Everything here runs on this machine:
# no key, no GPU, no network.

# %% [markdown] name="picture"
# This is what the course is about: a support agent for Fernhill, an invented shop for outdoor
# gear. You will build it, measure it, secure it, deploy it and watch it.
#
# ```mermaid
# flowchart LR
#     customer([customer]) -- question --> agent
#     agent -- search --> documents[(documents)]
#     agent -- look up, refund --> orders[(orders)]
#     agent -- hand over --> person([a person])
#     agent <-- words --> model[language model]
#     agent -- answer --> customer
# ```

# %% [markdown] name="parameters-text"
# The next cell holds the two settings that every notebook has: which model answers, and whether
# to use small samples.

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="imports"
import time

from numpy import polyfit

from helpers.agent import Caller, build_agent
from helpers.course import TODO, check, quiz, show
from helpers.doctor import findings
from helpers.models import chat_model, prices

os.environ["COURSE_MODEL"] = model

# %% [markdown] name="machine-question"
# ## Is this machine ready?
#
# The same checks as `course doctor` in a terminal. Each line says OK, or what to do. The digests
# tell that the two models are, byte for byte, the ones that this course was measured with.

# %% name="machine"
found = findings()
show.table(
    [{"check": f.name, "verdict": "OK" if f.ok else f.advice, "found": f.facts} for f in found],
    caption=f"{sum(f.ok for f in found)} of {len(found)} checks are OK",
)

# %% [markdown] name="model-question"
# ## What does the bare model say?
#
# The model is SmolLM2-135M-Instruct: small enough to run in this notebook's own process, and
# large enough to be wrong in the ways that matter. Before you run the cell: does a language model
# know how long you may keep a tent from a shop that does not exist?

# %% name="bare-model"
question = "How long do I have to return a tent?"
print(chat_model(max_tokens=80).invoke(question).text)

# %% [markdown] name="bare-model-read"
# It answers anyway. Nothing in the text tells a fact from an invention: that is the first reason
# why this course measures everything.

# %% [markdown] name="agent-question"
# ## What does the agent say?
#
# The agent searches Fernhill's documents first and lets the model answer from what it finds. The
# caller is the customer who is logged in: here, nobody.

# %% name="agent"
agent = build_agent()
config = {"configurable": {"thread_id": "start-here"}}
state = agent.invoke({"messages": [("user", question)]}, config, context=Caller())
for message in state["messages"]:
    calls = [(call["name"], call["args"]) for call in getattr(message, "tool_calls", [])]
    print(f"{message.type:6}", message.text or calls)

# %% [markdown] name="agent-read"
# Read the messages from the top: your question, the agent's decision to call a tool, what the
# tool returned, and the answer. Module 01 builds each of these steps, and measures it.

# %% [markdown] name="token-question"
# ## What does a token cost in time?
#
# A model reads a prompt in one go and writes its answer token by token. Which of the two do you
# expect to cost more for each token? The next cell asks for answers of several lengths, three
# times each.

# %% name="stopwatch"
def timed(prompt, limit):
    """The token counts of one call and its time in seconds."""
    start = time.perf_counter()
    reply = chat_model(max_tokens=limit).invoke(prompt)
    return reply.usage_metadata, time.perf_counter() - start

# %% name="measure-writing"
written = []
for limit in show.progress(([8, 32] if fast else [8, 16, 32, 64, 96]) * 3, label="writing"):
    usage, seconds = timed("Tell me about walking in the hills.", limit)
    written.append((usage["output_tokens"], seconds))

# %% [markdown] name="reading-text"
# Now the other direction: prompts of several lengths, and a single token of answer.

# %% name="measure-reading"
read = []
for times in show.progress(([4, 16] if fast else [4, 16, 40, 80]) * 3, label="reading"):
    usage, seconds = timed("The path goes on over the hill. " * times, 1)
    read.append((usage["input_tokens"], seconds))

# %% [markdown] name="slope-text"
# The slope of a straight line through the points is the time of one token; where it starts is
# what a call costs before the first one.

# %% name="slope"
write_s, _ = polyfit(*zip(*written, strict=True), 1)
read_s, _ = polyfit(*zip(*read, strict=True), 1)

# %% name="slope-plot"
points = {"reading a prompt": read, "writing an answer": written}
show.scatter(
    {name: tuple(zip(*pairs, strict=True)) for name, pairs in points.items()},
    title=f"Writing a token takes {write_s / read_s:.1f} times as long as reading one",
    x="tokens",
    y="seconds",
)

# %% [markdown] name="money-question"
# ## And in money?
#
# The local model is free for you, but not for a machine that you rent. The course prices its
# tokens by the CPU time that they take and a stated hourly rate, so that figures compare with
# hosted models. A model without a known price is an error here, never zero.

# %% name="money"
used = state["messages"][-1].usage_metadata
cost = prices.cost(model, used)
print(f"{used['input_tokens']} tokens read, {used['output_tokens']} written")
print(f"${cost:.7f} for this answer, ${cost * 1_000_000:,.2f} for a million of them")

# %% [markdown] name="check-text"
# ## How do labs and checks work?
#
# Each module has a lab with exercises. You replace `TODO` by your own code, run the cell, and run
# the check below it. A check shows a card with one of four statuses:
#
# | status | what it means | what to do |
# |---|---|---|
# | not done yet | `TODO` still stands there | write it; no hint is used up |
# | wrong | no case came out right | read what was called, what came and what was expected |
# | partly | some cases came out right | the card shows the first that did not |
# | passed | all cases came out right | go on |
#
# This is the card of an exercise that nobody has touched:

# %% name="card"
check("00.1", TODO)

# %% [markdown] name="hints-text"
# After a wrong try the card shows a hint; the next one comes after the next try, or when you ask
# with `hint("00.1")`. A check never stops the notebook, so a lab runs from top to bottom at any
# stage, and "it ran" proves nothing: the card does.
#
# Your progress is kept in `.course/` beside the notebooks. `course status` shows it,
# `course reset 00` gives you a fresh lab and keeps a dated copy of yours, and `course update`
# fetches a newer course and puts your work back.

# %% [markdown] name="other-model"
# ## How do you use another model?
#
# Set `COURSE_MODEL` before you start JupyterLab, to any id that LangChain's `init_chat_model`
# takes, with that provider's key in its own variable. No notebook changes. Runs of more than 50
# calls on a hosted model print their estimated price first and stop at `COURSE_BUDGET_USD`.

# %% [markdown] name="measured-text"
# ## What you measured
#
# The figures of this machine, from the cells above. You will need them in module 10, when you
# cut the cost.

# %% name="measured"
speeds = {"reading": 1 / read_s, "writing": 1 / write_s}
show.table(
    [{"figure": name, "tokens per second": speed} for name, speed in speeds.items()],
    caption=f"This machine; one answer of the agent costs {cost * 1e6:.1f} millionths of a dollar",
    digits=0,
)

# %% [markdown] name="production"
# **In production** a hosted model is faster in both directions and serves many callers at once.
# The asymmetry between reading and writing stays, and stands in the price lists: a token written
# costs more than a token read.
#
# **Where it breaks:** other programs on this machine slow the model down, so compare figures of
# one run with each other, and not with those of another day.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Four questions on how the course works. Every choice has an explanation.

# %% name="quiz"
quiz("00")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/00_start_here.ipynb](../labs/00_start_here.ipynb), two exercises, 5 minutes.
# - The next module: [01 Build an agent](01_build_an_agent.ipynb).
# - The model: [SmolLM2, model card](https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct).
# - The engine: [llama.cpp](https://github.com/ggml-org/llama.cpp).
