"""The model as a server of its own: it answers, tells its figures, and ends as a pod should."""

import os
import sys
from collections.abc import Iterator

import httpx2
import pytest

from helpers.deploy.image import FILES
from helpers.models.local import CHAT_MODEL
from helpers.paths import ROOT
from helpers.testbed import Process, process

QUESTION = {
    "model": CHAT_MODEL,
    "messages": [{"role": "user", "content": "Count from one to twenty in words."}],
    "max_tokens": 40,
    "stream": True,
}


@pytest.fixture
def server() -> Iterator[Process]:
    words = [sys.executable, str(FILES / "model_server.py"), "127.0.0.1", "{port}"]
    env = {"COURSE_SLOTS": "2", "COURSE_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with process(words, ready="/health", env=env) as one:
        yield one


@pytest.mark.skipif(os.name != "posix", reason="a pod is ended by SIGTERM")
def test_after_sigterm_it_finishes_the_answer_that_it_has_begun(server: Process) -> None:
    with httpx2.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        assert "llamacpp:requests_processing 0\n" in client.get("/metrics").text
        with client.stream("POST", "/v1/chat/completions", json=QUESTION) as reply:
            lines = reply.iter_lines()
            first = next(lines)
            server.popen.terminate()
            rest = [line for line in lines if line]
    assert first.startswith("data:")
    assert len(rest) > 20
    assert rest[-1] == "data: [DONE]"
    assert server.popen.wait(30) == 0, server.output()
