"""What a model call costs, in US dollars.

Hosted prices come from `genai-prices`, whose table is part of the package: of its peers, litellm
and tokencost fetch theirs from the network when they are imported, and pricetoken's has 21 models
where this has some 2,300. It raises on a model that it does not know, and so does this module.

The local model has no bill, so it is charged for its processor time: measured CPU seconds per
token at a stated price per CPU-hour. That makes a cent here comparable with a cent there.
"""

from langchain_core.messages.ai import UsageMetadata

from helpers.models.errors import UnknownPrice
from helpers.models.local import CHAT_MODEL

# A shared virtual core of the large clouds, on demand; set this to what yours costs.
CPU_HOUR_USD = 0.04

# CPU seconds per token on one thread (x86-64 server cores, 2026-11-23, llama.cpp as locked),
# measured by tests/benchmarks/local_model_speed.py: medians 4.5 and 8.5 ms, runs within 10%.
READ_SECONDS = 0.0045
WRITE_SECONDS = 0.0085


def cost(model: str, usage: UsageMetadata) -> float:
    """The cost of the tokens of one or more calls, in US dollars.

    Args:
        model: the local model's name or "local"; or a hosted model as `COURSE_MODEL` names it
            ("provider:model"), or its bare name.
        usage: LangChain's usage metadata. Tokens read from or written to a provider's prompt
            cache are priced as such. A cached prompt of the local model costs nothing to read.

    Raises:
        UnknownPrice: no price is known for this model.
    """
    if model in {"local", CHAT_MODEL}:
        cached = (usage.get("input_token_details") or {}).get("cache_read") or 0
        read = usage["input_tokens"] - cached
        seconds = read * READ_SECONDS + usage["output_tokens"] * WRITE_SECONDS
        return seconds * CPU_HOUR_USD / 3600
    return _hosted(model, usage)


def _hosted(model: str, usage: UsageMetadata) -> float:
    from genai_prices import Usage, calc_price

    provider, separator, name = model.partition(":")
    details_in = usage.get("input_token_details") or {}
    details_out = usage.get("output_token_details") or {}
    counted = Usage(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cache_read_tokens=details_in.get("cache_read"),
        cache_write_tokens=details_in.get("cache_creation"),
        input_audio_tokens=details_in.get("audio"),
        output_audio_tokens=details_out.get("audio"),
    )
    try:
        if separator:
            found = calc_price(counted, model_ref=name, provider_id=provider)
        else:
            found = calc_price(counted, model_ref=model)
    except LookupError as error:
        raise UnknownPrice(
            f"No price is known for the model {model!r}: check the name, or update the package "
            "genai-prices; the course never counts an unknown price as zero."
        ) from error
    return float(found.total_price)
