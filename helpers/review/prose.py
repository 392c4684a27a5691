"""An answer's Markdown as text: its parts, blocks and sentences, without code and comments."""

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SOURCE = re.compile(r"\[([^\[\]]{1,300}?)\](?!\(|\[[^\]:]*\])")
"""A pair of square brackets that is no link: what may name a source."""

_FENCE = re.compile(r"^(```|~~~).*?(?:^\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CODE = re.compile(r"`+([^`\n]*)`+")
_KEPT_CODE = re.compile(r"[\w.,%-]+(?: [\w.,%-]+){0,3}|\[(?:[^\[\]:]+:[^\[\]]+|limit)\]")
_WRAPPED = re.compile(r"\s*(`{3,}|~{3,})\w*[ \t]*\n(.*)\n[ \t]*\1\s*", re.DOTALL)
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^()\s]*\)|\[[^\[\]:]*\])")
_REFERENCE = re.compile(r"^[ \t]*\[[^\]\n]+\]:[ \t]*\S+[ \t]*$", re.MULTILINE)
_STATED_URL = re.compile(r"(?<=stated: )https?://([^\s/\],]+)[^\s\],]*,?")
_URL = re.compile(r"https?://\S+")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_CLOSE_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s*(.*?)\s*#*\s*$")
_BOLD_LINE = re.compile(r"^\s{0,3}(\*\*|__)(.+?)\1\s*:?\s*$")
_UNDERLINE = re.compile(r"^\s{0,3}(?:=+|-+)\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_RULE = re.compile(r"^[\s|:*_-]*$")
_HELD = re.compile("\ue000(\\d+)\ue001")
_END = re.compile("[.!?][\"'\u201d\u2019)_]*(?:\\s*\ue000\\d+\ue001)*(?=\\s|\\Z)")
_SHORTENED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|ca|cf|no|nos|fig|sec|p|pp|al|inc|ltd|co|st|dr|mr|ms)|"
    r"\b[A-Z](?:\.[A-Z])*)\.$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


def parts(text: str, names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The text under the heading of each name, and all headings that were found.

    A heading may be of any level, in bold or underlined, with a number, in the singular or the
    plural. A deeper heading belongs to the part that it is in. Two parts of one name are joined.
    """
    wanted = {_plain_name(name): name for name in names}
    found: dict[str, list[str]] = {}
    headings: list[str] = []
    current: list[str] = []
    level = 0
    lines = without_code(text).splitlines()
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        title, depth = _title(line, following)
        part = wanted.get(_plain_name(title)) if title else None
        if part is not None or (title and depth <= level and _HEADING.match(line)):
            headings.append(title)
            level = depth
            current = found.setdefault(part, []) if part is not None else []
            current.append("")
        else:
            if title and _HEADING.match(line):
                headings.append(title)
            current.append(line)
    return {name: "\n".join(body).strip() for name, body in found.items()}, headings


def _title(line: str, following: str) -> tuple[str, int]:
    """What a line has for a heading, and its level; "" where it can be none."""
    if found := _CLOSE_HEADING.match(line):
        return re.sub(r"\{#.*\}$", "", found[2]).strip(" *_:"), len(found[1])
    if found := _BOLD_LINE.match(line):
        return found[2].strip(" *_:"), 2
    if line.strip() and _UNDERLINE.match(following):
        return line.strip(" *_:"), 2
    return "", 0


def _plain_name(name: str) -> str:
    """A heading's name as headings are compared: "Trade-offs", "2. Tradeoff" -> "tradeoff"."""
    words_ = re.findall(r"[^\W\d_]+", name.lower().replace("&", " and "))
    return "".join(word.removesuffix("s") for word in words_)


def without_code(text: str) -> str:
    """The text without fenced code and comments, with plain spaces, and no frame around it all."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("&amp;", "&")
    text = re.sub("[\u00a0\u2007\u2009\u202f]|&nbsp;", " ", text)
    if (whole := _WRAPPED.fullmatch(text)) and re.search(r"(?m)^\s*#", whole[2]):
        text = whole[2]
    return _COMMENT.sub("", _FENCE.sub("", textwrap.dedent(text)))


BlockKind = Literal["heading", "item", "row", "text"]


@dataclass(frozen=True)
class Block:
    """A heading, list item, table row or paragraph, on one line, without Markdown's signs."""

    kind: BlockKind
    text: str


def blocks(text: str) -> list[Block]:
    """The headings, paragraphs, list items and table rows, in order.

    Links are replaced by their words. Code in a line is kept where it is a name or a number.
    """
    text = _REFERENCE.sub("", _CODE.sub(_name_or_nothing, without_code(text)))
    text = _URL.sub("", _STATED_URL.sub(r"\1,", _LINK.sub(r"\1", text)))
    found: list[tuple[BlockKind, list[str]]] = [("text", [])]
    for line in text.splitlines():
        line = re.sub(r"^\s*(?:>\s?)+", "", line)
        if heading := _HEADING.match(line):
            found += [("heading", [heading[2]]), ("text", [])]
        elif not line.strip() or _RULE.match(line):
            found.append(("text", []))
        elif line.lstrip().startswith("|"):
            found += [("row", [line.strip().strip("|").replace("|", " , ")]), ("text", [])]
        elif bullet := _BULLET.match(line):
            found.append(("item", [line[bullet.end() :]]))
        else:
            found[-1][1].append(line)
    made = (
        Block(kind, re.sub(r"\s+", " ", " ".join(lines).replace("*", "")).strip())
        for kind, lines in found
    )
    return [block for block in made if block.text]


def _name_or_nothing(code: re.Match[str]) -> str:
    return code[1] if _KEPT_CODE.fullmatch(code[1]) else " "


def sentences(text: str) -> list[str]:
    """The sentences of all blocks; a source that follows a full stop belongs to its sentence."""
    return [sentence for block in blocks(text) for sentence in split(block.text)]


def split(block: str) -> list[str]:
    """The sentences of a block."""
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[0])
        return f"\ue000{len(held) - 1}\ue001"

    text, start, parts = SOURCE.sub(hold, block), 0, []
    for end in _END.finditer(text):
        following = text[end.end() :].lstrip()
        stop = text[start : end.start() + 1]
        if following[:1].islower() or (end[0] == "." and _SHORTENED.search(stop)):
            continue
        parts.append(text[start : end.end()])
        start = end.end()
    parts.append(text[start:])
    back = (_HELD.sub(lambda found: held[int(found[1])], part).strip() for part in parts)
    return [part for part in back if part]


def words(text: str) -> list[str]:
    """The words in lower case, without numbers, sources, code and addresses."""
    return [
        word.lower()
        for block in blocks(text)
        for word in _WORD.findall(SOURCE.sub(" ", block.text).replace("\u2019", "'"))
    ]
