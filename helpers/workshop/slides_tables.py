"""How much of a slide a table takes, and the table with the rows that fit.

No browser lays it out here, so heights are estimates: columns get the widths that a browser's
automatic layout would give them, counted in letters.
"""

import math
import re
from collections.abc import Sequence
from html import unescape

WHOLE, HALF = 104, 46  # letters of a table in one line, of a slide and of a half of it
ROWS = 10  # of a table at most; a slide is no page


def breakable(html: str) -> str:
    """A table whose long names may be broken after an underscore: one must not fill the slide."""

    def broken(found: re.Match[str]) -> str:
        return found[0].replace("_", "_<wbr>")

    long_name = r"\b\w{24,}\b"
    return re.sub(r"(?<=>)[^<]+", lambda text: re.sub(long_name, broken, text[0]), html)


def fits_half(html: str) -> bool:
    """Whether a table's columns have room in a half of a slide, its words unbroken."""
    least = [max(_longest_word(cell) for cell in column) for column in _columns(html)]
    return sum(least) + _gaps(least) <= HALF


def shortened(html: str, letters: int, room: int) -> str:
    """A table with its first rows, and a line that says how many there are more.

    Args:
        letters: the width that it has.
        room: the lines that it may take.
    """
    rows = [row for row in re.finditer(r"<tr>.*?</tr>", html, re.DOTALL) if "<td" in row[0]]
    for shown in range(min(ROWS, len(rows)), 0, -1):
        left = len(rows) - shown
        more = f'<tr><td colspan="9">and {left} more rows in the notebook</td></tr>' if left else ""
        short = html[: rows[shown - 1].end()] + more + html[rows[-1].end() :]
        if shown + bool(left) <= ROWS and lines_of(short, letters) <= room:
            break
    return short if rows else html


def lines_of(html: str, letters: int) -> float:
    """About how many lines of text a table is as high as, with its caption."""
    caption = re.search(r"<caption.*?</caption>", html, re.DOTALL)
    rows = [_cells(row) for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL)]
    widths = _widths(_columns(html), letters)
    wide = sum(widths) + _gaps(widths)  # a caption is as wide as its table, and bold
    above = math.ceil(1.1 * len(_words(caption[0])) / wide) if caption and wide else 0
    return above + sum(_height(row, widths) for row in rows)


def _columns(html: str) -> list[tuple[str, ...]]:
    rows = [_cells(row) for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL)]
    wide = max(map(len, rows), default=0)
    return list(zip(*(row for row in rows if len(row) == wide), strict=True))


def _cells(row: str) -> list[str]:
    return [_words(cell) for cell in re.findall(r"<t[dh]\b.*?</t[dh]>", row, re.DOTALL)]


def _words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html.replace("<wbr>", "\u200b"))).strip()


def _longest_word(text: str) -> int:
    return max(map(len, re.split(r"[\s\u200b-]", text)))


def _gaps(columns: Sequence[object]) -> float:
    return 1.8 * len(columns)


def _widths(columns: Sequence[tuple[str, ...]], letters: int) -> list[float]:
    """Each column's letters: its longest word, and a share of what is left."""
    least = [max(_longest_word(cell) for cell in column) for column in columns]
    most = [max(map(len, column)) for column in columns]
    left = max(0, letters - _gaps(columns) - sum(least))
    wanted = sum(most) - sum(least)
    share = min(1, left / wanted) if wanted else 0
    return [max(1, low + share * (high - low)) for low, high in zip(least, most, strict=True)]


def _height(cells: Sequence[str], widths: Sequence[float]) -> float:
    lines = [math.ceil(len(cell) / width) for cell, width in zip(cells, widths, strict=False)]
    return 1 + (max(lines, default=1) - 1) * 0.85  # the space between two rows counts once
