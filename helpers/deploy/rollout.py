"""A new version takes the place of the old one while clients ask: what they lose, and why.

`roll` does what a Deployment with `maxSurge: 1` and `maxUnavailable: 0` does: it starts one new pod
at a time, waits until it is ready, and only then stops an old one. A `Variant` leaves out parts of
that, so that the loss shows what each part is for.
"""

import asyncio
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, TypeAlias
from urllib.request import urlopen

from helpers.deploy.podman import Podman, PodmanError
from helpers.deploy.proxy import READY, proxy
from helpers.faults import EquipmentError
from helpers.testbed import Clients, Seen, TestbedError, free_port

CLIENTS = 8
LATE_S = 2.0
_FIRST_S = 1.0  # of load on the old version alone
_PRE_STOP_S = 1.0
_POLL_S = 0.05
_LOOK_S = 1.0
_PAUSE_S = 0.1  # of a client that got no answer: else it would ask thousands of times


@dataclass(frozen=True)
class Variant:
    """How careful a rollout is.

    Attributes:
        name: in words.
        checks: whether the proxy asks pods if they are ready (`readinessProbe`).
        waits: whether a new pod must be ready before an old one is stopped (`maxUnavailable: 0`).
        grace_s: between SIGTERM and SIGKILL (`terminationGracePeriodSeconds`).
        drains: whether a pod is taken out of the proxy before SIGTERM (`preStop` with a pause).
    """

    name: str
    checks: bool = True
    waits: bool = True
    grace_s: float = 15.0
    drains: bool = True


VARIANTS = (
    Variant("no checks, no waiting", checks=False, waits=False, grace_s=0, drains=False),
    Variant("checks, no waiting", waits=False, grace_s=0, drains=False),
    Variant("checks and waiting, ended at once", grace_s=0, drains=False),
    Variant("checks and waiting, ended by SIGTERM", drains=False),
    Variant("checks and waiting, drained before SIGTERM"),
)
"""Each has one thing more than the one before it."""


class PodmanPods:
    """Pods that podman runs from a manifest.

    Args:
        one: who runs them; it ends what is left when its block ends.
        manifest: of one pod on the host's network, from its name, port and version.
    """

    def __init__(self, one: Podman, manifest: Callable[[str, int, str], str]) -> None:
        self._one = one
        self._manifest = manifest

    def start(self, pod: str, port: int, version: str) -> None:
        """Start a pod; it need not be ready."""
        self._one.play(self._manifest(pod, port, version))

    def stop(self, pod: str, grace_s: float) -> None:
        """Send it SIGTERM, after `grace_s` seconds SIGKILL, and remove it."""
        self._one.stop(pod, grace_s=grace_s)

    def lives(self, pod: str) -> bool:
        """Whether its container has a process."""
        try:
            return self._one.pid(pod) > 0
        except PodmanError:
            return False

    def said(self, pod: str) -> str:
        """Its logs' last lines."""
        return self._one.logs(pod)


class ProcessPods:
    """The same without containers: a process for each pod.

    Args:
        command: its words, from the pod's port and version.

    Attributes:
        running: the processes by pod.
    """

    def __init__(self, command: Callable[[int, str], Sequence[str]]) -> None:
        self._command = command
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._printed: dict[str, IO[bytes]] = {}

    def start(self, pod: str, port: int, version: str) -> None:
        """Start a process."""
        self._printed[pod] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
        self.running[pod] = subprocess.Popen(
            self._command(port, version),
            stdin=subprocess.DEVNULL,
            stdout=self._printed[pod],
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self, pod: str, grace_s: float) -> None:
        """Stop it."""
        process = self.running.pop(pod, None)
        if process is None:  # it did not start
            return
        if grace_s:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(grace_s)
        process.kill()
        process.wait()
        self._printed.pop(pod).close()

    def lives(self, pod: str) -> bool:
        """Whether its process has not ended."""
        return self.running[pod].poll() is None

    def said(self, pod: str) -> str:
        """The end of what it printed."""
        self._printed[pod].seek(0)
        return self._printed[pod].read().decode("utf-8", "replace")[-600:]

    def close(self) -> None:
        """End all that still run."""
        for pod in list(self.running):
            self.stop(pod, 0)


