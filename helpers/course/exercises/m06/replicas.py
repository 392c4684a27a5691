"""A learner's Serve application, served by this process, without a cluster.

Its deployments run in Ray's local testing mode: each has one replica here, which the others ask by
their handles. The ingress answers HTTP, which that mode leaves out. So a check sees what a client
sees, a second after the start. What only a cluster does is left out: limits, queues, processes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, cast
from weakref import WeakValueDictionary

from helpers.course.exercises import Slip
from helpers.course.exercises.words import kind
from helpers.course.limits import time_factor
from helpers.course.todo import TODO
from helpers.loading import getting_ready
from helpers.testbed import Clients, serving_here

with getting_ready():  # the import takes seconds, which are not the learner's
    import ray.serve
    from ray.serve._private.build_app import BuiltApplication, build_app
    from ray.serve._private.http_util import ASGIAppReplicaWrapper
    from ray.serve._private.local_testing_mode import make_local_deployment_handle

_LOCAL = "local"
_at_work: ContextVar[Any] = ContextVar("at_work")
_context_of_a_cluster = ray.serve.get_replica_context


_shared: WeakValueDictionary[int, object] = WeakValueDictionary()


def _the_same(number: int) -> object:
    return _shared[number]


class Shared:
    """A part of what is around an application: its copies are the thing itself.

    Ray copies what it is given, by pickle. A client of a model or of a store that is copied asks
    the same model or store, and so do objects of a class that has this one as its first base.
    """

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Tell pickle where the object is, not what it is."""
        _shared[id(self)] = self
        return _the_same, (id(self),)


class NotAnApplication(TypeError):  # noqa: N818 - it says what is wrong
    """What a learner's function returned is no application, or has no ingress."""


def no_application(name: str) -> Slip:
    """The mistake that any case shows where the function `name` returns no application."""
    return Slip.raises(
        "no-application",
        NotAnApplication,
        f"{name} must be a def, and return an application, as Gateway.bind(...) is, whose class"
        " has @serve.deployment and, below it, @serve.ingress.",
    )


def _context() -> Any:
    """What FastAPI's routes ask for their `self`: the replica whose request this is."""
    replica = _at_work.get(None)
    return _context_of_a_cluster() if replica is None else SimpleNamespace(servable_object=replica)


def deployments(app: Any) -> tuple[Any, Sequence[Any]]:
    """The ingress of an application, and its other deployments.

    Raises:
        NotAnApplication: it is none.
    """
    found = _built(app)
    ingress = _ingress(found)
    return ingress, [one for one in found.deployments if one.name != ingress.name]


def _built(app: Any, started: list[Any] | None = None) -> BuiltApplication:
    """The parts of an application; with a list those beside the ingress are started and listed."""
    if app is TODO:
        raise TODO
    if asyncio.iscoroutine(app):
        app.close()
    if not isinstance(app, ray.serve.Application):
        raise NotAnApplication(f"an application is expected; this is {kind(app)}")

    def handle(deployment: Any, name: str) -> Any:
        if started is None or _is_ingress(deployment):
            return ray.serve.handle.DeploymentHandle(deployment.name, app_name=name)
        made = make_local_deployment_handle(deployment, name)
        router = cast(Any, made)._create_router("", made.deployment_id, None)
        started.append(router._user_callable_wrapper)
        return made

    return build_app(app, name=_LOCAL, make_deployment_handle=handle)


def _is_ingress(deployment: Any) -> bool:
    cls = deployment.func_or_class
    return isinstance(cls, type) and issubclass(cls, ASGIAppReplicaWrapper)


def _ingress(built: BuiltApplication) -> Any:
    found = [one for one in built.deployments if one.name == built.ingress_deployment_name]
    if not found or not _is_ingress(found[0]):
        raise NotAnApplication("its outermost deployment has no @serve.ingress")
    return found[0]


class _Replica:
    """One replica of an ingress, as an ASGI app."""

    def __init__(self, servable: Any) -> None:
        self.servable = servable

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":  # Ray starts and ends it itself, in `_running`
            raise RuntimeError("no lifespan here")
        token = _at_work.set(self.servable)
        try:
            await self.servable(scope, receive, send)
        finally:
            _at_work.reset(token)


@asynccontextmanager
async def _running(app: Any) -> AsyncIterator[_Replica]:
    started: list[Any] = []
    try:
        async with _ingress_of(_built(app, started)) as replica:
            yield replica
    finally:
        for one in started:
            await asyncio.to_thread(_stop, one)


def _stop(started: Any) -> None:
    """End a deployment's thread, which Ray leaves running."""
    loop = started._user_code_event_loop

    def end() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.call_soon(loop.stop)

    loop.call_soon_threadsafe(end)
    started._user_code_event_loop_thread.join(1.0)
    if not loop.is_running():
        loop.close()


@asynccontextmanager
async def _ingress_of(built: BuiltApplication) -> AsyncIterator[_Replica]:
    ingress = _ingress(built)
    # Its class has an async __del__, which Ray awaits; here it would be left unawaited.
    cls = type("Ingress", (cast(Any, ingress.func_or_class),), {"__del__": lambda self: None})
    servable = cast(Any, cls).__new__(cls)
    await servable.__init__(*ingress.init_args, **ingress.init_kwargs)
    if hasattr(servable, "__serve_build_asgi_app__"):
        servable._set_asgi_app(servable.__serve_build_asgi_app__())
    if ingress.user_config is not None:
        servable.reconfigure(ingress.user_config)
    await servable._run_asgi_lifespan_startup()
    try:
        yield _Replica(servable)
    finally:
        await servable._serve_asgi_lifespan.shutdown()


@contextmanager
def _silent() -> Iterator[None]:
    """Leave out what Serve logs: a check says what matters."""
    logger = logging.getLogger("ray.serve")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


async def until(condition: Callable[[], object], limit_s: float = 1.0) -> bool:
    """Wait until something is so; False when it is not so in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s * time_factor()):
            while not condition():
                await asyncio.sleep(0.005)
            return True
    return False


@asynccontextmanager
async def clients_of(
    app: Any, *, path: str = "/chat", patience_s: float = 5.0
) -> AsyncIterator[Clients]:
    """The clients of one replica of an application's ingress, which runs for this block.

    Args:
        app: what a learner's function has returned; used again, it starts further replicas.
        path: where requests go by default.
        patience_s: seconds that a client waits for an answer's end.

    Raises:
        NotAnApplication: it cannot be served.
    """
    ray.serve.get_replica_context = _context  # it stays: for anyone else it is Ray's own
    with _silent():
        async with _clients(app, path, patience_s) as clients:
            yield clients


@asynccontextmanager
async def _clients(app: Any, path: str, patience_s: float) -> AsyncIterator[Clients]:
    async with (
        _running(app) as replica,
        serving_here(replica, grace_s=1) as server,
        Clients(server.url, path, patience_s=patience_s * time_factor()) as clients,
    ):
        yield clients
