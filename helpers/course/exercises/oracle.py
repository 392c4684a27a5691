"""Cases with generated inputs: the reference solution says what is right.

Hypothesis makes the inputs, from the edges of what the statement allows to its middle, the same
ones each time; where an answer and the reference differ it finds the smallest input on which they
do, and the card shows that one.
"""

import copy
import inspect
import time
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from helpers.course.exercises.define import Case
from helpers.course.exercises.equality import accepts, same
from helpers.course.exercises.expect import Expectation, approx, equal, raises, satisfies
from helpers.course.exercises.slips import Slip
from helpers.course.exercises.words import brief
from helpers.course.limits import OutOfTime, time_factor
from helpers.course.loop import run_async
from helpers.course.todo import comes_from_todo
from helpers.faults import EquipmentError
from helpers.paths import course_dir

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

BUDGET = 150
"""Inputs a case, before the search for a smaller one."""

_MOST_OTHERS = 40
_SHRINK_SHARE = 0.5  # of the time limit, after which the smallest difference so far is shown


@dataclass(frozen=True)
class Difference:
    """Where an answer and the reference part: a call, what came of it, and what is expected.

    `why` is a sentence where the result alone does not tell; `arguments` are as they were given.
    `others` are the arguments and results of all differences that were met: a faulty function that
    explains one of them by chance does not explain all.
    """

    show: str
    expect: Expectation
    arguments: tuple[Any, ...]
    value: Any = None
    error: BaseException | None = None
    why: str = ""
    others: tuple[tuple[tuple[Any, ...], Any], ...] = ()


def solved(exercise_id: str) -> Any:
    """The reference solution's object, made afresh: what the solution gives to `check`.

    It is read from `mNN/solved/eN.py`, which `course build` writes from the solution's source.

    Raises:
        FileNotFoundError: the build has not written it yet.
    """
    path = solved_file(exercise_id)
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing: run `course build {exercise_id[:2]}`.")
    module = ModuleType(f"solved_{exercise_id.replace('.', '_')}")
    module.__file__ = str(path)
    exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))
    return vars(module)["ANSWER"]


def solved_file(exercise_id: str) -> Path:
    """Where the reference solution of an exercise is kept."""
    return Path(__file__).parent / f"m{exercise_id[:2]}" / "solved" / f"e{exercise_id[3:]}.py"


def like_solution(value: Any) -> Expectation:
    """What a reference's result asks for: floats near enough, anything else equal."""
    return approx(value, rel=1e-9) if isinstance(value, float) else equal(value, rel=1e-9)


def example(
    name: str,
    answer: Callable[..., Any],
    *arguments: Any,
    called: str,
    expect: Any,
    slips: Sequence[Slip] = (),
    about: str = "",
    limit: float = 10.0,
) -> Case:
    """A case of one call with these arguments, of which the answer gets a copy.

    Args:
        name: what is looked at, as the card names it.
        answer: the learner's function, sync or async.
        arguments: what it is called with.
        called: the function's name, for the card.
        expect: the value that must come, or an `Expectation`.
        slips: known mistakes; `Slip.like` compares with a faulty function.
        about: one word, by which hints find this case.
        limit: seconds after which the call is ended.
    """
    return Case(
        name,
        call=lambda: answer(*_copied(arguments)),
        expect=expect,
        show=_call_of(called, arguments),
        slips=slips,
        limit=limit,
        about=about,
        arguments=arguments,
    )


def generated(
    name: str,
    answer: Any,
    *,
    exercise: str,
    inputs: "SearchStrategy[tuple[Any, ...]]",
    called: str | Callable[..., str],
    used: Callable[[Any], Callable[..., Any]] | None = None,
    expect: Callable[[Any], Expectation] = like_solution,
    errors_name: str = "",
    slips: Sequence[Slip] = (),
    about: str = "",
    budget: int = BUDGET,
    limit: float = 10.0,
) -> Case:
    """A case that tries an answer and the reference solution on generated inputs.

    Each input is given twice in a row, and afterwards compared with a copy: an answer may keep
    nothing between calls, and change nothing that it was given.

    Args:
        name: what is looked at, as the card names it.
        answer: the learner's function, sync or async, or what `used` makes a function of.
        exercise: its number, by which the reference is found.
        inputs: makes the positional arguments, as tuples. Only what the statement allows.
        called: the function's name, for the card; or a function that writes the call, from the
            arguments.
        used: for objects that are no functions of the inputs: makes a function of the answer, and
            of the reference. What it returns is compared.
        expect: makes an expectation of the reference's result; here a statement's freedom (order,
            rounding, list or tuple) is left open.
        errors_name: what the message of an error must name, where the reference raises one.
        slips: known mistakes; `Slip.like` compares with a faulty function.
        about: one word, by which hints find this case.
        budget: how many inputs are tried.
        limit: seconds for all of them.
    """
    reference = solved(exercise)
    if used is not None:
        answer, reference = used(answer), used(reference)
    search = _Search(answer, reference, called, expect, errors_name)
    return Case(
        name,
        call=lambda: search.smallest(inputs, budget, limit),
        expect=satisfies("an answer within the time", lambda found: found is None),
        show=lambda: search.current,
        slips=slips,
        limit=limit,
        about=about,
        live=False,
    )


