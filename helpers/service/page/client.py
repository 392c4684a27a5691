"""The service as the page sees it: questions that are answered event by event, and feedback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 90.0
"""Without a byte from the service, which sends a comment every 15 seconds while it works."""


class ServiceProblem(Exception):  # noqa: N818 - it carries a problem document
    """The service refused or failed; `title` and `detail` are for the person in front of the page.

    `retry_after` are the seconds after which to try again, where the service said so.
    """

    def __init__(self, title: str, detail: str, retry_after: int | None = None) -> None:
        super().__init__(f"{title}. {detail}")
        self.title = title
        self.detail = detail
        self.retry_after = retry_after

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> "ServiceProblem":
        """The problem of a document of RFC 9457; what it leaves out gets general words."""
        return cls(
            str(document.get("title") or "The service reports a problem"),
            str(document.get("detail") or "It gave no reason."),
            document.get("retry_after"),
        )


@dataclass(frozen=True)
class ServiceEvent:
    """One event of an answer: `start`, `tool`, `sources`, `token`, `usage` or `done`."""

    name: str
    data: dict[str, Any]


class ServiceClient:
    """A customer's connection to the service."""

    def __init__(self, url: str, key: str) -> None:
        """`url` is the service's address, such as http://127.0.0.1:8000; `key` the customer's."""
        self._client = httpx2.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
        )

    def ask(self, message: str, conversation_id: str | None = None) -> Iterator[ServiceEvent]:
        """The events of the answer to a message, as they come.

        Raises:
            ServiceProblem: the service cannot be reached, refuses, fails, or breaks off.
        """
        body = {"message": message}
        if conversation_id is not None:
            body["conversation_id"] = conversation_id
        try:
            with self._client.stream("POST", "/v1/chat/stream", json=body) as reply:
                if reply.status_code != httpx2.codes.OK:
                    reply.read()
                    raise _refusal(reply)
                for event in httpx2.EventSource(reply):
                    data = json.loads(event.data)
                    if not isinstance(
                        data, dict
                    ):  # something between here and the service wrote it
                        raise _broken_off()
                    if event.event == "error":
                        raise ServiceProblem.of_document(data)
                    yield ServiceEvent(event.event, data)
                    if event.event == "done":
                        return
        except httpx2.ConnectError as error:
            raise _unreachable() from error
        except (httpx2.HTTPError, ValueError) as error:  # cut off, or no JSON
            raise _broken_off() from error
        raise _broken_off()

    def rate(self, request_id: str, score: int) -> None:
        """Send feedback on an answer: 1 for a good one, -1 for a bad one.

        Raises:
            ServiceProblem: the service cannot be reached or does not take it.
        """
        try:
            body = {"request_id": request_id, "score": score}
            reply = self._client.post("/v1/feedback", json=body)
        except httpx2.HTTPError as error:
            raise _unreachable() from error
        if reply.is_error:
            raise _refusal(reply)

    def ready(self) -> bool:
        """Whether the service says that it can answer now."""
        try:
            reply = self._client.get("/readyz", timeout=CONNECT_SECONDS)
        except httpx2.HTTPError:
            return False
        return reply.status_code == httpx2.codes.OK


def _refusal(reply: httpx2.Response) -> ServiceProblem:
    try:
        document = reply.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):  # a proxy in front of the service answered
        return ServiceProblem("The service reports a problem", f"HTTP status {reply.status_code}.")
    return ServiceProblem.of_document(document)


def _unreachable() -> ServiceProblem:
    return ServiceProblem(
        "The service cannot be reached",
        "Start it with `course serve`, or look whether its address in the side bar is right.",
    )


def _broken_off() -> ServiceProblem:
    return ServiceProblem("The answer broke off", "Part of it may be missing. Ask again.")
