"""Errors that name the argument at fault, and no other one."""

import re
from collections.abc import Sequence
from typing import Any

from helpers.course.exercises import Expectation, raises


def names_only(argument: str, arguments: Sequence[str]) -> Expectation:
    """A `ValueError` whose message names this argument, and none of the other `arguments`."""
    right = raises(ValueError, argument)

    def judge(got: Any) -> bool | str:
        verdict = right.judge(got)
        words = set(re.findall(r"\w+", str(got).lower()))
        if verdict is True and argument not in words:
            return f"The message should contain the word {argument}."
        others = [one for one in arguments if one != argument and one in words]
        if verdict is True and others:
            return f"The message names {others[0]} as well, which has no fault."
        return verdict

    return Expectation(f"{right.text}, and not of the other", judge, error=ValueError)
