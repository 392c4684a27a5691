"""What a tool may say about itself for the local model, and mistakes in it."""

from typing import Any

import pytest
from langchain_core.tools import tool

from helpers.models.chat import LocalChatModel
from helpers.models.errors import BadTool
from helpers.models.tools import card, hide_values


def _tool(extras: Any, properties: dict[str, Any] | None = None) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties or {"days": {"type": "integer"}}}
    return {
        "type": "function",
        "function": {"name": "wait", "description": "Wait.", "parameters": parameters},
        "extras": extras,
    }


def test_examples_may_name_their_arguments() -> None:
    found = card(_tool({"examples": ["Wait!", {"text": "Wait 2 days", "args": {"days": 2}}]}))
    assert [(example.text, example.args) for example in found.examples] == [
        ("Wait!", {}),
        ("Wait 2 days", {"days": 2}),
    ]


def test_a_pattern_of_the_schema_is_looked_for_inside_sentences_in_any_case() -> None:
    found = card(_tool({}, {"id": {"type": "string", "pattern": r"^P-\d{3}$"}}))
    assert hide_values("Is p-123 here? And P-9999, XP-123?", [found]) == (
        "Is it here? And P-9999, XP-123?"
    )


@pytest.mark.parametrize(
    ("extras", "sentence"),
    [
        ({"verbatim": ["hours"]}, "name an argument 'hours': it has days"),
        ({"written": {"hours": r"\d+"}}, "name an argument 'hours': it has days"),
        ({"examples": [{"text": "x", "args": {"hours": 1}}]}, "name an argument 'hours'"),
        ({"written": {"days": "("}}, "is no regular expression"),
        ({"examples": "Wait!"}, "make examples a list"),
        ({"verbatim": "days"}, "make verbatim a list"),
        ({"written": ["days"]}, "make written a dict"),
        ({"default": "yes"}, "make default a bool"),
        ({"examples": [3]}, "is neither a text nor a"),
    ],
)
def test_a_mistake_in_the_extras_says_what_to_mend(extras: Any, sentence: str) -> None:
    with pytest.raises(BadTool, match=sentence):
        card(_tool(extras))


def test_a_mistake_is_reported_when_tools_are_bound() -> None:
    @tool(extras={"verbatim": ["question"]})
    def ask(query: str) -> str:
        """Ask."""
        return query

    with pytest.raises(BadTool, match="'question': it has query"):
        LocalChatModel().bind_tools([ask])
