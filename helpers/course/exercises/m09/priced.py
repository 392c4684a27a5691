"""A shop with a model that counts its calls, and pipelines traced on its day: for exercise 09.6.

The answers of its model come from a secret, another one for each shop, so that nothing but a call
of the model gives them; and each call is counted in the model itself, whichever way it is made.
"""

import contextlib
import hashlib
import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from typing import Any, Final

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from helpers.agent.passages import Passage, Retriever
from helpers.models import prices

Answer = Callable[[str], str]
MakePipeline = Callable[[Retriever, BaseChatModel, float], Answer]

MOST_SHARE: Final = 0.25
"""Of the given pipeline's cost, 0 to 1."""

_MODEL: Final = "local"
_WORDS: Final = (
    *("tent", "rope", "stove", "lamp", "map", "boot", "wool", "flask", "pole", "ridge", "river"),
    *("storm", "frost", "trail", "camp", "summit", "valley", "harbour", "meadow", "pebble"),
)
_ASKED_WORDS, _FOUND_WORDS, _DOCUMENT_WORDS = 60, 30, 200
_SAID_WORDS: Final = 25
_OTHER_WORDS: Final = 50
_LAST_BYTES: Final = 40
_OTHER: Final = "Say this in other words: "
NO_OPTIONS: Final[Mapping[str, Any]] = {}


class _Counting(BaseChatModel):
    """A chat model that LangChain traces; what it says is worked out, and counted, elsewhere."""

    model_name: str = _MODEL
    _reply: Any = PrivateAttr()

    @property
    def _llm_type(self) -> str:
        return "counting"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        options = {name: value for name, value in kwargs.items() if value is not None}
        text = self._reply(messages, options | ({"stop": stop} if stop else {}))
        message = AIMessage(text, usage_metadata=_usage(messages, text))
        return ChatResult(generations=[ChatGeneration(message=message)])


def _usage(messages: Sequence[BaseMessage], text: str) -> UsageMetadata:
    """A word is a token."""
    read, written = sum(len(one.text.split()) for one in messages), len(text.split())
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


@dataclass(frozen=True)
class Called:
    """A call of the model: tokens read and written, and whether it was for other words."""

    read: int
    written: int
    other: bool


