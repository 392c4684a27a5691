"""A Markdown file for each learner: the status of each exercise, and the cases that failed."""

import re
from collections.abc import Iterator
from pathlib import Path

from helpers.outfile import OutError, save
from helpers.workshop.grade import LearnerRow, Report
from helpers.workshop.platforms import same

_TITLE = "# Feedback for "
_SAID = {
    "missing": "not handed in",
    "not graded": "not graded: this is not your fault, and your instructor will look into it",
    "not done yet": "not done yet",
}
# Names that Windows keeps for devices.
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10)),
}


def write(report: Report, folder: Path) -> int:
    """Write a file for each learner who was graded now and handed something in; how many.

    Earlier feedback of the same name is replaced. Each is written whole or not at all.

    Raises:
        OutError: a file of that name is there and is not feedback, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutError(
            f"{folder} cannot be written to: {error.strerror}. Name another folder."
        ) from error
    rows = [row for row in report.chosen if row.handed_in]
    taken: set[str] = set()
    for row in rows:
        name = _file_name(row.learner, taken)
        save(folder / f"{name}.md", page(row, report).encode("utf-8"), _is_feedback)
    return len(rows)


def _is_feedback(content: bytes) -> bool:
    return content.startswith(_TITLE.encode())


def page(row: LearnerRow, report: Report) -> str:
    """One learner's feedback."""
    return "\n".join(_lines(row, report)) + "\n"


def _lines(row: LearnerRow, report: Report) -> Iterator[str]:
    yield f"{_TITLE}{_plain(row.learner)}"
    yield ""
    graded = any(grade.status != "missing" for grade in row.grades.values())
    if graded:
        yield f"{row.passed} of {row.total} exercises passed."
    else:
        yield f"Your submission could not be graded: {row.submission}. The notes below say why."
    yield ""
    yield "| Exercise | Status | Cases passed |"
    yield "|---|---|---|"
    titles = dict(zip(report.exercises, report.titles, strict=False))
    for exercise, grade in row.grades.items():
        status = _SAID.get(grade.status, grade.status)
        if grade.status == "missing" and not graded:
            status = row.submission
        cases = f"{grade.passed} of {grade.total}" if grade.total else ""
        yield f"| {exercise} | {status} | {cases} |"
    for exercise, grade in row.grades.items():
        if grade.status in ("passed", "missing", "not graded") or not (
            grade.failed or grade.detail
        ):
            continue
        heading = f"{exercise} {titles.get(exercise, '')}".strip()
        yield from ("", f"## {_plain(heading)}")
        yield from ("", f"Status: {grade.status}.")
        # Beside failed cases the detail is the first of them, unless something led to them.
        if grade.detail and not (grade.failed and grade.detail.startswith("failed: ")):
            yield from ("", *_block(grade.detail))
        for name, told in grade.failed:
            if told:
                yield from ("", f"**{_plain(name)}**", "", *_block(told))
        # The check tells the first cases in full, and of the others that they failed.
        if others := [_plain(name) for name, told in grade.failed if not told]:
            yield from ("", f"Also failed: {'; '.join(others)}.")
    if row.notes:
        yield from ("", "## Notes", "")
        yield from (f"- {_plain(note)}" for note in row.notes)


def _block(text: str) -> list[str]:
    """Text as it is; no number of backticks in it ends the block."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", text, fence]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: names that learners give are not markup."""
    return re.sub(r"([\\`*_<>\[\]|#&~])", r"\\\1", " ".join(text.split()))


def _file_name(learner: str, taken: set[str]) -> str:
    """A file name that every system takes, and that no other learner has."""
    base = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "-", learner).strip(" .")[:80] or "learner"
    base = f"{base}-" if base.casefold() in _DEVICES else base
    name, number = base, 2
    while same(name) in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(same(name))
    return name
