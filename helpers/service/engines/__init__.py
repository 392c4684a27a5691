"""Whoever answers: the agent, a model by LangChain, a model by HTTP alone."""

from helpers.service.engines.agent import AgentEngine
from helpers.service.engines.model import ModelEngine
from helpers.service.engines.passthrough import PassthroughEngine
from helpers.service.engines.together import Engines, Threads

__all__ = ["AgentEngine", "Engines", "ModelEngine", "PassthroughEngine", "Threads"]
