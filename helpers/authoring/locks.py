"""The two lock files, made from one resolution.

`requirements.lock` is what a learner needs, `requirements-dev.lock` what the tests need besides.
Both hold for every platform and Python of the course, name no host, and are installed without
dependency resolution.
"""

import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

LEARNER = "requirements.lock"
DEVELOPER = "requirements-dev.lock"
OLDEST_PYTHON = "3.11"

HEADERS = {
    LEARNER: "# What a learner needs. Made by `python3 -m helpers lock`; do not edit.\n",
    DEVELOPER: "# What the tests need besides. Made by `python3 -m helpers lock`; do not edit.\n",
}


class LockError(Exception):
    """The locks cannot be made; the message says what to do."""


def entries(text: str) -> dict[str, str]:
    """A lock's entries by their requirement ("numpy==2.4.6 ; python_version < '3.12'").

    The value is the whole entry, its hash lines included.
    """
    found: dict[str, str] = {}
    requirement = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("#") or not line.strip():
            continue
        if not line[0].isspace():
            requirement = line.strip().rstrip("\\").rstrip()
        found[requirement] = found.get(requirement, "") + line
    return found


def renew(root: Path, *, upgrade: bool) -> dict[str, int]:
    """Write both locks of the project in `root`; return how many entries each has.

    Versions stay as they are where pyproject.toml allows, or become the newest with `upgrade`.
    Raises `LockError` when uv is missing or finds no solution.
    """
    paths = {name: root / name for name in HEADERS}
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.txt")
        if not upgrade:  # uv keeps the versions that it finds in its output file
            present = [path.read_text(encoding="utf-8") for path in paths.values() if path.exists()]
            whole.write_text("".join(present), encoding="utf-8")
        _compile(root, whole, ["--group", "dev"])
        learner = Path(folder, "learner.txt")
        _compile(root, learner, ["--constraints", str(whole)])
        everything = entries(whole.read_text(encoding="utf-8"))
        needed = entries(learner.read_text(encoding="utf-8"))
    besides = {key: block for key, block in everything.items() if key not in needed}
    for name, part in ((LEARNER, needed), (DEVELOPER, besides)):
        text = HEADERS[name] + "".join(part.values())
        if "://" in text:
            raise LockError(f"{name} would name a host; a dependency comes from a URL.")
        paths[name].write_text(text, encoding="utf-8", newline="\n")
    return {LEARNER: len(needed), DEVELOPER: len(besides)}


def _compile(root: Path, output: Path, options: Sequence[str]) -> None:
    """Resolve the project's requirements for every platform at once."""
    scripts = sysconfig.get_path("scripts")
    uv = shutil.which("uv", path=os.pathsep.join([scripts, os.environ.get("PATH", "")]))
    if uv is None:
        raise LockError("uv is missing: run `python3 -m helpers test` once, which installs it.")
    everywhere = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"]
    plain = ["--no-header", "--no-annotate", "--quiet", "--output-file", str(output)]
    result = subprocess.run(
        [uv, "pip", "compile", *everywhere, *plain, *options, "pyproject.toml"],
        cwd=root,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    if result.returncode:
        raise LockError(f"uv found no solution:\n{result.stderr.strip()}")
