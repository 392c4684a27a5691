"""Export: your saved answers as one page for an instructor, with the figures that they cite."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from helpers import outfile
from helpers.evaluate.packed import Packed, PackError
from helpers.review.citations import citations
from helpers.review.export_page import page
from helpers.review.exported import MOST_BYTES, Export, ExportedAnswer, is_export
from helpers.review.judge import judge
from helpers.review.questions import question
from helpers.review.saved import SavedAnswer, SavedAnswerError, saved_answers
from helpers.review.sources import Sources, base


class ExportError(ValueError):
    """There is nothing to export, or it cannot be written; the message says what to do."""


def export(
    to: Path,
    name: str | None = None,
    *,
    now: datetime | None = None,
    say: Callable[[str], None] = print,
) -> Export:
    """Write all saved answers into one HTML page that needs no other file and no network.

    Each answer is judged again first, by the evidence as it is now. What goes into the page is
    said before it is written.

    Args:
        to: the page, which is written whole or not at all; an earlier export is replaced.
        name: yours, to put on the page; without it, the page names nobody.
        now: the date of the export, by default the present.
        say: gets what goes into the page, one line each.

    Returns:
        What the page holds.

    Raises:
        ExportError: there is no answer, one cannot be read, or the page cannot be written.
    """
    _check(to)
    try:
        saved = saved_answers()
        if not saved:
            raise ExportError('There is no answer yet: write one and run review("Q1", answer).')
        found = tuple(_exported(one) for one in saved)
    except (SavedAnswerError, PackError) as problem:
        raise ExportError(str(problem)) from problem
    # Seconds are what the data keeps.
    made = Export(found, (now or datetime.now(UTC)).replace(microsecond=0), name or None)
    content = page(made).encode()
    if len(content) > MOST_BYTES:
        raise ExportError(
            f"The page would be larger than {MOST_BYTES >> 20} MB: shorten the longest answer."
        )
    for line in contents(made):
        say(line)
    try:
        outfile.save(to, content, is_export)
    except outfile.OutError as problem:
        raise ExportError(str(problem)) from problem
    return made


def contents(made: Export) -> list[str]:
    """What goes into a page, as lines for a terminal."""
    lines = []
    for one in made.answers:
        cited = ", ".join(one.evidence) or "none"
        state = f"{len(one.findings)} to change" if one.findings else "nothing to change"
        lines.append(f"{one.question}: the answer's text ({state}); evidence: {cited}")
    people = {found.by for one in made.answers for found in one.evidence.values() if found.by}
    if people:
        lines.append(f"Names in the statements that you cite: {', '.join(sorted(people))}")
    lines.append(f"Your name: {made.name or 'not given, so it is not in the page'}")
    lines.append("Nothing else of yours goes in: no other file of .course, no path, no setting.")
    return lines


def _check(to: Path) -> None:
    if to.suffix.lower() not in {".html", ".htm"} and not to.is_dir():
        raise ExportError(f"{to.name} is no name for a page: let it end in .html.")
    try:
        outfile.check(to, is_export)
    except outfile.OutError as problem:
        raise ExportError(str(problem)) from problem


def _exported(saved: SavedAnswer) -> ExportedAnswer:
    """The answer as it goes into the page. Raises PackError."""
    answer = saved.answer
    if answer.home is not None and not answer.home.is_dir():
        # Without the folder there is no evidence of it, and the findings say so.
        sources = Sources.of(None)
        findings, evidence = judge(question(saved.question), answer), {}
    else:
        sources = Sources.of(answer.home)
        findings = judge(question(saved.question), answer, sources)
        items = dict.fromkeys(
            base(one.item) for one in citations(saved.text) if one.kind == "evidence"
        )
        evidence = {item: one for item in items if (one := sources.evidence(item)) is not None}
    return ExportedAnswer(
        question=saved.question,
        text=saved.text,
        written=saved.written,
        findings=tuple(findings),
        about=Packed(sources.version, sources.now.replace(microsecond=0)),
        evidence=evidence,
    )
