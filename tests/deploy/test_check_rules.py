"""Both sides of what rules decide: what is a fault, and what only looks like one."""

import copy
import time
from typing import Any

import pytest

from helpers.deploy import check_objects
from helpers.deploy.rules.scaling import of_pods, quantity
from helpers.deploy.rules.secrets import is_secret
from tests.deploy.bundle import BOX, GONE, POD, bundle, found

AGENT, MODEL = "Deployment agent", "Deployment model"


@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [
        ("OPENAI_API_KEY", "abc", True),
        ("apiKey", "abc", True),
        ("db.password", "hunter2", True),
        ("MYSQLPASSWORD", "x1", True),
        ("HF_TOKEN", "abc", True),
        ("NOTE", "use sk-proj-abcdefghijklmnop1234", True),
        ("DATABASE_URL", "postgres://app:hunter2@db/shop", True),
        ("KEY", "-----BEGIN RSA PRIVATE KEY-----\nabc", True),
        ("TRANSLATOR_KEY", "abcd1234efgh5678ijkl", True),
        ("translatorKey", "Zm9vYmFy+W4x/8h2Kq0pLw==", True),
        ("KEY", "123e4567-e89b-12d3-a456-426614174000", True),
        ("settings.env", "LOG=info\nTRANSLATOR_KEY=abcd1234efgh5678ijkl\n", True),
        ("settings.json", '{"translator_key": "abcd1234efgh5678ijkl"}', True),
        ("BASIC_AUTH", "8f14e45fceea167a5a36dedd4bea2543", True),
        ("DB_PASSPHRASE", "open sesame", True),
        ("REDIS_URL", "redis://:pw@host/0", True),
        ("REDIS_URL", "rediss://default:pw@host:6380", True),
        ("STORE", "postgres://user:pw@db:5432/shop?sslmode=require", True),
        ("settings.env", "A=1\nSTORE=amqp://app:pw@queue/", True),
        ("REDIS_URL", "redis://redis:6379/0", False),
        ("REDIS_URL", "redis://:$(REDIS_PASSWORD)@redis:6379/0", False),
        ("REDIS_URL", "redis://:<password>@redis:6379/0", False),
        ("REDIS_URL", "redis://default@redis:6379/0", False),
        ("PUBLIC_KEY_PATH", "/keys/a.pem", False),
        ("PUBLIC_KEY", "abcd1234efgh5678ijkl", False),
        ("KEY_PREFIX", "fh", False),
        ("KEY_PREFIX", "abcd1234efgh5678ijkl", False),
        ("PRIMARY_KEY", "id", False),
        ("SORT_KEY", "created_at_2026_01_01_descending", False),
        ("CACHE_KEY", "catalogue-v2-eu-west1", False),
        ("SIGNING_KEY", "backups/keys20260115", False),
        ("SIGNING_KEY", "/run/secrets/a1b2c3d4e5f6", False),
        ("BUILD", "abcd1234efgh5678ijkl", False),
        ("settings.env", "PRIMARY_KEY=id\nKEY_PREFIX=abcd1234efgh5678ijkl\n", False),
        ("MAX_TOKENS", "many", False),
        ("TOKEN", "200", False),
        ("TOKEN_URL", "https://example.com/token", False),
        ("PASSWORD_FILE", "x", False),
        ("PASSWORD", "/run/secrets/password", False),
        ("API_KEY", "", False),
        ("API_KEY", "$(FROM_SECRET)", False),
        ("DATABASE_URL", "postgres://app:$(PASSWORD)@db/shop", False),
        ("DATABASE_URL", "postgres://db:5432/shop", False),
        ("TASK", "task-and-risk-management-of-a-desk", False),
    ],
)
def test_what_is_a_secret(name: str, text: str, secret: bool) -> None:
    assert is_secret(name, text) is secret


