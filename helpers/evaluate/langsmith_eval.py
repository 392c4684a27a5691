"""Evaluation through LangSmith's SDK, on this machine alone.

`langsmith.evaluate(..., upload_results=False)` runs a target over examples and scores it without a
server. Three of its habits would hide a failure, and are errors here: examples of the wrong type
give an empty table, an evaluator that raises gives an empty cell, and a target that raised is
scored all the same. A fourth would leak: with tracing switched on, LangChain calls inside the
target are sent off even so; here nothing inside target or evaluators is traced.
"""

import contextlib
import io
import logging
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import langsmith
import pandas as pd
from langgraph.pregel import Pregel
from langsmith.evaluation import EvaluationResult, EvaluationResults, RunEvaluator, run_evaluator
from langsmith.schemas import Example
from langsmith.schemas import Run as TracedRun

from helpers.evaluate.runs import Call, Run, ask
from helpers.evaluate.scores import score
from helpers.shop import Question

Target = Callable[[dict[str, Any]], dict[str, Any]]
Evaluator = Callable[..., Any] | RunEvaluator

_NAMESPACE = uuid.UUID("6f1d2c1e-6a55-5a5e-9d51-9d0f0c7b2a10")


class Results(Protocol):
    """The table that `langsmith.evaluate` gives, whose own class is private."""

    def __len__(self) -> int:
        """How many examples were evaluated."""

    def __iter__(self) -> Iterator[Any]:
        """The rows: `run`, `example` and `evaluation_results`."""

    def to_pandas(self) -> pd.DataFrame:
        """One row an example, with `error`, and `feedback.` and each evaluator's key."""


class EvaluationFailed(RuntimeError):  # noqa: N818 (named after what happened)
    """The evaluation gives no full table; the message says why."""


def examples(questions: Sequence[Question]) -> list[Example]:
    """The questions as LangSmith examples.

    Inputs: `id`, `question` and `customer`. Reference outputs: `required` and `forbidden` facts
    and the expected `tools`. Metadata: `kind`. The same question always gets the same example id.
    """
    return [
        Example(
            id=uuid.uuid5(_NAMESPACE, question.id),
            inputs={
                "id": question.id,
                "question": question.question,
                "customer": question.customer,
            },
            outputs={
                "required": [list(group) for group in question.required],
                "forbidden": list(question.forbidden),
                "tools": [call.name for call in question.tools],
            },
            metadata={"kind": question.kind},
        )
        for question in questions
    ]


def agent_target(agent: Pregel[Any, Any, Any, Any], questions: Sequence[Question]) -> Target:
    """The agent as a target: `inputs` in, `answer` and `calls` out.

    It raises what went wrong when the agent gives no answer, so that the row says so.
    """
    by_id = {question.id: question for question in questions}

    def answer(inputs: dict[str, Any]) -> dict[str, Any]:
        run = ask(agent, by_id[inputs["id"]])
        if run.status != "ok":
            raise EvaluationFailed(run.error or run.status)
        calls = [{"name": call.name, "args": dict(call.args)} for call in run.calls]
        return {"answer": run.answer, "calls": calls}

    return answer


def scorers(questions: Sequence[Question]) -> list[Evaluator]:
    """The course's scores as LangSmith evaluators: `answer`, `tools` and `trajectory`."""
    by_id = {question.id: question for question in questions}

    def all_scores(inputs: dict[str, Any], outputs: dict[str, Any]) -> list[dict[str, Any]]:
        calls = tuple(Call(call["name"], call["args"]) for call in outputs["calls"])
        question = by_id[inputs["id"]]
        found = score(question, Run(question.id, outputs["answer"], calls))
        return [
            {"key": "answer", "score": found.answer.right if found.answer else None},
            {"key": "tools", "score": found.tools},
            {"key": "trajectory", "score": found.trajectory},
        ]

    return [all_scores]


def evaluate(target: Target, data: Sequence[Example], evaluators: Sequence[Evaluator]) -> Results:
    """Run `langsmith.evaluate` without a server, a key or the network.

    Examples run one after another. A target that raises gives a row with its error and without
    scores; count these rows apart (`to_pandas()["error"]`).

    Raises:
        TypeError: something in `data` is no `Example`. LangSmith itself would return an empty
            table for a list of dicts.
        ValueError: there are no examples, or no evaluators.
        EvaluationFailed: an evaluator raised, or a row is missing.
    """
    for place, each in enumerate(data):
        if not isinstance(each, Example):
            raise TypeError(
                f"data[{place}] is a {type(each).__name__}: make it a langsmith.schemas.Example. "
                "LangSmith would give an empty table without a word."
            )
    if not data or not evaluators:
        raise ValueError("Give at least one example and one evaluator.")
    with _quiet():
        results = langsmith.evaluate(
            _untraced(target),
            data=list(data),
            evaluators=[_OnAnswers(each) for each in evaluators],
            client=_offline_client(),
            upload_results=False,
        )
        results.wait()  # raises what stopped the table half way
    if len(results) != len(data):
        raise EvaluationFailed(f"{len(results)} of {len(data)} examples were evaluated.")
    for row in results:
        for result in row["evaluation_results"]["results"]:
            if (result.extra or {}).get("error"):
                raise EvaluationFailed(f"The evaluator {result.key} raised {result.comment}")
    return results


class _OnAnswers(RunEvaluator):
    """An evaluator that is asked only about runs that ended with an answer."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._inner = evaluator if isinstance(evaluator, RunEvaluator) else run_evaluator(evaluator)

    @property
    def feedback_keys(self) -> list[str]:
        """The names to report when the evaluator raises; never empty, or it would go unseen."""
        return list(self._inner.feedback_keys) or [type(self._inner).__name__]

    def evaluate_run(
        self,
        run: TracedRun,
        example: Example | None = None,
        evaluator_run_id: uuid.UUID | None = None,
    ) -> EvaluationResult | EvaluationResults:
        """The inner evaluator's results; none for a run that failed."""
        if run.error is not None:
            return EvaluationResults(results=[])
        with langsmith.tracing_context(enabled=False):
            return self._inner.evaluate_run(run, example, evaluator_run_id)


def _untraced(target: Target) -> Target:
    def answer(inputs: dict[str, Any]) -> dict[str, Any]:
        with langsmith.tracing_context(enabled=False):
            return target(inputs)

    return answer


def _offline_client() -> langsmith.Client:
    """A client that has nowhere to send to, whatever key and endpoint the environment holds."""
    return langsmith.Client(
        api_url="http://127.0.0.1:9", api_key="offline", auto_batch_tracing=False, info={}
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without LangSmith's experiment name (new each time), bar, logged tracebacks and beta notice.

    Nothing is lost: every failure is in the table or raised.
    """
    log = logging.getLogger("langsmith.evaluation")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", message="'upload_results' parameter is in beta")
            yield
    finally:
        log.setLevel(before)
