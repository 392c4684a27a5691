"""Run Python where `helpers` cannot be imported, as in a learner's own project."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# The course's environment knows where the checkout is, so an absent path is not enough.
_REFUSE = """\
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "helpers":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refused())
sys.path.insert(0, sys.argv.pop(1))
"""

_OWN = ("COURSE_", "LANGSMITH_", "LANGCHAIN_", "OPENAI_", "PYTHONPATH", "MODEL", "EMBEDDINGS")


def run_alone(
    code: str,
    *argv: str,
    path: Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 120,
) -> "subprocess.CompletedProcess[str]":
    """Run `code` in a process of its own, with the installed packages but without the course.

    Args:
        argv: what `sys.argv` has after its first entry.
        path: a folder to import from.
        cwd: where it runs; this folder is not imported from.
        env: more variables; those of the course, of tracing and of OpenAI are left out.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OWN)}
    words: Sequence[str] = [sys.executable, "-P", "-c", _REFUSE + code, str(path), *argv]
    return subprocess.run(
        words,
        cwd=cwd,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=timeout_s,
    )
