"""Days of traces with something wrong in them, made from a seed.

Each day has the same kinds of trouble in other places: which requests cost too much, which tool is
slow and which one fails, what customers complain about. What merely looks like trouble is there
too: a frequent kind of request, a single huge one, a steady tool, a refusal that is no failure.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from helpers.shop import Question, questions
from helpers.tracing.testing.lab import fresh
from helpers.tracing.testing.requests import UNPRICED, Call, Feedback, Request, write

if TYPE_CHECKING:
    from langsmith import Client

REQUESTS: Final = 200
"""Requests of a day, each with two runs or more."""

KEYS: Final = ("channel", "intent", "language", "release", "template")
"""What the metadata of every request say of it."""

_RARE: Final = {
    "channel": "email",
    "language": "cy",
    "release": "2.5-beta",
    "template": "with history",
}
"""Values that a few requests have; those of one of them cost far too much."""

_USUAL: Final[dict[str, tuple[str, ...]]] = {
    "channel": ("web", "web", "web", "app"),
    "intent": ("order status", "order status", "returns", "delivery", "warranty"),
    "language": ("en",),
    "release": ("2.4", "2.4", "2.4", "2.4", "2.3"),
    "template": ("standard", "standard", "standard", "short"),
}
_RARE_COUNT, _COSTLY_FACTOR, _OUTLIER_FACTOR, _UNPRICED_COUNT = 10, 14, 40, 6
_READ, _WRITTEN = 180, 30
_TOOLS: Final = ("lookup_order", "check_stock", "delivery_quote", "loyalty_points", "find_shop")
_COMPLAINTS, _REPEATED, _UNCORRECTED, _PRAISED, _TONE = 13, 3, 4, 12, 3


@dataclass(frozen=True)
class Complaint:
    """A request that a customer called unhelpful, and what a colleague would have answered."""

    run_id: uuid.UUID
    question: str
    answer: str


@dataclass(frozen=True)
class Day:
    """What was planted in a project.

    Attributes:
        project: where the traces are.
        key: of the metadata, under which the costly requests have a value in common.
        value: that value.
        unpriced: requests whose model has no price.
        slow: the tool that is slow at times.
        failing: the tool that fails.
        complaints: corrected complaints, one for each question, the newest first.
    """

    project: str
    key: str
    value: str
    unpriced: int
    slow: str
    failing: str
    complaints: tuple[Complaint, ...]


def planted_day(client: "Client", seed: int, *, project: str | None = None) -> Day:
    """Write a day of 200 traces with feedback; another seed, other trouble.

    Args:
        project: where they are written; by default a new project.
    """
    plan = _Plan(Random(seed))
    project = project or fresh(f"day-{seed}")
    write(client, project, plan.requests)
    return Day(
        project=project,
        key=plan.key,
        value=_RARE[plan.key],
        unpriced=_UNPRICED_COUNT,
        slow=plan.slow,
        failing=plan.failing,
        complaints=tuple(plan.complaints()),
    )


class _Plan:
    def __init__(self, random: Random) -> None:
        self._random = random
        golden = [one for one in questions("dev") if one.required]
        self.requests = [self._request(n, random.choice(golden)) for n in range(REQUESTS)]
        self.key = random.choice(sorted(_RARE))
        self._mark_rare_values()
        self._mark_unpriced()
        frequent, steady, self.slow, self.failing, refusing = random.sample(_TOOLS, len(_TOOLS))
        self._plan_tools(frequent, steady, refusing)
        self._plan_feedback(golden)

    def _request(self, number: int, golden: Question) -> Request:
        return Request(
            {key: self._random.choice(values) for key, values in _USUAL.items()},
            tokens=(_READ, _WRITTEN),
            question=golden.question,
            at=number * 50.0 + self._random.uniform(0, 20),
        )

    def _mark_rare_values(self) -> None:
        """Rare values that cost as usual, one that does not, and a single huge request."""
        drawn = self._random.sample(self.requests, _RARE_COUNT * len(_RARE) + 1)
        for number, (key, value) in enumerate(_RARE.items()):
            for request in drawn[_RARE_COUNT * number : _RARE_COUNT * (number + 1)]:
                request.metadata[key] = value
                if key == self.key:
                    request.tokens = (_READ * _COSTLY_FACTOR, _WRITTEN)
        drawn[-1].metadata["intent"] = "other"
        drawn[-1].tokens = (_READ * _OUTLIER_FACTOR, _WRITTEN)

    def _mark_unpriced(self) -> None:
        usual = [one for one in self.requests if one.tokens == (_READ, _WRITTEN)]
        for request in self._random.sample(usual, _UNPRICED_COUNT):
            request.model = UNPRICED

    def _plan_tools(self, frequent: str, steady: str, refusing: str) -> None:
        """Each tool in some requests, in the order in which its calls are numbered."""
        for number, request in enumerate(self._some(130)):
            error = "ConnectionError: the order book did not answer" if number % 5 == 0 else None
            request.tools.append(Call(frequent, self._quick(), error))
        for request in self._some(50):
            request.tools.append(Call(steady, 1.3))
        for number, request in enumerate(self._some(50)):
            request.tools.append(Call(self.slow, 7.0 if number % 8 == 0 else self._quick()))
        for number, request in enumerate(self._some(44)):
            if number % 2:
                request.tools.append(Call(self.failing, self._quick()))
            else:  # a failure that is noticed late: slow, but no answer that took long
                request.tools.append(Call(self.failing, 12.0, "TimeoutError: no answer in 12 s"))
        for number, request in enumerate(self._some(40)):
            request.tools.append(Call(refusing, self._quick(), refused=number % 4 != 0))
        self._some(1)[0].tools.append(Call("gift_wrap", 0.1, "KeyError: 'paper'"))

    def _some(self, count: int) -> list[Request]:
        return self._random.sample(self.requests, count)

    def _quick(self) -> float:
        return self._random.uniform(0.03, 0.2)

    def _plan_feedback(self, golden: Sequence[Question]) -> None:
        """Complaints with and without a correction, some questions twice, praise, other keys."""
        chosen = self._some(_COMPLAINTS + _REPEATED + _UNCORRECTED + _PRAISED + _TONE)
        asked = self._random.sample(list(golden), _COMPLAINTS)
        first, again = chosen[:_COMPLAINTS], chosen[_COMPLAINTS : _COMPLAINTS + _REPEATED]
        rest = chosen[_COMPLAINTS + _REPEATED :]
        for request, question in zip([*first, *again], [*asked, *asked], strict=False):
            request.question = question.question
            right = "; ".join(group[0] for group in question.required)
            request.feedback.append(Feedback("helpful", 0, correction={"answer": right}))
        for request in again:
            request.question = f" {request.question.upper()}"
        for request in rest[:_UNCORRECTED]:
            request.feedback.append(Feedback("helpful", 0, comment="no!"))
        for request in rest[_UNCORRECTED:-_TONE]:
            request.feedback.append(Feedback("helpful", 1))
        for request in rest[-_TONE:]:  # a key that nobody asks for
            correction = {"answer": "Kindly: that depends."}
            request.feedback.append(Feedback("tone", 0, correction=correction))

    def complaints(self) -> Iterator[Complaint]:
        """The corrected ones, once each question; after `write`, which gives the runs their ids."""
        seen: set[str] = set()
        for request in reversed(self.requests):  # they were made in the order of time
            words = request.question.strip().casefold()
            right = [one.correction for one in request.feedback if one.correction]
            if right and request.feedback[0].key == "helpful" and words not in seen:
                seen.add(words)
                assert request.id is not None
                yield Complaint(request.id, request.question, right[0]["answer"])
