"""How the local model is asked for JSON: the missing arguments of a call."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from helpers.models.arguments import Call
from helpers.models.errors import Unfinished
from helpers.models.json_answers import bounded, instruction

_COPY = "Copy the asked values out of the request."
_MOST_TOKENS = 400
_MOST_EXAMPLES = 3

# Shown when a tool has no example of its own that names the missing arguments. On 23 requests of
# other assistants this model copied 15 values rightly without examples, 19 with these three, and
# 22 with two examples of the tool's own.
_ANY_TOOL = (
    (
        "Please tell my sister Rosa the news",
        {"recipient": "who gets the message"},
        {"recipient": "Rosa"},
    ),
    (
        "I would like to fly from Oslo to Bern",
        {"destination": "where the flight goes"},
        {"destination": "Bern"},
    ),
    ("Lend the red bicycle to my neighbour", {"thing": "what is lent"}, {"thing": "red bicycle"}),
)


def _question(text: str, wanted: Mapping[str, str]) -> str:
    return "\n".join([f"Request: {text}", *(f"{n} ({about})?" for n, about in wanted.items())])


def prompt(call: Call) -> list[BaseMessage]:
    """The conversation that asks the model for the missing arguments of a call."""
    if call.forced:
        return [HumanMessage(f"{call.words}\n\n{instruction(_schema(call))}")]
    wanted = {
        name: str(call.card.properties[name].get("description") or name.replace("_", " "))
        for name in call.missing
    }
    shown = [
        (example.text, wanted, {name: example.args[name] for name in wanted})
        for example in call.card.examples
        if wanted.keys() <= example.args.keys()
    ]
    turns: list[BaseMessage] = [SystemMessage(_COPY)]
    for text, asked, values in shown[:_MOST_EXAMPLES] or _ANY_TOOL:
        answer = json.dumps(values, ensure_ascii=False)
        turns += [HumanMessage(_question(text, asked)), AIMessage(answer)]
    return [*turns, HumanMessage(_question(call.words, wanted))]


def _schema(call: Call) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": dict(call.missing),
        "required": list(call.missing),
        "additionalProperties": False,
    }
    if "$defs" in call.card.schema:
        schema["$defs"] = call.card.schema["$defs"]
    return schema


def options(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request whose answer must be JSON with the missing arguments.

    The schema goes into llama.cpp's own field: OpenAI's `response_format` would make the client
    parse the reply as well.
    """
    extra = {**body, "json_schema": bounded(_schema(call))}
    return {"extra_body": extra, "max_tokens": _MOST_TOKENS}


def parse(call: Call, text: str) -> dict[str, Any]:
    """The decoded arguments; `Unfinished` when the model ran out of room for them."""
    try:
        values: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise Unfinished(
            f"The local model did not finish the arguments of the tool {call.card.name} within "
            f"{_MOST_TOKENS} tokens: give its schema fewer or shorter fields (maxLength, maxItems)."
        ) from error
    return values
