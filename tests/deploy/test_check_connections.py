"""Both ends of a connection: a translator and its Redis, with everything else closed."""

import time
from typing import Any

import pytest
import yaml

from helpers.deploy import Finding, check_objects
from tests.deploy.bundle import put

POLICY = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"port": 53, "protocol": "UDP"}],
}
TRANSLATOR, REDIS, WEB = ({"matchLabels": {"app": name}} for name in ("translator", "redis", "web"))
TO_REDIS = {"to": [{"podSelector": REDIS}], "ports": [{"port": 6379}]}
FROM_TRANSLATOR = {"from": [{"podSelector": TRANSLATOR}], "ports": [{"port": 6379}]}
GONE_OUT = "no policy of Deployment translator lets it out"
NOT_IN = "no policy of Deployment redis lets it in"
ADDRESSES = {"ipBlock": {"cidr": "10.0.0.0/8"}}
_PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
INTERNET = {"ipBlock": {"cidr": "0.0.0.0/0", "except": _PRIVATE}}


def named(body: dict[str, Any], name: str, namespace: str) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {**body, "metadata": metadata}


def workload(name: str, port: int, namespace: str) -> dict[str, Any]:
    box = {"name": name, "image": f"{name}:1", "ports": [{"name": "main", "containerPort": port}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [box]}}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return named({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}, name, namespace)


def objects(namespace: str = "shop", **changes: Any) -> list[dict[str, Any]]:
    """The right set, with the rules of a policy or anything else replaced.

    Args:
        changes: `out` is the translator's egress, `in_` Redis' ingress.
    """
    out, in_ = changes.get("out", [DNS, TO_REDIS]), changes.get("in_", [FROM_TRANSLATOR])
    types = ["Ingress", "Egress"]
    specs = {
        "deny-all": {"podSelector": {}, "policyTypes": types},
        "translator": {"podSelector": TRANSLATOR, "policyTypes": types, "egress": out},
        "redis": {"podSelector": REDIS, "policyTypes": types, "ingress": in_},
    }
    ports = {"translator": 8000, "redis": 6379, "web": 8080}
    return [
        *(workload(name, port, namespace) for name, port in ports.items()),
        *(named({**POLICY, "spec": spec}, name, namespace) for name, spec in specs.items()),
    ]


def one_sided(docs: list[dict[str, Any]]) -> list[Finding]:
    return [one for one in check_objects(docs, ["1.37"]) if one.rule == "policy-one-sided"]


def peer(selector: Any, side: str, port: Any = 6379) -> dict[str, Any]:
    ports = {} if port is None else {"ports": [{"port": port}]}
    return {side: [{"podSelector": selector}], **ports}


ANYWHERE = {"to": [{"namespaceSelector": {}, "podSelector": REDIS}]}
BOTH = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["translator", "web"]}]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"in_": []}, NOT_IN),
        ({"in_": [peer(WEB, "from")]}, NOT_IN),
        ({"in_": [peer(TRANSLATOR, "from", 6380)]}, NOT_IN),
        ({"in_": [], "out": [DNS, peer(REDIS, "to", "main")]}, NOT_IN),
        ({"in_": [], "out": [DNS, peer(REDIS, "to", None)]}, NOT_IN),
        ({"in_": [], "out": [DNS, ANYWHERE]}, NOT_IN),
        ({"in_": [{"from": [INTERNET]}]}, NOT_IN),
        ({"out": [DNS]}, GONE_OUT),
        ({"out": []}, GONE_OUT),
        ({"out": [DNS, peer(REDIS, "to", 80)]}, GONE_OUT),
        ({"out": [DNS, peer(WEB, "to", 6379)]}, GONE_OUT),
        ({"out": [{"to": [INTERNET]}]}, GONE_OUT),
        ({"in_": [peer(BOTH, "from")]}, "from Deployment web to Deployment redis"),
    ],
)
def test_one_end_alone_is_an_error(changes: dict[str, Any], said: str) -> None:
    found = one_sided(objects(**changes))
    assert found
    assert {one.severity for one in found} == {"error"}
    assert said in found[0].what
    assert "TCP port" in found[0].what


