"""A meter: what customers, conversations, intents, tools and models cost, while they cost it.

    meter = Meter()
    agent.invoke(question, {
        "configurable": {"thread_id": "conversation-7"},
        "metadata": {"customer": "C-1001", "intent": "delivery"},
        "callbacks": [meter],
    })
    pandas.DataFrame(meter.rows(by="customer"))

LangGraph copies `thread_id` from `configurable` into the runs' metadata; any other entry must be
given as metadata, or the meter does not see it.
"""

import heapq
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Literal, Protocol, get_args
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import LLMResult

from helpers.cost.prices import price
from helpers.models.errors import UnknownPrice

By = Literal["customer", "conversation", "intent", "tool", "model"]
NONE = "none"
"""The label of a call whose metadata name none, and of one that has to do with no tool."""
OTHER = "other"
"""Where the cheapest labels are added up when there are too many."""

_KEYS = ("customer", "thread_id", "intent")
_LABELS = get_args(By)
_TOOL = _LABELS.index("tool")
_LONGEST_LABEL = 200
_MOST_RUNNING = 10_000


class Price(Protocol):
    """`helpers.cost.prices.price`, or the method of a `PriceList`."""

    def __call__(self, model: str, usage: UsageMetadata, /) -> Decimal:
        """Dollars of the tokens; raises UnknownPrice."""
        ...


@dataclass
class Count:
    """What one label came to.

    Attributes:
        usd: of the calls whose price is known.
        tokens_in: read by models.
        tokens_out: written by models.
        calls: of models that ended, well or not; hits are not among them.
        hits: answers of LangChain's cache, which cost nothing.
        uncounted: calls that reported no usage: failed, cancelled, or a provider that sends none.
            What they cost is unknown, so the true cost is higher than `usd`.
        unpriced: calls with usage of a model without a known price.
        running: calls that have not ended yet.
        tool_calls: runs of tools.
        tool_errors: those that failed.
    """

    usd: Decimal = Decimal(0)
    tokens_in: int = 0
    tokens_out: int = 0
    calls: int = 0
    hits: int = 0
    uncounted: int = 0
    unpriced: int = 0
    running: int = 0
    tool_calls: int = 0
    tool_errors: int = 0

    def add(self, other: "Count") -> None:
        """Add all figures of another one."""
        for name in _FIGURES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


_FIGURES = tuple(field.name for field in fields(Count))


@dataclass(frozen=True)
class _Running:
    labels: tuple[str, ...]  # in the order of `By`
    started: float


