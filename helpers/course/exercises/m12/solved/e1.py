# Written by `course build` from solutions/src/12_review_questions.py: change it there.
from helpers.review import Answer
from helpers.review import STORED
# The exercise's own cell.
answer_1 = Answer(
    """
## Claim

A release goes out only if every item of our list has passed on evidence of that very version, or a
person has signed for the risk. That protects customers from failures that a demo never shows.

## Checks and incidents

- Functional quality: a demo shows the questions that work, and customers ask the others.
- Regression against the last release: a better average hides one kind of question that got worse.
- Security: a sentence in a message or a page gives the agent orders.
- Privacy: one answer that shows another customer's order may have to be reported to the regulator.
- Load and latency: thirty people come at once and every stream breaks, or each waits too long.
- Cost: an agent that calls its model three times for a greeting is noticed with the invoice.
- Failure modes: the model is down, and the caller takes half an answer for a whole one.
- Rollout and rollback: the new version cuts off answers in progress, and nobody knows the way back.
- Monitoring, documentation and ownership: the first alert is a complaint, which waits until Monday.

## Owner and threshold

The product owner answers for quality, and set the limit before anyone had measured: at least 70%
[limit] of the unanswerable questions are refused. The site reliability engineer owns load and
rollout, where no request may be lost. Missing evidence is a no-go, like a missed threshold.

## Evidence

On 140 held-out questions (tuning on them would flatter the figure), 70% of the answers are right
[functional_quality: right answers]. The agent refuses 19 of 28 unanswerable ones
[functional_quality: refused, unanswerable], and 6% of those it could answer [functional_quality:
refused, answerable]. Of 175 attacks, 0% succeed [security: attack success at 1]. The service lost 0
of 604 requests [load: requests lost], and a rollout lost 0 of 1,007 [rollout: requests lost]. An
answer takes 6.4 seconds [latency: seconds an answer, 95th percentile] at the 95th percentile.

## Counter-case

The checklist stops this version at 68% refused [functional_quality: refused, unanswerable], but the
interval reaches from 49% to 82%: with 28 questions the agent may well meet the limit. The product
owner can accept that until a date; measuring more questions would be better.

## Limit

No command measures whether the person on call knows what to do: people state that, by name
[ownership: statement]. And the held-out questions are ours, not those of next month's customers.
""",
    evidence=STORED,
)
ANSWER = answer_1
