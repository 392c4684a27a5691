"""A progress bar that leaves one plain line behind."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from helpers.course.show.output import Output, in_notebook

T = TypeVar("T")

_REFRESH_S = 0.25


def progress(
    iterable: Iterable[T], label: str = "Working", *, total: int | None = None
) -> Iterator[T]:
    """Pass the items on, showing how many are done and about how long the rest takes.

    In a notebook the bar is an ordinary output that is replaced in place, so what is stored is one
    line ("Asking: 80 of 80"), never a widget. In a terminal it is tqdm's bar; where standard error
    is no terminal, nothing is shown.

    Args:
        iterable: what to work through.
        label: what is being done, in a word or two.
        total: how many items there are, where `len(iterable)` does not say.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    if in_notebook():
        return _in_notebook(iterable, label, total)
    from tqdm.std import tqdm

    return iter(tqdm(iterable, desc=label, total=total, disable=None, leave=False, file=sys.stderr))


def _in_notebook(iterable: Iterable[T], label: str, total: int | None) -> Iterator[T]:
    from IPython.display import DisplayHandle

    handle = DisplayHandle()  # type: ignore[no-untyped-call]
    started = shown = time.monotonic()
    done = 0
    handle.display(_state(label, 0, total, 0.0).bundle(), raw=True)  # type: ignore[no-untyped-call]
    try:
        for item in iterable:
            yield item
            done += 1
            now = time.monotonic()
            if now - shown >= _REFRESH_S:
                shown = now
                state = _state(label, done, total, now - started)
                handle.update(state.bundle(), raw=True)  # type: ignore[no-untyped-call]
    finally:  # also when the loop ends early: the line then says how far it came
        last = f"{label}: {_count(done, total)}"
        handle.update({"text/plain": last}, raw=True)  # type: ignore[no-untyped-call]


def _state(label: str, done: int, total: int | None, elapsed_s: float) -> Output:
    """One state of the bar: a native progress element, which themes and screen readers know."""
    from html import escape

    text = f"{label}: {_count(done, total)}"
    if total and done:
        text += f", about {_duration(elapsed_s / done * (total - done))} left"
    size = f'value="{done}" max="{total}"' if total else ""
    name = escape(label, quote=True)
    return Output(f'<progress {size} aria-label="{name}"></progress> {escape(text)}', text)


def _count(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,} of {total:,}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
