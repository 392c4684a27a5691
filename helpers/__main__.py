"""`python3 -m helpers COMMAND`: set the course up when that is needed, then run the command.

Standard library only. This file and `helpers/__init__.py` are read by whatever Python was
called, so they keep to the syntax and library of Python 3.6: an old Python gets a sentence, and
from 3.8 on it still makes the report for an instructor.
"""

import os
import shutil
import sys

OLDEST = (3, 11)
NEWEST = (3, 13)


def refusal(version: "tuple[int, ...]", windows: bool = os.name == "nt") -> "str | None":
    """One sentence when the course cannot run on this Python, else None."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    advice = "Install Python 3.12 (environment.yml brings it where there is conda), then run "
    advice += "`py -3.12 -m helpers`." if windows else "`python3.12 -m helpers`."
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        if not windows and shutil.which(f"python3.{minor}"):
            advice = f"This machine has another one: run `python3.{minor} -m helpers`."
    found = f"{version[0]}.{version[1]}"
    return f"The course needs Python 3.11, 3.12 or 3.13, and this is {found}. {advice}"


def report(words: "list[str]", sentence: str) -> None:
    """Make the report of `doctor --report` without the course's packages, where that can be."""
    try:
        from helpers.doctor import doctor

        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
        doctor([*words, "--stopped=" + sentence])
    except Exception:  # a Python before 3.8, which cannot read that module
        sys.stderr.write("It cannot make a report either: tell your instructor this sentence.\n")


def main() -> int:
    """Check the Python, then hand over to the launcher proper; return the exit status."""
    sentence = refusal(sys.version_info[:2])
    if sentence:
        sys.stderr.write(sentence + "\n")
        words = sys.argv[1:]
        if words[:1] == ["doctor"] and any(one.split("=")[0] == "--report" for one in words):
            report(words[1:], sentence)
        return 1
    from helpers.launcher.start import start

    return start(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
