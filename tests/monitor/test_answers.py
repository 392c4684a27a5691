"""The file of labelled answers: its size, its parts, and that it is what the script would write."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from helpers.monitor import write_answers
from helpers.monitor.answers import FILE, AnswersError, all_answers, labelled_answers
from tests.monitor import make


def test_there_are_enough_of_each() -> None:
    answers = labelled_answers()
    assert len(answers) >= 150
    assert 0.25 < sum(a.grounded for a in answers) / len(answers) < 0.7
    for part in ("tune", "test"):
        found = [a.grounded for a in labelled_answers(part)]  # type: ignore[arg-type]
        assert min(found.count(True), found.count(False)) >= 15


def test_the_parts_share_no_question() -> None:
    tune, test = labelled_answers("tune"), labelled_answers("test")
    assert len(tune) + len(test) == len(labelled_answers())
    assert not {a.question_id for a in tune} & {a.question_id for a in test}


def test_each_has_its_tokens_and_none_is_a_copy() -> None:
    for a in all_answers():
        assert "".join(a.tokens) == a.answer
        assert len(a.tokens) == len(a.logprobs)
        assert max(a.logprobs) <= 0
        assert not write_answers.is_copy(a.answer, a.source)


def test_a_note_says_why_one_label_holds_where_two_passes_differ() -> None:
    for a in all_answers():
        assert bool(a.note) is (a.first != a.second)
        assert a.first != a.second or a.label == a.first


def test_the_head_is_the_script_s() -> None:
    top = json.loads(FILE.read_text("utf-8"))
    del top["answers"]
    assert top == write_answers.head()


def test_the_passages_are_still_what_the_plan_gives() -> None:
    """For a few: the documents or the search have not changed under the labels."""
    texts = {(a.question_id, a.prompt, a.passage): a.source for a in all_answers()}
    kept = [p for p in write_answers.plan() if (p[0].id, p[1], p[2]) in texts]
    for question, prompt, passage, sentences in kept[::25]:
        now = write_answers.source_of(question.question, passage, sentences)
        assert texts[question.id, prompt, passage] == now


def written(path: Path, **change: object) -> Path:
    row = {
        name: value for name, value in asdict(make.answer()).items() if name != "question"
    } | change
    path.write_text(json.dumps({"answers": [row, {**row, "id": "a002"}]}))
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    first, second = all_answers(written(tmp_path / "a.json"))
    assert first == make.answer()
    assert second.id == "a002"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "perhaps"}, "answer 1: a label is none of yes, no, none"),
        ({"part": "train"}, "none of tune, test"),
        ({"logprobs": [-1, -2]}, "one log-probability"),
        ({"lengths": [], "logprobs": []}, "one log-probability"),
        ({"lengths": [3]}, "not as long as the answer"),
        ({"lengths": ["long"]}, "missing, unknown or wrong"),
        ({"question_id": "dev-single_fact-999"}, "missing, unknown or wrong"),
        ({"logprobs": ["low"]}, "missing, unknown or wrong"),
        ({"logprobs": None}, "missing, unknown or wrong"),
        ({"colour": "red"}, "missing, unknown or wrong"),
        ({"id": "a002"}, "occurs twice"),
    ],
)
def test_a_broken_file_names_what_is_broken(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(AnswersError, match=message):
        all_answers(written(tmp_path / "a.json", **change))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"answers": 1}'])
def test_a_file_that_holds_no_answers_says_to_restore_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(AnswersError, match="restore it"):
        all_answers(tmp_path / "a.json")
    with pytest.raises(AnswersError, match="restore it"):
        all_answers(tmp_path / "nothing.json")
