"""A pipeline of exercise 09.1 at work: what it answers, what it calls, and what is traced of it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from helpers.course.exercises.m09.given import Reply
from helpers.course.limits import time_factor

if TYPE_CHECKING:
    from langsmith import Client
    from langsmith.schemas import Run

Pipeline = Callable[..., Awaitable[str]]

TREE: Final = (
    "answer: chain",
    "  documents: retriever",
    "  draft: llm",
    "  draft: llm",
    "  orders: tool",
)
"""What one question gives, as `tree` writes it."""

_PATIENCE_S: Final = 2.5
_BEFORE_FAILING_S: Final = 0.1  # how long a search that fails waits for a call that is too early
_FIGURES: Final = ("input_tokens", "output_tokens", "total_tokens")


class OneAfterAnother(Exception):  # noqa: N818 - it says what is wrong
    """Calls that have to run at the same time did not."""


class NotInAThread(Exception):  # noqa: N818 - it says what is wrong
    """A search ran in the thread of the event loop, which has to stay free."""


class OutOfOrder(Exception):  # noqa: N818 - named after what a customer would read
    """What a search or the model of the check raises."""


@dataclass(frozen=True)
class Question:
    """A question, what the searches find for it, and the replies to both prompts.

    `fails` names what raises `OutOfOrder`: "documents", "orders", or a draft by its source with
    "draft of " before it.
    """

    text: str
    found: tuple[str, str]
    replies: tuple[Reply, Reply]
    fails: str = ""

    @property
    def prompts(self) -> tuple[str, str]:
        """What the model is asked."""
        return f"{self.found[0]}\n\n{self.text}", f"{self.found[1]}\n\n{self.text}"

    @property
    def drafts(self) -> dict[str, dict[str, Any]]:
        """What has to be in the traces of the drafts, by source."""
        return {
            source: {
                "ls_model_name": reply.model,
                **dict(
                    zip(
                        _FIGURES,
                        (reply.read, reply.written, reply.read + reply.written),
                        strict=True,
                    )
                ),
            }
            for source, reply in zip(("documents", "orders"), self.replies, strict=True)
        }


TENT: Final = Question(
    "Where is my tent?",
    ("Tents leave from Kendal.", "FH-10 was shipped."),
    (Reply("It left on Monday.", "local", 9, 5), Reply("It was shipped.", "shop/House-7B", 21, 4)),
)
STOVE: Final = Question(
    "And where is my stove?",
    ("Stoves are not flown.", ""),
    (Reply("By road.", "gpt-4.1-mini", 120, 3), Reply("On its way to you.", "local", 0, 17)),
)
ALIKE: Final = Question(
    "Is it heavy?",
    ("2 kg", "2000 g"),
    (Reply("2 kg.", "local", 8, 2), Reply("2 KG.", "local", 6, 3)),
)
ALIKE_TOO: Final = Question(
    "How heavy is it?",
    ("12 kg", "12000 g"),
    (Reply("12 KG.", "local", 8, 2), Reply("12 kg.", "local", 6, 3)),
)
SILENT: Final = Question("", ("Nothing", "No order"), (Reply("", "a", 1, 0), Reply("?", "b", 2, 1)))
PADDED: Final = Question(
    " Is it dry? \n",
    ("\tRain: 3 m ", " Dry \n"),
    (Reply(" Hi.     ", "local", 5, 2), Reply("Hello.", "local", 7, 1)),
)
ACCENTS: Final = Question(  # the first draft has more words and more bytes, the second more letters
    "Où est-il?",
    ("Il est là.", "Kendal"),
    (Reply("Là, là ß é.", "local", 11, 6), Reply("Kendal-North.", "local", 3, 2)),
)
TWINS: Final = Question(
    "Is it sold out?",
    ("Sold out.", "Sold out."),
    (Reply("Yes.", "local", 4, 1), Reply("Yes.", "local", 4, 1)),
)


class Shop:
    """The searches and the model of some questions.

    With `together`, a search waits until both searches of all questions run, and a draft until both
    drafts of all of them do. A search that fails does so late, when a draft that does not wait for
    both searches has called the model.
    """

    def __init__(self, questions: Sequence[Question], *, together: bool = False) -> None:
        self.questions = questions
        self.calls: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._drafting = threading.Event()
        self._raised: list[OutOfOrder] = []
        self._functions = self._made()
        self._loop_thread = threading.get_ident()
        wait = _PATIENCE_S * time_factor()
        self._searches = threading.Barrier(2 * len(questions), timeout=wait) if together else None
        self._drafts = asyncio.Barrier(2 * len(questions)) if together else None
        self._wait_s = wait

    async def asked(self, pipeline: Pipeline, question: Question) -> Any:
        """The answer; what was raised instead, if that is the very error of this shop."""
        try:
            return await pipeline(question.text, *self._functions)
        except OutOfOrder as error:
            its_own = any(error is one for one in self._raised)
            return f"raised {error}" if its_own else f"raised another {type(error).__name__}"

    def _made(self) -> tuple[Any, Any, Any]:
        """Under names that are not those of the tree, nor their parameters those of the task."""

        def look_up(words: str) -> str:
            return self._search("documents", 0, words)

        def ask_warehouse(about: str) -> str:
            return self._search("orders", 1, about)

        async def complete(text: str) -> Reply:
            return await self._complete(text)

        return look_up, ask_warehouse, complete

    def _search(self, name: str, place: int, text: str) -> str:
        self._note(name, text)
        if threading.get_ident() == self._loop_thread:
            raise NotInAThread(f"{name} was called in the event loop's own thread")
        if self._searches is not None:
            try:
                self._searches.wait()
            except threading.BrokenBarrierError:
                raise OneAfterAnother(
                    "a search waited in vain for the others to run at the same time"
                ) from None
        question = next((one for one in self.questions if one.text == text), None)
        if question is None:
            raise ValueError(f"{name} was asked {text!r}, which is none of the questions")
        if question.fails == name:
            self._drafting.wait(_BEFORE_FAILING_S * time_factor())
            raise self._noted(OutOfOrder(name))
        return question.found[place]

    async def _complete(self, prompt: str) -> Reply:
        self._note("model", prompt)
        self._drafting.set()
        if self._drafts is not None:
            try:
                async with asyncio.timeout(self._wait_s):
                    await self._drafts.wait()
            except (TimeoutError, asyncio.BrokenBarrierError):
                raise OneAfterAnother(
                    "a draft waited in vain for the others to run at the same time"
                ) from None
        await asyncio.sleep(0)
        for question in self.questions:
            for source, wanted, reply in zip(
                ("documents", "orders"), question.prompts, question.replies, strict=True
            ):
                if prompt == wanted:
                    if question.fails == f"draft of {source}":
                        raise self._noted(OutOfOrder(question.fails))
                    return reply
        raise ValueError(f"the prompt {prompt!r} is none of those that the given code sends")

    def _note(self, name: str, argument: str) -> None:
        with self._lock:
            self.calls.append((name, argument))

    def _noted(self, error: OutOfOrder) -> OutOfOrder:
        with self._lock:
            self._raised.append(error)
        return error


@dataclass
class Seen:
    """What came of some questions.

    Attributes:
        answers: one for each question.
        calls: (function, argument), sorted.
        runs: all that was traced.
        elsewhere: "name: type" of the runs for another service or project.
    """

    answers: list[Any]
    calls: list[tuple[str, str]]
    runs: "list[Run]" = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def tree(self) -> list[str]:
        """All runs as lines "name: type", indented below their parent, siblings sorted.

        Last come the runs for another service or project.
        """
        there = {run.id for run in self.runs}

        def lines(parent: Any, depth: int) -> list[list[str]]:
            own = [
                run
                for run in self.runs
                if (run.parent_run_id if run.parent_run_id in there else None) == parent
            ]
            return sorted(
                [
                    f"{'  ' * depth}{run.name}: {run.run_type}",
                    *(line for below in lines(run.id, depth + 1) for line in below),
                ]
                for run in own
            )

        own = [line for root in lines(None, 0) for line in root]
        return [*own, *(f"{one}, in another project" for one in sorted(self.elsewhere))]

    @property
    def drafts(self) -> list[dict[str, Any]]:
        """Question by question, what its drafts report, by source; sorted by what is in them.

        In which order their runs were written does not matter: of calls at the same time it is
        another one each time.
        """
        found: dict[Any, dict[str, Any]] = {}
        for run in self.runs:
            if run.name == "draft":
                source = str(run.metadata.get("source"))
                found.setdefault(run.parent_run_id, {})[source] = {
                    "ls_model_name": run.metadata.get("ls_model_name"),
                    **_usage(run),
                }
        return sorted((dict(sorted(drafts.items())) for drafts in found.values()), key=repr)

    def failed(self, message: str) -> list[str]:
        """The names of the runs with this in their error, sorted."""
        return sorted(run.name for run in self.runs if message in (run.error or ""))


def _usage(run: "Run") -> dict[str, Any]:
    reported = run.metadata.get("usage_metadata") or (run.outputs or {}).get("usage_metadata")
    if not reported and run.total_tokens:  # reported in another way that the service understands
        figures = (run.prompt_tokens, run.completion_tokens, run.total_tokens)
        reported = dict(zip(_FIGURES, figures, strict=True))
    return {name: reported[name] for name in _FIGURES if name in reported} if reported else {}


async def tried(
    pipeline: Pipeline,
    *rounds: Sequence[Question],
    tracing: bool = True,
    within: str = "",
    together: bool = False,
    same_functions: bool = False,
) -> Seen:
    """Ask questions, those of a round at the same time, and read back what was traced.

    Args:
        tracing: whether it is on.
        within: the name of a traced function that each round is asked in.
        together: whether calls wait for those that have to run at the same time.
        same_functions: whether all rounds are asked with the same searches and model.
    """
    from langsmith import traceable, tracing_context

    from helpers.tracing.testing import fresh, lab_client, runs_of

    client, project = lab_client(), fresh("pipeline")
    await asyncio.to_thread(client.create_project, project)  # with nothing traced it is empty
    answers = []
    if same_functions:
        shops = [Shop([one for questions in rounds for one in questions])] * len(rounds)
    else:
        shops = [Shop(questions, together=together) for questions in rounds]

    async def ask(shop: Shop, questions: Sequence[Question]) -> list[Any]:
        return await asyncio.gather(*(shop.asked(pipeline, one) for one in questions))

    asking = traceable("chain", name=within, process_inputs=_nothing)(ask) if within else ask
    with (
        _watched(client, project) as elsewhere,
        tracing_context(client=client, enabled=tracing, project_name=project),
    ):
        for shop, questions in zip(shops, rounds, strict=True):
            answers += await asking(shop, questions)
    calls = sorted(call for shop in dict.fromkeys(shops) for call in shop.calls)
    await asyncio.to_thread(client.flush)
    runs = await asyncio.to_thread(runs_of, client, project)
    return Seen(answers, calls, runs, elsewhere)


@contextmanager
def _watched(client: "Client", project: str) -> Iterator[list[str]]:
    """Meanwhile runs for another service or project are not sent, but noted as "name: type".

    A run of a context of its own, with tracing turned on there, goes to the default client.
    """
    from langsmith import Client

    noted, kept_back = list[str](), set[str]()
    create, update = Client.create_run, Client.update_run

    def create_run(self: Client, name: str, inputs: Any, run_type: Any, **more: Any) -> None:
        where = more.get("project_name") or more.get("session_name")
        if (self.api_url, where) == (client.api_url, project):
            return create(self, name, inputs, run_type, **more)
        noted.append(f"{name}: {run_type}")
        kept_back.add(str(more.get("id")))
        return None

    def update_run(self: Client, run_id: Any, *values: Any, **more: Any) -> None:
        if str(run_id) not in kept_back:
            update(self, run_id, *values, **more)

    with patch.multiple(Client, create_run=create_run, update_run=update_run):
        yield noted


def _nothing(_: dict[str, Any]) -> dict[str, Any]:
    """What is recorded of the arguments of the check's own function."""
    return {}


@cache
def prepare() -> None:
    """Do what takes seconds the first time, before a case's time limit begins.

    Starts the lab's service, imports what writes traces, and writes and reads a first one.
    """
    from langsmith import trace, tracing_context

    from helpers.tracing.testing import fresh, lab_client, runs_of

    client, project = lab_client(), fresh("prepared")
    with tracing_context(client=client, enabled=True, project_name=project), trace("first"):
        pass
    client.flush()
    runs_of(client, project)
