"""Pods and a proxy that are played, for exercise 07.6: what a rollout does with them, and when.

`World` is both `pods` and `proxy`. It keeps what was done, and notes each fault: what would cost a
customer an answer, or leave something behind.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.course.limits import time_factor

Roll = Callable[..., Awaitable[Any]]

NEVER = math.inf
_STREAMS, _STREAM_S = 3, 0.2
_EARLY_S, _LATE_S = 0.03, 1.5
"""How much earlier than its limit something may be given up, and how much later."""
_AT_ONCE_S = 0.95
"""How long a step may take to follow; the statement says 0.5, the rest is for busy machines."""
_LONG_WAIT_S, _SELDOM_S = 1.5, 0.4
"""From how long a wait on its looks are counted, and the longest pause between them on average."""
_MOST_LOOKS_A_SECOND = 60
_MOST_IN_A_TURN = 4  # looks without giving others their turn
_ENOUGH_LOOKS = 20_000  # of a loop without a pause, which would ask for ever


@dataclass
class _Pod:
    began: float = NEVER
    added: bool = False
    drained: float = NEVER
    gone: bool = False


@dataclass(frozen=True)
class Plan:
    """What a rollout meets.

    Attributes:
        old: names of the pods that serve.
        new: names of those to come.
        loads_s: seconds until each new pod is ready.
        streams_s: seconds until the last stream of each old pod has ended, after it was drained.
        ready_s: how long a new pod may take.
        drain_s: how long streams may take.
        grace_s: between SIGTERM and SIGKILL.
    """

    old: Sequence[str]
    new: Sequence[str]
    loads_s: Mapping[str, float]
    streams_s: Mapping[str, float] = field(default_factory=dict)
    ready_s: float = 4.0
    drain_s: float = 2.0
    grace_s: float = 7.0


class AskedTooOftenError(RuntimeError):
    """A rollout asked the proxy in a loop without a pause."""


class World:
    """Pods and proxy of one rollout.

    Attributes:
        done: what was done, in order, such as "start c".
        faults: sentences, each once, in order.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.done: list[str] = []
        self.faults: list[str] = []
        self._pods = {name: _Pod(-math.inf, added=True) for name in plan.old}
        self._pods |= {name: _Pod() for name in plan.new}
        self._looks: list[float] = []
        self._in_this_turn = 0
        self._waiting: tuple[str, float, int] = ("", 0.0, 0)  # pod, since when, looks
        self._due = time.monotonic()  # from when on the next step can come
        self._loop = asyncio.get_running_loop()

    # What `pods` can do.

    async def start(self, pod: str) -> None:
        """Note that a pod starts, and how many run."""
        one = self._known(pod, "start")
        self._follows(f"{pod} is started")
        if one.began != NEVER:
            self._fault(f"{pod} is started a second time")
        one.began, one.gone = time.monotonic(), False
        running = [name for name in self._pods if self._runs(name)]
        if len(running) > len(self.plan.old) + 1:
            self._fault(f"{len(running)} pods run at the same time")
        await asyncio.sleep(0.02)
        self._due = time.monotonic()

    async def stop(self, pod: str, grace_s: float) -> None:
        """Note that a pod is stopped, and what that costs."""
        one = self._known(pod, "stop")
        if grace_s != self.plan.grace_s:
            self._fault(f"{pod} gets {grace_s!r} seconds of grace")
        if pod in self.plan.old:
            self._look_at_end(pod, one)
        elif self._serves(pod):
            self._fault(f"{pod} is stopped while it serves")
        else:
            self._given_up(f"{pod} is given up", one.began, self.plan.ready_s)
        await asyncio.sleep(0.05)  # until it is gone
        one.gone = True
        self._due = time.monotonic()

    # What `proxy` can do.

    def add(self, pod: str) -> None:
        """Put a pod into the proxy."""
        one = self._known(pod, "add")
        if not self._runs(pod):
            self._fault(f"{pod} is added before it was started")
        else:
            self._follows(f"{pod} is added")
        one.added = True
        self._due = max(time.monotonic(), one.began + self.plan.loads_s.get(pod, 0.0))

    def ready(self, pod: str) -> bool:
        """Whether it would get requests now."""
        self._look(pod)
        return self._serves(pod)

    def drain(self, pod: str) -> None:
        """Send a pod nothing new; its streams end in the time of the plan."""
        one = self._known(pod, "drain")
        self._follows(f"{pod} is drained")
        if one.drained == NEVER:
            one.drained = time.monotonic()
            self._due = one.drained + self.plan.streams_s.get(pod, _STREAM_S)
        serving = sum(map(self._serves, self._pods))
        if serving < len(self.plan.old):
            self._fault(f"{serving} of {len(self.plan.old)} pods serve when {pod} is drained")

    def streams(self, pod: str) -> int:
        """How many answers a pod is writing."""
        self._look(pod)
        return self._open(pod)

    def remove(self, pod: str) -> None:
        """Take a pod out of the proxy."""
        one = self._known(pod, "remove")
        if self._runs(pod):
            self._fault(f"{pod} is removed while it runs")
        else:
            self._follows(f"{pod} is removed")
        one.added = False
        self._due = time.monotonic()

    # What became of it.

    def given_back(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Note what the rollout did to its lists."""
        if [*old] != [*self.plan.old] or [*new] != [*self.plan.new]:
            self._fault(f"the lists are {old} and {new} afterwards")

    def ended(self, returned: Any) -> dict[str, Any]:
        """How it is when the rollout has returned."""
        self._follows("it returns")
        self._count_looks()
        return {
            "returned": returned,
            "running": [name for name in self._pods if self._runs(name)],
            "in the proxy": [name for name, one in self._pods.items() if one.added],
            "done": ", ".join(self.done),
            "faults": self.faults,
        }

    def _known(self, pod: str, what: str) -> _Pod:
        self.done.append(f"{what} {pod}")
        self._count_looks()
        if pod not in self._pods:
            raise ValueError(f"there is no pod {pod!r}: there are {', '.join(self._pods)}")
        return self._pods[pod]

    def _runs(self, pod: str) -> bool:
        return self._pods[pod].began != NEVER and not self._pods[pod].gone

    def _serves(self, pod: str) -> bool:
        """Whether the proxy sends it requests."""
        one = self._pods[pod]
        loaded = time.monotonic() - one.began >= self.plan.loads_s.get(pod, 0.0)
        return one.added and self._runs(pod) and one.drained == NEVER and loaded

    def _open(self, pod: str) -> int:
        one = self._pods[pod]
        if one.drained == NEVER:
            return _STREAMS if self._serves(pod) else 0
        if not self._runs(pod):
            return 0
        share = (time.monotonic() - one.drained) / self.plan.streams_s.get(pod, _STREAM_S)
        return 0 if share >= 1 else max(1, round(_STREAMS * (1 - share)))

    def _look_at_end(self, pod: str, one: _Pod) -> None:
        """Whether an old pod may be stopped now."""
        if one.drained == NEVER:
            self._fault(f"{pod} is stopped while the proxy sends it requests")
        elif self._open(pod):
            self._given_up(f"{pod} is stopped with open streams", one.drained, self.plan.drain_s)
        else:
            self._follows(f"{pod} is stopped")

    def _given_up(self, what: str, since: float, limit_s: float) -> None:
        after = time.monotonic() - since
        if not limit_s - _EARLY_S <= after <= limit_s + _LATE_S * time_factor():
            self._fault(f"{what} after {after:.1f} s, and not after {limit_s:g} s")

    def _follows(self, what: str) -> None:
        """Whether a step comes as soon as it can; one that comes too soon is another fault."""
        late = time.monotonic() - self._due
        if late > _AT_ONCE_S * time_factor():
            self._fault(f"{what} {late:.1f} s late")

    def _count_looks(self) -> None:
        """Whether there were enough of them in the wait that has just ended."""
        _, since, looks = self._waiting
        took = time.monotonic() - since
        if looks and took > _LONG_WAIT_S and took / looks > _SELDOM_S * time_factor():
            self._fault(f"the proxy is asked once in {took / looks:.1f} s")
        self._waiting = ("", 0.0, 0)

    def _look(self, pod: str) -> None:
        """Note a question, and whether others had their turn since the last ones."""
        if pod not in self._pods:
            raise ValueError(f"there is no pod {pod!r}: there are {', '.join(self._pods)}")
        self._looks.append(time.monotonic())
        waits_for, since, looks = self._waiting
        self._waiting = (pod, since if waits_for == pod else self._looks[-1], looks + 1)
        if len(self._looks) > _ENOUGH_LOOKS:
            raise AskedTooOftenError("the proxy was asked 20,000 times without a pause")
        if len(self._looks) > _MOST_LOOKS_A_SECOND:
            took = time.monotonic() - self._looks[-_MOST_LOOKS_A_SECOND]
            if took < 1:
                self._fault("the proxy is asked without a pause")
        self._in_this_turn += 1
        if self._in_this_turn > _MOST_IN_A_TURN:
            self._fault("the event loop is blocked")
        self._loop.call_soon_threadsafe(self._next_turn)

    def _next_turn(self) -> None:
        self._in_this_turn = 0

    def _fault(self, what: str) -> None:
        if what not in self.faults:
            self.faults.append(what)


def played(roll: Roll, plan: Plan) -> Coroutine[Any, Any, dict[str, Any]]:
    """Let a rollout meet a plan, and say how it ended."""
    return _played(roll, plan)


async def _played(roll: Roll, plan: Plan) -> dict[str, Any]:
    world = World(plan)
    old, new = list(plan.old), list(plan.new)
    returned = await roll(
        old,
        new,
        world,
        world,
        ready_s=plan.ready_s,
        drain_s=plan.drain_s,
        grace_s=plan.grace_s,
    )
    world.given_back(old, new)
    return world.ended(returned)


async def both(roll: Roll, one: Plan, other: Plan) -> list[dict[str, Any]]:
    """Two rollouts at the same time, in clusters of their own."""
    return list(await asyncio.gather(_played(roll, one), _played(roll, other)))


def steps(*pairs: tuple[str, str]) -> str:
    """What is done to replace pods, in the order of the pairs (old, new)."""
    return ", ".join(
        f"start {new}, add {new}, drain {old}, stop {old}, remove {old}" for old, new in pairs
    )
