"""Plots in one style: colour-blind-safe, labelled, with a text for those who cannot see them.

Every plot is drawn on a white card of its own, so that both themes show it the same way, and is
stored as one small image inside an HTML output, because that is where a notebook keeps the text
for screen readers. Series differ by marker and line as well as by colour (palette: Okabe and Ito,
https://jfly.uni-koeln.de/color/).
"""

import base64
import io
import itertools
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from helpers.course.show.output import Output, put

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

# Okabe and Ito's colours, without the yellow that a white card swallows.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo")

_WIDTH_IN = 7.0
_DOTS_PER_INCH = 200  # twice what the notebook shows, for sharp text on dense screens
_SHOWN_PER_INCH = 100
_MARK_SIZE = 8.5  # points
_COLOURS = 64  # of the stored image: a plot's few inks and the shades of their edges

# Any: matplotlib's own type is a literal of all its settings.
_STYLE: Any = {
    "font.size": 9.5,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.08,
    "text.parse_math": False,  # a dollar sign is a dollar sign
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": "#222222",
    "text.color": "#222222",
    "xtick.color": "#222222",
    "ytick.color": "#222222",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "figure.facecolor": "#ffffff",
    "axes.facecolor": "#ffffff",
}


class Rate(Protocol):
    """A share with its counts and interval, such as `helpers.evaluate` gives."""

    @property
    def successes(self) -> int:
        """How many."""

    @property
    def total(self) -> int:
        """Of how many."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end, 0 to 1; None where there is nothing to count."""


Counted = Rate | tuple[int, int]
Points = tuple[Sequence[float], Sequence[float]]


