"""Answers to exercise 10.6: middleware that saves too little, or too much."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from langchain.agents.middleware import AgentMiddleware, hook_config, wrap_model_call
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from helpers.agent import REFUSAL, fernhill_index
from helpers.authoring.answers import right, wrong
from helpers.models import embeddings

ORDER = re.compile(r"FH-?\d", re.IGNORECASE)


def own_words(message: Any) -> str:
    """What a tool has found, without the model."""
    if message.name != "search_documents":
        return str(message.text)
    return str(message.artifact[0].best) if message.artifact else REFUSAL


def after_tools(request: Any, handler: Any) -> Any:
    """The tool's own words; the model chooses the tool."""
    last = request.messages[-1]
    return AIMessage(own_words(last)) if isinstance(last, ToolMessage) else handler(request)


def asked(request: Any) -> str:
    """What the customer asks."""
    return str([one for one in request.messages if isinstance(one, HumanMessage)][-1].text)


def of(function: Callable[..., Any]) -> Any:
    """A submission with one `wrap_model_call`."""
    return lambda retriever, threshold: [
        wrap_model_call(lambda request, handler: function(retriever, threshold, request, handler))
    ]


@wrong("There is no middleware.")
def nothing() -> object:
    return lambda retriever, threshold: []


@wrong("The model is called as ever.", slip="model-writes")
def passes_on() -> object:
    return of(lambda retriever, threshold, request, handler: handler(request))


