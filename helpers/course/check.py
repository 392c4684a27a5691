"""`check`, `hint` and `ready`: what a lab's cells call.

`run_check` does the work and returns the card; `check` shows and records it. Neither raises into
the notebook, whatever the learner's object does (`helpers.course.contain`).
"""

import contextlib
import functools
import io
import linecache
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from IPython.display import display

from helpers.course import progress
from helpers.course.card import Card, CaseResult, Note, Status, printable
from helpers.course.contain import Outcome, contained
from helpers.course.exercises import Case, Exercise, Expectation, UnknownExercise, equal, find
from helpers.course.exercises.expect import brief
from helpers.course.limits import time_factor
from helpers.course.todo import TODO, comes_from_todo, find_todo, unchanged
from helpers.paths import ROOT

T = TypeVar("T")

_SET_UP_S = 60.0  # to make a case ready: a model may have to load
_LOOK_S = 5.0  # to look at an object, or to write a result as text
_MOST_TIMEOUTS = 2  # after so many, the other cases are not waited for
_MOST_TOLD = 3
_MOST_FRAMES = 4
_NOTHING: Any = object()


class _Interrupted(Exception):  # noqa: N818 - the user's own doing, no error
    """The user stopped the check."""


# What happened in this kernel: the status that `ready` goes by, and the results of the last try.
_last: dict[str, Status] = {}
_tries: dict[str, tuple[CaseResult, ...]] = {}


def check(exercise_id: str, submission: object = _NOTHING) -> None:
    """Try a learner's object on the exercise's cases, show the card and record the result.

    Args:
        exercise_id: such as "01.2".
        submission: what the exercise asks for: a function, a class, an object or a value.
    """
    with _calmly(f"The check of exercise {exercise_id}"):
        if submission is _NOTHING:
            _show(
                Note(
                    f"Exercise {exercise_id} was not checked.",
                    (f'Give the check what you wrote, as in check("{exercise_id}", my_function).',),
                )
            )
            return
        card = run_check(exercise_id, submission)
        _last[exercise_id] = card.status
        _show(_recorded(find(exercise_id), card))


def hint(exercise_id: str) -> None:
    """Show the exercise's hints so far and one more."""
    with _calmly(f"The hint for exercise {exercise_id}"):
        exercise = find(exercise_id)
        used = _hints(exercise, one_more=True)
        shown = exercise.hints[:used]
        lines = [f"Hint {n} of {len(exercise.hints)}: {text}" for n, text in enumerate(shown, 1)]
        if used == len(exercise.hints):
            lines.append("There are no more hints.")
        _show(Note(f"Exercise {exercise_id}, {exercise.title}", tuple(lines)))


def ready(*exercise_ids: str) -> bool:
    """Whether the checks of these exercises passed in this kernel; prints a sentence if not.

    For cells that build on an exercise, so that a notebook runs on where one is unfinished:

        if ready("01.2"):
            show.table(compare(my_retriever))

        agent = build_agent(retriever=my_retriever) if ready("01.2") else TODO
    """
    missing = [name for name in exercise_ids if _last.get(name) is not Status.PASSED]
    for name in missing:
        status = _last.get(name)
        state = f"So far it is {status}." if status else "Run its check first."
        print(f"This cell needs exercise {name}. {state}")
    return not missing


def run_check(exercise: Exercise | str, submission: object) -> Card:
    """Try an object on an exercise's cases; nothing is shown or recorded.

    Raises:
        UnknownExercise: there is no exercise of this number.
        KeyboardInterrupt: the user stopped the check.
    """
    exercise = exercise if isinstance(exercise, Exercise) else find(exercise)
    try:
        if unfinished := _unfinished(exercise, submission):
            return _not_done(exercise, unfinished)
        results: list[CaseResult] = []
        timeouts = 0
        for case in _cases(exercise, submission):
            if isinstance(case, Outcome):  # the case could not even be set up
                if case.error is not None and comes_from_todo(case.error):
                    return _not_done(exercise, "A part that it uses is still TODO.")
                results.append(CaseResult("the cases can be set up", False, _rows_of(case)))
            elif timeouts == _MOST_TIMEOUTS:
                row = ("Not run", f"{timeouts} cases before it ran out of time.")
                results.append(CaseResult(case.name, False, (row,)))
            else:
                outcome = _run(case)
                if _used_todo(outcome):
                    return _not_done(exercise, "A part that it uses is still TODO.")
                timeouts += outcome.ended == "time"
                results.append(_judged(case, outcome))
    except _Interrupted:
        raise KeyboardInterrupt from None
    finally:
        TODO.with_traceback(None)  # `raise TODO` would keep every frame it passed alive
    return _card(exercise, tuple(results))


# --- one try ------------------------------------------------------------------------------------


def _unfinished(exercise: Exercise, submission: object) -> str | None:
    """Why the exercise counts as not done yet, from a look at the object alone."""
    found = _looked_at(functools.partial(find_todo, submission))
    if found or not exercise.mends:
        return found
    if _looked_at(functools.partial(unchanged, submission, exercise.starter)):
        return "It is still as it was given. Change it, run its cell, then check again."
    return None


