"""Server-sent events, read from the lines of a response.

https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6: a blank line ends an
event, a line that begins with a colon is a comment, data of several lines are joined by new lines.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One event: its name ("message" when the server gave none), and its data."""

    name: str
    data: str


def read_events(lines: Iterable[str]) -> Iterator[ServerSentEvent]:
    """The events of a stream; one that was cut off before its blank line is left out."""
    name, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield ServerSentEvent(name or "message", "\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
