"""How the shop's search scores its own questions, for exercise 01.3."""

from functools import cache

from helpers.course.exercises.m01.retrievers import index
from helpers.shop import questions
from helpers.shop.questions import Part


@cache
def best_scores(part: Part) -> tuple[list[float], list[float]]:
    """The best passage's score for each question of a part: answerable, unanswerable."""

    def scores(*kinds: str) -> list[float]:
        asked = [one.question for one in questions(part) if one.kind in kinds]
        return [index().search(question, 1)[0].score for question in asked]

    return scores("single_fact", "conditional"), scores("unanswerable")
