"""An export as one HTML page: for a reader in a browser or on paper, with its data.

It loads nothing and runs nothing: its policy forbids both, and an answer's Markdown is rendered
without HTML of its own and cleaned.
"""

from collections.abc import Callable
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from helpers import pages
from helpers.evaluate.evidence import Evidence, Figure
from helpers.review.citations import citations
from helpers.review.exported import Export, ExportedAnswer
from helpers.review.prose import SOURCE
from helpers.review.questions import Question, question
from helpers.review.sources import STATEMENT, base, figure_of, plain

_TAGS = {
    *("h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "a", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"),
}
_STYLE = (
    pages.STYLE
    + """
:root { --wrong: #9a3412; }
@media (prefers-color-scheme: dark) { :root { --wrong: #fdba74; } }
body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 2px solid var(--line); margin-top: 2rem; }
tr:target { background: var(--soft); outline: 2px solid; }
pre, .asked { background: var(--soft); padding: 0.5rem 1rem; white-space: pre-wrap; }
.scroll { overflow-x: auto; }
.found { color: var(--wrong); }
fieldset { border: 1px solid var(--line); margin: 0.5rem 0; }
label { margin-right: 1rem; }
@media print {
  :root { --wrong: #000; }
  section { break-before: page; }
  fieldset { break-inside: avoid; }
}
"""
)

Link = Callable[[str, str], str | None]
"""Item and figure -> the anchor of the figure's row, None where it has none."""


def page(made: Export) -> str:
    """The whole page, with the data that it shows."""
    by = f" of {escape(made.name)}" if made.name else ""
    sections = "\n".join(_section(one) for one in made.answers)
    return pages.page(
        f"Review answers of {made.name}" if made.name else "Review answers",
        f"<h1>Review answers{by}</h1>"
        f"<p>Exported {made.exported:%Y-%m-%d %H:%M %Z}. The figures are what the learner's own "
        "files held. A person can edit such files, and nothing here would show it: to be sure of a "
        "figure, run the command in its row.</p>\n"
        f"{sections}\n{made.block()}",
        _STYLE,
    )


def _section(one: ExportedAnswer) -> str:
    asked = question(one.question)
    rows, link = _rows(one)
    about = one.about
    return (
        f'<section id="{one.question}"><h2>{one.question}. {escape(asked.title)}</h2>'
        f'<p class="asked">{escape(asked.question)}</p>'
        f"<p>Reviewed {one.written:%Y-%m-%d %H:%M %Z}. Judged by evidence of version "
        f"<code>{escape(about.version.digest)}</code> as of {about.recorded:%Y-%m-%d}.</p>"
        f"<article>{markdown(one.text, link)}</article>"
        f"<h3>What the check found</h3>{_findings(one)}"
        f"<h3>The figures that the answer cites</h3>{rows}"
        f"<h3>For a reader to judge</h3>{_rubric(asked)}</section>"
    )


def markdown(text: str, link: Link) -> str:
    """An answer as HTML. What it says in HTML is shown as text; its citations lead to figures."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    # A citation over two lines would be two tokens, and lead nowhere.
    tokens = parser.parse(SOURCE.sub(lambda bracket: " ".join(bracket[0].split()), text))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, max(3, int(token.tag[1]) + 1))}"  # below the question's own
        elif token.children:
            token.children = [new for old in token.children for new in _linked(old, link)]
    html = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        html, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}
    )


def _linked(token: Token, link: Link) -> list[Token]:
    """A token of text, cut at the citations that lead to a figure; any other one as it is."""
    if token.type != "text":
        return [token]
    found: list[Token] = []
    place = 0
    for bracket in SOURCE.finditer(token.content):
        cited = citations(bracket[0])
        anchor = link(cited[0].item, cited[0].figure) if cited else None
        if anchor is None:
            continue
        inside = escape(bracket[0])
        found += [
            Token("text", "", 0, content=token.content[place : bracket.start()]),
            Token("html_inline", "", 0, content=f'<a href="#{anchor}">{inside}</a>'),
        ]
        place = bracket.end()
    return [*found, Token("text", "", 0, content=token.content[place:])]


def _rows(one: ExportedAnswer) -> tuple[str, Link]:
    """The table of an answer's cited figures, and where in it a figure stands."""
    anchors: dict[tuple[str, str], str] = {}
    lines = []
    for cited in citations(one.text):
        item = base(cited.item)
        key = (item, plain(cited.figure))
        evidence = one.evidence.get(item)
        if cited.kind != "evidence" or evidence is None or key in anchors:
            continue
        cells = _cells(evidence, key[1])
        if cells is not None:
            anchors[key] = f"{one.question}-{len(anchors) + 1}"
            row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            lines.append(f'<tr id="{anchors[key]}">{row}</tr>')
    heads = ("Evidence", "Figure", "Value", "Count", "Interval", "Version", "Date", "Command")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"

    def link(item: str, figure: str) -> str | None:
        return anchors.get((base(item), plain(figure)))

    return (f'<div class="scroll">{table}</div>' if lines else "<p>None.</p>"), link


def _cells(evidence: Evidence, name: str) -> list[str] | None:
    """A figure's row, or that of a person's statement; None where there is no such figure."""
    tail = [evidence.version.digest, f"{evidence.written:%Y-%m-%d}", evidence.command]
    if evidence.stated:
        if name != STATEMENT:
            return None
        said = f"{evidence.statement} ({evidence.by})"
        return [evidence.item, STATEMENT, said, "", "", *tail]
    if (found := figure_of(evidence, name)) is None:
        return None
    label, figure = found
    value = f"{figure.value:.6g}"
    return [evidence.item, label, value, str(figure.count), _interval(figure), *tail]


def _interval(figure: Figure) -> str:
    if figure.low is None and figure.high is None:
        return ""
    low = "" if figure.low is None else f"{figure.low:.4g}"
    high = "" if figure.high is None else f"{figure.high:.4g}"
    return f"{low} to {high} ({figure.confidence:.0%})"


def _findings(one: ExportedAnswer) -> str:
    if not one.findings:
        return "<p>Nothing to change.</p>"
    items = "".join(f"<li>{escape(finding.text)}</li>" for finding in one.findings)
    return f'<ul class="found">{items}</ul>'


def _rubric(asked: Question) -> str:
    """The rubric's lines as a form, to fill in on the screen or on paper."""
    fields = []
    for number, line in enumerate(asked.rubric, start=1):
        choices = "".join(
            f'<label><input type="radio" name="{asked.id}-{number}" value="{word}"> {word}</label>'
            for word in ("yes", "no")
        )
        fields.append(
            f"<fieldset><legend>{escape(line.line)} <em>({escape(line.level)})</em></legend>"
            f"{choices}</fieldset>"
        )
    return f"<form>{''.join(fields)}</form>"
