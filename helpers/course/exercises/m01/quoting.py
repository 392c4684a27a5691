"""What a wrapper around a model does, for exercise 01.6: called by itself, and in an agent."""

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller, Retriever, build_agent
from helpers.course.exercises.m01.middleware import needs_middleware
from helpers.course.exercises.m01.retrievers import BOOTS, OnePassage, index
from helpers.course.todo import TODO
from helpers.evaluate import run, score
from helpers.models import chat_model
from helpers.shop import Question, open_orders
from helpers.testbed import ScriptedModel
from helpers.testbed.replies import Reply
from helpers.testbed.styles import FRIENDLY

Quote = AgentMiddleware[Any, Any, Any]

# --- the wrapper by itself ------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What a tool returned: its text, and what else there is.

    `kind` is "order" or "passages" (the artifact), "plain" (a tool without an artifact), "blocks"
    (its content is a list of blocks, as MCP servers send it), "refused", "nothing" (a search that
    found nothing), or one of `EMPTY_ARTIFACTS` (a tool whose artifact is another empty object).
    """

    text: str
    kind: str = "plain"


_EMPTY: tuple[Any, ...] = ({}, (), "", 0, False)
EMPTY_ARTIFACTS: dict[str, Any] = {f"artifact {value!r}": value for value in _EMPTY}
"""Artifacts that are false, and yet no empty list: their texts count."""


@dataclass(frozen=True)
class Said:
    """What the model says: words, the tools that it calls, and words before that, if any."""

    words: str
    tools: tuple[str, ...] = ()
    before: str = ""


Turn = Sequence[Sequence[Result]]
"""The results of one turn, message by message: after the customer has spoken, or after another
call."""


def answered(quote: Quote, turns: Sequence[Turn], said: Said) -> dict[str, Any]:
    """What the customer reads after these turns, and the tools that are called next.

    Other keys say what is wrong beyond that: how often the model was asked, what was changed.
    """
    needs_middleware(quote)
    messages: list[AnyMessage] = []
    for place, turn in enumerate(turns):
        messages += [AIMessage("That is all.")] if messages else []
        messages += _messages(turn, place)
    runtime: Any = SimpleNamespace(context=Caller("C-0029"))
    request: ModelRequest[Any] = ModelRequest(
        model=ScriptedModel(then="Never asked."),
        messages=list(messages),
        system_prompt="You are friendly.",
        state={"messages": list(messages)},
        runtime=runtime,
    )
    before = _whole(request)
    reply, asked = _reply(said), list[Any]()
    unchanged = reply.model_copy(deep=True)

    def handler(handed: ModelRequest[Any]) -> ModelResponse[Any]:
        asked.append(_whole(handed))  # now: it may be put back afterwards
        first: list[BaseMessage] = [AIMessage(said.before)] if said.before else []
        return ModelResponse(result=[*first, reply])

    returned: Any = quote.wrap_model_call(request, handler)
    if returned is TODO:
        raise TODO
    last = returned.result[-1] if isinstance(returned, ModelResponse) else returned
    if not isinstance(last, AIMessage):
        return {"returned": type(last).__name__}
    seen = {"answer": str(last.text), "calls": [call["name"] for call in last.tool_calls]}
    if len(asked) != 1:
        return {**seen, "model asked": len(asked)}
    if asked[0] != before:
        return {**seen, "model asked": "with another request"}
    if _whole(request) != before:
        return {**seen, "messages": "changed"}
    passes = bool(said.tools) or all(r.kind == "nothing" for step in turns[-1] for r in step)
    if passes and last.model_dump() != unchanged.model_dump():
        return {**seen, "reply": "changed"}
    return seen


def _whole(request: ModelRequest[Any]) -> dict[str, Any]:
    """All that a request holds at this moment; later changes do not show in it."""
    held = {name: copy.copy(getattr(request, name)) for name in _HELD}
    held["system"] = request.system_message and request.system_message.model_dump()
    held["messages"] = [message.model_dump() for message in request.messages]
    held["state"] = [message.model_dump() for message in request.state["messages"]]
    return held


_HELD = ("model", "tools", "tool_choice", "response_format", "model_settings", "runtime")


def _messages(turn: Turn, place: int) -> list[AnyMessage]:
    made: list[AnyMessage] = [HumanMessage("And what about this?")]
    for step, results in enumerate(turn):
        ids = [f"call_{place}_{step}_{n}" for n in range(len(results))]
        calls = [{"name": _tool(r), "args": {}, "id": i} for r, i in zip(results, ids, strict=True)]
        made.append(AIMessage("Let me see.", tool_calls=calls))
        made += [_result(result, at) for result, at in zip(results, ids, strict=True)]
    return made


def _tool(result: Result) -> str:
    tools = {"order": "lookup_order", "refused": "lookup_order", "plain": "my_orders"}
    return tools.get(result.kind, "search_documents")


def _result(result: Result, call_id: str) -> ToolMessage:
    artifacts: dict[str, Any] = {
        "order": _order(),
        "passages": [BOOTS],
        "blocks": [BOOTS],
        "nothing": [],
    }
    artifacts |= copy.deepcopy(EMPTY_ARTIFACTS)
    blocks: list[str | dict[Any, Any]] = [{"type": "text", "text": result.text}]
    return ToolMessage(
        blocks if result.kind == "blocks" else result.text,
        tool_call_id=call_id,
        name=_tool(result),
        status="error" if result.kind == "refused" else "success",
        artifact=artifacts.get(result.kind),
    )


@cache
def _order() -> object:
    return open_orders().all_orders()[0]


def _reply(said: Said) -> AIMessage:
    calls = [{"name": name, "args": {}, "id": f"next_{n}"} for n, name in enumerate(said.tools)]
    usage: Any = {"input_tokens": 90, "output_tokens": 7, "total_tokens": 97}
    return AIMessage(said.words, tool_calls=calls, usage_metadata=usage)


# --- in an agent ----------------------------------------------------------------------------------


def spoken(
    quote: Quote, turns: Sequence[Sequence[Reply]], retriever: Retriever
) -> tuple[list[str], str]:
    """The tools that were called in a conversation, and what the customer reads at its end.

    Each turn is what the model says after the customer has spoken; the last of it has no call.
    """
    agent = build_agent(
        model=ScriptedModel(replies=[reply for turn in turns for reply in turn], then="Done."),
        retriever=retriever,
        threshold=0.0,
        middleware=[quote],
    )
    config = RunnableConfig(configurable={"thread_id": "chat-1"})
    messages: list[BaseMessage] = []
    for _ in turns:
        asked = HumanMessage("Tell me.")
        messages = agent.invoke({"messages": [asked]}, config, context=Caller("C-0029"))["messages"]
    return [str(m.name) for m in messages if isinstance(m, ToolMessage)], messages[-1].text


def spoken_at_once(
    quote: Quote, turns: Sequence[Sequence[Reply]], found: Sequence[str]
) -> list[str]:
    """The same answers to as many customers at the same time, whose searches find these texts."""

    def one(text: str) -> str:
        passage = replace(BOOTS, sentences=(text,), best=text)
        return spoken(quote, turns, OnePassage(passage))[1]

    with ThreadPoolExecutor(len(found)) as pool:
        return list(pool.map(one, found))


@cache
def _answers() -> InMemoryCache:
    """What the model has said: the same prompt needs no second answer, at temperature 0."""
    return InMemoryCache()


def right_answers(quote: Quote, asked: Sequence[Question]) -> list[bool]:
    """Whether each question is answered rightly by the friendly agent with this around its model.

    The model writes 16 tokens at most: words that are replaced need not be finished.
    """
    agent = build_agent(
        model=chat_model(max_tokens=16, cache=_answers()),
        style=FRIENDLY,
        retriever=index(),
        middleware=[quote],
    )
    scores = [score(question, run(agent, [question])[0]) for question in asked]
    return [bool(one.answer and one.answer.right) for one in scores]
