"""The coverage as text for a terminal, as Markdown tables for a notebook, as one HTML page."""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from helpers import pages
from helpers.paths import ROOT
from helpers.review import targets
from helpers.review.coverage import Cell, Check, Coverage, Topic

_STYLE = """
:root { color-scheme: light dark; --line: #c4c8ce; --soft: #555b63; }
@media (prefers-color-scheme: dark) { :root { --line: #4a5058; --soft: #a9b0b8; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { border-bottom: 1px solid var(--line); padding: .5rem .6rem; text-align: left;
  vertical-align: top; }
td ul { margin: 0; padding-left: 1.1rem; }
tbody th { font-weight: 600; width: 30%; }
td { width: 35%; }
.limits { color: var(--soft); font-weight: 400; margin: .3rem 0 0; }
code { font-size: .9em; overflow-wrap: anywhere; }
"""


def cell_text(cell: Cell, root: Path = ROOT) -> str:
    """A place in a walkthrough in words."""
    place = cell.heading(root) or cell.section or "?"
    return f"{cell.notebook[:2]}: {place}" + (f" (cell {cell.cell})" if cell.cell else "")


def check_text(check: Check, root: Path = ROOT) -> str:
    """An exercise with its title, or what a test says of itself."""
    if check.test is None:
        exercise = targets.exercises(root).get(check.name)
        return f"Exercise {check.name}: {exercise.title}" if exercise else check.name
    _, function = check.test
    return "Test: " + function.removeprefix("test_").replace("_", " ")


def as_text(covered: Coverage, root: Path = ROOT) -> str:
    """All topics, one below the other, and the counts."""
    lines = []
    for title, topics in (("Headings", covered.headings), ("Claims", covered.claims)):
        if topics:
            lines.append(f"{title}\n")
        for topic in topics:
            lines.append(topic.heading)
            lines += [f"  shown   {cell_text(cell, root)}" for cell in topic.cells]
            lines += [f"  proved  {check_text(check, root)}" for check in topic.checks]
            if topic.limits:
                lines.append(f"  limits  {topic.limits}")
            lines.append("")
    return "\n".join([*lines, counts(covered)])


def counts(covered: Coverage) -> str:
    """How many headings and claims there are, and how many cells and checks."""
    cells = {cell for topic in covered.topics for cell in topic.cells}
    checks = {check.name for topic in covered.topics for check in topic.checks}
    exercises = sum("::" not in name for name in checks)
    return (
        f"{_number(len(covered.headings), 'heading')} and {_number(len(covered.claims), 'claim')}. "
        f"Shown in {_number(len(cells), 'place')}, proved by {_number(exercises, 'exercise')} "
        f"and {_number(len(checks) - exercises, 'test')}."
    )


def rows(topics: Sequence[Topic], root: Path = ROOT) -> list[dict[str, str]]:
    """One row a topic for a table, with links in Markdown that lead from a notebook."""
    return [
        {
            "heading": _escaped(topic.heading),
            "shown in": _joined(_cell_link(cell, root) for cell in topic.cells),
            "proved by": _joined(_check_link(check, root) for check in topic.checks),
        }
        for topic in topics
    ]


def as_markdown(topics: Sequence[Topic], first: str = "heading", root: Path = ROOT) -> str:
    """A table of topics in Markdown; `first` is the title of its first column."""
    lines = [f"| {first} | shown in | proved by |", "|---|---|---|"]
    lines += [f"| {' | '.join(row.values())} |" for row in rows(topics, root)]
    return "\n".join(lines)


_TITLE = "Coverage of the chapter"
TITLE = f"<title>{_TITLE}</title>"
"""By this a page is known, which a newer one may replace."""


def as_html(covered: Coverage, root: Path = ROOT) -> str:
    """One page that needs no other file and no network."""
    tables = [
        f"<h2>{title}</h2>{_html_table(topics, first, root)}"
        for title, first, topics in (
            ("Headings of the chapter", "Heading", covered.headings),
            ("Claims of its summary", "Claim", covered.claims),
        )
        if topics
    ]
    summary = f"<h1>{_TITLE}</h1><p>{html.escape(counts(covered))}</p>"
    return pages.page(_TITLE, f"{summary}{''.join(tables)}", _STYLE)


def _html_table(topics: Sequence[Topic], first: str, root: Path) -> str:
    lines = []
    for topic in topics:
        limits = f'<p class="limits">{html.escape(topic.limits)}</p>' if topic.limits else ""
        shown = _html_list([cell_text(cell, root) for cell in topic.cells])
        proved = _html_list([check_text(check, root) for check in topic.checks])
        lines.append(
            f'<tr><th scope="row">{html.escape(topic.heading)}{limits}</th>'
            f"<td>{shown}</td><td>{proved}</td></tr>"
        )
    head = "".join(f'<th scope="col">{name}</th>' for name in (first, "Shown in", "Proved by"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _html_list(texts: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _joined(links: Iterable[str]) -> str:
    """Links one after the other; two cells of one section have one link."""
    return "; ".join(dict.fromkeys(links))


def _cell_link(cell: Cell, root: Path) -> str:
    place = cell.heading(root) or cell.section or ""
    target = f"{cell.notebook}.ipynb#{targets.anchor(place)}"
    return f"[{cell.notebook[:2]}: {_escaped(place)}](<{target}>)"


def _check_link(check: Check, root: Path) -> str:
    if check.test is not None:
        path, _ = check.test
        return f"[{_escaped(check_text(check, root).lower())}](<../{path}>)"
    exercise = targets.exercises(root).get(check.name)
    if exercise is None:
        return check.name
    target = f"../labs/{exercise.lab}.ipynb"
    if exercise.heading:
        target += f"#{targets.anchor(exercise.heading)}"
    return f"[{check.name}](<{target}>)"


def _escaped(text: str) -> str:
    """Text in which no sign has a meaning of its own in a Markdown table."""
    for sign in "\\`*_[]|<>":
        text = text.replace(sign, f"\\{sign}")
    return text
