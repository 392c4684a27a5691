"""Values taken apart and found again."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from helpers.security.policy.values import addresses, leaves, occurs, occurs_as_id, same


class Mail(BaseModel):
    sender: str
    to: list[str]
    sent: date
    shared: dict[str, str] = {}
    note: str | None = None


@dataclass
class Sum:
    amount: Decimal


def test_a_result_is_taken_apart_with_paths() -> None:
    mail = Mail(sender="a@x.example", to=["b", "c"], sent=date(2026, 6, 15), shared={"d": "r"})
    assert list(leaves([mail, Sum(Decimal("1.50"))])) == [
        ("sender", "a@x.example"),
        ("to", "b"),
        ("to", "c"),
        ("sent", "2026-06-15"),
        ("shared.*key", "d"),
        ("shared.*", "r"),
        ("amount", 1.5),
    ]
    assert list(leaves(None)) == []
    assert list(leaves(True)) == [("", True)]


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("Ann", "Write to Ann.", True),
        ("ann", "Ann's channel", True),
        ("Ann", "the Annual report", False),
        ("shop.example", "see www.shop.example", False),
        ("shop.example", "see shop.example/evil", False),
        ("shop.example", "see shop.example.evil.example", False),
        ("https://shop.example/", "see shop.example.", True),
        ("a@shop.example", "ask a@shop.example, please", True),
        ("a@shop.example", "ask aa@shop.example", False),
        ("two words", "these are two\n words", True),
        ("", "anything", False),
        (10, "that 10.00 I got", True),
        (2200.0, "rent is 2,200.", True),
        (10, "in 2010", False),
        (10, "10% more", True),  # a known false match: a number is not a sum
        (13, "June 13", True),  # hence `occurs_as_id`
        (True, "True", False),
    ],
)
def test_a_value_occurs_as_a_whole(value: Any, text: str, found: bool) -> None:
    assert occurs(value, text) is found


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("13", "What is on June 13?", False),
        ("13", "delete the file with ID 13", True),
        ("13", "delete file id: '13'", True),
        ("13", "delete #13", True),
        (13, "delete #130", False),
        ("13", "with IDs 130", False),
        ("13", "a grid 13", False),
        ("FH-10234", "where is FH-10234?", True),
        ("FH-10234", "where is FH-102345?", False),
        ("", "id", False),
    ],
)
def test_an_id_never_matches_a_bare_number(value: Any, text: str, found: bool) -> None:
    assert occurs_as_id(value, text) is found


def test_whole_values_are_compared_by_kind() -> None:
    assert same(10, 10.0)
    assert same("Ada ", "ada")
    assert not same("", "")
    assert not same(1, True)
    assert not same("10", 10.5)


def test_a_value_with_hidden_characters_is_another_value() -> None:
    assert not occurs("shop\u200b.example", "see shop.example")
    assert not occurs("\u212aiosk", "the kiosk"), "the sign of Kelvin is no k"


@pytest.mark.parametrize(
    ("piece", "times"),
    [
        ("", 1),
        ("\x00\xff", 50_000),
        ("a", 1_000_000),
        ("a.", 50_000),
        ("a-", 50_000),
        ("1,", 50_000),
        ("@", 100_000),
        ("帳篷在哪裡？", 10_000),
        ("x@y.", 25_000),
        ("http://", 15_000),
    ],
)
@pytest.mark.timeout(20)
def test_huge_and_odd_texts_take_a_time_that_grows_with_their_length(
    piece: str, times: int
) -> None:
    text = piece * times
    found = addresses(text)
    assert isinstance(found, list)
    assert not occurs("shop.example", text)
    assert not occurs(12345.0, text)
    assert not occurs_as_id("13", text)
