"""A rollout loses requests where a precaution is left out, and none where none is."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from helpers.deploy import command_rollout, image, rollout
from helpers.deploy.podman import Podman
from helpers.deploy.proxy import ProxyError, find_haproxy, proxy
from helpers.deploy.rollout import VARIANTS, Ask, PodmanPods, ProcessPods, Rolled, Rollout, Variant
from helpers.deploy.subset import installed_files
from helpers.testbed import Seen, TestbedError, free_port
from tests.deploy.tools import own_podman

SMALL = Path(__file__).parent / "small.py"
SECONDS = {"1": "0.3", "2": "0.3", "3": "never"}
ASK = Ask("/chat")
CAREFUL = VARIANTS[-1]


@pytest.fixture
def processes() -> Iterator[ProcessPods]:
    def command(port: int, version: str) -> list[str]:
        return [sys.executable, str(SMALL), str(port), SECONDS[version]]

    with closing(ProcessPods(command)) as pods:
        yield pods


def test_each_variant_has_one_thing_more_than_the_one_before() -> None:
    def careful(one: Variant) -> list[bool]:
        return [one.checks, one.waits, one.grace_s > 0, one.drains]

    assert [sum(careful(each)) for each in VARIANTS] == [0, 1, 2, 3, 4]


def test_the_careful_rollout_loses_none_and_the_version_that_is_never_ready_none(
    processes: ProcessPods,
) -> None:
    with Rollout(processes, ASK, CAREFUL).running("1") as one:
        new = one.roll("2", requests=100)
        assert (new.lost, new.finished) == (0, True), new.reasons()
        assert new.requests >= 100
        assert {seen.headers["x-pod"] for seen in new.seen} == {"pod-a", "pod-b", "pod-c", "pod-d"}
        stopped = one.roll("3", requests=20, start_s=1.5)
        assert (stopped.lost, stopped.finished) == (0, False), stopped.reasons()
        assert {seen.headers["x-pod"] for seen in stopped.seen} == {"pod-c", "pod-d"}
        assert "the rollout stops" in stopped.events[-1][1]
        again = one.roll("2", requests=20)
        assert (again.lost, again.finished) == (0, True), "it can be rolled out afterwards"


@pytest.mark.parametrize("variant", VARIANTS[:2], ids=lambda each: each.name)
def test_a_careless_rollout_loses_requests(processes: ProcessPods, variant: Variant) -> None:
    with Rollout(processes, ASK, variant).running("1") as one:
        found = one.roll("2", requests=20)
    assert found.lost > 0
    assert found.lost == sum(found.reasons().values())


def test_pods_of_podman_are_rolled_out_without_loss(tmp_path: Path) -> None:
    with own_podman() as podman:
        _build_small(podman, tmp_path)
        with Rollout(PodmanPods(podman, _manifest), ASK, CAREFUL).running("1") as one:
            assert sorted(podman.pods()) == ["pod-a", "pod-b"]
            found = one.roll("2", requests=100)
            assert (found.lost, found.finished) == (0, True), found.reasons()
            assert sorted(podman.pods()) == ["pod-c", "pod-d"]
        assert podman.pods() == []


def _build_small(podman: Podman, folder: Path) -> None:
    image.make_base(podman)
    for package in ("uvicorn", "starlette", "click", "h11", "anyio", "idna", "typing-extensions"):
        for source, place in installed_files(package):
            target = folder / "packages" / place
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, target)
    (folder / "small.py").write_text(SMALL.read_text())
    (folder / "Dockerfile").write_text(
        f"FROM {image.BASE}\nENV PYTHONPATH=/packages\nCOPY packages /packages\n"
        'COPY small.py /\nUSER 10001\nENTRYPOINT ["python3", "/small.py"]\n'
    )
    podman.build(folder, "localhost/small")


def _manifest(pod: str, port: int, version: str) -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {pod}}}\nspec:\n  hostNetwork: true\n"
        "  containers:\n  - name: web\n    image: localhost/small\n    imagePullPolicy: Never\n"
        f'    args: ["{port}", "{SECONDS[version]}"]\n'
    )


def test_a_first_version_that_is_never_ready_is_told(processes: ProcessPods) -> None:
    with (
        pytest.raises(TestbedError, match="pod-a of version 3 was not ready within 1 s"),
        Rollout(processes, ASK, CAREFUL, start_s=1).running("3"),
    ):
        pass
    assert processes.running == {}


def test_a_pod_gets_requests_only_while_it_is_ready() -> None:
    with proxy({"a": free_port()}) as one:
        one.add("a")
        assert not one.ready("a")
        assert "check inter 250ms fall 1 rise 1" in one.config
        with pytest.raises(ProxyError, match="refuses"):
            one.add("nobody")


def test_a_machine_without_haproxy_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ProxyError, match="HAProxy is not installed: install HAProxy"):
        find_haproxy()


def seen(ended: float, outcome: str = "answered", status: int = 200, waited: float = 0.1) -> Seen:
    headers = {"x-pod": "pod-a"} if status == 200 else {}
    first = ended if outcome == "answered" else None
    return Seen("c", ended - waited, first, ended, status, outcome, headers=headers)  # type: ignore[arg-type]


def test_what_is_lost_late_and_when() -> None:
    found = Rolled(
        CAREFUL,
        [seen(0.5), seen(0.6, "refused", 503), seen(1.2, "lost"), seen(3.5, waited=2.5)],
        [(1.1, "pod-c starts"), (1.9, "pod-c is ready")],
    )
    assert (found.requests, found.lost, found.late) == (4, 2, 1)
    assert found.reasons() == {"503": 1, "lost": 1}
    rows = found.timeline()
    assert [row["second"] for row in rows] == [0, 1, 2, 3]
    assert [row["pod-a"] for row in rows] == [1, 0, 0, 1]
    assert [row["lost"] for row in rows] == [1, 1, 0, 0]
    assert rows[1]["what happened"] == "pod-c starts; pod-c is ready"


def figures(last: Rolled, stopped: Rolled) -> dict[str, float]:
    report = command_rollout.Report(rolled=[last], never_ready=stopped)
    assert last.variant.name in command_rollout.as_table(report)
    return {name: each.value for name, each in command_rollout.figures(report).items()}


def test_the_evidence_counts_a_rollout_that_did_not_do_its_work() -> None:
    good, bad = [seen(0.5)], [seen(0.5), seen(0.6, "lost")]
    done, stopped = Rolled(CAREFUL, good, finished=True), Rolled(CAREFUL, good)
    assert set(figures(done, stopped).values()) == {0}
    assert list(figures(Rolled(CAREFUL, bad, finished=True), stopped).values()) == [1, 0]
    assert list(figures(stopped, stopped).values()) == [1, 0], "the new version did not come"
    assert list(figures(done, done).values()) == [0, 1], "the broken version came"
    assert list(figures(done, Rolled(CAREFUL, bad)).values()) == [0, 1]


def test_the_command_without_podman_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_FAST", "0")
    (tmp_path / "haproxy").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_rollout.main([]) == 1
    said = capsys.readouterr().err
    assert "podman is not installed: install podman" in said
    assert "course rollout --processes" in said


def test_the_command_writes_no_evidence_in_fast_mode(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_FAST", "1")
    monkeypatch.setattr(rollout, "proxy", None)
    assert command_rollout.main([]) == 1
    assert "unset COURSE_FAST" in capsys.readouterr().err
