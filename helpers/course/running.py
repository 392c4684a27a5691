"""JupyterLab where it runs on the course: its address for a notebook."""

from pathlib import Path
from urllib.parse import quote

from helpers.paths import course_dir


def address(file: str, *, root: Path) -> str | None:
    """The address that opens a file in a JupyterLab that `course lab` started; None if none runs.

    It contains the server's token, as the addresses do that JupyterLab prints itself.

    Args:
        file: a path below the course's folder, with forward slashes.
        root: the course's folder.
    """
    runtime = course_dir() / "jupyter" / "runtime"
    if not runtime.is_dir():
        return None
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers(runtime_dir=str(runtime)):
        served = Path(server.get("root_dir") or server.get("notebook_dir") or "")
        try:
            path = (root / file).resolve().relative_to(served.resolve())
        except ValueError:
            continue  # it serves another folder
        token = f"?token={quote(server['token'])}" if server.get("token") else ""
        return f"{server['url']}lab/tree/{quote(path.as_posix())}{token}"
    return None
