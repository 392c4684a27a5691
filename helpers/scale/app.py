"""Fernhill's service on Ray Serve, in two applications that are deployed apart.

- `Gateway`, one replica: the same app as `course serve` (`create_app`), with its keys, limits and
  figures. It counts places, keeps the conversations and knows whose request was whose; two that
  counted apart would let twice as much through. So it is one, on the head node, and cheap. Rate and
  budgets are in Redis where `Settings.store` names one, and then outlive it.
- `Support`, as many replicas as wanted: the agent and a model, each in a process of its own. They
  keep nothing between two turns, and are replaced while the gateway goes on (`redeploy`): Serve
  restarts all deployments of an application that is deployed again.

The order book is one actor (`orders`), which the tools of all replicas ask; it outlives both.

`Settings.running` counts the answers of one replica. What Serve's proxy does before a request
reaches the gateway is Ray's: the limits of connections and heads (`max_connections`,
`max_head_bytes`, `head_seconds`) are `course serve`'s own, so put a reverse proxy in front.
"""

import os
from typing import Any

from ray import serve

from helpers.scale.cluster import RunningRay
from helpers.scale.draining import Draining
from helpers.scale.orders import close_order_book
from helpers.scale.remote import remote_engines
from helpers.scale.support import Support
from helpers.service.app import create_app
from helpers.service.lifecycle import key_ring
from helpers.service.settings import Settings

GATEWAY, SUPPORT = "fernhill", "fernhill-support"
"""The two applications."""

_HEAD = {"node:__internal_head__": 0.001}
_PROBES = 4  # requests of a replica that are no answers: whether it is ready, what it is
_PATIENCE_S = 10.0


@serve.ingress()
class _Gateway:
    def __init__(self, settings: Settings) -> None:
        answering = serve.get_deployment_handle("Support", SUPPORT)
        self._app = Draining(create_app(settings, engines=remote_engines(answering)))

    def __serve_build_asgi_app__(self) -> Draining:
        return self._app

    async def drain(self, seconds: float) -> int:
        """See `Draining.drain`."""
        return await self._app.drain(seconds)


def deploy(ray: RunningRay, settings: Settings, replicas: int = 2, *, route: str = "/") -> str:
    """Run Fernhill's service on a cluster, and return its URL.

    Args:
        ray: the cluster.
        settings: as for `create_app`; files that they name are read here, on this machine.
        replicas: of the agent, each with its own model.
        route: where it answers.

    Raises:
        KeysError: there is no API key, or the file of keys cannot be read.
        DeploymentError: it does not start.
    """
    keys = tuple(key_ring(settings))
    settings = settings.model_copy(update={"keys": keys, "keys_file": None})
    redeploy(ray, settings, replicas)
    return ray.serve(gateway(settings, replicas), GATEWAY, route=route)


def redeploy(ray: RunningRay, settings: Settings, replicas: int = 2, *, version: str = "1") -> None:
    """Replace the replicas that answer, one after another. Raises as `deploy` does."""
    ray.serve(support(settings, replicas, version), SUPPORT, route=None)


def gateway(settings: Settings, replicas: int) -> serve.Application:
    """The application that takes requests, for so many replicas of the agent."""
    together = settings.model_copy(update={"running": settings.running * replicas})
    made = serve.deployment(
        name="Gateway",
        max_ongoing_requests=settings.max_connections,
        ray_actor_options={"num_cpus": 0.1, "resources": _HEAD},
        **_options(settings),
    )(_Gateway)
    return made.bind(together)


def support(settings: Settings, replicas: int, version: str = "1") -> serve.Application:
    """The application that answers them, with the `COURSE_*` variables of this process."""
    environment = {name: value for name, value in os.environ.items() if name.startswith("COURSE_")}
    # The local model answers as many requests at once as the gateway sends to its replica.
    environment.setdefault("COURSE_SLOTS", str(settings.running))
    made = serve.deployment(
        name="Support",
        num_replicas=replicas,
        max_ongoing_requests=settings.running + _PROBES,
        ray_actor_options={"num_cpus": 0.5},
        max_constructor_retry_count=2,
        **_options(settings),
    )(Support)
    return made.bind(settings, environment, version)


def drain(settings: Settings) -> int:
    """Let the gateway take no more and end what runs; how many streams had to be cut short."""
    gateway = serve.get_app_handle(GATEWAY)
    limit = settings.shutdown_seconds
    ended: int = gateway.drain.remote(limit).result(timeout_s=limit + _PATIENCE_S)
    return ended


def take_away(ray: RunningRay) -> None:
    """Delete the service from a cluster; its order book goes too."""
    for name in (GATEWAY, SUPPORT):
        ray.delete(name)
    close_order_book()


def _options(settings: Settings) -> dict[str, Any]:
    """How quickly Serve notices a dead replica, and how long one that is replaced may go on."""
    return {
        "health_check_period_s": 1.0,
        "health_check_timeout_s": 30.0,
        "graceful_shutdown_timeout_s": settings.shutdown_seconds,
        "graceful_shutdown_wait_loop_s": 0.2,
        "logging_config": {"enable_access_log": False},  # the service writes a line of its own
    }
