"""Tables, plots and progress bars of the course, in one style.

Everything is readable in the light and the dark theme, by a screen reader, and in a notebook that
nobody has run: a plot carries its own white card and a text that says what it shows, a table takes
its colours from the theme, and nothing is a live widget. A plot's title states the finding; compute
it from the figures that the plot shows.
"""

from helpers.course.show.bar import progress
from helpers.course.show.plots import Rate, axes, bars, intervals, line, scatter
from helpers.course.show.tables import table
from helpers.course.show.timeline import timeline
from helpers.course.show.traces import trace

__all__ = [
    "Rate",
    "axes",
    "bars",
    "intervals",
    "line",
    "progress",
    "scatter",
    "table",
    "timeline",
    "trace",
]
