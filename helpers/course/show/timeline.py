"""A timeline: what happened to each of many at which time."""

from collections.abc import Mapping

from helpers.course.show.plots import HATCHES, PALETTE, axes, names_of, spoken_marks

_ROW_IN = 0.17
_NAMED_ROWS = 16  # more names than that do not fit beside their rows


def timeline(
    spans: Mapping[str, Mapping[str, tuple[float, float]]],
    *,
    title: str,
    x: str,
    marks: Mapping[str, float] | None = None,
) -> None:
    """Show a row for each name, with a bar for each phase that it went through.

    Args:
        spans: phase -> name -> (start, end), such as {"waits": {"client 1": (0.0, 0.4)}, "reads":
            {"client 1": (0.4, 1.2)}}. A name may miss in a phase; rows are in the order in which
            names first come.
        title: the finding, computed from `spans`.
        x: label of the horizontal axis, with its unit.
        marks: label -> x value, drawn as vertical lines: the moment of a change.

    Raises:
        ValueError: there is nothing to show, or a span ends before it starts.
    """
    names = names_of(spans)
    if not names:
        raise ValueError("nothing to plot: no phase has a name")
    for phase, rows in spans.items():
        if backwards := [name for name, (start, end) in rows.items() if end < start]:
            raise ValueError(f"{phase} of {backwards[0]} ends before it starts")
    height = 1.3 + _ROW_IN * len(names) + 0.25 * (len(spans) > 1)
    alt = f"A row for each of {len(names)}. " + " ".join(
        _spoken(phase, rows) for phase, rows in spans.items() if rows
    )
    alt += spoken_marks(marks, x)
    with axes(title=title, x=x, y="", alt=alt, height=height) as plot:
        plot.grid(axis="y", visible=False)
        for number, (phase, rows) in enumerate(spans.items()):
            plot.barh(
                [names.index(name) for name in rows],
                [end - start for start, end in rows.values()],
                left=[start for start, _ in rows.values()],
                height=0.8,
                color=PALETTE[number % len(PALETTE)],
                hatch=HATCHES[number % len(HATCHES)] * 2,
                edgecolor="white",
                linewidth=0.4,
                label=phase,
            )
        for label, place in (marks or {}).items():
            plot.axvline(place, color="#555555", linestyle=(0, (2, 2)), linewidth=1.2)
            plot.annotate(
                label,
                (place, 1.0),
                xycoords=plot.get_xaxis_transform(),
                xytext=(3, 2),
                textcoords="offset points",
                fontsize=8.5,
            )
        every = 1 if len(names) <= _NAMED_ROWS else 4
        plot.set_yticks(range(0, len(names), every), names[::every])
        plot.set_ylim(len(names) - 0.4, -0.6)
        plot.figure.legend(loc="outside lower center", ncols=max(1, len(spans)))


def _spoken(phase: str, rows: Mapping[str, tuple[float, float]]) -> str:
    lengths = [end - start for start, end in rows.values()]
    return f"{phase}: {len(rows)} bars of {min(lengths):.3g} to {max(lengths):.3g}."
