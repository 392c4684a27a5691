"""Paired comparisons, against worked examples and on made-up versions."""

from math import comb

import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import confint_proportions_2indep

from helpers.evaluate.compare import compare, difference, slices, tags, verdicts
from helpers.evaluate.estimate import Estimate
from helpers.evaluate.scores import score
from helpers.shop import questions
from tests.evaluate import make

Pairs = list[tuple[bool | None, bool | None]]


def versions(pairs: Pairs) -> tuple[dict[str, bool | None], dict[str, bool | None]]:
    before = {f"q{n}": first for n, (first, _) in enumerate(pairs)}
    return before, {f"q{n}": second for n, (_, second) in enumerate(pairs)}


def table(both: int, lost: int, gained: int, neither: int) -> Pairs:
    cells = (
        (True, True, both),
        (True, False, lost),
        (False, True, gained),
        (False, False, neither),
    )
    return [(first, second) for first, second, times in cells for _ in range(times)]


@pytest.mark.parametrize(
    ("lost", "gained", "expected"),
    [
        (150, 86, 3.716e-05),  # approval ratings, documentation of R's exact2x2
        (12, 2, 0.0129),  # culture media, Armitage and Berry 1994, in StatsDirect's manual
        (0, 0, 1.0),
        (3, 3, 1.0),
        (0, 5, 2 / 2**5),
        (0, 6, 2 / 2**6),
    ],
)
def test_the_p_value_is_mcnemars(lost: int, gained: int, expected: float) -> None:
    assert p_value(lost, gained) == pytest.approx(expected, rel=5e-3)
    assert p_value(gained, lost) == p_value(lost, gained)


def p_value(lost: int, gained: int) -> float:
    return compare(*versions(table(10, lost, gained, 5))).p_value


def test_mcnemar_is_the_sign_test() -> None:
    tail = sum(comb(20, k) for k in range(5 + 1)) / 2**20
    assert p_value(5, 15) == pytest.approx(2 * tail)
    assert p_value(5, 15) == pytest.approx(binomtest(5, 20).pvalue)


def test_newcombes_interval() -> None:
    # Table of the paper (Newcombe 1998, method 10): 36, 12, 2, 0.
    found = difference(both=36, lost=2, gained=12, neither=0)
    assert found.value == pytest.approx(0.2)
    assert found.count == 50
    assert (found.low, found.high) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    turned = difference(both=36, lost=12, gained=2, neither=0)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_without_correlation_it_is_the_interval_of_independent_rates() -> None:
    found = difference(both=24, lost=16, gained=36, neither=24)  # phi: 0
    ends = confint_proportions_2indep(60, 100, 40, 100, method="newcomb")
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-9)


def test_an_unchanged_set_is_no_proof_of_equality() -> None:
    found = compare(*versions(table(18, 0, 0, 2)))
    assert found.difference.low < -0.01
    assert found.difference.high > 0.01
    assert found.p_value == 1


def test_a_comparison_counts_every_question_once() -> None:
    pairs = [*table(60, 4, 16, 20), (None, True), (False, None), (None, None)]
    found = compare(*versions(pairs))
    assert (found.both, found.lost, found.gained, found.neither) == (60, 4, 16, 20)
    assert (found.questions, found.left_out) == (100, 3)
    assert (found.before.successes, found.after.successes) == (64, 76)
    assert found.difference.value == pytest.approx(0.12)
    assert found.p_value == p_value(4, 16)
    right = [(first, second) for first, second in pairs if None not in (first, second)]
    drawn = Estimate.of_mean([float(bool(b)) - float(bool(a)) for a, b in right])
    assert found.difference.low == pytest.approx(drawn.low, abs=0.02)
    assert found.difference.high == pytest.approx(drawn.high, abs=0.02)


def test_pairing_sees_what_two_intervals_do_not() -> None:
    found = compare(*versions(table(60, 1, 12, 27)))
    before, after = found.before.interval, found.after.interval
    assert before is not None
    assert after is not None
    assert before[1] > after[0]  # the intervals overlap, and yet:
    assert found.p_value < 0.01
    assert found.difference.low > 0


def test_other_questions_are_an_error() -> None:
    with pytest.raises(ValueError, match="different questions"):
        compare({"a": True}, {"b": True})
    with pytest.raises(ValueError, match="no question"):
        compare({"a": None}, {"a": True})


def test_verdicts_of_scores() -> None:
    asked = [make.question(1), make.question(2, required=(("40 days",),)), make.question(3)]
    runs = [
        make.run(question_id=asked[0].id),
        make.run(question_id=asked[1].id),
        make.run(question_id=asked[2].id, status="timeout"),
    ]
    scores = [score(q, r) for q, r in zip(asked, runs, strict=True)]
    assert list(verdicts(scores).values()) == [True, False, None]
    with pytest.raises(ValueError, match="twice"):
        verdicts([*scores, scores[0]])


def test_a_slice_shows_what_the_average_hides() -> None:
    policies, products = table(0, 12, 0, 8), table(20, 0, 14, 26)
    before, after = versions([*policies, *products])
    groups = {f"q{n}": ["document: policy" if n < 20 else "document: product"] for n in range(80)}
    assert compare(before, after).difference.value > 0
    worst, best = slices(before, after, groups)
    assert worst.name == "document: policy"
    assert worst.lost_ground()
    # Holm: the smaller of two p-values counts twice.
    assert best.p_value == pytest.approx(2 * p_value(0, 14))
    assert worst.p_value == pytest.approx(p_value(12, 0))
    assert worst.comparison.difference.high < 0
    assert not best.lost_ground()


def test_many_slices_raise_no_alarm_by_chance() -> None:
    pairs = table(10, 0, 6, 4) + 7 * table(10, 0, 0, 10)
    before, after = versions([(second, first) for first, second in pairs])  # six lost in slice 0
    groups = {f"q{n}": [f"slice {n // 20}"] for n in range(160)}
    worst = slices(before, after, groups)[0]
    assert worst.comparison.p_value < 0.05
    assert not worst.lost_ground()


def test_a_slice_must_have_something_to_say() -> None:
    before: dict[str, bool | None] = {"a": True, "b": None}
    with pytest.raises(ValueError, match="Slice 'empty'"):
        slices(before, before, {"a": ["full"], "b": ["empty"]})
    with pytest.raises(ValueError, match="was not asked"):
        slices(before, before, {"c": ["full"]})
    with pytest.raises(ValueError, match="no slices"):
        slices(before, before, {})
    with pytest.raises(ValueError, match="different questions"):
        slices(before, {"a": True}, {"a": ["full"]})


def test_tags_of_golden_questions() -> None:
    for question in questions("dev"):
        kind, *document = tags(question)
        assert kind == f"kind: {question.kind}"
        assert bool(document) is (question.document is not None)
