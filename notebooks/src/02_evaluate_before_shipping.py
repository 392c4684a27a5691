# %% [markdown] name="title"
# # 02 Evaluate before shipping
#
# After this notebook you can say how good an agent is and how sure you are of it, whether a change
# made it better, and whether it may be shipped: by a checklist that runs as code.
#
# **75 minutes, of which the machine works 2 (with `COURSE_LIVE=1` 11, and 30 on a busy machine).
# Level: Python, rates and averages. Before it: module 01.** A change to the agent takes this way to
# the customers; each step is a section below.
#
# ```mermaid
# flowchart LR
#     change([a change]) --> runs["runs on the<br>golden set"] --> scores[scores]
#     scores --> pairs["comparison with<br>the last release"]
#     people["labels by<br>people"] --> judge[judge] --> scores
#     pairs --> slices[slices] --> gate{gate} --> list{checklist}
#     list -- go --> ship([customers])
#     list -- no-go --> change
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="imports"
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import comb

import numpy as np

from helpers.agent import build_agent, fernhill_index
from helpers.course import quiz, show
from helpers.evaluate import Proportion, current_version, rows, score, score_answer, summarise
from helpers.evaluate.agreement import agreement, corrected_rate
from helpers.evaluate.checklist import assess, item
from helpers.evaluate.compare import compare, difference, holm, mcnemar, slices, tags, verdicts
from helpers.evaluate.eval_evidence import latency_figures
from helpers.evaluate.evidence import Evidence, Figure
from helpers.evaluate.groundedness import THRESHOLD, groundedness, run_groundedness
from helpers.evaluate.judge import Judge
from helpers.evaluate.judge_table import cheap_rows
from helpers.evaluate.labelled import halves, labelled_answers
from helpers.evaluate.langsmith_eval import agent_target, evaluate, examples, scorers
from helpers.evaluate.sample_size import power_paired, questions_needed
from helpers.evaluate.ship_check import ship_check
from helpers.evaluate.stored_answers import run_or_read
from helpers.evaluate.stored_verdicts import judge_rows_or_read
from helpers.shop import document, questions

os.environ["COURSE_MODEL"] = model

# %% [markdown] name="demo-text"
# ## Why is a demo no evidence?
#
# Five questions, five right answers, and everybody is convinced. What does five of five say about
# the next hundred? Take the lower end of each interval: a rate that low could still have shown you
# nothing but right answers.

# %% name="demo"
perfect = {f"{n} of {n} right": Proportion(n, n) for n in (3, 5, 10, 30, 100)}
low, _ = perfect["5 of 5 right"].interval
show.intervals(perfect, title=f"Five of five fits a true rate of {low:.0%}", x="right answers")

# %% [markdown] name="golden-text"
# ## What makes a golden set?
#
# Questions as customers word them, of every kind that you must answer or refuse, each with what a
# right answer states, what it must not state, and the tools that it takes. Here is one of each
# kind. *Forbidden* facts are near misses: they stand in the same document.

# %% name="golden"
dev, index = questions("dev"), fernhill_index()
show.table(rows.of_golden_set(dev), caption=f"One of each kind of the {len(dev)} questions of dev")

# %% [markdown] name="runs-text"
# Now ask the agent of module 01. A *run* keeps the answer, the tool calls with their results,
# tokens and time. Asking all takes 3 minutes on an idle two-core machine and 8 on a busy one, so
# the cell reads a **stored run**. It prints which version of the agent gave the answers, and
# asks three questions again. If an answer differs, it asks all of them. To ask all in any case, add
# `live=True` to the call of `run_or_read`.
#
# In the table below, how many questions does each rate rest on, and how wide does
# that leave its interval? And then the demo again: how often would five questions, drawn at random
# from these, be all right? People who prepare a demo do not draw at random. (Nor are these
# figures what customers will see: the agent was tuned on dev. `course eval --part heldout` asks
# what nobody has looked at.)

# %% name="runs" tags=["stored:02-agent"]
sample = dev[4::16] if fast else dev

def ask_all(agent, name):
    """The agent's runs on the sample, and their scores."""
    runs = run_or_read(name, agent, sample, progress=lambda q: show.progress(q, label=name))
    return runs, [score(q, r) for q, r in zip(sample, runs, strict=True)]

runs, scores = ask_all(build_agent(retriever=index), "02-agent")
summary = summarise(scores, runs)
show.table(rows.of_summary(summary), caption="The agent, rates with 95% intervals and counts")
right = summary.all.answers
by_luck = comb(right.successes, 5) / comb(right.total, 5)
print(f"A random demo of five shows only right answers with a chance of {by_luck:.0%};")
print(f"a prepared one can be made in {comb(right.successes, 5):,} ways.")

