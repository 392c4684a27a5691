# %% [markdown] name="title"
# # 09 Trace with LangSmith
#
# After this notebook you can trace every request of an agent, ask the traces where money and time
# go, and turn what customers complain about into a test that the next version must pass.
#
# **60 to 75 minutes, of which the machine works 5 (with `COURSE_LIVE=1` 18). Level: Python, pandas.
# Before it: modules 01 and 02.** All code is that of LangSmith's own SDK; where the traces go is
# one environment variable.
#
# ```mermaid
# flowchart LR
#     agent[agent] -- runs --> sdk[langsmith SDK]
#     sdk -- COURSE_TRACING=local --> here[(service on this machine)]
#     sdk -- COURSE_TRACING=langsmith<br>and your key --> there[(LangSmith)]
#     here --> cost[cost, time, tools] --> bad[bad runs]
#     bad --> data[dataset] --> test[experiment] --> agent
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="imports"
import tempfile
import warnings
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from langsmith import Client, tracing_context, uuid7

from helpers import tracing
from helpers.agent import LOCAL, Caller, DocumentIndex, Style, build_agent
from helpers.course import quiz, show
from helpers.evaluate import Proportion, score_answer
from helpers.evaluate.compare import compare
from helpers.models import embeddings
from helpers.shop import documents, questions
from helpers.shop.traffic import day
from helpers.tracing import analysis, asking, improve, personal_data
from helpers.tracing.experiments import experiment
from helpers.tracing.stored import ask_or_read

os.environ["COURSE_MODEL"] = model
warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)  # see section 2

# %% [markdown] name="tree-text"
# ## 1. What happens in one request?
#
# `tracing.enable` starts a service on this machine that speaks LangSmith's API, and points the SDK
# at it. Keys in your environment are set aside: nothing leaves. With `COURSE_TRACING=langsmith` and
# your own key, the same notebook traces to LangSmith.
#
# LangChain traces its own runs. What it cannot know, you say in the config: a **name** that is the
# same for all requests, the id under which you find this one again, **metadata** to group by
# (session, intent, release), **tags** for yes or no. None of these is a place for personal data.
# Before you look: how often does the agent call its model to answer about one order?

# %% name="switch"
project = f"fernhill-{datetime.now():%Y%m%d-%H%M%S}"  # a new one: its figures are of this run
traces = tracing.enable(project)
client, agent = traces.client, build_agent()
print(f"{traces.mode}: {client.api_url}")

# %% name="tree"
order = next(one for one in day() if one.intent == "order_status")
config = {"run_name": "request", "run_id": uuid7(), "tags": ["logged in"],
          "metadata": {"intent": order.intent, "customer": order.customer},
          "configurable": {"thread_id": order.session}}
agent.invoke({"messages": [("user", order.text)]}, config, context=Caller(order.customer))
traces.flush()
show.trace(client.read_run(config["run_id"], load_child_runs=True))

# %% [markdown] name="day-text"
# A *run* is one step, with inputs, outputs, start and end; runs form a tree, the *trace*.
# `LocalChatModel` is the model: called once to choose a tool (by a classifier, hence 0 tokens),
# then to answer. The chains around it are middleware, no longer than what they wrap: adding up the
# rows would count the same second many times. Tokens and cost are *rolled up*: a run's figure
# includes all below it.
#
# The tree hangs on a context variable. It goes along with `await` and with LangChain's own threads,
# but not into a plain thread pool; the lab's first exercise is about that.
#
# ## 2. What does a day look like?
#
# Now requests of Fernhill's day, each with the same kind of config: a few intents in many
# wordings, a long tail, some callers who behave oddly. Which these are, and what they cost, is for
# the traces to tell. A model without a price has no cost, which is not a cost of zero: the
# statistics say what the total leaves out.
#
# Making 300 requests takes 13 minutes on an idle two-core machine, so the first cell reads a
# **stored run**. It prints the version of the agent, makes two requests again, and sends the stored
# traces to your project. They have every step with its time, but inputs and outputs only for the
# request itself, its models and its tools. To make all requests live, add `live=True` to the call.
#
# `course traces`, in a terminal, shows the same runs as pages. In code, `list_runs` filters where
# the runs are, and `select` leaves out what you do not need. The SDK announces that `list_runs`
# and `read_run` will be removed in 2027; `runs.query` is the newer form, and asynchronous. The
# second cell uses both.