ELSEWHERE = {"namespaceSelector": {"matchLabels": {"team": "x"}}}
HERE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"in_": [{}]},
        {"in_": [peer({}, "from", None)]},
        {"in_": [peer(TRANSLATOR, "from", "main")]},
        {"in_": [{"from": [ADDRESSES]}]},
        {"in_": [{"from": [ELSEWHERE]}]},
        {"in_": [{"from": [{**HERE, "podSelector": TRANSLATOR}]}]},
        {"in_": [{"from": [{"ipBlock": {"cidr": "none"}}]}]},
        {"out": [{}]},
        {"out": [DNS, peer({}, "to")]},
        {"out": [DNS, peer(REDIS, "to", None)]},
        {"out": [DNS, {**peer(REDIS, "to"), "ports": [{"port": 6379}, {"port": 26379}]}]},
        {"out": [DNS, {**peer(REDIS, "to"), "ports": [{"port": 6000, "endPort": 7000}]}]},
        {"out": [DNS, peer({}, "to")], "in_": []},
        {"out": [DNS], "in_": [peer({}, "from")]},
        {"out": [DNS, peer({"matchLabels": {"app": "elsewhere"}}, "to")], "in_": []},
    ],
)
@pytest.mark.parametrize("namespace", ["shop", ""])
def test_both_ends_or_neither(changes: dict[str, Any], namespace: str) -> None:
    assert one_sided(objects(namespace, **changes)) == []


def test_a_policy_of_all_pods_is_right_where_some_of_them_connect() -> None:
    docs = objects()
    to_all = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [TO_REDIS]}
    docs.append(named({**POLICY, "spec": to_all}, "all", "shop"))
    assert one_sided(docs) == []
    put(docs[5], "spec.ingress", [])
    assert one_sided(docs)


def test_a_connection_is_named_once_though_two_policies_open_it() -> None:
    docs = objects(in_=[])
    docs.append({**docs[4], "metadata": {"name": "again", "namespace": "shop"}})
    assert len(one_sided(docs)) == 1


def test_a_mistyped_label_is_one_finding() -> None:
    docs = objects(in_=[peer({"matchLabels": {"app": "translatr"}}, "from")])
    rules = [one.rule for one in check_objects(docs, ["1.37"]) if one.rule.startswith("policy")]
    assert rules == ["policy-peer"]


def test_a_port_that_no_policy_opens_for_a_service_is_one_finding() -> None:
    ports = [{"port": 6379}]
    spec = {"selector": {"app": "redis"}, "ports": ports}
    docs = objects(in_=[peer(TRANSLATOR, "from", 6380)])
    docs.append(named({"apiVersion": "v1", "kind": "Service", "spec": spec}, "redis", "shop"))
    rules = [one.rule for one in check_objects(docs, ["1.37"]) if one.rule.startswith("policy")]
    assert rules == ["policy-closes-port"]


def test_a_service_tells_the_port_of_a_pod_that_declares_none() -> None:
    docs = objects(in_=[], out=[DNS, peer(REDIS, "to", None)])
    del docs[1]["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert one_sided(docs) == []
    spec = {"selector": {"app": "redis"}, "ports": [{"port": 6379}]}
    docs.append(named({"apiVersion": "v1", "kind": "Service", "spec": spec}, "redis", "shop"))
    assert one_sided(docs)


def test_policies_are_not_for_pods_on_the_network_of_the_node() -> None:
    docs = objects(in_=[])
    put(docs[0], "spec.template.spec.hostNetwork", True)
    assert one_sided(docs) == []


def test_what_an_extension_may_open_is_not_judged() -> None:
    extension = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy"}
    assert one_sided([*objects(in_=[]), named(extension, "more", "shop")]) == []


def test_labels_of_namespaces_count_where_the_set_has_them() -> None:
    docs = objects(in_=[{"from": [ELSEWHERE]}])
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {}}}
    assert one_sided([*docs, space])
    space["metadata"]["labels"] = {"team": "x"}  # type: ignore[index]
    assert one_sided([*docs, space]) == []


def test_many_pods_and_policies_take_seconds() -> None:
    many = [workload(f"w{number}", 80, "shop") for number in range(150)]
    expression = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    rules = [{"to": [{"podSelector": expression}], "ports": [{"port": 80}]}]
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": rules}
    policies = [named({**POLICY, "spec": spec}, f"p{number}", "shop") for number in range(5)]
    start = time.process_time()
    check_objects(yaml.safe_load(yaml.safe_dump([*many, *policies])), ["1.37"])
    assert time.process_time() - start < 20
