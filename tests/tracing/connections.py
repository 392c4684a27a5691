"""Which addresses a process talks to: recorded by Python itself, below every library.

An audit hook sees each address that is connected or sent to and each name that is looked up, and
writes it down. It is put into a process by `environment(folder)`: Python runs the folder's
`sitecustomize` when it starts, and so does every Python that the process starts in turn.
"""

import os
from pathlib import Path

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
