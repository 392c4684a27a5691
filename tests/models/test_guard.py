"""The cost guard: it says the price first, and stops a hosted bulk run at the budget."""

from collections.abc import Callable
from typing import Any

import openai_shapes
import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from helpers.models import bulk_run, chat_model
from helpers.models.errors import BadSetting, OverBudget, UnknownPrice
from helpers.models.guard import budget_usd

# The shapes report 82 tokens read and 17 written: $0.0000225 a call of gpt-4o-mini.
CALL_USD = 82 * 0.15e-6 + 17 * 0.60e-6


@tool
def get_current_weather(location: str) -> str:
    """Get the current weather in a given location"""
    return f"{location}: sunny"


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-no")
    monkeypatch.delenv("COURSE_BUDGET_USD", raising=False)
    with openai_shapes.running() as (url, requests):
        monkeypatch.setenv("OPENAI_BASE_URL", url)

        def make(name: str = "gpt-4o-mini") -> Any:
            monkeypatch.setenv("COURSE_MODEL", f"openai:{name}")
            return chat_model(use_responses_api=False, max_retries=0)

        make.requests = requests  # type: ignore[attr-defined]
        yield make


def test_the_estimate_comes_first(
    hosted: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with bulk_run(hosted(), calls=1000, input_tokens=1000, output_tokens=100) as spending:
        assert capsys.readouterr().out == (
            "1000 calls to openai:gpt-4o-mini, about $0.21; stops at $1.00 (COURSE_BUDGET_USD).\n"
        )
    assert spending is not None
    assert (spending.usd, spending.calls) == (0, 0)


def test_it_counts_what_agents_spend_and_stops_before_the_budget_is_exceeded(
    hosted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_BUDGET_USD", "0.00012")
    agent = create_agent(hosted(), [get_current_weather])
    question = {"messages": [HumanMessage("How is the weather in Boston?")]}
    with bulk_run(hosted(), calls=60, input_tokens=82, output_tokens=17) as spending:
        for _ in range(2):
            agent.invoke(question)  # two calls to the model each
        with pytest.raises(OverBudget) as stopped:
            agent.invoke(question)
    assert str(stopped.value) == (
        "Stopped after 5 calls to openai:gpt-4o-mini and $0.000113: the next call would exceed "
        "the budget of $0.000120, so set COURSE_BUDGET_USD higher to go on."
    )
    assert spending is not None
    assert spending.calls == len(hosted.requests) == 5  # type: ignore[attr-defined]
    assert spending.usd == pytest.approx(5 * CALL_USD)
    # Outside the block nobody is watched.
    agent.invoke(question)


def test_parallel_and_streamed_calls_count_too(hosted: Callable[..., Any]) -> None:
    model = hosted()
    with bulk_run(model, calls=60, input_tokens=82, output_tokens=17) as spending:
        model.batch(["one", "two", "three"])
        list(model.stream("four", stream_usage=True))
        list(model.stream("five", stream_usage=False))  # no usage: counted as estimated
    assert spending is not None
    assert spending.calls == 5
    assert spending.usd == pytest.approx(5 * CALL_USD)


def test_the_local_model_is_free_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COURSE_MODEL", raising=False)
    with bulk_run(chat_model(), calls=10_000, input_tokens=999, output_tokens=999) as spending:
        pass
    assert spending is None
    assert capsys.readouterr().out == ""


def test_local_calls_inside_a_hosted_run_cost_nothing(
    hosted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with bulk_run(hosted(), calls=60, input_tokens=9, output_tokens=9) as spending:
        monkeypatch.setenv("COURSE_MODEL", "local")
        chat_model(max_tokens=2).invoke("Hello")
    assert spending is not None
    assert (spending.calls, spending.usd) == (0, 0)


def test_fifty_calls_are_no_bulk_run(hosted: Callable[..., Any]) -> None:
    with bulk_run(hosted(), calls=50, input_tokens=9, output_tokens=9) as spending:
        pass
    assert spending is None


def test_without_a_price_there_is_no_budget_to_keep(
    hosted: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (
        pytest.raises(UnknownPrice, match="set COURSE_BUDGET_USD=off"),
        bulk_run(hosted("own-model"), calls=60, input_tokens=9, output_tokens=9),
    ):
        pass
    monkeypatch.setenv("COURSE_BUDGET_USD", "off")
    with bulk_run(hosted("own-model"), calls=60, input_tokens=9, output_tokens=9) as spending:
        hosted("own-model").invoke("Hello")
    assert spending is not None
    assert spending.calls == 1
    assert capsys.readouterr().out == "60 calls to openai:own-model, without a budget.\n"


@pytest.mark.parametrize("value", ["much", "-1", "nan"])
def test_a_bad_budget_says_what_to_set(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("COURSE_BUDGET_USD", value)
    with pytest.raises(BadSetting, match=f"COURSE_BUDGET_USD is '{value}': set it to dollars"):
        budget_usd()
