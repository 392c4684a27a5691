# %% [markdown] name="title"
# # 02 Evaluate before shipping
#
# After this notebook you can say how good an agent is, how sure you are of it, and whether a change
# made it better. You write the gate that decides whether it may be shipped.
#
# **90 minutes (the machine works for 3 of them). Level: Python, pandas. Before it: module 01.**

# %% [markdown] name="picture"
# ```mermaid
# flowchart LR
#     change([a change]) --> runs["answers to the<br>golden set"] --> scores[evaluators]
#     labels["labels by<br>people"] --> scores
#     scores --> pairs["comparison with<br>the last release"] --> gate{gate}
#     gate -- go --> ship([customers])
#     gate -- stop --> change
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="demo-text"
# ## Why is a demo no evidence?
#
# Five questions, five right answers, and everybody is convinced. Which true rates could have shown
# you that? *Wilson's interval* contains the rates that fit what you saw. Guess its lower end for 5
# of 5 before you run the cell.

# %% name="demo"
from statsmodels.stats.proportion import proportion_confint

for count in (3, 5, 30):
    low, high = proportion_confint(count, count, method="wilson")
    print(f"{count} of {count} right: a true rate of {low:.0%} to {high:.0%}")

# %% [markdown] name="demo-note"
# So a rate needs its interval. This function goes into the module's program, `evals.py`, which
# `course new` writes into a project of your own.

# %% name="rate" app="evals.py"
from collections.abc import Iterable

from statsmodels.stats.proportion import proportion_confint


def rate(verdicts: Iterable[bool]) -> str:
    """The share of verdicts that are true, with Wilson's 95% interval and the counts."""
    found = list(verdicts)
    if not found:
        return "nothing to count"
    right, total = sum(found), len(found)
    low, high = proportion_confint(right, total, method="wilson")
    return f"{right / total:.0%} [{low:.0%}, {high:.0%}] {right}/{total}"

# %% [markdown] name="golden-text"
# ## What makes a golden set?
#
# A golden set has questions in customers' own words, of every kind that the agent must answer or
# refuse. Each one says what a right answer *states*, what it must *never* state, and which tools
# the agent calls. A *never* is a near miss: it is in the same document, about other goods.

# %% name="golden"
from langsmith import uuid7
from langsmith.schemas import Example

tent = Example(
    id=uuid7(),
    inputs={"question": "How long do I have to return a tent?", "customer": None},
    outputs={
        "states": [["30 days"]],
        "never": ["14 days", "21 days", "90 days"],
        "calls": [{"name": "search_documents", "args": {}}],
    },
    metadata={"kind": "single_fact"},
)
print(tent.inputs, tent.outputs, sep="\n")

# %% [markdown] name="refused-text"
# The outer list of `states` has the facts: an answer needs all of them. An inner list has the
# wordings of one fact: any of them is enough. Where the documents do not answer a question,
# `states` is empty, and the right answer is a refusal.

# %% name="refused"
stock = Example(
    id=uuid7(),
    inputs={"question": "When will the Alta 3 be back in stock?", "customer": None},
    outputs={"states": [], "never": ["week 27"], "calls": tent.outputs["calls"]},
    metadata={"kind": "unanswerable"},
)

# %% [markdown] name="dev-text"
# Fernhill's golden set has 80 questions in its part *dev*, on which you may tune. (*Heldout* is the
# part that nobody looks at.) The loop turns each into an `Example`. `metadata` gives the *slices*,
# groups of questions to compare apart.

# %% name="dev"
from helpers.shop import questions

dev = questions("dev")[4::16] if fast else questions("dev")
examples = []
for each in dev:
    calls = []
    for call in each.tools:
        calls.append({"name": call.name, "args": call.args or {}})
    examples.append(Example(
        id=uuid7(),
        inputs={"question": each.question, "customer": each.customer},
        outputs={"states": each.required, "never": each.forbidden, "calls": calls},
        metadata={"kind": each.kind},
    ))

# %% name="kinds"
from collections import Counter

print(Counter(example.metadata["kind"] for example in examples))
print(examples[-1].inputs["question"], examples[-1].outputs["calls"], sep="\n")

# %% [markdown] name="evaluator-text"
# ## How do you score an answer?
#
# An *evaluator* is a function: it takes what the agent gave and what was expected, and returns a
# score. First, when does a text state a fact? "30 days" is in "130 days", too, so look for whole
# words.

# %% name="stated" app="evals.py"
import re


def stated(fact: str, answer: str) -> bool:
    """Whether an answer states a fact: "30 days" is not in "130 days", nor "£14" in "£14.50".

    Case does not matter, and "£32.00" is "£32".
    """
    no_pence = re.compile(r"(?<=\d)\.00\b")
    words = re.escape(no_pence.sub("", fact))
    pattern = rf"(?<![\w.,]){words}(?!\w|[.,]\d)"
    return re.search(pattern, no_pence.sub("", answer), re.IGNORECASE) is not None

# %% [markdown] name="states-facts-text"
# The evaluator requires every fact, none of the wrong ones, and a refusal only where there is
# nothing to state. LangSmith passes the arguments by name. As a score it accepts `True` or `False`,
# or a dict with a comment that says why.

# %% name="states-facts" app="evals.py"
from collections.abc import Mapping
from typing import Any

Form = Mapping[str, Any]  # the outputs of an agent, or what a golden set expects

REFUSAL = re.compile(r"\b(do not|don't|cannot|can't|could not) (know|say|tell|answer|find)", re.I)


def states_facts(outputs: Form, reference_outputs: Form) -> dict[str, Any]:
    """Whether an answer states every fact of `states`, one wording each, and nothing of `never`.

    Where `states` is empty, the answer must refuse; elsewhere it must not. A missing one is wrong.
    """
    answer, facts = outputs.get("answer") or "", reference_outputs["states"]
    problems = []
    for wordings in facts:
        if not any(stated(wording, answer) for wording in wordings):
            problems.append(f"lacks {wordings[0]}")
    problems += [f"has {wrong}" for wrong in reference_outputs["never"] if stated(wrong, answer)]
    if bool(REFUSAL.search(answer)) == bool(facts):
        problems.append("refuses" if facts else "does not refuse")
    return {"key": "states_facts", "score": not problems, "comment": ", ".join(problems)}

# %% name="try-evaluator"
for answer in ("You have 30 days.", "You have 30 days, for boots 90 days.", "I do not know."):
    print(states_facts({"answer": answer}, tent.outputs))

