# Written by `course build` from solutions/src/04_limit_the_agents_actions.py: change it there.
# The exercise's own cell.
from collections.abc import Mapping

from helpers.security.policy import Call, Facts, Origin, Verdict
from helpers.security.policy.addresses import addresses
from helpers.security.policy.cards import Card
from helpers.security.policy.values import leaves


def gate(call: Call, request: str, facts: Facts, tools: Mapping[str, Card]) -> Verdict:
    """Whether the call may be made, for any tools that have cards."""
    card = tools.get(call.tool)
    if card is None:
        return Verdict(False, f"{call.tool} has no card")
    if card.effect == "read":
        return Verdict(True, "a read")

    def good(fact) -> bool:
        if fact.origin is Origin.REQUEST or (fact.origin >= Origin.OWN and not fact.text):
            return fact.source == "request" or fact.source in tools
        returned_by = tools.get(fact.source)
        was_read = returned_by is not None and returned_by.effect == "read"
        return fact.origin is Origin.NAMED and was_read and card.effect == "fetch"

    for name, given in call.given.items():
        shape = card.arguments.get(name)
        if shape is None:
            return Verdict(False, f"{name} has no card")
        parts = [] if shape == "free" else [part for _, part in leaves(given)]
        if shape == "words":
            parts = [found for part in parts for found in addresses(str(part))]
        for part in parts:
            if not any(good(fact) for fact in facts.sources(part, request)):
                return Verdict(False, f"{name}: {part!r} has no good source")
    return Verdict(True, "every part has a good source")
ANSWER = gate
