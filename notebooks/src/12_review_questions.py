# %% [markdown] name="title"
# # 12 Review questions
#
# After this page you can answer the five review questions of the chapter "Production-Ready LLM
# Deployment and Observability" with evidence of your own, and say what each answer rests on.
#
# **30 minutes (the machine works for less than one). Level: any. Before it: modules 01 to 11.** No
# model runs here.
#
# This module is a page for now. Its lab and its quiz are still to come.

# %% [markdown] name="picture"
# A claim about a system is worth as much as the measurement behind it. In this course a command
# measures one version of the agent and writes a file of evidence. `course ship-check` reads these
# files, and so do the cells of this page.
#
# ```mermaid
# flowchart LR
#     quality["02 course eval"] --> files[(".course/evidence")]
#     attacks["03 course attack"] --> files
#     actions["04 course policies"] --> files
#     load["05 course serve-check"] --> files
#     traces["09 course trace-check"] --> files
#     cost["10 course cost"] --> files
#     person([a person's statement]) --> files
#     files --> check{"course ship-check"} --> answers["your five answers"]
#     labs["your labs' checks"] --> answers
# ```

# %% [markdown] name="how-text"
# ## How do you use this page?
#
# 1. Read a question and answer it aloud, in two minutes, before you read on.
# 2. Compare your answer with the list of what a full answer contains.
# 3. Follow the links to what you left out: each leads to the section that measured it. If
#    JupyterLab opens a notebook at its top, click the link once more.
# 4. Run the cell below the links. It shows your own evidence. If there is none, it names the
#    command that writes it. `course policies` takes seconds; the other commands take minutes.

# %% [markdown] name="parameters-text"
# The usual two settings. This page needs neither: it reads files and asks no model.

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="report-text"
# `ship_check` decides each item of the checklist from the files in `.course/evidence`. It accepts
# only evidence of the agent as it is now. The agent's version is a digest of prompt, tools,
# documents, model and code.

# %% name="report"
from helpers.course import show
from helpers.evaluate.ship_check import ship_check

os.environ["COURSE_MODEL"] = model
report = ship_check()
print(f"The agent in your copy of the course is version {report.version.digest}.")

# %% [markdown] name="evidence-text"
# This function shows what the evidence says about some of the items.

# %% name="evidence"
findings = {}
for found in report.findings:
    findings[found.item.name] = found


def show_evidence(*items):
    """One row for each item: its status, and the figures or the gap behind it."""
    rows, passed = [], 0
    for name in items:
        found = findings[name]
        passed += found.status == "passed"
        row = {
            "item": found.item.title,
            "status": found.status,
            "evidence": "\n".join(found.reasons),
        }
        rows.append(row)
    show.table(rows, caption=f"{passed} of {len(items)} passed")

# %% [markdown] name="release"
# ## 1. What do you check before release, and why?
#
# **The question.** The agent works on your laptop, and the team wants to ship it. Which checks have
# to pass first, and what would go wrong without each of them?

# %% [markdown] name="release-full"
# **A full answer contains:**
#
# - **More than quality.** The list also has regression, security, privacy, load, latency, cost,
#   failure modes, rollback, monitoring, documentation and ownership.
# - **A reason for each item**: the kind of incident that it would have caught.
# - **An owner and a threshold**, both written down before the result is known.
# - **What counts as evidence**: a measurement of this very version, recent, on enough cases.
#   Anything less is *not assessed*, and that is a no-go.
# - **Why the figures can be trusted**: questions that nobody tuned on, an interval, and a
#   comparison with the last release, question by question and for each kind of question.
# - **What no command can measure**, such as who answers the phone: a person signs a dated
#   statement.

