"""What stands around an object in notebooks, labs and checks.

Servers on free loopback ports, clients and load, models that follow a script, a clock that is moved
by hand. The object itself (an app, an agent, a command) is an argument.

    with openai_server(replies=["It weighs 2.1 kg."]) as server:   # OpenAI's API, no model behind
        ChatOpenAI(base_url=server.url, api_key="none", model="any").invoke("How heavy is it?")

    with serving(app) as server:                                   # an ASGI app, in a thread
        async with Clients(server.url) as clients:
            load = await closed_loop(clients, {"message": "Hi"}, concurrency=8, requests=200)
        pandas.DataFrame(summary({"8 clients": load}))

    with process(["prometheus", "--web.listen-address=127.0.0.1:{port}"], ready="/-/ready") as one:
        print(one.url, one.memory_mb())

    simulate(day, start=datetime(2026, 6, 15, tzinfo=UTC))         # `testbed.simulated`: no waiting
    with prometheus_with(samples, folder) as server:               # `testbed.prometheus`
        server.at("sum(rate(service_problems_total[5m]))", moment)

`replay` holds a day of the shop to replay: traffic, what stands behind the service, and incidents.

After a `with` block nothing listens on its port and no process of it lives, also after an error in
the block. What fails in the course's own equipment raises `TestbedError`.

What takes time to load is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from helpers.testbed.clock import Clock
from helpers.testbed.errors import DidNotStart, TestbedError
from helpers.testbed.memory import Memory
from helpers.testbed.openai_server import OpenAIServer, openai_server
from helpers.testbed.replies import Breaks, CutOff, Fails, FallsSilent, ModelFailed, Turn, UsedUp
from helpers.testbed.serving import Served, serving, serving_here
from helpers.testbed.store import Store

if TYPE_CHECKING:
    from helpers.testbed.clients import Clients, Seen
    from helpers.testbed.load import Load, burst, closed_loop, percentile, summary
    from helpers.testbed.models import HeldModel, ScriptedModel, SlowModel
    from helpers.testbed.processes import Process, free_port, process

__all__ = [
    "Breaks",
    "Clients",
    "Clock",
    "CutOff",
    "DidNotStart",
    "Fails",
    "FallsSilent",
    "HeldModel",
    "Load",
    "Memory",
    "ModelFailed",
    "OpenAIServer",
    "Process",
    "ScriptedModel",
    "Seen",
    "Served",
    "SlowModel",
    "Store",
    "TestbedError",
    "Turn",
    "UsedUp",
    "burst",
    "closed_loop",
    "free_port",
    "openai_server",
    "percentile",
    "process",
    "serving",
    "serving_here",
    "summary",
]

_LOADED_LATER = {
    **dict.fromkeys(["Clients", "Seen"], "clients"),
    **dict.fromkeys(["Load", "burst", "closed_loop", "percentile", "summary"], "load"),
    **dict.fromkeys(["HeldModel", "ScriptedModel", "SlowModel"], "models"),
    **dict.fromkeys(["Process", "free_port", "process"], "processes"),
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_LATER[name]}"), name)
