# Written by `course build` from solutions/src/12_review_questions.py: change it there.
from helpers.review import Answer
from helpers.review import STORED
# The exercise's own cell.
answer_5 = Answer(
    """
## Claim

Honesty and helpfulness conflict most, and at Fernhill honesty wins: a refused question costs a
minute of a person's time, an invented answer costs a customer.

## Requirements

- Quality: 70% of 140 answers are right [functional_quality: right answers].
- Honesty: 68% of what no document answers is refused [functional_quality: refused, unanswerable].
- Latency: the median answer takes 2.1 seconds [latency: seconds an answer, median], and one in
  twenty takes longer than 6.4 seconds [latency: seconds an answer, 95th percentile].
- Availability: 0 of 604 requests are lost under load [load: requests lost].
- Release: a rollout under load loses 0 of 1,007 requests [rollout: requests lost].
- Security: 0% of 175 attacks succeed [security: attack success at 1].
- Cost: a right answer costs 13 micro-dollars [cost: dollars a right answer], without people or
  mistakes.
- Observability: 100% of requests are traced [monitoring: runs traced], and alerts find an incident
  in 5 minutes at the median [monitoring.alerts: minutes until detection, median].

## Trade-offs

To refuse unanswerable questions, the agent also refuses answerable ones: 6% of these
[functional_quality: refused, answerable] are the price for 68% [functional_quality: refused,
unanswerable] of the others. The price of no false alarm in 20 clean days [monitoring.alerts: false
alarms a clean day] is 1 of 11 kinds of incident that the alerts miss [monitoring.alerts: kinds of
incident missed]. And a rollout that loses nothing takes an extra pod, which needs up to 5.4 seconds
until it is ready [rollout: seconds until ready, at the most, of a pod of the service].

## Decision

The product owner ships on two pods of our own with the small model, and accepts the missed refusals
for thirty days, by name. If one complaint in ten is about a wrong answer, that is reversed. We give
up a platform's scaling, since our peak is known.

## Counter-case

For a shop with a hundred times the traffic the choice is wrong: one pod of the model answers 18
requests a minute [rollout: requests a minute of a pod of the model], so a peak needs more pods, a
bigger machine or a hosted model, and the price of an answer changes.

## Limit

All figures come from one machine, an invented shop and a small model. The cost leaves out
hand-overs and wrong answers, and a week in November does not contain Christmas.
""",
    evidence=STORED,
)
ANSWER = answer_5
