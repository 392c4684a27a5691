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
from helpers.deploy import check_folder
from helpers.paths import ROOT

folder = ROOT / "labs" / "07_run_on_kubernetes"
for finding in check_folder(folder):
    print(f"{finding.file.split('labs')[-1]}:{finding.line}: {finding.what} [{finding.rule}]")

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

# %% [markdown] name="probes-goal"
# ## 2. Write probes that restart what hangs, and nothing else
#
# `PROBES` is YAML text: `startupProbe`, `readinessProbe` and `livenessProbe`, as they stand in a
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
# 2. The pod gets no requests before it has loaded. It gets them at most 5 seconds after that, unless
#    it is busy.
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
