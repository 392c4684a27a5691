"""The rule that hands a question up: which search results are answers as they stand.

A wrong answer is priced at $5 and a person at $2 (see `helpers.cost.rates`), so a sentence should
be given as the answer where it is right more often than three times in five.

How the thresholds were chosen: on 167 questions that documents answer or should (golden dev 52,
golden lab 52, and the 63 wordings of the dev traffic), each with the outcome of its extracted
sentence and of the model's own answer, of 160 `candidates`. The winner costs $1.251 a question; a
sentence from 0.66 on without `kinds` costs $1.257, which one question decides; letting the model
write from 0.72 on instead of a person costs $1.287, and the model alone $1.413. The choice is thus
a close one: dev traffic alone chooses 0.66 and golden lab 0.80. A test repeats it. It was not
changed after heldout, where the model in the person's place would have cost a few per cent less.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from helpers.agent import Passage
from helpers.agent.answer_type import kinds_asked, kinds_held
from helpers.cost.outcomes import Outcome

Step = Literal["extract", "model", "person"]

NEVER = math.inf
"""A score that no sentence reaches."""


@dataclass(frozen=True)
class Rule:
    """Where an extracted sentence is the answer, and where the model may try.

    Attributes:
        extract: the score (see `helpers.agent.retrieval`) from which on the nearest sentence of
            the best document is the answer.
        margin: what the best document's score must be ahead of the next one's, for the same.
        kinds: whether a sentence must also hold the kind of value that the question asks for.
        model: the score from which on the model may write, where the sentence is not enough.
            Below, a person gets the question.
    """

    extract: float = 0.76
    margin: float = 0.0
    kinds: bool = True
    model: float = NEVER

    def next_step(self, question: str, found: Sequence[Passage]) -> Step:
        """What a search result is good for; a search without result is a person's."""
        if not found:
            return "person"
        best, lead = found[0], found[0].score - (found[1].score if len(found) > 1 else 0.0)
        asked = kinds_asked(question) if self.kinds else frozenset()
        fits = not asked or bool(asked & kinds_held(best.best, best.title))
        if best.score >= self.extract and lead >= self.margin and fits:
            return "extract"
        return "model" if best.score >= self.model else "person"


FROZEN = Rule()
"""What `choose` gives; see the module."""


@dataclass(frozen=True)
class Tried:
    """One question of the part that the rule is chosen on, and what each tier makes of it."""

    question: str
    found: Sequence[Passage]
    extracted: Outcome
    written: Outcome | None  # by the model; None where it was not asked


def candidates() -> Iterable[Rule]:
    """The rules that are compared, stricter ones first; of equal ones the first is chosen.

    The agent itself refuses below a score of 0.68 (`helpers.agent.THRESHOLD`). A margin of 0.05
    was tried earlier and gained less than a cent a question, which one question in 167 decides;
    it stays at 0.
    """
    scores = [round(0.90 - 0.02 * step, 2) for step in range(16)]
    models = (NEVER, 0.72, 0.68, 0.64, 0.60)
    for extract, kinds, model in itertools.product(scores, (True, False), models):
        yield Rule(extract=extract, kinds=kinds, model=model)


def expected_cost(
    rule: Rule, tried: Sequence[Tried], *, person_usd: float, wrong_usd: float
) -> float:
    """Dollars a question of people and wrong answers, under a rule.

    The tokens of the model are left out: a wrong answer costs 100,000 times as much. A question
    that the model was not asked counts as a person's; of those it was chosen on, these are the 11
    below 0.60, where no candidate lets the model write.
    """
    prices = {"right": 0.0, "wrong": wrong_usd, "handed over": person_usd}
    total = 0.0
    for one in tried:
        step = rule.next_step(one.question, one.found)
        became: Outcome | None = "handed over"
        if step == "extract":
            became = one.extracted
        elif step == "model":
            became = one.written or "handed over"
        total += prices[became or "handed over"]
    return total / len(tried)


def choose(tried: Sequence[Tried], *, person_usd: float = 2.0, wrong_usd: float = 5.0) -> Rule:
    """The rule with the lowest expected cost; of equal ones the first of `candidates`.

    Raises ValueError for no questions.
    """
    if not tried:
        raise ValueError("Give the questions to choose on, such as those of the dev part.")
    return min(
        candidates(),
        key=lambda rule: expected_cost(rule, tried, person_usd=person_usd, wrong_usd=wrong_usd),
    )
