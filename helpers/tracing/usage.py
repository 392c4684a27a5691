"""What a model run used, and what that cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from helpers.tracing.store.schema import PICO

if TYPE_CHECKING:  # half a second to import, and the service has to be quick to start
    from langchain_core.messages.ai import UsageMetadata

METERED_TYPES = ("llm", "embedding")
"""The types of runs whose tokens count; a chain repeats those of the models below it."""

Pricer = Callable[[str, "UsageMetadata"], float | None]
"""US dollars for what a model used; None where the model has no price."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model run; costs in picodollars, None without a price."""

    prompt_tokens: int
    completion_tokens: int
    details: dict[str, Any]
    prompt_cost: int | None = None
    completion_cost: int | None = None


def model_of(extra: Mapping[str, Any], outputs: Mapping[str, Any]) -> str | None:
    """The model's name: from the run's metadata, the answer, or the call's parameters."""
    metadata = _mapping(extra.get("metadata"))
    parameters = _mapping(extra.get("invocation_params"))
    found = metadata.get("ls_model_name")
    for message in _messages(outputs):
        found = found or _mapping(message.get("response_metadata")).get("model_name")
    found = found or _mapping(outputs.get("llm_output")).get("model_name")
    found = found or parameters.get("model") or parameters.get("model_name")
    return str(found) if found else None


def usage_of(extra: Mapping[str, Any], outputs: Mapping[str, Any]) -> Usage | None:
    """The tokens that a model run reports, where it reports them.

    LangChain writes them into the run's metadata and its messages, `traceable` functions into
    their outputs or, by `run.set(usage_metadata=...)`, into the metadata. A cost that the run
    states itself is taken as stated.
    """
    if whole := reported(extra, outputs):
        return _usage([whole])
    return _usage([_mapping(m.get("usage_metadata")) for m in _messages(outputs)])


def reported(extra: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a model run states of its usage as a whole, in its metadata or its outputs; or {}."""
    found = _mapping(_mapping(extra.get("metadata")).get("usage_metadata"))
    return found or _mapping(outputs.get("usage_metadata"))


def priced(usage: Usage, model: str | None, pricer: Pricer) -> Usage:
    """The usage with its costs, unless it states them or the model has no price."""
    if usage.prompt_cost is not None or model is None:
        return usage
    prompt = _UsageKey(usage.prompt_tokens, 0, _frozen(usage.details.get("input")), ())
    both = _UsageKey(
        usage.prompt_tokens,
        usage.completion_tokens,
        _frozen(usage.details.get("input")),
        _frozen(usage.details.get("output")),
    )
    total, share = _cost(pricer, model, both), _cost(pricer, model, prompt)
    if total is None or share is None:
        return usage
    return replace(usage, prompt_cost=share, completion_cost=total - share)


def course_prices(model: str, usage: "UsageMetadata") -> float | None:
    """The price by `helpers.models.prices`, which knows hosted models and the local one."""
    from helpers.models import prices
    from helpers.models.errors import UnknownPrice

    try:
        return prices.cost(model, usage)
    except UnknownPrice:
        return None


@dataclass(frozen=True, slots=True)
class _UsageKey:
    prompt: int
    completion: int
    input_details: tuple[tuple[str, int], ...]
    output_details: tuple[tuple[str, int], ...]


@lru_cache(maxsize=4096)
def _cost(pricer: Pricer, model: str, key: _UsageKey) -> int | None:
    metadata: UsageMetadata = {
        "input_tokens": key.prompt,
        "output_tokens": key.completion,
        "total_tokens": key.prompt + key.completion,
    }
    if key.input_details:
        metadata["input_token_details"] = dict(key.input_details)  # type: ignore[typeddict-item]
    if key.output_details:
        metadata["output_token_details"] = dict(key.output_details)  # type: ignore[typeddict-item]
    dollars = pricer(model, metadata)
    return None if dollars is None else round(dollars * PICO)


def _usage(reports: list[dict[str, Any]]) -> Usage | None:
    reports = [report for report in reports if report]
    if not reports:
        return None
    details: dict[str, dict[str, int]] = {}
    for side in ("input", "output"):
        for report in reports:
            for name, count in _mapping(report.get(f"{side}_token_details")).items():
                if isinstance(count, int):
                    counts = details.setdefault(side, {})
                    counts[name] = counts.get(name, 0) + count
    costs = [_stated_cost(report) for report in reports]
    stated = [cost for cost in costs if cost is not None]
    complete = len(stated) == len(reports)
    return Usage(
        sum(_count(report, "input_tokens") for report in reports),
        sum(_count(report, "output_tokens") for report in reports),
        details,
        sum(cost[0] for cost in stated) if complete else None,
        sum(cost[1] for cost in stated) if complete else None,
    )


def _stated_cost(report: Mapping[str, Any]) -> tuple[int, int] | None:
    """Both sides; a total without them would have to be split by guesswork."""
    prompt, completion = report.get("input_cost"), report.get("output_cost")
    if isinstance(prompt, int | float) and isinstance(completion, int | float):
        return round(prompt * PICO), round(completion * PICO)
    return None


def _count(report: Mapping[str, Any], name: str) -> int:
    found = report.get(name)
    return found if isinstance(found, int) and found > 0 else 0


def _messages(outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of the messages in a LangChain model's output."""
    found = []
    for batch in _list(outputs.get("generations")):
        for generation in _list(batch):
            message = _mapping(_mapping(generation).get("message"))
            fields = _mapping(message.get("kwargs")) or message
            if fields:
                found.append(fields)
    return found


def _frozen(details: Any) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(_mapping(details).items()))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
