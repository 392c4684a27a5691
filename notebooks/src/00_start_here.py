# %% [markdown] name="title"
# # 00 Start here
#
# After this notebook you can run the course, call a language model with LangChain, say what an
# answer costs, and read a check.
#
# **10 minutes (the machine works for one of them). Level: basic Python. Before it: nothing.**
# Everything here runs on this machine: no key, no GPU, no network.

# %% [markdown] name="picture"
# This is what the course is about: a support agent for Fernhill, an invented shop for outdoor
# gear. You will build it, measure it, secure it, deploy it and watch it. This notebook looks at
# the language model.
#
# ```mermaid
# flowchart LR
#     customer([customer]) -- question --> agent
#     agent -- search --> documents[(documents)]
#     agent -- look up, refund --> orders[(orders)]
#     agent -- hand over --> person([a person])
#     agent <-- text --> model[language model]
#     agent -- answer --> customer
# ```

# %% [markdown] name="parameters-text"
# Every notebook has two settings: which model answers, and whether to use small samples.

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="machine-question"
# ## Is this machine ready?
#
# The same checks as `course doctor` in a terminal. Each line says OK, or what to do.

# %% name="machine"
from helpers.course import show
from helpers.doctor import findings

os.environ["COURSE_MODEL"] = model
rows = []
for found in findings():
    rows.append({"check": found.name, "verdict": "OK" if found.ok else found.advice})
show.table(rows, caption="The digests show that both models are the ones of this course")

# %% [markdown] name="model-question"
# ## How do you call a model with LangChain?
#
# A model is a server that takes messages and returns a message. Here it is SmolLM2-135M-Instruct,
# which runs inside this notebook and speaks the same protocol as OpenAI's servers. It has an
# address on this machine:

# %% name="address"
from helpers.models import chat_model

course_model = chat_model(max_tokens=60)
if model == "local":
    print(course_model.openai_api_base)

# %% [markdown] name="init-text"
# `init_chat_model` makes a LangChain chat model from an id: a provider, a colon, a model. For a
# server of your own you add its address. Temperature 0 means that the model always picks the
# likeliest next token, so the same prompt gives the same answer.

# %% name="init"
from langchain.chat_models import init_chat_model

if model == "local":
    llm = init_chat_model(
        "openai:smollm2-135m-instruct",
        base_url=course_model.openai_api_base,
        api_key="none",
        temperature=0,
        max_tokens=60,
    )
else:
    llm = init_chat_model(model, max_tokens=60)

# %% [markdown] name="ask-text"
# ## What does the model say?
#
# `invoke` sends a question and waits for the whole answer, which is an `AIMessage`. Before you run
# the next cells: does a language model know how long you may keep a tent from a shop that does not
# exist?

# %% name="ask" app="ask.py"
from langchain.chat_models import BaseChatModel
from langchain.messages import AIMessage


def ask(model: BaseChatModel, question: str) -> AIMessage:
    """The model's message in reply to a question: its text, and the tokens that it took."""
    return model.invoke(question)

# %% name="answer"
question = "How long do I have to return a tent?"
reply = ask(llm, question)
print(reply.text)

# %% [markdown] name="answer-notes" only="instructor"
# Ask before the cell runs: "Who expects an error? Who expects 30 days?" Wait for two guesses. The
# mistake here is to expect a refusal: the model answers, and the wrong answer reads well. When you
# are late, run the cell `address` without comment: it only shows where the model is.

# %% [markdown] name="answer-read"
# It answers anyway. Nothing in the text tells a fact from an invention. That is the first reason
# this course measures everything.
#
# The message also says how many tokens were read and written, and why the model stopped: `length`
# means that `max_tokens` cut it off.

# %% name="usage"
print(reply.usage_metadata)
print(reply.response_metadata.get("finish_reason"))

# %% [markdown] name="stream-text"
# ## How does an answer arrive?
#
# A model writes one token after another. `stream` yields each piece as it comes, so that a person
# can read while the model still writes.

# %% name="stream" app="ask.py"
from collections.abc import Iterator


