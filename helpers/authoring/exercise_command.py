"""`course strength`: how strong checks are. `course new-exercise`: the places of a new one."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from helpers.paths import ROOT


def strength(argv: Sequence[str]) -> int:
    """Try faulty solutions on their checks; 0 strong enough, 1 too weak, 2 not possible."""
    parser = argparse.ArgumentParser(
        prog="course strength",
        description="Make small faults in each reference solution, one at a time, and count how "
        "many its check rejects: at least nine of ten. A live gate is tried on its faulty answers, "
        "and has to reject all.",
    )
    parser.add_argument("modules", nargs="+", metavar="NN", help="a module, 00, or exercise, 00.2")
    parser.add_argument("--sample", type=int, metavar="N", help="try N of each exercise, by chance")
    parser.add_argument("--seed", type=int, default=0, help="for the choice of --sample")
    options = parser.parse_args(argv)
    if options.sample is not None and options.sample < 1:
        parser.error("--sample needs a number above 0")
    os.environ.setdefault("COURSE_FAST", "1")
    os.environ.setdefault("COURSE_THREADS", "1")

    from helpers.authoring.answers import answers_to
    from helpers.authoring.strength import measure, report
    from helpers.course.exercises import Exercise, modules
    from helpers.course.exercises.define import of_module

    chosen: list[Exercise] = []
    for name in options.modules:
        there = of_module(name[:2])
        fitting = [one for one in there if name in (one.id, one.id[:2])]
        if not fitting:
            print(f"course strength: {_why_none(name, there, modules())}", file=sys.stderr)
            return 2
        chosen += fitting
    strong = True
    for exercise in chosen:
        try:
            found = measure(
                exercise, answers_to(ROOT, exercise), sample=options.sample, seed=options.seed
            )
        except FileNotFoundError as error:
            print(f"course strength: {error}", file=sys.stderr)
            return 2
        print(*report([found]), sep="\n", flush=True)
        strong &= found.enough
    return 0 if strong else 1


def _why_none(name: str, there: Sequence[object], modules: Sequence[str]) -> str:
    if there:
        return f"module {name[:2]} has no exercise {name}."
    return f"there is no module {name!r} with exercises; there are {', '.join(modules)}."


def new_exercise(argv: Sequence[str]) -> int:
    """Make the three places of a new exercise; 0 done, 2 not possible."""
    parser = argparse.ArgumentParser(
        prog="course new-exercise",
        description="Make the places of a new exercise: its check, its right and wrong answers, "
        "and its cells at the end of the module's solution. Each says what to write there.",
    )
    parser.add_argument(
        "number", metavar="NN.N", help="the next number of its module, such as 06.1"
    )
    parser.add_argument("name", metavar="NAME", help="what the learner makes: build_the_index")
    options = parser.parse_args(argv)

    from helpers.authoring.new_exercise import NewExerciseError, create

    try:
        written = create(ROOT, options.number, options.name)
    except NewExerciseError as error:
        print(f"course new-exercise: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"wrote {path.relative_to(ROOT).as_posix()}")
    module = options.number[:2]
    print(
        f"Write the solution first, then the check and the answers. `course build {module}` makes "
        f"lab and solution, `course test {module}` runs what belongs to the module, and "
        f"`course strength {options.number}` says how strong the check is."
    )
    return 0


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "strength": strength,
    "new-exercise": new_exercise,
}
