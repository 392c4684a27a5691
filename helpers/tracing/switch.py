"""Turn tracing on: to the local service, or to LangSmith."""

import os
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from helpers.tracing.redact import Redactor, redactor
from helpers.tracing.service import Service

if TYPE_CHECKING:  # the service's process, which needs none of it, imports this room too
    from langsmith import Client

Mode = Literal["local", "langsmith"]

_SWITCH = "COURSE_TRACING"
_REDACT = "COURSE_TRACING_REDACT"
_KEYS = ("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY")
# Every variable by which the SDK, or a library below it, could be told to send somewhere else.
_SET_ASIDE = ("LANGSMITH_", "LANGCHAIN_", "OTEL_", "HOSTED_LANGSERVE_")
_NO_PROXY = ("NO_PROXY", "no_proxy")


class TracingError(RuntimeError):
    """Tracing cannot be turned on as asked; the sentence says what to do."""


@dataclass(frozen=True)
class Tracing:
    """Tracing that is on: where it goes, and the client that reads it back.

    `page` opens the local pages in a browser; None with LangSmith, which has its own.
    """

    mode: Mode
    project: str
    client: "Client"
    page: str | None

    def flush(self) -> None:
        """Return when every run that has ended so far was acknowledged."""
        self.client.flush()


@dataclass
class _State:
    service: Service | None = None
    environment: dict[str, str] | None = None


_state = _State()


def enable(project: str = "fernhill", *, redact: bool | None = None) -> Tracing:
    """Trace everything from here on, LangChain's runs and `langsmith.traceable` functions.

    `COURSE_TRACING` decides where to. `local` (also when it is unset): to a service on this
    machine, which is started in a process of its own on a free loopback port and stops with this
    process; whatever keys and endpoints the environment holds are set aside until `disable()`.
    `langsmith`: to LangSmith, or wherever LANGSMITH_ENDPOINT says, with your key. Call it again to
    change the project.

    Args:
        project: the project that the runs go to; it is made when it is missing.
        redact: take personal data out before anything is sent; by default when
            `COURSE_TRACING_REDACT` is set.

    Raises:
        TracingError: `COURSE_TRACING` is neither, or there is no key for LangSmith.
        ServiceError: the local service does not start.
    """
    mode = os.environ.get(_SWITCH) or "local"
    redact = bool(os.environ.get(_REDACT)) if redact is None else redact
    hook = _shop_redactor() if redact else None
    if mode == "local":
        return _enable_local(project, hook)
    if mode == "langsmith":
        return _enable_langsmith(project, hook)
    raise TracingError(f"COURSE_TRACING is {mode!r}: set it to 'local' or 'langsmith'.")


def local() -> Service:
    """Start the service on this machine, for those who set LangSmith's variables themselves.

    `LANGSMITH_ENDPOINT` is its `url`, `LANGSMITH_API_KEY` its `key`. Whatever keys, endpoints and
    proxies the environment holds are set aside until `disable()`, so that nothing leaves; tracing
    itself stays off until `LANGSMITH_TRACING` says so. A second call returns the same service.

    Raises:
        ServiceError: the local service does not start.
    """
    import langsmith

    service = _alone()
    _flush_earlier()
    langsmith.configure(client=None, enabled=None, project_name=None)  # the variables decide
    _forget_settings()
    return service


def _alone() -> Service:
    """The running service, with everything that leads elsewhere taken out of the environment."""
    if _state.service is None or not _state.service.running:
        _state.service = Service()
    service = _state.service
    if _state.environment is None:
        _state.environment = {name: os.environ[name] for name in os.environ if _is_ours(name)}
    _clear()
    # On the way to this machine's own address it would only cost time.
    os.environ["LANGSMITH_DISABLE_RUN_COMPRESSION"] = "true"
    if urllib.request.getproxies():  # or a proxy of the environment would get the traces
        host = str(urlsplit(service.url).hostname)
        for name in _NO_PROXY:
            known = [part for part in os.environ.get(name, "").split(",") if part]
            os.environ[name] = ",".join(dict.fromkeys([*known, host, "localhost"]))
    return service


def disable() -> None:
    """Send what is left, trace nothing more, stop the local service, and put back the settings."""
    import langsmith

    _flush_earlier()
    langsmith.configure(client=None, enabled=False, project_name=None)
    if _state.environment is not None:
        _clear()
        for name in _NO_PROXY:
            os.environ.pop(name, None)
        os.environ.update(_state.environment)
        _state.environment = None
    os.environ["LANGSMITH_TRACING"] = "false"
    _forget_settings()
    if _state.service is not None:
        _state.service.stop()
        _state.service = None


def _enable_local(project: str, hook: Redactor | None) -> Tracing:
    service = _alone()
    os.environ.update(
        {
            _SWITCH: "local",
            "LANGSMITH_ENDPOINT": service.url,
            "LANGSMITH_API_KEY": service.key,
        }
    )
    client = _turn_on(project, hook, web_url=service.url)
    return Tracing("local", project, client, service.page)


def _enable_langsmith(project: str, hook: Redactor | None) -> Tracing:
    if _state.environment is not None:
        disable()
    if not any(os.environ.get(name) for name in _KEYS):
        raise TracingError(
            "COURSE_TRACING=langsmith needs your key: set LANGSMITH_API_KEY, or unset "
            "COURSE_TRACING to trace on this machine."
        )
    return Tracing("langsmith", project, _turn_on(project, hook, web_url=None), None)


def _turn_on(project: str, hook: Redactor | None, *, web_url: str | None) -> "Client":
    import langsmith

    os.environ["LANGSMITH_TRACING"] = "true"
    os.environ["LANGSMITH_PROJECT"] = project
    _forget_settings()
    _flush_earlier()
    client = langsmith.Client(anonymizer=hook, web_url=web_url)
    langsmith.configure(client=client, enabled=True, project_name=project)
    return client


def _flush_earlier() -> None:
    """What was traced before goes to where it was meant to go.

    Where nothing was, the SDK makes a client to be asked; this one has nowhere to send to, and the
    caller replaces it.
    """
    from langsmith.run_trees import get_cached_client

    get_cached_client(
        api_url="http://127.0.0.1:9", api_key="none", auto_batch_tracing=False, info={}
    ).flush()


def _forget_settings() -> None:
    """The SDK reads each variable once and keeps it; let it read them again."""
    from langsmith import env, utils

    utils.get_env_var.cache_clear()  # type: ignore[attr-defined]  # typed as overloads
    utils.get_tracer_project.cache_clear()
    utils.get_host_url.cache_clear()
    env.get_langchain_env_var_metadata.cache_clear()


def _is_ours(name: str) -> bool:
    return name.startswith(_SET_ASIDE) or name in (*_NO_PROXY, _SWITCH)


def _clear() -> None:
    for name in [name for name in os.environ if name.startswith(_SET_ASIDE)]:
        del os.environ[name]


def _shop_redactor() -> Redactor:
    """Patterns, and the names of all customers, whom no pattern recognises."""
    from helpers.shop import open_orders

    orders = open_orders()
    try:
        return redactor(*(customer.name for customer in orders.all_customers()))
    finally:
        orders.close()
