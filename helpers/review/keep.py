"""Figures of your own as evidence: of a notebook's cell, or of one traced run."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from helpers.evaluate import evidence
from helpers.evaluate.evidence import Figure, fast_mode

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class TracedRun(Protocol):
    """What is used of a run that LangSmith's `client.read_run` gives."""

    id: Any
    start_time: datetime
    end_time: datetime | None
    total_tokens: int | None
    total_cost: Any


def keep(
    name: str,
    figures: Mapping[str, Figure | tuple[float, int]],
    *,
    source: str = "a cell of your own",
) -> Path | None:
    """Write figures that you measured as evidence `own_NAME`, of the agent as it is now.

    Args:
        name: lower-case letters, digits, _ and -; the evidence is cited as [own_NAME: FIGURE].
        figures: by name; a value and how many observations it rests on, or a `Figure`.
        source: how to measure them again, such as the notebook and cell.

    Returns:
        The file; None in fast mode, where a sentence says that nothing is written.

    Raises:
        ValueError: the name, or a figure, is not accepted.
    """
    short = name.removeprefix("own_")
    if not _NAME.fullmatch(short):
        raise ValueError(
            f"{name!r} is no name for evidence: use lower-case letters, digits, _ and -."
        )
    found = {figure: _figure(figure, value) for figure, value in figures.items()}
    if fast_mode():
        print("Nothing is written in fast mode: unset COURSE_FAST and run the cell again.")
        return None
    file = evidence.write(f"own_{short}", found, command=source)
    for figure in found:
        print(f"Cite it as [own_{short}: {figure}].")
    return file


def keep_run(run: TracedRun, name: str = "run") -> Path | None:
    """Write a traced run's tokens, dollars and seconds as evidence `own_NAME`, where it has them.

    Args:
        run: what `client.read_run(run_id)` of LangSmith's client gives.
        name: as in `keep`.

    Raises:
        ValueError: the run has none of the three, or the name is not accepted.
    """
    figures: dict[str, Figure | tuple[float, int]] = {}
    if run.total_tokens:
        figures["tokens"] = (float(run.total_tokens), 1)
    if run.total_cost is not None:
        figures["dollars"] = (float(run.total_cost), 1)
    if run.end_time is not None:
        figures["seconds"] = ((run.end_time - run.start_time).total_seconds(), 1)
    if not figures:
        raise ValueError(
            f"Run {run.id} has no tokens, cost or end yet: read it after it has ended."
        )
    return keep(name, figures, source=f"trace of run {run.id}")


def _figure(name: str, value: Figure | tuple[float, int]) -> Figure:
    try:
        figure = value if isinstance(value, Figure) else Figure(float(value[0]), int(value[1]))
        return Figure.of(figure)
    except (TypeError, ValueError, IndexError):
        raise ValueError(
            f"{name!r}: give a finite value and its count, as in (57.2, 4); not {value!r}."
        ) from None
