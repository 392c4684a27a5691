"""Every refusal and failure as a problem document of RFC 9457, in one shape.

https://www.rfc-editor.org/rfc/rfc9457: `type` names the kind, `title` is the same for all of a
kind, `detail` is about this one. `request_id` finds the request in the logs.
"""

import math
from typing import Any

from purgatory.domain.model import OpenedState
from starlette.exceptions import HTTPException

from helpers.models import errors as models

MEDIA_TYPE = "application/problem+json"

TITLES: dict[str, tuple[int, str]] = {
    "no-key": (401, "An API key is needed"),
    "bad-key": (401, "The API key is not valid"),
    "bad-request": (400, "The request cannot be read"),
    "invalid": (422, "The request is not valid"),
    "too-large": (413, "The request is too large"),
    "head-too-large": (431, "The request's line and headers are too large"),
    "too-slow": (408, "The request did not arrive in time"),
    "too-long": (422, "The text is too long for the model"),
    "not-found": (404, "There is nothing at this address"),
    "wrong-method": (405, "This address does not take that method"),
    "unknown-model": (404, "There is no such model here"),
    "unknown-request": (404, "There is no such request"),
    "conversation-busy": (409, "The conversation is being answered"),
    "conversation-full": (409, "The conversation is too long"),
    "rate-limited": (429, "Too many requests"),
    "too-many-at-once": (429, "Too many requests at the same time"),
    "budget-spent": (429, "The day's tokens are used up"),
    "too-many-connections": (503, "The service has too many connections"),
    "queue-full": (503, "The service is busy"),
    "waited-too-long": (503, "The service is busy"),
    "store-down": (503, "The service cannot count requests"),
    "not-ready": (503, "The service is not ready"),
    "stopping": (503, "The service is stopping"),
    "model-busy": (503, "The model wants fewer requests"),
    "circuit-open": (503, "The model has failed repeatedly"),
    "model-failed": (502, "The model failed"),
    "model-unreachable": (502, "The model cannot be reached"),
    "model-slow": (504, "The model did not answer in time"),
    "deadline": (504, "The answer took too long"),
    "internal": (500, "Something went wrong here"),
}

_FRAMEWORK = {404: "not-found", 405: "wrong-method"}


class Problem(HTTPException):
    """A refusal or a failure that the caller is told about.

    It extends Starlette's exception: FastAPI lets that one pass while it reads a body, and
    replaces others by a bare 400.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        retry_after: float | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        """`kind` is one of `TITLES`; `retry_after` are the seconds after which to try again."""
        headers = (
            {} if retry_after is None else {"Retry-After": str(max(1, math.ceil(retry_after)))}
        )
        if kind in {"no-key", "bad-key"}:
            headers["WWW-Authenticate"] = "Bearer"
        self.kind = kind
        self.retry_after = retry_after
        self.errors = errors
        super().__init__(TITLES[kind][0], detail, headers)

    def document(self, request_id: str | None) -> dict[str, Any]:
        """The document's members."""
        found: dict[str, Any] = {
            "type": f"urn:fernhill:problem:{self.kind}",
            "title": TITLES[self.kind][1],
            "status": self.status_code,
            "detail": self.detail,
            "message": self.detail,  # where OpenAI's clients look for it
            "request_id": request_id,
        }
        if self.errors is not None:
            found["errors"] = self.errors
        if self.headers and "Retry-After" in self.headers:
            found["retry_after"] = int(self.headers["Retry-After"])
        return found


def of_status(status: int, detail: str, headers: dict[str, str] | None) -> Problem:
    """The problem for an error of the framework, such as 404 for an unknown address."""
    other = "internal" if status >= 500 else "bad-request"
    problem = Problem(_FRAMEWORK.get(status, other), detail)
    problem.status_code = status
    problem.headers = headers
    return problem


def of_model(error: Exception) -> Problem | None:
    """The problem for a failure between the service and its model, None for anything else.

    What a provider said about keys, names and quotas is for the operator: it is logged, and the
    caller is told that it failed.
    """
    if isinstance(error, OpenedState):
        return Problem("circuit-open", "Try again later.", retry_after=5)
    if isinstance(error, models.ContextOverflow):
        return Problem("too-long", "Send less text, or start a new conversation.")
    if isinstance(error, models.RequestTimedOut):
        return Problem("model-slow", "Try again, or ask for less.")
    if isinstance(error, models.RateLimited):
        return Problem("model-busy", "Try again later.", retry_after=10)
    if isinstance(error, models.Unreachable):
        return Problem("model-unreachable", "Try again later.", retry_after=5)
    if isinstance(error, models.EmptyPrompt):
        return Problem("invalid", "The request holds no text.")
    if isinstance(error, models.ModelError):
        return Problem("model-failed", "No whole answer could be had. Try again.", retry_after=5)
    return None
