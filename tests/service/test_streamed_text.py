"""Stream and final answer are the same text, however many calls to the model it took."""

import pytest

from helpers.service.engines.streamed_text import StreamedText


def all_streamed(calls: list[tuple[str, str]], final: str) -> str:
    """What is streamed when calls to the model write character by character."""
    streamed = StreamedText()
    pieces = [p for call, text in calls for letter in text for p in streamed.add(call, letter)]
    return "".join([*pieces, *streamed.finish(final)])


@pytest.mark.parametrize(
    ("calls", "final"),
    [
        ([("1", "It weighs 2 kg.")], "It weighs 2 kg."),
        ([], "Sorry, I do not know."),
        ([("1", "It weighs 2 kg."), ("2", "It is out.")], "It weighs 2 kg.\nIt is out."),
        ([("1", "Yes."), ("2", "Yes.")], "Yes."),
        ([("1", "Yes."), ("2", "Yes. It is.")], "Yes.\nYes. It is."),
        ([("1", "a"), ("2", "b"), ("3", "a")], "a\nb"),
        ([("1", "a"), ("2", "b"), ("3", "c")], "a\nb\nc"),
    ],
)
def test_the_stream_is_the_answer(calls: list[tuple[str, str]], final: str) -> None:
    assert all_streamed(calls, final) == final


def test_words_before_a_tool_call_stand_on_a_line_of_their_own() -> None:
    streamed = StreamedText()
    said = [*streamed.add("1", "I will look.")]
    streamed.next_step()
    said += [*streamed.add("2", "It weighs 2 kg."), *streamed.finish("It weighs 2 kg.")]
    assert "".join(said) == "I will look.\nIt weighs 2 kg."


def test_a_refusal_after_such_words_is_not_lost() -> None:
    streamed = StreamedText()
    said = [*streamed.add("1", "I will look.")]
    streamed.next_step()
    said += streamed.finish("Sorry, I do not know.")
    assert "".join(said) == "I will look.\nSorry, I do not know."
