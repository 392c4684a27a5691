# %% [markdown] name="title"
# # 12 Review questions
#
# After this walkthrough you can answer the five review questions of the chapter "Production-Ready
# LLM Deployment and Observability" with evidence of your own, say what each answer rests on, and
# defend a decision to ship or not to ship.
#
# **60 minutes (less than one of them machine time), plus your own time for the answers. Level:
# any. Before it: modules 01 to 11.** No model runs here. You write the answers in [lab
# 12](../labs/12_review_questions.ipynb).

# %% [markdown] name="picture"
# A claim about a system is worth as much as the measurement behind it. In this course a command
# measures one version of the agent and writes a file of evidence. `course ship-check` reads these
# files, and so does `review`.
#
# ```mermaid
# flowchart LR
#     quality["02 course eval"] --> files[(".course/evidence")]
#     attacks["03 course attack"] --> files
#     actions["04 course policies"] --> files
#     load["05 course serve-check"] --> files
#     rollout["07 course rollout"] --> files
#     alerts["08 course monitor-check"] --> files
#     traces["09 course trace-check"] --> files
#     cost["10 course cost"] --> files
#     person([a person's statement]) --> files
#     figures["your own figures: keep"] --> files
#     files --> review{"review"} --> answers["your five answers"]
#     files --> check{"course ship-check"} --> launch["GO or NO-GO"]
# ```

# %% [markdown] name="parameters-text"
# The usual two settings. This walkthrough reads files and asks no model.

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="question-how"
# ## How is an answer judged?
#
# An answer is text with a heading for each part that its question asks for. Put the source of each
# measured figure after it, in square brackets: `[functional_quality: right answers]` is the figure
# *right answers* of the file `functional_quality.json`. `[limit]` marks a threshold of your own,
# `[stated: source, year]` a figure that someone else published, `[derived: from what]` a number
# that you worked out. `review` compares each cited figure with its file, and checks that the file
# is recent and belongs to this version.
#
# Below is a short answer to question 1, with evidence that is stored with the course. It is spread
# over two cells, so that only the second, with the figures, has to be corrected: one of them is
# wrong. The first card says which, and the second judges the corrected answer. `run_check` judges
# as `review` does and records nothing. In the lab, `review("Q1", answer_1)` also keeps your answer.
#
# Two names of figures need an explanation. *At 1*, as in *attack success at 1*, means the first try
# of each attack. Privacy's 480 runs are attempts of a hijacked agent to reach another customer's
# order: for 120 pairs of a customer and such an order, one lookup and one refund each, with the
# order's number in the customer's message and without it.
#
# **What no card can say:** whether a sentence is true, whether the incidents are likely, whether
# the counter-case is the one that matters, and whether you could defend the answer in a meeting.
# Judge these by the rubric below each question, or ask a colleague to.

# %% name="question-parts"
from helpers.course.check import run_check
from helpers.review import STORED, Answer, review

checks = """
## Claim
The agent discloses no other customer's data, but it invents answers too often to be shipped.

## Checks and incidents
Functional quality finds a promise about returns that no document makes. Security finds a note
that redirects a refund. Privacy finds an address read out to a stranger. Load finds the sale
during which callers time out. Latency finds customers who leave while a reply is still being
written. Cost finds a prompt that doubles the invoice. Rollback finds a morning spent on
rebuilding yesterday's image. Monitoring finds the outage that only customers reported.

## Owner and threshold
The product owner signed the limit, at least 70% [limit] of unanswerable questions refused, a week
before anyone measured. If it is missed, the product owner decides."""

# %% name="question-wrong"
figures = """
## Evidence
The agent got 75% of 140 answers right [functional_quality: right answers], and 0 of 480 runs
disclosed data of others [privacy: data of others disclosed]. Of 28 unanswerable questions, 68% were
refused [functional_quality: refused, unanswerable]. One answer in twenty took longer than 6.4
seconds [latency: seconds an answer, 95th percentile].

## Counter-case
"May I return opened food after 20 days?" joins two conditions. Of 22 such questions, 41% got a
right answer [functional_quality: right answers, conditional]: better refusals would pass the limit
and not help here.

## Limit
These test questions are not those of next month, and no command knows who answers the phone at
night: a person has to state that."""
run_check("12.1", Answer(checks + figures, evidence=STORED))

# %% name="question-repaired"
repaired = figures.replace("75% of 140", "70% of 140")
run_check("12.1", Answer(checks + repaired, evidence=STORED))

