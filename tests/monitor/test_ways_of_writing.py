"""The requests in three ways of writing: enough, of every tool, and a broken file is named."""

from collections import Counter
from pathlib import Path

import pytest

from helpers.monitor.ways_of_writing import (
    Request,
    WaysOfWritingError,
    name_swaps,
    ways_of_writing,
)
from helpers.shop import documents

TOOLS = {"search_documents", "lookup_order", "issue_refund", "hand_over"}


def test_there_are_enough_of_each_tool() -> None:
    requests = ways_of_writing()
    assert len(requests) >= 40
    assert set(Counter(each.tool for each in requests)) == TOOLS
    assert min(Counter(each.tool for each in requests).values()) >= 5


def test_no_wording_occurs_twice_and_order_numbers_agree() -> None:
    requests = ways_of_writing()
    said = [each for r in requests for each in (r.native, r.native_again, r.learner)]
    assert len(set(said)) == len(said)
    for r in requests:
        numbers = [
            {word.strip(".,?") for word in text.split() if word.startswith("FH-")}
            for text in (r.native, r.native_again, r.learner)
        ]
        assert numbers[0] == numbers[1] == numbers[2]


def test_the_documents_exist() -> None:
    named = {each.document for each in ways_of_writing() if each.document}
    assert named <= {each.id for each in documents()}
    assert all(bool(r.document) is (r.tool == "search_documents") for r in ways_of_writing())


def test_name_swaps_differ_in_nothing_but_the_name() -> None:
    swaps = name_swaps()
    assert len(swaps) == 160
    assert {each.tool for each in swaps} == TOOLS
    for each in swaps:
        words = [text.split() for text in (each.native, each.native_again, each.other)]
        assert len({len(one) for one in words}) == 1
        assert sum(a != b for a, b in zip(words[0], words[2], strict=True)) == 1
        assert sum(a != b for a, b in zip(words[0], words[1], strict=True)) == 1


REQUEST = """
requests:
  - {intent: zip, tool: search_documents, native: [How much, What does it cost], learner: price}
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "requests.yaml"
    file.write_text(REQUEST, encoding="utf-8")
    assert ways_of_writing(file) == [
        Request("zip", "search_documents", "How much", "What does it cost", "price")
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no list of requests"),
        ("requests: [", "no list of requests"),
        ("requests: [3]", "request 1"),
        (REQUEST.replace("learner", "student"), "request 1: a field is missing, unknown or wrong"),
        (REQUEST.replace(", What does it cost", ""), "request 1"),
        (REQUEST + REQUEST.split("requests:")[1], "an intent occurs twice"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "requests.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WaysOfWritingError, match=says):
        ways_of_writing(file)


def test_a_missing_file_and_missing_names_are_named(tmp_path: Path) -> None:
    file = tmp_path / "requests.yaml"
    with pytest.raises(WaysOfWritingError, match="restore it"):
        ways_of_writing(file)
    file.write_text(REQUEST, encoding="utf-8")
    with pytest.raises(WaysOfWritingError, match="three lists of one length"):
        name_swaps(file)
