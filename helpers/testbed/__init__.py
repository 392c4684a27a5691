"""What stands around an object in notebooks, labs and checks.

Servers on free loopback ports, clients and load, models that do what they are told, a clock that
stands still. The object itself (an app, an agent, a command) is handed in as an argument.

    with openai_server(replies=["It weighs 2.1 kg."]) as server:   # OpenAI's API, no model behind
        ChatOpenAI(base_url=server.url, api_key="none", model="any").invoke("How heavy is it?")

    with serving(app) as server:                                   # an ASGI app, beside this cell
        async with Clients(server.url) as clients:
            load = await closed_loop(clients, {"message": "Hi"}, clients=8, requests=200)
        pandas.DataFrame(summary({"8 clients": load}))

    with process(["prometheus", "--web.listen-address=127.0.0.1:{port}"], ready="/-/ready") as one:
        print(one.url, one.memory_mb())

After a `with` block nothing listens on its port and no process of it lives, also after an error
inside. What fails in the course's own equipment raises `TestbedError`.

What needs seconds to load is loaded when it is first used.
"""

from helpers.testbed.errors import TestbedError
from helpers.testbed.openai_server import OpenAIServer, openai_server
from helpers.testbed.replies import CutOff, Fails, Turn
from helpers.testbed.serving import Served, serving, serving_here

__all__ = [
    "CutOff",
    "Fails",
    "OpenAIServer",
    "Served",
    "TestbedError",
    "Turn",
    "openai_server",
    "serving",
    "serving_here",
]
