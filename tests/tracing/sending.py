"""Requests that the SDK would not make: raw JSON, forms cut anywhere, hostile parts."""

import json
import uuid
from typing import Any

import requests

from tests.tracing.serving import KEY, Running

BOUNDARY = "cut-here"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
START = "2026-06-15T09:00:00+00:00"


def made(project: str, **changes: Any) -> dict[str, Any]:
    """The fields of a root run that is right, with something changed; None leaves a field out."""
    key = str(uuid.uuid4())
    found = {
        "id": key,
        "trace_id": key,
        "dotted_order": f"20260615T090000000000Z{key}",
        "name": "request",
        "run_type": "chain",
        "session_name": project,
        "start_time": START,
        "end_time": "2026-06-15T09:00:02+00:00",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def as_bytes(content: bytes | Any) -> bytes:
    """Bytes as they are; else JSON as hostile as Python's: NaN, half pairs, any integer."""
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def part(name: str, content: bytes | Any, kind: str = "application/json") -> bytes:
    """One part of a form."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}'
    return head.encode() + b"\r\n\r\n" + as_bytes(content) + b"\r\n"


def form(*parts: bytes, end: bool = True) -> bytes:
    """A whole form, or one without its end."""
    return b"".join(parts) + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def run_parts(fields: dict[str, Any], **bodies: bytes | Any) -> bytes:
    """The parts of a created run."""
    parts = [part(f"post.{fields['id']}", fields)]
    parts += [part(f"post.{fields['id']}.{name}", content) for name, content in bodies.items()]
    return b"".join(parts)


def send(service: Running, method: str, path: str, body: bytes | Any, kind: str = "") -> Any:
    """The service's answer; a body that is no bytes is sent as JSON."""
    return requests.request(
        method,
        service.url + path,
        data=as_bytes(body),
        headers={"x-api-key": KEY, "content-type": kind or "application/json"},
        timeout=30,
    )


def page_of(service: Running, run_id: str) -> str:
    """The run's page."""
    port = service.url.rpartition(":")[2]
    answer = requests.get(
        f"{service.url}/traces/{run_id}", cookies={f"traces-{port}": KEY}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return answer.text
