"""The documented semantics of NetworkPolicies, one sentence of the documentation a test."""

from typing import Any

import pytest
import yaml

from helpers.testbed.connections import Connections, Pod

NAMESPACES = {"shop": {"team": "shop"}, "watch": {"team": "ops"}, "other": {}}


def pod(name: str, namespace: str = "shop", address: str = "10.0.0.1", **labels: str) -> Pod:
    ports = {"http": ("TCP", 8080), "dns": ("UDP", 53), "dns-tcp": ("TCP", 53)}
    return Pod(name, namespace, {"app": name, **labels}, address, ports)


DB = pod("db", address="10.0.0.9", tier="back")
FRONT = pod("front", role="front")
BATCH = pod("batch", address="10.0.0.3")
FRONT_ELSEWHERE = pod("front", "watch", "10.0.1.1", role="front")
WATCHER = pod("watcher", "watch", "10.0.1.2")
STRANGER = pod("stranger", "other", "10.0.2.1")
OUTSIDE = "203.0.113.7"


def policy(spec: str, namespace: str = "shop") -> dict[str, Any]:
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    metadata = {"name": "one", "namespace": namespace}
    return {**head, "metadata": metadata, "spec": yaml.safe_load(spec)}


def cluster(*specs: str) -> Connections:
    return Connections([policy(spec) for spec in specs], NAMESPACES)


DENY = "{podSelector: {}, policyTypes: [Ingress, Egress]}"
OPS = "namespaceSelector: {matchLabels: {team: ops}}"
ROLE = "podSelector: {matchLabels: {role: front}}"


def to_db(*rules: str) -> str:
    """A policy that isolates the database, but for these rules."""
    return "{podSelector: {matchLabels: {app: db}}, ingress: [" + ", ".join(rules) + "]}"


def peers(*given: str) -> str:
    """A rule that opens all ports to these peers."""
    return "{from: [" + ", ".join("{" + one + "}" for one in given) + "]}"


def egress(*rules: str) -> str:
    """A policy for what all pods send."""
    return "{podSelector: {}, policyTypes: [Egress], egress: [" + ", ".join(rules) + "]}"


def test_without_policies_everything_passes() -> None:
    every = Connections([])
    assert every.passes(FRONT, DB, 6379)
    assert every.passes(OUTSIDE, DB, 22)
    assert every.passes(DB, OUTSIDE, 53, "UDP")


def test_a_selected_pod_is_isolated_and_others_are_not() -> None:
    one = cluster(to_db())
    assert not one.passes(FRONT, DB, 6379)
    assert not one.passes(OUTSIDE, DB, 6379)
    assert one.passes(DB, FRONT, 6379)
    assert one.passes(FRONT, BATCH, 6379)


def test_an_empty_pod_selector_selects_the_whole_namespace() -> None:
    one = cluster(DENY)
    assert not one.passes(FRONT, DB, 6379)
    assert not one.passes(BATCH, OUTSIDE, 443)
    assert one.passes(WATCHER, STRANGER, 80)


def test_a_policy_applies_in_its_own_namespace_alone() -> None:
    one = Connections([policy(DENY, "watch")], NAMESPACES)
    assert one.passes(FRONT, DB, 6379)
    assert not one.passes(FRONT, WATCHER, 6379)


def test_without_a_namespace_it_is_in_default() -> None:
    spec = {"spec": yaml.safe_load(DENY), "metadata": {"name": "x"}}
    assert Connections([spec]).passes(FRONT, DB, 1)
    assert not Connections([spec]).passes(FRONT, pod("a", "default"), 1)


def test_without_policy_types_it_is_for_ingress() -> None:
    one = cluster("{podSelector: {}}")
    assert not one.passes(OUTSIDE, DB, 80)
    assert one.passes(DB, OUTSIDE, 80)


@pytest.mark.parametrize("empty", ["egress: []", "egress: null"])
def test_no_egress_rules_and_no_policy_types_leave_egress_open(empty: str) -> None:
    assert cluster("{podSelector: {}, " + empty + "}").passes(DB, OUTSIDE, 80)


