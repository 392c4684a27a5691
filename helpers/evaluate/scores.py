"""The score of one run: its answer, its tool calls, its arguments, its trajectory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from helpers.evaluate.refusals import find_refusal
from helpers.evaluate.runs import Call, Run, Status
from helpers.evaluate.text import states
from helpers.shop import Question, ToolCall


@dataclass(frozen=True)
class Answer:
    """What is right and wrong in one answer.

    `missing` holds the groups of required facts that are not stated, `forbidden` the forbidden
    facts that are. `claims` is what a refusal goes on to claim.
    """

    right: bool
    refused: bool
    missing: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """The score of one run. Each verdict is None where there is nothing to judge.

    After an error or a timeout every verdict is None: the run counts neither as right nor wrong.
    `tools`: the agent called the expected tools and no others. `arguments`: it passed the expected
    values, judged only where `tools` is right and values are expected. `trajectory`: it made
    exactly the expected calls in their order.
    """

    question_id: str
    kind: str
    status: Status
    answer: Answer | None = None
    tools: bool | None = None
    arguments: bool | None = None
    trajectory: bool | None = None


def score(question: Question, run: Run) -> Score:
    """Judge one run. Raises ValueError when the run belongs to another question."""
    if run.question_id != question.id:
        raise ValueError(f"The run is of {run.question_id}, the question is {question.id}.")
    if run.status != "ok":
        return Score(question.id, question.kind, run.status)
    tools = right_tools(question.tools, run.calls)
    return Score(
        question.id,
        question.kind,
        run.status,
        answer=score_answer(question, run.answer),
        tools=tools,
        arguments=right_arguments(question.tools, run.calls) if tools else None,
        trajectory=right_trajectory(question.tools, run.calls),
    )


def score_answer(question: Question, answer: str) -> Answer:
    """Judge the words of an answer alone.

    Right for an unanswerable question is a refusal without a claim. Right for any other is every
    required fact, no forbidden one, and no refusal: "I do not know. It is 28 days." is wrong even
    where 28 days is the answer, since a customer cannot rely on it.
    """
    refusal = find_refusal(answer)
    missing = tuple(
        group for group in question.required if not any(states(answer, fact) for fact in group)
    )
    forbidden = tuple(fact for fact in question.forbidden if states(answer, fact))
    if question.kind == "unanswerable":
        right = refusal.clean and not forbidden
    else:
        right = bool(answer.strip()) and not (missing or forbidden or refusal.refused)
    return Answer(right, refusal.refused, missing, forbidden, refusal.claims)


def right_tools(expected: Sequence[ToolCall], calls: Sequence[Call]) -> bool:
    """Whether the same tools were called, in any order and any number of times."""
    return {call.name for call in expected} == {call.name for call in calls}


def right_trajectory(expected: Sequence[ToolCall], calls: Sequence[Call]) -> bool:
    """Whether exactly the expected calls were made, in the expected order."""
    return [call.name for call in expected] == [call.name for call in calls]


def right_arguments(expected: Sequence[ToolCall], calls: Sequence[Call]) -> bool | None:
    """Whether every call of a tool passed the values that are expected of that tool.

    Values that the question does not name may be anything. All calls of the tool are judged: a
    refund of the right order does not make up for one of another. None: no values are expected.
    """
    wanted = [call for call in expected if call.args]
    if not wanted:
        return None
    return all(
        any(_passes(call.args, want.args or {}) for want in wanted if want.name == call.name)
        for call in calls
        if call.name in {want.name for want in wanted}
    ) and all(
        any(_passes(call.args, want.args or {}) for call in calls if call.name == want.name)
        for want in wanted
    )


def _passes(args: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_same(args.get(name), value) for name, value in wanted.items())


def _same(given: Any, wanted: Any) -> bool:
    """The same value: numbers by amount ("49" is 49.0), texts whatever their case."""
    if isinstance(wanted, (int, float)):
        try:
            return Decimal(str(given)) == Decimal(str(wanted))
        except InvalidOperation:
            return False
    return str(given).strip().casefold() == str(wanted).strip().casefold()
