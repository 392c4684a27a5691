"""A rollout of one's own under load: what it loses is seen, and nothing of it is left."""

import asyncio
from typing import Any

import psutil
import pytest

from helpers.deploy.testing import NEW, OLD, Pods, Rehearsed, rehearse
from helpers.testbed import free_port
from helpers.testbed.light_pod import PIECES


def left() -> list[str]:
    """The pods and proxies that this process has started and that still run."""
    children = psutil.Process().children(recursive=True)
    words = [" ".join(one.cmdline()) for one in children if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in words if "light_pod" in one or "haproxy" in one]


async def stop_and_start(old: Any, new: Any, pods: Pods, proxy: Any, **limits: Any) -> str:
    for before, after in zip(old, new, strict=True):
        await pods.stop(before, limits["grace_s"])
        await pods.start(after)
        proxy.add(after)
    return "done"


def tried(roll: Any, **options: Any) -> Rehearsed:
    found = asyncio.run(rehearse(roll, requests=20, **options))
    assert left() == []
    return found


def test_a_rollout_that_does_nothing_loses_nothing_and_changes_nothing() -> None:
    async def nothing(*_: Any, **__: Any) -> None:
        return None

    found = tried(nothing)
    assert (found.lost, found.error, found.returned) == (0, "", None)
    assert found.requests >= 20
    assert found.running == found.answering == list(OLD)
    assert all(one.texts == list(PIECES) for one in found.seen)


def test_what_a_careless_rollout_loses_is_counted() -> None:
    found = tried(stop_and_start)
    assert found.lost > 0
    assert found.lost == sum(found.reasons().values())
    assert found.returned == "done"
    assert found.running == list(NEW)


def test_streams_that_are_cut_are_lost() -> None:
    async def cut(old: Any, new: Any, pods: Pods, proxy: Any, **_: Any) -> None:
        proxy.drain(old[0])
        while not proxy.streams(old[0]):  # the clients may be between two requests
            proxy.add(old[0])
            await asyncio.sleep(0.05)
            proxy.drain(old[0])
        await pods.stop(old[0], 0)

    found = tried(cut)
    assert found.reasons()["lost"] > 0


def test_an_error_is_told_and_nothing_is_left() -> None:
    async def fails(old: Any, new: Any, pods: Pods, *_: Any, **__: Any) -> None:
        await pods.start(new[0])
        raise KeyError("no such pod")

    found = tried(fails)
    assert "KeyError('no such pod')" in found.error
    assert found.running == [*OLD, NEW[0]]


def test_a_rollout_without_end_is_ended() -> None:
    async def endless(*_: Any, **__: Any) -> None:
        await asyncio.sleep(1000)

    assert "not done after 0.5 s" in tried(endless, limit_s=0.5).error


def test_a_broken_version_is_never_ready() -> None:
    async def looks(old: Any, new: Any, pods: Pods, proxy: Any, ready_s: float, **_: Any) -> bool:
        await pods.start(new[0])
        proxy.add(new[0])
        await asyncio.sleep(ready_s)
        return bool(proxy.ready(new[0]))

    found = tried(looks, broken=True)
    assert found.returned is False
    assert found.lost == 0
    assert found.answering == list(OLD)


async def test_pods_are_started_once_and_by_name() -> None:
    pods = Pods({"a": free_port()}, {"a": "never"})
    try:
        await pods.start("a")
        assert pods.running == ["a"]
        for name in ("a", "b"):
            with pytest.raises(ValueError, match=f"{name} cannot be started"):
                await pods.start(name)
        await pods.stop("a", 0)
        assert pods.running == []
    finally:
        pods.close()
