"""What a hijacked pod reaches: network, service account, roles and the node."""

from collections.abc import Iterator
from typing import Any

from helpers.deploy.objects import Objects, get, rows
from helpers.deploy.rules.registry import Problem, finds
from helpers.deploy.sources import Place


@finds
def networks(objects: Objects) -> Iterator[Problem]:
    """NetworkPolicies: whether they select pods, and whether all traffic needs one."""
    for item in objects.of("NetworkPolicy"):
        if not objects.selected(get(item.body, "spec", "podSelector") or {}, item.namespace):
            sure = objects.is_whole(item.namespace)
            what = "its podSelector selects no pod"
            yield Problem("policy-without-pods", item, ("spec", "podSelector"), what, sure)
    for namespace in dict.fromkeys(pod.item.namespace for pod in objects.pods):
        open_ = [
            direction
            for direction in ("Ingress", "Egress")
            for pod in objects.pods
            if pod.item.namespace == namespace and not any(objects.policies_of(pod, direction))
        ]
        if open_:
            first = next(pod for pod in objects.pods if pod.item.namespace == namespace)
            which = " and ".join(dict.fromkeys(open_)).lower()
            what = (
                f"namespace {namespace} has pods whose {which} is not limited by any NetworkPolicy"
            )
            yield Problem("no-default-deny", first.item, (), what)


@finds
def name_lookup(objects: Objects) -> Iterator[Problem]:
    """Pods that may send to others, and may not ask for an address."""
    told = set()
    for pod in objects.pods:
        policies = list(objects.policies_of(pod, "Egress"))
        allowed = [rule for one in policies for _, rule in rows(one.body, "spec", "egress")]
        # Who may send nothing at all, or only to addresses, needs no names.
        if not any(_by_name(rule) for rule in allowed) or any(map(_allows_dns, allowed)):
            continue
        item = next(one for one in policies if rows(one.body, "spec", "egress"))
        if item not in told:
            what = f"{pod.item.kind} {pod.item.name} may not ask DNS (UDP port 53)"
            yield Problem("egress-without-dns", item, ("spec", "egress"), what)
        told.add(item)


def _by_name(rule: dict[str, Any]) -> bool:
    peers = [peer for _, peer in rows(rule, "to")]
    return not peers or any("ipBlock" not in peer for peer in peers)


def _allows_dns(rule: dict[str, Any]) -> bool:
    peers, ports = ([one for _, one in rows(rule, key)] for key in ("to", "ports"))
    # The name server is in another namespace: a podSelector alone does not reach it.
    reaches = not peers or any("namespaceSelector" in one or "ipBlock" in one for one in peers)
    open_ = not ports or any(
        one.get("protocol", "TCP") == "UDP"
        and one.get("port") in {None, 53, "53", "dns", "dns-tcp", "domain"}
        for one in ports
    )
    return reaches and open_


@finds
def peers(objects: Objects) -> Iterator[Problem]:
    """Pods of the same namespace that a NetworkPolicy lets in or out."""
    for item in objects.of("NetworkPolicy"):
        for part, side in (("ingress", "from"), ("egress", "to")):
            for place, rule in rows(item.body, "spec", part):
                for inner, peer in rows(rule, side):
                    selector = peer.get("podSelector")
                    near = selector and "namespaceSelector" not in peer
                    if near and not objects.selected(selector, item.namespace):
                        what = f"no pod in namespace {item.namespace} has the labels that it lets"
                        what = f"{what} {'in' if side == 'from' else 'out to'}"
                        sure = objects.is_whole(item.namespace)
                        yield Problem("policy-peer", item, (*place, *inner), what, sure)


@finds
def ingress_ports(objects: Objects) -> Iterator[Problem]:
    """Ports of a Service that no NetworkPolicy lets anyone reach."""
    for service in objects.of("Service"):
        for pod in objects.behind(service):
            policies = list(objects.policies_of(pod, "Ingress"))
            rules = [rule for one in policies for _, rule in rows(one.body, "spec", "ingress")]
            ports = [port for rule in rules for _, port in rows(rule, "ports")]
            if not rules or any(not rule.get("ports") for rule in rules):
                continue  # closed on purpose, or every port is open to somebody
            allowed = {number for port in ports for number in _numbers(pod.running, port)}
            for place, port in rows(service.body, "spec", "ports"):
                target = port.get("targetPort", port.get("port"))
                declared = str(target) in pod.ports() or not pod.ports()
                numbers = _numbers(pod.running, {"port": target})
                if declared and any(one not in allowed for one in numbers):
                    what = (
                        f"no NetworkPolicy opens port {target} of {pod.item.kind} {pod.item.name}"
                    )
                    yield Problem("policy-closes-port", service, place, what)


def _numbers(containers: list[Any], port: dict[str, Any]) -> list[int]:
    """The numbers of a policy's port: itself, a range, or the containers' port of that name."""
    given = port.get("port")
    if isinstance(given, int):
        return list(range(given, int(port.get("endPort", given)) + 1))
    if given is None:
        return list(range(65536))
    declared = [one for each in containers for _, one in rows(each.body, "ports")]
    named = [one.get("containerPort") for one in declared if one.get("name") == given]
    return [number for number in named if number is not None]


@finds
def accounts(objects: Objects) -> Iterator[Problem]:
    """Tokens that pods carry without need, and roles that may do everything."""
    bound = {
        (subject.get("name"), subject.get("namespace", item.namespace))
        for item in objects.of("RoleBinding", "ClusterRoleBinding")
        for _, subject in rows(item.body, "subjects")
    }
    for pod in objects.pods:
        name = str(pod.spec.get("serviceAccountName", "default"))
        account = objects.named("ServiceAccount", name, pod.item.namespace)
        key = "automountServiceAccountToken"
        given = pod.spec.get(key, account.body.get(key) if account else None)
        if given is not False and (name, pod.item.namespace) not in bound:
            what = f"its pods get a token of the account {name}, which has no role here"
            yield Problem("token", pod.item, pod.place, what)
    for item in objects.of("Role", "ClusterRole"):
        for place, rule in rows(item.body, "rules"):
            for key in ("verbs", "resources"):
                if "*" in rule.get(key, []):
                    yield Problem("rbac-wildcard", item, (*place, key), f"{key} contains *")


@finds
def nodes(objects: Objects) -> Iterator[Problem]:
    """Pods that share something with their node."""
    for pod in objects.pods:
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(key):
                yield Problem("host", pod.item, (*pod.place, key), f"{key} is true")
        for place, volume in rows(pod.spec, "volumes"):
            if path := get(volume, "hostPath", "path"):
                here: Place = (*pod.place, *place, "hostPath")
                yield Problem("host", pod.item, here, f"it mounts {path} from the node")
