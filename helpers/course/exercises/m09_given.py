"""What the lab gives: two pipelines to mend, and what they call."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the list of all exercises reads this file, and must not take seconds
    from langchain_core.language_models import BaseChatModel

    from helpers.agent import Retriever

# --- 09.1: a pipeline that nothing is traced of -------------------------------------------------

HOUSE_MODEL = "local"
"""The name under which the house model's price is known."""


@dataclass(frozen=True)
class Reply:
    """What the house model gives back: a text, and the tokens that it read and wrote."""

    text: str
    read: int
    written: int


async def house_model(prompt: str) -> Reply:
    """A model that LangChain does not know, so that nothing traces it by itself."""
    await asyncio.sleep(0.01)
    text = f"Our answer: {prompt.splitlines()[0]}"
    return Reply(text, read=len(prompt.split()), written=len(text.split()))


class Pipeline:
    """Answers one question: two searches at the same time, a draft for each, the longer one."""

    def documents(self, question: str) -> str:
        """What the documents say."""
        return f"By the documents on {question.split()[-1]}"

    def orders(self, question: str) -> str:
        """What the order book says."""
        return f"By the order book, for {question.split()[-1]}, shipped"

    async def draft(self, question: str, found: str) -> str:
        """An answer from what was found."""
        reply = await house_model(f"{found}\n\n{question}")
        return reply.text

    async def answer(self, question: str) -> str:
        """The answer that the customer reads."""
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda search: search(question), [self.documents, self.orders]))
        drafts = await asyncio.gather(*(self.draft(question, text) for text in found))
        return max(drafts, key=len)


# --- 09.6: a pipeline that costs too much -------------------------------------------------------

Answer = Callable[[str], str]

NEAR_ENOUGH = 0.78
"""The score of a passage below which this pipeline searches again."""


def prompt(text: str, question: str) -> Sequence[tuple[str, str]]:
    """The messages by which the model answers a question from a text."""
    return [
        ("system", "You answer questions by repeating the text."),
        ("user", "How big is the flask?\n\nBottles: The flask holds 1.5 litres."),
        ("assistant", "Bottles: The flask holds 1.5 litres."),
        ("user", f"{question}\n\n{text}"),
    ]


def make_pipeline(index: "Retriever", llm: "BaseChatModel") -> Answer:
    """A function from a customer's question to an answer; it lives for a day."""
    reviews = []

    def answer(question: str) -> str:
        other_words = llm.invoke(f"Say this in other words: {question}").text
        (passage,) = index.search(question, k=1)
        if passage.score < NEAR_ENOUGH:
            (passage,) = index.search(other_words, k=1)
        reply = llm.invoke(prompt(passage.excerpt, question)).text
        reviews.append(llm.invoke(f"{passage.text}\n\nIs this polite? {reply}").text)
        return reply

    return answer
