"""`course workshop survey`: a short form for after the workshop, to print or to send."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from helpers import outfile
from helpers.pages import page

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
button { font: inherit; padding: 0.4rem 1rem; }
.paper { display: none; }
@media print {
  fieldset { break-inside: avoid; }
  #send { display: none; }
  .live textarea { display: none; }
  .live .paper { display: block; min-height: 6rem; white-space: pre-wrap; overflow-wrap: anywhere;
    border: 1px solid var(--line); }
}
"""
# Answers go into the page itself too, so that a page that is saved has them, and a long one is
# printed whole. A text box cuts what it has no room for.
_SCRIPT = """
const form = document.querySelector('main');
const made = document.getElementById('made');
const told = document.getElementById('told');
form.classList.add('live');
document.getElementById('send').hidden = false;
function keep() {
  for (const one of form.querySelectorAll('input')) one.defaultChecked = one.checked;
  for (const one of form.querySelectorAll('.words')) {
    one.defaultValue = one.value;
    one.nextElementSibling.textContent = one.value;
  }
}
function asText() {
  const lines = [document.title];
  for (const one of form.querySelectorAll('fieldset')) {
    const answer = one.querySelector('input:checked') || one.querySelector('textarea');
    lines.push('', one.querySelector('legend').textContent, answer ? answer.value.trim() : '');
  }
  return lines.join('\\n') + '\\n';
}
form.addEventListener('input', keep);
document.getElementById('copy').addEventListener('click', async () => {
  made.hidden = false;
  made.value = asText();
  made.select();
  try {
    await navigator.clipboard.writeText(made.value);
    told.textContent = 'Copied. Paste it into your message.';
  } catch {
    told.textContent = 'Copy the text below, and paste it into your message.';
  }
});
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
    Asked("How much hands-on time was there?", ("too little", "about right", "too much")),
    Asked(
        "Did the course run on your machine?",
        ("at once", "after some help", "in part", "not at all"),
    ),
    Asked("Which part will you use at work first?"),
    Asked("Which exercise or explanation was unclear, and where did you get stuck?"),
    Asked("What should be left out, and what was missing?"),
)
"""The form's questions. Names are not asked for."""

_TITLE = "After the workshop"
_INTRODUCTION = "Eight questions, about three minutes. Please leave out names."


def run(argv: Sequence[str]) -> int:
    """Print the form as Markdown, or write it to a file: 0, or 1 where that failed."""
    parser = argparse.ArgumentParser(
        prog="course workshop survey",
        description="Print a short form for after the workshop as Markdown, or write it as a page "
        "to fill in on the screen or on paper.",
        epilog="The page sends nothing by itself: a button copies the answers as text, to paste "
        "into a message. Exit status: 0 done, 1 the file could not be written, 2 bad use.",
    )
    parser.add_argument(
        "--out",
        type=outfile.named(".html", ".htm", ".md"),
        metavar="FILE",
        help="write it to this new file: a page in .html, Markdown in .md",
    )
    parser.add_argument(
        "--to",
        default="",
        metavar="WHERE",
        help="where participants send their answers, such as an address (default: your instructor)",
    )
    options = parser.parse_args(argv)
    file: Path | None = options.out
    to = " ".join(options.to.split()) or "your instructor"
    if file is None:
        print(as_markdown(to), end="")
        return 0
    text = as_markdown(to) if file.suffix.lower() == ".md" else as_html(to)
    try:
        outfile.save(file, text.encode("utf-8"))
    except outfile.OutError as error:
        print(f"course workshop survey: {error}", file=sys.stderr)
        return 1
    print(f"Wrote {file}.")
    return 0


def as_markdown(to: str) -> str:
    """The form as Markdown, with boxes to tick; `to` is where the answers are sent."""
    lines = [f"# {_TITLE}", "", f"{_INTRODUCTION} Send your answers to {to}."]
    for number, asked in enumerate(QUESTIONS, start=1):
        lines += ["", f"## {number}. {asked.question}", ""]
        lines += [f"- [ ] {choice}" for choice in asked.choices] or ["Answer:", "", ""]
    return "\n".join(lines).rstrip() + "\n"


def as_html(to: str) -> str:
    """The form as one page that loads nothing and sends nothing; `to` is where answers are sent.

    Its one script copies the answers as text. Without scripts the page is for paper.
    """
    fields = "\n".join(_field(number, asked) for number, asked in enumerate(QUESTIONS, start=1))
    form = (
        f"<main><h1>{_TITLE}</h1>\n<p>{escape(_INTRODUCTION)} This page sends nothing by itself. "
        f"Send your answers to {escape(to)}: copy them at the end of the page and paste them into "
        f"a message, or print the page and fill it in by hand.</p>\n{fields}\n"
        '<div id="send" hidden><button id="copy" type="button">Copy my answers</button>'
        '<p id="told" role="status"></p>'
        '<textarea id="made" rows="12" readonly hidden aria-label="Your answers as text">'
        "</textarea></div></main>"
    )
    return page(_TITLE, form, _STYLE, _SCRIPT)


def _field(number: int, asked: Asked) -> str:
    head = f"{number}. {escape(asked.question)}"
    if not asked.choices:
        return (
            f'<fieldset><legend><label for="q{number}">{head}</label></legend>'
            f'<textarea class="words" id="q{number}" rows="4"></textarea>'
            '<div class="paper"></div></fieldset>'
        )
    choices = "".join(
        f'<label><input type="radio" name="q{number}" value="{escape(choice)}"> '
        f"{escape(choice)}</label>"
        for choice in asked.choices
    )
    return f"<fieldset><legend>{head}</legend>{choices}</fieldset>"