# %% [markdown] name="question-judged"
# Every check passes. Is it a good answer? Its reader goes through the rubric of question 1:
#
# | line of the rubric, in short | met? | why |
# |---|---|---|
# | each check has an incident | yes | a redirected refund, an address read to a stranger |
# | missing evidence stops the release | no | the answer does not mention it |
# | cases for each figure, intervals for some | no | no interval, and 6.4 seconds has no cases |
# | a threshold was fixed first, and by whom | yes | by the product owner, a week before |
# | why nobody tuned on these questions | no | the answer does not say it |
# | the counter-case changes the decision, or why not | no | it does not return to the decision |
#
# Two lines of six: not yet an answer to bring to a meeting.

# %% [markdown] name="judged-notes" only="instructor"
# Stop after the card that says *passed*, and ask whether the answer is good. Let pairs go through
# the six lines of the rubric before you show this table: three minutes. The mistake here is to take
# a passed card for a good answer. The card checks sources and figures; no card can say whether a
# sentence is true.

# %% [markdown] name="question-1"
# ## 1. What do you check before release, and why?
#
# **The question.** The agent works on your laptop, and the team wants to ship it. Which checks have
# to pass first, and what would go wrong without each of them?
#
# **Where you measured it:**
#
# - [What belongs on a checklist?][list] lists the items and says what missing evidence means.
# - [What makes a golden set?][golden] and [How many questions are needed?][count] say which
#   questions, and how many.
# - [What does the average hide?][slices] and [What should a gate let through?][gate] compare two
#   versions and decide by a rule.
# - [Lab 02, exercise 6][lab] is your own gate.
# - [How is a new version rolled out without losing a request?][release] shows what a release costs
#   your users, and what happens when a version does not start.
# - [Do the rules find an incident?][rules] shows which alerts find a bad release within minutes.
# - [What does a right answer cost today?][bill] has the figure behind the item *cost*.
#
# [bill]: 10_cut_the_cost.ipynb#What-does-a-right-answer-cost-today?
# [rules]: 08_monitor_in_production.ipynb#Do-the-rules-find-an-incident?
# [release]: 07_run_on_kubernetes.ipynb#How-is-a-new-version-rolled-out-without-losing-a-request?
# [list]: 02_evaluate_before_shipping.ipynb#What-belongs-on-a-checklist?
# [golden]: 02_evaluate_before_shipping.ipynb#What-makes-a-golden-set?
# [count]: 02_evaluate_before_shipping.ipynb#How-many-questions-are-needed?
# [slices]: 02_evaluate_before_shipping.ipynb#What-does-the-average-hide?
# [gate]: 02_evaluate_before_shipping.ipynb#What-should-a-gate-let-through?
# [lab]: ../labs/02_evaluate_before_shipping.ipynb#6.-Decide-on-releases

# %% name="question-1-asked"
review("Q1")

# %% [markdown] name="release-notes" only="instructor" then="12.1" needs="How is an answer judged?"
# When you are late, give each group one of the five questions, and let the groups judge each
# other's answers with the rubric. Do not click through the links: each group opens two. All five
# exercises need the section before this one, on how an answer is judged. Exercise 12.1 also uses
# the links and the six parts of this section; the stored evidence is enough for it.

# %% [markdown] name="question-2"
# ## 2. Which security risks are there, and what reduces them?
#
# **The question.** The agent reads text that strangers wrote, and it can act. What can go wrong,
# and which control limits the damage?
#
# **Where you measured it:** [What else can go wrong?][map] has OWASP's whole list, with a control
# and a test for each risk. The main risks:
#
# | risk | what reduces it | measured in |
# |---|---|---|
# | a prompt or a secret leaks | no secret in the prompt, an output filter | [03][controls] |
# | the agent acts for an attacker | rules for arguments, approval | [04][policies] |
# | another customer's data appears | identity from the login | [04][orders] |
# | a tool reaches internal servers | check the resolved address | [04][service] |
# | text becomes SQL or HTML | bound values, cleaned output | [04][service] |
# | one caller uses up the service | caps on size and rate, a gate | [05][size] |
# | one caller uses up the money | a budget, reserved before each answer | [10][spender] |
# | a cache serves another customer's answer | the customer in its key | [10][cache] |
# | personal data stays in traces | redact before anything leaves | [09][redact] |
# | a model file is replaced | compare digests before use | [00][machine] |
# | someone takes over the process | no rights, no token, few ways out | [07][hijacked] |
# | answers are invented, and nobody reports it | detectors, counted over a day | [08][invented] |
# | some people are served worse | paired tests, with a control group | [08][alike] |
#
# [spender]: 10_cut_the_cost.ipynb#Who-spends-the-money,-right-now?
# [cache]: 10_cut_the_cost.ipynb#What-does-a-question-cost-the-second-time?
# [invented]: 08_monitor_in_production.ipynb#Which-answers-are-invented?
# [alike]: 08_monitor_in_production.ipynb#Is-everyone-treated-alike?
# [map]: 03_stop_prompt_injection.ipynb#What-else-can-go-wrong?
# [controls]: 03_stop_prompt_injection.ipynb#Which-control-does-what,-and-what-does-it-cost?
# [policies]: 04_limit_the_agents_actions.ipynb#Which-rule-stops-what,-and-at-what-price?
# [orders]: 04_limit_the_agents_actions.ipynb#Does-it-work-around-a-real-agent?
# [service]: 04_limit_the_agents_actions.ipynb#What-can-a-tool-be-made-to-reach?
# [size]: 05_serve_with_fastapi.ipynb#What-does-a-long-message-cost?
# [redact]: 09_trace_with_langsmith.ipynb#What-must-not-leave?
# [hijacked]: 07_run_on_kubernetes.ipynb#What-does-a-hijacked-agent-reach?
# [machine]: 00_start_here.ipynb#Is-this-machine-ready?