def stream(model: BaseChatModel, question: str) -> Iterator[str]:
    """The words of the reply, as the model writes them."""
    for chunk in model.stream(question):
        yield chunk.text

# %% name="streamed"
for piece in stream(llm, question):
    print(piece, end="|")

# %% [markdown] name="door-text"
# ## What does the course add?
#
# `chat_model()` gives you a LangChain chat model like `llm` in one call, with
# settings that suit the small one ([helpers/models/chat.py](../helpers/models/chat.py)). All
# notebooks use it. Set `COURSE_MODEL` before you start JupyterLab, to any id that
# `init_chat_model` takes, and the same notebooks run on that model.

# %% name="door"
print(isinstance(llm, BaseChatModel), isinstance(course_model, BaseChatModel))
print(ask(course_model, question).text)

# %% [markdown] name="agent-text"
# An agent searches the shop's documents first and lets the model answer from what it finds. This
# one is the agent that module 01 builds, step by step.

# %% name="agent"
from helpers.agent import Caller, build_agent

agent = build_agent()
config = {"configurable": {"thread_id": "start-here"}}
state = agent.invoke({"messages": [("user", question)]}, config, context=Caller())

# %% [markdown] name="agent-read"
# Read the messages from the top: your question, the agent's call of a tool, what the tool found,
# and the answer.

# %% name="messages"
for message in state["messages"]:
    message.pretty_print()

# %% [markdown] name="token-question"
# ## What does a token cost in time?
#
# A model reads a prompt in one go and writes its answer token by token. Which of the two do you
# expect to cost more for each token?

# %% name="stopwatch"
import time


def timed(prompt, most):
    """The token counts of one call and its time in seconds."""
    start = time.perf_counter()
    reply = llm.bind(max_tokens=most).invoke(prompt)
    return reply.usage_metadata, time.perf_counter() - start

# %% [markdown] name="writing-text"
# First, answers of several lengths, three times each:

# %% name="writing"
lengths = [8, 32] if fast else [8, 16, 32, 64, 96]
written, write_seconds = [], []
for most in show.progress(lengths * 3, label="writing"):
    usage, seconds = timed("Tell me about walking in the hills.", most)
    written.append(usage["output_tokens"])
    write_seconds.append(seconds)

# %% [markdown] name="reading-text"
# Then the other direction: prompts of several lengths, with an answer of one token.

# %% name="reading"
repeats = [4, 16] if fast else [4, 16, 40, 80]
read, read_seconds = [], []
for times in show.progress(repeats * 3, label="reading"):
    usage, seconds = timed("The path goes on over the hill. " * times, 1)
    read.append(usage["input_tokens"])
    read_seconds.append(seconds)

# %% [markdown] name="slope-text"
# The slope of a straight line through the points is the time of one token.

# %% name="slope"
import numpy as np

write_s, _ = np.polyfit(written, write_seconds, 1)
read_s, _ = np.polyfit(read, read_seconds, 1)
show.scatter(
    {"reading a prompt": (read, read_seconds), "writing an answer": (written, write_seconds)},
    title=f"Writing a token takes {write_s / read_s:.1f} times as long as reading one",
    x="tokens",
    y="seconds",
)

# %% [markdown] name="money-question"
# ## And in money?
#
# The local model is free for you, but not on a machine that you rent. The course has a fixed price
# for its tokens: the CPU time that they took on one reference machine, at a stated rate for an
# hour ([helpers/models/prices.py](../helpers/models/prices.py)). So you can compare its figures
# with hosted models. A model without a known price is an error, never zero.

# %% name="money"
from helpers.models import prices

cost_usd = prices.cost(model, reply.usage_metadata)
print(f"${cost_usd:.7f} for this answer, ${cost_usd * 1_000_000:,.2f} for a million of them")

# %% [markdown] name="check-notes" only="instructor"
# The mistake here is to read "it ran" as "it is right". Let people run lab 00 untouched, from top
# to bottom. Then let them count the errors (none) and read the cards (*not done yet*). Two minutes
# are enough.

