"""The text controls together, in the order that works."""

from typing import Any

from langchain.agents.middleware import AgentMiddleware

from helpers.security.controls.limits import LimitInput, LimitResults, limit_calls
from helpers.security.controls.marking import CleanText, MarkUntrusted, Style
from helpers.security.controls.output import FilterOutput, Leaks
from helpers.security.controls.personal import OthersData
from helpers.security.controls.screen import Flag, ScreenInput

Middleware = AgentMiddleware[Any, Any, Any]


def text_controls(
    *,
    leaks: Leaks | None = None,
    others: OthersData | None = None,
    flag: Flag | None = None,
    marks: Style | None = None,
) -> list[Middleware]:
    """Middleware for `build_agent`: limits, cleaning, then what was asked for.

    Args:
        leaks: says whether a text gives the secret away; with `others`, the output filter's.
        others: whose personal data must not go to somebody else.
        flag: a screen for messages and tool results; None: no screen.
        marks: how tool results are marked for the model; None: not at all.

    Around the model the first of the list is the outermost, so the output filter, standing before
    the marks, sees the answer without them. Incoming text meets the list from first to last: limits
    stand before all work, and cleaning before the screen, which must see what the model sees.
    """
    stack: list[Middleware] = [LimitInput(), *limit_calls(), LimitResults(), CleanText()]
    if flag:
        stack.append(ScreenInput(flag))
    stack.append(FilterOutput(leaks=leaks, others=others))
    if marks:
        stack.append(MarkUntrusted(marks))
    return stack
