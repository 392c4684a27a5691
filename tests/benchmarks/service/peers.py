"""The peers, each in an environment of its own: their packages do not mix with the course's.

The environments are made on first use in `.course/peers/`, by pip, and are used again after that.
A peer that does not install or does not start is reported as that, with the last line it printed.
"""

import subprocess
import sys
import textwrap
import venv
from dataclasses import dataclass
from pathlib import Path

from helpers.paths import course_dir

LITELLM = "litellm[proxy]==1.108.7"
LANGSERVE = "langserve[server]==0.3.3"

_LANGSERVE_APP = textwrap.dedent(
    """
    import sys
    import uvicorn
    from fastapi import FastAPI
    from langchain_openai import ChatOpenAI
    from langserve import add_routes

    upstream, port, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    model = ChatOpenAI(base_url=upstream, api_key="none", model="local", temperature=0,
                       max_completion_tokens=tokens, stream_usage=True)
    app = FastAPI()
    add_routes(app, model, path="/chat")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
    """
)
_LITELLM_CONFIG = textwrap.dedent(
    """
    model_list:
      - model_name: local
        litellm_params: {{model: openai/local, api_base: "{upstream}", api_key: none}}
    litellm_settings: {{telemetry: false, drop_params: true}}
    general_settings: {{dangerously_permit_weak_or_unset_master_key: true}}
    """
)


class PeerMissing(RuntimeError):  # noqa: N818 - it is what is reported
    """A peer cannot be had here; the message says why."""


@dataclass(frozen=True)
class Peer:
    """One peer: what is installed, and the program that is started with it."""

    name: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Its environment."""
        return course_dir() / "peers" / self.name

    def install(self) -> Path:
        """Make the environment when it is not there; return its Python.

        Raises:
            PeerMissing: pip did not succeed.
        """
        python = self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        done = self.folder / "installed.txt"
        wanted = "\n".join(self.packages)
        if done.exists() and done.read_text("utf-8") == wanted:
            return python
        venv.create(self.folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        made = subprocess.run(
            [*command, *self.packages], capture_output=True, text=True, check=False
        )
        if made.returncode:
            said = made.stderr.strip().splitlines() or ["pip said nothing"]
            raise PeerMissing(f"{self.name} does not install: {said[-1]}")
        done.write_text(wanted, encoding="utf-8")
        return python

    def command(self, upstream: str, port: int, tokens: int) -> list[str]:
        """What starts it in front of an upstream."""
        python = self.install()
        if self.name == "langserve":
            return [str(python), "-c", _LANGSERVE_APP, upstream, str(port), str(tokens)]
        config = self.folder / f"config-{port}.yaml"
        config.write_text(_LITELLM_CONFIG.format(upstream=upstream), encoding="utf-8")
        program = python.with_name("litellm.exe" if sys.platform == "win32" else "litellm")
        place = ["--host", "127.0.0.1", "--port", str(port)]
        return [str(program), "--config", str(config), *place]


PEERS = {
    "LiteLLM proxy": Peer("litellm", (LITELLM,)),
    "langserve": Peer("langserve", (LANGSERVE, "langchain-openai")),
}
