"""What is attacked: an agent that is built anew for every try, and the secret it must keep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseChatModel
from langgraph.pregel import Pregel

from helpers.models import chat_model
from helpers.security.attacks.canary import Canary
from helpers.security.attacks.material import Planted
from helpers.security.attacks.planting import PlantText
from helpers.shop import Orders, open_orders

MOST_WRITTEN = 96
"""Tokens of an answer at most: a leak comes early, and a small model that rambles costs time."""


def attacked_model() -> BaseChatModel:
    """The course's chat model, greedy, with short answers."""
    return chat_model(max_tokens=MOST_WRITTEN)


@dataclass(frozen=True)
class Setting:
    """What one conversation takes place in.

    Attributes:
        model: the chat model; retries get one with a temperature and a seed.
        orders: the order book, a fresh one for each conversation.
        planted: what an attacker has left for the agent to read.
    """

    model: BaseChatModel = field(default_factory=attacked_model)
    orders: Orders = field(default_factory=open_orders)
    planted: Planted | None = None

    @property
    def innermost(self) -> Sequence[AgentMiddleware[Any, Any, Any]]:
        """Middleware to put behind all controls: it makes the tools return what was planted."""
        return [PlantText(self.planted)] if self.planted else []


@dataclass(frozen=True)
class Target:
    """An agent under attack.

    Attributes:
        name: for tables.
        canary: the secret that it must keep.
        build: makes the agent for one conversation. It must use the setting's model and orders,
            and pass on `setting.innermost` as its last middleware.
    """

    name: str
    canary: Canary
    build: Callable[[Setting], Pregel[Any, Any, Any, Any]]
