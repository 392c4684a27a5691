"""Answers to exercise 07.1: one fault left in at a time, and ways to silence a checker."""

import json
from typing import Any

from helpers.authoring.answers import right, wrong

Step = dict[str, Any]

BOX = "/spec/template/spec/containers/0"
KEY = {"name": "MODEL_API_KEY", "valueFrom": {"secretKeyRef": {"name": "model-key", "key": "key"}}}
APP = {"app": "agent"}
READY = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 5}
UDP = {"protocol": "UDP", "port": 53}


def replace(path: str, value: object) -> list[Step]:
    return [{"op": "replace", "path": path, "value": value}]


def remove(path: str) -> list[Step]:
    return [{"op": "remove", "path": path}]


def add(path: str, value: object) -> list[Step]:
    return [{"op": "add", "path": path, "value": value}]


# The twelve fixes: the object, and the steps of a JSON patch.
FIXES: dict[str, tuple[str, list[Step]]] = {
    "selector": ("Deployment", replace("/spec/selector/matchLabels/app", "agent")),
    "image": ("Deployment", replace(f"{BOX}/image", "shop/agent:1.4.0")),
    "host": ("Deployment", replace(f"{BOX}/env/0/value", "http://model.models:8080/v1")),
    "secret": ("Deployment", replace(f"{BOX}/env/1", KEY)),
    "limit": ("Deployment", replace(f"{BOX}/resources/limits/memory", "800Mi")),
    "grace": ("Deployment", replace("/spec/template/spec/terminationGracePeriodSeconds", 45)),
    "readiness": (
        "Deployment",
        [{"op": "move", "from": f"{BOX}/readinesProbe", "path": f"{BOX}/readinessProbe"}],
    ),
    "liveness": ("Deployment", replace(f"{BOX}/livenessProbe/httpGet/path", "/livez")),
    "port": ("Service", replace("/spec/ports/0/targetPort", "http")),
    "scaler": ("HorizontalPodAutoscaler", replace("/spec/scaleTargetRef/name", "agent")),
    "budget": ("PodDisruptionBudget", replace("/spec/minAvailable", 1)),
    "dns": ("NetworkPolicy", add("/spec/egress/0/ports/-", UDP)),
}


def patched(*leave: str, more: str = "", **other: tuple[str, list[Step]]) -> object:
    """All fixes but those left out; `other` replaces some or adds some; `more` are other lines."""
    steps = {name: one for name, one in FIXES.items() if name not in leave} | other
    patches = [
        {"target": {"kind": kind, "name": "agent"}, "patch": json.dumps(patch)}
        for kind, patch in steps.values()
    ]
    files = "resources: [agent.yaml, network.yaml, scaling.yaml]"
    return f"{files}\npatches: {json.dumps(patches)}\n{more}"


def with_patch(found: object, target: dict[str, str], steps: list[Step]) -> str:
    patch = json.dumps({"target": target, "patch": json.dumps(steps)})
    return str(found).replace("patches: [", f"patches: [{patch}, ")


@wrong("The selector is left.")
def selector_left() -> object:
    return patched("selector")


@wrong("The image's tag is left.")
def image_left() -> object:
    return patched("image")


@wrong("The model's host is left, which no checker finds.", slip="host-mistyped")
def host_left() -> object:
    return patched("host")


@wrong("The key is left in the file.")
def secret_left() -> object:
    return patched("secret")


@wrong("The limit is left.")
def limit_left() -> object:
    return patched("limit")


@wrong("The grace period is left.", slip="answers-cut-off")
def grace_left() -> object:
    return patched("grace")


@wrong("The mistyped readiness probe is left.")
def readiness_left() -> object:
    return patched("readiness")


@wrong("Liveness still asks /readyz.", slip="busy-is-dead")
def liveness_left() -> object:
    return patched("liveness")


@wrong("The Service's port is left.")
def port_left() -> object:
    return patched("port")


@wrong("The autoscaler's target is left.")
def scaler_left() -> object:
    return patched("scaler")


@wrong("The budget is left.")
def budget_left() -> object:
    return patched("budget")


