"""Projects with complaints, and what comes of them in a dataset: for the cases of exercise 09.4."""

import contextlib
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import requests
from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

from helpers.tracing.testing import (
    Call,
    Feedback,
    Request,
    fresh,
    lab_client,
    lab_service,
    runs_of,
    write,
)

Curate = Callable[[Client, str, str], Any]
MOST: Final = 10


@dataclass(frozen=True)
class Asked:
    """A request: its question, and what was said of it, in this order.

    `said` is a word a feedback: "praised"; "bad", a complaint without a correction; "right: ...",
    a complaint with that answer; "tone: ...", the same with another key; "kind: ...", praise with
    that answer; "vague", a complaint with a correction that has no answer; "unsure", feedback
    without a score; "Helpful: ..." and "helpfulness: ...", complaints with such a key; "edited:
    ...", a complaint with that answer, whose comment changes when all is said. What follows
    "below, " is said of a run below the request.
    """

    question: str
    said: Sequence[str] = ()
    at: float | None = None
    seconds: float | None = None
    error: str | None = None


def right(
    question: str, answer: str = "28 days.", *, at: float | None = None, error: str | None = None
) -> Asked:
    """A request with one corrected complaint."""
    return Asked(question, [f"right: {answer}"], at, error=error)


@dataclass(frozen=True)
class Plan:
    """What one case does.

    Attributes:
        steps: before each call of the learner's function, the requests that are added.
        there: the examples of a dataset that is there before; None where it is not.
    """

    steps: Sequence[Sequence[Asked]]
    there: Sequence[dict[str, Any]] | None = None


def curated(curate: Curate, plan: Plan) -> dict[str, Any]:
    """What the dataset holds in the end.

    Returns:
        `examples`: one text an added example, such as "2: Is it heavy? -> No.", in no order, with
        the number of the request that it was made of. `changed`: examples of before that are gone
        or changed. Of a dataset that is not there, only "no dataset".
    """
    project, name = fresh("day"), fresh("complaints")
    before, numbers = _existing(name, plan.there), count(1)
    _decoys()
    known: dict[str, int] = {}
    with _own_client() as client:
        for asked in plan.steps:
            for request in _planted(project, asked):
                known[str(request.id)] = next(numbers)
            curate(client, project, name)
    return _held(name, before, known)


class _Session(requests.Session):
    """A session that can be ended for good: a client is of use in its own case only."""

    ended = False

    def send(self, *given: Any, **options: Any) -> Any:
        """Send a request, unless the case has ended."""
        if self.ended:
            raise RuntimeError("This client belongs to an earlier call: use the one you were given")
        return super().send(*given, **options)


class _Client(Client):
    """LangSmith's client, whose lists come in no order, as the statement says."""

    def list_runs(self, *given: Any, **options: Any) -> Iterator[Any]:
        """The runs, in no order."""
        return _in_no_order(super().list_runs(*given, **options))

    def list_feedback(self, *given: Any, **options: Any) -> Iterator[Any]:
        """The feedback, in no order."""
        return _in_no_order(super().list_feedback(*given, **options))

    def list_examples(self, *given: Any, **options: Any) -> Iterator[Any]:
        """The examples, in no order."""
        return _in_no_order(super().list_examples(*given, **options))


def _in_no_order(items: Iterator[Any]) -> Iterator[Any]:
    found = list(items)
    random.Random(len(found)).shuffle(found)
    return iter(found)


@contextlib.contextmanager
def _own_client() -> Iterator[Client]:
    """A client of this case's own, which works no longer afterwards."""
    service, session = lab_service(), _Session()
    session.trust_env = False  # no proxy
    client = _Client(
        api_url=service.url,
        api_key=service.key,
        web_url=service.url,
        session=session,
        tracing_mode="langsmith",
    )
    try:
        yield client
        client.flush()
    finally:
        client.cleanup()
        session.ended = True


