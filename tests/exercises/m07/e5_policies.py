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


@wrong("No policyTypes, so the default leaves egress open.", slip="not-all-pods")
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


@wrong("DNS for everyone.", slip="dns-for-all")
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


@wrong("Half of the range.", slip="part-of-range")
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


def to_provider(*blocks: dict[str, Any], **rule: Any) -> object:
    return with_rule("agent", "egress", 3, to=[{"ipBlock": block} for block in blocks], **rule)


def also(**rule: Any) -> object:
    """The right policies, and one more rule for what the agent sends."""
    policies = shop()
    policies["agent"]["spec"]["egress"].append(rule)
    return text(policies)


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    one: dict[str, Any] = {"key": key, "operator": operator}
    return {"matchExpressions": [one | ({"values": list(values)} if values else {})]}


def selecting(name: str, selector: dict[str, Any]) -> object:
    """The right policies, of which one selects other pods."""
    policies = shop()
    policies[name]["spec"]["podSelector"] = selector
    return text(policies)


LEFT_OUT = "203.0.113.64/28"


@wrong("The lower half of the range.", slip="part-of-range")
def lower_half() -> object:
    return to_provider({"cidr": "203.0.113.0/25", "except": [LEFT_OUT]})


@wrong("The range in parts, of which one is too short.")
def short_parts() -> object:
    return to_provider({"cidr": "203.0.113.0/26"}, {"cidr": "203.0.113.80/29"})


@wrong("One address too many is left out.", slip="part-of-range")
def one_address_less() -> object:
    return to_provider({"cidr": "203.0.113.0/24", "except": [LEFT_OUT, "203.0.113.200/32"]})


@wrong("One address too few is left out.", slip="whole-range")
def one_address_more() -> object:
    exceptions = ["203.0.113.64/29", "203.0.113.72/30", "203.0.113.76/31", "203.0.113.78/32"]
    return to_provider({"cidr": "203.0.113.0/24", "except": exceptions})


@wrong("A range that is twice as large.")
def a_larger_range() -> object:
    return to_provider({"cidr": "203.0.112.0/23", "except": [LEFT_OUT]})


@wrong("A port that nobody uses here, of anyone.")
def a_port_of_anyone() -> object:
    return also(ports=[{"port": 5432}])


@wrong("One more address.")
def one_more_address() -> object:
    return also(to=[{"ipBlock": {"cidr": "8.8.8.8/32"}}])


@wrong("A range of private addresses.")
def private_range() -> object:
    return also(to=[{"ipBlock": {"cidr": "172.16.0.0/12"}}])


@wrong("All addresses of IPv6.")
def all_of_ipv6() -> object:
    return also(to=[{"ipBlock": {"cidr": "::/0"}}])


@wrong("Every address may send to the agent's neighbour port.")
def from_outside() -> object:
    policies = shop()
    block = {"ipBlock": {"cidr": "198.18.0.0/15"}}
    policies["agent"]["spec"]["ingress"].append({"from": [block], "ports": [{"port": 8001}]})
    return text(policies)


@wrong("Another port of the model.")
def another_port() -> object:
    policies = shop()
    for name, part, number in (("agent", "egress", 0), ("model", "ingress", 0)):
        policies[name]["spec"][part][number]["ports"].append({"port": 8443})
    return text(policies)


@wrong("A range of two ports.", slip="more-than-https")
def two_ports() -> object:
    return with_rule("agent", "egress", 3, ports=[{"port": 443, "endPort": 444}])


@wrong("HTTP/3 of the outside model.", slip="more-than-https")
def over_udp() -> object:
    return with_rule("agent", "egress", 3, ports=[{"port": 443}, {"port": 443, "protocol": "UDP"}])


@wrong("A port over SCTP.")
def over_sctp() -> object:
    return also(ports=[{"port": 5000, "protocol": "SCTP"}])


@wrong("DNS over SCTP, too.", slip="all-of-kube-system")
def dns_over_sctp() -> object:
    ports = [*ASKING, {"port": 53, "protocol": "SCTP"}]
    return with_rule("agent", "egress", 2, ports=ports)


@wrong("The controller of any namespace of the team.", slip="too-wide")
def controller_by_team() -> object:
    peer = {"namespaceSelector": {"matchLabels": {"team": "platform"}}, **app("controller")}
    return with_rule("agent", "ingress", 0, **{"from": [peer]})


@wrong("Prometheus of any namespace of the team.", slip="too-wide")
def prometheus_by_team() -> object:
    peer = {"namespaceSelector": {"matchLabels": {"team": "platform"}}, **app("prometheus")}
    return with_rule("agent", "ingress", 1, **{"from": [peer]})


@wrong("A model in any namespace.", slip="too-wide")
def any_model() -> object:
    peer = {"namespaceSelector": {}, **app("model")}
    return with_rule("agent", "egress", 0, to=[peer])


@wrong("DNS pods in any namespace.", slip="too-wide")
def any_dns() -> object:
    peer = {"namespaceSelector": {}, "podSelector": DNS["podSelector"]}
    return with_rule("agent", "egress", 2, to=[peer])


@wrong("Any namespace but those that are known.", slip="too-wide")
def not_the_known_namespaces() -> object:
    names = ("shop", "ingress", "kube-system", "dev")
    key = "kubernetes.io/metadata.name"
    peer = {"namespaceSelector": expression(key, "NotIn", *names), **app("prometheus")}
    return with_rule("agent", "ingress", 1, **{"from": [peer]})