# %% [markdown] name="lie-text"
# ## How does each score lie?
#
# Below are seven answers to *How long do I have to return a tent?*, each with a person's verdict,
# and three ways to score: the fact stands somewhere in the text; all words stand in the source;
# the course's score, which wants the required facts, no forbidden ones and no refusal. Which
# answer do you expect to fool which score? (Tool scores lie as well: *right trajectories* above
# fails an agent that looks twice before it acts. The lab mends that.)

# %% name="lie"
question, source = dev[0], document("returns").text
answers = {"You have thirty days.": True, "30 days for tents.": True, "130 days.": False,
           "30 days. Or 14 days.": False, "I do not know. Perhaps 30 days.": False,
           "Within 30 days of the order, not of delivery.": False, source: False}
scored = [{"answer": text[:50], "person": truth, "fact in text": "30 days" in text,
           "known words": groundedness(text, source, question.question).overlap >= THRESHOLD,
           "course's score": score_answer(question, text).right} for text, truth in answers.items()]
fooled = {name: sum(r[name] != r["person"] for r in scored) for name in list(scored[0])[2:]}
show.table(scored, caption=", ".join(f"{name}: {n} of 7 wrong" for name, n in fooled.items()))

# %% [markdown] name="people-text"
# So a score is an instrument, and needs a calibration: compare it with people. More than a hundred
# answers, most of them the local model's own, were labelled by hand. *Agreement* flatters whoever
# always says the more frequent word; *kappa* takes off what chance would give: 1 is full agreement,
# 0 is chance.

# %% name="people"
by_id, labelled = {q.id: q for q in dev}, labelled_answers()
given = [score_answer(by_id[a.question_id], a.answer).right for a in labelled]
with_people = agreement(given, [a.right for a in labelled])
print(f"The score agrees with the reader on {with_people.agreed}, kappa {with_people.kappa}")

# %% [markdown] name="cost-text"
# Time and money lie in their own ways. A mean hides the slow tail. A price for each *question*
# makes a model look cheap that answers wrongly; the price for each *right answer* does not. And
# runs that failed have neither: count them apart, or a crash makes the agent faster.

# %% name="cost"
show.table(rows.of_time_and_money(runs, scores, model), caption="What an answer takes", digits=1)

# %% [markdown] name="second-text"
# ## Is the new version better?
#
# Somebody proposes: the agent reads one sentence of the document, so let it read all of it, and it
# will never miss a fact. (A retriever is anything with a `search`.) Both versions answer the same
# questions, and both find the same ones hard. So look at each question's pair: only those that
# changed count, *lost* or *gained*. Were the versions equally good, each change would be a coin
# toss. McNemar's test asks how odd this many heads are. What do you expect? (Longer texts take
# longer to read: live, this takes 5 minutes on an idle machine, and up to 15 on a busy one.)

# %% name="second" tags=["stored:02-whole-documents"]
class WholeDocuments:
    def search(self, query, k=3):
        return [replace(p, sentences=(p.text,)) for p in index.search(query, k)]

second_runs, second_scores = ask_all(build_agent(retriever=WholeDocuments()), "02-whole-documents")

# %% name="compare"
before, after = verdicts(scores), verdicts(second_scores)
pair = compare(before, after)
show.table(rows.of_comparisons([("all", pair, pair.p_value)]), caption="Whole documents to read")
print(f"difference {pair.difference}, by paired bootstrap {pair.bootstrap}")

# %% [markdown] name="power-text"
# ## How many questions are needed?
#
# That depends on how large a difference you must not miss, and on how many questions change at all.
# *Power* is the chance that the test shows a difference that is there; 80% is the usual wish.
# Where does your sample stand, and what could it have missed?

# %% name="power"
changed, counts = max(pair.changed, 0.2), range(20, 820, 40)
power = {f"{d} points": (counts, [power_paired(n, d / 100, changed) for n in counts])
         for d in (20, 10, 5)}
needed = questions_needed(0.1, changed)
show.line(power, title=f"Ten points need {needed} questions when {changed:.0%} of them change",
          x="questions", y="power (chance to see it)", marks={"here": len(sample)})

# %% [markdown] name="slices-text"
# ## What does the average hide?
#
# The same comparison, slice by slice. Whole documents may help one kind and ruin another, and the
# customers of the second do not care about the average. But who looks at many slices finds
# something in one: the second cell compares versions that are *equal by construction*, each of ten
# changed questions a coin toss. Holm's correction holds the chance of a false alarm at 5%, however
# many slices you look at; the table's p-values are adjusted in that way.