# %% [markdown] name="release-links"
# **Where you measured it:**
#
# - [What belongs on a checklist?][list] has the items, and what missing evidence means.
# - [What makes a golden set?][golden] and [How many questions are needed?][count] say which
#   questions, and how many.
# - [What does the average hide?][slices] and [What should a gate let through?][gate] compare two
#   versions and decide by a rule.
# - [Lab 02, exercise 6][lab] is your own gate.
#
# - [How is a new version rolled out without losing a request?][release] has what a release costs
#   your users, and what happens with a version that does not start.
# - [Do the rules find an incident?][rules] has what finds a bad release within minutes.
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

# %% name="release-evidence"
show_evidence(*findings)

# %% [markdown] name="risks"
# ## 2. Which security risks are there, and what reduces them?
#
# **The question.** The agent reads text that strangers wrote, and it can act. What can go wrong,
# and which control limits the damage?

# %% [markdown] name="risks-full"
# **A full answer contains:**
#
# - **The whole list, not one favourite risk.** Go through a list such as OWASP's Top 10 for LLM
#   applications, and say for each risk where your application is exposed.
# - **The damage**: what the agent can read, what it can do, and who can write what it reads.
# - **Controls outside the model**, in code that no text can persuade: few rights, identity from the
#   login, lists of what is allowed, caps, approval by a person.
# - **A test for each control**, and its price in honest requests that it loses.
# - **What remains**: the attacks that none of this stops.

# %% [markdown] name="risks-links"
# **Where you measured it:** [What else can go wrong?][map] has OWASP's whole list with a control
# and a test for each risk. The main ones:
#
# | risk | what reduces it | measured in |
# |---|---|---|
# | a prompt or a secret leaks | no secret in it, an output filter | [03][controls] |
# | the agent acts for an attacker | rules for arguments, approval | [04][policies] |
# | another customer's data appears | identity from the login | [04][orders] |
# | a tool reaches internal servers | judge the resolved address | [04][service] |
# | text becomes SQL or HTML | bound values, cleaned output | [04][service] |
# | one caller uses up the service | caps on size and rate, a gate | [05][size] |
# | one caller uses up the money | a budget, reserved before each answer | [10][spender] |
# | a cache serves another customer's answer | the customer in its key | [10][cache] |
# | personal data stays in traces | redact before anything leaves | [09][redact] |
# | a model file is replaced | compare digests before use | [00][machine] |
# | someone takes over the process | no rights, no token, few ways out | [07][hijacked] |
# | answers are invented, and nobody reports it | detectors, counted over a day | [08][invented] |
# | some people are served worse | pairs, with a control group | [08][alike] |
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

# %% name="risks-evidence"
show_evidence("security", "privacy", "load", "failure_modes")

# %% [markdown] name="injection"
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

# %% [markdown] name="injection-full"
# **A full answer contains:**
#
# - **The cause**: a model reads instructions and data as one text. Nothing in it reliably tells one
#   from the other.
# - **Two ways in**: *direct*, in the message, and *indirect*, in a page, a note or a tool's result.
# - **Two ways out**: an answer that reveals something, and a call that does something.
# - **What only changes the odds**: a stricter prompt, marks around data, a screen for suspicious
#   text.
# - **What cuts the path**: keep the secret out of the prompt; check the answer before it leaves;
#   let code decide each call by where its arguments come from; ask a person where code cannot
#   decide.
# - **A measurement**: a canary, success in one try and in several, attacks by other authors and by
#   people who know the control, and the honest requests that are lost.
# - **What remains**: a planted falsehood gives no instruction, and no control here sees it.

# %% [markdown] name="injection-links"
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

# %% [markdown] name="injection-labs"
# Here your evidence is also your own code. These are the exercises of labs 03 and 04, as their
# checks judged them.

# %% name="injection-evidence"
from helpers.course.status import status
from helpers.paths import ROOT

modules = status(root=ROOT)
rows = []
for module in modules:
    if module.module in ("03", "04"):
        for exercise in module.exercises:
            row = {
                "exercise": exercise.id,
                "title": exercise.title,
                "status": exercise.status,
                "tries": exercise.tries,
            }
            rows.append(row)
show.table(rows, caption="Your controls")

