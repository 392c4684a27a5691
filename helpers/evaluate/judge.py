"""A language model as a judge of answers: yes or no, with a reason.

The judge reads question, source and answer, and says whether everything that the answer says
stands in the source. It is a scorer like any other: what its yes is worth is measured against
labels (`helpers.evaluate.agreement`), not believed. The local model is too small for this task.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, Field

from helpers.evaluate.labelled import Labelled
from helpers.models import chat_model
from helpers.models.guard import Spending, bulk_run

INSTRUCTION = (
    "You check the answers of a shop's support agent against the text that it was given. Say yes "
    "when everything that the answer says stands in the source, and no when anything does not."
)
"""What the judge is told by default."""

_PROMPT_TOKENS = 500  # more than any prompt on the labelled answers
_MOST_TOKENS = 120
_TOP = 20  # alternatives asked for; OpenAI's API gives no more

Progress = Callable[[Sequence[Labelled]], Iterable[Labelled]]


class JudgeError(RuntimeError):
    """The judge's reply cannot be used; the message says why."""


class _Reply(BaseModel):
    """The verdict on one answer."""

    # The reason comes first, so that it can lead to the verdict and not only defend it.
    reason: str = Field(max_length=120, description="Why, in one short sentence.")
    verdict: Literal["yes", "no"] = Field(
        description="yes when everything that the answer says stands in the source, else no."
    )


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one answer; `accepted` is None when it gave no usable reply."""

    accepted: bool | None
    reason: str = ""
    error: str | None = None


class Judge:
    """A judge on any chat model."""

    def __init__(
        self, model: BaseChatModel | None = None, *, instruction: str = INSTRUCTION
    ) -> None:
        """Judge with `model`, by default the course's, by what `instruction` says."""
        self.model = model or chat_model(max_tokens=_MOST_TOKENS)
        self._instruction = instruction

    def __call__(self, question: str, source: str, answer: str) -> Verdict:
        """The verdict on one answer, its form held to a JSON schema.

        Raises `JudgeError` when the reply does not fit the schema all the same (it was cut off,
        or a hosted model declined), and what the model raises.
        """
        chain = self.model.with_structured_output(_Reply, include_raw=True)
        found: Any = chain.invoke(self._messages(question, source, answer, "with your reason"))
        reply = found["parsed"]
        if not isinstance(reply, _Reply):
            raise JudgeError(f"The judge's reply is no verdict: {found['raw'].text[:80]!r}.")
        return Verdict(reply.verdict == "yes", reply.reason)

    def probability(self, question: str, source: str, answer: str) -> float:
        """How much the model leans to yes, 0 to 1: yes against no as its first word.

        Raises `JudgeError` when the model gives no probabilities, or neither word is among its
        20 most likely ones.
        """
        model = self.model.bind(logprobs=True, top_logprobs=_TOP, max_tokens=1)
        reply = model.invoke(self._messages(question, source, answer, "yes or no"))
        content = (reply.response_metadata.get("logprobs") or {}).get("content") or []
        if not content:
            raise JudgeError("This model gives no probabilities: use its verdicts.")
        chances = {"yes": 0.0, "no": 0.0}
        for option in content[0]["top_logprobs"]:
            word = option["token"].strip().casefold()
            if word in chances:
                chances[word] += math.exp(option["logprob"])
        if not (total := sum(chances.values())):
            raise JudgeError("The judge would say neither yes nor no.")
        return chances["yes"] / total

    def _messages(
        self, question: str, source: str, answer: str, form: str
    ) -> Sequence[BaseMessage]:
        text = (
            f"Source: {source}\n\nQuestion: {question}\n\nAnswer: {answer}\n\n"
            f"Does everything that the answer says stand in the source? Reply {form}."
        )
        return [SystemMessage(self._instruction), HumanMessage(text)]


def judge_all(
    judge: Judge, answers: Sequence[Labelled], *, progress: Progress = iter
) -> list[Verdict]:
    """The verdicts on labelled answers. A reply that cannot be used becomes an error, no verdict.

    On a hosted model the cost guard of `helpers.models.guard` prints the estimate first.

    Raises what the model raises: a judge that cannot be reached has no opinion.
    """
    found = []
    with _guarded(judge, len(answers), _MOST_TOKENS):
        for each in progress(answers):
            try:
                found.append(judge(each.question, each.source, each.answer))
            except JudgeError as problem:
                found.append(Verdict(None, error=str(problem)))
    return found


def lean_all(
    judge: Judge, answers: Sequence[Labelled], *, progress: Progress = iter
) -> list[float | None]:
    """How much the judge leans to yes on labelled answers, None where it says neither word.

    Guarded as `judge_all` is, and raises as it does.
    """
    found: list[float | None] = []
    with _guarded(judge, len(answers), output_tokens=1):
        for each in progress(answers):
            try:
                found.append(judge.probability(each.question, each.source, each.answer))
            except JudgeError:
                found.append(None)
    return found


def _guarded(
    judge: Judge, calls: int, output_tokens: int
) -> AbstractContextManager[Spending | None]:
    return bulk_run(
        judge.model, calls=calls, input_tokens=_PROMPT_TOKENS, output_tokens=output_tokens
    )
