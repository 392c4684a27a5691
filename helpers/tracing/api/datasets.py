"""Datasets and examples."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from helpers.tracing import multipart
from helpers.tracing.api.asked import (
    JsonResponse,
    Limit,
    ObjectOf,
    Offset,
    StoreOf,
    identifiers,
    mapping,
    refuse_others,
)
from helpers.tracing.errors import Invalid, Unspoken
from helpers.tracing.store import Store, datasets, examples
from helpers.tracing.store.incoming import identifier

router = APIRouter()


@router.post("/datasets")
def create(body: ObjectOf, store: StoreOf) -> Response:
    """Make a dataset."""
    with store.writing() as connection:
        return JsonResponse(datasets.create(connection, body))


@router.get("/datasets")
def find(
    request: Request,
    store: StoreOf,
    id: Annotated[list[str] | None, Query()] = None,
    name: str | None = None,
    name_contains: str | None = None,
    metadata: str | None = None,
    data_type: str = "kv",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Datasets, the newest first."""
    known = {"id", "name", "name_contains", "metadata", "data_type", "limit", "offset"}
    refuse_others(request, known, "a query of datasets")
    if data_type != "kv":
        return JsonResponse([])  # there are only those of key-value examples
    found = datasets.find(
        store.reading(),
        ids=identifiers(id, "id"),
        name=name,
        name_contains=name_contains,
        metadata=mapping(metadata, "metadata"),
        limit=limit,
        offset=offset,
    )
    return JsonResponse(found)


@router.get("/datasets/{dataset_id}")
def one(dataset_id: str, store: StoreOf) -> Response:
    """One dataset."""
    return JsonResponse(datasets.read(store.reading(), _dataset(dataset_id)))


@router.delete("/datasets/{dataset_id}")
def delete(dataset_id: str, store: StoreOf) -> Response:
    """Delete a dataset with its examples."""
    with store.writing() as connection:
        datasets.delete(connection, _dataset(dataset_id))
    return JsonResponse({"message": "Dataset deleted"})


@router.get("/datasets/{dataset_id}/splits")
def splits(dataset_id: str, store: StoreOf, as_of: str = "latest") -> Response:
    """The names of a dataset's splits."""
    if as_of != "latest":
        raise Unspoken("the splits of an older version of a dataset")
    return JsonResponse(examples.splits(store.reading(), _dataset(dataset_id)))


@router.post("/platform/datasets/{dataset_id}/examples")
async def add(dataset_id: str, request: Request, store: StoreOf) -> Response:
    """Add examples."""
    return await run_in_threadpool(_examples, store, dataset_id, *await _form(request), add=True)


@router.patch("/platform/datasets/{dataset_id}/examples")
async def change(dataset_id: str, request: Request, store: StoreOf) -> Response:
    """Change examples."""
    return await run_in_threadpool(_examples, store, dataset_id, *await _form(request), add=False)


class _Operation(BaseModel):
    key: str
    operation: Literal["array_add", "array_remove"]
    values: list[str]


class SplitsBody(BaseModel):
    """Which examples to put into a split, or take out of it."""

    example_ids: list[str]
    operations: list[_Operation]


@router.patch("/platform/datasets/{dataset_id}/examples/metadata")
def change_metadata(dataset_id: str, body: SplitsBody, store: StoreOf) -> Response:
    """Change the splits of examples."""
    if any(operation.key != examples.SPLIT for operation in body.operations):
        raise Unspoken("bulk changes of metadata other than dataset_split")
    with store.writing() as connection:
        for operation in body.operations:
            for split in operation.values:
                examples.change_splits(
                    connection,
                    _dataset(dataset_id),
                    identifiers(body.example_ids, "example_ids") or [],
                    add=operation.operation == "array_add",
                    split=split,
                )
    return JsonResponse({"count": len(body.example_ids)})


@router.get("/examples")
def find_examples(
    request: Request,
    store: StoreOf,
    dataset: str | None = None,
    id: Annotated[list[str] | None, Query()] = None,
    splits: Annotated[list[str] | None, Query()] = None,
    metadata: str | None = None,
    as_of: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Examples in the order in which they were added."""
    refuse_others(request, _FIND, "a query of examples")
    if dataset is None and not id:
        raise Invalid("Say which dataset, or which examples by their ids.")
    found = examples.find(
        store.reading(),
        dataset_id=_dataset(dataset) if dataset else None,
        ids=identifiers(id, "id"),
        splits=splits or [],
        metadata=mapping(metadata, "metadata"),
        as_of=as_of,
        limit=limit,
        offset=offset,
    )
    return JsonResponse(found)


@router.delete("/examples")
def delete_examples(example_ids: Annotated[list[str], Query()], store: StoreOf) -> Response:
    """Delete examples."""
    with store.writing() as connection:
        count = examples.delete(connection, identifiers(example_ids, "example_ids") or [])
    return JsonResponse({"count": count})


class _Delete(BaseModel):
    example_ids: list[str]


@router.post("/platform/datasets/examples/delete")
def delete_examples_for_good(body: _Delete, store: StoreOf) -> Response:
    """Delete examples; here nothing that was deleted is kept."""
    return delete_examples(body.example_ids, store)


@router.get("/examples/{example_id}")
def one_example(example_id: str, store: StoreOf, as_of: str | None = None) -> Response:
    """One example."""
    if as_of not in (None, "latest"):
        raise Unspoken("an older version of an example")
    chosen = identifier(example_id, "the example's id")
    return JsonResponse(examples.read(store.reading(), chosen))


@router.delete("/examples/{example_id}")
def delete_example(example_id: str, store: StoreOf) -> Response:
    """Delete an example."""
    return delete_examples([example_id], store)


async def _form(request: Request) -> tuple[bytes, str]:
    return await request.body(), request.headers.get("content-type", "")


def _examples(store: Store, dataset_id: str, body: bytes, kind: str, *, add: bool) -> Response:
    found = examples.from_form(multipart.form(body, kind))
    write = examples.add if add else examples.update
    with store.writing() as connection:
        answer = write(connection, _dataset(dataset_id), found)
    return JsonResponse(answer, status_code=201 if add else 200)


def _dataset(text: str) -> str:
    return identifier(text, "the dataset's id")


_FIND = {
    "dataset",
    "id",
    "splits",
    "metadata",
    "as_of",
    "limit",
    "offset",
    # Whether large values come inside the answer; here they always do.
    "inline_s3_urls",
}