# %% [markdown] name="name"
# ## 4. What do you call the work of running such a system?
#
# **The question.** Software has DevOps. Which name fits the work of running an application on top
# of a language model, and what does that work consist of?

# %% [markdown] name="name-terms"
# | name | what is operated | typical concerns |
# |---|---|---|
# | MLOps | a model that you train | data, training, registry of models, drift |
# | FMOps | any foundation model | choosing and adapting what others trained |
# | LLMOps | an application on a language model | prompts, retrieval, free text, price of a token |
# | GenAIOps | the same, and images, sound, video | as for LLMOps |
# | AgentOps | an agent that chooses its steps and acts | tools, trajectories, permissions |
# | AIOps | **something else**: IT operations, helped by AI | alerts, causes of incidents |

# %% [markdown] name="name-full"
# **A full answer contains:**
#
# - **One name, its scope and a reason.** For instance: LLMOps for all of Fernhill's support agent,
#   and AgentOps for the part that concerns its tools.
# - **What stays the same**: versions, tests before release, monitoring, a way back. These come from
#   DevOps and MLOps.
# - **What is new**: you did not train the model, and its provider may change it under the same
#   name. A version is prompt, tools, documents, model and code together. Quality is a rate with an
#   interval. Text can attack. Every question has a price.
# - **That the names overlap.** There is no standard. [AWS][fmops] counts LLMOps as a part of FMOps,
#   [Microsoft][genaiops] says GenAIOps and adds that others call it LLMOps, [Google Cloud][google]
#   extends DevOps and MLOps without a new name, and AgentOps is also the name of a product.
# - **The tasks, which matter more than the name**: evaluate, release, observe, learn, repeat.
#
# [fmops]: https://aws.amazon.com/blogs/machine-learning/fmops-llmops-operationalize-generative-ai-and-differences-with-mlops/
# [google]: https://docs.cloud.google.com/architecture/deploy-operate-generative-ai-applications
# [genaiops]: https://learn.microsoft.com/azure/architecture/ai-ml/guide/genaiops-for-mlops

# %% [markdown] name="name-links"
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

# %% name="name-evidence"
show_evidence("monitoring", "rollback", "documentation", "ownership")

# %% [markdown] name="demands"
# ## 5. What does production require, and what does it cost you?
#
# **The question.** Name the requirements of a service in production, put a number on each, and say
# which of them conflict.

# %% [markdown] name="demands-full"
# **A full answer contains:**
#
# - **Requirements with numbers**: right answers, refusals, the 95th percentile of the wait,
#   requests lost under load, cost of a right answer, attack success, share of requests traced.
# - **Trade-offs with a figure on each side**, measured on the same version.
# - **The whole cost of a right answer**: tokens, the people who take over, and wrong answers. A
#   saving counts only if the sum falls.
# - **The average and the tail.** A few requests can take a large part of the time or the money.
# - **How it is deployed**: on your own server, on Kubernetes, on a managed platform or serverless,
#   and what you give up with each choice.
# - **Who decides**, and which figure would change the decision.

