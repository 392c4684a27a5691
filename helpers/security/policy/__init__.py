"""The action policy: what a compromised agent can still do is decided by code.

A policy decides each call before it is made, from the call, the user's request and what was read
so far. It asks no model.

    decide(call: Call, request: str, facts: Facts) -> Verdict(allowed, reason, asked)

- `Call(tool, arguments)`; `call.given` are the arguments that are not None.
- `Facts` hold what tools have returned: `Fact(value, origin, kind, source, text)`, with `origin`
  one of `Origin.UNTRUSTED < OWN < NAMED < REQUEST`. `facts.sources(value, request)` lists where a
  value may come from, the most trusted first; `facts.tainted` says whether any text was read.
- `Tool(effect, arguments, returns, ...)` declares a tool: its effect ("read", "fetch", "act"), what
  each argument accepts (`value(...)`, `identifier(...)`, `words(...)` of `REQUEST`, `own(kind)`,
  `named(kind)`; or `ANYTHING`), and what each field of its result is (`Field(kind)`, `text(kind)`).
  What is not declared is denied. `tool.facts(name, arguments, result, request)` turns a result into
  facts. `BANKING`, `SLACK`, `WORKSPACE`, `TRAVEL` and `FERNHILL` map names to declarations.
- Policies: `NoPolicy`, `ReadOnly`, `TaintLock`, `ArgumentGrounding`, `AllowList`, `HumanApproval`,
  `Provenance`; `RequestVerbs`, `RequestObjects`, `UsualSums` and `StatedAmounts` lower adaptive
  attacks; `AllOf` stacks; `Decided` makes a policy of a function `authorize(call, request, facts)`.

The runner has no model: its agent makes the calls that solve the user's task and obeys every order
that it reads.

    result = run_suite("banking", Provenance(BANKING))
    result.attack_success, result.strict_utility     # `Proportion`: counts, rate, 95% interval
    result.strict_utility_acting, result.utility, result.utility_under_attack, result.questions
    result.by_attack                                 # attack success for each attack
    result.alone, result.attacked                    # an `Outcome` for each run, with `blocked`
    together([result, ...])                          # several suites as one result

A policy may be built again for each task: `lambda task: HumanApproval(BANKING, task.person)`, where
`task` is a `Briefing`: `request`, `wanted` (the calls that solve it), `plan` (their tools), and
`person`, who agrees to exactly these calls. `ADAPTIVE["banking"]` and `ADAPTIVE["slack"]` are
attacks with trusted values only, for `run_suite(..., attacks=...)`; `UNSEEN` are more of them,
written before the policies that lower them. `policy_table(name)` and `adaptive_table(name)` run all
rows; `slack_gate(policy)` is the gate of module 04.

`PolicyMiddleware(policy, tools)` puts a policy around a LangChain agent, such as
`build_agent(middleware=[PolicyMiddleware(Provenance(FERNHILL), FERNHILL)])`; `CompromisedModel`
plays a model that was taken over: `model.obey([Call(...)], [Call(...)])`. `measure_privacy()` lets
such an agent reach for orders of others.
"""

from helpers.security.policy.adaptive import ADAPTIVE
from helpers.security.policy.compromised import CompromisedModel
from helpers.security.policy.declarations import (
    ANYTHING,
    REQUEST,
    Argument,
    BadDeclaration,
    Field,
    Source,
    Tool,
    Tools,
    amount,
    assigned,
    check_against,
    identifier,
    named,
    own,
    text,
    value,
    words,
)
from helpers.security.policy.declared.banking import BANKING
from helpers.security.policy.declared.fernhill import FERNHILL, FERNHILL_VERBS
from helpers.security.policy.declared.slack import SLACK
from helpers.security.policy.declared.travel import TRAVEL
from helpers.security.policy.declared.workspace_tuned import WORKSPACE
from helpers.security.policy.gate import Gate, slack_gate
from helpers.security.policy.middleware import PolicyMiddleware
from helpers.security.policy.mitigations import (
    VERBS,
    RequestObjects,
    RequestVerbs,
    StatedAmounts,
    UsualSums,
)
from helpers.security.policy.origins import Fact, Facts, Origin
from helpers.security.policy.policies import (
    READS_AND_FETCHES,
    AllOf,
    AllowList,
    ArgumentGrounding,
    Call,
    Decided,
    HumanApproval,
    NoPolicy,
    Policy,
    Provenance,
    ReadOnly,
    TaintLock,
    Verdict,
)
from helpers.security.policy.privacy import Privacy, measure_privacy
from helpers.security.policy.runner import (
    Attack,
    Blocked,
    Briefing,
    Outcome,
    SuiteResult,
    run_suite,
    suite_attacks,
    together,
)
from helpers.security.policy.suites import SUITES, SuiteName, load_suite
from helpers.security.policy.table import adaptive_table, policy_table
from helpers.security.policy.unseen import UNSEEN

__all__ = [
    "ADAPTIVE",
    "ANYTHING",
    "BANKING",
    "FERNHILL",
    "FERNHILL_VERBS",
    "READS_AND_FETCHES",
    "REQUEST",
    "SLACK",
    "SUITES",
    "TRAVEL",
    "UNSEEN",
    "VERBS",
    "WORKSPACE",
    "AllOf",
    "AllowList",
    "Argument",
    "ArgumentGrounding",
    "Attack",
    "BadDeclaration",
    "Blocked",
    "Briefing",
    "Call",
    "CompromisedModel",
    "Decided",
    "Fact",
    "Facts",
    "Field",
    "Gate",
    "HumanApproval",
    "NoPolicy",
    "Origin",
    "Outcome",
    "Policy",
    "PolicyMiddleware",
    "Privacy",
    "Provenance",
    "ReadOnly",
    "RequestObjects",
    "RequestVerbs",
    "Source",
    "StatedAmounts",
    "SuiteName",
    "SuiteResult",
    "TaintLock",
    "Tool",
    "Tools",
    "UsualSums",
    "Verdict",
    "adaptive_table",
    "amount",
    "assigned",
    "check_against",
    "identifier",
    "load_suite",
    "measure_privacy",
    "named",
    "own",
    "policy_table",
    "run_suite",
    "slack_gate",
    "suite_attacks",
    "text",
    "together",
    "value",
    "words",
]
