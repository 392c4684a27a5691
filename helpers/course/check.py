"""`check`, `hint` and `ready`: what a lab's cells call.

`run_check` does the work and returns the card; `check` shows and records it. Neither raises into
the notebook, whatever the learner's object does (`helpers.course.contain`).
"""

import contextlib
import functools
import io
import linecache
import os
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeVar

import psutil
from IPython.core.getipython import get_ipython
from IPython.display import display

from helpers.course import progress
from helpers.course.card import Card, CaseResult, Note, Status, printable
from helpers.course.contain import Outcome, contained
from helpers.course.exercises import Case, Exercise, Expectation, UnknownExercise, find
from helpers.course.exercises.equality import accepts
from helpers.course.exercises.oracle import Difference
from helpers.course.exercises.slips import Slip
from helpers.course.exercises.words import brief, is_function, kind
from helpers.course.given import is_given, ran_given
from helpers.course.limits import time_factor
from helpers.course.todo import TODO, comes_from_todo, find_todo, unchanged
from helpers.faults import EquipmentError, MissingEquipmentError
from helpers.paths import ROOT

T = TypeVar("T")

_SET_UP_S = 60.0  # to make a case ready: a model may have to load
_LOOK_S = 5.0  # to look at an object, or to write a result as text
_MOST_TIMEOUTS = 2  # after so many, the other cases are not waited for
_MOST_TOLD = 3
_MOST_FRAMES = 4
_NOTHING: Any = object()
_STOPPED = "nothing: it was stopped after"
_OTHERS_LEFT = "No more hints for this; others come with the mistakes that they fit."


class _Interrupted(Exception):  # noqa: N818 - the user's own doing, no error
    """The user stopped the check."""


# What happened in this kernel: the status that `ready` goes by, the results of the last try, and
# which hints were shown.
_last: dict[str, Status] = {}
_tries: dict[str, tuple[CaseResult, ...]] = {}
_SET_UP = "the cases can be set up"
_shown_hints: dict[str, list[int]] = {}


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
        fitting = _fitting_hints(exercise, _failed_about(_tries.get(exercise_id, ())))
        if _new_hints(exercise, fitting):
            _next_hint(exercise, fitting)
        lines = [_hint_line(exercise, n) for n in sorted(_seen_hints(exercise))]
        if not _new_hints(exercise, fitting):
            some_left = len(_seen_hints(exercise)) < len(exercise.hints)
            lines.append(_OTHERS_LEFT if some_left else "There are no more hints.")
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
        EquipmentError: a server or another part of the course failed, twice in one case.
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
                    return _not_done(exercise, "It uses a part that is still TODO.")
                results.append(CaseResult(_SET_UP, False, _rows_of(case)))
            elif timeouts == _MOST_TIMEOUTS:
                row = ("Not run", f"{timeouts} cases before it ran out of time.")
                results.append(CaseResult(case.name, False, (row,)))
            elif why := _left_out(case, results):
                results.append(CaseResult(case.name, False, (("Not run", why),)))
            else:
                outcome = _run(case)
                if _used_todo(outcome):
                    return _not_done(exercise, "It uses a part that is still TODO.")
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
    if found or not exercise.given:
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

    begun = tried = False
    while True:
        outcome = contained(step, _SET_UP_S)
        _stop_if_interrupted(outcome)
        if isinstance(outcome.value, Case):
            begun = True
            yield outcome.value
            continue
        if fault := _equipment_fault(outcome.error):
            if begun or tried:
                raise fault
            cases, tried = None, True
            continue
        if outcome.error is not None or outcome.ended:
            yield outcome
        return


def _run(case: Case) -> Outcome:
    outcome = contained(case.call, case.limit)
    _stop_if_interrupted(outcome)
    if _equipment_fault(outcome.error):  # once may be a busy machine
        outcome = contained(case.call, case.limit)
        _stop_if_interrupted(outcome)
        if fault := _equipment_fault(outcome.error):
            raise fault
    return outcome


def _equipment_fault(error: BaseException | None) -> EquipmentError | None:
    """The course's own fault that an error is, stands for, or holds; None for the learner's."""
    if error is None or isinstance(error, EquipmentError):
        return error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    found = (_equipment_fault(one) for one in (*inner, error.__cause__) if one is not error)
    return next(filter(None, found), None)


def _left_out(case: Case, results: Sequence[CaseResult]) -> str:
    """Why a case that takes long is not run after these results; "" where it is."""
    passed = [result.passed for result in results]
    if case.after_all and not all(passed):
        return "It takes longer, and a case before it has failed: start there."
    if case.is_live and passed and not any(passed):
        return "It takes longer. Every case before it has failed: start there."
    return ""


