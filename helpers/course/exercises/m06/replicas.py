"""A learner's Serve application, served by this process, without a cluster.

Its deployments run in Ray's local testing mode: each has one replica here, which the others ask by
their handles. The ingress answers HTTP, which that mode leaves out. So a check sees what a client
sees, a second after the start. What only a cluster does is left out: limits, queues, processes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
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
    from ray.serve.schema import LoggingConfig

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
    found = {id(one): _deployment(one) for one in _applications(app)}
    ingress, *others = found.values()
    if not hasattr(ingress.func_or_class, "_run_asgi_lifespan_startup"):
        raise NotAnApplication("its outermost deployment has no @serve.ingress")
    return ingress, others


def _deployment(app: Any) -> Any:
    return app._bound_deployment


def checked(app: Any) -> Any:
    """What a learner's function returned, if it is an application.

    Raises:
        NotAnApplication: it is none.
    """
    if app is TODO:
        raise TODO
    if asyncio.iscoroutine(app):
        app.close()
    if not isinstance(app, ray.serve.Application):
        raise NotAnApplication(f"an application is expected; this is {kind(app)}")
    return app


def _applications(app: Any) -> Iterator[Any]:
    """An application, then those that it was bound with, and theirs."""
    yield checked(app)
    deployment = _deployment(app)
    for one in (*deployment.init_args, *deployment.init_kwargs.values()):
        if isinstance(one, ray.serve.Application):
            yield from _applications(one)


class _Replica:
    """One replica of an ingress, as an ASGI app."""

    def __init__(self, servable: Any) -> None:
        self.servable = servable

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":  # Ray starts and ends it itself, in `_started`
            raise RuntimeError("no lifespan here")
        token = _at_work.set(self.servable)
        try:
            await self.servable(scope, receive, send)
        finally:
            _at_work.reset(token)


@asynccontextmanager
async def _running(app: Any, asked: Callable[[], None]) -> AsyncIterator[_Replica]:
    ingress, _ = deployments(app)
    handles: dict[int, Any] = {}

    def bound(value: Any) -> Any:
        """A handle in the place of an application."""
        if not isinstance(value, ray.serve.Application):
            return value
        if id(value) not in handles:
            quiet = LoggingConfig(log_level=logging.CRITICAL, enable_access_log=False)
            handles[id(value)] = ray.serve.run(
                value, name="local", logging_config=quiet, _local_testing_mode=True
            )
            _listen(handles[id(value)], asked)
        return handles[id(value)]

    try:
        given = list(map(bound, ingress.init_args))
        named = {name: bound(value) for name, value in ingress.init_kwargs.items()}
        async with _started(ingress, given, named) as replica:
            yield replica
    finally:
        for handle in handles.values():
            await asyncio.to_thread(_stop, handle)


@asynccontextmanager
async def _started(
    ingress: Any, given: Sequence[Any], named: Mapping[str, Any]
) -> AsyncIterator[_Replica]:
    # Its class has an async __del__, which Ray awaits; here it would be left unawaited.
    cls = type("Ingress", (ingress.func_or_class,), {"__del__": lambda self: None})
    servable = cast(Any, cls).__new__(cls)
    await servable.__init__(*given, **named)
    if hasattr(servable, "__serve_build_asgi_app__"):
        servable._set_asgi_app(servable.__serve_build_asgi_app__())
    if ingress.user_config is not None:
        servable.reconfigure(ingress.user_config)
    await servable._run_asgi_lifespan_startup()
    try:
        yield _Replica(servable)
    finally:
        await servable._serve_asgi_lifespan.shutdown()


def _behind(handle: Any) -> Any:
    """What runs a deployment's code."""
    return handle._create_router("", handle.deployment_id, None)._user_callable_wrapper


def _listen(handle: Any, asked: Callable[[], None]) -> None:
    """Call `asked` before each request; if it raises, this is what the deployment raises."""
    replica = _behind(handle)

    def heard(call: Callable[..., Any]) -> Callable[..., Any]:
        def answered(*args: Any, **kwargs: Any) -> Any:
            try:
                asked()
            except Exception as error:
                failed = Future[Any]()
                failed.set_exception(error)
                return failed
            return call(*args, **kwargs)

        return answered

    for name in ("call_user_method", "_call_user_generator"):
        setattr(replica, name, heard(getattr(replica, name)))


def _stop(handle: Any) -> None:
    """End the thread of a deployment, which Ray leaves running."""
    replica = _behind(handle)
    loop = replica._user_code_event_loop

    def end() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.call_soon(loop.stop)

    loop.call_soon_threadsafe(end)
    replica._user_code_event_loop_thread.join(1.0)
    if not loop.is_running():
        loop.close()


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
    app: Any,
    *,
    path: str = "/chat",
    patience_s: float = 5.0,
    asked: Callable[[], None] = lambda: None,
) -> AsyncIterator[Clients]:
    """The clients of one replica of an application's ingress, which runs for this block.

    Args:
        app: what a learner's function has returned; used again, it starts further replicas.
        path: where requests go by default.
        patience_s: seconds that a client waits for an answer's end.
        asked: is called before each request that the ingress sends to another deployment; if it
            raises, this is what that deployment raises.

    Raises:
        NotAnApplication: it cannot be served.
    """
    ray.serve.get_replica_context = _context  # it stays: for anyone else it is Ray's own
    with _silent():
        async with _clients(app, path, patience_s, asked) as clients:
            yield clients


@asynccontextmanager
async def _clients(
    app: Any, path: str, patience_s: float, asked: Callable[[], None]
) -> AsyncIterator[Clients]:
    async with (
        _running(app, asked) as replica,
        serving_here(replica, grace_s=1) as server,
        Clients(server.url, path, patience_s=patience_s * time_factor()) as clients,
    ):
        yield clients
