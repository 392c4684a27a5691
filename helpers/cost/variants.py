"""The agents that `course cost` compares, and what each says to each question, kept in a file."""

import hashlib
import inspect
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, Protocol

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage

from helpers.agent import Agent, Caller, Passage, Retriever, build_agent, fernhill_index
from helpers.agent.build import MOST_TOKENS
from helpers.agent.context import this_turn
from helpers.cost.alone import searchable
from helpers.cost.tiers import LOOKUP, SEARCH, TIERS, Tier, Tiers
from helpers.evaluate.runs import Run, read
from helpers.evaluate.stored import Item, Step
from helpers.evaluate.stored_answers import as_item, as_run
from helpers.evaluate.version import AGENT, Version, current_version
from helpers.models import chat_model
from helpers.models.calls import decide
from helpers.models.chat import LocalChatModel
from helpers.shop import Question

SHORT = 24
"""Tokens at most of the variant with shorter answers: a sentence of the documents is about 20."""

_DECIDES = ("alone.py", "outcomes.py", "rule.py", "tiers.py")


Cached = Literal["exact"] | None


@dataclass(frozen=True)
class Variant:
    """One way to answer.

    Attributes:
        name: in tables.
        cached: which answer cache is in front, if any; it is replayed, see `frontier`.
        of: the name under which its answers are kept; a variant with a cache shares those of the
            agent behind it.
        tiers: those that are on; empty for an agent without the middleware.
    """

    name: str
    of: str
    tiers: tuple[Tier, ...] = ()
    cached: Cached = None


REFERENCE = "reference: one passage, the model writes"
CASCADE = "cascade: cache, sentence, tool, model, person"
_BEHIND: tuple[Tier, ...] = ("extract", "tool", "model", "person")


def _without(tier: Tier) -> tuple[Tier, ...]:
    return tuple(one for one in _BEHIND if one != tier)


VARIANTS = (
    Variant("three passages", "three passages"),
    Variant(REFERENCE, "reference"),
    Variant(f"at most {SHORT} tokens", "short"),
    Variant("exact cache, then the model", "reference", cached="exact"),
    Variant("sentence, then the model", "extract+model", ("extract", "model")),
    Variant("sentence, then a person", "extract+person", ("extract", "person")),
    Variant(CASCADE, "cascade", _BEHIND, cached="exact"),
    Variant("the cascade without the model", "cascade-model", _without("model"), cached="exact"),
)


def without(tier: Tier) -> Variant:
    """The cascade with one tier left out."""
    if tier == "cache":
        return Variant(f"without {tier}", "cascade", _BEHIND)
    return Variant(f"without {tier}", f"cascade-{tier}", _without(tier), cached="exact")


LEFT_OUT = {tier: without(tier) for tier in TIERS}


class Several:
    """A retriever whose first passage holds the best sentences of the `count` best documents."""

    def __init__(self, retriever: Retriever, count: int) -> None:
        """`retriever` finds them."""
        self._retriever, self._count = retriever, count

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """See `Retriever`."""
        found = self._retriever.search(query, max(k, self._count))
        more = [f"{one.title}: {' '.join(one.sentences)}" for one in found[1 : self._count]]
        first = [replace(one, sentences=(*one.sentences, *more)) for one in found[:1]]
        return [*first, *found[1:k]]


def agent_of(variant: Variant, said: Mapping[str, Run] | None = None) -> Agent:
    """The agent of a variant.

    `said` are the reference's runs by the words of the question, which the local model would repeat
    behind the tiers (see `Repeats`).
    """
    if variant.of == "short":
        return build_agent(model=chat_model(max_tokens=SHORT, cache=_said()))
    model = chat_model(max_tokens=MOST_TOKENS, cache=_said())
    if variant.of == "three passages":
        return build_agent(model=model, retriever=Several(fernhill_index(), 3))
    middleware: list[AgentMiddleware[Any, Caller, Any]] = []
    if variant.tiers:
        middleware.append(Tiers(use=variant.tiers))
        if said and isinstance(model, LocalChatModel):
            middleware.append(Repeats(said))
    return build_agent(model=model, middleware=middleware)


