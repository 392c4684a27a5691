"""The meter, on real ChatOpenAI, agents and LangChain's cache, against a scripted server."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from helpers.cost.meter import Meter
from helpers.cost.prices import price
from helpers.models.errors import UnknownPrice
from helpers.testbed.openai_server import OpenAIServer, openai_server
from helpers.testbed.replies import CutOff, Fails, Reply

MODEL = "gpt-4o-mini"
USED = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
ONE = price(MODEL, USED)  # type: ignore[arg-type]


@pytest.fixture
def cache() -> Iterator[None]:
    set_llm_cache(InMemoryCache())
    yield
    set_llm_cache(None)


def chat(server: OpenAIServer, **more: Any) -> ChatOpenAI:
    settings = {"model": MODEL, "max_retries": 0, "stream_usage": True, **more}
    return ChatOpenAI(base_url=server.url, api_key="none", **settings)  # type: ignore[arg-type]


def only(meter: Meter, by: Any = "model") -> dict[str, Any]:
    (row,) = meter.rows(by=by)
    return row


@tool
def weigh(product: str) -> str:
    """Weigh a product."""
    if product == "air":
        raise ValueError("no such product")
    return "2.1 kg"


def test_an_agents_answer_by_customer_conversation_intent_and_tool() -> None:
    script: list[Reply] = [
        {"name": "weigh", "args": {"product": "tent"}},
        "It weighs 2.1 kg.",
        "Hello.",
    ]
    meter = Meter()
    config: Any = {
        "configurable": {"thread_id": "t-1"},
        "metadata": {"customer": "ada", "intent": "weight"},
        "callbacks": [meter],
    }
    with openai_server(script) as server:
        agent = create_agent(chat(server), [weigh])
        asked: Any = {"messages": "How heavy is it?"}
        for _ in agent.stream(asked, config, stream_mode="messages"):
            pass
        config["metadata"] = {"customer": "bob"}
        asyncio.run(agent.ainvoke(asked, config))
    ada, bob = (meter.rows(by="customer")[n] for n in (0, 1))
    assert (ada["customer"], ada["calls"], ada["tool_calls"]) == ("ada", 2, 1)
    assert (bob["customer"], bob["calls"], bob["tool_calls"]) == ("bob", 1, 0)
    assert ada["usd"] + bob["usd"] == meter.total() > 0
    tools = {row["tool"]: row for row in meter.rows(by="tool")}
    # Both the call that chose the tool and the one that read its result.
    assert (tools["weigh"]["calls"], tools["weigh"]["tool_calls"]) == (2, 1)
    assert tools["none"]["calls"] == 1
    assert only(meter, "conversation")["conversation"] == "t-1"
    assert [row["intent"] for row in meter.rows(by="intent")] == ["weight", "none"]
    assert only(meter)["model"] == f"openai:{MODEL}"


def test_a_streams_usage_comes_with_its_last_chunk() -> None:
    meter = Meter()
    with openai_server(["one two three four", "one two three four"]) as server:
        list(chat(server).stream("a b c", {"callbacks": [meter]}))
        streamed = only(meter)
        chat(server).invoke("a b c", {"callbacks": [meter]})
    assert (streamed["tokens_in"], streamed["tokens_out"]) == (3, 4)
    assert only(meter)["usd"] == 2 * streamed["usd"]


def test_a_stream_without_usage_is_uncounted() -> None:
    meter = Meter()
    with openai_server(["one two"]) as server:
        list(chat(server, stream_usage=False).stream("a", {"callbacks": [meter]}))
    assert (only(meter)["calls"], only(meter)["uncounted"], only(meter)["usd"]) == (1, 1, 0)


def test_every_attempt_counts() -> None:
    meter = Meter()
    with openai_server([Fails(500), CutOff("one two three", 1), "It is."]) as server:
        model = chat(server, streaming=True).with_retry(
            wait_exponential_jitter=False, stop_after_attempt=3
        )
        model.invoke("a b", {"callbacks": [meter]})
    row = only(meter)
    assert (row["calls"], row["uncounted"], row["tokens_out"]) == (3, 2, 2)


def test_what_a_failed_attempt_reported_is_paid() -> None:
    meter, run = Meter(), uuid.uuid4()
    meter.on_chat_model_start({}, [[]], run_id=run, metadata={"ls_model_name": MODEL})
    meter.on_llm_error(OSError("lost"), run_id=run, response=result(USED, run))
    assert only(meter)["usd"] == ONE


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("streaming", [False, True])
def test_a_hit_of_langchains_cache_costs_nothing(streaming: bool) -> None:
    meter = Meter()
    with openai_server(["one two three"]) as server:
        model = chat(server, streaming=streaming)
        for _ in range(3):
            model.invoke("a b", {"callbacks": [meter]})
        asyncio.run(model.ainvoke("a b", {"callbacks": [meter]}))
        assert len(server.requests) == 1
    row = only(meter)
    assert (row["calls"], row["hits"], row["tokens_out"]) == (1, 3, 3)


def result(usage: Any, run: uuid.UUID) -> LLMResult:
    message = AIMessage("It is.", usage_metadata=usage, id=f"lc_run--{run}")
    return LLMResult(generations=[[ChatGeneration(message=message)]])


def test_a_paid_call_is_paid_though_a_hit_has_marked_its_message_meanwhile() -> None:
    """The cache keeps the very object that the run which paid reports later."""
    meter, paid, hit = Meter(), uuid.uuid4(), uuid.uuid4()
    for run in (paid, hit):
        meter.on_chat_model_start({}, [[]], run_id=run, metadata={"ls_model_name": MODEL})
    marked = result({**USED, "total_cost": 0}, paid)
    meter.on_llm_end(marked, run_id=hit)
    meter.on_llm_end(marked, run_id=paid)
    assert (only(meter)["calls"], only(meter)["hits"], only(meter)["usd"]) == (1, 1, ONE)


def test_a_cancelled_call_is_uncounted_after_a_while() -> None:
    now = [0.0]
    meter = Meter(lapse_s=60, clock=lambda: now[0])

    async def leave(server: OpenAIServer) -> None:
        agent = create_agent(chat(server), [weigh])
        asked: Any = {"messages": "a"}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(agent.ainvoke(asked, {"callbacks": [meter]}), timeout=0.3)

    with openai_server(["one"], delay_s=2) as server:
        asyncio.run(leave(server))
    row = only(meter)
    assert row["running"] + row["uncounted"] == 1
    now[0] = 61
    assert (only(meter)["running"], only(meter)["uncounted"], only(meter)["calls"]) == (0, 1, 1)


def test_an_unknown_price_is_never_zero_and_stops_no_answer() -> None:
    meter = Meter()
    with openai_server(["one", "two"]) as server:
        assert chat(server, model="nobodys").invoke("a", {"callbacks": [meter]}).text == "one"
        chat(server).invoke("a", {"callbacks": [meter]})
    rows = {row["model"]: row for row in meter.rows(by="model")}
    unknown = rows["openai:nobodys"]
    assert (unknown["usd"], unknown["unpriced"], unknown["tokens_out"]) == (None, 1, 1)
    assert rows[f"openai:{MODEL}"]["usd"] > 0
    assert only(meter, "customer")["usd"] is None
    assert list(meter.unknown) == ["openai:nobodys"]
    with pytest.raises(UnknownPrice, match="openai:nobodys"):
        meter.total()


def test_a_failed_tool_is_counted() -> None:
    meter = Meter()
    with pytest.raises(ValueError, match="no such product"):
        weigh.invoke({"product": "air"}, {"callbacks": [meter]})
    row = only(meter, "tool")
    assert (row["tool"], row["tool_calls"], row["tool_errors"]) == ("weigh", 1, 1)
    assert meter.rows(by="model") == []


def call(meter: Meter, customer: str) -> None:
    run = uuid.uuid4()
    about = {"ls_model_name": MODEL, "customer": customer}
    meter.on_chat_model_start({}, [[]], run_id=run, metadata=about)
    meter.on_llm_end(result(USED, run), run_id=run)


def test_threads_lose_nothing() -> None:
    meter = Meter()

    def many(number: int) -> None:
        for _ in range(200):
            call(meter, f"c{number % 3}")

    threads = [threading.Thread(target=many, args=[number]) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert meter.total() == 1600 * ONE
    assert sum(row["calls"] for row in meter.rows(by="customer")) == 1600


def test_many_customers_take_bounded_memory_and_the_costliest_stay() -> None:
    meter = Meter(most=10)
    for number in range(500):
        call(meter, f"guest-{number}")
        call(meter, "ada")
    rows = meter.rows(by="customer")
    assert len(rows) <= 20
    assert {rows[0]["customer"], rows[1]["customer"]} == {"ada", "other"}
    assert next(row["calls"] for row in rows if row["customer"] == "ada") == 500
    assert sum(row["usd"] for row in rows) == meter.total() == 1000 * ONE


def test_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="give one of customer"):
        Meter().rows(by="user")  # type: ignore[arg-type]
    for bad in ({"most": 0}, {"lapse_s": 0.0}, {"lapse_s": float("nan")}):
        with pytest.raises(ValueError, match="at least 1"):
            Meter(**bad)
