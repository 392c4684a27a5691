"""The rules, by subject: each a function from all objects to the problems that it finds.

Its docstring says why it is worth a rule. The texts that a reader gets are in `rules.yaml`.
"""

from collections.abc import Callable, Iterator

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects
from helpers.deploy.rules import (
    accepted,
    connections,
    network,
    pods,
    rollout,
    scaling,
    secrets,
    traffic,
)

FINDERS: list[Callable[[Objects], Iterator[Problem]]] = [
    *(accepted.names, accepted.duplicates, accepted.words, accepted.mounts, accepted.amounts),
    *(pods.images, pods.rights, pods.tokens, pods.roles, pods.shares),
    *(secrets.in_plain_sight, secrets.references),
    *(traffic.own_pods, traffic.selectors, traffic.service_ports, traffic.routes),
    *(rollout.readiness, rollout.probe_ports, rollout.liveness, rollout.endings),
    *(rollout.strategies, scaling.autoscalers, scaling.budgets, scaling.lone_pods),
    *(network.unlimited, network.name_lookup, network.peers, network.closed_ports),
    connections.one_sided,
]

__all__ = ["FINDERS"]
