"""Exercise 07.3: requests, limits, replicas and seconds from measurements."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from helpers.course.exercises import (
    Case,
    Hint,
    Slip,
    example,
    exercise,
    generated,
    solved,
)
from helpers.testbed.measured import Measured

WORKED = Measured(
    memory=[410, 512, 498],
    cpu=[120, 180, 240, 200, 160, 210, 190, 170, 150, 900],
    starts=[18.0, 20.5],
    per_pod=80,
    busiest=170,
    longest=30.0,
    last_arrival=4.5,
)
"""The statement's example."""
EXACT = Measured([512], [*[40] * 17, 80, 900], [20.0], 25, 75, 32.0, 4.0)
"""Every rule gives a whole number, or a multiple, before it is rounded."""
SMALLEST = Measured([1], [0], [0.5], 1, 0, 0.0, 0.0)
"""The least that can be measured."""


@exercise(
    "07.3",
    title="From measurements to requests, limits and replicas",
    hints=[
        "Take one rule at a time, and return exactly the fields that the statement names.",
        Hint(
            "Round up to a multiple of 16 by 16 * math.ceil(number / 16), after the headroom was"
            " added.",
            "memory",
        ),
        Hint(
            "sorted(cpu) makes a new list. Leave out len(cpu) // 10 from its end, and take the"
            " last one that is left.",
            "CPU",
        ),
        Hint(
            "Ask how many pods carry the busiest minute at 75%: that is math.ceil(busiest / (0.75 *"
            " per_pod)). Then add the one that may be missing.",
            "replicas",
        ),
        Hint(
            "The smallest whole number that is more than x is math.floor(x) + 1. That is not"
            " math.ceil(x) when x is whole.",
            "seconds",
        ),
        Hint(
            "Look at the four fields first, before anything is computed, each with an error of its"
            " own. A negative per_pod is true: compare it with 1.",
            "bad",
        ),
    ],
)
def size(answer: Callable[[Measured], Any]) -> Iterator[Case]:
    """The fields of a Deployment, each computed by its rule from what was measured."""
    from dataclasses import replace

    from hypothesis import strategies as st

    from helpers.course.exercises.m07 import sizes

    reference = solved("07.3")
    call = sizes.plain(answer)

    def but(change: Callable[[dict[str, Any], Measured], Any]) -> Callable[[Measured], Any]:
        """The reference with one of its fields changed; None where that changes nothing."""

        def faulty(measured: Measured) -> Any:
            found = reference(measured)
            change(found, measured)
            return None if found == reference(measured) else found

        return faulty

    def no_spare(found: dict[str, Any], _: Measured) -> None:
        found["replicas"] = max(2, found["replicas"] - 1)

    def all_samples(found: dict[str, Any], measured: Measured) -> None:
        highest = reference(replace(measured, cpu=[max(measured.cpu)]))
        found["resources"]["requests"]["cpu"] = highest["resources"]["requests"]["cpu"]

    def without_pre_stop(found: dict[str, Any], _: Measured) -> None:
        found["terminationGracePeriodSeconds"] -= found["lifecycle"]["preStop"]["sleep"]["seconds"]

    is_async = Slip.raises(
        "async", sizes.NotPlain, "The check calls it and does not wait: write def, not async def."
    )
    slips = {
        "memory": Slip.when(
            "cpu-limit",
            lambda got: "cpu" in got["resources"]["limits"],
            "No CPU limit: it would slow the pod down while the node has time to spare.",
        ),
        "CPU": Slip.like(
            "all-samples",
            but(all_samples),
            "The highest tenth of the CPU samples is left out. A spike only waits a little.",
        ),
        "replicas": Slip.like(
            "no-spare", but(no_spare), "One pod may be missing: the others carry the load."
        ),
        "seconds": Slip.like(
            "without-pre-stop",
            but(without_pre_stop),
            "The grace period begins with preStop: it covers preStop and the longest answer.",
        ),
    }

    # Group by group, so that the hint is about what is wrong.
    for title, measured in {
        "the example": WORKED,
        "nothing to round": EXACT,
        "a single sample, and nobody comes": SMALLEST,
    }.items():
        for about, places in sizes.GROUPS.items():
            yield example(
                f"{title}: {about}",
                call,
                measured,
                called="size",
                expect=sizes.like_part(reference(measured), *places),
                slips=[is_async, slips[about]],
                about=about,
            )
    yield example(
        "the example: all of it, and nothing else",
        call,
        WORKED,
        called="size",
        expect=sizes.like_sized(reference(WORKED)),
        slips=[is_async, *slips.values()],
    )
    yield generated(
        "any measurements",
        call,
        exercise="07.3",
        inputs=st.tuples(sizes.measurements()),
        called="size",
        expect=sizes.like_sized,
        slips=[is_async, *slips.values()],
        about="replicas",
    )
    for field, value in (
        ("memory", []),
        ("cpu", []),
        ("starts", []),
        ("per_pod", 0),
        ("per_pod", -1),
    ):
        changed: Mapping[str, Any] = {field: value}
        yield example(
            f"{field} is {value}",
            call,
            replace(WORKED, **changed),
            called="size",
            expect=sizes.names_only(field),
            slips=[is_async],
            about="bad",
        )
