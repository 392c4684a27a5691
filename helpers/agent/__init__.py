"""The support agent: its documents, tools, prompt and memory, and how they are put together."""

from helpers.agent.caller import Caller
from helpers.agent.passages import Passage, Retriever

__all__ = ["Caller", "Passage", "Retriever"]
