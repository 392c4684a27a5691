"""Runs come in: one by one, in a batch, or as a multipart form, plain or compressed."""

from typing import Any, Literal

import zstandard
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from helpers.tracing import multipart
from helpers.tracing.api.asked import JsonResponse, PricerOf, StoreOf
from helpers.tracing.errors import Invalid, Refused
from helpers.tracing.store import Store, feedback
from helpers.tracing.store.incoming import Incoming, decoded, from_mapping, from_parts
from helpers.tracing.store.write import write_runs
from helpers.tracing.usage import Pricer

router = APIRouter()

LARGEST_BODY = 100_000_000  # bytes, also once decompressed: the SDK sends 20 million at most


class TooLarge(Refused):
    """The body does not fit."""

    status = 413

    def __init__(self) -> None:
        super().__init__(f"A request may have up to {LARGEST_BODY:,} bytes; send fewer runs.")


@router.post("/runs/multipart")
async def multipart_runs(request: Request, store: StoreOf, pricer: PricerOf) -> Response:
    """Creates, updates and feedback; acknowledged once they are committed."""
    body = await _body(request)
    content_type = request.headers.get("content-type", "")
    compressed = request.headers.get("content-encoding", "").lower() == "zstd"
    await run_in_threadpool(_accept, store, pricer, body, content_type, compressed)
    return JsonResponse({"message": "Runs batch ingested"}, status_code=202)


@router.post("/runs/batch")
async def batch(request: Request, store: StoreOf, pricer: PricerOf) -> Response:
    """Creates and updates in one JSON object."""
    payload = decoded(await _body(request), "the batch")
    if not isinstance(payload, dict):
        raise Invalid("A batch is an object with the lists post and patch.")
    runs = [
        from_mapping(kind, run) for kind in ("post", "patch") for run in payload.get(kind) or []
    ]
    await run_in_threadpool(_write, store, pricer, runs)
    return JsonResponse({"message": "Runs batch ingested"}, status_code=202)


@router.post("/runs")
async def create(request: Request, store: StoreOf, pricer: PricerOf) -> Response:
    """One run."""
    return await _single("post", await _payload(request), store, pricer)


@router.patch("/runs/{run_id}")
async def update(run_id: str, request: Request, store: StoreOf, pricer: PricerOf) -> Response:
    """Changes of one run."""
    return await _single("patch", {**await _payload(request), "id": run_id}, store, pricer)


async def _single(
    kind: Literal["post", "patch"], payload: dict[str, Any], store: Store, pricer: Pricer
) -> Response:
    await run_in_threadpool(_write, store, pricer, [from_mapping(kind, payload)])
    return JsonResponse({"message": "Run accepted"}, status_code=202)


async def _payload(request: Request) -> dict[str, Any]:
    found = decoded(await _body(request), "the run")
    if not isinstance(found, dict):
        raise Invalid("A run is a JSON object.")
    return found


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST_BODY:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


def _accept(store: Store, pricer: Pricer, body: bytes, content_type: str, compressed: bool) -> None:
    if compressed:
        body = _decompressed(body)
    runs, given = from_parts(multipart.parts(body, content_type))
    with store.writing() as connection:
        write_runs(connection, runs, pricer)
        feedback.write(connection, given)


def _write(store: Store, pricer: Pricer, runs: list[Incoming]) -> None:
    with store.writing() as connection:
        write_runs(connection, runs, pricer)


def _decompressed(body: bytes) -> bytes:
    try:
        with zstandard.ZstdDecompressor().stream_reader(body) as reader:
            found: bytes = reader.read(LARGEST_BODY + 1)
    except zstandard.ZstdError as error:
        raise Invalid(f"The body is not what zstd compressed: {error}.") from None
    if len(found) > LARGEST_BODY:
        raise TooLarge
    return found