# %% name="day" tags=["stored:09-day"]
requests = day(300)[:: 38 if fast else 1]
asked = ask_or_read("09-day", traces, agent, requests, show.progress)
traces.flush()
show.table(analysis.statistics(client, project), caption=f"Project {project}")

# %% name="query"
about = 'and(eq(metadata_key, "intent"), eq(metadata_value, "return_window"), gt(latency, 0.5))'
older = list(client.list_runs(project_name=project, is_root=True, filter=about, select=["id"]))
session = str(client.read_project(project_name=project).id)
newer = [run async for run in client.runs.query(project_ids=[session], is_root=True, filter=about)]
print(f"about returns, longer than half a second: {len(older)} and {len(newer)}")

# %% [markdown] name="cost-text"
# ## 3. Which requests cost out of proportion?
#
# One row for each request, dearest first. Which part of the money do the dearest five percent
# take? If all requests cost the same, it would be five percent.
#
# A single dear request is a nuisance, a group is a bill. *Excess* is a group's part of the cost
# minus its part of the requests, so that no group is blamed for being large. LangChain has put the
# session into the metadata, as `thread_id`. Which sessions stand out, and what did they say last?

# %% name="cost"
frame = analysis.requests(client, project)
dear, curve = analysis.dearest(frame, 0.05), analysis.cost_curve(frame)
show.line({"measured": curve, "all the same": ([0, 100], [0, 100])}, marks={"5%": 5}, y="cost (%)",
          x="requests (%)", title=f"The dearest 5% of the requests make {dear:.0%} of the cost")

# %% name="who"
worst = analysis.excess(frame, "thread_id").head(5)
said = {one.session: tracing.redactor()(one.text)[-60:] for one in [order, *requests]}
show.table(worst.assign(said=worst.thread_id.map(said)), digits=1, units={"cost": "%"},
           caption="Sessions with the largest excess, in points, and what they said last")

# %% [markdown] name="time-text"
# ## 4. Where does the time go?
#
# The latencies of nested runs cannot be added. A run's *own* time is its latency without that of
# the runs below it; own times add up to the whole. What would you speed up first?

# %% name="time"
spent = analysis.seconds_by_kind(analysis.steps(client, project))
part = {kind: 100 * seconds / sum(spent.values()) for kind, seconds in spent.items()}
show.bars(part, x="own time (%)", title=f"The model takes {part['model']:.0f}% of the time")

# %% [markdown] name="tools-text"
# ## 5. Which tool fails?
#
# Two things are called failure. A tool that *raises* ends in an error. A tool that *refuses*, such
# as to show somebody else's order, returns a message with the status "error": the tool works, and
# its run is a success. Alert on the first; of the second ask whose calls they are.

# %% name="tools"
calls = analysis.tool_calls(client, project)
show.table(analysis.tool_table(calls, frame), units={"median": "ms"}, digits=1,
           caption=f"{len(calls)} calls of the agent's tools")

# %% [markdown] name="feedback-text"
# ## 6. Are dear answers better answers?
#
# *Feedback* is a mark on a run: a customer's thumb, a colleague's judgement, a check that runs by
# itself. Here a check: where a golden question (module 02) asks the same, the answer states the
# right facts or it does not. Would you expect right answers to cost more than wrong ones?

# %% name="feedback"
for one in asked:
    mark = improve.states_the_facts(one)
    if mark is not None:
        client.create_feedback(one.run_id, "right", score=int(mark), trace_id=one.run_id,
                               session_id=session)
traces.flush()
frame = analysis.requests(client, project, feedback=["right"])
marked = frame[frame.right.notna()]
show.table(analysis.by_mark(frame, "right"), digits=1, units={"cost of one": "$ per million"},
           caption=f"Right: {Proportion.of(marked.right == 1)}")
show.intervals({name: Proportion.of(own.right == 1) for name, own in marked.groupby("intent")},
               title=f"{int(marked.right.sum())} of {len(marked)} answers are right",
               x="right answers")

# %% [markdown] name="dataset-text"
# ## 7. How does a bad run become a test?
#
# Close the loop once. Wordings that went wrong become examples of a *dataset*, with their run as
# source. Half of them are *seen*: by these you mend the agent. The others are *unseen*, and tell
# whether you have mended more than a list. Some that went right must stay right. Who wrote personal
# data is left out: datasets live longer than traces.

