"""One trace: its tree of runs, and when each of them ran.

The bars are drawn with characters, so that they look the same in a terminal, in both themes, and in
a notebook that nobody has trusted yet; people who cannot see them read the columns beside them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from helpers.course.show.output import Output, put

NO_PRICE = "no price"

_WIDTH = 36  # characters of the time axis
_MOST = 200  # rows
_LONGEST_NAME = 44


def trace(run: Any, *, caption: str | None = None) -> None:
    """Show a trace as a tree with a waterfall: what ran when, how long, at what cost.

    Args:
        run: a run of the langsmith SDK with its children loaded, such as
            `client.read_run(run_id, load_child_runs=True)`; or all runs of one trace in a list, as
            `client.list_runs(trace_id=...)` gives them. Mappings with the same keys will do.
        caption: what the trace shows; by default the number of its runs and its duration.

    Raises:
        ValueError: there is no run, or a run has no start.
    """
    put(render(run, caption=caption))


def render(run: Any, *, caption: str | None = None) -> Output:
    """What `trace` shows, without showing it."""
    roots = _tree(run)
    steps = [step for root in roots for step in _walk(root, 0)]
    start = min(step.node.start for step in steps)
    end = max(step.node.end or step.node.start for step in steps)
    whole = max((end - start).total_seconds(), 1e-6)
    rows = [_row(step, start, whole) for step in steps[:_MOST]]
    if caption is None:
        count = len(steps)
        runs = "run" if count == 1 else "runs"
        caption = f"A trace of {count:,} {runs}, {_duration((end - start).total_seconds())}"
    if len(steps) > _MOST:
        caption += f" (the first {_MOST} are shown)"
    return Output(_html(rows, caption), _text(rows, caption))


@dataclass
class _Node:
    id: str
    parent: str | None
    name: str
    kind: str
    start: datetime
    end: datetime | None
    status: str
    tokens: int | None
    cost: float | None
    order: str
    children: list["_Node"] = field(default_factory=list)

    def without_price(self) -> int:
        """How many model runs, here and below, have no price."""
        own = int(self.kind == "llm" and self.cost is None and self.status == "success")
        return own + sum(child.without_price() for child in self.children)

    def has_model(self) -> bool:
        """Whether a model runs here or below."""
        return self.kind == "llm" or any(child.has_model() for child in self.children)


@dataclass(frozen=True)
class _Step:
    node: _Node
    depth: int


_Row = tuple[str, str, str, str, str, str, str, str]
_HEADINGS: _Row = ("Run", "Type", "When", "Starts", "Takes", "Tokens", "Cost", "Status")
_NUMBERS = (3, 4, 5, 6)


def _tree(run: Any) -> list[_Node]:
    """The roots of what was given, with everything below them."""
    if isinstance(run, Mapping) or hasattr(run, "run_type"):
        return [_nested(run)]
    given = list(run) if isinstance(run, Iterable) else []
    if not given:
        raise ValueError("There is no run to show: give a run, or the runs of one trace.")
    nodes = {node.id: node for node in map(_node, given)}
    roots: list[_Node] = []
    for node in nodes.values():
        above = nodes.get(node.parent or "")
        (above.children if above else roots).append(node)
    for node in nodes.values():
        node.children.sort(key=_place)
    return sorted(roots, key=_place)


def _nested(run: Any) -> _Node:
    node = _node(run)
    node.children = sorted(map(_nested, _get(run, "child_runs") or ()), key=_place)
    return node


def _node(run: Any) -> _Node:
    start = _get(run, "start_time")
    if start is None:
        raise ValueError("A run has no start_time: select it when you query the runs.")
    above = _get(run, "parent_run_ids")
    parent = _get(run, "parent_run_id") or (above[-1] if above else None)
    end, error = _moment(_get(run, "end_time")), _get(run, "error")
    status = _get(run, "status") or ("error" if error else "success" if end else "pending")
    cost = _get(run, "total_cost")
    return _Node(
        id=str(_get(run, "id")),
        parent=str(parent) if parent else None,
        name=str(_get(run, "name") or "(no name)"),
        kind=str(_get(run, "run_type") or "").lower(),
        start=_moment(start) or datetime.min,
        end=end,
        status=str(status).lower(),
        tokens=_get(run, "total_tokens"),
        cost=None if cost is None else float(cost),
        order=str(_get(run, "dotted_order") or ""),
    )


def _get(run: Any, name: str) -> Any:
    return run.get(name) if isinstance(run, Mapping) else getattr(run, name, None)


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _place(node: _Node) -> tuple[datetime, str]:
    return node.start, node.order


def _walk(node: _Node, depth: int) -> Iterable[_Step]:
    yield _Step(node, depth)
    for child in node.children:
        yield from _walk(child, depth + 1)


def _row(step: _Step, start: datetime, whole: float) -> _Row:
    node = step.node
    begins = (node.start - start).total_seconds()
    takes = None if node.end is None else (node.end - node.start).total_seconds()
    left = min(round(_WIDTH * begins / whole), _WIDTH - 1)
    # Never empty: a run that is too short to see did run. One that has not ended runs to the edge.
    length = max(round(_WIDTH * takes / whole), 1) if takes is not None else _WIDTH
    bar = " " * left + "█" * min(length, _WIDTH - left)
    name = " ".join(node.name.split())
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - 3] + "..."
    return (
        "  " * step.depth + name,
        node.kind,
        bar.ljust(_WIDTH),
        _duration(begins),
        "-" if takes is None else _duration(takes),
        f"{node.tokens:,}" if node.tokens is not None and node.has_model() else "",
        _cost(node),
        node.status,
    )


def _cost(node: _Node) -> str:
    if not node.has_model() and not node.cost:
        return ""
    missing = node.without_price()
    if node.cost is None:
        return NO_PRICE if missing else "-"
    amount = (
        "$0" if node.cost == 0 else f"${float(f'{node.cost:.3g}'):.10f}".rstrip("0").rstrip(".")
    )
    return f"{amount} + {missing} {NO_PRICE}" if missing else amount


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _html(rows: list[_Row], caption: str) -> str:
    def cells(kind: str, row: _Row) -> str:
        found = []
        for place, value in enumerate(row):
            side = "right" if place in _NUMBERS else "left"
            shown = escape(value.rstrip() if place != 2 else value)
            if place == 0:
                indent = len(value) - len(value.lstrip())
                shown = "&nbsp;" * 2 * indent + escape(value.strip())
            if place == 2 and kind == "td":
                # Its meaning is in the two columns that follow.
                shown = f'<code aria-hidden="true">{shown.replace(" ", "&nbsp;")}</code>'
            found.append(f'<{kind} style="text-align: {side}">{shown}</{kind[:2]}>')
        return f"<tr>{''.join(found)}</tr>"

    body = "\n".join(cells("td", row) for row in rows)
    head = cells('th scope="col"', _HEADINGS)
    title = f'<caption style="text-align: left">{escape(caption)}</caption>'
    return (  # mathjax_ignore: two dollar signs in a cell are no formula
        f'<table class="mathjax_ignore">\n{title}\n'
        f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _text(rows: list[_Row], caption: str) -> str:
    grid = [_HEADINGS, *rows]
    widths = [max(len(row[place]) for row in grid) for place in range(len(_HEADINGS))]
    lines = [
        "  ".join(
            value.rjust(width) if place in _NUMBERS else value.ljust(width)
            for place, (value, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in grid
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([caption, lines[0], rule, *lines[1:]])
