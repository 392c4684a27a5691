"""Whether the service can answer now, asked of the parts that it needs."""

import time
from collections.abc import Awaitable, Callable, Mapping

Probe = Callable[[], Awaitable[str | None]]
"""None when all is well, else the reason in a sentence."""

_FRESH_SECONDS = 1.0


class Health:
    """The reasons why the service is not ready, by part.

    The answer is kept for a second: probes that come often must not become load of their own.
    """

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        """`probes` by the name of the part that each asks about."""
        self._probes = probes
        self._asked = -_FRESH_SECONDS
        self._found: dict[str, str] = {}
        self.stopping = False

    async def reasons(self) -> dict[str, str]:
        """Why not, by part; empty when ready."""
        if self.stopping:
            return {"service": "It is stopping."}
        now = time.monotonic()
        if now - self._asked >= _FRESH_SECONDS:
            self._asked = now
            found = {name: await probe() for name, probe in self._probes.items()}
            self._found = {name: reason for name, reason in found.items() if reason}
        return self._found
