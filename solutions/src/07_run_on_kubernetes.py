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