# %% [markdown] name="target-text"
# You evaluate a *target*, a function of an example's inputs. Ours asks the agent of module 01 and
# returns the answer, all messages in OpenAI's form, and the seconds. (`evaluate` traces the target.
# `tracing_context` keeps LangChain from sending the agent's runs to LangSmith.)

# %% name="target"
import time

from langchain_core.messages import convert_to_openai_messages
from langsmith import tracing_context

from helpers.agent import Caller, build_agent

os.environ["COURSE_MODEL"] = model
agent = build_agent()


def ask(inputs):
    """Ask the agent one question, in a conversation of its own."""
    began = time.perf_counter()
    with tracing_context(enabled=False):
        state = agent.invoke(
            {"messages": [("user", inputs["question"])]},
            {"configurable": {"thread_id": str(uuid7())}},
            context=Caller(inputs["customer"]),  # who asks: the tools need it
        )
    messages = convert_to_openai_messages(state["messages"])
    seconds = time.perf_counter() - began
    return {"answer": messages[-1]["content"], "messages": messages, "seconds": seconds}

# %% [markdown] name="evaluate-text"
# `evaluate` runs the target on the examples, and the evaluators on its outputs. With
# `upload_results=False` it needs no account, and this client has no server to send to. (The filter
# hides a notice about this beta option, and the `with` hides a progress bar.)

# %% name="evaluate"
import io
import warnings
from contextlib import redirect_stderr, redirect_stdout

from langsmith import Client, evaluate

warnings.filterwarnings("ignore", ".*upload_results.*")
offline = Client(api_url="http://127.0.0.1:9", api_key="none", info={}, auto_batch_tracing=False)
with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
    results = evaluate(
        ask,
        data=[tent, stock],
        evaluators=[states_facts],
        client=offline,
        upload_results=False,
    )

# %% name="to-pandas"
from helpers.course import show

columns = ["inputs.question", "outputs.answer", "feedback.states_facts", "error"]
show.table(results.to_pandas()[columns], caption="LangSmith's table")

# %% [markdown] name="empty-text"
# One mistake raises no error: passing the data as plain dicts. How many rows come back?

# %% name="empty"
with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
    nothing = evaluate(
        ask,
        data=[{"inputs": tent.inputs, "outputs": tent.outputs}],
        evaluators=[states_facts],
        client=offline,
        upload_results=False,
    )
print(len(nothing.to_pandas()), "rows, and no error")

# %% [markdown] name="empty-notes" only="instructor"
# Ask for a bet before this cell runs: one row, no row, or an error? Wait ten seconds. The mistake
# here is to trust a table because nothing was raised. Ask what a gate that counts failures says
# about an empty table. In the next cell, skip the text of the error, and keep the sentence about
# `wait()`.

# %% name="wait"
try:
    nothing.wait()
except AttributeError as error:
    print("AttributeError:", error)

# %% [markdown] name="empty-note"
# `to_pandas` hides the error that stopped the run; `wait()`, or a loop over the results, raises it.
# A gate that sees no failures in an empty table lets everything through. An evaluator that raises
# leaves an empty score and a line in the log, which `redirect_stderr` hid. The next function raises
# an error for each, and gives one row for each example.

# %% name="scores-of" app="evals.py"
import pandas as pd


def scores_of(results: Iterable[Any], count: int) -> pd.DataFrame:
    """What `langsmith.evaluate` found: one row for each question.

    Columns: the metadata, `seconds`, `failed` (the target raised), and each evaluator's verdict.

    Raises:
        ValueError: there are not `count` rows, an evaluator gave no verdict, or two examples ask
            the same question.
    """
    rows = []
    for result in results:  # raises what stopped the run
        run, example = result["run"], result["example"]
        seconds = (run.end_time - run.start_time).total_seconds()
        row = {"question": example.inputs["question"], **(example.metadata or {})}
        row |= {"seconds": seconds, "failed": run.error is not None}
        for verdict in result["evaluation_results"]["results"]:
            if verdict.score is None:
                raise ValueError(f"{verdict.key} gave no verdict: {verdict.comment}")
            row[verdict.key] = bool(verdict.score)
        rows.append(row)
    if len(rows) != count:
        raise ValueError(f"{len(rows)} rows for {count} examples: evaluate them again.")
    table = pd.DataFrame(rows).set_index("question")
    if not table.index.is_unique:
        raise ValueError("Two examples ask the same question: versions are compared by it.")
    return table

# %% name="scored"
show.table(scores_of(results, 2), caption="The same, as the gate will read it", digits=1)

# %% [markdown] name="stored-text"
# To ask all 80 questions takes 4 minutes on an idle two-core machine. So the cell reads a **stored
# run**: it prints which version of the agent gave the answers, and asks three questions again to
# compare. Add `live=True` to ask all of them now.

# %% name="stored" tags=["stored:02-agent"]
from helpers.evaluate.stored_answers import run_or_read

runs = run_or_read("02-agent", agent, dev, progress=show.progress)
print(runs[0].answer, runs[0].calls[0].name, f"{runs[0].wall_seconds:.1f} s", sep="\n")

# %% [markdown] name="form-text"
# Convert it to the form that `ask` returns. A stored run has calls but no messages, so make two
# messages of each call: one that makes it, and one with an empty tool result.

# %% name="as-messages" app="evals.py"
import json


def as_messages(calls: Iterable[Form], answer: str = "") -> list[dict[str, Any]]:
    """Calls (`name`, `args`) as a trajectory in OpenAI's form, each with an empty result."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": ""}]
    for number, call in enumerate(calls):
        key = f"call-{number}"
        function = {"name": call["name"], "arguments": json.dumps(call["args"])}
        made = [{"id": key, "type": "function", "function": function}]
        messages.append({"role": "assistant", "content": "", "tool_calls": made})
        messages.append({"role": "tool", "content": "", "tool_call_id": key})
    return [*messages, {"role": "assistant", "content": answer}]

# %% name="outputs"
def outputs_of(run):
    """A stored run in the form that `ask` gives."""
    calls = []
    for call in run.calls:
        calls.append({"name": call.name, "args": dict(call.args)})
    messages = as_messages(calls, run.answer)
    return {"answer": run.answer, "messages": messages, "seconds": run.wall_seconds}


outputs_before = []
for run in runs:
    outputs_before.append(outputs_of(run))

# %% [markdown] name="score-all-text"
# The answers are there, so nothing has to be asked: an evaluator is a function, and a loop calls
# it. How many of the 80 answers are right, and how wide is the interval?

# %% name="score-all"
def score_all(outputs):
    """The evaluator's verdicts on stored outputs, in the columns of `scores_of`."""
    rows = []
    for example, output in zip(examples, outputs, strict=True):
        rows.append({
            "question": example.inputs["question"],
            "kind": example.metadata["kind"],
            "seconds": output["seconds"],
            "failed": not output["answer"],
            "states_facts": states_facts(output, example.outputs)["score"],
        })
    return pd.DataFrame(rows).set_index("question")


