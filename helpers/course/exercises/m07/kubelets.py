"""What a container's probes do in each of the situations of exercise 07.2, as sentences."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from helpers.course.exercises.words import kind
from helpers.testbed.kubelet import Event, ready_times, run
from helpers.testbed.pods import LoadingService, Span

LONGEST_LOAD_S, LOAD_S = 45, 20
READY_AFTER_S, OUT_S, BACK_S = 5, 10, 10
HANG_ENDS_S, LOAD_ENDS_S, PAUSE_S = 45, 120, 8
BUSY_S = 600
GRACE_S = 60
_STEPS = [60 + 0.47 * step for step in range(40)]
"""Moments of a probe's period, whatever it is, at which something begins."""
_NAMES = {"startupProbe", "readinessProbe", "livenessProbe"}


def container(text: object) -> dict[str, Any]:
    """The container of the exercise with these probes.

    Raises:
        ValueError: it is not YAML, or it is anything but the three probes.
    """
    if not isinstance(text, str):
        raise ValueError(f"PROBES must be a text, in YAML; this is {kind(text)}.")
    try:
        probes = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f"line {place.line + 1} of " if place else ""
        raise ValueError(f"{line}PROBES is not YAML: {getattr(error, 'problem', error)}.") from None
    if not isinstance(probes, Mapping):
        raise ValueError(f"PROBES must have names and values; it is {kind(probes)}.")
    if strange := sorted(map(str, probes.keys() - _NAMES)):
        raise ValueError(f"PROBES has {strange[0]}; it may have {', '.join(sorted(_NAMES))}.")
    return {"ports": [{"name": "http", "containerPort": 8000}], **probes}


def loading(text: object) -> list[str]:
    """What goes wrong while it loads."""
    box, found = container(text), list[str]()
    for seconds in (LOAD_S, LONGEST_LOAD_S, *(step / 2 for step in _STEPS)):
        events = _lived(box, [LoadingService(loads_s=seconds)], seconds + 60)
        found += _restarts(f"it loads for {seconds:g} s", events)
        begin = next((first for first, _ in ready_times(events)), math.inf)
        if begin < seconds:
            found.append(f"it loads for {seconds:g} s: it gets requests after {begin:g} s")
        elif begin > seconds + READY_AFTER_S and not _stops(events):
            late = "never" if begin == math.inf else f"{begin - seconds:.1f} s later"
            found.append(f"it loads for {seconds:g} s: it gets requests {late}")
    events = _lived(box, [LoadingService(loads_s=math.inf), LoadingService()], 900)
    ended = next((event.at for event in events if event.what == "ended"), math.inf)
    if ended > LOAD_ENDS_S:
        late = "never" if ended == math.inf else f"after {ended:g} s"
        found.append(f"loading hangs: the process is restarted {late}")
    return found


def busy(text: object) -> list[str]:
    """What goes wrong while it is busy, or says so once."""
    box, found = container(text), list[str]()
    for begin in (LOAD_S, *_STEPS[::2]):
        end = begin + BUSY_S
        told = f"it is busy from {begin:g} s to {end:g} s"
        events = _lived(box, [LoadingService(busy=[(begin, end)])], end + 60)
        found += _restarts(told, events)
        if (late := _served(events, (begin + OUT_S, end))) is not None:
            found.append(f"{told}: it gets requests at {late:g} s")
        if _served(events, (end + BACK_S, end + BACK_S + 1)) is None and not _stops(events):
            found.append(f"{told}: it gets no requests {BACK_S} s after that")
    for alone in ({2}, {3, 8}, {5, 9, 13}):
        events = _lived(box, [LoadingService(lone=frozenset(alone))], 400)
        times = ready_times(events, 400)
        if times and len(times) > 1:
            found.append(f"one 503 alone: it gets no requests from {times[0][1]:g} s on")
    return found


def standing_still(text: object) -> list[str]:
    """What goes wrong when nothing is answered, for a moment or for good."""
    box, found = container(text), list[str]()
    for begin in (LOAD_S, *_STEPS):
        pause = [(float(begin), float(begin + PAUSE_S))]
        events = _lived(box, [LoadingService(pauses=pause)], begin + 120)
        found += _restarts(f"it pauses at {begin:g} s, for {PAUSE_S} s", events)
    for begin in (LOAD_S + READY_AFTER_S + 0.5, *_STEPS):
        found += _hang(box, begin)
    return found


def _hang(box: Mapping[str, Any], begin: float) -> Iterator[str]:
    told = f"it hangs at {begin:g} s"
    events = _lived(box, [LoadingService(hangs_at=begin), LoadingService()], begin + 300)
    ended = next((event.at for event in events if event.what == "ended"), math.inf)
    if ended > begin + HANG_ENDS_S:
        late = "never" if ended == math.inf else f"{ended - begin:.1f} s later"
        yield f"{told}: the process is ended {late}"
    if (late_at := _served(events, (begin + OUT_S, min(ended, begin + 300)))) is not None:
        yield f"{told}: it gets requests {late_at - begin:.1f} s later"
    again = ended + LOAD_S + READY_AFTER_S
    if ended < math.inf and _served(events, (again, again + 1)) is None:
        yield f"{told}: the new process gets no requests {READY_AFTER_S} s after it has loaded"


def _lived(box: Mapping[str, Any], lives: list[LoadingService], seconds: float) -> list[Event]:
    """The events of a container whose starts have these lives, the last one again and again."""
    return run(box, lambda start: lives[min(start, len(lives) - 1)], seconds, grace=GRACE_S)


def _stops(events: list[Event]) -> list[Event]:
    return [event for event in events if event.what == "stopping"]


def _restarts(told: str, events: list[Event]) -> list[str]:
    return [f"{told}: it is restarted at {one.at:g} s, {one.why}" for one in _stops(events)[:1]]


def _served(events: list[Event], span: Span) -> float | None:
    """The first moment of a span at which the container gets requests; None where it does not."""
    for first, last in ready_times(events):
        if first < span[1] and last > span[0]:
            return max(first, span[0])
    return None
