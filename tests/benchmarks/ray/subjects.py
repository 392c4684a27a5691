"""What is measured, each a process with its own children: it prints nothing and answers on PORT.

    python -m tests.benchmarks.ray.subjects NAME UPSTREAM PORT

- `service`: Fernhill's service on Ray, with two replicas (`helpers.scale`).
- `bare`: a Serve application of the same shape and nothing else: a FastAPI ingress that passes the
  chunks on which two replicas read from the model's server, a message and an event each.

Every model call goes to UPSTREAM, an OpenAI-compatible base URL.
"""

import hashlib
import json
import signal
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from ray import serve

from helpers.scale import RunningRay, start_ray
from tests.benchmarks.service.subjects import CUSTOMER, CUSTOMER_KEY, MOST_TOKENS, PATH

REPLICAS = 2


def service(cluster: RunningRay, upstream: str) -> None:
    """Everything on; limits that are checked but never reached: a refusal would look fast."""
    from helpers.scale.app import deploy
    from helpers.service import HashedKey, Settings

    secret = CUSTOMER_KEY.rpartition("_")[2]
    sha256 = hashlib.sha256(secret.encode()).hexdigest()
    settings = Settings(
        keys=(HashedKey(id="0" * 12, sha256=sha256, customer=CUSTOMER),),
        upstream_url=upstream,
        upstream_model="local",
        max_output_tokens=MOST_TOKENS,
        rate="1000000/minute",
        daily_tokens=10**9,
        running=8,
        waiting=64,
        per_customer=64,
    )
    deploy(cluster, settings, REPLICAS)


@serve.deployment(
    num_replicas=REPLICAS, max_ongoing_requests=12, ray_actor_options={"num_cpus": 0.5}
)
class Reader:
    """Reads the model's answer."""

    def __init__(self, upstream: str) -> None:
        self._url = f"{upstream}/chat/completions"
        self._client = httpx2.AsyncClient(timeout=60, trust_env=False)

    async def read(self, body: dict[str, Any]) -> AsyncIterator[str]:
        """Each chunk's text."""
        async with self._client.stream("POST", self._url, json=body) as reply:
            async for line in reply.aiter_lines():
                data = line.removeprefix("data: ")
                if data != line and data != "[DONE]":
                    for choice in json.loads(data)["choices"]:
                        if text := choice["delta"].get("content"):
                            yield text


bare_app = FastAPI()


@serve.deployment(max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0.1})
@serve.ingress(bare_app)
class Front:
    """Passes it on."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader.options(stream=True)

    @bare_app.post(PATH)
    async def chat(self, body: dict[str, Any]) -> StreamingResponse:
        """Stream the chunks."""

        async def events() -> AsyncIterator[str]:
            async for text in self._reader.read.remote(body):
                choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
                yield f"data: {json.dumps({'choices': [choice]})}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")


def bare(cluster: RunningRay, upstream: str) -> None:
    """Nothing but the chunks."""
    cluster.serve(Front.bind(Reader.bind(upstream)), "bare", route="/")


def main() -> None:
    """Serve until SIGTERM."""
    name, upstream, port = sys.argv[1:]
    cluster = start_ray(port=int(port))
    {"service": service, "bare": bare}[name](cluster, upstream)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("ready", flush=True)
    stop.wait()
    cluster.stop()


if __name__ == "__main__":
    main()