# %% name="dataset"
examples = improve.examples(asked, most=2 if fast else 12)
dataset = client.create_dataset(f"{project}-wordings")
client.create_examples(dataset_id=dataset.id, examples=examples)
print(dict(Counter(example["split"] for example in examples)))

# %% [markdown] name="experiment-text"
# An *experiment* runs a target over the examples, marks each answer, and traces it all into a
# project of its own: that is `client.evaluate`, which `experiment` calls and reads back. First the
# agent as it is.
#
# In the wrong answers, the search has preferred another sentence. The index keeps questions that
# each sentence answers; *seen* brings better ones. So index the sentence that states the facts
# under these wordings too, and run the same experiment again.

# %% name="before"
def facts(outputs, reference_outputs):
    question = improve.golden()[reference_outputs["golden"]]
    return score_answer(question, outputs["answer"]).right

before = experiment(client, improve.target(agent), dataset.name, facts, "before")

# %% name="after"
seen = [(one["inputs"]["question"], improve.golden()[one["outputs"]["golden"]])
        for one in examples if one["split"] == "seen"]
index = DocumentIndex(documents(), embeddings(), expected=improve.taught(seen))
mended = build_agent(retriever=index)
after = experiment(client, improve.target(mended), dataset.name, facts, "after")
show.table(improve.by_split(client, dataset.name, before, after), caption="Right, by split")

# %% [markdown] name="prompts-text"
# The dataset stays, and every later version runs it: a regression test, made of what customers ask.
#
# ## 8. Which of two prompts is worth its price?
#
# A colleague wants a friendlier agent. Same questions, same model, another prompt: compare
# rightness and cost together.

# %% name="prompts"
friendly = Style("You are the friendly support agent of Fernhill, a shop for outdoor gear. Answer "
                 "in one warm sentence.", examples=(), small_talk=(), sentences=1)
data = client.create_dataset(f"{project}-prompts")
client.create_examples(dataset_id=data.id, examples=improve.golden_examples(
    questions("dev")[: 2 if fast else 24]))
tried = {name: experiment(client, improve.target(build_agent(style=style)), data.name, facts, name)
         for name, style in {"plain": LOCAL, "friendly": friendly}.items()}
pair = compare(*(one.verdicts for one in tried.values()))
show.table([{"prompt": name, "right": one.right, "tokens": one.tokens, "a right answer":
             1e6 * one.cost / one.right if one.right else None} for name, one in tried.items()],
           caption=f"Friendly: {pair.gained} gained, {pair.lost} lost, p = {pair.p_value:.2g}",
           units={"a right answer": "$ per million"}, digits=1)

# %% [markdown] name="keep-text"
# ## 9. What do you sample, redact and keep?
#
# `LANGSMITH_TRACING_SAMPLING_RATE=0.1` keeps one trace in ten, by chance, before anybody knows how
# the request ends. What does that leave of the requests that were dear or wrong? The second rule
# looks at finished traces and keeps those too.

# %% name="sample"
worth = (frame.index < 0.05 * len(frame)) | (frame.right == 0)
show.table(analysis.sampling(frame, worth, 0.1), digits=0, caption="Traces that are kept (%)")

# %% [markdown] name="redact-text"
# Redact *before* anything leaves the process, by the SDK's hook. It sees inputs, outputs, errors
# and metadata; it does not see names of runs, tags and feedback. Here a customer writes an address
# into the chat: in how many places of one trace does it end up?

