"""What a learner sees of a question: what it asks, what a full answer has, how to judge it."""

import html

from IPython.display import display

from helpers.course import show
from helpers.course.card import Note
from helpers.course.show.output import Output, in_notebook, put
from helpers.review.questions import Question


def show_question(question: Question) -> None:
    """The question, its parts, the rubric, and an empty template to copy."""
    say(
        f"{question.id}. {question.title}",
        question.question,
        f"Time: about {question.minutes} minutes.",
    )
    parts = [
        {
            "part": part.name,
            "what belongs there": part.what,
            "own words, at least": part.words,
            "cited figures, at least": part.figures,
        }
        for part in question.parts
    ]
    show.table(parts, caption=f"A full answer to {question.id} has these parts")
    demands = [f"Files of evidence to cite, at least: {question.items}."] if question.items else []
    if names := question.names:
        where = f'In "{names.part}", it' if names.part else "It"
        demands.append(f"{where} deals with at least {names.fewest} {names.what}.")
    if demands:
        say("Over the whole answer", *demands)
    show_rubric(question)
    template = question.template()
    put(Output(f'<pre style="white-space: pre-wrap">{html.escape(template)}</pre>', template))


def show_rubric(question: Question) -> None:
    """The lines that only a reader can judge."""
    show.table(
        [{"yes or no": line.line, "level": line.level} for line in question.rubric],
        caption="No check reads these: judge each line yourself, with yes or no",
    )


def show_text(text: str, heading: str) -> None:
    """Markdown, rendered in a notebook and plain in a terminal."""
    say(heading)
    if in_notebook():
        from IPython.display import Markdown

        display(Markdown(text))  # type: ignore[no-untyped-call]
    else:
        print(text)


def say(heading: str, *sentences: str) -> None:
    """A few sentences in a box."""
    note = Note(heading, sentences)
    if in_notebook():
        display(note)  # type: ignore[no-untyped-call]
    else:
        print(note)
