"""The limits of the style page, as data: what a walkthrough may measure."""

from collections.abc import Callable
from dataclasses import dataclass

from helpers.authoring.style import Style


@dataclass(frozen=True)
class Limit:
    """One measure, from which value and up to which it is fine, and how it is written."""

    name: str
    of: Callable[[Style], float]
    least: float | None = None
    most: float | None = None
    form: str = "{:.0f}"

    def broken(self, style: Style) -> str:
        """Nothing where the limit holds, else "low" or "high"."""
        value = self.of(style)
        if self.least is not None and value < self.least:
            return "low"
        return "high" if self.most is not None and value > self.most else ""

    @property
    def allowed(self) -> str:
        """The limit in few signs, such as "30-70" or ">=60%"."""
        low, high = (None if v is None else self.form.format(v) for v in (self.least, self.most))
        if low is not None and high is not None:
            return f"{low}-{high}"
        if low is not None:
            return f">={low}"
        return "" if high is None else f"<={high}"


def _cells(least: int, most: int | None) -> Limit:
    return Limit("cells", lambda style: style.cells, least, most)


def _lines(at_median: float, at_p90: int) -> tuple[Limit, ...]:
    return (
        Limit("median lines", lambda style: style.lines_median, most=at_median, form="{:g}"),
        Limit("p90 lines", lambda style: style.lines_p90, most=at_p90),
        Limit("most lines", lambda style: style.lines_max, most=25),
    )


def _text_to_code(most: float) -> Limit:
    return Limit("text/code", lambda style: style.text_to_code, 0.75, most, "{:.2f}")


_DENSITY = (
    Limit("nodes/line", lambda style: style.nodes_per_line, most=8.5, form="{:.1f}"),
    Limit("comprehensions", lambda style: style.comprehensions_per_cell, most=0.3, form="{:.2f}"),
)

REBUILT: tuple[Limit, ...] = (
    _cells(30, 70),
    _text_to_code(1.5),
    *_lines(6, 18),
    *_DENSITY,
    Limit("words/text", lambda style: style.words_per_text_cell, most=55),
    Limit("field", lambda style: style.field, least=0.6, form="{:.0%}"),
    Limit("house only", lambda style: style.house_only, most=0.3, form="{:.0%}"),
    Limit("house names", lambda style: style.house_names, most=15),
)
"""The style page's own, shown above each table; what each module keeps is in `limits_of`."""

WHOLE: tuple[Limit, ...] = (
    _cells(30, 130),
    _text_to_code(1.5),
    *_lines(10, 18),
    Limit("nodes/line", lambda style: style.nodes_per_line, most=9.5, form="{:.1f}"),
    *REBUILT[6:],
)
"""For 01 to 10, which build a whole agent (01), its evaluation from golden set to gate (02), guards
and policy (03, 04), a service (05), the same on a cluster (06), image and manifests (07), metrics,
rules and detectors (08), traces and experiments (09), meter, cache, tiers and budget (10), most of
it as a program: a function with its types and docstring, or an object of Kubernetes, to a cell.
Fewer cells were longer ones, and shorter ones denser."""

SITTINGS: tuple[Limit, ...] = (_cells(30, 190), *WHOLE[1:])
"""For 11, which covers seven headings of the chapter in three sittings that can be read apart: as
many cells as the style page allows for three walkthroughs, each no longer than elsewhere."""

SHORT: tuple[Limit, ...] = (_cells(10, 50), *_lines(6, 18), *_DENSITY)
"""For 00, which takes ten minutes and is about the course itself, and 12, which asks questions."""


def limits_of(module: str) -> tuple[Limit, ...]:
    """The limits that the style page sets for a walkthrough."""
    if module in ("00", "12"):
        return SHORT
    return SITTINGS if module == "11" else WHOLE


def breaks(style: Style, limits: tuple[Limit, ...]) -> list[str]:
    """The limits that do not hold, such as "field is 15% (>=60%)"."""
    return [
        f"{limit.name} is {limit.form.format(limit.of(style))} ({limit.allowed})"
        for limit in limits
        if limit.broken(style)
    ]
