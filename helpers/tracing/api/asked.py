"""What all routes share: the store of the request, parameters, and answers in JSON."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from helpers.tracing.errors import Invalid, Unspoken
from helpers.tracing.store import Store, exact
from helpers.tracing.store.incoming import identifier
from helpers.tracing.usage import Pricer


def _store(request: Request) -> Store:
    found: Store = request.app.state.store
    return found


def _pricer(request: Request) -> Pricer:
    found: Pricer = request.app.state.pricer
    return found


StoreOf = Annotated[Store, Depends(_store)]
PricerOf = Annotated[Pricer, Depends(_pricer)]


class Body(BaseModel):
    """A request's body; what it holds besides the fields below it is refused by name."""

    model_config = ConfigDict(extra="allow")

    def refuse_unknown(self, what: str) -> None:
        """Say which parameter is not spoken.

        Raises:
            Unspoken: there is one, and it asks for something.
        """
        for name, value in (self.model_extra or {}).items():
            if value not in (None, False, [], ""):
                raise Unspoken(f"the parameter {name} of {what}")


class JsonResponse(Response):
    """An answer in JSON that may hold pieces that are JSON already."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The answer's bytes."""
        return orjson.dumps(content)


def refusal(sentence: str, status: int) -> JsonResponse:
    """The answer to a request that is not carried out."""
    told = sentence.encode(errors="replace").decode()  # it may quote half of a surrogate pair
    return JsonResponse({"detail": told}, status_code=status)


async def _sent_object(request: Request) -> dict[str, Any]:
    found = exact.strict(await request.body(), "The body")
    if not isinstance(found, dict):
        raise Invalid("The body must be a JSON object.")
    return found


ObjectOf = Annotated[dict[str, Any], Depends(_sent_object)]
"""The body of a request: a JSON object."""
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=2**31)]


def identifiers(values: Sequence[Any] | Any | None, what: str) -> list[str] | None:
    """One UUID or several, as a list; None stays None.

    Raises:
        Invalid: one of them is none.
    """
    if values is None:
        return None
    listed = values if isinstance(values, list) else [values]
    return [identifier(value, what) for value in listed]


def mapping(text: str | None, what: str) -> dict[str, Any] | None:
    """A JSON object that came as a query parameter.

    Raises:
        Invalid: it is none.
    """
    if text is None:
        return None
    found = exact.strict(text.encode(errors="replace"), what)
    if not isinstance(found, dict):
        raise Invalid(f"{what} must be a JSON object.")
    return found


def refuse_others(request: Request, known: set[str], what: str) -> None:
    """Refuse query parameters that are not spoken.

    Raises:
        Unspoken: there is one, and it asks for something.
    """
    for name, value in request.query_params.multi_items():
        if name not in known and value not in ("", "false", "False"):
            raise Unspoken(f"the parameter {name} of {what}")
