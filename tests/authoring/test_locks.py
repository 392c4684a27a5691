"""Both locks from one resolution, on a project of tiny local wheels."""

import shutil
import sysconfig
import zipfile
from pathlib import Path

import pytest

from helpers.authoring.locks import DEVELOPER, LEARNER, LockError, entries, renew

PROJECT = """
[project]
name = "small"
version = "1"
requires-python = ">=3.11"
dependencies = ["needed>=1"]

[dependency-groups]
dev = ["checker"]

[tool.uv]
override-dependencies = ["huge ; python_version < '3'"]
no-index = true
find-links = ["../wheels"]
"""


def write_wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    info = f"{name}-{version}.dist-info"
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose wheels lie in a folder; the network is not asked."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_wheel(wheels, "needed", "1.0", "shared", "huge")
    write_wheel(wheels, "shared", "1.0")
    write_wheel(wheels, "checker", "1.0", "shared", "besides ; sys_platform == 'win32'")
    write_wheel(wheels, "besides", "1.0")
    write_wheel(wheels, "huge", "1.0")
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return root


def names(path: Path) -> list[str]:
    return list(entries(path.read_text(encoding="utf-8")))


def test_each_package_stands_in_one_lock(project: Path) -> None:
    assert renew(project, upgrade=False) == {LEARNER: 2, DEVELOPER: 2}
    assert names(project / LEARNER) == ["needed==1.0", "shared==1.0"]
    assert names(project / DEVELOPER) == ["besides==1.0 ; sys_platform == 'win32'", "checker==1.0"]
    assert (project / LEARNER).read_text("utf-8").count("--hash=sha256:") == 2


def test_the_same_project_gives_the_same_bytes_and_no_place(project: Path) -> None:
    renew(project, upgrade=False)
    first = [(project / name).read_bytes() for name in (LEARNER, DEVELOPER)]
    renew(project, upgrade=False)
    assert [(project / name).read_bytes() for name in (LEARNER, DEVELOPER)] == first
    assert str(project.parent).encode() not in b"".join(first)


def test_versions_stay_until_an_upgrade_is_asked_for(project: Path) -> None:
    renew(project, upgrade=False)
    write_wheel(project.parent / "wheels", "shared", "2.0")
    write_wheel(project.parent / "wheels", "besides", "2.0")
    renew(project, upgrade=False)
    assert "shared==1.0" in names(project / LEARNER)
    renew(project, upgrade=True)
    assert "shared==2.0" in names(project / LEARNER)
    assert "besides==2.0 ; sys_platform == 'win32'" in names(project / DEVELOPER)


def test_what_cannot_be_resolved_is_said_and_nothing_is_written(project: Path) -> None:
    impossible = PROJECT.replace("needed>=1", "needed>=7")
    (project / "pyproject.toml").write_text(impossible, encoding="utf-8")
    with pytest.raises(LockError, match="no solution"):
        renew(project, upgrade=False)
    assert not (project / LEARNER).exists()


def test_without_uv_it_says_where_uv_comes_from(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(LockError, match="uv is missing"):
        renew(project, upgrade=False)


def test_the_developers_lock_brings_uv() -> None:
    assert shutil.which("uv", path=sysconfig.get_path("scripts")) is not None
