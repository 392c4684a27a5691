"""Cheaper ways to answer in front of the model, as one middleware of the agent.

    build_agent(middleware=[Tiers()])

Before the model's first call of a turn: the cache, then the nearest sentence of the best document
where the rule says that it is an answer (`helpers.cost.rule`). Otherwise the model chooses a tool,
which the local model does by a classifier, without a token. When all tools have answered: the
words of the tools themselves, instead of the model's restatement; else the model writes, or a
person gets the question, as the rule says.

Actions always go through the agent: a refund or a hand-over that was asked for is never answered
from a cache or a document, and what it brought about is told by the model. What a tool refuses is
told in the tool's words, as the agent does.

Each answer says in `response_metadata["tier"]` where it comes from. One that no model wrote
reports 0 tokens, since its cost is known.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from helpers.agent import Caller, Passage, Retriever, fernhill_index
from helpers.agent.context import question as asked_now
from helpers.agent.context import this_turn
from helpers.cost.alone import searchable, stands_alone
from helpers.cost.caches import PersonalAnswer
from helpers.cost.outcomes import HANDED_OVER
from helpers.cost.rule import FROZEN, Rule
from helpers.evaluate.groundedness import THRESHOLD, groundedness
from helpers.evaluate.version import AGENT, current_version
from helpers.models.calls import decide
from helpers.models.chat import LocalChatModel
from helpers.models.errors import ContextOverflow

Tier = Literal["cache", "extract", "tool", "model", "person"]
TIERS: tuple[Tier, ...] = get_args(Tier)

SEARCH, LOOKUP, REFUND, HAND_OVER = (
    *("search_documents", "lookup_order"),
    *("issue_refund", "hand_over"),
)

Request = ModelRequest[Caller]
Response = ModelResponse[Any]


class Answers(Protocol):
    """What the tiers need of a cache; `helpers.cost.caches.AnswerCache` is one."""

    def get(self, question: str, *, customer: str | None, version: str) -> Any:
        """A hit, whose `answer` is the words; None for a miss."""

    def put(
        self, question: str, answer: str, *, customer: str | None, version: str, checked: bool
    ) -> None:
        """Keep an answer; one that is not checked is not kept."""


@dataclass(frozen=True)
class Told:
    """Words that need no model, and the tier that they come from."""

    tier: Tier
    words: str


class Tiers(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Answers without the model where a cheaper tier can; see the module."""

    def __init__(
        self,
        *,
        use: Collection[Tier] = TIERS,
        rule: Rule = FROZEN,
        cache: Answers | None = None,
        retriever: Retriever | None = None,
        version: str | None = None,
    ) -> None:
        """Choose the tiers.

        Args:
            use: the tiers that are on. Without "model", a person gets what would have reached it,
                except actions; without "person", the model answers, or refuses, as ever.
            rule: which search results are answers as they stand.
            cache: for the tier "cache", which is off without one.
            retriever: what is searched before the model's first call (`fernhill_index()`).
            version: of what the cached answers come from (the agent's as it stands now): answers
                of another version are not served.

        Raises:
            ValueError: a tier that does not exist, or neither "model" nor "person".
        """
        super().__init__()
        if unknown := set(use) - set(TIERS):
            raise ValueError(f"There is no tier {', '.join(sorted(unknown))}: choose of {TIERS}.")
        if not {"model", "person"} & set(use):
            raise ValueError('Somebody has to answer the rest: use "model", "person" or both.')
        self._use = frozenset(use)
        self._rule = rule
        self._cache = cache if "cache" in self._use else None
        self._retriever = retriever
        self._version = version

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], Response]
    ) -> Response | AIMessage:
        """Answer without the model, or let it go on."""
        found = self._without_model(request)
        return found if found is not None else self._from_model(request, handler(request))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response | AIMessage:
        """Answer without the model, or let it go on; what computes does so in a thread."""
        found = await asyncio.to_thread(self._without_model, request)
        if found is not None:
            return found
        response = await handler(request)
        return await asyncio.to_thread(self._from_model, request, response)

    def _without_model(self, request: Request) -> AIMessage | None:
        turn = this_turn(request.messages)
        if not turn or not isinstance(turn[0], HumanMessage):
            return None
        if len(turn) == 1:
            told = self._before_tools(request.messages)
        elif self._handed_over(turn):
            told = Told("person", HANDED_OVER)
        elif isinstance(turn[-1], ToolMessage) and not _wants_more(request):
            told = self._after_tools(request.messages)
        else:
            told = None
        if told is None:
            return None
        if told.tier == "person" and not _results(turn, HAND_OVER) and _offers(request, HAND_OVER):
            return _hand_over_call(turn[0].text)
        if told.tier != "cache":
            self._keep(request.messages, told)
        return answer(told)

    def _before_tools(self, messages: Sequence[AnyMessage]) -> Told | None:
        """An answer from the cache or the documents, before a tool is chosen."""
        asked = messages[-1].text.strip()
        if not asked or not searchable(asked) or not stands_alone(messages):
            return None
        if self._cache is not None:
            hit = self._cache.get(asked, customer=None, version=self._version_now())
            if hit is not None:
                return Told("cache", hit.answer)
        if "extract" not in self._use:
            return None
        try:
            found = self._index().search(asked, 2)
        except ContextOverflow:
            return None  # the search tool asks for fewer words
        if self._rule.next_step(asked, found) != "extract":
            return None
        return Told("extract", found[0].best)

    def _after_tools(self, messages: Sequence[AnyMessage]) -> Told | None:
        """The words of the tools, or a person; None where the model writes."""
        turn = this_turn(messages)
        results = _results(turn)
        asked = asked_now(messages)
        words: list[str] = []
        for result in results:
            if result.name in {REFUND, HAND_OVER} and result.status != "error":
                return None  # something was done: the agent tells it
            if result.name == SEARCH and result.status != "error":
                step = self._rule.next_step(asked, _passages(result))
                if step == "extract" and "extract" in self._use:
                    words.append(_passages(result)[0].best)
                elif (step == "person" or "model" not in self._use) and "person" in self._use:
                    return Told("person", HANDED_OVER)
                else:
                    return None
            elif "tool" in self._use or result.status == "error":
                words.append(result.text)
            else:
                return None
        alone = all(result.name == SEARCH and result.status != "error" for result in results)
        return Told("extract" if alone else "tool", "\n".join(dict.fromkeys(words)))

    def _from_model(self, request: Request, response: Response) -> Response:
        """The model's answer, marked as such, and kept where it is grounded."""
        message = response.result[-1]
        if not isinstance(message, AIMessage) or message.tool_calls:
            return response
        told = Told("model", message.text)
        self._keep(request.messages, told)
        marked = message.model_copy(
            update={"response_metadata": {**message.response_metadata, "tier": "model"}}
        )
        return ModelResponse(
            result=[*response.result[:-1], marked],
            structured_response=response.structured_response,
        )

    def _keep(self, messages: Sequence[AnyMessage], told: Told) -> None:
        turn = this_turn(messages)
        asked = turn[0].text.strip()
        if self._cache is None or not searchable(asked) or not stands_alone(messages):
            return
        results = _results(turn)
        read = [result.text for result in results if result.artifact]
        tools = [str(result.name) for result in results]
        keep(self._cache, told, asked, tools, read, version=self._version_now())

    def _handed_over(self, turn: Sequence[AnyMessage]) -> bool:
        """Whether it was this middleware that handed this turn over."""
        return isinstance(turn[-1], ToolMessage) and any(
            isinstance(m, AIMessage) and m.tool_calls and m.response_metadata.get("tier")
            for m in turn
        )

    def _index(self) -> Retriever:
        if self._retriever is None:
            self._retriever = fernhill_index()
        return self._retriever

    def _version_now(self) -> str:
        if self._version is None:
            self._version = current_version().only(AGENT).digest
        return self._version


