"""Fernhill's service as an application of Ray Serve.

    start_ray().serve(ray_app(Settings(keys=(kept,)), replicas=2), name="fernhill")

Three deployments, composed by handles:

- `Gateway`, one replica: the same app as `course serve` (`create_app`), with its keys, limits and
  figures. It counts places, keeps the conversations and knows whose request was whose, and two that
  counted apart would let twice as much through: so it is one, on the head node, and cheap. Rate and
  budgets are in Redis where `Settings.store` names one, and then outlive it.
- `Support`, as many as wanted: the agent and a model, each in a process of its own. They keep
  nothing between two turns.
- `Orders`, one replica: the order book, which the tools of all replicas ask.

`Settings.running` counts the answers of one replica. What Serve's proxy does before a request
reaches the gateway is Ray's: the limits of connections and heads (`max_connections`,
`max_head_bytes`, `head_seconds`) are `course serve`'s own, so put a reverse proxy in front.
"""

import os
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from helpers.scale.draining import Draining
from helpers.scale.orders import OrderBook
from helpers.scale.remote import remote_engines
from helpers.scale.support import Support
from helpers.service.app import create_app
from helpers.service.lifecycle import key_ring
from helpers.service.settings import Settings

GATEWAY = "Gateway"
_HEAD = {"node:__internal_head__": 0.001}
_CHECKS: dict[str, Any] = {"health_check_period_s": 1.0, "health_check_timeout_s": 30.0}
_PROBES = 4  # requests of a replica that are no answers: whether it is ready, what it is


@serve.ingress()
class _Gateway:
    def __init__(self, settings: Settings, support: DeploymentHandle[Any]) -> None:
        self._app = Draining(create_app(settings, engines=remote_engines(support)))

    def __serve_build_asgi_app__(self) -> Draining:
        return self._app

    async def drain(self, seconds: float) -> int:
        """See `Draining.drain`."""
        return await self._app.drain(seconds)


def ray_app(settings: Settings, replicas: int = 2, *, version: str = "1") -> serve.Application:
    """Fernhill's service, to be deployed by `RunningRay.serve` or `serve.run`.

    Args:
        settings: as for `create_app`; files that they name are read here, on this machine.
        replicas: of the agent, each with its own model.
        version: another one replaces the replicas, one after another.

    Raises:
        KeysError: there is no API key, or the file of keys cannot be read.
    """
    keys = tuple(key_ring(settings))
    settings = settings.model_copy(update={"keys": keys, "keys_file": None})
    environment = {name: value for name, value in os.environ.items() if name.startswith("COURSE_")}
    # The local model answers as many requests at once as the gateway sends to its replica.
    environment.setdefault("COURSE_SLOTS", str(settings.running))
    book = serve.deployment(
        name="Orders",
        max_ongoing_requests=100,
        ray_actor_options={"num_cpus": 0.1, "resources": _HEAD},
    )(OrderBook).bind()
    support = serve.deployment(
        name="Support",
        num_replicas=replicas,
        max_ongoing_requests=settings.running + _PROBES,
        ray_actor_options={"num_cpus": 0.5},
        graceful_shutdown_timeout_s=settings.shutdown_seconds,
        graceful_shutdown_wait_loop_s=0.2,
        max_constructor_retry_count=2,
        **_CHECKS,
    )(Support).bind(settings, environment, book, version)
    together = settings.model_copy(update={"running": settings.running * replicas})
    return serve.deployment(
        name=GATEWAY,
        max_ongoing_requests=settings.max_connections,
        ray_actor_options={"num_cpus": 0.1, "resources": _HEAD},
        graceful_shutdown_timeout_s=settings.shutdown_seconds,
        graceful_shutdown_wait_loop_s=0.2,
        **_CHECKS,
    )(_Gateway).bind(together, support)