before = score_all(outputs_before)
print("Right:", rate(before.states_facts))

# %% [markdown] name="luck-text"
# Back to the demo: how likely is it that five of these answers, drawn at random, are all right? And
# people who prepare a demo do not draw at random. (Customers may not see this rate either, since
# the agent was tuned on dev. `course eval --part heldout` asks questions nobody has looked at.)

# %% name="luck"
from scipy.stats import hypergeom

right, total = before.states_facts.sum(), len(before)
by_luck = hypergeom(total, right, 5).pmf(5)  # five drawn, none twice, all of them right
print(f"The chance that a random demo of five has only right answers: {by_luck:.0%}")

# %% [markdown] name="luck-notes" only="instructor" then="02.1"
# Before this cell runs, let everyone write down the chance; wait twenty seconds. Two cells turn
# stored runs into messages: when you are late, run them without comment, and show one message.
# Exercise 02.1 uses the arguments of an evaluator, the fields `states` and `never`, and the form of
# messages that `as_messages` writes.

# %% [markdown] name="lie-text"
# ## How does each score lie?
#
# Below are seven answers about the tent, each with a person's verdict and three scores. The first
# looks for the fact anywhere in the text. The second, from `openevals`, measures how similar the
# text is to a reference answer. The third is ours. Which answers will fool which score?

# %% name="answers"
from helpers.shop import document

answers = {
    "You have 30 days.": True,
    "You have thirty days.": True,
    "You have 130 days.": False,
    "30 days. Or 14 days.": False,
    "I do not know. Perhaps 30 days.": False,
    "Within 30 days of the order, not of delivery.": False,
    document("returns").text: False,
}

# %% name="lie"
from openevals.string import levenshtein_distance

rows = []
for text, person in answers.items():
    similar = levenshtein_distance(outputs=text, reference_outputs="You have 30 days.")["score"]
    rows.append({
        "answer": text[:45],
        "person": person,
        "in the text": "30 days" in text,
        "similar": similar >= 0.5,
        "states_facts": states_facts({"answer": text}, tent.outputs)["score"],
    })
lies = pd.DataFrame(rows)
fooled = []
for name in list(lies)[2:]:
    fooled.append(f"{name} {(lies[name] != lies.person).sum()}")
show.table(lies, caption=f"Wrong verdicts of seven: {', '.join(fooled)}")

# %% [markdown] name="lie-notes" only="instructor"
# Before the cell runs, give pairs two minutes: which of the seven answers fools which score? The
# mistake here is to rank the three scores by this table: seven hand-picked answers are not enough.
# Ask why the sixth answer fools `states_facts`. The answer: it contains the fact word for word, but
# the sentence says something else.

# %% [markdown] name="people-text"
# Every score can be fooled, and seven hand-picked answers cannot rank them. A score is an
# instrument: calibrate it against people. More than a hundred answers were labelled by hand, most
# of them the local model's own. How often does the evaluator agree with the person?

# %% name="people"
from helpers.evaluate import labelled_answers

by_id = {}
for each, example in zip(dev, examples, strict=True):
    by_id[each.id] = example
given, person, misjudged = [], [], []
for each in labelled_answers():
    if each.question_id in by_id:
        example = by_id[each.question_id]
        verdict = states_facts({"answer": each.answer}, example.outputs)
        given.append(verdict["score"])
        person.append(each.right)
        if each.right and not verdict["score"]:
            misjudged.append((each.answer, verdict["comment"]))
print("agree:", rate(mine == theirs for mine, theirs in zip(given, person, strict=True)))

# %% [markdown] name="kappa-text"
# Agreement flatters a score that always gives the more frequent verdict. *Kappa* corrects for the
# agreement that chance would give: 1 is full agreement, 0 is chance. What is the kappa of a score
# that always says no?

# %% name="kappa"
from sklearn.metrics import cohen_kappa_score, confusion_matrix

with_people = cohen_kappa_score(person, given)
always_no = [False] * len(person)
print("always no agrees:", rate(not each for each in person))
print(f"kappa {cohen_kappa_score(person, always_no):.2f}; of our score {with_people:.2f}")
print(confusion_matrix(person, given, labels=[False, True]))
for answer, comment in misjudged[:3]:
    print(f"right, says the person: {answer[:70]!r} ({comment})")

# %% [markdown] name="kappa-note"
# The rows of the matrix are the person's no and yes, the columns the score's. Most mistakes are
# right answers that the score calls wrong, such as "thirty days". They make a version look worse
# than it is, most of all one that writes numbers as words. `helpers.evaluate.score_answer` knows
# such wordings ([scores.py](../helpers/evaluate/scores.py)).

# %% [markdown] name="trajectory-text"
# ## Did it do the right things?
#
# An agent can say the right words and refund the wrong order. Its *trajectory* is what it did: the
# messages with their calls. `agentevals` compares a trajectory with a reference. Its strictest mode
# requires the same calls in the same order.

# %% name="expected"
def call(name, order):
    """One call about an order, as a golden set writes it."""
    return {"name": name, "args": {"order_id": order}}


look, pay = call("lookup_order", "FH-10479"), call("issue_refund", "FH-10479")
expected = as_messages([look, pay])
print(json.dumps(expected[1], indent=1))

# %% name="strict"
from agentevals.trajectory.match import create_trajectory_match_evaluator

strict = create_trajectory_match_evaluator(trajectory_match_mode="strict")
unordered = create_trajectory_match_evaluator(trajectory_match_mode="unordered")
print(strict(outputs=expected, reference_outputs=expected))
print(strict(outputs=as_messages([look, look, pay]), reference_outputs=expected)["score"])

# %% [markdown] name="superset-text"
# An agent that looks twice before it pays did nothing wrong, and *strict* fails it. *Superset*
# allows more calls, and with `tool_args_match_mode="superset"` more arguments than the reference
# names. What does it allow that it should not?

# %% name="superset" app="evals.py"
from agentevals.trajectory.match import create_trajectory_match_evaluator

