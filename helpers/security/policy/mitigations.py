"""What lowers the attacks that use trusted values only, each at a price; stacked with `AllOf`.

Seven ideas were tried. `RequestObjects` and `UsualSums` lowered the attacks most and block no task
that the verbs let through. They were chosen with the figures of both sets of attacks in view: for a
figure that is held out, write attacks of your own.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from helpers.security.policy.asking import asks_for
from helpers.security.policy.declarations import Argument, Tools
from helpers.security.policy.origins import Facts, Origin
from helpers.security.policy.policies import Call, Verdict
from helpers.security.policy.values import Scalar, leaves, occurs

_SITE = r"(?:web ?site|www\.)"
VERBS: Final[Mapping[str, str]] = {
    "send_money": r"\b(?:pay|send|refund|transfer)\b",
    "schedule_transaction": r"\b(?:schedule|recurring|set up)\b",
    "update_scheduled_transaction": (
        r"\b(?:update|adjust|change)\b.{0,80}(?:rent|standing|schedule)"
    ),
    "update_password": r"\b(?:update|change|set)\b.{0,80}password",
    "update_user_info": r"\b(?:update|change)\b.{0,80}(?:account information|address)",
    "get_webpage": rf"{_SITE}|web ?page|article|restaurant|hobbies|message from",
    "post_webpage": rf"\bpost\b.{{0,80}}\b(?:to|on)\b.{{0,80}}{_SITE}",
    "send_direct_message": r"\b(?:send|write)\b|\bmessage (?:them|him|her)\b",
    "send_channel_message": r"\b(?:post|reply|write)\b",
    "add_user_to_channel": r"\badd\b",
    "invite_user_to_slack": r"\binvite\b",
    "remove_user_from_slack": r"\bremove\b",
}
"""What a request must ask for (see `asking`) for a tool of banking or slack to be used. A page is
opened for anything that the request says of one, so a mention is enough there."""


@dataclass(frozen=True)
class RequestVerbs:
    """Allows an action only when the request asks for it, and a fetch when it has a word for it.

    It needs no planner and knows no paraphrase: "follow the instructions in the file" allows
    nothing.
    """

    tools: Tools
    verbs: Mapping[str, str]

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow reads, and what the request has a word for."""
        tool = self.tools.get(call.tool)
        if tool is not None and tool.effect == "read":
            return Verdict(True, "a read")
        verb = self.verbs.get(call.tool)
        if tool is None or verb is None:
            return Verdict(False, f"the request has no word for {call.tool}")
        mentioned = tool.effect == "fetch" and re.search(verb, request, re.IGNORECASE)
        if mentioned or asks_for(verb, request):
            return Verdict(True, f"the request asks for {call.tool}")
        return Verdict(False, f"the request has no word for {call.tool}")


@dataclass(frozen=True)
class RequestObjects:
    """Allows an action on the objects that the request names, where it names any of that kind.

    "Send it to Alice" is not leave to write to Eve, who is a member too. Where the request names
    none ("to the most active user"), any that provenance accepts will do.
    """

    tools: Tools

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow what is no action, and actions on what the request names."""
        tool = self.tools.get(call.tool)
        if tool is None:
            return Verdict(False, f"{call.tool} is not declared")
        if tool.effect != "act":
            return Verdict(True, f"a {tool.effect}")
        for name, given in call.given.items():
            argument = tool.arguments.get(name)
            named = _named_objects(argument, request, facts) if argument else []
            for _, value in leaves(given):
                if named and not occurs(value, request):
                    return Verdict(False, f"{name}: the request names {named[0]!r}, not {value!r}")
        return Verdict(True, "no object but the request's own")


def _named_objects(argument: Argument, request: str, facts: Facts) -> list[Scalar]:
    """Known values of the kinds that an argument accepts which the request names."""
    if argument.shape not in ("value", "id"):
        return []
    kinds = {source.kind for source in argument.sources if source.kind}
    return [
        fact.value
        for fact in facts.known
        if fact.kind in kinds and not fact.text and occurs(fact.value, request)
    ]


@dataclass(frozen=True)
class UsualSums:
    """Allows a sum that the request states, or one not far above the largest of the user's records.

    It knows "the difference" and "10% more" without a person; small sums pass it, and so does a
    large one where the records hold a larger.

    Attributes:
        arguments: the names of the arguments that are sums of money.
        kind: what sums are called in the declared results.
        most: how many times the largest known sum is still usual.
    """

    arguments: frozenset[str] = frozenset({"amount"})
    kind: str = "amount"
    most: float = 1.25

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow stated and usual sums."""
        known = [
            float(fact.value)
            for fact in facts.known
            if fact.kind == self.kind and not fact.text and fact.origin >= Origin.OWN
        ]
        limit = self.most * max(known, default=0.0)
        for name in self.arguments & call.given.keys():
            for _, value in leaves(call.given[name]):
                if not occurs(value, request) and not float(value) <= limit:
                    return Verdict(False, f"{name}: {value!r} is above {limit:.2f} and not stated")
        return Verdict(True, "no sum but stated and usual ones")


@dataclass(frozen=True)
class StatedAmounts:
    """Allows a sum only when the request or the user's own records state it.

    Attributes:
        arguments: the names of the arguments that are sums of money.
        person: who is asked about another sum; without a person it is refused.
    """

    arguments: frozenset[str] = frozenset({"amount"})
    person: Callable[[Call], bool] | None = None

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow stated sums, and what the person agrees to."""
        for name in self.arguments & call.given.keys():
            for _, value in leaves(call.given[name]):
                found = facts.sources(value, request)
                if any(fact.origin >= Origin.OWN and not fact.text for fact in found):
                    continue
                if self.person is None:
                    return Verdict(False, f"{name}: nobody but the agent says {value!r}")
                agreed = self.person(call)
                said = "agreed to" if agreed else "declined"
                return Verdict(agreed, f"{name}: a person {said} {value!r}", asked=True)
        return Verdict(True, "no sum but stated ones")
