"""What every page of the kit has: one HTML file that loads nothing, in light and dark."""

import base64
import contextlib
import hashlib
from html import escape
from pathlib import Path

import nh3
from markdown_it import MarkdownIt

from helpers import outfile

_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"),
}
STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --page: #ffffff; --soft: #f1f1f1; --line: #999;
  --mark: #0b5394; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --page: #161616; --soft: #262626; --line: #777; --mark: #8ecbff; }
}
@media print {
  :root { --ink: #000; --page: #fff; --soft: #fff; --mark: #000; color-scheme: light; }
}
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); }
table { border-collapse: collapse; margin: 0.5rem 0; }
th, td { border: 1px solid var(--line); padding: 0.2rem 0.6rem; text-align: left; }
tr { break-inside: avoid; }
pre { background: var(--soft); padding: 0.5rem 1rem; overflow-x: auto; }
"""
_SHEET = "body { max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }"


def sheet(title: str, markdown: str) -> str:
    """A Markdown text as a page to read and to print."""
    return page(title, f"<main>{html_of(markdown)}</main>", STYLE + _SHEET)


def page(title: str, body: str, style: str, script: str = "") -> str:
    """A whole page; its policy lets it load nothing and run nothing but `script`."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"script-src 'sha256-{digest}'; " if script else ""
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; {allowed}"
        "form-action 'none'; base-uri 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>\n{body}\n"
        + (f"<script>{script}</script>" if script else "")
        + "</body></html>\n"
    )


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
