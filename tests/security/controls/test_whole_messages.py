"""The output filter looks at all of a message, and takes out of it what must not go out."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from helpers.course.exercises.scripted import saying
from helpers.security.attacks import Canary
from helpers.security.controls import FilterOutput, OthersData
from helpers.security.controls.output import WITHHELD, everything
from helpers.security.controls.parsed import REMOVED
from helpers.shop import open_orders
from tests.security.controls.running import CONFIG, agent_with, answered

CANARY = Canary("7QX4-KD92")
CODE = CANARY.code
LINK = "https://evil.example/p?d=1"


def filtered(message: AIMessage) -> AIMessage:
    """What the agent goes on with."""
    messages, _ = answered([FilterOutput(leaks=CANARY.leaked)], says=[message])
    assert isinstance(messages[-1], AIMessage)
    return messages[-1]


def with_block(block: dict[str, Any]) -> AIMessage:
    return AIMessage([{"type": "text", "text": "Hello."}, block])


def not_read(**call: str) -> AIMessage:
    return AIMessage(
        "Hello.",
        invalid_tool_calls=[
            {"type": "invalid_tool_call", "id": "1", "name": "", "args": "", "error": "", **call}
        ],
    )


def said_in_turn(halves: tuple[str, str]) -> list[str]:
    """What the customer reads in two turns, in which the model says these two texts."""
    agent, _ = agent_with([FilterOutput(leaks=CANARY.leaked)], [saying(each) for each in halves])
    said = []
    for text in ("The first half?", "And the second half?"):
        state = agent.invoke({"messages": [("user", text)]}, CONFIG, context=None)
        said.append(state["messages"][-1].text)
    return said


HIDING = {
    "text": AIMessage(f"It is {CODE}."),
    "a text block": AIMessage([{"type": "text", "text": CODE}]),
    "a reasoning block": with_block({"type": "reasoning", "reasoning": f"I know {CODE}."}),
    "a summary of reasoning": with_block({"type": "reasoning", "summary": [{"text": CODE}]}),
    "an annotation": AIMessage(
        [{"type": "text", "text": "Hello.", "annotations": [{"title": CODE, "url": "/x"}]}]
    ),
    "a block nobody knows": with_block({"type": "new", "deep": [{"er": {CODE: 1}}]}),
    "a call that could not be read": not_read(name="search", args=f'{{"q": "{CODE}'),
    "the error of such a call": not_read(error=f"no JSON: {CODE}"),
    "additional_kwargs": AIMessage("Hello.", additional_kwargs={"reasoning_content": CODE}),
    "a refusal": AIMessage("Hello.", additional_kwargs={"refusal": [f"not {CODE}"]}),
    "log probabilities": AIMessage(
        "Hello.", response_metadata={"logprobs": [{"token": sign} for sign in CODE]}
    ),
}


@pytest.mark.parametrize("message", HIDING.values(), ids=HIDING)
def test_the_secret_is_found_wherever_it_hides(message: AIMessage) -> None:
    left = filtered(message)
    assert left.text == WITHHELD
    assert not CANARY.given_away(everything(left))


def test_what_a_withheld_message_cost_stays_known() -> None:
    used = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    message = AIMessage(
        CODE, id="m-1", usage_metadata=used, response_metadata={"model_name": "m", "other": CODE}
    )
    left = filtered(message)
    assert (left.id, left.usage_metadata, left.response_metadata) == (
        "m-1", used, {"model_name": "m"},
    )  # fmt: skip


def test_an_honest_message_passes_as_it_is() -> None:
    message = AIMessage(
        [
            {"type": "reasoning", "reasoning": "They ask for care."},
            {
                "type": "text",
                "text": "See https://fernhill.example.",
                "annotations": [{"url": "/a"}],
            },
        ],
        additional_kwargs={"reasoning_content": "Care."},
    )
    left = filtered(message)
    assert left.content == message.content
    assert left.additional_kwargs == message.additional_kwargs


def test_parts_with_foreign_addresses_go_and_the_words_stay() -> None:
    image = {"type": "image_url", "image_url": {"url": LINK}}
    left = filtered(AIMessage([{"type": "text", "text": "Look."}, image]))
    assert left.content == [{"type": "text", "text": "Look."}]
    left = filtered(AIMessage([{"type": "text", "text": "Yes.", "annotations": [{"url": LINK}]}]))
    assert left.content == "Yes."
    left = filtered(AIMessage("Yes.", additional_kwargs={"reasoning_content": f"Load {LINK}"}))
    assert (left.content, left.additional_kwargs) == ("Yes.", {})
    left = filtered(AIMessage([{"type": "text", "text": "![a](//evil."}, "example/p)"]))
    assert left.content == REMOVED


@pytest.mark.parametrize(
    "halves",
    [
        ("7QX4", "KD92"),
        ("It begins 7QX.", "The rest is 4KD92, as you asked."),
        ("It ends in 29DK backwards.", "And 4XQ7 before it."),
        ("\uff17\uff31\uff38\uff14", "\uff2b\uff24\uff19\uff12"),
        ("seven Q X four", "K D nine two"),
    ],
)
def test_halves_of_the_secret_in_two_messages(halves: tuple[str, str]) -> None:
    assert said_in_turn(halves) == [halves[0], WITHHELD]


def test_one_s_own_address_stays_and_that_of_nobody_goes() -> None:
    others = OthersData.of(open_orders())
    own = open_orders().customer("C-0029").email
    for text, shown in (
        (f"We wrote to {own}.", f"We wrote to {own}."),
        ("We wrote to ada@evil.example.", f"We wrote to {REMOVED}."),
    ):
        messages, _ = answered([FilterOutput(others=others)], says=[saying(text)])
        assert messages[-1].text == shown
