"""`course cost --live URL`: what a running service spends, and a word when that changes.

Three comparisons with the hour before, each on counts that are large enough:

price    the dollars of a token over the last 5 minutes, against the median of the 5-minute windows
         before: 1.5 times as much, or as little.
length   the tokens of an answer over the last 15 minutes, likewise: twice as many.
rate     the dollars of a minute in each of the last three windows of 4 minutes, against the mean
         of the hour before: 6 times as much. A mailing's burst is over by the third window; a
         client in a loop, or a flood of long questions, is not.

An hour later a change is the new normal. Every comparison waits until it has seen 20 minutes.
"""

import statistics
import sys
import time
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import httpx2
from prometheus_client.parser import text_string_to_metric_families

Kind = Literal["price", "length", "rate", "restart"]

EVERY_S: Final = 5.0
_SAY_EVERY: Final = 3
_PATIENCE_S: Final = 60.0
_HOUR_S: Final = 3600.0
_LEAST_BEFORE_S: Final = 1200.0
_PRICE_S, _PRICE_RATIO, _PRICE_ANSWERS = 300.0, 1.5, 5
_LENGTH_S, _LENGTH_RATIO, _LENGTH_ANSWERS = 900.0, 2.0, 15
_RATE_S, _RATE_WINDOWS, _RATE_RATIO, _RATE_ANSWERS = 240.0, 3, 6.0, 10


class NothingToRead(Exception):  # noqa: N818 (named after what is the matter)
    """The service cannot be reached, or has no figures; the message says what to do."""


@dataclass(frozen=True)
class Notice:
    """Something has changed; `ratio` is to the hour before, 0 for a restart."""

    kind: Kind
    text: str
    ratio: float = 0.0


@dataclass(frozen=True)
class Totals:
    """What a service has counted since it started.

    Attributes:
        usd: dollars of tokens.
        tokens: read and written.
        answers: that have ended.
        tiers: answers and dollars by tier; empty without `course tiers serve`.
        lookups: of the cache, by result.
    """

    usd: float = 0.0
    tokens: float = 0.0
    answers: float = 0.0
    tiers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    lookups: Mapping[str, float] = field(default_factory=dict)

    def plus(self, other: "Totals", sign: int = 1) -> "Totals":
        """The sum of both."""
        none = (0.0, 0.0)
        tiers = {
            name: tuple(
                one + sign * more
                for one, more in zip(
                    self.tiers.get(name, none), other.tiers.get(name, none), strict=True
                )
            )
            for name in dict.fromkeys([*self.tiers, *other.tiers])
        }
        return Totals(
            self.usd + sign * other.usd,
            self.tokens + sign * other.tokens,
            self.answers + sign * other.answers,
            {name: (one, usd) for name, (one, usd) in tiers.items()},
            {
                name: self.lookups.get(name, 0.0) + sign * other.lookups.get(name, 0.0)
                for name in dict.fromkeys([*self.lookups, *other.lookups])
            },
        )

    def minus(self, other: "Totals") -> "Totals":
        """What has been added since `other`."""
        return self.plus(other, -1)


def totals(metrics: str) -> Totals:
    """The totals in a service's `/metrics`.

    Raises:
        NothingToRead: they are no metrics of the course's service.
    """
    usd = tokens = answers = None
    served: dict[str, float] = {}
    spent: dict[str, float] = {}
    lookups: dict[str, float] = {}
    try:
        samples = [
            one for family in text_string_to_metric_families(metrics) for one in family.samples
        ]
    except ValueError:
        samples = []
    for one in samples:
        if one.name == "service_cost_usd_total":
            usd = one.value
        elif one.name == "gen_ai_client_token_usage_sum":
            tokens = (tokens or 0.0) + one.value
        elif one.name == "gen_ai_client_operation_duration_seconds_count":
            answers = (answers or 0.0) + one.value
        elif one.name == "service_tier_answers_total":
            served[one.labels["tier"]] = one.value
        elif one.name == "service_tier_cost_usd_total":
            spent[one.labels["tier"]] = one.value
        elif one.name == "service_cache_lookups_total":
            lookups[one.labels["result"]] = one.value
    if usd is None:
        raise NothingToRead(
            "/metrics has no service_cost_usd_total: give the address that `course serve` or "
            "`course tiers serve` prints."
        )
    tiers = {name: (served.get(name, 0.0), spent.get(name, 0.0)) for name in {**served, **spent}}
    return Totals(usd, tokens or 0.0, answers or 0.0, tiers, lookups)


