"""Links, images and tags of a text as a Markdown parser sees them, with their places in the source.

The parser is the one that `markup` renders answers with. It tells what a link is, also over
definitions, brackets in brackets, and entities; where it stands, it does not tell, so the rules for
links are wrapped in one that keeps the place.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, autolink, image, link
from markdown_it.token import Token

REMOVED: Final = "[link removed]"
"""What a person reads in the place of a link that was taken out."""

May = Callable[[str], bool]
"""Says of a URL, its entities decoded, whether an answer may have it."""

_PLACE: Final = "place"
_WORDS: Final = "words"

_TAG: Final = re.compile(r"<[a-z/!?][^<>]*>?", re.IGNORECASE)
_NAME: Final = re.compile(r"</?([a-z][^\s/>]*)", re.IGNORECASE)
_AUTOLINK: Final = re.compile(r"<[a-z][a-z0-9+.-]{1,31}:[^<>\s]*>|<[^<>\s=/]+@[^<>\s=/]+>", re.I)
# Tags that do something without an address: they run, load what is inside, or change addresses.
_ACTIVE: Final = frozenset({
    "script", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "base", "meta",
    "link", "form", "svg", "math", "template", "noscript", "xmp", "plaintext",
})  # fmt: skip
_ATTRIBUTE: Final = (
    r"\s+(?P<name>class|id|title|alt|align|width|height|start|colspan|rowspan|lang|dir|href|src)"
    r"""\s*=\s*(?P<value>"[^"<>]*"|'[^'<>]*'|[^\s"'=<>`]+)"""
)
_HARMLESS: Final = re.compile(
    rf"<[a-z][a-z0-9]*(?:{re.sub(r'[?]P<[a-z]+>', '?:', _ATTRIBUTE)})*\s*/?>", re.IGNORECASE
)
_ATTRIBUTES: Final = re.compile(_ATTRIBUTE, re.IGNORECASE)
_FETCHING: Final = re.compile(
    r"[\s/\"'](?:href|src\w*|action|formaction|poster|background|cite|data|ping|style|content"
    r"|xlink:href|on\w{1,30})\s*=",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Edit:
    """A piece of a text, by its places, and what comes instead."""

    start: int
    end: int
    instead: str


def apply(text: str, edits: list[Edit]) -> str:
    """The text after these edits; one that lies inside or across an earlier one is left out."""
    done: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda each: (each.start, -each.end)):
        if edit.start >= at:
            done += text[at : edit.start], edit.instead
            at = edit.end
    return "".join([*done, text[at:]])


def parser(*, raw_html: bool) -> MarkdownIt:
    """The Markdown that answers are written in: CommonMark, tables and strikethrough.

    It leaves addresses as they are written and refuses none: they are judged in one place.
    """
    made = MarkdownIt("commonmark", {"html": raw_html}).enable(["table", "strikethrough"])
    made.validateLink = lambda url: True  # type: ignore[method-assign]
    return made


def foreign_links(text: str, may: May, *, raw_html: bool) -> list[Edit]:
    """Edits that take out the links, images and definitions whose address may not be in an answer.

    A link leaves its words. Where the place of one cannot be told, its whole block goes.
    """
    env: dict[str, Any] = {}
    lines = _lines(text)
    edits: list[Edit] = []
    columns: dict[int, int] = {}
    for token in _placing(raw_html).parse(text, env):
        if token.type == "inline" and token.map:
            edits += _of_block(token, lines, columns, may)
    definitions = [*env.get("references", {}).values(), *env.get("duplicate_refs", [])]
    for definition in definitions:
        if not may(definition["href"]):
            edits.append(_block(lines, *definition["map"]))
    return edits


def foreign_tags(text: str, may: May) -> list[Edit]:
    """Edits that take out the HTML tags which fetch, run or lead to what may not be in an answer.

    A tag with attributes stays when they are known to be harmless and their addresses may be there.
    """
    return [
        Edit(found.start(), found.start() + length, REMOVED)
        for found in _TAG.finditer(text)
        if (length := _length_to_go(found.group(), may))
    ]


def _length_to_go(tag: str, may: May) -> int:
    """How many characters of a tag have to go; 0: none."""
    name = _NAME.match(tag)
    if not name or _AUTOLINK.fullmatch(tag):
        return 0
    if not tag.endswith(">"):  # a browser goes on to the next ">", which may be the page's own
        line = tag.partition("\n")[0]
        return len(line) if name[1].lower() in _ACTIVE or _FETCHING.search(tag) else 0
    if name[1].lower() in _ACTIVE:
        return len(tag)
    if "=" not in tag:
        return 0
    if not _HARMLESS.fullmatch(tag):
        return len(tag)
    addresses = (
        html.unescape(each["value"].strip("\"'"))
        for each in _ATTRIBUTES.finditer(tag)
        if each["name"].lower() in ("href", "src")
    )
    return 0 if all(map(may, addresses)) else len(tag)


@cache
def _placing(raw_html: bool) -> MarkdownIt:
    """The parser with places, and with addresses as they are written."""
    made = parser(raw_html=raw_html)
    made.normalizeLink = lambda url: url  # type: ignore[method-assign]
    for name, rule in (("link", link), ("image", image), ("autolink", autolink)):
        made.inline.ruler.at(name, _keeping_place(rule))
    return made


def _keeping_place(
    rule: Callable[[StateInline, bool], bool],
) -> Callable[[StateInline, bool], bool]:
    def kept(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            made = next(t for t in state.tokens[before:] if t.type in ("link_open", "image"))
            made.meta[_PLACE] = (start, state.pos)
            if rule is link:
                end = state.md.helpers.parseLinkLabel(state, start, True)
                made.meta[_WORDS] = state.src[start + 1 : end]
        return True

    return kept


def _of_block(
    token: Token, lines: list[tuple[int, str]], columns: dict[int, int], may: May
) -> Iterator[Edit]:
    first, after = token.map or (0, 0)
    starts = _starts(token.content, lines, first, columns)
    for child in token.children or []:
        address = child.attrs.get("href" if child.type == "link_open" else "src")
        if child.type not in ("link_open", "image") or may(str(address)):
            continue
        if starts is None:
            yield _block(lines, first, after)
            return
        start, end = (_in_source(starts, at) for at in child.meta[_PLACE])
        words = child.meta.get(_WORDS, "")
        yield Edit(start, end, words if words.strip() else REMOVED)


def _starts(
    content: str, lines: list[tuple[int, str]], first: int, columns: dict[int, int]
) -> list[tuple[int, int]] | None:
    """For each line of a block's content, where it begins in it and in the source; None: unknown.

    `columns` keeps how far each line of the source has been used, for cells of tables.
    """
    starts, at = [], 0
    for number, line in enumerate(content.split("\n"), first):
        if number >= len(lines):
            return None
        begin, source = lines[number]
        column = source.find(line, columns.get(number, 0))
        if column < 0:
            return None
        columns[number] = column + len(line)
        starts.append((at, begin + column))
        at += len(line) + 1
    return starts


def _in_source(starts: list[tuple[int, int]], at: int) -> int:
    begin, source = next(each for each in reversed(starts) if each[0] <= at)
    return source + at - begin


def _block(lines: list[tuple[int, str]], first: int, after: int) -> Edit:
    last, words = lines[min(after, len(lines)) - 1]
    return Edit(lines[first][0], last + len(words), REMOVED)


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line's place and words, by the ends that Markdown knows."""
    return [
        (found.start(), found[1].replace("\0", "\ufffd"))
        for found in re.finditer(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)", text)
    ]
