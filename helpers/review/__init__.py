"""The review: answers to the chapter's questions, judged by the evidence that they cite.

    review("Q1")                    shows a question, what a full answer has, and a template
    review("Q1", answer)            judges an answer, records the result and saves the answer
    Answer(text, evidence=STORED)   an answer with another home's evidence than your own `.course`
    model_answer("Q1")              a model answer, after a first one of your own
    practice("mcp")                 short questions for a heading of the chapter
    keep("speed", {...})            writes figures of your own as evidence
    keep_run(run)                   the same for a traced run

What is checked is what a text check can: parts, names, figures and their sources, a counter-case.
Whether the prose is right and clear, a reader judges by the rubric.
"""

from helpers.review.answer import STORED, Answer
from helpers.review.desk import model_answer, review
from helpers.review.keep import keep, keep_run
from helpers.review.practice import practice

__all__ = ["STORED", "Answer", "keep", "keep_run", "model_answer", "practice", "review"]
