"""Markdown as a page, and how the kit's pages are written."""

import contextlib
from pathlib import Path

import nh3
from markdown_it import MarkdownIt

from helpers import outfile
from helpers.pages import STYLE, page

_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"),
}
_SHEET = "body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }"


def sheet(title: str, markdown: str) -> str:
    """A Markdown text as a page to read and to print."""
    return page(title, f"<main>{html_of(markdown)}</main>", STYLE + _SHEET)


def html_of(markdown: str) -> str:
    """Markdown as HTML without HTML of its own, pictures and links (a link leaves its words)."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return nh3.clean(parser.render(markdown), tags=_TAGS, attributes={})


def save(out: Path, text: str, *, renew: bool = False) -> None:
    """Write a file by the rule of all commands (`helpers.outfile`).

    Args:
        renew: replace it, and make its folder, where only the kit itself writes.

    Raises:
        OutError: the name is taken by other content, or the file cannot be written.
    """
    if renew:
        with contextlib.suppress(OSError):  # `save` says what is wrong
            out.parent.mkdir(parents=True, exist_ok=True)
    outfile.save(out, text.encode(), (lambda _: True) if renew else None)
