# %% [markdown] name="title"
# # 11 Operate and improve
#
# After this notebook you can choose a deployment by its figures, connect tools by MCP, decide with
# a canary whether a change may stay, and get a running agent through a bad day.
#
# **75 minutes (the machine works for about 4 of them). Level: Python, pandas. Before it: modules 05
# and 09.**

# %% [markdown] name="picture"
# ```mermaid
# flowchart LR
#     customers([customers]) --> place["deployment<br>1, 2"] --> agent["agent"]
#     agent --> tools["tools, by MCP<br>3"]
#     agent --> serving["model server<br>4"]
#     agent -- "feedback, traces" --> change["a change<br>5"]
#     change --> canary{"canary:<br>10%"}
#     canary -- release --> agent
#     canary -- "roll back" --> change
#     agent -- metrics, pages --> operator(["operator<br>6"]) -- acts --> place
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="loop-text"
# ## Does the change help?
#
# The improvement loop: feedback and traces become examples, examples become a change, and an
# experiment says whether it helps. Then a *canary*, a small share of the customers, tries it. You
# go through the loop twice. One of the two changes helps, and the other only looks so.
#
# The version in use is the cheapest tier of module 10: it answers with the best sentence of the
# documents, or hands over to a person.

# %% name="loop-released"
from functools import cache

from langchain_core.tools import tool

from helpers.agent import fernhill_index

index = fernhill_index()
HANDED_OVER = "I do not know, so I have passed your question to a colleague."


@cache
def best(question):
    """The best passage; the same words are searched once."""
    return index.search(question, 1)[0]


@tool
def released(question: str) -> str:
    """Answer with the best sentence, or hand over where its score is below 0.68."""
    found = best(question)
    return found.excerpt if found.score >= 0.68 else HANDED_OVER


print(released.invoke("When do your shops close on a Sunday?"))

# %% [markdown] name="loop-day-text"
# This customer will not be happy: the sentence is about the other six days. Next come the questions
# of a day about the shop and its goods. (Orders and refunds are left out here.) Each has a golden
# question of module 02, whose facts say whether an answer is right.

# %% name="loop-day"
from helpers.shop import questions
from helpers.shop.traffic import day

golden = {}
for question in questions("dev"):
    if question.kind in ("single_fact", "conditional", "unanswerable"):
        golden[question.id] = question


def requests_of(count, seed):
    """The requests of a day that have a golden question."""
    found = []
    for request in day(count, seed=seed):
        if request.question in golden and not request.personal and request.caller == "ordinary":
            found.append(request)
    return found


monday = requests_of(150 if fast else 300, seed=1)
print(len(monday), "requests, such as:", monday[0].text)

# %% [markdown] name="loop-trace-text"
# Each answer is traced, as in module 09, and gets a thumb. Here every customer gives one, and by
# the facts. Real customers give few, and more often when they are angry.

# %% name="loop-service"
import warnings

from langsmith import Client, tracing_context, uuid7

from helpers import tracing

warnings.filterwarnings("ignore", ".*will be removed after", DeprecationWarning)
service = tracing.local()
client = Client(api_url=service.url, api_key=service.key)
project = client.create_project(f"improve-{uuid7()}")

from helpers.course import show
from helpers.evaluate import score_answer

with tracing_context(enabled=True, client=client, project_name=project.name):
    for request in show.progress(monday, "requests answered"):
        run_id = uuid7()
        config = {"run_id": run_id, "run_name": "request", "metadata": {"golden": request.question}}
        answer = released.invoke(request.text, config)
        thumb = score_answer(golden[request.question], answer).right
        client.create_feedback(
            run_id, "thumb", score=int(thumb), trace_id=run_id, session_id=project.id)
client.flush()

# %% [markdown] name="loop-examples-text"
# The thumbs down become examples: one for each wording, with its golden question and its run. Every
# second one is *seen* (you may use it for the change), the others are *unseen*.

# %% name="loop-examples"
down = 'and(eq(feedback_key, "thumb"), eq(feedback_score, 0))'
complaints = {}
for run in client.list_runs(project_name=project.name, is_root=True, filter=down):
    text = run.inputs["input"]
    complaints[text] = {
        "inputs": {"question": text},
        "reference_outputs": {"golden": run.metadata["golden"]},
        "source_run_id": run.id,
    }
for number, text in enumerate(sorted(complaints)):
    complaints[text]["split"] = "unseen" if number % 2 else "seen"
