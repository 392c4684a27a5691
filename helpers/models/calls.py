"""The next thing the local model does with its tools: a call, a question back, or an answer.

The plan of `helpers.models.routing` is made anew from the person's last message at every model
call. The calls made since that message are struck off it, and the first step that is left is
made; each model call makes at most one. When no step is left, the model answers. One message
thus leads to a known number of calls, and the loop always ends.

What can reach this decision: the person's messages, what the tools say about themselves, and the
names of the calls already made. The content of tool results, retrieved passages and system
prompts is never read here, so text that an attacker placed in one cannot start, stop, redirect or
change a call. It does reach the answer that the model writes. A hosted model, which chooses its
tools by reading everything, does not have this property.

Hence also the limits: a condition ("refund it if it has not been sent") is not weighed, and no
argument can come from an earlier result. The tools themselves must refuse what is not allowed.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from helpers.loading import getting_ready
from helpers.models import routing
from helpers.models.arguments import Call, fill, identifiers
from helpers.models.classify import Classifier
from helpers.models.normalise import normalised
from helpers.models.tools import ToolCard, card, hide_values

# An answer that is hardly more than an identifier belongs to the request before it.
_FEW_WORDS = 4
_MOST_IDENTIFIERS = 4
# How much less a request may ask for the tool that is called because another lacks a value.
_NEARLY = 0.8


@dataclass(frozen=True)
class Ask:
    """A question back to the person: a tool is wanted, and a value it needs was not given."""

    text: str


def last_human(messages: Sequence[BaseMessage]) -> int:
    """The place of the person's last message; 0 when there is none."""
    places = [place for place, m in enumerate(messages) if isinstance(m, HumanMessage)]
    return places[-1] if places else 0


def decide(
    messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], choice: Any
) -> Call | Ask | None:
    """What to do next; None means: answer.

    Args:
        messages: the conversation.
        tools: the bound tools in OpenAI's format, with the course's `extras`.
        choice: OpenAI's `tool_choice`: None or "auto", "none", "required", or one function.
    """
    said = [
        normalised(message.text)
        for message in reversed(messages)
        if isinstance(message, HumanMessage)
    ]
    if not tools or not said or choice == "none":
        return None
    cards, classifier = _understood(json.dumps(tools, sort_keys=True))
    if isinstance(choice, Mapping):
        name = choice.get("function", choice).get("name")
        return next((_forced(one, said) for one in cards if one.name == name), None)
    made = Counter(
        call["name"]
        for message in messages[last_human(messages) :]
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    )
    calls_made = made.total()
    request = _request(said, cards)
    unfilled: list[_Unfilled] = []
    for call in _filled(routing.plan(request, cards, classifier), said):
        if isinstance(call, _Unfilled):
            unfilled.append(call)
        elif made[call.card.name]:
            made[call.card.name] -= 1
        else:
            return call
    if choice == "required":
        fresh = [one for one in cards if one.name not in made] or cards
        return _forced(max(fresh, key=lambda one: classifier.scores(request)[one.name]), said)
    if unfilled and not calls_made:
        return _instead(unfilled[0], request, said, cards, classifier)
    return None


@dataclass(frozen=True)
class _Unfilled:
    """A step that cannot be made, because the words do not show these required arguments."""

    card: ToolCard
    arguments: list[str]


@lru_cache(maxsize=16)
def _understood(tools: str) -> tuple[list[ToolCard], Classifier]:
    """The cards of tools given as JSON, and the classifier fitted on them."""
    cards = [card(tool) for tool in json.loads(tools)]
    with getting_ready():  # it embeds some 100 texts, once for these tools
        return cards, Classifier(cards)


def _request(said: Sequence[str], cards: Sequence[ToolCard]) -> str:
    """The person's last message, with the one before it when it only supplies an identifier."""
    last = said[0]
    hidden = hide_values(last, cards)
    if len(said) > 1 and hidden != last and len(hidden.split()) <= _FEW_WORDS:
        return f"{said[1]} {last}"
    return last


def _filled(steps: Sequence[routing.Step], said: Sequence[str]) -> Iterator[Call | _Unfilled]:
    for step in steps:
        found = fill(step.card, step.words, said, forced=False)
        if not isinstance(found, Call):
            yield _Unfilled(step.card, found)
            continue
        several = identifiers(step.card, step.words)[:_MOST_IDENTIFIERS]
        for one in several or [{}]:
            yield replace(found, values={**found.values, **one})


def _forced(one: ToolCard, said: Sequence[str]) -> Call | None:
    found = fill(one, said[0], said, forced=True)
    return found if isinstance(found, Call) else None


def _instead(
    wanted: _Unfilled,
    request: str,
    said: Sequence[str],
    cards: Sequence[ToolCard],
    classifier: Classifier,
) -> Call | Ask:
    """Another tool that the request asks for nearly as much and that it fills; or ask."""
    scores = classifier.scores(request)
    least = max(scores[""], scores[wanted.card.name] - _NEARLY)
    for one in sorted(cards, key=lambda one: -scores[one.name]):
        if scores[one.name] > least:
            found = fill(one, request, said, forced=False)
            if isinstance(found, Call):
                return found
    return _ask(wanted)


def _ask(wanted: _Unfilled) -> Ask:
    """Ask the person for arguments of a tool, in the words of their descriptions."""
    said = [
        str(wanted.card.properties[name].get("description") or name.replace("_", " "))
        for name in wanted.arguments
    ]
    return Ask(f"To do that I need {' and '.join(said)}. Could you give me that, please?")