# %% name="redact"
talker = next(one for one in day(300) if one.personal and "@" in one.text)
rows = []
for redact in (False, True):
    to = tracing.enable(f"{project}-redact-{redact}", redact=redact)
    asking.ask_all(agent, [replace(talker, session=f"redacted {redact}")])
    to.flush()
    kept = [[run.inputs, run.outputs] for run in to.client.list_runs(project_name=to.project)]
    rows.append({"redacted": redact, **personal_data(kept), "kB": len(str(kept)) // 1000})
show.table(rows, caption="Pieces of personal data in one trace")

# %% [markdown] name="strategy-text"
# Keep by purpose: full traces for days, redacted and sampled ones for months, datasets as long as
# their test runs. `client.delete_project` deletes a project with its runs and their feedback.
#
# ## 10. What do you look at, and when?
#
# In real time only what somebody gets up for, and from metrics (module 08): traces come late and
# sampled. Daily, where money and anger went. Weekly, what takes people: reading runs, adding
# examples, deciding.

# %% name="strategy"
figures = {
    ("real time", "requests that failed"): str(Proportion.of(frame.status == "error")),
    ("real time", "seconds, 95th percentile"): f"{frame.seconds.quantile(0.95):.1f}",
    ("daily", "cost of the dearest 5%"): f"{dear:.0%} of all",
    ("daily", "refused tool calls"): str(Proportion.of(calls.refused)),
    ("daily", "requests without a price"): str(frame.cost.isna().sum()),
    ("weekly", "right answers"): str(Proportion.of(marked.right == 1)),
    ("weekly", "examples right, before and after mending"): f"{before.right}, {after.right}",
}
show.table([{"when": when, "what": what, "now": now} for (when, what), now in figures.items()],
           caption="An observability strategy, with the figures of this run")

# %% [markdown] name="key-text"
# ## 11. What changes with a key?
#
# Nothing in the code. Here a second instance stands for LangSmith, with an address and a key of its
# own; you would set these variables before you start JupyterLab.

# %% name="key"
tracing.disable()
with (tempfile.TemporaryDirectory() as folder,
      tracing.running(Path(folder) / "t.db") as hosted,
      patch.dict(os.environ, COURSE_TRACING="langsmith", LANGSMITH_ENDPOINT=hosted.url,
                 LANGSMITH_API_KEY=hosted.key, NO_PROXY="127.0.0.1")):
    there = tracing.enable("with-a-key")
    asking.ask_all(agent, [replace(order, session="with a key")])
    there.flush()
    arrived = len(list(there.client.list_runs(project_name="with-a-key")))
    tracing.disable()
print(f"{there.mode}: {arrived} runs of one request arrived at the second instance")

# %% [markdown] name="otel-text"
# ## 12. Can another backend take the same traces?
#
# With `tracing_mode="otel"` the SDK writes OpenTelemetry spans, by the GenAI conventions, which any
# backend takes. Here they stay in memory; for a real one, put
# `OTLPSpanExporter(endpoint="http://collector:4318/v1/traces")` in the exporter's place.

# %% name="otel"
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

provider, memory = TracerProvider(), InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(memory))
sender = Client(tracing_mode="otel", otel_tracer_provider=provider,
                api_url="http://127.0.0.1:9", api_key="nobody there")
with tracing_context(client=sender, enabled=True):
    asking.ask_all(agent, [replace(order, session="as spans")])
sender.flush()
written = [span.attributes.get("gen_ai.usage.output_tokens") for span in
           memory.get_finished_spans()]
print(f"{len(written)} spans; output tokens: {[count for count in written if count]}")

# %% [markdown] name="measured-text"
# ## What you measured
#
# These are the figures of this notebook. The chapter's question 5 asks how to find what costs out
# of proportion: keep them for your answer in module 12.

# %% name="measured"
rows = {"cost of the dearest 5%": f"{dear:.0%}", "time of the model": f"{part['model']:.0f}%",
        "right": f"{marked.right.mean():.0%}", "mended": f"{before.right} to {after.right}"}
show.table([{"figure": name, "value": value} for name, value in rows.items()],
           caption=f"{len(frame)} requests, {len(marked)} with a mark, {len(examples)} examples")

# %% [markdown] name="production"
# **In production** the SDK sends in the background, so that no request waits for its trace; what
# is left, `python -m tests.benchmarks.tracing` measures. Put a release into the metadata, and
# decide on sampling and redaction, before the first customer comes: yesterday's traces cannot be
# labelled.
#
# **Where it breaks.** A trace says what happened, not why a customer left. A check marks only what
# somebody has written facts for. Prices are those of a table, not of the invoice. And who says
# nothing is in no dataset of complaints.
#
# ## Quiz

# %% name="quiz"
quiz("09")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/09_trace_with_langsmith.ipynb](../labs/09_trace_with_langsmith.ipynb), six
#   exercises. [Module 10](10_cut_the_cost.ipynb) then cuts the cost that you have found.
# - `course traces` shows these traces; `course trace-check` asks 100 requests and writes the
#   checklist's evidence for *monitoring*. `course eval` and `course cost` write that for *cost*.
# - [LangSmith: observability](https://docs.langchain.com/langsmith/observability) and
#   [evaluation](https://docs.langchain.com/langsmith/evaluation).
# - [OpenTelemetry: GenAI conventions](https://opentelemetry.io/docs/specs/semconv/gen-ai/).
# - Traces, and sampling them: Sigelman et al., 2010, *Dapper*,
#   [research.google](https://research.google/pubs/pub36356/).
