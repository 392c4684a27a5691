"""Attachments go out: the SDK opens the address that it got with the run, and sends no key."""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from sqlite3 import Row
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from helpers.tracing.api.asked import StoreOf
from helpers.tracing.errors import Missing
from helpers.tracing.store import Store, attachments

router = APIRouter()
PREFIX = "/attachments/"


@router.get(PREFIX + "{signature}/{run_id}/{name:path}")
def one(signature: str, run_id: str, name: str, store: StoreOf) -> Response:
    """The content of an attachment, for who has its address; a browser saves it to a file."""
    if not hmac.compare_digest(signature, _signature(store, run_id, name)):
        raise Missing("This address of an attachment is not valid; read the run again.")
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    content = attachments.read(store.reading(), run_id, name)
    return Response(content, media_type="application/octet-stream", headers=headers)


def addresses(
    store: Store, request: Request, run_id: str, files: Iterable[Row]
) -> dict[str, dict[str, Any]]:
    """Name -> address and content type of a run's attachments, until the service stops."""
    start = f"{str(request.base_url).rstrip('/')}{PREFIX}"
    return {
        one["name"]: {
            "presigned_url": f"{start}{_signature(store, run_id, one['name'])}/{run_id}/"
            + quote(one["name"], safe=""),
            "mime_type": one["content_type"],
        }
        for one in files
    }


def _signature(store: Store, run_id: str, name: str) -> str:
    return hmac.new(store.secret, f"{run_id}/{name}".encode(), sha256).hexdigest()