def _used_todo(outcome: Outcome) -> bool:
    if outcome.error is not None:
        return comes_from_todo(outcome.error)
    return bool(_looked_at(functools.partial(find_todo, outcome.value)))


def _stop_if_interrupted(outcome: Outcome) -> None:
    if outcome.ended == "interrupt":
        raise _Interrupted


# --- the verdict --------------------------------------------------------------------------------


def _judged(case: Case, outcome: Outcome) -> CaseResult:
    expectation, show, why, slip = case.expectation, case.shown, "", None
    if isinstance(found := outcome.value, Difference):
        expectation, show, why = found.expect, found.show, found.why
        outcome = replace(outcome, value=found.value, error=found.error)
        passed = False
        if not why:  # a result that was right once, or changed arguments, is no slip of a formula
            why = _verdict(expectation, outcome)[1]
            calls = ((found.arguments, found.value), *found.others)
            slip = _slip(case, outcome, calls, expectation)
    else:
        passed, why = _verdict(expectation, outcome)
        if not passed:
            slip = _slip(case, outcome, _calls(case, outcome), expectation)
    shown = _shown(expectation, outcome, case.limit)
    printed = _printed(outcome)
    if passed:
        rows = [("Got", shown)] if expectation.show and shown else []
        return CaseResult(case.name, True, (*rows, *printed))
    expected = printable(expectation.text)
    if shown == expected:  # then only the type tells them apart
        shown = f"{shown} ({_looked_at(lambda: kind(outcome.value)) or 'an object'})"
    rows = [("Called", printable(show)), ("Got", shown), ("Expected", expected)]
    reasons = (slip.text if slip else why, outcome.note)
    rows += [("Why", printable(text)) for text in reasons if text]
    rows += _where(outcome)
    return CaseResult(
        case.name, False, (*rows, *printed), slip=slip.id if slip else "", about=case.about
    )


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
    return not verdict.ended and accepts(verdict.value), ""


def _calls(case: Case, outcome: Outcome) -> Sequence[tuple[Any, Any]]:
    return () if case.arguments is None else [(case.arguments, outcome.value)]


def _slip(
    case: Case, outcome: Outcome, calls: Sequence[tuple[Any, Any]], expectation: Expectation
) -> Slip | None:
    """The known mistake that this wrong result shows, if any.

    `calls` are the arguments and results that a faulty function has to explain, all of them. Where
    an error is expected, a faulty function explains nothing: the fault is that none was raised.
    """
    if outcome.ended:
        return None
    for slip in case.known_slips:
        if slip.kind == "like" and expectation.error is not None:
            continue
        look = functools.partial(slip.shows, outcome.value, outcome.error, calls)
        if _looked_at(look) is True:
            return slip
    return None


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
    rows = [("Got", _ending(outcome, _SET_UP_S)), *_where(outcome), *_printed(outcome)]
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
    name = type(outcome.value).__name__
    if written.ended:
        return f"<{name} object whose repr() does not end>"
    return printable(_looked_at(lambda: brief(outcome.value)) or f"<{name} object>")


def _ending(outcome: Outcome, limit: float) -> str:
    if outcome.error is None:
        return f"{_STOPPED} {limit * time_factor():g} s"
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
    return "" if _places(error) else _of_the_wrong_kind(error, text)


_COURSES = str(ROOT / "helpers")
_OF_A_TOOL = {"invoke", "ainvoke", "args", "args_schema", "tool_call_schema", "name", "description"}


def _of_the_wrong_kind(error: BaseException, text: str) -> str:
    """What to say where a check's own line could not use what the learner's code gave it.

    Its error alone means nothing to the learner; Python tells on which object an attribute was
    missing.
    """
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames or not frames[-1][0].f_code.co_filename.startswith(_COURSES):
        return ""
    if isinstance(error, AttributeError) and error.name and type(error.obj) is not ModuleType:
        what = _looked_at(lambda: kind(error.obj)) or "something"
        if is_function(error.obj) and error.name in _OF_A_TOOL:
            return f"This is {what}, not a tool: decorate it with @tool."
        given = _looked_at(lambda: brief(error.obj)) or ""
        return f"Your code gave {what}, which has no {error.name}: {given}"
    if isinstance(error, TypeError) and ("argument" in text or "not callable" in text):
        return ""  # the error says it: the call itself did not fit
    return (
        "Your code ran without an error, but the check could not use what it gave. Return what the"
        " statement asks for, of the type that it names."
    )


