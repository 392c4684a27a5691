"""`deploy-check` on one right bundle, and on the same bundle with one fault at a time."""

import copy
from typing import Any, NamedTuple

import pytest

from helpers.deploy import check_folder, check_objects
from helpers.deploy.finding import RULES
from tests.deploy.bundle import BOX, GONE, POD, RIGHT, bundle, changed, put, rules


class Fault(NamedTuple):
    """One change of one object, and what has to find it: nothing where only a run shows it."""

    kind: str
    rule: str | None
    object: str
    path: str
    value: Any

    def planted(self) -> list[dict[str, Any]]:
        return changed({f"{self.object}: {self.path}": self.value})


TWENTY = [
    Fault("a field mistyped", "schema-field", "Deployment agent", f"{BOX}.readinesProbe", {}),
    Fault("a number as variable", "schema-value", "Deployment agent", f"{BOX}.env.0.value", 200),
    Fault("an API of years ago", "unknown-api", "PodDisruptionBudget agent", "apiVersion",
          "policy/v1beta1"),
    Fault("selector and labels differ", "selector-template", "Deployment agent",
          "spec.selector.matchLabels.app", "agnet"),
    Fault("limit below request", "limit-below-request", "Deployment model",
          f"{BOX}.resources.limits.memory", "400Mi"),
    Fault("secret in a variable", "secret-literal", "Deployment agent", f"{BOX}.env.1",
          {"name": "MODEL_API_KEY", "value": "hunter2"}),
    Fault("image without version", "image-tag", "Deployment agent", f"{BOX}.image",
          "registry:5000/agent"),
    Fault("root user", "root-user", "Deployment agent", f"{POD}.securityContext", GONE),
    Fault("no readiness probe", "no-readiness", "Deployment agent", f"{BOX}.readinessProbe", GONE),
    Fault("grace period in preStop", "grace-too-short", "Deployment agent",
          f"{BOX}.lifecycle.preStop.sleep.seconds", 60),
    Fault("volume not declared", "mount-without-volume", "Deployment agent", f"{POD}.volumes",
          GONE),
    Fault("ConfigMap not there", "reference", "Deployment agent",
          f"{BOX}.envFrom.0.configMapRef.name", "agent-settings"),
    Fault("Service without pods", "selects-nothing", "Service agent", "spec.selector.app",
          "agents"),
    Fault("Service to another port", "service-port", "Service model", "spec.ports.0.targetPort",
          8000),
    Fault("Ingress to another port", "route-backend", "Ingress agent",
          "spec.rules.0.http.paths.0.backend.service.port", {"number": 8000}),
    Fault("HPA without its target", "hpa-target", "HorizontalPodAutoscaler agent",
          "spec.scaleTargetRef.name", "agents"),
    Fault("HPA on CPU without request", "hpa-without-request", "Deployment agent",
          f"{BOX}.resources.requests.cpu", GONE),
    Fault("budget blocks drains", "pdb-blocks-drain", "PodDisruptionBudget model",
          "spec.minAvailable", "75%"),
    Fault("egress without DNS", "egress-without-dns", "NetworkPolicy agent",
          "spec.egress.0.ports", [{"port": 53}]),
    Fault("a host name mistyped", None, "ConfigMap agent", "data.MODEL_URL", "http://modal:8080"),
]  # fmt: skip
MORE = [
    Fault("field left out", "schema-required", "Deployment agent", "spec.selector", GONE),
    Fault("an extension's kind", "not-checked", "Ingress agent", "apiVersion", "acme.io/v1"),
    Fault("no kind", "not-an-object", "Ingress agent", "kind", GONE),
    Fault("bad name", "bad-name", "Service model", "metadata.name", "model_server"),
    Fault("twice", "duplicate", "Service model", "metadata.name", "agent"),
    Fault("variable twice", "duplicate", "Deployment agent", f"{BOX}.env.1.name", "LOG_LEVEL"),
    Fault("port unnamed", "rejected", "Service model", "spec.ports",
          [{"port": 8080}, {"port": 8081, "targetPort": 8080, "name": "b"}]),
    Fault("no such word", "rejected", "Deployment agent", f"{BOX}.imagePullPolicy", "Sometimes"),
    Fault("minimum above maximum", "rejected", "HorizontalPodAutoscaler agent",
          "spec.maxReplicas", 1),
    Fault("fixed replicas", "hpa-and-replicas", "Deployment agent", "spec.replicas", 3),
    Fault("budget without pods", "selects-nothing", "PodDisruptionBudget model",
          "spec.selector.matchLabels.app", "models"),
    Fault("one pod", "one-replica", "Deployment model", "spec.replicas", 1),
    Fault("no budget", "no-pdb", "PodDisruptionBudget model", "spec.selector.matchLabels.app",
          "models"),
    Fault("no quantity", "quantity", "Deployment agent", f"{BOX}.resources.requests.memory",
          "400MB"),
    Fault("no requests", "no-requests", "Deployment model", f"{BOX}.resources.requests", GONE),
    Fault("no limit", "no-memory-limit", "Deployment model", f"{BOX}.resources.limits", GONE),
    Fault("probe of another port", "probe-port", "Deployment agent",
          f"{BOX}.readinessProbe.httpGet.port", "web"),
    Fault("two ways to ask", "rejected", "Deployment agent",
          f"{BOX}.readinessProbe.tcpSocket", {"port": "http"}),
    Fault("liveness like readiness", "liveness-like-readiness", "Deployment model",
          f"{BOX}.livenessProbe", {"httpGet": {"path": "/health", "port": 8080}}),
    Fault("slow start killed", "liveness-kills-start", "Deployment model", f"{BOX}.startupProbe",
          GONE),
    Fault("no pod left", "rollout-without-pods", "Deployment agent",
          "spec.strategy.rollingUpdate.maxUnavailable", "100%"),
    Fault("rollout stuck", "rollout-stuck", "Deployment agent",
          "spec.strategy.rollingUpdate.maxSurge", 0),
    Fault("no image", "rejected", "Deployment agent", f"{BOX}.image", GONE),
    Fault("rights", "rights", "Deployment agent", f"{BOX}.securityContext.privileged",
          True),
    Fault("gains rights", "rights", "Deployment agent",
          f"{BOX}.securityContext.allowPrivilegeEscalation", True),
    Fault("writes", "rights", "Deployment agent",
          f"{BOX}.securityContext.readOnlyRootFilesystem", False),
    Fault("capabilities", "rights", "Deployment agent",
          f"{BOX}.securityContext.capabilities", GONE),
    Fault("mounted twice", "rejected", "Deployment agent", f"{BOX}.volumeMounts",
          [{"name": "scratch", "mountPath": "/tmp"}] * 2),
    Fault("policy without pods", "selects-nothing", "NetworkPolicy model",
          "spec.podSelector.matchLabels.app", "models"),
    Fault("peer mistyped", "policy-peer", "NetworkPolicy agent",
          "spec.egress.1.to.0.podSelector.matchLabels.app", "models"),
    Fault("memory in thousandths", "quantity", "Deployment model",
          f"{BOX}.resources.requests.memory", "512m"),
    Fault("egress open", "no-default-deny", "NetworkPolicy deny", "spec.policyTypes", ["Ingress"]),
    Fault("policy of another port", "policy-closes-port", "NetworkPolicy model",
          "spec.ingress.0.ports.0.port", 8000),
    Fault("sender not let in", "policy-one-sided", "NetworkPolicy model", "spec.ingress", []),
    Fault("receiver not let out to", "policy-one-sided", "NetworkPolicy agent", "spec.egress", []),
    Fault("token", "token", "ServiceAccount agent", "automountServiceAccountToken", GONE),
    Fault("host's network", "host", "Deployment agent", f"{POD}.hostNetwork", True),
]  # fmt: skip
# Kinds that the bundle has no object of.
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "all", "namespace": "shop"},
    "rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}],
}
ADDED = {
    "secret-in-files": {**SECRET, "stringData": {"key": "x"}},
    "rbac-wildcard": ROLE,
}


