"""What a policy is, and the simple ones: each decides one call before it is made.

A policy sees the call, the user's request and what was read so far, and nothing else. It asks no
model, so a compromised model cannot talk it round.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from helpers.security.policy.declarations import Effect, Tools
from helpers.security.policy.origins import Facts
from helpers.security.policy.values import leaves, occurs


@dataclass(frozen=True)
class Call:
    """A call that the agent wants to make; an argument that is None counts as left out."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, Any]:
        """The arguments that are not left out."""
        return {name: value for name, value in self.arguments.items() if value is not None}

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.given.items())
        return f"{self.tool}({given})"


@dataclass(frozen=True)
class Verdict:
    """What a policy decides, and why.

    Attributes:
        allowed: whether the call may be made.
        reason: in words, for the log and for whoever has to understand a refusal.
        asked: whether a person was asked.
    """

    allowed: bool
    reason: str
    asked: bool = False


@runtime_checkable
class Policy(Protocol):
    """Decides calls, one at a time, from what it is given alone."""

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Whether the call may be made.

        Args:
            call: what the agent wants to do.
            request: the user's own words.
            facts: what was read before this call.
        """
        ...


_READ: frozenset[Effect] = frozenset({"read"})
READS_AND_FETCHES: frozenset[Effect] = frozenset({"read", "fetch"})


@dataclass(frozen=True)
class NoPolicy:
    """Allows everything: what the others are compared with."""

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow it."""
        return Verdict(True, "no policy")


@dataclass(frozen=True)
class ReadOnly:
    """Allows reading only.

    Attributes:
        tools: what each tool does.
        free: the effects that count as reading. A fetch of any URL hands data to whoever is asked.
    """

    tools: Tools
    free: frozenset[Effect] = _READ

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow a read."""
        return _effect(self.tools, call, self.free) or Verdict(False, "not a read")


@dataclass(frozen=True)
class TaintLock:
    """Allows no action any more once any text was read."""

    tools: Tools

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow reads, and actions before the first text."""
        free = _effect(self.tools, call, _READ)
        if free:
            return free
        if facts.tainted:
            return Verdict(False, "an action after text was read")
        return Verdict(True, "nothing was read yet that could carry orders")


@dataclass(frozen=True)
class ArgumentGrounding:
    """After text was read, allows an action only when all its arguments stand in the request."""

    tools: Tools

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow reads, actions before the first text, and actions with the user's own values."""
        free = _effect(self.tools, call, _READ)
        if free:
            return free
        if not facts.tainted:
            return Verdict(True, "nothing was read yet that could carry orders")
        for name, given in call.given.items():
            for _, value in leaves(given):
                if not occurs(value, request):
                    return Verdict(False, f"{name}: {value!r} is not in the request")
        return Verdict(True, "every argument is in the request")


@dataclass(frozen=True)
class AllowList:
    """Allows the tools that were chosen for the request before anything was read."""

    plan: frozenset[str]

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow what is in the plan."""
        planned = call.tool in self.plan
        return Verdict(planned, "planned" if planned else f"{call.tool} is not in the plan")


@dataclass(frozen=True)
class HumanApproval:
    """Asks a person about every call that is more than a read.

    Attributes:
        tools: what each tool does.
        person: says yes or no to a call.
        free: the effects that nobody is asked about.
    """

    tools: Tools
    person: Callable[[Call], bool]
    free: frozenset[Effect] = _READ

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow reads, and what the person agrees to."""
        free = _effect(self.tools, call, self.free)
        if free:
            return free
        agreed = self.person(call)
        return Verdict(agreed, "a person agreed" if agreed else "a person declined", asked=True)


@dataclass(frozen=True)
class Provenance:
    """Allows a call when every argument comes from where its declaration accepts it from.

    In the spirit of CaMeL (Debenedetti et al. 2025, arXiv:2503.18813), which tracks data through
    an interpreter; here the origin of a value is found by comparing it with what was read.
    """

    tools: Tools

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Allow a declared tool that was asked for, with arguments of accepted origins."""
        tool = self.tools.get(call.tool)
        if tool is None:
            return Verdict(False, f"{call.tool} is not declared")
        not_asked = tool.objection(request)
        if not_asked:
            return Verdict(False, f"{call.tool}: {not_asked}")
        for name, given in call.given.items():
            argument = tool.arguments.get(name)
            if argument is None:
                return Verdict(False, f"{name} is not declared for {call.tool}")
            objection = argument.objection(given, request, facts)
            if objection:
                return Verdict(False, f"{name}: {objection}")
        return Verdict(True, "every argument has an origin that it accepts")


@dataclass(frozen=True)
class AllOf:
    """Allows what all of several policies allow; the first refusal is the reason.

    Put one that asks a person last: nobody is asked about what the others refuse.
    """

    policies: Sequence[Policy]

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """Ask them in turn."""
        verdicts: list[Verdict] = []
        for policy in self.policies:
            verdicts.append(policy.decide(call, request, facts))
            if not verdicts[-1].allowed:
                break
        last = verdicts[-1] if verdicts else Verdict(False, "no policy allows it")
        return Verdict(last.allowed, last.reason, any(each.asked for each in verdicts))


@dataclass(frozen=True)
class Decided:
    """A policy made of a function with the arguments of `Policy.decide`."""

    authorize: Callable[[Call, str, Facts], Verdict]

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """What the function says."""
        return self.authorize(call, request, facts)


def _effect(tools: Tools, call: Call, free: frozenset[Effect]) -> Verdict | None:
    """A yes for a call whose effect is free, a no for an unknown tool, else None."""
    tool = tools.get(call.tool)
    if tool is None:
        return Verdict(False, f"{call.tool} is not declared")
    return Verdict(True, f"a {tool.effect}") if tool.effect in free else None