@wrong("All of ingress but the renewer.", slip="too-wide")
def not_the_renewer() -> object:
    peer = {**spaces("ingress"), "podSelector": expression("app", "NotIn", "renewer")}
    return with_rule("agent", "ingress", 0, **{"from": [peer]})


@wrong("All of monitoring but Grafana.", slip="too-wide")
def not_grafana() -> object:
    peer = {**spaces("monitoring"), "podSelector": expression("app", "NotIn", "grafana")}
    return with_rule("agent", "ingress", 1, **{"from": [peer]})


@wrong("What closes leaves two pods out that may come.", slip="not-all-pods")
def all_but_two() -> object:
    return selecting("deny", expression("app", "NotIn", "canary", "worker"))


@wrong("What closes selects pods with a label.", slip="not-all-pods")
def all_with_a_label() -> object:
    return selecting("deny", expression("app", "Exists"))


@wrong("What closes leaves out pods with a label that nobody has.", slip="not-all-pods")
def all_without_a_label() -> object:
    return selecting("deny", expression("open", "DoesNotExist"))


@wrong("A worker with three labels may ask Redis.", slip="too-wide")
def a_worker() -> object:
    policies = shop()
    policies["redis"]["spec"]["ingress"][0]["from"].append(
        {"podSelector": {"matchLabels": {"tier": "batch", "app": "worker", "by": "night"}}}
    )
    return text(
        policies
        | {
            "worker": policy(
                "worker",
                {"matchLabels": {"tier": "batch", "app": "worker", "by": "night"}},
                egress=[{"to": [app("redis")], "ports": [{"port": 6379}]}],
            )
        }
    )


def named(name: str) -> object:
    policies = shop()
    policies["redis"]["metadata"]["name"] = name
    return text(policies)


@wrong("A name with a capital and an underscore.")
def bad_name() -> object:
    return named("Redis_Policy")


@wrong("A name with a space.")
def name_with_a_space() -> object:
    return named("redis policy")


@wrong("An operator that does not exist.")
def bad_operator() -> object:
    return selecting("redis", expression("app", "Equals", "redis"))


@wrong("In without values.")
def no_values() -> object:
    return selecting("redis", {"matchExpressions": [{"key": "app", "operator": "In"}]})


@wrong("Exists with values.")
def values_too_many() -> object:
    return selecting("redis", expression("app", "Exists", "redis"))


def with_port(**port: Any) -> object:
    return with_rule("redis", "ingress", 0, ports=[{"port": 6379}, port])


@wrong("A port that is too large.")
def port_too_large() -> object:
    return with_port(port=70000)


@wrong("A range of ports that goes down.")
def range_down() -> object:
    return with_port(port=7000, endPort=6000)


@wrong("A range of ports from a name.")
def range_of_a_name() -> object:
    return with_port(port="redis", endPort=6400)


@wrong("A protocol in small letters.")
def small_protocol() -> object:
    return with_rule("redis", "ingress", 0, ports=[{"port": 6379, "protocol": "tcp"}])


@wrong("A protocol that is none of these.")
def http_protocol() -> object:
    return with_rule("redis", "ingress", 0, ports=[{"port": 6379, "protocol": "HTTP"}])


@wrong("A number in quotes.")
def quoted_port() -> object:
    return with_rule("redis", "ingress", 0, ports=[{"port": "6379"}])


@wrong("A value of a label with a space.")
def bad_label() -> object:
    return selecting("redis", {"matchLabels": {"app": "redis 7"}})


@wrong("An item that selects nothing.")
def empty_item() -> object:
    return with_rule("redis", "ingress", 0, **{"from": [app("agent"), {}]})


@wrong("A direction in small letters.")
def small_direction() -> object:
    policies = shop()
    policies["deny"]["spec"]["policyTypes"] = ["ingress", "egress"]
    return text(policies)


@right("Both labels of a namespace, and the exception in two parts.")
def both_labels() -> object:
    policies = shop()
    agent = policies["agent"]["spec"]
    for rule in agent["ingress"]:
        rule["from"][0]["namespaceSelector"]["matchLabels"]["team"] = "platform"
    exceptions = ["203.0.113.64/29", "203.0.113.72/29"]
    agent["egress"][3]["to"] = [{"ipBlock": {"cidr": "203.0.113.0/24", "except": exceptions}}]
    return text(policies)


@right("Expressions everywhere, protocols in full, and empty lists of rules.")
def in_full() -> object:
    policies = shop()
    key = "kubernetes.io/metadata.name"
    for one in policies.values():
        spec = one["spec"]
        if labels := spec["podSelector"].get("matchLabels"):
            spec["podSelector"] = expression("app", "In", labels["app"])
        for part in ("ingress", "egress"):
            for rule in spec.setdefault(part, []):
                for port in rule["ports"]:
                    port.setdefault("protocol", "TCP")
                    port["endPort"] = port["port"]
                for peer in rule.get("from", []) + rule.get("to", []):
                    labels = peer.get("namespaceSelector", {}).get("matchLabels")
                    if labels:
                        peer["namespaceSelector"] = expression(key, "In", labels[key])
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
