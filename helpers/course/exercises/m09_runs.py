"""What the cases of module 09 do with a learner's object: trace it, and read the traces back."""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.language_models import BaseChatModel
from langsmith import Client, traceable, tracing_context
from langsmith.schemas import Run

from helpers.agent import Retriever, fernhill_index
from helpers.course.exercises.m09_day import Day, plant, tokens
from helpers.course.exercises.m09_desk import desk, fresh, redacting, runs_of
from helpers.course.exercises.m09_given import NEAR_ENOUGH, Answer, Reply, prompt
from helpers.models import chat_model, prices
from helpers.tracing.experiments import Experiment, experiment
from helpers.tracing.redact import Redactor

FAST = os.environ.get("COURSE_FAST", "") not in ("", "0")

# --- planted days -------------------------------------------------------------------------------

SHOWN, OTHERS = 9, (93, 94)
"""The seed of the day that the lab shows, and those of the days that only the checks know."""


@cache
def planted(seed: int) -> Day:
    """A day of traces with trouble in it, written once in a process."""
    return plant(desk(), f"day-{seed}", seed)


# --- 09.1: trees --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tree:
    """What was traced of some questions.

    Attributes:
        answers: what came back.
        roots: the names of the runs that have no parent.
        children: root by root, (name, type) of the runs directly below it, sorted.
        tokens: root by root, of everything below.
        costs: root by root, in US dollars; None without a price.
    """

    answers: tuple[str, ...]
    roots: tuple[str, ...]
    children: tuple[tuple[tuple[str, str], ...], ...]
    tokens: tuple[int | None, ...]
    costs: tuple[float | None, ...]


async def traced(pipeline: type, questions: Sequence[str]) -> Tree:
    """Ask the questions at the same time with tracing on, and read back what was traced."""
    project = fresh("tree")
    desk().create_project(project)  # so that nothing traced is an empty project, and no error
    with tracing_context(client=desk(), enabled=True, project_name=project):
        made = pipeline()
        answers = await asyncio.gather(*(made.answer(question) for question in questions))
    desk().flush()
    runs = await asyncio.to_thread(runs_of, project)
    roots = [run for run in runs if run.parent_run_id is None]
    return Tree(
        answers=tuple(answers),
        roots=tuple(run.name for run in roots),
        children=tuple(_children(root, runs) for root in roots),
        tokens=tuple(run.total_tokens or None for run in roots),
        costs=tuple(None if r.total_cost is None else float(r.total_cost) for r in roots),
    )


def _children(root: Run, runs: Sequence[Run]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((r.name, r.run_type) for r in runs if r.parent_run_id == root.id))


def usage_of(*replies: Reply) -> tuple[int, float]:
    """Tokens of some replies together, and their cost by the price of the house model."""
    read, written = sum(r.read for r in replies), sum(r.written for r in replies)
    return read + written, prices.cost("local", tokens(read, written))


# --- 09.4: datasets -----------------------------------------------------------------------------

Curate = Callable[[Client, str, str], Any]


@dataclass(frozen=True)
class Curated:
    """The examples of a dataset: question, answer and source run of each, in order."""

    questions: tuple[str, ...]
    answers: tuple[str | None, ...]
    sources: tuple[str | None, ...]


def curated(curate: Curate, day: Day, *, times: int = 1) -> Curated:
    """What a new dataset holds after `curate` has been called so many times."""
    name = fresh("complaints")
    for _ in range(times):
        curate(desk(), day.project, name)
    examples = list(desk().list_examples(dataset_name=name))
    return Curated(
        questions=tuple(str((one.inputs or {}).get("question")) for one in examples),
        answers=tuple((one.outputs or {}).get("answer") for one in examples),
        sources=tuple(str(one.source_run_id) for one in examples),
    )


# --- 09.5: redaction ----------------------------------------------------------------------------

CALL: Final[dict[str, Any]] = {
    "question": "Mail me at Una.Caird@mail.example or ring 01632 960123 about FH-10234.",
    "contact": {"lines": ["card 4111 1111 1111 1111", "una.caird@mail.example"]},
}
"""What a customer wrote, as the inputs of a run."""

PERSONAL = ("una.caird", "960123", "4111")
"""Pieces of it that must not be stored, in lower case."""


