"""Events are read as the specification of server-sent events has it."""

import pytest

from helpers.service.page.sse import ServerSentEvent, read_events


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("event: token\ndata: {}\n\n", [("token", "{}")]),
        ("data: 1\n\ndata: 2\n\n", [("message", "1"), ("message", "2")]),
        ("data: a\ndata: b\n\n", [("message", "a\nb")]),
        ("data:a\n\n", [("message", "a")]),
        ("data:  two spaces\n\n", [("message", " two spaces")]),
        ("data: with: colon\n\n", [("message", "with: colon")]),
        (": ping\n\n: ping\n\ndata: 1\n\n", [("message", "1")]),
        ("event: lonely\n\ndata: 1\n\n", [("message", "1")]),
        ("id: 7\nretry: 10\ndata: 1\n\n", [("message", "1")]),
        ("data: 1\n\ndata: cut off", [("message", "1")]),
        ("", []),
    ],
)
def test_events_of_a_stream(stream: str, events: list[tuple[str, str]]) -> None:
    assert list(read_events(stream.split("\n"))) == [ServerSentEvent(*one) for one in events]
