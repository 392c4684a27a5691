"""Images and pods by podman: layers, a rollout, and what its failures say."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.deploy import image
from helpers.deploy import measure as measuring
from helpers.deploy import rollout as rollout_room
from helpers.deploy.numbers import numbers
from helpers.deploy.podman import Podman, PodmanError, podman
from helpers.deploy.rollout import VARIANTS, Ask, PodmanPods, Rollout
from tests.deploy.tools import SECONDS, SMALL, own_podman

ASK = Ask("/chat")


def test_a_change_of_code_builds_the_last_layer_alone(one: Podman, tmp_path: Path) -> None:
    dockerfile = f"FROM {image.BASE}\nCOPY weights /weights\nCOPY code.py /code.py\nCMD []\n"
    (tmp_path / "Dockerfile").write_text(dockerfile)
    (tmp_path / "weights").write_bytes(bytes(3_000_000))
    (tmp_path / "code.py").write_text("print(1)")
    one.build(tmp_path, "localhost/layers:1")
    (tmp_path / "code.py").write_text("print(2)")
    said = one.build(tmp_path, "localhost/layers:2")
    assert said.count("Using cache") == 1
    first, second = (image.layers(one, f"localhost/layers:{number}") for number in (1, 2))
    assert [round(each.mb) for each in first][1:] == [3, 0]
    assert first[:2] == second[:2]
    assert image.size_mb(one, "localhost/layers:2") == pytest.approx(
        sum(each.mb for each in second), rel=0.05
    )


def test_a_step_that_fails_is_told(one: Podman, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {image.BASE}\nCOPY nothing /here\n")
    with pytest.raises(PodmanError, match=r"correct the step.*\n(.|\n)*nothing"):
        one.build(tmp_path, "localhost/none")
    (tmp_path / "Dockerfile").write_text("FROM localhost/missing\n")
    with pytest.raises(PodmanError, match="localhost/missing"):
        one.build(tmp_path, "localhost/none")


@pytest.mark.parametrize("manifest", ["", "{", "kind: Pod", "just words"])
def test_a_manifest_that_is_none_is_told(one: Podman, manifest: str) -> None:
    with pytest.raises(PodmanError, match="correct the manifest"):
        one.play(manifest)
    assert one.pods() == []


def test_after_an_error_in_the_block_nothing_is_left(tmp_path: Path) -> None:
    folders = []

    def fail() -> None:
        with own_podman() as found:
            folders.append(found.folder)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not folders[0].exists()


def stand_in(folder: Path, script: str) -> None:
    """A program called podman that does what a script says."""
    for name in ("podman", "runc"):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


def test_a_machine_without_podman_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PodmanError, match="podman is not installed: install podman"), podman():
        pass


def test_a_user_without_rights_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(tmp_path, "echo 'mount: operation not permitted' >&2; exit 125")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(PodmanError, match="run this as root, or set podman up"), podman():
        pass


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(tmp_path, "case $1 in wait) exec sleep 60;; esac")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with podman() as found, pytest.raises(PodmanError, match=r"did not end within 0\.2 s"):
        found.run("wait", limit_s=0.2)


def test_pods_are_rolled_out_without_loss(
    one: Podman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout_room, "_FIRST_S", 0.3)
    _build_small(one, tmp_path)
    with Rollout(PodmanPods(one, _manifest), ASK, VARIANTS[-1]).running("1") as rollout:
        assert sorted(one.pods()) == ["pod-a", "pod-b"]
        assert PodmanPods(one, _manifest).lives("pod-a")
        found = rollout.roll("2", requests=100)
        assert (found.lost, found.finished) == (0, True), found.reasons()
        assert sorted(one.pods()) == ["pod-c", "pod-d"]
    assert one.pods() == []


def test_one_pod_of_each_kind_is_measured(
    one: Podman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _build_small(one, tmp_path)
    monkeypatch.setattr(measuring, "_STARTS", 1)
    asked = []

    def service(url: str) -> Callable[[str, int], str]:
        asked.append(url)
        return model

    def model(pod: str, port: int) -> str:
        return _manifest(pod, port, "1")

    arguments: dict[str, Any] = {
        "instant": "http://instant/v1",
        "starts": [1.0],
        "last_arrival": 0.5,
    }
    both = measuring.measure(one, service, model, ASK, requests=40, **arguments)
    assert one.pods() == []
    assert asked[0] == "http://instant/v1"
    assert asked[1].endswith("/v1"), "the model's own pod"
    assert len(both.model.starts) == 1
    for each in (both.service, both.model):
        assert 5 < max(each.memory) < 100
        assert max(each.cpu) < 2000
        assert 0 < each.per_pod <= 8 * 600, "eight clients, answers of 100 ms"
        assert each.longest >= 0.1
    assert max(both.service.cpu) > 0, "it was asked; what stands in for the model was not"
    assert (both.service.starts, both.service.last_arrival) == ([1.0], 0.5)
    assert numbers(both.service, places=4)["replicas"] >= 2


def test_a_pod_that_ends_at_its_start_says_why(one: Podman, tmp_path: Path) -> None:
    _build_small(one, tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one.play(_manifest("late", taken.getsockname()[1], "1"))
        assert until(lambda: "Address already in use" in one.logs("late")), one.logs("late")
        assert not PodmanPods(one, _manifest).lives("late")
    one.stop("late", grace_s=0)


def until(true: Callable[[], bool]) -> bool:
    """Whether it becomes true within 30 seconds."""
    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()


def _build_small(one: Podman, folder: Path) -> None:
    (folder / "small.py").write_text(SMALL.read_text())
    (folder / "Dockerfile").write_text(
        f'FROM {image.BASE}\nCOPY small.py /\nUSER 10001\nENTRYPOINT ["python3", "/small.py"]\n'
    )
    one.build(folder, "localhost/small")


def _manifest(pod: str, port: int, version: str) -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {pod}}}\nspec:\n  hostNetwork: true\n"
        "  containers:\n  - name: web\n    image: localhost/small\n    imagePullPolicy: Never\n"
        f'    args: ["{port}", "{SECONDS[version]}"]\n'
    )
