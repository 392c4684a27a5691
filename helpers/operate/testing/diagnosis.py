"""Hours of replayed days, with the metrics and the runs of their requests, and what happened.

`python -m tests.operate.make_diagnosis` makes the stored files from the course's replay.
"""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

DATA: Final = Path(__file__).parent.parent / "data" / "diagnosis"

Part = Literal["visible", "heldout"]


@dataclass(frozen=True)
class Hours:
    """Two hours of a service: the hour before, and the hour with an incident, or with none.

    Attributes:
        cause: what happened; "none" where nothing did.
        subject: the model, customer, revision, document or tool that it is about; "" for none.
        metrics: a row a minute, 120 of them, indexed by the minute's beginning (UTC): what the
            minute has added to each counter.
        runs: a row a run, request by request, with the metadata as columns.
    """

    cause: str
    subject: str
    metrics: pd.DataFrame
    runs: pd.DataFrame


def incidents(part: Part = "visible") -> list[Hours]:
    """The hours of a part, in frames of your own: those to learn from, or those kept for the check.

    Raises:
        ValueError: there is no such part.
    """
    if part not in ("visible", "heldout"):
        raise ValueError(f"There is no part {part!r}: take visible or heldout.")
    return [_hours(one) for one in _stored(part)]


@cache
def _stored(part: Part) -> list[dict[str, Any]]:
    path = DATA / f"{part}.json.gz"
    found: list[dict[str, Any]] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def _hours(stored: dict[str, Any]) -> Hours:
    start = pd.Timestamp(stored["start"])
    minutes = len(stored["metrics"]["requests"])
    index = pd.date_range(start, periods=minutes, freq="min", name="minute")
    runs = pd.DataFrame(stored["runs"])
    for place, column in ((4, "start_time"), (5, "end_time")):
        seconds = runs.pop(f"{column.removesuffix('_time')}_s")
        times = pd.to_datetime(seconds, unit="s", utc=True).dt.round("10ms")
        runs.insert(place, column, times)
    return Hours(
        stored["cause"], stored["subject"], pd.DataFrame(stored["metrics"], index=index), runs
    )
