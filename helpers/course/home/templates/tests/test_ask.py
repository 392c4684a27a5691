from langchain.messages import AIMessage
from langchain_core.language_models import GenericFakeChatModel

from ask import ask, stream


def replying(text: str) -> GenericFakeChatModel:
    """A model that says this once."""
    return GenericFakeChatModel(messages=iter([AIMessage(text)]))


def test_ask_returns_the_models_message() -> None:
    assert ask(replying("Pitch it on a slope."), "Where?").text == "Pitch it on a slope."


def test_stream_yields_the_answer_in_pieces() -> None:
    pieces = list(stream(replying("Pitch it on a slope."), "Where?"))
    assert len(pieces) > 1
    assert "".join(pieces) == "Pitch it on a slope."
