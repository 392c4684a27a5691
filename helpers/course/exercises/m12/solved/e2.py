# Written by `course build` from solutions/src/12_review_questions.py: change it there.
from helpers.review import Answer
from helpers.review import STORED
# The exercise's own cell.
answer_2 = Answer(
    """
## Claim

We limit what a hijacked agent can do, in code that no text persuades. Whether the model can be
hijacked matters less: no attack that we tried led to a forbidden action or others' data.

## Risks and controls

- LLM01, prompt injection: messages and pages are written by strangers. Rules on tool calls and
  approval by a person hold when the model has been talked round.
- LLM02, disclosure of personal data: the customer comes from the login, never from the text.
- LLM03, supply chain: digests of model files and packages are compared before use.
- LLM04, poisoning: a planted page changes an answer without giving an order. Only edit rights
  limit that.
- LLM08, vectors: the customers' index is built from public pages alone.
- LLM05, output handling: answers are cleaned before a browser shows them, and values are bound in
  SQL.
- LLM06, excessive agency: a refund needs an order of the same customer and a cap; above it a
  person decides.
- LLM07, secrets in the system prompt: there are none in it.
- LLM09, invented answers: detectors count them over a day.
- LLM10, consumption without bounds: a cap on size, a rate limit for each key, and a budget that is
  reserved before the answer.

## Evidence

In 480 attempts by a hijacked agent, 0 of 480 disclosed data of others [privacy: data of others
disclosed]. Of 175 attacks by other authors, 0% succeeded [security: attack success at 1], and none
led to a forbidden action [security: forbidden action at 1]; the upper end of both intervals is
2.1%. Under load and with its parts broken, 0 of 26 faults went without a clear error
[failure_modes: faults without a clear error].

## Price

Of the harmless requests, 29 of 40 are answered correctly [security: benign answers right], and the
controls lose 0% of the 40 [security: benign answers lost]. Approval also costs people's time, which
no figure here contains.

## Counter-case

A page that states a wrong return period, "you can return worn boots within 90 days", gives no order
at all. No rule stops the agent from repeating it.

## Limit

Planted text appeared in 0 of 15 answers [security: planted text in the answer at 1], because the
defended agent reads such text only on request. That zero is by design, rests on few cases, and says
nothing about attackers who know our rules.
""",
    evidence=STORED,
)
ANSWER = answer_2
