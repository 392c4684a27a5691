"""How well the agent answers: runs over golden questions, scores, rates with their intervals.

The names below are imported when they are first used, so that what only reads files of evidence
(`course ship-check`) enters no other room. Functions that are called as their module is, such as
`compare`, come from the module: `from helpers.evaluate.compare import compare`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.evaluate.agreement import auc, choose_threshold, corrected_rate
    from helpers.evaluate.bootstrap import bootstrap_mean, paired_bootstrap
    from helpers.evaluate.compare import (
        Comparison,
        Slice,
        difference,
        holm,
        mcnemar,
        slices,
        tags,
        verdicts,
    )
    from helpers.evaluate.estimate import Estimate
    from helpers.evaluate.judge import Judge, Verdict
    from helpers.evaluate.labelled import Labelled, halves, labelled_answers
    from helpers.evaluate.proportion import Proportion
    from helpers.evaluate.runs import Call, Run, run
    from helpers.evaluate.sample_size import (
        power_paired,
        questions_needed,
        questions_needed_unpaired,
    )
    from helpers.evaluate.scores import Answer, Score, score, score_answer
    from helpers.evaluate.summary import Row, Summary, summarise
    from helpers.evaluate.version import Version, current_version

__all__ = [
    "Answer",
    "Call",
    "Comparison",
    "Estimate",
    "Judge",
    "Labelled",
    "Proportion",
    "Row",
    "Run",
    "Score",
    "Slice",
    "Summary",
    "Verdict",
    "Version",
    "auc",
    "bootstrap_mean",
    "choose_threshold",
    "corrected_rate",
    "current_version",
    "difference",
    "halves",
    "holm",
    "labelled_answers",
    "mcnemar",
    "paired_bootstrap",
    "power_paired",
    "questions_needed",
    "questions_needed_unpaired",
    "run",
    "score",
    "score_answer",
    "slices",
    "summarise",
    "tags",
    "verdicts",
]

_MODULES = {
    "agreement": ["auc", "choose_threshold", "corrected_rate"],
    "bootstrap": ["bootstrap_mean", "paired_bootstrap"],
    "compare": [
        "Comparison",
        "Slice",
        "difference",
        "holm",
        "mcnemar",
        "slices",
        "tags",
        "verdicts",
    ],
    "estimate": ["Estimate"],
    "judge": ["Judge", "Verdict"],
    "labelled": ["Labelled", "halves", "labelled_answers"],
    "proportion": ["Proportion"],
    "runs": ["Call", "Run", "run"],
    "sample_size": ["power_paired", "questions_needed", "questions_needed_unpaired"],
    "scores": ["Answer", "Score", "score", "score_answer"],
    "summary": ["Row", "Summary", "summarise"],
    "version": ["Version", "current_version"],
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
