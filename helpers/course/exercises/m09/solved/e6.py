# Written by `course build` from solutions/src/09_trace_with_langsmith.py: change it there.
# The exercise's own cell.
from collections.abc import Callable

from langchain_core.language_models import BaseChatModel

from helpers.agent import Retriever


def make_pipeline(
    index: Retriever, llm: BaseChatModel, near_enough: float
) -> Callable[[str], str]:
    """A function from a customer's question to an answer; it lives for a day."""
    replies = {}

    def answer(question):
        if question in replies:
            return replies[question]
        (passage,) = index.search(question, k=1)
        if passage.score < near_enough:
            other_words = llm.invoke(f"Say this in other words: {question}").text
            (passage,) = index.search(other_words, k=1)
        replies[question] = llm.invoke([
            ("system", "You answer questions by repeating the text."),
            ("user", "How big is the flask?\n\nBottles: The flask holds 1.5 litres."),
            ("assistant", "Bottles: The flask holds 1.5 litres."),
            ("user", f"{question}\n\n{passage.excerpt}"),
        ]).text
        return replies[question]

    return answer
ANSWER = make_pipeline
