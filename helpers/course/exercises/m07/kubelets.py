"""What a container's probes do in each of the situations of exercise 07.2, as sentences."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
_MOST_TIMES = 30  # probes of an answer at which something begins
_JUST_AFTER_S = 0.01
_NAMES = {"startupProbe", "readinessProbe", "livenessProbe"}


@dataclass
class _Watched(LoadingService):
    """A service that notes when it is probed: what begins then, or just after, is the worst."""

    times: list[float] = field(default_factory=list, init=False)

    def listens(self, at: float) -> bool:
        self.times.append(at)
        return super().listens(at)


def container(text: object) -> dict[str, Any]:
    """The container of the exercise with these probes.

    Raises:
        ValueError: it is not YAML, or anything but three probes that the API server would accept.
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
    box = {"ports": [{"name": "http", "containerPort": 8000}], **probes}
    run(box, lambda start: LoadingService(), 0)  # reads them all, and runs none
    return box


def loading(text: object) -> list[str]:
    """What goes wrong while it loads."""
    box, found = container(text), list[str]()
    just_after = _just_after_probes(box, LOAD_S, LONGEST_LOAD_S, loads_s=math.inf)
    for seconds in (LOAD_S, LONGEST_LOAD_S, *(step / 2 for step in _STEPS), *just_after):
        events = _lived(box, [LoadingService(loads_s=seconds)], seconds + 60)
        told = f"it loads for {seconds:g} s"
        found += _restarts(told, events, seconds)
        begin = next((first for first, _ in ready_times(events)), math.inf)
        if begin < seconds:
            found.append(f"{told}: it gets requests after {begin:g} s")
        elif begin > seconds + READY_AFTER_S and not _stops(events):
            late = "never" if begin == math.inf else f"only {begin - seconds:.1f} s after that"
            found.append(f"{told}: it gets requests {late}")
    events = _lived(box, [LoadingService(loads_s=math.inf), LoadingService()], 900)
    ended = next((event.at for event in events if event.what == "ended"), math.inf)
    if ended > LOAD_ENDS_S:
        late = "never" if ended == math.inf else f"after {ended:g} s"
        found.append(f"loading hangs: the process is restarted {late}")
    return found


def kept(text: object) -> list[str]:
    """Which restarts there are while it is busy and while it pauses, also as soon as it loads."""
    box = container(text)
    # What gets requests is another question, and a restart does not depend on it.
    box.pop("readinessProbe", None)
    found = [f"there is no {name}" for name in ("startupProbe", "livenessProbe") if name not in box]
    for loads, is_busy in itertools.product((LOAD_S, LONGEST_LOAD_S), (True, False)):
        busy: list[Span] = [(loads, loads + BUSY_S)] if is_busy else []
        told = f"it loads for {loads} s" + (", is busy then" if is_busy else "")
        calm = _Watched(loads_s=loads, busy=busy)
        events = _lived(box, [calm], loads + BUSY_S + 60)
        if restarts := _restarts(told, events, None if is_busy else loads):
            found += restarts
            continue
        probed = [at for at in calm.times if at >= loads]
        for begin in sorted({float(loads), *probed[:_MOST_TIMES], *_STEPS[::2]}):
            pause = (begin, begin + PAUSE_S)
            service = LoadingService(loads_s=loads, busy=busy, pauses=[pause])
            events = _lived(box, [service], begin + 90)
            found += _restarts(f"{told}, pauses from {pause[0]:g} s to {pause[1]:g} s", events)
    return found