Pods: TypeAlias = PodmanPods | ProcessPods
"""What starts and stops pods on ports of this machine."""


class Counted:
    """Counts of `seen`, each request as its client saw it."""

    seen: list[Seen]

    @property
    def requests(self) -> int:
        """All of them."""
        return len(self.seen)

    @property
    def lost(self) -> int:
        """Requests that were not answered to their end, whatever their client was told."""
        return sum(one.outcome != "answered" for one in self.seen)

    def reasons(self) -> Counter[str]:
        """What the lost ones saw: a status, or the client's outcome."""
        return Counter(
            str(one.status) if one.outcome == "refused" else one.outcome
            for one in self.seen
            if one.outcome != "answered"
        )


@dataclass
class Rolled(Counted):
    """What became of the requests during a rollout.

    Attributes:
        variant: how it was done.
        seen: each request, as its client saw it.
        events: what happened, and when: seconds on the clock of `seen`.
        finished: whether the new version has replaced the old one.
    """

    variant: Variant
    seen: list[Seen] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    finished: bool = False

    @property
    def late(self) -> int:
        """Answered requests whose first word took longer than `LATE_S`."""
        return sum((one.waited or 0) > LATE_S for one in self.seen if one.outcome == "answered")

    def timeline(self) -> list[dict[str, Any]]:
        """A row for each second: answers by pod, requests lost, and what happened in it."""
        ends = [one.ended for one in self.seen] + [at for at, _ in self.events]
        pods = sorted({one.headers["x-pod"] for one in self.seen if "x-pod" in one.headers})
        rows = []
        for second in range(int(max(ends, default=-1.0)) + 1):
            now = [one for one in self.seen if int(one.ended) == second]
            good = Counter(one.headers.get("x-pod") for one in now if one.outcome == "answered")
            rows.append({
                "second": second,
                **{pod: good[pod] for pod in pods},
                "lost": sum(one.outcome != "answered" for one in now),
                "what happened": "; ".join(text for at, text in self.events if int(at) == second),
            })  # fmt: skip
        return rows