class Repeats(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Writes what the reference wrote to the same question, behind the tiers.

    The tiers answer, or leave the conversation as it is, so the model would be given what it was
    given before, and the local model repeats itself to the letter. Tools are chosen by the model
    itself, which reads and writes no token for it.
    """

    def __init__(self, said: Mapping[str, Run]) -> None:
        """`said` are the reference's runs by the words of the question."""
        super().__init__()
        self._said = said

    def wrap_model_call(
        self,
        request: ModelRequest[Caller],
        handler: Callable[[ModelRequest[Caller]], ModelResponse[Any]],
    ) -> ModelResponse[Any] | AIMessage:
        """The kept answer, where the model would write one."""
        bound: Any = request.model.bind_tools(request.tools)
        if decide(request.messages, bound.kwargs["tools"], request.tool_choice) is not None:
            return handler(request)
        run = self._said[this_turn(request.messages)[0].text]
        return AIMessage(run.answer, usage_metadata=run.usage)


@cache
def _said() -> InMemoryCache:
    """What the model has said to each prompt: the variants share prompts, and each is paid once.

    LangChain repeats the tokens of a remembered call, which is what is wanted here: each variant
    counts what it would have read and written alone.
    """
    return InMemoryCache()


@dataclass(frozen=True)
class Answered:
    """What a variant makes of one wording: the run, and the tier that answered."""

    run: Run
    tier: Tier
    looked: bool = False  # whether the documents were searched before a tool was chosen

    @property
    def embedded(self) -> int:
        """Texts that were embedded for it: for the tool choice, each search, each order.

        A sentence that is given before a tool is chosen costs one search. Where the sentence was
        not enough, that search is counted too.
        """
        tools = [call.name for call in self.run.calls]
        if not tools and self.tier == "extract":
            return 1
        return self.looked + 1 + tools.count(SEARCH) + tools.count(LOOKUP)


def key_of(question: Question) -> str:
    """A wording's key in the kept file: the intent and its words."""
    return f"{question.id}-{hashlib.sha256(question.question.encode()).hexdigest()[:8]}"


def ask(agent: Agent, question: Question) -> Item:
    """Ask one wording in a conversation of its own, and note the tier that answered.

    Raises what the agent raises: a variant is compared on all questions or not at all.
    """
    cpu, wall = time.process_time(), time.perf_counter()
    state = agent.invoke(
        {"messages": [("user", question.question)]},
        config={"configurable": {"thread_id": f"{key_of(question)}-{time.monotonic_ns()}"}},
        context=Caller(question.customer),
    )
    run = read(
        question.id,
        state["messages"],
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.perf_counter() - wall,
    )
    item = as_item(run)
    tier = state["messages"][-1].response_metadata.get("tier", "model")
    return Item({**item.content, "tier": tier}, item.cpu_seconds, item.wall_seconds)


class Progress(Protocol):
    """May show a bar over the wordings that are asked."""

    def __call__(self, keys: Iterable[str], name: str) -> Iterable[str]:
        """The same keys; `name` says of which variant."""


def _silent(keys: Iterable[str], name: str) -> Iterable[str]:
    return keys


def answers(
    part: str,
    variants: Iterable[Variant],
    asked: Sequence[Question],
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, Answered]]:
    """What each variant makes of each wording, by `Variant.of` and `key_of`.

    The reference is asked first: with the local model, those with tiers repeat what it wrote (see
    `Repeats`). Kept in `.course/runs`, for this version of the agent and the tiers: as
    `10-cost-PART`, and as `10-cost-PART-tiers` for those with the middleware. What was interrupted
    goes on where it stopped.
    """
    by_key = {key_of(question): question for question in asked}
    wanted = {variant.of: variant for variant in variants}
    order = sorted(wanted.values(), key=lambda one: (one.of != "reference", not one.tiers))
    steps = {
        tiered: Step(
            f"10-cost-{part}{'-tiers' if tiered else ''}",
            version=version(by_key, tiered=tiered),
            say=say,
        )
        for tiered in (False, True)
    }
    lasts = {bool(variant.tiers): variant for variant in order}
    found: dict[str, dict[str, Answered]] = {}
    said: dict[str, Run] = {}
    for variant in order:
        items = steps[bool(variant.tiers)].answers(
            list(by_key),
            _Asking(variant, by_key, said),
            section=variant.of,
            last=variant in lasts.values(),
            progress=partial(progress or _silent, name=variant.of),
        )
        found[variant.of] = {
            key: Answered(
                as_run(by_key[key], item),
                item.content["tier"],
                looked="extract" in variant.tiers and searchable(by_key[key].question),
            )
            for key, item in zip(by_key, items, strict=True)
        }
        if variant.of == "reference":
            said = {by_key[key].question: one.run for key, one in found["reference"].items()}
    return found


class _Asking:
    """Asks a variant's agent, which is built for the first question that is not kept."""

    def __init__(
        self,
        variant: Variant,
        by_key: Mapping[str, Question],
        said: Mapping[str, Run],
    ) -> None:
        self._variant, self._by_key, self._said = variant, by_key, said
        self._agent: Agent | None = None

    def __call__(self, key: str) -> Item:
        self._agent = self._agent or agent_of(self._variant, self._said)
        return ask(self._agent, self._by_key[key])


def version(asked: Mapping[str, Question], *, tiered: bool) -> Version:
    """What the kept answers depend on: the agent, the questions and, where on, the tiers."""
    here = Path(__file__).parent
    built = inspect.getsource(Several) + inspect.getsource(agent_of)
    tiers = [(here / name).read_text(encoding="utf-8") for name in _DECIDES if tiered]
    whole = json.dumps([sorted(asked), built, SHORT, *tiers])
    return Version({
        **current_version().only(AGENT).parts,
        "tiers": hashlib.sha256(whole.encode()).hexdigest(),
    })  # fmt: skip