@wrong("Name lookups are left at TCP.")
def dns_left() -> object:
    return patched("dns")


@wrong("The budget is deleted.", slip="object-removed")
def budget_deleted() -> object:
    gone = "kind: PodDisruptionBudget\nmetadata: {name: agent, namespace: shop}\n$patch: delete"
    patch = json.dumps([{"target": {"kind": "PodDisruptionBudget"}, "patch": gone}])
    return str(patched("budget")).replace("patches: [", f"patches: [{patch[1:-1]}, ")


@wrong("The file with both policies is left out.", slip="object-removed")
def network_left_out() -> object:
    return str(patched("dns")).replace("network.yaml, ", "")


@wrong("The mistyped probe is removed, and nothing put in its place.", slip="probe-removed")
def probe_removed() -> object:
    return patched(readiness=("Deployment", remove(f"{BOX}/readinesProbe")))


@wrong("The liveness probe is removed.", slip="probe-removed")
def liveness_removed() -> object:
    return patched(liveness=("Deployment", remove(f"{BOX}/livenessProbe")))


@wrong("The key is removed from the variables.", slip="key-is-gone")
def key_removed() -> object:
    return patched(secret=("Deployment", remove(f"{BOX}/env/1")))


@wrong("The key comes from another Secret.")
def another_secret() -> object:
    return patched(
        other=("Deployment", replace(f"{BOX}/env/1/valueFrom/secretKeyRef/name", "agent"))
    )


@wrong("The request goes down to the limit.", slip="request-lowered")
def request_lowered() -> object:
    return patched(limit=("Deployment", replace(f"{BOX}/resources/requests/memory", "64Mi")))


@wrong("The limit is the peak, without any headroom.")
def limit_at_the_peak() -> object:
    return patched(limit=("Deployment", replace(f"{BOX}/resources/limits/memory", "640Mi")))


@wrong("A grace period that satisfies the checker, and cuts off answers.", slip="answers-cut-off")
def grace_of_the_checker() -> object:
    return patched(grace=("Deployment", replace(FIXES["grace"][1][0]["path"], 39)))


@wrong("The limit is right, and the request is the peak.", slip="request-changed")
def request_raised() -> object:
    return patched(other=("Deployment", replace(f"{BOX}/resources/requests/memory", "640Mi")))


@wrong("preStop is removed instead.", slip="pre-stop-removed")
def without_pre_stop() -> object:
    return patched(grace=("Deployment", remove(f"{BOX}/lifecycle")))


@wrong("Readiness asks /livez.")
def readiness_asks_livez() -> object:
    probe = {"httpGet": {"path": "/livez", "port": "http"}, "periodSeconds": 5}
    return patched(
        readiness=("Deployment", remove(f"{BOX}/readinesProbe")),
        other=("Deployment", add(f"{BOX}/readinessProbe", probe)),
    )


@wrong("The budget protects nothing.", slip="no-protection")
def budget_of_none() -> object:
    return patched(budget=("PodDisruptionBudget", replace("/spec/minAvailable", 0)))


@wrong("More pods for the budget's sake.", slip="scaled-for-the-budget")
def scaled_for_the_budget() -> object:
    return patched(budget=("HorizontalPodAutoscaler", replace("/spec/minReplicas", 3)))


@wrong("Everything may go out.", slip="too-open")
def all_out() -> object:
    return patched(dns=("NetworkPolicy", add("/spec/egress/-", {})))


@wrong("Name lookups go to anyone.", slip="too-open")
def dns_to_anyone() -> object:
    return patched(dns=("NetworkPolicy", add("/spec/egress/-", {"ports": [UDP]})))


@wrong("UDP replaces TCP.")
def udp_only() -> object:
    return patched(dns=("NetworkPolicy", replace("/spec/egress/0/ports/0", UDP)))


@wrong("The Service sends to another port that exists.")
def another_port() -> object:
    return patched(
        port=("Service", replace("/spec/ports/0/targetPort", "admin")),
        other=("Deployment", add(f"{BOX}/ports/-", {"name": "admin", "containerPort": 9000})),
    )


@wrong("All objects are renamed.", slip="object-removed")
def renamed() -> object:
    return patched(more="namePrefix: my-\n")


