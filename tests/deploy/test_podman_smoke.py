"""An image is built from nothing and a pod answers: what continuous integration tries early."""

import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from helpers.deploy.image import BASE
from helpers.deploy.podman import Podman
from helpers.testbed import free_port

DOCKERFILE = f"""\
FROM {BASE}
RUN ["python3", "-c", "open('/hello.txt', 'w').write('hello from a pod')"]
USER 10001:10001
ENTRYPOINT ["python3", "-m", "http.server", "--bind", "127.0.0.1"]
"""
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: hello
spec:
  hostNetwork: true
  containers:
    - name: web
      image: localhost/hello
      imagePullPolicy: Never
      args: ["{port}", "--directory", "/"]
      securityContext:
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities:
          drop: ["ALL"]
"""


def test_an_image_from_nothing_runs_as_a_pod(one: Podman, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    one.build(tmp_path, "localhost/hello")
    port = free_port()
    one.play(POD.format(port=port))
    assert one.pods() == ["hello"]
    assert answer(f"http://127.0.0.1:{port}/hello.txt") == b"hello from a pod", one.logs("hello")
    one.stop("hello", grace_s=1)
    assert one.pods() == []
    with pytest.raises(URLError):
        urlopen(f"http://127.0.0.1:{port}/hello.txt", timeout=5)


def answer(url: str) -> bytes:
    """What comes back once the server listens; the last error after 30 seconds."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urlopen(url, timeout=5) as reply:
                found: bytes = reply.read()
                return found
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