@contextmanager
def axes(*, title: str, x: str, y: str, alt: str, height: float = 3.4) -> Iterator["Axes"]:
    """Draw what the other functions do not: yields matplotlib axes and shows them at the end.

    Args:
        title: the finding, computed from the figures shown.
        x: label of the horizontal axis, with its unit.
        y: label of the vertical axis, with its unit; "" where its ticks are names.
        alt: what the plot shows, in words and figures, for those who cannot see it.
        height: inches, of 7 across.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        # Not through pyplot: nothing global, no second figure from the kernel's own backend.
        figure = Figure(figsize=(_WIDTH_IN, height), layout="constrained")
        plot = figure.add_subplot()
        yield plot
        figure.suptitle(_wrapped(title, 70), x=0.015, horizontalalignment="left")
        plot.set_xlabel(x)
        plot.set_ylabel(y)
        put(_rendered(figure, f"{title}. {alt}"))


def bars(
    values: Mapping[str, float] | Mapping[str, Mapping[str, float]],
    *,
    title: str,
    x: str,
    digits: int = 2,
) -> None:
    """Show one horizontal bar for each name, or a group of bars for each name.

    Args:
        values: name -> value, or series -> name -> value for groups (a name may miss in a series).
        title: the finding, computed from `values`.
        x: what the bars measure, with its unit.
        digits: decimals of the figure at each bar's end.
    """
    series = _series(values)
    names = names_of(series)
    alt = f"Bars of {x}. " + _spoken(
        {
            label: {name: f"{value:,.{digits}f}" for name, value in one.items()}
            for label, one in series.items()
        }
    )
    with axes(title=title, x=x, y="", alt=alt, height=_height(names, series)) as plot:
        plot.grid(axis="y", visible=False)
        thickness = 0.8 / len(series)
        for number, (label, one) in enumerate(series.items()):
            places = [names.index(name) + _offset(number, len(series), 0.8) for name in one]
            drawn = plot.barh(
                places,
                list(one.values()),
                height=thickness * 0.92,
                color=PALETTE[number % len(PALETTE)],
                hatch=HATCHES[number % len(HATCHES)],
                edgecolor="white",
                label=label,
            )
            plot.bar_label(drawn, fmt=f"{{:,.{digits}f}}", padding=4)
        plot.margins(x=0.12)
        _name_rows(plot, names)
        _legend(plot, series)


def intervals(
    rates: Mapping[str, Counted] | Mapping[str, Mapping[str, Counted]],
    *,
    title: str,
    x: str,
) -> None:
    """Show rates as points with their 95% intervals, each with its counts.

    Two intervals that overlap a good deal say: these counts do not tell the two apart.

    Args:
        rates: name -> rate, or series -> name -> rate. A rate is what `helpers.evaluate` gives, or
            the counts alone, (successes, total): then the interval is Wilson's, by scipy.
        title: the finding, computed from `rates`.
        x: what the rate is the share of, without a unit: the axis is in percent.
    """
    series = {
        label: {name: _counted(rate) for name, rate in one.items()}
        for label, one in _series(rates).items()
    }
    names = names_of(series)
    alt = f"Points with 95% intervals of {x} (%). " + _spoken(
        {label: {name: rate.spoken for name, rate in one.items()} for label, one in series.items()}
    )
    with axes(title=title, x=f"{x} (%)", y="", alt=alt, height=_height(names, series)) as plot:
        for number, (label, one) in enumerate(series.items()):
            for name, rate in one.items():
                place = names.index(name) + _offset(number, len(series), 0.7)
                _draw_rate(plot, rate, place, number, label if name == next(iter(one)) else None)
        plot.set_xlim(-1, 101)
        plot.set_xticks(range(0, 101, 20))
        _name_rows(plot, names)
        _legend(plot, series)


def line(
    series: Mapping[str, Points],
    *,
    title: str,
    x: str,
    y: str,
    marks: Mapping[str, float] | None = None,
) -> None:
    """Show one line for each series: name -> (x values, y values).

    Args:
        series: what to draw; up to four lines stay apart without their colours.
        title: the finding, computed from `series`.
        x: label of the horizontal axis, with its unit.
        y: label of the vertical axis, with its unit.
        marks: label -> x value, drawn as vertical lines: a threshold, the moment of a change.
    """
    alt = f"Lines of {y} over {x}. " + _ranges(series) + spoken_marks(marks, x)
    with axes(title=title, x=x, y=y, alt=alt) as plot:
        for number, (label, (xs, ys)) in enumerate(series.items()):
            plot.plot(
                xs,
                ys,
                color=PALETTE[number % len(PALETTE)],
                linestyle=LINES[number % len(LINES)],
                marker=MARKERS[number % len(MARKERS)] if len(xs) <= 25 else None,
                label=label,
            )
        _draw_marks(plot, marks)
        _legend(plot, series)


def scatter(
    series: Mapping[str, Points],
    *,
    title: str,
    x: str,
    y: str,
    marks: Mapping[str, float] | None = None,
) -> None:
    """Show points, one marker for each series: name -> (x values, y values). See `line`."""
    alt = f"Points of {y} against {x}. " + _ranges(series) + spoken_marks(marks, x)
    with axes(title=title, x=x, y=y, alt=alt) as plot:
        for number, (label, (xs, ys)) in enumerate(series.items()):
            plot.scatter(
                xs,
                ys,
                s=22,
                color=PALETTE[number % len(PALETTE)],
                marker=MARKERS[number % len(MARKERS)],
                alpha=0.75,
                label=label,
            )
        _draw_marks(plot, marks)
        _legend(plot, series)


# --- rates ---------------------------------------------------------------------------------------


class _Rate:
    """A rate in percent, ready to draw and to say."""

    def __init__(self, successes: int, total: int, interval: tuple[float, float] | None) -> None:
        self.counts = f"{successes} of {total}"
        self.point = 100 * successes / total if total else None
        self.low, self.high = (100 * interval[0], 100 * interval[1]) if interval else (0.0, 100.0)

    @property
    def spoken(self) -> str:
        if self.point is None:
            return "nothing to count"
        return f"{self.point:.0f}% ({self.low:.0f} to {self.high:.0f}%, {self.counts})"


def _counted(rate: Counted) -> _Rate:
    if not isinstance(rate, tuple):
        return _Rate(rate.successes, rate.total, rate.interval)
    successes, total = rate
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} of {total} is no rate")
    if not total:
        return _Rate(0, 0, None)
    from scipy.stats import binomtest

    found = binomtest(successes, total).proportion_ci(method="wilson")
    return _Rate(successes, total, (float(found.low), float(found.high)))


def _draw_rate(plot: "Axes", rate: _Rate, place: float, number: int, label: str | None) -> None:
    if rate.point is None:
        plot.annotate("nothing to count", (0, place), va="center", color="#555555")
        return
    plot.errorbar(
        [rate.point],
        [place],
        # Rounding may put an end a hair inside the point.
        xerr=[[max(0.0, rate.point - rate.low)], [max(0.0, rate.high - rate.point)]],
        fmt=MARKERS[number % len(MARKERS)],
        color=PALETTE[number % len(PALETTE)],
        capsize=3,
        label=label,
    )
    plot.annotate(
        f"{rate.point:.0f}%  {rate.counts}",
        (1.01, place),
        xycoords=plot.get_yaxis_transform(),
        va="center",
        fontsize=8.5,
        annotation_clip=False,
    )


# --- what the plots share ------------------------------------------------------------------------


def _series(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if not values:
        raise ValueError("nothing to plot: the mapping is empty")
    if all(isinstance(one, Mapping) for one in values.values()):
        return {str(label): dict(one) for label, one in values.items()}
    return {"": dict(values)}


def names_of(series: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of all series, in the order in which they first come."""
    return list(dict.fromkeys(itertools.chain.from_iterable(series.values())))


