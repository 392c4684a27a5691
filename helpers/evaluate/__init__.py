"""How well the agent answers: runs over golden questions, scores, rates with their intervals.

The names below are imported when they are first used, so that what only reads files of evidence
(`course ship-check`) enters no other room. Everything else comes from its module.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.evaluate.judge import Judge
    from helpers.evaluate.labelled import halves, labelled_answers
    from helpers.evaluate.proportion import Proportion
    from helpers.evaluate.runs import Call, Run, run
    from helpers.evaluate.scores import score, score_answer
    from helpers.evaluate.summary import summarise
    from helpers.evaluate.version import Version, current_version

__all__ = [
    "Call",
    "Judge",
    "Proportion",
    "Run",
    "Version",
    "current_version",
    "halves",
    "labelled_answers",
    "run",
    "score",
    "score_answer",
    "summarise",
]

_MODULE_OF = {
    "Call": "runs",
    "Judge": "judge",
    "Proportion": "proportion",
    "Run": "runs",
    "Version": "version",
    "current_version": "version",
    "halves": "labelled",
    "labelled_answers": "labelled",
    "run": "runs",
    "score": "scores",
    "score_answer": "scores",
    "summarise": "summary",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
