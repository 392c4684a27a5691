"""Exercise 07.6: a rollout that loses no request."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise
from helpers.course.exercises.m07.rolling import AskedTooOftenError

if TYPE_CHECKING:
    from helpers.course.exercises.m07.rolling import Roll
    from helpers.deploy.testing import Rehearsed


@exercise(
    "07.6",
    title="The gate: a rollout that loses nothing",
    gate=True,
    hints=[
        Hint(
            "One pair after the other: for before, after in zip(old, new). In each, the new pod"
            " comes first, and the old one goes when the new one is ready.",
            "pairs",
        ),
        "Write a helper that both waits can use: an async function that asks until something is"
        " true, with await asyncio.sleep(0.05) between two looks, and returns False when its time"
        " is up.",
        Hint(
            "drain(before), then wait until proxy.streams(before) is 0, then stop, then remove. A"
            " stream that never ends must not stop the rollout: after drain_s seconds, go on.",
            "streams",
        ),
        Hint(
            "A new pod that is not ready in time is stopped and removed, and the function returns"
            " False at once. The old pods are not touched: they are what customers still have.",
            "broken",
        ),
        Hint(
            "The wait for the new pod ends at ready_s, the wait for the streams at drain_s: use"
            " each as it is given.",
            "waits",
        ),
        Hint(
            "Two rollouts share nothing, not even a lock. time.sleep stops everything in this"
            " process, and a loop without a pause takes a core: await asyncio.sleep(0.05).",
            "pause",
        ),
        "deadline = time.monotonic() + limit_s; while not done(): if time.monotonic() >= deadline:"
        " return False; await asyncio.sleep(0.05). Then return True.",
    ],
)
def roll(answer: "Roll") -> Iterator[Case]:
    """Played pods first, in many situations; then real ones under load."""
    from helpers.course.exercises.m07 import rolling
    from helpers.course.exercises.m07.rolling import NEVER, Plan, steps

    def rolled(plan: Plan, done: int | None = None) -> dict[str, Any]:
        """How it ends when so many pairs were replaced, and all by default."""
        count = len(plan.old) if done is None else done
        pairs = list(zip(plan.old, plan.new, strict=True))[:count]
        serving = [*plan.old[count:], *plan.new[:count]]
        after = [steps(*pairs)] if pairs else []
        if done is not None:
            bad = plan.new[done]
            after.append(f"start {bad}, add {bad}, stop {bad}, remove {bad}")
        return {
            "returned": done is None,
            "running": serving,
            "in the proxy": serving,
            "done": ", ".join(after),
            "faults": [],
        }

    def case(
        name: str, show: str, plan: Plan, *slips: Slip, about: str = "", done: int | None = None
    ) -> Case:
        return Case(
            name,
            call=lambda: rolling.played(answer, plan),
            show=show,
            expect=rolled(plan, done),
            slips=[*slips, *_SLIPS],
            limit=8,
            about=about,
            live=False,
        )

    yield case(
        "one pod is replaced",
        "roll(['p'], ['q'], pods, proxy, ready_s=5, drain_s=3, grace_s=4): q is ready after 0.2 s,"
        " the last stream ends after 0.3 s",
        Plan(["p"], ["q"], {"q": 0.2}, {"p": 0.3}, ready_s=5, drain_s=3, grace_s=4),
        about="streams",
    )
    yield case(
        "two pods are replaced",
        "roll(['a', 'b'], ['c', 'd'], pods, proxy, ready_s=4, drain_s=2, grace_s=7): the new pods"
        " are ready after 0.4 s, the last streams end after 0.3 s",
        Plan(["a", "b"], ["c", "d"], {"c": 0.4, "d": 0.4}, {"a": 0.3, "b": 0.3}),
        about="pairs",
    )
    yield case(
        "a slow pod, and streams of different lengths",
        "three pods, ready after 0.1, 0.9 and 0.2 s; streams of 0.1, 0.2 and 0.7 s; ready_s=3,"
        " drain_s=2, grace_s=8",
        Plan(
            ["x", "y", "z"],
            ["x2", "y2", "z2"],
            {"x2": 0.1, "y2": 0.9, "z2": 0.2},
            {"x": 0.1, "y": 0.2, "z": 0.7},
            ready_s=3,
            drain_s=2,
            grace_s=8,
        ),
        about="streams",
    )
    yield case(
        "a stream that never ends",
        "a client holds the stream of a; ready_s=4, drain_s=0.5, grace_s=9",
        Plan(
            ["a", "b"],
            ["c", "d"],
            {"c": 0.1, "d": 0.1},
            {"a": NEVER, "b": 0.1},
            drain_s=0.5,
            grace_s=9,
        ),
        about="streams",
    )
    yield case(
        "a version that is never ready",
        "c is never ready; ready_s=0.6, drain_s=2, grace_s=3",
        Plan(["a", "b"], ["c", "d"], {"c": NEVER, "d": NEVER}, ready_s=0.6, grace_s=3),
        done=0,
        about="broken",
    )
    yield case(
        "the second new pod is never ready",
        "c is ready after 0.2 s, d never; ready_s=0.7, drain_s=2, grace_s=4",
        Plan(
            ["a", "b", "e"],
            ["c", "d", "f"],
            {"c": 0.2, "d": NEVER, "f": 0.1},
            ready_s=0.7,
            grace_s=4,
        ),
        done=1,
        about="broken",
    )
    one = Plan(["a"], ["b"], {"b": 0.3}, {"a": 0.5}, grace_s=6)
    other = Plan(["a"], ["b"], {"b": NEVER}, {"a": 0.1}, ready_s=0.8, grace_s=3)
    yield Case(
        "two rollouts at the same time",
        call=lambda: rolling.both(answer, one, other),
        show="in two clusters with pods of the same names: in one of them b is never ready",
        expect=[rolled(one), rolled(other, 0)],
        slips=_OF_BOTH,
        limit=8,
        about="pause",
        live=False,
    )
    late = Plan(["a"], ["b"], {"b": 2.2}, {"a": 0.1}, ready_s=3.4, drain_s=1, grace_s=5)
    long = Plan(["a"], ["b"], {"b": 0.1}, {"a": 2.2}, ready_s=1, drain_s=3.4, grace_s=8)
    yield Case(
        "a pod that is ready late, and a long stream, each in time",
        call=lambda: rolling.both(answer, late, long),
        show="at the same time: b is ready after 2.2 s with ready_s=3.4 and drain_s=1; and the last"
        " stream of a ends after 2.2 s with ready_s=1 and drain_s=3.4",
        expect=[rolled(late), rolled(long)],
        slips=_OF_BOTH,
        limit=10,
        about="waits",
        live=False,
    )
    fast = os.environ.get("COURSE_FAST", "") not in ("", "0")
    yield _real(answer, requests=200 if fast else 1000)
    yield _real(answer, requests=60 if fast else 300, broken=True)


def _real(answer: "Roll", *, requests: int, broken: bool = False) -> Case:
    """Processes behind HAProxy, under load."""
    from helpers.deploy.rollout import CLIENTS
    from helpers.deploy.testing import NEW, OLD, rehearse

    serving = list(OLD if broken else NEW)

    def judged(found: "Rehearsed") -> bool | str:
        if found.error:
            return f"The rollout did not end as it should: {found.error}."
        if found.lost:
            told = ", ".join(f"{n} with {_named(what)}" for what, n in found.reasons().items())
            return f"{found.lost} of {found.requests} requests were lost: {told}."
        if found.returned is not (not broken):
            return f"It returned {found.returned!r}."
        if found.running != serving or found.answering != serving:
            return (
                f"In the end {', '.join(found.running)} run and"
                f" {', '.join(found.answering) or 'none'} answer."
            )
        return True

    return Case(
        "a broken version under load" if broken else "under load",
        call=lambda: rehearse(answer, requests=requests, broken=broken),
        limit=150,
        show=f"{CLIENTS} clients ask {requests} times or more, behind a real HAProxy; the new"
        f" version {'is never ready' if broken else 'is ready after a second'}",
        expect=Expectation(
            text=f"0 requests lost, and {' and '.join(serving)} answer",
            judge=judged,
            show=lambda found: (
                f"{found.requests} requests, {found.lost} lost; {', '.join(found.answering)} answer"
            ),
        ),
        about="broken" if broken else "streams",
        after_all=True,
    )


def _named(reason: str) -> str:
    return f"status {reason}" if reason.isdigit() else reason


def _fault(part: str) -> Callable[[dict[str, Any]], bool]:
    return lambda got: any(part in fault for fault in got["faults"])


def _fault_of_one(part: str) -> Callable[[list[dict[str, Any]]], bool]:
    found = _fault(part)
    return lambda got: any(map(found, got))


_SLIPS = (
    Slip.raises("no-pause", AskedTooOftenError, "Sleep 0.05 s between two looks."),
    Slip.when("blocks", _fault("loop is blocked"), "time.sleep stops everything: use asyncio's."),
    Slip.when("no-pause", _fault("without a pause"), "Sleep 0.05 s between two looks."),
    Slip.when(
        "too-few-serve",
        _fault("pods serve when"),
        "The old pod goes before the new one is ready: other pods get its requests, or none does.",
    ),
    Slip.when(
        "not-drained",
        _fault("while the proxy sends"),
        "The proxy sends requests to a pod that is about to stop: drain it first.",
    ),
    Slip.when(
        "cut-streams",
        _fault("with open streams"),
        "Answers are cut: wait until proxy.streams(pod) is 0, and at most drain_s seconds.",
    ),
    Slip.when(
        "left-running",
        lambda got: len(got["running"]) > len(set(got["in the proxy"])),
        "A pod that gets no requests is still running.",
    ),
    Slip.when(
        "left-in-proxy",
        lambda got: len(got["in the proxy"]) > len(set(got["running"])),
        "The proxy still knows a pod that is gone: remove it.",
    ),
    Slip.when(
        "gone-too-soon",
        _fault("is removed while it runs"),
        "Stop the pod first, and remove it when it is gone.",
    ),
    Slip.when(
        "changed-lists",
        _fault("the lists are"),
        "Leave old and new as they are: their owner still needs them.",
    ),
    Slip.when(
        "idle",
        _fault("s late"),
        "Nothing more had to be waited for: go on at once.",
    ),
    Slip.when(
        "too-many",
        _fault("at the same time"),
        "There is more than one extra pod: the node may have no memory for it.",
    ),
)
_OF_BOTH = (
    Slip.when(
        "given-up-early",
        _fault_of_one("is given up after"),
        "A pod that would have been ready in time is given up: wait ready_s seconds.",
    ),
    Slip.when(
        "cut-early",
        _fault_of_one("with open streams"),
        "A stream that would have ended in time is cut: wait drain_s seconds.",
    ),
    Slip.when(
        "asks-seldom",
        _fault_of_one("is asked once in"),
        "A pod may be ready long before you ask again: sleep 0.05 s between two looks.",
    ),
    Slip.when(
        "one-at-a-time",
        _fault_of_one("is started"),
        "One rollout waits for another one: they share nothing, so no lock is needed.",
    ),
)
