"""Attacks on the support agent, controls against them, and the policy on what it may do.

Three corners, each with an `__init__` of its own: `attacks` (material, runner), `controls` (what
goes in and comes out) and `policy` (which actions are allowed). `agents` has the agent as many
shops would ship it and as the course defends it.

    from helpers.security import attack, benign_requests, defended_agent, naive_agent
    from helpers.security import heldout_attacks, spread, visible_attacks

    report = attack(naive_agent(), visible_attacks(), tries=4, benign=benign_requests())
    print(report.all.success_at_1, report.all.success_at_k)    # rate [interval] count
    for row in report.families:                                # also report.kinds
        print(row.name, row.leaked_at_1, row.acted_at_1, row.planted_at_1, row.errors)
    print(report.benign_right, report.benign_leaked, report.errors, report.cpu_seconds)

- `spread(visible_attacks(), 6)` takes 6, evenly spaced: for fast mode.
- A control is middleware: `naive_agent(controls=[...])`, `defended_agent(controls=[...])`. With
  `defended_agent(controls=[])` the secret is out of the prompt, and that is all. A filter that
  must know the secret is given it: `canary = Canary()`,
  `naive_agent(canary=canary, controls=[FilterOutput(leaks=canary.leaked)])`.
- `naive_agent(note="... {code} ...")` has another note in its prompt, such as a hardened one.
  Attacks and note must call the secret by the same name: see `attacks.wording`.
- A leak is judged by `canary.given_away`, which is stricter than the filter's `canary.leaked`.
- `attack(target, [], benign=harmless_texts())` shows what a control against planted text costs.
- To talk to a target: `target.build(Setting())` is an agent like `build_agent()`; with
  `Setting(planted=Planted("order", "..."))` an attacker's text waits in the order's note.
- Your own agent: `Target("mine", canary, build)`, where `build(setting)` passes `setting.model`
  and `setting.orders` on and has `setting.innermost` as its last middleware.

The names below are imported when they are first used, so that what needs one corner loads one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.security.agents import defended_agent, naive_agent, plain_agent
    from helpers.security.attacks import (
        Attack,
        Benign,
        Canary,
        Outcome,
        Planted,
        Report,
        Setting,
        Target,
        attack,
        benign_requests,
        harmless_texts,
        heldout_attacks,
        spread,
        survey,
        visible_attacks,
    )

__all__ = [
    "Attack",
    "Benign",
    "Canary",
    "Outcome",
    "Planted",
    "Report",
    "Setting",
    "Target",
    "attack",
    "benign_requests",
    "defended_agent",
    "harmless_texts",
    "heldout_attacks",
    "naive_agent",
    "plain_agent",
    "spread",
    "survey",
    "visible_attacks",
]

_AGENTS = frozenset({"defended_agent", "naive_agent", "plain_agent"})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    corner = "agents" if name in _AGENTS else "attacks"
    return getattr(import_module(f"{__name__}.{corner}"), name)
