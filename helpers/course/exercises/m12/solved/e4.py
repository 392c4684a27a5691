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

- DevOps brought development and operations together [stated: DevOpsDays in Ghent, 2009]; the later
  names build on it.
- MLOps is made for products around a model that you train yourself [stated: Kreuzberger et al.,
  2022].
- FMOps is about models that others trained; its authors count LLMOps as a part [stated: AWS, 2023].
- GenAIOps is about generative AI as a whole, with retrieval, and is "sometimes known as LLMOps"
  [stated: Microsoft's architecture guide, read in November 2026].
- AgentOps is about steps, tools and traces of agents [stated: Dong et al., 2024], and is also the
  name of a product.
- AIOps is something else: AI that helps to operate any IT system.

There is no standard.

## Work

Versions, tests before release, monitoring and a way back stay what they were in DevOps. Three
things are new: a version is prompt, tools, documents, model and code together, quality is a rate
with an interval, and text can attack. No other operations work needs a figure such as 92% right
tool choices [functional_quality: tool choice], or a price of 13 micro-dollars for a right answer
[cost: dollars a right answer].

## Counter-case

People decide which refunds need approval and what a wrong answer costs. For example, whether it is
enough that 68% of unanswerable questions are refused [functional_quality: refused, unanswerable] is
no question of operations, and none of these names covers it.

## Limit

A name is the sign on a team's door. It does not say who owns an alert at night, or which threshold
holds.
""",
    evidence=STORED,
)
ANSWER = answer_4
