"""Hours of a service that Prometheus scrapes, with restarts, gaps and releases; and the truth.

    samples = Samples()
    asked = record(HOURS["two restarts"], samples, at=1_781_481_600.0)
    with prometheus_with(samples, folder) as server:
        server.at("sum(increase(answer_seconds_count[1h]))", moment)

Each hour has ten minutes before it, and a histogram `answer_seconds` with the labels `job`,
`instance`, `version` and `route`: `/chat`, whose answers are slow or fast by the script, and
`/health`, which is asked all the time and answers at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from prometheus_client import CollectorRegistry, Histogram

from helpers.testbed.samples import Samples

MINUTES = 70
"""Of each record: ten before the hour, and the hour."""

BUCKETS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)
SCRAPE_S = 30
_PROBES_A_MINUTE = 40


@dataclass(frozen=True)
class Phase:
    """From `minute` on: questions a minute, and the seconds that their answers take, in turn."""

    minute: float
    per_minute: float
    seconds: tuple[float, ...] = (0.4,)


@dataclass(frozen=True)
class Instance:
    """One process of the service, with everything that happens to it.

    Attributes:
        name: its host and port.
        version: what it runs.
        phases: its traffic, in the order of time.
        begins: the minute of its start.
        ends: the minute after which it is gone.
        restarts: minutes at which its counters begin at 0 again.
        unseen: the minutes between which it works and is not scraped.
    """

    name: str
    version: str
    phases: tuple[Phase, ...]
    begins: float = 0
    ends: float = MINUTES
    restarts: tuple[float, ...] = ()
    unseen: tuple[float, float] = (0, 0)


@dataclass(frozen=True)
class Answer:
    """One answer to a question: when it ended, who gave it, and how long it took."""

    minute: float
    version: str
    seconds: float


def record(instances: Sequence[Instance], samples: Samples, *, at: float) -> list[Answer]:
    """Add the scrapes of one hour to samples, the first one `at` seconds since 1970.

    Returns every answer of `/chat`, in the order of time for each instance.
    """
    truth = list[Answer]()
    for one in instances:
        waiting = [answer for answer in _answers(one) if one.begins <= answer.minute < one.ends]
        truth += waiting
        restarts = list(one.restarts)
        histogram = _new()
        for number in range(MINUTES * 60 // SCRAPE_S + 1):
            minute = number * SCRAPE_S / 60
            # What happens at the moment of a scrape, happens before it; a restart comes first.
            while restarts and restarts[0] <= minute:
                _count(histogram, waiting, restarts.pop(0))
                histogram = _new()
            _count(histogram, waiting, minute)
            if not one.begins <= minute <= one.ends or one.unseen[0] < minute < one.unseen[1]:
                continue
            registry = CollectorRegistry()
            registry.register(histogram)
            samples.scrape(
                registry,
                at=at + number * SCRAPE_S,
                job="shop",
                instance=one.name,
                version=one.version,
            )
    return truth


def _new() -> Histogram:
    histogram = Histogram(
        "answer_seconds", "Seconds of an answer", ["route"], buckets=BUCKETS, registry=None
    )
    for route in ("/chat", "/health"):
        histogram.labels(route)
    return histogram


def _count(histogram: Histogram, waiting: list[Answer], minute: float) -> None:
    """Count the answers that have ended by now, and the probes of half a minute."""
    while waiting and waiting[0].minute < minute:
        histogram.labels("/chat").observe(waiting.pop(0).seconds)
    for _ in range(_PROBES_A_MINUTE * SCRAPE_S // 60):
        histogram.labels("/health").observe(0.01)


def _answers(one: Instance) -> Iterator[Answer]:
    ends = Phase(MINUTES, 0)
    for phase, after in pairwise((*one.phases, ends)):
        count = round((after.minute - phase.minute) * phase.per_minute)
        for number in range(count):
            minute = phase.minute + (number + 0.5) / phase.per_minute
            yield Answer(minute, one.version, phase.seconds[number % len(phase.seconds)])


_FAST = (0.4, 0.8, 1.4, 0.9, 1.7, 0.3, 2.4, 1.2, 0.7, 2.8)
_MIXED = (0.9, 1.6, 3.6, 0.8, 2.2, 4.4, 1.1, 1.9, 2.6, 6.5, 1.3, 2.1)
_STUCK = (0.9, 1.6, 14.6, 0.8, 2.2, 17.3, 1.1, 1.9, 2.6, 21.5, 1.3, 2.1)
_SLOW = (4.2, 6.1, 9.5, 3.4, 7.2)

HOURS = {
    "two instances": (
        Instance("a:8000", "1.4", (Phase(0, 22, _FAST), Phase(38, 9, _MIXED))),
        Instance("b:8000", "1.4", (Phase(0, 8, _MIXED), Phase(50, 18, _FAST))),
    ),
    "two restarts": (
        Instance("a:8000", "1.4", (Phase(0, 20, _MIXED),), restarts=(31.1, 56.1)),
        Instance("b:8000", "1.4", (Phase(0, 16, _FAST), Phase(42, 11, _SLOW))),
    ),
    "a release": (
        Instance("c:8000", "1.9", (Phase(0, 24, _FAST), Phase(30, 18, _MIXED)), ends=52),
        Instance("d:8000", "1.9", (Phase(0, 12, _MIXED),), ends=58),
        Instance("e:8000", "2.0", (Phase(52, 20, _SLOW),), begins=50),
        Instance("f:8000", "2.0", (Phase(58, 10, _MIXED),), begins=56),
    ),
    "scrapes that are missing": (
        Instance("a:8000", "1.4", (Phase(0, 16, _FAST),), unseen=(44.2, 56.8)),
        Instance(
            "g:8000",
            "1.5",
            (Phase(0, 17, _SLOW), Phase(28, 11, _MIXED)),
            unseen=(30.2, 36.8),
            restarts=(49.1,),
        ),
    ),
    "one instance with few and slow answers": (
        Instance("a:8000", "1.4", (Phase(0, 45, _FAST),)),
        Instance("b:8000", "1.4", (Phase(0, 2, _SLOW),)),
        Instance("h:8000", "1.5", (Phase(0, 6, _STUCK),)),  # above the highest bucket
    ),
    "no slow answer": (
        Instance("a:8000", "2.1", (Phase(0, 30, _SLOW), Phase(35, 12, _FAST))),
        Instance("b:8000", "2.1", (Phase(0, 5, _FAST), Phase(35, 25, (0.4, 0.7)))),
    ),
    "a version that nobody has asked": (
        Instance("a:8000", "2.1", (Phase(0, 17, _MIXED),)),
        Instance("k:8000", "2.2", ()),
    ),
    "no question at all": (
        Instance("a:8000", "1.4", (Phase(0, 17, _MIXED), Phase(8, 0))),
        Instance("b:8000", "1.5", (Phase(0, 12, _SLOW), Phase(7, 0))),
    ),
}
"""Hours by name. At least one instance is there and scraped at the end of each."""