def _looked_at(look: Callable[[], T]) -> T | None:
    """The result of looking at a learner's object; None when the object resists."""
    outcome = contained(look, _LOOK_S)
    _stop_if_interrupted(outcome)
    result: T | None = outcome.value
    return result


def _cases(exercise: Exercise, submission: object) -> Iterator[Case | Outcome]:
    cases: Iterator[Case] | None = None

    def step() -> Case | None:
        nonlocal cases
        cases = iter(exercise.cases(submission)) if cases is None else cases
        return next(cases, None)

    while True:
        outcome = contained(step, _SET_UP_S)
        _stop_if_interrupted(outcome)
        if isinstance(outcome.value, Case):
            yield outcome.value
            continue
        if outcome.error is not None or outcome.ended:
            yield outcome
        return


def _run(case: Case) -> Outcome:
    outcome = contained(case.call, case.limit)
    _stop_if_interrupted(outcome)
    return outcome


def _used_todo(outcome: Outcome) -> bool:
    if outcome.error is not None:
        return comes_from_todo(outcome.error)
    return bool(_looked_at(functools.partial(find_todo, outcome.value)))


def _stop_if_interrupted(outcome: Outcome) -> None:
    if outcome.ended == "interrupt":
        raise _Interrupted


# --- the verdict --------------------------------------------------------------------------------


def _judged(case: Case, outcome: Outcome) -> CaseResult:
    expectation = case.expectation
    passed, why = _verdict(expectation, outcome)
    shown = _shown(expectation, outcome, case.limit)
    printed = _printed(outcome)
    if passed:
        rows = [("Came", shown)] if expectation.show else []
        return CaseResult(case.name, True, (*rows, *printed))
    slip = _slip(case, outcome)
    rows = [
        ("Called", printable(case.show)),
        ("Came", shown),
        ("Expected", printable(expectation.text)),
    ]
    rows += [("Why", printable(text)) for text in (slip or why, outcome.note) if text]
    rows += _where(outcome)
    return CaseResult(case.name, False, (*rows, *printed))


def _verdict(expectation: Expectation, outcome: Outcome) -> tuple[bool, str]:
    """Whether the outcome is right; where it is not, a sentence of why or nothing."""
    if outcome.ended:
        return False, ""
    if expectation.error is not None:
        if outcome.error is None:
            return False, "It returned where an error should be raised."
        if not isinstance(outcome.error, expectation.error):
            return False, "It raised another error than the one expected."
        judged: object = outcome.error
    else:
        if outcome.error is not None:
            return False, _tip(outcome.error)
        judged = outcome.value
    verdict = contained(lambda: expectation.judge(judged), _LOOK_S)
    _stop_if_interrupted(verdict)
    if verdict.error is not None:
        return False, f"Looking at the result raised {_error(verdict.error)}"
    if isinstance(verdict.value, str):
        return False, verdict.value
    return bool(verdict.value) and not verdict.ended, ""


def _slip(case: Case, outcome: Outcome) -> str:
    """What the exercise says of this wrong result, where it knows it."""
    for wrong, sentence in case.slips:
        if isinstance(wrong, type) and issubclass(wrong, BaseException):
            known = isinstance(outcome.error, wrong)
        elif outcome.error is not None or outcome.ended:
            known = False
        else:
            test = _test_of(wrong)
            known = _looked_at(functools.partial(test, outcome.value)) is True
        if known:
            return sentence
    return ""


def _test_of(wrong: Any) -> Callable[[Any], Any]:
    if isinstance(wrong, Expectation):
        return wrong.judge
    test: Callable[[Any], Any] = wrong if callable(wrong) else equal(wrong).judge
    return test


# --- the words ----------------------------------------------------------------------------------


def _not_done(exercise: Exercise, why: str) -> Card:
    return Card(exercise.id, exercise.title, Status.NOT_DONE_YET, summary=why)


def _card(exercise: Exercise, results: tuple[CaseResult, ...]) -> Card:
    if not results:
        raise ValueError(f"exercise {exercise.id} has no cases")
    passed = sum(result.passed for result in results)
    some = Status.PARTLY if passed else Status.WRONG
    status = Status.PASSED if passed == len(results) else some
    noun = "case" if len(results) == 1 else "cases"
    summary = f"{passed} of {len(results)} {noun} passed."
    return Card(exercise.id, exercise.title, status, tuple(_shortened(results)), summary)


def _shortened(results: tuple[CaseResult, ...]) -> Iterator[CaseResult]:
    """The results with only the first failures told in full: they say most."""
    failures = 0
    for result in results:
        failures += not result.passed
        yield replace(result, rows=()) if failures > _MOST_TOLD and not result.passed else result