@pytest.mark.parametrize("part", ["a", "a-", "a ", "a=", "a1-", "://", "KEY: ", "-----BEGIN "])
def test_a_long_text_is_searched_in_little_time(part: str) -> None:
    start = time.process_time()
    is_secret("A_KEY", part * (2_000_000 // len(part)))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "number"),
    [("500m", "0.5"), ("2", "2"), (0.5, "0.5"), ("1Ki", "1024"), ("1k", "1000"), ("1.5Gi", None)],
)
def test_quantities(text: object, number: str | None) -> None:
    assert quantity(text) == (type(quantity(text))(number) if number else 1.5 * 1024**3)


@pytest.mark.parametrize("text", ["400MB", "many", "", "1 Gi", "5Zi"])
def test_no_quantities(text: str) -> None:
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("given", "count", "up", "pods"),
    [(1, 3, True, 1), ("50%", 3, True, 2), ("50%", 3, False, 1), ("100%", 3, False, 3)],
)
def test_percentages_of_pods(given: object, count: int, up: bool, pods: int) -> None:
    assert of_pods(given, count, up=up) == pods


DNS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
NEAR = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}
PEER = "NetworkPolicy agent: spec.egress.1.to.0"
# The model lets the agent in, and the agent is no longer let out to it.
ONE_SIDED = {"policy-one-sided": "error"}
TO_MODEL = {"to": [{"podSelector": {"matchLabels": {"app": "model"}}}]}
SLEEP = f"{AGENT}: {BOX}.lifecycle.preStop"
PORT = f"{AGENT}: {BOX}.ports.0"
ACCOUNT = {"kind": "ServiceAccount", "name": "agent"}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "agent", "namespace": "shop"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [ACCOUNT],
}
RAY = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "r"}}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "model-key", "namespace": "shop"},
    "stringData": {"other": "x"},
}
ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "agent", "namespace": "shop"},
}


def route(name: str, port: int) -> dict[str, Any]:
    rules = [{"backendRefs": [{"name": name, "port": port}]}]
    return {**ROUTE, "spec": {"rules": rules}}