def test_nothing_is_found_in_the_right_bundle() -> None:
    assert check_folder(RIGHT) == []


def test_the_twenty_are_of_twenty_kinds_and_eighteen_are_found() -> None:
    assert len({fault.kind for fault in TWENTY}) == len(TWENTY) == 20
    found = [fault for fault in TWENTY if fault.rule in rules(check_objects(fault.planted()))]
    assert len(found) >= 18
    layers = [RULES[str(fault.rule)].layer for fault in found]
    assert {"schema", "policy", "cross-resource"} == set(layers)


@pytest.mark.parametrize("fault", [*TWENTY, *MORE], ids=lambda fault: fault.kind)
def test_a_planted_fault_is_found_by_its_rule(fault: Fault) -> None:
    findings = check_objects(fault.planted())
    if fault.rule is None:
        assert findings == []
        return
    found = [one for one in findings if one.rule == fault.rule]
    assert found
    assert all(one.what and one.why == RULES[one.rule].why for one in found)


@pytest.mark.parametrize("rule", ADDED)
def test_an_added_object_is_found(rule: str) -> None:
    assert rules(check_objects([*bundle().values(), ADDED[rule]])) == {rule}


def test_every_rule_has_a_planted_fault() -> None:
    planted = {fault.rule for fault in (*TWENTY, *MORE)} - {None}
    assert planted | ADDED.keys() == RULES.keys()


def test_objects_in_memory_stay_as_they_are() -> None:
    docs = TWENTY[1].planted()
    before = copy.deepcopy(docs)
    check_objects(docs)
    assert docs == before


def test_three_faults_of_one_object_are_three_findings() -> None:
    objects = bundle()
    deployment = objects["Deployment agent"]
    for path, value in (("replcas", 2), ("replicas", "two"), ("minReadySeconds", "1")):
        put(deployment, f"spec.{path}", value)
    assert {one.what for one in check_objects(list(objects.values()))} >= {
        "replcas is not a field: did you mean replicas?",
        "spec.minReadySeconds is '1', and has to be integer",
        "spec.replicas is 'two', and has to be integer",
    }
