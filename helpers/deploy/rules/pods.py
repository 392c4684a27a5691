"""What a container runs, what it may do, and what it takes from its node."""

from collections.abc import Iterator
from typing import Any

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, get, rows


def images(objects: Objects) -> Iterator[Problem]:
    """An image without a version changes under the same name, and no rollback undoes that."""
    for _, one in objects.containers:
        image = str(one.body.get("image", ""))
        tag = image.rpartition("/")[2].partition(":")[2]
        if image and "@" not in image and tag in {"", "latest"}:
            yield one.problem("image-tag", f"it runs {image}, without a version", "image")


def rights(objects: Objects) -> Iterator[Problem]:
    """Kubernetes' defaults give a web service rights that only an attacker has a use for."""
    for pod, one in objects.containers:
        own = one.body.get("securityContext") or {}
        within = ["securityContext"] if own else []
        if _may_be_root({**(pod.spec.get("securityContext") or {}), **own}):
            yield one.problem("root-user", "it may run as root", *within)
        dropped = [str(name).upper() for name in get(own, "capabilities", "drop") or []]
        broken = {
            "it is privileged": own.get("privileged") is True,
            "it may gain privileges": own.get("allowPrivilegeEscalation") is not False,
            "it can write to its root file system": own.get("readOnlyRootFilesystem") is not True,
            "it keeps its capabilities": "ALL" not in dropped,
        }
        if found := [what for what, holds in broken.items() if holds]:
            yield one.problem("rights", ", ".join(found), *within)
    for pod in objects.pods:
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(key):
                yield Problem("host", pod.item, (*pod.place, key), f"{key} is true")
        for place, volume in rows(pod.spec, "volumes"):
            if path := get(volume, "hostPath", "path"):
                what = f"it mounts {path} from the node"
                yield Problem("host", pod.item, (*pod.place, *place, "hostPath"), what)


def _may_be_root(context: dict[str, Any]) -> bool:
    user = context.get("runAsUser")
    return user == 0 or (user is None and context.get("runAsNonRoot") is not True)


def tokens(objects: Objects) -> Iterator[Problem]:
    """Every pod gets a token of the API server unless it is told not to."""
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


def roles(objects: Objects) -> Iterator[Problem]:
    """`*` includes what later versions add."""
    for item in objects.of("Role", "ClusterRole"):
        for place, rule in rows(item.body, "rules"):
            for key in ("verbs", "resources"):
                if "*" in rule.get(key, []):
                    yield Problem("rbac-wildcard", item, (*place, key), f"{key} contains *")


def shares(objects: Objects) -> Iterator[Problem]:
    """What a container does not request it takes from others, who did."""
    for pod, one in objects.containers:
        requests, limits = one.amounts
        missing = [name for name in ("cpu", "memory") if name not in {**limits, **requests}]
        if missing and pod.stays:
            yield one.problem("no-requests", f"no request of {' and '.join(missing)}", "resources")
        if "memory" not in limits:
            yield one.problem("no-memory-limit", "no limit of memory", "resources")
