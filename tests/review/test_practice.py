"""The practice questions: complete by heading and level, and shown with their answers folded."""

import re
from collections import Counter
from pathlib import Path

import pytest

from helpers.authoring.words import hits
from helpers.paths import ROOT
from helpers.review.coverage import coverage
from helpers.review.practice import (
    LEVELS,
    Cell,
    Heading,
    PracticeError,
    Question,
    draw,
    find,
    load,
    practice,
    practice_command,
    questions,
)

HEADINGS = load()
EVERY = [one for heading in HEADINGS for one in heading.questions]
ODD = Heading(
    "odd",
    "Tags & <signs>",
    (
        Question(
            "odd-one",
            "know",
            "What is <b>?",
            "It is & <script>alert(1)</script>. `a < b` costs $1 or $2.",
            Cell("01_build_an_agent", 'What is an "agent"?'),
            1,
        ),
    ),
)


def sentences(text: str) -> int:
    return len(re.findall(r"[.?!](?=\s|$)", text))


def test_each_heading_has_three_to_five_questions_of_all_levels() -> None:
    for heading in HEADINGS:
        assert 3 <= len(heading.questions) <= 5, heading.id
        assert {one.level for one in heading.questions} == set(LEVELS), heading.id


def test_ids_titles_questions_and_answers_are_unique() -> None:
    for texts in (
        [heading.id for heading in HEADINGS],
        [heading.title for heading in HEADINGS],
        [one.id for one in EVERY],
        [one.question.casefold() for one in EVERY],
        [one.answer.casefold() for one in EVERY],
    ):
        assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_an_id_begins_with_its_headings() -> None:
    for heading in HEADINGS:
        for one in heading.questions:
            assert re.fullmatch(rf"{heading.id}(-[a-z0-9]+)+", one.id), one.id


def test_questions_are_short_and_answers_a_few_sentences() -> None:
    for one in EVERY:
        assert len(one.question.split()) <= 35, one.id
        assert one.question.rstrip().endswith(("?", ".")), one.id
        assert 2 <= sentences(one.answer) <= 5, one.id
        assert 20 <= len(one.answer.split()) <= 110, one.id
        assert 1 <= one.minutes <= 6, one.id


def test_to_judge_takes_longer_than_to_know() -> None:
    longest = max(one.minutes for one in EVERY if one.level == "know")
    assert all(one.minutes > longest for one in EVERY if one.level == "judge")


def test_the_sections_are_in_the_walkthroughs() -> None:
    for one in EVERY:
        source = ROOT / "notebooks" / "src" / f"{one.cell.notebook}.py"
        assert source.exists(), one.id
        assert f"# ## {one.cell.section}\n" in source.read_text("utf-8"), one.id


def test_code_has_a_pair_of_backticks() -> None:
    for one in EVERY:
        assert one.question.count("`") % 2 == one.answer.count("`") % 2 == 0, one.id


def test_the_questions_keep_to_the_style_pages_words() -> None:
    text = (ROOT / "helpers" / "review" / "practice.yaml").read_text("utf-8")
    assert [str(hit) for hit in hits(text)] == []


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("mcp", ["mcp"]),
        ("MCP", ["mcp"]),
        ("context protocol", ["mcp"]),
        ("  Model   Context ", ["mcp"]),
        ("ray-", ["ray-building", "ray-serving", "ray-running"]),
        ("security", ["security"]),
    ],
)
def test_a_heading_is_found_by_its_id_or_a_part_of_its_title(words: str, ids: list[str]) -> None:
    assert [heading.id for heading in find(words)] == ids


def test_a_level_leaves_the_others_out() -> None:
    found = find("mcp", "judge")
    assert [one.level for heading in found for one in heading.questions] == ["judge"]
    assert {one.level for heading in find(level="know") for one in heading.questions} == {"know"}


@pytest.mark.parametrize("words", ["", "  ", "quantum", "<b>"])
def test_an_unknown_heading_gets_the_list(words: str) -> None:
    with pytest.raises(PracticeError, match="choose one of security, deploying"):
        find(words)


def test_an_unknown_level_gets_the_list() -> None:
    with pytest.raises(PracticeError, match="choose one of know, apply, judge"):
        find("mcp", "guess")


def test_a_seed_draws_one_question_of_each_level_and_the_same_again() -> None:
    drawn = draw(HEADINGS, 7)
    chosen = [one for heading in drawn for one in heading.questions]
    assert sorted(one.level for one in chosen) == sorted(LEVELS)
    assert drawn == draw(HEADINGS, 7)
    assert len({draw(HEADINGS, seed) for seed in range(5)}) > 1
    of_level = draw(find(level="judge"), 7)
    assert [one.level for heading in of_level for one in heading.questions] == ["judge"] * 3


def test_answers_are_folded_and_escaped() -> None:
    html = questions([ODD]).html
    assert "<script>" not in html
    assert "<b>" not in html
    assert "Tags &amp; &lt;signs&gt;" in html
    before, after = html.split("<details>")
    assert "It is" not in before
    assert "&lt;script&gt;" in after
    assert "<code>a &lt; b</code>" in after
    assert "mathjax_ignore" in html
    assert 'href="01_build_an_agent.ipynb#What-is-an-&quot;agent&quot;?"' in html
    assert len(re.findall("<details>", questions(HEADINGS).html)) == len(EVERY)


def test_a_text_has_the_answers_only_if_asked() -> None:
    assert "It is &" not in questions([ODD]).text
    assert "It is & <script>" in questions([ODD], answers=True).text
    assert "01_build_an_agent" in questions([ODD], answers=True).text


def test_practice_without_arguments_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    practice()
    shown = capsys.readouterr().out
    assert f"{len(EVERY)} questions under {len(HEADINGS)} headings" in shown
    assert all(heading.id in shown for heading in HEADINGS)
    assert EVERY[0].question not in shown


@pytest.mark.parametrize("given", [{"heading": "quantum"}, {"level": "hard"}, {"heading": 5}])
def test_practice_answers_bad_input_with_one_line(
    given: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    practice(**given)  # type: ignore[arg-type]
    shown = capsys.readouterr().out.strip()
    assert "choose one of" in shown
    assert "\n" not in shown


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert practice_command([]) == 0
    assert "mcp" in capsys.readouterr().out
    assert practice_command(["context", "protocol", "--level", "know", "--answers"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    one = find("mcp", "know")[0].questions[0]
    assert one.question in shown
    assert one.answer in shown
    assert practice_command(["quantum"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("course review practice: There is no heading 'quantum'")
    assert practice_command(["mcp", "--level", "hard"]) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- id: [", "is not YAML"),
        ("", "Correct broken.yaml"),
        ("- id: a\n  title: A\n  questions: []\n  more: 1\n", "at 0, more"),
        (
            "- id: a\n  title: A\n  questions:\n  - {id: a-b, level: hard, question: Q, answer: A,"
            " cell: {notebook: n, section: s}, minutes: 1}\n",
            "at 0, questions, 0, level",
        ),
    ],
)
def test_a_broken_file_says_where(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(PracticeError, match=says):
        load(file)


def test_the_headings_are_those_of_the_coverage() -> None:
    covered = {topic.id: topic.heading for topic in coverage().headings}
    assert {one.id: one.title for one in load()}.items() <= covered.items()