# %% [markdown] name="check-text"
# ## How do labs and checks work?
#
# Each module has a lab with exercises. You replace `TODO` with your own code, run the cell, and
# run the check below it. A check shows a card with one of four statuses:
#
# | status | what it means | what to do |
# |---|---|---|
# | not done yet | `TODO` is still there | write your code; this uses no hint |
# | wrong | no case came out right | read what was called, what it gave and what was expected |
# | partly | some cases came out right | read the first that did not |
# | passed | all cases came out right | go on |
#
# This is the card of an exercise that nobody has touched:

# %% name="card"
from helpers.course import TODO, check

check("00.1", TODO)

# %% [markdown] name="wrong-card-text"
# And this is the card of a typical slip in the same exercise, a price that is a million times too
# high. (`run_check` shows the card without recording a try.)

# %% name="wrong-card"
from helpers.course.check import run_check

run_check("00.1", 180 * 0.50 + 24 * 2.00)

# %% [markdown] name="hints-text"
# A wrong try brings a hint that fits what failed; `hint("00.1")` brings the next one. A check never
# stops the notebook, so a lab runs from top to bottom at any stage, and "it ran" proves nothing.
# Read the card.
#
# Your progress is kept in `.course/` beside the notebooks. In a terminal, `course status` shows it,
# `course next` opens what comes next, and `course journal` writes your own figures as one page.
# `course reset 00` gives you a fresh lab and keeps a dated copy of yours. When you come late to a
# workshop, `course catch-up 05.3` solves the exercises before 05.3 for you. `course update` fetches
# a newer course and keeps your work.

# %% [markdown] name="measured-text"
# ## What you measured
#
# Two speeds of this machine, and the price of one answer. You will need them in module 10, when
# you cut the cost.

# %% name="measured"
show.table(
    [
        {"figure": "tokens read per second", "value": f"{1 / read_s:.0f}"},
        {"figure": "tokens written per second", "value": f"{1 / write_s:.0f}"},
        {"figure": "one answer, millionths of a dollar", "value": f"{cost_usd * 1e6:.1f}"},
    ],
    caption="This machine, this run",
)
print(f"A million answers like this one cost ${cost_usd * 1_000_000:,.2f}, and a token written")
print(f"takes {write_s / read_s:.1f} times as long as a token read.")

# %% [markdown] name="production"
# **In production** a hosted model is faster in both directions and serves many callers at once.
# Writing still costs more than reading, and price lists show it.
#
# **Where it breaks:** other programs on this machine slow the model down, so compare figures
# only within one run.

# %% [markdown] name="keep"
# ## Keep this
#
# ```python
# from langchain.chat_models import init_chat_model
#
# llm = init_chat_model("openai:gpt-4.1-mini")    # or a server of your own: base_url="http://..."
# reply = llm.invoke("How long do I have to return a tent?")
# print(reply.text, reply.usage_metadata)
# for chunk in llm.stream("How long do I have to return a tent?"):
#     print(chunk.text, end="")
# ```
#
# **The figure:** how many times longer a token takes to write than to read (the title of your
# plot). **The pitfall:** a fluent answer is no evidence. (Another: a server of your own counts the
# tokens of a stream only with `stream_usage=True`.) **In a review meeting:** the sentence that
# the last cell printed, with your own figures.

# %% [markdown] name="without"
# ## Without the course
#
# In an empty folder: `pip install langchain langchain-openai`, and the key of your provider in
# `OPENAI_API_KEY`. With a server of your own, its address in `OPENAI_BASE_URL`, and any word as the
# key if it asks for none.
#
# In a terminal of JupyterLab, `course new ../my-agent` writes such a project beside the course,
# with the two functions of this notebook, tests and a file for continuous integration.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions on how the course works. Every choice has an explanation.

# %% name="quiz"
from helpers.course import quiz

quiz("00")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/00_start_here.ipynb](../labs/00_start_here.ipynb), two exercises, 5 minutes.
# - The next module: [01 Build an agent](01_build_an_agent.ipynb).
# - LangChain's own page: [Models](https://docs.langchain.com/oss/python/langchain/models).
# - The model: [SmolLM2, model card](https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct).
# - The engine: [llama.cpp](https://github.com/ggml-org/llama.cpp).
