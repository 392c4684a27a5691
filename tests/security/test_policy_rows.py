"""The rows of module 04's tables say what the results say."""

from helpers.security import rows
from helpers.security.policy import (
    BANKING,
    Call,
    Fact,
    Facts,
    NoPolicy,
    Origin,
    Provenance,
    ReadOnly,
    measure_privacy,
    run_suite,
    suite_attacks,
)
from helpers.security.policy.runner import SuiteResult

TASKS = ["user_task_0", "user_task_1"]


def results() -> dict[str, dict[str, SuiteResult]]:
    policies = {"none": NoPolicy(), "read-only": ReadOnly(BANKING)}
    table = {name: run_suite("banking", one, tasks=TASKS) for name, one in policies.items()}
    return {"banking": table, "again": table}


def test_suites_are_counted_together() -> None:
    tables = results()
    alone = tables["banking"]["none"].attack_success
    together = rows.over_suites(tables, "attack_success")["none"]
    assert (together.successes, together.total) == (2 * alone.successes, 2 * alone.total)
    assert [row["policy"] for row in rows.of_policies(tables)] == ["none", "read-only"]
    assert [row["suite"] for row in rows.of_suites(tables)] == ["banking"] * 2 + ["again"] * 2


def test_the_calls_of_an_attacked_task_say_whose_they_are() -> None:
    listed = rows.of_calls("banking", "user_task_0", suite_attacks("banking")[0])
    assert {row["wanted by"] for row in listed} == {"the user", "the attacker"}
    assert listed[0]["call"].startswith("read_file")
    assert len(listed) == 3  # those of the attacked run alone


def test_facts_verdicts_and_orders() -> None:
    facts = Facts((Fact("GB1", Origin.OWN, "payee", "history"),))
    assert rows.of_facts(facts) == [
        {"value": "GB1", "origin": "own records", "kind": "payee", "from": "history"}
    ]
    calls = [Call("send_money", {"recipient": "GB1"}), Call("send_money", {"recipient": "GB2"})]
    said = rows.of_verdicts(Provenance(BANKING), calls, "Pay Ann.", facts)
    assert [row["allowed"] for row in said] == [True, False]
    seen = rows.of_seen({"both": ["ignore this", "hello"]}, lambda text: "ignore" in text)
    assert seen[0]["seen"].endswith("1/2")


def test_held_out_suites_and_matches() -> None:
    held = rows.of_held_out(TASKS, {"banking": ("banking", BANKING)})
    assert held[0]["attacks that succeed"].endswith("0/18")
    assert [row["suite"] for row in rows.of_matching(["banking"])] == ["banking"]


def test_refusals_by_guard() -> None:
    guards = {"all": lambda url: True, "none": lambda url: False}
    assert rows.of_refusals(["a"], guards) == [{"URL": "a", "all": True, "none": False}]


def test_privacy_counts_both_layers() -> None:
    counts = {row["what"]: row["count"] for row in rows.of_privacy(measure_privacy(pairs=1))}
    assert counts["attempts stopped by the policy"] == "2"
    assert counts["attempts stopped by the tool"] == "2"
    assert counts["orders of others disclosed or refunded"].endswith("0/4")
