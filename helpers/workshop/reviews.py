"""Exported answers to the review questions: judged again, with the evidence that they carry.

No code of a learner runs for this, and no model is needed. An export cannot prove that nobody
edited a figure of its evidence: the page says so, with the command that measures each figure again.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from helpers.evaluate.version import current_version
from helpers.review.answer import Answer
from helpers.review.exported import (
    MOST_BYTES,
    Export,
    ExportedAnswer,
    ExportedError,
    is_export,
    parse,
)
from helpers.review.judge import ASPECTS, aspects, judge
from helpers.review.questions import UnknownQuestionError, question
from helpers.workshop.files import File, UnreadableError
from helpers.workshop.run import Grade


@dataclass(frozen=True)
class Reviewed:
    """The grades of a learner's exported answers, by exercise, and what to know of the files.

    `unreadable` says whether there is a file that could not be read.
    """

    grades: dict[str, Grade]
    notes: tuple[str, ...]
    unreadable: bool = False


def reviewed(files: Iterable[File]) -> Reviewed:
    """Grade the newest export among a learner's HTML files; all others are named in the notes."""
    found: list[tuple[Export, File]] = []
    notes: list[str] = []
    unreadable = False
    for file in sorted(files, key=lambda file: file.parts):
        try:
            content = file.read(MOST_BYTES)
            if is_export(content):
                found.append((parse(content), file))
            else:
                notes.append(f"{file.name} is not a page that `course review export` wrote")
        except (ExportedError, UnreadableError) as error:
            notes.append(f"{file.name} could not be read: {error}")
            unreadable = True
    if not found:
        return Reviewed({}, tuple(notes), unreadable)
    export, file = max(found, key=lambda pair: pair[0].exported)
    notes += [
        f"{_dated(other, one)} is older than {_dated(export, file)} and was left out"
        for other, one in found
        if one != file
    ]
    grades: dict[str, Grade] = {}
    for answer in export.answers:
        try:
            grades[question(answer.question).exercise] = _grade(answer)
        except UnknownQuestionError as error:
            notes.append(f"{file.name}: {error}")
    digests = {one.about.version.digest for one in export.answers}
    if others := sorted(digests - {current_version().digest}):
        notes.append(f"{file.name} is about version {', '.join(others)}, not about this checkout")
    return Reviewed(grades, tuple(notes), unreadable)


def _dated(export: Export, file: File) -> str:
    """One of several exports: they often have the same name in different folders."""
    return f"{file.shown} (exported {export.exported.astimezone():%Y-%m-%d %H:%M})"


def _grade(answer: ExportedAnswer) -> Grade:
    asked = question(answer.question)
    with tempfile.TemporaryDirectory(prefix="course-review-") as folder:
        home = answer.unpack(Path(folder))
        findings = judge(asked, Answer(answer.text, home))
    total = len(aspects(asked))
    failed = list(dict.fromkeys(one.aspect for one in findings))
    if not failed:
        return Grade("passed", total, total)
    passed = total - len(failed)
    detail = f"{ASPECTS[failed[0]]}: {findings[0].text}"
    return Grade("partly" if passed else "wrong", passed, total, detail)
