"""The API's description, beside what the routes say themselves."""

from typing import Any

from fastapi import FastAPI

from helpers.service.schemas import ProblemDocument

DESCRIPTION = """
Fernhill's support agent. Send your key as `Authorization: Bearer KEY`; it stands for one customer.

A refusal or failure is a problem document (RFC 9457), in a stream the event `error`. `Retry-After`
says when to come back.
"""


def describe_problems(app: FastAPI) -> None:
    """Add the schema of a problem document, which responses refer to and no route returns."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        found = described()
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault(ProblemDocument.__name__, ProblemDocument.model_json_schema())
        return found

    app.openapi = openapi  # type: ignore[method-assign]
