"""`course status` as text: a table of the path, what it needs, and where to go on."""

import textwrap
from collections.abc import Iterable, Sequence

from helpers.columns import aligned
from helpers.course import gathered, progress
from helpers.course.given import GIVEN
from helpers.course.status import ModuleState
from helpers.course.steps import next_step

WIDTH = 80
_TITLE = 27
_HEAD = ("Module", "Needs", "Minutes left", "Checks", "Hints", "Quiz")


def as_text(states: Sequence[ModuleState]) -> str:
    """The path as a table of at most 80 columns, what it needs beyond it, and the next step."""
    if not states:
        return "This folder has no modules yet."
    table = aligned([_HEAD, *map(_row, states)])
    notes = [
        *_minutes(states),
        *_programs(states),
        *_damaged(states),
        *_open(states),
        *_given(states),
        *_evidence(),
    ]
    wrapped = [
        line for note in notes for line in textwrap.wrap(note, WIDTH, subsequent_indent="  ")
    ]
    return "\n".join([*table, "", *wrapped, *([""] if wrapped else []), *_next(states)])


def span(modules: Sequence[str]) -> str:
    """Modules in a few characters: "01 05", or "01-11" for three or more in a row."""
    numbers = [int(one) for one in modules]
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{modules[0]}-{modules[-1]}"
    return " ".join(modules) or "-"


def _row(state: ModuleState) -> tuple[str, ...]:
    minutes = "-"
    if state.minutes:
        minutes = f"{state.minutes_left} of {state.minutes.walkthrough + state.minutes.lab}"
    checks = f"{state.checks_passed} of {len(state.exercises)}" if state.exercises else "-"
    quiz = f"{state.quiz_right} of {state.quiz_total}" if state.quiz_total else "-"
    title = textwrap.shorten(f"{state.module} {state.title}", _TITLE, placeholder=" ...")
    return title, span(state.needs), minutes, checks, str(state.hints or "-"), quiz


def _minutes(states: Sequence[ModuleState]) -> Iterable[str]:
    known = [(one.minutes, one.minutes_left or 0) for one in states if one.minutes]
    if not known:
        return
    left = sum(one for _, one in known)
    total = sum(one.walkthrough + one.lab for one, _ in known)
    machine = sum(one.machine for one, _ in known)
    yield (
        f"Minutes left: {left:,} of {total:,}, walkthroughs and labs together. In the "
        f"walkthroughs, the machine works for {machine} minutes in all."
    )


def _programs(states: Sequence[ModuleState]) -> Iterable[str]:
    for one in states:
        if one.missing:
            names = ", ".join(one.missing)
            yield (
                f"Module {one.module} also uses {names}, not found on this machine: see README, "
                "Platforms, for how to install."
            )


def _damaged(states: Sequence[ModuleState]) -> Iterable[str]:
    for one in states:
        if one.walkthrough is None:
            continue  # `course next` says that it is missing
        if one.exercises and one.lab is None:
            yield (
                f"The file of lab {one.module} is missing: `course reset {one.module}` restores it."
            )
        elif one.problem:
            yield (
                f"{one.problem} `course reset {one.module}` restores a lab and keeps a dated copy "
                "of yours; `git restore FILE` restores a walkthrough."
            )


def _open(states: Sequence[ModuleState]) -> Iterable[str]:
    found = [
        f"{exercise.id} {exercise.status} ({exercise.passed} of {exercise.total})"
        for state in states
        for exercise in state.exercises
        if exercise.status in ("partly", "wrong")
    ]
    if found:
        yield f"Begun: {', '.join(found)}."


def _given(states: Sequence[ModuleState]) -> Iterable[str]:
    found = [one.id for state in states for one in state.exercises if one.status == GIVEN]
    if found:
        yield f"Given by `course catch-up`, not passed: {', '.join(found)}."


def _evidence() -> Iterable[str]:
    found = gathered.names()
    if found:
        parts = [
            f"{f'module {module}' if module else 'your own'}: {', '.join(names)}"
            for module, names in sorted(found.items(), key=lambda one: one[0] or "~")
        ]
        yield f"Evidence gathered: {'; '.join(parts)}."


def _next(states: Sequence[ModuleState]) -> Iterable[str]:
    step = next_step(states, progress.last_module())
    if step:
        place = f", in {step.file}" if step.file else ""
        return textwrap.wrap(f"Next: {step.what}{place}.", WIDTH, break_long_words=False)
    return [all_done(states)]


def all_done(states: Sequence[ModuleState]) -> str:
    """The sentence for a learner who has nothing left."""
    given = any(one.status == GIVEN for state in states for one in state.exercises)
    checks = "Every exercise is passed or given" if given else "Every check has passed"
    return f"{checks}, and every quiz is answered correctly."
