"""Runs of the agent over golden questions, from a stored run where there is one."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.pregel import Pregel

from helpers.evaluate.evidence import fast_mode
from helpers.evaluate.runs import Call, Progress, Run, Status, ask, run
from helpers.evaluate.stored import Item, Step
from helpers.evaluate.version import AGENT, current_version
from helpers.models import bulk_run, chat_model
from helpers.models.guard import Spending
from helpers.shop import Question, document

_CALLS_A_QUESTION = 2

SPOT = 3
"""Questions that are asked again before stored answers are taken for an agent's."""


def run_or_read(
    name: str,
    agent: Pregel[Any, Any, Any, Any],
    questions: Sequence[Question],
    *,
    live: bool = False,
    progress: Progress = iter,
) -> list[Run]:
    """Read the agent's runs on these questions from the stored run `name`, or ask as `run` does.

    A stored run is read when it is of this version of the agent and has all the questions, and when
    this agent, asked three of them now, gives the stored answers: an agent that was changed in a
    cell has no other version. What is read, and what is not and why, is printed. What is asked is
    kept in `.course/runs`. In fast mode (`COURSE_FAST`) nothing is read or kept.

    Args:
        name: of the step, such as "02-agent".
        agent: the agent, on the local model or on any other.
        questions: what to ask, each in a conversation of its own.
        live: ask even where the course has a stored run.
        progress: may wrap the questions to show a bar.

    Raises:
        StoredRunError: a file of this name cannot be read.
    """
    if fast_mode():
        return run(agent, questions, progress=progress)
    step = Step(name, version=current_version().only(AGENT), live=live)
    spot = spot_check(questions) if is_local() else []  # a hosted model says other words each time
    with guarded(step, chat_model(), _CALLS_A_QUESTION * len(questions)):
        return answered(step, partial(ask, agent), questions, spot=spot, progress=progress)


def is_local() -> bool:
    """Whether `COURSE_MODEL` is the local model, which says the same to the same words."""
    return os.environ.get("COURSE_MODEL", "").strip() in ("", "local")


def guarded(
    step: Step, model: BaseChatModel, calls: int
) -> AbstractContextManager[Spending | None]:
    """The cost guard of `helpers.models.guard` around a step, where it is going to ask."""
    if step.stored:
        return nullcontext()
    return bulk_run(model, calls=calls, input_tokens=400, output_tokens=60)


def answered(
    step: Step,
    ask_one: Callable[[Question], Run],
    questions: Sequence[Question],
    *,
    section: str = "",
    spot: Sequence[Question] = (),
    last: bool = True,
    keep: Sequence[Status] = ("ok",),
    progress: Progress = iter,
) -> list[Run]:
    """One section of a step: an agent's runs, stored or live. See `Step.answers`.

    `ask_one` is called only for what is not stored. `keep` are the statuses of runs that may be
    stored; others are asked again next time.
    """
    by_id = {question.id: question for question in questions}
    found = step.answers(
        list(by_id),
        lambda key: as_item(ask_one(by_id[key])),
        section=section,
        spot=[question.id for question in spot],
        last=last,
        keep=lambda item: item.content.get("status", "ok") in keep,
        progress=lambda keys: (question.id for question in progress([by_id[k] for k in keys])),
    )
    return [as_run(question, item) for question, item in zip(questions, found, strict=True)]


def spot_check(questions: Sequence[Question], most: int = SPOT) -> list[Question]:
    """A few questions, evenly from those that a document answers.

    They read only: asking for a refund once more would be answered differently the second time.
    """
    reading = [question for question in questions if question.document and not question.order]
    count = min(most, len(reading))
    return [reading[place * len(reading) // count] for place in range(count)]


def as_item(run: Run) -> Item:
    """A run as it is stored. Texts of passages that are whole documents are left to the shop."""
    fields: dict[str, Any] = {
        "answer": run.answer,
        "calls": [asdict(call) for call in run.calls],
        "documents": run.documents,
        "usage": run.usage,
    }
    if run.passages != _texts(run.documents):
        fields["passages"] = run.passages
    if run.status != "ok":
        fields |= {"status": run.status, "error": run.error}
    content = json.loads(json.dumps(fields))  # as it will be when it has been read from a file
    return Item(content, run.cpu_seconds, run.wall_seconds)


def as_run(question: Question, item: Item) -> Run:
    """A run as it was before it was stored."""
    found = item.content
    documents = tuple(found["documents"])
    return Run(
        question_id=question.id,
        answer=found["answer"],
        calls=tuple(Call(**call) for call in found["calls"]),
        documents=documents,
        passages=tuple(found["passages"]) if "passages" in found else _texts(documents),
        usage=found["usage"],
        cpu_seconds=item.cpu_seconds,
        wall_seconds=item.wall_seconds,
        status=found.get("status", "ok"),
        error=found.get("error"),
    )


def _texts(documents: Sequence[str]) -> tuple[str, ...]:
    return tuple(document(name).text for name in documents)
