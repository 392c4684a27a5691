"""The class report: a table for the eye, JSON and CSV for other programs."""

import csv
import io
from dataclasses import asdict
from typing import Any

from helpers.columns import aligned
from helpers.workshop.grade import LearnerRow, Report

WARNING = (
    "Submissions run on this machine with your rights: this is no sandbox for code from people whom"
    " you do not trust."
)


def as_json(report: Report) -> dict[str, Any]:
    """The report as data: one entry a learner, with every exercise's status, cases and detail."""
    return {
        "exercises": list(report.exercises),
        "learners": [
            {
                "learner": row.learner,
                "passed": row.passed,
                "exercises": {name: asdict(grade) for name, grade in row.grades.items()},
                "notes": list(row.notes),
                "handed in": row.handed_in,
            }
            for row in report.learners
        ],
        "faults": list(report.faults),
        "notes": list(report.notes),
        "seconds": round(report.seconds, 1),
    }


def as_csv(report: Report) -> str:
    """One row a learner, a column an exercise, then the count passed, the reasons and the notes."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(["learner", *report.exercises, "passed", "of", "notes"])
    for row in report.learners:
        statuses = [row.grades[exercise].status for exercise in report.exercises]
        notes = "; ".join([*_reasons(row), *row.notes])
        table.writerow(
            [_text(row.learner), *statuses, row.passed, len(report.exercises), _text(notes)]
        )
    return written.getvalue()


def as_csv_file(report: Report) -> bytes:
    """The same for a file: with the mark by which spreadsheets know that it is UTF-8."""
    return as_csv(report).replace("\n", "\r\n").encode("utf-8-sig")


def as_text(report: Report) -> str:
    """The table, and below it what needs a look."""
    rows = [["Learner", *report.exercises, "passed"]]
    for row in report.learners:
        cells = []
        for exercise in report.exercises:
            grade = row.grades[exercise]
            some = f" {grade.passed}/{grade.total}" if grade.status == "partly" else ""
            cells.append(f"{grade.status}{some}")
        rows.append([row.learner, *cells, f"{row.passed} of {len(report.exercises)}"])
    lines = aligned(rows)
    details = [f"{row.learner}, {reason}" for row in report.learners for reason in _reasons(row)]
    details += [
        f"{row.learner}: {note}" for row in report.learners if row.handed_in for note in row.notes
    ]
    details += report.notes
    nothing = [row.learner for row in report.learners if not row.handed_in]
    absent = [f"Handed in nothing ({len(nothing)}): {', '.join(nothing)}"] if nothing else []
    below = [*absent, *details]
    return "\n".join([*lines, *([""] if below else []), *below])


def _reasons(row: LearnerRow) -> list[str]:
    """Each exercise's reason, where there is one."""
    return [f"{exercise}: {grade.detail}" for exercise, grade in row.grades.items() if grade.detail]


def _text(value: str) -> str:
    """A cell of one line that no spreadsheet runs as a formula."""
    # Blanks and line ends before the sign are no protection: spreadsheets pass over them.
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
