"""The service: Fernhill's agent behind HTTP, hardened for strangers, load and restarts.

`create_app(Settings(...))` makes it; `course serve` runs it. So does any ASGI server, with the
settings from the environment: `uvicorn --factory helpers.service:create_app`.

A request's way through the room: `envelope` (id, size), `routes` (address, key, caps), and
`Answer.events` (`answer`), which takes rate, conversation, budget and a place in the gate, runs one
of the `engines` (agent or model) through `upstream` (retries, circuit breaker), and gives back what
it took. A route waits for the whole answer, or returns an `EventStreamResponse` (`streaming`) that
sends each event as it happens. `lifecycle` makes the parts that live as long as the service.

Exports are loaded when first used, so that a client of the service need not load the agent.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.service.app import create_app
    from helpers.service.keys import HashedKey, issue
    from helpers.service.settings import Settings

__all__ = ["HashedKey", "Settings", "create_app", "issue"]

_MODULES = {
    "create_app": "app",
    "HashedKey": "keys",
    "issue": "keys",
    "Settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
