"""Read the reports of `course doctor --report`: who will have trouble, and with what.

Every file of the folder gets a row. The files come from other people's machines: nothing of them is
trusted, and nothing is dropped without a word.
"""

import json
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from helpers.machine_report import CHECKS, FORMAT, VERSION
from helpers.workshop.platforms import copy_number, owners, same
from helpers.workshop.readiness_advice import problems_of
from helpers.workshop.roster import Roster

MAX_BYTES = 1_000_000
MAX_FILES = 1000
# What a system leaves in a folder.
PASSED_OVER = {".DS_Store", "Thumbs.db", "desktop.ini"}
OLD = timedelta(days=30)
# What a browser, a file manager or a mail program puts to the name of a second file.
COPY = re.compile(r"(?:\s*\(\d+\)|[-_ ]+copy ?\d*)+$", re.IGNORECASE)
# Names that the message, a learning platform or a mail program gave, and nobody has.
PLACEHOLDER = re.compile(
    r"(?:(?:your|my|the)[-_ ]?)?name|(?:(?:doctor|machine|my)[-_ ]?)?report|doctor"
    r"|att\d*|attachment[-_ ]?\d*|no[-_ ]?name|unnamed|untitled|part[-_ .]?\d*|\d*",
    re.IGNORECASE,
)
# A wrong time zone does not count as a wrong clock.
AHEAD = timedelta(days=1)

Text = Annotated[str, Field(max_length=5000)]
Count = Annotated[int, Field(ge=0, le=10**12)]


class FolderError(Exception):
    """There are no reports to read there; the message says what to do."""


class Check(BaseModel, strict=True):
    """What one check found."""

    name: Text
    ok: bool
    facts: Text
    advice: Text


class Machine(BaseModel, strict=True):
    """The machine; sizes in MB (1,000,000 bytes)."""

    system: Text
    system_version: Text
    processor: Text
    python: Text
    cores: Count | None
    memory_mb: Count | None
    memory_free_mb: Count | None
    disk_free_mb: Count | None


class MachineReport(BaseModel, strict=True):
    """A report as `helpers.machine_report` writes it."""

    id: Text
    made: Text
    lock: Text
    machine: Machine
    versions: dict[str, Text | None]
    checks: Annotated[list[Check], Field(max_length=100)]


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be.

    Attributes:
        name: what it is grouped by, such as "Disk".
        detail: what was found.
        advice: what to do, where the report says it.
    """

    name: str
    detail: str
    advice: str = ""


@dataclass(frozen=True)
class Row:
    """What there is to say of one file.

    Attributes:
        file: its path in the folder.
        problems: none where the machine is ready, or where a newer report counts.
        report: None where the file is not a report that can be read.
        person: whose report it is, by the roster or else by the file's name; "" where neither says.
        newer: the file that counts, where this person sent a newer report.
        listed: whether the roster has this person.
    """

    file: str
    problems: tuple[Problem, ...] = ()
    report: MachineReport | None = None
    person: str = ""
    newer: str = ""
    listed: bool = False

    @property
    def state(self) -> str:
        """ "ready", "trouble", "unreadable", or "older"."""
        if self.newer:
            return "older"
        if self.report is None:
            return "unreadable"
        return "trouble" if self.problems else "ready"


def read(
    folder: Path, lock: str, now: datetime | None = None, roster: Roster | None = None
) -> tuple[list[Row], list[str]]:
    """Read a folder of reports.

    Args:
        folder: with its sub-folders.
        lock: the digest of the lock that participants should have.
        now: the time, with its zone; the machine's own when left out.
        roster: the class, where there is one.

    Returns:
        A row for each file, in the order of the names; the names of the files that a system left.

    Raises:
        FolderError: no such folder, no file in it, or more than `MAX_FILES`.
    """
    if not folder.is_dir():
        raise FolderError(f"There is no folder {folder}: name the one that holds the reports.")
    rows: list[Row] = []
    passed: list[str] = []
    for path in _files(folder):
        name = printable(path.relative_to(folder).as_posix())
        if path.name in PASSED_OVER or path.name.startswith("._"):
            passed.append(name)
            continue
        if len(rows) == MAX_FILES:
            raise FolderError(
                f"{folder} holds more than {MAX_FILES:,} files: name the folder that holds the "
                "reports alone."
            )
        row = read_file(path, name, lock, now or datetime.now(UTC))
        person, listed = _whose(path.relative_to(folder).parts, roster)
        rows.append(replace(row, person=printable(person), listed=listed))
    if not rows:
        raise FolderError(f"There is no report in {folder}: put the reports there, and try again.")
    return _compared(rows), passed


def _whose(parts: tuple[str, ...], roster: Roster | None) -> tuple[str, bool]:
    """Whose a file is, "" where its name does not say; and whether that person is on the roster."""
    owner = owners([parts], ())[parts]
    names = [COPY.sub("", re.sub(r"\.\w{1,4}$", "", parts[-1])).strip()]
    if owner.by_platform:
        names = [owner.learner]
    elif roster is not None:
        names += reversed(parts[:-1])  # a folder for each participant
    for name in names:
        if roster is not None and (found := roster.find(name, owner.id)):
            return found.shown, True
    return ("" if PLACEHOLDER.fullmatch(names[0]) else names[0]), False


def _compared(rows: Sequence[Row]) -> list[Row]:
    """The rows, with what shows only by comparison: older reports, and one report in two files."""
    of_person: dict[str, list[Row]] = defaultdict(list)
    of_report: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.report is not None:
            of_report[row.report.id].append(row)
            if row.person:
                of_person[same(row.person)].append(row)
    compared = []
    for row in rows:
        if row.report is None:
            compared.append(row)
            continue
        # The report's own time has minutes: of two in one minute, the copy with the higher number.
        newest = max(
            of_person.get(same(row.person), [row]),
            key=lambda one: (one.report.made if one.report else "", copy_number(one.file)),
        )
        if newest is not row:
            compared.append(replace(row, newer=newest.file, problems=()))
            continue
        problems = list(row.problems)
        others = [
            one.file
            for one in of_report[row.report.id]
            if one is not row and (not row.person or same(one.person) != same(row.person))
        ]
        if others:
            problems.insert(
                0, Problem("Same report twice", printable(f"it is also in {', '.join(others)}"))
            )
        if not row.person:
            problems.append(Problem("No name", "the file's name does not say whose it is"))
        compared.append(replace(row, problems=tuple(problems)))
    return compared


def _files(folder: Path) -> Iterator[Path]:
    """Every file, and every folder that cannot be entered or is a link."""
    lost: list[Path] = []
    for place, folders, files in os.walk(
        folder, onerror=lambda error: lost.append(Path(str(error.filename)))
    ):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        yield from (Path(place) / name for name in sorted([*files, *links]))
    yield from lost


def read_file(path: Path, name: str, lock: str, now: datetime) -> Row:
    """What there is to say of one file.

    Args:
        path: the file.
        name: what it is called in the row.
        lock: the digest of the lock that participants should have.
        now: the time, with its zone.
    """
    try:
        report = _parse(_content(path))
        made = datetime.strptime(report.made, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except _UnreadableError as error:
        return Row(name, (Problem(*error.args),))
    except ValueError:
        return Row(name, (Problem("Damaged file", "the time in it cannot be read"),))
    problems = [Problem(*found) for found in problems_of(report.model_dump())]
    if report.lock != lock:
        problems.append(Problem("Other version of the course", "its lock differs from yours"))
    if made > now + AHEAD:
        problems.append(
            Problem("Clock", f"the report is from {report.made}, which is in the future")
        )
    elif made < now - OLD:
        problems.append(Problem("Old report", f"it is from {report.made}"))
    clean = (
        Problem(*map(printable, (found.name, found.detail, found.advice))) for found in problems
    )
    return Row(name, tuple(clean), report)


class _UnreadableError(Exception):
    """Its arguments are a problem's name and detail."""


