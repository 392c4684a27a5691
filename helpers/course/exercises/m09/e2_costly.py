"""Exercise 09.2: the group of requests that costs out of proportion."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise, raises, solved
from helpers.course.exercises.equality import is_number, near, same
from helpers.course.exercises.words import brief

if TYPE_CHECKING:
    from langsmith import Client

CostlyGroup = Callable[["Client", str, Sequence[str]], tuple[str, str, float, int]]

_MILLIONTH = 1e-6


@exercise(
    "09.2",
    title="Find what costs out of proportion",
    hints=[
        "list(client.list_runs(project_name=project, is_root=True)) gives the requests. A run has"
        " total_cost and metadata, a dictionary.",
        Hint(
            "First leave out the requests without a price: priced = [run for run in requests if"
            " run.total_cost is not None]. Both shares are relative to these.",
            "priced",
        ),
        Hint(
            "A request may lack a key: ask `if key in run.metadata`. It still counts in the whole"
            " cost and in the number of all priced requests.",
            "keys",
        ),
        Hint(
            "Collect the costs of each group under (key, value). Its excess is sum(costs) / whole -"
            " len(costs) / len(priced).",
            "excess",
        ),
        Hint(
            "min(groups, key=lambda group: (-round(excess[group], 9), keys.index(group[0]),"
            " group[1])) orders by excess, then by the key's place, then by the value.",
            "alike",
        ),
        Hint(
            "Take keys and values as they are: an empty text is a value, and texts that differ in"
            " a space or a capital letter are different.",
            "texts",
        ),
        Hint("Raise ValueError before you divide by the whole cost.", "nothing"),
    ],
)
def costly(answer: CostlyGroup) -> Iterator[Case]:
    """Small projects, each with one difficulty, and drawn ones."""
    from helpers.course.exercises.m09.projects import COSTLY, NOTHING_TO_FIND, project
    from helpers.tracing.testing import lab_client

    lab_client()  # starts the service before a case's time limit begins

    slips: dict[str, Sequence[Slip]] = {
        "frequent": [
            Slip.when(
                "sum",
                lambda got: got[1] in ("en", "web"),
                "That value is frequent: its cost is no more than its share of the requests.",
            ),
            Slip.when(
                "mean",
                lambda got: got[1] == "fax",
                "That is a single expensive request. Its excess is smaller.",
            ),
            Slip.when(
                "excess-returned",
                lambda got: got[1] == "email" and got[2] < 0.3,
                "That is the excess. The third figure is the group's share of the cost.",
            ),
        ],
        "unpriced": [
            Slip.raises("none", TypeError, "A request without a price has None as its cost."),
            Slip.when(
                "all-runs",
                lambda got: got[3] == 28,
                "Unpriced requests were counted twice: each has a model's run below it. Only root"
                " runs are requests.",
            ),
            Slip.when(
                "not-counted",
                lambda got: got[3] == 0,
                "Some requests have no price: count them in the last figure.",
            ),
        ],
        "without a key": [
            Slip.raises("no-key", KeyError, "Not all requests have each of the keys."),
            Slip.when(
                "shares-of-key",
                lambda got: got[2] > 0.5,
                "The shares are those of all priced requests, also of those without the key.",
            ),
        ],
        "free": [
            Slip.when(
                "free-unpriced", lambda got: got[3] == 4, "A cost of 0 is a price: it is not None."
            )
        ],
    }
    about = {
        "example": "excess",
        "frequent": "excess",
        "unpriced": "priced",
        "free": "priced",
        "without a key": "keys",
        "one group": "keys",
    }
    for name in COSTLY:
        if name not in NOTHING_TO_FIND:
            yield _case(
                answer,
                name,
                project(name),
                expect=_group(_reference(name)),
                slips=slips.get(name, ()),
                about=about.get(name, "alike" if name.startswith("a") else "excess"),
            )
    yield _of_texts(answer)
    for name in NOTHING_TO_FIND:
        where = project(name)
        yield _case(answer, name, where, expect=raises(ValueError, where), about="nothing")


def _case(
    answer: CostlyGroup,
    name: str,
    where: str,
    *,
    expect: Expectation,
    about: str,
    slips: Sequence[Slip] = (),
) -> Case:
    from helpers.course.exercises.m09.projects import KEYS, answered

    keys = list(KEYS[name])

    def call() -> Any:
        given = list(keys)
        found = answered(answer, where, given, other_client=name == "many")
        return found if given == keys else f"keys was changed to {given}"

    return Case(
        name,
        call=call,
        expect=expect,
        show=f"costly_group(client, {where!r}, {keys})",
        slips=slips,
        about=about,
    )


def _of_texts(answer: CostlyGroup) -> Case:
    """One key after another, of a project whose keys and values differ in their letters."""
    from helpers.course.exercises.m09.projects import TEXTS, answered, texts

    where = texts()

    def asked(function: CostlyGroup) -> list[Any]:
        return [answered(function, where, [key]) for key in TEXTS]

    right = [_group(found) for found in asked(solved("09.2"))]

    def judge(got: Any) -> bool | str:
        for key, one, group in zip(TEXTS, got, right, strict=True):
            if group.judge(one) is not True:
                return f"With the key {key!r} it is {brief(one)}, not {group.text}."
        return True

    return Case(
        "keys and values that are alike",
        call=lambda: asked(answer),
        expect=Expectation("the right group for each key", judge),
        show=f"[costly_group(client, {where!r}, [key]) for key in {list(TEXTS)}]",
        about="texts",
    )


@cache
def _reference(name: str) -> tuple[str, str, float, int]:
    from helpers.course.exercises.m09.projects import KEYS, answered, project

    found: tuple[str, str, float, int] = answered(solved("09.2"), project(name), list(KEYS[name]))
    return found


def _group(expected: tuple[str, str, float, int]) -> Expectation:
    """This tuple, with a share that may be off by a millionth."""

    def judge(got: Any) -> bool | str:
        if issubclass(type(got), tuple) and len(got) == len(expected) and is_number(got[2]):
            key, value, share, unpriced = got
            if not near(share, expected[2], 0, _MILLIONTH):
                return False
            return same((key, value, expected[2], unpriced), expected)
        return same(got, expected)

    return Expectation(brief(expected), judge)
