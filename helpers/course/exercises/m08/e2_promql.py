"""Exercise 08.2: restarts and slow answers, read right in PromQL."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m08.hourly import NotTaken, Result

_HOURS = {
    "asked": (
        "two instances",
        "two restarts",
        "a release",
        "scrapes that are missing",
        "one instance with few and slow answers",
        "no question at all",
    ),
    "slow": (
        "two instances",
        "two restarts",
        "a release",
        "one instance with few and slow answers",
        "no slow answer",
        "no question at all",
    ),
    "p95": (
        "two instances",
        "two restarts",
        "a release",
        "scrapes that are missing",
        "one instance with few and slow answers",
        "a version that nobody has asked",
        "no question at all",
    ),
}
_TOLD = {
    "last-value": "That is what each instance has counted since its own start: use increase.",
    "sum-first": "A sum drops when one instance restarts, and increase takes that for a restart of"
    " all: first increase, then sum.",
    "every-route": "The probes of /health are counted, too: select the route.",
    "a-second": "rate is the number per second: increase is the number in the window.",
    "in-time": "That is the share of answers that took 3 seconds or less.",
    "mean-of-shares": "The mean of the instances' shares gives an instance with two questions as"
    " much weight as one with a thousand: divide the sums.",
    "since-the-start": "That is the share since each instance's own start, not of the last 30"
    " minutes.",
    "slow-hour": "That is the share of an hour, not of the last 30 minutes.",
    "highest-bucket": "An answer can take longer than 13 seconds: the bucket +Inf and the count"
    " have all of them.",
    "slow-highest-bucket": "An answer can take longer than 13 seconds: divide by all of them.",
    "p95-sum-first": "A sum drops when one instance restarts, and rate takes that for a restart of"
    " all: first rate, then sum.",
    "p95-hour": "That is the quantile of an hour, not of the last 30 minutes.",
    "mean-of-quantiles": "A mean of quantiles is no quantile: first add the buckets up, then ask"
    " for the quantile.",
    "never-forgets": "That is the quantile since each instance's own start, not of the last 30"
    " minutes.",
}


@exercise(
    "08.2",
    title="Read a restart and a slow bucket right",
    gate=True,
    hints=[
        "Look at the series first: what does `answer_seconds_count` give in the hour above, and"
        " which labels does it have?",
        Hint(
            "increase(...[1h]) sees the restarts of each series. So take the sum of its results,"
            " not the increase of a sum.",
            "asked",
        ),
        Hint(
            'A bucket counts all that took at most le seconds, so {le="3.0"} are the fast ones. The'
            " share is 1 - fast / all, each a sum of rates over the same 30 minutes.",
            "slow",
        ),
        Hint(
            "Without questions, fast / all is 0 / 0, which is NaN. `x > 0` leaves a series out if"
            " it is 0: fast / (all > 0).",
            "slow",
        ),
        Hint(
            "histogram_quantile needs the label le: sum by (le, version) (rate(...[30m])).",
            "p95",
        ),
        Hint(
            "A comparison with NaN is false: `... >= 0` after histogram_quantile leaves out the"
            " versions that nobody has asked.",
            "p95",
        ),
    ],
)
def promql(answer: Any) -> Iterator[Case]:
    """Three expressions that are right in every hour."""
    from helpers.course.exercises.m08 import hourly

    @functools.cache
    def found() -> "dict[str, dict[str, Result] | NotTaken]":
        return hourly.results(hourly.texts(answer))

    def in_hour(name: str, hour: str) -> "Result":
        result = found()[name]
        if isinstance(result, Exception):
            raise hourly.NotTaken(str(result)) from None
        return result[hour]

    def first_and(name: str, hour: str, first: str) -> "Result":
        """No result is right in this hour, if there is the right one in another."""
        usual = in_hour(name, first)
        if hourly.near(usual, hourly.known()[name][first]):
            return in_hour(name, hour)
        raise hourly.NotTaken(f'{name} is not right yet in the hour "{first}": start there')

    for name, hours in _HOURS.items():
        for hour in hours:
            wanted = hourly.known()[name][hour]
            look: Callable[..., Any] = (
                functools.partial(in_hour, name, hour)
                if wanted
                else functools.partial(first_and, name, hour, hours[0])
            )
            yield Case(
                f"{name}: {hour}",
                call=look,
                show=f'{name}, at the end of the hour "{hour}"',
                expect=hourly.judged(wanted),
                slips=list(_slips(name, hour)),
                about=name,
            )


def _slips(name: str, hour: str) -> Iterator[Slip]:
    from helpers.course.exercises.m08 import hourly

    yield Slip.raises(
        "not-taken",
        hourly.NotTaken,
        "Nothing could be evaluated. A place such as 1:25 is line 1, character 25.",
    )
    mistakes = {
        slip: hourly.known()[slip][hour] for slip, (of, _) in hourly.FAULTY.items() if of == name
    }
    for slip, wrong in mistakes.items():
        same = [other for other in mistakes.values() if hourly.near(wrong, other, hourly.ALIKE)]
        # Two mistakes that give the same here cannot be told apart.
        if not hourly.near(wrong, hourly.known()[name][hour]) and len(same) == 1:
            yield Slip.when(
                slip, functools.partial(hourly.near, wanted=wrong, within=hourly.ALIKE), _TOLD[slip]
            )
    yield Slip.when(
        f"{name}-nan",
        lambda got: any(map(math.isnan, got.values())),
        "Nobody has asked, so there is no such share or quantile: no result is expected, not NaN.",
    )
    wanted = hourly.known()[name][hour]
    if not wanted:
        yield Slip.when(
            f"{name}-of-nobody",
            lambda got: any(not math.isnan(value) for value in got.values()),
            "Nobody has asked, so nothing is known: a number here says that all is well.",
        )
        return
    yield Slip.when(
        f"{name}-empty",
        lambda got: not got,
        "The value is 0 here. If other hours have a result, a comparison such as > 0 leaves it out."
        if not any(wanted.values())
        else "No series fits: compare names and labels, letter by letter, with the statement.",
    )
    if name == "p95":
        yield Slip.when(
            "p95-of-nobody",
            lambda got: got.keys() > wanted.keys(),
            "A version that nobody has asked has no quantile, and so no result.",
        )
    yield Slip.when(
        f"{name}-labels",
        lambda got: got.keys() != wanted.keys() and len(got) > 0,
        "One number for each version, with that label alone, is asked for."
        if name == "p95"
        else "One number without labels is asked for: sum over everything.",
    )
