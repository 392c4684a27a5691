"""Which addresses a process talks to: recorded by Python itself, below every library.

An audit hook sees each address that is connected or sent to and each name that is looked up, and
writes it down. It is put into a process by `environment(folder)`: Python runs the folder's
`sitecustomize` when it starts, and so does every Python that the process starts in turn.
"""

import json
import os
from pathlib import Path

# Keys, endpoints and proxies that would take traces elsewhere if anything listened to them.
HOSTILE = {
    "LANGSMITH_API_KEY": "lsv2_pt_real_key",
    "LANGCHAIN_API_KEY": "lsv2_pt_real_key",
    "LANGSMITH_ENDPOINT": "https://api.smith.langchain.com",
    "LANGCHAIN_ENDPOINT": "https://eu.api.smith.langchain.com",
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_PROJECT": "elsewhere",
    "LANGSMITH_WORKSPACE_ID": "11111111-1111-1111-1111-111111111111",
    "LANGSMITH_OTEL_ENABLED": "true",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example.com",
    "HTTP_PROXY": "http://proxy.example.com:3128",
    "HTTPS_PROXY": "http://proxy.example.com:3128",
    "http_proxy": "http://proxy.example.com:3128",
    "ALL_PROXY": "http://proxy.example.com:3128",
    "LANGSMITH_RUNS_ENDPOINTS": json.dumps({"https://replica.example.com": "key"}),
    "OPENAI_API_KEY": "sk-real",
}

_HOOK = """
import os, sys

def _record(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        text = str(address[0]) if isinstance(address, tuple) else "local socket"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        text = "look-up " + str(arguments[0])
    else:
        return
    with open(os.path.join(os.environ["RECORD_CONNECTIONS"], str(os.getpid())), "a") as file:
        file.write(text + "\\n")

if os.environ.get("RECORD_CONNECTIONS"):
    sys.addaudithook(_record)
"""
_HERE = frozenset(
    {"127.0.0.1", "::1", "local socket", "look-up 127.0.0.1", "look-up localhost", "look-up ::1"}
)


def environment(folder: Path) -> dict[str, str]:
    """The variables that make a process, and those that it starts, record what they talk to."""
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(_HOOK, "utf-8")
    (folder / "seen").mkdir()
    paths = [str(folder / "hook"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "RECORD_CONNECTIONS": str(folder / "seen")}


def seen(folder: Path) -> set[str]:
    """What was talked to and looked up."""
    files = (folder / "seen").iterdir()
    return {line for file in files for line in file.read_text("utf-8").splitlines()}


def outside(folder: Path) -> set[str]:
    """What of that is not on this machine."""
    return seen(folder) - _HERE
