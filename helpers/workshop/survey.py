"""`course workshop survey`: a short form for after the workshop, to print or to send."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from helpers.course.copies import write_whole
from helpers.workshop.page import page

_STYLE = """
:root { color-scheme: light dark; --line: #767676; --text: #1a1a1a; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --line: #8a8a8a; --text: #eee; --page: #161616; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto;
  padding: 0 1rem; color: var(--text); background: var(--page); }
fieldset { border: 1px solid var(--line); margin: 1rem 0; }
legend { font-weight: bold; }
label { display: block; margin: 0.25rem 0; }
textarea { width: 100%; box-sizing: border-box; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--line); }
@media print { fieldset { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Asked:
    """One question; without choices it is answered in words."""

    question: str
    choices: tuple[str, ...] = ()


QUESTIONS = (
    Asked(
        "How sure were you before the workshop that you could take an agent to production?",
        ("not at all", "a little", "fairly", "very"),
    ),
    Asked("And how sure are you now?", ("not at all", "a little", "fairly", "very")),
    Asked("How was the pace?", ("too slow", "about right", "too fast")),
    Asked("How much of the time did you work yourself?", ("too little", "about right", "too much")),
    Asked(
        "Did the course run on your machine?",
        ("at once", "after some help", "in part", "not at all"),
    ),
    Asked("Which part will you use at work first?"),
    Asked("Which exercise or explanation was unclear, and where did you stop?"),
    Asked("What should be left out, and what was missing?"),
)
"""The form's questions. Names are not asked for."""

_INTRODUCTION = "Eight questions, about three minutes. Please leave out names."


def run(argv: Sequence[str]) -> int:
    """Print the form as Markdown, or write it to a file: 0, or 1 where that failed."""
    parser = argparse.ArgumentParser(
        prog="course workshop survey",
        description="A short form for after the workshop, as Markdown or as a page to print.",
        epilog="The page sends nothing: it is for printing, or for saving and sending back. The "
        "exit status is 1 where the file could not be written.",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write it there: HTML for .html, else Markdown .md"
    )
    file: Path | None = parser.parse_args(argv).out
    if file is None:
        print(as_markdown(), end="")
        return 0
    if file.suffix not in (".html", ".htm", ".md"):
        print(f"course workshop survey: {file.name} should end in .html or .md.", file=sys.stderr)
        return 1
    text = as_markdown() if file.suffix == ".md" else as_html()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text.encode("utf-8"))
    except OSError as error:
        print(
            f"course workshop survey: {file} could not be written: {error.strerror}.",
            file=sys.stderr,
        )
        return 1
    print(f"Written: {file}.")
    return 0


def as_markdown() -> str:
    """The form as Markdown, with boxes to tick."""
    lines = ["# After the workshop", "", _INTRODUCTION]
    for number, asked in enumerate(QUESTIONS, start=1):
        lines += ["", f"## {number}. {asked.question}", ""]
        lines += [f"- [ ] {choice}" for choice in asked.choices] or ["Answer:", "", ""]
    return "\n".join(lines).rstrip() + "\n"


def as_html() -> str:
    """The form as one page that loads nothing, runs nothing and sends nothing."""
    fields = "\n".join(_field(number, asked) for number, asked in enumerate(QUESTIONS, start=1))
    title = "After the workshop"
    form = f"<main><h1>{title}</h1>\n<p>{escape(_INTRODUCTION)}</p>\n{fields}\n</main>"
    return page(title, form, _STYLE)


def _field(number: int, asked: Asked) -> str:
    head = f"{number}. {escape(asked.question)}"
    if not asked.choices:
        return (
            f'<fieldset><legend><label for="q{number}">{head}</label></legend>'
            f'<textarea id="q{number}" rows="4"></textarea></fieldset>'
        )
    choices = "".join(
        f'<label><input type="radio" name="q{number}"> {escape(choice)}</label>'
        for choice in asked.choices
    )
    return f"<fieldset><legend>{head}</legend>{choices}</fieldset>"
