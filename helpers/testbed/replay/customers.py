"""What customers think of their answers, as far as they say so."""

import re
from random import Random

from helpers.shop.questions import questions
from helpers.shop.traffic import Request
from helpers.testbed.replay.canaries import holds
from helpers.testbed.replay.world import BLOCKED

_RATED = 0.2
"""Of the answers, how many are rated; of those that do not help, twice as many."""
_CONTENT, _ANNOYED = 0.95, 0.85
"""How many of the ratings of a good answer are good, and of one that does not help, bad."""
_DATE = re.compile(r"\b\d{1,2} [A-Z][a-z]+ 20\d\d\b")


def helpful(request: Request, answer: str) -> bool | None:
    """Whether an answer gives what was asked for; None where that is not known."""
    if answer == BLOCKED:
        return False
    if request.intent == "order_status":
        return _DATE.search(answer) is not None
    if request.question is None:
        return None
    golden = next(one for one in questions("dev") if one.id == request.question)
    return holds(answer, golden.required) if golden.required else None


def rating(request: Request, answer: str, random: Random) -> int | None:
    """The rating that a customer gives, 1 or -1; None for one who does not say.

    Scripts rate nothing. One answer takes two numbers of `random`, whatever it is.
    """
    chance, mood = random.random(), random.random()
    unhappy = helpful(request, answer) is False
    if request.caller != "ordinary" or chance >= _RATED * (2 if unhappy else 1):
        return None
    return (-1 if mood < _ANNOYED else 1) if unhappy else (1 if mood < _CONTENT else -1)
