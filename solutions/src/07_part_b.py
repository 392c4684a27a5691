# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="lab-measured"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="hpa-goal"
# ## 4. Work out what the autoscaler asks for
#
# A HorizontalPodAutoscaler looks at the pods every 15 seconds and decides how many there should
# be. Write `recommend(history, target, least, most)`, a plain function that returns this number, an
# `int`.
#
# `history` is a list of what the autoscaler saw, oldest first, and it saw the last entry now. Each
# entry is a pair: the second (an `int`), and a list of the requests in flight in each pod that
# existed then (one or more). A number is an `int` of 0 or more. It is `None` for a pod that
# reported nothing, for instance because it has just started. `target` is the number of requests
# that a pod should have, an `int` of 1 or more. `least` and `most` are `minReplicas` and
# `maxReplicas`.
#
# First, each entry has a **desired number** of pods:
#
# - Take the pods that reported. Their ratio is the average of their numbers divided by `target`.
# - A pod that reported nothing is counted in the way that changes least: with 0 requests if that
#   ratio is greater than 1, and otherwise with `target` requests. Then work out the ratio again,
#   over all pods.
# - The desired number is the number of pods times the new ratio, rounded up. It is the number of
#   pods as it is, without a change, in three cases: the new ratio is from 0.9 to 1.1, both
#   included; the first ratio was greater than 1 and the new one is smaller; or no pod
#   reported.
#
# Then the autoscaler looks at the entries that are fewer than 300 seconds old (the last one, which
# is 0 seconds old, is one of them):
#
# - If the desired number now is greater than the number of pods now, it asks for the desired
#   number, at once.
# - Otherwise it asks for the highest desired number of these entries, but never for more than the
#   number of pods now.
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
# everything. This is the cluster; the namespace `shop` is yours. It also has pods that you do not
# know yet, and that must not connect to anything.
#
# | namespace, with its label `team` | pods, by their only label | ports of the containers |
# |---|---|---|
# | `shop`, team `shop` | `app: agent` | `http` 8000, `metrics` 9100 |
# | | `app: model` | `http` 8080 |
# | | `app: redis` | `redis` 6379 |
# | | `app: backup`, and others without a label | |
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
# Here "the agent" means every pod in `shop` with its label, and so on for the others.
#
# Set `POLICIES` to a text of YAML with one or more NetworkPolicies in the namespace `shop`,
# separated by `---`. (A list of dicts will do, too.)
#
# - Every connection on the list passes.
# - No other connection passes that begins or ends in `shop`: not between the pods above, not with
#   pods that come later, and not to or from any address outside of the cluster. Two agents do not
#   talk to each other. Connections that begin and end elsewhere are not your concern, and a pod
#   always reaches itself.
# - Pods are replaced all the time. The new ones have the same labels, and other names and
#   addresses.
# - An API server would take each policy: it has `apiVersion`, `kind`, `metadata.name` (a different
#   one each) and `metadata.namespace`, and no field that does not exist.
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
# The check tries every pair of pods and addresses on ten ports, over TCP and UDP, by the rules of
# the documentation.

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

# %% [markdown] name="policies-why" only="solution"
# The first policy selects every pod, also those that come later, and allows nothing. The others
# add to it: policies never forbid what another one allows. Each connection between two pods of
# `shop` needs a rule at both ends. Two keys in one item of `from` are joined by "and", two items
# by "or": one dash decides whether Prometheus gets in, or all of `monitoring` and every pod of
# `shop` that has its label. Names come from DNS, and so every pod that sends to a Service needs
# port 53, over TCP for long answers.
#
# A NetworkPolicy knows addresses and ports. It cannot tell a question to the outside model from an
# order number that is smuggled out in one: for that, the shop needs the controls of module 04. And
# it does nothing at all where the cluster's network plugin does not support it.

# %% [markdown] name="policies-use-text"
# What does this leave to a hijacked agent? Count the pods and addresses that it can reach on one of
# the ten ports, without policies and with yours.

# %% name="policies-use"
import yaml

from helpers.deploy.connections import Connections
from helpers.deploy.shop_network import NAMESPACES, every


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
# replaces each pod of `old` by the pod of `new` at the same place. Both are lists of names, of the
# same length, one or more. The old pods serve; the new ones are not started yet.
#
# `pods` starts and stops processes, as a kubelet does:
#
# - `await pods.start(pod)` starts a pod, which takes a while until it is ready.
# - `await pods.stop(pod, grace_s)` sends SIGTERM, and SIGKILL after `grace_s` seconds. It returns
#   when the pod is gone.
#
# `proxy` is an HAProxy, which has the part of a Service here. Its methods are plain functions:
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
#   most 1.5 more), stop it with `grace_s`, remove it, and return `False` at once. All other pods
#   stay as they are: those that were replaced before, and the old ones, which go on serving.
# - Return `True` when all pods were replaced.
# - Ask the proxy every 0.05 seconds while you wait, and leave the event loop free in between. Keep
#   nothing between calls: two rollouts may run at the same time.
#
# For instance, `await roll(["a"], ["b"], pods, proxy, ready_s=30, drain_s=60, grace_s=10)` starts
# and adds `b`, waits at most 30 seconds until it is ready, drains `a`, waits at most 60 seconds
# until `a` has no more streams, stops and removes `a`, and returns `True`.
#
# The check first plays rollouts, in which time is short. Then it starts real processes behind a
# real HAProxy, while eight clients read streams, twice: once with a version that works, and once
# with one that is never ready. No request may be lost. This takes about a minute and needs HAProxy:
# it comes with Ray on Linux; on macOS, `brew install haproxy`.

# %% exercise="07.6"
import asyncio
import time
from collections.abc import Callable

from helpers.deploy.proxy import Proxy
from helpers.deploy.rehearsal import Pods


async def roll(old: list[str], new: list[str], pods: Pods, proxy: Proxy,
               ready_s: float, drain_s: float, grace_s: float) -> bool:
    """Replace the old pods by the new ones; False if a new one does not become ready."""
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

# %% [markdown] name="roll-why" only="solution"
# Each wait has a reason and an end. Waiting for readiness is what `maxUnavailable: 0` does, with
# `progressDeadlineSeconds` as its end; `maxSurge: 1` is the one pod too many. Draining before
# SIGTERM is what a `preStop` pause is for: Kubernetes takes a pod out of its endpoints and sends
# SIGTERM at the same time, and without a pause some requests still arrive at a pod that has closed
# its door. Kubernetes cannot count streams, so there the pause and `terminationGracePeriodSeconds`
# have to be as long as the longest stream. A version that never becomes ready costs one pod's
# memory and nobody's answer.

# %% [markdown] name="roll-use-text"
# What do these waits save? The function below replaces pods as a script often does: stop the old
# one, start the new one. Compare what the clients lose.

# %% name="roll-use"
from helpers.deploy.proxy import ProxyError
from helpers.deploy.rehearsal import rehearse


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
