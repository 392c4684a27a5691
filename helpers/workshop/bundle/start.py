"""Install the course from this folder, without a network: `python3 start.py [FOLDER] [COMMAND...]`.

FOLDER is where the course goes, or where it already is (default: production-agents, in the current
folder). COMMAND is a command of the course (default: `lab`, which opens JupyterLab). Nothing is
written to the folder that contains start.py.
"""

# Standard library only, in the syntax of Python 3.6, so that an old Python gets a sentence.

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(words: "list[str]") -> int:
    """Check, clone, and hand over to the course's own set-up; return the exit status."""
    if words and words[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    folder = Path(words[0] if words else "production-agents")
    sentence = problem() or course_in(folder)
    if sentence:
        sys.stderr.write(sentence + "\n")
        return 1
    command, rest = (words[1], words[2:]) if len(words) > 1 else ("lab", [])
    call = [sys.executable, "-m", "helpers", command, "--wheels", str(HERE / "wheels")]
    os.chdir(str(folder))
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(call[0], call + rest)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command decides what Ctrl-C means
    return subprocess.call(call + rest)


def problem() -> str:
    """One sentence where this folder is not whole, or not for this machine; else the empty text."""
    try:
        bundle = json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
        complete, targets = bundle["complete"], bundle["targets"]
        lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        sums = {name: digest for digest, name in (line.split(None, 1) for line in lines)}
        found = hashlib.sha256((HERE / "course.bundle").read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return "A file of this folder is missing or damaged. Copy the whole folder again."
    if sums.get("course.bundle") != found:
        return "course.bundle is damaged (its checksum differs). Copy the whole folder again."
    if not complete:
        return "This folder is not complete. Ask your instructor to complete it."
    return misfit(targets)


def misfit(targets: "list[list[str]]") -> str:
    """One sentence where no target is this machine and this Python; else the empty text."""
    system = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}.get(platform.system(), "")
    here = system + "-" + platform.machine().lower().replace("amd64", "x86_64")
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if [here, python] in targets:
        return ""
    pythons = " or ".join(other for name, other in targets if name == here)
    if pythons:
        return (
            f"This is Python {python}, but the folder has packages for Python {pythons}: run "
            "start.py with that version."
        )
    names = ", ".join(sorted({name for name, _ in targets}))
    return f"The folder is for {names}, but this machine is {here}. Tell your instructor."


def course_in(folder: Path) -> str:
    """Clone the course into a folder without it; one sentence where that fails, or empty text."""
    if (folder / "helpers" / "__main__.py").is_file():
        return ""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return f"{folder} is not empty, and is not the course. Name another folder."
    call = ["git", "clone", "--quiet", "--branch", "main", str(HERE / "course.bundle")]
    try:
        status = subprocess.call([*call, str(folder)])
    except OSError:
        return "git was not found. Install it, and run the same command again."
    return "The course could not be copied there. Name another folder." if status else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
