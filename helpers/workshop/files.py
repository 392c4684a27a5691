"""Every file that was handed in: in folders, and in zip files beside and inside them.

A zip is read where it is and never unpacked, so that no entry of it can write anywhere. What cannot
be read is told; only what systems and editors leave behind is passed over in silence.
"""

import os
import stat
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 50 << 20
"""The largest file that is read."""

_MOST_ENTRIES = 2_000  # of one zip
_MOST_UNPACKED = 500 << 20  # bytes of one zip's notebooks and pages together
_LEFT_BEHIND = {"__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__"}
_READ = (".ipynb", ".html", ".htm")


class UnreadableError(ValueError):
    """A file cannot be read; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class File:
    """One file: its path from the submissions' folder, a zip counting as a folder of its name.

    `time` is when it was changed last, in seconds since 1970; `load` gives at most one byte more
    than `MOST_BYTES`.
    """

    parts: tuple[str, ...]
    time: float
    load: Callable[[], bytes]

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.parts[-1]

    @property
    def suffix(self) -> str:
        """Such as ".ipynb", in small letters; "" where it has none."""
        return Path(self.name).suffix.casefold()

    @property
    def shown(self) -> str:
        """Its path as messages give it."""
        return "/".join(self.parts)

    def read(self, most: int = MOST_BYTES) -> bytes:
        """Its content.

        Raises:
            UnreadableError: it is larger than `most` bytes, or damaged.
        """
        try:
            content = self.load()
        except OSError as error:
            raise UnreadableError(error.strerror or str(error)) from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as bad:
            raise UnreadableError(f"its zip is damaged: {bad}") from None
        except Exception as bad:  # zlib.error and its kin have no common base
            raise UnreadableError(f"its zip is damaged: {type(bad).__name__}") from None
        if len(content) > most:
            raise UnreadableError(f"it is larger than {most >> 20} MB")
        return content


def on_disk(path: Path, parts: Sequence[str] = ()) -> File:
    """A file as it is on the disk."""

    def load() -> bytes:
        with path.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)

    return File(tuple(parts) or (path.name,), path.stat().st_mtime, load)


@dataclass(frozen=True)
class Gathered:
    """All files, the folders and zips without any (as paths), and what was not read, in words."""

    files: tuple[File, ...]
    empty: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def gather(place: Path) -> Gathered:
    """All files below a folder, or in one zip, in the order of their paths.

    Args:
        place: the folder, or the zip file.
    """
    notes: list[str] = []
    if place.is_file():
        return Gathered(tuple(_in_zip(place, (), notes)), (), tuple(notes))
    found: list[File] = []
    folders_seen: list[tuple[str, ...]] = []
    root = place.resolve()
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not _left_behind(name))
        here = Path(folder)
        folders_seen += [(*here.relative_to(place).parts, name) for name in folders]
        for name in folders:
            if (here / name).is_symlink():  # it is not walked, and may lead anywhere
                notes.append(f"{_shown(here / name, place)} is a link to a folder and was not read")
        for name in sorted(names):
            path = here / name
            if _left_behind(name):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                notes.append(f"{_shown(path, place)} is a link out of the folder and was not read")
                continue
            try:
                if not stat.S_ISREG(path.stat().st_mode):
                    notes.append(f"{_shown(path, place)} is no ordinary file and was not read")
                    continue
                parts = path.relative_to(place).parts
                if path.suffix.casefold() == ".zip":
                    inside = (*parts[:-1], path.stem)
                    folders_seen.append(inside)
                    found += _in_zip(path, inside, notes)
                else:
                    found.append(on_disk(path, parts))
            except OSError as error:
                notes.append(f"{_shown(path, place)} was not read: {error.strerror}")
    full = {file.parts[:depth] for file in found for depth in range(1, len(file.parts))}
    empty = dict.fromkeys(one for one in folders_seen if one not in full)
    return Gathered(tuple(found), tuple(empty), tuple(notes))


def _shown(path: Path, place: Path) -> str:
    return path.relative_to(place).as_posix()


def _left_behind(name: str) -> bool:
    return name.startswith(".") or name in _LEFT_BEHIND or name.startswith("~$")


def _in_zip(path: Path, above: tuple[str, ...], notes: list[str]) -> Iterator[File]:
    """The files in a zip; what is wrong with it goes to the notes."""
    shown = "/".join([*above[:-1], path.name])
    try:
        with zipfile.ZipFile(path) as opened:
            entries = [one for one in opened.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        notes.append(f"{shown} was not read: it is no zip file, or a damaged one ({error})")
        return
    if len(entries) > _MOST_ENTRIES:
        notes.append(f"{shown} was not read: it has more than {_MOST_ENTRIES} files")
        return
    left = _MOST_UNPACKED
    for entry in sorted(entries, key=lambda entry: entry.filename):
        parts = tuple(part for part in entry.filename.replace("\\", "/").split("/") if part)
        what = f"{shown}/{entry.filename}"
        if any(_left_behind(part) and part != ".." for part in parts) or not parts:
            continue
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
            notes.append(f"{what} was not read: its path leads out of the zip")
        elif parts[-1].casefold().endswith(".zip"):
            notes.append(f"{what} was not read: it is a zip inside a zip; unpack the outer one")
        elif entry.flag_bits & 1:
            notes.append(f"{what} was not read: it has a password")
        elif entry.file_size > MOST_BYTES:
            notes.append(f"{what} was not read: it is larger than {MOST_BYTES >> 20} MB")
        elif parts[-1].casefold().endswith(_READ) and entry.file_size > left:
            notes.append(f"{what} was not read: {shown} is larger than {_MOST_UNPACKED >> 20} MB")
        else:
            left -= entry.file_size if parts[-1].casefold().endswith(_READ) else 0
            yield File((*above, *parts), _zip_time(entry), _loader(path, entry.filename))


def _loader(path: Path, name: str) -> Callable[[], bytes]:
    def load() -> bytes:
        with zipfile.ZipFile(path) as opened, opened.open(name) as entry:
            # The size that the zip states may be a lie: no more than this is ever unpacked.
            return entry.read(MOST_BYTES + 1)

    return load


def _zip_time(entry: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):  # no date, or one before 1970
        return 0.0
