"""The door: which model answers, by `COURSE_MODEL` and `COURSE_EMBEDDINGS`."""

import os
from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from helpers.loading import getting_ready

_LOCAL = {"", "local"}


def chat_model(**overrides: Any) -> BaseChatModel:
    """The course's chat model: the local one, or the one that `COURSE_MODEL` names.

    Args:
        overrides: fields of the LangChain chat model, such as `temperature` or `max_tokens`.

    Raises:
        ModelError: one clear sentence when the model cannot be had.
    """
    name = os.environ.get("COURSE_MODEL", "").strip()
    if name in _LOCAL:
        with getting_ready():  # the import alone takes seconds on a busy machine
            from helpers.models.chat import LocalChatModel

        return LocalChatModel(**overrides)
    with getting_ready():
        from helpers.models.providers import hosted_chat_model

    return hosted_chat_model(name, **overrides)


def embeddings() -> Embeddings:
    """The course's embeddings: local (384 numbers of length 1 a text), or `COURSE_EMBEDDINGS`.

    Raises:
        ModelError: one clear sentence when the model cannot be had.
    """
    name = os.environ.get("COURSE_EMBEDDINGS", "").strip()
    if name in _LOCAL:
        with getting_ready():
            from helpers.models.embed import LocalEmbeddings

        return LocalEmbeddings()
    with getting_ready():
        from helpers.models.providers import hosted_embeddings

    return hosted_embeddings(name)
