"""An answer's Markdown as text: its parts, blocks and sentences, without code and comments."""

import re
from dataclasses import dataclass

SOURCE = re.compile(r"\[([^\[\]]{1,300}?)\](?!\(|\[[^\]:]*\])")
"""A pair of square brackets that is no link: what may name a source."""

_FENCE = re.compile(r"^(```|~~~).*?(?:^\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CODE = re.compile(r"`+([^`\n]*)`+")
_KEPT_CODE = re.compile(r"[\w.,%-]+(?: [\w.,%-]+){0,3}")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^()\s]*\)|\[[^\[\]:]*\])")
_REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s*\S+\s*$", re.MULTILINE)
_URL = re.compile(r"https?://\S+")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_RULE = re.compile(r"^[\s|:*_-]*$")
_HELD = re.compile("\ue000(\\d+)\ue001")
_END = re.compile("[.!?][\"'\u201d\u2019)_]*(?:\\s*\ue000\\d+\ue001)*(?=\\s)")
_SHORTENED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|ca|cf|no|nos|fig|sec|p|pp|al|inc|ltd|co|st|dr|mr|ms)|"
    r"\b[A-Z](?:\.[A-Z])*)\.$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


@dataclass(frozen=True)
class Section:
    """What stands under one heading; `heading` is empty for what comes before the first one."""

    heading: str
    body: str


def sections(text: str) -> list[Section]:
    """The text by its headings of the first three levels, in order; code is no heading."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in without_code(text).splitlines():
        heading = _HEADING.match(line)
        if heading and len(heading[1]) <= 3:
            found.append((heading[2].strip(" *_:"), []))
        else:
            found[-1][1].append(line)
    return [Section(name, "\n".join(lines).strip()) for name, lines in found]


def without_code(text: str) -> str:
    """The text without fenced code and comments, with plain spaces."""
    text = re.sub("[\u00a0\u2007\u2009\u202f]", " ", text).replace("\r\n", "\n")
    return _COMMENT.sub("", _FENCE.sub("", text))


def blocks(text: str) -> list[str]:
    """The paragraphs, list items and table rows, each on one line, without Markdown's signs.

    Links are replaced by their words. Code in a line is kept where it is a name or a number.
    """
    text = _REFERENCE.sub("", _CODE.sub(_name_or_nothing, without_code(text)))
    text = _URL.sub("", _LINK.sub(r"\1", text))
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        line = re.sub(r"^\s*(?:>\s?)+", "", line)
        if heading := _HEADING.match(line):
            found += [[heading[2]], []]
        elif not line.strip() or _RULE.match(line):
            found.append([])
        elif line.lstrip().startswith("|"):
            found += [[line.strip().strip("|").replace("|", " , ")], []]
        elif bullet := _BULLET.match(line):
            found.append([line[bullet.end() :]])
        else:
            found[-1].append(line)
    joined = (re.sub(r"\s+", " ", " ".join(lines).replace("*", "")).strip() for lines in found)
    return [block for block in joined if block]


def _name_or_nothing(code: re.Match[str]) -> str:
    return code[1] if _KEPT_CODE.fullmatch(code[1]) else " "


def sentences(text: str) -> list[str]:
    """The sentences of all blocks; a source that follows a full stop belongs to its sentence."""
    return [sentence for block in blocks(text) for sentence in _split(block)]


def _split(block: str) -> list[str]:
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
        for word in _WORD.findall(SOURCE.sub(" ", block).replace("\u2019", "'"))
    ]
