"""Whether an answer stays within what the agent has read, by cheap means.

Two signs, both without a model. Content words that stand in no source suggest an invention, and so
do numbers and names that do. Neither reads: "30 days for tents, 14 for ropes" has every word of
its source also when the two numbers are swapped. What each is worth on labelled answers is
measured with `helpers.evaluate.agreement`.
"""

import re
from dataclasses import dataclass

from helpers.evaluate.refusals import find_refusal
from helpers.evaluate.runs import Run
from helpers.evaluate.text import tokens

# Words that any answer holds, whatever it is about.
_STOP = frozenset({
    "a", "also", "an", "and", "answer", "are", "as", "at", "be", "been", "but", "by", "can",
    "cannot", "for", "from", "had", "has", "have", "here", "i", "if", "in", "is", "it", "its",
    "me", "my", "no", "not", "of", "on", "or", "our", "so", "that", "the", "their", "them",
    "there", "they", "this", "to", "was", "we", "were", "will", "with", "would", "yes", "you",
    "your",
})  # fmt: skip
# A capital inside a sentence. What starts a sentence, or follows a quote or colon, may be any word.
_NAME = re.compile(r"(?<=[a-z0-9,;)] )[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")
# Capitals that name nothing; a wrong month is a wrong date, which is a number here.
_NO_NAME = re.compile(
    r"I(?:['’]\w+)?|January|February|March|April|May|June|July|August|September|October|November"
    r"|December"
)

THRESHOLD = 0.89
"""Overlap from which an answer counts as grounded.

It has the highest sensitivity plus specificity on the first half of the labelled answers.
"""


@dataclass(frozen=True)
class Groundedness:
    """What an answer holds that its sources do not.

    Attributes:
        overlap: share of the answer's distinct content words, numbers included, that stand in the
            sources or in the question, 0 to 1.
        numbers: numbers, sums, dates and times that stand in neither, as `helpers.evaluate.text`
            spells them.
        names: words with a capital inside a sentence that stand in neither.
    """

    overlap: float
    numbers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def mismatch(self) -> bool:
        """Whether a number or a name stands in no source."""
        return bool(self.numbers or self.names)


def groundedness(answer: str, source: str, question: str = "") -> Groundedness | None:
    """Compare an answer with the text that it should rest on.

    What the question says may be repeated without a source. None when there is nothing to judge:
    an answer without content words ("Yes.") or a refusal without a claim, which asserts nothing.
    """
    if find_refusal(answer).clean:
        return None
    content = [token for token in dict.fromkeys(tokens(answer)) if token not in _STOP]
    if not content:
        return None
    known = {*tokens(source), *tokens(question)}
    return Groundedness(
        overlap=sum(token in known for token in content) / len(content),
        numbers=tuple(t for t in content if t not in known and any(map(str.isdigit, t))),
        names=tuple(
            name
            for name in dict.fromkeys(_NAME.findall(answer))
            if not (_NO_NAME.fullmatch(name) or known >= {*tokens(name)})
        ),
    )


def run_groundedness(run: Run, question: str) -> Groundedness | None:
    """Compare a run's answer with what its tools told the model.

    None as for `groundedness`, and for a run that ended in an error or a timeout. An answer that
    called no tool rests on nothing: its overlap counts the words of the question alone.
    """
    if run.status != "ok":
        return None
    read = "\n".join(call.result for call in run.calls if call.result)
    return groundedness(run.answer, read, question)
