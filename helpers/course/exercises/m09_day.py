"""Days of traces with something wrong in them, made from a seed and written by the SDK.

Each day has the same kinds of trouble in other places: which requests cost too much, which tool is
slow and which one fails, what customers complain about. What merely looks like trouble is there
too: a frequent kind of request, a single huge one, a steady tool, a refusal that is no failure.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from langchain_core.messages.ai import UsageMetadata
from langsmith import Client, uuid7_from_datetime

from helpers.models import prices
from helpers.shop import Question, questions

REQUESTS: Final = 200
"""Requests of a day, each with three to five runs."""

KEYS: Final = ("channel", "intent", "language", "release", "template")
"""What the metadata of every request say of it."""

RARE: Final = {
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
_RARE_COUNT, _COSTLY_FACTOR, _OUTLIER_FACTOR = 10, 14, 40
_UNPRICED_COUNT = 6
_UNPRICED: Final = "house-7b"
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
        cost_share: those requests' part of the cost of all that have a price, 0 to 1.
        unpriced: requests whose model has no price.
        slow: the tool that is slow at times.
        failing: the tool that fails.
        complaints: corrected complaints, one for each question, the newest first.
    """

    project: str
    key: str
    value: str
    cost_share: float
    unpriced: int
    slow: str
    failing: str
    complaints: tuple[Complaint, ...]


def plant(client: Client, project: str, seed: int) -> Day:
    """Write a day of traces with feedback into a project; another seed, other trouble."""
    made = _Plan(Random(seed), project)
    client.multipart_ingest(create=list(made.runs()))
    session = client.read_project(project_name=project).id
    for given in made.feedback():
        client.create_feedback(session_id=session, **given)
    client.flush()
    return made.day()


@dataclass
class _Request:
    """One request of the plan; times in seconds after the day's start."""

    id: uuid.UUID
    at: float
    metadata: dict[str, str]
    question: str
    answer: str
    factor: float = 1.0
    model: str = "local"
    tools: list["_ToolRun"] = field(default_factory=list)

    @property
    def usage(self) -> UsageMetadata:
        return tokens(round(180 * self.factor), 30)


def tokens(read: int, written: int) -> UsageMetadata:
    """Usage as LangChain reports it."""
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


@dataclass(frozen=True)
class _ToolRun:
    name: str
    seconds: float
    error: str | None = None
    refused: bool = False