def test_without_policy_types_egress_rules_make_it_for_both() -> None:
    one = cluster("{podSelector: {}, egress: [{ports: [{port: 443}]}]}")
    assert one.passes(DB, OUTSIDE, 443)
    assert not one.passes(DB, OUTSIDE, 80)
    assert not one.passes(OUTSIDE, DB, 443)


def test_rules_of_a_direction_that_is_not_named_do_nothing() -> None:
    one = cluster("{podSelector: {}, policyTypes: [Egress], ingress: [], egress: [{}]}")
    assert one.passes(OUTSIDE, DB, 80)
    assert one.passes(DB, OUTSIDE, 80)


def test_egress_alone_leaves_ingress_open() -> None:
    one = cluster("{podSelector: {}, policyTypes: [Egress]}")
    assert one.passes(OUTSIDE, DB, 80)
    assert not one.passes(DB, OUTSIDE, 80)


def test_an_empty_rule_opens_everything() -> None:
    one = cluster("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}")
    assert one.passes(OUTSIDE, DB, 80, "UDP")
    assert one.passes(DB, STRANGER, 80)


def test_policies_add_up() -> None:
    front = to_db(peers(ROLE))
    batch = to_db("{from: [{podSelector: {matchLabels: {app: batch}}}]}")
    for order in ((front, batch, DENY), (DENY, batch, front)):
        specs = [*order, egress("{}")]
        one = cluster(*specs)
        assert one.passes(FRONT, DB, 6379)
        assert one.passes(BATCH, DB, 6379)
        assert not one.passes(WATCHER, DB, 6379)


def test_both_ends_have_to_allow_it() -> None:
    ingress = to_db("{from: [{podSelector: {matchLabels: {app: front}}}]}")
    front = "{podSelector: {matchLabels: {app: front}}, policyTypes: [Egress], egress: "
    leaving = front + "[{to: [{podSelector: {matchLabels: {app: db}}}]}]}"
    assert cluster(DENY, ingress).stopped_by(FRONT, DB, 1) == "Egress"
    assert cluster(DENY, leaving).stopped_by(FRONT, DB, 1) == "Ingress"
    assert cluster(DENY, ingress, leaving).stopped_by(FRONT, DB, 1) is None


def test_the_answer_needs_no_rule_of_its_own() -> None:
    ingress = to_db("{from: [{podSelector: {matchLabels: {app: front}}}]}")
    egress = "{podSelector: {matchLabels: {app: front}}, policyTypes: [Egress], egress: [{}]}"
    one = cluster(DENY, ingress, egress)
    assert one.passes(FRONT, DB, 1)
    assert not one.passes(DB, FRONT, 1)


def test_a_pod_selector_alone_means_the_policys_own_namespace() -> None:
    one = cluster(to_db(peers(ROLE)))
    assert one.passes(FRONT, DB, 1)
    assert not one.passes(FRONT_ELSEWHERE, DB, 1)


def test_an_empty_pod_selector_of_a_peer_means_all_pods_of_the_namespace() -> None:
    one = cluster(to_db("{from: [{podSelector: {}}]}"))
    assert one.passes(FRONT, DB, 1)
    assert one.passes(BATCH, DB, 1)
    assert not one.passes(WATCHER, DB, 1)
    assert not one.passes(OUTSIDE, DB, 1)


def test_a_namespace_selector_alone_means_all_its_pods() -> None:
    one = cluster(to_db("{from: [{namespaceSelector: {matchLabels: {team: ops}}}]}"))
    assert one.passes(WATCHER, DB, 1)
    assert one.passes(FRONT_ELSEWHERE, DB, 1)
    assert not one.passes(FRONT, DB, 1)
    assert not one.passes(STRANGER, DB, 1)


def test_an_empty_namespace_selector_means_all_pods_and_no_addresses() -> None:
    one = cluster(to_db("{from: [{namespaceSelector: {}}]}"))
    assert all(one.passes(each, DB, 1) for each in (FRONT, WATCHER, STRANGER))
    assert not one.passes(OUTSIDE, DB, 1)


