"""A day replayed through the real service, on simulated time (module 08).

found = replay(traffic("ordinary", seed=1), incident=INCIDENTS["visible"][0])
with prometheus_with(found.samples, folder) as server:
    server.range("sum(rate(service_problems_total[5m]))", found.start, found.stop, step_s=60)
"""

from helpers.service.testing.agent import Watch
from helpers.service.testing.day import Answered, Instrument, Replayed, replay
from helpers.service.testing.kept import prometheus_of

__all__ = ["Answered", "Instrument", "Replayed", "Watch", "prometheus_of", "replay"]
