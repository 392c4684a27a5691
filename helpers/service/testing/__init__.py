"""A day replayed through the real service, on simulated time (module 08).

    found = replay(traffic("ordinary", seed=1), incident=INCIDENTS["visible"][0])
    with prometheus_with(found.samples, folder) as server:
        server.range("sum(rate(service_problems_total[5m]))", found.start, found.stop, step_s=60)

    for day in days("visible"):
        with prometheus_of(day) as server:
            server.range("sum(rate(service_problems_total[5m]))", day.start, day.stop, step_s=60)

`prometheus_of` replays a day once and keeps it in `.course/replays`, where `database_of` finds it.
"""

from helpers.service.testing.agent import Watch
from helpers.service.testing.day import Answered, Day, Instrument, Replayed, replay
from helpers.service.testing.kept import database_of, prometheus_of

__all__ = [
    "Answered",
    "Day",
    "Instrument",
    "Replayed",
    "Watch",
    "database_of",
    "prometheus_of",
    "replay",
]
