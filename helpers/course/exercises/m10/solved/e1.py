# Written by `course build` from solutions/src/10_cut_the_cost.py: change it there.
# The exercise's own cell.
import threading
from collections import Counter
from decimal import Decimal
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import LLMResult

Price = tuple[Decimal, Decimal, Decimal]  # a million tokens: read, read from a cache, written


class Meter(BaseCallbackHandler):
    """Counts model calls, and what they cost."""

    def __init__(self, prices: dict[str, Price]) -> None:
        self.prices = prices
        self.dollars = Decimal(0)
        self.counted = self.cached = self.uncounted = 0
        self.unknown: Counter[str] = Counter()
        self.lock = threading.Lock()

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Count an answer."""
        message = response.generations[0][0].message
        usage, model = message.usage_metadata, message.response_metadata.get("model_name")
        with self.lock:
            if usage is None:
                self.uncounted += 1
            elif "total_cost" in usage:
                self.cached += 1
            elif model not in self.prices:
                self.unknown[model] += 1
            else:
                self.counted += 1
                self.dollars += self.cost(usage, *self.prices[model])

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Count a call that failed."""
        with self.lock:
            self.uncounted += 1

    def cost(self, usage: UsageMetadata, read: Decimal, again: Decimal, wrote: Decimal) -> Decimal:
        """What an answer costs, in dollars."""
        cached = usage.get("input_token_details", {}).get("cache_read", 0)
        fresh = usage["input_tokens"] - cached
        return (fresh * read + cached * again + usage["output_tokens"] * wrote) / 1_000_000
ANSWER = Meter