# %% [markdown] name="question-2-asked-text"
# Questions 2 to 5 have parts and a template as well: the lab shows them. Here is the rubric.

# %% name="question-2-asked"
from helpers.review.questions import question
from helpers.review.shown import show_rubric

show_rubric(question("Q2"))

# %% [markdown] name="risks-notes" only="instructor" then="12.2" needs="How is an answer judged?"
# Ask everyone for the risk that worries them most, and which row of the table has its control; wait
# one minute. The mistake here is one favourite risk in place of a whole list. Exercise 12.2 uses
# the table and its links: people choose at least six risks of OWASP's list.

# %% [markdown] name="question-3"
# ## 3. How does prompt injection work, and what stops it?
#
# **The question.** A customer types a sentence that the model takes for an instruction, or a
# document contains one. How does that become damage, and where can you cut the path?
#
# ```mermaid
# flowchart LR
#     message([customer's message]) --> model["model: reads<br>one stream of text"]
#     planted([planted document]) --> model
#     model -- answer --> filter{output<br>filter} --> reader([reader])
#     model -- tool call --> policy{policy on<br>arguments} --> orders[(orders, refunds)]
#     policy -. asks .-> person([person])
# ```
#
# **Where you measured it:**
#
# - The attack: [When has an attack succeeded?][canary] and [How often do attacks succeed?][tries]
# - What changes the odds: [marks around data][marks] and [screens for attacks][screens]
# - What cuts the path: [an output filter][output], [no secret in the prompt][out], and, for an
#   agent that is already hijacked, [policies on its calls][policies] and [provenance][provenance]
# - Whether it lasts: [other authors][authors] and [attackers who know the policy][adaptive]
# - `course demo` shows one injection, the control that stops it and the trace; `course attack
#   --part heldout` and `course policies` print the rates.
#
# [canary]: 03_stop_prompt_injection.ipynb#When-has-an-attack-succeeded?
# [tries]: 03_stop_prompt_injection.ipynb#How-often-do-attacks-succeed?
# [marks]: 03_stop_prompt_injection.ipynb#Can-the-model-be-told-which-words-are-data?
# [screens]: 03_stop_prompt_injection.ipynb#Can-attacks-be-recognised?
# [output]: 03_stop_prompt_injection.ipynb#Can-the-answer-be-checked-instead?
# [out]: 03_stop_prompt_injection.ipynb#Can-the-secret-simply-be-left-out?
# [authors]: 03_stop_prompt_injection.ipynb#Does-it-hold-against-other-authors?
# [policies]: 04_limit_the_agents_actions.ipynb#Which-rule-stops-what,-and-at-what-price?
# [provenance]: 04_limit_the_agents_actions.ipynb#Where-does-a-value-come-from?
# [adaptive]: 04_limit_the_agents_actions.ipynb#What-does-an-attacker-who-knows-the-policy-do?

# %% name="question-3-asked"
show_rubric(question("Q3"))

# %% [markdown] name="injection-notes" only="instructor" then="12.3" needs="How is an answer judged?"
# Cover the picture, and let people draw the path from a sentence in a document to a refund: two
# minutes. Then ask where you can cut the path; wait for two places. The mistake here is to offer a
# better prompt: it changes the odds, and cuts nothing. Exercise 12.3 uses the picture, and this
# difference.

