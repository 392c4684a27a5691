"""A tracing service of a lab's own, and days of traces with something wrong in them.

    from helpers.tracing.testing import fresh, lab_client, planted_day, runs_of

    client = lab_client()                 # LangSmith's client, of a service that starts here
    day = planted_day(client, seed=9)     # 200 requests; `day.project` is where they are
    runs_of(client, day.project, is_root=True)

Small projects, made for one rule each, are written with `write`:

    project = fresh("two")
    write(client, project, [Request(tokens=(180, 30), tools=[Call("stock", 0.2)]), Request()])

Nothing of it reaches the course's own traces or LangSmith, whatever `COURSE_TRACING` says.
"""

from helpers.tracing.testing.day import KEYS, REQUESTS, Complaint, Day, planted_day
from helpers.tracing.testing.lab import fresh, lab_client, lab_service, runs_of
from helpers.tracing.testing.requests import UNPRICED, Call, Feedback, Request, write

__all__ = [
    "KEYS",
    "REQUESTS",
    "UNPRICED",
    "Call",
    "Complaint",
    "Day",
    "Feedback",
    "Request",
    "fresh",
    "lab_client",
    "lab_service",
    "planted_day",
    "runs_of",
    "write",
]
