"""LangChain's own tests for chat models and embeddings, against the real local models."""

from typing import Any

import pytest
from langchain_tests.integration_tests import (
    ChatModelIntegrationTests,
    EmbeddingsIntegrationTests,
)
from langchain_tests.unit_tests import ChatModelUnitTests

from helpers.models.chat import LocalChatModel
from helpers.models.embed import LocalEmbeddings


class _Capabilities:
    @property
    def chat_model_class(self) -> type[LocalChatModel]:
        return LocalChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {}

    @property
    def supports_image_inputs(self) -> bool:
        return False  # the model reads text only

    @property
    def supports_image_urls(self) -> bool:
        return False  # the model reads text only

    @property
    def supports_image_tool_message(self) -> bool:
        return False  # the model reads text only

    @property
    def supports_pdf_inputs(self) -> bool:
        return False  # the model reads text only

    @property
    def supports_pdf_tool_message(self) -> bool:
        return False  # the model reads text only

    @property
    def supports_audio_inputs(self) -> bool:
        return False  # the model reads text only

    @property
    def supports_video_inputs(self) -> bool:
        return False  # the model reads text only

    @property
    def supports_anthropic_inputs(self) -> bool:
        return False  # blocks in Anthropic's own format are for Anthropic's models

    @property
    def supports_json_mode(self) -> bool:
        return False  # the model does not keep to keys that only the prompt names

    @property
    def has_tool_choice(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return False  # the server holds one model, whatever name a request gives

    @property
    def enable_vcr_tests(self) -> bool:
        return False  # there is no remote service whose answers could be recorded


@pytest.mark.slow
class TestChatUnit(_Capabilities, ChatModelUnitTests):
    pass


@pytest.mark.slow
class TestChat(_Capabilities, ChatModelIntegrationTests):
    pass


class TestEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[LocalEmbeddings]:
        return LocalEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {}
