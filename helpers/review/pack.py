"""Pack a home: your evidence, accepted risks and releases, with their version and date.

A packed home is a folder that others can read: what it shows is judged against the version and the
date in its `release.json`, not against the agent as it is on the reader's machine.
"""

import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

from helpers.evaluate.evidence import save_json
from helpers.evaluate.packed import FILE, Packed, PackError, packed
from helpers.evaluate.version import current_version
from helpers.paths import course_dir

FOLDERS = ("evidence", "acceptances", "releases")
"""What of a home is packed. The releases decide what the item *regression* is compared with."""


def pack(home_to: Path, *, now: datetime | None = None) -> Packed:
    """Copy your own home's files into a folder, for the agent as it is now.

    A folder that is a pack already is replaced in one step; its other files stay as they are.

    Args:
        home_to: a folder that is new, empty, or a pack.
        now: the date of the pack, by default the present.

    Returns:
        What the pack says about itself: its version and date.

    Raises:
        PackError: there is no evidence, the folder holds something else, or it cannot be written.
    """
    source, target = course_dir().resolve(), home_to.resolve()
    if not any((source / "evidence").glob("*.json")):
        raise PackError(
            "There is no evidence to pack: course ship-check names the commands that write it."
        )
    _check(target, source)
    about = Packed(current_version(), now or datetime.now(UTC))
    made = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        made.mkdir(parents=True)
        _fill(made, source, target, about)
        _replace(target, made)
    except (OSError, shutil.Error) as problem:
        raise PackError(f"{home_to} cannot be written ({problem}): choose another.") from problem
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return about


def _check(target: Path, source: Path) -> None:
    """Raise `PackError` where packing would overwrite what is no pack, or the source itself."""
    if target == source or source.is_relative_to(target):
        raise PackError(f"{target} is where your evidence is: choose another folder.")
    if target.exists() and not target.is_dir():
        raise PackError(f"{target} is a file: choose a folder.")
    if target.is_dir() and any(target.iterdir()) and packed(target) is None:
        raise PackError(f"{target} has other files and no {FILE}: choose an empty folder.")


def _fill(made: Path, source: Path, target: Path, about: Packed) -> None:
    if target.is_dir():
        others = shutil.ignore_patterns(FILE, *FOLDERS)
        shutil.copytree(target, made, ignore=others, dirs_exist_ok=True)
    for name in FOLDERS:
        for file in sorted((source / name).glob("*.json")):
            (made / name).mkdir(exist_ok=True)
            shutil.copyfile(file, made / name / file.name)
    save_json(made / FILE, about.as_json())


def _replace(target: Path, made: Path) -> None:
    """Put the new folder where the old one is; the old one comes back when that fails."""
    if not target.exists():
        made.rename(target)
        return
    old = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    target.rename(old)
    try:
        made.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
