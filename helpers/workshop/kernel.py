"""A kernel for one submission: a process of its own, watched for time and memory."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from types import TracebackType
from typing import Any

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

_LAUNCH = Path(__file__).with_name("launch.py")
_START_S = 120.0
_START_TRIES = 3
_GRACE_S = 5.0  # for an interrupted cell to end by itself
_LOOK_S = 0.1  # between two looks at time and memory


class KernelGone(Exception):  # noqa: N818 - a submission may do this; it is no error of the grader
    """The kernel ended or had to be ended; `why` is a status: crashed, time or memory limit."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why
        self.detail = detail


class Stopped(BaseException):
    """The grading is to end now: the instructor's Ctrl-C, as KeyboardInterrupt is."""


class KernelStartError(Exception):
    """No kernel could be started: the fault is the machine's, not the submission's."""


@dataclass(frozen=True)
class Reply:
    """How a cell ended: its error's type and message, and whether it was interrupted."""

    error: str
    stopped: bool


class Kernel:
    """A running kernel. Nothing that it publishes is read: only replies to the grader count."""

    def __init__(
        self,
        folder: Path,
        *,
        runtime: Path,
        environment: Mapping[str, str],
        seconds: float,
        megabytes: int,
        stop: threading.Event | None = None,
    ) -> None:
        """Start a kernel in `folder` with nothing but `environment`.

        Args:
            folder: its working folder.
            runtime: a folder for its sockets and its connection file; its path must be short.
            environment: all of its variables.
            seconds: how long one cell may take.
            megabytes: how much memory the kernel and its children may use.
            stop: ends whatever runs when it is set, with `Stopped`.

        Raises:
            KernelStartError: it did not start.
        """
        self._stop = stop or threading.Event()
        self._seconds = seconds
        self._megabytes = megabytes
        for left in reversed(range(_START_TRIES)):
            try:
                self._start(folder, runtime, environment)
                return
            except KernelGone as gone:
                self.close()
                if not left:
                    raise KernelStartError(
                        f"A kernel did not start: {gone.detail}. More memory (--memory) may help."
                    ) from None
            except BaseException:
                self.close()
                raise

    def _start(self, folder: Path, runtime: Path, environment: Mapping[str, str]) -> None:
        name = f"k{secrets.token_hex(4)}"
        # Sockets in a folder where there are such: a free port may be taken before it is used.
        local = os.name != "nt"
        file, _ = write_connection_file(
            str(runtime / f"{name}.json"),
            ip=str(runtime / name) if local else "127.0.0.1",
            transport="ipc" if local else "tcp",
            key=secrets.token_hex(16).encode(),
        )
        # ipykernel looks every second whether this parent is alive: `kill -9` leaves no kernels.
        parent = {"JPY_PARENT_PID": str(os.getpid())} if local else {}
        self._process = subprocess.Popen(
            [sys.executable, str(_LAUNCH), str(self._megabytes), file],
            cwd=folder,
            env={**environment, **parent},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._client = BlockingKernelClient(connection_file=file)
        self._client.load_connection_file()
        # No iopub: what a submission shows, and how much of it, makes no difference.
        self._client.start_channels(iopub=False, stdin=False, hb=False)
        self._reply_to(self._client.kernel_info(), _START_S)

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, code: str) -> Reply:
        """Run a cell. One that takes too long is interrupted, and then ended with its kernel.

        Raises:
            KernelGone: the kernel ended while the cell ran.
        """
        content = self._reply_to(
            self._client.execute(code, allow_stdin=False, stop_on_error=False), self._seconds
        )
        error = f"{content.get('ename')}: {content.get('evalue')}".rstrip(": ")
        return Reply("" if content["status"] == "ok" else error, bool(content["stopped"]))

    def ask(self, code: str, expression: str = "None") -> str:
        """Run the grader's own code, and return the text of an expression.

        Raises:
            KernelGone: the kernel ended, or can no longer answer.
        """
        message = self._client.execute(
            code,
            silent=True,
            store_history=False,
            user_expressions={"value": expression},
            allow_stdin=False,
        )
        content = self._reply_to(message, max(self._seconds, 60.0))
        value: dict[str, Any] = content.get("user_expressions", {}).get("value", {})
        if content["status"] != "ok" or value.get("status") != "ok":
            problem = content if content["status"] != "ok" else value
            raise KernelGone("crashed", f"the grader's own code failed: {problem.get('evalue')}")
        text: str = value["data"]["text/plain"]
        return text

    def close(self) -> None:
        """End the kernel and everything that it started."""
        victims = [self._process.pid]
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children(recursive=True)
            victims += [child.pid for child in children]
        if hasattr(os, "killpg"):
            # The session that was made for it: also what has lost its parent since.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for pid in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        self._process.wait()
        self._client.stop_channels()

    def _reply_to(self, message: str, limit: float) -> dict[str, Any]:
        deadline = time.monotonic() + limit
        interrupted = False
        while True:
            try:
                reply = self._client.get_shell_msg(timeout=_LOOK_S)
            except Empty:
                if self._stop.is_set():
                    raise Stopped from None
                self._watch()
                if time.monotonic() > deadline:
                    if interrupted or not self._interrupt():
                        raise KernelGone("time limit", f"ended after {limit:g} s") from None
                    interrupted = True
                    deadline += _GRACE_S
                continue
            if reply["parent_header"].get("msg_id") == message:
                content: dict[str, Any] = reply["content"]
                return {**content, "stopped": interrupted}

    def _interrupt(self) -> bool:
        """Ask the running cell to end; False where only ending the kernel is possible."""
        if os.name == "nt":  # a process can send this signal only to itself and its own console
            return False
        self._process.send_signal(signal.SIGINT)
        return True

    def _watch(self) -> None:
        status = self._process.poll()
        if status is not None:
            raise KernelGone("crashed", f"the kernel ended by itself, with status {status}")
        try:
            main = psutil.Process(self._process.pid)
            used = sum(_memory(one) for one in [main, *main.children(recursive=True)])
        except psutil.NoSuchProcess:
            return  # the next look sees its status
        if used > self._megabytes << 20:
            raise KernelGone("memory limit", f"used more than {self._megabytes} MB")


def literal(value: object) -> str:
    """A value as Python source, by way of JSON text."""
    return f"__import__('json').loads({json.dumps(json.dumps(value))})"


def _memory(process: psutil.Process) -> int:
    try:
        resident: int = process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
    return resident
