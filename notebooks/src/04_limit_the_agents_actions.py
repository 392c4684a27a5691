# %% [markdown] name="title"
# # 04 Limit the agent's actions
#
# After this notebook you can say what a hijacked agent can still do, decide each of its calls by
# where the arguments come from, and keep the service around it from being abused.
#
# **60 to 75 minutes. Level: Python; modules 01 and 03.** Module 03 worked on what goes in and comes
# out. Here you assume that it failed: the model does what an attacker says.
#
# ```mermaid
# flowchart LR
#     user([user's request]) --> model["model<br>(taken over)"]
#     page([poisoned page]) --> model
#     model -- call --> policy{"policy: where does<br>each value come from?"}
#     policy -- allowed --> tool[tool]
#     policy -- refused, with a reason --> model
#     policy -. asks .-> person([person])
#     tool --> guard["guards: URL, SQL,<br>HTML, length"] --> world([world])
#     tool -- result, as facts --> policy
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="imports"
import re
import tempfile
from asyncio import gather
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx
import numpy as np

from helpers.agent import build_agent
from helpers.course import quiz, run_async, show
from helpers.course.exercises import m04_network as net
from helpers.course.exercises import m04_service as service
from helpers.evaluate import Proportion
from helpers.models import chat_model
from helpers.security import policy, rows
from helpers.security.controls import LimitInput, has_signs
from helpers.security.controls.fetching import fetch
from helpers.security.controls.markup import render_markdown
from helpers.security.controls.urls import UrlGuard
from helpers.security.policy import BANKING, Call, Provenance
from helpers.shop.traffic import day

os.environ["COURSE_MODEL"] = model

# %% [markdown] name="text-text"
# ## 1. Why are text controls not enough?
#
# A screen looks at words. Below are the orders of two sets of attacks: those of AgentDojo, a public
# benchmark (Debenedetti et al., 2024), in its suites *banking* and *slack*, and fourteen of this
# course's own, which are polite and short. How many do you expect the screen of module 03 to see?
#
# And a control that stops almost everything is asked often. On the course's day of traffic many
# requests are about returns, and all of them read the same page. Suppose it is poisoned, and one
# reading in a thousand, in two hundred, in twenty goes wrong: how likely is a bad conversation by
# the evening?

# %% name="screen"
SUITES = ("banking", "slack")
orders = {"AgentDojo": [a.order for name in SUITES for a in policy.suite_attacks(name)],
          "of this course": [a.order for name in SUITES for a in policy.ADAPTIVE[name]]}
show.table(rows.of_seen(orders, has_signs), caption="What a screen sees in plain orders")
readings = np.arange(1, 301)
asked = Counter(request.intent for request in day())["return_window"]
chances = {f"{rate:.1%} a reading": (readings, 100 * (1 - (1 - rate) ** readings))
           for rate in (0.001, 0.005, 0.05)}
middle = chances["0.5% a reading"][1][asked - 1]
show.line(chances, title=f"A page read {asked} times a day, at 0.5%: bad on {middle:.0f}% of days",
          x="readings of the poisoned page", y="at least one bad (%)", marks={"one day": asked})

# %% [markdown] name="compromise-text"
# ## 2. What does a hijacked agent do?
#
# So assume the worst: an agent that obeys every order which it reads. No model is needed to play
# it. It makes the calls that solve the user's task and, after each result that holds an order,
# carries that out as well. Whatever then happens to the world, the *policy* alone has allowed: the
# code that decides each call before it is made. Here is one task without any policy.

# %% name="compromise"
attack = policy.suite_attacks("banking")[0]
print("The user asks:", policy.load_suite("banking").user_tasks["user_task_0"].PROMPT)
show.table(rows.of_calls("banking", "user_task_0", attack), caption="The calls, without a policy")

# %% [markdown] name="policies-text"
# ## 3. Which policy stops what, and at which price?
#
# - *Read-only*; whether fetching a web page is a read makes two rows of it.
# - *Taint lock*: no action once any text was read.
# - *Argument grounding*: after reading, every argument must stand in the request.
# - *Allow-list*: the tools are fixed before anything is read, by a planner that never errs.
# - *Human approval*, by a person who never errs. The questions asked are counted.
# - *Provenance*: each argument declares which origins it accepts. Section 4 takes it apart.
#
# A task is *strictly* done when none of its own calls was blocked; it counts among those that need
# an action. Which rows would you ship?

