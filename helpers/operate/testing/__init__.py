"""What module 11's lab is tried on: a simulated canary, and incidents with metrics and runs.

`simulate` sends a stopping rule through many canaries; `incidents` are hours of replayed days.
"""

from helpers.operate.testing.canary import simulate
from helpers.operate.testing.diagnosis import Hours, incidents

__all__ = ["Hours", "incidents", "simulate"]
