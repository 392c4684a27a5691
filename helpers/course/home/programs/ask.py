# Written by `course build` from notebooks/src/00_start_here.py: edit it there.

from collections.abc import Iterator

from langchain.chat_models import BaseChatModel
from langchain.messages import AIMessage


def ask(model: BaseChatModel, question: str) -> AIMessage:
    """The model's message in reply to a question: its text, and the tokens that it took."""
    return model.invoke(question)


def stream(model: BaseChatModel, question: str) -> Iterator[str]:
    """The words of the reply, as the model writes them."""
    for chunk in model.stream(question):
        yield chunk.text
