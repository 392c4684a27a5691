"""The ways to make an answer shorter, on the local model: a limit, a stop sequence and a schema."""

import pytest
from pydantic import BaseModel, Field

from helpers.models import chat_model

ASKED = "Tell me in three long sentences what a tent is good for."


class Short(BaseModel):
    """An answer with room for the fact alone."""

    fact: str = Field(max_length=40)


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_MODEL", raising=False)


def test_a_limit_cuts_an_answer_off_and_the_finish_reason_says_so() -> None:
    whole, cut = (chat_model(max_tokens=most).invoke(ASKED) for most in (120, 12))
    assert cut.usage_metadata is not None
    assert cut.usage_metadata["output_tokens"] == 12
    assert cut.response_metadata["finish_reason"] == "length"
    assert whole.text.startswith(cut.text)
    assert len(whole.text) > len(cut.text)


def test_a_stop_sequence_ends_an_answer_before_it_and_no_finish_reason_tells() -> None:
    whole = chat_model(max_tokens=60).invoke(ASKED)
    stopped = chat_model(max_tokens=60).bind(stop=["."]).invoke(ASKED)
    assert stopped.text == whole.text.partition(".")[0]
    assert stopped.response_metadata["finish_reason"] == "stop"
    assert stopped.usage_metadata is not None
    assert whole.usage_metadata is not None
    assert stopped.usage_metadata["output_tokens"] < whole.usage_metadata["output_tokens"]


def test_a_schema_leaves_room_for_its_fields_alone() -> None:
    found = chat_model(max_tokens=60).with_structured_output(Short).invoke(ASKED)
    assert isinstance(found, Short)
    assert 0 < len(found.fact) <= 40