# %% name="slices"
found = slices(before, after, {q.id: tags(q) for q in sample})
worse = sum(part.lost_ground() for part in found)
show.table(rows.of_slices(pair, found), caption=f"{worse} slices lost ground beyond chance")

# %% name="many"
chance = np.random.default_rng(0)
p_of = [mcnemar(gained, 10 - gained) for gained in range(11)]

def alarms(slice_count, adjust, tries=400):
    tosses = chance.binomial(10, 0.5, (tries, slice_count))
    return np.mean([min(adjust([p_of[g] for g in row])) <= 0.05 for row in tosses])

sizes = [1, 5, 10, 20, 40]
plain, held = ([alarms(n, how) for n in sizes] for how in (list, holm))
show.line({"p as it is": (sizes, plain), "after Holm": (sizes, held)}, x="slices looked at",
          y="a false alarm (chance)", title=f"{sizes[-1]} slices give a false alarm in "
          f"{plain[-1]:.0%} of cases, after Holm in {held[-1]:.0%}")

# %% [markdown] name="judge-text"
# ## Can a model be the judge?
#
# A *judge* reads question, source and answer and says whether everything in the answer is also in
# the source. It costs a prompt and no thought, which is why everybody uses one. Here the agent's
# own model is the judge, of labelled answers that nothing was tuned on, beside scorers that need no
# model. (Judging takes 3 to 9 minutes; these verdicts are stored, too.) Compare every row with the
# first: it always says yes.

# %% name="judge" tags=["stored:02-judge"]
_, unseen = halves(labelled)
some = unseen[:: 45 if fast else 1]
judges = [*cheap_rows(unseen), *judge_rows_or_read("02-judge", Judge(), some, show.progress)]
show.table(rows.of_scorers(judges), caption="Is the answer grounded? Scorers against a person")

# %% [markdown] name="calibrate-text"
# When may you trust a judge? After people have labelled some hundred of its cases, and you know how
# many good ones it accepts and bad ones it rejects: then *correct* its counts for both (Rogan and
# Gladen, 1978). The interval widens by what the labels leave open. A scorer that is not beyond
# doubt better than chance cannot be corrected: its counts say nothing, and asking it more often
# does not help. Below, word overlap judges the whole-document version.

# %% name="calibrate"
for row in judges:
    print(f"{row.scorer}: {'usable' if row.agreement.informative else 'no better than chance'}")
overlap = judges[2].agreement
judged = [run_groundedness(r, q.question) for q, r in zip(sample, second_runs, strict=True)]
accepted = Proportion.of(g.overlap >= THRESHOLD for g in judged if g is not None)
print(f"Word overlap accepts {accepted}; corrected, {corrected_rate(accepted, overlap)}")

# %% [markdown] name="langsmith-text"
# ## The same through LangSmith
#
# LangSmith's `evaluate` is the common way to write this down: a target, examples, evaluators. With
# `upload_results=False` it needs no server and no key. Handed a list of dicts instead of `Example`s
# it gives an empty table without a word: the course's wrapper makes that an error.

# %% name="langsmith"
few = sample[: 1 if fast else 80 : 16]
target = agent_target(build_agent(retriever=index), few)
names = {"inputs.question": "question", "outputs.answer": "answer", "feedback.answer": "right"}
table = evaluate(target, examples(few), scorers(few)).to_pandas()
show.table(table[list(names)].rename(columns=names), caption="LangSmith's own table")
try:
    evaluate(target, [{"inputs": {"question": "Hi"}}], scorers(few))
except TypeError as error:
    print("TypeError:", error)

# %% [markdown] name="gate-text"
# ## What should a gate let through?
#
# A *gate* is a rule that was written before the result. This one, which the checklist has too,
# stops a version when the 90% interval of the difference reaches below minus ten points. Like every
# test it makes two mistakes: it stops harmless versions, and ships worse ones. How often, with 80
# questions, with the 140 of heldout, with 400? The simulation changes as many as yours did.

# %% name="gate"
MARGIN = -0.10