class Watcher:
    """Compares what a service spends now with the hour before; see the module."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._kept: list[Totals] = []
        self._last: Totals | None = None
        self._before = Totals()
        self._told: set[Kind] = set()

    def seen(self, now: Totals, at: float) -> list[Notice]:
        """Take in what was read at a time, in seconds; what has changed.

        Raises:
            ValueError: `at` is not later than the time before.
        """
        if self._times and at <= self._times[-1]:
            raise ValueError(f"{at} is not later than {self._times[-1]}: give readings in order.")
        notices = []
        if self._last is not None and _fell(now, self._last):
            self._before = self._kept[-1]
            notices.append(Notice("restart", "The service has restarted: its counters began at 0."))
        self._last = now
        self._times.append(at)
        self._kept.append(self._before.plus(now))
        while self._times[0] < at - _HOUR_S - 2 * _LENGTH_S:
            del self._times[0], self._kept[0]
        return [*notices, *self._changed(at)]

    def window(self, seconds: float, *, ago: float = 0.0) -> Totals:
        """What was added in a window that ended so many seconds ago; less where less was seen."""
        end = self._times[-1] - ago
        return self._at(end).minus(self._at(end - seconds))

    def _at(self, when: float) -> Totals:
        return self._kept[max(0, bisect_right(self._times, when) - 1)]

    def _windows(self, seconds: float) -> list[Totals]:
        """The windows of the hour before the last one, as far as it was seen."""
        seen = min(_HOUR_S, self._times[-1] - self._times[0] - seconds)
        return [self.window(seconds, ago=(1 + n) * seconds) for n in range(int(seen // seconds))]

    def _changed(self, at: float) -> list[Notice]:
        if at - self._times[0] < _LEAST_BEFORE_S:
            return []
        found = [
            *self._typical("price", _PRICE_S, _PRICE_RATIO, _PRICE_ANSWERS),
            *self._typical("length", _LENGTH_S, _LENGTH_RATIO, _LENGTH_ANSWERS),
            *self._rate(),
        ]
        new = [one for one in found if one.kind not in self._told]
        self._told = {one.kind for one in found}
        return new

    def _typical(
        self, kind: Literal["price", "length"], seconds: float, limit: float, least: int
    ) -> list[Notice]:
        def value(one: Totals) -> float | None:
            over, under = (one.usd, one.tokens) if kind == "price" else (one.tokens, one.answers)
            return over / under if one.answers >= least and under > 0 else None

        now = value(self.window(seconds))
        before = [one for one in map(value, self._windows(seconds)) if one is not None]
        usual = statistics.median(before) if before else 0.0
        if now is None or not usual:
            # Too little to say: what was told is not over yet, and is not told twice.
            return [Notice(kind, "")] if kind in self._told else []
        ratio = now / usual
        # Once told, it lasts until it is clearly over.
        limit = 1 + (limit - 1) / 2 if kind in self._told else limit
        if kind == "price" and (ratio >= limit or ratio <= 1 / limit):
            what = f"A million tokens cost ${1e6 * now:.3g}, {ratio:.1f} times as much as before"
            return [Notice(kind, f"{what}: has the model or its price changed?", ratio)]
        if kind == "length" and ratio >= limit:
            what = f"An answer takes {now:.0f} tokens, {ratio:.1f} times as many as before"
            return [Notice(kind, f"{what}: who sends such long questions?", ratio)]
        return []

    def _rate(self) -> list[Notice]:
        recent = [self.window(_RATE_S, ago=n * _RATE_S) for n in range(_RATE_WINDOWS)]
        if any(one.answers < _RATE_ANSWERS for one in recent):
            return []
        ago = _RATE_S * _RATE_WINDOWS
        seen = min(_HOUR_S, self._times[-1] - self._times[0] - ago)
        usual = self.window(seen, ago=ago).usd / seen if seen > 0 else 0.0
        now = min(one.usd for one in recent) / _RATE_S
        ratio = now / usual if usual else float("inf") if now else 0.0
        if ratio < (_RATE_RATIO / 2 if "rate" in self._told else _RATE_RATIO):
            return []
        what = f"The bill grows by ${_HOUR_S * now:.3g} an hour, {ratio:.1f} times as fast as"
        return [Notice("rate", f"{what} before: is a client in a loop?", ratio)]


def _fell(now: Totals, before: Totals) -> bool:
    return now.usd < before.usd or now.tokens < before.tokens or now.answers < before.answers


def line(recent: Totals, seconds: float) -> str:
    """The figures of a window of so many seconds, for people."""
    hour = f"${recent.usd / seconds * _HOUR_S:.3g} an hour"
    if not recent.answers:
        return f"{hour}; no answers"
    parts = [hour, f"${recent.usd / recent.answers:.3g} an answer"]
    served = sum(count for count, _ in recent.tiers.values())
    if served:
        shares = [
            f"{name} {count / served:.0%} (${usd:.3g})"
            for name, (count, usd) in recent.tiers.items()
            if count
        ]
        parts.append(f"by tier: {', '.join(shares)}")
    asked = sum(count for name, count in recent.lookups.items() if name != "failed")
    if asked:
        parts.append(f"cache hits {1 - recent.lookups.get('miss', 0.0) / asked:.0%}")
    return "; ".join(parts)


def watch(url: str, *, every_s: float = EVERY_S, patience_s: float = _PATIENCE_S) -> int:
    """Print what a service spends until Ctrl-C (0); 1 when it cannot be read, with the reason.

    A service that was there gets `patience_s` to come back, as after a restart.
    """
    watcher, began, reads = Watcher(), time.monotonic(), 0
    answered: float | None = None
    try:
        # The service is on this machine or in its network, and no proxy knows it.
        with httpx2.Client(trust_env=False, timeout=EVERY_S) as client:
            while True:
                now = time.monotonic()
                try:
                    found = _read(client, url)
                except NothingToRead as problem:
                    if answered is None or now - answered > patience_s:
                        print(f"course cost: {problem}", file=sys.stderr)
                        return 1
                    print(f"{time.strftime('%H:%M:%S')}  {problem}", flush=True)
                else:
                    if answered is None:
                        each = every_s * _SAY_EVERY
                        print(f"Watching {url}: a line every {each:g} s. Ctrl-C ends.", flush=True)
                    answered = now
                    for notice in watcher.seen(found, now):
                        text = f"NOTICE  {notice.kind}: {notice.text}"
                        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
                    if reads and reads % _SAY_EVERY == 0:
                        seconds = min(_PRICE_S, now - began)
                        said = line(watcher.window(_PRICE_S), seconds)
                        print(f"{time.strftime('%H:%M:%S')}  {said}", flush=True)
                    reads += 1
                time.sleep(every_s)
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)
        return 0


def _read(client: httpx2.Client, url: str) -> Totals:
    where = f"{url.rstrip('/')}/metrics"
    try:
        answer = client.get(where)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise NothingToRead(
            f"No service answers at {url} ({str(error) or type(error).__name__}): start one with "
            "`course tiers serve`, or give its address, as in --live http://127.0.0.1:8000."
        ) from None
    if answer.status_code != httpx2.codes.OK:
        raise NothingToRead(
            f"{where} has no metrics (status {answer.status_code}): give the address that "
            "`course tiers serve` prints."
        )
    return totals(answer.text)
