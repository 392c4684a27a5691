"""Where the lab and its checks keep their traces: a local service of their own.

Not the course's own file, which holds the learner's traces, and never LangSmith, whatever
`COURSE_TRACING` says: a check must not send anything, and must not find what it did not put there.
"""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from langsmith import Client
from langsmith.schemas import Run

from helpers.tracing import Service
from helpers.tracing.analysis import quiet
from helpers.tracing.redact import Redactor


@cache
def practice() -> Service:
    """The lab's service, started on first use; it stops with this process and keeps nothing."""
    return Service(Path(_folder().name) / "traces.db")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Removed when its object is collected, so it is kept as long as the process."""
    return tempfile.TemporaryDirectory(prefix="lab-09-", ignore_cleanup_errors=True)


@cache
def desk() -> Client:
    """The SDK's client that talks to the lab's service."""
    return practice().client()


@contextmanager
def redacting(hook: Redactor) -> Iterator[Client]:
    """A client to the same service that sends everything through `hook` first."""
    client = practice().client(anonymizer=hook)
    try:
        yield client
    finally:
        client.cleanup()


def fresh(name: str) -> str:
    """A name that nothing has used before."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def runs_of(project: str, *, is_root: bool | None = None) -> Sequence[Run]:
    """The runs of a project in the order of their tree."""
    with quiet():
        found = list(desk().list_runs(project_name=project, is_root=is_root))
    return sorted(found, key=lambda run: run.dotted_order or "")
