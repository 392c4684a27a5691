"""How well the agent answers: runs over golden questions, scores, rates with their intervals."""

from helpers.evaluate.runs import Call, Run, run
from helpers.evaluate.scores import Answer, Score, score, score_answer
from helpers.evaluate.summary import Proportion, Row, Summary, summarise

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