# %% [markdown] name="demands-links"
# **Where you measured it:**
#
# | you want | you pay with | measured in |
# |---|---|---|
# | fewer invented answers | refusals of what it could answer | [01][agent] |
# | certainty about quality | more questions, more labels | [02][count] |
# | safe answers | honest answers that are lost | [03][controls] |
# | safe actions | tasks undone, questions to a person | [04][fatigue] |
# | a filter on the answer | words that arrive later | [lab 03, exercise 4][filter] |
# | a short wait under load | callers who are refused | [05][burst] |
# | a second worker | limits and memory to be shared | [05][front] |
# | replicas that survive a death or a release | processes, a home for the memory | [06][breaks] |
# | capacity that follows the load | seconds until a replica is ready | [06][grows] |
# | a release that nobody notices | one pod more, seconds for each old one | [07][roll] |
# | an autoscaler that is never late | pods that wait for the peak | [07][day] |
# | nobody woken for nothing | minutes until an incident is found | [08][alarms] |
# | any control of a service | latency, cost, refusals | [05][trade] |
# | a friendlier prompt | more tokens in each request | [09][prompts] |
# | a trace of every request | storage, and personal data in it | [09][redact] |
# | fewer tokens read | facts that a larger model would have used | [10][context] |
# | fewer tokens written | answers that are cut off | [10][output] |
# | answers from a cache | old answers, the same words with another meaning | [10][cache] |
# | no model where a sentence answers | thresholds to choose again, no joined facts | [10][tiers] |
# | fewer wrong answers | people who take over | [10][tiers] |
# | a bill with a limit | customers who get a person once the money is spent | [10][spender] |
# | a price that does not grow with traffic | a machine that costs money at night | [10][volume] |
# | no idle machine | a cold start for the first customer after a quiet hour | [11][deploy] |
# | more customers on one model server | a longer wait for each | [11][serving] |
# | tools of other teams | a server whose words may change | [11][mcp] |
# | a change that you know helps | a week in which most customers wait for it | [11][loop] |
# | an incident that ends soon | people who drill, and a runbook kept up to date | [11][bad-day] |
#
# Which variant is cheapest, people and mistakes included, and what each saving costs in latency,
# quality, freshness and safety: [Which variant would you choose?][choose] Its table is the answer
# to this question for cost; `course cost` repeats it on questions on which nothing was tuned.
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

# %% name="demands-evidence"
show_evidence("functional_quality", "latency", "cost", "load", "rollout")

# %% [markdown] name="measured-text"
# ## What you measured
#
# The first table shows how far your own evidence goes: every module's checks and quiz, as `course
# status` counts them. The cell after it prints the decision of `course ship-check`.

# %% name="measured"
rows = []
for module in modules:
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

# %% name="sentence"
passed = 0
for found in report.findings:
    if found.status == "passed":
        passed += 1
decision = "go" if report.go else "no-go"
print(f"Version {report.version.digest}: {passed} of {len(findings)} items on our checklist")
print(f"have passed on evidence of this version. That is a {decision}.")

# %% [markdown] name="production"
# **In production** the five answers are documents with an owner and a date. Renew them when the
# version changes: evidence of another version is no evidence.
#
# **Where it breaks.** The lists of what a full answer contains are this course's, not the book's.
# The figures are those of a small model, an invented shop and one machine: take the method, and
# measure your own figures. A file of evidence does not stop a person who edits it.

# %% [markdown] name="keep"
# ## Keep this
#
# An answer for a review has five lines:
#
# ```text
# Claim      one sentence that can be false
# Figure     its value, the interval, the number of cases
# Version    of what, measured when, by which command
# Price      what gets worse, with its own figure
# Limit      what this does not show
# ```
#
# **The pitfall:** a figure without a version and a number of cases. **In a review meeting:** the
# two lines that the last cell printed, and the command that fills the first gap.

# %% [markdown] name="without"
# ## Without the course
#
# You need no package. Keep a table in your repository, with a row for each item of question 1, and
# columns for owner, threshold, figure, version, date and command. Let your pipeline fail if a row
# is empty or older than your release.

# %% [markdown] name="links"
# ## Next
#
# - In a terminal: `course ship-check` prints the evidence with its reasons, `course status` your
#   checks and quizzes.
# - Readiness as a rubric: Breck et al., 2017, *The ML Test Score*,
#   [research.google](https://research.google/pubs/pub46555/).
# - Risks: OWASP Top 10 for LLM applications, 2025,
#   [genai.owasp.org](https://genai.owasp.org/llm-top-10/).
# - Indirect injection: Greshake et al., 2023, [arXiv:2302.12173](https://arxiv.org/abs/2302.12173).
# - MLOps: Kreuzberger et al., 2022, [arXiv:2205.02302](https://arxiv.org/abs/2205.02302). AgentOps:
#   Dong et al., 2024, [arXiv:2411.05285](https://arxiv.org/abs/2411.05285).
