"""A shop with a model that counts its calls, and pipelines traced on its day: for exercise 09.6.

The answers of its model come from a secret, another one for each shop, so that nothing but a call
of the model gives them; and each call is counted in the model itself, whichever way it is made.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
Reply = Callable[[Sequence[BaseMessage]], str]

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
        text = self._reply(messages)
        message = AIMessage(text, usage_metadata=_usage(messages, text))
        return ChatResult(generations=[ChatGeneration(message=message)])


def _usage(messages: Sequence[BaseMessage], text: str) -> UsageMetadata:
    """A word is a token."""
    read, written = sum(len(one.text.split()) for one in messages), len(text.split())
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


class Shop:
    """A shop's documents, its model and a day of requests, other ones for each shop.

    Attributes:
        near_enough: the score below which a pipeline searches again.
        requests: what customers ask, in order; some of it more than once.
        index: finds a passage for any query.
        llm: the model.
        calls: tokens read and written, one pair for each call of the model.
    """

    def __init__(self, questions: Sequence[str], far: Sequence[bool], near_enough: float) -> None:
        """A shop whose customers ask these questions, the first search failing for some.

        Args:
            questions: the requests of the day.
            far: for each of them, whether its best passage is not near enough.
            near_enough: see above.
        """
        self._secret = secrets.token_hex(16)
        self.requests, self.near_enough = list(questions), near_enough
        self._far = dict(zip(questions, far, strict=True))
        self.calls: list[tuple[int, int]] = []
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
        return sum(_price(*call) for call in self.calls)

    def _prompts(self, question: str) -> list[list[BaseMessage]]:
        """The prompts of the given pipeline's three calls."""
        other = convert_to_messages([("user", f"Say this in other words: {question}")])
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

    def _counted(self, messages: Sequence[BaseMessage]) -> str:
        text = self._said(messages)
        used = _usage(messages, text)
        self.calls.append((used["input_tokens"], used["output_tokens"]))
        return text

    def _said(self, messages: Sequence[BaseMessage]) -> str:
        asked = "\n".join(f"{one.type}: {one.text}" for one in messages)
        other = messages[-1].text.startswith("Say this in other words: ")
        return " ".join(self._words(asked, _OTHER_WORDS if other else _SAID_WORDS))

    def _passage(self, query: str) -> Passage:
        text = " ".join(self._words(f"document {query}", _DOCUMENT_WORDS))
        found = " ".join(self._words(f"sentence {query}", _FOUND_WORDS))
        # At the boundary itself it is near enough; far is just below.
        score = self.near_enough - (0.001 if self._far.get(query, False) else 0.0)
        return Passage(f"d-{len(text)}", "Fernhill", text, (found,), found, score)

    def _words(self, of: str, count: int) -> list[str]:
        """So many words that only the secret's owner can work out; the last one is long."""
        made = hashlib.shake_256(f"{self._secret} {of}".encode()).digest(count)
        return [*(_WORDS[byte % len(_WORDS)] for byte in made[:-8]), *_ends(made)]


def _ends(made: bytes) -> list[str]:
    return [*(_WORDS[byte % len(_WORDS)] for byte in made[-8:-1]), made[-8:].hex()]


@dataclass(frozen=True)
class _Index:
    """A retriever that finds one passage for any query."""

    passage: Callable[[str], Passage]

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The passage of this query."""
        return [self.passage(query)][:k]


def _price(read: int, written: int) -> float:
    used = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    return prices.cost(_MODEL, used)


def _asked() -> str:
    """A long letter, another one each time that it is made."""
    words = [secrets.choice(_WORDS) for _ in range(_ASKED_WORDS - 1)]
    return f"Is {' '.join(words)}?"


def shops() -> list[Shop]:
    """Two shops whose customers ask the same questions; other documents, models and limits."""
    asked = [_asked() for _ in range(11)]
    loud = asked[2].upper()  # another question, whose answer is another one
    wide = asked[3].replace(" ", "  ")
    first = [*asked[:8], loud, asked[0], asked[3], asked[0], asked[5], wide, asked[1], asked[3]]
    second = [*asked[3:11], asked[4], asked[9], asked[9], asked[10], asked[3], asked[6]]
    far = {asked[3], asked[5], asked[9]}
    return [
        Shop(first, [one in far for one in first], 0.78),
        Shop(second, [one in {*far, asked[8]} - {asked[5]} for one in second], 0.615),
    ]


# --- a pipeline, traced ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """What came of a pipeline on the day of one shop.

    Attributes:
        same: request by request, whether the answer is the given pipeline's.
        calls: of the model, as it counted them itself.
        untraced: those of them that are not in the trace with their tokens.
        share: their cost over that of the given pipeline, or that of the traced runs, if larger.
    """

    same: tuple[bool, ...]
    calls: int
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
    pipelines = [
        traceable(name="request")(make(shop.index, shop.llm, shop.near_enough)) for shop in made
    ]
    same: list[list[bool]] = [[] for _ in made]
    for turn in zip_longest(*(shop.requests for shop in made)):
        for place, question in enumerate(turn):
            if question is not None:
                with tracing_context(client=client, enabled=True, project_name=projects[place]):
                    answer = pipelines[place](question)
                same[place].append(answer == made[place].expected(question))
    client.flush()
    return [
        _measured(shop, project, tuple(verdicts))
        for shop, project, verdicts in zip(made, projects, same, strict=True)
    ]


def _measured(shop: Shop, project: str, same: tuple[bool, ...]) -> Tried:
    from helpers.tracing.testing import lab_client, runs_of

    runs = [run for run in runs_of(lab_client(), project) if run.run_type == "llm"]
    # A run of another model, or of one without a price, is no run of this one.
    named = [run for run in runs if run.metadata.get("ls_model_name") == _MODEL]
    traced = Counter((run.prompt_tokens or 0, run.completion_tokens or 0) for run in named)
    cost = sum(float(run.total_cost or 0) for run in runs)
    return Tried(
        same=same,
        calls=len(shop.calls),
        untraced=(Counter(shop.calls) - traced).total(),
        share=max(shop.cost, cost) / shop.given_cost,
    )
