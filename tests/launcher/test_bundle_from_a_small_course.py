"""`course bundle` on a small course: made from local wheels, verified, and installed from."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from set_up_answers import said
from small_course import DEAD, Course, find_uv, lock_of, new_course, write_wheel

from helpers.launcher import advice
from helpers.launcher.advice import SetUpError
from helpers.paths import ROOT
from helpers.workshop.bundle import folder as bundle_folder
from helpers.workshop.bundle import wheels
from helpers.workshop.bundle.command import bundle
from helpers.workshop.bundle.folder import make, verify
from helpers.workshop.bundle.targets import Target, here, this_python
from helpers.workshop.bundle.wheels import BundleError

README = (ROOT / "README.md").read_text("utf-8")

if here() is None:
    pytest.skip("this machine is of no platform of the course", allow_module_level=True)

OWN = Target(str(here()), this_python())
WINDOWS = Target("windows-x86_64", "3.13")


def git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def as_windows(course: Course, name: str) -> str:
    """Add a wheel that fits Windows with Python 3.13 alone; return its entry of a lock."""
    digest = write_wheel(course.wheels, name)
    plain = course.wheels / f"{name}-1.0-py3-none-any.whl"
    plain.rename(course.wheels / f"{name}-1.0-cp313-cp313-win_amd64.whl")
    first, rest = lock_of(name, digest).split(" \\\n")
    return f"{first} ; sys_platform == 'win32' \\\n{rest}"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A small course under git, whose lock has a package for Windows alone."""
    course = new_course(tmp_path_factory.mktemp("small"), uv=find_uv() is not None)
    lock = (course.root / "requirements.lock").read_text("utf-8")
    course.lock("requirements.lock", lock + as_windows(course, "tiny_gamma"))
    git(course.root, "init", "--quiet", "--initial-branch", "work")
    git(course.root, "add", ".")
    git(course.root, "commit", "--quiet", "-m", "The course")
    return course