superset = create_trajectory_match_evaluator(
    trajectory_match_mode="superset", tool_args_match_mode="superset"
)

# %% [markdown] name="right-calls-text"
# It allows a second refund. So write the rule that you mean: the agent makes every expected call,
# *and* it does nothing more. Only calls that read may be repeated or added.

# %% name="right-calls" app="evals.py"
from collections import Counter
from collections.abc import Callable, Set

Evaluator = Callable[[Form, Form], dict[str, Any]]


def actions(messages: Iterable[Form], reads: Set[str]) -> Counter[str]:
    """How often each tool that does more than read was called."""
    made: Counter[str] = Counter()
    for message in messages:
        for call in message.get("tool_calls") or []:
            made[call["function"]["name"]] += 1
    return Counter({name: count for name, count in made.items() if name not in reads})


def calls_evaluator(reads: Set[str]) -> Evaluator:
    """An evaluator of trajectories: all expected `calls` were made, and nothing else was done.

    Args:
        reads: the tools that only read. They may be called more often, in any order.
    """

    def right_calls(outputs: Form, reference_outputs: Form) -> dict[str, Any]:
        made, wanted = outputs.get("messages") or [], as_messages(reference_outputs["calls"])
        there = superset(outputs=made, reference_outputs=wanted)["score"]
        extra = actions(made, reads) - actions(wanted, reads)
        comment = f"also did {dict(extra)}" if extra else "" if there else "a call is missing"
        return {"key": "right_calls", "score": bool(there) and not extra, "comment": comment}

    return right_calls

# %% name="six"
right_calls = calls_evaluator({"search_documents", "lookup_order"})
other = call("issue_refund", "FH-10001")
six = {
    "as expected": [look, pay],
    "looks twice": [look, look, pay],
    "looks afterwards": [pay, look],
    "pays twice": [look, pay, pay],
    "pays for another order": [look, other],
    "pays a sum of its own": [look, pay | {"args": pay["args"] | {"amount": 500}}],
}

# %% name="six-table"
rows = []
for name, made in six.items():
    done = as_messages(made)
    verdict = right_calls({"messages": done}, {"calls": [look, pay]})
    rows.append({
        "trajectory": name,
        "strict": strict(outputs=done, reference_outputs=expected)["score"],
        "unordered": unordered(outputs=done, reference_outputs=expected)["score"],
        "superset": superset(outputs=done, reference_outputs=expected)["score"],
        "right_calls": verdict["score"],
        "comment": verdict["comment"],
    })
show.table(rows, caption="Only the last evaluator allows a second look and no second refund")

# %% [markdown] name="golden-calls-text"
# Two things are still too tolerant. The order of calls is ignored: if a refund before the look is
# wrong in your shop, add a rule. And arguments that the reference does not name may be anything:
# name the sum there. Now judge all stored trajectories.

# %% name="golden-calls"
def judge_calls(outputs):
    """Whether each trajectory is right."""
    verdicts = []
    for example, output in zip(examples, outputs, strict=True):
        verdicts.append(right_calls(output, example.outputs)["score"])
    return verdicts


before["right_calls"] = judge_calls(outputs_before)
print("Right calls:", rate(before.right_calls))

# %% [markdown] name="golden-calls-notes" only="instructor" then="02.2"
# Go back to the table of six trajectories, and ask which of them a shop must not accept. Wait until
# someone names the last one: it passes because the reference names no sum. Exercise 02.2 asks for
# an evaluator like `right_calls`, with one more rule: the order of the calls.

# %% [markdown] name="second-text"
# ## Is the new version better?
#
# The agent reads one sentence of a document. A colleague proposes to let it read the whole
# document, so that it never misses a fact. What do you expect? (A retriever is anything with a
# `search` method. Live, this takes 8 minutes.)

# %% name="second" tags=["stored:02-whole-documents"]
from dataclasses import replace

from helpers.agent import fernhill_index

index = fernhill_index()


class WholeDocuments:
    """Finds what the agent's index finds, and gives it the whole text to read."""

    def search(self, query, k=3):
        """The passages, best first."""
        found = index.search(query, k)
        return [replace(passage, sentences=(passage.text,)) for passage in found]


changed_agent = build_agent(retriever=WholeDocuments())
second = run_or_read("02-whole-documents", changed_agent, dev, progress=show.progress)

# %% name="second-scores"
outputs_after = []
for run in second:
    outputs_after.append(outputs_of(run))
after = score_all(outputs_after)
after["right_calls"] = judge_calls(outputs_after)
print("before:", rate(before.states_facts))
print("after: ", rate(after.states_facts))

# %% [markdown] name="pairs-text"
# Both versions answered the same questions, and both find the same ones hard. So compare them
# question by question. Only changed questions tell them apart: a *lost* one was right before and is
# wrong after, a *gained* one is the reverse.

# %% name="pairs"
both = pd.crosstab(before.states_facts, after.states_facts)
lost = int((before.states_facts & ~after.states_facts).sum())
gained = int((after.states_facts & ~before.states_facts).sum())
print(both, f"{lost} lost, {gained} gained", sep="\n\n")

# %% [markdown] name="mcnemar-text"
# If the versions were equally good, each changed question would be a coin toss. How likely are
# tosses at least as one-sided as these? McNemar's exact test says so in three lines, or one call.

# %% name="mcnemar"
from math import comb

from statsmodels.stats.contingency_tables import mcnemar

changes, fewer = lost + gained, min(lost, gained)
tail = sum(comb(changes, heads) for heads in range(fewer + 1)) / 2**changes
by_hand = min(1.0, 2 * tail)
print(f"by hand p = {by_hand:.2g}")
print(f"statsmodels p = {mcnemar([[0, lost], [gained, 0]], exact=True).pvalue:.2g}")

# %% [markdown] name="difference-text"
# A small p says that chance alone would rarely give such a difference. How large is it? The
# *bootstrap* draws questions with replacement and computes the difference again, thousands of
# times. `paired=True` keeps each question's two verdicts together.

# %% name="interval" app="evals.py"
import numpy as np
from scipy.stats import bootstrap


def mean_difference(after: Any, before: Any, axis: int) -> Any:
    """The difference of two rates, for `bootstrap`."""
    return np.mean(after - before, axis=axis)


