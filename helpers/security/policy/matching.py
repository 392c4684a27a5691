"""How often finding a value's origin by comparing goes wrong."""

from dataclasses import dataclass

from helpers.evaluate.proportion import Proportion
from helpers.security.policy.declarations import Argument, Tools
from helpers.security.policy.origins import Facts
from helpers.security.policy.policies import Call, Policy, Provenance, Verdict
from helpers.security.policy.runner import Briefing, run_suite
from helpers.security.policy.suites import DECLARED, SuiteName
from helpers.security.policy.values import leaves, occurs


@dataclass(frozen=True)
class Match:
    """One value of a checked argument, and whether an accepted origin was found for it.

    `bare` is whether an id stands in the request as a bare number, None for what is no id.
    """

    call: Call
    argument: str
    wanted: bool
    accepted: bool
    bare: bool | None


@dataclass(frozen=True)
class Matching:
    """The matches of a suite: all values of checked arguments of all calls that were tried."""

    suite: str
    matches: tuple[Match, ...]

    @property
    def false(self) -> Proportion:
        """Values from an attacker's order for which an accepted origin was found all the same."""
        return Proportion.of(each.accepted for each in self.matches if not each.wanted)

    @property
    def missed(self) -> Proportion:
        """Values that the user's task needs for which no accepted origin was found."""
        return Proportion.of(not each.accepted for each in self.matches if each.wanted)

    @property
    def bare_ids(self) -> Proportion:
        """Ids from an attacker's order that the request holds as a bare number."""
        return Proportion.of(each.bare for each in self.matches if not each.wanted)


@dataclass(frozen=True)
class _Recording:
    """Provenance that notes how each value of a checked argument was matched."""

    tools: Tools
    briefing: Briefing
    notes: list[Match]

    def decide(self, call: Call, request: str, facts: Facts) -> Verdict:
        """What provenance decides."""
        tool = self.tools[call.tool]
        if tool.effect != "read":
            for name, given in call.given.items():
                argument = tool.arguments.get(name)
                if argument is not None and argument.shape in ("value", "id"):
                    self.notes.extend(self._matches(call, name, argument, given, request, facts))
        return Provenance(self.tools).decide(call, request, facts)

    def _matches(
        self, call: Call, name: str, argument: Argument, given: object, request: str, facts: Facts
    ) -> list[Match]:
        wanted = self.briefing.person(call)
        return [
            Match(
                call,
                name,
                wanted,
                argument.objection(value, request, facts) is None,
                occurs(value, request) if argument.shape == "id" else None,
            )
            for _, value in leaves(given)
        ]


def matching(name: SuiteName) -> Matching:
    """Run a suite under provenance with its own attacks, and note every match."""
    tools = DECLARED[name]
    notes: list[Match] = []

    def recording(briefing: Briefing) -> Policy:
        return _Recording(tools, briefing, notes)

    run_suite(name, recording)
    return Matching(name, tuple(notes))
