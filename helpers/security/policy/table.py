"""The policies that are compared, as rows of a table."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from helpers.security.policy.adaptive import ADAPTIVE
from helpers.security.policy.mitigations import (
    VERBS,
    RequestObjects,
    RequestVerbs,
    StatedAmounts,
    UsualSums,
)
from helpers.security.policy.policies import (
    READS_AND_FETCHES,
    AllOf,
    AllowList,
    ArgumentGrounding,
    HumanApproval,
    NoPolicy,
    Provenance,
    ReadOnly,
    TaintLock,
)
from helpers.security.policy.runner import Attack, PolicyFor, SuiteResult, run_suite
from helpers.security.policy.suites import DECLARED, FIRST, SuiteName

PROVENANCE: Final = "provenance"
FIRST_RESULT: Final = "provenance, as first measured"
VERBS_ROW: Final = "+ the request's verbs"
OBJECTS_ROW: Final = "+ the request's verbs and objects"
PLANNER_ROW: Final = "+ planner first"


def simple_policies(name: SuiteName) -> dict[str, PolicyFor]:
    """The policies of the first table, by the names of their rows.

    Planner and person are oracles (see `Briefing`): they never err, as no real one does.
    """
    tools = DECLARED[name]
    rows: dict[str, PolicyFor] = {
        "none": lambda task: NoPolicy(),
        "read-only": lambda task: ReadOnly(tools, READS_AND_FETCHES),
        "read-only, a fetch is an action": lambda task: ReadOnly(tools),
        "taint lock": lambda task: TaintLock(tools),
        "argument grounding": lambda task: ArgumentGrounding(tools),
        "allow-list fixed before reading": lambda task: AllowList(task.plan),
        "human approval": lambda task: HumanApproval(tools, task.person, READS_AND_FETCHES),
        "human approval, a fetch is an action": lambda task: HumanApproval(tools, task.person),
        PROVENANCE: lambda task: Provenance(tools),
    }
    if FIRST[name] is not tools:
        rows[FIRST_RESULT] = lambda task: Provenance(FIRST[name])
    return rows


def stacked_policies(name: SuiteName) -> dict[str, PolicyFor]:
    """Provenance alone, and with each of what lowers adaptive attacks (banking and slack)."""
    tools = DECLARED[name]
    provenance = Provenance(tools)
    verbs, objects = RequestVerbs(tools, VERBS), RequestObjects(tools)
    rows: dict[str, PolicyFor] = {
        "none": lambda task: NoPolicy(),
        PROVENANCE: lambda task: provenance,
        VERBS_ROW: lambda task: AllOf([provenance, verbs]),
        OBJECTS_ROW: lambda task: AllOf([provenance, verbs, objects]),
        PLANNER_ROW: lambda task: AllOf([provenance, AllowList(task.plan)]),
    }
    if name == "banking":  # slack moves no money
        rows |= {
            "+ verbs, objects and usual sums": lambda task: AllOf(
                [provenance, verbs, objects, UsualSums()]
            ),
            "+ planner and usual sums": lambda task: AllOf(
                [provenance, AllowList(task.plan), UsualSums()]
            ),
            "+ stated amounts only": lambda task: AllOf([provenance, StatedAmounts()]),
            "+ other amounts confirmed": lambda task: AllOf(
                [provenance, StatedAmounts(person=task.person)]
            ),
            "+ planner and amounts confirmed": lambda task: AllOf(
                [provenance, AllowList(task.plan), StatedAmounts(person=task.person)]
            ),
        }
    rows["human approval, a fetch is an action"] = lambda task: HumanApproval(tools, task.person)
    return rows


def policy_table(
    name: SuiteName, *, progress: Callable[[Sequence[Any]], Iterable[Any]] | None = None
) -> dict[str, SuiteResult]:
    """Every simple policy on the suite's own attacks."""
    rows = {}
    for row, policy in simple_policies(name).items():
        tools = FIRST[name] if row == FIRST_RESULT else None
        rows[row] = run_suite(name, policy, tools=tools, progress=progress)
    return rows


def adaptive_table(
    name: SuiteName, attacks: Sequence[Attack] | None = None
) -> dict[str, SuiteResult]:
    """Provenance, alone and stacked, on adaptive attacks (banking and slack).

    Args:
        name: of the suite.
        attacks: `ADAPTIVE` of the suite by default; `UNSEEN` were written before the policies here.
    """
    chosen = ADAPTIVE[name] if attacks is None else attacks
    rows = stacked_policies(name)
    return {row: run_suite(name, policy, attacks=chosen) for row, policy in rows.items()}
