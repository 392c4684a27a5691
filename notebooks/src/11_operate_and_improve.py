# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="drill-text"
# ## What do you do on a bad day?
#
# The best time to learn it is a day on which nothing is lost. A drill is such a day: the real
# service runs with customers, a Prometheus watches it, and something goes wrong that the operator
# does not know. `draw` draws what and when from a seed. Do not print it yet.

# %% name="drill-draw"
from helpers.operate.testing.drill_plan import draw

LAPSE = 120 if fast else 60  # seconds of the shop that pass in a second
shift = draw(2, minutes=90)
print(f"You are on duty from {shift.start:%H:%M}; {len(shift.requests())} questions will come.")

# %% [markdown] name="drill-ask-text"
# First the looks. Prometheus answers over HTTP: `/api/v1/query` takes PromQL, `/api/v1/alerts`
# gives what fires. The drill runs faster than the shop, so a window of five minutes is shorter too.

# %% name="drill-ask"
import httpx2

client = httpx2.Client(trust_env=False)  # it is on this machine: no proxy knows it
FIVE_MINUTES = f"{300_000 // LAPSE}ms"
ENDED = "gen_ai_client_operation_duration_seconds_count"
FAILED_SHARE = (f'sum(increase({ENDED}{{error_type!=""}}[{FIVE_MINUTES}]))'
                f" / sum(increase({ENDED}[{FIVE_MINUTES}]))")


def prometheus(url, what, **parameters):
    """The data of one answer of Prometheus' API."""
    answer = client.get(f"{url}/api/v1/{what}", params=parameters)
    return answer.raise_for_status().json()["data"]

# %% [markdown] name="drill-look-text"
# The operator looks once a minute, and keeps what was seen. An empty result means that no answer
# has failed yet: a series that was never counted has no value.

# %% name="drill-look"
def look(console):
    """The minute, the share of failed answers, and the alerts that fire."""
    result = prometheus(console.prometheus, "query", query=FAILED_SHARE)["result"]
    alerts = prometheus(console.prometheus, "alerts")["alerts"]
    firing = []
    for alert in alerts:
        if alert["state"] == "firing":
            firing.append(alert["labels"]["alertname"])
    share = float(result[0]["value"][1]) if result else 0.0
    return {"minute": console.minute, "failed share": share, "firing": ", ".join(firing)}

# %% [markdown] name="drill-decide-text"
# Then the runbook: which evidence speaks for which incident, and what ends it. It is written before
# the bad day, when there is time to think. Each line names evidence of harm. "Something was
# released lately" is not on it, because that is true on most good days.

# %% name="drill-decide"
import pandas as pd

RUNBOOK = pd.DataFrame([
    {"alert": "MostAnswersFail", "kind": "model down", "action": "switch-model"},
    {"alert": "ForeignAddress", "kind": "poisoned document", "action": "withdraw"},
    {"alert": "CanaryWrong", "kind": "bad release", "action": "rollback"},
    {"alert": "SpendingFast", "kind": "cost spike", "action": "limit"},
]).set_index("alert")
RUNBOOK

# %% [markdown] name="drill-subject-text"
# Two of the actions need to know whom they are about. The answers tell: the document that
# an answer with a foreign address rests on, and the customer with a large share of all answers.
# Where nobody has such a share, a high cost is a mailing, and the right action is none.

# %% name="drill-subject"
def subject(action, answers):
    """What an action is about; None where the answers do not bear it out."""
    frame = pd.DataFrame(answers)
    if action == "withdraw":
        lied = frame[frame["addresses"].str.len() > 0]
        return lied["document"].iloc[-1] if len(lied) else None
    if action == "limit":
        shares = frame.loc[frame["customer"] != "", "customer"].value_counts() / len(frame)
        return shares.index[0] if len(shares) and shares.iloc[0] > 0.3 else None
    return ""

# %% name="drill-evidence"
def evidence(console, firing):
    """The runbook's line for the first alert that the answers bear out, and its subject."""
    for alert in firing.split(", "):
        if alert in RUNBOOK.index:
            about = subject(RUNBOOK.loc[alert, "action"], console.answers(10))
            if about is not None:
                return RUNBOOK.loc[alert], about
    return None

