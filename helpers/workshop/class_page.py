"""A page about the whole class: what was hard, what went wrong most often, who is missing.

It is one file that loads nothing and runs nothing, and its policy forbids both.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from helpers import pages
from helpers.workshop.grade import NOT_GRADED, Grade, LearnerRow, Report

_TITLE = "Class report"
_MOST_CASES = 20
_STYLE = """
:root { color-scheme: light dark; --line: #767676; --soft: #f3f3f3; --text: #1a1a1a;
  --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --line: #8a8a8a; --soft: #262626; --text: #eee; --page: #161616; }
}
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; color: var(--text); background: var(--page); }
h2 { border-top: 2px solid var(--line); margin-top: 2rem; padding-top: 0.5rem; }
table { border-collapse: collapse; margin: 0.5rem 0; }
th, td { border: 1px solid var(--line); padding: 0.2rem 0.5rem; text-align: left;
  vertical-align: top; }
thead th { background: var(--soft); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid; }
meter { width: 8rem; }
@media print { tr { break-inside: avoid; } }
"""


def is_page(content: bytes) -> bool:
    """Whether a file is such a page, which another grading may replace."""
    return f"<title>{_TITLE}</title>".encode() in content


def page(report: Report) -> str:
    """The whole page as HTML."""
    there = [row for row in report.learners if row.handed_in]
    absent = [row.learner for row in report.learners if not row.handed_in]
    sections = [
        ("Exercises, hardest first", _exercises(report, there)),
        ("Cases that failed most often", _cases(report, there)),
        ("Handed in nothing", _list(absent) or _none("Everyone on the roster handed something in.")
            if report.roster else ""),
        ("Learners", _learners(report)),
        ("Notes", _notes(report) or _none("None.")),
        ("Not graded, because of the course or this machine", _list(report.faults)),
    ]  # fmt: skip
    body = "\n".join(
        f"<section><h2>{escape(head)}</h2>\n{text}</section>" for head, text in sections if text
    )
    summary = f"<h1>{_TITLE}</h1>\n<p>{escape(_summary(report, there))}</p>"
    return pages.page(_TITLE, f"<main>{summary}\n{body}\n</main>", _STYLE)


def _summary(report: Report, there: Sequence[LearnerRow]) -> str:
    passed, total = sum(row.passed for row in there), sum(row.total for row in there)
    ran = sum(row.seconds for row in there)
    return (
        f"{_handed_in(report)} Together they passed {passed} of {total} exercises. Their labs ran "
        f"for {_time(ran)} in all. This grading took {_time(report.seconds)} and ran {report.run} "
        "of the labs."
    )


def _handed_in(report: Report) -> str:
    """How many came, and how many of them can be graded; with a roster, of how many."""
    listed = [row for row in report.learners if row.listed]
    came = sum(row.handed_in for row in listed)
    told = f"{came} {'learner' if came == 1 else 'learners'} handed something in."
    if report.roster:
        told = f"{came} of the {len(listed)} learners on the roster handed something in."
    if others := [row.learner for row in report.learners if not row.listed]:
        told += f" {len(others)} more not on the roster: {', '.join(others)}."
    kinds = Counter(row.submission for row in report.learners if row.handed_in)
    rest = [f"{n} {kind}" for kind, n in kinds.items() if not kind.startswith("graded")]
    return f"{told} Not graded: {', '.join(rest)}." if rest else told


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _exercises(report: Report, there: Sequence[LearnerRow]) -> str:
    rows = []
    for exercise, title in zip(report.exercises, _titles(report), strict=True):
        counts = Counter(row.grades[exercise].status for row in there if exercise in row.grades)
        graded = counts.total() - counts[NOT_GRADED] - counts["missing"]
        share = counts["passed"] / graded if graded else None
        others = ", ".join(
            f"{count} {status}" for status, count in counts.most_common() if status != "passed"
        )
        rows.append((share, exercise, title, counts["passed"], graded, others))
    # A lab that few handed in says little of the class: it comes last.
    few = {exercise for row in there for exercise in row.uncounted}
    rows.sort(key=lambda row: (row[1] in few, row[0] is None, row[0] or 0.0))
    return _table(
        ("Exercise", "Title", "Passed", "Of those graded", "Other results"),
        (
            (
                escape(exercise),
                escape(title),
                "" if share is None else f'<meter value="{share:.3f}">{share:.0%}</meter> '
                f"{share:.0%}",
                f"{passed} of {graded}",
                escape(others),
            )
            for share, exercise, title, passed, graded, others in rows
        ),
        "Exercises, with the share of learners who passed",
    ) if rows else ""  # fmt: skip


def _titles(report: Report) -> Sequence[str]:
    return report.titles or [""] * len(report.exercises)


def _cases(report: Report, there: Sequence[LearnerRow]) -> str:
    found: dict[tuple[str, str], list[str]] = {}
    for row in there:
        for exercise in report.exercises:
            grade = row.grades.get(exercise, Grade("missing"))
            for case in dict.fromkeys(name for name, _ in grade.failed):
                found.setdefault((exercise, case), []).append(row.learner)
            if not grade.failed and grade.status not in ("passed", "missing", NOT_GRADED):
                found.setdefault((exercise, f"({grade.status})"), []).append(row.learner)
    if not found:
        return _none("No case failed.")
    most = sorted(found.items(), key=lambda item: -len(item[1]))
    left = len(most) - _MOST_CASES
    table = _table(
        ("Exercise", "Case", "Learners", "Who"),
        (
            (escape(exercise), escape(case), str(len(who)), escape(", ".join(who)))
            for (exercise, case), who in most[:_MOST_CASES]
        ),
        "Cases, with the learners for whom they failed",
    )
    return table + (f"<p>And {left} more cases.</p>" if left > 0 else "")


def _learners(report: Report) -> str:
    return _table(
        ("Learner", "Submission", *report.exercises, "Passed", "Seconds"),
        (
            (
                escape(row.learner),
                escape(row.submission),
                *(escape(row.status(exercise)) for exercise in report.exercises),
                row.score,
                f"{row.seconds:.0f}",
            )
            for row in report.learners
        ),
        "Learners, with the status of each exercise and the seconds that their labs ran",
    )


def _notes(report: Report) -> str:
    told = [f"{row.learner}: {note}" for row in report.learners if row.handed_in
            for note in (*row.notes, *row.private)]  # fmt: skip
    return _list([*told, *report.notes])


def _list(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>"


def _none(sentence: str) -> str:
    return f"<p>{escape(sentence)}</p>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], called: str) -> str:
    """A table of cells that are HTML; the first of a row is its head. Keys scroll a wide one."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(called)}">'
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )
