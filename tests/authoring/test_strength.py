"""What `course strength` measures and says."""

from dataclasses import replace

import pytest

from helpers import cli
from helpers.authoring.answers import Answer, Answers, answers_to
from helpers.authoring.strength import Strength, measure, report
from helpers.course.exercises import Case, find
from helpers.paths import ROOT


def test_a_weak_check_is_found_out() -> None:
    exercise = find("00.2")

    def weak(answer: object) -> list[Case]:
        """Only one ordinary call."""
        usage = {"input_tokens": 1, "output_tokens": 25, "total_tokens": 26}
        return [Case("it runs", lambda: answer(usage, 2.0), 12.5, show="")]  # type: ignore[operator]

    found = measure(replace(exercise, cases=weak), Answers())
    assert not found.enough
    assert 0 < found.share < 0.9
    assert any("LtE -> Lt" in name for name in found.survivors)
    lines = list(report([found]))
    assert "TOO WEAK" in lines[0]
    assert any("passes: line " in line for line in lines)


def test_the_checks_of_module_00_are_strong() -> None:
    for number in ("00.1", "00.2"):
        found = measure(find(number), answers_to(ROOT, find(number)))
        assert found.tried >= 12
        assert found.enough, list(report([found]))


def test_equivalent_mutants_are_not_tried_and_few() -> None:
    all_of_them = measure(find("00.2"), Answers())
    name = "line 3, LtE -> Lt: if seconds <= 0:"
    fewer = measure(find("00.2"), Answers(equivalent={name: "a reason", "line 9, gone": "old"}))
    assert fewer.tried == all_of_them.tried - 1
    assert dict(fewer.equivalent) == {name: "a reason"}
    assert fewer.unknown == ("line 9, gone",)
    assert not fewer.enough, "one that is gone must leave the list"
    assert not Strength("1", 8, (), {"a": "b", "c": "d"}).enough, "two of ten are too many"


def test_a_sample_is_chosen_by_its_seed() -> None:
    exercise = replace(find("00.2"), cases=lambda answer: [Case("all pass", lambda: 1, 1, show="")])
    one, same, other = (measure(exercise, Answers(), sample=5, seed=s) for s in (1, 1, 2))
    assert one.survivors == same.survivors
    assert one.survivors != other.survivors
    assert len(one.survivors) == 5


def test_a_live_gate_has_to_reject_every_faulty_answer() -> None:
    def answer(number: int, value: object) -> Answer:
        return Answer(f"answer_{number}", "why", "", lambda: value, right=False)

    gate = replace(
        find("00.1"), gate=True, cases=lambda answer: [Case("c", lambda: answer, 1, show="")]
    )
    faulty = [answer(n, 0) for n in range(10)]
    assert measure(gate, Answers(wrong=tuple(faulty))).enough
    assert not measure(gate, Answers(wrong=tuple(faulty[:9]))).enough, "nine are too few"
    found = measure(gate, Answers(wrong=(*faulty, answer(10, 1))))
    assert not found.enough
    assert found.survivors == ("answer_10: why",)


def test_the_command_prints_a_line_an_exercise(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["strength", "00.1"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("00.1: ")
    assert line.endswith("rejected (100%), strong enough")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["00.9"], "module 00 has no exercise 00.9"),
        (["77"], "there is no module '77' with exercises; there are 00, "),
        (["x"], "there is no module 'x'"),
        (["0"], "there is no module '0'"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["strength", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
