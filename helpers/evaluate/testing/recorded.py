"""One recorded answer in the form of an evaluator: inputs, outputs and reference outputs.

The messages are OpenAI's, as `langchain_core.messages.convert_to_openai_messages` gives them from
an agent's state, and as agentevals takes them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Messages = list[dict[str, Any]]


class Made(NamedTuple):
    """A tool call: the tool's name, its arguments, and what it returned."""

    name: str
    args: Mapping[str, Any]
    result: str = ""


@dataclass(frozen=True)
class Recorded:
    """A question, what an agent did with it, and what a right answer is.

    Attributes:
        question: what the customer wrote.
        customer: who is logged in; None is a guest.
        states: what a right answer states: of each group at least one text.
        never: what no right answer states.
        expected: the tool calls of a right trajectory; their results are empty.
        calls: the tool calls that were made.
        answer: what the customer reads.
        seconds: how long that took.
        kind: the kind of question.
        notes: what the assistant says along with its calls.
        together: whether one message has all calls, of those made and of those expected, and the
            expected messages begin with the question.
    """

    question: str
    customer: str | None
    states: tuple[tuple[str, ...], ...]
    never: tuple[str, ...]
    expected: tuple[Made, ...]
    calls: tuple[Made, ...]
    answer: str
    seconds: float
    kind: str = ""
    notes: str = ""
    together: bool = False

    @property
    def inputs(self) -> dict[str, Any]:
        """An evaluator's `inputs`: `question` and `customer`."""
        return {"question": self.question, "customer": self.customer}

    @property
    def outputs(self) -> dict[str, Any]:
        """An evaluator's `outputs`: `answer`, `messages` and `seconds`."""
        return {
            "answer": self.answer,
            "messages": [
                {"role": "user", "content": self.question},
                *called(self.calls, together=self._sizes(self.calls), content=self.notes),
                {"role": "assistant", "content": self.answer},
            ],
            "seconds": self.seconds,
        }

    @property
    def reference_outputs(self) -> dict[str, Any]:
        """An evaluator's `reference_outputs`: `states`, `never` and the expected `messages`."""
        asked = [{"role": "user", "content": self.question}] if self.together else []
        expected = called(self.expected, together=self._sizes(self.expected), results=False)
        return {
            "states": [list(group) for group in self.states],
            "never": list(self.never),
            "messages": [*asked, *expected],
        }

    def _sizes(self, calls: Sequence[Made]) -> Sequence[int]:
        return [len(calls)] if self.together and calls else ()


def calls_in(messages: Messages) -> list[tuple[str, dict[str, Any]]]:
    """The name and arguments of each call that the messages make, in order."""
    return [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for message in messages
        for call in message.get("tool_calls") or ()
    ]


def called(
    calls: Sequence[Made],
    *,
    together: Sequence[int] = (),
    results: bool = True,
    content: str = "",
) -> Messages:
    """Messages with these tool calls in their order.

    Args:
        calls: the calls, each with its result.
        together: how many calls each message has; one each by default.
        results: whether each message with calls is followed by the tools' results.
        content: what each message with calls says.
    """
    messages: Messages = []
    place = 0
    for size in together or [1] * len(calls):
        part = calls[place : place + size]
        ids = [f"call_{number}" for number in range(place + 1, place + len(part) + 1)]
        place += size
        asked = [
            {
                "type": "function",
                "id": call_id,
                "function": {"name": call.name, "arguments": json.dumps(dict(call.args))},
            }
            for call_id, call in zip(ids, part, strict=True)
        ]
        messages.append({"role": "assistant", "content": content, "tool_calls": asked})
        if results:
            messages += [
                {"role": "tool", "tool_call_id": call_id, "content": call.result}
                for call_id, call in zip(ids, part, strict=True)
            ]
    return messages
