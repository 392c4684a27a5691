"""The judge, on models that reply what the test wants, and a little on the local one."""

import json
from math import log
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from helpers.evaluate.judge import Judge, JudgeError, judge_all
from helpers.evaluate.labelled import labelled_answers


class Scripted(BaseChatModel):
    """A model that gives the next of its replies, and remembers what it was asked."""

    replies: list[AIMessage]
    asked: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.asked.append(messages)
        return ChatResult(generations=[ChatGeneration(message=self.replies.pop(0))])


def verdict(word: str, reason: str = "It stands there.") -> AIMessage:
    args = {"reason": reason, "verdict": word}
    return AIMessage("", tool_calls=[{"name": "_Reply", "args": args, "id": "1"}])


def first_words(**chances: float) -> AIMessage:
    options = [{"token": word, "logprob": log(chance)} for word, chance in chances.items()]
    return AIMessage("x", response_metadata={"logprobs": {"content": [{"top_logprobs": options}]}})


def test_a_verdict_has_a_reason() -> None:
    model = Scripted(replies=[verdict("yes"), verdict("no", "The price is invented.")])
    judge = Judge(model)
    assert judge("How long?", "30 days.", "30 days.").accepted is True
    refused = judge("How long?", "30 days.", "30 days, for £9.")
    assert (refused.accepted, refused.reason) == (False, "The price is invented.")
    assert all(part in model.asked[1][-1].text for part in ("How long?", "30 days.", "for £9."))


def test_a_reply_that_is_no_verdict_is_an_error_and_no_verdict() -> None:
    answers = labelled_answers()[:3]
    model = Scripted(replies=[verdict("yes"), verdict("perhaps"), AIMessage("I cannot say.")])
    found = judge_all(Judge(model), answers)
    assert [each.accepted for each in found] == [True, None, None]
    assert found[1].error
    assert "no verdict" in (found[2].error or "")


def test_a_judge_that_is_down_has_no_opinion() -> None:
    with pytest.raises(IndexError):
        judge_all(Judge(Scripted(replies=[])), labelled_answers()[:1])


def test_the_lean_to_yes() -> None:
    model = Scripted(replies=[first_words(**{" Yes": 0.3, "yes": 0.1, "No": 0.1, "The": 0.5})])
    assert Judge(model).probability("q", "s", "a") == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("reply", "message"),
    [(AIMessage("Yes"), "no probabilities"), (first_words(The=0.9), "neither yes nor no")],
)
def test_no_lean_is_an_error(reply: AIMessage, message: str) -> None:
    with pytest.raises(JudgeError, match=message):
        Judge(Scripted(replies=[reply])).probability("q", "s", "a")


@pytest.mark.slow
def test_the_local_model_keeps_to_the_form() -> None:
    answers = labelled_answers()[:2]
    judge = Judge()
    found = judge_all(judge, answers)
    assert all(each.accepted is not None and each.reason for each in found), json.dumps(
        [each.error for each in found]
    )
    first = answers[0]
    assert 0 <= judge.probability(first.question, first.source, first.answer) <= 1
