"""What of the agent's words has been streamed, so that stream and final answer are the same text.

The agent may answer from each of several tool results and join the answers, a line each, leaving
out one that repeats another. The words stream while it does not know that yet. So an answer that
so far reads like an earlier one is held back until it differs.
"""

from collections.abc import Sequence


class StreamedText:
    """The words of one turn, as they come from one call to the model after the other."""

    def __init__(self) -> None:
        self._break = ""
        self._start()

    def _start(self) -> None:
        self._answers: list[str] = []
        self._streamed = ""
        self._call = ""
        self._so_far = ""
        self._held = False

    def next_step(self) -> None:
        """The model has called tools: what it said before stands, and its answer is to come."""
        if self._streamed:
            self._break = "\n"
        self._start()

    def add(self, call: str, text: str) -> Sequence[str]:
        """What to stream now that this call to the model, by its id, wrote this text."""
        if call != self._call:
            if self._so_far:
                self._answers.append(self._so_far)
            self._call, self._so_far, self._held = call, "", bool(self._answers)
        self._so_far += text
        if self._held:
            if any(answer.startswith(self._so_far) for answer in self._answers):
                return []
            self._held = False
            text = f"\n{self._so_far}"
        return [self._stream(text)]

    def finish(self, answer: str) -> Sequence[str]:
        """What of the whole answer was not streamed yet: all of one that no model wrote."""
        if not answer.startswith(self._streamed) or answer == self._streamed:
            return []
        return [self._stream(answer[len(self._streamed) :])]

    def _stream(self, text: str) -> str:
        self._streamed += text
        text, self._break = self._break + text, ""
        return text