@pytest.fixture(scope="module")
def made(small: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for this machine and for Windows, made while no index is there."""
    place = tmp_path_factory.mktemp("stick")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_FIND_LINKS", str(small.wheels))
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("HTTPS_PROXY", DEAD)
        targets = make(place / "bundle", [OWN, WINDOWS], root=small.root, log=place / "bundle.log")
    assert targets == [OWN, WINDOWS]
    return place / "bundle"


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def no_download(*_: object) -> None:
    raise AssertionError("nothing is to be downloaded")


def test_it_has_the_wheels_of_every_target_and_is_whole(made: Path) -> None:
    assert sorted(path.name for path in (made / "wheels").iterdir()) == [
        "tiny_alpha-1.0-py3-none-any.whl",
        "tiny_gamma-1.0-cp313-cp313-win_amd64.whl",
    ]
    assert verify(made) == ([OWN, WINDOWS], [])
    readme = (made / "README.txt").read_text("utf-8")
    assert "py STICK\\start.py" in readme
    assert "windows-x86_64" in readme
    for path in made.iterdir():
        if path.is_file() and path.suffix != ".bundle":
            text = path.read_text("utf-8")
            assert "://" not in text
            assert str(made.parent) not in text
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=made, capture_output=True)
    assert sums.returncode == 0


def test_a_learner_installs_from_it_with_one_command(
    made: Path, small: Course, tmp_path: Path
) -> None:
    learner = Course(tmp_path / "mine", made / "wheels", tmp_path / "home", small.programs)
    (tmp_path / "home").mkdir()
    environment = learner.environment()
    environment["PATH"] += f"{os.pathsep}{Path(shutil.which('git') or '').parent}"
    result = subprocess.run(
        [learner.python, str(made / "start.py"), "mine", "say", "hello"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said(result)["words"] == ["say", "hello"]
    assert said(result)["prefix"] == str(tmp_path / "mine" / ".venv")
    branch = subprocess.run(
        ["git", "status", "--branch", "--porcelain"],
        cwd=tmp_path / "mine",
        capture_output=True,
        text=True,
        check=True,
    )
    assert branch.stdout.startswith("## main...origin/main")
    assert verify(made)[1] == [], "nothing was written to the stick"


def test_a_bundle_that_is_whole_is_completed_without_a_download(
    copied: Path, small: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bundle_folder, "download", no_download)
    assert make(copied, [OWN], root=small.root, log=tmp_path / "log") == [OWN, WINDOWS]
    assert verify(copied)[1] == []


def test_what_is_cut_off_is_downloaded_again_and_nothing_else(
    copied: Path,
    small: Course,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wheel = copied / "wheels" / "tiny_alpha-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:100])
    assert verify(copied)[1] == [f"wheels/{wheel.name} is damaged (its checksum differs)."]
    asked: list[list[str]] = []

    def again(wanted: dict[Target, list[bundle_folder.Entry]], wheels: Path, log: Path) -> None:
        asked.extend([entry.name for entry in entries] for entries in wanted.values())
        shutil.copy(small.wheels / wheel.name, wheels)

    monkeypatch.setattr(bundle_folder, "download", again)
    make(copied, [], root=small.root, log=tmp_path / "log")
    assert asked == [["tiny-alpha"], ["tiny-alpha"]]
    assert f"Removed {wheel.name}" in capsys.readouterr().out
    assert verify(copied)[1] == []


def test_an_interrupted_one_is_not_whole_and_is_no_stick(
    copied: Path, small: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    (copied / "wheels" / "tiny_alpha-1.0-py3-none-any.whl").unlink()
    monkeypatch.setattr(bundle_folder, "download", stop)
    with pytest.raises(KeyboardInterrupt):
        make(copied, [], root=small.root, log=tmp_path / "log")
    assert verify(copied)[1]
    result = subprocess.run(
        [sys.executable, str(copied / "start.py"), str(tmp_path / "x")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "not complete" in result.stderr


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda bundle: (bundle / "README.txt").write_text("x"), "README.txt is damaged"),
        (lambda bundle: (bundle / "course.bundle").unlink(), "course.bundle is missing"),
        (
            lambda bundle: (bundle / "notes.txt").write_text("x"),
            "notes.txt does not belong to this bundle",
        ),
        (lambda bundle: (bundle / "SHA256SUMS").unlink(), "is not complete"),
        (lambda bundle: (bundle / "SHA256SUMS").write_bytes(b"\xff"), "is not complete"),
        (lambda bundle: (bundle / "SHA256SUMS").write_text("x\n"), "is not complete"),
    ],
)
def test_verify_says_what_is_wrong(
    damage: object, says: str, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(damage)
    damage(copied)
    assert bundle([str(copied), "--verify"]) == 1
    said = capsys.readouterr().out
    assert says in said
    assert "To complete it: course bundle" in said


def test_verify_knows_a_target_that_lacks_a_wheel(copied: Path) -> None:
    name = "wheels/tiny_gamma-1.0-cp313-cp313-win_amd64.whl"
    (copied / name).unlink()
    sums = copied / "SHA256SUMS"
    lines = sums.read_text("utf-8").splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if name not in line), encoding="utf-8")
    assert verify(copied)[1] == ["tiny-gamma 1.0 has no wheel for windows-x86_64 with Python 3.13."]


def test_what_a_system_leaves_on_a_stick_is_no_fault(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / ".DS_Store").write_bytes(b"x")
    (copied / "System Volume Information").mkdir()
    (copied / "System Volume Information" / "x").write_bytes(b"x")
    assert bundle([str(copied), "--verify"]) == 0
    assert "is complete" in capsys.readouterr().out


def test_a_folder_of_other_things_is_left_alone(
    small: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    for place in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(BundleError, match="new or empty"):
            make(place, [OWN], root=small.root, log=tmp_path / "log")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    assert bundle([str(tmp_path), "--verify"]) == 1
    assert "is not a bundle" in capsys.readouterr().err


def test_a_folder_inside_the_clone_is_refused(small: Course, tmp_path: Path) -> None:
    for place in (small.root / "stick", small.root / "helpers" / "a" / "b"):
        with pytest.raises(BundleError, match=r"name a folder outside, such as \.\./stick"):
            make(place, [OWN], root=small.root, log=tmp_path / "log")
        assert not place.exists()


def test_the_help_says_what_a_participant_runs_and_readmes_size(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        bundle(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "`python3 STICK/start.py`" in said
    size = re.search(r"\(about ([\d,]+) MB for one\s+platform and Python\)", README)
    assert size is not None
    assert f"takes about {size[1]} MB" in said


def test_a_disk_that_is_too_full_is_known_before_the_download(
    small: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=200_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(bundle_folder, "download", no_download)
    with pytest.raises(BundleError, match=r"The disk is too full: .* 200 MB are free"):
        make(tmp_path / "new", [OWN], root=small.root, log=tmp_path / "log")


def test_a_disk_that_fills_up_meanwhile_is_a_sentence(
    small: Course,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("helpers.workshop.bundle.command.ROOT", small.root)
    monkeypatch.setattr(bundle_folder, "download", full)
    assert bundle([str(tmp_path / "new")]) == 1
    assert "The disk is full: free some space" in capsys.readouterr().err


def test_a_folder_without_git_is_a_sentence(small: Course, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(BundleError, match="not a git clone"):
        make(tmp_path / "new", [OWN], root=tmp_path / "plain", log=tmp_path / "log")


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        (advice.MISSING, "Leave out that platform or Python"),
        (advice.NETWORK, "there is no network"),
        (advice.HASH, "its hash differs"),
        (advice.DISK, "The disk is full"),
        ("Something else.", "Something else."),
    ],
)
def test_what_pip_meets_is_a_sentence_for_an_instructor(
    sentence: str,
    says: str,
    small: Course,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def run(command: list[str], *_: object) -> None:
        if "download" in command:
            assert {"--require-hashes", "--no-deps", "win_amd64", "3.13"} <= set(command)
            raise SetUpError(f"{sentence}\n(All it said: log)")

    monkeypatch.setattr(wheels, "run", run)
    monkeypatch.setattr(wheels, "pip_settings", lambda python: {})
    monkeypatch.setattr(wheels.Pip, "create", lambda *_: None)
    with pytest.raises(BundleError) as raised:
        make(tmp_path / "new", [WINDOWS], root=small.root, log=tmp_path / "log")
    assert says in str(raised.value)
    assert "--wheels" not in str(raised.value)
    assert str(raised.value).endswith("(All it said: log)")
    assert not json.loads((tmp_path / "new" / "bundle.json").read_text("utf-8"))["complete"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        [""],
        ["."],
        ["x", "--platform", "amiga"],
        ["x", "--python", "3.9"],
        ["x", "--python", "3.11.4"],
        ["x", "--verify", "--python", "3.12"],
    ],
)
def test_bad_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bundle(words)
    assert stopped.value.code == 2
    assert "usage: course bundle" in capsys.readouterr().err
