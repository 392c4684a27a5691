"""Read the multipart bodies in which the SDK sends runs, feedback and examples.

A body of 100 runs has 600 small parts. They are cut at the boundary and their names found without
a general parser of form data, which would take longer than everything else that is done to them.
"""

import re
from collections.abc import Iterator

from helpers.tracing.errors import Invalid

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'name="([^"]*)"')


def parts(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """The name and content of each part, in order.

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
    for piece in rest:
        if piece.startswith(b"--"):
            return
        head, gap, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not gap or name is None:
            raise Invalid("A part of the multipart form has no name.")
        yield name[1].decode(), content
    raise Invalid("The body ends in the middle: it has no closing boundary.")