def test_every_namespace_has_its_name_as_a_label() -> None:
    label = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}"
    one = cluster(to_db(peers(label)))
    assert one.passes(STRANGER, DB, 1)
    assert not one.passes(WATCHER, DB, 1)


def test_both_selectors_in_one_peer_have_to_hold() -> None:
    one = cluster(to_db(peers(f"{OPS}, {ROLE}")))
    assert one.passes(FRONT_ELSEWHERE, DB, 1)
    assert not one.passes(FRONT, DB, 1)
    assert not one.passes(WATCHER, DB, 1)


def test_of_two_peers_one_has_to_hold() -> None:
    one = cluster(to_db(peers(OPS, ROLE)))
    assert one.passes(FRONT_ELSEWHERE, DB, 1)
    assert one.passes(FRONT, DB, 1)
    assert one.passes(WATCHER, DB, 1)
    assert not one.passes(BATCH, DB, 1)


def test_peers_and_ports_of_a_rule_both_have_to_hold() -> None:
    rule = "{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 6379}]}"
    one = cluster(to_db(rule))
    assert one.passes(FRONT, DB, 6379)
    assert not one.passes(FRONT, DB, 6380)
    assert not one.passes(BATCH, DB, 6379)


def test_of_two_rules_one_has_to_hold_as_a_whole() -> None:
    front = "{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 1}]}"
    batch = "{from: [{podSelector: {matchLabels: {app: batch}}}], ports: [{port: 2}]}"
    one = cluster(to_db(f"{front}, {batch}"))
    assert one.passes(FRONT, DB, 1)
    assert one.passes(BATCH, DB, 2)
    assert not one.passes(FRONT, DB, 2)


@pytest.mark.parametrize("nobody", ["from: [], ", "from: null, ", ""])
def test_no_peers_mean_everyone(nobody: str) -> None:
    one = cluster(to_db("{" + nobody + "ports: [{port: 80}]}"))
    assert one.passes(OUTSIDE, DB, 80)
    assert one.passes(STRANGER, DB, 80)
    assert not one.passes(STRANGER, DB, 81)


def test_a_port_without_a_protocol_is_of_tcp() -> None:
    one = cluster(to_db("{ports: [{port: 53}]}"))
    assert one.passes(FRONT, DB, 53)
    assert not one.passes(FRONT, DB, 53, "UDP")


def test_a_port_without_a_number_is_every_port_of_its_protocol() -> None:
    one = cluster(to_db("{ports: [{protocol: UDP}]}"))
    assert one.passes(FRONT, DB, 9, "UDP")
    assert not one.passes(FRONT, DB, 9)


@pytest.mark.parametrize(("port", "open_"), [(99, False), (100, True), (200, True), (201, False)])
def test_a_range_of_ports_includes_both_ends(port: int, open_: bool) -> None:
    one = cluster(to_db("{ports: [{port: 100, endPort: 200}]}"))
    assert one.passes(FRONT, DB, port) is open_


def test_a_name_is_the_port_of_the_pod_that_is_reached() -> None:
    one = cluster(to_db("{ports: [{port: http}]}"))
    assert one.passes(FRONT, DB, 8080)
    assert not one.passes(FRONT, DB, 80)
    assert not one.passes(FRONT, DB, 8080, "UDP")
    spec = (
        "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: dns, protocol: UDP}]}]}"
    )
    assert cluster(spec).passes(FRONT, DB, 53, "UDP")
    assert not cluster(spec).passes(FRONT, OUTSIDE, 53, "UDP")


def test_a_name_of_another_protocol_is_none() -> None:
    one = cluster(to_db("{ports: [{port: dns}]}"))
    assert not one.passes(FRONT, DB, 53)
    assert not one.passes(FRONT, DB, 53, "UDP")


