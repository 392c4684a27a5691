"""Read the multipart bodies in which the SDK sends runs, feedback and examples.

A body of 100 runs has 600 small parts. They are cut at the boundary and their names found without
a general parser of form data, which would take longer than everything else that is done to them.
"""

import re
from dataclasses import dataclass, field

from helpers.tracing.errors import Invalid

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'name="([^"]*)"')
_TYPE = re.compile(rb"^content-type:\s*([^;\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of a form. `head` has its headers; its content type is read when needed."""

    name: str
    content: bytes
    head: bytes = b""

    @property
    def content_type(self) -> str:
        """The type without its parameters; empty where none is named."""
        found = _TYPE.search(self.head)
        return found[1].strip().decode("ascii", "replace") if found else ""


@dataclass(slots=True)
class Form:
    """The whole parts of a form, in order, and a sentence on each that is not whole."""

    parts: list[Part] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def form(body: bytes, content_type: str) -> Form:
    """The parts of a multipart body.

    Raises:
        Invalid: the body is no multipart form.
    """
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or found is None:
        raise Invalid(f"Send a multipart form with a boundary, not {content_type or 'nothing'}.")
    delimiter = b"--" + found[1].encode()
    first, *rest = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if first.strip() or not rest:
        raise Invalid("The body does not begin with the boundary that its content type names.")
    result = Form()
    for number, piece in enumerate(rest):
        if piece.startswith(b"--"):
            return result
        head, gap, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if number == len(rest) - 1:  # nothing says that it came to its end
            named = f" in the part {_text(name[1])!r}" if name else ""
            result.problems.append(
                f"The body ends in the middle{named}: it has no closing boundary."
            )
        elif not gap or name is None:
            result.problems.append("A part of the multipart form has no name.")
        else:
            result.parts.append(Part(_text(name[1]), content, head))
    return result


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