def stored_with(hook: Redactor) -> str:
    """Everything that the service stored of a request that failed, in lower case.

    The inputs are `CALL`; error and metadata quote the customer's address.
    """
    project = fresh("redacted")

    def reply(question: str, contact: Any) -> str:
        raise ValueError(f"no order of una.caird@mail.example: {question}")

    with redacting(hook) as client:
        with tracing_context(client=client, enabled=True, project_name=project):
            function = traceable(metadata={"from": "una.caird@mail.example"})(reply)
            with contextlib.suppress(ValueError):
                function(**CALL)
        client.flush()
    run = runs_of(project)[0]
    return json.dumps([run.inputs, run.outputs, run.error, run.extra], default=str).lower()


# --- 09.6: the cost of a pipeline ---------------------------------------------------------------

MakePipeline = Callable[[Retriever, BaseChatModel], Answer]

MOST_TOKENS = 40
CUT = 0.75
"""The part of the given pipeline's cost that has to go."""


GIVEN: dict[str, tuple[int, int]] = {
    "I bought it in the outlet. How long can I bring it back?": (404, 63),
    "For how long do you guarantee shoes?": (386, 99),
    "How long until I must prove again that I'm a student?": (381, 67),
    "What's the postage to Dublin?": (411, 106),
    "What do I pay for each day I'm late with a hired tent?": (419, 64),
    "How long will the shop keep my parcel for me?": (373, 61),
    "How many grams is the mat that cannot puncture?": (403, 92),
}
"""Tokens that the given pipeline reads and writes for a question, in its three calls together."""

_DISTINCT = list(GIVEN)[:3] if FAST else list(GIVEN)

REQUESTS = [*_DISTINCT, *_DISTINCT[:2], *([] if FAST else _DISTINCT[:3])]
"""What customers ask, some of it more than once. For two of the questions (in fast mode for one)
the first search finds nothing that is near enough."""


@dataclass(frozen=True)
class Tried:
    """What came of a pipeline on `REQUESTS`.

    Attributes:
        same: request by request, whether the answer is that of the given pipeline.
        traced: tokens of the runs in the trace.
        metered: tokens that the model itself has counted.
        share: of the given pipeline's cost, 0 to 1.
    """

    same: tuple[bool, ...]
    traced: int
    metered: int
    share: float


def given_cost() -> float:
    """What the given pipeline costs on `REQUESTS`, in US dollars."""
    read, written = (sum(GIVEN[one][side] for one in REQUESTS) for side in (0, 1))
    return prices.cost("local", tokens(read, written))


@cache
def dataset() -> str:
    """The name of the dataset of `REQUESTS`, made on first use."""
    name = fresh("requests")
    found = desk().create_dataset(name)
    desk().create_examples(
        dataset_id=found.id, examples=[{"inputs": {"question": one}} for one in REQUESTS]
    )
    return name


def tried(make: MakePipeline) -> Tried:
    """Run a pipeline as an experiment; tokens and cost are read from its traces."""
    found, metered = measured(make)
    cost = found.cost or 0.0
    return Tried(tuple(found.verdicts.values()), found.tokens, metered, cost / given_cost())


def measured(make: MakePipeline) -> tuple[Experiment, int]:
    """The experiment of a pipeline on `REQUESTS`, and the tokens that the model has counted."""
    meter = UsageMetadataCallbackHandler()
    llm = model().model_copy(update={"callbacks": [meter]})
    answer = make(index(), llm)

    def target(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"answer": answer(inputs["question"])}

    def same(inputs: dict[str, Any], outputs: dict[str, Any]) -> bool:
        return bool(outputs["answer"] == given_answer(inputs["question"]))

    found = experiment(desk(), target, dataset(), same, "pipeline")
    return found, sum(used["total_tokens"] for used in meter.usage_metadata.values())


@cache
def given_answer(question: str) -> str:
    """What the given pipeline answers, by the calls that decide it alone."""
    (passage,) = index().search(question, k=1)
    if passage.score < NEAR_ENOUGH:
        words = model().invoke(f"Say this in other words: {question}").text
        (passage,) = index().search(words, k=1)
    return model().invoke(prompt(passage.excerpt, question)).text


def model() -> BaseChatModel:
    """The course's model, with a bound on what it writes; a new one finds the running server."""
    return chat_model(max_tokens=MOST_TOKENS)


@cache
def index() -> Retriever:
    """The shop's documents."""
    return fernhill_index()
