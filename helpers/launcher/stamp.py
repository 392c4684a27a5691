"""The note in `.venv`, written last, that says what was installed there."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple


class Stamp(NamedTuple):
    """What a finished set-up left.

    Attributes:
        python: such as "3.12".
        folder: the environment's, by its full path.
        locks: each lock's digest by its name.
        packages: names of the `.dist-info` folders' packages that were found there, sorted.
    """

    python: str
    folder: str
    locks: dict[str, str]
    packages: list[str]


def digest(lock: Path) -> str:
    """SHA-256 of a lock file, whatever line ends git gave it on this machine."""
    return hashlib.sha256(lock.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def read_stamp(path: Path) -> Stamp | None:
    """The stamp, or None where there is none or it cannot be read: the set-up did not end."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        locks, packages = dict(fields["locks"]), list(fields["packages"])
        return Stamp(str(fields["python"]), str(fields["folder"]), locks, packages)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(path: Path, stamp: Stamp) -> None:
    """Write the stamp in one step, so that a crash leaves the whole of it or nothing."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(stamp._asdict(), indent=1), encoding="utf-8")
    draft.replace(path)
