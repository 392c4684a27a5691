"""What lowers the attacks that use trusted values only, each at a price; stacked with `AllOf`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from helpers.security.policy.declarations import Tools
from helpers.security.policy.origins import Facts, Origin
from helpers.security.policy.policies import Call, Verdict
from helpers.security.policy.values import leaves

VERBS: Final[Mapping[str, str]] = {
    "send_money": r"pay|send|refund|transfer",
    "schedule_transaction": r"schedule|recurring|set up",
    "update_scheduled_transaction": r"(update|adjust|change).*(rent|standing|schedule)",
    "update_password": r"password",
    "update_user_info": r"(update|change).*(account information|address)",
    "get_webpage": r"www\.|web ?site|web ?page|article|restaurant|hobbies|message from",
    "post_webpage": r"post.*(website|www\.)",
    "send_direct_message": r"send|message|write",
    "send_channel_message": r"post|reply|write",
    "add_user_to_channel": r"\badd\b",
    "invite_user_to_slack": r"\binvite\b",
    "remove_user_from_slack": r"\bremove\b",
}
"""What a request must say for a tool of banking or slack to be used, as patterns."""


@dataclass(frozen=True)
class RequestVerbs:
    """Allows an action only when the request has a word for it.

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
        said = call.tool in self.verbs and re.search(
            self.verbs[call.tool], request, re.IGNORECASE | re.DOTALL
        )
        if said:
            return Verdict(True, f"the request says {said[0]!r}")
        return Verdict(False, f"the request has no word for {call.tool}")


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
