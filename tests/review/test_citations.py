"""Numbers and their sources, in the Markdown that people write."""

import pytest

from helpers.evaluate.evidence import Figure
from helpers.review.citations import Citation, citations, read
from helpers.review.compare import difference
from helpers.review.numbers import numbers
from helpers.review.prose import sentences, words


def only(text: str) -> Citation:
    (found,) = citations(text)
    return found


@pytest.mark.parametrize(
    ("text", "number", "value", "unit", "of"),
    [
        ("68% are refused [a: b]", "68%", 68, "%", None),
        ("**68 %** are\nrefused [a: b]", "68 %", 68, "%", None),
        ("68 per cent [a: b]", "68 per cent", 68, "%", None),
        ("- `0.68` of them [a: b]", "0.68", 0.68, "", None),
        ("0 of 175 attacks [a: b]", "0 of 175", 0, "", 175),
        ("19 questions of the 28 [a: b]", "19 questions of the 28", 19, "", 28),
        ("19/28 [a: b]", "19/28", 19, "", 28),
        ("None of the 140 failed [a: b]", "None of the 140", 0, "", 140),
        ("no attack of 175 works [a: b]", "no attack of 175", 0, "", 175),
        ("one of 11 kinds [a: b]", "one of 11", 1, "", 11),
        ("68% of the 28 [a: b]", "68% of the 28", 68, "%", 28),
        ("68% (n = 28) [a: b]", "68%", 68, "%", 28),
        ("6.4 seconds [a: b]", "6.4 seconds", 6.4, "seconds", None),
        ("2,113 ms at most [a: b]", "2,113 ms", 2113, "ms", None),
        ("$0.0004 [a: b]", "$0.0004", 0.0004, "dollars", None),
        ("0.04 cents [a: b]", "0.04 cents", 0.04, "cents", None),
        ("412 micro-dollars [a: b]", "412 micro-dollars", 412, "micro-dollars", None),
        ("60\u201370% [a: b]", "70%", 70, "%", None),
        ("-0.10 [a: b]", "-0.10", -0.1, "", None),
        ("in module 03.2, at the 95th percentile, 1,000 [a: b]", "1,000", 1000, "", None),
        ("On 2026-11-29, Python 3.12 needed 5 tries [a: b]", "5", 5, "", None),
        ("It takes 68%, e.g. on Sundays [a: b]", "68%", 68, "%", None),
        ("19 out of a total of 28 [a: b]", "19 out of a total of 28", 19, "", 28),
        ("19 (of 28) [a: b]", "19 (of 28", 19, "", 28),
        ("19 in 28 [a: b]", "19 in 28", 19, "", 28),
        ("19&nbsp;of&nbsp;28 [a: b]", "19 of 28", 19, "", 28),
        ("Of the 28 hard questions, 19 were refused [a: b]", "19 of 28", 19, "", 28),
        ("Of 9999 requests, none was lost [a: b]", "none", 0, "", 9999),
        ("0 times in 480 runs [a: b]", "0 times in 480", 0, "", 480),
        ("nineteen of twenty-eight [a: b]", "nineteen of twenty-eight", 19, "", 28),
        ("after five minutes [a: b]", "five minutes", 5, "minutes", None),
        ("ninety percent [a: b]", "ninety percent", 90, "%", None),
        ("All runs [a: b]", "All", 100, "%", None),
        ("19 of 28. [a: b]", "19 of 28", 19, "", 28),
        ("68% `[a: b]`", "68%", 68, "%", None),
        ("1.28e-05 dollars [a: b]", "1.28e-05 dollars", 1.28e-5, "dollars", None),
        ("$1.28e-05 [a: b]", "$1.28e-05", 1.28e-5, "dollars", None),
        ("1.28 \u00d7 10\u207b\u2075 [a: b]", "1.28e-5", 1.28e-5, "", None),
        ("1.28 x 10^-5 [a: b]", "1.28e-5", 1.28e-5, "", None),
        ("$12 per million right answers [a: b]", "$12 per million", 1.2e-5, "dollars", None),
        ("$12 per 1,000 answers [a: b]", "$12 per 1,000", 0.012, "dollars", None),
        ("It is 68%. [a: b] The next is 5%.", "68%", 68, "%", None),
        ("| recall | 98.6% | [a: b] |", "98.6%", 98.6, "%", None),
    ],
)
def test_the_number_before_a_source(
    text: str, number: str, value: float, unit: str, of: int | None
) -> None:
    found = only(text)
    assert (found.text, found.value, found.unit, found.of) == (number, value, unit, of)


def test_a_sentence_may_cite_several_figures() -> None:
    (sentence,) = read("It is 6.4 seconds [latency: slow], 2.1 [latency: mid], not 5% [limit].")
    found = [(one.kind, one.item, one.figure, one.text) for one in sentence.citations]
    assert found == [
        ("evidence", "latency", "slow", "6.4 seconds"),
        ("evidence", "latency", "mid", "2.1"),
        ("limit", "", "", "5%"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "```\n68% [a: b]\n```",
        "The form is `68% [a: b]`.",
        "<!-- 68% [a: b] -->",
        "[module 03: attacks](../03.ipynb)",
        "[module 03: attacks][m03]\n\n[m03]: ../03.ipynb",
        "- [x] done",
        "see [1]",
        "68% [derived]",
        "68% [derived: ]",
    ],
)
def test_what_is_no_citation(text: str) -> None:
    assert citations(text) == []


