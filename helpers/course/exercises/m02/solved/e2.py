# Written by `course build` from solutions/src/02_evaluate_before_shipping.py: change it there.
# The exercise's own cell.
import json

READINGS = {"search_documents", "lookup_order"}

def calls_of(run: dict) -> list[tuple[str, dict]]:
    return [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for message in run["messages"]
        for call in message.get("tool_calls") or []
    ]

def fits(value: object, wanted: object) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, str) and value.strip().lower() == wanted.strip().lower()
    try:
        return float(value) == wanted
    except (TypeError, ValueError):
        return False


def right_way(outputs: dict, reference_outputs: dict) -> bool:
    """Whether the expected calls were made in order, and nothing else was done."""
    waiting = calls_of(reference_outputs)
    for name, arguments in calls_of(outputs):
        wanted_name, wanted = waiting[0] if waiting else (None, {})
        if name == wanted_name and all(
            fits(arguments.get(key), value) for key, value in wanted.items()
        ):
            waiting.pop(0)
        elif name not in READINGS:
            return False
    return not waiting
ANSWER = right_way