CASES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    # selectors
    ("an expression that holds", {f"{AGENT}: spec.selector": {
        "matchExpressions": [{"key": "app", "operator": "In", "values": ["agent", "b"]}]}}, {}),
    ("an expression that does not hold", {f"{AGENT}: spec.selector": {
        "matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}},
     {"selector-template": "error"}),
    ("a label that a controller gives", {"Service model: spec.selector": {
        "app": "model", "statefulset.kubernetes.io/pod-name": "model-0"}}, {}),
    ("a Service without selector", {"Service agent: spec.selector": GONE}, {}),
    ("a Service whose pods an extension may make",
     {"Service x": {"apiVersion": "v1", "kind": "Service",
                    "metadata": {"name": "x", "namespace": "shop"},
                    "spec": {"selector": {"app": "x"}, "ports": [{"port": 1}]}},
      "RayCluster r": RAY},
     {"selects-nothing": "warning", "not-checked": "not checked"}),
    ("a Service to one more number, which may be open without being declared",
     {"Service agent: spec.ports": [{"name": "http", "port": 80, "targetPort": "http"},
                                    {"name": "admin", "port": 81, "targetPort": 9000}]},
     {"service-port": "warning"}),
    ("a Service to a name that is not declared",
     {"Service agent: spec.ports": [{"name": "http", "port": 80, "targetPort": "http"},
                                    {"name": "admin", "port": 81, "targetPort": "admin"}]},
     {"service-port": "error"}),
    ("a Service of pods that declare nothing", {f"{MODEL}: {BOX}.ports": GONE}, {}),
    ("a Service to a number", {"Service agent: spec.ports.0.targetPort": 8000}, {}),
    ("a route to a Service", {"HTTPRoute agent": route("agent", 80)},
     {"not-checked": "not checked"}),
    ("a route to no Service", {"HTTPRoute agent": route("agnet", 80)},
     {"not-checked": "not checked", "route-backend": "error"}),
    ("a Service that an extension may make",
     {"HTTPRoute agent": route("ray-head", 80), "RayCluster r": RAY},
     {"not-checked": "not checked", "route-backend": "warning"}),
    ("a route to no port", {"HTTPRoute agent": route("agent", 8000)},
     {"not-checked": "not checked", "route-backend": "error"}),
    # autoscaling and drains
    ("limits count as requests", {f"{AGENT}: {BOX}.resources": {
        "limits": {"cpu": "1", "memory": "1Gi"}}}, {}),
    ("scaling on requests in flight needs no request",
     {"HorizontalPodAutoscaler agent: spec.metrics": [{"type": "Pods", "pods": {
         "metric": {"name": "in_flight"},
         "target": {"type": "AverageValue", "averageValue": "4"}}}],
      f"{AGENT}: {BOX}.resources.requests.cpu": GONE}, {"no-requests": "warning"}),
    ("a budget that counts the autoscaler's minimum",
     {"PodDisruptionBudget agent: spec": {"minAvailable": 2, "selector": {
         "matchLabels": {"app": "agent"}}}}, {"pdb-blocks-drain": "error"}),
    ("no unavailable pod", {"PodDisruptionBudget agent: spec.maxUnavailable": "0%"},
     {"pdb-blocks-drain": "error"}),
    ("a budget that is rounded up and still allows one",
     {"PodDisruptionBudget model: spec.minAvailable": "50%", f"{MODEL}: spec.replicas": 3}, {}),
    ("maxUnavailable is rounded down", {f"{AGENT}: spec.strategy.rollingUpdate.maxUnavailable":
                                        "99%"}, {}),
    ("Recreate of two", {f"{AGENT}: spec.strategy": {"type": "Recreate"}},
     {"rollout-without-pods": "error"}),
    ("Recreate of what nobody calls", {f"{MODEL}: spec.strategy": {"type": "Recreate"},
     "Service model": GONE}, {}),
    # probes and endings
    ("a probe by number on a port that is not declared",
     {f"{AGENT}: {BOX}.readinessProbe.httpGet.port": 9000}, {"probe-port": "warning"}),
    ("a probe by number", {f"{AGENT}: {BOX}.readinessProbe.httpGet.port": 8000}, {}),
    ("sleep as a command", {SLEEP: {"exec": {"command": ["sh", "-c", "sleep 60"]}}},
     {"grace-too-short": "error"}),
    ("a sleep that leaves a second", {SLEEP: {"sleep": {"seconds": 59}}}, {}),
    ("the default grace period", {SLEEP: {"sleep": {"seconds": 30}},
     f"{AGENT}: {POD}.terminationGracePeriodSeconds": GONE}, {"grace-too-short": "error"}),
    # references
    ("a Secret that lacks the key", {"Secret model-key": SECRET},
     {"secret-in-files": "warning", "reference": "error"}),
    ("an optional ConfigMap", {f"{AGENT}: {BOX}.envFrom.0.configMapRef":
                               {"name": "elsewhere", "optional": True}}, {}),
    ("a key that is not there", {f"{AGENT}: {BOX}.env.0.valueFrom.configMapKeyRef.key": "LEVEL"},
     {"reference": "error"}),
    ("no account", {"ServiceAccount agent": GONE}, {"reference": "error", "token": "warning"}),
    # network
    ("DNS by TCP alone", {"NetworkPolicy agent: spec.egress.0.ports": [{"port": 53}]},
     {"egress-without-dns": "error"}),
    ("DNS in the pod's own namespace", {"NetworkPolicy agent: spec.egress.0.to":
     [{"podSelector": {}}]}, {"egress-without-dns": "error"}),
    ("DNS in another policy", {"NetworkPolicy agent: spec.egress": [TO_MODEL],
     "NetworkPolicy deny: spec.egress": [{"to": [DNS], "ports": [
         {"protocol": "UDP", "port": 53}]}]}, {}),
    ("addresses only", {"NetworkPolicy agent: spec.egress":
     [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 443}]}]}, ONE_SIDED),
    ("nothing may be sent", {"NetworkPolicy agent: spec.egress": []}, ONE_SIDED),
    ("a peer whose label is mistyped", {f"{PEER}.podSelector.matchLabels.app": "modal"},
     {"policy-peer": "error"}),
    ("a peer that others may deploy", {f"{PEER}.podSelector.matchLabels.app": "redis"},
     {"policy-peer": "warning", **ONE_SIDED}),
    ("a mistyped peer that an extension may make", {
        f"{PEER}.podSelector.matchLabels.app": "modal", "RayCluster r": RAY},
     {"policy-peer": "warning", "not-checked": "not checked"}),
    ("a mistyped peer in a namespace of the set", {PEER: {**NEAR, "podSelector": {
        "matchLabels": {"app": "modal"}}}}, {"policy-peer": "error"}),
    ("a peer in a namespace of the set", {PEER: {**NEAR, "podSelector": {
        "matchLabels": {"app": "model"}}}}, {}),
    ("a peer in a namespace of others", {PEER: {**DNS, "podSelector": {
        "matchLabels": {"app": "modal"}}}}, ONE_SIDED),
    ("a peer in any namespace", {PEER: {"namespaceSelector": {}, "podSelector": {
        "matchLabels": {"app": "modal"}}}}, ONE_SIDED),
    ("a range of ports", {"NetworkPolicy model: spec.ingress.0.ports":
                          [{"port": 8000, "endPort": 8100}]}, {}),
    ("a role makes use of the token", {"RoleBinding agent": BINDING,
     "ServiceAccount agent: automountServiceAccountToken": GONE}, {}),
    # secrets
    ("a key in a ConfigMap", {"ConfigMap agent: data.TRANSLATOR_KEY": "abcd1234efgh5678ijkl"},
     {"secret-literal": "error"}),
    ("a key in a variable", {f"{AGENT}: {BOX}.env.1": {
        "name": "TRANSLATOR_KEY", "value": "abcd1234efgh5678ijkl"}}, {"secret-literal": "error"}),
    ("a password in an address", {"ConfigMap agent: data.REDIS_URL": "redis://:pw@redis:6379/0"},
     {"secret-literal": "error"}),
    ("a password after its option", {f"{AGENT}: {BOX}.args": ["--requirepass", "hunter2"]},
     {"secret-literal": "error"}),
    ("an option that takes a password from elsewhere", {
        f"{AGENT}: {BOX}.args": ["--requirepass", "$(PASSWORD)", "--password", "--verbose"]}, {}),
    ("a password in an option", {f"{AGENT}: {BOX}.args": ["--password=hunter2"]},
     {"secret-literal": "error"}),
    # rights
    ("rights of the pod are those of its containers",
     {f"{AGENT}: {BOX}.securityContext.runAsUser": 0}, {"root-user": "warning"}),
    ("a digest is a version", {f"{AGENT}: {BOX}.image": "r:5000/agent@sha256:" + "0" * 64}, {}),
    ("a registry's port is no version", {f"{AGENT}: {BOX}.image": "r:5000/agent"},
     {"image-tag": "warning"}),
    ("a port with a value that is null", {f"{PORT}.protocol": None}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_what_is_found_is_exactly_this(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert found(changes) == expected


def test_an_error_of_one_version_says_which() -> None:
    binding = {**BINDING, "roleRef": {"kind": "ClusterRole", "name": "view"}}
    binding["subjects"] = [{**ACCOUNT, "namespace": "shop"}]
    findings = check_objects([binding], ["1.35", "1.37"])
    assert [one.what for one in findings] == ["roleRef.apiGroup is missing (Kubernetes 1.35)"]


def all_places(body: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    pairs = body.items() if isinstance(body, dict) else enumerate(body)
    found: list[tuple[str | int, ...]] = []
    for key, inner in pairs:
        found.append((*before, key))
        if isinstance(inner, dict | list):
            found += all_places(inner, (*before, key))
    return found


def with_route() -> dict[str, dict[str, Any]]:
    return {**bundle(), "HTTPRoute agent": copy.deepcopy(route("agent", 80))}


WRONG = [1, "x", [1], {"a": [1]}, None]


@pytest.mark.parametrize("name", sorted(with_route()))
def test_a_wrong_type_anywhere_ends_in_findings_and_not_in_an_error(name: str) -> None:
    """Each field gets values that it may not have, two of them in turn; the rest stays right."""
    for number, (*steps, last) in enumerate(all_places(with_route()[name])):
        for value in (WRONG[number % 5], WRONG[(number + 2) % 5]):
            objects = with_route()
            body: Any = objects[name]
            for step in steps:
                body = body[step]
            body[last] = copy.deepcopy(value)
            check_objects(list(objects.values()), ["1.37"])
