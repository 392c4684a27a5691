"""Hosted models by their id, with one clear sentence for whatever goes wrong.

The same classes as LangChain's, with `helpers.models.translate.Translated` in front: a call that
fails raises an error of `helpers.models.errors` with the provider's own as its cause.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from helpers.models.errors import MissingKey, MissingPackage, UnknownModel
from helpers.models.translate import Translated, clearly

# The variable that holds a provider's key. Others are found out when the provider complains.
KEYS = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "google_genai": "GOOGLE_API_KEY",
    "mistralai": "MISTRAL_API_KEY",
    "groq": "GROQ_API_KEY",
    "cohere": "COHERE_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "together": "TOGETHER_API_KEY",
    "xai": "XAI_API_KEY",
}


def hosted_chat_model(name: str, **overrides: Any) -> BaseChatModel:
    """The chat model that `langchain.chat_models.init_chat_model` makes of an id.

    Raises:
        UnknownModel: the id does not say which provider it belongs to.
        MissingPackage: the provider's package is not installed.
        MissingKey: the provider's key is not set.
    """
    from langchain.chat_models import init_chat_model

    with _made("COURSE_MODEL", name):
        model: BaseChatModel = init_chat_model(name, **overrides)
        _require_key("COURSE_MODEL", name, overrides)
    model.__class__ = _translated(type(model))
    return model


def hosted_embeddings(name: str) -> Embeddings:
    """The embeddings that `langchain.embeddings.init_embeddings` makes of an id.

    Raises the same errors as `hosted_chat_model`.
    """
    from langchain.embeddings import init_embeddings

    with _made("COURSE_EMBEDDINGS", name):
        made = init_embeddings(name)
        _require_key("COURSE_EMBEDDINGS", name, {})
    if not isinstance(made, Embeddings):
        raise UnknownModel(f"COURSE_EMBEDDINGS={name} names no embedding model.")
    return HostedEmbeddings(made, name)


class HostedEmbeddings(Embeddings):
    """A provider's embeddings, whose failures are clear sentences."""

    def __init__(self, inner: Embeddings, model: str) -> None:
        self.inner = inner
        self.model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text, in order."""
        with clearly(self.model):
            return self.inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        with clearly(self.model):
            return self.inner.embed_query(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector for each text, in order."""
        with clearly(self.model):
            return await self.inner.aembed_documents(texts)

    async def aembed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        with clearly(self.model):
            return await self.inner.aembed_query(text)


@lru_cache(maxsize=32)
def _translated(kind: type[BaseChatModel]) -> type[BaseChatModel]:
    """The same chat model class with clear errors; its name stays, and so does its id in traces."""
    if kind._stream is BaseChatModel._stream:
        # LangChain asks a class whether it streams by looking for these methods.
        return kind
    return type(kind.__name__, (Translated, kind), {"__module__": kind.__module__})


def _require_key(variable: str, name: str, overrides: dict[str, Any]) -> None:
    key = KEYS.get(name.partition(":")[0], "")
    if key and not os.environ.get(key) and not {"api_key", key.lower()} & overrides.keys():
        raise _missing_key(variable, name)


@contextmanager
def _made(variable: str, name: str) -> Iterator[None]:
    """Turn what may go wrong when a provider's object is made into the course's errors."""
    try:
        yield
    except ImportError as error:
        found = re.search(r"pip install ([\w-]+)", str(error))
        package = found[1] if found else str(error.name or "the provider's package")
        raise MissingPackage(
            f"{variable}={name} needs the package {package}: install it into the course's "
            f"environment with `uv pip install {package}` or `python -m pip install {package}`."
        ) from error
    except (ValueError, TypeError) as error:
        if _about_key(error):
            raise _missing_key(variable, name) from error
        raise UnknownModel(
            f"{variable}={name} is no model id: write provider:model, for example "
            "openai:MODEL or ollama:MODEL, or local."
        ) from error
    except Exception as error:
        if _about_key(error):
            raise _missing_key(variable, name) from error
        raise


def _about_key(error: Exception) -> bool:
    return re.search(r"api[_ ]?key|credential|token.*(set|provide)", str(error), re.I) is not None


def _missing_key(variable: str, name: str) -> MissingKey:
    key = KEYS.get(name.partition(":")[0], "its provider's key variable")
    return MissingKey(f"{variable}={name} needs a key: set {key} to yours and start again.")