def _content(path: Path) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # a pipe would never end
            raise _UnreadableError("Not a report", "it is not an ordinary file")
        if about.st_size > MAX_BYTES:
            size = f"{about.st_size / 1_000_000:,.1f} MB"
            raise _UnreadableError("Not a report", f"it is too large for one ({size})")
        data = path.read_bytes()
    except OSError as error:
        raise _UnreadableError("Damaged file", f"it cannot be read: {error.strerror}") from None
    if not data.strip(b"\0 \t\r\n"):
        raise _UnreadableError("Damaged file", "it is empty")
    if data.startswith(b"PK\x03\x04"):
        raise _UnreadableError("Not a report", "it is an archive: unpack it into this folder")
    return data


def _parse(data: bytes) -> MachineReport:
    try:
        found = json.loads(data)  # also with a byte-order mark, and in the UTF-16 of PowerShell
    except (ValueError, RecursionError):
        kind = "Damaged file" if FORMAT.encode() in data.replace(b"\0", b"") else "Not a report"
        raise _UnreadableError(kind, "it is not a JSON file, or only part of one") from None
    if isinstance(found, list):
        raise _UnreadableError(
            "Not a report", "it may come from `doctor --json`, not from --report"
        )
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _UnreadableError("Not a report", "it is JSON of another kind")
    if found.get("version") != VERSION or isinstance(found["version"], bool):
        raise _UnreadableError(
            "Other version of the report", f"it has version {found.get('version')!r:.20}"
        )
    try:
        report = MachineReport.model_validate(found)
    except (ValidationError, RecursionError) as error:
        where = error.errors()[0]["loc"] if isinstance(error, ValidationError) else ()
        part = ".".join(map(str, where))[:60]
        raise _UnreadableError("Damaged file", f"{part} is missing or wrong") from None
    lacking = [name for name in CHECKS if name not in {check.name for check in report.checks}]
    if lacking:
        raise _UnreadableError("Damaged file", f"it lacks the check {lacking[0]}")
    return report


def printable(text: str) -> str:
    """A text that changes no terminal, on one line and at most 1,000 characters long."""
    line = " ".join(text.split())
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return clean if len(clean) <= 1000 else f"{clean[:999]}…"


def by_problem(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows that have each problem, the most frequent problem first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        for name in dict.fromkeys(problem.name for problem in row.problems):
            found.setdefault(name, []).append(row)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))