@wrong("The model may write a few tokens only.")
def fewer_tokens() -> object:
    def short(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        return handler(request.override(model=request.model.model_copy(update={"max_tokens": 12})))

    return of(short)


@wrong("An exact cache in front of a model that writes.")
def cache_alone() -> object:
    def cheaper(retriever: Any, threshold: float) -> Any:
        kept: dict[str, Any] = {}

        @wrap_model_call
        def cached(request: Any, handler: Any) -> Any:
            key = str([(one.type, one.text) for one in request.messages])
            if key not in kept:
                kept[key] = handler(request)
            return kept[key]

        return [cached]

    return cheaper


@wrong("Answers about orders are still written by the model.")
def orders_by_the_model() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        last = request.messages[-1]
        if isinstance(last, ToolMessage) and last.name == "search_documents":
            return AIMessage(own_words(last))
        return handler(request)

    return of(tiers)


@wrong("Everything is refused.")
def refuses() -> object:
    return of(lambda *_: AIMessage(REFUSAL))


@wrong("Everything goes to a person.")
def hands_over() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        if isinstance(request.messages[-1], ToolMessage):
            return AIMessage("A colleague will take over.")
        call = {"name": "hand_over", "args": {"reason": asked(request)}, "id": "1"}
        return AIMessage("", tool_calls=[call])

    return of(tiers)


@wrong("The best sentence is the answer, whatever its score.", slip="answers-all")
def without_threshold() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        if isinstance(request.messages[-1], ToolMessage) or ORDER.search(asked(request)):
            return after_tools(request, handler)
        return AIMessage(retriever.search(asked(request), 1)[0].best)

    return of(tiers)


@wrong("A threshold that is much too high.")
def careful() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        if isinstance(request.messages[-1], ToolMessage) or ORDER.search(asked(request)):
            return after_tools(request, handler)
        [best] = retriever.search(asked(request), 1)
        return AIMessage(best.best if best.score > threshold + 0.35 else REFUSAL)

    return of(tiers)


@wrong("Questions about orders are looked for in the documents.")
def documents_alone() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        [best] = retriever.search(asked(request), 1)
        return AIMessage(best.best if best.score >= threshold else REFUSAL)

    return of(tiers)


@wrong("The whole document is the answer.")
def whole_document() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        last = request.messages[-1]
        if isinstance(last, ToolMessage) and last.artifact and last.name == "search_documents":
            return AIMessage(last.artifact[0].text)
        return after_tools(request, handler)

    return of(tiers)


def cached_by(key: Callable[[Any], Any], *, shared: bool = False) -> Any:
    """A cache of final answers in front of the tool's own words."""
    everywhere: dict[Any, str] = {}

    def cheaper(retriever: Any, threshold: float) -> Any:
        kept = everywhere if shared else {}

        @wrap_model_call
        def cached(request: Any, handler: Any) -> Any:
            last = request.messages[-1]
            if isinstance(last, ToolMessage):
                kept[key(request)] = own_words(last)
            elif key(request) in kept:
                return AIMessage(kept[key(request)])
            return after_tools(request, handler)

        return [cached]

    return cheaper


@wrong("A cache by the text alone: another customer's order is told.", slip="told")
def cached_across_customers() -> object:
    return cached_by(asked)


@wrong("A cache by text and customer: the order's old state is told.", slip="stale")
def cached_orders() -> object:
    def key(request: Any) -> Any:
        return request.runtime.context.customer_id, asked(request)

    return cached_by(key)


@wrong("A cache that all agents share.")
def cached_across_agents() -> object:
    inner = cached_by(lambda request: asked(request), shared=True)
    plain = of(lambda retriever, threshold, request, handler: after_tools(request, handler))

    def cheaper(retriever: Any, threshold: float) -> Any:
        [cached], [simple] = inner(retriever, threshold), plain(retriever, threshold)

        @wrap_model_call
        def either(request: Any, handler: Any) -> Any:
            chosen = simple if ORDER.search(asked(request)) else cached
            return chosen.wrap_model_call(request, handler)

        return [either]

    return cheaper


@wrong("A semantic cache without a guard.", slip="served")
def semantic_cache() -> object:
    def cheaper(retriever: Any, threshold: float) -> Any:
        model, kept = embeddings(), []

        def vector(request: Any) -> Any:
            made = np.array(model.embed_query(asked(request)))
            return made / np.linalg.norm(made)

        @wrap_model_call
        def cached(request: Any, handler: Any) -> Any:
            last = request.messages[-1]
            if ORDER.search(asked(request)):
                return after_tools(request, handler)
            if isinstance(last, ToolMessage):
                kept.append((vector(request), own_words(last)))
                return AIMessage(own_words(last))
            near = max(
                ((float(one @ vector(request)), text) for one, text in kept), default=(0, "")
            )
            return AIMessage(near[1]) if near[0] > 0.75 else handler(request)

        return [cached]

    return cheaper


@wrong("Every order's number means that the order is looked up.")
def always_looks_up() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        found = re.search(r"FH-\d{5}", asked(request), re.IGNORECASE)
        if found and not isinstance(request.messages[-1], ToolMessage):
            call = {"name": "lookup_order", "args": {"order_id": found[0].upper()}, "id": "1"}
            return AIMessage("", tool_calls=[call])
        return after_tools(request, handler)

    return of(tiers)


@wrong("What has no answer in the documents is refused, a wish for a person too.")
def refuses_wishes() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        if isinstance(request.messages[-1], ToolMessage) or ORDER.search(asked(request)):
            return after_tools(request, handler)
        [best] = retriever.search(asked(request), 1)
        return AIMessage(best.best if best.score >= threshold else REFUSAL)

    return of(tiers)


@wrong("It searches the course's index, and not the agent's.")
def own_index() -> object:
    index = fernhill_index()

    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        if not isinstance(request.messages[-1], ToolMessage) and not ORDER.search(asked(request)):
            [best] = index.search(asked(request), 1)
            if best.score >= threshold:
                return AIMessage(best.best)
        return after_tools(request, handler)

    return of(tiers)


@right("The tool's own words, and nothing else.")
def own_words_alone() -> object:
    return of(lambda retriever, threshold, request, handler: after_tools(request, handler))


@right("A class whose before_model ends the turn, with the title in front; a tuple.")
def ends_the_turn() -> object:
    class EndsTheTurn(AgentMiddleware[Any, Any, Any]):
        @hook_config(can_jump_to=["end"])
        def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
            last = state["messages"][-1]
            if not isinstance(last, ToolMessage):
                return None
            title = (
                f"{last.artifact[0].title}: "
                if own_words(last) != last.text and last.artifact
                else ""
            )
            text = (
                f"{title}{own_words(last)}" if last.name == "search_documents" else own_words(last)
            )
            return {"messages": [AIMessage(text)], "jump_to": "end"}

    return lambda retriever, threshold: (EndsTheTurn(),)


@right("An exact cache for answers from documents, in two middlewares.")
def cached_documents() -> object:
    def cheaper(retriever: Any, threshold: float) -> Any:
        kept: dict[str, str] = {}

        @wrap_model_call
        def cached(request: Any, handler: Any) -> Any:
            last = request.messages[-1]
            if isinstance(last, ToolMessage) and last.name == "search_documents" and last.artifact:
                kept[asked(request)] = own_words(last)
            if isinstance(last, HumanMessage) and asked(request) in kept:
                return AIMessage(kept[asked(request)])
            return handler(request)

        return [cached, wrap_model_call(after_tools)]

    return cheaper


@right("Sure hits at once, and the model for nothing but the tool's choice.")
def sure_at_once() -> object:
    def tiers(retriever: Any, threshold: float, request: Any, handler: Any) -> Any:
        if isinstance(request.messages[-1], HumanMessage) and "FH" not in asked(request):
            found = retriever.search(asked(request), k=3)
            if found[0].score > threshold + 0.05:
                return AIMessage(found[0].best)
        return after_tools(request, handler)

    return of(tiers)
