"""What a function that an answer is given may raise: it has to come out as it is."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from helpers.course.exercises.words import brief
from helpers.course.todo import comes_from_todo

ERRORS: Final[tuple[type[Exception], ...]] = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, AssertionError),
    *(OSError, TimeoutError, ConnectionResetError, EOFError, MemoryError, UnicodeError),
    *(
        ArithmeticError,
        NotImplementedError,
        RecursionError,
        ImportError,
        PermissionError,
        Exception,
    ),
)
"""What connections, clients, models and tools raise."""


def lost(
    call: Callable[[Exception], Any],
    more: Sequence[Callable[[str], Exception]] = (),
    leave_out: Sequence[type[Exception]] = (),
) -> list[str]:
    """The errors that do not come out unchanged, each with what came.

    `call(error)` uses an answer with something that raises this error. `more` are types of errors
    that belong to what is called; those to `leave_out` are not tried.
    """
    found = []
    kinds: list[Callable[[str], Exception]] = [*more, *ERRORS]
    for error_type in kinds:
        if error_type in leave_out:
            continue
        error = error_type("the server is down")
        try:
            came = f"{brief(call(error))} came back"
        except Exception as raised:
            if raised is error:
                continue
            if comes_from_todo(raised):
                raise
            came = f"{raised!r} came out"
        found.append(f"{error!r}: {came}")
    return found
