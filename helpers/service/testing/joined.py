"""Replayed days joined in one Prometheus database, each in a place of its own, and kept.

Rules are judged on all of them by one server: `helpers.monitor.testing.joined`.
"""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from helpers.service.testing.day import Instrument
from helpers.service.testing.kept import keep, key_of, replayed
from helpers.testbed.prometheus import load
from helpers.testbed.replay import PlannedDay
from helpers.testbed.samples import Samples

APART: Final = timedelta(days=2)
"""How much later each day is than the one before: no window reaches from one into the next."""


def joined_database(days: Sequence[PlannedDay], *, instruments: Mapping[str, Instrument]) -> Path:
    """One database of all these days. A server that is to run on it needs a copy.

    A whole day takes some ten CPU seconds to replay, the first time, and an hour a part of that. A
    bar shows on a terminal how far it is. The database is kept in `.course/replays`.

    Args:
        days: the number of a day times `APART` is how much later it is in the database.
        instruments: more metrics of the service, as for `database_of`.

    Raises:
        MissingProgram: there is no Prometheus.
        Exception: what an instrument raised.
    """
    from tqdm import tqdm

    def make(folder: Path) -> Path:
        for number, day in enumerate(tqdm(days, desc="Replaying", unit="day", disable=None)):
            made = load(_Later(replayed(day, instruments).samples, number * APART), folder)
        return made

    keys = [key_of(day, instruments) for day in days]
    digest = hashlib.sha256(" ".join(keys).encode()).hexdigest()[:20]
    return keep(f"joined-{digest}", make)


class _Later(Samples):
    """The same samples, so much later."""

    def __init__(self, of: Samples, by: timedelta) -> None:
        super().__init__()
        by_s = by.total_seconds()
        for key, (times, values) in of._series.items():
            self._series[key] = (array("d", (time + by_s for time in times)), values)