# %% [markdown] name="question-4"
# ## 4. What do you call the work of running such a system?
#
# **The question.** Software has DevOps. Which name fits the work of running an application on top
# of a language model, and what does that work consist of?
#
# | name | what is operated | typical concerns |
# |---|---|---|
# | MLOps | a model that you train | data, training, registry of models, drift |
# | FMOps | any foundation model | choosing and adapting what others trained |
# | LLMOps | an application on a language model | prompts, free text, price of a token |
# | GenAIOps | the same with retrieval, and other generative models | documents, an index, prompts |
# | AgentOps | an agent that chooses its steps and acts | tools, trajectories, permissions |
# | AIOps | **something else**: IT operations, helped by AI | alerts, causes of incidents |
#
# There is no standard: [AWS][fmops] counts LLMOps as a part of FMOps, [Microsoft][genaiops] says
# GenAIOps, "sometimes known as LLMOps", and [Google Cloud][google] extends DevOps and MLOps without
# a new name.
#
# **Where you did this work:**
#
# - Evaluate and release: [a version and its evidence][list], and [a gate][gate]
# - Observe: [one request][request], [what you look at, and when][strategy],
#   [what wakes a person][wakes], and [who spends the money][spender]
# - Learn: [a bad run becomes a test][test]
# - Improve: [a change, a canary and a rollback][loop]
# - Keep it running: [a restart in the middle of a stream][restart], and [a bad day][bad-day]
# - The name: [what each was made for][words], with sources, the activities that none covers, and a
#   form for your own argument
#
# [loop]: 11_operate_and_improve.ipynb#Does-the-change-help?
# [bad-day]: 11_operate_and_improve.ipynb#What-do-you-do-on-a-bad-day?
# [words]: 11_operate_and_improve.ipynb#What-do-you-call-this-work?
# [spender]: 10_cut_the_cost.ipynb#Who-spends-the-money,-right-now?
# [wakes]: 08_monitor_in_production.ipynb#What-wakes-a-person,-and-what-waits?
# [list]: 02_evaluate_before_shipping.ipynb#What-belongs-on-a-checklist?
# [gate]: 02_evaluate_before_shipping.ipynb#What-should-a-gate-let-through?
# [request]: 09_trace_with_langsmith.ipynb#What-happens-in-one-request?
# [strategy]: 09_trace_with_langsmith.ipynb#What-do-you-look-at,-and-when?
# [test]: 09_trace_with_langsmith.ipynb#How-does-a-bad-run-become-a-test?
# [restart]: 05_serve_with_fastapi.ipynb#What-happens-to-a-stream-at-a-restart?
# [fmops]: https://aws.amazon.com/blogs/machine-learning/fmops-llmops-operationalize-generative-ai-and-differences-with-mlops/
# [google]: https://docs.cloud.google.com/architecture/deploy-operate-generative-ai-applications
# [genaiops]: https://learn.microsoft.com/azure/architecture/ai-ml/guide/genaiops-for-mlops

# %% name="question-4-asked"
show_rubric(question("Q4"))

# %% [markdown] name="name-notes" only="instructor" then="12.4" needs="How is an answer judged?"
# Ask for a show of hands for each name, and then for one reason from each side: two minutes. The
# mistake here is to choose AIOps, which uses AI to operate other systems. Skip this section if the
# room has argued about the name in module 11. Exercise 12.4 uses the names and their sources, from
# here and from module 11.

