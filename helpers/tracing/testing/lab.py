"""The lab's own service, on loopback and over a file that is deleted in the end."""

import tempfile
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.tracing.quiet import quiet
from helpers.tracing.service import Service

if TYPE_CHECKING:
    from langsmith import Client
    from langsmith.schemas import Run


@cache
def lab_service() -> Service:
    """The service, started on first use. It stops with this process and keeps nothing."""
    return Service(Path(_folder().name) / "traces.db")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Removed when its object is collected, so it is kept as long as the process."""
    return tempfile.TemporaryDirectory(prefix="lab-09-", ignore_cleanup_errors=True)


@cache
def lab_client() -> "Client":
    """LangSmith's client that talks to the lab's service; the same one each time.

    For a client of its own, with an anonymizer for instance, use `lab_service().client(...)`.
    """
    return lab_service().client()


def fresh(name: str) -> str:
    """A name for a project or dataset that nothing has used before: `name`, and random digits."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def runs_of(client: "Client", project: str, **options: Any) -> "list[Run]":
    """The runs of a project in the order of their trees.

    Args:
        options: further arguments of `Client.list_runs`, such as `is_root=True`.
    """
    with quiet():
        found = list(client.list_runs(project_name=project, **options))
    return sorted(found, key=lambda run: run.dotted_order or "")
