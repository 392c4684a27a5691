"""Groundedness by cheap means, on near misses and on the labelled answers."""

import pytest

from helpers.evaluate.agreement import agreement, auc, choose_threshold
from helpers.evaluate.groundedness import THRESHOLD, groundedness, run_groundedness
from helpers.evaluate.labelled import Labelled, halves, labelled_answers
from helpers.evaluate.runs import Call
from tests.evaluate import make

SOURCE = "Returns: Tents can be returned within 30 days of delivery. Ropes within 14 days."


def overlaps(answers: list[Labelled]) -> tuple[list[float], list[bool]]:
    found = [(groundedness(a.answer, a.source, a.question), a.grounded) for a in answers]
    judged = [(g.overlap, grounded) for g, grounded in found if g is not None]
    return [overlap for overlap, _ in judged], [grounded for _, grounded in judged]


@pytest.mark.parametrize(
    ("answer", "overlap", "numbers", "names"),
    [
        ("You can return a tent within 30 days.", 1, (), ()),
        ("You have thirty days.", 1, (), ()),
        ("You can return a tent within 45 days.", 4 / 5, ("45",), ()),
        ("It costs £30.", 0, ("£30",), ()),
        ("Within 30 days, says Heron Express.", 3 / 6, (), ("Heron Express",)),
        ("Heron Express says 30 days.", 2 / 5, (), ("Express",)),  # the first word may be any
        ("By 3 June, I think.", 0, ("06/03",), ()),
        ("You have 30 days for a rope.", 1, (), ()),  # every word stands there; it is false
    ],
)
def test_what_is_not_in_the_source(
    answer: str, overlap: float, numbers: tuple[str, ...], names: tuple[str, ...]
) -> None:
    found = groundedness(answer, SOURCE)
    assert found is not None
    assert found.overlap == pytest.approx(overlap)
    assert (found.numbers, found.names) == (numbers, names)
    assert found.mismatch is bool(numbers or names)


def test_the_question_may_be_repeated() -> None:
    question = "Can I bring my kayak back after 40 days?"
    found = groundedness("No: your kayak can be returned within 30 days, not 40.", SOURCE, question)
    assert found is not None
    assert found.overlap == 1


@pytest.mark.parametrize("answer", ["", "Yes.", "I do not know.", "Sorry, I can't answer that."])
def test_what_claims_nothing_is_not_judged(answer: str) -> None:
    assert groundedness(answer, SOURCE) is None


def test_a_refusal_that_claims_is_judged() -> None:
    found = groundedness("I do not know. It is 45 days.", SOURCE)
    assert found is not None
    assert found.numbers == ("45",)


def test_a_run_rests_on_what_its_tools_said() -> None:
    search = Call("search_documents", {"query": "tent"}, SOURCE)
    grounded = run_groundedness(make.run("You have 30 days.", search), "How long?")
    invented = run_groundedness(make.run("You have 30 days."), "How long?")
    assert grounded is not None
    assert grounded.overlap == 1
    assert invented is not None
    assert invented.numbers == ("30",)
    assert run_groundedness(make.run(status="error"), "How long?") is None


def test_the_threshold_is_the_one_chosen_on_the_first_half() -> None:
    first, second = halves(labelled_answers())
    assert choose_threshold(*overlaps(first)) == pytest.approx(THRESHOLD, abs=0.005)
    values, labels = overlaps(second)
    assert agreement([value >= THRESHOLD for value in values], labels).informative
    assert auc(values, labels).low > 0.55


def test_a_number_that_stands_nowhere_is_rarely_a_false_alarm() -> None:
    found = [(groundedness(a.answer, a.source, a.question), a) for a in labelled_answers()]
    flagged = [a.grounded for g, a in found if g is not None and g.mismatch]
    assert len(flagged) >= 15
    assert sum(flagged) <= 1
