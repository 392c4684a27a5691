"""The parts of a running service, made once when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpers.service.budget import Budgets
from helpers.service.conversations import Conversations
from helpers.service.engines import Threads
from helpers.service.gate import Gate
from helpers.service.health import Health
from helpers.service.limits import RateLimit
from helpers.service.metrics import Metrics
from helpers.service.requests import KnownRequests
from helpers.service.settings import Settings
from helpers.service.turn import AnswerPath, Engine


@dataclass(frozen=True)
class Parts:
    """All that a request needs; see each part's own module.

    `models` are the names by which `/v1/chat/completions` offers the engines, `priced_as` the model
    whose price the tokens have, None where there is none.
    """

    settings: Settings
    engines: Mapping[AnswerPath, Engine]
    agent: Threads | None
    priced_as: str | None
    rate: RateLimit
    budgets: Budgets
    gate: Gate
    conversations: Conversations
    requests: KnownRequests
    health: Health
    metrics: Metrics
    log: Any