@dataclass
class _Search:
    answer: Callable[..., Any]
    reference: Callable[..., Any]
    called: str | Callable[..., str]
    expect: Callable[[Any], Expectation]
    errors_name: str
    current: str = field(default="", init=False)

    def smallest(
        self, inputs: "SearchStrategy[tuple[Any, ...]]", budget: int, limit: float
    ) -> Difference | None:
        """The difference on the smallest input that shows one; None where none does.

        Raises:
            EquipmentError: the inputs could not be made, or the reference's results not judged.
        """
        from hypothesis import HealthCheck, Phase, configuration, find, settings
        from hypothesis.errors import Flaky, NoSuchExample

        # Hypothesis keeps notes in the working folder otherwise: the learner's.
        configuration.set_hypothesis_home_dir(course_dir() / "hypothesis")
        smallest: Difference | None = None
        met: list[tuple[tuple[Any, ...], Any]] = []
        late = time.monotonic() + limit * time_factor() * _SHRINK_SHARE

        def differs(arguments: tuple[Any, ...]) -> bool:
            nonlocal smallest
            if smallest is not None and time.monotonic() > late:
                raise _Stopped
            found = self.difference(arguments)
            if found is None:
                return False
            smallest = found
            if found.error is None and not found.why:
                # The first ones are anywhere, the last ones close to the smallest.
                met.append((found.arguments, found.value))
                del met[_MOST_OTHERS // 2 : -_MOST_OTHERS // 2]
            return True

        fixed = settings(
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=budget,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        try:
            find(inputs, differs, settings=fixed)
        except NoSuchExample:
            pass
        except _Stopped as stopped:
            if stopped.cause is not None:
                raise stopped.cause from None
        except Flaky as error:  # the answer gives now this, now that: the last difference is one
            if smallest is None:
                raise EquipmentError("the inputs differ from one time to the next") from error
        except Exception as error:  # what the answer raises is a difference, and ends up there
            raise EquipmentError(f"{self.called}: no inputs could be tried: {error!r}") from error
        return replace(smallest, others=tuple(met)) if smallest is not None else None

    def difference(self, arguments: tuple[Any, ...]) -> Difference | None:
        """How the answer differs from the reference for these arguments; None where it does not."""
        self.current = _call_of(self.called, arguments)
        expectation = self._expected(arguments)
        given = copy.deepcopy(arguments)
        comparable = same(given, arguments) is True  # not so for objects that equal themselves only
        for turn in (
            "",
            "The second call with the same arguments differed: keep nothing between calls.",
        ):
            value, error = _outcome(self.answer, given)
            if error is not None and comes_from_todo(error):
                raise _Stopped(error)
            if not accepts(verdict(expectation, value, error)):
                return Difference(self.current, expectation, arguments, value, error, turn)
            if comparable and same(given, arguments) is not True:
                changed = f"The arguments are {brief(given)} after the call."
                why = f"{changed} Do not change your arguments."
                wanted = replace(
                    expectation, text=f"{expectation.text}, and the arguments unchanged"
                )
                return Difference(self.current, wanted, arguments, value, error, why)
        return None

    def _expected(self, arguments: tuple[Any, ...]) -> Expectation:
        value, error = _outcome(self.reference, copy.deepcopy(arguments))
        return self.expect(value) if error is None else raises(type(error), self.errors_name)


def _call_of(name: str | Callable[..., str], arguments: tuple[Any, ...]) -> str:
    if not isinstance(name, str):
        return name(*arguments)
    return f"{name}({', '.join(map(brief, arguments))})"


def verdict(expectation: Expectation, value: Any, error: BaseException | None) -> bool | str:
    """Whether a call that gave `value`, or raised `error`, is what is expected."""
    if expectation.error is not None:
        judged: Any = error
        if not isinstance(error, expectation.error):
            return False
    else:
        judged = value
        if error is not None:
            return False
    try:
        return expectation.judge(judged)
    except Exception:  # the result does not let itself be looked at; the card says how
        return False


def _copied(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        return copy.deepcopy(arguments)
    except Exception as error:
        raise EquipmentError(f"the arguments of a case cannot be copied: {error!r}") from error


def _outcome(call: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    try:
        value = call(*arguments)
        if inspect.isasyncgen(value):
            return run_async(_collected(value)), None
        return (run_async(value) if inspect.isawaitable(value) else value), None
    except (OutOfTime, KeyboardInterrupt):
        raise
    except BaseException as error:
        return None, error


async def _collected(items: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in items]


class _Stopped(BaseException):
    """Ends a search at once: Hypothesis takes an `Exception` for one more difference."""

    def __init__(self, cause: BaseException | None = None) -> None:
        super().__init__()
        self.cause = cause
