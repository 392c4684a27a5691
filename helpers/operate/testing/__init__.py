"""What module 11's notebooks and exercises try things on.

`simulate` sends a stopping rule through many canaries, `incidents` are hours of replayed days to
diagnose; `plans` are deployments to compare, `langgraph` a LangGraph server whose answers are
stored, `drill` a shift on the real service.
"""

from helpers.operate.testing.canary import simulate
from helpers.operate.testing.diagnosis import Hours, incidents

__all__ = ["Hours", "incidents", "simulate"]
