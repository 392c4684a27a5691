# %% [markdown] name="title"
# # 07 Run on Kubernetes
#
# After this notebook you can write the image and the manifests of a service, find their faults
# before a cluster does, and roll out a new version without losing a request.
#
# **90 minutes (the machine works for 4 of them). Level: YAML, a shell. Before it: module 05.**

# %% [markdown] name="picture"
# ```mermaid
# flowchart LR
#     client([client]) --> ingress["Ingress"] --> service["Service<br>pods that are ready"]
#     subgraph deployment["Deployment"]
#         first["pod<br>your image"]
#         second["pod<br>your image"]
#     end
#     service --> first & second
#     first & second --> model["the model's server"]
#     hpa["HorizontalPodAutoscaler"] -. replicas .-> deployment
#     pdb["PodDisruptionBudget"] -. "not too few" .-> deployment
#     policy["NetworkPolicy"] -. "who may talk to whom" .-> deployment
# ```

# %% [markdown] name="terms-text"
# A *cluster* is a set of machines, its *nodes*. You describe what should run as objects in YAML and
# send them to the *API server*. Controllers then make it so: a *scheduler*, for instance, finds a
# node for each pod. A *namespace* is a part of a cluster in which names are unique.

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="real-text"
# What is real here: the image, its containers and pods (by [podman](https://podman.io)), `kubectl`,
# the schemas of Kubernetes, and a rollout behind HAProxy. A cluster itself cannot be installed with
# Python packages, so none runs. The files that you write are those that you would send to kind, k3s
# or a cloud; "Without the course" lists what they need there.
#
# Images, pods and the rollout need podman and HAProxy, which run on Linux
# (`apt install podman runc haproxy`). Without them, read the stored output of these cells and of
# those that use their figures.

# %% [markdown] name="files-text"
# ## What is in an image?
#
# Take the service of module 05. Its model is one of LangChain's fake ones: it streams a fixed
# answer, one character every 30 milliseconds, and needs neither a GPU nor a key.

# %% name="files"
import shutil
import tempfile
from pathlib import Path

from helpers.course import earlier_programs

earlier_programs()
import agent
import service

here = Path.cwd()
drawer = tempfile.TemporaryDirectory()
os.chdir(drawer.name)
for folder in ["shop", "k8s/base", "k8s/overlays/dev", "k8s/overlays/prod"]:
    Path(folder).mkdir(parents=True)
for program in (agent, service):
    shutil.copy(program.__file__, "shop")

# %% name="app"
# %%writefile shop/app.py
from agent import make_agent
from langchain_core.language_models import FakeListChatModel
from service import digest, make_app

model = FakeListChatModel(responses=["The Alta 2 tent weighs 2.1 kg."], sleep=0.03)
agent = make_agent(model, [])
app = make_app(agent, {digest("key"): "C-0042"}, rate="9999/minute", running=64)

# %% [markdown] name="stages-text"
# An image is a stack of *layers*: each is what one line of a Dockerfile adds to the files. A build
# that has several *stages* leaves its tools behind, because only what the last stage copies is
# shipped. The first stages install the packages. With `PACKAGES=lock` they come from an index, and
# pip compares each with the hash in the lock (which `uv pip compile pyproject.toml
# --generate-hashes` writes); with `PACKAGES=copy` they come from this folder.

# %% name="dockerfile" app="Dockerfile"
# %%writefile shop/Dockerfile
# ARG BASE=docker.io/library/python:3.11-slim
# ARG PACKAGES=lock
#
# FROM ${BASE} AS packages-lock
# COPY requirements.lock /
# RUN ["python3", "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--require-hashes", \
#      "--target", "/srv/packages", "--requirement", "/requirements.lock"]
#
# FROM ${BASE} AS packages-copy
# COPY packages /srv/packages

# %% [markdown] name="last-stage-text"
# The last stage copies the packages, then the code. What changes most often comes last, because a
# changed line rebuilds its layer and all later ones. The user is a number that is not root's; the
# command is a list, so that no shell is needed and SIGTERM reaches Python itself.

# %% name="dockerfile-last" app="Dockerfile"
# %%writefile -a shop/Dockerfile
#
# FROM packages-${PACKAGES} AS ready
# RUN ["python3", "-m", "compileall", "-q", "/srv/packages"]
#
# FROM ${BASE}
# COPY --from=ready /srv/packages /srv/packages
# ENV PYTHONPATH=/srv/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# WORKDIR /srv/app
# COPY *.py ./
# USER 10001:10001
# EXPOSE 8000
# CMD ["python3", "-m", "uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8000"]

# %% [markdown] name="base-text"
# On your own machine you would now run `podman build --build-arg PACKAGES=lock shop`, or the same
# with `docker`. That fetches the base image. Here there is no registry to fetch it from, so the
# course makes a base out of the running Python, and a podman that keeps its images in a folder of
# its own and deletes them when you leave.

# %% name="base"
import atexit
from contextlib import ExitStack

from helpers.deploy.image import make_base, write_packages
from helpers.deploy.podman import podman as own_podman
from helpers.deploy.subset import needed

room = ExitStack()
atexit.register(room.close)
engine = room.enter_context(own_podman())
os.environ.update(engine.environment)
packages = needed("bm25s", "fastapi", "langchain", "langchain-text-splitters", "langgraph",
                  "limits", "numpy", "prometheus-client", "uvicorn")
base = make_base(engine, packages=packages)
write_packages(Path("shop/packages"), packages)
print(base, len(packages), "packages")

# %% name="podman"
import subprocess
import time


