"""The journal as one HTML page: offline, light and dark, on the screen and on paper."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

import nh3

from helpers import pages
from helpers.course.gathered import Gathered
from helpers.course.given import GIVEN
from helpers.course.journal import CheckLine, Journal, ModuleJournal, QuizLine, Try
from helpers.course.measured import Measured

_TABLE = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
_STYLE = (
    pages.STYLE
    + """
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
a { color: inherit; }
section { border-top: 2px solid var(--line); margin-top: 2rem; }
.scroll { overflow-x: auto; }
caption { text-align: left; font-weight: 600; }
th, td { vertical-align: top; }
thead th { background: var(--soft); }
.date { white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
@media print {
  h2 { break-inside: avoid; break-after: avoid; }
  nav { display: none; }
}
"""
)


_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
_WHOLE = r'<span class="date">\g<0></span>'
_TITLE = "Journal: production LLM agents"


def page(journal: Journal) -> str:
    """The whole page. All texts of the learner's files are escaped."""
    kept = [one for one in journal.modules if not one.empty]
    sections = [_module(one) for one in kept]
    if journal.other:
        sections.append(
            f'<section id="other"><h2>Your own figures</h2>{_evidence(journal.other)}</section>'
        )
    links = [(f"m{one.state.module}", _name(one)) for one in kept]
    links += [("other", "Your own figures")] if journal.other else []
    nav = "".join(f'<li><a href="#{anchor}">{escape(name)}</a></li>' for anchor, name in links)
    body = (
        f'<nav aria-label="Modules"><ul>{nav}</ul></nav>\n' + "\n".join(sections)
        if sections
        else "<p>Nothing is recorded yet: your checks and quiz answers will be here.</p>"
    )
    return pages.page(
        _TITLE,
        f"<main><h1>{_TITLE}</h1><p>Written {_time(journal.written)}. {_sums(journal)} "
        f"To renew this page, run <code>course journal</code>.</p>\n{body}\n</main>",
        _STYLE,
        head=MARK,
    )


def _sums(journal: Journal) -> str:
    states = [one.state for one in journal.modules]
    passed = sum(one.checks_passed for one in states)
    exercises = sum(len(one.exercises) for one in states)
    right = sum(one.quiz_right for one in states)
    asked = sum(one.quiz_total for one in states)
    given = sum(one.status == GIVEN for state in states for one in state.exercises)
    more = f" ({given} more given)" if given else ""
    return (
        f"{passed} of {exercises} checks passed{more}, "
        f"{right} of {asked} quiz questions answered correctly."
    )


MARK = '<meta name="generator" content="course journal">'
"""By this a journal is known, which a newer one may replace."""


def _module(one: ModuleJournal) -> str:
    parts = [f'<section id="m{one.state.module}"><h2>{escape(_name(one))}</h2>']
    if one.state.minutes:
        minutes = one.state.minutes
        parts.append(
            f"<p>Planned: {minutes.walkthrough} minutes for the walkthrough, "
            f"{minutes.lab} for the lab.</p>"
        )
    parts += [_measured(table) for table in one.measured]
    if checks := [line for line in one.checks if _told(line)]:
        heads: tuple[str, ...] = (
            "Exercise",
            "Status",
            "First result",
            "Best result",
            "Tries",
            "Hints",
        )
        parts.append(_table("Checks", heads, map(_check, checks)))
    if one.quiz:
        heads = ("Question", "First answered", "First correct", "Tries")
        parts.append(_table("Quiz", heads, map(_quiz, one.quiz)))
    if one.evidence:
        parts.append(_evidence(one.evidence))
    return "".join([*parts, "</section>"])


def _measured(one: Measured) -> str:
    """A table of the learner's notebook: its text alone, and nothing else of the notebook."""
    table = nh3.clean(one.html, tags=_TABLE, attributes={})
    return (
        f"<h3>What you measured: {escape(one.notebook)}</h3><p>Saved {_time(one.saved)}.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="What you measured">'
        f"{table}</div>"
    )


def _told(line: CheckLine) -> bool:
    return bool(line.tries or line.hints or line.status == GIVEN)


def _check(line: CheckLine) -> Sequence[str | int]:
    name = f"{line.id} {line.title}"
    return name, line.status, _try(line.first), _try(line.best), line.tries, line.hints


def _try(one: Try | None) -> str:
    return f"{one.status}, {one.passed} of {one.total}, {_time(one.at)}" if one else "-"


def _quiz(line: QuizLine) -> Sequence[str | int]:
    return line.question, _time(line.first), _time(line.right) if line.right else "-", line.tries


def _evidence(files: Sequence[Gathered]) -> str:
    heads = ("Evidence", "Figure", "Value", "Count", "Date", "Measured by")
    rows: list[Sequence[str | int]] = []
    for one in files:
        if one.written is None:
            rows.append((one.name, "This file cannot be read.", "-", "-", "-", "-"))
            continue
        tail = (_time(one.written), one.command)
        if one.statement:
            rows.append((one.name, one.statement, "-", "-", *tail))
        rows += [
            (one.name, each.name, f"{each.value:.6g}", each.count, *tail) for each in one.figures
        ]
    return _table("Evidence", heads, rows)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f"<td>{_DATE.sub(_WHOLE, escape(value))}</td>"


def _name(one: ModuleJournal) -> str:
    return f"{one.state.module} {one.state.title}"


def _time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
