"""Samples with the timestamps of another day, in OpenMetrics' text format, as `promtool` loads it.

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry

Key = tuple[str, tuple[tuple[str, str], ...]]


class Samples:
    """What scrapes of registries found, series by series.

    samples = Samples()
    samples.scrape(registry, at=1_781_481_600.0, job="fernhill")
    samples.write(Path("day.om"))
    """

    def __init__(self) -> None:
        self._series: dict[Key, tuple[array[float], array[float]]] = {}

    @property
    def series(self) -> int:
        """Different series so far."""
        return len(self._series)

    def __len__(self) -> int:
        """Samples of all series."""
        return sum(len(times) for times, _ in self._series.values())

    def last(self, name: str, **labels: str) -> float:
        """The sum of the last values of the series of this name that have these labels."""
        return sum(values[-1] for _, values in self._named(name, labels))

    def times(self, name: str, **labels: str) -> list[float]:
        """When the first such series has samples, in seconds since 1970; empty for no series."""
        return next((list(times) for times, _ in self._named(name, labels)), [])

    def _named(
        self, name: str, labels: Mapping[str, str]
    ) -> Iterator[tuple["array[float]", "array[float]"]]:
        for (known, has), kept in self._series.items():
            if known == name and labels.items() <= dict(has).items():
                yield kept

    def scrape(self, registry: CollectorRegistry, *, at: float, **labels: str) -> int:
        """Add the present value of every series of a registry.

        Args:
            registry: what to read.
            at: seconds since 1970; later than the scrape before.
            labels: what Prometheus would add, such as `job="fernhill"`.

        Returns how many series the registry has. When they were made (`_created`) is left out, as
        Prometheus does not keep it.

        Raises:
            ValueError: `at` is not later than the series' last sample: a clock has jumped back.
        """
        more = tuple(labels.items())
        found = 0
        for family in registry.collect():
            for sample in family.samples:
                if not sample.name.endswith("_created"):
                    key = (sample.name, (*sample.labels.items(), *more))
                    self._add(key, sample.value, at)
                    found += 1
        return found

    def add(self, name: str, labels: Mapping[str, str], value: float, *, at: float) -> None:
        """Add one sample of one series. Raises ValueError as `scrape` does."""
        self._add((name, tuple(labels.items())), value, at)

    def repeat(self, *, at: float) -> None:
        """Add the last value of every series once more, where nothing has changed since.

        Raises ValueError as `scrape` does.
        """
        for times, values in self._series.values():
            _append(times, values, at, values[-1])

    def _add(self, key: Key, value: float, at: float) -> None:
        if key not in self._series:
            self._series[key] = (array("d"), array("d"))
        _append(*self._series[key], at, value)

    def write(self, path: Path) -> None:
        """Write all samples to a file. Raises ValueError when there are none."""
        if not self._series:
            raise ValueError("There are no samples to write: scrape a registry first.")
        with path.open("w", encoding="utf-8") as file:
            for (name, labels), (times, values) in self._series.items():
                head = f"{name}{_braces(labels)}"
                file.writelines(
                    f"{head} {value!r} {time:.3f}\n"
                    for time, value in zip(times, values, strict=True)
                )
            file.write("# EOF\n")


def _append(times: "array[float]", values: "array[float]", at: float, value: float) -> None:
    if times and at <= times[-1]:
        raise ValueError(
            f"The sample at {at:.3f} is not later than the one at {times[-1]:.3f}, and Prometheus "
            "refuses such samples: scrape in the order of time."
        )
    times.append(at)
    values.append(value)


def _braces(labels: Iterable[tuple[str, str]]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
