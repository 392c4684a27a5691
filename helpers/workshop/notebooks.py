"""Read a submitted notebook, in the encodings that editors and browsers leave."""

import codecs
import json

from helpers.course.cells import NotANotebookError, Notebook, parse
from helpers.workshop.files import File, UnreadableError


def read_notebook(file: File) -> Notebook:
    """A submitted notebook, in UTF-8 with or without a byte-order mark, or in UTF-16.

    Raises:
        UnreadableError: it is not a notebook that can be graded; the message says why.
    """
    content = file.read()
    if not content.strip():
        raise UnreadableError("it is empty")
    try:
        notebook = parse(_utf8(content))
    except NotANotebookError as error:
        raise UnreadableError(_why_not(content, error)) from None
    except (RecursionError, MemoryError):
        raise UnreadableError("it is not a notebook: its data is nested too deeply") from None
    for cell in notebook["cells"]:
        if not isinstance(cell["metadata"], dict) or not isinstance(cell["source"], str):
            raise UnreadableError("it is a damaged notebook: a cell has no metadata")
        # Half of a surrogate pair cannot be sent to a kernel.
        cell["source"] = cell["source"].encode("utf-8", "replace").decode("utf-8")
    return notebook


def _utf8(content: bytes) -> bytes:
    try:
        if content.startswith(codecs.BOM_UTF8):
            return content.removeprefix(codecs.BOM_UTF8)
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16").encode("utf-8")
        if b"\0" in content[:4]:
            return content.decode(json.detect_encoding(content)).encode("utf-8")
    except UnicodeError:
        raise UnreadableError("it is not text") from None
    return content


def _why_not(content: bytes, error: NotANotebookError) -> str:
    try:
        found = json.loads(content)
    except UnicodeDecodeError:
        return "it is not text"
    except (ValueError, RecursionError):
        return f"it is not a notebook, or only part of one ({error})"
    if isinstance(found, dict) and "worksheets" in found:
        return "its format is older than nbformat 4: open it in JupyterLab and save it"
    return "it is JSON, but not a notebook of nbformat 4"
