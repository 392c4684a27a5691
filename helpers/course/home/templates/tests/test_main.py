import pytest
from langchain.messages import AIMessage
from langchain_core.language_models import FakeMessagesListChatModel

import main


def test_it_prints_the_answer_and_the_tokens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODEL", "fake:model")
    reply = AIMessage(
        "Pitch it on a slope.",
        usage_metadata={"input_tokens": 9, "output_tokens": 6, "total_tokens": 15},
        response_metadata={"model_name": "fake"},
    )
    model = FakeMessagesListChatModel(responses=[reply])
    monkeypatch.setattr(main, "make_model", lambda name: model)
    assert main.main(["Where?"]) == 0
    printed = capsys.readouterr().out
    assert printed == "Pitch it on a slope.\nfake: 9 tokens read, 6 written\n"


def test_without_a_model_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MODEL", raising=False)
    assert main.main(["Where?"]) == 2
    assert "Set MODEL" in capsys.readouterr().err


def test_a_failure_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODEL", "nobody:knows")
    assert main.main(["Where?"]) == 1
    assert capsys.readouterr().err.startswith("nobody:knows gave no answer. ")
