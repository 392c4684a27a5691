"""How well the agent answers: runs over golden questions, scores, rates with their intervals.

The names below are imported when they are first used, so that what only reads files of evidence
(`course ship-check`) enters no other room.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.evaluate.proportion import Proportion
    from helpers.evaluate.runs import Call, Run, run
    from helpers.evaluate.scores import Answer, Score, score, score_answer
    from helpers.evaluate.summary import Row, Summary, summarise

__all__ = [
    "Answer",
    "Call",
    "Proportion",
    "Row",
    "Run",
    "Score",
    "Summary",
    "run",
    "score",
    "score_answer",
    "summarise",
]

_MODULES = {
    "proportion": ["Proportion"],
    "runs": ["Call", "Run", "run"],
    "scores": ["Answer", "Score", "score", "score_answer"],
    "summary": ["Row", "Summary", "summarise"],
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
