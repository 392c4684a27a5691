"""Which entries of a lock a target needs, and which wheels fit it; and what `start.py` says."""

import ast
import hashlib
import json
import platform
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.workshop.bundle import start
from helpers.workshop.bundle.targets import PLATFORMS, PYTHONS, Target, read_lock
from helpers.workshop.bundle.wheels import batches

LOCK = """\
# A comment.
plain==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
mac-only==2 ; sys_platform == 'darwin' \\
    --hash=sha256:cc
Soup.Sieve==2.10 ; python_full_version < '3.11.5' \\
    --hash=sha256:dd
soup-sieve==4.1.0 ; python_full_version >= '3.11.5' \\
    --hash=sha256:ee
new==1 ; python_full_version >= '3.12' and platform_machine == 'x86_64' \\
    --hash=sha256:ff
"""


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (Target("linux-x86_64", "3.11"), ["plain", "soup-sieve 2.10", "soup-sieve 4.1.0"]),
        (Target("linux-x86_64", "3.12"), ["plain", "soup-sieve 4.1.0", "new"]),
        (Target("linux-aarch64", "3.12"), ["plain", "soup-sieve 4.1.0"]),
        (Target("macos-arm64", "3.13"), ["plain", "mac-only", "soup-sieve 4.1.0"]),
        (Target("windows-x86_64", "3.13"), ["plain", "soup-sieve 4.1.0"]),
    ],
)
def test_entries_are_chosen_for_the_target_and_not_for_this_machine(
    target: Target, wanted: list[str]
) -> None:
    found = [
        f"{entry.name} {entry.version}" if "soup" in entry.name else entry.name
        for entry in target.wanted(read_lock(LOCK))
    ]
    assert found == wanted


@pytest.mark.parametrize(
    ("file", "platforms"),
    [
        ("plain-1.0-py3-none-any.whl", set(PLATFORMS)),
        ("plain-1.0-cp312-cp312-win_amd64.whl", {"windows-x86_64"}),
        ("plain-1.0-cp310-abi3-win_amd64.whl", {"windows-x86_64"}),
        ("plain-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", {"linux-x86_64"}),
        ("plain-1.0-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", {"linux-x86_64"}),
        ("plain-1.0-cp312-cp312-manylinux_2_34_x86_64.whl", set()),
        ("plain-1.0-cp312-cp312-musllinux_1_2_x86_64.whl", set()),
        ("plain-1.0-cp312-cp312-manylinux_2_26_aarch64.whl", {"linux-aarch64"}),
        ("plain-1.0-cp312-cp312-macosx_11_0_arm64.whl", {"macos-arm64"}),
        ("plain-1.0-py3-none-macosx_10_9_universal2.whl", {"macos-arm64"}),
        ("plain-1.0-cp312-cp312-macosx_14_0_arm64.whl", set()),
        ("plain-1.0-cp313-cp313-win_amd64.whl", set()),
        ("plain-1.1-py3-none-any.whl", set()),
    ],
)
def test_wheels_that_fit(file: str, platforms: set[str]) -> None:
    lock = read_lock(LOCK)[:1]
    fits = {
        name for name in PLATFORMS if not Target(name, "3.12").missing(lock, {Path(file): "bb"})
    }
    assert fits == platforms
    assert Target("linux-x86_64", "3.12").missing(lock, {Path(file): "other"}) == lock


def test_a_newer_version_is_the_same_however_it_is_written() -> None:
    lock = read_lock("plain==26.01 --hash=sha256:aa\n")
    there = {Path("plain-26.1-py3-none-any.whl"): "aa"}
    assert Target("linux-x86_64", "3.12").missing(lock, there) == []


def test_a_batch_names_no_package_twice() -> None:
    entries = read_lock(LOCK)
    found = list(batches(entries, size=3))
    assert all(len({entry.name for entry in batch}) == len(batch) <= 3 for batch in found)
    assert sorted(str(e.requirement) for batch in found for e in batch) == sorted(
        str(entry.requirement) for entry in entries
    )
    assert entries[0].line() == "plain==1.0 --hash=sha256:aa --hash=sha256:bb\n"


def test_the_platforms_are_readmes() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.partition("### Platforms")[2].partition("not possible")[0]
    for words in ("Linux x86-64, glibc 2.28", "Linux aarch64", "macOS 13", "Windows x86-64"):
        assert words in section
    assert len(PLATFORMS) == 4


def test_every_target_of_the_courses_lock_has_its_entries() -> None:
    lock = read_lock((ROOT / "requirements.lock").read_text("utf-8"))
    for name in PLATFORMS:
        for python in PYTHONS:
            wanted = {entry.name for entry in Target(name, python).wanted(lock)}
            assert {"langchain", "ray", "numpy", "scipy"} <= wanted
            assert ("pywin32" in wanted) is name.startswith("windows")


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `start.py` takes for its own."""
    monkeypatch.setattr(start, "HERE", tmp_path)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
    (tmp_path / "course.bundle").write_bytes(b"the course")
    digest = hashlib.sha256(b"the course").hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  course.bundle\n", encoding="utf-8")
    targets = [["macos-arm64", "3.12"], ["windows-x86_64", "3.11"]]
    text = json.dumps({"complete": True, "targets": targets})
    (tmp_path / "bundle.json").write_text(text, encoding="utf-8")
    return tmp_path


def test_start_takes_the_machine_that_it_is_for(
    stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start.problem() == ""
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    assert "has packages for Python 3.11: run start.py with that version" in start.problem()
    monkeypatch.setattr(platform, "machine", lambda: "ARM64")
    assert "this machine is windows-arm64. Tell your instructor" in start.problem()


@pytest.mark.parametrize("name", ["bundle.json", "SHA256SUMS", "course.bundle"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"[]"])
def test_start_on_a_damaged_stick(
    name: str, content: bytes | None, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        (stick / name).unlink()
    else:
        (stick / name).write_bytes(content)
    assert start.main([str(stick / "new")]) == 1
    assert "Copy the whole folder again" in capsys.readouterr().err
    assert not (stick / "new").exists()


def test_start_leaves_another_folder_alone(stick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main([str(stick)]) == 1
    assert "is not empty, and is not the course" in capsys.readouterr().err


def test_start_without_git(
    stick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(stick))
    assert start.main([str(stick / "new")]) == 1
    assert "git was not found" in capsys.readouterr().err


def test_start_is_read_by_old_pythons_too() -> None:
    text = Path(start.__file__).read_text("utf-8")
    ast.parse(text, feature_version=(3, 6))
