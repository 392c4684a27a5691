# %% [markdown] name="title" only="lab"
# # Lab 11: Operate and improve
#
# One exercise of it.

# %% [markdown] name="title" only="solution"
# # Solution of lab 11: Operate and improve
#
# One exercise of it.

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="duty-goal"
# ## 5. The gate: a drill ended within the time
#
# **Goal:** a runbook as code, which finds out what is wrong with the running service and ends it,
# without a wrong action.
#
# ```python
# async def operator(console) -> None
# ```
#
# The check runs five shifts of 90 minutes on the real service, on simulated time, so that a shift
# takes a second or two. In four of them one of the incidents of the table begins at a moment that
# you do not know. In the fifth nothing is wrong. Documents, customers and hours are not those of
# this lab.

# %% [markdown] name="duty-runbook"
# | `diagnose` | what happens | `act` |
# |---|---|---|
# | `"model down"` | calls to the model fail, three quarters of them or more | `"switch-model"` |
# | `"bad release"` | answers from one document have wrong numbers since a release | `"rollback"` |
# | `"cost spike"` | one customer asks the same 6 to 8 times a minute | `"limit"`, customer |
# | `"poisoned document"` | one document's answers name a foreign site | `"withdraw"`, document |
#
# An action takes up to two minutes until it works. `switch-model` nearly triples the price.

# %% [markdown] name="duty-console"
# `console` shows what customers and canary questions got, and takes your actions. Minutes are the
# shop's, counted from the beginning of the shift.
#
# - `console.minute`, `console.left`: floats, the present minute and how many are left.
# - `console.pages()`: a list of alerts that fire. Each has `alert` (one of `"MostAnswersFail"`,
#   `"CanaryWrong"`, `"ForeignAddress"`, `"SpendingFast"`, `"OverLimit"`), `summary`, `severity` and
#   `minute`. An alert looks back 5 to 30 minutes, so it still fires after the end of its cause.
# - `console.figures(minutes=10)`: a dict of numbers: `answers`, `failed`, `canaries`,
#   `canaries_wrong`, `foreign` (answers with a foreign address), `usd`.

# %% [markdown] name="duty-console-more"
# - `console.answers(minutes=10)`: a list of dicts, oldest first: `minute`, `customer` (`""` for a
#   visitor or a canary), `question`, `answer`, `document` (`""` for none), `failed` (`""`, or the
#   kind of problem), `addresses` (foreign ones), `canary` (`""`, `"right"`, `"wrong"`, `"failed"`).
# - `console.changes()`: releases and edits so far, each with `minute`, `what` and `about`.
# - `console.diagnose(kind)`, `console.act(action, about="")`: return nothing, and take effect for
#   the whole shift. `DrillError` for a word that is not known.
# - `await console.wait(minutes=1)`: lets time pass; False when the shift has ended.

# %% [markdown] name="duty-rules"
# Rules:
#
# - **Diagnosed:** `diagnose` is called with the right kind, and never with a wrong one.
# - **No wrong action:** every `act` is the right one. Repeating it does no harm.
# - **In time:** at most 30 minutes after the incident began, the service is well again: the action
#   works, and then five minutes have passed without harm. The check measures this. Your function
#   may return once it has acted.
# - **A quiet shift:** no diagnosis and no action until the shift has ended. Pages may fire: a
#   mailing makes many customers ask at once. Do not return before the end, since an incident
#   may begin at any minute.
# - Changes that do no harm happen in every shift, also shortly before and after an incident.
#
# For instance, if the only page is `SpendingFast` and 60 of 80 answers went to customer C-0042, the
# right calls are `diagnose("cost spike")` and `act("limit", "C-0042")`. If they went to forty
# customers, none is.

# %% exercise="11.5"
from collections import Counter


async def operator(console) -> None:
    """Watch the service until the shift ends, and end the incident if there is one."""
    # LAB: return TODO
    # BEGIN SOLUTION
    while await console.wait(1):
        fired = {page.alert for page in console.pages()}
        answers = console.answers(10)

        if "MostAnswersFail" in fired:
            console.diagnose("model down")
            return console.act("switch-model")

        lied = [one["document"] for one in answers if one["addresses"]]
        if "ForeignAddress" in fired and lied:
            console.diagnose("poisoned document")
            return console.act("withdraw", lied[-1])

        if "CanaryWrong" in fired:
            console.diagnose("bad release")
            return console.act("rollback")

        customers = Counter(one["customer"] for one in answers if one["customer"])
        if "SpendingFast" in fired and customers:
            [(customer, times)] = customers.most_common(1)
            if times > 0.3 * len(answers):
                console.diagnose("cost spike")
                return console.act("limit", customer)
    # END SOLUTION

# %%
check("11.5", operator)

# %% [markdown] name="duty-why" only="solution"
# Each branch rests on evidence about harm: failed answers, a foreign address, a wrong canary, one
# customer's share of the answers. `changes()` is not used: every shift has releases and edits, and
# "something was released shortly before" is true on most good days too.
#
# The order matters little here, because one thing goes wrong at a time. What matters is the last
# condition. Cost rises on a good day too, and without the customer's share a mailing ends in a
# limit on the customer who asked first.

# %% [markdown] name="duty-use-text"
# How fast is it on a shift of the lab, and what does it do when nothing is wrong?

# %% name="duty-use"
from helpers.operate.testing.drill import run_drill
from helpers.operate.testing.drill_plan import draw

if ready("11.5"):
    rows = []
    for kind in ("model down", "cost spike", "none"):
        found = run_drill(operator, draw(7, kind, minutes=90))
        rows.append(
            {
                "incident": kind,
                "diagnosed after": found.diagnosed,
                "ended after": found.ended,
                "harmed answers": found.harmed,
                "wrong actions": len(found.wrong_actions),
            }
        )
    show.table(rows, caption="Minutes of the shop", digits=1)
    measured.append(
        {
            "exercise": "5: minutes until a dead model was replaced",
            "before": None,
            "after": rows[0]["ended after"],
        }
    )
