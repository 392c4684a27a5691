# Written by `course build` from solutions/src/03_stop_prompt_injection.py: change it there.
# The exercise's own cell.
import re
from collections.abc import Callable, Iterator

WITHHELD = "Sorry, I cannot answer that."


def guarded(pieces: Iterator[str], leaks: Callable[[str], bool]) -> Iterator[str]:
    """The sentences of a streamed answer, until one would give the secret away."""
    said = held = ""
    for piece in pieces:
        *sentences, held = re.split(r"(?<=[.!?])(?=\s)", held + piece)
        for sentence in sentences:
            said += sentence
            if leaks(said):
                yield WITHHELD
                return
            yield sentence
    if held:
        yield WITHHELD if leaks(said + held) else held
ANSWER = guarded