def _rows_of(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    rows = [("Came", _ending(outcome, _SET_UP_S)), *_where(outcome), *_printed(outcome)]
    return tuple(rows)


def _shown(expectation: Expectation, outcome: Outcome, limit: float) -> str:
    """The result as text, by its own `repr`: which is the learner's code as well."""
    if outcome.ended or outcome.error is not None:
        return _ending(outcome, limit)
    write = expectation.show or brief
    written = contained(lambda: write(outcome.value), _LOOK_S)
    _stop_if_interrupted(written)
    if isinstance(written.value, str):
        return printable(written.value)
    kind = type(outcome.value).__name__
    if written.ended:
        return f"<{kind} object whose repr() does not end>"
    return printable(_looked_at(lambda: brief(outcome.value)) or f"<{kind} object>")


def _ending(outcome: Outcome, limit: float) -> str:
    if outcome.error is None:
        return f"nothing: it was ended after {limit * time_factor():g} s"
    return f"{_error(outcome.error)}"


def _error(error: BaseException) -> str:
    """An error's type and message; its `__str__` may be the learner's."""
    name = type(error).__name__
    message = printable(_looked_at(lambda: str(error)) or "").strip()
    if len(message) > 500:
        message = message[:500] + "..."
    return f"{name}: {message}" if message else name


def _tip(error: BaseException) -> str:
    text = (_looked_at(lambda: str(error)) or "").lower()
    if isinstance(error, SystemExit):
        return "The code asked Python to stop. Return a result instead."
    if "different loop" in text or "different event loop" in text or "loop is closed" in text:
        return (
            "Something async was made on another event loop. Make it with run_async(...), so that"
            " it lives on the course's loop, as this check does."
        )
    return ""


def _where(outcome: Outcome) -> list[tuple[str, str]]:
    """The learner's own lines that an error passed through, the last one where it was raised."""
    if outcome.error is None:
        return []
    walk = traceback.walk_tb(outcome.error.__traceback__)
    places = [(frame.f_code, line) for frame, line in walk if _learners(frame.f_code.co_filename)]
    lines = [
        f"line {line}, in {code.co_name}: {linecache.getline(code.co_filename, line).strip()}"
        for code, line in places[-_MOST_FRAMES:]
    ]
    return [("Where", printable("\n".join(lines)))] if lines else []


_NOT_THE_LEARNERS = tuple(
    {
        str(ROOT / "helpers"),
        "<frozen ",
        "<string>",
        *(sysconfig.get_path(n) for n in ("stdlib", "purelib", "platlib")),
    }
)


def _learners(file: str) -> bool:
    return not file.startswith(_NOT_THE_LEARNERS)


def _printed(outcome: Outcome) -> list[tuple[str, str]]:
    text = printable(outcome.printed).rstrip()
    if outcome.unprinted:
        text += f"\n... and {outcome.unprinted} more characters"
    return [("Printed", text)] if text else []


# --- hints and progress -------------------------------------------------------------------------


def _recorded(exercise: Exercise, card: Card) -> Card:
    """The card with the next hint; what went wrong in keeping progress becomes a note on it."""
    said = io.StringIO()
    hint_text = failure = ""
    with contextlib.redirect_stderr(said):
        try:
            progress.record_check(card.exercise, card.status.value, card.passed, card.total)
            hint_text = _hint_after(exercise, card)
        except Exception as error:
            failure = f"This result could not be kept: {_error(error)}"
    notes = [failure, *said.getvalue().splitlines()]
    return replace(card, hint=hint_text, notes=tuple(filter(str.strip, notes)))


def _hint_after(exercise: Exercise, card: Card) -> str:
    """The next hint after a wrong try; the same hint again after the same try."""
    if card.status not in (Status.WRONG, Status.PARTLY):
        return ""
    again = _tries.get(exercise.id) == card.cases
    _tries[exercise.id] = card.cases
    used = _hints(exercise, one_more=not again) or _hints(exercise, one_more=True)
    return f"Hint {used} of {len(exercise.hints)}: {exercise.hints[used - 1]}"


def _hints(exercise: Exercise, *, one_more: bool) -> int:
    """How many of the exercise's hints the learner has seen, at most all."""
    used = progress.hints_used(exercise.id)
    if one_more and used < len(exercise.hints):
        used = progress.use_hint(exercise.id)
    return min(used, len(exercise.hints))


# --- showing ------------------------------------------------------------------------------------


def _show(card: Card | Note) -> None:
    display(card)  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _calmly(what: str) -> Iterator[None]:
    """Say what went wrong instead of raising it into the notebook."""
    try:
        yield
    except UnknownExercise as error:
        _show(Note(str(error.args[0])))
    except KeyboardInterrupt:
        _show(Note(f"{what} was stopped.", ("Nothing was recorded.",)))
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        _show(
            Note(
                f"{what} failed.",
                (
                    "This is a fault of the course, not of your code; nothing was recorded.",
                    f"{_error(error)} ({Path(place.filename).name}, line {place.lineno})",
                ),
            )
        )
