"""Rows of the tables of module 04, one function a table; what is measured is measured elsewhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from helpers.evaluate.proportion import Proportion
from helpers.security.policy.declarations import Tools
from helpers.security.policy.matching import matching
from helpers.security.policy.origins import Facts
from helpers.security.policy.policies import Call, Decided, Policy, Provenance, Verdict
from helpers.security.policy.privacy import Privacy
from helpers.security.policy.runner import Attack, Briefing, SuiteResult, run_suite, together
from helpers.security.policy.suites import DECLARED, FIRST, SuiteName

Row = dict[str, Any]
Tables = Mapping[str, Mapping[str, SuiteResult]]
"""Suite -> policy -> result."""

HELD_OUT: Final[Mapping[str, tuple[SuiteName, Tools]]] = {
    "workspace, first result": ("workspace", FIRST["workspace"]),
    "workspace, tuned": ("workspace", DECLARED["workspace"]),
    "travel": ("travel", DECLARED["travel"]),
}
"""The suites that provenance was not tuned on, with the declarations of their tools."""


def of_seen(orders: Mapping[str, Sequence[str]], sees: Callable[[str], bool]) -> list[Row]:
    """How many of each set of orders a screen sees."""
    return [
        {
            "orders": name,
            "for example": each[0],
            "seen": str(Proportion.of(sees(order) for order in each)),
        }
        for name, each in orders.items()
    ]


def of_calls(suite: SuiteName, task: str, attack: Attack) -> list[Row]:
    """The calls of one attacked task without a policy, in their order, and whose they are."""
    rows: list[Row] = []

    def watching(briefing: Briefing) -> Policy:
        rows.clear()  # the run without the attack comes first

        def decide(call: Call, request: str, facts: Facts) -> Verdict:
            whose = "the user" if briefing.person(call) else "the attacker"
            rows.append({"call": str(call), "wanted by": whose})
            return Verdict(True, "watching")

        return Decided(decide)

    run_suite(suite, watching, tasks=[task], attacks=[attack])
    return rows


def over_suites(tables: Tables, figure: str) -> dict[str, Proportion]:
    """A figure of `SuiteResult` over all suites together, for each policy."""
    return {policy: getattr(result, figure) for policy, result in _together(tables).items()}


def of_policies(tables: Tables) -> list[Row]:
    """Each policy over all suites together."""
    return [_of_result(policy, result) for policy, result in _together(tables).items()]


def of_suites(tables: Tables) -> list[Row]:
    """Each policy on each suite."""
    return [
        {"suite": suite} | _of_result(policy, result)
        for suite, table in tables.items()
        for policy, result in table.items()
    ]


def _together(tables: Tables) -> dict[str, SuiteResult]:
    names = dict.fromkeys(policy for table in tables.values() for policy in table)
    return {
        policy: together(table[policy] for table in tables.values() if policy in table)
        for policy in names
    }


def _of_result(policy: str, result: SuiteResult) -> Row:
    return {
        "policy": policy,
        "attacks that succeed": str(result.attack_success),
        "tasks done": str(result.strict_utility_acting),
        "questions": result.questions,
    }


def of_facts(facts: Facts) -> list[Row]:
    """What a policy knows: each value with where it comes from."""
    return [
        {"value": one.value, "origin": str(one.origin), "kind": one.kind, "from": one.source}
        for one in facts.known
    ]


def of_verdicts(policy: Policy, calls: Iterable[Call], request: str, facts: Facts) -> list[Row]:
    """What a policy says of each call, and why."""
    verdicts = [(call, policy.decide(call, request, facts)) for call in calls]
    return [
        {"call": str(call), "allowed": verdict.allowed, "reason": verdict.reason}
        for call, verdict in verdicts
    ]


def of_matching(suites: Iterable[SuiteName]) -> list[Row]:
    """How often finding an origin by comparing values goes wrong, in both directions."""
    return [
        {
            "suite": found.suite,
            "an attacker's value found trusted": str(found.false),
            "a needed value not found": str(found.missed),
        }
        for found in map(matching, suites)
    ]


def of_held_out(
    tasks: Sequence[str] | None, suites: Mapping[str, tuple[SuiteName, Tools]] = HELD_OUT
) -> list[Row]:
    """Provenance with each suite's declarations, on these of its tasks (None: all)."""
    rows: list[Row] = []
    for name, (suite, tools) in suites.items():
        result = run_suite(suite, Provenance(tools), tools=tools, tasks=tasks)
        attacks, done = result.attack_success, result.strict_utility_acting
        rows.append({"suite": name, "attacks that succeed": str(attacks), "tasks done": str(done)})
    return rows


def of_privacy(privacy: Privacy) -> list[Row]:
    """What a hijacked agent reached at Fernhill, and what stood in its way."""
    return [
        {"what": "orders of others disclosed or refunded", "count": str(privacy.disclosed)},
        {"what": "attempts stopped by the policy", "count": str(privacy.stopped("policy"))},
        {"what": "attempts stopped by the tool", "count": str(privacy.stopped("tool"))},
        {"what": "own orders shown when asked for", "count": str(privacy.own_shown)},
    ]


def of_refusals(urls: Iterable[str], guards: Mapping[str, Callable[[str], bool]]) -> list[Row]:
    """For each URL, which guards refuse it."""
    return [{"URL": url} | {name: refuses(url) for name, refuses in guards.items()} for url in urls]