dataset = client.create_dataset(f"{project.name}-complaints")
client.create_examples(dataset_id=dataset.id, examples=list(complaints.values()))
print(len(complaints), "wordings with a thumb down, such as:", text)

# %% [markdown] name="loop-fix-text"
# **The first change.** A colleague writes the right answer to each seen complaint. A vector store
# finds the nearest complaint, and its answer is given where the cosine is at least 0.7.

# %% name="loop-fix"
from langchain_core.vectorstores import InMemoryVectorStore

from helpers.models import embeddings

store = InMemoryVectorStore(embeddings())
for text, example in complaints.items():
    if example["split"] == "seen":
        question = golden[example["reference_outputs"]["golden"]]
        facts = [wordings[0] for wordings in question.required]
        store.add_texts([text], [{"answer": ", ".join(facts)}])


@cache
def nearest(question):
    """The nearest complaint, and its cosine."""
    return store.similarity_search_with_score(question, k=1)[0]


@tool
def with_fixes(question: str) -> str:
    """Answer as a colleague has answered a similar complaint, or as before."""
    near, cosine = nearest(question)
    return near.metadata["answer"] if cosine >= 0.7 else released.invoke(question)


print(with_fixes.invoke("tent return deadline, please?"))

# %% [markdown] name="loop-never-text"
# **The second change.** Some customers complained about "I do not know", though the documents have
# the answer. Another colleague lets the agent never hand over. The answer is there, after all.

# %% name="loop-never"
@tool
def never_hands_over(question: str) -> str:
    """Answer with the best sentence, whatever its score."""
    return best(question).excerpt


versions = {
    "released": released,
    "with fixes": with_fixes,
    "never hands over": never_hands_over,
}

# %% [markdown] name="loop-experiment-text"
# An experiment asks each version all complaints. The released one got all of them wrong, so both
# changes can only win here. Which of them would you ship by the table below?

# %% name="loop-experiment"
import io
from contextlib import redirect_stderr, redirect_stdout


def states_facts(outputs, reference_outputs):
    """Whether the answer states the facts of the golden question."""
    said = (outputs or {}).get("answer", "")
    return score_answer(golden[reference_outputs["golden"]], said).right

