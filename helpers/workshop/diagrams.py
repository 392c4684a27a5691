"""The mermaid diagrams of a notebook's cells, and the pictures of them that come with the course.

Mermaid's script is several megabytes in many files, and an instructor may have neither a browser
that a program can drive nor a network. So an author draws the pictures once, with
`python -m tests.browser.pictures`. A picture's name is a hash of its diagram: one that belongs to
another text is never shown.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).parent / "pictures"
_FENCE = re.compile(r"^( *)```mermaid *\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def diagrams(cells: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each diagram of the texts, and of what the code cells show, without its directives.

    Args:
        cells: as `helpers.workshop.slides.read_notebook` gives them.
    """
    for cell in cells:
        shown = [] if cell["kind"] == "code" else [cell["text"]]
        for output in cell["outputs"]:
            data = output.get("data", {}) if isinstance(output, dict) else {}
            text = data.get("text/markdown", "")
            shown.append("".join(map(str, text)) if isinstance(text, list) else str(text))
        for text in shown:
            for found in _FENCE.finditer(text):
                body = re.sub(rf"^{found[1]}", "", found[2], flags=re.MULTILINE)
                yield re.sub(r"^ *%%.*\n", "", body, flags=re.MULTILINE).strip()


def picture_name(diagram: str) -> str:
    """The name of a diagram's picture: the first 12 digits of a hash of its text."""
    return f"{hashlib.sha256(diagram.encode()).hexdigest()[:12]}.svg"


def picture(diagram: str, *, folder: Path = PICTURES) -> str:
    """A diagram's picture as an SVG element to put into a page; "" where none was drawn."""
    path = folder / picture_name(diagram)
    return path.read_text("utf-8").strip() if path.is_file() else ""