# %% name="policies"
tables = {name: policy.policy_table(name) for name in SUITES}
attacks = rows.over_suites(tables, "attack_success")
done = rows.over_suites(tables, "strict_utility_acting")
compared = rows.of_policies(tables)
show.table(compared, caption="Banking and slack, an agent that obeys every order")
alone = [row["policy"] for row in compared if not row["questions"]]
best = max(alone, key=lambda name: done[name].rate - attacks[name].rate)
show.intervals({"attacks that succeed": attacks, "tasks strictly done": done},
               title=f"The best balance without a person: {best}", x="attacks, and tasks")

# %% [markdown] name="facts-text"
# ## 4. How does provenance decide?
#
# Every value that a tool returns becomes a *fact* with an *origin*: your request, a record that you
# named, your own records as structured fields, or text that anybody may have written. The user asks
# to pay a bill. Two tools have been called; the declarations of `BANKING` say what their results
# are. Ann was paid before, Bob has sent a penny, and an account stands in the file.

# %% name="facts"
@dataclass
class Transaction:
    recipient: str
    sender: str
    amount: float
    subject: str

ANN, BOB, MALLORY = (f"GB1{n}SHOP0000000000000{n}" for n in (1, 2, 3))
request = "Please pay the bill in bill.txt."
paid = [Transaction(ANN, "me", 20.0, "Thanks"), Transaction("me", BOB, 0.01, "Hello!")]
facts = BANKING["get_most_recent_transactions"].facts("transactions", {}, paid, request)
bill = BANKING["read_file"].facts(
    "file", {"file_path": "bill.txt"}, f"Total 98.70 to {MALLORY}.", request)
facts = facts.and_also(bill.known)
show.table(rows.of_facts(facts), caption="What the policy knows")

# %% [markdown] name="verdicts-text"
# An argument's declaration names the origins and kinds that it accepts: here the recipient's, from
# your request or from those whom you have paid before. A sender is no payee, since anybody can send
# you a penny. For each call, guess the verdict first.

# %% name="verdicts"
calls = [Call("close_account"), *(Call("send_money", {"recipient": who, "amount": amount}) for
         who, amount in [(ANN, 20.0), (BOB, 20.0), (MALLORY, 98.7), (ANN, 9000.0)])]
show.table(rows.of_verdicts(Provenance(BANKING), calls, request, facts),
           caption=f"recipient accepts: {BANKING['send_money'].arguments['recipient']}")

# %% [markdown] name="heldout-text"
# Look at two of them again. The bill itself: naming a file does not make its author you, so that
# takes a person. And the last sum: is there a limit to what a known payee may be sent? Section 6
# comes back to it.
#
# ## 5. Does it hold where it was not tuned?
#
# The rules were tuned on banking and slack. The tools of *workspace* and *travel* were declared
# from their docstrings, before anybody measured. In travel the attacker's orders often choose among
# the catalogue's own hotels: what can a rule about origins do there?
#
# A model does not say where it has a value from, so the origin is found by comparing, which can go
# wrong in both directions: the second table counts. Not every match is an error: a colleague is a
# colleague, whoever names her, and that is what section 6 lives on.

# %% name="heldout"
few = [f"user_task_{number}" for number in range(0, 40, 5)] if fast else None
show.table(rows.of_held_out(few), caption="Provenance where it was not tuned")
show.table(rows.of_matching(SUITES), caption="Values of checked arguments, banking and slack")

# %% [markdown] name="adaptive-text"
# ## 6. What does somebody do who knows your policy?
#
# Brings no account of his own, but has the rent raised to 9000. The fourteen orders of section 1
# use only values that the policy trusts. The table shows what lowers them: a tool only when the
# request has a word for it; a planner first; sums that somebody has stated; a person for other
# sums. And it shows what each costs. Before you run it: what becomes of the low figure above?

# %% name="adaptive"
stacked = {name: policy.adaptive_table(name) for name in SUITES}
show.table(rows.of_suites(stacked), caption="Attacks that use trusted values only")

# %% name="adaptive-plot"
adaptive = {name: result.attack_success for name, result in stacked["banking"].items()}
known = tables["banking"]["provenance"].attack_success
show.intervals(adaptive, title=f"Provenance lets {known.rate:.0%} of AgentDojo's attacks on banking"
               f" through, {adaptive['provenance'].rate:.0%} of these",
               x="adaptive attacks that succeed")

