"""A file that a person names for a command to write: one rule for every command.

The name must have an ending that the command writes, and its folder must exist. A link is followed.
Only a regular file is ever replaced, and only where this command wrote it: any other file may be
the person's own. Standard library only, for an old Python too: `course doctor --report` needs it.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path


class OutError(Exception):
    """A file cannot be written there; the message says what to do."""


def named(*endings: str) -> Callable[[str], Path]:
    """The `type=` of an option of argparse that takes a file's name with one of these endings."""

    def file(text: str) -> Path:
        path = Path(text.strip())
        if path.suffix.lower() not in endings:
            raise argparse.ArgumentTypeError(
                f"{text!r} does not fit: the name must end in {' or '.join(endings)}"
            )
        return path

    return file


def folder(text: str) -> Path:
    """The `type=` of an argument that names a folder: an unset variable is not this folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: name a folder")
    return Path(text)


def check(out: Path, ours: Callable[[bytes], bool] | None = None) -> None:
    """Look whether a file may be written, before the work that makes its content.

    Raises:
        OutError: it may not.
    """
    try:
        _check(out, ours, None)
        if not os.access(Path(os.path.realpath(out)).parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as error:
        raise _refused(out, error) from error


def save(out: Path, content: bytes, ours: Callable[[bytes], bool] | None = None) -> None:
    """Write a file whole, or not at all.

    Args:
        out: the file; its folder is there.
        content: what to write. A file that already has this content is no obstacle.
        ours: whether the content that is there may be replaced; without it, only equal content is.

    Raises:
        OutError: it may not be written, or the system refuses.
    """
    try:
        _check(out, ours, content)
        replace(out, content)
    except (OSError, ValueError) as error:  # ValueError: a name that no system takes
        raise _refused(out, error) from error


def replace(file: Path, content: bytes) -> None:
    """Replace a regular file's content, or that of the one a link leads to: whole or not at all.

    Raises:
        OSError: it cannot be written, or is a device, a pipe or a folder; it is as it was.
    """
    place = Path(os.path.realpath(file))
    try:
        mode = place.lstat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if not stat.S_ISREG(mode):  # a rename would put a plain file in the place of /dev/null
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
    draft = place.with_name(f".{place.name}.new")
    try:
        with draft.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        draft.replace(place)
    except BaseException:  # a full disk: what was written of the draft would take the last space
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _check(out: Path, ours: Callable[[bytes], bool] | None, content: bytes | None) -> None:
    place = Path(os.path.realpath(out))
    try:
        mode = place.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if place.parent.is_dir():
            return
        raise OutError(
            f"There is no folder {place.parent}: make it, or name another file."
        ) from None
    if stat.S_ISDIR(mode):
        raise OutError(f"{out} is a folder: name a file in it.")
    if not stat.S_ISREG(mode):
        raise OutError(f"{out} is not a regular file, but a device or a pipe: name another file.")
    before = place.read_bytes()
    if before != content and not (ours and ours(before)):
        raise OutError(
            f"{out} is there already, and may hold changes of yours: delete it or choose another "
            "name."
        )


def _refused(out: Path, error: Exception) -> OutError:
    reason = getattr(error, "strerror", None) or error
    return OutError(
        f"{out} cannot be written: {reason}. Name a file elsewhere, or free some space."
    )