def requests(text: object) -> list[str]:
    """What goes wrong with the requests that it gets when it is busy, or says so once."""
    box, found = container(text), list[str]()
    box.pop("livenessProbe", None)  # restarts are another question
    just_after = _just_after_probes(box, LOAD_S + READY_AFTER_S, LOAD_S + 100)
    for begin in (LOAD_S, *_STEPS[::2], *just_after):
        end = begin + BUSY_S
        told = f"it is busy from {begin:g} s to {end:g} s"
        events = _lived(box, [LoadingService(busy=[(begin, end)])], end + 60)
        found += _restarts(told, events)
        if (late := _served(events, (begin + OUT_S, end))) is not None:
            found.append(f"{told}: {_gets(late - begin)}")
        if _served(events, (end + BACK_S, end + BACK_S + 1)) is None and not _stops(events):
            found.append(f"{told}: it gets no requests {BACK_S} s after that")
    for alone in ({2}, {3, 8}, {5, 9, 13}):
        events = _lived(box, [LoadingService(lone=frozenset(alone))], 400)
        times = ready_times(events, 400)
        if times and len(times) > 1:
            found.append(f"one 503 alone: it gets no requests from {times[0][1]:g} s on")
    return found


def hanging(text: object) -> list[str]:
    """What goes wrong when nothing is answered any more."""
    box, found = container(text), list[str]()
    first = LOAD_S + READY_AFTER_S + 0.5
    for only in ("readinessProbe", "livenessProbe"):
        alone = {name: one for name, one in box.items() if name in ("ports", "startupProbe", only)}
        for begin in _just_after_probes(alone, first, LOAD_S + 100):
            found += _hang(box, begin)
    for begin in (first, *_STEPS):
        found += _hang(box, begin)
    for begin in _STEPS[::4]:
        found += _hang(box, begin, busy=[(LOAD_S, BUSY_S)])
    return found


def _hang(box: Mapping[str, Any], begin: float, busy: Sequence[Span] = ()) -> Iterator[str]:
    told = f"it hangs at {begin:g} s" + (" while it is busy" if busy else "")
    lives = [LoadingService(hangs_at=begin, busy=busy), LoadingService()]
    events = _lived(box, lives, begin + 300)
    ended = next((event.at for event in events if event.what == "ended"), math.inf)
    if ended > begin + HANG_ENDS_S:
        late = "never" if ended == math.inf else f"{ended - begin:.1f} s later"
        yield f"{told}: the process is ended {late}"
    if (late_at := _served(events, (begin + OUT_S, min(ended, begin + 300)))) is not None:
        yield f"{told}: {_gets(late_at - begin)}"
    again = ended + LOAD_S + READY_AFTER_S
    if ended < math.inf and _served(events, (again, again + 1)) is None:
        yield f"{told}: the new process gets no requests {READY_AFTER_S} s after it has loaded"


def _gets(seconds: float) -> str:
    if seconds <= OUT_S:
        return f"it still gets requests {OUT_S} s after that"
    return f"it gets requests again, {seconds:.1f} s after that"


def _just_after_probes(
    box: Mapping[str, Any], since: float, until: float, *, loads_s: float = LOAD_S
) -> list[float]:
    """Some moments of a span, each just after a probe."""
    service = _Watched(loads_s=loads_s)
    _lived(box, [service], until)
    times = [at + _JUST_AFTER_S for at in service.times]
    return [at for at in times if since < at < until][:_MOST_TIMES]


def _lived(box: Mapping[str, Any], lives: list[LoadingService], seconds: float) -> list[Event]:
    """The events of a container whose starts have these lives, the last one again and again."""
    return run(box, lambda start: lives[min(start, len(lives) - 1)], seconds, grace=GRACE_S)


def _stops(events: list[Event]) -> list[Event]:
    return [event for event in events if event.what == "stopping"]


def _restarts(told: str, events: list[Event], loads: float | None = None) -> list[str]:
    """The first restart; with `loads`, and whether it came before or after so many seconds."""
    for one in _stops(events):
        when = "" if loads is None else _WHEN[one.at < loads]
        return [f"{told}: it is restarted{when} (at {one.at:g} s, {one.why})"]
    return []


_WHEN = {True: " while it loads", False: " after it has loaded"}


def _served(events: list[Event], span: Span) -> float | None:
    """The first moment of a span at which the container gets requests; None where it does not."""
    for first, last in ready_times(events):
        if first < span[1] and last > span[0]:
            return max(first, span[0])
    return None