class Meter(BaseCallbackHandler):
    """Counts dollars, tokens and calls of every run that it is a callback of.

    Thread-safe, and runs in the event loop itself (`run_inline`): it does nothing that waits. An
    unknown price does not stop an answer; the call is counted as `unpriced`, `unknown` says why,
    and `total` raises.
    """

    run_inline = True
    ignore_chain = True
    ignore_retriever = True
    ignore_custom_event = True

    def __init__(
        self,
        price: Price = price,
        *,
        most: int = 1000,
        lapse_s: float = 600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """An empty meter.

        Args:
            price: what tokens cost.
            most: labels kept of each kind. At twice as many, all but the costliest become "other".
            lapse_s: a call that has not ended after so many seconds is shown as uncounted; the
                end of a cancelled call is not reported to callbacks.
            clock: seconds; the default does not jump when the machine's clock is set.

        Raises ValueError for a `most` below 1 or a `lapse_s` that is not above 0.
        """
        if most < 1 or not lapse_s > 0:
            raise ValueError(f"most={most}, lapse_s={lapse_s}: give at least 1, and more than 0.")
        self._price = price
        self._most, self._lapse_s, self._clock = most, lapse_s, clock
        self._lock = threading.Lock()
        self._counts: dict[By, dict[str, Count]] = {name: {} for name in _LABELS}
        self._running: dict[UUID, _Running] = {}
        self._tools: dict[UUID, tuple[str, ...]] = {}
        self._unknown: dict[str, str] = {}

    @property
    def unknown(self) -> dict[str, str]:
        """Models whose calls could not be priced, each with what to do about it."""
        with self._lock:
            return dict(self._unknown)

    def total(self) -> Decimal:
        """All dollars so far.

        Raises:
            UnknownPrice: calls of these models are in no figure.
        """
        if unknown := self.unknown:
            raise UnknownPrice(
                f"The total is not known: {'; '.join(unknown.values())} The rows have what is."
            )
        with self._lock:
            return sum((each.usd for each in self._counts["model"].values()), Decimal(0))

    def rows(self, by: By) -> list[dict[str, Any]]:
        """A row a label, the costliest first, for `pandas.DataFrame`.

        Each has the label under the name `by` and the attributes of `Count`. `usd` is None where a
        call is unpriced.

        Raises ValueError for a `by` that does not exist.
        """
        if by not in _LABELS:
            raise ValueError(f"by={by!r}: give one of {', '.join(_LABELS)}.")
        place, now = _LABELS.index(by), self._clock()
        with self._lock:
            shown = {label: replace(count) for label, count in self._counts[by].items()}
            for call in self._running.values():
                count = shown.setdefault(self._known(by, call.labels[place]), Count())
                if now - call.started > self._lapse_s:
                    count.uncounted += 1
                    count.calls += 1
                else:
                    count.running += 1
        ordered = sorted(shown.items(), key=lambda item: (-item[1].usd, item[0]))
        return [
            {by: label, **vars(count), "usd": None if count.unpriced else count.usd}
            for label, count in ordered
        ]

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A call begins. The tool is the one whose result it reads, or that it is made inside."""
        self._start(run_id, parent_run_id, metadata or {}, _tools_read(messages[0]))

    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A call of a model without messages begins."""
        self._start(run_id, parent_run_id, metadata or {}, "")

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """A call has ended with an answer, of the model or of LangChain's cache."""
        self._end(response, run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A call has failed; what it reported before, it costs."""
        self._end(kwargs.get("response"), run_id)

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """A tool begins."""
        name = kwargs.get("name") or (serialized or {}).get("name") or NONE
        labels = (*_from(metadata or {}), _label(name), "")  # it is no model's
        with self._lock:
            self._add(labels, Count(tool_calls=1))
            self._tools[run_id] = labels
            _bound(self._tools)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has ended."""
        with self._lock:
            self._tools.pop(run_id, None)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool has failed."""
        with self._lock:
            if labels := self._tools.pop(run_id, None):
                self._add(labels, Count(tool_errors=1))

    def _start(
        self, run_id: UUID, parent: UUID | None, metadata: Mapping[str, Any], tool: str
    ) -> None:
        model, provider = metadata.get("ls_model_name"), metadata.get("ls_provider")
        name = f"{provider}:{model}" if provider and model and provider != "local" else model
        with self._lock:
            inside = self._tools.get(parent) if parent else None
            tool = inside[_TOOL] if inside else tool or NONE
            labels = (*_from(metadata), tool, _label(name))
            self._running[run_id] = _Running(labels, self._clock())
            while len(self._running) > _MOST_RUNNING:  # cancelled long ago
                lost = self._running.pop(next(iter(self._running)))
                self._add(lost.labels, Count(calls=1, uncounted=1))

    def _end(self, response: LLMResult | None, run_id: UUID) -> None:
        message = _message(response)
        usage = message.usage_metadata if message else None
        with self._lock:
            call = self._running.pop(run_id, None)
            if call is None:  # forgotten: counted as uncounted already
                return
            labels = call.labels
            if message and labels[_TOOL] == NONE and message.tool_calls:
                called = _names(each["name"] for each in message.tool_calls)
                labels = (*labels[:_TOOL], called, *labels[_TOOL + 1 :])
            if message and _from_cache(message, run_id):
                self._add(labels, Count(hits=1))
            elif not usage or not usage.get("total_tokens"):
                self._add(labels, Count(calls=1, uncounted=1))
            else:
                self._add(labels, self._paid(labels[-1], usage))

    def _paid(self, model: str, usage: UsageMetadata) -> Count:
        count = Count(calls=1, tokens_in=usage["input_tokens"], tokens_out=usage["output_tokens"])
        try:
            count.usd = self._price(model, usage)
        except (UnknownPrice, ValueError) as error:
            count.unpriced = 1
            if len(self._unknown) < self._most:
                self._unknown[model] = str(error)
        return count

    def _add(self, labels: Sequence[str], one: Count) -> None:
        for by, label in zip(_LABELS, labels, strict=True):
            if not label:
                continue
            counts = self._counts[by]
            if (count := counts.get(label)) is None:
                if len(counts) >= 2 * self._most:
                    self._counts[by] = counts = _costliest(counts, self._most)
                count = counts.setdefault(label, Count())
            count.add(one)

    def _known(self, by: By, label: str) -> str:
        counts = self._counts[by]
        return label if label in counts or len(counts) < 2 * self._most else OTHER


def _from(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_label(metadata.get(key)) for key in _KEYS)


def _label(value: object) -> str:
    return NONE if value is None or value == "" else str(value)[:_LONGEST_LABEL]


def _names(names: Any) -> str:
    return _label(", ".join(sorted(set(names))))


def _tools_read(messages: Sequence[BaseMessage]) -> str:
    """The tools whose results are at the end of the messages: this call reads them first."""
    names = []
    for message in reversed(messages):
        if not isinstance(message, ToolMessage):
            break
        names.append(message.name or NONE)
    return _names(names) if names else ""


def _message(response: LLMResult | None) -> AIMessage | None:
    """The first message of a result, which a failed stream may have in part."""
    for generations in response.generations if response else ():
        for each in generations:
            if isinstance(message := getattr(each, "message", None), AIMessage):
                return message
    return None


def _from_cache(message: AIMessage, run_id: UUID) -> bool:
    """Whether LangChain's cache gave this answer.

    It repeats the usage and sets `total_cost` to 0 in it, and it does so in the very object that
    the run that paid still has. So a message that bears this run's own id was paid.
    """
    if message.id and str(run_id) in message.id:
        return False
    usage: Mapping[str, Any] = message.usage_metadata or {}
    marked = usage.get("total_cost") == 0
    return marked or (message.id or "").startswith("lc_run--")


def _costliest(counts: dict[str, Count], most: int) -> dict[str, Count]:
    """The costliest labels, and the sum of the rest as "other"."""
    kept = dict(heapq.nlargest(most, counts.items(), key=lambda item: item[1].usd))
    rest = kept.setdefault(OTHER, Count())
    for label, count in counts.items():
        if label not in kept:
            rest.add(count)
    return kept


def _bound(runs: dict[UUID, Any]) -> None:
    while len(runs) > _MOST_RUNNING:
        del runs[next(iter(runs))]