def podman(*words, given=None):
    """Run podman with these words; return what it prints."""
    done = subprocess.run(["podman", *words], input=given, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def build(version):
    """Build the image; return the seconds that it took."""
    began = time.perf_counter()
    podman("build", "--isolation=chroot", "--pull=never", "--layers", f"--build-arg=BASE={base}",
           "--build-arg=PACKAGES=copy", f"--tag=localhost/shop:{version}", "shop")
    return time.perf_counter() - began

# %% [markdown] name="build-text"
# Build it twice, with one changed line of code in between. How long does the second build take?

# %% name="build"
first_build = build(1)
with Path("shop/app.py").open("a") as code:
    code.write("# a changed line\n")
second_build = build(2)
print(f"{first_build:.1f} s, then {second_build:.1f} s")

# %% [markdown] name="build-notes" only="instructor"
# Ask how long the second build takes, compared with the first; wait ten seconds for a number. The
# mistake here is a `COPY . .` before the packages. Images, pods and the rollout need podman and
# HAProxy, which run on Linux. If people have other systems, run the notebook on your machine, and
# let them read the stored output.

# %% name="layers"
import json

import pandas as pd

from helpers.course import show

steps = json.loads(podman("history", "--format=json", "localhost/shop:2"))
layers = pd.DataFrame(reversed(steps))[["CreatedBy", "size"]]
layers = layers[layers["size"] > 0]
layers["MB"] = layers.pop("size") / 1e6
show.table(layers, caption=f"An image of {layers.MB.sum():.0f} MB")

# %% [markdown] name="layers-text"
# A changed line of code makes one layer of a few kilobytes, and a machine that has the other layers
# fetches only this one. If `COPY . .` came before the packages, every change would ship them all
# again. (The second build spends its time on reading the packages, to see that they are the same.)
#
# What is in an image, and who vouches for it? A *software bill of materials* (SBOM) lists the
# packages of an image, and a signature says who built it. Tools such as Syft and cosign make both
# in CI, and a policy of the cluster can refuse images without them.

# %% [markdown] name="pod-text"
# ## Which pod is healthy?
#
# A *pod* is the smallest thing that Kubernetes runs: one container or several that share an
# address. podman reads the same YAML. This pod uses the machine's own network, so you choose its
# port; on a cluster each pod has an address of its own.

# %% name="pod"
# %%writefile pod.yaml
# apiVersion: v1
# kind: Pod
# metadata: {name: NAME}
# spec:
#   hostNetwork: true
#   terminationGracePeriodSeconds: 30
#   containers:
#     - name: shop
#       image: localhost/shop:VERSION
#       command: [python3, -m, uvicorn, "app:app", --port, "PORT", --log-level, warning]
#       securityContext:
#         readOnlyRootFilesystem: true
#         allowPrivilegeEscalation: false
#         capabilities: {drop: [ALL]}

# %% name="play"
from helpers.testbed import Clients, free_port


def play(name, port, version):
    """Start a pod of this version, as a node of a cluster does."""
    manifest = Path("pod.yaml").read_text()
    for word, value in {"NAME": name, "PORT": str(port), "VERSION": str(version)}.items():
        manifest = manifest.replace(word, value)
    podman("kube", "play", "-", given=manifest)

# %% [markdown] name="probe-text"
# A *probe* is a question that the node asks the container every few seconds. Module 05's service
# has two paths for them: `/livez` answers as long as the process works, and `/readyz` once it can
# serve. Start a pod and ask both. What does the node see first?

# %% name="probe"
import httpx


def probe(path):
    """What a node finds out in one second."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=1).status_code
    except httpx.TimeoutException:
        return "no answer"
    except httpx.TransportError:
        return "refused"


def look(state):
    """Both probes, as a row of a table."""
    return {"the service": state, "/livez": probe("/livez"), "/readyz": probe("/readyz")}

# %% name="starting"
port = free_port()
began = time.perf_counter()
play("first", port, 1)
seen = [look("is starting")]
while probe("/readyz") != 200:
    time.sleep(0.1)
ready_s = time.perf_counter() - began
seen.append(look(f"is ready after {ready_s:.0f} s"))

# %% [markdown] name="hang-text"
# Now let it hang: SIGSTOP freezes its process, as an endless loop or a deadlock would. Then kill
# it.

# %% name="hanging"
import signal

process = int(podman("inspect", "--format={{.State.Pid}}", "first-shop"))
os.kill(process, signal.SIGSTOP)
seen.append(look("hangs"))
os.kill(process, signal.SIGCONT)
podman("pod", "kill", "first")
seen.append(look("is dead"))
podman("pod", "rm", "--force", "first")
show.table(pd.DataFrame(seen), caption="What probes see")

# %% [markdown] name="hanging-notes" only="instructor"
# Cover the table, and let pairs fill in its four rows for both probes: two minutes. Then ask which
# probe restarts a pod that hangs, and which one never restarts anything. The mistake here is a
# liveness probe that asks what readiness asks. When you are late, skip the code of `look` and
# `play`, and keep the table.

# %% [markdown] name="probes-text"
# Kubernetes has three probes, and each does something different with such an answer:
#
# | probe | after `failureThreshold` bad answers in a row |
# |---|---|
# | `startupProbe` | the container is restarted; until the first good answer, the other two wait |
# | `readinessProbe` | the pod gets no more requests, and is not restarted |
# | `livenessProbe` | the container is restarted |
#
# So the start needs patience of its own: otherwise, a container that starts slowly is restarted for
# ever. And liveness must ask less than readiness: if it also asked whether the model answers, an
# outage of the model would restart all of your pods.

# %% [markdown] name="load-text"
# ## What does a Deployment need to know?
#
# A *Deployment* keeps a number of identical pods running and replaces them when you change anything
# in the `template`. Its numbers are measurements: how much memory and CPU a pod takes under load,
# how long it takes to start, and how long the longest answer is. Measure them with eight clients.

# %% name="load"
import psutil

from helpers.testbed import closed_loop

port = free_port()
play("first", port, 1)
headers = {"Authorization": "Bearer key"}
async with Clients(f"http://127.0.0.1:{port}", "/chat/stream", headers=headers) as clients:
    while probe("/readyz") != 200:
        time.sleep(0.1)
    pod = psutil.Process(int(podman("inspect", "--format={{.State.Pid}}", "first-shop")))
    cpu = sum(pod.cpu_times()[:2])
    seconds = 4 if fast else 10
    load = await closed_loop(  # noqa: F704
        clients, {"message": "Hi"}, concurrency=8, seconds=seconds)
    cpu = sum(pod.cpu_times()[:2]) - cpu
    memory = pod.memory_info().rss / 2**20

# %% name="measures"
longest = max(one.took for one in load.seen)
cpu_each = cpu / load.count("answered")
print(f"memory {memory:.0f} MB, ready after {ready_s:.0f} s, longest answer {longest:.1f} s")
print(f"CPU {cpu_each:.3f} s a request: half a CPU carries {0.5 / cpu_each:.0f} a second")

# %% [markdown] name="deployment-text"
# The manifest follows from these measurements, with headroom. Memory: the request is about twice
# the peak, and the limit four times, because your own documents come on top. Time: several times
# the longest answer, and as long for a start as a slow machine may take.
#
# `requests` are what the scheduler sets aside for a pod, and `limits` are what it may not exceed: a
# process that takes more memory is killed, and one that takes more CPU is slowed down. So memory
# gets a limit. CPU gets none, because a slowed event loop is late for every client.

# %% name="deployment" app="k8s/base/deployment.yaml"
# %%writefile k8s/base/deployment.yaml
# apiVersion: apps/v1
# kind: Deployment
# metadata: {name: shop}
# spec:
#   replicas: 2
#   selector:
#     matchLabels: {app: shop}
#   strategy:
#     rollingUpdate: {maxUnavailable: 0, maxSurge: 1}

# %% [markdown] name="template-text"
# `maxUnavailable: 0` and `maxSurge: 1` mean: first start one more pod, and stop an old one when the
# new one is ready. The `template` is the pod. Its label is what the selector looks for.

# %% name="template" app="k8s/base/deployment.yaml"
# %%writefile -a k8s/base/deployment.yaml
#   template:
#     metadata:
#       labels: {app: shop}
#       annotations: {prometheus.io/scrape: "true", prometheus.io/port: "8000"}
#     spec:
#       serviceAccountName: shop
#       automountServiceAccountToken: false
#       terminationGracePeriodSeconds: 60
#       securityContext: {runAsNonRoot: true, runAsUser: 10001}

# %% [markdown] name="container-text"
# The container gets its settings from a *ConfigMap*, an object of names and values, and its keys
# from a *Secret*, which is in no file here.

# %% name="container" app="k8s/base/deployment.yaml"
# %%writefile -a k8s/base/deployment.yaml
#       containers:
#         - name: shop
#           image: shop
#           envFrom:
#             - configMapRef: {name: shop}
#             - secretRef: {name: shop}
#           ports:
#             - {name: http, containerPort: 8000}

# %% [markdown] name="resources-text"
# Its resources follow from the measurement: half a CPU carries more requests a second than one pod
# will get. And it may do as little as possible: write no file outside of mounts, gain no
# privileges, and use none of root's *capabilities* (the parts of root's power).

# %% name="resources" app="k8s/base/deployment.yaml"
# %%writefile -a k8s/base/deployment.yaml
#           resources:
#             requests: {cpu: 500m, memory: 256Mi}
#             limits: {memory: 512Mi}
#           securityContext:
#             readOnlyRootFilesystem: true
#             allowPrivilegeEscalation: false
#             capabilities: {drop: [ALL]}

# %% [markdown] name="container-probes-text"
# The last part is about the container's life. The `preStop` pause comes before SIGTERM: during it,
# the rest of the cluster learns that this pod is going away, and the pod still answers. The startup
# probe asks `/livez`, because `/readyz` may say no for another reason, and then a start would never
# end.

# %% name="container-probes" app="k8s/base/deployment.yaml"
# %%writefile -a k8s/base/deployment.yaml
#           startupProbe:
#             httpGet: {path: /livez, port: http}
#             periodSeconds: 2
#             failureThreshold: 60
#           readinessProbe:
#             httpGet: {path: /readyz, port: http}
#             periodSeconds: 2
#             failureThreshold: 2
#           livenessProbe:
#             httpGet: {path: /livez, port: http}
#             periodSeconds: 10
#             failureThreshold: 3
#           lifecycle:
#             preStop:
#               sleep: {seconds: 5}

# %% [markdown] name="probes-notes" only="instructor" then="07.2" needs="Which pod is healthy?"
# For each of the three probes, ask what Kubernetes does when it fails too often; wait ten seconds.
# After startup and liveness, it restarts the container; after readiness, the pod only gets no
# requests. The mistake here is one path for all three, with the default numbers. Exercise 07.2 uses
# these probes and the table of the section before. If there is time for only one of the three
# exercises of this section, take 07.2.

# %% [markdown] name="fits-text"
# Compare what you measured with what you wrote.

# %% name="fits"
import yaml

spec = yaml.safe_load(Path("k8s/base/deployment.yaml").read_text())["spec"]["template"]["spec"]
container = spec["containers"][0]
startup = container["startupProbe"]
patience = startup["periodSeconds"] * startup["failureThreshold"]
limit = container["resources"]["limits"]["memory"]
pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
grace = spec["terminationGracePeriodSeconds"] - pause
show.table([
    {"what": "seconds until ready", "measured": ready_s, "manifest": patience},
    {"what": "seconds of the longest answer", "measured": longest, "manifest": grace},
    {"what": "MB of memory", "measured": memory, "manifest": int(limit.removesuffix("Mi"))},
], caption="Headroom")

# %% [markdown] name="others-text"
# Pods come and go, and so do their addresses. A *Service* is one name and one address for all ready
# pods with a given label.

# %% name="service" app="k8s/base/service.yaml"
# %%writefile k8s/base/service.yaml
# apiVersion: v1
# kind: Service
# metadata: {name: shop}
# spec:
#   selector: {app: shop}
#   ports:
#     - {name: http, port: 80, targetPort: http}

# %% [markdown] name="budget-text"
# A *PodDisruptionBudget* limits how many pods may be evicted at once, for instance when a node is
# drained. The *ServiceAccount* is the pod's identity in the cluster. Here, the pod gets no token
# for it.

# %% name="budget" app="k8s/base/budget.yaml"
# %%writefile k8s/base/budget.yaml
# apiVersion: policy/v1
# kind: PodDisruptionBudget
# metadata: {name: shop}
# spec:
#   maxUnavailable: 1
#   selector:
#     matchLabels: {app: shop}
# ---
# apiVersion: v1
# kind: ServiceAccount
# metadata: {name: shop}
# automountServiceAccountToken: false

# %% [markdown] name="network-text"
# Without a *NetworkPolicy*, every pod may talk to every other and to the internet. The first policy
# denies all pods of the namespace every connection, in and out.

# %% name="network" app="k8s/base/network.yaml"
# %%writefile k8s/base/network.yaml
# apiVersion: networking.k8s.io/v1
# kind: NetworkPolicy
# metadata: {name: deny-all}
# spec:
#   podSelector: {}
#   policyTypes: [Ingress, Egress]

# %% [markdown] name="network-rules-text"
# The second one allows what the service needs. Pods of two namespaces may connect to it: `ingress`,
# where the way in from outside runs, and `monitoring`. (Kubernetes gives each namespace the label
# `kubernetes.io/metadata.name`.) It may connect to DNS, and to a hosted model on port 443 of
# addresses that are not private. If your service calls another pod of yours, such as a Redis, both
# ends need a rule: *egress* from the service, and *ingress* to the Redis in a policy of its own.

# %% name="network-in" app="k8s/base/network.yaml"
# %%writefile -a k8s/base/network.yaml
# ---
# apiVersion: networking.k8s.io/v1
# kind: NetworkPolicy
# metadata: {name: shop}
# spec:
#   podSelector:
#     matchLabels: {app: shop}
#   policyTypes: [Ingress, Egress]
#   ingress:
#     - from:
#         - namespaceSelector:
#             matchLabels: {kubernetes.io/metadata.name: ingress}
#         - namespaceSelector:
#             matchLabels: {kubernetes.io/metadata.name: monitoring}
#       ports: [{port: http}]

# %% name="network-out" app="k8s/base/network.yaml"
# %%writefile -a k8s/base/network.yaml
#   egress:
#     - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
#       ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
#     - to:
#         - ipBlock:
#             cidr: 0.0.0.0/0
#             except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16]
#       ports: [{port: 443}]

# %% [markdown] name="network-notes" only="instructor" then="07.3 07.5"
# For each number in the Deployment, ask "Why this one?" and wait ten seconds. The mistake here is a
# number that was copied from a chart. Exercise 07.3 uses the way from a measurement to a number in
# the manifest. 07.5 uses the NetworkPolicy, in both directions.

# %% [markdown] name="kustomize-text"
# ## What differs between two environments?
#
# Development and production run the same manifests with a few differences. *Kustomize*, which is
# part of `kubectl`, keeps these differences separate: there is a `base`, and for each environment
# an *overlay* that changes the base.

# %% name="base-kustomization" app="k8s/base/kustomization.yaml"
# %%writefile k8s/base/kustomization.yaml
# resources: [deployment.yaml, service.yaml, budget.yaml, network.yaml]
# configMapGenerator:
#   - name: shop
#     literals: [LOG_LEVEL=info]

# %% name="dev" app="k8s/overlays/dev/kustomization.yaml"
# %%writefile k8s/overlays/dev/kustomization.yaml
# namespace: shop-dev
# resources: [../../base]
# images:
#   - {name: shop, newTag: 1.0.0-dev}
# configMapGenerator:
#   - name: shop
#     behavior: merge
#     literals: [LOG_LEVEL=debug]

# %% [markdown] name="prod-text"
# In production, a *HorizontalPodAutoscaler* (HPA) chooses the number of replicas. So the overlay
# takes `replicas` out of the Deployment: otherwise each deploy would reset the number.

# %% name="hpa" app="k8s/overlays/prod/hpa.yaml"
# %%writefile k8s/overlays/prod/hpa.yaml
# apiVersion: autoscaling/v2
# kind: HorizontalPodAutoscaler
# metadata: {name: shop}
# spec:
#   scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
#   minReplicas: 2
#   maxReplicas: 20
#   metrics:
#     - type: Pods
#       pods:
#         metric: {name: http_requests_in_flight}
#         target: {type: AverageValue, averageValue: "8"}

# %% [markdown] name="ingress-text"
# An *Ingress* is the way in from outside: the name of a host, and the Service behind it. A cluster
# has a controller that makes it so, such as Traefik or an NGINX.

# %% name="ingress" app="k8s/overlays/prod/ingress.yaml"
# %%writefile k8s/overlays/prod/ingress.yaml
# apiVersion: networking.k8s.io/v1
# kind: Ingress
# metadata: {name: shop}
# spec:
#   rules:
#     - host: shop.example
#       http:
#         paths:
#           - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {name: http}}}}

# %% name="prod" app="k8s/overlays/prod/kustomization.yaml"
# %%writefile k8s/overlays/prod/kustomization.yaml
# namespace: shop
# resources: [../../base, hpa.yaml, ingress.yaml]
# images:
#   - {name: shop, newName: registry.example/shop, newTag: 1.0.0}
# patches:
#   - target: {kind: Deployment, name: shop}
#     patch: |
#       - {op: remove, path: /spec/replicas}

# %% [markdown] name="render-text"
# `kubectl kustomize` prints what a cluster would get. It needs no cluster. What do you expect the
# two environments to differ in?

# %% name="render"
import sys

folder = str(Path(sys.executable).parent)  # kubectl is a package of this environment
os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]
# !kubectl kustomize k8s/overlays/dev --output dev.yaml
# !kubectl kustomize k8s/overlays/prod --output prod.yaml

# %% name="difference"
import difflib

dev, prod = Path("dev.yaml").read_text(), Path("prod.yaml").read_text()
for line in difflib.unified_diff(dev.splitlines(), prod.splitlines(), n=0, lineterm=""):
    if line[0] in "+-" and "namespace" not in line:
        print(line)

# %% [markdown] name="environments-notes" only="instructor"
# Before the cell runs, collect on the board what people expect to differ between the two
# environments: one minute. Then compare. The mistake here is to keep two copies of the manifests:
# nobody can then say what differs. Ask why the ConfigMap has another name in each; wait ten
# seconds. The name contains a hash of its content, so a changed setting starts a rollout.

# %% [markdown] name="hash-text"
# Development says more in its logs. Production takes its image from a registry, has an Ingress, and
# an autoscaler instead of a fixed number of pods. Apart from the namespace, everything else is the
# same, so what works in one works in the other.
#
# Kustomize adds a hash of a ConfigMap's content to its name. So a changed setting changes the
# template too, and rolls out like a new version.

# %% [markdown] name="schema-text"
# ## Which faults can you find without a cluster?
#
# The first check is the schema: which fields there are, and of what type. An API server
# drops a field that it does not know, with no more than a warning. With `strict`, this check
# refuses it.

# %% name="schema"
import kubernetes_validate


def schema_fault(manifest):
    """The first thing that the schema of Kubernetes finds; None if there is nothing."""
    try:
        kubernetes_validate.validate(manifest, "1.37", strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return f"there is no {manifest['kind']} of {manifest['apiVersion']}"
    except kubernetes_validate.ValidationError as error:
        return error.message.splitlines()[0]
    return None


manifests = list(yaml.safe_load_all(prod))
for manifest in manifests:
    assert schema_fault(manifest) is None
print(len(manifests), "objects without a fault; one with a field too many:")
print(schema_fault(manifests[0] | {"specs": {}}))

# %% [markdown] name="cross-text"
# A schema looks at one object at a time. Most outages come from two objects that do not fit
# together, and a few lines of Python find those. These are three such rules:

# %% name="cross"
def cross_faults(manifests):
    """What does not fit together."""
    kinds = {}
    for manifest in manifests:
        if manifest["metadata"]["name"] == "shop":
            kinds[manifest["kind"]] = manifest
    template = kinds["Deployment"]["spec"]["template"]
    container = template["spec"]["containers"][0]
    ports = [port["name"] for port in container["ports"]]
    if kinds["Service"]["spec"]["selector"].items() - template["metadata"]["labels"].items():
        yield "the Service has no pods"
    if kinds["Service"]["spec"]["ports"][0]["targetPort"] not in ports:
        yield "the Service asks a port that no container has"
    if kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] != "shop":
        yield "the autoscaler has no target"


print(list(cross_faults(manifests)))

# %% [markdown] name="package-check-text"
# `course deploy-check` checks the schema and about 40 such rules, and shows the place in your files
# for each finding. Here `terminationGracePeriodSeconds` is shorter than the pause before SIGTERM:

# %% name="package-check"
from helpers.deploy import check_folder

text = Path("k8s/base/deployment.yaml").read_text()
broken = text.replace("terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 3")
Path("k8s/base/deployment.yaml").write_text(broken)
for finding in check_folder("k8s/overlays/prod"):
    print(finding)
_ = Path("k8s/base/deployment.yaml").write_text(text)

# %% [markdown] name="plant-text"
# How much does each of these checks find? Plant one fault at a time in the manifests of production,
# and run the schema, the three rules and `deploy-check` on them. How many of the twenty does the
# schema find?

# %% name="faults"
faults = [
    ("field mistyped", "readinessProbe:", "readinesProbe:"),
    ("number as text", "maxReplicas: 20", "maxReplicas: twenty"),
    ("API removed", "policy/v1\n", "policy/v1beta1\n"),
    ("number as a setting", "LOG_LEVEL: info", "LOG_LEVEL: 10"),
    ("probe's port mistyped", "path: /readyz\n            port: http", "port: web"),
    ("Service without pods", "selector:\n    app: shop", "selector:\n    app: shpo"),
    ("Service's port mistyped", "targetPort: http", "targetPort: web"),
    ("selector and labels", "labels:\n        app: shop", "labels:\n        app: shpo"),
    ("HPA without target", "kind: Deployment\n    name: shop", "kind: Deployment\n    name: app"),
    ("limit below request", "memory: 512Mi", "memory: 128Mi"),
]

# %% name="more-faults"
faults += [
    ("no node can be drained", "  maxUnavailable: 1", "  maxUnavailable: 0"),
    ("no pod during a rollout", "maxUnavailable: 0", "maxUnavailable: 100%"),
    ("rollout stuck", "maxSurge: 1", "maxSurge: 0"),
    ("killed while it drains", "PeriodSeconds: 60", "PeriodSeconds: 5"),
    ("no DNS", "port: 53\n      protocol: UDP", "port: 53\n      protocol: SCTP"),
    ("settings not there", "Ref:\n            name: shop-", "Ref:\n            name: s-"),
    ("image without version", "shop:1.0.0", "shop"),
    ("runs as root", "runAsUser: 10001", "runAsUser: 0"),
    ("key in a setting", "LOG_LEVEL: info", "OPENAI_API_KEY: sk-live-1234567890abcdef1234"),
    ("address mistyped", "metadata.name: ingress", "metadata.name: ingres"),
]

# %% name="hunt"
from helpers.deploy import check_objects

rows = []
for what, old, new in [("nothing", "", ""), *faults]:
    assert old in prod, what
    broken = list(yaml.safe_load_all(prod.replace(old, new, 1) if old else prod))
    found = [each for each in check_objects(broken) if each.severity != "not checked"]
    rows.append({
        "planted": what,
        "schema": any(schema_fault(each) for each in broken),
        "three rules": bool(list(cross_faults(broken))),
        "deploy-check": bool(found),
    })
hunt = pd.DataFrame(rows).set_index("planted")
caught = hunt.iloc[1:].sum()
by_all = caught["deploy-check"]
title = f"Of {len(faults)} faults the schema finds {caught.schema}, deploy-check {by_all}"
show.table(hunt.replace({True: "found", False: "-"}), caption=title)

# %% [markdown] name="hunt-text"
# The first row is the check on the check: where nothing was planted, nothing may be found. The last
# fault shows the limit of all of them: *ingres* may well be the name of a namespace, and only the
# cluster knows its namespaces. With a cluster, `kubectl apply --dry-run=server` lets the API server
# check the objects, policies of the cluster included; it would not find this fault either. (It is
# not run here.)

# %% [markdown] name="hunt-notes" only="instructor" then="07.1"
# Before the table appears, let everyone write down how many of the twenty faults the schema finds:
# half a minute. The mistake here is to take a valid file for a working one. When you are late, skip
# the list of faults, show the table, and discuss only its last row. Exercise 07.1 uses the findings
# of `deploy-check` from this section. Its statement shows a patch of an overlay, as in the section
# before.

# %% [markdown] name="haproxy-text"
# ## How is a new version rolled out without losing a request?
#
# You replace two pods of version 1 with two of version 2, while eight clients send requests.
# HAProxy does here what a Service does on a cluster: it sends requests to the pods that are ready.
# It asks each one's `/readyz` itself; on a cluster, the nodes do that.

# %% name="haproxy"
from helpers.deploy.proxy import find_haproxy

front = free_port()
ports, servers = {}, []
for name in ["a", "b", "c", "d"]:
    ports[name] = free_port()
    servers.append(f"  server {name} 127.0.0.1:{ports[name]} check inter 500 rise 1 disabled")
Path("haproxy.cfg").write_text("\n".join([
    "global", f"  stats socket {drawer.name}/control mode 600 level admin",
    "defaults", "  mode http", "  retries 0", "  timeout connect 1s",
    "  timeout client 60s", "  timeout server 60s",
    "frontend shop", f"  bind 127.0.0.1:{front}", "  default_backend pods",
    "backend pods", "  option httpchk GET /readyz", *servers, "",
]))
haproxy = subprocess.Popen([find_haproxy(), "-db", "-f", "haproxy.cfg"], stderr=subprocess.DEVNULL)
room.callback(haproxy.kill)
while not Path("control").exists():
    time.sleep(0.1)

# %% [markdown] name="tell-text"
# HAProxy takes commands at its socket. `ready` puts a pod behind HAProxy; the pod counts as down
# until it answers a check. `drain` sends a pod nothing new, and lets it finish what it has begun.

# %% name="tell"
import asyncio
import socket


def tell(command):
    """Give HAProxy a command; return its answer."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect("control")
        control.sendall(f"{command}\n".encode())
        return control.makefile().read()


def add(pod, checked=True):
    """Send requests to a pod: once its checks pass, or at once if it is not checked."""
    tell(f"set server pods/{pod} state drain")
    tell(f"{'enable' if checked else 'disable'} health pods/{pod}")
    tell(f"set server pods/{pod} health {'down' if checked else 'up'}")
    tell(f"set server pods/{pod} state ready")

# %% name="wait"
async def wait_until_ready(pod, patience_s=60):
    """Wait until HAProxy finds the pod ready."""
    deadline = time.perf_counter() + patience_s
    while f"pods,{pod}," not in tell("show stat up"):
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{pod} is not ready")
        await asyncio.sleep(0.2)


for pod in ["a", "b"]:
    play(pod, ports[pod], 1)
    add(pod)
    await wait_until_ready(pod)  # noqa: F704
print("two pods are ready")

# %% [markdown] name="roll-text"
# A rollout replaces one pod after the other. A careful one waits until the new pod is ready. Then
# it takes the old one out of the proxy, and stops it with time to finish. `wait`, `drain` and
# `grace` are these three. Which of them saves the most requests?

# %% name="roll"
moments = {}


async def roll(pairs, version, wait=True, grace=30, drain=True, patience_s=60):
    """Replace each old pod with a new one."""
    for old, new in pairs:
        await asyncio.to_thread(play, new, ports[new], version)
        add(new, checked=wait)
        if wait:
            await wait_until_ready(new, patience_s)
        moments[f"{old} goes"] = time.perf_counter() - began
        if drain:
            tell(f"set server pods/{old} state drain")
            await asyncio.sleep(1)  # preStop: until everyone knows
        await asyncio.to_thread(podman, "pod", "stop", f"--time={grace}", old)
        await asyncio.to_thread(podman, "pod", "rm", "--force", old)
        tell(f"set server pods/{old} state maint")
    for _, new in pairs:  # until all is well again
        if not wait:
            add(new)
        await wait_until_ready(new, patience_s)

# %% name="under-load"
async def ask_until(rolling, clients, seen):
    """One client: ask until the rollout is over."""
    while not rolling.done():
        seen.append(await clients.ask({"message": "Hi"}))
        if seen[-1].outcome != "answered":
            await asyncio.sleep(0.1)


async def under_load(rollout):
    """What became of the requests of eight clients during a rollout."""
    seen = []
    async with Clients(f"http://127.0.0.1:{front}", "/chat/stream", headers=headers) as clients:
        rolling = asyncio.create_task(rollout)
        await asyncio.gather(*[ask_until(rolling, clients, seen) for _ in range(8)])
    return seen, rolling

# %% name="variants"
there, back = [("a", "c"), ("b", "d")], [("c", "a"), ("d", "b")]
variants = {
    "at once": roll(there, 2, wait=False, grace=0, drain=False),
    "waits until ready": roll(back, 1, grace=0, drain=False),
    "and lets it finish": roll(there, 2, drain=False),
    "and takes it out first": roll(back, 1),
}
outcomes, marks = {}, {}
for name, rollout in variants.items():
    moments.clear()
    began = time.perf_counter()
    outcomes[name], _ = await under_load(rollout)  # noqa: F704
    marks[name] = dict(moments)

# %% name="variants-table"
rows = []
for name, seen in outcomes.items():
    slowest = max(one.took for one in seen)
    broken = [one for one in seen if one.outcome != "answered"]
    row = {"rollout": name, "requests": len(seen), "lost": len(broken), "slowest": slowest}
    rows.append(row)
rollouts = pd.DataFrame(rows).set_index("rollout")
*_, lost = rollouts.lost
*_, asked = rollouts.requests
title = f"With all three, {lost} of {asked} requests are lost"
show.table(rollouts, caption=title, units={"slowest": "s"})

# %% [markdown] name="variants-notes" only="instructor"
# Start the cell `variants`, and explain the names while it runs: it rolls out real pods four times,
# one after the other. Before this table appears, let people vote: which of `wait`, `grace` and
# `drain` saves the most requests? The mistake here is to think that a ready new pod is enough. The
# counts differ from run to run: compare the rows, not the figures.

# %% [markdown] name="variants-text"
# Each row of the table adds one thing:
#
# - *At once*: requests go to pods that do not listen yet, and are refused.
# - *Waits until ready*: the old pod is killed, and the streams that it has begun end in the middle.
# - *Lets it finish*: on SIGTERM the old pod finishes its streams, but accepts no new connection.
#   Until the next check fails, the proxy goes on sending some.
# - *Takes it out first*: the proxy sends nothing new, then the pod is stopped. On a cluster, the
#   pause in `preStop` gives all proxies time to learn of it.
#
# The numbers of requests differ because the rollouts take more or less time, and a refused request
# is quickly over.

# %% [markdown] name="timeline-text"
# When are requests lost? Each point is a request, at the moment when it ended. The first plot is
# the rollout that only waits; the second is the one with all three.

# %% name="timeline"
for name in ["waits until ready", "and takes it out first"]:
    points = {"answered": ([], []), "lost": ([], [])}
    for one in outcomes[name]:
        xs, ys = points["answered" if one.outcome == "answered" else "lost"]
        xs.append(one.ended)
        ys.append(one.took)
    title = f"{name.capitalize()}: {rollouts.lost[name]} of {len(outcomes[name])} lost"
    show.scatter(points, x="seconds", y="seconds a request takes", title=title, marks=marks[name])

# %% [markdown] name="stuck-text"
# What happens with a version that does not start? This one has a mistake in its code. The rollout
# waits for it, gives up, and the old pods go on.

# %% name="stuck"
Path("shop/app.py").write_text("raise LookupError('a setting is missing')\n")
build(3)
rollout = roll(there, 3, patience_s=12)
seen, stuck = await under_load(rollout)  # noqa: F704
lost_when_stuck = sum(one.outcome != "answered" for one in seen)
print(type(stuck.exception()).__name__, stuck.exception())
print(f"{lost_when_stuck} of {len(seen)} requests lost")

# %% name="stuck-log"
# !podman logs c-shop 2>&1 | tail -n 1

# %% [markdown] name="rollout-package-text"
# On a cluster, a Deployment does what `roll` does here, with the numbers in your manifest. It does
# not give up: after `progressDeadlineSeconds` it reports the failure, and goes on waiting. `kubectl
# rollout status` fails then, and `kubectl rollout undo` goes back. `course rollout` runs this
# measurement with the course's whole service, more variants and more requests
# ([rollout.py](../helpers/deploy/rollout.py)). From what it measures, it computes the numbers of
# [the service's own manifests](../solutions/07_run_on_kubernetes/k8s/base/service.yaml).

# %% [markdown] name="desired-text"
# ## How many pods does a day need?
#
# An HPA computes the number of pods every 15 seconds: the current number of pods times the ratio of
# the metric's mean to its target, rounded up. This is its algorithm, from
# [its documentation](https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/). A
# ratio within 0.1 of 1 changes nothing.

# %% name="desired"
import math


def desired(pods, value, target):
    """The number of pods that an HPA wants."""
    ratio = value / target
    return pods if 0.9 <= ratio <= 1.1 else math.ceil(pods * ratio)


print(desired(4, 12, 8), desired(4, 8.5, 8), desired(4, 2, 8))

# %% [markdown] name="day-text"
# What follows is a simulation. The traffic is Fernhill's day, 600 times as large: what came there
# in ten minutes comes here in one second. An answer takes
# 4 seconds, which the pod spends waiting for the model; a pod has 16 places; and the CPU of a
# request is what you measured. (Without podman, write `cpu_each = 0.02` first.)

# %% name="day"
import numpy as np

from helpers.shop.traffic import day

hours = []
for one in day():
    hours.append(one.at.hour + one.at.minute / 60)
in_ten_minutes, edges = np.histogram(hours, bins=144, range=(0, 24))
clock = np.arange(0, 86_400, 15)
arrivals = np.interp(clock / 3600, edges[:-1], in_ten_minutes)
print(f"{arrivals.mean():.0f} requests a second, at most {arrivals.max():.0f}")

# %% [markdown] name="value-text"
# The autoscaler can look at CPU, as a share of what a pod requests, or at requests in flight.

# %% name="value"
STEP_S, ANSWER_S, PLACES, CPU_REQUEST, MOST = 15, 4, 16, 0.5, 200


def value_of(metric, served, queue, pods):
    """The mean of the metric over the pods."""
    if metric == "CPU":
        return served * cpu_each / STEP_S / CPU_REQUEST / pods
    return (served * ANSWER_S / STEP_S + queue) / pods

# %% [markdown] name="simulate-text"
# Two more rules slow it down. In one step it adds at most as many pods as there are, or four. And
# it takes pods away only when it has wanted fewer for five minutes (`stabilizationWindowSeconds`).
# New pods take `start_s` seconds until they are ready.

# %% name="simulate"
def simulate(metric, target, start_s=15, window_s=300):
    """Pods, and the seconds that a request waits, every 15 seconds of a day."""
    pods, starting, queue = 2, [], 0
    wants, rows = [], []
    for now, rate in zip(clock, arrivals, strict=True):
        starting = [at for at in starting if at > now]
        places = (pods - len(starting)) * PLACES
        queue += rate * STEP_S
        served = min(queue, places * STEP_S / ANSWER_S)
        queue -= served
        want = desired(pods, value_of(metric, served, queue, pods), target)
        want = min(max(want, 2), pods + max(pods, 4), MOST)
        wants.append(want)
        if want > pods:
            starting += [now + start_s] * (want - pods)
        recent = wants[-max(window_s // STEP_S, 1) :]
        pods = max(want, min(pods, max(recent)))
        rows.append({"pods": pods, "waits": queue * STEP_S / max(served, 1)})
    return pd.DataFrame(rows)

# %% name="policies"
policies = {
    "CPU, 50%": simulate("CPU", 0.5),
    "in flight, 8": simulate("in flight", 8),
    "in flight, 8, no window": simulate("in flight", 8, window_s=0),
    "in flight, 8, start takes 180 s": simulate("in flight", 8, start_s=180),
    "in flight, 4, start takes 180 s": simulate("in flight", 4, start_s=180),
}
rows = []
for name, run in policies.items():
    pod_hours = run.pods.sum() * STEP_S / 3600
    rows.append({
        "target": name,
        "cost": pod_hours * CPU_REQUEST * 0.04,  # US dollars for an hour of a CPU
        "most pods": run.pods.max(),
        "longest wait": run.waits.max(),
        "changes": (run.pods.diff() != 0).sum(),
    })
scaling = pd.DataFrame(rows).set_index("target")
units = {"cost": "USD", "longest wait": "s"}
show.table(scaling, caption="Simulated: a day of five autoscalers", units=units)

# %% name="policies-plot"
by_hour = {}
for name in ["CPU, 50%", "in flight, 8"]:
    by_hour[name] = (list(clock / 3600), list(policies[name].pods))
fixed = scaling.loc["CPU, 50%", "most pods"]
title = f"On CPU it stays at {fixed:.0f} pods"
show.line(by_hour, x="hour of the day", y="pods", title=title)

# %% [markdown] name="policies-text"
# A service that waits for a model uses little CPU, however late it is. So an HPA on CPU does not
# scale it; one on requests in flight does. (Its metric comes from Prometheus, through an adapter:
# module 08 has the metric.) A model that takes three minutes to load costs more than any rule.
# While the pods start, a queue grows, and the autoscaler asks for pods until the queue is gone:
# many more than the traffic needs, up to the most that the simulation allows. Buy headroom with a
# lower target, or make the start faster.
#
# Without the window, the number of pods follows every dip. That looks cheaper here, where a pod
# comes and goes for free.

# %% [markdown] name="policies-notes" only="instructor" then="07.4"
# Ask what an autoscaler on CPU does when a pod mostly waits for a model; wait ten seconds, then
# show the plot. The mistake here is to call it broken: it follows its rule, on a metric that does
# not move. Say that this is a simulation. When you are late, skip the code of `simulate`. Exercise
# 07.4 uses the formula in `desired` and the window of five minutes.

# %% [markdown] name="drain-text"
# ## What happens when a node is emptied?
#
# Nodes are updated and replaced all the time. `kubectl drain` evicts their pods, as fast as the
# budgets allow.
#
# ```mermaid
# sequenceDiagram
#     participant drain as kubectl drain
#     participant api as API server
#     participant pod as pod and its node
#     participant proxies as Service, Ingress
#     participant client
#     rect rgb(240, 240, 240)
#     drain->>api: evict this pod
#     api->>api: does the budget allow it?
#     api-->>drain: 429, try again later (or:)
#     api->>pod: terminate
#     api->>proxies: this pod is going away
#     pod->>pod: preStop pauses, requests still come
#     proxies->>proxies: send nothing new
#     pod->>pod: SIGTERM, no new connections
#     pod-->>client: the streams that it has begun end
#     pod->>pod: SIGKILL after terminationGracePeriodSeconds
#     end
# ```
#
# With one replica and `maxUnavailable: 0` in its budget, the first step repeats for ever and the
# node is never updated. A container that uses more memory than its limit gets none of these steps:
# the kernel kills it without a SIGTERM, and its streams with it. When a node itself runs out of
# memory, pods that use more than they requested go first.

# %% [markdown] name="drain-notes" only="instructor"
# Let people find the step at which a drain can hang for ever; wait half a minute. It is the first
# one: the budget never allows the eviction. Then ask which steps a container gets that has used too
# much memory. The answer: none, it is killed at once. When you are late, show the diagram, and say
# only this.

# %% [markdown] name="hijacked-text"
# ## What does a hijacked agent reach?
#
# Modules 03 and 04 limit what an agent can be talked into. If someone takes over its process
# anyway, this is what the pod's settings still let them do. The same program looks around in three
# pods.

# %% name="look-around"
# %%writefile shop/look.py
import json
import os
from pathlib import Path


def writable(path):
    """Whether this process can put a file there."""
    try:
        Path(path, "planted.py").write_text("")
    except OSError:
        return False
    return True


for line in Path("/proc/self/status").read_text().splitlines():
    if line.startswith("CapEff"):
        capabilities = int(line.split()[1], 16).bit_count()
print(json.dumps({
    "user": str(os.getuid()),
    "changes its code": writable("/srv/app"),
    "adds packages": writable("/srv/packages"),
    "writes to /tmp": writable("/tmp"),
    "capabilities": capabilities,
}))

# %% [markdown] name="pods-text"
# The first pod has the settings from above, the second has none, and the third runs as root. What
# does the Dockerfile's `USER` do alone?

# %% name="pods"
# %%writefile look.yaml
# apiVersion: v1
# kind: Pod
# metadata: {name: look}
# spec:
#   restartPolicy: Never
#   containers:
#     - name: shop
#       image: localhost/shop:4
#       command: [python3, look.py]
#       securityContext: SETTINGS

# %% name="look"
build(4)
settings = {
    "as above": "{readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}",
    "no settings": "{}",
    "as root": "{runAsUser: 0}",
}
found = {}
for name, value in settings.items():
    manifest = Path("look.yaml").read_text().replace("SETTINGS", value)
    podman("kube", "play", "-", given=manifest)
    while not (said := podman("logs", "look-shop")):
        time.sleep(0.2)
    found[name] = json.loads(said)
    podman("pod", "rm", "--force", "look")
show.table(pd.DataFrame(found), caption="What a process can do in three pods")

# %% [markdown] name="look-text"
# `USER` in the Dockerfile does most of it, and `runAsNonRoot` in the manifest refuses an image that
# forgot it. The read-only file system takes away the rest. These settings do not stop an attack.
# They decide what it can change. Three more things limit what it reaches:
#
# - **No token.** `automountServiceAccountToken: false` leaves the pod without a key to the API
#   server. With such a key, a process can list Secrets or start pods, as far as the account's role
#   allows.
# - **Few ways out.** Your NetworkPolicy leaves it DNS and port 443. A NetworkPolicy does not see
#   which host is behind port 443: that needs a proxy that knows names.
# - **Secrets.** The process needs its model's key, so an attacker in it can read the key. Give each
#   service a key of its own, with a budget, and change it when in doubt. Keep Secrets out of files
#   and images: make them from a vault (External Secrets, CSI driver), or keep them encrypted
#   (Sealed Secrets).

# %% [markdown] name="wrong-text"
# ## When is Kubernetes the wrong answer?
#
# - **One machine is enough.** Two processes behind a proxy, with the drain that you saw, lose no
#   request either. A cluster is a system to run, update and secure.
# - **Traffic comes rarely.** A container platform that scales to zero costs nothing in between; its
#   first answer is late.
# - **Nobody runs it.** A managed cluster still leaves its networks, certificates and updates to
#   you.
# - **The GPU is the bottleneck.** Then the model's server decides cost and waiting time, and it may
#   be a provider's.

# %% name="stop"
room.close()
os.chdir(here)
drawer.cleanup()

# %% [markdown] name="stop-notes" only="instructor" then="07.6" needs="How is a new version rolled out without losing a request?"
# Run this cell before exercise 07.6: it ends the walkthrough's pods and its proxy, and the check of
# 07.6 starts processes and a proxy of its own. Ask what a Deployment has in place of the wait for
# streams; after ten seconds, point at the grace period. Exercise 07.6 is the gate and comes last:
# people write the careful rollout that the section about a new version has measured.

# %% [markdown] name="measured-text"
# ## What you measured

# %% name="measured"
measured = [
    {"what": "MB of the image", "figure": layers.MB.sum()},
    {"what": "seconds to build it", "figure": first_build},
    {"what": "... again after a changed line", "figure": second_build},
    {"what": "planted faults that the schema finds, of 20", "figure": caught.schema},
    {"what": "... that deploy-check finds", "figure": by_all},
]
for name, number in rollouts.lost.items():
    measured.append({"what": f"requests lost, {name}", "figure": number})
measured.append({"what": "... with a version that does not start", "figure": lost_when_stuck})
show.table(measured, caption="This notebook's figures")

# %% [markdown] name="production"
# ## In production
#
# - Images come from CI, are scanned, signed and named by their digest; the cluster pulls them from
#   your registry.
# - A tool that compares and applies (Argo CD, Flux) takes changes from a repository; they do not
#   come from your shell. `kubectl diff -k` shows what will change.
# - The proxy is an Ingress or Gateway. It knows readiness by watching the API, some seconds late:
#   this is what the pause in `preStop` is for.
# - Several zones: `topologySpreadConstraints` keep the two pods apart; without them, one failed
#   node can take down both.
#
# **Where it breaks.** No check of files finds a wrong host name, a full node or a missing
# permission; a rollout on a test cluster does. HAProxy here is told at once that a pod goes away,
# and a cluster's proxies are not. Nothing here was run on a cluster: not the autoscaler
# (simulated), and not the network policies.

# %% [markdown] name="keep"
# ## Keep this
#
# ```yaml
# spec:
#   strategy:
#     rollingUpdate: {maxUnavailable: 0, maxSurge: 1}   # a new one first
#   template:
#     spec:
#       terminationGracePeriodSeconds: 60     # preStop + the longest answer + a margin
#       containers:
#         - readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 2}
#           livenessProbe: {httpGet: {path: /livez, port: http}}   # asks nobody else
#           startupProbe:                       # 2 x 60 seconds for a start
#             {httpGet: {path: /livez, port: http}, periodSeconds: 2, failureThreshold: 60}
#           lifecycle: {preStop: {sleep: {seconds: 5}}}   # until all proxies know
#           resources: {requests: {cpu: 500m, memory: 256Mi}, limits: {memory: 512Mi}}
# ```
#
# **The pitfall:** an old pod that is killed as soon as the new one is ready takes its streams with
# it.

# %% name="keep-figure"
killed = rollouts.lost["waits until ready"]
print("lost by a rollout that kills the old pods:", killed)
print("lost by one that drains them first:", lost, "of", asked)

# %% [markdown] name="without"
# ## Without the course
#
# ```
# docker build -t registry.example/shop:1.0.0 . && docker push registry.example/shop:1.0.0
# kubectl create namespace shop
# kubectl create secret generic shop --namespace shop --from-literal=OPENAI_API_KEY=...
# kubectl kustomize k8s/overlays/prod        # what a cluster would get
# kubectl diff -k k8s/overlays/prod          # what would change there
# kubectl apply -k k8s/overlays/prod
# kubectl rollout status deployment/shop -n shop --timeout=5m
# ```
#
# Put your registry in place of `registry.example`, and your host in place of `shop.example`. The
# cluster needs a controller for its Ingress, a network plugin that knows policies, and for the
# autoscaler's metric the Prometheus adapter and a service that counts its requests in flight.
#
# On your machine, `kind create cluster` gives you a cluster in Docker, and `kind load docker-image`
# loads an image into it without a registry. (These commands were not run here.)
# `kubernetes-validate`, [kubeconform](https://github.com/yannh/kubeconform) and
# [kube-linter](https://github.com/stackrox/kube-linter) check files in CI.
# [`course new`](../README.md) writes the Dockerfile and `k8s/` for a project of your own.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions about what you have just built.

# %% name="quiz"
from helpers.course import quiz

quiz("07")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/07_run_on_kubernetes.ipynb](../labs/07_run_on_kubernetes.ipynb), six exercises.
# - Then [module 08](08_monitor_in_production.ipynb), monitoring.
# - Kubernetes:
#   [probes](https://kubernetes.io/docs/concepts/workloads/pods/probes/),
#   [the end of a pod](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination),
#   [autoscaling](https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/),
#   [network policies](https://kubernetes.io/docs/concepts/services-networking/network-policies/),
#   [kustomize](https://kubectl.docs.kubernetes.io/references/kustomize/).
