"""The rule that hands up: its boundaries, its price, and the choice that is frozen, repeated."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from helpers.agent import Passage, fernhill_index
from helpers.cost.outcomes import outcome
from helpers.cost.rule import FROZEN, NEVER, Rule, Tried, candidates, choose, expected_cost
from helpers.cost.traffic import intents
from helpers.evaluate.stored import read
from helpers.paths import STORED_RUNS
from helpers.shop import Question, questions
from tests.cost.make_tiers import QUESTION, passage


@pytest.mark.parametrize(
    ("rule", "found", "step"),
    [
        (Rule(0.8, 0.0), [passage(0.8)], "extract"),
        (Rule(0.8, 0.0), [passage(0.79)], "person"),
        (Rule(0.8, 0.1), [passage(0.9), passage(0.85)], "person"),
        (Rule(0.8, 0.1), [passage(0.9), passage(0.7)], "extract"),
        (Rule(0.8, 0.0, model=0.7), [passage(0.75)], "model"),
        (Rule(0.8, 0.0, model=0.7), [passage(0.69)], "person"),
        (Rule(0.8, kinds=True), [passage(0.9, "It is a light tent.")], "person"),
        (Rule(0.8, kinds=False), [passage(0.9, "It is a light tent.")], "extract"),
        (Rule(0.8, model=NEVER), [], "person"),
    ],
)
def test_boundaries(rule: Rule, found: Sequence[Passage], step: str) -> None:
    assert rule.next_step(QUESTION, found) == step


def test_the_price_decides_which_rule_is_chosen() -> None:
    tried = [
        *(Tried(QUESTION, [passage(0.9)], "right", None) for _ in range(5)),
        *(Tried(QUESTION, [passage(0.7)], "right", None) for _ in range(3)),
        *(Tried(QUESTION, [passage(0.7)], "wrong", None) for _ in range(3)),
    ]
    assert choose(tried, person_usd=2, wrong_usd=5).extract > 0.7
    assert choose(tried, person_usd=2, wrong_usd=1).extract <= 0.7
    strict = expected_cost(Rule(0.8), tried, person_usd=2, wrong_usd=5)
    assert strict == pytest.approx(12 / 11)


def test_no_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="dev part"):
        choose([])


def test_the_frozen_rule_is_what_dev_and_lab_choose() -> None:
    """As in `helpers.cost.rule`.

    What the model made of golden dev are the course's stored answers. Of golden lab and the dev
    traffic, `written_by_the_model.json` has the outcome by question: the reference of `course
    cost` was asked each question that finds a sentence of 0.60 or more, in version 7f2869b33a7b8fe1
    of the agent.
    """
    index = fernhill_index()
    stored = read(STORED_RUNS / "02-agent.json.gz")
    assert stored is not None
    golden = stored.sections[""]
    written = json.loads((Path(__file__).parent / "written_by_the_model.json").read_text("utf-8"))

    def tried(asked: Question) -> Tried:
        found = index.search(asked.question, 2)
        answer = written.get(asked.question)
        if asked.id in golden:
            answer = outcome(asked, golden[asked.id].content["answer"])
        assert answer or found[0].score < 0.60, asked.question
        return Tried(asked.question, found, outcome(asked, found[0].best), answer)

    asked = [*questions("dev"), *questions("lab")]
    asked += [intent.asked(text) for intent in intents("dev") for text in intent.wordings]
    kinds = {"single_fact", "conditional", "unanswerable"}
    of_documents = [tried(one) for one in asked if one.kind in kinds]
    assert len(of_documents) == 167
    assert choose(of_documents) == FROZEN
    assert len(set(candidates())) == 160
    assert expected_cost(FROZEN, of_documents, person_usd=2, wrong_usd=5) == pytest.approx(
        1.251, abs=0.001
    )
