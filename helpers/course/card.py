"""The card that a check shows: plain text for a terminal, HTML for a notebook, data for tests.

A card carries three forms of the same result. The HTML takes every colour from JupyterLab's
theme and tells the status by a sign and in words; its headings are headings to a screen reader, but
not to the notebook's table of contents. `MIME` is the machine-readable form; `statuses` reads it
from an executed notebook.
"""

import html
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

MIME = "application/vnd.course.check+json"
"""The type of a card's data: {"exercise", "status", "passed", "total"}."""

_WRONG_VERDICT = 'Is this verdict wrong? See "A verdict that is wrong" in CONTRIBUTING.md.'
_WIDTH = 88
_LINE = "var(--jp-border-color1, gray)"
_LABEL_WIDTH = 10
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-_])")
_CONTROL = re.compile(
    r"[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]"
)


class Status(StrEnum):
    """How an exercise stands after a check."""

    PASSED = "passed"
    PARTLY = "partly"
    WRONG = "wrong"
    NOT_DONE_YET = "not done yet"


# For a page, and for a terminal, which may know ASCII alone.
_SIGNS = {
    Status.PASSED: ("\u2713", "[+]"),  # a tick
    Status.PARTLY: ("\u00b1", "[~]"),
    Status.WRONG: ("\u2717", "[-]"),  # a cross
    Status.NOT_DONE_YET: ("\u2026", "[ ]"),  # three dots
}


@dataclass(frozen=True)
class CaseResult:
    """One case of a check, told in text that is ready for display.

    `rows` are label and text, in the order in which they are read. `slip` is the id of the known
    mistake that was recognised, `about` what the case tests; both are empty where there is none.
    """

    name: str
    passed: bool
    rows: tuple[tuple[str, str], ...] = ()
    slip: str = ""
    about: str = ""

    @property
    def status(self) -> Status:
        """Passed or wrong."""
        return Status.PASSED if self.passed else Status.WRONG


@dataclass(frozen=True)
class Card:
    """What a check found, and what to try next."""

    exercise: str
    title: str
    status: Status
    cases: tuple[CaseResult, ...] = ()
    summary: str = ""
    hint: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(case.passed for case in self.cases)

    @property
    def total(self) -> int:
        """How many cases there are; 0 when none was tried."""
        return len(self.cases)

    @property
    def heading(self) -> str:
        """The first line, with the status in words."""
        count = f" ({self.passed} of {self.total})" if self.status is Status.PARTLY else ""
        return f"Exercise {self.exercise}, {self.title}: {self.status}{count}"

    def data(self) -> dict[str, Any]:
        """The machine-readable form."""
        return {
            "exercise": self.exercise,
            "status": str(self.status),
            "passed": self.passed,
            "total": self.total,
        }

    def text(self) -> str:
        """The form for a terminal, wrapped at 88 columns."""
        lines = [_wrapped(_signed(self.status, self.heading), "    ")]
        if self.summary:
            lines.append(_wrapped(self.summary))
        for case in self.cases:
            told = _signed(case.status, f"{_word(case)}: {case.name}")
            lines.append(_wrapped(f"  {told}", " " * 6))
            for label, body in case.rows:
                lines.append(_row(label, body))
        if self.hint:
            lines.append(_wrapped(self.hint))
        lines.extend(_wrapped(f"Note: {note}") for note in self.notes)
        if self.cases:
            lines.append(_wrapped(_WRONG_VERDICT))
        return "\n".join(lines)

    def html(self) -> str:
        """The form for a notebook."""
        parts = [_heading(self.heading, 4, self.status)]
        if self.summary:
            parts.append(_paragraph(self.summary))
        for case in self.cases:
            parts.append(_heading(f"{_word(case)}: {case.name}", 5, case.status))
            if case.rows:
                parts.append(_table(case.rows))
        if self.hint:
            parts.append(_paragraph(self.hint))
        parts.extend(_paragraph(f"Note: {note}") for note in self.notes)
        if self.cases:
            parts.append(_paragraph(_WRONG_VERDICT, small=True))
        return _box("".join(parts), _COLOURS[self.status])

    def __str__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": self.text(), "text/html": self.html(), MIME: self.data()}


@dataclass(frozen=True)
class Note:
    """A few sentences to the learner that are no result: hints, and what went wrong elsewhere."""

    heading: str
    sentences: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(_wrapped(line) for line in (self.heading, *self.sentences))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        parts = [_heading(self.heading, 4), *map(_paragraph, self.sentences)]
        return {
            "text/plain": str(self),
            "text/html": _box("".join(parts), _LINE),
        }


