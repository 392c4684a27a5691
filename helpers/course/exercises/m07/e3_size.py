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
    raises,
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


@exercise(
    "07.3",
    title="From measurements to requests, limits and replicas",
    hints=[
        "Take one rule at a time. Round up to a multiple of 16 by"
        " 16 * math.ceil(number / 16), after the headroom was added.",
        Hint(
            "sorted(cpu) makes a new list. Leave out len(cpu) // 10 from its end, and take the"
            " last one that is left.",
            "samples",
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
        Hint("Look at the four fields first, before anything is computed.", "bad"),
    ],
)
def size(answer: Callable[[Measured], Any]) -> Iterator[Case]:
    """The fields of a Deployment, each computed by its rule from what was measured."""
    from dataclasses import replace

    from hypothesis import strategies as st

    from helpers.course.exercises.m07.sizes import like_sized, measurements

    reference = solved("07.3")

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

    slips = [
        Slip.like("no-spare", but(no_spare), "One pod may be missing: the others carry the load."),
        Slip.like(
            "all-samples",
            but(all_samples),
            "The highest tenth of the CPU samples is left out. A spike only waits a little.",
        ),
        Slip.like(
            "without-pre-stop",
            but(without_pre_stop),
            "The grace period begins with preStop: it covers preStop and the longest answer.",
        ),
        Slip.when(
            "cpu-limit",
            lambda got: "cpu" in got["resources"]["limits"],
            "No CPU limit: it would slow the pod down while the node has time to spare.",
        ),
    ]

    def sized(name: str, measured: Measured, about: str) -> Case:
        wanted = like_sized(reference(measured))
        return example(
            name, answer, measured, called="size", expect=wanted, slips=slips, about=about
        )

    yield sized("the example", WORKED, "")
    yield sized(
        "numbers that need no rounding",
        Measured([512], [*[40] * 17, 80, 900], [20.0], 80, 180, 32.0, 4.0),
        "seconds",
    )
    yield sized(
        "a single sample, and nobody comes",
        Measured([1], [0], [0.5], 1, 0, 0.0, 0.0),
        "samples",
    )
    yield generated(
        "any measurements",
        answer,
        exercise="07.3",
        inputs=st.tuples(measurements()),
        called="size",
        expect=like_sized,
        slips=slips,
        about="replicas",
    )
    for field, value in {"memory": [], "cpu": [], "starts": [], "per_pod": 0}.items():
        changed: Mapping[str, Any] = {field: value}
        yield example(
            f"{field} is {value}",
            answer,
            replace(WORKED, **changed),
            called="size",
            expect=raises(ValueError, field),
            about="bad",
        )