# %% [markdown] name="fatigue-text"
# A low figure on somebody else's attacks is no safety. Report both.
#
# ## 7. How often does each policy ask a person?
#
# A perfect person stops everything. But how many questions is that on Fernhill's day of traffic?
# For provenance, each request for a refund is decided for real, before anything else was read: a
# person is needed where the customer does not write the order's number, and in this traffic they
# are used to writing it. Thirty seconds a question is our assumption.

# %% name="questions"
asks = service.questions_a_day()
show.bars({name: count * 30 / 3600 for name, count in asks.items()},
          title="Questions a day: " + ", ".join(f"{n:,}" for n in asks.values()),
          x="a person's work (hours a day)")

# %% [markdown] name="careless-text"
# Somebody who is asked all day says yes by habit. Let the person agree to some share of the
# attacker's calls without reading. The agent asks again and again, as a hijacked one would. In the
# second line code refuses first what it can, and the person is asked about the rest. What does
# carelessness cost in each? These are AgentDojo's attacks; on those of section 6 code helps less.

# %% name="careless"
unread = (0, 0.02, 0.05, 0.1, 0.2)
before = {"a person alone": [], "provenance first": [Provenance(BANKING)]}
lines = {name: [100 * service.careless_approval(share, *first).rate for share in unread]
         for name, first in before.items()}
show.line({name: ([100 * share for share in unread], ys) for name, ys in lines.items()},
          title=f"At 5% unread: {lines['a person alone'][2]:.0f}% of attacks, "
          f"{lines['provenance first'][2]:.0f}% with provenance first",
          x="questions answered unread (%)", y="attacks that succeed (%)")

# %% [markdown] name="fernhill-text"
# ## 8. Does it work around the real agent?
#
# The same policy is a LangChain middleware: it keeps request and facts in state fields of its own,
# so that trimming the history loses nothing. Below a hijacked model reaches for orders of other
# customers through Fernhill's real tools, by lookup and by refund; half of the time the customer is
# the attacker and names the order. Which of the two layers, policy or tool, stops which half?

# %% name="fernhill"
privacy = policy.measure_privacy(pairs=10 if fast else 60)
show.table(rows.of_privacy(privacy), caption="A hijacked agent behind the policy")

# %% [markdown] name="length-text"
# ## 9. What can be done to the service itself?
#
# **Length.** Reading costs before the first word is written, and an attacker pastes for free. So
# tokens are capped before the model is asked, by an estimate that needs no model. How does time
# grow with the message, and what does the cap cost?

# %% name="length"
def timed(call, *given):
    """Seconds of a call, and what it returned."""
    begin = perf_counter()
    said = call(*given)
    return perf_counter() - begin, said

llm, took = chat_model(max_tokens=1), []
for count in (20, 100, 200) if fast else (20, 200, 1000):
    seconds, reply = timed(llm.invoke, "parcel " * count)
    took.append({"words": count, "tokens read": reply.usage_metadata["input_tokens"],
                 "seconds": seconds})
show.table(took, caption="Reading alone: the model writes one token")

# %% name="limit"
limited = build_agent(middleware=[LimitInput()])
bomb = {"messages": [("user", "parcel " * 50_000)]}
seconds, state = timed(limited.invoke, bomb, {"configurable": {"thread_id": "bomb"}})
print(f"50,000 words, {seconds:.2f} seconds: {state['messages'][-1].text}")

# %% [markdown] name="forgery-text"
# **Request forgery.** A tool that fetches URLs does so from inside your network, where a server may
# hand its keys to whoever asks. Here seventeen URLs that no tool may fetch, and three guards: a
# list of forbidden words; the course's `UrlGuard`, which resolves the name and judges every
# address; the same with a list of allowed hosts. Which of the seventeen needs the last?

# %% name="forgery"
WORDS = re.compile(r"localhost|127\.0\.0\.1|//10\.|//192\.168\.|169\.254\.|\[::1\]")
with net.network() as sites:
    guards = {"forbidden words": lambda url: bool(WORDS.search(url)),
              "resolved address": sites.guard().refuses,
              "and allowed hosts": sites.guard(net.DOCS, net.SHOP).refuses}
    judged = rows.of_refusals([*net.HOSTILE, f"https://{net.DOCS}/care"], guards)
stopped = {name: Proportion.of(row[name] for row in judged[:-1]) for name in guards}
show.table(judged, caption="Refused (the last one is honest): " + ", ".join(
    f"{name} {rate.successes} of {rate.total}" for name, rate in stopped.items()))

