"""The service as a process: it starts or says why not, and stops without losing a stream."""

import os
import signal
import subprocess
import sys
import threading
import time

import httpx2
import pytest

from helpers.paths import ROOT
from helpers.service.check.fake_model import FakeModel
from helpers.service.check.process import ServiceDied, service_process
from tests.service.serving import QUESTION, events

pytestmark = pytest.mark.slow


def test_streams_finish_through_sigterm_and_then_the_process_ends_well(model: FakeModel) -> None:
    model.chunks, model.seconds = 20, 0.1
    with service_process(model.url, path="plain") as service:
        headers = {"Authorization": f"Bearer {service.key}"}
        with httpx2.Client(base_url=service.url, headers=headers, timeout=30) as client:
            ask = {"json": QUESTION}
            with client.stream("POST", "/v1/chat/stream", **ask) as reply:
                lines = reply.iter_lines()
                first = next(lines)
                service.process.send_signal(signal.SIGTERM)
                time.sleep(0.3)
                with pytest.raises(httpx2.TransportError):  # no new ones
                    httpx2.post(f"{service.url}/v1/chat", headers=headers, timeout=5, **ask)
                text = "\n".join([first, *lines])
        assert events(text)[-1][0] == "done"
        assert service.process.wait(20) == 0


def test_a_stream_that_takes_too_long_is_told_so_at_the_end(model: FakeModel) -> None:
    model.chunks, model.seconds = 1000, 0.1
    with service_process(model.url, path="plain", settings={"shutdown_seconds": "1"}) as service:
        headers = {"Authorization": f"Bearer {service.key}"}
        with (
            httpx2.Client(base_url=service.url, headers=headers, timeout=30) as client,
            client.stream("POST", "/v1/chat/stream", json=QUESTION) as reply,
        ):
            threading.Timer(0.3, service.process.terminate).start()
            text = reply.read().decode()
        name, problem = events(text)[-1]
        assert name == "error"
        assert problem["type"].endswith(":stopping")
        assert service.process.wait(20) == 0


def test_a_start_that_fails_says_why(model: FakeModel) -> None:
    with (
        pytest.raises(ServiceDied, match="Nobody answers at the store redis://127"),
        service_process(model.url, path="plain", settings={"store": "redis://127.0.0.1:1/0"}),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "settings", "said"),
    [
        (["--keys", "/nowhere/keys.json"], {}, "course serve --issue"),
        ([], {"RATE": "often"}, "is no rate"),
        ([], {"STORE": "sqlite://"}, "is no store"),
        ([], {"RUNNING": "0"}, "running"),
        (["--issue", "C-0042"], {}, "--keys FILE"),
        (["--issue", "no customer", "--keys", "/nowhere/k"], {}, "is no customer"),
    ],
)
def test_a_mistake_of_the_operator_is_told(
    options: list[str], settings: dict[str, str], said: str
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "helpers.cli", "serve", "--port", "0", *options],
        env={**os.environ, **{f"COURSE_SERVICE_{name}": value for name, value in settings.items()}},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr
