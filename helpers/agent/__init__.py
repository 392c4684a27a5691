"""The support agent: its documents, tools, prompt and memory, and how they are put together."""

from helpers.agent.answerability import THRESHOLD, Curve, answerability_curve
from helpers.agent.build import Agent, build_agent
from helpers.agent.caller import Caller
from helpers.agent.passages import Passage, Retriever
from helpers.agent.prompt import HOSTED, LOCAL, REFUSAL, Style
from helpers.agent.retrieval import DocumentIndex, fernhill_index
from helpers.agent.tools import make_tools

__all__ = [
    "HOSTED",
    "LOCAL",
    "REFUSAL",
    "THRESHOLD",
    "Agent",
    "Caller",
    "Curve",
    "DocumentIndex",
    "Passage",
    "Retriever",
    "Style",
    "answerability_curve",
    "build_agent",
    "fernhill_index",
    "make_tools",
]
