"""The class report: a table for the eye, JSON and CSV for other programs."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from helpers.columns import aligned
from helpers.workshop.grade import LearnerRow, Report

WARNING = (
    "Submissions run on this machine with your rights, without a sandbox: do not grade code from "
    "people whom you do not trust."
)


def as_json(report: Report) -> dict[str, Any]:
    """The report as data: one entry a learner, with every exercise's status, cases and detail.

    "private" are notes that may name other people. Learners whom `--only` left out are not there.
    """
    return {
        "exercises": list(report.exercises),
        "learners": [
            {
                "learner": row.learner,
                "id": row.id,
                "email": row.email,
                "submission": row.submission,
                "passed": row.passed,
                "of": row.total,
                "exercises": {name: asdict(grade) for name, grade in row.grades.items()},
                "notes": list(row.notes),
                "private": list(row.private),
                "handed in": row.handed_in,
            }
            for row in report.chosen
        ],
        "faults": list(report.faults),
        "notes": list(report.notes),
        "seconds": round(report.seconds, 1),
    }


def as_csv(report: Report, rows: Sequence[LearnerRow] | None = None, separator: str = ",") -> str:
    """One row a learner: who, what came of the submission, a column an exercise, the count, notes.

    Args:
        report: what was graded.
        rows: the learners; where it is None, those who were graded now.
        separator: what comes between two cells.
    """
    written = io.StringIO()
    table = csv.writer(written, delimiter=separator, lineterminator="\n")
    rows = report.chosen if rows is None else rows
    # The roster's own columns are there in every table that is made with it.
    own = ["id", "email"] if report.roster else []
    # With its word: a spreadsheet reads "12.1" as a number or as a day in January.
    exercises = [f"ex {exercise}" for exercise in report.exercises]
    table.writerow(["learner", *own, "submission", *exercises, "passed", "of", "notes"])
    for row in rows:
        who = [row.learner, row.id, row.email][: len(own) + 1]
        statuses = [row.status(exercise) for exercise in report.exercises]
        count = [row.passed, row.total] if row.total else ["", ""]
        notes = "; ".join([*_reasons(row), *row.notes, *row.private])
        table.writerow([*map(_text, who), row.submission, *statuses, *count, _text(notes)])
    return written.getvalue()


def as_csv_file(report: Report, separator: str = ",") -> bytes:
    """All learners, for a file: with the mark by which spreadsheets know that it is UTF-8."""
    text = as_csv(report, report.learners, separator)
    return text.replace("\n", "\r\n").encode("utf-8-sig")


def is_table(content: bytes) -> bool:
    """Whether a file is such a table, which another grading may replace."""
    first = content.removeprefix(codecs.BOM_UTF8).partition(b"\r\n")[0]
    return re.fullmatch(rb"learner[,;].*\bsubmission[,;].*passed[,;]of[,;]notes", first) is not None


def as_text(report: Report) -> str:
    """The table, and below it what needs a look."""
    rows = [["Learner", "submission", *report.exercises, "passed"]]
    for row in report.chosen:
        cells = [row.status(exercise) for exercise in report.exercises]
        rows.append([row.learner, row.submission, *cells, row.score])
    lines = aligned(rows)
    details = [f"{row.learner}, {reason}" for row in report.chosen for reason in _reasons(row)]
    details += [
        f"{row.learner}: {note}"
        for row in report.chosen
        if row.handed_in
        for note in (*row.notes, *row.private)
    ]
    details += report.notes
    nothing = [row.learner for row in report.chosen if not row.handed_in]
    absent = [f"Handed in nothing ({len(nothing)}): {', '.join(nothing)}"] if nothing else []
    below = [*absent, *details]
    return "\n".join([*lines, *([""] if below else []), *below])


def _reasons(row: LearnerRow) -> list[str]:
    """Each exercise's reason, where there is one."""
    return [f"{exercise}: {grade.detail}" for exercise, grade in row.grades.items() if grade.detail]


def _text(value: str) -> str:
    """A cell of one line that no spreadsheet runs as a formula."""
    # Blanks and line ends before the sign do not protect: spreadsheets skip them.
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
