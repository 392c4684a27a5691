# Written by `course build` from solutions/src/10_cut_the_cost.py: change it there.
# The exercise's own cell.
import re

from langchain.agents.middleware import AgentMiddleware, wrap_model_call
from langchain_core.messages import AIMessage, ToolMessage

from helpers.agent import REFUSAL, Retriever


def cheaper(retriever: Retriever, threshold: float) -> list[AgentMiddleware]:
    """Middleware that answers without the model where that is good enough."""

    @wrap_model_call
    def tiers(request, handler):
        last = request.messages[-1]
        if isinstance(last, ToolMessage):
            if last.name != "search_documents":
                return AIMessage(last.text)
            return AIMessage(last.artifact[0].best if last.artifact else REFUSAL)

        about_an_order = re.search(r"FH-?\d", last.text, re.IGNORECASE)
        if not about_an_order:
            found = retriever.search(last.text, 1)
            if found and found[0].score >= threshold:
                return AIMessage(found[0].best)
        return handler(request)  # chooses a tool, which costs next to nothing

    return [tiers]
ANSWER = cheaper
