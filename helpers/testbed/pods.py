"""Processes for the kubelet of the testbed: services that load, pause, are busy, and hang."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from helpers.testbed.kubelet import Answer

Span = tuple[float, float]
"""From and until, in seconds since the process was started."""


@dataclass
class LoadingService:
    """A service that listens once its model is loaded, with `/livez` and `/readyz`.

    Attributes:
        loads_s: seconds until it listens; inf where loading hangs.
        busy: when `/readyz` answers 503, and `/livez` takes `busy_s`.
        pauses: when nothing is answered until the pause is over.
        hangs_at: from when on nothing is answered, SIGTERM does nothing, and it only listens.
        lone: which requests to `/readyz` get a 503 for no reason, counted from 0.
        busy_s: seconds that `/livez` takes while it is busy.
    """

    loads_s: float = 20.0
    busy: Sequence[Span] = ()
    pauses: Sequence[Span] = ()
    hangs_at: float = math.inf
    lone: frozenset[int] = frozenset()
    busy_s: float = 2.5
    asked: int = field(default=0, init=False)

    def listens(self, at: float) -> bool:
        """Whether the model is loaded."""
        return at >= self.loads_s

    def get(self, path: str, at: float) -> Answer:
        """200, 503, 404 for another path, or nothing in time."""
        if at >= self.hangs_at:
            return Answer(200, math.inf)
        late = max((end - at for begin, end in self.pauses if begin <= at < end), default=0.0)
        is_busy = any(begin <= at < end for begin, end in self.busy)
        if path == "/livez":
            return Answer(200, late + (self.busy_s if is_busy else 0.1))
        if path == "/readyz":
            self.asked += 1
            refused = is_busy or self.asked - 1 in self.lone
            return Answer(503 if refused else 200, late + 0.1)
        return Answer(404, late + 0.1)

    def ends_within(self, at: float) -> float:
        """A second, but for ever where it hangs."""
        return math.inf if at >= self.hangs_at else 1.0
