"""The local servers: one of each kind, loopback only, quiet, gone with the process."""

import os
import re
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from helpers.models import local
from helpers.models.chat import LocalChatModel
from helpers.models.embed import LocalEmbeddings
from helpers.models.errors import BadSetting, ContextOverflow
from helpers.models.settings import Settings
from helpers.paths import ROOT


def _post(path: str, body: dict[str, Any]) -> dict[str, Any]:
    with httpx2.Client(trust_env=False, timeout=60) as client:
        reply: dict[str, Any] = client.post(local.chat_server().url + path, json=body).json()
    return reply


def test_many_threads_get_one_server_of_each_kind() -> None:
    found: list[local.LocalServer] = []
    threads = [threading.Thread(target=lambda: found.append(local.chat_server())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(server) for server in found}) == 1
    assert local.embedding_server() is local.embedding_server()


def test_servers_listen_on_loopback_only() -> None:
    ports = {urlsplit(s.url).port for s in (local.chat_server(), local.embedding_server())}
    listening = [
        connection.laddr
        for connection in psutil.Process().net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == ports


def test_the_url_speaks_the_openai_api_under_the_models_name() -> None:
    reply = _post(
        "/chat/completions",
        {"messages": [{"role": "user", "content": "Say hello"}], "max_tokens": 4},
    )
    assert reply["model"] == "smollm2-135m-instruct"
    assert reply["usage"]["completion_tokens"] == 4


@pytest.mark.slow
def test_the_same_prompt_gives_the_same_bytes_in_another_process_and_with_more_threads() -> None:
    program = (
        "from helpers.models import chat_model\n"
        "for topic in ('a river', 'bicycles'):\n"
        "    print(repr(chat_model(max_tokens=10).invoke(f'Tell me about {topic}.').text))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "COURSE_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [
        repr(LocalChatModel(max_tokens=10).invoke(f"Tell me about {topic}.").text)
        for topic in ("a river", "bicycles")
    ]
    assert run.stdout.splitlines() == here
    # Nothing else is said: no log of the engine, no warning at the end of the process.
    assert run.stderr == ""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_child_gets_a_clear_error() -> None:
    program = (
        "import os\n"
        "from helpers.models import chat_model, embeddings\n"
        "model = chat_model(max_tokens=2); model.invoke('hello'); embeddings().embed_query('x')\n"
        "if os.fork() == 0:\n"
        "    for use in (lambda: model.invoke('hello'), lambda: embeddings().embed_query('x')):\n"
        "        try: use()\n"
        "        except Exception as error: print(type(error).__name__, error, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "print(len(model.invoke('hello').text) > 0)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ForkedProcess", "ForkedProcess", "True"]
    assert 'multiprocessing.get_context("spawn")' in lines[0]


def test_a_stopped_server_is_unreachable_and_a_new_model_answers() -> None:
    # In a process of its own: other tests of this one keep their models.
    program = (
        "from helpers.models import chat_model, local\n"
        "model = chat_model(max_tokens=4)\n"
        "local.stop()\n"
        "try: model.invoke('Hello')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "print(len(chat_model(max_tokens=4).invoke('Hello').text) > 0)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    refused, answered = run.stdout.splitlines()
    assert re.match(r"Unreachable .*cannot be reached at http://127\.0\.0\.1:\d+/v1", refused)
    assert answered == "True"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("THREADS", "SLOTS", "CONTEXT", "SEED", "PROMPT_CACHE"):
        monkeypatch.delenv(f"COURSE_{name}", raising=False)
    default = Settings.from_environment()
    assert (default.slots, default.context, default.seed) == (1, 4096, 0)
    assert default.prompt_cache is False
    assert 1 <= default.threads <= 4
    monkeypatch.setenv("COURSE_THREADS", "3")
    monkeypatch.setenv("COURSE_SLOTS", "4")
    monkeypatch.setenv("COURSE_CONTEXT", "1024")
    monkeypatch.setenv("COURSE_SEED", "7")
    monkeypatch.setenv("COURSE_PROMPT_CACHE", "on")
    assert Settings.from_environment() == Settings(3, 4, 1024, 7, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COURSE_THREADS", "0"),
        ("COURSE_THREADS", "two"),
        ("COURSE_SLOTS", "-1"),
        ("COURSE_CONTEXT", "16"),
        ("COURSE_SEED", "1.5"),
        ("COURSE_PROMPT_CACHE", "maybe"),
    ],
)
def test_a_bad_setting_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=rf"{name} is '{value}': set it to"):
        Settings.from_environment()


def test_embeddings_are_one_unit_vector_a_text_in_order() -> None:
    texts = [f"sentence number {number}" for number in range(70)]
    together = LocalEmbeddings().embed_documents(texts)
    assert {len(vector) for vector in together} == {384}
    assert all(abs(sum(x * x for x in vector) - 1) < 1e-6 for vector in together)
    alone = LocalEmbeddings().embed_query(texts[66])
    assert sum(a * b for a, b in zip(alone, together[66], strict=True)) > 0.9999
    assert LocalEmbeddings().embed_documents([]) == []


def test_a_text_too_long_to_embed_is_an_error_not_a_cut() -> None:
    with pytest.raises(ContextOverflow, match=r"702 tokens.*split it into shorter pieces"):
        LocalEmbeddings().embed_documents(["short", "word " * 700])
