"""A course of two small labs as files alone, and submissions of it: nothing here runs."""

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LABS = {"98_mini": ("98.1", "98.2"), "97_other": ("97.1",)}


def code(exercise: str, source: str) -> dict[str, Any]:
    name = f"exercise-{exercise.replace('.', '-')}"
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"exercise": exercise},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def notebook(stem: str = "98_mini", answer: str = "x = TODO") -> dict[str, Any]:
    """A lab with this in each exercise's cell."""
    cells = []
    for exercise in LABS[stem]:
        cells.append(
            {"cell_type": "markdown", "id": f"t{exercise}", "metadata": {}, "source": "## Do it"}
        )
        cells.append(code(exercise, answer))
        check = f'check("{exercise}", x)'
        cells.append({**code(exercise, check), "id": f"check-{exercise}", "metadata": {}})
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def make_course(folder: Path) -> Path:
    """The two labs, and an empty package."""
    (folder / "helpers").mkdir(parents=True)
    (folder / "labs").mkdir()
    for stem in LABS:
        (folder / "labs" / f"{stem}.ipynb").write_text(json.dumps(notebook(stem)))
    return folder


def put(file: Path, answer: str = "x = 1", *, stem: str = "98_mini", day: int = 0) -> Path:
    """A submitted notebook; `day` dates it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(notebook(stem, answer)), encoding="utf-8")
    if day:
        os.utime(file, (day * 86_400, day * 86_400))
    return file


def packed(entries: Mapping[str, str | bytes]) -> bytes:
    """The content of a zip with these entries."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in entries.items():
            made.writestr(name, text)
    return content.getvalue()


def zipped(file: Path, entries: Mapping[str, str | bytes]) -> Path:
    """A zip with these entries."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(packed(entries))
    return file
