"""`quiz("01")`: the questions that end a walkthrough.

Each choice is a button, so that Tab, Space and Enter work: radio buttons lose their arrow keys to
JupyterLab, which moves between cells with them. Where there is no live kernel (a stored notebook, a
test, a terminal) the same questions are shown as text that needs none.
"""

from collections.abc import Sequence
from html import escape
from string import ascii_uppercase

from helpers.course import progress
from helpers.course.questions import Choice, QuizQuestion, load
from helpers.course.show.output import in_notebook

_STYLE = """<style>
.course-choice.jupyter-button {
  height: auto; width: auto; padding: 6px 10px; white-space: normal; text-align: left;
  line-height: 1.45; color: var(--jp-ui-font-color1); background: var(--jp-layout-color2);
  border: 1px solid var(--jp-border-color1);
}
.course-choice.jupyter-button:focus-visible {
  outline: 2px solid var(--jp-brand-color1); outline-offset: 1px;
}
.course-quiz .widget-html-content { line-height: 1.45; white-space: normal; }
.course-quiz p { margin: 4px 0; }
</style>"""


def quiz(module: str) -> None:
    """Ask the questions of a module's quiz; each choice is explained as soon as it is chosen.

    A question counts in `course status` once it was answered rightly, after any number of tries.

    Raises:
        QuizError: there is no quiz of that module, or its file breaks the format.
    """
    questions = load(module)
    if not in_notebook():
        print(plain(module, questions))
        return
    from IPython.display import publish_display_data

    # One output with three faces: the live one, and what a stored notebook shows without it.
    publish_display_data(  # type: ignore[no-untyped-call]
        {
            **_Live(module, questions).view(),
            "text/html": static(module, questions),
            "text/plain": plain(module, questions),
        }
    )


def plain(module: str, questions: Sequence[QuizQuestion]) -> str:
    """The quiz as text, without the answers."""
    lines = [f"Quiz {module}: {len(questions)} questions. Run this cell in JupyterLab to answer."]
    for number, question in enumerate(questions, start=1):
        lines += ["", f"{number}. {question.question}"]
        lines += [
            f"   {letter}. {choice.text}"
            for letter, choice in zip(ascii_uppercase, question.choices, strict=False)
        ]
    return "\n".join(lines)


def static(module: str, questions: Sequence[QuizQuestion]) -> str:
    """The quiz as HTML that needs no kernel: each choice opens its explanation."""
    parts = [
        f"<p><strong>Quiz {escape(module)}.</strong> Open a choice to read why it is right or "
        "wrong. Run this cell to have your answers counted.</p>"
    ]
    for number, question in enumerate(questions, start=1):
        choices = "\n".join(
            f"<details><summary>{letter}. {escape(choice.text)}</summary>"
            f"<p>{_verdict(choice)} {escape(choice.why)}</p></details>"
            for letter, choice in zip(ascii_uppercase, question.choices, strict=False)
        )
        parts.append(
            f'<section style="margin-bottom: 14px"><p><strong>{number}.</strong> '
            f"{escape(question.question)}</p>\n{choices}</section>"
        )
    return '<div class="mathjax_ignore">\n' + "\n".join(parts) + "\n</div>"


def _verdict(choice: Choice) -> str:
    return "<strong>Right.</strong>" if choice.right else "<strong>Not right.</strong>"


class _Live:
    """The quiz as widgets, with the score so far."""

    def __init__(self, module: str, questions: Sequence[QuizQuestion]) -> None:
        import ipywidgets

        self.module = module
        self.questions = questions
        recorded = progress.report().get(module)
        ids = {question.id for question in questions}
        self.right = {
            one.question
            for one in (recorded.quiz if recorded else ())
            if one.right and one.question in ids
        }
        self.score = ipywidgets.HTML()
        self._show_score()
        rows = [
            self._question(number, question) for number, question in enumerate(questions, start=1)
        ]
        self.box = ipywidgets.VBox([ipywidgets.HTML(_STYLE), *rows, self.score])
        self.box.add_class("course-quiz")
        self.box.add_class("mathjax_ignore")

    def view(self) -> dict[str, object]:
        """The MIME bundle that makes a front end draw the widgets."""
        bundle: dict[str, object] = self.box._repr_mimebundle_()
        return bundle

    def _question(self, number: int, question: QuizQuestion) -> object:
        import ipywidgets

        done = " <em>(answered before)</em>" if question.id in self.right else ""
        heading = ipywidgets.HTML(
            f"<p><strong>Question {number} of {len(self.questions)}.</strong> "
            f"{escape(question.question)}{done}</p>"
        )
        said = ipywidgets.HTML()
        buttons = []
        for letter, choice in zip(ascii_uppercase, question.choices, strict=False):
            button = ipywidgets.Button(
                description=f"{letter}. {choice.text}",
                layout=ipywidgets.Layout(width="auto", height="auto"),
            )
            button.add_class("course-choice")

            def choose(_: object, letter: str = letter, choice: Choice = choice) -> None:
                # role=alert: a screen reader says it without the focus leaving the button.
                said.value = (
                    f'<p role="alert">{letter}. {_verdict(choice)} {escape(choice.why)}</p>'
                )
                self._answered(question, choice.right)

            button.on_click(choose)
            buttons.append(button)
        return ipywidgets.VBox([heading, *buttons, said])

    def _answered(self, question: QuizQuestion, right: bool) -> None:
        progress.record_quiz(self.module, question.id, right)
        if right:
            self.right.add(question.id)
        self._show_score()

    def _show_score(self) -> None:
        self.score.value = (
            f"<p><strong>{len(self.right)} of {len(self.questions)} answered rightly.</strong></p>"
        )
