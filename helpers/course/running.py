"""JupyterLab where it runs on the course: its address for a notebook."""

import json
import socket
from pathlib import Path
from urllib.parse import quote, urlsplit

from helpers.paths import course_dir

_PATIENCE_S = 1.0  # it is on this machine: it answers at once, or not at all


def address(file: str, *, root: Path) -> str | None:
    """The address that opens a file in a JupyterLab that `course lab` started; None if none runs.

    It contains the server's token, as the addresses do that JupyterLab prints itself.

    Args:
        file: a path below the course's folder, with forward slashes.
        root: the course's folder.
    """
    # Each server writes such a file when it starts, and removes it unless it was killed.
    for written in sorted((course_dir() / "jupyter" / "runtime").glob("jpserver-*.json")):
        try:
            server = json.loads(written.read_text(encoding="utf-8"))
            url, token = str(server["url"]), str(server.get("token") or "")
            path = (root / file).resolve().relative_to(Path(server["root_dir"]).resolve())
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue  # damaged, or it serves another folder
        if _listens(url):
            return f"{url}lab/tree/{quote(path.as_posix())}{f'?token={quote(token)}' * bool(token)}"
    return None


def _listens(url: str) -> bool:
    """Whether something takes connections at an address."""
    try:
        parts = urlsplit(url)
        socket.create_connection((parts.hostname, parts.port or 80), timeout=_PATIENCE_S).close()
    except (OSError, ValueError):
        return False
    return True