def statuses(notebook: Mapping[str, Any] | Path | str) -> dict[str, str]:
    """The last status that each exercise's check showed in an executed notebook.

    Args:
        notebook: a notebook as nbformat reads it, or the path of one.

    Returns:
        Exercise number to status, such as {"01.2": "passed"}; checks that did not run are absent.
    """
    read: Mapping[str, Any]
    if isinstance(notebook, Path | str):
        import nbformat

        read = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    else:
        read = notebook
    return {
        output["data"][MIME]["exercise"]: output["data"][MIME]["status"]
        for cell in read["cells"]
        for output in cell.get("outputs", ())
        if MIME in output.get("data", {})
    }


def printable(text: str) -> str:
    """Text without what a page or a terminal would act on: colours, control and bidi characters."""
    text = _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROL.sub("\ufffd", text).encode("utf-8", "backslashreplace").decode()


# --- text ---------------------------------------------------------------------------------------


def _word(case: CaseResult) -> str:
    return "passed" if case.passed else "not passed"


def _signed(status: Status, text: str) -> str:
    return f"{_SIGNS[status][1]} {text}"


def _wrapped(text: str, indent: str = "") -> str:
    first = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(
        text.strip(),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _row(label: str, body: str) -> str:
    margin = " " * (4 + _LABEL_WIDTH)
    lines: list[str] = []
    for line in body.split("\n"):  # the lines of printed text and of code stay as they are
        lines += textwrap.wrap(
            line, _WIDTH - len(margin), drop_whitespace=False, break_on_hyphens=False
        ) or [""]
    first = f"    {label:<{_LABEL_WIDTH}}"
    return "\n".join(line.rstrip() for line in [first + lines[0], *(margin + x for x in lines[1:])])


# --- HTML ---------------------------------------------------------------------------------------

# In a notebook that JupyterLab does not trust (one that came with the course), its sanitizer takes
# out the roles, `overflow-wrap: anywhere`, and a border whose colour is a variable. Therefore each
# border begins in gray, and long words are broken by a table of fixed layout.
_COLOURS = {
    Status.PASSED: "var(--jp-success-color1, seagreen)",
    Status.PARTLY: "var(--jp-warn-color1, darkorange)",
    Status.WRONG: "var(--jp-error-color1, firebrick)",
    Status.NOT_DONE_YET: _LINE,
}
_LEFT = "text-align: left; vertical-align: top; padding: 2px 12px 2px 0; font-weight: normal;"
_WRAP = "overflow-wrap: break-word;"
_PROSE = {"Why", "Not run"}


def _box(inner: str, colour: str) -> str:
    # mathjax_ignore: JupyterLab would set what stands between two dollar signs as a formula.
    return (
        '<div role="status" class="mathjax_ignore" style="'
        f"border: 1px solid gray; border-left: 5px solid gray; border-color: {_LINE};"
        f" border-left-color: {colour}; padding: 4px 12px; margin: 4px 0;"
        f'">{inner}</div>'
    )


def _heading(text: str, level: int, status: Status | None = None) -> str:
    # A real <h4> of every card would stand in JupyterLab's table of contents.
    style = "font-weight: bold; margin: 2px 0 4px 0;" if level == 4 else "margin: 6px 0 2px 0;"
    # A screen reader leaves the sign out: the words say the same.
    sign = f'<span aria-hidden="true">{_SIGNS[status][0]}</span> ' if status else ""
    return (
        f'<div role="heading" aria-level="{level}" style="{style} {_WRAP}">'
        f"{sign}{_escaped(text)}</div>"
    )


def _paragraph(text: str, *, small: bool = False) -> str:
    size = " font-size: 90%;" if small else ""
    return f'<p style="margin: 6px 0 4px 0; {_WRAP}{size}">{_escaped(text)}</p>'


def _table(rows: tuple[tuple[str, str], ...]) -> str:
    return (
        '<table style="table-layout: fixed; width: 100%; margin: 0 0 4px 0; border: none;"><tbody>'
        + "".join(_table_row(label, body) for label, body in rows)
        + "</tbody></table>"
    )


def _table_row(label: str, body: str) -> str:
    text = _escaped(body)
    if label not in _PROSE:
        text = f'<code style="white-space: pre-wrap; background: none; padding: 0;">{text}</code>'
    return (
        f'<tr style="background: none;"><th scope="row" style="{_LEFT} width: 80px;">'
        f'{_escaped(label)}</th><td style="{_LEFT} {_WRAP}">{text}</td></tr>'
    )


def _escaped(text: str) -> str:
    return html.escape(text)