def _height(names: Sequence[str], series: Mapping[str, Any]) -> float:
    rows = len(names) * max(1.0, 0.62 * len(series))
    legend = 0.3 if len(series) > 1 else 0.0
    return 1.1 + 0.36 * rows + legend


def _offset(number: int, count: int, span: float) -> float:
    """Where the number-th of `count` series stands beside the middle of its row."""
    return (number - (count - 1) / 2) * span / count


def _name_rows(plot: "Axes", names: Sequence[str]) -> None:
    plot.set_yticks(range(len(names)), [_wrapped(name, 28) for name in names])
    plot.set_ylim(len(names) - 0.5, -0.5)  # the first name on top


def _legend(plot: "Axes", series: Mapping[str, Any]) -> None:
    if len(series) > 1:
        fitting = 80 // (max(map(len, series)) + 6)  # labels of that many characters in one row
        plot.figure.legend(loc="outside lower center", ncols=max(1, min(len(series), fitting)))


def _draw_marks(plot: "Axes", marks: Mapping[str, float] | None) -> None:
    for place in (marks or {}).values():  # all first: each of them may move the limits
        plot.axvline(place, color="#555555", linestyle=(0, (2, 2)), linewidth=1.2)
    low, high = plot.get_xlim()
    taken: list[Bbox] = []
    for label, place in (marks or {}).items():
        left = place > low + 0.6 * (high - low)  # the label is on the side with more room
        text = plot.annotate(
            label,
            (place, 1.0),
            xycoords=plot.get_xaxis_transform(),
            xytext=(-3 if left else 3, -2),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize=_MARK_SIZE,
        )
        while any(text.get_window_extent().overlaps(other) for other in taken):
            across, down = text.xyann
            text.xyann = (across, down - _MARK_SIZE - 2.5)
        taken.append(text.get_window_extent())


def _spoken(series: Mapping[str, Mapping[str, str]]) -> str:
    parts = []
    for label, one in series.items():
        said = ", ".join(f"{name}: {value}" for name, value in one.items())
        parts.append(f"{label}: {said}." if label else f"{said}.")
    return " ".join(parts)


def _ranges(series: Mapping[str, Points]) -> str:
    if not series:
        raise ValueError("nothing to plot: the mapping is empty")
    parts = []
    for label, (xs, ys) in series.items():
        if len(xs) != len(ys):
            raise ValueError(f"{label} has {len(xs)} x values and {len(ys)} y values")
        if not len(xs):
            parts.append(f"{label}: no points.")
            continue
        parts.append(
            f"{label}: {len(xs)} points, from {ys[0]:.3g} at {xs[0]:.3g} to {ys[-1]:.3g} at "
            f"{xs[-1]:.3g}, between {min(ys):.3g} and {max(ys):.3g}."
        )
    return " ".join(parts)


def spoken_marks(marks: Mapping[str, float] | None, x: str) -> str:
    """The vertical lines of a plot, for those who do not see it."""
    return "".join(f" {label} at {place:.3g} ({x})." for label, place in (marks or {}).items())


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width))


def _rendered(figure: "Figure", alt: str) -> Output:
    from PIL import Image

    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    with Image.open(raw) as drawn:
        small = drawn.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        packed = io.BytesIO()
        small.save(packed, format="png", optimize=True)
        width = round(drawn.width * _SHOWN_PER_INCH / _DOTS_PER_INCH)
    data = base64.b64encode(packed.getvalue()).decode("ascii")
    html = (
        f'<img alt="{escape(alt, quote=True)}" width="{width}" src="data:image/png;base64,{data}">'
    )
    return Output(html, f"[Plot] {alt}")
