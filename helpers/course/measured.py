"""The learner's own figures: the tables that end their notebooks ("What you measured").

They are read from the notebooks as they are saved. A walkthrough comes with the course's outputs:
its table counts as the learner's own once it differs from the shipped one.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.course.cells import NotANotebookError, parse
from helpers.course.reset import as_shipped

CELL = "measured"
"""The id of the cell with the table, in every walkthrough and in the labs that have one."""


@dataclass(frozen=True)
class Measured:
    """A table of a learner's notebook: `html` as it was shown, and when the notebook was saved."""

    notebook: str
    saved: datetime
    html: str


def measured(module: str, *, root: Path) -> list[Measured]:
    """The learner's tables of one module: of its walkthrough and of its lab."""
    found = []
    for folder in ("notebooks", "labs"):
        for file in sorted((root / folder).glob(f"{module}_*.ipynb")):
            path = file.relative_to(root).as_posix()
            with contextlib.suppress(OSError):
                html = _table(file.read_bytes())
                if html and html != _table(as_shipped(path, module, root=root)):
                    saved = datetime.fromtimestamp(file.stat().st_mtime).astimezone()
                    found.append(Measured(path, saved, html))
    return found


def _table(content: bytes) -> str:
    """The HTML of the table in a notebook's cell; "" where the cell has none, or was not run."""
    try:
        cells = parse(content)["cells"]
    except NotANotebookError:
        return ""
    for cell in cells:
        if cell.get("id") == CELL and cell.get("execution_count"):
            return "".join(map(_html, cell.get("outputs", [])))
    return ""


def _html(output: Any) -> str:
    data = output.get("data", {}) if isinstance(output, dict) else {}
    html = data.get("text/html", "") if isinstance(data, dict) else ""
    text = "".join(map(str, html)) if isinstance(html, list) else str(html)
    return text if "<table" in text else ""
