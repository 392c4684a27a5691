"""What a load test measures of a service."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What a load test measured of one pod, and what has to be carried.

    Attributes:
        memory: MiB that the pod used, once a second under load.
        cpu: thousandths of a core that it used, in each second under load.
        starts: seconds from its start until it was ready, one number for each start.
        per_pod: requests a minute that one pod answers within the time that was promised.
        busiest: requests in the busiest minute.
        longest: seconds that the longest answer takes.
        last_arrival: seconds after the pod was told to end in which a request still reached it.
    """

    memory: list[int]
    cpu: list[int]
    starts: list[float]
    per_pod: int
    busiest: int
    longest: float
    last_arrival: float
