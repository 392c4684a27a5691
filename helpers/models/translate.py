"""Turns the exceptions of providers into the one-sentence errors of `helpers.models.errors`."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langchain_core.outputs import ChatGenerationChunk, ChatResult

from helpers.models import errors

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel as _Base
else:
    _Base = object

# By the name of a class or of one of its bases: LangChain's own kinds, those that the SDKs of
# OpenAI, Anthropic and others share, and those of their HTTP clients. Names spare the imports.
# The first row that fits wins, so a timeout comes before the connection error it derives from.
_KINDS: tuple[tuple[type[errors.ModelError], frozenset[str], str], ...] = (
    (
        errors.ContextOverflow,
        frozenset({"ContextOverflowError"}),
        "The request is longer than the context of the model {model} ({detail}): send less text.",
    ),
    (
        errors.RequestTimedOut,
        frozenset({"APITimeoutError", "ModelTimeoutError", "TimeoutException", "TimeoutError"}),
        "The model {model} did not answer in time: try again, or pass a longer timeout.",
    ),
    (
        errors.Unreachable,
        frozenset(
            {"APIConnectionError", "ModelConnectionError", "ConnectionError", "TransportError"}
        ),
        "The model {model} cannot be reached{where}: check the address and that it runs.",
    ),
    (
        errors.KeyRefused,
        frozenset(
            {
                "AuthenticationError",
                "PermissionDeniedError",
                "ModelAuthenticationError",
                "ModelPermissionDeniedError",
            }
        ),
        "The provider of {model} refused the key ({detail}): check the key and what it may use.",
    ),
    (
        errors.UnknownModel,
        frozenset({"NotFoundError", "ModelNotFoundError"}),
        "The provider does not know the model {model} ({detail}): check its name.",
    ),
    (
        errors.Unfinished,
        frozenset({"LengthFinishReasonError"}),
        "The model {model} ran out of tokens before it had finished: raise max_tokens, or give "
        "the schema fewer or shorter fields (maxLength, maxItems).",
    ),
    (
        errors.RateLimited,
        frozenset({"RateLimitError", "ModelRateLimitError"}),
        "The provider of {model} wants fewer requests ({detail}): wait, or check your quota.",
    ),
    (
        errors.ProviderFailed,
        frozenset({"InternalServerError", "ModelAPIError"}),
        "The provider of {model} failed ({detail}): try again later.",
    ),
    (
        errors.RequestRefused,
        frozenset({"BadRequestError", "UnprocessableEntityError", "ModelInvalidRequestError"}),
        "The provider of {model} refused the request ({detail}): change it and try again.",
    ),
    (
        errors.ProviderFailed,
        # A chunk that is no JSON has no name of its own in OpenAI's library.
        frozenset({"APIError", "ResponseError", "JSONDecodeError"}),
        "The provider of {model} failed ({detail}): try again later.",
    ),
)
_OVERFLOW = re.compile(
    r"exceeds? the (?:available )?context|context_length_exceeded|maximum context length"
    r"|prompt is too long",
    re.IGNORECASE,
)
_LONGEST_DETAIL = 160


def translate(error: Exception, model: str, where: str = "") -> errors.ModelError | None:
    """The course's error for a provider's exception, or None when it is not a provider's.

    Args:
        error: the exception.
        model: the model's name, for the sentence.
        where: the address, for the sentence.
    """
    if isinstance(error, errors.ModelError):
        return error
    names = {base.__name__ for base in type(error).__mro__}
    if "BadRequestError" in names and _OVERFLOW.search(str(error)):
        names = {"ContextOverflowError"}
    for kind, known, sentence in _KINDS:
        if known & names:
            place = f" at {where}" if where else ""
            return kind(sentence.format(model=model, detail=_detail(error), where=place))
    return None


def _detail(error: Exception) -> str:
    """What the provider said, on one line and not too long."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    line = " ".join(str(said or error).split()).rstrip(".")
    return line if len(line) <= _LONGEST_DETAIL else f"{line[:_LONGEST_DETAIL]}..."


@contextmanager
def clearly(model: str, where: str = "") -> Iterator[None]:
    """Raise the course's error instead of a provider's, with the provider's as its cause."""
    try:
        yield
    except Exception as error:
        clear = translate(error, model, where)
        if clear is None or clear is error:
            raise
        raise clear from error


class Translated(_Base):
    """Put in front of a LangChain chat model's class: every failure is one clear sentence."""

    __slots__ = ()

    def _clearly(self) -> Any:
        name = getattr(self, "model_name", None) or getattr(self, "model", "") or self._llm_type
        return clearly(str(name), str(getattr(self, "openai_api_base", None) or ""))

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        with self._clearly():
            return super()._generate(*args, **kwargs)  # type: ignore[safe-super]

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        with self._clearly():
            return await super()._agenerate(*args, **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        with self._clearly():
            yield from super()._stream(*args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        with self._clearly():
            async for chunk in super()._astream(*args, **kwargs):
                yield chunk
