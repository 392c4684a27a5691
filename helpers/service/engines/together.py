"""All engines of a service, wherever they run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from helpers.service.health import Probe
from helpers.service.metrics import FERNHILL_TOOLS
from helpers.service.turn import AnswerPath, Engine, Turn


class Threads(Protocol):
    """What an agent keeps of its conversations."""

    async def forget(self, thread: str) -> None:
        """Drop what is kept of a thread."""
        ...

    async def rewind(self, turn: Turn) -> str | None:
        """Undo a turn that did not end well; what the thread's next turn resumes from."""
        ...


@dataclass(frozen=True)
class Engines:
    """The engines, and what else the service has to know of them.

    Attributes:
        by_path: who answers on each path.
        agent: what the agent keeps; None where no agent answers.
        priced_as: the model whose price the tokens have, None where there is none.
        probe: why they cannot answer now, None when they can.
        tools: the names of the agent's tools.
        index_built: when the agent's index of the documents was built, by `time.monotonic`; None
            where it is in another process, or there is none.
    """

    by_path: Mapping[AnswerPath, Engine]
    agent: Threads | None
    priced_as: str | None
    probe: Probe
    tools: frozenset[str] = FERNHILL_TOOLS
    index_built: float | None = None