class Shop:
    """A shop's documents, its model and a day of requests, other ones for each shop.

    Attributes:
        near_enough: the score below which a pipeline searches again.
        requests: what customers ask, in order; some of it more than once.
        index: finds a passage for any query.
        llm: the model.
        calls: those of the model.
        busy: the model raises an error at every call.
        unlucky: a question that is asked for the first time while the model is busy.
    """

    def __init__(
        self,
        questions: Sequence[str],
        far: Sequence[str],
        near_enough: float,
        *,
        like: Mapping[str, str],
        unlucky: str = "",
    ) -> None:
        """A shop whose customers ask these questions, the first search failing for some.

        Args:
            questions: the requests of the day.
            far: questions whose best passage is not near enough.
            near_enough: see above.
            like: questions that find the same passages as another one.
            unlucky: see above.
        """
        self._secret = secrets.token_hex(16)
        self.requests, self.near_enough = list(questions), near_enough
        self._like, self.unlucky, self.busy = dict(like), unlucky, False
        self.calls: list[Called] = []
        # At the boundary itself it is near enough; the first of those that are far is just below.
        below = (math.nextafter(near_enough, 0.0), near_enough - 0.001, 0.0)
        self._scores = {one: below[place % len(below)] for place, one in enumerate(far)}
        # What the other words find is better than that, or worse, and in any case what counts.
        for place, one in enumerate(far):
            self._scores[self._said(_other_words(one))] = near_enough + (0.1, -0.9)[place % 2]
        self.index = _Index(self._passage)
        self.llm = _Counting()
        self.llm._reply = self._counted

    def expected(self, question: str) -> str:
        """What the given pipeline answers."""
        return self._said(self._prompts(question)[1])

    @cached_property
    def given_cost(self) -> float:
        """What the given pipeline's calls cost on all requests, in US dollars."""
        return sum(self._cost(one) for asked in self.requests for one in self._prompts(asked))

    @property
    def cost(self) -> float:
        """What the calls of the model have cost so far, in US dollars."""
        return sum(_price(call.read, call.written) for call in self.calls)

    def is_far(self, question: str) -> bool:
        """Whether the first search finds nothing that is near enough."""
        return self._passage(question, 0).score < self.near_enough

    def _prompts(self, question: str) -> list[list[BaseMessage]]:
        """The prompts of the given pipeline's three calls."""
        other = _other_words(question)
        (passage,) = self.index.search(question, k=1)
        if passage.score < self.near_enough:
            (passage,) = self.index.search(self._said(other), k=1)
        main = convert_to_messages(
            [
                ("system", "You answer questions by repeating the text."),
                ("user", "How big is the flask?\n\nBottles: The flask holds 1.5 litres."),
                ("assistant", "Bottles: The flask holds 1.5 litres."),
                ("user", f"{question}\n\n{passage.excerpt}"),
            ]
        )
        review = f"{passage.text}\n\nIs this polite? {self._said(main)}"
        return [other, main, convert_to_messages([("user", review)])]

    def _cost(self, messages: Sequence[BaseMessage]) -> float:
        used = _usage(messages, self._said(messages))
        return _price(used["input_tokens"], used["output_tokens"])

    def _counted(self, messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> str:
        if self.busy:
            raise RuntimeError("the model is busy")
        text = self._said(messages, options)
        used = _usage(messages, text)
        other = _is_other(messages)
        self.calls.append(Called(used["input_tokens"], used["output_tokens"], other))
        return text

    def _said(
        self, messages: Sequence[BaseMessage], options: Mapping[str, Any] = NO_OPTIONS
    ) -> str:
        """The reply: three sentences in two lines, in which every letter and space counts."""
        asked = "\n".join(f"{one.type}: {one.text}" for one in messages)
        if options:  # such as a largest number of tokens: other replies
            asked += repr(sorted(options.items(), key=str))
        words = self._words(asked, _OTHER_WORDS if _is_other(messages) else _SAID_WORDS)
        one, two, three = (
            " ".join(some).capitalize() for some in (words[:4], words[4:8], words[8:])
        )
        text = f"{one}. {two}.\n{three}."
        return f" {text}" if words[-1] < "8" else f"{text}\n"

    def _passage(self, query: str, place: int) -> Passage:
        """The passage at a place, from 0, of those that the query finds."""
        of = f"{self._like.get(query, query)} {place}"
        text = " ".join(self._words(f"document {of}", _DOCUMENT_WORDS))
        found = " ".join(self._words(f"sentence {of}", _FOUND_WORDS)) + ".\n"
        score = self._scores.get(query, self.near_enough) - 0.05 * place
        return Passage(f"d-{len(text)}", "Fernhill", text, (found,), found, score)

    def _words(self, of: str, count: int) -> list[str]:
        """So many words that only the secret's owner can work out; the last one is long."""
        made = hashlib.shake_256(f"{self._secret} {of}".encode()).digest(count + _LAST_BYTES)
        return [*(_WORDS[byte % len(_WORDS)] for byte in made[: count - 1]), made[count:].hex()]


@dataclass(frozen=True)
class _Index:
    """A retriever that finds as many passages as are asked for, for any query."""

    passage: Callable[[str, int], Passage]

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The passages of this query, best first."""
        return [self.passage(query, place) for place in range(k)]


def _other_words(question: str) -> list[BaseMessage]:
    return convert_to_messages([("user", f"{_OTHER}{question}")])


def _is_other(messages: Sequence[BaseMessage]) -> bool:
    return messages[-1].text.startswith(_OTHER)


def _price(read: int, written: int) -> float:
    used = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    return prices.cost(_MODEL, used)


def _asked() -> str:
    """A long letter, another one each time that it is made."""
    words = [secrets.choice(_WORDS) for _ in range(_ASKED_WORDS - 1)]
    return f"Is {' '.join(words)}?"


def shops() -> list[Shop]:
    """Two shops whose customers ask the same questions; other documents, models and limits.

    More questions lie between a question and its repetition than a small memory holds.
    """
    asked = [_asked() for _ in range(19)]
    *words, _ = asked[6].split()
    varied = [  # other questions, whose answers are other ones
        asked[2].upper(),
        asked[3].replace(" ", "  "),
        f"{asked[4]} ",
        asked[5].removesuffix("?"),
        f"{' '.join(words)} then?",
    ]
    day = [*asked[:7], *varied, *asked[7:]]
    like = {asked[1]: asked[0], varied[0]: asked[0], asked[8]: asked[7]}
    far = [asked[3], varied[2], asked[5], asked[9], asked[12], asked[15]]
    first = [*day, *day[:4], day[0], *day[4:15]]
    evening = [*day[7:], *day[9:19], day[9], day[9]]
    return [
        Shop(first, far, 1.07, like=like, unlucky=asked[14]),
        Shop(evening, [asked[9], varied[4], asked[15], asked[17]], 0.43, like=like),
    ]


# --- a pipeline, traced ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """What came of a pipeline on the day of one shop.

    Attributes:
        same: request by request, whether the answer is the given pipeline's.
        second: the same, of the requests that need a second search alone.
        calls: of the model, as it counted them itself.
        needless: of these, second ones for a reply to one request, other than for other words.
        other: of these, those for other words that are not needed.
        again: of these, those for questions that were asked before.
        untraced: those of them that are not in the trace with their tokens.
        share: their cost over that of the given pipeline, or that of the traced runs, if larger.
    """

    same: tuple[bool, ...]
    second: tuple[bool, ...]
    calls: int
    needless: int
    other: int
    again: int
    untraced: int
    share: float


def tried(make: MakePipeline, made: Sequence[Shop]) -> list[Tried]:
    """Ask the pipelines of all shops their requests in turn, traced, each in a project of its own.

    Args:
        make: the learner's.
        made: shops whose models nobody has asked yet.
    """
    from langsmith import traceable, tracing_context

    from helpers.tracing.testing import fresh, lab_client

    client = lab_client()
    projects = [fresh("pipeline") for _ in made]
    for project in projects:
        client.create_project(project)  # so that nothing traced is an empty project
    days = [_Day(shop) for shop in made]
    with _no_cache():
        pipelines = [
            traceable(name="request")(make(shop.index, shop.llm, shop.near_enough)) for shop in made
        ]
        for turn in zip_longest(*(shop.requests for shop in made)):
            for place, question in enumerate(turn):
                if question is not None:
                    with tracing_context(client=client, enabled=True, project_name=projects[place]):
                        days[place].ask(pipelines[place], question)
    client.flush()
    return [_measured(day, project) for day, project in zip(days, projects, strict=True)]


@contextlib.contextmanager
def _no_cache() -> Iterator[None]:
    """LangChain's cache of models is the kernel's own, and knows nothing of these models."""
    from langchain_core.globals import get_llm_cache, set_llm_cache

    kept = get_llm_cache()
    set_llm_cache(None)
    try:
        yield
    finally:
        set_llm_cache(kept)


@dataclass
class _Day:
    """What comes of the requests to one shop's pipeline."""

    shop: Shop
    same: list[bool] = field(default_factory=list)
    second: list[bool] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    needless: int = 0
    other: int = 0
    again: int = 0

    def ask(self, pipeline: Answer, question: str) -> None:
        """Ask the pipeline, and look at the answer and at the calls of the model."""
        shop, before = self.shop, len(self.shop.calls)
        lucky = question != shop.unlucky or question in self.asked or self._raises(pipeline)
        same = pipeline(question) == shop.expected(question) and lucky
        calls, far = shop.calls[before:], shop.is_far(question)
        self.same.append(same)
        if far:
            self.second.append(same)
        if question in self.asked:
            self.again += len(calls)
        self.asked.add(question)
        self.needless += max(0, sum(not call.other for call in calls) - 1)
        self.other += 0 if far else sum(call.other for call in calls)

    def _raises(self, pipeline: Answer) -> bool:
        """Whether the pipeline passes on an error of the model."""
        self.shop.busy = True
        try:
            pipeline(self.shop.unlucky)
        except Exception:
            return True
        finally:
            self.shop.busy = False
        return False


def _measured(day: _Day, project: str) -> Tried:
    from helpers.tracing.testing import lab_client, runs_of

    shop = day.shop
    runs = [run for run in runs_of(lab_client(), project) if run.run_type == "llm"]
    # A run of another model, or of one without a price, is no run of this one.
    named = [run for run in runs if run.metadata.get("ls_model_name") == _MODEL]
    traced = Counter((run.prompt_tokens or 0, run.completion_tokens or 0) for run in named)
    cost = sum(float(run.total_cost or 0) for run in runs)
    return Tried(
        same=tuple(day.same),
        second=tuple(day.second),
        calls=len(shop.calls),
        needless=day.needless,
        other=day.other,
        again=day.again,
        untraced=(Counter((call.read, call.written) for call in shop.calls) - traced).total(),
        share=max(shop.cost, cost) / shop.given_cost,
    )
