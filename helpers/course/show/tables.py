"""Tables: HTML that takes every colour from the notebook's theme, and aligned plain text."""

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from helpers.course.show.output import Output, put

_WIDEST_TEXT = 72  # characters of a cell in the plain-text table; notebooks wrap by themselves


def table(
    rows: Any,
    *,
    caption: str,
    units: Mapping[str, str] | None = None,
    digits: int | Mapping[str, int] = 2,
) -> None:
    """Show a table.

    Args:
        rows: a sequence of mappings (one a row; the first row's keys are the columns), or a pandas
            DataFrame, whose index is shown when it has names instead of numbers.
        caption: what the table says, above it.
        units: column -> unit, written in brackets after the column's name: {"latency": "ms"}.
        digits: decimals of fractional numbers, for all columns or column by column. Whole numbers
            get thousands separators; None and NaN show as a dash; text is shown as it is.

    Raises:
        ValueError: `units` or `digits` name a column that is not there, or a row has other columns.
    """
    put(render(rows, caption=caption, units=units, digits=digits))


def render(
    rows: Any,
    *,
    caption: str,
    units: Mapping[str, str] | None = None,
    digits: int | Mapping[str, int] = 2,
) -> Output:
    """What `table` shows, without showing it."""
    columns, records = _records(rows)
    units = units or {}
    by_column = digits if isinstance(digits, Mapping) else dict.fromkeys(columns, digits)
    for option in (units, by_column):
        if unknown := [name for name in option if name not in columns]:
            raise ValueError(
                f"no column {unknown[0]!r} in this table; its columns are {', '.join(columns)}"
            )
    headings = [f"{name} ({units[name]})" if name in units else name for name in columns]
    numeric = [
        all(_is_number(row[i]) or _is_missing(row[i]) for row in records) and bool(records)
        for i in range(len(columns))
    ]
    cells = [
        [_format(value, by_column.get(name, 2)) for name, value in zip(columns, row, strict=True)]
        for row in records
    ]
    return Output(
        _html(headings, cells, numeric, caption), _text(headings, cells, numeric, caption)
    )


def _records(rows: Any) -> tuple[list[str], list[list[Any]]]:
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):  # a DataFrame, without importing it
        return _frame(rows)
    listed: Sequence[Mapping[str, Any]] = list(rows)
    if not listed:
        return [], []
    columns = list(listed[0])
    for number, row in enumerate(listed, start=1):
        if list(row) != columns:
            raise ValueError(
                f"row {number} has the columns {', '.join(map(str, row))}; the first row has "
                f"{', '.join(columns)}. Give every row the same ones, with None for a gap."
            )
    return columns, [list(row.values()) for row in listed]


def _frame(frame: Any) -> tuple[list[str], list[list[Any]]]:
    named = any(name is not None for name in frame.index.names) or not all(
        isinstance(label, numbers.Integral) for label in frame.index
    )
    if named:
        frame = frame.reset_index(names=[name or "" for name in frame.index.names])
    columns = [
        " ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns
    ]
    return columns, [list(row) for row in frame.itertuples(index=False, name=None)]


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, numbers.Real) and math.isnan(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _format(value: Any, digits: int) -> str:
    if _is_missing(value):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{int(value):,}"
    if isinstance(value, numbers.Real):
        return f"{float(value):,.{digits}f}"
    return str(value)


def _html(
    headings: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], caption: str
) -> str:
    # Only alignment is set: colours, borders and stripes come from the theme's own table style.
    align = ["right" if number else "left" for number in numeric]

    def line(kind: str, values: Iterable[str]) -> str:
        cell = "".join(
            f'<{kind} style="text-align: {side}">{_multiline(value)}</{kind[:2]}>'
            for value, side in zip(values, align, strict=True)
        )
        return f"<tr>{cell}</tr>"

    body = "\n".join(line("td", row) for row in cells)
    head = line('th scope="col"', headings)
    title = f'<caption style="text-align: left">{escape(caption)}</caption>'
    return (  # mathjax_ignore: two dollar signs in a cell are no formula
        f'<table class="mathjax_ignore">\n{title}\n'
        f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _multiline(value: str) -> str:
    return escape(value).replace("\n", "<br>")


def _text(
    headings: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], caption: str
) -> str:
    grid = [[_clip(value) for value in row] for row in [headings, *cells]]
    widths = [max(len(row[i]) for row in grid) for i in range(len(headings))]
    lines = [
        "  ".join(
            value.rjust(width) if number else value.ljust(width)
            for value, width, number in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in grid
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([caption, lines[0], rule, *lines[1:]])


def _clip(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= _WIDEST_TEXT else value[: _WIDEST_TEXT - 3] + "..."
