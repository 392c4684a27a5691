"""A day of Fernhill to replay: its traffic, what stands behind the service, what goes wrong.

`traffic` makes the requests of a day; `World` is model, documents and order book, which answer by
the real agent on simulated time (`helpers.testbed.simulated`); an `Incident` changes it for some
hours. `helpers.service.testing.replay` sends the day through the real service.
"""

from helpers.testbed.replay.canaries import Canary, canaries
from helpers.testbed.replay.customers import helpful, rating
from helpers.testbed.replay.days import MIDNIGHT, SHAPES, Excerpt, Shape, traffic
from helpers.testbed.replay.incidents import INCIDENTS, KINDS, Incident, Part
from helpers.testbed.replay.model import INVENTED
from helpers.testbed.replay.plan import PlannedDay, days
from helpers.testbed.replay.world import BLOCKED, GUEST, World, customer_of

__all__ = [
    "BLOCKED",
    "GUEST",
    "INCIDENTS",
    "INVENTED",
    "KINDS",
    "MIDNIGHT",
    "SHAPES",
    "Canary",
    "Excerpt",
    "Incident",
    "Part",
    "PlannedDay",
    "Shape",
    "World",
    "canaries",
    "customer_of",
    "days",
    "helpful",
    "rating",
    "traffic",
]
