"""A learner's answer: its text, and the home that holds its evidence."""

from dataclasses import dataclass
from pathlib import Path

from helpers.course.todo import NotDoneYet
from helpers.paths import ROOT

STORED = ROOT / "solutions" / "12_review_questions"
"""A packed home with evidence that the repository's commands wrote, for a version and a date."""


@dataclass(frozen=True)
class Answer:
    """An answer to a review question.

    Attributes:
        text: Markdown with one heading for each part that the question wants.
        evidence: the home whose `evidence` folder it cites; None for your own `.course`.
    """

    text: str
    evidence: Path | str | None = None

    def __post_init__(self) -> None:
        """Raise TypeError, with what to give instead, for what is no text or no folder."""
        if not isinstance(self.text, str | NotDoneYet):  # an exercise's TODO is no mistake yet
            raise TypeError(
                f"Give the answer's text as a string; this is of type {type(self.text).__name__}."
            )
        if not isinstance(self.evidence, Path | str | None):
            raise TypeError(
                "Give `evidence` the path of a folder like .course, or leave it out; this is of "
                f"type {type(self.evidence).__name__}."
            )

    @classmethod
    def of(cls, answer: "Answer | str") -> "Answer":
        """The answer itself; of a string, the answer with your own evidence. Raises TypeError."""
        return answer if isinstance(answer, Answer) else cls(answer)

    @property
    def home(self) -> Path | None:
        """The folder with the evidence; None for your own."""
        return None if self.evidence is None else Path(self.evidence).expanduser()