@wrong("All objects are moved to another namespace.", slip="object-removed")
def moved() -> object:
    return patched(more="namespace: prod\n")


@wrong("A container is added.")
def sidecar() -> object:
    box = {
        "name": "debug",
        "image": "busybox:1.37",
        "resources": {"requests": {"cpu": "10m", "memory": "8Mi"}, "limits": {"memory": "8Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return patched(other=("Deployment", add("/spec/template/spec/containers/-", box)))


NAMES = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


@wrong("Every pod of the namespace may look up names.", slip="deny-changed")
def dns_for_every_pod() -> object:
    found = patched("dns")
    rule = [{"op": "add", "path": "/spec/egress", "value": [{"to": [NAMES], "ports": [UDP]}]}]
    return with_patch(found, {"kind": "NetworkPolicy", "name": "deny"}, rule)


@wrong("Nothing limits what other pods send.", slip="deny-changed")
def deny_ingress_alone() -> object:
    target = {"kind": "NetworkPolicy", "name": "deny"}
    return with_patch(patched(), target, replace("/spec/policyTypes", ["Ingress"]))


@wrong("Only the agent is closed.", slip="deny-changed")
def deny_the_agent_alone() -> object:
    target = {"kind": "NetworkPolicy", "name": "deny"}
    return with_patch(patched(), target, replace("/spec/podSelector", {"matchLabels": APP}))


@wrong("The agent's policy is for every pod.", slip="others-too")
def policy_for_all() -> object:
    return patched(other=("NetworkPolicy", replace("/spec/podSelector", {})))


@wrong("The budget is for every pod.")
def budget_for_all() -> object:
    return patched(other=("PodDisruptionBudget", replace("/spec/selector", {})))


@wrong("The Service sends to any pod of its namespace that has some app.")
def another_selector() -> object:
    any_app = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    return patched(other=("PodDisruptionBudget", replace("/spec/selector", any_app)))


@wrong("Liveness gives up after one failure.")
def liveness_of_one_failure() -> object:
    return patched(other=("Deployment", add(f"{BOX}/livenessProbe/failureThreshold", 1)))


@wrong("Liveness asks by HTTPS.")
def liveness_by_https() -> object:
    return patched(other=("Deployment", add(f"{BOX}/livenessProbe/httpGet/scheme", "HTTPS")))


@wrong("Readiness begins after ten minutes.")
def readiness_after_minutes() -> object:
    return patched(other=("Deployment", add(f"{BOX}/readinessProbe/initialDelaySeconds", 600)))


@wrong("A CPU limit.")
def cpu_limit() -> object:
    return patched(other=("Deployment", add(f"{BOX}/resources/limits/cpu", "250m")))


@wrong("The rollout is paused.")
def paused() -> object:
    return patched(other=("Deployment", add("/spec/paused", True)))


@wrong("The pods need a node that is not there.")
def elsewhere() -> object:
    return patched(other=("Deployment", add("/spec/template/spec/nodeSelector", {"gpu": "a"})))


@wrong("The Service opens a load balancer.")
def load_balancer() -> object:
    return patched(other=("Service", add("/spec/type", "LoadBalancer")))


@wrong("The autoscaler never scales up.")
def no_scaling_up() -> object:
    return patched(
        other=(
            "HorizontalPodAutoscaler",
            add("/spec/behavior", {"scaleUp": {"selectPolicy": "Disabled"}}),
        )
    )


@wrong("The budget evicts pods that are not ready.")
def evicts_what_is_not_ready() -> object:
    return patched(
        other=("PodDisruptionBudget", add("/spec/unhealthyPodEvictionPolicy", "AlwaysAllow"))
    )


@wrong("It is not YAML.", slip="not-rendered")
def not_yaml() -> object:
    return "resources: [agent.yaml\npatches: ]["


@wrong("A patch in a file that is not there.", slip="not-rendered")
def patches_nothing() -> object:
    return "resources: [agent.yaml]\npatches:\n  - path: mine.yaml\n"


@wrong("Only the folder's files, and no patch.", slip="probe-removed")
def no_patch() -> object:
    return "resources: [agent.yaml, network.yaml, scaling.yaml]\n"


@wrong("A dict and not its text.", slip="not-rendered")
def a_dict() -> object:
    return {"resources": ["agent.yaml", "network.yaml", "scaling.yaml"]}


@right("One JSON patch for each fault.")
def json_patches() -> object:
    return patched()


@right("A limit as a number of bytes, a longer grace period, and a budget of one unavailable.")
def other_words() -> object:
    return patched(
        limit=("Deployment", replace(f"{BOX}/resources/limits/memory", 800 * 1024**2)),
        grace=("Deployment", replace(FIXES["grace"][1][0]["path"], 40)),
        budget=(
            "PodDisruptionBudget",
            [*remove("/spec/minAvailable"), *add("/spec/maxUnavailable", 1)],
        ),
    )


@right("The pods get the selector's label, and all who select them follow.")
def the_other_label() -> object:
    app = {"app": "agents"}
    return patched(
        selector=("Deployment", replace("/spec/template/metadata/labels", app)),
        service=("Service", replace("/spec/selector", app)),
        guard=("PodDisruptionBudget", replace("/spec/selector/matchLabels", app)),
        policy=("NetworkPolicy", replace("/spec/podSelector/matchLabels", app)),
    )


@right("The kustomization sets the image, and a new rule opens DNS.")
def images_and_a_rule() -> object:
    names = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return patched(
        "image",
        dns=("NetworkPolicy", add("/spec/egress/-", {"to": [names], "ports": [UDP]})),
        port=("Service", replace("/spec/ports/0/targetPort", 8000)),
        more="images: [{name: shop/agent, newTag: 1.4.0}]\n",
    )


@right("The model's name in full.")
def full_name() -> object:
    url = "http://model.models.svc.cluster.local:8080/v1"
    return patched(host=("Deployment", replace(f"{BOX}/env/0/value", url)))


@right("Numbers of ports in the probes, and defaults written out.")
def other_probes() -> object:
    ready = {"httpGet": {"path": "/readyz", "port": 8000}, "periodSeconds": 5, "timeoutSeconds": 1}
    alive = {
        "httpGet": {"path": "/livez", "port": 8000, "scheme": "HTTP"},
        "periodSeconds": 5,
        "failureThreshold": 3,
    }
    return patched(
        readiness=("Deployment", remove(f"{BOX}/readinesProbe")),
        other=("Deployment", add(f"{BOX}/readinessProbe", ready)),
        liveness=("Deployment", replace(f"{BOX}/livenessProbe", alive)),
    )


@right("Selectors with `In`, an image with its host, and the port by another name.")
def expressions() -> object:
    def one_of(key: str, value: str) -> dict[str, Any]:
        return {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}

    egress = [
        {
            "to": [{"namespaceSelector": one_of("kubernetes.io/metadata.name", "models")}],
            "ports": [{"port": 8080, "endPort": 8080}],
        },
        {"to": [NAMES | {"podSelector": one_of("k8s-app", "kube-dns")}], "ports": [UDP]},
        {"to": [NAMES], "ports": [{"port": 53}]},
    ]
    probes = ("startupProbe", "readinessProbe", "livenessProbe")
    names = [replace(f"{BOX}/{one}/httpGet/port", "web")[0] for one in probes]
    return patched(
        "port",
        dns=("NetworkPolicy", replace("/spec/egress", egress)),
        image=("Deployment", replace(f"{BOX}/image", "docker.io/shop/agent:1.4.0")),
        guard=("PodDisruptionBudget", replace("/spec/selector", one_of("app", "agent"))),
        name=("Deployment", [*replace(f"{BOX}/ports/0/name", "web"), *names]),
    )


@right("A strategic merge patch for the pod.")
def strategic() -> object:
    merge = """
kind: Deployment
apiVersion: apps/v1
metadata: {name: agent, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: agent
          image: shop/agent:1.4.0
          readinesProbe: null
          readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5}
"""
    patch = json.dumps([{"patch": merge}])
    found = str(patched("image", "readiness"))
    return found.replace("patches: [", f"patches: [{patch[1:-1]}, ")
