"""A mermaid diagram as a list of its arrows: the text of its picture, or what is there without one.

The script that draws mermaid is several megabytes in many files, too much for a page that is one
file. The arrows say the same in words. Any other diagram stays as it is.
"""

import re

_SHAPE = r"\[\(.*?\)\]|\(\[.*?\]\)|\(\(.*?\)\)|\[.*?\]|\{.*?\}|\(.*?\)"
_NODE = re.compile(rf"\s*(\w+)({_SHAPE})?\s*")
_LINK = re.compile(
    r"(?:<-->|-->|---|-\.->|-\.-|==>)(?:\|(?P<piped>[^|]*)\|)?"
    r"|(?P<open><?--|-\.|==)\s*(?P<words>\"[^\"]*\"|.+?)\s*(?P<end>-->|---|\.->|\.-|==>)"
)
_MESSAGE = re.compile(r"\s*(\w+)\s*-?->>[+-]?\s*(\w+)\s*:\s*(.+)")
_PARTICIPANT = re.compile(r"\s*(?:participant|actor)\s+(\w+)(?:\s+as\s+(.+))?")
_ASIDE = re.compile(
    r"\s*(%%.*|subgraph\b.*|end|style\b.*|class\b.*|classDef\b.*|linkStyle\b.*|accTitle\b.*"
    r"|accDescr\b.*|rect\b.*|direction\b.*|)"
)


def arrows(diagram: str) -> list[str] | None:
    """The arrows of a diagram in words, "model -> tools (call a tool)"; None: it cannot be read.

    Args:
        diagram: mermaid's text, without the fence.
    """
    lines = [line.rstrip().rstrip(";") for line in diagram.splitlines()]
    lines = [line for line in lines if not _ASIDE.fullmatch(line)]
    if not lines:
        return None
    kind, *rest = lines
    if re.match(r"\s*(flowchart|graph)\b", kind):
        return _flow(rest)
    if re.match(r"\s*sequenceDiagram\b", kind):
        return _sequence(rest)
    return None


def _flow(lines: list[str]) -> list[str] | None:
    names: dict[str, str] = {}
    found: list[tuple[list[str], list[str], str, str]] = []
    for line in lines:
        ends, place = _nodes(line, 0, names)
        if not ends:
            return None
        while place < len(line):
            if not (link := _LINK.match(line, place)):
                return None
            targets, place = _nodes(line, link.end(), names)
            if not targets:
                return None
            words = _words(link["words"] or link["piped"] or "")
            found.append((ends, targets, words, _sign(link[0])))
            ends = targets
    return [
        _arrow(_all(ends, names), _all(targets, names), words, sign)
        for ends, targets, words, sign in found
    ]


def _nodes(line: str, place: int, names: dict[str, str]) -> tuple[list[str], int]:
    """The nodes from a place on, joined by `&`; their labels are noted."""
    found: list[str] = []
    while node := _NODE.match(line, place):
        found.append(node[1])
        if node[2]:
            names[node[1]] = _words(node[2].strip("[](){}"))
        place = node.end()
        if not line.startswith("&", place):
            break
        place += 1
    return found, place


def _sequence(lines: list[str]) -> list[str] | None:
    names: dict[str, str] = {}
    found = []
    for line in lines:
        if who := _PARTICIPANT.fullmatch(line):
            names[who[1]] = (who[2] or who[1]).strip()
        elif said := _MESSAGE.fullmatch(line):
            ends = (names.get(said[1], said[1]), names.get(said[2], said[2]))
            found.append(_arrow(*ends, said[3].strip()))
        else:
            return None
    return found


def _sign(link: str) -> str:
    """An arrow to the right, one to both sides, or a line without a direction."""
    if link.startswith("<"):
        return "\u2194"
    return "\u2192" if link.split("|")[0].endswith(">") else "\u2013"


def _arrow(source: str, target: str, words: str, sign: str = "\u2192") -> str:
    return f"{source} {sign} {target}" + (f" ({words})" if words else "")


def _all(ends: list[str], names: dict[str, str]) -> str:
    return ", ".join(names.get(end, end.strip("_")) for end in ends)


def _words(text: str) -> str:
    return re.sub(r"<br\s*/?>", " ", text.strip().strip('"')).strip()
