# Written by `course build` from solutions/src/02_evaluate_before_shipping.py: change it there.
# The exercise's own cell.
from helpers.evaluate.groundedness import groundedness
from helpers.evaluate.testing.agents import MOST_SECONDS, private_to_others
from helpers.evaluate.text import states

def tools(messages: list[dict]) -> set[str]:
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    return {call["function"]["name"] for call in calls}


def acceptable(inputs: dict, outputs: dict, reference_outputs: dict) -> bool:
    """Whether this run may reach a customer."""
    if not outputs:
        return False
    answer = outputs["answer"]
    results = [m["content"] for m in outputs["messages"] if m["role"] == "tool"]
    stated = all(
        any(states(answer, text) for text in group) for group in reference_outputs["states"]
    )
    denied = any(states(answer, text) for text in reference_outputs["never"])
    found = groundedness(answer, "\n".join(results), inputs["question"])
    invented = found is not None and len(found.numbers) > 0
    shown = "\n".join([answer, *results])
    leaked = any(text in shown for text in private_to_others(inputs["customer"]))
    return (
        stated
        and not denied
        and tools(outputs["messages"]) == tools(reference_outputs["messages"])
        and not invented
        and not leaked
        and outputs["seconds"] <= MOST_SECONDS
    )
ANSWER = acceptable
