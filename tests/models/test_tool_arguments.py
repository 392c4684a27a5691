"""Arguments come from what the person wrote, or they do not come at all."""

from typing import Any

import pytest

from helpers.models.arguments import Call, fill, identifiers
from helpers.models.tools import ToolCard, card

ID = {"type": "string", "pattern": r"^P-\d{3}$", "description": "the parcel's number"}

SAMPLED = {**ID, "description": "the parcel's number, such as P-100"}


def _card(required: list[str] | None = None, extras: Any = None, **properties: Any) -> ToolCard:
    needed = list(properties) if required is None else required
    parameters = {"type": "object", "properties": properties, "required": needed}
    return card({"function": {"name": "send", "parameters": parameters}, "extras": extras or {}})


def _fill(one: ToolCard, words: str, *earlier: str) -> Call | list[str]:
    return fill(one, words, [words, *earlier], forced=False)


def _values(one: ToolCard, words: str, *earlier: str) -> dict[str, Any]:
    found = _fill(one, words, *earlier)
    assert isinstance(found, Call)
    assert not found.missing
    return dict(found.values)


@pytest.mark.parametrize("words", ["Where is P-123?", "where is p-123", "P-123!", "(P-123)"])
def test_an_identifier_is_found_in_any_case(words: str) -> None:
    assert _values(_card(id=ID), words) == {"id": "P-123"}


@pytest.mark.parametrize(
    "words", ["Where is P-1234?", "XP-123", "P-12", "Where is it?", "I paid 123", "the Alta 123"]
)
def test_what_is_no_identifier_is_not_taken_for_one(words: str) -> None:
    assert _fill(_card(id=SAMPLED), words) == ["id"]


@pytest.mark.parametrize(
    "words", ["parcel 123", "Parcel no. 123", "number: 123", "P 123", "p123", "parcel #123"]
)
def test_digits_behind_a_word_for_it_are_an_identifier_where_a_sample_is_shown(words: str) -> None:
    assert _values(_card(id=SAMPLED), words) == {"id": "P-123"}
    by_example = _card(extras={"examples": ["Where is parcel P-999?"]}, id=ID)
    assert _values(by_example, words) == {"id": "P-123"}
    assert _fill(_card(id=ID), words) == ["id"]


def test_the_nearest_earlier_identifier_is_meant_by_it() -> None:
    one = _card(id=ID)
    assert _values(one, "Send it back", "P-222 is broken", "Where is P-111?") == {"id": "P-222"}


def test_several_identifiers_are_several_calls() -> None:
    assert identifiers(_card(id=ID), "P-111, p-222 and P-111 again") == [
        {"id": "P-111"},
        {"id": "P-222"},
    ]


def test_a_number_is_taken_when_it_is_the_only_one_and_no_part_of_an_identifier() -> None:
    one = _card(id=ID, amount={"type": "number"})
    assert _values(one, "Pay 12.50 for P-123") == {"id": "P-123", "amount": 12.5}
    assert _values(_card(minutes={"type": "integer"}), "in forty minutes") == {"minutes": 40}


def test_an_optional_number_that_was_not_given_is_left_out() -> None:
    optional = {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None}
    one = _card(required=["id"], id=ID, amount=optional)
    assert _values(one, "Refund P-123") == {"id": "P-123"}
    assert _values(one, "Refund 10 for P-123") == {"id": "P-123", "amount": 10.0}


def test_an_argument_that_is_written_in_a_certain_way_is_found_that_way_only() -> None:
    one = _card(
        required=["id"],
        extras={"written": {"amount": r"£\s?(\d+(?:\.\d\d)?)"}},
        id=ID,
        amount={"type": "number"},
    )
    assert _values(one, "I bought P-123 3 days ago, refund £ 4.50") == {
        "id": "P-123",
        "amount": 4.5,
    }
    assert _values(one, "I bought P-123 3 days ago") == {"id": "P-123"}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("Pay 1,250 for P-123", {"amount": 1250.0}),
        ("Pay 1,250.50 for P-123.", {"amount": 1250.5}),
        # A comma that separates no thousands may mean anything, and so may two numbers.
        ("Pay 1,50 for P-123", {}),
        ("Pay 2,75 for P-123", {}),
        ("Pay 1.250,00 for P-123", {}),
        ("Pay 12.05.2026 for P-123", {}),
        ("Pay -5 for P-123", {}),
        ("Pay 5k for P-123", {}),
        ("Pay 10-20 for P-123", {}),
        ("Pay 10 or 20 for P-123", {}),
    ],
)
def test_a_number_is_read_whole_or_not_at_all(words: str, values: dict[str, Any]) -> None:
    optional = {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None}
    one = _card(required=["id"], id=ID, amount=optional)
    assert _values(one, words) == {"id": "P-123", **values}


def test_a_whole_number_is_not_made_of_a_fraction() -> None:
    nights = _card(nights={"type": "integer"})
    assert _fill(nights, "I stay 2.5 nights") == ["nights"]
    assert _values(nights, "I stay 2.0 nights") == {"nights": 2}


def test_of_two_different_values_neither_is_taken_as_written() -> None:
    one = _card(
        required=["id"],
        extras={"written": {"amount": r"£(\d+)"}},
        id=ID,
        amount={"type": "number"},
    )
    assert _values(one, "P-123: I paid £250, refund £12") == {"id": "P-123"}
    assert _values(one, "P-123: refund £12, I said £12") == {"id": "P-123", "amount": 12.0}
    found = fill(one, "refund it", ["refund it", "I paid £250 for P-123"], forced=False)
    assert isinstance(found, Call)
    assert found.values == {"id": "P-123"}, "a sum of an earlier message is not this one's"


def test_verbatim_arguments_are_the_words_themselves() -> None:
    one = _card(extras={"verbatim": ["query"]}, query={"type": "string"})
    assert _values(one, "What's up, doc?") == {"query": "What's up, doc?"}


def test_a_quoted_text_is_the_first_missing_text() -> None:
    one = _card(title={"type": "string"}, shelf={"type": "string"})
    found = _fill(one, "Put 'The Hobbit' on the top shelf, it's the students' favourite")
    assert isinstance(found, Call)
    assert found.values == {"title": "The Hobbit"}
    assert list(found.missing) == ["shelf"]


def test_a_missing_text_may_only_be_a_piece_of_the_request() -> None:
    found = _fill(_card(city={"type": "string"}), "Send the red parcel to New York, please.")
    assert isinstance(found, Call)
    offers = found.missing["city"]["enum"]
    assert {"New York", "red parcel", "Send the red parcel"} <= set(offers)
    assert not {"the red parcel", "please", "York, please"} & set(offers)


def test_values_of_an_enum_are_taken_when_named() -> None:
    one = _card(speed={"type": "string", "enum": ["slow", "fast", "express"]})
    assert _values(one, "send it FAST") == {"speed": "fast"}
    both = _fill(one, "fast or express?")
    assert isinstance(both, Call)
    assert both.missing["speed"]["enum"] == ["fast", "express"]


def test_what_nobody_wrote_leaves_the_tool_uncalled() -> None:
    assert _fill(_card(id=ID, minutes={"type": "integer"}), "Set a timer") == ["id", "minutes"]


def test_a_caller_who_forces_the_call_lets_the_model_write() -> None:
    one = _card(minutes={"type": "integer"}, note={"type": "string"})
    found = fill(one, "Hello!", ["Hello!"], forced=True)
    assert isinstance(found, Call)
    assert found.missing == {"minutes": {"type": "integer"}, "note": {"type": "string"}}