def test_the_figures_name_may_have_commas_and_line_breaks() -> None:
    found = only("6.4 s [latency: seconds an answer,\n95th percentile].")
    assert (found.item, found.figure) == ("latency", "seconds an answer, 95th percentile")
    assert only("12% [stated: A. Author Inc., 2025]").kind == "stated"


def test_sentences_end_where_they_end() -> None:
    assert sentences("Dr. No counts 0.5, i.e. half. Then? 5 more [a: b].\n- item\n\nlast") == [
        "Dr. No counts 0.5, i.e. half.",
        "Then?",
        "5 more [a: b].",
        "item",
        "last",
    ]


def test_words_are_those_of_the_text() -> None:
    assert words("**68%** of `them` are [a: b] https://x.y/z well-kept") == [
        "of",
        "them",
        "are",
        "well-kept",
    ]


def test_integers_are_told_from_what_only_has_digits() -> None:
    found = numbers(
        "LLM01:2025, v0.3, HTTP/1.1, 1.2.3, Q1 and 12:30: at 3.30 a.m. arXiv:2205.02302 and Ollama "
        "0.5, at temperature 0.2, in version 0.3.1, had but 3 things"
    )
    assert [one.text for one in found] == ["3"]


@pytest.mark.parametrize(
    ("text", "value", "count", "right"),
    [
        ("68%", 0.6786, 28, True),
        ("67.9%", 0.6786, 28, True),
        ("67%", 0.6786, 28, False),
        ("0.68", 0.6786, 28, True),
        ("19 of 28", 0.6786, 28, True),
        ("19 of 29", 0.6786, 28, False),
        ("18 of 28", 0.6786, 28, False),
        ("68% of the 29", 0.6786, 28, False),
        ("68%, as none does,", 0.6786, 28, True),
        ("1", 0.6786, 28, False),
        ("0 of 175", 0.0, 175, True),
        ("none", 0.0, 175, True),
        ("none of 140", 0.0, 175, False),
        ("no", 0.004, 175, False),
        ("0%", 0.004, 175, False),
        ("1 of 11", 1.0, 11, True),
        ("about", 1.0, 11, False),
        ("not 68%", 0.6786, 28, False),
        ("minus 0.68", 0.6786, 28, False),
        ("no doubt", 0.0, 175, False),
        ("none of it fine; all lost", 0.0, 175, False),
        ("all", 1.0, 100, True),
        ("all 100", 1.0, 100, True),
        ("all 90", 1.0, 100, False),
        ("1e99", 1.0, 100, False),
    ],
)
def test_a_number_must_say_what_the_figure_says(
    text: str, value: float, count: int, right: bool
) -> None:
    wrong = difference(only(f"It is {text} [a: b]"), Figure(value, count))
    assert (not wrong) is right, wrong


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("6.4 seconds", True),
        ("6388 ms", True),
        ("6 s", True),
        ("6.4", True),
        ("6.3 seconds", False),
        ("6.4 ms", False),
        ("6.4 dollars", False),
        ("5.2 to 7.2 seconds", True),
        ("5.2 to 7.3 seconds", False),
    ],
)
def test_units_and_intervals(text: str, right: bool) -> None:
    figure = Figure(6.388, 140, 5.17, 7.16)
    assert (not difference(only(f"{text} [latency: seconds an answer]"), figure)) is right


@pytest.mark.parametrize(
    ("text", "name", "value", "right"),
    [
        ("300 seconds", "minutes until detection", 5, True),
        ("5 hours", "minutes until detection", 5, False),
        ("5 days", "minutes until detection", 5, False),
        ("136 MiB", "MiB of a pod", 136, True),
        ("136 GiB", "MiB of a pod", 136, False),
        ("136 kB", "MiB of a pod", 136, False),
        ("18 requests a minute", "requests a minute of a pod", 18, True),
        ("18 requests a second", "requests a minute of a pod", 18, False),
        ("0.3 requests a second", "requests a minute of a pod", 18, True),
        ("0.5 euros", "dollars a question", 0.5, False),
        ("50 cents", "dollars a question", 0.5, True),
        ("0 false alarms in 20 days", "false alarms a clean day", 0, True),
    ],
)
def test_a_figures_unit_is_in_its_name(text: str, name: str, value: float, right: bool) -> None:
    wrong = difference(only(f"{text} [a: {name}]"), Figure(value, 20))
    assert (not wrong) is right, wrong


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("At most 2.1% succeed", True),
        ("The upper end is 2.1%", True),
        ("They succeed in 2.1%", False),
        ("At most 2.5% succeed", False),
    ],
)
def test_a_bound_needs_a_word_for_it(text: str, right: bool) -> None:
    assert (not difference(only(f"{text} [a: b]"), Figure(0, 175, 0, 0.02148))) is right


def test_a_bare_count_is_told_its_form() -> None:
    assert '"19 of 28"' in difference(only("19 were refused [a: b]"), Figure(0.6786, 28))
