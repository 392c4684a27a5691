"""Which questions may be answered before the agent has looked at the conversation.

A cached answer and an extracted sentence know one question, and nothing of what was said before.
Both tests err on the careful side: what they turn away goes to the agent, which costs a little
more and is as right as ever.
"""

import re
from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

_ORDER = re.compile(
    r"\bFH[- ]?\d+|\b\d{5}\b|\b(?:my|the|this|that) (?:order|parcel|refund)\b", re.I
)
_ACTION = re.compile(
    r"\b(?:refund(?:ed)? (?:me|it|all|the|my|order|£|\d)|(?:give|pay|send) (?:me|us|it) |"
    r"money back|pay (?:me )?back|cancel (?:it|my|the|this)|human|person|colleague|adviser|advisor|"
    r"manager|some(?:body|one)|staff member|(?:talk|speak) (?:to|with)|call me|ring me|contact me|"
    r"complain\w*|put me through|pass me|hand (?:me|this|it) over|look up)\b",
    re.I,
)
_SEVERAL = re.compile(r"\?.*\?|\b(?:and|after|before) (?:then|that)\b|[.?!;,] then\b", re.I | re.S)
_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|these|those|this|that|one|ones|other|another|same|instead|else|"
    r"again|too|also|then|there|he|she|his|her|both|either|neither)\b",
    re.I,
)
_GOES_ON = re.compile(r"\s*(?:and|or|but|so|then|what about|how about|yes|no|ok(?:ay)?)\b", re.I)
_FEWEST_WORDS = 4


def searchable(question: str) -> bool:
    """Whether a question is for the documents alone: of no order, for no action, and one thing."""
    return not any(found.search(question) for found in (_ORDER, _ACTION, _SEVERAL))


def stands_alone(messages: Sequence[AnyMessage]) -> bool:
    """Whether the person's last message means the same without what was said before it.

    The first message of a conversation does. A later one does when it has four words or more,
    points at nothing ("it", "the other one"), goes on from nothing ("and ...?") and is no answer
    to a question that the agent asked.
    """
    people = [message for message in messages if isinstance(message, HumanMessage)]
    if not people:
        return False
    if len(people) == 1:
        return True
    last = people[-1].text
    said = [m.text for m in messages if isinstance(m, AIMessage) and m.text.strip()]
    asked_back = bool(said) and said[-1].rstrip().endswith("?")
    return (
        len(last.split()) >= _FEWEST_WORDS
        and not asked_back
        and not _POINTS.search(last)
        and not _GOES_ON.match(last)
    )
