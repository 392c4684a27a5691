"""Exercise 02.6: a gate that decides on releases of the running agent."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise, generated, solved
from helpers.course.exercises.equality import same
from helpers.course.exercises.words import brief, kind

if TYPE_CHECKING:
    import pandas as pd

_LIMIT_S = 15.0
"""Seconds a case: pandas takes its time on a busy machine."""

Gate = Callable[["pd.DataFrame", "pd.DataFrame"], Any]


@exercise(
    "02.6",
    title="A gate that stops six broken releases and ships two good ones",
    gate=True,
    hints=[
        "Write one rule after the other, each as one boolean. At the end collect the names of those"
        " that are true: a rule that stops the release does not end the function.",
        Hint(
            "The two tables are in different orders: both = before.merge(after, on='id',"
            " suffixes=('', '_now')) puts the two answers to a question into one row.",
            "worse",
            "kind",
            "tokens",
        ),
        Hint(
            "What the customer and the model read: row.answer, and message['content'] of those"
            " messages whose role is 'tool'.",
            "private",
        ),
        Hint(
            "collections.Counter(made) - Counter(expected) keeps what is left over of each tool;"
            " its total() is the number of unexpected calls. Count only the two actions.",
            "actions",
        ),
        Hint(
            "notna() tells numbers from NaN. Take the rows in which both tokens and tokens_now are"
            " numbers, and compare the two sums.",
            "tokens",
        ),
        Hint(
            "Count lost and gained on the rows in which neither right nor right_now is None; then"
            " take scipy.stats.binomtest(lost, lost + gained).pvalue. It raises ValueError for 0 of"
            " 0.",
            "worse",
        ),
        Hint(
            "Take the rows that were right before and group them by kind: the size of a group is"
            " how many were right, and the sum of right_now.eq(True) is how many still are.",
            "kind",
        ),
    ],
)
def gate(answer: Gate) -> Iterator[Case]:
    """Each rule at its boundary, any two tables, and eight releases that really ran."""
    from helpers.course.exercises.m02 import invented_releases as given
    from helpers.evaluate.testing.changes import TODAYS

    abouts = {rule for rule in given.RULES if rule != "error"}
    for name, pair in given.named().items():
        wanted = _wanted(name)
        [about, *more] = sorted(wanted & abouts) or [""]
        yield Case(
            name,
            call=partial(_asked, answer, *pair),
            expect=rules(wanted),
            show=partial(given.show, *pair),
            slips=_slips(wanted),
            limit=_LIMIT_S,
            live=False,
            about="" if more else about,
        )
    yield Case(
        "the same tables again, after they have changed",
        call=partial(_asked_twice, answer, *given.named()["the same again"]),
        expect=rules({"error"}),
        show="gate(before, after) a second time, with an error now in after",
        limit=_LIMIT_S,
        live=False,
    )
    drawn = generated(
        "any two tables",
        answer,
        exercise="02.6",
        inputs=given.inputs(),
        called=given.show,
        expect=rules,
        budget=12,
        limit=_LIMIT_S,
    )
    yield replace(drawn, after_all=True)  # a smaller example takes seconds
    releases, decided = _releases()
    for name, table in releases.items():
        yield Case(
            "today's release again" if name == TODAYS else f"the release {name!r}",
            call=partial(_decides, answer, releases[TODAYS], table),
            expect=rules(decided[name]),
            show=f"gate(releases[{TODAYS!r}], releases[{name!r}])",
            limit=_LIMIT_S,
            live=False,
        )


def _asked(answer: Gate, before: "pd.DataFrame", after: "pd.DataFrame") -> Any:
    given = _whole_copy(before), _whole_copy(after)
    result = answer(*given)
    for name, mine, kept in zip(("before", "after"), given, (before, after), strict=True):
        if same(mine, kept) is not True:
            return _Changed(name)
    return result


def _asked_twice(answer: Gate, before: "pd.DataFrame", after: "pd.DataFrame") -> Any:
    given = _whole_copy(before), _whole_copy(after)
    answer(*given)
    given[1]["error"] = "timeout"
    return answer(*given)


def _decides(answer: Gate, before: "pd.DataFrame", after: "pd.DataFrame") -> Any:
    """On releases that ran, whose tables are too long to be compared afterwards each time."""
    return answer(_whole_copy(before), _whole_copy(after))


def _whole_copy(table: "pd.DataFrame") -> "pd.DataFrame":
    """A copy whose lists and messages are copies as well, which pandas does not make."""
    whole = table.copy()
    for column in ("expected", "messages"):
        whole[column] = [deepcopy(one) for one in table[column]]
    return whole


@dataclass(frozen=True)
class _Changed:
    """What came of a call that changed one of its tables."""

    table: str


@cache
def _wanted(name: str) -> set[str]:
    from helpers.course.exercises.m02.invented_releases import named

    found: set[str] = solved("02.6")(*named()[name])
    return found


_decided: list[tuple["dict[str, pd.DataFrame]", dict[str, set[str]]]] = []


def _releases() -> tuple["dict[str, pd.DataFrame]", dict[str, set[str]]]:
    """The releases that ran, and what the reference decides on each; once for each run of them."""
    from helpers.evaluate.testing.changes import TODAYS
    from helpers.evaluate.testing.releases import latest

    releases, reference = latest(), solved("02.6")
    if not _decided or _decided[0][0] is not releases:
        each = {name: reference(releases[TODAYS], table) for name, table in releases.items()}
        _decided[:] = [(releases, each)]
    return _decided[0]


def rules(wanted: set[str]) -> Expectation:
    """A set of exactly these names; a sentence says which are missing, or too many."""
    from helpers.course.exercises.m02.invented_releases import RULES

    def judge(got: Any) -> bool | str:
        if type(got) is _Changed:
            return f"The table {got.table} is another one after the call. Do not change it."
        if not issubclass(type(got), set | frozenset):
            return f"A set of names is expected; this is {kind(got)}."
        if strange := [one for one in got if one not in RULES]:
            return f"{brief(strange[0])} names no rule: the names are {', '.join(RULES)}."
        missing, more = sorted(wanted - got), sorted(got - wanted)
        told = [f"{', '.join(missing)} should stop it."] if missing else []
        told += [f"{', '.join(more)} should not stop it."] if more else []
        return " ".join(told) or True

    return Expectation(_listed(wanted), judge, show=_listed)


def _listed(names: Any) -> str:
    """A set of names in one order, as Python writes it."""
    if not issubclass(type(names), set | frozenset) or not names:
        return brief(names)
    return "{" + ", ".join(sorted(map(brief, names))) + "}"


def _slips(wanted: set[str]) -> list[Slip]:
    if len(wanted) < 2:
        return []
    return [
        Slip.when(
            "only-one",
            lambda got: len(got) == 1 and got < wanted,
            "You return only one of the reasons. Return all rules that stop the release.",
        )
    ]