# %% [markdown] name="question-5"
# ## 5. What does production require, and what does it cost you?
#
# **The question.** Name the requirements of a service in production, put a number on each, and say
# which of them conflict.
#
# **Where you measured it:**
#
# | you want | you pay with | measured in |
# |---|---|---|
# | fewer invented answers | refusals of answerable questions | [01][agent] |
# | certainty about quality | more questions, more labels | [02][count] |
# | safe answers | honest answers that are lost | [03][controls] |
# | safe actions | tasks undone, questions to a person | [04][fatigue] |
# | a filter on the answer | words that arrive later | [lab 03, exercise 4][filter] |
# | a short wait under load | callers who are refused | [05][burst] |
# | a second worker | limits and memory that must be shared | [05][front] |
# | replicas that survive a crash or a release | processes, a store for the memory | [06][breaks] |
# | capacity that follows the load | seconds until a replica is ready | [06][grows] |
# | a release that nobody notices | one more pod, seconds for each old one | [07][roll] |
# | an autoscaler that is never late | pods that wait for the peak | [07][day] |
# | nobody woken for nothing | minutes until an incident is found | [08][alarms] |
# | any control of a service | latency, cost, refusals | [05][trade] |
# | a friendlier prompt | more tokens in each request | [09][prompts] |
# | a trace of every request | storage, and personal data in it | [09][redact] |
# | fewer tokens read | facts that a larger model would have used | [10][context] |
# | fewer tokens written | answers that are cut off | [10][output] |
# | answers from a cache | stale answers, the same words with another meaning | [10][cache] |
# | no model where a sentence answers | thresholds to choose again, no joined facts | [10][tiers] |
# | fewer wrong answers | people who take over | [10][tiers] |
# | a bill with a limit | customers who get a person once the money is spent | [10][spender] |
# | a price that does not grow with traffic | a machine that costs money at night | [10][volume] |
# | no idle machine | a cold start for the first customer after a quiet hour | [11][deploy] |
# | more customers on one model server | a longer wait for each | [11][serving] |
# | tools of other teams | a server whose words may change | [11][mcp] |
# | a change that you know helps | a week in which most customers wait for it | [11][loop] |
# | an incident that ends soon | time for drills, and a runbook kept up to date | [11][bad-day] |
#
# [Which variant would you choose?][choose] shows which variant is cheapest, people and mistakes
# included, and what each saving costs in latency, quality, freshness and safety. Its table answers
# this question for cost; `course cost` repeats it on questions that nothing was tuned on.
#
# For the tail, see [which requests cost out of proportion][cost], [where the time goes][time] and
# [who spends the money][spender]. For ways of deploying and their break-even volumes, see [how
# to choose a deployment][deploy].
#
# [deploy]: 11_operate_and_improve.ipynb#How-do-you-choose-a-deployment?
# [serving]: 11_operate_and_improve.ipynb#What-does-a-model-server-do?
# [mcp]: 11_operate_and_improve.ipynb#What-is-MCP,-and-whom-do-you-trust?
# [loop]: 11_operate_and_improve.ipynb#Does-the-change-help?
# [bad-day]: 11_operate_and_improve.ipynb#What-do-you-do-on-a-bad-day?
# [context]: 10_cut_the_cost.ipynb#How-much-text-does-the-model-need?
# [output]: 10_cut_the_cost.ipynb#How-much-does-it-have-to-write?
# [cache]: 10_cut_the_cost.ipynb#What-does-a-question-cost-the-second-time?
# [tiers]: 10_cut_the_cost.ipynb#Does-it-take-a-model-at-all?
# [choose]: 10_cut_the_cost.ipynb#Which-variant-would-you-choose?
# [spender]: 10_cut_the_cost.ipynb#Who-spends-the-money,-right-now?
# [volume]: 10_cut_the_cost.ipynb#What-at-a-thousand-times-the-traffic?
# [agent]: 01_build_an_agent.ipynb#What-you-measured
# [count]: 02_evaluate_before_shipping.ipynb#How-many-questions-are-needed?
# [controls]: 03_stop_prompt_injection.ipynb#Which-control-does-what,-and-what-does-it-cost?
# [fatigue]: 04_limit_the_agents_actions.ipynb#How-many-questions-can-a-person-answer?
# [filter]: ../labs/03_stop_prompt_injection.ipynb#4.-Filter-an-answer-while-it-streams
# [burst]: 05_serve_with_fastapi.ipynb#What-does-a-burst-do?
# [trade]: 05_serve_with_fastapi.ipynb#What-does-each-control-cost,-and-what-does-it-give?
# [front]: 05_serve_with_fastapi.ipynb#In-production
# [breaks]: 06_scale_with_ray.ipynb#What-breaks,-and-who-notices?
# [grows]: 06_scale_with_ray.ipynb#When-does-Ray-start-another-replica?
# [alarms]: 08_monitor_in_production.ipynb#Do-the-rules-find-an-incident?
# [roll]: 07_run_on_kubernetes.ipynb#How-is-a-new-version-rolled-out-without-losing-a-request?
# [day]: 07_run_on_kubernetes.ipynb#How-many-pods-does-a-day-need?
# [prompts]: 09_trace_with_langsmith.ipynb#Which-of-two-prompts-is-worth-its-price?
# [redact]: 09_trace_with_langsmith.ipynb#What-must-not-leave?
# [cost]: 09_trace_with_langsmith.ipynb#Which-requests-cost-out-of-proportion?
# [time]: 09_trace_with_langsmith.ipynb#Where-does-the-time-go?

# %% name="question-5-asked"
show_rubric(question("Q5"))

