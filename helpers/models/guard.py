"""The cost guard: a bulk run on a hosted model says what it will cost, and stops at a budget.

    with bulk_run(model, calls=140, input_tokens=600, output_tokens=80) as spending:
        ...  # any LangChain calls, agents included
    print(spending.usd)

More than 50 calls are a bulk run. The local model is free of it: nobody is billed for it.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tracers.context import register_configure_hook

from helpers.models import prices
from helpers.models.errors import BadSetting, OverBudget, UnknownPrice

BULK_CALLS = 50
DEFAULT_BUDGET_USD = 1.0


def budget_usd() -> float | None:
    """`COURSE_BUDGET_USD` in dollars, 1 when it is not set, None when it is "off"."""
    text = os.environ.get("COURSE_BUDGET_USD", "").strip().lower()
    if text == "off":
        return None
    try:
        value = float(text) if text else DEFAULT_BUDGET_USD
    except ValueError:
        value = -1
    if not value >= 0:
        raise BadSetting(
            f'COURSE_BUDGET_USD is {text!r}: set it to dollars, such as 2.50, or "off".'
        )
    return value


def _dollars(value: float) -> str:
    """Cents, and more digits for less than one."""
    return f"${value:.2f}" if value >= 0.01 or value == 0 else f"${value:.6f}"


def _name(model: BaseChatModel) -> tuple[str, bool]:
    """A chat model's id for its price, and whether it is the local one."""
    about = model._get_ls_params()
    provider, name = about.get("ls_provider", ""), about.get("ls_model_name", "")
    return (f"{provider}:{name}" if provider else name), provider == "local"


class Spending(BaseCallbackHandler):
    """Counts what the calls inside a bulk run cost, and stops them at the budget.

    Attributes:
        usd: dollars spent so far; a call whose provider reports no usage counts as estimated.
        calls: calls to hosted models so far.
    """

    raise_error = True
    run_inline = True

    def __init__(self, model: str, each: UsageMetadata, budget: float | None) -> None:
        self.usd = 0.0
        self.calls = 0
        self._model = model
        self._each = 0.0 if budget is None else prices.cost(model, each)
        self._budget = budget
        self._local: set[UUID] = set()
        self._lock = threading.Lock()

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Refuse a call that the rest of the budget does not pay for."""
        with self._lock:
            if (metadata or {}).get("ls_provider") == "local":
                self._local.add(run_id)
            elif self._budget is not None and self.usd + self._each > self._budget:
                raise OverBudget(
                    f"Stopped after {self.calls} calls to {self._model} and {_dollars(self.usd)}: "
                    f"the next call would exceed the budget of {_dollars(self._budget)}, so set "
                    "COURSE_BUDGET_USD higher to go on."
                )

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Add what a call cost."""
        with self._lock:
            if run_id in self._local:
                self._local.discard(run_id)
                return
            self.calls += 1
            if self._budget is not None:
                usage = _usage(response)
                self.usd += prices.cost(self._model, usage) if usage else self._each


def _usage(response: LLMResult) -> UsageMetadata | None:
    for generations in response.generations:
        for generation in generations:
            if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
                return generation.message.usage_metadata
    return None


_current: ContextVar[Spending | None] = ContextVar("course_spending", default=None)
register_configure_hook(_current, inheritable=True)


@contextmanager
def bulk_run(
    model: BaseChatModel, *, calls: int, input_tokens: int, output_tokens: int
) -> Iterator[Spending | None]:
    """Watch what the calls of the block cost; print the estimate first, stop at the budget.

    Args:
        model: the chat model that the calls go to.
        calls: how many calls are expected.
        input_tokens: expected tokens of one prompt.
        output_tokens: expected tokens of one answer.

    Yields:
        What is spent; None where no guard is needed: the local model, or at most 50 calls.

    Raises:
        OverBudget: from inside the block, before the call that the budget does not pay for.
        UnknownPrice: the model has no known price, so that no budget could be kept.
    """
    name, local = _name(model)
    if local or calls <= BULK_CALLS:
        yield None
        return
    each = UsageMetadata(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
    )
    budget = budget_usd()
    try:
        spending = Spending(name, each, budget)
    except UnknownPrice as error:
        raise UnknownPrice(
            f"No price is known for {name}, so that no budget can be kept for {calls} calls: set "
            "COURSE_BUDGET_USD=off to run them all the same."
        ) from error
    if budget is None:
        print(f"{calls} calls to {name}, without a budget.", flush=True)
    else:
        estimate = prices.cost(name, each) * calls
        print(
            f"{calls} calls to {name}, about {_dollars(estimate)}; stops at {_dollars(budget)} "
            "(COURSE_BUDGET_USD).",
            flush=True,
        )
    token = _current.set(spending)
    try:
        yield spending
    finally:
        _current.reset(token)
