"""Exercise 09.6: the same answers at a quarter of the traced cost."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m09.priced import MakePipeline, Tried


@exercise(
    "09.6",
    title="The gate: cut the traced cost at the same answers",
    gate=True,
    hints=[
        "Look at the trace of one request: three calls of the model. Whose result reaches the"
        " customer, and whose does not?",
        Hint(
            "Nobody reads the review. It also reads the most: a whole document.", "unused", "cost"
        ),
        Hint(
            "Only a question whose first passage is not near enough needs the other words. Without"
            " them its answer changes. The pipeline asks for them every time, and mostly throws"
            " them away.",
            "words",
            "second",
            "cost",
        ),
        Hint(
            "Customers ask the same question again. A dictionary inside make_pipeline, from the"
            " question to the answer, lives as long as the pipeline.",
            "again",
            "cost",
        ),
        Hint(
            "The model's answer depends on every word of its prompt, and on the shop's documents:"
            " keep the messages as they are, and the dictionary's key, too.",
            "answers",
            "second",
        ),
        Hint(
            "Call llm.invoke in the function itself, with tracing as it is. A thread of a plain"
            " pool has no trace, and neither has a private method of the model.",
            "traced",
        ),
    ],
)
def cheaper(answer: "MakePipeline") -> Iterator[Case]:
    """A pipeline with the same answers, all of its calls traced, at a quarter of the cost."""
    from helpers.course.exercises.m09 import priced
    from helpers.tracing.testing import lab_client

    lab_client()  # its service starts outside the cases' time
    made = priced.shops()

    @cache
    def day() -> "list[Tried]":
        return priced.tried(answer, made)

    def one() -> "list[Tried]":
        (shop, _) = priced.shops()
        shop.requests = shop.requests[:1]
        return priced.tried(answer, [shop])

    show = "two shops' pipelines on a day of requests, in turn"
    slips = [
        Slip.raises(
            "no-pipeline",
            TypeError,
            "make_pipeline(index, llm, near_enough) returns a plain function of the question.",
        )
    ]
    of_day = partial(Case, call=day, slips=slips, limit=60)
    yield Case(
        "one request",
        call=one,
        show="make_pipeline(index, llm, near_enough)(question)",
        expect=Expectation("the same answer, from traced calls", _right, show=_told),
        slips=[
            *slips,
            Slip.when(
                "no-call",
                lambda found: found[0].calls == 0,
                "The model was not called. The answer has to come from the given model.",
            ),
            Slip.when(
                "untraced",
                lambda found: found[0].untraced > 0,
                "The model was called, and the call is not in the trace. Hiding a cost from the"
                " trace does not save it.",
            ),
        ],
        about="answers",
        limit=60,
    )
    yield of_day(
        "answers that need other words",
        show=f"{show}: the requests whose first passage is not near enough",
        expect=Expectation("every answer as before", _second, show=_told),
        about="second",
    )
    yield of_day(
        "the same answers, word by word",
        show=show,
        expect=Expectation("every answer as before", _same, show=_told),
        about="answers",
    )
    yield of_day(
        "every call is in the trace",
        show=show,
        expect=Expectation(
            "each call that the model counted, with its tokens", _traced, show=_told
        ),
        about="traced",
    )
    parts: list[tuple[str, str, Callable[[priced.Tried], bool]]] = [
        ("the cost: calls that no answer needs", "unused", lambda one: one.needless > 0),
        ("the cost: other words", "words", lambda one: one.other > 0),
        ("the cost: questions asked again", "again", lambda one: one.again > 0),
        ("the cost of each day", "cost", lambda one: True),
    ]
    for name, about, spent in parts:
        yield of_day(
            name,
            show=show,
            expect=Expectation(
                f"at most {priced.MOST_SHARE:.0%} of the given pipeline's cost, at the same answers"
                + ("" if about == "cost" else ", or nothing spent on this"),
                partial(_cheap, spent=spent),
                show=_told,
            ),
            about=about,
        )


def _told(found: "Sequence[Tried]") -> str:
    return "; ".join(
        f"{sum(one.same)} of {len(one.same)} answers the same, {one.calls} calls, {one.untraced} of"
        f" them not traced, {one.share:.0%} of the cost"
        for one in found
    )


def _same(found: "Sequence[Tried]") -> bool:
    return all(all(one.same) for one in found)


def _second(found: "Sequence[Tried]") -> bool:
    return all(all(one.second) for one in found)


def _traced(found: "Sequence[Tried]") -> bool | str:
    if not any(one.calls for one in found):
        return "The model was not called."
    return all(one.untraced == 0 for one in found)


def _right(found: "Sequence[Tried]") -> bool:
    return _same(found) and _traced(found) is True


def _cheap(found: "Sequence[Tried]", spent: "Callable[[Tried], bool]") -> bool | str:
    """Whether the days are cheap enough, or the money has gone elsewhere than `spent` says."""
    from helpers.course.exercises.m09.priced import MOST_SHARE

    if not _right(found):
        return "This counts only at the same answers, with every call in the trace."
    return not any(one.share > MOST_SHARE and spent(one) for one in found)