def experiment(version):
    """LangSmith's table of an experiment: one row for each complaint."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        done = client.evaluate(
            lambda inputs: {"answer": version.invoke(inputs["question"])},
            data=dataset.name,
            evaluators=[states_facts],
            max_concurrency=0,
        )
    return done.to_pandas().set_index("example_id")


verdicts = {}
for name, version in versions.items():
    verdicts[name] = experiment(version)["feedback.states_facts"].astype(bool)

# %% name="loop-table"
from statsmodels.stats.contingency_tables import mcnemar

others = client.list_examples(dataset_id=dataset.id, splits=["unseen"])
unseen = [example.id for example in others]
rows = []
for name, right in verdicts.items():
    gained = int((right & ~verdicts["released"]).sum())
    lost = int((verdicts["released"] & ~right).sum())
    answers = [versions[name].invoke(request.text) for request in monday]
    rows.append({
        "version": name,
        "right": right.sum(),
        "of which unseen": right[unseen].sum(),
        "lost": lost,
        "p": mcnemar([[0, lost], [gained, 0]], exact=True).pvalue,
        "handed over": answers.count(HANDED_OVER) / len(answers),
    })
show.table(rows, caption=f"{len(complaints)} complaints, and the share of Monday's requests "
           "that a person got", digits=4)

# %% [markdown] name="loop-compared-note"
# By this table both changes help: complaints are answered, none is lost, and the second one saves
# every hand-over. But a dataset of complaints has no question that was answered well. It cannot
# show what a change breaks. Customers can, if few of them see it.
#
# **The canary.** A hash of the visitor decides who gets the new version: a customer's id, or here
# the conversation's. So a conversation keeps its version, and no server has to remember it. The
# change's name is part of the hash, or the same people would try every change.

# %% name="loop-assign"
import hashlib


def is_canary(visitor, change, percent=10):
    """Whether a visitor tries a change; always the same."""
    digest = hashlib.sha256(f"{change}:{visitor}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < percent


week = requests_of(24_000, seed=2)
canaries = 0
for request in week:
    canaries += is_canary(request.session, "with fixes")
print(f"{canaries} of {len(week)} requests, {canaries / len(week):.1%}")

# %% [markdown] name="loop-rule-text"
# When do you stop it? Decide that before it begins. Look after every 50 answers of the canary, 20
# times at most. At each look, by how many standard errors is the new version worse?

# %% name="loop-worse"
import numpy as np

LOOKS, EACH = 20, 50


def worse_by(old, new):
    """By how many standard errors the new version is worse; each is (good, asked)."""
    share = (old[0] + new[0]) / (old[1] + new[1])
    error = np.sqrt(share * (1 - share) * (1 / old[1] + 1 / new[1]))
    return (old[0] / old[1] - new[0] / new[1]) / error


print(worse_by((2_925, 4_500), (275, 500)))

# %% [markdown] name="loop-peek-text"
# Above 1.64 errors, chance alone explains it in at most 5% of the cases. So why not stop at the
# first look above 1.64? Simulate 4,000 canaries of a change that changes *nothing*. How many of
# them would be rolled back?

# %% name="loop-peek"
looks = np.arange(1, LOOKS + 1)


def simulated(old, new, tries=4_000):
    """What `worse_by` gives in many canaries: a row for each, a column for each look."""
    draws = np.random.default_rng(1)
    good_old = draws.binomial(9 * EACH, old, (tries, LOOKS)).cumsum(axis=1)
    good_new = draws.binomial(EACH, new, (tries, LOOKS)).cumsum(axis=1)
    return worse_by((good_old, 9 * EACH * looks), (good_new, EACH * looks))


equal = simulated(0.65, 0.65)
peeked = np.mean((equal > 1.64).any(axis=1))
print(f"{peeked:.0%} are rolled back by 20 looks, {np.mean(equal[:, -1] > 1.64):.0%} by the last")

# %% [markdown] name="loop-bounds-text"
# Each look is one more chance to be unlucky. *Group-sequential* rules raise the bound so that all
# looks together stop 5% of equal changes. Pocock's bound (1977) is the same at each look. That of
# O'Brien and Fleming (1979) starts high and falls. The simulation gives both constants.

# %% name="loop-bounds"
progress = np.sqrt(looks / LOOKS)
pocock = np.quantile(equal.max(axis=1), 0.95)
fleming = np.quantile((equal * progress).max(axis=1), 0.95)
bounds = {
    "each look, 1.64": np.full(LOOKS, 1.64),
    "Pocock": np.full(LOOKS, pocock),
    "O'Brien-Fleming": fleming / progress,
    "the last look only": np.where(looks == LOOKS, 1.64, np.inf),
}
print(f"Pocock {pocock:.2f}, O'Brien-Fleming {fleming / progress[0]:.2f} to {fleming:.2f}")

# %% [markdown] name="loop-price-text"
# A *false stop* loses a good change, until someone tries it again. A *late stop* serves bad
# answers. The prices are assumptions. A wrong answer costs $5. A false stop delays a change by a
# month, with 50,000 questions; a bad change that no look has stopped stays for a month. Of ten
# changes, five do nothing (a stop costs a day's work, $500), three help by five points, and two
# hurt by ten.

# %% name="loop-price"
WRONG, MONTH, REVIEW = 5, 50_000, 500
better, worse = simulated(0.65, 0.70), simulated(0.65, 0.55)


def price(bound):
    """What a rule does, and what a canary costs with it, in dollars."""
    stopped = worse > bound
    served = EACH * np.where(stopped.any(axis=1), stopped.argmax(axis=1) + 1, LOOKS)
    false, lost = (equal > bound).any(axis=1).mean(), (better > bound).any(axis=1).mean()
    missed = 1 - stopped.any(axis=1).mean()
    false_stop = 0.5 * false * REVIEW + 0.3 * lost * 0.05 * MONTH * WRONG
    late_stop = 0.2 * 0.10 * WRONG * (served.mean() + missed * MONTH)
    return {
        "equal stopped": false,
        "better stopped": lost,
        "worse stopped": 1 - missed,
        "answers until then": served.mean(),
        "false stops": false_stop,
        "late stops": late_stop,
    }

# %% name="loop-prices"
import pandas as pd

priced = []
for name, each in bounds.items():
    priced.append({"rule": name} | price(each))
money = {"false stops": "$", "late stops": "$"}
show.table(priced, caption="What each rule does, and what a canary costs", units=money,
           digits={"answers until then": 0, "false stops": 0, "late stops": 0})

# %% [markdown] name="loop-decide-text"
# Which rule is cheapest depends on the prices: change them. Here is the rule of this notebook, and
# what it decides on both changes. Replay the week once for each. Which one will be rolled back, and
# at which look?

# %% name="loop-decide"
bound = bounds["O'Brien-Fleming"]


def decide(old, new, look):
    """continue, roll back or release; old and new are (good, asked), look is 1 to LOOKS."""
    if worse_by(old, new) > bound[look - 1]:
        return "roll back"
    return "release" if look == LOOKS else "continue"


@cache
def good(name, text, golden_id):
    """Whether a version answers a question rightly."""
    return score_answer(golden[golden_id], versions[name].invoke(text)).right

# %% name="loop-canary"
def canary(change):
    """A row for each look, up to the decision."""
    old, new, rows = [0, 0], [0, 0], []
    for request in week:
        tries = is_canary(request.session, change)
        counts, name = (new, change) if tries else (old, "released")
        counts[0] += good(name, request.text, request.question)
        counts[1] += 1
        if tries and new[1] % EACH == 0:
            look = new[1] // EACH
            rows.append({"look": look, "old": old[0] / old[1], "new": new[0] / new[1],
                         "errors": worse_by(old, new), "decision": decide(old, new, look)})
            if rows[-1]["decision"] != "continue":
                return rows
    raise ValueError("The week has too few requests: take more.")

# %% name="loop-run"
watched = {}
for name in ("with fixes", "never hands over"):
    watched[name] = canary(name)
ends = []
for name, rows in watched.items():
    ends.append({"change": name} | rows[-1])
show.table(ends, caption="How both canaries ended")

series = {"bound": (looks, bound)}
for name, rows in watched.items():
    series[name] = ([row["look"] for row in rows], [row["errors"] for row in rows])
fixes, never = ends
show.line(
    series,
    title=f"'never hands over' ends at look {never['look']} ({never['decision']}), "
    f"'with fixes' at look {fixes['look']} ({fixes['decision']})",
    x=f"look (each {EACH} answers of the canary)",
    y="worse by (standard errors)",
)

# %% [markdown] name="loop-back-text"
# A rollback must be one write, not a new release. The routing reads the share at each request, so
# the next answer comes from the old version again.

# %% name="loop-back"
release = {"canary": "never hands over", "percent": 10}


def route(visitor):
    """The version that a visitor gets now."""
    tries = is_canary(visitor, release["canary"], release["percent"])
    return release["canary"] if tries else "released"


visitor = next(each.session for each in week if is_canary(each.session, "never hands over"))
before = route(visitor)
release["percent"] = 0  # the rollback
print(f"{visitor}: {before}, then {route(visitor)}")

# %% [markdown] name="loop-saved-text"
# What did the canaries save, and what did they cost? Here every version can answer the whole week,
# so count. (Do not take the difference from a stopped canary: it was stopped at a bad moment, and
# exaggerates.)

# %% name="loop-saved"
def more_right(change, requests):
    """How many more right answers a change gives to these requests."""
    more = 0
    for request in requests:
        now = good(change, request.text, request.question)
        more += now - good("released", request.text, request.question)
    return more


tried = [each for each in week if is_canary(each.session, "never hands over")]
by_canary = -more_right("never hands over", tried[: EACH * never["look"]])
by_all = -more_right("never hands over", week)
waited = more_right("with fixes", week) * 0.9
print(f"the bad change: {by_canary} wrong answers in the canary, {by_all} in a week for everyone")
print(f"the good change: {waited:.0f} wrong answers while nine of ten waited for it")
print(f"in dollars: {WRONG * by_canary:,}, {WRONG * by_all:,} and {WRONG * waited:,.0f}")

# %% [markdown] name="loop-note"
# The second change looked good by two figures, complaints and hand-overs. Neither of them counts
# the questions that have no answer in the documents: there, "I do not know" was right. So take into
# the dataset what was answered well, and let the canary count right answers, not hand-overs.
# And caution has a price, too: this rule releases at the last look only.

# %% [markdown] name="words-text"
# ## What do you call this work?
#
# Question 4 of the chapter asks for the name of what you do in this module. Each name was made for
# something. All sources were read in November 2026.
#
# | name | made for | by whom, and when |
# |---|---|---|
# | DevOps | development and operation as one job | [DevOpsDays][devops], Ghent, 2009 |
# | SRE | operation, as a software engineer would design it | Google, [book][sre] of 2016 |
# | AIOps | machine learning that reads alerts and logs | Gartner, [2016][aiops] or [2017][aiops2] |
# | MLOps | products around a model that you train | [defined][mlops] in 2022, used before |
# | FMOps | models that others trained; LLMOps is a part | [AWS][fmops], 2023 |
# | LLMOps | language models in production | vendors ([Databricks][llmops]), [2023][news] |
# | GenAIOps | generative AI: prompts, retrieval, model | [Microsoft][genaiops]: also LLMOps |
# | AgentOps | agents: their steps, tools and traces | a [paper][agentops] of 2024; a product |
#
# [devops]: https://newrelic.com/blog/nerd-life/devops-name
# [sre]: https://sre.google/sre-book/introduction/
# [aiops]: https://www.servicenow.com/products/it-operations-management/what-is-aiops.html
# [aiops2]: https://www.splunk.com/en_us/blog/it/aiops-no-bullsh-just-it.html
# [mlops]: https://arxiv.org/abs/2205.02302
# [fmops]: https://aws.amazon.com/blogs/machine-learning/fmops-llmops-operationalize-generative-ai-and-differences-with-mlops/
# [llmops]: https://www.databricks.com/glossary/llmops
# [news]: https://www.datanami.com/2023/08/17/why-llmops-is-probably-real/
# [genaiops]: https://learn.microsoft.com/azure/architecture/ai-ml/guide/genaiops-for-mlops
# [agentops]: https://arxiv.org/abs/2411.05285

# %% [markdown] name="words-table-text"
# Now lay this course's work beside them. Each activity has an object that is worked on, and each
# name covers some objects, by its source. Change the table where you read a source otherwise. Which
# activities will have no name?

# %% name="words-scopes"
SCOPES = {
    "DevOps, SRE": {"service"},
    "AIOps": {"alerts, read by a model"},
    "MLOps": {"trained model", "service"},
    "FMOps, LLMOps": {"hosted model", "prompt", "service"},
    "GenAIOps": {"hosted model", "prompt", "retrieval", "service"},
    "AgentOps": {"prompt", "tool calls", "traces"},
}

ACTIVITIES = {
    "build the agent (01)": "prompt",
    "search the documents (01, 06)": "retrieval",
    "label what is right, by hand (02)": "people's judgement",
    "stop injection (03)": "prompt",
    "limit the agent's actions (04)": "tool calls",
    "decide which refunds need a person (04)": "rules of the shop",
    "serve, scale, roll out (05 to 07)": "service",
    "alert and wake (08)": "service",
    "trace and search requests (09)": "traces",
    "price a wrong answer (10)": "people's judgement",
    "serve a model (11)": "hosted model",
    "speak MCP with other people's tools (11)": "tool calls",
}

# %% name="words-table"
rows, nameless = [], []
for activity, thing in ACTIVITIES.items():
    row = {"activity": activity}
    for name, scope in SCOPES.items():
        row[name] = "x" if thing in scope else ""
    if "x" not in row.values():
        nameless.append(activity)
    rows.append(row)
show.table(rows, caption=f"{len(nameless)} of {len(rows)} activities have no name")

# %% [markdown] name="words-none-text"
# What has no name is not about machines: people decide what is right, what the agent may do, and
# what a mistake costs. Every canary, gate and alert of this course measures against it. And AIOps
# covers nothing here: it operates *with* a model, not a model.
#
# Now argue for one name. A full answer has six parts. Fill them in, a sentence each: the cell only
# says what is missing. Nobody can check which name is right. [Page
# 12](12_review_questions.ipynb#4.-What-do-you-call-the-work-of-running-such-a-system?) has what a
# full answer contains.

# %% name="words-argue"
argument = {
    "name": "",  # the one that you would put on a door
    "what it covers": "",  # at Fernhill, and what not
    "why this one": "",  # and not the one next to it
    "source": "",  # whose definition, and of when
    "what stays from DevOps": "",
    "what no name covers": "",  # and who does it with you
}
missing = []
for part, said in argument.items():
    if len(said.split()) < (1 if part == "name" else 5):
        missing.append(part)
print("Still missing:", ", ".join(missing) or "nothing")

# %% [markdown] name="measured-text"
# ## What you measured

# %% name="measured"
rules = pd.DataFrame(priced).set_index("rule")
measured = [
    {"what": "complaints that the fixes answer", "figure": verdicts["with fixes"].mean()},
    {"what": "equal changes stopped, at 1.64 by 20 looks", "figure": peeked},
    {"what": "... by O'Brien and Fleming's bound",
     "figure": rules["equal stopped"]["O'Brien-Fleming"]},
    {"what": "look at which 'never hands over' ended", "figure": never["look"]},
    {"what": "wrong answers of its canary", "figure": by_canary},
    {"what": "... of a week without a canary", "figure": by_all},
    {"what": "activities without a name", "figure": len(nameless)},
]
show.table(measured, caption="This notebook's figures")

# %% [markdown] name="production"
# ## In production
#
# - A canary needs a verdict on each answer. Thumbs are few and angry: count hand-overs, repeated
#   questions and refunds as well, and have people label a sample of both versions.
# - The gateway or a flag service does the routing (Kubernetes' Gateway API has weights, and a flag
#   service hashes the visitor as you did). Keep version and arm in each trace's metadata.
# - An MCP server is a supplier: pin its tools, give it a token of its own, and read its changes.
# - Drill twice a year, with the people who are on call, and change the runbook after each.
#
# **Where it breaks.** The simulation draws each answer alone, but a visitor's answers resemble each
# other, and a canary's true errors are larger. A rule for 50 answers a look says nothing of a harm
# that is rare: one leak in 10,000 answers needs a test, not a canary. Costs and prices are
# assumptions. And a drill has an incident: real quiet days are harder.

# %% [markdown] name="keep"
# ## Keep this
#
# ```python
# def is_canary(visitor, change, percent=10):               # the same at each request
#     digest = hashlib.sha256(f"{change}:{visitor}".encode()).digest()
#     return int.from_bytes(digest[:8]) % 100 < percent
#
# def decide(old, new, look):                               # (good, asked) of each version
#     share = (old[0] + new[0]) / (old[1] + new[1])
#     error = np.sqrt(share * (1 - share) * (1 / old[1] + 1 / new[1]))
#     if (old[0] / old[1] - new[0] / new[1]) / error > 1.86 / np.sqrt(look / LOOKS):
#         return "roll back"                                # 1.86: for 20 looks, by simulation
#     return "release" if look == LOOKS else "continue"
# ```
#
# **The pitfall:** a rule that is chosen while you look. With 20 looks at p < 0.05, more than one
# harmless change in five is rolled back.

# %% name="keep-figure"
print(f"The change answered {verdicts['never hands over'].sum()} of our complaints and broke none.")
print(f"The canary stopped it after {EACH * never['look']} answers, {by_canary} of them wrong by "
      f"the change; for everyone it would have been {by_all} in a week.")

# %% [markdown] name="without"
# ## Without the course
#
# ```
# pip install langsmith statsmodels langchain "mcp<2" langchain-mcp-adapters mangum langgraph-sdk
# pip install "langgraph-cli[inmem]"     # in an environment of its own
# ```
#
# Versions here: mcp 1.30, langchain-mcp-adapters 0.3.2, mangum 0.22. The variables for LangSmith
# are those of module 09: `LANGSMITH_TRACING`, `LANGSMITH_API_KEY`, `LANGSMITH_PROJECT`. [`course
# new`](../README.md) writes `mcp_server.py` for a project of your own; `course mcp` serves
# Fernhill's tools to any MCP client; `course drill` gives you a bad day.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions about what you have just built.

# %% name="quiz"
from helpers.course import quiz

quiz("11")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/11_operate_and_improve.ipynb](../labs/11_operate_and_improve.ipynb), five
#   exercises.
# - Then [page 12](12_review_questions.ipynb): your figures answer questions 4 and 5.
# - MCP: [specification of 2025-11-25](https://modelcontextprotocol.io/specification/2025-11-25),
#   [Python SDK](https://github.com/modelcontextprotocol/python-sdk).
# - Looking repeatedly: Pocock, 1977,
#   [doi:10.1093/biomet/64.2.191](https://doi.org/10.1093/biomet/64.2.191); O'Brien and Fleming,
#   1979, [doi:10.2307/2530245](https://doi.org/10.2307/2530245).
# - Canaries and blameless reviews: Google's [SRE
#   workbook](https://sre.google/workbook/canarying-releases/) and [SRE
#   book](https://sre.google/sre-book/postmortem-culture/).
# - LangGraph: [its server and command
#   line](https://docs.langchain.com/langsmith/cli).
