"""The shifts of exercise 11.5, and what is asked of an operator in them."""

import inspect
import logging
from typing import Any, Final

from helpers.operate.testing.console import RIGHT, Console, Event
from helpers.operate.testing.drill import Drilled, run_drill
from helpers.operate.testing.drill_plan import QUIET, draw

MOST_MINUTES: Final = 30.0
"""From when the incident begins until the service is well again."""
_MINUTES: Final = 90.0
_SEEDS: Final = {
    "model down": 907,
    "bad release": 913,
    "poisoned document": 921,
    "cost spike": 934,
    QUIET: 945,
}
"""Not those of the lab, the walkthrough or the stored drills."""


class Tried:
    """A submission, and when it returned in the last shift."""

    def __init__(self, operator: Any) -> None:
        self._operator = operator

    def is_async(self) -> bool:
        """Whether it is an async function, or an object that is called like one."""
        if not callable(self._operator):
            return False
        called = type(self._operator).__call__
        return inspect.iscoroutinefunction(self._operator) or inspect.iscoroutinefunction(called)

    def found(self, kind: str) -> Drilled:
        """What it did in a shift. Raises what it raised."""

        async def observed(console: Console) -> None:
            await self._operator(console)
            console.events.append(Event(console.minute, "returned"))

        # After exercise 11.2, FastMCP's log shows what any library writes; the card is no log.
        logging.getLogger("bm25s").setLevel(logging.WARNING)
        return run_drill(observed, draw(_SEEDS[kind], kind, minutes=_MINUTES))


def expected(kind: str) -> str:
    """What is asked of a shift, in words."""
    if kind == QUIET:
        return "no diagnosis and no action, until the shift has ended"
    return f"diagnosed, and ended by `{RIGHT[kind]}` within {MOST_MINUTES:g} minutes; nothing else"


def judge(found: Drilled) -> bool | str:
    """Whether a shift went as it should."""
    if found.wrong_diagnoses:
        return f"A wrong diagnosis: {found.wrong_diagnoses[0]}. {found.plan.truth}"
    if found.wrong_actions:
        return f"A wrong action: {found.wrong_actions[0]}. {found.plan.truth}"
    if found.plan.begins is None:
        returned = next((one.minute for one in found.events if one.what == "returned"), None)
        if returned is not None and returned < found.plan.minutes - 0.5:
            return f"The function returned in minute {returned:.0f}, before the end of the shift."
        return True
    if found.diagnosed is None:
        return f"It was never diagnosed. {found.plan.truth}"
    if found.ended is None:
        return f"It did not end. {found.plan.truth}"
    return found.ended <= MOST_MINUTES or f"It took {found.ended:.0f} minutes until it had ended."


def told(found: Drilled) -> str:
    """What happened, line by line."""
    return "; ".join(
        f"minute {one.minute:.0f} {one.what} {one.detail}".strip() for one in found.events
    )
