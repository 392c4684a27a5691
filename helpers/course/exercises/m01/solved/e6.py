# Written by `course build` from solutions/src/01_build_an_agent.py: change it there.
from langchain.messages import AIMessage
# The exercise's own cell.
from collections.abc import Callable

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain.messages import HumanMessage, ToolMessage


def quote(
    request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse]
) -> ModelResponse | AIMessage:
    """The model's reply, its words replaced by what the tools of this turn have said."""
    response = handler(request)
    reply = response.result[-1]
    last = max(i for i, m in enumerate(request.messages) if isinstance(m, HumanMessage))
    results = [m for m in request.messages[last:] if isinstance(m, ToolMessage)]
    texts = [m.text for m in results if m.artifact != []]
    if reply.tool_calls or not texts:
        return response
    return reply.model_copy(update={"content": " ".join(texts)})
ANSWER = quote