def stopped(count, drop, tries=40 if fast else 200):
    share = max(changed, drop)  # of the questions that change
    odds = [(share + drop) / 2, (share - drop) / 2, 1 - share]
    draws = chance.multinomial(count, odds, tries)
    return np.mean([difference(same // 2, lost, gained, same - same // 2, confidence=0.9).low
                    < MARGIN for lost, gained, same in draws])

drops = [0, 0.05, 0.10, 0.15, 0.20]
curves = {f"{n} questions": ([100 * d for d in drops], [stopped(n, d) for d in drops])
          for n in (80, 140, 400)}
show.line(curves, x="true loss (points)", y="stopped (share)", title="With 80 questions the gate "
          f"stops {curves['80 questions'][1][0]:.0%} of equally good versions")
low = compare(before, after, confidence=0.9).difference.low
print("Whole documents:", "stop" if low < MARGIN else "ship")

# %% [markdown] name="checklist-text"
# ## What belongs on a checklist?
#
# Quality is one item of many. Each stands for a kind of incident that it would have caught, belongs
# to a role, and has a threshold that was set beforehand. `course ship-check` decides it from a file
# of *evidence*, which a command has written for exactly this version of prompt, tools, documents,
# model and code. Missing or old evidence, of another version or of too few questions, is *not
# assessed*, and that is a no-go: not knowing is never a pass. Two things no command can measure:
# who answers the phone, and how to go back. There a person signs a dated statement.
#
# The first table is the list. The second tries one item on evidence that looks good and is not
# enough. The third applies the list to the agent in your copy of the course; its reasons name
# the commands that write what is missing. `course eval --part heldout` fills in up to four items,
# in 5 minutes on an idle two-core machine and up to 15 on a busy one: run it in a terminal, then
# the last of these cells again. Later modules bring the other items.

# %% name="checklist"
show.table(rows.of_checklist(), caption="Every item must pass")

# %% name="unknown"
now, here = datetime.now(UTC), current_version()
figures = {name: Figure.of(figure) for name, figure in latency_figures(runs).items()}
mine = Evidence("latency", here, "this notebook", now, figures)
given = {"none": None, "of another prompt": replace(mine, version=current_version(prompt="Hi.")),
         "five weeks old": replace(mine, written=now - timedelta(weeks=5)),
         f"of the {len(runs)} answers above": mine}
found = {name: assess(item("latency"), each, here, now=now) for name, each in given.items()}
show.table([{"evidence": name, "status": each.status, "reason": each.reasons[0]}
            for name, each in found.items()], caption="Latency: four ways of not knowing")

# %% name="ship"
report = ship_check()
decision = "GO" if report.go else "NO-GO"
show.table(rows.of_report(report), caption=f"Version {report.version.digest}: {decision}")

# %% [markdown] name="measured-text"
# ## What you measured
#
# The figures of this notebook. Module 03 attacks the same agent, and must not make these worse.

# %% name="measured"
figures = {
    "right answers, one sentence to read": pair.before,
    "right answers, whole documents": pair.after,
    "difference": pair.difference,
    "kappa of the course's score": with_people.kappa,
} | {f"kappa of the {row.scorer}": row.agreement.kappa for row in judges[-2:]}
show.table([{"figure": name, "value": str(value)} for name, value in figures.items()],
           caption=f"On {len(sample)} questions and {len(labelled)} labelled answers")

# %% [markdown] name="production"
# **In production** the golden set grows from what customers really ask: sample live runs, let two
# people label them, and measure how far they agree; that is the ceiling for any judge. Keep a part
# that nobody looks at, and renew it when too many decisions have rested on it. A hosted model says
# other words each time, and its provider changes it under the same name: ask each question several
# times, count questions and not answers, and measure agent and judge anew from time to time.
#
# **Where it breaks.** A golden set knows yesterday's questions. A score that becomes a target stops
# being a score. Questions are asked one at a time here, so nothing is said about long
# conversations, about load (module 05) or about somebody who attacks (module 03).

# %% name="quiz"
quiz("02")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/02_evaluate_before_shipping.ipynb](../labs/02_evaluate_before_shipping.ipynb),
#   six exercises.
# - Paired tests: Q. McNemar, 1947, *Psychometrika* 12, 153-157; R. G. Newcombe, 1998,
#   *Statistics in Medicine* 17, 2635-2650.
# - Several tests: S. Holm, 1979, *Scandinavian Journal of Statistics* 6, 65-70.
# - Agreement: J. Cohen, 1960, *Educational and Psychological Measurement* 20, 37-46.
# - Models as judges: Zheng et al., 2023, [arXiv:2306.05685](https://arxiv.org/abs/2306.05685).
# - A rubric for production readiness: Breck et al., 2017, *The ML Test Score*,
#   [research.google](https://research.google/pubs/pub46555/).
# - [LangSmith: evaluation](https://docs.langchain.com/langsmith/evaluation).
