"""Schemas that end, and the words that tell the model about them."""

from typing import Literal

from pydantic import BaseModel, Field

from helpers.models.json_answers import bounded, bounded_class, instruction, plain


class Item(BaseModel):
    """One item"""

    title: str = Field(description="the title")
    size: Literal["small", "large"]


class Box(BaseModel):
    items: list[Item]
    boxes: "list[Box]" = []
    best: Item | None = None
    code: str = Field(pattern=r"^B\d$")


def test_texts_and_lists_get_an_end_and_given_limits_stay() -> None:
    schema = {
        "type": "object",
        "properties": {
            "free": {"type": "string"},
            "short": {"type": "string", "maxLength": 5},
            "coded": {"type": "string", "pattern": "^a$"},
            "list": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        },
    }
    assert bounded(schema)["properties"] == {
        "free": {"type": "string", "maxLength": 160},
        "short": {"type": "string", "maxLength": 5},
        "coded": {"type": "string", "pattern": "^a$"},
        "list": {
            "type": "array",
            "maxItems": 8,
            "items": {"anyOf": [{"type": "string", "maxLength": 160}, {"type": "null"}]},
        },
    }
    assert "maxLength" not in schema["properties"]["free"]


def test_the_instruction_names_every_field_of_a_class_that_holds_itself() -> None:
    lines = instruction(Box.model_json_schema()).splitlines()
    assert lines[:4] == [
        "Answer with a JSON object with these fields:",
        "- items: a list, each One item",
        "  - title: the title",
        "  - size: string: small or large",
    ]
    assert "- code: string" in lines
    assert len(lines) < 60


def test_an_answer_comes_back_in_the_callers_own_class() -> None:
    kind = bounded_class(Item)
    assert kind.model_json_schema()["properties"]["title"]["maxLength"] == 160
    answer = plain(kind(title="tent", size="small"))
    assert type(answer) is Item
    assert answer == Item(title="tent", size="small")
    assert plain({"title": "tent"}) == {"title": "tent"}
    assert plain(None) is None
