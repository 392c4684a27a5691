"""Answers as HTML that is safe to show: what the page of a chat does with a model's Markdown.

A model repeats what it has read, and what it writes is shown in a browser: a script runs there
(improper output handling, LLM05 of OWASP's 2025 list), and an image is fetched without a click,
from any host, with whatever an injection has put into its address. So Markdown is rendered with raw
HTML switched off, and the result is cleaned by an allow-list of tags, attributes and hosts; what is
not known to be harmless goes. It is the last step before a page, and anything that changes the text
afterwards undoes the cleaning. `FilterOutput` reads answers with the same parser and judges
addresses by the same rules, but it returns Markdown, for all who show or keep the conversation.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import nh3
from markdown_it import MarkdownIt

from helpers.security.controls.links import Allowed
from helpers.security.controls.parsed import parser

# fmt: off
TAGS: Final = frozenset({
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h1", "h2", "h3", "h4", "h5", "h6", "img", "table", "thead", "tbody", "tr", "th", "td",
})
# fmt: on
MOST_CHARACTERS: Final = 20_000
"""Of a text; what is longer is cut, since nobody reads it and parsing it takes time."""

_ATTRIBUTES: Final = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
# These reach our own judgement, which lets none but https through, so that they are reported.
_JUDGED_SCHEMES: Final = {"https", "http", "javascript", "vbscript", "data", "file", "mailto"}
_ADDRESSES: Final = frozenset({("a", "href"), ("img", "src")})
_SOURCELESS: Final = re.compile(r"<img(?![^>]* src=)[^>]*>")


@dataclass(frozen=True)
class Cleaned:
    """HTML to show, and what was taken out of it.

    Attributes:
        html: safe to put into a page as it is.
        removed: the addresses of links and images that were not allowed, in their order: for a log
            and an alarm, since an honest answer has none.
    """

    html: str
    removed: tuple[str, ...]


def render_markdown(text: str, *, hosts: Collection[str]) -> Cleaned:
    """A model's Markdown as safe HTML.

    Args:
        text: the answer. Raw HTML in it is shown as text.
        hosts: the hosts that links and images may name, exactly, over https.
    """
    return _cleaned(_renderer().render(text[:MOST_CHARACTERS]), hosts)


def clean_html(html: str, *, hosts: Collection[str]) -> Cleaned:
    """The same HTML with harmless tags alone, and with links and images of these hosts alone.

    A link elsewhere keeps its text and loses its address; an image from elsewhere goes.
    """
    return _cleaned(html[:MOST_CHARACTERS], hosts)


@cache
def _renderer() -> MarkdownIt:
    return parser(raw_html=False)


def _cleaned(html: str, hosts: Collection[str]) -> Cleaned:
    allowed = replace(Allowed.of(hosts), schemes=frozenset({"https"}))
    removed: list[str] = []

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) not in _ADDRESSES:
            return value
        if allowed.absolute(value):
            return value
        removed.append(value)
        return None

    cleaned = nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        url_schemes=_JUDGED_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Cleaned(_SOURCELESS.sub("", cleaned), tuple(removed))
