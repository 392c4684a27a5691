"""Exercise 09.3: the tool that is slow at times, and the one that fails."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise, solved
from helpers.course.exercises.equality import is_number, near, same
from helpers.course.exercises.words import brief

if TYPE_CHECKING:
    from langsmith import Client

Suspect = tuple[str, float] | None
Suspects = Callable[["Client", str], tuple[Suspect, Suspect]]

_MILLIONTH = 1e-6


@exercise(
    "09.3",
    title="Find the slow tool and the failing tool",
    hints=[
        'client.list_runs(project_name=project, run_type="tool") gives all calls, wherever they are'
        " in their traces. A run has name, latency and error.",
        Hint(
            "Two dictionaries from name to list: the latencies of the calls that have not failed,"
            " and for all calls whether they have. Then np.percentile(latencies, 95).",
            "slow",
        ),
        Hint(
            'binomtest(sum(failed), len(failed)).proportion_ci(method="wilson").low is the lower'
            " end: the rate that the tool has at least. Take the tool for which it is highest.",
            "failing",
        ),
        Hint(
            "A tool whose calls have all failed has no latencies; one that never failed is not"
            " failing. Where none is left, the pair is None.",
            "none",
        ),
        Hint(
            "sorted(figures.items(), key=lambda one: (-round(one[1], 9), one[0]))[0] is the highest"
            " one, and of equal ones the first by alphabet.",
            "alike",
        ),
    ],
)
def suspects(answer: Suspects) -> Iterator[Case]:
    """Small projects, each with one difficulty, and drawn ones."""
    from helpers.course.exercises.m09.projects import TOOLS, answered, project
    from helpers.tracing.testing import lab_client

    lab_client()  # starts the service before a case's time limit begins

    (_, tail), (_, low) = _reference("tails")[0] or ("", 0.0), _reference("rates")[1] or ("", 0.0)
    slips: dict[str, Sequence[Slip]] = {
        "the example": [
            Slip.when(
                "failed-calls",
                lambda got: 3 < got[0][1] <= 30,
                "A call that has failed does not count as slow, however long it took.",
            )
        ],
        "tails": [
            Slip.when(
                "maximum",
                lambda got: got[0][0] == "rare",
                "That tool has the longest call. Its 95th percentile is low.",
            ),
            Slip.when(
                "steady",
                lambda got: got[0][0] == "steady",
                "That tool is steady: look at the 95th percentile, not at the mean or median.",
            ),
            Slip.when(
                "method",
                lambda got: got[0][0] == "tail" and not near(got[0][1], tail, 0, _MILLIONTH),
                "The tool is right. Interpolate as np.percentile does by default.",
            ),
        ],
        "rates": [
            Slip.when("count", lambda got: got[1][0] == "often", "That tool is called most often."),
            Slip.when(
                "rate",
                lambda got: got[1][0] == "once",
                "One call, one error: how sure can you be of that rate? Compare lower ends.",
            ),
            Slip.when(
                "not-wilson",
                lambda got: got[1][0] == "surely" and not near(got[1][1], low, 0, _MILLIONTH),
                "The tool is right. The figure is the lower end of Wilson's 95% interval.",
            ),
        ],
        "refused": [
            Slip.when(
                "refused",
                lambda got: got[1][0] == "refuses",
                "An answer that says no is no failure: only error counts.",
            )
        ],
    }
    about = {
        "tails": "slow",
        "rates": "failing",
        "alike tools": "alike",
        "alike but for the capital": "alike",
        "alike up to the last bit": "alike",
        "apart by little": "alike",
        "no call ended well": "none",
        "nothing failed": "none",
        "all failed": "none",
        "no tools": "none",
    }
    for name in TOOLS:
        where = project(name)
        yield Case(
            name,
            call=partial(answered, answer, where, other_client=name == "many calls"),
            expect=_both(_reference(name)),
            show=f"suspects(client, {where!r})",
            slips=slips.get(name, ()),
            about=about.get(name, ""),
        )


@cache
def _reference(name: str) -> tuple[Suspect, Suspect]:
    from helpers.course.exercises.m09.projects import answered, project

    found: tuple[Suspect, Suspect] = answered(solved("09.3"), project(name))
    return found


def _both(expected: tuple[Suspect, Suspect]) -> Expectation:
    """These two pairs, with figures that may be off by a millionth."""

    def judge(got: Any) -> bool | str:
        if issubclass(type(got), tuple) and len(got) == len(expected):
            return same(tuple(map(_rounded, got, expected)), expected)
        return same(got, expected)

    plain = tuple(one and (one[0], float(one[1])) for one in expected)
    return Expectation(brief(plain), judge)


def _rounded(pair: Any, expected: Suspect) -> Any:
    """The pair with the expected figure, if its own is near enough."""
    if expected is None or not issubclass(type(pair), tuple) or len(pair) != len(expected):
        return pair
    if not (is_number(pair[1]) and near(pair[1], float(expected[1]), 0, _MILLIONTH)):
        return pair
    return pair[0], expected[1]