# %% [markdown] name="demands-notes" only="instructor"
# Give each group three rows of the table, and let them find the figure on both sides, from their
# own notebooks: three minutes. The mistake here is a gain without its price, or two figures from
# two versions of the agent. Ask each group which row they would fight over with a manager. Exercise
# 12.5 uses this table, but comes after the launch: its part *Decision* needs that section.

# %% [markdown] name="practice-text"
# ## Are you sure? Practice by heading
#
# A review also asks what you did not prepare. For 31 of the chapter's 33 headings (all but
# *Summary* and *Questions*), there are three to five short questions: some ask what you *know*,
# some ask you to *apply* it, and some describe a situation for you to *judge*. `practice()` lists
# the headings. Which of them would you rather not be asked about? Begin there.

# %% name="practice-table"
from helpers.review import practice

practice()

# %% [markdown] name="practice-notes" only="instructor"
# Use this section as a warm-up, or in the last ten minutes of a day: `practice(seed=1)` draws three
# questions. People answer aloud to a neighbour before they open the answer. The mistake here is to
# open the answer first, and to nod. Skip the table of headings.

# %% [markdown] name="practice-one-text"
# Say your answer aloud before you open the one below the question. A *know* answer is complete when
# it gives the fact and its reason. An *apply* answer also says what you would do or look at, and a
# *judge* answer what would change your mind. Replace `mcp` with the id of your heading;
# `level="judge"` shows that level alone.
#
# `practice(seed=1)` draws three questions from the whole chapter, one of each level: a review in
# ten minutes. Another number draws others. In a terminal: `course review practice mcp --answers`.

# %% name="practice-one"
practice("mcp")

# %% [markdown] name="coverage-text"
# ## Where is each heading of the chapter?
#
# The course has a place for each heading of the chapter: a cell that shows it, and a check that
# proves it. An exercise proves it with your code, a test with the course's own. The first line
# counts each cell, exercise and test once, although several headings may share it. The table has
# only the headings with a limit or with a single check; `course coverage` prints all. Before you
# run the cell, guess: which heading has the weakest proof?

# %% name="coverage-headings"
from IPython.display import Markdown

from helpers.review.coverage import coverage, problems
from helpers.review.coverage_page import as_markdown, counts

covered = coverage()
print(counts(covered))
print("targets that are missing:", problems(covered) or "none")
weak = []
for topic in covered.headings:
    if topic.limits or len(topic.checks) == 1:
        weak.append(topic)
Markdown(as_markdown(weak))

# %% name="coverage-limits"
from helpers.course import show

rows = []
for topic in covered.topics:
    if topic.limits:
        row = {"topic": topic.heading, "checks": len(topic.checks), "not covered": topic.limits}
        rows.append(row)
show.table(rows, caption=f"{len(rows)} of {len(covered.topics)} headings and claims have a limit")

# %% [markdown] name="weakest-notes" only="instructor"
# Take three guesses before the cell `coverage-headings` runs: which heading has the weakest proof?
# The mistake here is to count checks. For one heading, ask what would have to break so that its
# check fails; wait one minute. When you are late, skip the claims.

# %% [markdown] name="coverage-weakest"
# The weakest proof is a single check of a part. *LangGraph platform* rests on one test, of a stored
# run. *Serverless deployment options* and *How to choose your deployment model* both rest on
# exercise 11.1, which checks the price alone. A reviewer asks about these first.

# %% [markdown] name="coverage-claims-text"
# The chapter ends with claims. Each is a sentence that can be false, so each has its check as well.
# Follow one link in each row, and decide whether the check would fail if the claim were false.

# %% name="coverage-claims"
Markdown(as_markdown(covered.claims, "claim"))

# %% [markdown] name="launch"
# ## Do you ship it?
#
# A review ends with a decision. Start with your own evidence: the table has a row for each item
# that has not passed, with what is missing, what closes the gap and who owns it. Without evidence
# of this version, every item is *not assessed*, and the decision is NO-GO: not knowing is never a
# pass.

# %% name="launch-own"
def show_gaps(report, whose):
    """One row for each item that has not passed."""
    rows = []
    for found in report.findings:
        if found.status != "passed":
            gaps = [str(miss) for miss in missed(found)]
            first = found.reasons[0].split("; to write")[0]
            row = {
                "item": found.item.title,
                "status": found.status,
                "gap": "\n".join(gaps) or first,
                "what closes it": found.to_do,
                "owner": found.item.owner,
            }
            rows.append(row)
    decision = "GO" if report.go else "NO-GO"
    show.table(rows, caption=f"{whose}: {decision}, not passed: {len(rows)}")