def _where(outcome: Outcome) -> list[tuple[str, str]]:
    """The learner's own lines that an error passed through, the last one where it was raised."""
    lines = [
        f"line {line}, in {code.co_name}: {linecache.getline(code.co_filename, line).strip()}"
        for code, line in _places(outcome.error)[-_MOST_FRAMES:]
    ]
    return [("Where", printable("\n".join(lines)))] if lines else []


def _places(error: BaseException | None) -> list[tuple[CodeType, int]]:
    if error is None:
        return []
    walk = traceback.walk_tb(error.__traceback__)
    return [(frame.f_code, line) for frame, line in walk if _learners(frame.f_code.co_filename)]


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
    hint_text = failure = given = ""
    with contextlib.redirect_stderr(said):
        try:
            given = _given_solution(card)
            progress.record_check(card.exercise, card.status.value, card.passed, card.total)
            hint_text = _hint_after(exercise, card)
        except Exception as error:
            failure = f"This result could not be kept: {_error(error)}"
    notes = [failure, given, _busy(card), *said.getvalue().splitlines()]
    return replace(card, hint=hint_text, notes=tuple(filter(str.strip, notes)))


def _given_solution(card: Card) -> str:
    """Record whether what was checked is a solution that `course catch-up` gave; a note if it is.

    The kernel knows which cells it ran. Outside of one, progress stays as it is.
    """
    kernel = get_ipython()
    if kernel is None or card.status is Status.NOT_DONE_YET:
        return ""
    marked = is_given(progress.given_marks().get(card.exercise, []))
    if ran_given(card.exercise, kernel.user_ns.get("In", [])):
        if not marked:
            progress.record_given([card.exercise])
        return "This is the course's solution: `course status` lists it as given, not as passed."
    if marked:
        progress.record_own(card.exercise)
    return ""


def _busy(card: Card) -> str:
    """A note where time ran out on a machine with more work than cores: right code may do so."""
    load, cores = psutil.getloadavg()[0], os.cpu_count() or 1
    stopped = any(text.startswith(_STOPPED) for case in card.cases for _, text in case.rows)
    if not stopped or load < 2 * cores:
        return ""
    return (
        f"This machine is busy: {load:.0f} processes wait for {cores} cores. Where time ran out, "
        "check again before you change your code."
    )


def _hint_after(exercise: Exercise, card: Card) -> str:
    """A hint that fits the case that failed first; the same one again after the same try."""
    if card.status not in (Status.WRONG, Status.PARTLY):
        return ""
    if all(case.passed or case.name == _SET_UP for case in card.cases):
        return ""  # what the check needs is missing: the card says what, and no answer is at fault
    again = _tries.get(exercise.id) == card.cases
    _tries[exercise.id] = card.cases
    fitting = exercise.hints_for(_failed_about(card.cases)) or list(range(len(exercise.hints)))
    shown = [n for n in _seen_hints(exercise) if n in fitting]
    return _hint_line(exercise, shown[-1] if again and shown else _next_hint(exercise, fitting))


def _failed_about(cases: tuple[CaseResult, ...]) -> str:
    """What the first case that failed is about."""
    return next((case.about for case in cases if not case.passed), "")


def _fitting_hints(exercise: Exercise, about: str) -> list[int]:
    """The hints to give on request: those for such a case, the general ones, and no others.

    Without a case that failed every hint fits, the general ones first.
    """
    places = [*exercise.hints_for(about), *exercise.general_hints()]
    if not about:
        places += range(len(exercise.hints))
    return list(dict.fromkeys(places))


def _next_hint(exercise: Exercise, fitting: list[int]) -> int:
    """The place of the first of these hints that is new; the last one where all were seen."""
    new = _new_hints(exercise, fitting)
    if not new:
        return fitting[-1]
    _seen_hints(exercise).append(new[0])
    progress.use_hint(exercise.id)
    return new[0]


def _new_hints(exercise: Exercise, fitting: list[int]) -> list[int]:
    return [n for n in fitting if n not in _seen_hints(exercise)]


def _seen_hints(exercise: Exercise) -> list[int]:
    """The places of the hints that the learner has seen, in the order of seeing.

    Progress keeps how many; which ones is known within one kernel. After a restart the first ones
    count as seen.
    """
    if exercise.id not in _shown_hints:
        used = min(progress.hints_used(exercise.id), len(exercise.hints))
        _shown_hints[exercise.id] = list(range(used))
    return _shown_hints[exercise.id]


def _hint_line(exercise: Exercise, place: int) -> str:
    return f"Hint {place + 1} of {len(exercise.hints)}: {exercise.hints[place]}"


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
    except MissingEquipmentError as missing:
        _show(
            Note(
                f"{what} needs more than the course brings.",
                ("Nothing was recorded.", str(missing)),
            )
        )
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