def _existing(name: str, there: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
    """The dataset of before: example id -> what it holds. Another one has a longer name."""
    lab_client().create_dataset(f"{name} of last year")
    if there is None:
        return {}
    dataset = lab_client().create_dataset(name)
    if not there:
        return {}
    lab_client().create_examples(dataset_id=dataset.id, examples=list(there))
    return _examples(dataset.id)


def _decoys() -> None:
    """Another project and another dataset, of which nothing is asked."""
    client = lab_client()
    if not client.has_dataset(dataset_name=_DECOY):
        _planted(_DECOY, [right("Whose project is this?"), right("How heavy is the tent?")])
        other = client.create_dataset(_DECOY)
        examples = [{"inputs": {"question": f"Question {n}?"}} for n in range(MOST)]
        client.create_examples(dataset_id=other.id, examples=examples)


_DECOY: Final = "another team's"


def _planted(project: str, asked: Sequence[Asked]) -> list[Request]:
    made = [
        Request(
            question=one.question,
            tokens=None,
            at=one.at,
            seconds=one.seconds,
            error=one.error,
            id=uuid.uuid4(),  # so that ids are in no order
            tools=[Call("look")] if any(said.startswith("below") for said in one.said) else [],
            feedback=[_said(said) for said in one.said if not said.startswith("below")],
        )
        for one in asked
    ]
    write(lab_client(), project, made)
    for one, request in zip(asked, made, strict=True):
        for said in one.said:
            if said.startswith("below, "):
                _say_below(project, request, _said(said.removeprefix("below, ")))
            if said.startswith("edited") and request.id:
                _edit(request.id)
    return made


def _edit(run_id: uuid.UUID) -> None:
    (found,) = (
        one for one in lab_client().list_feedback(run_ids=[run_id]) if one.comment == _DRAFT
    )
    lab_client().update_feedback(found.id, comment="wrong!")


_DRAFT: Final = "wrong"


def _say_below(project: str, request: Request, said: Feedback) -> None:
    runs = runs_of(lab_client(), project, trace_id=request.id)
    (run,) = (run for run in runs if run.parent_run_id is not None)
    correction = dict(said.correction) if said.correction else None
    lab_client().create_feedback(run.id, said.key, score=said.score, correction=correction)


def _said(said: str) -> Feedback:
    kind, _, answer = said.partition(": ")
    correction = {"answer": answer} if answer else None
    match kind:
        case "right":
            return Feedback("helpful", 0, correction=correction)
        case "signed":
            return Feedback("helpful", 0, correction={"answer": answer, "by": "Una"})
        case "vague":
            return Feedback("helpful", 0, correction={"tone": "kinder"})
        case "bad":
            return Feedback("helpful", 0, comment="no!")
        case "praised":
            return Feedback("helpful", 1)
        case "kind":
            return Feedback("helpful", 1, correction=correction)
        case "unsure":
            return Feedback("helpful", correction={"answer": "Who knows?"})
        case "tone" | "Helpful" | "helpfulness":
            return Feedback(kind, 0, correction=correction)
        case "edited":
            return Feedback("helpful", 0, comment=_DRAFT, correction=correction)
    raise ValueError(f"no such feedback: {said}")


def _examples(dataset_id: Any) -> dict[str, Any]:
    return {
        str(one.id): (one.inputs, one.outputs, str(one.source_run_id), one.metadata)
        for one in lab_client().list_examples(dataset_id=dataset_id)
    }


def _held(name: str, before: dict[str, Any], known: dict[str, int]) -> dict[str, Any]:
    try:
        dataset = lab_client().read_dataset(dataset_name=name)
    except LangSmithNotFoundError:
        return {"examples": "no dataset"}
    now = _examples(dataset.id)
    changed = [value for key, value in before.items() if now.get(key) != value]
    added = [value for key, value in now.items() if key not in before]
    return {"examples": sorted(_text(known, *value[:3]) for value in added), "changed": changed}


def _text(known: dict[str, int], inputs: Any, outputs: Any, source: str) -> str:
    return f"{known.get(source, 'no request')}: {_only(inputs, 'question')} -> " + _only(
        outputs, "answer"
    )


def _only(fields: Any, key: str) -> str:
    return str(fields[key]) if isinstance(fields, dict) and set(fields) == {key} else repr(fields)


def wanted(*examples: str) -> dict[str, Any]:
    """What `curated` gives where these examples are added, and none has changed."""
    return {"examples": sorted(examples), "changed": []}


# --- a day at random ------------------------------------------------------------------------------


@dataclass
class RandomDay:
    """A day made from a seed, and the examples that have to come of it."""

    seed: int
    asked: list[Asked] = field(init=False)

    def __post_init__(self) -> None:
        made = random.Random(self.seed)
        things = ("tent", "stove", "mat", "rope", "lamp", "flask", "sleeping bag", "poles")
        said = (
            "praised",
            "bad",
            "right: 1",
            "right: 2",
            "signed: 3",
            "kind: 4",
            "tone: 5",
            "vague",
        )
        ends = ("", " ", "  ", "\n")
        order = list(range(40))
        made.shuffle(order)
        self.asked = []
        for number in order:
            words = [made.choice(("Is", "Was")), "the", made.choice(things), "dry?"]
            text = made.choice((" ", "  ", "\t")).join(words) + made.choice(ends)
            text = made.choice((str, str.upper, str.lower))(text)
            how = made.choices(said, k=made.choice((0, 1, 1, 2, 3)))
            seconds = made.choice((1.0, 30.0, 300.0))
            error = made.choice((None, None, "TimeoutError: no answer in 12 s"))
            self.asked.append(Asked(text, how, 10.0 * number, seconds, error))

    def examples(self) -> list[str]:
        """What `curated` has to show, worked out from the plan alone."""
        seen: set[str] = set()
        found: list[str] = []
        order = sorted(range(len(self.asked)), key=lambda n: self.asked[n].at or 0, reverse=True)
        for place in order:
            one = self.asked[place]
            last = [word for word in one.said if not word.startswith("tone")][-1:]
            kind, _, answer = (last or [""])[0].partition(": ")
            same = " ".join(one.question.split()).casefold()
            if kind in ("right", "signed") and same not in seen and len(found) < MOST:
                seen.add(same)
                found.append(f"{place + 1}: {one.question} -> {answer}")
        return found