def interval(before: pd.Series, after: pd.Series, confidence: float) -> tuple[float, float]:
    """The bootstrap interval of the difference of two rates, by pairs of numbers 0 and 1.

    Where no question changed, both ends are 0, however few the questions are.
    """
    if len(before) < 2:
        return -1.0, 1.0  # one question says nothing
    ends = bootstrap(
        (after.to_numpy(), before.to_numpy()),
        mean_difference,
        paired=True,
        confidence_level=confidence,
        method="percentile",
        n_resamples=4_000,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(ends.low), float(ends.high)

# %% name="compare" app="evals.py"
from statsmodels.stats.contingency_tables import mcnemar


def compare(before: pd.Series, after: pd.Series, confidence: float = 0.95) -> dict[str, float]:
    """Two versions on the same questions, by right (True) and wrong answers.

    Returns:
        `lost` and `gained` questions, McNemar's exact `p`, and the `difference` of the rates, -1
        to 1, with the ends of its interval, `low` and `high`.

    Raises:
        ValueError: the questions are not the same.
    """
    if not len(before) or set(before.index) != set(after.index):
        raise ValueError("Compare versions on the same questions: these differ, or there are none.")
    old, new = before.astype(float), after.reindex(before.index).astype(float)
    lost, gained = int((old > new).sum()), int((new > old).sum())
    p = float(mcnemar([[0, lost], [gained, 0]], exact=True).pvalue) if lost + gained else 1.0
    low, high = interval(old, new, confidence)
    return {
        "lost": lost,
        "gained": gained,
        "p": p,
        "difference": float((new - old).mean()),
        "low": low,
        "high": high,
    }

# %% name="compared"
pair = compare(before.states_facts, after.states_facts)
shown = pair | {"p": f"{pair['p']:.2g}"}
show.table([shown], caption="Whole documents to read, against one sentence", digits=3)

# %% [markdown] name="compared-notes" only="instructor" then="02.3"
# Before the cell `second` runs, ask for a show of hands: more right answers, fewer, or as many?
# That cell reads a stored run and asks only three questions again. If its first line says that it
# asks all of them, show the stored output: asking all takes 8 minutes or more. The mistake here is
# to compare the intervals of the two rates and to stop there. Ask what that leaves out, and wait
# ten seconds. The answer: both versions had the same questions. When you are late, skip the three
# lines by hand: the call of `mcnemar` gives the same p. Exercise 02.3 compares in pairs too, but
# figures that have a size, such as seconds.

# %% [markdown] name="power-text"
# ## How many questions are needed?
#
# That depends on the smallest difference that you must not miss. *Power* is the chance that the
# test sees a difference that is there; the usual target is 80%. Simulate it: draw lost and gained
# questions with a known difference, and count how often p is at most 0.05. Here 30% of the
# questions change.

# %% name="power"
from scipy.stats import binom


def power(questions, difference, changing=0.3, tries=2_000):
    """The chance that McNemar's test sees a difference; `changing` is the share that change."""
    draws = np.random.default_rng(1)
    odds = [(changing + difference) / 2, (changing - difference) / 2, 1 - changing]
    lost, gained, _ = draws.multinomial(questions, odds, tries).T
    p = 2 * binom.cdf(np.minimum(lost, gained), lost + gained, 0.5)  # McNemar's, for all tries
    return np.mean(p <= 0.05)


print(f"{power(80, 0.1):.0%} for ten points and 80 questions")

# %% name="power-plot"
counts = list(range(20, 1_020, 50))
curves = {}
for points in (20, 10, 5):
    chances = []
    for count in counts:
        chances.append(power(count, points / 100))
    curves[f"{points} points"] = (counts, chances)
needed = 20
while power(needed, 0.1) < 0.8:
    needed += 20
show.line(
    curves,
    title=f"It takes about {needed} questions to see ten points",
    x="questions",
    y="power (chance to see it)",
    marks={"here": len(examples)},
)

# %% [markdown] name="power-note"
# So "no significant difference" on a small set means only that the set cannot tell. Half the
# difference takes about four times the questions. The fewer questions change, the fewer you need to
# see the same difference: another reason to compare in pairs.

# %% [markdown] name="power-notes" only="instructor" then="02.5" needs="Is the new version better?"
# Ask what "no significant difference" means on a golden set of this size. If someone says "they are
# equal", wait for a second answer. Skip the code of `power`, and keep the plot. Exercise 02.5 uses
# two ideas of this section: power, and the share of questions that change. Its test is McNemar's,
# from the section on the new version.

# %% [markdown] name="slices-text"
# ## What does the average hide?
#
# A change may help one kind of question and ruin another, and the customers of the second do not
# care about the average. Group by the metadata. Which kinds do you expect to lose?

# %% name="by-kind"
kinds = before.assign(after=after.states_facts).groupby("kind")
by_kind = kinds.agg(
    questions=("states_facts", "size"),
    before=("states_facts", "sum"),
    after=("after", "sum"),
)
show.table(by_kind, caption="Right answers, by kind")

# %% [markdown] name="alarm-text"
# Each kind gets its own p-value. But if you look at many slices, one of them soon looks broken.
# Take versions that are *equal by construction*: ten questions change in each slice, each by a coin
# toss. How often is the smallest p at most 0.05? *Holm's correction* multiplies the smallest p by
# the number of slices, the next by one less, and so on.

# %% name="alarm"
def alarms(slice_count, holm, tries=4_000):
    """How often at least one slice of two equal versions looks worse or better."""
    draws = np.random.default_rng(1)
    gained = draws.binomial(10, 0.5, (tries, slice_count))
    p = 2 * binom.cdf(np.minimum(gained, 10 - gained), 10, 0.5)
    smallest = p.min(axis=1)
    if holm:
        smallest = smallest * slice_count
    return np.mean(smallest <= 0.05)

# %% name="alarm-plot"
sizes = [1, 5, 10, 20, 40]
plain, held = [], []
for size in sizes:
    plain.append(alarms(size, holm=False))
    held.append(alarms(size, holm=True))
show.line(
    {"p as it is": (sizes, plain), "after Holm": (sizes, held)},
    title=f"{sizes[-1]} slices give a false alarm in {plain[-1]:.0%} of cases",
    x="slices looked at",
    y="a false alarm (chance)",
)

# %% [markdown] name="holm-text"
# After Holm's correction the chance of any false alarm is at most 5%, however many slices you look
# at. It can be far less: ten changes have few possible p-values, and the smallest, 0.002, times 40
# is no alarm. `multipletests` corrects all p-values of a table.

# %% name="slices" app="evals.py"
from statsmodels.stats.multitest import multipletests


def slices(before: pd.DataFrame, after: pd.DataFrame, by: str = "kind") -> pd.DataFrame:
    """The comparison of each slice: `questions`, `lost`, `gained`, and `p` after Holm.

    Args:
        before: as `scores_of` gives it, with the column `states_facts`.
        after: the new version's, on the same questions.
        by: the column to slice by.
    """
    rows = {}
    for name, part in before.groupby(by):
        found = compare(part["states_facts"], after.loc[part.index, "states_facts"])
        rows[name] = {"questions": len(part), **found}
    table = pd.DataFrame.from_dict(rows, orient="index")[["questions", "lost", "gained", "p"]]
    return table.assign(p=multipletests(table["p"], method="holm")[1])

# %% name="slices-table"
by_slice = slices(before, after)
ruined = by_slice[(by_slice.p <= 0.05) & (by_slice.lost > by_slice.gained)]
caption = f"Lost ground beyond chance: {', '.join(ruined.index) or 'none'}"
show.table(by_slice, caption=caption, digits=4)

# %% [markdown] name="slices-note"
# After Holm, chance can still explain a kind that loses half of its few questions. That does not
# clear the kind: so few questions can show only a larger loss. Ask new questions of that kind.

# %% [markdown] name="slices-notes" only="instructor" then="02.4"
# The mistake here is to read the smallest of many p-values as if it were the only one. Ask how many
# slices a dashboard at work has, and what the plot says about that number. When you are late, skip
# the code of `alarms`, and keep the plot. Exercise 02.4 searches for a slice that nobody has named,
# with `groupby` and the idea of this section.

# %% [markdown] name="judge-text"
# ## Can a model be the judge?
#
# `states_facts` needs a golden answer, which live traffic does not have. A *judge* needs none: it
# reads question, source and answer, and says whether everything in the answer is in the source.
# Here is one, with its whole prompt. The local model is the judge.

# %% name="judge"
from typing import Literal

from pydantic import BaseModel, Field

from helpers.models import chat_model

INSTRUCTION = (
    "You check the answers of a shop's support agent against the source that it was given. Say yes "
    "when the source has everything that the answer says, and no when anything is missing from it."
)


class Verdict(BaseModel):
    """The verdict on one answer."""

    reason: str = Field(max_length=120, description="Why, in one short sentence.")
    verdict: Literal["yes", "no"]


llm = chat_model(max_tokens=120).with_structured_output(Verdict)

# %% name="judge-one"
def judge(question, source, answer):
    """Whether everything in the answer is in the source, with the reason."""
    text = f"Source: {source}\n\nQuestion: {question}\n\nAnswer: {answer}\n\nIs it all there?"
    return llm.invoke([("system", INSTRUCTION), ("user", text)])


source = "The deposit for a tent is £100."
for answer in ("The deposit is £100.", "The deposit is £250."):
    print(judge("How much deposit do you take?", source, answer))

# %% [markdown] name="labels-text"
# Never trust a judge that you have not measured. People labelled answers as *grounded* or not. One
# half of them was used to choose thresholds, so measure on the other half. The stored verdicts are
# from the course's [judge](../helpers/evaluate/judge.py), which asks nearly the same; live, they
# take 3 minutes. (`lean` is the probability of "yes" rather than "no" as the judge's first word.)

# %% name="verdicts" tags=["stored:02-judge"]
from helpers.evaluate import Judge, halves
from helpers.evaluate.stored_verdicts import verdicts_or_read

_, unseen = halves(labelled_answers())
some = unseen[:: 12 if fast else 1]
judged = pd.DataFrame(verdicts_or_read("02-judge", Judge(), some, show.progress))
judged = judged.dropna(subset=["verdict", "lean"])
print(judged[["answer", "label", "verdict", "lean"]].head(4))

# %% [markdown] name="overlap-text"
# Compare it with a scorer that needs no model: the share of the answer's words that are in the
# source or in the question.

# %% name="overlap"
from sklearn.feature_extraction.text import CountVectorizer

words_of = CountVectorizer(token_pattern=r"[\w£.]*\w").build_analyzer()


def overlap(answer, source, question):
    """The share of the answer's words that are in the source or the question."""
    known = {*words_of(source), *words_of(question)}
    said = words_of(answer)
    return sum(word in known for word in said) / max(1, len(said))


shares = []
for each in some:
    shares.append(overlap(each.answer, each.source, each.question))
overlaps = pd.Series(shares)[judged.index]

# %% [markdown] name="scorers-text"
# You need two figures: *kappa* for the yes or no, and the *AUC* for the number behind it. The AUC
# is the chance that a grounded answer gets a higher number than one that is not grounded; 0.5 is a
# guess. Compare each row with the first.

# %% name="scorers"
from sklearn.metrics import roc_auc_score

labels = judged.label.astype(bool)
scorers = {
    "always yes": (labels | True, labels * 0.0),
    "judge, its verdict": (judged.verdict.astype(bool), judged.verdict.astype(float)),
    "judge, its first word": (judged.lean >= 0.5, judged.lean.astype(float)),
    "word overlap of 0.9": (overlaps >= 0.9, overlaps),
}
rows = []
for name, (accepted, number) in scorers.items():
    rows.append({
        "scorer": name,
        "agreement": (accepted == labels).mean(),
        "kappa": cohen_kappa_score(labels, accepted),
        "AUC": roc_auc_score(labels, number),
    })
show.table(rows, caption=f"Is the answer grounded? {len(labels)} labelled answers")

# %% [markdown] name="scorers-notes" only="instructor"
# Show the row *judge, its verdict* alone, and ask who would let this judge decide. Then uncover the
# first row. The mistake here is to read the agreement and not the kappa. The stored verdicts come
# from the local model. If someone asks about a larger model, the answer is: measure it on the same
# labels.

# %% [markdown] name="kappa-interval-text"
# Is the judge better than chance, beyond doubt? Kappa needs an interval too. You need no formula:
# the same bootstrap works.

# %% name="kappa-interval"
warnings.filterwarnings("ignore", category=RuntimeWarning)  # a draw may have one label only
kappa_of = {}
for name in ("judge, its verdict", "word overlap of 0.9"):
    accepted, _ = scorers[name]
    ends = bootstrap(
        (labels, accepted),
        cohen_kappa_score,
        paired=True,
        vectorized=False,
        n_resamples=100 if fast else 1_000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    kappa = cohen_kappa_score(labels, accepted)
    kappa_of[name] = f"{kappa:.2f} [{ends.low:.2f}, {ends.high:.2f}]"
    print(f"{name}: kappa {kappa_of[name]}")

# %% [markdown] name="correct-text"
# Do not rely on a scorer whose interval contains 0: nothing shows that it is better than chance. If
# a scorer is better and you know its mistakes, you can *correct* its rate (Rogan and Gladen, 1978).
# It accepts the share `sensitivity` of the right answers, and rejects the share `specificity` of
# the wrong ones. `states_facts` is such a scorer; its matrix is above.

# %% name="correct"
table = confusion_matrix(person, given, labels=[False, True])
(rejected, wrongly), (missed, found) = table
sensitivity = found / max(1, found + missed)
specificity = rejected / max(1, rejected + wrongly)
for name, scores in {"one sentence": before, "whole documents": after}.items():
    counted = scores.states_facts.mean()
    corrected = (counted + specificity - 1) / (sensitivity + specificity - 1)
    print(f"{name}: {counted:.0%} counted, {corrected:.0%} corrected")

# %% [markdown] name="correct-note"
# Is one of them above 100%? No true rate can be. The labelled answers are too few, or unlike this
# version's: a fifth of them were written to be hard. Label answers of the version whose rate you
# want to correct.

# %% [markdown] name="gate-text"
# ## What should a gate let through?
#
# A *gate* is a table of rules that you write before you see a result. Each rule has a value, a
# limit and a verdict. An unknown value does not pass: `NaN >= limit` is false.

# %% name="rules" app="evals.py"
from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """The limits of the gate. Choose them before you see a result."""

    right: float = 0.6
    """The share of right answers, at its interval's lower end (95%), is at least this."""
    difference: float = -0.1
    """The difference to the release, at its interval's lower end (90%), is at least this."""
    slices_lost: int = 0
    """At most this many slices lost ground beyond chance."""
    wrong_calls: int = 0
    """At most this many questions have wrong calls that were right before."""
    failed: int = 0
    """At most this many questions got no answer."""
    seconds: float = 30.0
    """95% of the answers take at most this many seconds."""

# %% [markdown] name="gate-note"
# The difference has a margin, here ten points: nobody can prove that a version is not worse at all.
# A first release has nothing to compare with, so three of the rules do not apply to it.

# %% name="against-released" app="evals.py"
Row = tuple[str, float, str, float]  # rule, value, "at least" or "at most", limit


def against_released(before: pd.DataFrame, after: pd.DataFrame, rules: Rules) -> list[Row]:
    """The rules that compare a version with the released one."""
    pair = compare(before["states_facts"], after["states_facts"], confidence=0.9)
    parts = slices(before, after)
    worse = (parts["p"] <= 0.05) & (parts["lost"] > parts["gained"])
    became_wrong = before["right_calls"].reindex(after.index) & ~after["right_calls"]
    return [
        ("difference, low end", pair["low"], "at least", rules.difference),
        ("slices that lost ground", int(worse.sum()), "at most", rules.slices_lost),
        ("calls that became wrong", int(became_wrong.sum()), "at most", rules.wrong_calls),
    ]

# %% name="gate" app="evals.py"
def gate(before: pd.DataFrame | None, after: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """The rules, each with its `value`, its `limit`, and whether it `passes`.

    Args:
        before: the released version's scores, as `scores_of` gives them; None before the first.
        after: the new version's, with `states_facts` and `right_calls`.
        rules: the limits.
    """
    right = after["states_facts"]
    low, _ = proportion_confint(int(right.sum()), len(right), method="wilson")
    rows: list[Row] = [
        ("right answers, low end", float(low), "at least", rules.right),
        ("questions without an answer", int(after["failed"].sum()), "at most", rules.failed),
        ("seconds, 95%", float(after["seconds"].quantile(0.95)), "at most", rules.seconds),
    ]
    if before is not None:
        rows += against_released(before, after, rules)
    table = pd.DataFrame(rows, columns=["rule", "value", "bound", "limit"])
    least, value, limit = table["bound"] == "at least", table["value"], table["limit"]
    return table.assign(passes=(least & (value >= limit)) | (~least & (value <= limit)))

# %% name="gated"
decided = gate(before, after, Rules())
stopped = decided[~decided.passes]
show.table(decided, caption=f"Whole documents: {'stop' if len(stopped) else 'go'}")
same = gate(before, before, Rules())
print("The released version against itself:", "go" if same.passes.all() else "stop")

# %% [markdown] name="mistakes-text"
# Like every test, a gate makes two kinds of mistakes: it stops harmless versions, and it ships
# worse ones. How often? Simulate the rule about the difference for golden sets of three sizes.
# Again 30% of the questions change.

# %% name="mistakes"
from scipy.stats import norm

DROPS = [0, 5, 10, 15, 20]  # percentage points


def stops(questions, drop, tries=2_000, changing=0.3):
    """How often the 90% interval of the difference reaches below minus ten points."""
    draws = np.random.default_rng(1)
    odds = [(changing + drop) / 2, (changing - drop) / 2, 1 - changing]
    lost, gained, _ = draws.multinomial(questions, odds, tries).T
    mean = (gained - lost) / questions
    error = np.sqrt(((gained + lost) / questions - mean**2) / questions)  # as the bootstrap's
    return np.mean(mean + norm.ppf(0.05) * error < -0.1)

# %% name="mistakes-plot"
gates = {}
for count in (12, 80, 400):
    stopped_share = []
    for drop in DROPS:
        stopped_share.append(stops(count, drop / 100))
    gates[f"{count} questions"] = (DROPS, stopped_share)
harmless = stops(80, 0)
show.line(
    gates,
    title=f"The gate stops {harmless:.0%} of equally good versions if 30% of 80 questions change",
    x="true loss (percentage points)",
    y="stopped (share)",
)

# %% [markdown] name="gate-notes" only="instructor"
# Before the plot appears, ask: the new version is exactly as good, and the golden set has 80
# questions. How often does this gate stop it? Wait for three numbers. With the course's figures, it
# is half of the time. The mistake here is to widen the margin until the gate passes; the remedy is
# more questions. When you are late, skip the code of `stops`, and show the table of the cell
# `gated` and this plot.

# %% [markdown] name="mistakes-note"
# A gate with a small golden set is strict: it stops good versions because it cannot tell them from
# worse ones. The remedy is more questions; a wider margin only hides the problem. Try
# `changing=0.05`: where few answers change, it stops few good versions. (Seconds compare only on
# the same machine.)

# %% [markdown] name="ship-text"
# ## What belongs on a checklist?
#
# `course ship-check` is a gate at full size: quality is one of its items, next to security, latency
# and cost. Each item has an owner and a file of *evidence* for exactly this version of the prompt,
# tools, documents, model and code; most have thresholds. An item whose evidence is missing or old
# is *not assessed*, and that is a no-go: not knowing is never a pass.

# %% name="ship"
from helpers.evaluate.ship_check import ship_check

report = ship_check()
rows = []
for finding in report.findings:
    rows.append({
        "item": finding.item.title,
        "status": finding.status,
        "reason": finding.reasons[0] if finding.reasons else "",
    })
show.table(rows, caption=f"This agent: {'GO' if report.go else 'NO-GO'}")

# %% [markdown] name="ship-note"
# Each reason names the command that writes the missing evidence. `course eval --part heldout`
# measures quality, regression and latency, in 5 minutes on an idle two-core machine; later modules
# bring the rest. No command can measure who answers the phone or how to roll back: a person states
# that, by name.

# %% [markdown] name="ship-notes" only="instructor" then="02.6" needs="Is the new version better?; What should a gate let through?"
# Ask who writes the limits where people work, and when; wait half a minute. When you are late, skip
# the code that simulates the gate's mistakes, and keep its plot. Exercise 02.6 is the gate and
# comes last. It uses three rules of the last two sections: each rule has a limit, the limits are
# written before there is a result, and every reason is named. One rule is McNemar's test, from the
# section on the new version.

# %% [markdown] name="measured-text"
# ## What you measured
#
# Module 03 attacks the same agent, and must not make these figures worse.

# %% name="measured"
five_of_five, _ = proportion_confint(5, 5, method="wilson")
low, high = 100 * pair["low"], 100 * pair["high"]
points = f"{100 * pair['difference']:.0f} [{low:.0f}, {high:.0f}]"
figures = {
    "lowest true rate that fits five of five right": f"{five_of_five:.0%}",
    "right answers, one sentence to read": rate(before.states_facts),
    "right answers, whole documents": rate(after.states_facts),
    "difference of the two, percentage points": points,
    "questions needed to see ten points": needed,
    "kinds that lost ground": len(ruined),
    "kappa of states_facts with people": f"{with_people:.2f}",
    "kappa of the judge": kappa_of["judge, its verdict"],
    "rules that stop whole documents": len(stopped),
}
measured = pd.Series(figures, name="figure").rename_axis("what").reset_index()
show.table(measured, caption="This notebook's figures")

# %% [markdown] name="production"
# ## In production
#
# - Let the golden set grow from what customers really ask. Have two people label a sample, and
#   measure how well they agree: no judge can be expected to agree with them better.
# - Keep a part that nobody looks at, and replace it once many decisions have relied on it.
# - A hosted model varies its words, and its provider may change it under the same name. Ask each
#   question several times, count questions, not answers, and measure the agent and the judge again.
# - `openevals.llm.create_llm_as_judge(prompt=..., judge=model)` makes a judge for `evaluate`. Print
#   its prompt, and measure it like any other.

# %% [markdown] name="breaks"
# **Where it breaks.** A golden set knows only yesterday's questions. A score that becomes a target
# stops being a good measure. `stated` finds words, not meaning. And each question here is asked
# alone, so the figures say nothing about long conversations, load (module 05) or attacks (module
# 03). The intervals take answers for independent; several labels of one question are not, so theirs
# are too narrow.

# %% [markdown] name="keep"
# ## Keep this
#
# ```python
# def states_facts(outputs: dict, reference_outputs: dict) -> bool:
#     facts, answer = reference_outputs["states"], outputs["answer"]
#     return all(any(words in answer for words in wordings) for wordings in facts)
#
# examples = [Example(id=uuid7(), inputs=..., outputs=..., metadata={"kind": ...}), ...]
# # Inside the target: `with tracing_context(enabled=False):`
# new = evaluate(target, data=examples, evaluators=[states_facts], client=offline,
#                upload_results=False)
# right = new.to_pandas()["feedback.states_facts"].eq(True)  # an empty score is not right
# assert len(right) == len(examples)
# old = pd.read_json("released.json", typ="series")  # `right` of the release, by to_json
# lost, gained = (old & ~right).sum(), (right & ~old).sum()
# p = mcnemar([[0, lost], [gained, 0]], exact=True).pvalue
# if lost > gained and p <= 0.05:
#     raise SystemExit(f"{lost} lost, {gained} gained: worse than the release")
# ```
#
# **The pitfall:** a list of dicts instead of `Example`s gives an empty table and no error. Count
# the rows.

# %% name="keep-figure"
print(f'For the review meeting: "The new version loses {pair["lost"]} of {len(examples)} questions '
      f'and gains {pair["gained"]} (p = {pair["p"]:.2g}); the kind that loses most is '
      f'{by_slice.lost.idxmax()}. {len(stopped)} rules of the gate stop it."')

# %% [markdown] name="without"
# ## Without the course
#
# ```
# pip install "langsmith>=0.15" "agentevals>=0.0.9" openevals "statsmodels>=0.15" scipy \
#     scikit-learn pandas
# ```
#
# With `LANGSMITH_API_KEY` set, results go to [LangSmith](https://smith.langchain.com).
# `upload_results=False` alone does not keep your agent's traces from it: give a client without a
# server as well, and switch tracing off inside the target.
# [`course new`](../README.md) writes `evals.py` into a project of your own, with a command that
# runs the gate on twelve golden questions. Twelve are a start: add your own.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions about what you have just built.

# %% name="quiz"
from helpers.course import quiz

quiz("02")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/02_evaluate_before_shipping.ipynb](../labs/02_evaluate_before_shipping.ipynb),
#   six exercises. [Module 03](03_stop_prompt_injection.ipynb) attacks the agent.
# - Paired tests: Q. McNemar, 1947, *Psychometrika* 12, 153-157. Several tests: S. Holm, 1979,
#   *Scandinavian Journal of Statistics* 6, 65-70.
# - Agreement: J. Cohen, 1960, *Educational and Psychological Measurement* 20, 37-46. Models as
#   judges: Zheng et al., 2023, [arXiv:2306.05685](https://arxiv.org/abs/2306.05685).
# - A rubric for production readiness: Breck et al., 2017, *The ML Test Score*,
#   [research.google](https://research.google/pubs/pub46555/).
# - LangSmith: [evaluation](https://docs.langchain.com/langsmith/evaluation).
#   [agentevals](https://github.com/langchain-ai/agentevals),
#   [openevals](https://github.com/langchain-ai/openevals).
