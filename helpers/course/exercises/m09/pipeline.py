"""A pipeline of exercise 09.1 at work: what it answers, what it calls, and what is traced of it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from helpers.course.exercises.m09.given import Reply
from helpers.course.limits import time_factor

if TYPE_CHECKING:
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

_PATIENCE_S: Final = 1.0
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
    (Reply("It left on Monday.", "local", 9, 5), Reply("It was shipped.", "house-7b", 21, 4)),
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
SILENT: Final = Question("", ("Nothing", "No order"), (Reply("", "a", 1, 0), Reply("?", "b", 2, 1)))


class Shop:
    """The searches and the model of some questions.

    With `together`, a search waits until both searches of all questions run, and a draft until both
    drafts of all of them do.
    """

    def __init__(self, questions: Sequence[Question], *, together: bool = False) -> None:
        self.questions = questions
        self.calls: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._loop_thread = threading.get_ident()
        wait = _PATIENCE_S * time_factor()
        self._searches = threading.Barrier(2 * len(questions), timeout=wait) if together else None
        self._drafts = asyncio.Barrier(2 * len(questions)) if together else None
        self._wait_s = wait

    async def asked(self, pipeline: Pipeline, question: Question) -> Any:
        """The answer; what was raised instead, if that is the error of this shop."""
        try:
            return await pipeline(question.text, *self._functions())
        except OutOfOrder as error:
            return f"raised {error}"

    def _functions(self) -> tuple[Any, Any, Any]:
        """Under names that are not those of the tree, and other ones from call to call."""

        def look_up(question: str) -> str:
            return self._search("documents", 0, question)

        def ask_warehouse(question: str) -> str:
            return self._search("orders", 1, question)

        async def complete(prompt: str) -> Reply:
            return await self._complete(prompt)

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
        (question,) = (one for one in self.questions if one.text == text)
        if question.fails == name:
            raise OutOfOrder(name)
        return question.found[place]

    async def _complete(self, prompt: str) -> Reply:
        self._note("model", prompt)
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
                        raise OutOfOrder(question.fails)
                    return reply
        raise ValueError(f"the prompt {prompt!r} is none of those that the given code sends")

    def _note(self, name: str, argument: str) -> None:
        with self._lock:
            self.calls.append((name, argument))


@dataclass
class Seen:
    """What came of some questions.

    Attributes:
        answers: one for each question.
        calls: (function, argument), sorted.
        runs: all that was traced.
    """

    answers: list[Any]
    calls: list[tuple[str, str]]
    runs: "list[Run]" = field(default_factory=list)

    @property
    def tree(self) -> list[str]:
        """All runs as lines "name: type", indented below their parent, siblings sorted."""
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

        return [line for root in lines(None, 0) for line in root]

    @property
    def drafts(self) -> list[dict[str, Any]]:
        """Question by question, what its drafts report, by source; sorted by what is in them."""
        found: dict[Any, dict[str, Any]] = {}
        for run in self.runs:
            if run.name == "draft":
                source = str(run.metadata.get("source"))
                found.setdefault(run.parent_run_id, {})[source] = {
                    "ls_model_name": run.metadata.get("ls_model_name"),
                    **_usage(run),
                }
        return sorted(found.values(), key=repr)

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
) -> Seen:
    """Ask questions, those of a round at the same time, and read back what was traced.

    Args:
        tracing: whether it is on.
        within: the name of a traced function that each round is asked in.
        together: whether calls wait for those that have to run at the same time.
    """
    from langsmith import traceable, tracing_context

    from helpers.tracing.testing import fresh, lab_client, runs_of

    client, project = lab_client(), fresh("pipeline")
    await asyncio.to_thread(client.create_project, project)  # with nothing traced it is empty
    answers, calls = [], list[tuple[str, str]]()

    async def ask(shop: Shop) -> list[Any]:
        return await asyncio.gather(*(shop.asked(pipeline, one) for one in shop.questions))

    with tracing_context(client=client, enabled=tracing, project_name=project):
        for questions in rounds:
            shop = Shop(questions, together=together)
            asking = (
                traceable("chain", name=within, process_inputs=_nothing)(ask) if within else ask
            )
            answers += await asking(shop)
            calls += shop.calls
    await asyncio.to_thread(client.flush)
    runs = await asyncio.to_thread(runs_of, client, project)
    return Seen(answers, sorted(calls), runs)


def _nothing(_: dict[str, Any]) -> dict[str, Any]:
    """What is recorded of the arguments of the check's own function."""
    return {}


def prepare() -> None:
    """Start the lab's service, which takes seconds, before a case's time limit begins."""
    from helpers.tracing.testing import lab_client

    lab_client()