# %% [markdown] name="rebinding-text"
# And now for real, against a server that is running on this machine. First a client without any
# guard; then one that checks the name and afterwards fetches by name, while the name changes its
# address in between (*DNS rebinding*); then one that connects to the address which was judged.

# %% name="rebinding"
async def clients(sites):
    inside = f"http://127.0.0.1:{sites.inside_port}/keys"
    guard = UrlGuard(hosts=None, schemes=["http"], ports=[sites.inside_port])
    target = sites.guard().check(f"https://{net.REBINDING}/care")
    return {"no guard": httpx.get(inside).text,
            "guard": (await gather(fetch(inside, guard), return_exceptions=True))[0],
            "checked, then fetched by name": (await sites.get_by_name(str(target.url))).body,
            "connected to what was checked": (await sites.get(target)).body}

with net.network() as sites:
    for client, got in run_async(clients(sites)).items():
        print(f"{client:30} {got}")

# %% [markdown] name="sql-text"
# **SQL.** A customer asks for their orders of some status, and the status is text from outside. How
# much of *others* does each status bring home: glued into
# `SELECT id, status FROM orders WHERE status = '...'`; passed as a parameter; glued, but on a
# connection whose authorizer knows only the customer's own views?

# %% name="sql"
statuses = ["delivered", "x' OR '1'='1", "x' UNION SELECT email, name FROM customers --"]
shop = Path(tempfile.mkdtemp()) / "shop.sqlite"
show.table([{"status": status} | service.others_that_came_back(shop, "C-0042", status)
            for status in statuses], caption="Things that came back and belong to others")

# %% [markdown] name="html-text"
# Look at the first row as well: what does an honest status bring home, when nobody has thought of
# whose orders they are? The first version of this authorizer fell to a subquery that was *named*
# like a view; trying found it, and the tables now belong to views with random names.
#
# **Output.** The answer is shown in a browser. An image is fetched without a click, with whatever
# its address carries. What would a browser do with these answers, as they are and cleaned?

# %% name="html"
cleaned = [render_markdown(answer, hosts={"fernhill.example"}) for answer in service.ANSWERS]
show.table(service.of_answers(cleaned), caption="In a browser")

# %% [markdown] name="measured-text"
# ## What you measured
#
# The figures to take with you. The second and the third belong together: neither alone is honest.

# %% name="measured"
figures = {"no policy, AgentDojo's attacks": attacks["none"],
           "provenance, AgentDojo's attacks": attacks["provenance"],
           "provenance, adaptive attacks on banking": adaptive["provenance"],
           "provenance, tasks strictly done": done["provenance"],
           "orders of others reached at Fernhill": privacy.disclosed,
           "hostile URLs stopped": stopped["and allowed hosts"]}
show.table([{"figure": name, "rate, 95% interval, counts": str(rate)}
            for name, rate in figures.items()], caption="Module 04")

# %% [markdown] name="production"
# **In production** declarations live beside the tools and are reviewed like code; every refusal is
# logged with its reason, and a rise of refusals is an alarm. Approval is LangChain's
# `HumanInTheLoopMiddleware`, for what code cannot decide. Databases enforce ownership by their own
# rights, egress goes through a proxy with a list of hosts, and limits on money stand in the payment
# service, outside the agent. `course policies` prints the tables of sections 3 to 6.
#
# **Where it breaks.** Origins are found by comparing, not by tracking data as CaMeL does
# (Debenedetti et al., 2025): a value that happens to stand in the request passes. Words are checked
# for addresses only, so a false sentence goes through. Whoever controls a trusted record, or uses
# trusted values, is not stopped here. The planner and the person of the tables never err; yours
# will.
#
# ## Quiz
#
# Eight questions on what you have just measured.

# %% name="quiz"
quiz("04")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/04_limit_the_agents_actions.ipynb](../labs/04_limit_the_agents_actions.ipynb),
#   five exercises.
# - AgentDojo: Debenedetti et al., 2024, [arXiv:2406.13352](https://arxiv.org/abs/2406.13352).
# - CaMeL, *Defeating prompt injections by design*: Debenedetti et al., 2025,
#   [arXiv:2503.18813](https://arxiv.org/abs/2503.18813).
# - OWASP: [Top 10 for LLM applications](https://genai.owasp.org/llm-top-10/), LLM05 and LLM06, and
#   the
#   [cheat sheet on request forgery](https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
# - SQLite: [compile-time authorization callbacks](https://www.sqlite.org/c3ref/set_authorizer.html).