# %% [markdown] name="drill-run-text"
# Now the shift. The operator notices a page, says what it is, acts, and keeps looking for ten
# minutes. It takes the machine about half a minute.
#
# What do you expect to be longest: until the alert fires, until it is diagnosed, or until the
# service is well again?

# %% name="drill-run"
from helpers.operate.testing.drill import run_drill

seen, rules = [], []


async def operator(console):
    """Look each minute; act once; then look on for ten minutes."""
    rules.extend(prometheus(console.prometheus, "rules")["groups"][0]["rules"])
    todo = None
    while todo is None and await console.wait(1):
        seen.append(look(console))
        todo = evidence(console, seen[-1]["firing"])
    if todo is not None:
        console.diagnose(todo[0]["kind"])
        console.act(todo[0]["action"], todo[1])
        for _ in range(10):
            await console.wait(1)
            seen.append(look(console))


found = run_drill(operator, shift, lapse=LAPSE)
looks = pd.DataFrame(seen)
looks[looks["firing"] != ""].head(3)

# %% [markdown] name="drill-rule-text"
# This is the rule that fires when a model is down, as Prometheus holds it. It asks for a share
# *and* for a count: at night one failed answer of two is chance. Its windows are five minutes of
# the shop.

# %% name="drill-rule"
import yaml

for rule in rules:
    if rule["name"] == "MostAnswersFail":
        print(yaml.safe_dump({"alert": rule["name"], "labels": rule["labels"]}))
        print("expr:", rule["query"])

# %% [markdown] name="drill-timeline-text"
# The drill knows what the operator did not: when it began, and when it was over. Over means
# measured: five minutes in which next to no answer was harmed, after the right action works.

# %% name="drill-timeline"
print(shift.truth)
pd.DataFrame(found.events).round(1)

# %% name="drill-plot"
from helpers.course import show

marks = {"began": shift.begins, "diagnosed": shift.begins + found.diagnosed,
         "well again": shift.begins + found.ended}
percent = 100 * looks["failed share"]
show.line(
    {"failed, last 5 minutes": (looks["minute"].tolist(), percent.tolist())},
    x="minutes of the shift",
    y="% of answers",
    title=f"Of {found.ended:.0f} minutes, {found.diagnosed:.0f} passed before anything was done",
    marks=marks,
)

# %% [markdown] name="drill-stored-text"
# Three drills of each kind come with the course, made by a script that follows this runbook. A
# script reads as fast as a machine, so a person is slower; but it waits for the alerts as you do.
# Which kind is noticed last?

# %% name="drill-stored"
from helpers.operate.testing.runbook import stored

drills = pd.DataFrame(stored())
times = ["noticed", "diagnosed", "ended", "harmed"]
medians = drills[drills["kind"] != "none"].groupby("kind")[times].median()
medians.sort_values("noticed")

# %% [markdown] name="drill-stored-why"
# A dead model harms every answer, so a few minutes are enough to see it. A bad release and a
# poisoned document harm answers about one document: the sign is a canary question, and those take
# turns. To notice these sooner, ask canaries more often; nothing that you do afterwards saves as
# much.

# %% [markdown] name="drill-runbook"
# A runbook is read by a person at night. For each page it says:
#
# | | model down |
# |---|---|
# | Page | `MostAnswersFail` |
# | Customers see | an error instead of an answer |
# | First look | which `error_type` grows; is the model's host up? |
# | Not to confuse with | one customer over a limit: only that customer fails |
# | Action, and its price | `switch-model`; tokens cost 2.7 times as much |
# | It has ended when | the share of failed answers is back below 1% for 5 minutes |
# | Afterwards | switch back, or the next page is `SpendingFast` |

# %% [markdown] name="drill-review"
# After the bad day comes a review without blame: it asks why each step seemed right, and what
# about the system made it seem so. [Google's SRE
# book](https://sre.google/sre-book/postmortem-culture/) has the classic form. What did customers
# notice? Which sign came first? What misled? What was luck? Which actions follow, who owns each,
# and how will you see that it works?

# %% [markdown] name="drill-own"
# Now you, in a terminal. A shift takes up to 12 minutes, and you do not know what will happen:
#
# ```
# course drill
# ```
#
# Pages appear as they come; `help` lists the commands. At the end you see the truth, your times
# beside the script's, and a form for runbook and review in `.course/drills`, with your timeline
# filled in.
