"""Runs come in: one by one, in a batch, or as a multipart form, plain or compressed."""

import zstandard
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from helpers.tracing import multipart
from helpers.tracing.api.asked import JsonResponse, PricerOf, StoreOf
from helpers.tracing.errors import Invalid, Refused
from helpers.tracing.store import Store, exact, feedback
from helpers.tracing.store.incoming import Batch, Kind, from_form, from_list
from helpers.tracing.store.write import write_runs
from helpers.tracing.usage import Pricer

router = APIRouter()

_TOLD = 10  # refusals that an answer names
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
    return await run_in_threadpool(_accept, store, pricer, body, content_type, compressed)


@router.post("/runs/batch")
async def batch(request: Request, store: StoreOf, pricer: PricerOf) -> Response:
    """Creates and updates in one JSON object."""
    payload = exact.parsed(await _body(request), "the batch")
    if not isinstance(payload, dict):
        raise Invalid("A batch is an object with the lists post and patch.")
    kinds: tuple[Kind, ...] = ("post", "patch")
    for kind in kinds:
        if not isinstance(payload.get(kind) or [], list):
            raise Invalid(f"{kind} of a batch is a list of runs.")
    pairs = [(kind, run) for kind in kinds for run in payload.get(kind) or []]
    return await run_in_threadpool(_write, store, pricer, from_list(pairs))


@router.post("/runs")
async def create(request: Request, store: StoreOf, pricer: PricerOf) -> Response:
    """One run."""
    payload = exact.parsed(await _body(request), "the run")
    return await run_in_threadpool(_write, store, pricer, from_list([("post", payload)]))


@router.patch("/runs/{run_id}")
async def update(run_id: str, request: Request, store: StoreOf, pricer: PricerOf) -> Response:
    """Changes of one run."""
    payload = exact.parsed(await _body(request), "the run")
    if isinstance(payload, dict):
        payload = {**payload, "id": run_id}
    return await run_in_threadpool(_write, store, pricer, from_list([("patch", payload)]))


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST_BODY:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


def _accept(
    store: Store, pricer: Pricer, body: bytes, content_type: str, compressed: bool
) -> Response:
    if compressed:
        body = _decompressed(body)
    return _write(store, pricer, from_form(multipart.form(body, content_type)))


def _write(store: Store, pricer: Pricer, batch: Batch) -> Response:
    """Store what can be stored, then answer for all of it.

    202 says that everything is stored; what of a run had to be left out is on the run's page. If
    whole runs were left out, the answer is their refusal: the SDK logs it and does not try again.
    """
    with store.writing() as connection:
        refusals = [*batch.refusals, *write_runs(connection, batch.runs, pricer)]
        refusals += feedback.write(connection, batch.feedback)
    sent = len(batch.runs) + len(batch.feedback) + len(batch.refusals)
    notes = [note for run in batch.runs for note in run.notes]
    if not refusals:
        return JsonResponse({"message": "Runs stored", "notes": notes[:_TOLD]}, status_code=202)
    status = {refusal.status for refusal in refusals}
    told = " ".join(str(refusal) for refusal in refusals[:_TOLD])
    more = f" And {len(refusals) - _TOLD} more." if len(refusals) > _TOLD else ""
    if sent > 1:
        told = f"{sent - len(refusals)} of {sent} are stored. Left out: {told}{more}"
    return JsonResponse({"detail": told}, status_code=status.pop() if len(status) == 1 else 422)


def _decompressed(body: bytes) -> bytes:
    try:
        with zstandard.ZstdDecompressor().stream_reader(body) as reader:
            found: bytes = reader.read(LARGEST_BODY + 1)
    except zstandard.ZstdError as error:
        raise Invalid(f"The body is not what zstd compressed: {error}.") from None
    if len(found) > LARGEST_BODY:
        raise TooLarge
    return found
