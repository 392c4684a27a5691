"""Answers to exercise 07.5, right and wrong."""

import copy
import textwrap
from typing import Any

import yaml

from helpers.authoring.answers import right, wrong

TEMPLATE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: %s, namespace: shop}
spec: %s
"""


def spaces(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def app(name: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"app": name}}}


CONTROLLER = {**spaces("ingress"), **app("controller")}
PROMETHEUS = {**spaces("monitoring"), **app("prometheus")}
DNS = {**spaces("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
PROVIDER = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.64/28"]}}
ASKING = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


def policy(name: str, pods: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"podSelector": pods, "policyTypes": ["Ingress", "Egress"], **spec},
    }


def shop() -> dict[str, Any]:
    """Right policies, by name."""
    found = [
        policy("deny", {}),
        policy(
            "agent",
            app("agent")["podSelector"],
            ingress=[
                {"from": [CONTROLLER], "ports": [{"port": 8000}]},
                {"from": [PROMETHEUS], "ports": [{"port": 9100}]},
            ],
            egress=[
                {"to": [app("model")], "ports": [{"port": 8080}]},
                {"to": [app("redis")], "ports": [{"port": 6379}]},
                {"to": [DNS], "ports": ASKING},
                {"to": [PROVIDER], "ports": [{"port": 443}]},
            ],
        ),
        policy(
            "model",
            app("model")["podSelector"],
            ingress=[{"from": [app("agent"), PROMETHEUS], "ports": [{"port": 8080}]}],
        ),
        policy(
            "redis",
            app("redis")["podSelector"],
            ingress=[{"from": [app("agent")], "ports": [{"port": 6379}]}],
        ),
    ]
    return copy.deepcopy({one["metadata"]["name"]: one for one in found})


def text(policies: dict[str, Any]) -> str:
    return yaml.safe_dump_all(policies.values(), sort_keys=False)


def with_rule(name: str, part: str, number: int, **rule: Any) -> object:
    """The right policies with one rule changed in part; None takes a field away."""
    policies = shop()
    changed = policies[name]["spec"][part][number]
    changed.update(rule)
    for key in [key for key, value in changed.items() if value is None]:
        del changed[key]
    return text(policies)


def without(name: str) -> object:
    policies = shop()
    del policies[name]
    return text(policies)


@wrong("The cell was emptied.")
def nothing() -> object:
    return ""


@wrong("No YAML.")
def no_yaml() -> object:
    return "kind: [NetworkPolicy"


@wrong("A Deployment.")
def another_kind() -> object:
    return text({"x": {**shop()["deny"], "kind": "Deployment"}})


@wrong("They are in the namespace default.")
def no_namespace() -> object:
    policies = shop()
    for one in policies.values():
        del one["metadata"]["namespace"]
    return text(policies)


@wrong("Everything is closed.")
def all_closed() -> object:
    return text({"deny": shop()["deny"]})


@wrong("Everything is open.", slip="the-world")
def all_open() -> object:
    return text({"open": policy("open", {}, ingress=[{}], egress=[{}])})


@wrong("A field that does not exist.")
def misspelt() -> object:
    policies = shop()
    policies["deny"]["spec"]["podSelecter"] = {}
    return text(policies)


@wrong("Two policies of one name.")
def same_name() -> object:
    policies = shop()
    policies["redis"]["metadata"]["name"] = "model"
    return text(policies)


@wrong("A range that is none.")
def bad_range() -> object:
    return with_rule("agent", "egress", 3, to=[{"ipBlock": {"cidr": "203.0.113.0/40"}}])


@wrong("An exception outside of the range.")
def exception_outside() -> object:
    block = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.114.64/28"]}}
    return with_rule("agent", "egress", 3, to=[block])


@wrong("Pods that no other policy selects stay open.", slip="not-all-pods")
def no_default() -> object:
    policies = shop()
    del policies["deny"]
    policies["redis"]["spec"]["podSelector"] = {
        "matchExpressions": [{"key": "app", "operator": "In", "values": ["redis"]}]
    }
    return text(policies)


@wrong("The default is for incoming connections alone.", slip="not-all-pods")
def ingress_default() -> object:
    policies = shop()
    policies["deny"]["spec"]["policyTypes"] = ["Ingress"]
    return text(policies)


@wrong("No policyTypes, so the default leaves egress open.")
def no_types() -> object:
    policies = shop()
    del policies["deny"]["spec"]["policyTypes"]
    return text(policies)


@wrong("The agent may receive, and not send.", slip="egress-shut")
def no_egress() -> object:
    policies = shop()
    del policies["agent"]["spec"]["egress"]
    return text(policies)


@wrong("The model and Redis take nothing from the agent.", slip="ingress-shut")
def one_door() -> object:
    policies = shop()
    return text({name: policies[name] for name in ("deny", "agent")})


@wrong("The names of hosts cannot be looked up.", slip="no-dns")
def no_dns() -> object:
    policies = shop()
    del policies["agent"]["spec"]["egress"][2]
    return text(policies)


@wrong("DNS over UDP alone.", slip="no-dns")
def udp_alone() -> object:
    return with_rule("agent", "egress", 2, ports=ASKING[:1])


@wrong("Port 53 without a protocol is of TCP.", slip="no-dns")
def tcp_alone() -> object:
    return with_rule("agent", "egress", 2, ports=[{"port": 53}])


@wrong("The ports of the Services.", slip="service-port")
def service_ports() -> object:
    policies = shop()
    policies["agent"]["spec"]["ingress"][0]["ports"] = [{"port": 80}]
    policies["agent"]["spec"]["egress"][0]["ports"] = [{"port": 80}]
    policies["model"]["spec"]["ingress"][0]["ports"] = [{"port": 80}]
    return text(policies)


@wrong("A dash too many: two items instead of one.", slip="or-for-and")
def or_for_and() -> object:
    return with_rule("agent", "ingress", 1, **{"from": [spaces("monitoring"), app("prometheus")]})


@wrong("The whole namespace of the controller.", slip="or-for-and")
def whole_namespace() -> object:
    return with_rule("agent", "ingress", 0, **{"from": [spaces("ingress")]})


@wrong("Prometheus of any namespace.", slip="look-alike")
def any_prometheus() -> object:
    peer = {"namespaceSelector": {}, **app("prometheus")}
    return with_rule("agent", "ingress", 1, **{"from": [peer]})


@wrong("The agent of every namespace of the team.", slip="look-alike")
def by_team() -> object:
    peer = {"namespaceSelector": {"matchLabels": {"team": "shop"}}, **app("agent")}
    return with_rule("redis", "ingress", 0, **{"from": [peer]})


@wrong("A podSelector alone for a pod of another namespace.", slip="ingress-shut")
def own_namespace() -> object:
    policies = shop()
    policies["agent"]["spec"]["ingress"][0]["from"] = [app("controller")]
    policies["agent"]["spec"]["ingress"][1]["from"] = [app("prometheus")]
    policies["model"]["spec"]["ingress"][0]["from"] = [app("agent"), app("prometheus")]
    return text(policies)


@wrong("One rule for both: the controller reaches the metrics.", slip="any-port")
def one_rule() -> object:
    policies = shop()
    rule = {"from": [CONTROLLER, PROMETHEUS], "ports": [{"port": 8000}, {"port": 9100}]}
    policies["agent"]["spec"]["ingress"] = [rule]
    return text(policies)


@wrong("Every port of the model.")
def every_port() -> object:
    policies = shop()
    del policies["model"]["spec"]["ingress"][0]["ports"]
    del policies["agent"]["spec"]["egress"][0]["ports"]
    return text(policies)


@wrong("Every port of TCP.")
def every_tcp() -> object:
    policies = shop()
    policies["redis"]["spec"]["ingress"][0]["ports"] = [{"protocol": "TCP"}]
    policies["agent"]["spec"]["egress"][1]["ports"] = [{"protocol": "TCP"}]
    return text(policies)


@wrong("A range of ports.")
def port_range() -> object:
    return with_rule("agent", "ingress", 0, ports=[{"port": 8000, "endPort": 9100}])


@wrong("All pods of shop talk to each other.")
def within() -> object:
    policies = shop()
    free = [{"podSelector": {}}]
    rules = {"ingress": [{"from": free}], "egress": [{"to": free}]}
    return text(policies | {"within": policy("within", {}, **rules)})


@wrong("Everyone of shop may ask Redis, and send to it.")
def redis_for_all() -> object:
    policies = shop()
    policies["redis"]["spec"]["ingress"][0]["from"] = [{"podSelector": {}}]
    policies["deny"]["spec"]["egress"] = [{"to": [app("redis")], "ports": [{"port": 6379}]}]
    return text(policies)


@wrong("DNS for everyone.")
def dns_for_all() -> object:
    policies = shop()
    policies["deny"]["spec"]["egress"] = [{"to": [DNS], "ports": ASKING}]
    return text(policies)


@wrong("All of kube-system.", slip="all-of-kube-system")
def all_of_kube_system() -> object:
    return with_rule("agent", "egress", 2, to=[spaces("kube-system")], ports=None)


@wrong("Port 53 of anyone.")
def dns_anywhere() -> object:
    return with_rule("agent", "egress", 2, to=None)


@wrong("Port 443 of anyone.", slip="the-world")
def any_address() -> object:
    return with_rule("agent", "egress", 3, to=None)


@wrong("Any address but the one of the cloud's credentials.")
def any_but_one() -> object:
    block = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}
    return with_rule("agent", "egress", 3, to=[block])


@wrong("The part that is left out is open.", slip="whole-range")
def no_exception() -> object:
    return with_rule("agent", "egress", 3, to=[{"ipBlock": {"cidr": "203.0.113.0/24"}}])


@wrong("Half of the range.")
def half_a_range() -> object:
    return with_rule("agent", "egress", 3, to=[{"ipBlock": {"cidr": "203.0.113.0/26"}}])


@wrong("The addresses of the pods.", slip="by-address")
def by_address() -> object:
    blocks = [{"ipBlock": {"cidr": "10.1.0.6/32"}}]
    return with_rule("agent", "ingress", 0, **{"from": blocks})


@wrong("Every agent talks to the other.")
def agents_talk() -> object:
    policies = shop()
    policies["agent"]["spec"]["ingress"].append({"from": [app("agent")], "ports": [{"port": 8000}]})
    policies["agent"]["spec"]["egress"].append({"to": [app("agent")], "ports": [{"port": 8000}]})
    return text(policies)


@wrong("A pod without labels is taken for an agent.")
def not_in() -> object:
    policies = shop()
    others = [{"key": "app", "operator": "NotIn", "values": ["model", "redis", "backup"]}]
    policies["agent"]["spec"]["podSelector"] = {"matchExpressions": others}
    return text(policies)


@right("A list of dicts.")
def dicts() -> object:
    return list(shop().values())


@right("One policy for each line of the list, and one that closes.")
def one_each() -> object:
    policies, found = shop(), {}
    for name, one in policies.items():
        base = {"podSelector": one["spec"]["podSelector"]}
        found[f"{name}-shut"] = policy(f"{name}-shut", base["podSelector"])
        for part, kind in (("ingress", "Ingress"), ("egress", "Egress")):
            for number, rule in enumerate(one["spec"].get(part, [])):
                key = f"{name}-{part}-{number}"
                found[key] = policy(key, base["podSelector"], policyTypes=[kind], **{part: [rule]})
    return text(found)


@right("Named ports, expressions, and no policyTypes where the default will do.")
def named_ports() -> object:
    policies = shop()
    policies["agent"]["spec"]["podSelector"] = {
        "matchExpressions": [{"key": "app", "operator": "In", "values": ["agent"]}]
    }
    policies["agent"]["spec"]["ingress"][0]["ports"] = [{"port": "http", "protocol": "TCP"}]
    policies["agent"]["spec"]["ingress"][1]["ports"] = [{"port": "metrics"}]
    policies["agent"]["spec"]["egress"][1]["ports"] = [{"port": "redis"}]
    policies["agent"]["spec"]["egress"][2]["ports"] = [
        {"port": "dns", "protocol": "UDP"},
        {"port": "dns-tcp"},
    ]
    for name in ("agent", "model", "redis"):
        del policies[name]["spec"]["policyTypes"]
    return text(policies)


@right("The range in parts, without an exception.")
def in_parts() -> object:
    parts = ("203.0.113.0/26", "203.0.113.80/28", "203.0.113.96/27", "203.0.113.128/25")
    return with_rule("agent", "egress", 3, to=[{"ipBlock": {"cidr": part}} for part in parts])


@right("One incoming default and one outgoing, with comments and empty documents.")
def two_defaults() -> object:
    policies = shop()
    del policies["deny"]
    head = "# Nothing passes\n---\n---\n"
    for kind in ("Ingress", "Egress"):
        spec = f"{{podSelector: {{}}, policyTypes: [{kind}]}}"
        head += textwrap.dedent(TEMPLATE) % (f"no-{kind.lower()}", spec) + "---\n"
    return head + text(policies)
