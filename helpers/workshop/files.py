"""Every file that was handed in: in folders, in zip files beside and inside them, and in the zips
that such a zip holds.

A zip is read where it is and never unpacked, so that no entry of it can write anywhere. A file that
cannot be read is kept too, and reading it says why, so that its learner is known. Only what systems
and editors leave behind is passed over in silence.
"""

import io
import os
import stat
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 50 << 20
"""The largest file that is read."""

_MOST_ENTRIES = 2_000  # of one zip, with those of the zips in it
_MOST_UNPACKED = 500 << 20  # bytes of one zip's notebooks, pages and zips together
_LEFT_BEHIND = {"__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__"}
_READ = (".ipynb", ".html", ".htm", ".zip")


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
        except UnreadableError:
            raise
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


def unreadable(parts: Sequence[str], time: float, why: str) -> File:
    """A file that is there and cannot be read."""

    def load() -> bytes:
        raise UnreadableError(why)

    return File(tuple(parts), time, load)


@dataclass(frozen=True)
class Gathered:
    """All files, the folders and zips without any (as paths), and what was not read, in words.

    `zips` are the paths of the zips: of those that could be read, as folders.
    """

    files: tuple[File, ...]
    empty: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    zips: frozenset[tuple[str, ...]] = frozenset()


def gather(place: Path) -> Gathered:
    """All files below a folder, or in one zip, in the order of their paths.

    Args:
        place: the folder, or the zip file.
    """
    notes: list[str] = []
    if place.is_file():
        zips = _Zips(notes)
        files = tuple(zips.on_disk(place, (), (place.name,)))
        return _gathered(files, zips.seen, zips)
    found: list[File] = []
    folders_seen: list[tuple[str, ...]] = []
    zips = _Zips(notes)
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
            try:
                # A link that leads to itself is an OSError, or a RuntimeError for older Pythons.
                if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
                    notes.append(
                        f"{_shown(path, place)} is a link out of the folder and was not read"
                    )
                    continue
                if not stat.S_ISREG(path.stat().st_mode):
                    notes.append(f"{_shown(path, place)} is not an ordinary file and was not read")
                    continue
                parts = path.relative_to(place).parts
                if path.suffix.casefold() == ".zip":
                    found += zips.on_disk(path, (*parts[:-1], path.stem), parts)
                else:
                    found.append(on_disk(path, parts))
            except (OSError, RuntimeError) as error:
                why = getattr(error, "strerror", None) or "its link leads nowhere"
                notes.append(f"{_shown(path, place)} was not read: {why}")
    return _gathered(found, [*folders_seen, *zips.seen], zips)


def _gathered(files: Sequence[File], folders: Sequence[tuple[str, ...]], zips: "_Zips") -> Gathered:
    full = {file.parts[:depth] for file in files for depth in range(1, len(file.parts))}
    empty = dict.fromkeys(one for one in folders if one and one not in full)
    held = frozenset((*zips.seen, *zips.damaged))
    return Gathered(tuple(files), tuple(empty), tuple(zips.notes), held)


def _shown(path: Path, place: Path) -> str:
    return path.relative_to(place).as_posix()


def _left_behind(name: str) -> bool:
    return name.startswith(".") or name in _LEFT_BEHIND or name.startswith("~$")


_Open = Callable[[], BinaryIO]


@dataclass
class _Left:
    """How much more may be read of a zip on the disk and of the zips in it."""

    entries: int
    unpacked: int


class _Zips:
    """Reads zips; `seen` are those that could be read, as folders, and `damaged` the others."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.seen: list[tuple[str, ...]] = []
        self.damaged: list[tuple[str, ...]] = []

    def on_disk(self, path: Path, inside: tuple[str, ...], itself: tuple[str, ...]) -> list[File]:
        """The files in a zip, below `inside`; the zip as a file that says why, where it is damaged.

        Args:
            path: where the zip is.
            inside: the zip's path as a folder.
            itself: its path as a file.
        """
        left = _Left(_MOST_ENTRIES, _MOST_UNPACKED)
        when = path.stat().st_mtime
        return list(self._in(lambda: path.open("rb"), inside, itself, when, left, deeper=True))

    def _in(
        self,
        opened: _Open,
        inside: tuple[str, ...],
        itself: tuple[str, ...],
        when: float,
        left: _Left,
        *,
        deeper: bool,
    ) -> Iterator[File]:
        entries, why = _entries(opened)
        left.entries -= len(entries)
        if not why and left.entries < 0:
            why = f"it and the zips in it have more than {_MOST_ENTRIES} files"
        if why:
            self.damaged.append(itself)
            yield unreadable(itself, when, why)
            return
        self.seen.append(inside)
        for entry in sorted(entries, key=lambda entry: entry.filename):
            parts = tuple(part for part in entry.filename.replace("\\", "/").split("/") if part)
            if any(_left_behind(part) and part != ".." for part in parts) or not parts:
                continue
            if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
                what = f"{'/'.join(itself)}/{entry.filename}"
                self.notes.append(f"{what} was not read: its path leads out of the zip")
                continue
            full, time_of = (*inside, *parts), _zip_time(entry)
            is_zip = full[-1].casefold().endswith(".zip")
            if why := _why_not(entry, left, deeper=deeper):
                self.damaged += [full] if is_zip else []
                yield unreadable(full, time_of, why)
                continue
            load = _loader(opened, entry.filename)
            if not is_zip:
                yield File(full, time_of, load)
                continue
            as_folder = (*full[:-1], Path(full[-1]).stem)
            yield from self._in(
                _in_memory(File(full, time_of, load)), as_folder, full, time_of, left, deeper=False
            )


def _entries(opened: _Open) -> tuple[list[zipfile.ZipInfo], str]:
    """What is in a zip, and why that cannot be read; "" where it can."""
    try:
        with opened() as file, zipfile.ZipFile(file) as found:
            return [one for one in found.infolist() if not one.is_dir()], ""
    except UnreadableError as error:
        return [], str(error)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        return [], f"it is not a zip file, or a damaged one ({error})"


def _why_not(entry: zipfile.ZipInfo, left: _Left, *, deeper: bool) -> str:
    """Why an entry is not read; "" where it may be. What is read is taken off what is left."""
    name = entry.filename.casefold()
    if name.endswith(".zip") and not deeper:
        return "it is a zip inside a zip inside a zip: unpack the outer ones"
    if entry.flag_bits & 1:
        return "it has a password"
    if entry.file_size > MOST_BYTES:
        return f"it is larger than {MOST_BYTES >> 20} MB"
    if name.endswith(_READ):
        if entry.file_size > left.unpacked:
            return f"there are more than {_MOST_UNPACKED >> 20} MB in its zip"
        left.unpacked -= entry.file_size
    return ""


def _in_memory(zip_file: File) -> _Open:
    """A zip that lies in another one: it is read again each time, so that no room is held."""
    return lambda: io.BytesIO(zip_file.read())


def _loader(opened: _Open, name: str) -> Callable[[], bytes]:
    def load() -> bytes:
        with opened() as file, zipfile.ZipFile(file) as found, found.open(name) as entry:
            # The size that the zip states may be a lie: no more than this is ever unpacked.
            return entry.read(MOST_BYTES + 1)

    return load


def _zip_time(entry: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):  # no date, or one before 1970
        return 0.0
