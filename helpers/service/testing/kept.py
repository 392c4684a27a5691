"""Replayed days, kept as Prometheus databases: a day is replayed once, and asked many times."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from helpers.paths import ROOT, course_dir
from helpers.service.testing.day import Instrument, Replayed, replay
from helpers.testbed.prometheus import Prometheus, load, prometheus_on
from helpers.testbed.replay import PlannedDay

_DECIDES = (
    *("agent", "evaluate", "models", "service", "shop", "testbed/replay"),
    *("monitor/answer_metrics.py", "testbed/models.py", "testbed/samples.py"),
    "testbed/simulated.py",
)
"""Rooms and files whose code or data may change what a replayed day looks like."""
_KINDS = frozenset({".py", ".json", ".yaml", ".jsonl", ".md", ".csv"})


@contextmanager
def prometheus_of(
    day: PlannedDay, *, instruments: Mapping[str, Instrument] | None = None
) -> Iterator[Prometheus]:
    """A Prometheus that holds a day, for a block. It is asked about `day.start` to `day.stop`.

    See `database_of` for the arguments and for what is raised.
    """
    kept = database_of(day, instruments=instruments)
    with tempfile.TemporaryDirectory() as folder:
        # Prometheus writes into its folder, and two of them must not share one.
        copied = shutil.copytree(kept, Path(folder) / "tsdb")
        with prometheus_on(copied) as server:
            yield server


def database_of(day: PlannedDay, *, instruments: Mapping[str, Instrument] | None = None) -> Path:
    """The Prometheus database of a day. A server that is to run on it needs a copy.

    The day is replayed where that has not been done by this version of the course; it takes some
    ten CPU seconds. It is kept in `.course/replays`.

    Args:
        day: see `helpers.testbed.replay.days`.
        instruments: more metrics of the service, by names that say which version of them it is.

    Raises:
        MissingProgram: there is no Prometheus.
        Exception: what an instrument raised.
    """
    more = instruments or {}
    return keep(key_of(day, more), lambda folder: load(replayed(day, more).samples, folder))


def replayed(day: PlannedDay, instruments: Mapping[str, Instrument]) -> Replayed:
    """Replay a planned day. Raises what an instrument raised."""
    return replay(
        day.requests(),
        incident=day.incident,
        seed=day.seed,
        excerpt=day.excerpt,
        instruments=[*instruments.values()],
    )


def keep(name: str, make: Callable[[Path], Path]) -> Path:
    """The database of this name in `.course/replays`, made in a folder of its own if missing."""
    kept = course_dir() / "replays" / name
    if kept.exists():
        return kept
    kept.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        made = make(Path(folder))
        if not kept.exists():  # another process may have been faster
            made.rename(kept)
    return kept


def key_of(day: PlannedDay, instruments: Mapping[str, Instrument]) -> str:
    """What a replayed day depends on, as a short text: the day, and the course's code and data."""
    digest = hashlib.sha256(repr((day, sorted(instruments))).encode())
    for name in _DECIDES:
        decides = ROOT / "helpers" / name
        for path in sorted(decides.rglob("*")) if decides.is_dir() else [decides]:
            if path.suffix in _KINDS:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:20]
