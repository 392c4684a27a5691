"""What a deployment costs in a month: the plans of exercise 11.1."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Plan:
    """What a deployment costs.

    Attributes:
        fixed: US dollars a month.
        request: US dollars of each request after the free ones.
        free: requests a month that cost nothing.
        instance: US dollars of an instance a month.
        capacity: requests a month that an instance carries.
        minimum: instances that run also without any request.
    """

    fixed: Decimal = Decimal(0)
    request: Decimal = Decimal(0)
    free: int = 0
    instance: Decimal = Decimal(0)
    capacity: int = 1_000_000
    minimum: int = 0