def keep(
    cache: Answers,
    told: Told,
    question: str,
    tools: Sequence[str],
    read: Sequence[str],
    *,
    version: str,
) -> None:
    """Put an answer into a cache for all customers, where it may be kept; see `may_be_kept`."""
    if not may_be_kept(told, question, tools, read):
        return
    try:
        cache.put(question, told.words, customer=None, version=version, checked=True)
    except PersonalAnswer:
        return  # it names a person or an order: the customer is answered, and nothing is kept


def may_be_kept(told: Told, question: str, tools: Sequence[str], read: Sequence[str]) -> bool:
    """Whether an answer may be served to other customers: it comes from documents, and is checked.

    Args:
        told: the answer.
        question: what was asked.
        tools: the names of the tools that the turn called. One that is not the search has read or
            changed a customer's data.
        read: what the search gave the model to read.

    A sentence of the documents is checked by the rule. What the model wrote is checked against
    what it read: enough of its words, and no number or name that is not there.
    """
    if any(name != SEARCH for name in tools) or not told.words.strip():
        return False
    if told.tier == "extract":
        return True
    if told.tier != "model" or not read:
        return False
    judged = groundedness(told.words, "\n".join(read), question)
    return judged is not None and judged.overlap >= THRESHOLD and not judged.mismatch


def _wants_more(request: Request) -> bool:
    """Whether the model would call another tool.

    The local model decides that without reading or writing a token. Any other would have to read
    the whole conversation for it, so one tool is taken to be enough where one thing was asked.
    """
    model = request.model
    if isinstance(model, LocalChatModel):
        bound: Any = model.bind_tools(request.tools)
        return decide(request.messages, bound.kwargs["tools"], request.tool_choice) is not None
    turn = this_turn(request.messages)
    single = not any(word in turn[0].text.casefold().split() for word in ("and", "then", "also"))
    return not (single and len(_results(turn)) == 1)


def _results(turn: Sequence[AnyMessage], name: str | None = None) -> list[ToolMessage]:
    results = [message for message in turn if isinstance(message, ToolMessage)]
    return [result for result in results if name is None or result.name == name]


def _passages(result: ToolMessage) -> list[Passage]:
    found = result.artifact if isinstance(result.artifact, (list, tuple)) else ()
    return [passage for passage in found if isinstance(passage, Passage)]


def _offers(request: Request, name: str) -> bool:
    return any(getattr(tool, "name", None) == name for tool in request.tools)


def answer(told: Told) -> AIMessage:
    """Words that no model wrote as a message: marked with their tier, of 0 tokens."""
    return AIMessage(told.words, usage_metadata=_no_tokens(), response_metadata={"tier": told.tier})


def _hand_over_call(question: str) -> AIMessage:
    """The call of the agent's tool that opens a ticket, so that controls on tools see it too."""
    call = {"name": HAND_OVER, "args": {"reason": question[:500]}, "id": f"tiers-{uuid.uuid4()}"}
    return AIMessage(
        "",
        tool_calls=[call],
        usage_metadata=_no_tokens(),
        response_metadata={"tier": "person"},
    )


def _no_tokens() -> UsageMetadata:
    return UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
