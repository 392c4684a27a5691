# ruff: noqa: N818 (errors are named after what happened, not after what they are)
"""What can go wrong between the course and a model, each kind with a class and a clear sentence.

The classes extend LangChain's own (`langchain_core.exceptions`), so that its middleware knows
which failures are worth a second try. Every message is one sentence that says what to do next;
the provider's exception stays reachable as `__cause__`.
"""

from langchain_core import exceptions as langchain


class ModelError(langchain.ModelError):
    """Something between the course and a model went wrong; the message says what to do."""


class WeightsError(ModelError):
    """A model file is missing, or its SHA-256 is not the one that the course was written with."""


class ForkedProcess(ModelError):
    """A local server was made before this process was forked; its threads do not exist here."""


class MissingPackage(ModelError):
    """The provider's LangChain package is not installed."""


class MissingKey(ModelError, langchain.ModelAuthenticationError):
    """The provider's key variable is not set."""


class KeyRefused(ModelError, langchain.ModelAuthenticationError):
    """The provider answered that the key is not valid or has no right to this model."""


class Unreachable(ModelError, langchain.ModelConnectionError):
    """Nobody answers at the provider's address."""


class UnknownModel(ModelError, langchain.ModelNotFoundError):
    """The provider, or LangChain, does not know this model id."""


class ContextOverflow(ModelError, langchain.ContextOverflowError):
    """The request holds more tokens than the model's context."""


class RequestTimedOut(ModelError, langchain.ModelTimeoutError):
    """The model did not answer in time."""


class Unfinished(ModelError):
    """The model reached its token limit before it had finished what must be whole."""


class RateLimited(ModelError, langchain.ModelRateLimitError):
    """The provider asks for fewer requests, or the account's quota is used up."""


class ProviderFailed(ModelError, langchain.ModelAPIError):
    """The provider reports a failure of its own."""


class RequestRefused(ModelError, langchain.ModelInvalidRequestError):
    """The provider refused the request for another reason, which the message repeats."""


class EmptyPrompt(ModelError, langchain.ModelInvalidRequestError):
    """The request holds no text."""


class BadSetting(ModelError):
    """A `COURSE_*` variable holds a value that cannot be used."""


class BadTool(ModelError):
    """What a tool says about itself for the local model cannot be used."""


class UnknownPrice(ModelError):
    """No price is known for this model; a cost of zero would be a lie."""


class OverBudget(ModelError):
    """A bulk run on a hosted model reached, or would exceed, the learner's budget."""