# %% name="launch-gaps"
from helpers.evaluate.checklist import missed
from helpers.evaluate.ship_check import ship_check

os.environ["COURSE_MODEL"] = model
report = ship_check()
show_gaps(report, f"Your evidence of version {report.version.digest}")

# %% [markdown] name="launch-stored-text"
# Close the gaps from the top: one run of `course eval --part heldout` serves several items.
#
# The course also comes with evidence that its own commands wrote, packed with its version and date.
# No file is missing. The next cell prints the sentences that defend the decision on it. Each one
# comes from the report, so you can check it.

# %% name="launch-stored"
from helpers.review import STORED

stored = ship_check(home=STORED)
show_gaps(stored, "Stored evidence")
version = stored.version.digest
for found in stored.findings:
    for miss in missed(found):
        print(f"Claim: version {version} is not shipped: {found.item.title} has failed.")
        print(f"Figure: {miss}.")
        print(f"At stake: {found.item.why}")
        print(f"Next: repair it, then run {found.to_do}")
        print(f"Owner: {found.item.owner}")

# %% [markdown] name="stored-notes" only="instructor"
# On a machine without evidence, the cell `launch-gaps` says *not assessed* in every row. Ask
# whether that is a bad result; wait ten seconds. The answer: it is a decision, NO-GO, with a list
# of what to do. Start no command that measures again: each takes minutes. For the stored evidence,
# let the room vote GO or NO-GO before you say that the interval contains the limit.

# %% [markdown] name="launch-luck-text"
# The brackets hold the interval. It contains the limit, so chance alone can explain the miss. But
# chance can explain a pass as well: the figure itself decides, not its interval (only the
# comparison with the last release uses an interval's end). Which figures pass although their
# interval contains the limit?

# %% name="launch-luck"
rows = []
for found in stored.findings:
    for wanted in found.item.thresholds:
        figure = found.evidence.figures.get(wanted.figure)  # a statement has no figures
        if figure is None or figure.low is None or not wanted.met(figure):
            continue
        if figure.low <= wanted.limit <= figure.high:
            row = {
                "item": found.item.title,
                "figure": wanted.figure,
                "value": figure.value,
                "interval": f"[{figure.low:.3f}, {figure.high:.3f}]",
                "wanted": wanted.wanted,
                "cases": figure.count,
            }
            rows.append(row)
show.table(rows, caption=f"{len(rows)} figures pass with the limit inside their interval")

# %% [markdown] name="launch-accept-text"
# With other cases, each of these passes might have been a miss. More cases narrow the interval (a
# limit of 0 always lies at its edge). Until you have them, name the closest one in your answer.
#
# You may want to ship in spite of the miss. But the limit was written down before the result was
# known, and a limit that moves when a figure comes close to it is no limit. There are two honest
# ways forward:
#
# 1. **NO-GO.** Fix the agent, or measure more questions, and decide again.
# 2. **GO with an accepted risk.** A person takes the risk, by name and not just by role, for a
#    limited time, and gives a reason. The report then prints the risk every time.
#
# ```bash
# course ship-check --accept functional_quality "REASON" --by NAME --until YYYY-MM-DD
# course ship-check --withdraw functional_quality
# ```
#
# **Do not accept** what harms people who were never asked. An attack that succeeds or another
# customer's data in an answer cannot be taken back, and the law may not let you decide. The command
# does not enforce this rule for security and privacy: it is yours to keep. What is *not assessed*
# cannot be accepted, because nobody knows how large that risk is.
#
# The next cell takes the second way, in a copy of the stored evidence.

# %% name="launch-accept"
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from helpers.evaluate.accept import accept
from helpers.evaluate.ship_report import as_text

folder = tempfile.TemporaryDirectory()
home = Path(folder.name) / "home"
shutil.copytree(STORED, home)
until = stored.decided.date() + timedelta(days=14)
person = "Your Name, product owner"
reason = "A pilot with 5% of the customers, while support reads every answer."
accept("functional_quality", reason, by=person, until=until, home=home)
launched = ship_check(home=home)
_, title, risks = as_text(launched).partition("Accepted risks:")
print(title + risks)

# %% name="launch-lapse"
later = launched.decided + timedelta(days=15)
lapsed = ship_check(home=home, now=later)
print(f"On {later:%Y-%m-%d}:", "GO" if lapsed.go else "NO-GO")
for found in lapsed.findings:
    if found.status == "failed":
        print(found.reasons[-1])