class _Plan:
    def __init__(self, random: Random, project: str) -> None:
        self._random = random
        self._project = project
        self._start = datetime.now(UTC) - timedelta(hours=3)
        golden = [one for one in questions("dev") if one.required]
        self._requests = [self._request(n, random.choice(golden)) for n in range(REQUESTS)]
        self._key = random.choice(sorted(RARE))
        self._mark_rare_values()
        self._mark_unpriced()
        frequent, steady, slow, failing, refusing = random.sample(_TOOLS, len(_TOOLS))
        self._slow, self._failing = slow, failing
        self._plan_tools(frequent, steady, slow, failing, refusing)
        self._plan_feedback(golden)

    def _request(self, n: int, golden: Question) -> _Request:
        at = n * 50.0 + self._random.uniform(0, 20)
        metadata = {key: self._random.choice(values) for key, values in _USUAL.items()}
        run_id = uuid7_from_datetime(self._start + timedelta(seconds=at))
        return _Request(run_id, at, metadata, golden.question, "That depends.")

    def _mark_rare_values(self) -> None:
        """Rare values that cost as usual, one that does not, and a single huge request."""
        drawn = self._random.sample(self._requests, _RARE_COUNT * len(RARE) + 1)
        for number, (key, value) in enumerate(RARE.items()):
            for request in drawn[_RARE_COUNT * number : _RARE_COUNT * (number + 1)]:
                request.metadata[key] = value
                request.factor = _COSTLY_FACTOR if key == self._key else 1.0
        drawn[-1].metadata["intent"] = "other"
        drawn[-1].factor = _OUTLIER_FACTOR

    def _mark_unpriced(self) -> None:
        usual = [one for one in self._requests if one.factor == 1]
        for request in self._random.sample(usual, _UNPRICED_COUNT):
            request.model = _UNPRICED

    def _costly(self, request: _Request) -> bool:
        return request.metadata[self._key] == RARE[self._key]

    # --- tools -----------------------------------------------------------------------------------

    def _plan_tools(
        self, frequent: str, steady: str, slow: str, failing: str, refusing: str
    ) -> None:
        """Each tool in some requests, in the order in which its calls are numbered."""
        for number, request in enumerate(self._some(130)):
            error = "ConnectionError: the order book did not answer" if number % 5 == 0 else None
            request.tools.append(_ToolRun(frequent, self._quick(), error))
        for request in self._some(50):
            request.tools.append(_ToolRun(steady, 1.3))
        for number, request in enumerate(self._some(50)):
            seconds = 7.0 if number % 8 == 0 else self._quick()
            request.tools.append(_ToolRun(slow, seconds))
        for number, request in enumerate(self._some(44)):
            if number % 2:
                request.tools.append(_ToolRun(failing, self._quick()))
            else:  # a failure that is noticed late: slow, but no answer that took long
                request.tools.append(_ToolRun(failing, 12.0, "TimeoutError: no answer in 12 s"))
        for number, request in enumerate(self._some(40)):
            request.tools.append(_ToolRun(refusing, self._quick(), refused=number % 4 != 0))
        alone = self._some(1)[0]
        alone.tools.append(_ToolRun("gift_wrap", 0.1, "KeyError: 'paper'"))

    def _some(self, count: int) -> list[_Request]:
        return self._random.sample(self._requests, count)

    def _quick(self) -> float:
        return self._random.uniform(0.03, 0.2)

    # --- feedback --------------------------------------------------------------------------------

    def _plan_feedback(self, golden: Sequence[Question]) -> None:
        """Complaints with and without a correction, some questions twice, praise, other keys."""
        chosen = self._some(_COMPLAINTS + _REPEATED + _UNCORRECTED + _PRAISED + _TONE)
        asked = self._random.sample(list(golden), _COMPLAINTS)
        first = chosen[:_COMPLAINTS]
        for request, question in zip(first, asked, strict=True):
            request.question = question.question
        again = chosen[_COMPLAINTS : _COMPLAINTS + _REPEATED]
        for request, question in zip(again, asked, strict=False):
            request.question = f" {question.question.upper()}"
        rest = chosen[_COMPLAINTS + _REPEATED :]
        self._corrected = {
            request.id: "; ".join(group[0] for group in question.required)
            for request, question in zip([*first, *again], [*asked, *asked], strict=False)
        }
        self._uncorrected = [one.id for one in rest[:_UNCORRECTED]]
        self._praised = [one.id for one in rest[_UNCORRECTED:-_TONE]]
        self._tone = [one.id for one in rest[-_TONE:]]

    def feedback(self) -> Iterator[dict[str, Any]]:
        """What customers and colleagues said, as arguments of `create_feedback`."""
        for run_id, answer in self._corrected.items():
            yield _said(run_id, "helpful", 0, correction={"answer": answer})
        for run_id in self._uncorrected:
            yield _said(run_id, "helpful", 0, comment="no!")
        for run_id in self._praised:
            yield _said(run_id, "helpful", 1)
        for run_id in self._tone:  # somebody else's key
            yield _said(run_id, "tone", 0, correction={"answer": "Kindly: that depends."})

    # --- what comes of it ------------------------------------------------------------------------

    def runs(self) -> Iterator[dict[str, Any]]:
        """All runs as `multipart_ingest` takes them, parents first."""
        for request in self._requests:
            start = self._start + timedelta(seconds=request.at)
            tool_seconds = sum(one.seconds for one in request.tools)
            end = start + timedelta(seconds=0.1 + tool_seconds + 0.9)
            root = _run(self._project, request.id, None, "request", "chain", start, end)
            root |= {
                "inputs": {"question": request.question},
                "outputs": {"answer": request.answer},
                "extra": {"metadata": dict(request.metadata)},
            }
            yield root
            yield from self._below(request, root, start)

    def _below(
        self, request: _Request, root: dict[str, Any], start: datetime
    ) -> Iterator[dict[str, Any]]:
        at = start + timedelta(seconds=0.1)
        for call in request.tools:
            end = at + timedelta(seconds=call.seconds)
            run = _run(self._project, None, root, call.name, "tool", at, end)
            status = "error" if call.refused else "success"
            if call.error is None:
                run["outputs"] = {"output": {"status": status, "content": "..."}}
            run |= {"inputs": {}, "error": call.error, "extra": {"metadata": request.metadata}}
            yield run
            at = end
        run = _run(self._project, None, root, "chat", "llm", at, at + timedelta(seconds=0.9))
        yield run | {
            "inputs": {"messages": [{"role": "user", "content": request.question}]},
            "outputs": {"usage_metadata": request.usage},
            "extra": {"metadata": {**request.metadata, "ls_model_name": request.model}},
        }

    def day(self) -> Day:
        """What was planted."""
        cost = {one.id: prices.cost("local", one.usage) for one in self._requests}
        priced = [one for one in self._requests if one.model != _UNPRICED]
        costly = sum(cost[one.id] for one in priced if self._costly(one))
        return Day(
            project=self._project,
            key=self._key,
            value=RARE[self._key],
            cost_share=costly / sum(cost[one.id] for one in priced),
            unpriced=_UNPRICED_COUNT,
            slow=self._slow,
            failing=self._failing,
            complaints=tuple(self._complaints()),
        )

    def _complaints(self) -> Iterator[Complaint]:
        seen: set[str] = set()
        for request in reversed(self._requests):  # they were made in the order of time
            words = request.question.strip().casefold()
            if request.id in self._corrected and words not in seen:
                seen.add(words)
                yield Complaint(request.id, request.question, self._corrected[request.id])


def _said(run_id: uuid.UUID, key: str, score: int, **more: Any) -> dict[str, Any]:
    # With the trace named, the SDK sends feedback in batches from the background.
    return {"run_id": run_id, "trace_id": run_id, "key": key, "score": score, **more}


def _run(
    project: str,
    run_id: uuid.UUID | None,
    root: dict[str, Any] | None,
    name: str,
    run_type: str,
    start: datetime,
    end: datetime,
) -> dict[str, Any]:
    run_id = run_id or uuid7_from_datetime(start)
    order = f"{start:%Y%m%dT%H%M%S%f}Z{run_id}"
    return {
        "id": run_id,
        "trace_id": root["trace_id"] if root else run_id,
        "parent_run_id": root["id"] if root else None,
        "dotted_order": f"{root['dotted_order']}.{order}" if root else order,
        "name": name,
        "run_type": run_type,
        "session_name": project,
        "start_time": start,
        "end_time": end,
    }