def test_an_ip_block_leaves_out_its_exceptions() -> None:
    block = "{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.64/28, 203.0.113.7/32]}}"
    one = cluster(egress("{to: [" + block + "]}"))
    passing = [n for n in (0, 6, 7, 8, 63, 64, 79, 80, 255) if one.passes(DB, f"203.0.113.{n}", 1)]
    assert passing == [0, 6, 8, 63, 80, 255]
    assert not one.passes(DB, "203.0.114.0", 1)
    assert not one.passes(DB, "2001:db8::1", 1)


def test_an_ip_block_of_ipv6() -> None:
    one = cluster(to_db("{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}"))
    assert one.passes("2001:db8::1", DB, 1)
    assert not one.passes("203.0.113.7", DB, 1)


def test_an_ip_block_also_means_pods_of_these_addresses() -> None:
    one = cluster(to_db("{from: [{ipBlock: {cidr: 10.0.1.0/24}}]}"))
    assert one.passes(WATCHER, DB, 1)
    assert not one.passes(FRONT, DB, 1)


def test_an_exception_of_one_peer_is_none_of_another() -> None:
    block = "ipBlock: {cidr: 0.0.0.0/0, except: [10.0.1.0/24]}"
    assert not cluster(to_db(peers(block))).passes(WATCHER, DB, 1)
    assert cluster(to_db(peers(block, OPS))).passes(WATCHER, DB, 1)


def test_match_expressions() -> None:
    front = "{matchExpressions: [{key: role, operator: In, values: [front, edge]}]}"
    not_batch = "{matchExpressions: [{key: app, operator: NotIn, values: [batch]}]}"
    with_role = "{matchExpressions: [{key: role, operator: Exists}]}"
    for selector in (front, not_batch, with_role):
        one = cluster(to_db(peers(f"podSelector: {selector}")))
        assert one.passes(FRONT, DB, 1)
        assert not one.passes(BATCH, DB, 1)


def test_labels_and_expressions_both_have_to_hold() -> None:
    expression = "matchExpressions: [{key: tier, operator: DoesNotExist}]"
    one = cluster(to_db(peers("podSelector: {matchLabels: {app: front}, " + expression + "}")))
    assert one.passes(FRONT, DB, 1)
    assert not one.passes(pod("front", tier="x"), DB, 1)


def test_a_pod_reaches_itself() -> None:
    assert cluster(DENY).passes(DB, DB, 6379)


def test_the_example_of_the_documentation() -> None:
    one = Connections(
        [
            policy(
                """
                podSelector: {matchLabels: {tier: back}}
                policyTypes: [Ingress, Egress]
                ingress:
                  - from:
                      - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
                      - namespaceSelector: {matchLabels: {team: ops}}
                      - podSelector: {matchLabels: {role: front}}
                    ports: [{protocol: TCP, port: 6379}]
                egress:
                  - to: [{ipBlock: {cidr: 10.0.2.0/24}}]
                    ports: [{protocol: TCP, port: 5978}]
                """
            )
        ],
        NAMESPACES,
    )
    assert all(one.passes(each, DB, 6379) for each in (FRONT, WATCHER, "172.17.0.255"))
    assert all(one.passes(each, DB, 6379) for each in ("172.17.2.0", "172.17.255.255"))
    assert not any(one.passes(each, DB, 6379) for each in (BATCH, STRANGER, "172.17.1.9"))
    assert one.passes(DB, STRANGER, 5978)
    assert not one.passes(DB, STRANGER, 5979)
    assert not one.passes(DB, WATCHER, 5978)


def test_a_range_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="not appear to be"):
        cluster(to_db("{from: [{ipBlock: {cidr: 300.1.1.1/8}}]}")).passes(OUTSIDE, DB, 1)


def test_a_path_tells_what_each_side_opens() -> None:
    one = cluster(DENY, to_db("{ports: [{port: 80}]}"))
    assert one.between(OUTSIDE, DB).stopped_by(80) is None
    assert one.between(OUTSIDE, DB).stopped_by(81) == "Ingress"
    assert not one.between(OUTSIDE, DB).shut
    assert one.between(DB, OUTSIDE).shut
    assert one.between(OUTSIDE, FRONT).shut
    assert not one.between(DB, DB).shut
    assert not Connections([]).between(OUTSIDE, DB).shut