# %% [markdown] name="launch-decide"
# Both decisions rest on the same figures. The acceptance lapses by itself: after its last day, with
# another version, when an accepted figure gets worse, or when another threshold is missed. An
# accepted risk is a loan with a due date, and the fix pays it back.
#
# **Which one do you sign?** Write down what would change your mind: which figure, of how many
# questions, by when.

# %% [markdown] name="decide-notes" only="instructor" then="12.5" needs="How is an answer judged?; 5. What does production require, and what does it cost you?"
# Let pairs sign one of the two decisions, with a name, a date, and the figure that would change
# their mind: five minutes. The mistake here is to lower the limit by two points: ask who wrote it
# down, and when. Exercise 12.5 comes here because its part *Decision* needs this section. Its
# trade-offs come from the table of question 5.

# %% [markdown] name="measured-text"
# ## What you measured
#
# Every module's checks and quiz, as `course status` counts them. Without a `.course` of your own,
# the table is full of zeros.

# %% name="measured"
from helpers.course.status import status
from helpers.paths import ROOT

rows = []
for module in status(root=ROOT):
    row = {
        "module": module.module,
        "title": module.title,
        "exercises": len(module.exercises),
        "passed": module.checks_passed,
        "quiz questions": module.quiz_total,
        "right answers": module.quiz_right,
    }
    rows.append(row)
show.table(rows, caption="Your checks and quizzes")

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Seven questions about evidence, versions and decisions. Each choice has its own explanation.

# %% name="quiz"
from helpers.course import quiz

quiz("12")

# %% [markdown] name="production"
# **In production** the five answers are documents with an owner and a date. Renew them when the
# version changes: evidence of another version is no evidence.
#
# **Where it breaks.** The lists of what a full answer contains are this course's, not the book's.
# `review` compares figures, sources and parts. It does not know whether a sentence is true or wise.
# The figures are those of a small model, an invented shop and one machine: take the method, and
# measure your own. Nothing stops a person from editing a file of evidence.

# %% [markdown] name="keep"
# ## Keep this
#
# When you have a minute and not a page, an answer for a review has six lines:
#
# ```text
# Claim         one sentence that can be false
# Figure        its value, the interval, the number of cases
# Version       of what, measured when, by which command
# Price         what gets worse, with its own figure
# Counter-case  where the claim does not hold
# Limit         what this does not show
# ```
#
# They are the parts of the long form: *Figure* and *Version* are its part *Evidence*, where the
# citation brings the version; *Price* is question 2's *Price* and question 5's *Trade-offs*. A
# decision, as [above](#Do-you-ship-it?), keeps *Claim* and *Figure* and ends with what is at stake,
# the next step and the owner.
#
# **The pitfall:** a figure without a version and a number of cases. **In a review meeting:** the
# last line that `course ship-check` printed, and for each item that has not passed, its owner.

# %% [markdown] name="without"
# ## Without the course
#
# You need no package. Keep a table in your repository, with a row for each item of the checklist,
# and columns for owner, threshold, figure, cases, version, date and command. Keep a second one for
# accepted risks: item, figure, version, reason, name, expiry. Let your pipeline fail if a row
#
# - is empty,
# - is about another version than the one you ship,
# - is too old, or
# - misses its threshold without a valid acceptance: of this version and figure, not expired.
#
# `course new DIR` already writes the gate for one row, quality. Its `ship.py` asks your agent the
# questions of `golden.jsonl`, compares the answers with those of the released version, and exits
# with status 1 if a rule stops the new one. `python ship.py --keep` keeps the results as those of
# the released version. The project's CI runs it where it has a model.

# %% [markdown] name="links"
# ## Next
#
# - [Lab 12](../labs/12_review_questions.ipynb): write your five answers. `course review export
#   FILE.html` makes one page of them.
# - In a terminal, `course ship-check` prints the decision with its reasons, `course coverage` shows
#   where each heading of the chapter is covered, and `course review practice` asks short questions.
# - Readiness as a rubric: Breck et al., 2017, *The ML Test Score*,
#   [research.google](https://research.google/pubs/pub46555/).
# - Risks: OWASP Top 10 for LLM applications, 2025,
#   [genai.owasp.org](https://genai.owasp.org/llm-top-10/).
# - Indirect injection: Greshake et al., 2023, [arXiv:2302.12173](https://arxiv.org/abs/2302.12173).
# - MLOps: Kreuzberger et al., 2022, [arXiv:2205.02302](https://arxiv.org/abs/2205.02302). AgentOps:
#   Dong et al., 2024, [arXiv:2411.05285](https://arxiv.org/abs/2411.05285).
