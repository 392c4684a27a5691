"""One llama.cpp server inside this process, speaking the OpenAI API on loopback."""

import os
from pathlib import Path
from typing import Any

from helpers.models.errors import ModelError
from helpers.models.settings import Settings


class LocalServer:
    """A running server: `url` takes OpenAI-style requests until `close()`.

    The engine's threads are threads of this process, so `time.process_time()` counts the CPU
    seconds of every answer, and nothing is left behind when the process ends.
    """

    def __init__(self, alias: str, path: Path, settings: Settings, *, embedding: bool) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {alias}
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.verbosity = -1
        params.cpuparams.n_threads = settings.threads
        params.cpuparams_batch.n_threads = settings.threads
        params.n_parallel = settings.slots
        params.ui = False
        params.sampling.seed = settings.seed
        params.n_gpu_layers = 0
        if embedding:
            params.embedding = True
            params.n_ctx = 512 * settings.slots
            # An input is pooled in one piece: it must fit one batch.
            params.n_batch = params.n_ubatch = 512
        else:
            params.n_ctx = settings.context * settings.slots
            params.cache_prompt = settings.prompt_cache
            params.cache_ram_mib = 0
        try:
            self._server: Any = xllamacpp.Server(params)
        except Exception as error:
            raise ModelError(
                f"The local model {alias} did not start ({error}): free some memory "
                "(about 300 MB) and run `python3 -m helpers doctor`."
            ) from error
        self.alias = alias
        self.settings = settings
        self.pid = os.getpid()
        self.url: str = f"{self._server.listening_address}/v1"

    def embed(self, texts: list[str]) -> dict[str, Any]:
        """Embed texts in process; the answer has the shape of OpenAI's `/embeddings`."""
        reply: dict[str, Any] = self._server.handle_embeddings({"input": texts})
        return reply

    def tokens(self, text: str, *, special: bool = False) -> list[int]:
        """The model's tokens of a text; `special` adds those that begin and end an input."""
        found: list[int] = self._post(
            "/tokenize", {"content": text, "parse_special": True, "add_special": special}
        )["tokens"]
        return found

    def prompt(self, turns: list[dict[str, Any]]) -> str:
        """The text that the model's chat template makes of messages in OpenAI's format."""
        text: str = self._post("/apply-template", {"messages": turns})["prompt"]
        return text

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        import httpx2

        with httpx2.Client(trust_env=False, verify=False, timeout=60) as client:
            reply = client.post(self.url.removesuffix("/v1") + path, json=body)
        reply.raise_for_status()
        return reply.json()

    def close(self) -> None:
        """Stop the server and free its memory; a second call does nothing."""
        self._server = None