@dataclass(frozen=True)
class Ask:
    """What every client asks.

    Attributes:
        path: of the request.
        body: sent as JSON; None for a GET.
        headers: such as an API key.
    """

    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Rollout:
    """Two pods of a version behind a proxy, and rollouts of others.

        with Rollout(pods, ask, VARIANTS[-1]).running("1") as one:
            print(one.roll("2", requests=1000).lost)

    Args:
        pods: what starts and stops them.
        ask: what clients ask all the time.
        variant: how careful rollouts are.
        start_s: seconds that a pod may take until it is ready; after them a rollout gives up.
    """

    def __init__(
        self,
        pods: Pods,
        ask: Ask,
        variant: Variant,
        *,
        start_s: float = 60.0,
    ) -> None:
        self._pods, self._ask, self.variant = pods, ask, variant
        self._start_s = start_s
        self._ports = {f"pod-{letter}": free_port() for letter in "abcd"}
        self._serving: list[str] = []
        self._started: list[str] = []
        self._proxy_block = proxy(self._ports, checks=variant.checks)

    @contextmanager
    def running(self, version: str) -> Iterator["Rollout"]:
        """Two ready pods of a version behind the proxy, for a block; afterwards nothing runs.

        Raises:
            TestbedError: they are not ready in time.
        """
        with self._proxy_block as self.proxy:
            try:
                for pod in ("pod-a", "pod-b"):
                    self._start(pod, version)
                for pod in list(self._started):
                    if not self._until_answers(pod):
                        lives = self._pods.lives(pod)
                        what = f"was not ready within {self._start_s:g} s" if lives else "has ended"
                        then = "try again when the machine is less busy, or " if lives else ""
                        raise TestbedError(
                            f"{pod} of version {version} {what}: {then}look at what it printed:"
                            f"\n{self._pods.said(pod)}"
                        )
                self._serving = list(self._started)
                yield self
            finally:
                with suppress(EquipmentError):  # what cannot be stopped is ended with its podman
                    for pod in list(self._started):
                        self._stop(pod, 0)

    def roll(self, version: str, *, requests: int, start_s: float | None = None) -> Rolled:
        """Roll out a version while clients ask, until it is done and so many requests are over.

        Args:
            version: to roll out.
            requests: at least.
            start_s: instead of the one of all rollouts, for a version that will not be ready.
        """
        found = Rolled(self.variant)
        limit = start_s or self._start_s
        asyncio.run(self._under_load(found, requests, lambda say: self._roll(version, limit, say)))
        return found

    def _roll(self, version: str, limit_s: float, say: Callable[[str], None]) -> bool:
        """One new pod for each old one. False when a new one is not ready in time."""
        free = iter([pod for pod in self._ports if pod not in self._started])
        for old in list(self._serving):
            new = next(free)
            self._start(new, version)
            say(f"{new} starts")
            if self.variant.waits and not self._until_ready(new, limit_s):
                self._stop(new, 0)
                say(f"{new} was not ready in {limit_s:g} s: the rollout stops, {new} is removed")
                return False
            if self.variant.waits:
                say(f"{new} is ready")
            self._serving = [*(pod for pod in self._serving if pod != old), new]
            if self.variant.drains:
                self.proxy.drain(old)
                say(f"{old} drains")
                time.sleep(_PRE_STOP_S)
            say(f"{old} is told to stop")
            self._stop(old, self.variant.grace_s)
            say(f"{old} is gone")
        for pod in self._serving:
            self._until_answers(pod)
        return True

    def _start(self, pod: str, version: str) -> None:
        self._started.append(pod)
        self._pods.start(pod, self._ports[pod], version)
        self.proxy.add(pod)

    def _stop(self, pod: str, grace_s: float) -> None:
        self._started.remove(pod)
        self._pods.stop(pod, grace_s)
        self.proxy.remove(pod)

    def _until_ready(self, pod: str, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not self.proxy.ready(pod):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def _until_answers(self, pod: str) -> bool:
        """Wait for the pod itself, and for a proxy that checks it; not for one that has ended."""
        looked = time.monotonic()
        deadline = looked + self._start_s
        url = f"http://127.0.0.1:{self._ports[pod]}{READY}"
        while (now := time.monotonic()) < deadline:
            with suppress(OSError), urlopen(url, timeout=2):
                return self._until_ready(pod, max(1.0, deadline - time.monotonic()))
            if now - looked > _LOOK_S:
                looked = now
                if not self._pods.lives(pod):
                    return False
            time.sleep(_POLL_S)
        return False

    async def _under_load(
        self, found: Rolled, requests: int, happen: Callable[[Callable[[str], None]], bool]
    ) -> None:
        ask = self._ask
        async with Clients(self.proxy.url, ask.path, headers=ask.headers) as clients:

            def later() -> bool:
                time.sleep(_FIRST_S)
                return happen(lambda text: found.events.append((clients.now, text)))

            async def client(name: str) -> None:
                while not (rolling.done() and len(found.seen) >= requests):
                    found.seen.append(await clients.ask(ask.body, client=name))
                    if found.seen[-1].outcome != "answered":
                        await asyncio.sleep(_PAUSE_S)

            rolling = asyncio.create_task(asyncio.to_thread(later))
            await asyncio.gather(*(client(f"client {number}") for number in range(CLIENTS)))
            found.finished = await rolling
