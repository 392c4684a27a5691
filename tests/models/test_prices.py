"""What calls cost: hosted by name, local by CPU time, and never an unknown zero."""

import socket

import pytest
from langchain_core.messages.ai import UsageMetadata

from helpers.models import prices
from helpers.models.errors import UnknownPrice

MILLION = 1_000_000


def _usage(read: int, written: int, **details: int) -> UsageMetadata:
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    if details:
        usage["input_token_details"] = details  # type: ignore[typeddict-item]
    return usage


def test_the_local_model_costs_its_cpu_time() -> None:
    # 1000 x 4.5 ms + 100 x 8.5 ms = 5.35 CPU seconds at $0.04 an hour
    expected = 5.35 * 0.04 / 3600
    assert prices.cost("local", _usage(1000, 100)) == pytest.approx(expected)
    assert prices.cost("smollm2-135m-instruct", _usage(1000, 100)) == pytest.approx(expected)
    assert prices.cost("local", _usage(0, 0)) == 0


def test_a_cached_prompt_of_the_local_model_is_not_charged_again() -> None:
    fresh = prices.cost("local", _usage(1000, 0))
    assert prices.cost("local", _usage(1000, 0, cache_read=900)) == pytest.approx(fresh / 10)


def test_a_hosted_model_is_found_with_and_without_its_provider() -> None:
    named = prices.cost("openai:gpt-4o-mini", _usage(MILLION, MILLION))
    assert named == pytest.approx(0.75)  # $0.15 and $0.60 a million tokens
    assert prices.cost("gpt-4o-mini", _usage(MILLION, MILLION)) == named


def test_tokens_from_a_providers_cache_are_cheaper() -> None:
    full = prices.cost("openai:gpt-4o-mini", _usage(MILLION, 0))
    half = prices.cost("openai:gpt-4o-mini", _usage(MILLION, 0, cache_read=MILLION))
    assert half == pytest.approx(full / 2)


@pytest.mark.parametrize("name", ["nonsense", "openai:nonsense", "ollama:llama3", "", ":"])
def test_an_unknown_price_is_an_error_never_zero(name: str) -> None:
    with pytest.raises(UnknownPrice, match="No price is known for the model"):
        prices.cost(name, _usage(10, 10))


def test_prices_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("prices opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert prices.cost("anthropic:claude-3-5-haiku-latest", _usage(MILLION, 0)) > 0
