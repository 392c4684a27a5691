# Written by `course build` from solutions/src/12_review_questions.py: change it there.
from helpers.review import Answer
from helpers.review import STORED
# The exercise's own cell.
answer_4 = Answer(
    """
## Claim

I call it LLMOps: the work of keeping an application on a language model useful, safe and
affordable. For the tools of our agent I add AgentOps.

## Names

- DevOps made development and operation one job [stated: DevOpsDays in Ghent, 2009], and all that
  follows rests on it.
- MLOps is made for products around a model that you train yourself [stated: Kreuzberger et al.,
  2022].
- FMOps is about models that others trained, and counts LLMOps as a part [stated: AWS, 2023].
- GenAIOps adds pictures and sound, and its authors say that others call it LLMOps [stated:
  Microsoft's architecture guide, read in November 2026].
- AgentOps is about steps, tools and traces of agents [stated: Dong et al., 2024], and is a product.
- AIOps is something else: models that help to operate any system.

There is no standard.

## Work

Versions, tests before release, monitoring and a way back stay what they were in DevOps. New is that
a version is prompt, tools, documents, model and code together, that quality is a rate with an
interval, and that text can attack. No other operation needs a figure such as 92% right choices of a
tool [functional_quality: tool choice], or a price of 13 micro-dollars for a right answer [cost:
dollars a right answer].

## Counter-case

People decide which refunds need a person and what a wrong answer costs. For example, whether 68% of
refusals [functional_quality: refused, unanswerable] are enough is no question of operation, and
none of these names covers it.

## Limit

A name puts a team on a door. It does not say who owns an alert at night, or which threshold holds.
""",
    evidence=STORED,
)
ANSWER = answer_4
